/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of many ranks together, what they send, and what a model makes of both. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "bench/bench_internal.h"
#include "bench/bench_sample.h"
#include "bench/model.h"
#include "lattice/exact.h"
#include "parallel/traffic.h"

enum
{
  SIDE = 4096,
  SWEEPS = 20
};

/* ---- one lattice on all ranks ---- */

int
vrg_bench_scaling (const vrg_bench_run *run)
{
  static const char *const names[] = { "metropolis", "cluster" };
  const int ranks = run->grid->size;
  for (int cluster = 0; cluster < 2; cluster++)
    {
      vrg_bench_work *work = cluster ? vrg_bench_cluster_work : vrg_bench_metropolis_work;
      vrg_bench_sample alone, strong, weak;
      if (run->grid->rank == 0)
        vrg_bench_sample_begin (&alone, run, false, 2, SIDE, SIDE, SWEEPS);
      vrg_bench_sample_begin (&strong, run, true, 2, SIDE, SIDE, SWEEPS);
      vrg_bench_sample_begin (&weak, run, true, 2, (int64_t) SIDE * ranks, SIDE, SWEEPS);
      if (!cluster)
        {
          if (run->grid->rank == 0)
            vrg_bench_sample_metropolis (&alone, VRG_CRITICAL_2D, false);
          vrg_bench_sample_metropolis (&strong, VRG_CRITICAL_2D, false);
          vrg_bench_sample_metropolis (&weak, VRG_CRITICAL_2D, false);
        }
      vrg_bench_item items[] = { { work, &alone, vrg_simd (), VRG_BENCH_ALONE, 0, 0 },
                                 { work, &strong, vrg_simd (), VRG_BENCH_TOGETHER, 0, 0 },
                                 { work, &weak, vrg_simd (), VRG_BENCH_TOGETHER, 0, 0 } };
      vrg_bench_measure (run, 3, items);
      const double sites = (double) SIDE * SIDE / VRG_BENCH_NS;
      char of[48];
      snprintf (of, sizeof of, "%s L=4096 strong", names[cluster]);
      vrg_bench_put (run, "scaling", of, vrg_simd (), ranks, items[1].rate * sites, "sites/ns", "one rank",
                     items[0].rate * sites, VRG_BENCH_MORE);
      snprintf (of, sizeof of, "%s %dx4096 weak", names[cluster], SIDE * ranks);
      vrg_bench_put (run, "scaling", of, vrg_simd (), ranks, items[2].rate * sites * ranks, "sites/ns", "one rank",
                     items[0].rate * sites, VRG_BENCH_MORE);
      if (run->grid->rank == 0)
        vrg_bench_sample_end (&alone);
      vrg_bench_sample_end (&strong);
      vrg_bench_sample_end (&weak);
    }
  return VRG_OK;
}

/* ---- messages and bytes ---- */

/** Two rows: what the busiest rank sends a sweep. */
static void
count (const vrg_bench_run *run, const char *of, vrg_bench_work *work, vrg_bench_sample *sample, vrg_traffic model)
{
  char text[64];
  vrg_traffic_reset ();
  for (int i = 0; i < SWEEPS; i++)
    work (sample);
  vrg_traffic sent = vrg_traffic_read ();
  int64_t most[2] = { sent.messages, sent.bytes };
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, most, 2, MPI_INT64_T, MPI_MAX, run->grid->world));
  snprintf (text, sizeof text, "%s messages", of);
  vrg_bench_put (run, "traffic", text, vrg_simd (), run->grid->size, (double) most[0] / SWEEPS, "messages/sweep",
                 "model", (double) model.messages, VRG_BENCH_MORE);
  snprintf (text, sizeof text, "%s bytes", of);
  vrg_bench_put (run, "traffic", text, vrg_simd (), run->grid->size, (double) most[1] / SWEEPS, "bytes/sweep", "model",
                 (double) model.bytes, VRG_BENCH_MORE);
}

int
vrg_bench_traffic (const vrg_bench_run *run)
{
  static const struct
  {
    int dimension;
    int64_t side;
    const char *of;
  } cases[] = { { 2, 1024, "L=1024" }, { 2, 4096, "L=4096" }, { 3, 64, "L=64 d=3" } };
  const int ranks = run->grid->size;
  for (int i = 0; i < 3; i++)
    {
      char of[48];
      vrg_bench_sample s;
      int64_t side = cases[i].side;
      vrg_bench_sample_begin (&s, run, true, cases[i].dimension, side, side, 20);
      snprintf (of, sizeof of, "cluster %s", cases[i].of);
      count (run, of, vrg_bench_cluster_work, &s, vrg_model_cluster_busiest (cases[i].dimension, side, ranks));
      if (cases[i].dimension == 2)
        {
          vrg_bench_sample_metropolis (&s, VRG_CRITICAL_2D, false);
          snprintf (of, sizeof of, "metropolis %s", cases[i].of);
          count (run, of, vrg_bench_metropolis_work, &s, vrg_model_metropolis_traffic (side, ranks));
        }
      vrg_bench_sample_end (&s);
    }
  return VRG_OK;
}

/* ---- the model's predictions ---- */

enum
{
  LONG = 1 << 20 /* bytes of a long message */
};

typedef struct
{
  MPI_Comm comm;
  int rank, bytes;
  char *data;
} ping_pong;

/** There and back between ranks 0 and 1. */
static uint64_t
ping_pong_work (void *state)
{
  ping_pong *p = state;
  if (p->rank == 0)
    VRG_MPI (MPI_Send (p->data, p->bytes, MPI_BYTE, 1, 0, p->comm));
  if (p->rank < 2)
    VRG_MPI (MPI_Recv (p->data, p->bytes, MPI_BYTE, 1 - p->rank, 0, p->comm, MPI_STATUS_IGNORE));
  if (p->rank == 1)
    VRG_MPI (MPI_Send (p->data, p->bytes, MPI_BYTE, 0, 0, p->comm));
  return 0;
}

/** Latency and bandwidth of messages between the first two ranks; the network's of the model, if there is only one. */
static void
measure_messages (const vrg_bench_run *run, vrg_model_machine *machine)
{
  if (run->grid->size == 1)
    return;
  ping_pong small = { run->grid->world, run->grid->rank, 8, vrg_new (LONG, 1, "a message") }, large = small;
  large.bytes = LONG;
  vrg_bench_item items[] = { { ping_pong_work, &small, vrg_simd (), VRG_BENCH_TOGETHER, 0, 0 },
                             { ping_pong_work, &large, vrg_simd (), VRG_BENCH_TOGETHER, 0, 0 } };
  vrg_bench_measure (run, 2, items);
  vrg_free (small.data);
  double latency = 0.5 / items[0].rate, bandwidth = LONG / (0.5 / items[1].rate - latency);
  vrg_bench_put (run, "model", "latency", vrg_simd (), 2, latency * 1e6, "us", "network", machine->latency * 1e6,
                 VRG_BENCH_LESS);
  vrg_bench_put (run, "model", "bandwidth", vrg_simd (), 2, bandwidth / 1e9, "GB/s", "network",
                 machine->bandwidth / 1e9, VRG_BENCH_MORE);
}

/** Predicted rate of `chains` lattices in `strips` strips each, against one core. */
static void
predict (const vrg_bench_run *run, const vrg_model_machine *machine, bool cluster, int dimension, int64_t side,
         int strips, int chains)
{
  char of[64];
  double sites = (double) side * (double) side * (dimension == 3 ? (double) side : 1);
  double seconds = cluster ? vrg_model_cluster_seconds (machine, dimension, side, side, strips)
                           : vrg_model_metropolis_seconds (machine, side, side, strips);
  snprintf (of, sizeof of, "%s L=%lld%s strips=%d chains=%d", cluster ? "cluster" : "metropolis", (long long) side,
            dimension == 3 ? " d=3" : "", strips, chains);
  vrg_bench_put (run, "model", of, vrg_simd (), (int64_t) strips * chains, chains * sites / seconds / VRG_BENCH_NS,
                 "sites/ns", "one core", 1 / ((cluster ? machine->cluster : machine->metropolis) * VRG_BENCH_NS),
                 VRG_BENCH_MORE);
}

int
vrg_bench_model (const vrg_bench_run *run)
{
  /* a network of today, assumed; edges and joins as they took on this machine (doc/performance.md) */
  vrg_model_machine machine = { .edge = 70e-9, .join = 40e-9, .latency = 1.5e-6, .bandwidth = 12e9 };
  vrg_bench_sample s;
  measure_messages (run, &machine);
  vrg_bench_sample_begin (&s, run, false, 2, SIDE, SIDE, SWEEPS);
  const double sites = (double) SIDE * SIDE;
  machine.cluster = run->grid->size / (vrg_bench_rate (run, vrg_bench_cluster_work, &s) * sites);
  vrg_bench_sample_metropolis (&s, VRG_CRITICAL_2D, false);
  machine.metropolis = run->grid->size / (vrg_bench_rate (run, vrg_bench_metropolis_work, &s) * sites);
  vrg_bench_sample_end (&s);

  static const int strips[] = { 2, 16, 128, 1024, 4096 };
  for (int cluster = 0; cluster < 2; cluster++)
    {
      for (int i = 0; i < 3; i++)
        predict (run, &machine, cluster, 2, SIDE, strips[i], 1);
      for (int i = 1; i < 5; i++)
        predict (run, &machine, cluster, 2, 65536, strips[i], 1);
      predict (run, &machine, cluster, 2, 65536, 1000, 100);
      predict (run, &machine, cluster, 2, 65536, 125, 800);
      predict (run, &machine, cluster, 2, SIDE, 100, 1000);
    }
  return VRG_OK;
}
