/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the modules of src/files share beyond files/h5.h: moving pieces of a dataset, and where its bytes are. */
#ifndef VRG_FILES_H5_INTERNAL_H
#define VRG_FILES_H5_INTERNAL_H

#include <hdf5.h>

#include "files/h5.h"

#define VRG_H5_BLOCK (INT64_C (1) << 20) /* bytes under one checksum */

struct vrg_h5
{
  hid_t id;
  MPI_Comm comm;
  int rank, size;
  bool writes, creates;
  int64_t bytes;    /* of the file when it was opened for reading; no limit while it is written */
  int64_t planned;  /* bytes that a file being created will have at most, so far */
  int64_t reserved; /* bytes that have room on disk */
  char *path;
  char *failure; /* what went wrong here and is not agreed on yet; NULL: nothing */
};

typedef enum
{
  VRG_H5_TO_FILE,
  VRG_H5_FROM_FILE,
  VRG_H5_COMPARE
} vrg_h5_direction;

/** Select in `space` the file's elements of a piece: `start` and `count` in the rank's own array.  Negative: failed. */
typedef herr_t vrg_h5_select (hid_t space, const int64_t *start, const int64_t *count, const void *context);

/** Move this rank's array (rank, count; row-major, contiguous) to or from a dataset in pieces of at most 1 GiB,
 *  collective transfers; or compare it with what the file holds.  The element order of a piece must be the file's.
 *  VRG_OK or VRG_FILE.  Collective. */
int vrg_h5_move (vrg_h5 *file, const char *name, vrg_h5_type type, vrg_h5_direction direction, int rank,
                 const int64_t *count, void *data, vrg_h5_select *select, const void *context);

/** The largest piece, in bytes, from now on (0: 1 GiB again).  For tests.  Local. */
void vrg_h5_set_piece (int64_t bytes);

/** Read back and compare with the array in memory.  VRG_FILE if a byte differs.  Collective. */
int vrg_h5_compare (vrg_h5 *file, const vrg_h5_array *array);

/** Check that a dataset is what `array` says (type, rank, dims), contiguous and within the file; *offset is where its
 *  bytes begin in the file.  VRG_FILE says what differs.  Collective. */
int vrg_h5_place (vrg_h5 *file, const vrg_h5_array *array, int64_t *offset);

/** An object of a file, found by looking. */
typedef struct
{
  char name[256]; /* "/layer-1/weights" */
  vrg_h5_type type;
  int rank; /* 0: a group */
  int64_t dims[VRG_H5_RANK];
  int64_t offset, bytes;
} vrg_h5_item;

/** Type, shape and place of an open dataset in a file of so many bytes; a word on what is wrong, or NULL.  Local. */
const char *vrg_h5_examine (hid_t set, int64_t size_of_file, vrg_h5_item *item);

/** Every group and dataset but /checksums, /seal and /provenance, sorted by name; each dataset checked to be contiguous
 *  and within the file.  metadata: the sum over all names, shapes and attributes, as /seal holds it. */
typedef struct
{
  int64_t n, room;
  vrg_h5_item *items;
  uint64_t metadata;
} vrg_h5_content;

/** VRG_FILE, and nothing to free, if something is not of ours.  Free with vrg_h5_content_clear.  Collective. */
int vrg_h5_look (vrg_h5 *file, vrg_h5_content *content);
void vrg_h5_content_clear (vrg_h5_content *content);

/** "u64 1000 x 64 x 1" */
void vrg_h5_shape_text (vrg_h5_type type, int rank, const int64_t *dims, char text[128]);

/** Blocks under checksums of a dataset. */
int64_t vrg_h5_blocks (const vrg_h5_item *item);

/** Look, and create the datasets that sealing will write, after all others, so that sealing changes no metadata: a file that
 *  is killed meanwhile stays readable.  content: what was found, to be cleared.  Collective. */
int vrg_h5_prepare_seal (vrg_h5 *file, vrg_h5_content *content);

/** What was written with its checksums: blocks of all datasets, in the order of the content. */
typedef struct
{
  vrg_h5_content content;
  int64_t blocks;
  uint64_t *sums; /* the same on all ranks */
} vrg_h5_written;

/** Create arrays, write them, read them back from the file, compare them with memory and seal, in one pass.  what: for
 *  progress, "sample: checkpoint".  The head must be there, nothing may follow but vrg_h5_close.  Then the file is opened anew
 *  and vrg_h5_check_seal compares its metadata and checksums.  VRG_FILE if anything differs.  Free with
 *  vrg_h5_written_clear, after a failure too.  Collective. */
int vrg_h5_put_checked (vrg_h5 *file, const char *what, int n, const vrg_h5_array *arrays, vrg_h5_written *written);
int vrg_h5_check_seal (vrg_h5 *file, const vrg_h5_written *written);
void vrg_h5_written_clear (vrg_h5_written *written);

/** Parts of it: add this rank's share of a dataset's checksums, as the file has it, to sums[blocks]; write them all. */
int vrg_h5_sum (vrg_h5 *file, const vrg_h5_item *item, uint64_t *sums);
int vrg_h5_put_seal (vrg_h5 *file, const vrg_h5_written *written);

/** The sum over all blocks of a dataset, as whoever wrote it counted it. */
typedef struct
{
  const char *name;
  uint64_t sum;
} vrg_h5_expected;

/** vrg_h5_seal; VRG_FILE where a dataset does not have its expected sum.  Collective. */
int vrg_h5_seal_expected (vrg_h5 *file, int n, const vrg_h5_expected *expected);

/** What was written becomes visible to all ranks.  Collective. */
int vrg_h5_flush (vrg_h5 *file);

/** Has vrg_h5_seal been completed?  False also if it cannot be told.  Collective. */
bool vrg_h5_is_sealed (vrg_h5 *file);

/** Bytes of an element; "f64" and so on; the type in the file, which is also that in memory. */
int64_t vrg_h5_type_size (vrg_h5_type type);
const char *vrg_h5_type_name (vrg_h5_type type);
hid_t vrg_h5_type_id (vrg_h5_type type);

/** Close whatever kind of identifier; 0 and negative ones are none.  False: failed.  Local. */
bool vrg_h5_close_id (hid_t id);

/** Whole numbers that are attributes of one object, with the least and the greatest that make sense. */
typedef struct
{
  const char *name;
  int64_t *value, low, high;
} vrg_h5_number;

/** Write, read and check them.  Collective. */
int vrg_h5_put_numbers (vrg_h5 *file, const char *object, int n, const vrg_h5_number *numbers);
int vrg_h5_get_numbers (vrg_h5 *file, const char *object, int n, const vrg_h5_number *numbers);

/** Note whether something went well here; a failure is kept for the next agreement.  Calls that write metadata only note,
 *  so that hundreds of small calls do not cost an agreement each.  Local; returns `good`. */
bool vrg_h5_note (vrg_h5 *file, bool good, const char *format, ...) __attribute__ ((format (printf, 3, 4)));

/** Agree on what was noted: VRG_OK, or VRG_FILE with the message of the lowest rank that failed; then it is forgotten.
 *  Collective over the file's ranks. */
int vrg_h5_settle (vrg_h5 *file);

/** Both at once. */
#define vrg_h5_agree(file, good, ...) (vrg_h5_note (file, good, __VA_ARGS__), vrg_h5_settle (file))

#endif
