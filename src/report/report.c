/* SPDX-License-Identifier: GPL-3.0-or-later
 * DIR/report.html: summary first, then pictures and tables, then what it was made from. */
#include "report/report.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/h5.h"
#include "report/data.h"
#include "report/figures.h"
#include "report/flow-figures.h"
#include "report/flow.h"
#include "report/html.h"
#include "report/training.h"

#define CHECKS 24
#define EXPONENT_LIMIT 0.03 /* what truncation and a small lattice may cost an exponent with all operators */

typedef enum
{
  AGREES,
  DIFFERS,
  UNCERTAIN
} verdict;

/** A row of the summary. */
typedef struct
{
  char what[160], found[64], expected[64], deviation[64];
  verdict verdict;
} finding;

typedef struct
{
  int n;
  finding row[CHECKS];
} findings;

static finding *
add_finding (findings *all)
{
  static finding spare;
  return all->n < CHECKS ? &all->row[all->n++] : &spare;
}

/* ---- what the tables say ---- */

static void
judge_thermal (vrg_report_data *data, findings *all, const char *what, const char *value, const char *error,
               const char *exact)
{
  const vrg_table_data *t = data->sample;
  double worst = 0, at = 0;
  int rows = 0, worst_row = 0;
  for (int row = 0; t != NULL && row < t->rows; row++)
    {
      double pull = vrg_cell_pull (t, row, value, error, exact);
      if (!isfinite (pull))
        continue;
      if (rows++ == 0 || fabs (pull) > fabs (worst))
        {
          worst = pull;
          at = vrg_cell (t, row, "nn");
          worst_row = row;
        }
    }
  if (rows == 0)
    return;
  finding *f = add_finding (all);
  if (rows == 1)
    snprintf (f->what, sizeof f->what, "%s at K = %.6g", what, at);
  else
    snprintf (f->what, sizeof f->what, "%s, worst of %d couplings: K = %.6g", what, rows, at);
  vrg_html_value (f->found, vrg_cell (t, worst_row, value), vrg_cell (t, worst_row, error));
  snprintf (f->expected, sizeof f->expected, "%.8g", vrg_cell (t, worst_row, exact));
  snprintf (f->deviation, sizeof f->deviation, "%+.1f", worst);
  f->verdict = fabs (worst) <= VRG_PULL_LIMIT ? AGREES : DIFFERS;
  if (f->verdict == DIFFERS)
    vrg_report_warn (data, "%s at K = %.6g is %.1f standard deviations from the exact value.", what, at, worst);
}

/** The coupling that was sampled with. */
static double
coupling_of (const vrg_report_data *data, const char *name, double nn)
{
  return strcmp (name, "nn") == 0                              ? nn
         : data->input_good && strcmp (name, "nnn") == 0       ? data->input.nnn
         : data->input_good && strcmp (name, "plaquette") == 0 ? data->input.plaquette
                                                               : 0;
}

/** Level 0 of the inferred couplings must be the input. */
static void
judge_couplings (vrg_report_data *data, findings *all)
{
  const vrg_table_data *t = data->couplings;
  int operators = vrg_column_max (t, "operators"), worst_row = -1;
  double worst = 0, expected = 0;
  for (int row = 0; t != NULL && row < t->rows; row++)
    {
      if (vrg_cell (t, row, "level") != 0 || vrg_cell (t, row, "operators") != operators)
        continue;
      double input = coupling_of (data, vrg_cell_text (t, row, "operator"), vrg_cell (t, row, "nn"));
      double error = vrg_cell (t, row, "error"), pull = (vrg_cell (t, row, "value") - input) / error;
      if (error > 0 && isfinite (pull) && (worst_row < 0 || fabs (pull) > fabs (worst)))
        {
          worst = pull;
          worst_row = row;
          expected = input;
        }
    }
  if (worst_row < 0)
    return;
  finding *f = add_finding (all);
  snprintf (f->what, sizeof f->what, "Couplings inferred at level 0, worst: %s at K = %.6g",
            vrg_cell_text (t, worst_row, "operator"), vrg_cell (t, worst_row, "nn"));
  vrg_html_value (f->found, vrg_cell (t, worst_row, "value"), vrg_cell (t, worst_row, "error"));
  snprintf (f->expected, sizeof f->expected, "%.6g", expected);
  snprintf (f->deviation, sizeof f->deviation, "%+.1f", worst);
  f->verdict = fabs (worst) <= VRG_PULL_LIMIT ? AGREES : DIFFERS;
  if (f->verdict == DIFFERS)
    vrg_report_warn (data, "The couplings inferred at level 0 do not return the input (%+.1f standard deviations).",
                     worst);
}

/** The level whose exponents are judged: 2, as far as its blocks make up 4 sites a side; in three dimensions, where
 *  corrections die out slowly, 3 or none (0). */
static int
judged_level (const vrg_report_data *data)
{
  const int best = vrg_dimension_of (data) == 3 ? 3 : 2;
  int64_t side = INT64_MAX, blocks = 1;
  for (int d = 0; d < data->input.n_size && data->input_good; d++)
    side = data->input.size[d] < side ? data->input.size[d] : side;
  for (int level = 1; level <= best; level++)
    if (side / (blocks *= vrg_scale_of (data)) < 4)
      return best == 3 ? 0 : 1;
  return best;
}

/** Exponents at the critical ensemble of each rule, with all operators that could be used. */
static void
judge_exponents (vrg_report_data *data, findings *all)
{
  const vrg_table_data *t = data->exponents;
  const char *here = vrg_flow_critical (data, t), *rules[VRG_DISTINCT];
  const int n_rules = vrg_distinct (t, "rule", rules), best = judged_level (data);
  if (here == NULL || best == 0 || !vrg_is_critical (data, atof (here)))
    return;
  for (int i = 0; i < 2 * n_rules; i++)
    {
      const char *rule = rules[i / 2];
      const bool odd = i % 2;
      int level = best, row = vrg_flow_exponent (t, here, rule, level, odd, 0);
      if (row < 0 && best == 2)
        row = vrg_flow_exponent (t, here, rule, --level, odd, 0);
      if (row < 0)
        continue;
      const double y = vrg_cell (t, row, "y"), error = vrg_cell (t, row, "error"), exact = vrg_exponent_of (data, odd),
                   percent = 100 * (y - exact) / exact;
      const char *symbol = odd ? "y_h" : "y_t";
      finding *f = add_finding (all);
      snprintf (f->what, sizeof f->what, "%s, %s rule, level %d, %g operators", symbol, rule, level,
                vrg_cell (t, row, "operators"));
      vrg_html_value (f->found, y, error);
      snprintf (f->expected, sizeof f->expected, "%.6g%s", exact, best == 3 ? " (bootstrap)" : "");
      if (error > 0)
        snprintf (f->deviation, sizeof f->deviation, "%+.1f (%+.2f %%)", (y - exact) / error, percent);
      else
        snprintf (f->deviation, sizeof f->deviation, "(%+.2f %%)", percent);
      f->verdict = !(error < EXPONENT_LIMIT)                        ? UNCERTAIN
                   : fabs (y - exact) <= EXPONENT_LIMIT + 3 * error ? AGREES
                                                                    : DIFFERS;
      if (f->verdict == DIFFERS)
        vrg_report_warn (data, "%s of the %s rule is %.2f away from the %s value: %s.", symbol, rule, fabs (y - exact),
                         best == 3 ? "known" : "exact",
                         strncmp (rule, "learnt", 6) == 0 ? "the filter may not have been trained long enough"
                         : strcmp (rule, "decimation") == 0
                           ? "decimation has no fixed point of short range, so this is "
                             "to be expected"
                           : "too few operators, or too small a lattice");
    }
}

/** Whether the chains were long enough for their errors to be believed. */
static void
judge_chains (vrg_report_data *data)
{
  const vrg_table_data *t = data->sample;
  for (int row = 0; t != NULL && row < t->rows; row++)
    {
      double nn = vrg_cell (t, row, "nn"), configurations = vrg_cell (t, row, "configurations");
      double tau = fmax (vrg_cell (t, row, "tau_int_energy"), vrg_cell (t, row, "tau_int_m2"));
      double thermal = vrg_cell (t, row, "thermal");
      if (thermal > VRG_PULL_LIMIT)
        vrg_report_warn (
          data,
          "K = %.6g: the first tenth of the series differs from the second half by %.1f standard errors: "
          "more thermalization is needed.",
          nn, thermal);
      if (!data->input_good)
        break;
      double independent = configurations / fmax (1, 2 * tau / (double) data->input.interval);
      if (!isfinite (tau))
        vrg_report_warn (data,
                         "K = %.6g: too few measurements for an autocorrelation time; its errors take samples of "
                         "a chain as they come.",
                         nn);
      else if (independent < 100)
        vrg_report_warn (data,
                         "K = %.6g: only about %.0f independent configurations (tau_int = %.3g sweeps); errors are "
                         "rough.",
                         nn, independent, tau);
      if (isfinite (tau) && (double) data->input.thermalization < 20 * tau)
        vrg_report_warn (data,
                         "K = %.6g: thermalization of %lld sweeps is less than 20 autocorrelation times of %.3g "
                         "sweeps.",
                         nn, (long long) data->input.thermalization, tau);
    }
}

static void
judge_missing (vrg_report_data *data)
{
  const bool flow = !data->input_good || data->input.field == 0; /* there is none in a field */
  struct
  {
    bool missing;
    const char *table, *stage;
  } part[]
    = { { data->sample == NULL, "sample.tsv", "sample" },
        { data->train == NULL && (!data->input_good || data->input.model != VRG_MODEL_NONE), "train.tsv", "train" },
        { data->couplings == NULL && flow, "couplings.tsv", "flow" },
        { data->exponents == NULL && flow, "exponents.tsv", "flow" } };
  for (size_t i = 0; i < sizeof part / sizeof *part; i++)
    if (part[i].missing)
      vrg_report_warn (data, "%s is missing: the %s stage is not finished here.", part[i].table, part[i].stage);
}

/* ---- the page ---- */

static void
summary (FILE *page, const vrg_report_data *data, const findings *all)
{
  static const char *const classes[] = { "td class=\"good\"", "td class=\"bad\"", "td" };
  static const char *const words[] = { "agrees", "differs", "too uncertain to say" };
  fputs ("<h2 id=\"summary\">Summary</h2>\n", page);
  if (data->input_good)
    {
      const vrg_input *in = &data->input;
      fprintf (page, "<p>Ising model on a %s of %lld", in->dimension == 1 ? "ring" : "torus", (long long) in->size[0]);
      for (int d = 1; d < in->n_size; d++)
        fprintf (page, " × %lld", (long long) in->size[d]);
      fprintf (page, " spins at %d coupling%s", in->n_nn, in->n_nn == 1 ? "" : "s");
      for (int k = 0; k < in->n_nn && in->n_nn <= 8; k++)
        fprintf (page, "%s%.6g", k ? ", " : " K = ", in->nn[k]);
      if (in->nnn != 0 || in->plaquette != 0 || in->field != 0)
        fprintf (page, ", with nnn = %.6g, plaquette = %.6g and field = %.6g", in->nnn, in->plaquette, in->field);
      fprintf (page,
               ": %lld configurations each from %lld chain%s by the %s algorithm, %lld sweeps apart after %lld "
               "sweeps of thermalization, seed %lld.",
               (long long) in->configurations, (long long) in->chains, in->chains == 1 ? "" : "s",
               vrg_param_algorithm_names[in->algorithm], (long long) in->interval, (long long) in->thermalization,
               (long long) in->seed);
      if (in->model != VRG_MODEL_NONE)
        {
          fprintf (page, " %s (%s) was trained on K =",
                   in->n_hidden > 1 ? "A stack of restricted Boltzmann machines" : "A restricted Boltzmann machine",
                   vrg_param_model_names[in->model]);
          for (int i = 0; i < in->n_coupling; i++)
            fprintf (page, "%s %.6g", i ? "," : "", in->coupling[i]);
          fprintf (page, " for %lld epochs of %s-%lld%s.", (long long) in->epochs, in->method == VRG_PCD ? "PCD" : "CD",
                   (long long) in->steps, in->n_hidden > 1 ? " each layer" : "");
        }
      const bool flow = data->keys[VRG_REPORT_FILES - 1] != NULL;
      for (int i = 0; i < in->n_rules && flow; i++)
        fprintf (page, "%s %s",
                 i == 0                 ? " Block spins by"
                 : i == in->n_rules - 1 ? " and"
                                        : ",",
                 vrg_param_rule_names[in->rules[i]]);
      if (flow)
        fprintf (page, ", scale %lld, %lld levels.", (long long) in->scale, (long long) in->levels);
      fputs ("</p>\n", page);
    }
  if (all->n > 0)
    {
      vrg_html_table_begin (page, all->n, "findings");
      vrg_html_heads (page, "Quantity|found|exact|deviation / error|verdict");
      for (int i = 0; i < all->n; i++)
        {
          const finding *f = &all->row[i];
          fputs ("<tr>", page);
          vrg_html_element (page, "td", "%s", f->what);
          vrg_html_element (page, "td", "%s", f->found);
          vrg_html_element (page, "td", "%s", f->expected);
          vrg_html_element (page, "td", "%s", f->deviation);
          vrg_html_element (page, classes[f->verdict], "%s", words[f->verdict]);
          fputs ("</tr>\n", page);
        }
      vrg_html_table_end (page, all->n);
      fprintf (page,
               "<p class=\"faint\">“Agrees” means within %g standard deviations; for exponents, which also "
               "carry the systematic error of a finite list of operators and a finite lattice, within %g plus three "
               "standard deviations. Numbers in brackets are one standard deviation in the last digits.</p>\n",
               VRG_PULL_LIMIT, EXPONENT_LIMIT);
    }
  if (data->n_warnings > 0)
    {
      fputs ("<div class=\"warnings\"><strong>To be looked at</strong><ul>\n", page);
      for (int i = 0; i < data->n_warnings; i++)
        vrg_html_element (page, "li", "%s", data->warning[i]);
      fputs ("</ul></div>\n", page);
    }
  else
    fputs ("<p>No warnings.</p>\n", page);
}

/** operators.tsv: a row for each coupling, a column for each operator. */
static void
operators_table (FILE *page, const vrg_table_data *t)
{
  int columns = 0;
  while (columns < t->rows && strcmp (vrg_cell_text (t, columns, "nn"), vrg_cell_text (t, 0, "nn")) == 0)
    columns++;
  if (columns == 0 || t->rows % columns != 0)
    return;
  vrg_html_table_begin (page, t->rows / columns, "operators.tsv");
  fputs ("<thead><tr><th>K</th>", page);
  for (int c = 0; c < columns; c++)
    vrg_html_element (page, "th", "%s", vrg_cell_text (t, c, "operator"));
  fputs ("</tr></thead><tbody>\n", page);
  for (int row = 0; row < t->rows; row++)
    {
      if (row % columns == 0)
        {
          fputs ("<tr>", page);
          vrg_html_element (page, "td", "%.6g", vrg_cell (t, row, "nn"));
        }
      vrg_html_value_cell (page, vrg_cell (t, row, "value"), vrg_cell (t, row, "error"));
      if (row % columns == columns - 1)
        fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page, t->rows / columns);
  fputs (
    "<p class=\"faint\">Even operators per spin, every image of a product counted once: nn goes up to 2, knight to 4, "
    "plaquette and diamond to 1.</p>\n",
    page);
}

static void
sample_section (FILE *page, const vrg_report_data *data, const vrg_figure *all)
{
  const vrg_table_data *t = data->sample;
  if (t == NULL)
    return;
  fputs ("<h2 id=\"sampling\">Sampling</h2>\n", page);
  vrg_figures_show (page, data, all, 2, (const int[]){ VRG_FIGURE_ENERGY, VRG_FIGURE_SPECIFIC_HEAT });
  vrg_figures_show (page, data, all, 2, (const int[]){ VRG_FIGURE_MAGNETISATION, VRG_FIGURE_SUSCEPTIBILITY });
  vrg_figures_show (page, data, all, 2, (const int[]){ VRG_FIGURE_BINDER, VRG_FIGURE_XI });
  vrg_html_table_begin (page, t->rows, "sample.tsv");
  vrg_html_heads (
    page,
    "K|size|configurations|energy|exact|dev./err.|specific heat|exact|dev./err.|abs m|m²|U₄|χ|ξ|τ energy|τ m²|thermal");
  for (int row = 0; row < t->rows; row++)
    {
      fputs ("<tr>", page);
      vrg_html_element (page, "td", "%.6g", vrg_cell (t, row, "nn"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "size"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "configurations"));
      vrg_html_value_cell (page, vrg_cell (t, row, "energy"), vrg_cell (t, row, "energy_err"));
      vrg_html_exact_cell (page, vrg_cell (t, row, "exact_energy"));
      vrg_html_pull_cell (page, vrg_cell_pull (t, row, "energy", "energy_err", "exact_energy"));
      vrg_html_value_cell (page, vrg_cell (t, row, "specific_heat"), vrg_cell (t, row, "specific_heat_err"));
      vrg_html_exact_cell (page, vrg_cell (t, row, "exact_specific_heat"));
      vrg_html_pull_cell (page, vrg_cell_pull (t, row, "specific_heat", "specific_heat_err", "exact_specific_heat"));
      vrg_html_value_cell (page, vrg_cell (t, row, "abs_m"), vrg_cell (t, row, "abs_m_err"));
      vrg_html_value_cell (page, vrg_cell (t, row, "m2"), vrg_cell (t, row, "m2_err"));
      vrg_html_value_cell (page, vrg_cell (t, row, "binder"), vrg_cell (t, row, "binder_err"));
      vrg_html_value_cell (page, vrg_cell (t, row, "susceptibility"), vrg_cell (t, row, "susceptibility_err"));
      vrg_html_value_cell (page, vrg_cell (t, row, "xi"), vrg_cell (t, row, "xi_err"));
      vrg_html_element (page, "td", "%.3g", vrg_cell (t, row, "tau_int_energy"));
      vrg_html_element (page, "td", "%.3g", vrg_cell (t, row, "tau_int_m2"));
      vrg_html_pull_cell (page, vrg_cell (t, row, "thermal"));
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page, t->rows);
  fputs (
    "<p class=\"faint\">Energy -S/N and specific heat K² var(S)/N per spin, S the sum over bonds; abs m = ⟨|m|⟩, "
    "m² = ⟨m²⟩, U₄ = "
    "1 - ⟨m⁴⟩/(3⟨m²⟩²); χ = N (⟨m²⟩ - ⟨|m|⟩²); ξ: second-moment correlation length; τ: integrated autocorrelation "
    "times in sweeps (0.5 interval: none seen); thermal: by how many standard errors the first tenth of the series "
    "differs from its second half.</p>\n",
    page);
  if (data->operators != NULL)
    operators_table (page, data->operators);
}

static bool
has_input (const vrg_report_data *data)
{
  for (int f = 0; f < VRG_REPORT_FILES; f++)
    if (data->keys[f] != NULL && *data->keys[f])
      return true;
  return false;
}

static void
provenance_section (FILE *page, const vrg_report_data *data)
{
  fputs ("<h2 id=\"provenance\">Provenance</h2>\n", page);
  vrg_html_element (page, "p", "Report by vrg %s, commit %s, from %s.", vrg_version (), vrg_commit (), data->directory);
  if (data->n_provenance > 0)
    {
      fputs ("<div class=\"wide left\"><table>", page);
      vrg_html_heads (page, "file|what|value");
      for (int i = 0; i < data->n_provenance; i++)
        {
          fputs ("<tr>", page);
          vrg_html_element (page, "td", "%s", data->provenance[i].file);
          vrg_html_element (page, "td", "%s", data->provenance[i].name);
          vrg_html_element (page, "td", "%s", data->provenance[i].value);
          fputs ("</tr>\n", page);
        }
      vrg_html_table_end (page, 0);
    }
  if (!has_input (data))
    return;
  fputs ("<h2 id=\"input\">Input</h2>\n", page);
  for (int f = VRG_REPORT_FILES - 1; f >= 0; f--)
    if (data->keys[f] != NULL && *data->keys[f])
      {
        vrg_html_element (page, "p", "What %s was made with:", vrg_report_files[f]);
        fputs ("<pre>", page);
        vrg_html_text (page, data->keys[f]);
        fputs ("</pre>\n", page);
      }
}

static int
write_page (vrg_report_data *data, const vrg_figure *all)
{
  char path[VRG_PATH_LENGTH], temporary[VRG_PATH_LENGTH];
  findings found = { 0 };
  judge_missing (data);
  judge_thermal (data, &found, "Energy", "energy", "energy_err", "exact_energy");
  judge_thermal (data, &found, "Specific heat", "specific_heat", "specific_heat_err", "exact_specific_heat");
  judge_couplings (data, &found);
  judge_exponents (data, &found);
  judge_chains (data);
  vrg_training_judge (data);
  snprintf (path, sizeof path, "%s/report.html", data->directory);
  snprintf (temporary, sizeof temporary, "%s/report.html.tmp", data->directory);
  FILE *page = vrg_file_new_stream (temporary);
  if (page == NULL)
    return vrg_error (VRG_FILE, "%s: cannot be written: %s", temporary, strerror (errno));
  vrg_html_begin (page, "VRG report");
  vrg_html_element (page, "h1", "VRG report: %s", data->directory);
  fputs ("<nav>", page);
  fputs ("<a href=\"#summary\">Summary</a>", page);
  fputs (data->sample ? "<a href=\"#sampling\">Sampling</a>" : "", page);
  fputs (vrg_training_any (data) ? "<a href=\"#training\">Training</a>" : "", page);
  vrg_flow_links (page, data);
  fputs ("<a href=\"#provenance\">Provenance</a>", page);
  fputs (has_input (data) ? "<a href=\"#input\">Input</a>" : "", page);
  fputs ("</nav>\n", page);
  summary (page, data, &found);
  sample_section (page, data, all);
  vrg_training_section (page, data, all);
  vrg_flow_sections (page, data, all);
  provenance_section (page, data);
  vrg_html_end (page);
  bool bad = fflush (page) != 0 || ferror (page) || fsync (fileno (page)) != 0;
  if (fclose (page) != 0 || bad)
    {
      int code = vrg_error (VRG_FILE, "%s: cannot be written: %s", temporary, strerror (errno));
      unlink (temporary);
      return code;
    }
  if (rename (temporary, path) != 0 || !vrg_file_sync (data->directory))
    {
      int code = vrg_error (VRG_FILE, "%s: cannot be renamed to %s: %s", temporary, path, strerror (errno));
      unlink (temporary);
      return code;
    }
  vrg_info ("report: %s", path);
  return VRG_OK;
}

int
vrg_report (const vrg_grid *grid, const char *directory)
{
  vrg_report_data data;
  vrg_figure all[VRG_FIGURES];
  int code = vrg_report_data_read (grid, directory, &data);
  if (code == VRG_OK && grid->rank == 0)
    {
      code = vrg_figures_draw (&data, all);
      if (code == VRG_OK)
        code = write_page (&data, all);
    }
  vrg_report_data_clear (&data);
  return vrg_agree (grid->world, code);
}
