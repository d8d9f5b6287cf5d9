/* SPDX-License-Identifier: GPL-3.0-or-later
 * A rank's share of the Markov chains, strips of each, and the measurements it has not yet written. */
#ifndef VRG_SAMPLE_CHAINS_H
#define VRG_SAMPLE_CHAINS_H

#include "base/param.h"
#include "files/samples.h"
#include "lattice/lattice.h"
#include "parallel/grid.h"

typedef struct vrg_cluster vrg_cluster;
typedef struct vrg_metropolis vrg_metropolis;

/** Chains [chain0, chain1), none on an idle rank.  The caller sets `time`, the first time in the buffer; the rest is
 *  read only outside chains.c.  grid and input stay the caller's. */
typedef struct
{
  const vrg_grid *grid;
  const vrg_input *input;
  int64_t chain0, chain1, n; /* n = chain1 - chain0 */
  vrg_lattice **lattices;    /* [n] */
  vrg_lattice *shape;        /* what the kernels are made for; the first chain's if there is one */
  int64_t strip_words;       /* of a packed strip */
  int ensemble;
  vrg_cluster *cluster; /* one of the two, between begin and end */
  vrg_metropolis *metropolis;
  int64_t capacity;               /* of the buffer in times, the same on all ranks */
  int64_t time, times;            /* first time in it, number of times in it */
  uint64_t *spins;                /* [time][chain][row][word] */
  int64_t *bonds, *magnetisation; /* [time][chain], this strip's share */
} vrg_chains;

/** The process grid of the stage: strips of [parallel] strips, or as many as serve best and hold the lattice.
 *  VRG_OK, or VRG_USAGE with a message; why as vrg_grid_choose gives it.  Local. */
int vrg_chains_grid (int ranks, const vrg_input *input, int *strips, char why[256]);

/** times: measurements of an ensemble, so that the buffer is not larger than needed.  Local. */
vrg_chains *vrg_chains_new (const vrg_grid *grid, const vrg_input *input, int64_t times);
void vrg_chains_free (vrg_chains *chains);

/** Get ready to sample an ensemble, and leave it.  Local. */
void vrg_chains_begin (vrg_chains *chains, int ensemble);
void vrg_chains_end (vrg_chains *chains);

/** n sweeps of every chain after the `done` first ones; a hot start before sweep 1.  Collective over strips. */
void vrg_chains_sweep (vrg_chains *chains, int64_t done, int64_t n);

/** Measure all chains and add them to the buffer, which must not be full.  Collective over strips. */
void vrg_chains_measure (vrg_chains *chains);

/** Write the buffer and empty it.  Collective over the grid. */
int vrg_chains_flush (vrg_chains *chains, vrg_samples *samples);

/** Spins of this rank's strips, [chain][row][word], and back.  Local. */
void vrg_chains_pack (const vrg_chains *chains, uint64_t *packed);
void vrg_chains_unpack (vrg_chains *chains, const uint64_t *packed);

#endif
