/* SPDX-License-Identifier: GPL-3.0-or-later
 * Keys against each other, and defaults that follow from other keys. */
#include <string.h>

#include "base/error.h"
#include "base/param_internal.h"

#define MAX_STEP 281474976710655.0 /* 2^48 - 1 sweeps: the random numbers' counter */
#define DEFAULT_LEVELS 3
#define DEFAULT_SIDE 4 /* the default levels leave so much */
#define SMALLEST_SIDE 2
#define DEFAULT_EVEN 7
#define DEFAULT_ODD 4
#define DEFAULT_FITTED_CUBE 4
#define DEFAULT_RBM_STEPS 10

/** How often all sides can be divided by scale so that `side` or more remains. */
static int64_t
possible_levels (const vrg_input *input, int64_t side)
{
  int64_t most = INT64_MAX;
  for (int d = 0; d < input->dimension; d++)
    {
      int64_t rest = input->size[d], levels = 0;
      for (; rest % input->scale == 0 && rest / input->scale >= side; levels++)
        rest /= input->scale;
      most = levels < most ? levels : most;
    }
  return most;
}

void
vrg_input_layer (const vrg_input *input, int l, double *visible, double *hidden, double *weights)
{
  const bool dense = input->model == VRG_MODEL_DENSE, ring = input->dimension == 1;
  const double area = (double) (input->stride * (ring ? 1 : input->stride)),
               tap = (double) (input->filter * (ring ? 1 : input->filter));
  *hidden = (double) input->size[0] * (ring ? 1 : (double) input->size[1]);
  for (int i = 0; i <= l; i++)
    {
      const double filters = (double) input->hidden[i];
      *visible = *hidden;
      *hidden = dense ? filters : filters * *visible / area;
      *weights = dense ? *visible * filters : filters * tap;
    }
}

int64_t
vrg_input_depth (const vrg_input *input)
{
  const int64_t most = possible_levels (input, SMALLEST_SIDE);
  return input->levels < most ? input->levels : most;
}

bool
vrg_input_flow_needs_model (const vrg_input *input)
{
  return vrg_input_has_rule (input, VRG_LEARNT) || vrg_input_has_rule (input, VRG_LEARNT_SIGN) || input->rbm_steps > 0;
}

bool
vrg_input_has_rule (const vrg_input *input, vrg_rule rule)
{
  for (int i = 0; i < input->n_rules; i++)
    if (input->rules[i] == (int) rule)
      return true;
  return false;
}

static void
check_lattice (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int dimension = vrg_param_find ("lattice.dimension"), size = vrg_param_find ("lattice.size"),
            algorithm = vrg_param_find ("sample.algorithm");
  if (!state[size].good || !state[dimension].good)
    return;
  if (input->n_size == 1)
    for (; input->n_size < input->dimension; input->n_size++)
      input->size[input->n_size] = input->size[0];
  if (input->n_size != input->dimension)
    {
      vrg_param_complain (parser, size, "%d lengths for %d dimension%s; one for all, or one each", input->n_size,
                          (int) input->dimension, input->dimension == 1 ? "" : "s");
      return;
    }
  for (int d = 0; d < input->n_size; d++)
    if (input->size[d] % 2 && state[algorithm].good && input->algorithm != VRG_CLUSTER)
      {
        vrg_param_complain (parser, algorithm,
                            "%s needs even sides (its sublattices must close on the torus), not %lld; use cluster, or "
                            "another [lattice] size",
                            vrg_param_algorithm_names[input->algorithm], (long long) input->size[d]);
        break;
      }
}

/** Is `critical` among the words of a value?  The default is. */
static bool
says_critical (const vrg_param_state *state)
{
  return state->raw == NULL || strstr (state->raw, "critical") != NULL;
}

/** Which Hamiltonians there are, and which algorithm samples them. */
static void
check_couplings (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int nn = vrg_param_find ("couplings.nn"), nnn = vrg_param_find ("couplings.nnn"),
            plaquette = vrg_param_find ("couplings.plaquette"), field = vrg_param_find ("couplings.field"),
            dimension = vrg_param_find ("lattice.dimension"), algorithm = vrg_param_find ("sample.algorithm"),
            packing = vrg_param_find ("sample.packing");
  if (!state[nnn].good || !state[plaquette].good || !state[field].good || !state[dimension].good
      || !state[algorithm].good || !state[packing].good)
    return;
  const char *name = vrg_param_algorithm_names[input->algorithm];
  const bool beyond = input->nnn != 0 || input->plaquette != 0;
  const int other = input->nnn != 0 ? nnn : plaquette;
  if (beyond && input->dimension != 2)
    vrg_param_complain (parser, other, "is for two dimensions, not %d", (int) input->dimension);
  else if (beyond && input->algorithm == VRG_CLUSTER)
    vrg_param_complain (parser, other,
                        "cluster updates are exact for nn and field alone; use [sample] algorithm = metropolis or "
                        "heatbath");
  if (input->algorithm == VRG_TEMPERING || input->packing == VRG_PACKING_CHAINS)
    {
      if (beyond || input->field != 0)
        vrg_param_complain (
          parser, beyond ? other : field,
          "is not for packed chains (%s), which know nn alone; use metropolis or heatbath with [sample] "
          "packing = rows",
          input->algorithm == VRG_TEMPERING ? "tempering" : "[sample] packing = chains");
      if (input->algorithm == VRG_CLUSTER)
        vrg_param_complain (parser, packing, "cluster updates cannot pack chains; use rows");
      if (input->algorithm == VRG_TEMPERING && state[nn].good && input->n_nn < 2)
        vrg_param_complain (parser, nn, "%s needs two couplings or more to swap between", name);
      input->packing = VRG_PACKING_CHAINS;
      double sites = 1;
      for (int d = 0; d < input->n_size; d++)
        sites *= (double) input->size[d];
      if (sites > UINT32_MAX)
        vrg_param_complain (parser, packing, "packed chains are for small lattices, of less than 2^32 sites; use rows");
    }
  if (!state[nn].good || !says_critical (&state[nn]))
    return;
  if (input->dimension == 1)
    vrg_param_complain (parser, nn, "one dimension has no critical coupling: give a number");
  else if (beyond || input->field != 0)
    vrg_param_complain (parser, nn, "critical is the critical coupling of nn alone: give a number beside %s",
                        input->nnn != 0         ? "nnn"
                        : input->plaquette != 0 ? "plaquette"
                                                : "field");
  else if (input->dimension == 3)
    for (int i = 0; i < input->n_nn; i++)
      if (input->nn[i] == VRG_CRITICAL_2D)
        input->nn[i] = VRG_CRITICAL_3D;
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

/** The ensembles to train on: all of them sampled, none twice. */
static void
check_ensembles (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int coupling = vrg_param_find ("train.coupling");
  const bool given = state[coupling].raw != NULL;
  const double critical = input->dimension == 3 ? VRG_CRITICAL_3D : VRG_CRITICAL_2D;
  if (!state[vrg_param_find ("couplings.nn")].good || (given && !state[coupling].good))
    return;
  if (!given)
    {
      input->n_coupling = 1;
      input->coupling[0] = input->nn[0];
      for (int i = 0; i < input->n_nn; i++)
        if (input->nn[i] == critical)
          input->coupling[0] = critical;
    }
  for (int i = 0; i < input->n_coupling; i++)
    {
      if (given && input->coupling[i] == VRG_CRITICAL_2D)
        input->coupling[i] = critical;
      int found = 0;
      while (found < input->n_nn && input->nn[found] != input->coupling[i])
        found++;
      if (found == input->n_nn)
        vrg_param_complain (parser, coupling, "%.10g is not one of [couplings] nn", input->coupling[i]);
      for (int k = 0; k < i; k++)
        if (input->coupling[k] == input->coupling[i])
          vrg_param_complain (parser, coupling, "%.10g is given twice", input->coupling[i]);
    }
}

/** Enough configurations for a batch, and chains for its positions. */
static void
check_batch (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int batch = vrg_param_find ("train.batch"), chains = vrg_param_find ("train.chains");
  if (!state[batch].good)
    return;
  if (state[chains].raw == NULL)
    input->persistent = input->batch;
  else if (state[chains].good && input->method == VRG_PCD && input->persistent % input->batch)
    vrg_param_complain (parser, chains, "%lld is not a multiple of batch, %lld", (long long) input->persistent,
                        (long long) input->batch);
  if (input->model == VRG_MODEL_NONE || !state[vrg_param_find ("sample.configurations")].good
      || !state[vrg_param_find ("train.held_out")].good)
    return;
  const int64_t held = vrg_input_held_out (input), ensembles = input->n_coupling > 0 ? input->n_coupling : 1;
  if (input->batch > (input->configurations - held) * ensembles)
    vrg_param_complain (parser, batch,
                        "%lld is more than the %lld configurations to train on: %lld for each of %lld coupling%s, %lld "
                        "of them held out",
                        (long long) input->batch, (long long) ((input->configurations - held) * ensembles),
                        (long long) input->configurations, (long long) ensembles, ensembles == 1 ? "" : "s",
                        (long long) held);
}

/** The shapes of the layers. */
static void
check_layers (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int hidden = vrg_param_find ("train.hidden"), stride = vrg_param_find ("train.stride"),
            symmetric = vrg_param_find ("train.symmetric");
  if (state[symmetric].good && input->symmetric && input->model == VRG_MODEL_DENSE)
    vrg_param_complain (parser, symmetric, "is for the filters of a convolution; a dense model has none");
  if (input->model != VRG_MODEL_CONVOLUTION || (state[hidden].raw != NULL && !state[hidden].good))
    return;
  for (int l = 0; l + 1 < input->n_hidden; l++)
    if (input->hidden[l] != 1)
      {
        vrg_param_complain (parser, hidden, "layer %d has %lld filters, and a convolution can stand on one only", l + 1,
                            (long long) input->hidden[l]);
        return;
      }
  if (!state[stride].good || !state[vrg_param_find ("lattice.size")].good)
    return;
  for (int d = 0; d < input->n_size; d++)
    {
      int64_t side = input->size[d];
      for (int l = 0; l < input->n_hidden; l++, side /= input->stride)
        if (side % input->stride)
          {
            if (l == 0)
              vrg_param_complain (parser, stride, "%lld does not divide the side %lld", (long long) input->stride,
                                  (long long) side);
            else
              vrg_param_complain (parser, stride, "%lld does not divide the side %lld that layer %d stands on",
                                  (long long) input->stride, (long long) side, l + 1);
            return;
          }
    }
}

static void
check_train (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int model = vrg_param_find ("train.model"), hidden = vrg_param_find ("train.hidden"),
            rate = vrg_param_find ("train.learning_rate"), centering = vrg_param_find ("train.centering");
  if (state[hidden].raw == NULL && state[model].good)
    {
      input->n_hidden = 1;
      input->hidden[0] = input->model == VRG_MODEL_CONVOLUTION ? 1 : 64;
    }
  if (state[vrg_param_find ("train.final_rate")].raw == NULL && state[rate].good)
    input->final_rate = input->learning_rate;
  check_ensembles (parser, state, input);
  if (!state[model].good)
    return;
  check_batch (parser, state, input);
  if (input->model == VRG_MODEL_NONE)
    return;
  if (state[vrg_param_find ("lattice.dimension")].good && input->dimension > 2)
    vrg_param_complain (parser, model, "training is for one and two dimensions, not %d: use none",
                        (int) input->dimension);
  if (state[centering].good && input->centering && state[vrg_param_find ("train.biases")].good && !input->biases)
    vrg_param_complain (parser, centering, "needs biases = yes, which take up the offsets");
  if (state[centering].good && input->centering && state[vrg_param_find ("train.symmetric")].good && input->symmetric)
    vrg_param_complain (parser, centering, "is not for tied weights; use symmetric = no, or centering = no");
  check_layers (parser, state, input);
}

/** An operator by its name: of the catalogue, or the input's own. */
static const vrg_pattern *
find_operator (const vrg_input *input, const char *name)
{
  for (int i = 0; i < input->n_own; i++)
    if (!strcmp (input->own[i].name, name))
      return &input->own[i];
  return vrg_catalogue_find ((int) input->dimension, name);
}

static void
complain_operator (vrg_param_parser *parser, int i, const vrg_input *input, const char *name)
{
  const char *names[VRG_MAX_OWN + 2 * VRG_MAX_OPERATORS + 1] = { NULL };
  int n = 0;
  for (; n < input->n_own; n++)
    names[n] = input->own[n].name;
  for (int odd = 0; odd < 2; odd++)
    {
      const vrg_pattern *patterns;
      const int count = vrg_catalogue ((int) input->dimension, odd, &patterns);
      VRG_ASSERT (count <= VRG_MAX_OPERATORS);
      for (int k = 0; k < count; k++)
        names[n++] = patterns[k].name;
    }
  const char *near = vrg_param_nearest (name, names);
  if (near != NULL)
    vrg_param_complain (parser, i, "no operator `%s` in %d dimension%s (did you mean %s?)", name,
                        (int) input->dimension, input->dimension == 1 ? "" : "s", near);
  else
    vrg_param_complain (parser, i, "no operator `%s` in %d dimension%s; define it: [operator %s] sites = ...", name,
                        (int) input->dimension, input->dimension == 1 ? "" : "s", name);
}

/** The sites of a list's operators; all of one parity, none twice.  False if there is something to complain of. */
static bool
complete_operators (vrg_param_parser *parser, int i, const vrg_input *input, bool odd, int n, vrg_pattern *list)
{
  bool good = true;
  for (int k = 0; k < n; k++)
    {
      const vrg_pattern *found = find_operator (input, list[k].name);
      if (found == NULL)
        complain_operator (parser, i, input, list[k].name);
      else if (found->sites % 2 != odd)
        vrg_param_complain (parser, i, "%s is %s, a product of %d spin%s; it belongs into [flow] %s", found->name,
                            odd ? "even" : "odd", found->sites, found->sites == 1 ? "" : "s", odd ? "even" : "odd");
      else
        list[k] = *found;
      good = good && found != NULL && found->sites % 2 == odd;
      for (int l = 0; l < k; l++)
        if (!strcmp (list[l].name, list[k].name))
          {
            vrg_param_complain (parser, i, "%s is given twice", list[k].name);
            good = false;
          }
    }
  return good;
}

/** The first `wanted` operators of the catalogue; returns how many there are. */
static int
default_operators (const vrg_input *input, bool odd, int wanted, vrg_pattern *list)
{
  const vrg_pattern *patterns;
  const int count = vrg_catalogue ((int) input->dimension, odd, &patterns), n = count < wanted ? count : wanted;
  for (int k = 0; k < n; k++)
    list[k] = patterns[k];
  return n;
}

static void
check_operators (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int even = vrg_param_find ("flow.even"), odd = vrg_param_find ("flow.odd"),
            fitted = vrg_param_find ("flow.fitted");
  bool good = state[even].raw == NULL || state[even].good;
  if (!state[vrg_param_find ("lattice.dimension")].good)
    return;
  if (state[even].raw == NULL)
    input->n_even = default_operators (input, false, DEFAULT_EVEN, input->even);
  else if (state[even].good)
    good = complete_operators (parser, even, input, false, input->n_even, input->even);
  if (state[odd].raw == NULL)
    input->n_odd = default_operators (input, true, DEFAULT_ODD, input->odd);
  else if (state[odd].good)
    complete_operators (parser, odd, input, true, input->n_odd, input->odd);
  if (!good)
    return;
  if (state[fitted].raw == NULL)
    {
      const int most = input->dimension == 3 ? DEFAULT_FITTED_CUBE : DEFAULT_EVEN;
      input->n_fitted = input->n_even < most ? input->n_even : most;
      for (int k = 0; k < input->n_fitted; k++)
        input->fitted[k] = input->even[k];
    }
  else if (state[fitted].good && complete_operators (parser, fitted, input, false, input->n_fitted, input->fitted))
    for (int k = 0; k < input->n_fitted; k++)
      {
        bool found = false;
        for (int a = 0; a < input->n_even; a++)
          found = found || !strcmp (input->even[a].name, input->fitted[k].name);
        if (!found)
          vrg_param_complain (parser, fitted, "%s is not one of [flow] even", input->fitted[k].name);
      }
}

/** What the learnt rules need of the model. */
static void
check_learnt (vrg_param_parser *parser, const vrg_param_state *state, const vrg_input *input)
{
  const int rules = vrg_param_find ("flow.rules"), hidden = vrg_param_find ("train.hidden"),
            stride = vrg_param_find ("train.stride"), scale = vrg_param_find ("flow.scale");
  const char *rule = vrg_param_rule_names[vrg_input_has_rule (input, VRG_LEARNT) ? VRG_LEARNT : VRG_LEARNT_SIGN];
  if (input->model != VRG_MODEL_CONVOLUTION)
    {
      vrg_param_complain (parser, rules, "the %s rule needs [train] model = convolution", rule);
      return;
    }
  for (int l = 0; l < input->n_hidden && (state[hidden].good || state[hidden].raw == NULL); l++)
    if (input->hidden[l] != 1)
      {
        vrg_param_complain (parser, rules, "the %s rule needs one filter in each layer: [train] hidden = 1, not %lld",
                            rule, (long long) input->hidden[l]);
        break;
      }
  if (state[stride].good && state[scale].good && input->stride != input->scale)
    vrg_param_complain (parser, rules, "the %s rule needs [train] stride = [flow] scale, not %lld and %lld", rule,
                        (long long) input->stride, (long long) input->scale);
}

static void
check_flow (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  const int rules = vrg_param_find ("flow.rules"), levels = vrg_param_find ("flow.levels"),
            scale = vrg_param_find ("flow.scale"), size = vrg_param_find ("lattice.size"),
            model = vrg_param_find ("train.model"), weights = vrg_param_find ("flow.weights"),
            steps = vrg_param_find ("flow.rbm_steps");
  check_operators (parser, state, input);
  if (state[size].good && state[scale].good && state[vrg_param_find ("lattice.dimension")].good
      && input->n_size == input->dimension)
    {
      if (state[levels].raw == NULL)
        {
          const int64_t roomy = possible_levels (input, DEFAULT_SIDE);
          input->levels = roomy < DEFAULT_LEVELS ? roomy : DEFAULT_LEVELS;
        }
      else if (state[levels].good && input->levels > 0 && possible_levels (input, SMALLEST_SIDE) == 0)
        for (int d = 0; d < input->n_size; d++)
          if (input->size[d] % input->scale || input->size[d] / input->scale < SMALLEST_SIDE)
            {
              vrg_param_complain (parser, state[scale].raw == NULL ? levels : scale,
                                  "%lld does not divide the side %lld so that %d or more remain: no level is possible",
                                  (long long) input->scale, (long long) input->size[d], SMALLEST_SIDE);
              break;
            }
    }
  if (state[weights].good && input->n_weights != 2)
    vrg_param_complain (parser, weights, "two numbers: for a site of the block, and for one next to it");
  if (!state[rules].good || !state[model].good)
    return;
  if (state[steps].raw == NULL)
    input->rbm_steps = input->model == VRG_MODEL_NONE ? 0 : DEFAULT_RBM_STEPS;
  else if (state[steps].good && input->rbm_steps > 0 && input->model == VRG_MODEL_NONE)
    vrg_param_complain (parser, steps, "needs a trained model: [train] model = dense or convolution");
  if (vrg_input_has_rule (input, VRG_LEARNT) || vrg_input_has_rule (input, VRG_LEARNT_SIGN))
    check_learnt (parser, state, input);
}

void
vrg_param_check (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input)
{
  check_lattice (parser, state, input);
  check_couplings (parser, state, input);
  check_sample (parser, state, input);
  check_train (parser, state, input);
  check_flow (parser, state, input);
}
