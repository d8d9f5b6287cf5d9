/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * Time limits of the command line, and of Slurm's environment. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "check.h"
#include "parallel/limit.h"

/** What the text says in seconds; -1 if it is refused as a usage error. */
static double
seconds_of (const char *text)
{
  double seconds = 0;
  const int code = vrg_limit_read (MPI_COMM_WORLD, text, &seconds);
  return code == VRG_OK ? seconds : code == VRG_USAGE ? -1 : -2;
}

/** What `slurm` gives when squeue says `left`, and something else of another task of the array: a program of that name stands
 *  first in the path. */
static double
seconds_of_squeue (const char *left)
{
  char directory[] = "/tmp/vrg-limit-XXXXXX", file[64], path[4096], *old = strdup (getenv ("PATH"));
  check (mkdtemp (directory) != NULL, "a directory for squeue");
  snprintf (file, sizeof file, "%s/squeue", directory);
  FILE *program = fopen (file, "w");
  fprintf (program, "#!/bin/sh\nprintf '%%s\\n' '7 0:02' '1 %s'\n", left);
  fclose (program);
  chmod (file, 0755);
  snprintf (path, sizeof path, "%s:%s", directory, old);
  setenv ("PATH", path, 1);
  const double seconds = seconds_of ("slurm");
  setenv ("PATH", old, 1);
  free (old);
  unlink (file);
  rmdir (directory);
  return seconds;
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *text;
    double seconds;
  } rows[] = { { "0:00:01", 1 },
               { "0:30:00", 1800 },
               { "1:00:00", 3600 },
               { "01:02:03", 3723 },
               { "24:00:00", 86400 },
               { "100:00:00", 360000 },
               { "1-02:00:00", 93600 },
               { "10-00:00:01", 864001 },
               { "", -1 },
               { "10", -1 },
               { "30:00", -1 },
               { "0:00:00", -1 },
               { "0:60:00", -1 },
               { "0:00:60", -1 },
               { "1:2:3", -1 },
               { "-1:00:00", -1 },
               { "1:-1:00", -1 },
               { "1-", -1 },
               { "1-1-00:00:01", -1 },
               { "1:00:00:00", -1 },
               { "1:00:00x", -1 },
               { "1h", -1 },
               { "slurm ", -1 } };
  check_begin (&argc, &argv);
  check (seconds_of (NULL) == 0, "no --time is no limit");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    check (seconds_of (rows[i].text) == rows[i].seconds, "`%s` is %g s (%g)", rows[i].text, rows[i].seconds,
           seconds_of (rows[i].text));

  unsetenv ("SLURM_JOB_ID");
  unsetenv ("SLURM_JOB_END_TIME");
  check (seconds_of ("slurm") == -1, "slurm outside a job is refused");
  char end[32];
  snprintf (end, sizeof end, "%lld", (long long) time (NULL) + 7200);
  setenv ("SLURM_JOB_ID", "1", 1);
  setenv ("SLURM_JOB_END_TIME", end, 1);
  const double left = seconds_of ("slurm");
  check (left > 7100 && left <= 7200, "slurm: what SLURM_JOB_END_TIME leaves (%g s)", left);
  setenv ("SLURM_JOB_END_TIME", "1000", 1);
  check (seconds_of ("slurm") == 1, "slurm: a job whose time is over stops at once");
  unsetenv ("SLURM_JOB_END_TIME");
  static const struct
  {
    const char *left;
    double seconds;
  } answers[] = { { "1:30", 90 }, { "2:03:04", 7384 }, { "1-00:00:00", 86400 }, { "UNLIMITED", 0 }, { "NOT_SET", 0 },
                  { "0:01", 1 },  { "0:00", 1 },       { "INVALID", 1 },        { "nonsense", -1 }, { "", -1 } };
  for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
    {
      const double seconds = seconds_of_squeue (answers[i].left);
      check (seconds == answers[i].seconds, "squeue: `%s` left is %g s (%g)", answers[i].left, answers[i].seconds,
             seconds);
    }
  return check_end ();
}
