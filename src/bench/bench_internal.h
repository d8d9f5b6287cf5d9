/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the benchmarks share: how rates are measured and rows are put. */
#ifndef VRG_BENCH_BENCH_INTERNAL_H
#define VRG_BENCH_BENCH_INTERNAL_H

#include <stdint.h>

#include "base/simd.h"
#include "files/table.h"
#include "parallel/grid.h"

#define VRG_BENCH_NS 1e9

typedef struct
{
  const vrg_grid *grid;
  vrg_table *table; /* rank 0 */
} vrg_bench_run;

/** A call of a kernel; what it returns depends on what it computed, so that no work can be left out. */
typedef uint64_t vrg_bench_work (void *state);

typedef enum
{
  VRG_BENCH_EACH,     /* every rank its own work: the rates of all are added */
  VRG_BENCH_TOGETHER, /* one work of all ranks */
  VRG_BENCH_ALONE     /* rank 0 works, the others sleep */
} vrg_bench_ranks;

/** Something to be measured.  The caller sets the first four. */
typedef struct
{
  vrg_bench_work *work;
  void *state;
  vrg_simd_path path; /* in force meanwhile */
  vrg_bench_ranks ranks;
  double rate; /* calls a second, the median over repetitions */
  int64_t calls;
} vrg_bench_item;

/** Measure n items by turns, so that what disturbs the machine disturbs all of them.  Collective. */
void vrg_bench_measure (const vrg_bench_run *run, int n, vrg_bench_item *items);

/** Bring an item's rate alone.  Collective. */
double vrg_bench_rate (const vrg_bench_run *run, vrg_bench_work *work, void *state);

typedef enum
{
  VRG_BENCH_MORE, /* ratio = value / reference_value */
  VRG_BENCH_LESS  /* ratio = reference_value / value */
} vrg_bench_sense;

/** Put a row with `ranks` ranks, logged as well. */
void vrg_bench_put (const vrg_bench_run *run, const char *name, const char *of, vrg_simd_path path, int64_t ranks,
                    double value, const char *unit, const char *reference, double reference_value,
                    vrg_bench_sense better);

/** Measure `work` on the paths from the best down to `lowest`, and `plain` beside them, and put a row for each: value =
 *  `scale` x rate, or its inverse where less is better.  Rates of the best path and of `plain`, scaled, in out (may be
 *  NULL).  Collective. */
void vrg_bench_rows (const vrg_bench_run *run, const char *name, const char *of, vrg_simd_path lowest,
                     vrg_bench_work *work, void *state, vrg_bench_work *plain, void *plain_state, double scale,
                     const char *unit, const char *reference, vrg_bench_sense better, double out[2]);

/** 512-bit (avx512) or 128-bit (else) AES rounds and 512-bit or 256-bit ternary or binary logic operations that this core does in
 *  a nanosecond, and its clock in GHz from a chain of additions. */
typedef struct
{
  double aes, logic, clock;
} vrg_bench_limits;
vrg_bench_limits vrg_bench_machine (const vrg_bench_run *run, vrg_simd_path path);

/** The benchmarks; each VRG_OK, or a code with a message.  Collective. */
int vrg_bench_rng (const vrg_bench_run *run);
int vrg_bench_metropolis (const vrg_bench_run *run);
int vrg_bench_chains (const vrg_bench_run *run);
int vrg_bench_local (const vrg_bench_run *run);
int vrg_bench_cluster (const vrg_bench_run *run);
int vrg_bench_observables (const vrg_bench_run *run);
int vrg_bench_correlations (const vrg_bench_run *run);
int vrg_bench_environments (const vrg_bench_run *run);
int vrg_bench_convolution (const vrg_bench_run *run);
int vrg_bench_product (const vrg_bench_run *run);
int vrg_bench_train (const vrg_bench_run *run);
int vrg_bench_train_ranks (const vrg_bench_run *run);
int vrg_bench_checkpoint (const vrg_bench_run *run);
int vrg_bench_scaling (const vrg_bench_run *run);
int vrg_bench_traffic (const vrg_bench_run *run);
int vrg_bench_model (const vrg_bench_run *run);

#endif
