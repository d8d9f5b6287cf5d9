/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tables of the analysis, and learnt.h5. */
#include "train/findings.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/table.h"
#include "lattice/exact.h"

#define FORMAT "vrg-learnt"
#define FORMAT_VERSION 1
#define COMMENT 1024

void
vrg_findings_clear (vrg_findings *f)
{
  for (int k = 0; k < VRG_MAX_LAYERS; k++)
    {
      vrg_fields_free (f->fields[k]);
      vrg_interactions_free (f->interactions[k]);
      vrg_free (f->drawn[k]);
      vrg_free (f->rebuild[k]);
    }
  vrg_free (f->original);
}

double
vrg_findings_nn (const vrg_input *input)
{
  return input->n_coupling == 1 ? input->coupling[0] : (double) NAN;
}

/** Are the data samples of the plain Ising model at one coupling? */
static bool
plain (const vrg_input *input)
{
  return input->n_coupling == 1 && input->coupling[0] > 0 && input->nnn == 0 && input->plaquette == 0
         && input->field == 0 && !input->permute;
}

/** Exact value of an estimate where it is known, else NaN. */
static double
exact (const vrg_findings *f, const vrg_observed *e)
{
  const int64_t rows = f->stack->layer[0]->rows, columns = f->stack->layer[0]->columns;
  const double nn = vrg_findings_nn (f->input), t = tanh (nn);
  double energy, specific_heat;
  if (!plain (f->input) || columns < 2)
    return NAN;
  if (rows > 1)
    vrg_exact_torus (rows, columns, nn, NULL, &energy, &specific_heat);
  else
    vrg_exact_ring (columns, nn, NULL, &energy, &specific_heat);
  if (strcmp (e->quantity, "energy") == 0)
    return energy;
  if (strcmp (e->quantity, "specific_heat") == 0)
    return specific_heat;
  if (rows == columns && e->distance == 1)
    return -energy / 2;
  if (rows == 1 && e->distance > 0)
    return (pow (t, (double) e->distance) + pow (t, (double) (columns - e->distance)))
           / (1 + pow (t, (double) columns));
  return NAN;
}

/* --- tables, on rank 0 --- */

/** The first line of every table, and then some. */
static void
comment (const vrg_grid *grid, const char *more, char text[COMMENT])
{
  char date[32];
  const time_t now = time (NULL);
  strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
  snprintf (text, COMMENT, "vrg %s (%s) train, ranks %d, %s\n%s", vrg_version (), vrg_commit (), grid->size, date,
            more);
}

static int
fields_table (const vrg_grid *grid, const vrg_findings *f, const char *directory)
{
  char text[COMMENT], more[COMMENT - 256], without[COMMENT / 2] = "", from[32] = "";
  for (int k = 0; k < f->stack->layers; k++)
    {
      const vrg_fields *a = f->fields[k], *below = f->fields[k > 0 ? k - 1 : 0];
      const size_t used = strlen (without);
      if (k > 0 && a->rows == below->rows && a->columns == below->columns)
        continue;
      if (k > 0)
        snprintf (from, sizeof from, ", from layer %d on ", k + 1);
      snprintf (without + used, sizeof without - used, "%srms_radius %.4f and ipr %.3g", from,
                vrg_fields_structureless (a), vrg_fields_participation (a));
    }
  snprintf (more, sizeof more,
            "effective receptive fields r(l) = W(l) r(l-1); centre, radius and ipr with weights r^2 on the torus\n"
            "a field without structure has %s; live: own weights at least %g of the layer's largest",
            without, VRG_FIELDS_LIVE);
  comment (grid, more, text);
  vrg_table *table = vrg_table_new (directory, "fields.tsv",
                                    "layer unit norm centre_row centre_column rms_radius ipr live own_norm", text);
  for (int k = 0; k < f->stack->layers; k++)
    for (int64_t j = 0; j < f->fields[k]->units; j++)
      {
        const vrg_field *u = &f->fields[k]->unit[j];
        vrg_table_int (table, k + 1);
        vrg_table_int (table, j);
        vrg_table_double (table, u->norm);
        vrg_table_double (table, u->row);
        vrg_table_double (table, u->column);
        vrg_table_double (table, u->radius);
        vrg_table_double (table, u->participation);
        vrg_table_int (table, u->live);
        vrg_table_double (table, u->own);
      }
  return vrg_table_close (table, NULL);
}

static int
interactions_table (const vrg_grid *grid, const vrg_findings *f, const char *directory)
{
  char text[COMMENT];
  comment (
    grid,
    "couplings among a layer's visible units, means over translations; those of given weights are exact to 1e-12\n"
    "spread: standard deviation over translations; error: of the mean, translations taken as independent; "
    "exact: of the samples' law",
    text);
  vrg_table *table
    = vrg_table_new (directory, "interactions.tsv",
                     "layer order shape distance_row distance_column coupling error spread largest groups exact", text);
  for (int k = 0; k < f->stack->layers; k++)
    for (int i = 0; f->interactions[k] && i < f->interactions[k]->n; i++)
      {
        const vrg_interaction *item = &f->interactions[k]->item[i];
        const vrg_model *m = f->stack->layer[k];
        const bool bond = item->order == 2 && item->row * item->row + item->column * item->column == 1;
        const bool twice = bond && (item->row ? m->rows : m->columns) == 2; /* joined around the torus as well */
        vrg_table_int (table, k + 1);
        vrg_table_int (table, item->order);
        vrg_table_text (table, item->shape);
        vrg_table_int (table, item->row);
        vrg_table_int (table, item->column);
        vrg_table_double (table, item->coupling);
        vrg_table_double (table, item->error);
        vrg_table_double (table, item->spread);
        vrg_table_double (table, item->largest);
        vrg_table_int (table, item->groups);
        vrg_table_double (table, k > 0 || !plain (f->input) ? (double) NAN
                                 : bond                     ? vrg_findings_nn (f->input) * (twice ? 2 : 1)
                                                            : 0);
      }
  return vrg_table_close (table, NULL);
}

static int
samples_table (const vrg_grid *grid, const vrg_findings *f, const char *directory)
{
  char text[COMMENT];
  comment (
    grid,
    "samples of the lowest `layers` layers: Gibbs chains in the uppermost of them, carried down to the lattice\n"
    "data: of the training samples; thermal: chains started from data against chains started from random units, in "
    "standard errors",
    text);
  vrg_table *table = vrg_table_new (directory, "model-samples.tsv",
                                    "layers quantity distance value error data data_error exact", text);
  for (int k = 0; k < f->stack->layers; k++)
    for (int i = 0; i <= f->observed; i++)
      {
        const bool last = i == f->observed;
        const vrg_observed *e = &f->model[k][i], *d = &f->data[i];
        vrg_table_int (table, k + 1);
        vrg_table_text (table, last ? "thermal" : e->quantity);
        vrg_table_int (table, last ? 0 : e->distance);
        vrg_table_double (table, last ? f->thermal[k] : e->value);
        vrg_table_double (table, last ? (double) NAN : e->error);
        vrg_table_double (table, last ? (double) NAN : d->value);
        vrg_table_double (table, last ? (double) NAN : d->error);
        vrg_table_double (table, last ? (double) NAN : exact (f, e));
      }
  return vrg_table_close (table, NULL);
}

static int
reconstructions_table (const vrg_grid *grid, const vrg_findings *f, const char *directory)
{
  char text[COMMENT];
  comment (grid, "overlap <v v'> per site of data v and v' drawn through `layers` layers and back", text);
  vrg_table *table = vrg_table_new (directory, "reconstructions.tsv", "layers units samples overlap error", text);
  for (int k = 0; k < f->stack->layers; k++)
    {
      const vrg_model *m = f->stack->layer[k];
      const int64_t places = m->type == VRG_MODEL_DENSE ? 1 : vrg_model_hidden_rows (m) * (m->columns / m->stride);
      vrg_table_int (table, k + 1);
      vrg_table_int (table, m->hidden * places);
      vrg_table_int (table, f->rebuilt);
      vrg_table_double (table, f->overlap[k]);
      vrg_table_double (table, f->overlap_error[k]);
    }
  return vrg_table_close (table, NULL);
}

/* --- learnt.h5 --- */

/** An array that every rank has whole. */
static int
put (vrg_h5 *file, const char *group, const char *name, const char *help, const char *axes, vrg_h5_type type,
     int64_t first, int64_t second, void *data)
{
  char path[128];
  snprintf (path, sizeof path, "%s/%s", group, name);
  vrg_h5_array array = { .name = path,
                         .help = help,
                         .axes = axes,
                         .type = type,
                         .rank = second > 0 ? 2 : 1,
                         .dims = { first, second },
                         .replicated = true,
                         .data = data };
  return vrg_h5_put (file, &array);
}

/** The fields themselves, each rank its part; the first group writes. */
static int
put_maps (vrg_h5 *file, const vrg_grid *grid, const vrg_fields *f, const char *group)
{
  char path[128];
  snprintf (path, sizeof path, "%s/effective_fields", group);
  const bool whole = f->own1 - f->own0 == f->rows * f->columns;
  vrg_h5_array array = { .name = path,
                         .help = "r(l) = W(l) r(l-1); field [0][0] is site (origin_row, origin_column) of a lattice of "
                                 "lattice_rows x lattice_columns, periodic (1)",
                         .axes = "unit row column",
                         .type = VRG_F64,
                         .rank = 3,
                         .dims = { f->units, f->rows, f->columns },
                         .replicated = whole,
                         .count = { grid->group == 0 ? f->units : 0, f->rows, f->columns },
                         .data = f->weights };
  const int cut = f->rows > 1 ? 1 : 2;
  const int64_t part = f->rows > 1 ? f->columns : 1;
  array.first[cut] = f->own0 / part;
  array.count[cut] = (f->own1 - f->own0) / part;
  return vrg_h5_put (file, &array);
}

static int
put_fields (vrg_h5 *file, const vrg_grid *grid, const vrg_fields *f, const char *group)
{
  double *numbers = vrg_new (5 * f->units, sizeof *numbers, "receptive fields");
  uint8_t *live = vrg_new (f->units, sizeof *live, "receptive fields");
  double *centre = numbers, *norm = numbers + 2 * f->units, *radius = norm + f->units, *ipr = radius + f->units;
  for (int64_t j = 0; j < f->units; j++)
    {
      const vrg_field *u = &f->unit[j];
      centre[2 * j] = u->row;
      centre[2 * j + 1] = u->column;
      norm[j] = u->norm;
      radius[j] = u->radius;
      ipr[j] = u->participation;
      live[j] = u->live;
    }
  int code = put_maps (file, grid, f, group);
  const struct
  {
    const char *name;
    int64_t value;
  } places[] = { { "origin_row", f->origin[0] },
                 { "origin_column", f->origin[1] },
                 { "lattice_rows", f->lattice[0] },
                 { "lattice_columns", f->lattice[1] } };
  for (int i = 0; i < 4 && code == VRG_OK; i++)
    code = vrg_h5_put_int (file, group, places[i].name, places[i].value);
  if (code == VRG_OK)
    code = put (file, group, "centre", "circular mean with weights r^2 (sites)", "unit axis", VRG_F64, f->units, 2,
                centre);
  if (code == VRG_OK)
    code = put (file, group, "norm", "sqrt sum r^2 (1)", "unit", VRG_F64, f->units, 0, norm);
  if (code == VRG_OK)
    code = put (file, group, "radius", "root mean square distance from the centre (sites)", "unit", VRG_F64, f->units,
                0, radius);
  if (code == VRG_OK)
    code = put (file, group, "ipr", "sum r^4 / (sum r^2)^2 (1)", "unit", VRG_F64, f->units, 0, ipr);
  if (code == VRG_OK)
    code = put (file, group, "live", "1: a unit with weights to speak of", "unit", VRG_U8, f->units, 0, live);
  vrg_free (live);
  vrg_free (numbers);
  return code;
}

static int
put_interactions (vrg_h5 *file, const vrg_interactions *found, const char *group)
{
  double *numbers = vrg_new (3 * found->n, sizeof *numbers, "couplings");
  int64_t *place = vrg_new (3 * found->n, sizeof *place, "couplings");
  for (int i = 0; i < found->n; i++)
    {
      const vrg_interaction *item = &found->item[i];
      numbers[i] = item->coupling;
      numbers[found->n + i] = item->error;
      numbers[2 * found->n + i] = item->spread;
      place[i] = item->order;
      place[found->n + 2 * i] = item->row;
      place[found->n + 2 * i + 1] = item->column;
    }
  static const char *const names[] = { "coupling", "coupling_error", "coupling_spread" };
  int code = VRG_OK;
  for (int i = 0; i < 3 && code == VRG_OK; i++)
    code = put (file, group, names[i], "of groups of visible units, over translations, as in interactions.tsv (1)",
                "group", VRG_F64, found->n, 0, numbers + i * found->n);
  if (code == VRG_OK)
    code = put (file, group, "coupling_order", "sites of the group", "group", VRG_I64, found->n, 0, place);
  if (code == VRG_OK)
    code = put (file, group, "coupling_distance", "how far the group reaches (sites)", "group axis", VRG_I64, found->n,
                2, place + found->n);
  vrg_free (place);
  vrg_free (numbers);
  return code;
}

/** Configurations, each rank its rows; the first group writes. */
static int
put_pictures (vrg_h5 *file, const vrg_grid *grid, const vrg_findings *f, const char *name, int depth, int64_t n,
              uint64_t *spins)
{
  char path[64];
  snprintf (path, sizeof path, depth > 0 ? "%s/depth-%d" : "%s/data", name, depth);
  const int64_t rows = f->stack->layer[0]->rows;
  vrg_h5_array array = { .name = path,
                         .help = "configurations, one bit a spin, bit x % 64 of word x / 64 of a row is column x",
                         .axes = "sample row word",
                         .type = VRG_U64,
                         .rank = 3,
                         .dims = { n, rows, f->words },
                         .first = { 0, f->row0, 0 },
                         .count = { grid->group == 0 ? n : 0, f->row1 - f->row0, f->words },
                         .data = spins };
  return vrg_h5_put (file, &array);
}

/** The two-point function among estimates. */
static int
put_two_point (vrg_h5 *file, const vrg_findings *f, const vrg_observed *estimates, int depth)
{
  char name[2][32];
  int64_t most = 0, n[2] = { 0 };
  for (int i = 0; i < f->observed; i++)
    most += estimates[i].distance > 0;
  double *values = vrg_new (4 * most, sizeof *values, "two-point function");
  int64_t *distance = vrg_new (most, sizeof *distance, "two-point function");
  for (int64_t i = 0; i < 4 * most; i++)
    values[i] = NAN;
  for (int i = 0; i < f->observed; i++)
    if (estimates[i].distance > 0)
      {
        const int axis = strcmp (estimates[i].quantity, "two_point_column") == 0;
        values[axis * most + n[axis]] = estimates[i].value;
        values[(2 + axis) * most + n[axis]] = estimates[i].error;
        distance[n[axis]++] = estimates[i].distance;
      }
  snprintf (name[0], sizeof name[0], depth > 0 ? "depth-%d" : "data", depth);
  snprintf (name[1], sizeof name[1], "%.20s_error", name[0]);
  int code = VRG_OK;
  const int64_t length = n[0] > n[1] ? n[0] : n[1];
  for (int e = 0; e < 2 && code == VRG_OK && length > 0; e++)
    {
      memmove (values + 2 * e * most + length, values + (2 * e + 1) * most, (size_t) length * sizeof *values);
      code = put (file, "/two_point", name[e], "<s s'> of sites some rows (axis 0) or columns (axis 1) apart (1)",
                  "axis distance", VRG_F64, 2, length, values + 2 * e * most);
    }
  if (code == VRG_OK && depth == 0 && length > 0)
    code = put (file, "/two_point", "distance", "of the two-point function (sites)", "distance", VRG_I64, length, 0,
                distance);
  vrg_free (distance);
  vrg_free (values);
  return code;
}

static int
put_all (vrg_h5 *file, const vrg_grid *grid, const vrg_findings *f, const char *fingerprint)
{
  char group[32];
  int code = vrg_h5_put_head (file, FORMAT, FORMAT_VERSION, fingerprint);
  if (code == VRG_OK)
    code = vrg_h5_put_int (file, "/", "layers", f->stack->layers);
  if (code == VRG_OK)
    code = put_two_point (file, f, f->data, 0);
  if (code == VRG_OK)
    code = put_pictures (file, grid, f, "/reconstructions", 0, f->rebuilds, f->original);
  for (int k = 0; k < f->stack->layers && code == VRG_OK; k++)
    {
      snprintf (group, sizeof group, "/layer-%d", k + 1);
      code = put_fields (file, grid, f->fields[k], group);
      if (code == VRG_OK && f->interactions[k])
        code = put_interactions (file, f->interactions[k], group);
      if (code == VRG_OK)
        code = put_two_point (file, f, f->model[k], k + 1);
      if (code == VRG_OK)
        code = put_pictures (file, grid, f, "/samples", k + 1, f->pictures, f->drawn[k]);
      if (code == VRG_OK)
        code = put_pictures (file, grid, f, "/reconstructions", k + 1, f->rebuilds, f->rebuild[k]);
    }
  return code;
}

int
vrg_findings_write (const vrg_grid *grid, const vrg_findings *f, const char *directory, const char *fingerprint)
{
  int code = VRG_OK;
  if (grid->rank == 0)
    {
      code = fields_table (grid, f, directory);
      if (code == VRG_OK)
        code = interactions_table (grid, f, directory);
      if (code == VRG_OK)
        code = samples_table (grid, f, directory);
      if (code == VRG_OK)
        code = reconstructions_table (grid, f, directory);
    }
  code = vrg_agree (grid->world, code);
  if (code != VRG_OK)
    return code;
  char path[VRG_PATH_LENGTH], temporary[VRG_PATH_LENGTH + 4];
  snprintf (path, sizeof path, "%s/learnt.h5", directory);
  snprintf (temporary, sizeof temporary, "%s.tmp", path);
  vrg_h5 *file;
  code = vrg_h5_open (grid->file, temporary, VRG_H5_CREATE, &file);
  if (code != VRG_OK)
    return code;
  code = put_all (file, grid, f, fingerprint);
  return vrg_h5_commit (file, code, path);
}
