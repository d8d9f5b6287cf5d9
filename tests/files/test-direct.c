/* SPDX-License-Identifier: GPL-3.0-or-later
 * Arrays written, read back and sealed in one pass: the same file as by writing through HDF5 and sealing afterwards; a
 * byte that does not come back as it was written.
 * ranks: 1 2 3 4 */
#include "check.h"

#include <errno.h>
#include <sys/syscall.h>

#include "base/simd.h"
#include "files/checksum.h"
#include "files/h5.h"
#include "files/h5_internal.h"
#include "parallel/grid.h"
#include "scratch.h"

/* a disk that gives something else back: reads of more than 1000 bytes here have a bit flipped */
static bool flip;

ssize_t pread (int descriptor, void *data, size_t n, off_t offset);
ssize_t pread64 (int descriptor, void *data, size_t n, off_t offset);

ssize_t
pread64 (int descriptor, void *data, size_t n, off_t offset)
{
  ssize_t got = syscall (SYS_pread64, descriptor, data, n, offset);
  if (flip && got > 1000)
    ((char *) data)[got - 1] ^= 4;
  return got;
}

ssize_t
pread (int descriptor, void *data, size_t n, off_t offset)
{
  return pread64 (descriptor, data, n, offset);
}

/* a file system that cannot reserve */
static int refusals;
static bool refuse;

int fallocate (int descriptor, int mode, off_t offset, off_t length);
int fallocate64 (int descriptor, int mode, off_t offset, off_t length);

int
fallocate64 (int descriptor, int mode, off_t offset, off_t length)
{
  if (!refuse)
    return (int) syscall (SYS_fallocate, descriptor, mode, offset, length);
  refusals++;
  errno = EOPNOTSUPP;
  return -1;
}

int
fallocate (int descriptor, int mode, off_t offset, off_t length)
{
  return fallocate64 (descriptor, mode, offset, length);
}

enum
{
  ARRAYS = 8
};

/** Shapes of all kinds: one run a rank, not at the edge of a block; long runs; short runs; parts of words; replicated, not
 *  of whole words; nothing; 3-dimensional with runs of two dimensions. */
static void
fill (vrg_h5_array arrays[ARRAYS])
{
  static const struct
  {
    const char *name;
    vrg_h5_type type;
    int rank, along;
    int64_t dims[VRG_H5_RANK];
  } shapes[ARRAYS] = { { "/rows", VRG_U64, 2, 0, { 1001, 333 } },     { "/long/runs", VRG_F64, 2, 1, { 7, 40003 } },
                       { "/long/short", VRG_F64, 2, 1, { 501, 37 } }, { "/parts", VRG_I32, 1, 0, { 300007 } },
                       { "/whole", VRG_U8, 1, -1, { 3000005 } },      { "/nothing", VRG_U64, 1, 0, { 0 } },
                       { "/cube", VRG_I64, 4, 1, { 3, 11, 17, 64 } }, { "/one", VRG_F64, 1, -1, { 1 } } };
  for (int i = 0; i < ARRAYS; i++)
    {
      vrg_h5_array *a = &arrays[i];
      *a = (vrg_h5_array){ .name = shapes[i].name, .type = shapes[i].type, .rank = shapes[i].rank };
      a->replicated = shapes[i].along < 0;
      int64_t n = vrg_h5_type_size (a->type);
      for (int d = 0; d < a->rank; d++)
        {
          a->dims[d] = a->count[d] = shapes[i].dims[d];
          if (d == shapes[i].along)
            {
              vrg_grid_span (a->dims[d], check_size_, check_rank_, &a->first[d], &a->count[d]);
              a->count[d] -= a->first[d];
            }
          n *= a->count[d];
        }
      unsigned char *bytes = a->data = vrg_new (n, 1, "test");
      for (int64_t k = 0; k < n; k++)
        bytes[k] = (unsigned char) (k * k * 7 + k / 251 + i + (a->replicated ? 0 : 131 * check_rank_));
    }
}

static int
put (const char *path, vrg_h5_array *arrays, bool checked)
{
  vrg_h5 *file;
  vrg_h5_written written = { .blocks = 0 };
  int code = vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_CREATE, &file);
  vrg_h5_put_text (file, "/", "format", "test");
  if (checked)
    code = vrg_h5_put_checked (file, "test", ARRAYS, arrays, &written);
  else
    {
      for (int i = 0; i < ARRAYS && code == VRG_OK; i++)
        code = vrg_h5_put (file, &arrays[i]);
      if (code == VRG_OK)
        code = vrg_h5_seal (file);
    }
  vrg_h5_close (file);
  if (code == VRG_OK && checked)
    {
      code = vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_READ, &file);
      if (code == VRG_OK)
        code = vrg_h5_check_seal (file, &written);
      vrg_h5_close (file);
    }
  vrg_h5_written_clear (&written);
  return code;
}

/** All checksums and the seal of a file, one after the other. */
static int64_t
sums (vrg_h5 *file, uint64_t all[256])
{
  static const char *const names[] = { "/seal",
                                       "/checksums/rows",
                                       "/checksums/long/runs",
                                       "/checksums/long/short",
                                       "/checksums/parts",
                                       "/checksums/whole",
                                       "/checksums/cube",
                                       "/checksums/one" };
  int64_t n = 0;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    {
      vrg_h5_array array = { .name = names[i], .type = VRG_U64, .rank = 1, .replicated = true, .data = all + n };
      if (vrg_h5_shape (file, names[i], array.dims) != 1 || vrg_h5_read (file, &array) != VRG_OK)
        return -1;
      n += array.dims[0];
    }
  return n;
}

static void
same_file (vrg_h5_array *arrays)
{
  static uint64_t all[2][256];
  int64_t n[2];
  for (int checked = 0; checked < 2; checked++)
    {
      vrg_h5 *file;
      const char *path = scratch_path (checked ? "direct.h5" : "plain.h5");
      int code = put (path, arrays, checked);
      check (code == VRG_OK, "written %s", checked ? "in one pass" : "through HDF5 and sealed afterwards");
      if (vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_READ, &file) != VRG_OK)
        continue;
      check (vrg_h5_verify (file) == VRG_OK, "  it verifies");
      bool good = true;
      for (int i = 0; i < ARRAYS; i++)
        good = vrg_h5_compare (file, &arrays[i]) == VRG_OK && good;
      check (good, "  every byte is there");
      n[checked] = sums (file, all[checked]);
      vrg_h5_close (file);
    }
  check (n[0] == n[1] && n[0] > 10 && memcmp (all[0], all[1], (size_t) n[0] * 8) == 0,
         "the same %lld checksums and seal", (long long) n[0]);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  scratch_begin ();
  vrg_h5_array arrays[ARRAYS];
  fill (arrays);
  same_file (arrays);

  refuse = true;
  same_file (arrays);
  check (check_rank_ != 0 || refusals > 0, "all that on a file system that cannot reserve");
  refuse = false;

  flip = check_rank_ == check_size_ - 1;
  int code = put (scratch_path ("flipped.h5"), arrays, true);
  check (code == VRG_FILE && strstr (vrg_error_text (), "does not hold what was written") != NULL,
         "a bit that comes back wrong on one rank: %s", vrg_error_text ());
  flip = false;

  uint64_t words[1000];
  for (uint64_t i = 0; i < 1000; i++)
    words[i] = i * i * UINT64_C (0x123456789abcdef);
  const uint64_t known = UINT64_C (0x143d4fc8ea20a7ea); /* by another program */
  bool good = true;
  for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
    {
      vrg_simd_set ((vrg_simd_path) path);
      for (int64_t cut = 0; cut <= 1000; cut += 77)
        good = good && vrg_checksum (words, cut, 5) + vrg_checksum (words + cut, 1000 - cut, 5 + cut) == known;
    }
  check (good, "the sum is the one of doc/formats.md on all paths, in any parts: %llx",
         (unsigned long long) vrg_checksum (words, 1000, 5));

  for (int i = 0; i < ARRAYS; i++)
    vrg_free (arrays[i].data);
  scratch_end ();
  return check_end ();
}
