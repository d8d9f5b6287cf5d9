/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of training. */
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/param.h"
#include "bench/bench_internal.h"
#include "bench/bench_sample.h"
#include "bench/reference.h"
#include "train/gradient.h"
#include "train/layer.h"
#include "train/optimiser.h"

enum
{
  BATCH = 50,
  VISIBLE = 32
};

typedef struct
{
  vrg_layer *layer;
  vrg_gradient *gradient;
  vrg_optimise optimise;
  vrg_rng rng;
  int64_t update, wrong, *sums;
  double *moments;
  uint64_t bits[BATCH][VISIBLE]; /* a row is one word */
  const uint64_t *samples[BATCH];
  int8_t spins[BATCH][VISIBLE * VISIBLE];
  vrg_reference_convolution plain;
} train_state;

/** One update, as the train stage does it on one rank. */
static uint64_t
train_work (void *state)
{
  train_state *s = state;
  int64_t n = s->layer->parameters;
  memset (s->sums, 0, (size_t) n * sizeof *s->sums);
  vrg_gradient_cd (s->gradient, s->layer, &s->rng, 3, s->update++, 0, BATCH, s->samples, s->sums, &s->wrong);
  vrg_optimise_begin (&s->optimise);
  vrg_optimise_move (&s->optimise, s->layer->weights, s->sums, 1.0 / ((double) BATCH * VRG_FIXED_ONE), true, s->moments,
                     s->moments + n, s->layer->model->weights);
  if (!vrg_layer_round (s->layer))
    vrg_fail_one (VRG_INTERNAL, "bench: training diverged");
  return (uint64_t) s->sums[0];
}

static uint64_t
train_plain (void *state)
{
  train_state *s = state;
  vrg_reference_convolution_update (&s->plain, BATCH, s->spins[0], 1e-3f);
  return (uint64_t) (s->plain.weight[0] * 0x1p30f);
}

int
vrg_bench_convolution (const vrg_bench_run *run)
{
  static const char text[]
    = "[lattice]\nsize = 32\n[couplings]\nnn = critical\n[sample]\nconfigurations = 1000\n"
      "[train]\nmodel = convolution\nhidden = 1\nfilter = 8\nstride = 2\nbiases = no\nsteps = 3\n"
      "batch = 50\noptimiser = adam\nlearning_rate = 0.001\n";
  vrg_input *input = vrg_new (1, sizeof *input, "an input");
  train_state *s = vrg_new (1, sizeof *s, "a benchmark");
  vrg_model *model = NULL;
  vrg_bench_sample sample;
  vrg_bench_sample_begin (&sample, run, false, 2, VISIBLE, VISIBLE, 20);
  for (int i = 0; i < BATCH; i++)
    {
      vrg_bench_cluster_work (&sample);
      vrg_lattice_pack (sample.lattice, s->bits[i]);
      s->samples[i] = s->bits[i];
      for (int64_t j = 0; j < VISIBLE * VISIBLE; j++)
        s->spins[i][j] = (int8_t) vrg_lattice_get (sample.lattice, j / VISIBLE, j % VISIBLE);
    }
  vrg_bench_sample_end (&sample);
  vrg_rng_init (&s->rng, 1, 0, 0);
  int code = vrg_param_parse ("bench", text, 0, NULL, input);
  if (code == VRG_OK)
    code = vrg_layer_start (input, 1, 0, &s->rng, &model);
  if (code == VRG_OK)
    {
      s->layer = vrg_layer_new (model, run->grid->strip_comm);
      s->gradient = vrg_gradient_new (s->layer, BATCH);
      s->sums = vrg_new (s->layer->parameters, sizeof *s->sums, "a gradient");
      s->moments = vrg_new (2 * s->layer->parameters, sizeof *s->moments, "moments");
      vrg_optimise_init (&s->optimise, input, 0);
      vrg_layer_round (s->layer);
      vrg_reference_convolution_init (&s->plain, VISIBLE, 8, 2, 3);
      vrg_bench_rows (run, "convolution", "L=32 filter=8 stride=2 k=3 b=50", vrg_simd (), train_work, s, train_plain, s,
                      BATCH, "samples/s", "scalar float", VRG_BENCH_MORE, NULL);
      vrg_reference_convolution_clear (&s->plain);
      vrg_free (s->moments);
      vrg_free (s->sums);
      vrg_gradient_free (s->gradient);
      vrg_layer_free (s->layer);
    }
  vrg_model_free (model);
  vrg_free (s);
  vrg_free (input);
  return code;
}
