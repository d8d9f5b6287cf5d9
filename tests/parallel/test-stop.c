/* SPDX-License-Identifier: GPL-3.0-or-later
 * Agreed stopping: every rank gets the same answer at the same step.
 * ranks: 1 2 3 4 */
#include "check.h"

#include <signal.h>
#include <time.h>

#include "base/progress.h"
#include "files/scratch.h"
#include "parallel/stop.h"

static void
begin (vrg_stop *stop, double limit, double interval)
{
  vrg_stop_listen ();
  vrg_stop_init (stop, MPI_COMM_WORLD, limit, interval);
}

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

/** The file `stop`. */
static void
test_file (void)
{
  vrg_stop stop;
  vrg_action action;
  scratch_begin ();
  begin (&stop, 0, 3600);
  scratch_truncate (scratch_path ("stop"), 0);
  until (&stop, 0.1, &action);
  check (action == VRG_GO, "a file in no directory that was told of asks nothing");
  stop.directory = scratch_directory;
  int64_t steps = until (&stop, 5, &action);
  check (action == VRG_STOP && same (steps), "a file stops all at the same step");
  vrg_stop_obeyed (&stop);
  check (scratch_size (scratch_path ("stop")) == -1, "and is removed when it has been obeyed");

  begin (&stop, 0, 3600);
  stop.directory = scratch_directory;
  until (&stop, 0.1, &action);
  check (action == VRG_GO, "so that the next run goes on");
  scratch_truncate (scratch_path ("stop"), 0);
  const double begun = vrg_clock ();
  steps = until (&stop, 20, &action);
  check (action == VRG_STOP && same (steps), "it is seen while the run goes on");
  check (check_rank_ > 0 || begun - stop.looked < 0, "at a look of rank 0");
  vrg_stop_obeyed (&stop);
  scratch_end ();
}

/** Checkpoints of an artificial cost, which one rank alone sees. */
static void
test_share (void)
{
  vrg_stop stop;
  vrg_action action;
  const bool slow = check_rank_ == check_size_ - 1;
  begin (&stop, 0, 0.05);
  stop.share = 0.25;
  const double begun = vrg_clock ();
  double spent = 0;
  bool good = true;
  for (int i = 0; i < 4; i++)
    {
      const int64_t steps = until (&stop, 20, &action);
      good = good && action == VRG_CHECKPOINT && same (steps);
      if (i == 3) /* the checkpoint that comes now does not count */
        break;
      const double now = vrg_clock ();
      if (slow)
        nanosleep (&(struct timespec){ .tv_nsec = 100000000 }, NULL);
      spent += vrg_clock () - now;
      vrg_stop_saved (&stop);
    }
  const double taken = vrg_clock () - begun;
  check (good, "dear checkpoints come, at the same step");
  check (spent <= 0.26 * taken, "and take no more than their share of the time");
  int64_t wait = (int64_t) (1e6 * stop.wait);
  check (same (wait) && stop.wait > 0.39, "by the cost at the slowest rank, agreed on");

  begin (&stop, 0, 0.05);
  stop.share = 0.25;
  until (&stop, 20, &action);
  vrg_stop_saved (&stop);
  until (&stop, 20, &action);
  check (action == VRG_CHECKPOINT, "cheap ones come");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_stop stop;
  vrg_action action;

  begin (&stop, 0, 3600);
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

  begin (&stop, 0, 3600);
  if (check_rank_ == 0)
    raise (SIGTERM);
  steps = until (&stop, 5, &action);
  check (action == VRG_STOP && same (steps), "SIGTERM stops as well");

  begin (&stop, 0, 0.2);
  double begun = vrg_clock ();
  steps = until (&stop, 5, &action);
  check (action == VRG_CHECKPOINT && same (steps), "the interval asks for a checkpoint");
  check (vrg_clock () - begun < 2, "in time");
  vrg_stop_saved (&stop);
  until (&stop, 0.05, &action);
  check (action == VRG_GO, "a checkpoint begins a new interval");

  begin (&stop, 0, 0);
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

  begin (&stop, 0.4, 3600);
  begun = vrg_clock ();
  steps = until (&stop, 5, &action);
  double taken = vrg_clock () - begun;
  check (action == VRG_STOP && same (steps) && taken > 0.3 && taken < 2, "the time limit stops, a little before");

  begin (&stop, 100, 3600);
  stop.last_poll -= 60;
  check (vrg_stop_poll (&stop) == VRG_GO, "the limit leaves time for one more step");
  vrg_stop_loop (&stop);
  stop.last_poll -= check_rank_ == last ? 120 : 0;
  check (vrg_stop_poll (&stop) == VRG_STOP && vrg_stop_asked (&stop), "it does not at the slowest rank");

  begin (&stop, 100, 3600);
  stop.cost = check_rank_ == last ? 120 : 1;
  vrg_stop_poll (&stop);
  vrg_stop_loop (&stop);
  check (vrg_stop_poll (&stop) == VRG_STOP, "nor for another checkpoint");

  begin (&stop, 1e-9, 3600);
  check (!vrg_stop_asked (&stop), "a limit lets a run come further than the one before");
  vrg_stop_loop (&stop);
  check (vrg_stop_poll (&stop) == VRG_STOP, "but no more than that");
  check (!vrg_stop_asked (NULL), "nobody asks without a stop");
  begin (&stop, 0, 0);
  check (!vrg_stop_asked (&stop), "that a checkpoint is due does not end work that cannot write one");
  if (check_rank_ == last)
    raise (SIGUSR1);
  check (vrg_stop_asked (&stop), "a signal does");

  begin (&stop, 0, 3600);
  stop.last_poll -= 100;
  vrg_stop_poll (&stop);
  check (stop.stride == 1 && same (stop.stride), "dear steps agree at every step");

  until (&stop, 0.3, &action);
  if (check_rank_ == last)
    raise (SIGUSR1);
  vrg_stop_loop (&stop);
  check (vrg_stop_poll (&stop) == VRG_STOP, "the first step of another loop agrees, whatever was learnt before");
  test_file ();
  test_share ();
  return check_end ();
}
