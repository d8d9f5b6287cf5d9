/* SPDX-License-Identifier: GPL-3.0-or-later
 * The filters of block rules: two weights of the input, or the layers of a trained convolution. */
#ifndef VRG_FLOW_LEARNT_H
#define VRG_FLOW_LEARNT_H

#include "base/param.h"
#include "files/samples.h"
#include "flow/levels.h"
#include "parallel/grid.h"

/** What the input's rules need, learnt filters from DIRECTORY/model.h5: every layer a convolution of one filter,
 *  trained with this input on this lattice, of the flow's scale; otherwise VRG_FILE says what does not fit. The sign
 *  of each layer is chosen so that the sum of its weights is positive (both signs are the same model). VRG_USAGE if
 *  the input's weights are too large. To free also after a failure. Collective. */
int vrg_filters_init (const vrg_grid *grid, const char *directory, const vrg_input *input, const vrg_samples_info *info,
                      vrg_filters *filters);
void vrg_filters_free (vrg_filters *filters);

/** The filter of side b + 2: weights[0] for a site of the block, weights[1] for the sites one bond away from it, 0 at
 *  corners.  VRG_USAGE if fields could exceed the fixed point.  filter->weights: to free with vrg_free.  Local. */
int vrg_filter_weighted (int dimension, int b, const double weights[2], vrg_filter *filter);

/** VRG_FILE unless the fingerprint found in DIRECTORY/name is that of the input's stage.  Local. */
int vrg_learnt_check (const char *directory, const char *name, const char *found, const vrg_input *input,
                      vrg_stage stage);

#endif
