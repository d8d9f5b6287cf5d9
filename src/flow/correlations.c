/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exact sums of operator products and the covariances they give. */
#include "flow/correlations.h"

#include "base/error.h"
#include "base/memory.h"

#define WORD_BITS 48

int
vrg_correlations_size (int n)
{
  return 2 * n + n * (n + 1) / 2 + n * n;
}

void
vrg_correlations_add (int n, const int64_t *coarse, const int64_t *fine, vrg_wide *record)
{
  for (int a = 0; a < n; a++)
    *record++ += coarse[a];
  for (int a = 0; a < n; a++)
    *record++ += fine ? fine[a] : 0;
  for (int a = 0; a < n; a++)
    for (int b = 0; b <= a; b++)
      *record++ += (vrg_wide) coarse[a] * coarse[b];
  if (fine)
    for (int a = 0; a < n; a++)
      for (int b = 0; b < n; b++)
        *record++ += (vrg_wide) coarse[a] * fine[b];
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
                           double *cross)
{
  const vrg_wide *coarse = record, *fine = coarse + n, *own = fine + n, *with_fine = own + n * (n + 1) / 2;
  double m = (double) samples;
  for (int a = 0; a < n; a++)
    {
      mean[a] = (double) coarse[a] / m;
      for (int b = 0; b <= a; b++, own++)
        covariance[a * n + b] = covariance[b * n + a] = (double) (*own * samples - coarse[a] * coarse[b]) / (m * m);
      for (int b = 0; b < n; b++, with_fine++)
        cross[a * n + b] = (double) (*with_fine * samples - coarse[a] * fine[b]) / (m * m);
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
