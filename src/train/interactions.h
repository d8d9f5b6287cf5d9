/* SPDX-License-Identifier: GPL-3.0-or-later
 * The couplings among visible units that an RBM stands for: with the hidden units summed out, ln of the visible units'
 * weight is
 *   F(v) = a.v + sum_j ln 2cosh (b_j + sum_i W_ij v_i) = sum_S J_S prod_{i in S} v_i,
 *   J_S = 2^-n sum_v F(v) prod_{i in S} v_i
 * (Cossu et al., Phys. Rev. B 100, 064304 (2019)).  Every hidden unit adds its own share, which by the Fourier
 * transform of ln 2cosh is one integral, for any number n of visible units: with P(t) = prod_i cos (t W_ij) and an
 * even k = |S|
 *   J_S^(j) = (-1)^(k/2 + 1) int_0^inf dt cos (t b_j) / (t sinh (pi t / 2)) P(t) prod_{i in S} tan (t W_ij),
 * and the same with sin (t b_j) for k = 1.  The trapezoidal rule finds it to about 1e-13: sampling is not needed. */
#ifndef VRG_TRAIN_INTERACTIONS_H
#define VRG_TRAIN_INTERACTIONS_H

#include "train/fields.h"

/** The mean coupling of all groups of sites that are translations of each other. */
typedef struct
{
  int order;           /* sites of a group: 1, 2 or 4 */
  const char *shape;   /* "site", "pair", "line", "plaquette", ... */
  int64_t row, column; /* how far the group reaches; a pair's distance */
  double coupling;     /* mean over translations */
  double spread;       /* standard deviation of a single group's */
  double error;        /* of the mean, if groups are taken as independent */
  double largest;      /* largest magnitude */
  int64_t groups;      /* different groups of sites */
} vrg_interaction;

typedef struct
{
  int n;
  vrg_interaction *item;
} vrg_interactions;

/** Of a layer that stands on a lattice.  Pairs: at all distances on small lattices, up to VRG_INTERACTIONS_REACH on
 *  large ones (less where the layer is very large).  fields: the layer's own (vrg_fields_new).  Units are shared
 *  among all ranks; sums over units are integers, multiples of 2^-48.  Collective over grid. */
#define VRG_INTERACTIONS_REACH 8
vrg_interactions *vrg_interactions_new (const vrg_grid *grid, const vrg_model *model, const vrg_fields *fields);
void vrg_interactions_free (vrg_interactions *interactions);

#endif
