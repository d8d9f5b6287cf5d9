/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a layer is trained on, as minibatches, spread over ranks once.
 *
 * Several ensembles are one set: sample `index` of ensemble e is number index * ensembles + e, so that every stretch of
 * numbers holds the same share of each.  The last configurations of each ensemble are held out; they are numbered likewise
 * from 0, and spread over groups too.
 *
 * Position p of a batch draws from stratum p, samples [p n / batch, (p + 1) n / batch) of those to train on; each epoch
 * every stratum is permuted afresh on its own, and an epoch has floor (n / batch) updates (of a longer stratum one sample
 * sits out).  The reason: a group of ranks that owns a range of positions owns a range of samples.  It reads only those,
 * nothing moves between ranks afterwards, every rank has the same work in every update, and which samples meet in a
 * batch still does not depend on the ranks.  Positions of a dense model are shared out in units of VRG_LAYER_LANES where
 * there are as many for each group, so that vectors are full. */
#ifndef VRG_TRAIN_DATASET_H
#define VRG_TRAIN_DATASET_H

#include "files/samples.h"
#include "train/layer.h"

/** Open; read only outside dataset.c.  Owns its memory. */
typedef struct
{
  int64_t samples, held;        /* to train on, held out: of all groups */
  int64_t batch, updates;       /* of an epoch */
  int64_t position0, position1; /* this group's positions */
  int64_t sample0, sample1;     /* their samples */
  int64_t held0, held1;         /* its held-out ones */
  int64_t words;                /* of a sample: this rank's rows, or units, as vrg_layer_unpack takes them */
  uint64_t *spins;              /* [sample1 - sample0 + held1 - held0][words] */
  int64_t *order;               /* [sample1 - sample0] permuted sample numbers, stratum after stratum */
  /* samples to judge a model by, as likelihood.h takes them: the held-out ones; those to train on if there are none */
  int64_t test_total, tests;
  const uint64_t **test;
  int64_t *test_number;
} vrg_dataset;

/** Read this rank's share of DIRECTORY/samples.h5 at the input's couplings: its group's samples, its strip of rows (dense;
 *  a convolution has whole lattices).  With [train] permute, the spins of sample number s (held-out ones: after the others) are
 *  permuted by Fisher-Yates, rng purpose PERMUTE, index = s * sites + site; rng: that of the first layer.
 *  VRG_FILE if there is no such file, or it is of another lattice or input; VRG_USAGE if there are fewer samples than a
 *  batch.  Collective over grid. */
int vrg_dataset_open (const vrg_grid *grid, const vrg_input *input, const char *directory, const vrg_rng *rng,
                      vrg_dataset **dataset);
void vrg_dataset_free (vrg_dataset *dataset);

/** Replace every sample by the hidden units of the rounded layer drawn given it: the data of the layer above.  With
 *  strips a rank keeps its own units of the layer above (vrg_grid_span), from bit 0.  rng: a key of the use VRG_USE_STACK;
 *  position = number of the sample, update 0.  Collective over grid. */
void vrg_dataset_climb (vrg_dataset *dataset, const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng);

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

/** Bits [first, first + n) of `from` to bits 0 to n - 1 of `to`, the rest of the last word 0; and back, into zeros.  Local. */
void vrg_bits_take (uint64_t *to, const uint64_t *from, int64_t first, int64_t n);
void vrg_bits_put (uint64_t *to, int64_t first, const uint64_t *from, int64_t n);

#endif
