/* SPDX-License-Identifier: GPL-3.0-or-later
 * Changed bytes in a file of any kind, which the first byte chooses; read as the program does it, walked by a process of
 * its own, unless VRG_FUZZ_ALONE is set: that shows what libhdf5 itself does with such files. */
#include "good.h"

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  if (*argc == 3 && strcmp ((*argv)[1], VRG_WALK_OPTION) == 0)
    vrg_walk_main ((*argv)[2]);
  good_begin ();
  static char self[4096];
  const char *walker = getenv ("VRG_FUZZ_WALKER"); /* vrg-walk, to which all checksums are right, too */
  if (getenv ("VRG_FUZZ_ALONE") == NULL && readlink ("/proc/self/exe", self, sizeof self - 1) > 0)
    vrg_walk_use (walker != NULL ? walker : self);
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  fuzz_bytes bytes = { data, size };
  const good_kind kind = (good_kind) (fuzz_byte (&bytes) % GOOD_KINDS);
  const char *path = scratch_path (good_name[kind]);
  edits_good = &good_file[kind];
  edits_raw (path, &bytes);
  good_read (kind, path);
  unlink (path);
  return 0;
}
