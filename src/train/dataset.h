/* SPDX-License-Identifier: GPL-3.0-or-later
 * The samples of one ensemble as minibatches, spread over ranks once.
 *
 * Position p of a batch draws from stratum p, samples [p n / batch, (p + 1) n / batch) of the ensemble; each epoch every
 * stratum is permuted afresh on its own, and an epoch has floor (n / batch) updates (of a longer stratum one sample
 * sits out).  The reason: a group of ranks that owns a range of positions owns a range of samples.  It reads only those,
 * nothing moves between ranks afterwards, every rank has the same work in every update, and which samples meet in a
 * batch still does not depend on the ranks. */
#ifndef VRG_TRAIN_DATASET_H
#define VRG_TRAIN_DATASET_H

#include "base/rng.h"
#include "files/samples.h"

/** Open; read only outside dataset.c.  Owns its memory. */
typedef struct
{
  int64_t samples, batch, updates; /* of the ensemble, of a batch, of an epoch */
  int64_t position0, position1;    /* this group's positions */
  int64_t sample0, sample1;        /* and their samples */
  int64_t row0, row1, words;       /* this rank's rows */
  uint64_t *spins;                 /* [sample1 - sample0][row1 - row0][words] */
  int64_t *order;                  /* [sample1 - sample0] permuted sample numbers, stratum after stratum */
} vrg_dataset;

/** Read this rank's share, its group's samples and rows [row0, row1), of DIRECTORY/samples.h5 at the input's coupling.
 *  VRG_FILE if there is no such file, or it is of another lattice or input.  Collective over grid. */
int vrg_dataset_open (const vrg_grid *grid, const vrg_input *input, const char *directory, int64_t row0, int64_t row1,
                      vrg_dataset **dataset);
void vrg_dataset_free (vrg_dataset *dataset);

/** First sample of stratum p. */
static inline int64_t
vrg_dataset_stratum (const vrg_dataset *d, int64_t p)
{
  return (int64_t) ((__int128) p * d->samples / d->batch);
}

/** Permute the strata for an epoch (0, 1, ...): Fisher-Yates, rng purpose BATCH, index = sample, step = epoch.  Local. */
void vrg_dataset_shuffle (vrg_dataset *dataset, const vrg_rng *rng, int64_t epoch);

/** This rank's part of the batch of one update of the epoch, 0 <= update < updates: position1 - position0 samples.
 *  Local. */
void vrg_dataset_batch (const vrg_dataset *dataset, int64_t update, const uint64_t **samples);

/** A sample of this group. */
static inline const uint64_t *
vrg_dataset_sample (const vrg_dataset *d, int64_t sample)
{
  return d->spins + (sample - d->sample0) * (d->row1 - d->row0) * d->words;
}

#endif
