/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a trained stack has learnt, in a physicist's terms: receptive fields, couplings, its samples against the data
 * and exact values, and reconstructions. */
#ifndef VRG_TRAIN_ANALYSIS_H
#define VRG_TRAIN_ANALYSIS_H

#include "files/model.h"
#include "train/layer.h"

/** The training samples, the caller's: this rank's group has n of them, this rank their rows of its strip
 *  (vrg_grid_span). */
typedef struct
{
  int64_t samples; /* of all groups; they are numbered 0 .. samples - 1, each in one group */
  int64_t chains;  /* sample = time * chains + chain, for errors of what is measured of them */
  int64_t n;
  const int64_t *number; /* [n] */
  const uint64_t *spins; /* [n][rows][words] */
} vrg_analysis_data;

/** About the bytes on a rank for a convolution on the lattice, and so many samples of all ranks.  Local. */
double vrg_analysis_bytes (const vrg_layer *layer, int ranks, int64_t samples);

/** Write DIRECTORY/fields.tsv, interactions.tsv, model-samples.tsv, reconstructions.tsv and, last, learnt.h5 (see
 *  train/findings.h).  Nothing is kept in between: a run that was stopped begins anew.  VRG_OK or VRG_FILE.
 *  Collective over grid. */
int vrg_analysis_run (const vrg_grid *grid, const vrg_input *input, const char *directory, const char *fingerprint,
                      const vrg_stack *stack, const vrg_analysis_data *data);

#endif
