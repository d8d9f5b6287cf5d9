/* SPDX-License-Identifier: GPL-3.0-or-later
 * Arrays of a new file, written, read back and sealed in one pass.  Steps:
 *  1. Create the datasets, those of the seal too: all metadata are written, and every byte has its place and its room.
 *  2. Every rank writes its own bytes, has the disk begin with them at once, and a little later reads them back, compares
 *     them with memory and sums what the file gave: contiguous datasets need no HDF5 for that.
 *  3. The sums are added over ranks and written, then the seal.
 * Datasets that are shared among ranks in many small pieces, or in pieces of words, go through collective HDF5 instead,
 * as does all on network file systems whose clients do not see each other's writes. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sync_file_range */
#endif
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "files/checksum.h"
#include "files/h5_internal.h"

#define LEAST_RUN 4096                   /* bytes; shorter runs go through collective HDF5 */
#define AHEAD (INT64_C (32) << 20)       /* bytes written before the first of them are read back */
#define WRITE_BACK (INT64_C (8) << 20)   /* bytes that the disk is given at once */
#define LONG_WRITE (INT64_C (256) << 20) /* bytes of a rank from which on progress is shown */

/** This rank's part of a dataset: runs of contiguous bytes, one after the other in memory. */
typedef struct
{
  const vrg_h5_array *array;
  const vrg_h5_item *item;
  int64_t first[VRG_H5_RANK], outer[VRG_H5_RANK]; /* runs along each of the dimensions before `at` */
  int at;
  int64_t run, runs; /* bytes of a run; number of them */
  uint64_t *sums;    /* of the whole dataset's blocks */
} lane;

static void
lane_init (lane *l, const vrg_h5 *file, const vrg_h5_array *array, const vrg_h5_item *item, uint64_t *sums)
{
  VRG_ASSERT (array->rank > 0 && array->rank <= VRG_H5_RANK);
  *l = (lane){ .array = array, .item = item, .sums = sums };
  const bool none = array->replicated && file->rank != 0;
  int64_t count[VRG_H5_RANK];
  l->runs = none ? 0 : 1;
  l->run = vrg_h5_type_size (array->type);
  for (int d = 0; d < array->rank; d++)
    {
      l->first[d] = array->replicated ? 0 : array->first[d];
      count[d] = array->replicated ? array->dims[d] : array->count[d];
      l->runs *= count[d] > 0;
    }
  for (l->at = array->rank - 1; l->at > 0 && count[l->at] == array->dims[l->at]; l->at--)
    l->run *= count[l->at];
  l->run *= count[l->at];
  for (int d = 0; d < l->at; d++)
    l->runs *= l->outer[d] = count[d];
}

/** Where a run begins in the dataset, in bytes. */
static int64_t
run_offset (const lane *l, int64_t run)
{
  int64_t index[VRG_H5_RANK] = { 0 }, offset = 0;
  for (int d = l->at - 1; d >= 0; d--)
    {
      index[d] = run % l->outer[d];
      run /= l->outer[d];
    }
  for (int d = 0; d < l->array->rank; d++)
    offset = offset * l->array->dims[d] + index[d] + l->first[d];
  return offset * vrg_h5_type_size (l->array->type);
}

/** Can every rank write its part by itself?  Collective. */
static bool
lane_is_direct (vrg_h5 *file, const lane *l, bool allowed)
{
  const vrg_h5_array *array = l->array;
  bool good
    = allowed && (array->replicated || vrg_h5_type_size (array->type) == 8) && (l->runs <= 1 || l->run >= LEAST_RUN);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &good, 1, MPI_C_BOOL, MPI_LAND, file->comm));
  return good;
}

/** Goes through all runs in pieces that stay within a block. */
typedef struct
{
  int64_t lane, run, at; /* bytes into the run */
} cursor;

typedef struct
{
  const lane *lane;
  char *data;
  int64_t place, bytes; /* in the dataset */
} piece;

static bool
next (cursor *c, const lane *lanes, int64_t n, piece *p)
{
  while (c->lane < n && c->run >= lanes[c->lane].runs)
    *c = (cursor){ .lane = c->lane + 1 };
  if (c->lane >= n)
    return false;
  const lane *l = &lanes[c->lane];
  p->lane = l;
  p->place = run_offset (l, c->run) + c->at;
  p->data = (char *) l->array->data + c->run * l->run + c->at;
  const int64_t run_left = l->run - c->at, block_left = VRG_H5_BLOCK - p->place % VRG_H5_BLOCK;
  p->bytes = run_left < block_left ? run_left : block_left;
  c->at += p->bytes;
  if (c->at == l->run)
    {
      c->at = 0;
      c->run++;
    }
  return true;
}

/** The rank's own descriptor, and what the disk has not been given yet. */
typedef struct
{
  int descriptor;
  int64_t low, high, bytes;
} output;

static bool
write_piece (output *o, const piece *p)
{
  const int64_t offset = p->lane->item->offset + p->place;
  if (!vrg_file_write_bytes (o->descriptor, p->data, p->bytes, offset))
    return false;
  o->low = o->bytes == 0 || offset < o->low ? offset : o->low;
  o->high = o->bytes == 0 || offset + p->bytes > o->high ? offset + p->bytes : o->high;
  o->bytes += p->bytes;
  if (o->bytes >= WRITE_BACK) /* only a hint: the file is synced when it is closed */
    {
      sync_file_range (o->descriptor, o->low, o->high - o->low, SYNC_FILE_RANGE_WRITE);
      o->bytes = 0;
    }
  return true;
}

/** A word on what is wrong, or NULL. */
static const char *
check_piece (output *o, const piece *p, uint64_t *buffer)
{
  const int64_t words = (p->bytes + 7) / 8;
  buffer[words - 1] = 0; /* pads a short last word */
  if (!vrg_file_read_bytes (o->descriptor, buffer, p->bytes, p->lane->item->offset + p->place))
    return "cannot be read back";
  if (memcmp (buffer, p->data, (size_t) p->bytes) != 0)
    return "does not hold what was written to it: is the disk faulty?";
  p->lane->sums[p->place / VRG_H5_BLOCK] += vrg_checksum (buffer, words, p->place / 8);
  return NULL;
}

/** Step 2.  What goes wrong is noted.  Local. */
static void
stream (vrg_h5 *file, const char *what, const lane *lanes, int64_t n)
{
  output o = { .descriptor = open (file->path, O_RDWR | O_CLOEXEC) };
  bool good = vrg_h5_note (file, o.descriptor >= 0, "cannot be opened again: %s", strerror (errno));
  cursor writer = { 0 }, reader = { 0 };
  piece p;
  int64_t written = 0, checked = 0, total = 0;
  const char *wrong = NULL;
  for (int64_t i = 0; i < n; i++)
    total += lanes[i].runs * lanes[i].run;
  vrg_progress progress;
  const bool shown = total >= LONG_WRITE;
  if (shown)
    vrg_progress_begin (&progress, what, "MiB", 0, total >> 20);
  uint64_t *buffer = vrg_new (VRG_H5_BLOCK / 8, 8, "block read back");
  while (good && checked < total)
    {
      while (good && written < total && written < checked + AHEAD && next (&writer, lanes, n, &p))
        {
          good = write_piece (&o, &p);
          vrg_h5_note (file, good, "cannot write dataset %s: %s", p.lane->item->name, strerror (errno));
          written += p.bytes;
        }
      if (!good || !next (&reader, lanes, n, &p))
        break;
      wrong = check_piece (&o, &p, buffer);
      good = vrg_h5_note (file, wrong == NULL, "dataset %s %s", p.lane->item->name, wrong != NULL ? wrong : "");
      checked += p.bytes;
      if (shown)
        vrg_progress_update (&progress, checked >> 20);
    }
  if (shown)
    vrg_progress_end (&progress, checked >> 20);
  vrg_free (buffer);
  if (o.descriptor >= 0)
    close (o.descriptor);
}

/** Do the clients of this file system see each other's writes in neighbouring bytes?  Rank 0 looks. */
static bool
is_coherent (vrg_h5 *file)
{
  enum
  {
    NFS = 0x6969,
    SMB = 0x517b,
    CIFS = 0xff534d42,
    SMB2 = 0xfe534d42
  };
  struct statfs disk;
  bool good = true;
  if (file->rank == 0 && file->size > 1 && statfs (file->path, &disk) == 0)
    {
      const uint32_t kind = (uint32_t) disk.f_type;
      good = kind != NFS && kind != SMB && kind != (uint32_t) CIFS && kind != (uint32_t) SMB2;
    }
  VRG_MPI (MPI_Bcast (&good, 1, MPI_C_BOOL, 0, file->comm));
  return good;
}

static const vrg_h5_array *
array_of (int n, const vrg_h5_array *arrays, const vrg_h5_item *item)
{
  for (int i = 0; i < n; i++)
    if (strcmp (arrays[i].name, item->name) == 0)
      return &arrays[i];
  return NULL;
}

/** Step 2 for datasets that go through HDF5.  Collective. */
static int
write_by_hdf5 (vrg_h5 *file, const lane *lanes, int64_t n)
{
  int code = VRG_OK;
  for (int64_t i = 0; i < n && code == VRG_OK; i++)
    code = vrg_h5_write (file, lanes[i].array);
  if (n > 0 && code == VRG_OK)
    code = vrg_h5_flush (file); /* other ranks read it */
  for (int64_t i = 0; i < n && code == VRG_OK; i++)
    {
      code = vrg_h5_compare (file, lanes[i].array);
      if (code == VRG_OK)
        code = vrg_h5_sum (file, lanes[i].item, lanes[i].sums);
    }
  return code;
}

/** The two kinds apart: direct ones into lanes[0 .. *direct), the others into the rest.  Collective. */
static void
part (vrg_h5 *file, const vrg_h5_content *content, int n, const vrg_h5_array *arrays, uint64_t *sums, lane *lanes,
      int64_t *direct, int64_t *others)
{
  const bool allowed = is_coherent (file);
  const int64_t end = *others;
  *direct = *others = 0;
  for (int64_t i = 0; i < content->n; i++)
    {
      const vrg_h5_array *array = array_of (n, arrays, &content->items[i]);
      if (array == NULL || content->items[i].bytes == 0)
        continue;
      lane l;
      lane_init (&l, file, array, &content->items[i], sums);
      sums += vrg_h5_blocks (&content->items[i]);
      lanes[lane_is_direct (file, &l, allowed) ? (*direct)++ : end - ++*others] = l;
    }
}

/** Steps 2 and 3.  Collective. */
static int
write_all (vrg_h5 *file, const char *what, const vrg_h5_written *written, int n, const vrg_h5_array *arrays)
{
  lane *lanes = vrg_new (n, sizeof *lanes, "arrays of a file");
  int64_t direct, others = n;
  part (file, &written->content, n, arrays, written->sums, lanes, &direct, &others);
  int code = write_by_hdf5 (file, lanes + n - others, others);
  if (code == VRG_OK)
    {
      stream (file, what, lanes, direct);
      code = vrg_h5_settle (file);
    }
  vrg_free (lanes);
  for (int64_t at = 0; at < written->blocks && code == VRG_OK; at += 1 << 20)
    {
      const int64_t left = written->blocks - at;
      VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, written->sums + at, left < 1 << 20 ? (int) left : 1 << 20, MPI_UINT64_T,
                              MPI_SUM, file->comm));
    }
  return code;
}

int
vrg_h5_put_checked (vrg_h5 *file, const char *what, int n, const vrg_h5_array *arrays, vrg_h5_written *written)
{
  *written = (vrg_h5_written){ .blocks = 0 };
  int code = VRG_OK;
  for (int i = 0; i < n && code == VRG_OK; i++)
    code = vrg_h5_create (file, &arrays[i]);
  if (code == VRG_OK)
    code = vrg_h5_prepare_seal (file, &written->content);
  if (code != VRG_OK)
    return code;
  for (int64_t i = 0; i < written->content.n; i++)
    written->blocks += vrg_h5_blocks (&written->content.items[i]);
  written->sums = vrg_new (written->blocks, sizeof *written->sums, "checksums");
  code = write_all (file, what, written, n, arrays);
  return code == VRG_OK ? vrg_h5_put_seal (file, written) : code;
}

void
vrg_h5_written_clear (vrg_h5_written *written)
{
  vrg_h5_content_clear (&written->content);
  vrg_free (written->sums);
  *written = (vrg_h5_written){ .blocks = 0 };
}
