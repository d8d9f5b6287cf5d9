/* SPDX-License-Identifier: GPL-3.0-or-later
 * Block rules against loops over spins; ties and learnt spins against their probabilities.
 * ranks: 1
 * The statistical checks use 5 sigma: false alarms below 1e-5 in all. */
#include <stdlib.h>

#include "base/math.h"
#include "lattice/blocking.h"
#include "tests/check.h"

static vrg_lattice *
random_lattice (int64_t rows, int64_t columns)
{
  vrg_lattice *lattice = vrg_lattice_new (rows, columns, 0, rows);
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < columns; x++)
      vrg_lattice_set (lattice, y, x, rand () % 2 ? 1 : -1);
  return lattice;
}

static int
block_sum (const vrg_lattice *fine, int b, int64_t y, int64_t x)
{
  int sum = 0;
  for (int dy = 0; dy < b; dy++)
    for (int dx = 0; dx < b; dx++)
      sum += vrg_lattice_get (fine, y * b + dy, x * b + dx);
  return sum;
}

static void
check_majority (int64_t rows, int64_t columns, int b)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 7, 0, 0);
  vrg_lattice *fine = random_lattice (rows * b, columns * b);
  vrg_lattice *coarse = vrg_lattice_new (rows, columns, 0, rows), *ties = vrg_lattice_new (rows, columns, 0, rows);
  int64_t n = (rows * columns + 127) / 128;
  uint64_t *coins = vrg_new (2 * n, sizeof *coins, "coins");
  bool majority = true, votes = true, decimation = true, padding = true;
  vrg_block_majority (fine, coarse, b, &rng, 12345, 3);
  for (int64_t i = 0; i < n; i++)
    vrg_rng_block (&rng, VRG_RNG_TIE, (uint64_t) i, 12345, 3, coins + 2 * i);
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < columns; x++)
      {
        int64_t i = y * columns + x;
        int sum = block_sum (fine, b, y, x), coin = (int) (coins[i / 64] >> (i % 64) & 1) * 2 - 1;
        majority = majority && vrg_lattice_get (coarse, y, x) == (sum > 0 ? 1 : sum < 0 ? -1 : coin);
      }
  for (int64_t y = 0; y < rows; y++)
    padding = padding && (vrg_lattice_row (coarse, y)[coarse->words - 1] & ~vrg_row_last_mask (columns)) == 0;
  vrg_block_votes (fine, coarse, ties, b);
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < columns; x++)
      {
        int sum = block_sum (fine, b, y, x);
        votes = votes && vrg_lattice_get (coarse, y, x) == (sum > 0 ? 1 : -1)
                && vrg_lattice_get (ties, y, x) == (sum == 0 ? 1 : -1);
      }
  vrg_block_decimation (fine, coarse, b);
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < columns; x++)
      decimation = decimation && vrg_lattice_get (coarse, y, x) == vrg_lattice_get (fine, y * b, x * b);
  check (majority && padding, "majority to %dx%d, b = %d", (int) rows, (int) columns, b);
  check (votes, "votes to %dx%d, b = %d", (int) rows, (int) columns, b);
  check (decimation, "decimation to %dx%d, b = %d", (int) rows, (int) columns, b);
  vrg_free (coins);
  vrg_lattice_free (ties);
  vrg_lattice_free (coarse);
  vrg_lattice_free (fine);
}

static void
check_learnt (int64_t rows, int64_t columns, int b, int size)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 8, 1, 0);
  vrg_lattice *fine = random_lattice (rows * b, columns * b), *coarse = vrg_lattice_new (rows, columns, 0, rows);
  int32_t filter[100];
  bool same = true;
  for (int i = 0; i < size * size; i++)
    filter[i] = rand () % (VRG_FIXED_ONE / 4) - VRG_FIXED_ONE / 16;
  vrg_block_learnt (fine, coarse, b, size, filter, &rng, 99, 2);
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < columns; x++)
      {
        int32_t field = 0;
        for (int dy = 0; dy < size; dy++)
          for (int dx = 0; dx < size; dx++)
            {
              int64_t row = (y * b + dy - (size - b) / 2 + 100 * fine->rows) % fine->rows;
              int64_t column = (x * b + dx - (size - b) / 2 + 100 * fine->columns) % fine->columns;
              field += filter[dy * size + dx] * vrg_lattice_get (fine, row, column);
            }
        int64_t i = y * columns + x;
        uint64_t random[2];
        vrg_rng_block (&rng, VRG_RNG_LEARNT, (uint64_t) i / 4, 99, 2, random);
        uint32_t u = (uint32_t) (random[i % 4 / 2] >> (i % 2 * 32));
        same = same && vrg_lattice_get (coarse, y, x) == (u < vrg_probability (field) ? 1 : -1);
      }
  check (same, "learnt %dx%d filter to %dx%d, b = %d", size, size, (int) rows, (int) columns, b);
  vrg_lattice_free (coarse);
  vrg_lattice_free (fine);
}

/* Blocks that are all ties: as many + as -, whatever the site, and neighbours independent. */
static void
check_ties_unbiased (void)
{
  enum
  {
    SIDE = 32,
    SAMPLES = 400
  };
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  vrg_lattice *fine = vrg_lattice_new (2 * SIDE, 2 * SIDE, 0, 2 * SIDE),
              *coarse = vrg_lattice_new (SIDE, SIDE, 0, SIDE);
  for (int64_t y = 0; y < 2 * SIDE; y++)
    for (int64_t x = 0; x < 2 * SIDE; x++)
      vrg_lattice_set (fine, y, x, (x + y) % 2 ? 1 : -1);
  double sum = 0, right = 0, next_sample = 0, worst = 0, by_site[SIDE][SIDE] = { { 0 } };
  int last[SIDE][SIDE] = { { 0 } };
  for (int sample = 0; sample < SAMPLES; sample++)
    {
      vrg_block_majority (fine, coarse, 2, &rng, sample, 1);
      for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
          {
            int s = vrg_lattice_get (coarse, y, x);
            sum += s;
            right += s * vrg_lattice_get (coarse, y, (x + 1) % SIDE);
            next_sample += s * last[y][x];
            last[y][x] = s;
            by_site[y][x] += s;
          }
    }
  for (int y = 0; y < SIDE; y++)
    for (int x = 0; x < SIDE; x++)
      worst = fmax (worst, fabs (by_site[y][x]));
  double sigma = sqrt ((double) SIDE * SIDE * SAMPLES);
  check (fabs (sum) < 5 * sigma, "ties: no bias");
  check (fabs (right) < 5 * sigma, "ties: neighbours independent");
  check (fabs (next_sample) < 5 * sigma, "ties: samples independent");
  check (worst < 6 * sqrt (SAMPLES), "ties: no biased site");
  vrg_lattice_free (coarse);
  vrg_lattice_free (fine);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  srand (3);
  static const int64_t sizes[][2]
    = { { 2, 2 }, { 4, 4 }, { 5, 7 }, { 8, 32 }, { 33, 31 }, { 32, 64 }, { 9, 65 }, { 3, 200 } };
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    for (int b = 2; b <= 4; b++)
      check_majority (sizes[i][0], sizes[i][1], b);
  for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
    {
      check_learnt (sizes[i][0], sizes[i][1], 2, 8);
      check_learnt (sizes[i][0], sizes[i][1], 2, 3);
      check_learnt (sizes[i][0], sizes[i][1], 3, 10);
      check_learnt (sizes[i][0], sizes[i][1], 2, 1);
    }
  check_ties_unbiased ();
  return check_end ();
}
