/* SPDX-License-Identifier: GPL-3.0-or-later
 * Parallel HDF5 in the few forms the program needs.  Every HDF5 status is looked at and agreed over ranks; failures are
 * VRG_FILE with the path and what to do in vrg_error_text(). */
#ifndef VRG_FILES_H5_H
#define VRG_FILES_H5_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

#include "files/file.h"

typedef enum
{
  VRG_U8,
  VRG_I32,
  VRG_U32,
  VRG_I64,
  VRG_U64,
  VRG_F64
} vrg_h5_type;

#define VRG_H5_RANK 4

/** A global array and this rank's slab of it.  `data` is the slab, row-major, contiguous, the caller's.
 *  replicated: every rank holds the whole array (first, count ignored); rank 0 writes it, every rank reads it.
 *  A rank without a share has a count of 0 somewhere; data may then be NULL. */
typedef struct
{
  const char *name; /* path in the file, "/weights"; groups are made as needed */
  const char *help; /* attribute `description`, with the unit: "sum of s s' over bonds (1)" */
  const char *axes; /* attribute `dimensions`: "sample row word" */
  vrg_h5_type type;
  int rank;
  int64_t dims[VRG_H5_RANK];
  bool replicated;
  int64_t first[VRG_H5_RANK], count[VRG_H5_RANK];
  void *data;
} vrg_h5_array;

typedef struct vrg_h5 vrg_h5;

typedef enum
{
  VRG_H5_CREATE,
  VRG_H5_READ,
  VRG_H5_MODIFY,
  VRG_H5_LOOK
} vrg_h5_mode;

/** Create (truncating), open for reading or for modification; or to look at attributes alone, comm MPI_COMM_SELF: then nothing
 *  beside the file is touched, and it is not locked.  Missing file, or not HDF5: VRG_FILE.  Collective over
 *  comm (a plain duplicate, never Cartesian). */
int vrg_h5_open (MPI_Comm comm, const char *path, vrg_h5_mode mode, vrg_h5 **file);

/** Close; a file that was written is synced to disk (fsync by rank 0) before the call returns.  Collective. */
int vrg_h5_close (vrg_h5 *file);

/** Create a contiguous dataset, allocated early and not filled; data are not written.  Collective.
 *  What fails in this and in writing attributes is agreed on, and returned, by the next call that moves data, seals,
 *  reads or closes. */
int vrg_h5_create (vrg_h5 *file, const vrg_h5_array *array);

/** Write, read the slabs; at most 1 GiB a rank in one HDF5 call.  Reading checks type, rank and dims against the array
 *  and says what differs.  Collective. */
int vrg_h5_write (vrg_h5 *file, const vrg_h5_array *array);
int vrg_h5_read (vrg_h5 *file, const vrg_h5_array *array);

/** create + write.  Collective. */
int vrg_h5_put (vrg_h5 *file, const vrg_h5_array *array);

/** Does the path exist; its dims (rank returned, -1 if missing).  Collective. */
bool vrg_h5_exists (vrg_h5 *file, const char *name);
int vrg_h5_shape (vrg_h5 *file, const char *name, int64_t dims[VRG_H5_RANK]);

/** Attributes of an object ("/" for the file; a missing object is made as a group).  Strings are fixed-length.  Reading
 *  a string gives a copy to free with vrg_free; a missing or odd attribute is VRG_FILE.  Collective. */
int vrg_h5_put_text (vrg_h5 *file, const char *object, const char *name, const char *text);
int vrg_h5_put_int (vrg_h5 *file, const char *object, const char *name, int64_t value);
int vrg_h5_put_double (vrg_h5 *file, const char *object, const char *name, double value);
int vrg_h5_get_text (vrg_h5 *file, const char *object, const char *name, char **text);
int vrg_h5_get_int (vrg_h5 *file, const char *object, const char *name, int64_t *value);
int vrg_h5_get_double (vrg_h5 *file, const char *object, const char *name, double *value);

/** Write /checksums/<dataset path> for every dataset outside /checksums: one u64 per 1 MiB of its global row-major
 *  bytes, the sum of hash64 (i, word_i) over the 8-byte words of that piece modulo 2^64 (a short last word is padded
 *  with zeros); and /seal, the same sum over all names, shapes and attributes.  Data are read back from the file,
 *  spread over ranks.  To be called last.  doc/formats.md defines it all.  Collective. */
int vrg_h5_seal (vrg_h5 *file);

/** The end of writing a file under a temporary name: where code is VRG_OK it is sealed, and in any case closed; then it gets
 *  its final name, or is removed.  Returns code, or the first failure.  Collective. */
int vrg_h5_commit (vrg_h5 *file, int code, const char *final);

/** Recompute and compare.  VRG_FILE names the dataset and the first bad 1 MiB block.  Collective. */
int vrg_h5_verify (vrg_h5 *file);

/** Group /provenance: version, commit, date, ranks, host, library versions, command, job, as attributes of it.  Not part of
 *  any comparison or checksum.  command NULL: this process's own command line.  Collective. */
int vrg_h5_put_provenance (vrg_h5 *file, const char *command);

/** The head of a file: attributes format ("vrg-model"), format_version and fingerprint of "/", and the provenance.
 *  Collective. */
int vrg_h5_put_head (vrg_h5 *file, const char *format, int64_t version, const char *fingerprint);

/** Check format and version; fingerprint (a copy to free with vrg_free) may be NULL.  Collective. */
int vrg_h5_get_head (vrg_h5 *file, const char *format, int64_t version, char **fingerprint);

/** "0.1.0" and the git commit it was built from ("unknown" outside a clone). */
const char *vrg_version (void);
const char *vrg_commit (void);

#endif
