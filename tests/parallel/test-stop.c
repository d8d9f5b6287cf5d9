/* SPDX-License-Identifier: GPL-3.0-or-later
 * Agreed stopping: every rank gets the same answer at the same step.
 * ranks: 1 2 3 4 */
#include "check.h"

#include <signal.h>

#include "base/progress.h"
#include "parallel/stop.h"

/** Poll until something other than VRG_GO comes or `seconds` have passed on rank 0; the number of polls. */
static int64_t
until (vrg_stop *stop, double seconds, vrg_action *action)
{
  int64_t steps = 0;
  double begun = vrg_clock ();
  for (int over = 0; !over;)
    {
      steps++;
      *action = vrg_stop_poll (stop);
      if (*action != VRG_GO)
        break;
      over = vrg_clock () - begun > seconds;
      MPI_Bcast (&over, 1, MPI_INT, 0, MPI_COMM_WORLD);
    }
  return steps;
}

static bool
same (int64_t value)
{
  int64_t low = value, high = value;
  MPI_Allreduce (MPI_IN_PLACE, &low, 1, MPI_INT64_T, MPI_MIN, MPI_COMM_WORLD);
  MPI_Allreduce (MPI_IN_PLACE, &high, 1, MPI_INT64_T, MPI_MAX, MPI_COMM_WORLD);
  return low == high;
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_stop stop;
  vrg_action action;

  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 3600);
  int64_t steps = until (&stop, 0.3, &action);
  check (action == VRG_GO, "nothing asks: go on");
  check (same (stop.stride) && stop.stride > 1, "cheap steps agree rarely, and alike");

  int last = check_size_ - 1;
  if (check_rank_ == last)
    raise (SIGUSR1);
  steps = until (&stop, 5, &action);
  check (action == VRG_STOP && same (steps), "SIGUSR1 at one rank stops all at the same step");
  steps = until (&stop, 5, &action);
  check (action == VRG_STOP, "and goes on asking");

  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 3600);
  if (check_rank_ == 0)
    raise (SIGTERM);
  steps = until (&stop, 5, &action);
  check (action == VRG_STOP && same (steps), "SIGTERM stops as well");

  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 0.2);
  double begun = vrg_clock ();
  steps = until (&stop, 5, &action);
  check (action == VRG_CHECKPOINT && same (steps), "the interval asks for a checkpoint");
  check (vrg_clock () - begun < 2, "in time");
  vrg_stop_saved (&stop);
  until (&stop, 0.05, &action);
  check (action == VRG_GO, "a checkpoint begins a new interval");

  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 0);
  bool every = true;
  for (int i = 0; i < 20; i++)
    {
      every = every && vrg_stop_poll (&stop) == VRG_CHECKPOINT;
      vrg_stop_saved (&stop);
    }
  check (every, "interval 0: a checkpoint at every step");
  if (check_rank_ == last)
    raise (SIGUSR1);
  check (vrg_stop_poll (&stop) == VRG_STOP, "interval 0: a signal stops at the next step");

  vrg_stop_init (&stop, MPI_COMM_WORLD, 0.4, 3600);
  begun = vrg_clock ();
  steps = until (&stop, 5, &action);
  double taken = vrg_clock () - begun;
  check (action == VRG_STOP && same (steps) && taken > 0.3 && taken < 2, "the time limit stops, a little before");

  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 3600);
  stop.last_poll -= 100;
  vrg_stop_poll (&stop);
  check (stop.stride == 1 && same (stop.stride), "dear steps agree at every step");

  until (&stop, 0.3, &action);
  if (check_rank_ == last)
    raise (SIGUSR1);
  vrg_stop_loop (&stop);
  check (vrg_stop_poll (&stop) == VRG_STOP, "the first step of another loop agrees, whatever was learnt before");
  return check_end ();
}
