/* SPDX-License-Identifier: GPL-3.0-or-later
 * The mapping between RBMs and renormalization: the identity H_RG = H_RBM for random machines, the trace condition met
 * by the machine that is the Ising ring exactly, laws carried up and down, and mapping.tsv.
 * ranks: 1 2 3 4 */
#include <string.h>

#include "files/model.h"
#include "files/table.h"
#include "flow/mapping.h"
#include "lattice/exact.h"
#include "tests/check.h"
#include "tests/files/scratch.h"
#include "tests/train/models.h"

#define RING 12

static vrg_input
input_of (const char *text)
{
  vrg_input input;
  if (vrg_param_parse ("test", text, 0, NULL, &input) != VRG_OK)
    vrg_fail_one (VRG_USAGE, "%s", vrg_error_text ());
  return input;
}

/** Largest difference of two arrays. */
static double
difference (const double *a, const double *b, int64_t n)
{
  double largest = 0;
  for (int64_t i = 0; i < n; i++)
    largest = fmax (largest, fabs (a[i] - b[i]));
  return largest;
}

static void
check_random (const vrg_grid *grid)
{
  static const struct
  {
    int type;
    int64_t rows, columns, hidden;
  } shapes[] = { { VRG_MODEL_DENSE, 3, 3, 5 },
                 { VRG_MODEL_DENSE, 1, 6, 14 },
                 { VRG_MODEL_DENSE, 2, 5, 60 },
                 { VRG_MODEL_CONVOLUTION, 3, 4, 1 },
                 { VRG_MODEL_CONVOLUTION, 1, 10, 2 } };
  for (uint64_t seed = 1; seed <= sizeof shapes / sizeof *shapes; seed++)
    {
      const int64_t rows = shapes[seed - 1].rows, columns = shapes[seed - 1].columns,
                    n = INT64_C (1) << (rows * columns);
      const int units = (int) (rows * columns);
      const models_plan plan
        = models_random_plan (shapes[seed - 1].type, rows, columns, shapes[seed - 1].hidden, seed, 0.7, 0.4);
      vrg_layer *layer = models_layer (grid, &plan);
      vrg_mapping *m = vrg_mapping_new (layer);
      double *marginal = vrg_new (4 * n, sizeof *marginal, "test"), *law = marginal + n, *brute = law + n,
             *back = brute + n;
      vrg_mapping_marginal (m, marginal);
      const double lnz = models_lnz (&plan);
      for (int64_t v = 0; v < n; v++)
        {
          brute[v] = models_log_weight (&plan, (uint64_t) v) - lnz;
          law[v] = models_random (seed + 50, (uint64_t) v); /* any Hamiltonian, of any normalisation */
        }
      check (difference (marginal, brute, n) < 1e-12, "machine %d: its law", (int) seed);
      vrg_rng rng;
      int64_t states;
      vrg_rng_init (&rng, seed, 0, 0);
      const double identity = vrg_mapping_identity (m, law, 1 << 12, &rng, &states);
      check (identity < 1e-12 && states == (layer->hidden <= 12 ? INT64_C (1) << layer->hidden : 1 << 12),
             "machine %d: H_RG = H_RBM within %.1e for %d states of %d hidden units", (int) seed, identity,
             (int) states, (int) layer->hidden);
      double spread, range;
      vrg_mapping_trace (units, marginal, marginal, &spread, &range);
      check (spread == 0 && range == 0 && vrg_mapping_divergence (units, marginal, marginal) == 0,
             "machine %d: it is itself", (int) seed);
      if (layer->hidden <= VRG_MAPPING_PAIRS - units)
        {
          double *up = vrg_new (INT64_C (1) << layer->hidden, sizeof *up, "test");
          check (vrg_mapping_up (m, marginal, up)
                   && (layer->hidden > VRG_MAPPING_MOST || vrg_mapping_down (m, up, back))
                   && difference (marginal, back, n) < 1e-12,
                 "machine %d: its law is left as it is by v -> h -> v", (int) seed);
          vrg_free (up);
        }
      else
        check (!vrg_mapping_up (m, marginal, NULL), "machine %d: too large to carry up", (int) seed);
      vrg_free (marginal);
      vrg_mapping_free (m);
      models_free (layer);
    }
}

/** w = arccosh (exp 2K) / 2 for a K close to `wanted` whose w is a multiple of 2^-20. */
static double
chain_weight (double wanted, double *nn)
{
  const double w = models_rounded (acosh (exp (2 * wanted)) / 2);
  *nn = log (cosh (2 * w)) / 2;
  return w;
}

static void
check_chain (const vrg_grid *grid)
{
  double nn, law[1 << RING], marginal[1 << RING], spread, range, lnz;
  models_plan dense = { .type = VRG_MODEL_DENSE, .rows = 1, .columns = RING, .hidden = RING },
              filter
              = { .type = VRG_MODEL_CONVOLUTION, .rows = 1, .columns = RING, .hidden = 1, .filter = 2, .stride = 1 };
  filter.weights[0] = filter.weights[1] = chain_weight (0.4, &nn);
  for (int j = 0; j < RING; j++)
    dense.weights[j * RING + j] = dense.weights[j * RING + (j + 1) % RING] = filter.weights[0];
  char text[256];
  snprintf (text, sizeof text,
            "[lattice]\ndimension = 1\nsize = %d\n[couplings]\nnn = %.17g\n[sample]\nconfigurations = 1000\n"
            "[train]\nmodel = dense\nhidden = %d\n[flow]\nrules = decimation\n",
            RING, nn, RING);
  const vrg_input input = input_of (text);
  vrg_mapping_ising (&input, law);
  vrg_exact_ring (RING, nn, &lnz, NULL, NULL);
  check_rel (law[0], RING * nn - lnz, 1e-13, "the law of the ring");
  const models_plan *plans[] = { &dense, &filter };
  for (int k = 0; k < 2; k++)
    {
      vrg_layer *layer = models_layer (grid, plans[k]);
      vrg_mapping *m = vrg_mapping_new (layer);
      vrg_mapping_marginal (m, marginal);
      vrg_mapping_trace (RING, law, marginal, &spread, &range);
      const double kl = vrg_mapping_divergence (RING, law, marginal);
      check (range < 1e-13 && spread < 1e-13 && fabs (kl) < 1e-14,
             "the exact ring, %s: trace condition within %.1e, KL %.1e", k == 0 ? "dense" : "a filter", range, kl);
      vrg_mapping_free (m);
      models_free (layer);
    }
}

static vrg_model
copy_of (models_plan *p)
{
  return (vrg_model){ .type = p->type,
                      .rows = p->rows,
                      .columns = p->columns,
                      .hidden = p->hidden,
                      .visible1 = p->rows * p->columns,
                      .weights = p->weights,
                      .visible_bias = p->visible_bias,
                      .hidden_bias = p->hidden_bias };
}

static double
cell (const vrg_table_data *t, int layer, const char *quantity)
{
  for (int row = 0; t && row < t->rows; row++)
    if (vrg_table_number (t, row, 0) == layer && strcmp (t->cell[row * t->columns + 1], quantity) == 0)
      return vrg_table_number (t, row, 3);
  return NAN;
}

/** A stack whose second layer is the first upside down: it stands for the same law of the lattice. */
static void
check_table (const vrg_grid *grid)
{
  const vrg_input input
    = input_of ("[lattice]\ndimension = 1\nsize = 9\n[couplings]\nnn = 0.3 0.5\n[sample]\nconfigurations = 1000\n"
                "[train]\nmodel = dense\nhidden = 7 9\ncoupling = 0.3 0.5\n[flow]\nlevels = 1\n"
                "rules = majority\nscale = 3\n");
  models_plan first = models_random_plan (VRG_MODEL_DENSE, 1, 9, 7, 9, 0.5, 0.2), second = first;
  second.columns = 7;
  second.hidden = 9;
  for (int j = 0; j < 7; j++)
    for (int i = 0; i < 9; i++)
      second.weights[i * 7 + j] = first.weights[j * 9 + i];
  memcpy (second.visible_bias, first.hidden_bias, 7 * sizeof (double));
  memcpy (second.hidden_bias, first.visible_bias, 9 * sizeof (double));
  vrg_model models[] = { copy_of (&first), copy_of (&second) };
  const vrg_stack stack = { .layers = 2, .layer = { &models[0], &models[1] }, .n_nn = 2, .nn = { 0.3, 0.5 } };
  char *fingerprint = vrg_param_fingerprint (&input, VRG_STAGE_TRAIN);
  check (vrg_model_write (grid, scratch_directory, fingerprint, &stack) == VRG_OK, "a stack is written");
  vrg_samples_info info = { .dimension = 1, .size = { 9, 1, 1 }, .rows = 1, .columns = 9, .words = 1 };
  const int status = vrg_mapping_write (grid, &input, &info, scratch_directory);
  check (status == VRG_OK, "its mapping: %s", status == VRG_OK ? "written" : vrg_error_text ());
  MPI_Barrier (MPI_COMM_WORLD);
  vrg_table_data *t = NULL;
  check (vrg_table_read (scratch_path ("mapping.tsv"), &t) == VRG_OK, "mapping.tsv");
  check (cell (t, 1, "identity") < 1e-12 && cell (t, 2, "identity") < 1e-12, "the identity in both layers");
  const double kl[]
    = { cell (t, 1, "kl_per_unit"), cell (t, 1, "stack_kl_per_site"), cell (t, 2, "stack_kl_per_site") };
  check (kl[0] > 1e-3 && cell (t, 1, "trace_range") > 1e-3, "KL %.4f nats per site", kl[0]);
  check_rel (kl[1], kl[0], 1e-9, "a stack of one layer");
  check_rel (kl[2], kl[0], 1e-9, "a stack of it and itself upside down");
  const double top = cell (t, 2, "kl_per_unit");
  check (top > 0 && top * 7 < kl[0] * 9, "KL of the hidden units %.4f: less than that of the visible ones", top * 7);
  vrg_table_free (t);

  info.columns = 6;
  check (vrg_mapping_write (grid, &input, &info, scratch_directory) == VRG_FILE, "another lattice: %s",
         vrg_error_text ());
  vrg_free (fingerprint);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  scratch_begin ();
  vrg_grid *alone = vrg_grid_new (MPI_COMM_SELF, 1), *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  check_random (alone);
  check_chain (alone);
  check_table (grid);
  vrg_grid_free (alone);
  vrg_grid_free (grid);
  scratch_end ();
  return check_end ();
}
