/* SPDX-License-Identifier: GPL-3.0-or-later
 * Means, errors and autocorrelation times of the sampled series, and the table sample.tsv. */
#include "sample/estimates.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/statistics.h"
#include "files/h5.h"
#include "files/table.h"
#include "lattice/exact.h"

#define BLOCKS 128 /* wanted; with any number of chains there are more than 60 */
#define FEWEST 10  /* samples with which an error is claimed */

/* Sums over samples; integers as far as they reach, so that a block can be taken away again exactly. */
typedef struct
{
  int64_t n;
  __int128 s, s2, abs_m, m2;
  double m4; /* of m per site */
} sums;

enum
{
  ENERGY,
  SPECIFIC_HEAT,
  ABS_M,
  M2,
  BINDER,
  QUANTITIES
};

static void
quantities (const sums *a, double sites, double nn, double out[QUANTITIES])
{
  double n = (double) a->n, m2 = (double) a->m2 / (n * sites * sites);
  out[ENERGY] = -(double) a->s / (n * sites);
  out[SPECIFIC_HEAT] = nn * nn * (double) (a->n * a->s2 - a->s * a->s) / (n * n * sites);
  out[ABS_M] = (double) a->abs_m / (n * sites);
  out[M2] = m2;
  out[BINDER] = 1 - a->m4 / n / (3 * m2 * m2);
}

void
vrg_estimates_compute (int64_t rows, int64_t columns, double nn, int64_t samples, int64_t chains, const int64_t *bonds,
                       const int64_t *magnetisation, vrg_estimates *estimates)
{
  *estimates = (vrg_estimates){ { NAN, NAN }, { NAN, NAN }, { NAN, NAN }, { NAN, NAN }, { NAN, NAN }, NAN, NAN };
  if (samples < 2)
    return;
  double sites = (double) rows * (double) columns;
  vrg_blocks blocks;
  vrg_blocks_init (&blocks, samples, chains, BLOCKS);

  sums *block = vrg_new (blocks.n, sizeof *block, "jackknife blocks"), total = { 0 };
  for (int b = 0; b < blocks.n; b++)
    {
      int64_t t[2], c[2];
      vrg_blocks_range (&blocks, b, t, c);
      sums *a = &block[b];
      for (int64_t time = t[0]; time < t[1]; time++)
        for (int64_t chain = c[0]; chain < c[1] && time * chains + chain < samples; chain++)
          {
            int64_t s = bonds[time * chains + chain], m = magnetisation[time * chains + chain];
            double per_site = (double) m / sites, square = per_site * per_site;
            a->n++;
            a->s += s;
            a->s2 += (__int128) s * s;
            a->abs_m += llabs (m);
            a->m2 += (__int128) m * m;
            a->m4 += square * square;
          }
      total.n += a->n;
      total.s += a->s;
      total.s2 += a->s2;
      total.abs_m += a->abs_m;
      total.m2 += a->m2;
      total.m4 += a->m4;
    }

  double full[QUANTITIES], value[QUANTITIES], error[QUANTITIES];
  double *loo = vrg_new (blocks.n * QUANTITIES, sizeof *loo, "jackknife values");
  quantities (&total, sites, nn, full);
  for (int b = 0; b < blocks.n; b++)
    {
      const sums *a = &block[b];
      sums rest = { total.n - a->n,         total.s - a->s,   total.s2 - a->s2,
                    total.abs_m - a->abs_m, total.m2 - a->m2, total.m4 - a->m4 };
      quantities (&rest, sites, nn, loo + b * QUANTITIES);
    }
  vrg_jackknife (blocks.n, QUANTITIES, full, loo, value, error);

  double *series = vrg_new (samples, sizeof *series, "series");
  for (int64_t i = 0; i < samples; i++)
    series[i] = (double) bonds[i];
  estimates->tau_energy = vrg_tau_int (series, samples, chains, NULL);
  for (int64_t i = 0; i < samples; i++)
    series[i] = (double) magnetisation[i] * (double) magnetisation[i];
  estimates->tau_m2 = vrg_tau_int (series, samples, chains, NULL);

  double length = (double) blocks.times / blocks.over_time;
  double factor = samples < FEWEST ? NAN : vrg_block_factor (fmax (estimates->tau_energy, estimates->tau_m2), length);
  vrg_estimate *out[QUANTITIES]
    = { &estimates->energy, &estimates->specific_heat, &estimates->abs_m, &estimates->m2, &estimates->binder };
  for (int i = 0; i < QUANTITIES; i++)
    *out[i] = (vrg_estimate){ value[i], factor * error[i] };
  vrg_free (series);
  vrg_free (loo);
  vrg_free (block);
}

/** One row of the table. */
static void
put_row (vrg_table *table, const vrg_input *input, double nn, const vrg_estimates *e)
{
  int64_t rows = input->size[0], columns = input->size[1];
  double energy, specific_heat, interval = (double) input->interval;
  char size[48];
  vrg_exact_torus (rows, columns, nn, NULL, &energy, &specific_heat);
  snprintf (size, sizeof size, rows == columns ? "%lld" : "%lldx%lld", (long long) rows, (long long) columns);

  const vrg_estimate *estimates[] = { &e->energy, &e->specific_heat, &e->abs_m, &e->m2, &e->binder };
  vrg_table_double (table, nn);
  vrg_table_text (table, size);
  vrg_table_int (table, input->chains);
  vrg_table_int (table, input->configurations);
  for (int i = 0; i < QUANTITIES; i++)
    {
      vrg_table_double (table, estimates[i]->value);
      vrg_table_double (table, estimates[i]->error);
    }
  vrg_table_double (table, e->tau_energy * interval);
  vrg_table_double (table, e->tau_m2 * interval);
  vrg_table_double (table, energy);
  vrg_table_double (table, specific_heat);
}

/** Rank 0 alone. */
static int
write_table (const char *directory, const vrg_input *input, int ranks, const vrg_estimates *estimates)
{
  char comment[256], date[32];
  time_t now = time (NULL);
  strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
  snprintf (comment, sizeof comment, "vrg %s (%s) sample, %s, ranks %d, %s", vrg_version (), vrg_commit (),
            vrg_param_algorithm_names[input->algorithm], ranks, date);
  vrg_table *table = vrg_table_new (directory, "sample.tsv",
                                    "nn size chains configurations energy energy_err specific_heat specific_heat_err "
                                    "abs_m abs_m_err m2 m2_err binder binder_err tau_int_energy tau_int_m2 "
                                    "exact_energy exact_specific_heat",
                                    comment);
  for (int e = 0; e < input->n_nn; e++)
    put_row (table, input, input->nn[e], &estimates[e]);
  return vrg_table_close (table, NULL);
}

int
vrg_estimates_table (const vrg_grid *grid, const char *directory, const vrg_input *input, vrg_samples *samples)
{
  int64_t n = input->configurations;
  int64_t *bonds = vrg_new (n, sizeof *bonds, "series"), *magnetisation = vrg_new (n, sizeof *bonds, "series");
  vrg_estimates estimates[VRG_MAX_COUPLINGS];
  int status = VRG_OK;
  for (int e = 0; e < input->n_nn && status == VRG_OK; e++)
    {
      status = vrg_samples_read_series (samples, e, bonds, magnetisation);
      if (status == VRG_OK && grid->rank == 0)
        vrg_estimates_compute (input->size[0], input->size[1], input->nn[e], n, input->chains, bonds, magnetisation,
                               &estimates[e]);
    }
  vrg_free (bonds);
  vrg_free (magnetisation);
  if (status == VRG_OK && grid->rank == 0)
    status = write_table (directory, input, grid->size, estimates);
  return vrg_agree (grid->world, status);
}
