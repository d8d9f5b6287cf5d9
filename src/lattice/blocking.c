/* SPDX-License-Identifier: GPL-3.0-or-later
 * Block spins: majority by bit-sliced counting (b = 2) or bit counts, decimation, and a learnt filter by tables. */
#include "lattice/blocking.h"

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"

static void
check_sizes (const vrg_lattice *fine, const vrg_lattice *coarse, int b)
{
  VRG_ASSERT (b > 0 && fine->rows == coarse->rows * b && fine->columns == coarse->columns * b);
  VRG_ASSERT (fine->row0 == 0 && fine->row1 == fine->rows && coarse->row0 == 0 && coarse->row1 == coarse->rows);
  (void) fine, (void) coarse, (void) b;
}

/* The even bits, packed into the low half. */
static inline uint64_t
even_bits (uint64_t x)
{
  x &= 0x5555555555555555;
  x = (x | x >> 1) & 0x3333333333333333;
  x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0f;
  x = (x | x >> 4) & 0x00ff00ff00ff00ff;
  x = (x | x >> 8) & 0x0000ffff0000ffff;
  return (x | x >> 16) & 0x00000000ffffffff;
}

/* b = 2: the four spins of a block are added bit by bit, the result stands at even bits. */
static void
votes_of_four (const vrg_lattice *fine, vrg_lattice *spins, vrg_lattice *ties)
{
  for (int64_t y = 0; y < spins->rows; y++)
    {
      const uint64_t *top = vrg_lattice_row (fine, 2 * y), *bottom = vrg_lattice_row (fine, 2 * y + 1);
      uint64_t *plus = vrg_lattice_row (spins, y), *tie = vrg_lattice_row (ties, y);
      for (int64_t w = 0; w < fine->words; w++)
        {
          uint64_t one = top[w] ^ bottom[w], two = top[w] & bottom[w]; /* a column's sum: one + 2 two */
          uint64_t odd = one ^ one >> 1, carry = one & one >> 1;
          uint64_t single = two ^ two >> 1, both = two & two >> 1;
          uint64_t p = even_bits (both | (single & odd)), t = even_bits (~odd & (single | carry));
          plus[w / 2] = w % 2 == 0 ? p : plus[w / 2] | p << 32;
          tie[w / 2] = w % 2 == 0 ? t : tie[w / 2] | t << 32;
        }
      tie[spins->words - 1] &= vrg_row_last_mask (spins->columns);
    }
}

void
vrg_block_votes (const vrg_lattice *fine, vrg_lattice *spins, vrg_lattice *ties, int b)
{
  check_sizes (fine, spins, b);
  check_sizes (fine, ties, b);
  if (b == 2)
    {
      votes_of_four (fine, spins, ties);
      return;
    }
  for (int64_t y = 0; y < spins->rows; y++)
    for (int64_t x = 0; x < spins->columns; x++)
      {
        int sum = 0;
        for (int64_t dy = 0; dy < b; dy++)
          for (int64_t dx = 0; dx < b; dx++)
            sum += vrg_lattice_get (fine, y * b + dy, x * b + dx);
        vrg_lattice_set (spins, y, x, sum > 0 ? 1 : -1);
        vrg_lattice_set (ties, y, x, sum == 0 ? 1 : -1);
      }
}

void
vrg_block_majority (const vrg_lattice *fine, vrg_lattice *coarse, int b, const vrg_rng *rng, int64_t sample, int level)
{
  vrg_lattice *ties = vrg_lattice_new (coarse->rows, coarse->columns, 0, coarse->rows);
  int64_t blocks = (coarse->rows * coarse->columns + 127) / 128;
  uint64_t *coins = vrg_new (2 * blocks + 1, sizeof (uint64_t), "coins of ties");
  vrg_block_votes (fine, coarse, ties, b);
  vrg_rng_fill (rng, VRG_RNG_TIE, 0, blocks, (uint64_t) sample, (uint32_t) level, coins);
  for (int64_t y = 0; y < coarse->rows; y++)
    for (int64_t w = 0; w < coarse->words; w++)
      {
        int64_t site = y * coarse->columns + 64 * w;
        uint64_t coin = coins[site / 64] >> (site % 64);
        if (site % 64)
          coin |= coins[site / 64 + 1] << (64 - site % 64);
        vrg_lattice_row (coarse, y)[w] |= vrg_lattice_row (ties, y)[w] & coin;
      }
  vrg_free (coins);
  vrg_lattice_free (ties);
}

void
vrg_block_decimation (const vrg_lattice *fine, vrg_lattice *coarse, int b)
{
  check_sizes (fine, coarse, b);
  for (int64_t y = 0; y < coarse->rows; y++)
    {
      const uint64_t *in = vrg_lattice_row (fine, y * b);
      uint64_t *out = vrg_lattice_row (coarse, y);
      if (b == 2)
        for (int64_t w = 0; w < fine->words; w++)
          out[w / 2] = w % 2 == 0 ? even_bits (in[w]) : out[w / 2] | even_bits (in[w]) << 32;
      else
        for (int64_t x = 0; x < coarse->columns; x++)
          vrg_lattice_set (coarse, y, x, vrg_lattice_get (fine, y * b, x * b));
    }
}

/* Learnt rule.  A filter row is cut into nibbles; tables[(dy * nibbles + k) * 16 + bits] is its part of the field. */

static void
fill_tables (int size, int nibbles, const int32_t *filter, int32_t *tables)
{
  for (int dy = 0; dy < size; dy++)
    for (int k = 0; k < nibbles; k++, tables += 16)
      for (int bits = 0; bits < 16; bits++)
        {
          tables[bits] = 0;
          for (int i = 0; i < 4 && 4 * k + i < size; i++)
            tables[bits] += bits >> i & 1 ? filter[dy * size + 4 * k + i] : -filter[dy * size + 4 * k + i];
        }
}

/* Bit i of out = bit (start + i) mod columns of the row, i < bits; one more word follows. */
static void
unroll_row (const vrg_lattice *fine, int64_t y, int64_t start, int64_t bits, uint64_t *out)
{
  const uint64_t *row = vrg_lattice_row (fine, y);
  for (int64_t w = 0; w <= (bits + 63) / 64; w++)
    out[w] = 0;
  for (int64_t i = 0, x = start; i < bits;)
    {
      int64_t n = 64 - x % 64; /* bits left in the word, in the row, wanted, and that fit into the word of out */
      n = n < fine->columns - x ? n : fine->columns - x;
      n = n < bits - i ? n : bits - i;
      n = n < 64 - i % 64 ? n : 64 - i % 64;
      uint64_t piece = row[x / 64] >> (x % 64) & (n == 64 ? ~UINT64_C (0) : (UINT64_C (1) << n) - 1);
      out[i / 64] |= piece << (i % 64);
      i += n;
      x = x + n == fine->columns ? 0 : x + n;
    }
}

void
vrg_block_learnt (const vrg_lattice *fine, vrg_lattice *coarse, int b, int size, const int32_t *filter,
                  const vrg_rng *rng, int64_t sample, int level)
{
  check_sizes (fine, coarse, b);
  int nibbles = (size + 3) / 4;
  int64_t bits = fine->columns + 4 * nibbles, words = (bits + 63) / 64 + 1;
  int64_t before = (size - b) / 2, columns = coarse->columns;
  int64_t left = ((-before) % fine->columns + fine->columns) % fine->columns;
  int32_t *tables = vrg_new (16 * size * nibbles, sizeof (int32_t), "filter tables");
  uint64_t *unrolled = vrg_new (words, sizeof (uint64_t), "a periodic row");
  int32_t *field = vrg_new (columns, sizeof (int32_t), "fields");
  uint64_t *random = vrg_new (2 * (columns / 4 + 2), sizeof (uint64_t), "random numbers");
  fill_tables (size, nibbles, filter, tables);
  for (int64_t y = 0; y < coarse->rows; y++)
    {
      for (int64_t x = 0; x < columns; x++)
        field[x] = 0;
      for (int dy = 0; dy < size; dy++)
        {
          int64_t row = (y * b + dy - before) % fine->rows;
          unroll_row (fine, row < 0 ? row + fine->rows : row, left, bits, unrolled);
          for (int k = 0; k < nibbles; k++)
            {
              const int32_t *table = tables + 16 * (dy * nibbles + k);
              for (int64_t x = 0; x < columns; x++)
                {
                  int64_t i = x * b + 4 * k;
                  uint64_t pair = unrolled[i / 64] >> (i % 64);
                  if (i % 64 > 60)
                    pair |= unrolled[i / 64 + 1] << (64 - i % 64);
                  field[x] += table[pair & 15];
                }
            }
        }
      int64_t site = y * columns, block = site / 4;
      vrg_rng_fill (rng, VRG_RNG_LEARNT, (uint64_t) block, (site + columns + 3) / 4 - block, (uint64_t) sample,
                    (uint32_t) level, random);
      uint64_t *out = vrg_lattice_row (coarse, y);
      for (int64_t w = 0; w < coarse->words; w++)
        out[w] = 0;
      for (int64_t x = 0; x < columns; x++)
        {
          int64_t i = site + x - 4 * block;
          uint32_t u = (uint32_t) (random[i / 2] >> (i % 2 * 32));
          out[x / 64] |= (uint64_t) (u < vrg_probability (field[x])) << (x % 64);
        }
    }
  vrg_free (random);
  vrg_free (field);
  vrg_free (unrolled);
  vrg_free (tables);
}
