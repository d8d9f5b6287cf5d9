/* SPDX-License-Identifier: GPL-3.0-or-later
 * Scripts of the pictures of the flow: couplings, exponents, matching. */
#include "report/flow-figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/flow-diagram.h"
#include "report/gnuplot.h"
#include "report/machine-figures.h"

#define VAGUE 0.1       /* points with larger errors do not widen a range */
#define WIDE_COUPLING 1 /* nor do points farther away */
#define WIDE_EXPONENT 0.5
#define WIDE_MATCHING 0.05

static const char grey[] = "#555555";

const char *
vrg_flow_critical (const vrg_report_data *data, const vrg_table_data *t)
{
  const char *nn[VRG_DISTINCT];
  const int n = vrg_distinct (t, "nn", nn);
  const double nearest = vrg_nearest_critical (data, t);
  for (int k = 0; k < n; k++)
    if (atof (nn[k]) == nearest)
      return nn[k];
  return NULL;
}

/** `count` panels side by side of one height with the same y, the legend to their right. */
static void
panels_begin (FILE *script)
{
  fputs ("set multiplot\nset tmargin at screen 0.89\nset bmargin at screen 0.195\n"
         "set key at screen 0.995,0.90 right top vertical\n",
         script);
}

static void
panel (FILE *script, int i, int count, const char *title, const char *label)
{
  /* a single panel's picture is narrower: labels and legend take more of it */
  const double left = count > 1 ? 0.14 : 0.19, right = count > 1 ? 0.81 : 0.68;
  const double width = (right - left) / count;
  fprintf (script, "set lmargin at screen %g\nset rmargin at screen %g\nset title '%s' noenhanced font ',14'\n",
           left + i * width, left + (i + 0.92) * width, title);
  if (i == 0)
    fprintf (script, "set ylabel '%s' offset 0.5\n", label);
  else
    fputs ("unset ylabel\nset format y ''\nunset key\n", script);
}

/** A curve of $data with error bars, moved a little to the side so that bars do not hide each other; with its line in the
 *  legend. */
static void
put_curve (FILE *script, int block, double shift, vrg_gnuplot_style s, double size, double width, const char *title)
{
  fprintf (script,
           ", \\\n  $data index %d using ($1+%g):2 with lines dashtype %d linewidth %g linecolor '%s' notitle, "
           "\\\n  $data index %d using ($1+%g):2:3 with yerrorbars pointtype %d dashtype 1 pointsize %g "
           "linewidth %g linecolor '%s' notitle, \\\n"
           "  NaN with linespoints pointtype %d dashtype %d pointsize %g linewidth %g linecolor '%s' title '%s'",
           block, shift, s.dash, width, s.colour, block, shift, s.point, size, width, s.colour, s.point, s.dash, size,
           width, s.colour, vrg_gnuplot_word (title));
}

/** A column against the level at the ensemble nearest to criticality, one panel a rule, a curve for each operator; of
 *  derivatives, over b^(level y_t). */
static bool
levels_script (FILE *script, const vrg_report_data *data, vrg_figure_index index)
{
  const bool slope = index == VRG_FIGURE_DERIVATIVES;
  const vrg_table_data *t = slope ? data->derivatives : data->couplings;
  const char *rules[VRG_DISTINCT], *names[VRG_DISTINCT], *here = vrg_flow_critical (data, t);
  const int n_rules = vrg_distinct (t, "rule", rules), n_names = vrg_distinct (t, "operator", names),
            levels = vrg_column_max (t, "level");
  const double y_t = vrg_finite (vrg_exponent_of (data, false)), b = vrg_scale_of (data);
  int rows = 0;
  vrg_range y_range = { 0, 0 };
  if (here == NULL || levels < 1)
    return false;
  fprintf (script, "$data << END\n# level %s error, one block a rule and operator\n",
           slope ? "scaled derivative" : "coupling");
  for (int r = 0; r < n_rules; r++)
    for (int a = 0; a < n_names; a++)
      {
        for (int level = 0; level <= levels; level++)
          {
            const int row = vrg_flow_row (t, here, rules[r], level, names[a]);
            const double scale = slope ? pow (b, -y_t * level) : 1;
            const double y = row < 0 ? (double) NAN : scale * vrg_cell (t, row, slope ? "derivative" : "value"),
                         dy = row < 0 ? (double) NAN : scale * vrg_cell (t, row, "error");
            fprintf (script, "%d %.8g %.8g\n", level, y, vrg_finite (dy));
            rows += isfinite (y);
            if (fabs (y) < (slope ? 100 : WIDE_COUPLING) && !(dy > VAGUE))
              vrg_range_widen (&y_range, y, dy);
          }
        fputs ("\n\n", script);
      }
  fprintf (script, "END\nset xrange [%g:%g]\nset xtics 1\nset xlabel 'level'\n", slope ? 0.7 : -0.3, levels + 0.3);
  vrg_gnuplot_range (script, "y", y_range.low, y_range.high);
  panels_begin (script);
  for (int r = 0; r < n_rules; r++)
    {
      char label[96];
      if (slope && y_t > 0)
        snprintf (label, sizeof label,
                  y_t == 1 ? "dK_a^{(n)} / dK_{nn}^{(0)} × %g^{-n}" : "dK_a^{(n)} / dK_{nn}^{(0)} × %g^{-%.6gn}", b,
                  y_t);
      else
        snprintf (label, sizeof label, slope ? "dK_a^{(n)} / dK_{nn}^{(0)}" : "coupling (J / k_BT)");
      panel (script, r, n_rules, vrg_gnuplot_word (rules[r]), label);
      fputs ("plot 0 with lines linecolor '#999999' notitle", script);
      for (int a = 0; a < n_names; a++)
        {
          const vrg_gnuplot_style s = vrg_gnuplot_curve (a);
          const double shift = 0.02 * (a - 0.5 * (n_names - 1));
          put_curve (script, r * n_names + a, shift, s, 0.55, 1.2, names[a]);
        }
      fputs ("\n", script);
    }
  fputs ("unset multiplot\n", script);
  return rows > 1;
}

/* ---- exponents ---- */

int
vrg_flow_exponent (const vrg_table_data *t, const char *nn, const char *rule, int level, bool odd, int operators)
{
  const char *sector = odd ? "odd" : "even";
  int found = -1;
  for (int row = 0; row < t->rows; row++)
    if (vrg_cell (t, row, "level") == level && strcmp (vrg_cell_text (t, row, "sector"), sector) == 0
        && strcmp (vrg_cell_text (t, row, "rule"), rule) == 0 && strcmp (vrg_cell_text (t, row, "nn"), nn) == 0
        && (operators == 0 ? isfinite (vrg_cell (t, row, "y"))
                               && !(found >= 0 && vrg_cell (t, row, "operators") < vrg_cell (t, found, "operators"))
                           : vrg_cell (t, row, "operators") == operators))
      found = row;
  return found;
}

/** Largest number of operators of a sector. */
static int
most_operators (const vrg_table_data *t, bool odd)
{
  const char *sector = odd ? "odd" : "even";
  int most = 0;
  for (int row = 0; row < t->rows; row++)
    {
      const double n = vrg_cell (t, row, "operators");
      if (strcmp (vrg_cell_text (t, row, "sector"), sector) == 0 && n > most && n <= VRG_MAX_OPERATORS)
        most = (int) n;
    }
  return most;
}

/** One point of a curve; 1 if there is one. */
static int
put_exponent (FILE *script, const vrg_table_data *t, int row, int x, double reference, vrg_range *y_range)
{
  const double y = row < 0 ? (double) NAN : vrg_cell (t, row, "y"),
               dy = row < 0 ? (double) NAN : vrg_cell (t, row, "error");
  fprintf (script, "%d %.8g %.8g\n", x, y, vrg_finite (dy));
  if (!(fabs (y - (isfinite (reference) ? reference : 1)) > WIDE_EXPONENT) && !(dy > VAGUE) && isfinite (y))
    vrg_range_widen (y_range, y, dy);
  return isfinite (y);
}

static void
plot_reference (FILE *script, const vrg_report_data *data, double reference)
{
  if (isfinite (reference))
    fprintf (script, "plot %.10g with lines linewidth 2 dashtype 1 linecolor '%s' title '%s %.5g'", reference, grey,
             vrg_dimension_of (data) == 2 ? "exact:" : "literature:", reference);
  else
    fputs ("plot NaN notitle", script);
}

static const char *
exponent_label (bool odd)
{
  return odd ? "magnetic exponent y_h" : "thermal exponent y_t";
}

/** With all operators, by level: a curve for each rule. */
static bool
exponents_script (FILE *script, const vrg_report_data *data, bool odd)
{
  const vrg_table_data *t = data->exponents;
  const char *rules[VRG_DISTINCT], *here = vrg_flow_critical (data, t);
  const double reference = vrg_exponent_of (data, odd);
  const int n_rules = vrg_distinct (t, "rule", rules), levels = vrg_column_max (t, "level");
  vrg_range y_range = { isfinite (reference) ? reference : INFINITY, isfinite (reference) ? reference : -INFINITY };
  int points = 0;
  if (here == NULL)
    return false;
  fputs ("$data << END\n# level y error, one block a rule\n", script);
  for (int r = 0; r < n_rules; r++)
    {
      for (int level = 1; level <= levels; level++)
        points
          += put_exponent (script, t, vrg_flow_exponent (t, here, rules[r], level, odd, 0), level, reference, &y_range);
      fputs ("\n\n", script);
    }
  if (points == 0)
    return false;
  fprintf (script,
           "END\nset xrange [0.6:%g]\nset xtics 1\nset xlabel 'level n (map from n-1 to n)'\n"
           "set ylabel '%s' offset 0.5\n",
           levels + 0.4, exponent_label (odd));
  if (y_range.low <= y_range.high)
    vrg_gnuplot_range (script, "y", y_range.low, y_range.high);
  plot_reference (script, data, reference);
  for (int r = 0; r < n_rules; r++)
    {
      const vrg_gnuplot_style s = vrg_gnuplot_rule (rules[r]);
      const double shift = 0.05 * (r - 0.5 * (n_rules - 1));
      put_curve (script, r, shift, s, 0.7, 1.4, rules[r]);
    }
  fputs ("\n", script);
  return true;
}

/** By number of operators: a panel for each rule, a curve for each level. */
static bool
operators_script (FILE *script, const vrg_report_data *data, bool odd)
{
  const vrg_table_data *t = data->exponents;
  const char *rules[VRG_DISTINCT], *here = vrg_flow_critical (data, t);
  const double reference = vrg_exponent_of (data, odd);
  const int n_rules = vrg_distinct (t, "rule", rules), levels = vrg_column_max (t, "level");
  vrg_range y_range = { isfinite (reference) ? reference : INFINITY, isfinite (reference) ? reference : -INFINITY };
  if (here == NULL)
    return false;
  const int most = most_operators (t, odd);
  int points = 0;
  fputs ("$data << END\n# operators y error, one block a rule and level\n", script);
  for (int r = 0; r < n_rules; r++)
    for (int level = 1; level <= levels; level++)
      {
        for (int n = 1; n <= most; n++)
          {
            const int row = vrg_flow_exponent (t, here, rules[r], level, odd, n);
            if (row >= 0)
              points += put_exponent (script, t, row, n, reference, &y_range);
          }
        fputs ("\n\n", script);
      }
  if (points == 0 || most < 2)
    return false;
  fprintf (script, "END\nset xrange [0.4:%g]\nset xtics %d\nset xlabel 'operators'\n", most + 0.6, most > 8 ? 3 : 1);
  if (y_range.low <= y_range.high)
    vrg_gnuplot_range (script, "y", y_range.low, y_range.high);
  panels_begin (script);
  for (int r = 0; r < n_rules; r++)
    {
      panel (script, r, n_rules, vrg_gnuplot_word (rules[r]), exponent_label (odd));
      plot_reference (script, data, reference);
      for (int level = 1; level <= levels; level++)
        {
          const vrg_gnuplot_style s = vrg_gnuplot_curve (level - 1);
          const double shift = 0.06 * (level - 0.5 * (levels + 1));
          char title[32];
          snprintf (title, sizeof title, "level %d", level);
          put_curve (script, r * levels + level - 1, shift, s, 0.55, 1.2, title);
        }
      fputs ("\n", script);
    }
  fputs ("unset multiplot\n", script);
  return true;
}

/* ---- matching ---- */

/** The critical nn from matching two lattices, by level: a curve for each pair and operator. */
static bool
matching_script (FILE *script, const vrg_report_data *data)
{
  const vrg_table_data *t = data->matching;
  const char *large[VRG_DISTINCT], *small[VRG_DISTINCT], *names[VRG_DISTINCT];
  const int n_large = vrg_distinct (t, "size", large), n_small = vrg_distinct (t, "small", small),
            n_names = vrg_distinct (t, "operator", names), levels = vrg_column_max (t, "level");
  const double critical = vrg_critical_of (data);
  vrg_range y_range
    = { isfinite (critical) ? 0.998 * critical : INFINITY, isfinite (critical) ? 1.002 * critical : -INFINITY };
  char title[VRG_DISTINCT][80];
  int curves = 0;
  if (levels < 0)
    return false;
  fputs ("$data << END\n# level nn error, one block a pair of sizes and operator\n", script);
  for (int i = 0; i < n_large * n_small * n_names && curves < VRG_DISTINCT; i++)
    {
      const int l = i / (n_small * n_names), s = i / n_names % n_small, a = i % n_names;
      int points = 0;
      for (int row = 0; row < t->rows; row++)
        {
          const double y = vrg_cell (t, row, "nn_estimate"), dy = vrg_cell (t, row, "error");
          if (strcmp (vrg_cell_text (t, row, "size"), large[l]) != 0
              || strcmp (vrg_cell_text (t, row, "small"), small[s]) != 0
              || strcmp (vrg_cell_text (t, row, "operator"), names[a]) != 0 || !isfinite (y))
            continue;
          fprintf (script, "%g %.10g %.8g\n", vrg_cell (t, row, "level"), y, vrg_finite (dy));
          points++;
          if (!(fabs (y - critical) > WIDE_MATCHING) && !(dy > WIDE_MATCHING))
            vrg_range_widen (&y_range, y, dy);
        }
      if (points == 0)
        continue;
      fputs ("\n\n", script);
      snprintf (title[curves], sizeof title[0], "%s and %s, %s", vrg_gnuplot_word (large[l]),
                vrg_gnuplot_word (small[s]), vrg_gnuplot_word (names[a]));
      curves++;
    }
  if (curves == 0 || !(y_range.low <= y_range.high))
    return false;
  fprintf (script,
           "END\nset xrange [0.6:%g]\nset xtics 1\nset xlabel 'level n of the larger lattice'\n"
           "set ylabel 'critical coupling K_c, estimated (J / k_BT)' offset -0.5\nset lmargin 12\n",
           levels + 0.4);
  vrg_gnuplot_range (script, "y", y_range.low, y_range.high);
  if (isfinite (critical))
    fprintf (script,
             "set object 1 rectangle from graph 0,first %.10g to graph 1,first %.10g behind fillcolor '#e9edf2' "
             "fillstyle solid noborder\n"
             "plot %.10g with lines linewidth 1.6 linecolor '%s' title 'K_c, known' enhanced",
             0.999 * critical, 1.001 * critical, critical, grey);
  else
    fputs ("plot NaN notitle", script);
  for (int i = 0; i < curves; i++)
    {
      const vrg_gnuplot_style s = vrg_gnuplot_curve (i);
      const double shift = 0.04 * (i - 0.5 * (curves - 1));
      put_curve (script, i, shift, s, 0.6, 1.2, title[i]);
    }
  fputs ("\n", script);
  return true;
}

bool
vrg_flow_script (FILE *script, const vrg_report_data *data, int index)
{
  switch (index)
    {
    case VRG_FIGURE_FLOW:
      return vrg_flow_diagram (script, data, "nnn");
    case VRG_FIGURE_FLOW_PLAQUETTE:
      return vrg_flow_diagram (script, data, "plaquette");
    case VRG_FIGURE_COUPLINGS:
    case VRG_FIGURE_DERIVATIVES:
      return levels_script (script, data, (vrg_figure_index) index);
    case VRG_FIGURE_EVEN:
    case VRG_FIGURE_ODD:
      return exponents_script (script, data, index == VRG_FIGURE_ODD);
    case VRG_FIGURE_EVEN_OPERATORS:
    case VRG_FIGURE_ODD_OPERATORS:
      return operators_script (script, data, index == VRG_FIGURE_ODD_OPERATORS);
    case VRG_FIGURE_MATCHING:
      return matching_script (script, data);
    case VRG_FIGURE_RBM_FLOW:
      return vrg_machine_steps (script, data);
    case VRG_FIGURE_RBM_MAP:
      return vrg_machine_map (script, data);
    default:
      return false;
    }
}

/* ---- captions ---- */

/** The ensemble that pictures at one coupling show, unless it is critical. */
static void
say_where (vrg_figure *figure, const vrg_report_data *data, const vrg_table_data *t)
{
  const double nn = vrg_nearest_critical (data, t);
  const size_t used = strlen (figure->caption);
  if (isfinite (nn) && !vrg_is_critical (data, nn))
    snprintf (figure->caption + used, sizeof figure->caption - used,
              " No critical ensemble was sampled; shown is $K$ = %.6g, where critical exponents need not appear.", nn);
}

/** More room for more panels. */
static void
set_panels (vrg_figure *figure, const vrg_table_data *t)
{
  const char *rules[VRG_DISTINCT];
  const int n = vrg_distinct (t, "rule", rules);
  figure->width = n > 3 ? 190 * (n + 1) : n > 1 ? 760 : VRG_FIGURE_WIDTH;
}

void
vrg_flow_describe (vrg_figure figures[VRG_FIGURES], const vrg_report_data *data)
{
  char caption[1024];
  const char *names[VRG_DISTINCT];
  const int dimension = vrg_dimension_of (data);
  static const char diagram[]
    = "Each path starts at the sampled couplings; each arrow is one level, with all couplings of the list fitted. "
      "Compare: critical starts should come to rest at a fixed point, which depends on the rule (open circles: deepest "
      "level reached), starts below and above run off to zero and to infinity. %s A path ends where an error exceeds "
      "0.06; points far outside are not shown.";
  static const char beside[]
    = "Beside them Kadanoff's variational recursion ($b$ = 2) at its critical nn and 2 %% below and above, with its "
      "fixed "
      "points, the recursion of Migdal and Kadanoff, which stays on the axis, and the critical surface to first order "
      "about $K_c$: it belongs to the model, so all rules must give the same line%s.";
  static const char ring[] = "Beside them exact decimation, which stays on the axis: no start is critical.";
  for (int i = 0; i < 2; i++)
    {
      char text[512];
      snprintf (text, sizeof text, beside,
                dimension == 2 && i == 0 ? ", $K_{nn} + √2 K_{nnn} = K_c$ by the exact correlations" : "");
      snprintf (caption, sizeof caption, diagram, dimension == 1 ? ring : text);
      vrg_figure_set (&figures[i ? VRG_FIGURE_FLOW_PLAQUETTE : VRG_FIGURE_FLOW], i ? "flow-plaquette" : "flow",
                      i ? "Flow in the plane of nn and plaquette" : "Flow in the plane of nn and nnn", caption);
      const int rules = vrg_distinct (data->couplings, "rule", names), across = vrg_flow_diagram_across (rules);
      const bool split = vrg_flow_diagram_split (data);
      figures[i ? VRG_FIGURE_FLOW_PLAQUETTE : VRG_FIGURE_FLOW].width = split ? 300 * (across + 1) : 900;
      figures[i ? VRG_FIGURE_FLOW_PLAQUETTE : VRG_FIGURE_FLOW].height
        = split && rules > across ? 380 * ((rules + across - 1) / across) : 560;
    }
  vrg_figure_set (
    &figures[VRG_FIGURE_COUPLINGS], "couplings", "Couplings by level",
    "As fitted at the ensemble nearest to criticality, a panel for each rule. Compare: level 0 must return "
    "the input, that is what was sampled, all others zero; from then on they should settle.");
  vrg_figure_set (
    &figures[VRG_FIGURE_DERIVATIVES], "derivatives", "Derivatives of the flow by level",
    isfinite (vrg_exponent_of (data, false))
      ? "$dK_a^{(n)}/dK_{nn}^{(0)}$, the change of the couplings of level $n$ with the nn that is sampled, over $b^{n "
        "y_t}$ with the "
        "known $y_t$, at the ensemble nearest to criticality. Compare: constant from the level on where the leading "
        "exponent rules."
      : "$dK_a^{(n)}/dK_{nn}^{(0)}$, the change of the couplings of level $n$ with the nn that is sampled. Compare: in "
        "one "
        "dimension "
        "nn tends to zero as the lattice gets coarser.");
  const char *known = dimension == 2   ? "the exact value"
                      : dimension == 3 ? "the value of the conformal bootstrap"
                                       : "(there is no critical point at finite coupling)";
  for (int odd = 0; odd < 2; odd++)
    {
      snprintf (
        caption, sizeof caption,
        "%s from the stability matrix between levels $n-1$ and $n$, of every rule with as many operators as could "
        "be used. Compare: %s%s.",
        odd ? "$y_h$, odd sector," : "$y_t$, even sector,", known, dimension == 2 ? odd ? " 15/8" : " 1" : "");
      vrg_figure_set (&figures[odd ? VRG_FIGURE_ODD : VRG_FIGURE_EVEN], odd ? "exponents-odd" : "exponents-even",
                      odd ? "Magnetic exponent by level" : "Thermal exponent by level", caption);
      snprintf (caption, sizeof caption,
                "The same by the number of operators, the first ones of the list, a panel for each rule. Compare: "
                "adding operators should eventually change nothing.%s",
                odd || dimension != 2 ? ""
                                      : " With one operator the majority rule comes out 4 to 9 % low: that is the "
                                        "truncation, not noise.");
      vrg_figure_set (
        &figures[odd ? VRG_FIGURE_ODD_OPERATORS : VRG_FIGURE_EVEN_OPERATORS], odd ? "operators-odd" : "operators-even",
        odd ? "Magnetic exponent by number of operators" : "Thermal exponent by number of operators", caption);
      set_panels (&figures[odd ? VRG_FIGURE_ODD_OPERATORS : VRG_FIGURE_EVEN_OPERATORS], data->exponents);
    }
  vrg_figure_set (
    &figures[VRG_FIGURE_MATCHING], "matching", "Critical coupling from matching two lattices",
    "The nn at which operators on level $n$ of the larger lattice equal those on level $n-1$ of the smaller "
    "one, where both have the same sides. Compare: from level 3 on the known critical coupling, within "
    "0.1 % (shaded); level 1 is off by about 1 %, level 2 by 0.1 %.");
  vrg_figure_set (
    &figures[VRG_FIGURE_RBM_FLOW], "rbm-flow", "Flow of the machine v → h → v",
    "Coupling inferred from the spins after so many steps $v → h → v$ of the first layer, started from samples at each "
    "coupling (step 0: it must be returned). Compare: where the curves meet is the stationary point of the machine; "
    "beside it the fixed points of the first step, the critical coupling and where the specific heat of this lattice "
    "is "
    "largest.");
  vrg_figure_set (
    &figures[VRG_FIGURE_RBM_MAP], "rbm-map", "One step of the machine: K' against K",
    "Coupling after a step $v → h → v$ against the one before it. Compare: the diagonal, where a step "
    "changes nothing; the flow goes up where points lie above it, and comes to rest where they cross it "
    "with a slope below 1. Later steps lie on the same curve only if the coupling alone tells what a step "
    "does.");
  figures[VRG_FIGURE_RBM_FLOW].width = figures[VRG_FIGURE_RBM_MAP].width = 720;
  figures[VRG_FIGURE_RBM_MAP].height = 500;
  set_panels (&figures[VRG_FIGURE_COUPLINGS], data->couplings);
  set_panels (&figures[VRG_FIGURE_DERIVATIVES], data->derivatives);
  say_where (&figures[VRG_FIGURE_COUPLINGS], data, data->couplings);
  say_where (&figures[VRG_FIGURE_DERIVATIVES], data, data->derivatives);
  for (int i = VRG_FIGURE_EVEN; i <= VRG_FIGURE_ODD_OPERATORS; i++)
    say_where (&figures[i], data, data->exponents);
}
