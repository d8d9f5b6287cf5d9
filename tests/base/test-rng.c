/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * ARS-7: known answer, equal bits on every path, and statistics beside Philox4x32-10. */
#include "base/rng.h"

#include <stdlib.h>
#include <string.h>

#include "base/simd.h"
#include "tests/check.h"

#ifdef HAVE_CONFIG_H
#include "config.h"
#endif
#ifdef HAVE_RANDOM123
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpedantic"
#pragma GCC diagnostic ignored "-Wconversion"
#include <Random123/philox.h>
#pragma GCC diagnostic pop
#endif

static void
known_answers (void)
{
  vrg_rng rng;
  uint64_t out[2];
  vrg_rng_init (&rng, 0, 0, 0);
  vrg_rng_portable (&rng, (const uint64_t[2]){ 0, 0 }, out);
  check (out[0] == UINT64_C (0xc45798f3dacf61ff) && out[1] == UINT64_C (0x101e27f3113c7eeb),
         "ARS4x32-7 of key 0, counter 0");
  vrg_rng_init (&rng, 5, 6, 7);
  check (rng.key[0][0] == 5 && rng.key[0][1] == (UINT64_C (6) << 32 | 7), "key = (seed, ensemble | chain)");
  uint64_t block[2];
  vrg_rng_block (&rng, VRG_RNG_TEST, 11, 13, 17, block);
  vrg_rng_portable (&rng, (const uint64_t[2]){ UINT64_C (255) << 56 | 11, 13 << 16 | 17 }, out);
  check (!memcmp (block, out, sizeof out), "counter = (purpose | index, step | draw)");
}

static void
same_bits_on_every_path (void)
{
  enum
  {
    N = 150
  };
  static uint64_t expected[2 * N], got[2 * N];
  vrg_rng rng;
  vrg_rng_init (&rng, 20260101, 3, 9);
  for (int64_t i = 0; i < N; i++)
    vrg_rng_portable (&rng, (const uint64_t[2]){ (UINT64_C (255) << 56) + 0xfffffff0 + (uint64_t) i, 99 << 16 | 5 },
                      expected + 2 * i);
  for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
    {
      bool equal = true;
      vrg_simd_path have = vrg_simd_set ((vrg_simd_path) path);
      for (int64_t n = 0; n <= N; n++)
        {
          memset (got, 0, sizeof got);
          vrg_rng_fill (&rng, VRG_RNG_TEST, 0xfffffff0, n, 99, 5, got);
          equal &= !memcmp (got, expected, (size_t) n * 16) && (n == N || !got[2 * n]);
        }
      check (equal, "path %s gives the portable bits", vrg_simd_name (have));
    }
}

/** Chi-square over bytes (255 degrees of freedom) and the correlation of neighbouring 32-bit numbers in standard
 *  errors; false-alarm rate of the bounds below 1e-5. */
static void
check_uniform (const uint32_t *u, int n, const char *name)
{
  double count[256] = { 0 }, correlation = 0, chi2 = 0;
  for (int i = 0; i < n; i++)
    for (int k = 0; k < 4; k++)
      count[u[i] >> 8 * k & 0xff]++;
  for (int i = 0; i < 256; i++)
    chi2 += pow (count[i] - n / 64.0, 2) / (n / 64.0);
  for (int i = 1; i < n; i++)
    correlation += (u[i] / 4294967296.0 - 0.5) * (u[i - 1] / 4294967296.0 - 0.5) * 12;
  check (chi2 > 165 && chi2 < 365, "%s: bytes are uniform, chi-square %.1f of 255", name, chi2);
  check (fabs (correlation / sqrt (n)) < 5, "%s: neighbours are uncorrelated, %.2f sigma", name,
         correlation / sqrt (n));
}

static void
statistics (void)
{
  enum
  {
    N = 1 << 20
  };
  static uint32_t u[N];
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  vrg_rng_fill (&rng, VRG_RNG_TEST, 0, N / 4, 0, 0, (uint64_t *) u);
  check_uniform (u, N, "ARS-7 along the index");
  for (int i = 0; i < N / 4; i++)
    vrg_rng_block (&rng, VRG_RNG_TEST, 0, (uint64_t) i, 0, (uint64_t *) (u + 4 * i));
  check_uniform (u, N, "ARS-7 along the step");
#ifdef HAVE_RANDOM123
  for (uint32_t i = 0; i < N / 4; i++)
    {
      philox4x32_ctr_t counter = { { i, 0, 0, 0 } };
      philox4x32_key_t key = { { 1, 0 } };
      counter = philox4x32 (counter, key);
      memcpy (u + 4 * i, counter.v, 16);
    }
  check_uniform (u, N, "Philox4x32-10, the same bounds");
#endif
  /* one bit of the counter changes half of the output: 128 x 128 fair bits, sd 64 */
  int64_t changed = 0;
  for (int bit = 0; bit < 128; bit++)
    {
      uint64_t a[2], b[2], counter[2] = { 123, 456 };
      vrg_rng_portable (&rng, counter, a);
      counter[bit / 64] ^= UINT64_C (1) << bit % 64;
      vrg_rng_portable (&rng, counter, b);
      changed += __builtin_popcountll (a[0] ^ b[0]) + __builtin_popcountll (a[1] ^ b[1]);
    }
  check (llabs (changed - 8192) < 5 * 64, "avalanche: %ld of 16384 bits change", (long) changed);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  known_answers ();
  same_bits_on_every_path ();
  statistics ();
  check (vrg_rng_threshold (0.5) == UINT64_C (1) << 31 && vrg_rng_threshold (1) == UINT64_C (1) << 32
           && vrg_rng_threshold (2) == UINT64_C (1) << 32 && vrg_rng_threshold (-1) == 0,
         "thresholds are rounded and clamped");
  check (vrg_rng_below (UINT64_MAX, 10) == 9 && vrg_rng_below (0, 10) == 0, "integers below n");
  return check_end ();
}
