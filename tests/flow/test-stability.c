/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exact sums of products, dropping of dependent operators, and exponents from known matrices.
 * ranks: 1 */
#include <stdlib.h>
#include <string.h>

#include "flow/correlations.h"
#include "flow/stability.h"
#include "tests/check.h"

#define N 4
#define SAMPLES 1000

static void
check_words (void)
{
  vrg_wide values[] = { 0, 1, -1, (vrg_wide) 1 << 90, -((vrg_wide) 1 << 90) - 12345, INT64_MAX, INT64_MIN }, back[7];
  int64_t words[14] = { 0 };
  vrg_correlations_add_words (7, values, words);
  vrg_correlations_from_words (7, words, back);
  check (!memcmp (values, back, sizeof values), "wide numbers as words and back");
  for (int i = 0; i < 14; i++)
    words[i] *= 1000; /* as a sum over 1000 ranks */
  vrg_correlations_add_words (7, values, words);
  vrg_correlations_from_words (7, words, back);
  bool same = true;
  for (int i = 0; i < 7; i++)
    same = same && back[i] == 1001 * values[i];
  check (same, "words add up over ranks");
}

/* Sums as large as those of 65536 x 65536 spins: the covariance is exact though the products need 70 bits. */
static void
check_matrices (void)
{
  int size = vrg_correlations_size (N);
  vrg_wide *record = vrg_new (size, sizeof *record, "record");
  double mean[N], covariance[N * N], cross[N * N], expected[N * N] = { 0 }, expected_cross[N * N] = { 0 };
  static int coarse_part[SAMPLES][N], fine_part[SAMPLES][N];
  double sum[N] = { 0 }, sum_fine[N] = { 0 };
  srand (5);
  for (int s = 0; s < SAMPLES; s++)
    {
      int64_t coarse[N], fine[N];
      for (int a = 0; a < N; a++)
        {
          coarse_part[s][a] = rand () % 1000 - 500;
          fine_part[s][a] = coarse_part[s][a] + rand () % 1000;
          coarse[a] = (INT64_C (1) << 32) + coarse_part[s][a];
          fine[a] = -(INT64_C (3) << 33) + fine_part[s][a];
          sum[a] += coarse_part[s][a];
          sum_fine[a] += fine_part[s][a];
        }
      vrg_correlations_add (N, coarse, fine, record);
    }
  for (int a = 0; a < N; a++)
    for (int b = 0; b < N; b++)
      {
        for (int s = 0; s < SAMPLES; s++)
          {
            expected[a * N + b] += coarse_part[s][a] * coarse_part[s][b];
            expected_cross[a * N + b] += coarse_part[s][a] * fine_part[s][b];
          }
        expected[a * N + b] = (expected[a * N + b] - sum[a] * sum[b] / SAMPLES) / SAMPLES;
        expected_cross[a * N + b] = (expected_cross[a * N + b] - sum[a] * sum_fine[b] / SAMPLES) / SAMPLES;
      }
  vrg_correlations_matrices (N, SAMPLES, record, mean, covariance, cross);
  double worst = 0;
  for (int i = 0; i < N * N; i++)
    worst = fmax (worst, fmax (fabs (covariance[i] - expected[i]), fabs (cross[i] - expected_cross[i])));
  check_abs (worst, 0, 1e-8, "covariances of large sums");
  check_rel (mean[0], 0x1p32 + sum[0] / SAMPLES, 1e-15, "mean of large sums");
  vrg_free (record);
}

/* C T = D with a T of known eigenvalues, C random and positive. */
static void
check_exponents (void)
{
  double c[N * N], d[N * N], t[N * N] = { 0 }, root[N * N], matrix[N * N], y[N];
  bool used[N];
  /* upper triangular: the largest eigenvalue is 1.5 with one operator and 2 with more */
  static const double diagonal[N] = { 1.5, 2, 0.7, -0.3 };
  for (int a = 0; a < N; a++)
    for (int b = a; b < N; b++)
      t[a * N + b] = a == b ? diagonal[a] : 0.2 * (a + b);
  for (int i = 0; i < N * N; i++)
    root[i] = rand () / (double) RAND_MAX - 0.5 + 2 * (i % (N + 1) == 0);
  for (int a = 0; a < N; a++)
    for (int b = 0; b < N; b++)
      {
        c[a * N + b] = 0;
        for (int i = 0; i < N; i++)
          c[a * N + b] += root[a * N + i] * root[b * N + i];
      }
  for (int a = 0; a < N; a++)
    for (int b = 0; b < N; b++)
      {
        d[a * N + b] = 0;
        for (int i = 0; i < N; i++)
          d[a * N + b] += c[a * N + i] * t[i * N + b];
      }
  check (vrg_correlations_independent (N, c, used) == N, "a positive covariance has no dependent row");
  vrg_stability_matrix (N, c, d, used, matrix);
  double worst = 0;
  for (int i = 0; i < N * N; i++)
    worst = fmax (worst, fabs (matrix[i] - t[i]));
  check_abs (worst, 0, 1e-12, "C T = D");
  vrg_stability_exponents (N, c, d, used, 2, y);
  check_abs (y[0], log2 (1.5), 1e-12, "y with one operator");
  check_abs (y[1], 1, 1e-12, "y with two operators");
  check_abs (y[N - 1], 1, 1e-12, "y with all operators");
  vrg_stability_exponents (N, c, d, used, 4, y);
  check_abs (y[N - 1], 0.5, 1e-12, "y at scale 4");

  static const double identity[4] = { 1, 0, 0, 1 }, turn[4] = { 0, -1, 1, 0 }, negative[4] = { 0.5, 0, 0, -2 };
  vrg_stability_exponents (2, identity, turn, used, 2, y);
  check (isnan (y[1]), "complex eigenvalues have no exponent");
  vrg_stability_exponents (2, identity, negative, used, 2, y);
  check_abs (y[0], -1, 1e-12, "an irrelevant operator");
  check (isnan (y[1]), "a negative eigenvalue has no exponent");
}

static void
check_dependent (void)
{
  /* x, 2 x, constant, y: the second and third row add nothing */
  static const double c[16] = { 1, 2, 0, 0.5, 2, 4, 0, 1, 0, 0, 0, 0, 0.5, 1, 0, 2 };
  static const double d[16] = { 2, 4, 0, 1, 4, 8, 0, 2, 0, 0, 0, 0, 1, 2, 0, 4 };
  bool used[4];
  double matrix[16], y[4];
  check (vrg_correlations_independent (4, c, used) == 2 && used[0] && !used[1] && !used[2] && used[3],
         "dependent and constant rows are found, in order");
  vrg_stability_matrix (4, c, d, used, matrix);
  check (isnan (matrix[1]) && isnan (matrix[4]) && isnan (matrix[10]), "their rows and columns are missing");
  check_abs (matrix[0], 2, 1e-12, "the others are solved for");
  vrg_stability_exponents (4, c, d, used, 2, y);
  for (int k = 0; k < 4; k++)
    check_abs (y[k], 1, 1e-12, "y with dependent operators");
  static const double zero[1] = { 0 };
  check (vrg_correlations_independent (1, zero, used) == 0, "a constant has nothing independent");
  vrg_stability_exponents (1, zero, zero, used, 2, y);
  check (isnan (y[0]), "and no exponent");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  check_words ();
  check_matrices ();
  check_exponents ();
  check_dependent ();
  return check_end ();
}
