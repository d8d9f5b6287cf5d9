/* SPDX-License-Identifier: GPL-3.0-or-later
 * Agreed stopping: what one rank knows (a signal, its clock) becomes what all do, at the same step. */
#include "parallel/stop.h"

#include <math.h>
#include <signal.h>
#include <string.h>

#include "base/error.h"
#include "base/progress.h"

#define AGREE_SECONDS 0.1 /* aimed at between two agreements */
#define MAX_STRIDE 256    /* steps of the next loop may cost much more than those of this one */

static volatile sig_atomic_t signalled;

static void
on_signal (int number)
{
  (void) number;
  signalled = 1;
}

void
vrg_stop_init (vrg_stop *stop, MPI_Comm comm, double limit, double interval)
{
  struct sigaction action;
  memset (&action, 0, sizeof action);
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset (&action.sa_mask);
  signalled = 0;
  if (sigaction (SIGUSR1, &action, NULL) != 0 || sigaction (SIGTERM, &action, NULL) != 0)
    vrg_fail_one (VRG_INTERNAL, "cannot install the signal handlers");
  /* a signal that comes before every rank has its handler would kill a rank */
  VRG_MPI (MPI_Barrier (comm));

  double now = vrg_clock ();
  stop->comm = comm;
  stop->deadline = limit > 0 ? now + limit - fmin (0.05 * limit, 60) : HUGE_VAL;
  stop->interval = interval;
  stop->last_checkpoint = stop->last_poll = now;
  stop->stride = stop->countdown = 1;
  stop->every = interval <= 0;
}

/** When the next checkpoint is due, for whoever watches. */
static void
tell (const vrg_stop *stop)
{
  vrg_progress_checkpoint (stop->every ? HUGE_VAL : stop->last_checkpoint + stop->interval);
}

void
vrg_stop_loop (vrg_stop *stop)
{
  stop->stride = stop->countdown = 1;
  stop->last_poll = vrg_clock ();
  tell (stop);
}

vrg_action
vrg_stop_poll (vrg_stop *stop)
{
  if (--stop->countdown > 0)
    return VRG_GO;

  double now = vrg_clock (), seconds = now - stop->last_poll;
  vrg_action action = VRG_GO;
  if (signalled || now >= stop->deadline)
    action = VRG_STOP;
  else if (stop->every || now - stop->last_checkpoint >= stop->interval)
    action = VRG_CHECKPOINT;
  double agreed[2] = { (double) action, seconds };
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, agreed, 2, MPI_DOUBLE, MPI_MAX, stop->comm));

  /* from the agreed time alone, so that every rank has the same stride; at most twice the last one */
  double wanted = (double) stop->stride * fmin (2, AGREE_SECONDS / fmax (agreed[1], 1e-9));
  stop->stride = stop->every || wanted < 1 ? 1 : wanted > MAX_STRIDE ? MAX_STRIDE : (int64_t) wanted;
  stop->countdown = stop->stride;
  stop->last_poll = vrg_clock ();
  return (vrg_action) agreed[0];
}

void
vrg_stop_saved (vrg_stop *stop)
{
  stop->last_checkpoint = stop->last_poll = vrg_clock ();
  tell (stop);
}
