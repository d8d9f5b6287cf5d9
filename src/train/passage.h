/* SPDX-License-Identifier: GPL-3.0-or-later
 * Configurations drawn up and down a stack of RBMs, and Gibbs chains in any of its layers: samples of the model (a deep
 * belief net's law is that of its top RBM, carried down layer by layer: Hinton, Osindero and Teh, Neural Computation
 * 18, 1527 (2006)) and reconstructions of data. */
#ifndef VRG_TRAIN_PASSAGE_H
#define VRG_TRAIN_PASSAGE_H

#include "train/layer.h"

/** Level k is the visible units of layer k (0-based), level `layers` the hidden units of the last one.  A level's
 *  bits are this rank's share as vrg_layer_unpack takes it; hidden units that no layer stands on are not packed.
 *  Open; owns its memory. */
typedef struct
{
  const vrg_grid *grid;
  int layers;
  vrg_layer *layer[VRG_MAX_LAYERS];
  vrg_rng rng[VRG_MAX_LAYERS];
  vrg_piece piece;                /* this group's positions; piece.n may be 0 */
  int64_t words[VRG_MAX_LAYERS];  /* of a level's bits of one position */
  uint64_t *bits[VRG_MAX_LAYERS]; /* [piece.n][words] */
  int32_t *v, *h, *fields;        /* room for any layer; between calls h is the hidden units of the last layer used */
  uint64_t *room;
} vrg_passage;

/** Bytes of a passage of n positions through this layer alone.  Local. */
double vrg_passage_bytes (const vrg_layer *layer, int64_t n);

/** For positions 0 .. n - 1, at most VRG_PIECE_MOST a group, which are shared among groups by 16.  use: whose random
 *  numbers.  NULL if weights are too large to be rounded.  Collective over the strips. */
vrg_passage *vrg_passage_new (const vrg_grid *grid, const vrg_stack *stack, uint64_t seed, vrg_layer_use use,
                              int64_t n);
void vrg_passage_free (vrg_passage *passage);

/** Work on positions first .. first + n - 1 instead, in another slab of many: first a multiple of VRG_LAYER_LANES, n at
 *  most what the passage was made for.  What the levels hold is left as it is.  Local. */
void vrg_passage_place (vrg_passage *passage, int64_t first, int64_t n);

/** Independent fair units for positions with position % 2 == 1 (all if `all`) of a level.  Local. */
void vrg_passage_random (vrg_passage *passage, int level, bool all);

/** Draw the hidden units of a layer given level `layer`, and pack them as the next level unless it is the top.
 *  update and draw number the random numbers.  Collective over the strips, as are the following. */
void vrg_passage_up (vrg_passage *passage, int layer, int64_t update, int64_t draw);

/** Draw level `layer` given its hidden units; turn: the ones that vrg_passage_up has just drawn in this layer,
 *  otherwise the next level's. */
void vrg_passage_down (vrg_passage *passage, int layer, bool turn, int64_t update, int64_t draw);

/** `steps` steps v -> h -> v in a layer, numbered from `update` on. */
void vrg_passage_gibbs (vrg_passage *passage, int layer, int64_t steps, int64_t update, int64_t draw);

#endif
