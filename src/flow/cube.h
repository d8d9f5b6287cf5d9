/* SPDX-License-Identifier: GPL-3.0-or-later
 * Even functions of the 2^d spins at the corners of a cube (a bond, a square, a cube), symmetric under its point group:
 * potentials V(sigma) of a Hamiltonian sum over all unit cubes of the lattice.  A function is given by its values on
 * the classes of configurations, or by couplings per lattice.
 *
 * Couplings count every image of an operator once, as everywhere in this program.  An operator whose sites differ in e
 * of the d directions lies in 2^(d-e) cubes, each of which carries that fraction of it: in two dimensions half of
 * each bond (2 squares share it), all of each diagonal and plaquette. */
#ifndef VRG_FLOW_CUBE_H
#define VRG_FLOW_CUBE_H

#include <stdint.h>

#define VRG_CUBE_CLASSES 14 /* 2, 4, 14 even classes in 1, 2, 3 dimensions */
#define VRG_CUBE_ODD 8      /* 1, 2, 8 odd ones */
#define VRG_CUBE_STATES 256

/** Bit i of a state is the spin at corner i (1: down), bit j of i the corner's coordinate in direction j.  Plain data,
 *  fixed by the dimension. */
typedef struct
{
  int dimension, corners, states;
  /** Classes under point group and spin flip, by falling |M|: in two dimensions |M| = 4, 2, 0 (neighbours alike),
   *  0 (diagonal ones alike). */
  int classes, representative[VRG_CUBE_CLASSES], size[VRG_CUBE_CLASSES];
  /** Odd functions: odd_class[j] is the j-th class that is not its own flip, its value holds at the representative and
   *  at the states with sign 1; it is opposite where the sign is -1.  Elsewhere the sign is 0 and odd functions vanish. */
  int odd, odd_class[VRG_CUBE_ODD];
  int class_of[VRG_CUBE_STATES], sign[VRG_CUBE_STATES], magnetisation[VRG_CUBE_STATES];
  /** Even operators (as many as classes): 0 is the constant, then nn, nnn, plaquette, third (three dimensions), others;
   *  operator[a] is an image as the set of its corners, shared[a] the number of cubes that hold it, name[a] its name in
   *  the catalogue or NULL. */
  int operator[VRG_CUBE_CLASSES], shared[VRG_CUBE_CLASSES];
  const char *name[VRG_CUBE_CLASSES];
} vrg_cube;

/** 1, 2 or 3 dimensions.  Local. */
void vrg_cube_init (vrg_cube *cube, int dimension);

/** Couplings k[classes] of the potential v[classes] and back; k[0] is the constant per site.  Local. */
void vrg_cube_couplings (const vrg_cube *cube, const double *v, double *k);
void vrg_cube_potential (const vrg_cube *cube, const double *k, double *v);

#endif
