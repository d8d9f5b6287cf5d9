/* SPDX-License-Identifier: GPL-3.0-or-later
 * The lattices that a sample is blocked to: one chain of levels for each rule, all from the sampled lattice. */
#ifndef VRG_FLOW_LEVELS_H
#define VRG_FLOW_LEVELS_H

#include "base/param.h"
#include "base/rng.h"
#include "lattice/blocking.h"
#include "lattice/lattice.h"

/** A block rule's weights in fixed point, [size]^dimension, centred on the block. */
typedef struct
{
  int size;
  int32_t *weights;
} vrg_filter;

/** What the rules of an input need. The learnt rules take the filter of layer n for level n, and that of the last
 *  layer for the levels above. Owns the weights (flow/learnt.h makes and frees it); all 0 where no rule needs a
 *  filter. */
typedef struct
{
  int layers;
  vrg_filter layer[VRG_MAX_LAYERS];
  vrg_filter weighted;
} vrg_filters;

/** Lattice 0 is the sampled one (level 0 of every rule); 1 + rule * depth + level - 1 is level 1..depth of a rule.
 *  Owns the lattices. */
typedef struct
{
  int rules, depth, scale;
  const int *rule; /* vrg_rule, the input's */
  int n;           /* lattices: 1 + rules * depth */
  vrg_lattice **lattice;
  vrg_block_filter **filter; /* [n], NULL where the rule has none */
} vrg_levels;

/** For the sides, rules, scale and depth (vrg_input_depth) of an input, which must outlive it; filters need not.
 *  Local. */
vrg_levels *vrg_levels_new (const vrg_input *input, const vrg_filters *filters);
void vrg_levels_free (vrg_levels *levels);

/** Index of a lattice, and of the one it is blocked from (-1 for lattice 0). */
int vrg_levels_index (const vrg_levels *levels, int rule, int level);
int vrg_levels_parent (const vrg_levels *levels, int index);

/** Unpack a sample into lattice 0 and block it through all rules.  rng is keyed by (seed, ensemble, 0), `sample` is the
 *  sample's index in its ensemble.  Local. */
void vrg_levels_fill (vrg_levels *levels, const uint64_t *packed, const vrg_rng *rng, int64_t sample);

#endif
