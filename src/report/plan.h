/* SPDX-License-Identifier: GPL-3.0-or-later
 * What `vrg check` says of a run to come. */
#ifndef VRG_REPORT_PLAN_H
#define VRG_REPORT_PLAN_H

#include "base/param.h"

/** Print on rank 0's standard output how `ranks` ranks would do the stages: process grid, work, memory of a rank, sizes of
 *  files.  VRG_USAGE when so many ranks cannot.  Local; every rank comes to the same result. */
int vrg_plan_print (int rank, int ranks, const vrg_input *input);

#endif
