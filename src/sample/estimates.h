/* SPDX-License-Identifier: GPL-3.0-or-later
 * Means, errors and autocorrelation times of the sampled series, and the table sample.tsv. */
#ifndef VRG_SAMPLE_ESTIMATES_H
#define VRG_SAMPLE_ESTIMATES_H

#include <stdint.h>

#include "base/param.h"
#include "files/samples.h"

/** A jackknife estimate, corrected for bias, and one standard deviation. */
typedef struct
{
  double value, error;
} vrg_estimate;

/** What is estimated of one ensemble; m is the magnetisation per site, tau the integrated autocorrelation times in
 *  intervals between samples. */
typedef struct
{
  vrg_estimate energy, specific_heat, abs_m, m2, binder;
  double tau_energy, tau_m2;
} vrg_estimates;

/** energy = -<S>/N, specific_heat = nn^2 var (S)/N, binder = 1 - <m^4>/(3 <m^2>^2), from the raw series in sample
 *  order; errors of a jackknife over blocks, enlarged by vrg_block_factor with the larger autocorrelation time.  NaN
 *  where there are too few samples.  Local. */
void vrg_estimates_compute (int64_t rows, int64_t columns, double nn, int64_t samples, int64_t chains,
                            const int64_t *bonds, const int64_t *magnetisation, vrg_estimates *estimates);

/** Write DIRECTORY/sample.tsv from the series of a samples file that is complete, exact torus values beside them.
 *  Collective over grid. */
int vrg_estimates_table (const vrg_grid *grid, const char *directory, const vrg_input *input, vrg_samples *samples);

#endif
