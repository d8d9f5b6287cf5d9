/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1 2 3 4
 * Annealed importance sampling against enumeration: six random and six trained models of up to 20 hidden units within 5
 * errors (false alarms 1e-5 all together, were the errors normal); independent units exactly; errors of many estimates
 * of one model; the warning; and the same bits on every grid. */
#include "train/annealing.h"

#include "base/simd.h"
#include "tests/train/models.h"
#include "train/enumeration.h"

enum
{
  CHAINS = 128,
  STEPS = 1000
};

static vrg_rng
key (uint64_t seed)
{
  vrg_rng rng;
  vrg_rng_init (&rng, seed, 0, VRG_USE_ANNEALING);
  return rng;
}

static vrg_annealing
anneal (const models_plan *p, int64_t chains, int64_t steps, int64_t number, double *exact)
{
  const vrg_rng rng = key (1);
  vrg_grid *grid = models_grid (1, p->rows);
  vrg_layer *layer = models_layer (grid, p);
  if (exact)
    *exact = vrg_enumeration_lnz (grid, layer);
  const vrg_annealing a = vrg_annealing_lnz (grid, layer, &rng, chains, steps, number);
  models_free (layer);
  vrg_grid_free (grid);
  return a;
}

static void
agrees (const char *name, const models_plan *p)
{
  double exact;
  const vrg_annealing a = anneal (p, CHAINS, STEPS, 0, &exact);
  check (fabs (a.lnz - exact) < 5 * a.error && a.error < 0.2,
         "%s: ln Z = %.4f +- %.4f, exactly %.4f (%.1f errors); %.0f chains count", name, a.lnz, a.error, exact,
         (a.lnz - exact) / a.error, a.effective);
  check (fabs (a.jackknife / a.error - 1) < 0.2 && !a.doubtful, "%s: jackknife +- %.4f, no doubt", name, a.jackknife);
}

static void
random_models (void)
{
  static const struct
  {
    const char *name;
    int type;
    int64_t rows, columns, hidden;
    double weight, bias;
  } cases[6] = { { "random, 4x4 and 20", VRG_MODEL_DENSE, 4, 4, 20, 0.3, 0.2 },
                 { "random, 6x6 and 10", VRG_MODEL_DENSE, 6, 6, 10, 0.5, 0 },
                 { "random, 8x8 and 16", VRG_MODEL_DENSE, 8, 8, 16, 0.3, 0.5 },
                 { "random, 10x10 and 20", VRG_MODEL_DENSE, 10, 10, 20, 0.2, 0.1 },
                 { "random, filter on 4x4", VRG_MODEL_CONVOLUTION, 4, 4, 1, 0.3, 0.2 },
                 { "random, two filters on 2x8", VRG_MODEL_CONVOLUTION, 2, 8, 2, 0.3, 0.1 } };
  for (uint64_t k = 0; k < 6; k++)
    {
      const models_plan p = models_random_plan (cases[k].type, cases[k].rows, cases[k].columns, cases[k].hidden, k + 1,
                                                cases[k].weight, cases[k].bias);
      agrees (cases[k].name, &p);
    }
}

/** Move the parameters by CD-1 from `samples` packed Ising configurations, batches of 64 in turn. */
static void
train (models_plan *p, const uint64_t *rows, int64_t samples, int64_t updates, double rate)
{
  enum
  {
    BATCH = 64
  };
  vrg_rng rng;
  vrg_rng_init (&rng, 3, 0, VRG_USE_TRAIN);
  vrg_grid *grid = models_grid (0, p->rows);
  vrg_layer *layer = models_layer (grid, p);
  const vrg_piece piece = vrg_piece_of (0, BATCH);
  const vrg_layer_size size = vrg_layer_sizes (layer, BATCH);
  int32_t *v = vrg_new (size.visible, sizeof *v, "v"), *w = vrg_new (size.visible, sizeof *w, "v");
  int32_t *h = vrg_new (size.hidden, sizeof *h, "h"), *x = vrg_new (size.hidden_fields, sizeof *x, "x");
  int32_t *data = vrg_new (size.hidden_fields, sizeof *data, "x"), *y = vrg_new (size.visible_fields, sizeof *y, "y");
  int64_t *sums = vrg_new (layer->parameters, sizeof *sums, "sums");
  for (int64_t u = 0; u < updates; u++)
    {
      const uint64_t *batch[BATCH];
      for (int64_t s = 0; s < BATCH; s++)
        batch[s] = rows + (u * BATCH + s) % samples * p->rows;
      memset (sums, 0, (size_t) layer->parameters * sizeof *sums);
      vrg_layer_unpack (layer, piece, batch, v);
      vrg_layer_hidden_fields (layer, piece, v, x);
      vrg_layer_means (layer, piece, x, data);
      vrg_layer_hidden_sample (layer, &rng, piece, u, 0, x, h);
      vrg_layer_visible_fields (layer, piece, h, y);
      vrg_layer_visible_sample (layer, &rng, piece, u, 0, y, w);
      vrg_layer_hidden_fields (layer, piece, w, x);
      vrg_layer_means (layer, piece, x, x);
      vrg_layer_gradient (layer, (vrg_phase){ piece, v, data }, 1, (vrg_phase){ piece, w, x }, sums);
      for (int64_t k = 0; k < layer->parameters; k++)
        {
          const int64_t visible = k - layer->weights, hidden = visible - layer->visible_biases;
          double *parameter = hidden >= 0    ? layer->model->hidden_bias + hidden
                              : visible >= 0 ? layer->model->visible_bias + visible
                                             : layer->model->weights + k;
          *parameter += rate * (double) sums[k] / ((double) VRG_FIXED_ONE * BATCH);
        }
      if (!vrg_layer_round (layer))
        vrg_fail_one (VRG_INTERNAL, "diverged");
    }
  memcpy (p->weights, layer->model->weights, (size_t) models_weights (p) * sizeof (double));
  memcpy (p->visible_bias, layer->model->visible_bias, (size_t) models_biases (p) * sizeof (double));
  memcpy (p->hidden_bias, layer->model->hidden_bias, (size_t) p->hidden * sizeof (double));
  vrg_free (v);
  vrg_free (w);
  vrg_free (h);
  vrg_free (x);
  vrg_free (data);
  vrg_free (y);
  vrg_free (sums);
  models_free (layer);
  vrg_grid_free (grid);
}

/** Ising samples of rows of at most 64 columns, by heat bath: [sample][row]. */
static void
draw (int64_t rows, int64_t columns, double nn, int64_t samples, uint64_t *out)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 7, 0, 0);
  uint64_t row[16] = { 0 };
  for (int64_t s = -20; s < samples; s++)
    {
      for (int64_t i = 0; i < 2 * rows * columns; i++) /* two sweeps */
        {
          const int64_t y = i / columns % rows, x = i % columns, right = (x + 1) % columns;
          const int64_t left = (x + columns - 1) % columns;
          const int up = (int) ((row[y] >> left & 1) + (row[y] >> right & 1) + (row[(y + 1) % rows] >> x & 1)
                                + (row[(y + rows - 1) % rows] >> x & 1));
          uint64_t u[2];
          vrg_rng_block (&rng, VRG_RNG_TEST, (uint64_t) i, (uint64_t) (s + 20), 0, u);
          const bool plus = (double) (u[0] >> 32) / 4294967296.0 < 1 / (1 + exp (-2 * nn * (2 * up - 4)));
          row[y] = (row[y] & ~(UINT64_C (1) << x)) | (uint64_t) plus << x;
        }
      if (s >= 0)
        memcpy (out + s * rows, row, (size_t) rows * sizeof *row);
    }
}

static void
trained_models (void)
{
  enum
  {
    SAMPLES = 2000
  };
  static const struct
  {
    const char *name;
    int type;
    int64_t rows, columns, hidden;
    double nn;
  } cases[6] = { { "trained at 0.44, 4x4 and 20", VRG_MODEL_DENSE, 4, 4, 20, 0.44 },
                 { "trained at 0.3, 6x6 and 20", VRG_MODEL_DENSE, 6, 6, 20, 0.3 },
                 { "trained at 0.44, 8x8 and 20", VRG_MODEL_DENSE, 8, 8, 20, 0.44 },
                 { "trained at 0.5, 8x8 and 8", VRG_MODEL_DENSE, 8, 8, 8, 0.5 },
                 { "trained at 0.44, 12x12 and 16", VRG_MODEL_DENSE, 12, 12, 16, 0.44 },
                 { "trained at 0.44, filter on 4x4", VRG_MODEL_CONVOLUTION, 4, 4, 1, 0.44 } };
  uint64_t *rows = vrg_new (SAMPLES * 12, sizeof *rows, "samples");
  for (uint64_t k = 0; k < 6; k++)
    {
      models_plan p
        = models_random_plan (cases[k].type, cases[k].rows, cases[k].columns, cases[k].hidden, k + 11, 0.01, 0);
      draw (p.rows, p.columns, cases[k].nn, SAMPLES, rows);
      train (&p, rows, SAMPLES, 1500, p.type == VRG_MODEL_DENSE ? 0.05 : 0.005);
      double norm = 0;
      for (int64_t i = 0; i < models_weights (&p); i++)
        norm += p.weights[i] * p.weights[i];
      check (sqrt (norm) > 0.3, "%s: norm of the weights %.2f", cases[k].name, sqrt (norm));
      agrees (cases[k].name, &p);
    }
  vrg_free (rows);
}

/** Estimates with other random numbers: deviations are of the size of the errors. */
static void
errors (void)
{
  enum
  {
    ESTIMATES = 40
  };
  const models_plan p = models_random_plan (VRG_MODEL_DENSE, 4, 4, 10, 5, 0.4, 0.2);
  double square = 0, worst = 0;
  for (int64_t k = 1; k <= ESTIMATES; k++)
    {
      double exact;
      const vrg_annealing a = anneal (&p, 64, 60, k, &exact);
      const double off = (a.lnz - exact) / a.error, quick = (a.quick - exact) / a.quick_error;
      square += (off * off + quick * quick) / (2 * ESTIMATES);
      worst = fmax (worst, fmax (fabs (off), fabs (quick)));
    }
  /* of 80 numbers: 1 +- 0.16 */
  check (square > 0.4 && square < 1.8 && worst < 5, "%d estimates: deviations of %.2f errors, at most %.1f", ESTIMATES,
         sqrt (square), worst);
}

static void
independent (void)
{
  const models_plan p = models_random_plan (VRG_MODEL_DENSE, 8, 8, 20, 7, 0, 1);
  double exact;
  const vrg_annealing a = anneal (&p, 16, 10, 0, &exact);
  check_rel (a.lnz, exact, 1e-13, "independent units: ln Z without error");
  check (a.error < 1e-11 && a.jackknife < 1e-11 && fabs (a.effective - 16) < 1e-9 && !a.doubtful,
         "independent units: +- %.0e", a.error);
}

/** A strong ferromagnet in two steps. */
static void
doubtful (void)
{
  models_plan p = models_random_plan (VRG_MODEL_DENSE, 8, 8, 20, 7, 0, 0);
  for (int64_t k = 0; k < models_weights (&p); k++)
    p.weights[k] = 0.3;
  double exact;
  const vrg_annealing a = anneal (&p, 64, 2, 0, &exact), b = anneal (&p, 64, 1000, 0, NULL);
  check (a.doubtful, "too few steps are doubtful: %.1f +- %.1f, exactly %.1f; %.1f chains count", a.lnz, a.error, exact,
         a.effective);
  check (fabs (b.lnz - exact) < 5 * b.error && b.error < 1, "enough are not: %.2f +- %.2f", b.lnz, b.error);
}

/** The same bits on every grid and path. */
static void
same (const char *name, const models_plan *p, int64_t chains)
{
  const vrg_simd_path best = vrg_simd ();
  const vrg_rng rng = key (2);
  vrg_annealing result[MODELS_GRIDS];
  bool good = true;
  for (int k = 0; k < MODELS_GRIDS; k++)
    {
      vrg_simd_set ((vrg_simd_path) (2 - k % 3));
      vrg_grid *grid = models_grid (k, p->rows);
      vrg_layer *layer = models_layer (grid, p);
      memset (&result[k], 0, sizeof *result);
      result[k] = vrg_annealing_lnz (grid, layer, &rng, chains, 30, 3);
      good = good && result[k].lnz == result[0].lnz && result[k].error == result[0].error
             && result[k].quick == result[0].quick && result[k].half[1] == result[0].half[1];
      models_free (layer);
      vrg_grid_free (grid);
    }
  vrg_simd_set (best);
  check (good, "%s, %d chains: the same bits on every grid and path", name, (int) chains);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const models_plan dense = models_random_plan (VRG_MODEL_DENSE, 8, 7, 21, 3, 0.3, 0.2),
                    filters = models_random_plan (VRG_MODEL_CONVOLUTION, 4, 6, 2, 4, 0.3, 0.2);
  same ("dense", &dense, 50);
  same ("dense", &dense, 2);
  same ("dense", &dense, 300);
  same ("convolution", &filters, 50);
  independent ();
  doubtful ();
  errors ();
  random_models ();
  trained_models ();
  return check_end ();
}
