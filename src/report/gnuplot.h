/* SPDX-License-Identifier: GPL-3.0-or-later
 * What all scripts for gnuplot have in common. */
#ifndef VRG_REPORT_GNUPLOT_H
#define VRG_REPORT_GNUPLOT_H

#include <stdbool.h>
#include <stdio.h>

#define VRG_GNUPLOT_COLOURS 8
extern const char *const vrg_gnuplot_colours[VRG_GNUPLOT_COLOURS];

/** What tells a curve from others, on paper without colours too: colour, point type, dash type. */
typedef struct
{
  const char *colour;
  int point, dash;
} vrg_gnuplot_style;

/** All functions are local. */

/** The i-th curve of a picture; a rule's curves in all pictures. */
vrg_gnuplot_style vrg_gnuplot_curve (int i);
vrg_gnuplot_style vrg_gnuplot_rule (const char *rule);

/** DIRECTORY/figures/NAME.gp with its head written, which makes NAME.svg of so many pixels and NAME.pdf of the same
 *  look if gnuplot can; NULL: it cannot be opened. */
FILE *vrg_gnuplot_open (const char *directory, const char *name, const char *title, int width, int height);

/** The end of the script; 0, or why it cannot be written, an errno. */
int vrg_gnuplot_close (FILE *script, const char *name);

/** `gnuplot -d NAME.gp` in DIRECTORY/figures, no shell in between; what it says goes to NAME.log, which is removed if
 *  all went well.  0, or an errno of starting it, or -1 if it failed. */
int vrg_gnuplot_run (const char *directory, const char *name);

/** A name fit for a script: letters, digits, . and -; anything else becomes a blank.  Up to 4 at a time. */
const char *vrg_gnuplot_word (const char *name);

/** A range that holds low..high with some air, as gnuplot wants it. */
void vrg_gnuplot_range (FILE *script, const char *axis, double low, double high);

/** What a range must hold: begins as { INFINITY, -INFINITY }, grows by points; their errors are left out if they are
 *  larger than 0.1. */
typedef struct
{
  double low, high;
} vrg_range;
void vrg_range_widen (vrg_range *range, double y, double error);

/** x, or 0 if it is not a number: errors that are not known. */
double vrg_finite (double x);

#endif
