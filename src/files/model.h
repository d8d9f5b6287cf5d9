/* SPDX-License-Identifier: GPL-3.0-or-later
 * model.h5: a trained RBM.  /layer-1/{weights, visible_bias, hidden_bias}: dense weights f64 [visible][hidden],
 * convolution f64 [filter][row][column]; attributes: type, lattice, stride, epochs, updates, nn. */
#ifndef VRG_FILES_MODEL_H
#define VRG_FILES_MODEL_H

#include "base/param.h"
#include "files/h5.h"
#include "parallel/grid.h"

/** An RBM of +-1 units, E = -a.v - b.h - v W h.  Open struct; the arrays belong to it.
 *  dense: weights [visible1 - visible0][hidden], this rank's rows; visible_bias [visible1 - visible0].
 *  convolution: weights [filters][filter][filter], visible_bias [1], hidden_bias [filters], on every rank.
 *  Hidden unit (f, jy, jx) sees site (stride jy + dy - (filter - stride) / 2, likewise x), 0 <= dy, dx < filter,
 *  periodic, with weight [f][dy][dx]: the filter is centred on its block. */
typedef struct
{
  int type;              /* vrg_model_type */
  int64_t rows, columns; /* visible lattice */
  int64_t hidden;        /* units (dense), filters (convolution) */
  int64_t filter, stride;
  int64_t visible0, visible1; /* this rank's visible units (dense) */
  double nn;                  /* trained on */
  int64_t epochs, updates;
  double *weights, *visible_bias, *hidden_bias;
} vrg_model;

/** Write DIRECTORY/model.h5 (.tmp, sealed, renamed).  Collective over grid. */
int vrg_model_write (const vrg_grid *grid, const char *directory, const char *fingerprint, const vrg_model *model);

/** Read; every rank gets a convolution whole, a dense model by rows (vrg_grid_span of lattice rows over strips; all
 *  rows if strips is 1).  fingerprint (may be NULL) receives the file's, to free with vrg_free.  Collective. */
int vrg_model_read (const vrg_grid *grid, const char *path, vrg_model **model, char **fingerprint);

/** Local; NULL is fine. */
void vrg_model_free (vrg_model *model);

#endif
