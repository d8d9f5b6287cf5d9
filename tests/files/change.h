/* SPDX-License-Identifier: GPL-3.0-or-later
 * Files that somebody has changed, and sealed again. */
#ifndef VRG_TESTS_FILES_CHANGE_H
#define VRG_TESTS_FILES_CHANGE_H

#include <string.h>

#include "base/memory.h"
#include "files/h5.h"
#include "tests/check.h"

/** Element `at` (negative: from the end) of a dataset (VRG_I64, or VRG_U8) is to be `value`; returns what it was.  Collective. */
static inline int64_t
change_data (const char *path, const char *name, vrg_h5_type type, int64_t at, int64_t value)
{
  vrg_h5 *file;
  vrg_h5_array array = { .name = name, .type = type, .replicated = true };
  int64_t n = 1, was = 0;
  if (vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_MODIFY, &file) != VRG_OK)
    vrg_fail_all (VRG_FILE, "%s", vrg_error_text ());
  array.rank = vrg_h5_shape (file, name, array.dims);
  for (int d = 0; d < array.rank; d++)
    n *= array.dims[d];
  at += at < 0 ? n : 0;
  const size_t size = type == VRG_U8 ? 1 : 8;
  char *data = array.data = vrg_new (n, size, "a changed dataset");
  bool good = at < n && vrg_h5_read (file, &array) == VRG_OK;
  memcpy (&was, data + (size_t) at * size, size); /* little-endian */
  memcpy (data + (size_t) at * size, &value, size);
  good = good && vrg_h5_write (file, &array) == VRG_OK && vrg_h5_seal (file) == VRG_OK;
  if (vrg_h5_close (file) != VRG_OK || !good)
    vrg_fail_all (VRG_FILE, "%s: %s cannot be changed: %s", path, name, vrg_error_text ());
  vrg_free (data);
  return was;
}

/** A number among the attributes of the file; or a text, where `text` is not NULL.  Collective. */
static inline void
change_attribute (const char *path, const char *name, int64_t value, const char *text)
{
  vrg_h5 *file;
  bool good = vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_MODIFY, &file) == VRG_OK
              && (text ? vrg_h5_put_text (file, "/", name, text) : vrg_h5_put_int (file, "/", name, value)) == VRG_OK
              && vrg_h5_seal (file) == VRG_OK;
  if (!good || vrg_h5_close (file) != VRG_OK)
    vrg_fail_all (VRG_FILE, "%s: %s cannot be changed: %s", path, name, vrg_error_text ());
}

#endif
