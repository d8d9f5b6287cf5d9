/* SPDX-License-Identifier: GPL-3.0-or-later
 * Progress of long work. */
#include "base/progress.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/log.h"

#define BAR_SECONDS 0.1
#define LOG_SECONDS 10.0
#define LOG_SHARE 0.05 /* of the time since the beginning: long work speaks rarely */
#define BAR_WIDTH 24

double
vrg_clock (void)
{
  struct timespec time;
  clock_gettime (CLOCK_MONOTONIC, &time);
  return (double) time.tv_sec + 1e-9 * (double) time.tv_nsec;
}

/** Seconds as 5.3 s, 4:05 or 2:03:07. */
static const char *
duration (double seconds, char text[32])
{
  const long long s = seconds < 1e15 ? llround (fmax (seconds, 0)) : -1;
  if (s < 0)
    snprintf (text, 32, "?");
  else if (s < 60)
    snprintf (text, 32, "%.1f s", seconds);
  else if (s < 3600)
    snprintf (text, 32, "%lld:%02lld", s / 60, s % 60);
  else
    snprintf (text, 32, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
  return text;
}

void
vrg_progress_begin (vrg_progress *progress, const char *what, const char *unit, int64_t done, int64_t total)
{
  const double now = vrg_clock ();
  *progress = (vrg_progress){ what, unit, total, done, now, now, 1 };
  if (vrg_log_has_bar ())
    progress->shown = 0; /* the first update shows */
}

void
vrg_progress_update (vrg_progress *progress, int64_t done)
{
  const double now = vrg_clock (), taken = now - progress->begun, since = now - progress->shown;
  if (since < BAR_SECONDS || !vrg_log_speaks ())
    return;
  const double share = progress->total > 0 ? (double) done / (double) progress->total : 1,
               rate = taken > 0 ? (double) (done - progress->start) / taken : 0;
  char left[32];
  duration (rate > 0 ? (double) (progress->total - done) / rate : HUGE_VAL, left);
  if (vrg_log_has_bar ())
    {
      char bar[BAR_WIDTH + 1];
      for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < (int) (share * BAR_WIDTH) ? '#' : '.';
      bar[BAR_WIDTH] = 0;
      char text[256];
      snprintf (text, sizeof text, "%s [%s] %3.0f %%, %.3g %s/s, %s left", progress->what, bar, floor (100 * share),
                rate, progress->unit, left);
      vrg_log_bar (text);
    }
  else if (since < fmax (LOG_SECONDS, LOG_SHARE * taken))
    return;
  else
    vrg_info ("%s: %lld of %lld %s (%.0f %%), %.3g/s, %s left", progress->what, (long long) done,
              (long long) progress->total, progress->unit, floor (100 * share), rate, left);
  progress->shown = now;
}

void
vrg_progress_end (vrg_progress *progress, int64_t done)
{
  if (!progress->open)
    return;
  progress->open = 0;
  vrg_log_bar (NULL);
  const double taken = vrg_clock () - progress->begun;
  const int64_t own = done - progress->start;
  char time[32];
  vrg_info ("%s: %lld of %lld %s, %lld of them in %s (%.3g/s)", progress->what, (long long) done,
            (long long) progress->total, progress->unit, (long long) own, duration (taken, time),
            taken > 0 ? (double) own / taken : 0);
}
