/* SPDX-License-Identifier: GPL-3.0-or-later
 * Jackknife over blocks of samples, and integrated autocorrelation times.
 * Sample s = time * chains + chain everywhere; the last time may hold only the first chains. */
#ifndef VRG_BASE_STATISTICS_H
#define VRG_BASE_STATISTICS_H

#include <stdint.h>

/** Partition of n samples into blocks that are independent as far as possible: a block is a range of times of a range
 *  of chains.  Chains are split first (they are independent), then time. */
typedef struct
{
  int64_t samples, chains, times; /* times = ceil (samples / chains) */
  int over_chain, over_time;      /* the partition's grid */
  int n;                          /* over_chain * over_time */
} vrg_blocks;

/** About `wanted` blocks (at least 2 if there are 2 samples, never an empty one); whole chains where there are too few
 *  times for an autocorrelation time.  Local, deterministic. */
void vrg_blocks_init (vrg_blocks *blocks, int64_t samples, int64_t chains, int wanted);

/** Times [t[0], t[1]) and chains [c[0], c[1]) of block b. */
void vrg_blocks_range (const vrg_blocks *blocks, int b, int64_t t[2], int64_t c[2]);

/** The block that a sample (0 <= sample < samples) is in.  Local. */
int vrg_blocks_find (const vrg_blocks *blocks, int64_t sample);

/** Samples at times [t[0], t[1]) of chains [c[0], c[1]): the last time may not have all. */
int64_t vrg_blocks_samples (const vrg_blocks *blocks, const int64_t t[2], const int64_t c[2]);

/** Samples in block b. */
int64_t vrg_blocks_count (const vrg_blocks *blocks, int b);

/** Jackknife of m quantities from n leave-one-out values: loo[b * m + i], `full[i]` from all samples.  value[i] is
 *  corrected for bias, n full - (n - 1) mean (loo); error[i]^2 = (n - 1)/n sum (loo - mean)^2.  Blocks of (almost)
 *  equal size.  value may be NULL.  NaN in any loo makes that quantity NaN.  Local. */
void vrg_jackknife (int n, int m, const double *full, const double *loo, double *value, double *error);

/** Integrated autocorrelation time of a series, in units of its spacing (0.5 = uncorrelated), averaged over chains with the
 *  grand mean; Sokal's window c = 6.  series[t * chains + c], samples of them.  error may be NULL.  nan when fewer
 *  than 10 times; 0.5 for a constant series.  Local. */
double vrg_tau_int (const double *series, int64_t samples, int64_t chains, double *error);

/** Factor by which block-jackknife errors are too small where blocks of `length` samples are not long against tau (in
 *  samples): that of an autocorrelation rho^t with the same tau, 1 / sqrt (1 - 2 rho (1 - rho^l) / (l (1 - rho^2))),
 *  rho = (2 tau - 1) / (2 tau + 1).  1 for tau <= 0.5, NaN for a tau that is not known.  Local. */
double vrg_block_factor (double tau, double length);

/** The same for these blocks: 1 where they are whole chains, which are independent.  Local. */
double vrg_blocks_factor (const vrg_blocks *blocks, double tau);

#endif
