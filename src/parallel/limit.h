/* SPDX-License-Identifier: GPL-3.0-or-later
 * The time limit of the command line, `--time H:MM:SS|slurm`. */
#ifndef VRG_PARALLEL_LIMIT_H
#define VRG_PARALLEL_LIMIT_H

#include <mpi.h>

/** Seconds that `text` allows, for vrg_stop_init; 0 without a limit (text NULL, or a Slurm job without one).  `slurm`:
 *  what is left of this job, from SLURM_JOB_END_TIME or squeue, asked by rank 0.  VRG_USAGE when it cannot be
 *  understood.  Collective over comm. */
int vrg_limit_read (MPI_Comm comm, const char *text, double *seconds);

#endif
