/* SPDX-License-Identifier: GPL-3.0-or-later
 * What is estimated along the flow of an RBM, where it comes to rest, and its files rbm-flow.tsv, rbm-stationary.tsv
 * and rbm-flow.h5. */
#ifndef VRG_FLOW_RBM_RESULT_H
#define VRG_FLOW_RBM_RESULT_H

#include "base/param.h"
#include "files/h5.h"
#include "files/samples.h"
#include "parallel/grid.h"

/** Of the configurations after a number of steps v -> h -> v. */
typedef enum
{
  VRG_RBM_ENERGY, /* -<S_nn> / N */
  VRG_RBM_ABS_M,
  VRG_RBM_COUPLING,        /* by pseudo-likelihood (flow/thermometer.h) */
  VRG_RBM_ENERGY_COUPLING, /* by the exact energy */
  VRG_RBM_CORRELATION,     /* second-moment correlation length, in sites */
  VRG_RBM_CHANGE, /* of the coupling from the step before: errors of differences, which share their fluctuations */
  VRG_RBM_ENERGY_CHANGE, /* of the coupling by energy */
  VRG_RBM_TWO_POINT_2,   /* <s s'> of sites 2 and 3 apart along an axis */
  VRG_RBM_TWO_POINT_3,
  VRG_RBM_ENERGY_VARIANCE, /* var (S_nn) / N */
  VRG_RBM_QUANTITIES
} vrg_rbm_quantity;

#define VRG_RBM_ARRAYS (2 * VRG_RBM_QUANTITIES + 1)

/** Owns its arrays. */
typedef struct
{
  int ensembles, steps;
  int64_t configurations;                                        /* of each ensemble */
  double *nn;                                                    /* [ensemble] */
  double *estimates;                                             /* the storage of the following */
  double *value[VRG_RBM_QUANTITIES], *error[VRG_RBM_QUANTITIES]; /* [ensemble][step], step 0: the samples themselves */
} vrg_rbm_result;

/** All NaN.  Local. */
vrg_rbm_result *vrg_rbm_result_new (const vrg_samples_info *info, int steps, int64_t configurations);
void vrg_rbm_result_free (vrg_rbm_result *result);

/** The arrays as files hold them, for a checkpoint too.  Local. */
void vrg_rbm_result_arrays (const vrg_rbm_result *result, vrg_h5_array arrays[VRG_RBM_ARRAYS]);

/** Where the flow's map of couplings crosses K' = K. */
typedef struct
{
  int step;        /* of the flow: from step - 1 to step */
  bool attractive; /* couplings below grow, those above fall */
  int points;      /* that the line was fitted to */
  double nn, error;
} vrg_rbm_fixed;

/** Fixed points of the map K -> K' of one step: the changes K' - K over the scan (change = VRG_RBM_CHANGE, or
 *  VRG_RBM_ENERGY_CHANGE) against K, which is the sampled coupling at step 1 and the inferred one later.  Between
 *  neighbouring changes that differ from zero by 3 errors and have different signs a line is fitted, to the points
 *  between them too; two points: linear interpolation.  fixed: room for as many as there are ensembles.  Returns how
 *  many. Local. */
int vrg_rbm_result_fixed (const vrg_rbm_result *result, vrg_rbm_quantity change, int step, vrg_rbm_fixed *fixed);

/** The tables, then rbm-flow.h5 (.tmp, sealed, renamed).  Collective over grid. */
int vrg_rbm_result_write (const vrg_grid *grid, const vrg_rbm_result *result, const vrg_samples_info *info,
                          const char *directory, const char *fingerprint);

#endif
