/* SPDX-License-Identifier: GPL-3.0-or-later
 * Sweeps against their definition site by site, and the same bits for any number of strips and on every vector path.
 * ranks: 1 2 3 4 */
#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "check.h"
#include "lattice/exact.h"
#include "parallel/grid.h"
#include "sample/cluster.h"
#include "sample/metropolis.h"

#define SWEEPS 6

static const int64_t sizes[][2] = { { 8, 4 },   { 9, 13 },   { 10, 66 },  { 12, 70 }, { 64, 64 },
                                    { 130, 6 }, { 150, 20 }, { 33, 129 }, { 8, 600 }, { 14, 1028 } };
#define SIZES (int) (sizeof sizes / sizeof *sizes)

/** The 32-bit random number of a site: its bits in 32 planes, the first plane the most significant. */
static uint32_t
number (const vrg_lattice *lattice, const vrg_rng *rng, vrg_rng_purpose purpose, uint64_t sweep, uint32_t draw,
        int64_t y, int64_t x)
{
  uint32_t u = 0;
  for (uint32_t p = 0; p < 32; p++)
    {
      uint64_t block[2];
      vrg_rng_block (rng, purpose, (uint64_t) (y * lattice->stride / 2 + x / 128), sweep, draw + p, block);
      u = u << 1 | (uint32_t) (block[x % 128 / 64] >> (x % 64) & 1);
    }
  return u;
}

static void
define_metropolis (vrg_lattice *lattice, double nn, const vrg_rng *rng, uint64_t sweep)
{
  int64_t rows = lattice->rows, columns = lattice->columns;
  for (uint32_t colour = 0; colour < 2; colour++)
    for (int64_t y = 0; y < rows; y++)
      for (int64_t x = 0; x < columns; x++)
        if ((y + x) % 2 == colour)
          {
            int spin = vrg_lattice_get (lattice, y, x);
            int around
              = spin
                * (vrg_lattice_get (lattice, (y + 1) % rows, x) + vrg_lattice_get (lattice, (y + rows - 1) % rows, x)
                   + vrg_lattice_get (lattice, y, (x + 1) % columns)
                   + vrg_lattice_get (lattice, y, (x + columns - 1) % columns));
            uint32_t u = number (lattice, rng, VRG_RNG_METROPOLIS, sweep, 64 * colour, y, x);
            if (nn * around <= 0 || u < vrg_rng_threshold (vrg_exp (-2 * nn * around)))
              vrg_lattice_set (lattice, y, x, -spin);
          }
}

static void
define_cluster (vrg_lattice *lattice, double nn, const vrg_rng *rng, uint64_t sweep)
{
  int64_t rows = lattice->rows, columns = lattice->columns, sites = rows * columns;
  uint64_t threshold = vrg_rng_threshold (1 - vrg_exp (-2 * fabs (nn)));
  int64_t *label = vrg_new (sites, sizeof *label, "labels");
  bool *active = vrg_new (2 * sites, sizeof *active, "bonds");
  for (int64_t i = 0; i < sites; i++)
    {
      int64_t y = i / columns, x = i % columns;
      int spin = vrg_lattice_get (lattice, y, x);
      label[i] = i;
      active[2 * i] = nn * spin * vrg_lattice_get (lattice, y, (x + 1) % columns) > 0
                      && number (lattice, rng, VRG_RNG_BOND_RIGHT, sweep, 0, y, x) < threshold;
      active[2 * i + 1] = nn * spin * vrg_lattice_get (lattice, (y + 1) % rows, x) > 0
                          && number (lattice, rng, VRG_RNG_BOND_DOWN, sweep, 0, y, x) < threshold;
    }
  for (bool changed = true; changed;)
    {
      changed = false;
      for (int64_t i = 0; i < 2 * sites; i++)
        {
          int64_t a = i / 2, y = a / columns, x = a % columns;
          int64_t b = i % 2 ? (y + 1) % rows * columns + x : y * columns + (x + 1) % columns;
          if (active[i] && label[a] != label[b])
            {
              label[a] = label[b] = label[a] < label[b] ? label[a] : label[b];
              changed = true;
            }
        }
    }
  for (int64_t i = 0; i < sites; i++)
    {
      uint64_t block[2], root = (uint64_t) label[i];
      vrg_rng_block (rng, VRG_RNG_FLIP, root / 128, sweep, 0, block);
      if (block[root % 128 / 64] >> (root % 64) & 1)
        vrg_lattice_set (lattice, i / columns, i % columns, -vrg_lattice_get (lattice, i / columns, i % columns));
    }
  vrg_free (label);
  vrg_free (active);
}

static void
sweep_strip (bool cluster, MPI_Comm comm, vrg_lattice *lattice, double nn, const vrg_rng *rng)
{
  vrg_cluster *c = cluster ? vrg_cluster_new (lattice, nn) : NULL;
  vrg_metropolis *m = cluster ? NULL : vrg_metropolis_new (lattice, nn);
  vrg_lattice_random (lattice, rng);
  for (uint64_t t = 1; t <= SWEEPS; t++)
    if (cluster)
      vrg_cluster_sweep (c, comm, lattice, rng, t);
    else
      vrg_metropolis_sweep (m, comm, lattice, rng, t);
  vrg_cluster_free (c);
  vrg_metropolis_free (m);
}

static bool
rows_equal (const vrg_lattice *strip, const vrg_lattice *whole)
{
  bool good = true;
  for (int64_t y = strip->row0; y < strip->row1; y++)
    good
      = good
        && !memcmp (vrg_lattice_row (strip, y - strip->row0), vrg_lattice_row (whole, y), (size_t) whole->stride * 8);
  return good;
}

/** Every number of strips up to that of ranks, every path. */
static void
test_size (bool cluster, int64_t rows, int64_t columns, double nn)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 7, 2, 3);
  vrg_lattice *whole = vrg_lattice_new (rows, columns, 0, rows);
  vrg_lattice_random (whole, &rng);
  for (uint64_t t = 1; t <= SWEEPS; t++)
    (cluster ? define_cluster : define_metropolis) (whole, nn, &rng, t);

  bool good = true;
  for (int strips = 1; strips <= check_size_ && strips <= rows / 2; strips++)
    {
      MPI_Comm comm;
      MPI_Comm_split (MPI_COMM_WORLD, check_rank_ < strips ? 0 : MPI_UNDEFINED, check_rank_, &comm);
      if (comm == MPI_COMM_NULL)
        continue;
      int64_t row0, row1;
      vrg_grid_span (rows, strips, check_rank_, &row0, &row1);
      vrg_lattice *strip = vrg_lattice_new (rows, columns, row0, row1);
      for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
        {
          vrg_simd_set ((vrg_simd_path) path);
          sweep_strip (cluster, comm, strip, nn, &rng);
          good = good && rows_equal (strip, whole);
        }
      vrg_lattice_free (strip);
      MPI_Comm_free (&comm);
    }
  check (good, "%s %lld x %lld, K = %.3f: as defined, on any strips and path", cluster ? "cluster" : "metropolis",
         (long long) rows, (long long) columns, nn);
  vrg_lattice_free (whole);
}

/** The answer for ever: spins after some sweeps, as one number. */
static void
test_hash (bool cluster, uint64_t expected)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  vrg_lattice *lattice = vrg_lattice_new (64, 64, 0, 64);
  sweep_strip (cluster, MPI_COMM_SELF, lattice, VRG_CRITICAL_2D, &rng);
  uint64_t hash = 0;
  for (int64_t y = 0; y < 64; y++)
    hash = (hash ^ vrg_lattice_row (lattice, y)[0]) * UINT64_C (0x9E3779B97F4A7C15);
  check (hash == expected, "%s 64 x 64: spins hash to %016llx", cluster ? "cluster" : "metropolis",
         (unsigned long long) hash);
  vrg_lattice_free (lattice);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const double couplings[] = { VRG_CRITICAL_2D, 1.2, 0.1 };
  for (int i = 0; i < SIZES; i++)
    for (int k = 0; k < 3; k++)
      {
        test_size (true, sizes[i][0], sizes[i][1], couplings[k]);
        if (sizes[i][0] % 2 == 0 && sizes[i][1] % 2 == 0)
          test_size (false, sizes[i][0], sizes[i][1], couplings[k]);
      }
  test_size (true, 10, 66, -0.3);
  test_size (false, 10, 66, -0.3);
  test_size (true, 10, 66, 20);
  test_size (true, 10, 66, 0);
  test_hash (true, UINT64_C (0x14abb1765102a4e1));
  test_hash (false, UINT64_C (0x7e1fb4a4d5baca0d));

  check (vrg_cluster_check (65536, 65536, 1) == VRG_USAGE && vrg_cluster_check (65536, 65536, 3) == VRG_OK
           && strstr (vrg_error_text (), "at least 3 strips"),
         "strips of too many sites are refused, with the number needed");
  return check_end ();
}
