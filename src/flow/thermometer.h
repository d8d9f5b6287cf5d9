/* SPDX-License-Identifier: GPL-3.0-or-later
 * The nearest-neighbour coupling of configurations of unknown origin, read off in two ways: from the law of a spin
 * given its neighbours, and from the energy by the exact solution.  Both agree on samples of the Ising law; where they
 * do not, the configurations follow another law. */
#ifndef VRG_FLOW_THERMOMETER_H
#define VRG_FLOW_THERMOMETER_H

#include <stdint.h>

/** Maximum pseudo-likelihood: counts [reach + 1] of sites of which so many of their `reach` bonds are satisfied (nn
 *  environments of lattice/operators.h).  NaN where there is no finite maximum; *reason (left alone otherwise) says
 *  why. Local. */
double vrg_thermometer_environments (int reach, const int64_t *counts, const char **reason);

/** The coupling at which the exact energy of the torus (dimension 2, Kaufman) or the ring (dimension 1) of these sides
 *  is `energy` = -<S_nn> / N; negative for a positive energy where all sides are even.  slope: dK / d energy.  NaN, and
 *  a reason, where no finite coupling has this energy, or none is known exactly.  Local. */
double vrg_thermometer_energy (int dimension, const int64_t *size, double energy, double *slope, const char **reason);

/** The coupling of the largest exact specific heat of these sides, NaN in three dimensions.  Local. */
double vrg_thermometer_maximum (int dimension, const int64_t *size);

#endif
