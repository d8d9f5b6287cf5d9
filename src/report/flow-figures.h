/* SPDX-License-Identifier: GPL-3.0-or-later
 * Scripts of the pictures of the flow: couplings, exponents, the flow of a machine. */
#ifndef VRG_REPORT_FLOW_FIGURES_H
#define VRG_REPORT_FLOW_FIGURES_H

#include "report/figures.h"

/** Names, titles, captions, sizes.  Local. */
void vrg_flow_describe (vrg_figure figures[VRG_FIGURES], const vrg_report_data *data);

/** False: there is nothing to draw, or it is not a picture of the flow.  Local. */
bool vrg_flow_script (FILE *script, const vrg_report_data *data, int index);

/** The nn, as written in the table, that is nearest to criticality; NULL if there is none.  Local. */
const char *vrg_flow_critical (const vrg_report_data *data, const vrg_table_data *table);

/** The row of exponents.tsv with these keys, operators = 0: as many as have a number; -1 if there is none.  Local. */
int vrg_flow_exponent (const vrg_table_data *table, const char *nn, const char *rule, int level, bool odd,
                       int operators);

#endif
