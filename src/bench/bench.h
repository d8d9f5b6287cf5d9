/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of the kernels against plain implementations measured beside them. */
#ifndef VRG_BENCH_BENCH_H
#define VRG_BENCH_BENCH_H

#include "parallel/grid.h"

/** Run the n named benchmarks (all if n = 0) and print the table on standard output: benchmark case path ranks
 *  value unit reference reference_value ratio. Every rank does its own work, both for the kernel and for the
 *  reference, and values are those of all ranks together; but `scaling` and `traffic` cut one lattice into a strip
 *  a rank, and `train-ranks` shares the batches of one model, or its weights. Rates are medians of several
 *  repetitions, kernel and reference by turns; scripts are run before and after the kernel, and the better rate
 *  counts. ratio is how many times better than the reference: for `scaling` and `train-ranks` the speed-up (divided
 *  by the ranks, the efficiency), for `metropolis-floor` the part of the floor that is reached, for `traffic`
 *  counted over expected. A reference that is missing is `none`, its value and the ratio nan, and the log says what
 *  to install. The grid has one strip. VRG_USAGE for an unknown name, with the list; VRG_INTERNAL if a kernel and
 *  its reference disagree where they must not. Collective. */
int vrg_bench (const vrg_grid *grid, int n, const char *const *names);

/** OpenBLAS as it chooses itself: if this is `vrg bench` and the environment sets OpenBLAS's core type or cache size,
 *  which it reads when it is loaded with the program, start the program anew without them.  Before MPI is started. */
void vrg_bench_environment (int argc, char **argv);

/** Names and what they measure, one a line.  Local. */
const char *vrg_bench_names (void);

#endif
