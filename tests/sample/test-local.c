/* SPDX-License-Identifier: GPL-3.0-or-later
 * Local updates of any Hamiltonian against their definition site by site, and the same bits for any number of strips
 * and on every vector path.
 * ranks: 1 2 3 4 */
#include "sample/local.h"

#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "check.h"
#include "lattice/operators.h"
#include "local-field.h"
#include "parallel/grid.h"

#define SWEEPS 5

static const vrg_hamiltonian all = { 0.3, 0.08, -0.05, 0.02 }, nn_field = { 0.4, 0, 0, -0.1 }, nn = { 0.44, 0, 0, 0 };

/** The local fields are the changes of the operators' sums; also on tori of 4, where images meet. */
static void
test_fields (int64_t rows, int64_t columns)
{
  vrg_operator even[3], single;
  const vrg_operator *operators[4];
  vrg_operators_catalogue (2, false, 3, even, operators);
  vrg_operators_catalogue (2, true, 1, &single, operators + 3);
  vrg_rng rng;
  vrg_rng_init (&rng, 3, 0, 0);
  vrg_lattice *lattice = vrg_lattice_new (rows, columns, 0, rows);
  vrg_lattice_random (lattice, &rng);
  bool good = true;
  int64_t before[4], after[4];
  vrg_operators_sum (lattice, 4, operators, before);
  local_sums sums = local_sums_of (lattice);
  good = good && !memcmp (&sums, before, sizeof before);
  for (int64_t i = 0; i < rows * columns; i++)
    {
      int64_t y = i / columns, x = i % columns;
      int spin = vrg_lattice_get (lattice, y, x);
      local_sums field = local_field (lattice, 0, y, x);
      int64_t expected[4] = { field.nn, field.nnn, field.plaquette, field.field };
      vrg_lattice_set (lattice, y, x, -spin);
      vrg_operators_sum (lattice, 4, operators, after);
      for (int a = 0; a < 4; a++)
        good = good && after[a] - before[a] == -2 * spin * expected[a];
      vrg_lattice_set (lattice, y, x, spin);
    }
  check (good, "%lld x %lld: local fields are those of the operators", (long long) rows, (long long) columns);
  vrg_lattice_free (lattice);
}

/** One sweep as local.h defines it. */
static void
define_sweep (vrg_lattice *lattice, const vrg_hamiltonian *h, bool heat_bath, const vrg_rng *rng, uint64_t sweep)
{
  int64_t height = lattice->dimension == 3 ? lattice->plane : lattice->rows;
  int64_t blocks = (lattice->columns + 7) / 8;
  for (int sublattice = 0; sublattice < 4; sublattice++)
    for (int64_t row = 0; row < lattice->rows; row++)
      for (int64_t x = sublattice % 2; x < lattice->columns; x += 2)
        if ((row / height + row % height) % 2 == sublattice / 2)
          {
            uint64_t block[2];
            int64_t j = x / 2;
            vrg_rng_block (rng, VRG_RNG_LOCAL, (uint64_t) (row / 2 * blocks + j / 4), sweep, (uint32_t) sublattice,
                           block);
            uint32_t u = (uint32_t) (block[j % 4 / 2] >> 32 * (j % 2));
            int spin = vrg_lattice_get (lattice, row, x);
            local_sums f = local_field (lattice, row / height, row % height, x);
            double field
              = h->nn * (double) f.nn + h->field + (h->nnn * (double) f.nnn + h->plaquette * (double) f.plaquette);
            double y = 2 * spin * field, p = heat_bath                           ? 1 / (1 + vrg_exp (y))
                                             : y > 0                             ? vrg_exp (-y)
                                             : y == 0 && lattice->dimension == 1 ? 0.5
                                                                                 : 1;
            if (u < vrg_rng_threshold (p))
              vrg_lattice_set (lattice, row, x, -spin);
          }
}

/** Every number of strips up to that of ranks, every path. */
static void
test_size (int dimension, const int64_t *size, const vrg_hamiltonian *h, bool heat_bath)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 7, 2, 3);
  const int64_t layers = dimension == 1 ? 1 : size[0];
  vrg_lattice *whole = vrg_lattice_new_size (dimension, size, 0, layers);
  vrg_lattice_random (whole, &rng);
  for (uint64_t t = 1; t <= SWEEPS; t++)
    define_sweep (whole, h, heat_bath, &rng, t);

  bool good = true;
  for (int strips = 1; strips <= check_size_ && (strips == 1 || strips <= layers / 2); strips++)
    {
      MPI_Comm comm;
      MPI_Comm_split (MPI_COMM_WORLD, check_rank_ < strips ? 0 : MPI_UNDEFINED, check_rank_, &comm);
      if (comm == MPI_COMM_NULL)
        continue;
      int64_t layer0, layer1;
      vrg_grid_span (layers, strips, check_rank_, &layer0, &layer1);
      vrg_lattice *strip = vrg_lattice_new_size (dimension, size, layer0, layer1);
      for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
        {
          vrg_simd_set ((vrg_simd_path) path);
          vrg_local *local = vrg_local_new (strip, h, heat_bath);
          vrg_lattice_random (strip, &rng);
          for (uint64_t t = 1; t <= SWEEPS; t++)
            vrg_local_sweep (local, comm, strip, &rng, t);
          vrg_local_free (local);
          for (int64_t y = strip->row0; y < strip->row1; y++)
            good = good
                   && !memcmp (vrg_lattice_row (strip, y - strip->row0), vrg_lattice_row (whole, y),
                               (size_t) whole->stride * 8);
        }
      vrg_lattice_free (strip);
      MPI_Comm_free (&comm);
    }
  check (good, "%s, %lld x %lld in %dD, K = %g %g %g %g: as defined, on any strips and path",
         heat_bath ? "heat bath" : "Metropolis", (long long) whole->rows, (long long) whole->columns, dimension, h->nn,
         h->nnn, h->plaquette, h->field);
  vrg_lattice_free (whole);
}

/** The answer for ever: spins after some sweeps, as one number. */
static void
test_hash (bool heat_bath, uint64_t expected)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  vrg_lattice *lattice = vrg_lattice_new (64, 64, 0, 64);
  vrg_local *local = vrg_local_new (lattice, &all, heat_bath);
  vrg_lattice_random (lattice, &rng);
  for (uint64_t t = 1; t <= SWEEPS; t++)
    vrg_local_sweep (local, MPI_COMM_SELF, lattice, &rng, t);
  uint64_t hash = 0;
  for (int64_t y = 0; y < 64; y++)
    hash = (hash ^ vrg_lattice_row (lattice, y)[0]) * UINT64_C (0x9E3779B97F4A7C15);
  check (hash == expected, "%s 64 x 64: spins hash to %016llx", heat_bath ? "heat bath" : "Metropolis",
         (unsigned long long) hash);
  vrg_local_free (local);
  vrg_lattice_free (lattice);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_fields (4, 4);
  test_fields (4, 6);
  test_fields (8, 66);

  static const int64_t flat[][2] = { { 4, 4 },   { 8, 4 },   { 4, 10 },   { 10, 66 }, { 12, 70 },
                                     { 64, 64 }, { 130, 6 }, { 14, 128 }, { 8, 600 }, { 14, 1028 } };
  for (int i = 0; i < (int) (sizeof flat / sizeof *flat); i++)
    for (int heat_bath = 0; heat_bath < 2; heat_bath++)
      {
        test_size (2, flat[i], &all, heat_bath);
        test_size (2, flat[i], &nn_field, heat_bath);
      }
  static const int64_t cubes[][3] = { { 4, 4, 4 }, { 6, 4, 10 }, { 4, 8, 6 }, { 8, 6, 66 }, { 10, 10, 128 } };
  for (int i = 0; i < (int) (sizeof cubes / sizeof *cubes); i++)
    for (int heat_bath = 0; heat_bath < 2; heat_bath++)
      test_size (3, cubes[i], &nn_field, heat_bath);
  static const int64_t rings[] = { 4, 8, 66, 128, 3000 };
  for (int i = 0; i < (int) (sizeof rings / sizeof *rings); i++)
    for (int heat_bath = 0; heat_bath < 2; heat_bath++)
      {
        test_size (1, &rings[i], &nn_field, heat_bath);
        test_size (1, &rings[i], &nn, heat_bath);
      }

  /* thresholds of nothing and of everything; antiferromagnet; no coupling at all */
  for (int heat_bath = 0; heat_bath < 2; heat_bath++)
    {
      test_size (2, flat[3], &nn, heat_bath);
      test_size (2, flat[3], &(vrg_hamiltonian){ 20, -7, 3, 1 }, heat_bath);
      test_size (2, flat[3], &(vrg_hamiltonian){ -0.3, 0, 0, 0.2 }, heat_bath);
      test_size (2, flat[3], &(vrg_hamiltonian){ 0, 0, 0, 0 }, heat_bath);
    }
  test_hash (false, UINT64_C (0xe414bebc40f419c1));
  test_hash (true, UINT64_C (0xad8291f29097a959));
  return check_end ();
}
