/* SPDX-License-Identifier: GPL-3.0-or-later
 * Means, errors and autocorrelation times of the sampled series, and the tables sample.tsv and operators.tsv. */
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

/** What is estimated of one ensemble: N sites, m the magnetisation per site, S the sum over the bonds, R layers along
 *  the first side, q = 2 pi / R the smallest momentum along it.
 *    energy          -<S>/N
 *    specific_heat   nn^2 var (S)/N, whatever the other couplings
 *    binder          1 - <m^4>/(3 <m^2>^2)
 *    susceptibility  N (<m^2> - <|m|>^2)
 *    xi              second-moment correlation length sqrt (G(0)/G(q) - 1) / (2 sin (q/2)), G(0) = N <m^2>, with a field
 *                    N (<m^2> - <m>^2), G(q) = <|sum s exp (iqr)|^2>/N; NaN where G(0) < G(q)
 *    operators       <S_a>/N of the even operators (two dimensions, else 0)
 *    thermal         of energy and m^2 the larger difference, in standard errors, between the means over the first tenth
 *                    and over the second half of the times; NaN where fewer than 32 chains are too short to tell
 *  tau: integrated autocorrelation times in intervals between samples. */
typedef struct
{
  vrg_estimate energy, specific_heat, abs_m, m2, binder, susceptibility, xi;
  vrg_estimate operators[VRG_EVEN_OPERATORS];
  double tau_energy, tau_m2, thermal;
} vrg_estimates;

/** From the raw series in sample order; errors of a jackknife over blocks, enlarged by vrg_blocks_factor with the larger
 *  autocorrelation time.  NaN where there are too few samples.  Local. */
void vrg_estimates_observed (const vrg_samples_info *info, int ensemble, const vrg_observation *observations,
                             vrg_estimates *estimates);

/** The same from bonds and magnetisation alone, without xi and operators; rows * columns sites.  Local. */
void vrg_estimates_compute (int64_t rows, int64_t columns, double nn, int64_t samples, int64_t chains,
                            const int64_t *bonds, const int64_t *magnetisation, vrg_estimates *estimates);

/** Bytes that the tables take on rank 0.  Local. */
double vrg_estimates_bytes (const vrg_input *input);

/** Write DIRECTORY/sample.tsv, with exact values where they are known, and in two dimensions DIRECTORY/operators.tsv
 *  before it, from the series of a samples file that is complete.  Warns of ensembles that look as if they had not been
 *  in equilibrium.  Collective over grid. */
int vrg_estimates_table (const vrg_grid *grid, const char *directory, vrg_samples *samples);

#endif
