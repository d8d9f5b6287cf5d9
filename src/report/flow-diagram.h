/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow diagram: a plane of couplings, with what Monte Carlo, Kadanoff's and Migdal's recursions make of them. */
#ifndef VRG_REPORT_FLOW_DIAGRAM_H
#define VRG_REPORT_FLOW_DIAGRAM_H

#include <stdbool.h>
#include <stdio.h>

#include "report/data.h"

/** Kadanoff's fixed points, which take seconds in three dimensions, for all the diagrams; none without couplings.  Local. */
void vrg_flow_diagram_prepare (vrg_report_data *data);

/** The script of the plane of nn and another coupling.  False: there is nothing to draw.  Local. */
bool vrg_flow_diagram (FILE *script, const vrg_report_data *data, const char *operator);

/** Are there so many paths that each rule has a panel of its own?  Panels side by side then.  Local. */
bool vrg_flow_diagram_split (const vrg_report_data *data);
int vrg_flow_diagram_across (int rules);

/** The row of a table with these keys, of those with the largest number of operators; NULL or -1: whatever it is; -1 if
 *  there is none.  Local. */
int vrg_flow_row (const vrg_table_data *table, const char *nn, const char *rule, int level, const char *operator);

/** The level whose normal of the critical surface is shown: the deepest with a useful error at an ensemble; -1 if there
 *  is none.  Local. */
int vrg_flow_surface_level (const vrg_report_data *data, const char *nn, const char *rule, const char *operator);

#endif
