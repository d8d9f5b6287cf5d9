/* SPDX-License-Identifier: GPL-3.0-or-later
 * Log on standard error: rank 0 speaks, the others are silent. */
#ifndef VRG_BASE_LOG_H
#define VRG_BASE_LOG_H

#include <stdbool.h>

typedef enum
{
  VRG_LOG_WARNING,
  VRG_LOG_INFO,
  VRG_LOG_DEBUG
} vrg_log_level;

/** Who speaks, and how much.  Local; call once.  Before it every rank is silent. */
void vrg_log_init (bool speaks, vrg_log_level level);

/** True on the rank that speaks. */
bool vrg_log_speaks (void);

/** One line each ("vrg: ..." , "vrg: warning: ..."); no newline in the format.  Local. */
void vrg_info (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
void vrg_warn (const char *format, ...) __attribute__ ((format (printf, 1, 2)));
void vrg_debug (const char *format, ...) __attribute__ ((format (printf, 1, 2)));

/** True where a bar would be seen: on the rank that speaks, at level info or above, on a terminal.  Local. */
bool vrg_log_has_bar (void);

/** Show `text` in place of the last line of a terminal until the next line of the log; NULL takes it away.
 *  Nothing happens where no bar would be seen.  Local; for base/progress. */
void vrg_log_bar (const char *text);

#endif
