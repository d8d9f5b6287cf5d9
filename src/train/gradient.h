/* SPDX-License-Identifier: GPL-3.0-or-later
 * Contrastive divergence: the log-likelihood gradient with the model's averages taken after k Gibbs steps from the data.
 * Source: Hinton, Neural Computation 14, 1771 (2002). */
#ifndef VRG_TRAIN_GRADIENT_H
#define VRG_TRAIN_GRADIENT_H

#include "train/layer.h"

/** Room for the units of a piece of a batch. */
typedef struct vrg_gradient vrg_gradient;

/** For at most n samples at a time on this rank (the same n on all ranks of a strip communicator).  Local. */
vrg_gradient *vrg_gradient_new (const vrg_layer *layer, int64_t n);
void vrg_gradient_free (vrg_gradient *gradient);

/** CD-k of n samples, [rows][words] each (this rank's rows), at positions position, position + 1, ... of the batch.
 *  Positive phase: s_v and the hidden means given the data.  Negative phase: k times hidden units are drawn given the
 *  visible ones and visible given hidden, then the means again.
 *  sums [parameters] += positive - negative in fixed point, as vrg_layer_gradient orders them: this rank's samples.
 *  *wrong += visible spins of this rank that the first step v -> h -> v did not reproduce.
 *  Collective over the layer's strip_comm, all integers: the bits do not depend on how samples are spread. */
void vrg_gradient_cd (vrg_gradient *gradient, const vrg_layer *layer, const vrg_rng *rng, int64_t steps, int64_t update,
                      int64_t position, int64_t n, const uint64_t *const *samples, int64_t *sums, int64_t *wrong);

#endif
