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
#include "flow/stability.h"

#define OPERATOR "operator"
#define PAIR "operator operator"
#define VECTORS "index operator"

const vrg_quantity_info vrg_quantities[VRG_QUANTITIES] = {
  { .name = "mean", .help = "<S_a> per site", .axes = OPERATOR, .error = true, .rest = true },
  { .name = "covariance", .help = "<S'_a S'_b> - <S'_a> <S'_b>, both of this level", .axes = PAIR, .pair = true },
  { .name = "cross_covariance",
    .help = "<S'_a S_b> - <S'_a> <S_b>, S' of this level, S of the one before",
    .axes = PAIR,
    .pair = true },
  { .name = "stability",
    .help = "T with covariance T = cross_covariance; NaN: operator dropped",
    .axes = PAIR,
    .pair = true,
    .error = true },
  { .name = "y",
    .help = "ln (leading eigenvalue) / ln (scale) with the first 1, 2, ... operators",
    .axes = OPERATOR,
    .error = true,
    .rest = true,
    .corrected = true },
  { .name = "eigenvalue",
    .help = "eigenvalues of T with all operators, by falling modulus: real part",
    .axes = "index",
    .error = true },
  { .name = "eigenvalue_imaginary", .help = "imaginary part of eigenvalue", .axes = "index", .error = true },
  { .name = "eigenvalue_y",
    .help = "ln (eigenvalue) / ln (scale); NaN: not real and positive",
    .axes = "index",
    .error = true,
    .corrected = true },
  { .name = "left",
    .help = "left eigenvectors of T (scaling fields), length 1, largest component positive: real part",
    .axes = VECTORS,
    .pair = true,
    .error = true },
  { .name = "left_imaginary", .help = "imaginary part of left", .axes = VECTORS, .pair = true, .error = true },
  { .name = "right",
    .help = "right eigenvectors of T, left . right = 1: real part",
    .axes = VECTORS,
    .pair = true,
    .error = true },
  { .name = "right_imaginary", .help = "imaginary part of right", .axes = VECTORS, .pair = true, .error = true },
  { .name = "response",
    .help = "dK(n)_a / dK(0)_b: R with covariance R = <S'_a S0_b> - <S'_a> <S0_b>, S0 of level 0",
    .axes = PAIR,
    .pair = true,
    .error = true },
  { .name = "mean_derivative",
    .help = "d mean_a / dK(0)_nn = (<S'_a S0_nn> - <S'_a> <S0_nn>) per site; NaN: nn is not among the operators",
    .axes = OPERATOR,
    .error = true,
    .rest = true,
    .even = true },
  { .name = "derivative",
    .help = "dK(n)_a / dK(0)_nn, the column nn of response",
    .axes = OPERATOR,
    .error = true,
    .rest = true,
    .even = true },
  { .name = "normal",
    .help = "normal of the critical surface at level 0, its nn 1: (leading left eigenvector) response",
    .axes = OPERATOR,
    .error = true,
    .rest = true,
    .even = true },
};

const vrg_pattern *
vrg_result_operators (const vrg_result *r, int sector)
{
  return sector == VRG_EVEN ? r->measure->input->even : r->measure->input->odd;
}

const char *
vrg_result_rule (const vrg_result *r)
{
  return vrg_param_rule_names[r->measure->levels->rule[r->rule]];
}

double
vrg_result_sites (const vrg_result *r, int level)
{
  const vrg_lattice *lattice = r->measure->levels->lattice[vrg_levels_index (r->measure->levels, r->rule, level)];
  return (double) lattice->rows * (double) lattice->columns;
}

bool
vrg_result_has (const vrg_result *r, int sector, int q)
{
  return r->measure->n[sector] > 0 && (sector == VRG_EVEN || !vrg_quantities[q].even);
}

int64_t
vrg_result_stride (const vrg_result *r, int sector, int q)
{
  int64_t n = r->measure->n[sector];
  return vrg_quantities[q].pair ? n * n : n;
}

/* Names of the operators that are not used. */
static void
log_dropped (const vrg_result *r, int level, int sector, const bool *used)
{
  char names[VRG_MAX_OPERATORS * (VRG_PATTERN_NAME + 1)] = "", place[128];
  size_t length = 0;
  for (int a = 0; a < r->measure->n[sector]; a++)
    if (!used[a])
      length
        += (size_t) snprintf (names + length, sizeof names - length, " %s", vrg_result_operators (r, sector)[a].name);
  vrg_measure_place (r->measure, r->ensemble, r->rule, level, place);
  if (length > 0)
    vrg_info ("flow: %s: %s exponents without%s, constant or linearly dependent there", place,
              sector == VRG_EVEN ? "even" : "odd", names);
}

/* Index of nn among the even operators; -1 if it is not there. */
static int
find_nn (const vrg_result *r)
{
  for (int a = 0; a < r->measure->n[VRG_EVEN]; a++)
    if (!strcmp (r->measure->input->even[a].name, "nn"))
      return a;
  return -1;
}

/* One jackknife sample */

/* Into the quantities of eigenvalues and eigenvectors. */
static void
put_eigen (const vrg_eigen *eigen, double scale, double *const out[VRG_QUANTITIES])
{
  int n = eigen->n;
  for (int i = 0; i < n; i++)
    {
      out[VRG_EIGENVALUE][i] = creal (eigen->value[i]);
      out[VRG_EIGENVALUE_IMAGINARY][i] = isnan (creal (eigen->value[i])) ? (double) NAN : cimag (eigen->value[i]);
      out[VRG_EIGENVALUE_Y][i] = vrg_stability_exponent (eigen->value[i], scale);
    }
  for (int i = 0; i < n * n; i++)
    {
      bool missing = isnan (creal (eigen->left[i]));
      out[VRG_LEFT][i] = missing ? (double) NAN : creal (eigen->left[i]);
      out[VRG_LEFT_IMAGINARY][i] = missing ? (double) NAN : cimag (eigen->left[i]);
      out[VRG_RIGHT][i] = missing ? (double) NAN : creal (eigen->right[i]);
      out[VRG_RIGHT_IMAGINARY][i] = missing ? (double) NAN : cimag (eigen->right[i]);
    }
}

/* The normal at level 0: the leading left eigenvector at this level, carried back there. */
static void
put_normal (int n, int nn, const bool *used, const vrg_eigen *eigen, const double *response, double *normal)
{
  for (int b = 0; b < n; b++)
    {
      normal[b] = cimag (eigen->value[0]) == 0 ? 0 : (double) NAN;
      for (int a = 0; a < n; a++)
        if (used[a])
          normal[b] += creal (eigen->left[a]) * response[a * n + b];
    }
  double unit = nn < 0 ? (double) NAN : normal[nn];
  for (int b = 0; b < n; b++)
    normal[b] /= unit;
}

/* All quantities from the sums of `samples`.  used: chosen here if reference is NULL; otherwise eigenvalues are put in the
 * order of the reference.  eigen: overwritten. */
static void
estimate (const vrg_result *r, int sector, int level, int64_t samples, const vrg_wide *record, bool *used,
          const vrg_eigen *reference, vrg_eigen *eigen, double *const out[VRG_QUANTITIES])
{
  int n = r->measure->n[sector], nn = find_nn (r);
  double scale = r->measure->levels->scale, sites = vrg_result_sites (r, level);
  double *response = vrg_new (n * n, sizeof *response, "covariances");
  vrg_correlations_matrices (n, samples, record, out[VRG_MEAN], out[VRG_COVARIANCE], out[VRG_CROSS], response);
  for (int a = 0; a < n; a++)
    out[VRG_MEAN][a] /= sites;
  if (reference == NULL)
    vrg_correlations_independent (n, out[VRG_COVARIANCE], used);
  if (level > 0)
    {
      vrg_stability_matrix (n, out[VRG_COVARIANCE], out[VRG_CROSS], used, out[VRG_MATRIX]);
      vrg_stability_exponents (n, out[VRG_COVARIANCE], out[VRG_CROSS], used, scale, out[VRG_Y]);
    }
  else
    {
      for (int i = 0; i < n * n; i++)
        out[VRG_CROSS][i] = out[VRG_MATRIX][i] = NAN;
      for (int a = 0; a < n; a++)
        out[VRG_Y][a] = NAN;
    }
  vrg_stability_eigen (out[VRG_MATRIX], used, eigen);
  if (reference != NULL)
    vrg_eigen_align (reference, eigen);
  put_eigen (eigen, scale, out);
  vrg_stability_solve (n, out[VRG_COVARIANCE], used, n, response, out[VRG_RESPONSE]);
  if (sector == VRG_EVEN)
    {
      for (int a = 0; a < n; a++)
        {
          out[VRG_MEAN_DERIVATIVE][a] = nn < 0 ? (double) NAN : response[a * n + nn] / sites;
          out[VRG_DERIVATIVE][a] = nn < 0 ? (double) NAN : out[VRG_RESPONSE][a * n + nn];
        }
      put_normal (n, nn, used, eigen, out[VRG_RESPONSE], out[VRG_NORMAL]);
    }
  vrg_free (response);
}

/* Errors from all jackknife samples */

/* Value and error of m quantities, from all samples and with each block left out; corrected for bias where wanted, and
 * where that is a number. */
static void
jackknife (const vrg_result *r, int64_t m, bool correct, const double *rest, double *value, double *error)
{
  int blocks = r->measure->blocks.n;
  double *corrected = vrg_new (m, sizeof *corrected, "jackknife"), *sigma = vrg_new (m, sizeof *sigma, "jackknife");
  vrg_jackknife (blocks, (int) m, value, rest, corrected, sigma);
  for (int64_t i = 0; i < m; i++)
    {
      if (correct && isfinite (corrected[i]) && blocks > 1)
        value[i] = corrected[i];
      if (error != NULL)
        error[i] = blocks < 2 ? (double) NAN : sigma[i] * r->factor;
    }
  vrg_free (sigma);
  vrg_free (corrected);
}

/* One level of one sector, all and with each block left out. */
static void
sector_level (vrg_result *r, int sector, int level)
{
  const vrg_measure *m = r->measure;
  int n = m->n[sector], size = m->size[sector], blocks = m->blocks.n;
  int lattice = vrg_levels_index (m->levels, r->rule, level);
  bool used[VRG_MAX_OPERATORS];
  double *out[VRG_QUANTITIES], *rest[VRG_QUANTITIES];
  int64_t stride[VRG_QUANTITIES];
  vrg_wide *block = vrg_new ((int64_t) blocks * size, sizeof *block, "sums"),
           *all = vrg_new (size, sizeof *all, "sums");
  vrg_eigen eigen, part;
  vrg_eigen_init (&eigen, n);
  vrg_eigen_init (&part, n);
  for (int b = 0; b < blocks; b++)
    {
      const int64_t *words = vrg_measure_sums (m, r->ensemble, b, lattice);
      vrg_correlations_from_words (size, words + (sector == VRG_ODD ? 2 * m->size[VRG_EVEN] : 0), block + b * size);
      for (int i = 0; i < size; i++)
        all[i] += block[b * size + i];
    }
  for (int q = 0; q < VRG_QUANTITIES; q++)
    {
      const vrg_estimate *e = &r->sector[sector][q];
      stride[q] = vrg_result_stride (r, sector, q);
      out[q] = e->value != NULL ? e->value + level * stride[q] : NULL;
      rest[q] = vrg_new (blocks * stride[q], sizeof *rest[q], "values without a block");
    }
  estimate (r, sector, level, m->info->samples, all, used, NULL, &eigen, out);
  for (int b = 0; b < blocks; b++)
    {
      double *without[VRG_QUANTITIES];
      for (int q = 0; q < VRG_QUANTITIES; q++)
        without[q] = rest[q] + b * stride[q];
      for (int i = 0; i < size; i++)
        block[b * size + i] = all[i] - block[b * size + i];
      estimate (r, sector, level, m->info->samples - vrg_blocks_count (&m->blocks, b), block + b * size, used, &eigen,
                &part, without);
    }
  for (int q = 0; q < VRG_QUANTITIES; q++)
    {
      const vrg_estimate *e = &r->sector[sector][q];
      if (vrg_result_has (r, sector, q) && vrg_quantities[q].error)
        jackknife (r, stride[q], vrg_quantities[q].corrected, rest[q], out[q], e->error + level * stride[q]);
      if (e->rest != NULL)
        memcpy (e->rest + level * blocks * stride[q], rest[q], (size_t) (blocks * stride[q]) * sizeof (double));
      vrg_free (rest[q]);
    }
  for (int a = 0; a < n; a++)
    r->used[sector][level * n + a] = used[a];
  if (level > 0)
    log_dropped (r, level, sector, used);
  vrg_eigen_clear (&part);
  vrg_eigen_clear (&eigen);
  vrg_free (all);
  vrg_free (block);
}

/* Covariance over levels of the exponents with all operators. */
static void
covary (vrg_result *r, int sector)
{
  int n = r->measure->n[sector], blocks = r->measure->blocks.n;
  const double *rest = r->sector[sector][VRG_Y].rest;
  double *mean = vrg_new (r->levels, sizeof *mean, "means");
  for (int i = 0; i < r->levels; i++)
    for (int b = 0; b < blocks; b++)
      mean[i] += rest[(i * blocks + b + 1) * n - 1] / blocks;
  for (int i = 0; i < r->levels; i++)
    for (int j = 0; j < r->levels; j++)
      {
        double sum = 0;
        for (int b = 0; b < blocks; b++)
          sum += (rest[(i * blocks + b + 1) * n - 1] - mean[i]) * (rest[(j * blocks + b + 1) * n - 1] - mean[j]);
        r->y_covariance[sector][i * r->levels + j]
          = blocks < 2 ? (double) NAN : sum * (blocks - 1) / blocks * r->factor * r->factor;
      }
  vrg_free (mean);
}

/* y_t and y_h of a level, or why there is none. */
static void
log_exponents (const vrg_result *r, int level)
{
  char place[128], text[VRG_SECTORS][80];
  vrg_measure_place (r->measure, r->ensemble, r->rule, level, place);
  for (int s = 0; s < VRG_SECTORS; s++)
    {
      int n = r->measure->n[s];
      const vrg_estimate *e = r->sector[s];
      snprintf (text[s], sizeof text[s], "not measured");
      if (n == 0)
        continue;
      double y = e[VRG_Y].value[(level + 1) * n - 1], imaginary = e[VRG_EIGENVALUE_IMAGINARY].value[level * n];
      if (isnan (y) && !isnan (imaginary))
        snprintf (text[s], sizeof text[s], "none, leading eigenvalue %.4f %+.4fi", e[VRG_EIGENVALUE].value[level * n],
                  imaginary);
      else
        snprintf (text[s], sizeof text[s], "%.4f +- %.4f", y, e[VRG_Y].error[(level + 1) * n - 1]);
    }
  vrg_info ("flow: %s: y_t %s, y_h %s", place, text[VRG_EVEN], text[VRG_ODD]);
}

vrg_result *
vrg_result_new (const vrg_measure *measure, int ensemble, int rule, double factor)
{
  vrg_result *r = vrg_new (1, sizeof *r, "results");
  *r = (vrg_result){
    .measure = measure, .ensemble = ensemble, .rule = rule, .levels = measure->levels->depth + 1, .factor = factor
  };
  for (int s = 0; s < VRG_SECTORS; s++)
    {
      r->used[s] = vrg_new (r->levels * measure->n[s], sizeof *r->used[s], "operators used");
      r->y_covariance[s] = vrg_new (r->levels * r->levels, sizeof (double), "covariance of exponents");
      for (int q = 0; q < VRG_QUANTITIES; q++)
        {
          const vrg_quantity_info *info = &vrg_quantities[q];
          vrg_estimate *e = &r->sector[s][q];
          int64_t size = r->levels * vrg_result_stride (r, s, q);
          if (!vrg_result_has (r, s, q))
            continue;
          e->value = vrg_new (size, sizeof *e->value, info->name);
          if (info->error)
            e->error = vrg_new (size, sizeof *e->error, info->name);
          if (info->rest)
            e->rest = vrg_new (size * measure->blocks.n, sizeof *e->rest, info->name);
        }
    }
  for (int s = 0; s < VRG_SECTORS; s++)
    if (measure->n[s] > 0)
      {
        for (int level = 0; level < r->levels; level++)
          sector_level (r, s, level);
        covary (r, s);
      }
  for (int level = 1; level < r->levels; level++)
    log_exponents (r, level);
  r->fits = vrg_fits_new (measure, ensemble, rule, factor);
  return r;
}

void
vrg_result_free (vrg_result *r)
{
  if (r == NULL)
    return;
  for (int s = 0; s < VRG_SECTORS; s++)
    {
      for (int q = 0; q < VRG_QUANTITIES; q++)
        {
          vrg_free (r->sector[s][q].value);
          vrg_free (r->sector[s][q].error);
          vrg_free (r->sector[s][q].rest);
        }
      vrg_free (r->used[s]);
      vrg_free (r->y_covariance[s]);
    }
  vrg_fits_free (r->fits);
  vrg_free (r);
}
