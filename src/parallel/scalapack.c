/* SPDX-License-Identifier: GPL-3.0-or-later
 * Matrices spread over all ranks by ScaLAPACK.  It comes without headers for C: what is called is declared here. */
#include "parallel/scalapack.h"

#include <limits.h>
#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "parallel/grid.h"

#define LARGEST_BLOCK 64
#define PIECE (INT64_C (1) << 22) /* elements a rank sends at once */

int Csys2blacs_handle (MPI_Comm comm);
void Cfree_blacs_system_handle (int handle);
void Cblacs_gridinit (int *context, char *order, int rows, int columns);
void Cblacs_gridinfo (int context, int *rows, int *columns, int *row, int *column);
void Cblacs_gridexit (int context);
void descinit_ (int *descriptor, const int *m, const int *n, const int *mb, const int *nb, const int *row,
                const int *column, const int *context, const int *lld, int *info);
void pdsyrk_ (const char *uplo, const char *trans, const int *n, const int *k, const double *alpha, const double *a,
              const int *ia, const int *ja, const int *desca, const double *beta, double *c, const int *ic,
              const int *jc, const int *descc);
void pdgemm_ (const char *transa, const char *transb, const int *m, const int *n, const int *k, const double *alpha,
              const double *a, const int *ia, const int *ja, const int *desca, const double *b, const int *ib,
              const int *jb, const int *descb, const double *beta, double *c, const int *ic, const int *jc,
              const int *descc);
void pdsyevd_ (const char *jobz, const char *uplo, const int *n, double *a, const int *ia, const int *ja,
               const int *desca, double *w, double *z, const int *iz, const int *jz, const int *descz, double *work,
               const int *lwork, int *iwork, const int *liwork, int *info);

static const int first_element = 1;
static const double one = 1, zero = 0;

vrg_scalapack *
vrg_scalapack_new (MPI_Comm comm)
{
  vrg_scalapack *s = vrg_new (1, sizeof *s, "a grid of processes");
  /* BLACS gives the same handle for the same communicator, and the first to free it would take it from the others */
  VRG_MPI (MPI_Comm_dup (comm, &s->comm));
  VRG_MPI (MPI_Comm_rank (s->comm, &s->rank));
  VRG_MPI (MPI_Comm_size (s->comm, &s->size));
  s->rows = 1;
  for (int d = 2; d <= s->size / d; d++)
    if (s->size % d == 0)
      s->rows = d;
  s->columns = s->size / s->rows;
  s->handle = s->context = Csys2blacs_handle (s->comm);
  char order[] = "Row-major";
  Cblacs_gridinit (&s->context, order, s->rows, s->columns);
  int rows, columns;
  Cblacs_gridinfo (s->context, &rows, &columns, &s->row, &s->column);
  if (rows != s->rows || columns != s->columns || s->row * columns + s->column != s->rank)
    vrg_fail_one (VRG_INTERNAL, "BLACS made a grid of %d x %d processes with rank %d at (%d, %d), wanted %d x %d", rows,
                  columns, s->rank, s->row, s->column, s->rows, s->columns);
  return s;
}

void
vrg_scalapack_free (vrg_scalapack *s)
{
  if (!s)
    return;
  Cblacs_gridexit (s->context); /* Cblacs_exit would end MPI, or BLACS for the rest of the run */
  Cfree_blacs_system_handle (s->handle);
  VRG_MPI (MPI_Comm_free (&s->comm));
  vrg_free (s);
}

int
vrg_matrix_block (const vrg_scalapack *s, int64_t n)
{
  const int64_t block = n / (2 * s->columns);
  return block < 1 ? 1 : block > LARGEST_BLOCK ? LARGEST_BLOCK : (int) block;
}

/** Which of the indices below n belong to process p of `processes`: how many; the first is local index 0. */
static int64_t
below (int64_t n, int block, int p, int processes)
{
  const int64_t blocks = n / block, whole = blocks / processes, rest = blocks % processes;
  return whole * block + (p < rest ? block : p == rest ? n % block : 0);
}

/** The global index of a local one. */
static int64_t
global (int64_t local, int block, int p, int processes)
{
  return (local / block * processes + p) * block + local % block;
}

vrg_matrix *
vrg_matrix_new (const vrg_scalapack *s, int64_t rows, int64_t columns, int block, const char *what)
{
  VRG_ASSERT (rows > 0 && columns > 0 && block > 0);
  /* of process (0, 0), which has most: so every rank decides the same */
  const int64_t most_rows = below (rows, block, 0, s->rows), most_columns = below (columns, block, 0, s->columns);
  if (rows > INT_MAX / 2 || columns > INT_MAX / 2 || most_rows > (INT_MAX / 4) / most_columns)
    {
      vrg_error (VRG_USAGE,
                 "%s: a matrix of %lld x %lld is too large for ScaLAPACK on %d x %d processes; use more ranks", what,
                 (long long) rows, (long long) columns, s->rows, s->columns);
      return NULL;
    }
  vrg_matrix *m = vrg_new (1, sizeof *m, what);
  m->scalapack = s;
  m->rows = (int) rows;
  m->columns = (int) columns;
  m->block = block;
  m->local_rows = (int) below (rows, block, s->row, s->rows);
  m->local_columns = (int) below (columns, block, s->column, s->columns);
  const int origin = 0, leading = m->local_rows > 0 ? m->local_rows : 1;
  int info;
  descinit_ (m->descriptor, &m->rows, &m->columns, &block, &block, &origin, &origin, &s->context, &leading, &info);
  if (info != 0)
    vrg_fail_one (VRG_INTERNAL, "%s: descinit (%d x %d, block %d) returned %d", what, m->rows, m->columns, block, info);
  /* not empty, so that ScaLAPACK always gets an address */
  m->data = vrg_new ((int64_t) m->local_rows * m->local_columns + 1, sizeof *m->data, what);
  return m;
}

void
vrg_matrix_free (vrg_matrix *m)
{
  if (!m)
    return;
  vrg_free (m->data);
  vrg_free (m);
}

/** Local indices [row0, row1) x [column0, column1) that process (row, column) has of a rectangle. */
typedef struct
{
  int64_t row0, row1, column0, column1;
} part;

static part
part_of (const vrg_matrix *m, const int64_t corners[4], int row, int column)
{
  const vrg_scalapack *s = m->scalapack;
  return (part){ below (corners[0], m->block, row, s->rows), below (corners[1], m->block, row, s->rows),
                 below (corners[2], m->block, column, s->columns), below (corners[3], m->block, column, s->columns) };
}

static int
elements (part p)
{
  const int64_t n = (p.row1 - p.row0) * (p.column1 - p.column0);
  if (n > INT_MAX)
    vrg_fail_one (VRG_INTERNAL, "a piece of %lld matrix elements for one rank", (long long) n);
  return (int) n;
}

/** Places of blocks that follow each other; returns the sum. */
static int64_t
line_up (int n, const int *counts, int *places)
{
  int64_t sum = 0;
  for (int k = 0; k < n; k++)
    {
      if (sum > INT_MAX)
        vrg_fail_one (VRG_INTERNAL, "more than 2^31 matrix elements for one rank at once");
      places[k] = (int) sum;
      sum += counts[k];
    }
  return sum;
}

/** The elements of this rank's rectangle that process (row, column) has, in the order of its memory. */
static void
pack (const vrg_matrix *m, const vrg_rectangle *mine, part p, int row, int column, double *to)
{
  const vrg_scalapack *s = m->scalapack;
  for (int64_t lc = p.column0; lc < p.column1; lc++)
    {
      const double *from = mine->data + (global (lc, m->block, column, s->columns) - mine->column0) * mine->column_step;
      for (int64_t lr = p.row0; lr < p.row1; lr++)
        /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): no data, no rows */
        *to++ = from[(global (lr, m->block, row, s->rows) - mine->row0) * mine->row_step];
    }
}

static void
unpack (vrg_matrix *m, part p, const double *from)
{
  const size_t height = (size_t) (p.row1 - p.row0);
  if (height > 0)
    for (int64_t lc = p.column0; lc < p.column1; lc++, from += height)
      memcpy (m->data + lc * m->local_rows + p.row0, from, height * sizeof *from);
}

/** Each rank knows from its rectangle, and from those of the others, who sends what to whom, and in which order. */
static void
put_piece (vrg_matrix *m, const vrg_rectangle *mine)
{
  const vrg_scalapack *s = m->scalapack;
  const int64_t corners[4] = { mine->row0, mine->row1, mine->column0, mine->column1 };
  int64_t (*all)[4] = vrg_new (s->size, sizeof *all, "corners of rectangles");
  int *counts = vrg_new (4 * (int64_t) s->size, sizeof *counts, "counts of matrix elements");
  int *sent = counts, *sent_at = counts + s->size, *got = sent_at + s->size, *got_at = got + s->size;
  VRG_MPI (MPI_Allgather (corners, 4, MPI_INT64_T, all, 4, MPI_INT64_T, s->comm));
  for (int k = 0; k < s->size; k++)
    {
      sent[k] = elements (part_of (m, corners, k / s->columns, k % s->columns));
      got[k] = elements (part_of (m, all[k], s->row, s->column));
    }
  double *out = vrg_new (line_up (s->size, sent, sent_at), sizeof *out, "matrix elements to send");
  double *in = vrg_new (line_up (s->size, got, got_at), sizeof *in, "matrix elements to receive");
  for (int k = 0; k < s->size; k++)
    if (sent[k] > 0)
      {
        const int row = k / s->columns, column = k % s->columns;
        pack (m, mine, part_of (m, corners, row, column), row, column, out + sent_at[k]);
      }
  VRG_MPI (MPI_Alltoallv (out, sent, sent_at, MPI_DOUBLE, in, got, got_at, MPI_DOUBLE, s->comm));
  for (int k = 0; k < s->size; k++)
    if (got[k] > 0)
      unpack (m, part_of (m, all[k], s->row, s->column), in + got_at[k]);
  vrg_free (in);
  vrg_free (out);
  vrg_free (counts);
  vrg_free (all);
}

void
vrg_matrix_put (vrg_matrix *m, const vrg_rectangle *mine)
{
  VRG_ASSERT (mine->row0 >= 0 && mine->row0 <= mine->row1 && mine->row1 <= m->rows && mine->column0 >= 0
              && mine->column0 <= mine->column1 && mine->column1 <= m->columns);
  const int64_t width = mine->column1 - mine->column0, height = width > 0 ? mine->row1 - mine->row0 : 0;
  const int64_t step = width < PIECE && width > 0 ? PIECE / width : 1;
  int64_t pieces = (height + step - 1) / step;
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &pieces, 1, MPI_INT64_T, MPI_MAX, m->scalapack->comm));
  for (int64_t k = 0; k < pieces; k++)
    {
      const int64_t first = k * step < height ? k * step : height, last = first + step < height ? first + step : height;
      vrg_rectangle piece = *mine;
      piece.row0 = mine->row0 + first;
      piece.row1 = mine->row0 + last;
      piece.data = first < last ? mine->data + first * mine->row_step : NULL;
      put_piece (m, &piece);
    }
}

void
vrg_matrix_get (const vrg_matrix *m, int64_t first, int64_t last, double *out)
{
  const vrg_scalapack *s = m->scalapack;
  memset (out, 0, (size_t) ((last - first) * m->rows) * sizeof *out);
  const int64_t end = below (last, m->block, s->column, s->columns);
  for (int64_t lc = below (first, m->block, s->column, s->columns); lc < end; lc++)
    {
      double *column = out + (global (lc, m->block, s->column, s->columns) - first) * m->rows;
      for (int64_t lr = 0; lr < m->local_rows; lr++)
        column[global (lr, m->block, s->row, s->rows)] = m->data[lc * m->local_rows + lr];
    }
  vrg_sum_double (s->comm, out, (last - first) * m->rows);
}

void
vrg_matrix_gram (const vrg_matrix *a, vrg_matrix *c)
{
  VRG_ASSERT (c->rows == a->rows && c->columns == a->rows && c->block == a->block);
  pdsyrk_ ("L", "N", &a->rows, &a->columns, &one, a->data, &first_element, &first_element, a->descriptor, &zero,
           c->data, &first_element, &first_element, c->descriptor);
}

void
vrg_matrix_left (const vrg_matrix *a, int64_t first, const vrg_matrix *b, vrg_matrix *c)
{
  VRG_ASSERT (first >= 0 && first + c->rows <= a->columns && a->rows == b->rows && b->columns == c->columns);
  const int column = (int) first + 1;
  pdgemm_ ("T", "N", &c->rows, &c->columns, &a->rows, &one, a->data, &first_element, &column, a->descriptor, b->data,
           &first_element, &first_element, b->descriptor, &zero, c->data, &first_element, &first_element,
           c->descriptor);
}

void
vrg_matrix_right (const vrg_matrix *b, const vrg_matrix *a, int64_t first, vrg_matrix *c)
{
  VRG_ASSERT (first >= 0 && first + c->columns <= a->columns && a->rows == b->rows && b->columns == c->rows);
  const int column = (int) first + 1;
  pdgemm_ ("T", "N", &c->rows, &c->columns, &a->rows, &one, b->data, &first_element, &first_element, b->descriptor,
           a->data, &first_element, &column, a->descriptor, &zero, c->data, &first_element, &first_element,
           c->descriptor);
}

/** Workspace that does.  What pdsyevd asks for is not always enough for pdlasrt, which sorts at the end (issue 74 of
 *  Reference-ScaLAPACK), nor for pdormtr, which turns the vectors back (met by CP2K): what those need is added. */
static int64_t
workspace (const vrg_matrix *a, double asked)
{
  const int64_t rows = a->local_rows, columns = a->local_columns, block = a->block;
  return (int64_t) asked + 3 * (int64_t) a->rows + rows * (block + columns) + block * (rows + columns + 2 * block) + 1;
}

int
vrg_matrix_diagonalise (vrg_matrix *a, double *values, vrg_matrix *vectors)
{
  VRG_ASSERT (a->rows == a->columns && vectors->rows == a->rows && vectors->columns == a->rows
              && vectors->block == a->block);
  int code = VRG_OK;
  for (int64_t i = 0; i < (int64_t) a->local_rows * a->local_columns; i++)
    if (!isfinite (a->data[i]))
      code = vrg_error (VRG_INTERNAL, "a matrix of %d x %d to diagonalise has an element that is not a finite number",
                        a->rows, a->rows);
  code = vrg_agree (a->scalapack->comm, code);
  if (code != VRG_OK)
    return code;

  double asked[1] = { 0 };
  int asked_int[1] = { 0 }, info, query = -1;
  pdsyevd_ ("V", "L", &a->rows, a->data, &first_element, &first_element, a->descriptor, values, vectors->data,
            &first_element, &first_element, vectors->descriptor, asked, &query, asked_int, &query, &info);
  const int64_t room = workspace (a, asked[0]), room_int = (int64_t) asked_int[0] + a->rows;
  if (info != 0)
    code = vrg_error (VRG_INTERNAL, "pdsyevd (%d x %d, block %d): the query for workspace returned %d", a->rows,
                      a->rows, a->block, info);
  else if (room > INT_MAX || room_int > INT_MAX)
    code = vrg_error (VRG_USAGE, "pdsyevd (%d x %d) needs a workspace of %lld numbers a rank; use more ranks", a->rows,
                      a->rows, (long long) room);
  code = vrg_agree (a->scalapack->comm, code);
  if (code != VRG_OK)
    return code;

  const int lwork = (int) room, liwork = (int) room_int;
  double *work = vrg_new (room, sizeof *work, "workspace of pdsyevd");
  int *iwork = vrg_new (room_int, sizeof *iwork, "workspace of pdsyevd");
  pdsyevd_ ("V", "L", &a->rows, a->data, &first_element, &first_element, a->descriptor, values, vectors->data,
            &first_element, &first_element, vectors->descriptor, work, &lwork, iwork, &liwork, &info);
  vrg_free (iwork);
  vrg_free (work);
  if (info < 0)
    code = vrg_error (VRG_INTERNAL, "pdsyevd (%d x %d, block %d): argument %d is wrong", a->rows, a->rows, a->block,
                      -info);
  else if (info > 0)
    code = vrg_error (VRG_INTERNAL, "pdsyevd (%d x %d, block %d) did not converge (info %d, rows and columns %d to %d)",
                      a->rows, a->rows, a->block, info, info / (a->rows + 1), info % (a->rows + 1));
  code = vrg_agree (a->scalapack->comm, code);
  /* all ranks compute them; one rank's count, so that what is decided from them is decided once */
  vrg_broadcast (a->scalapack->comm, values, (int64_t) a->rows * (int64_t) sizeof *values);
  return code;
}
