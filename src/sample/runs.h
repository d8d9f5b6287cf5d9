/* SPDX-License-Identifier: GPL-3.0-or-later
 * Clusters of a strip by runs: sites of a row that active bonds join without a gap are one run.
 *
 * A run with a bond to a row above belongs to the cluster of the first such bond.  The others are heads; union-find works
 * on heads, which are numbered from VRG_RUNS_BEGIN in row-major order, so a cluster's smallest number is the head that
 * starts at its smallest site.  Two numbers are no heads: clusters joined to VRG_RUNS_STAY keep their spins, those joined
 * to VRG_RUNS_TURN turn them.
 *
 * Memory: three bits a site (four in three dimensions), 4 bytes and a bit a run, and 4 bytes a run of two layers of the
 * slowest dimension; it grows with the number of runs, never beyond the number of sites.  At the critical point half of the
 * sites start a run in two dimensions (a hot start: 0.71) and three quarters in three (0.82); a fifth and four tenths are
 * heads, the only labels that are touched. */
#ifndef VRG_SAMPLE_RUNS_H
#define VRG_SAMPLE_RUNS_H

#include <stdbool.h>
#include <stdint.h>

#include "lattice/lattice.h"

enum
{
  VRG_RUNS_STAY,
  VRG_RUNS_TURN,
  VRG_RUNS_BEGIN,
  VRG_RUNS_ABOVE = 2 /* rows above that a row can have bonds to */
};

/** The most sites of a strip: every number fits into int32, with some to spare for whole vectors. */
#define VRG_RUNS_MOST_SITES (INT32_MAX - 127)

typedef struct
{
  int64_t rows, columns, words, stride, plane; /* as in a lattice; rows of the strip */
  int above;                                   /* rows above that bonds lead to: dimension - 1 */
  /* rows of `stride` words */
  uint64_t *starts;                 /* bit x: a run starts at column x; column 0 always starts one */
  uint64_t *firsts[VRG_RUNS_ABOVE]; /* bit x: the first bond of its run to a row above, by the order of these */
  uint64_t *heads;                  /* rows of stride + 2 words; bit i + 1: run i of the row is a head */
  int32_t *run, *head;              /* per row: runs and heads of the rows before it; one more at the end */
  uint8_t *wraps;                   /* per row: a bond joins its last site to its first */
  uint64_t *turns;                  /* of a row: bit i: the i-th run that is no head turns */
  /* heads of the runs of the first layer, and of the last rows that were labelled: `pitch` entries a row */
  int32_t *label;
  int32_t *pair[4]; /* places in `label` to be joined: lower and upper, first bonds and later ones */
  int64_t pitch;
  /* parent[i] <= i, equal for the root of a cluster */
  int32_t *parent;
  uint64_t *own; /* bit per head: whether it would turn its cluster as its root */
  uint8_t *flip; /* per head, in the memory of parents that are not needed any more */
  int64_t capacity, gap;
} vrg_runs;

/** For strips like `shape`, flipped at most `chunk` rows at a time.  Local. */
void vrg_runs_init (vrg_runs *runs, const vrg_lattice *shape, int64_t chunk);
void vrg_runs_clear (vrg_runs *runs);

/** Runs of row `row` from its bonds to the right, rows in order from 0.  Local. */
void vrg_runs_add (vrg_runs *runs, int64_t row, const uint64_t *right);

/** All rows have been added: memory for the labels.  Local. */
void vrg_runs_ready (vrg_runs *runs);

/** Bonds of a row to one that is labelled already: of the same layer, or `plane` rows above. */
typedef struct
{
  const uint64_t *bonds;
  int64_t row;
} vrg_runs_above;

/** Label row `row`, rows in order from 0.  above[k].bonds is NULL where there is no such row.  Local. */
void vrg_runs_label (vrg_runs *runs, int64_t row, const vrg_runs_above above[VRG_RUNS_ABOVE]);

/** Heads of the runs of a row of the first layer or of the last `plane` + 1 rows labelled.  Local. */
static inline int32_t *
vrg_runs_row (const vrg_runs *runs, int64_t row)
{
  const int64_t slot = row < runs->plane ? row : runs->plane + row % (runs->plane + 1);
  return runs->label + slot * runs->pitch;
}

/** Join rows a and b, as above, by the bonds between them.  Local. */
void vrg_runs_join (vrg_runs *runs, int64_t a, int64_t b, const uint64_t *bonds);

/** Join every run of `row`, as above, that has a site in `bonds` to VRG_RUNS_STAY.  Local. */
void vrg_runs_stay (vrg_runs *runs, int64_t row, const uint64_t *bonds);

/** Draw what the heads of n rows would do as roots, rows in order from 0: bit `site` - `offset` of `random`, whose place in
 *  the strip is where the head starts.  random has two words more than are needed.  Local. */
void vrg_runs_draw (vrg_runs *runs, int64_t row, int64_t n, const uint64_t *random, int64_t offset);

/** Whether a head would turn its cluster as its root.  Local. */
static inline bool
vrg_runs_turns (const vrg_runs *runs, int32_t head)
{
  return runs->own[head / 64] >> (head % 64) & 1;
}

/** Flip n rows of the strip from row `row` on as the roots say.  against: all ones where bonds are between unequal spins.
 *  Rows in order from 0; the parents are lost.  Local. */
void vrg_runs_flip (vrg_runs *runs, int64_t row, int64_t n, uint64_t against, vrg_lattice *lattice);

#endif
