/* SPDX-License-Identifier: GPL-3.0-or-later
 * Seals: checksums of all that a file holds, independent of the number of ranks.  Defined in doc/formats.md. */
#include "files/h5.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/param.h"
#include "base/progress.h"
#include "base/terminal.h"
#include "files/checksum.h"
#include "files/file.h"
#include "files/h5_internal.h"
#include "parallel/grid.h"

#define WORDS (VRG_H5_BLOCK / 8)

/* --- the sum --- */

int64_t
vrg_h5_blocks (const vrg_h5_item *item)
{
  return (item->bytes + VRG_H5_BLOCK - 1) / VRG_H5_BLOCK;
}

/** Going through a file: this rank's blocks of each dataset. */
typedef struct
{
  int descriptor;
  uint64_t *buffer; /* a block */
  vrg_progress progress;
  bool shown;
  int64_t done, total; /* bytes of this rank */
} scan;

#define LARGEST_EMPTY (INT64_C (1) << 20) /* bytes of a dataset without elements, its dimensions of 0 left out */
#define LONG_SCAN (INT64_C (256) << 20)   /* bytes of a rank from which on progress is shown */

/** what: for progress, kept.  Local; what goes wrong is noted. */
static void
scan_begin (scan *s, vrg_h5 *file, const char *what, int64_t bytes)
{
  *s = (scan){ .descriptor = open (file->path, O_RDONLY | O_CLOEXEC), .total = bytes / file->size };
  vrg_h5_note (file, s->descriptor >= 0, "cannot be read back: %s", strerror (errno));
  s->buffer = vrg_new (WORDS, 8, "blocks under a checksum");
  s->shown = s->total >= LONG_SCAN;
  if (s->shown)
    vrg_progress_begin (&s->progress, what, "MiB", 0, s->total >> 20);
}

static void
scan_end (scan *s)
{
  if (s->shown)
    vrg_progress_end (&s->progress, s->total >> 20);
  if (s->descriptor >= 0)
    close (s->descriptor);
  vrg_free (s->buffer);
}

/** Sums of blocks [first, last) of a dataset into sums[last - first]. */
static bool
sum_blocks (scan *s, const vrg_h5_item *item, int64_t first, int64_t last, uint64_t *sums)
{
  for (int64_t b = first; b < last; b++)
    {
      int64_t at = b * VRG_H5_BLOCK, n = item->bytes - at < VRG_H5_BLOCK ? item->bytes - at : VRG_H5_BLOCK;
      if (n % 8 != 0)
        s->buffer[n / 8] = 0; /* pads a short last word */
      if (!vrg_file_read_bytes (s->descriptor, s->buffer, n, item->offset + at))
        return false;
      sums[b - first] = vrg_checksum (s->buffer, (n + 7) / 8, b * WORDS);
      s->done += n;
      if (s->shown)
        vrg_progress_update (&s->progress, (s->done < s->total ? s->done : s->total) >> 20);
    }
  return true;
}

/* --- what a file holds --- */

static bool
known_type (hid_t id, vrg_h5_type *type)
{
  for (*type = VRG_U8; *type <= VRG_F64; (*type)++)
    if (H5Tequal (id, vrg_h5_type_id (*type)) > 0)
      return true;
  return false;
}

const char *
vrg_h5_examine (hid_t set, int64_t size_of_file, vrg_h5_item *item)
{
  hid_t space = H5Dget_space (set), create = H5Dget_create_plist (set), type = H5Dget_type (set);
  hsize_t dims[VRG_H5_RANK] = { 0 };
  haddr_t offset = H5Dget_offset (set);
  const char *wrong = NULL;
  item->rank = space >= 0 ? H5Sget_simple_extent_ndims (space) : -1;
  if (item->rank < 1 || item->rank > VRG_H5_RANK || H5Sget_simple_extent_dims (space, dims, NULL) < 0)
    wrong = "has a rank that is not 1 to 4";
  else if (type < 0 || !known_type (type, &item->type))
    wrong = "has a type that is none of this program's";
  else if (create < 0 || H5Pget_layout (create) != H5D_CONTIGUOUS || H5Pget_external_count (create) != 0)
    wrong = "is not contiguous in this file";
  else
    {
      int64_t whole = vrg_h5_type_size (item->type); /* were dimensions of 0 none: nothing is larger in the file */
      bool empty = false;
      for (int d = 0; d < item->rank && wrong == NULL; d++)
        {
          item->dims[d] = (int64_t) dims[d];
          empty = empty || item->dims[d] == 0;
          if (item->dims[d] < 0 || __builtin_mul_overflow (whole, item->dims[d] > 0 ? item->dims[d] : 1, &whole)
              || (empty && whole > LARGEST_EMPTY && whole > size_of_file))
            wrong = "has an impossible size";
        }
      item->bytes = empty ? 0 : whole;
    }
  if (wrong == NULL && item->bytes > 0)
    {
      item->offset = (int64_t) offset;
      if (offset == HADDR_UNDEF || item->offset < 0 || item->offset > size_of_file
          || item->bytes > size_of_file - item->offset)
        wrong = "reaches beyond the end of the file, which is truncated or damaged";
    }
  vrg_h5_close_id (type);
  vrg_h5_close_id (create);
  vrg_h5_close_id (space);
  return wrong;
}

void
vrg_h5_shape_text (vrg_h5_type type, int rank, const int64_t *dims, char text[128])
{
  int n = snprintf (text, 128, "%s", vrg_h5_type_name (type));
  for (int d = 0; d < rank && n > 0 && n < 128; d++)
    n += snprintf (text + n, (size_t) (128 - n), "%s%lld", d == 0 ? " " : " x ", (long long) dims[d]);
}

int
vrg_h5_place (vrg_h5 *file, const vrg_h5_array *array, int64_t *offset)
{
  vrg_h5_item item = { 0 };
  hid_t set = H5Dopen2 (file->id, array->name, H5P_DEFAULT);
  const char *wrong = set < 0 ? "is missing" : vrg_h5_examine (set, file->bytes, &item);
  vrg_h5_close_id (set);
  if (vrg_h5_note (file, wrong == NULL, "dataset %s %s", array->name, wrong != NULL ? wrong : ""))
    {
      char found[128], expected[128];
      vrg_h5_shape_text (item.type, item.rank, item.dims, found);
      vrg_h5_shape_text (array->type, array->rank, array->dims, expected);
      vrg_h5_note (file, strcmp (found, expected) == 0, "dataset %s is %s, expected is %s", array->name, found,
                   expected);
    }
  *offset = item.offset;
  return vrg_h5_settle (file);
}

/** Space for one more element; returns the array, moved if it was full. */
static void *
grow (void *old, int64_t n, int64_t more, int64_t *room, size_t size)
{
  if (n + more <= *room)
    return old;
  *room = 2 * (n + more) + 64;
  void *array = vrg_new (*room, size, "contents of a file");
  if (n > 0)
    memcpy (array, old, (size_t) n * size);
  vrg_free (old);
  return array;
}

static bool
is_below (const char *name, const char *top)
{
  size_t n = strlen (top);
  return strncmp (name, top, n) == 0 && (name[n] == '\0' || name[n] == '/');
}

static herr_t
gather (hid_t object, const char *name, const H5O_info_t *info, void *data)
{
  (void) object;
  (void) info;
  vrg_h5_content *content = data;
  if (strlen (name) + 2 > sizeof content->items->name) /* of a group that is below itself, at last */
    return -1;
  if (is_below (name, "checksums") || is_below (name, "seal") || is_below (name, "provenance"))
    return 0;
  content->items = grow (content->items, content->n, 1, &content->room, sizeof *content->items);
  vrg_h5_item *item = &content->items[content->n++];
  snprintf (item->name, sizeof item->name, "/%s", strcmp (name, ".") == 0 ? "" : name);
  return 0;
}

/** Bytes that grow. */
typedef struct
{
  char *data;
  int64_t size, room;
} bytes;

static void
append (bytes *to, const void *data, int64_t size)
{
  to->data = grow (to->data, to->size, size, &to->room, 1);
  memcpy (to->data + to->size, data, (size_t) size);
  to->size += size;
}

/** Can the name be printed?  Ours can. */
static bool
is_plain (const char *name)
{
  char plain[sizeof (((vrg_h5_item *) NULL)->name)];
  return (size_t) snprintf (plain, sizeof plain, "%s", name) < sizeof plain
         && strcmp (vrg_plain_text (plain, ""), name) == 0;
}

/** Append an attribute: its name, class, size and value. */
static herr_t
append_attribute (hid_t object, const char *name, const H5A_info_t *info, void *data)
{
  (void) info;
  hid_t attribute = H5Aopen (object, name, H5P_DEFAULT), type = attribute >= 0 ? H5Aget_type (attribute) : -1;
  hid_t space = attribute >= 0 ? H5Aget_space (attribute) : -1;
  int64_t size = type >= 0 ? (int64_t) H5Tget_size (type) : 0;
  herr_t result = -1;
  if (is_plain (name) && size > 0 && size <= 65536 && H5Tis_variable_str (type) <= 0 && space >= 0
      && H5Sget_simple_extent_npoints (space) == 1)
    {
      int64_t head[2] = { (int64_t) H5Tget_class (type), size };
      char *value = vrg_new (size, 1, "value of an attribute");
      result = H5Aread (attribute, type, value) < 0 ? -1 : 0;
      append (data, name, (int64_t) strlen (name) + 1);
      append (data, head, sizeof head);
      append (data, value, size);
      vrg_free (value);
    }
  vrg_h5_close_id (space);
  vrg_h5_close_id (type);
  vrg_h5_close_id (attribute);
  return result;
}

/** Examine one object and append what it says of itself. */
static const char *
look_at (vrg_h5 *file, vrg_h5_item *item, bytes *metadata)
{
  hid_t object = H5Oopen (file->id, item->name, H5P_DEFAULT);
  if (object < 0)
    return "cannot be opened";
  const char *wrong = is_plain (item->name) ? NULL : "has a name that is no plain text";
  append (metadata, item->name, (int64_t) strlen (item->name) + 1);
  if (wrong == NULL && H5Iget_type (object) == H5I_DATASET)
    {
      wrong = vrg_h5_examine (object, file->bytes, item);
      int64_t head[2] = { (int64_t) item->type, item->rank };
      append (metadata, head, sizeof head);
      append (metadata, item->dims, sizeof item->dims);
    }
  hsize_t from = 0;
  if (wrong == NULL && H5Aiterate2 (object, H5_INDEX_NAME, H5_ITER_INC, &from, append_attribute, metadata) < 0)
    wrong = "has a damaged attribute";
  H5Idec_ref (object);
  return wrong;
}

int
vrg_h5_look (vrg_h5 *file, vrg_h5_content *content)
{
  memset (content, 0, sizeof *content);
  bytes metadata = { NULL, 0, 0 };
  const char *wrong = NULL, *name = "/";
  if (H5Ovisit2 (file->id, H5_INDEX_NAME, H5_ITER_INC, gather, content, H5O_INFO_BASIC) < 0)
    wrong = "has damaged groups";
  for (int64_t i = 0; i < content->n && wrong == NULL; i++)
    {
      name = content->items[i].name;
      wrong = look_at (file, &content->items[i], &metadata);
    }
  int code = vrg_h5_agree (file, wrong == NULL, "%s %s", name, wrong != NULL ? wrong : "");
  if (code == VRG_OK)
    {
      int64_t words = (metadata.size + 7) / 8;
      append (&metadata, "\0\0\0\0\0\0\0", 7);
      content->metadata = vrg_checksum ((const uint64_t *) (const void *) metadata.data, words, 0);
      content->metadata += content->metadata == 0; /* 0 stands for: not sealed */
    }
  else
    vrg_h5_content_clear (content);
  vrg_free (metadata.data);
  return code;
}

void
vrg_h5_content_clear (vrg_h5_content *content)
{
  vrg_free (content->items);
  memset (content, 0, sizeof *content);
}

/* --- the seal --- */

static vrg_h5_array
seal_array (uint64_t *value)
{
  return (vrg_h5_array){ .name = "/seal",
                         .help = "sum over names, shapes and attributes; 0: not sealed",
                         .axes = "one",
                         .type = VRG_U64,
                         .rank = 1,
                         .dims = { 1 },
                         .replicated = true,
                         .data = value };
}

/** This rank's part of the checksums of a dataset; `data` is left to the caller. */
static vrg_h5_array
checksum_array (const vrg_h5 *file, const vrg_h5_item *item, char name[300])
{
  int64_t first, last;
  snprintf (name, 300, "/checksums%s", item->name);
  vrg_grid_span (vrg_h5_blocks (item), file->size, file->rank, &first, &last);
  return (vrg_h5_array){ .name = name,
                         .help = "sum of hash64 over each 1 MiB",
                         .axes = "block",
                         .type = VRG_U64,
                         .rank = 1,
                         .dims = { vrg_h5_blocks (item) },
                         .first = { first },
                         .count = { last - first } };
}

/** Create what is missing of the checksums and the seal. */
static void
make_room (vrg_h5 *file, const vrg_h5_content *content)
{
  for (int64_t i = 0; i < content->n; i++)
    if (content->items[i].bytes > 0)
      {
        char name[300];
        vrg_h5_array sums = checksum_array (file, &content->items[i], name);
        /* H5Oexists is an error where a group on the way is missing: missing as well */
        if (H5Oexists_by_name (file->id, name, H5P_DEFAULT) <= 0)
          vrg_h5_create (file, &sums);
      }
  vrg_h5_array seal = seal_array (NULL);
  if (H5Oexists_by_name (file->id, seal.name, H5P_DEFAULT) <= 0)
    vrg_h5_create (file, &seal);
}

int
vrg_h5_prepare_seal (vrg_h5 *file, vrg_h5_content *content)
{
  uint64_t open = 0;
  vrg_h5_array seal = seal_array (&open);
  int code = vrg_h5_look (file, content);
  if (code != VRG_OK)
    return code;
  make_room (file, content);
  return vrg_h5_write (file, &seal);
}

/** Write checksums that are known already, or compare them with those in the file. */
static int
move_known (vrg_h5 *file, const vrg_h5_written *written, bool compare)
{
  int code = VRG_OK;
  uint64_t *sums = written->sums;
  for (int64_t i = 0; i < written->content.n && code == VRG_OK; i++)
    if (written->content.items[i].bytes > 0)
      {
        char name[300];
        vrg_h5_array part = checksum_array (file, &written->content.items[i], name);
        part.data = sums + part.first[0];
        code = compare ? vrg_h5_compare (file, &part) : vrg_h5_write (file, &part);
        sums += part.dims[0];
      }
  uint64_t metadata = written->content.metadata;
  vrg_h5_array seal = seal_array (&metadata);
  return code != VRG_OK ? code : compare ? vrg_h5_compare (file, &seal) : vrg_h5_write (file, &seal);
}

int
vrg_h5_put_seal (vrg_h5 *file, const vrg_h5_written *written)
{
  return move_known (file, written, false);
}

int
vrg_h5_check_seal (vrg_h5 *file, const vrg_h5_written *written)
{
  vrg_h5_content content;
  int code = vrg_h5_look (file, &content);
  if (code != VRG_OK)
    return code;
  code = vrg_h5_agree (file, content.metadata == written->content.metadata,
                       "names, shapes or attributes are not those that were written: is the disk faulty?");
  vrg_h5_content_clear (&content);
  return code == VRG_OK ? move_known (file, written, true) : code;
}

int
vrg_h5_sum (vrg_h5 *file, const vrg_h5_item *item, uint64_t *sums)
{
  int64_t first, last;
  scan s;
  vrg_grid_span (vrg_h5_blocks (item), file->size, file->rank, &first, &last);
  scan_begin (&s, file, "", 0);
  vrg_h5_note (file, sum_blocks (&s, item, first, last, sums + first), "cannot read dataset %s back", item->name);
  scan_end (&s);
  return vrg_h5_settle (file);
}

/** Note where a dataset's sum over all blocks is not that of what was written.  Collective. */
static void
check_expected (vrg_h5 *file, const vrg_h5_array *sums, const char *name, int n, const vrg_h5_expected *expected)
{
  uint64_t sum = 0;
  int i = 0;
  while (i < n && strcmp (expected[i].name, name) != 0)
    i++;
  if (i == n)
    return;
  for (int64_t b = 0; b < sums->count[0]; b++)
    sum += ((const uint64_t *) sums->data)[b];
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &sum, 1, MPI_UINT64_T, MPI_SUM, file->comm));
  vrg_h5_note (
    file, sum == expected[i].sum,
    "dataset %s is not what was written to it: it was damaged meanwhile (is the disk faulty?); use --fresh to "
    "begin anew (the old work is kept aside)",
    name);
}

/** Note the first block whose sum is not the one stored.  Collective. */
static int
check_stored (vrg_h5 *file, const vrg_h5_array *sums, const char *name)
{
  vrg_h5_array stored = *sums;
  stored.data = vrg_new (sums->count[0], 8, "checksums");
  int code = vrg_h5_read (file, &stored);
  int64_t bad = INT64_MAX;
  for (int64_t i = sums->count[0] - 1; i >= 0 && code == VRG_OK; i--)
    if (((uint64_t *) sums->data)[i] != ((uint64_t *) stored.data)[i])
      bad = sums->first[0] + i;
  /* agreed on with the next dataset, or at the end */
  vrg_h5_note (file, bad == INT64_MAX, "dataset %s is damaged in block %lld of %lld (1 MiB each)", name,
               (long long) bad, (long long) sums->dims[0]);
  vrg_free (stored.data);
  return code;
}

/** Checksums of all datasets in turn: written, or compared with those in the file. */
static int
work_on_all (vrg_h5 *file, const vrg_h5_content *content, bool verify, int n, const vrg_h5_expected *expected)
{
  int code = VRG_OK;
  int64_t all = 0;
  char what[VRG_PATH_LENGTH + 64];
  scan s;
  for (int64_t i = 0; i < content->n; i++)
    all += content->items[i].bytes;
  snprintf (what, sizeof what, "%s %s", verify ? "verifying" : "sealing", file->path);
  scan_begin (&s, file, what, all);
  for (int64_t i = 0; i < content->n && code == VRG_OK; i++)
    if (content->items[i].bytes > 0)
      {
        const vrg_h5_item *item = &content->items[i];
        char name[300];
        vrg_h5_array sums = checksum_array (file, item, name);
        sums.data = vrg_new (sums.count[0], 8, "checksums");
        bool good = sum_blocks (&s, item, sums.first[0], sums.first[0] + sums.count[0], sums.data);
        vrg_h5_note (file, good, "cannot read dataset %s back", item->name);
        check_expected (file, &sums, item->name, n, expected);
        code = verify ? check_stored (file, &sums, item->name) : vrg_h5_write (file, &sums);
        vrg_free (sums.data);
      }
  scan_end (&s);
  return code;
}

int
vrg_h5_seal_expected (vrg_h5 *file, int n, const vrg_h5_expected *expected)
{
  vrg_h5_content content;
  int code = vrg_h5_look (file, &content);
  if (code != VRG_OK)
    return code;
  make_room (file, &content);
  code = vrg_h5_flush (file); /* ranks read what others wrote */
  if (code == VRG_OK)
    code = work_on_all (file, &content, false, n, expected);
  vrg_h5_array seal = seal_array (&content.metadata);
  if (code == VRG_OK)
    code = vrg_h5_write (file, &seal);
  vrg_h5_content_clear (&content);
  return code;
}

int
vrg_h5_seal (vrg_h5 *file)
{
  return vrg_h5_seal_expected (file, 0, NULL);
}

int
vrg_h5_commit (vrg_h5 *file, int code, const char *final)
{
  char temporary[VRG_PATH_LENGTH + 32];
  MPI_Comm comm = file->comm;
  snprintf (temporary, sizeof temporary, "%s", file->path);
  if (code == VRG_OK)
    code = vrg_h5_seal (file);
  const int closed = vrg_h5_close (file);
  if (code == VRG_OK)
    code = closed;
  if (code == VRG_OK)
    code = vrg_file_rename (comm, temporary, final);
  if (code != VRG_OK)
    vrg_file_remove (comm, temporary);
  return code;
}

int
vrg_h5_verify (vrg_h5 *file)
{
  vrg_h5_content content;
  uint64_t stored = 0;
  vrg_h5_array seal = seal_array (&stored);
  int code = vrg_h5_read (file, &seal);
  if (code == VRG_OK)
    code = vrg_h5_agree (file, stored != 0, "has no checksums: it was not finished");
  if (code == VRG_OK)
    code = vrg_h5_look (file, &content);
  if (code != VRG_OK)
    return code;
  code = work_on_all (file, &content, true, 0, NULL);
  if (code == VRG_OK)
    code = vrg_h5_agree (file, stored == content.metadata, "a name, shape or attribute is damaged");
  vrg_h5_content_clear (&content);
  return code;
}

bool
vrg_h5_is_sealed (vrg_h5 *file)
{
  uint64_t stored = 0;
  vrg_h5_array seal = seal_array (&stored);
  return vrg_h5_exists (file, seal.name) && vrg_h5_read (file, &seal) == VRG_OK && stored != 0;
}
