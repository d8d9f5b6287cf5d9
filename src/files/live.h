/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a run says of itself while it runs: lines behind the head of its lock file, written with every heartbeat. */
#ifndef VRG_FILES_LIVE_H
#define VRG_FILES_LIVE_H

#include <stddef.h>

#include "base/progress.h"
#include "files/command.h"

typedef struct
{
  long long since, now; /* seconds since 1970 when the run began, and when this was written; 0: not told */
  vrg_progress_state at;
  char job[VRG_JOB_LENGTH];          /* of Slurm, "" outside of one */
  char command[512], directory[512]; /* "" where there was no room for them */
} vrg_live;

/** Begin: the job, the command and the working directory, once.  Local. */
void vrg_live_init (vrg_live *live);

/** Its present state in lines, as many as there is room for.  Allocates nothing: a thread calls it. */
void vrg_live_print (vrg_live *live, char *text, size_t size);

/** Read such lines; what is missing or odd is left empty. */
void vrg_live_parse (const char *text, vrg_live *live);

#endif
