/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reading the command line, and what --help prints. */
#ifndef VRG_CLI_COMMAND_LINE_H
#define VRG_CLI_COMMAND_LINE_H

#include "cli/app.h"

/** A command, its arguments and options, into a; args and set are the caller's, argc long.  VRG_USAGE with a message.
 *  Local. */
int vrg_command_line_read (vrg_app *a, int argc, char **argv);

/** Does the command of this name obey a time limit, and so the signals that ask for a stop?  Local; needs no MPI. */
bool vrg_command_line_stops (const char *name);

/** Help of a command, or of all (NULL), on standard output.  Local. */
void vrg_command_line_help (const vrg_command *command);

/** All that can be said to the program, for the manual and the shell: lines of words with tabs between them.
 *    command NAME ARGUMENTS BRIEF DETAILS
 *    option COMMAND NAME ARGUMENT HELP
 *    benchmark NAME HELP
 *    key SECTION KEY TYPE NAMES RANGE DEFAULT DECIDES HELP
 *  Local; needs no MPI. */
void vrg_command_line_grammar (void);

#endif
