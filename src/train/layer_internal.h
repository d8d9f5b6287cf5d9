/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a kind of layer provides: the functions of layer.h, which layer.c calls through here. */
#ifndef VRG_TRAIN_LAYER_INTERNAL_H
#define VRG_TRAIN_LAYER_INTERNAL_H

#include "train/layer.h"

struct vrg_layer_kind
{
  void (*begin) (vrg_layer *layer); /* counts and `own`; model and strips are set */
  void (*end) (vrg_layer *layer);
  void (*round_rows) (vrg_layer *layer, int64_t first, int64_t last); /* may be NULL */
  bool (*round_end) (vrg_layer *layer);
  vrg_layer_size (*sizes) (const vrg_layer *layer, int64_t lanes);
  void (*unpack) (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *v);
  void (*unpack_hidden) (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *h);
  void (*pack) (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int64_t s, uint64_t *bits);
  void (*pack_hidden) (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int64_t s, uint64_t *bits);
  void (*hidden_fields) (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int32_t *fields);
  void (*visible_fields) (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int32_t *fields);
  void (*hidden_sample) (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw,
                         const int32_t *fields, int32_t *h);
  void (*visible_sample) (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw,
                          const int32_t *fields, int32_t *v);
  void (*means) (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int32_t *means);
  void (*gradient) (const vrg_layer *layer, vrg_phase data, int64_t times, vrg_phase model, int64_t *sums);
  int64_t (*difference) (const vrg_layer *layer, vrg_piece piece, const int32_t *v, const int32_t *w);
  void (*get_hidden) (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x);
  void (*get_visible) (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x);
  int64_t (*reach) (const vrg_layer *layer);
  int64_t (*site) (const vrg_layer *layer, int64_t site, int64_t *index, int32_t *weight);
  int32_t (*visible_bias) (const vrg_layer *layer, int64_t site);
  int32_t (*hidden_bias) (const vrg_layer *layer, int64_t unit);
  /* may be NULL: the gradient in parts, the weights of hidden units [first, last), called from 0 on in order; biases come
     with the first part; fresh: sums are set, not added to; done: takes the rows of weights, which sums need not hold
     then; NULL: none */
  void (*gradient_part) (const vrg_layer *layer, vrg_phase data, int64_t times, vrg_phase model, int64_t first,
                         int64_t last, bool fresh, int64_t *sums, const vrg_rows_done *done);
};

extern const vrg_layer_kind vrg_dense_layer, vrg_convolution_layer;

/** A master as fixed point; 0 and *good = false if it is not below the bound.  Local. */
int32_t vrg_layer_round_one (double x, bool *good);

#endif
