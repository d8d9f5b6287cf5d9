/* SPDX-License-Identifier: GPL-3.0-or-later
 * `vrg export`: what a file holds as text, and configurations for ParaView and VisIt. */
#ifndef VRG_FILES_EXPORT_H
#define VRG_FILES_EXPORT_H

#include "files/h5_internal.h"

/** What to export.  Strings are the caller's; NULL: not given. */
typedef struct
{
  const char *path;   /* the file */
  const char *object; /* a dataset or a group of it; NULL: a list of all */
  const char *rows;   /* A:B or A:B:STEP of the first dimension, as in Python; one number: that row */
  const char *xdmf;   /* NAME.xdmf to write instead of text, with NAME.raw */
} vrg_export;

/** Rank 0 reads, a few MiB at a time, and prints on standard output or writes the two files; the others wait.  VRG_USAGE for
 *  a name, a range or a kind of dataset that cannot be, VRG_FILE for files.  Collective over comm. */
int vrg_export_file (MPI_Comm comm, const vrg_export *what);

/** Rows first, first + step, ... of a dataset, `count` of them. */
typedef struct
{
  int64_t first, count, step;
} vrg_export_rows;

/** Bit-packed spins: a dataset u64 [n][row][word] and the lattice it stands for. */
typedef struct
{
  int64_t dimension, size[3]; /* sides, slowest first; unused ones are 1 */
  int64_t columns;
} vrg_export_lattice;

/** +-1 of column x in packed words. */
static inline int
vrg_export_spin (const uint64_t *words, int64_t x)
{
  return (words[x / 64] >> (x % 64) & 1) != 0 ? 1 : -1;
}

#endif
