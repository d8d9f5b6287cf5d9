/* SPDX-License-Identifier: GPL-3.0-or-later
 * Metropolis and heat-bath updates, site by site, for every Hamiltonian that can be sampled.
 *
 * A sweep takes four sublattices in turn: the rows of even parity (of y in two dimensions, of y + z in three), first
 * their even columns, then their odd ones, then likewise the rows of odd parity.  No coupling of vrg_hamiltonian
 * joins two sites of one sublattice, so a sublattice is updated at once.  In one dimension there are the even and the
 * odd columns.
 *
 * One 32-bit number u decides on a site: the spin is flipped if u < vrg_rng_threshold (p), where with x = 2 s f and the
 * local field f = d (sum_a K_a S_a) / d s
 *   Metropolis  p = min (1, exp (-x)),      heat bath  p = 1 / (1 + exp (x)).
 * In one dimension Metropolis decides ties (x = 0) by a coin: flips without fail would never mix the domain walls on
 * even bonds with those on odd ones.
 * Column 2 j or 2 j + 1 of row r takes word j % 4 of the block index = (r / 2) * ceil (columns / 8) + j / 4 of purpose
 * LOCAL, draw = sublattice (0..3): the result does not depend on the strips. */
#ifndef VRG_SAMPLE_LOCAL_H
#define VRG_SAMPLE_LOCAL_H

#include <mpi.h>
#include <stdbool.h>

#include "base/rng.h"
#include "lattice/lattice.h"
#include "sample/hamiltonian.h"

/** Thresholds of a Hamiltonian and buffers for rows of one length. */
typedef struct vrg_local vrg_local;

/** shape: a strip like those to be updated, all sides of the lattice even; only its sizes are read.  nnn and plaquette
 *  must be 0 but in two dimensions.  Local. */
vrg_local *vrg_local_new (const vrg_lattice *shape, const vrg_hamiltonian *hamiltonian, bool heat_bath);
void vrg_local_free (vrg_local *local);

/** Sweep number `sweep` (the step of its random numbers).  Two halo exchanges; leaves the halo rows unspecified.
 *  Collective over strip_comm. */
void vrg_local_sweep (vrg_local *local, MPI_Comm strip_comm, vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep);

#endif
