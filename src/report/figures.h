/* SPDX-License-Identifier: GPL-3.0-or-later
 * Pictures: DIR/figures/NAME.gp, a gnuplot script with its data inside (`gnuplot NAME.gp` there draws it again), and
 * the NAME.svg and NAME.pdf that it makes. */
#ifndef VRG_REPORT_FIGURES_H
#define VRG_REPORT_FIGURES_H

#include <stdbool.h>
#include <stdio.h>

#include "report/data.h"

/** Pixels of a picture, unless it is made otherwise. */
#define VRG_FIGURE_WIDTH 600
#define VRG_FIGURE_HEIGHT 400

typedef enum
{
  VRG_FIGURE_ENERGY,
  VRG_FIGURE_SPECIFIC_HEAT,
  VRG_FIGURE_MAGNETISATION,
  VRG_FIGURE_SUSCEPTIBILITY,
  VRG_FIGURE_BINDER,
  VRG_FIGURE_XI,
  VRG_FIGURE_BLOCKS,
  VRG_FIGURE_TRAINING,
  VRG_FIGURE_FILTER,
  VRG_FIGURE_RADII,
  VRG_FIGURE_INTERACTIONS,
  VRG_FIGURE_TWO_POINT,
  VRG_FIGURE_RECONSTRUCTIONS,
  VRG_FIGURE_SAMPLES,
  VRG_FIGURE_FIELDS, /* of the first layer; and so on */
  VRG_FIGURE_SPECTRUM = VRG_FIGURE_FIELDS + VRG_MAX_LAYERS,
  VRG_FIGURE_OVERLAP = VRG_FIGURE_SPECTRUM + VRG_MAX_LAYERS,
  VRG_FIGURE_FLOW = VRG_FIGURE_OVERLAP + VRG_MAX_LAYERS,
  VRG_FIGURE_FLOW_PLAQUETTE,
  VRG_FIGURE_COUPLINGS,
  VRG_FIGURE_DERIVATIVES,
  VRG_FIGURE_EVEN,
  VRG_FIGURE_ODD,
  VRG_FIGURE_EVEN_OPERATORS,
  VRG_FIGURE_ODD_OPERATORS,
  VRG_FIGURE_MATCHING,
  VRG_FIGURE_RBM_FLOW,
  VRG_FIGURE_RBM_MAP,
  VRG_FIGURES
} vrg_figure_index;

typedef struct
{
  char name[32], title[64]; /* name of the files; what it shows */
  char caption[1024];       /* what it should be compared with; with mathematics (report/html.h) */
  int width, height;        /* pixels */
  int number;               /* on the page, from 1; 0: not shown yet */
  bool spins;               /* pictures of configurations, which may be drawn smaller than text */
  bool written, drawn, pdf; /* NAME.gp, NAME.svg, NAME.pdf is there */
} vrg_figure;

/** Write the scripts of all pictures the data allow and run gnuplot on them.  Without gnuplot: the scripts only, one
 *  warning, and a warning for the page; without its terminal pdfcairo: no PDF, likewise.  VRG_FILE if DIR/figures cannot be written.  Local (rank 0). */
int vrg_figures_draw (vrg_report_data *data, vrg_figure figures[VRG_FIGURES]);

/** Fill in all but what is there.  Local. */
void vrg_figure_set (vrg_figure *figure, const char *name, const char *title, const char *caption);

/** <figure> of those of n pictures that are drawn, numbered in the order they are shown in, side by side where there is
 *  room.  Local. */
void vrg_figures_show (FILE *page, const vrg_report_data *data, vrg_figure *all, int n, const int *which);

#endif
