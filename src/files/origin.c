/* SPDX-License-Identifier: GPL-3.0-or-later
 * Where a file comes from. */
#include "files/origin.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/terminal.h"

static const struct
{
  const char *format, *words;
  int64_t newest;
} kinds[] = {
  { "vrg-samples", "configurations", 2 },
  { "vrg-model", "a trained model", 2 },
  { "vrg-checkpoint", "a checkpoint", 1 },
  { "vrg-flow", "results of the flow", 2 },
  { "vrg-rbm-flow", "results of the flow through a model", 1 },
  { "vrg-learnt", "what is seen in a trained model", 1 },
  { "vrg-spectrum", "spectrum of a trained model", 1 },
};

static void
get_text (vrg_h5 *file, const char *object, const char *name, char *text, size_t size)
{
  char *found = NULL;
  text[0] = 0;
  if (vrg_h5_get_text (file, object, name, &found) == VRG_OK)
    snprintf (text, size, "%s", found);
  vrg_free (found);
  vrg_plain_text (text, "");
}

/** Is the file's directory another one than that in which it was made? */
static bool
moved (const char *path, const char *output)
{
  struct stat then, now;
  char directory[4096];
  const char *slash = strrchr (path, '/');
  snprintf (directory, sizeof directory, "%.*s", slash != NULL ? (int) (slash - path + 1) : 1,
            slash != NULL ? path : ".");
  return *output
         && (stat (output, &then) != 0 || stat (directory, &now) != 0 || then.st_ino != now.st_ino
             || then.st_dev != now.st_dev);
}

int
vrg_origin_read (vrg_h5 *file, const char *path, vrg_origin *o)
{
  int64_t ranks = 0;
  memset (o, 0, sizeof *o);
  get_text (file, "/", "format", o->format, sizeof o->format);
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
    if (strcmp (o->format, kinds[k].format) == 0)
      {
        snprintf (o->words, sizeof o->words, "%s", kinds[k].words);
        o->newest = kinds[k].newest;
      }
  if (*o->format == 0)
    return vrg_error (VRG_FILE, "%s: an HDF5 file, but none of vrg's (it has no attribute `format`)", path);
  if (o->newest == 0)
    return vrg_error (VRG_FILE, "%s: an HDF5 file of the unknown kind '%s': of another program, or of a newer vrg",
                      path, o->format);
  int code = vrg_h5_get_int (file, "/", "format_version", &o->version);
  if (code != VRG_OK)
    return code;
  if (strcmp (o->format, "vrg-checkpoint") == 0)
    {
      get_text (file, "/", "stage", o->stage, sizeof o->stage);
      if ((code = vrg_h5_get_int (file, "/", "step", &o->step)) != VRG_OK
          || (code = vrg_h5_get_int (file, "/", "total", &o->total)) != VRG_OK)
        return code;
    }
  if (!vrg_h5_exists (file, "/provenance"))
    return VRG_OK;
  get_text (file, "/provenance", "version", o->program, sizeof o->program);
  get_text (file, "/provenance", "commit", o->commit, sizeof o->commit);
  get_text (file, "/provenance", "date", o->date, sizeof o->date);
  get_text (file, "/provenance", "host", o->host, sizeof o->host);
  get_text (file, "/provenance", "command", o->command, sizeof o->command);
  get_text (file, "/provenance", "directory", o->directory, sizeof o->directory);
  get_text (file, "/provenance", "output", o->output, sizeof o->output);
  get_text (file, "/provenance", "job", o->job, sizeof o->job);
  o->moved = moved (path, o->output);
  if (vrg_h5_get_int (file, "/provenance", "ranks", &ranks) == VRG_OK && ranks > 0 && ranks < 1 << 30)
    o->ranks = (int) ranks;
  return VRG_OK;
}

int
vrg_origin_of (const char *path, vrg_origin *origin)
{
  vrg_h5 *file;
  memset (origin, 0, sizeof *origin);
  int code = vrg_h5_open (MPI_COMM_SELF, path, VRG_H5_LOOK, &file);
  if (code != VRG_OK)
    return code;
  code = vrg_origin_read (file, path, origin);
  vrg_h5_close (file);
  return code;
}
