/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bit-sliced operator sums and local environments against loops over spins, on every vector path.
 * ranks: 1 */
#include <stdlib.h>
#include <string.h>

#include "base/simd.h"
#include "lattice/operators.h"
#include "tests/check.h"

#define EVEN 7
#define ODD 4

static const int64_t sizes[][2] = { { 2, 2 },   { 3, 3 },   { 4, 4 },   { 5, 7 },    { 8, 8 },   { 2, 130 }, { 63, 65 },
                                    { 64, 64 }, { 66, 10 }, { 10, 66 }, { 70, 130 }, { 4, 640 }, { 129, 64 } };

static int64_t
around (int64_t i, int64_t n)
{
  return ((i % n) + n) % n;
}

static int
product (const vrg_lattice *lattice, const vrg_operator *operator, int image, int64_t y, int64_t x)
{
  int value = 1;
  for (int p = 0; p < operator->sites; p++)
    value *= vrg_lattice_get (lattice, around (y + operator->offset[image][p][0], lattice->rows),
                              around (x + operator->offset[image][p][1], lattice->columns));
  return value;
}

static int64_t
naive_sum (const vrg_lattice *lattice, const vrg_operator *operator)
{
  int64_t sum = 0;
  for (int64_t y = 0; y < lattice->rows; y++)
    for (int64_t x = 0; x < lattice->columns; x++)
      for (int image = 0; image < operator->images; image++)
        sum += product (lattice, operator, image, y, x);
  return sum;
}

/* s m_a of a site: half of what S_a loses when the spin is turned. */
static int64_t
naive_local (vrg_lattice *lattice, const vrg_operator *operator, int64_t y, int64_t x)
{
  int64_t change = 0;
  int spin = vrg_lattice_get (lattice, y, x);
  for (int turn = 0; turn < 2; turn++)
    {
      vrg_lattice_set (lattice, y, x, turn == 0 ? spin : -spin);
      /* every image that can hold the site, each origin once */
      for (int64_t oy = 0; oy < (lattice->rows < 5 ? lattice->rows : 5); oy++)
        for (int64_t ox = 0; ox < (lattice->columns < 5 ? lattice->columns : 5); ox++)
          for (int image = 0; image < operator->images; image++)
            change += (turn == 0 ? 1 : -1)
                      * product (lattice, operator, image, around (y - oy, lattice->rows),
                                 around (x - ox, lattice->columns));
    }
  vrg_lattice_set (lattice, y, x, spin);
  return change / 2;
}

static void
check_size (int64_t rows, int64_t columns, vrg_simd_path path)
{
  const vrg_operator *all[EVEN + ODD];
  for (int a = 0; a < EVEN; a++)
    all[a] = vrg_operator_even (a);
  for (int a = 0; a < ODD; a++)
    all[EVEN + a] = vrg_operator_odd (a);
  vrg_lattice *lattice = vrg_lattice_new (rows, columns, 0, rows);
  srand (1);
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < columns; x++)
      vrg_lattice_set (lattice, y, x, rand () % 100 < 65 ? 1 : -1);

  bool same = true;
  int64_t sums[EVEN + ODD];
  vrg_operators_sum (lattice, EVEN + ODD, all, sums);
  for (int a = 0; a < EVEN + ODD; a++)
    same = same && sums[a] == naive_sum (lattice, all[a]);
  check (same, "sums of 11 operators, %dx%d, %s", (int) rows, (int) columns, vrg_simd_name (path));

  for (int n = 1; n <= EVEN; n += 3) /* 1, 4 and 7 operators */
    {
      int reach[EVEN];
      int64_t environments = vrg_operators_reach (rows, columns, n, all, reach);
      int64_t *counts = vrg_new (environments, sizeof *counts, "counts");
      int64_t *expected = vrg_new (environments, sizeof *expected, "counts");
      for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x++)
          {
            int64_t key = 0, stride = 1;
            for (int a = 0; a < n; a++)
              {
                key += (naive_local (lattice, all[a], y, x) + reach[a]) / 2 * stride;
                stride *= reach[a] + 1;
              }
            expected[key]++;
          }
      vrg_operators_environments (lattice, n, all, counts);
      check (!memcmp (counts, expected, (size_t) environments * sizeof *counts),
             "environments of %d operators, %dx%d, %s", n, (int) rows, (int) columns, vrg_simd_name (path));
      vrg_free (counts);
      vrg_free (expected);
    }
  vrg_lattice_free (lattice);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
    if (vrg_simd_set ((vrg_simd_path) path) == (vrg_simd_path) path)
      for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        check_size (sizes[i][0], sizes[i][1], (vrg_simd_path) path);

  const vrg_operator *all[EVEN];
  int reach[EVEN], plain[EVEN] = { 4, 4, 4, 4, 8, 4, 4 }, tiny[EVEN] = { 4, 4, 4, 0, 8, 0, 0 };
  for (int a = 0; a < EVEN; a++)
    all[a] = vrg_operator_even (a);
  check (vrg_operators_reach (8, 8, EVEN, all, reach) == 140625 && !memcmp (reach, plain, sizeof reach),
         "images through a site of a large lattice");
  check (vrg_operators_reach (2, 2, EVEN, all, reach) == 5 * 5 * 5 * 9 && !memcmp (reach, tiny, sizeof reach),
         "constant products on 2x2 do not count");
  return check_end ();
}
