/* SPDX-License-Identifier: GPL-3.0-or-later
 * What is measured of configurations, the data's and the model's alike: energy, magnetisation, two-point function.
 * Everything is summed in integers, multiples of 2^-40 per site, so that the order of samples does not matter. */
#ifndef VRG_TRAIN_OBSERVABLES_H
#define VRG_TRAIN_OBSERVABLES_H

#include "base/observation.h"
#include "base/statistics.h"
#include "lattice/lattice.h"
#include "parallel/grid.h"

#define VRG_OBSERVABLES_DISTANCES 64
#define VRG_OBSERVABLES_SAMPLES (INT64_C (1) << 20) /* at most: sums stay below 2^63 */

/** Open; owns its memory.  N sites, s = S_nn / N. */
typedef struct
{
  int64_t rows, columns, words;
  int distances;
  int64_t distance[VRG_OBSERVABLES_DISTANCES]; /* of the two-point function */
  vrg_blocks blocks;
  int64_t numbers;
  int64_t *sums;        /* [blocks.n][numbers] */
  int64_t *series[2];   /* [samples] s and m^2 of every sample */
  vrg_lattice *lattice; /* room for one */
} vrg_observables;

/** One estimate, with a jackknife error over blocks that allows for the autocorrelation time. */
typedef struct
{
  const char *quantity; /* energy, specific_heat, abs_m, m2, binder, xi, names of operators: mean S_a / N,
                           two_point_row and two_point_column: <s s'> of sites so many rows or columns apart */
  int64_t distance;     /* of the two-point function, else 0 */
  double value, error;
} vrg_observed;

/** For samples 0 .. samples - 1, sample = time * chains + chain.  rows = 1: a ring.  Local. */
vrg_observables *vrg_observables_new (int64_t rows, int64_t columns, int64_t samples, int64_t chains);
void vrg_observables_free (vrg_observables *observables);

/** Add n samples: number [n], spins [n][this strip's rows][words] (rows by vrg_grid_span).  Collective over strip_comm,
 *  with the same n and numbers. */
void vrg_observables_add (const vrg_grid *grid, vrg_observables *observables, int64_t n, const int64_t *number,
                          const uint64_t *spins);

/** After the last: sums over all ranks.  Collective over grid. */
void vrg_observables_sum (const vrg_grid *grid, vrg_observables *observables);

/** All estimates; nn: the coupling in specific_heat = nn^2 var (S_nn) / N, NaN where there is none.  Returns their
 *  number, at most VRG_OBSERVED_MOST.  Local. */
#define VRG_OBSERVED_MOST (6 + VRG_EVEN_OPERATORS + 2 * VRG_OBSERVABLES_DISTANCES)
int vrg_observables_estimate (const vrg_observables *observables, double nn, vrg_observed *estimates);

/** By how much errors are larger than those of a plain jackknife over the blocks, from the longer of the autocorrelation
 *  times of s and m^2.  Local. */
double vrg_observables_factor (const vrg_observables *observables);

/** Difference of s (of m^2 if larger) between even and odd chains in standard errors, from the scatter of chains. 
 *  Local. */
double vrg_observables_parity (const vrg_observables *observables);

#endif
