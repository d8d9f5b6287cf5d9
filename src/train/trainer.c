/* SPDX-License-Identifier: GPL-3.0-or-later
 * One layer in training. */
#include "train/trainer.h"

#include <math.h>

#include "base/error.h"
#include "base/log.h"
#include "base/math.h"
#include "base/memory.h"
#include "train/analysis.h"
#include "train/likelihood.h"

#define UPDATE_BYTES 24 /* a rank reads and writes for each of its weights in rounding and moving it */

int
vrg_trainer_strips (int ranks, const vrg_input *input, int *strips)
{
  *strips = 1;
  if (input->model != VRG_MODEL_DENSE || input->dimension != 2)
    return VRG_OK;
  if (input->strips > 0)
    return vrg_grid_choose (ranks, &(vrg_grid_load){ .layers = input->size[0], .chains = input->batch },
                            (int) input->strips, strips, NULL);
  const double visible = (double) (input->size[0] * input->size[1]), hidden = (double) input->hidden[0],
               batch = (double) (input->method == VRG_PCD ? input->persistent : input->batch);
  double least = 0;
  for (int s = 1; s <= ranks && 2 * s <= input->size[0]; s++)
    if (ranks % s == 0)
      {
        const double groups = ranks / s, part = visible / s * hidden,
                     bytes = (s > 1 ? (double) (input->steps + 1) * batch / groups * hidden * 4 : 0)
                             + (groups > 1 ? part * 8 : 0) + part * UPDATE_BYTES;
        if (s == 1 || bytes < least)
          {
            least = bytes;
            *strips = s;
          }
      }
  return VRG_OK;
}

/** The same for a convolution. */
static double
convolution_bytes (int ranks, const vrg_input *input, int number, int64_t samples, int64_t kept, int64_t tested)
{
  double bytes;
  vrg_layer *layer = vrg_layer_sketch (input, number, &bytes);
  if (layer == NULL)
    return 0;
  const int64_t chains = input->method == VRG_PCD ? input->persistent / input->batch : 0, share = samples / ranks + 1;
  const double judged = vrg_likelihood_bytes (layer, tested, tested / ranks + 1),
               updated = vrg_gradient_bytes (layer, (input->batch + ranks - 1) / ranks, chains),
               analysed = input->analysis && number == 0 ? vrg_analysis_bytes (layer, ranks, kept) : 0;
  bytes += 8 * (double) (share * layer->row1 * ((layer->model->columns + 63) / 64)) + fmax (updated + judged, analysed);
  vrg_layer_sketch_free (layer);
  return bytes;
}

double
vrg_trainer_bytes (int ranks, const vrg_input *input, int strips, int number)
{
  const bool persistent = input->method == VRG_PCD;
  const int ring = input->dimension == 1, groups = ranks / strips;
  const int64_t held_out = vrg_input_held_out (input),
                all_tested = (held_out > 0 ? held_out : input->configurations) * input->n_coupling,
                tested = (all_tested + groups - 1) / groups;
  if (input->model == VRG_MODEL_CONVOLUTION)
    return convolution_bytes (ranks, input, number, input->configurations * input->n_coupling,
                              (input->configurations - held_out) * input->n_coupling, all_tested);
  double visible, hidden, weights;
  vrg_input_layer (input, number, &visible, &hidden, &weights);
  const double batch = (double) input->batch, chains = persistent ? (double) input->persistent : batch,
               part = visible / strips;
  /* the first layer's rows are of whole words */
  const double configuration
    = number > 0 ? visible / 8
                 : (double) (ring ? 1 : input->size[0]) * (double) ((input->size[1 - ring] + 63) / 64 * 8);
  /* of each weight: masters, those of the last epoch, fixed point; the gradient, unless rows of it are used at once;
   * moments, averages */
  const bool streamed = groups == 1 && !input->centering && fmax (batch, persistent ? chains : 0) <= VRG_PIECE_MOST;
  const double moments = input->optimiser == VRG_ADAM ? 16
                         : input->momentum > 0        ? 8
                                                      : 0,
               weight = 20 + (streamed ? 0 : 8) + moments + (input->average > 0 ? 8 : 0);
  /* the most of what passes through the layer at once: a piece of the batch, of the pseudo-likelihood, of annealing
   * (128 chains) */
  const double piece = 4 * fmin (chains / groups + 16, 512) * (part * 1.4 + hidden * 3.2),
               pseudo = 4 * (double) vrg_likelihood_lanes ((int64_t) hidden, tested) * (part + 2 * hidden),
               annealed = 4 * fmin (128, (double) input->ais_chains) * (4 * part + 2 * hidden);
  return (double) input->configurations * input->n_coupling * configuration / ranks + weights * weight / strips
         + (persistent ? chains * visible / 8 / ranks : 0) + (1 << 20) + fmax (piece, fmax (pseudo, annealed));
}

/** Move the weights of hidden units [first, last) and round them while they are in the cache. */
static void
move_rows (void *state, int64_t first, int64_t last, const int64_t *sums)
{
  vrg_trainer *t = state;
  const int64_t row = t->layer->weights / t->layer->hidden_biases, from = first * row;
  double *moment1 = t->moment1.part[0], *moment2 = t->moment2.part[0];
  vrg_optimise_move (&t->optimise, (last - first) * row, sums, t->scale, true, moment1 ? moment1 + from : NULL,
                     moment2 ? moment2 + from : NULL, t->masters.part[0] + from);
  vrg_layer_round_rows (t->layer, first, last);
}

vrg_trainer *
vrg_trainer_new (const vrg_grid *grid, const vrg_input *input, vrg_dataset *d, int number, vrg_model *model)
{
  vrg_trainer *t = vrg_new (1, sizeof *t, "a layer in training");
  const int64_t chains = input->method == VRG_PCD ? input->persistent / input->batch : 0;
  *t = (vrg_trainer){ .grid = grid,
                      .input = input,
                      .dataset = d,
                      .number = number,
                      .chains = chains,
                      .total = input->epochs * d->updates,
                      .scale = 1 / ((double) d->batch * (double) (chains > 0 ? chains : 1) * VRG_FIXED_ONE),
                      .shuffled = -1 };
  const int64_t positions = d->position1 - d->position0;
  vrg_layer *layer = t->layer = vrg_layer_new (model, grid->strips > 1 ? grid->strip_comm : MPI_COMM_NULL);
  t->average_from = t->total - (int64_t) (input->average * (double) t->total);
  vrg_rng_init (&t->rng, (uint64_t) input->seed, (uint32_t) number, VRG_USE_TRAIN);
  t->gradient = vrg_gradient_new (grid, layer, d->position0, positions, t->chains);
  if (t->chains > 0)
    vrg_gradient_start (t->gradient, &t->rng);
  t->masters = vrg_parameters_of (layer);
  t->good = vrg_parameters_new (layer, "the last epoch's parameters");
  if (input->optimiser == VRG_ADAM || input->momentum > 0)
    t->moment1 = vrg_parameters_new (layer, "moments");
  if (input->optimiser == VRG_ADAM)
    t->moment2 = vrg_parameters_new (layer, "moments");
  if (input->average > 0)
    t->average = vrg_parameters_new (layer, "averaged parameters");
  if (input->centering)
    {
      t->centre.visible = vrg_new (layer->visible_biases, sizeof (double), "running means");
      t->centre.hidden = vrg_new (layer->hidden_biases, sizeof (double), "running means");
      t->visible_sum = vrg_new (layer->visible_biases, sizeof (int64_t), "means of a batch");
      t->hidden_sum = vrg_new (layer->hidden_biases, sizeof (int64_t), "means of a batch");
    }
  else
    {
      t->move = (vrg_rows_done){ move_rows, t };
      vrg_gradient_hand_on (t->gradient, &t->move);
    }
  t->batch = vrg_new (positions, sizeof *t->batch, "a batch");
  t->sums = vrg_new_room (layer->parameters, sizeof *t->sums, "a gradient");
  return t;
}

void
vrg_trainer_free (vrg_trainer *t)
{
  if (!t)
    return;
  vrg_gradient_free (t->gradient);
  vrg_layer_free (t->layer);
  vrg_parameters_clear (&t->moment1);
  vrg_parameters_clear (&t->moment2);
  vrg_parameters_clear (&t->average);
  vrg_parameters_clear (&t->good);
  vrg_free (t->centre.visible);
  vrg_free (t->centre.hidden);
  vrg_free (t->visible_sum);
  vrg_free (t->hidden_sum);
  vrg_free (t->batch);
  vrg_free (t->sums);
  vrg_free (t);
}

bool
vrg_trainer_resume (vrg_trainer *t, int64_t updates)
{
  t->updates = updates;
  vrg_optimise_init (&t->optimise, t->input, updates, t->total);
  if (updates == 0)
    vrg_parameters_copy (&t->good, &t->masters);
  return vrg_layer_round (t->layer);
}

void
vrg_trainer_gather (vrg_trainer *t)
{
  vrg_sum_int64 (t->grid->world, &t->wrong_here, 1);
  t->wrong += t->wrong_here;
  t->wrong_here = 0;
}

bool
vrg_trainer_update (vrg_trainer *t)
{
  const vrg_input *input = t->input;
  vrg_dataset *d = t->dataset;
  const int64_t epoch = t->updates / d->updates;
  if (t->shuffled != epoch)
    vrg_dataset_shuffle (d, &t->rng, t->shuffled = epoch);
  vrg_dataset_batch (d, t->updates % d->updates, t->batch);
  vrg_optimise_begin (&t->optimise);
  vrg_gradient_update (t->gradient, &t->rng, input->steps, t->updates, t->batch, t->sums, t->visible_sum, t->hidden_sum,
                       &t->wrong_here);
  if (input->centering)
    {
      vrg_centre_move (t->layer, &t->centre, t->updates == 0, d->batch, t->visible_sum, t->hidden_sum);
      vrg_centre_gradient (t->layer, &t->centre, t->sums);
      move_rows (t, 0, t->layer->hidden_biases, t->sums);
    }
  const int64_t *sums = t->sums + t->layer->weights;
  for (int k = 1; k < (input->biases ? VRG_PARTS : 1); k++)
    {
      vrg_optimise_move (&t->optimise, t->masters.n[k], sums, t->scale, false, t->moment1.part[k], t->moment2.part[k],
                         t->masters.part[k]);
      sums += t->masters.n[k];
    }
  t->updates++;
  if (t->updates > t->average_from)
    vrg_parameters_average (&t->average, &t->masters, t->updates - t->average_from);
  return vrg_layer_round_end (t->layer);
}

/** Exchange masters and averages, where there are any, and round: if masters were never too large, averages are not. */
static void
exchange (vrg_trainer *t)
{
  if (t->updates <= t->average_from)
    return;
  vrg_parameters_swap (&t->masters, &t->average);
  vrg_layer_round (t->layer);
}

/** ln Z, and what follows from it. */
static void
measure (const vrg_trainer *t, double *row)
{
  const vrg_dataset *d = t->dataset;
  const vrg_input *input = t->input;
  const vrg_ising none = { NAN, NAN };
  vrg_rng rng;
  double error;
  bool doubtful;
  vrg_rng_init (&rng, (uint64_t) input->seed, (uint32_t) t->number, VRG_USE_ANNEALING);
  const double lnz = vrg_likelihood_lnz (t->grid, t->layer, &rng, input->ais_chains, input->ais_steps,
                                         t->updates / d->updates, &error, &doubtful);
  if (vrg_stop_agreed (t->grid->stop))
    return;
  const vrg_likelihood l
    = vrg_likelihood_measure (t->grid, t->layer, lnz, error, t->number == 0 ? vrg_likelihood_ising (input) : none,
                              input->chains * input->n_coupling, d->test_total, d->test, d->test_number, d->tests);
  row[VRG_ROW_LOG_LIKELIHOOD] = l.log_likelihood;
  row[VRG_ROW_LOG_LIKELIHOOD_ERROR] = l.log_likelihood_error;
  row[VRG_ROW_KL] = l.kl_per_site;
  row[VRG_ROW_KL_ERROR] = l.kl_per_site_error;
  row[VRG_ROW_SPREAD] = l.spread;
  row[VRG_ROW_DOUBTFUL] = doubtful;
}

/** Has the pseudo-likelihood of the last `patience` of n rows not been above that before? */
static bool
exhausted (const double *rows, int64_t n, int64_t patience)
{
  int64_t best = 0;
  for (int64_t i = 1; i < n; i++)
    if (rows[i * VRG_ROW_COLUMNS + VRG_ROW_PSEUDO] > rows[best * VRG_ROW_COLUMNS + VRG_ROW_PSEUDO])
      best = i;
  return patience > 0 && n - 1 - best >= patience;
}

bool
vrg_trainer_epoch (vrg_trainer *t, double *rows, int64_t n)
{
  const vrg_dataset *d = t->dataset;
  double *row = rows + (n - 1) * VRG_ROW_COLUMNS;
  const int64_t epoch = t->updates / d->updates;
  vrg_trainer_gather (t);
  for (int c = 0; c < VRG_ROW_COLUMNS; c++)
    row[c] = NAN;
  row[VRG_ROW_LAYER] = t->number + 1;
  row[VRG_ROW_EPOCH] = (double) epoch;
  row[VRG_ROW_UPDATES] = (double) t->updates;
  row[VRG_ROW_RECONSTRUCTION] = (double) t->wrong / ((double) (d->updates * d->batch) * (double) t->layer->visible);
  row[VRG_ROW_RATE] = t->optimise.rate;
  vrg_parameters_copy (&t->good, &t->masters);
  exchange (t);
  row[VRG_ROW_NORM] = vrg_likelihood_weight_norm (t->layer);
  row[VRG_ROW_PSEUDO]
    = vrg_likelihood_pseudo (t->grid, t->layer, &t->rng, d->test_total, d->test, d->test_number, d->tests);
  const bool last = t->updates == t->total || exhausted (rows, n, t->input->patience);
  if (last || (t->input->likelihood > 0 && epoch % t->input->likelihood == 0))
    measure (t, row);
  exchange (t);
  if (vrg_stop_agreed (t->grid->stop))
    return true;
  t->wrong = 0;
  vrg_debug (
    "train: layer %d, epoch %lld: reconstruction error %.6f, pseudo-likelihood %.6f, divergence %.6f per site, "
    "weight norm %.6f",
    t->number + 1, (long long) epoch, row[VRG_ROW_RECONSTRUCTION], row[VRG_ROW_PSEUDO], row[VRG_ROW_KL],
    row[VRG_ROW_NORM]);
  return !last;
}

void
vrg_trainer_finish (vrg_trainer *t)
{
  exchange (t);
}
