/* SPDX-License-Identifier: GPL-3.0-or-later
 * Kadanoff's variational renormalization group: bonds are moved until one unit cube in n = 2^d carries the potential of
 * n, each of its spins then talks to one block spin,
 *
 *   exp V'(mu) = sum_sigma exp{ n V(sigma) + p sum_i mu_i sigma_i - ln 2cosh (p sum_i sigma_i) } = exp R(V)(mu).
 *
 * Moving bonds can only raise ln Z (Jensen), so f(V) = f(V')/n is an upper bound of ln Z per site for any p, a lower
 * bound of the free energy, and the best p is the one that makes it least.  Scale factor 2.
 * Source: Kadanoff, Phys. Rev. Lett. 34, 1005 (1975); Kadanoff, Houghton and Yalabik, J. Stat. Phys. 14, 171 (1976). */
#ifndef VRG_FLOW_VARIATIONAL_H
#define VRG_FLOW_VARIATIONAL_H

#include <stdbool.h>

#include "flow/cube.h"

/** One step: next[classes] = R(v).  Any output may be NULL: matrix[classes * classes] is dR_a/dv_b, odd[odd * odd] the
 *  same for odd perturbations, slope[classes] is dR/dp.  Local. */
void vrg_variational_step (const vrg_cube *cube, double p, const double *v, double *next, double *matrix, double *odd,
                           double *slope);

/** f(V) at constant p.  Local. */
double vrg_variational_bound (const vrg_cube *cube, const double *v, double p);

/** The least f(V) over constant p, and this p.  Local. */
double vrg_variational_best (const vrg_cube *cube, const double *v, double *p);

/** A level of a flow.  k[0] = 0: constants are split off. */
typedef struct
{
  double p;                   /* of the step to the next level */
  double v[VRG_CUBE_CLASSES]; /* potential of a cube, without its constant */
  double k[VRG_CUBE_CLASSES]; /* couplings per lattice: 1 nn, 2 nnn, 3 plaquette (two and three dimensions) */
  double constant;            /* ln Z per site of level 0 in the constants split off up to here */
  double bound;               /* of ln Z per site of this level: constant + bound / n^level bounds that of level 0 */
} vrg_variational_level;

typedef enum
{
  VRG_P_GIVEN, /* the same p at every level, given */
  VRG_P_BEST,  /* the same, of the least bound */
  VRG_P_LEVEL  /* at each level the constant p that is best from there on: never a worse bound */
} vrg_variational_p;

/** Levels 0 to `levels` of the flow from the couplings k[classes]; p for VRG_P_GIVEN.  Local. */
void vrg_variational_flow (const vrg_cube *cube, const double *k, vrg_variational_p choice, double p, int levels,
                           vrg_variational_level *flow);

typedef enum
{
  VRG_POINT_PAIRS,     /* V depends on |M| alone, all pairs of a cube are coupled alike */
  VRG_POINT_NEIGHBOURS /* where critical flows from nearest-neighbour couplings end */
} vrg_variational_start;

/** A fixed point at which p is stationary: V = R(V) and l dR/dp = 0, l the left eigenvector of the eigenvalue n (the
 *  gradient of f). */
typedef struct
{
  double p, v[VRG_CUBE_CLASSES], k[VRG_CUBE_CLASSES]; /* v[0] = 0, k without constant */
  double critical; /* nn of the start that flows here at this p: of nn alone, or of equal pairs */
  double y_t, y_h; /* largest but the trivial one y = d, and largest odd exponent */
  double delta, eta, alpha;
  int even, odd; /* exponents below, by falling value; NaN for eigenvalues that are not positive */
  double y_even[VRG_CUBE_CLASSES], y_odd[VRG_CUBE_ODD]; /* y_even[0] = d, the constant */
} vrg_variational_point;

/** False if there is none at finite couplings (one dimension).  Local. */
bool vrg_variational_fixed_point (const vrg_cube *cube, vrg_variational_start start, vrg_variational_point *point);

#endif
