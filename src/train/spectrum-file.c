/* SPDX-License-Identifier: GPL-3.0-or-later
 * spectrum.h5: written under a temporary name, sealed, renamed. */
#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/param.h"
#include "base/progress.h"
#include "files/h5.h"
#include "train/spectrum.h"

#define FORMAT "vrg-spectrum"
#define FORMAT_VERSION 1
#define ARRAYS 6
#define WITHOUT_DATA 3 /* the first of them */
#define LAYERS 65536   /* more are not read */

/** The arrays of a layer as the file has them; shapes from the sizes in s. */
typedef struct
{
  char layer[32], names[ARRAYS][64];
  int n;
  vrg_h5_array arrays[ARRAYS];
  double **data[ARRAYS]; /* where s keeps them */
} description;

static void
describe (vrg_spectrum *s, int layer, description *d)
{
  const struct
  {
    const char *name, *help, *axes;
    int64_t dims[2];
    double **data;
  } all[ARRAYS] = {
    { "singular_values", "singular values of W, descending (1)", "value", { s->values }, &s->singular_values },
    { "visible_vectors",
      "leading singular vectors, visible side; 0 where the value is below 1e-4 of the largest (1)",
      "value visible",
      { s->leading, s->visible },
      &s->visible_vectors },
    { "hidden_vectors",
      "leading singular vectors, hidden side (1)",
      "value hidden",
      { s->leading, s->hidden },
      &s->hidden_vectors },
    { "principal_values",
      "eigenvalues of the covariance of the data, descending (1)",
      "component",
      { s->visible },
      &s->principal_values },
    { "principal_vectors",
      "leading eigenvectors of the covariance of the data (1)",
      "component visible",
      { s->components, s->visible },
      &s->principal_vectors },
    { "overlaps",
      "|cosine| of leading singular vectors and principal components (1)",
      "value component",
      { s->leading, s->components },
      &s->overlaps },
  };
  snprintf (d->layer, sizeof d->layer, "/layer-%d", layer + 1);
  d->n = s->samples > 0 ? ARRAYS : WITHOUT_DATA;
  for (int k = 0; k < d->n; k++)
    {
      snprintf (d->names[k], sizeof d->names[k], "%s/%s", d->layer, all[k].name);
      d->data[k] = all[k].data;
      d->arrays[k] = (vrg_h5_array){ .name = d->names[k],
                                     .help = all[k].help,
                                     .axes = all[k].axes,
                                     .type = VRG_F64,
                                     .rank = all[k].dims[1] > 0 ? 2 : 1,
                                     .dims = { all[k].dims[0], all[k].dims[1] },
                                     .replicated = true,
                                     .data = *all[k].data };
    }
}

#define NUMBERS 5
#define REALS 4

/** The attributes of a layer. */
typedef struct
{
  struct
  {
    const char *name;
    int64_t *value;
  } numbers[NUMBERS];
  struct
  {
    const char *name;
    double *value;
  } reals[REALS];
} attributes;

static attributes
attributes_of (vrg_spectrum *s)
{
  return (attributes){ { { "hidden", &s->hidden },
                         { "visible", &s->visible },
                         { "samples", &s->samples },
                         { "above_start", &s->above_start },
                         { "above", &s->above } },
                       { { "deviation_start", &s->deviation_start },
                         { "deviation", &s->deviation },
                         { "edge_start", &s->edge_start },
                         { "edge", &s->edge } } };
}

static int
put_layer (vrg_h5 *file, int layer, vrg_spectrum *s)
{
  description d;
  describe (s, layer, &d);
  const attributes list = attributes_of (s);
  int code = VRG_OK;
  for (int k = 0; k < NUMBERS && code == VRG_OK; k++)
    code = vrg_h5_put_int (file, d.layer, list.numbers[k].name, *list.numbers[k].value);
  for (int k = 0; k < REALS && code == VRG_OK; k++)
    code = vrg_h5_put_double (file, d.layer, list.reals[k].name, *list.reals[k].value);
  for (int k = 0; k < d.n && code == VRG_OK; k++)
    code = vrg_h5_put (file, &d.arrays[k]);
  return code;
}

static int
write_file (const vrg_grid *grid, const vrg_scalapack *scalapack, const char *path, const char *fingerprint, int layers,
            vrg_spectrum *const *spectra)
{
  char temporary[VRG_PATH_LENGTH + 32];
  snprintf (temporary, sizeof temporary, "%s.tmp", path);
  vrg_h5 *file;
  int code = vrg_h5_open (grid->file, temporary, VRG_H5_CREATE, &file);
  if (code != VRG_OK)
    return code;
  code = vrg_h5_put_head (file, FORMAT, FORMAT_VERSION, fingerprint);
  if (code == VRG_OK)
    code = vrg_h5_put_int (file, "/", "layers", layers);
  if (code == VRG_OK)
    code = vrg_h5_put_int (file, "/provenance", "process_rows", scalapack->rows);
  if (code == VRG_OK)
    code = vrg_h5_put_int (file, "/provenance", "process_columns", scalapack->columns);
  for (int k = 0; k < layers && code == VRG_OK; k++)
    code = put_layer (file, k, spectra[k]);
  return vrg_h5_commit (file, code, path);
}

static void
tell (int layer, const vrg_scalapack *scalapack, const vrg_spectrum *s, double seconds)
{
  char data[128] = "";
  if (s->samples > 0)
    snprintf (data, sizeof data, ", overlap with the data's first component %.3f", s->overlaps[0]);
  vrg_info ("spectrum: layer %d, %lld x %lld on %d x %d processes, %.1f s: largest singular value %.4g%s", layer + 1,
            (long long) s->hidden, (long long) s->visible, scalapack->rows, scalapack->columns, seconds,
            s->singular_values[0], data);
  vrg_info ("spectrum: layer %d, %lld of %lld values above the edge of the weights at the start, %.4g, and %lld above "
            "that of random ones as large as these, %.4g",
            layer + 1, (long long) s->above_start, (long long) s->values, s->edge_start, (long long) s->above, s->edge);
}

int
vrg_spectrum_write (const vrg_grid *grid, const char *directory, const char *fingerprint, int layers,
                    const vrg_spectrum_layer *layer)
{
  char path[VRG_PATH_LENGTH + 16];
  snprintf (path, sizeof path, "%s/spectrum.h5", directory);
  vrg_scalapack *scalapack = vrg_scalapack_new (grid->world);
  vrg_spectrum **spectra = vrg_new (layers, sizeof *spectra, "spectra");
  int code = VRG_OK;
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "singular values and principal components", "layers", layers);
  for (int k = 0; k < layers && code == VRG_OK; k++)
    {
      vrg_progress_update (&progress, k);
      const double begun = vrg_clock ();
      code = vrg_spectrum_compute (grid, scalapack, &layer[k], &spectra[k]);
      if (code == VRG_OK)
        tell (k, scalapack, spectra[k], vrg_clock () - begun);
    }
  vrg_progress_end (&progress, layers);
  if (code == VRG_OK)
    code = write_file (grid, scalapack, path, fingerprint, layers, spectra);
  for (int k = 0; k < layers; k++)
    vrg_spectrum_free (spectra[k]);
  vrg_free (spectra);
  vrg_scalapack_free (scalapack);
  return code;
}

/** Whether the datasets have the shapes that the attributes tell, before memory is taken for them.  Collective. */
static bool
fits (vrg_h5 *file, const description *d)
{
  for (int k = 0; k < d->n; k++)
    {
      const vrg_h5_array *array = &d->arrays[k];
      int64_t dims[VRG_H5_RANK] = { 0 };
      if (vrg_h5_shape (file, array->name, dims) != array->rank || dims[0] != array->dims[0]
          || dims[1] != array->dims[1])
        return false;
    }
  return true;
}

static int
get_layer (vrg_h5 *file, const char *path, int layer, vrg_spectrum *s)
{
  description d;
  snprintf (d.layer, sizeof d.layer, "/layer-%d", layer + 1);
  const attributes list = attributes_of (s);
  int code = VRG_OK;
  for (int k = 0; k < NUMBERS && code == VRG_OK; k++)
    code = vrg_h5_get_int (file, d.layer, list.numbers[k].name, list.numbers[k].value);
  for (int k = 0; k < REALS && code == VRG_OK; k++)
    code = vrg_h5_get_double (file, d.layer, list.reals[k].name, list.reals[k].value);
  if (code != VRG_OK)
    return code;
  vrg_spectrum_shape (s);
  describe (s, layer, &d);
  if (s->hidden < 1 || s->visible < 1 || !fits (file, &d))
    return vrg_error (VRG_FILE, "%s: %s is not of the shape it says: the file is damaged", path, d.layer);
  for (int k = 0; k < d.n && code == VRG_OK; k++)
    {
      const int64_t *dims = d.arrays[k].dims;
      d.arrays[k].data = *d.data[k] = vrg_new (dims[0] * (dims[1] > 0 ? dims[1] : 1), sizeof (double), d.names[k]);
      code = vrg_h5_read (file, &d.arrays[k]);
    }
  return code;
}

int
vrg_spectrum_read (MPI_Comm comm, const char *path, int *layers, vrg_spectrum ***result, char **fingerprint)
{
  *result = NULL;
  *layers = 0;
  char *text = NULL;
  int64_t count = 0;
  vrg_h5 *file;
  int code = vrg_h5_open (comm, path, VRG_H5_READ, &file);
  if (code != VRG_OK)
    return code;
  code = vrg_h5_get_head (file, FORMAT, FORMAT_VERSION, &text);
  if (code == VRG_OK)
    code = vrg_h5_verify (file);
  if (code == VRG_OK)
    code = vrg_h5_get_int (file, "/", "layers", &count);
  if (code == VRG_OK && (count < 1 || count > LAYERS))
    code = vrg_error (VRG_FILE, "%s: %lld layers: the file is damaged", path, (long long) count);
  vrg_spectrum **spectra = vrg_new (code == VRG_OK ? count : 0, sizeof *spectra, "spectra");
  for (int k = 0; k < count && code == VRG_OK; k++)
    {
      spectra[k] = vrg_new (1, sizeof *spectra[k], "a spectrum");
      code = get_layer (file, path, k, spectra[k]);
    }
  vrg_h5_close (file);
  if (code == VRG_OK)
    {
      *result = spectra;
      *layers = (int) count;
    }
  else if (spectra)
    {
      for (int k = 0; k < count; k++)
        vrg_spectrum_free (spectra[k]);
      vrg_free (spectra);
    }
  if (code == VRG_OK && fingerprint)
    *fingerprint = text;
  else
    vrg_free (text);
  return code;
}
