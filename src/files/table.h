/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tables: tab-separated text, `#` comment lines, one header line, rows.  Written to .tmp, synced, renamed. */
#ifndef VRG_FILES_TABLE_H
#define VRG_FILES_TABLE_H

#include <stdint.h>
#include <stdio.h>

typedef struct vrg_table vrg_table;

/** Start DIRECTORY/name (memory until closed).  columns: names separated by single spaces.  comment: one or more
 *  lines for the head, without "# ".  Local (rank 0 only calls these). */
vrg_table *vrg_table_new (const char *directory, const char *name, const char *columns, const char *comment);

/** Append a cell; a row is complete when it has as many cells as there are columns.  Doubles in 10 significant digits,
 *  NaN as nan.  Local. */
void vrg_table_text (vrg_table *table, const char *text);
void vrg_table_int (vrg_table *table, int64_t value);
void vrg_table_double (vrg_table *table, double value);

/** Write and free.  VRG_OK or VRG_FILE.  stream: if not NULL, print there instead of into a file. */
int vrg_table_close (vrg_table *table, FILE *stream);

/** Drop a table that is not to be written; NULL is fine. */
void vrg_table_discard (vrg_table *table);

/** A table read back: cells as text.  Local. */
typedef struct
{
  int columns, rows;
  char **name; /* [columns] */
  char **cell; /* [rows * columns] */
  char *text;  /* owns the storage */
} vrg_table_data;

/** VRG_FILE if missing or malformed.  Free with vrg_table_free.  Local. */
int vrg_table_read (const char *path, vrg_table_data **data);
void vrg_table_free (vrg_table_data *data);

/** Column index by name or -1; a cell as a number (nan if it is none). */
int vrg_table_column (const vrg_table_data *data, const char *name);
double vrg_table_number (const vrg_table_data *data, int row, int column);

/** The sides of a lattice as tables have them: 64, 64x128, 8x16x32; one number where all are equal.  Local. */
#define VRG_SIZE_TEXT 72
void vrg_size_text (int64_t dimension, const int64_t *size, char text[VRG_SIZE_TEXT]);

#endif
