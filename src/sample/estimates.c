/* SPDX-License-Identifier: GPL-3.0-or-later
 * Means, errors and autocorrelation times of the sampled series, and the tables made of them. */
#include "sample/estimates.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/statistics.h"
#include "files/h5.h"
#include "files/table.h"
#include "lattice/exact.h"

#define BLOCKS 128        /* wanted; with any number of chains there are more than 60 */
#define FEWEST 10         /* samples with which an error is claimed */
#define FEWEST_HALF 20    /* independent samples the second half must have to be compared with */
#define MANY_CHAINS 32    /* whose scatter is a better error than one from an autocorrelation time */
#define THERMAL_LIMIT 4.0 /* standard errors that call for a warning */
#define SHORT 20          /* autocorrelation times that a series should have */
#define PI 3.14159265358979323846

/* Sums over samples; integers as far as they reach, so that a block can be taken away again exactly. */
typedef struct
{
  int64_t n;
  __int128 s, s2, m, abs_m, m2, even[VRG_EVEN_OPERATORS];
  double m4, wave; /* of m per site; of |sum s exp (iqr)|^2 */
} sums;

enum
{
  ENERGY,
  SPECIFIC_HEAT,
  ABS_M,
  M2,
  BINDER,
  SUSCEPTIBILITY,
  XI,
  OPERATORS,
  QUANTITIES = OPERATORS + VRG_EVEN_OPERATORS
};

typedef struct
{
  double sites, layers, nn;
  bool field;
} system_of;

static void
add_sample (sums *a, const vrg_observation *o, double sites)
{
  const int64_t s = o->bonds, m = o->magnetisation;
  const double per_site = (double) m / sites, square = per_site * per_site;
  const double wave[2]
    = { (double) o->fourier[0] / (double) VRG_FOURIER_ONE, (double) o->fourier[1] / (double) VRG_FOURIER_ONE };
  a->n++;
  a->s += s;
  a->s2 += (__int128) s * s;
  a->m += m;
  a->abs_m += llabs (m);
  a->m2 += (__int128) m * m;
  a->m4 += square * square;
  a->wave += wave[0] * wave[0] + wave[1] * wave[1];
  for (int i = 0; i < VRG_EVEN_OPERATORS; i++)
    a->even[i] += o->even[i];
}

/** total + sign * block */
static sums
combine (const sums *total, int sign, const sums *block)
{
  sums a = *total;
  a.n += sign * block->n;
  a.s += sign * block->s;
  a.s2 += sign * block->s2;
  a.m += sign * block->m;
  a.abs_m += sign * block->abs_m;
  a.m2 += sign * block->m2;
  a.m4 += sign * block->m4;
  a.wave += sign * block->wave;
  for (int i = 0; i < VRG_EVEN_OPERATORS; i++)
    a.even[i] += sign * block->even[i];
  return a;
}

static void
quantities (const sums *a, const system_of *system, double out[QUANTITIES])
{
  const double n = (double) a->n, sites = system->sites, nn = system->nn;
  const double m = (double) a->m / (n * sites), m2 = (double) a->m2 / (n * sites * sites);
  const double zero = sites * (m2 - (system->field ? m * m : 0)), first = a->wave / (n * sites);
  out[ENERGY] = -(double) a->s / (n * sites);
  out[SPECIFIC_HEAT] = nn * nn * (double) (a->n * a->s2 - a->s * a->s) / (n * n * sites);
  out[ABS_M] = (double) a->abs_m / (n * sites);
  out[M2] = m2;
  out[BINDER] = 1 - a->m4 / n / (3 * m2 * m2);
  out[SUSCEPTIBILITY] = (double) (a->n * a->m2 - a->abs_m * a->abs_m) / (n * n * sites);
  out[XI] = first > 0 ? sqrt (zero / first - 1) / (2 * sin (PI / system->layers)) : (double) NAN;
  for (int i = 0; i < VRG_EVEN_OPERATORS; i++)
    out[OPERATORS + i] = (double) a->even[i] / (n * sites);
}

/** Of a series: mean over times [t0, t1) and the deviation of a single sample. */
static double
mean_over (const double *series, int64_t chains, int64_t t0, int64_t t1, double *deviation)
{
  double mean = 0, squares = 0;
  const int64_t n = (t1 - t0) * chains;
  series += t0 * chains;
  for (int64_t i = 0; i < n; i++)
    mean += series[i] / (double) n;
  for (int64_t i = 0; i < n; i++)
    squares += (series[i] - mean) * (series[i] - mean);
  if (deviation)
    *deviation = sqrt (squares / (double) n);
  return mean;
}

/** The same with the error from the scatter of the differences over chains. */
static double
thermal_scatter (const double *series, int64_t times, int64_t chains)
{
  const int64_t tenth = times < 20 ? 1 : times / 10, half = times / 2;
  double *difference = vrg_new (chains, sizeof *difference, "series"), deviation;
  for (int64_t c = 0; c < chains; c++)
    {
      for (int64_t t = 0; t < tenth; t++)
        difference[c] += series[t * chains + c] / (double) tenth;
      for (int64_t t = times - half; t < times; t++)
        difference[c] -= series[t * chains + c] / (double) half;
    }
  const double mean = mean_over (difference, chains, 0, 1, &deviation);
  vrg_free (difference);
  return deviation > 0 ? fabs (mean) / (deviation / sqrt ((double) chains - 1)) : 0;
}

/** How many standard errors the first tenth of the times is from the second half.  The second half says how much and for
 *  how long samples fluctuate; a mean over less than that time fluctuates as a single sample does. */
static double
thermal_difference (const double *series, int64_t samples, int64_t chains)
{
  const int64_t times = samples / chains, tenth = times / 10, half = times / 2; /* times that every chain has */
  if (chains >= MANY_CHAINS && times >= 2)
    return thermal_scatter (series, times, chains);
  if (tenth < 1)
    return NAN;
  double deviation, early = mean_over (series, chains, 0, tenth, NULL);
  double late = mean_over (series, chains, times - half, times, &deviation);
  double tau = vrg_tau_int (series + (times - half) * chains, half * chains, chains, NULL);
  double together = fmax (1, 2 * tau); /* times that make one independent sample */
  if (!isfinite (tau) || (double) (half * chains) < FEWEST_HALF * together)
    return NAN;
  double independent[2] = { fmax (1, (double) tenth / together), fmax (1, (double) half / together) };
  double error = deviation * sqrt ((1 / independent[0] + 1 / independent[1]) / (double) chains);
  return fabs (early - late) <= 1e-12 * fabs (late) ? 0 : fabs (early - late) / error;
}

static double
larger (double a, double b)
{
  return a > b || b != b ? a : b;
}

void
vrg_estimates_observed (const vrg_samples_info *info, int ensemble, const vrg_observation *observations,
                        vrg_estimates *estimates)
{
  vrg_estimate *const out[] = { &estimates->energy, &estimates->specific_heat,  &estimates->abs_m, &estimates->m2,
                                &estimates->binder, &estimates->susceptibility, &estimates->xi };
  const int64_t samples = info->samples, chains = info->chains;
  const system_of system
    = { (double) info->rows * (double) info->columns, (double) info->size[0], info->nn[ensemble], info->field != 0 };
  double full[QUANTITIES], value[QUANTITIES], error[QUANTITIES], factor = NAN;
  for (int i = 0; i < QUANTITIES; i++)
    value[i] = error[i] = NAN;
  estimates->tau_energy = estimates->tau_m2 = estimates->thermal = NAN;

  if (samples >= 2)
    {
      vrg_blocks blocks;
      vrg_blocks_init (&blocks, samples, chains, BLOCKS);
      sums *block = vrg_new (blocks.n, sizeof *block, "jackknife blocks"), total = { 0 };
      for (int b = 0; b < blocks.n; b++)
        {
          int64_t t[2], c[2];
          vrg_blocks_range (&blocks, b, t, c);
          for (int64_t time = t[0]; time < t[1]; time++)
            for (int64_t chain = c[0]; chain < c[1] && time * chains + chain < samples; chain++)
              add_sample (&block[b], &observations[time * chains + chain], system.sites);
          total = combine (&total, 1, &block[b]);
        }
      double *loo = vrg_new (blocks.n * QUANTITIES, sizeof *loo, "jackknife values");
      quantities (&total, &system, full);
      for (int b = 0; b < blocks.n; b++)
        {
          const sums rest = combine (&total, -1, &block[b]);
          quantities (&rest, &system, loo + b * QUANTITIES);
        }
      vrg_jackknife (blocks.n, QUANTITIES, full, loo, value, error);
      vrg_free (loo);
      vrg_free (block);

      double *series = vrg_new (samples, sizeof *series, "series");
      for (int64_t i = 0; i < samples; i++)
        series[i] = (double) observations[i].bonds;
      estimates->tau_energy = vrg_tau_int (series, samples, chains, NULL);
      estimates->thermal = thermal_difference (series, samples, chains);
      for (int64_t i = 0; i < samples; i++)
        series[i] = (double) observations[i].magnetisation * (double) observations[i].magnetisation;
      estimates->tau_m2 = vrg_tau_int (series, samples, chains, NULL);
      estimates->thermal = larger (estimates->thermal, thermal_difference (series, samples, chains));
      vrg_free (series);

      if (samples >= FEWEST)
        factor = vrg_blocks_factor (&blocks, fmax (estimates->tau_energy, estimates->tau_m2));
    }
  for (int i = 0; i < QUANTITIES; i++)
    *(i < OPERATORS ? out[i] : &estimates->operators[i - OPERATORS]) = (vrg_estimate){ value[i], factor * error[i] };
}

void
vrg_estimates_compute (int64_t rows, int64_t columns, double nn, int64_t samples, int64_t chains, const int64_t *bonds,
                       const int64_t *magnetisation, vrg_estimates *estimates)
{
  const vrg_samples_info info = { .dimension = 2,
                                  .size = { rows, columns, 1 },
                                  .rows = rows,
                                  .columns = columns,
                                  .samples = samples,
                                  .chains = chains,
                                  .nn = { nn } };
  vrg_observation *observations = vrg_new (samples, sizeof *observations, "series");
  for (int64_t i = 0; i < samples; i++)
    observations[i] = (vrg_observation){ .bonds = bonds[i], .magnetisation = magnetisation[i] };
  vrg_estimates_observed (&info, 0, observations, estimates);
  vrg_free (observations);
}

/** Exact energy and specific heat where they are known, else NaN. */
static void
exact_values (const vrg_samples_info *info, double nn, double *energy, double *specific_heat)
{
  *energy = *specific_heat = NAN;
  const bool plain = info->nnn == 0 && info->plaquette == 0 && info->field == 0;
  if (plain && info->dimension == 1)
    vrg_exact_ring (info->size[0], nn, NULL, energy, specific_heat);
  else if (plain && info->dimension == 2)
    vrg_exact_torus (info->size[0], info->size[1], nn, NULL, energy, specific_heat);
}

static void
put_estimate (vrg_table *table, vrg_estimate e)
{
  vrg_table_double (table, e.value);
  vrg_table_double (table, e.error);
}

/** One row of sample.tsv. */
static void
put_row (vrg_table *table, const vrg_samples_info *info, int ensemble, const vrg_estimates *e)
{
  const double nn = info->nn[ensemble], interval = (double) info->interval;
  double energy, specific_heat;
  char size[VRG_SIZE_TEXT];
  vrg_size_text (info->dimension, info->size, size);
  exact_values (info, nn, &energy, &specific_heat);
  vrg_table_double (table, nn);
  vrg_table_text (table, size);
  vrg_table_int (table, info->chains);
  vrg_table_int (table, info->samples);
  put_estimate (table, e->energy);
  put_estimate (table, e->specific_heat);
  put_estimate (table, e->abs_m);
  put_estimate (table, e->m2);
  put_estimate (table, e->binder);
  vrg_table_double (table, e->tau_energy * interval);
  vrg_table_double (table, e->tau_m2 * interval);
  vrg_table_double (table, energy);
  vrg_table_double (table, specific_heat);
  put_estimate (table, e->susceptibility);
  put_estimate (table, e->xi);
  vrg_table_double (table, e->thermal);
}

/** The rows of an ensemble in operators.tsv. */
static void
put_operators (vrg_table *table, const vrg_samples_info *info, int ensemble, const vrg_estimates *e)
{
  char size[VRG_SIZE_TEXT];
  const vrg_pattern *even;
  vrg_catalogue (2, false, &even);
  vrg_size_text (info->dimension, info->size, size);
  for (int i = 0; i < VRG_EVEN_OPERATORS; i++)
    {
      vrg_table_double (table, info->nn[ensemble]);
      vrg_table_text (table, size);
      vrg_table_text (table, even[i].name);
      put_estimate (table, e->operators[i]);
    }
}

/** Rank 0 alone.  sample.tsv comes last: where it is, the other one is. */
static int
write_tables (const char *directory, const vrg_samples_info *info, int ranks, const vrg_estimates *estimates)
{
  char comment[256], date[32];
  time_t now = time (NULL);
  int status = VRG_OK;
  strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
  snprintf (comment, sizeof comment, "vrg %s (%s) sample, %s, ranks %d, %s", vrg_version (), vrg_commit (),
            vrg_param_algorithm_names[info->algorithm], ranks, date);
  if (info->dimension == 2)
    {
      vrg_table *table = vrg_table_new (directory, "operators.tsv", "nn size operator value error", comment);
      for (int e = 0; e < info->ensembles; e++)
        put_operators (table, info, e, &estimates[e]);
      status = vrg_table_close (table, NULL);
    }
  if (status != VRG_OK)
    return status;
  vrg_table *table = vrg_table_new (directory, "sample.tsv",
                                    "nn size chains configurations energy energy_err specific_heat specific_heat_err "
                                    "abs_m abs_m_err m2 m2_err binder binder_err tau_int_energy tau_int_m2 "
                                    "exact_energy exact_specific_heat susceptibility susceptibility_err xi xi_err "
                                    "thermal",
                                    comment);
  for (int e = 0; e < info->ensembles; e++)
    put_row (table, info, e, &estimates[e]);
  return vrg_table_close (table, NULL);
}

double
vrg_estimates_bytes (const vrg_input *input)
{
  return (double) input->configurations * (sizeof (vrg_observation) + sizeof (double));
}

/** Of chains that were not, or not surely, in equilibrium. */
static void
warn (const vrg_samples_info *info, int ensemble, const vrg_estimates *e)
{
  const double nn = info->nn[ensemble], tau = fmax (e->tau_energy, e->tau_m2), interval = (double) info->interval,
               times = (double) info->samples / (double) info->chains;
  if (e->thermal > THERMAL_LIMIT)
    vrg_warn ("nn = %.6g: the first tenth of the series differs from the second half by %.1f standard errors: more "
              "[sample] thermalization is needed",
              nn, e->thermal);
  else if (times < SHORT * tau)
    vrg_warn (
      "nn = %.6g: chains of %.0f sweeps are short against their autocorrelation time of %.0f: errors are rough, "
      "and nobody can tell whether %lld sweeps of thermalization were enough",
      nn, times * interval, tau * interval, (long long) info->thermalization);
  else if (isnan (e->thermal))
    vrg_info ("nn = %.6g: too few samples of each chain to tell whether %lld sweeps of thermalization were enough", nn,
              (long long) info->thermalization);
}

int
vrg_estimates_table (const vrg_grid *grid, const char *directory, vrg_samples *samples)
{
  const vrg_samples_info *info = vrg_samples_get_info (samples);
  vrg_observation *observations = grid->rank == 0 ? vrg_new (info->samples, sizeof *observations, "series") : NULL;
  vrg_estimates estimates[VRG_MAX_COUPLINGS];
  int status = VRG_OK;
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "estimating energies and moments", "couplings", info->ensembles);
  for (int e = 0; e < info->ensembles && status == VRG_OK; e++)
    {
      vrg_progress_update (&progress, e);
      status = vrg_samples_read_observations (samples, e, observations);
      if (status != VRG_OK || grid->rank != 0)
        continue;
      vrg_estimates_observed (info, e, observations, &estimates[e]);
      warn (info, e, &estimates[e]);
    }
  vrg_progress_end (&progress, info->ensembles);
  vrg_free (observations);
  if (status == VRG_OK && grid->rank == 0)
    status = write_tables (directory, info, grid->size, estimates);
  return vrg_agree (grid->world, status);
}
