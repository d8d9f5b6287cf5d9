/* SPDX-License-Identifier: GPL-3.0-or-later
 * Block spins: majority by bit-sliced counting (b = 2, 3) or bit counts, decimation, and filters by tables. */
#include "lattice/blocking.h"

#include <immintrin.h>
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/simd.h"

#define INLINE static inline __attribute__ ((always_inline))

static void
check_sizes (const vrg_lattice *fine, const vrg_lattice *coarse, int64_t b)
{
  const int64_t of_rows = fine->dimension == 1 ? 1 : fine->dimension == 2 ? b : b * b;
  VRG_ASSERT (b > 0 && fine->dimension == coarse->dimension && fine->columns == coarse->columns * b
              && fine->rows == coarse->rows * of_rows && (fine->dimension < 3 || fine->plane == coarse->plane * b));
  VRG_ASSERT (fine->row0 == 0 && fine->row1 == fine->rows && coarse->row0 == 0 && coarse->row1 == coarse->rows);
  (void) of_rows;
}

/* The first row of fine of the blocks of row y; the others are (r / b) * plane + r % b further, r < b^(dimension-1). */
static inline int64_t
first_row (const vrg_lattice *fine, const vrg_lattice *coarse, int64_t b, int64_t y)
{
  return fine->dimension < 3 ? y * b : y / coarse->plane * b * fine->plane + y % coarse->plane * b;
}

/* --- Majority and decimation --- */

#define CHUNK 256 /* words of coarse at once: some rows or a part of one */

/* Words [w0, w1) of rows [y0, y1) of coarse, at most CHUNK; word w of row y is number (y - y0) * (w1 - w0) + w - w0. */
typedef struct
{
  int64_t y0, y1, w0, w1;
} part;

/* Eight of these words at a time. */
#define LANES 8
typedef uint64_t vector __attribute__ ((vector_size (8 * LANES), aligned (8), may_alias));

/* sum += term, a number for each bit of a word: bit k of the numbers stands in sum[k]. */
INLINE void
add (vector *sum, int bits, const vector *term, int term_bits)
{
  vector carry = { 0 };
  for (int k = 0; k < bits; k++)
    {
      const vector old = sum[k];
      sum[k] ^= carry;
      carry &= old;
      if (k < term_bits)
        {
          carry |= sum[k] & term[k];
          sum[k] ^= term[k];
        }
    }
}

/* A word of coarse is packed from bits 0, b, 2b ... of b words of fine: out |= what word j of them adds. */
INLINE void
pack (int b, int j, const vector *in, vector *out)
{
  vector x = *in;
  if (b == 2)
    {
      x &= 0x5555555555555555;
      x = (x | x >> 1) & 0x3333333333333333;
      x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
      x = (x | x >> 4) & 0x00ff00ff00ff00ff;
      x = (x | x >> 8) & 0x0000ffff0000ffff;
      x = (x | x >> 16) & 0x00000000ffffffff;
      *out |= x << (32 * j);
    }
  else
    {
      x >>= (3 - j) % 3; /* 64 j is no multiple of 3 */
      const vector last = x >> 63 << 21;
      x &= 0x1249249249249249;
      x = (x | x >> 2) & 0x10c30c30c30c30c3;
      x = (x | x >> 4) & 0x100f00f00f00f00f;
      x = (x | x >> 8) & 0x001f0000ff0000ff;
      x = (x | x >> 16) & 0x001f00000000ffff;
      x = (x | x >> 32) & 0x00000000001fffff;
      *out |= (x | last) << (j == 0 ? 0 : 21 * j + 1);
    }
}

/* Where the fine words of eight words of a part begin, and the step to the next; after the last word it stays. */
typedef struct
{
  const uint64_t *row;
  int64_t y, w, in_plane;
} cursor;

INLINE void
step (cursor *c, const vrg_lattice *fine, const vrg_lattice *coarse, int b, const part *p)
{
  if (++c->w < p->w1)
    return;
  if (++c->y == p->y1)
    {
      c->y--;
      c->w--;
      return;
    }
  c->w = p->w0;
  c->row += b * fine->stride;
  if (++c->in_plane == coarse->plane && fine->dimension == 3)
    {
      c->row += (b - 1) * fine->plane * fine->stride;
      c->in_plane = 0;
    }
}

/* b = 2 or 3.  Columns of a block are counted first, then added.  A count begins at a number that takes the majority to
 * the first count with bit `top` (b = 3), or a tie to bit 2 alone (b = 2); each column has its share of it. Words of
 * fine beyond the end of a row, which are read, only reach bits beyond the end of a row of coarse. decimation: the
 * first spin of a block decides. */
INLINE void
blocks_body (const vrg_lattice *fine, const vrg_lattice *coarse, const part *p, uint64_t *plus, uint64_t *tie, int b,
             bool decimation)
{
  static const uint64_t starts[2][3] = { { 3, 2, 0 }, { 10, 9, 6 } }; /* of an even column; of every column */
  const uint64_t start = starts[b - 2][fine->dimension - 1], starting = b == 2 ? 0x5555555555555555 : ~UINT64_C (0);
  const int bits = b == 2 ? 3 : 4, top = b == 2 ? 3 : 5;
  const int layers = fine->dimension < 3 || decimation ? 1 : b, high = fine->dimension < 2 || decimation ? 1 : b;
  const int64_t n = (p->y1 - p->y0) * (p->w1 - p->w0), rest = fine->words - b * p->w0;
  const int words = rest < b ? (int) rest : b; /* to be read for a word of coarse */
  cursor c = { vrg_lattice_row (fine, first_row (fine, coarse, b, p->y0)), p->y0, p->w0, p->y0 % coarse->plane };
  for (int64_t i = 0; i < n; i += LANES)
    {
      const uint64_t *source[LANES];
      vector column[4][4] = { { { 0 } } }, up = { 0 }, even = { 0 };
      for (int k = 0; k < LANES; k++)
        {
          source[k] = c.row + b * c.w;
          step (&c, fine, coarse, b, p);
        }
      for (int j = 0; j < words; j++)
        {
          for (int k = 0; k < bits; k++)
            column[j][k] += start >> k & 1 ? starting : 0;
          for (int z = 0; z < layers; z++)
            for (int y = 0; y < high; y++)
              {
                const int64_t offset = (z * fine->plane + y) * fine->stride + j;
                const vector word = { source[0][offset], source[1][offset], source[2][offset], source[3][offset],
                                      source[4][offset], source[5][offset], source[6][offset], source[7][offset] };
                if (decimation)
                  pack (b, j, &word, &up);
                else
                  add (column[j], bits, &word, 1);
              }
        }
      for (int j = 0; j < words && !decimation; j++)
        {
          vector block[6] = { { 0 } }, shifted[4];
          for (int k = 0; k < bits; k++)
            block[k] = column[j][k];
          for (int s = 1; s < b; s++)
            {
              for (int k = 0; k < bits; k++)
                shifted[k] = column[j][k] >> s | column[j + 1][k] << (64 - s);
              add (block, top + 1, shifted, bits);
            }
          if (b == 2)
            {
              const vector more = block[0] | block[1], equal = block[2] & ~more;
              block[top] |= block[2] & more;
              pack (b, j, &equal, &even);
            }
          pack (b, j, &block[top], &up);
        }
      *(vector *) (plus + i) = up;
      *(vector *) (tie + i) = even;
    }
}

#define PARAMETERS (const vrg_lattice *fine, const vrg_lattice *coarse, const part *p, uint64_t *plus, uint64_t *tie)
#define BLOCKS(name, b, decimation)                                                                                    \
  INLINE void name##_body PARAMETERS { blocks_body (fine, coarse, p, plus, tie, b, decimation); }                      \
  VRG_PATHS (name, PARAMETERS, (fine, coarse, p, plus, tie))
BLOCKS (majority_of_2, 2, false)
BLOCKS (majority_of_3, 3, false)
BLOCKS (first_of_2, 2, true)
BLOCKS (first_of_3, 3, true)

/* How many of bits [start, start + n) are set. */
static int64_t
count_bits (const uint64_t *row, int64_t start, int64_t n)
{
  int64_t count = 0;
  for (int64_t x = start, end = start + n; x < end; x = x / 64 * 64 + 64)
    {
      const int64_t left = end - x;
      const uint64_t word = row[x / 64] >> (x % 64);
      count += __builtin_popcountll (left < 64 ? word & ((UINT64_C (1) << left) - 1) : word);
    }
  return count;
}

static void
blocks_of_any (const vrg_lattice *fine, const vrg_lattice *coarse, const part *p, uint64_t *plus, uint64_t *tie,
               int64_t b, bool decimation)
{
  const int64_t rows = fine->dimension == 1 ? 1 : fine->dimension == 2 ? b : b * b;
  for (int64_t y = p->y0; y < p->y1; y++)
    for (int64_t w = p->w0, first = first_row (fine, coarse, b, y); w < p->w1; w++, plus++, tie++)
      {
        *plus = *tie = 0;
        for (int64_t x = 64 * w; x < 64 * w + 64 && x < coarse->columns; x++)
          {
            int64_t sum = decimation ? vrg_lattice_get (fine, first, x * b) : -rows * b;
            for (int64_t r = 0; r < rows && !decimation; r++)
              sum += 2 * count_bits (vrg_lattice_row (fine, first + r / b * fine->plane + r % b), x * b, b);
            *plus |= (uint64_t) (sum > 0) << (x % 64);
            *tie |= (uint64_t) (sum == 0) << (x % 64);
          }
      }
}

static void
blocks (const vrg_lattice *fine, const vrg_lattice *coarse, const part *p, uint64_t *plus, uint64_t *tie, int b,
        bool decimation)
{
  if (b == 2)
    (decimation ? first_of_2 : majority_of_2) (fine, coarse, p, plus, tie);
  else if (b == 3)
    (decimation ? first_of_3 : majority_of_3) (fine, coarse, p, plus, tie);
  else
    blocks_of_any (fine, coarse, p, plus, tie, b, decimation);
}

/* The coins of sites [first, last), those of site first / 128 * 128 and on from bit 0 of the first word. */
static void
toss (const vrg_rng *rng, int64_t sample, int level, int64_t first, int64_t last, uint64_t *coins)
{
  const int64_t block = first / 128;
  vrg_rng_fill (rng, VRG_RNG_TIE, (uint64_t) block, (last + 127) / 128 - block, (uint64_t) sample, (uint32_t) level,
                coins);
}

/* Part by part; ties go to their lattice, to the coins of rng, or nowhere. */
static void
block (const vrg_lattice *fine, vrg_lattice *coarse, vrg_lattice *ties, int b, bool decimation, const vrg_rng *rng,
       int64_t sample, int level)
{
  check_sizes (fine, coarse, b);
  uint64_t plus[CHUNK + LANES], tie[CHUNK + LANES], coins[CHUNK + 5];
  const int64_t columns = coarse->columns, words = coarse->words, wide = words < CHUNK ? words : CHUNK,
                high = CHUNK / wide;
  const uint64_t last = vrg_row_last_mask (columns);
  for (int64_t y0 = 0; y0 < coarse->rows; y0 += high)
    for (int64_t w0 = 0; w0 < words; w0 += wide)
      {
        const part p
          = { y0, y0 + high < coarse->rows ? y0 + high : coarse->rows, w0, w0 + wide < words ? w0 + wide : words };
        const int64_t base = (y0 * columns + 64 * w0) / 128 * 128;
        blocks (fine, coarse, &p, plus, tie, b, decimation);
        if (rng != NULL)
          toss (rng, sample, level, y0 * columns + 64 * w0,
                (p.y1 - 1) * columns + (64 * p.w1 < columns ? 64 * p.w1 : columns), coins);
        for (int64_t y = p.y0, k = 0; y < p.y1; y++)
          {
            uint64_t *out = vrg_lattice_row (coarse, y) + w0, *even = ties ? vrg_lattice_row (ties, y) + w0 : NULL;
            uint64_t i = (uint64_t) (y * columns + 64 * w0 - base);
            for (int64_t w = 0; w < p.w1 - w0; w++, k++, i += 64)
              {
                out[w] = plus[k];
                if (rng != NULL)
                  out[w] |= tie[k] & (coins[i / 64] >> (i % 64) | coins[i / 64 + 1] << 1 << (63 - i % 64));
                if (even != NULL)
                  even[w] = tie[k];
              }
            if (p.w1 == words)
              {
                out[words - 1 - w0] &= last;
                if (even != NULL)
                  even[words - 1 - w0] &= last;
              }
          }
      }
}

void
vrg_block_majority (const vrg_lattice *fine, vrg_lattice *coarse, int b, const vrg_rng *rng, int64_t sample, int level)
{
  block (fine, coarse, NULL, b, false, b % 2 == 0 ? rng : NULL, sample, level);
}

void
vrg_block_votes (const vrg_lattice *fine, vrg_lattice *spins, vrg_lattice *ties, int b)
{
  check_sizes (fine, ties, b);
  block (fine, spins, ties, b, false, NULL, 0, 0);
}

void
vrg_block_decimation (const vrg_lattice *fine, vrg_lattice *coarse, int b)
{
  block (fine, coarse, NULL, b, true, NULL, 0, 0);
}

/* --- Filters --- */

#define SITES 512 /* block spins of a row at once */
#define AVX512 __attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi")))

/* A row of the filter is cut into nibbles; tables[row][nibble][bits] is a nibble's part of the field. */
struct vrg_block_filter
{
  int dimension, b, size, nibbles;
  int64_t rows; /* size^(dimension - 1) */
  int32_t (*tables)[16];
  bool *empty; /* [row]: all weights are 0 */
  /* scratch */
  uint64_t *spins; /* of one periodic row */
  int32_t field[SITES];
  uint64_t random[2 * (SITES / 4 + 2) + 8];
};

static void
fill_tables (vrg_block_filter *f, const int32_t *weights)
{
  for (int64_t r = 0; r < f->rows; r++)
    {
      const int32_t *row = weights + r * f->size;
      f->empty[r] = true;
      for (int i = 0; i < f->size; i++)
        {
          f->empty[r] = f->empty[r] && row[i] == 0;
          for (int bits = 0; bits < 16; bits++)
            f->tables[r * f->nibbles + i / 4][bits] += bits >> i % 4 & 1 ? row[i] : -row[i];
        }
    }
}

vrg_block_filter *
vrg_block_filter_new (int dimension, int b, int size, const int32_t *weights)
{
  vrg_block_filter *f = vrg_new (1, sizeof *f, "a block filter");
  f->dimension = dimension;
  f->b = b;
  f->size = size;
  f->nibbles = (size + 3) / 4;
  f->rows = dimension == 1 ? 1 : dimension == 2 ? size : (int64_t) size * size;
  f->tables = vrg_new (f->rows * f->nibbles, sizeof *f->tables, "a block filter");
  f->empty = vrg_new (f->rows, sizeof *f->empty, "a block filter");
  f->spins = vrg_new (((int64_t) SITES * b + 4 * f->nibbles) / 64 + 16, sizeof *f->spins, "a block filter");
  fill_tables (f, weights);
  return f;
}

void
vrg_block_filter_free (vrg_block_filter *filter)
{
  if (filter == NULL)
    return;
  vrg_free (filter->tables);
  vrg_free (filter->empty);
  vrg_free (filter->spins);
  vrg_free (filter);
}

static inline int64_t
modulo (int64_t i, int64_t n)
{
  return (i % n + n) % n;
}

/* 64 bits from column x of a periodic row on. */
static inline uint64_t
bits_from (const uint64_t *row, int64_t columns, int64_t x)
{
  if (columns < 64)
    {
      uint64_t bits = (row[0] >> x | row[0] << (columns - x)) & vrg_row_last_mask (columns);
      for (int64_t known = columns; known < 64; known *= 2)
        bits |= bits << known;
      return bits;
    }
  uint64_t bits = row[x / 64] >> (x % 64);
  if (x / 64 < (columns - 1) / 64)
    bits |= row[x / 64 + 1] << 1 << (63 - x % 64);
  return x + 64 <= columns ? bits : bits | row[0] << (columns - x);
}

/* Bit i of out = bit (start + i) mod columns of the row, i < bits. */
static void
unroll_row (const vrg_lattice *fine, int64_t y, int64_t start, int64_t bits, uint64_t *out)
{
  const int64_t columns = fine->columns, shift = 64 % columns;
  const uint64_t *row = vrg_lattice_row (fine, y);
  for (int64_t w = 0, x = start; w < (bits + 63) / 64; w++)
    {
      out[w] = bits_from (row, columns, x);
      x += shift;
      x -= x < columns ? 0 : columns;
    }
}

/* field[x] += what row r of the filter sees in `spins`, for n block spins. */
static void
add_row_portable (vrg_block_filter *f, int64_t r, int64_t n)
{
  const int64_t b = f->b;
  for (int k = 0; k < f->nibbles; k++)
    {
      const int32_t *table = f->tables[r * f->nibbles + k];
      for (int64_t x = 0, i = 4 * k; x < n; x++, i += b)
        {
          uint16_t bits;
          memcpy (&bits, (const char *) f->spins + i / 8, sizeof bits);
          f->field[x] += table[bits >> (i % 8) & 15];
        }
    }
}

/* Sixteen block spins at a time: 24 bits of the row, those that spin x sees, move to number x, and a table of sixteen
 * is looked up by one permutation. b <= 32. */
AVX512 static void
add_row_avx512 (vrg_block_filter *f, int64_t r, int64_t n)
{
  const __m512i place = _mm512_mullo_epi32 (_mm512_set_epi32 (15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
                                            _mm512_set1_epi32 (f->b));
  const __m512i shift = _mm512_and_si512 (place, _mm512_set1_epi32 (7));
  const __m512i bytes = _mm512_add_epi8 (
    _mm512_mullo_epi32 (_mm512_srli_epi32 (place, 3), _mm512_set1_epi32 (0x01010101)), _mm512_set1_epi32 (0x03020100));
  const int32_t (*tables)[16] = (const int32_t (*)[16]) f->tables + r * f->nibbles;
  for (int64_t x = 0; x < n; x += 16)
    {
      __m512i field = _mm512_loadu_si512 (f->field + x);
      for (int k = 0; k < f->nibbles;)
        {
          const char *from = (const char *) f->spins + x * f->b / 8 + k / 2;
          __m512i bits = _mm512_srlv_epi32 (_mm512_permutexvar_epi8 (bytes, _mm512_loadu_si512 (from)), shift);
          for (int end = k + 6 < f->nibbles ? k + 6 : f->nibbles; k < end; k++)
            {
              field = _mm512_add_epi32 (field, _mm512_permutexvar_epi32 (bits, _mm512_loadu_si512 (tables[k])));
              bits = _mm512_srli_epi32 (bits, 4);
            }
        }
      _mm512_storeu_si512 (f->field + x, field);
    }
}

/* The fields of block spins [x0, x0 + n) of row y of coarse. */
static void
find_fields (const vrg_lattice *fine, const vrg_lattice *coarse, vrg_block_filter *f, int64_t y, int64_t x0, int64_t n)
{
  const int64_t b = f->b, before = (f->size - f->b) / 2, bits = n * b + 4 * f->nibbles;
  const bool wide = vrg_simd () == VRG_SIMD_AVX512 && b <= 32;
  const int64_t left = modulo (x0 * b - before, fine->columns);
  const int64_t height = fine->dimension == 3 ? fine->plane : fine->rows, depth = fine->rows / height;
  const int64_t z = y / (coarse->dimension == 3 ? coarse->plane : coarse->rows), top = y - z * (height / b);
  memset (f->field, 0, (size_t) n * sizeof f->field[0]);
  for (int64_t r = 0; r < f->rows; r++)
    {
      if (f->empty[r])
        continue;
      const int64_t row = fine->dimension == 1 ? 0 : modulo (top * b + r % f->size - before, height),
                    layer = fine->dimension < 3 ? 0 : modulo (z * b + r / f->size - before, depth);
      unroll_row (fine, layer * height + row, left, bits, f->spins);
      if (wide)
        add_row_avx512 (f, r, n);
      else
        add_row_portable (f, r, n);
    }
}

typedef uint32_t number __attribute__ ((may_alias)); /* two in a word of random bits, the low one first */

/* Bit x of out: is numbers[x] below the probability of a spin + in field[x]? */
static void
draw_portable (const int32_t *field, const number *numbers, int64_t n, uint64_t *out)
{
  for (int64_t x = 0; x < n; x++)
    out[x / 64] |= (uint64_t) (numbers[x] < vrg_probability (field[x])) << (x % 64);
}

/* vrg_probability of sixteen fields, as base/math.c has it; the product of 64 bits in even and odd halves. */
AVX512 static void
draw_avx512 (const int32_t *field, const number *numbers, int64_t n, uint64_t *out)
{
  const uint32_t *table = vrg_probability_table ();
  const int bits = VRG_FIXED_BITS - 8;
  for (int64_t x = 0; x < n; x += 16)
    {
      const __m512i value = _mm512_loadu_si512 (field + x), size = _mm512_abs_epi32 (value), zero = { 0 };
      const __m512i row = _mm512_srli_epi32 (size, bits), last = _mm512_set1_epi32 (VRG_PROBABILITY_ROWS - 1),
                    fraction = _mm512_and_si512 (size, _mm512_set1_epi32 ((1 << bits) - 1)),
                    inside = _mm512_min_epu32 (row, last);
      const __m512i low = _mm512_i32gather_epi32 (inside, table, 4),
                    rise = _mm512_sub_epi32 (_mm512_i32gather_epi32 (inside, table + 1, 4), low);
      const __m512i even = _mm512_srli_epi64 (_mm512_mul_epu32 (rise, fraction), bits),
                    odd = _mm512_srli_epi64 (
                      _mm512_mul_epu32 (_mm512_srli_epi64 (rise, 32), _mm512_srli_epi64 (fraction, 32)), bits);
      __m512i p = _mm512_add_epi32 (low, _mm512_mask_blend_epi32 (0xaaaa, even, _mm512_slli_epi64 (odd, 32)));
      p = _mm512_mask_set1_epi32 (p, _mm512_cmpgt_epu32_mask (row, last), -1);
      p = _mm512_mask_sub_epi32 (p, _mm512_movepi32_mask (value), zero, p);
      uint64_t up = _mm512_cmplt_epu32_mask (_mm512_loadu_si512 (numbers + x), p);
      if (n - x < 16)
        up &= (UINT64_C (1) << (n - x)) - 1;
      out[x / 64] |= up << (x % 64);
    }
}

static void
signs (const int32_t *field, const uint64_t *coins, int64_t first, int64_t n, uint64_t *out)
{
  for (int64_t x = 0, i = first; x < n; x++, i++)
    out[x / 64] |= (field[x] != 0 ? field[x] > 0 : coins[i / 64] >> (i % 64) & 1) << (x % 64);
}

void
vrg_block_field (const vrg_lattice *fine, vrg_lattice *coarse, vrg_block_filter *f, bool by_sign, const vrg_rng *rng,
                 int64_t sample, int level)
{
  VRG_ASSERT (f->dimension == fine->dimension);
  check_sizes (fine, coarse, f->b);
  for (int64_t y = 0; y < coarse->rows; y++)
    for (int64_t x0 = 0; x0 < coarse->columns; x0 += SITES)
      {
        const int64_t n = x0 + SITES < coarse->columns ? SITES : coarse->columns - x0, site = y * coarse->columns + x0;
        uint64_t *out = vrg_lattice_row (coarse, y) + x0 / 64;
        find_fields (fine, coarse, f, y, x0, n);
        for (int64_t w = 0; w < (n + 63) / 64; w++)
          out[w] = 0;
        if (by_sign)
          {
            toss (rng, sample, level, site, site + n, f->random);
            signs (f->field, f->random, site % 128, n, out);
            continue;
          }
        vrg_rng_fill (rng, VRG_RNG_LEARNT, (uint64_t) site / 4, (site + n + 3) / 4 - site / 4, (uint64_t) sample,
                      (uint32_t) level, f->random);
        const number *numbers = (const number *) f->random + site % 4;
        if (vrg_simd () == VRG_SIMD_AVX512)
          draw_avx512 (f->field, numbers, n, out);
        else
          draw_portable (f->field, numbers, n, out);
      }
}
