/* SPDX-License-Identifier: GPL-3.0-or-later
 * NAME.raw and NAME.xdmf.  Every lattice is described as cells in three dimensions, one layer of them for less: VTK's reader
 * turns flat 2DCoRectMesh out of the plane, has no cells on a grid without thickness, and fails on hyperslabs of HDF5
 * datasets (9.7.2). */
#include "files/xdmf.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/param.h"

/** Names: of the data, as given and as the .xdmf says it, and of what is written first. */
typedef struct
{
  char data[VRG_PATH_LENGTH], data_tmp[VRG_PATH_LENGTH], xdmf_tmp[VRG_PATH_LENGTH];
  const char *base;
} names;

static int
make_names (const char *path, names *n)
{
  const size_t length = strlen (path), ending = strlen (".xdmf");
  if (length <= ending || strcmp (path + length - ending, ".xdmf") != 0 || path[length - ending - 1] == '/')
    return vrg_error (VRG_USAGE, "--xdmf %.200s: not NAME.xdmf", path);
  if (length > VRG_PATH_LENGTH - 64)
    return vrg_error (VRG_USAGE, "--xdmf %.60s...: more than %d characters", path, VRG_PATH_LENGTH - 64);
  const int stem = (int) (length - ending);
  snprintf (n->data, sizeof n->data, "%.*s.raw", stem, path);
  snprintf (n->data_tmp, sizeof n->data_tmp, "%.*s.raw.tmp", stem, path);
  snprintf (n->xdmf_tmp, sizeof n->xdmf_tmp, "%.*s.xdmf.tmp", stem, path);
  const char *slash = strrchr (n->data, '/');
  n->base = slash != NULL ? slash + 1 : n->data;
  if (strpbrk (n->base, "<>&\"") != NULL)
    return vrg_error (VRG_USAGE, "--xdmf %.200s: choose a name without < > & and \"", path);
  return VRG_OK;
}

/** One configuration after the other, unpacked. */
static int
copy_spins (vrg_h5 *file, const vrg_h5_item *item, const vrg_export_lattice *l, const vrg_export_rows *rows, FILE *to)
{
  if (rows->count == 0)
    return VRG_OK;
  const int64_t n_rows = item->dims[1], n_words = item->dims[2];
  const size_t n_bytes = (size_t) (n_rows * l->columns);
  uint64_t *words = vrg_new (n_rows * n_words, 8, "a packed configuration");
  int8_t *bytes = vrg_new ((int64_t) n_bytes, 1, "a configuration");
  int code = VRG_OK;
  for (int64_t i = 0; i < rows->count && code == VRG_OK && !ferror (to); i++)
    {
      const vrg_h5_array packed = { .name = item->name,
                                    .type = VRG_U64,
                                    .rank = 3,
                                    .dims = { item->dims[0], n_rows, n_words },
                                    .first = { rows->first + i * rows->step },
                                    .count = { 1, n_rows, n_words },
                                    .data = words };
      code = vrg_h5_read (file, &packed);
      for (int64_t y = 0; y < n_rows && code == VRG_OK; y++)
        for (int64_t x = 0; x < l->columns; x++)
          bytes[y * l->columns + x] = (int8_t) vrg_export_spin (words + y * n_words, x);
      if (code == VRG_OK && fwrite (bytes, 1, n_bytes, to) != n_bytes)
        code = vrg_error (VRG_FILE, "spins cannot be written: %s", strerror (errno));
    }
  vrg_free (bytes);
  vrg_free (words);
  return code;
}

static int
write_data (vrg_h5 *file, const vrg_h5_item *item, const vrg_export_lattice *l, const vrg_export_rows *rows,
            const names *n)
{
  FILE *f = vrg_file_new_stream (n->data_tmp);
  if (f == NULL)
    return vrg_error (VRG_FILE, "%s: cannot be written: %s", n->data_tmp, strerror (errno));
  return vrg_file_finish (f, copy_spins (file, item, l, rows, f), n->data_tmp, n->data);
}

/** One time step: a uniform grid with its spins, a part of the data. */
static void
print_step (FILE *f, const long long side[3], long long sample, long long i, const char *data)
{
  fprintf (f, "      <Grid Name=\"sample %lld\" GridType=\"Uniform\">\n        <Time Value=\"%lld\"/>\n", sample,
           sample);
  fprintf (f, "        <Topology TopologyType=\"3DCoRectMesh\" Dimensions=\"%lld %lld %lld\"/>\n", side[0] + 1,
           side[1] + 1, side[2] + 1);
  fprintf (f, "        <Geometry GeometryType=\"ORIGIN_DXDYDZ\">\n");
  for (int k = 0; k < 2; k++)
    fprintf (f,
             "          <DataItem Dimensions=\"3\" NumberType=\"Float\" Precision=\"4\" Format=\"XML\">%d %d %d"
             "</DataItem>\n",
             k, k, k);
  fprintf (f,
           "        </Geometry>\n        <Attribute Name=\"spin\" AttributeType=\"Scalar\" Center=\"Cell\">\n"
           "          <DataItem Format=\"Binary\" NumberType=\"Char\" Precision=\"1\" Endian=\"Little\" Seek=\"%lld\" "
           "Dimensions=\"%lld %lld %lld\">%s</DataItem>\n        </Attribute>\n      </Grid>\n",
           i * side[0] * side[1] * side[2], side[0], side[1], side[2], data);
}

static int
write_xdmf (const vrg_h5_item *item, const vrg_export_lattice *l, const vrg_export_rows *rows, const names *n,
            const char *path)
{
  long long side[3] = { 1, 1, 1 };
  for (int d = 0; d < l->dimension; d++)
    side[3 - l->dimension + d] = (long long) l->size[d];
  FILE *f = vrg_file_new_stream (n->xdmf_tmp);
  if (f == NULL)
    return vrg_error (VRG_FILE, "%s: cannot be written: %s", n->xdmf_tmp, strerror (errno));
  fprintf (f,
           "<?xml version=\"1.0\"?>\n<Xdmf Version=\"2.0\">\n  <Domain>\n"
           "    <Information Name=\"vrg\" Value=\"%s\"/>\n    <Information Name=\"dataset\" Value=\"%s\"/>\n"
           "    <Grid Name=\"lattice\" GridType=\"Collection\" CollectionType=\"Temporal\">\n",
           vrg_version (), item->name);
  for (int64_t i = 0; i < rows->count && !ferror (f); i++)
    print_step (f, side, (long long) (rows->first + i * rows->step), (long long) i, n->base);
  fprintf (f, "    </Grid>\n  </Domain>\n</Xdmf>\n");
  return vrg_file_finish (f, VRG_OK, n->xdmf_tmp, path);
}

int
vrg_xdmf_write (vrg_h5 *file, const vrg_h5_item *item, const vrg_export_lattice *lattice, const vrg_export_rows *rows,
                const char *path)
{
  names n;
  int code = make_names (path, &n);
  if (code == VRG_OK)
    code = write_data (file, item, lattice, rows, &n);
  if (code == VRG_OK)
    code = write_xdmf (item, lattice, rows, &n, path);
  if (code == VRG_OK)
    vrg_info ("export: %s and %s: %lld configurations", path, n.data, (long long) rows->count);
  return code;
}
