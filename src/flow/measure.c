/* SPDX-License-Identifier: GPL-3.0-or-later
 * The passes over the configurations, dealt out in rounds of one unit a rank. */
#include "flow/measure.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "files/checkpoint.h"
#include "flow/correlations.h"
#include "flow/couplings.h"

#define STAGE "flow"
#define PASSES 2
#define UNIT_WORDS (INT64_C (1) << 20) /* 8 MiB of configurations at once, unless one time has more */

/* Plan */

/* Sides of a level, slowest first. */
static void
level_sides (const vrg_input *input, int64_t level, int64_t size[VRG_MAX_DIMENSION])
{
  for (int64_t d = 0; d < input->dimension; d++)
    {
      size[d] = input->size[d];
      for (int64_t l = 0; l < level; l++)
        size[d] /= input->scale;
    }
}

/* "16x16". */
static void
sides_text (const vrg_input *input, int64_t level, char text[80])
{
  int64_t size[VRG_MAX_DIMENSION];
  int length = 0;
  level_sides (input, level, size);
  for (int64_t d = 0; d < input->dimension; d++)
    length += snprintf (text + length, (size_t) (80 - length), "%s%lld", d > 0 ? "x" : "", (long long) size[d]);
}

void
vrg_measure_place (const vrg_measure *m, int ensemble, int rule, int level, char text[128])
{
  char sides[80];
  sides_text (m->input, level, sides);
  snprintf (text, 128, "nn=%.6g %.16s level %d (%.60s)", m->info->nn[ensemble],
            vrg_param_rule_names[m->input->rules[rule]], level, sides);
}

/* Operators of patterns; operators[n] and what it points to are to be freed. */
static const vrg_operator **
operators_new (int dimension, int n, const vrg_pattern *patterns, vrg_operator **storage)
{
  const vrg_operator **operators = vrg_new (n, sizeof *operators, "operators");
  *storage = vrg_new (n, sizeof **storage, "operators");
  for (int a = 0; a < n; a++)
    {
      vrg_operator_init (*storage + a, dimension, &patterns[a]);
      operators[a] = *storage + a;
    }
  return operators;
}

int
vrg_measure_check (const vrg_input *input)
{
  const int dimension = (int) input->dimension;
  const int64_t depth = vrg_input_depth (input);
  int status = VRG_OK;
  vrg_operator *storage;
  const vrg_operator **operators = operators_new (dimension, input->n_fitted, input->fitted, &storage);
  for (int64_t level = 0; level <= depth && status == VRG_OK; level++)
    {
      int reach[VRG_MAX_OPERATORS], enough = 0;
      int64_t size[VRG_MAX_DIMENSION];
      double environments = 1, fewer = 1;
      char sides[80];
      level_sides (input, level, size);
      sides_text (input, level, sides);
      vrg_operators_reach (dimension, size, input->n_fitted, operators, reach);
      for (int a = 0; a < input->n_fitted; a++)
        {
          environments *= reach[a] + 1;
          if (environments <= (double) VRG_FLOW_ENVIRONMENTS)
            {
              enough = a + 1;
              fewer = environments;
            }
        }
      if (environments > (double) VRG_FLOW_ENVIRONMENTS)
        status
          = vrg_error (VRG_USAGE,
                       "[flow] fitted: with %d operators a site of %s has %.3g environments, more than %lld: shorten "
                       "the list `fitted` (its first %d have %.0f); `even` may be as long as it is",
                       input->n_fitted, sides, environments, (long long) VRG_FLOW_ENVIRONMENTS, enough, fewer);
    }
  vrg_free (operators);
  vrg_free (storage);
  return status;
}

/* Units in each block, so that the configurations of a unit, of `words` each, take UNIT_WORDS at most or are of one time. */
static int
count_parts (const vrg_blocks *blocks, int64_t words)
{
  int64_t needed = 1, t[2], c[2];
  for (int b = 0; b < blocks->n; b++)
    {
      vrg_blocks_range (blocks, b, t, c);
      int64_t parts = ((t[1] - t[0]) * (c[1] - c[0]) * words + UNIT_WORDS - 1) / UNIT_WORDS;
      parts = parts < t[1] - t[0] ? parts : t[1] - t[0];
      needed = needed > parts ? needed : parts;
    }
  return (int) needed;
}

/* Numbers that follow from the input and the samples alone. */
static void
set_numbers (vrg_measure *m, int64_t samples, int64_t chains, int64_t words)
{
  const vrg_input *input = m->input;
  vrg_blocks_init (&m->blocks, samples, chains, (int) input->blocks);
  m->parts = count_parts (&m->blocks, words);
  m->units = (int64_t) m->blocks.n * m->parts;
  m->n[VRG_EVEN] = input->n_even;
  m->n[VRG_ODD] = input->n_odd;
  m->n_fitted = input->n_fitted;
  for (int s = 0; s < VRG_SECTORS; s++)
    {
      m->size[s] = vrg_correlations_size (m->n[s]);
      m->width += 2 * m->size[s];
    }
  m->slope = m->n_fitted > 0 ? vrg_couplings_slopes_size (m->n_fitted) + 2 : 0;
}

double
vrg_measure_bytes (const vrg_input *input)
{
  const int dimension = (int) input->dimension;
  const int64_t depth = vrg_input_depth (input);
  const double lattices = (double) (1 + input->n_rules * depth);
  int64_t rows, columns, plane, size[VRG_MAX_DIMENSION];
  double environments = 0, largest = 0;
  int reach[VRG_MAX_OPERATORS];
  vrg_operator *storage;
  vrg_measure m = { .input = input };
  vrg_lattice_flat (dimension, input->size, &rows, &columns, &plane);
  const int64_t words = rows * ((columns + 63) / 64);
  set_numbers (&m, input->configurations, input->chains, words);
  const vrg_operator **operators = operators_new (dimension, input->n_fitted, input->fitted, &storage);
  for (int64_t level = 0; level <= depth && m.n_fitted > 0; level++)
    {
      level_sides (input, level, size);
      const double here = (double) vrg_operators_reach (dimension, size, m.n_fitted, operators, reach);
      environments += here * (level > 0 ? input->n_rules : 1);
      largest = fmax (largest, here);
    }
  vrg_free (operators);
  vrg_free (storage);
  const double unit = fmin ((double) words * (double) input->configurations / m.blocks.n,
                            fmax ((double) UNIT_WORDS, (double) (words * input->chains)));
  return 20 * environments + 8 * largest + 8 * unit
         + 8 * input->n_nn * lattices * ((double) m.blocks.n * (double) m.width + (double) m.units * (double) m.slope);
}

vrg_measure *
vrg_measure_new (const vrg_input *input, const vrg_samples_info *info, const vrg_filters *filters)
{
  vrg_measure *m = vrg_new (1, sizeof *m, "flow");
  m->input = input;
  m->info = info;
  m->levels = vrg_levels_new (input, filters);
  set_numbers (m, info->samples, info->chains, info->rows * info->words);

  const int dimension = (int) input->dimension, lattices = m->levels->n;
  vrg_operator *storage[2];
  vrg_pattern *patterns = vrg_new (input->n_even + input->n_odd, sizeof *patterns, "operators");
  memcpy (patterns, input->even, (size_t) input->n_even * sizeof *patterns);
  memcpy (patterns + input->n_even, input->odd, (size_t) input->n_odd * sizeof *patterns);
  const vrg_operator **all = operators_new (dimension, input->n_even + input->n_odd, patterns, &storage[0]);
  const vrg_operator **fitted = operators_new (dimension, input->n_fitted, input->fitted, &storage[1]);
  m->all = vrg_new (lattices, sizeof *m->all, "operators");
  m->fitted = vrg_new (lattices, sizeof *m->fitted, "operators");
  m->reach = vrg_new (lattices, sizeof *m->reach, "operators' reach");
  m->first = vrg_new (lattices + 1, sizeof *m->first, "histograms");
  for (int i = 0; i < lattices; i++)
    {
      int64_t size[VRG_MAX_DIMENSION];
      level_sides (input, i == 0 ? 0 : (i - 1) % m->levels->depth + 1, size);
      m->all[i] = vrg_operators_new (dimension, size, input->n_even + input->n_odd, all);
      m->first[i + 1] = m->first[i];
      if (m->n_fitted > 0)
        {
          m->fitted[i] = vrg_operators_new (dimension, size, m->n_fitted, fitted);
          m->first[i + 1] += vrg_operators_reach (dimension, size, m->n_fitted, fitted, m->reach[i]);
        }
    }
  for (int i = 0; i < 2; i++)
    vrg_free (storage[i]);
  vrg_free (all);
  vrg_free (fitted);
  vrg_free (patterns);

  m->done = vrg_new (info->ensembles * PASSES * m->units, sizeof *m->done, "units done");
  m->sums = vrg_new (info->ensembles * m->blocks.n * lattices * m->width, sizeof *m->sums, "sums of products");
  m->histogram = vrg_new (m->first[lattices], sizeof *m->histogram, "histograms");
  m->allowance = vrg_new (m->first[lattices] / 2, sizeof *m->allowance, "histograms");
  m->slopes = vrg_new (info->ensembles * m->units * lattices * m->slope, sizeof *m->slopes, "slopes");
  m->couplings = vrg_new (info->ensembles * lattices * m->n_fitted * m->n_fitted, sizeof *m->couplings, "couplings");
  return m;
}

void
vrg_measure_free (vrg_measure *measure)
{
  if (measure == NULL)
    return;
  for (int i = 0; i < measure->levels->n; i++)
    {
      vrg_operators_free (measure->all[i]);
      vrg_operators_free (measure->fitted[i]);
    }
  vrg_levels_free (measure->levels);
  vrg_free (measure->all);
  vrg_free (measure->fitted);
  vrg_free (measure->reach);
  vrg_free (measure->first);
  vrg_free (measure->done);
  vrg_free (measure->sums);
  vrg_free (measure->histogram);
  vrg_free (measure->allowance);
  vrg_free (measure->slopes);
  vrg_free (measure->couplings);
  vrg_free (measure);
}

int64_t *
vrg_measure_sums (const vrg_measure *m, int ensemble, int block, int lattice)
{
  return m->sums + (((int64_t) ensemble * m->blocks.n + block) * m->levels->n + lattice) * m->width;
}

double *
vrg_measure_slope (const vrg_measure *m, int ensemble, int64_t unit, int lattice)
{
  return m->slopes + ((ensemble * m->units + unit) * m->levels->n + lattice) * m->slope;
}

double *
vrg_measure_couplings (const vrg_measure *m, int ensemble, int lattice)
{
  return m->couplings + ((int64_t) ensemble * m->levels->n + lattice) * m->n_fitted * m->n_fitted;
}

/* One unit */

static void
unit_range (const vrg_measure *m, int64_t unit, int64_t t[2], int64_t c[2])
{
  int64_t first, last;
  vrg_blocks_range (&m->blocks, (int) (unit / m->parts), t, c);
  vrg_grid_span (t[1] - t[0], m->parts, (int) (unit % m->parts), &first, &last);
  t[1] = t[0] + last;
  t[0] += first;
}

/* What a rank needs for a unit, kept from one to the next of a pass. */
typedef struct
{
  uint64_t *spins;
  int64_t *counts; /* [first[lattices]]: histograms */
  double *weights; /* of one lattice */
  int64_t *sums;   /* [lattice][even, odd operators] */
  vrg_wide *record;
  vrg_correlator **correlators; /* [lattice][sector] */
} workspace;

static workspace
workspace_new (const vrg_measure *m)
{
  const int lattices = m->levels->n;
  workspace w = { 0 };
  int64_t most = 0, largest = 0, t[2], c[2];
  for (int64_t u = 0; u < m->units; u++)
    {
      unit_range (m, u, t, c);
      const int64_t n = (t[1] - t[0]) * (c[1] - c[0]);
      most = most > n ? most : n;
    }
  for (int i = 0; i < lattices; i++)
    largest = largest > m->first[i + 1] - m->first[i] ? largest : m->first[i + 1] - m->first[i];
  w.spins = vrg_new (most * m->info->rows * m->info->words, sizeof *w.spins, "configurations");
  w.counts = vrg_new (m->first[lattices], sizeof *w.counts, "histograms of a unit");
  w.weights = vrg_new (largest, sizeof *w.weights, "histogram");
  w.sums = vrg_new ((int64_t) lattices * (m->n[VRG_EVEN] + m->n[VRG_ODD]), sizeof *w.sums, "operator sums");
  w.record = vrg_new (m->size[VRG_EVEN] + m->size[VRG_ODD], sizeof *w.record, "sums of a unit");
  w.correlators = vrg_new (lattices * VRG_SECTORS, sizeof *w.correlators, "sums of a unit");
  for (int i = 0; i < lattices * VRG_SECTORS; i++)
    w.correlators[i] = vrg_correlator_new (m->n[i % VRG_SECTORS]);
  return w;
}

static void
workspace_clear (const vrg_measure *m, workspace *w)
{
  for (int i = 0; i < m->levels->n * VRG_SECTORS; i++)
    vrg_correlator_free (w->correlators[i]);
  vrg_free (w->correlators);
  vrg_free (w->record);
  vrg_free (w->sums);
  vrg_free (w->weights);
  vrg_free (w->counts);
  vrg_free (w->spins);
}

/* Operator sums of every lattice, and their products with those of the lattice it was blocked from and the sampled one. */
static void
add_products (const vrg_measure *m, workspace *w)
{
  const int even = m->n[VRG_EVEN], odd = m->n[VRG_ODD];
  for (int i = 0; i < m->levels->n; i++)
    {
      const int parent = vrg_levels_parent (m->levels, i);
      int64_t *sums = w->sums + i * (even + odd), *fine = w->sums + parent * (even + odd);
      vrg_operators_sums (m->all[i], m->levels->lattice[i], sums);
      vrg_correlator_add (w->correlators[i * VRG_SECTORS + VRG_EVEN], sums, parent < 0 ? NULL : fine, w->sums);
      vrg_correlator_add (w->correlators[i * VRG_SECTORS + VRG_ODD], sums + even, parent < 0 ? NULL : fine + even,
                          w->sums + even);
    }
}

/* First pass: what the unit adds to its block's sums and to the histograms. */
static void
keep_sums (vrg_measure *m, int ensemble, int64_t unit, workspace *w)
{
  const int even = m->size[VRG_EVEN], odd = m->size[VRG_ODD], block = (int) (unit / m->parts);
  for (int i = 0; i < m->levels->n; i++)
    {
      memset (w->record, 0, (size_t) (even + odd) * sizeof *w->record);
      vrg_correlator_take (w->correlators[i * VRG_SECTORS + VRG_EVEN], w->record);
      vrg_correlator_take (w->correlators[i * VRG_SECTORS + VRG_ODD], w->record + even);
      vrg_correlations_add_words (even + odd, w->record, vrg_measure_sums (m, ensemble, block, i));
    }
  for (int64_t e = 0; e < m->first[m->levels->n]; e++)
    m->histogram[e] += w->counts[e];
}

/* Couplings of the fit with the most operators that exists; NULL if there is none. */
static const double *
best_fit (const vrg_measure *m, int ensemble, int lattice)
{
  const int n = m->n_fitted;
  const double *k = vrg_measure_couplings (m, ensemble, lattice);
  for (int row = n - 1; row >= 0; row--)
    for (int a = 0; a <= row; a++)
      if (!isnan (k[row * n + a]))
        return k + row * n;
  return NULL;
}

/* Second pass: the slopes at the couplings. */
static void
keep_slopes (vrg_measure *m, int ensemble, int64_t unit, workspace *w)
{
  for (int i = 0; i < m->levels->n; i++)
    {
      const int64_t environments = m->first[i + 1] - m->first[i], *counts = w->counts + m->first[i];
      const double *best = best_fit (m, ensemble, i);
      double *slope = vrg_measure_slope (m, ensemble, unit, i), *last = slope + m->slope - 2;
      if (best == NULL)
        continue;
      for (int64_t e = 0; e < environments; e++)
        w->weights[e] = (double) counts[e];
      vrg_couplings_slopes (m->n_fitted, m->reach[i], w->weights, vrg_measure_couplings (m, ensemble, i), slope);
      last[0] = vrg_couplings_saturated (m->n_fitted, m->reach[i], m->histogram + m->first[i], counts,
                                         m->allowance + m->first[i] / 2, best, &last[1]);
    }
}

/* Read the unit's configurations and measure them.  Local; the caller agrees on the status. */
static int
measure_unit (vrg_measure *m, vrg_samples *samples, int ensemble, int pass, int64_t unit, workspace *w)
{
  int64_t t[2], c[2], words = m->info->rows * m->info->words;
  unit_range (m, unit, t, c);
  int64_t n = (t[1] - t[0]) * (c[1] - c[0]);
  vrg_rng rng;
  vrg_rng_init (&rng, (uint64_t) m->info->seed, (uint32_t) ensemble, 0);
  memset (w->counts, 0, (size_t) m->first[m->levels->n] * sizeof *w->counts);
  int status
    = n > 0 ? vrg_samples_read (samples, ensemble, t[0], t[1], c[0], c[1], 0, m->info->rows, w->spins) : VRG_OK;
  for (int64_t i = 0; i < n && status == VRG_OK; i++)
    {
      int64_t sample = (t[0] + i / (c[1] - c[0])) * m->info->chains + c[0] + i % (c[1] - c[0]);
      if (sample >= m->info->samples)
        continue;
      vrg_levels_fill (m->levels, w->spins + i * words, &rng, sample);
      if (pass == 0)
        add_products (m, w);
      for (int l = 0; l < m->levels->n; l++)
        if (m->n_fitted > 0 && (pass == 0 || best_fit (m, ensemble, l) != NULL))
          vrg_operators_count (m->fitted[l], m->levels->lattice[l], w->counts + m->first[l]);
    }
  if (status == VRG_OK && pass == 0)
    keep_sums (m, ensemble, unit, w);
  else if (status == VRG_OK)
    keep_slopes (m, ensemble, unit, w);
  return status;
}

/* State: of the ensemble at work complete on every rank between passes, shares of it within a pass */

/* What a pass adds to, of one ensemble. */
static int64_t
sums_size (const vrg_measure *m)
{
  return (int64_t) m->blocks.n * m->levels->n * m->width;
}

static int64_t
slopes_size (const vrg_measure *m)
{
  return m->units * m->levels->n * m->slope;
}

/* From complete to shares: rank 0 keeps what there is.  Local. */
static void
divide (vrg_measure *m, const vrg_grid *grid, int ensemble, int pass)
{
  if (grid->rank == 0)
    return;
  if (pass == 0)
    {
      memset (vrg_measure_sums (m, ensemble, 0, 0), 0, (size_t) sums_size (m) * sizeof *m->sums);
      memset (m->histogram, 0, (size_t) m->first[m->levels->n] * sizeof *m->histogram);
    }
  else
    memset (vrg_measure_slope (m, ensemble, 0, 0), 0, (size_t) slopes_size (m) * sizeof *m->slopes);
}

/* From shares to complete.  A unit's slopes are on one rank only, so their sum is exact.  Collective. */
static void
collect (vrg_measure *m, const vrg_grid *grid, int ensemble, int pass)
{
  if (pass == 1)
    {
      vrg_sum_double (grid->world, vrg_measure_slope (m, ensemble, 0, 0), slopes_size (m));
      return;
    }
  int64_t *sums = vrg_measure_sums (m, ensemble, 0, 0);
  vrg_sum_int64 (grid->world, sums, sums_size (m));
  vrg_sum_int64 (grid->world, m->histogram, m->first[m->levels->n]);
  /* words below 2^48 again, so that they do not depend on how many ranks were summed */
  for (int64_t i = 0; i < sums_size (m) / 2; i++)
    {
      vrg_wide zero = 0;
      vrg_correlations_add_words (1, &zero, sums + 2 * i);
    }
}

/* Collective, of the complete state. */
static int
checkpoint (vrg_measure *m, const vrg_grid *grid, const char *directory, const char *fingerprint, bool write,
            int64_t *step)
{
  int64_t ensembles = m->info->ensembles, lattices = m->levels->n, total = ensembles * PASSES * m->units;
  const vrg_h5_array arrays[] = {
    { .name = "/done",
      .help = "unit of work finished (1)",
      .axes = "ensemble pass unit",
      .type = VRG_U8,
      .rank = 3,
      .dims = { ensembles, PASSES, m->units },
      .replicated = true,
      .data = m->done },
    { .name = "/sums",
      .help = "sums of operator products: words[1] 2^48 + words[0] (1)",
      .axes = "ensemble block lattice word",
      .type = VRG_I64,
      .rank = 4,
      .dims = { ensembles, m->blocks.n, lattices, m->width },
      .replicated = true,
      .data = m->sums },
    { .name = "/histogram",
      .help = "sites in each environment, of the ensemble at work (1)",
      .axes = "environment",
      .type = VRG_I64,
      .rank = 1,
      .dims = { m->first[lattices] },
      .replicated = true,
      .data = m->histogram },
    { .name = "/slopes",
      .help = "slopes of the pseudo-likelihood of nested fits (1)",
      .axes = "ensemble unit lattice entry",
      .type = VRG_F64,
      .rank = 4,
      .dims = { ensembles, m->units, lattices, m->slope },
      .replicated = true,
      .data = m->slopes },
    { .name = "/couplings",
      .help = "couplings of nested fits (1)",
      .axes = "ensemble lattice fit operator",
      .type = VRG_F64,
      .rank = 4,
      .dims = { ensembles, lattices, m->n_fitted, m->n_fitted },
      .replicated = true,
      .data = m->couplings },
  };
  int n = m->n_fitted > 0 ? (int) (sizeof arrays / sizeof arrays[0]) : 2;
  if (!write)
    return vrg_checkpoint_read (grid, directory, STAGE, fingerprint, step, n, arrays);
  *step = 0;
  for (int64_t i = 0; i < total; i++)
    *step += m->done[i];
  return vrg_checkpoint_write (grid, directory, STAGE, fingerprint, *step, total, n, arrays);
}

/* Passes */

/* Couplings from the complete histograms, ranks taking turns at the lattices.  Collective. */
static void
fit (vrg_measure *m, const vrg_grid *grid, int ensemble)
{
  const int n = m->n_fitted, lattices = m->levels->n;
  double *couplings = vrg_measure_couplings (m, ensemble, 0);
  memset (couplings, 0, (size_t) (lattices * n * n) * sizeof *couplings);
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "fitting couplings", "lattices", lattices);
  for (int i = grid->rank; i < lattices; i += grid->size)
    {
      vrg_progress_update (&progress, i);
      const int64_t environments = m->first[i + 1] - m->first[i];
      double *weights = vrg_new (environments, sizeof *weights, "histogram");
      for (int64_t e = 0; e < environments; e++)
        weights[e] = (double) m->histogram[m->first[i] + e];
      vrg_couplings_nested (n, m->reach[i], weights, vrg_measure_couplings (m, ensemble, i));
      vrg_free (weights);
    }
  vrg_progress_end (&progress, lattices);
  vrg_sum_double (grid->world, couplings, lattices * n * n);
}

/* What the second pass reads, which follows from the first one's result.  Local. */
static void
prepare (vrg_measure *m, int ensemble)
{
  for (int i = 0; i < m->levels->n; i++)
    {
      const double *best = best_fit (m, ensemble, i);
      if (best != NULL)
        vrg_couplings_allowance (m->n_fitted, m->reach[i], m->histogram + m->first[i], best,
                                 m->allowance + m->first[i] / 2);
    }
}

/* The units of a pass that are not done, in order.  Returns how many; *samples: samples in those that are. */
static int64_t
list_undone (const vrg_measure *m, const uint8_t *done, int64_t *list, int64_t *samples)
{
  int64_t n = 0;
  *samples = 0;
  for (int64_t u = 0; u < m->units; u++)
    {
      int64_t t[2], c[2];
      unit_range (m, u, t, c);
      if (done[u])
        *samples += vrg_blocks_samples (&m->blocks, t, c);
      else
        list[n++] = u;
    }
  return n;
}

/* All units of a pass that are not done: one a rank in every round.  Collective. */
static int
run_pass (vrg_measure *m, const vrg_grid *grid, vrg_samples *samples, int ensemble, int pass, const char *directory,
          const char *fingerprint, vrg_stop *stop)
{
  uint8_t *done = m->done + (ensemble * PASSES + pass) * m->units;
  int64_t *list = vrg_new (m->units, sizeof *list, "units"), finished, step;
  int64_t n = list_undone (m, done, list, &finished);
  int status = VRG_OK;
  const int passes = m->n_fitted > 0 ? PASSES : 1;
  char what[64];
  vrg_progress progress;
  if (n == 0)
    {
      vrg_free (list);
      return VRG_OK;
    }
  if (pass == 0 && n == m->units)
    memset (m->histogram, 0, (size_t) m->first[m->levels->n] * sizeof *m->histogram);
  if (pass == 1 && n == m->units)
    fit (m, grid, ensemble);
  if (pass == 1)
    prepare (m, ensemble);
  workspace work = workspace_new (m);
  snprintf (what, sizeof what, "flow nn=%.6g, pass %d of %d", m->info->nn[ensemble], pass + 1, passes);
  vrg_progress_begin (&progress, what, "samples", finished, m->info->samples);
  vrg_progress_part (&progress, (ensemble * passes + pass) * m->info->samples,
                     m->info->ensembles * passes * m->info->samples);
  divide (m, grid, ensemble, pass);
  vrg_stop_loop (stop);
  for (int64_t i = 0; i < n && status == VRG_OK; i += grid->size)
    {
      if (i + grid->rank < n)
        status = measure_unit (m, samples, ensemble, pass, list[i + grid->rank], &work);
      status = vrg_agree (grid->world, status);
      for (int64_t j = i; j < n && j < i + grid->size && status == VRG_OK; j++)
        {
          int64_t t[2], c[2];
          unit_range (m, list[j], t, c);
          done[list[j]] = 1;
          finished += vrg_blocks_samples (&m->blocks, t, c);
        }
      vrg_progress_update (&progress, finished);
      vrg_action action = status == VRG_OK ? vrg_stop_poll (stop) : VRG_GO;
      if (action != VRG_GO)
        {
          collect (m, grid, ensemble, pass);
          status = checkpoint (m, grid, directory, fingerprint, true, &step);
          divide (m, grid, ensemble, pass);
          vrg_stop_saved (stop);
        }
      if (action == VRG_STOP && status == VRG_OK)
        status = VRG_STOPPED;
    }
  collect (m, grid, ensemble, pass);
  vrg_progress_end (&progress, finished);
  workspace_clear (m, &work);
  vrg_free (list);
  return status;
}

/* Can passes in their order, unit by unit, have come to this?  Loops and sums count on it. */
static bool
state_good (const vrg_measure *m)
{
  const int64_t passes = m->info->ensembles * PASSES, sites = m->info->rows * m->info->columns,
                most = m->info->samples < INT64_MAX / 4 / sites ? m->info->samples * sites : INT64_MAX / 4;
  bool good = true, begun = true;
  for (int64_t p = 0; p < passes; p++)
    if (p % PASSES == 0 || m->n_fitted > 0)
      {
        int64_t done = 0;
        for (int64_t u = 0; u < m->units; u++)
          {
            done += m->done[p * m->units + u];
            good = good && m->done[p * m->units + u] <= 1;
          }
        good = good && (begun || done == 0);
        begun = done == m->units; /* then the next one may have begun */
      }
  for (int64_t e = 0; e < m->first[m->levels->n]; e++)
    good = good && m->histogram[e] >= 0 && m->histogram[e] <= most;
  return good;
}

int
vrg_measure_run (vrg_measure *m, const vrg_grid *grid, vrg_samples *samples, const char *directory,
                 const char *fingerprint, vrg_stop *stop)
{
  int64_t step;
  int status = checkpoint (m, grid, directory, fingerprint, false, &step);
  if (status == VRG_OK && !state_good (m))
    status = vrg_error (VRG_FILE,
                        "%s: numbers in the checkpoint of " STAGE
                        " are out of range: it is damaged; remove checkpoint-" STAGE ".*.h5 there, or use --fresh",
                        directory);
  for (int ensemble = 0; ensemble < m->info->ensembles; ensemble++)
    for (int pass = 0; pass < (m->n_fitted > 0 ? PASSES : 1) && status == VRG_OK; pass++)
      status = run_pass (m, grid, samples, ensemble, pass, directory, fingerprint, stop);
  return status;
}
