/* SPDX-License-Identifier: GPL-3.0-or-later
 * One exponent from those of several levels and sizes. */
#ifndef VRG_FLOW_EXTRAPOLATION_H
#define VRG_FLOW_EXTRAPOLATION_H

#include <stdint.h>

/** Blocked lattices of a shorter side are left out: images of operators coincide there. */
#define VRG_EXTRAPOLATION_SIDE 4

/** Powers of the corrections that are averaged over: from FIRST to LAST, STEPS of them in equal steps. */
#define VRG_EXTRAPOLATION_FIRST 0.5
#define VRG_EXTRAPOLATION_LAST 4.0
#define VRG_EXTRAPOLATION_STEPS 71

/** The exponent of the map to a level of a lattice. */
typedef struct
{
  int level;
  int64_t size; /* side of the sampled lattice, the shortest one */
  int64_t side; /* of the level's */
  double y;
} vrg_extrapolation_point;

typedef struct
{
  int points, terms; /* taken; parameters of the fit, with the result */
  double value,
    error;           /* error: from those of the points, the powers, and points that scatter by more than they ought */
  double systematic; /* largest change of value when the lowest level, the smallest size or the shortest side is left
                            out; NaN where nothing can be left out */
  double chi2;       /* of the best fit */
} vrg_extrapolation;

/** y (level, size) = y + A scale^(-p level) + B side^(-q) by generalised least squares, covariance[points points]; the
 *  second and third term only where the points can tell them apart and outnumber the parameters.  p and q are not known:
 *  the result is the mean over a grid of both with weight exp (-chi2 / 2), its variance the mean variance and the variance
 *  of the mean.  Where chi2 of the best fit is more than its degrees of freedom, all variances are enlarged by the
 *  ratio.  Points without a value or variance, or of too short a side, are passed over; value is NaN if none is left.
 *  Local. */
void vrg_extrapolate (int points, const vrg_extrapolation_point *point, const double *covariance, double scale,
                      vrg_extrapolation *result);

#endif
