/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow of a finished run, read back from its flow.h5 to be combined with that of others. */
#ifndef VRG_FLOW_FINISHED_H
#define VRG_FLOW_FINISHED_H

#include "base/param.h"
#include "flow/measure.h"
#include "parallel/grid.h"

/** Of one ensemble, rule and sector: arrays [level][operator], with one block left out [level][block][operator].  NULL
 *  without operators; slopes of even operators alone. */
typedef struct
{
  int n;
  double *mean, *mean_rest;   /* <S_a> per site */
  double *slope, *slope_rest; /* d mean / dK_nn of level 0; NaN where nn is not among the operators */
  double *y, *y_rest;         /* with the first 1, 2, ... operators; y is corrected for bias, y_rest is not */
} vrg_finished_sector;

typedef struct
{
  const char *directory; /* the caller's */
  char *fingerprint;
  vrg_input input;
  int levels; /* with level 0 */
  int blocks;
  double *factor;                             /* [ensemble]: by which errors exceed the jackknife's */
  vrg_finished_sector (*sector)[VRG_SECTORS]; /* [ensemble * n_rules + rule] */
} vrg_finished;

/** Read DIRECTORY/flow.h5, checksums verified, into *run, every rank all of it.  VRG_FILE with a message if it is missing
 *  (or the flow not finished), damaged or of another format.  Clear it in any case.  Collective. */
int vrg_finished_read (const vrg_grid *grid, const char *directory, vrg_finished *run);

/** Local. */
void vrg_finished_clear (vrg_finished *run);

/** Side of a level's lattice, the shortest one; level 0 is the sampled lattice.  Local. */
int64_t vrg_finished_side (const vrg_finished *run, int level);

#endif
