/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tables of tab-separated text.  Local: rank 0 alone calls these. */
#include "files/table.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/file.h"
#include "files/lock.h"

#define LARGEST_TABLE (INT64_C (1) << 27) /* bytes; train.tsv of a million epochs has about as many */

struct vrg_table
{
  char *path;
  int columns, cells; /* cells in the row that is being written */
  char *text;
  int64_t size, room;
};

static void
append (vrg_table *table, const char *text, size_t length)
{
  if (table->size + (int64_t) length > table->room)
    {
      table->room = 2 * (table->size + (int64_t) length) + 4096;
      char *more = vrg_new (table->room, 1, "table");
      if (table->size > 0)
        memcpy (more, table->text, (size_t) table->size);
      vrg_free (table->text);
      table->text = more;
    }
  memcpy (table->text + table->size, text, length);
  table->size += (int64_t) length;
}

vrg_table *
vrg_table_new (const char *directory, const char *name, const char *columns, const char *comment)
{
  vrg_table *table = vrg_new (1, sizeof *table, "table");
  int64_t length = (int64_t) (strlen (directory) + strlen (name)) + 2;
  table->path = vrg_new (length, 1, "name of a table");
  snprintf (table->path, (size_t) length, "%s/%s", directory, name);
  for (const char *line = comment; line != NULL && *line != '\0';)
    {
      size_t n = strcspn (line, "\n");
      append (table, "# ", 2);
      append (table, line, n);
      append (table, "\n", 1);
      line += n + (line[n] == '\n');
    }
  table->columns = 1;
  for (const char *c = columns; *c != '\0'; c++)
    {
      table->columns += *c == ' ';
      append (table, *c == ' ' ? "\t" : c, 1);
    }
  append (table, "\n", 1);
  return table;
}

void
vrg_table_text (vrg_table *table, const char *text)
{
  VRG_ASSERT (strpbrk (text, "\t\n") == NULL);
  append (table, text, strlen (text));
  table->cells = (table->cells + 1) % table->columns;
  append (table, table->cells == 0 ? "\n" : "\t", 1);
}

void
vrg_table_int (vrg_table *table, int64_t value)
{
  char text[32];
  snprintf (text, sizeof text, "%lld", (long long) value);
  vrg_table_text (table, text);
}

void
vrg_table_double (vrg_table *table, double value)
{
  char text[32];
  snprintf (text, sizeof text, "%.10g", value);
  vrg_table_text (table, isnan (value) ? "nan" : text);
}

/** Write the whole text to a file and sync it. */
static bool
write_text (const char *path, const char *text, int64_t size)
{
  int descriptor = vrg_file_new (path);
  if (descriptor < 0)
    return false;
  bool good = true;
  while (size > 0 && good)
    {
      ssize_t n = write (descriptor, text, (size_t) size);
      good = n > 0 || (n < 0 && errno == EINTR);
      text += n > 0 ? n : 0;
      size -= n > 0 ? n : 0;
    }
  good = good && fsync (descriptor) == 0;
  int saved = errno;
  good = close (descriptor) == 0 && good;
  errno = saved;
  return good;
}

int
vrg_table_close (vrg_table *table, FILE *stream)
{
  VRG_ASSERT (table->cells == 0);
  int code = VRG_OK;
  if (stream != NULL)
    {
      if (fwrite (table->text, 1, (size_t) table->size, stream) != (size_t) table->size || fflush (stream) != 0)
        code = vrg_error (VRG_FILE, "the table cannot be printed: %s", strerror (errno));
    }
  else
    {
      int64_t length = (int64_t) strlen (table->path) + 5;
      char *temporary = vrg_new (length, 1, "name of a table");
      snprintf (temporary, (size_t) length, "%s.tmp", table->path);
      code = vrg_lock_check ();
      if (code == VRG_OK
          && (!write_text (temporary, table->text, table->size) || rename (temporary, table->path) != 0
              || !vrg_file_sync_directory (table->path)))
        {
          code = vrg_error (VRG_FILE, "%s: cannot be written: %s", table->path, strerror (errno));
          unlink (temporary);
        }
      vrg_free (temporary);
    }
  vrg_table_discard (table);
  return code;
}

void
vrg_table_discard (vrg_table *table)
{
  if (table == NULL)
    return;
  vrg_free (table->text);
  vrg_free (table->path);
  vrg_free (table);
}

/* --- reading --- */

static int
read_text (const char *path, char **text, int64_t *size)
{
  int descriptor = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe is not waited for */
  struct stat status;
  if (descriptor < 0 || fstat (descriptor, &status) != 0)
    {
      int saved = errno;
      if (descriptor >= 0)
        close (descriptor);
      return vrg_error (VRG_FILE, "%s: cannot be opened: %s", path, strerror (saved));
    }
  int code = VRG_OK;
  *size = (int64_t) status.st_size;
  if (!S_ISREG (status.st_mode))
    code = vrg_error (VRG_FILE, "%s: is not a table", path);
  else if (*size > LARGEST_TABLE)
    code
      = vrg_error (VRG_FILE, "%s: is larger than a table may be (%lld MiB)", path, (long long) (LARGEST_TABLE >> 20));
  else
    {
      *text = vrg_new (*size + 1, 1, "table");
      if (!vrg_file_read_bytes (descriptor, *text, *size, 0))
        code = vrg_error (VRG_FILE, "%s: cannot be read: %s", path, strerror (errno));
      else if (memchr (*text, '\0', (size_t) *size) != NULL)
        code = vrg_error (VRG_FILE, "%s: is not text", path);
    }
  close (descriptor);
  return code;
}

/** Number of cells of a line that ends with a zero. */
static int
cells_of (const char *line)
{
  int n = 1;
  for (; *line != '\0'; line++)
    n += *line == '\t';
  return n;
}

static void
split (char *line, int n, char **cells)
{
  for (int i = 0; i < n; i++)
    {
      size_t length = strcspn (line, "\t");
      cells[i] = line;
      line[length] = '\0';
      line += length + 1;
    }
}

int
vrg_table_read (const char *path, vrg_table_data **result)
{
  *result = NULL;
  int64_t size = 0, lines = 1;
  vrg_table_data *data = vrg_new (1, sizeof *data, "table");
  int code = read_text (path, &data->text, &size);
  for (int64_t i = 0; i < size && code == VRG_OK; i++)
    lines += data->text[i] == '\n';

  char *next = data->text;
  for (int64_t number = 1; code == VRG_OK && *next != '\0'; number++)
    {
      char *line = next;
      size_t length = strcspn (line, "\n");
      next = line + length + (line[length] == '\n');
      line[length] = '\0';
      if (line[0] == '#' || line[0] == '\0')
        continue;
      int cells = cells_of (line);
      if (data->columns == 0)
        {
          data->columns = cells;
          data->name = vrg_new (cells, sizeof *data->name, "columns of a table");
          /* a cell takes a byte or more, and blank lines are no rows */
          const int64_t most = (size - (next - data->text)) / cells + 1;
          data->cell = vrg_new ((lines < most ? lines : most) * cells, sizeof *data->cell, "cells of a table");
          split (line, cells, data->name);
        }
      else if (cells != data->columns)
        code
          = vrg_error (VRG_FILE, "%s:%lld: %d cells, but %d columns", path, (long long) number, cells, data->columns);
      else
        split (line, cells, data->cell + (int64_t) data->rows++ * cells);
    }
  if (code == VRG_OK && data->columns == 0)
    code = vrg_error (VRG_FILE, "%s: has no line of column names", path);
  if (code == VRG_OK)
    *result = data;
  else
    vrg_table_free (data);
  return code;
}

void
vrg_table_free (vrg_table_data *data)
{
  if (data == NULL)
    return;
  vrg_free (data->name);
  vrg_free (data->cell);
  vrg_free (data->text);
  vrg_free (data);
}

int
vrg_table_column (const vrg_table_data *data, const char *name)
{
  for (int c = 0; c < data->columns; c++)
    if (strcmp (data->name[c], name) == 0)
      return c;
  return -1;
}

double
vrg_table_number (const vrg_table_data *data, int row, int column)
{
  if (row < 0 || row >= data->rows || column < 0 || column >= data->columns)
    return NAN;
  const char *cell = data->cell[(int64_t) row * data->columns + column];
  char *end;
  double value = strtod (cell, &end);
  return end != cell && *end == '\0' ? value : NAN;
}

void
vrg_size_text (int64_t dimension, const int64_t *size, char text[VRG_SIZE_TEXT])
{
  int length = snprintf (text, VRG_SIZE_TEXT, "%lld", (long long) size[0]);
  bool equal = true;
  for (int64_t d = 1; d < dimension; d++)
    equal = equal && size[d] == size[0];
  for (int64_t d = 1; d < dimension && !equal; d++)
    length += snprintf (text + length, (size_t) (VRG_SIZE_TEXT - length), "x%lld", (long long) size[d]);
}
