/* SPDX-License-Identifier: GPL-3.0-or-later
 * The page's sections on the flow. */
#include "report/flow.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/flow-diagram.h"
#include "report/flow-figures.h"
#include "report/html.h"
#include "report/machine-figures.h"

#define EIGENVALUES 5 /* shown of a sector */

static void
put_cell (FILE *page, const vrg_table_data *t, int row, const char *value, const char *error)
{
  vrg_html_value_cell (page, row < 0 ? (double) NAN : vrg_cell (t, row, value),
                       row < 0 ? (double) NAN : vrg_cell (t, row, error));
}

static bool
same (const vrg_table_data *t, int row, int other, const char *column)
{
  return strcmp (vrg_cell_text (t, row, column), vrg_cell_text (t, other, column)) == 0;
}

/** The name of FILE without its ending, for the table's id. */
static const char *
stem (const char *file, char name[32])
{
  snprintf (name, 32, "%.*s", (int) strcspn (file, "."), file);
  return name;
}

/** Rows keyed by nn, rule and level; a column for each text of `column` that occurs; value(error) inside.  here: this nn
 *  only, NULL for all.  Where a cell has several rows, the one with the most operators that has a number. */
static void
pivot (FILE *page, const vrg_table_data *t, const char *file, const char *caption, const char *column,
       const char *value, const char *here)
{
  const char *names[VRG_DISTINCT];
  char name[32];
  const int columns = vrg_distinct (t, column, names);
  int n_rows = 0, *first = vrg_new (t->rows, sizeof *first, "rows of the report");
  int *cell = vrg_new ((int64_t) t->rows * columns, sizeof *cell, "cells of the report");
  for (int row = 0; row < t->rows; row++)
    {
      int r = 0, c = 0;
      while (c < columns && strcmp (names[c], vrg_cell_text (t, row, column)) != 0)
        c++;
      if (c == columns || (here != NULL && strcmp (vrg_cell_text (t, row, "nn"), here) != 0))
        continue;
      while (r < n_rows
             && !(same (t, first[r], row, "level") && same (t, first[r], row, "rule") && same (t, first[r], row, "nn")))
        r++;
      if (r == n_rows)
        {
          first[n_rows++] = row;
          for (int i = 0; i < columns; i++)
            cell[r * columns + i] = -1;
        }
      int *best = &cell[r * columns + c];
      if (*best < 0
          || (isfinite (vrg_cell (t, row, value)) && vrg_cell (t, row, "operators") > vrg_cell (t, *best, "operators")))
        *best = row;
    }
  vrg_html_table_begin (page, stem (file, name), n_rows, caption, file);
  fputs ("<thead><tr>", page);
  vrg_html_rich_element (page, "th scope=\"col\"", "$K$");
  vrg_html_element (page, "th scope=\"col\"", "rule");
  vrg_html_element (page, "th scope=\"col\"", "level");
  for (int c = 0; c < columns; c++)
    vrg_html_element (page, "th scope=\"col\"", "%s", names[c]);
  fputs ("</tr></thead><tbody>\n", page);
  for (int r = 0; r < n_rows; r++)
    {
      fputs ("<tr>", page);
      vrg_html_element (page, "td", "%.6g", vrg_cell (t, first[r], "nn"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, first[r], "rule"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, first[r], "level"));
      for (int c = 0; c < columns; c++)
        put_cell (page, t, cell[r * columns + c], value, "error");
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
  vrg_free (first);
  vrg_free (cell);
}

/** Fits with all operators at the ensemble nearest to criticality, and how many elsewhere are not to be trusted. */
static void
fit_table (FILE *page, const vrg_report_data *data)
{
  const vrg_table_data *t = data->fit;
  const char *nn[VRG_DISTINCT], *rules[VRG_DISTINCT], *here = vrg_flow_critical (data, t);
  const int n_nn = vrg_distinct (t, "nn", nn), n_rules = vrg_distinct (t, "rule", rules),
            levels = vrg_column_max (t, "level");
  int fits = 0, outside = 0;
  char caption[768];
  if (here == NULL)
    return;
  for (int k = 0; k < n_nn; k++)
    for (int r = 0; r < n_rules; r++)
      for (int level = 0; level <= levels; level++)
        {
          const int row = vrg_flow_row (t, nn[k], rules[r], level, NULL);
          fits += row >= 0;
          outside += row >= 0 && !(vrg_cell (t, row, "inside") > 0.5);
        }
  snprintf (caption, sizeof caption,
            "Quality of the fits at $K$ = %.6g, with all operators fitted, per site in nats. Gain: of the last "
            "operator over one "
            "fewer, about 0 if it is of no use; deviance: what the operators leave unexplained of a spin given its "
            "surroundings, "
            "0 if nothing; inside: the fit has its maximum at finite couplings. Of all ensembles, rules and levels %d "
            "of %d fits "
            "are not inside%s",
            atof (here), outside, fits,
            outside > 0 ? ": their couplings mean little (ordered phase, or blocks that are too few)." : ".");
  vrg_html_table_begin (page, "fit", n_rules * (levels + 1), caption, "fit.tsv");
  vrg_html_heads (page, "rule|level|operators|pseudo-likelihood|gain of the last|deviance|inside");
  for (int r = 0; r < n_rules; r++)
    for (int level = 0; level <= levels; level++)
      {
        const int row = vrg_flow_row (t, here, rules[r], level, NULL);
        if (row < 0)
          continue;
        const bool inside = vrg_cell (t, row, "inside") > 0.5;
        fputs ("<tr>", page);
        vrg_html_element (page, "td", "%s", rules[r]);
        vrg_html_element (page, "td", "%d", level);
        vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "operators"));
        put_cell (page, t, row, "pseudo_likelihood", "pseudo_likelihood_err");
        put_cell (page, t, row, "gain", "gain_err");
        put_cell (page, t, row, "deviance", "deviance_err");
        vrg_html_element (page, inside ? "td" : "td class=\"bad\"", "%s", inside ? "yes" : "no");
        fputs ("</tr>\n", page);
      }
  vrg_html_table_end (page);
}

static void
couplings_section (FILE *page, const vrg_report_data *data, vrg_figure *all)
{
  fputs ("<h2 id=\"flow\">Renormalised couplings</h2>\n", page);
  vrg_figures_show (
    page, data, all, 4,
    (const int[]){ VRG_FIGURE_FLOW, VRG_FIGURE_FLOW_PLAQUETTE, VRG_FIGURE_COUPLINGS, VRG_FIGURE_DERIVATIVES });
  vrg_figures_show (page, data, all, 1, (const int[]){ VRG_FIGURE_MATCHING });
  if (data->couplings != NULL)
    {
      char caption[320];
      snprintf (
        caption, sizeof caption,
        "Couplings at each level with %d operators fitted. They depend on the list fitted, so compare equal lists "
        "only.",
        vrg_column_max (data->couplings, "operators"));
      pivot (page, data->couplings, "couplings.tsv", caption, "operator", "value", NULL);
    }
  if (data->fit != NULL)
    fit_table (page, data);
  if (data->derivatives != NULL && vrg_flow_critical (data, data->derivatives) != NULL)
    pivot (page, data->derivatives, "derivatives.tsv",
           "Derivatives $dK_a^{(n)}/dK_{nn}^{(0)}$ of the couplings of level $n$ by the nn that is sampled, from "
           "covariances.",
           "operator", "derivative", vrg_flow_critical (data, data->derivatives));
  if (data->surface != NULL && vrg_flow_critical (data, data->surface) != NULL)
    pivot (page, data->surface, "surface.tsv",
           vrg_dimension_of (data) == 2
             ? "Normal of the critical surface relative to nn, at the sampled couplings. It belongs to the model: all "
               "rules must agree; nnn is √2 by the exact correlations of the critical square lattice."
             : "Normal of the critical surface relative to nn, at the sampled couplings. It belongs to the model: all "
               "rules must agree.",
           "operator", "normal", vrg_flow_critical (data, data->surface));
}

/** The leading eigenvalues with all operators, at the ensemble nearest to criticality. */
static void
eigenvalues_table (FILE *page, const vrg_report_data *data)
{
  const vrg_table_data *t = data->eigenvalues;
  const char *here = vrg_flow_critical (data, t);
  int rows = 0;
  if (here == NULL)
    return;
  for (int row = 0; row < t->rows; row++)
    rows += row == 0 || !same (t, row, row - 1, "sector") || !same (t, row, row - 1, "level")
            || !same (t, row, row - 1, "rule") || !same (t, row, row - 1, "nn");
  vrg_html_table_begin (
    page, "eigenvalues", rows,
    "Eigenvalues $λ$ of the stability matrix with all operators, by falling modulus; $y = ln λ / ln b$. Compare: one "
    "above 1 in each sector that has a relevant direction; complex ones are a sign of too few operators or too much "
    "noise.",
    "eigenvalues.tsv");
  vrg_html_heads (page, "rule|level|sector|operators|$λ_1$|$λ_2$|$λ_3$|$λ_4$|$λ_5$");
  for (int row = 0, end; row < t->rows; row = end)
    {
      for (end = row + 1; end < t->rows && same (t, row, end, "sector") && same (t, row, end, "level")
                          && same (t, row, end, "rule") && same (t, row, end, "nn");)
        end++;
      if (strcmp (vrg_cell_text (t, row, "nn"), here) != 0)
        continue;
      fputs ("<tr>", page);
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "rule"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "level"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "sector"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "operators"));
      for (int i = row; i < row + EIGENVALUES; i++)
        {
          const double imaginary = i < end ? vrg_cell (t, i, "imaginary") : (double) NAN;
          char real[64], other[64];
          if (!(fabs (imaginary) > 0))
            {
              put_cell (page, t, i < end ? i : -1, "real", "real_error");
              continue;
            }
          vrg_html_value (real, vrg_cell (t, i, "real"), vrg_cell (t, i, "real_error"));
          vrg_html_value (other, fabs (imaginary), vrg_cell (t, i, "imaginary_error"));
          fputs ("<td>", page);
          vrg_html_number (page, real);
          fputs (imaginary < 0 ? " − " : " + ", page);
          vrg_html_number (page, other);
          fputs (" i</td>\n", page);
        }
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
}

static void
exponents_section (FILE *page, const vrg_report_data *data, vrg_figure *all)
{
  fputs ("<h2 id=\"exponents\">Exponents</h2>\n", page);
  vrg_figures_show (
    page, data, all, 4,
    (const int[]){ VRG_FIGURE_EVEN, VRG_FIGURE_ODD, VRG_FIGURE_EVEN_OPERATORS, VRG_FIGURE_ODD_OPERATORS });
  if (data->exponents != NULL)
    {
      const double y_t = vrg_exponent_of (data, false), y_h = vrg_exponent_of (data, true);
      char caption[320], known[128] = "";
      if (isfinite (y_t))
        snprintf (known, sizeof known, " %s at the critical coupling: $y_t$ = %.7g (even), $y_h$ = %.7g (odd).",
                  vrg_dimension_of (data) == 2 ? "Exact" : "Conformal bootstrap", y_t, y_h);
      snprintf (caption, sizeof caption, "Leading exponents of both sectors with as many operators as could be used.%s",
                known);
      pivot (page, data->exponents, "exponents.tsv", caption, "sector", "y", NULL);
    }
  if (data->eigenvalues != NULL)
    eigenvalues_table (page, data);
}

/** Those rows, with value and error in one cell. */
static void
plain_table (FILE *page, const vrg_table_data *t, const char *file, const char *caption,
             bool (*shown) (const vrg_table_data *t, int row))
{
  int rows = 0;
  char name[32];
  for (int row = 0; row < t->rows; row++)
    rows += shown == NULL || shown (t, row);
  vrg_html_table_begin (page, stem (file, name), rows, caption, file);
  fputs ("<thead><tr>", page);
  for (int c = 0; c < t->columns; c++)
    if (strcmp (t->name[c], "error") != 0)
      vrg_html_element (page, "th scope=\"col\"", "%s", t->name[c]);
  fputs ("</tr></thead><tbody>\n", page);
  for (int row = 0; row < t->rows; row++)
    if (shown == NULL || shown (t, row))
      {
        fputs ("<tr>", page);
        for (int c = 0; c < t->columns; c++)
          if (strcmp (t->name[c], "value") == 0)
            put_cell (page, t, row, "value", "error");
          else if (strcmp (t->name[c], "error") != 0)
            vrg_html_name_cell (page, t->cell[row * t->columns + c]);
        fputs ("</tr>\n", page);
      }
  vrg_html_table_end (page);
}

/** Not the fixed points of later steps. */
static bool
is_first_step (const vrg_table_data *t, int row)
{
  return vrg_cell (t, row, "step") < 2 || strncmp (vrg_cell_text (t, row, "quantity"), "fixed_point", 11) != 0;
}

static void
machine_section (FILE *page, const vrg_report_data *data, vrg_figure *all)
{
  const vrg_table_data *t = data->rbm_flow;
  const char *nn[VRG_DISTINCT];
  const int starts = vrg_distinct (t, "nn", nn);
  fputs ("<h2 id=\"machine\">The machine as a flow</h2>\n", page);
  vrg_figures_show (page, data, all, 2, (const int[]){ VRG_FIGURE_RBM_FLOW, VRG_FIGURE_RBM_MAP });
  if (starts > 0)
    {
      vrg_html_table_begin (page, "rbm-flow", starts,
                            "Couplings inferred from spins after steps $v → h → v$ of the first layer, started from "
                            "samples at each $K$.",
                            "rbm-flow.tsv");
      vrg_html_heads (page, "$K$|at step 0|after 1|at the end|step|energy there|abs $m$ there");
      for (int k = 0; k < starts; k++)
        {
          const int last = vrg_machine_row (t, nn[k], -1);
          fputs ("<tr>", page);
          vrg_html_element (page, "td", "%.6g", vrg_cell (t, last, "nn"));
          put_cell (page, t, vrg_machine_row (t, nn[k], 0), "coupling", "coupling_err");
          put_cell (page, t, vrg_machine_row (t, nn[k], 1), "coupling", "coupling_err");
          put_cell (page, t, last, "coupling", "coupling_err");
          vrg_html_element (page, "td", "%s", vrg_cell_text (t, last, "step"));
          put_cell (page, t, last, "energy", "energy_err");
          put_cell (page, t, last, "abs_m", "abs_m_err");
          fputs ("</tr>\n", page);
        }
      vrg_html_table_end (page);
    }
  if (data->rbm_stationary != NULL && data->rbm_stationary->rows > 0)
    plain_table (
      page, data->rbm_stationary, "rbm-stationary.tsv",
      "Where a step changes no coupling, the couplings at the end of the flow, and the specific heat's maximum "
      "of this lattice.",
      is_first_step);
  if (data->mapping != NULL && data->mapping->rows > 0)
    plain_table (
      page, data->mapping, "mapping.tsv",
      "The machine and the renormalization group: by layer, what joins them exactly, and how far the machine "
      "is from it.",
      NULL);
}

static bool
any_machine (const vrg_report_data *data)
{
  return data->rbm_flow != NULL || data->rbm_stationary != NULL || data->mapping != NULL;
}

static bool
any_couplings (const vrg_report_data *data)
{
  return data->couplings != NULL || data->fit != NULL || data->derivatives != NULL || data->surface != NULL
         || data->matching != NULL;
}

void
vrg_flow_links (FILE *page, const vrg_report_data *data)
{
  fputs (any_couplings (data) ? "<a href=\"#flow\">Couplings</a>" : "", page);
  fputs (data->exponents || data->eigenvalues ? "<a href=\"#exponents\">Exponents</a>" : "", page);
  fputs (any_machine (data) ? "<a href=\"#machine\">Machine</a>" : "", page);
}

void
vrg_flow_sections (FILE *page, const vrg_report_data *data, vrg_figure *all)
{
  if (any_couplings (data))
    couplings_section (page, data, all);
  if (data->exponents != NULL || data->eigenvalues != NULL)
    exponents_section (page, data, all);
  if (any_machine (data))
    machine_section (page, data, all);
}
