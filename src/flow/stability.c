/* SPDX-License-Identifier: GPL-3.0-or-later
 * Stability matrices by Cholesky's method, exponents from their eigenvalues. */
#include "flow/stability.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

#include "base/error.h"
#include "base/memory.h"

/* Indices of the operators used among the first n. */
static int
list_used (int n, const bool *used, int *list)
{
  int m = 0;
  for (int a = 0; a < n; a++)
    if (used[a])
      list[m++] = a;
  return m;
}

/* matrix[m m] of the operators listed; false if the covariance is not positive definite. */
static bool
solve (int n, const double *covariance, const double *cross, int m, const int *list, double *matrix)
{
  bool good = true;
  double *factor = vrg_new (m * m, sizeof *factor, "covariance"), *column = vrg_new (m, sizeof *column, "column");
  for (int i = 0; i < m; i++)
    for (int j = 0; j < m; j++)
      {
        factor[i * m + j] = covariance[list[i] * n + list[j]];
        good = good && isfinite (factor[i * m + j]);
      }
  gsl_matrix_view view = gsl_matrix_view_array (factor, (size_t) m, (size_t) m);
  gsl_error_handler_t *handler = gsl_set_error_handler_off ();
  good = good && gsl_linalg_cholesky_decomp1 (&view.matrix) == GSL_SUCCESS;
  for (int j = 0; j < m && good; j++)
    {
      for (int i = 0; i < m; i++)
        column[i] = cross[list[i] * n + list[j]];
      gsl_vector_view x = gsl_vector_view_array (column, (size_t) m);
      good = gsl_linalg_cholesky_svx (&view.matrix, &x.vector) == GSL_SUCCESS;
      for (int i = 0; i < m; i++)
        matrix[i * m + j] = column[i];
    }
  gsl_set_error_handler (handler);
  vrg_free (column);
  vrg_free (factor);
  return good;
}

/* The eigenvalue of largest modulus if it is real and positive; destroys the matrix. */
static double
leading_eigenvalue (int m, double *matrix)
{
  for (int i = 0; i < m * m; i++)
    if (!isfinite (matrix[i]))
      return NAN;
  gsl_matrix_view view = gsl_matrix_view_array (matrix, (size_t) m, (size_t) m);
  gsl_vector_complex *values = gsl_vector_complex_alloc ((size_t) m);
  gsl_eigen_nonsymm_workspace *work = gsl_eigen_nonsymm_alloc ((size_t) m);
  gsl_error_handler_t *handler = gsl_set_error_handler_off ();
  bool good = gsl_eigen_nonsymm (&view.matrix, values, work) == GSL_SUCCESS;
  gsl_set_error_handler (handler);
  double largest = -1, eigenvalue = NAN;
  for (int i = 0; i < m && good; i++)
    {
      gsl_complex z = gsl_vector_complex_get (values, (size_t) i);
      if (hypot (GSL_REAL (z), GSL_IMAG (z)) > largest)
        {
          largest = hypot (GSL_REAL (z), GSL_IMAG (z));
          eigenvalue = GSL_IMAG (z) == 0 && GSL_REAL (z) > 0 ? GSL_REAL (z) : NAN;
        }
    }
  gsl_eigen_nonsymm_free (work);
  gsl_vector_complex_free (values);
  return eigenvalue;
}

void
vrg_stability_matrix (int n, const double *covariance, const double *cross, const bool *used, double *matrix)
{
  int *list = vrg_new (n, sizeof *list, "operators used");
  int m = list_used (n, used, list);
  double *small = vrg_new (m * m, sizeof *small, "stability matrix");
  for (int i = 0; i < n * n; i++)
    matrix[i] = NAN;
  if (m > 0 && solve (n, covariance, cross, m, list, small))
    for (int i = 0; i < m; i++)
      for (int j = 0; j < m; j++)
        matrix[list[i] * n + list[j]] = small[i * m + j];
  vrg_free (small);
  vrg_free (list);
}

void
vrg_stability_exponents (int n, const double *covariance, const double *cross, const bool *used, double scale,
                         double *y)
{
  int *list = vrg_new (n, sizeof *list, "operators used");
  double *small = vrg_new (n * n, sizeof *small, "stability matrix");
  for (int k = 1; k <= n; k++)
    {
      int m = list_used (k, used, list);
      y[k - 1] = NAN;
      if (m > 0 && solve (n, covariance, cross, m, list, small))
        y[k - 1] = log (leading_eigenvalue (m, small)) / log (scale);
    }
  vrg_free (small);
  vrg_free (list);
}
