/* SPDX-License-Identifier: GPL-3.0-or-later
 * Block spins of a whole lattice of one, two or three dimensions. */
#ifndef VRG_LATTICE_BLOCKING_H
#define VRG_LATTICE_BLOCKING_H

#include <stdbool.h>

#include "base/rng.h"
#include "lattice/lattice.h"

/** fine and coarse are whole lattices of one dimension, every side of fine b times that of coarse.  Random numbers: i =
 *  row * columns + column of the coarse site (rows as vrg_lattice has them), step = sample, draw = level of the coarse
 *  lattice; rng is keyed by (seed, ensemble, 0). A coin is bit i % 128 of block i / 128 of purpose TIE, a drawn spin
 *  takes the 32-bit number i % 4 of block i / 4 of purpose LEARNT. Nothing allocates memory. Local. */

/** Sign of the block's sum; ties by a fair coin.  Bit by bit for b = 2 and 3. */
void vrg_block_majority (const vrg_lattice *fine, vrg_lattice *coarse, int b, const vrg_rng *rng, int64_t sample,
                         int level);

/** What majority decides before the coins: spins + where the sum is positive, ties + where it is 0. */
void vrg_block_votes (const vrg_lattice *fine, vrg_lattice *spins, vrg_lattice *ties, int b);

/** The first site of each block. */
void vrg_block_decimation (const vrg_lattice *fine, vrg_lattice *coarse, int b);

/** A filter made ready for blocking by b; holds scratch, so one caller at a time. */
typedef struct vrg_block_filter vrg_block_filter;

/** weights[size]^dimension in fixed point (base/math.h), slowest dimension first, the sum of their absolute values
 *  below 2^31; not kept. The filter is centred on the block as in files/model.h: it begins (size - b) / 2 sites before
 *  it. */
vrg_block_filter *vrg_block_filter_new (int dimension, int b, int size, const int32_t *weights);
void vrg_block_filter_free (vrg_block_filter *filter);

/** x = sum of filter and spins, periodic (a filter wider than the lattice wraps). Drawn: P(h) proportional to
 *  exp (h x); by sign: h = sign x, a fair coin at x = 0. */
void vrg_block_field (const vrg_lattice *fine, vrg_lattice *coarse, vrg_block_filter *filter, bool by_sign,
                      const vrg_rng *rng, int64_t sample, int level);

#endif
