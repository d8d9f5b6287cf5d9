/* SPDX-License-Identifier: GPL-3.0-or-later
 * `vrg info`. */
#include "files/info.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/param.h"
#include "files/checkpoint.h"
#include "files/command.h"
#include "files/h5_internal.h"
#include "files/origin.h"
#include "files/status.h"
#include "files/table.h"

/** out: NULL on ranks that do not print. */
__attribute__ ((format (printf, 2, 3))) static void
say (FILE *out, const char *format, ...)
{
  if (out == NULL)
    return;
  va_list list;
  va_start (list, format);
  vfprintf (out, format, list);
  va_end (list);
}

static bool
ends_with (const char *text, const char *end)
{
  size_t n = strlen (text), m = strlen (end);
  return n >= m && strcmp (text + n - m, end) == 0;
}

/** A text attribute if it is there. */
static char *
text_of (vrg_h5 *file, const char *object, const char *name)
{
  char *text = NULL;
  if (vrg_h5_get_text (file, object, name, &text) != VRG_OK)
    return NULL;
  return text;
}

/** A whole number that is there, else -1. */
static long long
number_of (vrg_h5 *file, const char *object, const char *name)
{
  int64_t value = 0;
  return vrg_h5_get_int (file, object, name, &value) == VRG_OK ? (long long) value : -1;
}

/** In the fewest digits that give the same number. */
static const char *
shortest (double x, char text[32])
{
  for (int digits = 6; digits <= 17; digits++)
    {
      snprintf (text, 32, "%.*g", digits, x);
      if (strtod (text, NULL) == x)
        break;
    }
  return text;
}

/** "64 x 64 lattice" of a samples file; a ring in one dimension. */
static void
say_lattice (FILE *out, vrg_h5 *file)
{
  const int dimension = (int) number_of (file, "/", "dimension");
  say (out, dimension == 1 ? "  ring of %lld sites" : "  %lld", number_of (file, "/", "size_0"));
  for (int d = 1; d < dimension && d < VRG_MAX_DIMENSION; d++)
    say (out, " x %lld", number_of (file, "/", d == 1 ? "size_1" : "size_2"));
  say (out, dimension == 1 ? "" : " lattice");
}

/** One sentence on each kind of file. */
static void
say_kind (FILE *out, vrg_h5 *file, const char *format)
{
  if (strcmp (format, "vrg-samples") == 0)
    {
      char *algorithm = text_of (file, "/", "algorithm");
      long long ensembles = number_of (file, "/", "ensembles");
      say_lattice (out, file);
      say (out, ", %s algorithm, seed %lld, %lld ensemble%s of %lld configurations from %lld chain%s\n",
           algorithm != NULL ? algorithm : "?", number_of (file, "/", "seed"), ensembles, ensembles == 1 ? "" : "s",
           number_of (file, "/", "samples"), number_of (file, "/", "chains"),
           number_of (file, "/", "chains") == 1 ? "" : "s");
      vrg_free (algorithm);
      for (int e = 0; e < ensembles && e < VRG_MAX_COUPLINGS; e++)
        {
          char group[32], number[32];
          double nn = 0;
          snprintf (group, sizeof group, "/ensemble-%03d", e);
          if (vrg_h5_get_double (file, group, "nn", &nn) == VRG_OK)
            say (out, "  ensemble %d: nn = %s\n", e, shortest (nn, number));
        }
      static const char *const others[] = { "nnn", "plaquette", "field" };
      for (int i = 0; i < 3; i++)
        {
          double value = 0;
          char number[32];
          if (vrg_h5_get_double (file, "/", others[i], &value) == VRG_OK && value != 0)
            say (out, "  %s = %s in all of them\n", others[i], shortest (value, number));
        }
    }
  else if (strcmp (format, "vrg-model") == 0)
    {
      const long long layers = number_of (file, "/", "layers");
      for (int l = 0; l < layers && l < VRG_MAX_LAYERS; l++)
        {
          char group[32];
          snprintf (group, sizeof group, "/layer-%d", l + 1);
          char *type = text_of (file, group, "type");
          const bool dense = type != NULL && strcmp (type, "dense") == 0;
          const long long hidden = number_of (file, group, "hidden");
          say (out, "  layer %d: %s, %lld %s%s on %lld x %lld visible units, after %lld epochs (%lld updates)\n", l + 1,
               type != NULL ? type : "?", hidden, dense ? "hidden unit" : "filter", hidden == 1 ? "" : "s",
               number_of (file, group, "rows"), number_of (file, group, "columns"), number_of (file, group, "epochs"),
               number_of (file, group, "updates"));
          vrg_free (type);
        }
      char number[32];
      double nn[VRG_MAX_COUPLINGS];
      int64_t dims[VRG_H5_RANK];
      if (vrg_h5_shape (file, "/nn", dims) == 1 && dims[0] <= VRG_MAX_COUPLINGS)
        {
          const vrg_h5_array array
            = { .name = "/nn", .type = VRG_F64, .rank = 1, .dims = { dims[0] }, .replicated = true, .data = nn };
          if (vrg_h5_read (file, &array) == VRG_OK)
            for (int i = 0; i < dims[0]; i++)
              say (out, "  trained at nn = %s\n", shortest (nn[i], number));
        }
    }
  else if (strcmp (format, "vrg-checkpoint") == 0)
    {
      char *stage = text_of (file, "/", "stage");
      say (out, "  stage %s at step %lld of %lld (%.0f %%)\n", stage != NULL ? stage : "?",
           number_of (file, "/", "step"), number_of (file, "/", "total"),
           floor (100 * (double) number_of (file, "/", "step") / fmax (1, (double) number_of (file, "/", "total"))));
      vrg_free (stage);
    }
}

/** Who made it, and the command that goes on where it is unfinished: of a checkpoint, or of samples.h5.part. */
static void
say_origin (FILE *out, const vrg_origin *o, bool unfinished)
{
  char command[4096];
  if (*o->program != 0)
    say (out, "  made by vrg %s (%s) on %s, %s, %d rank%s%s%s\n", o->program, o->commit, o->host, o->date, o->ranks,
         o->ranks == 1 ? "" : "s", *o->command ? ": " : "", o->command);
  vrg_command_again ("goes on with", o->command, o->job, o->ranks, o->directory, NULL, command, sizeof command);
  if (unfinished && o->moved)
    say (out, "  made in %s: its command does not go on here\n", o->output);
  else if (unfinished && *command != 0)
    say (out, "  %s\n", command);
}

/** The keys that determined it, and the libraries. */
static void
say_details (FILE *out, vrg_h5 *file)
{
  static const char *const words[] = { "hdf5", "mpi", "gsl" };
  char *fingerprint = text_of (file, "/", "fingerprint");
  if (fingerprint != NULL)
    say (out, "  input\n");
  for (const char *line = fingerprint; line != NULL && *line != '\0';)
    {
      int n = (int) strcspn (line, "\n");
      say (out, "    %.*s\n", n, line);
      line += n + (line[n] == '\n');
    }
  vrg_free (fingerprint);
  if (!vrg_h5_exists (file, "/provenance"))
    return;
  say (out, "  libraries\n");
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    {
      char *text = text_of (file, "/provenance", words[i]);
      say (out, "    %s: %s\n", words[i], text != NULL ? text : "?");
      vrg_free (text);
    }
}

static int
say_datasets (FILE *out, vrg_h5 *file)
{
  vrg_h5_content content;
  int code = vrg_h5_look (file, &content);
  if (code != VRG_OK)
    return code;
  say (out, "  datasets\n");
  for (int64_t i = 0; i < content.n; i++)
    if (content.items[i].rank > 0)
      {
        const vrg_h5_item *item = &content.items[i];
        char shape[128], *help = text_of (file, item->name, "description");
        vrg_h5_shape_text (item->type, item->rank, item->dims, shape);
        say (out, "    %s: %s%s%s\n", item->name, shape, help != NULL ? ": " : "", help != NULL ? help : "");
        vrg_free (help);
      }
  vrg_h5_content_clear (&content);
  return VRG_OK;
}

/** A message without the path that it begins with. */
static const char *
without (const char *path, const char *message)
{
  const size_t n = strlen (path);
  return strncmp (message, path, n) == 0 && message[n] == ':' ? message + n + 2 : message;
}

/** The whole of a file that opens.  VRG_FILE leaves the message. */
static int
say_open_file (FILE *out, const char *path, vrg_h5 *file)
{
  vrg_origin *origin = vrg_new (1, sizeof *origin, "head of a file");
  bool part = ends_with (path, ".part") || ends_with (path, ".tmp");
  int code = vrg_origin_read (file, path, origin), verified = VRG_OK;
  if (code != VRG_OK)
    {
      say (out, "%s: %s\n", path, without (path, vrg_error_text ()));
      vrg_free (origin);
      return code;
    }
  if (!part)
    verified = vrg_h5_verify (file);
  say (out, "%s: %s, format %s version %lld, %s\n", path, origin->words, origin->format, (long long) origin->version,
       part                 ? "UNFINISHED"
       : verified == VRG_OK ? "all checksums verified"
                            : "DAMAGED");
  if (verified != VRG_OK)
    say (out, "  damage: %s\n", without (path, vrg_error_text ()));
  if (origin->version > origin->newest)
    {
      say (out, "  of a newer vrg%s%s: this one knows version %lld of the format\n", *origin->program ? ", " : "",
           origin->program, (long long) origin->newest);
      if (verified == VRG_OK)
        verified
          = vrg_error (VRG_FILE, "%s: format version %lld is newer than this program, which knows %lld: use vrg %s",
                       path, (long long) origin->version, (long long) origin->newest,
                       *origin->program ? origin->program : "of a later version");
      say_origin (out, origin, false);
      vrg_free (origin);
      return verified;
    }
  char *message = NULL;
  if (verified != VRG_OK)
    {
      message = vrg_new ((int64_t) strlen (vrg_error_text ()) + 1, 1, "a message");
      memcpy (message, vrg_error_text (), strlen (vrg_error_text ()));
    }
  say_kind (out, file, origin->format);
  if (part)
    say (out, "  how far it is the checkpoints say: `vrg status` or `vrg info` of the directory\n");
  say_origin (out, origin, part || *origin->stage != 0);
  say_details (out, file);
  code = say_datasets (out, file);
  if (message != NULL)
    code = vrg_error (verified, "%s", message);
  vrg_free (message);
  vrg_free (origin);
  return code;
}

static int
say_h5 (const vrg_grid *grid, FILE *out, const char *path)
{
  vrg_h5 *file;
  int code = vrg_h5_open (grid->file, path, VRG_H5_READ, &file);
  if (code != VRG_OK)
    {
      const char *slash = strrchr (path, '/');
      say (out, "%s: %s: %s\n", path,
           strstr (slash != NULL ? slash : path, ".h5") != NULL ? "DAMAGED" : "none of vrg's files",
           without (path, vrg_error_text ()));
      return code;
    }
  code = say_open_file (out, path, file);
  vrg_h5_close (file);
  return code;
}

static int
say_table (const vrg_grid *grid, FILE *out, const char *path)
{
  int code = VRG_OK;
  if (grid->rank == 0)
    {
      vrg_table_data *data;
      code = vrg_table_read (path, &data);
      if (code == VRG_OK)
        say (out, "%s: table of %d column%s, %d row%s\n", path, data->columns, data->columns == 1 ? "" : "s",
             data->rows, data->rows == 1 ? "" : "s");
      else
        say (out, "%s: DAMAGED: %s\n", path, without (path, vrg_error_text ()));
      vrg_table_free (data);
    }
  return vrg_agree (grid->world, code);
}

static int
say_file (const vrg_grid *grid, FILE *out, const char *path)
{
  return ends_with (path, ".tsv") ? say_table (grid, out, path) : say_h5 (grid, out, path);
}

/** A finished stage whose file is not good is damaged. */
static void
set_damaged (vrg_status_row rows[VRG_STATUS_STAGES], vrg_stage stage, const char *name)
{
  for (int s = 0; s < VRG_STATUS_STAGES; s++)
    if (strcmp (rows[s].stage, vrg_stage_name (stage)) == 0 && strcmp (rows[s].state, "finished") == 0)
      {
        rows[s].state = "damaged";
        snprintf (rows[s].note, sizeof rows[s].note, "%s", name);
      }
}

/** The stages, then each file; what the files say is kept until all are verified, since the stages are told by it. */
static int
say_directory (const vrg_grid *grid, FILE *out, const char *directory)
{
  int code = VRG_OK, files = 0;
  char bad[1024] = "", *text = NULL;
  size_t length = 0;
  vrg_stage stage;
  const char *name;
  vrg_status_row *rows = vrg_new (VRG_STATUS_STAGES, sizeof *rows, "stages");
  const bool run = out != NULL && vrg_status_look (directory, rows) == VRG_OK;
  FILE *details = out != NULL ? open_memstream (&text, &length) : NULL;
  for (int i = 0; (name = vrg_work_name (i, &stage)) != NULL; i++)
    {
      char path[VRG_PATH_LENGTH];
      snprintf (path, sizeof path, "%s/%s", directory, name);
      const bool ours = ends_with (name, ".h5") || ends_with (name, ".part") || ends_with (name, ".tsv");
      if (!ours || !vrg_file_exists (grid->world, path))
        continue;
      say (details, "\n");
      if (say_file (grid, details, path) != VRG_OK)
        {
          if (code == VRG_OK)
            snprintf (bad, sizeof bad, "%s", vrg_error_text ());
          code = VRG_FILE;
          if (run)
            set_damaged (rows, stage, name);
        }
      files++;
    }
  if (run)
    {
      say (out, "%s: a run\n", directory);
      vrg_status_print (out, rows);
    }
  if (details != NULL && fclose (details) == 0)
    say (out, "%s", text);
  free (text);
  vrg_free (rows);
  if (files == 0)
    return vrg_error (VRG_FILE, "%s: holds no files of a run; give the directory of one (--out, or [run] output)",
                      directory);
  return code == VRG_OK ? code : vrg_error (code, "%s", bad);
}

int
vrg_info_print (const vrg_grid *grid, const char *path)
{
  struct stat status;
  int kind = 0;
  if (grid->rank == 0 && stat (path, &status) == 0)
    kind = S_ISDIR (status.st_mode) ? 2 : 1;
  vrg_broadcast (grid->world, &kind, sizeof kind);
  FILE *out = grid->rank == 0 ? stdout : NULL;
  int code
    = kind == 2 ? say_directory (grid, out, path)
      : kind == 1
        ? say_file (grid, out, path)
        : vrg_error (VRG_FILE, "%s: no such file or directory; give a file of vrg or the directory of a run", path);
  if (grid->rank == 0)
    fflush (stdout);
  return code;
}
