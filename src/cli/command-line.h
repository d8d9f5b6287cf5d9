/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reading the command line, and what --help prints. */
#ifndef VRG_CLI_COMMAND_LINE_H
#define VRG_CLI_COMMAND_LINE_H

#include "cli/app.h"

/** A command, its arguments and options, into a; args and set are the caller's, argc long.  VRG_USAGE with a message.
 *  Local. */
int vrg_command_line_read (vrg_app *a, int argc, char **argv);

/** Help of a command, or of all (NULL), on standard output.  Local. */
void vrg_command_line_help (const vrg_command *command);

#endif
