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

int
vrg_measure_new (const vrg_input *input, const vrg_samples_info *info, vrg_filter filter, vrg_measure **measure)
{
  vrg_measure *m = vrg_new (1, sizeof *m, "flow");
  m->input = input;
  m->info = info;
  m->levels = vrg_levels_new (info->rows, info->columns, (int) input->scale, (int) input->levels, input->n_rules,
                              input->rules, filter);
  vrg_blocks_init (&m->blocks, info->samples, info->chains, (int) input->blocks);

  m->n[VRG_EVEN] = input->n_even;
  m->n[VRG_ODD] = input->n_odd;
  for (int a = 0; a < input->n_even; a++)
    m->operators[VRG_EVEN][a] = vrg_operator_even (input->even[a]);
  for (int a = 0; a < input->n_odd; a++)
    m->operators[VRG_ODD][a] = vrg_operator_odd (input->odd[a]);
  for (int s = 0; s < VRG_SECTORS; s++)
    {
      m->size[s] = vrg_correlations_size (m->n[s]);
      m->width += 2 * m->size[s];
    }
  m->slope = m->n[VRG_EVEN] * (1 + m->n[VRG_EVEN]);

  /* Cut every block into as many parts as the largest one needs. */
  int64_t per_sample = info->rows * info->words, needed = 1, t[2], c[2];
  for (int b = 0; b < m->blocks.n; b++)
    {
      vrg_blocks_range (&m->blocks, b, t, c);
      int64_t parts = ((t[1] - t[0]) * (c[1] - c[0]) * per_sample + UNIT_WORDS - 1) / UNIT_WORDS;
      parts = parts < t[1] - t[0] ? parts : t[1] - t[0];
      needed = needed > parts ? needed : parts;
    }
  m->parts = (int) needed;
  m->units = (int64_t) m->blocks.n * m->parts;

  int lattices = m->levels->n;
  m->reach = vrg_new (lattices, sizeof *m->reach, "operators' reach");
  m->first = vrg_new (lattices + 1, sizeof *m->first, "histograms");
  for (int i = 0; i < lattices; i++)
    {
      const vrg_lattice *lattice = m->levels->lattice[i];
      m->first[i + 1]
        = m->first[i]
          + vrg_operators_reach (lattice->rows, lattice->columns, m->n[VRG_EVEN], m->operators[VRG_EVEN], m->reach[i]);
    }
  m->done = vrg_new (info->ensembles * PASSES * m->units, sizeof *m->done, "units done");
  m->sums = vrg_new (info->ensembles * m->blocks.n * lattices * m->width, sizeof *m->sums, "sums of products");
  m->histogram = vrg_new (m->first[lattices], sizeof *m->histogram, "histograms");
  m->slopes = vrg_new (info->ensembles * m->units * lattices * m->slope, sizeof *m->slopes, "slopes");
  m->couplings = vrg_new (info->ensembles * lattices * m->n[VRG_EVEN], sizeof *m->couplings, "couplings");
  *measure = m;
  return VRG_OK;
}

void
vrg_measure_free (vrg_measure *measure)
{
  if (measure == NULL)
    return;
  vrg_levels_free (measure->levels);
  vrg_free (measure->reach);
  vrg_free (measure->first);
  vrg_free (measure->done);
  vrg_free (measure->sums);
  vrg_free (measure->histogram);
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
  return m->couplings + ((int64_t) ensemble * m->levels->n + lattice) * m->n[VRG_EVEN];
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

/* Operator sums of every lattice, and their products with those of the lattice it was blocked from.
 * records: [lattice][even and odd], sums: scratch [lattice][sector][VRG_MAX_OPERATORS]. */
static void
add_products (const vrg_measure *m, vrg_wide *records, int64_t (*sums)[VRG_SECTORS][VRG_MAX_OPERATORS])
{
  const vrg_operator *all[VRG_SECTORS * VRG_MAX_OPERATORS];
  int64_t values[VRG_SECTORS * VRG_MAX_OPERATORS];
  int even = m->n[VRG_EVEN], odd = m->n[VRG_ODD];
  memcpy (all, m->operators[VRG_EVEN], (size_t) even * sizeof all[0]);
  memcpy (all + even, m->operators[VRG_ODD], (size_t) odd * sizeof all[0]);
  for (int i = 0; i < m->levels->n; i++)
    {
      int parent = vrg_levels_parent (m->levels, i);
      vrg_operators_sum (m->levels->lattice[i], even + odd, all, values);
      memcpy (sums[i][VRG_EVEN], values, (size_t) even * sizeof values[0]);
      memcpy (sums[i][VRG_ODD], values + even, (size_t) odd * sizeof values[0]);
      for (int s = 0; s < VRG_SECTORS; s++)
        {
          vrg_correlations_add (m->n[s], sums[i][s], parent < 0 ? NULL : sums[parent][s], records);
          records += m->size[s];
        }
    }
}

/* First pass: what the unit adds to its block's sums and to the histograms. */
static void
keep_sums (vrg_measure *m, int ensemble, int64_t unit, const vrg_wide *records, const int64_t *counts)
{
  int size = m->size[VRG_EVEN] + m->size[VRG_ODD], block = (int) (unit / m->parts);
  for (int i = 0; i < m->levels->n; i++)
    vrg_correlations_add_words (size, records + (int64_t) i * size, vrg_measure_sums (m, ensemble, block, i));
  for (int64_t e = 0; e < m->first[m->levels->n]; e++)
    m->histogram[e] += counts[e];
}

/* Second pass: the slope at the couplings. */
static void
keep_slopes (vrg_measure *m, int ensemble, int64_t unit, const int64_t *counts)
{
  int n = m->n[VRG_EVEN];
  for (int i = 0; i < m->levels->n; i++)
    {
      int64_t environments = m->first[i + 1] - m->first[i];
      double k[VRG_MAX_OPERATORS], *slope = vrg_measure_slope (m, ensemble, unit, i);
      double *weights = vrg_new (environments, sizeof *weights, "histogram");
      for (int64_t e = 0; e < environments; e++)
        weights[e] = (double) counts[m->first[i] + e];
      for (int a = 0; a < n; a++)
        {
          double value = vrg_measure_couplings (m, ensemble, i)[a];
          k[a] = isnan (value) ? 0 : value;
        }
      vrg_couplings_slope (n, m->reach[i], weights, k, slope, slope + n);
      vrg_free (weights);
    }
}

/* Read the unit's configurations and measure them.  Local; the caller agrees on the status. */
static int
measure_unit (vrg_measure *m, vrg_samples *samples, int ensemble, int pass, int64_t unit)
{
  int64_t t[2], c[2], words = m->info->rows * m->info->words;
  unit_range (m, unit, t, c);
  int64_t n = (t[1] - t[0]) * (c[1] - c[0]), size = m->size[VRG_EVEN] + m->size[VRG_ODD];
  int lattices = m->levels->n;
  vrg_rng rng;
  vrg_rng_init (&rng, (uint64_t) m->info->seed, (uint32_t) ensemble, 0);
  uint64_t *spins = vrg_new (n * words, sizeof *spins, "configurations");
  int64_t *counts = vrg_new (m->first[lattices], sizeof *counts, "histograms of a unit");
  vrg_wide *records = vrg_new (lattices * size, sizeof *records, "sums of a unit");
  int64_t (*sums)[VRG_SECTORS][VRG_MAX_OPERATORS] = vrg_new (lattices, sizeof *sums, "operator sums");

  int status = n > 0 ? vrg_samples_read (samples, ensemble, t[0], t[1], c[0], c[1], 0, m->info->rows, spins) : VRG_OK;
  for (int64_t i = 0; i < n && status == VRG_OK; i++)
    {
      int64_t sample = (t[0] + i / (c[1] - c[0])) * m->info->chains + c[0] + i % (c[1] - c[0]);
      if (sample >= m->info->samples)
        continue;
      vrg_levels_fill (m->levels, spins + i * words, &rng, sample);
      if (pass == 0)
        add_products (m, records, sums);
      for (int l = 0; l < lattices; l++)
        vrg_operators_environments (m->levels->lattice[l], m->n[VRG_EVEN], m->operators[VRG_EVEN],
                                    counts + m->first[l]);
    }
  if (status == VRG_OK && pass == 0)
    keep_sums (m, ensemble, unit, records, counts);
  else if (status == VRG_OK)
    keep_slopes (m, ensemble, unit, counts);
  vrg_free (sums);
  vrg_free (records);
  vrg_free (counts);
  vrg_free (spins);
  return status;
}

/* State: complete on every rank between passes, shares of it within a pass */

static int64_t
count_sums (const vrg_measure *m)
{
  return (int64_t) m->info->ensembles * m->blocks.n * m->levels->n * m->width;
}

static int64_t
count_slopes (const vrg_measure *m)
{
  return m->info->ensembles * m->units * m->levels->n * m->slope;
}

/* From complete to shares: rank 0 keeps what there is.  Local. */
static void
divide (vrg_measure *m, const vrg_grid *grid)
{
  if (grid->rank == 0)
    return;
  memset (m->sums, 0, (size_t) count_sums (m) * sizeof *m->sums);
  memset (m->histogram, 0, (size_t) m->first[m->levels->n] * sizeof *m->histogram);
  memset (m->slopes, 0, (size_t) count_slopes (m) * sizeof *m->slopes);
}

/* From shares to complete.  A unit's slopes are on one rank only, so their sum is exact.  Collective. */
static void
collect (vrg_measure *m, const vrg_grid *grid)
{
  vrg_sum_int64 (grid->world, m->sums, count_sums (m));
  vrg_sum_int64 (grid->world, m->histogram, m->first[m->levels->n]);
  vrg_sum_double (grid->world, m->slopes, count_slopes (m));
  /* words below 2^48 again, so that they do not depend on how many ranks were summed */
  for (int64_t i = 0; i < count_sums (m) / 2; i++)
    {
      vrg_wide zero = 0;
      vrg_correlations_add_words (1, &zero, m->sums + 2 * i);
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
      .help = "gradient and Hessian of the pseudo-likelihood (1)",
      .axes = "ensemble unit lattice entry",
      .type = VRG_F64,
      .rank = 4,
      .dims = { ensembles, m->units, lattices, m->slope },
      .replicated = true,
      .data = m->slopes },
    { .name = "/couplings",
      .help = "couplings (1)",
      .axes = "ensemble lattice operator",
      .type = VRG_F64,
      .rank = 3,
      .dims = { ensembles, lattices, m->n[VRG_EVEN] },
      .replicated = true,
      .data = m->couplings },
  };
  int n = (int) (sizeof arrays / sizeof arrays[0]);
  if (!write)
    return vrg_checkpoint_read (grid, directory, STAGE, fingerprint, step, n, arrays);
  *step = 0;
  for (int64_t i = 0; i < total; i++)
    *step += m->done[i];
  return vrg_checkpoint_write (grid, directory, STAGE, fingerprint, *step, total, n, arrays);
}

/* Passes */

/* Couplings of all lattices from the complete histograms.  Rank 0 decides.  Collective. */
static void
fit (vrg_measure *m, const vrg_grid *grid, int ensemble)
{
  int n = m->n[VRG_EVEN];
  double *couplings = vrg_measure_couplings (m, ensemble, 0);
  for (int i = 0; i < m->levels->n && grid->rank == 0; i++)
    {
      const vrg_lattice *lattice = m->levels->lattice[i];
      int64_t environments = m->first[i + 1] - m->first[i];
      bool used[VRG_MAX_OPERATORS];
      double *weights = vrg_new (environments, sizeof *weights, "histogram");
      for (int64_t e = 0; e < environments; e++)
        weights[e] = (double) m->histogram[m->first[i] + e];
      if (!vrg_couplings_fit (n, m->reach[i], weights, couplings + i * n, used))
        vrg_warn (STAGE ": nn=%.6g, %lldx%lld: the spins follow their fields always or never: no finite couplings",
                  m->info->nn[ensemble], (long long) lattice->rows, (long long) lattice->columns);
      vrg_free (weights);
    }
  vrg_broadcast (grid->world, couplings, (int64_t) m->levels->n * n * (int64_t) sizeof *couplings);
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
  char what[64];
  vrg_progress progress;
  if (pass == 0 && n == m->units)
    memset (m->histogram, 0, (size_t) m->first[m->levels->n] * sizeof *m->histogram);
  if (pass == 1 && n > 0)
    fit (m, grid, ensemble);
  snprintf (what, sizeof what, "flow nn=%.6g, pass %d of %d", m->info->nn[ensemble], pass + 1, PASSES);
  if (n > 0)
    vrg_progress_begin (&progress, what, "samples", finished, m->info->samples);
  divide (m, grid);
  vrg_stop_loop (stop);
  for (int64_t i = 0; i < n && status == VRG_OK; i += grid->size)
    {
      if (i + grid->rank < n)
        status = measure_unit (m, samples, ensemble, pass, list[i + grid->rank]);
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
          collect (m, grid);
          status = checkpoint (m, grid, directory, fingerprint, true, &step);
          divide (m, grid);
          vrg_stop_saved (stop);
        }
      if (action == VRG_STOP && status == VRG_OK)
        status = VRG_STOPPED;
    }
  collect (m, grid);
  if (n > 0)
    vrg_progress_end (&progress, finished);
  vrg_free (list);
  return status;
}

int
vrg_measure_run (vrg_measure *m, const vrg_grid *grid, vrg_samples *samples, const char *directory,
                 const char *fingerprint, vrg_stop *stop)
{
  int64_t step;
  int status = checkpoint (m, grid, directory, fingerprint, false, &step);
  for (int ensemble = 0; ensemble < m->info->ensembles; ensemble++)
    for (int pass = 0; pass < PASSES && status == VRG_OK; pass++)
      status = run_pass (m, grid, samples, ensemble, pass, directory, fingerprint, stop);
  return status;
}
