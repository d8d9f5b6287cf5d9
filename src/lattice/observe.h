/* SPDX-License-Identifier: GPL-3.0-or-later
 * Energy and magnetisation by XOR and popcount. */
#ifndef VRG_LATTICE_OBSERVE_H
#define VRG_LATTICE_OBSERVE_H

#include "lattice/lattice.h"

/** This strip's share of S_nn = sum over bonds of s s' (right and down bonds of own sites; the halo row below must be
 *  filled) and of the sum of spins.  Local; the caller sums over strips. */
void vrg_observe (const vrg_lattice *lattice, int64_t *bonds, int64_t *magnetisation);

#endif
