/* SPDX-License-Identifier: GPL-3.0-or-later
 * Words of the command line; help. */
#include "cli/command-line.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/simd.h"
#include "bench/bench.h"

#define MOST_COMMANDS 32
#define PLACE(member) (int) offsetof (vrg_app, member)

/** Options; place: of the member of app that points to the argument (for one without, to its end), or 0. */
static const struct
{
  const char *name, *argument;
  int place;
  const char *help;
} options[] = {
  { "--out", "DIR", PLACE (out), "directory to write into; by default [run] output" },
  { "--set", "section.key=value", 0, "override a key of the input; may be repeated" },
  { "--time", "H:MM:SS|slurm", PLACE (time), "stop with a checkpoint before this time is over; slurm: ask Slurm" },
  { "--fresh", NULL, PLACE (fresh), "move earlier work of these and later stages aside, into DIR/old-N" },
  { "--size", "L|LxM", PLACE (table.size), "rows and columns of the torus" },
  { "--dimension", "D", PLACE (table.dimension), "of the lattice: 1, 2 or 3" },
  { "--method", "NAME", PLACE (table.method), "one of kadanoff (default), migdal-kadanoff, decimation" },
  { "--fixed-point", "NAME", PLACE (table.fixed_point),
    "one of pairs (default; V of |M| alone), neighbours; of kadanoff" },
  { "--scale", "B", PLACE (table.scale), "of migdal-kadanoff and decimation (default 2)" },
  { "--nn", "K", PLACE (table.nn), "coupling, or `critical`; a list for --bounds" },
  { "--nnn", "K", PLACE (table.nnn), "diagonal coupling a flow starts with (default 0)" },
  { "--plaquette", "K", PLACE (table.plaquette), "four-spin coupling a flow starts with (default 0)" },
  { "--levels", "N", PLACE (table.levels), "of a flow (default 10)" },
  { "--p", "P", PLACE (table.p), "one of level (default; best at each), constant (best); or a number; of a flow" },
  { "--bounds", NULL, PLACE (table.bounds), "bounds on ln Z per site, by all methods" },
  { "--rows", "A:B[:STEP]", PLACE (rows), "of the first dimension: A to B - 1, as in Python; or one number" },
  { "--xdmf", "NAME.xdmf", PLACE (xdmf), "spins for ParaView and VisIt: NAME.xdmf and NAME.raw" },
  { "--quiet", NULL, 0, "warnings and errors only" },
  { "--verbose", NULL, 0, "more in the log" },
  { "--help", NULL, 0, "this help (-h)" },
};
enum
{
  OPTIONS = sizeof options / sizeof options[0]
};

/** Help of an option, where it means something else to one command. */
static const struct
{
  const char *command, *option, *help;
} others[] = {
  { "combine", "--out", "directory to write into; by default `combined`" },
  { "exact", "--nn", "coupling, or `critical`" },
};

static const char *
help_of (const vrg_command *c, int option)
{
  for (size_t i = 0; i < sizeof others / sizeof *others; i++)
    if (!strcmp (c->name, others[i].command) && !strcmp (options[option].name, others[i].option))
      return others[i].help;
  return options[option].help;
}

static bool
has_option (const vrg_command *c, const char *name)
{
  const size_t length = strlen (name);
  for (const char *p = c->options; (p = strstr (p, name)) != NULL; p += length)
    if (p[length] == 0 || p[length] == ' ')
      return true;
  return false;
}

/** The command of this name, or NULL. */
static const vrg_command *
command_of (const char *name)
{
  for (const vrg_command *c = vrg_commands; c->name != NULL; c++)
    if (!strcmp (c->name, name))
      return c;
  return NULL;
}

bool
vrg_command_line_stops (const char *name)
{
  const vrg_command *c = command_of (name);
  return c != NULL && has_option (c, "--time");
}

void
vrg_command_line_help (const vrg_command *c)
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
            printf ("  %-24s %s\n", text, help_of (c, i));
          }
      if (!strcmp (c->name, "bench"))
        printf ("\nNames:\n%s", vrg_bench_names ());
      return;
    }
  printf ("Usage: vrg COMMAND [ARGUMENT]... [OPTION]...\n"
          "       mpirun -np RANKS vrg COMMAND ...\n"
          "Ising lattices, restricted Boltzmann machines and the renormalization group.\n\nCommands:\n");
  for (int i = 0; vrg_commands[i].name != NULL; i++)
    printf ("  %-24s %s\n", vrg_commands[i].name, vrg_commands[i].brief);
  printf ("\n  --help, --version; `vrg COMMAND --help` tells a command's options\n"
          "  --grammar prints them all for programs, and the keys\n\n"
          "Exit codes: 0 done, 1 internal failure, 2 usage or input, 3 file, 75 stopped early with a good checkpoint\n"
          "(run the same command again, without --fresh).\n");
}

void
vrg_command_line_grammar (void)
{
  for (const vrg_command *c = vrg_commands; c->name != NULL; c++)
    {
      printf ("command\t%s\t%s\t%s\t", c->name, c->arguments, c->brief);
      for (const char *p = c->details; *p; p++)
        putchar (*p == '\n' ? ' ' : *p);
      putchar ('\n');
      for (int i = 0; i < OPTIONS; i++)
        if (has_option (c, options[i].name))
          printf ("option\t%s\t%s\t%s\t%s\n", c->name, options[i].name, options[i].argument ? options[i].argument : "",
                  help_of (c, i));
    }
  for (const char *line = vrg_bench_names (); *line; line += strcspn (line, "\n") + 1)
    {
      const int name = (int) strcspn (line, " "), help = name + (int) strspn (line + name, " ");
      printf ("benchmark\t%.*s\t%.*s\n", name, line, (int) strcspn (line + help, "\n"), line + help);
    }
  vrg_param_list (stdout);
}

/** The command of this name, or an error with a suggestion. */
static int
find_command (vrg_app *a, const char *name)
{
  const char *names[MOST_COMMANDS + 1] = { NULL };
  a->command = command_of (name);
  if (a->command != NULL)
    return VRG_OK;
  for (int i = 0; i < MOST_COMMANDS && vrg_commands[i].name != NULL; i++)
    names[i] = vrg_commands[i].name;
  const char *near = vrg_param_nearest (name, names);
  if (near != NULL)
    return vrg_error (VRG_USAGE, "no command `%.60s` (did you mean %s?)", name, near);
  return vrg_error (VRG_USAGE, "no command `%.60s`; see `vrg --help`", name);
}

/** Option argv[*i], with its argument in the same or the next word. */
static int
take_option (vrg_app *a, int argc, char **argv, int *i)
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

int
vrg_command_line_read (vrg_app *a, int argc, char **argv)
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
                      !a->command->least                     ? "no argument"
                      : a->command->most > a->command->least ? "one argument or two"
                                                             : "one argument",
                      a->n_args, a->n_args == 1 ? "" : "s", a->command->name, a->command->arguments);
  if (!vrg_simd_environment_is_good ())
    return vrg_error (VRG_USAGE, "VRG_SIMD=%.60s: not portable, avx2 or avx512", getenv ("VRG_SIMD"));
  return VRG_OK;
}
