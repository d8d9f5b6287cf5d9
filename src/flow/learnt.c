/* SPDX-License-Identifier: GPL-3.0-or-later
 * Filters of block rules, those of model.h5 with everything checked that must fit. */
#include "flow/learnt.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "base/math.h"
#include "base/memory.h"
#include "files/model.h"

#define LARGEST_FIELD 1023 /* fields fit into 31 bits, 20 of them behind the point */

int
vrg_learnt_check (const char *directory, const char *name, const char *found, const vrg_input *input, vrg_stage stage)
{
  char difference[256];
  char *wanted = vrg_param_fingerprint (input, stage);
  vrg_param_difference (found, wanted, difference, sizeof difference);
  vrg_free (wanted);
  if (difference[0] == '\0')
    return VRG_OK;
  return vrg_error (VRG_FILE,
                    "%s/%s is of other parameters: %s; run `vrg %s` again, or take the input it was made with",
                    directory, name, difference, vrg_stage_name (stage));
}

int
vrg_filter_weighted (int dimension, int b, const double weights[2], vrg_filter *filter)
{
  const int size = b + 2, rows = dimension > 1 ? size : 1, layers = dimension > 2 ? size : 1;
  double block = 1;
  for (int d = 0; d < dimension; d++)
    block *= b;
  *filter = (vrg_filter){ 0, NULL };
  if (!(block * fabs (weights[0]) + 2 * dimension * block / b * fabs (weights[1]) < LARGEST_FIELD))
    return vrg_error (VRG_USAGE,
                      "[flow] weights = %g %g are too large for blocks of %g sites: fields must stay below %d",
                      weights[0], weights[1], block, LARGEST_FIELD);
  *filter = (vrg_filter){ size, vrg_new ((int64_t) layers * rows * size, sizeof *filter->weights, "filter") };
  int32_t *weight = filter->weights;
  for (int z = 0; z < layers; z++)
    for (int y = 0; y < rows; y++)
      for (int x = 0; x < size; x++, weight++)
        {
          const int outside = (layers > 1 && (z == 0 || z > b)) + (rows > 1 && (y == 0 || y > b)) + (x == 0 || x > b);
          *weight = outside < 2 ? vrg_fixed (weights[outside]) : 0;
        }
  return VRG_OK;
}

/* Higher layers stand on the first one, as vrg_model_read makes sure. */
static int
check_layers (const char *path, const vrg_stack *stack, const vrg_input *input, const vrg_samples_info *info)
{
  const vrg_model *first = stack->layer[0];
  if (first->rows != info->rows || first->columns != info->columns)
    return vrg_error (VRG_FILE, "%s: model of another lattice: %lldx%lld, the samples are %lldx%lld; train it again",
                      path, (long long) first->rows, (long long) first->columns, (long long) info->rows,
                      (long long) info->columns);
  for (int l = 0; l < stack->layers; l++)
    {
      const vrg_model *m = stack->layer[l];
      char layer[32] = "";
      if (stack->layers > 1)
        snprintf (layer, sizeof layer, "layer %d: ", l + 1);
      if (m->type != VRG_MODEL_CONVOLUTION || m->hidden != 1)
        return vrg_error (VRG_FILE,
                          "%s: %sthe learnt rule takes a convolution of one filter; this is a %s model, hidden %lld",
                          path, layer, vrg_param_model_names[m->type], (long long) m->hidden);
      if (m->stride != input->scale)
        return vrg_error (VRG_FILE, "%s: %sthe model's stride is %lld and [flow] scale %lld: they must agree", path,
                          layer, (long long) m->stride, (long long) input->scale);
      double size = 0;
      for (int64_t i = 0; i < vrg_model_weights (m); i++)
        size += fabs (m->weights[i]);
      if (!(size < LARGEST_FIELD))
        return vrg_error (VRG_FILE, "%s: %sthe filter's weights are too large or not numbers: train it again", path,
                          layer);
    }
  return VRG_OK;
}

static vrg_filter
filter_of (const vrg_model *model)
{
  const int64_t n = vrg_model_weights (model);
  int32_t *weights = vrg_new (n, sizeof *weights, "filter");
  double sum = 0;
  for (int64_t i = 0; i < n; i++)
    sum += model->weights[i];
  for (int64_t i = 0; i < n; i++)
    weights[i] = vrg_fixed (sum < 0 ? -model->weights[i] : model->weights[i]);
  return (vrg_filter){ (int) model->filter, weights };
}

static int
read_layers (const vrg_grid *grid, const char *directory, const vrg_input *input, const vrg_samples_info *info,
             vrg_filters *filters)
{
  char path[VRG_PATH_LENGTH + 16], *found = NULL;
  vrg_stack *stack = NULL;
  bool biased = false;
  snprintf (path, sizeof path, "%s/model.h5", directory);
  int status = vrg_model_read (grid, path, &stack, &found);
  if (status == VRG_OK)
    status = check_layers (path, stack, input, info);
  if (status == VRG_OK)
    status = vrg_learnt_check (directory, "model.h5", found, input, VRG_STAGE_TRAIN);
  for (int l = 0; status == VRG_OK && l < stack->layers; l++)
    {
      filters->layer[filters->layers++] = filter_of (stack->layer[l]);
      biased = biased || stack->layer[l]->hidden_bias[0] != 0;
    }
  if (biased)
    vrg_warn ("flow: the learnt rule leaves out the model's hidden bias, which would break the spins' symmetry");
  vrg_free (found);
  vrg_stack_free (stack);
  return status;
}

int
vrg_filters_init (const vrg_grid *grid, const char *directory, const vrg_input *input, const vrg_samples_info *info,
                  vrg_filters *filters)
{
  int status = VRG_OK;
  *filters = (vrg_filters){ 0 };
  if (vrg_input_has_rule (input, VRG_WEIGHTED))
    status = vrg_filter_weighted ((int) input->dimension, (int) input->scale, input->weights, &filters->weighted);
  if (status == VRG_OK && (vrg_input_has_rule (input, VRG_LEARNT) || vrg_input_has_rule (input, VRG_LEARNT_SIGN)))
    status = read_layers (grid, directory, input, info, filters);
  return status;
}

void
vrg_filters_free (vrg_filters *filters)
{
  for (int l = 0; l < filters->layers; l++)
    vrg_free (filters->layer[l].weights);
  vrg_free (filters->weighted.weights);
  *filters = (vrg_filters){ 0 };
}
