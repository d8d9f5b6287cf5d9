/* SPDX-License-Identifier: GPL-3.0-or-later
 * The sample stage: independent chains of configurations for each coupling, into samples.h5 and sample.tsv.
 *
 * 1. Open the samples file, and go to the step of the newest checkpoint.  The step counts sweeps over all runs.
 * 2. For each run (an ensemble, or all of them where chains are packed): hot start; thermalise; then interval sweeps and a measurement, again and again.
 * 3. When asked to: write what is measured, then a checkpoint, and go on or stop.
 * 4. Seal the samples file, write the table from it, remove the checkpoints; made up for if a run ended in between. */
#include "sample/sample.h"

#include <stdio.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "files/checkpoint.h"
#include "files/samples.h"
#include "sample/chains.h"
#include "sample/estimates.h"
#include "sample/saved.h"

#define STAGE VRG_SAVED_STAGE

typedef struct
{
  const vrg_grid *grid;
  const vrg_input *input;
  const char *directory;
  char *fingerprint;
  vrg_stop *stop;
  vrg_samples *samples;
  vrg_chains *chains;
  int64_t sweeps;    /* of a run */
  uint64_t *resumed; /* the checkpoint's spins, until a run begins */
} sampling;

/** 1.  *step: where to go on, 0 for the beginning.  Collective. */
static int
begin (sampling *s, int64_t *step)
{
  int status = vrg_samples_begin (s->grid, s->directory, s->input, &s->samples);
  if (status == VRG_OK)
    status = vrg_saved_read (s->chains, s->samples, s->directory, s->fingerprint, step, &s->resumed);
  if (status == VRG_OK && *step > 0 && !vrg_samples_reopened (s->samples))
    {
      vrg_warn ("%s/samples.h5.part is missing: sampling starts again from the beginning", s->directory);
      *step = 0;
      status = vrg_checkpoint_remove (s->grid, s->directory, STAGE);
    }
  return status;
}

/** 2. and 3.  One run from sweep `done` on.  Collective. */
static int
sample_run (sampling *s, int run, int64_t done)
{
  const int64_t thermalization = s->input->thermalization, interval = s->input->interval;
  vrg_chains *chains = s->chains;
  int status = VRG_OK;
  char hot[80], what[80];
  vrg_progress progress;
  vrg_chains_tell (chains, s->input, run, "thermalizing", hot);
  vrg_chains_tell (chains, s->input, run, "sampling", what);
  vrg_progress_begin (&progress, done < thermalization ? hot : what, "sweeps", done, s->sweeps);
  vrg_progress_part (&progress, run * s->sweeps, chains->runs * s->sweeps);
  vrg_chains_begin (chains, run, done > 0 ? s->resumed : NULL);
  vrg_free (s->resumed);
  s->resumed = NULL;
  chains->time = done > thermalization ? (done - thermalization) / interval : 0;
  vrg_stop_loop (s->stop);
  while (done < s->sweeps && status == VRG_OK)
    {
      bool thermal = done >= thermalization;
      int64_t n = thermal ? interval : 1;
      if (done == thermalization)
        vrg_stop_loop (s->stop);
      vrg_chains_sweep (chains, done, n);
      if (thermal)
        vrg_chains_measure (chains);
      done += n;
      vrg_progress_rename (&progress, done < thermalization ? hot : what);
      vrg_progress_update (&progress, done);

      vrg_action action = vrg_stop_poll (s->stop);
      bool ready = action != VRG_GO || chains->times == chains->capacity || done == s->sweeps;
      if (ready && chains->times > 0)
        status = vrg_chains_flush (chains, s->samples);
      if (action != VRG_GO && status == VRG_OK)
        {
          status = vrg_saved_write (chains, s->samples, s->directory, s->fingerprint, run * s->sweeps + done,
                                    s->sweeps * chains->runs);
          vrg_stop_saved (s->stop);
        }
      if (action == VRG_STOP && status == VRG_OK)
        status = VRG_STOPPED;
    }
  vrg_chains_end (chains);
  vrg_progress_end (&progress, done);
  return status;
}

/** Steps 1 to 3, and the samples file its final name.  Collective. */
static int
sample (sampling *s)
{
  int64_t step = 0, times = (s->input->configurations + s->input->chains - 1) / s->input->chains;
  s->sweeps = s->input->thermalization + times * s->input->interval;
  s->chains = vrg_chains_new (s->grid, s->input, times);
  int status = begin (s, &step);
  for (int run = 0; run < s->chains->runs && status == VRG_OK; run++)
    {
      int64_t done = step - run * s->sweeps;
      if (done < s->sweeps)
        status = sample_run (s, run, done > 0 ? done : 0);
    }
  vrg_free (s->resumed);
  if (status == VRG_OK)
    {
      status = vrg_samples_finish (s->samples);
      s->samples = NULL;
    }
  vrg_samples_close (s->samples);
  vrg_chains_free (s->chains);
  return status;
}

/** 4.  Also for a run that was killed between these steps.  Collective. */
static int
finish (sampling *s, bool write_table)
{
  int status = VRG_OK;
  char path[VRG_PATH_LENGTH + 16];
  snprintf (path, sizeof path, "%s/sample.tsv", s->directory);
  if (write_table || !vrg_file_exists (s->grid->world, path))
    {
      vrg_samples *samples;
      snprintf (path, sizeof path, "%s/samples.h5", s->directory);
      status = vrg_samples_open (s->grid->file, path, &samples);
      if (status == VRG_OK)
        status = vrg_samples_check (samples, s->input);
      if (status == VRG_OK)
        status = vrg_estimates_table (s->grid, s->directory, samples);
      vrg_samples_close (samples);
    }
  return status == VRG_OK ? vrg_checkpoint_remove (s->grid, s->directory, STAGE) : status;
}

int
vrg_sample (MPI_Comm world, const vrg_input *input, const char *directory, vrg_stop *stop)
{
  int ranks, strips;
  char why[256], difference[256];
  VRG_MPI (MPI_Comm_size (world, &ranks));
  int status = vrg_chains_grid (ranks, input, &strips, why);
  if (status != VRG_OK)
    return status;

  vrg_grid *grid = vrg_grid_new (world, strips);
  sampling s = { .grid = grid, .input = input, .directory = directory, .stop = stop };
  s.fingerprint = vrg_param_fingerprint (input, VRG_STAGE_SAMPLE);
  vrg_work work = VRG_WORK_NONE;
  status = vrg_work_look (grid->world, directory, VRG_STAGE_SAMPLE, s.fingerprint, &work, difference);
  bool finished = work == VRG_WORK_FINISHED;
  if (status == VRG_OK && !finished)
    {
      vrg_info (STAGE ": %s", why);
      status = sample (&s);
    }
  if (status == VRG_OK)
    status = finish (&s, !finished);
  if (!finished)
    vrg_grid_tell_memory (s.grid, STAGE);
  vrg_free (s.fingerprint);
  vrg_grid_free (grid);
  return status;
}
