/* SPDX-License-Identifier: GPL-3.0-or-later
 * Many small lattices at once: bit k of a 512-bit vector is chain k, one vector a site.  Any even sides, one, two and
 * three dimensions, nearest neighbours; Metropolis or heat bath on checkerboard colours, and parallel tempering.
 *
 * Lanes.  A set is one chain of every coupling: n_nn neighbouring lanes, couplings ascending.  floor (64 / n_nn) sets
 * share a 64-bit word and none straddles two; the eight words are a group of vrg_multispin_unit (n_nn) chains, the
 * unit in which ranks share the work.  Lane = 64 * word + n_nn * (set in the word) + (rank of the coupling).
 * Group g = chain / unit draws from the key (seed, 0, g).  No lane depends on another one but by swaps within its
 * set, so the lanes without a chain may hold anything.
 *
 * Sites.  The sites of a colour (parity of the sum of the coordinates) lie one after the other, rows as in lattice.h;
 * that is the order of updates.  A site's place in it gives its random numbers: the start is block 4 place + quarter
 * (purpose CHAINS_START, step and draw 0), and its vector number for sample/decide.h (purpose CHAINS, step = sweep) is
 * its place, in colour 1 counted from the next multiple of eight. */
#ifndef VRG_SAMPLE_MULTISPIN_H
#define VRG_SAMPLE_MULTISPIN_H

#include <stdint.h>

#include "base/param.h"

typedef struct vrg_multispin vrg_multispin;

/** Chains of a group; n_nn <= 64. */
int64_t vrg_multispin_unit (int n_nn);

/** Bytes that vrg_multispin_new takes.  Local. */
int64_t vrg_multispin_bytes (const vrg_input *input, int64_t chain0, int64_t chain1);

/** Chains [chain0, chain1) of every coupling of the input, chain0 a multiple of the unit.  All spins -1.  Updates are
 *  those of input->algorithm: heat bath, Metropolis, or Metropolis with swaps.  The input is not kept.  Local. */
vrg_multispin *vrg_multispin_new (const vrg_input *input, int64_t chain0, int64_t chain1);
void vrg_multispin_free (vrg_multispin *multispin);

/** Hot start: independent fair spins.  Local. */
void vrg_multispin_start (vrg_multispin *multispin);

/** Sweep number `sweep` of all chains: every site of colour 0, then of colour 1; tempering: then a round of swaps.
 *  Local. */
void vrg_multispin_sweep (vrg_multispin *multispin, uint64_t sweep);

/** Spins as [coupling][chain][row][word], couplings in input order, rows and bits as in lattice.h without padding; and
 *  back.  Local. */
void vrg_multispin_pack (const vrg_multispin *multispin, uint64_t *packed);
void vrg_multispin_unpack (vrg_multispin *multispin, const uint64_t *packed);

/** S_nn and the sum of spins, [coupling][chain], couplings in input order; either may be NULL.  Local. */
void vrg_multispin_observe (const vrg_multispin *multispin, int64_t *bonds, int64_t *magnetisation);

/** Tempering: swaps tried and done between couplings number pair and pair + 1 in ascending order, by this object's
 *  chains since it was made.  Local. */
void vrg_multispin_swaps (const vrg_multispin *multispin, int pair, int64_t *attempts, int64_t *accepted);

#endif
