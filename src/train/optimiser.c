/* SPDX-License-Identifier: GPL-3.0-or-later
 * SGD with momentum and Adam, averages, centring. */
#include "train/optimiser.h"

#include <math.h>
#include <string.h>

#include "base/math.h"
#include "base/memory.h"
#include "base/simd.h"
#include "parallel/grid.h"

#define DECAY1 0.9
#define DECAY2 0.999
#define EPSILON 1e-8
#define CENTRE_DECAY 0.01
#define CENTRE_BITS 12

/* ---------------------------------------------------------------- one number a parameter */

vrg_parameters
vrg_parameters_new (const vrg_layer *layer, const char *what)
{
  vrg_parameters p = { .n = { layer->weights, layer->visible_biases, layer->hidden_biases } };
  for (int k = 0; k < VRG_PARTS; k++)
    p.part[k] = vrg_new (p.n[k], sizeof (double), what);
  return p;
}

vrg_parameters
vrg_parameters_of (const vrg_layer *layer)
{
  const vrg_model *m = layer->model;
  return (vrg_parameters){ .n = { layer->weights, layer->visible_biases, layer->hidden_biases },
                           .part = { m->weights, m->visible_bias, m->hidden_bias } };
}

void
vrg_parameters_clear (vrg_parameters *p)
{
  for (int k = 0; k < VRG_PARTS; k++)
    vrg_free (p->part[k]);
  *p = (vrg_parameters){ 0 };
}

void
vrg_parameters_copy (const vrg_parameters *to, const vrg_parameters *from)
{
  for (int k = 0; k < VRG_PARTS; k++)
    if (to->n[k] > 0)
      memcpy (to->part[k], from->part[k], (size_t) to->n[k] * sizeof (double));
}

void
vrg_parameters_swap (const vrg_parameters *a, const vrg_parameters *b)
{
  for (int k = 0; k < VRG_PARTS; k++)
    for (int64_t i = 0; i < a->n[k]; i++)
      {
        const double x = a->part[k][i];
        a->part[k][i] = b->part[k][i];
        b->part[k][i] = x;
      }
}

__attribute__ ((always_inline)) static inline void
average_body (int64_t n, double share, const double *restrict value, double *restrict mean)
{
  for (int64_t i = 0; i < n; i++)
    mean[i] += (value[i] - mean[i]) * share;
}

VRG_PATHS (average, (int64_t n, double share, const double *restrict value, double *restrict mean),
           (n, share, value, mean))

void
vrg_parameters_average (const vrg_parameters *mean, const vrg_parameters *value, int64_t n)
{
  for (int k = 0; k < VRG_PARTS; k++)
    average (mean->n[k], 1 / (double) n, value->part[k], mean->part[k]);
}

/* ---------------------------------------------------------------- moving */

static double
rate_of (const vrg_optimise *o, int64_t update)
{
  return o->slope == 0 ? o->learning_rate : o->learning_rate * vrg_exp (o->slope * (double) update);
}

void
vrg_optimise_init (vrg_optimise *o, const vrg_input *input, int64_t updates, int64_t total)
{
  const double ratio = input->final_rate / input->learning_rate;
  *o = (vrg_optimise){ .method = (vrg_optimiser) input->optimiser,
                       .learning_rate = input->learning_rate,
                       .slope = ratio == 1 || total < 2 ? 0 : vrg_log (ratio) / (double) (total - 1),
                       .momentum = input->momentum,
                       .l1 = input->l1,
                       .l2 = input->l2,
                       .update = updates,
                       .decay1 = 1,
                       .decay2 = 1 };
  for (int64_t t = 0; t < updates && o->decay2 > 0; t++)
    {
      o->decay1 *= DECAY1;
      o->decay2 *= DECAY2;
    }
  if (updates > 0)
    o->rate = rate_of (o, updates - 1);
}

void
vrg_optimise_begin (vrg_optimise *o)
{
  o->rate = rate_of (o, o->update);
  o->decay1 *= DECAY1;
  o->decay2 *= DECAY2;
  o->update++;
}

/** |w| lowered by shrink, not below 0. */
__attribute__ ((always_inline)) static inline double
proximal (double w, double shrink)
{
  const double size = fabs (w) - shrink;
  return copysign (size < 0 ? 0 : size, w);
}

/** m NULL: without momentum. */
__attribute__ ((always_inline)) static inline void
sgd_body (int64_t n, const int64_t *restrict sums, double scale, double rate, double momentum, double l2, double shrink,
          double *restrict m, double *restrict w)
{
  if (m)
    for (int64_t i = 0; i < n; i++)
      {
        m[i] = momentum * m[i] + rate * (scale * (double) sums[i] - l2 * w[i]);
        w[i] = proximal (w[i] + m[i], shrink);
      }
  else
    for (int64_t i = 0; i < n; i++)
      w[i] = proximal (w[i] + rate * (scale * (double) sums[i] - l2 * w[i]), shrink);
}

VRG_PATHS (sgd,
           (int64_t n, const int64_t *restrict sums, double scale, double rate, double momentum, double l2,
            double shrink, double *restrict m, double *restrict w),
           (n, sums, scale, rate, momentum, l2, shrink, m, w))

/** step = rate / (1 - 0.9^t), grow = 1 / (1 - 0.999^t). */
__attribute__ ((always_inline)) static inline void
adam_body (int64_t n, const int64_t *restrict sums, double scale, double step, double grow, double l2, double shrink,
           double *restrict m, double *restrict q, double *restrict w)
{
  for (int64_t i = 0; i < n; i++)
    {
      const double g = scale * (double) sums[i] - l2 * w[i];
      m[i] = DECAY1 * m[i] + (1 - DECAY1) * g;
      q[i] = DECAY2 * q[i] + (1 - DECAY2) * (g * g);
      w[i] = proximal (w[i] + step * m[i] / (sqrt (q[i] * grow) + EPSILON), shrink);
    }
}

VRG_PATHS (adam,
           (int64_t n, const int64_t *restrict sums, double scale, double step, double grow, double l2, double shrink,
            double *restrict m, double *restrict q, double *restrict w),
           (n, sums, scale, step, grow, l2, shrink, m, q, w))

void
vrg_optimise_move (const vrg_optimise *o, int64_t n, const int64_t *sums, double scale, bool penalise, double *moment1,
                   double *moment2, double *parameters)
{
  const double l2 = penalise ? o->l2 : 0, shrink = penalise ? o->rate * o->l1 : 0;
  if (o->method == VRG_SGD)
    sgd (n, sums, scale, o->rate, o->momentum, l2, shrink, o->momentum > 0 ? moment1 : NULL, parameters);
  else
    adam (n, sums, scale, o->rate / (1 - o->decay1), 1 / (1 - o->decay2), l2, shrink, moment1, moment2, parameters);
}

/* ---------------------------------------------------------------- centring */

static void
follow (double *mean, bool first, double now)
{
  *mean = first ? now : *mean + CENTRE_DECAY * (now - *mean);
}

void
vrg_centre_move (const vrg_layer *layer, const vrg_centre *centre, bool first, int64_t samples, const int64_t *visible,
                 const int64_t *hidden)
{
  const double visible_units = (double) (layer->model->type == VRG_MODEL_DENSE ? 1 : layer->visible),
               hidden_units = (double) (layer->hidden / layer->hidden_biases), one = (double) samples * VRG_FIXED_ONE;
  for (int64_t i = 0; i < layer->visible_biases; i++)
    follow (&centre->visible[i], first, (double) visible[i] / (visible_units * one));
  for (int64_t j = 0; j < layer->hidden_biases; j++)
    follow (&centre->hidden[j], first, (double) hidden[j] / (hidden_units * one));
}

/** In units of 2^-12. */
static int64_t
offset (double mean)
{
  return (int64_t) floor (mean * (1 << CENTRE_BITS) + 0.5);
}

/** offset * x >> CENTRE_BITS, without overflow where the product has 64 bits or more; < 1 unit below the exact one. */
#define SHARE(offset, x)                                                                                               \
  ((offset) * ((x) >> CENTRE_BITS) + (((offset) * ((x) & ((1 << CENTRE_BITS) - 1))) >> CENTRE_BITS))

/** A row of weights; returns in *sum what its hidden bias loses. */
__attribute__ ((always_inline)) static inline void
centre_row_body (int64_t n, const int64_t *restrict mu, const int64_t *restrict a, int64_t lambda, int64_t b,
                 int64_t *restrict w, int64_t *restrict less_a, int64_t *restrict sum)
{
  int64_t less_b = 0;
  for (int64_t i = 0; i < n; i++)
    {
      w[i] -= SHARE (mu[i], b) + SHARE (lambda, a[i]);
      less_a[i] += SHARE (lambda, w[i]);
      less_b += SHARE (mu[i], w[i]);
    }
  *sum = less_b;
}

VRG_PATHS (centre_row,
           (int64_t n, const int64_t *restrict mu, const int64_t *restrict a, int64_t lambda, int64_t b,
            int64_t *restrict w, int64_t *restrict less_a, int64_t *restrict sum),
           (n, mu, a, lambda, b, w, less_a, sum))

void
vrg_centre_gradient (const vrg_layer *layer, const vrg_centre *centre, int64_t *sums)
{
  const vrg_model *model = layer->model;
  const bool dense = model->type == VRG_MODEL_DENSE;
  const int64_t hidden = layer->hidden_biases, width = layer->weights / hidden, step = dense ? 1 : 0;
  const int64_t sites
    = dense ? 1 : model->stride * (model->rows == 1 ? 1 : model->stride); /* for a place of a filter */
  int64_t *a = sums + layer->weights, *b = a + layer->visible_biases;
  int64_t *mu = vrg_new (width, sizeof *mu, "offsets"), *seen = vrg_new (width, sizeof *seen, "offsets"),
          *less_a = vrg_new (width, sizeof *less_a, "offsets"), *less_b = vrg_new (hidden, sizeof *less_b, "offsets");
  for (int64_t i = 0; i < width; i++)
    {
      mu[i] = offset (centre->visible[i * step]);
      seen[i] = a[i * step];
    }
  for (int64_t j = 0; j < hidden; j++)
    centre_row (width, mu, seen, offset (centre->hidden[j] / (double) sites), b[j], sums + j * width, less_a,
                &less_b[j]);
  if (layer->strips > 1)
    vrg_sum_int64 (layer->strip_comm, less_b, hidden);
  for (int64_t i = 0; i < width; i++)
    a[i * step] -= less_a[i];
  for (int64_t j = 0; j < hidden; j++)
    b[j] -= less_b[j];
  vrg_free (mu);
  vrg_free (seen);
  vrg_free (less_a);
  vrg_free (less_b);
}
