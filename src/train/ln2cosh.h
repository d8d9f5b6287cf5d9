/* SPDX-License-Identifier: GPL-3.0-or-later
 * Sums of ln 2cosh of fields, the free energy of an RBM's units. */
#ifndef VRG_TRAIN_LN2COSH_H
#define VRG_TRAIN_LN2COSH_H

#include <stdint.h>

/** Sum over n fixed-point fields of ln 2cosh (scale x), 0 <= scale <= 1, added in an order of its own: the same bits on
 *  every path and processor.  Absolute error below 1e-15 a field.  Local. */
double vrg_sum_ln2cosh (const int32_t *x, int64_t n, double scale);

#endif
