/* SPDX-License-Identifier: GPL-3.0-or-later
 * Operators S_a: sums over the lattice of all images (translations and point group, each counted once) of a product of
 * spins given by offsets, and the local environments of even operators.  One, two and three dimensions. */
#ifndef VRG_LATTICE_OPERATORS_H
#define VRG_LATTICE_OPERATORS_H

#include "base/catalogue.h"
#include "lattice/lattice.h"

#define VRG_OPERATOR_IMAGES 48 /* the point group of the cube */
#define VRG_ENVIRONMENTS_MOST (INT64_C (1) << 26)

/** One operator: per lattice site, `images` products of `sites` spins at offset[image][site][d] >= 0, slowest dimension
 *  first.  S_a = sum over sites, images, of the product.  Plain data. */
typedef struct
{
  char name[VRG_PATTERN_NAME];
  int sites, images;
  int offset[VRG_OPERATOR_IMAGES][VRG_PATTERN_SITES][VRG_MAX_DIMENSION];
} vrg_operator;

/** The images of a pattern under the point group of the hypercubic lattice; those that are translations of each other are
 *  one.  Local. */
void vrg_operator_init (vrg_operator *op, int dimension, const vrg_pattern *pattern);

/** The first n operators of a catalogue (base/catalogue.h), and pointers to them.  Local. */
void vrg_operators_catalogue (int dimension, bool odd, int n, vrg_operator *ops, const vrg_operator **pointers);

/** Plan of the sums of n operators on whole lattices with sides size[dimension], slowest first, and of the environments
 *  of the same operators if they are all even.  Calls allocate nothing, but for the first vrg_operators_count. */
typedef struct vrg_operators vrg_operators;
vrg_operators *vrg_operators_new (int dimension, const int64_t *size, int n, const vrg_operator *const *ops);
void vrg_operators_free (vrg_operators *operators);

/** S_a on a WHOLE lattice (row0 = 0, row1 = rows; no halo needed).  On tori so small that images coincide each counts.
 *  sums[n] is overwritten.  Local. */
void vrg_operators_sums (vrg_operators *operators, const vrg_lattice *lattice, int64_t *sums);

/** Local environments of even operators: for every site, k_a = number of images through the site whose product (the
 *  site included) is +1; products in which the site cancels modulo 2 do not count.  reach[a] = number of images
 *  through a site that do count, so that s m_a = 2 k_a - reach[a].  The environment is the number
 *  sum_a k_a prod_{b<a} (reach[b] + 1).  counts[prod (reach + 1)] is added to.  Whole lattice.  There must be no more
 *  environments than vrg_operators_reach allows.  Local.
 *  Source: Swendsen, Phys. Rev. Lett. 52, 1165 (1984); for +-1 spins the Callen identity is the pseudo-likelihood. */
void vrg_operators_count (vrg_operators *operators, const vrg_lattice *lattice, int64_t *counts);

/** reach[n] on a torus of these sides; returns the number of environments, -1 if it is above VRG_ENVIRONMENTS_MOST.
 *  Local. */
int64_t vrg_operators_reach (int dimension, const int64_t *size, int n, const vrg_operator *const *ops, int *reach);

/** The same as vrg_operators_sums and vrg_operators_count for one lattice only.  Local. */
void vrg_operators_sum (const vrg_lattice *lattice, int n, const vrg_operator *const *ops, int64_t *sums);
void vrg_operators_environments (const vrg_lattice *lattice, int n, const vrg_operator *const *ops, int64_t *counts);

#endif
