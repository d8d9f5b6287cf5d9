/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bond moving and decimation, in forms that hold at any temperature. */
#include "flow/migdal.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_roots.h>
#include <math.h>
#include <stddef.h>

#include "base/error.h"
#include "base/math.h"

#define NEGLIGIBLE 1e-18 /* weight of a level in ln Z per site */
#define FROZEN 1e100     /* from here on ln Z per site is d K */

double
vrg_migdal_step (int dimension, int b, double k, double *slope)
{
  const double moved = pow (b, dimension - 1), strong = moved * k, e = exp (-2 * strong);
  /* ln tanh of the moved bond, and of K' */
  const double t = strong < 0.5 ? log (tanh (strong)) : log1p (-e) - log1p (e), all = b * t;
  const double next = e < 1e-300 ? strong - log (b) / 2
                      : all < -1 ? atanh (exp (all))
                                 : log ((1 + exp (all)) / -expm1 (all)) / 2;
  if (slope != NULL)
    {
      const double c = cosh (strong), c1 = cosh (next);
      *slope = e < 1e-300 ? moved : moved * b * exp ((b - 1) * t) * (c1 / c) * (c1 / c);
    }
  return next;
}

/** ln Z per site that one step gives: per cell of b^d sites d chains of b bonds, and the free spins between. */
static double
summed_over (int dimension, int b, double k, double next)
{
  const double cell = pow (b, dimension), strong = k * pow (b, dimension - 1),
               free_spins = cell - 1 - dimension * (b - 1);
  /* a chain: 2^(b-1) cosh^b K / cosh K' exp (K' s s') */
  const double chain = b * vrg_ln2cosh (strong) - vrg_ln2cosh (next);
  return (free_spins * M_LN2 + dimension * chain) / cell;
}

void
vrg_migdal_flow (int dimension, int b, double start, int levels, double *k, double *bound, double *constant)
{
  double next = start, share = 1, sum = 0;
  for (int level = 0; level <= levels; level++)
    {
      k[level] = next;
      next = vrg_migdal_step (dimension, b, k[level], NULL);
      if (constant != NULL)
        constant[level] = sum;
      if (k[level] < FROZEN)
        sum += share * summed_over (dimension, b, k[level], next);
      share /= pow (b, dimension);
      if (bound != NULL)
        bound[level] = vrg_migdal_bound (dimension, b, k[level]);
    }
}

double
vrg_migdal_bound (int dimension, int b, double k)
{
  double share = 1, sum = 0;
  while (share > NEGLIGIBLE && k < FROZEN)
    {
      const double next = vrg_migdal_step (dimension, b, k, NULL);
      sum += share * summed_over (dimension, b, k, next);
      share /= pow (b, dimension);
      k = next;
    }
  return sum + share * dimension * k; /* ln Z per site of the last level is d K to d K + ln 2 */
}

typedef struct
{
  int dimension, b;
} recursion;

static double
gain (double k, void *data)
{
  const recursion *r = data;
  return vrg_migdal_step (r->dimension, r->b, k, NULL) / k - 1;
}

bool
vrg_migdal_fixed_point (int dimension, int b, double *k, double *eigenvalue, double *y_t)
{
  if (dimension == 1)
    return false;
  recursion r = { dimension, b };
  gsl_function f = { .function = gain, .params = &r };
  gsl_root_fsolver *solver = gsl_root_fsolver_alloc (gsl_root_fsolver_brent);
  if (solver == NULL)
    vrg_fail_one (VRG_INTERNAL, "no memory for a root");
  VRG_GSL (gsl_root_fsolver_set (solver, &f, 0.01 * pow (b, 1 - dimension), 2));
  int status = GSL_CONTINUE;
  for (int i = 0; i < 200 && status == GSL_CONTINUE; i++)
    {
      VRG_GSL (gsl_root_fsolver_iterate (solver));
      status = gsl_root_test_interval (gsl_root_fsolver_x_lower (solver), gsl_root_fsolver_x_upper (solver), 0, 1e-15);
    }
  *k = gsl_root_fsolver_root (solver);
  gsl_root_fsolver_free (solver);
  vrg_migdal_step (dimension, b, *k, eigenvalue);
  *y_t = log (*eigenvalue) / log (b);
  return true;
}
