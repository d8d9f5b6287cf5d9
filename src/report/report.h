/* SPDX-License-Identifier: GPL-3.0-or-later
 * Pictures and the page: SVG by gnuplot in DIR/figures and DIR/report.html, from the tables and files in DIR. */
#ifndef VRG_REPORT_REPORT_H
#define VRG_REPORT_REPORT_H

#include "parallel/grid.h"

/** Draw what the tables in DIRECTORY allow and write report.html.  Without gnuplot: the page with tables only, and a
 *  warning.  Rank 0 works, all agree.  Collective.  VRG_FILE if there is nothing to report on. */
int vrg_report (const vrg_grid *grid, const char *directory);

#endif
