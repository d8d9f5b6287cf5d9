/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of the kernels against plain implementations measured beside them. */
#include "bench/bench.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/param.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/simd.h"
#include "bench/reference.h"
#include "files/h5.h"
#include "files/table.h"
#include "lattice/exact.h"
#include "lattice/operators.h"
#include "sample/cluster.h"
#include "sample/metropolis.h"
#include "train/gradient.h"
#include "train/layer.h"
#include "train/optimiser.h"

#define REPETITIONS 5
#define SECONDS 0.25 /* of a repetition, about */
#define NS 1e9

/** A call of a kernel; what it returns depends on what it computed. */
typedef uint64_t work (void *state);

typedef struct
{
  const vrg_grid *grid;
  vrg_table *table; /* rank 0 */
} bench;

static volatile uint64_t sink; /* every result ends here, so that no work can be left out */

/* ---- measuring ---- */

/** Seconds of `calls` calls on the slowest rank.  Collective. */
static double
time_calls (const vrg_grid *grid, work *kernel, void *state, int64_t calls)
{
  VRG_MPI (MPI_Barrier (grid->world));
  double begin = vrg_clock ();
  for (int64_t i = 0; i < calls; i++)
    sink = sink ^ kernel (state);
  double seconds = vrg_clock () - begin;
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, grid->world));
  return seconds;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/** Calls a second of all ranks together: the median of the repetitions.  Collective. */
static double
rate (const vrg_grid *grid, work *kernel, void *state)
{
  double seconds[REPETITIONS], first;
  int64_t calls = 1;
  while ((first = time_calls (grid, kernel, state, calls)) < SECONDS / 8)
    calls *= 4;
  calls = (int64_t) ((double) calls * SECONDS / first) + 1;
  for (int i = 0; i < REPETITIONS; i++)
    seconds[i] = time_calls (grid, kernel, state, calls);
  qsort (seconds, REPETITIONS, sizeof *seconds, compare);
  return (double) calls * grid->size / seconds[REPETITIONS / 2];
}

typedef enum
{
  MORE_IS_BETTER,
  LESS_IS_BETTER
} sense;

static void
put_row (bench *b, const char *name, const char *of, double value, const char *unit, const char *reference,
         double reference_value, sense which)
{
  const char *path = vrg_simd_name (vrg_simd ());
  double ratio = which == MORE_IS_BETTER ? value / reference_value : reference_value / value;
  vrg_info ("%s %s %s: %.4g %s, %.3g times %s", name, of, path, value, unit, ratio, reference);
  if (b->table == NULL)
    return;
  vrg_table_text (b->table, name);
  vrg_table_text (b->table, of);
  vrg_table_text (b->table, path);
  vrg_table_int (b->table, b->grid->size);
  vrg_table_double (b->table, value);
  vrg_table_text (b->table, unit);
  vrg_table_text (b->table, reference);
  vrg_table_double (b->table, reference_value);
  vrg_table_double (b->table, ratio);
}

/* ---- random numbers ---- */

enum
{
  BLOCKS = 2048
};

typedef struct
{
  vrg_rng rng;
  vrg_xoshiro reference;
  uint64_t step, out[2 * BLOCKS];
} rng_state;

static uint64_t
rng_kernel (void *state)
{
  rng_state *s = state;
  vrg_rng_fill (&s->rng, VRG_RNG_TEST, 0, BLOCKS, s->step++, 0, s->out);
  return s->out[s->step % (2 * BLOCKS)];
}

static uint64_t
rng_reference (void *state)
{
  rng_state *s = state;
  for (int i = 0; i < 2 * BLOCKS; i++)
    s->out[i] = vrg_xoshiro_next (&s->reference);
  return s->out[s->step++ % (2 * BLOCKS)];
}

static int
bench_rng (bench *b)
{
  rng_state *s = vrg_new (1, sizeof *s, "a benchmark");
  const vrg_simd_path best = vrg_simd ();
  vrg_rng_init (&s->rng, 1, 0, (uint32_t) b->grid->rank);
  vrg_xoshiro_init (&s->reference, 1);
  double reference = rate (b->grid, rng_reference, s) * BLOCKS / NS;
  for (int path = (int) best; path >= VRG_SIMD_PORTABLE; path--)
    {
      vrg_simd_set ((vrg_simd_path) path);
      put_row (b, "rng", "128-bit blocks", rate (b->grid, rng_kernel, s) * BLOCKS / NS, "blocks/ns", "xoshiro256**",
               reference, MORE_IS_BETTER);
    }
  vrg_simd_set (best);
  vrg_free (s);
  return VRG_OK;
}

/* ---- sampling ---- */

typedef struct
{
  MPI_Comm strip_comm;
  vrg_lattice *lattice;
  vrg_rng rng;
  uint64_t sweep;
  vrg_metropolis *metropolis;
  vrg_cluster *cluster;
  vrg_reference_metropolis plain_metropolis;
  vrg_reference_cluster plain_cluster;
} sample_state;

/** A critical configuration: `sweeps` cluster updates from a hot start. */
static void
sample_begin (sample_state *s, const bench *b, int64_t side, int sweeps)
{
  memset (s, 0, sizeof *s);
  s->strip_comm = b->grid->strip_comm;
  s->lattice = vrg_lattice_new (side, side, 0, side);
  vrg_rng_init (&s->rng, 1, 0, (uint32_t) b->grid->rank);
  for (int64_t y = 0; y < side; y++)
    {
      uint64_t *row = vrg_lattice_row (s->lattice, y);
      for (int64_t w = 0; w < s->lattice->words; w++)
        {
          uint64_t out[2];
          vrg_rng_block (&s->rng, VRG_RNG_TEST, (uint64_t) (y * s->lattice->words + w), 0, 0, out);
          row[w] = w == s->lattice->words - 1 ? out[0] & vrg_row_last_mask (side) : out[0];
        }
    }
  s->cluster = vrg_cluster_new (s->lattice, VRG_CRITICAL_2D);
  while (sweeps-- > 0)
    vrg_cluster_sweep (s->cluster, s->strip_comm, s->lattice, &s->rng, ++s->sweep);
}

static void
sample_end (sample_state *s)
{
  vrg_cluster_free (s->cluster);
  vrg_lattice_free (s->lattice);
}

static uint64_t
metropolis_kernel (void *state)
{
  sample_state *s = state;
  vrg_metropolis_sweep (s->metropolis, s->strip_comm, s->lattice, &s->rng, ++s->sweep);
  return s->lattice->spins[0];
}

static uint64_t
metropolis_reference (void *state)
{
  return vrg_reference_metropolis_sweep (&((sample_state *) state)->plain_metropolis);
}

static int
bench_metropolis (bench *b)
{
  const int64_t sides[] = { 1024, 4096 };
  for (int i = 0; i < 2; i++)
    {
      char of[32];
      sample_state s;
      snprintf (of, sizeof of, "L=%lld", (long long) sides[i]);
      sample_begin (&s, b, sides[i], 10);
      s.metropolis = vrg_metropolis_new (s.lattice, VRG_CRITICAL_2D);
      vrg_reference_metropolis_init (&s.plain_metropolis, s.lattice, VRG_CRITICAL_2D);
      double scale = (double) (sides[i] * sides[i]) / NS;
      double reference = rate (b->grid, metropolis_reference, &s) * scale;
      put_row (b, "metropolis", of, rate (b->grid, metropolis_kernel, &s) * scale, "flips/ns", "scalar", reference,
               MORE_IS_BETTER);
      vrg_reference_metropolis_clear (&s.plain_metropolis);
      vrg_metropolis_free (s.metropolis);
      sample_end (&s);
    }
  return VRG_OK;
}

static uint64_t
cluster_kernel (void *state)
{
  sample_state *s = state;
  vrg_cluster_sweep (s->cluster, s->strip_comm, s->lattice, &s->rng, ++s->sweep);
  return s->lattice->spins[0];
}

static uint64_t
cluster_reference (void *state)
{
  return vrg_reference_cluster_sweep (&((sample_state *) state)->plain_cluster);
}

static int
bench_cluster (bench *b)
{
  enum
  {
    SIDE = 1024
  };
  sample_state s;
  sample_begin (&s, b, SIDE, 50);
  vrg_reference_cluster_init (&s.plain_cluster, s.lattice, VRG_CRITICAL_2D);
  double scale = (double) SIDE * SIDE / NS;
  double reference = 1 / (rate (b->grid, cluster_reference, &s) * scale);
  put_row (b, "cluster", "L=1024", 1 / (rate (b->grid, cluster_kernel, &s) * scale), "ns/site", "scalar", reference,
           LESS_IS_BETTER);
  vrg_reference_cluster_clear (&s.plain_cluster);
  sample_end (&s);
  return VRG_OK;
}

/* ---- operators ---- */

enum
{
  SIDE = 64,
  EVEN = 7,
  ODD = 4
};

typedef struct
{
  sample_state sample;
  int8_t spin[SIDE * SIDE];
  const vrg_operator *operators[EVEN + ODD];
  int64_t sums[EVEN + ODD], environments;
  int64_t *counts;
} operator_state;

static operator_state *
operators_begin (const bench *b)
{
  operator_state *s = vrg_new (1, sizeof *s, "a benchmark");
  sample_begin (&s->sample, b, SIDE, 50);
  for (int64_t y = 0; y < SIDE; y++)
    for (int64_t x = 0; x < SIDE; x++)
      s->spin[y * SIDE + x] = (int8_t) vrg_lattice_get (s->sample.lattice, y, x);
  for (int a = 0; a < EVEN; a++)
    s->operators[a] = vrg_operator_even (a);
  for (int a = 0; a < ODD; a++)
    s->operators[EVEN + a] = vrg_operator_odd (a);
  int reach[EVEN];
  s->environments = vrg_operators_reach (SIDE, SIDE, EVEN, s->operators, reach);
  s->counts = vrg_new (s->environments, sizeof *s->counts, "local environments");
  return s;
}

static void
operators_end (operator_state *s)
{
  sample_end (&s->sample);
  vrg_free (s->counts);
  vrg_free (s);
}

static uint64_t
correlations_kernel (void *state)
{
  operator_state *s = state;
  s->sample.lattice->spins[0] ^= 1; /* a new configuration each time */
  vrg_operators_sum (s->sample.lattice, EVEN + ODD, s->operators, s->sums);
  return (uint64_t) (s->sums[0] + s->sums[EVEN + ODD - 1]);
}

static uint64_t
correlations_reference (void *state)
{
  operator_state *s = state;
  s->spin[0] = (int8_t) -s->spin[0];
  vrg_reference_operators (SIDE, s->spin, EVEN + ODD, s->operators, s->sums);
  return (uint64_t) (s->sums[0] + s->sums[EVEN + ODD - 1]);
}

static int
bench_correlations (bench *b)
{
  int64_t sums[EVEN + ODD];
  operator_state *s = operators_begin (b);
  correlations_reference (s);
  memcpy (sums, s->sums, sizeof sums);
  correlations_kernel (s);
  bool same = memcmp (sums, s->sums, sizeof sums) == 0;
  double scale = (double) (SIDE * SIDE) / NS;
  double reference = 1 / (rate (b->grid, correlations_reference, s) * scale);
  put_row (b, "correlations", "L=64 7+4 operators", 1 / (rate (b->grid, correlations_kernel, s) * scale), "ns/site",
           "scalar", reference, LESS_IS_BETTER);
  operators_end (s);
  return same ? VRG_OK : vrg_error (VRG_INTERNAL, "correlations: the kernel and the reference disagree");
}

static uint64_t
environments_kernel (void *state)
{
  operator_state *s = state;
  vrg_operators_environments (s->sample.lattice, EVEN, s->operators, s->counts);
  return (uint64_t) s->counts[s->environments - 1];
}

static uint64_t
environments_reference (void *state)
{
  operator_state *s = state;
  vrg_reference_environments (SIDE, s->spin, EVEN, s->operators, s->counts);
  return (uint64_t) s->counts[s->environments - 1];
}

static int
bench_environments (bench *b)
{
  operator_state *s = operators_begin (b);
  int64_t *plain = vrg_new (s->environments, sizeof *plain, "local environments");
  environments_reference (s);
  memcpy (plain, s->counts, (size_t) s->environments * sizeof *plain);
  memset (s->counts, 0, (size_t) s->environments * sizeof *plain);
  environments_kernel (s);
  bool same = memcmp (plain, s->counts, (size_t) s->environments * sizeof *plain) == 0;
  double scale = (double) (SIDE * SIDE) / NS;
  double reference = 1 / (rate (b->grid, environments_reference, s) * scale);
  put_row (b, "environments", "L=64 7 operators", 1 / (rate (b->grid, environments_kernel, s) * scale), "ns/site",
           "scalar", reference, LESS_IS_BETTER);
  vrg_free (plain);
  operators_end (s);
  return same ? VRG_OK : vrg_error (VRG_INTERNAL, "environments: the kernel and the reference disagree");
}

/* ---- training ---- */

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
train_kernel (void *state)
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
train_reference (void *state)
{
  train_state *s = state;
  vrg_reference_convolution_update (&s->plain, BATCH, s->spins[0], 1e-3f);
  return (uint64_t) (s->plain.weight[0] * 0x1p30f);
}

static int
bench_convolution (bench *b)
{
  static const char text[]
    = "[lattice]\nsize = 32\n[couplings]\nnn = critical\n[sample]\nconfigurations = 1000\n"
      "[train]\nmodel = convolution\nhidden = 1\nfilter = 8\nstride = 2\nbiases = no\nsteps = 3\n"
      "batch = 50\noptimiser = adam\nlearning_rate = 0.001\n";
  vrg_input *input = vrg_new (1, sizeof *input, "an input");
  train_state *s = vrg_new (1, sizeof *s, "a benchmark");
  vrg_model *model = NULL;
  sample_state sample;
  sample_begin (&sample, b, VISIBLE, 20);
  for (int i = 0; i < BATCH; i++)
    {
      cluster_kernel (&sample);
      vrg_lattice_pack (sample.lattice, s->bits[i]);
      s->samples[i] = s->bits[i];
      for (int64_t j = 0; j < VISIBLE * VISIBLE; j++)
        s->spins[i][j] = (int8_t) vrg_lattice_get (sample.lattice, j / VISIBLE, j % VISIBLE);
    }
  sample_end (&sample);
  vrg_rng_init (&s->rng, 1, 0, 0);
  int code = vrg_param_parse ("bench", text, 0, NULL, input);
  if (code == VRG_OK)
    code = vrg_layer_start (input, 1, 0, &s->rng, &model);
  if (code == VRG_OK)
    {
      s->layer = vrg_layer_new (model, b->grid->strip_comm);
      s->gradient = vrg_gradient_new (s->layer, BATCH);
      s->sums = vrg_new (s->layer->parameters, sizeof *s->sums, "a gradient");
      s->moments = vrg_new (2 * s->layer->parameters, sizeof *s->moments, "moments");
      vrg_optimise_init (&s->optimise, input, 0);
      vrg_layer_round (s->layer);
      vrg_reference_convolution_init (&s->plain, VISIBLE, 8, 2, 3);
      double reference = rate (b->grid, train_reference, s) * BATCH;
      put_row (b, "convolution", "L=32 filter=8 stride=2 k=3 b=50", rate (b->grid, train_kernel, s) * BATCH,
               "samples/s", "scalar float", reference, MORE_IS_BETTER);
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

/* ---- the list ---- */

static const struct
{
  const char *name;
  int (*run) (bench *b);
} benchmarks[] = { { "rng", bench_rng },
                   { "metropolis", bench_metropolis },
                   { "cluster", bench_cluster },
                   { "correlations", bench_correlations },
                   { "environments", bench_environments },
                   { "convolution", bench_convolution } };

enum
{
  BENCHMARKS = sizeof benchmarks / sizeof *benchmarks
};

const char *
vrg_bench_names (void)
{
  return "rng           random numbers, on every vector path\n"
         "metropolis    checkerboard Metropolis, L = 1024 and 4096\n"
         "cluster       Swendsen-Wang at the critical coupling, L = 1024\n"
         "correlations  sums of 7 even and 4 odd operators, L = 64\n"
         "environments  local environments of 7 even operators, L = 64\n"
         "convolution   updates of a convolutional RBM, settings of input/learnt-32.ini\n";
}

int
vrg_bench (const vrg_grid *grid, int n, const char *const *names)
{
  bench b = { .grid = grid };
  for (int i = 0; i < n; i++)
    {
      int k = 0;
      while (k < BENCHMARKS && strcmp (benchmarks[k].name, names[i]) != 0)
        k++;
      if (k == BENCHMARKS)
        return vrg_error (VRG_USAGE, "no benchmark is called %s; there are\n%s", names[i], vrg_bench_names ());
    }
  if (grid->rank == 0)
    {
      char comment[256];
      snprintf (comment, sizeof comment, "vrg %s, commit %s, %d rank%s; medians of %d repetitions of %g s",
                vrg_version (), vrg_commit (), grid->size, grid->size == 1 ? "" : "s", REPETITIONS, SECONDS);
      b.table = vrg_table_new (".", "bench.tsv", "benchmark case path ranks value unit reference reference_value ratio",
                               comment);
    }
  int code = VRG_OK;
  for (int k = 0; k < BENCHMARKS && code == VRG_OK; k++)
    {
      bool wanted = n == 0;
      for (int i = 0; i < n; i++)
        wanted = wanted || strcmp (benchmarks[k].name, names[i]) == 0;
      if (wanted)
        code = vrg_agree (grid->world, benchmarks[k].run (&b));
    }
  if (grid->rank == 0)
    {
      int written = vrg_table_close (b.table, stdout);
      code = code == VRG_OK ? written : code;
    }
  return vrg_agree (grid->world, code);
}
