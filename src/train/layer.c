/* SPDX-License-Identifier: GPL-3.0-or-later
 * What all layers have in common, and the call of the kind. */
#include "train/layer.h"

#include <math.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "parallel/grid.h"
#include "train/layer_internal.h"

/** Small numbers for a row of weights, random numbers from `index` on. */
static void
small_numbers (const vrg_rng *rng, int64_t index, int64_t n, double *weights)
{
  const double scale = VRG_LAYER_SPREAD * sqrt (3.0) / 4294967296.0;
  for (int64_t i = 0; i < n; i++)
    {
      uint64_t u[2];
      vrg_rng_block (rng, VRG_RNG_WEIGHT, (uint64_t) (index + i), 0, 0, u);
      const uint64_t sum = (u[0] & UINT32_MAX) + (u[0] >> 32) + (u[1] & UINT32_MAX) + (u[1] >> 32);
      weights[i] = scale * (double) ((int64_t) sum + 2 - (INT64_C (1) << 33));
    }
}

int
vrg_layer_start (const vrg_input *input, int number, const vrg_model *below, int strips, int strip, const vrg_rng *rng,
                 vrg_model **result)
{
  const bool dense = input->model == VRG_MODEL_DENSE;
  int64_t rows = 1, columns = input->size[input->dimension - 1];
  for (int k = 0; k < input->dimension - 1; k++)
    rows *= input->size[k];
  if (below && below->type == VRG_MODEL_DENSE)
    {
      rows = 1;
      columns = below->hidden;
    }
  else if (below)
    {
      if (below->hidden != 1)
        return vrg_error (
          VRG_USAGE, "[train] hidden: layer %d cannot stand on %lld filters; give every layer but the last one filter",
          number + 1, (long long) below->hidden);
      rows = vrg_model_hidden_rows (below);
      columns = below->columns / below->stride;
    }
  if (!dense && (columns % input->stride || (rows > 1 && rows % input->stride)))
    return vrg_error (VRG_USAGE,
                      "[train] stride: %lld does not divide the lattice of layer %d, %lld x %lld; take one that does",
                      (long long) input->stride, number + 1, (long long) rows, (long long) columns);
  vrg_model *model = vrg_new (1, sizeof *model, "a model");
  *model = (vrg_model){ .type = input->model, .rows = rows, .columns = columns, .hidden = input->hidden[number] };
  const int64_t sites = rows * columns;
  int64_t first = 0, last = sites;
  if (dense)
    {
      const int64_t together = rows > 1 ? columns : 1;
      vrg_grid_span (sites / together, strips, strip, &first, &last);
      first *= together;
      last *= together;
    }
  else
    {
      model->filter = input->filter;
      model->stride = input->stride;
      model->symmetric = input->symmetric;
    }
  model->visible0 = first;
  model->visible1 = last;
  const int64_t row = dense ? last - first : model->filter * vrg_model_filter_rows (model);
  model->weights = vrg_new (model->hidden * row, sizeof (double), "weights");
  model->visible_bias = vrg_new (dense ? last - first : 1, sizeof (double), "visible biases");
  model->hidden_bias = vrg_new (model->hidden, sizeof (double), "hidden biases");
  for (int64_t j = 0; j < model->hidden; j++)
    small_numbers (rng, j * (dense ? sites : row) + first * dense, row, model->weights + j * row);
  *result = model;
  return VRG_OK;
}

vrg_layer *
vrg_layer_sketch (const vrg_input *input, int number, double *bytes)
{
  vrg_model *model = NULL;
  vrg_rng rng;
  int status = VRG_OK;
  vrg_rng_init (&rng, 0, 0, VRG_USE_TRAIN);
  for (int k = 0; k <= number && status == VRG_OK; k++)
    {
      vrg_model *below = model;
      status = vrg_layer_start (input, k, below, 1, 0, &rng, &model);
      if (below != NULL)
        vrg_model_free (below);
    }
  if (status != VRG_OK)
    return NULL;
  VRG_ASSERT (model != NULL);
  const int64_t before = vrg_memory_now ();
  vrg_layer *layer = vrg_layer_new (model, MPI_COMM_NULL);
  *bytes = (double) (vrg_memory_now () - before);
  return layer;
}

void
vrg_layer_sketch_free (vrg_layer *layer)
{
  vrg_model *model = layer->model;
  vrg_layer_free (layer);
  vrg_model_free (model);
}

vrg_layer *
vrg_layer_new (vrg_model *model, MPI_Comm strip_comm)
{
  vrg_layer *layer = vrg_new (1, sizeof *layer, "a layer");
  layer->model = model;
  layer->strip_comm = strip_comm;
  layer->strips = 1;
  if (strip_comm != MPI_COMM_NULL)
    {
      VRG_MPI (MPI_Comm_size (strip_comm, &layer->strips));
      VRG_MPI (MPI_Comm_rank (strip_comm, &layer->strip));
    }
  layer->sites = model->visible1 - model->visible0;
  layer->row0 = model->rows > 1 ? model->visible0 / model->columns : 0;
  layer->row1 = model->rows > 1 ? model->visible1 / model->columns : 1;
  layer->visible = model->rows * model->columns;
  layer->hidden_biases = model->hidden;
  layer->kind = model->type == VRG_MODEL_DENSE ? &vrg_dense_layer : &vrg_convolution_layer;
  layer->kind->begin (layer);
  layer->parameters = layer->weights + layer->visible_biases + layer->hidden_biases;
  return layer;
}

void
vrg_layer_free (vrg_layer *layer)
{
  if (!layer)
    return;
  layer->kind->end (layer);
  vrg_free (layer);
}

int32_t
vrg_layer_round_one (double x, bool *good)
{
  if (x < VRG_LAYER_BOUND && x > -VRG_LAYER_BOUND)
    return vrg_fixed (x);
  *good = false;
  return 0;
}

bool
vrg_layer_round (vrg_layer *layer)
{
  vrg_layer_round_rows (layer, 0, layer->hidden_biases);
  return vrg_layer_round_end (layer);
}

void
vrg_layer_round_rows (vrg_layer *layer, int64_t first, int64_t last)
{
  if (layer->kind->round_rows)
    layer->kind->round_rows (layer, first, last);
}

bool
vrg_layer_round_end (vrg_layer *layer)
{
  return layer->kind->round_end (layer);
}

vrg_layer_size
vrg_layer_sizes (const vrg_layer *layer, int64_t lanes)
{
  return layer->kind->sizes (layer, lanes);
}

void
vrg_layer_unpack (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *v)
{
  layer->kind->unpack (layer, piece, samples, v);
}

void
vrg_layer_unpack_hidden (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *h)
{
  layer->kind->unpack_hidden (layer, piece, samples, h);
}

void
vrg_layer_pack (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int64_t s, uint64_t *bits)
{
  layer->kind->pack (layer, piece, v, s, bits);
}

void
vrg_layer_pack_hidden (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int64_t s, uint64_t *bits)
{
  layer->kind->pack_hidden (layer, piece, h, s, bits);
}

void
vrg_layer_hidden_fields (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int32_t *fields)
{
  layer->kind->hidden_fields (layer, piece, v, fields);
}

void
vrg_layer_visible_fields (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int32_t *fields)
{
  layer->kind->visible_fields (layer, piece, h, fields);
}

void
vrg_layer_hidden_sample (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw,
                         const int32_t *fields, int32_t *h)
{
  layer->kind->hidden_sample (layer, rng, piece, update, draw, fields, h);
}

void
vrg_layer_visible_sample (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw,
                          const int32_t *fields, int32_t *v)
{
  layer->kind->visible_sample (layer, rng, piece, update, draw, fields, v);
}

void
vrg_layer_means (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int32_t *means)
{
  layer->kind->means (layer, piece, fields, means);
}

void
vrg_layer_gradient (const vrg_layer *layer, vrg_phase data, int64_t times, vrg_phase model, int64_t *sums)
{
  layer->kind->gradient (layer, data, times, model, sums);
}

int64_t
vrg_layer_difference (const vrg_layer *layer, vrg_piece piece, const int32_t *v, const int32_t *w)
{
  return layer->kind->difference (layer, piece, v, w);
}

void
vrg_layer_get_hidden (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x)
{
  layer->kind->get_hidden (layer, piece, fields, s, x);
}

void
vrg_layer_get_visible (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x)
{
  layer->kind->get_visible (layer, piece, fields, s, x);
}

int64_t
vrg_layer_reach (const vrg_layer *layer)
{
  return layer->kind->reach (layer);
}

int64_t
vrg_layer_site (const vrg_layer *layer, int64_t site, int64_t *index, int32_t *weight)
{
  return layer->kind->site (layer, site, index, weight);
}

int32_t
vrg_layer_visible_bias (const vrg_layer *layer, int64_t site)
{
  return layer->kind->visible_bias (layer, site);
}

int32_t
vrg_layer_hidden_bias (const vrg_layer *layer, int64_t unit)
{
  return layer->kind->hidden_bias (layer, unit);
}
