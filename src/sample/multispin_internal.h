/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the files of multispin share. */
#ifndef VRG_SAMPLE_MULTISPIN_INTERNAL_H
#define VRG_SAMPLE_MULTISPIN_INTERNAL_H

#include <stdbool.h>

#include "base/rng.h"
#include "base/simd.h"
#include "sample/decide.h"
#include "sample/multispin.h"

#define VRG_LANES 512
#define VRG_LANE_WORDS 8

/** One bit of 512 chains.  Never passed by value, so that functions for all processors may use it. */
typedef uint64_t vrg_lanes __attribute__ ((vector_size (64), may_alias));

struct vrg_multispin
{
  int dimension;
  bool heat_bath, tempering;
  uint64_t seed;
  int64_t rows, columns, words, plane, sites, half; /* as in lattice.h; half: sites of a colour */
  uint32_t *neighbour;                              /* [place][2 * dimension], places */
  int n_nn, word_sets;                              /* word_sets: sets in a word */
  double nn[VRG_MAX_COUPLINGS];                     /* ascending */
  int ensemble[VRG_MAX_COUPLINGS];                  /* its number in the input */
  int64_t unit, chain0, chains, groups;
  vrg_lanes *spins;             /* [group][place], 1 = spin +1 */
  uint64_t against;             /* lanes of any word with K < 0: a bond of equal spins is the unsatisfied one */
  vrg_decide_lanes *thresholds; /* class u: u < dimension unsatisfied bonds */
  int64_t tried[VRG_MAX_COUPLINGS], swapped[VRG_MAX_COUPLINGS];
};

/** Key of a group of this rank.  Local. */
void vrg_multispin_key (const vrg_multispin *m, int64_t group, vrg_rng *rng);

/** Sets of a group that are chains of this rank, and the lane of a set and the coupling of a rank in it.  Local. */
int64_t vrg_multispin_sets (const vrg_multispin *m, int64_t group);
int vrg_multispin_lane (const vrg_multispin *m, int64_t set, int rank);

/** Unsatisfied bonds, in the sense of K > 0, of every lane of a group.  Local. */
void vrg_multispin_unsatisfied (const vrg_multispin *m, int64_t group, int64_t unsatisfied[VRG_LANES]);

/** Update all sites of a colour of a group.  Local. */
void vrg_multispin_update (const vrg_multispin *m, int64_t group, const vrg_rng *rng, uint64_t sweep, int colour);

#endif
