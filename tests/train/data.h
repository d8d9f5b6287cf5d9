/* SPDX-License-Identifier: GPL-3.0-or-later
 * A directory with a samples.h5 of given configurations, and training in it on any of the ranks. */
#ifndef VRG_TESTS_TRAIN_DATA_H
#define VRG_TESTS_TRAIN_DATA_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files/samples.h"
#include "files/table.h"
#include "tests/check.h"
#include "train/train.h"

/** A new directory, the same on every rank. */
static inline const char *
data_directory (void)
{
  static char name[64];
  strcpy (name, "train-XXXXXX");
  if (check_rank_ == 0 && !mkdtemp (name))
    vrg_fail_one (VRG_FILE, "cannot make %s", name);
  MPI_Bcast (name, sizeof name, MPI_CHAR, 0, MPI_COMM_WORLD);
  return name;
}

static inline void
data_remove (const char *directory)
{
  MPI_Barrier (MPI_COMM_WORLD);
  if (check_rank_ == 0)
    {
      const char *const files[] = { "samples.h5", "samples.h5.part",       "model.h5",
                                    "train.tsv",  "checkpoint-train.0.h5", "checkpoint-train.1.h5" };
      char path[256];
      for (size_t k = 0; k < sizeof files / sizeof *files; k++)
        {
          snprintf (path, sizeof path, "%s/%s", directory, files[k]);
          unlink (path);
        }
      if (rmdir (directory) != 0)
        fprintf (stderr, "# %s is not empty\n", directory);
    }
  MPI_Barrier (MPI_COMM_WORLD);
}

static inline vrg_input
data_input (const char *text)
{
  vrg_input input;
  if (vrg_param_parse ("test", text, 0, NULL, &input) != VRG_OK)
    vrg_fail_one (VRG_USAGE, "%s", vrg_error_text ());
  return input;
}

/** Write the input's samples (one coupling, one chain), spins [sample][row][word]; rank 0 alone works. */
static inline void
data_write (const char *directory, const vrg_input *input, const uint64_t *spins)
{
  if (check_rank_ == 0)
    {
      const int64_t n = input->configurations;
      vrg_observation *zero = vrg_new (n, sizeof *zero, "series");
      vrg_grid *grid = vrg_grid_new (MPI_COMM_SELF, 1);
      vrg_samples *samples = NULL;
      if (vrg_samples_begin (grid, directory, input, &samples) != VRG_OK
          || vrg_samples_write (samples, 0, 0, n, 0, 1, 0, input->size[0], spins, zero) != VRG_OK
          || vrg_samples_finish (samples) != VRG_OK)
        vrg_fail_one (VRG_FILE, "%s", vrg_error_text ());
      vrg_grid_free (grid);
      vrg_free (zero);
    }
  MPI_Barrier (MPI_COMM_WORLD);
}

/** Train on the first `ranks` ranks.  stops: not NULL, every update is followed by a stop and a restart, and they are
 *  counted.  The status is the same on all ranks. */
static inline int
data_train (int ranks, const vrg_input *input, const char *directory, int *stops)
{
  MPI_Comm comm;
  int status = VRG_OK;
  MPI_Comm_split (MPI_COMM_WORLD, check_rank_ < ranks ? 0 : MPI_UNDEFINED, 0, &comm);
  if (comm != MPI_COMM_NULL)
    {
      vrg_stop stop;
      do
        {
          vrg_stop_init (&stop, comm, 0, stops ? 0 : 1e6);
          if (stops)
            stop.deadline = 0;
          status = vrg_train (comm, input, directory, &stop);
          if (stops && status == VRG_STOPPED)
            ++*stops;
        }
      while (stops && status == VRG_STOPPED);
      MPI_Comm_free (&comm);
    }
  MPI_Bcast (&status, 1, MPI_INT, 0, MPI_COMM_WORLD);
  return status;
}

/** Rank 0's model.h5 (NULL on the others). */
static inline vrg_model *
data_model (const char *directory)
{
  vrg_model *model = NULL;
  if (check_rank_ == 0)
    {
      char path[256];
      vrg_grid *grid = vrg_grid_new (MPI_COMM_SELF, 1);
      snprintf (path, sizeof path, "%s/model.h5", directory);
      if (vrg_model_read (grid, path, &model, NULL) != VRG_OK)
        vrg_fail_one (VRG_FILE, "%s", vrg_error_text ());
      vrg_grid_free (grid);
    }
  return model;
}

static inline int64_t
data_weights (const vrg_model *model)
{
  return model->hidden
         * (model->type == VRG_MODEL_DENSE ? model->rows * model->columns : model->filter * model->filter);
}

/** The same bits (NULL: the same nothing). */
static inline bool
data_same (const vrg_model *a, const vrg_model *b)
{
  if (!a || !b)
    return a == b;
  const size_t visible = a->type == VRG_MODEL_DENSE ? (size_t) (a->rows * a->columns) : 1;
  return a->updates == b->updates && a->epochs == b->epochs
         && memcmp (a->weights, b->weights, (size_t) data_weights (a) * sizeof (double)) == 0
         && memcmp (a->visible_bias, b->visible_bias, visible * sizeof (double)) == 0
         && memcmp (a->hidden_bias, b->hidden_bias, (size_t) a->hidden * sizeof (double)) == 0;
}

/** Rank 0's train.tsv without its comments (NULL on the others). */
static inline vrg_table_data *
data_table (const char *directory)
{
  vrg_table_data *table = NULL;
  char path[256];
  snprintf (path, sizeof path, "%s/train.tsv", directory);
  if (check_rank_ == 0 && vrg_table_read (path, &table) != VRG_OK)
    vrg_fail_one (VRG_FILE, "%s", vrg_error_text ());
  return table;
}

static inline bool
data_same_table (const vrg_table_data *a, const vrg_table_data *b)
{
  if (!a || !b)
    return a == b;
  bool same = a->rows == b->rows && a->columns == b->columns;
  for (int k = 0; same && k < a->rows * a->columns; k++)
    same = strcmp (a->cell[k], b->cell[k]) == 0;
  return same;
}

#endif
