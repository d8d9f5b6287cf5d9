/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a training run keeps. */
#include "train/record.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/table.h"

#define STAGE "train"

vrg_record *
vrg_record_new (const vrg_grid *grid, const vrg_input *input, const char *directory, const char *fingerprint)
{
  vrg_record *r = vrg_new (1, sizeof *r, "a record");
  *r = (vrg_record){ .grid = grid, .input = input, .directory = directory, .fingerprint = fingerprint };
  r->stack = vrg_new (1, sizeof *r->stack, "a stack of models");
  r->stack->n_nn = input->n_coupling;
  memcpy (r->stack->nn, input->coupling, sizeof input->coupling);
  return r;
}

void
vrg_record_free (vrg_record *r)
{
  if (!r)
    return;
  vrg_trainer_free (r->trainer);
  vrg_stack_free (r->stack);
  vrg_free (r->rows);
  vrg_free (r);
}

int64_t
vrg_record_updates (const vrg_record *r)
{
  return r->finished * r->per_layer + (r->trainer ? r->trainer->updates : 0);
}

/** Layer `number`, which comes next, with its first weights. */
static int
add_layer (vrg_record *r, int number)
{
  vrg_rng rng;
  vrg_stack *stack = r->stack;
  vrg_rng_init (&rng, (uint64_t) r->input->seed, (uint32_t) number, VRG_USE_TRAIN);
  const int status = vrg_layer_start (r->input, number, number > 0 ? stack->layer[number - 1] : NULL, r->grid->strips,
                                      r->grid->strip, &rng, &stack->layer[number]);
  if (status == VRG_OK)
    stack->layers = number + 1;
  return status;
}

/** `finished` layers are there; the trainer of the next one, if there is one. */
static int
start_layer (vrg_record *r, int finished, vrg_dataset *dataset)
{
  vrg_trainer_free (r->trainer);
  r->trainer = NULL;
  r->finished = finished;
  if (finished == r->input->n_hidden)
    return VRG_OK;
  const int status = add_layer (r, finished);
  if (status == VRG_OK)
    {
      r->trainer = vrg_trainer_new (r->grid, r->input, dataset, finished, r->stack->layer[finished]);
      vrg_trainer_resume (r->trainer, 0);
    }
  return status;
}

static void
add_rows (vrg_record *r, int64_t n)
{
  if (r->n_rows + n > r->room)
    {
      const int64_t room = 2 * (r->n_rows + n);
      double *rows = vrg_new (room * VRG_ROW_COLUMNS, sizeof *rows, "rows of a table");
      for (int64_t i = 0; i < r->n_rows * VRG_ROW_COLUMNS; i++)
        rows[i] = r->rows[i];
      vrg_free (r->rows);
      r->rows = rows;
      r->room = room;
    }
  r->n_rows += n;
}

bool
vrg_record_row_due (const vrg_record *r)
{
  int64_t epochs = r->trainer->updates / r->trainer->dataset->updates;
  for (int l = 0; l < r->finished; l++)
    epochs += r->stack->layer[l]->epochs;
  return vrg_trainer_at_epoch (r->trainer) && r->n_rows < epochs;
}

bool
vrg_record_epoch (vrg_record *r)
{
  const int64_t epoch = r->trainer->updates / r->trainer->dataset->updates;
  add_rows (r, 1);
  const bool going = vrg_trainer_epoch (r->trainer, r->rows + (r->n_rows - epoch) * VRG_ROW_COLUMNS, epoch);
  r->n_rows -= vrg_stop_agreed (r->grid->stop);
  return going;
}

int
vrg_record_climb (const vrg_record *r, vrg_dataset *dataset, int number)
{
  vrg_rng rng;
  vrg_layer *layer = vrg_layer_new (r->stack->layer[number], r->grid->strips > 1 ? r->grid->strip_comm : MPI_COMM_NULL);
  int status = VRG_OK;
  vrg_rng_init (&rng, (uint64_t) r->input->seed, (uint32_t) number, VRG_USE_STACK);
  if (vrg_layer_round (layer))
    vrg_dataset_climb (dataset, r->grid, layer, &rng);
  else
    status = vrg_error (
      VRG_FILE, "%s: the weights of layer %d are too large; lower [train] learning_rate, or train again with --fresh",
      r->directory, number + 1);
  vrg_layer_free (layer);
  return status;
}

int
vrg_record_next (vrg_record *r, vrg_dataset *dataset)
{
  vrg_trainer *t = r->trainer;
  vrg_trainer_finish (t);
  t->layer->model->epochs = t->updates / dataset->updates;
  t->layer->model->updates = t->updates;
  const int status = r->finished + 1 < r->input->n_hidden ? vrg_record_climb (r, dataset, r->finished) : VRG_OK;
  return status == VRG_OK ? start_layer (r, r->finished + 1, dataset) : status;
}

/* ---------------------------------------------------------------- checkpoints */

/** Counters of a checkpoint. */
enum
{
  FINISHED,
  UPDATES,
  WRONG,
  ROWS,
  DIVERGED,
  COUNTERS = DIVERGED + 1 + 2 * VRG_MAX_LAYERS /* epochs and updates of each finished layer */
};

#define SETS (VRG_MAX_LAYERS + 5) /* good, two moments, average, centre */

/** The arrays of a checkpoint, and what they point to. */
typedef struct
{
  vrg_record *record;
  vrg_dataset *dataset;
  bool writes;
  int n;
  vrg_h5_array array[VRG_MODEL_ARRAYS * SETS + 3];
  int sets;
  vrg_model_arrays set[SETS];
  int64_t counters[COUNTERS];
  uint64_t *units; /* persistent chains of a layer on a dense one: all its units */
} content;

static vrg_h5_array
counters_array (content *c)
{
  return (vrg_h5_array){ .name = "/counters",
                         .help = "finished layers; updates done of the next one, visible units not reproduced in its "
                                 "epoch so far; rows; 1 if it diverged; epochs and updates of each finished layer (1)",
                         .axes = "counter",
                         .type = VRG_I64,
                         .rank = 1,
                         .dims = { COUNTERS },
                         .replicated = true,
                         .data = c->counters };
}

/** Numbers of a model's shape, from place `from` of its arrays on; NULL data: not kept. */
static void
add_set (content *c, const vrg_model *model, int number, const char *name, int from, double *const data[VRG_PARTS])
{
  char group[48];
  vrg_model_arrays *set = &c->set[c->sets++];
  snprintf (group, sizeof group, "/layer-%d%s", number + 1, name);
  vrg_model_describe (model, group, !c->writes || c->record->grid->group == 0, set);
  for (int i = from; i < VRG_MODEL_ARRAYS; i++)
    {
      c->array[c->n] = set->array[i];
      c->array[c->n++].data = data[i];
    }
}

/** Persistent chains, packed as samples are; chain numbers are positions', whoever holds them. */
static void
add_chains (content *c)
{
  const vrg_trainer *t = c->record->trainer;
  const vrg_grid *grid = c->record->grid;
  const vrg_layer *layer = t->layer;
  const vrg_model *model = layer->model;
  const vrg_dataset *d = t->dataset;
  const int64_t words = (model->columns + 63) / 64, first = t->chains * d->position0,
                n = t->chains * (d->position1 - d->position0);
  const bool units = model->rows == 1 && model->type == VRG_MODEL_DENSE;
  uint64_t *chains = vrg_gradient_chains (t->gradient);
  if (units) /* whole rows, which no strip need begin at a word's start */
    {
      c->units = vrg_new (n * words, sizeof *c->units, "persistent chains");
      for (int64_t s = 0; c->writes && s < n; s++)
        vrg_bits_put (c->units + s * words, model->visible0, chains + s * words, layer->sites);
      if (c->writes && grid->strips > 1)
        vrg_sum_int64 (grid->strip_comm, (int64_t *) c->units, n * words);
    }
  const bool part = !units || !c->writes || grid->strip == 0;
  const int64_t row0 = units ? 0 : layer->row0, row1 = units ? 1 : layer->row1;
  c->array[c->n++] = (vrg_h5_array){ .name = "/chains",
                                     .help = "persistent chains, bit = 1 for +1 (1)",
                                     .axes = "chain row word",
                                     .type = VRG_U64,
                                     .rank = 3,
                                     .dims = { c->record->input->persistent, model->rows, words },
                                     .first = { first, row0, 0 },
                                     .count = { part ? n : 0, row1 - row0, words },
                                     .data = units ? c->units : chains };
}

/** All arrays; the layers and the trainer are there. */
static void
describe (content *c)
{
  vrg_record *r = c->record;
  vrg_trainer *t = r->trainer;
  c->n = c->sets = 0;
  c->array[c->n++] = counters_array (c);
  if (r->n_rows > 0)
    c->array[c->n++] = (vrg_h5_array){ .name = "/rows",
                                       .help = "rows of train.tsv, with its columns (1, nats)",
                                       .axes = "row column",
                                       .type = VRG_F64,
                                       .rank = 2,
                                       .dims = { r->n_rows, VRG_ROW_COLUMNS },
                                       .replicated = true,
                                       .data = r->rows };
  for (int l = 0; l < r->stack->layers; l++)
    {
      vrg_model *m = r->stack->layer[l];
      add_set (c, m, l, "", 0, (double *const[]){ m->weights, m->visible_bias, m->hidden_bias });
    }
  if (t == NULL)
    return;
  const vrg_model *m = t->layer->model;
  add_set (c, m, t->number, "/good", 0, t->good.part);
  if (r->input->optimiser == VRG_ADAM || r->input->momentum > 0)
    add_set (c, m, t->number, "/moment1", 0, t->moment1.part);
  if (r->input->optimiser == VRG_ADAM)
    add_set (c, m, t->number, "/moment2", 0, t->moment2.part);
  if (r->input->average > 0)
    add_set (c, m, t->number, "/average", 0, t->average.part);
  if (r->input->centering)
    add_set (c, m, t->number, "/centre", 1, (double *const[]){ NULL, t->centre.visible, t->centre.hidden });
  if (t->chains > 0)
    add_chains (c);
}

int
vrg_record_write (vrg_record *r)
{
  vrg_trainer *t = r->trainer;
  content *c = vrg_new (1, sizeof *c, "a checkpoint");
  *c = (content){ .record = r, .writes = true };
  if (t)
    vrg_trainer_gather (t);
  c->counters[FINISHED] = r->finished;
  c->counters[UPDATES] = t ? t->updates : 0;
  c->counters[WRONG] = t ? t->wrong : 0;
  c->counters[ROWS] = r->n_rows;
  c->counters[DIVERGED] = r->diverged;
  for (int l = 0; l < r->finished; l++)
    {
      c->counters[DIVERGED + 1 + 2 * l] = r->stack->layer[l]->epochs;
      c->counters[DIVERGED + 2 + 2 * l] = r->stack->layer[l]->updates;
    }
  describe (c);
  const int status = vrg_checkpoint_write (r->grid, r->directory, STAGE, r->fingerprint, vrg_record_updates (r),
                                           r->per_layer * r->input->n_hidden, c->n, c->array);
  vrg_free (c->units);
  vrg_free (c);
  return status;
}

/** Can a run have come to these counters?  Places in arrays and ends of loops follow from them. */
static bool
counters_good (const content *c)
{
  const vrg_record *r = c->record;
  const int64_t *n = c->counters, of_epoch = c->dataset->updates;
  const bool all = n[FINISHED] == r->input->n_hidden;
  bool good = n[FINISHED] >= 0 && n[FINISHED] <= r->input->n_hidden && n[UPDATES] >= 0 && n[WRONG] >= 0
              && n[UPDATES] <= (all ? 0 : r->per_layer) && (n[DIVERGED] == 0 || (n[DIVERGED] == 1 && n[UPDATES] > 0));
  if (!good)
    return false;
  int64_t rows = of_epoch > 0 ? n[UPDATES] / of_epoch : 0;
  for (int l = 0; l < n[FINISHED] && good; l++)
    {
      const int64_t *layer = n + DIVERGED + 1 + 2 * l;
      good = layer[0] >= 0 && layer[0] <= r->input->epochs && layer[1] == layer[0] * of_epoch;
      rows += layer[0];
    }
  const bool due
    = n[UPDATES] > 0 && n[UPDATES] % of_epoch == 0; /* as vrg_record_row_due has it, or diverged just then */
  const bool ends = n[UPDATES] > 0 && n[UPDATES] == r->per_layer && n[DIVERGED] == 0; /* its row ends the layer */
  return good && n[ROWS] <= rows - ends && n[ROWS] >= rows - due;
}

/** Make room for what a checkpoint holds. */
static int
plan (vrg_h5 *file, void *context, int *n, const vrg_h5_array **arrays)
{
  content *c = context;
  vrg_record *r = c->record;
  const vrg_h5_array counters = counters_array (c);
  int status = vrg_h5_read (file, &counters);
  if (status != VRG_OK)
    return status;
  if (!counters_good (c))
    return vrg_error (
      VRG_FILE, "%s: counters of a checkpoint of " STAGE " are out of range: it is damaged; train again with --fresh",
      r->directory);
  while (r->stack->layers > 0)
    vrg_model_free (r->stack->layer[--r->stack->layers]);
  for (int l = 0; l < c->counters[FINISHED] && status == VRG_OK; l++)
    {
      status = add_layer (r, l);
      if (status != VRG_OK)
        return status;
      r->stack->layer[l]->epochs = c->counters[DIVERGED + 1 + 2 * l];
      r->stack->layer[l]->updates = c->counters[DIVERGED + 2 + 2 * l];
    }
  r->n_rows = 0;
  add_rows (r, c->counters[ROWS]);
  status = start_layer (r, (int) c->counters[FINISHED], c->dataset);
  vrg_free (c->units);
  c->units = NULL;
  describe (c);
  *n = c->n;
  *arrays = c->array;
  return status;
}

/** What a checkpoint's arrays do not fill in themselves. */
static int
take_up (content *c)
{
  vrg_record *r = c->record;
  vrg_trainer *t = r->trainer;
  r->diverged = c->counters[DIVERGED] != 0;
  if (t != NULL)
    {
      const int64_t words = (t->layer->model->columns + 63) / 64,
                    n = t->chains * (t->dataset->position1 - t->dataset->position0);
      for (int64_t s = 0; c->units != NULL && s < n; s++)
        vrg_bits_take (vrg_gradient_chains (t->gradient) + s * words, c->units + s * words, t->layer->model->visible0,
                       t->layer->sites);
      t->wrong = c->counters[WRONG];
      if (!vrg_trainer_resume (t, c->counters[UPDATES]) && !r->diverged)
        return vrg_error (VRG_FILE,
                          "%s: the weights in the checkpoint of " STAGE
                          " are too large: it is damaged; train again with --fresh",
                          r->directory);
    }
  if (r->diverged)
    return vrg_record_diverged (r);
  int status = VRG_OK;
  for (int l = 0; l < r->finished && l + 1 < r->input->n_hidden && status == VRG_OK; l++)
    status = vrg_record_climb (r, c->dataset, l);
  return status;
}

int
vrg_record_open (vrg_record *r, vrg_dataset *dataset)
{
  int64_t step;
  content *c = vrg_new (1, sizeof *c, "a checkpoint");
  *c = (content){ .record = r, .dataset = dataset };
  r->per_layer = r->input->epochs * dataset->updates;
  int status = vrg_checkpoint_read_planned (r->grid, r->directory, STAGE, r->fingerprint, &step, plan, c);
  if (status == VRG_OK)
    status = step >= 0 ? take_up (c) : start_layer (r, 0, dataset);
  vrg_free (c->units);
  vrg_free (c);
  return status;
}

int
vrg_record_diverged (vrg_record *r)
{
  const vrg_trainer *t = r->trainer;
  VRG_ASSERT (t != NULL); /* counters_good has seen to it */
  const int64_t of_epoch = t->dataset->updates;
  if (!r->diverged)
    {
      r->diverged = true;
      vrg_parameters_copy (&t->masters, &t->good);
      const int status = vrg_record_write (r);
      if (status != VRG_OK)
        return status;
    }
  return vrg_error (
    VRG_USAGE,
    "training diverged in layer %d, epoch %lld, update %lld: the weights of a unit add up to %d or more, "
    "or are not numbers; lower [train] learning_rate, which is %g%s.  The parameters after epoch %lld "
    "are kept in the newer of %s/checkpoint-train.*.h5",
    t->number + 1, (long long) ((t->updates - 1) / of_epoch + 1), (long long) t->updates, VRG_LAYER_BOUND,
    r->input->learning_rate, r->input->optimiser == VRG_SGD && r->input->momentum > 0 ? ", or momentum" : "",
    (long long) ((t->updates - 1) / of_epoch), r->directory);
}

/* ---------------------------------------------------------------- the table */

/** Rank 0 alone. */
static int
write_table (const vrg_record *r)
{
  char comment[256], date[32];
  time_t now = time (NULL);
  strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
  snprintf (comment, sizeof comment, "vrg %s (%s) train, ranks %d, %s", vrg_version (), vrg_commit (), r->grid->size,
            date);
  vrg_table *table = vrg_table_new (r->directory, "train.tsv",
                                    "layer epoch updates reconstruction_error pseudo_likelihood log_likelihood "
                                    "log_likelihood_err kl_per_site kl_per_site_err weight_norm trace_spread "
                                    "learning_rate lnz_doubtful",
                                    comment);
  for (int64_t i = 0; i < r->n_rows; i++)
    for (int c = 0; c < VRG_ROW_COLUMNS; c++)
      {
        const double value = r->rows[i * VRG_ROW_COLUMNS + c];
        if (c <= VRG_ROW_UPDATES)
          vrg_table_int (table, (int64_t) value);
        else
          vrg_table_double (table, value);
      }
  return vrg_table_close (table, NULL);
}

int
vrg_record_table (const vrg_record *r)
{
  return vrg_agree (r->grid->world, r->grid->rank == 0 ? write_table (r) : VRG_OK);
}
