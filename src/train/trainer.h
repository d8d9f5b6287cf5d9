/* SPDX-License-Identifier: GPL-3.0-or-later
 * One layer in training: an update, the end of an epoch, the end of the layer. */
#ifndef VRG_TRAIN_TRAINER_H
#define VRG_TRAIN_TRAINER_H

#include "train/dataset.h"
#include "train/gradient.h"
#include "train/optimiser.h"

/** Open; owns its memory but grid, input, dataset and model. */
typedef struct
{
  const vrg_grid *grid;
  const vrg_input *input;
  vrg_dataset *dataset;
  int number; /* of the layer, from 0 */
  vrg_rng rng;
  vrg_layer *layer;
  vrg_gradient *gradient; /* with the persistent chains */
  double scale;           /* of a gradient's sums */
  int64_t chains;         /* of them for each position */
  int64_t updates, total; /* done, planned */
  int64_t average_from;   /* updates that are not averaged */
  int64_t wrong;          /* visible units not reproduced in this epoch so far: of every rank together */
  int64_t wrong_here;     /* the same on this rank, not yet in `wrong` */
  vrg_optimise optimise;
  vrg_parameters masters;          /* the model's */
  vrg_parameters moment1, moment2; /* empty where the optimiser has none */
  vrg_parameters average;          /* of the masters, since average_from; empty unless averaged */
  vrg_parameters good;             /* masters at the end of the last epoch */
  vrg_centre centre;               /* NULL unless centred */
  int64_t shuffled;                /* epoch that the dataset is in the order of; -1: none */
  const uint64_t **batch;
  int64_t *sums, *visible_sum, *hidden_sum;
  vrg_rows_done move; /* what is done with rows of the gradient */
} vrg_trainer;

/** Columns of a row of train.tsv. */
enum
{
  VRG_ROW_LAYER, /* from 1 */
  VRG_ROW_EPOCH,
  VRG_ROW_UPDATES,
  VRG_ROW_RECONSTRUCTION,
  VRG_ROW_PSEUDO,
  VRG_ROW_LOG_LIKELIHOOD,
  VRG_ROW_LOG_LIKELIHOOD_ERROR,
  VRG_ROW_KL,
  VRG_ROW_KL_ERROR,
  VRG_ROW_NORM,
  VRG_ROW_SPREAD,
  VRG_ROW_RATE,
  VRG_ROW_DOUBTFUL,
  VRG_ROW_COLUMNS
};

/** Strips of the visible units for so many ranks: those asked for, checked (VRG_USAGE with a message), or those with which a
 *  rank moves and updates least: strips sum pre-activations at each Gibbs step and share the weights, groups sum gradients
 *  and each hold all the weights.  1 for a convolution and in one dimension.  Local. */
int vrg_trainer_strips (int ranks, const vrg_input *input, int *strips);

/** About the bytes on a rank while layer `number` is trained and judged.  Local. */
double vrg_trainer_bytes (int ranks, const vrg_input *input, int strips, int number);

/** Layer `number` at its start: the model's parameters as they are, persistent chains from random units.  Local. */
vrg_trainer *vrg_trainer_new (const vrg_grid *grid, const vrg_input *input, vrg_dataset *dataset, int number,
                              vrg_model *model);
void vrg_trainer_free (vrg_trainer *trainer);

/** After the state has been filled from a checkpoint: take `updates` as done.  False if the masters are too large.
 *  Collective. */
bool vrg_trainer_resume (vrg_trainer *trainer, int64_t updates);

/** Round, contrastive divergence of the batch, a move of the parameters.  False when they have grown too large or are not
 *  numbers any more.  Collective. */
bool vrg_trainer_update (vrg_trainer *trainer);

/** Is an epoch at its end?  Local. */
static inline bool
vrg_trainer_at_epoch (const vrg_trainer *t)
{
  return t->updates % t->dataset->updates == 0;
}

/** Move wrong_here into wrong.  Collective. */
void vrg_trainer_gather (vrg_trainer *trainer);

/** The row of the epoch that has just ended, into rows[VRG_ROW_COLUMNS] number n - 1 of n of this layer so far.  The model
 *  is judged with the averaged parameters where there are any.  False: the layer is to end, by [train] epochs or
 *  patience.  True with vrg_stop_agreed: the row is not whole, the trainer as if this had not been called.  Collective. */
bool vrg_trainer_epoch (vrg_trainer *trainer, double *rows, int64_t n);

/** The averaged parameters become the model's, rounded.  Collective. */
void vrg_trainer_finish (vrg_trainer *trainer);

#endif
