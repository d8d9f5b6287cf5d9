/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exact sums of products, dropping of dependent operators, exponents, eigenvalues and scaling fields of known matrices.
 * ranks: 1 */
#include <stdlib.h>
#include <string.h>

#include "base/simd.h"
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
  double mean[N], covariance[N * N], cross[N * N], response[N * N], expected[N * N] = { 0 },
                                                                                 expected_cross[N * N] = { 0 };
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
      vrg_correlations_add (N, coarse, fine, fine, record);
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
  vrg_correlations_matrices (N, SAMPLES, record, mean, covariance, cross, response);
  double worst = 0;
  for (int i = 0; i < N * N; i++)
    worst = fmax (worst, fmax (fabs (covariance[i] - expected[i]), fabs (cross[i] - expected_cross[i])));
  check_abs (worst, 0, 1e-8, "covariances of large sums");
  check_rel (mean[0], 0x1p32 + sum[0] / SAMPLES, 1e-15, "mean of large sums");
  vrg_free (record);
}

/* Many samples at once give the same sums as one by one, on every path: small numbers, numbers that fill 53 bits soon,
 * and numbers that are too large for that now and then. */
static void
check_correlator (void)
{
  static const int bits[] = { 10, 22, 25, 40 };
  bool same = true;
  for (int n = 0; n <= 9; n++)
    for (int kind = 0; kind < 4; kind++)
      for (int path = VRG_SIMD_PORTABLE; path <= VRG_SIMD_AVX512; path++)
        {
          int size = vrg_correlations_size (n);
          vrg_wide *one = vrg_new (size, sizeof *one, "record"), *many = vrg_new (size, sizeof *many, "record");
          vrg_correlator *correlator = vrg_correlator_new (n);
          vrg_simd_set ((vrg_simd_path) path);
          for (int s = 0; s < 500; s++)
            {
              int64_t sums[3][9];
              for (int i = 0; i < 27; i++)
                sums[i / 9][i % 9] = (((int64_t) rand () << 31 ^ rand ()) & ((INT64_C (2) << bits[kind]) - 1))
                                     - (INT64_C (1) << bits[kind]);
              vrg_correlations_add (n, sums[0], s % 7 ? sums[1] : NULL, sums[2], one);
              vrg_correlator_add (correlator, sums[0], s % 7 ? sums[1] : NULL, sums[2]);
              if (s % 200 == 111)
                vrg_correlator_take (correlator, many);
            }
          vrg_correlator_take (correlator, many);
          for (int i = 0; i < size; i++)
            same = same && one[i] == many[i];
          vrg_correlator_free (correlator);
          vrg_free (many);
          vrg_free (one);
        }
  vrg_simd_set (VRG_SIMD_AVX512);
  check (same, "sums of many samples are those of single ones");
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

/* T = sum over i of value[i] right[i] left[i], left and right inverse to each other. */
static double
rebuilt (const vrg_eigen *e, const double *matrix)
{
  double worst = 0;
  for (int a = 0; a < e->n; a++)
    for (int b = 0; b < e->n; b++)
      {
        double complex sum = 0;
        for (int i = 0; i < e->n; i++)
          sum += e->value[i] * e->right[i * e->n + a] * e->left[i * e->n + b];
        worst = fmax (worst, cabs (sum - matrix[a * e->n + b]));
      }
  for (int i = 0; i < e->n; i++)
    for (int j = 0; j < e->n; j++)
      {
        double complex sum = 0;
        for (int a = 0; a < e->n; a++)
          sum += e->left[i * e->n + a] * e->right[j * e->n + a];
        worst = fmax (worst, cabs (sum - (i == j)));
      }
  return worst;
}

/* Eigenvalues and vectors by hand. */
static void
check_eigen (void)
{
  static const bool all[4] = { true, true, true, true };
  vrg_eigen e, other;

  /* left (2, 1) and (1, -1), right (1, 1) and (1, -2), values 2 and -1 */
  static const double two[4] = { 1, 1, 2, 0 };
  vrg_eigen_init (&e, 2);
  vrg_stability_eigen (two, all, &e);
  check_abs (cabs (e.value[0] - 2), 0, 1e-12, "2x2: the larger eigenvalue");
  check_abs (cabs (e.value[1] + 1), 0, 1e-12, "2x2: the smaller eigenvalue");
  check_abs (cabs (e.left[0] - 2 / sqrt (5)) + cabs (e.left[1] - 1 / sqrt (5)), 0, 1e-12, "2x2: leading scaling field");
  check_abs (cabs (e.right[0] - sqrt (5) / 3) + cabs (e.right[1] - sqrt (5) / 3), 0, 1e-12, "2x2: its direction");
  check_abs (cabs (e.left[2] - sqrt (0.5)) + cabs (e.left[3] + sqrt (0.5)), 0, 1e-12,
             "2x2: of components of equal length the first is positive");
  check_abs (rebuilt (&e, two), 0, 1e-12, "2x2: from the vectors and back");
  check (isnan (vrg_stability_exponent (e.value[1], 2)), "2x2: no exponent of a negative eigenvalue");
  vrg_eigen_clear (&e);

  /* a turn by 90 degrees times 2, and 3 */
  static const double three[9] = { 0, -2, 0, 2, 0, 0, 0, 0, 3 };
  vrg_eigen_init (&e, 3);
  vrg_stability_eigen (three, all, &e);
  check_abs (cabs (e.value[0] - 3) + cabs (e.value[1] - 2 * I) + cabs (e.value[2] + 2 * I), 0, 1e-12,
             "3x3: a real eigenvalue, then a complex pair, positive imaginary part first");
  check_abs (rebuilt (&e, three), 0, 1e-12, "3x3: from the vectors and back");
  check (cimag (e.value[0]) == 0 && e.value[1] == conj (e.value[2]), "3x3: the pair is conjugate");
  vrg_eigen_clear (&e);

  /* the smaller one grows beyond the larger: aligned it keeps its place and sign */
  static const double before[9] = { 2, 0, 0, 0, 1.9, 0, 0, 0, -1 }, after[9] = { 2, 0.01, 0, 0, 2.1, -0.01, 0, 0, -1 };
  vrg_eigen_init (&e, 3);
  vrg_eigen_init (&other, 3);
  vrg_stability_eigen (before, all, &e);
  vrg_stability_eigen (after, all, &other);
  check_abs (creal (other.value[0]), 2.1, 1e-12, "by size the order changes");
  vrg_eigen_align (&e, &other);
  check_abs (cabs (other.value[0] - 2) + cabs (other.value[1] - 2.1) + cabs (other.value[2] + 1), 0, 1e-12,
             "aligned it does not");
  check_abs (rebuilt (&other, after), 0, 1e-12, "aligned vectors are still those of the matrix");
  for (int i = 0; i < 3; i++)
    other.left[3 + i] *= -1;
  vrg_eigen_align (&e, &other);
  check (creal (other.left[4]) > 0.9, "aligned signs are those of the reference");
  vrg_eigen_clear (&other);
  vrg_eigen_clear (&e);

  /* operators 0 and 2 of four; and a matrix without a complete set */
  static const bool some[4] = { true, false, true, false };
  static const double part[16] = { 3, NAN, 1, NAN, NAN, NAN, NAN, NAN, 0, NAN, 2, NAN, NAN, NAN, NAN, NAN },
                      defective[4] = { 1, 1, 0, 1 };
  vrg_eigen_init (&e, 4);
  vrg_stability_eigen (part, some, &e);
  check (creal (e.value[0]) == 3 && creal (e.value[1]) == 2 && isnan (creal (e.value[2])) && isnan (creal (e.left[1]))
           && fabs (creal (e.left[2]) - sqrt (0.5)) < 1e-12 && isnan (creal (e.left[8])),
         "operators that are not used have no part in it");
  vrg_eigen_clear (&e);
  vrg_eigen_init (&e, 2);
  vrg_stability_eigen (defective, all, &e);
  check (fabs (creal (e.value[0]) - 1) < 1e-7 && isnan (creal (e.left[0])) && isnan (creal (e.right[0])),
         "a matrix without a complete set has eigenvalues, but no vectors");
  vrg_eigen_clear (&e);
}

/* C X = D with more columns than rows used. */
static void
check_solve (void)
{
  static const double c[4] = { 2, 1, 1, 3 }, right[6] = { 5, 2, 0, 5, 1, 10 };
  static const bool both[2] = { true, true }, second[2] = { false, true };
  double x[6];
  vrg_stability_solve (2, c, both, 3, right, x);
  check_abs (fabs (x[0] - 2) + fabs (x[3] - 1) + fabs (x[1] - 1) + fabs (x[4]) + fabs (x[2] + 2) + fabs (x[5] - 4), 0,
             1e-12, "three columns at once");
  vrg_stability_solve (2, c, second, 3, right, x);
  check (isnan (x[0]) && isnan (x[2]) && fabs (x[5] - 10 / 3.) < 1e-12, "rows not used are missing");
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
  check_correlator ();
  check_exponents ();
  check_eigen ();
  check_solve ();
  check_dependent ();
  return check_end ();
}
