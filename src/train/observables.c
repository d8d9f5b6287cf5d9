/* SPDX-License-Identifier: GPL-3.0-or-later
 * Observables of configurations. */
#include "train/observables.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/param.h"
#include "lattice/observe.h"

#define ONE 1099511627776.0 /* 2^40 */
#define BLOCKS 128
#define ALL_TO 32                 /* distances; then powers of 2 */
#define BYTES (INT64_C (1) << 23) /* of whole lattices gathered at a time */
#define PI 3.14159265358979323846

/** Means over samples: s, its square, |m|, m^2, m^4, |sum s exp (iqr)|^2 / N^2, operators, two-point functions. */
enum
{
  S,
  S2,
  ABS_M,
  M2,
  M4,
  WAVE,
  EVEN,
  TWO_POINT = EVEN + VRG_EVEN_OPERATORS
};

vrg_observables *
vrg_observables_new (int64_t rows, int64_t columns, int64_t samples, int64_t chains)
{
  VRG_ASSERT (samples > 0 && samples <= VRG_OBSERVABLES_SAMPLES);
  vrg_observables *o = vrg_new (1, sizeof *o, "observables");
  const int64_t longest = (rows > columns ? rows : columns) / 2;
  o->rows = rows;
  o->columns = columns;
  o->words = (columns + 63) / 64;
  for (int64_t d = 1; d <= longest && o->distances < VRG_OBSERVABLES_DISTANCES; d += d < ALL_TO ? 1 : d)
    o->distance[o->distances++] = d;
  vrg_blocks_init (&o->blocks, samples, chains, BLOCKS);
  o->numbers = TWO_POINT + 2 * o->distances;
  o->sums = vrg_new (o->blocks.n * o->numbers, sizeof *o->sums, "observables");
  for (int i = 0; i < 2; i++)
    o->series[i] = vrg_new (samples, sizeof *o->series[i], "observables");
  const int64_t size[2] = { rows > 1 ? rows : columns, columns };
  o->lattice = vrg_lattice_new_size (rows > 1 ? 2 : 1, size, 0, rows);
  return o;
}

void
vrg_observables_free (vrg_observables *o)
{
  if (o == NULL)
    return;
  vrg_lattice_free (o->lattice);
  vrg_free (o->series[0]);
  vrg_free (o->series[1]);
  vrg_free (o->sums);
  vrg_free (o);
}

/** Sum of s s' over pairs d rows, or d columns, apart. */
static int64_t
correlate (const vrg_observables *o, const uint64_t *spins, int axis, int64_t d, uint64_t *room)
{
  int64_t different = 0;
  for (int64_t y = 0; y < o->rows; y++)
    {
      const uint64_t *row = spins + y * o->words, *other = spins + (y + d) % o->rows * o->words;
      if (axis == 1)
        {
          vrg_row_shift (room, row, o->columns, d);
          other = room;
        }
      for (int64_t w = 0; w < o->words; w++)
        different += __builtin_popcountll (row[w] ^ other[w]);
    }
  return o->rows * o->columns - 2 * different;
}

/** Measure a whole lattice [rows][words]. */
static void
measure (vrg_observables *o, int64_t number, const uint64_t *spins, uint64_t *room)
{
  const double n = (double) (o->rows * o->columns);
  vrg_observation seen;
  vrg_lattice_unpack (o->lattice, spins);
  vrg_observe (MPI_COMM_NULL, o->lattice, &seen);

  int64_t *sums = o->sums + vrg_blocks_find (&o->blocks, number) * o->numbers;
  const double s = (double) seen.bonds / n, m = (double) seen.magnetisation / n;
  const double wave[2] = { (double) seen.fourier[0] / (n * (double) VRG_FOURIER_ONE),
                           (double) seen.fourier[1] / (n * (double) VRG_FOURIER_ONE) };
  o->series[0][number] = llrint (s * ONE);
  o->series[1][number] = llrint (m * m * ONE);
  sums[S] += o->series[0][number];
  sums[S2] += llrint (s * s * ONE);
  sums[ABS_M] += llrint (fabs (m) * ONE);
  sums[M2] += o->series[1][number];
  sums[M4] += llrint (m * m * m * m * ONE);
  sums[WAVE] += llrint ((wave[0] * wave[0] + wave[1] * wave[1]) * ONE);
  for (int a = 0; a < VRG_EVEN_OPERATORS; a++)
    sums[EVEN + a] += llrint ((double) seen.even[a] / n * ONE);
  for (int axis = 0; axis < 2; axis++)
    for (int d = 0; d < o->distances; d++)
      if (o->distance[d] <= (axis == 0 ? o->rows : o->columns) / 2)
        sums[TWO_POINT + axis * o->distances + d]
          += llrint ((double) correlate (o, spins, axis, o->distance[d], room) / n * ONE);
}

void
vrg_observables_add (const vrg_grid *grid, vrg_observables *o, int64_t n, const int64_t *number, const uint64_t *spins)
{
  const int strips = grid->strips;
  int64_t row0, row1;
  vrg_grid_span (o->rows, strips, grid->strip, &row0, &row1);
  const int64_t own = (row1 - row0) * o->words, whole = o->rows * o->words;
  const int64_t fit = BYTES / (whole * (int64_t) sizeof *spins), most = fit > 1 ? fit : 1;
  uint64_t *room = vrg_new (o->words, sizeof *room, "a row");
  uint64_t *lattice = vrg_new (whole, sizeof *lattice, "a lattice");
  uint64_t *all = strips > 1 ? vrg_new (most * whole, sizeof *all, "lattices") : NULL;
  int *count = vrg_new (2 * strips, sizeof *count, "counts");
  for (int64_t first = 0; first < n; first += most)
    {
      const int64_t here = n - first < most ? n - first : most;
      for (int s = 0, sum = 0; s < strips; sum += count[s++])
        {
          int64_t a, b;
          vrg_grid_span (o->rows, strips, s, &a, &b);
          count[s] = (int) (here * (b - a) * o->words);
          count[strips + s] = sum;
        }
      if (strips > 1)
        VRG_MPI (MPI_Allgatherv (spins + first * own, count[grid->strip], MPI_UINT64_T, all, count, count + strips,
                                 MPI_UINT64_T, grid->strip_comm));
      for (int64_t i = grid->strip; i < here; i += strips)
        {
          uint64_t *to = lattice;
          for (int s = 0; s < strips && strips > 1; s++)
            {
              const int64_t part = count[s] / here;
              memcpy (to, all + count[strips + s] + i * part, (size_t) part * sizeof *to);
              to += part;
            }
          measure (o, number[first + i], strips > 1 ? lattice : spins + (first + i) * own, room);
        }
    }
  vrg_free (count);
  vrg_free (all);
  vrg_free (lattice);
  vrg_free (room);
}

void
vrg_observables_sum (const vrg_grid *grid, vrg_observables *o)
{
  vrg_sum_int64 (grid->world, o->sums, o->blocks.n * o->numbers);
  for (int i = 0; i < 2; i++)
    vrg_sum_int64 (grid->world, o->series[i], o->blocks.samples);
}

/** What the sums over `samples` samples say, in the order of vrg_observables_estimate. */
static void
conclude (const vrg_observables *o, const int64_t *sums, int64_t samples, double nn, double *out)
{
  const double scale = 1 / ((double) samples * ONE), n = (double) (o->rows * o->columns);
  const double s = (double) sums[S] * scale, m2 = (double) sums[M2] * scale, wave = (double) sums[WAVE] * scale;
  *out++ = -s;
  *out++ = nn * nn * n * ((double) sums[S2] * scale - s * s);
  *out++ = (double) sums[ABS_M] * scale;
  *out++ = m2;
  *out++ = 1 - (double) sums[M4] * scale / (3 * m2 * m2);
  *out++
    = wave > 0 ? sqrt (m2 / wave - 1) / (2 * sin (PI / (double) (o->rows > 1 ? o->rows : o->columns))) : (double) NAN;
  for (int64_t i = EVEN; i < o->numbers; i++)
    *out++ = (double) sums[i] * scale;
}

double
vrg_observables_factor (const vrg_observables *o)
{
  const int64_t samples = o->blocks.samples;
  double tau[2], *series = vrg_new (samples, sizeof *series, "series");
  for (int k = 0; k < 2; k++)
    {
      for (int64_t i = 0; i < samples; i++)
        series[i] = (double) o->series[k][i];
      tau[k] = o->blocks.over_time > 1 ? vrg_tau_int (series, samples, o->blocks.chains, NULL) : 0;
    }
  vrg_free (series);
  return vrg_blocks_factor (&o->blocks, tau[0] > tau[1] ? tau[0] : tau[1]);
}

int
vrg_observables_estimate (const vrg_observables *o, double nn, vrg_observed *estimates)
{
  static const char *const names[EVEN] = { "energy", "specific_heat", "abs_m", "m2", "binder", "xi" };
  const int64_t samples = o->blocks.samples;
  const int n = (int) o->numbers, blocks = o->blocks.n;
  double *full = vrg_new ((blocks + 3) * n, sizeof *full, "estimates"), *value = full + n, *error = value + n,
         *loo = error + n;
  int64_t *total = vrg_new (2 * n, sizeof *total, "estimates"), *rest = total + n;
  for (int b = 0; b < blocks; b++)
    for (int i = 0; i < n; i++)
      total[i] += o->sums[b * n + i];
  conclude (o, total, samples, nn, full);
  for (int b = 0; b < blocks; b++)
    {
      for (int i = 0; i < n; i++)
        rest[i] = total[i] - o->sums[b * n + i];
      conclude (o, rest, samples - vrg_blocks_count (&o->blocks, b), nn, loo + b * n);
    }
  vrg_jackknife (blocks, n, full, loo, value, error);
  const double factor = vrg_observables_factor (o);

  const vrg_pattern *even;
  vrg_catalogue (2, false, &even);
  int count = 0;
  for (int i = 0; i < n; i++)
    {
      vrg_observed e = { NULL, 0, value[i], factor * error[i] };
      const int at = i - TWO_POINT, axis = at < o->distances ? 0 : 1;
      if (i < EVEN)
        e.quantity = names[i];
      else if (i < TWO_POINT)
        e.quantity = o->rows > 1 ? even[i - EVEN].name : NULL;
      else
        {
          e.distance = o->distance[at - axis * o->distances];
          e.quantity = e.distance > (axis == 0 ? o->rows : o->columns) / 2 ? NULL
                       : axis == 0                                         ? "two_point_row"
                                                                           : "two_point_column";
        }
      if (e.quantity != NULL)
        estimates[count++] = e;
    }
  vrg_free (total);
  vrg_free (full);
  return count;
}

double
vrg_observables_parity (const vrg_observables *o)
{
  const int64_t chains = o->blocks.chains, times = o->blocks.samples / chains;
  double worst = 0;
  for (int k = 0; k < 2; k++)
    {
      double sum[2] = { 0 }, square[2] = { 0 }, variance = 0, difference = 0;
      int64_t n[2] = { 0 };
      for (int64_t c = 0; c < chains; c++)
        {
          double mean = 0;
          for (int64_t t = 0; t < times; t++)
            mean += (double) o->series[k][t * chains + c] / (ONE * (double) times);
          sum[c % 2] += mean;
          square[c % 2] += mean * mean;
          n[c % 2]++;
        }
      for (int p = 0; p < 2; p++)
        {
          const double mean = sum[p] / (double) n[p];
          variance += (square[p] / (double) n[p] - mean * mean) / ((double) n[p] - 1);
          difference = mean - difference;
        }
      if (n[1] > 1 && variance > 0)
        worst = fmax (worst, fabs (difference) / sqrt (variance));
    }
  return worst;
}
