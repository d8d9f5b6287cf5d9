/* SPDX-License-Identifier: GPL-3.0-or-later
 * Error bars are honest: pulls (value - exact) / error over the seeds 1..200 have standard deviation 0.8 to 1.25, which
 * is 4 and 5 of its own errors (0.05) from 1, and a mean below 0.3, 4 of its errors: false-alarm rate of fresh seeds
 * about 1e-4 a check.
 * ranks: 1 */
#include "chain.h"
#include "check.h"
#include "lattice/exact.h"
#include "sample/estimates.h"

#define SEEDS 200

static void
test_pulls (chain_run run)
{
  int64_t n = run.times * run.chains;
  int64_t *bonds = vrg_new (n, sizeof *bonds, "series"), *magnetisation = vrg_new (n, sizeof *bonds, "series");
  double energy, specific_heat, sum[2] = { 0 }, squares[2] = { 0 };
  vrg_exact_torus (run.rows, run.columns, run.nn, NULL, &energy, &specific_heat);
  for (run.seed = 1; run.seed <= SEEDS; run.seed++)
    {
      vrg_estimates e;
      chain_sample (&run, bonds, magnetisation);
      vrg_estimates_compute (run.rows, run.columns, run.nn, n, run.chains, bonds, magnetisation, &e);
      double pull[2] = { (e.energy.value - energy) / e.energy.error,
                         (e.specific_heat.value - specific_heat) / e.specific_heat.error };
      for (int i = 0; i < 2; i++)
        {
          sum[i] += pull[i];
          squares[i] += pull[i] * pull[i];
        }
    }
  const char *what[] = { "energy", "specific heat" };
  for (int i = 0; i < 2; i++)
    {
      double mean = sum[i] / SEEDS, deviation = sqrt (squares[i] / SEEDS - mean * mean);
      check (deviation > 0.8 && deviation < 1.25 && fabs (mean) < 0.3,
             "%s, %lld chain(s): pulls of the %s have mean %.2f, standard deviation %.2f",
             vrg_param_algorithm_names[run.algorithm], (long long) run.chains, what[i], mean, deviation);
    }
  vrg_free (bonds);
  vrg_free (magnetisation);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_pulls ((chain_run){ VRG_CLUSTER, 8, 8, VRG_CRITICAL_2D, 0, 8, 50, 2, 500 });
  test_pulls ((chain_run){ VRG_CLUSTER, 8, 8, VRG_CRITICAL_2D, 0, 1, 50, 1, 4000 });
  test_pulls ((chain_run){ VRG_METROPOLIS, 8, 8, VRG_CRITICAL_2D, 0, 4, 500, 10, 1000 });
  return check_end ();
}
