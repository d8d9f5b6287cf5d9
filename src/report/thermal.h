/* SPDX-License-Identifier: GPL-3.0-or-later
 * Scripts of the pictures of thermal averages: a column of sample.tsv against the coupling. */
#ifndef VRG_REPORT_THERMAL_H
#define VRG_REPORT_THERMAL_H

#include <stdbool.h>
#include <stdio.h>

#include "report/data.h"

/** Energy or specific heat; where it is known with the exact curve, and the deviations in errors beneath.  False: there
 *  is nothing to draw.  Local. */
bool vrg_thermal_exact (FILE *script, const vrg_report_data *data, bool heat);

/** Any column; label as gnuplot writes it.  False: there is nothing to draw.  Local. */
bool vrg_thermal_value (FILE *script, const vrg_report_data *data, const char *value, const char *error,
                        const char *label);

#endif
