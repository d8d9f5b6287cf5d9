/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bernoulli bits for vectors of 512 lanes: u < T of a 32-bit random number u is decided digit by digit, one random
 * bit-plane per binary digit, most significant first.
 *
 * After DENSE planes only about 2^-DENSE of the lanes are undecided, so vectors are decided in groups of up to eight:
 * each draws its own DENSE planes; then their undecided lanes are merged into a few vectors, the layers.  Lane i of
 * layer m serves the (m + 1)-th vector of the group, in order, that is undecided at lane i; small groups have fewer
 * layers.  Layers go on with planes of their own, and the few lanes undecided after that, or without a place in a
 * layer, are followed singly.  A random bit is used by one lane only, so all lanes are independent.
 *
 * Draws (vectors v = v0 .. v0 + n - 1 in global numbers, base draw D, a multiple of 256):
 *   dense plane p of vector v   blocks of index 4 v + quarter, draw D + p
 *   layer m, digit p            blocks of index 4 v0 + quarter, draw D + 32 (m + 1) + p
 *   single lane l of layer m    block of index 512 v0 + l, draw D + 128 + m
 *   lane l of vector v without a place    block of index 512 v + l, draw D + 128 + LAYERS
 * The low 32 bits of a single lane's block are u; digits not looked at before are taken from it, digit p (0 the most
 * significant) being bit 31 - p. */
#ifndef VRG_SAMPLE_DECIDE_H
#define VRG_SAMPLE_DECIDE_H

#include <stdbool.h>

#include "base/rng.h"

#define VRG_DECIDE_GROUP 8
#define VRG_DECIDE_CLASSES 3
#define VRG_DECIDE_DIGITS 32
#define VRG_DECIDE_DENSE 4
#define VRG_DECIDE_LAYERS 3
#define VRG_DECIDE_PLANES 9, 6, 4               /* that the layers draw */
#define VRG_DECIDE_SINGLE 128                   /* draws of single lanes, from D on */
#define VRG_DECIDE_KNOWN (VRG_DECIDE_DENSE + 9) /* digits that planes are drawn for, at most */

/** How many layers serve n vectors. */
static inline int
vrg_decide_layers (int n)
{
  return n < 3 ? n : n < 5 ? 2 : VRG_DECIDE_LAYERS;
}

/** Thresholds lane by lane. */
typedef struct
{
  _Alignas(64) uint64_t digit[VRG_DECIDE_CLASSES][VRG_DECIDE_DIGITS][8]; /* 0 the most significant */
  uint32_t threshold[VRG_DECIDE_CLASSES][512];
} vrg_decide_lanes;

/** What random numbers are compared with, and where they come from; plain data. */
typedef struct
{
  vrg_rng_purpose purpose;
  uint64_t step;
  uint32_t draw;                          /* D */
  int classes;                            /* 1 to 3 */
  bool coin;                              /* look at the group's coin lanes */
  uint32_t threshold[VRG_DECIDE_CLASSES]; /* below 2^32: what always happens the caller accepts beforehand */
  const vrg_decide_lanes *lanes;          /* not owned; NULL: every lane is compared with `threshold` */
} vrg_decide;

/** Lanes of up to eight vectors, a lane being bit l % 64 of word l / 64.  64-byte aligned. */
typedef struct
{
  _Alignas(64) uint64_t undecided[VRG_DECIDE_GROUP][8]; /* lanes to decide; used up */
  uint64_t select[2][VRG_DECIDE_GROUP][8]; /* lanes of class 1 and of class 2, disjoint (as far as there are classes) */
  uint64_t coin[VRG_DECIDE_GROUP][8];   /* of the undecided lanes, those accepted with probability 1/2, class ignored */
  uint64_t accept[VRG_DECIDE_GROUP][8]; /* lanes of `undecided` that are accepted are added to it */
} vrg_decide_group;

/** Give lane l (0 to 511) a threshold in a class. */
void vrg_decide_lanes_set (vrg_decide_lanes *lanes, int class, int lane, uint32_t threshold);

/** Decide n <= 8 vectors with global numbers from `vector` on.  Local. */
void vrg_decide_below (const vrg_decide *decide, const vrg_rng *rng, uint64_t vector, int n, vrg_decide_group *group);

#endif
