/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of the kernels against plain implementations measured beside them. */
#ifndef VRG_BENCH_BENCH_H
#define VRG_BENCH_BENCH_H

#include "parallel/grid.h"

/** Run the n named benchmarks (all if n = 0) and print the table on standard output: benchmark case path ranks value
 *  unit reference reference_value ratio.  Every rank works on its own lattice, both for the kernel and for the reference,
 *  and values are those of all ranks together; but `scaling` and `traffic` cut one lattice into a strip a rank.  Rates
 *  are medians of several repetitions, kernel and reference by turns.  ratio is how many times better than
 *  the reference: for `scaling` the speed-up (divided by the ranks, the efficiency), for `metropolis-floor` the part of the
 *  floor that is reached, for `traffic` counted over expected.  The grid has one strip.  VRG_USAGE for an unknown name,
 *  with the list; VRG_INTERNAL if a kernel and its reference disagree where they must not.  Collective. */
int vrg_bench (const vrg_grid *grid, int n, const char *const *names);

/** Names and what they measure, one a line.  Local. */
const char *vrg_bench_names (void);

#endif
