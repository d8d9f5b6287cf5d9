/* SPDX-License-Identifier: GPL-3.0-or-later
 * Whether error bars are honest, and kernels exact: pulls (value - exact) / error of the energy and the specific heat
 * against Kaufman's solution of the torus, from runs with many seeds. */
#ifndef VRG_TESTS_SAMPLE_PULLS_H
#define VRG_TESTS_SAMPLE_PULLS_H

#include "base/param.h"
#include "lattice/exact.h"
#include "lattice/observe.h"
#include "sample/cluster.h"
#include "sample/estimates.h"
#include "sample/local.h"
#include "sample/metropolis.h"
#include "sample/multispin.h"

typedef enum
{
  PULLS_CLUSTER,
  PULLS_METROPOLIS,
  PULLS_HEATBATH,
  PULLS_LOCAL,
  PULLS_LOCAL_HEATBATH,
  PULLS_CHAINS,
  PULLS_CHAINS_HEATBATH,
  PULLS_KERNELS
} pulls_kernel;

static const char *const pulls_names[] = { "cluster",
                                           "metropolis",
                                           "heat bath",
                                           "local metropolis",
                                           "local heat bath",
                                           "packed chains, metropolis",
                                           "packed chains, heat bath" };

typedef struct
{
  pulls_kernel kernel;
  int64_t side;
  double nn;
  uint64_t seed;
  int64_t chains, thermalization, interval, times;
} pulls_run;

/** Of the energy and of the specific heat. */
typedef struct
{
  int n;
  double sum[2], squares[2];
} pulls_sums;

/** Add the pulls of bonds, magnetisation [times][chains]. */
static inline void
pulls_add (const pulls_run *run, const int64_t *bonds, const int64_t *magnetisation, pulls_sums *sums)
{
  vrg_estimates e;
  double energy, specific_heat;
  vrg_exact_torus (run->side, run->side, run->nn, NULL, &energy, &specific_heat);
  vrg_estimates_compute (run->side, run->side, run->nn, run->times * run->chains, run->chains, bonds, magnetisation,
                         &e);
  const double pull[2]
    = { (e.energy.value - energy) / e.energy.error, (e.specific_heat.value - specific_heat) / e.specific_heat.error };
  sums->n++;
  for (int i = 0; i < 2; i++)
    {
      sums->sum[i] += pull[i];
      sums->squares[i] += pull[i] * pull[i];
    }
}

/** Pooled pulls have standard deviation `low` to `high` and a mean within `errors` of its standard errors. */
static inline void
pulls_check (const char *text, const pulls_sums *sums, double low, double high, double errors)
{
  const char *const what[] = { "energy", "specific heat" };
  for (int i = 0; i < 2; i++)
    {
      double mean = sums->sum[i] / sums->n, deviation = sqrt (sums->squares[i] / sums->n - mean * mean);
      double error = deviation / sqrt (sums->n);
      check (deviation > low && deviation < high && fabs (mean) < errors * error,
             "%s: %d pulls of the %s have standard deviation %.3f, mean %.3f(%.3f)", text, sums->n, what[i], deviation,
             mean, error);
    }
}

/** An equilibrium configuration by cluster updates, so that slow kernels need not get there: what they must do is
 *  to stay.  A kernel with wrong probabilities leaves it within a few sweeps. */
static inline void
pulls_start (vrg_lattice *lattice, vrg_cluster *cluster, uint64_t seed, int64_t chain)
{
  enum
  {
    SWEEPS = 40
  };
  vrg_rng rng;
  vrg_rng_init (&rng, seed, 1, (uint32_t) chain);
  vrg_lattice_random (lattice, &rng);
  for (uint64_t t = 1; t <= SWEEPS; t++)
    vrg_cluster_sweep (cluster, MPI_COMM_SELF, lattice, &rng, t);
}

/** One lattice at a time. */
static inline void
pulls_lattices (const pulls_run *run, pulls_sums *sums)
{
  const int64_t n = run->times * run->chains;
  const vrg_hamiltonian h = { .nn = run->nn };
  const bool heat_bath = run->kernel == PULLS_HEATBATH || run->kernel == PULLS_LOCAL_HEATBATH;
  vrg_lattice *lattice = vrg_lattice_new (run->side, run->side, 0, run->side);
  vrg_cluster *cluster = vrg_cluster_new (lattice, &h);
  vrg_local *local = NULL;
  vrg_metropolis *metropolis = NULL;
  uint64_t *colours = NULL;
  int64_t *bonds = vrg_new (n, sizeof *bonds, "series"), *magnetisation = vrg_new (n, sizeof *bonds, "series");
  if (run->kernel == PULLS_LOCAL || run->kernel == PULLS_LOCAL_HEATBATH)
    local = vrg_local_new (lattice, &h, heat_bath);
  else if (run->kernel != PULLS_CLUSTER)
    {
      metropolis = vrg_metropolis_new (lattice, run->nn, heat_bath);
      colours = vrg_new (vrg_metropolis_words (metropolis), sizeof *colours, "spins");
    }
  for (int64_t c = 0; c < run->chains; c++)
    {
      vrg_rng rng;
      vrg_rng_init (&rng, run->seed, 0, (uint32_t) c);
      pulls_start (lattice, cluster, run->seed, c);
      if (metropolis)
        vrg_metropolis_load (metropolis, lattice, colours);
      for (int64_t t = 1; t <= run->thermalization + run->times * run->interval; t++)
        {
          if (local)
            vrg_local_sweep (local, MPI_COMM_SELF, lattice, &rng, (uint64_t) t);
          else if (metropolis)
            vrg_metropolis_sweep (metropolis, MPI_COMM_SELF, colours, &rng, (uint64_t) t);
          else
            vrg_cluster_sweep (cluster, MPI_COMM_SELF, lattice, &rng, (uint64_t) t);
          const int64_t measured = t - run->thermalization;
          if (measured > 0 && measured % run->interval == 0)
            {
              const int64_t at = (measured / run->interval - 1) * run->chains + c;
              vrg_observation o;
              if (metropolis)
                vrg_metropolis_store (metropolis, colours, lattice);
              vrg_observe_bonds (MPI_COMM_SELF, lattice, &o);
              bonds[at] = o.bonds;
              magnetisation[at] = o.magnetisation;
            }
        }
    }
  pulls_add (run, bonds, magnetisation, sums);
  vrg_cluster_free (cluster);
  vrg_local_free (local);
  vrg_metropolis_free (metropolis);
  vrg_free (colours);
  vrg_lattice_free (lattice);
  vrg_free (bonds);
  vrg_free (magnetisation);
}

/** Chains that share words, of all couplings at once; run->nn is not used. */
static inline void
pulls_packed (pulls_run run, int n_nn, const double *nn, pulls_sums *sums)
{
  const int64_t side = run.side, chains = run.chains, n = run.times * chains;
  char text[512];
  int used = snprintf (text, sizeof text,
                       "[run]\nseed = %llu\n[lattice]\nsize = %lld\n[sample]\nalgorithm = %s\npacking = chains\n"
                       "chains = %lld\nconfigurations = %lld\n[couplings]\nnn =",
                       (unsigned long long) run.seed, (long long) side,
                       run.kernel == PULLS_CHAINS ? "metropolis" : "heatbath", (long long) chains, (long long) n);
  for (int k = 0; k < n_nn; k++)
    used += snprintf (text + used, sizeof text - (size_t) used, " %.17g", nn[k]);
  vrg_input *input = vrg_new (1, sizeof *input, "an input");
  if (vrg_param_parse ("test", text, 0, NULL, input) != VRG_OK)
    vrg_fail_one (VRG_INTERNAL, "%s", vrg_error_text ());

  vrg_lattice *lattice = vrg_lattice_new (side, side, 0, side);
  const int64_t words = side * lattice->words;
  uint64_t *packed = vrg_new (n_nn * chains * words, sizeof *packed, "spins");
  for (int k = 0; k < n_nn; k++)
    {
      const vrg_hamiltonian h = { .nn = nn[k] };
      vrg_cluster *cluster = vrg_cluster_new (lattice, &h);
      for (int64_t c = 0; c < chains; c++)
        {
          pulls_start (lattice, cluster, run.seed, k * chains + c);
          vrg_lattice_pack (lattice, packed + (k * chains + c) * words);
        }
      vrg_cluster_free (cluster);
    }
  vrg_multispin *multispin = vrg_multispin_new (input, 0, chains);
  vrg_multispin_unpack (multispin, packed);

  /* [coupling][time][chain] from [coupling][chain] at a time */
  int64_t *series[2], *now[2];
  for (int i = 0; i < 2; i++)
    {
      series[i] = vrg_new (n_nn * n, sizeof *series[i], "series");
      now[i] = vrg_new (n_nn * chains, sizeof *now[i], "series");
    }
  for (int64_t t = 1; t <= run.thermalization + run.times * run.interval; t++)
    {
      vrg_multispin_sweep (multispin, (uint64_t) t);
      const int64_t measured = t - run.thermalization;
      if (measured > 0 && measured % run.interval == 0)
        {
          vrg_multispin_observe (multispin, now[0], now[1]);
          for (int i = 0; i < 2; i++)
            for (int k = 0; k < n_nn; k++)
              for (int64_t c = 0; c < chains; c++)
                series[i][k * n + (measured / run.interval - 1) * chains + c] = now[i][k * chains + c];
        }
    }
  for (int k = 0; k < n_nn; k++)
    {
      run.nn = nn[k];
      pulls_add (&run, series[0] + k * n, series[1] + k * n, sums);
    }
  vrg_multispin_free (multispin);
  for (int i = 0; i < 2; i++)
    {
      vrg_free (series[i]);
      vrg_free (now[i]);
    }
  vrg_free (packed);
  vrg_lattice_free (lattice);
  vrg_free (input);
}

/** A kernel at L = 12 and the next of 20 and 64, K = 0.3, critical and 0.5, seeds 1 to `seeds`, `times` measurements of many
 *  chains, so that errors are those of independent ones: pooled pulls with a standard deviation within `width` of 1 and a
 *  mean below 4 standard errors. */
static inline void
pulls_kernel_checks (pulls_kernel kernel, int sizes, int seeds, int64_t times, double width)
{
  static const double nn[] = { 0.3, VRG_CRITICAL_2D, 0.5 };
  static const struct
  {
    int64_t side, interval;
  } size[] = { { 12, 5 }, { 20, 10 }, { 64, 20 } };
  pulls_sums sums = { 0 };
  for (int i = 0; i < sizes; i++)
    for (int seed = 1; seed <= seeds; seed++)
      {
        pulls_run run = { kernel, size[i].side, 0, (uint64_t) seed, 128, 60, size[i].interval, times };
        if (kernel == PULLS_CHAINS || kernel == PULLS_CHAINS_HEATBATH)
          {
            run.chains = vrg_multispin_unit (3);
            pulls_packed (run, 3, nn, &sums);
            continue;
          }
        if (kernel == PULLS_CLUSTER)
          run.interval = 2;
        for (int k = 0; k < 3; k++)
          {
            run.nn = nn[k];
            pulls_lattices (&run, &sums);
          }
      }
  pulls_check (pulls_names[kernel], &sums, 1 - width, 1 + width, 4);
}

#endif
