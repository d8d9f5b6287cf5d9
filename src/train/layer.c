/* SPDX-License-Identifier: GPL-3.0-or-later
 * One RBM in training: rounding, geometry, conditional laws. */
#include "train/layer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"

static bool
is_dense (const vrg_layer *layer)
{
  return layer->model->type == VRG_MODEL_DENSE;
}

int
vrg_layer_start (const vrg_input *input, int strips, int strip, const vrg_rng *rng, vrg_model **result)
{
  const int64_t rows = input->size[0], columns = input->size[1];
  const bool dense = input->model == VRG_MODEL_DENSE;
  if (!dense && (rows % input->stride || columns % input->stride))
    return vrg_error (VRG_USAGE, "[train] stride: %lld does not divide the lattice, %lld x %lld",
                      (long long) input->stride, (long long) rows, (long long) columns);
  vrg_model *model = vrg_new (1, sizeof *model, "a model");
  *model = (vrg_model){
    .type = input->model, .rows = rows, .columns = columns, .hidden = input->hidden[0], .nn = input->coupling
  };
  int64_t row0 = 0, row1 = rows;
  if (dense)
    vrg_grid_span (rows, strips, strip, &row0, &row1);
  else
    {
      model->filter = input->filter;
      model->stride = input->stride;
    }
  model->visible0 = row0 * columns;
  model->visible1 = row1 * columns;
  const int64_t sites = model->visible1 - model->visible0;
  const int64_t first = dense ? model->visible0 * model->hidden : 0;
  const int64_t weights = model->hidden * (dense ? sites : model->filter * model->filter);
  model->weights = vrg_new (weights, sizeof (double), "weights");
  model->visible_bias = vrg_new (dense ? sites : 1, sizeof (double), "visible biases");
  model->hidden_bias = vrg_new (model->hidden, sizeof (double), "hidden biases");
  const double scale = VRG_LAYER_SPREAD * sqrt (3.0) / 4294967296.0;
  for (int64_t i = 0; i < weights; i++)
    {
      uint64_t u[2];
      vrg_rng_block (rng, VRG_RNG_WEIGHT, (uint64_t) (first + i), 0, 0, u);
      const uint64_t sum = (u[0] & UINT32_MAX) + (u[0] >> 32) + (u[1] & UINT32_MAX) + (u[1] >> 32);
      model->weights[i] = scale * (double) ((int64_t) sum + 2 - (INT64_C (1) << 33));
    }
  *result = model;
  return VRG_OK;
}

static int64_t
floor_divide (int64_t a, int64_t b)
{
  return a / b - (a % b < 0);
}

static int64_t
modulo (int64_t a, int64_t b)
{
  return a - b * floor_divide (a, b);
}

/** Taps by phase: hidden unit j sees site b j + d - offset of one direction, which is site b (j + shift) + phase. */
static void
convolution_init (vrg_convolution *c, const vrg_model *model)
{
  const int filter = (int) model->filter, b = (int) model->stride, offset = (filter - b) / 2;
  *c = (vrg_convolution){ .rows = model->rows / b,
                          .columns = model->columns / b,
                          .pitch = vrg_lanes (model->columns / b),
                          .filters = (int) model->hidden,
                          .taps = filter * filter,
                          .phases = b * b };
  c->first = vrg_new (c->phases + 1, sizeof (int), "taps");
  c->place = vrg_new (c->taps, sizeof (int), "taps");
  c->row = vrg_new (c->taps, sizeof (int), "taps");
  c->column = vrg_new (c->taps, sizeof (int), "taps");
  c->shift = vrg_new (c->taps, sizeof (int64_t), "taps");
  int t = 0;
  for (int p = 0; p < c->phases; p++)
    {
      for (int place = 0; place < c->taps; place++)
        {
          const int dy = place / filter - offset, dx = place % filter - offset;
          if (modulo (dy, b) != p / b || modulo (dx, b) != p % b)
            continue;
          c->place[t] = place;
          c->row[t] = (int) floor_divide (dy, b);
          c->column[t] = (int) floor_divide (dx, b);
          if (abs (c->row[t]) > c->rim)
            c->rim = abs (c->row[t]);
          t++;
        }
      c->first[p + 1] = t;
    }
  c->width = c->pitch + 2 * c->rim;
  c->plane = c->width * (c->rows + 2 * c->rim);
  for (t = 0; t < c->taps; t++)
    c->shift[t] = c->row[t] * c->width + c->column[t];
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
  layer->row0 = model->visible0 / model->columns;
  layer->row1 = model->visible1 / model->columns;
  layer->sites = model->visible1 - model->visible0;
  layer->hidden_biases = model->hidden;
  int64_t fixed, visible_base, hidden_base;
  if (is_dense (layer))
    {
      layer->pitch = vrg_lanes (model->hidden);
      layer->weights = layer->sites * model->hidden;
      layer->visible_biases = layer->visible_units = layer->visible_fields = layer->sites;
      layer->hidden_units = layer->hidden_fields = layer->pitch;
      layer->visible_blocks = (model->rows * model->columns + 3) / 4;
      fixed = layer->sites * layer->pitch;
      visible_base = layer->sites;
      hidden_base = layer->pitch;
    }
  else
    {
      vrg_convolution *c = &layer->convolution;
      convolution_init (c, model);
      layer->weights = fixed = c->filters * c->taps;
      layer->visible_biases = 1;
      layer->visible_units = c->phases * c->plane;
      layer->hidden_units = c->filters * c->plane;
      layer->visible_fields = c->phases * c->rows * c->pitch;
      layer->hidden_fields = c->filters * c->rows * c->pitch;
      layer->visible_blocks = layer->visible_fields / 4;
      visible_base = c->phases;
      hidden_base = c->filters;
    }
  layer->hidden_blocks = layer->hidden_fields / 4;
  layer->parameters = layer->weights + layer->visible_biases + layer->hidden_biases;
  layer->fixed = vrg_new (fixed, sizeof (int32_t), "fixed-point weights");
  layer->visible_base = vrg_new (visible_base, sizeof (int32_t), "fixed-point biases");
  layer->hidden_base = vrg_new (hidden_base, sizeof (int32_t), "fixed-point biases");
  layer->visible_bias = vrg_new (layer->visible_biases, sizeof (int32_t), "fixed-point biases");
  const int64_t longer = layer->visible_fields > layer->hidden_fields ? layer->visible_fields : layer->hidden_fields;
  layer->random = vrg_new (longer / 2 + 4, sizeof (uint64_t), "random numbers");
  layer->scratch = vrg_new (longer, sizeof (int32_t), "units");
  return layer;
}

void
vrg_layer_free (vrg_layer *layer)
{
  if (!layer)
    return;
  vrg_free (layer->convolution.first);
  vrg_free (layer->convolution.place);
  vrg_free (layer->convolution.row);
  vrg_free (layer->convolution.column);
  vrg_free (layer->convolution.shift);
  vrg_free (layer->fixed);
  vrg_free (layer->visible_base);
  vrg_free (layer->hidden_base);
  vrg_free (layer->visible_bias);
  vrg_free (layer->random);
  vrg_free (layer->scratch);
  vrg_free (layer);
}

/** x as fixed point; 0 and *good = false if it is not below the bound. */
static int32_t
round_one (double x, bool *good)
{
  if (x < VRG_LAYER_BOUND && x > -VRG_LAYER_BOUND)
    return vrg_fixed (x);
  *good = false;
  return 0;
}

static const int64_t bound = (int64_t) VRG_LAYER_BOUND * VRG_FIXED_ONE;

static bool
round_dense (vrg_layer *layer)
{
  const vrg_model *model = layer->model;
  const int64_t hidden = model->hidden;
  bool good = true;
  int64_t *size = vrg_new (hidden + 1, sizeof (int64_t), "sums of weights"); /* and at the end: strips that are bad */
  memset (layer->hidden_base, 0, (size_t) layer->pitch * sizeof (int32_t));
  for (int64_t i = 0; i < layer->sites; i++)
    {
      int64_t row = 0, sum = 0;
      for (int64_t j = 0; j < hidden; j++)
        {
          const int32_t w = round_one (model->weights[i * hidden + j], &good);
          layer->fixed[i * layer->pitch + j] = w;
          layer->hidden_base[j] = (int32_t) ((uint32_t) layer->hidden_base[j] - (uint32_t) w);
          row += w;
          sum += abs (w);
          size[j] += abs (w);
        }
      layer->visible_bias[i] = round_one (model->visible_bias[i], &good);
      layer->visible_base[i] = (int32_t) (layer->visible_bias[i] - row);
      good = good && sum + abs (layer->visible_bias[i]) < bound;
    }
  size[hidden] = !good;
  if (layer->strips > 1)
    vrg_sum_int64 (layer->strip_comm, size, hidden + 1);
  good = size[hidden] == 0;
  for (int64_t j = 0; j < hidden; j++)
    {
      const int32_t b = round_one (model->hidden_bias[j], &good);
      good = good && size[j] + abs (b) < bound;
      if (good && layer->strip == 0)
        layer->hidden_base[j] += b;
    }
  vrg_free (size);
  return good;
}

static bool
round_convolution (vrg_layer *layer)
{
  const vrg_model *model = layer->model;
  const vrg_convolution *c = &layer->convolution;
  bool good = true;
  const int32_t a = layer->visible_bias[0] = round_one (model->visible_bias[0], &good);
  for (int f = 0; f < c->filters; f++)
    {
      const int32_t b = layer->hidden_base[f] = round_one (model->hidden_bias[f], &good);
      int64_t size = abs (b);
      for (int t = 0; t < c->taps; t++)
        {
          const int32_t w = round_one (model->weights[f * c->taps + c->place[t]], &good);
          size += abs (w);
          if (!good || size >= bound)
            return false;
          layer->fixed[f * c->taps + t] = w;
          layer->hidden_base[f] -= w;
        }
    }
  for (int p = 0; p < c->phases; p++) /* a visible unit is in one phase and sees its taps of every filter */
    {
      int64_t size = abs (a);
      layer->visible_base[p] = a;
      for (int f = 0; f < c->filters; f++)
        for (int t = c->first[p]; t < c->first[p + 1]; t++)
          {
            const int32_t w = layer->fixed[f * c->taps + t];
            size += abs (w);
            if (size >= bound)
              return false;
            layer->visible_base[p] -= w;
          }
    }
  return good;
}

bool
vrg_layer_round (vrg_layer *layer)
{
  return is_dense (layer) ? round_dense (layer) : round_convolution (layer);
}

/** Rows of a plane without its rim -> the plane: fill the rim periodically. */
static void
fill_rim (const vrg_convolution *c, int32_t *plane)
{
  for (int64_t y = c->rim; y < c->rim + c->rows; y++)
    {
      int32_t *row = plane + y * c->width + c->rim;
      for (int64_t x = 1; x <= c->rim; x++)
        {
          row[-x] = row[modulo (-x, c->columns)];
          row[c->columns - 1 + x] = row[(x - 1) % c->columns];
        }
    }
  for (int64_t y = 1; y <= c->rim; y++)
    {
      int32_t *zero = plane + c->rim * c->width;
      memcpy (zero - y * c->width, zero + modulo (-y, c->rows) * c->width, (size_t) c->width * sizeof (int32_t));
      memcpy (zero + (c->rows - 1 + y) * c->width, zero + (y - 1) % c->rows * c->width,
              (size_t) c->width * sizeof (int32_t));
    }
}

void
vrg_layer_unpack (const vrg_layer *layer, const uint64_t *bits, int32_t *v)
{
  const int64_t columns = layer->model->columns, words = (columns + 63) / 64;
  if (is_dense (layer))
    {
      for (int64_t y = 0; y < layer->row1 - layer->row0; y++)
        for (int64_t x = 0; x < columns; x++)
          *v++ = -(int32_t) (bits[y * words + x / 64] >> (x % 64) & 1);
      return;
    }
  const vrg_convolution *c = &layer->convolution;
  const int64_t b = layer->model->stride;
  for (int64_t p = 0; p < c->phases; p++)
    {
      int32_t *plane = v + p * c->plane;
      for (int64_t y = 0; y < c->rows; y++)
        {
          const uint64_t *from = bits + (b * y + p / b) * words;
          int32_t *to = plane + (y + c->rim) * c->width + c->rim;
          for (int64_t x = 0, site = p % b; x < c->columns; x++, site += b)
            to[x] = -(int32_t) (from[site / 64] >> (site % 64) & 1);
        }
      fill_rim (c, plane);
    }
}

void
vrg_layer_hidden_fields (const vrg_layer *layer, int64_t n, const int32_t *v, int32_t *fields)
{
  if (is_dense (layer))
    {
      vrg_product_dense_hidden (n, layer->sites, layer->pitch, layer->fixed, layer->hidden_base, v, fields);
      if (layer->strips > 1)
        vrg_sum_int32 (layer->strip_comm, fields, n * layer->pitch);
      return;
    }
  for (int64_t s = 0; s < n; s++)
    vrg_product_convolution_hidden (&layer->convolution, layer->fixed, layer->hidden_base, v + s * layer->visible_units,
                                    fields + s * layer->hidden_fields);
}

void
vrg_layer_visible_fields (const vrg_layer *layer, int64_t n, const int32_t *h, int32_t *fields)
{
  if (is_dense (layer))
    vrg_product_dense_visible (n, layer->sites, layer->pitch, layer->fixed, layer->visible_base, h, fields);
  else
    for (int64_t s = 0; s < n; s++)
      vrg_product_convolution_visible (&layer->convolution, layer->fixed, layer->visible_base,
                                       h + s * layer->hidden_units, fields + s * layer->visible_fields);
}

/** Sampled rows of `planes` planes, without rims, into units. */
static void
place_planes (const vrg_convolution *c, int planes, const int32_t *rows, int32_t *units)
{
  for (int p = 0; p < planes; p++)
    {
      int32_t *plane = units + p * c->plane;
      for (int64_t y = 0; y < c->rows; y++)
        memcpy (plane + (y + c->rim) * c->width + c->rim, rows + (p * c->rows + y) * c->pitch,
                (size_t) c->columns * sizeof (int32_t));
      fill_rim (c, plane);
    }
}

void
vrg_layer_hidden_sample (const vrg_layer *layer, const vrg_rng *rng, int64_t position, int64_t n, int64_t update,
                         int64_t draw, const int32_t *fields, int32_t *h)
{
  const bool dense = is_dense (layer);
  for (int64_t s = 0; s < n; s++)
    {
      int32_t *to = h + s * layer->hidden_units;
      vrg_rng_fill (rng, VRG_RNG_HIDDEN, (uint64_t) ((position + s) * layer->hidden_blocks), layer->hidden_blocks,
                    (uint64_t) update, (uint32_t) draw, layer->random);
      vrg_product_sample (layer->hidden_fields, fields + s * layer->hidden_fields, layer->random,
                          dense ? to : layer->scratch);
      if (dense)
        memset (to + layer->model->hidden, 0, (size_t) (layer->pitch - layer->model->hidden) * sizeof (int32_t));
      else
        place_planes (&layer->convolution, layer->convolution.filters, layer->scratch, to);
    }
}

void
vrg_layer_visible_sample (const vrg_layer *layer, const vrg_rng *rng, int64_t position, int64_t n, int64_t update,
                          int64_t draw, const int32_t *fields, int32_t *v)
{
  const bool dense = is_dense (layer);
  const int64_t first = layer->model->visible0 / 4, skip = layer->model->visible0 % 4;
  const int64_t blocks = (skip + layer->visible_fields + 3) / 4;
  for (int64_t s = 0; s < n; s++)
    {
      int32_t *to = v + s * layer->visible_units;
      vrg_rng_fill (rng, VRG_RNG_VISIBLE, (uint64_t) ((position + s) * layer->visible_blocks + first), blocks,
                    (uint64_t) update, (uint32_t) draw, layer->random);
      vrg_product_sample (layer->visible_fields, fields + s * layer->visible_fields,
                          (const char *) layer->random + 4 * skip, dense ? to : layer->scratch);
      if (!dense)
        place_planes (&layer->convolution, layer->convolution.phases, layer->scratch, to);
    }
}

void
vrg_layer_means (const vrg_layer *layer, int64_t n, const int32_t *fields, int32_t *means)
{
  const int64_t pitch = is_dense (layer) ? layer->pitch : layer->convolution.pitch;
  const int64_t used = is_dense (layer) ? layer->model->hidden : layer->convolution.columns;
  vrg_product_mean (n * layer->hidden_fields, fields, means);
  if (used < pitch)
    for (int64_t at = 0; at < n * layer->hidden_fields; at += pitch)
      memset (means + at + used, 0, (size_t) (pitch - used) * sizeof (int32_t));
}

void
vrg_layer_gradient (const vrg_layer *layer, int64_t n, const int32_t *v, const int32_t *means, int sign, int64_t *sums)
{
  int64_t *visible = sums + layer->weights, *hidden = visible + layer->visible_biases;
  if (is_dense (layer))
    {
      VRG_ASSERT (n <= 1024);
      vrg_product_dense_gradient (n, layer->sites, layer->model->hidden, layer->pitch, v, means, sign, layer->scratch,
                                  sums);
      for (int64_t j = 0; j < layer->model->hidden; j++)
        hidden[j] += sign * layer->scratch[j];
      for (int64_t s = 0; s < n; s++)
        for (int64_t i = 0; i < layer->sites; i++)
          visible[i] += sign * (-2 * v[s * layer->sites + i] - 1) * (int64_t) VRG_FIXED_ONE;
      return;
    }
  const vrg_convolution *c = &layer->convolution;
  for (int64_t s = 0; s < n; s++)
    {
      const int32_t *sample = v + s * layer->visible_units;
      vrg_product_convolution_gradient (c, sample, means + s * layer->hidden_fields, sign, hidden, sums);
      int64_t ups = 0;
      for (int p = 0; p < c->phases; p++)
        for (int64_t y = 0; y < c->rows; y++)
          for (int64_t x = 0; x < c->columns; x++)
            ups -= sample[p * c->plane + (y + c->rim) * c->width + c->rim + x];
      visible[0] += sign * (2 * ups - layer->sites) * VRG_FIXED_ONE;
    }
}

int64_t
vrg_layer_difference (const vrg_layer *layer, const int32_t *v, const int32_t *w)
{
  int64_t count = 0;
  if (is_dense (layer))
    for (int64_t i = 0; i < layer->sites; i++)
      count -= v[i] ^ w[i];
  else
    {
      const vrg_convolution *c = &layer->convolution;
      for (int p = 0; p < c->phases; p++)
        for (int64_t y = 0; y < c->rows; y++)
          {
            const int64_t row = p * c->plane + (y + c->rim) * c->width + c->rim;
            for (int64_t x = row; x < row + c->columns; x++)
              count -= v[x] ^ w[x];
          }
    }
  return count;
}

int64_t
vrg_layer_reach (const vrg_layer *layer)
{
  return is_dense (layer) ? layer->model->hidden : layer->weights;
}

int64_t
vrg_layer_site (const vrg_layer *layer, int64_t site, const int32_t *v, int *spin, int64_t *index, int32_t *weight)
{
  const vrg_model *model = layer->model;
  if (is_dense (layer))
    {
      const int64_t i = site - model->visible0;
      *spin = -2 * v[i] - 1;
      for (int64_t j = 0; j < model->hidden; j++)
        {
          index[j] = j;
          weight[j] = layer->fixed[i * layer->pitch + j];
        }
      return model->hidden;
    }
  const vrg_convolution *c = &layer->convolution;
  const int64_t b = model->stride, row = site / model->columns, column = site % model->columns;
  const int64_t p = row % b * b + column % b, y = row / b, x = column / b;
  *spin = -2 * v[p * c->plane + (y + c->rim) * c->width + c->rim + x] - 1;
  int64_t n = 0;
  for (int f = 0; f < c->filters; f++)
    for (int t = c->first[p]; t < c->first[p + 1]; t++, n++)
      {
        index[n] = (f * c->rows + modulo (y - c->row[t], c->rows)) * c->pitch + modulo (x - c->column[t], c->columns);
        weight[n] = layer->fixed[f * c->taps + t];
      }
  return n;
}

int32_t
vrg_layer_bias (const vrg_layer *layer, int64_t site)
{
  return layer->visible_bias[is_dense (layer) ? site - layer->model->visible0 : 0];
}
