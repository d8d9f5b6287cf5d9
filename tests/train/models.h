/* SPDX-License-Identifier: GPL-3.0-or-later
 * Models given by their parameters, as layers on any grid; and what can be said of them by brute force. */
#ifndef VRG_TESTS_TRAIN_MODELS_H
#define VRG_TESTS_TRAIN_MODELS_H

#include <math.h>
#include <string.h>

#include "base/math.h"
#include "tests/check.h"
#include "train/layer.h"

/** All parameters, the same on every rank: weights [hidden][sites] (dense) or [filters][filter rows][filter]; biases of
 *  sites and hidden units (dense), or one and one a filter. */
typedef struct
{
  int type;
  int64_t rows, columns, hidden, filter, stride;
  double weights[8192], visible_bias[256], hidden_bias[64];
} models_plan;

/** Number k of seed s: mean 0, variance 1, a sum of four uniform ones. */
static inline double
models_random (uint64_t s, uint64_t k)
{
  vrg_rng rng;
  uint64_t u[2];
  vrg_rng_init (&rng, s, 0, 0);
  vrg_rng_block (&rng, VRG_RNG_TEST, k, 0, 0, u);
  const uint64_t sum = (u[0] & UINT32_MAX) + (u[0] >> 32) + (u[1] & UINT32_MAX) + (u[1] >> 32);
  return ((double) sum / 4294967296.0 - 2) * sqrt (3);
}

static inline int64_t
models_weights (const models_plan *p)
{
  return p->hidden * (p->type == VRG_MODEL_DENSE ? p->rows * p->columns : p->filter * (p->rows == 1 ? 1 : p->filter));
}

static inline int64_t
models_biases (const models_plan *p)
{
  return p->type == VRG_MODEL_DENSE ? p->rows * p->columns : 1;
}

static inline models_plan
models_random_plan (int type, int64_t rows, int64_t columns, int64_t hidden, uint64_t seed, double weight, double bias)
{
  models_plan p = { .type = type, .rows = rows, .columns = columns, .hidden = hidden, .filter = 3, .stride = 1 };
  for (int64_t k = 0; k < models_weights (&p); k++)
    p.weights[k] = weight * models_random (seed, (uint64_t) k);
  for (int64_t k = 0; k < models_biases (&p); k++)
    p.visible_bias[k] = bias * models_random (seed + 1000, (uint64_t) k);
  for (int64_t k = 0; k < hidden; k++)
    p.hidden_bias[k] = bias * models_random (seed + 2000, (uint64_t) k);
  return p;
}

/** This rank's layer, rounded.  To free with models_free. */
static inline vrg_layer *
models_layer (const vrg_grid *grid, const models_plan *p)
{
  vrg_model *m = vrg_new (1, sizeof *m, "a model");
  int64_t row0 = 0, row1 = p->rows;
  const bool dense = p->type == VRG_MODEL_DENSE;
  if (dense)
    vrg_grid_span (p->rows, grid->strips, grid->strip, &row0, &row1);
  *m = (vrg_model){ .type = p->type,
                    .rows = p->rows,
                    .columns = p->columns,
                    .hidden = p->hidden,
                    .filter = dense ? 0 : p->filter,
                    .stride = dense ? 0 : p->stride,
                    .visible0 = row0 * p->columns,
                    .visible1 = row1 * p->columns };
  const int64_t all = models_weights (p) / p->hidden, first = m->visible0;
  const int64_t mine = dense ? m->visible1 - first : all, biases = dense ? mine : 1;
  m->weights = vrg_new (p->hidden * mine, sizeof (double), "weights");
  m->visible_bias = vrg_new (biases, sizeof (double), "biases");
  m->hidden_bias = vrg_new (p->hidden, sizeof (double), "biases");
  for (int64_t j = 0; j < p->hidden; j++)
    memcpy (m->weights + j * mine, p->weights + j * all + first, (size_t) mine * sizeof (double));
  memcpy (m->visible_bias, p->visible_bias + first, (size_t) biases * sizeof (double));
  memcpy (m->hidden_bias, p->hidden_bias, (size_t) p->hidden * sizeof (double));
  vrg_layer *layer = vrg_layer_new (m, dense ? grid->strip_comm : MPI_COMM_NULL);
  if (!vrg_layer_round (layer))
    vrg_fail_one (VRG_INTERNAL, "parameters are too large");
  return layer;
}

static inline void
models_free (vrg_layer *layer)
{
  vrg_model *m = layer->model;
  vrg_layer_free (layer);
  vrg_model_free (m);
}

static inline double
models_rounded (double x)
{
  return (double) vrg_fixed (x) / VRG_FIXED_ONE;
}

/** ln of the marginal weight of visible units (bit i of up: site i is +1), by the definition. */
static inline double
models_log_weight (const models_plan *p, uint64_t up)
{
  const int64_t sites = p->rows * p->columns;
  const bool dense = p->type == VRG_MODEL_DENSE;
  const int64_t filter_rows = p->rows == 1 ? 1 : p->filter, step = p->rows == 1 ? 1 : p->stride;
  const int64_t offset = (p->filter - p->stride) / 2, offset_row = p->rows == 1 ? 0 : offset;
  const int64_t down = dense ? 1 : p->rows / step, across = dense ? 1 : p->columns / p->stride;
  double sum = 0;
  for (int64_t i = 0; i < sites; i++)
    sum += (up >> i & 1 ? 1 : -1) * models_rounded (p->visible_bias[dense ? i : 0]);
  for (int64_t j = 0; j < p->hidden; j++)
    for (int64_t y = 0; y < down; y++)
      for (int64_t x = 0; x < across; x++)
        {
          double field = models_rounded (p->hidden_bias[j]);
          for (int64_t i = 0; dense && i < sites; i++)
            field += (up >> i & 1 ? 1 : -1) * models_rounded (p->weights[j * sites + i]);
          for (int64_t dy = 0; !dense && dy < filter_rows; dy++)
            for (int64_t dx = 0; dx < p->filter; dx++)
              {
                const int64_t row = (step * y + dy - offset_row + p->rows) % p->rows;
                const int64_t column = (p->stride * x + dx - offset + p->columns) % p->columns;
                field += (up >> (row * p->columns + column) & 1 ? 1 : -1)
                         * models_rounded (p->weights[(j * filter_rows + dy) * p->filter + dx]);
              }
          sum += fabs (field) + log1p (exp (-2 * fabs (field)));
        }
  return sum;
}

/** ln Z over all visible states. */
static inline double
models_lnz (const models_plan *p)
{
  const int64_t states = INT64_C (1) << (p->rows * p->columns);
  double *logs = vrg_new (states, sizeof *logs, "states"), top = -HUGE_VAL;
  long double sum = 0;
  for (int64_t v = 0; v < states; v++)
    top = fmax (top, logs[v] = models_log_weight (p, (uint64_t) v));
  for (int64_t v = 0; v < states; v++)
    sum += expl ((long double) logs[v] - top);
  vrg_free (logs);
  return top + (double) logl (sum);
}

/** Samples up[total], of which this group takes every groups-th; to free with models_held_free. */
typedef struct
{
  int64_t total, n;
  const uint64_t **samples;
  int64_t *number;
  uint64_t *rows;
} models_held;

static inline models_held
models_hold (const vrg_grid *grid, const vrg_layer *layer, int64_t total, const uint64_t *up)
{
  const int64_t rows = layer->row1 - layer->row0, columns = layer->model->columns;
  models_held held = { .total = total, .n = (total - grid->group + grid->groups - 1) / grid->groups };
  held.samples = vrg_new (held.n, sizeof *held.samples, "samples");
  held.number = vrg_new (held.n, sizeof *held.number, "samples");
  held.rows = vrg_new (held.n * rows, sizeof *held.rows, "samples");
  for (int64_t k = 0; k < held.n; k++)
    {
      held.number[k] = grid->group + k * grid->groups;
      held.samples[k] = held.rows + k * rows;
      for (int64_t y = 0; y < rows; y++)
        held.rows[k * rows + y] = up[held.number[k]] >> ((layer->row0 + y) * columns) & ((UINT64_C (1) << columns) - 1);
    }
  return held;
}

static inline void
models_held_free (models_held *held)
{
  vrg_free (held->samples);
  vrg_free (held->number);
  vrg_free (held->rows);
}

/** Grids to compare: this rank alone, all in groups, all in strips of two, all in one group. */
#define MODELS_GRIDS 4
static inline vrg_grid *
models_grid (int k, int64_t rows)
{
  const int strips = k < 2 ? 1 : k == 2 ? (check_size_ % 2 ? 1 : 2) : rows >= 2 * check_size_ ? check_size_ : 1;
  return vrg_grid_new (k == 0 ? MPI_COMM_SELF : MPI_COMM_WORLD, rows < 4 ? 1 : strips);
}

#endif
