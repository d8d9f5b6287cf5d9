/* SPDX-License-Identifier: GPL-3.0-or-later
 * Two-lattice matching: at the critical coupling level n of a lattice of side L and level n - 1 of one of side L / b have
 * the same means, but for what has not yet come to the fixed point.
 * Sources: Wilson, in Recent Developments in Gauge Theories (1980); Swendsen, in Phase Transitions, Cargese 1980 (1982). */
#ifndef VRG_FLOW_MATCHING_H
#define VRG_FLOW_MATCHING_H

/** Operators that are combined into one estimate, at most: the first ones.  The more, the worse is their covariance
 *  known. */
#define VRG_MATCHING_COMBINED 3

/** What a run has of one level: n means and their slopes in nn, all and with one block left out [block][n]; errors are
 *  `factor` times the jackknife's.  Not owned. */
typedef struct
{
  int blocks;
  double factor;
  const double *mean, *mean_rest, *slope, *slope_rest;
} vrg_matching_run;

/** nn at which the means of operator a agree, by a linear step from the nn of the runs:
 *  nn - (<S_a> - <S_a>_small) / (slope_a - slope_small_a), for each of n operators; NaN where it cannot be told.
 *  runs: `large` of the large lattice, then `small` of the small one, all independent; the means of several of one
 *  lattice are averaged.  covariance[n n]: by the jackknife, runs added.  change[n]: by how much the step changes a mean
 *  by its slope, as part of its distance from largest[a], the value of full order, the larger one of the two lattices: as
 *  it nears 1 the means cannot be linear.  Local. */
void vrg_matching (int n, double nn, int large, int small, const vrg_matching_run *runs, const double *largest,
                   double *estimate, double *covariance, double *change);

/** The first VRG_MATCHING_COMBINED estimates that can be told, in one: generalised least squares with their covariance,
 *  those dropped that depend on others; the error is enlarged by sqrt (chi2 / (taken - 1)) if that is more than 1.  blocks:
 *  of the run that has fewest, for the error of the covariance.  Returns how many were taken; value and error are NaN if
 *  none.  Local. */
int vrg_matching_combine (int n, const double *estimate, const double *covariance, int blocks, double *value,
                          double *error);

#endif
