/* SPDX-License-Identifier: GPL-3.0-or-later
 * A strip of a periodic lattice of one, two or three dimensions, one bit a spin, with a halo each way. */
#ifndef VRG_LATTICE_LATTICE_H
#define VRG_LATTICE_LATTICE_H

#include <stdint.h>

#include "base/rng.h"

/** Rows row0..row1-1 of `rows`.  Bit x % 64 of word x / 64 of a row is column x, 1 = spin +1; bits from `columns` on
 *  are 0.  A row takes `stride` words (a multiple of 8: the logical vector is 512 bits), `words` of them in use.
 *  Columns are the fastest dimension.  In three dimensions row z * plane + y is row y of plane z, and strips are cut
 *  between planes; in one dimension there is one row.  `plane` rows make a layer of the slowest dimension (1 in one and two
 *  dimensions).  spins points at row row0; the `plane` rows before and after the strip's own are the halo.
 *  Owns its memory. */
typedef struct
{
  int dimension;
  int64_t rows, columns, plane;
  int64_t row0, row1;
  int64_t words, stride;
  uint64_t *spins;
  uint64_t *storage;
} vrg_lattice;

/** Flat sizes of a lattice with sides size[dimension], slowest first.  Local. */
void vrg_lattice_flat (int dimension, const int64_t *size, int64_t *rows, int64_t *columns, int64_t *plane);

/** Layers [layer0, layer1) of the slowest dimension; one dimension: layers [0, 1), the whole lattice.  All spins -1.  Local. */
vrg_lattice *vrg_lattice_new_size (int dimension, const int64_t *size, int64_t layer0, int64_t layer1);

/** Two dimensions.  All spins -1.  Local. */
vrg_lattice *vrg_lattice_new (int64_t rows, int64_t columns, int64_t row0, int64_t row1);
void vrg_lattice_free (vrg_lattice *lattice);

/** Row y counted from row0, -plane <= y < row1 - row0 + plane. */
static inline uint64_t *
vrg_lattice_row (const vrg_lattice *lattice, int64_t y)
{
  return lattice->spins + y * lattice->stride;
}

/** Spin +1 or -1 at row y (from row0), column x. */
static inline int
vrg_lattice_get (const vrg_lattice *lattice, int64_t y, int64_t x)
{
  return (int) (vrg_lattice_row (lattice, y)[x / 64] >> (x % 64) & 1) * 2 - 1;
}
void vrg_lattice_set (vrg_lattice *lattice, int64_t y, int64_t x, int spin);

/** Hot start: independent fair spins, from purpose START.  Halo rows are not touched.  Local. */
void vrg_lattice_random (vrg_lattice *lattice, const vrg_rng *rng);

/** Pack own rows into words [row][words] as files hold them, and back.  Local. */
void vrg_lattice_pack (const vrg_lattice *lattice, uint64_t *packed);
void vrg_lattice_unpack (vrg_lattice *lattice, const uint64_t *packed);

/** out bit x = in bit (x + shift) mod columns, any shift; out != in; unused bits of out are 0.  Local. */
void vrg_row_shift (uint64_t *out, const uint64_t *in, int64_t columns, int64_t shift);

/** Mask of the bits in use in the last word of a row. */
static inline uint64_t
vrg_row_last_mask (int64_t columns)
{
  return columns % 64 ? (UINT64_C (1) << (columns % 64)) - 1 : ~UINT64_C (0);
}

#endif
