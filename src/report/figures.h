/* SPDX-License-Identifier: GPL-3.0-or-later
 * Pictures: DIR/figures/NAME.gp, a gnuplot script with its data inside (`gnuplot NAME.gp` there draws it again), and
 * the NAME.svg that it makes. */
#ifndef VRG_REPORT_FIGURES_H
#define VRG_REPORT_FIGURES_H

#include <stdbool.h>

#include "report/data.h"

typedef enum
{
  VRG_FIGURE_ENERGY,
  VRG_FIGURE_SPECIFIC_HEAT,
  VRG_FIGURE_MAGNETISATION,
  VRG_FIGURE_SUSCEPTIBILITY,
  VRG_FIGURE_BINDER,
  VRG_FIGURE_XI,
  VRG_FIGURE_TRAINING,
  VRG_FIGURE_FILTER,
  VRG_FIGURE_FLOW,
  VRG_FIGURE_COUPLINGS,
  VRG_FIGURE_EVEN,
  VRG_FIGURE_ODD,
  VRG_FIGURES
} vrg_figure_index;

typedef struct
{
  const char *name, *title; /* name of the files; what it shows */
  char caption[768];        /* what it should be compared with */
  bool drawn;               /* NAME.svg is there */
} vrg_figure;

/** Write the scripts of all pictures the data allow and run gnuplot on them.  Without gnuplot: the scripts only, one
 *  warning, and a warning for the page.  VRG_FILE if DIR/figures cannot be written.  Local (rank 0). */
int vrg_figures_draw (vrg_report_data *data, vrg_figure figures[VRG_FIGURES]);

#endif
