/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a run directory holds, read for the report. */
#include "report/data.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/h5.h"
#include "lattice/exact.h"

#define MODEL 1 /* in vrg_report_files */

const char *const vrg_report_files[VRG_REPORT_FILES] = { "samples.h5", "model.h5", "flow.h5" };

static const char *const provenance_names[]
  = { "version", "commit", "command", "date", "host", "ranks", "mpi", "hdf5", "gsl" };

void
vrg_report_warn (vrg_report_data *data, const char *advice, const char *format, ...)
{
  if (data->n_warnings == VRG_REPORT_WARNINGS)
    return;
  va_list list;
  va_start (list, format);
  vsnprintf (data->warning[data->n_warnings].text, sizeof data->warning[0].text, format, list);
  va_end (list);
  data->warning[data->n_warnings++].advice = advice;
}

/** The message remembered, in the log and on the page, once. */
static void
warn_error (vrg_report_data *data)
{
  for (int i = 0; i < data->n_warnings; i++)
    if (strncmp (data->warning[i].text, vrg_error_text (), sizeof data->warning[i].text - 1) == 0)
      return; /* known: the same file, read again */
  vrg_warn ("report: %s", vrg_error_text ());
  vrg_report_warn (
    data,
    "What is made from this file is left out or may not fit the rest: `vrg info` says what is wrong, and "
    "running the stage that makes it with --fresh makes it anew.",
    "%s", vrg_error_text ());
}

double
vrg_cell (const vrg_table_data *table, int row, const char *column)
{
  int c = vrg_table_column (table, column);
  return c < 0 ? (double) NAN : vrg_table_number (table, row, c);
}

const char *
vrg_cell_text (const vrg_table_data *table, int row, const char *column)
{
  int c = vrg_table_column (table, column);
  return c < 0 ? "" : table->cell[row * table->columns + c];
}

double
vrg_cell_pull (const vrg_table_data *table, int row, const char *value, const char *error, const char *exact)
{
  double sigma = vrg_cell (table, row, error);
  return sigma > 0 ? (vrg_cell (table, row, value) - vrg_cell (table, row, exact)) / sigma : (double) NAN;
}

/** The most that a column of counts can have: they end loops, and a table may say anything. */
static double
most_of (const char *column)
{
  static const struct
  {
    const char *column;
    double most;
  } counts[] = { { "level", 16 },
                 { "layer", VRG_MAX_LAYERS },
                 { "layers", VRG_MAX_LAYERS },
                 { "operators", VRG_MAX_OPERATORS },
                 { "step", 1000 } };
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    if (strcmp (column, counts[i].column) == 0)
      return counts[i].most;
  return 1e9;
}

int
vrg_column_max (const vrg_table_data *table, const char *column)
{
  int max = -1;
  for (int row = 0; table != NULL && row < table->rows; row++)
    {
      double x = vrg_cell (table, row, column);
      if (x > max && x <= most_of (column))
        max = (int) x;
    }
  return max;
}

int
vrg_distinct (const vrg_table_data *table, const char *column, const char *names[VRG_DISTINCT])
{
  int n = 0;
  for (int row = 0; table != NULL && row < table->rows && n < VRG_DISTINCT; row++)
    {
      const char *text = vrg_cell_text (table, row, column);
      int i = 0;
      while (i < n && strcmp (names[i], text) != 0)
        i++;
      if (i == n)
        names[n++] = text;
    }
  return n;
}

int
vrg_dimension_of (const vrg_report_data *data)
{
  return data->input_good ? (int) data->input.dimension : 2;
}

int
vrg_scale_of (const vrg_report_data *data)
{
  return data->input_good ? (int) data->input.scale : 2;
}

double
vrg_critical_of (const vrg_report_data *data)
{
  const vrg_input *in = &data->input;
  const int dimension = vrg_dimension_of (data);
  if (dimension == 1 || (data->input_good && (in->nnn != 0 || in->plaquette != 0 || in->field != 0)))
    return NAN;
  return dimension == 2 ? VRG_CRITICAL_2D : VRG_CRITICAL_3D;
}

double
vrg_nearest_critical (const vrg_report_data *data, const vrg_table_data *table)
{
  const double critical = vrg_critical_of (data), aim = isfinite (critical) ? critical : 1e9;
  double best = NAN;
  for (int row = 0; table != NULL && row < table->rows; row++)
    {
      double nn = vrg_cell (table, row, "nn");
      if (isfinite (nn) && !(fabs (best - aim) <= fabs (nn - aim)))
        best = nn;
    }
  return best;
}

bool
vrg_is_critical (const vrg_report_data *data, double nn)
{
  return fabs (nn - vrg_critical_of (data)) < 1e-5;
}

double
vrg_exponent_of (const vrg_report_data *data, bool odd)
{
  const double values[][2] = { { NAN, NAN }, { 1, 1.875 }, { 1.587375, 2.481851 } };
  return values[vrg_dimension_of (data) - 1][odd];
}

static bool
local_file_exists (const char *path)
{
  return access (path, R_OK) == 0;
}

static vrg_table_data *
read_table (vrg_report_data *data, const char *name)
{
  char path[VRG_PATH_LENGTH];
  vrg_table_data *table = NULL;
  snprintf (path, sizeof path, "%s/%s", data->directory, name);
  if (local_file_exists (path) && vrg_table_read (path, &table) != VRG_OK)
    {
      warn_error (data);
      return NULL;
    }
  return table;
}

static const char *const table_names[] = { "sample.tsv",          "operators.tsv",    "train.tsv",
                                           "fields.tsv",          "interactions.tsv", "model-samples.tsv",
                                           "reconstructions.tsv", "couplings.tsv",    "exponents.tsv",
                                           "eigenvalues.tsv",     "fit.tsv",          "derivatives.tsv",
                                           "surface.tsv",         "matching.tsv",     "rbm-flow.tsv",
                                           "rbm-stationary.tsv",  "mapping.tsv" };
#define TABLES ((int) (sizeof table_names / sizeof *table_names))

/** Where the i-th of them goes. */
static vrg_table_data **
table_at (vrg_report_data *d, int i)
{
  vrg_table_data **const at[TABLES]
    = { &d->sample,          &d->operators, &d->train,     &d->fields,         &d->interactions, &d->model_samples,
        &d->reconstructions, &d->couplings, &d->exponents, &d->eigenvalues,    &d->fit,          &d->derivatives,
        &d->surface,         &d->matching,  &d->rbm_flow,  &d->rbm_stationary, &d->mapping };
  return at[i];
}

static void
free_spectra (vrg_report_data *data)
{
  for (int k = 0; k < data->spectra; k++)
    vrg_spectrum_free (data->spectrum[k]);
  vrg_free (data->spectrum);
  data->spectrum = NULL;
  data->spectra = 0;
}

/** A line "section.key = value" of `text` with the key of `line`? */
static bool
has_key (const char *text, const char *line)
{
  const size_t length = strcspn (line, "=\n");
  for (; *text; text += strcspn (text, "\n"), text += *text == '\n')
    if (strncmp (text, line, length) == 0 && text[length] == '=')
      return true;
  return false;
}

/** The lines of a fingerprint whose keys another one has, or has not. */
static char *
select_lines (const char *text, const char *other, bool has)
{
  char *selected = vrg_new ((int64_t) strlen (text) + 1, 1, "a fingerprint"), *end = selected;
  for (const char *line = text; *line;)
    {
      size_t length = strcspn (line, "\n");
      length += line[length] == '\n';
      if (has_key (other, line) == has)
        {
          memcpy (end, line, length);
          end += length;
        }
      line += length;
    }
  return selected;
}

/** Was the later file made from another one than the earlier one that is there? */
static void
compare (vrg_report_data *data, int later, int earlier)
{
  if (data->keys[later] == NULL || data->keys[earlier] == NULL)
    return;
  char difference[256], *was = select_lines (data->keys[later], data->keys[earlier], true),
                        *is = select_lines (data->keys[earlier], data->keys[later], true);
  vrg_param_difference (was, is, difference, sizeof difference);
  vrg_free (was);
  vrg_free (is);
  if (!*difference)
    return;
  vrg_error (VRG_FILE, "%s was made from another %s than the one here: %s", vrg_report_files[later],
             vrg_report_files[earlier], difference);
  warn_error (data);
}

/** From the whole fingerprints: warnings where they disagree, the lines that the page shows, and the input. */
static void
read_input (vrg_report_data *data)
{
  compare (data, 1, 0);
  compare (data, 2, 0);
  compare (data, 2, 1);
  int64_t bytes = 1;
  for (int f = 0; f < VRG_REPORT_FILES; f++)
    {
      for (int later = f + 1; later < VRG_REPORT_FILES && data->keys[f] != NULL; later++)
        if (data->keys[later] != NULL)
          {
            char *own = select_lines (data->keys[f], data->keys[later], false);
            vrg_free (data->keys[f]);
            data->keys[f] = own;
          }
      bytes += data->keys[f] ? (int64_t) strlen (data->keys[f]) + 1 : 0;
    }
  char *text = vrg_new (bytes, 1, "the input's text"), *end = text, *rest;
  const char **set = vrg_new (bytes, sizeof *set, "the input's lines");
  int n_set = 0;
  for (int f = 0; f < VRG_REPORT_FILES; f++)
    if (data->keys[f] != NULL)
      end = stpcpy (stpcpy (end, data->keys[f]), "\n");
  for (char *line = strtok_r (text, "\n", &rest); line != NULL; line = strtok_r (NULL, "\n", &rest))
    set[n_set++] = line;
  data->input_good = n_set > 0 && vrg_param_parse ("", "", n_set, set, &data->input) == VRG_OK;
  if (n_set > 0 && !data->input_good)
    {
      vrg_error (VRG_FILE, "The parameters in the files' attributes `fingerprint` make no input: %s",
                 vrg_error_text ());
      warn_error (data);
    }
  vrg_free (set);
  vrg_free (text);
}

/** The fingerprint of file f, and its attributes of /provenance; names that are not there are passed over.
 *  Collective. */
static void
read_attributes (const vrg_grid *grid, vrg_report_data *data, int f)
{
  const char *name = vrg_report_files[f];
  char path[VRG_PATH_LENGTH];
  vrg_h5 *file = NULL;
  snprintf (path, sizeof path, "%s/%s", data->directory, name);
  if (!vrg_file_exists (grid->world, path))
    return;
  if (vrg_h5_open (grid->file, path, VRG_H5_READ, &file) != VRG_OK)
    {
      warn_error (data);
      return;
    }
  if (vrg_h5_get_text (file, "/", "fingerprint", &data->keys[f]) != VRG_OK)
    warn_error (data);
  for (size_t i = 0; i < sizeof provenance_names / sizeof *provenance_names; i++)
    {
      char *value = NULL;
      int64_t number;
      if (data->n_provenance == VRG_REPORT_PROVENANCE || !vrg_h5_exists (file, "/provenance"))
        break;
      if (strcmp (provenance_names[i], "ranks") != 0)
        {
          if (vrg_h5_get_text (file, "/provenance", provenance_names[i], &value) != VRG_OK)
            continue;
        }
      else
        {
          if (vrg_h5_get_int (file, "/provenance", provenance_names[i], &number) != VRG_OK)
            continue;
          value = vrg_new (32, 1, "provenance");
          snprintf (value, 32, "%lld", (long long) number);
        }
      data->provenance[data->n_provenance].file = name;
      data->provenance[data->n_provenance].name = provenance_names[i];
      data->provenance[data->n_provenance++].value = value;
    }
  vrg_h5_close (file);
}

/** learnt.h5 and spectrum.h5, of the model.h5 that is there.  Collective. */
static void
read_analysis (const vrg_grid *grid, vrg_report_data *data)
{
  char path[VRG_PATH_LENGTH], difference[256] = "", *fingerprint = NULL;
  snprintf (path, sizeof path, "%s/learnt.h5", data->directory);
  if (vrg_file_exists (grid->world, path)
      && vrg_report_learnt_read (grid, path, data->keys[MODEL], &data->learnt) != VRG_OK)
    warn_error (data);
  snprintf (path, sizeof path, "%s/spectrum.h5", data->directory);
  if (!vrg_file_exists (grid->world, path))
    return;
  int code = vrg_spectrum_read (grid->file, path, &data->spectra, &data->spectrum, &fingerprint);
  if (code == VRG_OK && data->keys[MODEL] != NULL)
    vrg_param_difference (fingerprint, data->keys[MODEL], difference, sizeof difference);
  vrg_free (fingerprint);
  if (*difference)
    code = vrg_error (VRG_FILE, "%s is not of the model.h5 here: %s", path, difference);
  if (code == VRG_OK)
    return;
  warn_error (data);
  free_spectra (data);
}

int
vrg_report_data_read (const vrg_grid *grid, const char *directory, vrg_report_data *data)
{
  char path[VRG_PATH_LENGTH];
  int code = VRG_OK;
  memset (data, 0, sizeof *data);
  data->directory = directory;
  if (grid->rank == 0)
    {
      for (int i = 0; i < TABLES; i++)
        *table_at (data, i) = read_table (data, table_names[i]);
      if (data->sample == NULL && data->train == NULL && data->couplings == NULL && data->exponents == NULL)
        code
          = vrg_error (VRG_FILE,
                       "%s: nothing to report on: none of sample.tsv, train.tsv, couplings.tsv, exponents.tsv can be "
                       "read (`vrg run INPUT --out %s` makes them)",
                       directory, directory);
    }
  code = vrg_agree (grid->world, code);
  if (code != VRG_OK)
    return code;
  for (int f = 0; f < VRG_REPORT_FILES; f++)
    read_attributes (grid, data, f);
  read_analysis (grid, data);
  if (grid->rank == 0)
    read_input (data);
  snprintf (path, sizeof path, "%s/model.h5", directory);
  if (vrg_file_exists (grid->world, path) && vrg_model_read (grid, path, &data->stack, NULL) != VRG_OK)
    {
      warn_error (data);
      data->stack = NULL;
    }
  snprintf (path, sizeof path, "%s/samples.h5", directory);
  if (vrg_file_exists (grid->world, path)
      && vrg_report_blocks_read (grid, directory, data->input_good ? &data->input : NULL, &data->blocks) != VRG_OK)
    warn_error (data);
  return VRG_OK;
}

void
vrg_report_data_clear (vrg_report_data *data)
{
  for (int i = 0; i < TABLES; i++)
    vrg_table_free (*table_at (data, i));
  vrg_stack_free (data->stack);
  vrg_report_learnt_free (data->learnt);
  vrg_report_blocks_free (data->blocks);
  free_spectra (data);
  for (int f = 0; f < VRG_REPORT_FILES; f++)
    vrg_free (data->keys[f]);
  for (int i = 0; i < data->n_provenance; i++)
    vrg_free (data->provenance[i].value);
  memset (data, 0, sizeof *data);
}
