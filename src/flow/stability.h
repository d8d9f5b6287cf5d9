/* SPDX-License-Identifier: GPL-3.0-or-later
 * The stability matrix of a renormalization-group map, T_ab = dK'_a / dK_b, and its leading exponent. */
#ifndef VRG_FLOW_STABILITY_H
#define VRG_FLOW_STABILITY_H

#include <stdbool.h>

/** Solve covariance T = cross for the operators in `used`: covariance[n n] = cov (S'_c, S'_a), cross[n n] =
 *  cov (S'_c, S_b).  matrix[n n]: NaN in rows and columns not used, and throughout if there is no solution.  Local.
 *  Source: Swendsen, Phys. Rev. Lett. 42, 859 (1979). */
void vrg_stability_matrix (int n, const double *covariance, const double *cross, const bool *used, double *matrix);

/** y[k - 1] = ln lambda / ln scale from the first k operators, k = 1..n, of which those in `used` count; lambda is the
 *  eigenvalue of largest modulus.  NaN where it is not real and positive, or nothing is used.  Local. */
void vrg_stability_exponents (int n, const double *covariance, const double *cross, const bool *used, double scale,
                              double *y);

#endif
