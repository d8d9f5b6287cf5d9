/* SPDX-License-Identifier: GPL-3.0-or-later
 * The page's section on training. */
#include "report/training.h"

#include <math.h>
#include <string.h>

#include "report/html.h"
#include "report/training-figures.h"

#define THERMAL_LIMIT 5.0 /* standard errors between chains from data and from random units */
#define IMPOSSIBLE 3.0    /* standard errors below 0 of a divergence */

/** The last row of train.tsv, of this layer, that has a divergence; -1 if none has. */
static int
last_divergence (const vrg_table_data *t, int layer)
{
  int last = -1;
  for (int row = 0; t != NULL && row < t->rows; row++)
    if (vrg_cell (t, row, "layer") == layer && isfinite (vrg_cell (t, row, "kl_per_site")))
      last = row;
  return last;
}

/** The row with these keys, -1 if there is none. */
static int
find (const vrg_table_data *t, int layers, const char *quantity, double distance)
{
  for (int row = 0; t != NULL && row < t->rows; row++)
    if (vrg_cell (t, row, "layers") == layers
        && (quantity == NULL
            || (strcmp (vrg_cell_text (t, row, "quantity"), quantity) == 0
                && vrg_cell (t, row, "distance") == distance)))
      return row;
  return -1;
}

/** value / error; nan without an error. */
static double
in_errors (const vrg_table_data *t, int row, const char *value, const char *error)
{
  const double sigma = vrg_cell (t, row, error);
  return sigma > 0 ? vrg_cell (t, row, value) / sigma : (double) NAN;
}

void
vrg_training_judge (vrg_report_data *data)
{
  const vrg_table_data *t = data->train;
  int worst = -1;
  for (int row = 0; t != NULL && row < t->rows; row++)
    {
      const double below = in_errors (t, row, "kl_per_site", "kl_per_site_err");
      if (below < -IMPOSSIBLE && (worst < 0 || below < in_errors (t, worst, "kl_per_site", "kl_per_site_err")))
        worst = row;
    }
  if (worst >= 0)
    vrg_report_warn (
      data, "Raise [train] ais_steps: annealing was too fast.",
      "ln Z is doubtful: the KL divergence of layer %s at epoch %s is %.1f standard errors below 0, which "
      "cannot be.",
      vrg_cell_text (t, worst, "layer"), vrg_cell_text (t, worst, "epoch"),
      -in_errors (t, worst, "kl_per_site", "kl_per_site_err"));
  for (int depth = 1; depth <= VRG_MAX_LAYERS; depth++)
    {
      const int row = find (data->model_samples, depth, "thermal", 0);
      const double thermal = row < 0 ? (double) NAN : vrg_cell (data->model_samples, row, "value");
      if (thermal > THERMAL_LIMIT)
        vrg_report_warn (data,
                         "Do not lean on the averages of these samples: chains of such a "
                         "model mix slowly, as those of a critical lattice do.",
                         "Samples of %d layer%s: chains started from the data and from random units differ by %.1f "
                         "standard errors: they have not come to equilibrium, and neither have their averages.",
                         depth, depth > 1 ? "s" : "", thermal);
    }
}

bool
vrg_training_any (const vrg_report_data *data)
{
  return data->train != NULL || data->fields != NULL || data->model_samples != NULL || data->stack != NULL;
}

/** Each layer in a line. */
static void
layers_table (FILE *page, const vrg_report_data *data)
{
  int layers = vrg_column_max (data->train, "layer"), fields = vrg_column_max (data->fields, "layer");
  layers = fields > layers ? fields : layers;
  if (layers < 1 || layers > VRG_MAX_LAYERS)
    return;
  vrg_html_table_begin (
    page, "layers", layers,
    "The trained layers. Fields: hidden units, or filters of a convolution; live: weight norm at least 5 % of the "
    "layer's largest. Radius: root mean square distance from the centre of a field, in lattice constants, beside that "
    "of weights spread evenly over the sites that a field has. Above the edge: singular values larger than independent "
    "random weights would have, as large as these "
    "or "
    "as at the start. KL: divergence at the end of the first layer's law from the exact one, in nats per site: 0 is "
    "perfect. Overlap $⟨v v'⟩$ per site of data $v$ and $v'$ drawn through the layers and back: 1 is perfect, 0 "
    "nothing "
    "kept.",
    NULL);
  vrg_html_heads (
    page, "layer|fields|live|median radius|no structure|above the edge|above the first edge|KL per site|overlap");
  for (int layer = 1; layer <= layers; layer++)
    {
      int live = 0, units = 0;
      const double radius = data->fields ? vrg_training_radius (data->fields, layer, &live, &units) : (double) NAN;
      const double without = vrg_training_structureless (data->learnt, layer);
      const int end = last_divergence (data->train, layer), rebuilt = find (data->reconstructions, layer, NULL, 0);
      const vrg_spectrum *s = layer <= data->spectra ? data->spectrum[layer - 1] : NULL;
      fputs ("<tr>", page);
      vrg_html_element (page, "td", "%d", layer);
      vrg_html_element (page, "td", units > 0 ? "%d" : "–", units);
      vrg_html_element (page, "td", units > 0 ? "%d" : "–", live);
      vrg_html_element (page, "td", isfinite (radius) ? "%.3g" : "–", radius);
      vrg_html_element (page, "td", isfinite (without) ? "%.3g" : "–", without);
      vrg_html_element (page, "td", s ? "%lld of %lld" : "–", s ? (long long) s->above : 0,
                        s ? (long long) s->values : 0);
      vrg_html_element (page, "td", s ? "%lld" : "–", s ? (long long) s->above_start : 0);
      vrg_html_value_cell (page, end < 0 ? (double) NAN : vrg_cell (data->train, end, "kl_per_site"),
                           end < 0 ? (double) NAN : vrg_cell (data->train, end, "kl_per_site_err"));
      vrg_html_value_cell (page, rebuilt < 0 ? (double) NAN : vrg_cell (data->reconstructions, rebuilt, "overlap"),
                           rebuilt < 0 ? (double) NAN : vrg_cell (data->reconstructions, rebuilt, "error"));
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
}

/** In words, what the numbers of the first layer and of the top say. */
static void
findings (FILE *page, const vrg_report_data *data)
{
  char value[64];
  const int end = last_divergence (data->train, 1);
  if (end >= 0)
    {
      const double kl = vrg_cell (data->train, end, "kl_per_site"),
                   error = vrg_cell (data->train, end, "kl_per_site_err");
      vrg_html_value (value, kl, error);
      vrg_html_element (page, "p",
                        "The first layer ended (epoch %s) with a divergence from the exact law of %s nats per site, %s",
                        vrg_cell_text (data->train, end, "epoch"), value,
                        !(error > 0)               ? "where 0 is perfect."
                        : fabs (kl) <= 2 * error   ? "which cannot be told from 0: perfect within its error."
                        : kl < -IMPOSSIBLE * error ? "which is below 0: ln Z is not to be trusted."
                                                   : "where 0 is perfect.");
    }
  const int layers = vrg_column_max (data->fields, "layer");
  if (data->fields == NULL || layers < 1 || layers > VRG_MAX_LAYERS)
    return;
  fputs ("<p>Median rms radius of live units:", page);
  for (int layer = 1; layer <= layers; layer++)
    {
      int live, units;
      const double radius = vrg_training_radius (data->fields, layer, &live, &units);
      fprintf (page, "%s layer %d: ", layer > 1 ? "," : "", layer);
      fprintf (page, isfinite (radius) ? "%.3g" : "none", radius);
      fprintf (page, " (%d of %d live", live, units);
      const double without = vrg_training_structureless (data->learnt, layer);
      fprintf (page, isfinite (without) ? "; without structure it is %.3g)" : ")", without);
    }
  fputs (".</p>\n", page);
}

/** model-samples.tsv: a row for each quantity, or distance of the two-point function; a column for each depth. */
static void
samples_table (FILE *page, const vrg_table_data *t, bool two_point)
{
  const int layers = vrg_column_max (t, "layers");
  int rows = 0;
  if (layers < 1 || layers > VRG_MAX_LAYERS)
    return;
  for (int row = 0; row < t->rows; row++)
    rows += vrg_cell (t, row, "layers") == 1 && (vrg_cell (t, row, "distance") > 0) == two_point;
  if (rows == 0)
    return;
  if (two_point)
    vrg_html_table_begin (page, "two-point", rows, "Two-point function of the samples and of the models.",
                          "model-samples.tsv");
  else
    vrg_html_table_begin (
      page, "averages", rows,
      "Averages of the models: Gibbs chains in the uppermost of so many layers, carried down to the "
      "lattice. Operators per site; thermal: chains started from the data against chains started "
      "from random units, in standard errors.",
      "model-samples.tsv");
  fputs ("<thead><tr><th scope=\"col\">quantity</th><th scope=\"col\">data</th><th scope=\"col\">exact</th>", page);
  for (int depth = 1; depth <= layers; depth++)
    vrg_html_element (page, "th scope=\"col\"", "%d layer%s", depth, depth > 1 ? "s" : "");
  fputs ("</tr></thead><tbody>\n", page);
  for (int row = 0; row < t->rows; row++)
    {
      const double distance = vrg_cell (t, row, "distance");
      const char *quantity = vrg_cell_text (t, row, "quantity");
      if (vrg_cell (t, row, "layers") != 1 || (distance > 0) != two_point)
        continue;
      fputs ("<tr>", page);
      if (two_point)
        vrg_html_element (page, "td", "⟨s s'⟩ of %s %g apart", strstr (quantity, "row") ? "rows" : "columns", distance);
      else
        vrg_html_name_cell (page, quantity);
      vrg_html_value_cell (page, vrg_cell (t, row, "data"), vrg_cell (t, row, "data_error"));
      vrg_html_exact_cell (page, vrg_cell (t, row, "exact"), vrg_cell (t, row, "data_error"));
      for (int depth = 1; depth <= layers; depth++)
        {
          const int other = find (t, depth, quantity, distance);
          vrg_html_value_cell (page, other < 0 ? (double) NAN : vrg_cell (t, other, "value"),
                               other < 0 ? (double) NAN : vrg_cell (t, other, "error"));
        }
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
}

/** A number without an error: four digits, or four behind the point. */
static void
plain_cell (FILE *page, bool fixed, double value)
{
  char text[64];
  snprintf (text, sizeof text, !isfinite (value) ? "-" : fixed ? "%.4f" : "%.4g", value);
  vrg_html_number_cell (page, text);
}

static void
epochs_table (FILE *page, const vrg_table_data *t)
{
  vrg_html_table_begin (page, "train", t->rows,
                        "Training by epoch; likelihoods and the divergence KL in nats, errors of one Gibbs step.",
                        "train.tsv");
  vrg_html_heads (
    page, "layer|epoch|updates|reconstruction error|pseudo-likelihood|log-likelihood|KL per site|weight norm|rate");
  for (int row = 0; row < t->rows; row++)
    {
      fputs ("<tr>", page);
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "layer"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "epoch"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "updates"));
      plain_cell (page, true, vrg_cell (t, row, "reconstruction_error"));
      plain_cell (page, true, vrg_cell (t, row, "pseudo_likelihood"));
      vrg_html_value_cell (page, vrg_cell (t, row, "log_likelihood"), vrg_cell (t, row, "log_likelihood_err"));
      vrg_html_value_cell (page, vrg_cell (t, row, "kl_per_site"), vrg_cell (t, row, "kl_per_site_err"));
      plain_cell (page, false, vrg_cell (t, row, "weight_norm"));
      plain_cell (page, false, vrg_cell (t, row, "learning_rate"));
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
}

/** Pictures that there are not, and why. */
static void
left_out (FILE *page, const vrg_report_data *data, vrg_figure *all)
{
  const bool dense = data->stack == NULL || data->stack->layer[0]->type == VRG_MODEL_DENSE;
  const struct
  {
    int figure;
    const char *what, *file;
    bool here, analysis;
  } parts[]
    = { { VRG_FIGURE_TRAINING, "Curves", "train.tsv", data->train != NULL, false },
        { VRG_FIGURE_RADII, "Sizes of the receptive fields", "fields.tsv", data->fields != NULL, true },
        { VRG_FIGURE_FIELDS, "Receptive fields", "learnt.h5", data->learnt != NULL, true },
        { VRG_FIGURE_SPECTRUM, "Singular values", "spectrum.h5", data->spectra > 0, true },
        { VRG_FIGURE_OVERLAP, "Principal components", "spectrum.h5", data->spectra > 0, true },
        { VRG_FIGURE_INTERACTIONS, "Couplings from the weights", "interactions.tsv", data->interactions != NULL, true },
        { VRG_FIGURE_TWO_POINT, "Two-point function", "model-samples.tsv", data->model_samples != NULL, true },
        { VRG_FIGURE_SAMPLES, "Samples of the models", "learnt.h5", data->learnt != NULL, true },
        { VRG_FIGURE_RECONSTRUCTIONS, "Reconstructions", "learnt.h5", data->learnt != NULL, true } };
  int n = 0;
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    {
      const bool of_dense = strcmp (parts[i].file, "spectrum.h5") == 0;
      const bool shown = parts[i].figure == VRG_FIGURE_FIELDS && all[VRG_FIGURE_FILTER].written;
      if (all[parts[i].figure].written || shown || (of_dense && !dense))
        continue;
      fputs (n++ == 0 ? "<p class=\"faint\">Left out:" : ";", page);
      fprintf (page, " %s (%s %s%s)", parts[i].what, parts[i].file,
               parts[i].here ? "has nothing to draw" : "is missing or cannot be read",
               parts[i].analysis && data->input_good && !data->input.analysis ? ": [train] analysis = no" : "");
    }
  if (n > 0)
    fputs (".</p>\n", page);
}

/** Pictures with a heading, if there are any. */
static void
figures_under (FILE *page, const vrg_report_data *data, vrg_figure *all, const char *head, int n, const int *which)
{
  bool any = false;
  for (int i = 0; i < n; i++)
    any = any || all[which[i]].drawn;
  if (any)
    vrg_html_element (page, "h3", "%s", head);
  vrg_figures_show (page, data, all, n, which);
}

void
vrg_training_section (FILE *page, const vrg_report_data *data, vrg_figure *all)
{
  if (!vrg_training_any (data))
    return;
  fputs ("<h2 id=\"training\">Training</h2>\n", page);
  findings (page, data);
  layers_table (page, data);
  left_out (page, data, all);
  vrg_figures_show (page, data, all, 3, (const int[]){ VRG_FIGURE_TRAINING, VRG_FIGURE_FILTER, VRG_FIGURE_RADII });
  if (data->train != NULL)
    epochs_table (page, data->train);
  int fields[VRG_MAX_LAYERS], spectra[2 * VRG_MAX_LAYERS];
  for (int k = 0; k < VRG_MAX_LAYERS; k++)
    {
      fields[k] = VRG_FIGURE_FIELDS + k;
      spectra[2 * k] = VRG_FIGURE_SPECTRUM + k;
      spectra[2 * k + 1] = VRG_FIGURE_OVERLAP + k;
    }
  figures_under (page, data, all, "Receptive fields", VRG_MAX_LAYERS, fields);
  figures_under (page, data, all, "Singular values and principal components", 2 * VRG_MAX_LAYERS, spectra);
  figures_under (
    page, data, all, "What the models stand for: couplings, samples, reconstructions", 4,
    (const int[]){ VRG_FIGURE_INTERACTIONS, VRG_FIGURE_TWO_POINT, VRG_FIGURE_SAMPLES, VRG_FIGURE_RECONSTRUCTIONS });
  if (data->model_samples == NULL)
    return;
  samples_table (page, data->model_samples, false);
  samples_table (page, data->model_samples, true);
}
