/* SPDX-License-Identifier: GPL-3.0-or-later
 * ln Z by annealed importance sampling. */
#include "train/annealing.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/simd.h"
#include "base/statistics.h"
#include "train/ln2cosh.h"

#define ALWAYS static inline __attribute__ ((always_inline))
#define LANES 128 /* chains worked on together */
#define BETA_BITS 30

/** Room for a piece. */
typedef struct
{
  vrg_layer_size size;
  int32_t *v, *h, *visible_fields, *hidden_fields;
  int32_t *bias; /* the visible biases as fields */
  int32_t *x;
  uint64_t *ones;
} room;

static room
room_new (const vrg_layer *layer)
{
  room r = { .size = vrg_layer_sizes (layer, LANES) };
  r.v = vrg_new (r.size.visible, sizeof (int32_t), "annealing");
  r.h = vrg_new (r.size.hidden, sizeof (int32_t), "annealing");
  r.visible_fields = vrg_new (r.size.visible_fields, sizeof (int32_t), "annealing");
  r.hidden_fields = vrg_new (r.size.hidden_fields, sizeof (int32_t), "annealing");
  r.bias = vrg_new (r.size.visible_fields, sizeof (int32_t), "annealing");
  r.x = vrg_new (layer->hidden, sizeof (int32_t), "annealing");
  r.ones = vrg_new (layer->hidden, sizeof (uint64_t), "annealing"); /* enough for units in rows of any length */
  return r;
}

static void
room_clear (room *r)
{
  vrg_free (r->v);
  vrg_free (r->h);
  vrg_free (r->visible_fields);
  vrg_free (r->hidden_fields);
  vrg_free (r->bias);
  vrg_free (r->x);
  vrg_free (r->ones);
}

/** r->bias: with all hidden units +1 and with all -1 the fields' mean. */
static void
find_bias (const vrg_layer *layer, vrg_piece piece, room *r)
{
  const uint64_t *samples[LANES];
  for (int twice = 0; twice < 2; twice++)
    {
      memset (r->ones, twice ? 0xff : 0, (size_t) layer->hidden * sizeof (uint64_t));
      if (twice && layer->model->type == VRG_MODEL_DENSE && layer->hidden % 64)
        r->ones[layer->hidden / 64] = (UINT64_C (1) << (layer->hidden % 64)) - 1;
      for (int64_t s = 0; s < piece.n; s++)
        samples[s] = r->ones;
      vrg_layer_unpack_hidden (layer, piece, samples, r->h);
      vrg_layer_visible_fields (layer, piece, r->h, twice ? r->visible_fields : r->bias);
    }
  for (int64_t i = 0; i < r->size.visible_fields; i++)
    r->bias[i] = (int32_t) (((int64_t) r->bias[i] + r->visible_fields[i]) / 2);
}

/** fields = beta fields + (1 - beta) rest, beta in units of 2^-BETA_BITS. */
ALWAYS void
mix_body (int32_t *restrict fields, const int32_t *restrict rest, int64_t n, int32_t beta)
{
  const int32_t other = (1 << BETA_BITS) - beta;
  for (int64_t i = 0; i < n; i++)
    {
      const int64_t sum = (int64_t) fields[i] * beta + (int64_t) rest[i] * other;
      fields[i] = (int32_t) ((sum + (1 << (BETA_BITS - 1))) >> BETA_BITS);
    }
}
VRG_PATHS (mix, (int32_t *restrict fields, const int32_t *restrict rest, int64_t n, int32_t beta),
           (fields, rest, n, beta))

ALWAYS void
scale_body (int32_t *fields, int64_t n, int32_t beta)
{
  for (int64_t i = 0; i < n; i++)
    fields[i] = (int32_t) (((int64_t) fields[i] * beta + (1 << (BETA_BITS - 1))) >> BETA_BITS);
}
VRG_PATHS (scale, (int32_t * fields, int64_t n, int32_t beta), (fields, n, beta))

/** logs[s] = ln w of the chains of a piece, of every strips-th one here; the others' are 0.  False: asked to stop. */
static bool
anneal (const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng, vrg_piece piece, int64_t steps,
        int64_t update, room *r, double *logs, vrg_progress *progress, int64_t done)
{
  find_bias (layer, piece, r);
  vrg_layer_visible_sample (layer, rng, piece, update, 0, r->bias, r->v);
  double before = 0;
  for (int64_t k = 1; k <= steps; k++)
    {
      if (vrg_stop_asked (grid->stop))
        return false;
      const int32_t beta = (int32_t) (((k << BETA_BITS) + steps / 2) / steps);
      const double now = (double) beta / (1 << BETA_BITS);
      vrg_layer_hidden_fields (layer, piece, r->v, r->hidden_fields);
      for (int64_t s = grid->strip; s < piece.n; s += grid->strips)
        {
          vrg_layer_get_hidden (layer, piece, r->hidden_fields, s, r->x);
          logs[s] += vrg_sum_ln2cosh (r->x, layer->hidden, now) - vrg_sum_ln2cosh (r->x, layer->hidden, before);
        }
      before = now;
      vrg_progress_update (progress, done + k * piece.n);
      if (k == steps)
        break;
      scale (r->hidden_fields, r->size.hidden_fields, beta);
      vrg_layer_hidden_sample (layer, rng, piece, update + k, 0, r->hidden_fields, r->h);
      vrg_layer_visible_fields (layer, piece, r->h, r->visible_fields);
      mix (r->visible_fields, r->bias, r->size.visible_fields, beta);
      vrg_layer_visible_sample (layer, rng, piece, update + k, 0, r->visible_fields, r->v);
    }
  return true;
}

/** As many questions as another group has that anneals one piece more. */
static bool
wait_for_others (const vrg_grid *grid, int64_t steps)
{
  for (int64_t k = 0; k < steps; k++)
    if (vrg_stop_asked (grid->stop))
      return false;
  return true;
}

/** ln w of all chains on all ranks.  False: asked to stop. */
static bool
run (const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng, int64_t chains, int64_t steps, int64_t update,
     double *logs)
{
  int64_t first, last, most[2]; /* the first group has most */
  vrg_grid_share (chains, VRG_LAYER_LANES, grid->groups, grid->group, &first, &last);
  vrg_grid_share (chains, VRG_LAYER_LANES, grid->groups, 0, &most[0], &most[1]);
  room r = room_new (layer);
  memset (logs, 0, (size_t) chains * sizeof *logs);
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "ln Z by annealing", "steps of chains", (last - first) * steps);
  bool going = true;
  vrg_stop_loop (grid->stop);
  for (int64_t i = 0, p = first; i < most[1] && going; i += LANES, p += LANES)
    going = p < last ? anneal (grid, layer, rng, vrg_piece_of (p, last - p < LANES ? last - p : LANES), steps, update,
                               &r, logs + p, &progress, i * steps)
                     : wait_for_others (grid, steps);
  vrg_stop_loop (grid->stop);
  vrg_progress_end (&progress, (last - first) * steps);
  room_clear (&r);
  if (going)
    vrg_sum_double (grid->world, logs, chains);
  return going;
}

/** ln Z of the independent units that chains start from. */
static double
start_lnz (const vrg_layer *layer)
{
  int32_t *bias = vrg_new (layer->visible, sizeof *bias, "annealing");
  const int64_t first = layer->strips > 1 ? layer->model->visible0 : 0;
  for (int64_t i = 0; i < layer->sites; i++)
    bias[first + i] = vrg_layer_visible_bias (layer, i);
  if (layer->strips > 1)
    vrg_sum_int32 (layer->strip_comm, bias, layer->visible);
  const double lnz = vrg_sum_ln2cosh (bias, layer->visible, 1) + (double) layer->hidden * vrg_log (2);
  vrg_free (bias);
  return lnz;
}

typedef struct
{
  double value, error, jackknife, effective;
} estimate;

/** start + ln of the mean weight; its error is that of the mean, relative to it. */
static estimate
estimate_of (const double *logs, int64_t n, double start)
{
  double *w = vrg_new (n, sizeof *w, "annealing"), top = logs[0], sum = 0, squares = 0, spread = 0;
  for (int64_t c = 1; c < n; c++)
    top = fmax (top, logs[c]);
  for (int64_t c = 0; c < n; c++)
    {
      w[c] = vrg_exp (logs[c] - top);
      sum += w[c];
      squares += w[c] * w[c];
    }
  const double number = (double) n, mean = sum / number;
  for (int64_t c = 0; c < n; c++)
    spread += (w[c] - mean) * (w[c] - mean);
  estimate e = { .value = start + top + vrg_log (mean),
                 .error = n > 1 ? sqrt (spread / (number * (number - 1))) / mean : NAN,
                 .effective = sum * sum / squares };
  for (int64_t c = 0; c < n; c++)
    w[c] = vrg_log ((sum - w[c]) / (number - 1)); /* all but c */
  vrg_jackknife ((int) n, 1, &e.value, w, NULL, &e.jackknife);
  vrg_free (w);
  return e;
}

/** More than 3 errors apart, rounding aside, or no error is known (NaN: of one chain). */
static bool
apart (double a, double b, double a_error, double b_error)
{
  return !(fabs (a - b) <= 3 * sqrt (a_error * a_error + b_error * b_error) + 1e-9 * fabs (a));
}

vrg_annealing
vrg_annealing_lnz (const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng, int64_t chains, int64_t steps,
                   int64_t number)
{
  VRG_ASSERT (chains >= 2 && steps >= 1 && steps < 1 << 24 && number >= 0 && number < 1 << 23);
  const int64_t half = chains / 2, update = number << 25;
  const double start = start_lnz (layer), few = fmin (VRG_ANNEALING_FEW, (double) chains / 2);
  double *logs = vrg_new (chains, sizeof *logs, "annealing");
  if (!run (grid, layer, rng, chains, steps, update, logs))
    {
      vrg_free (logs);
      return (vrg_annealing){ .lnz = NAN, .error = NAN };
    }
  const estimate all = estimate_of (logs, chains, start), first = estimate_of (logs, half, start),
                 second = estimate_of (logs + half, chains - half, start);
  const bool whole = run (grid, layer, rng, half, (steps + 1) / 2, update + (1 << 24), logs);
  const estimate quick = estimate_of (logs, half, start);
  vrg_free (logs);
  return (vrg_annealing){ .lnz = whole ? all.value : NAN,
                          .error = all.error,
                          .jackknife = all.jackknife,
                          .effective = all.effective,
                          .half = { first.value, second.value },
                          .half_error = { first.error, second.error },
                          .quick = quick.value,
                          .quick_error = quick.error,
                          .doubtful
                          = whole
                            && (!(all.effective >= few) || apart (first.value, second.value, first.error, second.error)
                                || apart (all.value, quick.value, all.error, quick.error)) };
}
