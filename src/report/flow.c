/* SPDX-License-Identifier: GPL-3.0-or-later
 * The page's sections on the flow. */
#include "report/flow.h"

#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "report/flow-diagram.h"
#include "report/flow-figures.h"
#include "report/html.h"
#include "report/machine-figures.h"

#define EIGENVALUES 5 /* shown of a sector */

/** The name of a table, linked, and what its cells are. */
static void
put_note (FILE *page, const char *file, const char *text)
{
  fprintf (page, "<p class=\"faint\"><a href=\"%s\">%s</a>: %s</p>\n", file, file, text);
}

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

/** Rows keyed by nn, rule and level; a column for each text of `column` that occurs; value(error) inside.  here: this nn
 *  only, NULL for all.  Where a cell has several rows, the one with the most operators that has a number. */
static void
pivot (FILE *page, const vrg_table_data *t, const char *what, const char *column, const char *value, const char *here)
{
  const char *names[VRG_DISTINCT];
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
  vrg_html_table_begin (page, n_rows, what);
  fputs ("<thead><tr><th>K</th><th>rule</th><th>level</th>", page);
  for (int c = 0; c < columns; c++)
    vrg_html_element (page, "th", "%s", names[c]);
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
  vrg_html_table_end (page, n_rows);
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
  char note[640];
  if (here == NULL)
    return;
  fputs ("<h3>Quality of the fits</h3>\n", page);
  vrg_html_table_begin (page, n_rules * (levels + 1), "fit.tsv");
  vrg_html_heads (page, "K|rule|level|operators|pseudo-likelihood|gain of the last|deviance|inside");
  for (int r = 0; r < n_rules; r++)
    for (int level = 0; level <= levels; level++)
      {
        const int row = vrg_flow_row (t, here, rules[r], level, NULL);
        if (row < 0)
          continue;
        const bool inside = vrg_cell (t, row, "inside") > 0.5;
        fputs ("<tr>", page);
        vrg_html_element (page, "td", "%.6g", vrg_cell (t, row, "nn"));
        vrg_html_element (page, "td", "%s", rules[r]);
        vrg_html_element (page, "td", "%d", level);
        vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "operators"));
        put_cell (page, t, row, "pseudo_likelihood", "pseudo_likelihood_err");
        put_cell (page, t, row, "gain", "gain_err");
        put_cell (page, t, row, "deviance", "deviance_err");
        vrg_html_element (page, inside ? "td" : "td class=\"bad\"", "%s", inside ? "yes" : "no");
        fputs ("</tr>\n", page);
      }
  vrg_html_table_end (page, n_rules * (levels + 1));
  for (int k = 0; k < n_nn; k++)
    for (int r = 0; r < n_rules; r++)
      for (int level = 0; level <= levels; level++)
        {
          const int row = vrg_flow_row (t, nn[k], rules[r], level, NULL);
          fits += row >= 0;
          outside += row >= 0 && !(vrg_cell (t, row, "inside") > 0.5);
        }
  snprintf (
    note, sizeof note,
    "per site in nats, with all operators fitted. Gain: of the last operator over one fewer, about 0 if it is of "
    "no use; deviance: what the operators leave unexplained of a spin given its surroundings, 0 if nothing; "
    "inside: the fit has its maximum at finite couplings. Of all ensembles, rules and levels %d of %d fits are "
    "not inside%s",
    outside, fits, outside > 0 ? ": their couplings mean little (ordered phase, or blocks that are too few)." : ".");
  put_note (page, "fit.tsv", note);
}

static void
couplings_section (FILE *page, const vrg_report_data *data, const vrg_figure *all)
{
  fputs ("<h2 id=\"flow\">Renormalised couplings</h2>\n", page);
  vrg_figures_show (
    page, data, all, 4,
    (const int[]){ VRG_FIGURE_FLOW, VRG_FIGURE_FLOW_PLAQUETTE, VRG_FIGURE_COUPLINGS, VRG_FIGURE_DERIVATIVES });
  vrg_figures_show (page, data, all, 1, (const int[]){ VRG_FIGURE_MATCHING });
  if (data->couplings != NULL)
    {
      char note[256];
      pivot (page, data->couplings, "couplings.tsv", "operator", "value", NULL);
      snprintf (note, sizeof note,
                "%d operators fitted; couplings depend on the list fitted, so compare equal lists only.",
                vrg_column_max (data->couplings, "operators"));
      put_note (page, "couplings.tsv", note);
    }
  if (data->fit != NULL)
    fit_table (page, data);
  if (data->derivatives != NULL && vrg_flow_critical (data, data->derivatives) != NULL)
    {
      fputs ("<h3>Derivatives</h3>\n", page);
      pivot (page, data->derivatives, "derivatives.tsv", "operator", "derivative",
             vrg_flow_critical (data, data->derivatives));
      put_note (page, "derivatives.tsv",
                "dK_a(n)/dK_nn(0), of the couplings of level n by the nn that is sampled, from covariances.");
    }
  if (data->surface != NULL && vrg_flow_critical (data, data->surface) != NULL)
    {
      fputs ("<h3>Normal of the critical surface</h3>\n", page);
      pivot (page, data->surface, "surface.tsv", "operator", "normal", vrg_flow_critical (data, data->surface));
      put_note (
        page, "surface.tsv",
        vrg_dimension_of (data) == 2
          ? "relative to nn, at the sampled couplings. It belongs to the model: all rules must agree; nnn is √2 by "
            "the exact correlations of the critical square lattice."
          : "relative to nn, at the sampled couplings. It belongs to the model: all rules must agree.");
    }
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
  fputs ("<h3>Eigenvalues</h3>\n", page);
  vrg_html_table_begin (page, rows, "eigenvalues.tsv");
  vrg_html_heads (page, "rule|level|sector|operators|λ₁|λ₂|λ₃|λ₄|λ₅");
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
          vrg_html_element (page, "td", "%s %s %si", real, imaginary < 0 ? "-" : "+", other);
        }
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page, rows);
  put_note (
    page, "eigenvalues.tsv",
    "of the stability matrix with all operators, by falling modulus; y = ln λ / ln b. Compare: one above 1 in "
    "each sector that has a relevant direction; complex ones are a sign of too few operators or too much noise.");
}

static void
exponents_section (FILE *page, const vrg_report_data *data, const vrg_figure *all)
{
  fputs ("<h2 id=\"exponents\">Exponents</h2>\n", page);
  vrg_figures_show (
    page, data, all, 4,
    (const int[]){ VRG_FIGURE_EVEN, VRG_FIGURE_ODD, VRG_FIGURE_EVEN_OPERATORS, VRG_FIGURE_ODD_OPERATORS });
  if (data->exponents != NULL)
    {
      const double y_t = vrg_exponent_of (data, false), y_h = vrg_exponent_of (data, true);
      char note[256];
      pivot (page, data->exponents, "exponents.tsv", "sector", "y", NULL);
      if (isfinite (y_t))
        snprintf (note, sizeof note,
                  "leading exponents of both sectors with as many operators as could be used. %s y_t = %.7g (even), "
                  "y_h = %.7g (odd), at the critical coupling.",
                  vrg_dimension_of (data) == 2 ? "Exact:" : "Conformal bootstrap:", y_t, y_h);
      else
        snprintf (note, sizeof note, "leading exponents of both sectors with as many operators as could be used.");
      put_note (page, "exponents.tsv", note);
    }
  if (data->eigenvalues != NULL)
    eigenvalues_table (page, data);
}

/** All cells of those rows as they are. */
static void
plain_table (FILE *page, const vrg_table_data *t, const char *what, bool (*shown) (const vrg_table_data *t, int row))
{
  int rows = 0;
  for (int row = 0; row < t->rows; row++)
    rows += shown == NULL || shown (t, row);
  vrg_html_table_begin (page, rows, what);
  fputs ("<thead><tr>", page);
  for (int c = 0; c < t->columns; c++)
    vrg_html_element (page, "th", "%s", t->name[c]);
  fputs ("</tr></thead><tbody>\n", page);
  for (int row = 0; row < t->rows; row++)
    if (shown == NULL || shown (t, row))
      {
        fputs ("<tr>", page);
        for (int c = 0; c < t->columns; c++)
          vrg_html_element (page, "td", "%s", t->cell[row * t->columns + c]);
        fputs ("</tr>\n", page);
      }
  vrg_html_table_end (page, rows);
}

/** Not the fixed points of later steps. */
static bool
is_first_step (const vrg_table_data *t, int row)
{
  return vrg_cell (t, row, "step") < 2 || strncmp (vrg_cell_text (t, row, "quantity"), "fixed_point", 11) != 0;
}

static void
machine_section (FILE *page, const vrg_report_data *data, const vrg_figure *all)
{
  const vrg_table_data *t = data->rbm_flow;
  const char *nn[VRG_DISTINCT];
  const int starts = vrg_distinct (t, "nn", nn);
  fputs ("<h2 id=\"machine\">The machine as a flow</h2>\n", page);
  vrg_figures_show (page, data, all, 2, (const int[]){ VRG_FIGURE_RBM_FLOW, VRG_FIGURE_RBM_MAP });
  if (starts > 0)
    {
      vrg_html_table_begin (page, starts, "rbm-flow.tsv");
      vrg_html_heads (page, "K|at step 0|after 1|at the end|step|energy there|abs m there");
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
      vrg_html_table_end (page, starts);
      put_note (page, "rbm-flow.tsv", "couplings inferred from spins after steps v → h → v of the first layer.");
    }
  if (data->rbm_stationary != NULL)
    {
      plain_table (page, data->rbm_stationary, "rbm-stationary.tsv", is_first_step);
      put_note (
        page, "rbm-stationary.tsv",
        "where a step changes no coupling, the couplings at the end of the flow, and the specific heat's maximum "
        "of this lattice.");
    }
  if (data->mapping != NULL && data->mapping->rows > 0)
    {
      fputs ("<h3>The machine and the renormalization group</h3>\n", page);
      plain_table (page, data->mapping, "mapping.tsv", NULL);
      put_note (page, "mapping.tsv", "by layer, what joins them exactly, and how far the machine is from it.");
    }
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
vrg_flow_sections (FILE *page, const vrg_report_data *data, const vrg_figure *all)
{
  if (any_couplings (data))
    couplings_section (page, data, all);
  if (data->exponents != NULL || data->eigenvalues != NULL)
    exponents_section (page, data, all);
  if (any_machine (data))
    machine_section (page, data, all);
}
