/* SPDX-License-Identifier: GPL-3.0-or-later
 * Parallel HDF5: files, datasets in slabs, attributes, heads.
 * Default (ompio) driver, contiguous datasets, early allocation, no fill.  Metadata are written collectively but read
 * by every rank on its own: collective metadata reads are broken in HDF5 1.10.5 to 1.10.8. */
#ifdef HAVE_CONFIG_H
#include "commit.h"
#include "config.h"
#endif

#include "files/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <gsl/gsl_version.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/terminal.h"
#include "files/command.h"
#include "files/file.h"
#include "files/h5_internal.h"
#include "files/lock.h"
#include "files/walk.h"
#include "parallel/grid.h"

#ifndef VRG_VERSION
#define VRG_VERSION "unknown"
#define VRG_GIT_COMMIT "unknown"
#endif

/* At most this much of a file is metadata: at all, for a dataset with the groups above it, for an attribute beside twice
   its value (in a heap that doubles).  HDF5 does not tell under MPI. */
#define FILE_METADATA 65536
#define DATASET_METADATA 2048
#define ATTRIBUTE_METADATA 512
#define TEXT_LIMIT 60000 /* an attribute must fit in an object header, 64 KiB */

const char *
vrg_version (void)
{
  return VRG_VERSION;
}

const char *
vrg_commit (void)
{
  return VRG_GIT_COMMIT;
}

/* --- types --- */

static const struct
{
  const char *name;
  int64_t size;
} types[] = { { "u8", 1 }, { "i32", 4 }, { "u32", 4 }, { "i64", 8 }, { "u64", 8 }, { "f64", 8 } };

int64_t
vrg_h5_type_size (vrg_h5_type type)
{
  return types[type].size;
}

const char *
vrg_h5_type_name (vrg_h5_type type)
{
  return types[type].name;
}

/* in memory it is the same as in the file: x86-64 is little-endian */
hid_t
vrg_h5_type_id (vrg_h5_type type)
{
  switch (type)
    {
    case VRG_U8:
      return H5T_STD_U8LE;
    case VRG_I32:
      return H5T_STD_I32LE;
    case VRG_U32:
      return H5T_STD_U32LE;
    case VRG_I64:
      return H5T_STD_I64LE;
    case VRG_U64:
      return H5T_STD_U64LE;
    case VRG_F64:
      return H5T_IEEE_F64LE;
    }
  return -1;
}

/* --- agreement --- */

static herr_t
innermost (unsigned depth, const H5E_error2_t *error, void *text)
{
  (void) depth;
  snprintf (text, 256, " (HDF5: %s)", error->desc != NULL ? error->desc : "no description");
  return 0;
}

bool
vrg_h5_note (vrg_h5 *file, bool good, const char *format, ...)
{
  if (good || file->failure != NULL)
    return good;
  char text[1024], detail[256] = "";
  va_list list;
  va_start (list, format);
  vsnprintf (text, sizeof text, format, list);
  va_end (list);
  H5Ewalk2 (H5E_DEFAULT, H5E_WALK_DOWNWARD, innermost, detail);
  H5Eclear2 (H5E_DEFAULT);
  int64_t length = (int64_t) (strlen (file->path) + strlen (text) + strlen (detail)) + 3;
  file->failure = vrg_new (length, 1, "message");
  snprintf (file->failure, (size_t) length, "%s: %s%s", file->path, text, detail);
  return good;
}

int
vrg_h5_settle (vrg_h5 *file)
{
  int code = file->failure == NULL ? VRG_OK : vrg_error (VRG_FILE, "%s", file->failure);
  vrg_free (file->failure);
  file->failure = NULL;
  return vrg_agree (file->comm, code);
}

bool
vrg_h5_close_id (hid_t id)
{
  return id <= 0 || H5Idec_ref (id) >= 0;
}

/* --- open and close --- */

/** On rank 0, before HDF5 is asked: the common failures in words, and the size of the file.  A file that is written is no
 *  link: what somebody else has laid in its place must not be written through, nor a pipe be waited for. */
static int
look_first (const char *path, vrg_h5_mode mode, int64_t *size)
{
  static const unsigned char signature[8] = { 0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n' };
  if ((mode == VRG_H5_CREATE || mode == VRG_H5_MODIFY) && vrg_lock_check () != VRG_OK)
    return VRG_FILE;
  int descriptor = mode == VRG_H5_CREATE
                     ? vrg_file_new (path)
                     : open (path, (mode == VRG_H5_MODIFY ? O_RDWR | O_NOFOLLOW : O_RDONLY) | O_NONBLOCK | O_CLOEXEC);
  if (descriptor < 0)
    return vrg_error (VRG_FILE, "%s: cannot be %s: %s", path,
                      mode == VRG_H5_CREATE   ? "created"
                      : mode == VRG_H5_MODIFY ? "opened for writing"
                                              : "opened",
                      errno == ELOOP ? "it is a symbolic link" : strerror (errno));
  int code = VRG_OK;
  unsigned char head[8];
  struct stat status = { 0 };
  if (fstat (descriptor, &status) != 0)
    code = vrg_error (VRG_FILE, "%s: cannot be looked at: %s", path, strerror (errno));
  else if (!S_ISREG (status.st_mode))
    code = vrg_error (VRG_FILE, "%s: is not a regular file", path);
  else if (mode != VRG_H5_CREATE && (!vrg_file_read_bytes (descriptor, head, 8, 0) || memcmp (head, signature, 8) != 0))
    code = vrg_error (VRG_FILE, "%s: %s", path,
                      status.st_size == 0 ? "is empty" : "is not an HDF5 file, or its head is damaged");
  if (mode == VRG_H5_READ || mode == VRG_H5_LOOK)
    *size = (int64_t) status.st_size;
  close (descriptor);
  return code == VRG_OK && mode != VRG_H5_CREATE ? vrg_walk (path) : code;
}

/** By plain system calls: MPI-IO makes and removes files of its own beside what it opens, and HDF5 would lock the file. */
static hid_t
look_into (const char *path)
{
  hid_t access = H5Pcreate (H5P_FILE_ACCESS), id = -1;
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 12, 0))
  if (access >= 0 && H5Pset_file_locking (access, false, true) >= 0)
    id = H5Fopen (path, H5F_ACC_RDONLY, access);
#else
  if (access >= 0 && setenv ("HDF5_USE_FILE_LOCKING", "FALSE", 1) == 0)
    id = H5Fopen (path, H5F_ACC_RDONLY, access);
#endif
  vrg_h5_close_id (access);
  return id;
}

/** Sets file->id, or notes why it cannot. */
static void
open_file (vrg_h5 *file, vrg_h5_mode mode)
{
  if (mode == VRG_H5_LOOK)
    {
      file->id = look_into (file->path);
      vrg_h5_note (file, file->id >= 0, "is damaged or truncated");
      return;
    }
  /* HDF5 1.8's format: its metadata carry checksums, so that damage is an error and not a crash; later formats mark
     a file that is open for writing, so that it cannot be opened again after a kill */
  hid_t access = H5Pcreate (H5P_FILE_ACCESS);
  bool good = access >= 0 && H5Pset_fapl_mpio (access, file->comm, MPI_INFO_NULL) >= 0
              && H5Pset_libver_bounds (access, H5F_LIBVER_V18, H5F_LIBVER_V18) >= 0
              && (!file->writes || H5Pset_coll_metadata_write (access, true) >= 0);
  if (!good)
    vrg_fail_one (VRG_INTERNAL, "HDF5 does not know parallel access");
  if (mode == VRG_H5_CREATE)
    file->id = H5Fcreate (file->path, H5F_ACC_TRUNC, H5P_DEFAULT, access);
  else
    file->id = H5Fopen (file->path, mode == VRG_H5_MODIFY ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
  vrg_h5_note (file, file->id >= 0,
               mode == VRG_H5_CREATE ? "cannot be created through MPI-IO, although rank 0 can write here (Open MPI "
                                       "needs room it may write in /dev/shm "
                                       "and TMPDIR; every rank must see this directory)"
                                     : "is damaged or truncated");
  vrg_h5_close_id (access); /* after the note: it forgets HDF5's reason */
}

static void
release (vrg_h5 *file)
{
  vrg_free (file->failure);
  vrg_free (file->path);
  vrg_free (file);
}

int
vrg_h5_open (MPI_Comm comm, const char *path, vrg_h5_mode mode, vrg_h5 **result)
{
  *result = NULL;
  if (H5open () < 0 || H5Eset_auto2 (H5E_DEFAULT, NULL, NULL) < 0)
    vrg_fail_one (VRG_INTERNAL, "HDF5 does not start");
  int rank, size;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  VRG_MPI (MPI_Comm_size (comm, &size));
  int64_t bytes = INT64_MAX;
  int code = vrg_agree (comm, rank == 0 ? look_first (path, mode, &bytes) : VRG_OK);
  if (code != VRG_OK)
    return code;
  VRG_MPI (MPI_Bcast (&bytes, 1, MPI_INT64_T, 0, comm));

  vrg_h5 *file = vrg_new (1, sizeof *file, "HDF5 file");
  file->comm = comm;
  file->rank = rank;
  file->size = size;
  file->writes = mode == VRG_H5_CREATE || mode == VRG_H5_MODIFY;
  file->bytes = bytes;
  file->creates = mode == VRG_H5_CREATE;
  file->planned = FILE_METADATA;
  file->path = vrg_new ((int64_t) strlen (path) + 1, 1, "file name");
  memcpy (file->path, path, strlen (path));
  open_file (file, mode);
  code = vrg_h5_settle (file);
  if (code == VRG_OK)
    *result = file;
  else
    {
      if (file->id >= 0)
        H5Fclose (file->id);
      if (file->creates && rank == 0)
        unlink (path);
      release (file);
    }
  return code;
}

/** Have room on disk for all that a file being created holds so far, or end the run: a write that fails makes HDF5 under
 *  MPI hang or crash, in H5Dwrite as in H5Fclose.  Nor is there a way back then: with metadata that cannot be flushed a
 *  file cannot be closed, not even by MPI_Finalize, where HDF5 closes what is open.  So this is not a return code.
 *  What is too much goes when the file is closed: HDF5 cuts it to its size.  Collective. */
static void
reserve (vrg_h5 *file)
{
  if (!file->creates || file->planned <= file->reserved)
    return;
  int failed = file->rank == 0 ? vrg_file_reserve (file->path, file->reserved, file->planned) : 0;
  file->reserved = file->planned;
  VRG_MPI (MPI_Bcast (&failed, 1, MPI_INT, 0, file->comm));
  if (failed == 0)
    return;
  if (file->rank == 0)
    {
      unlink (file->path);
      vrg_fail_one (VRG_FILE,
                    "%s: cannot be written: %s; when there is room, run the same command again without --fresh",
                    file->path, strerror (failed));
    }
  VRG_MPI (MPI_Barrier (file->comm)); /* rank 0 ends this rank */
}

int
vrg_h5_flush (vrg_h5 *file)
{
  reserve (file);
  return vrg_h5_agree (file, H5Fflush (file->id, H5F_SCOPE_GLOBAL) >= 0, "cannot be written (is the disk full?)");
}

int
vrg_h5_close (vrg_h5 *file)
{
  if (file == NULL)
    return VRG_OK;
  reserve (file);
  bool good = !file->writes || H5Fflush (file->id, H5F_SCOPE_GLOBAL) >= 0;
  good = H5Fclose (file->id) >= 0 && good;
  vrg_h5_note (file, good, "cannot be written (is the disk full?)");
  int code = vrg_h5_settle (file);
  if (code == VRG_OK && file->writes)
    {
      good = file->rank != 0 || vrg_file_sync (file->path);
      vrg_h5_note (file, good, "cannot be synced to disk: %s", strerror (errno));
      if (file->rank == 0)
        vrg_walk_trust (file->path);
      code = vrg_h5_settle (file);
    }
  release (file);
  return code;
}

/* --- datasets --- */

int
vrg_h5_create (vrg_h5 *file, const vrg_h5_array *array)
{
  hsize_t dims[VRG_H5_RANK] = { 0 };
  int64_t bytes = vrg_h5_type_size (array->type);
  for (int d = 0; d < array->rank; d++)
    {
      dims[d] = (hsize_t) array->dims[d];
      bytes *= array->dims[d];
    }
  file->planned += bytes + DATASET_METADATA;
  hid_t link = H5Pcreate (H5P_LINK_CREATE), create = H5Pcreate (H5P_DATASET_CREATE);
  hid_t space = H5Screate_simple (array->rank, dims, NULL), set = -1;
  bool good = link >= 0 && create >= 0 && space >= 0 && H5Pset_create_intermediate_group (link, 1) >= 0
              && H5Pset_layout (create, H5D_CONTIGUOUS) >= 0 && H5Pset_alloc_time (create, H5D_ALLOC_TIME_EARLY) >= 0
              && H5Pset_fill_time (create, H5D_FILL_TIME_NEVER) >= 0 && H5Pset_obj_track_times (create, false) >= 0;
  if (good)
    set = H5Dcreate2 (file->id, array->name, vrg_h5_type_id (array->type), space, link, create, H5P_DEFAULT);
  vrg_h5_note (file, set >= 0, "cannot create dataset %s", array->name);
  good = vrg_h5_close_id (set);
  good = vrg_h5_close_id (space) && vrg_h5_close_id (create) && vrg_h5_close_id (link) && good;
  vrg_h5_note (file, good, "cannot close dataset %s", array->name);
  if (array->help != NULL)
    vrg_h5_put_text (file, array->name, "description", array->help);
  if (array->axes != NULL)
    vrg_h5_put_text (file, array->name, "dimensions", array->axes);
  return VRG_OK;
}

/** Selection of a plain slab. */
static herr_t
select_slab (hid_t space, const int64_t *start, const int64_t *count, const void *context)
{
  const vrg_h5_array *array = context;
  hsize_t from[VRG_H5_RANK], number[VRG_H5_RANK];
  for (int d = 0; d < array->rank; d++)
    {
      from[d] = (hsize_t) (start[d] + (array->replicated ? 0 : array->first[d]));
      number[d] = (hsize_t) count[d];
    }
  return H5Sselect_hyperslab (space, H5S_SELECT_SET, from, NULL, number, NULL);
}

static int
move_slab (vrg_h5 *file, const vrg_h5_array *array, vrg_h5_direction direction)
{
  static const int64_t nothing[VRG_H5_RANK];
  if (direction == VRG_H5_TO_FILE)
    reserve (file);
  const int64_t *count = !array->replicated ? array->count : file->rank == 0 ? array->dims : nothing;
  return vrg_h5_move (file, array->name, array->type, direction, array->rank, count, array->data, select_slab, array);
}

int
vrg_h5_write (vrg_h5 *file, const vrg_h5_array *array)
{
  return move_slab (file, array, VRG_H5_TO_FILE);
}

int
vrg_h5_compare (vrg_h5 *file, const vrg_h5_array *array)
{
  return move_slab (file, array, VRG_H5_COMPARE);
}

int
vrg_h5_read (vrg_h5 *file, const vrg_h5_array *array)
{
  int64_t offset;
  int code = vrg_h5_place (file, array, &offset);
  if (code == VRG_OK)
    code = move_slab (file, array, VRG_H5_FROM_FILE);
  if (code == VRG_OK && array->replicated)
    {
      int64_t bytes = vrg_h5_type_size (array->type);
      for (int d = 0; d < array->rank; d++)
        bytes *= array->dims[d];
      vrg_broadcast (file->comm, array->data, bytes);
    }
  return code;
}

int
vrg_h5_put (vrg_h5 *file, const vrg_h5_array *array)
{
  int code = vrg_h5_create (file, array);
  return code != VRG_OK ? code : vrg_h5_write (file, array);
}

bool
vrg_h5_exists (vrg_h5 *file, const char *name)
{
  bool found = H5Oexists_by_name (file->id, name, H5P_DEFAULT) > 0;
  H5Eclear2 (H5E_DEFAULT);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &found, 1, MPI_C_BOOL, MPI_LAND, file->comm));
  return found;
}

int
vrg_h5_shape (vrg_h5 *file, const char *name, int64_t dims[VRG_H5_RANK])
{
  hid_t set = H5Dopen2 (file->id, name, H5P_DEFAULT), space = set >= 0 ? H5Dget_space (set) : -1;
  int rank = space >= 0 ? H5Sget_simple_extent_ndims (space) : -1;
  hsize_t size[VRG_H5_RANK] = { 0 };
  if (rank < 0 || rank > VRG_H5_RANK || H5Sget_simple_extent_dims (space, size, NULL) < 0)
    rank = -1;
  for (int d = 0; d < rank; d++)
    dims[d] = (int64_t) size[d];
  vrg_h5_close_id (space);
  vrg_h5_close_id (set);
  H5Eclear2 (H5E_DEFAULT);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &rank, 1, MPI_INT, MPI_MIN, file->comm));
  return rank;
}

/* --- attributes --- */

/** Write an attribute anew; a missing object is made as a group. */
static int
put (vrg_h5 *file, const char *object, const char *name, hid_t type, const void *value)
{
  hid_t group = -1, link = -1, attribute = -1, space = H5Screate (H5S_SCALAR);
  bool good = type >= 0 && space >= 0;
  file->planned += ATTRIBUTE_METADATA + (type >= 0 ? 2 * (int64_t) H5Tget_size (type) : 0);
  if (good && H5Oexists_by_name (file->id, object, H5P_DEFAULT) <= 0)
    {
      link = H5Pcreate (H5P_LINK_CREATE);
      good = link >= 0 && H5Pset_create_intermediate_group (link, 1) >= 0
             && (group = H5Gcreate2 (file->id, object, link, H5P_DEFAULT, H5P_DEFAULT)) >= 0;
    }
  if (good && H5Aexists_by_name (file->id, object, name, H5P_DEFAULT) > 0)
    good = H5Adelete_by_name (file->id, object, name, H5P_DEFAULT) >= 0;
  if (good)
    attribute = H5Acreate_by_name (file->id, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  good = attribute >= 0 && H5Awrite (attribute, type, value) >= 0;
  good = vrg_h5_close_id (attribute) && vrg_h5_close_id (group) && vrg_h5_close_id (link) && vrg_h5_close_id (space)
         && good;
  vrg_h5_note (file, good, "cannot write attribute %s of %s", name, object);
  return VRG_OK;
}

static hid_t
text_type (size_t size)
{
  hid_t type = H5Tcopy (H5T_C_S1);
  return type >= 0 && H5Tset_size (type, size) >= 0 ? type : -1;
}

int
vrg_h5_put_text (vrg_h5 *file, const char *object, const char *name, const char *text)
{
  size_t length = strlen (text);
  if (length > TEXT_LIMIT)
    return vrg_error (VRG_INTERNAL, "%s: attribute %s of %s is too long: %zu bytes", file->path, name, object, length);
  hid_t type = text_type (length + 1);
  int code = put (file, object, name, type, text);
  vrg_h5_close_id (type);
  return code;
}

int
vrg_h5_put_int (vrg_h5 *file, const char *object, const char *name, int64_t value)
{
  return put (file, object, name, H5T_STD_I64LE, &value);
}

int
vrg_h5_put_double (vrg_h5 *file, const char *object, const char *name, double value)
{
  return put (file, object, name, H5T_IEEE_F64LE, &value);
}

/** Open an attribute of one element; its type by *type.  Negative if missing or odd. */
static hid_t
open_attribute (vrg_h5 *file, const char *object, const char *name, hid_t *type)
{
  *type = -1;
  hid_t attribute = H5Aopen_by_name (file->id, object, name, H5P_DEFAULT, H5P_DEFAULT);
  hid_t space = attribute >= 0 ? H5Aget_space (attribute) : -1;
  if (space >= 0 && H5Sget_simple_extent_npoints (space) == 1)
    *type = H5Aget_type (attribute);
  vrg_h5_close_id (space);
  return attribute;
}

int
vrg_h5_get_text (vrg_h5 *file, const char *object, const char *name, char **text)
{
  hid_t type, attribute = open_attribute (file, object, name, &type);
  size_t size
    = type >= 0 && H5Tget_class (type) == H5T_STRING && H5Tis_variable_str (type) == 0 ? H5Tget_size (type) : 0;
  bool good = size > 0 && size <= TEXT_LIMIT + 1;
  *text = NULL;
  if (good)
    {
      *text = vrg_new ((int64_t) size + 1, 1, "text attribute");
      good = H5Aread (attribute, type, *text) >= 0;
      vrg_plain_text (*text, "\n\t");
    }
  vrg_h5_close_id (type);
  vrg_h5_close_id (attribute);
  vrg_h5_note (file, good, "text attribute %s of %s is missing or damaged", name, object);
  int code = vrg_h5_settle (file);
  if (code != VRG_OK)
    {
      vrg_free (*text);
      *text = NULL;
    }
  VRG_ASSERT (code != VRG_OK || *text != NULL);
  return code;
}

static int
get_number (vrg_h5 *file, const char *object, const char *name, H5T_class_t class, hid_t memory, void *value)
{
  hid_t type, attribute = open_attribute (file, object, name, &type);
  bool good = type >= 0 && H5Tget_class (type) == class && H5Aread (attribute, memory, value) >= 0;
  vrg_h5_close_id (type);
  vrg_h5_close_id (attribute);
  vrg_h5_note (file, good, "attribute %s of %s is missing or damaged", name, object);
  return vrg_h5_settle (file);
}

int
vrg_h5_get_int (vrg_h5 *file, const char *object, const char *name, int64_t *value)
{
  return get_number (file, object, name, H5T_INTEGER, H5T_NATIVE_INT64, value);
}

int
vrg_h5_get_double (vrg_h5 *file, const char *object, const char *name, double *value)
{
  return get_number (file, object, name, H5T_FLOAT, H5T_NATIVE_DOUBLE, value);
}

/* --- provenance --- */

/** The full name of the directory that the file is in; "" if there is none. */
static void
directory_of (const char *path, char full[PATH_MAX])
{
  char directory[PATH_MAX];
  const char *slash = strrchr (path, '/');
  const int n = slash != NULL ? (int) (slash - path + 1) : 1;
  if (snprintf (directory, sizeof directory, "%.*s", n, slash != NULL ? path : ".") >= PATH_MAX
      || realpath (directory, full) == NULL)
    full[0] = '\0';
}

int
vrg_h5_put_provenance (vrg_h5 *file, const char *command)
{
  /* every rank must write the same attributes: rank 0's */
  struct
  {
    char command[4096], directory[4096], output[PATH_MAX], job[VRG_JOB_LENGTH], date[32], host[256], hdf5[32],
      mpi[MPI_MAX_LIBRARY_VERSION_STRING];
  } text;
  memset (&text, 0, sizeof text);
  if (command != NULL)
    snprintf (text.command, sizeof text.command, "%s", command);
  else
    vrg_command_own (text.command, sizeof text.command);
  if (command != NULL || getcwd (text.directory, sizeof text.directory) == NULL)
    text.directory[0] = '\0';
  directory_of (file->path, text.output);
  vrg_command_job (text.job);
  time_t now = time (NULL);
  struct tm utc;
  if (gmtime_r (&now, &utc) != NULL)
    strftime (text.date, sizeof text.date, "%Y-%m-%dT%H:%M:%SZ", &utc);
  if (gethostname (text.host, sizeof text.host - 1) != 0)
    snprintf (text.host, sizeof text.host, "unknown");
  unsigned version[3] = { 0, 0, 0 };
  H5get_libversion (&version[0], &version[1], &version[2]);
  snprintf (text.hdf5, sizeof text.hdf5, "%u.%u.%u", version[0], version[1], version[2]);
  int length;
  VRG_MPI (MPI_Get_library_version (text.mpi, &length));
  text.mpi[strcspn (text.mpi, ",\n")] = '\0';
  VRG_MPI (MPI_Bcast (&text, sizeof text, MPI_BYTE, 0, file->comm));

  const char *const rows[][2] = { { "version", vrg_version () }, { "commit", vrg_commit () },
                                  { "command", text.command },   { "directory", text.directory },
                                  { "output", text.output },     { "job", text.job },
                                  { "date", text.date },         { "host", text.host },
                                  { "hdf5", text.hdf5 },         { "mpi", text.mpi },
                                  { "gsl", gsl_version } };
  int code = vrg_h5_put_int (file, "/provenance", "ranks", file->size);
  for (size_t i = 0; i < sizeof rows / sizeof *rows && code == VRG_OK; i++)
    code = vrg_h5_put_text (file, "/provenance", rows[i][0], rows[i][1]);
  return code;
}

/* --- heads --- */

int
vrg_h5_put_numbers (vrg_h5 *file, const char *object, int n, const vrg_h5_number *numbers)
{
  int code = VRG_OK;
  for (int i = 0; i < n && code == VRG_OK; i++)
    code = vrg_h5_put_int (file, object, numbers[i].name, *numbers[i].value);
  return code;
}

int
vrg_h5_get_numbers (vrg_h5 *file, const char *object, int n, const vrg_h5_number *numbers)
{
  int code = VRG_OK;
  for (int i = 0; i < n && code == VRG_OK; i++)
    {
      const vrg_h5_number *number = &numbers[i];
      code = vrg_h5_get_int (file, object, number->name, number->value);
      if (code == VRG_OK)
        code = vrg_h5_agree (file, *number->value >= number->low && *number->value <= number->high,
                             "%s = %lld is impossible: the file is damaged", number->name, (long long) *number->value);
    }
  return code;
}

int
vrg_h5_put_head (vrg_h5 *file, const char *format, int64_t version, const char *fingerprint)
{
  int code = vrg_h5_put_text (file, "/", "format", format);
  if (code == VRG_OK)
    code = vrg_h5_put_int (file, "/", "format_version", version);
  if (code == VRG_OK)
    code = vrg_h5_put_text (file, "/", "fingerprint", fingerprint);
  return code == VRG_OK ? vrg_h5_put_provenance (file, NULL) : code;
}

int
vrg_h5_get_head (vrg_h5 *file, const char *format, int64_t version, char **fingerprint)
{
  char *found = NULL;
  int64_t number = 0;
  int code = vrg_h5_get_text (file, "/", "format", &found);
  if (code == VRG_OK)
    code = vrg_h5_agree (file, strcmp (found, format) == 0, "is '%.40s', expected is '%s'", found, format);
  vrg_free (found);
  if (code == VRG_OK)
    code = vrg_h5_get_int (file, "/", "format_version", &number);
  if (code == VRG_OK)
    code = vrg_h5_agree (file, number == version, "has format version %lld, this program reads version %lld: %s",
                         (long long) number, (long long) version,
                         number > version ? "it was written by a newer vrg, use that" : "make it anew (--fresh)");
  return code == VRG_OK && fingerprint != NULL ? vrg_h5_get_text (file, "/", "fingerprint", fingerprint) : code;
}
