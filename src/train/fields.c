/* SPDX-License-Identifier: GPL-3.0-or-later
 * Receptive fields. */
#include "train/fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define BLOCK (INT64_C (1) << 21) /* numbers gathered at a time */
#define PI 3.14159265358979323846

static int64_t
wrap (int64_t x, int64_t length)
{
  return (x % length + length) % length;
}

/** Units whose maps are gathered at a time. */
static int64_t
block_of (int64_t units, int64_t sites)
{
  const int64_t n = BLOCK / sites;
  return n < 1 ? 1 : n < units ? n : units;
}

/** Rows [first, first + n) of a matrix of which this strip has columns [own0, own1) of `columns`, whole.  spread: over
 *  strips, some of which may have none. */
static void
gather (const vrg_grid *grid, const double *matrix, int64_t first, int64_t n, int64_t columns, int64_t own0,
        int64_t own1, bool spread, double *whole)
{
  const int64_t own = own1 - own0;
  memset (whole, 0, (size_t) (n * columns) * sizeof *whole);
  for (int64_t j = 0; j < n; j++)
    memcpy (whole + j * columns + own0, matrix + (first + j) * own, (size_t) own * sizeof *whole);
  if (spread)
    vrg_sum_double (grid->strip_comm, whole, n * columns);
}

void
vrg_fields_get (const vrg_grid *grid, const vrg_fields *f, int64_t first, int64_t n, double *maps)
{
  gather (grid, f->weights, first, n, f->rows * f->columns, f->own0, f->own1, f->own1 - f->own0 < f->rows * f->columns,
          maps);
}

/** Norm, place and size of a whole field. */
static void
describe (const vrg_fields *f, const double *map, vrg_field *unit)
{
  double square = 0, fourth = 0, circle[2][2] = { { 0 } }, centre[2], second = 0;
  for (int64_t y = 0; y < f->rows; y++)
    for (int64_t x = 0; x < f->columns; x++)
      {
        const double w = map[y * f->columns + x] * map[y * f->columns + x];
        const double angle[2] = { 2 * PI * (double) wrap (f->origin[0] + y, f->lattice[0]) / (double) f->lattice[0],
                                  2 * PI * (double) wrap (f->origin[1] + x, f->lattice[1]) / (double) f->lattice[1] };
        if (w == 0)
          continue;
        square += w;
        fourth += w * w;
        for (int axis = 0; axis < 2; axis++)
          {
            circle[axis][0] += w * cos (angle[axis]);
            circle[axis][1] += w * sin (angle[axis]);
          }
      }
  for (int axis = 0; axis < 2; axis++)
    {
      const double length = (double) f->lattice[axis];
      centre[axis] = atan2 (circle[axis][1], circle[axis][0]) * length / (2 * PI);
      if (centre[axis] < 0) /* and 0, where it is that but for rounding */
        centre[axis] = centre[axis] < -1e-9 ? centre[axis] + length : 0;
    }
  for (int64_t y = 0; y < f->rows; y++)
    for (int64_t x = 0; x < f->columns; x++)
      {
        const double w = map[y * f->columns + x];
        const double away[2] = { remainder ((double) (f->origin[0] + y) - centre[0], (double) f->lattice[0]),
                                 remainder ((double) (f->origin[1] + x) - centre[1], (double) f->lattice[1]) };
        second += w * w * (away[0] * away[0] + away[1] * away[1]);
      }
  unit->norm = sqrt (square);
  unit->row = square > 0 ? centre[0] : (double) NAN;
  unit->column = square > 0 ? centre[1] : (double) NAN;
  unit->radius = sqrt (second / square);
  unit->participation = fourth / (square * square);
}

/** Everything in f->unit but `own`, which is there.  Units are shared among all ranks. */
static void
describe_all (const vrg_grid *grid, vrg_fields *f)
{
  enum
  {
    NUMBERS = 5
  };
  const int64_t sites = f->rows * f->columns, block = block_of (f->units, sites);
  double *maps = vrg_new (block * sites, sizeof *maps, "receptive fields");
  double *numbers = vrg_new (f->units * NUMBERS, sizeof *numbers, "receptive fields"), largest = 0;
  for (int64_t first = 0; first < f->units; first += block)
    {
      const int64_t n = f->units - first < block ? f->units - first : block;
      vrg_fields_get (grid, f, first, n, maps);
      for (int64_t j = 0; j < n; j++)
        if ((first + j) % grid->size == grid->rank)
          {
            vrg_field *u = &f->unit[first + j];
            describe (f, maps + j * sites, u);
            memcpy (numbers + (first + j) * NUMBERS,
                    (double[NUMBERS]){ u->norm, u->row, u->column, u->radius, u->participation },
                    NUMBERS * sizeof *numbers);
          }
    }
  vrg_sum_double (grid->world, numbers, f->units * NUMBERS);
  for (int64_t j = 0; j < f->units; j++)
    {
      const double *x = numbers + j * NUMBERS, own = f->unit[j].own < 0 ? x[0] : f->unit[j].own;
      f->unit[j] = (vrg_field){ x[0], own, x[1], x[2], x[3], x[4], false };
      largest = fmax (largest, own);
    }
  for (int64_t j = 0; j < f->units; j++)
    f->unit[j].live = f->unit[j].norm > 0 && f->unit[j].own >= VRG_FIELDS_LIVE * largest;
  vrg_free (numbers);
  vrg_free (maps);
}

/** Room for the fields of a layer on `lattice`; the own norms are those of the fields until somebody knows better. */
static vrg_fields *
start (int64_t units, const int64_t lattice[2])
{
  vrg_fields *f = vrg_new (1, sizeof *f, "receptive fields");
  f->units = units;
  f->unit = vrg_new (units, sizeof *f->unit, "receptive fields");
  for (int axis = 0; axis < 2; axis++)
    f->lattice[axis] = lattice[axis];
  for (int64_t j = 0; j < units; j++)
    f->unit[j].own = -1;
  return f;
}

/** What one filter of a convolution sees through fields below, whose hidden units are f->step apart. */
static vrg_fields *
compose (const vrg_fields *below, const vrg_model *model)
{
  vrg_fields *f = start (model->hidden, below->lattice);
  const int64_t side[2] = { vrg_model_filter_rows (model), model->filter };
  const int64_t stride[2] = { model->rows == 1 ? 1 : model->stride, model->stride };
  int64_t extent[2] = { below->rows, below->columns }, pad[2];
  for (int axis = 0; axis < 2; axis++)
    {
      pad[axis] = (side[axis] - stride[axis]) / 2;
      extent[axis] += below->step[axis] * (side[axis] - 1);
      f->origin[axis] = below->origin[axis] - below->step[axis] * pad[axis];
      f->step[axis] = below->step[axis] * stride[axis];
      if (extent[axis] >= f->lattice[axis])
        {
          extent[axis] = f->lattice[axis];
          f->origin[axis] = 0;
        }
    }
  f->rows = extent[0];
  f->columns = extent[1];
  f->own1 = f->rows * f->columns;
  f->weights = vrg_new (f->units * f->rows * f->columns, sizeof *f->weights, "receptive fields");
  for (int64_t j = 0; j < f->units; j++)
    for (int64_t dy = 0; dy < side[0]; dy++)
      for (int64_t dx = 0; dx < side[1]; dx++)
        {
          const double w = model->weights[(j * side[0] + dy) * side[1] + dx];
          const int64_t y0 = below->origin[0] + below->step[0] * (dy - pad[0]) - f->origin[0];
          const int64_t x0 = below->origin[1] + below->step[1] * (dx - pad[1]) - f->origin[1];
          for (int64_t y = 0; y < below->rows; y++)
            for (int64_t x = 0; x < below->columns; x++)
              f->weights[(j * f->rows + wrap (y0 + y, f->lattice[0])) * f->columns + wrap (x0 + x, f->lattice[1])]
                += w * below->weights[y * below->columns + x];
        }
  return f;
}

/** The fields of single sites, on which a convolution stands. */
static vrg_fields *
compose_sites (const vrg_model *model)
{
  double one = 1;
  const vrg_fields site = { .units = 1,
                            .lattice = { model->rows, model->columns },
                            .rows = 1,
                            .columns = 1,
                            .step = { 1, 1 },
                            .own1 = 1,
                            .weights = &one };
  return compose (&site, model);
}

vrg_fields *
vrg_fields_new (const vrg_grid *grid, const vrg_model *model)
{
  vrg_fields *f;
  if (model->type == VRG_MODEL_CONVOLUTION)
    f = compose_sites (model);
  else
    {
      f = start (model->hidden, (const int64_t[2]){ model->rows, model->columns });
      f->rows = model->rows;
      f->columns = model->columns;
      f->own0 = model->visible0;
      f->own1 = model->visible1;
      const int64_t n = f->units * (f->own1 - f->own0);
      f->weights = vrg_new (n, sizeof *f->weights, "receptive fields");
      memcpy (f->weights, model->weights, (size_t) n * sizeof *f->weights);
    }
  describe_all (grid, f);
  return f;
}

/** r = W r(below) of a dense layer: this rank's sites of every unit; the units are shared among groups. */
static void
multiply (const vrg_grid *grid, const vrg_fields *below, const vrg_model *model, vrg_fields *f)
{
  const int64_t sites = f->own1 - f->own0, visible = model->columns;
  const int64_t block = block_of (f->units, visible);
  double *weights = vrg_new (block * visible, sizeof *weights, "receptive fields");
  for (int64_t first = 0; first < f->units; first += block)
    {
      const int64_t n = f->units - first < block ? f->units - first : block;
      gather (grid, model->weights, first, n, visible, model->visible0, model->visible1, grid->strips > 1, weights);
      for (int64_t j = first; j < first + n; j++)
        {
          const double *w = weights + (j - first) * visible;
          double square = 0, *restrict out = f->weights + j * sites;
          for (int64_t k = 0; k < visible; k++)
            square += w[k] * w[k];
          f->unit[j].own = sqrt (square);
          for (int64_t k = 0; k < visible && j % grid->groups == grid->group; k++)
            for (int64_t i = 0; i < sites; i++)
              out[i] += w[k] * below->weights[k * sites + i];
        }
    }
  if (grid->groups > 1)
    vrg_sum_double (grid->group_comm, f->weights, f->units * sites);
  vrg_free (weights);
}

vrg_fields *
vrg_fields_above (const vrg_grid *grid, const vrg_fields *below, const vrg_model *model)
{
  vrg_fields *f;
  if (model->type == VRG_MODEL_CONVOLUTION)
    {
      f = compose (below, model);
      const int64_t taps = vrg_model_filter_rows (model) * model->filter;
      for (int64_t j = 0; j < f->units; j++)
        {
          double square = 0;
          for (int64_t i = 0; i < taps; i++)
            square += model->weights[j * taps + i] * model->weights[j * taps + i];
          f->unit[j].own = sqrt (square);
        }
    }
  else
    {
      f = start (model->hidden, below->lattice);
      f->rows = below->rows;
      f->columns = below->columns;
      f->own0 = below->own0;
      f->own1 = below->own1;
      f->weights = vrg_new (f->units * (f->own1 - f->own0), sizeof *f->weights, "receptive fields");
      multiply (grid, below, model, f);
    }
  describe_all (grid, f);
  return f;
}

void
vrg_fields_free (vrg_fields *fields)
{
  if (fields == NULL)
    return;
  vrg_free (fields->weights);
  vrg_free (fields->unit);
  vrg_free (fields);
}

static int
compare (const void *a, const void *b)
{
  const double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

int64_t
vrg_fields_live (const vrg_fields *fields, double *radius)
{
  int64_t n = 0;
  double *radii = vrg_new (fields->units, sizeof *radii, "radii");
  for (int64_t j = 0; j < fields->units; j++)
    if (fields->unit[j].live)
      radii[n++] = fields->unit[j].radius;
  qsort (radii, (size_t) n, sizeof *radii, compare);
  *radius = n > 0 ? (radii[(n - 1) / 2] + radii[n / 2]) / 2 : (double) NAN;
  vrg_free (radii);
  return n;
}

double
vrg_fields_structureless (const vrg_fields *fields)
{
  double sum = 0;
  for (int axis = 0; axis < 2; axis++)
    {
      const int64_t length = fields->lattice[axis], extent = axis == 0 ? fields->rows : fields->columns;
      double square = 0;
      for (int64_t d = 0; d < length; d++)
        square += (double) (d < length - d ? d * d : (length - d) * (length - d));
      /* a window has a middle, and the variance of `extent` sites in a row; all round the torus no site is the middle */
      sum += extent < length ? ((double) extent * (double) extent - 1) / 12 : square / (double) length;
    }
  return sqrt (sum);
}

double
vrg_fields_participation (const vrg_fields *fields)
{
  return 3 / ((double) fields->rows * (double) fields->columns);
}
