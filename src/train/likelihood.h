/* SPDX-License-Identifier: GPL-3.0-or-later
 * How well a model describes the samples. */
#ifndef VRG_TRAIN_LIKELIHOOD_H
#define VRG_TRAIN_LIKELIHOOD_H

#include "parallel/grid.h"
#include "train/dataset.h"
#include "train/layer.h"

#define VRG_PSEUDO_SAMPLES 1000
#define VRG_PSEUDO_SITES 16

/** Pseudo-likelihood in nats per site, the mean of ln P (v_i | all other v) in the model's marginal law, over at most
 *  VRG_PSEUDO_SAMPLES samples, equally spaced in the ensemble, and VRG_PSEUDO_SITES sites drawn for each: the same ones
 *  every time (rng purpose PSEUDO, index = number of the sample * sites + number of the site).  With the hidden units
 *  summed out,
 *    ln P (v_i | rest) = - ln (1 + exp (-D)),  D = 2 a_i v_i + sum_j [ln 2cosh x_j - ln 2cosh (x_j - 2 W_ij v_i)].
 *  Terms are added in the order of samples and sites whatever the ranks.  The layer is rounded.  Collective over grid. */
double vrg_likelihood_pseudo (const vrg_grid *grid, const vrg_layer *layer, const vrg_dataset *dataset,
                              const vrg_rng *rng);

/** Square root of the sum of squared weights (masters), added in the order of visible units.  Collective over the
 *  layer's strip_comm. */
double vrg_likelihood_weight_norm (const vrg_layer *layer);

#endif
