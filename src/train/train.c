/* SPDX-License-Identifier: GPL-3.0-or-later
 * The train stage: a stack of RBMs fitted to the samples, into model.h5 and train.tsv.
 *
 * 1. Open the samples, and read this rank's share: positions of the batch over groups, lattice rows over strips.
 * 2. Start from small random weights, or go to the layer and update of the newest checkpoint.
 * 3. For each update: contrastive divergence of the batch, summed over groups; move the parameters; round them.
 * 4. After an epoch: a row of the table.  When asked to: a checkpoint, and go on or stop.
 * 5. After the last epoch of a layer, or when patience is at its end: the hidden units drawn given the data are the data of
 *    the next layer, and 3. begins again.
 * 6. Write the table; look into the model; write it, remove the checkpoints: a model under its final name means that the
 *    stage is finished. */
#include "train/train.h"

#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "train/analysis.h"
#include "train/record.h"
#include "train/spectrum.h"

#define STAGE "train"

typedef struct
{
  const vrg_grid *grid;
  const vrg_input *input;
  const char *directory;
  char *fingerprint;
  vrg_stop *stop;
  vrg_rng rng; /* of the first layer's data */
  vrg_dataset *dataset;
  vrg_record *record;
} training;

/** 3. to 5. until every layer is finished.  Collective. */
static int
climb (training *t)
{
  vrg_record *record = t->record;
  const int layers = t->input->n_hidden;
  vrg_progress progress;
  vrg_progress_begin (&progress, "training", "updates", vrg_record_updates (record), layers * record->per_layer);
  vrg_stop_loop (t->stop);
  int status = VRG_OK;
  while (record->finished < layers && status == VRG_OK)
    {
      bool going = record->per_layer > 0;
      if (going && !vrg_record_row_due (record) && !vrg_trainer_update (record->trainer))
        status = vrg_record_diverged (record);
      else if (going && vrg_trainer_at_epoch (record->trainer))
        going = vrg_record_epoch (record);
      if (status == VRG_OK && !going)
        {
          status = vrg_record_next (record, t->dataset);
          t->stop->stepped = true; /* further than the run before, though nobody has polled */
        }
      vrg_progress_update (&progress, vrg_record_updates (record));
      const vrg_action action = going && status == VRG_OK ? vrg_stop_poll (t->stop) : VRG_GO;
      if (action != VRG_GO)
        {
          status = vrg_record_write (record);
          vrg_stop_saved (t->stop);
        }
      if (action == VRG_STOP && status == VRG_OK)
        status = VRG_STOPPED;
    }
  vrg_progress_end (&progress, vrg_record_updates (record));
  return status;
}

/** Singular values of every dense layer, and the principal components of its data, which the dataset climbs through.
 *  Collective. */
static int
decompose (training *t)
{
  const vrg_stack *stack = t->record->stack;
  const vrg_dataset *d = t->dataset;
  const int64_t n = d->sample1 - d->sample0;
  vrg_spectrum_layer layer[VRG_MAX_LAYERS];
  uint64_t *bits[VRG_MAX_LAYERS] = { NULL };
  int status = VRG_OK;
  for (int l = 0; l < stack->layers && status == VRG_OK; l++)
    {
      const vrg_model *m = stack->layer[l];
      const int64_t own = m->visible1 - m->visible0, rows = m->rows == 1 ? 1 : own / m->columns, columns = own / rows;
      bits[l] = vrg_new (n * d->words, sizeof (uint64_t), "data of a layer");
      if (n * d->words > 0)
        memcpy (bits[l], d->spins, (size_t) (n * d->words) * sizeof (uint64_t));
      layer[l] = (vrg_spectrum_layer){ .hidden = m->hidden,
                                       .visible = m->rows * m->columns,
                                       .visible0 = m->visible0,
                                       .visible1 = m->visible1,
                                       .weights = m->weights,
                                       .spread = VRG_LAYER_SPREAD,
                                       .samples = n,
                                       .bits = bits[l],
                                       .rows = rows,
                                       .columns = columns,
                                       .words = (columns + 63) / 64 };
      if (l + 1 < stack->layers)
        status = vrg_record_climb (t->record, t->dataset, l);
    }
  if (status == VRG_OK)
    status = vrg_spectrum_write (t->grid, t->directory, t->fingerprint, stack->layers, layer);
  for (int l = 0; l < stack->layers; l++)
    vrg_free (bits[l]);
  if (status != VRG_USAGE)
    return status;
  vrg_warn (STAGE ": no spectrum.h5: %s", vrg_error_text ()); /* too large */
  return VRG_OK;
}

/** 6.  A run that is killed or stopped meanwhile looks into the model again, but does not train it again.  Collective. */
static int
analyse (training *t)
{
  int status = vrg_record_write (t->record);
  if (status == VRG_OK && t->input->n_hidden > 1) /* the dataset has climbed */
    {
      vrg_dataset_free (t->dataset);
      t->dataset = NULL;
      status = vrg_dataset_open (t->grid, t->input, t->directory, &t->rng, &t->dataset);
    }
  if (status != VRG_OK)
    return status;
  const vrg_dataset *d = t->dataset;
  VRG_ASSERT (d != NULL);
  const int64_t n = d->sample1 - d->sample0;
  int64_t *number = vrg_new (n, sizeof *number, "numbers of configurations");
  for (int64_t i = 0; i < n; i++)
    number[i] = d->sample0 + i;
  const vrg_analysis_data data = { .samples = d->samples,
                                   .chains = t->input->chains * t->input->n_coupling,
                                   .n = n,
                                   .number = number,
                                   .spins = d->spins };
  status = vrg_analysis_run (t->grid, t->input, t->directory, t->fingerprint, t->record->stack, &data);
  vrg_free (number);
  if (status == VRG_OK && t->input->model == VRG_MODEL_DENSE)
    status = vrg_stop_asked (t->stop) ? VRG_STOPPED : decompose (t);
  return status;
}

/** Steps 1 to 6.  Collective. */
static int
train (training *t)
{
  const vrg_grid *grid = t->grid;
  const vrg_input *input = t->input;
  vrg_info (STAGE ": batches of %lld over %d group%s of ranks, visible units in %d strip%s", (long long) input->batch,
            grid->groups, grid->groups == 1 ? "" : "s", grid->strips, grid->strips == 1 ? "" : "s");
  vrg_rng_init (&t->rng, (uint64_t) input->seed, 0, VRG_USE_TRAIN);
  t->record = vrg_record_new (grid, input, t->directory, t->fingerprint);
  int status = vrg_dataset_open (grid, input, t->directory, &t->rng, &t->dataset);
  if (status == VRG_OK)
    status = vrg_record_open (t->record, t->dataset);
  if (status == VRG_OK)
    status = climb (t);
  if (status == VRG_OK)
    status = vrg_record_table (t->record);
  if (status == VRG_OK && input->analysis)
    status = analyse (t);
  if (status == VRG_OK)
    status = vrg_model_write (grid, t->directory, t->fingerprint, t->record->stack);
  if (status == VRG_OK)
    status = vrg_checkpoint_remove (grid, t->directory, STAGE);
  vrg_grid_tell_memory (grid, STAGE);
  vrg_record_free (t->record);
  vrg_dataset_free (t->dataset);
  return status;
}

int
vrg_train (MPI_Comm world, const vrg_input *input, const char *directory, vrg_stop *stop)
{
  if (input->model == VRG_MODEL_NONE)
    return VRG_OK;
  int ranks, strips;
  char difference[256];
  VRG_MPI (MPI_Comm_size (world, &ranks));
  int status = vrg_trainer_strips (ranks, input, &strips);
  if (status != VRG_OK)
    return status;
  vrg_grid *grid = vrg_grid_new (world, strips);
  grid->stop = stop;
  training t = { .grid = grid, .input = input, .directory = directory, .stop = stop };
  t.fingerprint = vrg_param_fingerprint (input, VRG_STAGE_TRAIN);
  vrg_work work;
  status = vrg_work_look (grid->world, directory, VRG_STAGE_TRAIN, t.fingerprint, &work, difference);
  if (status == VRG_OK && work == VRG_WORK_FINISHED)
    status = vrg_checkpoint_remove (grid, directory, STAGE); /* left behind if a run was killed at its very end */
  else if (status == VRG_OK)
    status = train (&t);
  vrg_free (t.fingerprint);
  vrg_grid_free (grid);
  return status;
}
