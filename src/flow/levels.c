/* SPDX-License-Identifier: GPL-3.0-or-later
 * Blocking a sample through all levels of all rules. */
#include "flow/levels.h"

#include "base/error.h"
#include "base/memory.h"
#include "base/param.h"
#include "lattice/blocking.h"

int
vrg_levels_index (const vrg_levels *levels, int rule, int level)
{
  return level == 0 ? 0 : 1 + rule * levels->depth + level - 1;
}

int
vrg_levels_parent (const vrg_levels *levels, int index)
{
  return index == 0 ? -1 : (index - 1) % levels->depth == 0 ? 0 : index - 1;
}

vrg_levels *
vrg_levels_new (int64_t rows, int64_t columns, int scale, int depth, int rules, const int *rule, vrg_filter filter)
{
  vrg_levels *levels = vrg_new (1, sizeof *levels, "levels");
  *levels = (vrg_levels){ .rules = rules, .depth = depth, .scale = scale, .rule = rule, .filter = filter };
  levels->n = 1 + rules * depth;
  levels->lattice = vrg_new (levels->n, sizeof *levels->lattice, "levels");
  levels->lattice[0] = vrg_lattice_new (rows, columns, 0, rows);
  for (int i = 1; i < levels->n; i++)
    {
      const vrg_lattice *fine = levels->lattice[vrg_levels_parent (levels, i)];
      VRG_ASSERT (fine->rows % scale == 0 && fine->columns % scale == 0);
      levels->lattice[i] = vrg_lattice_new (fine->rows / scale, fine->columns / scale, 0, fine->rows / scale);
    }
  return levels;
}

void
vrg_levels_free (vrg_levels *levels)
{
  if (levels == NULL)
    return;
  for (int i = 0; i < levels->n; i++)
    vrg_lattice_free (levels->lattice[i]);
  vrg_free (levels->lattice);
  vrg_free (levels);
}

void
vrg_levels_fill (vrg_levels *levels, const uint64_t *packed, const vrg_rng *rng, int64_t sample)
{
  vrg_lattice_unpack (levels->lattice[0], packed);
  for (int r = 0; r < levels->rules; r++)
    for (int level = 1; level <= levels->depth; level++)
      {
        const vrg_lattice *fine = levels->lattice[vrg_levels_index (levels, r, level - 1)];
        vrg_lattice *coarse = levels->lattice[vrg_levels_index (levels, r, level)];
        switch (levels->rule[r])
          {
          case VRG_MAJORITY:
            vrg_block_majority (fine, coarse, levels->scale, rng, sample, level);
            break;
          case VRG_DECIMATION:
            vrg_block_decimation (fine, coarse, levels->scale);
            break;
          default:
            VRG_ASSERT (levels->rule[r] == VRG_LEARNT);
            vrg_block_learnt (fine, coarse, levels->scale, levels->filter.size, levels->filter.weights, rng, sample,
                              level);
          }
      }
}
