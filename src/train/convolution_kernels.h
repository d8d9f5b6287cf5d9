/* SPDX-License-Identifier: GPL-3.0-or-later
 * What convolution.c does most: correlations of bits with weights, by tables of partial sums, and units drawn.
 *
 * Units of a sample are bits, 1 for +1, in planes as large as the hidden lattice (a filter's hidden units; a phase of the
 * visible ones, see convolution.c), row after row without gaps; a plane takes `pitch` bits, the number of its places
 * rounded up to whole vectors of 16.  Fields and means are laid out alike, one int32 a place.
 *
 * Units of one plane that differ in columns alone act together: 4 neighbours are an index of 4 bits, and a table of 16
 * numbers holds what each of their states adds to a field.  Indices do not depend on the row a filter sees them from, so
 * they are made once for a sample (`windows`), and a field is a sum of one entry of each table (`lookup`).
 *
 * All functions are local; integers only, so that every path gives the same bits. */
#ifndef VRG_TRAIN_CONVOLUTION_KERNELS_H
#define VRG_TRAIN_CONVOLUTION_KERNELS_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "train/layer.h"

#define VRG_SCAN_LANES 16 /* places of a vector */
#define VRG_SCAN_BITS 4   /* of an index */

/** A convolution.  Hidden unit (jy, jx) sees site (stride_rows jy + dy - top, stride jx + dx - left), 0 <= dy < filter_rows,
 *  0 <= dx < filter, periodic. */
typedef struct
{
  int64_t rows, columns, places, pitch; /* hidden lattice */
  int64_t filters, filter_rows, filter;
  int64_t stride_rows, stride, phases, top, left;
} vrg_shape;

/** One direction: from the planes of some units to the fields of others. */
typedef struct
{
  int64_t rows, columns, pitch; /* of a plane */
  int windows;                  /* arrays of indices */
  int *plane, *start;           /* [windows] bit k of the index at (y, x) is the unit at (y, x + start + k) */
  int64_t top, bottom;          /* rows that fields reach beyond a plane */
  int64_t size;                 /* numbers of an array of indices */
  int planes;                   /* of fields */
  int *first;                   /* [planes + 1] tables of a plane of fields */
  int *window;                  /* [tables] */
  int64_t *shift;               /* [tables] place p of the fields sees place p + shift, rows * columns periodically */
  int32_t (*table)[16];         /* [tables] partial sums */
  int32_t (*tap)[4];            /* [tables] the weights at the bits, -1 for none */
} vrg_scan;

/** The two directions: towards hidden units, whose planes are the filters, and towards visible ones, whose planes are the
 *  phases, row phase first.  Weights are numbered [filter][row][column]. */
void vrg_scan_init (const vrg_shape *shape, vrg_scan *hidden, vrg_scan *visible);
void vrg_scan_clear (vrg_scan *scan);

/** Tables of a plane of fields; false if the sizes of its weights and the bias sum to VRG_LAYER_BOUND or more. */
bool vrg_scan_round (vrg_scan *scan, int plane, const int32_t *weights, int32_t bias);

/** The first of the weights that the point group of the lattice takes weight `weight` to. */
int64_t vrg_shape_image (const vrg_shape *shape, int64_t weight);

/** bits [.] (and 8 bytes to read behind them) -> index [windows][size], with the rows that fields reach (rim), or with 0
 *  from the plane to a whole vector. */
void vrg_scan_windows (const vrg_scan *scan, const void *bits, bool rim, int32_t *index);

/** out [16 n] = base + sum over tables first <= t < last of table[t][index at place + shift].  Indices with a rim. */
void vrg_scan_lookup (const vrg_scan *scan, int first, int last, int64_t n, int32_t base, const int32_t *index,
                      int32_t *out);

/** sums [last - first][4][16 lanes] += means where bit k of a table's index is set, over vectors i to i + n of a plane.
 *  Indices without a rim.  means: of the plane's first place; before it are `bottom` rows, behind it `top` rows and a
 *  vector of anything. */
void vrg_scan_collect (const vrg_scan *scan, int first, int last, int64_t i, int64_t n, const int32_t *index,
                       const int32_t *means, int32_t (*sums)[4][VRG_SCAN_LANES]);

/** sums [16 lanes] += means [16 n]. */
void vrg_scan_total (int64_t n, const int32_t *means, int32_t *sums);

/** plane [rows * columns] gets its periodic neighbours: `before` numbers before it and `behind` behind it. */
void vrg_scan_fill_rim (int32_t *plane, int64_t n, int64_t before, int64_t behind);

/** bits [16 n] = 1 where the random number is below vrg_probability (field). */
void vrg_scan_sample (int64_t n, const int32_t *fields, const void *random, void *bits);

/** One sample, packed as files hold a lattice, to planes of visible units and back; bits behind the places of a plane
 *  are 0. */
void vrg_planes_unpack (const vrg_shape *shape, const uint64_t *lattice, void *planes);
void vrg_planes_pack (const vrg_shape *shape, const void *planes, uint64_t *lattice);

/** Bits that are set in n int32, or that differ from others (NULL for none); n is even. */
int64_t vrg_bits_count (int64_t n, const int32_t *bits, const int32_t *other);

static inline int64_t
vrg_floor_divide (int64_t a, int64_t b)
{
  return a / b - (a % b < 0);
}

static inline int64_t
vrg_modulo (int64_t a, int64_t b)
{
  return a - b * vrg_floor_divide (a, b);
}

/** `count` <= 56 bits from a place. */
static inline uint64_t
vrg_planes_get (const void *bits, int64_t place, int count)
{
  uint64_t word;
  memcpy (&word, (const unsigned char *) bits + place / 8, sizeof word);
  return word >> (place % 8) & ((UINT64_C (1) << count) - 1);
}

/** Set the bits that are set in `value`, `count` <= 56 of them, where there are zeros. */
static inline void
vrg_planes_put (void *bits, int64_t place, uint64_t value)
{
  uint64_t word;
  memcpy (&word, (unsigned char *) bits + place / 8, sizeof word);
  word |= value << (place % 8);
  memcpy ((unsigned char *) bits + place / 8, &word, sizeof word);
}

#endif
