/* SPDX-License-Identifier: GPL-3.0-or-later
 * For tests: energy and specific heat of a run within some errors of the exact torus. */
#ifndef VRG_TESTS_SAMPLE_EXACT_H
#define VRG_TESTS_SAMPLE_EXACT_H

#include "chain.h"
#include "lattice/exact.h"
#include "sample/estimates.h"

static inline void
exact_check (const chain_run *run, double errors, double most_relative_error)
{
  int64_t n = run->times * run->chains;
  int64_t *bonds = vrg_new (n, sizeof *bonds, "series"), *magnetisation = vrg_new (n, sizeof *bonds, "series");
  double energy, specific_heat;
  vrg_estimates e;
  chain_sample (run, bonds, magnetisation);
  vrg_estimates_compute (run->rows, run->columns, run->nn, n, run->chains, bonds, magnetisation, &e);
  vrg_exact_torus (run->rows, run->columns, run->nn, NULL, &energy, &specific_heat);
  const char *name = vrg_param_algorithm_names[run->algorithm];
  check (fabs (e.energy.value - energy) <= errors * e.energy.error,
         "%s %lld x %lld, K = %.4f: energy %.6f +- %.6f, exact %.6f (%.1f errors)", name, (long long) run->rows,
         (long long) run->columns, run->nn, e.energy.value, e.energy.error, energy,
         (e.energy.value - energy) / e.energy.error);
  check (fabs (e.specific_heat.value - specific_heat) <= errors * e.specific_heat.error,
         "%s %lld x %lld, K = %.4f: specific heat %.5f +- %.5f, exact %.5f (%.1f errors)", name, (long long) run->rows,
         (long long) run->columns, run->nn, e.specific_heat.value, e.specific_heat.error, specific_heat,
         (e.specific_heat.value - specific_heat) / e.specific_heat.error);
  check (e.energy.error < most_relative_error * fabs (energy)
           && e.specific_heat.error < 20 * most_relative_error * specific_heat,
         "the errors are small enough to mean something (tau = %.1f and %.1f sweeps)",
         e.tau_energy * (double) run->interval, e.tau_m2 * (double) run->interval);
  vrg_free (bonds);
  vrg_free (magnetisation);
}

#endif
