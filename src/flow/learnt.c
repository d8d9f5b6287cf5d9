/* SPDX-License-Identifier: GPL-3.0-or-later
 * From the first layer of model.h5 to the filter of the learnt rule, with everything checked that must fit. */
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

static int
check_model (const char *path, const vrg_model *m, const vrg_input *input, const vrg_samples_info *info)
{
  if (m->type != VRG_MODEL_CONVOLUTION || m->hidden != 1)
    return vrg_error (VRG_FILE,
                      "%s: the learnt rule takes a convolution of one filter; this is a %s model, hidden %lld", path,
                      vrg_param_model_names[m->type], (long long) m->hidden);
  if (m->rows != info->rows || m->columns != info->columns)
    return vrg_error (VRG_FILE, "%s: model of another lattice: %lldx%lld, the samples are %lldx%lld; train it again",
                      path, (long long) m->rows, (long long) m->columns, (long long) info->rows,
                      (long long) info->columns);
  if (m->stride != input->scale)
    return vrg_error (VRG_FILE, "%s: the model's stride is %lld and [flow] scale %lld: they must agree", path,
                      (long long) m->stride, (long long) input->scale);
  double size = 0;
  for (int64_t i = 0; i < vrg_model_weights (m); i++)
    size += fabs (m->weights[i]);
  if (!(size < LARGEST_FIELD))
    return vrg_error (VRG_FILE, "%s: the filter's weights are too large or not numbers: train it again", path);
  return VRG_OK;
}

int
vrg_learnt_read (const vrg_grid *grid, const char *directory, const vrg_input *input, const vrg_samples_info *info,
                 vrg_filter *filter)
{
  char path[VRG_PATH_LENGTH + 16], *found = NULL;
  vrg_stack *stack = NULL;
  *filter = (vrg_filter){ 0, NULL };
  snprintf (path, sizeof path, "%s/model.h5", directory);
  int status = vrg_model_read (grid, path, &stack, &found);
  const vrg_model *model = status == VRG_OK ? stack->layer[0] : NULL;
  if (status == VRG_OK)
    status = check_model (path, model, input, info);
  if (status == VRG_OK)
    status = vrg_learnt_check (directory, "model.h5", found, input, VRG_STAGE_TRAIN);
  if (status == VRG_OK)
    {
      int64_t n = vrg_model_weights (model);
      int32_t *weights = vrg_new (n, sizeof *weights, "filter");
      double sum = 0;
      for (int64_t i = 0; i < n; i++)
        sum += model->weights[i];
      for (int64_t i = 0; i < n; i++)
        weights[i] = vrg_fixed (sum < 0 ? -model->weights[i] : model->weights[i]);
      *filter = (vrg_filter){ (int) model->filter, weights };
      if (model->hidden_bias[0] != 0)
        vrg_warn ("flow: the learnt rule leaves out the model's hidden bias, which would break the spins' symmetry");
    }
  vrg_free (found);
  vrg_stack_free (stack);
  return status;
}
