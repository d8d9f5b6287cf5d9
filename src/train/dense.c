/* SPDX-License-Identifier: GPL-3.0-or-later
 * Dense layers.  Units are planes of indices [groups][lanes] (product.h), fields and means [unit][lanes], the means of
 * idle lanes 0.  A rank holds all hidden units and the visible ones of its strip, so v -> h is summed over strips and
 * h -> v is local.  Random numbers: the 16 lanes of global vector B and unit u of U take the four blocks of index 4
 * (B U + u) on. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/simd.h"
#include "parallel/grid.h"
#include "parallel/traffic.h"
#include "train/layer_internal.h"
#include "train/product.h"

#define WINDOW 60 /* sites unpacked at a time, 12 groups */
#define ROWS 4    /* of weights rounded, and of a gradient handed on, together */
#define SLAB 64   /* hidden units of the gradient at a time */
#define PARTS 8   /* of fields that are summed over strips: one is summed while the next is computed */
#define WORD 64   /* lanes of the gradient in a word of bits, in WORD_GROUPS groups */
#define WORD_GROUPS 13
#define EXACT 1024 /* means that may be summed in int32 */

typedef struct
{
  int64_t visible_groups, hidden_groups;
  int64_t pitch;                       /* of the weights: whole vectors and groups of sites */
  int32_t *w;                          /* [hidden in whole groups][pitch]: weights, doubled; 0 beyond */
  int32_t *visible_base, *hidden_base; /* bias - sum of weights; hidden: of this strip, with the bias on strip 0 */
  int32_t *visible_bias, *hidden_bias;
  int64_t *size;    /* [hidden + 1] sums of |w|, and the strips that are bad */
  uint32_t *column; /* [sites] sums of |w| */
  /* gradient */
  int64_t groups;  /* of lanes, as prepared */
  uint64_t *words; /* [sites] a word of lanes */
  int32_t *planes; /* [groups][sites in whole vectors] */
  int32_t *means;  /* [SLAB] rows of groups */
  int32_t *part;   /* [SLAB][sites in whole vectors] */
  int64_t *rows;   /* [ROWS][sites] to be handed on */
} dense;

static void
begin (vrg_layer *layer)
{
  dense *d = layer->own = vrg_new (1, sizeof *d, "a dense layer");
  const int64_t hidden = layer->hidden = layer->model->hidden, sites = layer->sites;
  layer->weights = hidden * sites;
  layer->visible_biases = sites;
  d->visible_groups = vrg_groups (sites);
  d->hidden_groups = vrg_groups (hidden);
  d->pitch = vrg_lanes (VRG_GROUP * d->visible_groups) | VRG_LANES; /* odd: a column's cache lines do not collide */
  d->w = vrg_new (VRG_GROUP * d->hidden_groups * d->pitch, sizeof (int32_t), "fixed-point weights");
  d->visible_base = vrg_new (sites, sizeof (int32_t), "fixed-point biases");
  d->hidden_base = vrg_new (hidden, sizeof (int32_t), "fixed-point biases");
  d->visible_bias = vrg_new (sites, sizeof (int32_t), "fixed-point biases");
  d->hidden_bias = vrg_new (hidden, sizeof (int32_t), "fixed-point biases");
  d->size = vrg_new (hidden + 1, sizeof (int64_t), "sums of weights");
  d->column = vrg_new (sites, sizeof (uint32_t), "sums of weights");
}

static void
end (vrg_layer *layer)
{
  dense *d = layer->own;
  void *own[] = { d->w,     d->visible_base, d->hidden_base, d->visible_bias, d->hidden_bias, d->size, d->column,
                  d->words, d->planes,       d->means,       d->part,         d->rows,        d };
  for (size_t k = 0; k < sizeof own / sizeof *own; k++)
    vrg_free (own[k]);
}

static void
round_rows (vrg_layer *layer, int64_t first, int64_t last)
{
  dense *d = layer->own;
  const int64_t sites = layer->sites;
  if (first == 0)
    {
      memset (d->size, 0, (size_t) layer->hidden * sizeof *d->size);
      if (sites > 0)
        {
          memset (d->visible_base, 0, (size_t) sites * sizeof *d->visible_base);
          memset (d->column, 0, (size_t) sites * sizeof *d->column);
        }
    }
  for (int64_t j = first; j < last; j += ROWS)
    {
      const int64_t rows = last - j < ROWS ? last - j : ROWS;
      int64_t sums[ROWS] = { 0 };
      vrg_product_round (rows, sites, layer->model->weights + j * sites, sites, d->w + j * d->pitch, d->pitch,
                         d->visible_base, d->column, sums, d->size + j);
      for (int64_t k = 0; k < rows; k++)
        d->hidden_base[j + k] = (int32_t) -sums[k]; /* of no use if it does not fit */
    }
}

static bool
round_end (vrg_layer *layer)
{
  const vrg_model *model = layer->model;
  dense *d = layer->own;
  const int64_t hidden = layer->hidden, sites = layer->sites, bound = (int64_t) VRG_LAYER_BOUND * VRG_FIXED_ONE;
  bool good = true;
  for (int64_t i = 0; i < sites; i++)
    {
      d->visible_bias[i] = vrg_layer_round_one (model->visible_bias[i], &good);
      d->visible_base[i] = (int32_t) ((uint32_t) d->visible_base[i] + (uint32_t) d->visible_bias[i]);
      good = good && d->column[i] + (int64_t) abs (d->visible_bias[i]) < bound;
    }
  d->size[hidden] = !good;
  if (layer->strips > 1)
    vrg_sum_int64 (layer->strip_comm, d->size, hidden + 1);
  good = d->size[hidden] == 0;
  for (int64_t j = 0; j < hidden; j++)
    {
      d->hidden_bias[j] = vrg_layer_round_one (model->hidden_bias[j], &good);
      good = good && d->size[j] + abs (d->hidden_bias[j]) < bound;
      if (good && layer->strip == 0)
        d->hidden_base[j] += d->hidden_bias[j];
    }
  return good;
}

static vrg_layer_size
sizes (const vrg_layer *layer, int64_t lanes)
{
  const dense *d = layer->own;
  lanes = vrg_lanes (lanes);
  return (vrg_layer_size){ .visible = (d->visible_groups > 0 ? d->visible_groups : 1) * lanes, /* never NULL */
                           .hidden = d->hidden_groups * lanes,
                           .visible_fields = layer->sites * lanes,
                           .hidden_fields = layer->hidden * lanes };
}

/** Packed bits: rows of `columns` bits, `words` words apart. */
typedef struct
{
  int64_t bits, columns, words;
} packing;

static packing
visible_packing (const vrg_layer *layer)
{
  const int64_t columns = layer->model->rows > 1 ? layer->model->columns : layer->sites > 0 ? layer->sites : 1;
  return (packing){ layer->sites, columns, (columns + 63) / 64 };
}

static packing
hidden_packing (const vrg_layer *layer)
{
  return (packing){ layer->hidden, layer->hidden, (layer->hidden + 63) / 64 };
}

/** Up to WINDOW bits from bit `first` on, to or from a word. */
static inline int64_t
next_run (const packing *p, int64_t first, int64_t most, int64_t *word, int64_t *shift)
{
  const int64_t row = first / p->columns, column = first % p->columns;
  int64_t n = p->columns - column;
  *word = row * p->words + column / 64;
  *shift = column % 64;
  n = n < 64 - *shift ? n : 64 - *shift;
  return n < most ? n : most;
}

/** Packed bits without gaps between rows; one more word than they take may be read. */
static void
close_gaps (const packing *p, const uint64_t *bits, uint64_t *closed)
{
  int64_t at = 0;
  closed[0] = 0;
  for (int64_t first = 0; first < p->bits; first += p->columns, bits += p->words)
    for (int64_t column = 0; column < p->columns; column += 64)
      {
        const int64_t n = p->columns - column < 64 ? p->columns - column : 64, shift = at % 64;
        const uint64_t word = n < 64 ? bits[column / 64] & ((UINT64_C (1) << n) - 1) : bits[column / 64];
        closed[at / 64] |= word << shift;
        closed[at / 64 + 1] = shift > 0 ? word >> (64 - shift) : 0;
        at += n;
      }
}

/** n < 64 bits from bit `first` on. */
static inline uint64_t
window_get (const uint64_t *bits, int64_t first, int64_t n)
{
  const int64_t word = first / 64, shift = first % 64;
  uint64_t window = bits[word] >> shift;
  if (shift + n > 64)
    window |= bits[word + 1] << (64 - shift);
  return window & ((UINT64_C (1) << n) - 1);
}

static void
window_put (const packing *p, uint64_t *bits, int64_t first, int64_t n, uint64_t window)
{
  for (int64_t done = 0, some, word, shift; done < n; done += some)
    {
      some = next_run (p, first + done, n - done, &word, &shift);
      bits[word] |= (window >> done & ((UINT64_C (1) << some) - 1)) << shift;
    }
}

/** Groups of a vector of lanes from their windows. */
static inline __attribute__ ((always_inline)) void
split_body (int64_t groups, int64_t pitch, const uint64_t window[VRG_LANES], int32_t *planes)
{
  for (int64_t g = 0; g < groups; g++)
    for (int lane = 0; lane < VRG_LANES; lane++)
      planes[g * pitch + lane] = (int32_t) (window[lane] >> (VRG_GROUP * g) & 31);
}
VRG_PATHS (split, (int64_t groups, int64_t pitch, const uint64_t window[VRG_LANES], int32_t *planes),
           (groups, pitch, window, planes))

static void
unpack (packing p, vrg_piece piece, const uint64_t *const *samples, int32_t *planes)
{
  const int64_t words = p.bits / 64 + 2;
  uint64_t *closed = vrg_new (VRG_LANES * words, sizeof *closed, "a vector of samples");
  for (int64_t lane = 0; lane < piece.lanes; lane += VRG_LANES)
    {
      for (int64_t k = 0; k < VRG_LANES; k++)
        {
          const int64_t s = lane + k - piece.first;
          if (s >= 0 && s < piece.n)
            close_gaps (&p, samples[s], closed + k * words);
          else
            memset (closed + k * words, 0, (size_t) words * sizeof *closed);
        }
      for (int64_t first = 0; first < p.bits; first += WINDOW)
        {
          uint64_t window[VRG_LANES];
          const int64_t n = p.bits - first < WINDOW ? p.bits - first : WINDOW;
          for (int64_t k = 0; k < VRG_LANES; k++)
            window[k] = window_get (closed + k * words, first, n);
          split (vrg_groups (n), piece.lanes, window, planes + first / VRG_GROUP * piece.lanes + lane);
        }
    }
  vrg_free (closed);
}

static void
pack (packing p, vrg_piece piece, const int32_t *planes, int64_t s, uint64_t *bits)
{
  memset (bits, 0, (size_t) (p.bits / p.columns * p.words) * sizeof *bits);
  planes += piece.first + s;
  for (int64_t first = 0; first < p.bits; first += WINDOW)
    {
      uint64_t window = 0;
      const int64_t n = p.bits - first < WINDOW ? p.bits - first : WINDOW;
      for (int64_t g = 0; g < vrg_groups (n); g++)
        window |= (uint64_t) planes[(first / VRG_GROUP + g) * piece.lanes] << (VRG_GROUP * g);
      window_put (&p, bits, first, n, window);
    }
}

static void
unpack_visible (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *v)
{
  unpack (visible_packing (layer), piece, samples, v);
}

static void
unpack_hidden (const vrg_layer *layer, vrg_piece piece, const uint64_t *const *samples, int32_t *h)
{
  unpack (hidden_packing (layer), piece, samples, h);
}

static void
pack_visible (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int64_t s, uint64_t *bits)
{
  pack (visible_packing (layer), piece, v, s, bits);
}

static void
pack_hidden (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int64_t s, uint64_t *bits)
{
  pack (hidden_packing (layer), piece, h, s, bits);
}

static void
hidden_fields (const vrg_layer *layer, vrg_piece piece, const int32_t *v, int32_t *fields)
{
  const dense *d = layer->own;
  const int64_t some = vrg_lanes (layer->hidden) / VRG_LANES;
  const int64_t parts = layer->strips == 1 ? 1 : some < PARTS ? some : PARTS;
  MPI_Request request[PARTS];
  for (int64_t k = 0; k < parts; k++)
    {
      const int64_t j = k * layer->hidden / parts, n = (k + 1) * layer->hidden / parts - j;
      vrg_product (n, d->visible_groups, piece.lanes, d->w + j * d->pitch, d->pitch, 1, d->hidden_base + j, v,
                   fields + j * piece.lanes);
      if (layer->strips == 1)
        return;
      VRG_MPI (MPI_Iallreduce (MPI_IN_PLACE, fields + j * piece.lanes, (int) (n * piece.lanes), MPI_INT32_T, MPI_SUM,
                               layer->strip_comm, &request[k]));
      vrg_traffic_collective (n * piece.lanes * (int64_t) sizeof (int32_t));
    }
  VRG_MPI (MPI_Waitall ((int) parts, request, MPI_STATUSES_IGNORE));
}

static void
visible_fields (const vrg_layer *layer, vrg_piece piece, const int32_t *h, int32_t *fields)
{
  const dense *d = layer->own;
  vrg_product (layer->sites, d->hidden_groups, piece.lanes, d->w, 1, d->pitch, d->visible_base, h, fields);
}

/** Draw `units` units, of which the first is number `first` of `all`. */
static void
draw_units (const vrg_rng *rng, vrg_rng_purpose purpose, vrg_piece piece, int64_t first, int64_t units, int64_t all,
            int64_t update, int64_t draw, const int32_t *fields, int32_t *planes)
{
  const int64_t vector = (piece.position - piece.first) / VRG_LANES;
  for (int64_t k = 0; k < piece.lanes / VRG_LANES; k++)
    {
      const vrg_numbers numbers
        = { rng, purpose, ((vector + k) * all + first) * VRG_LANES / 4, update, (uint32_t) draw };
      vrg_product_draw (&numbers, units, piece.lanes, fields + k * VRG_LANES, planes + k * VRG_LANES);
    }
}

static void
hidden_sample (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw,
               const int32_t *fields, int32_t *h)
{
  draw_units (rng, VRG_RNG_HIDDEN, piece, 0, layer->hidden, layer->hidden, update, draw, fields, h);
}

static void
visible_sample (const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t update, int64_t draw,
                const int32_t *fields, int32_t *v)
{
  draw_units (rng, VRG_RNG_VISIBLE, piece, layer->model->visible0, layer->sites, layer->visible, update, draw, fields,
              v);
}

static void
hidden_means (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int32_t *means)
{
  vrg_product_mean (layer->hidden * piece.lanes, fields, means);
  for (int64_t j = 0; j < layer->hidden; j++, means += piece.lanes)
    {
      memset (means, 0, (size_t) piece.first * sizeof *means);
      memset (means + piece.first + piece.n, 0, (size_t) (piece.lanes - piece.first - piece.n) * sizeof *means);
    }
}

/** Groups that `lanes` lanes take, in words. */
static int64_t
words_groups (int64_t lanes)
{
  return lanes / WORD * WORD_GROUPS + vrg_groups (lanes % WORD);
}

/** planes [groups][pitch] of indices of five lanes from the words of all sites. */
static inline __attribute__ ((always_inline)) void
spread_body (int64_t groups, int64_t sites, int64_t pitch, const uint64_t *words, int32_t *planes)
{
  for (int64_t g = 0; g < groups; g++)
    for (int64_t i = 0; i < sites; i++)
      planes[g * pitch + i] = (int32_t) (words[i] >> (VRG_GROUP * g) & 31);
}
VRG_PATHS (spread, (int64_t groups, int64_t sites, int64_t pitch, const uint64_t *words, int32_t *planes),
           (groups, sites, pitch, words, planes))

/** sums [i] += factor * spins of the lanes of a mask, in fixed point. */
static inline __attribute__ ((always_inline)) void
count_body (int64_t sites, const uint64_t *words, uint64_t mask, int64_t factor, int64_t *sums)
{
  const int64_t n = __builtin_popcountll (mask);
  for (int64_t i = 0; i < sites; i++)
    sums[i] += factor * (2 * (int64_t) __builtin_popcountll (words[i] & mask) - n) * VRG_FIXED_ONE;
}
VRG_PATHS (count, (int64_t sites, const uint64_t *words, uint64_t mask, int64_t factor, int64_t *sums),
           (sites, words, mask, factor, sums))

/** Room for the gradient, when it is wanted first. */
static void
gradient_begin (const vrg_layer *layer)
{
  dense *d = layer->own;
  const int64_t pitch = vrg_lanes (layer->sites), most = 2 * VRG_PIECE_MOST / WORD * WORD_GROUPS;
  d->groups = 0;
  if (d->means)
    return;
  d->words = vrg_new (VRG_GROUP * d->visible_groups, sizeof (uint64_t), "bits of the gradient");
  d->planes = vrg_new (most * pitch, sizeof (int32_t), "bits of the gradient");
  d->means = vrg_new (SLAB * most * VRG_GROUP, sizeof (int32_t), "means of the gradient");
  d->part = vrg_new (SLAB * pitch, sizeof (int32_t), "a part of the gradient");
  d->rows = vrg_new (ROWS * layer->sites, sizeof (int64_t), "rows of the gradient");
}

/** The lanes of a phase become bits of words, and these more planes over the sites; visible biases on the way. */
static void
prepare (const vrg_layer *layer, const vrg_phase *phase, int64_t factor, int64_t *sums)
{
  dense *d = layer->own;
  const int64_t sites = layer->sites, pitch = vrg_lanes (sites);
  const vrg_piece p = phase->piece;
  VRG_ASSERT (p.lanes <= VRG_PIECE_MOST);
  for (int64_t lane = 0; lane < p.first + p.n; lane += WORD)
    {
      const int64_t n = p.first + p.n - lane < WORD ? p.first + p.n - lane : WORD;
      uint64_t mask = 0;
      for (int64_t k = 0; k < n; k++)
        if (lane + k >= p.first && lane + k < p.first + p.n)
          mask |= UINT64_C (1) << k;
      vrg_product_words (d->visible_groups, vrg_lanes (n), p.lanes, phase->v + lane, d->words);
      count (sites, d->words, mask, factor, sums + layer->weights);
      spread (vrg_groups (n), sites, pitch, d->words, d->planes + d->groups * pitch);
      d->groups += vrg_groups (n);
    }
}

/** n <= WORD means of a row, times factor, as whole groups; *sum += the means. */
static inline __attribute__ ((always_inline)) void
multiply_body (int64_t n, int32_t factor, const int32_t *means, int32_t *row, int32_t *sum)
{
  int32_t all = 0;
  for (int64_t lane = 0; lane < n; lane++)
    {
      row[lane] = factor * means[lane];
      all += means[lane];
    }
  for (int64_t lane = n; lane % VRG_GROUP; lane++)
    row[lane] = 0;
  *sum += all;
}
VRG_PATHS (multiply, (int64_t n, int32_t factor, const int32_t *means, int32_t *row, int32_t *sum),
           (n, factor, means, row, sum))

/** Row j of the means of a phase, `factor` times and doubled, as prepare placed its lanes; returns the sum of the row
 *  without doubling. */
static int32_t
means_row (const vrg_phase *phase, int64_t j, int32_t factor, int32_t *row)
{
  const int64_t lanes = phase->v ? phase->piece.first + phase->piece.n : 0;
  const int32_t *means = phase->means + (phase->v ? j * phase->piece.lanes : 0);
  int32_t sum = 0;
  for (int64_t lane = 0; lane < lanes; lane += WORD, row += WORD_GROUPS * VRG_GROUP)
    multiply (lanes - lane < WORD ? lanes - lane : WORD, 2 * factor, means + lane, row, &sum);
  return factor * sum;
}

static inline __attribute__ ((always_inline)) void
add_body (int64_t n, const int32_t *part, int64_t factor, bool fresh, int64_t *sums)
{
  if (fresh)
    for (int64_t i = 0; i < n; i++)
      sums[i] = factor * part[i];
  else
    for (int64_t i = 0; i < n; i++)
      sums[i] += factor * part[i];
}
VRG_PATHS (add, (int64_t n, const int32_t *part, int64_t factor, bool fresh, int64_t *sums),
           (n, part, factor, fresh, sums))

/** `factor` times the gradient of hidden units [first, last), for what has been prepared. */
static void
gradient_rows (const vrg_layer *layer, const vrg_phase *data, int64_t times, const vrg_phase *model, int64_t factor,
               int64_t first, int64_t last, bool fresh, int64_t *sums, const vrg_rows_done *done)
{
  const dense *d = layer->own;
  const int64_t sites = layer->sites, pitch = vrg_lanes (sites), width = VRG_GROUP * d->groups;
  const int64_t split = data->v ? words_groups (data->piece.first + data->piece.n) : 0; /* groups of the data */
  for (int64_t j = first; j < last; j += SLAB)
    {
      const int64_t n = last - j < SLAB ? last - j : SLAB;
      int32_t base[SLAB];
      for (int64_t k = 0; k < n; k++)
        {
          int32_t *row = d->means + k * width;
          base[k]
            = -means_row (data, j + k, (int32_t) times, row) - means_row (model, j + k, -1, row + split * VRG_GROUP);
          sums[layer->weights + sites + j + k] -= factor * base[k];
        }
      vrg_product (n, d->groups, pitch, d->means, width, 1, base, d->planes, d->part);
      for (int64_t k0 = 0; k0 < n; k0 += ROWS)
        {
          const int64_t rows = n - k0 < ROWS ? n - k0 : ROWS;
          int64_t *to = done && fresh ? d->rows : sums + (j + k0) * sites;
          for (int64_t k = 0; k < rows; k++)
            add (sites, d->part + (k0 + k) * pitch, factor, fresh, to + k * sites);
          if (done)
            done->rows (done->state, j + k0, j + k0 + rows, to);
        }
    }
}

static void
gradient_part (const vrg_layer *layer, vrg_phase data, int64_t times, vrg_phase model, int64_t first, int64_t last,
               bool fresh, int64_t *sums, const vrg_rows_done *done)
{
  const vrg_phase none = { .v = NULL };
  const bool apart = data.v && times * data.piece.n + (model.v ? model.piece.n : 0) > EXACT;
  if (first == 0)
    {
      gradient_begin (layer);
      if (fresh)
        memset (sums + layer->weights, 0, (size_t) (layer->sites + layer->hidden) * sizeof *sums);
      if (data.v)
        prepare (layer, &data, times, sums);
      if (apart) /* all of the data phase with the first part */
        {
          gradient_rows (layer, &data, 1, &none, times, 0, layer->hidden, fresh, sums, model.v ? NULL : done);
          gradient_begin (layer);
        }
      if (model.v)
        prepare (layer, &model, -1, sums);
    }
  if (apart && model.v)
    gradient_rows (layer, &none, 1, &model, 1, first, last, false, sums, done);
  else if (!apart)
    gradient_rows (layer, &data, times, &model, 1, first, last, fresh, sums, done);
}

static void
gradient (const vrg_layer *layer, vrg_phase data, int64_t times, vrg_phase model, int64_t *sums)
{
  gradient_part (layer, data, times, model, 0, layer->hidden, false, sums, NULL);
}

static inline __attribute__ ((always_inline)) void
differ_body (int64_t n, const int32_t *v, const int32_t *w, int32_t *count)
{
  for (int64_t i = 0; i < n; i++)
    {
      const int32_t x = v[i] ^ w[i], y = (x & 21) + (x >> 1 & 5);
      count[i] += (y & 3) + (y >> 2 & 3) + (y >> 4);
    }
}
VRG_PATHS (differ, (int64_t n, const int32_t *v, const int32_t *w, int32_t *count), (n, v, w, count))

static int64_t
difference (const vrg_layer *layer, vrg_piece piece, const int32_t *v, const int32_t *w)
{
  const dense *d = layer->own;
  int32_t count[VRG_PIECE_MOST + VRG_LANES];
  int64_t sum = 0;
  for (int64_t lane = 0, n; lane < piece.lanes; lane += n)
    {
      n = piece.lanes - lane < VRG_PIECE_MOST ? piece.lanes - lane : VRG_PIECE_MOST;
      memset (count, 0, sizeof count);
      for (int64_t g = 0; g < d->visible_groups; g++)
        differ (n, v + g * piece.lanes + lane, w + g * piece.lanes + lane, count);
      for (int64_t k = 0; k < n; k++)
        if (lane + k >= piece.first && lane + k < piece.first + piece.n)
          sum += count[k];
    }
  return sum;
}

static void
get (vrg_piece piece, int64_t units, const int32_t *fields, int64_t s, int32_t *x)
{
  for (int64_t u = 0; u < units; u++)
    x[u] = fields[u * piece.lanes + piece.first + s];
}

static void
get_hidden (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x)
{
  get (piece, layer->hidden, fields, s, x);
}

static void
get_visible (const vrg_layer *layer, vrg_piece piece, const int32_t *fields, int64_t s, int32_t *x)
{
  get (piece, layer->sites, fields, s, x);
}

static int64_t
reach (const vrg_layer *layer)
{
  return layer->hidden;
}

static int64_t
site_weights (const vrg_layer *layer, int64_t site, int64_t *index, int32_t *weight)
{
  const dense *d = layer->own;
  for (int64_t j = 0; j < layer->hidden; j++)
    {
      index[j] = j;
      weight[j] = d->w[j * d->pitch + site] / 2;
    }
  return layer->hidden;
}

static int32_t
visible_bias (const vrg_layer *layer, int64_t site)
{
  return ((const dense *) layer->own)->visible_bias[site];
}

static int32_t
hidden_bias (const vrg_layer *layer, int64_t unit)
{
  return ((const dense *) layer->own)->hidden_bias[unit];
}

const vrg_layer_kind vrg_dense_layer = {
  .begin = begin,
  .end = end,
  .round_rows = round_rows,
  .round_end = round_end,
  .sizes = sizes,
  .unpack = unpack_visible,
  .unpack_hidden = unpack_hidden,
  .pack = pack_visible,
  .pack_hidden = pack_hidden,
  .hidden_fields = hidden_fields,
  .visible_fields = visible_fields,
  .hidden_sample = hidden_sample,
  .visible_sample = visible_sample,
  .means = hidden_means,
  .gradient = gradient,
  .gradient_part = gradient_part,
  .difference = difference,
  .get_hidden = get_hidden,
  .get_visible = get_visible,
  .reach = reach,
  .site = site_weights,
  .visible_bias = visible_bias,
  .hidden_bias = hidden_bias,
};
