/* SPDX-License-Identifier: GPL-3.0-or-later
 * A directory with a samples.h5 of given configurations, and training in it on any of the ranks. */
#ifndef VRG_TESTS_TRAIN_DATA_H
#define VRG_TESTS_TRAIN_DATA_H

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files/model.h"
#include "files/samples.h"
#include "files/table.h"
#include "lattice/lattice.h"
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
      const char *const files[]
        = { "samples.h5",  "samples.h5.part",       "model.h5",   "train.tsv",        "checkpoint-train.0.h5",
            "learnt.h5",   "checkpoint-train.1.h5", "fields.tsv", "interactions.tsv", "model-samples.tsv",
            "spectrum.h5", "reconstructions.tsv" };
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

/** Write the input's samples (one chain), spins [ensemble][sample][row][word]; rank 0 alone works. */
static inline void
data_write (const char *directory, const vrg_input *input, const uint64_t *spins)
{
  if (check_rank_ == 0)
    {
      const int64_t n = input->configurations;
      vrg_observation *zero = vrg_new (n, sizeof *zero, "series");
      vrg_grid *grid = vrg_grid_new (MPI_COMM_SELF, 1);
      vrg_samples *samples = NULL;
      int64_t rows, columns, plane;
      vrg_lattice_flat ((int) input->dimension, input->size, &rows, &columns, &plane);
      bool good = vrg_samples_begin (grid, directory, input, &samples) == VRG_OK;
      for (int e = 0; good && e < input->n_nn; e++)
        good = vrg_samples_write (samples, e, 0, n, 0, 1, 0, rows, spins + e * n * rows * ((columns + 63) / 64), zero)
               == VRG_OK;
      if (!good || vrg_samples_finish (samples) != VRG_OK)
        vrg_fail_one (VRG_FILE, "%s", vrg_error_text ());
      vrg_grid_free (grid);
      vrg_free (zero);
    }
  MPI_Barrier (MPI_COMM_WORLD);
}

/** Train on the first `ranks` ranks.  stops: not NULL, every update is followed by a stop and a restart, every other time
 *  on one rank alone, and they are counted.  The status is the same on all ranks. */
static inline int
data_train (int ranks, const vrg_input *input, const char *directory, int *stops)
{
  MPI_Comm comm;
  int status = VRG_OK;
  MPI_Comm_split (MPI_COMM_WORLD, check_rank_ < ranks ? 0 : MPI_UNDEFINED, 0, &comm);
  do
    {
      const bool alone = stops && *stops % 2;
      vrg_input own = *input;
      vrg_stop stop;
      if (alone)
        own.strips = 1;
      const MPI_Comm used = alone ? check_rank_ == 0 ? MPI_COMM_SELF : MPI_COMM_NULL : comm;
      if (used != MPI_COMM_NULL)
        {
          vrg_stop_init (&stop, used, 0, stops ? 0 : 1e6);
          if (stops)
            stop.deadline = 0;
          status = vrg_train (used, &own, directory, &stop);
        }
      MPI_Bcast (&status, 1, MPI_INT, 0, MPI_COMM_WORLD);
      if (stops && status == VRG_STOPPED)
        ++*stops;
    }
  while (stops && status == VRG_STOPPED);
  if (comm != MPI_COMM_NULL)
    MPI_Comm_free (&comm);
  return status;
}

/** Rank 0's model.h5 (NULL on the others). */
static inline vrg_stack *
data_model (const char *directory)
{
  vrg_stack *stack = NULL;
  if (check_rank_ == 0)
    {
      char path[256];
      vrg_grid *grid = vrg_grid_new (MPI_COMM_SELF, 1);
      snprintf (path, sizeof path, "%s/model.h5", directory);
      if (vrg_model_read (grid, path, &stack, NULL) != VRG_OK)
        vrg_fail_one (VRG_FILE, "%s", vrg_error_text ());
      vrg_grid_free (grid);
    }
  return stack;
}

/** The same bits (NULL: the same nothing). */
static inline bool
data_same (const vrg_stack *s, const vrg_stack *t)
{
  if (!s || !t)
    return s == t;
  bool same = s->layers == t->layers && s->n_nn == t->n_nn && memcmp (s->nn, t->nn, sizeof s->nn) == 0;
  for (int l = 0; same && l < s->layers; l++)
    {
      const vrg_model *a = s->layer[l], *b = t->layer[l];
      const size_t visible = a->type == VRG_MODEL_DENSE ? (size_t) (a->rows * a->columns) : 1;
      same = a->updates == b->updates && a->epochs == b->epochs && vrg_model_weights (a) == vrg_model_weights (b)
             && memcmp (a->weights, b->weights, (size_t) vrg_model_weights (a) * sizeof (double)) == 0
             && memcmp (a->visible_bias, b->visible_bias, visible * sizeof (double)) == 0
             && memcmp (a->hidden_bias, b->hidden_bias, (size_t) a->hidden * sizeof (double)) == 0;
    }
  return same;
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
