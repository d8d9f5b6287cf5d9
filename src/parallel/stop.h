/* SPDX-License-Identifier: GPL-3.0-or-later
 * Agreed stopping: signals, the file `stop`, the time limit and the checkpoint interval, decided once for all ranks. */
#ifndef VRG_PARALLEL_STOP_H
#define VRG_PARALLEL_STOP_H

#include <mpi.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum
{
  VRG_GO,
  VRG_CHECKPOINT, /* write a checkpoint and go on */
  VRG_STOP        /* write a checkpoint and return VRG_STOPPED */
} vrg_action;

/** State of the decisions; one per process, set up by the command and passed to the stages. */
typedef struct
{
  MPI_Comm comm;
  const char
    *directory;    /* its file `stop` asks for a stop; the caller's.  NULL, as vrg_stop_init leaves it: no file does */
  double share;    /* the most of the time that checkpoints may take; 1, as vrg_stop_init leaves it: all of it */
  double deadline; /* vrg_clock at which to stop; infinite without a limit */
  double end;      /* vrg_clock at which the limit is; likewise */
  double interval; /* least seconds between checkpoints; 0 = at every poll that asks, whatever the share */
  double wait;     /* seconds from asking for one checkpoint to asking for the next */
  double cost;     /* seconds the last checkpoint took on this rank until they are agreed on; 0: they are */
  double agreed_cost;                /* those of the last one that has been agreed on */
  double asked;                      /* vrg_clock at the last agreement, which may have asked for a checkpoint */
  double looked;                     /* ... when the file was last looked for, on rank 0 */
  double last_checkpoint, last_poll; /* ...: when the last one was asked for */
  int64_t countdown, stride;         /* steps to the next agreement, adapted so that it comes every 0.1 s or so */
  bool every;                        /* interval 0: agree at every step */
  bool stepped;                      /* the run has come further: vrg_stop_poll was called, or its caller says so */
  bool stopping;                     /* agreed; it stays */
  bool told_wait;                    /* in the log */
} vrg_stop;

/** From now on SIGUSR1 and SIGTERM ask for a checkpoint and a stop; those that came before are forgotten.  Before MPI starts, which
 *  takes its time: without it a signal ends the rank.  Local. */
void vrg_stop_listen (void);

/** limit: seconds from now, <= 0 for none; a stop is asked a little before: 5 % of the limit, at most 60 s, or what one more
 *  round of steps and a checkpoint take, if that is more.  comm stays the caller's.  Local. */
void vrg_stop_init (vrg_stop *stop, MPI_Comm comm, double limit, double interval);

/** Another kind of step begins, whose cost is not known yet: agree at the first one, and learn the stride anew.  Called by
 *  every rank of comm at the same step; NULL is fine.  Local. */
void vrg_stop_loop (vrg_stop *stop);

/** What to do now.  Called by every rank of comm after every step of a loop in which all do the same number of steps;
 *  most calls are local and cost a decrement, every `stride`-th agrees by one Allreduce.  Rank 0 looks for the file at
 *  most once a second.  The log says why a run stops. */
vrg_action vrg_stop_poll (vrg_stop *stop);

/** The same between the steps of long work that keeps nothing of its own (ln Z, an analysis): true if it is to be left, as is
 *  then all work until the next poll, which says VRG_STOP.  A time limit counts after the first poll only: a run comes
 *  further than the one before.  NULL: false. */
bool vrg_stop_asked (vrg_stop *stop);

/** Has that been agreed on?  Local. */
static inline bool
vrg_stop_agreed (const vrg_stop *stop)
{
  return stop != NULL && stop->stopping;
}

/** A checkpoint has been written, which took the time since the poll that asked for it: restart the interval.  Local. */
void vrg_stop_saved (vrg_stop *stop);

/** The run has stopped, or has finished: remove the file, so that the same command goes on.  Rank 0 acts; local. */
void vrg_stop_obeyed (const vrg_stop *stop);

#endif
