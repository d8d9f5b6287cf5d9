/* SPDX-License-Identifier: GPL-3.0-or-later
 * Two passes over the configurations of every ensemble, each rank taking whole pieces of jackknife blocks:
 * first the sums of operator products by block and the histogram of environments, from which the couplings follow;
 * then the slopes of the pseudo-likelihood at these couplings by block, for errors (flow/fit.h). */
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

/** Environments of a site that one lattice may have: 32 MiB of counts. */
#define VRG_FLOW_ENVIRONMENTS (INT64_C (1) << 22)

/** Open struct; owns its arrays.  A unit is a range of times of a block: the same ones on any number of ranks. */
typedef struct
{
  const vrg_input *input;       /* not owned */
  const vrg_samples_info *info; /* not owned */
  vrg_levels *levels;
  vrg_blocks blocks;
  int parts;                       /* units in a block */
  int64_t units;                   /* blocks.n * parts */
  int n[VRG_SECTORS];              /* operators of input->even, odd */
  int n_fitted;                    /* of input->fitted */
  int size[VRG_SECTORS];           /* wide numbers of a record (flow/correlations.h) */
  int64_t width;                   /* words of a lattice's two records */
  int64_t slope;                   /* doubles of a lattice's slopes: vrg_couplings_slopes_size, then the two numbers of
                            vrg_couplings_saturated: likelihood of the observed shares, excess */
  vrg_operators **all, **fitted;   /* [lattice]: even and then odd operators; fitted ones, NULL if there are none */
  int (*reach)[VRG_MAX_OPERATORS]; /* [lattice][fitted operator] */
  int64_t *first;                  /* [lattice + 1]: where its histogram begins */
  /* results, complete on every rank after vrg_measure_run */
  uint8_t *done;      /* [ensemble][pass][unit] */
  int64_t *sums;      /* [ensemble][block][lattice][width] */
  int64_t *histogram; /* [first[lattices]], of the ensemble at work */
  double *allowance;  /* [first[lattices] / 2], likewise: vrg_couplings_allowance */
  double *slopes;     /* [ensemble][unit][lattice][slope] */
  double *couplings;  /* [ensemble][lattice][fit][fitted operator]: vrg_couplings_nested */
} vrg_measure;

/** Can the stage follow these operators?  VRG_USAGE with a message if they have too many environments.  Local. */
int vrg_measure_check (const vrg_input *input);

/** Bytes that vrg_measure_new and vrg_measure_run take on a rank, nearly.  Local. */
double vrg_measure_bytes (const vrg_input *input);

/** Plan the work; input has passed vrg_measure_check.  Local. */
vrg_measure *vrg_measure_new (const vrg_input *input, const vrg_samples_info *info, const vrg_filters *filters);
void vrg_measure_free (vrg_measure *measure);

/** Do the passes, from the newest checkpoint on.  VRG_STOPPED after an agreed stop with a good checkpoint.
 *  Collective. */
int vrg_measure_run (vrg_measure *measure, const vrg_grid *grid, vrg_samples *samples, const char *directory,
                     const char *fingerprint, vrg_stop *stop);

/** Pieces of the results. */
int64_t *vrg_measure_sums (const vrg_measure *measure, int ensemble, int block, int lattice);
double *vrg_measure_slope (const vrg_measure *measure, int ensemble, int64_t unit, int lattice);
double *vrg_measure_couplings (const vrg_measure *measure, int ensemble, int lattice);

/** "nn=0.440687 majority level 2 (16x16)", for messages. */
void vrg_measure_place (const vrg_measure *measure, int ensemble, int rule, int level, char text[128]);

#endif
