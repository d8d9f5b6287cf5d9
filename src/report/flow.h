/* SPDX-License-Identifier: GPL-3.0-or-later
 * The page's sections on the flow: couplings, exponents, the flow of a machine. */
#ifndef VRG_REPORT_FLOW_H
#define VRG_REPORT_FLOW_H

#include "report/figures.h"

/** Links to the sections there are, for the head of the page.  Local. */
void vrg_flow_links (FILE *page, const vrg_report_data *data);

/** Local. */
void vrg_flow_sections (FILE *page, const vrg_report_data *data, vrg_figure *all);

#endif
