/* SPDX-License-Identifier: GPL-3.0-or-later
 * Labels of clusters that reach across strips.
 *
 * A strip, or several that have been joined, has two edges: its first and its last layer (a row in two dimensions, a
 * plane in three).  Joining two strips that touch unites the clusters on the touching edges by the bonds between them and
 * keeps the two outer edges; a binary tree of ceil (log2 strips) such steps leaves one, whose outer edges are joined to
 * close the torus.  A strip without a partner passes through.  On the way down every cluster gets the smallest label of
 * all that it is joined to.  The order of unions does not matter for a minimum, so the result is a function of the bonds.
 *
 * Cost: 2 (strips - 1) messages in all; a rank takes part in at most ceil (log2 strips) each way, one after the other,
 * however the clusters wind.  With E sites on an edge, of which a fraction r start runs, and c clusters on the two edges, a
 * message up has 24 + 3 E / 8 + 8 r E + 8 c bytes and one down 8 c.  At the critical point that is about 9 E and 5 E bytes in
 * two dimensions (r = 0.5, c = 0.6 E), 14 E and 8 E in three (r = 0.76, c = E). */
#ifndef VRG_SAMPLE_MERGE_H
#define VRG_SAMPLE_MERGE_H

#include <mpi.h>
#include <stdint.h>

/** A strip as its neighbours see it.  Edge 0 is its first layer, edge 1 its last; each is `words` words of sites, and
 *  slot[e][i] is the cluster (0 .. clusters - 1) of run i of edge e.  All of it lies in `data`, `length` words. */
typedef struct
{
  int64_t words, clusters, runs[2];
  int64_t *label;      /* [clusters], any int64 */
  uint64_t *bonds;     /* [words]: from the layer above edge 0 */
  uint64_t *starts[2]; /* [words]: where runs start */
  int32_t *slot[2];    /* [runs] */
  uint64_t *data;
  int64_t length;
} vrg_merge_strip;

/** Memory for a strip with at most as many clusters as runs.  Local. */
vrg_merge_strip vrg_merge_strip_new (int64_t words, int64_t clusters, const int64_t runs[2]);
void vrg_merge_strip_clear (vrg_merge_strip *strip);

/** Labels of the clusters become the minima over all that they are joined to; clears the strip but for that: returns the
 *  labels, [clusters], to be freed by vrg_free.  Collective over strip_comm, of two ranks or more. */
int64_t *vrg_merge_labels (MPI_Comm strip_comm, vrg_merge_strip *strip);

#endif
