/* SPDX-License-Identifier: GPL-3.0-or-later
 * Pictures by gnuplot.  Names from tables enter the scripts through vrg_gnuplot_word() alone, numbers as numbers. */
#include "report/figures.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "lattice/exact.h"
#include "report/gnuplot.h"
#include "report/html.h"
#include "report/thermal.h"
#include "report/training-figures.h"

#define CURVES 64 /* at most, in one picture */
#define VAGUE 0.1 /* couplings with larger errors end a path of the flow */

static const char blue[] = "#0072b2", vermilion[] = "#d55e00", green[] = "#009e73", purple[] = "#aa4499",
                  grey[] = "#555555";
static const char *
rule_colour (const char *rule)
{
  return strcmp (rule, "majority") == 0     ? blue
         : strcmp (rule, "learnt") == 0     ? vermilion
         : strcmp (rule, "decimation") == 0 ? green
                                            : purple;
}

static double
finite_or_0 (double x)
{
  return isfinite (x) ? x : 0;
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
  vrg_gnuplot_range (script, "x", low[0], high[0]);
  vrg_gnuplot_range (script, "y", low[1] - (low[1] > -0.02 ? 0.2 * high[1] : 0),
                     high[1]); /* room for the names below 0 */
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
      fprintf (script, first ? "title '%s'" : "notitle", vrg_gnuplot_word (rules[rule_of[i]]));
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
  vrg_gnuplot_range (script, "y", low, high);
  fputs ("set multiplot\nset tmargin at screen 0.90\nset bmargin at screen 0.15\n"
         "set key at screen 0.995,0.90 right top vertical\n",
         script);
  for (int r = 0; r < n_rules; r++)
    {
      double width = 0.70 / n_rules;
      fprintf (script,
               "set lmargin at screen %g\nset rmargin at screen %g\nset title '%s rule' noenhanced font ',14'\n",
               0.115 + r * width, 0.115 + (r + 0.9) * width, vrg_gnuplot_word (rules[r]));
      fputs (r ? "unset ylabel\nset format y ''\nunset key\nplot 0 with lines linecolor '#999999' notitle"
               : "set ylabel 'coupling' offset 0.5\nplot 0 with lines linecolor '#999999' notitle",
             script);
      for (int a = 0; a < n_names; a++)
        fprintf (script,
                 ", \\\n  $data index %d using ($1+%g):2:3 with yerrorlines pointtype %d pointsize 0.5 linewidth 1.4 "
                 "linecolor '%s' title '%s'",
                 r * n_names + a, 0.02 * (a - 0.5 * (n_names - 1)), 4 + a % 10, vrg_gnuplot_colours[a % 8],
                 vrg_gnuplot_word (names[a]));
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
  vrg_gnuplot_range (script, "y", low, high);
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
        vrg_gnuplot_word (rules[rule_of[i]]), operators_of[i], operators_of[i] == 1 ? "" : "s");
    }
  fputs ("\n", script);
  return true;
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
      return vrg_training_script (script, data, (int) index);
    }
}

void
vrg_figure_set (vrg_figure *figure, const char *name, const char *title, const char *caption)
{
  memset (figure, 0, sizeof *figure);
  snprintf (figure->name, sizeof figure->name, "%s", name);
  snprintf (figure->title, sizeof figure->title, "%s", title);
  snprintf (figure->caption, sizeof figure->caption, "%s", caption);
  figure->width = 760;
  figure->height = 480;
}

static void
put_figure (FILE *page, const vrg_report_data *data, const vrg_figure *f)
{
  char path[VRG_PATH_LENGTH];
  snprintf (path, sizeof path, "%s/figures/%s.svg", data->directory, f->name);
  if (!f->drawn)
    return;
  fputs ("<figure>", page);
  vrg_html_svg (page, path, f->title);
  fputs ("<figcaption>", page);
  vrg_html_element (page, "strong", "%s.", f->title);
  vrg_html_text (page, f->caption);
  fputs ("</figcaption>", page);
  fputs ("</figure>\n", page);
}

void
vrg_figures_show (FILE *page, const vrg_report_data *data, const vrg_figure *all, int n, const int *which)
{
  bool any = false;
  for (int i = 0; i < n; i++)
    any = any || all[which[i]].drawn;
  if (!any)
    return;
  fputs ("<div class=\"figures\">\n", page);
  for (int i = 0; i < n; i++)
    put_figure (page, data, &all[which[i]]);
  fputs ("</div>\n", page);
}

static void
describe (vrg_figure figures[VRG_FIGURES], const vrg_report_data *data)
{
  vrg_figure_set (
    &figures[VRG_FIGURE_ENERGY], "energy", "Energy per spin",
    "-S/N against the coupling. Where the exact solution for this size is known it is the line, and below are the "
    "deviations in units of the error bar, of which about 95 % should lie in the shaded band.");
  vrg_figure_set (&figures[VRG_FIGURE_SPECIFIC_HEAT], "specific-heat", "Specific heat per spin",
                  "K² var(S)/N against the coupling, with the exact one and deviations from it where it is known.");
  vrg_figure_set (&figures[VRG_FIGURE_MAGNETISATION], "magnetisation", "Magnetisation per spin",
                  "⟨|m|⟩ against the coupling. Above the critical temperature it is of the order 1/√N, not zero.");
  vrg_figure_set (
    &figures[VRG_FIGURE_SUSCEPTIBILITY], "susceptibility", "Susceptibility",
    "N (⟨m²⟩ - ⟨|m|⟩²) against the coupling: it peaks near the critical point, the more so the larger the "
    "lattice.");
  vrg_figure_set (
    &figures[VRG_FIGURE_BINDER], "binder", "Binder's ratio",
    "U₄ = 1 - ⟨m⁴⟩/(3⟨m²⟩²) against the coupling: 0 in the disordered, 2/3 in the ordered phase; curves of "
    "different sizes cross near the critical point, in two dimensions for a square torus at 0.6107.");
  vrg_figure_set (
    &figures[VRG_FIGURE_XI], "correlation-length", "Correlation length",
    "Second-moment correlation length along the first side, against the coupling. Meaningful where it is well "
    "below the side; in the ordered phase without a field it measures the order instead.");
  vrg_training_describe (figures, data);
  vrg_figure_set (
    &figures[VRG_FIGURE_FLOW], "flow", "Flow in the plane of the two leading couplings",
    "Each path starts at the sampled couplings and moves one level at an arrow, with all "
    "couplings of the list fitted. A critical start should come to rest at a fixed point, which depends on "
    "the rule; starts below and above run off to zero and to infinity. A path ends where an error exceeds "
    "0.1; points far outside are not shown.");
  vrg_figure_set (&figures[VRG_FIGURE_COUPLINGS], "couplings", "Couplings by level",
                  "As fitted at the ensemble nearest to criticality. Level 0 must return the input: what was "
                  "sampled, all others zero; from then on they should settle.");
  vrg_figure_set (
    &figures[VRG_FIGURE_EVEN], "exponents-even", "Thermal exponent by level",
    "y_t from the stability matrix, between levels n-1 and n, against the exact value 1. With one operator "
    "it comes out 4 to 9 % low for the majority rule: that is the truncation, not noise.");
  vrg_figure_set (&figures[VRG_FIGURE_ODD], "exponents-odd", "Magnetic exponent by level",
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
      FILE *script = vrg_gnuplot_open (data->directory, figure->name, figure->title, figure->width, figure->height);
      snprintf (path, sizeof path, "%s/figures/%s.gp", data->directory, figure->name);
      if (script == NULL)
        return vrg_error (VRG_FILE, "%s: cannot be written: %s", path, strerror (errno));
      bool any = write_script (script, (vrg_figure_index) i, data), bad = ferror (script) != 0;
      if (fclose (script) != 0 || bad)
        return vrg_error (VRG_FILE, "%s: cannot be written: %s", path, strerror (errno));
      figure->written = any;
      if (!any)
        unlink (path);
      if (!any || !gnuplot)
        continue;
      int code = vrg_gnuplot_run (data->directory, figure->name);
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
