/* SPDX-License-Identifier: GPL-3.0-or-later
 * The time limit of the command line. */
#include "parallel/limit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "parallel/grid.h"

/** [D-]H:MM:SS, or MM:SS where Slurm writes it so; seconds, or -1. */
static double
parse_time (const char *text, bool short_)
{
  long long d = 0, h = 0, m, s;
  int used = 0;
  const char *rest = text;
  if (sscanf (rest, "%9lld-%n", &d, &used) == 1 && used > 0)
    rest += used;
  else
    d = 0;
  used = 0;
  if (sscanf (rest, "%9lld:%2lld:%2lld%n", &h, &m, &s, &used) == 3 && used > 6)
    {
      if (rest[used - 6] != ':') /* two digits each */
        return -1;
    }
  else
    {
      h = used = 0;
      if (!short_ || sscanf (rest, "%2lld:%2lld%n", &m, &s, &used) != 2 || used < 4)
        return -1;
    }
  if (rest[used - 3] != ':' || rest[used + (int) strspn (rest + used, " \n")] || text[strspn (text, "0123456789-: \n")]
      || d < 0 || h < 0 || m < 0 || m > 59 || s < 0 || s > 59)
    return -1;
  return (double) (((d * 24 + h) * 60 + m) * 60 + s);
}

/** Seconds left in this Slurm job; 0 if it has no limit; on rank 0. */
static int
slurm_time (double *seconds)
{
  const char *job = getenv ("SLURM_JOB_ID"), *end = getenv ("SLURM_JOB_END_TIME");
  if (end != NULL && atoll (end) > 0)
    {
      *seconds = difftime ((time_t) atoll (end), time (NULL));
      if (*seconds < 1)
        *seconds = 1;
      return VRG_OK;
    }
  if (job == NULL || !*job || job[strspn (job, "0123456789_")])
    return vrg_error (VRG_USAGE, "--time slurm: this is no Slurm job (SLURM_JOB_ID is not set); give H:MM:SS");
  /* the number of an array's last task is that of the array: squeue tells of all its tasks */
  char query[128], told[128], number[128], answer[128] = "";
  snprintf (query, sizeof query, "squeue -h -j %s -o '%%A %%L' 2>/dev/null", job);
  FILE *pipe = popen (query, "r");
  while (pipe != NULL && fgets (told, sizeof told, pipe) != NULL)
    if (sscanf (told, "%s %s", number, answer) == 2 && strcmp (number, job) == 0)
      break;
    else
      answer[0] = 0;
  if (pipe != NULL)
    pclose (pipe);
  if (!strncmp (answer, "UNLIMITED", 9) || !strncmp (answer, "NOT_SET", 7))
    *seconds = 0;
  else if (!strncmp (answer, "INVALID", 7) || (*seconds = parse_time (answer, true)) == 0)
    *seconds = 1; /* the limit is over (less than nothing is INVALID), which is not to have none */
  else if (*seconds < 0)
    return vrg_error (VRG_USAGE, "--time slurm: squeue does not tell the time left of job %s; give H:MM:SS", job);
  return VRG_OK;
}

int
vrg_limit_read (MPI_Comm comm, const char *text, double *seconds)
{
  int rank, code = VRG_OK;
  *seconds = 0;
  if (text == NULL)
    return VRG_OK;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  if (rank == 0)
    {
      if (!strcmp (text, "slurm"))
        code = slurm_time (seconds);
      else if ((*seconds = parse_time (text, false)) <= 0)
        code = vrg_error (VRG_USAGE, "--time: `%.60s` is neither H:MM:SS nor slurm", text);
    }
  code = vrg_agree (comm, code);
  vrg_broadcast (comm, seconds, sizeof *seconds);
  return code;
}
