/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bernoulli bits for many lanes at once: u < T of a 32-bit random number u is decided digit by digit, one random
 * bit-plane per binary digit, most significant first, until no lane is undecided.
 *
 * Plane p of the two words that start at word w (even) of a row is the block index = (row * stride + w) / 2 in the
 * GLOBAL lattice, that is 4 * (512-bit vector) + quarter, with draw = first draw + p.  A plane that is not looked at
 * is not drawn, so the result depends neither on when the comparison stops nor on the strips. */
#ifndef VRG_SAMPLE_PLANES_H
#define VRG_SAMPLE_PLANES_H

#include "base/rng.h"
#include "lattice/lattice.h"

/** Where the planes come from, and with which of two thresholds (vrg_rng_threshold) a lane is compared. */
typedef struct
{
  vrg_rng_purpose purpose;
  uint64_t step;
  uint32_t draw;
  uint64_t threshold[2];
} vrg_planes;

/** Rows of a lattice that kernels take at a time, so that their buffers stay in the cache. */
int64_t vrg_planes_rows (const vrg_lattice *lattice);

/** accept |= the lanes of `undecided` whose random number is below threshold[0], or threshold[1] where `select` is set.
 *  n words, a multiple of 8, from block index `index` on; undecided is used up, random is n words of scratch.
 *  Local. */
void vrg_planes_below (const vrg_planes *planes, const vrg_rng *rng, uint64_t index, int64_t n, const uint64_t *select,
                       uint64_t *undecided, uint64_t *accept, uint64_t *random);

#endif
