/* SPDX-License-Identifier: GPL-3.0-or-later
 * A rank's share of the Markov chains, strips of each, and the measurements it has not yet written.
 *
 * Ensembles are sampled one run after the other; where chains share machine words all ensembles are one run. */
#ifndef VRG_SAMPLE_CHAINS_H
#define VRG_SAMPLE_CHAINS_H

#include <stdbool.h>

#include "base/param.h"
#include "files/samples.h"
#include "lattice/lattice.h"
#include "lattice/observe.h"
#include "parallel/grid.h"

/** What updates the chains; the input alone decides. */
typedef enum
{
  VRG_KERNEL_CLUSTER,    /* Swendsen-Wang: nn and field */
  VRG_KERNEL_METROPOLIS, /* one lattice, 512 sites at a time: nn in two dimensions; also heat bath */
  VRG_KERNEL_LOCAL,      /* any couplings, site by site; also heat bath */
  VRG_KERNEL_MULTISPIN   /* 512 chains at a time: nn; also tempering */
} vrg_kernel;

vrg_kernel vrg_chains_kernel (const vrg_input *input);

typedef struct vrg_chains_state vrg_chains_state;

/** Chains [chain0, chain1), none on an idle rank.  The caller sets `time`, the first time in the buffer; the rest is
 *  read only outside chains.c.  grid and input stay the caller's. */
typedef struct
{
  const vrg_grid *grid;
  const vrg_input *input;
  vrg_kernel kernel;
  int64_t chain0, chain1, n; /* n = chain1 - chain0 */
  int runs, ensembles;       /* runs of so many ensembles each */
  int run;                   /* between begin and end */
  vrg_lattice *shape;        /* what the kernels are made for, and where a chain is measured */
  vrg_chains_state *state;   /* the spins, as the kernel likes them */
  int64_t strip_words;       /* of a packed strip */
  int64_t capacity;          /* of the buffer in times, the same on all ranks */
  int64_t time, times;       /* first time in it, number of times in it */
  uint64_t *spins;           /* [ensemble][time][chain][row][word] */
  uint64_t *packed;          /* [ensemble][chain][row][word], one time */
  vrg_observation *observed; /* [ensemble][time][chain], this strip's share */
} vrg_chains;

/** Metropolis on 4 x 4, where full ties that always flip can catch each other: one hot start in 1800.  Local. */
bool vrg_chains_traps (const vrg_input *input);

/** The process grid of the stage: strips of [parallel] strips, or as many as serve best and hold the lattice.
 *  VRG_OK, or VRG_USAGE with a message; why as vrg_grid_choose gives it.  Local. */
int vrg_chains_grid (int ranks, const vrg_input *input, int *strips, char why[256]);

/** Bytes on the busiest rank, as vrg_chains_new and vrg_chains_begin allocate them.  Local. */
double vrg_chains_bytes (int ranks, const vrg_input *input, int strips, int64_t times);

/** times: measurements of an ensemble, so that the buffer is not larger than needed.  Local. */
vrg_chains *vrg_chains_new (const vrg_grid *grid, const vrg_input *input, int64_t times);
void vrg_chains_free (vrg_chains *chains);

/** Get ready for a run, to go on from packed spins if they are not NULL; and leave it.  Local. */
void vrg_chains_begin (vrg_chains *chains, int run, const uint64_t *packed);
void vrg_chains_end (vrg_chains *chains);

/** n sweeps of every chain after the `done` first ones; a hot start before sweep 1.  Collective over strips. */
void vrg_chains_sweep (vrg_chains *chains, int64_t done, int64_t n);

/** Measure all chains and add them to the buffer, which must not be full.  Collective over strips. */
void vrg_chains_measure (vrg_chains *chains);

/** Write the buffer and empty it.  Collective over the grid. */
int vrg_chains_flush (vrg_chains *chains, vrg_samples *samples);

/** Spins of this rank's strips, [ensemble][chain][row][word].  Local. */
void vrg_chains_pack (const vrg_chains *chains, uint64_t *packed);

/** "sampling nn=0.42 (1 of 3)": what a run does, for people.  Local. */
void vrg_chains_tell (const vrg_chains *chains, const vrg_input *input, int run, const char *verb, char text[80]);

#endif
