/* SPDX-License-Identifier: GPL-3.0-or-later
 * Stages in a run directory: what does it hold, and whose work is it?  Refuse, move aside, continue. */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "cli/app.h"
#include "files/lock.h"
#include "flow/flow.h"
#include "parallel/grid.h"
#include "parallel/limit.h"
#include "parallel/stop.h"
#include "parallel/watch.h"
#include "report/report.h"
#include "sample/chains.h"
#include "sample/sample.h"
#include "train/train.h"

const vrg_stage vrg_app_stages[VRG_STAGES] = { VRG_STAGE_SAMPLE, VRG_STAGE_TRAIN, VRG_STAGE_FLOW };
const char *const vrg_app_final_files[VRG_STAGES] = { "samples.h5", "model.h5", "flow.h5" };

int
vrg_app_look (const vrg_app *a, const vrg_input *input, const char *directory, int s, vrg_work *work,
              char difference[256])
{
  char *fingerprint = vrg_param_fingerprint (input, vrg_app_stages[s]);
  const int code = vrg_work_look (a->world, directory, vrg_app_stages[s], fingerprint, work, difference);
  vrg_free (fingerprint);
  return code;
}

static int
other_work (const char *directory, int s, const char *difference)
{
  return vrg_error (VRG_USAGE,
                    "%s holds a %s stage of other parameters (%s): choose another directory with --out, or "
                    "--fresh to move that work aside",
                    directory, vrg_stage_name (vrg_app_stages[s]), difference);
}

int
vrg_app_advise (const vrg_app *a, const char *directory, int code)
{
  char path[VRG_PATH_LENGTH];
  for (int s = 0; s < VRG_STAGES && code == VRG_FILE; s++)
    {
      const int length = snprintf (path, sizeof path, "%s/%s:", directory, vrg_app_final_files[s]);
      if (!strncmp (vrg_error_text (), path, (size_t) length))
        return vrg_error (code, "%s; run `vrg %s %s%s%s --fresh` to make it anew (the old one is kept aside)",
                          vrg_error_text (), vrg_stage_name (vrg_app_stages[s]), a->args[0], a->out ? " --out " : "",
                          a->out ? a->out : "");
    }
  return code;
}

/** Is a stage that another one needs finished? */
static int
need (const vrg_app *a, const vrg_input *input, const char *directory, int s)
{
  vrg_work work;
  char difference[256];
  const int code = vrg_app_look (a, input, directory, s, &work, difference);
  if (code != VRG_OK || work == VRG_WORK_FINISHED)
    return code;
  if (work == VRG_WORK_OTHER)
    return vrg_error (VRG_FILE,
                      "%s/%s is of other parameters (%s): choose another directory with --out, or run `vrg %s`",
                      directory, vrg_app_final_files[s], difference, vrg_stage_name (vrg_app_stages[s]));
  return vrg_error (VRG_FILE, "%s/%s is %s: run `vrg %s %s` first", directory, vrg_app_final_files[s],
                    work == VRG_WORK_NONE ? "missing" : "not finished", vrg_stage_name (vrg_app_stages[s]), a->args[0]);
}

static int
run_stage (const vrg_app *a, const vrg_input *input, const char *directory, int s, vrg_stop *stop)
{
  return vrg_app_stages[s] == VRG_STAGE_SAMPLE  ? vrg_sample (a->world, input, directory, stop)
         : vrg_app_stages[s] == VRG_STAGE_TRAIN ? vrg_train (a->world, input, directory, stop)
                                                : vrg_flow (a->world, input, directory, stop);
}

/** What of `wanted` there is to do: upstream work there, own work not somebody else's; --fresh. */
static int
prepare (const vrg_app *a, const vrg_input *input, const char *directory, int wanted, vrg_work works[VRG_STAGES],
         vrg_lock **lock)
{
  char difference[256];
  int code = VRG_OK, later = 0;
  if (!(wanted & VRG_STAGE_SAMPLE))
    code = need (a, input, directory, 0);
  if (code == VRG_OK && wanted == VRG_STAGE_FLOW && vrg_input_flow_needs_model (input))
    code = need (a, input, directory, 1);
  for (int s = 0; s < VRG_STAGES; s++)
    if (later || wanted & (int) vrg_app_stages[s])
      later |= (int) vrg_app_stages[s];
  if (code == VRG_OK)
    code = vrg_directory_make (a->world, directory);
  if (code == VRG_OK)
    code = vrg_lock_take (a->world, directory, lock);
  if (code == VRG_OK && a->fresh != NULL)
    code = vrg_work_aside (a->world, directory, later);
  for (int s = 0; s < VRG_STAGES && code == VRG_OK; s++)
    if (wanted & (int) vrg_app_stages[s])
      {
        code = vrg_app_look (a, input, directory, s, &works[s], difference);
        /* later stages of other parameters give way, but only in a directory that is ours: its samples are */
        if (code == VRG_OK && works[s] == VRG_WORK_OTHER
            && (s == 0 || (wanted & VRG_STAGE_SAMPLE && works[0] != VRG_WORK_FINISHED)))
          code = other_work (directory, s, difference);
        else if (code == VRG_OK && works[s] == VRG_WORK_OTHER)
          vrg_info ("%s: the parameters have changed (%s)", vrg_stage_name (vrg_app_stages[s]), difference);
      }
  return code;
}

/** For `vrg status`. */
static void
tell_plan (int wanted, bool report)
{
  char text[64];
  int n = 0;
  for (int s = 0; s < VRG_STAGES; s++)
    if (wanted & (int) vrg_app_stages[s])
      n += snprintf (text + n, sizeof text - (size_t) n, "%s ", vrg_stage_name (vrg_app_stages[s]));
  snprintf (text + n, sizeof text - (size_t) n, "%s", report ? "report" : "");
  vrg_progress_plan (text);
}

int
vrg_app_run (vrg_app *a, int wanted, bool report)
{
  vrg_input input;
  vrg_work works[VRG_STAGES] = { VRG_WORK_NONE, VRG_WORK_NONE, VRG_WORK_NONE };
  vrg_lock *lock = NULL;
  char directory[VRG_PATH_LENGTH];
  double seconds;
  int code = vrg_app_read_input (a, &input);
  if (code == VRG_OK)
    code = vrg_app_directory (a, &input, directory);
  if (code == VRG_OK)
    code = vrg_limit_read (a->world, a->time, &seconds);
  if (code != VRG_OK)
    return code;
  if (input.model == VRG_MODEL_NONE && wanted & VRG_STAGE_TRAIN)
    {
      vrg_info ("train: nothing to do ([train] model = none)");
      wanted &= ~VRG_STAGE_TRAIN;
      if (!wanted)
        return VRG_OK;
    }
  if (!vrg_flow_can (&input) && wanted & VRG_STAGE_FLOW && wanted != VRG_STAGE_FLOW)
    {
      vrg_info ("flow: left out (not with a field)");
      wanted &= ~VRG_STAGE_FLOW;
    }
  if (wanted & VRG_STAGE_FLOW)
    code = vrg_flow_check (&input);
  int strips;
  char why[256];
  if (code == VRG_OK && wanted & VRG_STAGE_SAMPLE)
    code = vrg_chains_grid (a->ranks, &input, &strips, why); /* before anything is written */
  vrg_stop stop;
  vrg_stop_init (&stop, a->world, seconds, 60 * input.interval_minutes);
  stop.directory = directory;
  stop.share = input.share;
  if (code == VRG_OK)
    code = prepare (a, &input, directory, wanted, works, &lock);
  if (code != VRG_OK)
    {
      vrg_lock_release (lock);
      return vrg_app_advise (a, directory, code);
    }

  vrg_watch *watch = vrg_watch_begin (a->world, directory, 60 * input.timeout_minutes);
  vrg_grid *grid = vrg_grid_new (a->world, 1);
  tell_plan (wanted, report);
  for (int s = 0; s < VRG_STAGES && code == VRG_OK; s++)
    if (wanted & (int) vrg_app_stages[s])
      {
        const char *name = vrg_stage_name (vrg_app_stages[s]);
        vrg_progress_stage (name);
        if (works[s] == VRG_WORK_FINISHED)
          {
            vrg_info ("%s: finished already (%s/%s)", name, directory, vrg_app_final_files[s]);
            code = vrg_agree (a->world, run_stage (a, &input, directory, s, &stop)); /* it tidies up after a kill */
            continue;
          }
        if (works[s] == VRG_WORK_OTHER)
          code = vrg_work_aside (a->world, directory, (int) vrg_app_stages[s]);
        if (code == VRG_OK)
          code = vrg_agree (a->world, run_stage (a, &input, directory, s, &stop));
        if (code == VRG_OK)
          vrg_info ("%s: done (%s/%s)", name, directory, vrg_app_final_files[s]);
      }
  if (code == VRG_OK && report)
    {
      vrg_progress_stage ("report");
      code = vrg_report (grid, directory);
    }
  vrg_grid_free (grid);
  vrg_watch_end (watch);
  if (code == VRG_OK || code == VRG_STOPPED)
    vrg_stop_obeyed (&stop);
  vrg_lock_release (lock);
  if (code == VRG_STOPPED)
    vrg_info ("stopped early with a good checkpoint in %s; the same command%s goes on from there (exit code %d)",
              directory, a->fresh != NULL ? " without --fresh" : "", VRG_STOPPED);
  return vrg_app_advise (a, directory, code);
}
