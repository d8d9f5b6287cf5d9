/* SPDX-License-Identifier: GPL-3.0-or-later
 * Scripts of the pictures of the flow v -> h -> v of a machine. */
#ifndef VRG_REPORT_MACHINE_FIGURES_H
#define VRG_REPORT_MACHINE_FIGURES_H

#include <stdbool.h>
#include <stdio.h>

#include "report/data.h"

/** Inferred coupling against step, a curve for each start.  False: there is nothing to draw.  Local. */
bool vrg_machine_steps (FILE *script, const vrg_report_data *data);

/** Coupling after a step against the one before it.  False: there is nothing to draw.  Local. */
bool vrg_machine_map (FILE *script, const vrg_report_data *data);

/** The row of rbm-flow.tsv of a start after so many steps, -1 if there is none; step -1: the last one.  Local. */
int vrg_machine_row (const vrg_table_data *table, const char *nn, int step);

#endif
