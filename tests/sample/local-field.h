/* SPDX-License-Identifier: GPL-3.0-or-later
 * For tests: sums and local fields of a Hamiltonian on a whole lattice, site by site. */
#ifndef VRG_TESTS_SAMPLE_LOCAL_FIELD_H
#define VRG_TESTS_SAMPLE_LOCAL_FIELD_H

#include "lattice/lattice.h"
#include "sample/hamiltonian.h"

/** What stands beside nn, nnn, plaquette and field. */
typedef struct
{
  int64_t nn, nnn, plaquette, field;
} local_sums;

static inline double
local_exponent (const vrg_hamiltonian *h, local_sums sums)
{
  return h->nn * (double) sums.nn + h->nnn * (double) sums.nnn + h->plaquette * (double) sums.plaquette
         + h->field * (double) sums.field;
}

/** Spin at (z, y, x) of a lattice of any dimension, coordinates taken modulo the sides. */
static inline int
local_spin (const vrg_lattice *lattice, int64_t z, int64_t y, int64_t x)
{
  int64_t height = lattice->dimension == 3 ? lattice->plane : lattice->rows, depth = lattice->rows / height;
  int64_t row = (z + depth) % depth * height + (y + height) % height;
  return vrg_lattice_get (lattice, row, (x + lattice->columns) % lattice->columns);
}

/** d S_a / d s at a site (sides of at least 3: no product holds the site twice); `field` is 1. */
static inline local_sums
local_field (const vrg_lattice *lattice, int64_t z, int64_t y, int64_t x)
{
  local_sums sums = { 0, 0, 0, 1 };
  for (int d = -1; d <= 1; d += 2)
    {
      sums.nn += local_spin (lattice, z, y, x + d);
      if (lattice->dimension > 1)
        sums.nn += local_spin (lattice, z, y + d, x);
      if (lattice->dimension > 2)
        sums.nn += local_spin (lattice, z + d, y, x);
      if (lattice->dimension == 2)
        for (int e = -1; e <= 1; e += 2)
          {
            int corner = local_spin (lattice, 0, y + d, x + e);
            sums.nnn += corner;
            sums.plaquette += corner * local_spin (lattice, 0, y + d, x) * local_spin (lattice, 0, y, x + e);
          }
    }
  return sums;
}

/** S_a of a lattice whose spins are those of the first state of a walk by single flips: all -1. */
static inline local_sums
local_sums_down (const vrg_lattice *lattice)
{
  int64_t sites = lattice->rows * lattice->columns, flat = lattice->dimension == 2;
  return (local_sums){ lattice->dimension * sites, flat * 2 * sites, flat * sites, -sites };
}

/** Flip one spin and keep the sums up to date. */
static inline void
local_flip (vrg_lattice *lattice, int64_t row, int64_t x, local_sums *sums)
{
  int64_t height = lattice->dimension == 3 ? lattice->plane : lattice->rows;
  int spin = vrg_lattice_get (lattice, row, x);
  local_sums f = local_field (lattice, row / height, row % height, x);
  sums->nn -= 2 * spin * f.nn;
  sums->nnn -= 2 * spin * f.nnn;
  sums->plaquette -= 2 * spin * f.plaquette;
  sums->field -= 2 * spin;
  vrg_lattice_set (lattice, row, x, -spin);
}

/** S_a of a whole lattice, from one of its sites each. */
static inline local_sums
local_sums_of (const vrg_lattice *lattice)
{
  local_sums sums = { 0 };
  int64_t height = lattice->dimension == 3 ? lattice->plane : lattice->rows;
  for (int64_t row = 0; row < lattice->rows; row++)
    for (int64_t x = 0; x < lattice->columns; x++)
      {
        int64_t z = row / height, y = row % height;
        int spin = local_spin (lattice, z, y, x), right = local_spin (lattice, z, y, x + 1);
        sums.nn += spin * right;
        sums.field += spin;
        if (lattice->dimension > 1)
          sums.nn += spin * local_spin (lattice, z, y + 1, x);
        if (lattice->dimension > 2)
          sums.nn += spin * local_spin (lattice, z + 1, y, x);
        if (lattice->dimension == 2)
          {
            int down = local_spin (lattice, 0, y + 1, x), corner = local_spin (lattice, 0, y + 1, x + 1);
            sums.nnn += spin * corner + right * down;
            sums.plaquette += spin * right * down * corner;
          }
      }
  return sums;
}

#endif
