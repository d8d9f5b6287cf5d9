/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tables: written and read back, and what is refused.
 * ranks: 1 */
#include "check.h"

#include <signal.h>
#include <sys/resource.h>

#include "files/table.h"
#include "scratch.h"

static void
write_text (const char *path, const char *text)
{
  FILE *file = fopen (path, "w");
  if (file != NULL)
    {
      fputs (text, file);
      fclose (file);
    }
}

static void
refused (const char *text, const char *reason)
{
  vrg_table_data *data;
  write_text (scratch_path ("bad.tsv"), text);
  int code = vrg_table_read (scratch_path ("bad.tsv"), &data);
  check (code == VRG_FILE && data == NULL && strstr (vrg_error_text (), reason) != NULL, "refused: %s",
         vrg_error_text ());
}

/* A disk that is full, played by a limit on the size of files: what was there stays, nothing else does. */
static void
full_disk (const char *name, long long expected)
{
  struct rlimit limit, small;
  vrg_table *table = vrg_table_new (scratch_directory, name, "one", "");
  for (int i = 0; i < 1000; i++)
    vrg_table_int (table, i);
  getrlimit (RLIMIT_FSIZE, &limit);
  small = limit;
  small.rlim_cur = 1000;
  void (*before) (int) = signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &small);
  int code = vrg_table_close (table, NULL);
  setrlimit (RLIMIT_FSIZE, &limit);
  signal (SIGXFSZ, before);
  char temporary[64];
  snprintf (temporary, sizeof temporary, "%s.tmp", name);
  check (code == VRG_FILE && strstr (vrg_error_text (), "cannot be written: File too large") != NULL
           && scratch_size (scratch_path (temporary)) < 0 && scratch_size (scratch_path (name)) == expected,
         "%s: no room", name);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  scratch_begin ();

  vrg_table *table = vrg_table_new (scratch_directory, "a.tsv", "nn size value", "first\nsecond");
  vrg_table_double (table, 0.1);
  vrg_table_text (table, "64x128");
  vrg_table_double (table, (double) NAN);
  vrg_table_double (table, 1.0 / 3);
  vrg_table_int (table, INT64_MIN);
  vrg_table_double (table, -(double) NAN);
  check (vrg_table_close (table, NULL) == VRG_OK && scratch_size (scratch_path ("a.tsv.tmp")) < 0, "written");

  char text[512] = "";
  FILE *file = fopen (scratch_path ("a.tsv"), "r");
  size_t length = file != NULL ? fread (text, 1, sizeof text - 1, file) : 0;
  if (file != NULL)
    fclose (file);
  check (length > 0
           && strcmp (text,
                      "# first\n# second\nnn\tsize\tvalue\n0.1\t64x128\tnan\n0.3333333333\t-9223372036854775808\tnan\n")
                == 0,
         "to the letter");

  vrg_table_data *data;
  check (vrg_table_read (scratch_path ("a.tsv"), &data) == VRG_OK && data->columns == 3 && data->rows == 2, "read");
  check (vrg_table_column (data, "size") == 1 && vrg_table_column (data, "none") == -1, "columns by name");
  check (vrg_table_number (data, 1, 0) == 0.3333333333 && isnan (vrg_table_number (data, 0, 1))
           && isnan (vrg_table_number (data, 0, 2)) && isnan (vrg_table_number (data, 2, 0))
           && isnan (vrg_table_number (data, 0, -1)),
         "numbers");
  vrg_table_free (data);

  table = vrg_table_new (scratch_directory, "empty.tsv", "one", "");
  check (vrg_table_close (table, NULL) == VRG_OK && vrg_table_read (scratch_path ("empty.tsv"), &data) == VRG_OK
           && data->columns == 1 && data->rows == 0,
         "no rows");
  vrg_table_free (data);

  file = tmpfile ();
  table = vrg_table_new (scratch_directory, "printed.tsv", "one", "");
  vrg_table_int (table, 7);
  check (vrg_table_close (table, file) == VRG_OK && scratch_size (scratch_path ("printed.tsv")) < 0 && file != NULL
           && ftell (file) == 6,
         "printed and not written");
  if (file != NULL)
    fclose (file);

  full_disk ("new.tsv", -1);
  full_disk ("empty.tsv", 4);
  table = vrg_table_new (scratch_directory, "dropped.tsv", "one two", "");
  vrg_table_int (table, 7);
  vrg_table_discard (table);
  vrg_table_discard (NULL);
  check (scratch_size (scratch_path ("dropped.tsv")) < 0, "dropped in the middle of a row");

  table = vrg_table_new (scratch_path ("none"), "a.tsv", "one", "");
  check (vrg_table_close (table, NULL) == VRG_FILE && strstr (vrg_error_text (), "none/a.tsv") != NULL,
         "a directory that is missing");
  check (vrg_table_read (scratch_path ("none.tsv"), &data) == VRG_FILE && data == NULL, "a missing file");
  check (vrg_table_read (scratch_directory, &data) == VRG_FILE && data == NULL, "a directory");
  refused ("", "no line of column names");
  refused ("# only\n# comments\n", "no line of column names");
  refused ("a\tb\n1\t2\n3\n", "bad.tsv:3: 1 cells, but 2 columns");

  /* many columns, and many lines that are no rows: 2^36 cells */
  enum
  {
    WIDE = 1 << 18
  };
  char *wide = vrg_new (2 * WIDE + 3, 1, "a wide table");
  memset (wide, '\t', WIDE);
  memset (wide + WIDE, '\n', WIDE + 1);
  strcpy (wide + 2 * WIDE + 1, "x");
  write_text (scratch_path ("wide.tsv"), wide);
  check (vrg_table_read (scratch_path ("wide.tsv"), &data) == VRG_FILE && strstr (vrg_error_text (), "1 cells"),
         "a wide table with blank lines: %s", vrg_error_text ());
  vrg_free (wide);
  scratch_truncate (scratch_path ("wide.tsv"), (1 << 27) + 1);
  check (vrg_table_read (scratch_path ("wide.tsv"), &data) == VRG_FILE && strstr (vrg_error_text (), "is larger"),
         "a table that is too large");
  scratch_truncate (scratch_path ("a.tsv"), 4096);
  check (vrg_table_read (scratch_path ("a.tsv"), &data) == VRG_FILE && strstr (vrg_error_text (), "not text") != NULL,
         "zeros after the end, as a crash may leave them");
  scratch_end ();
  return check_end ();
}
