/* SPDX-License-Identifier: GPL-3.0-or-later
 * Plain implementations that rates are compared with: what one writes first, one spin a byte, scalar code, but no
 * slower than it need be.  All local. */
#ifndef VRG_BENCH_REFERENCE_H
#define VRG_BENCH_REFERENCE_H

#include <stdint.h>

#include "lattice/lattice.h"
#include "lattice/operators.h"

/** xoshiro256**: Blackman and Vigna, ACM Trans. Math. Softw. 47, 36 (2021). */
typedef struct
{
  uint64_t state[4];
} vrg_xoshiro;

void vrg_xoshiro_init (vrg_xoshiro *rng, uint64_t seed);

static inline uint64_t
vrg_xoshiro_next (vrg_xoshiro *rng)
{
  uint64_t *s = rng->state, product = s[1] * 5, result = (product << 7 | product >> 57) * 9, t = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= t;
  s[3] = s[3] << 45 | s[3] >> 19;
  return result;
}

/** Checkerboard Metropolis of a square or a cube: the colours apart, a table of acceptance thresholds, 32 random bits a
 *  site.  Side divisible by 4. */
typedef struct
{
  int64_t side, rows; /* rows = side, or side^2 in three dimensions */
  int8_t *spin[2];    /* [colour][rows][side / 2] */
  uint64_t threshold[13];
  vrg_xoshiro rng;
} vrg_reference_metropolis;

/** From a configuration of the kernel.  The next sweeps once and returns the number of flips. */
void vrg_reference_metropolis_init (vrg_reference_metropolis *m, const vrg_lattice *lattice, double nn);
void vrg_reference_metropolis_clear (vrg_reference_metropolis *m);
uint64_t vrg_reference_metropolis_sweep (vrg_reference_metropolis *m);

/** Metropolis of a square with next neighbours, plaquettes and a field: four sublattices, a table of thresholds, 32 random
 *  bits a site. */
typedef struct
{
  int64_t side;
  int8_t *spin; /* [side][side] */
  uint64_t threshold[2][9][9][9];
  vrg_xoshiro rng;
} vrg_reference_local;

/** As above. */
void vrg_reference_local_init (vrg_reference_local *m, const vrg_lattice *lattice, double nn, double nnn,
                               double plaquette, double field);
void vrg_reference_local_clear (vrg_reference_local *m);
uint64_t vrg_reference_local_sweep (vrg_reference_local *m);

/** Swendsen-Wang of a square or a cube with union-find, smaller root wins, path halving. */
typedef struct
{
  int64_t side, rows;
  int8_t *spin, *sign; /* [rows][side] */
  int32_t *parent;
  uint64_t threshold;
  vrg_xoshiro rng;
} vrg_reference_cluster;

/** As above; returns the number of clusters. */
void vrg_reference_cluster_init (vrg_reference_cluster *c, const vrg_lattice *lattice, double nn);
void vrg_reference_cluster_clear (vrg_reference_cluster *c);
uint64_t vrg_reference_cluster_sweep (vrg_reference_cluster *c);

/** Sum of s s' over bonds, and of s, of spin [side][side]. */
void vrg_reference_observe (int64_t side, const int8_t *spin, int64_t *bonds, int64_t *magnetisation);

/** Sums of operators and local environments (see lattice/operators.h) by loops over sites, images and factors.  spin
 *  [side][side]; side a power of 2 above 4, so that no factors cancel. */
void vrg_reference_operators (int64_t side, const int8_t *spin, int n, const vrg_operator *const *operators,
                              int64_t *sums);
void vrg_reference_environments (int64_t side, const int8_t *spin, int n, const vrg_operator *const *operators,
                                 int64_t *counts);

/** One filter, no biases, CD-k and Adam in float. */
typedef struct
{
  int side, filter, stride, steps;
  int *wrap; /* [side + 2 filter] */
  float *weight, *moment1, *moment2, *gradient;
  float *visible, *hidden, *mean; /* of one sample */
  int64_t updates;
  vrg_xoshiro rng;
} vrg_reference_convolution;

void vrg_reference_convolution_init (vrg_reference_convolution *c, int side, int filter, int stride, int steps);
void vrg_reference_convolution_clear (vrg_reference_convolution *c);

/** One update on a batch of n samples, spins [n][side][side]. */
void vrg_reference_convolution_update (vrg_reference_convolution *c, int n, const int8_t *spins, float learning_rate);

#endif
