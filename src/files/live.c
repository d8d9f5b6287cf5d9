/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a run says of itself. */
#include "files/live.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/terminal.h"

void
vrg_live_init (vrg_live *live)
{
  memset (live, 0, sizeof *live);
  live->since = (long long) time (NULL);
  vrg_command_job (live->job);
  vrg_command_own (live->command, sizeof live->command);
  if (getcwd (live->directory, sizeof live->directory) == NULL || strchr (live->directory, '\n') != NULL)
    live->directory[0] = 0;
}

/** A whole line, or nothing. */
__attribute__ ((format (printf, 3, 4))) static void
add (char **text, size_t *size, const char *format, ...)
{
  va_list list;
  va_start (list, format);
  const int n = vsnprintf (*text, *size, format, list);
  va_end (list);
  if (n < 0 || (size_t) n >= *size)
    {
      if (*size > 0)
        **text = 0;
      return;
    }
  *text += n;
  *size -= (size_t) n;
}

void
vrg_live_print (vrg_live *live, char *text, size_t size)
{
  vrg_progress_now (&live->at);
  const vrg_progress_state *s = &live->at;
  live->now = (long long) time (NULL);
  add (&text, &size, "since %lld\nnow %lld\n", live->since, live->now);
  if (*s->stage)
    add (&text, &size, "stage %s\n", s->stage);
  if (*s->plan)
    add (&text, &size, "plan %s\n", s->plan);
  if (*s->what)
    add (&text, &size, "part %" PRId64 " %" PRId64 " %.6g %s\n", s->done, s->total, s->rate, s->unit);
  if (*s->what)
    add (&text, &size, "what %s\n", s->what);
  if (*s->inner)
    add (&text, &size, "inner %" PRId64 " %" PRId64 " %s\n", s->inner_done, s->inner_total, s->inner);
  if (*live->job)
    add (&text, &size, "job %s\n", live->job);
  if (*live->command)
    add (&text, &size, "command %s\n", live->command);
  if (*live->directory)
    add (&text, &size, "directory %s\n", live->directory);
}

/** The rest of a line after its first word, if that is `name`. */
static const char *
rest_of (const char *line, const char *name)
{
  const size_t n = strlen (name);
  return strncmp (line, name, n) == 0 && line[n] == ' ' ? line + n + 1 : NULL;
}

static void
copy (char *to, size_t size, const char *from)
{
  size_t n = 0;
  for (; from[n] && n + 1 < size; n++)
    to[n] = from[n];
  to[n] = 0;
  vrg_plain_text (to, ""); /* nobody's escape sequences */
}

void
vrg_live_parse (const char *text, vrg_live *live)
{
  char line[512];
  memset (live, 0, sizeof *live);
  vrg_progress_state *s = &live->at;
  for (size_t n; *text; text += n + (text[n] == '\n'))
    {
      const char *rest;
      int used = 0;
      n = strcspn (text, "\n");
      snprintf (line, sizeof line, "%.*s", (int) (n < sizeof line ? n : sizeof line - 1), text);
      if ((rest = rest_of (line, "since")) != NULL)
        live->since = atoll (rest);
      else if ((rest = rest_of (line, "now")) != NULL)
        live->now = atoll (rest);
      else if ((rest = rest_of (line, "stage")) != NULL)
        copy (s->stage, sizeof s->stage, rest);
      else if ((rest = rest_of (line, "plan")) != NULL)
        copy (s->plan, sizeof s->plan, rest);
      else if ((rest = rest_of (line, "what")) != NULL)
        copy (s->what, sizeof s->what, rest);
      else if ((rest = rest_of (line, "job")) != NULL)
        copy (live->job, sizeof live->job, rest);
      else if ((rest = rest_of (line, "command")) != NULL)
        copy (live->command, sizeof live->command, rest);
      else if ((rest = rest_of (line, "directory")) != NULL)
        copy (live->directory, sizeof live->directory, rest);
      else if ((rest = rest_of (line, "part")) != NULL)
        {
          if (sscanf (rest, "%" SCNd64 " %" SCNd64 " %lf %n", &s->done, &s->total, &s->rate, &used) == 3 && used > 0)
            copy (s->unit, sizeof s->unit, rest + used);
        }
      else if ((rest = rest_of (line, "inner")) != NULL
               && sscanf (rest, "%" SCNd64 " %" SCNd64 " %n", &s->inner_done, &s->inner_total, &used) == 2 && used > 0)
        copy (s->inner, sizeof s->inner, rest + used);
    }
}
