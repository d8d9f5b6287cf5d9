/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exact ln Z by enumeration. */
#include "train/enumeration.h"

#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/simd.h"
#include "train/ln2cosh.h"

#define CHUNK_BITS 12
#define ALWAYS static inline __attribute__ ((always_inline))

/** A model of two layers: `units` of the smaller one and weights [units][others]. */
typedef struct
{
  int64_t units, others;
  int32_t *weights, *unit_bias, *other_bias;
} model;

ALWAYS void
add_body (int32_t *restrict x, const int32_t *restrict w, int64_t n, int sign)
{
  if (sign > 0)
    for (int64_t j = 0; j < n; j++)
      x[j] += w[j];
  else
    for (int64_t j = 0; j < n; j++)
      x[j] -= w[j];
}
VRG_PATHS (add, (int32_t *restrict x, const int32_t *restrict w, int64_t n, int sign), (x, w, n, sign))

bool
vrg_enumeration_possible (const vrg_layer *layer)
{
  return layer->visible <= VRG_ENUMERATION_MOST || layer->hidden <= VRG_ENUMERATION_MOST;
}

/** The whole model on every rank, from the sites of all strips. */
static model
gather (const vrg_layer *layer)
{
  const bool few_visible = layer->visible <= layer->hidden;
  model m
    = { .units = few_visible ? layer->visible : layer->hidden, .others = few_visible ? layer->hidden : layer->visible };
  const int64_t reach = vrg_layer_reach (layer), first = layer->strips > 1 ? layer->model->visible0 : 0;
  m.weights = vrg_new (m.units * m.others, sizeof (int32_t), "an enumeration");
  m.unit_bias = vrg_new (m.units, sizeof (int32_t), "an enumeration");
  m.other_bias = vrg_new (m.others, sizeof (int32_t), "an enumeration");
  int32_t *visible_bias = few_visible ? m.unit_bias : m.other_bias;
  int32_t *hidden_bias = few_visible ? m.other_bias : m.unit_bias;
  int64_t *index = vrg_new (reach, sizeof *index, "an enumeration");
  int32_t *weight = vrg_new (reach, sizeof *weight, "an enumeration");
  for (int64_t i = 0; i < layer->sites; i++)
    {
      const int64_t n = vrg_layer_site (layer, i, index, weight), site = first + i;
      for (int64_t k = 0; k < n; k++)
        m.weights[few_visible ? site * m.others + index[k] : index[k] * m.others + site] += weight[k];
      visible_bias[site] = vrg_layer_visible_bias (layer, i);
    }
  if (layer->strips > 1)
    {
      vrg_sum_int32 (layer->strip_comm, m.weights, m.units * m.others);
      vrg_sum_int32 (layer->strip_comm, visible_bias, layer->visible);
    }
  for (int64_t j = 0; j < layer->hidden; j++)
    hidden_bias[j] = vrg_layer_hidden_bias (layer, j);
  vrg_free (index);
  vrg_free (weight);
  return m;
}

/** ln of the sum over the states of the first `free` units in Gray code, the others being the digits of c.  x: room for the
 *  fields of the larger side; logs: for 2^free numbers. */
static double
chunk (const model *m, int64_t c, int free, int32_t *x, double *logs)
{
  const int64_t states = INT64_C (1) << free;
  int64_t up = c << free, bias = 0; /* bit i: unit i is +1 */
  memcpy (x, m->other_bias, (size_t) m->others * sizeof *x);
  for (int i = 0; i < m->units; i++)
    {
      const int sign = up >> i & 1 ? 1 : -1;
      add (x, m->weights + i * m->others, m->others, sign);
      bias += sign * m->unit_bias[i];
    }
  for (int64_t t = 0; t < states; t++)
    {
      if (t > 0)
        {
          const int i = __builtin_ctzll ((unsigned long long) t);
          up ^= INT64_C (1) << i;
          const int sign = up >> i & 1 ? 1 : -1;
          for (int twice = 0; twice < 2; twice++)
            add (x, m->weights + i * m->others, m->others, sign);
          bias += 2 * sign * m->unit_bias[i];
        }
      logs[t] = (double) bias / VRG_FIXED_ONE + vrg_sum_ln2cosh (x, m->others, 1);
    }
  return vrg_log_sum (logs, states);
}

/** Without biases a state weighs as much as that of all units flipped. */
static bool
unbiased (const model *m)
{
  int32_t any = 0;
  for (int64_t i = 0; i < m->units; i++)
    any |= m->unit_bias[i];
  for (int64_t j = 0; j < m->others; j++)
    any |= m->other_bias[j];
  return any == 0;
}

double
vrg_enumeration_lnz (const vrg_grid *grid, const vrg_layer *layer)
{
  VRG_ASSERT (vrg_enumeration_possible (layer));
  model m = gather (layer);
  const bool symmetric = unbiased (&m); /* then the last unit may stay -1 */
  const int counted = (int) m.units - symmetric, free = counted < CHUNK_BITS ? counted : CHUNK_BITS;
  const int64_t chunks = INT64_C (1) << (counted - free);
  double *parts = vrg_new (chunks, sizeof *parts, "an enumeration");
  double *logs = vrg_new (INT64_C (1) << free, sizeof *logs, "an enumeration");
  int32_t *x = vrg_new (m.others, sizeof *x, "an enumeration");
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "ln Z by enumeration", "chunks", chunks);
  for (int64_t c = grid->rank; c < chunks; c += grid->size)
    {
      parts[c] = chunk (&m, c, free, x, logs);
      vrg_progress_update (&progress, c + 1);
    }
  vrg_progress_end (&progress, chunks);
  vrg_sum_double (grid->world, parts, chunks);
  const double lnz = vrg_log_sum (parts, chunks) + (symmetric ? vrg_log (2) : 0);
  vrg_free (x);
  vrg_free (logs);
  vrg_free (parts);
  vrg_free (m.weights);
  vrg_free (m.unit_bias);
  vrg_free (m.other_bias);
  return lnz;
}
