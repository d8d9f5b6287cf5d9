/* SPDX-License-Identifier: GPL-3.0-or-later
 * What operator sums and environments share. */
#ifndef VRG_LATTICE_OPERATORS_INTERNAL_H
#define VRG_LATTICE_OPERATORS_INTERNAL_H

#include "lattice/bands.h"
#include "lattice/operators.h"

/** XOR of `factors` arrays; then `at` is where each one is, in words from the bands' bits. */
typedef struct
{
  int factors;
  vrg_bands_site site[VRG_PATTERN_SITES];
  int64_t at[VRG_PATTERN_SITES];
} vrg_product;

/** Set `at` of n products, when the bands have their memory.  Local. */
void vrg_products_locate (const vrg_bands *bands, int n, vrg_product *products);

/** Plan of the environments of n even operators.  Local. */
typedef struct vrg_counting vrg_counting;
vrg_counting *vrg_counting_new (int dimension, const int64_t *size, int n, const vrg_operator *ops);
void vrg_counting_free (vrg_counting *counting);
void vrg_counting_add (const vrg_counting *counting, const vrg_lattice *lattice, int64_t *counts);

#endif
