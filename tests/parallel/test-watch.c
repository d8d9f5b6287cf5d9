/* SPDX-License-Identifier: GPL-3.0-or-later
 * The watch ends nobody who works, and with the argument `deadlock` (tests/run/life.test) a job that waits for itself.
 * ranks: 2 */
#include "check.h"

#include <time.h>

#include "base/progress.h"
#include "files/scratch.h"
#include "parallel/watch.h"

/** The last rank computes for longer than the time-out, the others wait in MPI. */
static void
work_alone (double seconds)
{
  const double until = vrg_clock () + seconds;
  if (check_rank_ == check_size_ - 1)
    while (vrg_clock () < until)
      nanosleep (&(struct timespec){ .tv_nsec = 1000000 }, NULL);
  VRG_MPI (MPI_Barrier (MPI_COMM_WORLD));
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  unsetenv ("VRG_WATCH_SECONDS");
  unsetenv ("VRG_WATCH_NODE");
  if (argc > 1 && !strcmp (argv[1], "deadlock"))
    {
      vrg_watch_begin (MPI_COMM_WORLD, ".", 2);
      VRG_MPI (MPI_Recv (NULL, 0, MPI_BYTE, 1 - check_rank_, 0, MPI_COMM_WORLD, MPI_STATUS_IGNORE));
    }
  scratch_begin ();
  const char *directory = scratch_directory;
  check (vrg_watch_begin (MPI_COMM_WORLD, directory, 0) == NULL, "no time-out: no watch");
  check (vrg_watch_begin (MPI_COMM_SELF, directory, 60) == NULL, "one rank: no watch");

  vrg_watch *watch = vrg_watch_begin (MPI_COMM_WORLD, directory, 2);
  check (watch != NULL && scratch_size (scratch_path ("watch")) < 0, "on one node without a file");
  work_alone (3);
  vrg_watch_end (watch);
  check (true, "a rank that computes for long is waited for");

  setenv ("VRG_WATCH_NODE", "1", 1);
  watch = vrg_watch_begin (MPI_COMM_WORLD, directory, 2);
  check (watch != NULL && scratch_size (scratch_path ("watch")) >= 0, "on several nodes with a file");
  work_alone (3);
  vrg_watch_end (watch);
  check (true, "and on another node, too");
  check (scratch_size (scratch_path ("watch")) < 0, "the file is removed");

  watch = vrg_watch_begin (MPI_COMM_WORLD, directory, 2);
  const bool made
    = check_rank_ > 0 || (unlink (scratch_path ("watch")) == 0 && mkfifo (scratch_path ("watch"), 0600) == 0);
  check (made, "a pipe in its place");
  work_alone (1);
  vrg_watch_end (watch);
  check (true, "is not waited for");
  scratch_end ();
  return check_end ();
}
