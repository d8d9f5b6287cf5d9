/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the flow stage leaves: the tables (flow/tables.h) and flow.h5. */
#ifndef VRG_FLOW_OUTPUT_H
#define VRG_FLOW_OUTPUT_H

#include "flow/measure.h"

#define VRG_FLOW_FORMAT "vrg-flow"
#define VRG_FLOW_FORMAT_VERSION 2

/** Estimate and write everything into DIRECTORY: first the tables, then flow.h5 (.tmp, sealed, renamed; its layout is
 *  in doc/formats.md).  samples: for the autocorrelation times, by which errors are enlarged.  Collective. */
int vrg_flow_write (const vrg_measure *measure, const vrg_grid *grid, vrg_samples *samples, const char *directory,
                    const char *fingerprint);

#endif
