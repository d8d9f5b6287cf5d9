/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reading flow.h5 back. */
#include "flow/finished.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/h5.h"
#include "flow/output.h"

static const char *const sector_names[VRG_SECTORS] = { "even", "odd" };

/** Why there is no flow.h5, in words.  Collective. */
static int
missing (const vrg_grid *grid, const char *directory)
{
  static const char *const signs[] = { "checkpoint-flow.0.h5", "checkpoint-flow.1.h5", "flow.h5.tmp",
                                       "samples.h5",           "samples.h5.part",      "checkpoint-sample.0.h5" };
  char path[VRG_PATH_LENGTH + 32];
  for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++)
    {
      snprintf (path, sizeof path, "%s/%s", directory, signs[i]);
      if (vrg_file_exists (grid->world, path))
        return vrg_error (VRG_FILE, "%s: the flow is not finished (there is %s, but no flow.h5): run `vrg flow` first",
                          directory, signs[i]);
    }
  return vrg_error (VRG_FILE, "%s/flow.h5 is missing: not the directory of a run with a flow", directory);
}

/** The input that the fingerprint tells of: its lines are settings. */
static int
parse (vrg_finished *run)
{
  int64_t length = (int64_t) strlen (run->fingerprint) + 1, n = 0;
  char *text = vrg_new (length, 1, "the input's text"), *rest;
  const char **set = vrg_new (length, sizeof *set, "the input's lines");
  memcpy (text, run->fingerprint, (size_t) length);
  for (char *line = strtok_r (text, "\n", &rest); line != NULL; line = strtok_r (NULL, "\n", &rest))
    set[n++] = line;
  int status = vrg_param_parse ("", "", (int) n, set, &run->input);
  vrg_free (set);
  vrg_free (text);
  if (status != VRG_OK)
    return vrg_error (VRG_FILE, "%s/flow.h5: its parameters make no input: %s", run->directory, vrg_error_text ());
  return VRG_OK;
}

/** A dataset into new memory, which is taken when the file is known to have as much. */
static int
read_new (vrg_h5 *file, const vrg_finished *run, vrg_h5_array *array, double **value)
{
  int64_t dims[VRG_H5_RANK] = { 0 }, n = 1;
  if (vrg_h5_shape (file, array->name, dims) != array->rank || memcmp (dims, array->dims, sizeof dims) != 0)
    return vrg_error (VRG_FILE, "%s/flow.h5: dataset %s is missing, or not of the shape that its parameters say",
                      run->directory, array->name);
  for (int d = 0; d < array->rank; d++)
    n *= dims[d];
  array->data = *value = vrg_new (n, sizeof **value, array->name);
  return vrg_h5_read (file, array);
}

/** One quantity and its leave-one-out values. */
static int
read_quantity (vrg_h5 *file, const vrg_finished *run, const char *group, const char *name, int64_t n, double **value,
               double **rest)
{
  char path[192];
  vrg_h5_array array = { .name = path, .type = VRG_F64, .rank = 2, .dims = { run->levels, n }, .replicated = true };
  snprintf (path, sizeof path, "%s/%s", group, name);
  int status = read_new (file, run, &array, value);
  if (status != VRG_OK)
    return status;
  snprintf (path, sizeof path, "%s/%s_leave_one_out", group, name);
  array.rank = 3;
  array.dims[1] = run->blocks;
  array.dims[2] = n;
  return read_new (file, run, &array, rest);
}

static int
read_sector (vrg_h5 *file, const vrg_finished *run, const char *group, bool even, vrg_finished_sector *s)
{
  int status = read_quantity (file, run, group, "mean", s->n, &s->mean, &s->mean_rest);
  if (status == VRG_OK)
    status = read_quantity (file, run, group, "y", s->n, &s->y, &s->y_rest);
  if (status == VRG_OK && even)
    status = read_quantity (file, run, group, "mean_derivative", s->n, &s->slope, &s->slope_rest);
  return status;
}

static int
read_ensemble (vrg_h5 *file, vrg_finished *run, int ensemble)
{
  const vrg_input *in = &run->input;
  char group[128];
  snprintf (group, sizeof group, "/ensemble-%03d", ensemble);
  int status = vrg_h5_get_double (file, group, "error_factor", &run->factor[ensemble]);
  for (int r = 0; r < in->n_rules; r++)
    for (int s = 0; s < VRG_SECTORS && status == VRG_OK; s++)
      {
        vrg_finished_sector *sector = &run->sector[ensemble * in->n_rules + r][s];
        sector->n = s == VRG_EVEN ? in->n_even : in->n_odd;
        snprintf (group, sizeof group, "/ensemble-%03d/%s/%s", ensemble, vrg_param_rule_names[in->rules[r]],
                  sector_names[s]);
        if (sector->n > 0)
          status = read_sector (file, run, group, s == VRG_EVEN, sector);
      }
  return status;
}

int
vrg_finished_read (const vrg_grid *grid, const char *directory, vrg_finished *run)
{
  char path[VRG_PATH_LENGTH + 16];
  vrg_h5 *file = NULL;
  int64_t levels = 0, blocks = 0;
  memset (run, 0, sizeof *run);
  run->directory = directory;
  if (strlen (directory) >= VRG_PATH_LENGTH - 64)
    return vrg_error (VRG_USAGE, "%.60s...: a directory of more than %d characters", directory, VRG_PATH_LENGTH - 64);
  snprintf (path, sizeof path, "%s/flow.h5", directory);
  if (!vrg_file_exists (grid->world, path))
    return missing (grid, directory);
  int status = vrg_h5_open (grid->file, path, VRG_H5_READ, &file);
  if (status == VRG_OK)
    status = vrg_h5_get_head (file, VRG_FLOW_FORMAT, VRG_FLOW_FORMAT_VERSION, &run->fingerprint);
  if (status == VRG_OK)
    status = vrg_h5_verify (file);
  if (status == VRG_OK)
    status = parse (run);
  if (status == VRG_OK)
    status = vrg_h5_get_int (file, "/", "levels", &levels);
  if (status == VRG_OK)
    status = vrg_h5_get_int (file, "/", "blocks", &blocks);
  if (status == VRG_OK && (levels < 0 || levels > 62 || blocks < 1 || blocks > INT32_MAX))
    status = vrg_error (VRG_FILE, "%s: %lld levels and %lld blocks are impossible: the file is damaged", path,
                        (long long) levels, (long long) blocks);
  if (status == VRG_OK)
    {
      const vrg_input *in = &run->input;
      run->levels = (int) levels + 1;
      run->blocks = (int) blocks;
      run->factor = vrg_new (in->n_nn, sizeof *run->factor, "results of a run");
      run->sector = vrg_new (in->n_nn * in->n_rules, sizeof *run->sector, "results of a run");
    }
  for (int e = 0; status == VRG_OK && e < run->input.n_nn; e++)
    status = read_ensemble (file, run, e);
  vrg_h5_close (file);
  return status;
}

void
vrg_finished_clear (vrg_finished *run)
{
  for (int i = 0; run->sector != NULL && i < run->input.n_nn * run->input.n_rules; i++)
    for (int s = 0; s < VRG_SECTORS; s++)
      {
        vrg_finished_sector *sector = &run->sector[i][s];
        double *const arrays[]
          = { sector->mean, sector->mean_rest, sector->slope, sector->slope_rest, sector->y, sector->y_rest };
        for (size_t k = 0; k < sizeof arrays / sizeof arrays[0]; k++)
          vrg_free (arrays[k]);
      }
  vrg_free (run->sector);
  vrg_free (run->factor);
  vrg_free (run->fingerprint);
  memset (run, 0, sizeof *run);
}

int64_t
vrg_finished_side (const vrg_finished *run, int level)
{
  int64_t side = run->input.size[0];
  for (int d = 1; d < run->input.dimension; d++)
    if (run->input.size[d] < side)
      side = run->input.size[d];
  for (int i = 0; i < level; i++)
    side /= run->input.scale;
  return side;
}
