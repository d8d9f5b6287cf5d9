/* SPDX-License-Identifier: GPL-3.0-or-later
 * Log and progress where standard error is a file: who speaks, and how often.  ranks: 1 2 3 4 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "tests/check.h"

static FILE *kept;
static int terminal;

/** Standard error goes to a file of our own until its text is asked for. */
static void
catch_begin (void)
{
  fflush (stderr);
  kept = tmpfile ();
  terminal = dup (STDERR_FILENO);
  dup2 (fileno (kept), STDERR_FILENO);
}

static void
catch_end (char *text, size_t size)
{
  fflush (stderr);
  dup2 (terminal, STDERR_FILENO);
  close (terminal);
  rewind (kept);
  const size_t n = fread (text, 1, size - 1, kept);
  text[n] = 0;
  fclose (kept);
}

int
main (int argc, char **argv)
{
  char text[4096];
  check_begin (&argc, &argv);
  int rank;
  MPI_Comm_rank (MPI_COMM_WORLD, &rank);

  const double before = vrg_clock ();
  usleep (20000);
  check (vrg_clock () - before >= 0.02 && vrg_clock () - before < 10, "the clock runs");

  catch_begin ();
  vrg_info ("not at this level");
  vrg_warn ("one %d", 1);
  vrg_log_init (rank == 0, VRG_LOG_DEBUG);
  vrg_info ("two");
  vrg_debug ("three");
  catch_end (text, sizeof text);
  check (!strcmp (text, rank ? "" : "vrg: warning: one 1\nvrg: two\nvrg: three\n"), "levels, and only rank 0 speaks");
  check (vrg_log_speaks () == (rank == 0), "who speaks");

  vrg_log_init (rank == 0, VRG_LOG_INFO);
  catch_begin ();
  vrg_progress progress;
  vrg_progress_begin (&progress, "working", "steps", 1000, 1000000);
  const double start = vrg_clock ();
  for (int64_t i = 1000; i < 1000000; i++)
    vrg_progress_update (&progress, i);
  const double taken = vrg_clock () - start;
  vrg_progress_end (&progress, 1000000);
  vrg_progress_end (&progress, 1000000);
  catch_end (text, sizeof text);
  check (taken < 5, "a million updates cost %.3f s", taken);
  check (strchr (text, '\r') == NULL && strchr (text, 033) == NULL, "no bar in a file");
  int lines = 0;
  for (const char *p = text; *p; p++)
    lines += *p == '\n';
  check (lines == (rank == 0), "one line in less than 10 s, at the end");
  check (rank || strstr (text, "vrg: working: 1000000 of 1000000 steps, 999000 of them in ") == text,
         "which says this run's share");

  check (vrg_error (VRG_FILE, "a %s", "b") == VRG_FILE && !strcmp (vrg_error_text (), "a b"),
         "a message is remembered");
  vrg_error (VRG_FILE, "[%s]", vrg_error_text ());
  check (!strcmp (vrg_error_text (), "[a b]"), "and may be part of the next");
  return check_end ();
}
