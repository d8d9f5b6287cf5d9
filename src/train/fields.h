/* SPDX-License-Identifier: GPL-3.0-or-later
 * Receptive fields: how a hidden unit is joined to the lattice, by its own weights or through the layers below it,
 *   r(1) = W(1),  r(l) = W(l) r(l-1)
 * (Mehta and Schwab, arXiv:1410.3831), and where on the torus such a field is. */
#ifndef VRG_TRAIN_FIELDS_H
#define VRG_TRAIN_FIELDS_H

#include <stdbool.h>

#include "files/model.h"

/** What is said of one field, all with weights r^2. */
typedef struct
{
  double norm;          /* square root of the sum of r^2 */
  double own;           /* the same of the unit's weights in its own layer */
  double row, column;   /* centre: the circular mean, 0 <= row < rows of the lattice */
  double radius;        /* root mean square distance from the centre, periodic */
  double participation; /* sum r^4 / (sum r^2)^2: 1 for a single site, 1 / sites for a constant field */
  bool live;
} vrg_field;

/** The fields of a layer.  Owns its memory.
 *  dense: over the whole lattice, this rank's sites.  convolution: of one hidden unit of each filter, the first one
 *  of the hidden lattice, on every rank; over the part of the lattice that it sees. */
typedef struct
{
  int64_t units;
  int64_t lattice[2];    /* sides of the torus */
  int64_t rows, columns; /* of a field */
  int64_t origin[2];     /* the site of its corner: may be negative, all is periodic */
  int64_t step[2];       /* sites between the fields of neighbouring hidden units (convolution) */
  int64_t own0, own1;    /* this rank's sites of the field, row * columns + column */
  double *weights;       /* [units][own1 - own0] */
  vrg_field *unit;       /* [units], on every rank */
} vrg_fields;

#define VRG_FIELDS_LIVE 0.05 /* of the largest own norm in its layer: what a live unit has at least */

/** Fields of a layer by its own weights.  Collective over grid. */
vrg_fields *vrg_fields_new (const vrg_grid *grid, const vrg_model *model);

/** Effective fields of the layer above.  A convolution stands on one filter.  Collective over grid. */
vrg_fields *vrg_fields_above (const vrg_grid *grid, const vrg_fields *below, const vrg_model *model);

void vrg_fields_free (vrg_fields *fields);

/** Whole fields of units [first, first + n): maps [n][rows][columns], the same on every rank.  Collective over the
 *  strips of a group. */
void vrg_fields_get (const vrg_grid *grid, const vrg_fields *fields, int64_t first, int64_t n, double *maps);

/** Live units; the median radius among them (NaN without any).  Local. */
int64_t vrg_fields_live (const vrg_fields *fields, double *radius);

/** The radius of a field without structure: weights spread evenly over the rows x columns sites of a field.  Along an axis
 *  that it does not go round the mean square distance from the middle, (n^2 - 1)/12; else that of two sites of the torus.
 *  Reads lattice, rows and columns only.  Local. */
double vrg_fields_structureless (const vrg_fields *fields);

/** Its participation where the weights are independent and normal: 3 over the number of sites.  Local. */
double vrg_fields_participation (const vrg_fields *fields);

#endif
