/* SPDX-License-Identifier: GPL-3.0-or-later
 * The process grid: ranks = groups x strips.  A group holds whole lattices (chains), each cut into strips of rows.
 * One grid object owns the duplicated communicators. */
#ifndef VRG_PARALLEL_GRID_H
#define VRG_PARALLEL_GRID_H

#include <mpi.h>
#include <stdint.h>

#include "parallel/stop.h"

/** rank = group * strips + strip.  Read only outside grid.c. */
typedef struct
{
  MPI_Comm world;      /* every rank */
  MPI_Comm strip_comm; /* the ranks of one group; rank in it = strip */
  MPI_Comm group_comm; /* the ranks of one strip index; rank in it = group */
  MPI_Comm file;       /* a plain duplicate of world for HDF5 */
  int rank, size;
  int strips, strip;
  int groups, group;
  vrg_stop *stop; /* asked between the steps of long work (vrg_stop_asked); the stage's, NULL: never */
} vrg_grid;

/** What is to be shared among ranks: chains, whole or in strips of layers of the slowest dimension. */
typedef struct
{
  int64_t layers, chains;
  int64_t band;      /* layers that stay together, counted from the first of the lattice; 0 or 1: none do */
  int64_t unit;      /* chains that stay together; likewise */
  int64_t thin;      /* layers below which a strip costs more than it gains, for the automatic choice; 0: 32 */
  int64_t least;     /* strips the lattice needs at least, kept where a divisor of the ranks allows it; 0: no need */
  const char *layer; /* "row" if NULL */
} vrg_grid_load;

/** Choose the number of strips.  wanted = 0: automatic; otherwise it is checked: it must divide `ranks` and leave two layers, and
 *  a band, to every strip.  VRG_OK, or VRG_USAGE with a message.  why (may be NULL): one sentence for the user, idle
 *  ranks named.  Local. */
int vrg_grid_choose (int ranks, const vrg_grid_load *load, int wanted, int *strips, char why[256]);

/** Duplicate and split; strips divides the number of ranks.  Collective over parent. */
vrg_grid *vrg_grid_new (MPI_Comm parent, int strips);

/** Collective; NULL is fine. */
void vrg_grid_free (vrg_grid *grid);

/** Part `part` of `parts` of 0..n-1: [*first, *last), sizes differ by at most one, the larger first.  Local. */
void vrg_grid_span (int64_t n, int parts, int part, int64_t *first, int64_t *last);

/** The same where `together` of them stay together, counted from 0.  Local. */
void vrg_grid_share (int64_t n, int64_t together, int parts, int part, int64_t *first, int64_t *last);

/** Log the most counted memory that a rank has held in this stage: "STAGE: at most 1.5 MiB of memory on a rank"; and, for
 *  --verbose, what the system counted since the process began.  Collective. */
void vrg_grid_tell_memory (const vrg_grid *grid, const char *stage);

/** Agree on a status: every rank gets the largest code (VRG_STOPPED only without a failure), and if that is not VRG_OK the message of the lowest rank that
 *  has it (see vrg_error_text).  Collective over comm. */
int vrg_agree (MPI_Comm comm, int code);

/** Bytes from rank 0 of comm to all, any size.  Collective. */
void vrg_broadcast (MPI_Comm comm, void *data, int64_t bytes);

/** Sum over comm in place, exact for integers and for doubles where at most one rank is not zero; any count, in
 *  pieces below 2^31.  Collective. */
void vrg_sum_int64 (MPI_Comm comm, int64_t *data, int64_t n);
void vrg_sum_int32 (MPI_Comm comm, int32_t *data, int64_t n);
void vrg_sum_double (MPI_Comm comm, double *data, int64_t n);

#endif
