/* SPDX-License-Identifier: GPL-3.0-or-later
 * Edge rows of neighbouring strips.
 * ranks: 1 2 3 4 */
#include <string.h>

#include "check.h"
#include "lattice/halo.h"
#include "parallel/grid.h"

static void
test_exchange (int64_t rows, int64_t columns)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  int64_t row0, row1;
  vrg_grid_span (rows, check_size_, check_rank_, &row0, &row1);
  vrg_lattice *whole = vrg_lattice_new (rows, columns, 0, rows), *strip = vrg_lattice_new (rows, columns, row0, row1);
  vrg_lattice_random (whole, &rng);
  vrg_lattice_random (strip, &rng);
  vrg_halo_exchange (MPI_COMM_WORLD, strip);
  bool good = true;
  for (int64_t y = -1; y <= row1 - row0; y++)
    good = good
           && !memcmp (vrg_lattice_row (strip, y), vrg_lattice_row (whole, (row0 + y + rows) % rows),
                       (size_t) strip->words * 8);
  check (good, "halo rows of %lld x %lld", (long long) rows, (long long) columns);
  vrg_lattice_free (whole);
  vrg_lattice_free (strip);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_exchange (2 * check_size_, 64);
  test_exchange (2 * check_size_ + 1, 5);
  test_exchange (37, 700);

  int up = 10 * check_rank_, down = up + 1, above = -1, below = -1;
  MPI_Request requests[VRG_HALO_REQUESTS];
  int n = vrg_halo_begin (MPI_COMM_WORLD, &up, &down, &above, &below, sizeof up, requests);
  MPI_Waitall (n, requests, MPI_STATUSES_IGNORE);
  check (above == 10 * ((check_rank_ + check_size_ - 1) % check_size_) + 1, "what the strip above sent down");
  check (below == 10 * ((check_rank_ + 1) % check_size_), "what the strip below sent up");
  return check_end ();
}
