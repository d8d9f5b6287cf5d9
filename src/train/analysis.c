/* SPDX-License-Identifier: GPL-3.0-or-later
 * The analysis of a stack.
 *
 * 1. Effective receptive fields of every layer; couplings of every layer that stands on a lattice.
 * 2. What is measured of the data.
 * 3. For every depth: Gibbs chains in the layer at the top, carried down to the lattice, and measured.  Half of them
 *    start from the data, half from random units: if they do not agree, they have not forgotten their start.
 * 4. For every depth: data drawn up and down again.
 * 5. The files. */
#include "train/analysis.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "train/findings.h"
#include "train/passage.h"

#define CHAINS INT64_C (256)
#define FEWEST_CHAINS INT64_C (32)
#define TIMES INT64_C (64)           /* samples of a chain */
#define INTERVAL INT64_C (16)        /* steps between them */
#define THERMALIZATION INT64_C (512) /* steps before the first */
#define BUDGET 6e11                  /* multiplications for the chains of a depth */
#define UNITS (INT64_C (1) << 27)    /* of all chains together */
#define REBUILT INT64_C (512)
#define MEASURED INT64_C (65536)            /* samples of the data, at most */
#define SITES (INT64_C (1) << 30)           /* of all of them, at most */
#define FROM_DATA ((INT64_C (1) << 48) - 2) /* the update of the chains' start */
#define DIFFERENT 5.0                       /* standard errors that call for a warning */

static int64_t
between (int64_t low, double x, int64_t high)
{
  return x < (double) low ? low : x > (double) high ? high : (int64_t) x;
}

/** 1. */
static void
look_at_weights (const vrg_grid *grid, vrg_findings *f)
{
  for (int k = 0; k < f->stack->layers; k++)
    {
      const vrg_model *m = f->stack->layer[k];
      vrg_fields *own = NULL;
      double radius;
      f->fields[k] = k == 0 ? vrg_fields_new (grid, m) : vrg_fields_above (grid, f->fields[k - 1], m);
      if (m->type == VRG_MODEL_CONVOLUTION && k > 0)
        own = vrg_fields_new (grid, m);
      if (k == 0 || own)
        f->interactions[k] = vrg_interactions_new (grid, m, own ? own : f->fields[k]);
      vrg_fields_free (own);
      const int64_t live = vrg_fields_live (f->fields[k], &radius);
      vrg_info ("analysis: layer %d: %lld of %lld units are live, median rms radius %.3g (%.3g without structure)",
                k + 1, (long long) live, (long long) m->hidden, radius, vrg_fields_structureless (f->fields[k]));
    }
}

/** Samples 0, n / m, 2 n / m, ... of the data: spins [m][rows of this strip][words], in every group. */
static uint64_t *
choose (const vrg_grid *grid, const vrg_findings *f, const vrg_analysis_data *data, int64_t m)
{
  const int64_t words = (f->row1 - f->row0) * f->words;
  uint64_t *spins = vrg_new (m * words, sizeof *spins, "configurations");
  for (int64_t i = 0; i < data->n; i++)
    {
      const int64_t place = (int64_t) (((__int128) data->number[i] * m + data->samples - 1) / data->samples);
      if (place < m && (int64_t) ((__int128) place * data->samples / m) == data->number[i])
        memcpy (spins + place * words, data->spins + i * words, (size_t) words * sizeof *spins);
    }
  if (grid->groups > 1)
    vrg_sum_int64 (grid->group_comm, (int64_t *) spins, m * words); /* each is in one group */
  return spins;
}

/** A copy of the first n positions' configurations on the ranks of the first group. */
static uint64_t *
keep (const vrg_grid *grid, const vrg_passage *p, int64_t n)
{
  if (grid->group > 0)
    return NULL;
  uint64_t *spins = vrg_new (n * p->words[0], sizeof *spins, "configurations");
  memcpy (spins, p->bits[0], (size_t) (n * p->words[0]) * sizeof *spins);
  return spins;
}

/** This group's part of what `choose` gave. */
static void
put (const vrg_passage *p, const uint64_t *spins)
{
  if (p->piece.n > 0) /* or there may be no place for them */
    memcpy (p->bits[0], spins + p->piece.position * p->words[0], (size_t) (p->piece.n * p->words[0]) * sizeof *spins);
}

/** 2. */
static void
measure_data (const vrg_grid *grid, vrg_findings *f, const vrg_analysis_data *data)
{
  const vrg_model *m = f->stack->layer[0];
  const int64_t words = (f->row1 - f->row0) * f->words;
  int64_t most = between (256, (double) SITES / (double) (m->rows * m->columns), MEASURED);
  most = data->samples < most ? data->samples : data->chains < most ? most / data->chains * data->chains : most;
  vrg_observables *o = vrg_observables_new (m->rows, m->columns, most, data->chains);
  for (int64_t i = 0, next; i < data->n; i = next + 1)
    {
      for (next = i; next < data->n && data->number[next] < most; next++)
        ;
      vrg_observables_add (grid, o, next - i, data->number + i, data->spins + i * words);
    }
  vrg_observables_sum (grid, o);
  f->observed = vrg_observables_estimate (o, vrg_findings_nn (f->input), f->data);
  vrg_observables_free (o);
}

/** How long and how many chains run in a layer. */
typedef struct
{
  int64_t chains, interval, thermalization;
} schedule;

static schedule
schedule_of (const vrg_model *m)
{
  const bool dense = m->type == VRG_MODEL_DENSE;
  const double visible = (double) (m->rows * m->columns);
  const double places = dense ? 1 : (double) vrg_model_hidden_rows (m) * (double) (m->columns / m->stride);
  const double hidden = places * (double) m->hidden;
  const double step = 2 * hidden * (dense ? visible : (double) (vrg_model_filter_rows (m) * m->filter));
  const double whole = step * (double) (THERMALIZATION + TIMES * INTERVAL);
  schedule s = { between (FEWEST_CHAINS, BUDGET / whole, CHAINS), INTERVAL, THERMALIZATION };
  s.chains = between (VRG_LAYER_LANES, (double) UNITS / (visible + hidden), s.chains);
  s.chains -= s.chains % VRG_LAYER_LANES;
  const double share = BUDGET / (whole * (double) s.chains);
  s.interval = between (1, share * INTERVAL, INTERVAL);
  s.thermalization = between (64, share * THERMALIZATION, THERMALIZATION);
  return s;
}

/** What the chains of a depth say. */
static void
judge (const vrg_grid *grid, vrg_findings *f, vrg_observables *o, const vrg_passage *p, int depth)
{
  const int top = depth - 1;
  vrg_observables_sum (grid, o);
  vrg_observables_estimate (o, vrg_findings_nn (f->input), f->model[top]);
  f->thermal[top] = vrg_observables_parity (o);
  f->pictures = VRG_FINDINGS_PICTURES;
  f->drawn[top] = keep (grid, p, f->pictures);
  vrg_info ("analysis: samples of %d layer%s: energy %.5f(%.5f), of the data %.5f(%.5f)", depth, depth == 1 ? "" : "s",
            f->model[top][0].value, f->model[top][0].error, f->data[0].value, f->data[0].error);
  if (f->thermal[top] > DIFFERENT)
    vrg_warn (
      "after %lld steps, chains in layer %d that started from data and from random units differ by %.1f standard "
      "errors: they are not in equilibrium, and neither are their averages in model-samples.tsv",
      (long long) schedule_of (f->stack->layer[top]).thermalization, depth, f->thermal[top]);
}

/** 3. of one depth, left where it is when asked to stop.  False: the weights cannot be rounded. */
static bool
draw (const vrg_grid *grid, vrg_findings *f, const vrg_analysis_data *data, int depth)
{
  const int top = depth - 1;
  const schedule plan = schedule_of (f->stack->layer[top]);
  const int64_t starts = data->samples < plan.chains ? data->samples : plan.chains;
  vrg_passage *p = vrg_passage_new (grid, f->stack, (uint64_t) f->input->seed, VRG_USE_SAMPLES, plan.chains);
  if (p == NULL)
    return false;
  uint64_t *spins = choose (grid, f, data, starts);
  for (int64_t s = 0; s < p->piece.n; s++)
    memcpy (p->bits[0] + s * p->words[0], spins + (p->piece.position + s) % starts * p->words[0],
            (size_t) p->words[0] * sizeof *spins);
  vrg_free (spins);
  for (int k = 0; k < top; k++)
    vrg_passage_up (p, k, FROM_DATA, depth);
  vrg_passage_random (p, top, false);
  const int64_t portion = plan.thermalization / 16 + 1, all = plan.thermalization + TIMES * plan.interval;
  char what[64];
  vrg_progress progress;
  snprintf (what, sizeof what, "analysis: samples of %d layer%s", depth, depth == 1 ? "" : "s");
  vrg_progress_begin_brief (&progress, what, "steps", all);
  vrg_stop_loop (grid->stop);
  for (int64_t done = 0; done < plan.thermalization && !vrg_stop_asked (grid->stop); done += portion)
    {
      const int64_t rest = plan.thermalization - done;
      vrg_passage_gibbs (p, top, rest < portion ? rest : portion, done, depth);
      vrg_progress_update (&progress, done);
    }

  const vrg_model *m = f->stack->layer[0];
  vrg_observables *o = vrg_observables_new (m->rows, m->columns, TIMES * plan.chains, plan.chains);
  int64_t *number = vrg_new (p->piece.n, sizeof *number, "numbers");
  for (int64_t t = 0; t < TIMES && !vrg_stop_asked (grid->stop); t++)
    {
      vrg_passage_gibbs (p, top, plan.interval, plan.thermalization + t * plan.interval, depth);
      for (int k = top - 1; k >= 0; k--)
        vrg_passage_down (p, k, false, t, depth);
      for (int64_t s = 0; s < p->piece.n; s++)
        number[s] = t * plan.chains + p->piece.position + s;
      vrg_observables_add (grid, o, p->piece.n, number, p->bits[0]);
      vrg_progress_update (&progress, plan.thermalization + (t + 1) * plan.interval);
    }
  vrg_progress_end (&progress, all);
  if (!vrg_stop_agreed (grid->stop))
    judge (grid, f, o, p, depth);
  vrg_free (number);
  vrg_observables_free (o);
  vrg_passage_free (p);
  return true;
}

/** How many of the data are drawn up and down again. */
static int64_t
rebuilt (const vrg_model *m, int64_t samples)
{
  const int64_t n = samples < REBUILT ? samples : REBUILT,
                most = between (VRG_LAYER_LANES, (double) UNITS / (double) (m->rows * m->columns), n);
  return most < n ? most : n;
}

double
vrg_analysis_bytes (const vrg_layer *layer, int ranks, int64_t samples)
{
  const int64_t chains = schedule_of (layer->model).chains, again = rebuilt (layer->model, samples),
                most = chains > again ? chains : again;
  int64_t first, last;
  vrg_grid_share (most, VRG_LAYER_LANES, ranks, 0, &first, &last);
  const double words = (double) (layer->row1 * ((layer->model->columns + 63) / 64));
  return vrg_passage_bytes (layer, last - first) + 8 * (double) most * words;
}

/** 4. */
static bool
rebuild (const vrg_grid *grid, vrg_findings *f, const vrg_analysis_data *data)
{
  const vrg_model *m = f->stack->layer[0];
  f->rebuilt = rebuilt (m, data->samples);
  vrg_passage *p = vrg_passage_new (grid, f->stack, (uint64_t) f->input->seed, VRG_USE_RECONSTRUCT, f->rebuilt);
  if (p == NULL)
    return false;
  f->rebuilds = f->rebuilt < VRG_FINDINGS_PICTURES ? f->rebuilt : VRG_FINDINGS_PICTURES;
  uint64_t *spins = choose (grid, f, data, f->rebuilt);
  const uint64_t *own = spins + p->piece.position * p->words[0];
  int64_t *overlap = vrg_new (p->piece.n, sizeof *overlap, "overlaps");
  put (p, spins);
  f->original = keep (grid, p, f->rebuilds);
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "analysis: data through the stack and back", "layers", f->stack->layers);
  for (int depth = 1; depth <= f->stack->layers; depth++)
    {
      vrg_progress_update (&progress, depth - 1);
      put (p, spins);
      for (int k = 0; k < depth; k++)
        vrg_passage_up (p, k, 0, depth);
      for (int k = depth - 1; k >= 0; k--)
        vrg_passage_down (p, k, k == depth - 1, 0, depth);
      f->rebuild[depth - 1] = keep (grid, p, f->rebuilds);

      double sum[2] = { 0 };
      int64_t sums[2] = { 0 };
      for (int64_t s = 0; s < p->piece.n; s++)
        {
          overlap[s] = 0;
          for (int64_t w = 0; w < p->words[0]; w++)
            overlap[s] += __builtin_popcountll (own[s * p->words[0] + w] ^ p->bits[0][s * p->words[0] + w]);
        }
      if (grid->strips > 1)
        vrg_sum_int64 (grid->strip_comm, overlap, p->piece.n);
      for (int64_t s = 0; s < p->piece.n; s++)
        {
          const int64_t o = m->rows * m->columns - 2 * overlap[s];
          sums[0] += o;
          sums[1] += o * o;
        }
      vrg_sum_int64 (grid->group_comm, sums, 2);
      const double number = (double) f->rebuilt, sites = (double) (m->rows * m->columns);
      sum[0] = (double) sums[0] / (number * sites);
      sum[1] = (double) sums[1] / (number * sites * sites) - sum[0] * sum[0];
      f->overlap[depth - 1] = sum[0];
      f->overlap_error[depth - 1] = number > 1 ? sqrt (fmax (sum[1], 0) / (number - 1)) : (double) NAN;
      vrg_info ("analysis: data through %d layer%s and back: overlap %.5f(%.5f)", depth, depth == 1 ? "" : "s",
                f->overlap[depth - 1], f->overlap_error[depth - 1]);
    }
  vrg_progress_end (&progress, f->stack->layers);
  vrg_free (overlap);
  vrg_free (spins);
  vrg_passage_free (p);
  return true;
}

int
vrg_analysis_run (const vrg_grid *grid, const vrg_input *input, const char *directory, const char *fingerprint,
                  const vrg_stack *stack, const vrg_analysis_data *data)
{
  const vrg_model *m = stack->layer[0];
  vrg_findings *f = vrg_new (1, sizeof *f, "findings");
  f->input = input;
  f->stack = stack;
  f->words = (m->columns + 63) / 64;
  vrg_grid_span (m->rows, grid->strips, grid->strip, &f->row0, &f->row1);
  look_at_weights (grid, f);
  measure_data (grid, f, data);
  bool good = true;
  for (int depth = 1; depth <= stack->layers && good && !vrg_stop_asked (grid->stop); depth++)
    good = draw (grid, f, data, depth);
  good = good && (vrg_stop_asked (grid->stop) || rebuild (grid, f, data));
  int code = good ? VRG_OK
                  : vrg_error (VRG_FILE,
                               "%s: the trained weights are too large for samples of the model: lower [train] "
                               "learning_rate, or set analysis = no",
                               directory);
  if (code == VRG_OK)
    code = vrg_stop_agreed (grid->stop) ? VRG_STOPPED : vrg_findings_write (grid, f, directory, fingerprint);
  vrg_findings_clear (f);
  vrg_free (f);
  return code;
}
