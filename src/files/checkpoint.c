/* SPDX-License-Identifier: GPL-3.0-or-later
 * Checkpoints in two alternating generations. */
#include "files/checkpoint.h"

#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/h5_internal.h"

#define FORMAT "vrg-checkpoint"
#define FORMAT_VERSION 1

static void
generation_path (char path[VRG_PATH_LENGTH], const char *directory, const char *stage, int generation)
{
  snprintf (path, VRG_PATH_LENGTH, "%s/checkpoint-%s.%d.h5", directory, stage, generation);
}

/** In the place of a step: there is no file; or one that cannot be read or is of another run. */
enum
{
  MISSING = -2,
  USELESS
};

/** The step of one generation, on rank 0, or one of these. */
static int64_t
step_of (const char *path, const char *fingerprint)
{
  vrg_h5 *file = NULL;
  char *found = NULL;
  int64_t step;
  if (access (path, F_OK) != 0)
    return MISSING;
  int code = vrg_h5_open (MPI_COMM_SELF, path, VRG_H5_READ, &file);
  if (code == VRG_OK)
    code = vrg_h5_get_int (file, "/", "step", &step);
  if (code == VRG_OK)
    code = vrg_h5_get_text (file, "/", "fingerprint", &found);
  vrg_h5_close (file);
  const bool ours = code == VRG_OK && step >= 0 && strcmp (found, fingerprint) == 0;
  vrg_free (found);
  return ours ? step : USELESS;
}

/** Paths and steps of both generations.  Rank 0 looks: this is cheap, and a file whose data are damaged is found when it
 *  is verified.  Collective. */
static void
peek (const vrg_grid *grid, const char *directory, const char *stage, const char *fingerprint,
      char path[2][VRG_PATH_LENGTH], int64_t steps[2])
{
  for (int g = 0; g < 2; g++)
    {
      generation_path (path[g], directory, stage, g);
      steps[g] = grid->rank == 0 ? step_of (path[g], fingerprint) : 0;
    }
  vrg_broadcast (grid->file, steps, 2 * sizeof *steps);
}

/** Write, read back and seal a file; `written` says what is in it. */
static int
write_file (MPI_Comm comm, const char *path, const char *stage, const char *fingerprint, int64_t step, int64_t total,
            int n, const vrg_h5_array *arrays, vrg_h5_written *written)
{
  vrg_h5 *file;
  char what[64];
  snprintf (what, sizeof what, "%s: checkpoint", stage);
  int code = vrg_h5_open (comm, path, VRG_H5_CREATE, &file);
  if (code != VRG_OK)
    return code;
  code = vrg_h5_put_head (file, FORMAT, FORMAT_VERSION, fingerprint);
  if (code == VRG_OK)
    code = vrg_h5_put_text (file, "/", "stage", stage);
  if (code == VRG_OK)
    code = vrg_h5_put_int (file, "/", "step", step);
  if (code == VRG_OK)
    code = vrg_h5_put_int (file, "/", "total", total);
  if (code == VRG_OK)
    code = vrg_h5_put_checked (file, what, n, arrays, written);
  int closed = vrg_h5_close (file);
  return code != VRG_OK ? code : closed;
}

/** Open the closed file: its metadata and checksums are those that were written. */
static int
read_back (MPI_Comm comm, const char *path, const vrg_h5_written *written)
{
  vrg_h5 *file;
  int code = vrg_h5_open (comm, path, VRG_H5_READ, &file);
  if (code != VRG_OK)
    return code;
  code = vrg_h5_check_seal (file, written);
  int closed = vrg_h5_close (file);
  return code != VRG_OK ? code : closed;
}

int
vrg_checkpoint_write (const vrg_grid *grid, const char *directory, const char *stage, const char *fingerprint,
                      int64_t step, int64_t total, int n, const vrg_h5_array *arrays)
{
  char path[2][VRG_PATH_LENGTH], temporary[VRG_PATH_LENGTH + 4];
  int64_t steps[2];
  peek (grid, directory, stage, fingerprint, path, steps);
  /* one of this very step, so that no two have the same; else a missing, a useless or the older one */
  const int replaced = steps[0] == step ? 0 : steps[1] == step ? 1 : steps[0] <= steps[1] ? 0 : 1;
  snprintf (temporary, sizeof temporary, "%.*s.tmp", VRG_PATH_LENGTH - 1, path[replaced]);

  vrg_h5_written written = { .blocks = 0 };
  int code = write_file (grid->file, temporary, stage, fingerprint, step, total, n, arrays, &written);
  if (code == VRG_OK)
    code = read_back (grid->file, temporary, &written);
  vrg_h5_written_clear (&written);
  if (code == VRG_OK)
    code = vrg_file_rename (grid->file, temporary, path[replaced]);
  if (code == VRG_OK)
    vrg_debug ("%s: checkpoint at step %lld of %lld in %s", stage, (long long) step, (long long) total, path[replaced]);
  else
    vrg_file_remove (grid->file, temporary); /* best effort; the message stays that of the failure */
  return code;
}

/** Verify a generation, compare its fingerprint, read it. */
static int
read_file (const vrg_grid *grid, const char *path, const char *fingerprint, int64_t *step, vrg_checkpoint_plan *plan,
           void *context, bool *other)
{
  int n = 0;
  const vrg_h5_array *arrays = NULL;
  vrg_h5 *file;
  char *found = NULL;
  *other = false;
  int code = vrg_h5_open (grid->file, path, VRG_H5_READ, &file);
  if (code == VRG_OK)
    code = vrg_h5_verify (file);
  if (code == VRG_OK)
    code = vrg_h5_get_head (file, FORMAT, FORMAT_VERSION, &found);
  if (code == VRG_OK)
    code = vrg_h5_get_int (file, "/", "step", step);
  if (code == VRG_OK && strcmp (found, fingerprint) != 0)
    {
      char difference[256];
      vrg_param_difference (found, fingerprint, difference, sizeof difference);
      code
        = vrg_error (VRG_FILE, "%s: is of other parameters: %s; use --fresh to begin anew (the old work is kept aside)",
                     path, difference);
      *other = true;
    }
  if (code == VRG_OK)
    code = plan (file, context, &n, &arrays);
  for (int i = 0; i < n && code == VRG_OK; i++)
    code = vrg_h5_read (file, &arrays[i]);
  vrg_free (found);
  vrg_h5_close (file);
  return code;
}

/** Rename to a name that is free: PATH.END, PATH.END-2, ... */
static int
set_aside (const vrg_grid *grid, const char *path, const char *end)
{
  char aside[VRG_PATH_LENGTH + 24];
  snprintf (aside, sizeof aside, "%s.%s", path, end);
  for (int n = 2; vrg_file_exists (grid->file, aside); n++)
    snprintf (aside, sizeof aside, "%s.%s-%d", path, end, n);
  return vrg_file_rename (grid->file, path, aside);
}

int
vrg_checkpoint_read_planned (const vrg_grid *grid, const char *directory, const char *stage, const char *fingerprint,
                             int64_t *step, vrg_checkpoint_plan *plan, void *context)
{
  char path[2][VRG_PATH_LENGTH], why[2][512] = { "", "" };
  int64_t steps[2];
  *step = -1;
  peek (grid, directory, stage, fingerprint, path, steps);
  if (steps[0] == MISSING && steps[1] == MISSING)
    return VRG_OK;

  /* one that cannot even be opened may be the newest, another run's is in the way: it is asked first, so that the log says
   * why it is passed over */
  const int first = steps[0] == USELESS || (steps[1] != USELESS && steps[0] >= steps[1]) ? 0 : 1;
  bool other[2] = { false, false };
  for (int k = 0; k < 2; k++)
    {
      int g = k == 0 ? first : 1 - first;
      if (steps[g] == MISSING)
        continue;
      int code = read_file (grid, path[g], fingerprint, step, plan, context, &other[g]);
      if (code == VRG_OK)
        {
          vrg_info ("%s: resumed from %s at step %lld", stage, path[g], (long long) *step);
          if (why[1 - g][0] != '\0') /* out of the way, so that it is not taken for the newest again */
            code = set_aside (grid, path[1 - g], other[1 - g] ? "other" : "damaged");
          return code;
        }
      *step = -1;
      snprintf (why[g], sizeof why[g], "%s", vrg_error_text ());
      vrg_warn ("%s: passed over a checkpoint: %s", stage, why[g]);
    }
  for (int g = 0; g < 2; g++)
    if (other[g])
      return vrg_error (VRG_FILE, "%s", why[g]);
  return vrg_error (VRG_FILE,
                    "%s: no good checkpoint: %s%s%s; remove %s/checkpoint-%s.*.h5 to begin the stage again, or use "
                    "--fresh",
                    stage, why[0], why[0][0] != '\0' && why[1][0] != '\0' ? "; " : "", why[1], directory, stage);
}

typedef struct
{
  int n;
  const vrg_h5_array *arrays;
} list;

static int
plan_list (vrg_h5 *file, void *context, int *n, const vrg_h5_array **arrays)
{
  const list *all = context;
  (void) file;
  *n = all->n;
  *arrays = all->arrays;
  return VRG_OK;
}

int
vrg_checkpoint_read (const vrg_grid *grid, const char *directory, const char *stage, const char *fingerprint,
                     int64_t *step, int n, const vrg_h5_array *arrays)
{
  list all = { n, arrays };
  return vrg_checkpoint_read_planned (grid, directory, stage, fingerprint, step, plan_list, &all);
}

int
vrg_checkpoint_remove (const vrg_grid *grid, const char *directory, const char *stage)
{
  int code = VRG_OK;
  for (int g = 0; g < 2 && code == VRG_OK; g++)
    {
      char path[VRG_PATH_LENGTH], temporary[VRG_PATH_LENGTH + 4];
      generation_path (path, directory, stage, g);
      snprintf (temporary, sizeof temporary, "%s.tmp", path);
      code = vrg_file_remove (grid->file, path);
      if (code == VRG_OK)
        code = vrg_file_remove (grid->file, temporary);
    }
  return code;
}
