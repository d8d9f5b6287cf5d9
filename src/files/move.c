/* SPDX-License-Identifier: GPL-3.0-or-later
 * Collective transfers between memory and datasets, in pieces. */
#include <errno.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/h5_internal.h"

#define LARGEST_PIECE (INT64_C (1) << 30)  /* MPI-IO counts in int */
#define COMPARE_PIECE (INT64_C (16) << 20) /* memory that a comparison may take */

static int64_t largest_piece = LARGEST_PIECE;

/** A slab cut into pieces that are contiguous in memory: dimensions before `at` one index at a time, `at` in steps. */
typedef struct
{
  int rank, at;
  int64_t count[VRG_H5_RANK];
  int64_t step, steps; /* along `at` */
  int64_t inner;       /* elements below one index of `at` */
  int64_t n;           /* pieces */
} cut;

static void
cut_init (cut *c, int rank, const int64_t *count, int64_t limit)
{
  VRG_ASSERT (rank > 0 && rank <= VRG_H5_RANK);
  c->rank = rank;
  c->inner = c->n = 1;
  for (int d = 0; d < rank; d++)
    c->n *= (c->count[d] = count[d]);
  for (c->at = rank - 1; c->at > 0 && c->inner * count[c->at] <= limit; c->at--)
    c->inner *= count[c->at];
  if (c->n == 0)
    return;
  c->step = limit / c->inner < 1 ? 1 : limit / c->inner;
  c->steps = (count[c->at] + c->step - 1) / c->step;
  c->n = c->steps;
  for (int d = 0; d < c->at; d++)
    c->n *= count[d];
}

/** Piece k: where it begins, what it has, and the number of elements before it in memory. */
static int64_t
cut_piece (const cut *c, int64_t k, int64_t *start, int64_t *count)
{
  for (int d = c->at + 1; d < c->rank; d++)
    {
      start[d] = 0;
      count[d] = c->count[d];
    }
  start[c->at] = k % c->steps * c->step;
  count[c->at] = c->count[c->at] - start[c->at] < c->step ? c->count[c->at] - start[c->at] : c->step;
  int64_t rest = k / c->steps, before = (rest * c->count[c->at] + start[c->at]) * c->inner;
  for (int d = c->at - 1; d >= 0; d--)
    {
      start[d] = rest % c->count[d];
      count[d] = 1;
      rest /= c->count[d];
    }
  return before;
}

void
vrg_h5_set_piece (int64_t bytes)
{
  largest_piece = bytes > 0 ? bytes : LARGEST_PIECE;
}

/** Agree on the largest number of pieces and on what was noted, in one go. */
static int
agree_on_pieces (vrg_h5 *file, int64_t *n)
{
  int64_t both[2] = { *n, file->failure != NULL };
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, both, 2, MPI_INT64_T, MPI_MAX, file->comm));
  *n = both[0];
  return both[1] != 0 ? vrg_h5_settle (file) : VRG_OK;
}

/** One piece on its way: what HDF5 needs, and where it is in memory. */
typedef struct
{
  hid_t memory;
  size_t bytes;
  char *here;
} passage;

/** Select piece k in the file and in memory; nothing where this rank has no such piece. */
static bool
prepare (const cut *pieces, int64_t k, int64_t size, char *data, hid_t space, vrg_h5_select *select,
         const void *context, passage *piece)
{
  bool mine = k < pieces->n, good = true;
  hsize_t elements = 1;
  piece->here = NULL;
  if (mine)
    {
      int64_t start[VRG_H5_RANK], count[VRG_H5_RANK];
      piece->here = data + cut_piece (pieces, k, start, count) * size;
      for (int d = 0; d < pieces->rank; d++)
        elements *= (hsize_t) count[d];
      good = select (space, start, count, context) >= 0;
    }
  piece->bytes = mine ? (size_t) elements * (size_t) size : 0;
  piece->memory = H5Screate_simple (1, &elements, NULL);
  if (!mine)
    good = piece->memory >= 0 && H5Sselect_none (piece->memory) >= 0 && H5Sselect_none (space) >= 0;
  return good && piece->memory >= 0;
}

/** Transfer one piece; what goes wrong is noted. */
static void
transfer_piece (vrg_h5 *file, const char *name, vrg_h5_type type, vrg_h5_direction direction, hid_t set, hid_t space,
                hid_t transfer, const passage *piece)
{
  char none[8], *buffer = NULL;
  if (direction == VRG_H5_COMPARE)
    buffer = vrg_new ((int64_t) piece->bytes, 1, "comparison with a file");
  void *target = buffer != NULL ? buffer : piece->bytes > 0 ? piece->here : none;
  errno = 0;
  herr_t status = direction == VRG_H5_TO_FILE
                    ? H5Dwrite (set, vrg_h5_type_id (type), piece->memory, space, transfer, target)
                    : H5Dread (set, vrg_h5_type_id (type), piece->memory, space, transfer, target);
  vrg_h5_note (file, status >= 0, "cannot %s dataset %s%s%s", direction == VRG_H5_TO_FILE ? "write" : "read", name,
               errno != 0 ? ": " : "", errno != 0 ? strerror (errno) : "");
  vrg_h5_note (file, buffer == NULL || memcmp (buffer, piece->here, piece->bytes) == 0,
               "dataset %s does not hold what was written to it: is the disk faulty?", name);
  vrg_free (buffer);
}

int
vrg_h5_move (vrg_h5 *file, const char *name, vrg_h5_type type, vrg_h5_direction direction, int rank,
             const int64_t *count, void *data, vrg_h5_select *select, const void *context)
{
  int64_t size = vrg_h5_type_size (type);
  int64_t limit = direction == VRG_H5_COMPARE && largest_piece > COMPARE_PIECE ? COMPARE_PIECE : largest_piece;
  cut pieces;
  cut_init (&pieces, rank, count, limit / size > 0 ? limit / size : 1);

  hid_t set = H5Dopen2 (file->id, name, H5P_DEFAULT), transfer = H5Pcreate (H5P_DATASET_XFER);
  hid_t space = set >= 0 ? H5Dget_space (set) : -1;
  bool good = space >= 0 && transfer >= 0 && H5Pset_dxpl_mpio (transfer, H5FD_MPIO_COLLECTIVE) >= 0;
  vrg_h5_note (file, good, "cannot open dataset %s", name);
  passage piece = { -1, 0, NULL };
  if (good)
    vrg_h5_note (file, prepare (&pieces, 0, size, data, space, select, context, &piece), "cannot select in dataset %s",
                 name);
  int64_t all = pieces.n;
  int code = agree_on_pieces (file, &all);
  for (int64_t k = 0; k < all && code == VRG_OK; k++)
    {
      transfer_piece (file, name, type, direction, set, space, transfer, &piece);
      vrg_h5_close_id (piece.memory);
      piece.memory = -1;
      if (k + 1 < all)
        vrg_h5_note (file, prepare (&pieces, k + 1, size, data, space, select, context, &piece),
                     "cannot select in dataset %s", name);
      code = vrg_h5_settle (file);
    }
  vrg_h5_close_id (piece.memory);
  vrg_h5_close_id (space);
  vrg_h5_close_id (transfer);
  vrg_h5_note (file, vrg_h5_close_id (set), "cannot close dataset %s", name);
  return code;
}
