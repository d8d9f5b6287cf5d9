/* SPDX-License-Identifier: GPL-3.0-or-later
 * The benchmarks' list, and how rates are measured. */
#include "bench/bench.h"

#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/param.h"
#include "base/progress.h"
#include "bench/bench_internal.h"
#include "files/h5.h"

#define REPETITIONS 7
#define SECONDS 0.15 /* of a repetition, about */

static volatile uint64_t sink; /* every result ends here */

/* ---- measuring ---- */

/** Until every rank is here, without taking a core from the one that works.  Collective. */
static void
wait_asleep (MPI_Comm comm)
{
  MPI_Request request;
  int done = 0;
  VRG_MPI (MPI_Ibarrier (comm, &request));
  while (!done)
    {
      VRG_MPI (MPI_Test (&request, &done, MPI_STATUS_IGNORE));
      if (!done)
        nanosleep (&(struct timespec){ .tv_nsec = 1000000 }, NULL);
    }
}

/** Seconds of `calls` calls on the slowest rank.  Collective. */
static double
time_calls (const vrg_grid *grid, const vrg_bench_item *item, int64_t calls)
{
  bool works = item->ranks != VRG_BENCH_ALONE || grid->rank == 0;
  vrg_simd_path before = vrg_simd ();
  vrg_simd_set (item->path);
  VRG_MPI (MPI_Barrier (grid->world));
  double begin = vrg_clock ();
  for (int64_t i = 0; i < calls && works; i++)
    sink = sink ^ item->work (item->state);
  double seconds = works ? vrg_clock () - begin : 0;
  if (item->ranks == VRG_BENCH_ALONE)
    wait_asleep (grid->world);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &seconds, 1, MPI_DOUBLE, MPI_MAX, grid->world));
  vrg_simd_set (before);
  return seconds;
}

void
vrg_bench_measure (const vrg_bench_run *run, int n, vrg_bench_item *items)
{
  const vrg_grid *grid = run->grid;
  for (int i = 0; i < n; i++)
    {
      double first;
      int64_t calls = 1;
      while ((first = time_calls (grid, &items[i], calls)) < SECONDS / 8)
        calls *= 4;
      items[i].calls = (int64_t) ((double) calls * SECONDS / first) + 1;
    }
  double *rates = vrg_new (n * REPETITIONS, sizeof *rates, "rates");
  for (int repetition = 0; repetition < REPETITIONS; repetition++)
    for (int i = 0; i < n; i++)
      {
        double seconds = time_calls (grid, &items[i], items[i].calls);
        double calls = (double) items[i].calls * (items[i].ranks == VRG_BENCH_EACH ? grid->size : 1);
        rates[i * REPETITIONS + repetition] = calls / seconds;
      }
  for (int i = 0; i < n; i++)
    {
      gsl_sort (rates + i * REPETITIONS, 1, REPETITIONS);
      items[i].rate = gsl_stats_median_from_sorted_data (rates + i * REPETITIONS, 1, REPETITIONS);
    }
  vrg_free (rates);
}

double
vrg_bench_rate (const vrg_bench_run *run, vrg_bench_work *work, void *state)
{
  vrg_bench_item item = { work, state, vrg_simd (), VRG_BENCH_EACH, 0, 0 };
  vrg_bench_measure (run, 1, &item);
  return item.rate;
}

/* ---- rows ---- */

void
vrg_bench_put (const vrg_bench_run *run, const char *name, const char *of, vrg_simd_path path, int64_t ranks,
               double value, const char *unit, const char *reference, double reference_value, vrg_bench_sense better)
{
  double ratio = better == VRG_BENCH_MORE ? value / reference_value : reference_value / value;
  if (value == reference_value) /* nothing of nothing */
    ratio = 1;
  vrg_info ("%s %s %s: %.4g %s, %.3g times %s", name, of, vrg_simd_name (path), value, unit, ratio, reference);
  if (run->table == NULL)
    return;
  vrg_table_text (run->table, name);
  vrg_table_text (run->table, of);
  vrg_table_text (run->table, vrg_simd_name (path));
  vrg_table_int (run->table, ranks);
  vrg_table_double (run->table, value);
  vrg_table_text (run->table, unit);
  vrg_table_text (run->table, reference);
  vrg_table_double (run->table, reference_value);
  vrg_table_double (run->table, ratio);
}

void
vrg_bench_rows (const vrg_bench_run *run, const char *name, const char *of, vrg_simd_path lowest, vrg_bench_work *work,
                void *state, vrg_bench_work *plain, void *plain_state, double scale, const char *unit,
                const char *reference, vrg_bench_sense better, double out[2])
{
  vrg_bench_item items[4];
  int n = 0;
  vrg_simd_path best = vrg_simd ();
  items[n++] = (vrg_bench_item){ plain, plain_state, best, VRG_BENCH_EACH, 0, 0 };
  for (int path = (int) best; path >= (int) (lowest < best ? lowest : best); path--)
    items[n++] = (vrg_bench_item){ work, state, (vrg_simd_path) path, VRG_BENCH_EACH, 0, 0 };
  vrg_bench_measure (run, n, items);
  for (int i = 0; i < n; i++)
    items[i].rate = better == VRG_BENCH_MORE ? items[i].rate * scale : 1 / (items[i].rate * scale);
  for (int i = 1; i < n; i++)
    vrg_bench_put (run, name, of, items[i].path, run->grid->size, items[i].rate, unit, reference, items[0].rate,
                   better);
  if (out != NULL)
    {
      out[0] = items[1].rate;
      out[1] = items[0].rate;
    }
}

/* ---- the list ---- */

static const struct
{
  const char *name, *help;
  int (*run) (const vrg_bench_run *run);
} benchmarks[] = {
  { "rng", "random numbers, and the AES rounds and logic operations of this core", vrg_bench_rng },
  { "metropolis", "Metropolis and heat bath of one square lattice, L = 64 to 65536", vrg_bench_metropolis },
  { "metropolis-chains", "512 small lattices, a bit each", vrg_bench_chains },
  { "local", "Metropolis with next neighbours, plaquettes and a field", vrg_bench_local },
  { "cluster", "Swendsen-Wang at the critical coupling, L = 1024, 4096, and 128 in three dimensions",
    vrg_bench_cluster },
  { "observables", "energy and magnetisation, and seven even operators, L = 4096", vrg_bench_observables },
  { "correlations", "sums of 7 + 4 and 13 + 8 even and odd operators, L = 64 and its block spins",
    vrg_bench_correlations },
  { "environments", "local environments of 7 even operators, L = 64", vrg_bench_environments },
  { "convolution", "updates of a convolutional RBM, settings of input/learnt-32.ini", vrg_bench_convolution },
  { "product", "bits times weights, 1600 x 400, against OpenBLAS", vrg_bench_product },
  { "train", "updates of dense RBMs against rbm_numpy.py and rbm_torch.py", vrg_bench_train },
  { "train-ranks", "updates of one RBM by all ranks together, against one of them; ratio = speed-up",
    vrg_bench_train_ranks },
  { "checkpoint", "a checkpoint until verified, synced and renamed, against a plain write; needs 3.1 GiB of disk here",
    vrg_bench_checkpoint },
  { "scaling", "all ranks against one of them, one lattice cut into strips; ratio = speed-up", vrg_bench_scaling },
  { "traffic", "messages and bytes that a sweep sends, counted, against the model", vrg_bench_traffic },
  { "model", "rates to expect on many ranks, from the rates measured here", vrg_bench_model },
};

enum
{
  BENCHMARKS = sizeof benchmarks / sizeof *benchmarks
};

const char *
vrg_bench_names (void)
{
  static char text[BENCHMARKS * 128];
  int used = 0;
  for (int k = 0; k < BENCHMARKS; k++)
    used += snprintf (text + used, sizeof text - (size_t) used, "%-18s %s\n", benchmarks[k].name, benchmarks[k].help);
  return text;
}

void
vrg_bench_environment (int argc, char **argv)
{
  if (argc < 2 || strcmp (argv[1], "bench") != 0 || (!getenv ("OPENBLAS_CORETYPE") && !getenv ("OPENBLAS_L2_SIZE")))
    return;
  unsetenv ("OPENBLAS_CORETYPE");
  unsetenv ("OPENBLAS_L2_SIZE");
  execv ("/proc/self/exe", argv); /* where it fails, rows name the core type that is in use */
}

int
vrg_bench (const vrg_grid *grid, int n, const char *const *names)
{
  vrg_bench_run run = { .grid = grid };
  for (int i = 0; i < n; i++)
    {
      int k = 0;
      while (k < BENCHMARKS && strcmp (benchmarks[k].name, names[i]) != 0)
        k++;
      if (k == BENCHMARKS)
        {
          const char *known[BENCHMARKS + 1] = { NULL };
          char all[512] = "";
          for (int j = 0, at = 0; j < BENCHMARKS && at < (int) sizeof all; j++)
            {
              known[j] = benchmarks[j].name;
              at += snprintf (all + at, sizeof all - (size_t) at, " %s", known[j]);
            }
          const char *near = vrg_param_nearest (names[i], known);
          if (near != NULL)
            return vrg_error (VRG_USAGE, "no benchmark is called %s (did you mean %s?)", names[i], near);
          return vrg_error (VRG_USAGE, "no benchmark is called %s; `vrg bench --help` lists them:%s", names[i], all);
        }
    }
  if (grid->rank == 0)
    {
      char comment[256];
      snprintf (comment, sizeof comment, "vrg %s, commit %s, %d rank%s; medians of %d repetitions of %g s",
                vrg_version (), vrg_commit (), grid->size, grid->size == 1 ? "" : "s", REPETITIONS, SECONDS);
      run.table = vrg_table_new (".", "bench.tsv",
                                 "benchmark case path ranks value unit reference reference_value ratio", comment);
    }
  int code = VRG_OK;
  for (int k = 0; k < BENCHMARKS && code == VRG_OK; k++)
    {
      bool wanted = n == 0;
      for (int i = 0; i < n; i++)
        wanted = wanted || strcmp (benchmarks[k].name, names[i]) == 0;
      if (wanted)
        code = vrg_agree (grid->world, benchmarks[k].run (&run));
    }
  if (grid->rank == 0)
    {
      int written = vrg_table_close (run.table, stdout);
      code = code == VRG_OK ? written : code;
    }
  return vrg_agree (grid->world, code);
}
