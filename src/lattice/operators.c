/* SPDX-License-Identifier: GPL-3.0-or-later
 * Operator sums by XOR and popcount, local environments by bit-sliced counters.
 *
 * A band of rows is laid out as copies shifted by each column offset that occurs, with the rows above and below that
 * the row offsets reach.  Site x + (dy, dx) of a whole band is then one contiguous array. */
#include "lattice/operators.h"

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/simd.h"

#define ALWAYS static inline __attribute__ ((always_inline))

static const vrg_operator even_operators[] = {
  { "nn", 2, 2, { { { 0, 0 }, { 0, 1 } }, { { 0, 0 }, { 1, 0 } } } },
  { "nnn", 2, 2, { { { 0, 0 }, { 1, 1 } }, { { 0, 1 }, { 1, 0 } } } },
  { "plaquette", 4, 1, { { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } } } },
  { "third", 2, 2, { { { 0, 0 }, { 0, 2 } }, { { 0, 0 }, { 2, 0 } } } },
  { "knight",
    2,
    4,
    { { { 0, 0 }, { 1, 2 } }, { { 0, 0 }, { 2, 1 } }, { { 0, 2 }, { 1, 0 } }, { { 0, 1 }, { 2, 0 } } } },
  { "diamond", 4, 1, { { { 0, 1 }, { 1, 0 }, { 1, 2 }, { 2, 1 } } } },
  { "square2", 2, 2, { { { 0, 0 }, { 2, 2 } }, { { 0, 2 }, { 2, 0 } } } },
};

static const vrg_operator odd_operators[] = {
  { "spin", 1, 1, { { { 0, 0 } } } },
  { "corner",
    3,
    4,
    { { { 0, 0 }, { 0, 1 }, { 1, 0 } },
      { { 0, 0 }, { 0, 1 }, { 1, 1 } },
      { { 0, 0 }, { 1, 0 }, { 1, 1 } },
      { { 0, 1 }, { 1, 0 }, { 1, 1 } } } },
  { "line", 3, 2, { { { 0, 0 }, { 0, 1 }, { 0, 2 } }, { { 0, 0 }, { 1, 0 }, { 2, 0 } } } },
  { "diagonal", 3, 2, { { { 0, 0 }, { 1, 1 }, { 2, 2 } }, { { 0, 2 }, { 1, 1 }, { 2, 0 } } } },
};

const vrg_operator *
vrg_operator_even (int index)
{
  VRG_ASSERT (index >= 0 && index < (int) (sizeof even_operators / sizeof even_operators[0]));
  return &even_operators[index];
}

const vrg_operator *
vrg_operator_odd (int index)
{
  VRG_ASSERT (index >= 0 && index < (int) (sizeof odd_operators / sizeof odd_operators[0]));
  return &odd_operators[index];
}

/* Bands */

#define BAND_WORDS 128 /* planes of a band stay in the first-level cache */

struct band
{
  int low, high; /* row and column offsets that occur: -2..2 in the catalogue */
  int64_t words, rows;
  int64_t span; /* words from one shifted copy to the next */
  uint64_t *copies;
};

static void
band_new (struct band *band, const vrg_lattice *lattice, int n, const vrg_operator *const *operators, bool around)
{
  int reach = 0;
  for (int a = 0; a < n; a++)
    for (int i = 0; i < operators[a]->images; i++)
      for (int p = 0; p < operators[a]->sites; p++)
        for (int d = 0; d < 2; d++)
          if (operators[a]->offset[i][p][d] > reach)
            reach = operators[a]->offset[i][p][d];
  band->low = around ? -reach : 0;
  band->high = reach;
  band->words = lattice->words;
  band->rows = lattice->words < BAND_WORDS ? BAND_WORDS / lattice->words : 1;
  if (band->rows > lattice->rows)
    band->rows = lattice->rows;
  band->span = (band->rows + band->high - band->low) * band->words;
  band->copies = vrg_new (band->span * (band->high - band->low + 1), sizeof (uint64_t), "shifted rows");
}

/* Lay out rows first .. first + rows - 1, their surroundings and shifts. */
static void
band_fill (const struct band *band, const vrg_lattice *lattice, int64_t first, int64_t rows)
{
  int64_t columns = lattice->columns, words = band->words;
  uint64_t mask = vrg_row_last_mask (columns);
  for (int64_t y = 0; y < rows + band->high - band->low; y++)
    {
      int64_t row = (first + y + band->low) % lattice->rows;
      const uint64_t *in = vrg_lattice_row (lattice, row < 0 ? row + lattice->rows : row);
      for (int dx = band->low; dx <= band->high; dx++)
        {
          uint64_t *out = band->copies + (dx - band->low) * band->span + y * words;
          if (words > 1)
            vrg_row_shift (out, in, columns, dx);
          else
            {
              int64_t shift = ((dx % columns) + columns) % columns;
              out[0] = shift == 0 ? in[0] : (in[0] >> shift | in[0] << (columns - shift)) & mask;
            }
        }
    }
}

ALWAYS const uint64_t *
band_at (const struct band *band, int dy, int dx)
{
  return band->copies + (dx - band->low) * band->span + (dy - band->low) * band->words;
}

/* Sums */

ALWAYS int64_t
count_body (int64_t n, int sites, const uint64_t *const *in)
{
  int64_t count = 0;
  const uint64_t *a = in[0], *b = in[1], *c = in[2], *d = in[3];
  if (sites == 1)
    for (int64_t w = 0; w < n; w++)
      count += __builtin_popcountll (a[w]);
  else if (sites == 2)
    for (int64_t w = 0; w < n; w++)
      count += __builtin_popcountll (a[w] ^ b[w]);
  else if (sites == 3)
    for (int64_t w = 0; w < n; w++)
      count += __builtin_popcountll (a[w] ^ b[w] ^ c[w]);
  else
    for (int64_t w = 0; w < n; w++)
      count += __builtin_popcountll (a[w] ^ b[w] ^ c[w] ^ d[w]);
  return count;
}

/* Number of set bits in the products of one band, per operator. */
ALWAYS void
sums_body (const struct band *band, int64_t words, int n, const vrg_operator *const *operators, int64_t *bits)
{
  for (int a = 0; a < n; a++)
    for (int i = 0; i < operators[a]->images; i++)
      {
        const uint64_t *in[VRG_OPERATOR_SITES] = { 0 };
        for (int p = 0; p < operators[a]->sites; p++)
          in[p] = band_at (band, operators[a]->offset[i][p][0], operators[a]->offset[i][p][1]);
        bits[a] += count_body (words, operators[a]->sites, in);
      }
}

__attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,popcnt"))) static void
sums_avx512 (const struct band *band, int64_t words, int n, const vrg_operator *const *operators, int64_t *bits)
{
  sums_body (band, words, n, operators, bits);
}

__attribute__ ((target ("avx2,popcnt"))) static void
sums_avx2 (const struct band *band, int64_t words, int n, const vrg_operator *const *operators, int64_t *bits)
{
  sums_body (band, words, n, operators, bits);
}

static void
sums_portable (const struct band *band, int64_t words, int n, const vrg_operator *const *operators, int64_t *bits)
{
  sums_body (band, words, n, operators, bits);
}

void
vrg_operators_sum (const vrg_lattice *lattice, int n, const vrg_operator *const *operators, int64_t *sums)
{
  vrg_simd_path path = vrg_simd ();
  struct band band;
  band_new (&band, lattice, n, operators, false);
  for (int a = 0; a < n; a++)
    sums[a] = 0;
  for (int64_t y = 0; y < lattice->rows; y += band.rows)
    {
      int64_t rows = lattice->rows - y < band.rows ? lattice->rows - y : band.rows;
      band_fill (&band, lattice, y, rows);
      if (path == VRG_SIMD_AVX512)
        sums_avx512 (&band, rows * band.words, n, operators, sums);
      else if (path == VRG_SIMD_AVX2)
        sums_avx2 (&band, rows * band.words, n, operators, sums);
      else
        sums_portable (&band, rows * band.words, n, operators, sums);
    }
  /* A set bit is an odd number of + spins: product -1 of an even, +1 of an odd number of sites.  Unused bits are 0. */
  for (int a = 0; a < n; a++)
    {
      int64_t products = lattice->rows * lattice->columns * operators[a]->images;
      sums[a] = operators[a]->sites % 2 == 0 ? products - 2 * sums[a] : 2 * sums[a] - products;
    }
  vrg_free (band.copies);
}

/* Environments */

#define MAX_TERMS (VRG_OPERATOR_IMAGES * VRG_OPERATOR_SITES)
#define MAX_PLANES 64

/* One product through a site: the other sites, relative to it. */
struct term
{
  int others;
  int offset[VRG_OPERATOR_SITES - 1][2];
};

static bool
same_site (int64_t rows, int64_t columns, const int a[2], const int b[2])
{
  return (a[0] - b[0]) % rows == 0 && (a[1] - b[1]) % columns == 0;
}

/* The products through a site that contain it an odd number of times, each once. */
static int
list_terms (int64_t rows, int64_t columns, const vrg_operator *operator, struct term * terms)
{
  int n = 0;
  for (int i = 0; i < operator->images; i++)
    for (int p = 0; p < operator->sites; p++)
      {
        const int *here = operator->offset[i][p];
        int earlier = 0, times = 0;
        struct term new_term = { 0 };
        for (int q = 0; q < operator->sites; q++)
          {
            const int *there = operator->offset[i][q];
            if (same_site (rows, columns, here, there))
              {
                times++;
                earlier += q < p;
              }
            else
              {
                new_term.offset[new_term.others][0] = there[0] - here[0];
                new_term.offset[new_term.others++][1] = there[1] - here[1];
              }
          }
        if (earlier == 0 && times % 2 == 1)
          terms[n++] = new_term;
      }
  return n;
}

int64_t
vrg_operators_reach (int64_t rows, int64_t columns, int n, const vrg_operator *const *operators, int *reach)
{
  int64_t environments = 1;
  struct term terms[MAX_TERMS];
  for (int a = 0; a < n; a++)
    {
      reach[a] = list_terms (rows, columns, operators[a], terms);
      environments *= reach[a] + 1;
    }
  return environments;
}

/* planes[bits][words] as binary counters: add 1 where the product of the term, the site included, is +1. */
ALWAYS void
count_term (const struct band *band, int64_t words, const struct term *term, int bits, uint64_t *restrict planes,
            uint64_t *restrict carry)
{
  const uint64_t *s = band_at (band, 0, 0), *other[3] = { 0 };
  for (int q = 0; q < term->others; q++)
    other[q] = band_at (band, term->offset[q][0], term->offset[q][1]);
  if (term->others == 1)
    for (int64_t w = 0; w < words; w++)
      carry[w] = ~(s[w] ^ other[0][w]);
  else
    {
      VRG_ASSERT (term->others == 3);
      for (int64_t w = 0; w < words; w++)
        carry[w] = ~(s[w] ^ other[0][w] ^ other[1][w] ^ other[2][w]);
    }
  for (int i = 0; i < bits; i++)
    {
      uint64_t *plane = planes + i * words;
      for (int64_t w = 0; w < words; w++)
        {
          uint64_t both = plane[w] & carry[w];
          plane[w] ^= carry[w];
          carry[w] = both;
        }
    }
}

/* 8 planes: bit i of plane j of word w becomes bit j of byte i / 8 of plane i % 8: the 8 bits of a site make a byte. */
ALWAYS void
gather_bytes (int64_t words, uint64_t *restrict planes)
{
  static const uint64_t masks[3] = { 0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f };
  for (int stage = 0; stage < 3; stage++)
    for (int j = 0; j < 8; j++)
      if ((j >> stage & 1) == 0)
        {
          uint64_t *restrict a = planes + j * words, *restrict b = planes + (j + (1 << stage)) * words;
          uint64_t mask = masks[stage];
          int shift = 1 << stage;
          for (int64_t w = 0; w < words; w++)
            {
              uint64_t t = (a[w] >> shift ^ b[w]) & mask;
              b[w] ^= t;
              a[w] ^= t << shift;
            }
        }
}

struct plan
{
  int n, planes, groups;
  int terms[32], bits[32];
  struct term term[32][MAX_TERMS];
  uint32_t key[MAX_PLANES / 8][256]; /* what a byte of the counters adds to the environment */
};

ALWAYS void
planes_body (const struct plan *plan, const struct band *band, int64_t words, uint64_t *planes)
{
  uint64_t *carry = planes + 8 * plan->groups * words, *plane = planes;
  for (int64_t w = 0; w < 8 * plan->groups * words; w++)
    planes[w] = 0;
  for (int a = 0; a < plan->n; a++)
    {
      for (int i = 0; i < plan->terms[a]; i++)
        count_term (band, words, &plan->term[a][i], plan->bits[a], plane, carry);
      plane += plan->bits[a] * words;
    }
  for (int g = 0; g < plan->groups; g++)
    gather_bytes (words, planes + 8 * g * words);
}

__attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl"))) static void
planes_avx512 (const struct plan *plan, const struct band *band, int64_t words, uint64_t *planes)
{
  planes_body (plan, band, words, planes);
}

__attribute__ ((target ("avx2"))) static void
planes_avx2 (const struct plan *plan, const struct band *band, int64_t words, uint64_t *planes)
{
  planes_body (plan, band, words, planes);
}

static void
planes_portable (const struct plan *plan, const struct band *band, int64_t words, uint64_t *planes)
{
  planes_body (plan, band, words, planes);
}

/* Count the environments of the first `bits` sites of word w. */
ALWAYS void
count_word (const struct plan *plan, int groups, int64_t words, int64_t w, int64_t bits, const uint64_t *planes,
            int64_t *counts)
{
  for (int j = 0; j < 8; j++)
    {
      uint64_t bytes[MAX_PLANES / 8];
      for (int g = 0; g < groups; g++)
        bytes[g] = planes[(8 * g + j) * words + w];
      for (int64_t site = j; site < bits; site += 8)
        {
          uint32_t key = 0;
          for (int g = 0; g < groups; g++)
            {
              key += plan->key[g][bytes[g] & 255];
              bytes[g] >>= 8;
            }
          counts[key]++;
        }
    }
}

static void
plan_init (struct plan *plan, int64_t rows, int64_t columns, int n, const vrg_operator *const *operators)
{
  uint32_t weight[MAX_PLANES] = { 0 };
  int64_t stride = 1;
  VRG_ASSERT (n <= 32);
  plan->n = n;
  plan->planes = 0;
  for (int a = 0; a < n; a++)
    {
      VRG_ASSERT (operators[a]->sites % 2 == 0);
      plan->terms[a] = list_terms (rows, columns, operators[a], plan->term[a]);
      plan->bits[a] = 0;
      while (plan->terms[a] >> plan->bits[a])
        weight[plan->planes++] = (uint32_t) (stride << plan->bits[a]++);
      stride *= plan->terms[a] + 1;
      VRG_ASSERT (plan->planes < MAX_PLANES - 6 && stride < INT32_MAX);
    }
  plan->groups = (plan->planes + 7) / 8;
  for (int g = 0; g < plan->groups; g++)
    {
      plan->key[g][0] = 0;
      for (int byte = 1; byte < 256; byte++)
        plan->key[g][byte] = plan->key[g][byte & (byte - 1)] + weight[8 * g + __builtin_ctz ((unsigned) byte)];
    }
}

void
vrg_operators_environments (const vrg_lattice *lattice, int n, const vrg_operator *const *operators, int64_t *counts)
{
  vrg_simd_path path = vrg_simd ();
  struct band band;
  struct plan plan;
  plan_init (&plan, lattice->rows, lattice->columns, n, operators);
  band_new (&band, lattice, n, operators, true);
  uint64_t *planes = vrg_new ((8 * plan.groups + 1) * band.rows * band.words, sizeof (uint64_t), "bit planes");
  for (int64_t y = 0; y < lattice->rows; y += band.rows)
    {
      int64_t rows = lattice->rows - y < band.rows ? lattice->rows - y : band.rows, words = rows * band.words;
      band_fill (&band, lattice, y, rows);
      if (path == VRG_SIMD_AVX512)
        planes_avx512 (&plan, &band, words, planes);
      else if (path == VRG_SIMD_AVX2)
        planes_avx2 (&plan, &band, words, planes);
      else
        planes_portable (&plan, &band, words, planes);
      for (int64_t w = 0; w < words; w++)
        {
          int64_t bits = lattice->columns - w % band.words * 64;
          bits = bits < 64 ? bits : 64;
          if (plan.groups == 3)
            count_word (&plan, 3, words, w, bits, planes, counts);
          else
            count_word (&plan, plan.groups, words, w, bits, planes, counts);
        }
    }
  vrg_free (planes);
  vrg_free (band.copies);
}
