/* SPDX-License-Identifier: GPL-3.0-or-later
 * Scripts of the pictures of the flow of a machine. */
#include "report/machine-figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/gnuplot.h"

#define FAR 2.0   /* larger couplings are not shown */
#define VAGUE 0.1 /* nor do points with larger errors widen a range */
#define LINES 6
#define NAMED 8 /* starts, at most, that a legend has room for */

static const char grey[] = "#555555";

int
vrg_machine_row (const vrg_table_data *t, const char *nn, int step)
{
  int last = -1;
  for (int row = 0; row < t->rows; row++)
    if (strcmp (vrg_cell_text (t, row, "nn"), nn) == 0)
      {
        if (vrg_cell (t, row, "step") == step)
          return row;
        if (step < 0 && (last < 0 || vrg_cell (t, row, "step") > vrg_cell (t, last, "step")))
          last = row;
      }
  return last;
}

/** Couplings that the flow is compared with. */
typedef struct
{
  double k;
  const char *name;
  int dash;
} line;

static int
by_coupling (const void *a, const void *b)
{
  const double x = ((const line *) a)->k, y = ((const line *) b)->k;
  return (x > y) - (x < y);
}

/** The critical coupling, the specific heat's maximum (the exact one if it is known), fixed points of the first step. */
static int
read_lines (const vrg_report_data *data, line lines[LINES])
{
  const vrg_table_data *t = data->rbm_stationary;
  int n = 0, heat = -1;
  if (isfinite (vrg_critical_of (data)))
    lines[n++] = (line){ vrg_critical_of (data), "K_c", 3 };
  for (int row = 0; t != NULL && row < t->rows; row++)
    {
      const char *quantity = vrg_cell_text (t, row, "quantity"), *source = vrg_cell_text (t, row, "source");
      const double k = vrg_cell (t, row, "value");
      if (isfinite (k) && strcmp (quantity, "specific_heat_maximum") == 0
          && (heat < 0 || strcmp (source, "exact") == 0))
        heat = row;
      if (n < LINES - 1 && isfinite (k) && strncmp (quantity, "fixed_point", 11) == 0
          && strcmp (source, "pseudo_likelihood") == 0 && vrg_cell (t, row, "step") == 1)
        lines[n++]
          = strstr (quantity, "attractive") ? (line){ k, "fixed point", 5 } : (line){ k, "repulsive f. p.", 4 };
    }
  if (heat >= 0)
    lines[n++] = (line){ vrg_cell (t, heat, "value"), "max. specific heat", 2 };
  qsort (lines, (size_t) n, sizeof *lines, by_coupling);
  return n;
}

/** They and their names, which are kept apart; y is the range, and both: upright too. */
static void
put_lines (FILE *script, const vrg_report_data *data, vrg_range y, bool both)
{
  line lines[LINES];
  const int n = read_lines (data, lines);
  const double apart = 0.08 * (y.high - y.low);
  double place[LINES];
  for (int i = 0; i < n; i++)
    place[i] = fmin (fmax (lines[i].k, y.low), y.high);
  for (int pass = 0; pass < 40; pass++)
    for (int i = 1; i < n; i++)
      {
        const double push = 0.5 * fmax (0, apart - (place[i] - place[i - 1]));
        place[i] += push;
        place[i - 1] -= push;
      }
  for (int i = 0; i < n; i++)
    {
      const double k = lines[i].k;
      if (k < y.low || k > y.high)
        continue;
      fprintf (
        script,
        "set arrow %d from graph 0,first %.8g to graph 1,first %.8g nohead dashtype %d linewidth 1.2 linecolor "
        "'%s' back\nset arrow %d from graph 1,first %.8g to graph 1.03,first %.8g nohead linewidth 0.8 linecolor "
        "'%s'\nset label %d '%s' at graph 1.04,first %.8g left textcolor '%s' font ',12'\n",
        10 + i, k, k, lines[i].dash, grey, 20 + i, k, place[i], grey, 10 + i, lines[i].name, place[i], grey);
      if (both)
        fprintf (
          script,
          "set arrow %d from %.8g,graph 0 to %.8g,graph 1 nohead dashtype %d linewidth 1.2 linecolor '%s' back\n",
          30 + i, k, k, lines[i].dash, grey);
    }
}

bool
vrg_machine_steps (FILE *script, const vrg_report_data *data)
{
  const vrg_table_data *t = data->rbm_flow;
  const char *nn[VRG_DISTINCT];
  const int starts = vrg_distinct (t, "nn", nn), steps = vrg_column_max (t, "step");
  vrg_range y_range = { INFINITY, -INFINITY };
  if (steps < 1)
    return false;
  fputs ("$data << END\n# step coupling error, one block a start\n", script);
  for (int k = 0; k < starts; k++)
    {
      for (int row = 0; row < t->rows; row++)
        {
          const double y = vrg_cell (t, row, "coupling"), dy = vrg_cell (t, row, "coupling_err");
          if (strcmp (vrg_cell_text (t, row, "nn"), nn[k]) != 0)
            continue;
          fprintf (script, "%g %.8g %.8g\n", vrg_cell (t, row, "step"), y, vrg_finite (dy));
          if (fabs (y) < FAR && !(dy > VAGUE))
            vrg_range_widen (&y_range, y, dy);
        }
      fputs ("\n\n", script);
    }
  fputs ("END\n", script);
  if (!(y_range.low <= y_range.high))
    return false;
  vrg_gnuplot_range (script, "y", y_range.low, y_range.high);
  fprintf (script,
           "set xrange [%g:%g]\nset rmargin 22\n%s\nset xlabel 'step v → h → v'\n"
           "set ylabel 'coupling inferred (J / k_BT)' offset 0.5\n",
           -0.02 * steps, 1.02 * steps, starts > NAMED ? "unset key" : "set key above left horizontal");
  put_lines (script, data, y_range, false);
  for (int k = 0; k < starts; k++)
    {
      const vrg_gnuplot_style s = vrg_gnuplot_curve (k);
      fprintf (
        script,
        "%s $data index %d using 1:2 with lines dashtype %d linewidth 1.2 linecolor '%s' notitle, \\\n"
        "  $data index %d using 1:2:3 with yerrorbars pointtype %d dashtype 1 pointsize %g linewidth 1.2 linecolor "
        "'%s' notitle, \\\n"
        "  NaN with linespoints pointtype %d dashtype %d pointsize 0.6 linewidth 1.2 linecolor '%s' title 'K = %.6g'",
        k ? ", \\\n " : "plot", k, s.dash, s.colour, k, s.point, starts > 12 || steps > 30 ? 0.4 : 0.6, s.colour,
        s.point, s.dash, s.colour, atof (nn[k]));
    }
  fputs ("\n", script);
  return true;
}

bool
vrg_machine_map (FILE *script, const vrg_report_data *data)
{
  const vrg_table_data *t = data->rbm_flow;
  const char *nn[VRG_DISTINCT];
  const int starts = vrg_distinct (t, "nn", nn), steps = vrg_column_max (t, "step");
  vrg_range range = { INFINITY, -INFINITY };
  int points[2] = { 0 };
  for (int later = 0; later < 2; later++)
    {
      fprintf (script, "$%s << END\n# K, K' after the step, their errors\n", later ? "later" : "first");
      for (int k = 0; k < starts; k++)
        for (int step = later; step < (later ? steps : 1); step++)
          {
            const int a = vrg_machine_row (t, nn[k], step), b = vrg_machine_row (t, nn[k], step + 1);
            if (a < 0 || b < 0)
              continue;
            const double x = later ? vrg_cell (t, a, "coupling") : atof (nn[k]), y = vrg_cell (t, b, "coupling"),
                         dx = later ? vrg_finite (vrg_cell (t, a, "coupling_err")) : 0,
                         dy = vrg_finite (vrg_cell (t, b, "coupling_err"));
            if (!(fabs (x) < FAR) || !(fabs (y) < FAR))
              continue;
            fprintf (script, "%.8g %.8g %.8g %.8g\n", x, y, dx, dy);
            points[later]++;
            vrg_range_widen (&range, x, dx);
            vrg_range_widen (&range, y, dy);
          }
      fputs ("END\n", script);
    }
  if (points[0] < 1)
    return false;
  vrg_gnuplot_range (script, "x", range.low, range.high);
  vrg_gnuplot_range (script, "y", range.low, range.high);
  fputs ("set rmargin 22\nset key below center horizontal\nset xlabel 'coupling K before the step (J / k_BT)'\n"
         "set ylabel 'coupling K'' after it (J / k_BT)' offset 0.5\n",
         script);
  put_lines (script, data, range, true);
  fprintf (script, "plot x with lines linewidth 1.2 linecolor '%s' title 'unchanged'", grey);
  if (points[1] > 0)
    fprintf (script,
             ", \\\n  $later using 1:2:3:4 with xyerrorbars pointtype 6 pointsize 0.5 linewidth 1 linecolor '%s' "
             "title 'later steps, inferred K'",
             vrg_gnuplot_colours[1]);
  fprintf (script,
           ", \\\n  $first using 1:2:3:4 with xyerrorbars pointtype 7 pointsize 0.6 linewidth 1.3 linecolor '%s' "
           "title 'first step, K as sampled'\n",
           vrg_gnuplot_colours[0]);
  return true;
}
