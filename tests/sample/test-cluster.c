/* SPDX-License-Identifier: GPL-3.0-or-later
 * Cluster updates against a plain union of sites by the same bonds, in one, two and three dimensions, with a field, for
 * any number of strips and on every vector path; and a small lattice against enumeration.
 * ranks: 1 2 3 4 5 8 */
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "check.h"
#include "lattice/exact.h"
#include "parallel/grid.h"
#include "parallel/traffic.h"
#include "sample/cluster.h"

#define SWEEPS 5

typedef struct
{
  int dimension;
  int64_t size[3];
  double nn, field;
} sample_case;

/** The 32-bit random number of a site: its bits in 32 planes, the first plane the most significant. */
static uint32_t
number (const vrg_lattice *lattice, const vrg_rng *rng, vrg_rng_purpose purpose, uint64_t sweep, int64_t y, int64_t x)
{
  uint32_t u = 0;
  for (uint32_t p = 0; p < 32; p++)
    {
      uint64_t block[2];
      vrg_rng_block (rng, purpose, (uint64_t) (y * lattice->stride / 2 + x / 128), sweep, p, block);
      u = u << 1 | (uint32_t) (block[x % 128 / 64] >> (x % 64) & 1);
    }
  return u;
}

static int64_t
root_of (int64_t *parent, int64_t i)
{
  while (parent[i] != i)
    i = parent[i] = parent[parent[i]];
  return i;
}

static void
unite (int64_t *parent, int64_t a, int64_t b)
{
  a = root_of (parent, a);
  b = root_of (parent, b);
  parent[a > b ? a : b] = a < b ? a : b;
}

/** One sweep by its definition: site i is entry i + 1, the ghost entry 0. */
static void
define (vrg_lattice *lattice, const vrg_hamiltonian *h, const vrg_rng *rng, uint64_t sweep)
{
  const int64_t rows = lattice->rows, columns = lattice->columns, plane = lattice->plane, sites = rows * columns;
  const uint64_t threshold = vrg_rng_threshold (1 - vrg_exp (-2 * fabs (h->nn))),
                 ghost = vrg_rng_threshold (1 - vrg_exp (-2 * fabs (h->field)));
  int64_t *parent = vrg_new (sites + 1, sizeof *parent, "labels");
  for (int64_t i = 0; i <= sites; i++)
    parent[i] = i;
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < columns; x++)
      {
        const int64_t next_row = plane == 1 ? (y + 1) % rows : y / plane * plane + (y + 1) % plane;
        const struct
        {
          bool there;
          vrg_rng_purpose purpose;
          int64_t y, x;
        } bonds[] = { { true, VRG_RNG_BOND_RIGHT, y, (x + 1) % columns },
                      { lattice->dimension > 1, VRG_RNG_BOND_DOWN, next_row, x },
                      { lattice->dimension > 2, VRG_RNG_BOND_DEEP, (y + plane) % rows, x } };
        const int spin = vrg_lattice_get (lattice, y, x);
        for (int i = 0; i < 3; i++)
          if (bonds[i].there && h->nn * spin * vrg_lattice_get (lattice, bonds[i].y, bonds[i].x) > 0
              && number (lattice, rng, bonds[i].purpose, sweep, y, x) < threshold)
            unite (parent, y * columns + x + 1, bonds[i].y * columns + bonds[i].x + 1);
        if (h->field * spin > 0 && number (lattice, rng, VRG_RNG_GHOST, sweep, y, x) < ghost)
          unite (parent, y * columns + x + 1, 0);
      }
  for (int64_t i = 0; i < sites; i++)
    {
      uint64_t block[2];
      const int64_t name = root_of (parent, i + 1) - 1;
      if (name < 0)
        continue;
      vrg_rng_block (rng, VRG_RNG_FLIP, (uint64_t) name / 128, sweep, 0, block);
      if (block[name % 128 / 64] >> (name % 64) & 1)
        vrg_lattice_set (lattice, i / columns, i % columns, -vrg_lattice_get (lattice, i / columns, i % columns));
    }
  vrg_free (parent);
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
test_case (const sample_case *c)
{
  const vrg_hamiltonian h = { .nn = c->nn, .field = c->field };
  const int64_t layers = c->dimension == 1 ? 1 : c->size[0];
  vrg_rng rng;
  vrg_rng_init (&rng, 7, 2, 3);
  vrg_lattice *whole = vrg_lattice_new_size (c->dimension, c->size, 0, layers);
  vrg_lattice_random (whole, &rng);
  for (uint64_t t = 1; t <= SWEEPS; t++)
    define (whole, &h, &rng, t);

  bool good = true;
  for (int strips = 1; strips <= check_size_ && strips <= layers; strips++)
    {
      MPI_Comm comm;
      MPI_Comm_split (MPI_COMM_WORLD, check_rank_ < strips ? 0 : MPI_UNDEFINED, check_rank_, &comm);
      if (comm == MPI_COMM_NULL)
        continue;
      int64_t layer0, layer1;
      vrg_grid_span (layers, strips, check_rank_, &layer0, &layer1);
      vrg_lattice *strip = vrg_lattice_new_size (c->dimension, c->size, layer0, layer1);
      for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
        {
          vrg_simd_set ((vrg_simd_path) path);
          vrg_cluster *cluster = vrg_cluster_new (strip, &h);
          vrg_lattice_random (strip, &rng);
          for (uint64_t t = 1; t <= SWEEPS; t++)
            vrg_cluster_sweep (cluster, comm, strip, &rng, t);
          good = good && rows_equal (strip, whole);
          vrg_cluster_free (cluster);
        }
      vrg_lattice_free (strip);
      MPI_Comm_free (&comm);
    }
  const int64_t *l = c->size;
  check (good, "%lld%s%.0lld%s%.0lld, K = %.3f, h = %.2f: as defined, on any strips and path", (long long) l[0],
         c->dimension > 1 ? " x " : "", (long long) l[1], c->dimension > 2 ? " x " : "", (long long) l[2], c->nn,
         c->field);
  vrg_lattice_free (whole);
}

/** Mean and its error over blocks. */
typedef struct
{
  double sum, square;
} average;

static double
pull (const average *a, int n, double exact)
{
  const double mean = a->sum / n;
  return (mean - exact) / sqrt ((a->square / n - mean * mean) / (n - 1));
}

/** Energy and magnetisation of a 4 x 4 torus in a field: sums over all 2^16 states.  Four errors: a false alarm is 1 in
 *  16,000 per number. */
static void
test_exact (double nn, double field)
{
  enum
  {
    SIDE = 4,
    BLOCKS = 100,
    PER_BLOCK = 1000
  };
  double z = 0, exact[2] = { 0, 0 };
  for (uint32_t s = 0; s < 1u << SIDE * SIDE; s++)
    {
      int bonds = 0, m = 0;
      for (uint32_t i = 0; i < SIDE * SIDE; i++)
        {
          const uint32_t right = i / SIDE * SIDE + (i + 1) % SIDE, down = (i + SIDE) % (SIDE * SIDE);
          bonds += 2 - 2 * (int) ((s >> i ^ s >> right) & 1) - 2 * (int) ((s >> i ^ s >> down) & 1);
          m += 2 * (int) (s >> i & 1) - 1;
        }
      const double weight = exp (nn * bonds + field * m);
      z += weight;
      exact[0] += weight * bonds;
      exact[1] += weight * m;
    }

  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  vrg_lattice *lattice = vrg_lattice_new (SIDE, SIDE, 0, SIDE);
  vrg_lattice_random (lattice, &rng);
  vrg_cluster *cluster = vrg_cluster_new (lattice, &(vrg_hamiltonian){ .nn = nn, .field = field });
  average seen[2] = { { 0, 0 }, { 0, 0 } };
  uint64_t t = 0;
  for (int b = -1; b < BLOCKS; b++)
    {
      double sum[2] = { 0, 0 };
      for (int i = 0; i < PER_BLOCK; i++)
        {
          vrg_cluster_sweep (cluster, MPI_COMM_SELF, lattice, &rng, ++t);
          for (int64_t y = 0; y < SIDE; y++)
            for (int64_t x = 0; x < SIDE; x++)
              {
                const int spin = vrg_lattice_get (lattice, y, x);
                sum[0]
                  += spin
                     * (vrg_lattice_get (lattice, y, (x + 1) % SIDE) + vrg_lattice_get (lattice, (y + 1) % SIDE, x));
                sum[1] += spin;
              }
        }
      for (int i = 0; i < 2 && b >= 0; i++)
        {
          seen[i].sum += sum[i] / PER_BLOCK;
          seen[i].square += sum[i] / PER_BLOCK * sum[i] / PER_BLOCK;
        }
    }
  for (int i = 0; i < 2; i++)
    {
      const double p = pull (&seen[i], BLOCKS, exact[i] / z);
      check (fabs (p) < 4, "4 x 4, K = %.2f, h = %.2f: %s against enumeration, pull %.2f", nn, field,
             i ? "magnetisation" : "energy", p);
    }
  vrg_cluster_free (cluster);
  vrg_lattice_free (lattice);
}

/** The answer for ever: spins after some sweeps, as one number. */
static void
test_hash (int dimension, double nn, double field, uint64_t expected)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  const int64_t side = dimension == 1 ? 4096 : dimension == 2 ? 64 : 16, size[3] = { side, side, side };
  vrg_lattice *lattice = vrg_lattice_new_size (dimension, size, 0, dimension == 1 ? 1 : side);
  vrg_cluster *cluster = vrg_cluster_new (lattice, &(vrg_hamiltonian){ .nn = nn, .field = field });
  vrg_lattice_random (lattice, &rng);
  for (uint64_t t = 1; t <= 6; t++)
    vrg_cluster_sweep (cluster, MPI_COMM_SELF, lattice, &rng, t);
  uint64_t hash = 0;
  for (int64_t y = 0; y < lattice->rows; y++)
    for (int64_t w = 0; w < lattice->words; w++)
      hash = (hash ^ vrg_lattice_row (lattice, y)[w]) * UINT64_C (0x9E3779B97F4A7C15);
  check (hash == expected, "%d dimensions, h = %.2f: spins hash to %016llx", dimension, field,
         (unsigned long long) hash);
  vrg_cluster_free (cluster);
  vrg_lattice_free (lattice);
}

/** Messages of a sweep: every strip sends its last layer, all but the first their edges up, and labels come down. */
static void
test_traffic (void)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 3, 0, 0);
  const int64_t layers = 4 * check_size_, size[2] = { layers, 256 };
  int64_t layer0, layer1;
  vrg_grid_span (layers, check_size_, check_rank_, &layer0, &layer1);
  vrg_lattice *strip = vrg_lattice_new_size (2, size, layer0, layer1);
  vrg_cluster *cluster = vrg_cluster_new (strip, &(vrg_hamiltonian){ .nn = VRG_CRITICAL_2D });
  vrg_lattice_random (strip, &rng);
  vrg_traffic_reset ();
  vrg_cluster_sweep (cluster, MPI_COMM_WORLD, strip, &rng, 1);
  int64_t messages = vrg_traffic_read ().messages, bytes = vrg_traffic_read ().bytes;
  vrg_sum_int64 (MPI_COMM_WORLD, &messages, 1);
  vrg_sum_int64 (MPI_COMM_WORLD, &bytes, 1);
  const int64_t ranks = check_size_;
  check (messages == (ranks > 1 ? ranks + 2 * (ranks - 1) : 0), "%lld messages a sweep", (long long) messages);
  check (bytes <= (ranks > 1 ? ranks * 32 + (ranks - 1) * (24 + 3 * 32 + (8 + 16 + 16) * 256) : 0),
         "%lld bytes a sweep at most", (long long) bytes);
  vrg_cluster_free (cluster);
  vrg_lattice_free (strip);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  static const double couplings[] = { VRG_CRITICAL_2D, 1.2, 0.1 };
  static const int64_t sizes[][2] = { { 8, 4 },   { 9, 13 },   { 10, 66 },  { 12, 70 }, { 64, 64 },
                                      { 130, 6 }, { 150, 20 }, { 33, 129 }, { 8, 600 }, { 14, 1028 } };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int k = 0; k < 3; k++)
      test_case (&(sample_case){ 2, { sizes[i][0], sizes[i][1] }, couplings[k], 0 });
  static const sample_case more[] = { { 2, { 10, 66 }, -0.3, 0 },
                                      { 2, { 10, 66 }, 20, 0 },
                                      { 2, { 10, 66 }, 0, 0 },
                                      { 2, { 10, 66 }, -0.3, 0.1 },
                                      { 2, { 40, 70 }, 0.44, 0.01 },
                                      { 2, { 40, 70 }, 0.44, -0.01 },
                                      { 2, { 9, 13 }, 0.3, 0.5 },
                                      { 2, { 12, 12 }, 0, 0.3 },
                                      { 2, { 8, 4 }, 0.2, 30 },
                                      { 2, { 10, 4100 }, 0.45, 0.002 },
                                      { 1, { 4 }, 0.5, 0 },
                                      { 1, { 13 }, 1, 0.1 },
                                      { 1, { 1000 }, 2, 0 },
                                      { 1, { 5001 }, 2, 0.05 },
                                      { 1, { 640 }, -1, -0.05 },
                                      { 3, { 4, 4, 4 }, 0.22, 0 },
                                      { 3, { 4, 4, 4 }, 0.22, 0.1 },
                                      { 3, { 8, 8, 8 }, 0.5, 0 },
                                      { 3, { 9, 5, 7 }, 0.22, 0 },
                                      { 3, { 8, 6, 70 }, 0.23, 0.01 },
                                      { 3, { 16, 16, 16 }, 0.2216546, 0 },
                                      { 3, { 10, 12, 130 }, 0.2216546, 0 },
                                      { 3, { 8, 70, 6 }, -0.22, 0 },
                                      { 3, { 9, 4, 64 }, 0.2216546, -0.02 } };
  for (size_t i = 0; i < sizeof more / sizeof *more; i++)
    test_case (&more[i]);

  test_hash (2, VRG_CRITICAL_2D, 0, UINT64_C (0x14abb1765102a4e1));
  test_hash (1, 1, 0.01, UINT64_C (0xa0d0431596ae26ee));
  test_hash (2, VRG_CRITICAL_2D, 0.01, UINT64_C (0x4999c8c7e8a3e2bf));
  test_hash (3, 0.2216546, 0, UINT64_C (0x948893309832df2e));
  test_hash (3, 0.2216546, 0.01, UINT64_C (0xf585c2ba4a8df5f9));
  test_traffic ();
  if (check_size_ == 1)
    {
      test_exact (0.3, 0.1);
      test_exact (VRG_CRITICAL_2D, -0.05);
      test_exact (-0.2, 0.3);
    }

  const int64_t square[2] = { 65536, 65536 }, cube[3] = { 2048, 2048, 2048 };
  check (vrg_cluster_check (2, square, 1) == VRG_USAGE && strstr (vrg_error_text (), "at least 3 strips")
           && vrg_cluster_check (2, square, 3) == VRG_OK,
         "strips of too many sites are refused, with the number needed");
  check (vrg_cluster_strips (3, cube) == 5 && vrg_cluster_check (3, cube, 5) == VRG_OK, "2048^3 takes 5 strips");
  return check_end ();
}
