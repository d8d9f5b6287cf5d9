/* SPDX-License-Identifier: GPL-3.0-or-later
 * Two passes over the configurations of every ensemble, each rank taking whole pieces of jackknife blocks:
 * first the sums of operator products by block and the histogram of environments, from which the couplings follow;
 * then the slope of the pseudo-likelihood at these couplings by block, for the couplings' errors. */
#ifndef VRG_FLOW_MEASURE_H
#define VRG_FLOW_MEASURE_H

#include "base/param.h"
#include "base/statistics.h"
#include "files/samples.h"
#include "flow/levels.h"
#include "lattice/operators.h"
#include "parallel/grid.h"
#include "parallel/stop.h"

enum
{
  VRG_EVEN,
  VRG_ODD,
  VRG_SECTORS
};

/** Open struct; owns its arrays.  A unit is a range of times of a block: the same ones on any number of ranks. */
typedef struct
{
  const vrg_input *input;       /* not owned */
  const vrg_samples_info *info; /* not owned */
  vrg_levels *levels;
  vrg_blocks blocks;
  int parts;             /* units in a block */
  int64_t units;         /* blocks.n * parts */
  int n[VRG_SECTORS];    /* operators */
  int size[VRG_SECTORS]; /* wide numbers of a record (flow/correlations.h) */
  int64_t width;         /* words of a lattice's two records */
  int64_t slope;         /* doubles of a lattice's slope: n gradient, n n Hessian; n even operators */
  const vrg_operator *operators[VRG_SECTORS][VRG_MAX_OPERATORS];
  int (*reach)[VRG_MAX_OPERATORS]; /* [lattice][even operator] */
  int64_t *first;                  /* [lattice + 1]: where its histogram begins */
  /* results, complete on every rank after vrg_measure_run */
  uint8_t *done;      /* [ensemble][pass][unit] */
  int64_t *sums;      /* [ensemble][block][lattice][width] */
  int64_t *histogram; /* [first[lattices]], of the ensemble at work */
  double *slopes;     /* [ensemble][unit][lattice][slope] */
  double *couplings;  /* [ensemble][lattice][n even], NaN for operators dropped */
} vrg_measure;

/** Plan the work.  VRG_USAGE if a lattice is too large for this version.  Local. */
int vrg_measure_new (const vrg_input *input, const vrg_samples_info *info, vrg_filter filter, vrg_measure **measure);
void vrg_measure_free (vrg_measure *measure);

/** Do the passes, from the newest checkpoint on.  VRG_STOPPED after an agreed stop with a good checkpoint.
 *  Collective. */
int vrg_measure_run (vrg_measure *measure, const vrg_grid *grid, vrg_samples *samples, const char *directory,
                     const char *fingerprint, vrg_stop *stop);

/** Pieces of the results. */
int64_t *vrg_measure_sums (const vrg_measure *measure, int ensemble, int block, int lattice);
double *vrg_measure_slope (const vrg_measure *measure, int ensemble, int64_t unit, int lattice);
double *vrg_measure_couplings (const vrg_measure *measure, int ensemble, int lattice);

#endif
