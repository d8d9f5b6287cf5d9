/* SPDX-License-Identifier: GPL-3.0-or-later
 * Block rules of one, two and three dimensions against loops over spins; ties and drawn spins against their
 * probabilities.
 * ranks: 1
 * The statistical checks use 5 sigma: false alarms below 1e-5 in all. */
#include <stdlib.h>

#include "base/math.h"
#include "base/simd.h"
#include "lattice/blocking.h"
#include "tests/check.h"

#define LARGEST_FILTER 1000 /* weights */

/* Sites by coordinates (z, y, x); sides that a dimension lacks are 1. */
typedef struct
{
  int dimension;
  int64_t side[3];
} shape;

static shape
shape_of (int dimension, const int64_t *size)
{
  shape s = { dimension, { 1, 1, 1 } };
  for (int d = 0; d < dimension; d++)
    s.side[3 - dimension + d] = size[d];
  return s;
}

static vrg_lattice *
lattice_of (shape s)
{
  const int64_t *size = s.side + 3 - s.dimension;
  return vrg_lattice_new_size (s.dimension, size, 0, s.dimension == 1 ? 1 : size[0]);
}

static int
get (const vrg_lattice *lattice, shape s, int64_t z, int64_t y, int64_t x)
{
  return vrg_lattice_get (lattice, z * s.side[1] + y, x);
}

/* A lattice b times as large, of random spins. */
static vrg_lattice *
random_fine (shape s, int b, shape *fine)
{
  *fine = s;
  for (int d = 3 - s.dimension; d < 3; d++)
    fine->side[d] *= b;
  vrg_lattice *lattice = lattice_of (*fine);
  for (int64_t y = 0; y < lattice->rows; y++)
    for (int64_t x = 0; x < lattice->columns; x++)
      vrg_lattice_set (lattice, y, x, rand () % 2 ? 1 : -1);
  return lattice;
}

static const char *
name (shape s)
{
  static char text[64];
  snprintf (text, sizeof text, "%dD %dx%dx%d", s.dimension, (int) s.side[0], (int) s.side[1], (int) s.side[2]);
  return text;
}

static bool
padding_is_clean (const vrg_lattice *lattice)
{
  bool clean = true;
  for (int64_t y = 0; y < lattice->rows; y++)
    {
      clean = clean && (vrg_lattice_row (lattice, y)[lattice->words - 1] & ~vrg_row_last_mask (lattice->columns)) == 0;
      for (int64_t w = lattice->words; w < lattice->stride; w++)
        clean = clean && vrg_lattice_row (lattice, y)[w] == 0;
    }
  return clean;
}

/* The number that a site of the coarse lattice gets, looked up one by one. */
static int
coin_of (const vrg_rng *rng, int64_t i, int64_t sample, int level)
{
  uint64_t random[2];
  vrg_rng_block (rng, VRG_RNG_TIE, (uint64_t) i / 128, (uint64_t) sample, (uint32_t) level, random);
  return (int) (random[i % 128 / 64] >> (i % 64) & 1) * 2 - 1;
}

static uint32_t
number_of (const vrg_rng *rng, int64_t i, int64_t sample, int level)
{
  uint64_t random[2];
  vrg_rng_block (rng, VRG_RNG_LEARNT, (uint64_t) i / 4, (uint64_t) sample, (uint32_t) level, random);
  return (uint32_t) (random[i % 4 / 2] >> (i % 2 * 32));
}

static void
check_majority (shape s, int b)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 7, 0, 0);
  shape large;
  vrg_lattice *fine = random_fine (s, b, &large), *coarse = lattice_of (s), *spins = lattice_of (s),
              *ties = lattice_of (s), *first = lattice_of (s);
  bool majority = true, votes = true, decimation = true;
  vrg_block_majority (fine, coarse, b, &rng, 12345, 3);
  vrg_block_votes (fine, spins, ties, b);
  vrg_block_decimation (fine, first, b);
  for (int64_t z = 0; z < s.side[0]; z++)
    for (int64_t y = 0; y < s.side[1]; y++)
      for (int64_t x = 0; x < s.side[2]; x++)
        {
          int sum = 0;
          for (int dz = 0; dz < (s.dimension > 2 ? b : 1); dz++)
            for (int dy = 0; dy < (s.dimension > 1 ? b : 1); dy++)
              for (int dx = 0; dx < b; dx++)
                sum += get (fine, large, z * (s.dimension > 2 ? b : 1) + dz, y * (s.dimension > 1 ? b : 1) + dy,
                            x * b + dx);
          const int coin = coin_of (&rng, (z * s.side[1] + y) * s.side[2] + x, 12345, 3);
          majority = majority && get (coarse, s, z, y, x) == (sum > 0 ? 1 : sum < 0 ? -1 : coin);
          votes
            = votes && get (spins, s, z, y, x) == (sum > 0 ? 1 : -1) && get (ties, s, z, y, x) == (sum == 0 ? 1 : -1);
          decimation = decimation
                       && get (first, s, z, y, x)
                            == get (fine, large, z * (s.dimension > 2 ? b : 1), y * (s.dimension > 1 ? b : 1), x * b);
        }
  check (majority && padding_is_clean (coarse), "majority to %s, b = %d", name (s), b);
  check (votes && padding_is_clean (spins) && padding_is_clean (ties), "votes to %s, b = %d", name (s), b);
  check (decimation && padding_is_clean (first), "decimation to %s, b = %d", name (s), b);
  vrg_lattice_free (first);
  vrg_lattice_free (ties);
  vrg_lattice_free (spins);
  vrg_lattice_free (coarse);
  vrg_lattice_free (fine);
}

/* plain: a few weights of 1 and 0, so that fields are 0 now and then. */
static void
check_field (shape s, int b, int size, bool plain)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 8, 1, 0);
  shape large;
  vrg_lattice *fine = random_fine (s, b, &large), *coarse = lattice_of (s), *signs = lattice_of (s);
  int32_t weights[LARGEST_FILTER];
  const int deep = s.dimension > 2 ? size : 1, high = s.dimension > 1 ? size : 1, before = (size - b) / 2;
  const int64_t bz = s.dimension > 2 ? b : 1, by = s.dimension > 1 ? b : 1;
  bool drawn = true, sign = true;
  int ties = 0;
  for (int i = 0; i < deep * high * size; i++)
    weights[i] = plain ? (rand () % 3 == 0) << VRG_FIXED_BITS : rand () % (VRG_FIXED_ONE / 4) - VRG_FIXED_ONE / 16;
  vrg_block_filter *filter = vrg_block_filter_new (s.dimension, b, size, weights);
  vrg_block_field (fine, coarse, filter, false, &rng, 99, 2);
  vrg_block_field (fine, signs, filter, true, &rng, 98, 5);
  for (int64_t z = 0; z < s.side[0]; z++)
    for (int64_t y = 0; y < s.side[1]; y++)
      for (int64_t x = 0; x < s.side[2]; x++)
        {
          const int64_t corner[3]
            = { z * bz - (s.dimension > 2 ? before : 0), y * by - (s.dimension > 1 ? before : 0), x * b - before },
            i = (z * s.side[1] + y) * s.side[2] + x;
          int32_t field = 0;
          const int32_t *weight = weights;
          for (int dz = 0; dz < deep; dz++)
            for (int dy = 0; dy < high; dy++)
              for (int dx = 0; dx < size; dx++)
                field += *weight++
                         * get (fine, large, (corner[0] + dz + 100 * large.side[0]) % large.side[0],
                                (corner[1] + dy + 100 * large.side[1]) % large.side[1],
                                (corner[2] + dx + 100 * large.side[2]) % large.side[2]);
          drawn = drawn && get (coarse, s, z, y, x) == (number_of (&rng, i, 99, 2) < vrg_probability (field) ? 1 : -1);
          sign = sign && get (signs, s, z, y, x) == (field > 0 ? 1 : field < 0 ? -1 : coin_of (&rng, i, 98, 5));
          ties += field == 0;
        }
  check (drawn && padding_is_clean (coarse), "filter of %d to %s, b = %d: drawn", size, name (s), b);
  check (sign && padding_is_clean (signs), "filter of %d to %s, b = %d: by sign, %d ties", size, name (s), b, ties);
  vrg_block_filter_free (filter);
  vrg_lattice_free (signs);
  vrg_lattice_free (coarse);
  vrg_lattice_free (fine);
}

static void
check_shapes (void)
{
  static const int64_t lines[]
    = { 2, 5, 15, 64, 65, 100, 200, 700, 1100, 16500 },
    planes[][2] = { { 2, 2 },  { 4, 4 },   { 5, 7 }, { 8, 32 },  { 33, 31 }, { 32, 64 },
                    { 9, 65 }, { 3, 200 }, { 3, 9 }, { 45, 45 }, { 2, 1300 } },
    cubes[][3] = { { 2, 2, 2 }, { 3, 3, 3 }, { 2, 5, 3 }, { 9, 3, 15 }, { 4, 8, 16 }, { 3, 2, 65 }, { 5, 45, 9 } };
  for (int b = 2; b <= 5; b++)
    {
      for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        check_majority (shape_of (1, &lines[i]), b);
      for (size_t i = 0; i < sizeof planes / sizeof planes[0]; i++)
        check_majority (shape_of (2, planes[i]), b);
      for (size_t i = 0; i < sizeof cubes / sizeof cubes[0]; i++)
        check_majority (shape_of (3, cubes[i]), b);
    }
  check_majority (shape_of (2, (const int64_t[]){ 3, 2 }), 67);
  static const int filters[][2]
    = { { 2, 8 }, { 2, 3 }, { 2, 1 }, { 3, 10 }, { 3, 5 }, { 4, 1 }, { 5, 9 } }; /* b, size */
  for (size_t f = 0; f < sizeof filters / sizeof filters[0]; f++)
    {
      const int b = filters[f][0], size = filters[f][1];
      for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        check_field (shape_of (1, &lines[i]), b, size, i % 2);
      for (size_t i = 0; i < sizeof planes / sizeof planes[0]; i++)
        check_field (shape_of (2, planes[i]), b, size, i % 2);
      for (size_t i = 0; i < sizeof cubes / sizeof cubes[0] && size * size * size <= LARGEST_FILTER; i++)
        check_field (shape_of (3, cubes[i]), b, size, i % 2);
    }
  check_field (shape_of (1, (const int64_t[]){ 40 }), 8, 900, false);
  check_field (shape_of (2, (const int64_t[]){ 2, 19 }), 40, 29, false);
}

/* Every path of the random numbers gives the same blocks, and so does asking again. */
static void
check_paths (void)
{
  const vrg_simd_path best = vrg_simd ();
  vrg_rng rng;
  vrg_rng_init (&rng, 9, 2, 0);
  shape large, s = shape_of (3, (const int64_t[]){ 6, 10, 70 });
  vrg_lattice *fine = random_fine (s, 2, &large), *coarse[4][2];
  int32_t weights[64];
  for (int i = 0; i < 64; i++)
    weights[i] = VRG_FIXED_ONE / 8;
  vrg_block_filter *filter = vrg_block_filter_new (3, 2, 4, weights);
  for (int i = 0; i < 4; i++)
    {
      vrg_simd_set (i < 3 ? (vrg_simd_path) i : best);
      coarse[i][0] = lattice_of (s);
      coarse[i][1] = lattice_of (s);
      vrg_block_majority (fine, coarse[i][0], 2, &rng, 4, 1);
      vrg_block_field (fine, coarse[i][1], filter, false, &rng, 4, 1);
    }
  vrg_simd_set (best);
  bool same = true;
  for (int i = 1; i < 4; i++)
    for (int k = 0; k < 2; k++)
      for (int64_t y = 0; y < coarse[i][k]->rows; y++)
        for (int64_t x = 0; x < coarse[i][k]->columns; x++)
          same = same && vrg_lattice_get (coarse[i][k], y, x) == vrg_lattice_get (coarse[0][k], y, x);
  check (same, "the same blocks on every path");
  for (int i = 0; i < 4; i++)
    {
      vrg_lattice_free (coarse[i][0]);
      vrg_lattice_free (coarse[i][1]);
    }
  vrg_block_filter_free (filter);
  vrg_lattice_free (fine);
}

/* Blocks that are all ties: as many + as -, whatever the site, and neighbours independent. rule 0: majority, 1: by
 * sign. */
static void
check_ties_unbiased (int rule)
{
  enum
  {
    SIDE = 32,
    SAMPLES = 400
  };
  static const int32_t ones[4] = { VRG_FIXED_ONE, VRG_FIXED_ONE, VRG_FIXED_ONE, VRG_FIXED_ONE };
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  vrg_lattice *fine = vrg_lattice_new (2 * SIDE, 2 * SIDE, 0, 2 * SIDE),
              *coarse = vrg_lattice_new (SIDE, SIDE, 0, SIDE);
  vrg_block_filter *filter = vrg_block_filter_new (2, 2, 2, ones);
  for (int64_t y = 0; y < 2 * SIDE; y++)
    for (int64_t x = 0; x < 2 * SIDE; x++)
      vrg_lattice_set (fine, y, x, (x + y) % 2 ? 1 : -1);
  double sum = 0, right = 0, next_sample = 0, worst = 0, by_site[SIDE][SIDE] = { { 0 } };
  int last[SIDE][SIDE] = { { 0 } };
  for (int sample = 0; sample < SAMPLES; sample++)
    {
      if (rule == 0)
        vrg_block_majority (fine, coarse, 2, &rng, sample, 1);
      else
        vrg_block_field (fine, coarse, filter, true, &rng, sample, 1);
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
  const char *text = rule == 0 ? "ties" : "fields of 0";
  check (fabs (sum) < 5 * sigma, "%s: no bias", text);
  check (fabs (right) < 5 * sigma, "%s: neighbours independent", text);
  check (fabs (next_sample) < 5 * sigma, "%s: samples independent", text);
  check (worst < 6 * sqrt (SAMPLES), "%s: no biased site", text);
  vrg_block_filter_free (filter);
  vrg_lattice_free (coarse);
  vrg_lattice_free (fine);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  srand (3);
  check_shapes ();
  check_paths ();
  check_ties_unbiased (0);
  check_ties_unbiased (1);
  return check_end ();
}
