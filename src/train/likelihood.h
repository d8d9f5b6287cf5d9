/* SPDX-License-Identifier: GPL-3.0-or-later
 * How well a model describes samples that it was not trained on.
 *
 * Samples are spread over the groups of a grid.  Where a function takes them, this group holds n of `total`: samples[k] is
 * its sample number[k] (0 <= number < total) as vrg_layer_unpack takes it, this rank's rows.  What is computed for a sample
 * does not depend on who holds it, and sums go by the numbers: every rank gets the same bits whatever the grid.  Layers are
 * rounded: the model is that of the fixed-point weights. */
#ifndef VRG_TRAIN_LIKELIHOOD_H
#define VRG_TRAIN_LIKELIHOOD_H

#include "parallel/grid.h"
#include "train/layer.h"

#define VRG_PSEUDO_SAMPLES 1000
#define VRG_PSEUDO_SITES 16

/** The most bytes taken to judge a convolution by n configurations of this rank, `total` of all.  Local. */
double vrg_likelihood_bytes (const vrg_layer *layer, int64_t total, int64_t n);

/** How many of n configurations the pseudo-likelihood works on at a time, each with two fields of every hidden unit.
 *  Local. */
int64_t vrg_likelihood_lanes (int64_t hidden, int64_t n);

/** Pseudo-likelihood in nats per site, the mean of ln P (v_i | all other v) in the model's marginal law, over at most
 *  VRG_PSEUDO_SAMPLES samples, equally spaced among all, and VRG_PSEUDO_SITES sites drawn for each: the same ones every
 *  time (rng purpose PSEUDO, index = number of the sample * sites + number of the site).  With the hidden units summed
 *  out,
 *    ln P (v_i | rest) = - ln (1 + exp (-D)),  D = 2 a_i v_i + sum_j [ln 2cosh x_j - ln 2cosh (x_j - 2 W_ij v_i)].
 *  The same bits on every processor.  NaN for no samples.  Collective over grid. */
double vrg_likelihood_pseudo (const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng, int64_t total,
                              const uint64_t *const *samples, const int64_t *number, int64_t n);

/** Square root of the sum of squared weights (masters), added by visible units.  The same bits on every processor.
 *  Collective over the layer's strip_comm. */
double vrg_likelihood_weight_norm (const vrg_layer *layer);

/** ln Z of the model: enumerated where the smaller layer has at most VRG_ENUMERATION_MOST units, *error = 0; otherwise by
 *  annealed importance sampling with an rng of its own use.  *doubtful: see annealing.h; there is a warning, too.
 *  Collective over grid. */
double vrg_likelihood_lnz (const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng, int64_t chains,
                           int64_t steps, int64_t number, double *error, bool *doubtful);

/** The law P (s) = exp (nn S_nn (s)) / Z on the model's visible lattice.  lnz NaN: not known exactly. */
typedef struct
{
  double nn, lnz;
} vrg_ising;

/** The law that the input's training data follow, with Kaufman's ln Z on a torus or that of a ring; lnz NaN where it is
 *  none of these: several ensembles, other operators or a field, permuted spins, three dimensions.  Local. */
vrg_ising vrg_likelihood_ising (const vrg_input *input);

/** Estimates with their standard deviations, those of ln Z included. */
typedef struct
{
  double log_likelihood, log_likelihood_error; /* <ln P_RBM>, nats per sample */
  double kl_per_site, kl_per_site_error;       /* <ln P_Ising - ln P_RBM> / sites */
  double
    spread; /* standard deviation of ln P_RBM - ln P_Ising over samples, per site: 0 if and only if the hidden units'
                    trace of exp (T (v, h)) is the same for all v, T = -E + H_Ising */
} vrg_likelihood;

/** Sample number t * chains + c is of chain c.  The divergence is the mean of the difference, sample by sample, in which
 *  most fluctuations cancel.  ising.lnz NaN: no divergence and no spread.  Errors by the jackknife over independent
 *  blocks, widened where samples are correlated over blocks.  All NaN for no samples.  Collective over grid. */
vrg_likelihood vrg_likelihood_measure (const vrg_grid *grid, const vrg_layer *layer, double lnz, double lnz_error,
                                       vrg_ising ising, int64_t chains, int64_t total, const uint64_t *const *samples,
                                       const int64_t *number, int64_t n);

#endif
