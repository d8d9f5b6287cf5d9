/* SPDX-License-Identifier: GPL-3.0-or-later
 * Energy and magnetisation against a site by site count.
 * ranks: 1 2 3 4 */
#include "base/simd.h"
#include "check.h"
#include "lattice/halo.h"
#include "lattice/observe.h"
#include "parallel/grid.h"

static void
test_observe (int64_t rows, int64_t columns)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 5, 0, 0);
  int64_t row0, row1, expected[2] = { 0, 0 };
  vrg_grid_span (rows, check_size_, check_rank_, &row0, &row1);
  vrg_lattice *whole = vrg_lattice_new (rows, columns, 0, rows), *strip = vrg_lattice_new (rows, columns, row0, row1);
  vrg_lattice_random (whole, &rng);
  vrg_lattice_random (strip, &rng);
  vrg_halo_exchange (MPI_COMM_WORLD, strip);
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < columns; x++)
      {
        int spin = vrg_lattice_get (whole, y, x);
        expected[0]
          += spin * (vrg_lattice_get (whole, (y + 1) % rows, x) + vrg_lattice_get (whole, y, (x + 1) % columns));
        expected[1] += spin;
      }
  bool good = true;
  for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
    {
      int64_t sums[2];
      vrg_simd_set ((vrg_simd_path) path);
      vrg_observe (strip, &sums[0], &sums[1]);
      vrg_sum_int64 (MPI_COMM_WORLD, sums, 2);
      good = good && sums[0] == expected[0] && sums[1] == expected[1];
    }
  check (good, "bonds and magnetisation of %lld x %lld on every path", (long long) rows, (long long) columns);
  vrg_lattice_free (whole);
  vrg_lattice_free (strip);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const int64_t sizes[][2]
    = { { 8, 4 }, { 9, 5 }, { 13, 63 }, { 64, 64 }, { 10, 65 }, { 17, 200 }, { 11, 1031 }, { 8, 1536 } };
  for (int i = 0; i < (int) (sizeof sizes / sizeof *sizes); i++)
    test_observe (sizes[i][0], sizes[i][1]);
  return check_end ();
}
