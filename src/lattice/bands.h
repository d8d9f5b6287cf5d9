/* SPDX-License-Identifier: GPL-3.0-or-later
 * Shifted copies of a whole lattice's bits, a band of layers at a time, laid out so that any translation of a band is one
 * contiguous array and so that small lattices fill vectors. */
#ifndef VRG_LATTICE_BANDS_H
#define VRG_LATTICE_BANDS_H

#include "base/catalogue.h"
#include "lattice/lattice.h"

#define VRG_BANDS_VECTOR 8                      /* words; arrays are multiples of it, and aligned to it */
#define VRG_BANDS_REACH (2 * VRG_PATTERN_REACH) /* largest offset, either way */
#define VRG_BANDS_SIDE (2 * VRG_BANDS_REACH + 1)

typedef uint64_t vrg_bands_vector __attribute__ ((vector_size (8 * VRG_BANDS_VECTOR), aligned (8), may_alias));

/** A site relative to another, by what it means for arrays: the array (copies shifted across the layer) and layers on. */
typedef struct
{
  int array, layer;
} vrg_bands_site;

/** How columns are shifted in rows of one word: the bits that move down, those that come round, columns >= 0. */
typedef struct
{
  uint64_t down, round;
  int shift;
} vrg_bands_mask;

/** A layer is what belongs to one index of the slowest dimension: a row in two dimensions, a plane in three; a chain is
 *  one layer.  The layers are cut into lanes * fields blocks of `depth`; packed layer l holds layer l of every block:
 *  block lane * fields + field in bits field * columns of word `lane`.  Going one layer on is going `unit` words on, except
 *  that the blocks move up by one at the end, which the packed layers beyond `depth` show.  Owns its memory. */
typedef struct
{
  int dimension;
  int64_t layers, plane, columns, words;
  int fields, lanes, stride; /* stride: words from a word of a row to the next, lanes or more */
  int64_t depth, unit;
  int low, high; /* layer offsets that occur */
  int copies;    /* arrays [0, copies) are shifted by `shift`: rows of the layer and columns; array 0 is not */
  int index[VRG_BANDS_SIDE][VRG_BANDS_SIDE];
  int shift[VRG_BANDS_SIDE * VRG_BANDS_SIDE][2];
  int64_t most; /* packed layers in a band */
  int64_t span; /* words from an array to the next */
  vrg_bands_mask *masks;
  uint64_t *bits, *row;
} vrg_bands;

/** Choose the layout for lattices of this size.  Local. */
void vrg_bands_init (vrg_bands *bands, int dimension, const int64_t *size);

/** Where a site is; its copy and its layer will be there.  Before vrg_bands_allocate.  Local. */
vrg_bands_site vrg_bands_need (vrg_bands *bands, const int offset[VRG_MAX_DIMENSION]);

/** Memory for the copies and `extra` arrays of the caller's.  Local. */
void vrg_bands_allocate (vrg_bands *bands, int extra);
void vrg_bands_clear (vrg_bands *bands);

/** Lay out packed layers first + low .. first + layers + high - 1 of a whole lattice; layers <= most.  Bits that are no
 *  spins are 0.  Local. */
void vrg_bands_fill (const vrg_bands *bands, const vrg_lattice *lattice, int64_t first, int64_t layers);

/** Words from bands->bits to the place of a site's band. */
static inline int64_t
vrg_bands_at (const vrg_bands *bands, vrg_bands_site site)
{
  return site.array * bands->span + (site.layer - bands->low) * bands->unit;
}

#endif
