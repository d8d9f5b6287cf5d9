/* SPDX-License-Identifier: GPL-3.0-or-later
 * model.h5: written under a temporary name, sealed, renamed; read with every number checked. */
#include "files/model.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/h5_internal.h"

#define FORMAT "vrg-model"
#define FORMAT_VERSION 1
#define LAYER "/layer-1"
#define LARGEST (INT64_C (1) << 31)

enum
{
  WEIGHTS,
  VISIBLE_BIAS,
  HIDDEN_BIAS,
  ARRAYS
};

/** The three arrays of a model as the file has them; `writes`: only this rank's group does. */
static void
describe (const vrg_model *model, bool takes_part, vrg_h5_array arrays[ARRAYS])
{
  bool dense = model->type == VRG_MODEL_DENSE;
  int64_t visible = dense ? model->rows * model->columns : 1;
  int64_t own = takes_part ? model->visible1 - model->visible0 : 0;
  arrays[WEIGHTS]
    = (vrg_h5_array){ .name = LAYER "/weights",
                      .help = dense ? "W in E = -a.v - b.h - v W h (1)"
                                    : "weight of site (stride jy + dy - (filter - stride)/2, likewise x) for "
                                      "hidden unit (filter, jy, jx) (1)",
                      .axes = dense ? "visible hidden" : "filter row column",
                      .type = VRG_F64,
                      .rank = dense ? 2 : 3,
                      .dims = { dense ? visible : model->hidden, dense ? model->hidden : model->filter,
                                dense ? 0 : model->filter },
                      .replicated = !dense,
                      .first = { model->visible0, 0 },
                      .count = { own, model->hidden },
                      .data = model->weights };
  arrays[VISIBLE_BIAS] = (vrg_h5_array){ .name = LAYER "/visible_bias",
                                         .help = "a in E = -a.v - b.h - v W h (1)",
                                         .axes = "visible",
                                         .type = VRG_F64,
                                         .rank = 1,
                                         .dims = { visible },
                                         .replicated = !dense,
                                         .first = { model->visible0 },
                                         .count = { own },
                                         .data = model->visible_bias };
  arrays[HIDDEN_BIAS] = (vrg_h5_array){ .name = LAYER "/hidden_bias",
                                        .help = "b in E = -a.v - b.h - v W h (1)",
                                        .axes = dense ? "hidden" : "filter",
                                        .type = VRG_F64,
                                        .rank = 1,
                                        .dims = { model->hidden },
                                        .replicated = true,
                                        .data = model->hidden_bias };
}

#define NUMBERS 7

/** The whole numbers of a layer, in one place for writing and reading. */
static void
numbers (vrg_model *model, vrg_h5_number list[NUMBERS])
{
  const vrg_h5_number all[NUMBERS]
    = { { "rows", &model->rows, 1, LARGEST },        { "columns", &model->columns, 1, LARGEST },
        { "hidden", &model->hidden, 1, LARGEST },    { "filter", &model->filter, 0, 65536 },
        { "stride", &model->stride, 0, 65536 },      { "epochs", &model->epochs, 0, INT64_MAX },
        { "updates", &model->updates, 0, INT64_MAX } };
  memcpy (list, all, sizeof all);
}

static int
put_head (vrg_h5 *file, const char *fingerprint, const vrg_model *model)
{
  vrg_h5_number list[NUMBERS];
  vrg_model copy = *model;
  numbers (&copy, list);
  int code = vrg_h5_put_head (file, FORMAT, FORMAT_VERSION, fingerprint);
  if (code == VRG_OK)
    code = vrg_h5_put_int (file, "/", "layers", 1);
  if (code == VRG_OK)
    code = vrg_h5_put_text (file, LAYER, "type", vrg_param_model_names[model->type]);
  if (code == VRG_OK)
    code = vrg_h5_put_numbers (file, LAYER, NUMBERS, list);
  return code == VRG_OK ? vrg_h5_put_double (file, LAYER, "nn", model->nn) : code;
}

int
vrg_model_write (const vrg_grid *grid, const char *directory, const char *fingerprint, const vrg_model *model)
{
  char path[VRG_PATH_LENGTH], temporary[VRG_PATH_LENGTH + 4];
  snprintf (path, sizeof path, "%s/model.h5", directory);
  snprintf (temporary, sizeof temporary, "%s.tmp", path);
  vrg_h5_array arrays[ARRAYS];
  describe (model, grid->group == 0, arrays);
  vrg_h5 *file;
  int code = vrg_h5_open (grid->file, temporary, VRG_H5_CREATE, &file);
  if (code != VRG_OK)
    return code;
  code = put_head (file, fingerprint, model);
  for (int i = 0; i < ARRAYS && code == VRG_OK; i++)
    code = vrg_h5_put (file, &arrays[i]);
  for (int i = 0; i < ARRAYS && code == VRG_OK; i++)
    code = vrg_h5_compare (file, &arrays[i]);
  if (code == VRG_OK)
    code = vrg_h5_seal (file);
  int closed = vrg_h5_close (file);
  if (code == VRG_OK)
    code = closed;
  if (code == VRG_OK)
    code = vrg_file_rename (grid->file, temporary, path);
  if (code != VRG_OK)
    vrg_file_remove (grid->file, temporary);
  return code;
}

static int
get_head (vrg_h5 *file, vrg_model *model, char **fingerprint)
{
  char *type = NULL;
  int64_t layers = 0;
  vrg_h5_number list[NUMBERS];
  numbers (model, list);
  int code = vrg_h5_get_head (file, FORMAT, FORMAT_VERSION, fingerprint);
  if (code == VRG_OK)
    code = vrg_h5_get_int (file, "/", "layers", &layers);
  if (code == VRG_OK)
    code = vrg_h5_agree (file, layers == 1, "has %lld layers, this program reads models of one", (long long) layers);
  if (code == VRG_OK)
    code = vrg_h5_get_text (file, LAYER, "type", &type);
  if (code == VRG_OK)
    {
      model->type = strcmp (type, vrg_param_model_names[VRG_MODEL_DENSE]) == 0         ? VRG_MODEL_DENSE
                    : strcmp (type, vrg_param_model_names[VRG_MODEL_CONVOLUTION]) == 0 ? VRG_MODEL_CONVOLUTION
                                                                                       : VRG_MODEL_NONE;
      code = vrg_h5_agree (file, model->type != VRG_MODEL_NONE, "unknown type of model '%.40s'", type);
    }
  vrg_free (type);
  if (code == VRG_OK)
    code = vrg_h5_get_numbers (file, LAYER, NUMBERS, list);
  if (code == VRG_OK)
    code = vrg_h5_agree (file, model->type == VRG_MODEL_DENSE || (model->filter > 0 && model->stride > 0),
                         "a convolution without filter or stride: the file is damaged");
  return code == VRG_OK ? vrg_h5_get_double (file, LAYER, "nn", &model->nn) : code;
}

/** Check sizes against the file before memory is taken, then read. */
static int
get_arrays (vrg_h5 *file, const vrg_grid *grid, vrg_model *model)
{
  bool dense = model->type == VRG_MODEL_DENSE;
  int64_t first, last, offset;
  vrg_grid_span (model->rows, grid->strips, grid->strip, &first, &last);
  model->visible0 = dense ? first * model->columns : 0;
  model->visible1 = dense ? last * model->columns : 1;
  vrg_h5_array arrays[ARRAYS];
  describe (model, true, arrays);
  int code = VRG_OK;
  for (int i = 0; i < ARRAYS && code == VRG_OK; i++)
    code = vrg_h5_place (file, &arrays[i], &offset);
  if (code != VRG_OK)
    return code;
  int64_t visible = model->visible1 - model->visible0;
  model->weights = vrg_new (dense ? visible * model->hidden : model->hidden * model->filter * model->filter,
                            sizeof (double), "weights");
  model->visible_bias = vrg_new (visible, sizeof (double), "visible biases");
  model->hidden_bias = vrg_new (model->hidden, sizeof (double), "hidden biases");
  describe (model, true, arrays);
  for (int i = 0; i < ARRAYS && code == VRG_OK; i++)
    code = vrg_h5_read (file, &arrays[i]);
  return code;
}

int
vrg_model_read (const vrg_grid *grid, const char *path, vrg_model **result, char **fingerprint)
{
  *result = NULL;
  char *text = NULL;
  vrg_h5 *file;
  int code = vrg_h5_open (grid->file, path, VRG_H5_READ, &file);
  if (code != VRG_OK)
    return code;
  vrg_model *model = vrg_new (1, sizeof *model, "model");
  code = get_head (file, model, &text);
  if (code == VRG_OK)
    code = vrg_h5_verify (file);
  if (code == VRG_OK)
    code = get_arrays (file, grid, model);
  vrg_h5_close (file);
  if (code == VRG_OK)
    *result = model;
  else
    vrg_model_free (model);
  if (code == VRG_OK && fingerprint != NULL)
    *fingerprint = text;
  else
    vrg_free (text);
  return code;
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
