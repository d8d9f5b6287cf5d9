/* SPDX-License-Identifier: GPL-3.0-or-later
 * Covariance of +-1 units from bit-packed samples: XOR and popcount on the samples of each unit. */
#include "train/spectrum.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/simd.h"

#define PANEL 256 /* units whose pairs with all others are counted at once */

static int64_t
least (int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/** a[i] bit j <-> a[j] bit i. */
static void
transpose (uint64_t a[64])
{
  uint64_t mask = 0x00000000ffffffff;
  for (int half = 32; half > 0; half /= 2, mask ^= mask << half)
    for (int k = 0; k < 64; k = (k + half + 1) & ~half)
      {
        const uint64_t swap = ((a[k] >> half) ^ a[k + half]) & mask;
        a[k] ^= swap << half;
        a[k + half] ^= swap;
      }
}

/** Samples of each unit of this rank as bits: [visible1 - visible0][width], width = words of `samples` bits. */
static uint64_t *
by_unit (const vrg_spectrum_layer *layer, int64_t width)
{
  uint64_t *units = vrg_new (layer->rows * layer->columns * width, sizeof *units, "samples by units");
  for (int64_t word = 0; word < width; word++)
    for (int64_t place = 0; place < layer->rows * layer->words; place++)
      {
        uint64_t tile[64] = { 0 };
        const int64_t n = least (64, layer->samples - 64 * word);
        for (int64_t k = 0; k < n; k++)
          tile[k] = layer->bits[(64 * word + k) * layer->rows * layer->words + place];
        transpose (tile);
        const int64_t row = place / layer->words, column = place % layer->words * 64;
        for (int64_t k = 0; k < least (64, layer->columns - column); k++)
          units[(row * layer->columns + column + k) * width + word] = tile[k];
      }
  return units;
}

/** counts[i][j - first] = samples in which units i of a and j of b differ. */
static inline __attribute__ ((always_inline)) void
differences_body (int64_t width, int64_t n, const uint64_t *a, int64_t m, const uint64_t *b, int64_t step,
                  int64_t *counts)
{
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < m; j++)
      {
        int64_t sum = 0;
        for (int64_t word = 0; word < width; word++)
          sum += __builtin_popcountll (a[i * width + word] ^ b[j * width + word]);
        counts[i * step + j] = sum;
      }
}

typedef void (*differences) (int64_t, int64_t, const uint64_t *, int64_t, const uint64_t *, int64_t, int64_t *);

static void
differences_portable (int64_t width, int64_t n, const uint64_t *a, int64_t m, const uint64_t *b, int64_t step,
                      int64_t *counts)
{
  differences_body (width, n, a, m, b, step, counts);
}

__attribute__ ((target ("avx2,popcnt"))) static void
differences_avx2 (int64_t width, int64_t n, const uint64_t *a, int64_t m, const uint64_t *b, int64_t step,
                  int64_t *counts)
{
  differences_body (width, n, a, m, b, step, counts);
}

__attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,popcnt"))) static void
differences_avx512 (int64_t width, int64_t n, const uint64_t *a, int64_t m, const uint64_t *b, int64_t step,
                    int64_t *counts)
{
  differences_body (width, n, a, m, b, step, counts);
}

/** Of this rank's units [first, last) with all: counts [last - first][visible], over the samples of this group.  The
 *  strips show each other their units, PANEL at a time.  Collective over grid->strip_comm. */
static void
count_panel (const vrg_grid *grid, const vrg_spectrum_layer *layer, int64_t width, const uint64_t *units, int64_t first,
             int64_t last, const int64_t (*spans)[2], uint64_t *shown, int64_t *counts)
{
  static const differences paths[] = { differences_portable, differences_avx2, differences_avx512 };
  for (int strip = 0; strip < grid->strips; strip++)
    for (int64_t begin = spans[strip][0]; begin < spans[strip][1]; begin += PANEL)
      {
        const int64_t n = least (PANEL, spans[strip][1] - begin);
        const uint64_t *theirs = shown;
        if (strip == grid->strip)
          theirs = units + (begin - layer->visible0) * width;
        if (grid->strips > 1)
          {
            if (strip == grid->strip && width > 0)
              memcpy (shown, theirs, (size_t) (n * width) * sizeof *shown);
            const int64_t piece = (INT64_C (1) << 30) / (int64_t) sizeof *shown;
            for (int64_t done = 0; done < n * width; done += piece)
              VRG_MPI (
                MPI_Bcast (shown + done, (int) least (piece, n * width - done), MPI_UINT64_T, strip, grid->strip_comm));
          }
        paths[vrg_simd ()](width, last - first, units + (first - layer->visible0) * width, n, theirs, layer->visible,
                           counts + begin);
      }
}

/** Sums of the spins of all units over all groups' samples [visible]; total: the samples.  Collective over
 *  grid->world. */
static int64_t *
spin_sums (const vrg_grid *grid, const vrg_spectrum_layer *layer, int64_t width, const uint64_t *units,
           const int64_t (*spans)[2], int64_t *total)
{
  int64_t *sums = vrg_new (layer->visible, sizeof *sums, "sums of spins");
  for (int64_t i = layer->visible0; i < layer->visible1; i++)
    {
      sums[i] = -layer->samples;
      for (int64_t word = 0; word < width; word++)
        sums[i] += 2 * __builtin_popcountll (units[(i - layer->visible0) * width + word]);
    }
  *total = layer->samples;
  vrg_sum_int64 (grid->group_comm, total, 1);
  vrg_sum_int64 (grid->group_comm, sums + layer->visible0, layer->visible1 - layer->visible0);
  for (int strip = 0; strip < grid->strips; strip++)
    if (spans[strip][0] < spans[strip][1])
      VRG_MPI (MPI_Bcast (sums + spans[strip][0], (int) (spans[strip][1] - spans[strip][0]), MPI_INT64_T, strip,
                          grid->strip_comm));
  return sums;
}

vrg_matrix *
vrg_spectrum_covariance (const vrg_grid *grid, const vrg_scalapack *scalapack, const vrg_spectrum_layer *layer)
{
  const int64_t visible = layer->visible, own = layer->visible1 - layer->visible0;
  vrg_matrix *matrix
    = vrg_matrix_new (scalapack, visible, visible, vrg_matrix_block (scalapack, visible), "the covariance of the data");
  if (!matrix)
    return NULL;
  VRG_ASSERT (layer->rows * layer->columns == own);
  const int64_t width = (layer->samples + 63) / 64, span[2] = { layer->visible0, layer->visible1 };
  int64_t (*spans)[2] = vrg_new (grid->strips, sizeof *spans, "strips");
  VRG_MPI (MPI_Allgather (span, 2, MPI_INT64_T, spans, 2, MPI_INT64_T, grid->strip_comm));
  uint64_t *units = by_unit (layer, width);
  int64_t samples, panels = (own + PANEL - 1) / PANEL;
  int64_t *sums = spin_sums (grid, layer, width, units, (const int64_t (*)[2]) spans, &samples);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &panels, 1, MPI_INT64_T, MPI_MAX, grid->world));
  uint64_t *shown = vrg_new (grid->strips > 1 ? PANEL * width : 0, sizeof *shown, "samples of another strip's units");
  int64_t *counts = vrg_new (least (own, PANEL) * visible, sizeof *counts, "counts of pairs");
  double *values = vrg_new (least (own, PANEL) * visible, sizeof *values, "covariances");
  int64_t column0, column1; /* the groups know the same: each hands out its share */
  vrg_grid_span (visible, grid->groups, grid->group, &column0, &column1);
  for (int64_t panel = 0; panel < panels; panel++)
    {
      const int64_t first = layer->visible0 + least (panel * PANEL, own), last = least (first + PANEL, layer->visible1);
      count_panel (grid, layer, width, units, first, last, (const int64_t (*)[2]) spans, shown, counts);
      vrg_sum_int64 (grid->group_comm, counts, (last - first) * visible);
      for (int64_t i = first; i < last; i++)
        for (int64_t j = column0; j < column1; j++)
          {
            const int64_t place = (i - first) * visible + j;
            const __int128 product = samples - 2 * counts[place];
            values[place]
              = (double) (samples * product - (__int128) sums[i] * sums[j]) / ((double) samples * (double) samples);
          }
      vrg_matrix_put (matrix, &(vrg_rectangle){ first, last, column0, column1, visible, 1, values + column0 });
    }
  vrg_free (values);
  vrg_free (counts);
  vrg_free (shown);
  vrg_free (sums);
  vrg_free (units);
  vrg_free (spans);
  return matrix;
}
