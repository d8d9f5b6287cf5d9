/* SPDX-License-Identifier: GPL-3.0-or-later
 * Operators S_a: sums over the lattice of all images (translations and point group, each counted once) of a product of
 * spins given by offsets.  Catalogue order is that of vrg_param_even_names and vrg_param_odd_names. */
#ifndef VRG_LATTICE_OPERATORS_H
#define VRG_LATTICE_OPERATORS_H

#include "lattice/lattice.h"

#define VRG_OPERATOR_SITES 4
#define VRG_OPERATOR_IMAGES 8

/** One operator: per lattice site, `images` products of `sites` spins at offsets (row, column) >= some image's origin.
 *  S_a = sum over sites, images, of the product. */
typedef struct
{
  const char *name;
  int sites, images;
  int offset[VRG_OPERATOR_IMAGES][VRG_OPERATOR_SITES][2];
} vrg_operator;

/** Catalogue entries; indices as in vrg_param_even_names / vrg_param_odd_names. */
const vrg_operator *vrg_operator_even (int index);
const vrg_operator *vrg_operator_odd (int index);

/** S_a of n operators on a WHOLE lattice (row0 = 0, row1 = rows; no halo needed).  sums[n] is overwritten.  Local. */
void vrg_operators_sum (const vrg_lattice *lattice, int n, const vrg_operator *const *operators, int64_t *sums);

/** Local environments of n even operators: for every site, k_a = number of images through the site whose product (the
 *  site included) is +1; products in which the site cancels modulo 2 do not count.  reach[a] = number of images
 *  through a site that do count, so that s m_a = 2 k_a - reach[a].  The environment is the number
 *  sum_a k_a prod_{b<a} (reach[b] + 1).  counts[prod (reach + 1)] is added to.  Whole lattice.  Local.
 *  Source: Swendsen, Phys. Rev. Lett. 52, 1165 (1984); for +-1 spins the Callen identity is the pseudo-likelihood. */
void vrg_operators_environments (const vrg_lattice *lattice, int n, const vrg_operator *const *operators,
                                 int64_t *counts);

/** reach[n] on a rows x columns torus; returns the number of environments.  Local. */
int64_t vrg_operators_reach (int64_t rows, int64_t columns, int n, const vrg_operator *const *operators, int *reach);

#endif
