/* SPDX-License-Identifier: GPL-3.0-or-later
 * Products of fixed-point weights with units, for layer.c: integers only, so every path and order gives the same bits.
 * All functions are local; none allocates.
 *
 * A unit is an int32 mask, 0 for -1 and ~0 for +1, so that a sum of w s is 2 sum (w & mask) - sum w: kernels take the
 * part that does not depend on the units as `base` (bias - sum w).  Sums of |w| below 1023 keep all this below 2^31.
 * Rows are padded to VRG_LANES numbers; what a pad holds is not used. */
#ifndef VRG_TRAIN_PRODUCT_H
#define VRG_TRAIN_PRODUCT_H

#include <stdint.h>

#define VRG_LANES 16

/** n rounded up to whole vectors. */
static inline int64_t
vrg_lanes (int64_t n)
{
  return (n + VRG_LANES - 1) / VRG_LANES * VRG_LANES;
}

/** Dense: units v [n][visible], h [n][pitch] (0 in the pad), weights [visible][pitch] (0 in the pad).
 *  fields [n][pitch] = base [pitch] + 2 v W;  fields [n][visible] = base [visible] + 2 W h. */
void vrg_product_dense_hidden (int64_t n, int64_t visible, int64_t pitch, const int32_t *weights, const int32_t *base,
                               const int32_t *v, int32_t *fields);
void vrg_product_dense_visible (int64_t n, int64_t visible, int64_t pitch, const int32_t *weights, const int32_t *base,
                                const int32_t *h, int32_t *fields);

/** sums [visible][hidden] += sign * sum over n of s_v mean_h, s = +-1; means [n][pitch]; n <= 1024.  total [pitch] is
 *  room for the sum of the means, which is left there. */
void vrg_product_dense_gradient (int64_t n, int64_t visible, int64_t hidden, int64_t pitch, const int32_t *v,
                                 const int32_t *means, int sign, int32_t *total, int64_t *sums);

/** Geometry of a convolution of stride b.  The visible lattice is split into phases, the b*b sublattices (row mod b,
 *  column mod b), each as large as the hidden lattice, so that a tap of the filter is a shift of one phase and rows
 *  are contiguous.  A plane of units (a phase, or a filter's hidden units) is stored with a periodic rim of `rim`
 *  sites: (rows + 2 rim) rows of `width`; fields [plane][rows][pitch] have no rim.  Taps are sorted by phase. */
typedef struct
{
  int64_t rows, columns; /* hidden lattice */
  int64_t pitch, rim, width, plane;
  int filters, taps, phases;
  int *first;        /* [phases + 1] taps of a phase */
  int *place;        /* [taps] dy * filter + dx */
  int64_t *shift;    /* [taps] row shift * width + column shift: hidden (y, x) sees its phase at (y, x) + shift */
  int *row, *column; /* [taps] the same in rows and columns */
} vrg_convolution;

/** One sample: v [phases][plane], h [filters][plane], weights [filters][taps] in the order of taps.
 *  fields [filters][rows][pitch] = base [filters] + ..., fields [phases][rows][pitch] = base [phases] + ... */
void vrg_product_convolution_hidden (const vrg_convolution *c, const int32_t *weights, const int32_t *base,
                                     const int32_t *v, int32_t *fields);
void vrg_product_convolution_visible (const vrg_convolution *c, const int32_t *weights, const int32_t *base,
                                      const int32_t *h, int32_t *fields);

/** sums [filters][place] += sign * sum over hidden units of s_v mean_h; means [filters][rows][pitch], 0 in the pad.
 *  Also adds sign * the sum of each filter's means to total [filters]. */
void vrg_product_convolution_gradient (const vrg_convolution *c, const int32_t *v, const int32_t *means, int sign,
                                       int64_t *total, int64_t *sums);

/** Masks from fields: ~0 where the number is below vrg_probability (field).  random: n 32-bit numbers. */
void vrg_product_sample (int64_t n, const int32_t *fields, const void *random, int32_t *units);

/** means [i] = vrg_mean (fields [i]); n a multiple of VRG_LANES. */
void vrg_product_mean (int64_t n, const int32_t *fields, int32_t *means);

#endif
