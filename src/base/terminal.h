/* SPDX-License-Identifier: GPL-3.0-or-later
 * The terminal that standard error leads to, if one does: directly, or through mpirun on the same host. */
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

#endif
