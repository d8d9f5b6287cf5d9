/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a run directory holds, read for the report. */
#include "report/data.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/h5.h"
#include "lattice/exact.h"

static const char *const provenance_names[]
  = { "version", "commit", "command", "date", "host", "ranks", "mpi", "hdf5", "gsl" };

void
vrg_report_warn (vrg_report_data *data, const char *format, ...)
{
  if (data->n_warnings == VRG_REPORT_WARNINGS)
    return;
  va_list list;
  va_start (list, format);
  vsnprintf (data->warning[data->n_warnings++], sizeof data->warning[0], format, list);
  va_end (list);
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

int
vrg_column_max (const vrg_table_data *table, const char *column)
{
  int max = -1;
  for (int row = 0; table != NULL && row < table->rows; row++)
    {
      double x = vrg_cell (table, row, column);
      if (x > max && x < 1e9)
        max = (int) x;
    }
  return max;
}

double
vrg_nearest_critical (const vrg_table_data *table)
{
  double best = NAN;
  for (int row = 0; table != NULL && row < table->rows; row++)
    {
      double nn = vrg_cell (table, row, "nn");
      if (isfinite (nn) && !(fabs (best - VRG_CRITICAL_2D) <= fabs (nn - VRG_CRITICAL_2D)))
        best = nn;
    }
  return best;
}

bool
vrg_is_critical (double nn)
{
  return fabs (nn - VRG_CRITICAL_2D) < 1e-5;
}

static bool
local_file_exists (const char *path)
{
  FILE *file = fopen (path, "r");
  return file != NULL && fclose (file) == 0;
}

static vrg_table_data *
read_table (vrg_report_data *data, const char *name)
{
  char path[VRG_PATH_LENGTH];
  vrg_table_data *table = NULL;
  snprintf (path, sizeof path, "%s/%s", data->directory, name);
  if (local_file_exists (path) && vrg_table_read (path, &table) != VRG_OK)
    {
      vrg_warn ("%s", vrg_error_text ());
      vrg_report_warn (data, "%s", vrg_error_text ());
      return NULL;
    }
  return table;
}

static void
read_input (vrg_report_data *data)
{
  char path[VRG_PATH_LENGTH];
  snprintf (path, sizeof path, "%s/input.ini", data->directory);
  FILE *file = fopen (path, "r");
  if (file == NULL)
    return;
  enum
  {
    CHUNK = 1 << 20
  }; /* far more than every key of the table takes */
  data->input_text = vrg_new (CHUNK + 1, 1, "the input's text");
  data->input_text[fread (data->input_text, 1, CHUNK, file)] = '\0';
  fclose (file);
  data->input_good = vrg_param_parse ("input.ini", data->input_text, 0, NULL, &data->input) == VRG_OK;
  if (!data->input_good)
    vrg_report_warn (data, "%s", vrg_error_text ());
}

/** Attributes of /provenance of one file; names that are not there are passed over.  Collective. */
static void
read_provenance (const vrg_grid *grid, vrg_report_data *data, const char *name)
{
  char path[VRG_PATH_LENGTH];
  vrg_h5 *file = NULL;
  snprintf (path, sizeof path, "%s/%s", data->directory, name);
  if (!vrg_file_exists (grid->world, path))
    return;
  if (vrg_h5_open (grid->file, path, VRG_H5_READ, &file) != VRG_OK)
    {
      vrg_report_warn (data, "%s", vrg_error_text ());
      return;
    }
  for (size_t i = 0; i < sizeof provenance_names / sizeof *provenance_names; i++)
    {
      char *value = NULL;
      int64_t number;
      if (data->n_provenance == VRG_REPORT_PROVENANCE || !vrg_h5_exists (file, "/provenance"))
        break;
      if (vrg_h5_get_text (file, "/provenance", provenance_names[i], &value) != VRG_OK)
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

int
vrg_report_data_read (const vrg_grid *grid, const char *directory, vrg_report_data *data)
{
  char path[VRG_PATH_LENGTH];
  int code = VRG_OK;
  memset (data, 0, sizeof *data);
  data->directory = directory;
  if (grid->rank == 0)
    {
      data->sample = read_table (data, "sample.tsv");
      data->train = read_table (data, "train.tsv");
      data->couplings = read_table (data, "couplings.tsv");
      data->exponents = read_table (data, "exponents.tsv");
      if (data->sample == NULL && data->train == NULL && data->couplings == NULL && data->exponents == NULL)
        code
          = vrg_error (VRG_FILE,
                       "%s: nothing to report on: none of sample.tsv, train.tsv, couplings.tsv, exponents.tsv can be "
                       "read (`vrg run INPUT --out %s` makes them)",
                       directory, directory);
      else
        read_input (data);
    }
  code = vrg_agree (grid->world, code);
  if (code != VRG_OK)
    return code;
  read_provenance (grid, data, "samples.h5");
  read_provenance (grid, data, "model.h5");
  read_provenance (grid, data, "flow.h5");
  snprintf (path, sizeof path, "%s/model.h5", directory);
  if (vrg_file_exists (grid->world, path) && vrg_model_read (grid, path, &data->model, NULL) != VRG_OK)
    {
      vrg_report_warn (data, "%s", vrg_error_text ());
      data->model = NULL;
    }
  return VRG_OK;
}

void
vrg_report_data_clear (vrg_report_data *data)
{
  vrg_table_free (data->sample);
  vrg_table_free (data->train);
  vrg_table_free (data->couplings);
  vrg_table_free (data->exponents);
  vrg_model_free (data->model);
  vrg_free (data->input_text);
  for (int i = 0; i < data->n_provenance; i++)
    vrg_free (data->provenance[i].value);
  memset (data, 0, sizeof *data);
}
