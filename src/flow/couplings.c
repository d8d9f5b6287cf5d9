/* SPDX-License-Identifier: GPL-3.0-or-later
 * Maximum pseudo-likelihood by Newton's method, and what the environments tell beyond it. */
#include "flow/couplings.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/param.h"
#include "flow/correlations.h"

#define MAX_STEPS 100
#define MAX_COUPLING 50 /* beyond: no finite maximum */
#define NEUTRAL 1e-12   /* a field that is only rounding */

int64_t
vrg_couplings_environments (int n, const int *reach)
{
  int64_t environments = 1;
  for (int a = 0; a < n; a++)
    environments *= reach[a] + 1;
  return environments;
}

/* An environment in ascending order: how many of the products are +1, and u_a = s m_a. */
typedef struct
{
  int n;
  const int *reach;
  int count[VRG_MAX_OPERATORS];
  double u[VRG_MAX_OPERATORS];
} environment;

static void
first_environment (environment *e, int n, const int *reach)
{
  VRG_ASSERT (n <= VRG_MAX_OPERATORS);
  e->n = n;
  e->reach = reach;
  for (int a = 0; a < n; a++)
    {
      e->count[a] = 0;
      e->u[a] = -reach[a];
    }
}

static inline void
next_environment (environment *e)
{
  for (int a = 0; a < e->n; a++)
    {
      e->u[a] += 2;
      if (++e->count[a] <= e->reach[a])
        return;
      e->count[a] = 0;
      e->u[a] = -e->reach[a];
    }
}

static inline double
field_of (const environment *e, const double *k)
{
  double x = 0;
  for (int a = 0; a < e->n; a++)
    x += k[a] * e->u[a];
  return x;
}

static double
slope_of (int n, const int *reach, const double *weight, const double *k, double *gradient, double *hessian,
          double *against)
{
  const int64_t environments = vrg_couplings_environments (n, reach);
  double likelihood = 0;
  environment here;
  first_environment (&here, n, reach);
  *against = 0;
  for (int a = 0; a < n; a++)
    gradient[a] = 0;
  for (int i = 0; i < n * n; i++)
    hessian[i] = 0;
  for (int64_t e = 0; e < environments; e++, next_environment (&here))
    if (weight[e] > 0)
      {
        const double x = field_of (&here, k), t = vrg_tanh (x), slope = weight[e] * (1 - t),
                     curvature = slope * (1 + t);
        likelihood += weight[e] * (x - vrg_ln2cosh (x));
        *against += x < -NEUTRAL ? weight[e] : 0;
        for (int a = 0; a < n; a++)
          {
            const double u = curvature * here.u[a];
            gradient[a] += slope * here.u[a];
            for (int b = 0; b <= a; b++)
              hessian[a * n + b] += u * here.u[b];
          }
      }
  for (int a = 0; a < n; a++)
    for (int b = 0; b < a; b++)
      hessian[b * n + a] = hessian[a * n + b];
  return likelihood;
}

double
vrg_couplings_slope (int n, const int *reach, const double *weight, const double *k, double *gradient, double *hessian)
{
  double against;
  return slope_of (n, reach, weight, k, gradient, hessian, &against);
}

bool
vrg_couplings_newton (int n, const bool *used, const double *gradient, const double *hessian, double *step)
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
  if (!vrg_couplings_newton (n, used, gradient, hessian, step))
    return false;
  for (int a = 0; a < n; a++)
    k[a] += step[a];
  return true;
}

/* Newton with halving of the step until the likelihood does not fall, from k. */
static bool
climb (int n, const int *reach, const double *weight, const bool *used, double *k)
{
  double gradient[VRG_MAX_OPERATORS], hessian[VRG_MAX_OPERATORS * VRG_MAX_OPERATORS], step[VRG_MAX_OPERATORS],
    next[VRG_MAX_OPERATORS];
  double likelihood = vrg_couplings_slope (n, reach, weight, k, gradient, hessian);
  for (int i = 0; i < MAX_STEPS; i++)
    {
      if (!vrg_couplings_newton (n, used, gradient, hessian, step))
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
      if (length
          < 1e-9) /* quadratic: what is left is rounding; where a coupling grew until nothing else was left of its
                            curvature, there is no maximum */
        {
          bool curved[VRG_MAX_OPERATORS];
          vrg_correlations_independent (n, hessian, curved);
          for (int a = 0; a < n; a++)
            if (used[a] && !curved[a])
              return false;
          return true;
        }
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

/* Nested fits */

void
vrg_couplings_marginal (int n, const int *reach, double *weight)
{
  const int64_t environments = vrg_couplings_environments (n - 1, reach);
  for (int64_t e = 0; e < environments; e++)
    for (int j = 1; j <= reach[n - 1]; j++)
      weight[e] += weight[e + j * environments];
}

void
vrg_couplings_nested (int n, const int *reach, double *weight, double *k)
{
  bool used[VRG_MAX_OPERATORS];
  for (int m = n; m > 0; m--)
    {
      double *row = k + (m - 1) * n;
      vrg_couplings_fit (m, reach, weight, row, used);
      for (int a = m; a < n; a++)
        row[a] = NAN;
      vrg_couplings_marginal (m, reach, weight);
    }
}

int64_t
vrg_couplings_slopes_size (int n)
{
  int64_t size = 0;
  for (int m = 1; m <= n; m++)
    size += 2 + m + m * m;
  return size;
}

vrg_slope
vrg_couplings_slope_at (double *slopes, int m)
{
  double *at = slopes + vrg_couplings_slopes_size (m - 1);
  return (vrg_slope){ .likelihood = at, .against = at + 1, .gradient = at + 2, .hessian = at + 2 + m };
}

/* Does a fit exist?  Its couplings with 0 for operators that are not used. */
static bool
fitted (int n, const double *k, double *used)
{
  bool any = false;
  for (int a = 0; a < n; a++)
    {
      any = any || !isnan (k[a]);
      used[a] = isnan (k[a]) ? 0 : k[a];
    }
  return any;
}

void
vrg_couplings_slopes (int n, const int *reach, double *weight, const double *k, double *slopes)
{
  double used[VRG_MAX_OPERATORS];
  memset (slopes, 0, (size_t) vrg_couplings_slopes_size (n) * sizeof *slopes);
  for (int m = n; m > 0; m--)
    {
      const vrg_slope s = vrg_couplings_slope_at (slopes, m);
      if (fitted (m, k + (m - 1) * n, used))
        *s.likelihood = slope_of (m, reach, weight, used, s.gradient, s.hessian, s.against);
      vrg_couplings_marginal (m, reach, weight);
    }
}

/* Goodness of fit */

#define SMALL_COUNTS 4096

/* c ln c, from a table where c is small. */
static double
c_ln_c (const double *table, int64_t c)
{
  return c < SMALL_COUNTS ? table[c] : (double) c * vrg_log ((double) c);
}

/* b (n, p): mean of c ln (c / n p) + (n - c) ln ((n - c) / n q) over the binomial distribution of c. */
static double
binomial_excess (const double *table, int64_t n, double p)
{
  const double q = 1 - p, m = (double) n;
  if (m * p * q > 20) /* 1/2 and the next orders: Miller's correction */
    return 0.5 + (1 / (p * q) - 1) / (12 * m);
  if (p > q)
    return binomial_excess (table, n, q);
  if (p <= 0)
    return 0;
  double probability = vrg_exp (m * vrg_log (q)), total = 0, sum = 0;
  for (int64_t c = 0; c <= n && total < 1 - 1e-13; c++)
    {
      total += probability;
      sum += probability * (c_ln_c (table, c) + c_ln_c (table, n - c));
      probability *= (double) (n - c) / (double) (c + 1) * (p / q);
      if ((double) c > m * p && probability < 1e-16)
        break;
    }
  return sum - m * p * vrg_log (m * p) - m * q * vrg_log (m * q);
}

/* Probability that a spin agrees with its environment. */
static double
agreement (const environment *here, const double *k)
{
  return (1 + vrg_tanh (field_of (here, k))) / 2;
}

void
vrg_couplings_allowance (int n, const int *reach, const int64_t *histogram, const double *k, double *allowance)
{
  const int64_t environments = vrg_couplings_environments (n, reach);
  double used[VRG_MAX_OPERATORS], *table = vrg_new (SMALL_COUNTS, sizeof *table, "logarithms");
  fitted (n, k, used);
  environment here;
  first_environment (&here, n, reach);
  for (int c = 1; c < SMALL_COUNTS; c++)
    table[c] = c * vrg_log (c);
  for (int64_t e = 0; e < environments / 2; e++, next_environment (&here))
    {
      const int64_t sites = histogram[e] + histogram[environments - 1 - e];
      const double p = sites > 0 ? agreement (&here, used) : 0;
      allowance[e] = p > 0 && p < 1 ? binomial_excess (table, sites, p) / ((double) sites * p * (1 - p)) : 0;
    }
  vrg_free (table);
}

double
vrg_couplings_saturated (int n, const int *reach, const int64_t *histogram, const int64_t *counts,
                         const double *allowance, const double *k, double *excess)
{
  const int64_t environments = vrg_couplings_environments (n, reach);
  double used[VRG_MAX_OPERATORS], likelihood = 0;
  int64_t neutral = environments % 2 ? counts[environments / 2] : 0;
  environment here;
  fitted (n, k, used);
  first_environment (&here, n, reach);
  *excess = 0;
  for (int64_t e = 0; e < environments / 2; e++, next_environment (&here))
    {
      const int64_t opposite = environments - 1 - e, sites = counts[e] + counts[opposite];
      if (sites == 0)
        continue;
      const double all = (double) (histogram[e] + histogram[opposite]), p = agreement (&here, used),
                   deviation = (double) counts[e] - p * (double) sites;
      if (counts[e] > 0)
        likelihood += (double) counts[e] * vrg_log ((double) histogram[e] / all);
      if (counts[opposite] > 0)
        likelihood += (double) counts[opposite] * vrg_log ((double) histogram[opposite] / all);
      *excess += allowance[e] * deviation * deviation;
    }
  return likelihood - (double) neutral * vrg_log (2);
}
