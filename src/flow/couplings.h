/* SPDX-License-Identifier: GPL-3.0-or-later
 * Couplings that a set of configurations has, by maximum pseudo-likelihood from the histogram of local environments
 * (lattice/operators.h).  With x = s h, h = sum_a K_a m_a: P (s | rest) = e^x / (2 cosh x).  Stationarity is Callen's
 * identity <m_a (s - tanh h)> = 0.
 * Source: Swendsen, Phys. Rev. Lett. 52, 1165 (1984); Besag, J. R. Stat. Soc. B 36, 192 (1974). */
#ifndef VRG_FLOW_COUPLINGS_H
#define VRG_FLOW_COUPLINGS_H

#include <stdbool.h>
#include <stdint.h>

/** Weighted sums over environments at the couplings k[n]: likelihood = sum w ln P (returned), gradient[n] of it,
 *  hessian[n n] of its negative.  weight: as many as there are environments, any normalisation.  Environments are
 *  visited in ascending order.  Local. */
double vrg_couplings_slope (int n, const int *reach, const double *weight, const double *k, double *gradient,
                            double *hessian);

/** One Newton step from k (in place) for the operators used.  False if the Hessian is singular.  Local. */
bool vrg_couplings_step (int n, const bool *used, const double *gradient, const double *hessian, double *k);

/** Maximise: k[n] is overwritten, used[n] tells which operators could be fitted; the others, constant or linearly
 *  dependent on those before them, get NaN.  False, and NaN in all, if there is no finite maximum (spins that never
 *  disagree with their field).  Local. */
bool vrg_couplings_fit (int n, const int *reach, const double *weight, double *k, bool *used);

#endif
