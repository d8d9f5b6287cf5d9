/* SPDX-License-Identifier: GPL-3.0-or-later
 * HDF5 files: slabs, attributes, seals, damage.
 * ranks: 1 2 3 4 */
#include "check.h"

#include "files/h5.h"
#include "files/h5_internal.h"
#include "parallel/grid.h"
#include "scratch.h"

static const char *const type_names[] = { "u8", "i32", "u32", "i64", "u64", "f64" };
static const int64_t type_sizes[] = { 1, 4, 4, 8, 8, 8 };

/** A value that differs at every place, as bytes of the type. */
static void
value_at (vrg_h5_type type, int64_t i, void *value)
{
  uint64_t u = (uint64_t) i * UINT64_C (0x9e3779b97f4a7c15) >> 11;
  double f = (double) u / 3;
  memcpy (value, type == VRG_F64 ? (void *) &f : (void *) &u, (size_t) type_sizes[type]);
}

/** An array of 17 x 9 x 5 cut along one dimension. */
static vrg_h5_array
slab (vrg_h5_type type, int along, const char *name)
{
  vrg_h5_array array
    = { .name = name, .help = "numbers (1)", .axes = "x y z", .type = type, .rank = 3, .dims = { 17, 9, 5 } };
  int64_t n = 1, last = 0;
  for (int d = 0; d < 3; d++)
    {
      array.count[d] = array.dims[d];
      if (d == along)
        {
          vrg_grid_span (array.dims[d], check_size_, check_rank_, &array.first[d], &last);
          array.count[d] = last - array.first[d];
        }
      n *= array.count[d];
    }
  array.data = vrg_new (n, (size_t) type_sizes[type], "test");
  return array;
}

/** Fill a slab, or compare it with what it should hold. */
static bool
visit (const vrg_h5_array *array, bool fill)
{
  char *at = array->data;
  bool good = true;
  for (int64_t x = 0; x < array->count[0]; x++)
    for (int64_t y = 0; y < array->count[1]; y++)
      for (int64_t z = 0; z < array->count[2]; z++, at += type_sizes[array->type])
        {
          char value[8];
          value_at (array->type, ((array->first[0] + x) * 9 + array->first[1] + y) * 5 + array->first[2] + z, value);
          if (fill)
            memcpy (at, value, (size_t) type_sizes[array->type]);
          else
            good = good && memcmp (at, value, (size_t) type_sizes[array->type]) == 0;
        }
  return good;
}

static void
write_all (const char *path)
{
  vrg_h5 *file;
  bool good = vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_CREATE, &file) == VRG_OK;
  for (int t = 0; t < 6; t++)
    {
      char name[64];
      snprintf (name, sizeof name, "/group/%s", type_names[t]);
      vrg_h5_array array = slab ((vrg_h5_type) t, 0, name);
      visit (&array, true);
      good = vrg_h5_put (file, &array) == VRG_OK && vrg_h5_compare (file, &array) == VRG_OK && good;
      vrg_free (array.data);
    }
  check (good, "slabs are written");
  double one[3] = { 1, 2, 4 };
  vrg_h5_array whole = { .name = "/whole", .type = VRG_F64, .rank = 1, .dims = { 3 }, .replicated = true, .data = one };
  if (check_rank_ != 0)
    one[0] = one[1] = one[2] = -1;
  check (vrg_h5_put (file, &whole) == VRG_OK, "a replicated array is written");
  good = vrg_h5_put_text (file, "/", "text", "first\nsecond") == VRG_OK
         && vrg_h5_put_text (file, "/", "empty", "") == VRG_OK
         && vrg_h5_put_int (file, "/", "whole", INT64_MIN) == VRG_OK
         && vrg_h5_put_double (file, "/new/group", "real", 0.1) == VRG_OK
         && vrg_h5_put_head (file, "vrg-test", 3, "key = 1\n") == VRG_OK;
  check (good, "attributes are written");
  check (!vrg_h5_is_sealed (file), "not sealed yet");
  check (vrg_h5_seal (file) == VRG_OK, "sealed");
  check (vrg_h5_is_sealed (file), "and says so");
  check (vrg_h5_close (file) == VRG_OK, "closed and synced");
}

static void
read_all (const char *path)
{
  vrg_h5 *file;
  check (vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_READ, &file) == VRG_OK, "opened again");
  check (vrg_h5_verify (file) == VRG_OK, "checksums are right");
  for (int along = 0; along < 3; along++)
    for (int t = 0; t < 6; t++)
      {
        char name[64];
        snprintf (name, sizeof name, "/group/%s", type_names[t]);
        vrg_h5_array array = slab ((vrg_h5_type) t, along, name);
        int code = vrg_h5_read (file, &array);
        check (code == VRG_OK && visit (&array, false), "%s read in slabs along dimension %d", type_names[t], along);
        vrg_free (array.data);
      }
  double one[3] = { 0, 0, 0 };
  vrg_h5_array whole = { .name = "/whole", .type = VRG_F64, .rank = 1, .dims = { 3 }, .replicated = true, .data = one };
  check (vrg_h5_read (file, &whole) == VRG_OK && one[0] == 1 && one[1] == 2 && one[2] == 4,
         "a replicated array is read");
  whole.dims[0] = 4;
  check (vrg_h5_read (file, &whole) == VRG_FILE && strstr (vrg_error_text (), "is f64 3, expected is f64 4") != NULL,
         "wrong dims are refused");
  whole.name = "/nothing";
  check (vrg_h5_read (file, &whole) == VRG_FILE && strstr (vrg_error_text (), "/nothing is missing") != NULL,
         "a missing dataset is named");

  char *text = NULL;
  int64_t number = 0, dims[VRG_H5_RANK];
  double real = 0;
  check (vrg_h5_get_text (file, "/", "text", &text) == VRG_OK && strcmp (text, "first\nsecond") == 0, "text");
  vrg_free (text);
  check (vrg_h5_get_text (file, "/", "empty", &text) == VRG_OK && text[0] == '\0', "empty text");
  vrg_free (text);
  check (vrg_h5_get_int (file, "/", "whole", &number) == VRG_OK && number == INT64_MIN, "whole number");
  check (vrg_h5_get_double (file, "/new/group", "real", &real) == VRG_OK && real == 0.1, "real number");
  check (vrg_h5_get_int (file, "/", "text", &number) == VRG_FILE, "text is no number");
  check (vrg_h5_get_text (file, "/", "whole", &text) == VRG_FILE && text == NULL, "a number is no text");
  check (vrg_h5_get_double (file, "/", "none", &real) == VRG_FILE, "a missing attribute");
  check (vrg_h5_get_head (file, "vrg-test", 3, &text) == VRG_OK && strcmp (text, "key = 1\n") == 0, "the head");
  vrg_free (text);
  check (vrg_h5_get_head (file, "vrg-test", 2, NULL) == VRG_FILE, "another format version");
  check (vrg_h5_get_head (file, "vrg-other", 3, NULL) == VRG_FILE, "another format");
  check (vrg_h5_exists (file, "/group/u8") && vrg_h5_exists (file, "/group") && !vrg_h5_exists (file, "/no/u8"),
         "exists");
  check (vrg_h5_shape (file, "/group/i32", dims) == 3 && dims[0] == 17 && dims[1] == 9 && dims[2] == 5, "shape");
  check (vrg_h5_shape (file, "/group/none", dims) == -1, "no shape");
  vrg_h5_close (file);
}

/** The sum of doc/formats.md, written out once more. */
static uint64_t
expected_sum (const unsigned char *data, int64_t bytes, int64_t first_word)
{
  uint64_t sum = 0;
  for (int64_t i = 0; 8 * i < bytes; i++)
    {
      uint64_t word = 0;
      for (int64_t j = 0; j < 8 && 8 * i + j < bytes; j++)
        word |= (uint64_t) data[8 * i + j] << (8 * j);
      uint64_t z = word + (uint64_t) (first_word + i + 1) * UINT64_C (0x9e3779b97f4a7c15);
      z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
      z = (z ^ (z >> 27)) * UINT64_C (0x94d049bb133111eb);
      sum += z ^ (z >> 31);
    }
  return sum;
}

/** Several blocks and a short end: 2.5 MiB + 3 bytes. */
static void
check_sums (const char *path)
{
  const int64_t n = (5 << 19) + 3, block = 1 << 20;
  vrg_h5_array array = { .name = "/bytes", .type = VRG_U8, .rank = 1, .dims = { n } };
  int64_t last;
  vrg_grid_span (n, check_size_, check_rank_, &array.first[0], &last);
  array.count[0] = last - array.first[0];
  array.data = vrg_new (array.count[0], 1, "test");
  for (int64_t i = 0; i < array.count[0]; i++)
    ((unsigned char *) array.data)[i] = (unsigned char) ((array.first[0] + i) * 7 >> 3);
  vrg_h5 *file;
  vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_CREATE, &file);
  check (vrg_h5_put (file, &array) == VRG_OK && vrg_h5_seal (file) == VRG_OK, "2.5 MiB are sealed");
  uint64_t sums[3] = { 0, 0, 0 };
  vrg_h5_array stored
    = { .name = "/checksums/bytes", .type = VRG_U64, .rank = 1, .dims = { 3 }, .replicated = true, .data = sums };
  check (vrg_h5_read (file, &stored) == VRG_OK, "three checksums");
  vrg_h5_content content;
  check (vrg_h5_look (file, &content) == VRG_OK && content.n == 2 && strcmp (content.items[1].name, "/bytes") == 0,
         "the dataset is found");
  int64_t offset = content.items[1].offset;
  vrg_h5_content_clear (&content);
  vrg_h5_close (file);

  unsigned char *all = vrg_new (n, 1, "test");
  for (int64_t i = 0; i < n; i++)
    all[i] = (unsigned char) (i * 7 >> 3);
  bool good = true;
  for (int64_t b = 0; b < 3; b++)
    good
      = good && sums[b] == expected_sum (all + b * block, n - b * block < block ? n - b * block : block, b * block / 8);
  check (good, "checksums are those of the definition, on any number of ranks");
  vrg_free (all);
  vrg_free (array.data);

  scratch_flip (path, offset + block + 12345);
  vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_READ, &file);
  check (vrg_h5_verify (file) == VRG_FILE && strstr (vrg_error_text (), "/bytes is damaged in block 1 of 3") != NULL,
         "a flipped bit is found and named");
  vrg_h5_close (file);
}

static void
refused (const char *path, vrg_h5_mode mode, const char *reason)
{
  vrg_h5 *file;
  int code = vrg_h5_open (MPI_COMM_WORLD, path, mode, &file);
  check (code == VRG_FILE && file == NULL && strstr (vrg_error_text (), reason) != NULL
           && strstr (vrg_error_text (), path) != NULL,
         "refused: %s", check_rank_ == 0 ? vrg_error_text () : "");
}

static void
damage (const char *path)
{
  vrg_h5 *file;
  vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_MODIFY, &file);
  vrg_h5_put_int (file, "/", "whole", 7);
  vrg_h5_close (file);
  vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_READ, &file);
  check (vrg_h5_verify (file) == VRG_FILE && strstr (vrg_error_text (), "attribute is damaged") != NULL,
         "a changed attribute is found");
  vrg_h5_close (file);

  refused (scratch_path ("none.h5"), VRG_H5_READ, "No such file");
  refused (scratch_path ("none.h5"), VRG_H5_MODIFY, "No such file");
  refused (scratch_path ("none/none.h5"), VRG_H5_CREATE, "cannot be created");
  refused (scratch_directory, VRG_H5_READ, "not a regular file");
  scratch_truncate (scratch_path ("empty.h5"), 0);
  refused (scratch_path ("empty.h5"), VRG_H5_READ, "is empty");
  scratch_truncate (scratch_path ("zeros.h5"), 4096);
  refused (scratch_path ("zeros.h5"), VRG_H5_READ, "not an HDF5 file");
  scratch_truncate (path, scratch_size (path) / 2);
  refused (path, VRG_H5_READ, "truncated");
  scratch_truncate (path, 100);
  refused (path, VRG_H5_READ, "truncated");
  scratch_truncate (path, 8);
  refused (path, VRG_H5_READ, "truncated");
}

static void
file_system (void)
{
  check (vrg_directory_make (MPI_COMM_WORLD, scratch_path ("a/b//c/")) == VRG_OK, "nested directories");
  check (vrg_directory_make (MPI_COMM_WORLD, scratch_path ("a/b")) == VRG_OK, "a directory that is there");
  scratch_truncate (scratch_path ("a/file"), 3);
  check (vrg_directory_make (MPI_COMM_WORLD, scratch_path ("a/file")) == VRG_FILE, "a file is no directory");
  check (vrg_directory_make (MPI_COMM_WORLD, scratch_path ("a/file/b")) == VRG_FILE, "nor holds it one");
  check (vrg_directory_make (MPI_COMM_WORLD, "") == VRG_FILE, "no name");
  check (vrg_file_rename (MPI_COMM_WORLD, scratch_path ("a/file"), scratch_path ("a/other")) == VRG_OK
           && vrg_file_exists (MPI_COMM_WORLD, scratch_path ("a/other"))
           && !vrg_file_exists (MPI_COMM_WORLD, scratch_path ("a/file")),
         "rename");
  check (vrg_file_rename (MPI_COMM_WORLD, scratch_path ("a/file"), scratch_path ("a/b/file")) == VRG_FILE,
         "rename of nothing");
  check (vrg_file_remove (MPI_COMM_WORLD, scratch_path ("a/other")) == VRG_OK
           && !vrg_file_exists (MPI_COMM_WORLD, scratch_path ("a/other")),
         "remove");
  check (vrg_file_remove (MPI_COMM_WORLD, scratch_path ("a/other")) == VRG_OK, "remove what is not there");
  if (geteuid () != 0)
    {
      chmod (scratch_path ("a/b"), 0555);
      check (vrg_directory_make (MPI_COMM_WORLD, scratch_path ("a/b")) == VRG_FILE, "an unwritable directory");
      chmod (scratch_path ("a/b"), 0755);
    }
  else
    check (true, "an unwritable directory # SKIP root may write everywhere");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  scratch_begin ();
  write_all (scratch_path ("a.h5"));
  read_all (scratch_path ("a.h5"));
  vrg_h5_set_piece (64);
  write_all (scratch_path ("b.h5"));
  vrg_h5_set_piece (100);
  read_all (scratch_path ("b.h5"));
  vrg_h5_set_piece (0);
  check_sums (scratch_path ("c.h5"));
  damage (scratch_path ("a.h5"));
  file_system ();
  scratch_end ();
  return check_end ();
}
