/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reference programs in Python. */
#include "bench/bench_script.h"

#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef VRG_DATADIR
#define VRG_DATADIR "/usr/local/share/vrg"
#endif

/** The script's path; false if there is none that the shell can be given in quotes. */
static bool
find_script (const char *script, char path[PATH_MAX])
{
  char program[PATH_MAX] = "";
  const char *data = getenv ("VRG_DATA");
  const ssize_t length = readlink ("/proc/self/exe", program, sizeof program - 1);
  const char *place = length > 0 ? dirname (program) : ".";
  const struct
  {
    const char *base, *below;
  } places[] = { { data != NULL ? data : place, "" },
                 { place, "/../share/vrg" },
                 { VRG_DATADIR, "" },
                 { place, "/src/bench" },
                 { place, "/../src/bench" } };
  for (size_t i = 0; i < sizeof places / sizeof *places; i++)
    {
      const int n = snprintf (path, PATH_MAX, "%s%s/%s", places[i].base, places[i].below, script);
      if (n < PATH_MAX && strchr (path, '\'') == NULL && access (path, R_OK) == 0)
        return true;
    }
  return false;
}

/** The first line that the command prints; false if it fails. */
static bool
first_line (const char *command, char *line, int room)
{
  FILE *pipe = popen (command, "r");
  if (pipe == NULL)
    return false;
  const bool some = fgets (line, room, pipe) != NULL;
  const int status = pclose (pipe);
  line[some ? strcspn (line, "\n") : 0] = 0;
  return some && WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

bool
vrg_script_run (const char *script, const char *arguments, vrg_script_result *result, char why[512])
{
  static const char *const pythons[] = { "python3", "/usr/bin/python3" };
  char path[PATH_MAX], command[PATH_MAX + 256], line[96] = "";
  if (!find_script (script, path))
    {
      snprintf (why, 512, "%s is not found: set VRG_DATA to the directory that holds it (share/vrg, or src/bench)",
                script);
      return false;
    }
  const bool given = getenv ("VRG_PYTHON") != NULL;
  for (int i = 0; i < (given ? 1 : 2); i++)
    {
      snprintf (command, sizeof command, "%s '%s' %s 2>/dev/null", given ? "\"$VRG_PYTHON\"" : pythons[i], path,
                arguments);
      char *rest;
      if (!first_line (command, line, sizeof line) || !((result->rate = strtod (line, &rest)) > 0) || *rest != ' ')
        continue;
      snprintf (result->name, sizeof result->name, "%s (%s)", script, rest + 1);
      return true;
    }
  snprintf (why, 512, "%s does not run with %s: VRG_PYTHON names the interpreter to use", script,
            given ? getenv ("VRG_PYTHON") : "python3");
  return false;
}
