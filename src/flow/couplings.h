/* SPDX-License-Identifier: GPL-3.0-or-later
 * Couplings that a set of configurations has, by maximum pseudo-likelihood from the histogram of local environments
 * (lattice/operators.h).  With x = s h, h = sum_a K_a m_a: P (s | rest) = e^x / (2 cosh x).  Stationarity is Callen's
 * identity <m_a (s - tanh h)> = 0.
 * Source: Swendsen, Phys. Rev. Lett. 52, 1165 (1984); Besag, J. R. Stat. Soc. B 36, 192 (1974). */
#ifndef VRG_FLOW_COUPLINGS_H
#define VRG_FLOW_COUPLINGS_H

#include <stdbool.h>
#include <stdint.h>

/** prod (reach + 1). */
int64_t vrg_couplings_environments (int n, const int *reach);

/** Weighted sums over environments at the couplings k[n]: likelihood = sum w ln P (returned), gradient[n] of it,
 *  hessian[n n] of its negative.  weight: as many as there are environments, any normalisation.  Environments are
 *  visited in ascending order.  Local. */
double vrg_couplings_slope (int n, const int *reach, const double *weight, const double *k, double *gradient,
                            double *hessian);

/** step[n] = hessian^-1 gradient for the operators used, 0 for the others.  False if the Hessian is not positive definite.
 *  Local. */
bool vrg_couplings_newton (int n, const bool *used, const double *gradient, const double *hessian, double *step);

/** One Newton step from k (in place) for the operators used.  False if the Hessian is singular.  Local. */
bool vrg_couplings_step (int n, const bool *used, const double *gradient, const double *hessian, double *k);

/** Maximise: k[n] is overwritten, used[n] tells which operators could be fitted; the others, constant or linearly
 *  dependent on those before them, get NaN.  False, and NaN in all, if there is no finite maximum (spins that never
 *  disagree with their field).  Local. */
bool vrg_couplings_fit (int n, const int *reach, const double *weight, double *k, bool *used);

/** The histogram of the first n - 1 of n operators, in place: it is a sum over that of n.  Local. */
void vrg_couplings_marginal (int n, const int *reach, double *weight);

/** Nested fits: row m - 1 of k[n][n] has the couplings of the fit with the first m operators, NaN for operators that are
 *  not used or not among them.  weight is overwritten.  Local. */
void vrg_couplings_nested (int n, const int *reach, double *weight, double *k);

/** Sums over environments at a nested fit with m operators: the likelihood; the number of spins that disagree with their
 *  field; gradient[m], hessian[m m].  Fits lie one after the other, m = 1..n. */
typedef struct
{
  double *likelihood, *against, *gradient, *hessian;
} vrg_slope;

/** Doubles of the slopes of n nested fits, and the place of the one with m operators among them. */
int64_t vrg_couplings_slopes_size (int n);
vrg_slope vrg_couplings_slope_at (double *slopes, int m);

/** Slopes of a histogram at the nested couplings k[n][n]; zero where there are none.  weight is overwritten.  Local. */
void vrg_couplings_slopes (int n, const int *reach, double *weight, const double *k, double *slopes);

/** What the environments tell of the spins beyond the fit with couplings k[n] (NaN: not used).  An environment and its opposite (all m_a of
 *  the other sign) are one pair: by the symmetry s -> -s they tell the same.
 *
 *  The most that the pairs could tell is the likelihood of the observed shares, sum w ln (w / (w + w')), which is too large
 *  because the shares fit their own noise too: a pair of n sites whose spins agree with probability p by b (n, p), the mean of
 *  that sum less the one with p over the binomial distribution (1/2 where n p (1 - p) is large).  This holds for independent
 *  sites; otherwise it grows as the variance of the number that agree, which a unit of samples estimates by its
 *  own sum of squares.  allowance[pair] = b (n, p) / (n p (1 - p)) of the whole histogram, pair < environments / 2.  Local. */
void vrg_couplings_allowance (int n, const int *reach, const int64_t *histogram, const double *k, double *allowance);

/** What a unit adds, of the counts of its sites: to the likelihood of the whole histogram's shares (returned), and to
 *  its excess: sum over pairs of allowance times (number that agree - its mean)^2.  Local. */
double vrg_couplings_saturated (int n, const int *reach, const int64_t *histogram, const int64_t *counts,
                                const double *allowance, const double *k, double *excess);

#endif
