/* SPDX-License-Identifier: GPL-3.0-or-later
 * model.h5: written under a temporary name, sealed, renamed; read with every number checked. */
#include "files/model.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/h5_internal.h"

#define FORMAT "vrg-model"
#define FORMAT_VERSION 2
#define LARGEST (INT64_C (1) << 31)

static void
layer_name (int number, char name[32])
{
  snprintf (name, 32, "/layer-%d", number + 1);
}

void
vrg_model_describe (const vrg_model *model, const char *group, bool takes_part, vrg_model_arrays *a)
{
  static const char *const names[VRG_MODEL_ARRAYS] = { "weights", "visible_bias", "hidden_bias" };
  const bool dense = model->type == VRG_MODEL_DENSE;
  const int64_t visible = dense ? model->rows * model->columns : 1;
  const int64_t own = takes_part ? model->visible1 - model->visible0 : 0;
  for (int i = 0; i < VRG_MODEL_ARRAYS; i++)
    snprintf (a->name[i], sizeof a->name[i], "%s/%s", group, names[i]);
  a->array[0] = (vrg_h5_array){ .name = a->name[0],
                                .help = dense ? "W in E = -a.v - b.h - h W v (1)"
                                              : "weight of site (stride jy + row - (filter - stride)/2, likewise "
                                                "columns) for hidden unit (filter, jy, jx) (1)",
                                .axes = dense ? "hidden visible" : "filter row column",
                                .type = VRG_F64,
                                .rank = dense ? 2 : 3,
                                .dims = { model->hidden, dense ? visible : vrg_model_filter_rows (model),
                                          dense ? 0 : model->filter },
                                .replicated = !dense,
                                .first = { 0, model->visible0 },
                                .count = { model->hidden, own },
                                .data = model->weights };
  a->array[1] = (vrg_h5_array){ .name = a->name[1],
                                .help = "a in E = -a.v - b.h - h W v (1)",
                                .axes = "visible",
                                .type = VRG_F64,
                                .rank = 1,
                                .dims = { visible },
                                .replicated = !dense,
                                .first = { model->visible0 },
                                .count = { own },
                                .data = model->visible_bias };
  a->array[2] = (vrg_h5_array){ .name = a->name[2],
                                .help = "b in E = -a.v - b.h - h W v (1)",
                                .axes = dense ? "hidden" : "filter",
                                .type = VRG_F64,
                                .rank = 1,
                                .dims = { model->hidden },
                                .replicated = true,
                                .data = model->hidden_bias };
}

/** The couplings a stack was trained on. */
static vrg_h5_array
couplings (vrg_stack *stack)
{
  return (vrg_h5_array){ .name = "/nn",
                         .help = "nearest-neighbour couplings of the ensembles it was trained on (J/kT)",
                         .axes = "ensemble",
                         .type = VRG_F64,
                         .rank = 1,
                         .dims = { stack->n_nn },
                         .replicated = true,
                         .data = stack->nn };
}

#define NUMBERS 8

/** The whole numbers of a layer, in one place for writing and reading. */
static void
numbers (vrg_model *model, int64_t *symmetric, vrg_h5_number list[NUMBERS])
{
  const vrg_h5_number all[NUMBERS]
    = { { "rows", &model->rows, 1, LARGEST },       { "columns", &model->columns, 1, LARGEST },
        { "hidden", &model->hidden, 1, LARGEST },   { "filter", &model->filter, 0, 65536 },
        { "stride", &model->stride, 0, 65536 },     { "symmetric", symmetric, 0, 1 },
        { "epochs", &model->epochs, 0, INT64_MAX }, { "updates", &model->updates, 0, INT64_MAX } };
  memcpy (list, all, sizeof all);
}

static int
put_layer (const vrg_grid *grid, vrg_h5 *file, int number, const vrg_model *model)
{
  char group[32];
  vrg_h5_number list[NUMBERS];
  vrg_model copy = *model;
  vrg_model_arrays arrays;
  int64_t symmetric = model->symmetric;
  layer_name (number, group);
  numbers (&copy, &symmetric, list);
  vrg_model_describe (model, group, grid->group == 0, &arrays);
  int code = vrg_h5_put_text (file, group, "type", vrg_param_model_names[model->type]);
  if (code == VRG_OK)
    code = vrg_h5_put_numbers (file, group, NUMBERS, list);
  for (int i = 0; i < VRG_MODEL_ARRAYS && code == VRG_OK; i++)
    code = vrg_h5_put (file, &arrays.array[i]);
  for (int i = 0; i < VRG_MODEL_ARRAYS && code == VRG_OK; i++)
    code = vrg_h5_compare (file, &arrays.array[i]);
  return code;
}

int
vrg_model_write (const vrg_grid *grid, const char *directory, const char *fingerprint, const vrg_stack *stack)
{
  char path[VRG_PATH_LENGTH], temporary[VRG_PATH_LENGTH + 4];
  snprintf (path, sizeof path, "%s/model.h5", directory);
  snprintf (temporary, sizeof temporary, "%s.tmp", path);
  vrg_stack copy = *stack;
  const vrg_h5_array nn = couplings (&copy);
  vrg_h5 *file;
  int code = vrg_h5_open (grid->file, temporary, VRG_H5_CREATE, &file);
  if (code != VRG_OK)
    return code;
  code = vrg_h5_put_head (file, FORMAT, FORMAT_VERSION, fingerprint);
  if (code == VRG_OK)
    code = vrg_h5_put_int (file, "/", "layers", stack->layers);
  if (code == VRG_OK)
    code = vrg_h5_put (file, &nn);
  for (int l = 0; l < stack->layers && code == VRG_OK; l++)
    code = put_layer (grid, file, l, stack->layer[l]);
  return vrg_h5_commit (file, code, path);
}

/** Type and numbers of a layer; its visible units must be the hidden ones of the layer below. */
static int
get_numbers (vrg_h5 *file, const char *group, const vrg_model *below, vrg_model *model)
{
  char *type = NULL;
  vrg_h5_number list[NUMBERS];
  int64_t symmetric = 0;
  numbers (model, &symmetric, list);
  int code = vrg_h5_get_text (file, group, "type", &type);
  if (code == VRG_OK)
    {
      model->type = strcmp (type, vrg_param_model_names[VRG_MODEL_DENSE]) == 0         ? VRG_MODEL_DENSE
                    : strcmp (type, vrg_param_model_names[VRG_MODEL_CONVOLUTION]) == 0 ? VRG_MODEL_CONVOLUTION
                                                                                       : VRG_MODEL_NONE;
      code = vrg_h5_agree (file, model->type != VRG_MODEL_NONE, "unknown type of model '%.40s'", type);
    }
  vrg_free (type);
  if (code == VRG_OK)
    code = vrg_h5_get_numbers (file, group, NUMBERS, list);
  model->symmetric = symmetric != 0;
  if (code == VRG_OK)
    code = vrg_h5_agree (file,
                         model->type == VRG_MODEL_DENSE
                           || (model->filter > 0 && model->stride > 0 && model->columns % model->stride == 0
                               && (model->rows == 1 || model->rows % model->stride == 0)),
                         "a convolution whose filter or stride does not fit its lattice: the file is damaged");
  if (code == VRG_OK && below != NULL)
    {
      const bool dense = below->type == VRG_MODEL_DENSE;
      const int64_t rows = dense ? 1 : vrg_model_hidden_rows (below),
                    columns = dense ? below->hidden : below->columns / below->stride;
      code = vrg_h5_agree (file,
                           model->type == below->type && (dense || below->hidden == 1) && model->rows == rows
                             && model->columns == columns,
                           "%s: does not stand on the layer below it, which has %lld x %lld hidden units: the file is "
                           "damaged",
                           group, (long long) rows, (long long) columns);
    }
  return code;
}

/** Check sizes against the file before memory is taken, then read. */
static int
get_arrays (vrg_h5 *file, const vrg_grid *grid, const char *group, bool first, vrg_model *model)
{
  const bool dense = model->type == VRG_MODEL_DENSE;
  int64_t from, to, offset;
  vrg_grid_span (first ? model->rows : model->columns, grid->strips, grid->strip, &from, &to);
  model->visible0 = !dense ? 0 : first ? from * model->columns : from;
  model->visible1 = !dense ? 1 : first ? to * model->columns : to;
  vrg_model_arrays arrays;
  vrg_model_describe (model, group, true, &arrays);
  int code = VRG_OK;
  for (int i = 0; i < VRG_MODEL_ARRAYS && code == VRG_OK; i++)
    code = vrg_h5_place (file, &arrays.array[i], &offset);
  if (code != VRG_OK)
    return code;
  vrg_model_allocate (model);
  vrg_model_describe (model, group, true, &arrays);
  for (int i = 0; i < VRG_MODEL_ARRAYS && code == VRG_OK; i++)
    code = vrg_h5_read (file, &arrays.array[i]);
  return code;
}

static int
get_stack (vrg_h5 *file, const vrg_grid *grid, vrg_stack *stack, char **fingerprint)
{
  int64_t layers = 0, dims[VRG_H5_RANK];
  int code = vrg_h5_get_head (file, FORMAT, FORMAT_VERSION, fingerprint);
  if (code == VRG_OK)
    code = vrg_h5_get_int (file, "/", "layers", &layers);
  if (code == VRG_OK)
    code = vrg_h5_agree (file, layers > 0 && layers <= VRG_MAX_LAYERS, "has %lld layers, this program reads 1 to %d",
                         (long long) layers, VRG_MAX_LAYERS);
  if (code == VRG_OK)
    code = vrg_h5_verify (file);
  if (code == VRG_OK)
    code = vrg_h5_agree (file, vrg_h5_shape (file, "/nn", dims) == 1 && dims[0] > 0 && dims[0] <= VRG_MAX_COUPLINGS,
                         "/nn is not a list of couplings: the file is damaged");
  if (code != VRG_OK)
    return code;
  stack->n_nn = (int) dims[0];
  const vrg_h5_array nn = couplings (stack);
  code = vrg_h5_read (file, &nn);
  for (int l = 0; l < layers && code == VRG_OK; l++)
    {
      char group[32];
      vrg_model *model = stack->layer[l] = vrg_new (1, sizeof *model, "a model");
      stack->layers = l + 1;
      layer_name (l, group);
      code = get_numbers (file, group, l > 0 ? stack->layer[l - 1] : NULL, model);
      if (code == VRG_OK)
        code = get_arrays (file, grid, group, l == 0, model);
    }
  return code;
}

int
vrg_model_read (const vrg_grid *grid, const char *path, vrg_stack **result, char **fingerprint)
{
  *result = NULL;
  char *text = NULL;
  vrg_h5 *file;
  int code = vrg_h5_open (grid->file, path, VRG_H5_READ, &file);
  if (code != VRG_OK)
    return code;
  vrg_stack *stack = vrg_new (1, sizeof *stack, "a stack of models");
  code = get_stack (file, grid, stack, &text);
  vrg_h5_close (file);
  if (code == VRG_OK)
    *result = stack;
  else
    vrg_stack_free (stack);
  if (code == VRG_OK && fingerprint != NULL)
    *fingerprint = text;
  else
    vrg_free (text);
  return code;
}

void
vrg_model_allocate (vrg_model *model)
{
  model->weights = vrg_new (vrg_model_weights (model), sizeof (double), "weights");
  model->visible_bias = vrg_new (model->visible1 - model->visible0, sizeof (double), "visible biases");
  model->hidden_bias = vrg_new (model->hidden, sizeof (double), "hidden biases");
}

void
vrg_model_free (vrg_model *model)
{
  if (model == NULL)
    return;
  vrg_free (model->weights);
  vrg_free (model->visible_bias);
  vrg_free (model->hidden_bias);
  vrg_free (model);
}

void
vrg_stack_free (vrg_stack *stack)
{
  if (stack == NULL)
    return;
  for (int l = 0; l < stack->layers; l++)
    vrg_model_free (stack->layer[l]);
  vrg_free (stack);
}
