/* SPDX-License-Identifier: GPL-3.0-or-later
 * Elementary functions whose bits do not depend on the processor or libm (built from + - * / and integer operations,
 * compiled without contraction), for whatever feeds a chain or a weight; and the fixed point of the RBM. */
#ifndef VRG_BASE_MATH_H
#define VRG_BASE_MATH_H

#include <stdint.h>

/** exp, log, tanh of a double, relative error below 4e-16 (exp, log) and 1e-15 (tanh); exp under- and overflows to 0
 *  and infinity, log (0) is -infinity, log of a negative number and NaN give NaN. */
double vrg_exp (double x);
double vrg_log (double x);
double vrg_tanh (double x);

/** ln (2 cosh x) without overflow. */
double vrg_ln2cosh (double x);

/** Fixed point of weights, biases, fields and hidden means: 1.0 is VRG_FIXED_ONE. */
#define VRG_FIXED_BITS 20
#define VRG_FIXED_ONE (1 << VRG_FIXED_BITS)

/** x as fixed point, round to nearest, ties away from zero; |x| must be below 2047. */
int32_t vrg_fixed (double x);

/** Probability of +1 for a unit in the fixed-point field x, P(s) proportional to exp (s x): 1 / (1 + exp (-2x)), as a
 *  32-bit threshold (unit is +1 if a 32-bit random number is below it).  Integer interpolation of a table of spacing
 *  2^-8, absolute error below 3e-6; exactly antisymmetric about 1/2 but for the last bit. */
uint32_t vrg_probability (int32_t field);

/** tanh of a fixed-point field in fixed point, from the same table. */
int32_t vrg_mean (int32_t field);

/** The table behind the two: table[i] = threshold at field i 2^-8, i = 0..VRG_PROBABILITY_ROWS.  For vector kernels. */
#define VRG_PROBABILITY_ROWS 3072 /* fields to 12; above: 2^32 - 1 */
const uint32_t *vrg_probability_table (void);

/** ln sum exp (logs[i]), n >= 1, summed in order. */
double vrg_log_sum (const double *logs, int64_t n);

#endif
