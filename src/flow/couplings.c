/* SPDX-License-Identifier: GPL-3.0-or-later
 * Maximum pseudo-likelihood by Newton's method. */
#include "flow/couplings.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/param.h"
#include "flow/correlations.h"

#define MAX_STEPS 100
#define MAX_COUPLING 50 /* beyond: no finite maximum */

double
vrg_couplings_slope (int n, const int *reach, const double *weight, const double *k, double *gradient, double *hessian)
{
  int64_t environments = 1;
  int count[VRG_MAX_OPERATORS] = { 0 }; /* the digits of the environment */
  double u[VRG_MAX_OPERATORS], likelihood = 0;
  for (int a = 0; a < n; a++)
    {
      environments *= reach[a] + 1;
      gradient[a] = 0;
      for (int b = 0; b < n; b++)
        hessian[a * n + b] = 0;
    }
  for (int64_t e = 0; e < environments; e++)
    {
      if (weight[e] > 0)
        {
          double x = 0;
          for (int a = 0; a < n; a++)
            {
              u[a] = 2 * count[a] - reach[a];
              x += k[a] * u[a];
            }
          double t = vrg_tanh (x), slope = weight[e] * (1 - t), curvature = slope * (1 + t);
          likelihood += weight[e] * (x - vrg_ln2cosh (x));
          for (int a = 0; a < n; a++)
            {
              gradient[a] += slope * u[a];
              for (int b = 0; b <= a; b++)
                hessian[a * n + b] += curvature * u[a] * u[b];
            }
        }
      for (int a = 0; a < n && ++count[a] > reach[a]; a++)
        count[a] = 0;
    }
  for (int a = 0; a < n; a++)
    for (int b = 0; b < a; b++)
      hessian[b * n + a] = hessian[a * n + b];
  return likelihood;
}

/* step[n] = hessian^-1 gradient for the operators used, 0 for the others. */
static bool
newton_step (int n, const bool *used, const double *gradient, const double *hessian, double *step)
{
  int list[VRG_MAX_OPERATORS], m = 0;
  double factor[VRG_MAX_OPERATORS * VRG_MAX_OPERATORS], x[VRG_MAX_OPERATORS];
  for (int a = 0; a < n; a++)
    {
      step[a] = 0;
      if (used[a])
        list[m++] = a;
    }
  if (m == 0)
    return false;
  for (int i = 0; i < m; i++)
    {
      x[i] = gradient[list[i]];
      for (int j = 0; j < m; j++)
        factor[i * m + j] = hessian[list[i] * n + list[j]];
    }
  gsl_matrix_view matrix = gsl_matrix_view_array (factor, (size_t) m, (size_t) m);
  gsl_vector_view vector = gsl_vector_view_array (x, (size_t) m);
  gsl_error_handler_t *handler = gsl_set_error_handler_off ();
  bool good = gsl_linalg_cholesky_decomp1 (&matrix.matrix) == GSL_SUCCESS
              && gsl_linalg_cholesky_svx (&matrix.matrix, &vector.vector) == GSL_SUCCESS;
  gsl_set_error_handler (handler);
  for (int i = 0; i < m && good; i++)
    {
      step[list[i]] = x[i];
      good = isfinite (x[i]);
    }
  return good;
}

bool
vrg_couplings_step (int n, const bool *used, const double *gradient, const double *hessian, double *k)
{
  double step[VRG_MAX_OPERATORS];
  if (!newton_step (n, used, gradient, hessian, step))
    return false;
  for (int a = 0; a < n; a++)
    k[a] += step[a];
  return true;
}

/* Newton with halving of the step until the likelihood does not fall, from k = 0. */
static bool
climb (int n, const int *reach, const double *weight, const bool *used, double *k)
{
  double gradient[VRG_MAX_OPERATORS], hessian[VRG_MAX_OPERATORS * VRG_MAX_OPERATORS], step[VRG_MAX_OPERATORS],
    next[VRG_MAX_OPERATORS];
  for (int a = 0; a < n; a++)
    k[a] = 0;
  double likelihood = vrg_couplings_slope (n, reach, weight, k, gradient, hessian);
  for (int i = 0; i < MAX_STEPS; i++)
    {
      if (!newton_step (n, used, gradient, hessian, step))
        return false;
      double length = 0, largest = 0, fraction = 1, higher = 0;
      for (int a = 0; a < n; a++)
        {
          length = fmax (length, fabs (step[a]) / (1 + fabs (k[a])));
          largest = fmax (largest, fabs (k[a]));
        }
      if (largest > MAX_COUPLING)
        return false;
      for (int halved = 0; halved < 60; halved++, fraction /= 2)
        {
          for (int a = 0; a < n; a++)
            next[a] = k[a] + fraction * step[a];
          higher = vrg_couplings_slope (n, reach, weight, next, gradient, hessian);
          if (higher >= likelihood - 1e-12 * fabs (likelihood))
            break;
        }
      for (int a = 0; a < n; a++)
        k[a] = next[a];
      likelihood = higher;
      if (length < 1e-9) /* quadratic: what is left is rounding */
        return true;
    }
  return false;
}

bool
vrg_couplings_fit (int n, const int *reach, const double *weight, double *k, bool *used)
{
  double gradient[VRG_MAX_OPERATORS], hessian[VRG_MAX_OPERATORS * VRG_MAX_OPERATORS];
  VRG_ASSERT (n <= VRG_MAX_OPERATORS);
  /* Dependence does not depend on the couplings: at k = 0 the Hessian's entries are integers times weights. */
  for (int a = 0; a < n; a++)
    k[a] = 0;
  vrg_couplings_slope (n, reach, weight, k, gradient, hessian);
  bool good = vrg_correlations_independent (n, hessian, used) > 0 && climb (n, reach, weight, used, k);
  for (int a = 0; a < n; a++)
    if (!good || !used[a])
      {
        k[a] = NAN;
        used[a] = false;
      }
  return good;
}
