/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tables: read, every cell looked at; `info` on them. */
#include "fuzz.h"

#include "files/info.h"
#include "files/table.h"

static vrg_grid *grid;

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  (void) argc;
  (void) argv;
  fuzz_begin ();
  grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  static volatile double sum;
  const int64_t blocks = vrg_memory_blocks ();
  const char *path = scratch_path ("table.tsv");
  FILE *file = fopen (path, "wb");
  if (file == NULL || fwrite (data, 1, size, file) != size || fclose (file) != 0)
    abort ();
  vrg_table_data *table;
  if (vrg_table_read (path, &table) == VRG_OK)
    {
      for (int r = 0; r < table->rows; r++)
        for (int c = 0; c < table->columns; c++)
          sum = sum + vrg_table_number (table, r, c) + (double) strlen (table->cell[(int64_t) r * table->columns + c]);
      for (int c = 0; c < table->columns; c++)
        sum = sum + vrg_table_column (table, table->name[c]);
      vrg_table_free (table);
    }
  vrg_info_print (grid, path);
  if (vrg_memory_blocks () != blocks)
    abort ();
  return 0;
}
