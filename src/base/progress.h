/* SPDX-License-Identifier: GPL-3.0-or-later
 * Progress of long work: a bar on a terminal, sparse lines in a log; the rank that speaks only.  And the clock.
 *
 * Work may hold work: training evaluates ln Z between two epochs.  Then begin and end nest, the inner one is shown.  What is being
 * done can be read by another thread at any time, for `vrg status`. */
#ifndef VRG_BASE_PROGRESS_H
#define VRG_BASE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct
{
  const char *what, *unit;
  int64_t total, start, before, whole;
  double begun, looked, shown;
  struct
  {
    double time;
    int64_t done;
  } mark[2]; /* the rate is that since mark[0], some time ago */
  int depth;
  bool open, brief, told;
} vrg_progress;

/** Seconds of a monotonic clock. */
double vrg_clock (void);

/** The number of seconds in an environment variable; `seconds` where there is none, or (with a warning) no number.  Local. */
double vrg_clock_setting (const char *variable, double seconds);

/** Seconds as "5.3 s", "4:05", "2:03:07" or "3 days 2:03:07"; "?" if that is beyond all measure.  Returns text. */
const char *vrg_duration (double seconds, char text[32]);

/** `what` ("sampling nn=0.44") and `unit` ("sweeps") are kept, not copied; `done` of `total` was done before now
 *  (a resumed run), so that the rate counts this run's work only.  Local. */
void vrg_progress_begin (vrg_progress *progress, const char *what, const char *unit, int64_t done, int64_t total);

/** The same for work that is short as a rule (an analysis, sealing a file): nothing is said of it unless it lasts. */
void vrg_progress_begin_brief (vrg_progress *progress, const char *what, const char *unit, int64_t total);

/** What has begun is a part of the stage: `before` of `whole` units come before it.  Share and time left are the stage's. */
void vrg_progress_part (vrg_progress *progress, int64_t before, int64_t whole);

/** The same work, by another name from now on (thermalising, sampling). */
void vrg_progress_rename (vrg_progress *progress, const char *what);

/** Cheap enough for every step; shows at most 10 times a second on a terminal, at most every 10 s in a log. */
void vrg_progress_update (vrg_progress *progress, int64_t done);

/** Last line, with the time taken and the rate.  Work within it that was not ended is over as well. */
void vrg_progress_end (vrg_progress *progress, int64_t done);

/** The work begun last writes a checkpoint at this vrg_clock, if it lasts so long.  For parallel/stop. */
void vrg_progress_checkpoint (double at);

/** The stages this run will do ("sample train flow report"), and the one it does now; copied.  Local. */
void vrg_progress_plan (const char *stages);
void vrg_progress_stage (const char *stage);

/** What is being done.  Numbers are 0 where nothing is. */
typedef struct
{
  char plan[48], stage[16];
  char what[64], unit[16]; /* of the outermost work; "" if there is none, or brief work alone */
  int64_t done, total;     /* of the whole stage, where it is told */
  double rate;             /* units a second */
  char inner[64];          /* the innermost, or the brief one; "" if there is but one */
  int64_t inner_done, inner_total;
} vrg_progress_state;

/** May be asked by any thread. */
void vrg_progress_now (vrg_progress_state *state);

#endif
