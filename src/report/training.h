/* SPDX-License-Identifier: GPL-3.0-or-later
 * The page's section on training, and what is to be warned of. */
#ifndef VRG_REPORT_TRAINING_H
#define VRG_REPORT_TRAINING_H

#include "report/figures.h"

/** Warn where the estimates of the models cannot be relied upon.  Local. */
void vrg_training_judge (vrg_report_data *data);

/** Is there anything to say?  Local. */
bool vrg_training_any (const vrg_report_data *data);

/** Local. */
void vrg_training_section (FILE *page, const vrg_report_data *data, vrg_figure *all);

#endif
