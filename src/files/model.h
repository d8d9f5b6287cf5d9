/* SPDX-License-Identifier: GPL-3.0-or-later
 * model.h5, format 2: a stack of trained RBMs.  /layer-N/{weights, visible_bias, hidden_bias}, N = 1, 2, ...: dense weights
 * f64 [hidden][visible], convolution f64 [filter][row][column] (one row in one dimension); attributes: type, shape, stride,
 * epochs, updates; of the file: layers, and the couplings it was trained on. */
#ifndef VRG_FILES_MODEL_H
#define VRG_FILES_MODEL_H

#include "base/param.h"
#include "files/h5.h"
#include "parallel/grid.h"

/** An RBM of +-1 units, E = -a.v - b.h - v W h.  Open struct; the arrays belong to it.
 *  dense: weights [hidden][visible1 - visible0], this rank's visible units; visible_bias [visible1 - visible0].
 *  convolution: weights [filters][filter rows][filter], visible_bias [1], hidden_bias [filters], on every rank.
 *  Hidden unit (f, jy, jx) sees site (stride jy + dy - (filter - stride) / 2, likewise x), 0 <= dy, dx < filter,
 *  periodic, with weight [f][dy][dx]: the filter is centred on its block.  In one dimension (rows = 1) filters and strides
 *  act on columns alone. */
typedef struct
{
  int type;              /* vrg_model_type */
  int64_t rows, columns; /* visible lattice; 1 and the number of units where they have no places */
  int64_t hidden;        /* units (dense), filters (convolution) */
  int64_t filter, stride;
  bool symmetric;             /* weights tied by the point group */
  int64_t visible0, visible1; /* this rank's visible units (dense) */
  int64_t epochs, updates;
  double *weights, *visible_bias, *hidden_bias;
} vrg_model;

/** Rows of a filter and of a hidden lattice (convolution). */
static inline int64_t
vrg_model_filter_rows (const vrg_model *m)
{
  return m->rows == 1 ? 1 : m->filter;
}

static inline int64_t
vrg_model_hidden_rows (const vrg_model *m)
{
  return m->rows == 1 ? 1 : m->rows / m->stride;
}

/** Weights held by this rank. */
static inline int64_t
vrg_model_weights (const vrg_model *m)
{
  return m->hidden * (m->type == VRG_MODEL_DENSE ? m->visible1 - m->visible0 : vrg_model_filter_rows (m) * m->filter);
}

/** Arrays of zeros for the shape the model has.  Local. */
void vrg_model_allocate (vrg_model *model);

/** The arrays of a model as files hold them, GROUP/weights and so on; their names live in here, so it must stay where it
 *  is.  takes_part: this rank's part of a dense model counts (one group of ranks writes, all read).  Local. */
#define VRG_MODEL_ARRAYS 3
typedef struct
{
  vrg_h5_array array[VRG_MODEL_ARRAYS];
  char name[VRG_MODEL_ARRAYS][64];
} vrg_model_arrays;
void vrg_model_describe (const vrg_model *model, const char *group, bool takes_part, vrg_model_arrays *arrays);

/** Layers, the lowest first; owns them. */
typedef struct
{
  int layers;
  vrg_model *layer[VRG_MAX_LAYERS];
  int n_nn;
  double nn[VRG_MAX_COUPLINGS]; /* trained on */
} vrg_stack;

/** Write DIRECTORY/model.h5 (.tmp, sealed, renamed).  Collective over grid. */
int vrg_model_write (const vrg_grid *grid, const char *directory, const char *fingerprint, const vrg_stack *stack);

/** Read; every rank gets a convolution whole, a dense model by columns (vrg_grid_span of lattice rows, or of units above
 *  the first layer, over strips; all if strips is 1).  fingerprint (may be NULL) receives the file's, to free with
 *  vrg_free.  Collective. */
int vrg_model_read (const vrg_grid *grid, const char *path, vrg_stack **stack, char **fingerprint);

/** Local; NULL is fine. */
void vrg_model_free (vrg_model *model);
void vrg_stack_free (vrg_stack *stack);

#endif
