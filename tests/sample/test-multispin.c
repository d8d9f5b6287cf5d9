/* SPDX-License-Identifier: GPL-3.0-or-later
 * Many chains in a vector: layout, counts, the same bits on all paths and however chains are shared, exact physics.
 * Seeds are fixed; for fresh ones the false-alarm rate is 1e-4 for each check at 4 errors.
 * ranks: 1 */
#include "base/simd.h"
#include "many.h"

static const vrg_input one
  = { .seed = 1, .dimension = 1, .size = { 130 }, .n_nn = 3, .nn = { 0.3, -0.2, 0.9 } },
  two = { .seed = 2, .dimension = 2, .size = { 6, 70 }, .n_nn = 5, .nn = { 0.5, 0.3, 0.44, -0.4, 0.1 } },
  large
  = { .seed = 6, .dimension = 2, .size = { 254, 130 }, .algorithm = VRG_METROPOLIS, .n_nn = 2, .nn = { 0.3, 0.5 } },
  three = { .seed = 3, .dimension = 3, .size = { 4, 6, 10 }, .n_nn = 1, .nn = { 0.2216546 } };

static const vrg_input *const shapes[] = { &one, &two, &three };

static bool
same (const uint64_t *a, const uint64_t *b, int64_t words)
{
  return memcmp (a, b, (size_t) words * sizeof *a) == 0;
}

/** Every path does what the portable one does. */
static void
check_paths (vrg_input input)
{
  const vrg_simd_path best = vrg_simd ();
  const int64_t chains = vrg_multispin_unit (input.n_nn) + 1, words = many_words (&input, chains);
  const int64_t n = input.n_nn * chains;
  uint64_t *expected = NULL;
  int64_t *counts[2] = { vrg_new (2 * n, sizeof (int64_t), "counts"), vrg_new (2 * n, sizeof (int64_t), "counts") };
  for (vrg_simd_path path = VRG_SIMD_PORTABLE; path <= best; path++)
    {
      vrg_simd_set (path);
      uint64_t *packed = many_spins (&input, 0, chains, 0, 3, NULL);
      vrg_multispin *m = vrg_multispin_new (&input, 0, chains);
      vrg_multispin_unpack (m, packed);
      vrg_multispin_observe (m, counts[path > 0], counts[path > 0] + n);
      vrg_multispin_free (m);
      if (expected)
        check (same (expected, packed, words)
                 && memcmp (counts[0], counts[1], (size_t) (2 * n) * sizeof (int64_t)) == 0,
               "%s d = %d, %d couplings: %s gives the bits of the portable path",
               vrg_param_algorithm_names[input.algorithm], (int) input.dimension, input.n_nn, vrg_simd_name (path));
      else
        expected = packed;
      if (packed != expected)
        vrg_free (packed);
    }
  vrg_simd_set (best);
  vrg_free (expected);
  vrg_free (counts[0]);
  vrg_free (counts[1]);
}

/** A restart from packed spins goes on as if nothing had been, and ranks with whole groups get what one has alone. */
static void
check_sharing (vrg_input input)
{
  const int64_t unit = vrg_multispin_unit (input.n_nn), chains = 2 * unit + 3,
                each = many_words (&input, 1) / input.n_nn;
  const char *name = vrg_param_algorithm_names[input.algorithm];
  uint64_t *whole = many_spins (&input, 0, chains, 0, 6, NULL), *half = many_spins (&input, 0, chains, 0, 3, NULL),
           *again = many_spins (&input, 0, chains, 3, 3, half), *there = many_spins (&input, 0, chains, 0, 0, half);
  check (same (whole, again, many_words (&input, chains)), "%s d = %d: a restart changes no bit", name,
         (int) input.dimension);
  check (same (half, there, many_words (&input, chains)), "%s d = %d: packed spins come back", name,
         (int) input.dimension);
  bool good = true;
  for (int64_t chain0 = 0; chain0 < chains; chain0 += unit)
    {
      const int64_t chain1 = chain0 + unit < chains ? chain0 + unit : chains, n = chain1 - chain0;
      uint64_t *part = many_spins (&input, chain0, chain1, 0, 6, NULL);
      for (int e = 0; e < input.n_nn; e++)
        good &= same (part + e * n * each, whole + (e * chains + chain0) * each, n * each);
      vrg_free (part);
    }
  check (good, "%s d = %d: groups of chains apart are the same chains", name, (int) input.dimension);
  vrg_free (whole);
  vrg_free (half);
  vrg_free (again);
  vrg_free (there);
}

typedef struct
{
  const uint64_t *packed;
  int64_t columns;
} rows;

static int
packed_spin (const void *spins, int64_t site)
{
  const rows *r = spins;
  const int64_t words = (r->columns + 63) / 64, x = site % r->columns;
  return r->packed[site / r->columns * words + x / 64] >> x % 64 & 1 ? 1 : -1;
}

static void
check_counts (vrg_input input)
{
  const int64_t chains = vrg_multispin_unit (input.n_nn) + 1, n = input.n_nn * chains,
                each = many_words (&input, 1) / input.n_nn;
  uint64_t *packed = many_spins (&input, 0, chains, 0, 4, NULL);
  int64_t *bonds = vrg_new (n, sizeof *bonds, "counts"), *magnetisation = vrg_new (n, sizeof *bonds, "counts");
  vrg_multispin *m = vrg_multispin_new (&input, 0, chains);
  vrg_multispin_unpack (m, packed);
  vrg_multispin_observe (m, bonds, magnetisation);
  vrg_multispin_free (m);
  int64_t wrong = 0;
  for (int64_t i = 0; i < n; i++)
    {
      const rows r = { packed + i * each, input.size[input.dimension - 1] };
      int64_t sum = 0;
      for (int64_t site = 0; site < many_sites (&input); site++)
        sum += packed_spin (&r, site);
      wrong += bonds[i] != many_bonds (&input, packed_spin, &r) || magnetisation[i] != sum;
    }
  check (wrong == 0, "d = %d: S_nn and the sum of spins are those of the packed rows", (int) input.dimension);
  vrg_free (packed);
  vrg_free (bonds);
  vrg_free (magnetisation);
}

/** The order of the list means nothing: the same couplings have the same chains. */
static void
check_order (void)
{
  vrg_input a = two, b = two;
  const int64_t chains = 7, each = many_words (&a, chains) / a.n_nn;
  for (int e = 0; e < a.n_nn; e++)
    b.nn[e] = a.nn[a.n_nn - 1 - e];
  uint64_t *x = many_spins (&a, 0, chains, 0, 5, NULL), *y = many_spins (&b, 0, chains, 0, 5, NULL);
  bool good = true;
  for (int e = 0; e < a.n_nn; e++)
    good &= same (x + e * each, y + (a.n_nn - 1 - e) * each, each);
  check (good, "the order of the list of couplings changes no chain");
  vrg_free (x);
  vrg_free (y);
}

/** A hot start is fair and its chains differ. */
static void
check_start (void)
{
  vrg_input input = three;
  const int64_t chains = 2 * vrg_multispin_unit (1), words = many_words (&input, chains);
  uint64_t *packed = many_spins (&input, 0, chains, 0, 0, NULL);
  int64_t up = 0, sites = chains * many_sites (&input);
  for (int64_t i = 0; i < words; i++)
    up += __builtin_popcountll (packed[i]);
  check (fabs ((double) (2 * up - sites)) < 4 * sqrt ((double) sites), "a hot start has as many spins up as down");
  vrg_free (packed);
}

static void
check_memory (void)
{
  const int64_t before = vrg_memory_now (), expected = vrg_multispin_bytes (&two, 0, 1000);
  vrg_multispin *m = vrg_multispin_new (&two, 0, 1000);
  check (vrg_memory_now () - before == expected, "it takes the memory it says");
  vrg_multispin_free (m);
}

/** A coupling among others and alone, in three dimensions. */
static void
check_alone (void)
{
  vrg_input input = { .seed = 4, .dimension = 3, .size = { 4, 4, 4 }, .n_nn = 4, .nn = { 0.25, 0.15, 0.2216546, 0.2 } };
  input.algorithm = VRG_METROPOLIS;
  input.chains = 512;
  input.thermalization = 100;
  input.interval = 5;
  input.configurations = 100 * input.chains;
  many_estimate together[4], alone;
  many_run (&input, together);
  for (int e = 0; e < 4; e++)
    {
      vrg_input single = input;
      single.seed = 5 + e;
      single.n_nn = 1;
      single.nn[0] = input.nn[e];
      many_run (&single, &alone);
      const double error = hypot (alone.energy_error, together[e].energy_error),
                   heat_error = hypot (alone.specific_heat_error, together[e].specific_heat_error);
      check (fabs (alone.energy - together[e].energy) <= 4 * error
               && fabs (alone.specific_heat - together[e].specific_heat) <= 4 * heat_error,
             "4 x 4 x 4, K = %.4f alone and in a list: energies %.1f errors apart, specific heats %.1f", input.nn[e],
             (alone.energy - together[e].energy) / error,
             (alone.specific_heat - together[e].specific_heat) / heat_error);
    }
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  check (vrg_multispin_unit (1) == 512 && vrg_multispin_unit (3) == 168 && vrg_multispin_unit (33) == 8
           && vrg_multispin_unit (64) == 8,
         "chains of a group");
  for (int i = 0; i < 3; i++)
    {
      vrg_input input = *shapes[i];
      check_counts (input);
      for (int k = 0; k < 4; k++) /* one coupling has thresholds of its own kind */
        {
          input.algorithm = k % 2 ? VRG_HEATBATH : VRG_METROPOLIS;
          input.n_nn = k < 2 ? shapes[i]->n_nn : 1;
          check_paths (input);
          check_sharing (input);
        }
    }
  check_paths (large); /* more than 2^14 vectors, and a group in each colour that is not full */
  check_order ();
  check_start ();
  check_memory ();
  check_alone ();

  /* sides of 2 join pairs twice; couplings of either sign */
  const vrg_input exact[] = {
    { .seed = 11, .dimension = 1, .size = { 8 }, .n_nn = 4, .nn = { 0.3, 1, -0.5, 0.7 } },
    { .seed = 12, .dimension = 1, .size = { 14 }, .n_nn = 3, .nn = { 0.4, 1.1, -0.9 } },
    { .seed = 19, .dimension = 1, .size = { 10 }, .n_nn = 1, .nn = { 0.6 } },
    { .seed = 20, .dimension = 1, .size = { 10 }, .n_nn = 1, .nn = { -0.6 } },
    { .seed = 13, .dimension = 2, .size = { 4, 4 }, .n_nn = 5, .nn = { 0.5, 0.3, VRG_CRITICAL_2D, -0.4, 0.1 } },
    { .seed = 14, .dimension = 2, .size = { 6, 6 }, .n_nn = 3, .nn = { 0.3, VRG_CRITICAL_2D, 0.5 } },
    { .seed = 15, .dimension = 2, .size = { 8, 6 }, .n_nn = 1, .nn = { VRG_CRITICAL_2D } },
    { .seed = 16, .dimension = 2, .size = { 2, 12 }, .n_nn = 2, .nn = { 0.3, 0.4 } },
    { .seed = 17, .dimension = 3, .size = { 4, 2, 2 }, .n_nn = 4, .nn = { 0.1, 0.2, 0.25, -0.15 } },
    { .seed = 18, .dimension = 3, .size = { 2, 2, 4 }, .n_nn = 2, .nn = { 0.1, 0.2 } },
  };
  for (int i = 0; i < (int) (sizeof exact / sizeof *exact); i++)
    for (int k = 0; k < 2; k++)
      {
        vrg_input input = exact[i];
        input.algorithm = k ? VRG_HEATBATH : VRG_METROPOLIS;
        input.chains = 1000;
        input.thermalization = 100;
        input.interval = 5;
        input.configurations = 200 * input.chains;
        many_check_exact (&input, 4);
      }
  return check_end ();
}
