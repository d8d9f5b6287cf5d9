/* SPDX-License-Identifier: GPL-3.0-or-later
 * Many small lattices, bit k of a vector being chain k: lanes, sites, and what is counted on them. */
#include "sample/multispin.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "lattice/lattice.h"
#include "sample/multispin_internal.h"
#include "sample/tempering.h"

#define WORD_BITS 64
#define PLANES 48 /* binary digits of a count */

#define INLINE static inline __attribute__ ((always_inline))

/* ---- lanes and sites ---- */

static int
word_sets (int n_nn)
{
  return WORD_BITS / n_nn;
}

int64_t
vrg_multispin_unit (int n_nn)
{
  return VRG_LANE_WORDS * word_sets (n_nn);
}

static int64_t
groups_of (const vrg_input *input, int64_t chains)
{
  const int64_t unit = vrg_multispin_unit (input->n_nn);
  return (chains + unit - 1) / unit;
}

static int64_t
sites_of (const vrg_input *input)
{
  int64_t sites = 1;
  for (int64_t i = 0; i < input->dimension; i++)
    sites *= input->size[i];
  return sites;
}

int64_t
vrg_multispin_bytes (const vrg_input *input, int64_t chain0, int64_t chain1)
{
  const int64_t neighbours = 2 * input->dimension * (int64_t) sizeof (uint32_t);
  return sites_of (input) * (groups_of (input, chain1 - chain0) * (int64_t) sizeof (vrg_lanes) + neighbours)
         + (int64_t) (sizeof (vrg_multispin) + sizeof (vrg_decide_lanes));
}

/** Place of column x of a row. */
static int64_t
place_of (const vrg_multispin *m, int64_t row, int64_t x)
{
  const int64_t colour = (row / m->plane + row % m->plane + x) % 2;
  return colour * m->half + row * (m->columns / 2) + x / 2;
}

static void
find_neighbours (vrg_multispin *m)
{
  const int64_t plane = m->plane, layers = m->rows / plane, columns = m->columns;
  for (int64_t row = 0; row < m->rows; row++)
    for (int64_t x = 0; x < columns; x++)
      {
        const int64_t z = row / plane, y = row % plane, first = z * plane;
        uint32_t *to = m->neighbour + place_of (m, row, x) * 2 * m->dimension;
        *to++ = (uint32_t) place_of (m, row, (x + columns - 1) % columns);
        *to++ = (uint32_t) place_of (m, row, (x + 1) % columns);
        if (m->dimension == 3)
          {
            *to++ = (uint32_t) place_of (m, first + (y + plane - 1) % plane, x);
            *to++ = (uint32_t) place_of (m, first + (y + 1) % plane, x);
          }
        if (m->dimension > 1)
          {
            *to++ = (uint32_t) place_of (m, (z + layers - 1) % layers * plane + y, x);
            *to++ = (uint32_t) place_of (m, (z + 1) % layers * plane + y, x);
          }
      }
}

/** Metropolis accepts a flip that u < d of the 2 d bonds resist with exp (-4 |K| (d - u)); heat bath aligns a spin with
 *  the minority of u < d neighbours with 1 / (1 + exp (4 |K| (d - u))).  Here resist = d - u. */
static double
probability (bool heat_bath, double nn, int resist)
{
  const double x = vrg_exp (-4 * fabs (nn) * resist);
  return heat_bath ? x / (1 + x) : x;
}

/** Couplings in ascending order, and their thresholds.  A threshold of 2^32, which only |K| < 1e-10 has, becomes
 *  2^32 - 1: its 33rd digit has no plane. */
static void
set_couplings (vrg_multispin *m, const vrg_input *input)
{
  for (int e = 0; e < input->n_nn; e++)
    {
      int at = e;
      for (; at > 0 && m->nn[at - 1] > input->nn[e]; at--)
        {
          m->nn[at] = m->nn[at - 1];
          m->ensemble[at] = m->ensemble[at - 1];
        }
      m->nn[at] = input->nn[e];
      m->ensemble[at] = e;
    }
  for (int lane = 0; lane < VRG_LANES; lane++)
    {
      const int bit = lane % WORD_BITS;
      const double nn = m->nn[bit % m->n_nn];
      if (bit >= m->word_sets * m->n_nn)
        continue; /* threshold 0 */
      m->against |= (uint64_t) (nn < 0) << bit;
      for (int u = 0; u < m->dimension; u++)
        {
          const uint64_t threshold = vrg_rng_threshold (probability (m->heat_bath, nn, m->dimension - u));
          vrg_decide_lanes_set (m->thresholds, u, lane, (uint32_t) (threshold - (threshold >> 32)));
        }
    }
}

vrg_multispin *
vrg_multispin_new (const vrg_input *input, int64_t chain0, int64_t chain1)
{
  vrg_multispin *m = vrg_new (1, sizeof *m, "chains");
  m->dimension = (int) input->dimension;
  m->heat_bath = input->algorithm == VRG_HEATBATH;
  m->tempering = input->algorithm == VRG_TEMPERING;
  m->seed = (uint64_t) input->seed;
  vrg_lattice_flat (m->dimension, input->size, &m->rows, &m->columns, &m->plane);
  m->words = (m->columns + WORD_BITS - 1) / WORD_BITS;
  m->sites = sites_of (input);
  m->half = m->sites / 2;
  m->n_nn = input->n_nn;
  m->word_sets = word_sets (input->n_nn);
  m->unit = vrg_multispin_unit (input->n_nn);
  m->chain0 = chain0;
  m->chains = chain1 - chain0;
  m->groups = groups_of (input, m->chains);
  VRG_ASSERT (chain0 % m->unit == 0 && m->n_nn <= WORD_BITS && m->sites <= UINT32_MAX);
  for (int i = 0; i < m->dimension; i++)
    VRG_ASSERT (input->size[i] % 2 == 0);
  m->neighbour = vrg_new (m->sites * 2 * m->dimension, sizeof *m->neighbour, "neighbours");
  m->thresholds = vrg_new (1, sizeof *m->thresholds, "thresholds");
  m->spins = vrg_new (m->groups * m->sites, sizeof *m->spins, "spins");
  find_neighbours (m);
  set_couplings (m, input);
  return m;
}

void
vrg_multispin_free (vrg_multispin *multispin)
{
  if (multispin)
    {
      vrg_free (multispin->neighbour);
      vrg_free (multispin->thresholds);
      vrg_free (multispin->spins);
    }
  vrg_free (multispin);
}

/* ---- updates ---- */

void
vrg_multispin_key (const vrg_multispin *m, int64_t group, vrg_rng *rng)
{
  vrg_rng_init (rng, m->seed, 0, (uint32_t) (m->chain0 / m->unit + group));
}

void
vrg_multispin_start (vrg_multispin *multispin)
{
  for (int64_t g = 0; g < multispin->groups; g++)
    {
      vrg_rng rng;
      vrg_multispin_key (multispin, g, &rng);
      vrg_rng_fill (&rng, VRG_RNG_CHAINS_START, 0, 4 * multispin->sites, 0, 0,
                    (uint64_t *) (multispin->spins + g * multispin->sites));
    }
}

void
vrg_multispin_sweep (vrg_multispin *multispin, uint64_t sweep)
{
  for (int64_t g = 0; g < multispin->groups; g++)
    {
      vrg_rng rng;
      vrg_multispin_key (multispin, g, &rng);
      for (int colour = 0; colour < 2; colour++)
        vrg_multispin_update (multispin, g, &rng, sweep, colour);
      if (multispin->tempering)
        vrg_tempering_swap (multispin, g, &rng, sweep);
    }
}

/* ---- counts ---- */

/** Bit-vectors to count: spins[i], or, of a lattice of `dimension` > 0, spins[i / (2 d)] ^ spins[neighbour[i]], whether
 *  neighbours differ. */
typedef struct
{
  const vrg_lanes *spins;
  const uint32_t *neighbour;
  int64_t n;
} bits;

/** The count of each lane as binary digits across lanes.  Bits go in 16 at a time through a tree of full adders, whose
 *  carry of weight 16 waits at its digit until another one comes, and so on (Harley and Seal). */
typedef struct
{
  vrg_lanes sum[PLANES], wait[PLANES];
  uint64_t blocks; /* of 16 bits: digit k + 4 holds a waiting carry if bit k is set */
} counter;

/** sum = sum + a + b modulo 2, and the carry. */
#define ADD(carry, sum, a, b)                                                                                          \
  do                                                                                                                   \
    {                                                                                                                  \
      const vrg_lanes a_ = (a), b_ = (b), half_ = a_ ^ b_;                                                             \
      carry = (a_ & b_) | (half_ & (sum));                                                                             \
      sum ^= half_;                                                                                                    \
    }                                                                                                                  \
  while (0)

/** Bits i to i + 2^k - 1, k = 1..4, through adders with the partial sums sum[0..k-1]; the carry of weight 2^k. */
INLINE void
add_2 (const bits *b, int dimension, int64_t i, vrg_lanes *sum, vrg_lanes *carry)
{
  vrg_lanes x[2];
  for (int64_t k = 0; k < 2; k++)
    {
      x[k] = b->spins[dimension > 0 ? (i + k) / (2 * dimension) : i + k];
      if (dimension > 0)
        x[k] ^= b->spins[b->neighbour[i + k]];
    }
  ADD (*carry, sum[0], x[0], x[1]);
}

#define ADD_TWICE(name, half, k)                                                                                       \
  INLINE void name (const bits *b, int dimension, int64_t i, vrg_lanes *sum, vrg_lanes *carry)                         \
  {                                                                                                                    \
    vrg_lanes x, y;                                                                                                    \
    half (b, dimension, i, sum, &x);                                                                                   \
    half (b, dimension, i + (1 << (k - 1)), sum, &y);                                                                  \
    ADD (*carry, sum[k - 1], x, y);                                                                                    \
  }
ADD_TWICE (add_4, add_2, 2)
ADD_TWICE (add_8, add_4, 3)
ADD_TWICE (add_16, add_8, 4)

/** A carry of weight 16. */
INLINE void
counter_take (counter *c, vrg_lanes *carry)
{
  int k = 4;
  for (uint64_t blocks = c->blocks++; blocks & 1; blocks >>= 1, k++)
    ADD (*carry, c->sum[k], *carry, c->wait[k]);
  c->wait[k] = *carry;
}

/** What waits is added too; returns the number of digits. */
INLINE int
counter_close (counter *c)
{
  const vrg_lanes none = { 0 };
  vrg_lanes carry = none;
  int k = 4;
  for (uint64_t blocks = c->blocks; blocks; blocks >>= 1, k++)
    ADD (carry, c->sum[k], blocks & 1 ? c->wait[k] : none, carry);
  c->sum[k] = carry;
  return k + 1;
}

/** The binary digits of all lanes as numbers. */
INLINE void
read_digits (const vrg_lanes *digit, int digits, int64_t value[VRG_LANES])
{
  const vrg_lanes none = { 0 }, lane = { 0, 1, 2, 3, 4, 5, 6, 7 };
  for (int w = 0; w < VRG_LANE_WORDS; w++)
    for (int i = 0; i < WORD_BITS; i += 8)
      {
        vrg_lanes sum = none;
        for (int k = 0; k < digits; k++)
          sum += ((none + digit[k][w]) >> (lane + (uint64_t) i) & 1) << k;
        memcpy (value + w * WORD_BITS + i, &sum, sizeof sum);
      }
}

INLINE void
count_lattice (const bits *b, int dimension, int64_t value[VRG_LANES])
{
  vrg_lanes sum[4] = { { 0 } }, carry;
  counter c;
  memset (&c, 0, sizeof c);
  int64_t i = 0;
  for (; i + 16 <= b->n; i += 16)
    {
      add_16 (b, dimension, i, sum, &carry);
      counter_take (&c, &carry);
    }
  memcpy (c.sum, sum, sizeof sum);
  for (; i < b->n; i += 2) /* sides are even, so bits come in pairs */
    {
      add_2 (b, dimension, i, c.sum, &carry);
      for (int k = 1; k < 4; k++)
        {
          const vrg_lanes next = c.sum[k] & carry;
          c.sum[k] ^= carry;
          carry = next;
        }
      counter_take (&c, &carry);
    }
  read_digits (c.sum, counter_close (&c), value);
}

INLINE void
count_body (const bits *b, int dimension, int64_t *value)
{
  if (dimension == 0)
    count_lattice (b, 0, value);
  else if (dimension == 1)
    count_lattice (b, 1, value);
  else if (dimension == 2)
    count_lattice (b, 2, value);
  else
    count_lattice (b, 3, value);
}
VRG_PATHS (count, (const bits *b, int dimension, int64_t *value), (b, dimension, value))

void
vrg_multispin_unsatisfied (const vrg_multispin *m, int64_t group, int64_t value[VRG_LANES])
{
  /* Every bond has one end of colour 0. */
  count (&(bits){ m->spins + group * m->sites, m->neighbour, m->half * 2 * m->dimension }, m->dimension, value);
}

/* ---- chains ---- */

int
vrg_multispin_lane (const vrg_multispin *m, int64_t set, int rank)
{
  return (int) (set / m->word_sets * WORD_BITS + set % m->word_sets * m->n_nn) + rank;
}

int64_t
vrg_multispin_sets (const vrg_multispin *m, int64_t group)
{
  const int64_t left = m->chains - group * m->unit;
  return left < m->unit ? left : m->unit;
}

void
vrg_multispin_observe (const vrg_multispin *multispin, int64_t *bonds, int64_t *magnetisation)
{
  const vrg_multispin *m = multispin;
  int64_t value[VRG_LANES];
  for (int64_t g = 0; g < m->groups; g++)
    for (int which = 0; which < 2; which++)
      {
        int64_t *out = which == 0 ? bonds : magnetisation;
        if (!out)
          continue;
        if (which == 0)
          vrg_multispin_unsatisfied (m, g, value);
        else
          count (&(bits){ m->spins + g * m->sites, NULL, m->sites }, 0, value);
        for (int64_t set = 0; set < vrg_multispin_sets (m, g); set++)
          for (int e = 0; e < m->n_nn; e++)
            {
              const int64_t count = value[vrg_multispin_lane (m, set, e)];
              out[m->ensemble[e] * m->chains + g * m->unit + set]
                = which == 0 ? m->dimension * m->sites - 2 * count : 2 * count - m->sites;
            }
      }
}

/** One word of some rows: a vector a column, or transposed.  The odd length keeps rows out of each other's cache sets. */
#define ROWS 4
typedef vrg_lanes rows_block[ROWS][WORD_BITS + 1];

/** Bit i of word q of vector k and bit k of word q of vector i change places. */
INLINE void
transpose_body (vrg_lanes block[WORD_BITS])
{
  uint64_t mask = UINT64_C (0x00000000ffffffff);
  for (int j = 32; j > 0; j >>= 1, mask ^= mask << j)
    for (int i = 0; i < WORD_BITS; i = (i + j + 1) & ~j)
      {
        const vrg_lanes t = (block[i] >> j ^ block[i + j]) & mask;
        block[i + j] ^= t;
        block[i] ^= t << j;
      }
}
VRG_PATHS (transpose, (vrg_lanes * block), (block))

/** Word `word` of n rows of every chain of a group, as [row][lane of the word][word of lanes], to packed spins or from
 *  them; by chains, since these are far apart. */
INLINE void
copy_words (const vrg_multispin *m, int64_t group, int64_t row, int64_t n, int64_t word, rows_block rows,
            uint64_t *packed, bool pack)
{
  const int64_t sets = vrg_multispin_sets (m, group), chain_words = m->rows * m->words;
  uint64_t *first = packed + group * m->unit * chain_words + row * m->words + word;
  for (int w = 0; w < VRG_LANE_WORDS; w++)
    for (int s = 0; s < m->word_sets && w * m->word_sets + s < sets; s++)
      for (int e = 0; e < m->n_nn; e++)
        {
          uint64_t *there = first + (m->ensemble[e] * m->chains + w * m->word_sets + s) * chain_words;
          const int lane = s * m->n_nn + e;
          for (int64_t r = 0; r < n; r++)
            if (pack)
              there[r * m->words] = rows[r][lane][w];
            else
              rows[r][lane][w] = there[r * m->words];
        }
}

/** The sites of one word of a row: a vector each in their places, or in the order of columns.  Returns how many. */
INLINE int
copy_sites (const vrg_multispin *m, int64_t group, int64_t row, int64_t word, vrg_lanes *block, bool pack)
{
  const int64_t x = word * WORD_BITS, left = m->columns - x;
  const int n = left < WORD_BITS ? (int) left : WORD_BITS;
  for (int parity = 0; parity < 2; parity++)
    {
      vrg_lanes *there = m->spins + group * m->sites + place_of (m, row, x + parity);
      for (int k = parity; k < n; k += 2)
        if (pack)
          block[k] = there[k / 2];
        else
          there[k / 2] = block[k];
    }
  return n;
}

void
vrg_multispin_pack (const vrg_multispin *multispin, uint64_t *packed)
{
  const vrg_multispin *m = multispin;
  rows_block rows;
  for (int64_t g = 0; g < m->groups; g++)
    for (int64_t row = 0; row < m->rows; row += ROWS)
      for (int64_t word = 0; word < m->words; word++)
        {
          const int64_t n = m->rows - row < ROWS ? m->rows - row : ROWS;
          for (int64_t r = 0; r < n; r++)
            {
              const int columns = copy_sites (m, g, row + r, word, rows[r], true);
              memset (rows[r] + columns, 0, (size_t) (WORD_BITS - columns) * sizeof **rows);
              transpose (rows[r]);
            }
          copy_words (m, g, row, n, word, rows, packed, true);
        }
}

void
vrg_multispin_unpack (vrg_multispin *multispin, const uint64_t *packed)
{
  const vrg_multispin *m = multispin;
  rows_block rows;
  memset (rows, 0, sizeof rows);
  for (int64_t g = 0; g < m->groups; g++)
    for (int64_t row = 0; row < m->rows; row += ROWS)
      for (int64_t word = 0; word < m->words; word++)
        {
          const int64_t n = m->rows - row < ROWS ? m->rows - row : ROWS;
          copy_words (m, g, row, n, word, rows, (uint64_t *) packed, false);
          for (int64_t r = 0; r < n; r++)
            {
              transpose (rows[r]);
              copy_sites (m, g, row + r, word, rows[r], false);
            }
        }
}
