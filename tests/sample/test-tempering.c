/* SPDX-License-Identifier: GPL-3.0-or-later
 * Parallel tempering: every ensemble keeps its law, swaps happen as often as they should, the same bits on all paths,
 * over restarts and however chains are shared.
 * Seeds are fixed; for fresh ones the false-alarm rate is 1e-4 for each check at 4 errors.
 * ranks: 1 */
#include "base/simd.h"
#include "many.h"

/** Energy and specific heat of a scan across the transition. */
static void
check_scan (void)
{
  vrg_input input = { .seed = 1, .dimension = 2, .size = { 8, 8 }, .n_nn = 8, .algorithm = VRG_TEMPERING };
  const double nn[8] = { 0.36, 0.52, 0.4, VRG_CRITICAL_2D, 0.42, 0.46, 0.48, 0.5 }; /* not in order */
  memcpy (input.nn, nn, sizeof nn);
  input.chains = 512;
  input.thermalization = 500;
  input.interval = 5;
  input.configurations = 400 * input.chains;
  many_check_exact (&input, 4);
}

/** chi^2 of n independent draws, fewer than 10 expected together in one class; degrees of freedom in *freedom. */
static double
chi_square (int64_t classes, const int64_t *seen, const double *probability, double n, int *freedom)
{
  double chi = 0, rest = 0;
  int64_t rest_seen = 0;
  *freedom = -1;
  for (int64_t u = 0; u < classes; u++)
    if (n * probability[u] < 10)
      {
        rest += n * probability[u];
        rest_seen += seen[u];
      }
    else
      {
        const double d = (double) seen[u] - n * probability[u];
        chi += d * d / (n * probability[u]);
        ++*freedom;
      }
  if (rest > 0)
    {
      const double d = (double) rest_seen - rest;
      chi += d * d / rest;
      ++*freedom;
    }
  return chi;
}

/** Histograms of the energy and rates of swaps on 4 x 4, where both are known: configurations of different couplings are
 *  independent of each other at any one time, so the rate is the mean of min (1, exp ((K_a - K_b) (S_B - S_A))). */
static void
check_histogram (void)
{
  enum
  {
    SITES = 16,
    BONDS = 2 * SITES,
    N = 4
  };
  vrg_input input = { .seed = 2, .dimension = 2, .size = { 4, 4 }, .n_nn = N, .algorithm = VRG_TEMPERING };
  const double nn[N] = { 0.2, 0.35, 0.45, 0.7 };
  memcpy (input.nn, nn, sizeof nn);
  const int64_t chains = 20 * vrg_multispin_unit (N), times = 10, interval = 40;
  vrg_multispin *m = vrg_multispin_new (&input, 0, chains);
  int64_t *bonds = vrg_new (N * chains, sizeof *bonds, "bonds"), count[BONDS + 1], seen[N][BONDS + 1] = { { 0 } };
  vrg_multispin_start (m);
  for (int64_t t = 1; t <= times * interval; t++)
    {
      vrg_multispin_sweep (m, (uint64_t) t);
      if (t % interval)
        continue;
      vrg_multispin_observe (m, bonds, NULL);
      for (int64_t i = 0; i < N * chains; i++)
        seen[i / chains][(BONDS - bonds[i]) / 2]++;
    }
  many_enumerate (&input, count);
  double probability[N][BONDS + 1];
  for (int e = 0; e < N; e++)
    {
      int freedom;
      many_probability (&input, count, nn[e], probability[e]);
      const double chi = chi_square (BONDS + 1, seen[e], probability[e], (double) (chains * times), &freedom);
      check (chi < freedom + 4 * sqrt (2.0 * freedom) + 8 && freedom >= 2,
             "4 x 4, K = %.2f: chi^2 of the energies is %.1f for %d degrees of freedom", nn[e], chi, freedom);
    }
  for (int a = 0; a + 1 < N; a++)
    {
      int64_t tried, swapped;
      double expected = 0;
      for (int x = 0; x <= BONDS; x++)
        for (int y = 0; y <= BONDS; y++)
          expected += probability[a][x] * probability[a + 1][y] * fmin (1, exp (2 * (nn[a] - nn[a + 1]) * (x - y)));
      vrg_multispin_swaps (m, a, &tried, &swapped);
      check (tried == chains * times * interval / 2 && fabs ((double) swapped / (double) tried - expected) < 0.005,
             "4 x 4, K = %.2f and %.2f: %.4f of %lld attempts swap, %.4f expected", nn[a], nn[a + 1],
             (double) swapped / (double) tried, (long long) tried, expected);
    }
  vrg_free (bonds);
  vrg_multispin_free (m);
}

/** Paths, restarts and shares; n couplings. */
static void
check_bits (int n, int64_t size)
{
  vrg_input input = { .seed = 3, .dimension = 2, .size = { size, 6 }, .n_nn = n, .algorithm = VRG_TEMPERING };
  for (int e = 0; e < n; e++)
    input.nn[e] = 0.6 - 0.4 * e / n;
  const vrg_simd_path best = vrg_simd ();
  const int64_t unit = vrg_multispin_unit (n), chains = 2 * unit + 2, each = many_words (&input, 1) / n;
  const size_t bytes = (size_t) (many_words (&input, chains)) * sizeof (uint64_t);
  uint64_t *whole = many_spins (&input, 0, chains, 0, 7, NULL);
  for (vrg_simd_path path = VRG_SIMD_PORTABLE; path < best; path++)
    {
      vrg_simd_set (path);
      uint64_t *other = many_spins (&input, 0, chains, 0, 7, NULL);
      check (memcmp (whole, other, bytes) == 0, "%d couplings: the same bits on %s", n, vrg_simd_name (path));
      vrg_free (other);
    }
  vrg_simd_set (best);
  uint64_t *half = many_spins (&input, 0, chains, 0, 4, NULL), *again = many_spins (&input, 0, chains, 4, 3, half),
           *part = many_spins (&input, unit, chains, 0, 7, NULL);
  check (memcmp (whole, again, bytes) == 0, "%d couplings: a restart changes no bit", n);
  bool good = true;
  for (int e = 0; e < n; e++)
    good &= memcmp (whole + (e * chains + unit) * each, part + e * (chains - unit) * each,
                    (size_t) ((chains - unit) * each) * sizeof *whole)
            == 0;
  check (good, "%d couplings: groups of chains apart are the same chains", n);
  vrg_free (whole);
  vrg_free (half);
  vrg_free (again);
  vrg_free (part);
}

static void
check_one (void)
{
  vrg_input tempering
    = { .seed = 4, .dimension = 2, .size = { 6, 6 }, .n_nn = 1, .nn = { 0.4 }, .algorithm = VRG_TEMPERING },
    metropolis = tempering;
  metropolis.algorithm = VRG_METROPOLIS;
  const int64_t chains = 5;
  uint64_t *a = many_spins (&tempering, 0, chains, 0, 5, NULL), *b = many_spins (&metropolis, 0, chains, 0, 5, NULL);
  check (memcmp (a, b, (size_t) many_words (&metropolis, chains) * sizeof *a) == 0,
         "tempering of one coupling is Metropolis");
  vrg_free (a);
  vrg_free (b);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  check_one ();
  check_bits (2, 8);
  check_bits (5, 4);
  check_bits (33, 6);
  check_bits (64, 4);
  check_histogram ();
  check_scan ();
  return check_end ();
}
