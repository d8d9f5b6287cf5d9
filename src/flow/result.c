/* SPDX-License-Identifier: GPL-3.0-or-later
 * Estimates with jackknife errors from the sums of blocks. */
#include "flow/result.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "flow/correlations.h"
#include "flow/couplings.h"
#include "flow/stability.h"

const vrg_result_info vrg_result_sectors[VRG_SECTOR_ARRAYS] = {
  { "mean", "<S_a> per site (1)", VRG_BY_OPERATOR },
  { "mean_error", "standard deviation of mean (1)", VRG_BY_OPERATOR },
  { "covariance", "<S'_a S'_b> - <S'_a> <S'_b>, both of this level (1)", VRG_BY_PAIR },
  { "cross_covariance", "<S'_a S_b> - <S'_a> <S_b>, S' of this level, S of the one before (1)", VRG_BY_PAIR },
  { "stability", "T with covariance T = cross_covariance; NaN: operator dropped (1)", VRG_BY_PAIR },
  { "stability_error", "standard deviation of stability (1)", VRG_BY_PAIR },
  { "y", "ln (leading eigenvalue) / ln (scale) with the first 1, 2, ... operators (1)", VRG_BY_OPERATOR },
  { "y_error", "standard deviation of y (1)", VRG_BY_OPERATOR },
  { "y_leave_one_out", "y from all blocks but one (1)", VRG_BY_BLOCK },
};

const vrg_result_info vrg_result_couplings[VRG_COUPLING_ARRAYS] = {
  { "value", "K_a from the pseudo-likelihood; NaN: operator dropped (1)", VRG_BY_OPERATOR },
  { "error", "standard deviation of value (1)", VRG_BY_OPERATOR },
  { "covariance", "jackknife covariance of value (1)", VRG_BY_PAIR },
  { "leave_one_out", "value from all blocks but one (1)", VRG_BY_BLOCK },
};

int
vrg_result_levels (const vrg_result *r)
{
  return r->measure->levels->depth + 1;
}

/* Doubles of one level. */
static int64_t
stride_of (const vrg_result *r, vrg_result_shape shape, int n)
{
  return shape == VRG_BY_OPERATOR ? n : shape == VRG_BY_PAIR ? (int64_t) n * n : (int64_t) r->measure->blocks.n * n;
}

static const vrg_lattice *
lattice_of (const vrg_result *r, int level)
{
  return r->measure->levels->lattice[vrg_levels_index (r->measure->levels, r->rule, level)];
}

const char *
vrg_result_rule (const vrg_result *r)
{
  return vrg_param_rule_names[r->measure->levels->rule[r->rule]];
}

/* "nn=0.440687 majority level 2 (16x16)" */
static const char *
place (const vrg_result *r, int level)
{
  static char text[128];
  const vrg_lattice *lattice = lattice_of (r, level);
  snprintf (text, sizeof text, "nn=%.6g %s level %d (%lldx%lld)", r->measure->info->nn[r->ensemble],
            vrg_result_rule (r), level, (long long) lattice->rows, (long long) lattice->columns);
  return text;
}

/* Name the operators that are not used. */
static void
log_dropped (const vrg_result *r, int level, const char *what, int sector, const bool *used)
{
  char names[512] = "";
  size_t length = 0;
  for (int a = 0; a < r->measure->n[sector]; a++)
    if (!used[a] && length < sizeof names - 32)
      length
        += (size_t) snprintf (names + length, sizeof names - length, " %.24s", r->measure->operators[sector][a]->name);
  if (length > 0)
    vrg_info ("flow: %s: %s without%s, constant or linearly dependent there", place (r, level), what, names);
}

/* Errors of m quantities; value (may be NULL) corrected for bias where that is a number, full otherwise. */
static void
jackknife (const vrg_result *r, int m, const double *full, const double *rest, double *value, double *error)
{
  int blocks = r->measure->blocks.n;
  double *corrected = vrg_new (m, sizeof *corrected, "jackknife");
  vrg_jackknife (blocks, m, full, rest, corrected, error);
  for (int i = 0; i < m; i++)
    {
      error[i] = blocks < 2 ? (double) NAN : error[i] * r->factor;
      if (value != NULL)
        value[i] = isfinite (corrected[i]) && blocks > 1 ? corrected[i] : full[i];
    }
  vrg_free (corrected);
}

/* Means, matrices and exponents of a sector from the sums of `samples`. */
static void
sector_estimates (const vrg_result *r, int sector, int level, int64_t samples, const vrg_wide *record, bool *used,
                  bool choose, double *mean, double *covariance, double *cross, double *matrix, double *y)
{
  int n = r->measure->n[sector];
  const vrg_lattice *lattice = lattice_of (r, level);
  vrg_correlations_matrices (n, samples, record, mean, covariance, cross);
  for (int a = 0; a < n; a++)
    mean[a] /= (double) (lattice->rows * lattice->columns);
  if (choose)
    vrg_correlations_independent (n, covariance, used);
  if (level > 0)
    {
      vrg_stability_matrix (n, covariance, cross, used, matrix);
      vrg_stability_exponents (n, covariance, cross, used, r->measure->levels->scale, y);
      return;
    }
  for (int i = 0; i < n * n; i++)
    cross[i] = matrix[i] = NAN;
  for (int a = 0; a < n; a++)
    y[a] = NAN;
}

/* One level of one sector, all and with each block left out. */
static void
sector_level (vrg_result *r, int sector, int level)
{
  const vrg_measure *m = r->measure;
  int n = m->n[sector], size = m->size[sector], blocks = m->blocks.n;
  int lattice = vrg_levels_index (m->levels, r->rule, level);
  bool used[VRG_MAX_OPERATORS];
  double *out[VRG_SECTOR_ARRAYS];
  for (int i = 0; i < VRG_SECTOR_ARRAYS; i++)
    out[i] = r->sector[sector][i] + level * stride_of (r, vrg_result_sectors[i].shape, n);
  vrg_wide *block = vrg_new ((int64_t) blocks * size, sizeof *block, "sums"),
           *all = vrg_new (size, sizeof *all, "sums");
  double *mean = vrg_new ((int64_t) blocks * n, sizeof *mean, "means"), *full = vrg_new (n, sizeof *full, "exponents");
  double *matrix = vrg_new ((int64_t) blocks * n * n, sizeof *matrix, "matrices");
  double *scratch = vrg_new (2 * n * n, sizeof *scratch, "covariances");
  for (int b = 0; b < blocks; b++)
    {
      const int64_t *words = vrg_measure_sums (m, r->ensemble, b, lattice);
      vrg_correlations_from_words (size, words + (sector == VRG_ODD ? 2 * m->size[VRG_EVEN] : 0), block + b * size);
      for (int i = 0; i < size; i++)
        all[i] += block[b * size + i];
    }
  sector_estimates (r, sector, level, m->info->samples, all, used, true, out[VRG_MEAN], out[VRG_COVARIANCE],
                    out[VRG_CROSS], out[VRG_MATRIX], full);
  for (int b = 0; b < blocks; b++)
    {
      for (int i = 0; i < size; i++)
        block[b * size + i] = all[i] - block[b * size + i];
      sector_estimates (r, sector, level, m->info->samples - vrg_blocks_count (&m->blocks, b), block + b * size, used,
                        false, mean + b * n, scratch, scratch + n * n, matrix + b * n * n, out[VRG_Y_REST] + b * n);
    }
  jackknife (r, n, out[VRG_MEAN], mean, NULL, out[VRG_MEAN_ERROR]);
  jackknife (r, n * n, out[VRG_MATRIX], matrix, NULL, out[VRG_MATRIX_ERROR]);
  jackknife (r, n, full, out[VRG_Y_REST], out[VRG_Y], out[VRG_Y_ERROR]);
  if (level > 0)
    log_dropped (r, level, sector == VRG_EVEN ? "even exponents" : "odd exponents", sector, used);
  vrg_free (scratch);
  vrg_free (matrix);
  vrg_free (full);
  vrg_free (mean);
  vrg_free (all);
  vrg_free (block);
}

/* Couplings of one level: leaving a block out is one Newton step, its slope taken away from that of all. */
static void
couplings_level (vrg_result *r, int level)
{
  const vrg_measure *m = r->measure;
  int n = m->n[VRG_EVEN], slope = (int) m->slope, blocks = m->blocks.n;
  int lattice = vrg_levels_index (m->levels, r->rule, level);
  double *out[VRG_COUPLING_ARRAYS];
  bool used[VRG_MAX_OPERATORS];
  for (int i = 0; i < VRG_COUPLING_ARRAYS; i++)
    out[i] = r->coupling[i] + level * stride_of (r, vrg_result_couplings[i].shape, n);
  memcpy (out[VRG_COUPLING], vrg_measure_couplings (m, r->ensemble, lattice), (size_t) n * sizeof (double));
  for (int a = 0; a < n; a++)
    used[a] = !isnan (out[VRG_COUPLING][a]);

  double *block = vrg_new ((int64_t) blocks * slope, sizeof *block, "slopes"),
         *all = vrg_new (slope, sizeof *all, "slopes");
  for (int b = 0; b < blocks; b++)
    for (int i = 0; i < slope; i++)
      {
        for (int part = 0; part < m->parts; part++)
          block[b * slope + i] += vrg_measure_slope (m, r->ensemble, (int64_t) b * m->parts + part, lattice)[i];
        all[i] += block[b * slope + i];
      }
  for (int b = 0; b < blocks; b++)
    {
      double *k = out[VRG_COUPLING_REST] + b * n;
      memcpy (k, out[VRG_COUPLING], (size_t) n * sizeof *k);
      for (int i = 0; i < slope; i++)
        block[b * slope + i] = all[i] - block[b * slope + i];
      if (!vrg_couplings_step (n, used, block + b * slope, block + b * slope + n, k))
        for (int a = 0; a < n; a++)
          k[a] = NAN;
    }
  jackknife (r, n, out[VRG_COUPLING], out[VRG_COUPLING_REST], NULL, out[VRG_COUPLING_ERROR]);
  for (int a = 0; a < n; a++)
    for (int c = 0; c < n; c++)
      {
        double mean_a = 0, mean_c = 0, sum = 0;
        const double *k = out[VRG_COUPLING_REST];
        for (int b = 0; b < blocks; b++)
          {
            mean_a += k[b * n + a] / blocks;
            mean_c += k[b * n + c] / blocks;
          }
        for (int b = 0; b < blocks; b++)
          sum += (k[b * n + a] - mean_a) * (k[b * n + c] - mean_c);
        out[VRG_COUPLING_COVARIANCE][a * n + c]
          = blocks < 2 ? (double) NAN : sum * (blocks - 1) / blocks * r->factor * r->factor;
      }
  log_dropped (r, level, "couplings", VRG_EVEN, used);
  vrg_free (all);
  vrg_free (block);
}

vrg_result *
vrg_result_new (const vrg_measure *measure, int ensemble, int rule, double factor)
{
  vrg_result *r = vrg_new (1, sizeof *r, "results");
  *r = (vrg_result){ .measure = measure, .ensemble = ensemble, .rule = rule, .factor = factor };
  for (int s = 0; s < VRG_SECTORS; s++)
    for (int i = 0; i < VRG_SECTOR_ARRAYS; i++)
      r->sector[s][i] = vrg_new (vrg_result_levels (r) * stride_of (r, vrg_result_sectors[i].shape, measure->n[s]),
                                 sizeof (double), vrg_result_sectors[i].name);
  for (int i = 0; i < VRG_COUPLING_ARRAYS; i++)
    r->coupling[i]
      = vrg_new (vrg_result_levels (r) * stride_of (r, vrg_result_couplings[i].shape, measure->n[VRG_EVEN]),
                 sizeof (double), vrg_result_couplings[i].name);
  for (int level = 0; level < vrg_result_levels (r); level++)
    {
      double last[VRG_SECTORS][2] = { { NAN, NAN }, { NAN, NAN } };
      for (int s = 0; s < VRG_SECTORS; s++)
        {
          int n = measure->n[s];
          sector_level (r, s, level);
          if (n > 0)
            {
              last[s][0] = r->sector[s][VRG_Y][(level + 1) * n - 1];
              last[s][1] = r->sector[s][VRG_Y_ERROR][(level + 1) * n - 1];
            }
        }
      if (measure->n[VRG_EVEN] > 0)
        couplings_level (r, level);
      if (level > 0)
        vrg_info ("flow: %s: y_t %.4f +- %.4f, y_h %.4f +- %.4f", place (r, level), last[VRG_EVEN][0],
                  last[VRG_EVEN][1], last[VRG_ODD][0], last[VRG_ODD][1]);
    }
  return r;
}

void
vrg_result_free (vrg_result *result)
{
  if (result == NULL)
    return;
  for (int s = 0; s < VRG_SECTORS; s++)
    for (int i = 0; i < VRG_SECTOR_ARRAYS; i++)
      vrg_free (result->sector[s][i]);
  for (int i = 0; i < VRG_COUPLING_ARRAYS; i++)
    vrg_free (result->coupling[i]);
  vrg_free (result);
}
