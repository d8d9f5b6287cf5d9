/* SPDX-License-Identifier: GPL-3.0-or-later
 * The levels of an input: sides and depth in every dimension, each level blocked from the one above it, the weighted
 * rule against its field by hand, a model of two layers with a filter each, and models that do not fit.
 * ranks: 1 2 3 4 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/math.h"
#include "files/model.h"
#include "flow/learnt.h"
#include "flow/levels.h"
#include "tests/check.h"

#define SAMPLE 17

static char directory[64];

static vrg_input
parse (const char *text)
{
  vrg_input input;
  const int status = vrg_param_parse ("test", text, 0, NULL, &input);
  if (status != VRG_OK)
    vrg_fail_one (VRG_USAGE, "%s", vrg_error_text ());
  return input;
}

static vrg_samples_info
info_of (const vrg_input *input)
{
  vrg_samples_info info = { .dimension = input->dimension };
  int64_t plane;
  vrg_lattice_flat ((int) input->dimension, input->size, &info.rows, &info.columns, &plane);
  return info;
}

/* Levels filled with a random configuration. */
static vrg_levels *
filled (const vrg_input *input, const vrg_filters *filters, const vrg_rng *rng)
{
  vrg_levels *levels = vrg_levels_new (input, filters);
  vrg_lattice *random = levels->lattice[0];
  uint64_t *packed = vrg_new (random->rows * random->words, sizeof *packed, "test");
  vrg_lattice_random (random, rng);
  vrg_lattice_pack (random, packed);
  vrg_levels_fill (levels, packed, rng, SAMPLE);
  vrg_free (packed);
  return levels;
}

static bool
same_spins (const vrg_lattice *one, const vrg_lattice *other)
{
  bool same = one->rows == other->rows && one->columns == other->columns && one->plane == other->plane;
  for (int64_t y = 0; same && y < one->rows; y++)
    same = memcmp (vrg_lattice_row (one, y), vrg_lattice_row (other, y), (size_t) one->words * sizeof (uint64_t)) == 0;
  return same;
}

/* Majority and decimation of every level, done again. */
static void
check_plain (int dimension, const char *size, int scale, int wanted, int depth, const int64_t *last)
{
  char text[512];
  snprintf (text, sizeof text,
            "[run]\nseed = 5\n[lattice]\ndimension = %d\nsize = %s\n[couplings]\nnn = 0.3\n[flow]\nrules = majority "
            "decimation\n"
            "scale = %d\nlevels = %d\n",
            dimension, size, scale, wanted);
  const vrg_input input = parse (text);
  const vrg_filters none = { 0 };
  vrg_rng rng;
  vrg_rng_init (&rng, 3, 1, 0);
  vrg_levels *levels = filled (&input, &none, &rng);
  check (levels->depth == depth && levels->n == 1 + 2 * depth, "%dD %s, b = %d: %d levels of %d wanted", dimension,
         size, scale, depth, wanted);
  bool good = true, sides = true;
  for (int rule = 0; rule < 2; rule++)
    for (int level = 1; level <= depth; level++)
      {
        const int i = vrg_levels_index (levels, rule, level), parent = vrg_levels_parent (levels, i);
        const vrg_lattice *fine = levels->lattice[parent], *got = levels->lattice[i];
        vrg_lattice *again
          = vrg_lattice_new_size (dimension,
                                  dimension == 3 ? (const int64_t[]){ got->rows / got->plane, got->plane, got->columns }
                                  : dimension == 2 ? (const int64_t[]){ got->rows, got->columns, 1 }
                                                   : (const int64_t[]){ got->columns, 1, 1 },
                                  0, dimension == 1 ? 1 : got->rows / got->plane);
        if (rule == 0)
          vrg_block_majority (fine, again, scale, &rng, SAMPLE, level);
        else
          vrg_block_decimation (fine, again, scale);
        good = good && parent == (level == 1 ? 0 : i - 1) && same_spins (got, again);
        if (level == depth)
          sides = sides && again->columns == last[dimension - 1]
                  && again->rows
                       == (dimension == 1   ? 1
                           : dimension == 2 ? last[0]
                                            : last[0] * last[1])
                  && again->plane == (dimension == 3 ? last[1] : 1);
        vrg_lattice_free (again);
      }
  check (good && sides, "%dD %s, b = %d: each level is blocked from the one above it", dimension, size, scale);
  vrg_levels_free (levels);
}

/* The weighted rule of `dimension`: counts of spins in the block and of those a bond away. */
static void
check_weighted (int dimension, const char *size, int scale)
{
  char text[512];
  snprintf (
    text, sizeof text,
    "[run]\nseed = 5\n[lattice]\ndimension = %d\nsize = %s\n[couplings]\nnn = 0.3\n[flow]\nrules = weighted majority\n"
    "scale = %d\nlevels = 1\nweights = 0.625 0.125\n",
    dimension, size, scale);
  const vrg_input input = parse (text);
  const vrg_samples_info info = info_of (&input);
  vrg_filters filters;
  vrg_rng rng;
  vrg_rng_init (&rng, 4, 1, 0);
  check (vrg_filters_init (NULL, "", &input, &info, &filters) == VRG_OK, "%dD: weights are no file", dimension);
  vrg_levels *levels = filled (&input, &filters, &rng);
  vrg_filters_free (&filters);
  const vrg_lattice *fine = levels->lattice[0], *coarse = levels->lattice[1];
  const int b = scale;
  const int64_t columns = fine->columns, height = dimension == 3 ? fine->plane : fine->rows,
                depth = fine->rows / height;
  const int bz = dimension > 2 ? b : 1, by = dimension > 1 ? b : 1;
  bool good = true;
  for (int64_t y = 0; y < coarse->rows; y++)
    for (int64_t x = 0; x < coarse->columns; x++)
      {
        const int64_t top[3] = { y / (height / by) * bz, y % (height / by) * by, x * b };
        int inside = 0, beside = 0;
        for (int dz = 0; dz < bz; dz++)
          for (int dy = 0; dy < by; dy++)
            for (int dx = 0; dx < b; dx++)
              {
                inside += vrg_lattice_get (fine, (top[0] + dz) * height + top[1] + dy, top[2] + dx);
                /* every site of a face sees one site beyond it */
                if (dx == 0 || dx == b - 1)
                  for (int way = -1; way <= 1; way += 2)
                    if (dx == (way < 0 ? 0 : b - 1))
                      beside += vrg_lattice_get (fine, (top[0] + dz) * height + top[1] + dy,
                                                 (top[2] + dx + way + columns) % columns);
                for (int way = -1; way <= 1 && dimension > 1; way += 2)
                  if (dy == (way < 0 ? 0 : by - 1))
                    beside += vrg_lattice_get (fine, (top[0] + dz) * height + (top[1] + dy + way + height) % height,
                                               top[2] + dx);
                for (int way = -1; way <= 1 && dimension > 2; way += 2)
                  if (dz == (way < 0 ? 0 : bz - 1))
                    beside += vrg_lattice_get (fine, (top[0] + dz + way + depth) % depth * height + top[1] + dy,
                                               top[2] + dx);
              }
        const int32_t field = (5 * inside + beside) * (VRG_FIXED_ONE / 8);
        const int64_t i = y * coarse->columns + x;
        uint64_t random[2];
        vrg_rng_block (&rng, VRG_RNG_LEARNT, (uint64_t) i / 4, SAMPLE, 1, random);
        const bool up = (uint32_t) (random[i % 4 / 2] >> (i % 2 * 32)) < vrg_probability (field);
        good = good && vrg_lattice_get (coarse, y, x) == (up ? 1 : -1);
      }
  check (good, "%dD %s, b = %d: the weighted rule's field", dimension, size, scale);
  vrg_levels_free (levels);
}

static void
check_large_weights (void)
{
  vrg_filter filter;
  check (vrg_filter_weighted (3, 8, (const double[]){ 10, 1 }, &filter) == VRG_USAGE && filter.weights == NULL,
         "weights too large: %s", vrg_error_text ());
  check (vrg_filter_weighted (2, 2, (const double[]){ -1, 0.5 }, &filter) == VRG_OK && filter.size == 4
           && filter.weights[0] == 0 && filter.weights[1] == VRG_FIXED_ONE / 2 && filter.weights[5] == -VRG_FIXED_ONE,
         "weights of any sign");
  vrg_free (filter.weights);
}

/* A model: layers of the sides that follow from the first one, filter l filled with weights of its own. */
typedef struct
{
  int layers;
  int64_t rows, columns, stride, filter[3], hidden;
  double scale, bias;
} plan;

static double
weight (const plan *p, int l, int64_t i)
{
  const double sign = l == 1 ? -1 : 1; /* the sum of layer 2 is negative */
  return sign * p->scale * (0.3 / (double) (i % 5 + 1) - 0.05 * l);
}

static void
write_model (const vrg_input *input, const plan *p)
{
  vrg_stack *stack = vrg_new (1, sizeof *stack, "test");
  stack->layers = p->layers;
  stack->n_nn = 1;
  stack->nn[0] = input->nn[0];
  int64_t rows = p->rows, columns = p->columns;
  for (int l = 0; l < p->layers; l++)
    {
      vrg_model *m = stack->layer[l] = vrg_new (1, sizeof *m, "test");
      *m = (vrg_model){ .type = VRG_MODEL_CONVOLUTION,
                        .rows = rows,
                        .columns = columns,
                        .hidden = l == p->layers - 1 ? p->hidden : 1,
                        .filter = p->filter[l],
                        .stride = p->stride,
                        .visible1 = 1 };
      vrg_model_allocate (m);
      for (int64_t i = 0; i < vrg_model_weights (m); i++)
        m->weights[i] = weight (p, l, i);
      m->hidden_bias[0] = p->bias;
      rows = vrg_model_hidden_rows (m);
      columns /= p->stride;
    }
  char *fingerprint = vrg_param_fingerprint (input, VRG_STAGE_TRAIN);
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  if (vrg_model_write (grid, directory, fingerprint, stack) != VRG_OK)
    vrg_fail_one (VRG_FILE, "%s", vrg_error_text ());
  vrg_grid_free (grid);
  vrg_free (fingerprint);
  vrg_stack_free (stack);
}

static int
read_model (const vrg_input *input, vrg_filters *filters)
{
  const vrg_samples_info info = info_of (input);
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  const int status = vrg_filters_init (grid, directory, input, &info, filters);
  vrg_grid_free (grid);
  return status;
}

/* Level n of the learnt rules against a filter made by hand: layer n's, above the last layer its own. */
static void
check_stack (const vrg_input *input, const plan *p)
{
  vrg_filters filters;
  vrg_rng rng;
  vrg_rng_init (&rng, 6, 0, 0);
  write_model (input, p);
  const int status = read_model (input, &filters), dimension = (int) input->dimension;
  check (status == VRG_OK && filters.layers == p->layers, "%dD: %d layers are read", dimension, p->layers);
  vrg_levels *levels = filled (input, &filters, &rng);
  bool good = true;
  for (int rule = 0; rule < 2; rule++)
    for (int level = 1; level <= levels->depth; level++)
      {
        const int i = vrg_levels_index (levels, rule, level), l = level < p->layers ? level - 1 : p->layers - 1;
        const vrg_lattice *got = levels->lattice[i];
        const int64_t n = dimension == 1 ? p->filter[l] : p->filter[l] * p->filter[l];
        int32_t weights[64];
        double sum = 0;
        for (int64_t k = 0; k < n; k++)
          sum += weight (p, l, k);
        for (int64_t k = 0; k < n; k++)
          weights[k] = vrg_fixed (sum < 0 ? -weight (p, l, k) : weight (p, l, k));
        vrg_block_filter *filter = vrg_block_filter_new (dimension, (int) p->stride, (int) p->filter[l], weights);
        vrg_lattice *again = vrg_lattice_new_size (
          dimension, dimension == 1 ? &got->columns : (const int64_t[]){ got->rows, got->columns }, 0, got->rows);
        vrg_block_field (levels->lattice[vrg_levels_parent (levels, i)], again, filter, rule == 1, &rng, SAMPLE, level);
        good = good && same_spins (got, again);
        vrg_lattice_free (again);
        vrg_block_filter_free (filter);
      }
  check (good && levels->depth > p->layers, "%dD: every level has its filter, %d levels of %d layers", dimension,
         levels->depth, p->layers);
  vrg_levels_free (levels);
  vrg_filters_free (&filters);
}

static void
check_refused (const vrg_input *input, const plan *p, const char *what, const char *says)
{
  vrg_filters filters;
  write_model (input, p);
  const int status = read_model (input, &filters);
  check (status == VRG_FILE && strstr (vrg_error_text (), says) != NULL, "%s: %s", what, vrg_error_text ());
  vrg_filters_free (&filters);
}

static void
check_models (void)
{
  const vrg_input two
    = parse (
      "[run]\nseed = 5\n[lattice]\nsize = 32 48\n[train]\nmodel = convolution\nhidden = 1 1\nfilter = 4\nstride = 2\n"
      "[flow]\nrules = learnt learnt-sign\nscale = 2\nlevels = 4\n"),
    one = parse (
      "[run]\nseed = 5\n[lattice]\ndimension = 1\nsize = 162\n[couplings]\nnn = 0.5\n[train]\nmodel = convolution\n"
      "hidden = 1 1 1\nfilter = 5\nstride = 3\n[flow]\nrules = learnt learnt-sign\nscale = 3\nlevels = 4\n");
  check_stack (&two, &(plan){ 2, 32, 48, 2, { 4, 6 }, 1, 1, 0 });
  check_stack (&two, &(plan){ 1, 32, 48, 2, { 8 }, 1, 1, 0 });
  check_stack (&one, &(plan){ 3, 1, 162, 3, { 5, 3, 7 }, 1, 1, 0 });
  check_refused (&two, &(plan){ 1, 48, 48, 2, { 4 }, 1, 1, 0 }, "another lattice", "another lattice: 48x48");
  check_refused (&two, &(plan){ 2, 32, 48, 4, { 4, 4 }, 1, 1, 0 }, "another stride", "stride is 4 and [flow] scale 2");
  check_refused (&two, &(plan){ 2, 32, 48, 2, { 4, 4 }, 3, 1, 0 }, "more filters", "layer 2: the learnt rule takes");
  check_refused (&two, &(plan){ 1, 32, 48, 2, { 4 }, 1, 1000, 0 }, "large weights", "too large");
  check_refused (&two, &(plan){ 1, 32, 48, 2, { 4 }, 1, NAN, 0 }, "weights that are no numbers", "not numbers");
  vrg_input other = two;
  other.seed++;
  vrg_filters filters;
  write_model (&other, &(plan){ 1, 32, 48, 2, { 4 }, 1, 1, 0 });
  check (read_model (&two, &filters) == VRG_FILE && strstr (vrg_error_text (), "other parameters") != NULL,
         "a model of other parameters: %s", vrg_error_text ());
  vrg_filters_free (&filters);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  strcpy (directory, "/tmp/vrg-test-levels-XXXXXX");
  if (check_rank_ == 0 && mkdtemp (directory) == NULL)
    vrg_fail_one (VRG_FILE, "cannot make a directory in /tmp");
  MPI_Bcast (directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);

  check_plain (1, "96", 2, 4, 4, (const int64_t[]){ 6 });
  check_plain (1, "135", 3, 9, 3, (const int64_t[]){ 5 });
  check_plain (2, "64", 2, 16, 5, (const int64_t[]){ 2, 2 });
  check_plain (2, "9 27", 3, 4, 1, (const int64_t[]){ 3, 9 });
  check_plain (2, "45", 3, 2, 2, (const int64_t[]){ 5, 5 });
  check_plain (2, "45", 5, 1, 1, (const int64_t[]){ 9, 9 });
  check_plain (2, "20 40", 4, 3, 1, (const int64_t[]){ 5, 10 });
  check_plain (2, "35", 5, 0, 0, NULL);
  check_plain (3, "16 8 24", 2, 3, 2, (const int64_t[]){ 4, 2, 6 });
  check_plain (3, "27", 3, 2, 2, (const int64_t[]){ 3, 3, 3 });
  check_weighted (1, "24", 2);
  check_weighted (2, "12 16", 2);
  check_weighted (2, "27 9", 3);
  check_weighted (2, "4", 2);
  check_weighted (3, "8 4 12", 2);
  check_weighted (3, "9", 3);
  check_large_weights ();
  check_models ();

  MPI_Barrier (MPI_COMM_WORLD);
  char path[128];
  snprintf (path, sizeof path, "%s/model.h5", directory);
  if (check_rank_ == 0 && (unlink (path) != 0 || rmdir (directory) != 0))
    vrg_fail_one (VRG_FILE, "cannot remove %s", directory);
  return check_end ();
}
