/* SPDX-License-Identifier: GPL-3.0-or-later
 * Checkpoints: round trip over ranks and slabs, damage, generations; what a run directory holds.
 * ranks: 1 2 3 4 */
#include "check.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/progress.h"
#include "files/checkpoint.h"
#include "scratch.h"

#define ROWS 37
#define COLUMNS 11

/* what this rank asked of the disk: f a file synced, d a directory, r renamed */
static char asked[256];

static void
ask (const char *what)
{
  if (strlen (asked) + 1 < sizeof asked)
    strcat (asked, what);
}

int
fsync (int descriptor)
{
  struct stat status;
  ask (fstat (descriptor, &status) == 0 && S_ISDIR (status.st_mode) ? "d" : "f");
  return (int) syscall (SYS_fsync, descriptor);
}

int
rename (const char *from, const char *to)
{
  ask ("r");
  return (int) syscall (SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

typedef struct
{
  uint64_t *spins;
  double weights[5];
  int64_t counters[3];
  vrg_h5_array arrays[3];
} state;

/** A state at a step, cut by rows or by columns. */
static void
state_init (state *s, bool by_columns)
{
  int64_t first, last, cut = by_columns ? COLUMNS : ROWS;
  vrg_grid_span (cut, check_size_, check_rank_, &first, &last);
  s->spins = vrg_new ((last - first) * (ROWS * COLUMNS / cut), 8, "test");
  s->arrays[0] = (vrg_h5_array){ .name = "/lattice/spins",
                                 .type = VRG_U64,
                                 .rank = 2,
                                 .dims = { ROWS, COLUMNS },
                                 .first = { by_columns ? 0 : first, by_columns ? first : 0 },
                                 .count = { by_columns ? ROWS : last - first, by_columns ? last - first : COLUMNS },
                                 .data = s->spins };
  s->arrays[1] = (vrg_h5_array){
    .name = "/weights", .type = VRG_F64, .rank = 1, .dims = { 5 }, .replicated = true, .data = s->weights
  };
  s->arrays[2] = (vrg_h5_array){
    .name = "/counters", .type = VRG_I64, .rank = 1, .dims = { 3 }, .replicated = true, .data = s->counters
  };
}

/** Set to what it is at a step, or compare with that. */
static bool
state_visit (state *s, int64_t step, bool fill)
{
  const vrg_h5_array *a = &s->arrays[0];
  uint64_t *at = s->spins;
  bool good = true;
  for (int64_t y = a->first[0]; y < a->first[0] + a->count[0]; y++)
    for (int64_t x = a->first[1]; x < a->first[1] + a->count[1]; x++, at++)
      {
        uint64_t value = (uint64_t) ((step * ROWS + y) * COLUMNS + x) * UINT64_C (0x9e3779b97f4a7c15);
        if (fill)
          *at = value;
        good = good && *at == value;
      }
  for (int i = 0; i < 5; i++)
    {
      double value = 1.0 / (double) (step + i + 1);
      if (fill)
        s->weights[i] = value;
      good = good && s->weights[i] == value;
    }
  if (fill)
    s->counters[0] = step;
  return good && s->counters[0] == step;
}

static int
write_step (const vrg_grid *grid, int64_t step, const char *fingerprint)
{
  state s = { .counters = { 0 } };
  state_init (&s, false);
  state_visit (&s, step, true);
  int code = vrg_checkpoint_write (grid, scratch_directory, "sample", fingerprint, step, 100, 3, s.arrays);
  vrg_free (s.spins);
  return code;
}

/** Read into other slabs than those written; does it hold what it should? */
static int
read_step (const vrg_grid *grid, int64_t *step, const char *fingerprint, bool *right)
{
  state s;
  memset (&s, 0, sizeof s);
  state_init (&s, true);
  int code = vrg_checkpoint_read (grid, scratch_directory, "sample", fingerprint, step, 3, s.arrays);
  *right = code == VRG_OK && *step >= 0 && state_visit (&s, *step, false);
  vrg_free (s.spins);
  return code;
}

static void
expect (const vrg_grid *grid, int64_t expected, const char *text)
{
  int64_t step = -7;
  bool right;
  int code = read_step (grid, &step, "key = 1\n", &right);
  check (code == VRG_OK && step == expected && right, "%s: resumed at step %lld", text, (long long) expected);
}

static void
generations (const vrg_grid *grid)
{
  const char *path[2] = { scratch_path ("checkpoint-sample.0.h5"), scratch_path ("checkpoint-sample.1.h5") };
  int64_t step = 0;
  bool right;
  check (read_step (grid, &step, "key = 1\n", &right) == VRG_OK && step == -1, "nothing is there");
  check (write_step (grid, 10, "key = 1\n") == VRG_OK, "written");
  const size_t n = strlen (asked);
  check (check_rank_ > 0 || (n >= 3 && strcmp (asked + n - 3, "frd") == 0 && strchr (asked, 'r') == asked + n - 2),
         "synced, renamed, its directory synced (%s)", asked);
  expect (grid, 10, "one generation");
  check (write_step (grid, 20, "key = 1\n") == VRG_OK && write_step (grid, 30, "key = 1\n") == VRG_OK, "two more");
  check (scratch_size (path[0]) > 0 && scratch_size (path[1]) > 0
           && scratch_size (scratch_path ("checkpoint-sample.0.h5.tmp")) < 0
           && scratch_size (scratch_path ("checkpoint-sample.1.h5.tmp")) < 0,
         "two generations and no temporary file");
  expect (grid, 30, "the newest");

  check (read_step (grid, &step, "key = 2\n", &right) == VRG_FILE
           && strstr (vrg_error_text (), "other parameters") != NULL && step == -1,
         "of other parameters: refused");

  /* damage to the newest, of several kinds: the other one is used; then it is the one that is replaced */
  int64_t size = scratch_size (path[0]);
  vrg_log_init (false, VRG_LOG_WARNING);
  scratch_truncate (path[0], size / 2);
  expect (grid, 20, "newest is cut short");
  scratch_truncate (path[0], 0);
  expect (grid, 20, "newest is empty");
  check (write_step (grid, 40, "key = 1\n") == VRG_OK && scratch_size (path[0]) == size, "the damaged one is replaced");
  expect (grid, 40, "and good again");
  check (write_step (grid, 50, "key = 1\n") == VRG_OK, "the other is written");
  vrg_h5 *file;
  vrg_h5_open (grid->file, path[1], VRG_H5_MODIFY, &file);
  vrg_h5_put_int (file, "/", "step", 60);
  vrg_h5_close (file);
  expect (grid, 40, "newest claims another step");
  check (scratch_size (path[1]) < 0, "and is put out of the way");
  check (write_step (grid, 50, "key = 1\n") == VRG_OK && scratch_size (path[1]) == size, "so that it is replaced next");

  scratch_truncate (path[0], size - 1000);
  scratch_truncate (path[1], size - 1000);
  int code = read_step (grid, &step, "key = 1\n", &right);
  check (code == VRG_FILE && strstr (vrg_error_text (), path[0]) != NULL && strstr (vrg_error_text (), path[1]) != NULL
           && strstr (vrg_error_text (), "--fresh") != NULL,
         "both damaged: both are named");
  vrg_log_init (check_rank_ == 0, VRG_LOG_WARNING);

  vrg_checkpoint_remove (grid, scratch_directory, "sample");
  vrg_log_init (false, VRG_LOG_WARNING);
  write_step (grid, 70, "key = 2\n");
  write_step (grid, 10, "key = 1\n");
  expect (grid, 10, "newest is of another run");
  check (scratch_size (path[0]) < 0 && scratch_size (scratch_path ("checkpoint-sample.0.h5.other")) > 0,
         "which is kept, out of the way");
  write_step (grid, 5, "key = 2\n");
  expect (grid, 10, "another run's, of a lower step");
  check (scratch_size (path[0]) < 0 && scratch_size (scratch_path ("checkpoint-sample.0.h5.other")) > 0
           && scratch_size (scratch_path ("checkpoint-sample.0.h5.other-2")) > 0,
         "is put out of the way as well, beside the first");
  vrg_log_init (check_rank_ == 0, VRG_LOG_WARNING);

  vrg_checkpoint_remove (grid, scratch_directory, "sample");
  write_step (grid, 10, "key = 1\n");
  write_step (grid, 20, "key = 1\n");
  check (write_step (grid, 20, "key = 1\n") == VRG_OK, "the same step again, with more done");
  scratch_truncate (path[1], 0);
  vrg_log_init (false, VRG_LOG_WARNING);
  expect (grid, 10, "has replaced that of its step");
  vrg_log_init (check_rank_ == 0, VRG_LOG_WARNING);

  check (vrg_checkpoint_remove (grid, scratch_directory, "sample") == VRG_OK && scratch_size (path[0]) < 0
           && scratch_size (path[1]) < 0,
         "removed");
  check (vrg_checkpoint_remove (grid, scratch_directory, "sample") == VRG_OK, "removed again");
}

/** Flip every 97th byte: each time the file is refused, or nothing of what it says has changed. */
static void
flips (const vrg_grid *grid)
{
  const char *path = scratch_path ("checkpoint-sample.0.h5");
  write_step (grid, 1, "key = 1\n");
  int64_t size = scratch_size (path), refused = 0, same = 0, wrong = 0;
  vrg_log_init (false, VRG_LOG_WARNING);
  for (int64_t at = 0; at < size; at += 97)
    {
      int64_t step;
      bool right;
      scratch_flip (path, at);
      int code = read_step (grid, &step, "key = 1\n", &right);
      refused += code == VRG_FILE;
      same += code == VRG_OK && right && step == 1;
      wrong += code != VRG_FILE && !(code == VRG_OK && right && step == 1);
      scratch_flip (path, at);
    }
  vrg_log_init (check_rank_ == 0, VRG_LOG_WARNING);
  check (wrong == 0 && refused > 0, "%lld flipped bits: %lld refused, %lld without effect",
         (long long) (refused + same + wrong), (long long) refused, (long long) same);
  vrg_checkpoint_remove (grid, scratch_directory, "sample");
}

static void
failing (const vrg_grid *grid)
{
  state s = { .counters = { 0 } };
  state_init (&s, false);
  int code = vrg_checkpoint_write (grid, scratch_path ("none"), "sample", "key = 1\n", 1, 100, 3, s.arrays);
  check (code == VRG_FILE && strstr (vrg_error_text (), "cannot be created") != NULL, "a directory that is missing");
  vrg_free (s.spins);
}

static void
look (const vrg_grid *grid, const char *fingerprint, vrg_work expected, const char *text)
{
  vrg_work work;
  char difference[256];
  int code = vrg_work_look (grid->world, scratch_directory, VRG_STAGE_SAMPLE, fingerprint, &work, difference);
  check (code == VRG_OK && work == expected && (difference[0] != '\0') == (expected == VRG_WORK_OTHER), "%s", text);
}

static void
work (const vrg_grid *grid)
{
  const char *ours = "[sample] interval = 5\n", *other = "[sample] interval = 6\n";
  vrg_h5 *file;
  look (grid, ours, VRG_WORK_NONE, "an empty directory");
  write_step (grid, 1, ours);
  look (grid, ours, VRG_WORK_UNFINISHED, "a checkpoint of ours");
  look (grid, other, VRG_WORK_OTHER, "a checkpoint of other work");
  vrg_h5_open (grid->file, scratch_path ("samples.h5"), VRG_H5_CREATE, &file);
  vrg_h5_put_text (file, "/", "fingerprint", other);
  vrg_h5_close (file);
  look (grid, other, VRG_WORK_FINISHED, "a final file");
  look (grid, ours, VRG_WORK_UNFINISHED, "other work that is finished, and a checkpoint of ours");
  look (grid, "[sample] interval = 7\n", VRG_WORK_OTHER, "neither of ours");
  scratch_truncate (scratch_path ("sample.tsv"), 10);
  scratch_truncate (scratch_path ("train.tsv"), 10);

  check (vrg_work_aside (grid->world, scratch_directory, VRG_STAGE_SAMPLE) == VRG_OK
           && scratch_size (scratch_path ("old-1/samples.h5")) > 0
           && scratch_size (scratch_path ("old-1/sample.tsv")) == 10
           && scratch_size (scratch_path ("old-1/checkpoint-sample.0.h5")) > 0
           && scratch_size (scratch_path ("samples.h5")) < 0 && scratch_size (scratch_path ("train.tsv")) == 10,
         "moved aside, that stage alone");
  look (grid, ours, VRG_WORK_NONE, "nothing is left");
  check (vrg_work_aside (grid->world, scratch_directory, VRG_STAGE_SAMPLE) == VRG_OK
           && scratch_size (scratch_path ("old-2")) < 0,
         "nothing to move makes no directory");
  check (vrg_work_aside (grid->world, scratch_directory, VRG_STAGE_SAMPLE | VRG_STAGE_TRAIN) == VRG_OK
           && scratch_size (scratch_path ("old-2/train.tsv")) == 10,
         "the next one has the next number");

  scratch_truncate (scratch_path ("samples.h5"), 100);
  vrg_work found;
  char difference[256];
  check (vrg_work_look (grid->world, scratch_directory, VRG_STAGE_SAMPLE, ours, &found, difference) == VRG_FILE,
         "a final file that cannot be read");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  scratch_begin ();
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  generations (grid);
  double begun = vrg_clock ();
  for (int i = 0; i < 10; i++)
    write_step (grid, i, "key = 1\n");
  if (check_rank_ == 0)
    printf ("# %.1f ms a checkpoint\n", (vrg_clock () - begun) * 100);
  vrg_checkpoint_remove (grid, scratch_directory, "sample");
  flips (grid);
  failing (grid);
  work (grid);
  vrg_grid_free (grid);
  scratch_end ();
  return check_end ();
}
