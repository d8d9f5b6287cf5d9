/* SPDX-License-Identifier: GPL-3.0-or-later
 * Receptive fields: blobs of known place and size, alone, through layers and through filters.  ranks: 1 2 3 4 */
#include "tests/train/stacks.h"

#include <stddef.h>
#include <string.h>

#include "train/fields.h"

#define ROWS 24
#define COLUMNS 30

/** A Gaussian of periodic distance: r^2 has deviation `width` along each axis. */
static double
blob (double y, double x, double row, double column, double width)
{
  const double dy = remainder (y - row, ROWS), dx = remainder (x - column, COLUMNS);
  return exp (-(dy * dy + dx * dx) / (4 * width * width));
}

static const struct
{
  double row, column, width, size;
} blobs[] = { { 5, 7, 1.5, 1 }, { 0.25, 29.5, 2, -3 }, { 23.75, 0.5, 1.2, 0.5 }, { 12, 15, 1.5, 0.001 } };

static vrg_model *
layer_of_blobs (const vrg_grid *grid)
{
  vrg_model *m = stacks_dense (grid, NULL, ROWS, COLUMNS, 6);
  for (int j = 0; j < 4; j++)
    for (int64_t i = 0; i < ROWS * COLUMNS; i++)
      stacks_set (
        m, j, i,
        blobs[j].size
          * blob ((double) (i / COLUMNS), (double) (i % COLUMNS), blobs[j].row, blobs[j].column, blobs[j].width));
  for (int64_t i = 0; i < ROWS * COLUMNS; i++)
    stacks_set (m, 4, i, 0.5 * stacks_random (4, (uint64_t) i)); /* unit 5 has no weights at all */
  return m;
}

static bool
same_units (int64_t n, const vrg_fields *a, const vrg_fields *b)
{
  bool same = a->units == n && b->units == n;
  for (int64_t j = 0; j < n && same; j++)
    same = memcmp (&a->unit[j], &b->unit[j], offsetof (vrg_field, live)) == 0 && a->unit[j].live == b->unit[j].live;
  return same;
}

static void
test_dense (void)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, stacks_strips (check_size_, ROWS));
  vrg_model *m = layer_of_blobs (grid), *above = stacks_dense (grid, m, 0, 0, 3);
  vrg_fields *f = vrg_fields_new (grid, m);
  for (int j = 0; j < 4; j++)
    {
      const vrg_field *u = &f->unit[j];
      const double width = blobs[j].width;
      check_abs (remainder (u->row - blobs[j].row, ROWS), 0, 1e-9, "row of the centre");
      check_abs (remainder (u->column - blobs[j].column, COLUMNS), 0, 1e-9, "column of the centre");
      check_rel (u->radius, sqrt (2) * width, 1e-6, "radius");
      check_rel (u->participation, 1 / (4 * M_PI * width * width), 1e-4, "participation");
      check_rel (u->norm, fabs (blobs[j].size) * sqrt (2 * M_PI) * width, 1e-4, "norm");
    }
  check (f->unit[0].live && f->unit[1].live && f->unit[2].live && f->unit[4].live, "these units are live");
  check (!f->unit[3].live && !f->unit[5].live && f->unit[5].norm == 0, "and these are not");
  double radius;
  check (vrg_fields_live (f, &radius) == 4, "so many live units");
  check_abs (radius, sqrt (2) * (1.5 + 2) / 2, 1e-5, "their median radius");
  double square = 0;
  for (int64_t y = -ROWS / 2; y < ROWS / 2; y++)
    square += (double) (y * y) / ROWS;
  for (int64_t x = -COLUMNS / 2; x < COLUMNS / 2; x++)
    square += (double) (x * x) / COLUMNS;
  check_rel (vrg_fields_structureless (f), sqrt (square), 1e-14, "radius without structure");
  check (fabs (f->unit[4].radius / sqrt (square) - 1) < 0.05, "a random field's radius is near it");

  /* two blobs side by side; one blob; nothing */
  stacks_set (above, 0, 0, 2);
  stacks_set (above, 0, 2, -1);
  stacks_set (above, 1, 1, 0.5);
  vrg_fields *g = vrg_fields_above (grid, f, above);
  double *maps = vrg_new (3 * ROWS * COLUMNS, sizeof *maps, "maps"),
         *lower = vrg_new (6 * ROWS * COLUMNS, sizeof *maps, "maps");
  vrg_fields_get (grid, f, 0, 6, lower);
  vrg_fields_get (grid, g, 0, 3, maps);
  bool same = true;
  for (int64_t i = 0; i < ROWS * COLUMNS; i++)
    same = same && maps[i] == 2 * lower[i] - lower[2 * ROWS * COLUMNS + i]
           && maps[ROWS * COLUMNS + i] == 0.5 * lower[ROWS * COLUMNS + i] && maps[2 * ROWS * COLUMNS + i] == 0;
  check (same, "the field above is the product of the layers");
  check_abs (g->unit[1].radius, f->unit[1].radius, 1e-12, "its radius");
  check_rel (g->unit[0].own, sqrt (5), 1e-14, "the norm of its own weights");
  check (g->unit[0].live && g->unit[1].live && !g->unit[2].live, "live and dead units above");
  vrg_free (maps);
  vrg_free (lower);

  /* the same bits on one rank */
  vrg_grid *self = vrg_grid_new (MPI_COMM_SELF, 1);
  vrg_model *whole = layer_of_blobs (self), *second = stacks_dense (self, whole, 0, 0, 3);
  stacks_set (second, 0, 0, 2);
  stacks_set (second, 0, 2, -1);
  stacks_set (second, 1, 1, 0.5);
  vrg_fields *one = vrg_fields_new (self, whole), *two = vrg_fields_above (self, one, second);
  check (same_units (6, one, f) && same_units (3, two, g), "the same bits on any ranks");
  vrg_fields_free (one);
  vrg_fields_free (two);
  vrg_fields_free (f);
  vrg_fields_free (g);
  vrg_model_free (whole);
  vrg_model_free (second);
  vrg_model_free (m);
  vrg_model_free (above);
  vrg_grid_free (self);
  vrg_grid_free (grid);
}

/** Filters of stride 2 on each other: what the unit at the origin sees, and how far. */
static void
test_convolution (int64_t length)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  vrg_model *m = stacks_convolution (length, length, 1, 4, 2),
            *above = stacks_convolution (length / 2, length / 2, 2, 4, 2);
  for (int i = 0; i < 16; i++)
    m->weights[i] = above->weights[i] = above->weights[16 + (i + 5) % 16] = 1 + 0.5 * stacks_random (7, (uint64_t) i);
  vrg_fields *f = vrg_fields_new (grid, m), *g = vrg_fields_above (grid, f, above);
  double *expected = vrg_new (2 * length * length, sizeof *expected, "maps"), worst = 0, sum = 0;
  for (int64_t u = 0; u < 2; u++)
    for (int64_t a = 0; a < 16; a++)
      for (int64_t b = 0; b < 16; b++)
        {
          /* site 2 j + d - 1 of hidden place j = 2 * 0 + e - 1 */
          const int64_t y = (2 * (a / 4 - 1) + b / 4 - 1 + 4 * length) % length;
          const int64_t x = (2 * (a % 4 - 1) + b % 4 - 1 + 4 * length) % length;
          expected[(u * length + y) * length + x] += above->weights[u * 16 + a] * m->weights[b];
        }
  for (int64_t u = 0; u < 2; u++)
    for (int64_t y = 0; y < g->rows; y++)
      for (int64_t x = 0; x < g->columns; x++)
        {
          const int64_t at = (g->origin[0] + y + length) % length * length + (g->origin[1] + x + length) % length;
          worst
            = fmax (worst, fabs (g->weights[(u * g->rows + y) * g->columns + x] - expected[u * length * length + at]));
          sum += g->weights[(u * g->rows + y) * g->columns + x];
        }
  for (int64_t i = 0; i < 2 * length * length; i++)
    sum -= expected[i];
  check_abs (worst, 0, 1e-12, "filters composed");
  check_abs (sum, 0, 1e-9, "and nothing left out");
  check (g->rows == (length < 10 ? length : 10) && g->step[0] == 4, "as far as they see");

  /* a flat filter is centred on its block */
  for (int i = 0; i < 16; i++)
    m->weights[i] = above->weights[i] = 1;
  vrg_fields_free (f);
  vrg_fields_free (g);
  f = vrg_fields_new (grid, m);
  g = vrg_fields_above (grid, f, above);
  if (length > 10)
    {
      check_abs (remainder (f->unit[0].row - 0.5, (double) length), 0, 1e-9, "centre of a block of 2");
      check_abs (remainder (g->unit[0].column - 1.5, (double) length), 0, 1e-9, "centre of a block of 4");
      check_rel (f->unit[0].radius, sqrt (2.5), 1e-12, "radius of 4 x 4 sites");
      check_rel (vrg_fields_structureless (f), sqrt (2.5), 1e-14, "which has no structure");
      check_rel (vrg_fields_structureless (g), sqrt (16.5), 1e-14,
                 "nor would 10 x 10 sites have with the same weights");
      check_rel (vrg_fields_participation (f), 3. / 16, 1e-14, "participation of normal weights on 4 x 4 sites");
    }
  else
    check_rel (vrg_fields_structureless (g), sqrt (11), 1e-14, "a window that goes round is the torus");
  vrg_free (expected);
  vrg_fields_free (f);
  vrg_fields_free (g);
  vrg_model_free (m);
  vrg_model_free (above);
  vrg_grid_free (grid);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_dense ();
  test_convolution (32);
  test_convolution (8);
  return check_end ();
}
