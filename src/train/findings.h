/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the analysis of a stack found, and its files: fields.tsv, interactions.tsv, model-samples.tsv,
 * reconstructions.tsv and learnt.h5. */
#ifndef VRG_TRAIN_FINDINGS_H
#define VRG_TRAIN_FINDINGS_H

#include "train/fields.h"
#include "train/interactions.h"
#include "train/observables.h"

#define VRG_FINDINGS_PICTURES 16 /* configurations kept of every kind */

/** Depth d: the lowest d layers as a model of its own.  Pictures are this rank's rows, in the first group alone (else
 *  NULL).  Open; owns all but stack and input. */
typedef struct
{
  const vrg_input *input;
  const vrg_stack *stack;
  int64_t row0, row1, words; /* of a picture */
  vrg_fields *fields[VRG_MAX_LAYERS];
  vrg_interactions *interactions[VRG_MAX_LAYERS]; /* NULL where a layer does not stand on a lattice */
  int observed;                                   /* estimates of data and models */
  vrg_observed data[VRG_OBSERVED_MOST], model[VRG_MAX_LAYERS][VRG_OBSERVED_MOST]; /* model [depth - 1] */
  double thermal[VRG_MAX_LAYERS];  /* chains from the data against chains from random units, in standard errors */
  int64_t pictures;                /* samples of the models */
  uint64_t *drawn[VRG_MAX_LAYERS]; /* [pictures][row1 - row0][words] */
  int64_t rebuilds;                /* reconstructions kept, of how many */
  int64_t rebuilt;
  double overlap[VRG_MAX_LAYERS], overlap_error[VRG_MAX_LAYERS];
  uint64_t *original, *rebuild[VRG_MAX_LAYERS]; /* [rebuilds][row1 - row0][words] */
} vrg_findings;

/** Free what it holds.  Local. */
void vrg_findings_clear (vrg_findings *findings);

/** The coupling of the only ensemble, NaN if there are several.  Local. */
double vrg_findings_nn (const vrg_input *input);

/** Write all files, learnt.h5 last.  VRG_OK or VRG_FILE.  Collective over grid. */
int vrg_findings_write (const vrg_grid *grid, const vrg_findings *findings, const char *directory,
                        const char *fingerprint);

#endif
