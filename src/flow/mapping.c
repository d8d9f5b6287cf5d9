/* SPDX-License-Identifier: GPL-3.0-or-later
 * The mapping between RBMs and renormalization, enumerated. */
#include "flow/mapping.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/progress.h"
#include "files/h5.h"
#include "files/table.h"
#include "flow/rbm-flow.h"
#include "lattice/observe.h"
#include "train/ln2cosh.h"

#define IDENTITY_STATES (INT64_C (1) << 22) /* pairs of states of the visible and hidden units for the identity */
#define DRAWN ((INT64_C (1) << 48) - 3)     /* the step of hidden units drawn for it */

static double
fixed (int64_t x)
{
  return (double) x / VRG_FIXED_ONE;
}

static int
spin (int64_t state, int i)
{
  return state >> i & 1 ? 1 : -1;
}

vrg_mapping *
vrg_mapping_new (const vrg_layer *layer)
{
  if (layer->visible > VRG_MAPPING_MOST || layer->strips > 1)
    return NULL;
  vrg_mapping *m = vrg_new (1, sizeof *m, "a mapping");
  const int64_t reach = vrg_layer_reach (layer);
  int64_t *index = vrg_new (reach, sizeof *index, "a mapping");
  int32_t *weight = vrg_new (reach, sizeof *weight, "a mapping");
  m->visible = (int) layer->visible;
  m->hidden = layer->hidden;
  m->weights = vrg_new (m->visible * m->hidden, sizeof *m->weights, "a mapping");
  m->visible_bias = vrg_new (m->visible, sizeof *m->visible_bias, "a mapping");
  m->hidden_bias = vrg_new (m->hidden, sizeof *m->hidden_bias, "a mapping");
  for (int i = 0; i < m->visible; i++)
    {
      const int64_t n = vrg_layer_site (layer, i, index, weight);
      for (int64_t k = 0; k < n; k++)
        m->weights[i * m->hidden + index[k]] += weight[k];
      m->visible_bias[i] = vrg_layer_visible_bias (layer, i);
    }
  for (int64_t j = 0; j < m->hidden; j++)
    m->hidden_bias[j] = vrg_layer_hidden_bias (layer, j);
  vrg_free (index);
  vrg_free (weight);
  return m;
}

void
vrg_mapping_free (vrg_mapping *m)
{
  if (m == NULL)
    return;
  vrg_free (m->weights);
  vrg_free (m->visible_bias);
  vrg_free (m->hidden_bias);
  vrg_free (m);
}

/* ---------------------------------------------------------------- laws */

/** ln (e^x + e^y). */
static double
log_add (double x, double y)
{
  const double both[] = { x, y };
  return vrg_log_sum (both, 2);
}

void
vrg_mapping_ising (const vrg_input *input, double *law)
{
  const int dimension = (int) input->dimension;
  vrg_lattice *lattice = vrg_lattice_new_size (dimension, input->size, 0, dimension == 1 ? 1 : input->size[0]);
  const int64_t sites = lattice->rows * lattice->columns, states = INT64_C (1) << sites;
  double *bonds = vrg_new (3 * states, sizeof *bonds, "a law"), *others = bonds + states, *exponent = others + states;
  for (int64_t v = 0; v < states; v++)
    {
      vrg_observation seen;
      for (int64_t y = 0; y < lattice->rows; y++)
        vrg_lattice_row (lattice, y)[0]
          = (uint64_t) (v >> (y * lattice->columns)) & ((UINT64_C (1) << lattice->columns) - 1);
      vrg_observe (MPI_COMM_NULL, lattice, &seen);
      bonds[v] = (double) seen.bonds;
      others[v] = input->nnn * (double) seen.even[1] + input->plaquette * (double) seen.even[2]
                  + input->field * (double) seen.magnetisation;
    }
  for (int c = 0; c < input->n_coupling; c++)
    {
      for (int64_t v = 0; v < states; v++)
        exponent[v] = input->coupling[c] * bonds[v] + others[v];
      const double lnz = vrg_log_sum (exponent, states) + vrg_log (input->n_coupling);
      for (int64_t v = 0; v < states; v++)
        law[v] = c == 0 ? exponent[v] - lnz : log_add (law[v], exponent[v] - lnz);
    }
  vrg_free (bonds);
  vrg_lattice_free (lattice);
}

/** Call `each` with the fields of the hidden units [hidden] and the visible biases' sum for every state of the visible
 *  ones, in Gray code. */
static void
visit (const vrg_mapping *m, void (*each) (const vrg_mapping *, int64_t state, const int32_t *x, int64_t bias, void *),
       void *context)
{
  int32_t *x = vrg_new (m->hidden, sizeof *x, "fields");
  int64_t state = 0, bias = 0;
  for (int64_t j = 0; j < m->hidden; j++)
    {
      x[j] = m->hidden_bias[j];
      for (int i = 0; i < m->visible; i++)
        x[j] -= m->weights[i * m->hidden + j];
    }
  for (int i = 0; i < m->visible; i++)
    bias -= m->visible_bias[i];
  for (int64_t t = 0; t < INT64_C (1) << m->visible; t++)
    {
      if (t > 0)
        {
          const int i = __builtin_ctzll ((unsigned long long) t);
          state ^= INT64_C (1) << i;
          const int32_t twice = 2 * spin (state, i);
          for (int64_t j = 0; j < m->hidden; j++)
            x[j] += twice * m->weights[i * m->hidden + j];
          bias += twice * m->visible_bias[i];
        }
      each (m, state, x, bias, context);
    }
  vrg_free (x);
}

static void
put_marginal (const vrg_mapping *m, int64_t state, const int32_t *x, int64_t bias, void *context)
{
  double *law = context;
  law[state] = fixed (bias) + vrg_sum_ln2cosh (x, m->hidden, 1);
}

void
vrg_mapping_marginal (const vrg_mapping *m, double *law)
{
  const int64_t states = INT64_C (1) << m->visible;
  visit (m, put_marginal, law);
  const double lnz = vrg_log_sum (law, states);
  for (int64_t v = 0; v < states; v++)
    law[v] -= lnz;
}

/** Probabilities [2^units] of independent units in the fields x. */
static void
independent (const int32_t *x, int units, double *probability)
{
  probability[0] = 1;
  for (int j = 0; j < units; j++)
    {
      const int64_t half = INT64_C (1) << j;
      const double up = 1 / (1 + vrg_exp (-2 * fixed (x[j]))), down = 1 / (1 + vrg_exp (2 * fixed (x[j])));
      for (int64_t h = 0; h < half; h++)
        {
          probability[half + h] = probability[h] * up;
          probability[h] *= down;
        }
    }
}

typedef struct
{
  const double *law;  /* of the visible units */
  double *sum, *room; /* [2^hidden] */
} carrying;

static void
carry (const vrg_mapping *m, int64_t state, const int32_t *x, int64_t bias, void *context)
{
  const carrying *c = context;
  const double weight = vrg_exp (c->law[state]);
  (void) bias;
  independent (x, (int) m->hidden, c->room);
  for (int64_t h = 0; h < INT64_C (1) << m->hidden; h++)
    c->sum[h] += weight * c->room[h];
}

bool
vrg_mapping_up (const vrg_mapping *m, const double *law, double *hidden_law)
{
  if (m->visible + m->hidden > VRG_MAPPING_PAIRS)
    return false;
  const int64_t states = INT64_C (1) << m->hidden;
  carrying c = { law, hidden_law, vrg_new (states, sizeof (double), "a law") };
  for (int64_t h = 0; h < states; h++)
    hidden_law[h] = 0;
  visit (m, carry, &c);
  for (int64_t h = 0; h < states; h++)
    hidden_law[h] = vrg_log (hidden_law[h]);
  vrg_free (c.room);
  return true;
}

bool
vrg_mapping_down (const vrg_mapping *m, const double *hidden_law, double *law)
{
  if (m->visible + m->hidden > VRG_MAPPING_PAIRS || m->hidden > VRG_MAPPING_MOST)
    return false;
  const int hidden = (int) m->hidden; /* the same layer upside down */
  vrg_mapping turned = { hidden, m->visible, vrg_new (hidden * m->visible, sizeof (int32_t), "a mapping"),
                         m->hidden_bias, m->visible_bias };
  for (int j = 0; j < hidden; j++)
    for (int i = 0; i < m->visible; i++)
      turned.weights[j * m->visible + i] = m->weights[i * hidden + j];
  vrg_mapping_up (&turned, hidden_law, law);
  vrg_free (turned.weights);
  return true;
}

/* ---------------------------------------------------------------- checks */

/** |H_RG - H_RBM| of one state of the hidden units; exponent: room for 2^visible. */
static double
identity_at (const vrg_mapping *m, const double *law, const int8_t *h, double *exponent)
{
  const int64_t states = INT64_C (1) << m->visible;
  int32_t field[VRG_MAPPING_MOST];
  int64_t bias = 0;
  for (int64_t j = 0; j < m->hidden; j++)
    bias += h[j] * m->hidden_bias[j];
  for (int i = 0; i < m->visible; i++)
    {
      field[i] = m->visible_bias[i];
      for (int64_t j = 0; j < m->hidden; j++)
        field[i] += h[j] * m->weights[i * m->hidden + j];
    }
  for (int64_t v = 0; v < states; v++)
    {
      int64_t energy = -bias;
      for (int i = 0; i < m->visible; i++)
        energy -= spin (v, i) * (int64_t) field[i];
      const double ising = -law[v], mapping = -fixed (energy) + ising; /* H (v) and T (v, h) */
      exponent[v] = mapping - ising;
    }
  const double renormalized = -vrg_log_sum (exponent, states);
  const double machine = -fixed (bias) - vrg_sum_ln2cosh (field, m->visible, 1);
  return fabs (renormalized - machine);
}

double
vrg_mapping_identity (const vrg_mapping *m, const double *law, int64_t most, const vrg_rng *rng, int64_t *states)
{
  const bool all = m->hidden < 62 && INT64_C (1) << m->hidden <= most;
  double *exponent = vrg_new (INT64_C (1) << m->visible, sizeof *exponent, "states"), largest = 0;
  int8_t *h = vrg_new (m->hidden, sizeof *h, "units");
  *states = all ? INT64_C (1) << m->hidden : most;
  for (int64_t k = 0; k < *states; k++)
    {
      for (int64_t j = 0; j < m->hidden; j++)
        {
          uint64_t random[2] = { (uint64_t) k >> (j % 64), 0 };
          if (!all)
            vrg_rng_block (rng, VRG_RNG_HIDDEN, (uint64_t) (k * m->hidden + j), DRAWN, 0, random);
          h[j] = random[0] & 1 ? 1 : -1;
        }
      largest = fmax (largest, identity_at (m, law, h, exponent));
    }
  vrg_free (h);
  vrg_free (exponent);
  return largest;
}

void
vrg_mapping_trace (int units, const double *law, const double *marginal, double *spread, double *range)
{
  double low = HUGE_VAL, high = -HUGE_VAL, mean = 0, square = 0;
  for (int64_t v = 0; v < INT64_C (1) << units; v++)
    {
      if (!(law[v] > -HUGE_VAL)) /* probabilities that are 0 in double precision */
        continue;
      const double trace = marginal[v] - law[v]; /* its logarithm, but for ln Z of both */
      low = fmin (low, trace);
      high = fmax (high, trace);
      mean += vrg_exp (law[v]) * trace;
    }
  for (int64_t v = 0; v < INT64_C (1) << units; v++)
    {
      const double trace = marginal[v] - law[v] - mean;
      if (law[v] > -HUGE_VAL)
        square += vrg_exp (law[v]) * trace * trace;
    }
  *spread = sqrt (square) / units;
  *range = (high - low) / units;
}

double
vrg_mapping_divergence (int units, const double *law, const double *marginal)
{
  double sum = 0;
  for (int64_t v = 0; v < INT64_C (1) << units; v++)
    if (law[v] > -HUGE_VAL)
      sum += vrg_exp (law[v]) * (law[v] - marginal[v]);
  return sum / units;
}

/* ---------------------------------------------------------------- a stack */

typedef struct
{
  const vrg_input *input;
  int layers;
  vrg_mapping *mapping[VRG_MAX_LAYERS]; /* NULL: too large */
  double *law[VRG_MAX_LAYERS];          /* ln of the data's law of a layer's visible units; NULL: not known */
  double *marginal[VRG_MAX_LAYERS];     /* of the RBM's */
  vrg_table *table;
} checks;

static void
put (vrg_table *t, int layer, const char *quantity, const char *method, double value, double error)
{
  vrg_table_int (t, layer + 1);
  vrg_table_text (t, quantity);
  vrg_table_text (t, method);
  vrg_table_double (t, value);
  vrg_table_double (t, error);
}

/** Laws of every layer, as far as they can be enumerated. */
static void
find_laws (checks *c)
{
  for (int k = 0; k < c->layers; k++)
    {
      if (c->mapping[k] == NULL)
        continue;
      const int64_t states = INT64_C (1) << c->mapping[k]->visible;
      c->marginal[k] = vrg_new (states, sizeof (double), "a law");
      vrg_mapping_marginal (c->mapping[k], c->marginal[k]);
      if (k > 0 ? c->law[k - 1] == NULL : c->input->permute)
        continue;
      c->law[k] = vrg_new (states, sizeof (double), "a law");
      if (k == 0)
        vrg_mapping_ising (c->input, c->law[k]);
      else if (!vrg_mapping_up (c->mapping[k - 1], c->law[k - 1], c->law[k]))
        {
          vrg_free (c->law[k]);
          c->law[k] = NULL;
        }
    }
}

/** KL (Ising || the first layers as a deep belief net): the law of the top one's visible units carried down. */
static void
put_stack (const checks *c, int top)
{
  double *law = c->marginal[top];
  bool good = c->law[0] != NULL;
  for (int k = top - 1; k >= 0 && good; k--)
    {
      double *below = vrg_new (INT64_C (1) << c->mapping[k]->visible, sizeof *below, "a law");
      good = vrg_mapping_down (c->mapping[k], law, below);
      if (law != c->marginal[top])
        vrg_free (law);
      law = below;
    }
  if (good)
    {
      const int sites = c->mapping[0]->visible;
      const double divergence = vrg_mapping_divergence (sites, c->law[0], law);
      put (c->table, top, "stack_kl_per_site", "enumerated", divergence, 0);
      vrg_info ("mapping: %d layer%s: KL(Ising || stack) %.3g nats per site", top + 1, top == 0 ? "" : "s", divergence);
    }
  if (law != c->marginal[top])
    vrg_free (law);
}

static void
put_enumerated (const checks *c, int k)
{
  const vrg_mapping *m = c->mapping[k];
  vrg_rng rng;
  int64_t states;
  vrg_rng_init (&rng, (uint64_t) c->input->seed, (uint32_t) k, VRG_USE_FLOW);
  const double *law = c->law[k] != NULL ? c->law[k] : c->marginal[k]; /* any will do for the identity */
  const double identity = vrg_mapping_identity (m, law, IDENTITY_STATES >> m->visible, &rng, &states);
  put (c->table, k, "identity", "enumerated", identity, 0);
  put (c->table, k, "identity_states", "enumerated", (double) states, 0);
  if (c->law[k] != NULL)
    {
      double spread, range;
      vrg_mapping_trace (m->visible, c->law[k], c->marginal[k], &spread, &range);
      const double divergence = vrg_mapping_divergence (m->visible, c->law[k], c->marginal[k]);
      put (c->table, k, "trace_spread", "enumerated", spread, 0);
      put (c->table, k, "trace_range", "enumerated", range, 0);
      put (c->table, k, "kl_per_unit", "enumerated", divergence, 0);
      vrg_info ("mapping: layer %d: |H_RG - H_RBM| below %.2g, trace condition within %.3g, KL %.3g nats per unit",
                k + 1, identity, range, divergence);
    }
  else
    vrg_info ("mapping: layer %d: |H_RG - H_RBM| below %.2g; the law of its data is not known", k + 1, identity);
  put_stack (c, k);
}

/** What training has found with samples: the last row of the layer. */
static void
put_sampled (const checks *c, int k, const vrg_table_data *train)
{
  int last = -1;
  for (int row = 0; train != NULL && row < train->rows; row++)
    if ((int) vrg_table_number (train, row, vrg_table_column (train, "layer")) == k + 1)
      last = row;
  static const char *const columns[][3]
    = { { "kl_per_unit", "kl_per_site", "kl_per_site_err" }, { "trace_spread", "trace_spread", NULL } };
  for (int i = 0; i < 2 && last >= 0; i++)
    {
      const int value = vrg_table_column (train, columns[i][1]),
                error = columns[i][2] != NULL ? vrg_table_column (train, columns[i][2]) : -1;
      if (value >= 0 && isfinite (vrg_table_number (train, last, value)))
        put (c->table, k, columns[i][0], "sampled", vrg_table_number (train, last, value),
             error >= 0 ? vrg_table_number (train, last, error) : (double) NAN);
    }
  vrg_info (
    "mapping: layer %d has more than %d visible units: not enumerated; what train.tsv has stands in mapping.tsv", k + 1,
    VRG_MAPPING_MOST);
}

/** Rank 0 alone. */
static int
check_stack (const vrg_grid *grid, const vrg_input *input, const vrg_stack *stack, const char *directory)
{
  char comment[256], path[VRG_PATH_LENGTH + 16], date[32];
  time_t now = time (NULL);
  checks c = { .input = input, .layers = stack->layers };
  for (int k = 0; k < c.layers; k++)
    {
      vrg_layer *layer = vrg_layer_new (stack->layer[k], MPI_COMM_NULL);
      if (vrg_layer_round (layer))
        c.mapping[k] = vrg_mapping_new (layer);
      vrg_layer_free (layer);
    }
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "mapping", "layers", 2 * c.layers);
  find_laws (&c);
  strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
  snprintf (comment, sizeof comment, "vrg %s (%s) flow, ranks %d, %s", vrg_version (), vrg_commit (), grid->size, date);
  c.table = vrg_table_new (directory, "mapping.tsv", "layer quantity method value error", comment);
  snprintf (path, sizeof path, "%s/train.tsv", directory);
  vrg_table_data *train = NULL;
  if (vrg_table_read (path, &train) != VRG_OK)
    train = NULL;
  for (int k = 0; k < c.layers; k++)
    {
      vrg_progress_update (&progress, c.layers + k);
      if (c.marginal[k] != NULL)
        put_enumerated (&c, k);
      else
        put_sampled (&c, k, train);
    }
  vrg_progress_end (&progress, 2 * c.layers);
  const int status = vrg_table_close (c.table, NULL);
  if (train != NULL)
    vrg_table_free (train);
  for (int k = 0; k < c.layers; k++)
    {
      vrg_mapping_free (c.mapping[k]);
      vrg_free (c.law[k]);
      vrg_free (c.marginal[k]);
    }
  return status;
}

int
vrg_mapping_write (const vrg_grid *grid, const vrg_input *input, const vrg_samples_info *info, const char *directory)
{
  if (!vrg_input_flow_needs_model (input))
    return VRG_OK;
  vrg_stack *stack;
  int status = vrg_rbm_flow_model (grid, input, info, directory, &stack);
  if (status != VRG_OK)
    return status;
  status = vrg_agree (grid->world, grid->rank == 0 ? check_stack (grid, input, stack, directory) : VRG_OK);
  vrg_stack_free (stack);
  return status;
}
