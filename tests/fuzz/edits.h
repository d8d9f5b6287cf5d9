/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bytes that steer edits of a good HDF5 file: through the HDF5 library, so that the file stays one, or of its bytes, with
 * the checksums of its metadata always right. */
#ifndef VRG_TESTS_FUZZ_EDITS_H
#define VRG_TESTS_FUZZ_EDITS_H

#include "fuzz.h"

#include <dlfcn.h>

#include "files/h5_internal.h"
#include "files/walk.h"

#define EDITS_OBJECTS 128
#define EDITS_ATTRIBUTES 32
#define EDITS_LARGEST 262144 /* bytes of a good file, and of a dataset that is put in */

#include "forge.c" /* mutated bytes get as far as in a file that was made to harm */

/** libhdf5's blocks of metadata, as long as they are in vrg-walk, which sees reads beyond the next multiple of 16 bytes: no more can be
 *  read without one in the padding of malloc, which is harmless.  The first argument: a list of free blocks. */
void *
H5FL_blk_malloc (void *list, size_t size)
{
  static void *(*next) (void *, size_t);
  if (next == NULL)
    *(void **) &next = dlsym (RTLD_NEXT, "H5FL_blk_malloc");
  return next (list, (size + 8 + 15) / 16 * 16 - 8); /* it puts 8 bytes in front */
}

/** A good file: its bytes and what it holds. */
typedef struct
{
  uint8_t bytes[EDITS_LARGEST];
  size_t size;
  int n;
  struct
  {
    char name[256];
    int n;
    char attribute[EDITS_ATTRIBUTES][64];
  } object[EDITS_OBJECTS];
} edits_file;

static edits_file *edits_good; /* the one that is edited */

static inline herr_t
edits_attribute (hid_t object, const char *name, const H5A_info_t *info, void *data)
{
  (void) object;
  (void) info;
  (void) data;
  const int i = edits_good->n - 1, k = edits_good->object[i].n;
  if (k < EDITS_ATTRIBUTES)
    {
      snprintf (edits_good->object[i].attribute[k], 64, "%s", name);
      edits_good->object[i].n++;
    }
  return 0;
}

static inline herr_t
edits_object (hid_t file, const char *name, const H5O_info_t *info, void *data)
{
  (void) info;
  (void) data;
  if (edits_good->n == EDITS_OBJECTS)
    return 0;
  snprintf (edits_good->object[edits_good->n++].name, 256, "%s", name);
  hid_t object = H5Oopen (file, name, H5P_DEFAULT);
  hsize_t from = 0;
  H5Aiterate2 (object, H5_INDEX_NAME, H5_ITER_INC, &from, edits_attribute, NULL);
  H5Oclose (object);
  return 0;
}

/** Take a file as a good one. */
static inline void
edits_take (edits_file *good, const char *path)
{
  edits_good = good;
  FILE *stream = fopen (path, "rb");
  if (stream == NULL)
    abort ();
  edits_good->size = fread (edits_good->bytes, 1, sizeof edits_good->bytes, stream);
  fclose (stream);
  hid_t file = H5Fopen (path, H5F_ACC_RDONLY, H5P_DEFAULT);
  edits_good->n = 0;
  if (file < 0 || edits_good->size == sizeof edits_good->bytes
      || H5Ovisit2 (file, H5_INDEX_NAME, H5_ITER_INC, edits_object, NULL, H5O_INFO_BASIC) < 0)
    abort ();
  H5Fclose (file);
}

static inline void
edits_put (const char *path, const uint8_t *bytes, size_t size)
{
  unlink (path);
  FILE *stream = fopen (path, "wb");
  if (stream == NULL || fwrite (bytes, 1, size, stream) != size || fclose (stream) != 0)
    abort ();
}

/** Make it a file that nobody knows. */
static inline void
edits_touch (const char *path)
{
  if (utimensat (AT_FDCWD, path, NULL, 0) != 0)
    abort ();
}

/* --- through the library --- */

/** A type, also such as no file of ours has; to be closed. */
static inline hid_t
edits_type (fuzz_bytes *b)
{
  const hid_t simple[]
    = { H5T_STD_U64LE, H5T_STD_I64LE,  H5T_IEEE_F64LE, H5T_STD_U8LE,  H5T_STD_I32LE,  H5T_STD_U32LE,
        H5T_STD_I64BE, H5T_IEEE_F32LE, H5T_STD_U16LE,  H5T_STD_B64LE, H5T_UNIX_D64LE, H5T_STD_REF_OBJ };
  const unsigned which = fuzz_byte (b) % 20;
  hid_t type = -1;
  if (which < sizeof simple / sizeof *simple)
    return H5Tcopy (simple[which]);
  switch (which)
    {
    case 12:
      return H5Tvlen_create (H5T_STD_I64LE);
    case 13:
      type = H5Tcopy (H5T_C_S1);
      H5Tset_size (type, H5T_VARIABLE);
      return type;
    case 14:
      type = H5Tcreate (H5T_COMPOUND, 16);
      H5Tinsert (type, "a", 0, H5T_STD_I64LE);
      H5Tinsert (type, "b", 8, H5T_IEEE_F64LE);
      return type;
    case 15:
      return H5Tarray_create2 (H5T_STD_I64LE, 1, (const hsize_t[1]){ 3 });
    case 16:
      return H5Tenum_create (H5T_STD_I64LE);
    case 17:
      type = H5Tcreate (H5T_OPAQUE, 8);
      H5Tset_tag (type, "opaque");
      return type;
    default:
      type = H5Tcopy (H5T_C_S1);
      H5Tset_size (type, 1 + fuzz_byte (b));
      H5Tset_strpad (type, which == 18 ? H5T_STR_SPACEPAD : H5T_STR_NULLPAD);
      return type;
    }
}

static inline hid_t
edits_space (fuzz_bytes *b, hsize_t *elements, int *rank)
{
  hsize_t dims[6];
  *rank = (int) (fuzz_byte (b) % 8);
  *elements = 1;
  if (*rank > 5)
    return H5Screate (*rank == 6 ? H5S_NULL : H5S_SCALAR);
  for (int d = 0; d < *rank; d++)
    {
      dims[d] = (hsize_t) fuzz_number (b);
      if (dims[d] == H5S_UNLIMITED)
        dims[d] = 3;
      if (__builtin_mul_overflow (*elements, dims[d], elements))
        *elements = UINT64_MAX;
    }
  return H5Screate_simple (*rank, dims, NULL);
}

/** Put a dataset in place of an object. */
static inline void
edits_dataset (hid_t file, const char *name, fuzz_bytes *b)
{
  hsize_t elements;
  int rank;
  hid_t type = edits_type (b), space = edits_space (b, &elements, &rank), create = H5Pcreate (H5P_DATASET_CREATE);
  const unsigned layout = fuzz_byte (b) % 8;
  const hsize_t chunk[5] = { 1, 1, 1, 1, 1 };
  const bool small = elements < EDITS_LARGEST / 256;
  if (layout < 4)
    H5Pset_alloc_time (create, small && layout < 3 ? H5D_ALLOC_TIME_EARLY : H5D_ALLOC_TIME_LATE);
  else if (layout < 6 && rank > 0 && rank < 6)
    {
      H5Pset_chunk (create, rank, chunk);
      if (layout == 5)
        H5Pset_deflate (create, 1);
    }
  else if (layout == 6)
    H5Pset_layout (create, H5D_COMPACT);
  else if (layout == 7)
    H5Pset_external (create, "/etc/passwd", 0, H5F_UNLIMITED);
  if (layout == 0 && small)
    H5Pset_virtual (create, space, "/etc/passwd", "data", space);
  hid_t set = H5Dcreate2 (file, name, type, space, H5P_DEFAULT, create, H5P_DEFAULT);
  if (set >= 0)
    H5Dclose (set);
  H5Pclose (create);
  if (space >= 0)
    H5Sclose (space);
  if (type >= 0)
    H5Tclose (type);
}

static inline void
edits_set_attribute (hid_t file, const char *object, const char *name, fuzz_bytes *b)
{
  static uint8_t value[4096];
  hsize_t elements = 1;
  int rank;
  const unsigned kind = fuzz_byte (b) % 4;
  hid_t type, space = -1;
  memset (value, 0, sizeof value);
  if (kind == 0)
    {
      const int64_t number = fuzz_number (b);
      memcpy (value, &number, sizeof number);
      type = H5Tcopy (H5T_STD_I64LE);
    }
  else if (kind == 1)
    {
      static const double worth[] = { 0, -0.0, 1, -1, 0.5, NAN, INFINITY, -INFINITY, 1e308, 1e-320 };
      const double number = worth[fuzz_byte (b) % 10];
      memcpy (value, &number, sizeof number);
      type = H5Tcopy (H5T_IEEE_F64LE);
    }
  else if (kind == 2)
    {
      size_t length = fuzz_byte (b) + 1; /* no zero at its end */
      type = H5Tcopy (H5T_C_S1);
      H5Tset_size (type, length);
      for (size_t i = 0; i < length; i++)
        value[i] = (uint8_t) fuzz_byte (b);
    }
  else
    {
      type = edits_type (b);
      space = edits_space (b, &elements, &rank);
      if (space >= 0 && H5Sget_simple_extent_npoints (space) > EDITS_LARGEST / 256) /* HDF5 would write all of it */
        {
          H5Sclose (space);
          space = -1;
        }
    }
  if (space < 0)
    space = H5Screate (H5S_SCALAR);
  H5Adelete_by_name (file, object, name, H5P_DEFAULT);
  hid_t attribute = H5Acreate_by_name (file, object, name, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  if (attribute >= 0 && kind < 3)
    H5Awrite (attribute, type, value);
  if (attribute >= 0)
    H5Aclose (attribute);
  H5Sclose (space);
  H5Tclose (type);
}

/** Change the data of a dataset in place. */
static inline void
edits_data (hid_t file, const char *name, fuzz_bytes *b)
{
  static int64_t data[EDITS_LARGEST / 8];
  hid_t set = H5Dopen2 (file, name, H5P_DEFAULT), type = set >= 0 ? H5Dget_type (set) : -1,
        space = set >= 0 ? H5Dget_space (set) : -1;
  const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints (space) : 0;
  if (type >= 0 && n > 0 && n <= EDITS_LARGEST / 8 && H5Tget_size (type) <= 8 && H5Tdetect_class (type, H5T_VLEN) == 0
      && H5Tis_variable_str (type) <= 0 && H5Dread (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0)
    {
      data[(uint64_t) fuzz_number (b) % (uint64_t) n] = fuzz_number (b);
      H5Dwrite (set, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data);
    }
  if (space >= 0)
    H5Sclose (space);
  if (type >= 0)
    H5Tclose (type);
  if (set >= 0)
    H5Dclose (set);
}

/** Put something that is no dataset in place of an object. */
static inline void
edits_other (hid_t file, const char *name, fuzz_bytes *b)
{
  const char *target = edits_good->object[fuzz_byte (b) % (unsigned) edits_good->n].name;
  hid_t made = -1, type;
  switch (fuzz_byte (b) % 6)
    {
    case 0:
      made = H5Gcreate2 (file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      break;
    case 1:
      H5Lcreate_soft (target, file, name, H5P_DEFAULT, H5P_DEFAULT);
      break;
    case 2:
      H5Lcreate_soft (name, file, name, H5P_DEFAULT, H5P_DEFAULT);
      break;
    case 3:
      H5Lcreate_external ("/dev/zero", target, file, name, H5P_DEFAULT, H5P_DEFAULT);
      break;
    case 4:
      H5Lcreate_hard (file, target, file, name, H5P_DEFAULT, H5P_DEFAULT);
      break;
    default:
      type = H5Tcopy (H5T_STD_I64LE);
      H5Tcommit2 (file, name, type, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      H5Tclose (type);
    }
  if (made >= 0)
    H5Gclose (made);
}

static inline void
edits_one (hid_t file, fuzz_bytes *b)
{
  const unsigned what = fuzz_byte (b) % 12, i = fuzz_byte (b) % (unsigned) edits_good->n;
  const char *name = edits_good->object[i].name;
  const int n = edits_good->object[i].n;
  const char *attribute = n > 0 ? edits_good->object[i].attribute[fuzz_byte (b) % (unsigned) n] : "none";
  char text[300];
  switch (what)
    {
    case 0:
    case 1:
    case 2:
      edits_set_attribute (file, name, attribute, b);
      break;
    case 3:
      H5Adelete_by_name (file, name, attribute, H5P_DEFAULT);
      break;
    case 4:
      H5Arename_by_name (file, name, attribute, "renamed", H5P_DEFAULT);
      break;
    case 5:
    case 6:
      H5Ldelete (file, name, H5P_DEFAULT);
      edits_dataset (file, name, b);
      break;
    case 7:
      H5Ldelete (file, name, H5P_DEFAULT);
      edits_other (file, name, b);
      break;
    case 8:
      H5Ldelete (file, name, H5P_DEFAULT);
      break;
    case 9:
      edits_data (file, name, b);
      break;
    case 10:
      memset (text, (int) (fuzz_byte (b) | 1), sizeof text);
      text[0] = 'n'; /* of slashes alone, HDF5 would make a link without a name, which it cannot write */
      text[1 + fuzz_byte (b)] = '\0';
      edits_other (file, text, b);
      break;
    default:
      H5Lmove (file, name, file, edits_good->object[fuzz_byte (b) % (unsigned) edits_good->n].name, H5P_DEFAULT,
               H5P_DEFAULT);
    }
}

/** Ends the visit at a dataset that is larger than a file may become. */
static inline herr_t
edits_large (hid_t file, const char *name, const H5O_info_t *info, void *data)
{
  (void) data;
  if (info->type != H5O_TYPE_DATASET)
    return 0;
  hid_t set = H5Dopen2 (file, name, H5P_DEFAULT), space = set >= 0 ? H5Dget_space (set) : -1;
  const hssize_t n = space >= 0 ? H5Sget_simple_extent_npoints (space) : -1;
  if (space >= 0)
    H5Sclose (space);
  if (set >= 0)
    H5Dclose (set);
  return n < 0 || n > EDITS_LARGEST;
}

/** The edited file in `path`.  Of the first byte: bit 0: seal it again, if it is small (HDF5 may crash when
 *  sums of terabytes cannot be written); bit 1: do not let it be walked. */
static inline void
edits_structure (const char *path, fuzz_bytes *b)
{
  unsigned flags = fuzz_byte (b);
  edits_put (path, edits_good->bytes, edits_good->size);
  hid_t access = H5Pcreate (H5P_FILE_ACCESS);
  H5Pset_libver_bounds (access, H5F_LIBVER_V18, H5F_LIBVER_V18);
  hid_t file = H5Fopen (path, H5F_ACC_RDWR, access);
  H5Eset_auto2 (H5E_DEFAULT, NULL, NULL);
  for (int k = 0; k < 6 && b->size > 0; k++)
    edits_one (file, b);
  if (H5Ovisit2 (file, H5_INDEX_NAME, H5_ITER_INC, edits_large, NULL, H5O_INFO_BASIC) != 0)
    flags &= ~1u;
  if (flags & 1)
    {
      H5Ldelete (file, "checksums", H5P_DEFAULT);
      H5Ldelete (file, "seal", H5P_DEFAULT);
    }
  H5Fclose (file);
  H5Pclose (access);
  H5Eclear2 (H5E_DEFAULT);
  vrg_h5 *sealed;
  if (flags & 1)
    {
      edits_touch (path); /* walked, as all that vrg seals */
      if (vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_MODIFY, &sealed) == VRG_OK)
        {
          vrg_h5_seal (sealed);
          vrg_h5_close (sealed);
        }
    }
  if (flags & 2)
    vrg_walk_trust (path);
  else
    edits_touch (path);
}

/* --- of bytes --- */

static inline void
edits_raw (const char *path, fuzz_bytes *b)
{
  static uint8_t bytes[EDITS_LARGEST];
  size_t size = edits_good->size;
  memcpy (bytes, edits_good->bytes, size);
  while (b->size > 0)
    {
      const unsigned what = fuzz_byte (b);
      const size_t at = (size_t) (fuzz_byte (b) << 16 | fuzz_byte (b) << 8 | fuzz_byte (b)) % edits_good->size;
      int64_t number;
      switch (what % 8)
        {
        case 0:
          size = at;
          break;
        case 1:
        case 2:
        case 3:
          bytes[at] = (uint8_t) fuzz_byte (b);
          break;
        case 4:
          bytes[at] ^= (uint8_t) (1 << fuzz_byte (b) % 8);
          break;
        case 5:
          number = fuzz_number (b);
          memcpy (bytes + at, &number, at + 8 <= edits_good->size ? 8 : edits_good->size - at);
          break;
        case 6:
          number = (int64_t) (fuzz_byte (b) << 8 | fuzz_byte (b)); /* an address */
          memcpy (bytes + at, &number, at + 8 <= edits_good->size ? 8 : edits_good->size - at);
          break;
        default:
          number = (int64_t) ((fuzz_byte (b) << 8 | fuzz_byte (b)) % edits_good->size);
          memmove (bytes + at, bytes + number,
                   edits_good->size - (at > (size_t) number ? at : (size_t) number) < 64
                     ? edits_good->size - (at > (size_t) number ? at : (size_t) number)
                     : 64);
        }
    }
  edits_put (path, bytes, size);
}

#endif
