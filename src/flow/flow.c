/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow stage: block spins of every sampled configuration, and from them couplings and exponents by level.
 *
 * 1. Open the samples and, for the learnt rules, the model; both must be of this input.
 * 2. With a trained model: configurations through it and back, again and again; and how well it maps the Ising law.
 * 3. Pass over the configurations, from the newest checkpoint on.
 * 4. Estimate, and write the tables and flow.h5: in this order, so that a flow.h5 under its final name means that the
 *    stage is finished.
 * 5. Remove the checkpoints. */
#include "flow/flow.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/checkpoint.h"
#include "flow/learnt.h"
#include "flow/mapping.h"
#include "flow/measure.h"
#include "flow/output.h"
#include "flow/rbm-flow.h"
#include "train/passage.h"

#define STAGE "flow"

typedef struct
{
  const vrg_grid *grid;
  const vrg_input *input;
  const char *directory;
  char *fingerprint;
  vrg_samples *samples;
  vrg_filters filters;
  vrg_measure *measure;
} flowing;

/** 1.  Collective. */
static int
begin (flowing *f)
{
  char path[VRG_PATH_LENGTH + 16];
  snprintf (path, sizeof path, "%s/samples.h5", f->directory);
  int status = vrg_flow_check (f->input);
  if (status == VRG_OK)
    status = vrg_samples_open (f->grid->file, path, &f->samples);
  if (status == VRG_OK)
    status = vrg_learnt_check (f->directory, "samples.h5", vrg_samples_get_fingerprint (f->samples), f->input,
                               VRG_STAGE_SAMPLE);
  if (status == VRG_OK)
    status = vrg_samples_check (f->samples, f->input);
  if (status != VRG_OK)
    return status;
  const vrg_samples_info *info = vrg_samples_get_info (f->samples);
  return vrg_filters_init (f->grid, f->directory, f->input, info, &f->filters);
}

/** Steps 1 to 5.  Collective. */
static int
flow (flowing *f, vrg_stop *stop)
{
  int status = begin (f);
  if (status == VRG_OK)
    status = vrg_rbm_flow (f->grid, f->input, f->samples, f->directory, f->fingerprint, stop);
  if (status == VRG_OK)
    status = vrg_mapping_write (f->grid, f->input, vrg_samples_get_info (f->samples), f->directory);
  if (status == VRG_OK)
    {
      const vrg_measure *m = f->measure = vrg_measure_new (f->input, vrg_samples_get_info (f->samples), &f->filters);
      if (m->levels->depth < f->input->levels)
        vrg_info (STAGE
                  ": %d of the %lld levels wanted: then blocks of side %d no longer divide the sides, or leave less "
                  "than 2",
                  m->levels->depth, (long long) f->input->levels, m->levels->scale);
      vrg_info (STAGE ": %d levels of %d rules, %d jackknife blocks, %lld units of work for %d ranks", m->levels->depth,
                m->levels->rules, m->blocks.n, (long long) m->units, f->grid->size);
      status = vrg_measure_run (f->measure, f->grid, f->samples, f->directory, f->fingerprint, stop);
    }
  if (status == VRG_OK)
    status = vrg_flow_write (f->measure, f->grid, f->samples, f->directory, f->fingerprint);
  if (status == VRG_OK)
    status = vrg_checkpoint_remove (f->grid, f->directory, STAGE);
  vrg_grid_tell_memory (f->grid, STAGE);
  vrg_measure_free (f->measure);
  vrg_filters_free (&f->filters);
  vrg_samples_close (f->samples);
  return status;
}

bool
vrg_flow_can (const vrg_input *input)
{
  return input->field == 0;
}

int
vrg_flow_check (const vrg_input *input)
{
  if (!vrg_flow_can (input))
    return vrg_error (VRG_USAGE, "flow: not with a field ([couplings] field): even and odd operators would mix");
  vrg_filter weighted = { 0, NULL };
  int status = VRG_OK;
  if (vrg_input_has_rule (input, VRG_WEIGHTED)) /* before anything is sampled */
    status = vrg_filter_weighted ((int) input->dimension, (int) input->scale, input->weights, &weighted);
  vrg_free (weighted.weights);
  return status == VRG_OK ? vrg_measure_check (input) : status;
}

double
vrg_flow_bytes (int ranks, const vrg_input *input)
{
  /* the machine as it is read, in double and in fixed point; configurations on their way through a layer */
  const bool learnt = vrg_input_flow_needs_model (input);
  const double followed = fmin ((double) input->rbm_configurations, (double) input->configurations);
  const int64_t n = (int64_t) fmin (followed / ranks + VRG_LAYER_LANES - 1, VRG_PIECE_MOST);
  double machine = 0, piece = 0;
  vrg_layer *layer = learnt && input->model == VRG_MODEL_CONVOLUTION ? vrg_layer_sketch (input, 0, &machine) : NULL;
  if (layer != NULL)
    {
      piece = vrg_passage_bytes (layer, n);
      vrg_layer_sketch_free (layer);
    }
  for (int l = 0; l < input->n_hidden && learnt && input->model == VRG_MODEL_DENSE; l++)
    {
      double visible, hidden, weights;
      vrg_input_layer (input, l, &visible, &hidden, &weights);
      machine += 12 * weights;
      piece = fmax (piece, (double) n * (4 * fmax (visible, hidden) + visible + hidden));
    }
  /* sums of what is written */
  return fmax (machine + piece, vrg_measure_bytes (input)) + (1 << 20);
}

int
vrg_flow (MPI_Comm world, const vrg_input *input, const char *directory, vrg_stop *stop)
{
  char difference[256];
  vrg_grid *grid = vrg_grid_new (world, 1);
  flowing f = { .grid = grid, .input = input, .directory = directory };
  f.fingerprint = vrg_param_fingerprint (input, VRG_STAGE_FLOW);
  vrg_work work;
  int status = vrg_work_look (grid->world, directory, VRG_STAGE_FLOW, f.fingerprint, &work, difference);
  if (status == VRG_OK && work == VRG_WORK_FINISHED)
    status = vrg_checkpoint_remove (grid, directory, STAGE); /* left behind if a run was killed at its very end */
  else if (status == VRG_OK)
    status = flow (&f, stop);
  vrg_free (f.fingerprint);
  vrg_grid_free (grid);
  return status;
}
