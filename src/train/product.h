/* SPDX-License-Identifier: GPL-3.0-or-later
 * Products of integers with bits, and units drawn from fields, for dense.c.  Integers only, so every path and order
 * gives the same bits.  All functions are local; none allocates.
 *
 * Lanes are what a vector holds: samples in the products v -> h and h -> v, visible units in the gradient.  Bits are
 * kept as PLANES of indices: five bits of a lane in one int32, plane [group][lane], bit k of group g being bit 5 g + k
 * of the lane.  A sum of five weights is then one look-up in a table of 32 partial sums ("four Russians"), which on
 * AVX-512 is two registers and one instruction for 16 lanes.
 *
 * A unit s = +-1 is a bit: sum w s = -sum w + sum (2 w) bit, so matrices hold 2 w and `base` holds bias - sum w.
 * Nothing overflows: with sum |w| + |bias| below VRG_LAYER_BOUND = 1023 at every unit, in fixed point below 2^30,
 * a partial sum of base and any of the 2 w, in any order and over any strips, is the field of units of which the
 * others are -1, so below 2^30 in size; a table's entry is below 2 sum |w| < 2^31.  In a gradient the w are the means
 * of at most 1024 samples, each at most 2^20 in size, and sums at most 2^30 likewise. */
#ifndef VRG_TRAIN_PRODUCT_H
#define VRG_TRAIN_PRODUCT_H

#include <stdint.h>

#include "base/rng.h"

#define VRG_LANES 16
#define VRG_GROUP 5 /* bits of an index */

/** n rounded up to whole vectors. */
static inline int64_t
vrg_lanes (int64_t n)
{
  return (n + VRG_LANES - 1) / VRG_LANES * VRG_LANES;
}

/** Groups that n bits take. */
static inline int64_t
vrg_groups (int64_t n)
{
  return (n + VRG_GROUP - 1) / VRG_GROUP;
}

/** `rows` rows of n masters, x_pitch apart, to doubled fixed point w, pitch apart.  Added up are each row's weights
 *  (sum) and their sizes (size), and for each column minus the weights (base) and their sizes (column).  A master that is
 *  not below VRG_LAYER_BOUND counts as the bound, so that sizes tell; those of columns stop at 2^30, beyond it, lest they
 *  overflow. */
void vrg_product_round (int64_t rows, int64_t n, const double *x, int64_t x_pitch, int32_t *w, int64_t pitch,
                        int32_t *base, uint32_t *column, int64_t *sum, int64_t *size);

/** out [rows][lanes] = base [rows] + sum over k of a [m * row + k * step] bit k, m the row; planes [groups][lanes],
 *  indices below 32; lanes a multiple of VRG_LANES.  Either row or step is 1.  All 5 `groups` weights of a row are read,
 *  and with row = 1 those of whole vectors of rows. */
void vrg_product (int64_t rows, int64_t groups, int64_t lanes, const int32_t *a, int64_t row, int64_t step,
                  const int32_t *base, const int32_t *planes, int32_t *out);

/** Random numbers: blocks from `index` on, see base/rng.h. */
typedef struct
{
  const vrg_rng *rng;
  vrg_rng_purpose purpose;
  int64_t index, step;
  uint32_t draw;
} vrg_numbers;

/** A vector of lanes of `units` units: a unit is +1 if its random number is below vrg_probability (field).  Unit u
 *  takes blocks 4 u to 4 u + 3, the 16 numbers of its lanes.  fields [units][pitch], planes [groups][pitch]; bits
 *  beyond the last unit are 0. */
void vrg_product_draw (const vrg_numbers *numbers, int64_t units, int64_t pitch, const int32_t *fields,
                       int32_t *planes);

/** means [i] = vrg_mean (fields [i]); n a multiple of VRG_LANES. */
void vrg_product_mean (int64_t n, const int32_t *fields, int32_t *means);

/** n <= 64 lanes of planes [groups][pitch] as words [5 groups]: bit l of a word is lane l's. */
void vrg_product_words (int64_t groups, int64_t n, int64_t pitch, const int32_t *planes, uint64_t *words);

#endif
