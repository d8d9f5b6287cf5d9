/* SPDX-License-Identifier: GPL-3.0-or-later
 * The terminal behind standard error. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "base/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int terminal = -1, parent = -1; /* descriptors; parent: one that was opened here */
static bool lines, colours;

/** By mpirun or its like?  The environment that the process began with tells: a run of one rank without mpirun gets
 *  the same variables from MPI_Init. */
static bool
launched (void)
{
  static const char *const names[] = { "OMPI_UNIVERSE_SIZE=", "PMI_RANK=", "PMIX_RANK=" };
  FILE *file = fopen ("/proc/self/environ", "r");
  char *line = NULL;
  size_t room = 0;
  bool found = false;
  while (file != NULL && !found && getdelim (&line, &room, 0, file) > 0)
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      found = found || strncmp (line, names[i], strlen (names[i])) == 0;
  free (line);
  if (file != NULL)
    fclose (file);
  return found;
}

/** mpirun gives its ranks a pipe and passes on what comes: the terminal is the one that mpirun writes to. */
static int
open_parents (void)
{
  char path[64];
  struct stat status;
  if (fstat (STDERR_FILENO, &status) != 0 || !S_ISFIFO (status.st_mode) || !launched ())
    return -1;
  snprintf (path, sizeof path, "/proc/%ld/fd/2", (long) getppid ());
  if (stat (path, &status) != 0 || !S_ISCHR (status.st_mode))
    return -1;
  const int descriptor = open (path, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
  if (descriptor >= 0 && !isatty (descriptor))
    {
      close (descriptor);
      return -1;
    }
  return descriptor;
}

void
vrg_terminal_init (void)
{
  const char *kind = getenv ("TERM"), *no_colour = getenv ("NO_COLOR");
  if (parent >= 0)
    close (parent);
  parent = -1;
  terminal = isatty (STDERR_FILENO) ? STDERR_FILENO : (parent = open_parents ());
  lines = terminal >= 0 && kind != NULL && *kind && strcmp (kind, "dumb") != 0;
  colours = lines && (no_colour == NULL || !*no_colour);
}

bool
vrg_terminal_has_lines (void)
{
  return lines;
}

bool
vrg_terminal_has_colours (void)
{
  return colours;
}

int
vrg_terminal_columns (void)
{
  struct winsize size;
  return terminal >= 0 && ioctl (terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool
vrg_terminal_reads_output (void)
{
  return isatty (STDOUT_FILENO) && !launched ();
}
