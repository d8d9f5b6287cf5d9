/* SPDX-License-Identifier: GPL-3.0-or-later
 * Energy and magnetisation by XOR and popcount. */
#include "lattice/observe.h"

#include "base/simd.h"

/** Unequal bonds right and down, and spins +1, of own rows: the definition of every path. */
static inline __attribute__ ((always_inline)) void
count_body (const vrg_lattice *lattice, int64_t *unequal, int64_t *plus)
{
  int64_t words = lattice->words, last = (lattice->columns - 1) % 64, differ = 0, up = 0;
  for (int64_t y = 0; y < lattice->row1 - lattice->row0; y++)
    {
      const uint64_t *row = vrg_lattice_row (lattice, y), *below = vrg_lattice_row (lattice, y + 1);
      for (int64_t w = 0; w < words - 1; w++)
        differ += __builtin_popcountll (row[w] ^ (row[w] >> 1 | row[w + 1] << 63));
      uint64_t end = row[words - 1];
      differ += __builtin_popcountll (end ^ (end >> 1 | (row[0] & 1) << last));
      for (int64_t w = 0; w < words; w++)
        differ += __builtin_popcountll (row[w] ^ below[w]);
      for (int64_t w = 0; w < words; w++)
        up += __builtin_popcountll (row[w]);
    }
  *unequal = differ;
  *plus = up;
}

static void
count_portable (const vrg_lattice *lattice, int64_t *unequal, int64_t *plus)
{
  count_body (lattice, unequal, plus);
}

__attribute__ ((target ("avx2,popcnt"))) static void
count_avx2 (const vrg_lattice *lattice, int64_t *unequal, int64_t *plus)
{
  count_body (lattice, unequal, plus);
}

__attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,popcnt"))) static void
count_avx512 (const vrg_lattice *lattice, int64_t *unequal, int64_t *plus)
{
  count_body (lattice, unequal, plus);
}

void
vrg_observe (const vrg_lattice *lattice, int64_t *bonds, int64_t *magnetisation)
{
  void (*const paths[]) (const vrg_lattice *, int64_t *, int64_t *) = { count_portable, count_avx2, count_avx512 };
  int64_t unequal, plus, sites = (lattice->row1 - lattice->row0) * lattice->columns;
  paths[vrg_simd ()](lattice, &unequal, &plus);
  *bonds = 2 * sites - 2 * unequal;
  *magnetisation = 2 * plus - sites;
}
