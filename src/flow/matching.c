/* SPDX-License-Identifier: GPL-3.0-or-later
 * The critical coupling from the means on two lattices. */
#include "flow/matching.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "flow/correlations.h"

/** Estimates with block `block` of run `left_out` left out (-1: none). */
static void
evaluate (int n, double nn, int large, int small, const vrg_matching_run *runs, int left_out, int block,
          const double *largest, double *estimate, double *change)
{
  for (int a = 0; a < n; a++)
    {
      double mean[2] = { 0, 0 }, slope[2] = { 0, 0 };
      for (int r = 0; r < large + small; r++)
        {
          const int side = r >= large;
          const double share = 1.0 / (side ? small : large);
          mean[side] += share * (r == left_out ? runs[r].mean_rest[block * n + a] : runs[r].mean[a]);
          slope[side] += share * (r == left_out ? runs[r].slope_rest[block * n + a] : runs[r].slope[a]);
        }
      const double step = -(mean[0] - mean[1]) / (slope[0] - slope[1]);
      estimate[a] = isfinite (step) ? nn + step : (double) NAN;
      if (change != NULL)
        change[a] = isfinite (step) ? fmax (fabs (step * slope[0]) / (largest[a] - fabs (mean[0])),
                                            fabs (step * slope[1]) / (largest[a] - fabs (mean[1])))
                                    : (double) NAN;
    }
}

void
vrg_matching (int n, double nn, int large, int small, const vrg_matching_run *runs, const double *largest,
              double *estimate, double *covariance, double *change)
{
  evaluate (n, nn, large, small, runs, -1, 0, largest, estimate, change);
  for (int i = 0; i < n * n; i++)
    covariance[i] = 0;
  for (int r = 0; r < large + small; r++)
    {
      const int blocks = runs[r].blocks;
      double *rest = vrg_new (blocks * n, sizeof *rest, "jackknife"), *mean = vrg_new (n, sizeof *mean, "jackknife");
      const double weight = runs[r].factor * runs[r].factor * (blocks - 1) / blocks;
      for (int b = 0; b < blocks; b++)
        {
          evaluate (n, nn, large, small, runs, r, b, NULL, rest + b * n, NULL);
          for (int a = 0; a < n; a++)
            mean[a] += rest[b * n + a] / blocks;
        }
      for (int a = 0; a < n; a++)
        for (int c = 0; c < n; c++)
          for (int b = 0; b < blocks; b++)
            covariance[a * n + c]
              += blocks < 2 ? (double) NAN : weight * (rest[b * n + a] - mean[a]) * (rest[b * n + c] - mean[c]);
      vrg_free (mean);
      vrg_free (rest);
    }
}

int
vrg_matching_combine (int n, const double *estimate, const double *covariance, int blocks, double *value, double *error)
{
  int index[VRG_MATCHING_COMBINED], m = 0, k = 0;
  double sub[VRG_MATCHING_COMBINED * VRG_MATCHING_COMBINED], one[VRG_MATCHING_COMBINED], sum = 0, weighted = 0;
  bool used[VRG_MATCHING_COMBINED];
  *value = *error = NAN;
  for (int a = 0; a < n && m < VRG_MATCHING_COMBINED; a++)
    if (isfinite (estimate[a]) && covariance[a * n + a] > 0)
      index[m++] = a;
  for (int i = 0; i < m; i++)
    for (int j = 0; j < m; j++)
      sub[i * m + j] = covariance[index[i] * n + index[j]];
  if (m > 0)
    vrg_correlations_independent (m, sub, used);
  for (int i = 0; i < m; i++)
    if (used[i])
      index[k++] = index[i];
  if (k == 0 || blocks <= k)
    return 0;
  for (int i = 0; i < k; i++)
    for (int j = 0; j < k; j++)
      sub[i * k + j] = covariance[index[i] * n + index[j]];
  /* value = (1' C^-1 x) / (1' C^-1 1) */
  gsl_matrix_view matrix = gsl_matrix_view_array (sub, (size_t) k, (size_t) k);
  gsl_vector_view vector = gsl_vector_view_array (one, (size_t) k);
  gsl_vector_set_all (&vector.vector, 1);
  if (gsl_linalg_cholesky_decomp1 (&matrix.matrix) != 0
      || gsl_linalg_cholesky_svx (&matrix.matrix, &vector.vector) != 0)
    return 0;
  for (int i = 0; i < k; i++)
    {
      sum += one[i];
      weighted += one[i] * estimate[index[i]];
    }
  if (!(sum > 0))
    return 0;
  *value = weighted / sum;
  double chi2 = 0, rest[VRG_MATCHING_COMBINED];
  gsl_vector_view vector_rest = gsl_vector_view_array (rest, (size_t) k);
  for (int i = 0; i < k; i++)
    rest[i] = estimate[index[i]] - *value;
  gsl_blas_dtrsv (CblasLower, CblasNoTrans, CblasNonUnit, &matrix.matrix, &vector_rest.vector);
  for (int i = 0; i < k; i++)
    chi2 += rest[i] * rest[i];
  const double scatter = k > 1 ? fmax (1, sqrt (chi2 / (k - 1))) : 1;
  /* the covariance is itself an estimate from `blocks` numbers, whose noise the weights follow */
  *error = scatter * (1 + (k - 1.0) / (blocks - k)) / sqrt (sum);
  return k;
}
