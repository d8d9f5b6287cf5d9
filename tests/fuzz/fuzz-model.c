/* SPDX-License-Identifier: GPL-3.0-or-later
 * A model file edited through the HDF5 library. */
#include "good.h"

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  (void) argc;
  (void) argv;
  good_begin ();
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  return good_input (GOOD_MODEL, data, size);
}
