/* SPDX-License-Identifier: GPL-3.0-or-later
 * How well a model describes samples. */
#include "train/likelihood.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/simd.h"
#include "base/statistics.h"
#include "lattice/exact.h"
#include "lattice/observe.h"
#include "train/annealing.h"
#include "train/enumeration.h"
#include "train/ln2cosh.h"

#define ALWAYS static inline __attribute__ ((always_inline))
#define LANES 128                         /* samples worked on together, */
#define PSEUDO_FIELDS (INT64_C (1) << 22) /* and for the pseudo-likelihood as many as have so many fields */
#define BLOCKS 64

static double
value (int64_t fixed)
{
  return (double) fixed / VRG_FIXED_ONE;
}

/* --- pseudo-likelihood --- */

/** Where one site is seen from: n different hidden units and its weights there. */
typedef struct
{
  int64_t reach, n;
  bool all; /* every unit, in order */
  int64_t *index;
  int32_t *weight, *place; /* place: of a unit in the list plus 1, 0 between calls */
} view;

static void
view_site (const vrg_layer *layer, int64_t site, view *w)
{
  const int64_t n = vrg_layer_site (layer, site, w->index, w->weight);
  int64_t out_of_place = n != layer->hidden;
  for (int64_t k = 0; k < n; k++)
    out_of_place |= w->index[k] ^ k;
  w->all = !out_of_place;
  w->n = w->all ? n : 0;
  if (w->all)
    return;
  for (int64_t k = 0; k < n; k++) /* a unit that sees the site twice does so by the sum of both weights */
    {
      const int64_t j = w->index[k];
      const int32_t weight = w->weight[k];
      if (!w->place[j])
        {
          w->index[w->n] = j;
          w->weight[w->n] = 0;
          w->place[j] = (int32_t) ++w->n;
        }
      w->weight[w->place[j] - 1] += weight;
    }
  for (int64_t k = 0; k < w->n; k++)
    w->place[w->index[k]] = 0;
}

/** A sample and a site of it, and where its logarithm goes; the next one of this site. */
typedef struct
{
  int64_t sample, slot, next;
} pair;

/** Samples of a piece, their fields and pairs. */
typedef struct
{
  const vrg_layer *layer;
  int64_t n, pairs;
  const uint64_t *const *samples;
  int32_t *x;     /* [n][hidden] */
  double *sums;   /* [n] of ln 2cosh x */
  pair *pair;     /* [pairs] */
  int64_t *first; /* [sites] pair of a site, -1 for none */
  int32_t *seen;  /* room for the fields that a site sees */
} pseudo_piece;

/** out = x - 2 spin w. */
ALWAYS void
flip_body (int32_t *out, const int32_t *x, const int32_t *w, int64_t n, int spin)
{
  if (spin > 0)
    for (int64_t k = 0; k < n; k++)
      out[k] = x[k] - 2 * w[k];
  else
    for (int64_t k = 0; k < n; k++)
      out[k] = x[k] + 2 * w[k];
}
VRG_PATHS (flip, (int32_t * out, const int32_t *x, const int32_t *w, int64_t n, int spin), (out, x, w, n, spin))

/** ln P (v_site | rest) of a pair. */
static double
log_conditional (const pseudo_piece *p, int64_t site, const view *w, int64_t s)
{
  const vrg_layer *layer = p->layer;
  const int64_t hidden = layer->hidden, columns = layer->model->rows > 1 ? layer->model->columns : layer->sites;
  const uint64_t *row = p->samples[s] + site / columns * ((columns + 63) / 64);
  const int spin = row[site % columns / 64] >> (site % columns % 64) & 1 ? 1 : -1;
  const int32_t *x = p->x + s * hidden;
  for (int64_t k = 0; k < w->n && !w->all; k++)
    p->seen[k] = x[w->index[k]];
  double difference = 2 * spin * value (vrg_layer_visible_bias (layer, site))
                      + (w->all ? p->sums[s] : vrg_sum_ln2cosh (p->seen, w->n, 1));
  flip (p->seen, w->all ? x : p->seen, w->weight, w->n, spin);
  difference -= vrg_sum_ln2cosh (p->seen, w->n, 1);
  return 0.5 * difference - vrg_ln2cosh (0.5 * difference);
}

/** The pairs of the piece's samples, number q[s] of those used, by site, so that a site's weights are fetched once. */
static void
pseudo_pairs (const vrg_grid *grid, pseudo_piece *p, const vrg_rng *rng, const int64_t *q)
{
  const vrg_layer *layer = p->layer;
  const int64_t first = layer->strips > 1 ? layer->model->visible0 : 0;
  for (int64_t i = 0; i < layer->sites; i++)
    p->first[i] = -1;
  p->pairs = 0;
  const bool whole = layer->strips == 1; /* on every strip: then they take samples in turn */
  for (int64_t s = whole ? grid->strip : 0; s < p->n; s += whole ? grid->strips : 1)
    for (int64_t k = 0; k < VRG_PSEUDO_SITES; k++)
      {
        uint64_t random[2];
        const int64_t slot = q[s] * VRG_PSEUDO_SITES + k;
        vrg_rng_block (rng, VRG_RNG_PSEUDO, (uint64_t) slot, 0, 0, random);
        const int64_t site = (int64_t) vrg_rng_below (random[0], (uint64_t) layer->visible) - first;
        if (site < 0 || site >= layer->sites)
          continue;
        p->pair[p->pairs] = (pair){ s, slot, p->first[site] };
        p->first[site] = p->pairs++;
      }
}

/** Samples of this group that are used, their places k and numbers q among those used; how many. */
static int64_t
pseudo_chosen (int64_t total, int64_t used, const int64_t *number, int64_t n, int64_t *place, int64_t *q)
{
  int64_t chosen = 0;
  for (int64_t k = 0; k < n; k++)
    {
      const int64_t candidate = (int64_t) (((__int128) number[k] * used + total - 1) / total);
      if (candidate >= used || (int64_t) ((__int128) candidate * total / used) != number[k])
        continue;
      place[chosen] = k;
      q[chosen++] = candidate;
    }
  return chosen;
}

int64_t
vrg_likelihood_lanes (int64_t hidden, int64_t n)
{
  const int64_t fitting = PSEUDO_FIELDS / hidden / VRG_LAYER_LANES * VRG_LAYER_LANES,
                most = n < VRG_PIECE_MOST ? vrg_piece_of (0, n).lanes : VRG_PIECE_MOST,
                lanes = fitting < most ? fitting : most;
  return lanes < VRG_LAYER_LANES ? VRG_LAYER_LANES : lanes;
}

double
vrg_likelihood_bytes (const vrg_layer *layer, int64_t total, int64_t n)
{
  const int64_t lanes = vrg_likelihood_lanes (layer->hidden, n),
                used = total < VRG_PSEUDO_SAMPLES ? total : VRG_PSEUDO_SAMPLES;
  const vrg_layer_size few = vrg_layer_sizes (layer, lanes), many = vrg_layer_sizes (layer, LANES);
  const double pseudo = 4 * (double) (few.visible + few.hidden_fields + (lanes + 3) * layer->hidden)
                        + 8 * (double) (layer->sites + 2 * n + used * VRG_PSEUDO_SITES)
                        + (double) (lanes * VRG_PSEUDO_SITES) * (double) sizeof (pair),
               annealed = 4 * (double) (many.visible + many.hidden + 2 * many.visible_fields + many.hidden_fields)
                          + 12 * (double) layer->hidden,
               measured
               = 4 * (double) (many.visible + many.hidden_fields + layer->hidden + layer->sites) + 16 * (double) total;
  return fmax (pseudo, fmax (measured, vrg_enumeration_possible (layer) ? 0 : annealed));
}

double
vrg_likelihood_pseudo (const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng, int64_t total,
                       const uint64_t *const *samples, const int64_t *number, int64_t n)
{
  if (total == 0)
    return NAN;
  const char *what = "pseudo-likelihood";
  const int64_t used = total < VRG_PSEUDO_SAMPLES ? total : VRG_PSEUDO_SAMPLES, slots = used * VRG_PSEUDO_SITES;
  const int64_t lanes = vrg_likelihood_lanes (layer->hidden, n);
  const vrg_layer_size size = vrg_layer_sizes (layer, lanes);
  int64_t *place = vrg_new (n, sizeof *place, what), *q = vrg_new (n, sizeof *q, what);
  const uint64_t **chosen = vrg_new (lanes, sizeof *chosen, what);
  int32_t *v = vrg_new (size.visible, sizeof *v, what), *fields = vrg_new (size.hidden_fields, sizeof *fields, what);
  double *logs = vrg_new (slots, sizeof *logs, what);
  pseudo_piece p = { .layer = layer, .samples = chosen };
  p.x = vrg_new (lanes * layer->hidden, sizeof *p.x, what);
  p.sums = vrg_new (lanes, sizeof *p.sums, what);
  p.pair = vrg_new (lanes * VRG_PSEUDO_SITES, sizeof *p.pair, what);
  p.first = vrg_new (layer->sites, sizeof *p.first, what);
  p.seen = vrg_new (layer->hidden, sizeof *p.seen, what);
  view w = { .reach = vrg_layer_reach (layer) };
  w.index = vrg_new (w.reach, sizeof *w.index, what);
  w.weight = vrg_new (w.reach, sizeof *w.weight, what);
  w.place = vrg_new (layer->hidden, sizeof *w.place, what);

  const int64_t here = pseudo_chosen (total, used, number, n, place, q);
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "pseudo-likelihood", "samples", here);
  for (int64_t at = 0; at < here; at += p.n)
    {
      vrg_progress_update (&progress, at);
      p.n = here - at < lanes ? here - at : lanes;
      for (int64_t s = 0; s < p.n; s++)
        chosen[s] = samples[place[at + s]];
      const vrg_piece piece = vrg_piece_of (0, p.n);
      vrg_layer_unpack (layer, piece, chosen, v);
      vrg_layer_hidden_fields (layer, piece, v, fields);
      for (int64_t s = 0; s < p.n; s++)
        {
          int32_t *x = p.x + s * layer->hidden;
          vrg_layer_get_hidden (layer, piece, fields, s, x);
          if (w.reach >= layer->hidden) /* a site may see them all */
            p.sums[s] = vrg_sum_ln2cosh (x, layer->hidden, 1);
        }
      pseudo_pairs (grid, &p, rng, q + at);
      for (int64_t site = 0; site < layer->sites; site++)
        {
          if (p.first[site] >= 0)
            view_site (layer, site, &w);
          for (int64_t i = p.first[site]; i >= 0; i = p.pair[i].next)
            logs[p.pair[i].slot] = log_conditional (&p, site, &w, p.pair[i].sample);
        }
    }
  vrg_progress_end (&progress, here);
  vrg_sum_double (grid->world, logs, slots);
  double sum = 0;
  for (int64_t k = 0; k < slots; k++)
    sum += logs[k];
  void *const all[]
    = { place, q, chosen, v, fields, logs, p.x, p.sums, p.pair, p.first, p.seen, w.index, w.weight, w.place };
  for (size_t k = 0; k < sizeof all / sizeof *all; k++)
    vrg_free (all[k]);
  return sum / (double) slots;
}

/* --- the norm --- */

double
vrg_likelihood_weight_norm (const vrg_layer *layer)
{
  const vrg_model *model = layer->model;
  const bool dense = model->type == VRG_MODEL_DENSE;
  const int64_t columns = dense ? layer->sites : layer->weights, all = dense ? layer->visible : layer->weights;
  double *squares = vrg_new (all, sizeof *squares, "the norm of the weights"), sum = 0;
  double *mine = squares + (layer->strips > 1 ? model->visible0 : 0);
  for (int64_t first = 0; first < layer->weights; first += columns)
    for (int64_t i = 0; i < columns; i++)
      mine[i] += model->weights[first + i] * model->weights[first + i];
  if (layer->strips > 1)
    vrg_sum_double (layer->strip_comm, squares, all);
  for (int64_t i = 0; i < all; i++)
    sum += squares[i];
  vrg_free (squares);
  return sqrt (sum);
}

/* --- likelihood --- */

double
vrg_likelihood_lnz (const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng, int64_t chains, int64_t steps,
                    int64_t number, double *error, bool *doubtful)
{
  *error = 0;
  *doubtful = false;
  if (vrg_enumeration_possible (layer))
    return vrg_enumeration_lnz (grid, layer);
  const vrg_annealing a = vrg_annealing_lnz (grid, layer, rng, chains, steps, number);
  *error = a.error;
  *doubtful = a.doubtful;
  if (a.doubtful)
    vrg_warn (
      "ln Z is doubtful: %.2f +- %.2f by %lld chains in %lld steps, %.2f +- %.2f and %.2f +- %.2f by their halves, "
      "%.2f +- %.2f by half as many in half as many steps; %.0f chains count; raise [train] ais_steps",
      a.lnz, a.error, (long long) chains, (long long) steps, a.half[0], a.half_error[0], a.half[1], a.half_error[1],
      a.quick, a.quick_error, a.effective);
  return a.lnz;
}

vrg_ising
vrg_likelihood_ising (const vrg_input *input)
{
  vrg_ising ising = { .nn = input->coupling[0], .lnz = NAN };
  if (input->n_coupling != 1 || input->dimension > 2 || input->permute || input->nnn != 0 || input->plaquette != 0
      || input->field != 0)
    return ising;
  const int64_t rows = input->dimension == 1 ? 1 : input->size[0], columns = input->size[input->dimension - 1];
  const bool even = columns % 2 == 0 && (rows == 1 || rows % 2 == 0); /* then the sign of nn does not matter */
  const double nn = even ? fabs (ising.nn) : ising.nn;
  if (nn == 0)
    ising.lnz = (double) (rows * columns) * vrg_log (2);
  else if (nn > 0 && input->dimension == 1)
    vrg_exact_ring (columns, nn, &ising.lnz, NULL, NULL);
  else if (nn > 0)
    vrg_exact_torus (rows, columns, nn, &ising.lnz, NULL, NULL);
  return ising;
}

/** This rank's share of what is an integer in a sample: a.v in fixed point, a [sites], and S_nn (`lattice` not NULL). */
static void
sample_integers (const vrg_layer *layer, const int32_t *a, vrg_lattice *lattice, const uint64_t *sample, int64_t *bias,
                 int64_t *bonds)
{
  const int64_t columns = layer->model->rows > 1 ? layer->model->columns : layer->sites, words = (columns + 63) / 64;
  *bias = *bonds = 0;
  for (int64_t i = 0; i < layer->sites; i++)
    {
      const int64_t x = i % columns;
      *bias += sample[i / columns * words + x / 64] >> (x % 64) & 1 ? a[i] : -a[i];
    }
  if (!lattice)
    return;
  vrg_observation observation;
  vrg_lattice_unpack (lattice, sample);
  vrg_observe_bonds (layer->strips > 1 ? layer->strip_comm : MPI_COMM_SELF, lattice, &observation);
  *bonds = observation.bonds;
}

/** Mean and its error. */
static double
mean_of (const double *series, int64_t n, int64_t chains, double *error)
{
  double sum = 0;
  for (int64_t s = 0; s < n; s++)
    sum += series[s];
  const double mean = sum / (double) n;
  vrg_blocks blocks;
  vrg_blocks_init (&blocks, n, chains, BLOCKS);
  double *loo = vrg_new (blocks.n, sizeof *loo, "a jackknife");
  for (int b = 0; b < blocks.n; b++)
    {
      int64_t t[2], c[2];
      double part = 0;
      vrg_blocks_range (&blocks, b, t, c);
      for (int64_t i = t[0]; i < t[1]; i++)
        for (int64_t k = c[0]; k < c[1] && i * chains + k < n; k++)
          part += series[i * chains + k];
      loo[b] = (sum - part) / (double) (n - vrg_blocks_count (&blocks, b));
    }
  vrg_jackknife (blocks.n, 1, &mean, loo, NULL, error);
  *error *= vrg_blocks_factor (&blocks, vrg_tau_int (series, n, chains, NULL));
  vrg_free (loo);
  return mean;
}

vrg_likelihood
vrg_likelihood_measure (const vrg_grid *grid, const vrg_layer *layer, double lnz, double lnz_error, vrg_ising ising,
                        int64_t chains, int64_t total, const uint64_t *const *samples, const int64_t *number, int64_t n)
{
  vrg_likelihood result = { NAN, NAN, NAN, NAN, NAN };
  if (total == 0)
    return result;
  const char *what = "likelihood";
  const vrg_model *model = layer->model;
  const bool exact = !isnan (ising.lnz);
  const vrg_layer_size size = vrg_layer_sizes (layer, LANES);
  int32_t *v = vrg_new (size.visible, sizeof *v, what), *fields = vrg_new (size.hidden_fields, sizeof *fields, what);
  int32_t *x = vrg_new (layer->hidden, sizeof *x, what), *a = vrg_new (layer->sites, sizeof *a, what);
  for (int64_t i = 0; i < layer->sites; i++)
    a[i] = vrg_layer_visible_bias (layer, i);
  double *logs = vrg_new (2 * total, sizeof *logs, what), *difference = logs + total;
  vrg_lattice *lattice = NULL;
  if (exact)
    lattice = model->rows == 1 ? vrg_lattice_new_size (1, &model->columns, 0, 1)
                               : vrg_lattice_new (model->rows, model->columns, layer->row0, layer->row1);
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "likelihood of the data", "samples", n);
  for (int64_t at = 0; at < n; at += LANES)
    {
      vrg_progress_update (&progress, at);
      int64_t integers[2][LANES] = { 0 };
      const vrg_piece piece = vrg_piece_of (0, n - at < LANES ? n - at : LANES);
      vrg_layer_unpack (layer, piece, samples + at, v);
      vrg_layer_hidden_fields (layer, piece, v, fields);
      for (int64_t s = 0; s < piece.n; s++)
        sample_integers (layer, a, lattice, samples[at + s], &integers[0][s], &integers[1][s]);
      if (layer->strips > 1)
        vrg_sum_int64 (layer->strip_comm, integers[0], 2 * LANES);
      for (int64_t s = grid->strip; s < piece.n; s += grid->strips)
        {
          const int64_t at_all = number[at + s];
          vrg_layer_get_hidden (layer, piece, fields, s, x);
          logs[at_all] = value (integers[0][s]) + vrg_sum_ln2cosh (x, layer->hidden, 1) - lnz;
          difference[at_all] = ising.nn * (double) integers[1][s] - ising.lnz - logs[at_all];
        }
    }
  vrg_progress_end (&progress, n);
  vrg_sum_double (grid->world, logs, exact ? 2 * total : total);
  const double sites = (double) layer->visible;
  result.log_likelihood = mean_of (logs, total, chains, &result.log_likelihood_error);
  result.log_likelihood_error = hypot (result.log_likelihood_error, lnz_error);
  if (exact)
    {
      double squares = 0;
      const double mean = mean_of (difference, total, chains, &result.kl_per_site_error);
      for (int64_t s = 0; s < total; s++)
        squares += (difference[s] - mean) * (difference[s] - mean);
      result.kl_per_site = mean / sites;
      result.kl_per_site_error = hypot (result.kl_per_site_error, lnz_error) / sites;
      result.spread = total > 1 ? sqrt (squares / (double) (total - 1)) / sites : NAN;
    }
  vrg_lattice_free (lattice);
  vrg_free (v);
  vrg_free (fields);
  vrg_free (x);
  vrg_free (a);
  vrg_free (logs);
  return result;
}
