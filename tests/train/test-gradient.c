/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * The gradient of a dense RBM on a 3x3 lattice with 4 hidden units and biases, where everything can be enumerated:
 * 1. the exact gradient, in doubles, against finite differences of the exact log-likelihood;
 * 2. the integer phases against the exact gradient, to the precision of the table;
 * 3. CD-k: its exact expectation (the Gibbs step as a 512 x 512 matrix) comes nearer to the gradient as k grows, and
 *    averages over many chains agree with it: 3 times 49 numbers within 5 sigma, false alarms 1e-4;
 * 4. the same for a convolution of stride 1. */
#include "train/gradient.h"

#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "tests/check.h"

enum
{
  SITES = 9,
  HIDDEN = 4,
  STATES = 1 << SITES,
  MOST = SITES * HIDDEN + SITES + HIDDEN
};

static vrg_model *model;
static vrg_layer *layer;
static double data[STATES]; /* the law of the data: Ising, each neighbour of the 3x3 torus once */

static int
spin (int v, int i)
{
  return (v >> i & 1) * 2 - 1;
}

static double *
parameter (int k)
{
  const int weights = (int) layer->weights, visible = (int) layer->visible_biases;
  return k < weights             ? model->weights + k
         : k < weights + visible ? model->visible_bias + (k - weights)
                                 : model->hidden_bias + (k - weights - visible);
}

/** Hidden units: a convolution has one for each site. */
static int
hidden_units (void)
{
  return model->type == VRG_MODEL_DENSE ? HIDDEN : SITES;
}

/** The place in a filter through which unit j sees site i: stride 1, filter 3, offset 1. */
static int
place (int i, int j)
{
  return ((i / 3 - j / 3 + 4) % 3) * 3 + (i % 3 - j % 3 + 4) % 3;
}

static double
field (int v, int j)
{
  const bool dense = model->type == VRG_MODEL_DENSE;
  double x = model->hidden_bias[dense ? j : 0];
  for (int i = 0; i < SITES; i++)
    x += (dense ? model->weights[i * HIDDEN + j] : model->weights[place (i, j)]) * spin (v, i);
  return x;
}

static double
log_weight (int v)
{
  double f = 0;
  for (int i = 0; i < SITES; i++)
    f += model->visible_bias[model->type == VRG_MODEL_DENSE ? i : 0] * spin (v, i);
  for (int j = 0; j < hidden_units (); j++)
    f += log (2 * cosh (field (v, j)));
  return f;
}

static double
log_likelihood (double law[STATES])
{
  double z = 0, l = 0;
  for (int v = 0; v < STATES; v++)
    z += law[v] = exp (log_weight (v));
  for (int v = 0; v < STATES; v++)
    {
      law[v] /= z;
      l += data[v] * log (law[v]);
    }
  return l;
}

/** out = sum over v of weight (v) d ln (weight of v) / d (parameter). */
static void
phase (const double weight[STATES], double out[MOST])
{
  memset (out, 0, MOST * sizeof *out);
  const bool dense = model->type == VRG_MODEL_DENSE;
  const int visible = (int) layer->weights, hidden = visible + (int) layer->visible_biases;
  for (int v = 0; v < STATES; v++)
    {
      for (int j = 0; j < hidden_units (); j++)
        {
          const double m = weight[v] * tanh (field (v, j));
          out[hidden + (dense ? j : 0)] += m;
          for (int i = 0; i < SITES; i++)
            out[dense ? i * HIDDEN + j : place (i, j)] += m * spin (v, i);
        }
      for (int i = 0; i < SITES; i++)
        out[visible + (dense ? i : 0)] += weight[v] * spin (v, i);
    }
}

/** law of v' = sum over v, h of law (v) P(h | v) P(v' | h). */
static void
gibbs (double law[STATES])
{
  const int units = hidden_units (), configurations = 1 << units;
  double *hidden = calloc ((size_t) configurations, sizeof *hidden), new_law[STATES] = { 0 };
  for (int v = 0; v < STATES; v++)
    {
      double p[SITES];
      for (int j = 0; j < units; j++)
        p[j] = 1 / (1 + exp (-2 * field (v, j)));
      for (int h = 0; h < configurations; h++)
        {
          double q = law[v];
          for (int j = 0; j < units; j++)
            q *= h >> j & 1 ? p[j] : 1 - p[j];
          hidden[h] += q;
        }
    }
  const bool dense = model->type == VRG_MODEL_DENSE;
  for (int h = 0; h < configurations; h++)
    {
      double p[SITES];
      for (int i = 0; i < SITES; i++)
        {
          double x = model->visible_bias[dense ? i : 0];
          for (int j = 0; j < units; j++)
            x += (dense ? model->weights[i * HIDDEN + j] : model->weights[place (i, j)]) * spin (h, j);
          p[i] = 1 / (1 + exp (-2 * x));
        }
      for (int v = 0; v < STATES; v++)
        {
          double q = hidden[h];
          for (int i = 0; i < SITES; i++)
            q *= v >> i & 1 ? p[i] : 1 - p[i];
          new_law[v] += q;
        }
    }
  memcpy (law, new_law, sizeof new_law);
  free (hidden);
}

static void
start (int type)
{
  model = vrg_new (1, sizeof *model, "model");
  *model = (vrg_model){ .type = type, .rows = 3, .columns = 3, .visible1 = SITES };
  model->hidden = type == VRG_MODEL_DENSE ? HIDDEN : 1;
  model->filter = 3;
  model->stride = 1;
  model->weights = vrg_new (SITES * model->hidden, sizeof (double), "weights");
  model->visible_bias = vrg_new (SITES, sizeof (double), "bias");
  model->hidden_bias = vrg_new (HIDDEN, sizeof (double), "bias");
  layer = vrg_layer_new (model, MPI_COMM_NULL);
  srandom (7);
  for (int k = 0; k < layer->parameters; k++) /* numbers that rounding does not change */
    {
      const double x = ((double) (random () % 2001) / 1000 - 1) * (type == VRG_MODEL_DENSE ? 0.6 : 0.12);
      *parameter (k) = vrg_fixed (k < layer->weights ? x + 0.05 : x / 2) / (double) VRG_FIXED_ONE;
    }
  double z = 0;
  for (int v = 0; v < STATES; v++)
    {
      int bonds = 0;
      for (int i = 0; i < SITES; i++)
        bonds += spin (v, i) * (spin (v, (i + 3) % 9) + spin (v, i / 3 * 3 + (i + 1) % 3));
      z += data[v] = exp (0.44 * bonds);
    }
  for (int v = 0; v < STATES; v++)
    data[v] /= z;
}

static void
end (void)
{
  vrg_layer_free (layer);
  vrg_free (model->weights);
  vrg_free (model->visible_bias);
  vrg_free (model->hidden_bias);
  vrg_free (model);
}

/** 1.  gradient: the exact one; law: the model's. */
static void
exact (const char *name, double gradient[MOST], double law[STATES])
{
  double positive[MOST], negative[MOST], scratch[STATES], worst = 0;
  log_likelihood (law);
  phase (data, positive);
  phase (law, negative);
  for (int k = 0; k < layer->parameters; k++)
    {
      gradient[k] = positive[k] - negative[k];
      const double old = *parameter (k), h = 1e-3;
      double l[5];
      for (int m = -2; m <= 2; m++)
        {
          *parameter (k) = old + m * h;
          l[m + 2] = log_likelihood (scratch);
        }
      *parameter (k) = old;
      const double slope = (l[0] - 8 * l[1] + 8 * l[3] - l[4]) / (12 * h);
      worst = fmax (worst, fabs (slope - gradient[k]) / fmax (fabs (gradient[k]), 1e-3));
    }
  check (worst < 1e-6, "%s: the exact gradient is the slope of the log-likelihood (%.1e)", name, worst);
}

/** 2.  What the program computes of each state, weighted by exact probabilities. */
static void
phases (const char *name, const double gradient[MOST], const double law[STATES])
{
  double sum[MOST] = { 0 }, worst = 0;
  int32_t *v = vrg_new (layer->visible_units, 4, "v"), *f = vrg_new (layer->hidden_fields, 4, "f");
  int32_t *means = vrg_new (layer->hidden_fields, 4, "means");
  for (int s = 0; s < STATES; s++)
    {
      const uint64_t bits[3] = { (uint64_t) s & 7, (uint64_t) s >> 3 & 7, (uint64_t) s >> 6 };
      int64_t one[MOST] = { 0 };
      vrg_layer_unpack (layer, bits, v);
      vrg_layer_hidden_fields (layer, 1, v, f);
      vrg_layer_means (layer, 1, f, means);
      vrg_layer_gradient (layer, 1, v, means, 1, one);
      for (int k = 0; k < layer->parameters; k++)
        sum[k] += (data[s] - law[s]) * (double) one[k] / VRG_FIXED_ONE;
    }
  for (int k = 0; k < layer->parameters; k++)
    worst = fmax (worst, fabs (sum[k] - gradient[k]));
  check (worst < 1e-5, "%s: integer phases give the exact gradient (%.1e)", name, worst);
  vrg_free (v);
  vrg_free (f);
  vrg_free (means);
}

/** 3.  Averages of CD-k over chains that start from the data, against its expectation. */
static void
divergence (const char *name, int steps, int rounds, uint64_t *result)
{
  enum
  {
    BATCH = 4096
  };
  static uint64_t bits[STATES][3];
  const uint64_t **batch = vrg_new (BATCH, sizeof *batch, "batch");
  double start_law[STATES] = { 0 }, after[STATES], positive[MOST], negative[MOST], square[MOST] = { 0 };
  double cumulated = 0;
  int n = 0;
  for (int s = 0; s < STATES; s++) /* data in proportion */
    {
      for (int y = 0; y < 3; y++)
        bits[s][y] = (uint64_t) s >> (3 * y) & 7;
      cumulated += data[s];
      for (; n < BATCH && n < cumulated * BATCH; n++)
        {
          batch[n] = bits[s];
          start_law[s] += 1.0 / BATCH;
        }
    }
  for (; n < BATCH; n++)
    {
      batch[n] = bits[0];
      start_law[0] += 1.0 / BATCH;
    }
  memcpy (after, start_law, sizeof after);
  for (int k = 0; k < steps; k++)
    gibbs (after);
  phase (start_law, positive);
  phase (after, negative);
  for (int v = 0; v < STATES; v++)
    {
      double alone[STATES] = { 0 }, one[MOST];
      alone[v] = 1;
      phase (alone, one);
      for (int k = 0; k < layer->parameters; k++)
        square[k] += after[v] * one[k] * one[k];
    }

  int64_t sums[MOST] = { 0 }, wrong = 0;
  vrg_rng rng;
  vrg_rng_init (&rng, 2026, 0, 0);
  vrg_gradient *g = vrg_gradient_new (layer, BATCH);
  for (int r = 0; r < rounds; r++)
    vrg_gradient_cd (g, layer, &rng, steps, r, 0, BATCH, batch, sums, &wrong);
  vrg_gradient_free (g);
  vrg_free (batch);
  double worst = 0;
  const double chains = (double) rounds * BATCH;
  for (int k = 0; k < layer->parameters; k++)
    {
      const double error = sqrt ((square[k] - negative[k] * negative[k]) / chains) + 1e-5;
      worst = fmax (worst, fabs ((double) sums[k] / VRG_FIXED_ONE / chains - (positive[k] - negative[k])) / error);
    }
  if (result)
    *result = (uint64_t) wrong;
  for (int k = 0; result && k < layer->parameters; k++)
    *result = *result * 31 + (uint64_t) sums[k];
  check (worst < 5, "%s, CD-%d: %.0f chains agree with its exact expectation (worst %.2f sigma)", name, steps, chains,
         worst);
}

/** 3.  Distance of the expected CD-k from the gradient. */
static void
tends (const char *name, const double gradient[MOST])
{
  double law[STATES], positive[MOST], negative[MOST], last = HUGE_VAL, size = 0;
  memcpy (law, data, sizeof law);
  phase (data, positive);
  for (int k = 0; k < layer->parameters; k++)
    size += gradient[k] * gradient[k];
  for (int step = 1; step <= 50; step++)
    {
      gibbs (law);
      if (step != 1 && step != 10 && step != 50)
        continue;
      double distance = 0;
      phase (law, negative);
      for (int k = 0; k < layer->parameters; k++)
        distance += pow (positive[k] - negative[k] - gradient[k], 2);
      distance = sqrt (distance / size);
      check (distance < 0.7 * last && (step < 50 || distance < 0.02),
             "%s, CD-%d: distance from the gradient %.2e of it", name, step, distance);
      last = distance;
    }
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  for (int type = VRG_MODEL_DENSE; type <= VRG_MODEL_CONVOLUTION; type++)
    {
      const char *name = type == VRG_MODEL_DENSE ? "dense" : "convolution";
      double gradient[MOST], law[STATES];
      start (type);
      check (vrg_layer_round (layer), "%s: the parameters fit", name);
      exact (name, gradient, law);
      phases (name, gradient, law);
      tends (name, gradient);
      divergence (name, 1, 24, NULL);
      divergence (name, 10, 24, NULL);
      divergence (name, 50, 12, NULL);
      uint64_t result[3];
      for (int path = 0; path < 3; path++)
        {
          vrg_simd_set ((vrg_simd_path) path);
          divergence (name, 2, 1, &result[path]);
        }
      check (result[0] == result[1] && result[0] == result[2], "%s: the same sums on every path", name);
      end ();
    }
  return check_end ();
}
