/* SPDX-License-Identifier: GPL-3.0-or-later
 * learnt.h5, read for the report. */
#include "report/learnt.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/h5.h"

#define FORMAT "vrg-learnt"
#define FORMAT_VERSION 1
#define MOST (INT64_C (1) << 24) /* numbers in the fields of a layer */
#define PICTURES 1024

static int
damaged (const char *path, const char *what)
{
  return vrg_error (VRG_FILE, "%s: %s is not of the shape it should have: the file is damaged", path, what);
}

/** A whole array of known shape, every rank all of it; trailing dims 0: fewer axes.  Collective. */
static int
get (vrg_h5 *file, const char *path, const char *name, vrg_h5_type type, const int64_t dims[3], void *data)
{
  vrg_h5_array array = { .name = name, .type = type, .rank = 1, .dims = { dims[0] }, .replicated = true, .data = data };
  for (; array.rank < 3 && dims[array.rank] > 0; array.rank++)
    array.dims[array.rank] = dims[array.rank];
  int64_t found[VRG_H5_RANK] = { 0 };
  if (vrg_h5_shape (file, name, found) != array.rank || memcmp (found, array.dims, sizeof found) != 0)
    return damaged (path, name);
  return vrg_h5_read (file, &array);
}

static int64_t
wrap (double x, int64_t length)
{
  const double rest = x - floor (x / (double) length) * (double) length;
  return isfinite (rest) && rest < (double) length ? (int64_t) rest : 0;
}

/** The units to be drawn, those with larger fields first.  Local. */
static void
choose (vrg_report_fields *f, const double *norm, const uint8_t *live)
{
  const int64_t room = MOST / (f->rows * f->columns), most = room < VRG_REPORT_FIELDS ? room : VRG_REPORT_FIELDS;
  for (int64_t j = 0; j < f->units; j++)
    {
      f->live += live[j] != 0;
      if (!live[j] || !isfinite (norm[j]))
        continue;
      int place = f->shown;
      while (place > 0 && norm[f->unit[place - 1]] < norm[j])
        place--;
      if (place >= most)
        continue;
      f->shown += f->shown < most;
      for (int i = f->shown - 1; i > place; i--)
        f->unit[i] = f->unit[i - 1];
      f->unit[place] = j;
    }
}

static int
get_maps (vrg_h5 *file, const char *name, vrg_report_fields *f)
{
  int code = VRG_OK;
  f->map = vrg_new (f->shown * f->rows * f->columns, sizeof *f->map, "receptive fields");
  for (int i = 0; i < f->shown && code == VRG_OK; i++)
    {
      const vrg_h5_array array = { .name = name,
                                   .type = VRG_F64,
                                   .rank = 3,
                                   .dims = { f->units, f->rows, f->columns },
                                   .first = { f->unit[i] },
                                   .count = { 1, f->rows, f->columns },
                                   .data = f->map + i * f->rows * f->columns };
      code = vrg_h5_read (file, &array);
    }
  return code;
}

/** Collective. */
static int
get_fields (vrg_h5 *file, const char *path, int layer, vrg_report_learnt *l)
{
  vrg_report_fields *f = &l->fields[layer];
  char group[32], name[64];
  int64_t dims[VRG_H5_RANK] = { 0 }, origin[2] = { 0 }, lattice[2] = { 0 };
  const struct
  {
    const char *name;
    int64_t *value;
  } places[] = { { "origin_row", &origin[0] },
                 { "origin_column", &origin[1] },
                 { "lattice_rows", &lattice[0] },
                 { "lattice_columns", &lattice[1] } };
  snprintf (group, sizeof group, "/layer-%d", layer + 1);
  int code = VRG_OK;
  for (int i = 0; i < 4 && code == VRG_OK; i++)
    code = vrg_h5_get_int (file, group, places[i].name, places[i].value);
  if (code != VRG_OK)
    return code;
  if (layer == 0)
    {
      l->rows = lattice[0];
      l->columns = lattice[1];
      l->words = (l->columns + 63) / 64;
    }
  snprintf (name, sizeof name, "%s/effective_fields", group);
  if (vrg_h5_shape (file, name, dims) != 3 || dims[0] < 1 || dims[1] < 1 || dims[2] < 1 || dims[1] > INT32_MAX
      || dims[2] > INT32_MAX || lattice[0] < 1 || lattice[1] < 1 || lattice[0] != l->rows || lattice[1] != l->columns)
    return damaged (path, name);
  f->units = dims[0];
  f->rows = dims[1];
  f->columns = dims[2];
  double *norm = vrg_new (3 * f->units, sizeof *norm, "receptive fields"), *centre = norm + f->units;
  uint8_t *live = vrg_new (f->units, sizeof *live, "receptive fields");
  snprintf (name, sizeof name, "%s/norm", group);
  code = get (file, path, name, VRG_F64, (const int64_t[3]){ f->units }, norm);
  snprintf (name, sizeof name, "%s/live", group);
  if (code == VRG_OK)
    code = get (file, path, name, VRG_U8, (const int64_t[3]){ f->units }, live);
  snprintf (name, sizeof name, "%s/centre", group);
  if (code == VRG_OK)
    code = get (file, path, name, VRG_F64, (const int64_t[3]){ f->units, 2 }, centre);
  if (code == VRG_OK)
    {
      choose (f, norm, live);
      for (int i = 0; i < f->shown; i++)
        for (int axis = 0; axis < 2; axis++)
          f->centre[i][axis]
            = wrap (floor (centre[2 * f->unit[i] + axis] + 0.5) - (double) origin[axis], lattice[axis]);
      snprintf (name, sizeof name, "%s/effective_fields", group);
      code = get_maps (file, name, f);
    }
  vrg_free (norm);
  vrg_free (live);
  return code;
}

/** Configurations NAME, as many as the first such dataset has.  Collective. */
static int
get_pictures (vrg_h5 *file, const char *path, const char *name, const vrg_report_learnt *l, int64_t *n,
              uint64_t **spins)
{
  int64_t dims[VRG_H5_RANK] = { 0 };
  if (vrg_h5_shape (file, name, dims) != 3 || dims[0] < 0 || dims[0] > PICTURES || (*n >= 0 && dims[0] != *n)
      || dims[1] != l->rows || dims[2] != l->words)
    return damaged (path, name);
  *n = dims[0];
  *spins = vrg_new (*n * l->rows * l->words, sizeof **spins, "configurations");
  return *n > 0 ? get (file, path, name, VRG_U64, dims, *spins) : VRG_OK;
}

/** Collective. */
static int
get_all (vrg_h5 *file, const char *path, const char *fingerprint, vrg_report_learnt *l)
{
  char *text = NULL, difference[256] = "", name[64];
  int64_t layers = 0;
  int code = vrg_h5_get_head (file, FORMAT, FORMAT_VERSION, &text);
  if (code != VRG_OK)
    return code;
  if (fingerprint != NULL)
    vrg_param_difference (text, fingerprint, difference, sizeof difference);
  vrg_free (text);
  if (*difference)
    return vrg_error (VRG_FILE, "%s is not of the model.h5 here: %s", path, difference);
  code = vrg_h5_verify (file);
  if (code == VRG_OK)
    code = vrg_h5_get_int (file, "/", "layers", &layers);
  if (code == VRG_OK && (layers < 1 || layers > VRG_MAX_LAYERS))
    code = vrg_error (VRG_FILE, "%s: %lld layers: the file is damaged", path, (long long) layers);
  if (code != VRG_OK)
    return code;
  l->layers = (int) layers;
  l->rebuilds = l->samples = -1;
  for (int k = 0; k < l->layers && code == VRG_OK; k++)
    code = get_fields (file, path, k, l);
  if (code == VRG_OK)
    code = get_pictures (file, path, "/reconstructions/data", l, &l->rebuilds, &l->original);
  for (int k = 0; k < l->layers && code == VRG_OK; k++)
    {
      snprintf (name, sizeof name, "/reconstructions/depth-%d", k + 1);
      code = get_pictures (file, path, name, l, &l->rebuilds, &l->rebuild[k]);
      snprintf (name, sizeof name, "/samples/depth-%d", k + 1);
      if (code == VRG_OK)
        code = get_pictures (file, path, name, l, &l->samples, &l->drawn[k]);
    }
  return code;
}

int
vrg_report_learnt_read (const vrg_grid *grid, const char *path, const char *fingerprint, vrg_report_learnt **result)
{
  vrg_h5 *file;
  *result = NULL;
  int code = vrg_h5_open (grid->file, path, VRG_H5_READ, &file);
  if (code != VRG_OK)
    return code;
  vrg_report_learnt *l = vrg_new (1, sizeof *l, "what was learnt");
  code = get_all (file, path, fingerprint, l);
  vrg_h5_close (file);
  if (code == VRG_OK)
    *result = l;
  else
    vrg_report_learnt_free (l);
  return code;
}

void
vrg_report_learnt_free (vrg_report_learnt *l)
{
  if (l == NULL)
    return;
  for (int k = 0; k < VRG_MAX_LAYERS; k++)
    {
      vrg_free (l->fields[k].map);
      vrg_free (l->rebuild[k]);
      vrg_free (l->drawn[k]);
    }
  vrg_free (l->original);
  vrg_free (l);
}
