/* SPDX-License-Identifier: GPL-3.0-or-later
 * Scripts of the pictures of a trained stack: curves, receptive fields, spectra, couplings, samples, reconstructions. */
#ifndef VRG_REPORT_TRAINING_FIGURES_H
#define VRG_REPORT_TRAINING_FIGURES_H

#include "report/figures.h"

/** Titles, captions and sizes of VRG_FIGURE_TRAINING to the last VRG_FIGURE_OVERLAP.  Local. */
void vrg_training_describe (vrg_figure figures[VRG_FIGURES], const vrg_report_data *data);

/** The script of one of them.  False: there is nothing to draw.  Local. */
bool vrg_training_script (FILE *script, const vrg_report_data *data, int index);

/** From fields.tsv: the median radius of a layer's live units (NaN without any), how many there are, of how many.
 *  Local. */
double vrg_training_radius (const vrg_table_data *fields, int layer, int *live, int *units);

/** The radius of a field of this layer (from 1) of learnt.h5 without structure; NaN without that.  Local. */
double vrg_training_structureless (const vrg_report_learnt *learnt, int layer);

#endif
