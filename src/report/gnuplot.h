/* SPDX-License-Identifier: GPL-3.0-or-later
 * What all scripts for gnuplot have in common. */
#ifndef VRG_REPORT_GNUPLOT_H
#define VRG_REPORT_GNUPLOT_H

#include <stdio.h>

#define VRG_GNUPLOT_COLOURS 8
extern const char *const vrg_gnuplot_colours[VRG_GNUPLOT_COLOURS];

/** All functions are local. */

/** DIRECTORY/figures/NAME.gp with its head written, which makes NAME.svg of so many pixels; NULL: it cannot be opened. */
FILE *vrg_gnuplot_open (const char *directory, const char *name, const char *title, int width, int height);

/** `gnuplot -d NAME.gp` in DIRECTORY/figures, no shell in between; what it says goes to NAME.log, which is removed if
 *  all went well.  0, or an errno of starting it, or -1 if it failed. */
int vrg_gnuplot_run (const char *directory, const char *name);

/** A name fit for a script: letters, digits, . and -; anything else becomes a blank.  Up to 4 at a time. */
const char *vrg_gnuplot_word (const char *name);

/** A range that holds low..high with some air, as gnuplot wants it. */
void vrg_gnuplot_range (FILE *script, const char *axis, double low, double high);

#endif
