/* SPDX-License-Identifier: GPL-3.0-or-later
 * Convolutions: filters moved over the periodic lattice.
 *
 * The visible lattice is split into phases, the sublattices (row mod stride, column mod stride), each as large as the
 * hidden lattice, so that what a filter sees through one of its weights is a phase, shifted.  Units are bits in planes
 * (convolution_kernels.h): one plane for each phase, or for each filter.  Fields and means are one number a place, in
 * planes as well.  All of a sample is together; samples follow each other, s = 0, 1, ... of the piece.
 *
 * Random numbers: 32 bits a unit, four to a block.  Unit u = plane * pitch + place of the sample at global position p
 * takes number u % 4 of block p * (units / 4) + u / 4. */
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/memory.h"
#include "base/simd.h"
#include "train/convolution_kernels.h"
#include "train/layer_internal.h"
#include "train/product.h"

#define LANES VRG_SCAN_LANES

typedef struct
{
  vrg_shape shape;
  vrg_scan hidden, visible;       /* towards these units */
  int32_t *weights, *hidden_bias; /* fixed point; as the masters */
  int32_t visible_bias;
  int64_t *image;                 /* symmetric: the first of the weights that are tied to one */
  uint64_t *random;               /* room for a sample's random numbers and */
  int32_t *index, *means;         /* indices, for a plane of means with its rim */
  int32_t (*collected)[4][LANES]; /* and a gradient in lanes */
} convolution;

static const convolution *
of (const vrg_layer *layer)
{
  return layer->own;
}

/** int32 of a sample's units. */
static int64_t
unit_size (int64_t planes, int64_t pitch)
{
  return (planes * pitch + 63) / 64 * 2;
}

/** Tied weights take the value of the first of them, so that they are equal to the bit; training keeps them equal, since
 *  their gradients are. */
static void
tie (convolution *c, vrg_layer *layer)
{
  c->image = vrg_new (layer->weights, sizeof *c->image, "tied weights");
  for (int64_t i = 0; i < layer->weights; i++)
    {
      c->image[i] = vrg_shape_image (&c->shape, i);
      layer->model->weights[i] = layer->model->weights[c->image[i]];
    }
}

static void
begin (vrg_layer *layer)
{
  const vrg_model *m = layer->model;
  layer->strips = 1; /* every rank holds all of it */
  layer->strip = 0;
  convolution *c = layer->own = vrg_new (1, sizeof *c, "a convolution");
  vrg_shape *s = &c->shape;
  *s = (vrg_shape){ .rows = vrg_model_hidden_rows (m),
                    .columns = m->columns / m->stride,
                    .filters = m->hidden,
                    .filter_rows = vrg_model_filter_rows (m),
                    .filter = m->filter,
                    .stride_rows = m->rows == 1 ? 1 : m->stride,
                    .stride = m->stride };
  s->places = s->rows * s->columns;
  s->pitch = (s->places + LANES - 1) / LANES * LANES;
  s->phases = s->stride_rows * s->stride;
  s->top = (s->filter_rows - s->stride_rows) / 2;
  s->left = (s->filter - s->stride) / 2;
  layer->weights = s->filters * s->filter_rows * s->filter;
  layer->visible_biases = 1;
  layer->hidden_biases = s->filters;
  layer->parameters = layer->weights + 1 + s->filters;
  layer->row0 = 0;
  layer->row1 = m->rows;
  layer->sites = layer->visible = m->rows * m->columns;
  layer->hidden = s->filters * s->places;
  vrg_scan_init (s, &c->hidden, &c->visible);
  const vrg_scan *a = &c->hidden, *b = &c->visible;
  const int64_t hidden = a->windows * a->size, visible = b->windows * b->size;
  c->index = vrg_new (hidden > visible ? hidden : visible, sizeof *c->index, "indices");
  c->means = vrg_new (a->size, sizeof *c->means, "means");
  c->random
    = vrg_new ((s->filters > s->phases ? s->filters : s->phases) * s->pitch / 2, sizeof *c->random, "random numbers");
  c->weights = vrg_new (layer->weights, sizeof *c->weights, "fixed-point weights");
  c->hidden_bias = vrg_new (s->filters, sizeof *c->hidden_bias, "fixed-point biases");
  c->collected = vrg_new (a->first[a->planes] + s->filters, sizeof *c->collected, "a gradient");
  if (m->symmetric)
    tie (c, layer);
}

static void
end (vrg_layer *layer)
{
  convolution *c = layer->own;
  vrg_scan_clear (&c->hidden);
  vrg_scan_clear (&c->visible);
  vrg_free (c->image);
  vrg_free (c->index);
  vrg_free (c->means);
  vrg_free (c->random);
  vrg_free (c->weights);
  vrg_free (c->hidden_bias);
  vrg_free (c->collected);
  vrg_free (c);
}

static bool
round_weights (vrg_layer *layer)
{
  const vrg_model *m = layer->model;
  convolution *c = layer->own;
  bool good = true;
  for (int64_t i = 0; i < layer->weights; i++)
    c->weights[i] = vrg_layer_round_one (m->weights[i], &good);
  c->visible_bias = vrg_layer_round_one (m->visible_bias[0], &good);
  for (int f = 0; f < c->shape.filters; f++)
    {
      c->hidden_bias[f] = vrg_layer_round_one (m->hidden_bias[f], &good);
      good = good && vrg_scan_round (&c->hidden, f, c->weights, c->hidden_bias[f]);
    }
  for (int p = 0; p < c->shape.phases; p++)
    good = good && vrg_scan_round (&c->visible, p, c->weights, c->visible_bias);
  return good;
}

/** Two more for units, which are read eight bytes at a time. */
static vrg_layer_size
sizes (const vrg_layer *layer, int64_t lanes)
{
  const convolution *c = of (layer);
  return (vrg_layer_size){ .visible = lanes * unit_size (c->shape.phases, c->shape.pitch) + 2,
                           .hidden = lanes * unit_size (c->shape.filters, c->shape.pitch) + 2,
                           .visible_fields = lanes * c->shape.phases * c->shape.pitch,
                           .hidden_fields = lanes * c->shape.filters * c->shape.pitch };
}

static void
unpack (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *v)
{
  const convolution *c = of (layer);
  const int64_t size = unit_size (c->shape.phases, c->shape.pitch);
  for (int64_t s = 0; s < piece.n; s++)
    {
      memset (v + (s + 1) * size - 2, 0, 2 * sizeof *v);
      vrg_planes_unpack (&c->shape, samples[s], v + s * size);
    }
}

static void
pack (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int64_t s, uint64_t *bits)
{
  const convolution *c = of (layer);
  (void) piece;
  vrg_planes_pack (&c->shape, v + s * unit_size (c->shape.phases, c->shape.pitch), bits);
}

/** One filter: its lattice.  Several: one row of all units. */
static void
move_hidden (const convolution *c, uint64_t *packed, int32_t *h, bool out)
{
  const int64_t row = c->shape.filters == 1 ? c->shape.columns : c->shape.filters * c->shape.places,
                words = (row + 63) / 64;
  for (int64_t u = 0, count; u < c->shape.filters * c->shape.places; u += count)
    {
      const int64_t x = u % row, left = c->shape.filters == 1 ? row - x : c->shape.places - u % c->shape.places;
      uint64_t *const word = packed + u / row * words + x / 64;
      count = 32 - x % 32 < left ? 32 - x % 32 : left;
      const int64_t place = u / c->shape.places * c->shape.pitch + u % c->shape.places;
      if (out)
        *word |= vrg_planes_get (h, place, (int) count) << x % 64;
      else
        vrg_planes_put (h, place, *word >> x % 64 & ((UINT64_C (1) << count) - 1));
    }
}

static void
unpack_hidden (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *h)
{
  const convolution *c = of (layer);
  const int64_t size = unit_size (c->shape.filters, c->shape.pitch);
  memset (h, 0, (size_t) (piece.n * size + 2) * sizeof *h);
  for (int64_t s = 0; s < piece.n; s++)
    move_hidden (c, (uint64_t *) samples[s], h + s * size, false);
}

static void
pack_hidden (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int64_t s, uint64_t *bits)
{
  const convolution *c = of (layer);
  (void) piece;
  const int64_t words
    = c->shape.filters == 1 ? c->shape.rows * ((c->shape.columns + 63) / 64) : (layer->hidden + 63) / 64;
  memset (bits, 0, (size_t) words * sizeof *bits);
  move_hidden (c, bits, (int32_t *) h + s * unit_size (c->shape.filters, c->shape.pitch), true);
}

/** Fields of all planes from the units of `from` planes; biases [planes], or one for all (step 0). */
static void
make_fields (const convolution *c, const vrg_scan *scan, int64_t from, int64_t n, const int32_t *units,
             const int32_t *biases, int64_t step, int32_t *fields)
{
  for (int64_t s = 0; s < n; s++)
    {
      vrg_scan_windows (scan, units + s * unit_size (from, c->shape.pitch), true, c->index);
      for (int p = 0; p < scan->planes; p++, fields += c->shape.pitch)
        vrg_scan_lookup (scan, scan->first[p], scan->first[p + 1], c->shape.pitch / LANES, biases[p * step], c->index,
                         fields);
    }
}

static void
hidden_fields (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int32_t *fields)
{
  const convolution *c = of (layer);
  make_fields (c, &c->hidden, c->shape.phases, piece.n, v, c->hidden_bias, 1, fields);
}

static void
visible_fields (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int32_t *fields)
{
  const convolution *c = of (layer);
  make_fields (c, &c->visible, c->shape.filters, piece.n, h, &c->visible_bias, 0, fields);
}

/** Bits behind the places of each plane are 0. */
static void
clear_pads (const convolution *c, int64_t planes, int32_t *units)
{
  const uint16_t mask = (uint16_t) ((1u << c->shape.places % LANES) - 1);
  uint16_t half;
  for (int64_t p = 0; p < planes && mask; p++)
    {
      char *last = (char *) units + ((p + 1) * c->shape.pitch / LANES - 1) * (int64_t) sizeof half;
      memcpy (&half, last, sizeof half);
      half &= mask;
      memcpy (last, &half, sizeof half);
    }
}

static void
draw_units (const convolution *c, const vrg_rng *rng, vrg_rng_purpose purpose, vrg_piece piece, int64_t update,
            int64_t draw, int64_t planes, const int32_t *fields, int32_t *units)
{
  const int64_t n = planes * c->shape.pitch, size = unit_size (planes, c->shape.pitch);
  for (int64_t s = 0; s < piece.n; s++, units += size)
    {
      vrg_rng_fill (rng, purpose, (uint64_t) ((piece.position + s) * (n / 4)), n / 4, (uint64_t) update,
                    (uint32_t) draw, c->random);
      memset (units + size - 2, 0, 2 * sizeof *units);
      vrg_scan_sample (n / LANES, fields + s * n, c->random, units);
      clear_pads (c, planes, units);
    }
}

static void
hidden_sample (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw,
               const int32_t *fields, int32_t *h)
{
  draw_units (of (layer), rng, VRG_RNG_HIDDEN, piece, update, draw, of (layer)->shape.filters, fields, h);
}

static void
visible_sample (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw,
                const int32_t *fields, int32_t *v)
{
  draw_units (of (layer), rng, VRG_RNG_VISIBLE, piece, update, draw, of (layer)->shape.phases, fields, v);
}

/** Means behind the places of each plane are 0. */
static void
make_means (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int32_t *means)
{
  const convolution *c = of (layer);
  const int64_t planes = piece.n * c->shape.filters;
  vrg_product_mean (planes * c->shape.pitch, fields, means);
  for (int64_t p = 0; p < planes && c->shape.places < c->shape.pitch; p++)
    memset (means + p * c->shape.pitch + c->shape.places, 0,
            (size_t) (c->shape.pitch - c->shape.places) * sizeof *means);
}

static int64_t
lanes_sum (const int32_t lanes[LANES])
{
  int64_t sum = 0;
  for (int k = 0; k < LANES; k++)
    sum += lanes[k];
  return sum;
}

/** What the lanes have collected: sums of means where a unit is +1, and of all means. */
static void
empty_lanes (const vrg_layer *layer, int64_t times, int64_t *sums)
{
  convolution *c = layer->own;
  const vrg_scan *scan = &c->hidden;
  const int tables = scan->first[scan->planes];
  for (int64_t f = 0; f < c->shape.filters; f++)
    {
      const int64_t all = lanes_sum (c->collected[tables + f][0]);
      sums[layer->weights + 1 + f] += times * all;
      for (int t = scan->first[f]; t < scan->first[f + 1]; t++)
        for (int k = 0; k < VRG_SCAN_BITS && scan->tap[t][k] >= 0; k++)
          sums[scan->tap[t][k]] += times * (2 * lanes_sum (c->collected[t][k]) - all);
    }
  memset (c->collected, 0, (size_t) (tables + c->shape.filters) * sizeof *c->collected);
}

#define FULL 1024 /* vectors of means that lanes take before they are emptied */

static void
add_phase (const vrg_layer *layer, vrg_phase phase, int64_t times, int64_t *sums)
{
  const convolution *c = of (layer);
  const vrg_scan *scan = &c->hidden;
  const int tables = scan->first[scan->planes];
  const int64_t vectors = c->shape.pitch / LANES, size = unit_size (c->shape.phases, c->shape.pitch);
  const int64_t n = c->shape.places, before = scan->bottom * c->shape.columns, behind = scan->top * c->shape.columns;
  int64_t held = 0;
  for (int64_t s = 0; s < phase.piece.n; s++)
    {
      vrg_scan_windows (scan, phase.v + s * size, false, c->index);
      for (int64_t i = 0, some; i < vectors; i += some)
        {
          if (held == FULL)
            {
              empty_lanes (layer, times, sums);
              held = 0;
            }
          some = vectors - i < FULL - held ? vectors - i : FULL - held;
          held += some;
          for (int f = 0; f < c->shape.filters; f++)
            {
              const int32_t *means = phase.means + (s * c->shape.filters + f) * c->shape.pitch;
              vrg_scan_total (some, means + i * LANES, c->collected[tables + f][0]);
              memcpy (c->means + before, means, (size_t) n * sizeof *means);
              vrg_scan_fill_rim (c->means + before, n, before, behind);
              vrg_scan_collect (scan, scan->first[f], scan->first[f + 1], i, some, c->index, c->means + before,
                                c->collected + scan->first[f]);
            }
        }
    }
  empty_lanes (layer, times, sums);
  sums[layer->weights] += times
                          * (2 * vrg_bits_count (phase.piece.n * size, phase.v, NULL) - phase.piece.n * layer->sites)
                          * VRG_FIXED_ONE;
}

/** sums += the gradient; where weights are tied, each gets the sum over all that are tied to it. */
static void
gradient (const vrg_layer *layer, vrg_phase data, int64_t times, vrg_phase model, int64_t *sums)
{
  const convolution *c = of (layer);
  int64_t *own = c->image ? vrg_new (2 * layer->parameters, sizeof *own, "a gradient") : sums;
  if (data.v)
    add_phase (layer, data, times, own);
  if (model.v)
    add_phase (layer, model, -1, own);
  if (own == sums)
    return;
  int64_t *orbit = own + layer->parameters;
  for (int64_t i = 0; i < layer->weights; i++)
    orbit[c->image[i]] += own[i];
  for (int64_t i = 0; i < layer->parameters; i++)
    sums[i] += i < layer->weights ? orbit[c->image[i]] : own[i];
  vrg_free (own);
}

static int64_t
difference (const vrg_layer *layer, vrg_piece piece, const int32_t *v, const int32_t *w)
{
  const vrg_shape *shape = &of (layer)->shape;
  return vrg_bits_count (piece.n * unit_size (shape->phases, shape->pitch), v, w);
}

static void
get_hidden (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x)
{
  const convolution *c = of (layer);
  (void) piece;
  for (int64_t f = 0; f < c->shape.filters; f++)
    memcpy (x + f * c->shape.places, fields + (s * c->shape.filters + f) * c->shape.pitch,
            (size_t) c->shape.places * sizeof *x);
}

static void
get_visible (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x)
{
  const convolution *c = of (layer);
  const int64_t columns = layer->model->columns;
  (void) piece;
  for (int64_t i = 0; i < layer->sites; i++)
    {
      const int64_t row = i / columns, column = i % columns;
      const int64_t plane = row % c->shape.stride_rows * c->shape.stride + column % c->shape.stride;
      x[i] = fields[(s * c->shape.phases + plane) * c->shape.pitch + row / c->shape.stride_rows * c->shape.columns
                    + column / c->shape.stride];
    }
}

static int64_t
reach (const vrg_layer *layer)
{
  return layer->weights;
}

static int64_t
site (const vrg_layer *layer, int64_t place, int64_t *index, int32_t *weight)
{
  const convolution *c = of (layer);
  const int64_t row = place / layer->model->columns, column = place % layer->model->columns;
  int64_t n = 0;
  for (int64_t i = 0; i < layer->weights; i++)
    {
      const int64_t f = i / (c->shape.filter_rows * c->shape.filter), dy = i / c->shape.filter % c->shape.filter_rows,
                    dx = i % c->shape.filter;
      const int64_t y = row - dy + c->shape.top, x = column - dx + c->shape.left;
      if (vrg_modulo (y, c->shape.stride_rows) || vrg_modulo (x, c->shape.stride))
        continue;
      index[n] = f * c->shape.places + vrg_modulo (y / c->shape.stride_rows, c->shape.rows) * c->shape.columns
                 + vrg_modulo (x / c->shape.stride, c->shape.columns);
      weight[n++] = c->weights[i];
    }
  return n;
}

static int32_t
visible_bias (const vrg_layer *layer, int64_t place)
{
  (void) place;
  return of (layer)->visible_bias;
}

static int32_t
hidden_bias (const vrg_layer *layer, int64_t unit)
{
  return of (layer)->hidden_bias[unit / of (layer)->shape.places];
}

const vrg_layer_kind vrg_convolution_layer = { .begin = begin,
                                               .end = end,
                                               .round_end = round_weights,
                                               .sizes = sizes,
                                               .unpack = unpack,
                                               .unpack_hidden = unpack_hidden,
                                               .pack = pack,
                                               .pack_hidden = pack_hidden,
                                               .hidden_fields = hidden_fields,
                                               .visible_fields = visible_fields,
                                               .hidden_sample = hidden_sample,
                                               .visible_sample = visible_sample,
                                               .means = make_means,
                                               .gradient = gradient,
                                               .difference = difference,
                                               .get_hidden = get_hidden,
                                               .get_visible = get_visible,
                                               .reach = reach,
                                               .site = site,
                                               .visible_bias = visible_bias,
                                               .hidden_bias = hidden_bias };
