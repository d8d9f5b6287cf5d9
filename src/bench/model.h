/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a sweep sends, and how long it takes, against the number of strips.  Everything local. */
#ifndef VRG_BENCH_MODEL_H
#define VRG_BENCH_MODEL_H

#include "parallel/traffic.h"

/** A machine, in seconds, bytes and sites. */
typedef struct
{
  double metropolis, cluster; /* seconds a site and sweep on one core */
  double edge;                /* seconds to name the clusters of a strip's edges, a site of an edge */
  double join;                /* seconds to join two strips and to part them again, likewise */
  double latency;             /* seconds from a send to its receive */
  double bandwidth;           /* bytes a second, of a core, each way at the same time */
} vrg_model_machine;

/** What a strip sends in a Metropolis sweep of a lattice with so many columns: two edge rows of half their sites for
 *  either colour.  Exact. */
vrg_traffic vrg_model_metropolis_traffic (int64_t columns, int strips);

/** What a strip sends in a sweep of sample/local.h: two halo exchanges.  Exact. */
vrg_traffic vrg_model_local_traffic (int dimension, int64_t columns, int strips);

/** What strip `strip` sends in a cluster update of a square or cubic lattice: a halo layer, then edges up and labels
 *  down the tree of sample/merge.h.  Messages are exact; bytes are those to be expected at the critical point. */
vrg_traffic vrg_model_cluster_traffic (int dimension, int64_t columns, int strips, int strip);

/** The most messages and the most bytes that any strip sends. */
vrg_traffic vrg_model_cluster_busiest (int dimension, int64_t columns, int strips);

/** Seconds of a sweep of layers x columns (x columns), cut into strips.
 *  Metropolis: a colour's exchange goes on while the rows inside are updated; the two edge rows wait for it.
 *  Clusters: the strip, its edges, then ceil (log2 strips) times up (message, join) and down (message); the halo arrives
 *  meanwhile. */
double vrg_model_metropolis_seconds (const vrg_model_machine *machine, int64_t layers, int64_t columns, int strips);
double vrg_model_cluster_seconds (const vrg_model_machine *machine, int dimension, int64_t layers, int64_t columns,
                                  int strips);

#endif
