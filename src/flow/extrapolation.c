/* SPDX-License-Identifier: GPL-3.0-or-later
 * Fits of exponents with corrections of unknown powers. */
#include "flow/extrapolation.h"

#include <gsl/gsl_blas.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "flow/correlations.h"

enum
{
  TERMS = 3,
  STEPS = VRG_EXTRAPOLATION_STEPS
};

/** The points that are fitted. */
typedef struct
{
  int n;
  const vrg_extrapolation_point **point;
  gsl_matrix *factor; /* Cholesky factor of their covariance */
} selection;

typedef struct
{
  int terms;
  double value, variance, chi2;
} fit;

/** Points that `keep` says; false if their covariance has no Cholesky factor, or there are none. */
static bool
select_points (int points, const vrg_extrapolation_point *point, const double *covariance, const bool *keep,
               selection *s)
{
  int *index = vrg_new (points, sizeof *index, "points of a fit");
  s->n = 0;
  for (int i = 0; i < points; i++)
    if (keep[i])
      index[s->n++] = i;
  s->point = vrg_new (s->n, sizeof *s->point, "points of a fit");
  s->factor = s->n > 0 ? gsl_matrix_alloc ((size_t) s->n, (size_t) s->n) : NULL;
  for (int i = 0; i < s->n; i++)
    {
      s->point[i] = &point[index[i]];
      for (int j = 0; j < s->n; j++)
        gsl_matrix_set (s->factor, (size_t) i, (size_t) j, covariance[index[i] * points + index[j]]);
    }
  vrg_free (index);
  return s->n > 0 && gsl_linalg_cholesky_decomp1 (s->factor) == 0;
}

static void
clear_selection (selection *s)
{
  vrg_free (s->point);
  if (s->factor != NULL)
    gsl_matrix_free (s->factor);
}

/** Columns of the design divided by the errors of the points, and their scalar products: 1, scale^(-p level) of every p,
 *  side^(-q) of every q, y. */
enum
{
  POWERS_P = 1,
  POWERS_Q = POWERS_P + STEPS,
  VALUES = POWERS_Q + STEPS,
  COLUMNS
};

static double
power_of (int step)
{
  return VRG_EXTRAPOLATION_FIRST + (VRG_EXTRAPOLATION_LAST - VRG_EXTRAPOLATION_FIRST) * step / (STEPS - 1);
}

static gsl_matrix *
products_new (const selection *s, double scale)
{
  gsl_matrix *design = gsl_matrix_alloc ((size_t) s->n, COLUMNS), *products = gsl_matrix_alloc (COLUMNS, COLUMNS);
  for (int i = 0; i < s->n; i++)
    {
      const vrg_extrapolation_point *point = s->point[i];
      double *row = gsl_matrix_ptr (design, (size_t) i, 0);
      row[0] = 1;
      for (int k = 0; k < STEPS; k++)
        {
          row[POWERS_P + k] = pow (scale, -power_of (k) * point->level);
          row[POWERS_Q + k] = pow ((double) point->side, -power_of (k));
        }
      row[VALUES] = point->y;
    }
  gsl_blas_dtrsm (CblasLeft, CblasLower, CblasNoTrans, CblasNonUnit, 1, s->factor, design);
  gsl_blas_dgemm (CblasTrans, CblasNoTrans, 1, design, design, 0, products);
  gsl_matrix_free (design);
  return products;
}

/** One fit with given powers: terms that depend on those before them, or that leave no degree of freedom, are left out. */
static fit
fit_once (const gsl_matrix *products, int points, int p, int q)
{
  const size_t columns[TERMS] = { 0, (size_t) (POWERS_P + p), (size_t) (POWERS_Q + q) };
  double normal[TERMS * TERMS], right[TERMS];
  bool used[TERMS];
  int index[TERMS], terms = 0;
  for (int a = 0; a < TERMS; a++)
    for (int b = 0; b < TERMS; b++)
      normal[a * TERMS + b] = gsl_matrix_get (products, columns[a], columns[b]);
  vrg_correlations_independent (TERMS, normal, used);
  for (int a = 0; a < TERMS; a++)
    if (used[a] && (a == 0 || terms + 1 < points))
      index[terms++] = a;
  for (int a = 0; a < terms; a++)
    {
      right[a] = gsl_matrix_get (products, columns[index[a]], VALUES);
      for (int b = 0; b < terms; b++)
        normal[a * terms + b] = gsl_matrix_get (products, columns[index[a]], columns[index[b]]);
    }
  fit result = { .terms = terms, .value = 0, .chi2 = gsl_matrix_get (products, VALUES, VALUES) };
  gsl_matrix_view matrix = gsl_matrix_view_array (normal, (size_t) terms, (size_t) terms);
  if (gsl_linalg_cholesky_decomp1 (&matrix.matrix) != 0 || gsl_linalg_cholesky_invert (&matrix.matrix) != 0)
    return (fit){ .terms = 0, .value = NAN, .variance = NAN, .chi2 = NAN };
  for (int a = 0; a < terms; a++)
    {
      result.value += normal[a] * right[a];
      for (int b = 0; b < terms; b++)
        result.chi2 -= right[a] * normal[a * terms + b] * right[b];
    }
  result.variance = normal[0];
  result.chi2 = fmax (result.chi2, 0);
  return result;
}

/** The mean over all powers. */
static void
average (const selection *s, double scale, vrg_extrapolation *result)
{
  fit *fits = vrg_new (STEPS * STEPS, sizeof *fits, "fits"), *best = NULL;
  gsl_matrix *products = products_new (s, scale);
  for (int i = 0; i < STEPS * STEPS; i++)
    {
      fits[i] = fit_once (products, s->n, i / STEPS, i % STEPS);
      if (isfinite (fits[i].value) && (best == NULL || fits[i].chi2 < best->chi2))
        best = &fits[i];
    }
  if (best != NULL)
    {
      /* the power of a term has been chosen too */
      const double freedom = fmax (1, s->n - (2 * best->terms - 1)), excess = fmax (1, best->chi2 / freedom);
      double sum = 0, mean = 0, square = 0, variance = 0;
      for (int i = 0; i < STEPS * STEPS; i++)
        if (isfinite (fits[i].value))
          {
            const double weight = exp (-(fits[i].chi2 - best->chi2) / (2 * excess)), d = fits[i].value - best->value;
            sum += weight;
            mean += weight * d;
            square += weight * d * d;
            variance += weight * fits[i].variance * excess;
          }
      mean /= sum;
      *result = (vrg_extrapolation){ .points = s->n,
                                     .terms = best->terms,
                                     .value = best->value + mean,
                                     .error = sqrt (variance / sum + fmax (square / sum - mean * mean, 0)),
                                     .systematic = NAN,
                                     .chi2 = best->chi2 };
    }
  gsl_matrix_free (products);
  vrg_free (fits);
}

static vrg_extrapolation
extrapolate (int points, const vrg_extrapolation_point *point, const double *covariance, double scale, const bool *keep)
{
  vrg_extrapolation result = { .value = NAN, .error = NAN, .systematic = NAN, .chi2 = NAN };
  selection s;
  if (select_points (points, point, covariance, keep, &s))
    average (&s, scale, &result);
  clear_selection (&s);
  return result;
}

/** What is left out to see what it does: the points with the smallest of one of these. */
static int64_t
property (const vrg_extrapolation_point *point, int which)
{
  return which == 0 ? point->level : which == 1 ? point->size : point->side;
}

void
vrg_extrapolate (int points, const vrg_extrapolation_point *point, const double *covariance, double scale,
                 vrg_extrapolation *result)
{
  bool *keep = vrg_new (points, sizeof *keep, "points of a fit"),
       *fewer = vrg_new (points, sizeof *fewer, "points of a fit");
  for (int i = 0; i < points; i++)
    keep[i] = isfinite (point[i].y) && covariance[i * points + i] > 0 && point[i].side >= VRG_EXTRAPOLATION_SIDE;
  *result = extrapolate (points, point, covariance, scale, keep);
  for (int which = 0; which < 3 && isfinite (result->value); which++)
    {
      int64_t least = INT64_MAX;
      int left = 0;
      for (int i = 0; i < points; i++)
        if (keep[i] && property (&point[i], which) < least)
          least = property (&point[i], which);
      for (int i = 0; i < points; i++)
        left += fewer[i] = keep[i] && property (&point[i], which) > least;
      if (left < 2)
        continue;
      const vrg_extrapolation other = extrapolate (points, point, covariance, scale, fewer);
      if (isfinite (other.value))
        result->systematic
          = fmax (isnan (result->systematic) ? 0 : result->systematic, fabs (other.value - result->value));
    }
  vrg_free (fewer);
  vrg_free (keep);
}
