/* SPDX-License-Identifier: GPL-3.0-or-later
 * A critical configuration for benchmarks. */
#ifndef VRG_BENCH_BENCH_SAMPLE_H
#define VRG_BENCH_BENCH_SAMPLE_H

#include "base/rng.h"
#include "bench/bench_internal.h"
#include "lattice/lattice.h"
#include "sample/cluster.h"
#include "sample/metropolis.h"

/** A lattice, or the strip of comm's rank, and what updates it. */
typedef struct
{
  MPI_Comm comm;
  vrg_lattice *lattice;
  vrg_rng rng;
  uint64_t sweep;
  vrg_cluster *cluster;
  vrg_metropolis *metropolis;
  uint64_t *colours; /* spins of `metropolis` */
} vrg_bench_sample;

/** The critical coupling in two and three dimensions. */
double vrg_bench_critical (int dimension);

/** The whole lattice on every rank, a chain each, or with `strips` strips of one lattice over the grid's world; layers x side
 *  (x side).  A hot start and `sweeps` cluster updates; then the cluster update stays in use. */
void vrg_bench_sample_begin (vrg_bench_sample *s, const vrg_bench_run *run, bool strips, int dimension, int64_t layers,
                             int64_t side, int sweeps);

/** Go on with Metropolis (heat bath) in its layout; the lattice keeps the configuration it has. */
void vrg_bench_sample_metropolis (vrg_bench_sample *s, double nn, bool heat_bath);
void vrg_bench_sample_end (vrg_bench_sample *s);

/** A cluster update, a Metropolis sweep of `state`, a vrg_bench_sample. */
uint64_t vrg_bench_cluster_work (void *state);
uint64_t vrg_bench_metropolis_work (void *state);

#endif
