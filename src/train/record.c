/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a training run keeps. */
#include "train/record.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/table.h"

#define STAGE "train"
#define MOST_ARRAYS 11

vrg_record *
vrg_record_new (const vrg_layer *layer, int64_t epochs)
{
  vrg_record *record = vrg_new (1, sizeof *record, "a record");
  *record = (vrg_record){ .layer = layer, .epochs = epochs };
  record->moment1 = vrg_new (layer->parameters, sizeof (double), "moments");
  record->moment2 = vrg_new (layer->parameters, sizeof (double), "moments");
  record->rows = vrg_new (epochs * VRG_RECORD_COLUMNS, sizeof (double), "rows of a table");
  return record;
}

void
vrg_record_free (vrg_record *record)
{
  if (!record)
    return;
  vrg_free (record->moment1);
  vrg_free (record->moment2);
  vrg_free (record->rows);
  vrg_free (record);
}

void
vrg_record_gather (const vrg_grid *grid, vrg_record *record)
{
  vrg_sum_int64 (grid->world, &record->wrong_here, 1);
  record->wrong += record->wrong_here;
  record->wrong_here = 0;
}

/** Names of one set of parameters. */
typedef struct
{
  const char *weights, *visible, *hidden, *help;
} names;

static const names parameters = { "/weights", "/visible_bias", "/hidden_bias", "parameters before rounding (1)" };
static const names first
  = { "/moment1/weights", "/moment1/visible_bias", "/moment1/hidden_bias", "velocity, or mean of the gradient (1)" };
static const names second
  = { "/moment2/weights", "/moment2/visible_bias", "/moment2/hidden_bias", "mean of the squared gradient (1)" };

/** Weights, visible and hidden biases, as arrays.  writes: this rank's slab counts. */
static void
describe (const vrg_layer *layer, bool writes, const names *name, double *weights, double *visible, double *hidden,
          vrg_h5_array *array)
{
  const vrg_model *model = layer->model;
  const bool dense = model->type == VRG_MODEL_DENSE;
  const int64_t sites = dense ? model->rows * model->columns : 1, count = writes ? layer->visible_biases : 0;
  array[0] = (vrg_h5_array){ .name = name->weights,
                             .help = name->help,
                             .axes = dense ? "visible hidden" : "filter tap",
                             .type = VRG_F64,
                             .rank = 2,
                             .replicated = !dense,
                             .first = { model->visible0, 0 },
                             .count = { count, model->hidden },
                             .data = weights };
  array[0].dims[0] = dense ? sites : model->hidden;
  array[0].dims[1] = dense ? model->hidden : model->filter * model->filter;
  array[1] = (vrg_h5_array){ .name = name->visible,
                             .help = name->help,
                             .axes = "visible",
                             .type = VRG_F64,
                             .rank = 1,
                             .dims = { sites },
                             .replicated = !dense,
                             .first = { model->visible0 },
                             .count = { count },
                             .data = visible };
  array[2] = (vrg_h5_array){ .name = name->hidden,
                             .help = name->help,
                             .axes = "hidden",
                             .type = VRG_F64,
                             .rank = 1,
                             .dims = { model->hidden },
                             .replicated = true,
                             .data = hidden };
}

/** All arrays of a checkpoint; counters: updates and wrong spins. */
static void
describe_all (const vrg_record *record, bool writes, int64_t counters[2], vrg_h5_array array[MOST_ARRAYS])
{
  const vrg_layer *layer = record->layer;
  const vrg_model *model = layer->model;
  const int64_t visible = layer->weights, hidden = visible + layer->visible_biases;
  double *m = record->moment1, *q = record->moment2;
  describe (layer, writes, &parameters, model->weights, model->visible_bias, model->hidden_bias, array);
  describe (layer, writes, &first, m, m + visible, m + hidden, array + 3);
  describe (layer, writes, &second, q, q + visible, q + hidden, array + 6);
  array[9] = (vrg_h5_array){ .name = "/rows",
                             .help = "reconstruction error (1), pseudo-likelihood (nats per site), weight norm (1)",
                             .axes = "epoch column",
                             .type = VRG_F64,
                             .rank = 2,
                             .dims = { record->epochs, VRG_RECORD_COLUMNS },
                             .replicated = true,
                             .data = record->rows };
  array[10] = (vrg_h5_array){ .name = "/counters",
                              .help = "updates done, visible spins not reproduced in the epoch so far (1)",
                              .axes = "counter",
                              .type = VRG_I64,
                              .rank = 1,
                              .dims = { 2 },
                              .replicated = true,
                              .data = counters };
}

int
vrg_record_write (const vrg_grid *grid, vrg_record *record, const char *directory, const char *fingerprint,
                  int64_t total)
{
  vrg_h5_array array[MOST_ARRAYS];
  vrg_record_gather (grid, record);
  int64_t counters[2] = { record->updates, record->wrong };
  describe_all (record, grid->group == 0, counters, array);
  return vrg_checkpoint_write (grid, directory, STAGE, fingerprint, record->updates, total, MOST_ARRAYS, array);
}

int
vrg_record_read (const vrg_grid *grid, vrg_record *record, const char *directory, const char *fingerprint)
{
  vrg_h5_array array[MOST_ARRAYS];
  int64_t step, counters[2] = { 0, 0 };
  describe_all (record, true, counters, array);
  const int status = vrg_checkpoint_read (grid, directory, STAGE, fingerprint, &step, MOST_ARRAYS, array);
  if (status == VRG_OK && step >= 0)
    {
      record->updates = counters[0];
      record->wrong = counters[1];
    }
  return status;
}

/** Rank 0 alone. */
static int
write_table (const vrg_record *record, const char *directory, int64_t updates_per_epoch, int ranks)
{
  char comment[256], date[32];
  time_t now = time (NULL);
  strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
  snprintf (comment, sizeof comment, "vrg %s (%s) train, ranks %d, %s", vrg_version (), vrg_commit (), ranks, date);
  vrg_table *table = vrg_table_new (directory, "train.tsv",
                                    "layer epoch updates reconstruction_error pseudo_likelihood log_likelihood "
                                    "log_likelihood_err kl_per_site kl_per_site_err weight_norm",
                                    comment);
  for (int64_t e = 0; e < record->epochs; e++)
    {
      const double *row = record->rows + e * VRG_RECORD_COLUMNS;
      vrg_table_int (table, 1);
      vrg_table_int (table, e + 1);
      vrg_table_int (table, (e + 1) * updates_per_epoch);
      vrg_table_double (table, row[VRG_RECORD_RECONSTRUCTION]);
      vrg_table_double (table, row[VRG_RECORD_PSEUDO]);
      for (int k = 0; k < 4; k++)
        vrg_table_double (table, NAN);
      vrg_table_double (table, row[VRG_RECORD_NORM]);
    }
  return vrg_table_close (table, NULL);
}

int
vrg_record_table (const vrg_grid *grid, const vrg_record *record, const char *directory, int64_t updates_per_epoch)
{
  return vrg_agree (grid->world,
                    grid->rank == 0 ? write_table (record, directory, updates_per_epoch, grid->size) : VRG_OK);
}
