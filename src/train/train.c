/* SPDX-License-Identifier: GPL-3.0-or-later
 * The train stage: an RBM fitted to the samples of one coupling, into model.h5 and train.tsv.
 *
 * 1. Open the samples, and read this rank's share: positions of the batch over groups, lattice rows over strips.
 * 2. Start from small random weights, or go to the update of the newest checkpoint.
 * 3. For each update: round the parameters; contrastive divergence of the batch; sum over groups; move the parameters.
 * 4. After an epoch: a row of the table.  When asked to: a checkpoint, and go on or stop.
 * 5. Write the table, then the model, remove the checkpoints: a model under its final name means that the stage is
 *    finished. */
#include "train/train.h"

#include "base/error.h"
#include "base/log.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/progress.h"
#include "train/gradient.h"
#include "train/likelihood.h"
#include "train/optimiser.h"
#include "train/record.h"

#define STAGE "train"

typedef struct
{
  const vrg_grid *grid;
  const vrg_input *input;
  const char *directory;
  char *fingerprint;
  vrg_stop *stop;
  vrg_rng rng;
  vrg_model *model;
  vrg_layer *layer;
  vrg_dataset *dataset;
  vrg_record *record;
} training;

/** 3.  One update; sums: room for the gradient.  VRG_USAGE when the parameters have grown too large.  Collective. */
static int
update (training *t, vrg_gradient *gradient, vrg_optimise *optimise, const uint64_t **batch, int64_t *sums)
{
  const vrg_layer *layer = t->layer;
  const vrg_dataset *d = t->dataset;
  vrg_record *record = t->record;
  const double scale = 1 / ((double) d->batch * VRG_FIXED_ONE);
  for (int64_t i = 0; i < layer->parameters; i++)
    sums[i] = 0;
  vrg_dataset_batch (d, record->updates % d->updates, batch);
  vrg_gradient_cd (gradient, layer, &t->rng, t->input->steps, record->updates, d->position0,
                   d->position1 - d->position0, batch, sums, &record->wrong_here);
  vrg_sum_int64 (t->grid->group_comm, sums, layer->parameters);

  const int64_t visible = layer->weights, hidden = visible + layer->visible_biases;
  double *m = record->moment1, *q = record->moment2;
  vrg_optimise_begin (optimise);
  vrg_optimise_move (optimise, layer->weights, sums, scale, true, m, q, t->model->weights);
  if (t->input->biases)
    {
      vrg_optimise_move (optimise, layer->visible_biases, sums + visible, scale, false, m + visible, q + visible,
                         t->model->visible_bias);
      vrg_optimise_move (optimise, layer->hidden_biases, sums + hidden, scale, false, m + hidden, q + hidden,
                         t->model->hidden_bias);
    }
  record->updates++;
  if (vrg_layer_round (t->layer))
    return VRG_OK;
  return vrg_error (VRG_USAGE,
                    "training diverged in epoch %lld, update %lld: the weights of a unit add up to %d or more; lower "
                    "[train] learning_rate, which is %g",
                    (long long) ((record->updates - 1) / d->updates + 1), (long long) record->updates, VRG_LAYER_BOUND,
                    t->input->learning_rate);
}

/** 4.  The row of the epoch that has just ended.  Collective. */
static void
end_epoch (training *t)
{
  const vrg_dataset *d = t->dataset;
  vrg_record *record = t->record;
  double *row = record->rows + (record->updates / d->updates - 1) * VRG_RECORD_COLUMNS;
  vrg_record_gather (t->grid, record);
  row[VRG_RECORD_RECONSTRUCTION]
    = (double) record->wrong / ((double) (d->updates * d->batch) * (double) (t->model->rows * t->model->columns));
  row[VRG_RECORD_PSEUDO] = vrg_likelihood_pseudo (t->grid, t->layer, d, &t->rng);
  row[VRG_RECORD_NORM] = vrg_likelihood_weight_norm (t->layer);
  record->wrong = 0;
  vrg_debug (STAGE ": epoch %lld: reconstruction error %.6f, pseudo-likelihood %.6f, weight norm %.6f",
             (long long) (record->updates / d->updates), row[VRG_RECORD_RECONSTRUCTION], row[VRG_RECORD_PSEUDO],
             row[VRG_RECORD_NORM]);
}

/** 3. and 4. until `total` updates are done.  Collective. */
static int
climb (training *t, int64_t total)
{
  vrg_record *record = t->record;
  const vrg_dataset *d = t->dataset;
  const int64_t positions = d->position1 - d->position0;
  vrg_gradient *gradient = vrg_gradient_new (t->layer, positions);
  const uint64_t **batch = vrg_new (positions, sizeof *batch, "a batch");
  int64_t *sums = vrg_new (t->layer->parameters, sizeof *sums, "a gradient");
  vrg_optimise optimise;
  vrg_optimise_init (&optimise, t->input, record->updates);
  vrg_dataset_shuffle (t->dataset, &t->rng, record->updates / d->updates);
  vrg_progress progress;
  vrg_progress_begin (&progress, "training", "updates", record->updates, total);
  vrg_stop_loop (t->stop);
  int status = VRG_OK;
  while (record->updates < total && status == VRG_OK)
    {
      status = update (t, gradient, &optimise, batch, sums);
      if (status != VRG_OK)
        break;
      if (record->updates % d->updates == 0)
        {
          end_epoch (t);
          vrg_dataset_shuffle (t->dataset, &t->rng, record->updates / d->updates);
        }
      vrg_progress_update (&progress, record->updates);
      const vrg_action action = record->updates < total ? vrg_stop_poll (t->stop) : VRG_GO;
      if (action != VRG_GO)
        {
          status = vrg_record_write (t->grid, record, t->directory, t->fingerprint, total);
          vrg_stop_saved (t->stop);
        }
      if (action == VRG_STOP && status == VRG_OK)
        status = VRG_STOPPED;
    }
  vrg_progress_end (&progress, record->updates);
  vrg_free (sums);
  vrg_free (batch);
  vrg_gradient_free (gradient);
  return status;
}

/** Steps 1 to 5.  Collective. */
static int
train (training *t)
{
  const vrg_grid *grid = t->grid;
  const vrg_input *input = t->input;
  vrg_info (STAGE ": batches of %lld over %d group%s of ranks, lattices in %d strip%s", (long long) input->batch,
            grid->groups, grid->groups == 1 ? "" : "s", grid->strips, grid->strips == 1 ? "" : "s");
  vrg_rng_init (&t->rng, (uint64_t) input->seed, 0, 0);
  int status = vrg_layer_start (input, grid->strips, grid->strip, &t->rng, &t->model);
  if (status != VRG_OK)
    return status;
  t->layer = vrg_layer_new (t->model, grid->strip_comm);
  t->record = vrg_record_new (t->layer, input->epochs);
  status = vrg_dataset_open (grid, input, t->directory, t->layer->row0, t->layer->row1, &t->dataset);
  if (status == VRG_OK && input->epochs > 0)
    status = vrg_record_read (grid, t->record, t->directory, t->fingerprint);
  if (status == VRG_OK && !vrg_layer_round (t->layer))
    status = vrg_error (VRG_FILE, "%s: the checkpoint's weights are too large", t->directory);
  if (status == VRG_OK)
    status = climb (t, input->epochs * t->dataset->updates);
  if (status == VRG_OK)
    status = vrg_record_table (grid, t->record, t->directory, t->dataset->updates);
  if (status == VRG_OK)
    {
      t->model->epochs = input->epochs;
      t->model->updates = t->record->updates;
      status = vrg_model_write (grid, t->directory, t->fingerprint, t->model);
    }
  if (status == VRG_OK)
    status = vrg_checkpoint_remove (grid, t->directory, STAGE);
  vrg_grid_tell_memory (grid, STAGE);
  vrg_dataset_free (t->dataset);
  vrg_record_free (t->record);
  vrg_layer_free (t->layer);
  vrg_model_free (t->model);
  return status;
}

int
vrg_train (MPI_Comm world, const vrg_input *input, const char *directory, vrg_stop *stop)
{
  if (input->model == VRG_MODEL_NONE)
    return VRG_OK;
  int ranks, strips = 1, status = VRG_OK;
  char difference[256];
  VRG_MPI (MPI_Comm_size (world, &ranks));
  if (input->model == VRG_MODEL_DENSE && input->strips > 1)
    status = vrg_grid_choose (ranks, &(vrg_grid_load){ .layers = input->size[0], .chains = input->batch },
                              (int) input->strips, &strips, NULL);
  if (status != VRG_OK)
    return status;
  vrg_grid *grid = vrg_grid_new (world, strips);
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
