/* SPDX-License-Identifier: GPL-3.0-or-later
 * The 4x4 torus at the critical coupling, all 65536 states: blocked to 2x2 by the program's own rules, both outcomes of
 * every tie counted, against independently computed numbers; and from weighted random states within errors.
 * ranks: 1
 * The statistical checks use 5 sigma and fixed seeds: false alarms below 1e-4 in all. */
#include <stdlib.h>
#include <string.h>

#include "base/statistics.h"
#include "flow/correlations.h"
#include "flow/couplings.h"
#include "flow/stability.h"
#include "lattice/blocking.h"
#include "lattice/exact.h"
#include "lattice/operators.h"
#include "tests/check.h"

#define STATES 65536
#define EVEN 7

static const vrg_operator *even[EVEN];
static double weight[STATES]; /* of a state, sum 1 */
static int64_t bonds[STATES];

/* P of a 2x2 state: ++++, one -, two adjacent -, two diagonal -; then edge, diagonal, four-spin; then T with nn only */
static const double majority_expected[] = { 0.430032572900, 0.013439825966, 0.007262494034, 0.001683135166,
                                            0.6929003415,   0.3273840725,   0.0196345298,   1.8275004465 };
static const double decimation_expected[] = { 0.374070631970, 0.025278810409, 0.010501858736, 0.003810408922,
                                              0.5733385154,   0.3198845774,   -0.1193225464,  1.5094697520 };

static void
set_state (vrg_lattice *lattice, unsigned state)
{
  for (int64_t y = 0; y < lattice->rows; y++)
    vrg_lattice_row (lattice, y)[0] = state >> (y * lattice->columns) & ((1u << lattice->columns) - 1);
}

static unsigned
get_state (const vrg_lattice *lattice)
{
  unsigned state = 0;
  for (int64_t y = 0; y < lattice->rows; y++)
    state |= (unsigned) vrg_lattice_row (lattice, y)[0] << (y * lattice->columns);
  return state;
}

static void
enumerate (vrg_lattice *fine)
{
  double z = 0;
  for (unsigned state = 0; state < STATES; state++)
    {
      set_state (fine, state);
      vrg_operators_sum (fine, 1, even, &bonds[state]);
      weight[state] = exp (VRG_CRITICAL_2D * (double) bonds[state]);
      z += weight[state];
    }
  for (unsigned state = 0; state < STATES; state++)
    weight[state] /= z;
  double exact;
  vrg_exact_torus (4, 4, VRG_CRITICAL_2D, &exact, NULL, NULL);
  check_rel (log (z), exact, 1e-12, "ln Z of 4x4 by enumeration");
}

/* Level 0: couplings of the enumerated distribution are those put in. */
static void
check_level_0 (vrg_lattice *fine, int n)
{
  int reach[EVEN];
  bool used[EVEN];
  double k[EVEN];
  int64_t environments = vrg_operators_reach (4, 4, n, even, reach);
  int64_t *counts = vrg_new (33 * environments, sizeof *counts, "environments by energy");
  double *weights = vrg_new (environments, sizeof *weights, "environments");
  for (unsigned state = 0; state < STATES; state++)
    {
      set_state (fine, state);
      vrg_operators_environments (fine, n, even, counts + (bonds[state] + 32) / 2 * environments);
    }
  for (int i = 0; i < 33; i++)
    for (int64_t e = 0; e < environments; e++)
      weights[e] += (double) counts[i * environments + e] * exp (VRG_CRITICAL_2D * (2 * i - 64));
  check (vrg_couplings_fit (n, reach, weights, k, used), "level 0: a fit with %d operators", n);
  check_abs (k[0], VRG_CRITICAL_2D, 1e-10, "level 0: nn is the input");
  for (int a = 1; a < n; a++)
    check (fabs (k[a]) < 1e-10 && used[a], "level 0: %s is 0 (%.1e)", even[a]->name, k[a]);
  vrg_free (weights);
  vrg_free (counts);
}

/* Couplings per distinct group of the 2x2 lattice from probabilities. */
static void
check_couplings (const char *rule, const double p[16], const double *expected)
{
  static const unsigned kinds[4] = { 15, 14, 12, 9 };
  static const double images[3] = { 2, 4, 4 }; /* of nn, nnn, plaquette that are the same group of sites */
  for (int i = 0; i < 4; i++)
    check_abs (p[kinds[i]], expected[i], 1e-11, rule);
  for (int n = 3; n <= EVEN; n += 4)
    {
      int reach[EVEN];
      bool used[EVEN];
      double k[EVEN];
      vrg_lattice *coarse = vrg_lattice_new (2, 2, 0, 2);
      int64_t environments = vrg_operators_reach (2, 2, n, even, reach);
      double *weights = vrg_new (environments, sizeof *weights, "environments");
      int64_t *counts = vrg_new (environments, sizeof *counts, "environments");
      for (unsigned state = 0; state < 16; state++)
        {
          memset (counts, 0, (size_t) environments * sizeof *counts);
          set_state (coarse, state);
          vrg_operators_environments (coarse, n, even, counts);
          for (int64_t e = 0; e < environments; e++)
            weights[e] += p[state] * (double) counts[e];
        }
      vrg_couplings_fit (n, reach, weights, k, used);
      for (int a = 0; a < 3; a++)
        check_abs (k[a] * images[a], expected[4 + a], 1e-8, rule);
      for (int a = 3; a < n; a++)
        check (!used[a] && isnan (k[a]), "%s: %s is dropped on 2x2", rule, even[a]->name);
      vrg_free (counts);
      vrg_free (weights);
      vrg_lattice_free (coarse);
    }
}

/* Distribution of the blocked state, and the one-coupling matrix. */
static void
check_rule (vrg_lattice *fine, bool majority, const double *expected)
{
  const char *rule = majority ? "majority" : "decimation";
  vrg_lattice *coarse = vrg_lattice_new (2, 2, 0, 2), *ties = vrg_lattice_new (2, 2, 0, 2);
  double p[16] = { 0 }, mean = 0, mean_fine = 0, square = 0, product = 0;
  for (unsigned state = 0; state < STATES; state++)
    {
      set_state (fine, state);
      if (majority)
        vrg_block_votes (fine, coarse, ties, 2);
      else
        vrg_block_decimation (fine, coarse, 2);
      unsigned sure = get_state (coarse), tie = get_state (ties), outcome = tie;
      double share = weight[state] / (1 << __builtin_popcount (tie));
      for (bool more = true; more; more = outcome != tie)
        {
          int64_t blocked;
          set_state (coarse, sure | outcome);
          vrg_operators_sum (coarse, 1, even, &blocked);
          p[sure | outcome] += share;
          mean += share * (double) blocked;
          mean_fine += share * (double) bonds[state];
          square += share * (double) (blocked * blocked);
          product += share * (double) (blocked * bonds[state]);
          outcome = (outcome - 1) & tie; /* all subsets of the ties */
        }
    }
  check_couplings (rule, p, expected);
  bool used[1] = { true };
  double covariance = square - mean * mean, cross = product - mean * mean_fine, matrix, y;
  vrg_stability_matrix (1, &covariance, &cross, used, &matrix);
  check_abs (matrix, expected[7], 1e-8, rule);
  vrg_stability_exponents (1, &covariance, &cross, used, 2, &y);
  check_abs (y, log2 (expected[7]), 1e-8, rule);
  vrg_lattice_free (ties);
  vrg_lattice_free (coarse);
}

/* The same from states drawn at random, through the integer sums, with jackknife errors. */
static void
check_samples (vrg_lattice *fine, bool majority, const double *expected)
{
  enum
  {
    BLOCKS = 50,
    PER_BLOCK = 4000,
    N = 3,
    QUANTITIES = 4
  };
  const char *rule = majority ? "majority" : "decimation";
  static double cumulative[STATES];
  int64_t counts[BLOCKS][125] = { { 0 } };
  int size = vrg_correlations_size (1), reach[N];
  vrg_wide record[BLOCKS][5] = { { 0 } }, all[5] = { 0 };
  double total[125] = { 0 }, full[QUANTITIES], loo[BLOCKS][QUANTITIES], value[QUANTITIES], error[QUANTITIES];
  bool used[N], one[1] = { true };
  vrg_rng rng;
  vrg_lattice *coarse = vrg_lattice_new (2, 2, 0, 2);
  vrg_rng_init (&rng, 2, 0, 0);
  vrg_operators_reach (2, 2, N, even, reach);
  double sum = 0;
  for (unsigned state = 0; state < STATES; state++)
    cumulative[state] = sum += weight[state];
  for (int block = 0; block < BLOCKS; block++)
    for (int i = 0; i < PER_BLOCK; i++)
      {
        int64_t sample = block * PER_BLOCK + i, blocked;
        uint64_t random[2];
        vrg_rng_block (&rng, VRG_RNG_TEST, 0, (uint64_t) sample, 0, random);
        double u = (double) (random[0] >> 11) * 0x1p-53;
        unsigned low = 0, high = STATES - 1;
        while (low < high)
          if (cumulative[(low + high) / 2] > u)
            high = (low + high) / 2;
          else
            low = (low + high) / 2 + 1;
        set_state (fine, low);
        if (majority)
          vrg_block_majority (fine, coarse, 2, &rng, sample, 1);
        else
          vrg_block_decimation (fine, coarse, 2);
        vrg_operators_sum (coarse, 1, even, &blocked);
        vrg_correlations_add (1, &blocked, &bonds[low], record[block]);
        vrg_operators_environments (coarse, N, even, counts[block]);
      }
  for (int block = 0; block < BLOCKS; block++)
    {
      for (int e = 0; e < 125; e++)
        total[e] += (double) counts[block][e];
      for (int i = 0; i < size; i++)
        all[i] += record[block][i];
    }
  double mean, covariance, cross;
  vrg_couplings_fit (N, reach, total, full, used);
  vrg_correlations_matrices (1, BLOCKS * PER_BLOCK, all, &mean, &covariance, &cross);
  vrg_stability_matrix (1, &covariance, &cross, one, &full[3]);
  for (int block = 0; block < BLOCKS; block++)
    {
      vrg_wide rest[5];
      double others[125];
      for (int i = 0; i < size; i++)
        rest[i] = all[i] - record[block][i];
      for (int e = 0; e < 125; e++)
        others[e] = total[e] - (double) counts[block][e];
      vrg_couplings_fit (N, reach, others, loo[block], used);
      vrg_correlations_matrices (1, (BLOCKS - 1) * PER_BLOCK, rest, &mean, &covariance, &cross);
      vrg_stability_matrix (1, &covariance, &cross, one, &loo[block][3]);
    }
  vrg_jackknife (BLOCKS, QUANTITIES, full, loo[0], value, error);
  static const double images[QUANTITIES] = { 2, 4, 4, 1 };
  for (int i = 0; i < QUANTITIES; i++)
    check (fabs (value[i] * images[i] - expected[4 + i]) < 5 * error[i] * images[i] && error[i] * images[i] < 0.03,
           "%s from samples: %.5f(%.5f), exact %.5f", rule, value[i] * images[i], error[i] * images[i],
           expected[4 + i]);
  vrg_lattice_free (coarse);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  for (int a = 0; a < EVEN; a++)
    even[a] = vrg_operator_even (a);
  vrg_lattice *fine = vrg_lattice_new (4, 4, 0, 4);
  enumerate (fine);
  check_level_0 (fine, 1);
  check_level_0 (fine, 4);
  check_level_0 (fine, EVEN);
  check_rule (fine, true, majority_expected);
  check_rule (fine, false, decimation_expected);
  check_samples (fine, true, majority_expected);
  check_samples (fine, false, decimation_expected);
  vrg_lattice_free (fine);
  return check_end ();
}
