/* SPDX-License-Identifier: GPL-3.0-or-later
 * The process grid and the few collectives the program needs. */
#include "parallel/grid.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "parallel/traffic.h"

#define MIN_LAYERS 32 /* layers a strip below which cutting a lattice costs more than it gains (automatic) */
#define PIECE (INT64_C (1) << 28) /* elements or bytes of one MPI call */
#define TEXT_LENGTH 4096          /* of a message that is passed on */

static int64_t
ceiling (int64_t a, int64_t b)
{
  return (a + b - 1) / b;
}

static int64_t
at_least_one (int64_t n)
{
  return n > 1 ? n : 1;
}

/** Layers of lattices the busiest rank works on. */
static int64_t
cost (int ranks, const vrg_grid_load *load, int strips)
{
  int64_t chains, layers, first;
  vrg_grid_share (load->chains, load->unit, ranks / strips, 0, &first, &chains);
  vrg_grid_share (load->layers, load->band, strips, 0, &first, &layers);
  return chains * layers;
}

static int
best_strips (int ranks, const vrg_grid_load *load)
{
  const int64_t bands = ceiling (load->layers, at_least_one (load->band)),
                thin = load->thin > 0 ? load->thin : MIN_LAYERS;
  int best = 0;
  for (int strips = load->least > 1 ? (int) load->least : 1; strips <= ranks; strips++)
    if (ranks % strips == 0 && (strips == 1 || (load->layers / strips >= thin && strips <= bands))
        && (best == 0 || cost (ranks, load, strips) < cost (ranks, load, best)))
      best = strips;
  return best > 0 ? best : 1;
}

int
vrg_grid_choose (int ranks, const vrg_grid_load *load, int wanted, int *strips, char why[256])
{
  const char *layer = load->layer ? load->layer : "row";
  const int64_t bands = ceiling (load->layers, at_least_one (load->band)), half = load->layers / 2;
  if (wanted < 0 || (wanted > 0 && ranks % wanted != 0))
    return vrg_error (VRG_USAGE,
                      "[parallel] strips = %d does not divide the number of ranks, %d: use auto, or a divisor", wanted,
                      ranks);
  if (wanted > 1 && load->layers == 1)
    return vrg_error (VRG_USAGE, "[parallel] strips = %d: these lattices are not cut; use auto", wanted);
  if (wanted > 1 && wanted > half)
    return vrg_error (VRG_USAGE, "[parallel] strips = %d leaves less than two of %lld %ss a strip: at most %lld here",
                      wanted, (long long) load->layers, layer, (long long) half);
  if (wanted > 1 && wanted > bands)
    return vrg_error (VRG_USAGE,
                      "[parallel] strips = %d: this kernel keeps %lld %ss of a lattice together: at most %lld here",
                      wanted, (long long) load->band, layer, (long long) bands);
  *strips = wanted > 0 ? wanted : best_strips (ranks, load);
  if (why != NULL)
    {
      int64_t chains, layers, first, groups = ranks / *strips, busy = ceiling (load->chains, at_least_one (load->unit)),
                                     idle = busy < groups ? (groups - busy) * *strips : 0;
      vrg_grid_share (load->chains, load->unit, (int) groups, 0, &first, &chains);
      vrg_grid_share (load->layers, load->band, *strips, 0, &first, &layers);
      int n = snprintf (
        why, 256, "%d rank%s = %lld group%s of chains x %d strip%s (%s): %lld chain%s of %lld %s%s at most on a rank",
        ranks, ranks == 1 ? "" : "s", (long long) groups, groups == 1 ? "" : "s", *strips, *strips == 1 ? "" : "s",
        wanted > 0 ? "as asked for" : "chosen", (long long) chains, chains == 1 ? "" : "s", (long long) layers, layer,
        layers == 1 ? "" : "s");
      if (idle > 0 && n > 0 && n < 256)
        snprintf (why + n, (size_t) (256 - n), "; %lld rank%s idle: more chains or fewer ranks would use all",
                  (long long) idle, idle == 1 ? " is" : "s are");
    }
  return VRG_OK;
}

vrg_grid *
vrg_grid_new (MPI_Comm parent, int strips)
{
  vrg_grid *grid = vrg_new (1, sizeof *grid, "process grid");
  VRG_MPI (MPI_Comm_dup (parent, &grid->world));
  VRG_MPI (MPI_Comm_dup (parent, &grid->file));
  VRG_MPI (MPI_Comm_rank (grid->world, &grid->rank));
  VRG_MPI (MPI_Comm_size (grid->world, &grid->size));
  VRG_ASSERT (strips > 0 && grid->size % strips == 0);
  grid->strips = strips;
  grid->strip = grid->rank % strips;
  grid->groups = grid->size / strips;
  grid->group = grid->rank / strips;
  VRG_MPI (MPI_Comm_split (grid->world, grid->group, grid->strip, &grid->strip_comm));
  VRG_MPI (MPI_Comm_split (grid->world, grid->strip, grid->group, &grid->group_comm));
  return grid;
}

void
vrg_grid_free (vrg_grid *grid)
{
  if (grid == NULL)
    return;
  VRG_MPI (MPI_Comm_free (&grid->group_comm));
  VRG_MPI (MPI_Comm_free (&grid->strip_comm));
  VRG_MPI (MPI_Comm_free (&grid->file));
  VRG_MPI (MPI_Comm_free (&grid->world));
  vrg_free (grid);
}

void
vrg_grid_span (int64_t n, int parts, int part, int64_t *first, int64_t *last)
{
  int64_t quotient = n / parts, rest = n % parts;
  *first = part * quotient + (part < rest ? part : rest);
  *last = *first + quotient + (part < rest);
}

void
vrg_grid_share (int64_t n, int64_t together, int parts, int part, int64_t *first, int64_t *last)
{
  together = at_least_one (together);
  vrg_grid_span (ceiling (n, together), parts, part, first, last);
  *first = *first * together < n ? *first * together : n;
  *last = *last * together < n ? *last * together : n;
}

void
vrg_grid_tell_memory (const vrg_grid *grid, const char *stage)
{
  int64_t most[3] = { vrg_memory_peak (), 0, 0 };
  most[1] = vrg_memory_resident (&most[2]);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, most, 3, MPI_INT64_T, MPI_MAX, grid->world));
  vrg_info ("%s: at most %.1f MiB of memory on a rank", stage, (double) most[0] / (1 << 20));
  vrg_debug ("%s: at most %.1f MiB resident on a rank beyond the %.1f MiB of the libraries at the start", stage,
             (double) most[1] / (1 << 20), (double) most[2] / (1 << 20));
  vrg_memory_restart ();
}

int
vrg_agree (MPI_Comm comm, int code)
{
  int rank, size;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  VRG_MPI (MPI_Comm_size (comm, &size));
  /* failures before VRG_STOPPED before VRG_OK, the largest failure, then the lowest rank */
  int64_t grave = code == VRG_OK ? 0 : code == VRG_STOPPED ? 1 : code + 1;
  int64_t mine = grave * size + (size - 1 - rank), all = 0;
  VRG_MPI (MPI_Allreduce (&mine, &all, 1, MPI_INT64_T, MPI_MAX, comm));
  grave = all / size;
  int agreed = grave == 0   ? VRG_OK
               : grave == 1 ? VRG_STOPPED
                            : (int) grave - 1,
      speaker = (int) (size - 1 - all % size);
  if (agreed != VRG_OK && size > 1)
    {
      char text[TEXT_LENGTH];
      snprintf (text, sizeof text, "%s", vrg_error_text ());
      VRG_MPI (MPI_Bcast (text, TEXT_LENGTH, MPI_CHAR, speaker, comm));
      if (rank != speaker)
        vrg_error (agreed, "%s", text);
    }
  return agreed;
}

void
vrg_broadcast (MPI_Comm comm, void *data, int64_t bytes)
{
  for (int64_t done = 0; done < bytes; done += PIECE)
    VRG_MPI (MPI_Bcast ((char *) data + done, (int) (bytes - done < PIECE ? bytes - done : PIECE), MPI_BYTE, 0, comm));
}

static void
sum (MPI_Comm comm, void *data, int64_t n, size_t size, MPI_Datatype type)
{
  for (int64_t done = 0; done < n; done += PIECE)
    {
      int piece = (int) (n - done < PIECE ? n - done : PIECE);
      VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, (char *) data + (size_t) done * size, piece, type, MPI_SUM, comm));
      vrg_traffic_collective (piece * (int64_t) size);
    }
}

void
vrg_sum_int64 (MPI_Comm comm, int64_t *data, int64_t n)
{
  sum (comm, data, n, sizeof *data, MPI_INT64_T);
}

void
vrg_sum_int32 (MPI_Comm comm, int32_t *data, int64_t n)
{
  sum (comm, data, n, sizeof *data, MPI_INT32_T);
}

void
vrg_sum_double (MPI_Comm comm, double *data, int64_t n)
{
  sum (comm, data, n, sizeof *data, MPI_DOUBLE);
}
