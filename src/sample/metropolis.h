/* SPDX-License-Identifier: GPL-3.0-or-later
 * Metropolis or heat-bath checkerboard updates of a two-dimensional lattice, 512 sites at a time.
 *
 * The two colours are apart: row y of colour p holds the sites x = 2 i + ((y + p) & 1) at bit i of its
 * columns / 2 bits, in columns / 128 words (rounded up).  Rows follow each other without a gap, so a colour is a stream
 * of words, global word y * (words of a row) + w, and vectors are 8 words at a global multiple of 8.  The neighbours of a
 * site are, in the other colour, the same bit of the rows above, below and of its own row, and the bit before or after
 * it in that row.  Both sides of the lattice must be even and at least 4. */
#ifndef VRG_SAMPLE_METROPOLIS_H
#define VRG_SAMPLE_METROPOLIS_H

#include <mpi.h>
#include <stdbool.h>

#include "base/rng.h"
#include "lattice/lattice.h"

/** Thresholds of a coupling and buffers for strips of one shape. */
typedef struct vrg_metropolis vrg_metropolis;

/** Strips of lattices with so many columns begin at multiples of this many rows: 8, or 16 or 32 if the vectors of 8 rows
 *  make poor groups; 1 up to 128 columns, where vectors are decided one by one.  Vectors of a band are decided together,
 *  in as few groups as there can be, as equal as there can be.  Local. */
int vrg_metropolis_band (int64_t columns);

/** shape: a strip like those to be updated; only its sizes are read.  Metropolis flips with probability
 *  min (1, exp (-dE)), heat bath draws a spin from its law given its neighbours.  Local. */
vrg_metropolis *vrg_metropolis_new (const vrg_lattice *shape, double nn, bool heat_bath);
void vrg_metropolis_free (vrg_metropolis *metropolis);

/** Words of a chain's state: both colours of the strip with a halo row each way.  The caller owns them. */
int64_t vrg_metropolis_words (const vrg_metropolis *metropolis);

/** A strip to a state, and back.  Halo rows are neither read nor written.  Local. */
void vrg_metropolis_load (const vrg_metropolis *metropolis, const vrg_lattice *from, uint64_t *state);
void vrg_metropolis_store (const vrg_metropolis *metropolis, const uint64_t *state, vrg_lattice *to);

/** Sweep number `sweep` (the step of its random numbers): all sites with row + column even, then the others.  The
 *  halo is exchanged meanwhile, nothing is expected of it.  Draws as sample/decide says, D = 256 * colour.  Collective
 *  over strip_comm. */
void vrg_metropolis_sweep (vrg_metropolis *metropolis, MPI_Comm strip_comm, uint64_t *state, const vrg_rng *rng,
                           uint64_t sweep);

#endif
