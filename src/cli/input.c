/* SPDX-License-Identifier: GPL-3.0-or-later
 * The input of a command: the file, the directory of the run. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/memory.h"
#include "cli/app.h"
#include "parallel/grid.h"

#define MAX_INPUT_BYTES (1 << 20)

/** The whole file as a text, on rank 0. */
static int
read_text (const char *path, char **text, int64_t *bytes)
{
  struct stat status;
  if (stat (path, &status) != 0)
    return vrg_error (VRG_FILE, "%s: cannot be read: %s", path, strerror (errno));
  if (S_ISDIR (status.st_mode))
    return vrg_error (VRG_FILE, "%s is a directory, not an input file", path);
  FILE *file = fopen (path, "r");
  if (file == NULL)
    return vrg_error (VRG_FILE, "%s: cannot be read: %s", path, strerror (errno));
  *text = vrg_new (MAX_INPUT_BYTES + 1, 1, "the input's text");
  errno = 0;
  *bytes = (int64_t) fread (*text, 1, MAX_INPUT_BYTES, file);
  bool bad = ferror (file), more = *bytes == MAX_INPUT_BYTES && fgetc (file) != EOF, text_only = true;
  fclose (file);
  if (bad)
    return vrg_error (VRG_FILE, "%s: cannot be read: %s", path, strerror (errno));
  for (int64_t i = 0; i < *bytes; i++)
    text_only = text_only && !(iscntrl ((unsigned char) (*text)[i]) && !isspace ((unsigned char) (*text)[i]));
  if (more || !text_only)
    return vrg_error (VRG_USAGE, "%s: not an input file (it is %s)", path, more ? "longer than 1 MiB" : "no text");
  return VRG_OK;
}

int
vrg_app_read_input (const vrg_app *a, vrg_input *input)
{
  char *text = NULL;
  int64_t bytes = 0;
  int code = vrg_agree (a->world, a->rank == 0 ? read_text (a->args[0], &text, &bytes) : VRG_OK);
  if (code == VRG_OK)
    {
      vrg_broadcast (a->world, &bytes, sizeof bytes);
      if (text == NULL)
        text = vrg_new (bytes + 1, 1, "the input's text");
      vrg_broadcast (a->world, text, bytes);
      code = vrg_agree (a->world, vrg_param_parse (a->args[0], text, a->n_set, a->set, input));
    }
  vrg_free (text);
  return code;
}

int
vrg_app_directory (const vrg_app *a, const vrg_input *input, char directory[VRG_PATH_LENGTH])
{
  const char *given = a->out ? a->out : input->output;
  int n;
  if (a->out != NULL && !*a->out)
    return vrg_error (VRG_USAGE, "--out: the name of a directory is missing");
  if (*given)
    n = snprintf (directory, VRG_PATH_LENGTH, "%s", given);
  else
    {
      const char *slash = strrchr (a->args[0], '/'), *base = slash ? slash + 1 : a->args[0], *dot = strrchr (base, '.');
      if (dot != NULL && dot > base && !strcmp (dot, ".ini"))
        n = snprintf (directory, VRG_PATH_LENGTH, "%.*s", (int) (dot - base), base);
      else
        n = snprintf (directory, VRG_PATH_LENGTH, "%s.out", base);
    }
  while (n > 1 && n < VRG_PATH_LENGTH && directory[n - 1] == '/')
    directory[--n] = 0;
  if (n > VRG_PATH_LENGTH - 64) /* names of files come behind it */
    return vrg_error (VRG_USAGE, "%.60s...: a directory of more than %d characters", given, VRG_PATH_LENGTH - 64);
  return VRG_OK;
}
