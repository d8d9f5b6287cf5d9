/* SPDX-License-Identifier: GPL-3.0-or-later
 * Progress of long work. */
#include "base/progress.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "base/terminal.h"

#define BAR_SECONDS 0.1
#define BRIEF_SECONDS 0.5 /* before a bar of brief work is shown */
#define LOG_SECONDS 10.0
#define LOG_SHARE 0.05 /* of the time since the beginning: long work speaks rarely */
#define RATE_SECONDS 10.0
#define RATE_SHARE 0.1 /* the rate is that of the last 10 to 20 s, or of this share of the time */
#define BAR_WIDTH 24
#define DEPTH 4

/** What another thread may see of work that is open. */
typedef struct
{
  char what[64], unit[16];
  int64_t done, total;
  double rate, checkpoint;
  bool brief;
} level;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* for all below */
static level levels[DEPTH];
static int depth; /* levels that are open; those beyond DEPTH are not told */
static char planned[48], stage_now[16];

double
vrg_clock (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

double
vrg_clock_setting (const char *variable, double seconds)
{
  const char *text = getenv (variable);
  char *end;
  const double given = text != NULL ? strtod (text, &end) : seconds;
  if (text == NULL || (end != text && *end == '\0' && isfinite (given)))
    return given;
  vrg_warn ("%s: `%s` is not a number of seconds; it stays at %g", variable, text, seconds);
  return seconds;
}

const char *
vrg_duration (double seconds, char text[32])
{
  const long long s = seconds < 1e15 ? llround (fmax (seconds, 0)) : -1, day = 24 * 3600;
  if (s < 0)
    snprintf (text, 32, "?");
  else if (seconds < 59.95)
    snprintf (text, 32, "%.1f s", fmax (seconds, 0));
  else if (s < 3600)
    snprintf (text, 32, "%lld:%02lld", s / 60, s % 60);
  else if (s < day)
    snprintf (text, 32, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  else
    snprintf (text, 32, "%lld day%s %lld:%02lld:%02lld", s / day, s < 2 * day ? "" : "s", s % day / 3600, s / 60 % 60,
              s % 60);
  return text;
}

/* --- what others may see --- */

void
vrg_progress_plan (const char *stages)
{
  pthread_mutex_lock (&mutex);
  snprintf (planned, sizeof planned, "%s", stages);
  pthread_mutex_unlock (&mutex);
}

void
vrg_progress_stage (const char *stage)
{
  pthread_mutex_lock (&mutex);
  snprintf (stage_now, sizeof stage_now, "%s", stage);
  depth = 0; /* what an earlier one left open when it failed */
  pthread_mutex_unlock (&mutex);
}

void
vrg_progress_checkpoint (double at)
{
  pthread_mutex_lock (&mutex);
  if (depth > 0 && depth <= DEPTH)
    levels[depth - 1].checkpoint = at;
  pthread_mutex_unlock (&mutex);
}

void
vrg_progress_now (vrg_progress_state *state)
{
  memset (state, 0, sizeof *state);
  pthread_mutex_lock (&mutex);
  const level *first = &levels[0], *last = &levels[(depth < DEPTH ? depth : DEPTH) - (depth > 0)];
  memcpy (state->plan, planned, sizeof planned);
  memcpy (state->stage, stage_now, sizeof stage_now);
  if (depth > 0 && !first->brief)
    {
      memcpy (state->what, first->what, sizeof first->what);
      memcpy (state->unit, first->unit, sizeof first->unit);
      state->done = first->done;
      state->total = first->total;
      state->rate = first->rate;
    }
  if (depth > 1 || (depth > 0 && first->brief))
    {
      memcpy (state->inner, last->what, sizeof last->what);
      state->inner_done = last->done;
      state->inner_total = last->total;
    }
  pthread_mutex_unlock (&mutex);
}

/** Tell the others; returns when the next checkpoint is due. */
static double
publish (const vrg_progress *progress, int64_t done, double rate)
{
  double checkpoint = HUGE_VAL;
  pthread_mutex_lock (&mutex);
  if (progress->depth < DEPTH)
    {
      level *own = &levels[progress->depth];
      snprintf (own->what, sizeof own->what, "%s", progress->what);
      snprintf (own->unit, sizeof own->unit, "%s", progress->unit);
      own->done = progress->before + done;
      own->total = progress->whole;
      own->rate = rate;
      own->brief = progress->brief;
      checkpoint = own->checkpoint;
    }
  pthread_mutex_unlock (&mutex);
  return checkpoint;
}

/* --- what is shown --- */

/** Numbers of a line. */
typedef struct
{
  double share, rate, left, next; /* left: seconds to the end; next: to the next checkpoint */
} sight;

/** The state in a line shorter than the terminal: what matters least goes first. */
static void
show_bar (const vrg_progress *progress, const sight *s)
{
  enum
  {
    FORMS = 5
  };
  static const int width[FORMS] = { BAR_WIDTH, BAR_WIDTH, BAR_WIDTH, BAR_WIDTH / 2, 0 };
  const int columns = vrg_terminal_columns ();
  const char *on = vrg_terminal_has_colours () ? "\033[32m" : "", *off = *on ? "\033[0m" : ""; /* green */
  char text[512], bar[64], rate[64], next[64] = "", time[32];
  snprintf (rate, sizeof rate, ", %.3g %s/s", s->rate, progress->unit);
  if (s->next >= 0 && s->next < s->left)
    snprintf (next, sizeof next, ", checkpoint in %s", vrg_duration (s->next, time));
  vrg_duration (s->left, time);
  for (int form = 0; form < FORMS; form++)
    {
      const int n = width[form], full = (int) (fmax (0, fmin (s->share, 1)) * n);
      bar[0] = 0;
      if (n > 0)
        snprintf (bar, sizeof bar, "[%s%.*s%s%.*s] ", on, full, "########################", off, n - full,
                  "........................");
      const int used = snprintf (text, sizeof text, "%.200s %s%3.0f %%%s, %s left%s", progress->what, bar,
                                 floor (100 * s->share), form < 2 ? rate : "", time, form < 1 ? next : "");
      if (used - (n > 0 ? (int) (strlen (on) + strlen (off)) : 0) < columns)
        break;
    }
  if (*bar == 0 && columns > 0 && columns < (int) sizeof text)
    text[columns - 1] = 0;
  vrg_log_bar (text);
}

static void
begin (vrg_progress *progress, const char *what, const char *unit, int64_t done, int64_t total, bool brief)
{
  const double now = vrg_clock ();
  *progress = (vrg_progress){ .what = what,
                              .unit = unit,
                              .total = total,
                              .whole = total,
                              .start = done,
                              .begun = now,
                              .looked = now,
                              .shown = now,
                              .mark = { { now, done }, { now, done } },
                              .open = true,
                              .brief = brief };
  pthread_mutex_lock (&mutex);
  progress->depth = depth++;
  if (progress->depth < DEPTH)
    levels[progress->depth].checkpoint = HUGE_VAL;
  pthread_mutex_unlock (&mutex);
  publish (progress, done, 0);
  if (vrg_log_has_bar () && !brief)
    progress->looked = progress->shown = 0; /* the first update shows */
}

void
vrg_progress_begin (vrg_progress *progress, const char *what, const char *unit, int64_t done, int64_t total)
{
  begin (progress, what, unit, done, total, false);
}

void
vrg_progress_begin_brief (vrg_progress *progress, const char *what, const char *unit, int64_t total)
{
  begin (progress, what, unit, 0, total, true);
}

void
vrg_progress_part (vrg_progress *progress, int64_t before, int64_t whole)
{
  progress->before = before;
  progress->whole = whole;
  publish (progress, progress->start, 0);
}

void
vrg_progress_rename (vrg_progress *progress, const char *what)
{
  progress->what = what;
}

void
vrg_progress_update (vrg_progress *progress, int64_t done)
{
  if (!vrg_log_speaks ())
    return;
  const double now = vrg_clock (), taken = now - progress->begun;
  if (now - progress->looked < BAR_SECONDS)
    return;
  progress->looked = now;
  if (now - progress->mark[1].time > fmax (RATE_SECONDS, RATE_SHARE * taken))
    {
      progress->mark[0] = progress->mark[1];
      progress->mark[1].time = now;
      progress->mark[1].done = done;
    }
  const double since = now - progress->mark[0].time,
               rate = since > 0 ? (double) (done - progress->mark[0].done) / since : 0;
  const int64_t all = progress->before + done;
  const double checkpoint = publish (progress, done, rate);
  const sight s = { .share = progress->whole > 0 ? (double) all / (double) progress->whole : 1,
                    .rate = rate,
                    .left = rate > 0 ? (double) (progress->whole - all) / rate : HUGE_VAL,
                    .next = checkpoint - now };
  char left[32];
  if (vrg_log_has_bar ())
    {
      if (!progress->brief || taken >= BRIEF_SECONDS)
        show_bar (progress, &s);
    }
  else if (now - progress->shown >= fmax (LOG_SECONDS, LOG_SHARE * taken))
    {
      vrg_info ("%s: %lld of %lld %s (%.0f %%), %.3g/s, %s left", progress->what, (long long) all,
                (long long) progress->whole, progress->unit, floor (100 * s.share), rate, vrg_duration (s.left, left));
      progress->shown = now;
      progress->told = true;
    }
}

void
vrg_progress_end (vrg_progress *progress, int64_t done)
{
  if (!progress->open)
    return;
  progress->open = false;
  pthread_mutex_lock (&mutex);
  if (depth > progress->depth)
    depth = progress->depth;
  pthread_mutex_unlock (&mutex);
  vrg_log_bar (NULL);
  const double taken = vrg_clock () - progress->begun;
  if (progress->brief && !progress->told && taken < LOG_SECONDS)
    return;
  const int64_t own = done - progress->start;
  char time[32], share[48] = "";
  if (progress->start > 0)
    snprintf (share, sizeof share, ", %lld of them", (long long) own);
  vrg_info ("%s: %lld of %lld %s%s in %s (%.3g/s)", progress->what, (long long) done, (long long) progress->total,
            progress->unit, share, vrg_duration (taken, time), taken > 0 ? (double) own / taken : 0);
}
