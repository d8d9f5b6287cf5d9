/* SPDX-License-Identifier: GPL-3.0-or-later
 * Counter-based random numbers: ARS-7 (Salmon, Moraes, Dror, Shaw, SC'11: seven rounds of AES with a Weyl key
 * schedule).  A number is a pure function of (seed, ensemble, chain; purpose, index, step, draw): no state, no
 * stream per rank.  This header fixes the layout for the whole program:
 *   key     = (seed:64, ensemble:32 | chain:32)
 *   counter = (purpose:8 | index:56, step:48 | draw:16), the first 64 bits being the low lane.
 * index is a GLOBAL site, word, unit or block index, never a rank. */
#ifndef VRG_BASE_RNG_H
#define VRG_BASE_RNG_H

#include <stdint.h>

/** What a number is for.  Values are part of every result: append, never renumber. */
typedef enum
{
  VRG_RNG_START = 1,      /* hot start: index = row * words + word pair, step 0 */
  VRG_RNG_METROPOLIS = 2, /* acceptance planes */
  VRG_RNG_BOND_RIGHT = 3, /* cluster bonds */
  VRG_RNG_BOND_DOWN = 4,
  VRG_RNG_FLIP = 5,    /* cluster flips, by root site */
  VRG_RNG_TIE = 6,     /* majority ties */
  VRG_RNG_LEARNT = 7,  /* learnt block spins */
  VRG_RNG_WEIGHT = 8,  /* initial weights */
  VRG_RNG_BATCH = 9,   /* order of samples */
  VRG_RNG_HIDDEN = 10, /* hidden units */
  VRG_RNG_VISIBLE = 11,
  VRG_RNG_PSEUDO = 12,       /* sites for the pseudo-likelihood */
  VRG_RNG_CHAINS_START = 13, /* many chains, one bit each: hot start, index = 4 * place in the order of updates +
                              quarter of the 512 chains */
  VRG_RNG_CHAINS = 14,       /* their acceptance planes, see sample/decide.h */
  VRG_RNG_SWAP = 15,         /* tempering swaps */
  VRG_RNG_LOCAL = 16,        /* local updates of general Hamiltonians, 32 bits a site */
  VRG_RNG_BOND_DEEP = 17,    /* cluster bonds to the next plane */
  VRG_RNG_GHOST = 18,        /* cluster bonds to the ghost spin of a field */
  VRG_RNG_PERMUTE = 19,      /* permuted configurations: index = sample * sites + site */
  VRG_RNG_TEST = 255
} vrg_rng_purpose;

/** Expanded key of one (seed, ensemble, chain); plain data, copy freely. */
typedef struct
{
  uint64_t key[8][2];
} vrg_rng;

/** Local. */
void vrg_rng_init (vrg_rng *rng, uint64_t seed, uint32_t ensemble, uint32_t chain);

/** One block of 128 bits: out[0] holds the lowest 64.  step < 2^48, index < 2^56, draw < 2^16.  Local. */
void vrg_rng_block (const vrg_rng *rng, vrg_rng_purpose purpose, uint64_t index, uint64_t step, uint32_t draw,
                    uint64_t out[2]);

/** n blocks with indices index, index + 1, ...: out has 2 n words.  Local; the fast way. */
void vrg_rng_fill (const vrg_rng *rng, vrg_rng_purpose purpose, uint64_t index, int64_t n, uint64_t step, uint32_t draw,
                   uint64_t *out);

/** Seven ARS rounds of one counter, the definition: portable, used in tests against the fast paths. */
void vrg_rng_portable (const vrg_rng *rng, const uint64_t counter[2], uint64_t out[2]);

/** A probability as the threshold that 32-bit numbers are compared with: event if u < threshold.
 *  round (p 2^32) clamped to [0, 2^32]; 2^32 (always) is representable, hence 64 bits. */
uint64_t vrg_rng_threshold (double p);

/** Uniform integer in [0, n), 0 < n <= 2^32, from 64 random bits (multiply-shift of the high 64-bit product). */
static inline uint64_t
vrg_rng_below (uint64_t random, uint64_t n)
{
  return (uint64_t) (((unsigned __int128) random * n) >> 64);
}

#endif
