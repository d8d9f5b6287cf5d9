/* SPDX-License-Identifier: GPL-3.0-or-later
 * Measurements against a site by site count, on every path, in one to three dimensions and on strips.
 * ranks: 1 2 3 4 */
#include <string.h>

#include "base/simd.h"
#include "check.h"
#include "lattice/observe.h"
#include "lattice/operators.h"
#include "parallel/grid.h"

/** Spin at z, y, x, each taken round. */
static int
spin (const vrg_lattice *whole, const int64_t side[3], int64_t z, int64_t y, int64_t x)
{
  return vrg_lattice_get (whole, z % side[0] * side[1] + y % side[1], x % side[2]);
}

/** Bonds and magnetisation as integers; what the wave gives in double. */
static void
count (const vrg_lattice *whole, int dimension, const int64_t side[3], vrg_observation *o, double fourier[2])
{
  memset (o, 0, sizeof *o);
  fourier[0] = fourier[1] = 0;
  for (int64_t z = 0; z < side[0]; z++)
    for (int64_t y = 0; y < side[1]; y++)
      for (int64_t x = 0; x < side[2]; x++)
        {
          const int s = spin (whole, side, z, y, x);
          const int64_t layer = dimension == 1 ? x : dimension == 2 ? y : z;
          const double angle = 2 * 3.14159265358979323846 * (double) layer / (double) side[3 - dimension];
          o->bonds += s * spin (whole, side, z, y, x + 1);
          if (dimension > 1)
            o->bonds += s * spin (whole, side, z, y + 1, x);
          if (dimension > 2)
            o->bonds += s * spin (whole, side, z + 1, y, x);
          o->magnetisation += s;
          fourier[0] += s * cos (angle);
          fourier[1] += s * sin (angle);
        }
  if (dimension == 2)
    {
      vrg_operator even[VRG_EVEN_OPERATORS];
      const vrg_operator *pointers[VRG_EVEN_OPERATORS];
      vrg_operators_catalogue (2, false, VRG_EVEN_OPERATORS, even, pointers);
      vrg_operators_sum (whole, VRG_EVEN_OPERATORS, pointers, o->even);
    }
}

static void
test_observe (int dimension, int64_t a, int64_t b, int64_t c)
{
  const int64_t side[3] = { a, b, c }, *size = side + 3 - dimension;
  vrg_rng rng;
  vrg_rng_init (&rng, 5, 0, 0);
  int64_t layer0 = 0, layer1 = 1, layers = dimension == 1 ? 1 : size[0];
  MPI_Comm comm = dimension == 1 ? MPI_COMM_SELF : MPI_COMM_WORLD;
  if (dimension > 1)
    vrg_grid_span (layers, check_size_, check_rank_, &layer0, &layer1);
  vrg_lattice *whole = vrg_lattice_new_size (dimension, size, 0, layers);
  vrg_lattice *strip = vrg_lattice_new_size (dimension, size, layer0, layer1);
  vrg_lattice_random (whole, &rng);
  vrg_lattice_random (strip, &rng);
  vrg_observation expected, first = { 0 };
  double fourier[2];
  count (whole, dimension, side, &expected, fourier);
  bool good = true, same = true, near = true;
  for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
    for (int even = 0; even < 2; even++)
      {
        vrg_observation o;
        vrg_simd_set ((vrg_simd_path) path);
        (even ? vrg_observe : vrg_observe_bonds) (comm, strip, &o);
        vrg_sum_int64 (comm, (int64_t *) &o, VRG_OBSERVED);
        good = good && o.bonds == expected.bonds && o.magnetisation == expected.magnetisation;
        for (int i = 0; i < VRG_EVEN_OPERATORS; i++)
          good = good && o.even[i] == (even ? expected.even[i] : 0);
        if (path + even == 0)
          first = o;
        for (int i = 0; i < 2; i++)
          {
            same = same && o.fourier[i] == first.fourier[i];
            /* each layer's weight is rounded, in one dimension each site's and each word's sum */
            double error = fabs ((double) o.fourier[i] / (double) VRG_FOURIER_ONE - fourier[i]);
            near = near && error < 1.5 * (double) (a * b * c) / (double) VRG_FOURIER_ONE;
          }
      }
  check (good, "%lld x %lld x %lld: sums on every path", (long long) a, (long long) b, (long long) c);
  check (same && near, "its wave");
  /* the strips add up to the bits of the whole */
  vrg_observation o;
  vrg_observe (MPI_COMM_SELF, whole, &o);
  check (o.fourier[0] == first.fourier[0] && o.fourier[1] == first.fourier[1], "the same without strips");
  vrg_lattice_free (whole);
  vrg_lattice_free (strip);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const int64_t lines[] = { 3, 4, 5, 63, 64, 65, 66, 127, 1000, 40960, 41021, 300007 };
  for (int i = 0; i < (int) (sizeof lines / sizeof *lines); i++)
    test_observe (1, 1, 1, lines[i]);
  const int64_t squares[][2] = { { 8, 4 },     { 9, 5 },     { 13, 63 },  { 64, 64 },   { 10, 65 },   { 11, 66 },
                                 { 17, 200 },  { 11, 1031 }, { 8, 1536 }, { 700, 12 },  { 300, 129 }, { 1031, 40 },
                                 { 21, 4096 }, { 30, 4097 }, { 9, 8323 }, { 5300, 12 }, { 9, 16500 }, { 13, 33000 } };
  for (int i = 0; i < (int) (sizeof squares / sizeof *squares); i++)
    test_observe (2, 1, squares[i][0], squares[i][1]);
  const int64_t cubes[][3] = { { 4, 4, 4 },    { 5, 7, 9 },     { 8, 16, 32 },  { 16, 16, 16 },  { 4, 3, 130 },
                               { 6, 700, 20 }, { 5, 40, 4161 }, { 4, 2700, 6 }, { 4, 12, 16500 } };
  for (int i = 0; i < (int) (sizeof cubes / sizeof *cubes); i++)
    test_observe (3, cubes[i][0], cubes[i][1], cubes[i][2]);
  if (check_size_ == 1)
    {
      test_observe (2, 1, 4, 4);
      test_observe (2, 1, 3, 3);
    }
  return check_end ();
}
