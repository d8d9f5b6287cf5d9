/* SPDX-License-Identifier: GPL-3.0-or-later
 * Contrastive divergence and persistent chains, a piece of the batch at a time. */
#include "train/gradient.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "parallel/traffic.h"
#include "train/layer_internal.h"

#define PIECE_BYTES (1 << 20) /* of a convolution's piece, which works in the cache; a dense one shares its weights */
#define PARTS 16              /* of the gradient: one is summed over groups while the next is computed */
#define ROWS 32               /* hidden units a part has at least */
#define START_UPDATE ((INT64_C (1) << 48) - 1)

struct vrg_gradient
{
  const vrg_grid *grid;
  const vrg_layer *layer;
  int64_t position, n, chains;
  int64_t data_lanes, chain_lanes; /* of a piece */
  int64_t words;                   /* of a sample */
  uint64_t *bits;                  /* [chains * n][words] persistent chains */
  const uint64_t **samples;        /* [chain_lanes] those of a piece */
  const vrg_rows_done *done;       /* NULL: sums are kept */
  int32_t *data, *visible, *hidden, *visible_fields, *hidden_fields, *data_means, *model_means;
};

/** Lanes of a piece, of which no more than `needed` are filled. */
static int64_t
most_lanes (const vrg_layer *layer, int64_t needed)
{
  int64_t lanes = VRG_PIECE_MOST;
  while (lanes / 2 >= needed && lanes > VRG_LAYER_LANES)
    lanes /= 2;
  for (; layer->model->type != VRG_MODEL_DENSE && lanes > VRG_LAYER_LANES; lanes /= 2)
    {
      const vrg_layer_size size = vrg_layer_sizes (layer, lanes);
      if (4 * (2 * size.visible + size.hidden + size.visible_fields + 3 * size.hidden_fields) <= PIECE_BYTES)
        break;
    }
  return lanes;
}

/** How much is worked on at a time. */
static void
choose_lanes (vrg_gradient *g)
{
  const int64_t times = g->chains > 1 ? g->chains : 1;
  g->chain_lanes = most_lanes (g->layer, vrg_piece_of (times * g->position, times * g->n).lanes);
  g->data_lanes = g->chains > 1 ? g->chain_lanes / g->chains / VRG_LAYER_LANES * VRG_LAYER_LANES : g->chain_lanes;
  if (g->data_lanes < VRG_LAYER_LANES)
    g->data_lanes = VRG_LAYER_LANES;
  g->words = (g->layer->row1 - g->layer->row0) * ((g->layer->model->columns + 63) / 64);
}

double
vrg_gradient_bytes (const vrg_layer *layer, int64_t n, int64_t chains)
{
  vrg_gradient g = { .layer = layer, .n = n, .chains = chains };
  choose_lanes (&g);
  const vrg_layer_size data = vrg_layer_sizes (layer, g.data_lanes), size = vrg_layer_sizes (layer, g.chain_lanes);
  return 8 * (double) (chains * n * g.words)
         + 4 * (double) (data.visible + data.hidden_fields + size.visible + size.hidden + size.visible_fields)
         + 8 * (double) size.hidden_fields;
}

vrg_gradient *
vrg_gradient_new (const vrg_grid *grid, const vrg_layer *layer, int64_t position, int64_t n, int64_t chains)
{
  vrg_gradient *g = vrg_new (1, sizeof *g, "a gradient");
  *g = (vrg_gradient){ .grid = grid, .layer = layer, .position = position, .n = n, .chains = chains };
  choose_lanes (g);
  const int64_t most = g->chain_lanes;
  g->bits = vrg_new (chains * n * g->words, sizeof *g->bits, "persistent chains");
  g->samples = vrg_new (chains ? most : 0, sizeof *g->samples, "persistent chains");
  const vrg_layer_size data = vrg_layer_sizes (layer, g->data_lanes), size = vrg_layer_sizes (layer, most);
  g->data = vrg_new (data.visible, sizeof (int32_t), "data of a batch");
  g->data_means = vrg_new (data.hidden_fields, sizeof (int32_t), "means of a batch");
  g->visible = vrg_new (size.visible, sizeof (int32_t), "visible units of a batch");
  g->hidden = vrg_new (size.hidden, sizeof (int32_t), "hidden units of a batch");
  g->visible_fields = vrg_new (size.visible_fields, sizeof (int32_t), "fields of a batch");
  g->hidden_fields = vrg_new (size.hidden_fields, sizeof (int32_t), "fields of a batch");
  g->model_means = vrg_new (size.hidden_fields, sizeof (int32_t), "means of a batch");
  return g;
}

void
vrg_gradient_free (vrg_gradient *g)
{
  if (!g)
    return;
  void *own[] = { g->bits,           (void *) g->samples, g->data,       g->visible,     g->hidden,
                  g->visible_fields, g->hidden_fields,    g->data_means, g->model_means, g };
  for (size_t k = 0; k < sizeof own / sizeof *own; k++)
    vrg_free (own[k]);
}

void
vrg_gradient_hand_on (vrg_gradient *g, const vrg_rows_done *done)
{
  g->done = done;
}

/** The piece at position p, up to `end` or the next multiple of `most`. */
static vrg_piece
next_piece (int64_t p, int64_t end, int64_t most)
{
  const int64_t last = (p / most + 1) * most;
  return vrg_piece_of (p, (last < end ? last : end) - p);
}

/** Chains of a piece into units, and back. */
static void
take_chains (vrg_gradient *g, vrg_piece piece)
{
  for (int64_t s = 0; s < piece.n; s++)
    g->samples[s] = g->bits + (piece.position + s - g->chains * g->position) * g->words;
  vrg_layer_unpack (g->layer, piece, g->samples, g->visible);
}

static void
put_chains (vrg_gradient *g, vrg_piece piece)
{
  for (int64_t s = 0; s < piece.n; s++)
    vrg_layer_pack (g->layer, piece, g->visible, s,
                    g->bits + (piece.position + s - g->chains * g->position) * g->words);
}

void
vrg_gradient_start (vrg_gradient *g, const vrg_rng *rng)
{
  const vrg_layer_size size = vrg_layer_sizes (g->layer, g->chain_lanes);
  memset (g->visible_fields, 0, (size_t) size.visible_fields * sizeof (int32_t));
  const int64_t end = g->chains * (g->position + g->n);
  vrg_piece piece;
  for (int64_t p = g->chains * g->position; p < end; p += piece.n)
    {
      piece = next_piece (p, end, g->chain_lanes);
      vrg_layer_visible_sample (g->layer, rng, piece, START_UPDATE, 0, g->visible_fields, g->visible);
      put_chains (g, piece);
    }
}

uint64_t *
vrg_gradient_chains (vrg_gradient *g)
{
  return g->bits;
}

/** One Gibbs step from the hidden fields of a piece to visible units. */
static void
step (vrg_gradient *g, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw)
{
  vrg_layer_hidden_sample (g->layer, rng, piece, update, draw, g->hidden_fields, g->hidden);
  vrg_layer_visible_fields (g->layer, piece, g->hidden, g->visible_fields);
  vrg_layer_visible_sample (g->layer, rng, piece, update, draw, g->visible_fields, g->visible);
}

/** The gradient of all parameters; fresh: what sums held before is forgotten; done: takes the weights' if not NULL. */
static void
whole (const vrg_layer *layer, vrg_phase data, int64_t times, vrg_phase model, bool fresh, int64_t *sums,
       const vrg_rows_done *done)
{
  const bool parts = layer->kind->gradient_part && (data.v || model.v);
  if (!parts || !fresh || !done) /* sums hold the weights', too */
    vrg_memory_use (sums, layer->parameters * (int64_t) sizeof *sums);
  if (parts)
    {
      layer->kind->gradient_part (layer, data, times, model, 0, layer->hidden_biases, fresh, sums, done);
      return;
    }
  if (fresh)
    memset (sums, 0, (size_t) layer->parameters * sizeof *sums);
  if (data.v || model.v) /* otherwise this group has no part of the batch */
    vrg_layer_gradient (layer, data, times, model, sums);
  if (done)
    done->rows (done->state, 0, layer->hidden_biases, sums);
}

/** The same for the last piece: in parts, each summed over the groups while the next is computed. */
static void
finish (const vrg_gradient *g, vrg_phase data, int64_t times, vrg_phase model, bool fresh, int64_t *sums)
{
  const vrg_layer *layer = g->layer;
  const int64_t rows = layer->hidden_biases, row = layer->weights / rows,
                wanted = rows / ROWS < PARTS ? rows / ROWS : PARTS;
  const int64_t parts = layer->kind->gradient_part && wanted > 1 ? wanted : 1;
  if (g->grid->groups == 1 || parts == 1 || !(data.v || model.v))
    whole (layer, data, times, model, fresh, sums, g->grid->groups == 1 ? g->done : NULL);
  if (g->grid->groups == 1)
    return;
  vrg_memory_use (sums, layer->parameters * (int64_t) sizeof *sums);
  MPI_Request request[PARTS + 1];
  for (int64_t k = 0; k <= parts; k++) /* the last are the biases */
    {
      const int64_t j0 = k * rows / parts, j1 = (k + 1) * rows / parts;
      int64_t *from = k < parts ? sums + j0 * row : sums + layer->weights;
      const int64_t n = k < parts ? (j1 - j0) * row : layer->parameters - layer->weights;
      if (k < parts && parts > 1 && (data.v || model.v))
        layer->kind->gradient_part (layer, data, times, model, j0, j1, fresh, sums, NULL);
      VRG_MPI (MPI_Iallreduce (MPI_IN_PLACE, from, (int) n, MPI_INT64_T, MPI_SUM, g->grid->group_comm, &request[k]));
      vrg_traffic_collective (n * (int64_t) sizeof *from);
    }
  for (int64_t k = 0; k <= parts; k++)
    {
      const int64_t j0 = k * rows / parts, j1 = (k + 1) * rows / parts;
      VRG_MPI (MPI_Wait (&request[k], MPI_STATUS_IGNORE));
      if (k < parts && g->done)
        g->done->rows (g->done->state, j0, j1, sums + j0 * row);
    }
}

/** mean [n] += sign * biases. */
static void
add_biases (int64_t n, int64_t sign, const int64_t *biases, int64_t *mean)
{
  for (int64_t i = 0; i < n; i++)
    mean[i] += sign * biases[i];
}

/** The gradient of the data phase alone, of which the biases' part are the means. */
static void
add_data (const vrg_layer *layer, vrg_phase data, int64_t times, bool fresh, int64_t *sums, int64_t *visible_mean,
          int64_t *hidden_mean)
{
  const int64_t *visible = sums + layer->weights, *hidden = visible + layer->visible_biases;
  if (!fresh)
    {
      add_biases (layer->visible_biases, -1, visible, visible_mean);
      add_biases (layer->hidden_biases, -1, hidden, hidden_mean);
    }
  whole (layer, data, times, (vrg_phase){ .v = NULL }, fresh, sums, NULL);
  add_biases (layer->visible_biases, 1, visible, visible_mean);
  add_biases (layer->hidden_biases, 1, hidden, hidden_mean);
}

/** Visible means of the batch over all groups: sums are `times` them. */
static void
finish_means (const vrg_gradient *g, int64_t n, int64_t times, int64_t *mean)
{
  if (g->grid->groups > 1)
    vrg_sum_int64 (g->grid->group_comm, mean, n);
  for (int64_t i = 0; i < n; i++)
    mean[i] /= times;
}

void
vrg_gradient_update (vrg_gradient *g, const vrg_rng *rng, int64_t steps, int64_t update, const uint64_t *const *samples,
                     int64_t *sums, int64_t *visible_mean, int64_t *hidden_mean, int64_t *wrong)
{
  const vrg_layer *layer = g->layer;
  const int64_t end = g->position + g->n, chains = g->chains, times = chains > 1 ? chains : 1;
  const vrg_phase none = { .v = NULL };
  bool fresh = true;
  if (visible_mean)
    {
      memset (visible_mean, 0, (size_t) layer->visible_biases * sizeof *visible_mean);
      memset (hidden_mean, 0, (size_t) layer->hidden_biases * sizeof *hidden_mean);
    }
  vrg_piece piece, chain;
  for (int64_t p = g->position; p < end; p += piece.n)
    {
      piece = next_piece (p, end, g->data_lanes);
      vrg_phase data = { piece, g->data, g->data_means };
      vrg_layer_unpack (layer, piece, samples + (p - g->position), g->data);
      vrg_layer_hidden_fields (layer, piece, g->data, g->hidden_fields);
      vrg_layer_means (layer, piece, g->hidden_fields, g->data_means);
      if (visible_mean)
        {
          add_data (layer, data, times, fresh, sums, visible_mean, hidden_mean);
          data = none;
          fresh = false;
        }
      step (g, rng, piece, update, chains ? steps : 0);
      *wrong += vrg_layer_difference (layer, piece, g->data, g->visible);
      const int64_t last = chains ? chains * (p + piece.n) : p + piece.n;
      for (int64_t c = chains ? chains * p : p; c < last; c += chain.n)
        {
          chain = next_piece (c, last, chains ? g->chain_lanes : g->data_lanes);
          if (chains)
            take_chains (g, chain);
          vrg_layer_hidden_fields (layer, chain, g->visible, g->hidden_fields);
          for (int64_t k = chains ? 0 : 1; k < steps; k++)
            {
              step (g, rng, chain, update, k);
              vrg_layer_hidden_fields (layer, chain, g->visible, g->hidden_fields);
            }
          vrg_layer_means (layer, chain, g->hidden_fields, g->model_means);
          if (chains)
            put_chains (g, chain);
          const vrg_phase model = { chain, g->visible, g->model_means };
          if (p + piece.n == end && c + chain.n == last)
            finish (g, data, times, model, fresh, sums);
          else
            whole (layer, data, times, model, fresh, sums, NULL);
          data = none;
          fresh = false;
        }
    }
  if (g->n == 0)
    finish (g, none, times, none, true, sums);
  if (visible_mean)
    {
      finish_means (g, layer->visible_biases, times, visible_mean);
      finish_means (g, layer->hidden_biases, times, hidden_mean);
    }
}
