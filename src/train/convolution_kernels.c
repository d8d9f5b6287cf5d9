/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tables of partial sums in vector registers, and units drawn without the table of probabilities. */
#include "train/convolution_kernels.h"

#include <immintrin.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/math.h"
#include "base/simd.h"

#define LANES VRG_SCAN_LANES
#define INLINE static inline __attribute__ ((always_inline))
#define AVX2 __attribute__ ((target ("avx2,bmi2,popcnt")))
#define AVX512 __attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,bmi2,popcnt")))

/** name parameters, from an always_inline name_body or from functions of one path, chosen at run time. */
#define PATHS(result, module, name, parameters, arguments)                                                             \
  result vrg_##module##name parameters                                                                                 \
  {                                                                                                                    \
    if (vrg_simd () == VRG_SIMD_AVX512)                                                                                \
      return name##_avx512 arguments;                                                                                  \
    if (vrg_simd () == VRG_SIMD_AVX2)                                                                                  \
      return name##_avx2 arguments;                                                                                    \
    return name##_portable arguments;                                                                                  \
  }
#define SAME(path, target, result, name, parameters, arguments)                                                        \
  target static result name##_##path parameters { return name##_body arguments; }

typedef uint32_t vector __attribute__ ((vector_size (4 * LANES), aligned (4), may_alias));

INLINE void
copy (int32_t *to, const int32_t *from, int64_t count)
{
  int64_t k = 0;
  for (; k + LANES <= count; k += LANES)
    *(vector *) (to + k) = *(const vector *) (from + k);
  for (; k < count; k++)
    to[k] = from[k];
}

/** Rows beyond the plane, periodically: numbers before and behind `n` of them. */
INLINE void
fill_rim (int32_t *index, int64_t n, int64_t before, int64_t behind)
{
  int64_t count;
  for (int32_t *to = index; before > 0; before -= count)
    {
      count = before < n ? before : n;
      to -= count;
      copy (to, to + n, count);
    }
  for (int32_t *to = index + n; behind > 0; behind -= count)
    {
      count = behind < n ? behind : n;
      copy (to, to - n, count);
      to += count;
    }
}

/** Indices of LANES places: four bits from each of the first bits of a word; the higher ones are not used. */
INLINE void
write_indices (uint64_t word, int32_t *to)
{
  const vector place = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
  *(vector *) to = ((vector){ 0 } + (uint32_t) word) >> place;
}

/** One window of rows that fit into a word with three neighbours.  A vector of indices runs over the end of its row into
 *  the next, which is written later. */
INLINE void
narrow (const vrg_scan *scan, int window, const unsigned char *bits, int32_t *index)
{
  const int64_t rows = scan->rows, columns = scan->columns;
  const uint64_t all = (UINT64_C (1) << columns) - 1;
  const int turn = (int) vrg_modulo (scan->start[window], columns), back = (int) columns - turn;
  uint64_t place = (uint64_t) (scan->plane[window] * scan->pitch);
  for (int64_t y = 0; y < rows; y++, place += (uint64_t) columns, index += columns)
    {
      uint64_t row;
      memcpy (&row, bits + place / 8, sizeof row);
      row = row >> place % 8 & all;
      row = (row >> turn | row << back) & all; /* from the first column of the first index on */
      row |= row << columns;
      if (columns < 4)
        row |= row << 2 * columns;
      for (int64_t x = 0; x < columns; x += LANES)
        write_indices (row >> x, index + x);
    }
}

/** One window of longer rows. */
INLINE void
wide (const vrg_scan *scan, int window, const unsigned char *bits, int32_t *index)
{
  const int64_t rows = scan->rows, columns = scan->columns, turn = vrg_modulo (scan->start[window], columns);
  int64_t place = scan->plane[window] * scan->pitch;
  for (int64_t y = 0; y < rows; y++, place += columns, index += columns)
    for (int64_t x = 0; x < columns; x += LANES)
      {
        const int64_t from = x + turn < columns ? x + turn : x + turn - columns, left = columns - from;
        uint64_t word = vrg_planes_get (bits, place + from, 32);
        if (left < LANES + VRG_SCAN_BITS)
          word = (word & ((UINT64_C (1) << left) - 1)) | vrg_planes_get (bits, place, 32) << left;
        write_indices (word, index + x);
      }
}

INLINE void
windows_body (const vrg_scan *scan, const void *bits, bool rim, int32_t *index)
{
  const int64_t columns = scan->columns, n = scan->rows * columns;
  for (int w = 0; w < scan->windows; w++)
    {
      int32_t *const plane = index + w * scan->size + scan->top * columns;
      if (columns <= 56)
        narrow (scan, w, bits, plane);
      else
        wide (scan, w, bits, plane);
      if (rim)
        fill_rim (plane, n, scan->top * columns, scan->bottom * columns);
      else
        *(vector *) (plane + n) = (vector){ 0 };
    }
}

void
vrg_scan_fill_rim (int32_t *plane, int64_t n, int64_t before, int64_t behind)
{
  fill_rim (plane, n, before, behind);
}

#define PARAMETERS (const vrg_scan *scan, const void *bits, bool rim, int32_t *index)
#define ARGUMENTS (scan, bits, rim, index)
SAME (avx512, AVX512, void, windows, PARAMETERS, ARGUMENTS)
SAME (avx2, AVX2, void, windows, PARAMETERS, ARGUMENTS)
SAME (portable, , void, windows, PARAMETERS, ARGUMENTS)
PATHS (void, scan_, windows, PARAMETERS, ARGUMENTS)
#undef PARAMETERS
#undef ARGUMENTS

/** The indices that a table takes for a plane's first place. */
INLINE const int32_t *
at (const vrg_scan *scan, int t, const int32_t *index)
{
  return index + scan->window[t] * scan->size + scan->top * scan->columns + scan->shift[t];
}

/** m vectors of fields from place p on; m a constant after inlining. */
AVX512 INLINE void
lookup_some_avx512 (const int m, const vrg_scan *scan, int first, int last, int64_t p, int32_t base,
                    const int32_t *index, int32_t *out)
{
  __m512i sum[8];
  for (int i = 0; i < m; i++)
    sum[i] = _mm512_set1_epi32 (base);
  for (int t = first; t < last; t++)
    {
      const __m512i table = _mm512_loadu_si512 (scan->table[t]);
      const int32_t *from = at (scan, t, index) + p;
      for (int i = 0; i < m; i++)
        sum[i] = _mm512_add_epi32 (sum[i], _mm512_permutexvar_epi32 (_mm512_loadu_si512 (from + LANES * i), table));
    }
  for (int i = 0; i < m; i++)
    _mm512_storeu_si512 (out + p + LANES * i, sum[i]);
}

AVX512 static void
lookup_avx512 (const vrg_scan *scan, int first, int last, int64_t n, int32_t base, const int32_t *index, int32_t *out)
{
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    lookup_some_avx512 (8, scan, first, last, i * LANES, base, index, out);
  for (; i + 4 <= n; i += 4)
    lookup_some_avx512 (4, scan, first, last, i * LANES, base, index, out);
  for (; i < n; i++)
    lookup_some_avx512 (1, scan, first, last, i * LANES, base, index, out);
}

AVX2 INLINE void
lookup_some_avx2 (const int m, const vrg_scan *scan, int first, int last, int64_t p, int32_t base, const int32_t *index,
                  int32_t *out)
{
  __m256i sum[8];
  for (int i = 0; i < m; i++)
    sum[i] = _mm256_set1_epi32 (base);
  for (int t = first; t < last; t++)
    {
      const __m256i low = _mm256_loadu_si256 ((const __m256i *) scan->table[t]);
      const __m256i high = _mm256_loadu_si256 ((const __m256i *) (scan->table[t] + 8));
      const int32_t *from = at (scan, t, index) + p;
      for (int i = 0; i < m; i++)
        {
          const __m256i k = _mm256_loadu_si256 ((const __m256i *) (from + 8 * i));
          const __m256 some = _mm256_blendv_ps (_mm256_castsi256_ps (_mm256_permutevar8x32_epi32 (low, k)),
                                                _mm256_castsi256_ps (_mm256_permutevar8x32_epi32 (high, k)),
                                                _mm256_castsi256_ps (_mm256_slli_epi32 (k, 28)));
          sum[i] = _mm256_add_epi32 (sum[i], _mm256_castps_si256 (some));
        }
    }
  for (int i = 0; i < m; i++)
    _mm256_storeu_si256 ((__m256i *) (out + p + 8 * i), sum[i]);
}

AVX2 static void
lookup_avx2 (const vrg_scan *scan, int first, int last, int64_t n, int32_t base, const int32_t *index, int32_t *out)
{
  int64_t i = 0;
  for (; i + 4 <= n; i += 4)
    lookup_some_avx2 (8, scan, first, last, i * LANES, base, index, out);
  for (; i < n; i++)
    lookup_some_avx2 (2, scan, first, last, i * LANES, base, index, out);
}

static void
lookup_portable (const vrg_scan *scan, int first, int last, int64_t n, int32_t base, const int32_t *index, int32_t *out)
{
  for (int64_t p = 0; p < n * LANES; p++)
    out[p] = base;
  for (int t = first; t < last; t++)
    for (int64_t p = 0; p < n * LANES; p++)
      out[p] += scan->table[t][at (scan, t, index)[p] & 15];
}

PATHS (void, scan_, lookup,
       (const vrg_scan *scan, int first, int last, int64_t n, int32_t base, const int32_t *index, int32_t *out),
       (scan, first, last, n, base, index, out))

INLINE void
total_body (int64_t n, const int32_t *means, int32_t sums[LANES])
{
  vector sum = *(vector *) sums;
  for (int64_t p = 0; p < n * LANES; p += LANES)
    sum += *(const vector *) (means + p);
  *(vector *) sums = sum;
}

SAME (avx512, AVX512, void, total, (int64_t n, const int32_t *means, int32_t *sums), (n, means, sums))
SAME (avx2, AVX2, void, total, (int64_t n, const int32_t *means, int32_t *sums), (n, means, sums))
SAME (portable, , void, total, (int64_t n, const int32_t *means, int32_t *sums), (n, means, sums))
PATHS (void, scan_, total, (int64_t n, const int32_t *means, int32_t *sums), (n, means, sums))

/** m tables of one window from t on, from vector i to i + n; m a constant after inlining. */
AVX512 INLINE void
collect_some_avx512 (const int m, const vrg_scan *scan, int t, int64_t i, int64_t n, const int32_t *index,
                     const int32_t *means, int32_t (*sums)[4][LANES])
{
  __m512i sum[4][4];
  const int32_t *from[4];
  for (int j = 0; j < m; j++)
    {
      from[j] = means - scan->shift[t + j];
      for (int k = 0; k < 4; k++)
        sum[j][k] = _mm512_loadu_si512 (sums[j][k]);
    }
  index += scan->window[t] * scan->size + scan->top * scan->columns;
  for (int64_t p = LANES * i; p < LANES * (i + n); p += LANES)
    {
      const __m512i bits = _mm512_loadu_si512 (index + p);
      __mmask16 mask[4];
      for (int k = 0; k < 4; k++)
        mask[k] = _mm512_test_epi32_mask (bits, _mm512_set1_epi32 (1 << k));
      for (int j = 0; j < m; j++)
        {
          const __m512i mean = _mm512_loadu_si512 (from[j] + p);
          for (int k = 0; k < 4; k++)
            sum[j][k] = _mm512_mask_add_epi32 (sum[j][k], mask[k], sum[j][k], mean);
        }
    }
  for (int j = 0; j < m; j++)
    for (int k = 0; k < 4; k++)
      _mm512_storeu_si512 (sums[j][k], sum[j][k]);
}

AVX512 static void
collect_avx512 (const vrg_scan *scan, int first, int last, int64_t i, int64_t n, const int32_t *index,
                const int32_t *means, int32_t (*sums)[4][LANES])
{
  for (int t = first; t < last;)
    if (t + 4 <= last && scan->window[t] == scan->window[t + 3])
      {
        collect_some_avx512 (4, scan, t, i, n, index, means, sums + t - first);
        t += 4;
      }
    else
      {
        collect_some_avx512 (1, scan, t, i, n, index, means, sums + t - first);
        t++;
      }
}

INLINE void
collect_body (const vrg_scan *scan, int first, int last, int64_t i, int64_t n, const int32_t *index,
              const int32_t *means, int32_t (*sums)[4][LANES])
{
  for (int t = first; t < last; t++)
    for (int k = 0; k < 4; k++)
      {
        const int32_t *bits = index + scan->window[t] * scan->size + scan->top * scan->columns;
        const int32_t *from = means - scan->shift[t];
        int32_t sum[LANES];
        memcpy (sum, sums[t - first][k], sizeof sum);
        for (int64_t p = LANES * i; p < LANES * (i + n); p += LANES)
          for (int lane = 0; lane < LANES; lane++)
            sum[lane] += from[p + lane] & -(bits[p + lane] >> k & 1);
        memcpy (sums[t - first][k], sum, sizeof sum);
      }
}

#define PARAMETERS                                                                                                     \
  (const vrg_scan *scan, int first, int last, int64_t i, int64_t n, const int32_t *index, const int32_t *means,        \
   int32_t (*sums)[4][LANES])
#define ARGUMENTS (scan, first, last, i, n, index, means, sums)
SAME (avx2, AVX2, void, collect, PARAMETERS, ARGUMENTS)
SAME (portable, , void, collect, PARAMETERS, ARGUMENTS)
PATHS (void, scan_, collect, PARAMETERS, ARGUMENTS)
#undef PARAMETERS
#undef ARGUMENTS

/* A row of the lattice holds one row of each of `stride` planes: every stride-th bit, which pext and pdep take out of a
 * word and put into it. */

static uint64_t
extract_plain (uint64_t word, uint64_t mask)
{
  uint64_t out = 0;
  for (int k = 0; mask; k++, mask &= mask - 1)
    out |= (word >> __builtin_ctzll (mask) & 1) << k;
  return out;
}

static uint64_t
deposit_plain (uint64_t bits, uint64_t mask)
{
  uint64_t out = 0;
  for (; mask; bits >>= 1, mask &= mask - 1)
    out |= (bits & 1) * (mask & -mask);
  return out;
}

AVX2 static inline uint64_t
extract_bmi2 (uint64_t word, uint64_t mask)
{
  return _pext_u64 (word, mask);
}

AVX2 static inline uint64_t
deposit_bmi2 (uint64_t bits, uint64_t mask)
{
  return _pdep_u64 (bits, mask);
}

/** Bits 0, stride, 2 stride, ... of 32. */
static uint64_t
every (int64_t stride)
{
  uint64_t mask = 0;
  for (int64_t k = 0; k < 32; k += stride)
    mask |= UINT64_C (1) << k;
  return mask;
}

/** The bits of a plane in their order. */
#define UNPACK(path, target, extract)                                                                                  \
  target static void planes_unpack_##path (const vrg_shape *s, const uint64_t *lattice, void *planes)                  \
  {                                                                                                                    \
    const int64_t columns = s->columns * s->stride, words = (columns + 63) / 64, turn = 32 % s->stride;                \
    const uint64_t every_bit = every (s->stride);                                                                      \
    char *to = planes;                                                                                                 \
    for (int64_t p = 0; p < s->phases; p++)                                                                            \
      {                                                                                                                \
        uint64_t held = 0; /* `count` bits of the plane that are not written yet */                                    \
        int count = 0;                                                                                                 \
        for (int64_t y = p / s->stride; y < s->rows * s->stride_rows; y += s->stride_rows)                             \
          for (int64_t x = 0, first = p % s->stride; x < columns; x += 32)                                             \
            {                                                                                                          \
              const int64_t left = columns - x;                                                                        \
              const uint64_t here = (left < 32 ? (UINT64_C (1) << left) - 1 : UINT32_MAX);                             \
              const uint64_t mask = every_bit << first & here;                                                         \
              held |= extract (lattice[y * words + x / 64] >> x % 64, mask) << count;                                  \
              count += __builtin_popcountll (mask);                                                                    \
              if (count >= 32)                                                                                         \
                {                                                                                                      \
                  memcpy (to, &held, 4);                                                                               \
                  to += 4;                                                                                             \
                  held >>= 32;                                                                                         \
                  count -= 32;                                                                                         \
                }                                                                                                      \
              first -= turn;                                                                                           \
              first += first < 0 ? s->stride : 0;                                                                      \
            }                                                                                                          \
        for (; count > 0; count -= 16, held >>= 16, to += 2)                                                           \
          memcpy (to, &held, 2);                                                                                       \
      }                                                                                                                \
  }
UNPACK (avx2, AVX2, extract_bmi2)
UNPACK (portable, , extract_plain)
#define planes_unpack_avx512 planes_unpack_avx2
PATHS (void, , planes_unpack, (const vrg_shape *shape, const uint64_t *lattice, void *planes), (shape, lattice, planes))

void
vrg_planes_pack (const vrg_shape *s, const void *planes, uint64_t *lattice)
{
  const int64_t columns = s->columns * s->stride, words = (columns + 63) / 64;
  const bool plain = vrg_simd () == VRG_SIMD_PORTABLE;
  memset (lattice, 0, (size_t) (s->rows * s->stride_rows * words) * sizeof *lattice);
  for (int64_t y = 0; y < s->rows * s->stride_rows; y++)
    for (int64_t x = 0; x < columns; x += 32)
      for (int64_t phase = 0; phase < s->stride; phase++)
        {
          const int64_t first = vrg_modulo (phase - x, s->stride), left = columns - x;
          const uint64_t mask = every (s->stride) << first & (left < 32 ? (UINT64_C (1) << left) - 1 : UINT32_MAX);
          const int64_t plane = y % s->stride_rows * s->stride + phase;
          const int64_t place = plane * s->pitch + y / s->stride_rows * s->columns + (x + first) / s->stride;
          if (!mask)
            continue;
          const uint64_t bits = vrg_planes_get (planes, place, 32);
          lattice[y * words + x / 64] |= (plain ? deposit_plain (bits, mask) : deposit_bmi2 (bits, mask)) << x % 64;
        }
}

INLINE int64_t
count_body (int64_t n, const int32_t *bits, const int32_t *other)
{
  int64_t count = 0;
  for (int64_t k = 0; k < n; k += 2)
    {
      uint64_t word, with = 0;
      memcpy (&word, bits + k, sizeof word);
      if (other)
        memcpy (&with, other + k, sizeof with);
      count += __builtin_popcountll (word ^ with);
    }
  return count;
}

#define PARAMETERS (int64_t n, const int32_t *bits, const int32_t *other)
#define ARGUMENTS (n, bits, other)
SAME (avx512, AVX512, int64_t, count, PARAMETERS, ARGUMENTS)
SAME (avx2, AVX2, int64_t, count, PARAMETERS, ARGUMENTS)
SAME (portable, , int64_t, count, PARAMETERS, ARGUMENTS)
PATHS (int64_t, bits_, count, PARAMETERS, ARGUMENTS)
#undef PARAMETERS
#undef ARGUMENTS

/** Probabilities of fields >= 0 by straight lines on 32 segments of width 2^-3, the last one without end: p is
 *  line + (line mod 2^16) * (field in the segment >> 2), and vrg_probability is no further from it than `line_error`. */
#define SEGMENT_BITS (VRG_FIXED_BITS - 3)
#define PART_BITS (SEGMENT_BITS - 2) /* 15: one factor of _mm512_madd_epi16, whose other half is 0 */
static uint32_t line[32], line_error;

static void
make_lines (void)
{
  const int node = 1 << (VRG_FIXED_BITS - 8); /* vrg_probability is straight between its nodes, but for rounding down */
  for (int s = 31; s >= 0; s--)
    {
      const int32_t field = s << SEGMENT_BITS, end = s < 31 ? (s + 1) << SEGMENT_BITS : VRG_PROBABILITY_ROWS * node;
      const uint32_t begin = vrg_probability (field);
      const uint32_t slope = s < 31 ? (vrg_probability (end) - begin) >> PART_BITS : 0;
      int64_t least = INT64_MAX, most = INT64_MIN;
      for (int32_t x = field; x <= end; x += node)
        {
          const int64_t d = (int64_t) vrg_probability (x) - begin - (int64_t) slope * ((x - field) >> 2);
          least = d < least ? d : least;
          most = d > most ? d : most;
        }
      const uint32_t start = (uint32_t) (begin + (least + most) / 2), error = (uint32_t) ((most - least) / 2);
      line[s] = (start & ~UINT32_C (0xffff)) | slope;
      line_error = error > line_error ? error : line_error;
    }
  line_error += (1 << 16) + 4 * 8192 + 4; /* the last bits of a start, of a field times the slope, and roundings */
}

/** What the lines say of a vector of units: bits that are +1, and from bit 16 on those they leave open. */
AVX512 INLINE uint32_t
decide_avx512 (const uint32_t *lines, uint32_t error, const int32_t *fields, const void *random)
{
  const __m512i field = _mm512_loadu_epi32 (fields), size = _mm512_abs_epi32 (field);
  const __m512i number = _mm512_loadu_epi32 (random);
  const __m512i segment = _mm512_min_epu32 (_mm512_srli_epi32 (size, SEGMENT_BITS), _mm512_set1_epi32 (31));
  const __m512i start
    = _mm512_permutex2var_epi32 (_mm512_loadu_epi32 (lines), segment, _mm512_loadu_epi32 (lines + 16));
  __m512i p = _mm512_and_si512 (_mm512_srli_epi32 (size, 2), _mm512_set1_epi32 ((1 << PART_BITS) - 1));
  p = _mm512_add_epi32 (start, _mm512_madd_epi16 (start, p));
  p = _mm512_mask_sub_epi32 (p, _mm512_movepi32_mask (field), _mm512_setzero_si512 (), p);
  const __m512i distance = _mm512_abs_epi32 (_mm512_sub_epi32 (number, p));
  return (uint32_t) _mm512_cmplt_epu32_mask (number, p)
         | (uint32_t) _mm512_cmple_epu32_mask (distance, _mm512_set1_epi32 ((int) error)) << 16;
}

AVX2 INLINE uint32_t
decide_avx2 (const uint32_t *lines, uint32_t error, const int32_t *fields, const void *random)
{
  uint32_t found = 0;
  for (int half = 0; half < 2; half++)
    {
      const __m256i field = _mm256_loadu_si256 ((const __m256i *) fields + half), size = _mm256_abs_epi32 (field);
      const __m256i number = _mm256_loadu_si256 ((const __m256i *) random + half), sign = _mm256_srai_epi32 (field, 31);
      const __m256i segment = _mm256_min_epu32 (_mm256_srli_epi32 (size, SEGMENT_BITS), _mm256_set1_epi32 (31));
      const __m256i start = _mm256_i32gather_epi32 ((const int *) lines, segment, 4);
      __m256i p = _mm256_and_si256 (_mm256_srli_epi32 (size, 2), _mm256_set1_epi32 ((1 << PART_BITS) - 1));
      p = _mm256_add_epi32 (start, _mm256_madd_epi16 (start, p));
      p = _mm256_sub_epi32 (_mm256_xor_si256 (p, sign), sign);
      const __m256i distance = _mm256_abs_epi32 (_mm256_sub_epi32 (number, p));
      const __m256i down = _mm256_cmpeq_epi32 (_mm256_max_epu32 (number, p), number);
      const __m256i near = _mm256_cmpeq_epi32 (_mm256_min_epu32 (distance, _mm256_set1_epi32 ((int) error)), distance);
      found |= (uint32_t) (_mm256_movemask_ps (_mm256_castsi256_ps (down)) ^ 0xff) << 8 * half
               | (uint32_t) _mm256_movemask_ps (_mm256_castsi256_ps (near)) << (16 + 8 * half);
    }
  return found;
}

INLINE uint32_t
decide_plain (const uint32_t *lines, uint32_t error, const int32_t *fields, const void *random)
{
  uint32_t numbers[LANES], found = 0;
  memcpy (numbers, random, sizeof numbers);
  for (int k = 0; k < LANES; k++)
    {
      const uint32_t sign = (uint32_t) (fields[k] >> 31), size = ((uint32_t) fields[k] ^ sign) - sign;
      const uint32_t segment = size >> SEGMENT_BITS, start = lines[segment < 31 ? segment : 31];
      const uint32_t part = size >> 2 & ((1 << PART_BITS) - 1);
      const uint32_t p = ((start + (start & 0xffff) * part) ^ sign) - sign, distance = numbers[k] - p;
      found |= (uint32_t) (numbers[k] < p) << k | (uint32_t) (distance + error <= 2 * error) << (16 + k);
    }
  return found;
}

#define SAMPLE(path, target, decide)                                                                                   \
  target static void sample_##path (int64_t n, const int32_t *fields, const void *random, void *bits)                  \
  {                                                                                                                    \
    uint32_t open[64], found, lines[32];                                                                               \
    const uint32_t error = line_error;                                                                                 \
    memcpy (lines, line, sizeof lines);                                                                                \
    for (int64_t i = 0; i < n; i += 64)                                                                                \
      {                                                                                                                \
        const int64_t some = n - i < 64 ? n - i : 64;                                                                  \
        int count = 0;                                                                                                 \
        for (int64_t k = i; k < i + some; k++)                                                                         \
          {                                                                                                            \
            found = decide (lines, error, fields + LANES * k, (const char *) random + 4 * LANES * k);                  \
            memcpy ((char *) bits + 2 * k, &found, 2);                                                                 \
            open[count] = (found & 0xffff0000) | (uint32_t) (k - i);                                                   \
            count += found > 0xffff;                                                                                   \
          }                                                                                                            \
        settle (count, open, fields + LANES * i, (const char *) random + 4 * LANES * i, (char *) bits + 2 * i);        \
      }                                                                                                                \
  }

/** Units too near to the lines, by the table. */
static void
settle (int count, const uint32_t *open, const int32_t *fields, const char *random, char *bits)
{
  for (int i = 0; i < count; i++)
    for (uint32_t left = open[i] >> 16, at = open[i] & 0xffff; left; left &= left - 1)
      {
        const int lane = __builtin_ctz (left);
        uint32_t number;
        uint16_t up;
        memcpy (&number, random + 4 * (LANES * at + (uint32_t) lane), sizeof number);
        memcpy (&up, bits + 2 * at, sizeof up);
        up = (uint16_t) (up & ~(1u << lane));
        up = (uint16_t) (up | (unsigned) (number < vrg_probability (fields[LANES * at + (uint32_t) lane])) << lane);
        memcpy (bits + 2 * at, &up, sizeof up);
      }
}

SAMPLE (avx512, AVX512, decide_avx512)
SAMPLE (avx2, AVX2, decide_avx2)
SAMPLE (portable, , decide_plain)

void
vrg_scan_sample (int64_t n, const int32_t *fields, const void *random, void *bits)
{
  if (!line_error)
    make_lines ();
  if (vrg_simd () == VRG_SIMD_AVX512)
    sample_avx512 (n, fields, random, bits);
  else if (vrg_simd () == VRG_SIMD_AVX2)
    sample_avx2 (n, fields, random, bits);
  else
    sample_portable (n, fields, random, bits);
}
