/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exchange of edge rows between neighbouring strips. */
#include "lattice/halo.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "parallel/traffic.h"

int
vrg_halo_begin (MPI_Comm strip_comm, const void *up, const void *down, void *from_above, void *from_below,
                int64_t bytes, MPI_Request requests[VRG_HALO_REQUESTS])
{
  int rank, size;
  VRG_MPI (MPI_Comm_rank (strip_comm, &rank));
  VRG_MPI (MPI_Comm_size (strip_comm, &size));
  if (size == 1)
    {
      memcpy (from_below, up, (size_t) bytes);
      memcpy (from_above, down, (size_t) bytes);
      return 0;
    }
  VRG_ASSERT (bytes <= INT_MAX);

  /* With two strips both neighbours are the same rank: the tag is the direction of travel. */
  enum
  {
    UP,
    DOWN
  };
  int above = (rank + size - 1) % size, below = (rank + 1) % size, n = (int) bytes;
  VRG_MPI (MPI_Irecv (from_below, n, MPI_BYTE, below, UP, strip_comm, &requests[0]));
  VRG_MPI (MPI_Irecv (from_above, n, MPI_BYTE, above, DOWN, strip_comm, &requests[1]));
  VRG_MPI (MPI_Isend (up, n, MPI_BYTE, above, UP, strip_comm, &requests[2]));
  VRG_MPI (MPI_Isend (down, n, MPI_BYTE, below, DOWN, strip_comm, &requests[3]));
  vrg_traffic_count (2, 2 * bytes);
  return VRG_HALO_REQUESTS;
}

void
vrg_halo_exchange (MPI_Comm strip_comm, vrg_lattice *lattice)
{
  int64_t height = lattice->row1 - lattice->row0, plane = lattice->plane;
  int64_t words = (plane - 1) * lattice->stride + lattice->words;
  MPI_Request requests[VRG_HALO_REQUESTS];
  int n = vrg_halo_begin (strip_comm, vrg_lattice_row (lattice, 0), vrg_lattice_row (lattice, height - plane),
                          vrg_lattice_row (lattice, -plane), vrg_lattice_row (lattice, height),
                          words * (int64_t) sizeof (uint64_t), requests);
  VRG_MPI (MPI_Waitall (n, requests, MPI_STATUSES_IGNORE));
}
