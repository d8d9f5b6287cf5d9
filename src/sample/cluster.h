/* SPDX-License-Identifier: GPL-3.0-or-later
 * Swendsen-Wang cluster updates of a lattice cut into strips.
 *
 * A bond between spins that satisfy it is active with probability 1 - exp(-2|K|).  A cluster is named by its smallest
 * global site index row * columns + column; bit root % 128 of the block with index = root / 128, purpose FLIP, decides
 * whether it flips.  So the result does not depend on the strips.
 * Source: Swendsen and Wang, Phys. Rev. Lett. 58, 86 (1987). */
#ifndef VRG_SAMPLE_CLUSTER_H
#define VRG_SAMPLE_CLUSTER_H

#include <mpi.h>

#include "base/rng.h"
#include "lattice/lattice.h"

/** Threshold of a coupling and buffers for strips of one shape: 4 bytes a site and 60 bytes a column. */
typedef struct vrg_cluster vrg_cluster;

/** Strips hold at most 2^31 - 1 sites: VRG_OK, or VRG_USAGE with a message that names the number of strips needed.
 *  Local. */
int vrg_cluster_check (int64_t rows, int64_t columns, int strips);

/** The least number of strips that hold them, 0 if none does.  Local. */
int vrg_cluster_strips (int64_t rows, int64_t columns);

/** shape: a strip like those to be updated; only its sizes are read.  Local. */
vrg_cluster *vrg_cluster_new (const vrg_lattice *shape, double nn);
void vrg_cluster_free (vrg_cluster *cluster);

/** Sweep number `sweep` (the step of its random numbers).  Only labels of edge sites travel between strips.  Leaves
 *  the halo rows unspecified.  Collective over strip_comm. */
void vrg_cluster_sweep (vrg_cluster *cluster, MPI_Comm strip_comm, vrg_lattice *lattice, const vrg_rng *rng,
                        uint64_t sweep);

#endif
