/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exchange of edge rows between neighbouring strips. */
#ifndef VRG_LATTICE_HALO_H
#define VRG_LATTICE_HALO_H

#include <mpi.h>

#include "lattice/lattice.h"

/** Fill both halo rows from the neighbouring strips, periodically (a copy if there is one strip).
 *  Collective over the strip communicator. */
void vrg_halo_exchange (MPI_Comm strip_comm, vrg_lattice *lattice);

#define VRG_HALO_REQUESTS 4

/** Begin to send `bytes` from `up` to the strip above (lower rows) and from `down` to the one below, and to receive what
 *  comes from above and below.  Periodic.  The number of requests to be waited for: none if there is one strip, whose
 *  rows are copied at once.  Collective over the strip communicator. */
int vrg_halo_begin (MPI_Comm strip_comm, const void *up, const void *down, void *from_above, void *from_below,
                    int64_t bytes, MPI_Request requests[VRG_HALO_REQUESTS]);

#endif
