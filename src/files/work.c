/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a run directory holds of a stage, and moving it aside. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/checkpoint.h"
#include "files/lock.h"

#define GENERATION(stage, n)                                                                                           \
  "checkpoint-" stage "." n ".h5", "checkpoint-" stage "." n ".h5.tmp", "checkpoint-" stage "." n ".h5.damaged",       \
    "checkpoint-" stage "." n ".h5.other"
#define CHECKPOINTS(stage) GENERATION (stage, "0"), GENERATION (stage, "1")

/** Files of the stages in a run directory; the first of each is the final one. */
static const struct
{
  vrg_stage stage;
  const char *names[32];
} stages[] = {
  { VRG_STAGE_SAMPLE,
    { "samples.h5", "samples.h5.part", CHECKPOINTS ("sample"), "sample.tsv", "operators.tsv", "samples.h5.part.tmp" } },
  { VRG_STAGE_TRAIN,
    { "model.h5", CHECKPOINTS ("train"), "train.tsv", "model.h5.tmp", "learnt.h5", "spectrum.h5", "fields.tsv",
      "interactions.tsv", "model-samples.tsv", "reconstructions.tsv", "learnt.h5.tmp", "spectrum.h5.tmp" } },
  { VRG_STAGE_FLOW,
    { "flow.h5", CHECKPOINTS ("flow"), "couplings.tsv", "exponents.tsv", "report.html", "figures", "flow.h5.tmp",
      "eigenvalues.tsv", "fit.tsv", "derivatives.tsv", "surface.tsv", "rbm-flow.h5", CHECKPOINTS ("rbm"),
      "rbm-flow.tsv", "rbm-stationary.tsv", "mapping.tsv", "rbm-flow.h5.tmp" } },
};

#define STAGES (sizeof stages / sizeof *stages)

const char *
vrg_work_name (int index, vrg_stage *stage)
{
  for (size_t s = 0; s < STAGES; s++)
    for (int i = 0; stages[s].names[i] != NULL; i++)
      if (index-- == 0)
        {
          *stage = stages[s].stage;
          return stages[s].names[i];
        }
  return NULL;
}

/** Is `name` one of the files whose fingerprint says whose work this is? */
static bool
tells (const char *name)
{
  size_t n = strlen (name);
  return (n > 3 && strcmp (name + n - 3, ".h5") == 0) || strcmp (name, "samples.h5.part") == 0;
}

/** On one rank: the work that the stage's files tell of. */
static int
look (const char *directory, const char *const *names, const char *fingerprint, vrg_work *work, char difference[256])
{
  *work = VRG_WORK_NONE;
  for (int i = 0; names[i] != NULL; i++)
    {
      char path[VRG_PATH_LENGTH];
      struct stat status;
      vrg_h5 *file = NULL;
      char *found = NULL;
      snprintf (path, sizeof path, "%s/%s", directory, names[i]);
      if (!tells (names[i]) || (stat (path, &status) != 0 && errno == ENOENT))
        continue;
      int code = vrg_h5_open (MPI_COMM_SELF, path, VRG_H5_READ, &file);
      if (code == VRG_OK)
        code = vrg_h5_get_text (file, "/", "fingerprint", &found);
      vrg_h5_close (file);
      if (code != VRG_OK && i == 0)
        return code;
      if (code == VRG_OK && strcmp (found, fingerprint) == 0)
        {
          vrg_free (found);
          *work = i == 0 ? VRG_WORK_FINISHED : VRG_WORK_UNFINISHED;
          difference[0] = '\0';
          return VRG_OK;
        }
      /* a damaged checkpoint is unfinished work, which whoever reads it will report */
      if (code == VRG_OK)
        {
          *work = VRG_WORK_OTHER;
          vrg_param_difference (found, fingerprint, difference, 256);
          vrg_free (found);
        }
      else if (*work == VRG_WORK_NONE)
        *work = VRG_WORK_UNFINISHED;
    }
  return VRG_OK;
}

int
vrg_work_look (MPI_Comm comm, const char *directory, vrg_stage stage, const char *fingerprint, vrg_work *work,
               char difference[256])
{
  int rank, code = VRG_OK;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  memset (difference, 0, 256);
  *work = VRG_WORK_NONE;
  for (size_t s = 0; s < STAGES && rank == 0; s++)
    if (stages[s].stage == stage)
      code = look (directory, stages[s].names, fingerprint, work, difference);
  code = vrg_agree (comm, code);
  vrg_broadcast (comm, work, sizeof *work);
  vrg_broadcast (comm, difference, 256);
  return code;
}

/** On one rank: move what is there; the new directory is made for the first. */
static int
aside (const char *directory, int mask)
{
  char target[VRG_PATH_LENGTH] = "", from[VRG_PATH_LENGTH], to[2 * VRG_PATH_LENGTH];
  for (size_t s = 0; s < STAGES; s++)
    for (int i = 0; (mask & (int) stages[s].stage) != 0 && stages[s].names[i] != NULL; i++)
      {
        struct stat status;
        snprintf (from, sizeof from, "%s/%s", directory, stages[s].names[i]);
        if (lstat (from, &status) != 0)
          continue;
        for (int n = 1; target[0] == '\0'; n++)
          {
            snprintf (target, sizeof target, "%s/old-%d", directory, n);
            if (mkdir (target, 0777) == 0)
              vrg_info ("earlier work is moved to %s", target);
            else if (errno != EEXIST)
              return vrg_error (VRG_FILE, "%s: directory cannot be made: %s", target, strerror (errno));
            else
              target[0] = '\0';
          }
        snprintf (to, sizeof to, "%s/%s", target, stages[s].names[i]);
        if (rename (from, to) != 0)
          return vrg_error (VRG_FILE, "%s: cannot be moved to %s: %s", from, target, strerror (errno));
      }
  if (target[0] != '\0' && (!vrg_file_sync_directory (to) || !vrg_file_sync_directory (from)))
    return vrg_error (VRG_FILE, "%s: cannot be synced to disk: %s", directory, strerror (errno));
  return VRG_OK;
}

int
vrg_work_aside (MPI_Comm comm, const char *directory, int mask)
{
  int rank;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  int code = rank == 0 ? vrg_lock_check () : VRG_OK;
  if (rank == 0 && code == VRG_OK)
    code = aside (directory, mask);
  return vrg_agree (comm, code);
}
