/* SPDX-License-Identifier: GPL-3.0-or-later
 * Up and down a stack. */
#include "train/passage.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "train/dataset.h"

#define START ((INT64_C (1) << 48) - 1) /* the update of random starts */

static int64_t
larger (int64_t a, int64_t b)
{
  return a > b ? a : b;
}

/** Columns of a level's share: a lattice's rows are whole, a row of units is cut. */
static int64_t
columns_of (const vrg_layer *layer)
{
  return layer->model->rows > 1 || layer->model->type == VRG_MODEL_CONVOLUTION ? layer->model->columns : layer->sites;
}

/** Words of all hidden units of a layer. */
static int64_t
hidden_words (const vrg_layer *layer)
{
  const vrg_model *m = layer->model;
  return m->type == VRG_MODEL_DENSE ? (m->hidden + 63) / 64
                                    : vrg_model_hidden_rows (m) * ((m->columns / m->stride + 63) / 64);
}

double
vrg_passage_bytes (const vrg_layer *layer, int64_t n)
{
  const vrg_layer_size size = vrg_layer_sizes (layer, vrg_piece_of (0, n).lanes);
  const int64_t words = (layer->row1 - layer->row0) * ((columns_of (layer) + 63) / 64) + hidden_words (layer);
  return 4 * (double) (size.visible + size.hidden + larger (size.visible_fields, size.hidden_fields))
         + 8 * (double) (n * words);
}

vrg_passage *
vrg_passage_new (const vrg_grid *grid, const vrg_stack *stack, uint64_t seed, vrg_layer_use use, int64_t n)
{
  vrg_passage *p = vrg_new (1, sizeof *p, "a stack");
  int64_t position, end, units[2] = { 0 }, fields = 0, words = 0;
  bool good = true;
  vrg_grid_share (n, VRG_LAYER_LANES, grid->groups, grid->group, &position, &end);
  VRG_ASSERT (end - position <= VRG_PIECE_MOST);
  p->grid = grid;
  p->piece = vrg_piece_of (position, end - position);
  p->layers = stack->layers;
  for (int k = 0; k < p->layers; k++)
    {
      vrg_layer *layer = p->layer[k] = vrg_layer_new (stack->layer[k], grid->strip_comm);
      good = vrg_layer_round (layer) && good;
      vrg_rng_init (&p->rng[k], seed, (uint32_t) k, use);
      const vrg_layer_size size = vrg_layer_sizes (layer, p->piece.lanes);
      units[0] = larger (units[0], size.visible);
      units[1] = larger (units[1], size.hidden);
      fields = larger (fields, larger (size.visible_fields, size.hidden_fields));
      p->words[k] = (layer->row1 - layer->row0) * ((columns_of (layer) + 63) / 64);
      p->bits[k] = vrg_new (p->piece.n * p->words[k], sizeof *p->bits[k], "configurations");
      words = larger (words, hidden_words (layer));
    }
  p->v = vrg_new (units[0], sizeof *p->v, "units");
  p->h = vrg_new (units[1], sizeof *p->h, "units");
  p->fields = vrg_new (fields, sizeof *p->fields, "fields");
  p->room = vrg_new (p->piece.n * words, sizeof *p->room, "configurations");
  if (good)
    return p;
  vrg_passage_free (p);
  return NULL;
}

void
vrg_passage_free (vrg_passage *p)
{
  if (p == NULL)
    return;
  for (int k = 0; k < p->layers; k++)
    {
      vrg_layer_free (p->layer[k]);
      vrg_free (p->bits[k]);
    }
  vrg_free (p->v);
  vrg_free (p->h);
  vrg_free (p->fields);
  vrg_free (p->room);
  vrg_free (p);
}

void
vrg_passage_place (vrg_passage *p, int64_t first, int64_t n)
{
  int64_t position, end;
  VRG_ASSERT (first % VRG_LAYER_LANES == 0);
  vrg_grid_share (n, VRG_LAYER_LANES, p->grid->groups, p->grid->group, &position, &end);
  p->piece = vrg_piece_of (first + position, end - position);
}

/** Where each position's bits of n words are. */
static const uint64_t **
pointers (const vrg_passage *p, const uint64_t *bits, int64_t words)
{
  const uint64_t **samples = vrg_new (p->piece.n, sizeof *samples, "configurations");
  for (int64_t s = 0; s < p->piece.n; s++)
    samples[s] = bits + s * words;
  return samples;
}

static void
unpack (vrg_passage *p, int k)
{
  const uint64_t **samples = pointers (p, p->bits[k], p->words[k]);
  vrg_layer_unpack (p->layer[k], p->piece, samples, p->v);
  vrg_free (samples);
}

static void
pack (vrg_passage *p, int k)
{
  memset (p->bits[k], 0, (size_t) (p->piece.n * p->words[k]) * sizeof *p->bits[k]);
  for (int64_t s = 0; s < p->piece.n; s++)
    vrg_layer_pack (p->layer[k], p->piece, p->v, s, p->bits[k] + s * p->words[k]);
}

void
vrg_passage_random (vrg_passage *p, int k, bool all)
{
  const vrg_layer *layer = p->layer[k];
  const int64_t columns = columns_of (layer), words = (columns + 63) / 64;
  const int64_t first = layer->model->rows > 1 ? 0 : layer->model->visible0; /* of a row that is cut */
  const bool cuts = layer->model->type == VRG_MODEL_DENSE && layer->model->rows == 1;
  const int64_t whole = (layer->model->columns + 63) / 64;
  uint64_t *row = vrg_new (whole + 1, sizeof *row, "a row");
  for (int64_t s = 0; s < p->piece.n; s++)
    for (int64_t y = layer->row0; y < layer->row1 && (all || (p->piece.position + s) % 2 == 1); y++)
      {
        const int64_t index = ((p->piece.position + s) * layer->model->rows + y) * whole;
        for (int64_t w = 0; w < whole; w++)
          {
            uint64_t block[2];
            vrg_rng_block (&p->rng[k], VRG_RNG_VISIBLE, (uint64_t) (index + w), START, 0, block);
            row[w] = block[0];
          }
        vrg_bits_take (p->bits[k] + s * p->words[k] + (y - layer->row0) * words, row, cuts ? first : 0, columns);
      }
  vrg_free (row);
}

/** Room: whole hidden bits of layer k; level k + 1: this rank's share of them. */
static void
spread (vrg_passage *p, int k)
{
  const vrg_layer *above = p->layer[k + 1];
  const int64_t words = hidden_words (p->layer[k]);
  if (above->model->type == VRG_MODEL_CONVOLUTION)
    memcpy (p->bits[k + 1], p->room, (size_t) (p->piece.n * words) * sizeof *p->room);
  else
    for (int64_t s = 0; s < p->piece.n; s++)
      vrg_bits_take (p->bits[k + 1] + s * p->words[k + 1], p->room + s * words, above->model->visible0, above->sites);
}

static void
assemble (vrg_passage *p, int k)
{
  const vrg_layer *above = p->layer[k + 1];
  const int64_t words = hidden_words (p->layer[k]), n = p->piece.n * words;
  if (above->strips == 1)
    {
      memcpy (p->room, p->bits[k + 1], (size_t) n * sizeof *p->room);
      return;
    }
  memset (p->room, 0, (size_t) n * sizeof *p->room);
  for (int64_t s = 0; s < p->piece.n; s++)
    vrg_bits_put (p->room + s * words, above->model->visible0, p->bits[k + 1] + s * p->words[k + 1], above->sites);
  vrg_sum_int64 (p->grid->strip_comm, (int64_t *) p->room, n); /* no bit comes twice */
}

void
vrg_passage_up (vrg_passage *p, int k, int64_t update, int64_t draw)
{
  if (p->piece.n == 0)
    return;
  const vrg_layer *layer = p->layer[k];
  unpack (p, k);
  vrg_layer_hidden_fields (layer, p->piece, p->v, p->fields);
  vrg_layer_hidden_sample (layer, &p->rng[k], p->piece, update, draw, p->fields, p->h);
  if (k + 1 == p->layers)
    return;
  const int64_t words = hidden_words (layer);
  memset (p->room, 0, (size_t) (p->piece.n * words) * sizeof *p->room);
  for (int64_t s = 0; s < p->piece.n; s++)
    vrg_layer_pack_hidden (layer, p->piece, p->h, s, p->room + s * words);
  spread (p, k);
}

void
vrg_passage_down (vrg_passage *p, int k, bool turn, int64_t update, int64_t draw)
{
  if (p->piece.n == 0)
    return;
  const vrg_layer *layer = p->layer[k];
  if (!turn)
    {
      assemble (p, k);
      const uint64_t **samples = pointers (p, p->room, hidden_words (layer));
      vrg_layer_unpack_hidden (layer, p->piece, samples, p->h);
      vrg_free (samples);
    }
  vrg_layer_visible_fields (layer, p->piece, p->h, p->fields);
  vrg_layer_visible_sample (layer, &p->rng[k], p->piece, update, draw, p->fields, p->v);
  pack (p, k);
}

void
vrg_passage_gibbs (vrg_passage *p, int k, int64_t steps, int64_t update, int64_t draw)
{
  if (p->piece.n == 0)
    return;
  const vrg_layer *layer = p->layer[k];
  unpack (p, k);
  for (int64_t step = update; step < update + steps; step++)
    {
      vrg_layer_hidden_fields (layer, p->piece, p->v, p->fields);
      vrg_layer_hidden_sample (layer, &p->rng[k], p->piece, step, draw, p->fields, p->h);
      vrg_layer_visible_fields (layer, p->piece, p->h, p->fields);
      vrg_layer_visible_sample (layer, &p->rng[k], p->piece, step, draw, p->fields, p->v);
    }
  pack (p, k);
}
