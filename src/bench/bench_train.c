/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of training. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/param.h"
#include "base/progress.h"
#include "bench/bench_blas.h"
#include "bench/bench_internal.h"
#include "bench/bench_sample.h"
#include "bench/bench_script.h"
#include "bench/reference.h"
#include "train/trainer.h"

#define GIGA 1e9
#define BATCHES 4 /* of an epoch */

/* ---- a model in training ---- */

typedef struct
{
  vrg_input *input;
  vrg_dataset *dataset;
  vrg_model *model;
  vrg_trainer *trainer;
} trainee;

static void
trainee_free (trainee *t)
{
  if (t == NULL)
    return;
  vrg_trainer_free (t->trainer);
  vrg_model_free (t->model);
  vrg_dataset_free (t->dataset);
  vrg_free (t->input);
  vrg_free (t);
}

/** This rank's share of the training set, as vrg_dataset_open reads it, but critical configurations of a chain of its
 *  own: side x side <= 64 x 64, rows of one word. */
static vrg_dataset *
take_samples (const vrg_bench_run *run, const vrg_grid *grid, const vrg_input *input)
{
  const int64_t side = input->size[0];
  const bool full = input->model == VRG_MODEL_DENSE && input->batch >= (int64_t) VRG_LAYER_LANES * grid->groups;
  int64_t row0, row1;
  vrg_dataset *d = vrg_new (1, sizeof *d, "a dataset");
  *d = (vrg_dataset){ .samples = BATCHES * input->batch, .batch = input->batch, .updates = BATCHES };
  vrg_grid_share (d->batch, full ? VRG_LAYER_LANES : 1, grid->groups, grid->group, &d->position0, &d->position1);
  vrg_grid_span (side, grid->strips, grid->strip, &row0, &row1);
  d->sample0 = vrg_dataset_stratum (d, d->position0);
  d->sample1 = vrg_dataset_stratum (d, d->position1);
  d->words = row1 - row0;
  d->spins = vrg_new ((d->sample1 - d->sample0) * d->words, sizeof *d->spins, "configurations");
  d->order = vrg_new (d->sample1 - d->sample0, sizeof *d->order, "the order of configurations");

  vrg_bench_sample s;
  uint64_t lattice[64];
  vrg_bench_sample_begin (&s, run, false, 2, side, side, 20);
  for (int64_t i = 0; i < d->sample1 - d->sample0; i++)
    {
      vrg_bench_cluster_work (&s);
      vrg_lattice_pack (s.lattice, lattice);
      memcpy (d->spins + i * d->words, lattice + row0, (size_t) d->words * sizeof *lattice);
    }
  vrg_bench_sample_end (&s);
  return d;
}

/** The model of [train] `settings`, without biases, on the grid.  Collective over it. */
static int
trainee_new (const vrg_bench_run *run, const vrg_grid *grid, int side, const char *settings, trainee **out)
{
  char text[512];
  vrg_rng rng;
  trainee *t = *out = vrg_new (1, sizeof *t, "a benchmark");
  t->input = vrg_new (1, sizeof *t->input, "an input");
  snprintf (text, sizeof text, "[lattice]\nsize = %d\n[sample]\nconfigurations = 10000\n[train]\nbiases = no\n%s", side,
            settings);
  vrg_rng_init (&rng, 1, 0, VRG_USE_TRAIN);
  int code = vrg_param_parse ("bench", text, 0, NULL, t->input);
  if (code == VRG_OK)
    code = vrg_layer_start (t->input, 0, NULL, grid->strips, grid->strip, &rng, &t->model);
  if (code != VRG_OK)
    return code;
  t->dataset = take_samples (run, grid, t->input);
  t->trainer = vrg_trainer_new (grid, t->input, t->dataset, 0, t->model);
  return vrg_trainer_resume (t->trainer, 0) ? VRG_OK : VRG_INTERNAL;
}

/** One update, as the train stage does it. */
static uint64_t
train_work (void *state)
{
  trainee *t = state;
  if (!vrg_trainer_update (t->trainer))
    vrg_fail_one (VRG_INTERNAL, "bench: training diverged");
  return (uint64_t) (t->model->weights[0] * 0x1p30);
}

/* ---- convolution ---- */

typedef struct
{
  int64_t batch;
  int8_t *spins;
  vrg_reference_convolution plain;
} scalar_state;

static uint64_t
scalar_work (void *state)
{
  scalar_state *s = state;
  vrg_reference_convolution_update (&s->plain, (int) s->batch, s->spins, 1e-3f);
  return (uint64_t) (s->plain.weight[0] * 0x1p30f);
}

int
vrg_bench_convolution (const vrg_bench_run *run)
{
  enum
  {
    SIDE = 32,
    BATCH = 50
  };
  trainee *t = NULL;
  vrg_grid *alone = vrg_grid_new (MPI_COMM_SELF, 1);
  const int code = trainee_new (run, alone, SIDE,
                                "model = convolution\nhidden = 1\nfilter = 8\nstride = 2\nsteps = 3\nbatch = 50\n"
                                "optimiser = adam\nlearning_rate = 0.001\n",
                                &t);
  if (code == VRG_OK)
    {
      scalar_state s = { .batch = BATCH, .spins = vrg_new (BATCH * SIDE * SIDE, 1, "spins") };
      for (int64_t i = 0; i < BATCH * SIDE * SIDE; i++)
        s.spins[i] = (int8_t) (t->dataset->spins[i / SIDE] >> i % SIDE & 1 ? 1 : -1);
      vrg_reference_convolution_init (&s.plain, SIDE, 8, 2, 3);
      vrg_bench_rows (run, "convolution", "L=32 filter=8 stride=2 k=3 b=50", vrg_simd (), train_work, t, scalar_work,
                      &s, BATCH, "samples/s", "scalar float", VRG_BENCH_MORE, NULL);
      vrg_reference_convolution_clear (&s.plain);
      vrg_free (s.spins);
    }
  trainee_free (t);
  vrg_grid_free (alone);
  return code;
}

/* ---- products ---- */

enum
{
  VISIBLE = 1600,
  HIDDEN = 400,
  HIDDEN_WORDS = (HIDDEN + 63) / 64
};

/** A batch's products by the layer and by sgemm. */
typedef struct
{
  vrg_layer *layer;
  int64_t batch;
  const uint64_t **visible; /* [batch] */
  uint64_t *hidden_bits;
  const uint64_t **hidden; /* [batch] */
  vrg_layer_size size;
  int32_t *v, *h, *fields, *means; /* of a piece; means of all pieces */
  int64_t *sums;
  vrg_blas blas;
  double best; /* seconds of the fastest sgemm */
  float *visible_units, *hidden_units, *weights, *result;
} product_state;

static vrg_piece
piece_at (const product_state *s, int64_t at)
{
  return vrg_piece_of (at, s->batch - at < VRG_PIECE_MOST ? s->batch - at : VRG_PIECE_MOST);
}

/** v W: weights rounded, samples unpacked, fields. */
static uint64_t
hidden_work (void *state)
{
  product_state *s = state;
  vrg_layer_round (s->layer);
  for (int64_t at = 0; at < s->batch; at += VRG_PIECE_MOST)
    {
      const vrg_piece piece = piece_at (s, at);
      vrg_layer_unpack (s->layer, piece, s->visible + at, s->v);
      vrg_layer_hidden_fields (s->layer, piece, s->v, s->fields);
    }
  return (uint64_t) s->fields[0];
}

/** h W^T. */
static uint64_t
visible_work (void *state)
{
  product_state *s = state;
  vrg_layer_round (s->layer);
  for (int64_t at = 0; at < s->batch; at += VRG_PIECE_MOST)
    {
      const vrg_piece piece = piece_at (s, at);
      vrg_layer_unpack_hidden (s->layer, piece, s->hidden + at, s->h);
      vrg_layer_visible_fields (s->layer, piece, s->h, s->fields);
    }
  return (uint64_t) s->fields[0];
}

/** V^T P. */
static uint64_t
gradient_work (void *state)
{
  product_state *s = state;
  memset (s->sums, 0, (size_t) s->layer->parameters * sizeof *s->sums);
  for (int64_t at = 0; at < s->batch; at += VRG_PIECE_MOST)
    {
      const vrg_phase data = { piece_at (s, at), s->v, s->means + at / VRG_PIECE_MOST * s->size.hidden_fields };
      vrg_layer_unpack (s->layer, data.piece, s->visible + at, s->v);
      vrg_layer_gradient (s->layer, data, 1, (vrg_phase){ .v = NULL }, s->sums);
    }
  return (uint64_t) s->sums[0];
}

static uint64_t
sgemm (product_state *s, int m, int n, int k, const float *a, bool a_transposed, const float *b, bool b_transposed)
{
  const double begin = vrg_clock ();
  vrg_blas_product (&s->blas, m, n, k, a, a_transposed, b, b_transposed, s->result);
  const double seconds = vrg_clock () - begin;
  s->best = seconds < s->best ? seconds : s->best;
  return (uint64_t) fabsf (s->result[0]);
}

static uint64_t
hidden_sgemm (void *state)
{
  product_state *s = state;
  return sgemm (s, (int) s->batch, HIDDEN, VISIBLE, s->visible_units, false, s->weights, false);
}

static uint64_t
visible_sgemm (void *state)
{
  product_state *s = state;
  return sgemm (s, (int) s->batch, VISIBLE, HIDDEN, s->hidden_units, false, s->weights, true);
}

static uint64_t
gradient_sgemm (void *state)
{
  product_state *s = state; /* P of any values: hidden units */
  return sgemm (s, VISIBLE, HIDDEN, (int) s->batch, s->visible_units, true, s->hidden_units, false);
}

/** Arrays of both sides. */
static void
product_begin (product_state *s, trainee *t, int64_t batch)
{
  const int64_t pieces = (batch + VRG_PIECE_MOST - 1) / VRG_PIECE_MOST, side = t->model->columns;
  vrg_layer *layer = t->trainer->layer;
  *s = (product_state){ .layer = layer, .batch = batch, .size = vrg_layer_sizes (layer, VRG_PIECE_MOST) };
  const int64_t fields
    = s->size.hidden_fields > s->size.visible_fields ? s->size.hidden_fields : s->size.visible_fields;
  s->v = vrg_new (s->size.visible, sizeof *s->v, "units");
  s->h = vrg_new (s->size.hidden, sizeof *s->h, "units");
  s->fields = vrg_new (fields, sizeof *s->fields, "fields");
  s->means = vrg_new (pieces * s->size.hidden_fields, sizeof *s->means, "means");
  s->hidden_bits = vrg_new (batch * (HIDDEN_WORDS + 1), sizeof *s->hidden_bits, "hidden units");
  s->sums = vrg_new (layer->parameters, sizeof *s->sums, "a gradient");
  s->visible = vrg_new (batch, sizeof *s->visible, "samples");
  s->hidden = vrg_new (batch, sizeof *s->hidden, "hidden units");
  s->visible_units = vrg_new (batch * VISIBLE, sizeof (float), "units");
  s->hidden_units = vrg_new (batch * HIDDEN, sizeof (float), "units");
  s->weights = vrg_new (VISIBLE * HIDDEN, sizeof (float), "weights");
  s->result = vrg_new ((batch > HIDDEN ? batch : HIDDEN) * VISIBLE, sizeof (float), "a product");
  vrg_rng_fill (&t->trainer->rng, VRG_RNG_TEST, 0, batch * (HIDDEN_WORDS + 1) / 2, 0, 0, s->hidden_bits);
  for (int64_t i = 0; i < batch; i++)
    {
      uint64_t *h = s->hidden_bits + i * HIDDEN_WORDS;
      s->visible[i] = t->dataset->spins + i * t->dataset->words;
      h[HIDDEN_WORDS - 1] &= ~UINT64_C (0) >> (64 * HIDDEN_WORDS - HIDDEN);
      s->hidden[i] = h;
      for (int64_t j = 0; j < HIDDEN; j++)
        s->hidden_units[i * HIDDEN + j] = h[j / 64] >> j % 64 & 1 ? 1 : -1;
      for (int64_t j = 0; j < VISIBLE; j++)
        s->visible_units[i * VISIBLE + j] = s->visible[i][j / side] >> j % side & 1 ? 1 : -1;
    }
  for (int64_t i = 0; i < VISIBLE; i++)
    for (int64_t j = 0; j < HIDDEN; j++)
      s->weights[i * HIDDEN + j] = (float) t->model->weights[j * VISIBLE + i];
  for (int64_t at = 0; at < batch; at += VRG_PIECE_MOST)
    {
      vrg_layer_unpack (layer, piece_at (s, at), s->visible + at, s->v);
      vrg_layer_hidden_fields (layer, piece_at (s, at), s->v, s->fields);
      vrg_layer_means (layer, piece_at (s, at), s->fields, s->means + at / VRG_PIECE_MOST * s->size.hidden_fields);
    }
}

static void
product_end (product_state *s)
{
  void *const arrays[] = { s->v,       s->h,      s->fields, s->means,         s->hidden_bits,  s->sums,
                           s->visible, s->hidden, s->result, s->visible_units, s->hidden_units, s->weights };
  for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
    vrg_free (arrays[i]);
}

int
vrg_bench_product (const vrg_bench_run *run)
{
  static const struct
  {
    const char *of;
    vrg_bench_work *work, *sgemm;
  } products[] = { { "hidden", hidden_work, hidden_sgemm },
                   { "visible", visible_work, visible_sgemm },
                   { "gradient", gradient_work, gradient_sgemm } };
  static const int64_t batches[] = { 1000, 100 };
  static const char unit[] = "G multiply-adds/s";
  trainee *t = NULL;
  product_state s;
  vrg_blas blas;
  vrg_grid *alone = vrg_grid_new (MPI_COMM_SELF, 1);
  const int code = trainee_new (run, alone, 40, "model = dense\nhidden = 400\nbatch = 1000\n", &t);
  int there = vrg_blas_open (&blas);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &there, 1, MPI_INT, MPI_MIN, run->grid->world));
  if (!there)
    vrg_info ("product: no reference: libopenblas.so.0 cannot be loaded (Debian: libopenblas0)");
  for (int b = 0; b < 2 && code == VRG_OK; b++)
    {
      product_begin (&s, t, batches[b]);
      s.blas = blas;
      const double scale = (double) s.batch * VISIBLE * HIDDEN / GIGA;
      for (int p = 0; p < 3; p++)
        {
          char of[64];
          double rates[2];
          snprintf (of, sizeof of, "%dx%d b=%lld %s", VISIBLE, HIDDEN, (long long) s.batch, products[p].of);
          s.best = INFINITY;
          if (!there)
            {
              vrg_bench_put (run, "product", of, vrg_simd (), run->grid->size,
                             vrg_bench_rate (run, products[p].work, &s) * scale, unit, "none", NAN, VRG_BENCH_MORE);
              continue;
            }
          vrg_bench_rows (run, "product", of, VRG_SIMD_PORTABLE, products[p].work, &s, products[p].sgemm, &s, scale,
                          unit, blas.name, VRG_BENCH_MORE, rates);
          const double part = rates[1] / run->grid->size * s.best / scale;
          if (part < 0.9)
            vrg_warn ("product %s: sgemm's median is only %.0f %% of its fastest call: the machine is not quiet", of,
                      100 * part);
        }
      product_end (&s);
    }
  vrg_blas_close (&blas);
  trainee_free (t);
  vrg_grid_free (alone);
  return code;
}

/* ---- updates of dense models ---- */

enum
{
  SCRIPTS = 2
};
static const char *const scripts[SCRIPTS] = { "rbm_numpy.py", "rbm_torch.py" };
static const char *const modules[SCRIPTS]
  = { "NumPy (Debian: python3-numpy; pip install numpy)", "PyTorch (pip install torch)" };

/** Run a script on every rank at the same time and keep its rate, of all ranks together, if it is better than before.
 *  false if a rank could not: the reason is logged.  Collective. */
static bool
ask_script (const vrg_bench_run *run, int script, const char *arguments, vrg_script_result *best)
{
  vrg_script_result result = { .rate = 0 };
  char why[512] = "a rank could not run it";
  int works = vrg_script_run (scripts[script], arguments, &result, why);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &works, 1, MPI_INT, MPI_MIN, run->grid->world));
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &result.rate, 1, MPI_DOUBLE, MPI_SUM, run->grid->world));
  if (!works)
    vrg_info ("train: no reference %s: %s; it needs %s", scripts[script], why, modules[script]);
  else if (!(result.rate <= best->rate))
    *best = result;
  return works;
}

int
vrg_bench_train (const vrg_bench_run *run)
{
  static const struct
  {
    int side, hidden, batch, steps;
  } cases[] = { { 16, 64, 100, 1 }, { 32, 256, 128, 1 }, { 32, 1024, 128, 10 } };
  bool there[SCRIPTS] = { true, true };
  vrg_grid *alone = vrg_grid_new (MPI_COMM_SELF, 1);
  int code = VRG_OK;
  for (size_t i = 0; i < sizeof cases / sizeof *cases && code == VRG_OK; i++)
    {
      trainee *t = NULL;
      char text[256], of[64];
      const int visible = cases[i].side * cases[i].side, hidden = cases[i].hidden, batch = cases[i].batch,
                steps = cases[i].steps;
      snprintf (
        text, sizeof text,
        "model = dense\nhidden = %d\nbatch = %d\nsteps = %d\noptimiser = sgd\nlearning_rate = 0.001\nmomentum = 0.9\n",
        hidden, batch, steps);
      code = trainee_new (run, alone, cases[i].side, text, &t);
      if (code != VRG_OK)
        break;
      vrg_script_result results[SCRIPTS] = { { .rate = NAN, .name = "none" }, { .rate = NAN } };
      snprintf (text, sizeof text, "%d %d %d %d 1", visible, hidden, batch, steps);
      for (int k = 0; k < SCRIPTS; k++)
        there[k] = there[k] && ask_script (run, k, text, &results[k]);
      const double rate = vrg_bench_rate (run, train_work, t);
      for (int k = SCRIPTS - 1; k >= 0; k--)
        there[k] = there[k] && ask_script (run, k, text, &results[k]);
      snprintf (of, sizeof of, "%d-%d b=%d k=%d", visible, hidden, batch, steps);
      for (int k = 0; k < SCRIPTS; k++)
        if (k == 0 || there[k])
          vrg_bench_put (run, "train", of, vrg_simd (), run->grid->size, rate, "updates/s", results[k].name,
                         results[k].rate, VRG_BENCH_MORE);
      trainee_free (t);
    }
  vrg_grid_free (alone);
  return code;
}

int
vrg_bench_train_ranks (const vrg_bench_run *run)
{
  enum
  {
    SIDE = 40
  };
  static const char settings[]
    = "model = dense\nhidden = 400\nbatch = 200\noptimiser = sgd\nlearning_rate = 0.001\nmomentum = 0.9\n";
  const int ranks = run->grid->size, cut = ranks <= SIDE / 2 ? ranks : 1;
  trainee *one = NULL, *shared = NULL, *strips = NULL;
  vrg_grid *alone = vrg_grid_new (MPI_COMM_SELF, 1), *stripped = vrg_grid_new (run->grid->world, cut);
  int code = trainee_new (run, alone, SIDE, settings, &one);
  if (code == VRG_OK)
    code = trainee_new (run, run->grid, SIDE, settings, &shared);
  if (code == VRG_OK)
    code = trainee_new (run, stripped, SIDE, settings, &strips);
  if (code == VRG_OK)
    {
      vrg_bench_item items[] = { { train_work, one, vrg_simd (), VRG_BENCH_ALONE, 0, 0 },
                                 { train_work, shared, vrg_simd (), VRG_BENCH_TOGETHER, 0, 0 },
                                 { train_work, strips, vrg_simd (), VRG_BENCH_TOGETHER, 0, 0 } };
      vrg_bench_measure (run, 3, items);
      for (int i = 1; i < 3; i++)
        {
          char of[64];
          snprintf (of, sizeof of, "1600-400 b=200 k=1 strips=%d", i == 1 ? 1 : cut);
          vrg_bench_put (run, "train-ranks", of, vrg_simd (), ranks, items[i].rate, "updates/s", "one rank",
                         items[0].rate, VRG_BENCH_MORE);
        }
    }
  trainee_free (strips);
  trainee_free (shared);
  trainee_free (one);
  vrg_grid_free (stripped);
  vrg_grid_free (alone);
  return code;
}
