/* SPDX-License-Identifier: GPL-3.0-or-later
 * The terminal that standard error leads to, if one does: directly, or through mpirun on the same host; and text that cannot
 * steer one. */
#ifndef VRG_BASE_TERMINAL_H
#define VRG_BASE_TERMINAL_H

#include <stdbool.h>

/** Look for it.  Local; again after standard error has been redirected. */
void vrg_terminal_init (void);

/** Can a line there be erased and written anew?  False in a file, in a pipe, and where TERM is missing or `dumb`. */
bool vrg_terminal_has_lines (void);

/** May colours be used?  Not where NO_COLOR is set (https://no-color.org). */
bool vrg_terminal_has_colours (void);

/** Its width now; 80 where it is not known. */
int vrg_terminal_columns (void);

/** Is standard output a terminal that somebody reads?  Under mpirun it looks like one wherever it leads: false. */
bool vrg_terminal_reads_output (void);

/** Bytes of the UTF-8 character at `text`, 0 if it is none.  Local. */
int vrg_utf8_length (const char *text);

/** Is the character at `text` one that terminals obey: U+0000 to U+001F, U+007F to U+009F?  Local. */
bool vrg_is_control (const char *text);

/** Replace control characters but those in `kept`, and bytes that are no UTF-8, by '?', in place; returns `text`.  For all that
 *  is printed and comes from a file: somebody else's must not steer the terminal.  Local. */
char *vrg_plain_text (char *text, const char *kept);

#endif
