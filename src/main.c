/* SPDX-License-Identifier: GPL-3.0-or-later
 * The command line.  Steps:
 *  1. --grammar, which the build of the manual asks for where MPI may not run, and processes that only look at a file end here.
 *     Listen to signals; start MPI; duplicate the world; who speaks.
 *  2. Read the command line: a command, its arguments and options.
 *  3. For a command with an input: rank 0 reads the file, every rank parses it.
 *  4. Do the command.  For stages: what does the run directory hold, and whose work is it?  Refuse, move aside,
 *     continue.
 *  5. Agree on the exit code, say what went wrong, end. */
#include <gsl/gsl_errno.h>
#include <hdf5.h>
#include <mpi.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "bench/bench.h"
#include "cli/app.h"
#include "cli/command-line.h"
#include "files/h5.h"
#include "files/walk.h"
#include "parallel/grid.h"
#include "parallel/stop.h"

/** Every line of the message remembered. */
static void
print_error (void)
{
  fflush (stdout);
  vrg_log_bar (NULL);
  for (const char *line = vrg_error_text (); *line;)
    {
      const int length = (int) strcspn (line, "\n");
      fprintf (stderr, "vrg: error: %.*s\n", length, line);
      line += length + (line[length] == '\n');
    }
}

/** vrg-walk: beside this program (built), or where it was installed; else this program walks. */
static void
find_walker (void)
{
  static char self[4096], beside[4096 + 8];
  if (readlink ("/proc/self/exe", self, sizeof self - 1) <= 0)
    return;
  const char *slash = strrchr (self, '/'), *installed = VRG_LIBEXECDIR "/vrg-walk";
  snprintf (beside, sizeof beside, "%.*s/vrg-walk", slash != NULL ? (int) (slash - self) : 0, self);
  vrg_walk_use (access (beside, X_OK) == 0 ? beside : access (installed, X_OK) == 0 ? installed : self);
}

int
main (int argc, char **argv)
{
  /* 1 */
  if (argc == 2 && !strcmp (argv[1], "--grammar"))
    {
      vrg_command_line_grammar ();
      vrg_exit (VRG_OK);
    }
  if (argc == 3 && !strcmp (argv[1], VRG_WALK_OPTION))
    vrg_walk_main (argv[2]);
  if (argc > 1 && vrg_command_line_stops (argv[1]))
    vrg_stop_listen ();
  find_walker ();
  vrg_bench_environment (argc, argv);
  /* a rank whose mpirun is killed while MPI starts would wait for its answer for ever */
  if (getenv ("PMIX_RANK") != NULL || getenv ("PMI_RANK") != NULL)
    prctl (PR_SET_PDEATHSIG, SIGKILL);
  int threads;
  if (MPI_Init_thread (&argc, &argv, MPI_THREAD_FUNNELED, &threads) != MPI_SUCCESS || threads < MPI_THREAD_FUNNELED)
    vrg_fail_one (VRG_INTERNAL, "MPI cannot be started, or allows no threads beside the one that calls it");
  prctl (PR_SET_PDEATHSIG, 0); /* from here on MPI and parallel/watch see to it */
  vrg_app a = { .level = VRG_LOG_INFO };
  MPI_Comm_dup (MPI_COMM_WORLD, &a.world);
  MPI_Comm_set_errhandler (a.world, MPI_ERRORS_RETURN);
  vrg_error_init (a.world);
  MPI_Comm_rank (a.world, &a.rank);
  MPI_Comm_size (a.world, &a.ranks);
  gsl_set_error_handler_off ();
  if (H5open () < 0)
    vrg_fail_one (VRG_INTERNAL, "HDF5 does not start");
  vrg_memory_start ();
  signal (SIGPIPE, SIG_DFL);
#ifdef SIGXFSZ
  signal (SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of the write */
#endif

  /* 2 */
  a.args = vrg_new (argc + 1, sizeof *a.args, "arguments");
  a.set = vrg_new (argc + 1, sizeof *a.set, "arguments");
  int code = VRG_OK;
  const char *first = argc > 1 ? argv[1] : "";
  const bool version = !strcmp (first, "--version"),
             help = !strcmp (first, "--help") || !strcmp (first, "-h") || !strcmp (first, "help");
  if (!version && !help)
    code = vrg_command_line_read (&a, argc, argv);
  vrg_log_init (a.rank == 0, a.level);

  /* 3, 4 */
  if (version && a.rank == 0)
    printf ("vrg %s (%s)\n", vrg_version (), vrg_commit ());
  else if (code == VRG_OK && (help || a.help) && a.rank == 0)
    vrg_command_line_help (a.command);
  else if (code == VRG_OK && a.command != NULL && !a.help)
    code = a.command->run (&a);

  /* 5 */
  code = vrg_agree (a.world, code);
  if (code != VRG_OK && code != VRG_STOPPED && a.rank == 0)
    print_error ();
  vrg_free (a.args);
  vrg_free (a.set);
  if (code == VRG_OK && vrg_memory_blocks () != 0)
    vrg_debug ("%lld blocks of memory are left", (long long) vrg_memory_blocks ());
  vrg_exit (code);
}
