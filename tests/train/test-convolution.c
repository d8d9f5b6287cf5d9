/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * Convolutions:
 * 1. every function of a layer against plain loops over the definition in files/model.h, for lattices of even and odd
 *    sides, one and two dimensions, filters that wrap, one and several: integers, so they agree in every bit, on every
 *    path;
 * 2. the gradient against slopes of sum_v q (v) ln (sum over h), all v of a 3x3, a 4x4 and a ring, tied weights too;
 * 3. tied weights are equal to the bit and stay so;
 * 4. frequencies of drawn units against tanh: 2 x 16 within 5 sigma, false alarms 2e-5;
 * 5. weights that are too large, and what is not a number, are refused. */
#include "train/layer.h"

#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "tests/check.h"
#include "train/convolution_kernels.h"

enum
{
  SAMPLES = 5,
  FIRST = 21, /* global position of the first of them */
  TIMES = 3
};

static uint64_t state;

static uint32_t
next (void)
{
  state = state * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
  return (uint32_t) (state >> 33);
}

typedef struct
{
  int64_t rows, columns, filters, filter, stride;
} shape;

static int64_t
filter_size (const vrg_model *m)
{
  return vrg_model_filter_rows (m) * m->filter;
}

static int64_t
wrap (int64_t a, int64_t n)
{
  return (a % n + n) % n;
}

/** Where the filters look: the site that hidden unit `place` of a filter sees by weight t of it. */
static int64_t looks[1 << 20];

static void
look (const vrg_model *m)
{
  const int64_t columns = m->columns / m->stride, step = m->rows == 1 ? 1 : m->stride, weights = filter_size (m);
  for (int64_t place = 0; place < vrg_model_hidden_rows (m) * columns; place++)
    for (int64_t t = 0; t < weights; t++)
      {
        const int64_t y = step * (place / columns) + t / m->filter - (vrg_model_filter_rows (m) - step) / 2;
        const int64_t x = m->stride * (place % columns) + t % m->filter - (m->filter - m->stride) / 2;
        looks[place * weights + t] = wrap (y, m->rows) * m->columns + wrap (x, m->columns);
      }
}

static vrg_model *
model_new (const shape *s, bool symmetric, double scale)
{
  vrg_model *m = vrg_new (1, sizeof *m, "model");
  *m = (vrg_model){ .type = VRG_MODEL_CONVOLUTION,
                    .rows = s->rows,
                    .columns = s->columns,
                    .hidden = s->filters,
                    .filter = s->filter,
                    .stride = s->stride,
                    .symmetric = symmetric,
                    .visible1 = s->rows * s->columns };
  const int64_t weights = m->hidden * filter_size (m);
  m->weights = vrg_new (weights, sizeof (double), "weights");
  m->visible_bias = vrg_new (1, sizeof (double), "bias");
  m->hidden_bias = vrg_new (m->hidden, sizeof (double), "bias");
  for (int64_t i = 0; i < weights; i++)
    m->weights[i] = ((double) next () / 2147483648.0 - 0.45) * scale;
  m->visible_bias[0] = (double) next () / 2147483648.0 - 0.5;
  for (int64_t i = 0; i < m->hidden; i++)
    m->hidden_bias[i] = (double) next () / 2147483648.0 - 0.5;
  look (m);
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

static int64_t
seen (const vrg_model *m, int64_t place, int64_t t)
{
  return looks[place * filter_size (m) + t];
}

static uint64_t
hash (uint64_t h, const void *data, int64_t bytes)
{
  for (int64_t i = 0; i < bytes; i++)
    h = (h ^ ((const unsigned char *) data)[i]) * UINT64_C (1099511628211);
  return h;
}

/** The random number of a unit: planes of `places`, each as if they were a multiple of 16. */
static uint32_t
number_of (const vrg_rng *rng, vrg_rng_purpose purpose, int64_t position, int64_t planes, int64_t places, int64_t plane,
           int64_t place)
{
  uint64_t u[2];
  const int64_t pitch = (places + 15) / 16 * 16, unit = plane * pitch + place;
  vrg_rng_block (rng, purpose, (uint64_t) (position * (planes * pitch / 4) + unit / 4), 17, 2, u);
  return (uint32_t) (u[unit % 4 / 2] >> 32 * (unit % 2));
}

/** 1.  Everything a layer does with SAMPLES samples; hash of the results. */
static uint64_t
try_shape (const shape *s, bool report)
{
  state = 12345;
  vrg_model *m = model_new (s, false, 0.7);
  vrg_layer *l = vrg_layer_new (m, MPI_COMM_NULL);
  const vrg_piece piece = vrg_piece_of (FIRST, SAMPLES);
  const vrg_layer_size size = vrg_layer_sizes (l, piece.lanes);
  const int64_t sites = s->rows * s->columns, words = (s->columns + 63) / 64, weights = filter_size (m);
  const int64_t down = s->rows == 1 ? 1 : s->stride, columns = s->columns / s->stride;
  const int64_t places = s->rows / down * columns, units = s->filters * places;
  const int64_t row = s->filters == 1 ? columns : units, hidden_words = units / row * ((row + 63) / 64);
  const bool good = vrg_layer_round (l) && l->hidden == units && l->visible == sites && l->sites == sites
                    && l->weights == s->filters * weights && l->visible_biases == 1 && l->hidden_biases == s->filters
                    && l->parameters == s->filters * (weights + 1) + 1;
  int32_t *w = vrg_new (s->filters * weights, 4, "weights"), *b = vrg_new (s->filters, 4, "biases");
  for (int64_t i = 0; i < s->filters * weights; i++)
    w[i] = vrg_fixed (m->weights[i]);
  for (int64_t f = 0; f < s->filters; f++)
    b[f] = vrg_fixed (m->hidden_bias[f]);
  const int32_t a = vrg_fixed (m->visible_bias[0]);

  uint64_t *bits = vrg_new (SAMPLES * s->rows * words, 8, "bits"),
           *back = vrg_new (s->rows * words + hidden_words, 8, "bits");
  uint64_t *packed = vrg_new (SAMPLES * hidden_words, 8, "bits");
  const uint64_t *samples[SAMPLES], *hidden_samples[SAMPLES];
  int *spin = vrg_new (SAMPLES * sites, sizeof *spin, "spins"), *up = vrg_new (SAMPLES * units, sizeof *up, "units");
  for (int64_t i = 0; i < SAMPLES * sites; i++)
    {
      spin[i] = next () & 1024 ? 1 : -1;
      if (spin[i] == 1)
        bits[i / s->columns * words + i % s->columns / 64] |= UINT64_C (1) << (i % s->columns % 64);
    }
  int32_t *v = vrg_new (size.visible, 4, "v"), *h = vrg_new (size.hidden, 4, "h"), *h2 = vrg_new (size.hidden, 4, "h");
  int32_t *fv = vrg_new (size.visible_fields, 4, "fv"), *fh = vrg_new (size.hidden_fields, 4, "fh");
  int32_t *means = vrg_new (size.hidden_fields, 4, "means"), *x = vrg_new (units > sites ? units : sites, 4, "x");
  int64_t *sums = vrg_new (2 * l->parameters, 8, "sums"), *expected = vrg_new (l->parameters, 8, "sums");
  bool pack = true, fields = true, mean = true, visible = true, drawn = true, see = true, biases = true;
  for (int k = 0; k < SAMPLES; k++)
    {
      samples[k] = bits + k * s->rows * words;
      hidden_samples[k] = packed + k * hidden_words;
    }
  memset (v, 0xaa, (size_t) size.visible * 4);
  memset (h, 0xaa, (size_t) size.hidden * 4);
  vrg_layer_unpack (l, piece, samples, v);
  for (int k = 0; k < SAMPLES; k++)
    {
      memset (back, 0xaa, (size_t) (s->rows * words) * 8);
      vrg_layer_pack (l, piece, v, k, back);
      pack = pack && !memcmp (back, samples[k], (size_t) (s->rows * words) * 8);
    }
  vrg_layer_hidden_fields (l, piece, v, fh);
  vrg_layer_means (l, piece, fh, means);

  int32_t *mean_of = vrg_new (SAMPLES * units, 4, "means");
  for (int k = 0; k < SAMPLES; k++)
    {
      vrg_layer_get_hidden (l, piece, fh, k, x);
      vrg_layer_get_hidden (l, piece, means, k, mean_of + k * units);
      for (int64_t j = 0; j < units; j++)
        {
          int32_t field = b[j / places];
          for (int64_t t = 0; t < weights; t++)
            field += w[j / places * weights + t] * spin[k * sites + seen (m, j % places, t)];
          const int32_t mu = mean_of[k * units + j];
          fields = fields && x[j] == field;
          mean = mean && mu == vrg_mean (field);
          expected[l->weights + 1 + j / places] += mu;
          for (int64_t t = 0; t < weights; t++)
            expected[j / places * weights + t] += mu * spin[k * sites + seen (m, j % places, t)];
        }
      for (int64_t i = 0; i < sites; i++)
        expected[l->weights] += spin[k * sites + i] * VRG_FIXED_ONE;
    }
  const vrg_phase none = { .v = NULL }, phase = { piece, v, means };
  vrg_layer_gradient (l, phase, TIMES, none, sums);
  vrg_layer_gradient (l, none, TIMES, phase, sums + l->parameters);
  bool sum = true;
  for (int64_t i = 0; i < l->parameters; i++)
    sum = sum && sums[i] == TIMES * expected[i] && sums[l->parameters + i] == -expected[i];
  vrg_layer_gradient (l, phase, 1, phase, sums);
  for (int64_t i = 0; i < l->parameters; i++)
    sum = sum && sums[i] == TIMES * expected[i];

  /* hidden units drawn, in one piece and one by one; what they do to the visible ones */
  vrg_rng rng;
  vrg_rng_init (&rng, 5, 0, 0);
  vrg_layer_hidden_sample (l, &rng, piece, 17, 2, fh, h);
  for (int k = 0; k < SAMPLES; k++)
    {
      const vrg_piece one = vrg_piece_of (FIRST + k, 1);
      vrg_layer_hidden_fields (l, one, v + k * (size.visible - 2) / piece.lanes, fv);
      memset (packed + k * hidden_words, 0xaa, (size_t) hidden_words * 8);
      vrg_layer_pack_hidden (l, piece, h, k, packed + k * hidden_words);
      vrg_layer_unpack (l, one, samples + k, h2);
      vrg_layer_hidden_fields (l, one, h2, means);
      vrg_layer_hidden_sample (l, &rng, one, 17, 2, means, h2);
      vrg_layer_pack_hidden (l, one, h2, 0, back);
      drawn = drawn && !memcmp (back, hidden_samples[k], (size_t) hidden_words * 8);
      vrg_layer_get_hidden (l, piece, fh, k, x);
      for (int64_t j = 0; j < units; j++)
        {
          const int64_t word = j / row * ((row + 63) / 64) + j % row / 64;
          up[k * units + j] = packed[k * hidden_words + word] >> (j % row % 64) & 1 ? 1 : -1;
          const uint32_t number
            = number_of (&rng, VRG_RNG_HIDDEN, FIRST + k, s->filters, places, j / places, j % places);
          drawn = drawn && up[k * units + j] == (number < vrg_probability (x[j]) ? 1 : -1);
        }
    }
  memset (h2, 0xaa, (size_t) size.hidden * 4);
  vrg_layer_unpack_hidden (l, piece, hidden_samples, h2);
  pack = pack && !memcmp (h, h2, (size_t) (size.hidden - 2) / (size_t) piece.lanes * SAMPLES * 4);
  vrg_layer_visible_fields (l, piece, h, fv);
  for (int k = 0; k < SAMPLES; k++)
    {
      int32_t *field = vrg_new (sites, 4, "fields");
      for (int64_t j = 0; j < units; j++)
        for (int64_t t = 0; t < weights; t++)
          field[seen (m, j % places, t)] += w[j / places * weights + t] * up[k * units + j];
      vrg_layer_get_visible (l, piece, fv, k, x);
      for (int64_t i = 0; i < sites; i++)
        visible = visible && x[i] == a + field[i];
      vrg_free (field);
    }
  int32_t *v2 = vrg_new (size.visible, 4, "v");
  vrg_layer_visible_sample (l, &rng, piece, 17, 2, fv, v2);
  int64_t differ = 0;
  for (int k = 0; k < SAMPLES; k++)
    {
      vrg_layer_get_visible (l, piece, fv, k, x);
      vrg_layer_pack (l, piece, v2, k, back);
      for (int64_t i = 0; i < sites; i++)
        {
          const int64_t y = i / s->columns, c = i % s->columns;
          const uint32_t number = number_of (&rng, VRG_RNG_VISIBLE, FIRST + k, down * s->stride, places,
                                             y % down * s->stride + c % s->stride, y / down * columns + c / s->stride);
          const int drew = back[y * words + c / 64] >> (c % 64) & 1 ? 1 : -1;
          drawn = drawn && drew == (number < vrg_probability (x[i]) ? 1 : -1);
          differ += drew != spin[k * sites + i];
        }
    }
  drawn = drawn && vrg_layer_difference (l, piece, v, v2) == differ && vrg_layer_difference (l, piece, v, v) == 0;
  vrg_layer_hidden_fields (l, piece, v2, fh);

  /* a site's weights, summed over repetitions */
  const int64_t few = sites < 500 ? sites : 500;
  int64_t *index = vrg_new (vrg_layer_reach (l), 8, "index");
  int32_t *weight = vrg_new (vrg_layer_reach (l), 4, "weight"), *joined = vrg_new (few * units, 4, "matrix");
  for (int64_t j = 0; j < units; j++)
    for (int64_t t = 0; t < weights; t++)
      if (seen (m, j % places, t) < few)
        joined[seen (m, j % places, t) * units + j] += w[j / places * weights + t];
  for (int64_t i = 0; i < few; i++)
    {
      const int64_t n = vrg_layer_site (l, i, index, weight);
      for (int64_t k = 0; k < n; k++)
        joined[i * units + index[k]] -= weight[k];
      biases = biases && vrg_layer_visible_bias (l, i) == a;
    }
  for (int64_t i = 0; i < few * units; i++)
    see = see && joined[i] == 0;
  for (int64_t j = 0; j < units; j++)
    biases = biases && vrg_layer_hidden_bias (l, j) == b[j / places];

  uint64_t result = hash (UINT64_C (1469598103934665603), sums, 2 * l->parameters * 8);
  for (int k = 0; k < SAMPLES; k++)
    {
      vrg_layer_get_hidden (l, piece, fh, k, x);
      result = hash (result, x, units * 4);
    }
  if (report)
    check (
      good && pack && fields && mean && sum && visible && drawn && see && biases,
      "%lldx%lld, %lld of %lld, stride %lld: counts %d packing %d fields %d means %d gradient %d visible %d drawn %d "
      "site %d biases %d",
      (long long) s->rows, (long long) s->columns, (long long) s->filters, (long long) s->filter, (long long) s->stride,
      good, pack, fields, mean, sum, visible, drawn, see, biases);
  void *all[] = { w,  b,     bits, back, packed,   spin,    up, v,     h,      h2,    fv,
                  fh, means, x,    sums, expected, mean_of, v2, index, weight, joined };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    vrg_free (all[i]);
  vrg_layer_free (l);
  model_free (m);
  return result;
}

static void
try_paths (const shape *s)
{
  uint64_t result[3];
  for (int path = 0; path < 3; path++)
    {
      vrg_simd_set ((vrg_simd_path) path);
      result[path] = try_shape (s, path == 2);
    }
  check (result[0] == result[1] && result[0] == result[2], "the same bits on every path");
}

/** Images of weight i of a filter under the group of the square, or of the line: the orbit, each place once. */
static int
images (const vrg_model *m, int64_t i, int64_t orbit[8])
{
  const int64_t rows = vrg_model_filter_rows (m), n = m->filter;
  int count = 0;
  for (int g = 0; g < 8; g++)
    {
      int64_t y = i / n, x = i % n;
      if (g & 1)
        x = n - 1 - x;
      if (g & 2)
        y = rows - 1 - y;
      if (g & 4)
        {
          if (rows == 1)
            continue;
          const int64_t swap = x;
          x = y;
          y = swap;
        }
      bool new = true;
      for (int k = 0; k < count; k++)
        new = new &&orbit[k] != y *n + x;
      if (new)
        orbit[count++] = y * n + x;
    }
  return count;
}

/** ln (sum over h) of the joint weight, in doubles. */
static double
log_marginal (const vrg_model *m, uint64_t v)
{
  const int64_t places = vrg_model_hidden_rows (m) * (m->columns / m->stride), weights = filter_size (m);
  double sum = m->visible_bias[0] * (double) (2 * __builtin_popcountll (v) - m->rows * m->columns);
  for (int64_t j = 0; j < m->hidden * places; j++)
    {
      double x = m->hidden_bias[j / places];
      for (int64_t t = 0; t < weights; t++)
        x += m->weights[j / places * weights + t] * (v >> seen (m, j % places, t) & 1 ? 1 : -1);
      sum += log (2 * cosh (x));
    }
  return sum;
}

/** 2. */
static void
try_gradient (const shape *s, bool symmetric)
{
  state = 77;
  vrg_model *m = model_new (s, symmetric, 0.4);
  vrg_layer *l = vrg_layer_new (m, MPI_COMM_NULL);
  const int64_t sites = s->rows * s->columns, states = INT64_C (1) << sites;
  for (int64_t i = 0; i < l->weights; i++) /* numbers that rounding does not change */
    m->weights[i] = vrg_fixed (m->weights[i]) / (double) VRG_FIXED_ONE;
  for (int64_t f = 0; f < s->filters; f++)
    m->hidden_bias[f] = vrg_fixed (m->hidden_bias[f]) / (double) VRG_FIXED_ONE;
  bool good = vrg_layer_round (l);
  double *q = vrg_new (states, sizeof *q, "a law"), *g = vrg_new (l->parameters, sizeof *g, "a gradient"), total = 0;
  int64_t *sums = vrg_new (l->parameters, 8, "sums");
  for (int64_t k = 0; k < states; k++)
    total += q[k] = 1 + next () % 1000;
  const vrg_piece piece = vrg_piece_of (0, 1);
  const vrg_layer_size size = vrg_layer_sizes (l, piece.lanes);
  int32_t *v = vrg_new (size.visible, 4, "v"), *f = vrg_new (size.hidden_fields, 4, "f");
  for (int64_t k = 0; k < states; k++)
    {
      uint64_t rows[4];
      for (int64_t y = 0; y < s->rows; y++)
        rows[y] = (uint64_t) k >> (y * s->columns) & ((UINT64_C (1) << s->columns) - 1);
      vrg_layer_unpack (l, piece, (const uint64_t *[]){ rows }, v);
      vrg_layer_hidden_fields (l, piece, v, f);
      vrg_layer_means (l, piece, f, f);
      memset (sums, 0, (size_t) l->parameters * 8);
      vrg_layer_gradient (l, (vrg_phase){ piece, v, f }, 1, (vrg_phase){ .v = NULL }, sums);
      for (int64_t i = 0; i < l->parameters; i++)
        g[i] += q[k] / total * (double) sums[i] / VRG_FIXED_ONE;
    }
  double worst = 0;
  for (int64_t i = 0; i < l->parameters; i++)
    {
      const double step = 1e-3;
      const int64_t weights = filter_size (m);
      int64_t orbit[8] = { i % weights };
      const int n = i < l->weights && symmetric ? images (m, i % weights, orbit) : 1;
      double *const at = i < l->weights    ? m->weights + i / weights * weights
                         : i == l->weights ? m->visible_bias
                                           : m->hidden_bias + (i - l->weights - 1);
      if (i >= l->weights)
        orbit[0] = 0;
      double mean[2] = { 0 };
      for (int side = 0; side < 2; side++)
        {
          for (int k = 0; k < n; k++)
            at[orbit[k]] += side ? step : -step;
          for (int64_t k = 0; k < states; k++)
            mean[side] += q[k] / total * log_marginal (m, (uint64_t) k);
          for (int k = 0; k < n; k++)
            at[orbit[k]] -= side ? step : -step;
        }
      worst = fmax (worst, fabs ((mean[1] - mean[0]) / (2 * step) - g[i]) / (1 + fabs (g[i])));
    }
  check (good && worst < 1e-4, "%lldx%lld, %lld of %lld, stride %lld%s: the gradient is the slope (%.1e)",
         (long long) s->rows, (long long) s->columns, (long long) s->filters, (long long) s->filter,
         (long long) s->stride, symmetric ? ", tied" : "", worst);
  void *all[] = { q, g, sums, v, f };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    vrg_free (all[i]);
  vrg_layer_free (l);
  model_free (m);
}

/** 3.  Steps along the gradient from odd starting weights. */
static void
try_symmetric (const shape *s)
{
  state = 3;
  vrg_model *m = model_new (s, true, 0.1);
  vrg_layer *l = vrg_layer_new (m, MPI_COMM_NULL);
  const vrg_piece piece = vrg_piece_of (0, 16);
  const vrg_layer_size size = vrg_layer_sizes (l, piece.lanes);
  const int64_t words = s->rows * ((s->columns + 63) / 64), weights = filter_size (m);
  uint64_t *bits = vrg_new (16 * words, 8, "bits");
  const uint64_t *samples[16];
  int32_t *v = vrg_new (size.visible, 4, "v"), *f = vrg_new (size.hidden_fields, 4, "f");
  int64_t *sums = vrg_new (l->parameters, 8, "sums");
  double *moment = vrg_new (l->weights, 8, "moments");
  bool good = true, differ = false;
  for (int64_t i = 0; i < 16 * words; i++)
    bits[i] = ((uint64_t) next () << 40 ^ next ()) & ((UINT64_C (1) << s->columns) - 1);
  for (int k = 0; k < 16; k++)
    samples[k] = bits + k * words;
  for (int step = 0; step <= 20; step++)
    {
      for (int64_t i = 0; i < l->weights; i++)
        {
          int64_t orbit[8];
          for (int k = images (m, i % weights, orbit); k-- > 0;)
            good = good && m->weights[i / weights * weights + orbit[k]] == m->weights[i];
          differ = differ || m->weights[i] != m->weights[0];
        }
      good = good && vrg_layer_round (l);
      memset (sums, 0, (size_t) l->parameters * 8);
      vrg_layer_unpack (l, piece, samples, v);
      vrg_layer_hidden_fields (l, piece, v, f);
      vrg_layer_means (l, piece, f, f);
      vrg_layer_gradient (l, (vrg_phase){ piece, v, f }, 1, (vrg_phase){ .v = NULL }, sums);
      for (int64_t i = 0; i < l->weights; i++)
        {
          const double g = (double) sums[i] / VRG_FIXED_ONE / 16;
          moment[i] = 0.9 * moment[i] + 0.1 * (g - 0.01 * m->weights[i]);
          m->weights[i] += 0.001 * moment[i] / (sqrt (fabs (g)) + 1e-3);
        }
    }
  check (good && differ, "%lldx%lld, filter %lld: tied weights are equal to the bit, and stay so", (long long) s->rows,
         (long long) s->columns, (long long) s->filter);
  void *all[] = { bits, v, f, sums, moment };
  for (size_t i = 0; i < sizeof all / sizeof *all; i++)
    vrg_free (all[i]);
  vrg_layer_free (l);
  model_free (m);
}

/** 4.  Filters of one weight on a lattice of spins up: the field is weight + bias. */
static void
try_frequencies (void)
{
  enum
  {
    SIDE = 64,
    FILTERS = 16,
    ROUNDS = 64
  };
  state = 1;
  vrg_model *m = model_new (&(shape){ SIDE, SIDE, FILTERS, 1, 1 }, false, 1);
  for (int f = 0; f < FILTERS; f++)
    {
      m->weights[f] = 4.5 * (f - 7.5) / 7.5;
      m->hidden_bias[f] = 0.01;
    }
  vrg_layer *l = vrg_layer_new (m, MPI_COMM_NULL);
  const vrg_piece piece = vrg_piece_of (0, 1);
  const vrg_layer_size size = vrg_layer_sizes (l, piece.lanes);
  uint64_t bits[SIDE], hidden[FILTERS * SIDE];
  memset (bits, 0xff, sizeof bits);
  int32_t *v = vrg_new (size.visible, 4, "v"), *f = vrg_new (size.hidden_fields, 4, "f");
  int32_t *h = vrg_new (size.hidden, 4, "h");
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  const bool good = vrg_layer_round (l);
  vrg_layer_unpack (l, piece, (const uint64_t *[]){ bits }, v);
  vrg_layer_hidden_fields (l, piece, v, f);
  for (int path = 0; path < 3; path += 2)
    {
      vrg_simd_set ((vrg_simd_path) path);
      int64_t count[FILTERS] = { 0 };
      double worst = 0;
      for (int r = 0; r < ROUNDS; r++)
        {
          vrg_layer_hidden_sample (l, &rng, piece, r, path, f, h);
          vrg_layer_pack_hidden (l, piece, h, 0, hidden);
          for (int k = 0; k < FILTERS * SIDE; k++)
            count[k / SIDE] += __builtin_popcountll (hidden[k]);
        }
      for (int k = 0; k < FILTERS; k++)
        {
          const double n = (double) SIDE * SIDE * ROUNDS, p = (1 + tanh (m->weights[k] + 0.01)) / 2;
          worst = fmax (worst, fabs ((double) count[k] / n - p) / (sqrt (p * (1 - p) / n) + 3e-6));
        }
      check (good && worst < 5, "%s: units are +1 as often as tanh says (worst %.2f sigma)",
             vrg_simd_name ((vrg_simd_path) path), worst);
    }
  vrg_free (v);
  vrg_free (f);
  vrg_free (h);
  vrg_layer_free (l);
  model_free (m);
}

/** 4.  Units are drawn as the table of base/math.h says, by numbers at all distances from its thresholds. */
static void
try_thresholds (void)
{
  enum
  {
    N = 1 << 20
  };
  state = 9;
  int32_t *fields = vrg_new (N, 4, "fields");
  uint32_t *numbers = vrg_new (N, 4, "numbers");
  uint16_t *bits = vrg_new (N / 16, 2, "bits");
  for (int64_t i = 0; i < N; i++)
    {
      fields[i] = (int32_t) (next () << 1) >> (1 + next () % 20);
      numbers[i] = vrg_probability (fields[i]) + (uint32_t) ((int32_t) (next () << 1) >> next () % 32);
    }
  for (int path = 0; path < 3; path++)
    {
      vrg_simd_set ((vrg_simd_path) path);
      vrg_scan_sample (N / 16, fields, numbers, bits);
      bool good = true;
      for (int64_t i = 0; i < N; i++)
        good = good && (bits[i / 16] >> i % 16 & 1) == (numbers[i] < vrg_probability (fields[i]));
      check (good, "%s: units are drawn by the probabilities of base/math.h", vrg_simd_name ((vrg_simd_path) path));
    }
  vrg_free (fields);
  vrg_free (numbers);
  vrg_free (bits);
}

/** 5. */
static void
try_bound (void)
{
  vrg_model *m = model_new (&(shape){ 8, 8, 2, 4, 2 }, false, 0);
  vrg_layer *l = vrg_layer_new (m, MPI_COMM_NULL);
  m->visible_bias[0] = m->hidden_bias[0] = m->hidden_bias[1] = 0;
  m->weights[1] = -1000;
  m->hidden_bias[0] = 22.5;
  m->weights[18] = 900; /* the other filter, another phase */
  const bool below = vrg_layer_round (l);
  m->hidden_bias[0] = -23;
  const bool hidden = vrg_layer_round (l);
  m->hidden_bias[0] = 0;
  m->visible_bias[0] = 23;
  const bool visible = vrg_layer_round (l);
  m->visible_bias[0] = 0;
  m->weights[17] = 30;
  const bool filters = vrg_layer_round (l);
  m->weights[17] = 0;
  m->weights[0] = NAN;
  const bool nan = vrg_layer_round (l);
  m->weights[0] = -1e300;
  check (below && !hidden && !visible && !filters && !nan && !vrg_layer_round (l),
         "sums of weights up to the bound and no further");
  vrg_layer_free (l);
  model_free (m);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const shape shapes[] = {
    { 32, 32, 1, 8, 2 }, { 12, 20, 2, 3, 2 }, { 9, 15, 1, 5, 3 },  { 4, 6, 1, 17, 2 },    { 7, 7, 3, 4, 1 },
    { 6, 6, 1, 2, 3 },   { 6, 70, 1, 8, 2 },  { 3, 3, 2, 3, 1 },   { 4, 4, 4, 4, 2 },     { 40, 40, 1, 8, 2 },
    { 1, 16, 1, 2, 1 },  { 1, 16, 2, 1, 1 },  { 1, 30, 3, 7, 3 },  { 1, 66, 1, 5, 1 },    { 1, 12, 1, 31, 2 },
    { 5, 130, 2, 6, 1 }, { 8, 128, 1, 4, 2 }, { 10, 5, 1, 6, 5 },  { 2, 2, 1, 64, 1 },    { 1, 512, 1, 64, 64 },
    { 6, 3, 5, 2, 3 },   { 1, 3, 2, 2, 3 },   { 4, 192, 1, 9, 4 }, { 200, 200, 1, 2, 1 },
  };
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
    try_paths (&shapes[k]);
  for (int k = 0; k < 30; k++)
    {
      state = (uint64_t) k + 1;
      for (int i = 0; i < 10; i++)
        next ();
      const int64_t stride = 1 + next () % 4;
      const bool line = next () % 3 == 0;
      const shape s = { line ? 1 : stride * (1 + next () % 9), stride * (1 + next () % 22), 1 + next () % 3,
                        1 + next () % 12, stride };
      if (line || s.rows > 1)
        try_paths (&s);
    }
  const shape small[] = { { 3, 3, 1, 3, 1 }, { 3, 3, 2, 2, 1 }, { 4, 4, 1, 4, 2 }, { 4, 4, 2, 3, 2 },
                          { 1, 9, 2, 4, 1 }, { 1, 8, 1, 5, 2 }, { 2, 4, 1, 5, 1 } };
  for (size_t k = 0; k < sizeof small / sizeof *small; k++)
    for (int symmetric = 0; symmetric < 2; symmetric++)
      try_gradient (&small[k], symmetric);
  const shape tied[] = { { 16, 16, 1, 8, 2 }, { 9, 9, 2, 5, 3 }, { 1, 24, 2, 6, 2 } };
  for (size_t k = 0; k < sizeof tied / sizeof *tied; k++)
    try_symmetric (&tied[k]);
  try_frequencies ();
  try_thresholds ();
  try_bound ();
  return check_end ();
}
