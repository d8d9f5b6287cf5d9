/* SPDX-License-Identifier: GPL-3.0-or-later
 * The log. */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/terminal.h"

#define LONGEST 32768 /* bytes of a line */

static bool speaking, bar_shown;
static vrg_log_level wanted = VRG_LOG_WARNING;

void
vrg_log_init (bool speaks, vrg_log_level level)
{
  speaking = speaks;
  wanted = level;
  if (speaks)
    vrg_terminal_init ();
}

bool
vrg_log_speaks (void)
{
  return speaking;
}

static void
line (vrg_log_level level, const char *prefix, const char *format, va_list list)
{
  if (!speaking || level > wanted)
    return;
  vrg_log_bar (NULL);
  const bool colour = level == VRG_LOG_WARNING && vrg_terminal_has_colours ();
  char text[LONGEST];
  vsnprintf (text, sizeof text, format, list);
  fprintf (stderr, colour ? "\033[33m%s\033[0m" : "%s", prefix); /* yellow */
  fprintf (stderr, "%s\n", vrg_plain_text (text, "\n\t"));
}

void
vrg_info (const char *format, ...)
{
  va_list list;
  va_start (list, format);
  line (VRG_LOG_INFO, "vrg: ", format, list);
  va_end (list);
}

void
vrg_warn (const char *format, ...)
{
  va_list list;
  va_start (list, format);
  line (VRG_LOG_WARNING, "vrg: warning: ", format, list);
  va_end (list);
}

void
vrg_debug (const char *format, ...)
{
  va_list list;
  va_start (list, format);
  line (VRG_LOG_DEBUG, "vrg: ", format, list);
  va_end (list);
}

bool
vrg_log_has_bar (void)
{
  return speaking && wanted >= VRG_LOG_INFO && vrg_terminal_has_lines ();
}

void
vrg_log_bar (const char *text)
{
  if (text == NULL && !bar_shown)
    return;
  if (!vrg_log_has_bar ())
    return;
  fputs ("\r\033[K", stderr); /* to the line's start, erase it */
  if (text != NULL)
    fputs (text, stderr);
  fflush (stderr);
  bar_shown = text != NULL;
}
