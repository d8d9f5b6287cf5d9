/* SPDX-License-Identifier: GPL-3.0-or-later
 * One RBM in training: the masters of files/model.h, rounded to fixed point, and the conditional laws they give.
 *
 * E = -a.v - b.h - v W h with units +-1, so P(h_j | v) is proportional to exp (h_j x_j), x_j = b_j + sum_i W_ij v_i.
 * Everything a unit depends on is an integer: weights and biases are rounded to 2^-20, x is their exact int32 sum
 * (vrg_layer_round keeps sums of |W| below VRG_LAYER_BOUND), probabilities and means come from the table of base/math.h.
 *
 * Samples are worked on n at a time in arrays of the caller:
 *   units   masks as in product.h, visible_units or hidden_units int32 a sample;
 *   fields  x in fixed point, visible_fields or hidden_fields int32 a sample; means like hidden fields.
 * Dense: units and fields in site order, this rank's visible units; hidden ones padded to whole vectors.
 * Convolution: planes of product.h.  Random numbers follow the order of fields (pads included), by GLOBAL number: of
 * (position in the batch) * blocks + field / 4, number field % 4; step = update, draw = Gibbs step. */
#ifndef VRG_TRAIN_LAYER_H
#define VRG_TRAIN_LAYER_H

#include <stdbool.h>

#include "base/rng.h"
#include "files/model.h"
#include "train/product.h"

#define VRG_LAYER_BOUND 1023 /* sums of |W| and |bias| at a unit stay below */

/** Open; read only outside layer.c. */
typedef struct
{
  vrg_model *model;    /* masters; not owned */
  MPI_Comm strip_comm; /* dense: ranks holding the other visible units */
  int strips, strip;
  int64_t weights, visible_biases, hidden_biases; /* this rank's numbers of parameters */
  int64_t parameters;                             /* their sum */
  int64_t sites;                                  /* visible units of this rank */
  int64_t row0, row1;                             /* its lattice rows */
  int64_t visible_units, hidden_units, visible_fields, hidden_fields;
  int64_t pitch;                         /* dense: hidden units, whole vectors */
  vrg_convolution convolution;           /* convolution only */
  int32_t *fixed;                        /* weights in the order of the kernels */
  int32_t *visible_base, *hidden_base;   /* bias - sum of weights; hidden: this strip's part */
  int32_t *visible_bias;                 /* fixed point */
  int64_t visible_blocks, hidden_blocks; /* of four random numbers a sample, of all strips */
  uint64_t *random;                      /* room for a sample's numbers */
  int32_t *scratch;                      /* room for a sample's units or means */
} vrg_layer;

/** A model with small random weights, sums of four uniform numbers with standard deviation VRG_LAYER_SPREAD, and
 *  biases 0.  Dense: lattice rows over `strips`.  The lattice's sides must be multiples of a convolution's stride
 *  (VRG_USAGE).  rng: purpose WEIGHT, index = visible unit * hidden units + hidden unit, or place in the filters. */
#define VRG_LAYER_SPREAD 0.01
int vrg_layer_start (const vrg_input *input, int strips, int strip, const vrg_rng *rng, vrg_model **model);

/** Local.  strip_comm stays the caller's; MPI_COMM_NULL for one strip. */
vrg_layer *vrg_layer_new (vrg_model *model, MPI_Comm strip_comm);
void vrg_layer_free (vrg_layer *layer);

/** Round the masters for the products.  False if they are too large for the fixed point (or not finite): training
 *  diverged.  Collective over strip_comm, where all get the same answer. */
bool vrg_layer_round (vrg_layer *layer);

/** One sample, [row1 - row0][words] as files hold it, to visible units.  Local. */
void vrg_layer_unpack (const vrg_layer *layer, const uint64_t *bits, int32_t *v);

/** Fields of n samples.  The first is collective over strip_comm (an integer sum), the second local. */
void vrg_layer_hidden_fields (const vrg_layer *layer, int64_t n, const int32_t *v, int32_t *fields);
void vrg_layer_visible_fields (const vrg_layer *layer, int64_t n, const int32_t *h, int32_t *fields);

/** Draw the units of n samples at positions position, position + 1, ... of the batch of an update.  Local. */
void vrg_layer_hidden_sample (const vrg_layer *layer, const vrg_rng *rng, int64_t position, int64_t n, int64_t update,
                              int64_t draw, const int32_t *fields, int32_t *h);
void vrg_layer_visible_sample (const vrg_layer *layer, const vrg_rng *rng, int64_t position, int64_t n, int64_t update,
                               int64_t draw, const int32_t *fields, int32_t *v);

/** Means of the hidden units, 0 in pads.  Local. */
void vrg_layer_means (const vrg_layer *layer, int64_t n, const int32_t *fields, int32_t *means);

/** sums [parameters] += sign * sum over n <= 1024 samples of d(-E)/d(parameter) at the hidden means, in fixed point:
 *  s_v mean_h for weights in the model's order, then s_v for visible and mean_h for hidden biases.  Local. */
void vrg_layer_gradient (const vrg_layer *layer, int64_t n, const int32_t *v, const int32_t *means, int sign,
                         int64_t *sums);

/** Visible units in which two samples differ, pads left out.  Local. */
int64_t vrg_layer_difference (const vrg_layer *layer, const int32_t *v, const int32_t *w);

/** Hidden units that see a global site of this rank, as indices of fields, and by which weights; a unit may come
 *  several times (a filter that wraps).  Returns how many, at most vrg_layer_reach.  *spin: the site in v, +-1.  Local. */
int64_t vrg_layer_reach (const vrg_layer *layer);
int64_t vrg_layer_site (const vrg_layer *layer, int64_t site, const int32_t *v, int *spin, int64_t *index,
                        int32_t *weight);

/** The visible bias of a global site of this rank, fixed point.  Local. */
int32_t vrg_layer_bias (const vrg_layer *layer, int64_t site);

#endif
