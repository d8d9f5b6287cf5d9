/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * A stack of two layers, 3x3 sites - 4 - 3 units, where everything can be enumerated.
 * 1. The data of the second layer are hidden units of the first drawn given the configurations: their law q (h) =
 *    sum_v p (v) P (h | v), each of the 16 states within 5 sigma (false alarms 1e-5).
 * 2. The second layer's share of the variational bound, sum_h q (h) ln P_2 (h): its exact gradient against finite
 *    differences, and what the program computes against that.
 * 3. The bound is one: the mean log-likelihood of the whole stack is above it, and equal to it where the second layer
 *    has the law of the first one's hidden units and the configurations are the first layer's own. */
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "tests/check.h"
#include "tests/train/stacks.h"
#include "train/dataset.h"

enum
{
  SITES = 9,
  MIDDLE = 4,
  TOP = 3,
  STATES = 1 << SITES,
  HIDDEN_STATES = 1 << MIDDLE,
  MOST = MIDDLE * TOP + MIDDLE + TOP,
  SAMPLES = 200000
};

static vrg_grid *grid;
static vrg_model *first, *second;
static vrg_layer *lower, *upper;
static double data_law[STATES];

static int
spin (int state, int i)
{
  return (state >> i & 1) * 2 - 1;
}

static double
field (const vrg_model *m, int state, int j)
{
  const int64_t n = m->visible1 - m->visible0;
  double x = m->hidden_bias[j];
  for (int i = 0; i < n; i++)
    x += m->weights[j * n + i] * spin (state, i);
  return x;
}

/** The law of a model's visible units. */
static void
marginal (const vrg_model *m, double *law)
{
  const int n = (int) (m->visible1 - m->visible0);
  double z = 0;
  for (int s = 0; s < 1 << n; s++)
    {
      double f = 0;
      for (int i = 0; i < n; i++)
        f += m->visible_bias[i] * spin (s, i);
      for (int j = 0; j < m->hidden; j++)
        f += log (2 * cosh (field (m, s, j)));
      z += law[s] = exp (f);
    }
  for (int s = 0; s < 1 << n; s++)
    law[s] /= z;
}

/** P (h | v) of the first layer. */
static double
given (int v, int h)
{
  double p = 1;
  for (int j = 0; j < MIDDLE; j++)
    p /= 1 + exp (-2 * spin (h, j) * field (first, v, j));
  return p;
}

static void
hidden_law (const double *law, double q[HIDDEN_STATES])
{
  for (int h = 0; h < HIDDEN_STATES; h++)
    {
      q[h] = 0;
      for (int v = 0; v < STATES; v++)
        q[h] += law[v] * given (v, h);
    }
}

/** Sum over h of weight (h) d ln (weight of h in the second layer) / d (parameter). */
static void
phase (const double weight[HIDDEN_STATES], double out[MOST])
{
  memset (out, 0, MOST * sizeof *out);
  for (int h = 0; h < HIDDEN_STATES; h++)
    {
      for (int j = 0; j < TOP; j++)
        {
          const double m = weight[h] * tanh (field (second, h, j));
          out[MIDDLE * TOP + MIDDLE + j] += m;
          for (int i = 0; i < MIDDLE; i++)
            out[j * MIDDLE + i] += m * spin (h, i);
        }
      for (int i = 0; i < MIDDLE; i++)
        out[MIDDLE * TOP + i] += weight[h] * spin (h, i);
    }
}

static double
bound (const double q[HIDDEN_STATES])
{
  double law[HIDDEN_STATES], l = 0;
  marginal (second, law);
  for (int h = 0; h < HIDDEN_STATES; h++)
    l += q[h] * log (law[h]);
  return l;
}

static double *
parameter (int k)
{
  return k < MIDDLE * TOP            ? second->weights + k
         : k < MIDDLE * TOP + MIDDLE ? second->visible_bias + (k - MIDDLE * TOP)
                                     : second->hidden_bias + (k - MIDDLE * TOP - MIDDLE);
}

/* 1. */
static void
test_climb (void)
{
  static uint64_t states[STATES][3];
  double mean[HIDDEN_STATES] = { 0 }, variance[HIDDEN_STATES] = { 0 }, worst = 0, cumulated = 0;
  int64_t count[HIDDEN_STATES] = { 0 }, n = 0;
  vrg_dataset d = { .samples = SAMPLES, .batch = 100, .position1 = 100, .sample1 = SAMPLES, .words = 3 };
  d.spins = vrg_new (SAMPLES * 3, sizeof *d.spins, "samples");
  d.test = vrg_new (SAMPLES, sizeof *d.test, "samples");
  d.test_number = vrg_new (SAMPLES, sizeof *d.test_number, "samples");
  for (int s = 0; s < STATES; s++)
    {
      for (int y = 0; y < 3; y++)
        states[s][y] = (uint64_t) s >> (3 * y) & 7;
      cumulated += data_law[s];
      for (; n < SAMPLES && ((double) n < cumulated * SAMPLES || s == STATES - 1); n++)
        {
          memcpy (d.spins + 3 * n, states[s], sizeof states[s]);
          for (int h = 0; h < HIDDEN_STATES; h++)
            {
              const double p = given (s, h);
              mean[h] += p;
              variance[h] += p * (1 - p);
            }
        }
    }
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, VRG_USE_STACK);
  vrg_dataset_climb (&d, grid, lower, &rng);
  check (d.words == 1, "a sample of the second layer is one word");
  for (int64_t i = 0; i < SAMPLES; i++)
    count[d.spins[i] & (HIDDEN_STATES - 1)]++;
  for (int h = 0; h < HIDDEN_STATES; h++)
    worst = fmax (worst, fabs ((double) count[h] - mean[h]) / sqrt (variance[h]));
  check (worst < 5, "the second layer's data have the law of hidden units given the configurations (worst %.2f sigma)",
         worst);
  vrg_free (d.spins);
  vrg_free (d.test);
  vrg_free (d.test_number);
}

/* 2. */
static void
test_gradient (void)
{
  double q[HIDDEN_STATES], law[HIDDEN_STATES], positive[MOST], negative[MOST], sum[MOST] = { 0 }, worst = 0;
  hidden_law (data_law, q);
  marginal (second, law);
  phase (q, positive);
  phase (law, negative);
  for (int k = 0; k < MOST; k++)
    {
      const double old = *parameter (k), step = 1e-3, gradient = positive[k] - negative[k];
      double l[5];
      for (int m = -2; m <= 2; m++)
        {
          *parameter (k) = old + m * step;
          l[m + 2] = bound (q);
        }
      *parameter (k) = old;
      const double slope = (l[0] - 8 * l[1] + 8 * l[3] - l[4]) / (12 * step);
      worst = fmax (worst, fabs (slope - gradient) / fmax (fabs (gradient), 1e-3));
    }
  check (worst < 1e-6, "second layer: the exact gradient is the slope of the bound (%.1e)", worst);

  const vrg_layer_size size = vrg_layer_sizes (upper, VRG_LAYER_LANES);
  int32_t *v = vrg_new (size.visible, 4, "v"), *f = vrg_new (size.hidden_fields, 4, "f"),
          *means = vrg_new (size.hidden_fields, 4, "means");
  for (int h = 0; h < HIDDEN_STATES; h++)
    {
      const uint64_t bits = (uint64_t) h, *sample = &bits;
      const vrg_piece piece = vrg_piece_of (h, 1);
      const vrg_phase data = { piece, v, means }, none = { .v = NULL };
      int64_t one[MOST] = { 0 };
      vrg_layer_unpack (upper, piece, &sample, v);
      vrg_layer_hidden_fields (upper, piece, v, f);
      vrg_layer_means (upper, piece, f, means);
      vrg_layer_gradient (upper, data, 1, none, one);
      for (int k = 0; k < MOST; k++)
        sum[k] += (q[h] - law[h]) * (double) one[k] / VRG_FIXED_ONE;
    }
  worst = 0;
  for (int k = 0; k < MOST; k++)
    worst = fmax (worst, fabs (sum[k] - positive[k] + negative[k]));
  check (upper->parameters == MOST && worst < 1e-5, "second layer: integer phases give the exact gradient (%.1e)",
         worst);
  vrg_free (v);
  vrg_free (f);
  vrg_free (means);
}

/** Mean over p of ln sum_h P_1 (v | h) top (h), and of its lower bound with Q (h | v) = P_1 (h | v). */
static void
stack_likelihood (const double *p, const double *top, double *whole, double *below)
{
  double joint_v[STATES], prior[HIDDEN_STATES];
  marginal (first, joint_v);
  hidden_law (joint_v, prior); /* the first layer's own law of hidden units */
  *whole = *below = 0;
  for (int v = 0; v < STATES; v++)
    {
      double sum = 0, part = 0;
      for (int h = 0; h < HIDDEN_STATES; h++)
        {
          const double q = given (v, h), v_given_h = joint_v[v] * q / prior[h];
          sum += v_given_h * top[h];
          part += q * log (v_given_h * top[h] / q);
        }
      *whole += p[v] * log (sum);
      *below += p[v] * part;
    }
}

/* 3. */
static void
test_bound (void)
{
  double top[HIDDEN_STATES], own[STATES], whole, below;
  marginal (second, top);
  stack_likelihood (data_law, top, &whole, &below);
  check (whole > below, "the stack's log-likelihood %.4f is above its bound %.4f", whole, below);
  marginal (first, own);
  hidden_law (own, top);
  stack_likelihood (own, top, &whole, &below);
  check (fabs (whole - below) < 1e-12, "they are equal where the second layer has the first one's own law");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  grid = vrg_grid_new (MPI_COMM_SELF, 1);
  double z = 0;
  for (int v = 0; v < STATES; v++)
    {
      int bonds = 0;
      for (int i = 0; i < SITES; i++)
        bonds += spin (v, i) * (spin (v, i / 3 * 3 + (i + 1) % 3) + spin (v, (i + 3) % SITES));
      z += data_law[v] = exp (0.3 * bonds);
    }
  for (int v = 0; v < STATES; v++)
    data_law[v] /= z;
  first = stacks_dense (grid, NULL, 3, 3, MIDDLE);
  second = stacks_dense (grid, first, 0, 0, TOP);
  for (int k = 0; k < SITES * MIDDLE; k++)
    first->weights[k] = 0.6 * stacks_random (1, (uint64_t) k);
  for (int j = 0; j < MIDDLE; j++)
    first->hidden_bias[j] = 0.3 * stacks_random (2, (uint64_t) j);
  for (int i = 0; i < SITES; i++)
    first->visible_bias[i] = 0.2 * stacks_random (3, (uint64_t) i);
  for (int k = 0; k < MOST; k++)
    *parameter (k) = 0.8 * stacks_random (4, (uint64_t) k);
  lower = vrg_layer_new (first, MPI_COMM_NULL);
  upper = vrg_layer_new (second, MPI_COMM_NULL);
  check (vrg_layer_round (lower) && vrg_layer_round (upper), "the parameters fit");
  test_climb ();
  test_gradient ();
  test_bound ();
  vrg_layer_free (upper);
  vrg_layer_free (lower);
  vrg_model_free (second);
  vrg_model_free (first);
  vrg_grid_free (grid);
  return check_end ();
}
