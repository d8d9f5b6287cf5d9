/* SPDX-License-Identifier: GPL-3.0-or-later
 * The analysis of models that are known exactly, and the same files on any ranks.  ranks: 1 2 3 4 */
#include "tests/train/stacks.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files/table.h"
#include "lattice/exact.h"
#include "train/analysis.h"

#define SAMPLES 40

static const char *const files[]
  = { "fields.tsv", "interactions.tsv", "model-samples.tsv", "reconstructions.tsv", "learnt.h5" };

enum
{
  FIELDS,
  INTERACTIONS,
  MODEL,
  RECONSTRUCTIONS,
  TABLES
};

/** What a run left, on rank 0. */
typedef struct
{
  char directory[64];
  vrg_table_data *table[TABLES];
} result;

/** Run in a new directory on the ranks of the grid; data: random spins. */
static result
run (vrg_grid *grid, const vrg_stack *stack, double nn)
{
  const int64_t rows = stack->layer[0]->rows, columns = stack->layer[0]->columns, words = (columns + 63) / 64;
  result r = { .directory = "analysis-XXXXXX" };
  if (grid->rank == 0 && !mkdtemp (r.directory))
    vrg_fail_one (VRG_FILE, "cannot make %s", r.directory);
  MPI_Bcast (r.directory, sizeof r.directory, MPI_CHAR, 0, grid->world);
  const vrg_input input = { .seed = 5, .n_coupling = 1, .coupling = { nn } };
  int64_t row0, row1, number[SAMPLES], n = 0;
  vrg_grid_span (rows, grid->strips, grid->strip, &row0, &row1);
  uint64_t *spins = vrg_new (SAMPLES * (row1 - row0) * words, sizeof *spins, "spins"), *next = spins;
  for (int64_t s = 0; s < SAMPLES; s++)
    if (s * grid->groups / SAMPLES == grid->group)
      {
        number[n++] = s;
        for (int64_t y = row0; y < row1; y++, next += words)
          for (int64_t x = 0; x < columns; x++)
            if (stacks_random (6, (uint64_t) ((s * rows + y) * columns + x)) > 0)
              next[x / 64] |= UINT64_C (1) << x % 64;
      }
  const vrg_analysis_data data = { SAMPLES, 4, n, number, spins };
  const int code = vrg_analysis_run (grid, &input, r.directory, "print", stack, &data);
  if (code != VRG_OK)
    vrg_fail_one (code, "%s", vrg_error_text ());
  vrg_free (spins);
  char path[128];
  for (int i = 0; i < TABLES && grid->rank == 0; i++)
    {
      snprintf (path, sizeof path, "%s/%s", r.directory, files[i]);
      if (vrg_table_read (path, &r.table[i]) != VRG_OK)
        vrg_fail_one (VRG_FILE, "%s", vrg_error_text ());
    }
  return r;
}

static void
clear (const vrg_grid *grid, result *r)
{
  char path[128];
  MPI_Barrier (grid->world);
  for (int i = 0; i < TABLES + 1 && grid->rank == 0; i++)
    {
      snprintf (path, sizeof path, "%s/%s", r->directory, files[i]);
      unlink (path);
      if (i < TABLES)
        vrg_table_free (r->table[i]);
    }
  if (grid->rank == 0 && rmdir (r->directory) != 0)
    fprintf (stderr, "# %s is not empty\n", r->directory);
}

/** A number of model-samples.tsv, on rank 0; 0 elsewhere. */
static double
cell (const result *r, int layers, const char *quantity, int distance, const char *column)
{
  const vrg_table_data *t = r->table[MODEL];
  if (!t)
    return 0;
  for (int i = 0; i < t->rows; i++)
    if ((int) vrg_table_number (t, i, 0) == layers && strcmp (t->cell[i * t->columns + 1], quantity) == 0
        && (int) vrg_table_number (t, i, 2) == distance)
      return vrg_table_number (t, i, vrg_table_column (t, column));
  return NAN;
}

static void
check_cell (const result *r, int layers, const char *quantity, int distance, double exact)
{
  const double value = cell (r, layers, quantity, distance, "value"),
               error = cell (r, layers, quantity, distance, "error");
  const bool good = !r->table[MODEL] || fabs (value - exact) <= 4 * error;
  check (good, "%d layer%s: %s at %d within 4 errors", layers, layers == 1 ? "" : "s", quantity, distance);
  if (!good)
    printf ("# %.6g (%.2g), exact %.6g\n", value, error, exact);
}

static bool
same_table (const vrg_table_data *a, const vrg_table_data *b)
{
  bool same = a->rows == b->rows && a->columns == b->columns && a->rows > 0;
  for (int k = 0; same && k < a->rows * a->columns; k++)
    same = strcmp (a->cell[k], b->cell[k]) == 0;
  return same;
}

/** The bytes of a dataset of learnt.h5, of any shape; rank 0 alone. */
static void *
dataset (const char *directory, const char *name, vrg_h5_type type, int64_t *bytes)
{
  char path[128];
  int64_t dims[VRG_H5_RANK];
  vrg_h5 *file;
  snprintf (path, sizeof path, "%s/learnt.h5", directory);
  if (vrg_h5_open (MPI_COMM_SELF, path, VRG_H5_READ, &file) != VRG_OK || vrg_h5_verify (file) != VRG_OK)
    vrg_fail_one (VRG_FILE, "%s", vrg_error_text ());
  vrg_h5_array array = { .name = name, .type = type, .rank = vrg_h5_shape (file, name, dims), .replicated = true };
  *bytes = 8;
  for (int i = 0; i < array.rank; i++)
    *bytes *= array.dims[i] = dims[i];
  array.data = vrg_new (*bytes, 1, "dataset");
  if (array.rank < 1 || vrg_h5_read (file, &array) != VRG_OK)
    vrg_fail_one (VRG_FILE, "%s: %s", name, vrg_error_text ());
  vrg_h5_close (file);
  return array.data;
}

/** Two runs left the same numbers. */
static void
check_same (const result *a, const result *b, int layers)
{
  bool same = true;
  for (int i = 0; i < TABLES && a->table[i]; i++)
    same = same && same_table (a->table[i], b->table[i]);
  check (same, "the same tables on any ranks");
  same = true;
  for (int k = 1; k <= layers && a->table[0]; k++)
    for (int i = 0; i < 4; i++)
      {
        static const char *const names[] = { "/layer-%d/effective_fields", "/samples/depth-%d",
                                             "/reconstructions/depth-%d", "/two_point/depth-%d_error" };
        char name[64];
        int64_t bytes[2];
        snprintf (name, sizeof name, names[i], k);
        const vrg_h5_type type = i == 1 || i == 2 ? VRG_U64 : VRG_F64;
        void *x = dataset (a->directory, name, type, &bytes[0]), *y = dataset (b->directory, name, type, &bytes[1]);
        same = same && bytes[0] == bytes[1] && memcmp (x, y, (size_t) bytes[0]) == 0;
        vrg_free (x);
        vrg_free (y);
      }
  check (same, "the same arrays in learnt.h5");
}

/** The weight that gives two neighbours of a hidden unit the coupling nn. */
static double
weight (double nn)
{
  return 0.5 * acosh (exp (2 * nn));
}

/** A ring: one filter of width 2, the data's chains being of another law. */
static void
test_ring (void)
{
  const double nn = 0.4;
  const int64_t length = 32;
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  vrg_stack stack = { .layers = 1, .layer = { stacks_convolution (1, length, 1, 2, 1) } };
  stack.layer[0]->weights[0] = stack.layer[0]->weights[1] = weight (nn);
  result r = run (grid, &stack, nn);
  double energy, specific_heat;
  vrg_exact_ring (length, nn, NULL, &energy, &specific_heat);
  check (!r.table[0] || fabs (cell (&r, 1, "energy", 0, "exact") - energy) < 1e-9, "the exact energy is in the table");
  check_cell (&r, 1, "energy", 0, energy);
  check_cell (&r, 1, "specific_heat", 0, specific_heat);
  check_cell (&r, 1, "two_point_column", 3, cell (&r, 1, "two_point_column", 3, "exact"));
  check_cell (&r, 1, "two_point_column", 16, cell (&r, 1, "two_point_column", 16, "exact"));
  check (!r.table[0] || fabs (cell (&r, 1, "energy", 0, "data")) < 5 * cell (&r, 1, "energy", 0, "data_error"),
         "random data");
  check (!r.table[0] || cell (&r, 1, "thermal", 0, "value") < 5, "chains have forgotten their start");
  clear (grid, &r);
  vrg_model_free (stack.layer[0]);
  vrg_grid_free (grid);
}

/** The torus: two filters, one for each direction; compared with one rank. */
static void
test_torus (void)
{
  const double nn = 0.3;
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  vrg_stack stack = { .layers = 1, .layer = { stacks_convolution (8, 8, 2, 2, 1) } };
  double *w = stack.layer[0]->weights;
  w[0] = w[1] = w[4] = w[6] = weight (nn);
  result r = run (grid, &stack, nn);
  double energy, specific_heat;
  vrg_exact_torus (8, 8, nn, NULL, &energy, &specific_heat);
  check_cell (&r, 1, "energy", 0, energy);
  check_cell (&r, 1, "specific_heat", 0, specific_heat);
  check_cell (&r, 1, "two_point_row", 1, -energy / 2);
  bool good = true;
  for (int i = 0; r.table[INTERACTIONS] && i < r.table[INTERACTIONS]->rows; i++)
    {
      const vrg_table_data *t = r.table[INTERACTIONS];
      good = good
             && fabs (vrg_table_number (t, i, vrg_table_column (t, "coupling"))
                      - vrg_table_number (t, i, vrg_table_column (t, "exact")))
                  < 1e-9;
    }
  check (good, "its couplings are nn, and 0 at every other distance and order");
  clear (grid, &r);
  vrg_model_free (stack.layer[0]);
  vrg_grid_free (grid);
}

/** Dense and deep, in strips: a hidden unit for every bond of a 4 x 4 torus in the first layer, two more above it. */
static vrg_stack
deep (const vrg_grid *grid, double nn)
{
  vrg_stack stack = { .layers = 3 };
  vrg_model *m = stack.layer[0] = stacks_dense (grid, NULL, 4, 4, 32);
  for (int64_t i = 0; i < 16; i++)
    for (int axis = 0; axis < 2; axis++)
      {
        stacks_set (m, 2 * i + axis, i, weight (nn));
        stacks_set (m, 2 * i + axis, axis == 0 ? (i + 4) % 16 : i / 4 * 4 + (i + 1) % 4, weight (nn));
      }
  stack.layer[1] = stacks_dense (grid, m, 0, 0, 70); /* no weights: units below it are free */
  stack.layer[2] = stacks_dense (grid, stack.layer[1], 0, 0, 5);
  for (int64_t j = 0; j < 350; j++)
    stacks_set (stack.layer[2], j / 70, j % 70, 0.3 * stacks_random (8, (uint64_t) j));
  return stack;
}

static void
deep_free (vrg_stack *stack)
{
  for (int k = 0; k < stack->layers; k++)
    vrg_model_free (stack->layer[k]);
}

static void
test_deep (int strips)
{
  const double nn = 0.25;
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, strips), *self = vrg_grid_new (MPI_COMM_SELF, 1);
  vrg_stack stack = deep (grid, nn);
  result r = run (grid, &stack, nn);
  double energy;
  vrg_exact_torus (4, 4, nn, NULL, &energy, NULL);
  check_cell (&r, 1, "energy", 0, energy);
  /* free hidden units: a site's four are independent of a neighbour's but for the one they share, and
   * <tanh (w (h1 + .. + h4)) h1> = g */
  double g = 0;
  for (int h = 0; h < 8; h++)
    {
      const double rest = (h & 1) + (h >> 1 & 1) + (h >> 2 & 1);
      g += tanh (weight (nn) * (1 + 2 * rest - 3)) / 8;
    }
  /* of the four, odd sums of three of them could be shared as well, but neighbours share one */
  check_cell (&r, 2, "two_point_row", 1, g * g);
  check_cell (&r, 2, "energy", 0, -2 * g * g);
  vrg_stack whole = deep (self, nn);
  result one = { .directory = "" };
  if (check_rank_ == 0)
    one = run (self, &whole, nn);
  check_same (&r, &one, stack.layers);
  if (check_rank_ == 0)
    clear (self, &one);
  deep_free (&whole);
  clear (grid, &r);
  deep_free (&stack);
  vrg_grid_free (self);
  vrg_grid_free (grid);
}

/** Filters on filters: any grid of groups against one rank. */
static vrg_stack
filters (void)
{
  vrg_stack stack
    = { .layers = 2, .layer = { stacks_convolution (16, 72, 1, 4, 2), stacks_convolution (8, 36, 3, 4, 2) } };
  for (int i = 0; i < 16; i++)
    stack.layer[0]->weights[i] = 0.3 * stacks_random (9, (uint64_t) i);
  for (int i = 0; i < 48; i++)
    stack.layer[1]->weights[i] = 0.3 * stacks_random (10, (uint64_t) i);
  for (int i = 0; i < 3; i++)
    stack.layer[1]->hidden_bias[i] = 0.2 * i;
  return stack;
}

static void
test_filters (void)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1), *self = vrg_grid_new (MPI_COMM_SELF, 1);
  vrg_stack stack = filters ();
  result r = run (grid, &stack, 0.3), one = { .directory = "" };
  if (check_rank_ == 0)
    one = run (self, &stack, 0.3);
  check_same (&r, &one, 2);
  if (check_rank_ == 0)
    clear (self, &one);
  clear (grid, &r);
  deep_free (&stack);
  vrg_grid_free (self);
  vrg_grid_free (grid);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_ring ();
  test_torus ();
  test_filters ();
  for (int strips = 1; strips <= 2; strips++)
    if (check_size_ % strips == 0)
      test_deep (strips);
  return check_end ();
}
