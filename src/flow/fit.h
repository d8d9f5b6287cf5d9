/* SPDX-License-Identifier: GPL-3.0-or-later
 * Nested fits of the couplings: with the first 1, 2, ... of the operators in [flow] fitted, by level, how well each
 * describes the lattice, and whether it can be trusted.
 *
 * Errors are those of the jackknife over blocks.  Leaving a block out is one Newton step from the fit of all, its slope taken away
 * from theirs, with the maximum that the step predicts, L (rest) + g.H^-1 g / 2: exact up to the third order in the
 * block's share.  Likelihoods and what is made of them are corrected by the same jackknife for the bias that the fit
 * has from following its own noise, so that the gain of a useless operator scatters about 0. */
#ifndef VRG_FLOW_FIT_H
#define VRG_FLOW_FIT_H

#include "flow/measure.h"

/** Why a fit is not to be trusted. */
typedef enum
{
  VRG_FIT_INSIDE,     /* it is: in the convex interior */
  VRG_FIT_NO_MAXIMUM, /* no finite maximum: spins never disagree with their field, or nothing varies */
  VRG_FIT_FEW,        /* fewer than 10 effective disagreeing spins for every operator: couplings are about to diverge */
  VRG_FIT_LOOSE       /* couplings so uncertain that errors mean little: error times images through a site above 1/2 */
} vrg_fit_state;

/** Of one ensemble and rule; owns its arrays.  Level 0 is the sampled lattice.  n operators of the input's list `fitted`;
 *  [m] is the fit with the first m + 1 of them.  NaN where there is no fit; an operator that depends on those before
 *  it changes nothing: gain 0. */
typedef struct
{
  int levels, n, blocks;
  /* couplings of the fit with all operators; NaN: operator dropped */
  double *value, *error; /* [level][operator] */
  double *covariance;    /* [level][operator][operator]: of the jackknife */
  double *rest;          /* [level][block][operator]: with one block left out */
  /* couplings of all fits */
  double *nested, *nested_error; /* [level][m][operator]: NaN for operator > m */
  /* per site, in nats */
  double *likelihood, *likelihood_error; /* [level][m]: mean of ln P (s | environment) */
  double *gain, *gain_error;         /* [level][m]: likelihood over that of one operator fewer; of no operator: -ln 2 */
  double *deviance, *deviance_error; /* [level][m]: mean over the environments of all n operators of
                                            KL (observed P (s | environment) || fitted) */
  double *against;                   /* [level][m]: effective number of spins that disagree with their field */
  double *state;                     /* [level][m]: vrg_fit_state */
  double *inside;                    /* [level][m]: 1 where state is VRG_FIT_INSIDE, else 0 */
} vrg_fits;

/** factor: by which errors are larger than the jackknife's (vrg_blocks_factor).  Warns of fits with all operators that are
 *  not inside.  NULL if no operator is fitted.  Local. */
vrg_fits *vrg_fits_new (const vrg_measure *measure, int ensemble, int rule, double factor);
void vrg_fits_free (vrg_fits *fits);

/** Fitted operators that are used at a level. */
int vrg_fits_used (const vrg_fits *fits, int level);

#endif
