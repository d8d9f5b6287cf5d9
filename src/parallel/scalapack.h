/* SPDX-License-Identifier: GPL-3.0-or-later
 * Matrices spread over all ranks by ScaLAPACK: made from pieces that ranks hold, multiplied, diagonalised.
 *
 * Nothing is ever whole on one rank but what vrg_matrix_get asks for.  Every function is collective over the ranks of
 * the vrg_scalapack unless it says local. */
#ifndef VRG_PARALLEL_SCALAPACK_H
#define VRG_PARALLEL_SCALAPACK_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>

/** All ranks of a communicator as a BLACS grid, rows x columns, row-major and as square as their number allows.  Open;
 *  read only outside scalapack.c. */
typedef struct
{
  MPI_Comm comm; /* a duplicate */
  int rank, size;
  int rows, columns, row, column; /* of processes, and this one's place */
  int context, handle;
} vrg_scalapack;

/** Collective over comm. */
vrg_scalapack *vrg_scalapack_new (MPI_Comm comm);

/** Leaves MPI as it is; NULL is fine. */
void vrg_scalapack_free (vrg_scalapack *scalapack);

/** A block-cyclic matrix of doubles, block x block, first block on process (0, 0); the local part is column-major.
 *  Open; read only outside scalapack.c. */
typedef struct
{
  const vrg_scalapack *scalapack; /* not owned */
  int rows, columns, block;
  int local_rows, local_columns;
  int descriptor[9];
  double *data;
} vrg_matrix;

/** A matrix of zeros, rows and columns > 0; NULL if it is too large for ScaLAPACK's int indices (see vrg_error_text,
 *  VRG_USAGE).  block: matrices that meet in a product or a diagonalisation have the same.  `what`: for the failure of
 *  memory. */
vrg_matrix *vrg_matrix_new (const vrg_scalapack *scalapack, int64_t rows, int64_t columns, int block, const char *what);

/** Local; NULL is fine. */
void vrg_matrix_free (vrg_matrix *matrix);

/** A block for matrices whose smaller side is n: at least two blocks a process where n allows it, at most 64.
 *  Local. */
int vrg_matrix_block (const vrg_scalapack *scalapack, int64_t n);

/** A rectangle of a matrix, rows [row0, row1) and columns [column0, column1), in a rank's memory: element (i, j) is
 *  data[(i - row0) * row_step + (j - column0) * column_step].  Empty is fine, data may then be NULL. */
typedef struct
{
  int64_t row0, row1, column0, column1;
  int64_t row_step, column_step;
  const double *data;
} vrg_rectangle;

/** Set elements of the matrix from the rectangles of all ranks; an element that several ranks give has one value. */
void vrg_matrix_put (vrg_matrix *matrix, const vrg_rectangle *mine);

/** Columns [first, last), one after another, to every rank: out [last - first][rows]. */
void vrg_matrix_get (const vrg_matrix *matrix, int64_t first, int64_t last, double *out);

/** c = a a^T, lower triangle only. */
void vrg_matrix_gram (const vrg_matrix *a, vrg_matrix *c);

/** c = (columns [first, first + rows of c) of a)^T b, or b^T (columns [first, first + columns of c) of a). */
void vrg_matrix_left (const vrg_matrix *a, int64_t first, const vrg_matrix *b, vrg_matrix *c);
void vrg_matrix_right (const vrg_matrix *b, const vrg_matrix *a, int64_t first, vrg_matrix *c);

/** Eigenvalues, ascending, and orthonormal eigenvectors, the columns of `vectors`, of the symmetric matrix whose lower
 *  triangle `a` holds (destroyed), by pdsyevd.  values [rows], the same bits on every rank.  VRG_INTERNAL if
 *  ScaLAPACK fails, or an element is not a finite number (it would not come back). */
int vrg_matrix_diagonalise (vrg_matrix *a, double *values, vrg_matrix *vectors);

#endif
