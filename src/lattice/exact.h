/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exact results for the Ising model on a torus of two dimensions, on a ring, and on the infinite plane. */
#ifndef VRG_LATTICE_EXACT_H
#define VRG_LATTICE_EXACT_H

#include <stdint.h>

#include "base/param.h"

/** Kaufman's four products and their first two derivatives in K (by automatic differentiation) on a rows x columns
 *  torus, K > 0: ln Z of the whole torus, energy = -<S_nn>/N, specific_heat = K^2 var (S_nn)/N.  On a side of 2 a pair
 *  is joined twice.  Any output may be NULL.  Local.
 *  Source: Kaufman, Phys. Rev. 76, 1232 (1949); Ferdinand and Fisher, Phys. Rev. 185, 832 (1969). */
void vrg_exact_torus (int64_t rows, int64_t columns, double nn, double *lnz, double *energy, double *specific_heat);

/** The same of a ring of `length` >= 2 spins; on a ring of 2 the pair is joined twice.  K < 0 wants an even length.
 *  Any output may be NULL.  Local. */
void vrg_exact_ring (int64_t length, double nn, double *lnz, double *energy, double *specific_heat);

/** ln Z per site of the infinite square lattice, K > 0, relative error below 1e-13.  Local.
 *  Source: Onsager, Phys. Rev. 65, 117 (1944). */
double vrg_exact_plane (double nn);

#endif
