/* SPDX-License-Identifier: GPL-3.0-or-later
 * The 4 x 4 lattice at the critical coupling against its density of states and moments.  Seed 1 is fixed; for a fresh
 * seed the false-alarm rate of each chi-square is 1e-4, of each moment 6e-7.
 * ranks: 1 */
#include <gsl/gsl_cdf.h>

#include "base/statistics.h"
#include "chain.h"
#include "check.h"
#include "lattice/exact.h"
#include "sample/estimates.h"

/* States with S_nn = 4 k - 32 (energy = -S), for k = 0..16: symmetric, none at +-28. */
static const double states[] = { 2, 0, 32, 64, 424, 1728, 6688, 13568, 20524, 13568, 6688, 1728, 424, 64, 32, 0, 2 };

static void
test_energies (vrg_algorithm algorithm, int64_t interval)
{
  enum
  {
    TIMES = 50000,
    CHAINS = 4,
    LEVELS = 17
  };
  const char *name = vrg_param_algorithm_names[algorithm];
  chain_run run = { algorithm, 4, 4, VRG_CRITICAL_2D, 1, CHAINS, 20 * interval, interval, TIMES };
  int64_t n = TIMES * CHAINS;
  int64_t *bonds = vrg_new (n, sizeof *bonds, "series"), *magnetisation = vrg_new (n, sizeof *bonds, "series");
  chain_sample (&run, bonds, magnetisation);

  double weight[LEVELS], z = 0, count[LEVELS] = { 0 };
  for (int k = 0; k < LEVELS; k++)
    z += weight[k] = states[k] * exp (VRG_CRITICAL_2D * (4 * k - 32));
  bool possible = true;
  for (int64_t i = 0; i < n; i++)
    {
      int64_t k = (bonds[i] + 32) / 4;
      possible = possible && (bonds[i] + 32) % 4 == 0 && k >= 0 && k < LEVELS && states[k] > 0;
      if (possible)
        count[k]++;
    }
  check (possible, "%s: energies of the 4 x 4 lattice only", name);

  /* Levels from above pooled until at least 5 samples are expected. */
  double chi2 = 0, expected = 0, seen = 0;
  int bins = 0;
  for (int k = 0; k < LEVELS; k++)
    {
      expected += (double) n * weight[k] / z;
      seen += count[k];
      if (expected >= 5)
        {
          chi2 += (seen - expected) * (seen - expected) / expected;
          bins++;
          expected = seen = 0;
        }
    }
  double p = gsl_cdf_chisq_Q (chi2, bins - 1);
  check (p > 1e-4, "%s: energy histogram, chi-square %.1f in %d bins, p = %.3g", name, chi2, bins, p);

  vrg_estimates e;
  vrg_estimates_compute (4, 4, VRG_CRITICAL_2D, n, CHAINS, bonds, magnetisation, &e);
  check (e.tau_energy <= 0.7, "%s: samples are 5 autocorrelation times apart (tau = %.2f sweeps of %lld)", name,
         e.tau_energy * (double) interval, (long long) interval);
  check_abs (e.energy.value, -1.56562378764, 5 * e.energy.error, "energy");
  check_abs (e.specific_heat.value, 0.7832668259, 5 * e.specific_heat.error, "specific heat");
  check_abs (e.abs_m.value, 0.8438604448, 5 * e.abs_m.error, "<|m|>");
  check_abs (e.m2.value, 0.7613589086, 5 * e.m2.error, "<m^2>");
  check_abs (e.binder.value, 0.6171993184, 5 * e.binder.error, "Binder's ratio");
  vrg_free (bonds);
  vrg_free (magnetisation);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_energies (VRG_CLUSTER, 10);
  test_energies (VRG_METROPOLIS, 60);
  return check_end ();
}
