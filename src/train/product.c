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

/** U rows of V vectors: add `groups` groups to `out`, which starts as `base` if that is not NULL. */
VRG_TARGET_AVX512 INLINE void
tile_avx512 (const int U, const int V, int64_t groups, const int32_t *a, int64_t pitch, const int32_t *index,
             const int32_t *base, int32_t *out, int64_t lanes)
{
  __m512i sum[2][MOST_VECTORS];
#pragma GCC unroll 2
  for (int u = 0; u < U; u++)
#pragma GCC unroll 13
    for (int v = 0; v < V; v++)
      sum[u][v] = base ? _mm512_set1_epi32 (base[u]) : _mm512_loadu_si512 (out + u * lanes + VRG_LANES * v);
  for (int64_t g = 0; g < groups; g++, a += VRG_ROW_GROUP, index += VRG_LANES * V)
    {
      __m512i low[2], high[2];
#pragma GCC unroll 2
      for (int u = 0; u < U; u++)
        {
          const int32_t *w = a + u * pitch;
          _mm_prefetch ((const char *) (w + U * pitch), _MM_HINT_T0); /* the next rows' */
          __m512i t = _mm512_broadcast_i32x4 (_mm_load_si128 ((const __m128i *) w));
          t = _mm512_mask_add_epi32 (t, 0xF0F0, t, _mm512_set1_epi32 (w[4]));
          low[u] = t = _mm512_mask_add_epi32 (t, 0xFF00, t, _mm512_set1_epi32 (w[5]));
          high[u] = _mm512_add_epi32 (t, _mm512_set1_epi32 (w[6]));
        }
#pragma GCC unroll 13
      for (int v = 0; v < V; v++)
        {
          const __m512i i = _mm512_load_si512 (index + VRG_LANES * v);
#pragma GCC unroll 2
          for (int u = 0; u < U; u++)
            sum[u][v] = _mm512_add_epi32 (sum[u][v], _mm512_permutex2var_epi32 (low[u], i, high[u]));
        }
    }
#pragma GCC unroll 2
  for (int u = 0; u < U; u++)
#pragma GCC unroll 13
    for (int v = 0; v < V; v++)
      _mm512_storeu_si512 (out + u * lanes + VRG_LANES * v, sum[u][v]);
}

/** The same with vectors of 8 lanes, V of them: a table of the lower three bits and one of the upper two. */
VRG_TARGET_AVX2 INLINE void
tile_avx2 (const int V, int64_t groups, const int32_t *a, const int32_t *index, const int32_t *upper, int64_t step,
           const int32_t *base, int32_t *out)
{
  __m256i sum[4];
#pragma GCC unroll 4
  for (int v = 0; v < V; v++)
    sum[v] = base ? _mm256_set1_epi32 (*base) : _mm256_loadu_si256 ((const __m256i *) (out + 8 * v));
  for (int64_t g = 0; g < groups; g++, a += VRG_ROW_GROUP, index += step, upper += step)
    {
      const __m256i first = _mm256_broadcastsi128_si256 (_mm_load_si128 ((const __m128i *) a)),
                    last = _mm256_broadcastsi128_si256 (_mm_load_si128 ((const __m128i *) (a + 4))),
                    third = _mm256_set1_epi32 (a[4]), zero = _mm256_setzero_si256 (),
                    low = _mm256_add_epi32 (first, _mm256_blend_epi32 (zero, third, 0xF0)),
                    high = _mm256_blend_epi32 (last, zero, 0x11);
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

/** All rows of a block: base NULL if `out` has been begun. */
typedef struct
{
  int64_t rows, groups, pitch, lanes;
  const int32_t *a, *base;
  const block *block;
  int32_t *out;
} rows_of_block;

VRG_TARGET_AVX512 INLINE void
some_avx512 (const int V, const rows_of_block *r)
{
  int64_t m = 0;
  for (; V <= PAIRS && m + 2 <= r->rows; m += 2)
    tile_avx512 (2, V, r->groups, r->a + m * r->pitch, r->pitch, r->block->index, r->base ? r->base + m : NULL,
                 r->out + m * r->lanes, r->lanes);
  for (; m < r->rows; m++)
    tile_avx512 (1, V, r->groups, r->a + m * r->pitch, r->pitch, r->block->index, r->base ? r->base + m : NULL,
                 r->out + m * r->lanes, r->lanes);
}

VRG_TARGET_AVX512 static void
rows_avx512 (int64_t vectors, const rows_of_block *r)
{
#define CASE(V)                                                                                                        \
  case V:                                                                                                              \
    some_avx512 (V, r);                                                                                                \
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
      tile_avx2 (2, r->groups, r->a + m * r->pitch, r->block->index + lane, r->block->upper + lane, VRG_LANES * vectors,
                 r->base ? r->base + m : NULL, r->out + m * r->lanes + lane);
}

/** The definition: tables of 32 partial sums, one lane after the other. */
static void
product_portable (int64_t rows, int64_t groups, int64_t lanes, const int32_t *a, const int32_t *base,
                  const int32_t *planes, int32_t *out)
{
  for (int64_t m = 0; m < rows; m++, out += lanes)
    {
      for (int64_t n = 0; n < lanes; n++)
        out[n] = base[m];
      for (int64_t g = 0; g < groups; g++)
        {
          const int32_t *w = a + VRG_ROW_GROUP * (m * groups + g), *index = planes + g * lanes;
          uint32_t table[32];
          for (int i = 0; i < 32; i++)
            table[i] = (uint32_t) w[i & 3] + (i & 4 ? (uint32_t) w[4] : 0) + (i >> 3 ? (uint32_t) w[4 + (i >> 3)] : 0);
          for (int64_t n = 0; n < lanes; n++)
            out[n] = (int32_t) ((uint32_t) out[n] + table[index[n]]);
        }
    }
}

void
vrg_product (int64_t rows, int64_t groups, int64_t lanes, const int32_t *a, const int32_t *base, const int32_t *planes,
             int32_t *out)
{
  const vrg_simd_path path = vrg_simd ();
  if (path == VRG_SIMD_PORTABLE)
    {
      product_portable (rows, groups, lanes, a, base, planes, out);
      return;
    }
  const int64_t vectors = lanes / VRG_LANES, blocks = (vectors + MOST_VECTORS - 1) / MOST_VECTORS;
  for (int64_t c = 0; c < blocks; c++) /* as equal as can be */
    {
      const int64_t first = c * vectors / blocks, n = (c + 1) * vectors / blocks - first, wide = n * VRG_LANES;
      for (int64_t g0 = 0; g0 == 0 || g0 < groups; g0 += MOST_GROUPS) /* no groups: the base alone */
        {
          block b __attribute__ ((aligned (64)));
          const int64_t some = groups - g0 < MOST_GROUPS ? groups - g0 : MOST_GROUPS;
          for (int64_t g = 0; g < some; g++)
            {
              const int32_t *from = planes + (g0 + g) * lanes + first * VRG_LANES;
              memcpy (b.index + g * wide, from, (size_t) wide * sizeof *from);
              for (int64_t k = 0; path == VRG_SIMD_AVX2 && k < wide; k++)
                b.upper[g * wide + k] = from[k] >> 3;
            }
          const rows_of_block r = { .rows = rows,
                                    .groups = some,
                                    .pitch = VRG_ROW_GROUP * groups,
                                    .lanes = lanes,
                                    .a = a + VRG_ROW_GROUP * g0,
                                    .base = g0 == 0 ? base : NULL,
                                    .block = &b,
                                    .out = out + first * VRG_LANES };
          if (path == VRG_SIMD_AVX2)
            rows_avx2 (n, &r);
          else
            rows_avx512 (n, &r);
        }
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

VRG_TARGET_AVX512 static void
round_avx512 (int64_t n, const double *x, int32_t *w, int32_t *base, uint32_t *column, int64_t *sum, int64_t *size)
{
  const __m512i limit = _mm512_set1_epi32 (LIMIT);
  __m512i sums = _mm512_setzero_si512 (), sizes = sums;
  int64_t i = 0;
  for (; i + VRG_LANES <= n; i += VRG_LANES)
    {
      const __m512i fixed = _mm512_inserti64x4 (_mm512_castsi256_si512 (fixed_avx512 (_mm512_loadu_pd (x + i))),
                                                fixed_avx512 (_mm512_loadu_pd (x + i + 8)), 1),
                    absolute = _mm512_abs_epi32 (fixed);
      sums = _mm512_add_epi32 (sums, fixed); /* wraps only where sizes are beyond the bound */
      sizes = _mm512_min_epu32 (_mm512_add_epi32 (sizes, absolute), limit);
      _mm512_storeu_si512 (column + i,
                           _mm512_min_epu32 (_mm512_add_epi32 (_mm512_loadu_si512 (column + i), absolute), limit));
      _mm512_storeu_si512 (base + i, _mm512_sub_epi32 (_mm512_loadu_si512 (base + i), fixed));
      _mm512_storeu_si512 (w + i, _mm512_slli_epi32 (fixed, 1));
    }
  *sum += _mm512_reduce_add_epi64 (_mm512_add_epi64 (_mm512_cvtepi32_epi64 (_mm512_castsi512_si256 (sums)),
                                                     _mm512_cvtepi32_epi64 (_mm512_extracti64x4_epi64 (sums, 1))));
  *size += _mm512_reduce_add_epi64 (_mm512_add_epi64 (_mm512_cvtepu32_epi64 (_mm512_castsi512_si256 (sizes)),
                                                      _mm512_cvtepu32_epi64 (_mm512_extracti64x4_epi64 (sizes, 1))));
  round_portable (n - i, x + i, w + i, base + i, column + i, sum, size);
}

void
vrg_product_round (int64_t n, const double *x, int32_t *w, int32_t *base, uint32_t *column, int64_t *sum, int64_t *size)
{
  (vrg_simd () == VRG_SIMD_AVX512 ? round_avx512 : round_portable) (n, x, w, base, column, sum, size);
}

/** Where weight k of a group is, and the two sums. */
static void
row_group (const int32_t w[VRG_GROUP], int32_t row[VRG_ROW_GROUP])
{
  row[0] = 0;
  row[1] = w[0];
  row[2] = w[1];
  row[3] = (int32_t) ((uint32_t) w[0] + (uint32_t) w[1]);
  row[4] = w[2];
  row[5] = w[3];
  row[6] = w[4];
  row[7] = (int32_t) ((uint32_t) w[3] + (uint32_t) w[4]);
}

static void
row_portable (int64_t n, int32_t factor, const int32_t *w, int32_t *row)
{
  for (int64_t i = 0; i < n; i += VRG_GROUP, row += VRG_ROW_GROUP)
    {
      int32_t group[VRG_GROUP];
      for (int64_t k = 0; k < VRG_GROUP; k++)
        group[k] = i + k < n ? factor * w[i + k] : 0;
      row_group (group, row);
    }
}

static void
columns_portable (int64_t rows, int64_t n, const int32_t *w, int64_t pitch, int32_t *row, int64_t row_pitch)
{
  for (int64_t i = 0; i < n; i++, row += row_pitch)
    {
      int32_t column[VRG_COLUMN_ROWS] = { 0 };
      for (int64_t k = 0; k < rows; k++)
        column[k] = w[k * pitch + i];
      row_group (column, row);
      if (rows > VRG_GROUP)
        row_group (column + VRG_GROUP, row + VRG_ROW_GROUP);
    }
}

/** The lower or all of two groups. */
VRG_TARGET_AVX512 INLINE void
store_groups (int32_t *row, __m512i groups, bool both)
{
  if (both)
    _mm512_storeu_si512 (row, groups);
  else
    _mm256_storeu_si256 ((__m256i *) row, _mm512_castsi512_si256 (groups));
}

VRG_TARGET_AVX512 static void
row_avx512 (int64_t n, int32_t factor, const int32_t *w, int32_t *row)
{
  const __m512i first = _mm512_set_epi32 (8, 9, 8, 7, 5, 6, 5, 0, 3, 4, 3, 2, 0, 1, 0, 0),
                second = _mm512_set_epi32 (9, 0, 0, 0, 6, 0, 0, 0, 4, 0, 0, 0, 1, 0, 0, 0),
                times = _mm512_set1_epi32 (factor);
  for (; n > 0; n -= VRG_COLUMN_ROWS, w += VRG_COLUMN_ROWS, row += 2 * VRG_ROW_GROUP)
    {
      const __mmask16 mask = (__mmask16) (n < VRG_COLUMN_ROWS ? (1 << n) - 1 : (1 << VRG_COLUMN_ROWS) - 1);
      const __m512i x = _mm512_mullo_epi32 (_mm512_maskz_loadu_epi32 (mask, w), times);
      store_groups (row,
                    _mm512_add_epi32 (_mm512_maskz_permutexvar_epi32 (0xFEFE, first, x),
                                      _mm512_maskz_permutexvar_epi32 (0x8888, second, x)),
                    n > VRG_GROUP);
    }
}

/** 16 columns at a time: a matrix of 16 x 16 numbers, of which up to ten rows are given, transposed. */
VRG_TARGET_AVX512 static void
columns_avx512 (int64_t rows, int64_t n, const int32_t *w, int64_t pitch, int32_t *row, int64_t row_pitch)
{
  int64_t i = 0;
  for (; i + VRG_LANES <= n; i += VRG_LANES, w += VRG_LANES, row += VRG_LANES * row_pitch)
    {
      __m512i x[VRG_COLUMN_ROWS], a[16], b[16];
      for (int k = 0; k < VRG_COLUMN_ROWS; k++)
        x[k] = k < rows ? _mm512_loadu_si512 (w + k * pitch) : _mm512_setzero_si512 ();
      for (int k = 0; k < 2; k++)
        {
          const __m512i *y = x + k * VRG_GROUP;
          a[8 * k] = _mm512_setzero_si512 ();
          a[8 * k + 1] = y[0];
          a[8 * k + 2] = y[1];
          a[8 * k + 3] = _mm512_add_epi32 (y[0], y[1]);
          a[8 * k + 4] = y[2];
          a[8 * k + 5] = y[3];
          a[8 * k + 6] = y[4];
          a[8 * k + 7] = _mm512_add_epi32 (y[3], y[4]);
        }
      for (int k = 0; k < 16; k += 2) /* pairs of numbers */
        {
          b[k] = _mm512_unpacklo_epi32 (a[k], a[k + 1]);
          b[k + 1] = _mm512_unpackhi_epi32 (a[k], a[k + 1]);
        }
      for (int k = 0; k < 16; k += 4) /* a[4 q + c]: rows 4 q to 4 q + 3 of columns c, c + 4, c + 8, c + 12 */
        for (int c = 0; c < 2; c++)
          {
            a[k + 2 * c] = _mm512_unpacklo_epi64 (b[k + c], b[k + 2 + c]);
            a[k + 2 * c + 1] = _mm512_unpackhi_epi64 (b[k + c], b[k + 2 + c]);
          }
      for (int c = 0; c < 4; c++)
        {
          const __m512i p = _mm512_shuffle_i32x4 (a[c], a[4 + c], 0x44),
                        q = _mm512_shuffle_i32x4 (a[c], a[4 + c], 0xEE),
                        r = _mm512_shuffle_i32x4 (a[8 + c], a[12 + c], 0x44),
                        s = _mm512_shuffle_i32x4 (a[8 + c], a[12 + c], 0xEE);
          store_groups (row + c * row_pitch, _mm512_shuffle_i32x4 (p, r, 0x88), rows > VRG_GROUP);
          store_groups (row + (c + 4) * row_pitch, _mm512_shuffle_i32x4 (p, r, 0xDD), rows > VRG_GROUP);
          store_groups (row + (c + 8) * row_pitch, _mm512_shuffle_i32x4 (q, s, 0x88), rows > VRG_GROUP);
          store_groups (row + (c + 12) * row_pitch, _mm512_shuffle_i32x4 (q, s, 0xDD), rows > VRG_GROUP);
        }
    }
  columns_portable (rows, n - i, w, pitch, row, row_pitch);
}

void
vrg_product_row (int64_t n, int32_t factor, const int32_t *w, int32_t *row)
{
  (vrg_simd () == VRG_SIMD_AVX512 ? row_avx512 : row_portable) (n, factor, w, row);
}

void
vrg_product_columns (int64_t rows, int64_t n, const int32_t *w, int64_t pitch, int32_t *row, int64_t row_pitch)
{
  (vrg_simd () == VRG_SIMD_AVX512 ? columns_avx512 : columns_portable) (rows, n, w, pitch, row, row_pitch);
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
