/* SPDX-License-Identifier: GPL-3.0-or-later
 * Datasets as text: a line for each value of all indices but the last, whose values stand side by side. */
#include "files/export.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/param.h"
#include "base/terminal.h"
#include "files/xdmf.h"
#include "parallel/grid.h"

#define PIECE (INT64_C (4) << 20) /* bytes read at a time */
#define AXIS 64

/** A dataset on its way to text. */
typedef struct
{
  vrg_h5 *file;
  const vrg_h5_item *item;
  vrg_export_rows rows;
  const vrg_export_lattice *lattice; /* NULL: numbers as they are */
  int axis;                          /* that is read in pieces; one index of those before it at a time */
  int64_t inner;                     /* bytes behind an index of it */
  void *data;
} walk;

/* --- attributes --- */

/** A text on one line, without what would steer a terminal. */
static void
print_text (char *text)
{
  vrg_plain_text (text, "\n\t");
  for (const char *c = text; *c != '\0'; c++)
    if (*c == '\n')
      fputs (c[1] != '\0' ? "; " : "", stdout);
    else
      putchar (*c == '\t' ? ' ' : *c);
}

/** Print an attribute: "# OBJECT: NAME = VALUE", or "NAME<tab>VALUE" for object NULL. */
static herr_t
print_attribute (hid_t id, const char *name, const H5A_info_t *info, void *object)
{
  (void) info;
  hid_t attribute = H5Aopen (id, name, H5P_DEFAULT), type = attribute >= 0 ? H5Aget_type (attribute) : -1;
  hid_t space = attribute >= 0 ? H5Aget_space (attribute) : -1;
  const int64_t size = type >= 0 ? (int64_t) H5Tget_size (type) : 0;
  const H5T_class_t class = type >= 0 ? H5Tget_class (type) : H5T_NO_CLASS;
  herr_t result = -1;
  if (size > 0 && size <= 65536 && H5Tis_variable_str (type) <= 0 && space >= 0
      && H5Sget_simple_extent_npoints (space) == 1
      && (class == H5T_STRING || ((class == H5T_INTEGER || class == H5T_FLOAT) && size == 8)))
    {
      char *value = vrg_new (size + 1, 1, "value of an attribute");
      result = H5Aread (attribute, type, value) < 0 ? -1 : 0;
      if (object != NULL)
        printf ("# %s: %s = ", (const char *) object, name);
      else
        printf ("%s\t", name);
      int64_t whole;
      double real;
      memcpy (&whole, value, class == H5T_STRING ? 0 : 8);
      memcpy (&real, value, class == H5T_STRING ? 0 : 8);
      if (class == H5T_INTEGER)
        printf ("%lld", (long long) whole);
      else if (class == H5T_FLOAT)
        printf ("%.17g", real);
      else
        print_text (value);
      putchar ('\n');
      vrg_free (value);
    }
  vrg_h5_close_id (space);
  vrg_h5_close_id (type);
  vrg_h5_close_id (attribute);
  return result;
}

static int
print_attributes (vrg_h5 *file, const char *object, bool comment)
{
  hid_t id = H5Oopen (file->id, object, H5P_DEFAULT);
  hsize_t from = 0;
  const bool good
    = id >= 0
      && H5Aiterate2 (id, H5_INDEX_NAME, H5_ITER_INC, &from, print_attribute, comment ? (void *) (size_t) object : NULL)
           >= 0;
  if (id >= 0)
    H5Idec_ref (id);
  return vrg_h5_agree (file, good, "%s has damaged attributes", object);
}

/* --- what to export --- */

/** `vrg export FILE`: a table of all there is. */
static int
print_list (vrg_h5 *file, const vrg_h5_content *content)
{
  printf ("# vrg %s: %s\nobject\ttype\tshape\tdimensions\tdescription\n", vrg_version (), file->path);
  for (int64_t i = 0; i < content->n; i++)
    {
      const vrg_h5_item *item = &content->items[i];
      char *text[2] = { NULL, NULL };
      printf ("%s\t%s\t", item->name, item->rank > 0 ? vrg_h5_type_name (item->type) : "group");
      for (int d = 0; d < item->rank; d++)
        printf ("%s%lld", d > 0 ? "x" : "", (long long) item->dims[d]);
      for (int k = 0; k < 2 && item->rank > 0; k++)
        if (vrg_h5_get_text (file, item->name, k == 0 ? "dimensions" : "description", &text[k]) != VRG_OK)
          text[k] = NULL;
      for (int k = 0; k < 2; k++)
        {
          putchar ('\t');
          if (text[k] != NULL)
            print_text (text[k]);
          vrg_free (text[k]);
        }
      putchar ('\n');
    }
  return VRG_OK;
}

/** The object of this name, with or without its first slash; checksums too.  NULL: an error with a suggestion. */
static const vrg_h5_item *
find (vrg_h5 *file, const vrg_h5_content *content, const char *word, vrg_h5_item *other)
{
  const char *slash = *word == '/' ? "" : "/", *near = NULL;
  snprintf (other->name, sizeof other->name, "%s%s", slash, word);
  for (size_t n = strlen (other->name); n > 1 && other->name[n - 1] == '/'; n--)
    other->name[n - 1] = '\0';
  for (int64_t i = 0; i < content->n; i++)
    if (!strcmp (content->items[i].name, other->name))
      return &content->items[i];
  if (!strcmp (other->name, "/provenance"))
    return other;
  if ((!strncmp (other->name, "/checksums/", 11) || !strcmp (other->name, "/seal"))
      && vrg_h5_shape (file, other->name, other->dims) == 1)
    {
      other->rank = 1;
      other->type = VRG_U64;
      return other;
    }
  const char **names = vrg_new (content->n + 1, sizeof *names, "names");
  for (int64_t i = 0; i < content->n; i++)
    {
      names[i] = content->items[i].name;
      const char *last = strrchr (names[i], '/');
      if (near == NULL && last != NULL && last[1] != '\0' && !strcmp (last, strrchr (other->name, '/')))
        near = names[i];
    }
  if (near == NULL)
    near = vrg_param_nearest (other->name, names);
  vrg_free (names);
  if (near != NULL)
    vrg_error (VRG_USAGE, "%s: no dataset %.60s (did you mean %s?)", file->path, word, near);
  else
    vrg_error (VRG_USAGE, "%s: no dataset %.60s; `vrg export %s` lists them", file->path, word, file->path);
  return NULL;
}

/** A whole number at *text, or `missing` where there is none; negative ones count from n. */
static bool
read_index (const char **text, int64_t n, int64_t missing, int64_t *value)
{
  char *end;
  if (**text == ':' || **text == '\0')
    {
      *value = missing;
      return true;
    }
  if (strchr ("+-0123456789", **text) == NULL)
    return false;
  errno = 0;
  *value = strtoll (*text, &end, 10);
  const bool good = end != *text && errno == 0;
  *text = end;
  if (*value < 0 && *value >= -n)
    *value += n;
  return good;
}

/** --rows of a dataset with n of them. */
static int
read_rows (const char *text, const char *name, int64_t n, vrg_export_rows *rows)
{
  *rows = (vrg_export_rows){ 0, n, 1 };
  if (text == NULL)
    return VRG_OK;
  const char *p = text;
  int64_t end = 0;
  bool good = *p != '\0' && read_index (&p, n, 0, &rows->first);
  if (good && *p == ':')
    {
      p++;
      good = read_index (&p, n, n, &end);
      if (good && *p == ':')
        {
          p++;
          good = read_index (&p, 0, 1, &rows->step);
        }
    }
  else
    end = rows->first < n ? rows->first + 1 : 0;
  if (!good || *p != '\0' || rows->step < 1)
    return vrg_error (VRG_USAGE, "--rows %.40s: not A:B or A:B:STEP", text);
  if (rows->first < 0 || end > n || rows->first >= end)
    return vrg_error (VRG_USAGE, "--rows %.40s: no rows of %s, which has 0:%lld", text, name, (long long) n);
  rows->count = (end - rows->first - 1) / rows->step + 1;
  return VRG_OK;
}

/** Whether a dataset is packed spins, and of which lattice: 1, 0, or -1 where shape and attributes do not fit. */
static int
read_lattice (vrg_h5 *file, const vrg_h5_item *item, vrg_export_lattice *lattice)
{
  static const char *const sides[] = { "size_0", "size_1", "size_2" };
  char *format = NULL;
  *lattice = (vrg_export_lattice){ 2, { 1, 1, 1 }, 0 };
  if (item->type != VRG_U64 || item->rank != 3 || vrg_h5_get_text (file, "/", "format", &format) != VRG_OK)
    return 0;
  const bool samples = !strcmp (format, "vrg-samples"), learnt = !strcmp (format, "vrg-learnt");
  vrg_free (format);
  if (!samples && !learnt)
    return 0;
  bool good = true;
  if (samples)
    {
      good = vrg_h5_get_int (file, "/", "dimension", &lattice->dimension) == VRG_OK && lattice->dimension >= 1
             && lattice->dimension <= 3;
      for (int d = 0; d < 3 && good && d < lattice->dimension; d++)
        good = vrg_h5_get_int (file, "/", sides[d], &lattice->size[d]) == VRG_OK;
    }
  else
    {
      good = vrg_h5_get_int (file, "/layer-1", "lattice_rows", &lattice->size[0]) == VRG_OK
             && vrg_h5_get_int (file, "/layer-1", "lattice_columns", &lattice->size[1]) == VRG_OK;
      if (good && lattice->size[0] == 1)
        *lattice = (vrg_export_lattice){ 1, { lattice->size[1], 1, 1 }, 0 };
    }
  if (!good)
    return -1;
  lattice->columns = lattice->size[lattice->dimension - 1];
  int64_t rows = 1;
  for (int d = 0; d < lattice->dimension; d++)
    if (lattice->size[d] < 1 || lattice->size[d] > INT64_C (1) << 40)
      return -1;
  for (int d = 0; d + 1 < lattice->dimension; d++)
    if (__builtin_mul_overflow (rows, lattice->size[d], &rows))
      return -1;
  return rows == item->dims[1] && (lattice->columns + 63) / 64 == item->dims[2] ? 1 : -1;
}

/* --- text --- */

/** The shortest of 15 to 17 digits that reads back as the same number. */
static void
print_double (double x)
{
  char text[40];
  for (int digits = 15; digits <= 17; digits++)
    {
      snprintf (text, sizeof text, "%.*g", digits, x);
      if (strtod (text, NULL) == x)
        break;
    }
  fputs (x != x ? "nan" : text, stdout);
}

static void
print_value (vrg_h5_type type, const void *data, int64_t i)
{
  switch (type)
    {
    case VRG_U8:
      printf ("%d", ((const uint8_t *) data)[i]);
      break;
    case VRG_I32:
      printf ("%ld", (long) ((const int32_t *) data)[i]);
      break;
    case VRG_U32:
      printf ("%lu", (unsigned long) ((const uint32_t *) data)[i]);
      break;
    case VRG_I64:
      printf ("%lld", (long long) ((const int64_t *) data)[i]);
      break;
    case VRG_U64:
      printf ("%llu", (unsigned long long) ((const uint64_t *) data)[i]);
      break;
    case VRG_F64:
      print_double (((const double *) data)[i]);
      break;
    }
}

/** The spins of word w of a row. */
static void
print_word (const walk *w, uint64_t word, int64_t index)
{
  const int64_t left = w->lattice->columns - 64 * index, n = left < 64 ? left : 64;
  for (int64_t x = 0; x < n; x++)
    {
      if (index > 0 || x > 0)
        putchar ('\t');
      fputs (vrg_export_spin (&word, x) > 0 ? "1" : "-1", stdout);
    }
}

/** The elements of a slab in memory, in order. */
static void
print_slab (const walk *w, const int64_t *first, const int64_t *count)
{
  const int rank = w->item->rank, last = rank - 1;
  int64_t n = 1, at[VRG_H5_RANK] = { 0 };
  for (int d = 0; d < rank; d++)
    n *= count[d];
  for (int64_t i = 0; i < n; i++)
    {
      const int64_t column = first[last] + at[last];
      if (rank == 1 || column == 0)
        for (int d = 0; d < (rank == 1 ? 1 : last); d++)
          {
            const int64_t index = first[d] + at[d];
            if (w->lattice != NULL && w->lattice->dimension == 3 && d == 1)
              printf ("%lld\t%lld\t", (long long) (index / w->lattice->size[1]),
                      (long long) (index % w->lattice->size[1]));
            else
              printf ("%lld\t", (long long) index);
          }
      else if (w->lattice == NULL)
        putchar ('\t');
      if (w->lattice != NULL)
        print_word (w, ((const uint64_t *) w->data)[i], column);
      else
        print_value (w->item->type, w->data, i);
      if (rank == 1 || column == w->item->dims[last] - 1)
        putchar ('\n');
      for (int d = last; d >= 0 && ++at[d] == count[d]; d--)
        at[d] = 0;
    }
}

/** Read and print `count` indices of the axis of pieces, those before it being chosen. */
static int
print_piece (walk *w, const int64_t *chosen, int64_t count)
{
  vrg_h5_array array = { .name = w->item->name, .type = w->item->type, .rank = w->item->rank, .data = w->data };
  for (int d = 0; d < w->item->rank; d++)
    {
      array.dims[d] = w->item->dims[d];
      array.first[d] = d > w->axis ? 0 : chosen[d];
      array.count[d] = d > w->axis ? w->item->dims[d] : d == w->axis ? count : 1;
    }
  const int code = vrg_h5_read (w->file, &array);
  if (code == VRG_OK)
    print_slab (w, array.first, array.count);
  return code;
}

/** All rows, piece by piece. */
static int
print_rows (walk *w)
{
  const int64_t *dims = w->item->dims;
  int64_t outer = 1, chosen[VRG_H5_RANK] = { 0 };
  for (int d = 0; d < w->axis; d++)
    outer *= d == 0 ? w->rows.count : dims[d];
  const int64_t n = w->axis == 0 ? w->rows.count : dims[w->axis], step = w->axis == 0 ? w->rows.step : 1;
  const int64_t most = step > 1 ? 1 : PIECE / w->inner;
  int code = VRG_OK;
  for (int64_t o = 0; o < outer && code == VRG_OK; o++)
    {
      int64_t rest = o;
      for (int d = w->axis - 1; d > 0; rest /= dims[d--])
        chosen[d] = rest % dims[d];
      chosen[0] = w->rows.first + rest * w->rows.step;
      for (int64_t i = 0; i < n && code == VRG_OK; i += most)
        {
          chosen[w->axis] = (w->axis == 0 ? w->rows.first : 0) + i * step;
          code = print_piece (w, chosen, n - i < most ? n - i : most);
        }
    }
  return code;
}

/** The line of column names. */
static void
print_names (const walk *w, char *dimensions)
{
  const vrg_h5_item *item = w->item;
  char axis[VRG_H5_RANK][AXIS], *save = NULL;
  for (int d = 0; d < item->rank; d++)
    {
      const char *word = dimensions != NULL ? strtok_r (d == 0 ? dimensions : NULL, " ", &save) : NULL;
      if (word != NULL)
        snprintf (axis[d], AXIS, "%.60s", word);
      else
        snprintf (axis[d], AXIS, "index_%d", d);
    }
  const int last = item->rank - 1;
  if (item->rank == 1)
    {
      printf ("%s\t%s\n", axis[0], strrchr (item->name, '/') + 1);
      return;
    }
  for (int d = 0; d < last; d++)
    printf ("%s%s\t", w->lattice != NULL && w->lattice->dimension == 3 && d == 1 ? "plane\t" : "", axis[d]);
  const int64_t n = w->lattice != NULL ? w->lattice->columns : item->dims[last];
  for (int64_t i = 0; i < n; i++)
    printf ("%s_%lld%c", w->lattice != NULL ? "column" : axis[last], (long long) i, i + 1 < n ? '\t' : '\n');
}

static int
print_dataset (vrg_h5 *file, const vrg_h5_item *item, const vrg_export_lattice *lattice, const vrg_export_rows *rows)
{
  walk w = { .file = file, .item = item, .rows = *rows, .lattice = lattice };
  char group[sizeof item->name], shape[128], *dimensions = NULL;
  int code = VRG_OK;
  vrg_h5_shape_text (item->type, item->rank, item->dims, shape);
  printf ("# vrg %s: %s\n# %s: %s\n", vrg_version (), file->path, item->name, shape);
  snprintf (group, sizeof group, "%s", item->name);
  for (char *slash; code == VRG_OK && *group != '\0'; *slash = '\0') /* it and the groups that it is in */
    {
      code = print_attributes (file, group, true);
      slash = strrchr (group, '/');
    }
  if (vrg_h5_get_text (file, item->name, "dimensions", &dimensions) != VRG_OK)
    dimensions = NULL;
  print_names (&w, dimensions);
  vrg_free (dimensions);
  for (int d = 0; d < item->rank; d++)
    if (item->dims[d] == 0)
      return code;
  w.axis = item->rank - 1;
  w.inner = vrg_h5_type_size (item->type);
  while (w.axis > 0 && w.inner <= PIECE / item->dims[w.axis])
    w.inner *= item->dims[w.axis--];
  w.data = vrg_new (PIECE, 1, "rows to print");
  if (code == VRG_OK)
    code = print_rows (&w);
  vrg_free (w.data);
  return code;
}

/* --- the command, on rank 0 --- */

static int
export_object (vrg_h5 *file, const vrg_h5_content *content, const vrg_export *what)
{
  vrg_h5_item other = { 0 };
  vrg_export_lattice lattice;
  vrg_export_rows rows;
  const vrg_h5_item *item = find (file, content, what->object, &other);
  if (item == NULL)
    return VRG_USAGE;
  if (item->rank == 0 && (what->rows != NULL || what->xdmf != NULL))
    return vrg_error (VRG_USAGE, "%s is a group, not a dataset: no %s of it", item->name,
                      what->rows != NULL ? "--rows" : "--xdmf");
  if (item->rank == 0)
    {
      printf ("# vrg %s: %s %s\nattribute\tvalue\n", vrg_version (), file->path, item->name);
      return print_attributes (file, item->name, false);
    }
  const int packed = read_lattice (file, item, &lattice);
  if (packed < 0)
    return vrg_error (VRG_FILE, "%s: the shape of %s does not fit the lattice in its attributes", file->path,
                      item->name);
  int code = read_rows (what->rows, item->name, item->dims[0], &rows);
  if (code != VRG_OK)
    return code;
  if (what->xdmf == NULL)
    return print_dataset (file, item, packed ? &lattice : NULL, &rows);
  if (!packed)
    return vrg_error (VRG_USAGE, "%s holds no configurations: --xdmf takes spins, such as /ensemble-000/spins",
                      item->name);
  return vrg_xdmf_write (file, item, &lattice, &rows, what->xdmf);
}

static int
export_file (const vrg_export *what)
{
  vrg_h5 *file;
  vrg_h5_content content;
  if (what->object == NULL && (what->rows != NULL || what->xdmf != NULL))
    return vrg_error (VRG_USAGE, "%s needs the name of a dataset; `vrg export %s` lists them",
                      what->rows != NULL ? "--rows" : "--xdmf", what->path);
  struct stat status;
  const size_t length = strlen (what->path);
  if (stat (what->path, &status) == 0 && S_ISDIR (status.st_mode))
    return vrg_error (VRG_FILE, "%s is a directory: name one of its files, such as %s/samples.h5", what->path,
                      what->path);
  if (length > 4 && strcmp (what->path + length - 4, ".tsv") == 0)
    return vrg_error (VRG_FILE, "%s: export is for HDF5 files; a table is text already", what->path);
  int code = vrg_h5_open (MPI_COMM_SELF, what->path, VRG_H5_READ, &file);
  if (code != VRG_OK)
    return code;
  code = vrg_h5_look (file, &content);
  if (code == VRG_OK)
    {
      code = what->object == NULL ? print_list (file, &content) : export_object (file, &content, what);
      vrg_h5_content_clear (&content);
    }
  const int closed = vrg_h5_close (file);
  return code == VRG_OK ? closed : code;
}

int
vrg_export_file (MPI_Comm comm, const vrg_export *what)
{
  int rank;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  return vrg_agree (comm, rank == 0 ? export_file (what) : VRG_OK);
}
