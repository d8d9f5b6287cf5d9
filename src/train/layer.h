/* SPDX-License-Identifier: GPL-3.0-or-later
 * One RBM: the masters of files/model.h rounded to fixed point, and the conditional laws they give.
 *
 * E = -a.v - b.h - v W h with units +-1, so P(h_j | v) is proportional to exp (h_j x_j), x_j = b_j + sum_i W_ij v_i.
 * Everything a unit depends on is an integer: weights and biases are rounded to 2^-20, x is their exact int32 sum
 * (vrg_layer_round keeps sums of |W| below VRG_LAYER_BOUND), probabilities and means come from the table of base/math.h.
 *
 * Samples are worked on in pieces.  Arrays of units, fields and means belong to the caller and are opaque int32, their
 * sizes given by vrg_layer_sizes; dense.c and convolution.c say what is in them.  Random numbers are numbered by global
 * positions and units, so that they do not depend on how samples and units are spread. */
#ifndef VRG_TRAIN_LAYER_H
#define VRG_TRAIN_LAYER_H

#include <stdbool.h>

#include "base/rng.h"
#include "files/model.h"

#define VRG_LAYER_BOUND 1023 /* sums of |W| and |bias| at a unit stay below */
#define VRG_LAYER_LANES 16   /* samples of a vector */

/** What the random numbers of a layer are for: the `chain` of their key (the `ensemble` is the layer's number). */
typedef enum
{
  VRG_USE_TRAIN,
  VRG_USE_STACK,       /* hidden units as the next layer's data */
  VRG_USE_ANNEALING,   /* annealed importance sampling */
  VRG_USE_SAMPLES,     /* samples of the model */
  VRG_USE_RECONSTRUCT, /* data through the stack and back */
  VRG_USE_FLOW         /* the flow v -> h -> v */
} vrg_layer_use;

/** Samples worked on together: global positions [position, position + n) of a batch, or of chains.  Lanes are counted
 *  from the position rounded down to a multiple of VRG_LAYER_LANES, so that a vector holds the same samples on any number
 *  of ranks; lanes before `first` and from first + n on are idle: what they hold is not used. */
typedef struct
{
  int64_t position, n;
  int64_t first, lanes;
} vrg_piece;

static inline vrg_piece
vrg_piece_of (int64_t position, int64_t n)
{
  const int64_t first = position % VRG_LAYER_LANES;
  return (vrg_piece){ position, n, first, (first + n + VRG_LAYER_LANES - 1) / VRG_LAYER_LANES * VRG_LAYER_LANES };
}

#define VRG_PIECE_MOST 512 /* lanes of a piece: sums over its samples stay below 2^31 */

typedef struct vrg_layer_kind vrg_layer_kind;

/** Open; read only outside layer.c, dense.c and convolution.c. */
typedef struct
{
  vrg_model *model;    /* masters; not owned */
  MPI_Comm strip_comm; /* dense: ranks holding the other visible units */
  int strips, strip;
  int64_t weights, visible_biases, hidden_biases; /* this rank's numbers of parameters */
  int64_t parameters;                             /* their sum */
  int64_t sites, row0, row1;                      /* visible units of this rank, its lattice rows */
  int64_t visible, hidden; /* units of the whole layer (a convolution's of all filters and places) */
  const vrg_layer_kind *kind;
  void *own; /* of the kind: fixed-point weights, geometry, scratch */
} vrg_layer;

/** A model with small random weights, sums of four uniform numbers with standard deviation VRG_LAYER_SPREAD, and
 *  biases 0.  number: 0-based layer of the stack; below: the model it stands on, NULL for the lattice itself.  Dense:
 *  visible units over `strips`, whole rows of a lattice.  A lattice's sides must be multiples of a convolution's stride
 *  (VRG_USAGE).  rng: purpose WEIGHT, index = hidden unit * visible units + visible unit, or place in the filters. */
#define VRG_LAYER_SPREAD 0.01
int vrg_layer_start (const vrg_input *input, int number, const vrg_model *below, int strips, int strip,
                     const vrg_rng *rng, vrg_model **model);

/** A convolution as it will be in training, to ask it for sizes: its weights are few.  *bytes: what it takes.  NULL if it
 *  does not fit the lattice.  Local. */
vrg_layer *vrg_layer_sketch (const vrg_input *input, int number, double *bytes);
void vrg_layer_sketch_free (vrg_layer *layer);

/** Local.  strip_comm stays the caller's; MPI_COMM_NULL for one strip. */
vrg_layer *vrg_layer_new (vrg_model *model, MPI_Comm strip_comm);
void vrg_layer_free (vrg_layer *layer);

/** Round the masters for the products.  False if they are too large for the fixed point (or not finite): training
 *  diverged.  Collective over strip_comm, where all get the same answer. */
bool vrg_layer_round (vrg_layer *layer);

/** The same in parts: the weights of hidden units [first, last), from 0 on in order, local; then the rest. */
void vrg_layer_round_rows (vrg_layer *layer, int64_t first, int64_t last);
bool vrg_layer_round_end (vrg_layer *layer);

/** Numbers of int32 that arrays for pieces of at most `lanes` lanes take.  Local. */
typedef struct
{
  int64_t visible, hidden;               /* units */
  int64_t visible_fields, hidden_fields; /* fields and means */
} vrg_layer_size;
vrg_layer_size vrg_layer_sizes (const vrg_layer *layer, int64_t lanes);

/** Samples to units, and units of sample s of the piece (0 <= s < n) to packed bits, bit = 1 for +1.  Visible ones are
 *  this rank's: [row1 - row0][words] as files hold a lattice, words = (columns + 63) / 64; where a layer stands on a dense
 *  one rows = 1 and columns = its units, of which this rank's alone are there, from bit 0 on.  Hidden ones: what the layer above
 *  takes as visible ones (dense: all units in one row; one filter: a lattice).  Local. */
void vrg_layer_unpack (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *v);
void vrg_layer_unpack_hidden (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *h);
void vrg_layer_pack (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int64_t s, uint64_t *bits);
void vrg_layer_pack_hidden (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int64_t s, uint64_t *bits);

/** Fields of a piece.  The first is collective over strip_comm (an integer sum), the second local. */
void vrg_layer_hidden_fields (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int32_t *fields);
void vrg_layer_visible_fields (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int32_t *fields);

/** Draw the units of a piece at Gibbs step `draw` of an update.  Local. */
void vrg_layer_hidden_sample (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw,
                              const int32_t *fields, int32_t *h);
void vrg_layer_visible_sample (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update,
                               int64_t draw, const int32_t *fields, int32_t *v);

/** Hidden means, in fixed point.  Local. */
void vrg_layer_means (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int32_t *means);

/** sums [parameters] += times * (sum over the data piece) - (sum over the model piece) of d(-E)/d(parameter) at the hidden
 *  means, in fixed point: s_v mean_h for weights in the model's order, then s_v for visible and mean_h for hidden biases.
 *  Either phase may be left out (v NULL).  Local. */
typedef struct
{
  vrg_piece piece;
  const int32_t *v, *means;
} vrg_phase;
void vrg_layer_gradient (const vrg_layer *layer, vrg_phase data, int64_t times, vrg_phase model, int64_t *sums);

/** Takes the gradient of the weights of hidden units [first, last), rows at `sums`, when it is complete. */
typedef struct
{
  void (*rows) (void *state, int64_t first, int64_t last, const int64_t *sums);
  void *state;
} vrg_rows_done;

/** Visible units of this rank in which the samples of two arrays differ.  Local. */
int64_t vrg_layer_difference (const vrg_layer *layer, vrg_piece piece, const int32_t *v, const int32_t *w);

/** Sample s in plain order: fields (or means) of hidden [hidden] or this rank's visible units [sites, by site], units as
 *  +-1.  Local; for measurements, not for speed. */
void vrg_layer_get_hidden (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x);
void vrg_layer_get_visible (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x);

/** Hidden units that see a site of this rank (0 <= site < sites), and by which weights; a unit may come several times (a
 *  filter that wraps).  index and weight have room for vrg_layer_reach.  Returns how many.  Local. */
int64_t vrg_layer_reach (const vrg_layer *layer);
int64_t vrg_layer_site (const vrg_layer *layer, int64_t site, int64_t *index, int32_t *weight);

/** Biases in fixed point: of a site of this rank, of a hidden unit (0 <= unit < hidden).  Local. */
int32_t vrg_layer_visible_bias (const vrg_layer *layer, int64_t site);
int32_t vrg_layer_hidden_bias (const vrg_layer *layer, int64_t unit);

#endif
