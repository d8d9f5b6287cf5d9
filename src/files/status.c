/* SPDX-License-Identifier: GPL-3.0-or-later
 * `vrg status`. */
#include "files/status.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/param.h"
#include "base/progress.h"
#include "base/terminal.h"
#include "files/command.h"
#include "files/lock.h"
#include "files/origin.h"

#define HEADER "directory\tstage\tstate\tstep\ttotal\tunit\tpercent\trate\tend\tcheckpoint\thost\tranks\tsince\tnote\n"
#define LATE 60 /* seconds without a heartbeat that are worth a word */

enum
{
  SAMPLE,
  TRAIN,
  FLOW,
  REPORT
};

/** Names of a stage's files: final, then what tells that it has begun; checkpoints in order of preference. */
static const struct
{
  const char *name, *unit, *last, *begun[4], *checkpoints[2];
} stages[VRG_STATUS_STAGES] = {
  { "sample", "sweeps", "samples.h5", { "samples.h5.part" }, { "sample" } },
  { "train", "updates", "model.h5", { NULL }, { "train" } },
  { "flow", "samples", "flow.h5", { "rbm-flow.h5" }, { "flow", "rbm" } },
  { "report", "figures", "report.html", { NULL }, { NULL } },
};

/** What is known while a directory is looked at. */
typedef struct
{
  const char *directory;
  vrg_lock_view lock;
  bool live;
  vrg_origin newest; /* of the newest unfinished file, for the command that goes on */
  time_t newest_time;
  vrg_origin *last; /* [stage] of the final files */
  bool found;       /* anything of a run */
} view;

__attribute__ ((format (printf, 2, 3))) static void
note (vrg_status_row *row, const char *format, ...)
{
  size_t n = strlen (row->note);
  if (n > 0 && n + 2 < sizeof row->note)
    n += (size_t) snprintf (row->note + n, sizeof row->note - n, "; ");
  va_list list;
  va_start (list, format);
  vsnprintf (row->note + n, sizeof row->note - n, format, list);
  va_end (list);
}

/** When a file of the directory was changed; 0 if it is not there. */
static time_t
changed (const char *directory, const char *name)
{
  char path[VRG_PATH_LENGTH + 64];
  struct stat status;
  snprintf (path, sizeof path, "%s/%s", directory, name);
  return stat (path, &status) == 0 ? status.st_mtime : 0;
}

/** The name within a message that begins with the path. */
static const char *
short_message (const view *v)
{
  const char *text = vrg_error_text ();
  const size_t n = strlen (v->directory);
  return strncmp (text, v->directory, n) == 0 && text[n] == '/' ? text + n + 1 : text;
}

/** The newest good checkpoint of a stage: its step and age.  True if there is one, or a bad one. */
static bool
look_at_checkpoints (view *v, int s, vrg_status_row *row)
{
  int64_t best = -1;
  bool any = false;
  for (int k = 0; k < 2 && stages[s].checkpoints[k] != NULL && best < 0; k++)
    for (int g = 0; g < 2; g++)
      {
        char name[64], path[VRG_PATH_LENGTH + 64];
        vrg_origin origin;
        snprintf (name, sizeof name, "checkpoint-%s.%d.h5", stages[s].checkpoints[k], g);
        snprintf (path, sizeof path, "%s/%s", v->directory, name);
        const time_t when = changed (v->directory, name);
        if (when == 0)
          continue;
        any = true;
        if (vrg_origin_of (path, &origin) != VRG_OK)
          {
            if (changed (v->directory, name) != 0) /* not taken away meanwhile */
              note (row, "%s", short_message (v));
            continue;
          }
        if (origin.step <= best)
          continue;
        best = origin.step;
        row->step = (double) origin.step;
        row->total = (double) origin.total;
        row->checkpoint = fmax (0, difftime (time (NULL), when));
        snprintf (row->unit, sizeof row->unit, "%s", stages[s].unit);
        if (when >= v->newest_time)
          {
            v->newest = origin;
            v->newest_time = when;
          }
      }
  return any;
}

static bool
has_begun (view *v, int s)
{
  for (int i = 0; stages[s].begun[i] != NULL; i++)
    {
      char path[VRG_PATH_LENGTH + 64];
      const time_t when = changed (v->directory, stages[s].begun[i]);
      if (when == 0)
        continue;
      snprintf (path, sizeof path, "%s/%s", v->directory, stages[s].begun[i]);
      vrg_origin origin;
      if (v->newest_time == 0 && vrg_origin_of (path, &origin) == VRG_OK)
        {
          v->newest = origin;
          v->newest_time = 1; /* a checkpoint knows better */
        }
      return true;
    }
  return false;
}

/** The running stage: what it says itself. */
static void
tell_live (const view *v, vrg_status_row *row)
{
  const vrg_live *live = &v->lock.live;
  const vrg_progress_state *at = &live->at;
  char time_text[32];
  row->state = "running";
  if (at->total > 0)
    {
      row->step = (double) at->done;
      row->total = (double) at->total;
      row->rate = at->rate > 0 ? at->rate : NAN;
      snprintf (row->unit, sizeof row->unit, "%s", at->unit);
      const double left = (double) (at->total - at->done) / row->rate;
      if (left >= 0 && left < 1e9)
        row->end = live->now + llround (left);
    }
  if (*at->what)
    note (row, "%s", at->what);
  if (*at->inner)
    note (row, "%s: %lld of %lld", at->inner, (long long) at->inner_done, (long long) at->inner_total);
  if (v->lock.age > LATE)
    note (row, "no heartbeat for %s", vrg_duration (v->lock.age, time_text));
}

/** Does the plan of the run that lives name the stage? */
static bool
planned (const view *v, const char *stage)
{
  const char *found = strstr (v->lock.live.at.plan, stage);
  return v->live && found != NULL;
}

static void
look_at_stage (view *v, int s, vrg_status_row *row)
{
  const char *stage = stages[s].name;
  const bool here = strcmp (v->lock.live.at.stage, stage) == 0;
  *row = (vrg_status_row){
    .stage = stage, .state = "not begun", .step = NAN, .total = NAN, .rate = NAN, .checkpoint = NAN
  };
  const time_t last = changed (v->directory, stages[s].last);
  const bool checkpoints = look_at_checkpoints (v, s, row);
  const bool begun = has_begun (v, s) || (checkpoints && last == 0);
  v->found = v->found || begun || last != 0 || checkpoints;
  if (v->live && here && (last == 0 || begun || s == REPORT))
    tell_live (v, row);
  else if (last != 0 && (!begun || s == FLOW))
    {
      row->state = "finished";
      row->step = row->total = row->checkpoint = NAN;
      row->unit[0] = row->note[0] = 0;
      char path[VRG_PATH_LENGTH + 64];
      snprintf (path, sizeof path, "%s/%s", v->directory, stages[s].last);
      if (s != REPORT && vrg_origin_of (path, &v->last[s]) != VRG_OK)
        {
          row->state = "damaged";
          note (row, "%s", short_message (v));
        }
    }
  else if (planned (v, stage) && !begun)
    row->state = "waiting";
  else if (begun || (!v->live && here))
    row->state = planned (v, stage) ? "waiting" : "stopped";
  if (here && v->lock.state != VRG_HOLDER_NONE && strcmp (row->state, "finished") != 0)
    {
      snprintf (row->host, sizeof row->host, "%s", v->lock.host);
      row->ranks = v->lock.ranks;
      row->since = v->lock.live.since;
    }
}

/** The command that goes on, in the note of the first stage that is not finished. */
static void
advise (view *v, vrg_status_row *rows)
{
  char command[4096] = "", since[32];
  const vrg_live *live = &v->lock.live;
  int next = 0;
  while (next < VRG_STATUS_STAGES
         && (strcmp (rows[next].state, "finished") == 0 || strcmp (rows[next].state, "left out") == 0))
    next++;
  if (next == VRG_STATUS_STAGES)
    {
      if (changed (v->directory, stages[REPORT].last) < changed (v->directory, stages[FLOW].last))
        note (&rows[REPORT], "older than flow.h5: draw it again with `vrg report %s`", v->directory);
      return;
    }
  vrg_status_row *row = &rows[next];
  if (strcmp (row->state, "damaged") == 0)
    return;
  const bool stopped = strcmp (row->state, "stopped") == 0;
  const char *words = stopped ? "run again" : "go on with";
  const vrg_origin *origin = &v->newest;
  for (int s = next - 1; s >= 0 && v->newest_time == 0 && !*origin->command; s--)
    origin = &v->last[s];
  const char *stage = origin == &v->newest ? NULL : "run"; /* which finds out what is left to do */
  if (*live->command && !origin->moved)
    vrg_command_again (words, live->command, live->job, v->lock.ranks, live->directory, NULL, command, sizeof command);
  else if (origin->moved)
    snprintf (command, sizeof command, "made in %.3000s: its command does not go on here", origin->output);
  else
    vrg_command_again (words, origin->command, origin->job, origin->ranks, origin->directory, stage, command,
                       sizeof command);
  if (v->lock.state == VRG_HOLDER_DEAD)
    note (row, "the run that began at %s has ended without a word (killed?)",
          live->since ? vrg_command_date (live->since, since) : "an unknown time");
  else if (v->lock.state == VRG_HOLDER_SILENT)
    note (row, "no word from its run on %s for %s (killed?)", v->lock.host, vrg_duration (v->lock.age, since));
  if (next == REPORT && !(stopped && *command))
    note (row, "make it with: vrg report %s", v->directory);
  else if (*command)
    note (row, "%s", command);
}

int
vrg_status_look (const char *directory, vrg_status_row rows[VRG_STATUS_STAGES])
{
  struct stat status;
  if (stat (directory, &status) != 0 || !S_ISDIR (status.st_mode))
    return vrg_error (VRG_FILE, "%s: no such directory; give the directory of a run (--out, or [run] output)",
                      directory);
  view v = { .directory = directory };
  v.last = vrg_new (VRG_STATUS_STAGES, sizeof *v.last, "heads of files");
  vrg_lock_look (directory, &v.lock);
  v.live = v.lock.state == VRG_HOLDER_ALIVE;
  if (!v.live && !*v.lock.live.at.plan && strcmp (v.lock.live.at.stage, stages[REPORT].name) == 0)
    memset (&v.lock, 0, sizeof v.lock); /* a killed `vrg report`: it was no run */
  for (int s = 0; s < VRG_STATUS_STAGES; s++)
    look_at_stage (&v, s, &rows[s]);
  for (int s = TRAIN; s <= FLOW; s++)
    {
      bool later = v.live && *v.lock.live.at.plan && !planned (&v, stages[s].name) && planned (&v, "report");
      for (int t = s + 1; t < VRG_STATUS_STAGES; t++)
        later = later || (strcmp (rows[t].state, "not begun") != 0 && strcmp (rows[t].state, "waiting") != 0);
      if (later && strcmp (rows[s].state, "not begun") == 0)
        rows[s].state = "left out";
    }
  if (!v.live)
    advise (&v, rows);
  vrg_free (v.last);
  if (v.found || v.lock.state != VRG_HOLDER_NONE)
    return VRG_OK;
  return vrg_error (VRG_FILE, "%s: holds no files of a run; give the directory of one (--out, or [run] output)",
                    directory);
}

static double
percent (const vrg_status_row *row)
{
  return strcmp (row->state, "finished") == 0 ? 100 : row->total > 0 ? 100 * row->step / row->total : (double) NAN;
}

void
vrg_status_print (FILE *stream, const vrg_status_row rows[VRG_STATUS_STAGES])
{
  for (int s = 0; s < VRG_STATUS_STAGES; s++)
    {
      const vrg_status_row *r = &rows[s];
      char text[32];
      const bool more = r->total > 0 || r->rate > 0 || !isnan (r->checkpoint) || *r->host || *r->note;
      fprintf (stream, more ? "%-7s %-9s " : "%-7s %s", r->stage, r->state);
      const char *separator = " ";
      if (r->total > 0)
        {
          fprintf (stream, " %3.0f %%, %.0f of %.0f %s", floor (percent (r)), r->step, r->total, r->unit);
          separator = ", ";
        }
      if (r->rate > 0)
        fprintf (stream, ", %.3g/s", r->rate);
      if (r->end > 0)
        fprintf (stream, ", %s left (ends %s)", vrg_duration (fmax (0, difftime (r->end, time (NULL))), text),
                 vrg_command_date (r->end, (char[32]){ 0 }));
      if (!isnan (r->checkpoint))
        {
          fprintf (stream, "%scheckpoint %s ago", separator, vrg_duration (r->checkpoint, text));
          separator = ", ";
        }
      if (*r->host)
        {
          fprintf (stream, "%son %s, %d rank%s, since %s", separator, r->host, r->ranks, r->ranks == 1 ? "" : "s",
                   r->since ? vrg_command_date (r->since, text) : "?");
          separator = ", ";
        }
      fprintf (stream, "%s%s\n", *r->note == 0 ? "" : *separator == ',' ? ": " : " ", r->note);
    }
}

/** A number, or nan. */
static void
put_number (double x, const char *format)
{
  if (isnan (x))
    printf ("nan\t");
  else
    {
      char text[64];
      snprintf (text, sizeof text, "%.*g", *format == 'i' ? 15 : 6, x);
      printf ("%s\t", text);
    }
}

static void
put_text (const char *text, char end)
{
  char plain[VRG_PATH_LENGTH + 512];
  snprintf (plain, sizeof plain, "%s", *text != 0 ? text : "nan");
  printf ("%s%c", vrg_plain_text (plain, ""), end);
}

static void
put_rows (const char *directory, const vrg_status_row rows[VRG_STATUS_STAGES])
{
  for (int s = 0; s < VRG_STATUS_STAGES; s++)
    {
      const vrg_status_row *r = &rows[s];
      char text[32] = "";
      put_text (directory, '\t');
      printf ("%s\t%s\t", r->stage, r->state);
      put_number (r->step, "i");
      put_number (r->total, "i");
      put_text (r->unit, '\t');
      put_number (percent (r), "g");
      put_number (r->rate, "g");
      put_text (r->end > 0 ? vrg_command_date (r->end, text) : "", '\t');
      put_number (r->checkpoint, "i");
      put_text (r->host, '\t');
      put_number (r->ranks > 0 ? r->ranks : (double) NAN, "i");
      put_text (r->since > 0 ? vrg_command_date (r->since, text) : "", '\t');
      put_text (r->note, '\n');
    }
}

int
vrg_status_command (int n, const char *const *directories, bool people)
{
  static const char *const here = ".";
  int result = VRG_OK;
  char *wrong = vrg_new (1, VRG_PATH_LENGTH + 512, "a message");
  if (n == 0)
    directories = &here;
  if (!people)
    fputs (HEADER, stdout);
  for (int i = 0; i < (n > 0 ? n : 1); i++)
    {
      char directory[VRG_PATH_LENGTH];
      vrg_status_row rows[VRG_STATUS_STAGES];
      int length = snprintf (directory, sizeof directory, "%s", directories[i]);
      while (length > 1 && length < VRG_PATH_LENGTH && directory[length - 1] == '/')
        directory[--length] = 0;
      int code
        = length > VRG_PATH_LENGTH - 64
            ? vrg_error (VRG_USAGE, "%.60s...: a directory of more than %d characters", directory, VRG_PATH_LENGTH - 64)
            : vrg_status_look (directory, rows);
      if (code != VRG_OK && n > 1 && result != VRG_OK)
        fprintf (stderr, "vrg: error: %s\n", wrong);
      if (code != VRG_OK)
        snprintf (wrong, VRG_PATH_LENGTH + 512, "%s", vrg_error_text ());
      if (code == VRG_OK && people)
        {
          if (n > 1)
            printf ("%s%s:\n", i > 0 ? "\n" : "", directory);
          vrg_status_print (stdout, rows);
        }
      else if (code == VRG_OK)
        put_rows (directory, rows);
      for (int s = 0; s < VRG_STATUS_STAGES && code == VRG_OK; s++)
        if (strcmp (rows[s].state, "damaged") == 0)
          {
            code = VRG_FILE;
            snprintf (wrong, VRG_PATH_LENGTH + 512, "%s/%.500s", directory, rows[s].note);
          }
      result = code != VRG_OK ? code : result;
    }
  if (result != VRG_OK)
    vrg_error (result, "%s", wrong);
  vrg_free (wrong);
  return result;
}
