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

int
vrg_utf8_length (const char *characters)
{
  const unsigned char *text = (const unsigned char *) characters;
  int n = text[0] < 0x80                      ? 1
          : text[0] >= 0xc2 && text[0] < 0xe0 ? 2
          : text[0] >= 0xe0 && text[0] < 0xf0 ? 3
          : text[0] >= 0xf0 && text[0] < 0xf5 ? 4
                                              : 0;
  for (int i = 1; i < n; i++)
    if ((text[i] & 0xc0) != 0x80)
      return 0;
  bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
  bool outside = (text[0] == 0xed && text[1] >= 0xa0) || (text[0] == 0xf4 && text[1] >= 0x90)
                 || (text[0] == 0xef && text[1] == 0xbf && text[2] >= 0xbe);
  return overlong || outside ? 0 : n;
}

bool
vrg_is_control (const char *text)
{
  const unsigned char c = (unsigned char) text[0];
  return c < 0x20 || c == 0x7f || (c == 0xc2 && (unsigned char) text[1] >= 0x80 && (unsigned char) text[1] < 0xa0);
}

char *
vrg_plain_text (char *text, const char *kept)
{
  for (char *c = text; *c != '\0';)
    {
      int n = vrg_utf8_length (c);
      if (n == 0 || (vrg_is_control (c) && strchr (kept, *c) == NULL))
        for (n = n > 0 ? n : 1; n > 0; n--)
          *c++ = '?';
      c += n;
    }
  return text;
}
