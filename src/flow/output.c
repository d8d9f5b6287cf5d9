/* SPDX-License-Identifier: GPL-3.0-or-later
 * The tables couplings.tsv and exponents.tsv, and flow.h5. */
#include "flow/output.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/h5.h"
#include "files/table.h"
#include "flow/result.h"
#include "lattice/exact.h"

#define FORMAT "vrg-flow"
#define FORMAT_VERSION 1

static const char *const sector_names[VRG_SECTORS] = { "even", "odd" };

/* Rows of both tables. */
static void
put_rows (const vrg_result *r, vrg_table *couplings, vrg_table *exponents)
{
  static const double exact[VRG_SECTORS] = { 1, 1.875 };
  const vrg_measure *m = r->measure;
  double nn = m->info->nn[r->ensemble];
  bool critical = fabs (nn - VRG_CRITICAL_2D) < 1e-12 && m->info->nnn == 0 && m->info->plaquette == 0;
  for (int level = 0; level < vrg_result_levels (r); level++)
    {
      int n = m->n[VRG_EVEN], fitted = 0;
      const double *value = r->coupling[VRG_COUPLING] + level * n, *error = r->coupling[VRG_COUPLING_ERROR] + level * n;
      for (int a = 0; a < n; a++)
        fitted += !isnan (value[a]);
      for (int a = 0; a < n; a++)
        {
          vrg_table_double (couplings, nn);
          vrg_table_text (couplings, vrg_result_rule (r));
          vrg_table_int (couplings, level);
          vrg_table_int (couplings, fitted);
          vrg_table_text (couplings, m->operators[VRG_EVEN][a]->name);
          vrg_table_double (couplings, value[a]);
          vrg_table_double (couplings, error[a]);
        }
      for (int s = 0; s < VRG_SECTORS && level > 0; s++)
        for (int a = 0; a < m->n[s]; a++)
          {
            vrg_table_double (exponents, nn);
            vrg_table_text (exponents, vrg_result_rule (r));
            vrg_table_int (exponents, level);
            vrg_table_text (exponents, sector_names[s]);
            vrg_table_int (exponents, a + 1);
            vrg_table_double (exponents, r->sector[s][VRG_Y][level * m->n[s] + a]);
            vrg_table_double (exponents, r->sector[s][VRG_Y_ERROR][level * m->n[s] + a]);
            vrg_table_double (exponents, critical ? exact[s] : (double) NAN);
          }
    }
}

/* One array of doubles of a group. */
static int
put_array (const vrg_result *r, vrg_h5 *file, const char *group, const vrg_result_info *info, int n, double *data)
{
  static const char *const axes[] = { "level operator", "level operator operator", "level block operator" };
  char path[160];
  snprintf (path, sizeof path, "%s/%s", group, info->name);
  vrg_h5_array array = { .name = path,
                         .help = info->help,
                         .axes = axes[info->shape],
                         .type = VRG_F64,
                         .rank = info->shape == VRG_BY_OPERATOR ? 2 : 3,
                         .dims = { vrg_result_levels (r), n, n },
                         .replicated = true,
                         .data = data };
  if (info->shape == VRG_BY_BLOCK)
    array.dims[1] = r->measure->blocks.n;
  return vrg_h5_put (file, &array);
}

/* The group of a sector or of the couplings, with the names of its operators. */
static int
put_operators (const vrg_result *r, vrg_h5 *file, const char *group, int sector)
{
  char names[VRG_MAX_OPERATORS * 32] = "";
  size_t length = 0;
  for (int a = 0; a < r->measure->n[sector]; a++)
    length += (size_t) snprintf (names + length, sizeof names - length, "%s%.24s", a > 0 ? " " : "",
                                 r->measure->operators[sector][a]->name);
  return vrg_h5_put_text (file, group, "operators", names);
}

/* The integer sums behind a sector. */
static int
put_sums (const vrg_result *r, vrg_h5 *file, const char *group, int sector)
{
  const vrg_measure *m = r->measure;
  int64_t size = 2 * m->size[sector], levels = vrg_result_levels (r), blocks = m->blocks.n;
  int64_t *sums = vrg_new (levels * blocks * size, sizeof *sums, "sums");
  for (int level = 0; level < levels; level++)
    for (int b = 0; b < blocks; b++)
      memcpy (sums + (level * blocks + b) * size,
              vrg_measure_sums (m, r->ensemble, b, vrg_levels_index (m->levels, r->rule, level))
                + (sector == VRG_ODD ? 2 * m->size[VRG_EVEN] : 0),
              (size_t) size * sizeof *sums);
  char path[160];
  snprintf (path, sizeof path, "%s/sums", group);
  vrg_h5_array array
    = { .name = path,
        .help = "sums over the samples of S'_a, S_a, S'_a S'_b (b <= a), S'_a S_b: words[1] 2^48 + words[0] (1)",
        .axes = "level block sum word",
        .type = VRG_I64,
        .rank = 4,
        .dims = { levels, blocks, m->size[sector], 2 },
        .replicated = true,
        .data = sums };
  int status = vrg_h5_put (file, &array);
  vrg_free (sums);
  return status;
}

/* Group /ensemble-EEE/RULE. */
static int
put_result (const vrg_result *r, vrg_h5 *file)
{
  const vrg_measure *m = r->measure;
  char ensemble[64], rule[96], group[128];
  snprintf (ensemble, sizeof ensemble, "/ensemble-%03d", r->ensemble);
  snprintf (rule, sizeof rule, "%s/%.24s", ensemble, vrg_result_rule (r));
  int status = vrg_h5_put_text (file, rule, "rule", vrg_result_rule (r));
  for (int s = 0; s < VRG_SECTORS && status == VRG_OK; s++)
    {
      if (m->n[s] == 0)
        continue;
      snprintf (group, sizeof group, "%s/%s", rule, sector_names[s]);
      status = put_operators (r, file, group, s);
      for (int i = 0; i < VRG_SECTOR_ARRAYS && status == VRG_OK; i++)
        status = put_array (r, file, group, &vrg_result_sectors[i], m->n[s], r->sector[s][i]);
      if (status == VRG_OK)
        status = put_sums (r, file, group, s);
    }
  if (m->n[VRG_EVEN] == 0 || status != VRG_OK)
    return status;
  snprintf (group, sizeof group, "%s/couplings", rule);
  status = put_operators (r, file, group, VRG_EVEN);
  for (int i = 0; i < VRG_COUPLING_ARRAYS && status == VRG_OK; i++)
    status = put_array (r, file, group, &vrg_result_couplings[i], m->n[VRG_EVEN], r->coupling[i]);
  return status;
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
  *factor = vrg_blocks_factor (&m->blocks, fmax (of_energy, of_m2));
  vrg_free (m2);
  vrg_free (energy);
  vrg_free (magnetisation);
  vrg_free (bonds);
  return status;
}

/* Everything into the open file and the tables, which rank 0 has. */
static int
write_all (const vrg_measure *m, const vrg_grid *grid, vrg_samples *samples, const char *fingerprint, vrg_h5 *file,
           vrg_table *couplings, vrg_table *exponents)
{
  const struct
  {
    const char *name;
    int64_t value;
  } numbers[] = { { "format_version", FORMAT_VERSION },
                  { "ensembles", m->info->ensembles },
                  { "levels", m->levels->depth },
                  { "scale", m->levels->scale },
                  { "samples", m->info->samples },
                  { "chains", m->info->chains },
                  { "blocks", m->blocks.n },
                  { "blocks_over_chains", m->blocks.over_chain } };
  int status = vrg_h5_put_text (file, "/", "format", FORMAT);
  if (status == VRG_OK)
    status = vrg_h5_put_text (file, "/", "fingerprint", fingerprint);
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0] && status == VRG_OK; i++)
    status = vrg_h5_put_int (file, "/", numbers[i].name, numbers[i].value);
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
          vrg_result *result = vrg_result_new (m, e, r, factor);
          if (grid->rank == 0)
            put_rows (result, couplings, exponents);
          status = put_result (result, file);
          vrg_result_free (result);
        }
    }
  return status == VRG_OK ? vrg_h5_put_provenance (file, NULL) : status;
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
  vrg_table *couplings = NULL, *exponents = NULL;
  if (grid->rank == 0)
    {
      couplings = vrg_table_new (directory, "couplings.tsv", "nn rule level operators operator value error", comment);
      exponents = vrg_table_new (directory, "exponents.tsv", "nn rule level sector operators y error exact", comment);
    }
  status = write_all (m, grid, samples, fingerprint, file, couplings, exponents);
  if (status == VRG_OK)
    status = vrg_h5_seal (file);
  int closed = vrg_h5_close (file);
  status = status == VRG_OK ? closed : status;
  if (grid->rank == 0 && status == VRG_OK)
    {
      status = vrg_table_close (couplings, NULL);
      couplings = NULL;
      if (status == VRG_OK)
        {
          status = vrg_table_close (exponents, NULL);
          exponents = NULL;
        }
    }
  vrg_table_discard (couplings);
  vrg_table_discard (exponents);
  status = vrg_agree (grid->world, status);
  if (status == VRG_OK)
    status = vrg_file_rename (grid->file, temporary, path);
  if (status != VRG_OK)
    vrg_file_remove (grid->file, temporary);
  return status;
}
