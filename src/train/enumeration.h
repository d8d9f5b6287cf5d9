/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exact ln Z by enumeration of the smaller of the two layers of units. */
#ifndef VRG_TRAIN_ENUMERATION_H
#define VRG_TRAIN_ENUMERATION_H

#include "parallel/grid.h"
#include "train/layer.h"

#define VRG_ENUMERATION_MOST 24

/** Whether one side has at most VRG_ENUMERATION_MOST units.  Local. */
bool vrg_enumeration_possible (const vrg_layer *layer);

/** ln Z of the rounded layer.  States are cut into fixed chunks, which are spread over all ranks and added in order: the
 *  same bits on every grid.  About 2 ns for a state and a unit of the larger side with AVX-512, half the states without
 *  biases.  Collective over grid. */
double vrg_enumeration_lnz (const vrg_grid *grid, const vrg_layer *layer);

#endif
