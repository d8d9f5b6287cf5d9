/* SPDX-License-Identifier: GPL-3.0-or-later
 * Keys against each other, and defaults that follow from other keys. */
#include "base/param_internal.h"

#define MAX_STEP 281474976710655.0 /* 2^48 - 1 sweeps: the random numbers' counter */
#define DEFAULT_LEVELS 3
#define DEFAULT_SIDE 4 /* the default levels leave so much */
#define SMALLEST_SIDE 2

/** How often both sides can be divided by scale so that `side` or more remains. */
static int64_t
possible_levels (const vrg_input *input, int64_t side)
{
  int64_t rows = input->size[0], columns = input->size[1], levels = 0;
  while (rows % input->scale == 0 && columns % input->scale == 0 && rows / input->scale >= side
         && columns / input->scale >= side)
    {
      rows /= input->scale;
      columns /= input->scale;
      levels++;
    }
  return levels;
}

static bool
has_rule (const vrg_input *input, vrg_rule rule)
{
  for (int i = 0; i < input->n_rules; i++)
    if (input->rules[i] == (int) rule)
      return true;
  return false;
}

static void
check_lattice (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int dimension = vrg_param_find ("lattice.dimension"), size = vrg_param_find ("lattice.size");
  if (!state[size].good || !state[dimension].good || input->dimension != 2)
    return;
  if (input->n_size == 1)
    for (; input->n_size < input->dimension; input->n_size++)
      input->size[input->n_size] = input->size[0];
  if (input->n_size != input->dimension)
    vrg_param_complain (parser, size, "%d lengths for %d dimensions; one for all, or one each", input->n_size,
                        (int) input->dimension);
  const int algorithm = vrg_param_find ("sample.algorithm");
  if (state[algorithm].good && input->algorithm == VRG_METROPOLIS && (input->size[0] % 2 || input->size[1] % 2))
    vrg_param_complain (parser, algorithm,
                        "metropolis needs even sides (its checkerboard must close on the torus), not %lld x %lld; use "
                        "cluster, or another [lattice] size",
                        (long long) input->size[0], (long long) input->size[1]);
}

static void
check_sample (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int nn = vrg_param_find ("couplings.nn"), configurations = vrg_param_find ("sample.configurations");
  if (state[nn].good)
    for (int i = 0; i < input->n_nn; i++)
      for (int j = 0; j < i; j++)
        if (input->nn[i] == input->nn[j])
          vrg_param_complain (parser, nn, "%.15g is given twice", input->nn[i]);
  if (state[configurations].good && state[vrg_param_find ("sample.chains")].good)
    {
      if (input->configurations < input->chains)
        vrg_param_complain (parser, configurations, "%lld is less than one for each of the %lld chains",
                            (long long) input->configurations, (long long) input->chains);
      const double times = (double) input->configurations / (double) input->chains + 1;
      if (state[vrg_param_find ("sample.interval")].good && state[vrg_param_find ("sample.thermalization")].good
          && (double) input->thermalization + times * (double) input->interval > MAX_STEP)
        vrg_param_complain (parser, configurations, "with this interval a chain would be longer than 2^48 sweeps");
    }
}

static void
check_train (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int coupling = vrg_param_find ("train.coupling"), model = vrg_param_find ("train.model"),
            hidden = vrg_param_find ("train.hidden"), stride = vrg_param_find ("train.stride"),
            batch = vrg_param_find ("train.batch"), method = vrg_param_find ("train.method"),
            centering = vrg_param_find ("train.centering");
  if (state[vrg_param_find ("couplings.nn")].good && (state[coupling].good || state[coupling].raw == NULL))
    {
      const bool given = state[coupling].raw != NULL;
      const double wanted = given ? input->coupling : VRG_CRITICAL_NN;
      int found = 0;
      while (found < input->n_nn && input->nn[found] != wanted)
        found++;
      if (found < input->n_nn)
        input->coupling = input->nn[found];
      else if (given)
        vrg_param_complain (parser, coupling, "%.10g is not one of [couplings] nn", wanted);
      else
        input->coupling = input->nn[0];
    }
  if (state[hidden].raw == NULL && state[model].good)
    {
      input->n_hidden = 1;
      input->hidden[0] = input->model == VRG_MODEL_CONVOLUTION ? 1 : 64;
    }
  if (state[method].good && input->method == VRG_PCD)
    vrg_param_complain (parser, method, "pcd is not in this version; use cd");
  if (state[centering].good && input->centering)
    vrg_param_complain (parser, centering, "is not in this version; use no");
  if (state[hidden].good && input->n_hidden > 1)
    vrg_param_complain (parser, hidden, "this version trains one layer, not %d", input->n_hidden);
  if (!state[model].good || input->model == VRG_MODEL_NONE)
    return;
  if (state[batch].good && state[vrg_param_find ("sample.configurations")].good && input->batch > input->configurations)
    vrg_param_complain (parser, batch, "%lld is more than the %lld configurations of the ensemble",
                        (long long) input->batch, (long long) input->configurations);
  if (input->model == VRG_MODEL_CONVOLUTION && state[stride].good && state[vrg_param_find ("lattice.size")].good)
    for (int d = 0; d < input->n_size; d++)
      if (input->size[d] % input->stride)
        {
          vrg_param_complain (parser, stride, "%lld does not divide the side %lld", (long long) input->stride,
                              (long long) input->size[d]);
          break;
        }
}

static void
check_flow (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int rules = vrg_param_find ("flow.rules"), levels = vrg_param_find ("flow.levels"),
            scale = vrg_param_find ("flow.scale"), size = vrg_param_find ("lattice.size"),
            hidden = vrg_param_find ("train.hidden"), stride = vrg_param_find ("train.stride"),
            model = vrg_param_find ("train.model");
  if (state[size].good && state[scale].good && input->n_size == 2)
    {
      const int64_t most = possible_levels (input, SMALLEST_SIDE);
      if (state[levels].raw == NULL)
        {
          const int64_t roomy = possible_levels (input, DEFAULT_SIDE);
          input->levels = roomy < DEFAULT_LEVELS ? roomy : DEFAULT_LEVELS;
        }
      else if (state[levels].good && input->levels > most)
        vrg_param_complain (parser, levels, "%lld x %lld can be blocked by %lld at most %lld times, not %lld",
                            (long long) input->size[0], (long long) input->size[1], (long long) input->scale,
                            (long long) most, (long long) input->levels);
    }
  if (!state[rules].good || !has_rule (input, VRG_LEARNT) || !state[model].good)
    return;
  if (input->model != VRG_MODEL_CONVOLUTION)
    {
      vrg_param_complain (parser, rules, "the learnt rule needs [train] model = convolution");
      return;
    }
  if ((state[hidden].good || state[hidden].raw == NULL) && input->hidden[0] != 1)
    vrg_param_complain (parser, rules, "the learnt rule needs one filter: [train] hidden = 1, not %lld",
                        (long long) input->hidden[0]);
  if (state[stride].good && state[scale].good && input->stride != input->scale)
    vrg_param_complain (parser, rules, "the learnt rule needs [train] stride = [flow] scale, not %lld and %lld",
                        (long long) input->stride, (long long) input->scale);
}

void
vrg_param_check (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int dimension = vrg_param_find ("lattice.dimension");
  if (state[dimension].good && input->dimension != 2)
    vrg_param_complain (parser, dimension, "this version samples two dimensions, not %d", (int) input->dimension);
  check_lattice (parser, state, input);
  check_sample (parser, state, input);
  check_train (parser, state, input);
  check_flow (parser, state, input);
}
