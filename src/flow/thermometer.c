/* SPDX-License-Identifier: GPL-3.0-or-later
 * Couplings of configurations: pseudo-likelihood, and Kaufman's energy inverted. */
#include "flow/thermometer.h"

#include <gsl/gsl_errno.h>
#include <gsl/gsl_min.h>
#include <gsl/gsl_roots.h>
#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "flow/couplings.h"
#include "lattice/exact.h"

#define LOW 1e-4  /* below, the energy is linear in the coupling */
#define HIGH 20.0 /* above, all spins are equal in double precision */
#define MAX_STEPS 200
#define GRID 0.02 /* steps in which the maximum is looked for, to the last of */
#define GRID_STEPS 150

double
vrg_thermometer_environments (int reach, const int64_t *counts, const char **reason)
{
  bool used;
  double k, *weight = vrg_new (reach + 1, sizeof *weight, "histogram");
  for (int i = 0; i <= reach; i++)
    weight[i] = (double) counts[i];
  if (!vrg_couplings_fit (1, &reach, weight, &k, &used))
    {
      *reason = "spins that always follow, or oppose, their neighbours have no finite coupling";
      k = (double) NAN;
    }
  vrg_free (weight);
  return k;
}

typedef struct
{
  int dimension;
  const int64_t *size;
  double energy; /* wanted */
} problem;

static void
exact (const problem *p, double nn, double *energy, double *specific_heat)
{
  if (p->dimension == 1)
    vrg_exact_ring (p->size[0], nn, NULL, energy, specific_heat);
  else
    vrg_exact_torus (p->size[0], p->size[1], nn, NULL, energy, specific_heat);
}

static double
excess (double nn, void *context)
{
  const problem *p = context;
  double energy;
  exact (p, nn, &energy, NULL);
  return energy - p->energy;
}

static double
cold (double nn, void *context)
{
  double specific_heat;
  exact (context, nn, NULL, &specific_heat);
  return -specific_heat;
}

/** The root in (LOW, HIGH), where the energy falls. */
static double
invert (problem *p)
{
  gsl_function function = { .function = excess, .params = p };
  gsl_root_fsolver *solver = gsl_root_fsolver_alloc (gsl_root_fsolver_brent);
  int status = GSL_CONTINUE;
  VRG_GSL (gsl_root_fsolver_set (solver, &function, LOW, HIGH));
  for (int i = 0; i < MAX_STEPS && status == GSL_CONTINUE; i++)
    {
      VRG_GSL (gsl_root_fsolver_iterate (solver));
      status = gsl_root_test_interval (gsl_root_fsolver_x_lower (solver), gsl_root_fsolver_x_upper (solver), 0, 1e-13);
    }
  const double root = gsl_root_fsolver_root (solver);
  gsl_root_fsolver_free (solver);
  return root;
}

double
vrg_thermometer_energy (int dimension, const int64_t *size, double energy, double *slope, const char **reason)
{
  problem p = { dimension, size, -fabs (energy) };
  *slope = (double) NAN;
  if (dimension > 2)
    {
      *reason = "no exact energy is known in three dimensions";
      return (double) NAN;
    }
  for (int d = 0; d < dimension && energy > 0; d++)
    if (size[d] % 2 != 0)
      {
        *reason = "the energy is positive on a lattice of an odd side";
        return (double) NAN;
      }
  if (!(excess (HIGH, &p) < 0))
    {
      *reason = "no finite coupling has so low an energy";
      return (double) NAN;
    }
  double nn = LOW, at_low, specific_heat;
  exact (&p, LOW, &at_low, NULL);
  if (p.energy >= at_low)
    {
      *slope = LOW / at_low;
      nn = p.energy * *slope;
    }
  else
    {
      nn = invert (&p);
      exact (&p, nn, NULL, &specific_heat);
      *slope = -nn * nn / specific_heat; /* C = -K^2 du / dK */
    }
  return energy > 0 ? -nn : nn;
}

double
vrg_thermometer_maximum (int dimension, const int64_t *size)
{
  problem p = { .dimension = dimension, .size = size };
  int best = 1;
  if (dimension > 2)
    return (double) NAN;
  for (int i = 2; i <= GRID_STEPS; i++)
    if (cold (i * GRID, &p) < cold (best * GRID, &p))
      best = i;
  if (best == 1 || best == GRID_STEPS)
    return (double) NAN;
  gsl_function function = { .function = cold, .params = &p };
  gsl_min_fminimizer *minimizer = gsl_min_fminimizer_alloc (gsl_min_fminimizer_brent);
  int status = GSL_CONTINUE;
  VRG_GSL (gsl_min_fminimizer_set (minimizer, &function, best * GRID, (best - 1) * GRID, (best + 1) * GRID));
  for (int i = 0; i < MAX_STEPS && status == GSL_CONTINUE; i++)
    {
      VRG_GSL (gsl_min_fminimizer_iterate (minimizer));
      status = gsl_min_test_interval (gsl_min_fminimizer_x_lower (minimizer), gsl_min_fminimizer_x_upper (minimizer),
                                      1e-9, 0);
    }
  const double nn = gsl_min_fminimizer_x_minimum (minimizer);
  gsl_min_fminimizer_free (minimizer);
  return nn;
}
