/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1 2 3 4
 * The gradient of a dense RBM on a 3x3 lattice with 4 hidden units and biases, where everything can be enumerated:
 * 1. the exact gradient, in doubles, against finite differences of the exact log-likelihood;
 * 2. the integer phases against the exact gradient, to the precision of the table;
 * 3. CD-k: its exact expectation (the Gibbs step as a 512 x 512 matrix) comes nearer to the gradient as k grows, and
 *    averages over many chains agree with it; persistent chains, after they have forgotten their start, agree with the
 *    gradient itself: 4 times 49 numbers within 5 sigma, false alarms 1e-4;
 * 4. the same for a convolution of stride 1.
 * The batch is spread over the ranks.  And larger layers on every layout of groups and strips: the same bits. */
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

static vrg_grid *grid; /* one strip */
static vrg_model *model;
static vrg_layer *layer;
static double data_law[STATES]; /* the law of the data: Ising, each neighbour of the 3x3 torus once */

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
    x += model->weights[dense ? j * SITES + i : place (i, j)] * spin (v, i);
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
      l += data_law[v] * log (law[v]);
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
            out[dense ? j * SITES + i : place (i, j)] += m * spin (v, i);
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
            x += model->weights[dense ? j * SITES + i : place (i, j)] * spin (h, j);
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
      z += data_law[v] = exp (0.44 * bonds);
    }
  for (int v = 0; v < STATES; v++)
    data_law[v] /= z;
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
  phase (data_law, positive);
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
  const vrg_layer_size size = vrg_layer_sizes (layer, VRG_LAYER_LANES);
  int32_t *v = vrg_new (size.visible, 4, "v"), *f = vrg_new (size.hidden_fields, 4, "f");
  int32_t *means = vrg_new (size.hidden_fields, 4, "means");
  for (int s = 0; s < STATES; s++)
    {
      const uint64_t bits[3] = { (uint64_t) s & 7, (uint64_t) s >> 3 & 7, (uint64_t) s >> 6 }, *sample = bits;
      const vrg_piece piece = vrg_piece_of (s % VRG_LAYER_LANES, 1);
      const vrg_phase data = { piece, v, means }, none = { .v = NULL };
      int64_t one[MOST] = { 0 };
      vrg_layer_unpack (layer, piece, &sample, v);
      vrg_layer_hidden_fields (layer, piece, v, f);
      vrg_layer_means (layer, piece, f, means);
      vrg_layer_gradient (layer, data, 1, none, one);
      for (int k = 0; k < layer->parameters; k++)
        sum[k] += (data_law[s] - law[s]) * (double) one[k] / VRG_FIXED_ONE;
    }
  for (int k = 0; k < layer->parameters; k++)
    worst = fmax (worst, fabs (sum[k] - gradient[k]));
  check (worst < 1e-5, "%s: integer phases give the exact gradient (%.1e)", name, worst);
  vrg_free (v);
  vrg_free (f);
  vrg_free (means);
}

enum
{
  BATCH = 4096
};

/** A batch in proportion to the law of the data, and its own law. */
static const uint64_t **
make_batch (double law[STATES])
{
  static uint64_t bits[STATES][3];
  const uint64_t **batch = vrg_new (BATCH, sizeof *batch, "batch");
  double cumulated = 0;
  int n = 0;
  memset (law, 0, STATES * sizeof *law);
  for (int s = 0; s < STATES; s++)
    {
      for (int y = 0; y < 3; y++)
        bits[s][y] = (uint64_t) s >> (3 * y) & 7;
      cumulated += data_law[s];
      for (; n < BATCH && n < cumulated * BATCH; n++)
        {
          batch[n] = bits[s];
          law[s] += 1.0 / BATCH;
        }
    }
  for (; n < BATCH; n++)
    {
      batch[n] = bits[0];
      law[0] += 1.0 / BATCH;
    }
  return batch;
}

/** Worst deviation, in standard errors, of the average of `chains` negative phases drawn from `law` beside the
 *  positive one of `start`.  sums: what the program found, `chains` times. */
static double
deviation (const double start[STATES], const double law[STATES], double chains, const int64_t sums[MOST])
{
  double positive[MOST], negative[MOST], square[MOST] = { 0 }, worst = 0;
  phase (start, positive);
  phase (law, negative);
  for (int v = 0; v < STATES; v++)
    {
      double alone[STATES] = { 0 }, one[MOST];
      alone[v] = 1;
      phase (alone, one);
      for (int k = 0; k < layer->parameters; k++)
        square[k] += law[v] * one[k] * one[k];
    }
  for (int k = 0; k < layer->parameters; k++)
    {
      const double error = sqrt ((square[k] - negative[k] * negative[k]) / chains) + 1e-5;
      worst = fmax (worst, fabs ((double) sums[k] / VRG_FIXED_ONE / chains - (positive[k] - negative[k])) / error);
    }
  return worst;
}

/** 3.  Averages of CD-k over chains that start from the data, against its expectation. */
static void
divergence (const char *name, int steps, int rounds, uint64_t *result)
{
  double start_law[STATES], after[STATES];
  const uint64_t **batch = make_batch (start_law);
  memcpy (after, start_law, sizeof after);
  for (int k = 0; k < steps; k++)
    gibbs (after);
  int64_t sums[MOST] = { 0 }, *part = vrg_new (MOST, sizeof *part, "sums"), wrong = 0, first, last;
  vrg_rng rng;
  vrg_rng_init (&rng, 2026, 0, 0);
  vrg_grid_span (BATCH, grid->groups, grid->group, &first, &last);
  vrg_gradient *g = vrg_gradient_new (grid, layer, first, last - first, 0);
  for (int r = 0; r < rounds; r++)
    {
      vrg_gradient_update (g, &rng, steps, r, batch + first, part, NULL, NULL, &wrong);
      for (int k = 0; k < layer->parameters; k++)
        sums[k] += part[k];
    }
  vrg_gradient_free (g);
  vrg_free (batch);
  vrg_free (part);
  const double chains = (double) rounds * BATCH, worst = deviation (start_law, after, chains, sums);
  if (result)
    *result = (uint64_t) wrong;
  for (int k = 0; result && k < layer->parameters; k++)
    *result = *result * 31 + (uint64_t) sums[k];
  check (worst < 5, "%s, CD-%d: %.0f chains agree with its exact expectation (worst %.2f sigma)", name, steps, chains,
         worst);
}

/** 3.  Persistent chains, three to each position of the batch, 60 steps an update of which none is left out. */
static void
persistent (const char *name, const double law[STATES])
{
  enum
  {
    CHAINS = 3,
    STEPS = 60,
    ROUNDS = 4
  };
  double start_law[STATES];
  const uint64_t **batch = make_batch (start_law);
  int64_t sums[MOST] = { 0 }, *part = vrg_new (MOST, sizeof *part, "sums"), wrong = 0, first, last;
  vrg_rng rng;
  vrg_rng_init (&rng, 2027, 0, 0);
  vrg_grid_span (BATCH, grid->groups, grid->group, &first, &last);
  vrg_gradient *g = vrg_gradient_new (grid, layer, first, last - first, CHAINS);
  vrg_gradient_start (g, &rng);
  for (int r = -2; r < ROUNDS; r++)
    {
      vrg_gradient_update (g, &rng, STEPS, r + 2, batch + first, part, NULL, NULL, &wrong);
      for (int k = 0; r >= 0 && k < layer->parameters; k++)
        sums[k] += part[k];
    }
  vrg_gradient_free (g);
  vrg_free (batch);
  vrg_free (part);
  const double chains = (double) ROUNDS * CHAINS * BATCH, worst = deviation (start_law, law, chains, sums);
  check (worst < 5, "%s: %.0f samples of persistent chains agree with the gradient (worst %.2f sigma)", name, chains,
         worst);
}

/** 3.  Distance of the expected CD-k from the gradient. */
static void
tends (const char *name, const double gradient[MOST])
{
  double law[STATES], positive[MOST], negative[MOST], last = HUGE_VAL, size = 0;
  memcpy (law, data_law, sizeof law);
  phase (data_law, positive);
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

/** What three updates on a layout give, the whole layer's on every rank: sums and means, the number of wrong spins and
 *  the persistent chains, as one hash. */
static uint64_t
updates (const vrg_grid *on, int64_t rows, int64_t columns, int64_t hidden, int64_t batch, int64_t chains, bool means)
{
  srandom (11);
  vrg_model whole = { .type = VRG_MODEL_DENSE, .rows = rows, .columns = columns, .hidden = hidden }, mine;
  const int64_t sites = rows * columns, together = rows > 1 ? columns : 1, words = (columns + 63) / 64;
  whole.weights = vrg_new (hidden * sites, sizeof (double), "weights");
  for (int64_t i = 0; i < hidden * sites; i++)
    whole.weights[i] = (double) (random () % 2001 - 1000) * 3e-4;
  mine = whole;
  vrg_grid_span (sites / together, on->strips, on->strip, &mine.visible0, &mine.visible1);
  const int64_t v0 = mine.visible0 *= together, v1 = mine.visible1 *= together, own = v1 - v0;
  mine.weights = vrg_new (hidden * own, sizeof (double), "weights");
  mine.visible_bias = vrg_new (own, sizeof (double), "bias");
  mine.hidden_bias = vrg_new (hidden, sizeof (double), "bias");
  for (int64_t j = 0; j < hidden; j++)
    memcpy (mine.weights + j * own, whole.weights + j * sites + v0, (size_t) own * sizeof (double));
  for (int64_t i = 0; i < own; i++)
    mine.visible_bias[i] = (double) ((v0 + i) % 7) * 0.01;
  for (int64_t j = 0; j < hidden; j++)
    mine.hidden_bias[j] = (double) (j % 5) * 0.02;
  vrg_layer *l = vrg_layer_new (&mine, on->strip_comm);
  bool good = vrg_layer_round (l);

  const int64_t mine_columns = rows > 1 ? columns : own, size = (l->row1 - l->row0) * words;
  uint64_t *bits = vrg_new (batch * size, sizeof *bits, "bits");
  const uint64_t **samples = vrg_new (batch, sizeof *samples, "samples");
  for (int64_t s = 0; s < batch; s++)
    {
      samples[s] = bits + s * size;
      for (int64_t i = 0; i < sites; i++)
        {
          const uint64_t bit = (uint64_t) random () >> 7 & 1;
          if (i >= v0 && i < v1)
            bits[s * size + (i - v0) / mine_columns * words + (i - v0) % mine_columns / 64]
              |= bit << (i - v0) % mine_columns % 64;
        }
    }
  int64_t first, last, wrong = 0, all = hidden * sites + 2 * (sites + hidden);
  vrg_grid_span (batch, on->groups, on->group, &first, &last);
  vrg_rng rng;
  vrg_rng_init (&rng, 4, 0, 0);
  vrg_gradient *g = vrg_gradient_new (on, l, first, last - first, chains);
  if (chains)
    vrg_gradient_start (g, &rng);
  int64_t *sums = vrg_new (l->parameters, 8, "sums"), *vm = vrg_new (own, 8, "means"),
          *hm = vrg_new (hidden, 8, "means");
  int64_t *result = vrg_new (all + batch * chains * sites, 8, "result");
  uint64_t hash = good;
  for (int update = 0; update < 3; update++)
    {
      vrg_gradient_update (g, &rng, 2, update, samples + first, sums, means ? vm : NULL, means ? hm : NULL, &wrong);
      memset (result, 0, (size_t) (all + batch * chains * sites) * sizeof *result);
      for (int64_t i = 0; i < own; i++) /* each strip's part in its place */
        {
          for (int64_t j = 0; j < hidden; j++)
            result[j * sites + v0 + i] = sums[j * own + i];
          result[hidden * sites + v0 + i] = sums[hidden * own + i];
          result[hidden * sites + sites + v0 + i] = vm[i];
        }
      for (int64_t j = 0; on->strip == 0 && j < hidden; j++)
        {
          result[hidden * sites + 2 * sites + j] = sums[hidden * own + own + j];
          result[hidden * sites + 2 * sites + hidden + j] = hm[j];
        }
      vrg_sum_int64 (on->strip_comm, result, all);
      const uint64_t *chain = vrg_gradient_chains (g);
      for (int64_t c = chains * first; c < chains * last; c++, chain += size)
        for (int64_t i = 0; i < own; i++)
          result[all + c * sites + v0 + i]
            = (int64_t) (chain[i / mine_columns * words + i % mine_columns / 64] >> i % mine_columns % 64 & 1);
      vrg_sum_int64 (on->world, result + all, batch * chains * sites);
      for (int64_t i = 0; i < all + batch * chains * sites; i++)
        hash = hash * 31 + (uint64_t) result[i];
    }
  vrg_sum_int64 (on->world, &wrong, 1);
  void *own_memory[]
    = { whole.weights, mine.weights, mine.visible_bias, mine.hidden_bias, bits, samples, sums, vm, hm, result };
  for (size_t k = 0; k < sizeof own_memory / sizeof *own_memory; k++)
    vrg_free (own_memory[k]);
  vrg_gradient_free (g);
  vrg_layer_free (l);
  return hash * 31 + (uint64_t) wrong;
}

/** Every layout of these ranks against one rank alone. */
static void
layouts (void)
{
  const struct
  {
    int64_t rows, columns, hidden, batch, chains;
    bool means;
  } cases[] = { { 9, 13, 37, 45, 0, false }, { 9, 13, 37, 45, 1, true },  { 1, 130, 100, 21, 3, false },
                { 8, 64, 70, 130, 5, true }, { 6, 5, 200, 600, 0, true }, { 5, 3, 3, 2, 40, false } };
  vrg_grid *alone = vrg_grid_new (MPI_COMM_SELF, 1);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    {
      uint64_t expected = 0;
      for (int path = (int) vrg_simd (); path >= 0; path--)
        {
          const vrg_simd_path old = vrg_simd ();
          vrg_simd_set ((vrg_simd_path) path);
          const uint64_t hash = updates (alone, cases[k].rows, cases[k].columns, cases[k].hidden, cases[k].batch,
                                         cases[k].chains, cases[k].means);
          vrg_simd_set (old);
          if (path == (int) old)
            expected = hash;
          check (hash == expected, "%lldx%lld-%lld, batch %lld, %lld chains, %s", (long long) cases[k].rows,
                 (long long) cases[k].columns, (long long) cases[k].hidden, (long long) cases[k].batch,
                 (long long) cases[k].chains, vrg_simd_name ((vrg_simd_path) path));
        }
      for (int strips = 1; strips <= check_size_; strips++)
        if (check_size_ % strips == 0)
          {
            vrg_grid *on = vrg_grid_new (MPI_COMM_WORLD, strips);
            check (updates (on, cases[k].rows, cases[k].columns, cases[k].hidden, cases[k].batch, cases[k].chains,
                            cases[k].means)
                     == expected,
                   "the same bits on %d groups of %d strips", on->groups, strips);
            vrg_grid_free (on);
          }
    }
  vrg_grid_free (alone);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  for (int type = VRG_MODEL_DENSE; type <= VRG_MODEL_CONVOLUTION; type++)
    {
      const char *name = type == VRG_MODEL_DENSE ? "dense" : "convolution";
      double gradient[MOST], law[STATES];
      start (type);
      check (vrg_layer_round (layer), "%s: the parameters fit", name);
      exact (name, gradient, law);
      phases (name, gradient, law);
      if (check_size_ == 1)
        tends (name, gradient);
      divergence (name, 1, 24, NULL);
      divergence (name, 10, 24, NULL);
      persistent (name, law);
      uint64_t result[3];
      for (int path = 0; path < 3; path++)
        {
          const vrg_simd_path old = vrg_simd ();
          vrg_simd_set ((vrg_simd_path) path);
          divergence (name, 2, 1, &result[path]);
          vrg_simd_set (old);
        }
      check (result[0] == result[1] && result[0] == result[2], "%s: the same sums on every path", name);
      end ();
    }
  vrg_grid_free (grid);
  layouts ();
  return check_end ();
}
