/* SPDX-License-Identifier: GPL-3.0-or-later
 * The commands. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/terminal.h"
#include "bench/bench.h"
#include "cli/app.h"
#include "files/export.h"
#include "files/info.h"
#include "files/lock.h"
#include "files/status.h"
#include "flow/combine.h"
#include "parallel/grid.h"
#include "report/plan.h"
#include "report/report.h"

#define ALL_STAGES (VRG_STAGE_SAMPLE | VRG_STAGE_TRAIN | VRG_STAGE_FLOW)

static int
command_run (vrg_app *a)
{
  return vrg_app_run (a, ALL_STAGES, true);
}

static int
command_sample (vrg_app *a)
{
  return vrg_app_run (a, VRG_STAGE_SAMPLE, false);
}

static int
command_train (vrg_app *a)
{
  return vrg_app_run (a, VRG_STAGE_TRAIN, false);
}

static int
command_flow (vrg_app *a)
{
  return vrg_app_run (a, VRG_STAGE_FLOW, false);
}

static int
command_check (vrg_app *a)
{
  static const char *const words[] = { "nothing", "unfinished, to be continued", "finished", "of other parameters" };
  vrg_input input;
  char directory[VRG_PATH_LENGTH] = "", difference[VRG_STAGES][256];
  vrg_work works[VRG_STAGES];
  int code = vrg_app_read_input (a, &input);
  if (code == VRG_OK)
    code = vrg_app_directory (a, &input, directory);
  if (code == VRG_OK)
    code = vrg_plan_print (a->rank, a->ranks, &input);
  for (int s = 0; s < VRG_STAGES && code == VRG_OK; s++)
    code = vrg_app_look (a, &input, directory, s, &works[s], difference[s]);
  if (code != VRG_OK || a->rank != 0)
    return vrg_app_advise (a, directory, code);
  printf ("directory: %s\n", directory);
  for (int s = 0; s < VRG_STAGES; s++)
    printf ("  %-8s %s%s%s%s\n", vrg_stage_name (vrg_app_stages[s]), words[works[s]], *difference[s] ? " (" : "",
            difference[s], *difference[s] ? ")" : "");
  if (a->level == VRG_LOG_DEBUG)
    {
      char *text = vrg_param_print (&input);
      printf ("\n%s\n", text);
      vrg_free (text);
    }
  printf ("%s: good\n", a->args[0]);
  return VRG_OK;
}

static int
command_params (vrg_app *a)
{
  if (a->rank == 0)
    vrg_param_describe (stdout);
  return VRG_OK;
}

static int
command_info (vrg_app *a)
{
  vrg_grid *grid = vrg_grid_new (a->world, 1);
  const int code = vrg_info_print (grid, a->args[0]);
  vrg_grid_free (grid);
  return code;
}

static int
command_status (vrg_app *a)
{
  return a->rank == 0 ? vrg_status_command (a->n_args, a->args, vrg_terminal_reads_output ()) : VRG_OK;
}

static int
command_export (vrg_app *a)
{
  const vrg_export what = { a->args[0], a->n_args > 1 ? a->args[1] : NULL, a->rows, a->xdmf };
  return vrg_export_file (a->world, &what);
}

/** Does a report wait for the directory's lock?  Not where nothing can be written, which is told when it is tried; nor
 *  beside a run that samples, trains or flows: what that has finished can be looked at meanwhile. */
static int
waits_for_lock (const char *directory)
{
  vrg_lock_view view;
  vrg_lock_look (directory, &view);
  const bool beside = view.state == VRG_HOLDER_ALIVE && strcmp (view.live.at.stage, "report") != 0;
  return !beside && access (directory, W_OK | X_OK) == 0;
}

static int
command_report (vrg_app *a)
{
  vrg_grid *grid = vrg_grid_new (a->world, 1);
  vrg_lock *lock = NULL;
  int waits = a->rank == 0 && waits_for_lock (a->args[0]), code = VRG_OK;
  VRG_MPI (MPI_Bcast (&waits, 1, MPI_INT, 0, a->world));
  vrg_progress_stage ("report"); /* the lock tells */
  if (waits)
    code = vrg_lock_take (a->world, a->args[0], &lock);
  if (code == VRG_OK)
    code = vrg_report (grid, a->args[0]);
  vrg_lock_release (lock);
  vrg_grid_free (grid);
  return code;
}

static int
command_combine (vrg_app *a)
{
  const char *out = a->out ? a->out : "combined";
  if (!*out || strlen (out) > VRG_PATH_LENGTH - 64)
    return vrg_error (VRG_USAGE, "--out: not the name of a directory");
  return vrg_combine (a->world, a->n_args, a->args, out);
}

static int
command_exact (vrg_app *a)
{
  return vrg_table_exact (a->rank, &a->table);
}

static int
command_variational (vrg_app *a)
{
  return vrg_table_variational (a->rank, &a->table);
}

static int
command_bench (vrg_app *a)
{
  vrg_grid *grid = vrg_grid_new (a->world, 1);
  const int code = vrg_bench (grid, a->n_args, a->args);
  vrg_grid_free (grid);
  return code;
}

#define STAGE_OPTIONS "--out --set --time --fresh --quiet --verbose --help"
#define OTHER_OPTIONS "--quiet --verbose --help"

const vrg_command vrg_commands[] = {
  { "run", "INPUT", 1, 1, STAGE_OPTIONS, command_run, "sample, train, flow and the report, or what is left of them",
    "Goes on where an earlier run of the same input stopped, on any number of ranks. Work of other parameters\n"
    "in the directory is refused, but for train and flow on the same samples: those are done anew." },
  { "sample", "INPUT", 1, 1, STAGE_OPTIONS, command_sample,
    "Ising configurations: samples.h5, sample.tsv, operators.tsv", "" },
  { "train", "INPUT", 1, 1, STAGE_OPTIONS, command_train,
    "RBMs of the samples: model.h5, train.tsv, and what is seen in them", "" },
  { "flow", "INPUT", 1, 1, STAGE_OPTIONS, command_flow, "block spins: flow.h5, couplings.tsv, exponents.tsv", "" },
  { "check", "INPUT", 1, 1, "--out --set " OTHER_OPTIONS, command_check, "validate an input and print the plan",
    "Nothing is written. Start it on as many ranks as the run will have; --verbose prints the whole input, defaults "
    "filled in." },
  { "params", "", 0, 0, OTHER_OPTIONS, command_params, "every key of an input: type, range, default, help", "" },
  { "info", "FILE|DIR", 1, 1, OTHER_OPTIONS, command_info, "what a file or a run directory holds, verified", "" },
  { "status", "[DIR]...", 0, 999, OTHER_OPTIONS, command_status,
    "how far the runs in directories are, one line a stage",
    "DIR is `.` if none is given. State, progress, rate, expected end, age of the last checkpoint, and where it runs;\n"
    "for a run that was stopped or killed, the command that goes on. Runs are not touched, locked or slowed down.\n"
    "Lines for people on a terminal, otherwise a table. A running stage tells of itself every 10 seconds." },
  { "export", "FILE [DATASET]", 1, 2, "--rows --xdmf " OTHER_OPTIONS, command_export, "what a file holds, as text",
    "Without DATASET a table of what there is; of a group its attributes; of a dataset its values, tab-separated, a "
    "line\n"
    "for each value of all indices but the last; spins as +1 and -1." },
  { "report", "DIR", 1, 1, OTHER_OPTIONS, command_report, "draw the figures and write report.html", "" },
  { "combine", "DIR DIR...", 0, 999, "--out " OTHER_OPTIONS, command_combine, "several finished flows read together",
    "Writes matching.tsv (the critical coupling from sizes L and L / b), exponents-by-size.tsv, extrapolation.tsv and\n"
    "seeds.tsv (runs that differ in the seed alone) into the directory of --out, by default `combined`." },
  { "exact", "--size L|LxM --nn K", 0, 0, "--size --nn " OTHER_OPTIONS, command_exact,
    "exact ln Z, energy and specific heat of a torus", "A table on standard output." },
  { "variational", "--dimension D", 0, 0,
    "--dimension --method --fixed-point --scale --nn --nnn --plaquette --levels --p --bounds " OTHER_OPTIONS,
    command_variational, "renormalization without samples: fixed points, flows, bounds",
    "A table on standard output: the fixed point and its exponents; with --nn the flow from there, level by level;\n"
    "with --bounds upper bounds on ln Z per site at each --nn, or at some usual ones." },
  { "bench", "[NAME...]", 0, 99, OTHER_OPTIONS, command_bench, "measure rates", "A table on standard output." },
  { NULL, NULL, 0, 0, NULL, NULL, NULL, NULL },
};
