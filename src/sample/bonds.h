/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bits kept with a given probability: u < T of a 32-bit random number u is decided digit by digit, one random bit-plane
 * per binary digit, most significant first, until no bit is undecided.
 *
 * Plane p of the two words that start at word w (even) of a row is the block index = (row * stride + w) / 2 in the GLOBAL
 * lattice with draw = p.  A plane that is not looked at is not drawn, so the result depends neither on when the comparison
 * stops nor on the strips. */
#ifndef VRG_SAMPLE_BONDS_H
#define VRG_SAMPLE_BONDS_H

#include "base/rng.h"

/** Random numbers of a purpose and step, and what they are compared with (vrg_rng_threshold). */
typedef struct
{
  const vrg_rng *rng;
  vrg_rng_purpose purpose;
  uint64_t step, threshold;
} vrg_bonds;

/** Keep each set bit of n rows, the first of which is row `row` of the lattice, with probability threshold / 2^32.  Rows
 *  take `stride` words, a multiple of 8, of which `words` are in use.  Local. */
void vrg_bonds_keep (const vrg_bonds *bonds, int64_t row, int64_t n, int64_t words, int64_t stride, uint64_t *bits);

#endif
