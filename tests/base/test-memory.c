/* SPDX-License-Identifier: GPL-3.0-or-later
 * Counted memory.  ranks: 1 */
#include <stdint.h>
#include <string.h>

#include "tests/check.h"

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  check (vrg_memory_now () == 0 && vrg_memory_peak () == 0 && vrg_memory_blocks () == 0, "nothing at first");
  check (vrg_new (0, 8, "nothing") == NULL && vrg_memory_blocks () == 0, "no elements: NULL");
  vrg_free (NULL);

  char *block[100];
  bool aligned = true, zero = true;
  int64_t bytes = 0;
  for (int i = 0; i < 100; i++)
    {
      block[i] = vrg_new (i + 1, 7, "a block");
      bytes += 7 * (i + 1);
      aligned = aligned && (uintptr_t) block[i] % 64 == 0;
      for (int k = 0; k < 7 * (i + 1); k++)
        zero = zero && block[i][k] == 0;
      memset (block[i], 0xff, (size_t) (7 * (i + 1)));
    }
  check (aligned, "blocks are aligned");
  check (zero, "blocks are zero");
  check (vrg_memory_now () == bytes && vrg_memory_peak () == bytes && vrg_memory_blocks () == 100, "counted");
  for (int i = 99; i >= 0; i -= 2)
    vrg_free (block[i]);
  for (int i = 0; i < 100; i += 2)
    vrg_free (block[i]);
  check (vrg_memory_now () == 0 && vrg_memory_peak () == bytes, "all freed; the peak stays");
  vrg_memory_restart ();
  check (vrg_memory_peak () == 0, "until it is counted anew");

  char *large = vrg_new (INT64_C (1) << 28, 1, "a large block");
  check (large[0] == 0 && large[(1 << 28) - 1] == 0, "a large block");
  vrg_free (large);
  check (vrg_memory_peak () == INT64_C (1) << 28, "the peak");
  return check_end ();
}
