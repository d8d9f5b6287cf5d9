/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1 2 3 4
 * Block-cyclic matrices: every element arrives whatever rectangles bring it, products and eigensystems are right for
 * sizes that nothing divides and for every block, workspace suffices, and MPI goes on afterwards. */
#include "parallel/scalapack.h"

#include <string.h>

#include "base/rng.h"
#include "parallel/grid.h"
#include "tests/check.h"

/** An element of a random matrix, in [-1, 1). */
static double
element (int64_t seed, int64_t i, int64_t j)
{
  vrg_rng rng;
  uint64_t random[2];
  vrg_rng_init (&rng, (uint64_t) seed, 0, 0);
  vrg_rng_block (&rng, VRG_RNG_WEIGHT, (uint64_t) (i * 100000 + j), 0, 0, random);
  return (double) (int64_t) random[0] * 0x1p-63;
}

static double
symmetric (int64_t seed, int64_t i, int64_t j)
{
  return i < j ? element (seed, i, j) : element (seed, j, i);
}

/** Fill from rectangles of uneven columns, stored by rows or by columns. */
static vrg_matrix *
filled (const vrg_scalapack *s, int64_t rows, int64_t columns, int block, bool by_rows,
        double value (int64_t, int64_t, int64_t))
{
  vrg_matrix *m = vrg_matrix_new (s, rows, columns, block, "a test");
  int64_t first, last;
  vrg_grid_span (columns, s->size, s->size - 1 - s->rank, &first, &last);
  const int64_t width = last - first;
  double *data = vrg_new (rows * width, sizeof *data, "a test");
  const vrg_rectangle mine = { 0, rows, first, last, by_rows ? width : 1, by_rows ? 1 : rows, data };
  for (int64_t i = 0; i < rows; i++)
    for (int64_t j = first; j < last; j++)
      data[i * mine.row_step + (j - first) * mine.column_step] = value (1, i, j);
  vrg_matrix_put (m, &mine);
  vrg_free (data);
  return m;
}

static void
test_put (const vrg_scalapack *s)
{
  static const int shapes[][3] = { { 1, 1, 1 }, { 5, 3, 2 }, { 3, 17, 1 }, { 40, 29, 7 }, { 33, 64, 64 } };
  bool same = true;
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++)
    for (int by_rows = 0; by_rows < 2; by_rows++)
      {
        const int rows = shapes[k][0], columns = shapes[k][1], from = columns / 3;
        vrg_matrix *m = filled (s, rows, columns, shapes[k][2], by_rows, element);
        double *all = vrg_new (rows * columns, sizeof *all, "a test");
        vrg_matrix_get (m, from, columns, all);
        for (int j = from; j < columns; j++)
          for (int i = 0; i < rows; i++)
            same = same && all[(j - from) * rows + i] == element (1, i, j);
        vrg_free (all);
        vrg_matrix_free (m);
      }
  check (same, "what is put is what is got");

  /* 9 million elements from one rank go in pieces; all ranks give the corner */
  const int64_t rows = 3000, columns = 3000;
  vrg_matrix *m = vrg_matrix_new (s, rows, columns, 64, "a test");
  const bool gives = s->rank == s->size - 1;
  double *data = vrg_new (gives ? rows * columns : 1, sizeof *data, "a test");
  for (int64_t i = 0; i < (gives ? rows * columns : 1); i++)
    data[i] = (double) (i + 1);
  vrg_matrix_put (m, &(vrg_rectangle){ 0, gives ? rows : 1, 0, gives ? columns : 1, columns, 1, data });
  double *column = vrg_new (rows, sizeof *column, "a test");
  vrg_matrix_get (m, columns - 1, columns, column);
  same = true;
  for (int64_t i = 0; i < rows; i++)
    same = same && column[i] == (double) ((i + 1) * columns);
  check (same, "a large matrix goes in pieces");
  vrg_free (column);
  vrg_free (data);
  vrg_matrix_free (m);
}

static void
test_products (const vrg_scalapack *s)
{
  const int n = 23, m = 37, k = 5, block = 3;
  vrg_matrix *a = filled (s, n, m, block, true, element), *gram = vrg_matrix_new (s, n, n, block, "a test"),
             *b = filled (s, n, n, block, false, symmetric), *left = vrg_matrix_new (s, k, m, block, "a test"),
             *right = vrg_matrix_new (s, m, k, block, "a test");
  vrg_matrix_gram (a, gram);
  vrg_matrix_left (b, 7, a, left);
  vrg_matrix_right (a, b, 11, right);
  double *g = vrg_new (n * n, sizeof *g, "a test"), *l = vrg_new (k * m, sizeof *l, "a test"),
         *r = vrg_new (k * m, sizeof *r, "a test"), worst = 0;
  vrg_matrix_get (gram, 0, n, g);
  vrg_matrix_get (left, 0, m, l);
  vrg_matrix_get (right, 0, k, r);
  for (int i = 0; i < n; i++)
    for (int j = 0; j <= i; j++)
      {
        double sum = 0;
        for (int x = 0; x < m; x++)
          sum += element (1, i, x) * element (1, j, x);
        worst = fmax (worst, fabs (sum - g[j * n + i]));
      }
  check_abs (worst, 0, 1e-13, "a a^T");
  worst = 0;
  for (int i = 0; i < k; i++)
    for (int j = 0; j < m; j++)
      {
        double sum = 0, other = 0;
        for (int x = 0; x < n; x++)
          {
            sum += symmetric (1, x, 7 + i) * element (1, x, j);
            other += symmetric (1, x, 11 + i) * element (1, x, j);
          }
        worst = fmax (worst, fmax (fabs (sum - l[j * k + i]), fabs (other - r[i * m + j])));
      }
  check_abs (worst, 0, 1e-13, "products with some columns");
  vrg_free (r);
  vrg_free (l);
  vrg_free (g);
  vrg_matrix_free (right);
  vrg_matrix_free (left);
  vrg_matrix_free (b);
  vrg_matrix_free (gram);
  vrg_matrix_free (a);
}

/** Largest |A v - lambda v| and |V^T V - 1|; infinite if the eigenvalues are not ascending or something failed. */
static double
residual (const vrg_scalapack *s, int n, int block)
{
  vrg_matrix *a = filled (s, n, n, block, true, symmetric), *vectors = vrg_matrix_new (s, n, n, block, "a test");
  double *values = vrg_new (n, sizeof *values, "a test"), *v = vrg_new (n * n, sizeof *v, "a test"), worst = 0;
  if (vrg_matrix_diagonalise (a, values, vectors) != VRG_OK)
    worst = INFINITY;
  vrg_matrix_get (vectors, 0, n, v);
  double *matrix = vrg_new (n * n, sizeof *matrix, "a test");
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++)
      matrix[i * n + j] = symmetric (1, i, j);
  for (int k = s->rank; k < n; k += s->size) /* shared, the ranks take turns on few cores */
    for (int i = 0; i < n; i++)
      {
        double sum = -values[k] * v[k * n + i], product = i == k ? -1 : 0;
        for (int x = 0; x < n; x++)
          {
            sum += matrix[i * n + x] * v[k * n + x];
            product += v[i * n + x] * v[k * n + x];
          }
        worst = fmax (worst, fmax (fabs (sum), fabs (product)));
      }
  for (int k = 1; k < n; k++)
    if (values[k] < values[k - 1])
      worst = INFINITY;
  MPI_Allreduce (MPI_IN_PLACE, &worst, 1, MPI_DOUBLE, MPI_MAX, s->comm);
  vrg_free (matrix);
  vrg_free (v);
  vrg_free (values);
  vrg_matrix_free (vectors);
  vrg_matrix_free (a);
  return worst;
}

static void
test_eigen (const vrg_scalapack *s)
{
  double worst = 0;
  for (int n = 1; n <= 24; n++)
    for (int block = 1; block <= 8; block++)
      worst = fmax (worst, residual (s, n, block));
  check (worst < 1e-12, "eigensystems of 1 to 24 with blocks of 1 to 8, largest error %.1e", worst);
  /* with blocks of 70 the workspace that pdsyevd asks for is too small on 4 ranks */
  static const int sizes[][2] = { { 127, 70 }, { 128, 70 }, { 130, 64 }, { 101, 100 }, { 100, 3 } };
  for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
    {
      const double found = residual (s, sizes[k][0], sizes[k][1]);
      check (found < 1e-12, "eigensystem of %d with blocks of %d, error %.1e", sizes[k][0], sizes[k][1], found);
    }

  vrg_matrix *a = filled (s, 6, 6, 2, true, symmetric), *vectors = vrg_matrix_new (s, 6, 6, 2, "a test");
  double values[6];
  if (s->rank == s->size - 1)
    a->data[0] = NAN;
  check (vrg_matrix_diagonalise (a, values, vectors) == VRG_INTERNAL && strstr (vrg_error_text (), "finite"),
         "a matrix that is not finite is refused on every rank");
  vrg_matrix_free (vectors);
  vrg_matrix_free (a);
  check (vrg_matrix_new (s, INT64_C (1) << 31, 2, 2, "a test") == NULL, "what is too large is refused");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  for (int round = 0; round < 2; round++)
    {
      vrg_scalapack *s = vrg_scalapack_new (MPI_COMM_WORLD);
      check (s->rows * s->columns == check_size_ && s->rows == (check_size_ == 4 ? 2 : 1),
             "%d ranks are a grid of %d x %d", check_size_, s->rows, s->columns);
      check (vrg_matrix_block (s, 1) == 1 && vrg_matrix_block (s, 9) * s->columns < 9
               && vrg_matrix_block (s, 100000) == 64,
             "blocks spread small matrices");
      if (round == 0)
        {
          test_put (s);
          test_products (s);
          test_eigen (s);
        }
      else
        {
          vrg_scalapack *other = vrg_scalapack_new (MPI_COMM_WORLD);
          check (residual (other, 30, 4) < 1e-12, "a second grid works");
          vrg_scalapack_free (other);
          check (residual (s, 31, 4) < 1e-12, "and leaves the first as it is");
        }
      vrg_scalapack_free (s);
    }

  /* a part of the ranks, while the others do something else */
  MPI_Comm half;
  MPI_Comm_split (MPI_COMM_WORLD, check_rank_ % 2, 0, &half);
  vrg_scalapack *s = vrg_scalapack_new (half);
  check (residual (s, 15 + check_rank_ % 2, 2) < 1e-12, "grids side by side");
  vrg_scalapack_free (s);
  MPI_Comm_free (&half);
  return check_end ();
}
