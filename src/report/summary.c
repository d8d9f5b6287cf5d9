/* SPDX-License-Identifier: GPL-3.0-or-later
 * The page's head: what was run, whether it can be believed, and what is to be looked at. */
#include "report/summary.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/flow-figures.h"
#include "report/html.h"
#include "report/training.h"

#define INDEPENDENT 100   /* configurations that errors need */
#define THERMALIZATION 20 /* times of correlation */

/** Two digits of a part in per cent, or all before the point. */
static const char *
percent_format (double part)
{
  return fabs (part) < 0.095 ? "%+.2g" : "%+.0f";
}

/** The next row; the last one again when there are too many. */
static int
next_row (vrg_findings_all *all)
{
  return all->n < VRG_FINDINGS ? all->n++ : VRG_FINDINGS - 1;
}

/* ---- what the tables say ---- */

/** A deviation to be held against chance. */
static void
count_pull (vrg_findings_all *all, double pull)
{
  all->compared++;
  all->beyond_two += fabs (pull) > 2;
  all->largest = fmax (all->largest, fabs (pull));
}

static void
judge_thermal (vrg_report_data *data, vrg_findings_all *all, const char *what, const char *value, const char *error,
               const char *exact)
{
  const vrg_table_data *t = data->sample;
  double worst = 0;
  int rows = 0, at = 0;
  for (int row = 0; t != NULL && row < t->rows; row++)
    {
      const double pull = vrg_cell_pull (t, row, value, error, exact);
      if (!isfinite (pull))
        continue;
      count_pull (all, pull);
      if (rows++ == 0 || fabs (pull) > fabs (worst))
        {
          worst = pull;
          at = row;
        }
    }
  if (rows == 0)
    return;
  const double nn = vrg_cell (t, at, "nn"), sigma = vrg_cell (t, at, error), known = vrg_cell (t, at, exact);
  const int i = next_row (all);
  if (rows == 1)
    snprintf (all->row[i].what, sizeof all->row[i].what, "%s at $K$ = %.6g", what, nn);
  else
    snprintf (all->row[i].what, sizeof all->row[i].what, "%s, worst of %d couplings: $K$ = %.6g", what, rows, nn);
  vrg_html_value (all->row[i].found, vrg_cell (t, at, value), sigma);
  vrg_html_exact (all->row[i].expected, known, sigma);
  snprintf (all->row[i].deviation, sizeof all->row[i].deviation, "%+.1f", worst);
  snprintf (all->row[i].percent, sizeof all->row[i].percent, percent_format (vrg_cell (t, at, value) / known - 1),
            100 * (vrg_cell (t, at, value) / known - 1));
  all->row[i].verdict = fabs (worst) <= VRG_PULL_LIMIT ? VRG_AGREES : VRG_DIFFERS;
  if (all->row[i].verdict == VRG_DIFFERS)
    vrg_report_warn (
      data,
      "Look at the chains first (the table on chains below): raise [sample] thermalization or configurations, "
      "or take algorithm = cluster near the critical point.  Another seed tells chance from fault.",
      "%s at K = %.6g is %.1f standard deviations from the exact value.", what, nn, worst);
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
judge_couplings (vrg_report_data *data, vrg_findings_all *all)
{
  const vrg_table_data *t = data->couplings;
  const char *rules[VRG_DISTINCT];
  const int operators = vrg_column_max (t, "operators");
  int worst_row = -1;
  double worst = 0, expected = 0;
  vrg_distinct (t, "rule", rules);
  for (int row = 0; t != NULL && row < t->rows; row++)
    {
      if (vrg_cell (t, row, "level") != 0 || vrg_cell (t, row, "operators") != operators
          || strcmp (vrg_cell_text (t, row, "rule"), rules[0]) != 0) /* no rule has been at work */
        continue;
      double input = coupling_of (data, vrg_cell_text (t, row, "operator"), vrg_cell (t, row, "nn"));
      double error = vrg_cell (t, row, "error"), pull = (vrg_cell (t, row, "value") - input) / error;
      if (!(error > 0) || !isfinite (pull))
        continue;
      count_pull (all, pull);
      if (worst_row < 0 || fabs (pull) > fabs (worst))
        {
          worst = pull;
          worst_row = row;
          expected = input;
        }
    }
  if (worst_row < 0)
    return;
  const double sigma = vrg_cell (t, worst_row, "error");
  const int i = next_row (all);
  snprintf (all->row[i].what, sizeof all->row[i].what, "Couplings inferred at level 0, worst: %s at $K$ = %.6g",
            vrg_cell_text (t, worst_row, "operator"), vrg_cell (t, worst_row, "nn"));
  vrg_html_value (all->row[i].found, vrg_cell (t, worst_row, "value"), sigma);
  vrg_html_exact (all->row[i].expected, expected, sigma);
  snprintf (all->row[i].deviation, sizeof all->row[i].deviation, "%+.1f", worst);
  snprintf (all->row[i].percent, sizeof all->row[i].percent, "-");
  if (expected != 0)
    snprintf (all->row[i].percent, sizeof all->row[i].percent,
              percent_format (vrg_cell (t, worst_row, "value") / expected - 1),
              100 * (vrg_cell (t, worst_row, "value") / expected - 1));
  all->row[i].verdict = fabs (worst) <= VRG_PULL_LIMIT ? VRG_AGREES : VRG_DIFFERS;
  if (all->row[i].verdict == VRG_DIFFERS)
    vrg_report_warn (data,
                     "Configurations of one chain may be correlated more than the jackknife's blocks allow: raise "
                     "[sample] interval or configurations.",
                     "The couplings inferred at level 0 do not return the input (%+.1f standard deviations).", worst);
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

/** What to do about exponents of a rule that are off. */
static const char *
advice_of (const char *rule)
{
  return strncmp (rule, "learnt", 6) == 0 ? "The filter may not have been trained long enough: look at the training "
                                            "curves, raise [train] epochs."
         : strcmp (rule, "decimation") == 0
           ? "Nothing: decimation has no fixed point of short range, so this is to be expected."
           : "Too few operators or too small a lattice: add to [flow] even and odd, or raise [lattice] size.";
}

/** Exponents at the critical ensemble of each rule, with all operators that could be used. */
static void
judge_exponents (vrg_report_data *data, vrg_findings_all *all)
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
      const int f = next_row (all);
      snprintf (all->row[f].what, sizeof all->row[f].what, "$%s$, %s rule, level %d, %g operators", symbol, rule, level,
                vrg_cell (t, row, "operators"));
      vrg_html_value (all->row[f].found, y, error);
      snprintf (all->row[f].expected, sizeof all->row[f].expected, "%.6g", exact);
      snprintf (all->row[f].deviation, sizeof all->row[f].deviation, error > 0 ? "%+.1f" : "-", (y - exact) / error);
      snprintf (all->row[f].percent, sizeof all->row[f].percent, percent_format (percent / 100), percent);
      all->row[f].verdict = !(error < VRG_EXPONENT_LIMIT)                        ? VRG_UNCERTAIN
                            : fabs (y - exact) <= VRG_PULL_LIMIT * error         ? VRG_AGREES
                            : fabs (y - exact) <= VRG_EXPONENT_LIMIT + 3 * error ? VRG_NEARLY
                                                                                 : VRG_DIFFERS;
      if (all->row[f].verdict == VRG_DIFFERS)
        vrg_report_warn (data, advice_of (rule), "%s of the %s rule is %.2f away from the %s value.", symbol, rule,
                         fabs (y - exact), best == 3 ? "known" : "exact");
    }
}

/* ---- chains ---- */

static double
tau_of (const vrg_report_data *data, int row)
{
  const double energy = vrg_cell (data->sample, row, "tau_int_energy"), m2 = vrg_cell (data->sample, row, "tau_int_m2");
  return isfinite (energy) && isfinite (m2) ? fmax (energy, m2) : (double) NAN;
}

double
vrg_summary_independent (const vrg_report_data *data, int row)
{
  const double tau = tau_of (data, row), n = vrg_cell (data->sample, row, "configurations");
  return data->input_good && isfinite (tau) ? n / fmax (1, 2 * tau / (double) data->input.interval) : (double) NAN;
}

double
vrg_summary_thermalization (const vrg_report_data *data, int row)
{
  return data->input_good ? (double) data->input.thermalization / tau_of (data, row) : (double) NAN;
}

/** Whether the chains were long enough for their errors to be believed. */
static void
judge_chains (vrg_report_data *data, vrg_findings_all *all)
{
  const vrg_table_data *t = data->sample;
  all->least_independent = all->least_thermalization = INFINITY;
  for (int row = 0; t != NULL && row < t->rows; row++)
    {
      const double nn = vrg_cell (t, row, "nn"), tau = tau_of (data, row), thermal = vrg_cell (t, row, "thermal");
      const double independent = vrg_summary_independent (data, row), start = vrg_summary_thermalization (data, row);
      all->chains++;
      all->most_thermal = fmax (all->most_thermal, thermal); /* nan is passed over */
      all->least_independent = fmin (all->least_independent, independent);
      all->least_thermalization = fmin (all->least_thermalization, start);
      all->short_chains += thermal > VRG_PULL_LIMIT || start < THERMALIZATION || independent < INDEPENDENT
                           || (data->input_good && !isfinite (tau));
      if (thermal > VRG_PULL_LIMIT)
        vrg_report_warn (
          data, "Raise [sample] thermalization; with a local algorithm take cluster instead.",
          "K = %.6g: the first tenth of the series differs from the second half by %.1f standard errors: "
          "more thermalization is needed.",
          nn, thermal);
      if (!data->input_good)
        continue;
      if (!isfinite (tau))
        vrg_report_warn (
          data, "Raise [sample] configurations, or take fewer chains.",
          "K = %.6g: too few measurements for an autocorrelation time; its errors take samples of a chain "
          "as they come.",
          nn);
      if (independent < INDEPENDENT)
        vrg_report_warn (data, "Raise [sample] configurations, or interval where configurations are dear.",
                         "K = %.6g: only about %.0f independent configurations (tau_int = %.3g sweeps); errors are "
                         "rough.",
                         nn, independent, tau);
      if (start < THERMALIZATION)
        vrg_report_warn (
          data, "Raise [sample] thermalization to 20 autocorrelation times or more.",
          "K = %.6g: thermalization of %lld sweeps is less than %d autocorrelation times of %.3g sweeps.", nn,
          (long long) data->input.thermalization, THERMALIZATION, tau);
    }
}

static void
judge_missing (vrg_report_data *data)
{
  const bool flow = !data->input_good || data->input.field == 0; /* there is none in a field */
  const struct
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
      vrg_report_warn (
        data, "`vrg run INPUT` with this directory goes on from here; sections without their table are left out.",
        "%s is missing: the %s stage is not finished here.", part[i].table, part[i].stage);
}

void
vrg_summary_judge (vrg_report_data *data, vrg_findings_all *all)
{
  memset (all, 0, sizeof *all);
  judge_missing (data);
  judge_thermal (data, all, "Energy", "energy", "energy_err", "exact_energy");
  judge_thermal (data, all, "Specific heat", "specific_heat", "specific_heat_err", "exact_specific_heat");
  judge_couplings (data, all);
  judge_exponents (data, all);
  judge_chains (data, all);
  vrg_training_judge (data);
}

/* ---- what was run ---- */

void
vrg_summary_title (const vrg_report_data *data, char *text, int size)
{
  static const char *const bodies[] = { "", "ring", "torus", "cube" };
  const vrg_input *in = &data->input;
  if (!data->input_good)
    {
      snprintf (text, (size_t) size, "Ising model");
      return;
    }
  int n = snprintf (text, (size_t) size, "Ising model on a %s of %lld", bodies[in->dimension], (long long) in->size[0]);
  for (int d = 1; d < in->n_size && n < size; d++)
    n += snprintf (text + n, (size_t) (size - n), " × %lld", (long long) in->size[d]);
  if (n < size)
    snprintf (text + n, (size_t) (size - n), " spins");
}

static void
put_couplings (FILE *page, const vrg_input *in)
{
  vrg_html_rich (page, "$K_{nn}$ = ");
  for (int k = 0; k < in->n_nn && k < 8; k++)
    fprintf (page, "%s%.6g", k ? ", " : "", in->nn[k]);
  if (in->n_nn > 8)
    fprintf (page, ", … %.6g (%d couplings)", in->nn[in->n_nn - 1], in->n_nn);
  const struct
  {
    double value;
    const char *name;
  } other[] = { { in->nnn, "; $K_{nnn}$ = " }, { in->plaquette, "; $K_{plaquette}$ = " }, { in->field, "; $h$ = " } };
  for (int i = 0; i < 3; i++)
    if (other[i].value != 0)
      {
        vrg_html_rich (page, other[i].name);
        fprintf (page, "%.6g", other[i].value);
      }
}

static void
put_model (FILE *page, const vrg_input *in)
{
  const bool dense = in->model == VRG_MODEL_DENSE;
  fprintf (page, "%s, ", in->n_hidden > 1 ? "stack of restricted Boltzmann machines" : "restricted Boltzmann machine");
  fprintf (page, dense ? "dense," : "convolution of side %lld, stride %lld,", (long long) in->filter,
           (long long) in->stride);
  for (int l = 0; l < in->n_hidden; l++)
    fprintf (page, "%s %lld", l ? "," : "", (long long) in->hidden[l]);
  fprintf (page, " %s%s; on ", dense ? "hidden unit" : "filter", in->n_hidden == 1 && in->hidden[0] == 1 ? "" : "s");
  vrg_html_rich (page, "$K$ =");
  for (int i = 0; i < in->n_coupling && i < 8; i++)
    fprintf (page, "%s %.6g", i ? "," : "", in->coupling[i]);
  fprintf (page, "%s; %lld epoch%s of %s-%lld%s, batches of %lld", in->n_coupling > 8 ? ", …" : "",
           (long long) in->epochs, in->epochs == 1 ? "" : "s", in->method == VRG_PCD ? "PCD" : "CD",
           (long long) in->steps, in->n_hidden > 1 ? " each layer" : "", (long long) in->batch);
}

/** The value of an attribute of the first or the last file that has it; NULL if there is none. */
static const char *
provenance_of (const vrg_report_data *data, const char *name, bool last)
{
  const char *value = NULL;
  for (int i = 0; i < data->n_provenance; i++)
    if (strcmp (data->provenance[i].name, name) == 0 && (last || value == NULL))
      value = data->provenance[i].value;
  return value;
}

static void
put_made (FILE *page, const vrg_report_data *data)
{
  const char *version = provenance_of (data, "version", true), *first = provenance_of (data, "date", false),
             *last = provenance_of (data, "date", true), *ranks = provenance_of (data, "ranks", true),
             *host = provenance_of (data, "host", true);
  if (version == NULL)
    return;
  vrg_html_element (page, "dt", "Made");
  fputs ("<dd>", page);
  vrg_html_text (page, first ? first : "");
  if (first != NULL && strcmp (first, last) != 0)
    {
      fputs (" to ", page);
      vrg_html_text (page, last);
    }
  fputs (" by vrg ", page);
  vrg_html_text (page, version);
  if (ranks != NULL)
    {
      fputs (", ", page);
      vrg_html_text (page, ranks);
      fputs (strcmp (ranks, "1") == 0 ? " rank" : " ranks", page);
      fputs (host ? " on " : "", page);
      vrg_html_text (page, host ? host : "");
    }
  fputs ("</dd>\n", page);
}

static void
what_was_run (FILE *page, const vrg_report_data *data)
{
  const vrg_input *in = &data->input;
  fputs ("<dl>\n", page);
  if (data->input_good)
    {
      fputs ("<dt>Lattice</dt><dd>", page);
      for (int d = 0; d < in->n_size; d++)
        fprintf (page, "%s%lld", d ? " × " : "", (long long) in->size[d]);
      fputs (", periodic</dd>\n<dt>Couplings</dt><dd>", page);
      put_couplings (page, in);
      fputs ("</dd>\n", page);
      vrg_html_element (page, "dt", "Configurations");
      vrg_html_element (page, "dd",
                        "%lld at each coupling, from %lld chain%s by the %s algorithm, %lld sweep%s apart after %lld "
                        "sweeps of thermalization; seed %lld",
                        (long long) in->configurations, (long long) in->chains, in->chains == 1 ? "" : "s",
                        vrg_param_algorithm_names[in->algorithm], (long long) in->interval,
                        in->interval == 1 ? "" : "s", (long long) in->thermalization, (long long) in->seed);
      if (in->model != VRG_MODEL_NONE && data->stack != NULL)
        {
          fputs ("<dt>Model</dt><dd>", page);
          put_model (page, in);
          fputs ("</dd>\n", page);
        }
      if (data->keys[VRG_REPORT_FILES - 1] != NULL)
        {
          fputs ("<dt>Block spins</dt><dd>", page);
          for (int i = 0; i < in->n_rules; i++)
            fprintf (page, "%s%s",
                     i == 0                 ? ""
                     : i == in->n_rules - 1 ? " and "
                                            : ", ",
                     vrg_param_rule_names[in->rules[i]]);
          fprintf (page, ", scale %lld, %lld levels</dd>\n", (long long) in->scale, (long long) vrg_input_depth (in));
        }
    }
  put_made (page, data);
  fputs ("</dl>\n", page);
}

/* ---- whether it can be believed ---- */

static void
card (FILE *page, const char *class, const char *head)
{
  fprintf (page, "<li class=\"%s\"><strong>%s</strong> ", class, head);
}

static void
chains_card (FILE *page, const vrg_findings_all *all)
{
  if (all->chains == 0)
    {
      card (page, "is-unknown", "Thermalised? Not known");
      fputs ("sample.tsv is not here.</li>\n", page);
      return;
    }
  if (all->short_chains == 0)
    card (page, "is-good", "Thermalised: yes");
  else
    card (page, "is-bad", "Thermalised: doubtful");
  if (all->short_chains > 0)
    fprintf (page, "%d of %d couplings need a look. ", all->short_chains, all->chains);
  if (isfinite (all->least_thermalization))
    fprintf (page, "Thermalization is at least %.3g autocorrelation times; ", all->least_thermalization);
  fprintf (page, "beginnings of the series differ from their ends by at most %.1f errors", all->most_thermal);
  if (isfinite (all->least_independent))
    fprintf (page, "; at least %.0f independent configurations", all->least_independent);
  fputs (".</li>\n", page);
}

static void
numbers_card (FILE *page, const vrg_findings_all *all)
{
  int differ = 0;
  for (int i = 0; i < all->n; i++)
    differ += all->row[i].verdict == VRG_DIFFERS;
  if (all->n == 0)
    {
      card (page, "is-unknown", "Exact values: none known here");
      fputs ("Nothing was found that could be compared.</li>\n", page);
      return;
    }
  if (differ == 0)
    card (page, "is-good", "Numbers agree with exact values");
  else
    card (page, "is-bad", "Numbers differ from exact values");
  if (all->compared > 0)
    {
      /* of n independent normal numbers one or more is as far out */
      const double chance = 100 * (1 - pow (1 - erfc (all->largest / sqrt (2)), all->compared));
      fprintf (page,
               "Of %d comparison%s of energies, specific heats and couplings, %d lie%s beyond two standard deviations "
               "(%.1f expected, were they independent); the "
               "largest is "
               "%.1f (chance makes one as large in ",
               all->compared, all->compared == 1 ? "" : "s", all->beyond_two, all->beyond_two == 1 ? "s" : "",
               0.0455 * all->compared, all->largest);
      fprintf (page, chance < 0.1 ? "less than 0.1 %% of such runs)." : "%.2g %% of such runs).", chance);
    }
  fputs ("</li>\n", page);
}

static void
warnings_card (FILE *page, const vrg_report_data *data)
{
  char head[48];
  snprintf (head, sizeof head, "%d warning%s", data->n_warnings, data->n_warnings == 1 ? "" : "s");
  if (data->n_warnings == 0)
    {
      card (page, "is-good", "No warnings.");
      fputs ("Nothing needs a look.</li>\n", page);
      return;
    }
  card (page, "is-bad", head);
  fputs ("<a href=\"#warnings\">What to look at, and what to do</a>.</li>\n", page);
}

/** By advice, each once. */
static void
warnings (FILE *page, const vrg_report_data *data)
{
  if (data->n_warnings == 0)
    return;
  fputs ("<div class=\"warnings\" id=\"warnings\"><h3>Warnings</h3>\n", page);
  for (int i = 0; i < data->n_warnings; i++)
    {
      const char *advice = data->warning[i].advice;
      bool before = false;
      for (int k = 0; k < i; k++)
        before = before || strcmp (data->warning[k].advice, advice) == 0;
      if (before)
        continue;
      fputs ("<ul>\n", page);
      for (int k = i; k < data->n_warnings; k++)
        if (strcmp (data->warning[k].advice, advice) == 0)
          vrg_html_element (page, "li", "%s", data->warning[k].text);
      fputs ("</ul>\n", page);
      vrg_html_element (page, "p", "→ %s", advice);
    }
  fputs ("</div>\n", page);
}

static void
findings_table (FILE *page, const vrg_report_data *data, const vrg_findings_all *all)
{
  static const char *const cells[] = { "td class=\"good\"", "td class=\"good\"", "td class=\"bad\"", "td" };
  static const char *const words[] = { "agrees", "near", "differs", "too uncertain to say" };
  if (all->n == 0)
    return;
  vrg_html_table_begin (page, "findings", all->n,
                        vrg_dimension_of (data) == 3 ? "Numbers whose value is known; in three dimensions exponents of "
                                                       "the conformal bootstrap."
                                                     : "Numbers whose exact value is known.",
                        NULL);
  vrg_html_heads (page, "quantity|found|known|deviation / error|in %|verdict");
  for (int i = 0; i < all->n; i++)
    {
      fputs ("<tr>", page);
      vrg_html_rich_element (page, "td", "%s", all->row[i].what);
      vrg_html_number_cell (page, all->row[i].found);
      vrg_html_number_cell (page, all->row[i].expected);
      vrg_html_number_cell (page, all->row[i].deviation);
      vrg_html_number_cell (page, all->row[i].percent);
      vrg_html_element (page, cells[all->row[i].verdict], "%s", words[all->row[i].verdict]);
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
  vrg_html_rich_element (
    page, "p class=\"faint\"",
    "Numbers in brackets are one standard deviation in the last digits. Agrees: within %g standard deviations. "
    "Exponents also carry the systematic error of a finite list of operators and of a finite lattice; near: within %g "
    "plus three standard deviations.",
    VRG_PULL_LIMIT, VRG_EXPONENT_LIMIT);
}

void
vrg_summary_section (FILE *page, const vrg_report_data *data, const vrg_findings_all *all)
{
  fputs ("<h2 id=\"summary\">Summary</h2>\n", page);
  what_was_run (page, data);
  fputs ("<ul class=\"cards\">\n", page);
  chains_card (page, all);
  numbers_card (page, all);
  warnings_card (page, data);
  fputs ("</ul>\n", page);
  findings_table (page, data, all);
  warnings (page, data);
}
