/* SPDX-License-Identifier: GPL-3.0-or-later
 * Correlations of operator sums between a lattice, the one it was blocked from and the sampled one, from exact integer
 * sums. */
#ifndef VRG_FLOW_CORRELATIONS_H
#define VRG_FLOW_CORRELATIONS_H

#include <stdbool.h>
#include <stdint.h>

/** 128 bits: sums of products of two operator sums. */
typedef __int128 vrg_wide;

/** A record of n operators of one parity holds, summed over samples: n S'_a (this lattice), n S_a (the lattice it was
 *  blocked from), n (n + 1) / 2 products S'_a S'_b in the order (0,0) (1,0) (1,1) (2,0) ..., n n products S'_a S_b,
 *  n S0_a (the sampled lattice), n n products S'_a S0_b. */
int vrg_correlations_size (int n);

/** Add one sample of any size.  fine may be NULL (the sampled lattice has no finer one): its sums stay 0.  Local. */
void vrg_correlations_add (int n, const int64_t *coarse, const int64_t *fine, const int64_t *sampled, vrg_wide *record);

/** The same, faster, for many samples: their products are summed as integers below 2^53 in doubles, exactly on every
 *  path, and go to wide numbers before any sum could get larger. */
typedef struct vrg_correlator vrg_correlator;

vrg_correlator *vrg_correlator_new (int n);
void vrg_correlator_free (vrg_correlator *correlator);
void vrg_correlator_add (vrg_correlator *correlator, const int64_t *coarse, const int64_t *fine,
                         const int64_t *sampled);

/** Add what was added since the last call to a record.  Local. */
void vrg_correlator_take (vrg_correlator *correlator, vrg_wide *record);

/** Each wide number as two words that may be added over ranks: value = words[1] 2^48 + words[0].  add_words adds a
 *  record to them and makes 0 <= words[0] < 2^48; from_words reads.  size: wide numbers.  Local. */
void vrg_correlations_add_words (int64_t size, const vrg_wide *record, int64_t *words);
void vrg_correlations_from_words (int64_t size, const int64_t *words, vrg_wide *record);

/** From the record of `samples`: mean[n] = <S'>, and n n each of covariance = <S'_a S'_b> - <S'_a> <S'_b>, cross =
 *  <S'_a S_b> - <S'_a> <S_b>, response = <S'_a S0_b> - <S'_a> <S0_b>; differences are taken before rounding.  Local.
 *  Source: Swendsen, Phys. Rev. Lett. 42, 859 (1979). */
void vrg_correlations_matrices (int n, int64_t samples, const vrg_wide *record, double *mean, double *covariance,
                                double *cross, double *response);

/** Which rows of a covariance (or Hessian) are independent of the rows before them that are: Cholesky in the given
 *  order, a row whose rest is below 1e-10 of its diagonal is not.  Returns how many.  Local. */
int vrg_correlations_independent (int n, const double *matrix, bool *used);

#endif
