/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exchange of edge rows between neighbouring strips. */
#ifndef VRG_LATTICE_HALO_H
#define VRG_LATTICE_HALO_H

#include <mpi.h>

#include "lattice/lattice.h"

/** Fill both halo rows from the neighbouring strips, periodically (a copy if there is one strip).
 *  Collective over the strip communicator. */
void vrg_halo_exchange (MPI_Comm strip_comm, vrg_lattice *lattice);

/** Send `bytes` from `up` to the strip above (lower rows) and from `down` to the one below; receive what comes from
 *  above and below.  Periodic.  Collective over the strip communicator. */
void vrg_halo_swap (MPI_Comm strip_comm, const void *up, const void *down, void *from_above, void *from_below,
                    int64_t bytes);

#endif
