/* SPDX-License-Identifier: GPL-3.0-or-later
 * The lattices that a sample is blocked to: one chain of levels for each rule, all from the sampled lattice. */
#ifndef VRG_FLOW_LEVELS_H
#define VRG_FLOW_LEVELS_H

#include "base/rng.h"
#include "lattice/lattice.h"

/** The learnt rule's filter in fixed point, [size][size]; not owned by who gets it. */
typedef struct
{
  int size;
  int32_t *weights;
} vrg_filter;

/** Lattice 0 is the sampled one (level 0 of every rule); 1 + rule * depth + level - 1 is level 1..depth of a rule.
 *  Owns the lattices. */
typedef struct
{
  int rules, depth, scale;
  const int *rule; /* vrg_rule, the caller's */
  vrg_filter filter;
  int n; /* lattices: 1 + rules * depth */
  vrg_lattice **lattice;
} vrg_levels;

/** Both sides are divisible by scale^depth.  Local. */
vrg_levels *vrg_levels_new (int64_t rows, int64_t columns, int scale, int depth, int rules, const int *rule,
                            vrg_filter filter);
void vrg_levels_free (vrg_levels *levels);

/** Index of a lattice, and of the one it is blocked from (-1 for lattice 0). */
int vrg_levels_index (const vrg_levels *levels, int rule, int level);
int vrg_levels_parent (const vrg_levels *levels, int index);

/** Unpack a sample into lattice 0 and block it through all rules.  rng is keyed by (seed, ensemble, 0), `sample` is the
 *  sample's index in its ensemble.  Local. */
void vrg_levels_fill (vrg_levels *levels, const uint64_t *packed, const vrg_rng *rng, int64_t sample);

#endif
