/* SPDX-License-Identifier: GPL-3.0-or-later
 * Two alternating generations, DIR/checkpoint-STAGE.{0,1}.h5.  A generation is written to .tmp, sealed with
 * checksums, read back, synced, renamed.  Reading takes the newest good one and logs why another was passed over. */
#ifndef VRG_FILES_CHECKPOINT_H
#define VRG_FILES_CHECKPOINT_H

#include "base/param.h"
#include "files/h5.h"
#include "parallel/grid.h"

/** Write the next generation.  step: the stage's progress, grows from one to the next.  total: what step ends at.
 *  Collective; VRG_FILE leaves the older generation as it was. */
int vrg_checkpoint_write (const vrg_grid *grid, const char *directory, const char *stage, const char *fingerprint,
                          int64_t step, int64_t total, int n, const vrg_h5_array *arrays);

/** Read the newest good generation into the arrays (dims must agree; slabs may differ from the writer's).
 *  *step = -1 and VRG_OK if there is none.  One that is damaged or of another fingerprint is passed over, with a
 *  warning, and renamed to .damaged or .other; none good: VRG_FILE.  Logs "stage: resumed from FILE at step ...".
 *  Collective. */
int vrg_checkpoint_read (const vrg_grid *grid, const char *directory, const char *stage, const char *fingerprint,
                         int64_t *step, int n, const vrg_h5_array *arrays);

/** The same where the file itself says what it holds: `plan` looks into it and gives the arrays to read, which stay the
 *  context's.  It may be called again, for the other generation.  Collective. */
typedef int vrg_checkpoint_plan (vrg_h5 *file, void *context, int *n, const vrg_h5_array **arrays);
int vrg_checkpoint_read_planned (const vrg_grid *grid, const char *directory, const char *stage,
                                 const char *fingerprint, int64_t *step, vrg_checkpoint_plan *plan, void *context);

/** The stage is finished: remove its generations.  Collective. */
int vrg_checkpoint_remove (const vrg_grid *grid, const char *directory, const char *stage);

/** What a run directory holds of a stage. */
typedef enum
{
  VRG_WORK_NONE,       /* nothing */
  VRG_WORK_UNFINISHED, /* ours, with a checkpoint (or a .part only: from the start) */
  VRG_WORK_FINISHED,   /* ours, complete */
  VRG_WORK_OTHER       /* of other parameters */
} vrg_work;

/** Compare DIRECTORY's final file (samples.h5, model.h5, flow.h5) and checkpoints of the stage with the fingerprint;
 *  difference: first difference in words when VRG_WORK_OTHER.  VRG_FILE if a final file cannot be read.  Collective. */
int vrg_work_look (MPI_Comm comm, const char *directory, vrg_stage stage, const char *fingerprint, vrg_work *work,
                   char difference[256]);

/** Move the final file, tables, .part and checkpoints of the stages in the mask into a new DIRECTORY/old-N.  Nothing
 *  is deleted.  Collective. */
int vrg_work_aside (MPI_Comm comm, const char *directory, int stages);

/** Names of all files and directories that stages leave in a run directory, the final file of each stage first; NULL after
 *  the last.  stage: whose it is.  Local. */
const char *vrg_work_name (int index, vrg_stage *stage);

#endif
