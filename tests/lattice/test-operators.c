/* SPDX-License-Identifier: GPL-3.0-or-later
 * Images of operators, their sums and local environments against loops over spins in one, two and three dimensions, on
 * every vector path.
 * ranks: 1 */
#include <stdlib.h>
#include <string.h>

#include "base/simd.h"
#include "lattice/operators.h"
#include "tests/check.h"

#define MOST 40
#define MOST_ENVIRONMENTS 3000000

static const int64_t sizes_1[][3]
  = { { 2 }, { 3 }, { 4 }, { 5 }, { 8 }, { 17 }, { 63 }, { 64 }, { 65 }, { 96 }, { 128 }, { 130 }, { 640 }, { 5000 } };
static const int64_t sizes_2[][3]
  = { { 2, 2 },   { 3, 3 },   { 4, 4 },    { 5, 7 },    { 8, 8 },    { 2, 130 },  { 63, 65 }, { 64, 64 },
      { 66, 10 }, { 10, 66 }, { 70, 130 }, { 4, 640 },  { 129, 64 }, { 16, 16 },  { 32, 32 }, { 45, 45 },
      { 15, 15 }, { 9, 3 },   { 12, 20 },  { 300, 31 }, { 1, 9 },    { 128, 128 } };
static const int64_t sizes_3[][3]
  = { { 2, 2, 2 },    { 3, 3, 3 },    { 4, 4, 4 },  { 5, 2, 3 },  { 2, 3, 7 },   { 8, 8, 8 },
      { 16, 16, 16 }, { 9, 9, 9 },    { 6, 5, 66 }, { 8, 4, 2 },  { 3, 8, 130 }, { 12, 20, 10 },
      { 40, 3, 32 },  { 24, 24, 24 }, { 2, 5, 64 }, { 7, 1, 128 } };

/* Spins as a plain array, [z][y][x] with sides of 1 for dimensions that are not there. */
typedef struct
{
  int dimension;
  int64_t side[3];
  int *spin;
} plain;

static int64_t
sites (const plain *p)
{
  return p->side[0] * p->side[1] * p->side[2];
}

/* Site of offset (slowest first, of the lattice's own dimensions) from (z, y, x). */
static int64_t
site_at (const plain *p, const int64_t at[3], const int *offset, int sign)
{
  int64_t place = 0;
  for (int d = 0; d < 3; d++)
    {
      const int own = d - (3 - p->dimension);
      const int64_t i = at[d] + (own < 0 ? 0 : sign * offset[own]);
      place = place * p->side[d] + ((i % p->side[d]) + p->side[d]) % p->side[d];
    }
  return place;
}

static int
product (const plain *p, const vrg_operator *op, int image, const int64_t at[3])
{
  int value = 1;
  for (int i = 0; i < op->sites; i++)
    value *= p->spin[site_at (p, at, op->offset[image][i], 1)];
  return value;
}

static int64_t
naive_sum (const plain *p, const vrg_operator *op)
{
  int64_t sum = 0, at[3];
  for (at[0] = 0; at[0] < p->side[0]; at[0]++)
    for (at[1] = 0; at[1] < p->side[1]; at[1]++)
      for (at[2] = 0; at[2] < p->side[2]; at[2]++)
        for (int image = 0; image < op->images; image++)
          sum += product (p, op, image, at);
  return sum;
}

/* s m_a of a site: half of what S_a loses when the spin is turned, from every image that can hold the site. */
static int64_t
naive_local (const plain *p, const vrg_operator *op, const int64_t at[3])
{
  const int none[3] = { 0 };
  int64_t change = 0, box[3] = { 1, 1, 1 };
  int extent = 0, *spin = &p->spin[site_at (p, at, none, 1)];
  for (int i = 0; i < op->images; i++)
    for (int q = 0; q < op->sites; q++)
      for (int d = 0; d < 3; d++)
        extent = op->offset[i][q][d] > extent ? op->offset[i][q][d] : extent;
  for (int d = 3 - p->dimension; d < 3; d++)
    box[d] = extent + 1 < p->side[d] ? extent + 1 : p->side[d];
  for (int turn = 0; turn < 2; turn++, *spin = -*spin)
    for (int64_t z = 0; z < box[0]; z++)
      for (int64_t y = 0; y < box[1]; y++)
        for (int64_t x = 0; x < box[2]; x++)
          for (int image = 0; image < op->images; image++)
            change
              += (turn == 0 ? 1 : -1) * product (p, op, image, (const int64_t[]){ at[0] - z, at[1] - y, at[2] - x });
  return change / 2;
}

/* A pattern of a user: negative offsets, no symmetry, many sites, far apart. */
static vrg_pattern
own_pattern (int dimension, int n)
{
  static const int places[8][3]
    = { { -8, 3, 1 }, { 0, 0, 0 }, { 8, -1, 2 }, { 1, 8, -3 }, { 2, -2, 0 }, { -1, 0, 5 }, { 4, 1, 1 }, { 7, -8, -8 } };
  vrg_pattern pattern = { .name = "own", .sites = n };
  for (int i = 0; i < n; i++)
    for (int d = 0; d < dimension; d++)
      pattern.offset[i][d] = places[i][d];
  return pattern;
}

/* The n operators of a parity there are: the catalogue's, then the user's. */
static int
list_operators (int dimension, bool odd, vrg_operator *ops, const vrg_operator **pointers)
{
  const vrg_pattern *patterns;
  int n = vrg_catalogue (dimension, odd, &patterns);
  vrg_operators_catalogue (dimension, odd, n, ops, pointers);
  for (int k = odd ? 3 : 4; k <= (odd ? 7 : 8); k += odd ? 4 : 4)
    {
      const vrg_pattern own = own_pattern (dimension, k);
      vrg_operator_init (&ops[n], dimension, &own);
      pointers[n] = &ops[n];
      n++;
    }
  return n;
}

static void
check_environments (const plain *p, const int64_t *size, const vrg_lattice *lattice, int n,
                    const vrg_operator *const *ops)
{
  int reach[MOST];
  const int64_t environments = vrg_operators_reach (p->dimension, size, n, ops, reach);
  if (environments < 0 || environments > MOST_ENVIRONMENTS)
    return;
  int64_t *counts = vrg_new (environments, sizeof *counts, "counts"), at[3];
  int64_t *expected = vrg_new (environments, sizeof *expected, "counts");
  for (at[0] = 0; at[0] < p->side[0]; at[0]++)
    for (at[1] = 0; at[1] < p->side[1]; at[1]++)
      for (at[2] = 0; at[2] < p->side[2]; at[2]++)
        {
          int64_t key = 0, stride = 1;
          for (int a = 0; a < n; a++)
            {
              key += (naive_local (p, ops[a], at) + reach[a]) / 2 * stride;
              stride *= reach[a] + 1;
            }
          expected[key]++;
        }
  for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
    if (vrg_simd_set ((vrg_simd_path) path) == (vrg_simd_path) path)
      {
        memset (counts, 0, (size_t) environments * sizeof *counts);
        vrg_operators_environments (lattice, n, ops, counts);
        check (!memcmp (counts, expected, (size_t) environments * sizeof *counts),
               "environments of %d operators, %d x %d x %d, %s", n, (int) p->side[0], (int) p->side[1],
               (int) p->side[2], vrg_simd_name ((vrg_simd_path) path));
      }
  vrg_free (counts);
  vrg_free (expected);
}

/* Those of n operators whose images are within 3 sites each way. */
static int
list_close (int n, const vrg_operator *const *all, const vrg_operator **close)
{
  int m = 0;
  for (int a = 0; a < n; a++)
    {
      bool near = true;
      for (int i = 0; i < all[a]->images; i++)
        for (int q = 0; q < all[a]->sites; q++)
          for (int d = 0; d < 3; d++)
            near = near && all[a]->offset[i][q][d] < 3;
      if (near)
        close[m++] = all[a];
    }
  return m;
}

static void
check_size (int dimension, const int64_t *size)
{
  vrg_operator ops[2 * MOST];
  const vrg_operator *all[2 * MOST], *close[2 * MOST];
  const int even = list_operators (dimension, false, ops, all),
            n = even + list_operators (dimension, true, ops + even, all + even), m = list_close (n, all, close);
  plain p = { .dimension = dimension, .side = { 1, 1, 1 } };
  for (int d = 0; d < dimension; d++)
    p.side[3 - dimension + d] = size[d];
  p.spin = vrg_new (sites (&p), sizeof *p.spin, "spins");
  vrg_operators *plan = vrg_operators_new (dimension, size, n, all);
  vrg_operators *close_plan = vrg_operators_new (dimension, size, m, close);
  vrg_lattice *lattice = vrg_lattice_new_size (dimension, size, 0, dimension == 1 ? 1 : size[0]);

  /* two configurations: nothing is left of the first one */
  srand (1);
  bool same[3] = { true, true, true }, close_same[3] = { true, true, true };
  for (int configuration = 0; configuration < 2; configuration++)
    {
      int64_t expected[2 * MOST], sums[2 * MOST];
      for (int64_t i = 0; i < sites (&p); i++)
        {
          p.spin[i] = rand () % 100 < 65 ? 1 : -1;
          vrg_lattice_set (lattice, i / lattice->columns, i % lattice->columns, p.spin[i]);
        }
      for (int a = 0; a < n; a++)
        expected[a] = naive_sum (&p, all[a]);
      for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
        {
          vrg_simd_set ((vrg_simd_path) path);
          vrg_operators_sums (plan, lattice, sums);
          same[path] = same[path] && !memcmp (sums, expected, (size_t) n * sizeof *sums);
          vrg_operators_sums (close_plan, lattice, sums);
          for (int a = 0, c = 0; a < n && c < m; a++)
            if (all[a] == close[c])
              close_same[path] = close_same[path] && sums[c++] == expected[a];
        }
    }
  for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
    {
      check (same[path], "sums of %d operators, %d x %d x %d, path %d", n, (int) p.side[0], (int) p.side[1],
             (int) p.side[2], path);
      check (close_same[path], "sums of %d close operators, %d x %d x %d, path %d", m, (int) p.side[0], (int) p.side[1],
             (int) p.side[2], path);
    }

  const int64_t *const most = sites (&p) <= 600 ? &size[0] : NULL; /* all of them on small lattices */
  for (int first = 1; first <= (most ? even - 2 : 4); first++)
    check_environments (&p, size, lattice, first, all);
  for (int a = 5; a < even && (most || a == 9); a++)
    check_environments (&p, size, lattice, 1, all + a);
  vrg_operators_free (plan);
  vrg_operators_free (close_plan);
  vrg_lattice_free (lattice);
  vrg_free (p.spin);
}

/* Images by hand; no operator is another one's image. */
static void
check_catalogue (int dimension, bool odd, int least, const int *images)
{
  vrg_operator ops[MOST];
  const vrg_operator *all[MOST];
  const vrg_pattern *patterns;
  const int n = vrg_catalogue (dimension, odd, &patterns);
  check (n >= least, "%d %s operators in %d dimensions", n, odd ? "odd" : "even", dimension);
  vrg_operators_catalogue (dimension, odd, n, ops, all);
  for (int a = 0; a < n; a++)
    {
      check (ops[a].images == images[a], "%d dimensions: %s has %d images", dimension, ops[a].name, ops[a].images);
      check (ops[a].sites % 2 == odd, "%s is %s", ops[a].name, odd ? "odd" : "even");
      for (int b = 0; b < a; b++)
        for (int i = 0; i < ops[b].images; i++)
          if (ops[a].sites == ops[b].sites && !memcmp (ops[a].offset[0], ops[b].offset[i], sizeof ops[a].offset[0]))
            check (false, "%s is %s", ops[a].name, ops[b].name);
      check (vrg_catalogue_find (dimension, ops[a].name) == &patterns[a], "%s is found", ops[a].name);
    }
}

static void
check_images (void)
{
  check_catalogue (1, false, 4, (const int[]){ 1, 1, 1, 1 });
  check_catalogue (1, true, 3, (const int[]){ 1, 1, 2 });
  check_catalogue (2, false, 13, (const int[]){ 2, 2, 1, 2, 4, 1, 2, 4, 4, 8, 2, 1, 8, 2, 2 });
  check_catalogue (2, true, 8, (const int[]){ 1, 4, 2, 2, 4, 8, 8, 1 });
  check_catalogue (3, false, 7, (const int[]){ 3, 6, 3, 4, 3, 2, 6, 8, 12, 1 });
  check_catalogue (3, true, 6, (const int[]){ 1, 12, 3, 8, 6, 3, 1 });
  for (int dimension = 1; dimension <= 3; dimension++)
    {
      static const int group[] = { 2, 8, 48 };
      const vrg_pattern own = own_pattern (dimension, 7);
      vrg_pattern moved = { .name = "own", .sites = 7 };
      vrg_operator op, same;
      vrg_operator_init (&op, dimension, &own);
      check (op.images == group[dimension - 1], "without symmetry there are %d images", op.images);
      /* turned, moved and its sites in another order, it is the same operator */
      for (int i = 0; i < 7; i++)
        for (int d = 0; d < dimension; d++)
          moved.offset[i][d] = 1 - own.offset[6 - i][dimension - 1 - d];
      vrg_operator_init (&same, dimension, &moved);
      bool good = same.images == op.images;
      for (int i = 0; i < same.images; i++)
        {
          int found = 0;
          for (int k = 0; k < op.images; k++)
            found += !memcmp (op.offset[k], same.offset[i], sizeof same.offset[i]);
          good = good && found == 1;
        }
      check (good, "%d dimensions: a turned and moved pattern has the same images", dimension);
    }
}

static void
check_reach (void)
{
  vrg_operator ops[MOST];
  const vrg_operator *all[MOST];
  int reach[MOST];
  const int plain_2[] = { 4, 4, 4, 4, 8, 4, 4 }, tiny_2[] = { 4, 4, 4, 0, 8, 0, 0 };
  vrg_operators_catalogue (2, false, 9, ops, all);
  check (vrg_operators_reach (2, (const int64_t[]){ 8, 8 }, 7, all, reach) == 140625
           && !memcmp (reach, plain_2, sizeof plain_2),
         "images through a site of a large lattice");
  check (vrg_operators_reach (2, (const int64_t[]){ 2, 2 }, 7, all, reach) == 5 * 5 * 5 * 9
           && !memcmp (reach, tiny_2, sizeof tiny_2),
         "constant products on 2 x 2 do not count");
  check (vrg_operators_reach (2, (const int64_t[]){ 8, 8 }, 9, all, reach) == 140625 * 17 * 17, "9 operators");
  int n = vrg_catalogue (2, false, &(const vrg_pattern *){ NULL });
  vrg_operators_catalogue (2, false, n, ops, all);
  check (vrg_operators_reach (2, (const int64_t[]){ 8, 8 }, n, all, reach) == -1 && reach[9] == 32,
         "too many environments are refused, their reach is known");
  const int plain_3[] = { 6, 12, 12, 8, 6, 8, 24 };
  vrg_operators_catalogue (3, false, 7, ops, all);
  check (vrg_operators_reach (3, (const int64_t[]){ 8, 8, 8 }, 7, all, reach) == 7 * 13 * 13 * 9 * 7 * 9 * 25
           && !memcmp (reach, plain_3, sizeof plain_3),
         "seven operators in three dimensions");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  check_images ();
  check_reach ();
  for (size_t i = 0; i < sizeof sizes_1 / sizeof sizes_1[0]; i++)
    check_size (1, sizes_1[i]);
  for (size_t i = 0; i < sizeof sizes_2 / sizeof sizes_2[0]; i++)
    check_size (2, sizes_2[i]);
  for (size_t i = 0; i < sizeof sizes_3 / sizeof sizes_3[0]; i++)
    check_size (3, sizes_3[i]);
  return check_end ();
}
