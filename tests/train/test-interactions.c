/* SPDX-License-Identifier: GPL-3.0-or-later
 * Couplings from weights against enumeration, and in the exact RBM of a chain.  ranks: 1 2 3 4 */
#include "tests/train/stacks.h"

#include <string.h>

#include "base/math.h"
#include "base/rng.h"
#include "train/interactions.h"

/** F of a dense model that this rank has whole. */
static double
log_weight (const vrg_model *m, unsigned v)
{
  const int64_t n = m->rows * m->columns;
  double f = 0;
  for (int64_t i = 0; i < n; i++)
    f += m->visible_bias[i] * (v >> i & 1 ? 1 : -1);
  for (int64_t j = 0; j < m->hidden; j++)
    {
      double x = m->hidden_bias[j];
      for (int64_t i = 0; i < n; i++)
        x += m->weights[j * n + i] * (v >> i & 1 ? 1 : -1);
      f += vrg_ln2cosh (x);
    }
  return f;
}

/** All J_S by fast Walsh-Hadamard transform, S a set of bits. */
static void
enumerate (const vrg_model *m, double *coupling)
{
  const unsigned states = 1u << (m->rows * m->columns);
  for (unsigned v = 0; v < states; v++)
    coupling[v] = log_weight (m, v) / states;
  for (unsigned bit = 1; bit < states; bit *= 2)
    for (unsigned v = 0; v < states; v++)
      if (!(v & bit))
        {
          const double down = coupling[v], up = coupling[v | bit];
          coupling[v] = up + down;
          coupling[v | bit] = up - down;
        }
}

static unsigned
site (const vrg_model *m, int64_t y, int64_t x)
{
  return 1u << (y % m->rows * m->columns + (x + m->columns) % m->columns);
}

/** The sites of a group that starts at (y, x), as the header of interactions.c lays them out. */
static unsigned
group (const vrg_model *m, const vrg_interaction *item, int64_t y, int64_t x)
{
  const unsigned first = site (m, y, x);
  if (item->order == 1)
    return first;
  if (item->order == 2)
    return first | site (m, y + item->row, x + item->column);
  if (strcmp (item->shape, "line") == 0)
    return item->row > 0 ? first | site (m, y + 1, x) | site (m, y + 2, x) | site (m, y + 3, x)
                         : first | site (m, y, x + 1) | site (m, y, x + 2) | site (m, y, x + 3);
  if (strcmp (item->shape, "plaquette") == 0)
    return first | site (m, y, x + 1) | site (m, y + 1, x) | site (m, y + 1, x + 1);
  if (strcmp (item->shape, "zigzag") == 0)
    return first | site (m, y, x + 1) | site (m, y + 1, x + 1) | site (m, y + 1, x + 2);
  if (strcmp (item->shape, "tee") == 0)
    return first | site (m, y, x + 1) | site (m, y, x + 2) | site (m, y + 1, x + 1);
  return 0;
}

/** Means and largest of random models against enumeration; returns the largest difference. */
static double
compare (int64_t rows, int64_t columns, int64_t hidden, double size, uint64_t seed)
{
  static double exact[1 << 8];
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, stacks_strips (check_size_, rows)),
           *self = vrg_grid_new (MPI_COMM_SELF, 1);
  vrg_model *m = stacks_dense (grid, NULL, rows, columns, hidden),
            *whole = stacks_dense (self, NULL, rows, columns, hidden);
  const int64_t n = rows * columns;
  for (int64_t j = 0; j < hidden; j++)
    {
      m->hidden_bias[j] = whole->hidden_bias[j] = stacks_random (seed, 1000 + (uint64_t) j);
      for (int64_t i = 0; i < n; i++)
        {
          stacks_set (m, j, i, size * stacks_random (seed, (uint64_t) (j * n + i)));
          stacks_set (whole, j, i, size * stacks_random (seed, (uint64_t) (j * n + i)));
        }
    }
  for (int64_t i = 0; i < n; i++)
    {
      whole->visible_bias[i] = stacks_random (seed, 2000 + (uint64_t) i);
      if (i >= m->visible0 && i < m->visible1)
        m->visible_bias[i - m->visible0] = whole->visible_bias[i];
    }
  enumerate (whole, exact);
  vrg_fields *fields = vrg_fields_new (grid, m);
  vrg_interactions *found = vrg_interactions_new (grid, m, fields);
  double difference = 0;
  unsigned pairs = 0;
  for (int k = 0; k < found->n; k++)
    {
      const vrg_interaction *item = &found->item[k];
      double mean = 0, largest = 0, square = 0;
      for (int64_t i = 0; i < n; i++)
        {
          const double j = exact[group (whole, item, i / columns, i % columns)];
          mean += j / (double) n;
          square += j * j / (double) n;
          largest = fmax (largest, fabs (j));
        }
      pairs += item->order == 2 ? (unsigned) item->groups : 0;
      difference = fmax (difference, fabs (item->coupling - mean));
      difference = fmax (difference, fabs (item->largest - largest));
      difference = fmax (difference, fabs (item->spread * item->spread + mean * mean - square));
    }
  check (pairs == n * (n - 1) / 2, "%d x %d: every pair of sites is in the list once", (int) rows, (int) columns);
  vrg_interactions_free (found);
  vrg_fields_free (fields);
  vrg_model_free (m);
  vrg_model_free (whole);
  vrg_grid_free (grid);
  vrg_grid_free (self);
  return difference;
}

static const vrg_interaction *
pair (const vrg_interactions *found, int64_t row, int64_t column)
{
  for (int k = 0; k < found->n; k++)
    if (found->item[k].order == 2 && found->item[k].row == row && found->item[k].column == column)
      return &found->item[k];
  return NULL;
}

/** One filter of width 2 on a ring and on a torus. */
static void
chain (int64_t length, double w1, double w2)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  vrg_model *m = stacks_convolution (1, length, 1, 2, 1);
  m->weights[0] = w1;
  m->weights[1] = w2;
  vrg_fields *fields = vrg_fields_new (grid, m);
  vrg_interactions *found = vrg_interactions_new (grid, m, fields);
  /* ln 2cosh (w1 + w2) and ln 2cosh (w1 - w2) are all that the hidden unit says */
  const double k = (vrg_ln2cosh (w1 + w2) - vrg_ln2cosh (w1 - w2)) / 2;
  double further = 0;
  for (int i = 0; i < found->n; i++)
    if (found->item[i].order != 2 || found->item[i].column != 1)
      further = fmax (further, found->item[i].largest);
  check_abs (pair (found, 0, 1)->coupling, k, 1e-12, "a ring's nearest neighbours");
  check_abs (pair (found, 0, 1)->coupling, atanh (tanh (w1) * tanh (w2)), 1e-12, "atanh (tanh w1 tanh w2)");
  check (pair (found, 0, 1)->spread == 0 && further < 1e-12, "and nothing else");
  if (w1 == w2)
    check_abs (k, 0.5 * log (cosh (2 * w1)), 1e-14, "1/2 ln cosh 2w");
  vrg_interactions_free (found);
  vrg_fields_free (fields);
  vrg_model_free (m);
  vrg_grid_free (grid);
}

/** A convolution of any stride is a dense layer whose rows are its filters, shifted. */
static double
unrolled (int64_t length, int64_t filter, int64_t stride, int64_t filters)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  vrg_model *m = stacks_convolution (length, length, filters, filter, stride);
  const int64_t side = length / stride, places = side * side, pad = (filter - stride) / 2;
  vrg_model *d = stacks_dense (grid, NULL, length, length, filters * places);
  m->visible_bias[0] = 0.125;
  for (int64_t i = 0; i < length * length; i++)
    d->visible_bias[i] = 0.125;
  for (int64_t f = 0; f < filters; f++)
    {
      m->hidden_bias[f] = stacks_random (9, 500 + (uint64_t) f);
      for (int64_t i = 0; i < filter * filter; i++)
        m->weights[f * filter * filter + i] = 0.5 * stacks_random (9, (uint64_t) (f * filter * filter + i));
      for (int64_t j = 0; j < places; j++)
        {
          d->hidden_bias[f * places + j] = m->hidden_bias[f];
          for (int64_t i = 0; i < filter * filter; i++)
            {
              const int64_t y = (stride * (j / side) + i / filter - pad + 2 * length) % length;
              const int64_t x = (stride * (j % side) + i % filter - pad + 2 * length) % length;
              d->weights[(f * places + j) * length * length + y * length + x] += m->weights[f * filter * filter + i];
            }
        }
    }
  vrg_fields *fields[2] = { vrg_fields_new (grid, m), vrg_fields_new (grid, d) };
  vrg_interactions *a = vrg_interactions_new (grid, m, fields[0]), *b = vrg_interactions_new (grid, d, fields[1]);
  double difference = a->n == b->n ? 0 : 1;
  for (int k = 0; k < a->n && a->n == b->n; k++)
    {
      difference = fmax (difference, fabs (a->item[k].coupling - b->item[k].coupling));
      difference = fmax (difference, fabs (a->item[k].spread - b->item[k].spread));
      difference = fmax (difference, fabs (a->item[k].largest - b->item[k].largest));
    }
  vrg_interactions_free (a);
  vrg_interactions_free (b);
  vrg_fields_free (fields[0]);
  vrg_fields_free (fields[1]);
  vrg_model_free (m);
  vrg_model_free (d);
  vrg_grid_free (grid);
  return difference;
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  check_abs (compare (2, 4, 5, 1, 1), 0, 1e-12, "2 x 4, 5 hidden");
  check_abs (compare (2, 4, 3, 3, 2), 0, 1e-12, "2 x 4, large weights");
  check_abs (compare (4, 2, 16, 0.3, 3), 0, 1e-12, "4 x 2, 16 hidden");
  check_abs (compare (2, 3, 1, 0.1, 4), 0, 1e-12, "2 x 3, one hidden");
  check_abs (compare (1, 8, 4, 10, 5), 0, 1e-12, "a ring of 8, very large weights");
  check_abs (compare (1, 5, 4, 1, 6), 0, 1e-12, "a ring of 5");
  chain (16, 0.47753764, 0.47753764);
  chain (64, 0.9, 0.3);
  check_abs (unrolled (6, 3, 1, 1), 0, 1e-12, "3 x 3 filter on 6 x 6");
  check_abs (unrolled (8, 4, 2, 2), 0, 1e-12, "4 x 4 filters of stride 2 on 8 x 8");
  check_abs (unrolled (4, 6, 2, 1), 0, 1e-12, "a filter that wraps around the torus");
  check_abs (unrolled (24, 4, 2, 1), 0, 1e-12, "4 x 4 filter on 24 x 24");
  return check_end ();
}
