/* SPDX-License-Identifier: GPL-3.0-or-later
 * Metropolis and heat bath on colour-split half rows. */
#include "sample/metropolis.h"

#include <math.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/simd.h"
#include "lattice/halo.h"
#include "sample/decide_avx512.h"

#define BAND 8 /* rows that are whole vectors, any number of columns */
#define MAX_BAND 64
#define UNIT 64       /* rows of narrow lattices dealt with at a time */
#define AHEAD 512     /* words that are fetched ahead */
#define TEST_EVERY 16 /* units between calls that let messages move */
static const uint64_t even_bits = UINT64_C (0x5555555555555555);

struct vrg_metropolis
{
  int64_t rows, row0, row1;
  int64_t band;         /* rows whose vectors are decided together, or of a whole number of vectors */
  int64_t unit;         /* rows dealt with at a time, some bands */
  int64_t bits, words;  /* of a half row */
  int64_t begin, end;   /* global words of the strip */
  int64_t base;         /* global word at index 0 of a colour, a multiple of 8 */
  int64_t colour_words; /* of a colour's array, a multiple of 8 */
  uint32_t threshold[2];
  uint64_t against; /* all ones where K < 0: a bond of equal spins is the unsatisfied one */
  bool heat_bath, merged;
  bool whole;      /* rows of whole vectors */
  bool always[2];  /* a threshold of 2^32 */
  uint64_t *valid; /* [unit][words] bits in use, NULL for rows of whole vectors */
  uint64_t *side;  /* [unit][words] the neighbours in the row itself */
  uint8_t *odd;    /* of each vector of a unit, bit i: word i is of an odd row */
};

/** A colour under way. */
typedef struct
{
  const vrg_metropolis *m;
  const vrg_rng *rng;
  vrg_decide decide;
  vrg_decide512 *fused;
  int colour;
  uint64_t *own; /* indexed by global words */
  const uint64_t *other;
  const uint64_t *side, *valid;
} colour_update;

int
vrg_metropolis_band (int64_t columns)
{
  const int64_t words = (columns / 2 + 63) / 64;
  if (words == 1)
    return 1;
  int band = BAND;
  /* A lattice with fewer than 8 words in a row is small: rather more strips than full groups. */
  for (; words > 8 && band < MAX_BAND; band *= 2)
    {
      const int64_t vectors = band / BAND * words, groups = (vectors + VRG_DECIDE_GROUP - 1) / VRG_DECIDE_GROUP;
      if (2 * vectors >= (2 * VRG_DECIDE_GROUP - 3) * groups)
        break;
    }
  return band;
}

static int64_t
round_down (int64_t words)
{
  return words & ~INT64_C (7);
}

vrg_metropolis *
vrg_metropolis_new (const vrg_lattice *shape, double nn, bool heat_bath)
{
  VRG_ASSERT (shape->dimension == 2 && shape->rows % 2 == 0 && shape->columns % 2 == 0 && shape->rows >= 4
              && shape->columns >= 4);
  vrg_metropolis *m = vrg_new (1, sizeof *m, "Metropolis");
  m->rows = shape->rows;
  m->row0 = shape->row0;
  m->row1 = shape->row1;
  m->bits = shape->columns / 2;
  m->words = (m->bits + 63) / 64;
  m->begin = m->row0 * m->words;
  m->end = m->row1 * m->words;
  m->base = round_down (m->begin - m->words) - 8;
  m->colour_words = round_down (m->end + m->words - m->base + 23);
  const int band = vrg_metropolis_band (shape->columns);
  VRG_ASSERT (m->row0 % band == 0 && (m->row1 % band == 0 || m->row1 == m->rows));
  m->merged = band > 1;
  m->band = m->merged ? band : BAND;
  m->whole = m->bits % 512 == 0;
  m->heat_bath = heat_bath;
  m->against = nn < 0 ? ~UINT64_C (0) : 0;
  for (int k = 0; k < 2; k++)
    {
      double x = (k ? 4 : 8) * fabs (nn);
      uint64_t threshold = vrg_rng_threshold (heat_bath ? 1 / (1 + vrg_exp (x)) : vrg_exp (-x));
      m->always[k] = threshold >> 32;
      m->threshold[k] = (uint32_t) threshold;
    }
  m->unit = m->words <= 8 ? UNIT : m->band;
  const int64_t unit_words = m->unit * m->words;
  m->side = vrg_new (unit_words, sizeof *m->side, "Metropolis buffer");
  if (!m->whole)
    {
      m->valid = vrg_new (unit_words, sizeof *m->valid, "Metropolis buffer");
      m->odd = vrg_new (unit_words / 8, sizeof *m->odd, "Metropolis buffer");
      for (int64_t w = 0; w < unit_words; w++)
        {
          m->valid[w] = w % m->words == m->words - 1 ? vrg_row_last_mask (m->bits) : ~UINT64_C (0);
          m->odd[w / 8] = (uint8_t) (m->odd[w / 8] | (w / m->words % 2) << w % 8);
        }
    }
  return m;
}

void
vrg_metropolis_free (vrg_metropolis *metropolis)
{
  if (metropolis)
    {
      vrg_free (metropolis->valid);
      vrg_free (metropolis->odd);
      vrg_free (metropolis->side);
    }
  vrg_free (metropolis);
}

int64_t
vrg_metropolis_words (const vrg_metropolis *metropolis)
{
  return 2 * metropolis->colour_words;
}

/** Bits 0, 2, 4, ... of a word as its low half, and back. */
static inline uint64_t
gather_even (uint64_t x)
{
  x &= even_bits;
  x = (x | x >> 1) & UINT64_C (0x3333333333333333);
  x = (x | x >> 2) & UINT64_C (0x0f0f0f0f0f0f0f0f);
  x = (x | x >> 4) & UINT64_C (0x00ff00ff00ff00ff);
  x = (x | x >> 8) & UINT64_C (0x0000ffff0000ffff);
  return (x | x >> 16) & UINT64_C (0x00000000ffffffff);
}

static inline uint64_t
scatter_even (uint64_t x)
{
  x &= UINT64_C (0x00000000ffffffff);
  x = (x | x << 16) & UINT64_C (0x0000ffff0000ffff);
  x = (x | x << 8) & UINT64_C (0x00ff00ff00ff00ff);
  x = (x | x << 4) & UINT64_C (0x0f0f0f0f0f0f0f0f);
  x = (x | x << 2) & UINT64_C (0x3333333333333333);
  return (x | x << 1) & even_bits;
}

/** Own row y (global) of a colour. */
static inline int64_t
row_index (const vrg_metropolis *m, int colour, int64_t y)
{
  return colour * m->colour_words + y * m->words - m->base;
}

void
vrg_metropolis_load (const vrg_metropolis *m, const vrg_lattice *from, uint64_t *state)
{
  for (int64_t y = m->row0; y < m->row1; y++)
    {
      const uint64_t *row = vrg_lattice_row (from, y - m->row0);
      for (int colour = 0; colour < 2; colour++)
        {
          int parity = (y + colour) & 1;
          uint64_t *half = state + row_index (m, colour, y);
          for (int64_t w = 0; w < m->words; w++)
            {
              uint64_t high = 2 * w + 1 < from->words ? row[2 * w + 1] : 0;
              half[w] = gather_even (row[2 * w] >> parity) | gather_even (high >> parity) << 32;
            }
        }
    }
}

void
vrg_metropolis_store (const vrg_metropolis *m, const uint64_t *state, vrg_lattice *to)
{
  for (int64_t y = m->row0; y < m->row1; y++)
    {
      uint64_t *row = vrg_lattice_row (to, y - m->row0);
      const uint64_t *even = state + row_index (m, y & 1, y), *odd = state + row_index (m, !(y & 1), y);
      for (int64_t w = 0; w < to->words; w++)
        row[w] = scatter_even (even[w / 2] >> 32 * (w % 2)) | scatter_even (odd[w / 2] >> 32 * (w % 2)) << 1;
    }
}

/** out = the bit after each of a half row (shift = 1), or the one before it (shift = 0), periodically. */
static inline __attribute__ ((always_inline)) void
side_body (const vrg_metropolis *m, const uint64_t *in, bool after, uint64_t *out)
{
  int64_t n = m->words - 1, last = (m->bits - 1) % 64;
  if (after)
    {
      for (int64_t w = 0; w < n; w++)
        out[w] = in[w] >> 1 | in[w + 1] << 63;
      out[n] = in[n] >> 1 | in[0] << last;
    }
  else
    {
      out[0] = in[0] << 1 | (in[n] >> last & 1);
      for (int64_t w = 1; w <= n; w++)
        out[w] = in[w] << 1 | in[w - 1] >> 63;
    }
}

/** The side neighbours of rows [y0, y1) of `colour`. */
static inline __attribute__ ((always_inline)) void
sides_body (const colour_update *u, int64_t y0, int64_t y1)
{
  const vrg_metropolis *m = u->m;
  for (int64_t y = y0; y < y1; y++)
    side_body (m, u->other + y * m->words, (y + u->colour) & 1, m->side + (y & (m->unit - 1)) * m->words);
}

/** n vectors from `vector` on, by the general functions. */
static inline __attribute__ ((always_inline)) void
group_body (const colour_update *u, int64_t vector, int n)
{
  const vrg_metropolis *m = u->m;
  vrg_decide_group g;
  const int64_t first = 8 * vector, words = m->words;
  uint64_t *undecided = g.undecided[0], *one = g.select[0][0], *coin = g.coin[0], *accept = g.accept[0];
  uint64_t *turn = g.select[1][0]; /* to be flipped beforehand; there is no third class */
  const uint64_t *spins = u->own + first, *same = u->other + first, *above = same - words, *below = same + words,
                 *side = u->side + first, against = m->against;
  if (m->heat_bath)
    /* Of four neighbours: all equal is class 0, three class 1, two and two a coin. */
    for (int64_t i = 0; i < 8 * n; i++)
      {
        uint64_t majority = (above[i] & below[i]) | (same[i] & (above[i] | below[i])),
                 mixed = (above[i] ^ below[i]) | (above[i] ^ same[i]);
        turn[i] = spins[i] ^ against ^ majority;
        accept[i] = 0;
        undecided[i] = ~UINT64_C (0);
        one[i] = mixed ^ majority ^ side[i];
        coin[i] = mixed & (majority ^ side[i]);
      }
  else
    /* Unsatisfied bonds: two or more flip, one is class 1, none class 0. */
    for (int64_t i = 0; i < 8 * n; i++)
      {
        uint64_t majority = (above[i] & below[i]) | (same[i] & (above[i] | below[i])),
                 mixed = (above[i] ^ below[i]) | (above[i] ^ same[i]);
        uint64_t most = spins[i] ^ against ^ majority, lone = spins[i] ^ against ^ side[i];
        turn[i] = 0;
        accept[i] = most | (mixed & lone);
        undecided[i] = ~accept[i];
        one[i] = most | mixed | lone;
      }
  if (m->valid || first < m->begin || first + 8 * n > m->end)
    for (int64_t i = 0; i < 8 * n; i++)
      {
        uint64_t use = m->valid ? u->valid[first + i] : ~UINT64_C (0);
        use = first + i >= m->begin && first + i < m->end ? use : 0;
        undecided[i] &= use;
        accept[i] &= use;
        turn[i] &= use;
      }
  if (m->always[0] || m->always[1])
    for (int64_t i = 0; i < 8 * n; i++)
      {
        uint64_t sure = undecided[i] & ((m->always[0] ? ~one[i] : 0) | (m->always[1] ? one[i] : 0));
        accept[i] |= sure;
        undecided[i] &= ~sure;
      }
  vrg_decide_below (&u->decide, u->rng, (uint64_t) vector, n, &g);
  for (int64_t i = 0; i < 8 * n; i++)
    u->own[first + i] ^= accept[i] ^ turn[i];
}

/** The side neighbours of 8 words in a row of whole vectors: the bits after them, or before. */
VRG_AVX512_INLINE __m512i
side_512 (const uint64_t *at, __m512i same, int64_t words, int64_t place, bool after)
{
  if (after)
    {
      __m512i next = _mm512_loadu_si512 (at + 1);
      if (place + 8 == words)
        next = _mm512_mask_set1_epi64 (next, 0x80, (long long) at[8 - words]);
      return _mm512_shrdi_epi64 (same, next, 1);
    }
  __m512i before = _mm512_loadu_si512 (at - 1);
  if (place == 0)
    before = _mm512_mask_set1_epi64 (before, 1, (long long) at[words - 1]);
  return _mm512_shldi_epi64 (same, before, 1);
}

/** The same in registers. */
VRG_AVX512_INLINE void
group_512 (const colour_update *u, vrg_decide512 *c, int64_t vector, int n, bool heat_bath, bool clip, bool edge,
           bool whole)
{
  const vrg_metropolis *m = u->m;
  const int64_t words = m->words;
  int64_t row = 8 * vector / words, place = 8 * vector - row * words; /* for whole rows */
  const __m512i against = _mm512_set1_epi64 ((long long) m->against), zero = _mm512_setzero_si512 ();
  vrg_decide512_merged merged;
  vrg_decide512_group *group = vrg_decide512_enter (c, (uint64_t) vector, n, &merged);
#pragma GCC unroll 8
  for (int v = 0; v < n; v++)
    {
      const int64_t w = 8 * (vector + v);
      __m512i random[VRG_DECIDE_DENSE];
      _mm_prefetch (u->own + w + AHEAD, _MM_HINT_T0);
      _mm_prefetch (u->other + w + words + AHEAD, _MM_HINT_T0);
      vrg_decide512_next (c, &merged, v, n, random);
      __m512i spin = _mm512_loadu_si512 (u->own + w), above = _mm512_loadu_si512 (u->other + w - words),
              below = _mm512_loadu_si512 (u->other + w + words), same = _mm512_loadu_si512 (u->other + w),
              side = whole ? side_512 (u->other + w, same, words, place, (row + u->colour) & 1)
                           : _mm512_loadu_si512 (u->side + w),
              undecided, accept, one, coin = zero, use = zero;
      __m512i majority = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (VRG_T_C & (VRG_T_A | VRG_T_B)), above, below, same),
              mixed = VRG_TERNARY ((VRG_T_A ^ VRG_T_B) | (VRG_T_A ^ VRG_T_C), above, below, same),
              most = VRG_TERNARY (VRG_T_A ^ VRG_T_B ^ VRG_T_C, spin, against, majority);
      if (clip)
        {
          __mmask8 mine = 255;
          if (edge && w < m->begin)
            mine = (__mmask8) (mine << (m->begin - w));
          if (edge && w + 8 > m->end)
            mine = (__mmask8) (mine & 255 >> (w + 8 - m->end));
          use = edge ? _mm512_maskz_loadu_epi64 (mine, u->valid + w) : _mm512_loadu_si512 (u->valid + w);
        }
      if (heat_bath)
        {
          accept = zero;
          undecided = clip ? use : _mm512_set1_epi64 (-1);
          one = VRG_TERNARY (VRG_T_A ^ VRG_T_B ^ VRG_T_C, mixed, majority, side);
          coin = VRG_TERNARY (VRG_T_A & (VRG_T_B ^ VRG_T_C), mixed, majority, side);
          spin = clip ? VRG_TERNARY (VRG_T_A ^ (VRG_T_B & VRG_T_C), spin, most, use) : _mm512_xor_si512 (spin, most);
        }
      else
        {
          __m512i lone = VRG_TERNARY (VRG_T_A ^ VRG_T_B ^ VRG_T_C, spin, against, side);
          accept = VRG_TERNARY (VRG_T_A | (VRG_T_B & VRG_T_C), most, mixed, lone);
          one = VRG_TERNARY (VRG_T_A | VRG_T_B | VRG_T_C, most, mixed, lone);
          undecided = clip ? _mm512_andnot_si512 (accept, use) : _mm512_xor_si512 (accept, _mm512_set1_epi64 (-1));
          if (clip)
            accept = _mm512_and_si512 (accept, use);
        }
      vrg_decide512_dense (c, &merged, random, 2, heat_bath, one, zero, coin, &undecided, &accept);
      vrg_decide512_merge (&merged, group, 2, v, undecided, one, zero);
      _mm512_storeu_si512 (u->own + w, _mm512_xor_si512 (spin, accept));
      group->target[v] = u->own + w;
      place += 8;
      if (whole && place == words)
        {
          place = 0;
          row++;
        }
    }
  vrg_decide512_leave (c, 2, n, &merged);
}

static inline bool
crosses (int64_t vector, int64_t n)
{
  return vector >> VRG_DECIDE_STRETCH != (vector + n - 1) >> VRG_DECIDE_STRETCH;
}

typedef void group_function (const colour_update *u, int64_t vector, int n);
typedef void sides_function (const colour_update *u, int64_t y0, int64_t y1);

static void
group_portable (const colour_update *u, int64_t vector, int n)
{
  group_body (u, vector, n);
}

__attribute__ ((target ("avx2"))) static void
group_avx2 (const colour_update *u, int64_t vector, int n)
{
  group_body (u, vector, n);
}

VRG_AVX512 static void
group_avx512 (const colour_update *u, int64_t vector, int n)
{
  const vrg_metropolis *m = u->m;
  vrg_decide512 *c = u->fused;
  const bool full = n == VRG_DECIDE_GROUP;
  if (m->always[0] || m->always[1] || crosses (vector, n))
    group_avx2 (u, vector, n);
  else if (8 * vector < m->begin || 8 * (vector + n) > m->end)
    group_512 (u, c, vector, n, m->heat_bath, true, true, false);
  else if (!m->whole && full && m->heat_bath)
    group_512 (u, c, vector, VRG_DECIDE_GROUP, true, true, false, false);
  else if (!m->whole && full)
    group_512 (u, c, vector, VRG_DECIDE_GROUP, false, true, false, false);
  else if (!m->whole && n == 4 && !m->heat_bath)
    group_512 (u, c, vector, 4, false, true, false, false);
  else if (!m->whole)
    group_512 (u, c, vector, n, m->heat_bath, true, false, false);
  else if (full && m->heat_bath)
    group_512 (u, c, vector, VRG_DECIDE_GROUP, true, false, false, true);
  else if (full)
    group_512 (u, c, vector, VRG_DECIDE_GROUP, false, false, false, true);
  else
    group_512 (u, c, vector, n, m->heat_bath, false, false, true);
}

static void
sides_portable (const colour_update *u, int64_t y0, int64_t y1)
{
  sides_body (u, y0, y1);
}

__attribute__ ((target ("avx2"))) static void
sides_avx2 (const colour_update *u, int64_t y0, int64_t y1)
{
  sides_body (u, y0, y1);
}

/** Eight words at a time whatever the rows, then their ends. */
VRG_AVX512 static void
sides_avx512 (const colour_update *u, int64_t y0, int64_t y1)
{
  const vrg_metropolis *m = u->m;
  const int64_t words = m->words, n = words - 1, unit = y0 & -m->unit;
  const int last = (int) ((m->bits - 1) % 64);
  if (m->whole)
    {
      sides_body (u, y0, y1);
      return;
    }
  for (int64_t v = (y0 - unit) * words / 8; 8 * v < (y1 - unit) * words; v++)
    {
      const uint64_t *at = u->other + unit * words + 8 * v;
      const __mmask8 after = (__mmask8) (u->colour ? ~m->odd[v] : m->odd[v]);
      const __m512i same = _mm512_loadu_si512 (at);
      _mm512_storeu_si512 (m->side + 8 * v,
                           _mm512_mask_blend_epi64 (after, _mm512_shldi_epi64 (same, _mm512_loadu_si512 (at - 1), 1),
                                                    _mm512_shrdi_epi64 (same, _mm512_loadu_si512 (at + 1), 1)));
    }
  for (int64_t y = y0; y < y1; y++)
    {
      const uint64_t *in = u->other + y * words;
      uint64_t *out = m->side + (y - unit) * words;
      if ((y + u->colour) & 1)
        out[n] = in[n] >> 1 | in[0] << last;
      else
        out[0] = in[0] << 1 | (in[n] >> last & 1);
    }
}

typedef enum
{
  ALL,
  INTERIOR, /* groups that read no halo word */
  EDGES     /* the others */
} part;

static void
update_unit (colour_update *u, int64_t unit, part which)
{
  static sides_function *const sides[] = { sides_portable, sides_avx2, sides_avx512 };
  static group_function *const groups[] = { group_portable, group_avx2, group_avx512 };
  const vrg_metropolis *m = u->m;
  const int64_t words = m->words, first_row = unit * m->unit;
  const int64_t y0 = first_row > m->row0 ? first_row : m->row0,
                y1 = first_row + m->unit < m->row1 ? first_row + m->unit : m->row1;
  const bool inside = y0 > m->row0 && y1 < m->row1;
  if (which == EDGES && inside)
    return;
  if (!m->whole || vrg_simd () < VRG_SIMD_AVX512 || m->always[0] || m->always[1]
      || crosses (y0 * words / 8, (y1 - y0) * words / 8 + 1))
    sides[vrg_simd ()](u, y0, y1);
  u->side = m->side - first_row * words;
  u->valid = m->valid ? m->valid - first_row * words : NULL;
  for (int64_t y = y0 / m->band * m->band; y < y1; y += m->band)
    {
      const int64_t end = y + m->band < m->rows ? y + m->band : m->rows;
      const int64_t first = y * words / 8, vectors = ((end - y) * words + 7) / 8;
      const int64_t count = m->merged ? (vectors + 7) / 8 : vectors;
      for (int64_t g = 0; g < count; g++)
        {
          int64_t v0 = first + vectors * g / count, v1 = first + vectors * (g + 1) / count;
          if (8 * v1 <= m->begin || 8 * v0 >= m->end)
            continue;
          bool interior = inside || (8 * v0 - words >= m->begin && 8 * v1 + words <= m->end);
          if (which == ALL || interior == (which == INTERIOR))
            groups[vrg_simd ()](u, v0, (int) (v1 - v0));
        }
    }
}

/** Nothing waits any more. */
static void
finish (const colour_update *u)
{
  if (vrg_simd () == VRG_SIMD_AVX512)
    vrg_decide512_flush (u->fused);
}

void
vrg_metropolis_sweep (vrg_metropolis *m, MPI_Comm strip_comm, uint64_t *state, const vrg_rng *rng, uint64_t sweep)
{
  const int64_t bytes = m->words * (int64_t) sizeof *state;
  const int64_t unit0 = m->row0 / m->unit, unit1 = (m->row1 + m->unit - 1) / m->unit;
  vrg_decide512 fused;
  for (int colour = 0; colour < 2; colour++)
    {
      colour_update u = { .m = m,
                          .rng = rng,
                          .decide = { VRG_RNG_METROPOLIS,
                                      sweep,
                                      256 * (uint32_t) colour,
                                      2,
                                      m->heat_bath,
                                      { m->threshold[0], m->threshold[1] },
                                      NULL },
                          .fused = &fused,
                          .colour = colour,
                          .own = state + colour * m->colour_words - m->base };
      uint64_t *other = state + !colour * m->colour_words - m->base;
      uint64_t *top = other + m->begin, *end = other + m->end;
      u.other = other;
      if (vrg_simd () == VRG_SIMD_AVX512)
        vrg_decide512_init (&fused, &u.decide, rng);
      MPI_Request requests[VRG_HALO_REQUESTS];
      const int n = vrg_halo_begin (strip_comm, top, end - m->words, top - m->words, end, bytes, requests);
      if (n == 0)
        {
          for (int64_t unit = unit0; unit < unit1; unit++)
            update_unit (&u, unit, ALL);
          finish (&u);
          continue;
        }
      int done = 0;
      for (int64_t unit = unit0; unit < unit1; unit++)
        {
          update_unit (&u, unit, INTERIOR);
          if (!done && (unit - unit0) % TEST_EVERY == 0)
            VRG_MPI (MPI_Testall (n, requests, &done, MPI_STATUSES_IGNORE));
        }
      VRG_MPI (MPI_Waitall (n, requests, MPI_STATUSES_IGNORE));
      for (int64_t unit = unit0; unit < unit1; unit++)
        update_unit (&u, unit, EDGES);
      finish (&u);
    }
}
