/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow stage's driver. */
#ifndef VRG_FLOW_FLOW_H
#define VRG_FLOW_FLOW_H

#include <mpi.h>
#include <stdbool.h>

#include "base/param.h"
#include "parallel/stop.h"

/** Is there anything to follow?  Not with a field.  Local. */
bool vrg_flow_can (const vrg_input *input);

/** Can the stage do this input's work?  VRG_USAGE with a message if not: a field, or too many environments of the operators
 *  fitted.  Local. */
int vrg_flow_check (const vrg_input *input);

/** Bytes on a rank, nearly.  Local. */
double vrg_flow_bytes (int ranks, const vrg_input *input);

/** Run or continue the stage in DIRECTORY.  world: every rank; the stage makes its own grid of it.
 *  VRG_OK when its files are complete (at once if they already are), VRG_STOPPED after an agreed early stop with a good
 *  checkpoint, VRG_USAGE or VRG_FILE with a message.  Collective. */
int vrg_flow (MPI_Comm world, const vrg_input *input, const char *directory, vrg_stop *stop);

#endif
