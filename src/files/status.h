/* SPDX-License-Identifier: GPL-3.0-or-later
 * `vrg status`: how far the stages in a run directory are.
 *
 * What is there is looked at from outside: names of files, the heads of final files and checkpoints (read without locking
 * them), and the lock file, in which a run that lives tells what it is doing.  Nothing is written, locked or waited for. */
#ifndef VRG_FILES_STATUS_H
#define VRG_FILES_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define VRG_STATUS_STAGES 4 /* sample, train, flow, report */

/** A line.  Unknown numbers are NaN, unknown times 0, unknown texts "". */
typedef struct
{
  const char *stage;
  const char *state;  /* not begun, waiting, running, stopped, finished, left out, damaged */
  double step, total; /* in units */
  char unit[16];
  double rate;       /* units a second */
  long long end;     /* expected; seconds since 1970 */
  double checkpoint; /* seconds since the last one */
  char host[80];     /* where it runs, or ran when it was killed */
  int ranks;
  long long since; /* when that run began */
  char note[2048]; /* for people: what it does, what went wrong, what to do */
} vrg_status_row;

/** Look at a directory.  VRG_FILE if there is no run in it.  Local. */
int vrg_status_look (const char *directory, vrg_status_row rows[VRG_STATUS_STAGES]);

/** Rows as lines for people. */
void vrg_status_print (FILE *stream, const vrg_status_row rows[VRG_STATUS_STAGES]);

/** The command: one directory after the other; a table (columns: doc/formats.md), or lines for people on a terminal.
 *  VRG_FILE if one of them holds no run, or a stage is damaged.  Local. */
int vrg_status_command (int n, const char *const *directories, bool people);

#endif
