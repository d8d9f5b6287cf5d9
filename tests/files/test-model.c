/* SPDX-License-Identifier: GPL-3.0-or-later
 * model.h5: round trip over grids, and what is refused.
 * ranks: 1 2 3 4 */
#include "check.h"

#include "files/model.h"
#include "scratch.h"

#define ROWS 5
#define COLUMNS 3
#define LAYERS 3

static const int64_t hidden[LAYERS] = { 4, 6, 2 };

static double
weight (int64_t i)
{
  return 1.0 / (double) (i + 1) - 0.3;
}

/** Layer l in strips of one rank: rows of the lattice, or units. */
static vrg_model
shape (int l, int strips, int strip)
{
  int64_t first, last;
  vrg_model m = { .type = VRG_MODEL_DENSE,
                  .rows = l == 0 ? ROWS : 1,
                  .columns = l == 0 ? COLUMNS : hidden[l - 1],
                  .hidden = hidden[l],
                  .epochs = 3 + l,
                  .updates = 99 + l };
  vrg_grid_span (l == 0 ? ROWS : m.columns, strips, strip, &first, &last);
  m.visible0 = first * (l == 0 ? COLUMNS : 1);
  m.visible1 = last * (l == 0 ? COLUMNS : 1);
  return m;
}

/** The weight of hidden unit j and own visible unit i. */
static double
weight_of (const vrg_model *m, int l, int64_t j, int64_t i)
{
  return weight (l + j * m->rows * m->columns + m->visible0 + i);
}

static bool
write_dense (int strips)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, strips);
  vrg_stack *stack = vrg_new (1, sizeof *stack, "test");
  stack->layers = LAYERS;
  stack->n_nn = 2;
  stack->nn[0] = 0.44;
  stack->nn[1] = 0.4;
  for (int l = 0; l < LAYERS; l++)
    {
      vrg_model *m = stack->layer[l] = vrg_new (1, sizeof *m, "test");
      *m = shape (l, strips, grid->strip);
      vrg_model_allocate (m);
      const int64_t n = m->visible1 - m->visible0;
      for (int64_t i = 0; i < n * m->hidden; i++)
        m->weights[i] = weight_of (m, l, i / n, i % n);
      for (int64_t i = 0; i < n; i++)
        m->visible_bias[i] = -weight (m->visible0 + i);
      for (int64_t i = 0; i < m->hidden; i++)
        m->hidden_bias[i] = 2 * weight (i);
    }
  bool good = vrg_model_write (grid, scratch_directory, "key = 1\n", stack) == VRG_OK;
  vrg_stack_free (stack);
  vrg_grid_free (grid);
  return good;
}

static bool
read_dense (int strips)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, strips);
  vrg_stack *stack;
  char *fingerprint = NULL;
  bool good = vrg_model_read (grid, scratch_path ("model.h5"), &stack, &fingerprint) == VRG_OK;
  if (good)
    {
      good = strcmp (fingerprint, "key = 1\n") == 0 && stack->layers == LAYERS && stack->n_nn == 2
             && stack->nn[0] == 0.44 && stack->nn[1] == 0.4;
      for (int l = 0; l < LAYERS && good; l++)
        {
          const vrg_model *m = stack->layer[l], wanted = shape (l, strips, grid->strip);
          const int64_t n = m->visible1 - m->visible0;
          good = m->type == VRG_MODEL_DENSE && m->rows == wanted.rows && m->columns == wanted.columns
                 && m->hidden == wanted.hidden && m->visible0 == wanted.visible0 && m->visible1 == wanted.visible1
                 && m->epochs == wanted.epochs && m->updates == wanted.updates;
          for (int64_t i = 0; i < n * m->hidden; i++)
            good = good && m->weights[i] == weight_of (m, l, i / n, i % n);
          for (int64_t i = 0; i < n; i++)
            good = good && m->visible_bias[i] == -weight (m->visible0 + i);
          for (int64_t i = 0; i < m->hidden; i++)
            good = good && m->hidden_bias[i] == 2 * weight (i);
        }
      vrg_stack_free (stack);
      vrg_free (fingerprint);
    }
  vrg_grid_free (grid);
  return good;
}

/** A stack of two convolutions. */
static void
convolution (const vrg_grid *grid)
{
  double weights[2 * 8 * 8], visible[1] = { 0.25 }, biases[2] = { 1, -1 };
  for (int i = 0; i < 128; i++)
    weights[i] = weight (i);
  vrg_model below = { .type = VRG_MODEL_CONVOLUTION,
                      .rows = 32,
                      .columns = 64,
                      .hidden = 1,
                      .filter = 8,
                      .stride = 2,
                      .symmetric = true,
                      .visible0 = 0,
                      .visible1 = 1,
                      .epochs = 1,
                      .updates = 2,
                      .weights = weights,
                      .visible_bias = visible,
                      .hidden_bias = biases },
            above = below;
  above.rows = 16;
  above.columns = 32;
  above.hidden = 2;
  above.symmetric = false;
  vrg_stack stack = { .layers = 2, .layer = { &below, &above }, .n_nn = 1, .nn = { 0.4 } }, *read;
  check (vrg_model_write (grid, scratch_directory, "key = 2\n", &stack) == VRG_OK, "convolutions are written");
  bool good = vrg_model_read (grid, scratch_path ("model.h5"), &read, NULL) == VRG_OK && read->layers == 2;
  if (good)
    {
      const vrg_model *a = read->layer[0], *b = read->layer[1];
      good = a->type == VRG_MODEL_CONVOLUTION && a->rows == 32 && a->columns == 64 && a->hidden == 1 && a->filter == 8
             && a->stride == 2 && a->symmetric && !b->symmetric && b->rows == 16 && b->columns == 32
             && memcmp (a->weights, weights, sizeof weights / 2) == 0
             && memcmp (b->weights, weights, sizeof weights) == 0 && b->visible_bias[0] == 0.25
             && memcmp (b->hidden_bias, biases, sizeof biases) == 0;
    }
  check (good, "and read whole on every rank");
  vrg_stack_free (read);
  above.rows = 32;
  check (vrg_model_write (grid, scratch_directory, "key = 2\n", &stack) == VRG_OK,
         "layers that do not fit are written");
  check (vrg_model_read (grid, scratch_path ("model.h5"), &read, NULL) == VRG_FILE && read == NULL
           && strstr (vrg_error_text (), "layer-2: does not stand on the layer below it, which has 16 x 32"),
         "and not read: %s", vrg_error_text ());
  above.rows = 1;
  above.columns = 64;
  vrg_stack ring = { .layers = 1, .layer = { &above }, .n_nn = 1, .nn = { 0.4 } };
  check (vrg_model_write (grid, scratch_directory, "key = 3\n", &ring) == VRG_OK, "a ring's is written");
  good = vrg_model_read (grid, scratch_path ("model.h5"), &read, NULL) == VRG_OK && read->layer[0]->rows == 1
         && memcmp (read->layer[0]->weights, weights, 16 * sizeof *weights) == 0;
  check (good, "and read, filters of one row");
  vrg_stack_free (read);
  stack.layers = 1;
  check (vrg_model_write (grid, scratch_directory, "key = 2\n", &stack) == VRG_OK, "one layer alone is written");
}

static void
refused (const vrg_grid *grid, const char *path, const char *reason)
{
  vrg_stack *stack;
  int code = vrg_model_read (grid, path, &stack, NULL);
  check (code == VRG_FILE && stack == NULL && strstr (vrg_error_text (), reason) != NULL, "refused: %s",
         check_rank_ == 0 ? vrg_error_text () : "");
  vrg_stack_free (stack);
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
                { "hidden", 1 << 30, 1 },
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
