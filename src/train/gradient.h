/* SPDX-License-Identifier: GPL-3.0-or-later
 * Contrastive divergence: the log-likelihood gradient with the model's averages taken from Gibbs chains, which start from
 * the data (CD-k: Hinton, Neural Computation 14, 1771 (2002)) or go on from the update before (persistent: Tieleman,
 * ICML 2008). */
#ifndef VRG_TRAIN_GRADIENT_H
#define VRG_TRAIN_GRADIENT_H

#include "parallel/grid.h"
#include "train/layer.h"

/** Room for the units of a piece of a batch, and the persistent chains. */
typedef struct vrg_gradient vrg_gradient;

/** Bytes of what vrg_gradient_new makes for n positions of a convolution.  Local. */
double vrg_gradient_bytes (const vrg_layer *layer, int64_t n, int64_t chains);

/** For batch positions [position, position + n) of this rank.  chains: persistent chains per position, 0 for CD; chain c
 *  of a position is number chains * position + c of all.  Local. */
vrg_gradient *vrg_gradient_new (const vrg_grid *grid, const vrg_layer *layer, int64_t position, int64_t n,
                                int64_t chains);
void vrg_gradient_free (vrg_gradient *gradient);

/** From now on complete rows of the gradient's weights are handed to `done`, all of them once an update, in order, and
 *  `sums` need not hold them.  done stays the caller's.  Local. */
void vrg_gradient_hand_on (vrg_gradient *gradient, const vrg_rows_done *done);

/** Start the persistent chains from random units (rng purpose VISIBLE, update 2^48 - 1).  Local. */
void vrg_gradient_start (vrg_gradient *gradient, const vrg_rng *rng);

/** The persistent chains' visible units, packed as samples are: [chains * n][words * rows], for checkpoints.  The caller
 *  may write to them between updates.  NULL for CD.  Local. */
uint64_t *vrg_gradient_chains (vrg_gradient *gradient);

/** One update's gradient for this rank's positions of the batch, samples [n] packed.
 *  Positive phase: s_v and the hidden means given the data.  Negative phase: `steps` times hidden units are drawn given the
 *  visible ones and visible given hidden, then the means again.
 *  sums [parameters], of vrg_new or vrg_new_room, = times * positive - negative phase in fixed point, times = max (1, chains), over ALL groups of the
 *  grid: the reduction of a part overlaps with the computation of the next.  Divide by batch * times.
 *  visible_mean [visible_biases], hidden_mean [hidden_biases] (NULL unless wanted; for centring): sums over the batch's data
 *  of s_v and of the hidden means, both in fixed point, over all groups: the positive phase of the biases.
 *  *wrong += visible spins of this rank that the first step v -> h -> v from the DATA did not reproduce (persistent: one
 *  such step is made for this).
 *  Collective over the grid, all integers: the bits do not depend on how samples are spread. */
void vrg_gradient_update (vrg_gradient *gradient, const vrg_rng *rng, int64_t steps, int64_t update,
                          const uint64_t *const *samples, int64_t *sums, int64_t *visible_mean, int64_t *hidden_mean,
                          int64_t *wrong);

#endif
