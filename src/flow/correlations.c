/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exact sums of operator products and the covariances they give. */
#include "flow/correlations.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/simd.h"

#define WORD_BITS 48
#define EXACT_BITS 53 /* integers below 2^53 are exact in doubles */

int
vrg_correlations_size (int n)
{
  return 3 * n + n * (n + 1) / 2 + 2 * n * n;
}

void
vrg_correlations_add (int n, const int64_t *coarse, const int64_t *fine, const int64_t *sampled, vrg_wide *record)
{
  for (int a = 0; a < n; a++)
    *record++ += coarse[a];
  for (int a = 0; a < n; a++)
    *record++ += fine ? fine[a] : 0;
  for (int a = 0; a < n; a++)
    for (int b = 0; b <= a; b++)
      *record++ += (vrg_wide) coarse[a] * coarse[b];
  for (int a = 0; a < n; a++)
    for (int b = 0; b < n; b++)
      *record++ += fine ? (vrg_wide) coarse[a] * fine[b] : 0;
  for (int a = 0; a < n; a++)
    *record++ += sampled[a];
  for (int a = 0; a < n; a++)
    for (int b = 0; b < n; b++)
      *record++ += (vrg_wide) coarse[a] * sampled[b];
}

#define BATCH 32 /* samples multiplied at once */
#define LANES 4
#define ROWS 4

/* sums: a row of S' S S0, and the products of each S'_a with them: n rows, rounded up to a multiple of ROWS.  None of
 * them exceeds `bound`. */
struct vrg_correlator
{
  int n, pitch, filled;
  int64_t bound;
  int64_t *batch; /* [BATCH][pitch]: S' S S0 of samples still to be multiplied */
  double *rows;   /* the same */
  double *sums;
  vrg_wide *record;
};

static int64_t
sums_of (const vrg_correlator *c)
{
  return (int64_t) (1 + (c->n + ROWS - 1) / ROWS * ROWS) * c->pitch;
}

vrg_correlator *
vrg_correlator_new (int n)
{
  vrg_correlator *c = vrg_new (1, sizeof *c, "correlations");
  c->n = n;
  c->pitch = (3 * n + LANES - 1) / LANES * LANES;
  c->batch = vrg_new ((int64_t) BATCH * c->pitch, sizeof *c->batch, "operator sums");
  c->rows = vrg_new ((int64_t) BATCH * c->pitch, sizeof *c->rows, "operator sums");
  c->sums = vrg_new (sums_of (c), sizeof *c->sums, "products of operator sums");
  c->record = vrg_new (vrg_correlations_size (n), sizeof *c->record, "products of operator sums");
  return c;
}

void
vrg_correlator_free (vrg_correlator *correlator)
{
  if (correlator == NULL)
    return;
  vrg_free (correlator->batch);
  vrg_free (correlator->rows);
  vrg_free (correlator->sums);
  vrg_free (correlator->record);
  vrg_free (correlator);
}

typedef double lanes __attribute__ ((vector_size (8 * LANES)));

/* Convert integers; *magnitude: none of them is larger than the power of 2 above it. */
__attribute__ ((always_inline)) static inline void
convert_body (int64_t count, const int64_t *restrict values, double *restrict rows, int64_t *magnitude)
{
  int64_t bits = 0;
  for (int64_t i = 0; i < count; i++)
    {
      bits |= values[i] ^ (values[i] >> 63);
      rows[i] = (double) values[i];
    }
  *magnitude = bits;
}
VRG_PATHS (convert, (int64_t count, const int64_t *values, double *rows, int64_t *magnitude),
           (count, values, rows, magnitude))

/* Multiply `samples` rows of a batch. */
__attribute__ ((always_inline)) static inline void
multiply_body (int n, int pitch, int samples, const double *batch, double *sums)
{
  for (int i = 0; i < pitch; i += LANES)
    {
      lanes sum = *(lanes *) (sums + i);
      for (int s = 0; s < samples; s++)
        sum += *(const lanes *) (batch + s * pitch + i);
      *(lanes *) (sums + i) = sum;
      for (int a = 0; a < n; a += ROWS)
        {
          double *out = sums + (1 + a) * pitch + i;
          lanes product[ROWS];
#pragma GCC unroll 4
          for (int k = 0; k < ROWS; k++)
            product[k] = *(lanes *) (out + k * pitch);
          for (int s = 0; s < samples; s++)
            {
              const double *row = batch + s * pitch;
              lanes right = *(const lanes *) (row + i);
#pragma GCC unroll 4
              for (int k = 0; k < ROWS; k++)
                product[k] += row[a + k] * right;
            }
#pragma GCC unroll 4
          for (int k = 0; k < ROWS; k++)
            *(lanes *) (out + k * pitch) = product[k];
        }
    }
}
VRG_PATHS (multiply, (int n, int pitch, int samples, const double *batch, double *sums),
           (n, pitch, samples, batch, sums))

/* Move the doubles' sums to the wide ones. */
static void
fold (vrg_correlator *c)
{
  int n = c->n, pitch = c->pitch;
  vrg_wide *record = c->record;
  const double *products = c->sums + pitch;
  for (int a = 0; a < 2 * n; a++)
    *record++ += (int64_t) c->sums[a];
  for (int a = 0; a < n; a++)
    for (int b = 0; b <= a; b++)
      *record++ += (int64_t) products[a * pitch + b];
  for (int a = 0; a < n; a++)
    for (int b = 0; b < n; b++)
      *record++ += (int64_t) products[a * pitch + n + b];
  for (int a = 0; a < n; a++)
    *record++ += (int64_t) c->sums[2 * n + a];
  for (int a = 0; a < n; a++)
    for (int b = 0; b < n; b++)
      *record++ += (int64_t) products[a * pitch + 2 * n + b];
  memset (c->sums, 0, (size_t) sums_of (c) * sizeof *c->sums);
  c->bound = 0;
}

/* Sum the products of the batch. */
static void
flush (vrg_correlator *c)
{
  int64_t magnitude;
  convert ((int64_t) c->filled * c->pitch, c->batch, c->rows, &magnitude);
  int bits = magnitude == 0 ? 0 : 64 - __builtin_clzll ((uint64_t) magnitude);
  int64_t limit = INT64_C (1) << EXACT_BITS;
  if (2 * bits > EXACT_BITS || c->filled > limit >> 2 * bits)
    for (int s = 0; s < c->filled; s++)
      {
        const int64_t *row = c->batch + s * c->pitch;
        vrg_correlations_add (c->n, row, row + c->n, row + 2 * c->n, c->record);
      }
  else
    {
      int64_t more = (int64_t) c->filled << 2 * bits;
      if (c->bound > limit - more)
        fold (c);
      c->bound += more;
      multiply (c->n, c->pitch, c->filled, c->rows, c->sums);
    }
  c->filled = 0;
}

void
vrg_correlator_add (vrg_correlator *c, const int64_t *coarse, const int64_t *fine, const int64_t *sampled)
{
  int n = c->n;
  int64_t *row = c->batch + c->filled * c->pitch;
  for (int a = 0; a < n; a++)
    {
      row[a] = coarse[a];
      row[n + a] = fine ? fine[a] : 0;
      row[2 * n + a] = sampled[a];
    }
  if (n > 0 && ++c->filled == BATCH)
    flush (c);
}

void
vrg_correlator_take (vrg_correlator *c, vrg_wide *record)
{
  int size = vrg_correlations_size (c->n);
  if (size == 0)
    return;
  flush (c);
  fold (c);
  for (int i = 0; i < size; i++)
    record[i] += c->record[i];
  memset (c->record, 0, (size_t) size * sizeof *c->record);
}

void
vrg_correlations_add_words (int64_t size, const vrg_wide *record, int64_t *words)
{
  for (int64_t i = 0; i < size; i++)
    {
      vrg_wide sum = record[i] + words[2 * i];
      words[2 * i] = (int64_t) (sum & ((INT64_C (1) << WORD_BITS) - 1));
      words[2 * i + 1] += (int64_t) (sum >> WORD_BITS);
    }
}

void
vrg_correlations_from_words (int64_t size, const int64_t *words, vrg_wide *record)
{
  for (int64_t i = 0; i < size; i++)
    record[i] = ((vrg_wide) words[2 * i + 1] * (INT64_C (1) << WORD_BITS)) + words[2 * i];
}

void
vrg_correlations_matrices (int n, int64_t samples, const vrg_wide *record, double *mean, double *covariance,
                           double *cross, double *response)
{
  const vrg_wide *coarse = record, *fine = coarse + n, *own = fine + n, *with_fine = own + n * (n + 1) / 2,
                 *sampled = with_fine + n * n, *with_sampled = sampled + n;
  double m = (double) samples;
  for (int a = 0; a < n; a++)
    {
      mean[a] = (double) coarse[a] / m;
      for (int b = 0; b <= a; b++, own++)
        covariance[a * n + b] = covariance[b * n + a] = (double) (*own * samples - coarse[a] * coarse[b]) / (m * m);
      for (int b = 0; b < n; b++, with_fine++, with_sampled++)
        {
          cross[a * n + b] = (double) (*with_fine * samples - coarse[a] * fine[b]) / (m * m);
          response[a * n + b] = (double) (*with_sampled * samples - coarse[a] * sampled[b]) / (m * m);
        }
    }
}

int
vrg_correlations_independent (int n, const double *matrix, bool *used)
{
  int count = 0;
  double *factor = vrg_new (n * n, sizeof (double), "Cholesky factor");
  for (int a = 0; a < n; a++)
    {
      double rest = matrix[a * n + a];
      for (int b = 0; b < a; b++)
        if (used[b])
          {
            double x = matrix[a * n + b];
            for (int c = 0; c < b; c++)
              if (used[c])
                x -= factor[a * n + c] * factor[b * n + c];
            x /= factor[b * n + b];
            factor[a * n + b] = x;
            rest -= x * x;
          }
      used[a] = rest > 1e-10 * matrix[a * n + a];
      factor[a * n + a] = used[a] ? __builtin_sqrt (rest) : 0;
      count += used[a];
    }
  vrg_free (factor);
  return count;
}
