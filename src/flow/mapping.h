/* SPDX-License-Identifier: GPL-3.0-or-later
 * Is a trained RBM an exact renormalization of the Ising model?  By enumeration, where a layer is small enough.
 *
 * With E the RBM's energy, H the Ising model's, and T (v, h) = -E + H (v) the operator of a variational
 *   renormalization, exp (-H_RG (h)) = sum_v exp (T (v, h) - H (v)) = exp (-H_RBM (h))  for any parameters,
 *   sum_h exp (T (v, h)) is the same for all v  if and only if the RBM's law of v is exp (-H (v)) / Z,
 * and then alone the transformation leaves ln Z as it is; KL (Ising || RBM) says how far it is from that.
 * Source: Mehta and Schwab, arXiv:1410.3831. */
#ifndef VRG_FLOW_MAPPING_H
#define VRG_FLOW_MAPPING_H

#include <stdbool.h>

#include "base/param.h"
#include "files/samples.h"
#include "parallel/grid.h"
#include "train/layer.h"

#define VRG_MAPPING_MOST 20 /* visible units whose states are enumerated */

/** A rounded layer of one strip as arrays; bit i of a state is unit i, 1 = +1.  Owns them. */
typedef struct
{
  int visible;
  int64_t hidden;
  int32_t *weights, *visible_bias, *hidden_bias; /* weights [visible][hidden] */
} vrg_mapping;

/** NULL if there are more than VRG_MAPPING_MOST visible units.  Local, as are all but the last. */
vrg_mapping *vrg_mapping_new (const vrg_layer *layer);
void vrg_mapping_free (vrg_mapping *mapping);

/** ln P [2^sites] of the configurations that the input's model is trained on; of a scan the mixture of its laws. */
void vrg_mapping_ising (const vrg_input *input, double *law);

/** ln of the RBM's law of its visible units, [2^visible]. */
void vrg_mapping_marginal (const vrg_mapping *mapping, double *law);

/** Largest |H_RG - H_RBM| over states of the hidden units: all if there are at most `most`, otherwise so many that are
 *  drawn; *states says how many.  H = -law, [2^visible]. */
double vrg_mapping_identity (const vrg_mapping *mapping, const double *law, int64_t most, const vrg_rng *rng,
                             int64_t *states);

/** Standard deviation under the law, and largest difference, of ln sum_h exp (T (v, h)) over v, per visible unit;
 *  marginal: the RBM's law. */
void vrg_mapping_trace (int units, const double *law, const double *marginal, double *spread, double *range);

/** KL (law || marginal) per unit in nats. */
double vrg_mapping_divergence (int units, const double *law, const double *marginal);

/** ln of the law of the hidden units given that of the visible ones, and of the visible given that of the hidden: each
 *  side is drawn given the other.  False if visible and hidden units are more than VRG_MAPPING_PAIRS. */
#define VRG_MAPPING_PAIRS 28
bool vrg_mapping_up (const vrg_mapping *mapping, const double *law, double *hidden_law);
bool vrg_mapping_down (const vrg_mapping *mapping, const double *hidden_law, double *law);

/** All this for DIRECTORY/model.h5, into mapping.tsv: layer quantity method value error.  What cannot be enumerated is
 *  taken from train.tsv where that has it; the log says which.  Nothing is done if the input trains no model.  VRG_FILE
 *  as vrg_rbm_flow_model.  Collective. */
int vrg_mapping_write (const vrg_grid *grid, const vrg_input *input, const vrg_samples_info *info,
                       const char *directory);

#endif
