/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow diagram. */
#include "report/flow-diagram.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "flow/migdal.h"
#include "flow/variational.h"
#include "report/gnuplot.h"

#define VAGUE 0.06       /* couplings with larger errors end a path */
#define LOOSE 0.1        /* normals with larger errors, relative, are not shown while there are better ones */
#define LEVELS 16        /* of a path, at most */
#define CROWD 12         /* paths in a panel, at most */
#define NEAR 0.02        /* starts of the recursions below and above the critical one, relative */
#define STEPS 12         /* of the recursions */
#define SMALL 0.03       /* larger errors may reach out of the picture */
#define UNKNOWN_EDGE 1.1 /* largest nn shown where no critical one is known */

static const char grey[] = "#555555", black[] = "#111111";

typedef struct
{
  const char *operator;
  double low[2], high[2]; /* the part of the plane that may be shown: beyond it couplings run away */
  double seen_low[2], seen_high[2];
} plane;

static bool
within (const plane *p, double x, double y)
{
  return x >= p->low[0] && x <= p->high[0] && y >= p->low[1] && y <= p->high[1];
}

static void
see (plane *p, double x, double y)
{
  if (!within (p, x, y))
    return;
  p->seen_low[0] = fmin (p->seen_low[0], x);
  p->seen_high[0] = fmax (p->seen_high[0], x);
  p->seen_low[1] = fmin (p->seen_low[1], y);
  p->seen_high[1] = fmax (p->seen_high[1], y);
}

int
vrg_flow_row (const vrg_table_data *t, const char *nn, const char *rule, int level, const char *operator)
{
  int found = -1;
  for (int row = 0; t != NULL && row < t->rows; row++)
    if ((level < 0 || vrg_cell (t, row, "level") == level)
        && (operator== NULL || strcmp (vrg_cell_text (t, row, "operator"), operator) == 0)
        && (rule == NULL || strcmp (vrg_cell_text (t, row, "rule"), rule) == 0)
        && strcmp (vrg_cell_text (t, row, "nn"), nn) == 0
        && !(found >= 0 && vrg_cell (t, row, "operators") <= vrg_cell (t, found, "operators")))
      found = row;
  return found;
}

int
vrg_flow_surface_level (const vrg_report_data *data, const char *nn, const char *rule, const char *operator)
{
  const vrg_table_data *t = data->surface;
  int best = -1;
  double least = INFINITY;
  for (int level = 1; level <= vrg_column_max (t, "level"); level++)
    {
      const int row = vrg_flow_row (t, nn, rule, level, operator);
      const double normal = row < 0 ? (double) NAN : vrg_cell (t, row, "normal");
      const double error = row < 0 ? (double) NAN : vrg_cell (t, row, "error");
      if (!isfinite (normal) || !(error < fmax (least, LOOSE * fmax (fabs (normal), 0.1))))
        continue;
      best = level;
      least = error;
    }
  return best;
}

/** A point, its errors and the arrow to the next one; one block a path of n points.  seen: they are to be in the
 *  picture. */
static void
put_path (FILE *script, plane *p, int n, double path[][4], bool seen)
{
  for (int i = 0; i < n; i++)
    {
      const bool last = i == n - 1;
      fprintf (script, "%.8g %.8g %.8g %.8g %.8g %.8g\n", path[i][0], path[i][1], path[i][2], path[i][3],
               last ? (double) NAN : path[i + 1][0] - path[i][0], last ? (double) NAN : path[i + 1][1] - path[i][1]);
      for (int side = -1; side <= 1 && seen; side++)
        see (p, path[i][0] + (path[i][2] < SMALL ? side * path[i][2] : 0),
             path[i][1] + (path[i][3] < SMALL ? side * path[i][3] : 0));
    }
  fputs ("\n\n", script);
}

/** Levels of the couplings of a rule and ensemble, as far as they are known. */
static int
read_path (const vrg_table_data *t, const char *nn, const char *rule, const char *operator, double path[][4])
{
  int n = 0;
  for (int level = 0; level <= vrg_column_max (t, "level") && n < LEVELS; level++)
    {
      const int a = vrg_flow_row (t, nn, rule, level, "nn"), b = vrg_flow_row (t, nn, rule, level, operator);
      if (a < 0 || b < 0)
        continue;
      const double x = vrg_cell (t, a, "value"), y = vrg_cell (t, b, "value");
      const double dx = vrg_cell (t, a, "error"), dy = vrg_cell (t, b, "error");
      if (!isfinite (x) || !isfinite (y) || dx > VAGUE || dy > VAGUE)
        break;
      path[n][0] = x;
      path[n][1] = y;
      path[n][2] = isfinite (dx) ? dx : 0;
      path[n++][3] = isfinite (dy) ? dy : 0;
    }
  return n;
}

void
vrg_flow_diagram_prepare (vrg_report_data *data)
{
  vrg_cube cube;
  if (data->couplings == NULL || vrg_dimension_of (data) < 2)
    return;
  vrg_cube_init (&cube, vrg_dimension_of (data));
  if (vrg_variational_fixed_point (&cube, VRG_POINT_NEIGHBOURS, &data->kadanoff[0]))
    data->kadanoff_points = 1 + vrg_variational_fixed_point (&cube, VRG_POINT_PAIRS, &data->kadanoff[1]);
}

/** Kadanoff's recursion: its flow lines from nn alone, with the p of the fixed point where the critical one ends, into
 *  the block $kadanoff, both fixed points into $points.  Number of lines. */
static int
put_kadanoff (FILE *script, plane *p, const vrg_report_data *data)
{
  vrg_cube cube;
  const vrg_variational_point *point = data->kadanoff;
  vrg_variational_level flow[STEPS + 1];
  int other = 0, lines = 0;
  if (data->kadanoff_points == 0)
    return 0;
  vrg_cube_init (&cube, vrg_dimension_of (data));
  for (int a = 1; a < cube.classes; a++)
    if (cube.name[a] != NULL && strcmp (cube.name[a], p->operator) == 0)
      other = a;
  if (other == 0)
    return 0;
  fputs ("$kadanoff << END\n# Kadanoff's variational recursion: like the paths, without errors\n", script);
  for (int i = -1; i <= 1; i++)
    {
      double k[VRG_CUBE_CLASSES] = { 0 }, path[STEPS + 1][4] = { { 0 } };
      int n = 0;
      k[1] = point[0].critical * (1 + NEAR * i);
      vrg_variational_flow (&cube, k, VRG_P_GIVEN, point[0].p, STEPS, flow);
      for (; n <= STEPS && (n == 0 || within (p, path[n - 1][0], path[n - 1][1])); n++)
        {
          path[n][0] = flow[n].k[1];
          path[n][1] = flow[n].k[other];
        }
      put_path (script, p, n, path, i == 0);
      lines++;
    }
  fputs ("END\n$points << END\n# its fixed points\n", script);
  for (int i = 0; i < data->kadanoff_points; i++)
    {
      fprintf (script, "%.8g %.8g\n", point[i].k[1], point[i].k[other]);
      see (p, point[i].k[1], point[i].k[other]);
    }
  fputs ("END\n", script);
  return lines;
}

/** Migdal and Kadanoff's, on the axis of nn, into $migdal; number of lines.  In one dimension it is exact, and starts at
 *  the largest coupling sampled. */
static int
put_migdal (FILE *script, plane *p, int dimension, int scale, double largest, double *fixed)
{
  const bool ring = dimension == 1;
  double eigenvalue, y_t;
  *fixed = NAN;
  if (!ring && !vrg_migdal_fixed_point (dimension, scale, fixed, &eigenvalue, &y_t))
    return 0;
  if (!ring)
    see (p, *fixed, 0);
  fputs (ring ? "$migdal << END\n# exact decimation\n" : "$migdal << END\n# Migdal and Kadanoff's recursion\n", script);
  for (int i = 0; i < (ring ? 1 : 2); i++)
    {
      double k[STEPS + 1], path[STEPS + 1][4] = { { 0 } };
      int n = 0;
      vrg_migdal_flow (dimension, scale, ring ? largest : *fixed * (1 + (i ? 1 : -1) * 2 * NEAR), STEPS, k, NULL, NULL);
      for (; n <= STEPS && (n == 0 || within (p, k[n - 1], 0)); n++)
        path[n][0] = k[n];
      put_path (script, p, n, path, false);
    }
  fputs ("END\n", script);
  return ring ? 1 : 2;
}

/** Which panels there are, and what each has to show. */
typedef struct
{
  const vrg_report_data *data;
  plane p;
  int n_nn, rules;
  const char *nn[VRG_DISTINCT], *rule[VRG_DISTINCT], *critical; /* critical: the nn of the critical ensemble, or NULL */
  int paths, rule_of[VRG_DISTINCT * VRG_DISTINCT];
  int ends, rule_at[VRG_DISTINCT]; /* where critical starts have come: lines of $ends */
  int kadanoff, migdal;            /* lines of the recursions */
  double migdal_point;
} diagram;

/** The rule's own, or every rule's; -1: of all rules. */
static bool
shown (int rule, int which)
{
  return which < 0 || rule == which;
}

/** The critical surface to first order about the critical nn. */
static void
plot_surfaces (FILE *script, const diagram *d, int which)
{
  for (int r = 0; r < d->rules && d->critical != NULL; r++)
    {
      const int level = vrg_flow_surface_level (d->data, d->critical, d->rule[r], d->p.operator);
      if (level < 0 || !shown (r, which))
        continue;
      const int row = vrg_flow_row (d->data->surface, d->critical, d->rule[r], level, d->p.operator);
      const vrg_gnuplot_style s = vrg_gnuplot_rule (d->rule[r]);
      fprintf (script,
               ", \\\n  [t=%.8g:%.8g] '+' using (%.10g-(%.8g)*t):(t) with lines dashtype %d linewidth 1 linecolor '%s' "
               "title 'critical surface%s%s'",
               d->p.seen_low[1] - 1, d->p.seen_high[1] + 1, vrg_critical_of (d->data),
               vrg_cell (d->data->surface, row, "normal"), s.dash, s.colour, which < 0 ? ", " : "",
               which < 0 ? vrg_gnuplot_word (d->rule[r]) : "");
    }
}

/** The couplings of the starts, along the upper edge; named: with their values. */
static void
put_marks (FILE *script, const diagram *d, bool named)
{
  const double critical = vrg_critical_of (d->data), low = d->p.seen_low[0], high = d->p.seen_high[0];
  double last = -INFINITY;
  fputs ("set tmargin 2.5\nset arrow 1 from graph 0,first 0 to graph 1,first 0 nohead linecolor '#999999' linewidth 1 "
         "back\n",
         script);
  if (critical >= low && critical <= high)
    fprintf (script,
             "set arrow 2 from %.10g,graph 0 to %.10g,graph 1 nohead dashtype 3 linewidth 1.2 linecolor '%s' back\n"
             "set label 2 'K_c' at %.10g,graph 1.04 center textcolor '%s' font ',13'\n",
             critical, critical, grey, critical, grey);
  for (int k = 0; k < d->n_nn; k++)
    {
      const double x = atof (d->nn[k]);
      if (x < low || x > high || vrg_is_critical (d->data, x))
        continue;
      fprintf (script, "set arrow %d from %.8g,graph 1 to %.8g,graph 0.98 nohead linewidth 1 linecolor '%s'\n", 10 + k,
               x, x, grey);
      if (!named || fabs (x - critical) < 0.05 * (high - low) || x - last < 0.08 * (high - low))
        continue;
      fprintf (script, "set label %d '%.4g' at %.8g,graph 1.04 center font ',11' textcolor '%s'\n", 10 + k, x, x, grey);
      last = x;
    }
}

/** A panel of one rule, or of all (-1). */
static void
plot_panel (FILE *script, const diagram *d, int which)
{
  bool named[VRG_DISTINCT] = { false };
  fputs ("plot NaN notitle", script);
  for (int i = 0; i < d->paths; i++)
    {
      const int r = d->rule_of[i];
      const vrg_gnuplot_style s = vrg_gnuplot_rule (d->rule[r]);
      if (!shown (r, which))
        continue;
      fprintf (
        script,
        ", \\\n  $path index %d using 1:2:5:6 with vectors head filled size graph 0.014,18 dashtype %d linewidth "
        "1.3 linecolor '%s' notitle, \\\n"
        "  $path index %d using 1:2:3:4 with xyerrorbars pointtype %d dashtype 1 pointsize 0.55 linewidth 1.2 "
        "linecolor '%s' notitle",
        i, s.dash, s.colour, i, s.point, s.colour);
      if (!named[r] && which < 0)
        fprintf (script,
                 ", \\\n  NaN with linespoints pointtype %d dashtype %d pointsize 0.7 linewidth 1.3 linecolor '%s' "
                 "title '%s'",
                 s.point, s.dash, s.colour, vrg_gnuplot_word (d->rule[r]));
      named[r] = true;
    }
  for (int i = 0, first = 1; i < d->ends; i++)
    if (shown (d->rule_at[i], which))
      {
        fprintf (script,
                 ", \\\n  $ends using 1:2 every ::%d::%d with points pointtype 6 pointsize 1.7 linewidth 1.2 linecolor "
                 "'%s' %s",
                 i, i, black, first ? "title 'deepest level from K_c' enhanced" : "notitle");
        first = 0;
      }
  plot_surfaces (script, d, which);
  for (int i = 0; i < d->kadanoff; i++)
    fprintf (script,
             ", \\\n  $kadanoff index %d using 1:2:5:6 with vectors head size graph 0.014,18 dashtype 5 linewidth 1.1 "
             "linecolor '%s' notitle, \\\n  $kadanoff index %d using 1:2 with points pointtype 2 pointsize 0.45 "
             "linecolor '%s' notitle",
             i, black, i, black);
  if (d->kadanoff > 0)
    fprintf (script,
             ", \\\n  NaN with linespoints pointtype 2 dashtype 5 pointsize 0.6 linewidth 1.1 linecolor '%s' "
             "title 'Kadanoff, variational', \\\n"
             "  $points using 1:2 with points pointtype 3 pointsize 1.6 linewidth 1.6 linecolor '%s' "
             "title 'its fixed points'",
             black, black);
  for (int i = 0; i < d->migdal; i++)
    fprintf (
      script,
      ", \\\n  $migdal index %d using 1:2:5:6 with vectors head size graph 0.014,18 linewidth 1.6 linecolor '%s' "
      "notitle, \\\n  $migdal index %d using 1:2 with points pointtype 1 pointsize 0.6 linecolor '%s' notitle",
      i, grey, i, grey);
  if (d->migdal > 0)
    fprintf (script, ", \\\n  NaN with linespoints pointtype 1 pointsize 0.7 linewidth 1.6 linecolor '%s' title '%s'",
             grey, isfinite (d->migdal_point) ? "Migdal-Kadanoff" : "exact decimation");
  if (isfinite (d->migdal_point))
    fprintf (script,
             ", \\\n  '+' using (%.8g):(0) every ::::0 with points pointtype 12 pointsize 1.6 linewidth 1.6 linecolor "
             "'%s' title 'its fixed point'",
             d->migdal_point, grey);
  fputs ("\n", script);
}

/** A panel for each rule, all on the same scales. */
static void
plot_panels (FILE *script, const diagram *d)
{
  const int across = vrg_flow_diagram_across (d->rules), down = (d->rules + across - 1) / across;
  const double width = 0.71 / across, height = 0.85 / down;
  fputs ("set multiplot\nset key at screen 0.995,0.95 right top vertical\n", script);
  for (int r = 0; r < d->rules; r++)
    {
      const int column = r % across, row = r / across;
      const bool left = column == 0, bottom = r + across >= d->rules;
      fprintf (
        script,
        "set lmargin at screen %g\nset rmargin at screen %g\nset tmargin at screen %g\nset bmargin at screen %g\n"
        "set title '%s' noenhanced font ',14' offset 0,0.3\nset format x '%s'\nset format y '%s'\n",
        0.085 + column * width, 0.085 + (column + 0.93) * width, 0.91 - row * height, 0.91 - (row + 0.83) * height,
        vrg_gnuplot_word (d->rule[r]), bottom ? "%g" : "", left ? "%g" : "");
      fprintf (script, bottom ? "set xlabel 'K_{nn} (J / k_BT)'\n" : "unset xlabel\n");
      if (left)
        fprintf (script, "set ylabel 'K_{%s} (J / k_BT)' offset 0.5\n", vrg_gnuplot_word (d->p.operator));
      else
        fputs ("unset ylabel\n", script);
      plot_panel (script, d, r);
      fputs ("unset key\n", script);
    }
  fputs ("unset multiplot\n", script);
}

int
vrg_flow_diagram_across (int rules)
{
  return rules == 2 || rules == 4 ? 2 : 3;
}

bool
vrg_flow_diagram_split (const vrg_report_data *data)
{
  const char *names[VRG_DISTINCT];
  const int rules = vrg_distinct (data->couplings, "rule", names);
  return rules > 1 && rules * vrg_distinct (data->couplings, "nn", names) > CROWD;
}

bool
vrg_flow_diagram (FILE *script, const vrg_report_data *data, const char *operator)
{
  const vrg_table_data *t = data->couplings;
  const double critical = vrg_critical_of (data), unit = isfinite (critical) ? critical : UNKNOWN_EDGE / 1.5;
  diagram d = { .data = data,
                .p = { .operator= operator,
                       .low = { -0.3 * unit, -0.3 * unit },
                       .high = { 1.5 * unit, 0.6 * unit },
                       .seen_low = { INFINITY, -0.005 * unit },
                       .seen_high = { -INFINITY, 0.05 * unit } } };
  double path[LEVELS][4], ends[VRG_DISTINCT][2], largest = 0;
  int points = 0;
  d.n_nn = vrg_distinct (t, "nn", d.nn);
  d.rules = vrg_distinct (t, "rule", d.rule);
  fputs ("$path << END\n# nn and the other coupling, their errors, and the step to the next level; one block a path\n",
         script);
  for (int r = 0; r < d.rules; r++)
    for (int k = 0; k < d.n_nn; k++)
      {
        const int n = read_path (t, d.nn[k], d.rule[r], operator, path);
        largest = fmax (largest, atof (d.nn[k]));
        if (n == 0)
          continue;
        put_path (script, &d.p, n, path, true);
        d.rule_of[d.paths++] = r;
        points += n;
        if (!vrg_is_critical (data, atof (d.nn[k])) || d.ends == VRG_DISTINCT)
          continue;
        d.critical = d.nn[k];
        ends[d.ends][0] = path[n - 1][0];
        ends[d.ends][1] = path[n - 1][1];
        d.rule_at[d.ends++] = r;
      }
  fputs ("END\n", script);
  if (points < 2 || !(d.p.seen_low[0] <= d.p.seen_high[0]))
    return false;
  d.kadanoff = put_kadanoff (script, &d.p, data);
  d.migdal = put_migdal (script, &d.p, vrg_dimension_of (data), vrg_scale_of (data), largest, &d.migdal_point);
  if (d.ends > 0)
    fputs ("$ends << END\n# where the critical starts have come\n", script);
  for (int i = 0; i < d.ends; i++)
    fprintf (script, "%.8g %.8g\n", ends[i][0], ends[i][1]);
  if (d.ends > 0)
    fputs ("END\n", script);
  vrg_gnuplot_range (script, "x", d.p.seen_low[0], d.p.seen_high[0]);
  vrg_gnuplot_range (script, "y", d.p.seen_low[1], d.p.seen_high[1]);
  const bool split = vrg_flow_diagram_split (data);
  put_marks (script, &d, !split);
  if (split)
    {
      plot_panels (script, &d);
      return true;
    }
  fprintf (script,
           "set xlabel 'nearest-neighbour coupling K_{nn} (J / k_BT)'\nset ylabel '%s coupling K_{%s} (J / k_BT)' "
           "offset 0.5\n",
           strcmp (operator, "nnn") == 0 ? "next-nearest" : vrg_gnuplot_word (operator), vrg_gnuplot_word (operator));
  plot_panel (script, &d, -1);
  return true;
}
