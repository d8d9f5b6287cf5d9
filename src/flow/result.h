/* SPDX-License-Identifier: GPL-3.0-or-later
 * From the sums of an ensemble to stability matrices, exponents, scaling fields and derivatives, with jackknife errors. */
#ifndef VRG_FLOW_RESULT_H
#define VRG_FLOW_RESULT_H

#include "flow/fit.h"
#include "flow/measure.h"

/** What is estimated by level for each sector; level 0 is the sampled lattice, and what is said of a map is said of the
 *  one to this level (NaN at level 0). */
typedef enum
{
  VRG_MEAN,       /* <S'_a> per site */
  VRG_COVARIANCE, /* cov (S'_a, S'_b) */
  VRG_CROSS,      /* cov (S'_a, S_b) */
  VRG_MATRIX,     /* T */
  VRG_Y,          /* [operators - 1]: the leading exponent with the first 1, 2, ... */
  VRG_EIGENVALUE, /* [index], with all operators, by falling modulus */
  VRG_EIGENVALUE_IMAGINARY,
  VRG_EIGENVALUE_Y,
  VRG_LEFT, /* [index][operator] */
  VRG_LEFT_IMAGINARY,
  VRG_RIGHT,
  VRG_RIGHT_IMAGINARY,
  VRG_RESPONSE,        /* [a][b]: dK(n)_a / dK(0)_b */
  VRG_MEAN_DERIVATIVE, /* d <S'_a> per site / dK(0)_nn */
  VRG_DERIVATIVE,      /* dK(n)_a / dK(0)_nn */
  VRG_NORMAL,          /* normal of the critical surface at the couplings of level 0 */
  VRG_QUANTITIES
} vrg_quantity;

/** How flow.h5 has a quantity: dataset `name` and, where they are estimated, `name`_error and `name`_leave_one_out. */
typedef struct
{
  const char *name, *help;
  const char *axes; /* after the level: "operator" or "index operator", ... */
  bool pair;        /* two axes of n, not one */
  bool error;
  bool rest;      /* the values with one block left out are kept */
  bool corrected; /* for the jackknife's bias */
  bool even;      /* of the even sector alone */
} vrg_quantity_info;

extern const vrg_quantity_info vrg_quantities[VRG_QUANTITIES];

/** Arrays of one quantity; NULL where there are none. */
typedef struct
{
  double *value, *error; /* [level][...] */
  double *rest;          /* [level][block][...] */
} vrg_estimate;

/** Results of one ensemble and rule; owns its arrays. */
typedef struct
{
  const vrg_measure *measure; /* not owned */
  int ensemble, rule;         /* indices into the input's lists */
  int levels;                 /* with level 0 */
  double factor;              /* by which errors are larger than the jackknife's (autocorrelation) */
  vrg_estimate sector[VRG_SECTORS][VRG_QUANTITIES];
  uint8_t *used[VRG_SECTORS];        /* [level][operator]: 0 where it is constant or depends on those before it */
  double *y_covariance[VRG_SECTORS]; /* [level][level]: of y with all operators */
  vrg_fits *fits;                    /* NULL if no coupling is fitted */
} vrg_result;

/** factor: see vrg_block_factor.  Says in the log what was dropped, where there is no exponent, and the exponents with all
 *  operators.  Local. */
vrg_result *vrg_result_new (const vrg_measure *measure, int ensemble, int rule, double factor);
void vrg_result_free (vrg_result *result);

/** Operators of a sector; the rule's name; sites of a level. */
const vrg_pattern *vrg_result_operators (const vrg_result *result, int sector);
const char *vrg_result_rule (const vrg_result *result);
double vrg_result_sites (const vrg_result *result, int level);

/** Is the quantity (vrg_quantity) estimated for the sector; how many numbers it has at a level. */
bool vrg_result_has (const vrg_result *result, int sector, int quantity);
int64_t vrg_result_stride (const vrg_result *result, int sector, int quantity);

#endif
