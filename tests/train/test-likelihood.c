/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1 2 3 4
 * Sums of ln 2cosh; ln Z by enumeration against brute force; pseudo-likelihood and likelihood against their definitions;
 * models whose law is exactly Ising's, on a ring and on a torus; and the same bits on every grid and path. */
#include "train/likelihood.h"

#include <float.h>

#include "base/simd.h"
#include "lattice/exact.h"
#include "tests/train/models.h"
#include "train/enumeration.h"
#include "train/ln2cosh.h"

static void
sums (void)
{
  enum
  {
    MOST = 2000
  };
  static int32_t x[MOST];
  static const int64_t sizes[] = { 0, 1, 7, 8, 9, 400, 959, 960, 961, MOST };
  static const double scales[] = { 1, 0.37, 0 };
  for (int i = 0; i < MOST; i++) /* of all sizes, up to the bound */
    x[i] = vrg_fixed (590 * models_random (1, (uint64_t) i) / (1 << i % 20 << i % 7));
  bool same = true;
  double worst = 0;
  for (size_t n = 0; n < sizeof sizes / sizeof *sizes; n++)
    for (int k = 0; k < 3; k++)
      {
        long double expected = 0;
        for (int64_t i = 0; i < sizes[n]; i++)
          {
            const long double size = fabsl ((long double) scales[k] * x[i] / VRG_FIXED_ONE);
            expected += size + log1pl (expl (-2 * size));
          }
        double got[3];
        for (int path = 0; path < 3; path++)
          {
            vrg_simd_set ((vrg_simd_path) path);
            got[path] = vrg_sum_ln2cosh (x, sizes[n], scales[k]);
          }
        same = same && got[0] == got[1] && got[0] == got[2];
        worst = fmax (worst, (double) (fabsl (got[0] - expected) / (1 + expected)));
      }
  volatile long double one = 1;
  const double bound = one + LDBL_EPSILON > one ? 4e-16 : 1e-13; /* valgrind takes it for a double */
  check (worst < bound, "sums of ln 2cosh to %.1e", worst);
  check (same, "with the same bits on every path");
}

/** Enumerated on every grid and path, against the sum over visible states. */
static void
enumerated (const char *name, const models_plan *p, double expected)
{
  double lnz[MODELS_GRIDS];
  bool same = true, possible = true;
  for (int k = 0; k < MODELS_GRIDS; k++)
    {
      vrg_simd_set ((vrg_simd_path) (2 - k % 3));
      vrg_grid *grid = models_grid (k, p->rows);
      vrg_layer *layer = models_layer (grid, p);
      possible = possible && vrg_enumeration_possible (layer);
      lnz[k] = vrg_enumeration_lnz (grid, layer);
      same = same && lnz[k] == lnz[0];
      models_free (layer);
      vrg_grid_free (grid);
    }
  check (possible && fabs (lnz[0] - expected) < 1e-12 * (10 + fabs (expected)), "%s: ln Z = %.10f, expected %.10f",
         name, lnz[0], expected);
  check (same, "%s: the same bits on every grid and path", name);
}

static void
enumerations (void)
{
  static const struct
  {
    const char *name;
    int type;
    int64_t rows, columns, hidden;
    double weight, bias;
  } cases[] = { { "3x3 and 4", VRG_MODEL_DENSE, 3, 3, 4, 0.5, 0.5 },
                { "4x4 and 14", VRG_MODEL_DENSE, 4, 4, 14, 0.4, 0.3 },
                { "4x4 and 14, no biases", VRG_MODEL_DENSE, 4, 4, 14, 0.4, 0 },
                { "2x2 and 40", VRG_MODEL_DENSE, 2, 2, 40, 1, 0 },
                { "4x4 and 1, no biases", VRG_MODEL_DENSE, 4, 4, 1, 1, 0 },
                { "8x2 and 1, strong", VRG_MODEL_DENSE, 8, 2, 1, 40, 1 },
                { "16 and 16 in a row", VRG_MODEL_DENSE, 1, 16, 16, 0.5, 0.1 },
                { "3x4, two filters", VRG_MODEL_CONVOLUTION, 3, 4, 2, 0.3, 0.2 },
                { "a filter wider than 2x4", VRG_MODEL_CONVOLUTION, 2, 4, 1, 0.5, 0.1 },
                { "a ring of 14", VRG_MODEL_CONVOLUTION, 1, 14, 1, 0.7, 0.1 } };
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    {
      const models_plan p = models_random_plan (cases[k].type, cases[k].rows, cases[k].columns, cases[k].hidden, 10 + k,
                                                cases[k].weight, cases[k].bias);
      enumerated (cases[k].name, &p, models_lnz (&p));
    }
  /* without weights, from the closed form; many more units than anyone could enumerate on the other side */
  models_plan p = models_random_plan (VRG_MODEL_DENSE, 16, 16, 15, 7, 0, 1);
  double expected = 0;
  for (int64_t i = 0; i < 256 + 15; i++)
    expected += vrg_ln2cosh (models_rounded (i < 256 ? p.visible_bias[i] : p.hidden_bias[i - 256]));
  enumerated ("16x16 and 15, independent", &p, expected);
  p.hidden = 25;
  vrg_grid *grid = models_grid (0, 16);
  vrg_layer *layer = models_layer (grid, &p);
  check (!vrg_enumeration_possible (layer), "25 units are too many");
  models_free (layer);
  vrg_grid_free (grid);
}

/** Against flips of single spins in the enumerated law, over `total` random samples. */
static void
pseudo (const char *name, const models_plan *p, int64_t total)
{
  const int64_t used = total < VRG_PSEUDO_SAMPLES ? total : VRG_PSEUDO_SAMPLES, sites = p->rows * p->columns;
  uint64_t *up = vrg_new (total, sizeof *up, "samples");
  vrg_rng rng;
  vrg_rng_init (&rng, 5, 0, 0);
  for (int64_t s = 0; s < total; s++)
    {
      uint64_t u[2];
      vrg_rng_block (&rng, VRG_RNG_TEST, (uint64_t) s, 0, 0, u);
      up[s] = u[0] & ((UINT64_C (1) << sites) - 1);
    }
  double expected = 0, got[MODELS_GRIDS], norm[MODELS_GRIDS], squares = 0;
  for (int64_t q = 0; q < used; q++)
    for (int64_t k = 0; k < VRG_PSEUDO_SITES; k++)
      {
        uint64_t u[2];
        vrg_rng_block (&rng, VRG_RNG_PSEUDO, (uint64_t) (q * VRG_PSEUDO_SITES + k), 0, 0, u);
        const uint64_t v = up[q * total / used], flip = UINT64_C (1) << vrg_rng_below (u[0], (uint64_t) sites);
        expected -= log1p (exp (models_log_weight (p, v ^ flip) - models_log_weight (p, v)));
      }
  expected /= (double) (used * VRG_PSEUDO_SITES);
  for (int64_t i = 0; i < models_weights (p); i++)
    squares += p->weights[i] * p->weights[i];
  bool same = true;
  for (int k = 0; k < MODELS_GRIDS; k++)
    {
      vrg_simd_set ((vrg_simd_path) (2 - k % 3));
      vrg_grid *grid = models_grid (k, p->rows);
      vrg_layer *layer = models_layer (grid, p);
      models_held held = models_hold (grid, layer, total, up);
      got[k] = vrg_likelihood_pseudo (grid, layer, &rng, total, held.samples, held.number, held.n);
      norm[k] = vrg_likelihood_weight_norm (layer);
      same = same && got[k] == got[0] && norm[k] == norm[0];
      models_held_free (&held);
      models_free (layer);
      vrg_grid_free (grid);
    }
  check (fabs (got[0] - expected) < 1e-13 * (1 + fabs (expected)),
         "%s, %d samples: pseudo-likelihood %.12f, expected %.12f", name, (int) total, got[0], expected);
  check (fabs (norm[0] - sqrt (squares)) < 1e-14 * norm[0], "%s: weight norm", name);
  check (same, "%s: the same bits on every grid and path", name);
  vrg_free (up);
}

/** Metropolis samples of the Ising law with nn, one chain of many sweeps between samples. */
static void
draw (int64_t rows, int64_t columns, double nn, int sweeps, int64_t total, uint64_t *up)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 99, 0, 0);
  uint64_t v = 0;
  for (int64_t s = 0; s < total; s++)
    {
      for (int sweep = 0; sweep < sweeps; sweep++)
        for (int64_t y = 0; y < rows; y++)
          for (int64_t x = 0; x < columns; x++)
            {
              const int64_t row = y * columns, i = row + x;
              const int64_t seen[4] = { row + (x + 1) % columns, row + (x + columns - 1) % columns,
                                        (y + 1) % rows * columns + x, (y + rows - 1) % rows * columns + x };
              int field = 0;
              for (int k = 0; k < (rows == 1 ? 2 : 4); k++)
                field += v >> seen[k] & 1 ? 1 : -1;
              uint64_t u[2];
              vrg_rng_block (&rng, VRG_RNG_TEST, (uint64_t) i, (uint64_t) (s * sweeps + sweep), 0, u);
              const bool plus = (double) (u[0] >> 32) / 4294967296.0 < 1 / (1 + exp (-2 * nn * field));
              v = (v & ~(UINT64_C (1) << i)) | (uint64_t) plus << i;
            }
      up[s] = v;
    }
}

static vrg_likelihood
measure (const models_plan *p, double lnz_error, vrg_ising ising, int64_t chains, int64_t total, const uint64_t *up,
         bool *same)
{
  vrg_likelihood result[MODELS_GRIDS];
  *same = true;
  for (int k = 0; k < MODELS_GRIDS; k++)
    {
      vrg_grid *grid = models_grid (k, p->rows);
      vrg_layer *layer = models_layer (grid, p);
      models_held held = models_hold (grid, layer, total, up);
      double error;
      bool doubtful;
      const double lnz = vrg_likelihood_lnz (grid, layer, NULL, 0, 0, 0, &error, &doubtful);
      result[k] = vrg_likelihood_measure (grid, layer, lnz, fmax (error, lnz_error), ising, chains, total, held.samples,
                                          held.number, held.n);
      *same = *same && memcmp (&result[k], &result[0], sizeof *result) == 0;
      models_held_free (&held);
      models_free (layer);
      vrg_grid_free (grid);
    }
  return result[0];
}

/** A model whose law is exactly that of the Ising lattice with coupling nn. */
static void
exactly (const char *name, const models_plan *p, double nn)
{
  enum
  {
    SAMPLES = 300
  };
  uint64_t up[SAMPLES];
  draw (p->rows, p->columns, nn, 3, SAMPLES, up);
  vrg_ising ising = { .nn = nn };
  if (p->rows == 1)
    vrg_exact_ring (p->columns, nn, &ising.lnz, NULL, NULL);
  else
    vrg_exact_torus (p->rows, p->columns, nn, &ising.lnz, NULL, NULL);
  bool same;
  const vrg_likelihood l = measure (p, 0, ising, 1, SAMPLES, up, &same);
  check (fabs (l.kl_per_site) < 1e-13 && l.kl_per_site_error < 1e-13 && l.spread < 1e-13,
         "%s: divergence %.1e +- %.1e, spread %.1e", name, l.kl_per_site, l.kl_per_site_error, l.spread);
  check (l.log_likelihood < 0 && l.log_likelihood_error > 0 && same, "%s: the same bits on every grid", name);
}

static void
exact_models (void)
{
  for (int k = 0; k < 2; k++) /* equal weights, and others with the same product of tanh */
    {
      models_plan p
        = { .type = VRG_MODEL_CONVOLUTION, .rows = 1, .columns = 16, .hidden = 1, .filter = 2, .stride = 1 };
      p.weights[0] = k ? 1.2 : 0.5 * acosh (exp (2 * 0.4));
      p.weights[1] = atanh (tanh (0.4) / tanh (p.weights[0]));
      exactly (k ? "a ring, unequal weights" : "a ring", &p,
               atanh (tanh (models_rounded (p.weights[0])) * tanh (models_rounded (p.weights[1]))));
    }
  models_plan p = { .type = VRG_MODEL_DENSE, .rows = 4, .columns = 3, .hidden = 24 }; /* a hidden unit for every bond */
  const double w = models_rounded (0.5 * acosh (exp (2 * 0.4)));
  for (int64_t i = 0; i < 12; i++)
    {
      p.weights[2 * i * 12 + i] = p.weights[2 * i * 12 + i / 3 * 3 + (i + 1) % 3] = w;
      p.weights[(2 * i + 1) * 12 + i] = p.weights[(2 * i + 1) * 12 + (i + 3) % 12] = w;
    }
  exactly ("a torus", &p, 0.5 * log (cosh (2 * w)));
}

/** Divergence, spread and errors against their definitions. */
static void
likelihoods (void)
{
  enum
  {
    SAMPLES = 4000,
    SITES = 16
  };
  const models_plan p = models_random_plan (VRG_MODEL_DENSE, 4, 4, 5, 21, 0.3, 0.2);
  const vrg_ising ising = { 0.25, 16 * M_LN2 }; /* any number will do here */
  static uint64_t up[SAMPLES];
  draw (4, 4, 0.25, 10, SAMPLES, up); /* independent, almost */
  const double lnz = models_lnz (&p);
  double logs = 0, log_squares = 0, mean = 0, squares = 0;
  for (int s = 0; s < SAMPLES; s++)
    {
      int bonds = 0;
      for (int i = 0; i < SITES; i++)
        bonds += ((up[s] >> i & 1) == (up[s] >> (i + 4) % 16 & 1) ? 1 : -1)
                 + ((up[s] >> i & 1) == (up[s] >> (i / 4 * 4 + (i + 1) % 4) & 1) ? 1 : -1);
      const double log_p = models_log_weight (&p, up[s]) - lnz, d = ising.nn * bonds - ising.lnz - log_p;
      logs += log_p / SAMPLES;
      log_squares += log_p * log_p / SAMPLES;
      mean += d / SAMPLES;
      squares += d * d / SAMPLES;
    }
  const double spread = sqrt ((squares - mean * mean) * SAMPLES / (SAMPLES - 1.0)), root = sqrt (SAMPLES);
  bool same, all = true;
  const vrg_likelihood l = measure (&p, 0, ising, 1, SAMPLES, up, &same);
  check_rel (l.log_likelihood, logs, 1e-12, "log-likelihood");
  check_rel (l.kl_per_site, mean / SITES, 1e-11, "divergence");
  check_rel (l.spread, spread / SITES, 1e-11, "spread");
  check (fabs (l.log_likelihood_error * root / sqrt (log_squares - logs * logs) - 1) < 0.4, "error of the likelihood");
  check (fabs (l.kl_per_site_error * root * SITES / spread - 1) < 0.4, "error of the divergence");
  check (same, "the same bits on every grid");
  const vrg_likelihood wide = measure (&p, 3, ising, 1, SAMPLES, up, &same);
  check_rel (wide.log_likelihood_error, hypot (3, l.log_likelihood_error), 1e-12, "with the error of ln Z");
  check_rel (wide.kl_per_site_error, hypot (3.0 / SITES, l.kl_per_site_error), 1e-12, "and that of the divergence");
  const vrg_likelihood chains = measure (&p, 0, ising, 8, SAMPLES, up, &same);
  check (fabs (chains.kl_per_site_error / l.kl_per_site_error - 1) < 0.4, "in eight chains");
  for (int s = 0; s < SAMPLES; s++)
    up[s] = up[s / 20 * 20];
  const vrg_likelihood slow = measure (&p, 0, ising, 1, SAMPLES, up, &same);
  check (fabs (slow.kl_per_site_error / l.kl_per_site_error / sqrt (20) - 1) < 0.4,
         "the same sample twenty times over");
  const vrg_likelihood unknown = measure (&p, 0, (vrg_ising){ 0.25, NAN }, 1, SAMPLES, up, &same);
  check (unknown.log_likelihood == slow.log_likelihood && isnan (unknown.kl_per_site) && isnan (unknown.spread)
           && isnan (unknown.kl_per_site_error),
         "no divergence from a law that is not known");
  const vrg_likelihood none = measure (&p, 0, ising, 1, 0, up, &same);
  check (isnan (none.log_likelihood) && isnan (none.kl_per_site), "no samples");
  for (int n = 1; n < 30; n++)
    all = all && isfinite (measure (&p, 0, ising, 3, n, up, &same).kl_per_site) && same;
  check (all, "few samples");
}

static void
laws (void)
{
  double torus, ring;
  vrg_exact_torus (4, 6, 0.3, &torus, NULL, NULL);
  vrg_exact_ring (10, 0.3, &ring, NULL, NULL);
  vrg_input input = { .dimension = 2, .n_size = 2, .size = { 4, 6 }, .n_coupling = 1, .coupling = { 0.3 } };
  vrg_ising ising = vrg_likelihood_ising (&input);
  check (ising.nn == 0.3 && ising.lnz == torus, "the law of a torus");
  input.coupling[0] = -0.3;
  ising = vrg_likelihood_ising (&input);
  check (ising.nn == -0.3 && ising.lnz == torus, "and with the other sign");
  input.size[1] = 7;
  check (isnan (vrg_likelihood_ising (&input).lnz), "which an odd side does not allow");
  input.coupling[0] = 0;
  check_rel (vrg_likelihood_ising (&input).lnz, 28 * M_LN2, 1e-15, "no coupling");
  input.coupling[0] = 0.3;
  input.permute = true;
  check (isnan (vrg_likelihood_ising (&input).lnz), "permuted spins");
  input.permute = false;
  input.field = 0.1;
  check (isnan (vrg_likelihood_ising (&input).lnz), "a field");
  input.field = 0;
  input.n_coupling = 2;
  check (isnan (vrg_likelihood_ising (&input).lnz), "two ensembles");
  input = (vrg_input){ .dimension = 1, .n_size = 1, .size = { 10 }, .n_coupling = 1, .coupling = { 0.3 } };
  check (vrg_likelihood_ising (&input).lnz == ring, "a ring");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const vrg_simd_path best = vrg_simd ();
  sums ();
  enumerations ();
  const models_plan dense = models_random_plan (VRG_MODEL_DENSE, 4, 4, 9, 31, 0.5, 0.3),
                    filters = models_random_plan (VRG_MODEL_CONVOLUTION, 4, 4, 2, 32, 0.3, 0.2),
                    wraps = models_random_plan (VRG_MODEL_CONVOLUTION, 2, 4, 1, 33, 0.5, 0.1);
  pseudo ("4x4 and 9", &dense, 37);
  pseudo ("4x4 and 9", &dense, 2501);
  pseudo ("4x4, two filters", &filters, 1000);
  pseudo ("a filter wider than 2x4", &wraps, 5);
  vrg_simd_set (best);
  exact_models ();
  likelihoods ();
  laws ();
  return check_end ();
}
