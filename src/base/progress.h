/* SPDX-License-Identifier: GPL-3.0-or-later
 * Progress of long work: a bar on a terminal, sparse lines in a log; the rank that speaks only.  And the clock. */
#ifndef VRG_BASE_PROGRESS_H
#define VRG_BASE_PROGRESS_H

#include <stdint.h>

typedef struct
{
  const char *what, *unit;
  int64_t total, start;
  double begun, shown;
  int open;
} vrg_progress;

/** Seconds of a monotonic clock. */
double vrg_clock (void);

/** `what` ("sampling nn=0.44") and `unit` ("sweeps") are kept, not copied; `done` of `total` was done before now
 *  (a resumed run), so that the rate counts this run's work only.  Local. */
void vrg_progress_begin (vrg_progress *progress, const char *what, const char *unit, int64_t done, int64_t total);

/** Cheap enough for every step; prints at most 10 times a second on a terminal, at most every 10 s in a log. */
void vrg_progress_update (vrg_progress *progress, int64_t done);

/** Last line, with the time taken and the rate. */
void vrg_progress_end (vrg_progress *progress, int64_t done);

#endif
