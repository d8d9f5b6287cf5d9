/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a layer has learnt, by linear algebra: singular values of its weights against the Marchenko-Pastur edge of
 * random ones, and its leading directions against the principal components of the data.  spectrum.h5.
 *
 * Singular values come from pdsyevd of the Gram matrix of the smaller side.  Not from pdgesvd, which in ScaLAPACK 2.2
 * is 15 to 40 times slower (implicit QR), deadlocks (1 x 2 on two or four ranks) and ends with info = min (m, n) + 1,
 * where processes differ in a last bit (3 x 2 on 2 x 2 of them).  Squaring costs precision: an eigenvalue of W W^T has
 * an error of about eps |W|^2, so a singular value s one of eps |W|^2 / 2 s, and a 0 comes out as about sqrt (eps) |W|
 * = 1e-8 |W|.  Therefore values below 1e-3 of the largest are not taken from it: what their eigenvectors leave of W,
 * U_rest^T W, is squared again on its own, with errors smaller by that factor, and once more.  All values are then good
 * to about 1e-13 |W|. */
#ifndef VRG_TRAIN_SPECTRUM_H
#define VRG_TRAIN_SPECTRUM_H

#include "parallel/grid.h"
#include "parallel/scalapack.h"

#define VRG_SPECTRUM_LEADING 16 /* vectors that are kept, at most */
#define VRG_SPECTRUM_UNITS 4096 /* above so many visible units there are no principal components */

/** A layer, as plain data; nothing is owned.  Every group holds the same weights, and samples of its own; a strip holds
 *  visible units [visible0, visible1), all strips together all of them (all may hold all). */
typedef struct
{
  int64_t hidden, visible;
  int64_t visible0, visible1;
  const double *weights; /* [hidden][visible1 - visible0] */
  double spread;         /* standard deviation of the weights at the start */
  /* Data on the visible units: [samples][rows][words], a bit a unit; unit visible0 + row * columns + column is bit
   * column % 64 of word column / 64 of its row, and rows * columns = visible1 - visible0. */
  int64_t samples; /* of this group, on all its strips; 0 in every group: no data */
  const uint64_t *bits;
  int64_t rows, columns, words;
} vrg_spectrum_layer;

/** Open; the same on every rank of a run.  Visible and principal vectors are normalised, and the first of their largest
 *  components (within 1e-6) is positive. */
typedef struct
{
  int64_t hidden, visible;
  int64_t values, leading;           /* min (hidden, visible); at most VRG_SPECTRUM_LEADING of them */
  int64_t samples;                   /* all of them; 0: no principal components */
  int64_t components;                /* kept: at most VRG_SPECTRUM_LEADING */
  double deviation_start, deviation; /* standard deviations of the weights at the start and now */
  double edge_start, edge;           /* deviation (sqrt visible + sqrt hidden) */
  int64_t above_start, above;        /* singular values above the edge */
  double *singular_values;           /* [values], descending */
  double *visible_vectors;           /* [leading][visible], 0 where the value is below 1e-4 of the largest */
  double *hidden_vectors;            /* [leading][hidden], W v / s */
  double *principal_values;          /* [visible], descending */
  double *principal_vectors;         /* [components][visible] */
  double *overlaps;                  /* [leading][components], |cosine| of the two */
} vrg_spectrum;

/** VRG_USAGE if the matrices are too large for the ranks, VRG_INTERNAL if ScaLAPACK fails or a weight is not finite.
 *  Collective over grid->world. */
int vrg_spectrum_compute (const vrg_grid *grid, const vrg_scalapack *scalapack, const vrg_spectrum_layer *layer,
                          vrg_spectrum **spectrum);

/** values, leading and components from hidden, visible and samples.  Local. */
void vrg_spectrum_shape (vrg_spectrum *spectrum);

/** Local; NULL is fine. */
void vrg_spectrum_free (vrg_spectrum *spectrum);

/** Covariance of +-1 units, <s_i s_j> - <s_i> <s_j>, of all groups' samples, at least one: a visible x visible matrix
 *  for ScaLAPACK, to be freed; NULL: too large.  From integer counts, so its bits do not depend on the ranks.
 *  Collective over grid->world. */
vrg_matrix *vrg_spectrum_covariance (const vrg_grid *grid, const vrg_scalapack *scalapack,
                                     const vrg_spectrum_layer *layer);

/** Compute and write DIRECTORY/spectrum.h5 (.tmp, sealed, renamed): /layer-1, /layer-2 ...  Singular values are the
 *  same on any ranks and strips to 1e-10 of the largest, vectors up to rotations among equal values; the grid of
 *  processes is in /provenance.  Collective over grid->world. */
int vrg_spectrum_write (const vrg_grid *grid, const char *directory, const char *fingerprint, int layers,
                        const vrg_spectrum_layer *layer);

/** Read spectrum.h5, every rank all: spectra [layers], to be freed one by one and as an array (vrg_free).  VRG_FILE if
 *  it is missing or damaged.  fingerprint (may be NULL) receives the file's, to free with vrg_free.  Collective over
 *  comm. */
int vrg_spectrum_read (MPI_Comm comm, const char *path, int *layers, vrg_spectrum ***spectra, char **fingerprint);

#endif
