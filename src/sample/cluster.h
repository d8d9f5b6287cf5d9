/* SPDX-License-Identifier: GPL-3.0-or-later
 * Swendsen-Wang cluster updates of a lattice of one, two or three dimensions, cut into strips, with a field if wanted.
 *
 * A bond between spins that satisfy it is active with probability 1 - exp(-2|K|).  A cluster is named by its smallest
 * global site index row * columns + column; bit root % 128 of the block with index = root / 128, purpose FLIP, decides
 * whether it flips.  A field h is a coupling to one more spin, the ghost: a spin aligned with the field is bound to it with
 * probability 1 - exp(-2|h|), and the ghost's cluster never flips.  So the result does not depend on the strips.
 * Sources: Swendsen and Wang, Phys. Rev. Lett. 58, 86 (1987); Coniglio, di Liberto, Monroy and Peruggi, J. Phys. A 22,
 * L837 (1989) for the ghost.
 *
 * Cost of a sweep on S > 1 strips: each sends its last layer to the strip below, a bit a site, while its own clusters are
 * found; then clusters on the edges are merged over a binary tree of ceil (log2 S) rounds each way (sample/merge.h). */
#ifndef VRG_SAMPLE_CLUSTER_H
#define VRG_SAMPLE_CLUSTER_H

#include <mpi.h>

#include "base/rng.h"
#include "lattice/lattice.h"
#include "sample/hamiltonian.h"

/** Thresholds of the couplings and memory for strips of one shape: one bit and a little a site, and 4 bytes a run of
 *  connected sites in a row (sample/runs.h); it grows with the number of runs. */
typedef struct vrg_cluster vrg_cluster;

/** A lattice with sides size[dimension], slowest first, in `strips` strips, each of at most 2^31 - 128 sites: VRG_OK, or
 *  VRG_USAGE with a message that names the number of strips needed.  Local. */
int vrg_cluster_check (int dimension, const int64_t *size, int strips);

/** The least number of strips that hold it, 0 if none does.  Local. */
int vrg_cluster_strips (int dimension, const int64_t *size);

/** Bytes on the rank with the largest strip at coupling nn, whose hot start has the most runs.  Local. */
double vrg_cluster_bytes (int dimension, const int64_t *size, int strips, double nn);

/** shape: a strip like those to be updated; only its sizes are read.  nnn and plaquette of h must be 0.  Local. */
vrg_cluster *vrg_cluster_new (const vrg_lattice *shape, const vrg_hamiltonian *h);
void vrg_cluster_free (vrg_cluster *cluster);

/** Sweep number `sweep` (the step of its random numbers).  Leaves the halo rows unspecified.  Collective over
 *  strip_comm. */
void vrg_cluster_sweep (vrg_cluster *cluster, MPI_Comm strip_comm, vrg_lattice *lattice, const vrg_rng *rng,
                        uint64_t sweep);

#endif
