/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow v -> h -> v.
 *
 * 1. Read the model and the newest checkpoint: estimates of the couplings that are done, sums over the slabs of the next one.
 * 2. For each coupling, slab by slab: take configurations, measure them, go a step, measure again, and so on; after each
 *    slab, when asked to, write a checkpoint, and go on or stop.
 * 3. Estimate.
 * 4. Write the tables and rbm-flow.h5; remove the checkpoints. */
#include "flow/rbm-flow.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "files/checkpoint.h"
#include "flow/learnt.h"
#include "flow/rbm-result.h"
#include "flow/thermometer.h"
#include "lattice/operators.h"
#include "train/observables.h"
#include "train/passage.h"

#define STAGE "rbm"
#define NUMBERS (INT64_C (1) << 24) /* configurations times steps that are measured together */

enum
{
  BY_ENVIRONMENTS,
  BY_ENERGY,
  THERMOMETERS
};

typedef struct
{
  const vrg_grid *grid;
  const vrg_input *input;
  const vrg_samples_info *info;
  vrg_samples *samples;
  const char *directory, *fingerprint;
  vrg_stop *stop;
  vrg_stack *stack; /* of the first layer alone */
  vrg_passage *passage;
  vrg_rbm_result *result;
  int64_t finished, done; /* ensembles; configurations of the one at work */
  vrg_progress progress;
  vrg_lattice *lattice;
  vrg_operators *environments; /* nearest neighbours */
  int reach;
  /* of the ensemble at work, [steps + 1]; sums of all ranks' together */
  vrg_observables **observables;
  int64_t **counts; /* [block][reach + 1] sites of an environment */
  int64_t width;    /* numbers of a step */
  int64_t *sums;    /* [steps + 1][width], room for a checkpoint */
} flowing;

/* ---------------------------------------------------------------- beginning and end */

int
vrg_rbm_flow_model (const vrg_grid *grid, const vrg_input *input, const vrg_samples_info *info, const char *directory,
                    vrg_stack **stack)
{
  char path[VRG_PATH_LENGTH + 16], *found = NULL;
  snprintf (path, sizeof path, "%s/model.h5", directory);
  *stack = NULL;
  int status = vrg_model_read (grid, path, stack, &found);
  if (status == VRG_OK)
    {
      const vrg_model *m = (*stack)->layer[0];
      if (m->rows != info->rows || m->columns != info->columns)
        status = vrg_error (
          VRG_FILE, "%s: model of another lattice: %lldx%lld, the samples are %lldx%lld; train it again", path,
          (long long) m->rows, (long long) m->columns, (long long) info->rows, (long long) info->columns);
      else
        status = vrg_learnt_check (directory, "model.h5", found, input, VRG_STAGE_TRAIN);
    }
  vrg_free (found);
  if (status == VRG_OK)
    return status;
  vrg_stack_free (*stack);
  *stack = NULL;
  return status;
}

/** How many configurations of a coupling. */
static int64_t
configurations (const vrg_input *input, const vrg_samples_info *info)
{
  const int64_t most = NUMBERS / (input->rbm_steps + 1);
  const int64_t wanted = input->rbm_configurations < info->samples ? input->rbm_configurations : info->samples;
  const int64_t n = wanted < most ? wanted : most;
  if (n < wanted)
    vrg_info ("rbm-flow: %lld configurations of a coupling, not %lld: as many as can be followed for %lld steps",
              (long long) n, (long long) wanted, (long long) input->rbm_steps);
  return n < VRG_OBSERVABLES_SAMPLES ? n : VRG_OBSERVABLES_SAMPLES;
}

/** Where a step keeps its numbers: calls act (place, numbers, the same place in f->sums). */
static void
for_sums (flowing *f, void (*act) (int64_t *, int64_t, int64_t *))
{
  for (int step = 0; step <= f->result->steps; step++)
    {
      vrg_observables *o = f->observables[step];
      int64_t *sums = f->sums + step * f->width, n = f->result->configurations;
      act (o->sums, o->blocks.n * o->numbers, sums);
      sums += o->blocks.n * o->numbers;
      act (o->series[0], n, sums);
      act (o->series[1], n, sums + n);
      act (f->counts[step], o->blocks.n * (f->reach + 1), sums + 2 * n);
    }
}

static void
collect (int64_t *place, int64_t n, int64_t *sums)
{
  memcpy (sums, place, (size_t) n * sizeof *sums);
}

static void
restore (int64_t *place, int64_t n, int64_t *sums)
{
  memcpy (place, sums, (size_t) n * sizeof *sums);
}

static void
clear (int64_t *place, int64_t n, int64_t *sums)
{
  (void) sums;
  memset (place, 0, (size_t) n * sizeof *place);
}

static void
checkpoint_arrays (const flowing *f, vrg_h5_array arrays[VRG_RBM_ARRAYS + 1])
{
  vrg_rbm_result_arrays (f->result, arrays);
  arrays[VRG_RBM_ARRAYS] = (vrg_h5_array){ .name = "/sums",
                                           .help = "sums over the configurations of the coupling at work (1)",
                                           .axes = "step number",
                                           .type = VRG_I64,
                                           .rank = 2,
                                           .dims = { f->result->steps + 1, f->width },
                                           .replicated = true,
                                           .data = f->sums };
}

/** Can a run have come to what was read?  Loops and histograms count on it. */
static bool
state_good (const flowing *f, int64_t at)
{
  const int64_t n = f->result->configurations, most = INT64_MAX / 4 / (f->reach + 1);
  bool good = at <= n * f->result->ensembles;
  for (int step = 0; step <= f->result->steps; step++)
    {
      const int blocks = f->observables[step]->blocks.n;
      const int64_t *counts = f->sums + (step + 1) * f->width - blocks * (f->reach + 1);
      for (int64_t i = 0; i < blocks * (f->reach + 1); i++)
        good = good && counts[i] >= 0 && counts[i] <= most / blocks;
    }
  return good;
}

/** 1.  Collective. */
static int
begin (flowing *f)
{
  int status = vrg_rbm_flow_model (f->grid, f->input, f->info, f->directory, &f->stack);
  if (status != VRG_OK)
    return status;
  for (; f->stack->layers > 1; f->stack->layers--)
    vrg_model_free (f->stack->layer[f->stack->layers - 1]);
  const int64_t n = configurations (f->input, f->info), slab = (int64_t) f->grid->groups * VRG_PIECE_MOST;
  f->result = vrg_rbm_result_new (f->info, (int) f->input->rbm_steps, n);
  f->passage = vrg_passage_new (f->grid, f->stack, (uint64_t) f->info->seed, VRG_USE_FLOW, n < slab ? n : slab);
  if (f->passage == NULL)
    return vrg_error (VRG_FILE, "%s/model.h5: the weights are too large or not numbers: train it again", f->directory);
  const int dimension = (int) f->info->dimension;
  f->lattice = vrg_lattice_new_size (dimension, f->info->size, 0, dimension == 1 ? 1 : f->info->size[0]);
  vrg_operator nn;
  const vrg_operator *list = &nn;
  vrg_operator_init (&nn, dimension, vrg_catalogue_find (dimension, "nn"));
  vrg_operators_reach (dimension, f->info->size, 1, &list, &f->reach);
  f->environments = vrg_operators_new (dimension, f->info->size, 1, &list);
  f->observables = vrg_new (f->result->steps + 1, sizeof (vrg_observables *), "observables");
  f->counts = vrg_new (f->result->steps + 1, sizeof (int64_t *), "histograms");

  for (int step = 0; step <= f->result->steps; step++)
    {
      f->observables[step] = vrg_observables_new (f->info->rows, f->info->columns, n, f->info->chains);
      const vrg_observables *o = f->observables[step];
      f->counts[step] = vrg_new (o->blocks.n * (f->reach + 1), sizeof (int64_t), "histograms");
      f->width = o->blocks.n * (o->numbers + f->reach + 1) + 2 * n;
    }
  f->sums = vrg_new ((f->result->steps + 1) * f->width, sizeof *f->sums, "sums over configurations");

  int64_t at;
  vrg_h5_array arrays[VRG_RBM_ARRAYS + 1];
  checkpoint_arrays (f, arrays);
  status = vrg_checkpoint_read (f->grid, f->directory, STAGE, f->fingerprint, &at, VRG_RBM_ARRAYS + 1, arrays);
  if (status != VRG_OK || at < 0)
    return status;
  f->finished = at / n;
  f->done = at % n;
  if (!state_good (f, at))
    return vrg_error (VRG_FILE,
                      "%s: numbers in the checkpoint of " STAGE
                      " are out of range: it is damaged; remove checkpoint-" STAGE ".*.h5 there, or use --fresh",
                      f->directory);
  if (f->grid->rank == 0)
    for_sums (f, restore);
  return status;
}

static void
end (flowing *f)
{
  for (int step = 0; f->counts != NULL && step <= f->result->steps; step++)
    {
      vrg_observables_free (f->observables[step]);
      vrg_free (f->counts[step]);
    }
  vrg_free (f->sums);
  vrg_free (f->counts);
  vrg_free (f->observables);
  if (f->environments != NULL)
    vrg_operators_free (f->environments);
  vrg_lattice_free (f->lattice);
  vrg_passage_free (f->passage);
  vrg_rbm_result_free (f->result);
  vrg_stack_free (f->stack);
}

/** Act as the stop says.  Collective. */
static int
poll (flowing *f)
{
  const vrg_action action = vrg_stop_poll (f->stop);
  if (action == VRG_GO)
    return VRG_OK;
  const int64_t n = f->result->configurations;
  vrg_h5_array arrays[VRG_RBM_ARRAYS + 1];
  checkpoint_arrays (f, arrays);
  for_sums (f, collect);
  vrg_sum_int64 (f->grid->world, f->sums, (f->result->steps + 1) * f->width);
  for_sums (f, f->grid->rank == 0 ? restore : clear);
  const int status = vrg_checkpoint_write (f->grid, f->directory, STAGE, f->fingerprint, f->finished * n + f->done,
                                           f->result->ensembles * n, VRG_RBM_ARRAYS + 1, arrays);
  vrg_stop_saved (f->stop);
  return status == VRG_OK && action == VRG_STOP ? VRG_STOPPED : status;
}

/* ---------------------------------------------------------------- 2. one coupling */

/** Measure the passage's configurations. */
static void
measure (flowing *f, int step, const int64_t *number)
{
  const vrg_passage *p = f->passage;
  vrg_observables_add (f->grid, f->observables[step], p->piece.n, number, p->bits[0]);
  for (int64_t s = 0; s < p->piece.n; s++)
    {
      const int block = vrg_blocks_find (&f->observables[step]->blocks, number[s]);
      vrg_lattice_unpack (f->lattice, p->bits[0] + s * p->words[0]);
      vrg_operators_count (f->environments, f->lattice, f->counts[step] + block * (f->reach + 1));
    }
}

/** The configurations of an ensemble that are not done.  Collective. */
static int
pass (flowing *f, int ensemble)
{
  vrg_passage *p = f->passage;
  const int64_t n = f->result->configurations, slab = (int64_t) f->grid->groups * VRG_PIECE_MOST;
  int64_t *number = vrg_new (VRG_PIECE_MOST, sizeof *number, "numbers");
  int status = VRG_OK;
  while (f->done < n && status == VRG_OK)
    {
      const int64_t size = n - f->done < slab ? n - f->done : slab;
      vrg_passage_place (p, f->done, size);
      for (int64_t s = 0; s < p->piece.n; s++)
        number[s] = p->piece.position + s;
      status
        = vrg_agree (f->grid->world, p->piece.n == 0 ? VRG_OK
                                                     : vrg_samples_read_range (f->samples, ensemble, p->piece.position,
                                                                               p->piece.position + p->piece.n, 0,
                                                                               f->info->rows, p->bits[0]));
      for (int step = 0; step <= f->result->steps && status == VRG_OK; step++)
        {
          if (step > 0)
            vrg_passage_gibbs (p, 0, 1, ((int64_t) ensemble << 32) + step, 0);
          measure (f, step, number);
        }
      f->done += size;
      vrg_progress_update (&f->progress, ensemble * n + f->done);
      if (status == VRG_OK && f->done < n)
        status = poll (f);
    }
  vrg_free (number);
  return status;
}

/* ---------------------------------------------------------------- 3. estimates */

/** Couplings of all configurations of a step, and of all but a block each. */
typedef struct
{
  double full[THERMOMETERS], *loo[THERMOMETERS]; /* [block] */
  const char *reason[THERMOMETERS];              /* why full is NaN */
} couplings;

static double
energy_of (int reach, const int64_t *counts)
{
  int64_t sum = 0, sites = 0;
  for (int k = 0; k <= reach; k++)
    {
      sum += counts[k] * (2 * k - reach);
      sites += counts[k];
    }
  return -0.5 * (double) sum / (double) sites; /* every bond is seen from both ends */
}

static couplings
couplings_of (const flowing *f, int step)
{
  const int blocks = f->observables[step]->blocks.n, n = f->reach + 1;
  const int64_t *counts = f->counts[step];
  couplings c = { { (double) NAN, (double) NAN }, { NULL }, { NULL } };
  int64_t *total = vrg_new (2 * n, sizeof *total, "histogram"), *rest = total + n;
  for (int b = 0; b < blocks; b++)
    for (int k = 0; k < n; k++)
      total[k] += counts[b * n + k];
  double slope;
  const double energy = energy_of (f->reach, total);
  c.full[BY_ENVIRONMENTS] = vrg_thermometer_environments (f->reach, total, &c.reason[BY_ENVIRONMENTS]);
  c.full[BY_ENERGY]
    = vrg_thermometer_energy ((int) f->info->dimension, f->info->size, energy, &slope, &c.reason[BY_ENERGY]);
  for (int i = 0; i < THERMOMETERS; i++)
    c.loo[i] = vrg_new (blocks, sizeof *c.loo[i], "jackknife");
  for (int b = 0; b < blocks; b++)
    {
      for (int k = 0; k < n; k++)
        rest[k] = total[k] - counts[b * n + k];
      c.loo[BY_ENVIRONMENTS][b] = vrg_thermometer_environments (f->reach, rest, &c.reason[BY_ENVIRONMENTS]);
      c.loo[BY_ENERGY][b] = c.full[BY_ENERGY] + slope * (energy_of (f->reach, rest) - energy);
    }
  vrg_free (total);
  return c;
}

static void
couplings_clear (couplings *c)
{
  for (int i = 0; i < THERMOMETERS; i++)
    vrg_free (c->loo[i]);
}

static void
put (vrg_rbm_result *r, vrg_rbm_quantity quantity, int ensemble, int step, double value, double error)
{
  r->value[quantity][ensemble * (r->steps + 1) + step] = value;
  r->error[quantity][ensemble * (r->steps + 1) + step] = error;
}

/** The coupling by one thermometer, and how much it has changed since the step before (NULL: there is none). */
static void
put_coupling (vrg_rbm_result *r, int ensemble, int step, int by, const vrg_blocks *blocks, double factor,
              double factor_of_change, const couplings *now, const couplings *before)
{
  double value, error, difference = (double) NAN;
  vrg_jackknife (blocks->n, 1, &now->full[by], now->loo[by], &value, &error);
  put (r, by == BY_ENERGY ? VRG_RBM_ENERGY_COUPLING : VRG_RBM_COUPLING, ensemble, step, value, factor * error);
  if (before == NULL)
    return;
  double *loo = vrg_new (blocks->n, sizeof *loo, "jackknife");
  difference = now->full[by] - before->full[by];
  for (int b = 0; b < blocks->n; b++)
    loo[b] = now->loo[by][b] - before->loo[by][b];
  vrg_jackknife (blocks->n, 1, &difference, loo, &value, &error);
  put (r, by == BY_ENERGY ? VRG_RBM_ENERGY_CHANGE : VRG_RBM_CHANGE, ensemble, step, value, factor_of_change * error);
  vrg_free (loo);
}

/** What is measured of one step but the couplings. */
static void
put_observed (vrg_rbm_result *r, int ensemble, int step, const vrg_observables *o)
{
  static const struct
  {
    vrg_rbm_quantity quantity;
    const char *name;
    int64_t distance;
  } wanted[] = { { VRG_RBM_ENERGY, "energy", 0 },         { VRG_RBM_ABS_M, "abs_m", 0 },
                 { VRG_RBM_CORRELATION, "xi", 0 },        { VRG_RBM_ENERGY_VARIANCE, "specific_heat", 0 },
                 { VRG_RBM_TWO_POINT_2, "two_point", 2 }, { VRG_RBM_TWO_POINT_3, "two_point", 3 } };
  vrg_observed *list = vrg_new (VRG_OBSERVED_MOST, sizeof *list, "estimates");
  const int n = vrg_observables_estimate (o, 1, list);
  for (size_t w = 0; w < sizeof wanted / sizeof *wanted; w++)
    {
      double value = 0, error = 0;
      int found = 0;
      for (int i = 0; i < n; i++)
        if (strncmp (list[i].quantity, wanted[w].name, strlen (wanted[w].name)) == 0
            && list[i].distance == wanted[w].distance
            && (o->rows > 1 || strcmp (list[i].quantity, "two_point_row") != 0))
          {
            value += list[i].value;
            error += list[i].error;
            found++;
          }
      if (found > 0) /* of two directions the mean, with the mean error: they fluctuate together */
        put (r, wanted[w].quantity, ensemble, step, value / found, error / found);
    }
  vrg_free (list);
}

/** Collective; every rank gets the same bits. */
static void
estimate (flowing *f, int ensemble)
{
  vrg_rbm_result *r = f->result;
  couplings before = { { 0 }, { NULL }, { NULL } };
  double last = 1;
  int steps_without[THERMOMETERS] = { 0 };
  const char *reason[THERMOMETERS] = { NULL };
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "couplings of the model's configurations", "steps", r->steps + 1);
  for (int step = 0; step <= r->steps; step++)
    {
      vrg_progress_update (&progress, step);
      vrg_observables *o = f->observables[step];
      vrg_observables_sum (f->grid, o);
      vrg_sum_int64 (f->grid->world, f->counts[step], o->blocks.n * (f->reach + 1));
      put_observed (r, ensemble, step, o);
      couplings now = couplings_of (f, step);
      /* of a change: of the slower of the two steps */
      const double own = vrg_observables_factor (o), factor_of_change = fmax (own, last);
      last = own;
      for (int by = 0; by < THERMOMETERS; by++)
        {
          put_coupling (r, ensemble, step, by, &o->blocks, own, factor_of_change, &now, step > 0 ? &before : NULL);
          steps_without[by] += now.reason[by] != NULL;
          reason[by] = now.reason[by] != NULL ? now.reason[by] : reason[by];
        }
      couplings_clear (&before);
      before = now;
    }
  vrg_progress_end (&progress, r->steps + 1);
  couplings_clear (&before);
  for (int by = 0; by < THERMOMETERS; by++)
    if (steps_without[by] > 0)
      vrg_info ("rbm-flow: nn=%.6g: no %s at %d of %d steps: %s", r->nn[ensemble],
                by == BY_ENERGY ? "coupling by energy" : "coupling", steps_without[by], r->steps + 1, reason[by]);
}

/** 2. and 3.  Collective. */
static int
run (flowing *f)
{
  vrg_rbm_result *r = f->result;
  const int64_t n = r->configurations;
  vrg_progress_begin (&f->progress, "flow v -> h -> v", "samples", f->finished * n + f->done, r->ensembles * n);
  vrg_stop_loop (f->stop);
  int status = VRG_OK;
  while (f->finished < r->ensembles && status == VRG_OK)
    {
      status = pass (f, (int) f->finished);
      if (status != VRG_OK)
        break;
      estimate (f, (int) f->finished++);
      f->done = 0;
      for_sums (f, clear);
      if (f->finished < r->ensembles)
        status = poll (f);
    }
  vrg_progress_end (&f->progress, f->finished * n + f->done);
  return status;
}

/** Is a rbm-flow.h5 of these parameters there?  Collective. */
static bool
finished (const vrg_grid *grid, const char *directory, const char *fingerprint)
{
  char path[VRG_PATH_LENGTH + 16], *found = NULL;
  vrg_h5 *file = NULL;
  snprintf (path, sizeof path, "%s/rbm-flow.h5", directory);
  if (!vrg_file_exists (grid->file, path) || vrg_h5_open (grid->file, path, VRG_H5_READ, &file) != VRG_OK)
    return false;
  const bool same = vrg_h5_get_text (file, "/", "fingerprint", &found) == VRG_OK && strcmp (found, fingerprint) == 0;
  vrg_free (found);
  vrg_h5_close (file);
  return same;
}

int
vrg_rbm_flow (const vrg_grid *grid, const vrg_input *input, vrg_samples *samples, const char *directory,
              const char *fingerprint, vrg_stop *stop)
{
  VRG_ASSERT (grid->strips == 1);
  if (input->rbm_steps == 0)
    return VRG_OK;
  if (finished (grid, directory, fingerprint))
    return vrg_checkpoint_remove (grid, directory, STAGE); /* left behind if a run was killed just then */
  flowing f = { .grid = grid,
                .input = input,
                .info = vrg_samples_get_info (samples),
                .samples = samples,
                .directory = directory,
                .fingerprint = fingerprint,
                .stop = stop };
  int status = begin (&f);
  if (status == VRG_OK)
    status = run (&f);
  if (status == VRG_OK)
    status = vrg_rbm_result_write (grid, f.result, f.info, directory, fingerprint);
  if (status == VRG_OK)
    status = vrg_checkpoint_remove (grid, directory, STAGE);
  end (&f);
  return status;
}
