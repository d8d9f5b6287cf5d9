/* SPDX-License-Identifier: GPL-3.0-or-later
 * The one place that ends the program. */
#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/terminal.h"

static MPI_Comm failures = MPI_COMM_NULL;
static char remembered[32768]; /* room for all complaints about an input */

void
vrg_error_init (MPI_Comm comm)
{
  failures = comm;
}

int (vrg_error) (int code, const char *format, ...)
{
  static char text[sizeof remembered]; /* an argument may be the text remembered before */
  va_list list;
  va_start (list, format);
  vsnprintf (text, sizeof text, format, list);
  va_end (list);
  memcpy (remembered, vrg_plain_text (text, "\n\t"), sizeof text);
  return code;
}

const char *
vrg_error_text (void)
{
  return remembered;
}

/** The rank among those that fail together; 0 where there is no MPI. */
static int
own_rank (bool *mpi)
{
  int started = 0, ended = 0, rank = 0;
  MPI_Initialized (&started);
  MPI_Finalized (&ended);
  *mpi = started && !ended && failures != MPI_COMM_NULL;
  if (*mpi)
    MPI_Comm_rank (failures, &rank);
  return rank;
}

/** In one write, so that mpirun's own messages do not come between. */
static void
print (const char *prefix, const char *format, va_list list)
{
  char text[sizeof remembered], line[sizeof remembered + 64];
  vrg_log_bar (NULL);
  fflush (stdout);
  vsnprintf (text, sizeof text, format, list);
  snprintf (line, sizeof line, "%s%s\n", prefix, vrg_plain_text (text, "\n\t"));
  fputs (line, stderr);
  fflush (stderr);
}

void
vrg_fail_all (int code, const char *format, ...)
{
  bool mpi;
  if (own_rank (&mpi) == 0)
    {
      va_list list;
      va_start (list, format);
      print ("vrg: error: ", format, list);
      va_end (list);
    }
  vrg_exit (code);
}

void
vrg_fail_one (int code, const char *format, ...)
{
  bool mpi;
  char prefix[64];
  snprintf (prefix, sizeof prefix, "vrg: error on rank %d: ", own_rank (&mpi));
  va_list list;
  va_start (list, format);
  print (prefix, format, list);
  va_end (list);
  if (mpi)
    MPI_Abort (failures, code);
  exit (code);
}

void
vrg_fail_now (int code, const char *text)
{
  if (text != NULL)
    fprintf (stderr, "%s\n", text);
  _exit (code);
}

void
vrg_exit (int code)
{
  errno = 0;
  if ((fflush (stdout) != 0 || ferror (stdout)) && code == VRG_OK)
    {
      fprintf (stderr, "vrg: error: standard output cannot be written: %s\n",
               errno ? strerror (errno) : "a part is missing");
      code = VRG_FILE;
    }
  int started = 0, ended = 0;
  MPI_Initialized (&started);
  MPI_Finalized (&ended);
  if (started && !ended)
    MPI_Finalize ();
  exit (code);
}
