/* SPDX-License-Identifier: GPL-3.0-or-later
 * Measurements by XOR and popcount on the packed rows. */
#ifndef VRG_LATTICE_OBSERVE_H
#define VRG_LATTICE_OBSERVE_H

#include <mpi.h>

#include "base/observation.h"
#include "lattice/lattice.h"

/** This strip's share of all that an observation holds; the caller sums over strips.  The rows that are needed of the
 *  strip below are fetched here, two of them, in three dimensions a plane: the lattice's halo is neither used nor
 *  touched.  In two dimensions every strip has at least two rows.  Collective over the strip communicator. */
void vrg_observe (MPI_Comm strip_comm, const vrg_lattice *lattice, vrg_observation *observation);

/** The same but for even[], which is left 0. */
void vrg_observe_bonds (MPI_Comm strip_comm, const vrg_lattice *lattice, vrg_observation *observation);

#endif
