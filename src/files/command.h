/* SPDX-License-Identifier: GPL-3.0-or-later
 * Command lines, as a shell reads them. */
#ifndef VRG_FILES_COMMAND_H
#define VRG_FILES_COMMAND_H

#include <stddef.h>

#define VRG_JOB_LENGTH 24

/** This process's own command line, words quoted where a shell needs it; "" if it is longer than size.  Local. */
void vrg_command_own (char *text, size_t size);

/** Number of the Slurm job that this process is in; "" outside of one.  Local. */
void vrg_command_job (char text[VRG_JOB_LENGTH]);

/** How to go on with the work of `command`: `words` and the command, without --fresh; `stage` instead of run, sample, train or flow
 *  where it is not NULL; by mpirun for several ranks; from `directory` if that is not the working directory ("": not known).
 *  Where a job made it, it is to be submitted again, and nothing stands there to be pasted on a login node.  Each
 *  word is one for a shell whatever `command` holds; "" where its first is no `vrg`.  Local. */
void vrg_command_again (const char *words, const char *command, const char *job, int ranks, const char *directory,
                        const char *stage, char *text, size_t size);

/** A number of seconds since 1970 as UTC, "2026-01-31T12:00:00Z", the way provenance writes dates.  Returns text. */
const char *vrg_command_date (long long seconds, char text[32]);

#endif
