/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a training run keeps: parameters, the optimiser's moments, the rows of train.tsv; as a checkpoint and as the
 * table. */
#ifndef VRG_TRAIN_RECORD_H
#define VRG_TRAIN_RECORD_H

#include "files/checkpoint.h"
#include "train/layer.h"

/** Open; what is read from a checkpoint at another number of ranks is the same.  Owns its memory but the layer. */
typedef struct
{
  const vrg_layer *layer;    /* and its model: the masters */
  int64_t epochs;            /* of the whole run */
  int64_t updates;           /* done */
  int64_t wrong;             /* visible spins not reproduced in this epoch so far: of every rank together */
  int64_t wrong_here;        /* the same on this rank, not yet in `wrong` */
  double *moment1, *moment2; /* [layer->parameters] each */
  double *rows;              /* [epochs][VRG_RECORD_COLUMNS] */
} vrg_record;

/** Columns of rows. */
enum
{
  VRG_RECORD_RECONSTRUCTION,
  VRG_RECORD_PSEUDO,
  VRG_RECORD_NORM,
  VRG_RECORD_COLUMNS
};

/** Local. */
vrg_record *vrg_record_new (const vrg_layer *layer, int64_t epochs);
void vrg_record_free (vrg_record *record);

/** Move wrong_here into wrong.  Collective over grid. */
void vrg_record_gather (const vrg_grid *grid, vrg_record *record);

/** A checkpoint of `total` updates in all; dense rows by strip, one group writes.  Collective over grid. */
int vrg_record_write (const vrg_grid *grid, vrg_record *record, const char *directory, const char *fingerprint,
                      int64_t total);

/** The newest checkpoint, or updates = 0 and nothing changed if there is none.  Collective over grid. */
int vrg_record_read (const vrg_grid *grid, vrg_record *record, const char *directory, const char *fingerprint);

/** DIRECTORY/train.tsv, one row an epoch; columns of what was not estimated are nan.  Collective over grid. */
int vrg_record_table (const vrg_grid *grid, const vrg_record *record, const char *directory, int64_t updates_per_epoch);

#endif
