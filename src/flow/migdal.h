/* SPDX-License-Identifier: GPL-3.0-or-later
 * Migdal and Kadanoff's recursion of the nearest-neighbour coupling: b^(d-1) bonds are moved onto one, then the spins
 * between are summed over,
 *
 *   tanh K' = tanh (b^(d-1) K)^b,
 *
 * in one dimension exact decimation.  ln Z per site is exact there and an upper bound otherwise.
 * Source: Migdal, Sov. Phys. JETP 42, 743 (1976); Kadanoff, Ann. Phys. 100, 359 (1976). */
#ifndef VRG_FLOW_MIGDAL_H
#define VRG_FLOW_MIGDAL_H

#include <stdbool.h>

/** K' of K >= 0, scale factor b >= 2, 1 to 3 dimensions.  slope (may be NULL): dK'/dK.  Local. */
double vrg_migdal_step (int dimension, int b, double k, double *slope);

/** ln Z per site: bound, in one dimension exact.  Local. */
double vrg_migdal_bound (int dimension, int b, double k);

/** Levels 0 to `levels`: couplings k[levels + 1]; bound (may be NULL) of ln Z per site of each level, constant (may be
 *  NULL) ln Z per site of level 0 that the spins summed over give up to there.  Local. */
void vrg_migdal_flow (int dimension, int b, double start, int levels, double *k, double *bound, double *constant);

/** Fixed point, eigenvalue dK'/dK there and y_t.  False in one dimension, where there is none at finite K > 0.  Local. */
bool vrg_migdal_fixed_point (int dimension, int b, double *k, double *eigenvalue, double *y_t);

#endif
