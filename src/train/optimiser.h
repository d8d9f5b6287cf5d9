/* SPDX-License-Identifier: GPL-3.0-or-later
 * From a gradient in integers to new masters: integers and elementwise double, without libm but sqrt, so that every rank
 * that holds a parameter gets the same bits on every processor. */
#ifndef VRG_TRAIN_OPTIMISER_H
#define VRG_TRAIN_OPTIMISER_H

#include "train/layer.h"

/** One number for each parameter of a layer, in the parts of a model. */
#define VRG_PARTS 3
typedef struct
{
  int64_t n[VRG_PARTS];
  double *part[VRG_PARTS]; /* weights, visible biases, hidden biases */
} vrg_parameters;

/** Zeros / the masters of a layer's model, not owned / free what vrg_parameters_new gave.  Local. */
vrg_parameters vrg_parameters_new (const vrg_layer *layer, const char *what);
vrg_parameters vrg_parameters_of (const vrg_layer *layer);
void vrg_parameters_clear (vrg_parameters *parameters);

/** to = from / exchange the two / mean += (value - mean) / n.  Local. */
void vrg_parameters_copy (const vrg_parameters *to, const vrg_parameters *from);
void vrg_parameters_swap (const vrg_parameters *a, const vrg_parameters *b);
void vrg_parameters_average (const vrg_parameters *mean, const vrg_parameters *value, int64_t n);

/** The log-likelihood is climbed, g = its gradient - l2 w for weights, at update t = 0, 1, ..., total - 1 of a layer.
 *  rate = learning_rate (final_rate / learning_rate)^(t / (total - 1)), a function of t alone.
 *  sgd:  m = momentum m + rate g,  w += m.
 *  adam: m = 0.9 m + 0.1 g,  q = 0.999 q + 0.001 g^2,  w += rate m' / (sqrt q' + 1e-8), m' = m / (1 - 0.9^(t+1)),
 *        q' = q / (1 - 0.999^(t+1))  (Kingma and Ba, arXiv:1412.6980).
 *  l1: afterwards a proximal step, |w| is lowered by rate l1 but not below 0.  Biases have no penalty. */
typedef struct
{
  vrg_optimiser method;
  double learning_rate, slope; /* ln (final / first rate) / (total - 1) */
  double momentum, l1, l2;
  int64_t update;
  double rate, decay1, decay2; /* of the update being done; 0.9^(t+1) and 0.999^(t+1) by repeated multiplication */
} vrg_optimise;

/** `updates` of `total` have been done (a resumed run).  Local. */
void vrg_optimise_init (vrg_optimise *optimise, const vrg_input *input, int64_t updates, int64_t total);

/** Call once an update, before its parameters.  Local. */
void vrg_optimise_begin (vrg_optimise *optimise);

/** Move n parameters along scale * sums (positive - negative phase); moment1, moment2: state, zero at the start
 *  (moment2: Adam only, moment1: not for sgd without momentum; otherwise untouched, NULL will do).  penalise: weights.
 *  Local. */
void vrg_optimise_move (const vrg_optimise *optimise, int64_t n, const int64_t *sums, double scale, bool penalise,
                        double *moment1, double *moment2, double *parameters);

/** Running means of the data's visible units and hidden means, by parameter: [visible_biases], [hidden_biases]. */
typedef struct
{
  double *visible, *hidden;
} vrg_centre;

/** mean += 0.01 (mean of a batch - mean); first: mean = that of the batch.  visible, hidden: sums over `samples`
 *  samples, a convolution's over all places too, in fixed point.  Local. */
void vrg_centre_move (const vrg_layer *layer, const vrg_centre *centre, bool first, int64_t samples,
                      const int64_t *visible, const int64_t *hidden);

/** The gradient of the model with units v - mu, h - lambda, in the parameters of the plain one (the enhanced gradient:
 *  Cho, Raiko and Ilin, ICML 2011; Melchior, Fischer and Wiskott, JMLR 17, 99 (2016)):
 *    gW_ji -= mu_i gb_j + lambda_j ga_i,  then  ga_i -= sum_j lambda_j gW_ji,  gb_j -= sum_i mu_i gW_ji,
 *  with the means rounded to 2^-12 and all sums in integers.  A convolution's site stands in 1 / stride^2 places of a
 *  filter (one dimension: 1 / stride), hence its lambda is divided by that.  Collective over the layer's strip_comm. */
void vrg_centre_gradient (const vrg_layer *layer, const vrg_centre *centre, int64_t *sums);

#endif
