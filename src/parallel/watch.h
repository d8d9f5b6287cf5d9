/* SPDX-License-Identifier: GPL-3.0-or-later
 * A rank that hangs: noticed, told in the log, and the job ended, so that it can go on from its checkpoint.
 *
 * A thread of every rank beats, whatever the main thread does, and sees the beats of the others and how often they went
 * into MPI and came back (base/life): of the ranks of its node in memory they share; of other nodes in the file
 * DIRECTORY/watch, in which one rank a node writes for all of it.  It ends the job when for the whole time-out
 *  - another rank, or node, has not beaten: it is stopped, or gone without a word;
 *  - or every rank of the job has been inside one call of MPI: the network is lost, or they wait for each other.
 * A rank that computes or is at a file for long beats: the log says so, and nothing ends.
 * Time is counted in beats of one's own, not by a clock: a job that was suspended whole sees nothing odd. */
#ifndef VRG_PARALLEL_WATCH_H
#define VRG_PARALLEL_WATCH_H

#include <mpi.h>

typedef struct vrg_watch vrg_watch;

/** Start watching, with this time-out (<= 0: none); NULL where there is nothing to watch: one rank, no time-out, or a
 *  system without threads.  A process has one watch at most.  In the environment: VRG_WATCH_SECONDS, another time-out;
 *  VRG_WATCH_NODE, so many ranks count as a node (tests).  Collective. */
vrg_watch *vrg_watch_begin (MPI_Comm comm, const char *directory, double seconds);

/** Collective; NULL is fine. */
void vrg_watch_end (vrg_watch *watch);

#endif
