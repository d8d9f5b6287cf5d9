/* SPDX-License-Identifier: GPL-3.0-or-later
 * model.h5: round trip over grids, and what is refused.
 * ranks: 1 2 3 4 */
#include "check.h"

#include "files/model.h"
#include "scratch.h"

#define ROWS 5
#define COLUMNS 3
#define HIDDEN 4

static double
weight (int64_t i)
{
  return 1.0 / (double) (i + 1) - 0.3;
}

static bool
write_dense (int strips)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, strips);
  int64_t first, last;
  vrg_grid_span (ROWS, strips, grid->strip, &first, &last);
  vrg_model model = { .type = VRG_MODEL_DENSE,
                      .rows = ROWS,
                      .columns = COLUMNS,
                      .hidden = HIDDEN,
                      .visible0 = first * COLUMNS,
                      .visible1 = last * COLUMNS,
                      .nn = 0.44,
                      .epochs = 3,
                      .updates = 99 };
  int64_t n = model.visible1 - model.visible0;
  model.weights = vrg_new (n * HIDDEN, 8, "test");
  model.visible_bias = vrg_new (n, 8, "test");
  model.hidden_bias = vrg_new (HIDDEN, 8, "test");
  for (int64_t i = 0; i < n * HIDDEN; i++)
    model.weights[i] = weight (model.visible0 * HIDDEN + i);
  for (int64_t i = 0; i < n; i++)
    model.visible_bias[i] = -weight (model.visible0 + i);
  for (int64_t i = 0; i < HIDDEN; i++)
    model.hidden_bias[i] = 2 * weight (i);
  bool good = vrg_model_write (grid, scratch_directory, "key = 1\n", &model) == VRG_OK;
  vrg_free (model.weights);
  vrg_free (model.visible_bias);
  vrg_free (model.hidden_bias);
  vrg_grid_free (grid);
  return good;
}

static bool
read_dense (int strips)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, strips);
  int64_t first, last;
  vrg_grid_span (ROWS, strips, grid->strip, &first, &last);
  vrg_model *model;
  char *fingerprint = NULL;
  bool good = vrg_model_read (grid, scratch_path ("model.h5"), &model, &fingerprint) == VRG_OK;
  if (good)
    {
      good = strcmp (fingerprint, "key = 1\n") == 0 && model->type == VRG_MODEL_DENSE && model->rows == ROWS
             && model->columns == COLUMNS && model->hidden == HIDDEN && model->visible0 == first * COLUMNS
             && model->visible1 == last * COLUMNS && model->nn == 0.44 && model->epochs == 3 && model->updates == 99;
      int64_t n = model->visible1 - model->visible0;
      for (int64_t i = 0; i < n * HIDDEN; i++)
        good = good && model->weights[i] == weight (model->visible0 * HIDDEN + i);
      for (int64_t i = 0; i < n; i++)
        good = good && model->visible_bias[i] == -weight (model->visible0 + i);
      for (int64_t i = 0; i < HIDDEN; i++)
        good = good && model->hidden_bias[i] == 2 * weight (i);
      vrg_model_free (model);
      vrg_free (fingerprint);
    }
  vrg_grid_free (grid);
  return good;
}

static void
convolution (const vrg_grid *grid)
{
  double weights[2 * 8 * 8], visible[1] = { 0.25 }, hidden[2] = { 1, -1 };
  for (int i = 0; i < 128; i++)
    weights[i] = weight (i);
  vrg_model model = { .type = VRG_MODEL_CONVOLUTION,
                      .rows = 32,
                      .columns = 64,
                      .hidden = 2,
                      .filter = 8,
                      .stride = 2,
                      .visible0 = 0,
                      .visible1 = 1,
                      .nn = 0.4,
                      .epochs = 1,
                      .updates = 2,
                      .weights = weights,
                      .visible_bias = visible,
                      .hidden_bias = hidden };
  check (vrg_model_write (grid, scratch_directory, "key = 2\n", &model) == VRG_OK, "a convolution is written");
  vrg_model *read;
  bool good = vrg_model_read (grid, scratch_path ("model.h5"), &read, NULL) == VRG_OK;
  if (good)
    good = read->type == VRG_MODEL_CONVOLUTION && read->rows == 32 && read->columns == 64 && read->hidden == 2
           && read->filter == 8 && read->stride == 2 && memcmp (read->weights, weights, sizeof weights) == 0
           && read->visible_bias[0] == 0.25 && memcmp (read->hidden_bias, hidden, sizeof hidden) == 0;
  check (good, "and read whole on every rank");
  vrg_model_free (read);
}

static void
refused (const vrg_grid *grid, const char *path, const char *reason)
{
  vrg_model *model;
  int code = vrg_model_read (grid, path, &model, NULL);
  check (code == VRG_FILE && model == NULL && strstr (vrg_error_text (), reason) != NULL, "refused: %s",
         check_rank_ == 0 ? vrg_error_text () : "");
  vrg_model_free (model);
}

static void
damage (const vrg_grid *grid)
{
  const char *path = scratch_path ("model.h5");
  const struct
  {
    const char *name;
    int64_t value, good;
  } cases[] = { { "filter", 7, 8 },
                { "filter", INT64_C (1) << 40, 8 },
                { "stride", 0, 2 },
                { "hidden", 1 << 30, 2 },
                { "rows", 16, 32 } };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    {
      vrg_h5 *file;
      vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_MODIFY, &file);
      vrg_h5_put_int (file, "/layer-1", cases[i].name, cases[i].value);
      vrg_h5_close (file);
      refused (grid, path, "damaged");
      vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_MODIFY, &file);
      vrg_h5_put_int (file, "/layer-1", cases[i].name, cases[i].good);
      vrg_h5_close (file);
    }
  vrg_h5 *file;
  vrg_h5_open (MPI_COMM_WORLD, scratch_path ("other.h5"), VRG_H5_CREATE, &file);
  vrg_h5_put_head (file, "vrg-samples", 1, "");
  vrg_h5_close (file);
  refused (grid, scratch_path ("other.h5"), "expected is 'vrg-model'");
  refused (grid, scratch_path ("none.h5"), "No such file");
  scratch_truncate (path, scratch_size (path) - 1);
  refused (grid, path, "truncated");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  scratch_begin ();
  for (int writer = 1; writer <= check_size_; writer++)
    if (check_size_ % writer == 0)
      {
        check (write_dense (writer), "a dense model written by %d strips", writer);
        for (int reader = 1; reader <= check_size_; reader++)
          if (check_size_ % reader == 0)
            check (read_dense (reader), "and read by %d strips", reader);
      }
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  convolution (grid);
  damage (grid);
  vrg_grid_free (grid);
  scratch_end ();
  return check_end ();
}
