/* SPDX-License-Identifier: GPL-3.0-or-later
 * Products of integers with bits: blocks of lanes and groups, and the kernels of each path. */
#include "train/product.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "train/layer.h"

#define MOST_VECTORS 13 /* of lanes at a time: their accumulators, up to PAIRS those of two rows, stay in registers */
#define PAIRS 8
#define PANEL 240      /* rows whose weights are copied: an odd number of cache lines */
#define MOST_BLOCKS 4  /* of vectors that share a copy of weights */
#define MOST_GROUPS 24 /* at a time: their indices stay in the first-level cache */
#define DRAWN 80       /* units whose random numbers are drawn at a time */
#define INLINE static inline __attribute__ ((always_inline))

/** A block's indices, [groups][lanes]; the AVX2 path keeps the upper two bits of an index apart. */
typedef struct
{
  int32_t index[MOST_GROUPS * MOST_VECTORS * VRG_LANES];
  int32_t upper[MOST_GROUPS * MOST_VECTORS * VRG_LANES];
} block;

#define WIDTH 8
#define TARGET VRG_TARGET_AVX2
#define NAME(name) name##_avx2
#include "train/product_body.h"

#define WIDTH 4
#define TARGET
#define NAME(name) name##_portable
#include "train/product_body.h"

/** Weight k of row m of a matrix is a[m * row + k * step]; either is 1. */
typedef struct
{
  int64_t rows, groups, row, step, lanes;
  const int32_t *a, *base; /* base NULL if `out` has been begun */
  const block *block;
  int32_t *out;
} rows_of_block;

/* x = entry x of the tables of rows 0 and 1, and sums += x.  Written out because the order counts: two look-ups, then two
 * additions, alone, take 15 % less time on Zen 4 than in turn, where additions are sent to the ports of look-ups. */
#define ADD_TWO(low0, high0, low1, high1, x0, x1, sum0, sum1)                                                          \
  __asm__("vpermi2d %5, %4, %0\n\tvpermi2d %7, %6, %1\n\tvpaddd %0, %2, %2\n\tvpaddd %1, %3, %3"                       \
          : "+&v"(x0), "+&v"(x1), "+&v"(sum0), "+&v"(sum1)                                                             \
          : "v"(low0), "v"(high0), "v"(low1), "v"(high1))

/** U rows of V vectors: add `groups` groups to `out`, which starts as `base` if that is not NULL. */
VRG_TARGET_AVX512 INLINE void
tile_avx512 (const int U, const int V, const int step, const rows_of_block *r, int64_t m)
{
  const int32_t *a = r->a + m * r->row, *index = r->block->index, *base = r->base ? r->base + m : NULL;
  const int64_t row = r->row, lanes = r->lanes;
  int32_t *out = r->out + m * lanes;
  const __m512i zero = _mm512_setzero_si512 ();
  __m512i sum[2 * MOST_VECTORS];
#pragma GCC unroll 26
  for (int e = 0; e < U * V; e++)
    sum[e] = base ? _mm512_set1_epi32 (base[e % U]) : _mm512_loadu_si512 (out + e % U * lanes + VRG_LANES * (e / U));
  for (int64_t g = 0; g < r->groups; g++, a += VRG_GROUP * step, index += VRG_LANES * V)
    {
      __m512i low[2], high[2];
#pragma GCC unroll 2
      for (int u = 0; u < U; u++)
        {
          const int32_t *w = a + u * row;
          if (step == 1)
            _mm_prefetch ((const char *) (w + U * row), _MM_HINT_T0); /* the next rows' */
          __m512i t = _mm512_maskz_add_epi32 (0xAAAA, zero, _mm512_set1_epi32 (w[0]));
          t = _mm512_mask_add_epi32 (t, 0xCCCC, t, _mm512_set1_epi32 (w[step]));
          t = _mm512_mask_add_epi32 (t, 0xF0F0, t, _mm512_set1_epi32 (w[2 * step]));
          low[u] = t = _mm512_mask_add_epi32 (t, 0xFF00, t, _mm512_set1_epi32 (w[3 * step]));
          high[u] = _mm512_add_epi32 (t, _mm512_set1_epi32 (w[4 * step]));
        }
#pragma GCC unroll 13
      for (int e = 0; e + 2 <= U * V; e += 2)
        {
          __m512i x = _mm512_load_si512 (index + VRG_LANES * (e / U)),
                  y = _mm512_load_si512 (index + VRG_LANES * ((e + 1) / U));
          ADD_TWO (low[0], high[0], low[U - 1], high[U - 1], x, y, sum[e], sum[e + 1]);
        }
      if (U * V % 2)
        {
          const __m512i x = _mm512_load_si512 (index + VRG_LANES * (V - 1));
          sum[V - 1] = _mm512_add_epi32 (sum[V - 1], _mm512_permutex2var_epi32 (low[0], x, high[0]));
        }
    }
#pragma GCC unroll 26
  for (int e = 0; e < U * V; e++)
    _mm512_storeu_si512 (out + e % U * lanes + VRG_LANES * (e / U), sum[e]);
}

/** The same for one row with vectors of 8 lanes, V of them from `lane` on: a table of the lower three bits and one of
 *  the upper two. */
VRG_TARGET_AVX2 INLINE void
tile_avx2 (const int V, const rows_of_block *r, int64_t m, int64_t lane, int64_t width)
{
  const int32_t *a = r->a + m * r->row, *index = r->block->index + lane, *upper = r->block->upper + lane;
  const __m256i bit[3] = { _mm256_set_epi32 (-1, 0, -1, 0, -1, 0, -1, 0), _mm256_set_epi32 (-1, -1, 0, 0, -1, -1, 0, 0),
                           _mm256_set_epi32 (-1, -1, -1, -1, 0, 0, 0, 0) };
  int32_t *out = r->out + m * r->lanes + lane;
  __m256i sum[4];
#pragma GCC unroll 4
  for (int v = 0; v < V; v++)
    sum[v] = r->base ? _mm256_set1_epi32 (r->base[m]) : _mm256_loadu_si256 ((const __m256i *) (out + 8 * v));
  for (int64_t g = 0; g < r->groups; g++, a += VRG_GROUP * r->step, index += width, upper += width)
    {
      __m256i part[VRG_GROUP];
#pragma GCC unroll 5
      for (int k = 0; k < VRG_GROUP; k++)
        part[k] = _mm256_and_si256 (_mm256_set1_epi32 (a[k * r->step]), bit[k % 3]);
      const __m256i low = _mm256_add_epi32 (_mm256_add_epi32 (part[0], part[1]), part[2]),
                    high = _mm256_add_epi32 (part[3], part[4]);
#pragma GCC unroll 4
      for (int v = 0; v < V; v++)
        {
          const __m256i i = _mm256_load_si256 ((const __m256i *) (index + 8 * v)),
                        k = _mm256_load_si256 ((const __m256i *) (upper + 8 * v));
          sum[v] = _mm256_add_epi32 (
            sum[v], _mm256_add_epi32 (_mm256_permutevar8x32_epi32 (low, i), _mm256_permutevar8x32_epi32 (high, k)));
        }
    }
#pragma GCC unroll 4
  for (int v = 0; v < V; v++)
    _mm256_storeu_si256 ((__m256i *) (out + 8 * v), sum[v]);
}

VRG_TARGET_AVX512 INLINE void
some_avx512 (const int V, const int step, const rows_of_block *r)
{
  int64_t m = 0;
  for (; V <= PAIRS && m + 2 <= r->rows; m += 2)
    tile_avx512 (2, V, step, r, m);
  for (; m < r->rows; m++)
    tile_avx512 (1, V, step, r, m);
}

VRG_TARGET_AVX512 static void
rows_avx512 (int64_t vectors, const rows_of_block *r)
{
#define CASE(V)                                                                                                        \
  case V:                                                                                                              \
    if (r->step == 1)                                                                                                  \
      some_avx512 (V, 1, r);                                                                                           \
    else                                                                                                               \
      some_avx512 (V, PANEL, r);                                                                                       \
    return;
  switch (vectors)
    {
      CASE (1)
      CASE (2) CASE (3) CASE (4) CASE (5) CASE (6) CASE (7) CASE (8) CASE (9) CASE (10) CASE (11) CASE (12) CASE (13)
    }
}

VRG_TARGET_AVX2 static void
rows_avx2 (int64_t vectors, const rows_of_block *r)
{
  for (int64_t m = 0; m < r->rows; m++)
    for (int64_t lane = 0; lane < VRG_LANES * vectors; lane += VRG_LANES)
      tile_avx2 (2, r, m, lane, VRG_LANES * vectors);
}

/** The definition: tables of 32 partial sums, one lane after the other. */
static void
product_portable (int64_t rows, int64_t groups, int64_t lanes, const int32_t *a, int64_t row, int64_t step,
                  const int32_t *base, const int32_t *planes, int32_t *out)
{
  for (int64_t m = 0; m < rows; m++, out += lanes)
    {
      for (int64_t n = 0; n < lanes; n++)
        out[n] = base[m];
      for (int64_t g = 0; g < groups; g++)
        {
          const int32_t *w = a + m * row + g * VRG_GROUP * step, *index = planes + g * lanes;
          uint32_t table[32] = { 0 };
          for (int k = 0; k < VRG_GROUP; k++)
            for (int i = 0; i < 1 << k; i++)
              table[i + (1 << k)] = table[i] + (uint32_t) w[k * step];
          for (int64_t n = 0; n < lanes; n++)
            out[n] = (int32_t) ((uint32_t) out[n] + table[index[n]]);
        }
    }
}

/** `vectors` of rows of n weights, `step` apart, as a panel. */
static void
copy_avx2 (int64_t vectors, int64_t n, const int32_t *a, int64_t step, int32_t *panel)
{
  for (int64_t k = 0; k < n; k++)
    memcpy (panel + k * PANEL, a + k * step, (size_t) (vectors * VRG_LANES) * sizeof *panel);
}

VRG_TARGET_AVX512 static void
copy_avx512 (int64_t vectors, int64_t n, const int32_t *a, int64_t step, int32_t *panel)
{
  for (int64_t k = 0; k < n; k++)
    for (int64_t v = 0; v < vectors * VRG_LANES; v += VRG_LANES)
      _mm512_store_si512 (panel + k * PANEL + v, _mm512_loadu_si512 (a + k * step + v));
}

/** Indices [groups][lanes] as a block. */
static void
fill (vrg_simd_path path, int64_t groups, int64_t wide, int64_t pitch, const int32_t *planes, block *b)
{
  for (int64_t g = 0; g < groups; g++, planes += pitch)
    {
      memcpy (b->index + g * wide, planes, (size_t) wide * sizeof *planes);
      for (int64_t k = 0; path == VRG_SIMD_AVX2 && k < wide; k++)
        b->upper[g * wide + k] = planes[k] >> 3;
    }
}

/** Some vectors of lanes on the vector paths, r->step and r->row being those of all rows or of a panel: rows whose weights
 *  lie one beside the other are copied, PANEL at a time, so that tables are built from what the caches hold. */
static void
product_part (vrg_simd_path path, int64_t vectors, const rows_of_block *all, const int32_t *planes)
{
  const bool beside = all->step != 1;
  const int64_t blocks = (vectors + MOST_VECTORS - 1) / MOST_VECTORS, most = beside ? PANEL : all->rows;
  block b __attribute__ ((aligned (64)));
  int32_t panel[MOST_GROUPS * VRG_GROUP * PANEL] __attribute__ ((aligned (64)));
  rows_of_block r = *all;
  r.block = &b;
  for (int64_t m = 0; m < all->rows; m += most)
    for (int64_t g0 = 0; g0 == 0 || g0 < all->groups; g0 += MOST_GROUPS) /* no groups: the base alone */
      {
        r.rows = all->rows - m < most ? all->rows - m : most;
        r.groups = all->groups - g0 < MOST_GROUPS ? all->groups - g0 : MOST_GROUPS;
        r.base = g0 == 0 ? all->base + m : NULL;
        r.a = all->a + m + g0 * VRG_GROUP * all->step;
        if (beside)
          {
            (path == VRG_SIMD_AVX2 ? copy_avx2 : copy_avx512) (vrg_lanes (r.rows) / VRG_LANES, VRG_GROUP * r.groups,
                                                               r.a, all->step, panel);
            r.a = panel;
            r.step = PANEL;
          }
        for (int64_t c = 0; c < blocks; c++)
          {
            const int64_t first = c * vectors / blocks, n = (c + 1) * vectors / blocks - first;
            fill (path, r.groups, n * VRG_LANES, r.lanes, planes + g0 * r.lanes + first * VRG_LANES, &b);
            r.out = all->out + m * r.lanes + first * VRG_LANES;
            (path == VRG_SIMD_AVX2 ? rows_avx2 : rows_avx512) (n, &r);
          }
      }
}

void
vrg_product (int64_t rows, int64_t groups, int64_t lanes, const int32_t *a, int64_t row, int64_t step,
             const int32_t *base, const int32_t *planes, int32_t *out)
{
  const vrg_simd_path path = vrg_simd ();
  if (path == VRG_SIMD_PORTABLE)
    {
      product_portable (rows, groups, lanes, a, row, step, base, planes, out);
      return;
    }
  const int64_t vectors = lanes / VRG_LANES, most = MOST_VECTORS * (step == 1 ? 1 : MOST_BLOCKS),
                parts = (vectors + most - 1) / most;
  for (int64_t p = 0; p < parts; p++) /* as equal as can be */
    {
      const int64_t first = p * vectors / parts, n = (p + 1) * vectors / parts - first;
      const rows_of_block r = { rows, groups, row, step, lanes, a, base, NULL, out + first * VRG_LANES };
      product_part (path, n, &r, planes + first * VRG_LANES);
    }
}

#define LIMIT (UINT32_C (1) << 30)
static void
round_portable (int64_t n, const double *x, int32_t *w, int32_t *base, uint32_t *column, int64_t *sum, int64_t *size)
{
  for (int64_t i = 0; i < n; i++)
    {
      const bool good = x[i] < VRG_LAYER_BOUND && x[i] > -VRG_LAYER_BOUND;
      const int32_t fixed = good ? vrg_fixed (x[i]) : VRG_LAYER_BOUND * VRG_FIXED_ONE, absolute = abs (fixed);
      const uint32_t more = column[i] + (uint32_t) absolute;
      *sum += fixed;
      *size += absolute;
      column[i] = more < LIMIT ? more : LIMIT;
      base[i] = (int32_t) ((uint32_t) base[i] - (uint32_t) fixed);
      w[i] = 2 * fixed;
    }
}

/** Eight masters; what does not fit in 32 bits becomes -2^31, of which the size, 2^31, is beyond the bound too. */
VRG_TARGET_AVX512 INLINE __m256i
fixed_avx512 (__m512d x)
{
  const __m512d half = _mm512_or_pd (_mm512_and_pd (x, _mm512_set1_pd (-0.0)), _mm512_set1_pd (0.5));
  return _mm512_cvttpd_epi32 (_mm512_add_pd (_mm512_mul_pd (x, _mm512_set1_pd (VRG_FIXED_ONE)), half));
}

/** R rows together, so that the columns' sums are touched once. */
VRG_TARGET_AVX512 INLINE void
some_round_avx512 (const int R, int64_t n, const double *x, int64_t x_pitch, int32_t *w, int64_t pitch, int32_t *base,
                   uint32_t *column, int64_t *sum, int64_t *size)
{
  const __m512i limit = _mm512_set1_epi32 (LIMIT);
  __m512i sums[4], sizes[4];
  for (int k = 0; k < R; k++)
    sums[k] = sizes[k] = _mm512_setzero_si512 ();
  int64_t i = 0;
  for (; i + VRG_LANES <= n; i += VRG_LANES)
    {
      __m512i columns = _mm512_loadu_si512 (column + i), bases = _mm512_loadu_si512 (base + i);
#pragma GCC unroll 4
      for (int k = 0; k < R; k++)
        {
          const double *from = x + k * x_pitch + i;
          const __m512i fixed = _mm512_inserti64x4 (_mm512_castsi256_si512 (fixed_avx512 (_mm512_loadu_pd (from))),
                                                    fixed_avx512 (_mm512_loadu_pd (from + 8)), 1),
                        absolute = _mm512_abs_epi32 (fixed);
          sums[k] = _mm512_add_epi32 (sums[k], fixed); /* wraps only where sizes are beyond the bound */
          sizes[k] = _mm512_min_epu32 (_mm512_add_epi32 (sizes[k], absolute), limit);
          columns = _mm512_min_epu32 (_mm512_add_epi32 (columns, absolute), limit);
          bases = _mm512_sub_epi32 (bases, fixed);
          _mm512_storeu_si512 (w + k * pitch + i, _mm512_slli_epi32 (fixed, 1));
        }
      _mm512_storeu_si512 (column + i, columns);
      _mm512_storeu_si512 (base + i, bases);
    }
  for (int k = 0; k < R; k++)
    {
      sum[k]
        += _mm512_reduce_add_epi64 (_mm512_add_epi64 (_mm512_cvtepi32_epi64 (_mm512_castsi512_si256 (sums[k])),
                                                      _mm512_cvtepi32_epi64 (_mm512_extracti64x4_epi64 (sums[k], 1))));
      size[k]
        += _mm512_reduce_add_epi64 (_mm512_add_epi64 (_mm512_cvtepu32_epi64 (_mm512_castsi512_si256 (sizes[k])),
                                                      _mm512_cvtepu32_epi64 (_mm512_extracti64x4_epi64 (sizes[k], 1))));
      round_portable (n - i, x + k * x_pitch + i, w + k * pitch + i, base + i, column + i, &sum[k], &size[k]);
    }
}

VRG_TARGET_AVX512 static void
round_avx512 (int64_t rows, int64_t n, const double *x, int64_t x_pitch, int32_t *w, int64_t pitch, int32_t *base,
              uint32_t *column, int64_t *sum, int64_t *size)
{
  int64_t k = 0;
  for (; k + 4 <= rows; k += 4)
    some_round_avx512 (4, n, x + k * x_pitch, x_pitch, w + k * pitch, pitch, base, column, sum + k, size + k);
  for (; k < rows; k++)
    some_round_avx512 (1, n, x + k * x_pitch, x_pitch, w + k * pitch, pitch, base, column, sum + k, size + k);
}

void
vrg_product_round (int64_t rows, int64_t n, const double *x, int64_t x_pitch, int32_t *w, int64_t pitch, int32_t *base,
                   uint32_t *column, int64_t *sum, int64_t *size)
{
  if (vrg_simd () == VRG_SIMD_AVX512)
    round_avx512 (rows, n, x, x_pitch, w, pitch, base, column, sum, size);
  else
    for (int64_t k = 0; k < rows; k++)
      round_portable (n, x + k * x_pitch, w + k * pitch, base, column, &sum[k], &size[k]);
}

/** One vector of lanes, from bit `shift` of the words on. */
VRG_TARGET_AVX512 INLINE void
words_vector_avx512 (const int32_t *plane, int64_t shift, uint64_t *words)
{
  const __m512i index = _mm512_loadu_si512 (plane);
  for (int k = 0; k < VRG_GROUP; k++)
    words[k] |= (uint64_t) _mm512_test_epi32_mask (index, _mm512_set1_epi32 (1 << k)) << shift;
}

VRG_TARGET_AVX2 INLINE void
words_vector_avx2 (const int32_t *plane, int64_t shift, uint64_t *words)
{
  const __m256i low = _mm256_loadu_si256 ((const __m256i *) plane),
                high = _mm256_loadu_si256 ((const __m256i *) (plane + 8));
  for (int k = 0; k < VRG_GROUP; k++)
    {
      const int a = _mm256_movemask_ps (_mm256_castsi256_ps (_mm256_slli_epi32 (low, 31 - k))),
                b = _mm256_movemask_ps (_mm256_castsi256_ps (_mm256_slli_epi32 (high, 31 - k)));
      words[k] |= (uint64_t) (a | b << 8) << shift;
    }
}

INLINE void
words_vector_portable (const int32_t *plane, int64_t shift, uint64_t *words)
{
  for (int k = 0; k < VRG_GROUP; k++)
    for (int lane = 0; lane < VRG_LANES; lane++)
      words[k] |= (uint64_t) (plane[lane] >> k & 1) << (shift + lane);
}

#define WORDS(path, target)                                                                                            \
  target static void words_##path (int64_t groups, int64_t n, int64_t pitch, const int32_t *planes, uint64_t *words)   \
  {                                                                                                                    \
    for (int64_t g = 0; g < groups; g++, planes += pitch, words += VRG_GROUP)                                          \
      {                                                                                                                \
        uint64_t own[VRG_GROUP] = { 0 };                                                                               \
        for (int64_t lane = 0; lane < n; lane += VRG_LANES)                                                            \
          words_vector_##path (planes + lane, lane, own);                                                              \
        memcpy (words, own, sizeof own);                                                                               \
      }                                                                                                                \
  }
WORDS (portable, )
WORDS (avx2, VRG_TARGET_AVX2)
WORDS (avx512, VRG_TARGET_AVX512)

/* AVX-512 draws units without looking up each probability: p - 1/2 as a parabola in each of 32 intervals of |field|,
 * off by less than 10^-4, decides all but one in two thousand, and those are decided exactly.  In units of 2^-32. */
#define INTERVAL_BITS 18 /* 1/4 in fixed point */
#define INTERVALS 32     /* to fields of 8; above p - 1/2 is constant for this purpose */
#define DOUBT 0x1p20f    /* the parabolas are off by less than half of this */

typedef struct
{
  float c[3][INTERVALS] __attribute__ ((aligned (64)));
} parabolas;

/** Through three rows of the table in each interval. */
static const parabolas *
make_parabolas (void)
{
  static parabolas p;
  const uint32_t *table = vrg_probability_table ();
  const int rows = 1 << (INTERVAL_BITS - (VRG_FIXED_BITS - 8));
  const double d = 28.0 / rows;
  for (int s = INTERVALS - 1; p.c[1][0] == 0 && s >= 0; s--)
    {
      const uint32_t *middle = table + s * rows + rows / 2;
      const double y = (double) middle[0] - 2147483648.0, low = (double) middle[-28] - 2147483648.0,
                   high = (double) middle[28] - 2147483648.0;
      const double slope = (high - low) / (2 * d), curve = (high - 2 * y + low) / (2 * d * d);
      const double scale = 1.0 / (1 << INTERVAL_BITS); /* y + slope (t - 1/2) + curve (t - 1/2)^2 */
      p.c[0][s] = (float) (y - slope / 2 + curve / 4);
      p.c[2][s] = (float) (curve * scale * scale);
      p.c[1][s] = (float) ((slope - curve) * scale);
    }
  return &p;
}

#define TARGET_DRAW __attribute__ ((target ("vaes,avx512f,avx512bw,avx512dq,avx512vl")))

/** ARS-7 of base/rng.h for four blocks in each of five vectors. */
TARGET_DRAW INLINE void
numbers_avx512 (const vrg_rng *rng, __m512i counter, __m512i number[VRG_GROUP])
{
  const __m128i *key = (const __m128i *) rng->key;
  __m512i k = _mm512_broadcast_i32x4 (_mm_loadu_si128 (key));
  for (int j = 0; j < VRG_GROUP; j++, counter = _mm512_add_epi64 (counter, _mm512_set_epi64 (0, 4, 0, 4, 0, 4, 0, 4)))
    number[j] = _mm512_xor_si512 (counter, k);
  for (int round = 1; round < 7; round++)
    {
      k = _mm512_broadcast_i32x4 (_mm_loadu_si128 (key + round));
      for (int j = 0; j < VRG_GROUP; j++)
        number[j] = _mm512_aesenc_epi128 (number[j], k);
    }
  k = _mm512_broadcast_i32x4 (_mm_loadu_si128 (key + 7));
  for (int j = 0; j < VRG_GROUP; j++)
    number[j] = _mm512_aesenclast_epi128 (number[j], k);
}

/** What the parabolas leave open: a lane's bit, exactly. */
static __attribute__ ((noinline)) unsigned
decide (unsigned up, unsigned unsure, const int32_t *fields, const void *random)
{
  for (; unsure; unsure &= unsure - 1)
    {
      const int lane = __builtin_ctz (unsure);
      const unsigned exact = ((const uint32_t *) random)[lane] < vrg_probability (fields[lane]);
      up = (up & ~(1u << lane)) | exact << lane;
    }
  return up;
}

TARGET_DRAW static void
draw_avx512 (const vrg_numbers *numbers, int64_t units, int64_t pitch, const int32_t *fields, int32_t *planes)
{
  const parabolas *p = make_parabolas ();
  const __m512 a0 = _mm512_load_ps (p->c[0]), b0 = _mm512_load_ps (p->c[0] + 16), a1 = _mm512_load_ps (p->c[1]),
               b1 = _mm512_load_ps (p->c[1] + 16), a2 = _mm512_load_ps (p->c[2]), b2 = _mm512_load_ps (p->c[2] + 16),
               doubt = _mm512_set1_ps (DOUBT);
  const __m512i most = _mm512_set1_epi32 ((INTERVALS << INTERVAL_BITS) - 1), sign = _mm512_set1_epi32 (INT32_MIN),
                part = _mm512_set1_epi32 ((1 << INTERVAL_BITS) - 1);
  const int64_t low = (int64_t) ((uint64_t) numbers->purpose << 56) + numbers->index,
                high = (int64_t) ((uint64_t) numbers->step << 16 | numbers->draw);
  __m512i counter = _mm512_set_epi64 (high, low + 3, high, low + 2, high, low + 1, high, low);
  for (int64_t u = 0; u < units; u += VRG_GROUP, planes += pitch)
    {
      const int n = units - u < VRG_GROUP ? (int) (units - u) : VRG_GROUP;
      __m512i number[VRG_GROUP], index = _mm512_setzero_si512 ();
      numbers_avx512 (numbers->rng, counter, number);
      counter = _mm512_add_epi64 (counter, _mm512_set_epi64 (0, 20, 0, 20, 0, 20, 0, 20));
#pragma GCC unroll 5
      for (int k = 0; k < VRG_GROUP; k++)
        {
          if (k == n)
            break;
          const __m512i field = _mm512_loadu_si512 (fields + k * pitch),
                        size = _mm512_min_epi32 (_mm512_abs_epi32 (field), most),
                        interval = _mm512_srli_epi32 (size, INTERVAL_BITS);
          const __m512 t = _mm512_cvtepi32_ps (_mm512_and_si512 (size, part));
          __m512 y = _mm512_permutex2var_ps (a2, interval, b2);
          y = _mm512_fmadd_ps (y, t, _mm512_permutex2var_ps (a1, interval, b1));
          y = _mm512_fmadd_ps (y, t, _mm512_permutex2var_ps (a0, interval, b0));
          y = _mm512_castsi512_ps (
            _mm512_ternarylogic_epi32 (_mm512_castps_si512 (y), field, sign, 0x78)); /* its sign */
          const __m512 d = _mm512_sub_ps (y, _mm512_cvtepi32_ps (_mm512_xor_si512 (number[k], sign)));
          unsigned up = _mm512_cmp_ps_mask (d, _mm512_setzero_ps (), _CMP_GT_OQ);
          const unsigned unsure = _mm512_cmp_ps_mask (_mm512_abs_ps (d), doubt, _CMP_LT_OQ);
          if (__builtin_expect (unsure, 0))
            {
              uint32_t random[VRG_LANES];
              _mm512_storeu_si512 (random, number[k]);
              up = decide (up, unsure, fields + k * pitch, random);
            }
          index = _mm512_mask_or_epi32 (index, (__mmask16) up, index, _mm512_set1_epi32 (1 << k));
        }
      _mm512_storeu_si512 (planes, index);
      fields += VRG_GROUP * pitch;
    }
}

/** Both rows of the table come in one look-up of 64 bits. */
VRG_TARGET_AVX512 static void
mean_avx512 (int64_t n, const int32_t *fields, int32_t *means)
{
  const int bits = VRG_FIXED_BITS - 8;
  const uint32_t *table = vrg_probability_table ();
  const __m512i first = _mm512_set_epi32 (30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0),
                low_bits = _mm512_set1_epi32 ((1 << bits) - 1), rows = _mm512_set1_epi32 (VRG_PROBABILITY_ROWS);
  for (int64_t i = 0; i < n; i += VRG_LANES)
    {
      const __m512i field = _mm512_loadu_si512 (fields + i), size = _mm512_abs_epi32 (field),
                    row = _mm512_srli_epi32 (size, bits), part = _mm512_and_si512 (size, low_bits);
      const __mmask16 beyond = _mm512_cmpge_epi32_mask (row, rows);
      const __m512i at = _mm512_maskz_mov_epi32 ((__mmask16) ~beyond, row),
                    a = _mm512_i32gather_epi64 (_mm512_castsi512_si256 (at), table, 4),
                    b = _mm512_i32gather_epi64 (_mm512_extracti64x4_epi64 (at, 1), table, 4),
                    low = _mm512_permutex2var_epi32 (a, first, b),
                    high = _mm512_permutex2var_epi32 (a, _mm512_add_epi32 (first, _mm512_set1_epi32 (1)), b),
                    step = _mm512_sub_epi32 (high, low),
                    upper = _mm512_mullo_epi32 (_mm512_srli_epi32 (step, bits), part),
                    lower = _mm512_srli_epi32 (_mm512_mullo_epi32 (_mm512_and_si512 (step, low_bits), part), bits);
      __m512i up = _mm512_add_epi32 (low, _mm512_add_epi32 (upper, lower));
      up = _mm512_mask_set1_epi32 (up, beyond, -1);
      const __m512i mean
        = _mm512_srli_epi32 (_mm512_sub_epi32 (up, _mm512_set1_epi32 (INT32_MIN)), 31 - VRG_FIXED_BITS);
      const __mmask16 negative = _mm512_movepi32_mask (field);
      _mm512_storeu_si512 (means + i, _mm512_mask_sub_epi32 (mean, negative, _mm512_setzero_si512 (), mean));
    }
}

#define PATHS(name, declaration, arguments)                                                                            \
  void vrg_product_##name declaration                                                                                  \
  {                                                                                                                    \
    switch (vrg_simd ())                                                                                               \
      {                                                                                                                \
      case VRG_SIMD_AVX512:                                                                                            \
        name##_avx512 arguments;                                                                                       \
        return;                                                                                                        \
      case VRG_SIMD_AVX2:                                                                                              \
        name##_avx2 arguments;                                                                                         \
        return;                                                                                                        \
      default:                                                                                                         \
        name##_portable arguments;                                                                                     \
      }                                                                                                                \
  }

PATHS (words, (int64_t groups, int64_t n, int64_t pitch, const int32_t *planes, uint64_t *words),
       (groups, n, pitch, planes, words))
PATHS (draw, (const vrg_numbers *numbers, int64_t units, int64_t pitch, const int32_t *fields, int32_t *planes),
       (numbers, units, pitch, fields, planes))
PATHS (mean, (int64_t n, const int32_t *fields, int32_t *means), (n, fields, means))
