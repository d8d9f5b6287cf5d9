/* SPDX-License-Identifier: GPL-3.0-or-later
 * Agreed stopping: what one rank knows (a signal, a file, its clock) becomes what all do, at the same step. */
#include "parallel/stop.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"

#define AGREE_SECONDS 0.1 /* aimed at between two agreements */
#define LOOK_SECONDS 1.0  /* between two looks for the file */
#define MAX_STRIDE 256    /* steps of the next loop may cost much more than those of this one */
#define PATH 4096

/** Why to stop; the largest of all ranks is told. */
typedef enum
{
  NOTHING,
  BY_FILE,
  BY_LIMIT,
  BY_USR1,
  BY_TERM
} reason;

static volatile sig_atomic_t signalled; /* a reason */

static void
on_signal (int number)
{
  signalled = number == SIGTERM ? BY_TERM : BY_USR1;
}

void
vrg_stop_listen (void)
{
  struct sigaction action;
  memset (&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset (&action.sa_mask);
  signalled = NOTHING;
  if (sigaction (SIGUSR1, &action, NULL) != 0 || sigaction (SIGTERM, &action, NULL) != 0)
    vrg_fail_one (VRG_INTERNAL, "cannot install the signal handlers");
}

void
vrg_stop_init (vrg_stop *stop, MPI_Comm comm, double limit, double interval)
{
  const double now = vrg_clock ();
  *stop = (vrg_stop){ .comm = comm,
                      .share = 1,
                      .deadline = limit > 0 ? now + limit - fmin (0.05 * limit, 60) : HUGE_VAL,
                      .end = limit > 0 ? now + limit : HUGE_VAL,
                      .interval = interval,
                      .wait = interval,
                      .asked = now,
                      .looked = -HUGE_VAL,
                      .last_checkpoint = now,
                      .last_poll = now,
                      .countdown = 1,
                      .stride = 1,
                      .every = interval <= 0 };
}

/** When the next checkpoint is due, for whoever watches. */
static void
tell (const vrg_stop *stop)
{
  vrg_progress_checkpoint (stop->every ? HUGE_VAL : stop->last_checkpoint + stop->wait);
}

void
vrg_stop_loop (vrg_stop *stop)
{
  if (stop == NULL)
    return;
  stop->stride = stop->countdown = 1;
  stop->last_poll = vrg_clock ();
  tell (stop);
}

/** Rank 0: is the file there?  `touch` makes a regular one; nothing else is believed. */
static bool
find_file (const vrg_stop *stop, char path[PATH])
{
  int rank;
  struct stat status;
  VRG_MPI (MPI_Comm_rank (stop->comm, &rank));
  return rank == 0 && stop->directory != NULL && snprintf (path, PATH, "%s/stop", stop->directory) < PATH
         && lstat (path, &status) == 0 && S_ISREG (status.st_mode);
}

static bool
file_asks (vrg_stop *stop, double now)
{
  char path[PATH];
  if (now - stop->looked < LOOK_SECONDS)
    return false;
  stop->looked = now;
  return find_file (stop, path);
}

/** seconds: the last round of steps took, as the next one will.  A limit leaves time for one step of the run, lest the next
 *  one come no further. */
static reason
reason_to_stop (vrg_stop *stop, double now, double seconds)
{
  if (signalled)
    return (reason) signalled;
  if (stop->stepped && (now >= stop->deadline || now + seconds + stop->agreed_cost >= stop->end))
    return BY_LIMIT;
  return file_asks (stop, now) ? BY_FILE : NOTHING;
}

static void
tell_stop (const vrg_stop *stop, reason why)
{
  static const char *const words[]
    = { "", "asked by a file: ", "the time limit is near", "asked by SIGUSR1", "asked by SIGTERM" };
  vrg_info ("stopping: %s%s%s", words[why], why == BY_FILE ? stop->directory : "", why == BY_FILE ? "/stop" : "");
}

/** The time to the next checkpoint, from the agreed cost of the last. */
static void
stretch (vrg_stop *stop, double cost)
{
  stop->cost = 0;
  stop->agreed_cost = cost;
  if (stop->every)
    return;
  const double apart = fmax (stop->interval, cost * (1 - stop->share) / stop->share);
  stop->wait = cost + apart; /* all ranks count from when it was asked for */
  vrg_debug ("the checkpoint took %.3g s; the next one after %.3g s", cost, apart);
  if (apart > stop->interval && !stop->told_wait)
    {
      vrg_info (
        "a checkpoint takes %.3g s here: one every %.3g min instead of %.3g, so that they take %.3g %% of the time "
        "([checkpoint] share)",
        cost, apart / 60, stop->interval / 60, 100 * stop->share);
      stop->told_wait = true;
    }
  tell (stop);
}

static vrg_action
agree (vrg_stop *stop)
{
  if (stop->stopping)
    return VRG_STOP;
  if (--stop->countdown > 0)
    return VRG_GO;

  const double now = vrg_clock (), seconds = now - stop->last_poll;
  const reason why = reason_to_stop (stop, now, seconds);
  const bool due = stop->every || (stop->cost <= 0 && now - stop->last_checkpoint >= stop->wait);
  double agreed[4] = { why != NOTHING ? VRG_STOP : due ? VRG_CHECKPOINT : VRG_GO, why, seconds, stop->cost };
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, agreed, 4, MPI_DOUBLE, MPI_MAX, stop->comm));
  const vrg_action action = (vrg_action) agreed[0];
  stop->stopping = action == VRG_STOP;
  if (stop->stopping)
    tell_stop (stop, (reason) agreed[1]);
  if (agreed[3] > 0)
    stretch (stop, agreed[3]);

  /* from the agreed time alone, so that every rank has the same stride; at most twice the last one */
  const double wanted = (double) stop->stride * fmin (2, AGREE_SECONDS / fmax (agreed[2], 1e-9));
  stop->stride = stop->every || wanted < 1 ? 1 : wanted > MAX_STRIDE ? MAX_STRIDE : (int64_t) wanted;
  stop->countdown = stop->stride;
  stop->last_poll = stop->asked = vrg_clock ();
  return action;
}

vrg_action
vrg_stop_poll (vrg_stop *stop)
{
  stop->stepped = true;
  return agree (stop);
}

bool
vrg_stop_asked (vrg_stop *stop)
{
  return stop != NULL && agree (stop) == VRG_STOP;
}

void
vrg_stop_saved (vrg_stop *stop)
{
  stop->last_checkpoint = stop->asked;
  stop->last_poll = vrg_clock ();
  stop->cost = stop->last_poll - stop->asked;
  tell (stop);
}

void
vrg_stop_obeyed (const vrg_stop *stop)
{
  char path[PATH];
  if (find_file (stop, path) && unlink (path) != 0)
    vrg_warn ("%s: cannot be removed (%s): the next run will stop, too", path, strerror (errno));
}
