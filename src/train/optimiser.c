/* SPDX-License-Identifier: GPL-3.0-or-later
 * SGD with momentum and Adam. */
#include "train/optimiser.h"

#include <math.h>

#define DECAY1 0.9
#define DECAY2 0.999
#define EPSILON 1e-8

void
vrg_optimise_init (vrg_optimise *o, const vrg_input *input, int64_t updates)
{
  *o = (vrg_optimise){ .method = (vrg_optimiser) input->optimiser,
                       .learning_rate = input->learning_rate,
                       .momentum = input->momentum,
                       .l1 = input->l1,
                       .l2 = input->l2,
                       .decay1 = 1,
                       .decay2 = 1 };
  for (int64_t t = 0; t < updates && o->decay2 > 0; t++)
    vrg_optimise_begin (o);
}

void
vrg_optimise_begin (vrg_optimise *o)
{
  o->decay1 *= DECAY1;
  o->decay2 *= DECAY2;
}

void
vrg_optimise_move (const vrg_optimise *o, int64_t n, const int64_t *sums, double scale, bool penalise, double *moment1,
                   double *moment2, double *parameters)
{
  const double l2 = penalise ? o->l2 : 0, shrink = penalise ? o->learning_rate * o->l1 : 0;
  if (o->method == VRG_SGD)
    for (int64_t i = 0; i < n; i++)
      {
        moment1[i] = o->momentum * moment1[i] + o->learning_rate * (scale * (double) sums[i] - l2 * parameters[i]);
        parameters[i] += moment1[i];
      }
  else
    for (int64_t i = 0; i < n; i++)
      {
        const double g = scale * (double) sums[i] - l2 * parameters[i];
        moment1[i] = DECAY1 * moment1[i] + (1 - DECAY1) * g;
        moment2[i] = DECAY2 * moment2[i] + (1 - DECAY2) * (g * g);
        parameters[i]
          += o->learning_rate * (moment1[i] / (1 - o->decay1)) / (sqrt (moment2[i] / (1 - o->decay2)) + EPSILON);
      }
  if (shrink > 0)
    for (int64_t i = 0; i < n; i++)
      {
        const double size = fabs (parameters[i]) - shrink;
        parameters[i] = size <= 0 ? 0 : parameters[i] < 0 ? -size : size;
      }
}
