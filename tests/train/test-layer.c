/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1 2 3 4
 * A dense layer, its visible units spread over strips, against plain loops over the definition in files/model.h:
 * integers, so equal in every bit, on every path, at positions of a batch that are no multiples of a vector.  The
 * rounding of weights changes a field by at most half a unit of fixed point for each weight.  Sums of weights up to
 * the bound, and no further. New layers: the same weights on any number of strips. */
#include "train/layer.h"

#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "parallel/grid.h"
#include "tests/check.h"

static uint64_t state;

static uint32_t
next (void)
{
  state = state * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
  return (uint32_t) (state >> 32);
}

typedef struct
{
  int64_t rows, columns, hidden, position, n;
} shape;

/** The same numbers on every rank; `whole` is the whole layer's model, `mine` this strip's part. */
static vrg_model *
part_of (const vrg_model *whole, int strips, int strip)
{
  vrg_model *m = vrg_new (1, sizeof *m, "model");
  const int64_t together = whole->rows > 1 ? whole->columns : 1, sites = whole->rows * whole->columns;
  *m = *whole;
  vrg_grid_span (sites / together, strips, strip, &m->visible0, &m->visible1);
  m->visible0 *= together;
  m->visible1 *= together;
  const int64_t mine = m->visible1 - m->visible0;
  m->weights = vrg_new (m->hidden * mine, sizeof (double), "weights");
  m->visible_bias = vrg_new (mine, sizeof (double), "bias");
  m->hidden_bias = vrg_new (m->hidden, sizeof (double), "bias");
  for (int64_t j = 0; j < m->hidden; j++)
    memcpy (m->weights + j * mine, whole->weights + j * sites + m->visible0, (size_t) mine * sizeof (double));
  memcpy (m->visible_bias, whole->visible_bias + m->visible0, (size_t) mine * sizeof (double));
  memcpy (m->hidden_bias, whole->hidden_bias, (size_t) m->hidden * sizeof (double));
  return m;
}

static void
model_free (vrg_model *m)
{
  vrg_free (m->weights);
  vrg_free (m->visible_bias);
  vrg_free (m->hidden_bias);
  vrg_free (m);
}

static vrg_model *
whole_model (const shape *s)
{
  vrg_model *m = vrg_new (1, sizeof *m, "model");
  const int64_t sites = s->rows * s->columns;
  *m = (vrg_model){
    .type = VRG_MODEL_DENSE, .rows = s->rows, .columns = s->columns, .hidden = s->hidden, .visible1 = sites
  };
  m->weights = vrg_new (s->hidden * sites, sizeof (double), "weights");
  m->visible_bias = vrg_new (sites, sizeof (double), "bias");
  m->hidden_bias = vrg_new (s->hidden, sizeof (double), "bias");
  for (int64_t i = 0; i < s->hidden * sites; i++)
    m->weights[i] = ((double) next () / 4294967296.0 - 0.5) * 0.7;
  for (int64_t i = 0; i < sites; i++)
    m->visible_bias[i] = (double) next () / 4294967296.0 - 0.5;
  for (int64_t i = 0; i < s->hidden; i++)
    m->hidden_bias[i] = (double) next () / 4294967296.0 - 0.5;
  return m;
}

/** The number of unit u of `all` for a position of the batch. */
static uint32_t
number (const vrg_rng *rng, vrg_rng_purpose purpose, int64_t position, int64_t u, int64_t all)
{
  uint64_t block[2];
  const int64_t lane = position % 16;
  vrg_rng_block (rng, purpose, (uint64_t) ((position / 16 * all + u) * 4 + lane / 4), 17, 2, block);
  return (uint32_t) (block[lane % 4 / 2] >> 32 * (lane % 2));
}

/** Spins of a sample from what vrg_layer_pack and vrg_layer_pack_hidden give. */
static int
packed_spin (const uint64_t *bits, int64_t columns, int64_t i)
{
  return (int) (bits[i / columns * ((columns + 63) / 64) + i % columns / 64] >> (i % columns % 64) & 1) * 2 - 1;
}

static void
try_shape (const shape *s, const vrg_grid *grid)
{
  state = 12345;
  vrg_model *whole = whole_model (s), *mine = part_of (whole, grid->size, grid->rank);
  vrg_layer *l = vrg_layer_new (mine, grid->world);
  bool good = vrg_layer_round (l);
  const int64_t sites = s->rows * s->columns, first = mine->visible0, own = mine->visible1 - first, hidden = s->hidden;
  const int64_t columns = s->rows > 1 ? s->columns : own, words = (s->columns + 63) / 64, n = s->n;
  const vrg_piece piece = vrg_piece_of (s->position, n);

  int *spin = vrg_new (n * sites, sizeof *spin, "spins"), *up = vrg_new (n * hidden, sizeof *up, "units");
  uint64_t *bits = vrg_new (n * s->rows * words, sizeof *bits, "bits"),
           *back = vrg_new (s->rows * words + hidden, 8, "bits");
  const uint64_t **samples = vrg_new (n, sizeof *samples, "samples");
  for (int64_t k = 0; k < n * sites; k++)
    spin[k] = next () >> 31 ? 1 : -1;
  for (int64_t k = 0; k < n; k++)
    {
      samples[k] = bits + k * s->rows * words;
      for (int64_t i = 0; i < own; i++)
        if (spin[k * sites + first + i] == 1)
          bits[k * s->rows * words + i / columns * words + i % columns / 64] |= UINT64_C (1) << (i % columns % 64);
    }
  const vrg_layer_size size = vrg_layer_sizes (l, piece.lanes);
  int32_t *v = vrg_new (size.visible, 4, "v"), *h = vrg_new (size.hidden, 4, "h"), *w = vrg_new (size.visible, 4, "w");
  int32_t *fv = vrg_new (size.visible_fields, 4, "fv"), *fh = vrg_new (size.hidden_fields, 4, "fh");
  int32_t *means = vrg_new (size.hidden_fields, 4, "means");
  int32_t *x = vrg_new (hidden > own ? hidden : own, 4, "x"), *y = vrg_new (hidden, 4, "y");
  int64_t *sums = vrg_new (l->parameters, sizeof *sums, "sums");
  vrg_rng rng;
  vrg_rng_init (&rng, 5, 0, 0);

  vrg_layer_unpack (l, piece, samples, v);
  vrg_layer_hidden_fields (l, piece, v, fh);
  vrg_layer_means (l, piece, fh, means);
  vrg_layer_hidden_sample (l, &rng, piece, 17, 2, fh, h);
  vrg_layer_visible_fields (l, piece, h, fv);
  vrg_layer_visible_sample (l, &rng, piece, 17, 2, fv, w);

  bool fields = true, mean = true, drawn = true, visible = true, packed = true;
  double worst = 0;
  int64_t differ = 0;
  int64_t *mean_of = vrg_new (n * hidden, sizeof *mean_of, "means");
  for (int64_t k = 0; k < n; k++)
    {
      vrg_layer_get_hidden (l, piece, fh, k, x);
      vrg_layer_get_hidden (l, piece, means, k, y);
      vrg_layer_pack_hidden (l, piece, h, k, back);
      for (int64_t j = 0; j < hidden; j++)
        {
          int64_t sum = vrg_fixed (whole->hidden_bias[j]);
          double exact = whole->hidden_bias[j];
          for (int64_t i = 0; i < sites; i++)
            {
              sum += vrg_fixed (whole->weights[j * sites + i]) * spin[k * sites + i];
              exact += whole->weights[j * sites + i] * spin[k * sites + i];
            }
          worst = fmax (worst, fabs ((double) x[j] / VRG_FIXED_ONE - exact));
          fields = fields && x[j] == sum;
          mean = mean && y[j] == vrg_mean ((int32_t) sum);
          mean_of[k * hidden + j] = y[j];
          up[k * hidden + j]
            = number (&rng, VRG_RNG_HIDDEN, s->position + k, j, hidden) < vrg_probability ((int32_t) sum) ? 1 : -1;
          drawn = drawn && packed_spin (back, hidden, j) == up[k * hidden + j];
        }
      vrg_layer_get_visible (l, piece, fv, k, x);
      vrg_layer_pack (l, piece, w, k, back);
      for (int64_t i = 0; i < own; i++)
        {
          int64_t sum = vrg_fixed (whole->visible_bias[first + i]);
          for (int64_t j = 0; j < hidden; j++)
            sum += vrg_fixed (whole->weights[j * sites + first + i]) * up[k * hidden + j];
          visible = visible && x[i] == sum;
          const int new
            = number (&rng, VRG_RNG_VISIBLE, s->position + k, first + i, sites) < vrg_probability ((int32_t) sum) ? 1
                                                                                                                  : -1;
          drawn = drawn && packed_spin (back, columns, i) == new;
          differ += new != spin[k * sites + first + i];
        }
      vrg_layer_pack (l, piece, v, k, back);
      packed = packed
               && memcmp (back, samples[k],
                          (size_t) (own > 0 ? (own + columns - 1) / columns * ((columns + 63) / 64) : 0) * 8)
                    == 0;
    }
  check (good && fields && visible, "%lldx%lld-%lld, %lld at %lld, %s: fields are sums of rounded weights",
         (long long) s->rows, (long long) s->columns, (long long) hidden, (long long) n, (long long) s->position,
         vrg_simd_name (vrg_simd ()));
  check (worst <= (double) (sites + 1) * 0x1p-21 + 1e-12, "rounding changes them by %.1e, at most %.1e", worst,
         (double) (sites + 1) * 0x1p-21);
  check (mean, "means");
  check (drawn, "units are drawn by the numbers of their positions");
  check (packed && differ == vrg_layer_difference (l, piece, v, w), "packing, differences");

  /* gradient of the derivative of sum_j mean_j x_j, both phases, the second at the units drawn */
  bool weights = true, biases = true;
  for (int test = 0; test < 5; test++)
    {
      const int64_t times = test == 3 ? 3 : test == 4 ? 1024 / n + 7 : 1;
      const vrg_phase none = { .v = NULL }, phase = { piece, v, means }, other = { piece, w, means };
      memset (sums, 0, (size_t) l->parameters * sizeof *sums);
      sums[0] = test; /* sums are added to */
      vrg_layer_gradient (l, test == 1 ? none : phase, times, test == 0 ? none : other, sums);
      const int64_t plus = test == 1 ? 0 : times, minus = test == 0 ? 0 : 1;
      for (int64_t k = 0; k < n; k++)
        {
          vrg_layer_pack (l, piece, w, k, back);
          for (int64_t i = 0; i < own; i++)
            {
              const int64_t d = plus * spin[k * sites + first + i] - minus * packed_spin (back, columns, i);
              for (int64_t j = 0; j < hidden; j++)
                sums[j * own + i] -= d * mean_of[k * hidden + j];
              sums[hidden * own + i] -= d * VRG_FIXED_ONE;
            }
          for (int64_t j = 0; j < hidden; j++)
            sums[hidden * own + own + j] -= (plus - minus) * mean_of[k * hidden + j];
        }
      for (int64_t i = 0; i < l->parameters; i++)
        *(i < l->weights ? &weights : &biases) &= sums[i] == (i == 0 ? test : 0);
    }
  check (weights && biases, "gradients of one and both phases, of several model samples to one of the data %d %d",
         weights, biases);

  bool site = true;
  int64_t *index = vrg_new (vrg_layer_reach (l), sizeof *index, "index");
  int32_t *weight = vrg_new (vrg_layer_reach (l), sizeof *weight, "weight");
  for (int64_t i = 0; i < own; i++)
    {
      site = site && vrg_layer_site (l, i, index, weight) == hidden
             && vrg_layer_visible_bias (l, i) == vrg_fixed (whole->visible_bias[first + i]);
      for (int64_t j = 0; j < hidden; j++)
        site = site && weight[j] == vrg_fixed (whole->weights[index[j] * sites + first + i])
               && vrg_layer_hidden_bias (l, j) == vrg_fixed (whole->hidden_bias[j]);
    }
  check (site, "weights and biases of sites");
  void *all[] = { spin, up, bits, back, samples, v, h, w, fv, fh, means, x, y, sums, mean_of, index, weight };
  for (size_t k = 0; k < sizeof all / sizeof *all; k++)
    vrg_free (all[k]);
  vrg_layer_free (l);
  model_free (mine);
  model_free (whole);
}

/** Sums of weights and the bias just below the bound, all units aligned or none, and means of 1024 samples as large as
 *  they get: nothing overflows.  At the bound, and what is not a number, is refused, by all strips alike. */
static void
try_bound (const vrg_grid *grid)
{
  enum
  {
    LANES = 512
  };
  const shape s = { 8, 8, 30, 0, LANES };
  state = 12345;
  vrg_model *whole = whole_model (&s);
  const int64_t sites = 64, hidden = 30, unit = hidden / 2;
  memset (whole->visible_bias, 0, (size_t) sites * sizeof (double));
  memset (whole->hidden_bias, 0, (size_t) hidden * sizeof (double));
  for (int64_t k = 0; k < hidden * sites; k++)
    whole->weights[k] = k / sites == unit ? 15.96875 : 0; /* 1022 in all */
  whole->hidden_bias[unit] = 1 - 0x1p-20;
  vrg_model *mine = part_of (whole, grid->size, grid->rank);
  vrg_layer *l = vrg_layer_new (mine, grid->world);
  bool good = vrg_layer_round (l);
  const vrg_piece piece = vrg_piece_of (0, LANES);
  const vrg_layer_size size = vrg_layer_sizes (l, LANES);
  int32_t *v = vrg_new (size.visible, 4, "v"), *w = vrg_new (size.visible, 4, "w"),
          *f = vrg_new (size.hidden_fields, 4, "f");
  int32_t *plus = vrg_new (size.hidden_fields, 4, "means"), *minus = vrg_new (size.hidden_fields, 4, "means");
  int64_t *sums = vrg_new (l->parameters, 8, "sums");
  const uint64_t ones[8] = { 255, 255, 255, 255, 255, 255, 255, 255 }, zeros[8] = { 0 };
  const uint64_t *up[LANES], *down[LANES];
  for (int k = 0; k < LANES; k++)
    {
      up[k] = ones;
      down[k] = zeros;
    }
  int32_t x[30];
  vrg_layer_unpack (l, piece, down, w);
  vrg_layer_hidden_fields (l, piece, w, f);
  vrg_layer_means (l, piece, f, minus);
  vrg_layer_get_hidden (l, piece, f, LANES - 1, x);
  good = good && x[unit] == -1021 * VRG_FIXED_ONE - 1;
  vrg_layer_unpack (l, piece, up, v);
  vrg_layer_hidden_fields (l, piece, v, f);
  vrg_layer_means (l, piece, f, plus);
  vrg_layer_get_hidden (l, piece, f, LANES - 1, x);
  good = good && x[unit] == 1023 * VRG_FIXED_ONE - 1;
  check (good, "%s: fields up to the bound", vrg_simd_name (vrg_simd ()));
  /* + times (+1 mean), and - (-1)(...) with the means of the other sign taken as they are: every term has one sign */
  vrg_layer_gradient (l, (vrg_phase){ piece, v, plus }, 1, (vrg_phase){ piece, w, plus }, sums);
  vrg_layer_gradient (l, (vrg_phase){ piece, w, minus }, 3, (vrg_phase){ piece, v, minus }, sums);
  const int64_t mean = vrg_mean (1023 * VRG_FIXED_ONE);
  for (int64_t i = 0; i < l->sites; i++)
    good = good && sums[unit * l->sites + i] == LANES * mean * (1 + 1 + 3 + 1) && sums[i] == 0;
  check (good, "gradients of as many samples as fit");

  mine->hidden_bias[unit] = 1;
  good = !vrg_layer_round (l);
  mine->hidden_bias[unit] = -1;
  good = good && !vrg_layer_round (l);
  mine->hidden_bias[unit] = NAN;
  good = good && !vrg_layer_round (l);
  mine->hidden_bias[unit] = 0.5;
  good = good && vrg_layer_round (l);
  check (good, "hidden units at the bound");
  const int64_t last = l->sites - 1;
  const double bad[] = { NAN, HUGE_VAL, -1e300, 1023, 3000, 17.1 }, old = mine->weights[unit * l->sites + last];
  good = true;
  for (int k = 0; k < 6; k++)
    {
      if (grid->rank == grid->size - 1)
        mine->weights[unit * l->sites + last] = bad[k];
      good = good && !vrg_layer_round (l);
      mine->weights[unit * l->sites + last] = old;
      good = good && vrg_layer_round (l);
    }
  check (good, "weights of one strip that are too large");
  if (grid->rank == 0)
    mine->visible_bias[0] = -(1023 - 15.96875);
  good = !vrg_layer_round (l);
  if (grid->rank == 0)
    mine->visible_bias[0] = -(1023 - 15.96875) + 0x1p-20;
  check (good && vrg_layer_round (l), "visible units at the bound");
  void *all[] = { v, w, f, plus, minus, sums };
  for (size_t k = 0; k < sizeof all / sizeof *all; k++)
    vrg_free (all[k]);
  vrg_layer_free (l);
  model_free (mine);
  model_free (whole);
}

/** Weights of a new stack: small, the same on any number of strips; what cannot be stacked is refused. */
static void
try_start (const vrg_grid *grid)
{
  vrg_input input
    = { .dimension = 2, .size = { 12, 20 }, .model = VRG_MODEL_DENSE, .n_hidden = 2, .hidden = { 30, 7 } };
  vrg_rng rng;
  vrg_rng_init (&rng, 9, 0, 0);
  vrg_model *whole[2], *mine[2];
  bool good = true;
  for (int k = 0; k < 2; k++)
    {
      good = good && vrg_layer_start (&input, k, k ? whole[0] : NULL, 1, 0, &rng, &whole[k]) == VRG_OK
             && vrg_layer_start (&input, k, k ? whole[0] : NULL, grid->size, grid->rank, &rng, &mine[k]) == VRG_OK;
      vrg_model *part = part_of (whole[k], grid->size, grid->rank);
      const int64_t own = part->visible1 - part->visible0, sites = whole[k]->visible1;
      good = good && mine[k]->visible0 == part->visible0 && mine[k]->visible1 == part->visible1
             && !memcmp (mine[k]->weights, part->weights, (size_t) (own * part->hidden) * sizeof (double));
      double square = 0;
      for (int64_t i = 0; i < sites * whole[k]->hidden; i++)
        square += whole[k]->weights[i] * whole[k]->weights[i];
      good = good && fabs (sqrt (square / (double) (sites * whole[k]->hidden)) / VRG_LAYER_SPREAD - 1) < 0.2;
      model_free (part);
    }
  check (good && whole[0]->rows == 12 && whole[0]->columns == 20 && whole[1]->rows == 1 && whole[1]->columns == 30
           && whole[1]->hidden == 7,
         "two dense layers");
  for (int k = 0; k < 2; k++)
    {
      model_free (whole[k]);
      model_free (mine[k]);
    }
  input.model = VRG_MODEL_CONVOLUTION;
  input.hidden[0] = 1;
  input.filter = 4;
  input.stride = 2;
  good = vrg_layer_start (&input, 0, NULL, 1, 0, &rng, &whole[0]) == VRG_OK
         && vrg_layer_start (&input, 1, whole[0], 1, 0, &rng, &whole[1]) == VRG_OK && whole[1]->rows == 6
         && whole[1]->columns == 10;
  check (good, "two convolutions");
  whole[0]->hidden = 2;
  check (vrg_layer_start (&input, 1, whole[0], 1, 0, &rng, &mine[0]) == VRG_USAGE, "several filters carry no layer");
  whole[0]->hidden = 1;
  input.stride = 4;
  check (vrg_layer_start (&input, 1, whole[1], 1, 0, &rng, &mine[0]) == VRG_USAGE, "a stride that does not divide");
  model_free (whole[0]);
  model_free (whole[1]);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, check_size_);
  const shape shapes[] = { { 4, 4, 1, 0, 1 },    { 5, 7, 16, 3, 7 },     { 1, 23, 9, 31, 18 },
                           { 9, 67, 37, 5, 27 }, { 8, 64, 67, 16, 112 }, { 12, 12, 70, 1, 200 } };
  const vrg_simd_path best = vrg_simd ();
  for (int path = 0; path <= (int) best; path++)
    for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
      {
        vrg_simd_set ((vrg_simd_path) path);
        try_shape (&shapes[k], grid);
      }
  for (int path = 0; path <= (int) best; path++)
    {
      vrg_simd_set ((vrg_simd_path) path);
      try_bound (grid);
    }
  try_start (grid);
  vrg_grid_free (grid);
  return check_end ();
}
