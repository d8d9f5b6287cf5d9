/* SPDX-License-Identifier: GPL-3.0-or-later
 * The command line, understood, and the commands that it can name. */
#ifndef VRG_CLI_APP_H
#define VRG_CLI_APP_H

#include <mpi.h>
#include <stdbool.h>

#include "base/log.h"
#include "base/param.h"
#include "files/checkpoint.h"
#include "report/tables.h"

typedef struct vrg_command vrg_command;

typedef struct
{
  MPI_Comm world;
  int rank, ranks;
  const vrg_command *command;
  int n_args;
  const char **args;
  const char *out, *time, *fresh;
  const char *rows, *xdmf;
  vrg_table_options table;
  int n_set;
  const char **set;
  bool help;
  vrg_log_level level;
} vrg_app;

struct vrg_command
{
  const char *name, *arguments;
  int least, most;     /* arguments */
  const char *options; /* names, a blank between two */
  int (*run) (vrg_app *);
  const char *brief, *details;
};

/** All commands, a name of NULL after the last. */
extern const vrg_command vrg_commands[];

/** The stages in their order, and the file that each ends with. */
enum
{
  VRG_STAGES = 3
};
extern const vrg_stage vrg_app_stages[VRG_STAGES];
extern const char *const vrg_app_final_files[VRG_STAGES];

/** Rank 0 reads args[0], every rank parses it.  Collective. */
int vrg_app_read_input (const vrg_app *a, vrg_input *input);

/** --out, or [run] output, or the input file's name.  Local. */
int vrg_app_directory (const vrg_app *a, const vrg_input *input, char directory[VRG_PATH_LENGTH]);

/** What DIRECTORY holds of stage s.  Collective. */
int vrg_app_look (const vrg_app *a, const vrg_input *input, const char *directory, int s, vrg_work *work,
                  char difference[256]);

/** A stage's final file is at fault when a message begins with its name: say how to make it anew.  Returns code. */
int vrg_app_advise (const vrg_app *a, const char *directory, int code);

/** Run or continue the stages in the mask, then report.  Collective. */
int vrg_app_run (vrg_app *a, int wanted, bool report);

#endif
