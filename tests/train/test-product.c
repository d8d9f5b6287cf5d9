/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * Kernels of product.h against plain loops over their definitions: integers, so equal in every bit, on every path. */
#include "train/product.h"

#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "tests/check.h"
#include "train/layer.h"

static uint64_t state = 12345;

static uint32_t
next (void)
{
  state = state * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
  return (uint32_t) (state >> 32);
}

static const char *
path (void)
{
  return vrg_simd_name (vrg_simd ());
}

/** Rows of n numbers of any size, one after the other or one beside the other, lanes of bits: sums modulo 2^32. */
static void
try_product (int64_t rows, int64_t n, int64_t lanes, bool beside)
{
  const int64_t groups = vrg_groups (n), all = VRG_GROUP * groups, whole = vrg_lanes (rows);
  const int64_t row = beside ? 1 : all + 3, step = beside ? whole : 1;
  int32_t *w = vrg_new (whole * (all + 3), 4, "weights"), *base = vrg_new (rows, 4, "base");
  int32_t *planes = vrg_new (groups * lanes, 4, "planes"), *out = vrg_new (rows * lanes + 1, 4, "sums");
  for (int64_t i = 0; i < whole * (all + 3); i++)
    w[i] = (int32_t) next ();
  for (int64_t i = 0; i < rows; i++)
    base[i] = (int32_t) next ();
  for (int64_t i = 0; i < groups * lanes; i++)
    planes[i] = (int32_t) (next () >> 27);
  out[rows * lanes] = 77;
  vrg_product (rows, groups, lanes, w, row, step, base, planes, out);
  bool good = out[rows * lanes] == 77;
  for (int64_t i = 0; i < rows; i++)
    for (int64_t lane = 0; lane < lanes; lane++)
      {
        uint32_t sum = (uint32_t) base[i];
        for (int64_t k = 0; k < all; k++)
          sum += planes[k / VRG_GROUP * lanes + lane] >> (k % VRG_GROUP) & 1 ? (uint32_t) w[i * row + k * step] : 0;
        good = good && out[i * lanes + lane] == (int32_t) sum;
      }
  check (good, "%s: %lld rows of %lld%s, %lld lanes", path (), (long long) rows, (long long) n,
         beside ? " beside each other" : "", (long long) lanes);
  vrg_free (w);
  vrg_free (base);
  vrg_free (planes);
  vrg_free (out);
}

/** Rows of masters to fixed point, sums and sizes; what is beyond the bound, or no number, shows. */
static void
try_round (void)
{
  enum
  {
    ROWS = 6, /* four together and two alone */
    N = 67,
    PITCH = N + 2
  };
  const double bad[] = { 1023, -1023, 1e300, -HUGE_VAL, NAN, HUGE_VAL };
  const int64_t bound = (int64_t) VRG_LAYER_BOUND * VRG_FIXED_ONE;
  double x[ROWS * N];
  int32_t w[ROWS * PITCH], base[N];
  uint32_t column[N];
  for (int wrong = -1; wrong < 6; wrong++)
    {
      int64_t sum[ROWS], size[ROWS];
      bool good = true;
      for (int i = 0; i < ROWS * N; i++)
        x[i] = i < 4 ? (i - 1.5) * 0x1p-20 : ((double) next () / 4294967296.0 - 0.5) * 3;
      for (int i = 0; i < N; i++)
        {
          base[i] = i;
          column[i] = (uint32_t) (2 * i);
        }
      for (int k = 0; k < ROWS; k++)
        {
          sum[k] = 5 + k;
          size[k] = 7 * k;
        }
      if (wrong >= 0)
        x[wrong * N + 11] = bad[wrong];
      vrg_product_round (ROWS, N, x, N, w, PITCH, base, column, sum, size);
      for (int i = 0; i < N; i++)
        {
          int32_t all = 0, sizes = 0;
          for (int k = 0; k < ROWS; k++)
            if (k != wrong || i != 11)
              {
                const int32_t fixed = vrg_fixed (x[k * N + i]);
                sum[k] -= k == wrong ? 0 : fixed;
                size[k] -= k == wrong ? 0 : abs (fixed);
                all += fixed;
                sizes += abs (fixed);
                good = good && w[k * PITCH + i] == 2 * fixed;
              }
          if (wrong < 0 || i != 11)
            good = good && base[i] == i - all && column[i] == (uint32_t) (2 * i + sizes);
          else
            good = good && column[i] >= bound;
        }
      for (int k = 0; k < ROWS; k++)
        good = good && (k == wrong ? size[k] >= bound : sum[k] == 5 + k && size[k] == 7 * k);
      check (good, "%s: rounding, %s", path (), wrong < 0 ? "good numbers" : "a bad number shows in the sums of sizes");
    }
  for (int i = 0; i < ROWS * N; i++)
    x[i] = 1022;
  for (int i = 0; i < N; i++)
    column[i] = (uint32_t) VRG_LAYER_BOUND << VRG_FIXED_BITS;
  int64_t sum[ROWS] = { 0 }, size[ROWS] = { 0 };
  vrg_product_round (ROWS, N, x, N, w, PITCH, base, column, sum, size);
  bool stopped = true;
  for (int k = 0; k < ROWS; k++)
    stopped = stopped && size[k] >= bound;
  for (int i = 0; i < N; i++)
    stopped = stopped && column[i] == UINT32_C (1) << 30;
  check (stopped, "%s: sums of sizes do not wrap", path ());
}

static void
try_words (void)
{
  enum
  {
    GROUPS = 7,
    LANES = 96
  };
  int32_t planes[GROUPS * LANES];
  for (int i = 0; i < GROUPS * LANES; i++)
    planes[i] = (int32_t) (next () >> 27);
  bool good = true;
  for (int n = VRG_LANES; n <= 64; n += VRG_LANES)
    {
      uint64_t words[VRG_GROUP * GROUPS];
      vrg_product_words (GROUPS, n, LANES, planes + VRG_LANES, words);
      for (int u = 0; u < VRG_GROUP * GROUPS; u++)
        for (int lane = 0; lane < 64; lane++)
          good = good
                 && (words[u] >> lane & 1)
                      == (lane < n && planes[u / VRG_GROUP * LANES + VRG_LANES + lane] >> (u % VRG_GROUP) & 1);
    }
  check (good, "%s: planes to words", path ());
}

/** The field whose probability is the largest below `threshold`. */
static int32_t
field_of (int64_t threshold)
{
  int32_t low = -13 * VRG_FIXED_ONE, high = -low;
  while (high - low > 1)
    {
      const int32_t middle = low + (high - low) / 2;
      if ((int64_t) vrg_probability (middle) < threshold)
        low = middle;
      else
        high = middle;
    }
  return low;
}

/** Units drawn at fields whose probabilities are the random numbers themselves, next to them, and at distances about
 *  those at which a vector path decides without the table; and at any fields. */
static void
try_draw (void)
{
  enum
  {
    UNITS = 1003,
    PITCH = 48
  };
  vrg_rng rng;
  vrg_rng_init (&rng, 3, 1, 4);
  const vrg_numbers numbers = { &rng, VRG_RNG_TEST, 123456, 77, 9 };
  int32_t *fields = vrg_new (UNITS * PITCH, 4, "fields"), *planes = vrg_new (vrg_groups (UNITS) * PITCH, 4, "planes");
  uint64_t *blocks = vrg_new (UNITS * 8, 8, "numbers");
  vrg_rng_fill (&rng, VRG_RNG_TEST, 123456, 4 * UNITS, 77, 9, blocks);
  const int64_t shift[] = { 0, 1, 1 << 17, 3 << 17, 1 << 19, 3 << 18, 1 << 20, 5 << 18, 1 << 22 };
  bool good = true;
  for (int kind = -1; kind < 18; kind++)
    {
      for (int u = 0; u < UNITS; u++)
        for (int lane = 0; lane < VRG_LANES; lane++)
          {
            const uint32_t number = (uint32_t) (blocks[8 * u + lane / 2] >> 32 * (lane % 2));
            fields[u * PITCH + 16 + lane]
              = kind < 0
                  ? (int32_t) next () >> (1 + next () % 20)
                  : field_of ((int64_t) number + (kind % 2 ? -1 : 1) * shift[kind / 2]) + (int32_t) (next () % 3);
          }
      memset (planes, 0x55, (size_t) (vrg_groups (UNITS) * PITCH) * 4);
      vrg_product_draw (&numbers, UNITS, PITCH, fields + 16, planes + 16);
      for (int u = 0; u < VRG_GROUP * vrg_groups (UNITS); u++)
        for (int lane = 0; lane < VRG_LANES; lane++)
          {
            const int got = planes[u / VRG_GROUP * PITCH + 16 + lane] >> (u % VRG_GROUP);
            const uint32_t number = u < UNITS ? (uint32_t) (blocks[8 * u + lane / 2] >> 32 * (lane % 2)) : 0;
            good = good && (u % VRG_GROUP < VRG_GROUP - 1 || got < 2)
                   && (got & 1) == (u < UNITS && number < vrg_probability (fields[u * PITCH + 16 + lane]));
          }
    }
  good = good && planes[15] == 0x55555555 && planes[32] == 0x55555555;
  check (good, "%s: units are drawn with the probabilities of base/math.h", path ());
  vrg_free (fields);
  vrg_free (planes);
  vrg_free (blocks);
}

static void
try_mean (void)
{
  enum
  {
    N = 1 << 12
  };
  int32_t fields[N], means[N];
  bool good = true;
  for (int32_t first = -13 * VRG_FIXED_ONE; first < 13 * VRG_FIXED_ONE; first += 11 * N)
    {
      for (int i = 0; i < N; i++)
        fields[i] = i % 64 == 0 ? (int32_t) next () >> 1 : first + 11 * i;
      vrg_product_mean (N, fields, means);
      for (int i = 0; i < N; i++)
        good = good && means[i] == vrg_mean (fields[i]);
    }
  check (good, "%s: means are those of base/math.h", path ());
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const vrg_simd_path best = vrg_simd ();
  for (int p = 0; p <= (int) best; p++)
    {
      vrg_simd_set ((vrg_simd_path) p);
      for (int beside = 0; beside < 2; beside++)
        {
          for (int v = 1; v < 20; v++)
            try_product (v % 5 + 1, 3 * v, 16 * v, beside);
          try_product (1, 1, 16, beside);
          try_product (3, 0, 32, beside);
          try_product (37, 163, 112, beside);
          try_product (2, 800, 256, beside);
        }
      try_round ();
      try_words ();
      try_draw ();
      try_mean ();
    }
  return check_end ();
}
