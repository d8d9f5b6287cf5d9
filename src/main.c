/* SPDX-License-Identifier: GPL-3.0-or-later
 * The command line.  Steps:
 *  1. Start MPI; duplicate the world; who speaks.
 *  2. Read the command line: a command, its arguments and options.
 *  3. For a command with an input: rank 0 reads the file, every rank parses it.
 *  4. Do the command.  For stages: what does the run directory hold, and whose work is it?  Refuse, move aside,
 *     continue.
 *  5. Agree on the exit code, say what went wrong, end. */
#include <ctype.h>
#include <errno.h>
#include <gsl/gsl_errno.h>
#include <mpi.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/param.h"
#include "base/simd.h"
#include "bench/bench.h"
#include "files/checkpoint.h"
#include "files/h5.h"
#include "files/info.h"
#include "files/lock.h"
#include "flow/combine.h"
#include "flow/flow.h"
#include "parallel/grid.h"
#include "parallel/limit.h"
#include "parallel/stop.h"
#include "report/plan.h"
#include "report/report.h"
#include "report/tables.h"
#include "sample/chains.h"
#include "sample/sample.h"
#include "train/train.h"

#define MAX_INPUT_BYTES (1 << 20)
#define ALL_STAGES (VRG_STAGE_SAMPLE | VRG_STAGE_TRAIN | VRG_STAGE_FLOW)

typedef struct command command;

/** The command line, understood. */
typedef struct
{
  MPI_Comm world;
  int rank, ranks;
  const command *command;
  int n_args;
  const char **args;
  const char *out, *time, *fresh;
  vrg_table_options table;
  int n_set;
  const char **set;
  bool help;
  vrg_log_level level;
} app;

struct command
{
  const char *name, *arguments;
  int least, most; /* arguments */
  const char *options;
  int (*run) (app *);
  const char *brief, *details;
};

static const vrg_stage stages[] = { VRG_STAGE_SAMPLE, VRG_STAGE_TRAIN, VRG_STAGE_FLOW };
enum
{
  STAGES = 3
};
static const char *const final_file[STAGES] = { "samples.h5", "model.h5", "flow.h5" };

/* ---------------------------------------------------------------- the input */

/** The whole file as a text, on rank 0. */
static int
read_text (const char *path, char **text, int64_t *bytes)
{
  struct stat status;
  if (stat (path, &status) != 0)
    return vrg_error (VRG_FILE, "%s: cannot be read: %s", path, strerror (errno));
  if (S_ISDIR (status.st_mode))
    return vrg_error (VRG_FILE, "%s is a directory, not an input file", path);
  FILE *file = fopen (path, "r");
  if (file == NULL)
    return vrg_error (VRG_FILE, "%s: cannot be read: %s", path, strerror (errno));
  *text = vrg_new (MAX_INPUT_BYTES + 1, 1, "the input's text");
  errno = 0;
  *bytes = (int64_t) fread (*text, 1, MAX_INPUT_BYTES, file);
  bool bad = ferror (file), more = *bytes == MAX_INPUT_BYTES && fgetc (file) != EOF, text_only = true;
  fclose (file);
  if (bad)
    return vrg_error (VRG_FILE, "%s: cannot be read: %s", path, strerror (errno));
  for (int64_t i = 0; i < *bytes; i++)
    text_only = text_only && !(iscntrl ((unsigned char) (*text)[i]) && !isspace ((unsigned char) (*text)[i]));
  if (more || !text_only)
    return vrg_error (VRG_USAGE, "%s: not an input file (it is %s)", path, more ? "longer than 1 MiB" : "no text");
  return VRG_OK;
}

/** Rank 0 reads, every rank parses. */
static int
read_input (const app *a, vrg_input *input)
{
  char *text = NULL;
  int64_t bytes = 0;
  int code = vrg_agree (a->world, a->rank == 0 ? read_text (a->args[0], &text, &bytes) : VRG_OK);
  if (code == VRG_OK)
    {
      vrg_broadcast (a->world, &bytes, sizeof bytes);
      if (text == NULL)
        text = vrg_new (bytes + 1, 1, "the input's text");
      vrg_broadcast (a->world, text, bytes);
      code = vrg_agree (a->world, vrg_param_parse (a->args[0], text, a->n_set, a->set, input));
    }
  vrg_free (text);
  return code;
}

/** --out, or [run] output, or the input file's name. */
static int
choose_directory (const app *a, const vrg_input *input, char directory[VRG_PATH_LENGTH])
{
  const char *given = a->out ? a->out : input->output;
  int n;
  if (a->out != NULL && !*a->out)
    return vrg_error (VRG_USAGE, "--out: the name of a directory is missing");
  if (*given)
    n = snprintf (directory, VRG_PATH_LENGTH, "%s", given);
  else
    {
      const char *slash = strrchr (a->args[0], '/'), *base = slash ? slash + 1 : a->args[0], *dot = strrchr (base, '.');
      if (dot != NULL && dot > base && !strcmp (dot, ".ini"))
        n = snprintf (directory, VRG_PATH_LENGTH, "%.*s", (int) (dot - base), base);
      else
        n = snprintf (directory, VRG_PATH_LENGTH, "%s.out", base);
    }
  while (n > 1 && n < VRG_PATH_LENGTH && directory[n - 1] == '/')
    directory[--n] = 0;
  if (n > VRG_PATH_LENGTH - 64) /* names of files come behind it */
    return vrg_error (VRG_USAGE, "%.60s...: a directory of more than %d characters", given, VRG_PATH_LENGTH - 64);
  return VRG_OK;
}

/* ---------------------------------------------------------------- stages */

static int
look (const app *a, const vrg_input *input, const char *directory, int s, vrg_work *work, char difference[256])
{
  char *fingerprint = vrg_param_fingerprint (input, stages[s]);
  const int code = vrg_work_look (a->world, directory, stages[s], fingerprint, work, difference);
  vrg_free (fingerprint);
  return code;
}

static int
other_work (const char *directory, int s, const char *difference)
{
  return vrg_error (VRG_USAGE,
                    "%s holds a %s stage of other parameters (%s): choose another directory with --out, or "
                    "--fresh to move that work aside",
                    directory, vrg_stage_name (stages[s]), difference);
}

/** A stage's final file is at fault when a message begins with its name: say how to make it anew. */
static int
advise (const app *a, const char *directory, int code)
{
  char path[VRG_PATH_LENGTH];
  for (int s = 0; s < STAGES && code == VRG_FILE; s++)
    {
      const int length = snprintf (path, sizeof path, "%s/%s:", directory, final_file[s]);
      if (!strncmp (vrg_error_text (), path, (size_t) length))
        return vrg_error (code, "%s; run `vrg %s %s%s%s --fresh` to make it anew (the old one is kept aside)",
                          vrg_error_text (), vrg_stage_name (stages[s]), a->args[0], a->out ? " --out " : "",
                          a->out ? a->out : "");
    }
  return code;
}

/** Is a stage that another one needs finished? */
static int
need (const app *a, const vrg_input *input, const char *directory, int s)
{
  vrg_work work;
  char difference[256];
  const int code = look (a, input, directory, s, &work, difference);
  if (code != VRG_OK || work == VRG_WORK_FINISHED)
    return code;
  if (work == VRG_WORK_OTHER)
    return vrg_error (VRG_FILE,
                      "%s/%s is of other parameters (%s): choose another directory with --out, or run `vrg %s`",
                      directory, final_file[s], difference, vrg_stage_name (stages[s]));
  return vrg_error (VRG_FILE, "%s/%s is %s: run `vrg %s %s` first", directory, final_file[s],
                    work == VRG_WORK_NONE ? "missing" : "not finished", vrg_stage_name (stages[s]), a->args[0]);
}

static int
run_stage (const app *a, const vrg_input *input, const char *directory, int s, vrg_stop *stop)
{
  return stages[s] == VRG_STAGE_SAMPLE  ? vrg_sample (a->world, input, directory, stop)
         : stages[s] == VRG_STAGE_TRAIN ? vrg_train (a->world, input, directory, stop)
                                        : vrg_flow (a->world, input, directory, stop);
}

/** What of `wanted` there is to do: upstream work there, own work not somebody else's; --fresh. */
static int
prepare (const app *a, const vrg_input *input, const char *directory, int wanted, vrg_work works[STAGES],
         vrg_lock **lock)
{
  char difference[256];
  int code = VRG_OK, later = 0;
  if (!(wanted & VRG_STAGE_SAMPLE))
    code = need (a, input, directory, 0);
  if (code == VRG_OK && wanted == VRG_STAGE_FLOW && vrg_input_flow_needs_model (input))
    code = need (a, input, directory, 1);
  for (int s = 0; s < STAGES; s++)
    if (later || wanted & (int) stages[s])
      later |= (int) stages[s];
  if (code == VRG_OK)
    code = vrg_directory_make (a->world, directory);
  if (code == VRG_OK)
    code = vrg_lock_take (a->world, directory, lock);
  if (code == VRG_OK && a->fresh != NULL)
    code = vrg_work_aside (a->world, directory, later);
  for (int s = 0; s < STAGES && code == VRG_OK; s++)
    if (wanted & (int) stages[s])
      {
        code = look (a, input, directory, s, &works[s], difference);
        /* later stages of other parameters give way, but only in a directory that is ours: its samples are */
        if (code == VRG_OK && works[s] == VRG_WORK_OTHER
            && (s == 0 || (wanted & VRG_STAGE_SAMPLE && works[0] != VRG_WORK_FINISHED)))
          code = other_work (directory, s, difference);
        else if (code == VRG_OK && works[s] == VRG_WORK_OTHER)
          vrg_info ("%s: the parameters have changed (%s)", vrg_stage_name (stages[s]), difference);
      }
  return code;
}

/** Run or continue the stages in the mask. */
static int
run_stages (app *a, int wanted, bool report)
{
  vrg_input input;
  vrg_work works[STAGES] = { VRG_WORK_NONE, VRG_WORK_NONE, VRG_WORK_NONE };
  vrg_lock *lock = NULL;
  char directory[VRG_PATH_LENGTH];
  double seconds;
  int code = read_input (a, &input);
  if (code == VRG_OK)
    code = choose_directory (a, &input, directory);
  if (code == VRG_OK)
    code = vrg_limit_read (a->world, a->time, &seconds);
  if (code != VRG_OK)
    return code;
  if (input.model == VRG_MODEL_NONE && wanted & VRG_STAGE_TRAIN)
    {
      vrg_info ("train: nothing to do ([train] model = none)");
      wanted &= ~VRG_STAGE_TRAIN;
      if (!wanted)
        return VRG_OK;
    }
  if (!vrg_flow_can (&input) && wanted & VRG_STAGE_FLOW && wanted != VRG_STAGE_FLOW)
    {
      vrg_info ("flow: left out (not with a field)");
      wanted &= ~VRG_STAGE_FLOW;
    }
  if (wanted & VRG_STAGE_FLOW)
    code = vrg_flow_check (&input);
  int strips;
  char why[256];
  if (code == VRG_OK && wanted & VRG_STAGE_SAMPLE)
    code = vrg_chains_grid (a->ranks, &input, &strips, why); /* before anything is written */
  if (code == VRG_OK)
    code = prepare (a, &input, directory, wanted, works, &lock);
  if (code != VRG_OK)
    {
      vrg_lock_release (lock);
      return advise (a, directory, code);
    }

  vrg_stop stop;
  vrg_stop_init (&stop, a->world, seconds, 60 * input.interval_minutes);
  vrg_grid *grid = vrg_grid_new (a->world, 1);
  for (int s = 0; s < STAGES && code == VRG_OK; s++)
    if (wanted & (int) stages[s])
      {
        const char *name = vrg_stage_name (stages[s]);
        if (works[s] == VRG_WORK_FINISHED)
          {
            vrg_info ("%s: finished already (%s/%s)", name, directory, final_file[s]);
            code = vrg_agree (a->world, run_stage (a, &input, directory, s, &stop)); /* it tidies up after a kill */
            continue;
          }
        if (works[s] == VRG_WORK_OTHER)
          code = vrg_work_aside (a->world, directory, (int) stages[s]);
        if (code == VRG_OK)
          code = vrg_agree (a->world, run_stage (a, &input, directory, s, &stop));
        if (code == VRG_OK)
          vrg_info ("%s: done (%s/%s)", name, directory, final_file[s]);
      }
  if (code == VRG_OK && report)
    code = vrg_report (grid, directory);
  vrg_grid_free (grid);
  vrg_lock_release (lock);
  if (code == VRG_STOPPED)
    vrg_info ("stopped early with a good checkpoint in %s; the same command goes on from there (exit code %d)",
              directory, VRG_STOPPED);
  return advise (a, directory, code);
}

static int
command_run (app *a)
{
  return run_stages (a, ALL_STAGES, true);
}

static int
command_sample (app *a)
{
  return run_stages (a, VRG_STAGE_SAMPLE, false);
}

static int
command_train (app *a)
{
  return run_stages (a, VRG_STAGE_TRAIN, false);
}

static int
command_flow (app *a)
{
  return run_stages (a, VRG_STAGE_FLOW, false);
}

/* ---------------------------------------------------------------- check */

static int
command_check (app *a)
{
  static const char *const words[] = { "nothing", "unfinished, to be continued", "finished", "of other parameters" };
  vrg_input input;
  char directory[VRG_PATH_LENGTH] = "", difference[STAGES][256];
  vrg_work works[STAGES];
  int code = read_input (a, &input);
  if (code == VRG_OK)
    code = choose_directory (a, &input, directory);
  if (code == VRG_OK)
    code = vrg_plan_print (a->rank, a->ranks, &input);
  for (int s = 0; s < STAGES && code == VRG_OK; s++)
    code = look (a, &input, directory, s, &works[s], difference[s]);
  if (code != VRG_OK || a->rank != 0)
    return advise (a, directory, code);
  printf ("directory: %s\n", directory);
  for (int s = 0; s < STAGES; s++)
    printf ("  %-8s %s%s%s%s\n", vrg_stage_name (stages[s]), words[works[s]], *difference[s] ? " (" : "", difference[s],
            *difference[s] ? ")" : "");
  if (a->level == VRG_LOG_DEBUG)
    {
      char *text = vrg_param_print (&input);
      printf ("\n%s\n", text);
      vrg_free (text);
    }
  printf ("%s: good\n", a->args[0]);
  return VRG_OK;
}

/* ---------------------------------------------------------------- small commands */

static int
command_params (app *a)
{
  if (a->rank == 0)
    vrg_param_describe (stdout);
  return VRG_OK;
}

static int
command_info (app *a)
{
  vrg_grid *grid = vrg_grid_new (a->world, 1);
  const int code = vrg_info_print (grid, a->args[0]);
  vrg_grid_free (grid);
  return code;
}

static int
command_report (app *a)
{
  vrg_grid *grid = vrg_grid_new (a->world, 1);
  const int code = vrg_report (grid, a->args[0]);
  vrg_grid_free (grid);
  return code;
}

static int
command_combine (app *a)
{
  const char *out = a->out ? a->out : "combined";
  if (!*out || strlen (out) > VRG_PATH_LENGTH - 64)
    return vrg_error (VRG_USAGE, "--out: not the name of a directory");
  return vrg_combine (a->world, a->n_args, a->args, out);
}

static int
command_exact (app *a)
{
  return vrg_table_exact (a->rank, &a->table);
}

static int
command_variational (app *a)
{
  return vrg_table_variational (a->rank, &a->table);
}

static int
command_bench (app *a)
{
  vrg_grid *grid = vrg_grid_new (a->world, 1);
  const int code = vrg_bench (grid, a->n_args, a->args);
  vrg_grid_free (grid);
  return code;
}

/* ---------------------------------------------------------------- the command line */

#define STAGE_OPTIONS "--out --set --time --fresh --quiet --verbose --help"
#define OTHER_OPTIONS "--quiet --verbose --help"

static const command commands[] = {
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
};
enum
{
  COMMANDS = sizeof commands / sizeof commands[0]
};

#define PLACE(member) (int) offsetof (app, member)

/** Options; place: of the member of app that points to the argument (for one without, to its end), or 0. */
static const struct
{
  const char *name, *argument;
  int place;
  const char *help;
} options[] = {
  { "--out", "DIR", PLACE (out), "directory of the run, instead of [run] output; or of combine's tables" },
  { "--set", "section.key=value", 0, "override a key of the input; may be repeated" },
  { "--time", "H:MM:SS|slurm", PLACE (time), "stop with a checkpoint before this time is over; slurm: ask Slurm" },
  { "--fresh", NULL, PLACE (fresh), "move earlier work of these and later stages aside, into DIR/old-N" },
  { "--size", "L|LxM", PLACE (table.size), "rows and columns of the torus" },
  { "--dimension", "D", PLACE (table.dimension), "of the lattice: 1, 2 or 3" },
  { "--method", "NAME", PLACE (table.method), "kadanoff (default), migdal-kadanoff, decimation" },
  { "--fixed-point", "NAME", PLACE (table.fixed_point), "of kadanoff: pairs (default; V of |M| alone), neighbours" },
  { "--scale", "B", PLACE (table.scale), "of migdal-kadanoff and decimation (default 2)" },
  { "--nn", "K", PLACE (table.nn), "coupling, or critical; a list for --bounds" },
  { "--nnn", "K", PLACE (table.nnn), "diagonal coupling a flow starts with (default 0)" },
  { "--plaquette", "K", PLACE (table.plaquette), "four-spin coupling a flow starts with (default 0)" },
  { "--levels", "N", PLACE (table.levels), "of a flow (default 10)" },
  { "--p", "P", PLACE (table.p), "of a flow: level (best at each, default), constant (best), or P" },
  { "--bounds", NULL, PLACE (table.bounds), "bounds on ln Z per site, by all methods" },
  { "--quiet", NULL, 0, "warnings and errors only" },
  { "--verbose", NULL, 0, "more in the log" },
  { "--help", NULL, 0, "this help (-h)" },
};
enum
{
  OPTIONS = sizeof options / sizeof options[0]
};

static bool
has_option (const command *c, const char *name)
{
  const size_t length = strlen (name);
  for (const char *p = c->options; (p = strstr (p, name)) != NULL; p += length)
    if (p[length] == 0 || p[length] == ' ')
      return true;
  return false;
}

static void
print_help (const command *c)
{
  if (c != NULL)
    {
      printf ("Usage: vrg %s %s%s[OPTION]...\n%c%s.\n", c->name, c->arguments, *c->arguments ? " " : "",
              c->brief[0] >= 'a' && c->brief[0] <= 'z' ? c->brief[0] - 32 : c->brief[0], c->brief + 1);
      if (*c->details)
        printf ("%s\n", c->details);
      printf ("\nOptions:\n");
      for (int i = 0; i < OPTIONS; i++)
        if (has_option (c, options[i].name))
          {
            char text[64];
            snprintf (text, sizeof text, "%s %s", options[i].name, options[i].argument ? options[i].argument : "");
            printf ("  %-24s %s\n", text, options[i].help);
          }
      if (c->run == command_bench)
        printf ("\nNames:\n%s", vrg_bench_names ());
      return;
    }
  printf ("Usage: vrg COMMAND [ARGUMENT]... [OPTION]...\n"
          "       mpirun -np RANKS vrg COMMAND ...\n"
          "Ising lattices, restricted Boltzmann machines and the renormalization group.\n\nCommands:\n");
  for (int i = 0; i < COMMANDS; i++)
    printf ("  %-24s %s\n", commands[i].name, commands[i].brief);
  printf ("\n  --help, --version; `vrg COMMAND --help` tells a command's options\n\n"
          "Exit codes: 0 done, 1 internal failure, 2 usage or input, 3 file, 75 stopped early with a good checkpoint\n"
          "(run the same command again).\n");
}

/** The command of this name, or an error with a suggestion. */
static int
find_command (app *a, const char *name)
{
  const char *names[COMMANDS + 1];
  for (int i = 0; i < COMMANDS; i++)
    {
      names[i] = commands[i].name;
      if (!strcmp (names[i], name))
        {
          a->command = &commands[i];
          return VRG_OK;
        }
    }
  names[COMMANDS] = NULL;
  const char *near = vrg_param_nearest (name, names);
  if (near != NULL)
    return vrg_error (VRG_USAGE, "no command `%.60s` (did you mean %s?)", name, near);
  return vrg_error (VRG_USAGE, "no command `%.60s`; see `vrg --help`", name);
}

/** Option argv[*i], with its argument in the same or the next word. */
static int
take_option (app *a, int argc, char **argv, int *i)
{
  char name[64];
  const char *word = argv[*i], *equals = strchr (word, '='), *value = NULL;
  snprintf (name, sizeof name, "%.*s", equals ? (int) (equals - word) : 63, strcmp (word, "-h") ? word : "--help");
  int o = 0;
  while (o < OPTIONS && (strcmp (options[o].name, name) != 0 || !has_option (a->command, name)))
    o++;
  if (o == OPTIONS)
    {
      const char *names[OPTIONS + 1] = { NULL };
      for (int k = 0, n = 0; k < OPTIONS; k++)
        if (has_option (a->command, options[k].name))
          names[n++] = options[k].name;
      const char *near = vrg_param_nearest (name, names);
      return near ? vrg_error (VRG_USAGE, "%s: no option %s (did you mean %s?)", a->command->name, name, near)
                  : vrg_error (VRG_USAGE, "%s: no option %s; see `vrg %s --help`", a->command->name, name,
                               a->command->name);
    }
  if (options[o].argument == NULL && equals != NULL)
    return vrg_error (VRG_USAGE, "%s takes no argument", name);
  if (options[o].argument != NULL)
    {
      if (equals == NULL && *i + 1 >= argc)
        return vrg_error (VRG_USAGE, "%s needs an argument: %s", name, options[o].argument);
      value = equals ? equals + 1 : argv[++*i];
    }
  const char **place = options[o].place ? (const char **) ((char *) a + options[o].place) : NULL;
  if (place != NULL && *place != NULL)
    return vrg_error (VRG_USAGE, "%s is given twice", name);
  if (place != NULL)
    *place = value ? value : "";
  else if (!strcmp (name, "--set"))
    a->set[a->n_set++] = value;
  else if (!strcmp (name, "--help"))
    a->help = true;
  else
    a->level = !strcmp (name, "--quiet") ? VRG_LOG_WARNING : VRG_LOG_DEBUG;
  return VRG_OK;
}

/** Step 2. */
static int
read_command_line (app *a, int argc, char **argv)
{
  if (argc < 2)
    return vrg_error (VRG_USAGE, "a command is missing; see `vrg --help`");
  int code = find_command (a, argv[1]);
  bool only_arguments = false;
  for (int i = 2; i < argc && code == VRG_OK; i++)
    if (!only_arguments && !strcmp (argv[i], "--"))
      only_arguments = true;
    else if (!only_arguments && argv[i][0] == '-' && argv[i][1])
      code = take_option (a, argc, argv, &i);
    else
      a->args[a->n_args++] = argv[i];
  if (code != VRG_OK || a->help)
    return code;
  if (a->n_args < a->command->least || a->n_args > a->command->most)
    return vrg_error (VRG_USAGE, "%s takes %s, not %d argument%s: vrg %s %s", a->command->name,
                      a->command->least ? "one argument" : "no argument", a->n_args, a->n_args == 1 ? "" : "s",
                      a->command->name, a->command->arguments);
  if (!vrg_simd_environment_is_good ())
    return vrg_error (VRG_USAGE, "VRG_SIMD=%.60s: not portable, avx2 or avx512", getenv ("VRG_SIMD"));
  return VRG_OK;
}

/** Every line of the message remembered. */
static void
print_error (void)
{
  fflush (stdout);
  vrg_log_bar (NULL);
  for (const char *line = vrg_error_text (); *line;)
    {
      const int length = (int) strcspn (line, "\n");
      fprintf (stderr, "vrg: error: %.*s\n", length, line);
      line += length + (line[length] == '\n');
    }
}

int
main (int argc, char **argv)
{
  /* 1 */
  vrg_bench_environment (argc, argv);
  if (MPI_Init (&argc, &argv) != MPI_SUCCESS)
    vrg_fail_one (VRG_INTERNAL, "MPI cannot be started");
  app a = { .level = VRG_LOG_INFO };
  MPI_Comm_dup (MPI_COMM_WORLD, &a.world);
  MPI_Comm_set_errhandler (a.world, MPI_ERRORS_RETURN);
  vrg_error_init (a.world);
  MPI_Comm_rank (a.world, &a.rank);
  MPI_Comm_size (a.world, &a.ranks);
  gsl_set_error_handler_off ();
  signal (SIGPIPE, SIG_DFL);
#ifdef SIGXFSZ
  signal (SIGXFSZ, SIG_IGN); /* a limit on file sizes is an error of the write */
#endif

  /* 2 */
  a.args = vrg_new (argc + 1, sizeof *a.args, "arguments");
  a.set = vrg_new (argc + 1, sizeof *a.set, "arguments");
  int code = VRG_OK;
  const char *first = argc > 1 ? argv[1] : "";
  const bool version = !strcmp (first, "--version"),
             help = !strcmp (first, "--help") || !strcmp (first, "-h") || !strcmp (first, "help");
  if (!version && !help)
    code = read_command_line (&a, argc, argv);
  vrg_log_init (a.rank == 0, a.level);

  /* 3, 4 */
  if (version && a.rank == 0)
    printf ("vrg %s (%s)\n", vrg_version (), vrg_commit ());
  else if (code == VRG_OK && (help || a.help) && a.rank == 0)
    print_help (a.command);
  else if (code == VRG_OK && a.command != NULL && !a.help)
    code = a.command->run (&a);

  /* 5 */
  code = vrg_agree (a.world, code);
  if (code != VRG_OK && code != VRG_STOPPED && a.rank == 0)
    print_error ();
  vrg_free (a.args);
  vrg_free (a.set);
  if (code == VRG_OK && vrg_memory_blocks () != 0)
    vrg_debug ("%lld blocks of memory are left", (long long) vrg_memory_blocks ());
  vrg_exit (code);
}
