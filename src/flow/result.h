/* SPDX-License-Identifier: GPL-3.0-or-later
 * From the sums of an ensemble to couplings and exponents with jackknife errors. */
#ifndef VRG_FLOW_RESULT_H
#define VRG_FLOW_RESULT_H

#include "flow/measure.h"

/** Shapes of the arrays below. */
typedef enum
{
  VRG_BY_OPERATOR, /* [level][operator] */
  VRG_BY_PAIR,     /* [level][operator][operator] */
  VRG_BY_BLOCK     /* [level][block][operator] */
} vrg_result_shape;

/** Name and description of an array, as flow.h5 has them. */
typedef struct
{
  const char *name, *help;
  vrg_result_shape shape;
} vrg_result_info;

/** What is estimated for each sector: [level][...], level 0 first (no map leads to it: NaN but for the mean). */
enum
{
  VRG_MEAN, /* [level][operator]: <S_a> per site */
  VRG_MEAN_ERROR,
  VRG_COVARIANCE, /* [level][operator][operator]: cov (S'_a, S'_b) */
  VRG_CROSS,      /* cov (S'_a, S_b) */
  VRG_MATRIX,     /* T */
  VRG_MATRIX_ERROR,
  VRG_Y, /* [level][operators - 1] */
  VRG_Y_ERROR,
  VRG_Y_REST, /* [level][block][operators - 1]: with one block left out */
  VRG_SECTOR_ARRAYS
};

/** And for the couplings of the even operators. */
enum
{
  VRG_COUPLING, /* [level][operator] */
  VRG_COUPLING_ERROR,
  VRG_COUPLING_COVARIANCE, /* [level][operator][operator] */
  VRG_COUPLING_REST,       /* [level][block][operator] */
  VRG_COUPLING_ARRAYS
};

extern const vrg_result_info vrg_result_sectors[VRG_SECTOR_ARRAYS], vrg_result_couplings[VRG_COUPLING_ARRAYS];

/** Results of one ensemble and rule; owns its arrays. */
typedef struct
{
  const vrg_measure *measure; /* not owned */
  int ensemble, rule;         /* indices into the input's lists */
  double factor;              /* by which errors are larger than the jackknife's (autocorrelation) */
  double *sector[VRG_SECTORS][VRG_SECTOR_ARRAYS];
  double *coupling[VRG_COUPLING_ARRAYS];
} vrg_result;

/** factor: see vrg_block_factor.  Says in the log what was dropped, and the exponents with all operators.  Local. */
vrg_result *vrg_result_new (const vrg_measure *measure, int ensemble, int rule, double factor);
void vrg_result_free (vrg_result *result);

/** Levels with the sampled one; the rule's name. */
int vrg_result_levels (const vrg_result *result);
const char *vrg_result_rule (const vrg_result *result);

#endif
