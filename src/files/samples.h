/* SPDX-License-Identifier: GPL-3.0-or-later
 * samples.h5: configurations, bit-packed, and the raw series.  One group per ensemble, /ensemble-000/{spins, bonds,
 * magnetisation, fourier, even}; spins u64 [sample][row][word], rows and words as vrg_lattice has them; the series i64
 * [sample] or [sample][n] of the numbers of a vrg_observation, even in two dimensions only.  Sample s = time * chains +
 * chain.  While it grows it is samples.h5.part, created whole; every sample has its final place. */
#ifndef VRG_FILES_SAMPLES_H
#define VRG_FILES_SAMPLES_H

#include <stdbool.h>

#include "base/observation.h"
#include "base/param.h"
#include "parallel/grid.h"

typedef struct vrg_samples vrg_samples;

/** What a samples file holds; plain data. */
typedef struct
{
  int64_t dimension, size[VRG_MAX_DIMENSION]; /* sides, slowest first; unused ones are 1 */
  int64_t rows, columns, words;               /* of a packed lattice; words = (columns + 63) / 64 */
  int64_t samples, chains;                    /* per ensemble */
  int64_t interval;                           /* sweeps between times */
  int64_t thermalization;
  int64_t seed;
  int algorithm;
  int ensembles;
  double nn[VRG_MAX_COUPLINGS];
  double nnn, plaquette, field; /* of all ensembles */
} vrg_samples_info;

/** Create DIRECTORY/samples.h5.part whole (free space permitting), or reopen one of the same fingerprint and shape.
 *  Collective over grid. */
int vrg_samples_begin (const vrg_grid *grid, const char *directory, const vrg_input *input, vrg_samples **samples);

/** Did vrg_samples_begin find a .part to go on with?  If not, a checkpoint that counts samples in it is worthless.  Local. */
bool vrg_samples_reopened (const vrg_samples *samples);

/** Write times [t0, t1) of chains [c0, c1), rows [row0, row1): spins [t][c][row][word].  Positions at or after the
 *  last sample are skipped.  observations [t][c], whole lattices', or NULL where another rank writes them.  Collective
 *  over the grid; a rank with nothing passes an empty range.  The data are on disk when it returns. */
int vrg_samples_write (vrg_samples *samples, int ensemble, int64_t t0, int64_t t1, int64_t c0, int64_t c1, int64_t row0,
                       int64_t row1, const uint64_t *spins, const vrg_observation *observations);

/** What was written, as one sum of checksums for each dataset of each ensemble: u64 [ensemble][dataset].  A checkpoint
 *  keeps them, and a run that goes on from it sets them, so that the whole file can be compared with all that was ever
 *  written to it.  NULL, or a file reopened without: they are not known (a checkpoint of an older version), nothing is compared.
 *  Cleared: all is going to be written again.  get is collective, the others are local. */
int vrg_samples_datasets (const vrg_samples *samples);
void vrg_samples_get_sums (const vrg_samples *samples, uint64_t *sums);
void vrg_samples_set_sums (vrg_samples *samples, const uint64_t *sums);
void vrg_samples_clear_sums (vrg_samples *samples);

/** Seal with checksums, sync, rename to samples.h5.  VRG_FILE where the file does not hold what was written; it is left as
 *  .part then.  Collective.  Also frees. */
int vrg_samples_finish (vrg_samples *samples);

/** Open a finished file; shape, attributes and sizes validated against each other, truncation found, checksums verified
 *  (the file is read once, spread over ranks).  Collective over comm, which must outlive it. */
int vrg_samples_open (MPI_Comm comm, const char *path, vrg_samples **samples);

/** Release, also after a write that stopped early.  Collective; NULL is fine. */
void vrg_samples_close (vrg_samples *samples);

/** Owned by samples. */
const vrg_samples_info *vrg_samples_get_info (const vrg_samples *samples);
const char *vrg_samples_get_fingerprint (const vrg_samples *samples);

/** Is every number of the head the input's, as readers that count on it in their memory need it?  The fingerprint, which says
 *  so too, is a text of its own, for the caller to compare.  VRG_FILE if not.  Local; same on every rank. */
int vrg_samples_check (const vrg_samples *samples, const vrg_input *input);

/** The ensemble whose nn is this number (bitwise), or -1.  Local. */
int vrg_samples_find (const vrg_samples *samples, double nn);

/** Read times [t0, t1) of chains [c0, c1), rows [row0, row1) into spins [t][c][row][word], sample order; positions after
 *  the last sample are skipped.  For a whole range of samples use t in units of 1 and chains [0, chains).
 *  Independent: every rank on its own.  VRG_FILE on failure (local: agree afterwards). */
int vrg_samples_read (vrg_samples *samples, int ensemble, int64_t t0, int64_t t1, int64_t c0, int64_t c1, int64_t row0,
                      int64_t row1, uint64_t *spins);

/** Samples [s0, s1), rows [row0, row1), into spins [s][row][word].  Independent. */
int vrg_samples_read_range (vrg_samples *samples, int ensemble, int64_t s0, int64_t s1, int64_t row0, int64_t row1,
                            uint64_t *spins);

/** The whole series of an ensemble, [samples] each.  Collective (every rank gets them). */
int vrg_samples_read_series (vrg_samples *samples, int ensemble, int64_t *bonds, int64_t *magnetisation);

/** All series of an ensemble, [samples], even[] 0 where the file has none.  Collective; rank 0 alone gets them, the others
 *  may pass NULL. */
int vrg_samples_read_observations (vrg_samples *samples, int ensemble, vrg_observation *observations);

#endif
