/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a training run keeps: finished layers, the layer in training, the rows of train.tsv; as a checkpoint and as the
 * table. */
#ifndef VRG_TRAIN_RECORD_H
#define VRG_TRAIN_RECORD_H

#include "files/checkpoint.h"
#include "train/trainer.h"

/** Open; what is read from a checkpoint at another number of ranks is the same.  Owns its memory but the first four. */
typedef struct
{
  const vrg_grid *grid;
  const vrg_input *input;
  const char *directory, *fingerprint;
  vrg_stack *stack;     /* finished layers, and the one in training */
  int finished;         /* of them */
  vrg_trainer *trainer; /* of layer number `finished`; NULL when all are */
  bool diverged;        /* it did, in the last update done */
  int64_t per_layer;    /* updates planned for each layer */
  int64_t n_rows, room;
  double *rows; /* [n_rows][VRG_ROW_COLUMNS] */
} vrg_record;

/** Local. */
vrg_record *vrg_record_new (const vrg_grid *grid, const vrg_input *input, const char *directory,
                            const char *fingerprint);
void vrg_record_free (vrg_record *record);

/** Take up the run: from the newest checkpoint, or at the start of the first layer.  `dataset` stays the caller's, and has
 *  the first layer's samples.  VRG_USAGE if the run has diverged before.  Collective. */
int vrg_record_open (vrg_record *record, vrg_dataset *dataset);

/** Updates done, of per_layer * layers.  A layer that ended early counts in full.  Local. */
int64_t vrg_record_updates (const vrg_record *record);

/** An epoch of the layer in training has ended, and has no row yet.  Local. */
bool vrg_record_row_due (const vrg_record *record);

/** An epoch has ended: its row, unless asked to stop meanwhile: then it stays due.  False: the layer is to end.  Collective. */
bool vrg_record_epoch (vrg_record *record);

/** The layer has ended: the dataset climbs onto it, and the next one starts, if there is one.  Collective. */
int vrg_record_next (vrg_record *record, vrg_dataset *dataset);

/** The dataset, of finished layer `number`, becomes that of the layer above.  Collective. */
int vrg_record_climb (const vrg_record *record, vrg_dataset *dataset, int number);

/** Dense models are written by one group, persistent chains by all.  Collective. */
int vrg_record_write (vrg_record *record);

/** The parameters of the last epoch's end as a checkpoint, which no run goes on from; returns VRG_USAGE with what to do.
 *  Collective. */
int vrg_record_diverged (vrg_record *record);

/** DIRECTORY/train.tsv, one row an epoch; columns of what was not estimated are nan.  Collective. */
int vrg_record_table (const vrg_record *record);

#endif
