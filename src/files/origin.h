/* SPDX-License-Identifier: GPL-3.0-or-later
 * Where an HDF5 file comes from: its kind, and its /provenance. */
#ifndef VRG_FILES_ORIGIN_H
#define VRG_FILES_ORIGIN_H

#include "files/command.h"
#include "files/h5.h"

typedef struct
{
  char format[32];         /* "vrg-samples" */
  char words[40];          /* "configurations" */
  int64_t version, newest; /* of the format; the newest that this program knows */
  char stage[16];          /* of a checkpoint, which goes from step to total; "" otherwise */
  int64_t step, total;
  char program[64], commit[64], date[32], host[256], job[VRG_JOB_LENGTH], command[4096], directory[4096],
    output[4096]; /* "" where not told */
  int ranks;
  bool moved; /* from the directory that it was made in: its command does not go on here */
} vrg_origin;

/** Read it; nothing of the data.  VRG_FILE, with words for the user, if the file is another program's.  Collective. */
int vrg_origin_read (vrg_h5 *file, const char *path, vrg_origin *origin);

/** Open, read and close a file on this rank alone, locking nothing. */
int vrg_origin_of (const char *path, vrg_origin *origin);

#endif
