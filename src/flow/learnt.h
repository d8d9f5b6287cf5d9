/* SPDX-License-Identifier: GPL-3.0-or-later
 * The learnt block rule: the filter of a trained convolution. */
#ifndef VRG_FLOW_LEARNT_H
#define VRG_FLOW_LEARNT_H

#include "base/param.h"
#include "files/samples.h"
#include "flow/levels.h"
#include "parallel/grid.h"

/** Read DIRECTORY/model.h5: a convolution of one filter, trained with this input on this lattice, of the flow's scale;
 *  otherwise VRG_FILE says what does not fit.  The sign is chosen so that the weights' sum is positive (both signs are
 *  the same model).  filter->weights: to free with vrg_free; NULL on failure.  Collective. */
int vrg_learnt_read (const vrg_grid *grid, const char *directory, const vrg_input *input, const vrg_samples_info *info,
                     vrg_filter *filter);

/** VRG_FILE unless the fingerprint found in DIRECTORY/name is that of the input's stage.  Local. */
int vrg_learnt_check (const char *directory, const char *name, const char *found, const vrg_input *input,
                      vrg_stage stage);

#endif
