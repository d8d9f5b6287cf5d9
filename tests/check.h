/* SPDX-License-Identifier: GPL-3.0-or-later
 * TAP for programs of any number of ranks: a check passes if it passes on every rank; rank 0 prints. */
#ifndef VRG_TESTS_CHECK_H
#define VRG_TESTS_CHECK_H

#include <math.h>
#include <mpi.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"

static int check_number_, check_failed_, check_rank_, check_size_;

static inline void
check_begin (int *argc, char ***argv)
{
  int threads;
  MPI_Init_thread (argc, argv, MPI_THREAD_FUNNELED, &threads);
  MPI_Comm_rank (MPI_COMM_WORLD, &check_rank_);
  MPI_Comm_size (MPI_COMM_WORLD, &check_size_);
  vrg_error_init (MPI_COMM_WORLD);
  vrg_log_init (check_rank_ == 0, VRG_LOG_WARNING);
}

/** Collective: the condition of every rank counts. */
__attribute__ ((format (printf, 2, 3))) static inline void
check (bool condition, const char *format, ...)
{
  int mine = condition, all = 0;
  MPI_Allreduce (&mine, &all, 1, MPI_INT, MPI_LAND, MPI_COMM_WORLD);
  if (check_rank_ == 0)
    {
      va_list list;
      va_start (list, format);
      printf ("%sok %d - ", all ? "" : "not ", ++check_number_);
      vprintf (format, list);
      va_end (list);
      putchar ('\n');
      fflush (stdout);
      check_failed_ += !all;
    }
}

/** |result - expected| <= tolerance |expected|; tolerance 0: the same bits. */
static inline void
check_rel (double result, double expected, double tolerance, const char *text)
{
  bool good = result == expected || fabs (result - expected) <= tolerance * fabs (expected);
  check (good, "%s", text);
  if (!good)
    printf ("# rank %d: %.17g, expected %.17g within %g\n", check_rank_, result, expected, tolerance);
}

static inline void
check_abs (double result, double expected, double tolerance, const char *text)
{
  bool good = fabs (result - expected) <= tolerance;
  check (good, "%s", text);
  if (!good)
    printf ("# rank %d: %.17g, expected %.17g within %g\n", check_rank_, result, expected, tolerance);
}

/** Prints the plan, after a check that no counted memory is left; returns the exit code. */
static inline int
check_end (void)
{
  check (vrg_memory_blocks () == 0, "no counted memory is left");
  if (check_rank_ == 0)
    printf ("1..%d\n", check_number_);
  MPI_Bcast (&check_failed_, 1, MPI_INT, 0, MPI_COMM_WORLD);
  MPI_Finalize ();
  return check_failed_ != 0;
}

#endif
