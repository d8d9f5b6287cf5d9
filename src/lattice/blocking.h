/* SPDX-License-Identifier: GPL-3.0-or-later
 * Block spins of a whole lattice. */
#ifndef VRG_LATTICE_BLOCKING_H
#define VRG_LATTICE_BLOCKING_H

#include "base/rng.h"
#include "lattice/lattice.h"

/** fine is rows x columns (whole), coarse rows/b x columns/b (whole); both divisible by b.  Random numbers: i = row *
 *  columns + column of the coarse site, step = sample, draw = level of the coarse lattice; rng is keyed by (seed,
 *  ensemble, 0).  A tie takes bit i % 128 of block i / 128, a learnt spin the 32-bit number i % 4 of block i / 4.
 *  Local. */

/** Sign of the block's sum; ties by a fair coin. */
void vrg_block_majority (const vrg_lattice *fine, vrg_lattice *coarse, int b, const vrg_rng *rng, int64_t sample,
                         int level);

/** What majority decides before the coins: spins + where the sum is positive, ties + where it is 0.  b * b < 65536.
 *  Local. */
void vrg_block_votes (const vrg_lattice *fine, vrg_lattice *spins, vrg_lattice *ties, int b);

/** Site (0,0) of each block. */
void vrg_block_decimation (const vrg_lattice *fine, vrg_lattice *coarse, int b);

/** P(h) proportional to exp (h x), x = sum of filter[dy * size + dx] v over the filter, centred on the block as in
 *  files/model.h, periodic (a filter wider than the lattice wraps).  filter is in fixed point (base/math.h), the sum
 *  of its absolute values below 2^31. */
void vrg_block_learnt (const vrg_lattice *fine, vrg_lattice *coarse, int b, int size, const int32_t *filter,
                       const vrg_rng *rng, int64_t sample, int level);

#endif
