/* SPDX-License-Identifier: GPL-3.0-or-later
 * ln Z by annealed importance sampling: Neal, Statistics and Computing 11, 125 (2001); Salakhutdinov and Murray, ICML 2008.
 *
 * Laws from independent units to the model, f_k (v) = exp (a.v) prod_j 2cosh (beta_k x_j (v)), beta_k = k / steps: the
 * visible units keep their biases, all else is scaled.  ln Z_0 = sum_i ln 2cosh a_i + hidden units * ln 2.  A chain starts
 * from f_0, gathers ln w = sum_k ln f_k (v_(k-1)) - ln f_(k-1) (v_(k-1)) and makes a Gibbs step v -> h -> v of law f_k
 * after each; <w> = Z / Z_0 whatever the number of steps. */
#ifndef VRG_TRAIN_ANNEALING_H
#define VRG_TRAIN_ANNEALING_H

#include "parallel/grid.h"
#include "train/layer.h"

typedef struct
{
  double lnz, error;             /* ln Z and its standard deviation, from the variance of w */
  double jackknife;              /* the same by the jackknife over chains */
  double effective;              /* (sum w)^2 / sum w^2, chains that count */
  double half[2], half_error[2]; /* ln Z from the first and the second half of the chains alone */
  double quick, quick_error;     /* ln Z from half as many chains in half as many steps, other random numbers */
  bool doubtful; /* the halves, or the quick run, differ from the result by more than 3 errors, or a few chains count */
} vrg_annealing;

#define VRG_ANNEALING_FEW 10 /* effective chains; fewer chains than twice this: half of them */

/** `chains` (2 or more) in `steps` temperatures, spread over groups and strips; 25 % more work goes into the quick run.
 *  rng: a key of the use VRG_USE_ANNEALING; number (below 2^23): of the estimate, another one has other random numbers.
 *  The layer is rounded.  The same bits on every grid.  ln Z is NaN where grid->stop
 *  asked to leave the work.  Collective over grid. */
vrg_annealing vrg_annealing_lnz (const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng, int64_t chains,
                                 int64_t steps, int64_t number);

#endif
