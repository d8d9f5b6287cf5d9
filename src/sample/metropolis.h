/* SPDX-License-Identifier: GPL-3.0-or-later
 * Metropolis checkerboard updates on bit-packed rows.  Rows and columns of the lattice must be even. */
#ifndef VRG_SAMPLE_METROPOLIS_H
#define VRG_SAMPLE_METROPOLIS_H

#include <mpi.h>

#include "base/rng.h"
#include "lattice/lattice.h"

/** Thresholds of a coupling and buffers for strips of one shape. */
typedef struct vrg_metropolis vrg_metropolis;

/** shape: a strip like those to be updated; only its sizes are read.  Local. */
vrg_metropolis *vrg_metropolis_new (const vrg_lattice *shape, double nn);
void vrg_metropolis_free (vrg_metropolis *metropolis);

/** Sweep number `sweep` (the step of its random numbers): all sites with row + column even, then the others.  Draw =
 *  colour * 64 + plane, see sample/planes.h.  Leaves the halo rows unspecified.  Collective over strip_comm. */
void vrg_metropolis_sweep (vrg_metropolis *metropolis, MPI_Comm strip_comm, vrg_lattice *lattice, const vrg_rng *rng,
                           uint64_t sweep);

#endif
