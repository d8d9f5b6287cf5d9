/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * Integer products against plain loops over the definition in files/model.h: all of them are exact, so they must agree
 * in every bit, on every path. */
#include "train/layer.h"

#include "base/math.h"
#include "base/simd.h"
#include "tests/check.h"

#define SAMPLES 7

static uint64_t state = 12345;

static uint32_t
next (void)
{
  state = state * UINT64_C (6364136223846793005) + UINT64_C (1442695040888963407);
  return (uint32_t) (state >> 33);
}

typedef struct
{
  int type;
  int64_t rows, columns, hidden, filter, stride;
} shape;

static vrg_model *
model_new (const shape *s)
{
  vrg_model *m = vrg_new (1, sizeof *m, "model");
  const bool dense = s->type == VRG_MODEL_DENSE;
  const int64_t sites = s->rows * s->columns, weights = s->hidden * (dense ? sites : s->filter * s->filter);
  *m = (vrg_model){ .type = s->type,
                    .rows = s->rows,
                    .columns = s->columns,
                    .hidden = s->hidden,
                    .filter = s->filter,
                    .stride = s->stride,
                    .visible1 = sites };
  m->weights = vrg_new (weights, sizeof (double), "weights");
  m->visible_bias = vrg_new (dense ? sites : 1, sizeof (double), "bias");
  m->hidden_bias = vrg_new (s->hidden, sizeof (double), "bias");
  for (int64_t i = 0; i < weights; i++)
    m->weights[i] = ((double) next () / 2147483648.0 - 0.5) * 0.7;
  for (int64_t i = 0; i < (dense ? sites : 1); i++)
    m->visible_bias[i] = (double) next () / 2147483648.0 - 0.5;
  for (int64_t i = 0; i < s->hidden; i++)
    m->hidden_bias[i] = (double) next () / 2147483648.0 - 0.5;
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
wrap (int64_t a, int64_t n)
{
  return (a % n + n) % n;
}

/** All weights between visible sites and hidden units as a plain matrix [site][unit], and where each comes from. */
static int64_t
matrix (const vrg_model *m, int64_t *units, double **w)
{
  const int64_t sites = m->rows * m->columns;
  if (m->type == VRG_MODEL_DENSE)
    {
      *units = m->hidden;
      *w = vrg_new (sites * *units, sizeof (double), "matrix");
      for (int64_t i = 0; i < sites * *units; i++)
        (*w)[i] = vrg_fixed (m->weights[i]) / (double) VRG_FIXED_ONE;
      return sites;
    }
  const int64_t b = m->stride, hr = m->rows / b, hc = m->columns / b, o = (m->filter - b) / 2;
  *units = m->hidden * hr * hc;
  *w = vrg_new (sites * *units, sizeof (double), "matrix");
  for (int64_t j = 0; j < *units; j++)
    for (int64_t t = 0; t < m->filter * m->filter; t++)
      {
        const int64_t f = j / (hr * hc), y = j / hc % hr, x = j % hc;
        const int64_t row = wrap (b * y + t / m->filter - o, m->rows);
        const int64_t column = wrap (b * x + t % m->filter - o, m->columns);
        (*w)[(row * m->columns + column) * *units + j]
          += vrg_fixed (m->weights[f * m->filter * m->filter + t]) / (double) VRG_FIXED_ONE;
      }
  return sites;
}

/** Where a plain hidden unit or site is in a sample's fields. */
static int64_t
hidden_at (const vrg_layer *l, int64_t j)
{
  const vrg_convolution *c = &l->convolution;
  return l->model->type == VRG_MODEL_DENSE ? j : j / c->columns * c->pitch + j % c->columns;
}

static int64_t
visible_at (const vrg_layer *l, int64_t i)
{
  const vrg_convolution *c = &l->convolution;
  const int64_t b = l->model->stride, row = i / l->model->columns, column = i % l->model->columns;
  return l->model->type == VRG_MODEL_DENSE ? i
                                           : ((row % b * b + column % b) * c->rows + row / b) * c->pitch + column / b;
}

static uint64_t
hash (const void *data, int64_t bytes)
{
  uint64_t h = UINT64_C (1469598103934665603);
  for (int64_t i = 0; i < bytes; i++)
    h = (h ^ ((const unsigned char *) data)[i]) * UINT64_C (1099511628211);
  return h;
}

/** Everything a layer does with SAMPLES samples; hash of the results. */
static uint64_t
try_shape (const shape *s, bool report)
{
  state = 12345;
  vrg_model *m = model_new (s);
  vrg_layer *l = vrg_layer_new (m, MPI_COMM_NULL);
  bool good = vrg_layer_round (l);
  double *w;
  int64_t units;
  const int64_t sites = matrix (m, &units, &w), words = (s->columns + 63) / 64;
  const bool dense = s->type == VRG_MODEL_DENSE;

  uint64_t *bits = vrg_new (SAMPLES * s->rows * words, sizeof *bits, "bits");
  int *spin = vrg_new (SAMPLES * sites, sizeof *spin, "spins");
  for (int64_t i = 0; i < SAMPLES * sites; i++)
    {
      spin[i] = next () & 1024 ? 1 : -1;
      if (spin[i] == 1)
        bits[i / s->columns * words + i % s->columns / 64] |= UINT64_C (1) << (i % s->columns % 64);
    }
  int32_t *v = vrg_new (SAMPLES * l->visible_units, sizeof *v, "v"), *h = vrg_new (SAMPLES * l->hidden_units, 4, "h");
  int32_t *fv = vrg_new (SAMPLES * l->visible_fields, sizeof *fv, "fv");
  int32_t *fh = vrg_new (SAMPLES * l->hidden_fields, sizeof *fh, "fh");
  int32_t *means = vrg_new (SAMPLES * l->hidden_fields, sizeof *means, "means");
  int64_t *sums = vrg_new (l->parameters, sizeof *sums, "sums");
  for (int k = 0; k < SAMPLES; k++)
    vrg_layer_unpack (l, bits + k * s->rows * words, v + k * l->visible_units);
  vrg_layer_hidden_fields (l, SAMPLES, v, fh);
  vrg_layer_means (l, SAMPLES, fh, means);
  vrg_layer_gradient (l, SAMPLES, v, means, 1, sums);

  bool fields = true, mean = true, weights = true, visible = true, biases = true, site = true;
  for (int k = 0; k < SAMPLES; k++)
    for (int64_t j = 0; j < units; j++)
      {
        double x = vrg_fixed (m->hidden_bias[dense ? j : j / (units / s->hidden)]) / (double) VRG_FIXED_ONE;
        for (int64_t i = 0; i < sites; i++)
          x += w[i * units + j] * spin[k * sites + i];
        const int64_t at = k * l->hidden_fields + hidden_at (l, j);
        fields = fields && fh[at] == x * VRG_FIXED_ONE;
        mean = mean && means[at] == vrg_mean (fh[at]) && fabs (means[at] / (double) VRG_FIXED_ONE - tanh (x)) < 8e-6;
      }

  /* the gradient: derivative of sum_j mean_j x_j in each parameter, by which (site, unit) pairs it joins */
  double *expected = vrg_new (l->parameters, sizeof *expected, "expected");
  for (int k = 0; k < SAMPLES; k++)
    {
      for (int64_t j = 0; j < units; j++)
        {
          const double mj = means[k * l->hidden_fields + hidden_at (l, j)];
          const int64_t f = dense ? j : j / (units / s->hidden);
          expected[l->weights + l->visible_biases + f] += mj;
          if (dense)
            for (int64_t i = 0; i < sites; i++)
              expected[i * units + j] += mj * spin[k * sites + i];
          else
            for (int64_t t = 0; t < s->filter * s->filter; t++)
              {
                const int64_t b = s->stride, hr = s->rows / b, hc = s->columns / b, o = (s->filter - b) / 2;
                const int64_t row = wrap (b * (j / hc % hr) + t / s->filter - o, s->rows);
                const int64_t column = wrap (b * (j % hc) + t % s->filter - o, s->columns);
                expected[f * s->filter * s->filter + t] += mj * spin[k * sites + row * s->columns + column];
              }
        }
      for (int64_t i = 0; i < sites; i++)
        expected[l->weights + (dense ? i : 0)] += (double) spin[k * sites + i] * VRG_FIXED_ONE;
    }
  for (int64_t i = 0; i < l->parameters; i++)
    if (i < l->weights)
      weights = weights && (double) sums[i] == expected[i];
    else
      biases = biases && (double) sums[i] == expected[i];

  /* hidden units drawn; what they do to the visible ones */
  vrg_rng rng;
  vrg_rng_init (&rng, 5, 0, 0);
  vrg_layer_hidden_sample (l, &rng, 3, SAMPLES, 17, 2, fh, h);
  vrg_layer_visible_fields (l, SAMPLES, h, fv);
  bool drawn = true;
  for (int k = 0; k < SAMPLES; k++)
    {
      int *up = vrg_new (units, sizeof *up, "units");
      for (int64_t j = 0; j < units; j++)
        {
          uint64_t u[2];
          const int64_t at = hidden_at (l, j);
          vrg_rng_block (&rng, VRG_RNG_HIDDEN, (uint64_t) ((3 + k) * l->hidden_blocks + at / 4), 17, 2, u);
          const uint32_t number = (uint32_t) (u[at % 4 / 2] >> 32 * (at % 2));
          up[j] = number < vrg_probability (fh[k * l->hidden_fields + at]) ? 1 : -1;
          if (dense)
            drawn = drawn && h[k * l->hidden_units + at] == -(up[j] == 1);
        }
      for (int64_t i = 0; i < sites; i++)
        {
          double x = vrg_fixed (m->visible_bias[dense ? i : 0]) / (double) VRG_FIXED_ONE;
          for (int64_t j = 0; j < units; j++)
            x += w[i * units + j] * up[j];
          visible = visible && fv[k * l->visible_fields + visible_at (l, i)] == x * VRG_FIXED_ONE;
        }
      vrg_free (up);
    }
  vrg_layer_visible_sample (l, &rng, 3, SAMPLES, 17, 2, fv, v);
  vrg_layer_hidden_fields (l, SAMPLES, v, fh);

  /* a site's weights, summed over repetitions, are its row of the matrix */
  int64_t *index = vrg_new (vrg_layer_reach (l), sizeof *index, "index");
  int32_t *weight = vrg_new (vrg_layer_reach (l), sizeof *weight, "weight");
  for (int64_t i = 0; i < sites; i++)
    {
      int one;
      double *row = vrg_new (l->hidden_fields, sizeof *row, "row");
      const int64_t n = vrg_layer_site (l, i, v, &one, index, weight);
      for (int64_t k = 0; k < n; k++)
        row[index[k]] += weight[k] / (double) VRG_FIXED_ONE;
      for (int64_t j = 0; j < units; j++)
        site = site && row[hidden_at (l, j)] == w[i * units + j];
      vrg_free (row);
    }
  uint64_t result = hash (sums, l->parameters * 8);
  for (int64_t k = 0; k < SAMPLES; k++)
    for (int64_t j = 0; j < units; j++)
      result = result * 31 + (uint64_t) fh[k * l->hidden_fields + hidden_at (l, j)];
  if (report)
    check (good && fields && mean && weights && biases && visible && drawn && site,
           "%s %lldx%lld, hidden %lld, filter %lld, stride %lld: fields %d means %d gradient %d %d visible %d site %d",
           dense ? "dense" : "convolution", (long long) s->rows, (long long) s->columns, (long long) s->hidden,
           (long long) s->filter, (long long) s->stride, fields, mean, weights, biases, visible, site);
  vrg_free (w);
  vrg_free (bits);
  vrg_free (spin);
  vrg_free (v);
  vrg_free (h);
  vrg_free (fv);
  vrg_free (fh);
  vrg_free (means);
  vrg_free (sums);
  vrg_free (expected);
  vrg_free (index);
  vrg_free (weight);
  vrg_layer_free (l);
  model_free (m);
  return result;
}

/** The vector forms of the table's probability and mean, fields of every size, ends of arrays. */
static void
try_table (void)
{
  enum
  {
    N = 1 << 16
  };
  int32_t *fields = vrg_new (N, 4, "fields"), *units = vrg_new (N, 4, "units"), *means = vrg_new (N, 4, "means");
  uint32_t *random = vrg_new (N, 4, "random");
  for (int64_t i = 0; i < N; i++)
    {
      fields[i] = (int32_t) (next () << 1) >> (1 + next () % 20);
      random[i] = vrg_probability (fields[i]) - (next () & 1); /* the threshold itself and the number below */
    }
  vrg_product_sample (N - 5, fields, random, units);
  vrg_product_mean (N, fields, means);
  bool sample = units[N - 5] == 0, mean = true;
  for (int64_t i = 0; i < N; i++)
    {
      sample = sample && (i >= N - 5 || units[i] == (random[i] < vrg_probability (fields[i]) ? -1 : 0));
      mean = mean && means[i] == vrg_mean (fields[i]);
    }
  check (sample && mean, "%s: probabilities and means are those of base/math.h", vrg_simd_name (vrg_simd ()));
  vrg_free (fields);
  vrg_free (units);
  vrg_free (means);
  vrg_free (random);
}

/** Sums of weights at or above the bound, and what is not a number, are refused. */
static void
try_bound (void)
{
  const shape dense = { VRG_MODEL_DENSE, 4, 4, 3, 0, 0 }, filter = { VRG_MODEL_CONVOLUTION, 8, 8, 1, 4, 2 };
  for (int type = 0; type < 2; type++)
    {
      vrg_model *m = model_new (type ? &filter : &dense);
      vrg_layer *l = vrg_layer_new (m, MPI_COMM_NULL);
      for (int64_t i = 0; i < l->weights; i++)
        m->weights[i] = 0;
      for (int64_t i = 0; i < l->visible_biases; i++)
        m->visible_bias[i] = 0;
      m->weights[1] = -1000;
      m->hidden_bias[type ? 0 : 1] = 22.5;
      const bool below = vrg_layer_round (l);
      m->hidden_bias[type ? 0 : 1] = -23;
      const bool hidden = vrg_layer_round (l);
      m->hidden_bias[type ? 0 : 1] = 0;
      m->visible_bias[0] = 23;
      const bool visible = vrg_layer_round (l);
      m->visible_bias[0] = 0;
      m->weights[0] = NAN;
      const bool nan = vrg_layer_round (l);
      m->weights[0] = -1e300;
      check (below && !hidden && !visible && !nan && !vrg_layer_round (l),
             "%s: sums of weights up to the bound and no further", type ? "convolution" : "dense");
      vrg_layer_free (l);
      model_free (m);
    }
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const shape shapes[] = {
    { VRG_MODEL_DENSE, 4, 4, 1, 0, 0 },         { VRG_MODEL_DENSE, 5, 7, 16, 0, 0 },
    { VRG_MODEL_DENSE, 9, 67, 37, 0, 0 },       { VRG_MODEL_CONVOLUTION, 32, 32, 1, 8, 2 },
    { VRG_MODEL_CONVOLUTION, 12, 20, 2, 3, 2 }, { VRG_MODEL_CONVOLUTION, 9, 15, 1, 5, 3 },
    { VRG_MODEL_CONVOLUTION, 4, 6, 1, 17, 2 },  { VRG_MODEL_CONVOLUTION, 7, 7, 3, 4, 1 },
    { VRG_MODEL_CONVOLUTION, 6, 6, 1, 2, 3 },   { VRG_MODEL_CONVOLUTION, 6, 70, 1, 8, 2 },
  };
  const vrg_simd_path best = vrg_simd ();
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
    {
      uint64_t result[3];
      for (int path = 0; path < 3; path++)
        {
          vrg_simd_set ((vrg_simd_path) path);
          result[path] = try_shape (&shapes[k], path == 2);
        }
      check (result[0] == result[1] && result[0] == result[2], "the same bits on every path");
    }
  for (int path = 0; path <= (int) best; path++)
    {
      vrg_simd_set ((vrg_simd_path) path);
      try_table ();
    }
  try_bound ();
  return check_end ();
}
