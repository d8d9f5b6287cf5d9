/* SPDX-License-Identifier: GPL-3.0-or-later
 * Parallel tempering: chains of neighbouring couplings swap their configurations (Hukushima and Nemoto, J. Phys. Soc.
 * Jpn. 65, 1604 (1996)). */
#ifndef VRG_SAMPLE_TEMPERING_H
#define VRG_SAMPLE_TEMPERING_H

#include "base/rng.h"
#include "sample/multispin.h"

/** A round of swaps in a group, after sweep number `sweep`: between couplings a and a + 1 in ascending order where
 *  a + sweep is even, in every set.  Lane l draws 32-bit word l % 4 of block l / 4 (purpose SWAP, step = sweep, draw 0).  Local. */
void vrg_tempering_swap (vrg_multispin *multispin, int64_t group, const vrg_rng *rng, uint64_t sweep);

#endif
