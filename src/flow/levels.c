/* SPDX-License-Identifier: GPL-3.0-or-later
 * Blocking a sample through all levels of all rules. */
#include "flow/levels.h"

#include "base/error.h"
#include "base/memory.h"

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

/* The filter that a rule blocks to `level` with, NULL for none. */
static const vrg_filter *
filter_of (const vrg_filters *filters, int rule, int level)
{
  if (rule == VRG_MAJORITY || rule == VRG_DECIMATION)
    return NULL;
  const vrg_filter *filter = &filters->weighted;
  if (rule != VRG_WEIGHTED)
    {
      VRG_ASSERT (filters->layers > 0);
      filter = &filters->layer[level <= filters->layers ? level - 1 : filters->layers - 1];
    }
  VRG_ASSERT (filter->weights != NULL);
  return filter;
}

vrg_levels *
vrg_levels_new (const vrg_input *input, const vrg_filters *filters)
{
  const int dimension = (int) input->dimension;
  VRG_ASSERT (dimension > 0 && dimension <= VRG_MAX_DIMENSION);
  vrg_levels *levels = vrg_new (1, sizeof *levels, "levels");
  *levels = (vrg_levels){
    .rules = input->n_rules, .depth = (int) vrg_input_depth (input), .scale = (int) input->scale, .rule = input->rules
  };
  levels->n = 1 + levels->rules * levels->depth;
  levels->lattice = vrg_new (levels->n, sizeof *levels->lattice, "levels");
  levels->filter = vrg_new (levels->n, sizeof *levels->filter, "levels");
  levels->lattice[0] = vrg_lattice_new_size (dimension, input->size, 0, dimension == 1 ? 1 : input->size[0]);
  for (int r = 0; r < levels->rules; r++)
    {
      int64_t size[VRG_MAX_DIMENSION];
      for (int d = 0; d < dimension; d++)
        size[d] = input->size[d];
      for (int level = 1; level <= levels->depth; level++)
        {
          const int i = vrg_levels_index (levels, r, level);
          const vrg_filter *filter = filter_of (filters, levels->rule[r], level);
          for (int d = 0; d < dimension; d++)
            size[d] /= levels->scale;
          levels->lattice[i] = vrg_lattice_new_size (dimension, size, 0, dimension == 1 ? 1 : size[0]);
          if (filter != NULL)
            levels->filter[i] = vrg_block_filter_new (dimension, levels->scale, filter->size, filter->weights);
        }
    }
  return levels;
}

void
vrg_levels_free (vrg_levels *levels)
{
  if (levels == NULL)
    return;
  for (int i = 0; i < levels->n; i++)
    {
      vrg_lattice_free (levels->lattice[i]);
      vrg_block_filter_free (levels->filter[i]);
    }
  vrg_free (levels->lattice);
  vrg_free (levels->filter);
  vrg_free (levels);
}

void
vrg_levels_fill (vrg_levels *levels, const uint64_t *packed, const vrg_rng *rng, int64_t sample)
{
  vrg_lattice_unpack (levels->lattice[0], packed);
  for (int r = 0; r < levels->rules; r++)
    for (int level = 1; level <= levels->depth; level++)
      {
        const int i = vrg_levels_index (levels, r, level);
        const vrg_lattice *fine = levels->lattice[vrg_levels_parent (levels, i)];
        vrg_lattice *coarse = levels->lattice[i];
        switch (levels->rule[r])
          {
          case VRG_MAJORITY:
            vrg_block_majority (fine, coarse, levels->scale, rng, sample, level);
            break;
          case VRG_DECIMATION:
            vrg_block_decimation (fine, coarse, levels->scale);
            break;
          default:
            vrg_block_field (fine, coarse, levels->filter[i], levels->rule[r] == VRG_LEARNT_SIGN, rng, sample, level);
          }
      }
}
