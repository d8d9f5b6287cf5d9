/* SPDX-License-Identifier: GPL-3.0-or-later
 * Observables of configurations against sums over sites, on any strips.  ranks: 1 2 3 4 */
#include "tests/train/stacks.h"

#include <string.h>

#include "train/observables.h"

#define SAMPLES 60
#define NN 0.7

static int
spin (const uint64_t *lattice, int64_t words, int64_t y, int64_t x)
{
  return (int) (lattice[y * words + x / 64] >> x % 64 & 1) * 2 - 1;
}

static const vrg_observed *
find (const vrg_observed *list, int n, const char *quantity, int64_t distance)
{
  for (int i = 0; i < n; i++)
    if (strcmp (list[i].quantity, quantity) == 0 && list[i].distance == distance)
      return &list[i];
  return NULL;
}

/** Random configurations with a magnetisation of their own. */
static void
compare (int64_t rows, int64_t columns)
{
  const int64_t words = (columns + 63) / 64, whole = rows * words, sites = rows * columns;
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, rows > 1 ? stacks_strips (check_size_, rows) : 1);
  int64_t row0, row1, n = 0, number[SAMPLES];
  vrg_grid_span (rows, grid->strips, grid->strip, &row0, &row1);
  uint64_t *all = vrg_new (SAMPLES * whole, sizeof *all, "spins"),
           *own = vrg_new (SAMPLES * whole, sizeof *own, "spins");
  double e = 0, e2 = 0, m1 = 0, m2 = 0, m4 = 0, nnn = 0, far[2] = { 0 };
  for (int64_t s = 0; s < SAMPLES; s++)
    {
      uint64_t *lattice = all + s * whole;
      for (int64_t i = 0; i < sites; i++)
        if (stacks_random (3, (uint64_t) (s * sites + i)) < 0.5 * stacks_random (4, (uint64_t) s))
          lattice[i / columns * words + i % columns / 64] |= UINT64_C (1) << i % columns % 64;
      double bonds = 0, m = 0;
      for (int64_t y = 0; y < rows; y++)
        for (int64_t x = 0; x < columns; x++)
          {
            const int here = spin (lattice, words, y, x), below = (int) ((y + 1) % rows);
            bonds += here * spin (lattice, words, y, (x + 1) % columns);
            if (rows > 1)
              bonds += here * spin (lattice, words, below, x);
            nnn += here
                   * (spin (lattice, words, below, (x + 1) % columns)
                      + spin (lattice, words, below, (x + columns - 1) % columns));
            far[0] += here * spin (lattice, words, (y + rows / 2) % rows, x);
            far[1] += here * spin (lattice, words, y, (x + 3) % columns);
            m += here;
          }
      const double n_sites = (double) sites;
      e -= bonds / n_sites / SAMPLES;
      e2 += bonds * bonds / (n_sites * n_sites) / SAMPLES;
      m1 += fabs (m) / n_sites / SAMPLES;
      m2 += m * m / (n_sites * n_sites) / SAMPLES;
      m4 += pow (m / n_sites, 4) / SAMPLES;
      if (s % grid->groups == grid->group)
        {
          memcpy (own + n * (row1 - row0) * words, lattice + row0 * words,
                  (size_t) ((row1 - row0) * words) * sizeof *own);
          number[n++] = s;
        }
    }
  vrg_observables *o = vrg_observables_new (rows, columns, SAMPLES, 3);
  vrg_observables_add (grid, o, n / 2, number, own);
  vrg_observables_add (grid, o, n - n / 2, number + n / 2, own + n / 2 * (row1 - row0) * words);
  vrg_observables_sum (grid, o);
  vrg_observed list[VRG_OBSERVED_MOST];
  const int found = vrg_observables_estimate (o, NN, list);
  /* value is corrected for bias: means are not changed by it, and the others only by O(1 / samples) */
  check_abs (find (list, found, "energy", 0)->value, e, 1e-10, "energy");
  check_abs (find (list, found, "abs_m", 0)->value, m1, 1e-10, "magnetisation");
  check_abs (find (list, found, "m2", 0)->value, m2, 1e-10, "its square");
  const vrg_observed *c = find (list, found, "specific_heat", 0), *b = find (list, found, "binder", 0);
  check_abs (c->value, NN * NN * (double) sites * (e2 - e * e), 0.5 * c->error, "specific heat");
  check_abs (b->value, 1 - m4 / (3 * m2 * m2), 0.5 * b->error, "Binder cumulant");
  check_abs (find (list, found, "two_point_column", 3)->value, far[1] / (double) sites / SAMPLES, 1e-10,
             "three columns apart");
  if (rows > 1)
    {
      check_abs (find (list, found, "nnn", 0)->value, nnn / (double) sites / SAMPLES, 1e-10, "next-nearest neighbours");
      check_abs (find (list, found, "two_point_row", rows / 2)->value, far[0] / (double) sites / SAMPLES, 1e-10,
                 "half the lattice apart");
    }
  check (find (list, found, "two_point_row", rows / 2 + 1) == NULL
           && find (list, found, "two_point_column", columns / 2 + 1) == NULL,
         "no distance beyond half the lattice");

  vrg_grid *self = vrg_grid_new (MPI_COMM_SELF, 1);
  vrg_observables *one = vrg_observables_new (rows, columns, SAMPLES, 3);
  for (int64_t s = SAMPLES - 1; s >= 0; s--)
    vrg_observables_add (self, one, 1, &s, all + s * whole);
  vrg_observables_sum (self, one);
  vrg_observed same[VRG_OBSERVED_MOST];
  bool equal = vrg_observables_estimate (one, NN, same) == found;
  for (int i = 0; i < found && equal; i++)
    equal = memcmp (&same[i].value, &list[i].value, 2 * sizeof (double)) == 0;
  check (equal, "the same bits on any ranks, in any order");
  check (vrg_observables_parity (one) == vrg_observables_parity (o), "and the difference of chains");
  vrg_observables_free (one);
  vrg_observables_free (o);
  vrg_free (all);
  vrg_free (own);
  vrg_grid_free (self);
  vrg_grid_free (grid);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  compare (8, 8);
  compare (12, 100);
  compare (1, 70);
  return check_end ();
}
