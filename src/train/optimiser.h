/* SPDX-License-Identifier: GPL-3.0-or-later
 * From a gradient in integers to new masters: elementwise double, without libm but sqrt, so that every rank that holds
 * a parameter gets the same bits. */
#ifndef VRG_TRAIN_OPTIMISER_H
#define VRG_TRAIN_OPTIMISER_H

#include "base/param.h"

/** The log-likelihood is climbed, g = its gradient - l2 w for weights.
 *  sgd:  m = momentum m + learning_rate g,  w += m.
 *  adam: m = 0.9 m + 0.1 g,  q = 0.999 q + 0.001 g^2,  w += learning_rate m' / (sqrt q' + 1e-8), m' = m / (1 - 0.9^t),
 *        q' = q / (1 - 0.999^t) at update t = 1, 2, ...  (Kingma and Ba, arXiv:1412.6980).
 *  l1: afterwards a proximal step, |w| is lowered by learning_rate l1 but not below 0.  Biases have no penalty. */
typedef struct
{
  vrg_optimiser method;
  double learning_rate, momentum, l1, l2;
  double decay1, decay2; /* 0.9^t and 0.999^t of the update being done, by repeated multiplication */
} vrg_optimise;

/** `updates` have been done (a resumed run).  Local. */
void vrg_optimise_init (vrg_optimise *optimise, const vrg_input *input, int64_t updates);

/** Call once an update, before its parameters.  Local. */
void vrg_optimise_begin (vrg_optimise *optimise);

/** Move n parameters along scale * sums (positive - negative phase); moment1, moment2: state, zero at the start
 *  (moment2: Adam only, otherwise untouched).  penalise: weights.  Local. */
void vrg_optimise_move (const vrg_optimise *optimise, int64_t n, const int64_t *sums, double scale, bool penalise,
                        double *moment1, double *moment2, double *parameters);

#endif
