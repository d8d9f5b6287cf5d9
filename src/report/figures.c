/* SPDX-License-Identifier: GPL-3.0-or-later
 * Pictures by gnuplot.  Names from tables enter the scripts through word() alone, numbers as numbers. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np */
#endif
#include "report/figures.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "lattice/exact.h"
#include "report/thermal.h"

#define CURVES 64 /* at most, in one picture */
#define VAGUE 0.1 /* couplings with larger errors end a path of the flow */

extern char **environ;

static const char blue[] = "#0072b2", vermilion[] = "#d55e00", green[] = "#009e73", purple[] = "#aa4499",
                  grey[] = "#555555";
static const char *const series_colours[]
  = { "#0072b2", "#d55e00", "#009e73", "#aa4499", "#b8860b", "#3a9bd9", "#222222", "#8c564b" };

static const char *
rule_colour (const char *rule)
{
  return strcmp (rule, "majority") == 0     ? blue
         : strcmp (rule, "learnt") == 0     ? vermilion
         : strcmp (rule, "decimation") == 0 ? green
                                            : purple;
}

/** A name fit for a script: letters, digits, . and -; anything else becomes a blank.  Up to 4 at a time. */
static const char *
word (const char *name)
{
  static char ring[4][32];
  static int next;
  char *text = ring[next++ % 4];
  int n = 0;
  for (; name[n] && n < 31; n++)
    text[n] = strchr ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", name[n]) ? name[n] : ' ';
  text[n] = '\0';
  return text;
}

static double
finite_or_0 (double x)
{
  return isfinite (x) ? x : 0;
}

static FILE *
script_open (const char *directory, const vrg_figure *figure, int width, int height)
{
  char path[VRG_PATH_LENGTH];
  snprintf (path, sizeof path, "%s/figures/%s.gp", directory, figure->name);
  FILE *script = fopen (path, "w");
  if (script != NULL)
    fprintf (script,
             "# %s.  Draw again: gnuplot %s.gp\n"
             "set terminal svg size %d,%d dynamic enhanced font 'Helvetica,Arial,sans-serif,14' background 'white'\n"
             "set encoding utf8\n"
             "set output '%s.svg'\n"
             "set datafile missing 'NaN'\n"
             "set border 3 linewidth 1 linecolor '#444444'\n"
             "set tics nomirror out scale 0.6 textcolor '#222222'\n"
             "set grid linewidth 0.6 linetype 1 linecolor '#e3e3e3'\n"
             "set bars 0.6\n"
             "set pointintervalbox 0.01\n" /* no white discs under points with error bars */
             "set key outside right top vertical Left reverse noenhanced samplen 2 spacing 1.25 font ',13'\n",
             figure->title, figure->name, width, height, figure->name);
  return script;
}

/** A range that holds low..high with some air, as gnuplot wants it. */
static void
set_range (FILE *script, const char *axis, double low, double high)
{
  double air = high > low ? 0.06 * (high - low) : 0.05 * (fabs (high) + 0.1);
  fprintf (script, "set %srange [%.8g:%.8g]\n", axis, low - air, high + air);
}

/* ---- training ---- */

static bool
training_script (FILE *script, const vrg_table_data *t)
{
  static const char *const columns[] = { "reconstruction_error", "pseudo_likelihood" };
  static const char *const labels[] = { "wrong spins after one step (fraction)", "pseudo-likelihood per spin (nat)" };
  int layers = vrg_column_max (t, "layer"), last = vrg_column_max (t, "epoch");
  bool any[2] = { false, false };
  if (layers < 1 || last < 0)
    return false;
  fputs ("$data << END\n# layer epoch reconstruction_error pseudo_likelihood\n", script);
  for (int row = 0; row < t->rows; row++)
    {
      double y[2] = { vrg_cell (t, row, columns[0]), vrg_cell (t, row, columns[1]) };
      fprintf (script, "%g %g %.10g %.10g\n", vrg_cell (t, row, "layer"), vrg_cell (t, row, "epoch"), y[0], y[1]);
      for (int i = 0; i < 2; i++)
        any[i] = any[i] || isfinite (y[i]);
    }
  fprintf (script, "END\nset multiplot\nset key at screen 0.97,0.965 right center horizontal\nset xrange [%g:%g]\n",
           last > 0 ? 0 : -0.5, last > 0 ? last * 1.02 : 0.5);
  for (int i = 0; i < 2; i++)
    {
      if (!any[i])
        continue;
      fprintf (script,
               "set lmargin at screen %g\nset rmargin at screen %g\nset tmargin at screen 0.90\nset bmargin at screen "
               "0.16\nset xlabel 'epoch'\nset ylabel '%s' offset 0.5\nplot",
               i == 0 ? 0.125 : 0.635, i == 0 ? 0.48 : 0.98, labels[i]);
      for (int layer = 1; layer <= layers && layer < CURVES; layer++)
        fprintf (script,
                 "%s $data using ($1==%d?$2:NaN):%d with linespoints pointtype 7 pointsize 0.3 linewidth 1.8 linecolor "
                 "'%s' title '%s%.0d'",
                 layer > 1 ? ", \\\n  " : "", layer, 3 + i, series_colours[(layer - 1) % 8],
                 layers > 1 && i == 0 ? "layer " : "", layers > 1 && i == 0 ? layer : 0);
      fputs ("\n", script);
    }
  fputs ("unset multiplot\n", script);
  return any[0] || any[1];
}

/* ---- the learnt filter ---- */

static bool
filter_script (FILE *script, const vrg_model *model)
{
  int64_t size = model->filter, shown = model->hidden < 8 ? model->hidden : 8, across = shown < 4 ? shown : 4;
  double largest = 0;
  if (model->type != VRG_MODEL_CONVOLUTION || size < 1 || shown < 1)
    return false;
  fputs ("$data << END\n# column row weight\n", script);
  for (int64_t f = 0; f < shown; f++)
    {
      const double *weights = model->weights + f * size * size;
      double sum = 0;
      for (int64_t i = 0; i < size * size; i++)
        sum += weights[i];
      for (int64_t i = 0; i < size * size; i++)
        {
          double w = sum < 0 ? -weights[i] : weights[i]; /* the sign is arbitrary: positive sum, as the flow takes it */
          fprintf (script, "%lld %lld %.10g\n", (long long) (f % across * (size + 1) + i % size),
                   (long long) (f / across * (size + 1) + i / size), w);
          largest = fmax (largest, fabs (w));
        }
    }
  if (!(largest > 0))
    largest = 1;
  fprintf (script,
           "END\nset palette defined (-1 '#08306b', -0.5 '#4f94c6', 0 '#ffffff', 0.5 '#f4a259', 1 '#a63603')\n"
           "set cbrange [%.6g:%.6g]\nset cblabel 'weight'\nset colorbox\nunset grid\nunset key\nset border 0\n"
           "set xrange [-0.5:%lld.5]\nset yrange [%lld.5:-0.5]\nset size ratio -1\nset tics scale 0\n"
           "set xlabel 'column of the filter'\nset ylabel 'row of the filter'\nset xtics 1\nset ytics 1\n",
           -largest, largest, (long long) (across * (size + 1) - 2),
           (long long) ((shown + across - 1) / across * (size + 1) - 2));
  if (shown > 1)
    fputs ("unset xtics\nunset ytics\n", script);
  /* the block that the hidden unit stands for */
  for (int64_t f = 0; f < shown; f++)
    {
      double corner = (double) (size - model->stride) / 2 - 0.5, x = (double) (f % across * (size + 1)) + corner,
             y = (double) (f / across * (size + 1)) + corner;
      fprintf (script,
               "set object %lld rectangle from %g,%g to %g,%g front fillstyle empty border linecolor 'black' linewidth "
               "2\n",
               (long long) f + 1, x, y, x + (double) model->stride, y + (double) model->stride);
    }
  fputs ("plot $data using 1:2:3 with image pixels", script);
  if (shown == 1 && size <= 10) /* numbers, so that the sign shows without colours too */
    fprintf (script,
             ", \\\n  $data using 1:2:(abs($3)>%.6g?'':abs($3)<0.005?'0':sprintf('%%.2f',$3)) with labels font ',11' "
             "textcolor 'black'"
             ", \\\n  $data using 1:2:(abs($3)>%.6g?sprintf('%%.2f',$3):'') with labels font ',11' textcolor 'white'\n",
             0.6 * largest, 0.6 * largest);
  else
    fputs (", \\\n  $data using ($3<0?$1:NaN):2 with points pointtype 7 pointsize 0.2 linecolor 'black'\n", script);
  return true;
}

/* ---- couplings and exponents ---- */

/** Distinct texts of a column in order of appearance; returns how many. */
static int
distinct (const vrg_table_data *t, const char *column, const char *names[CURVES])
{
  int n = 0;
  for (int row = 0; row < t->rows && n < CURVES; row++)
    {
      const char *text = vrg_cell_text (t, row, column);
      int i = 0;
      while (i < n && strcmp (names[i], text) != 0)
        i++;
      if (i == n)
        names[n++] = text;
    }
  return n;
}

/** The row of couplings.tsv with these keys, -1 if there is none. */
static int
coupling_row (const vrg_table_data *t, const char *nn, const char *rule, int level, const char *operator, int operators)
{
  for (int row = 0; row < t->rows; row++)
    if (vrg_cell (t, row, "level") == level && vrg_cell (t, row, "operators") == operators
        && strcmp (vrg_cell_text (t, row, "operator"), operator) == 0
        && strcmp (vrg_cell_text (t, row, "rule"), rule) == 0 && strcmp (vrg_cell_text (t, row, "nn"), nn) == 0)
      return row;
  return -1;
}

/** The plane of the first two couplings: a path from level to level for each ensemble and rule. */
static bool
flow_script (FILE *script, const vrg_table_data *t)
{
  enum
  {
    LEVELS = 32
  };
  const double window[4] = { -0.15, 1.05, -0.25, 0.5 }; /* what may be shown: beyond, the couplings run away */
  const char *nn[CURVES], *rules[CURVES];
  int n_nn = distinct (t, "nn", nn), n_rules = distinct (t, "rule", rules), paths = 0, rule_of[CURVES * CURVES];
  int levels = vrg_column_max (t, "level"), operators = vrg_column_max (t, "operators"), points = 0;
  double low[2] = { INFINITY, 0 }, high[2] = { -INFINITY, 0.05 };
  fputs ("$path << END\n# K_nn K_nnn, their errors, and the step to the next level; one block a path\n", script);
  for (int r = 0; r < n_rules; r++)
    for (int k = 0; k < n_nn; k++)
      {
        double path[LEVELS][4];
        int here = 0;
        for (int level = 0; level <= levels && here < LEVELS; level++)
          {
            int a = coupling_row (t, nn[k], rules[r], level, "nn", operators);
            int b = coupling_row (t, nn[k], rules[r], level, "nnn", operators);
            if (a < 0 || b < 0)
              continue;
            double x = vrg_cell (t, a, "value"), y = vrg_cell (t, b, "value");
            double dx = vrg_cell (t, a, "error"), dy = vrg_cell (t, b, "error");
            if (!isfinite (x) || !isfinite (y) || dx > VAGUE || dy > VAGUE)
              break;
            path[here][0] = x;
            path[here][1] = y;
            path[here][2] = finite_or_0 (dx);
            path[here++][3] = finite_or_0 (dy);
            if (x < window[0] || x > window[1] || y < window[2] || y > window[3])
              continue;
            low[0] = fmin (low[0], x);
            high[0] = fmax (high[0], x);
            low[1] = fmin (low[1], y);
            high[1] = fmax (high[1], y);
          }
        for (int i = 0; i < here; i++)
          {
            bool last = i == here - 1;
            fprintf (script, "%.8g %.8g %.8g %.8g %.8g %.8g\n", path[i][0], path[i][1], path[i][2], path[i][3],
                     last ? (double) NAN : path[i + 1][0] - path[i][0],
                     last ? (double) NAN : path[i + 1][1] - path[i][1]);
          }
        if (here > 0)
          {
            rule_of[paths++] = r;
            points += here;
            fputs ("\n\n", script);
          }
      }
  fputs ("END\n", script);
  if (points < 2 || !(low[0] <= high[0]))
    return false;
  set_range (script, "x", low[0], high[0]);
  set_range (script, "y", low[1] - (low[1] > -0.02 ? 0.2 * high[1] : 0), high[1]); /* room for the names below 0 */
  fprintf (script,
           "set xlabel 'nearest-neighbour coupling K_{nn}'\nset ylabel 'next-nearest coupling K_{nnn}' offset 0.5\n"
           "set arrow 1 from graph 0,first 0 to graph 1,first 0 nohead linecolor '#999999' linewidth 1 back\n"
           "set arrow 2 from %.10g,graph 0 to %.10g,graph 1 nohead dashtype 3 linewidth 1.2 linecolor '%s' back\n"
           "set tmargin 2.5\nset label 2 'K_c' at %.10g,graph 1.04 center textcolor '%s' font ',13'\n",
           VRG_CRITICAL_2D, VRG_CRITICAL_2D, grey, VRG_CRITICAL_2D, grey);
  int step = n_nn > 8 ? n_nn - 1 : 1; /* a long scan: the first and the last are named */
  for (int k = 0; k < n_nn; k += step)
    if (!vrg_is_critical (atof (nn[k])))
      fprintf (script, "set label %d 'K = %.4g' at %.8g,0 right rotate by 90 offset 0,-0.6 font ',11' textcolor '%s'\n",
               10 + k, atof (nn[k]), atof (nn[k]), grey);
  fputs ("plot", script);
  for (int i = 0; i < paths; i++)
    {
      const char *colour = rule_colour (rules[rule_of[i]]);
      bool first = i == 0 || rule_of[i] != rule_of[i - 1];
      fprintf (
        script,
        "%s $path index %d using 1:2:5:6 with vectors head filled size graph 0.016,18 linewidth 1.4 linecolor "
        "'%s' notitle, \\\n"
        "  $path index %d using 1:2:3:4 with xyerrorbars pointtype 7 pointsize 0.4 linewidth 1.2 linecolor '%s' ",
        i ? ", \\\n " : "", i, colour, i, colour);
      fprintf (script, first ? "title '%s'" : "notitle", word (rules[rule_of[i]]));
    }
  fputs ("\n", script);
  return true;
}

/** Couplings against the level at the ensemble nearest to criticality, one panel a rule. */
static bool
couplings_script (FILE *script, const vrg_table_data *t)
{
  const char *nn[CURVES], *rules[CURVES], *names[CURVES], *here = NULL;
  int n_nn = distinct (t, "nn", nn), n_rules = distinct (t, "rule", rules), n_names = distinct (t, "operator", names);
  int levels = vrg_column_max (t, "level"), operators = vrg_column_max (t, "operators"), rows = 0;
  double nearest = vrg_nearest_critical (t), low = 0, high = 0;
  for (int k = 0; k < n_nn; k++)
    if (atof (nn[k]) == nearest)
      here = nn[k];
  if (here == NULL || levels < 1)
    return false;
  fputs ("$data << END\n# level coupling error, one block a rule and operator\n", script);
  for (int r = 0; r < n_rules; r++)
    for (int a = 0; a < n_names; a++)
      {
        for (int level = 0; level <= levels; level++)
          {
            int row = coupling_row (t, here, rules[r], level, names[a], operators);
            double y = row < 0 ? (double) NAN : vrg_cell (t, row, "value");
            double dy = row < 0 ? (double) NAN : vrg_cell (t, row, "error");
            fprintf (script, "%d %.8g %.8g\n", level, y, finite_or_0 (dy));
            rows += isfinite (y);
            if (isfinite (y) && fabs (y) < 1)
              {
                low = fmin (low, y);
                high = fmax (high, y);
              }
          }
        fputs ("\n\n", script);
      }
  fprintf (script, "END\nset xrange [-0.3:%g]\nset xtics 1\nset xlabel 'level'\n", levels + 0.3);
  set_range (script, "y", low, high);
  fputs ("set multiplot\nset tmargin at screen 0.90\nset bmargin at screen 0.15\n"
         "set key at screen 0.995,0.90 right top vertical\n",
         script);
  for (int r = 0; r < n_rules; r++)
    {
      double width = 0.70 / n_rules;
      fprintf (script,
               "set lmargin at screen %g\nset rmargin at screen %g\nset title '%s rule' noenhanced font ',14'\n",
               0.115 + r * width, 0.115 + (r + 0.9) * width, word (rules[r]));
      fputs (r ? "unset ylabel\nset format y ''\nunset key\nplot 0 with lines linecolor '#999999' notitle"
               : "set ylabel 'coupling' offset 0.5\nplot 0 with lines linecolor '#999999' notitle",
             script);
      for (int a = 0; a < n_names; a++)
        fprintf (script,
                 ", \\\n  $data index %d using ($1+%g):2:3 with yerrorlines pointtype %d pointsize 0.5 linewidth 1.4 "
                 "linecolor '%s' title '%s'",
                 r * n_names + a, 0.02 * (a - 0.5 * (n_names - 1)), 4 + a % 10, series_colours[a % 8], word (names[a]));
      fputs ("\n", script);
    }
  fputs ("unset multiplot\n", script);
  return rows > 1;
}

/** Exponents of one sector by level at the ensemble nearest to criticality: a curve for each rule and 1, 3 and 7
 *  operators, or the largest number there is. */
static bool
exponents_script (FILE *script, const vrg_table_data *t, const char *sector, const char *label, double exact)
{
  const char *rules[CURVES];
  const int wanted[] = { 1, 3, 7 };
  int n_rules = distinct (t, "rule", rules), levels = vrg_column_max (t, "level"), most = 0, curves = 0;
  int rule_of[CURVES], operators_of[CURVES], counts[4], n_counts = 0;
  double nearest = vrg_nearest_critical (t), low = exact, high = exact;
  for (int row = 0; row < t->rows; row++)
    if (strcmp (vrg_cell_text (t, row, "sector"), sector) == 0)
      most = (int) fmax (most, vrg_cell (t, row, "operators"));
  for (int i = 0; i < 3; i++)
    if (wanted[i] < most)
      counts[n_counts++] = wanted[i];
  counts[n_counts++] = most;
  fputs ("$data << END\n# level y error, one block a curve\n", script);
  for (int r = 0; r < n_rules; r++)
    for (int c = 0; c < n_counts && curves < CURVES; c++)
      {
        int points = 0;
        for (int row = 0; row < t->rows; row++)
          {
            double y = vrg_cell (t, row, "y"), dy = vrg_cell (t, row, "error");
            if (vrg_cell (t, row, "nn") != nearest || strcmp (vrg_cell_text (t, row, "rule"), rules[r]) != 0
                || strcmp (vrg_cell_text (t, row, "sector"), sector) != 0 || vrg_cell (t, row, "operators") != counts[c]
                || !isfinite (y))
              continue;
            fprintf (script, "%g %.8g %.8g\n", vrg_cell (t, row, "level"), y, finite_or_0 (dy));
            points++;
            if (fabs (y - exact) < 0.5)
              {
                dy = fmin (finite_or_0 (dy), 0.1);
                low = fmin (low, y - dy);
                high = fmax (high, y + dy);
              }
          }
        if (points == 0)
          continue;
        fputs ("\n\n", script);
        rule_of[curves] = r;
        operators_of[curves++] = counts[c];
      }
  if (curves == 0)
    return false;
  fprintf (script, "END\nset xrange [0.6:%g]\nset xtics 1\nset xlabel 'level'\nset ylabel '%s' offset 0.5\n",
           levels + 0.4, label);
  set_range (script, "y", low, high);
  fprintf (script, "plot %.10g with lines linewidth 2 linecolor '%s' title 'exact: %g'", exact, grey, exact);
  for (int i = 0; i < curves; i++)
    {
      int kind = operators_of[i] == most ? 0 : operators_of[i] == 1 ? 2 : 1;
      const int points[] = { 7, 4, 6 }, dashes[] = { 1, 2, 3 }; /* full disc, open square, open circle */
      const char *colour = rule_colour (rules[rule_of[i]]);
      double shift = 0.035 * (i - 0.5 * (curves - 1));
      fprintf (
        script,
        ", \\\n  $data index %d using ($1+%g):2 with lines dashtype %d linewidth 1.5 linecolor '%s' notitle, \\\n"
        "  $data index %d using ($1+%g):2:3 with yerrorbars pointtype %d dashtype 1 pointsize 0.6 linewidth 1.5 "
        "linecolor '%s' notitle, \\\n"
        "  NaN with linespoints pointtype %d dashtype %d pointsize 0.6 linewidth 1.5 linecolor '%s' "
        "title '%s, %d operator%s'",
        i, shift, dashes[kind], colour, i, shift, points[kind], colour, points[kind], dashes[kind], colour,
        word (rules[rule_of[i]]), operators_of[i], operators_of[i] == 1 ? "" : "s");
    }
  fputs ("\n", script);
  return true;
}

/* ---- all of them ---- */

/** `gnuplot -d NAME.gp` in DIRECTORY/figures, no shell in between; what it says goes to NAME.log, which is removed if
 *  all went well.  0, or an errno of starting it, or -1 if it failed. */
static int
run_gnuplot (const char *directory, const char *name)
{
  char folder[VRG_PATH_LENGTH], script[64], log[64], path[VRG_PATH_LENGTH + 64];
  snprintf (folder, sizeof folder, "%s/figures", directory);
  snprintf (script, sizeof script, "%s.gp", name);
  snprintf (log, sizeof log, "%s.log", name);
  char program[] = "gnuplot", settings[] = "-d";
  char *const arguments[] = { program, settings, script, NULL };
  posix_spawn_file_actions_t actions;
  pid_t child;
  int status = 0;
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_addchdir_np (&actions, folder);
  posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen (&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  posix_spawn_file_actions_adddup2 (&actions, STDOUT_FILENO, STDERR_FILENO);
  int code = posix_spawnp (&child, program, &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy (&actions);
  if (code == 0)
    {
      while (waitpid (child, &status, 0) < 0 && errno == EINTR)
        ;
      code = WIFEXITED (status) && WEXITSTATUS (status) == 0     ? 0
             : WIFEXITED (status) && WEXITSTATUS (status) == 127 ? ENOENT
                                                                 : -1;
    }
  if (code != -1)
    {
      snprintf (path, sizeof path, "%s/%s", folder, log);
      unlink (path);
    }
  return code;
}

static bool
write_script (FILE *script, vrg_figure_index index, const vrg_report_data *data)
{
  switch (index)
    {
    case VRG_FIGURE_ENERGY:
    case VRG_FIGURE_SPECIFIC_HEAT:
      return vrg_thermal_exact (script, data, index == VRG_FIGURE_SPECIFIC_HEAT);
    case VRG_FIGURE_MAGNETISATION:
      return vrg_thermal_value (script, data, "abs_m", "abs_m_err", "<|m|>");
    case VRG_FIGURE_SUSCEPTIBILITY:
      return vrg_thermal_value (script, data, "susceptibility", "susceptibility_err", "N (<m^2> - <|m|>^2)");
    case VRG_FIGURE_BINDER:
      return vrg_thermal_value (script, data, "binder", "binder_err", "1 - <m^4> / (3 <m^2>^2)");
    case VRG_FIGURE_XI:
      return vrg_thermal_value (script, data, "xi", "xi_err", "correlation length (lattice constants)");
    case VRG_FIGURE_TRAINING:
      return data->train != NULL && training_script (script, data->train);
    case VRG_FIGURE_FILTER:
      return data->model != NULL && filter_script (script, data->model);
    case VRG_FIGURE_FLOW:
      return data->couplings != NULL && flow_script (script, data->couplings);
    case VRG_FIGURE_COUPLINGS:
      return data->couplings != NULL && couplings_script (script, data->couplings);
    case VRG_FIGURE_EVEN:
      return data->exponents != NULL && exponents_script (script, data->exponents, "even", "thermal exponent y_t", 1);
    case VRG_FIGURE_ODD:
      return data->exponents != NULL
             && exponents_script (script, data->exponents, "odd", "magnetic exponent y_h", 1.875);
    default:
      return false;
    }
}

static void
set_figure (vrg_figure *figure, const char *name, const char *title, const char *caption)
{
  memset (figure, 0, sizeof *figure);
  figure->name = name;
  figure->title = title;
  snprintf (figure->caption, sizeof figure->caption, "%s", caption);
}

static void
describe (vrg_figure figures[VRG_FIGURES], const vrg_report_data *data)
{
  set_figure (
    &figures[VRG_FIGURE_ENERGY], "energy", "Energy per spin",
    "-S/N against the coupling. Where the exact solution for this size is known it is the line, and below are the "
    "deviations in units of the error bar, of which about 95 % should lie in the shaded band.");
  set_figure (&figures[VRG_FIGURE_SPECIFIC_HEAT], "specific-heat", "Specific heat per spin",
              "K² var(S)/N against the coupling, with the exact one and deviations from it where it is known.");
  set_figure (&figures[VRG_FIGURE_MAGNETISATION], "magnetisation", "Magnetisation per spin",
              "⟨|m|⟩ against the coupling. Above the critical temperature it is of the order 1/√N, not zero.");
  set_figure (&figures[VRG_FIGURE_SUSCEPTIBILITY], "susceptibility", "Susceptibility",
              "N (⟨m²⟩ - ⟨|m|⟩²) against the coupling: it peaks near the critical point, the more so the larger the "
              "lattice.");
  set_figure (&figures[VRG_FIGURE_BINDER], "binder", "Binder's ratio",
              "U₄ = 1 - ⟨m⁴⟩/(3⟨m²⟩²) against the coupling: 0 in the disordered, 2/3 in the ordered phase; curves of "
              "different sizes cross near the critical point, in two dimensions for a square torus at 0.6107.");
  set_figure (
    &figures[VRG_FIGURE_XI], "correlation-length", "Correlation length",
    "Second-moment correlation length along the first side, against the coupling. Meaningful where it is well "
    "below the side; in the ordered phase without a field it measures the order instead.");
  set_figure (&figures[VRG_FIGURE_TRAINING], "training", "Training",
              "Reconstruction error (one Gibbs step) and pseudo-likelihood by epoch. Both should have levelled off; "
              "neither says that "
              "the model is right, the exponents do.");
  set_figure (
    &figures[VRG_FIGURE_FILTER], "filter", "Learnt filter",
    "Weights of the learnt block rule (overall sign chosen for a positive sum): orange positive, blue negative, "
    "black frame: the block that the hidden spin stands for. The majority rule would be equal weights inside the frame "
    "and none outside.");
  set_figure (&figures[VRG_FIGURE_FLOW], "flow", "Flow in the plane of the two leading couplings",
              "Each path starts at the sampled couplings and moves one level at an arrow, with all "
              "couplings of the list fitted. A critical start should come to rest at a fixed point, which depends on "
              "the rule; starts below and above run off to zero and to infinity. A path ends where an error exceeds "
              "0.1; points far outside are not shown.");
  set_figure (&figures[VRG_FIGURE_COUPLINGS], "couplings", "Couplings by level",
              "As fitted at the ensemble nearest to criticality. Level 0 must return the input: what was "
              "sampled, all others zero; from then on they should settle.");
  set_figure (&figures[VRG_FIGURE_EVEN], "exponents-even", "Thermal exponent by level",
              "y_t from the stability matrix, between levels n-1 and n, against the exact value 1. With one operator "
              "it comes out 4 to 9 % low for the majority rule: that is the truncation, not noise.");
  set_figure (&figures[VRG_FIGURE_ODD], "exponents-odd", "Magnetic exponent by level",
              "y_h from the odd sector of the stability matrix, between levels n-1 and n, against the exact value "
              "15/8.");
  double nn = vrg_nearest_critical (data->exponents != NULL ? data->exponents : data->couplings);
  if (isfinite (nn) && !vrg_is_critical (nn))
    for (int i = VRG_FIGURE_COUPLINGS; i <= VRG_FIGURE_ODD; i++)
      {
        size_t used = strlen (figures[i].caption);
        snprintf (figures[i].caption + used, sizeof figures[i].caption - used,
                  " No critical ensemble was sampled; shown is K = %.6g, where the exact exponents need not appear.",
                  nn);
      }
}

int
vrg_figures_draw (vrg_report_data *data, vrg_figure figures[VRG_FIGURES])
{
  char path[VRG_PATH_LENGTH];
  bool gnuplot = true;
  describe (figures, data);
  snprintf (path, sizeof path, "%s/figures", data->directory);
  if (mkdir (path, 0777) != 0 && errno != EEXIST)
    return vrg_error (VRG_FILE, "%s: cannot be made: %s", path, strerror (errno));
  for (int i = 0; i < VRG_FIGURES; i++)
    {
      vrg_figure *figure = &figures[i];
      snprintf (path, sizeof path, "%s/figures/%s.svg", data->directory, figure->name);
      unlink (path); /* one of an earlier run */
      FILE *script
        = script_open (data->directory, figure, i == VRG_FIGURE_FILTER ? 560 : 760, i == VRG_FIGURE_FILTER ? 480 : 480);
      snprintf (path, sizeof path, "%s/figures/%s.gp", data->directory, figure->name);
      if (script == NULL)
        return vrg_error (VRG_FILE, "%s: cannot be written: %s", path, strerror (errno));
      bool any = write_script (script, (vrg_figure_index) i, data), bad = ferror (script) != 0;
      if (fclose (script) != 0 || bad)
        return vrg_error (VRG_FILE, "%s: cannot be written: %s", path, strerror (errno));
      if (!any)
        unlink (path);
      if (!any || !gnuplot)
        continue;
      int code = run_gnuplot (data->directory, figure->name);
      figure->drawn = code == 0;
      if (code > 0)
        {
          gnuplot = false;
          vrg_warn ("gnuplot cannot be started (%s): no pictures.  Install it (Debian: gnuplot-nox) and run "
                    "`vrg report %s`",
                    strerror (code), data->directory);
          vrg_report_warn (data, "gnuplot could not be started: this page has tables only.");
        }
      else if (code < 0)
        {
          vrg_warn ("gnuplot failed on %s; see %s/figures/%s.log", path, data->directory, figure->name);
          vrg_report_warn (data, "gnuplot failed on figures/%s.gp: see figures/%s.log.", figure->name, figure->name);
        }
    }
  return VRG_OK;
}
