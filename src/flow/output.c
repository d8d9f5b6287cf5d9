/* SPDX-License-Identifier: GPL-3.0-or-later
 * flow.h5, and the order in which everything is written. */
#include "flow/output.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "files/h5.h"
#include "flow/result.h"
#include "flow/tables.h"

#define SHORT_BLOCK 10 /* autocorrelation times */

static const char *const sector_names[VRG_SECTORS] = { "even", "odd" };

/* Names of operators, in order. */
static int
put_operators (vrg_h5 *file, const char *group, int n, const vrg_pattern *operators)
{
  char names[VRG_MAX_OPERATORS * (VRG_PATTERN_NAME + 1)] = "";
  size_t length = 0;
  for (int a = 0; a < n; a++)
    length += (size_t) snprintf (names + length, sizeof names - length, "%s%s", a > 0 ? " " : "", operators[a].name);
  return vrg_h5_put_text (file, group, "operators", names);
}

/* An array GROUP/NAME by level, that every rank has. */
static int
put_array (vrg_h5 *file, const char *group, const char *name, const char *help, const char *axes, vrg_h5_type type,
           int rank, const int64_t *dims, const void *data)
{
  char path[192], full_axes[64], full_help[256];
  snprintf (path, sizeof path, "%s/%s", group, name);
  snprintf (full_axes, sizeof full_axes, "level %s", axes);
  snprintf (full_help, sizeof full_help, "%s (1)", help);
  vrg_h5_array array = { .name = path,
                         .help = full_help,
                         .axes = full_axes,
                         .type = type,
                         .rank = rank,
                         .replicated = true,
                         .data = (void *) (uintptr_t) data };
  memcpy (array.dims, dims, (size_t) rank * sizeof *dims);
  return vrg_h5_put (file, &array);
}

/* A quantity of a sector: values, errors, values without a block. */
static int
put_quantity (const vrg_result *r, vrg_h5 *file, const char *group, int sector, int q)
{
  const vrg_quantity_info *info = &vrg_quantities[q];
  const vrg_estimate *e = &r->sector[sector][q];
  int64_t n = r->measure->n[sector], blocks = r->measure->blocks.n;
  char name[64], help[224], axes[48];
  int status = put_array (file, group, info->name, info->help, info->axes, VRG_F64, info->pair ? 3 : 2,
                          (const int64_t[]){ r->levels, n, n }, e->value);
  if (e->error != NULL && status == VRG_OK)
    {
      snprintf (name, sizeof name, "%s_error", info->name);
      snprintf (help, sizeof help, "standard deviation of %s", info->name);
      status = put_array (file, group, name, help, info->axes, VRG_F64, info->pair ? 3 : 2,
                          (const int64_t[]){ r->levels, n, n }, e->error);
    }
  if (e->rest != NULL && status == VRG_OK)
    {
      snprintf (name, sizeof name, "%s_leave_one_out", info->name);
      snprintf (help, sizeof help, "%s from all blocks but one", info->name);
      snprintf (axes, sizeof axes, "block %s", info->axes);
      status = put_array (file, group, name, help, axes, VRG_F64, info->pair ? 4 : 3,
                          (const int64_t[]){ r->levels, blocks, n, n }, e->rest);
    }
  return status;
}

/* The integer sums behind a sector. */
static int
put_sums (const vrg_result *r, vrg_h5 *file, const char *group, int sector)
{
  const vrg_measure *m = r->measure;
  int64_t size = 2 * m->size[sector], blocks = m->blocks.n;
  int64_t *sums = vrg_new (r->levels * blocks * size, sizeof *sums, "sums");
  for (int level = 0; level < r->levels; level++)
    for (int b = 0; b < blocks; b++)
      memcpy (sums + (level * blocks + b) * size,
              vrg_measure_sums (m, r->ensemble, b, vrg_levels_index (m->levels, r->rule, level))
                + (sector == VRG_ODD ? 2 * m->size[VRG_EVEN] : 0),
              (size_t) size * sizeof *sums);
  int status = put_array (
    file, group, "sums",
    "sums over the samples of S'_a, S_a, S'_a S'_b (b <= a), S'_a S_b, S0_a, S'_a S0_b: words[1] 2^48 + words[0]",
    "block sum word", VRG_I64, 4, (const int64_t[]){ r->levels, blocks, m->size[sector], 2 }, sums);
  vrg_free (sums);
  return status;
}

static int
put_sector (const vrg_result *r, vrg_h5 *file, const char *group, int sector)
{
  int64_t n = r->measure->n[sector];
  int status = put_operators (file, group, (int) n, vrg_result_operators (r, sector));
  for (int q = 0; q < VRG_QUANTITIES && status == VRG_OK; q++)
    if (vrg_result_has (r, sector, q))
      status = put_quantity (r, file, group, sector, q);
  if (status == VRG_OK)
    status = put_array (file, group, "used", "1: operator used; 0: constant or linearly dependent on those before it",
                        "operator", VRG_U8, 2, (const int64_t[]){ r->levels, n }, r->used[sector]);
  if (status == VRG_OK)
    status = put_array (file, group, "y_covariance", "covariance over levels of y with all operators", "level", VRG_F64,
                        2, (const int64_t[]){ r->levels, r->levels }, r->y_covariance[sector]);
  return status == VRG_OK ? put_sums (r, file, group, sector) : status;
}

static int
put_fits (const vrg_result *r, vrg_h5 *file, const char *group)
{
  const vrg_fits *f = r->fits;
  enum
  {
    ONE = 2,
    TWO = 3
  };
  const struct
  {
    const char *name, *help, *axes;
    int64_t middle; /* length of the second axis of three; 0 where there are two */
    const double *data;
  } arrays[] = {
    { "value", "K_a from the pseudo-likelihood, all operators; NaN: operator dropped", "operator", 0, f->value },
    { "error", "standard deviation of value", "operator", 0, f->error },
    { "covariance", "jackknife covariance of value", "operator operator", f->n, f->covariance },
    { "leave_one_out", "value from all blocks but one", "block operator", f->blocks, f->rest },
    { "nested", "K_a of the fits with the first 1, 2, ... operators", "fit operator", f->n, f->nested },
    { "nested_error", "standard deviation of nested", "fit operator", f->n, f->nested_error },
    { "likelihood", "mean of ln P (s | environment) per site, nats", "fit", 0, f->likelihood },
    { "likelihood_error", "standard deviation of likelihood", "fit", 0, f->likelihood_error },
    { "gain", "likelihood over that of one operator fewer, nats", "fit", 0, f->gain },
    { "gain_error", "standard deviation of gain", "fit", 0, f->gain_error },
    { "deviance", "mean KL (observed P (s | environment) || fitted) per site, nats", "fit", 0, f->deviance },
    { "deviance_error", "standard deviation of deviance", "fit", 0, f->deviance_error },
    { "against", "effective number of spins that disagree with their field", "fit", 0, f->against },
    { "state", "0 inside, 1 no maximum, 2 few spins disagree, 3 errors too large", "fit", 0, f->state },
    { "inside", "1: the fit is in the convex interior", "fit", 0, f->inside },
  };
  int status = put_operators (file, group, f->n, r->measure->input->fitted);
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0] && status == VRG_OK; i++)
    status = put_array (
      file, group, arrays[i].name, arrays[i].help, arrays[i].axes, VRG_F64, arrays[i].middle > 0 ? TWO : ONE,
      (const int64_t[]){ f->levels, arrays[i].middle > 0 ? arrays[i].middle : f->n, f->n }, arrays[i].data);
  return status;
}

/* Group /ensemble-EEE/RULE. */
static int
put_result (const vrg_result *r, vrg_h5 *file)
{
  const vrg_measure *m = r->measure;
  int rule = m->levels->rule[r->rule];
  char name[96], group[128];
  snprintf (name, sizeof name, "/ensemble-%03d/%.24s", r->ensemble, vrg_result_rule (r));
  int status = vrg_h5_put_text (file, name, "rule", vrg_result_rule (r));
  if (status == VRG_OK && (rule == VRG_LEARNT || rule == VRG_LEARNT_SIGN))
    status = vrg_h5_put_int (file, name, "training_seed", m->input->seed);
  for (int s = 0; s < VRG_SECTORS && status == VRG_OK; s++)
    if (m->n[s] > 0)
      {
        snprintf (group, sizeof group, "%s/%s", name, sector_names[s]);
        status = put_sector (r, file, group, s);
      }
  snprintf (group, sizeof group, "%s/couplings", name);
  return status == VRG_OK && r->fits != NULL ? put_fits (r, file, group) : status;
}

/* How much larger errors are than the jackknife's, from the slower of energy and squared magnetisation.  Collective. */
static int
error_factor (const vrg_measure *m, vrg_samples *samples, int ensemble, double *factor)
{
  int64_t n = m->info->samples;
  int64_t *bonds = vrg_new (n, sizeof *bonds, "series"), *magnetisation = vrg_new (n, sizeof *bonds, "series");
  double *energy = vrg_new (n, sizeof *energy, "series"), *m2 = vrg_new (n, sizeof *m2, "series");
  int status = vrg_samples_read_series (samples, ensemble, bonds, magnetisation);
  for (int64_t s = 0; s < n; s++)
    {
      energy[s] = (double) bonds[s];
      m2[s] = (double) magnetisation[s] * (double) magnetisation[s];
    }
  double of_energy = vrg_tau_int (energy, n, m->info->chains, NULL), of_m2 = vrg_tau_int (m2, n, m->info->chains, NULL);
  double tau = fmax (of_energy, of_m2), length = (double) m->blocks.times / m->blocks.over_time;
  *factor = vrg_blocks_factor (&m->blocks, tau);
  if (isnan (*factor))
    vrg_warn ("flow: nn=%.6g: no errors: too few configurations of each chain to tell their autocorrelation time",
              m->info->nn[ensemble]);
  else if (m->blocks.over_time > 1 && length < SHORT_BLOCK * tau)
    vrg_warn ("flow: nn=%.6g: jackknife blocks of %.0f times are shorter than %d autocorrelation times of %.1f: errors "
              "are enlarged by %.3f; ask for fewer [flow] blocks",
              m->info->nn[ensemble], length, SHORT_BLOCK, tau, *factor);
  vrg_free (m2);
  vrg_free (energy);
  vrg_free (magnetisation);
  vrg_free (bonds);
  return status;
}

/* Everything into the open file and the tables, which rank 0 has. */
static int
write_all (const vrg_measure *m, const vrg_grid *grid, vrg_samples *samples, const char *fingerprint, vrg_h5 *file,
           vrg_flow_tables *tables)
{
  const struct
  {
    const char *name;
    int64_t value;
  } numbers[] = { { "ensembles", m->info->ensembles }, { "dimension", m->info->dimension },
                  { "size_0", m->info->size[0] },      { "size_1", m->info->size[1] },
                  { "size_2", m->info->size[2] },      { "levels", m->levels->depth },
                  { "scale", m->levels->scale },       { "seed", m->info->seed },
                  { "samples", m->info->samples },     { "chains", m->info->chains },
                  { "blocks", m->blocks.n },           { "blocks_over_chains", m->blocks.over_chain } };
  int status = vrg_h5_put_head (file, VRG_FLOW_FORMAT, VRG_FLOW_FORMAT_VERSION, fingerprint);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && status == VRG_OK; i++)
    status = vrg_h5_put_int (file, "/", numbers[i].name, numbers[i].value);
  if (status == VRG_OK)
    status = vrg_h5_put_double (file, "/", "nnn", m->info->nnn);
  if (status == VRG_OK)
    status = vrg_h5_put_double (file, "/", "plaquette", m->info->plaquette);
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "estimating couplings and exponents", "rules",
                            (int64_t) m->info->ensembles * m->input->n_rules);
  for (int e = 0; e < m->info->ensembles && status == VRG_OK; e++)
    {
      char group[32];
      double factor = 1;
      snprintf (group, sizeof group, "/ensemble-%03d", e);
      status = error_factor (m, samples, e, &factor);
      if (status == VRG_OK)
        status = vrg_h5_put_double (file, group, "nn", m->info->nn[e]);
      if (status == VRG_OK)
        status = vrg_h5_put_double (file, group, "error_factor", factor);
      for (int r = 0; r < m->input->n_rules && status == VRG_OK; r++)
        {
          vrg_progress_update (&progress, (int64_t) e * m->input->n_rules + r);
          vrg_result *result = vrg_result_new (m, e, r, factor);
          if (grid->rank == 0)
            vrg_flow_tables_add (tables, result);
          status = put_result (result, file);
          vrg_result_free (result);
        }
    }
  vrg_progress_end (&progress, (int64_t) m->info->ensembles * m->input->n_rules);
  return status;
}

int
vrg_flow_write (const vrg_measure *m, const vrg_grid *grid, vrg_samples *samples, const char *directory,
                const char *fingerprint)
{
  char path[VRG_PATH_LENGTH + 16], temporary[VRG_PATH_LENGTH + 24], comment[256], date[32];
  time_t now = time (NULL);
  strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
  snprintf (comment, sizeof comment, "vrg %s (%s) flow, ranks %d, %s", vrg_version (), vrg_commit (), grid->size, date);
  snprintf (path, sizeof path, "%s/flow.h5", directory);
  snprintf (temporary, sizeof temporary, "%s.tmp", path);
  vrg_h5 *file;
  int status = vrg_h5_open (grid->file, temporary, VRG_H5_CREATE, &file);
  if (status != VRG_OK)
    return status;
  vrg_flow_tables *tables = grid->rank == 0 ? vrg_flow_tables_new (directory, comment) : NULL;
  status = write_all (m, grid, samples, fingerprint, file, tables);
  status = vrg_agree (grid->world, vrg_flow_tables_close (tables, status));
  return vrg_h5_commit (file, status, path);
}
