/* SPDX-License-Identifier: GPL-3.0-or-later
 * A fuzz target without a fuzzer: every file named takes its turn once. */
#include "fuzz.h"

int
main (int argc, char **argv)
{
  LLVMFuzzerInitialize (&argc, &argv);
  int done = 0;
  for (int i = 1; i < argc; i++)
    {
      static uint8_t data[1 << 20];
      FILE *file = fopen (argv[i], "rb");
      if (file == NULL)
        {
          fprintf (stderr, "%s: cannot be opened\n", argv[i]);
          return 1;
        }
      const size_t size = fread (data, 1, sizeof data, file);
      fclose (file);
      uint8_t *own = malloc (size + 1); /* so that valgrind sees a step too far */
      if (own == NULL)
        return 1;
      memcpy (own, data, size);
      LLVMFuzzerTestOneInput (own, size);
      free (own);
      done++;
    }
  fprintf (stderr, "replayed %d\n", done);
  MPI_Finalize ();
  return 0;
}
