/* SPDX-License-Identifier: GPL-3.0-or-later
 * The 4x4 torus at the critical coupling, all 65536 states: blocked to 2x2 by the program's own rules, both outcomes of
 * every tie counted, against independently computed numbers; derivatives of the block couplings against differences; a
 * ring of 16 by decimation, against tanh K' = tanh (K)^2; and from weighted random states within errors.
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

static vrg_operator operators[EVEN];
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
  int64_t environments = vrg_operators_reach (2, (const int64_t[]){ 4, 4 }, n, even, reach);
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
      int64_t environments = vrg_operators_reach (2, (const int64_t[]){ 2, 2 }, n, even, reach);
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

/* The couplings that the 2x2 lattice has when nn is k: nn, nnn, plaquette, every image counted.  covariance[9] and
 * response[3] of their operators: <S'_a S'_b> - <S'_a> <S'_b>, <S'_a S_nn> - <S'_a> <S_nn>.  sure, tie: of each state. */
static void
block_couplings (double k, const uint8_t *sure, const uint8_t *tie, double (*sums)[3], double couplings[3],
                 double *covariance, double *response)
{
  double p[16] = { 0 }, with_bonds[16] = { 0 }, z = 0, mean[3] = { 0 }, mean_bonds = 0;
  for (unsigned state = 0; state < STATES; state++)
    {
      double share = exp (k * (double) (bonds[state] - 32)) / (1 << __builtin_popcount (tie[state]));
      unsigned outcome = tie[state];
      for (bool more = true; more; more = outcome != tie[state])
        {
          p[sure[state] | outcome] += share;
          with_bonds[sure[state] | outcome] += share * (double) bonds[state];
          z += share;
          outcome = (outcome - 1) & tie[state];
        }
    }
  double all = log (p[15]), diagonal = log (p[9]), adjacent = log (p[12]), one = log (p[14]);
  couplings[0] = (all - diagonal) / 16;
  couplings[1] = (all + diagonal - 2 * adjacent) / 32;
  couplings[2] = (all + diagonal + 2 * adjacent - 4 * one) / 32;
  if (covariance == NULL)
    return;
  for (int s = 0; s < 16; s++)
    {
      mean_bonds += with_bonds[s] / z;
      for (int a = 0; a < 3; a++)
        mean[a] += p[s] / z * sums[s][a];
    }
  for (int a = 0; a < 3; a++)
    {
      response[a] = -mean[a] * mean_bonds;
      for (int s = 0; s < 16; s++)
        response[a] += with_bonds[s] / z * sums[s][a];
      for (int b = 0; b < 3; b++)
        {
          covariance[a * 3 + b] = -mean[a] * mean[b];
          for (int s = 0; s < 16; s++)
            covariance[a * 3 + b] += p[s] / z * sums[s][a] * sums[s][b];
        }
    }
}

/* dK'/dK from covariances is the derivative: the 2x2 lattice has no couplings but these three. */
static void
check_derivatives (vrg_lattice *fine, bool majority)
{
  const char *rule = majority ? "majority" : "decimation";
  const double step = 1e-4;
  static const bool used[3] = { true, true, true };
  uint8_t *sure = vrg_new (STATES, 1, "block states"), *tie = vrg_new (STATES, 1, "ties");
  vrg_lattice *coarse = vrg_lattice_new (2, 2, 0, 2), *ties = vrg_lattice_new (2, 2, 0, 2);
  double sums[16][3], covariance[9], response[3], derivative[3], at[3], below[3], above[3];
  for (unsigned state = 0; state < STATES; state++)
    {
      set_state (fine, state);
      if (majority)
        vrg_block_votes (fine, coarse, ties, 2);
      else
        vrg_block_decimation (fine, coarse, 2);
      sure[state] = (uint8_t) get_state (coarse);
      tie[state] = (uint8_t) get_state (ties);
    }
  for (unsigned state = 0; state < 16; state++)
    {
      int64_t values[3];
      set_state (coarse, state);
      vrg_operators_sum (coarse, 3, even, values);
      for (int a = 0; a < 3; a++)
        sums[state][a] = (double) values[a];
    }
  block_couplings (VRG_CRITICAL_2D, sure, tie, sums, at, covariance, response);
  block_couplings (VRG_CRITICAL_2D - step, sure, tie, sums, below, NULL, NULL);
  block_couplings (VRG_CRITICAL_2D + step, sure, tie, sums, above, NULL, NULL);
  vrg_stability_solve (3, covariance, used, 1, response, derivative);
  for (int a = 0; a < 3; a++)
    {
      double difference = (above[a] - below[a]) / (2 * step);
      check (fabs (derivative[a] - difference) < 1e-6, "%s: d %s / d nn is %.8f, by differences %.8f", rule,
             even[a]->name, derivative[a], difference);
    }
  vrg_lattice_free (ties);
  vrg_lattice_free (coarse);
  vrg_free (tie);
  vrg_free (sure);
}

/* A ring decimated twice: nn alone goes to nn alone, tanh K' = tanh (K)^2, so dK'/dK = tanh 2K and all other entries of the
 * column nn are 0; and by the chain rule over two levels. */
static void
check_ring (void)
{
  enum
  {
    N = 3,
    LEVELS = 3
  };
  static const bool used[N] = { true, true, true };
  const double k = 0.7;
  vrg_operator storage[N];
  const vrg_operator *ops[N];
  vrg_lattice *ring[LEVELS];
  double z = 0, mean[LEVELS][N] = { { 0 } }, own[LEVELS][N * N] = { { 0 } }, with_finer[LEVELS][N] = { { 0 } },
         with_first[LEVELS][N] = { { 0 } };
  vrg_operators_catalogue (1, false, N, storage, ops);
  vrg_operators *plan[LEVELS];
  for (int l = 0; l < LEVELS; l++)
    {
      const int64_t size = 16 >> l;
      ring[l] = vrg_lattice_new_size (1, &size, 0, 1);
      plan[l] = vrg_operators_new (1, &size, N, ops);
    }
  for (unsigned state = 0; state < STATES; state++)
    {
      int64_t sums[LEVELS][N];
      set_state (ring[0], state);
      for (int l = 0; l < LEVELS; l++)
        {
          if (l > 0)
            vrg_block_decimation (ring[l - 1], ring[l], 2);
          vrg_operators_sums (plan[l], ring[l], sums[l]);
        }
      double p = exp (k * (double) (sums[0][0] - 16));
      z += p;
      for (int l = 0; l < LEVELS; l++)
        for (int a = 0; a < N; a++)
          {
            mean[l][a] += p * (double) sums[l][a];
            with_finer[l][a] += l > 0 ? p * (double) (sums[l][a] * sums[l - 1][0]) : 0;
            with_first[l][a] += p * (double) (sums[l][a] * sums[0][0]);
            for (int b = 0; b < N; b++)
              own[l][a * N + b] += p * (double) (sums[l][a] * sums[l][b]);
          }
    }
  double coupling = k, chain = 1;
  for (int l = 1; l < LEVELS; l++)
    {
      /* the ring of 4 has nn and nnn alone: third is nn again */
      int n = l == 1 ? N : 2;
      double covariance[N * N], cross[N], first[N], column[N], derivative[N];
      for (int a = 0; a < n; a++)
        {
          cross[a] = with_finer[l][a] / z - mean[l][a] / z * mean[l - 1][0] / z;
          first[a] = with_first[l][a] / z - mean[l][a] / z * mean[0][0] / z;
          for (int b = 0; b < n; b++)
            covariance[a * n + b] = own[l][a * N + b] / z - mean[l][a] / z * mean[l][b] / z;
        }
      vrg_stability_solve (n, covariance, used, 1, cross, column);
      vrg_stability_solve (n, covariance, used, 1, first, derivative);
      double expected = tanh (2 * coupling);
      chain *= expected;
      coupling = atanh (tanh (coupling) * tanh (coupling));
      check (fabs (column[0] - expected) < 1e-10, "ring, level %d: dK'/dK = %.12f, exact %.12f", l, column[0],
             expected);
      check (fabs (derivative[0] - chain) < 1e-10, "ring, level %d: dK'/dK(0) = %.12f, exact %.12f", l, derivative[0],
             chain);
      for (int a = 1; a < n; a++)
        check (fabs (column[a]) < 1e-10 && fabs (derivative[a]) < 1e-10, "ring, level %d: no %s arises", l,
               ops[a]->name);
    }
  for (int l = 0; l < LEVELS; l++)
    {
      vrg_operators_free (plan[l]);
      vrg_lattice_free (ring[l]);
    }
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
  vrg_wide record[BLOCKS][6] = { { 0 } }, all[6] = { 0 };
  double total[125] = { 0 }, full[QUANTITIES], loo[BLOCKS][QUANTITIES], value[QUANTITIES], error[QUANTITIES];
  bool used[N], one[1] = { true };
  vrg_rng rng;
  vrg_lattice *coarse = vrg_lattice_new (2, 2, 0, 2);
  vrg_rng_init (&rng, 2, 0, 0);
  vrg_operators_reach (2, (const int64_t[]){ 2, 2 }, N, even, reach);
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
        vrg_correlations_add (1, &blocked, &bonds[low], &bonds[low], record[block]);
        vrg_operators_environments (coarse, N, even, counts[block]);
      }
  for (int block = 0; block < BLOCKS; block++)
    {
      for (int e = 0; e < 125; e++)
        total[e] += (double) counts[block][e];
      for (int i = 0; i < size; i++)
        all[i] += record[block][i];
    }
  double mean, covariance, cross, response;
  vrg_couplings_fit (N, reach, total, full, used);
  vrg_correlations_matrices (1, BLOCKS * PER_BLOCK, all, &mean, &covariance, &cross, &response);
  vrg_stability_matrix (1, &covariance, &cross, one, &full[3]);
  for (int block = 0; block < BLOCKS; block++)
    {
      vrg_wide rest[6];
      double others[125];
      for (int i = 0; i < size; i++)
        rest[i] = all[i] - record[block][i];
      for (int e = 0; e < 125; e++)
        others[e] = total[e] - (double) counts[block][e];
      vrg_couplings_fit (N, reach, others, loo[block], used);
      vrg_correlations_matrices (1, (BLOCKS - 1) * PER_BLOCK, rest, &mean, &covariance, &cross, &response);
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
  vrg_operators_catalogue (2, false, EVEN, operators, even);
  vrg_lattice *fine = vrg_lattice_new (4, 4, 0, 4);
  enumerate (fine);
  check_level_0 (fine, 1);
  check_level_0 (fine, 4);
  check_level_0 (fine, EVEN);
  check_rule (fine, true, majority_expected);
  check_rule (fine, false, decimation_expected);
  check_derivatives (fine, true);
  check_derivatives (fine, false);
  check_ring ();
  check_samples (fine, true, majority_expected);
  check_samples (fine, false, decimation_expected);
  vrg_lattice_free (fine);
  return check_end ();
}
