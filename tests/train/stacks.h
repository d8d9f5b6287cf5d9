/* SPDX-License-Identifier: GPL-3.0-or-later
 * Models made by hand, each rank its share. */
#ifndef VRG_TESTS_TRAIN_STACKS_H
#define VRG_TESTS_TRAIN_STACKS_H

#include "base/rng.h"
#include "files/model.h"
#include "tests/check.h"

/** A number in (-1, 1) that depends on its index alone. */
static inline double
stacks_random (uint64_t seed, uint64_t index)
{
  vrg_rng rng;
  uint64_t out[2];
  vrg_rng_init (&rng, seed, 0, 0);
  vrg_rng_block (&rng, VRG_RNG_TEST, index, 0, 0, out);
  return (double) (out[0] >> 11) * 0x1p-52 - 1;
}

/** All weights and biases 0.  below: the model it stands on, or NULL for a lattice of rows x columns. */
static inline vrg_model *
stacks_dense (const vrg_grid *grid, const vrg_model *below, int64_t rows, int64_t columns, int64_t hidden)
{
  vrg_model *m = vrg_new (1, sizeof *m, "model");
  int64_t first, last;
  m->type = VRG_MODEL_DENSE;
  m->rows = below ? 1 : rows;
  m->columns = below ? below->hidden : columns;
  m->hidden = hidden;
  vrg_grid_span (below ? m->columns : m->rows, grid->strips, grid->strip, &first, &last);
  m->visible0 = below ? first : first * columns;
  m->visible1 = below ? last : last * columns;
  vrg_model_allocate (m);
  return m;
}

static inline vrg_model *
stacks_convolution (int64_t rows, int64_t columns, int64_t filters, int64_t filter, int64_t stride)
{
  vrg_model *m = vrg_new (1, sizeof *m, "model");
  m->type = VRG_MODEL_CONVOLUTION;
  m->rows = rows;
  m->columns = columns;
  m->hidden = filters;
  m->filter = filter;
  m->stride = stride;
  m->visible1 = 1;
  vrg_model_allocate (m);
  return m;
}

/** Set a dense weight where this rank has it. */
static inline void
stacks_set (vrg_model *m, int64_t hidden, int64_t visible, double value)
{
  if (visible >= m->visible0 && visible < m->visible1)
    m->weights[hidden * (m->visible1 - m->visible0) + visible - m->visible0] = value;
}

/** The largest number of strips that divides the ranks and leaves two rows to each. */
static inline int
stacks_strips (int ranks, int64_t rows)
{
  int strips = ranks;
  while (strips > 1 && (ranks % strips != 0 || rows < 2 * strips))
    strips--;
  return strips;
}

#endif
