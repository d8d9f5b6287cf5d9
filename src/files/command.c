/* SPDX-License-Identifier: GPL-3.0-or-later
 * Command lines, as a shell reads them. */
#include "files/command.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum
{
  LONGEST = 8192
};

/** A text that grows until it is full; then it is empty for good. */
typedef struct
{
  char *text;
  size_t size, n;
  bool full;
} line;

static void
add (line *l, const char *piece, size_t length)
{
  if (l->full || l->n + length >= l->size)
    {
      l->full = true;
      l->text[0] = 0;
      return;
    }
  memcpy (l->text + l->n, piece, length);
  l->n += length;
  l->text[l->n] = 0;
}

/** A word, in single quotes where a shell would not take it as it is. */
static void
add_word (line *l, const char *word)
{
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (l->n > 0)
    add (l, " ", 1);
  if (*word && !word[strspn (word, plain)])
    {
      add (l, word, strlen (word));
      return;
    }
  add (l, "'", 1);
  for (; *word; word++)
    if (*word == '\'')
      add (l, "'\\''", 4);
    else
      add (l, *word == '\n' ? " " : word, 1);
  add (l, "'", 1);
}

void
vrg_command_own (char *text, size_t size)
{
  char *words = vrg_new (LONGEST, 1, "a command line");
  line l = { .text = text, .size = size };
  text[0] = 0;
  const int descriptor = open ("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t n = 0, more;
  while (descriptor >= 0 && n < LONGEST - 1 && (more = read (descriptor, words + n, (size_t) (LONGEST - 1 - n))) > 0)
    n += more;
  if (descriptor >= 0)
    close (descriptor);
  if (n < LONGEST - 1)
    for (ssize_t i = 0; i < n; i += (ssize_t) strlen (words + i) + 1)
      add_word (&l, words + i);
  vrg_free (words);
}

void
vrg_command_job (char text[VRG_JOB_LENGTH])
{
  const char *job = getenv ("SLURM_JOB_ID");
  text[0] = 0;
  if (job != NULL && strlen (job) < VRG_JOB_LENGTH && !job[strspn (job, "0123456789")])
    snprintf (text, VRG_JOB_LENGTH, "%s", job);
}

/** The next word of a line as add_word makes them, without its quotes; returns what is behind it and its blanks. */
static const char *
take_word (const char *p, char word[LONGEST])
{
  size_t n = 0;
  for (bool quoted = false; *p && (quoted || *p != ' '); p++)
    {
      const bool escaped = !quoted && *p == '\\' && p[1] != '\0';
      p += escaped;
      if (*p == '\'' && !escaped)
        quoted = !quoted;
      else if (n + 1 < LONGEST)
        word[n++] = *p;
    }
  word[n] = 0;
  return p + strspn (p, " ");
}

/** Is it this program, wherever it is? */
static bool
is_vrg (const char *word)
{
  const char *slash = strrchr (word, '/');
  return strcmp (slash != NULL ? slash + 1 : word, "vrg") == 0 && strchr (word, '=') == NULL; /* no assignment */
}

void
vrg_command_again (const char *words, const char *command, const char *job, int ranks, const char *directory,
                   const char *stage, char *text, size_t size)
{
  char here[4096], np[32], head[160];
  line l = { .text = text, .size = size };
  text[0] = 0;
  char *word = vrg_new (LONGEST, 1, "a word");
  const char *rest = take_word (command, word);
  if (!is_vrg (word)) /* of a file, which may hold anything; words are quoted anew for the same reason */
    {
      vrg_free (word);
      return;
    }
  const bool queued = *job && !job[strspn (job, "0123456789")];
  if (queued)
    snprintf (head, sizeof head, "submit the job again unless it is queued (squeue -j %s): %d rank%s of", job, ranks,
              ranks == 1 ? "" : "s");
  else
    snprintf (head, sizeof head, "%s:", words);
  add (&l, head, strlen (head));
  if (!queued && *directory && (getcwd (here, sizeof here) == NULL || strcmp (here, directory) != 0))
    {
      add_word (&l, "cd");
      add_word (&l, directory);
      add (&l, " &&", 3);
    }
  if (!queued && ranks > 1)
    {
      snprintf (np, sizeof np, "%d", ranks);
      add_word (&l, "mpirun");
      add_word (&l, "-np");
      add_word (&l, np);
    }
  add_word (&l, word);
  for (int index = 1; *rest; index++)
    {
      rest = take_word (rest, word);
      if (strcmp (word, "--fresh") != 0)
        add_word (&l, index == 1 && stage != NULL ? stage : word);
    }
  if (queued && *directory)
    {
      add (&l, ", in", 4);
      add_word (&l, directory);
    }
  vrg_free (word);
}

const char *
vrg_command_date (long long seconds, char text[32])
{
  const time_t time = (time_t) seconds;
  struct tm utc;
  if (gmtime_r (&time, &utc) == NULL || strftime (text, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) == 0)
    snprintf (text, 32, "nan");
  return text;
}
