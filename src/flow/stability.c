/* SPDX-License-Identifier: GPL-3.0-or-later
 * Stability matrices by Cholesky's method, their eigenvalues and eigenvectors. */
#include "flow/stability.h"

#include <gsl/gsl_complex.h>
#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define WORST_CONDITION 1e8 /* of an eigenvalue: the inverse cosine between its vectors */

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

/* matrix[m columns] of the operators listed, from n of them; column j is column which[j] of `right`, which has `pitch`.
 * False if the covariance is not positive definite. */
static bool
solve (int n, const double *covariance, int m, const int *list, int columns, const int *which, int pitch,
       const double *right, double *matrix)
{
  bool good = m > 0;
  double *factor = vrg_new (m * m, sizeof *factor, "covariance"), *column = vrg_new (m, sizeof *column, "column");
  for (int i = 0; i < m; i++)
    for (int j = 0; j < m; j++)
      {
        factor[i * m + j] = covariance[list[i] * n + list[j]];
        good = good && isfinite (factor[i * m + j]);
      }
  gsl_error_handler_t *handler = gsl_set_error_handler_off ();
  if (good)
    {
      gsl_matrix_view view = gsl_matrix_view_array (factor, (size_t) m, (size_t) m);
      gsl_vector_view x = gsl_vector_view_array (column, (size_t) m);
      good = gsl_linalg_cholesky_decomp1 (&view.matrix) == GSL_SUCCESS;
      for (int j = 0; j < columns && good; j++)
        {
          for (int i = 0; i < m; i++)
            column[i] = right[list[i] * pitch + which[j]];
          good = gsl_linalg_cholesky_svx (&view.matrix, &x.vector) == GSL_SUCCESS;
          for (int i = 0; i < m; i++)
            matrix[i * columns + j] = column[i];
        }
    }
  gsl_set_error_handler (handler);
  vrg_free (column);
  vrg_free (factor);
  return good;
}

void
vrg_stability_solve (int n, const double *covariance, const bool *used, int columns, const double *right,
                     double *matrix)
{
  int *list = vrg_new (n, sizeof *list, "operators used"), *which = vrg_new (columns, sizeof *which, "columns");
  int m = list_used (n, used, list);
  double *small = vrg_new (m * columns, sizeof *small, "solution");
  for (int j = 0; j < columns; j++)
    which[j] = j;
  for (int i = 0; i < n * columns; i++)
    matrix[i] = NAN;
  if (solve (n, covariance, m, list, columns, which, columns, right, small))
    for (int i = 0; i < m; i++)
      memcpy (matrix + list[i] * columns, small + i * columns, (size_t) columns * sizeof *small);
  vrg_free (small);
  vrg_free (which);
  vrg_free (list);
}

void
vrg_stability_matrix (int n, const double *covariance, const double *cross, const bool *used, double *matrix)
{
  vrg_stability_solve (n, covariance, used, n, cross, matrix);
  for (int i = 0; i < n * n; i++)
    if (!used[i % n])
      matrix[i] = NAN;
}

double
vrg_stability_exponent (double complex value, double scale)
{
  return cimag (value) == 0 && creal (value) > 0 ? log (creal (value)) / log (scale) : (double) NAN;
}

/* The eigenvalue of largest modulus; destroys the matrix. */
static double complex
leading_eigenvalue (int m, double *matrix)
{
  gsl_matrix_view view = gsl_matrix_view_array (matrix, (size_t) m, (size_t) m);
  gsl_vector_complex *values = gsl_vector_complex_alloc ((size_t) m);
  gsl_eigen_nonsymm_workspace *work = gsl_eigen_nonsymm_alloc ((size_t) m);
  gsl_error_handler_t *handler = gsl_set_error_handler_off ();
  bool good = gsl_eigen_nonsymm (&view.matrix, values, work) == GSL_SUCCESS;
  gsl_set_error_handler (handler);
  double complex eigenvalue = NAN;
  for (int i = 0; i < m && good; i++)
    {
      gsl_complex z = gsl_vector_complex_get (values, (size_t) i);
      double complex value = GSL_REAL (z) + I * GSL_IMAG (z);
      if (i == 0 || cabs (value) > cabs (eigenvalue))
        eigenvalue = value;
    }
  gsl_eigen_nonsymm_free (work);
  gsl_vector_complex_free (values);
  return eigenvalue;
}

static bool
all_finite (int n, const double *values)
{
  for (int i = 0; i < n; i++)
    if (!isfinite (values[i]))
      return false;
  return true;
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
      if (k > 1 && !used[k - 1])
        y[k - 1] = y[k - 2]; /* nothing new */
      else if (solve (n, covariance, m, list, m, list, n, cross, small) && all_finite (m * m, small))
        y[k - 1] = vrg_stability_exponent (leading_eigenvalue (m, small), scale);
      else
        y[k - 1] = NAN;
    }
  vrg_free (small);
  vrg_free (list);
}

void
vrg_eigen_init (vrg_eigen *eigen, int n)
{
  *eigen = (vrg_eigen){ .n = n };
  eigen->value = vrg_new (n, sizeof *eigen->value, "eigenvalues");
  eigen->left = vrg_new ((int64_t) n * n, sizeof *eigen->left, "eigenvectors");
  eigen->right = vrg_new ((int64_t) n * n, sizeof *eigen->right, "eigenvectors");
}

void
vrg_eigen_clear (vrg_eigen *eigen)
{
  vrg_free (eigen->value);
  vrg_free (eigen->left);
  vrg_free (eigen->right);
}

/* Multiply left by a number and right by its inverse. */
static void
scale_vectors (vrg_eigen *eigen, int index, double complex factor)
{
  for (int a = 0; a < eigen->n; a++)
    {
      eigen->left[index * eigen->n + a] *= factor;
      eigen->right[index * eigen->n + a] /= factor;
    }
}

/* Length 1 and phase of the left vector; NaN for both where they are nearly orthogonal (no complete set). */
static void
normalise (vrg_eigen *eigen, int index)
{
  const double complex *left = eigen->left + index * eigen->n, *right = eigen->right + index * eigen->n;
  double of_left = 0, of_right = 0;
  double complex largest = 0;
  for (int a = 0; a < eigen->n; a++)
    if (!isnan (creal (left[a])))
      {
        of_left += creal (left[a] * conj (left[a]));
        of_right += creal (right[a] * conj (right[a]));
        if (cabs (left[a]) > cabs (largest) * (1 + 1e-12)) /* of equal ones the first */
          largest = left[a];
      }
  bool good = of_left > 0 && sqrt (of_left) * sqrt (of_right) < WORST_CONDITION;
  scale_vectors (eigen, index, good ? conj (largest) / (cabs (largest) * sqrt (of_left)) : (double complex) NAN);
}

/* Does value x come before y? */
static bool
before (double complex x, double complex y)
{
  return cabs (x) > cabs (y) || (x == conj (y) && cimag (x) > cimag (y));
}

/* Eigenvalues of matrix[m m], which is destroyed; right vectors in columns, left ones in rows: the inverse, NaN if there is
 * none.  False if there are no eigenvalues either. */
static bool
decompose (int m, double *matrix, double complex *values, double complex *right, double complex *left)
{
  const size_t size = (size_t) m;
  double complex *factor = vrg_new (m * m, sizeof *factor, "eigenvectors");
  gsl_matrix_view view = gsl_matrix_view_array (matrix, size, size);
  gsl_vector_complex_view value = gsl_vector_complex_view_array ((double *) values, size);
  gsl_matrix_complex_view right_view = gsl_matrix_complex_view_array ((double *) right, size, size),
                          left_view = gsl_matrix_complex_view_array ((double *) left, size, size),
                          factor_view = gsl_matrix_complex_view_array ((double *) factor, size, size);
  gsl_eigen_nonsymmv_workspace *work = gsl_eigen_nonsymmv_alloc (size);
  gsl_permutation *permutation = gsl_permutation_alloc (size);
  int sign;
  gsl_error_handler_t *handler = gsl_set_error_handler_off ();
  bool good = gsl_eigen_nonsymmv (&view.matrix, &value.vector, &right_view.matrix, work) == GSL_SUCCESS;
  memcpy (factor, right, size * size * sizeof *factor);
  if (!good || gsl_linalg_complex_LU_decomp (&factor_view.matrix, permutation, &sign) != GSL_SUCCESS
      || gsl_linalg_complex_LU_invert (&factor_view.matrix, permutation, &left_view.matrix) != GSL_SUCCESS)
    for (int i = 0; i < m * m; i++)
      left[i] = NAN;
  gsl_set_error_handler (handler);
  gsl_permutation_free (permutation);
  gsl_eigen_nonsymmv_free (work);
  vrg_free (factor);
  return good;
}

void
vrg_stability_eigen (const double *matrix, const bool *used, vrg_eigen *eigen)
{
  int n = eigen->n, *list = vrg_new (n, sizeof *list, "operators used"),
      *order = vrg_new (n, sizeof *order, "order of eigenvalues");
  int m = list_used (n, used, list);
  double *small = vrg_new (m * m, sizeof *small, "stability matrix");
  double complex *values = vrg_new (m, sizeof *values, "eigenvalues"),
                 *right = vrg_new (m * m, sizeof *right, "eigenvectors"),
                 *left = vrg_new (m * m, sizeof *left, "eigenvectors");
  for (int i = 0; i < n * n; i++)
    eigen->left[i] = eigen->right[i] = NAN;
  for (int i = 0; i < n; i++)
    eigen->value[i] = NAN;
  for (int i = 0; i < m; i++)
    for (int j = 0; j < m; j++)
      small[i * m + j] = matrix[list[i] * n + list[j]];
  bool good = m > 0 && all_finite (m * m, small) && decompose (m, small, values, right, left);
  for (int i = 0; i < m && good; i++)
    {
      int k = i;
      for (; k > 0 && before (values[i], values[order[k - 1]]); k--)
        order[k] = order[k - 1];
      order[k] = i;
    }
  for (int i = 0; i < m && good; i++)
    {
      eigen->value[i] = values[order[i]];
      for (int j = 0; j < m; j++)
        {
          eigen->right[i * n + list[j]] = right[j * m + order[i]];
          eigen->left[i * n + list[j]] = left[order[i] * m + j];
        }
      normalise (eigen, i);
    }
  vrg_free (left);
  vrg_free (right);
  vrg_free (values);
  vrg_free (small);
  vrg_free (order);
  vrg_free (list);
}

/* Sum over the operators that both have. */
static double complex
product (int n, const double complex *x, const double complex *y)
{
  double complex sum = 0;
  for (int a = 0; a < n; a++)
    if (!isnan (creal (x[a])) && !isnan (creal (y[a])))
      sum += x[a] * y[a];
  return sum;
}

void
vrg_eigen_align (const vrg_eigen *reference, vrg_eigen *eigen)
{
  int n = eigen->n, m = 0;
  while (m < n && !isnan (creal (eigen->value[m])) && !isnan (creal (reference->value[m])))
    m++;
  vrg_eigen old;
  bool *taken = vrg_new (n, sizeof *taken, "eigenvalues");
  vrg_eigen_init (&old, n);
  size_t vector = (size_t) n * sizeof *old.left;
  memcpy (old.value, eigen->value, vector);
  memcpy (old.left, eigen->left, (size_t) n * vector);
  memcpy (old.right, eigen->right, (size_t) n * vector);
  for (int i = 0; i < m; i++)
    {
      /* 1 for the same vector and 0 for another of the same matrix, whatever their lengths */
      double best = -1;
      int j = 0;
      for (int k = 0; k < m; k++)
        {
          double overlap = cabs (product (n, reference->left + i * n, old.right + k * n)
                                 * product (n, old.left + k * n, reference->right + i * n));
          if (!taken[k] && overlap > best)
            {
              best = overlap;
              j = k;
            }
        }
      taken[j] = true;
      eigen->value[i] = old.value[j];
      memcpy (eigen->left + i * n, old.left + j * n, vector);
      memcpy (eigen->right + i * n, old.right + j * n, vector);
      double complex turn = 0;
      for (int a = 0; a < n; a++)
        if (!isnan (creal (eigen->left[i * n + a])))
          turn += reference->left[i * n + a] * conj (eigen->left[i * n + a]);
      if (cabs (turn) > 0)
        scale_vectors (eigen, i, turn / cabs (turn));
    }
  vrg_eigen_clear (&old);
  vrg_free (taken);
}
