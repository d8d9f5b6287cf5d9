/* SPDX-License-Identifier: GPL-3.0-or-later
 * How well a model describes the samples. */
#include "train/likelihood.h"

#include <math.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"

/** Room for one sample. */
typedef struct
{
  int32_t *v, *fields, *shift, *weight;
  int64_t *index;
  double *terms; /* ln 2cosh of a dense model's fields */
} room;

static double
value (int64_t fixed)
{
  return (double) fixed / VRG_FIXED_ONE;
}

/** ln P (v_site | rest).  shift is 0 everywhere, before and after. */
static double
log_conditional (const vrg_layer *layer, const room *r, int64_t site)
{
  int spin;
  const int64_t n = vrg_layer_site (layer, site, r->v, &spin, r->index, r->weight);
  for (int64_t k = 0; k < n; k++) /* a unit that sees the site twice shifts by both weights */
    r->shift[r->index[k]] += r->weight[k];
  double difference = 2 * spin * value (vrg_layer_bias (layer, site));
  for (int64_t k = 0; k < n; k++)
    {
      const int64_t j = r->index[k], shift = 2 * spin * (int64_t) r->shift[j];
      r->shift[j] = 0;
      if (shift)
        difference
          += (r->terms ? r->terms[j] : vrg_ln2cosh (value (r->fields[j]))) - vrg_ln2cosh (value (r->fields[j] - shift));
    }
  return 0.5 * difference - vrg_ln2cosh (0.5 * difference);
}

double
vrg_likelihood_pseudo (const vrg_grid *grid, const vrg_layer *layer, const vrg_dataset *d, const vrg_rng *rng)
{
  const vrg_model *model = layer->model;
  const int64_t samples = d->samples < VRG_PSEUDO_SAMPLES ? d->samples : VRG_PSEUDO_SAMPLES, sites = VRG_PSEUDO_SITES;
  const int64_t all = model->rows * model->columns, reach = vrg_layer_reach (layer);
  const bool dense = model->type == VRG_MODEL_DENSE;
  double *logs = vrg_new (samples * sites, sizeof (double), "pseudo-likelihood");
  room r = { .v = vrg_new (layer->visible_units, sizeof (int32_t), "pseudo-likelihood"),
             .fields = vrg_new (layer->hidden_fields, sizeof (int32_t), "pseudo-likelihood"),
             .shift = vrg_new (layer->hidden_fields, sizeof (int32_t), "pseudo-likelihood"),
             .weight = vrg_new (reach, sizeof (int32_t), "pseudo-likelihood"),
             .index = vrg_new (reach, sizeof (int64_t), "pseudo-likelihood"),
             .terms = dense ? vrg_new (model->hidden, sizeof (double), "pseudo-likelihood") : NULL };
  for (int64_t q = 0; q < samples; q++)
    {
      const int64_t s = (int64_t) ((__int128) q * d->samples / samples);
      if (s < d->sample0 || s >= d->sample1)
        continue;
      vrg_layer_unpack (layer, vrg_dataset_sample (d, s), r.v);
      vrg_layer_hidden_fields (layer, 1, r.v, r.fields);
      for (int64_t j = 0; dense && j < model->hidden; j++)
        r.terms[j] = vrg_ln2cosh (value (r.fields[j]));
      for (int64_t k = 0; k < sites; k++)
        {
          uint64_t random[2];
          vrg_rng_block (rng, VRG_RNG_PSEUDO, (uint64_t) (q * sites + k), 0, 0, random);
          const int64_t site = (int64_t) vrg_rng_below (random[0], (uint64_t) all);
          if (site >= model->visible0 && site < model->visible1)
            logs[q * sites + k] = log_conditional (layer, &r, site);
        }
    }
  vrg_sum_double (grid->world, logs, samples * sites);
  double sum = 0;
  for (int64_t k = 0; k < samples * sites; k++)
    sum += logs[k];
  vrg_free (logs);
  vrg_free (r.v);
  vrg_free (r.fields);
  vrg_free (r.shift);
  vrg_free (r.weight);
  vrg_free (r.index);
  vrg_free (r.terms);
  return sum / (double) (samples * sites);
}

double
vrg_likelihood_weight_norm (const vrg_layer *layer)
{
  const vrg_model *model = layer->model;
  const bool dense = model->type == VRG_MODEL_DENSE;
  const int64_t rows = dense ? model->rows * model->columns : model->hidden, row0 = dense ? model->visible0 : 0;
  const int64_t width = dense ? model->hidden : model->filter * model->filter;
  double *squares = vrg_new (rows, sizeof (double), "the norm of the weights"), sum = 0;
  for (int64_t i = 0; i < layer->weights; i++)
    squares[row0 + i / width] += model->weights[i] * model->weights[i];
  if (layer->strips > 1)
    vrg_sum_double (layer->strip_comm, squares, rows);
  for (int64_t i = 0; i < rows; i++)
    sum += squares[i];
  vrg_free (squares);
  return sqrt (sum);
}
