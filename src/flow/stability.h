/* SPDX-License-Identifier: GPL-3.0-or-later
 * The stability matrix of a renormalization-group map, T_ab = dK'_a / dK_b, its eigenvalues, scaling fields and leading
 * exponent. */
#ifndef VRG_FLOW_STABILITY_H
#define VRG_FLOW_STABILITY_H

#include <complex.h>
#include <stdbool.h>

/** Solve covariance X = right for the operators in `used`: covariance[n n], right[n columns], matrix[n columns] with NaN
 *  in rows not used, and throughout if there is no solution.  Local. */
void vrg_stability_solve (int n, const double *covariance, const bool *used, int columns, const double *right,
                          double *matrix);

/** T: covariance T = cross for the operators in `used`; covariance[n n] = cov (S'_c, S'_a), cross[n n] = cov (S'_c, S_b).
 *  matrix[n n]: NaN in rows and columns not used, and throughout if there is no solution.  Local.
 *  Source: Swendsen, Phys. Rev. Lett. 42, 859 (1979). */
void vrg_stability_matrix (int n, const double *covariance, const double *cross, const bool *used, double *matrix);

/** y[k - 1] = ln lambda / ln scale from the first k operators, k = 1..n, of which those in `used` count; lambda is the
 *  eigenvalue of largest modulus.  NaN where it is not real and positive, or nothing is used.  Local. */
void vrg_stability_exponents (int n, const double *covariance, const double *cross, const bool *used, double scale,
                              double *y);

/** ln value / ln scale; NaN where the value is not real and positive. */
double vrg_stability_exponent (double complex value, double scale);

/** Eigenvalues by falling modulus, of a complex pair the one with positive imaginary part first.  Of each the left
 *  eigenvector (the scaling field: u = sum_a left_a dK_a is multiplied by the eigenvalue), of length 1, its largest
 *  component real and positive; and the right one (the direction in the space of couplings), left . right = 1.  NaN
 *  beyond as many as there are operators used, in operators not used, and in vectors where there is no complete set. */
typedef struct
{
  int n;
  double complex *value;        /* [index] */
  double complex *left, *right; /* [index][operator] */
} vrg_eigen;

void vrg_eigen_init (vrg_eigen *eigen, int n);
void vrg_eigen_clear (vrg_eigen *eigen);

/** Of T as vrg_stability_matrix gives it.  Local. */
void vrg_stability_eigen (const double *matrix, const bool *used, vrg_eigen *eigen);

/** Order the eigenvalues as those of a matrix nearby, by the overlap of the vectors, and turn the phases of the left
 *  vectors to theirs.  Local. */
void vrg_eigen_align (const vrg_eigen *reference, vrg_eigen *eigen);

#endif
