/* SPDX-License-Identifier: GPL-3.0-or-later
 * Local updates of general Hamiltonians against enumeration, Kaufman's torus and the identities
 *   <exp (-2 s f)> = 1,   <s - tanh f> = 0
 * that hold at every site for the local field f.  Means are compared within 5 errors from 64 independent chains.  Seeds
 * are fixed; for fresh ones the false-alarm rate is 5e-6 for each of them and 1e-4 for each chi-square.
 * ranks: 1 */
#include <gsl/gsl_cdf.h>
#include <stdlib.h>

#include "check.h"
#include "lattice/exact.h"
#include "local-field.h"
#include "sample/local.h"

#define CHAINS 64

static const char *const names[] = { "Metropolis", "heat bath" };

/** Mean and its error over independent chains. */
typedef struct
{
  double sum, squares;
} mean;

static void
mean_add (mean *m, double x)
{
  m->sum += x;
  m->squares += x * x;
}

static double
mean_value (const mean *m)
{
  return m->sum / CHAINS;
}

static double
mean_error (const mean *m)
{
  double value = mean_value (m);
  return sqrt ((m->squares / CHAINS - value * value) / (CHAINS - 1));
}

static void
check_mean (const mean *m, double expected, const char *name)
{
  double value = mean_value (m), error = mean_error (m);
  check (fabs (value - expected) <= 5 * error, "  %s: %.5f +- %.5f, exact %.5f (%.1f errors)", name, value, error,
         expected, (value - expected) / error);
}

/* Enumeration */

/** All states of a small lattice: exact <S_a>, and for at most 2^16 of them the exponents in rising order. */
typedef struct
{
  double mean[4], z;
  int64_t n;
  double *exponent;
} enumeration;

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

/** A Gray code: each state differs by one spin from the one before. */
static enumeration
enumerate (int dimension, const int64_t *size, const vrg_hamiltonian *h)
{
  enumeration e = { 0 };
  vrg_lattice *lattice = vrg_lattice_new_size (dimension, size, 0, dimension == 1 ? 1 : size[0]);
  int64_t sites = lattice->rows * lattice->columns;
  local_sums sums = local_sums_down (lattice);
  e.n = INT64_C (1) << sites;
  if (sites <= 16)
    e.exponent = vrg_new (e.n, sizeof *e.exponent, "exponents");
  for (int64_t state = 0; state < e.n; state++)
    {
      if (state > 0)
        {
          int i = __builtin_ctzll ((unsigned long long) state);
          local_flip (lattice, i / lattice->columns, i % lattice->columns, &sums);
        }
      double exponent = local_exponent (h, sums), weight = exp (exponent);
      e.z += weight;
      e.mean[0] += weight * (double) sums.nn;
      e.mean[1] += weight * (double) sums.nnn;
      e.mean[2] += weight * (double) sums.plaquette;
      e.mean[3] += weight * (double) sums.field;
      if (e.exponent)
        e.exponent[state] = exponent;
    }
  for (int a = 0; a < 4; a++)
    e.mean[a] /= e.z;
  if (e.exponent)
    qsort (e.exponent, (size_t) e.n, sizeof *e.exponent, compare);
  vrg_lattice_free (lattice);
  return e;
}

/** The histogram of exponents in bins of about 3 per cent of the samples: the states above an edge and up to the next
 *  make a bin.  Tolerance for the order in which equal exponents were summed. */
static void
check_histogram (const enumeration *e, const double *seen, int64_t n)
{
  double chi2 = 0, expected = 0;
  int bins = 0;
  int64_t at = 0, counted = 0, state = 0;
  while (state < e->n)
    {
      double level = e->exponent[state];
      for (; state < e->n && e->exponent[state] < level + 1e-9; state++)
        expected += exp (e->exponent[state]) / e->z * (double) n;
      for (; at < n && seen[at] < level + 1e-9; at++)
        counted++;
      if (expected > 0.03 * (double) n || state == e->n)
        {
          chi2 += ((double) counted - expected) * ((double) counted - expected) / expected;
          bins++;
          expected = 0;
          counted = 0;
        }
    }
  double p = gsl_cdf_chisq_Q (chi2, bins - 1);
  check (at == n && bins > 5 && p > 1e-4, "  histogram of energies, chi-square %.1f in %d bins, p = %.3g", chi2, bins,
         p);
}

static void
test_enumerated (int dimension, const int64_t *size, const vrg_hamiltonian *h, bool heat_bath, const enumeration *e)
{
  enum
  {
    TIMES = 3000,
    INTERVAL = 16
  };
  vrg_lattice *lattice = vrg_lattice_new_size (dimension, size, 0, dimension == 1 ? 1 : size[0]);
  vrg_local *local = vrg_local_new (lattice, h, heat_bath);
  double *exponent = vrg_new (CHAINS * TIMES, sizeof *exponent, "series");
  mean means[4] = { 0 };
  double product = 0, square = 0, average = 0;
  for (int c = 0; c < CHAINS; c++)
    {
      vrg_rng rng;
      vrg_rng_init (&rng, 1, 0, (uint32_t) c);
      vrg_lattice_random (lattice, &rng);
      double sum[4] = { 0 };
      for (int t = -20; t < TIMES; t++)
        {
          for (int i = 0; i < INTERVAL; i++)
            vrg_local_sweep (local, MPI_COMM_SELF, lattice, &rng, (uint64_t) ((t + 20) * INTERVAL + i));
          if (t < 0)
            continue;
          local_sums sums = local_sums_of (lattice);
          sum[0] += (double) sums.nn;
          sum[1] += (double) sums.nnn;
          sum[2] += (double) sums.plaquette;
          sum[3] += (double) sums.field;
          exponent[c * TIMES + t] = local_exponent (h, sums);
        }
      for (int a = 0; a < 4; a++)
        mean_add (&means[a], sum[a] / TIMES);
    }
  int64_t n = CHAINS * TIMES;
  for (int64_t i = 0; i < n; i++)
    {
      average += exponent[i] / (double) n;
      square += exponent[i] * exponent[i] / (double) n;
      product += i % TIMES ? exponent[i] * exponent[i - 1] / (double) (n - CHAINS) : 0;
    }
  double correlation = (product - average * average) / (square - average * average);

  check (fabs (correlation) < 0.02,
         "%s, %lld x %lld in %dD, K = %g %g %g %g: samples are independent (correlation %.4f)", names[heat_bath],
         (long long) lattice->rows, (long long) lattice->columns, dimension, h->nn, h->nnn, h->plaquette, h->field,
         correlation);
  static const char *const what[] = { "<S_nn>", "<S_nnn>", "<S_plaquette>", "<S_1>" };
  for (int a = 0; a < 4; a++)
    if (dimension == 2 || a == 0 || a == 3)
      check_mean (&means[a], e->mean[a], what[a]);
  if (e->exponent)
    {
      qsort (exponent, (size_t) n, sizeof *exponent, compare);
      check_histogram (e, exponent, n);
    }
  vrg_free (exponent);
  vrg_local_free (local);
  vrg_lattice_free (lattice);
}

static void
test_both (int dimension, const int64_t *size, const vrg_hamiltonian *h)
{
  enumeration e = enumerate (dimension, size, h);
  for (int heat_bath = 0; heat_bath < 2; heat_bath++)
    test_enumerated (dimension, size, h, heat_bath, &e);
  vrg_free (e.exponent);
}

/* Identities of the local field */

static void
test_identities (int dimension, const int64_t *size, const vrg_hamiltonian *h, bool heat_bath)
{
  enum
  {
    TIMES = 1000,
    INTERVAL = 3,
    SITES = 8 /* looked at each time */
  };
  vrg_lattice *lattice = vrg_lattice_new_size (dimension, size, 0, size[0]);
  vrg_local *local = vrg_local_new (lattice, h, heat_bath);
  int64_t height = dimension == 3 ? lattice->plane : lattice->rows, sites = lattice->rows * lattice->columns;
  mean means[2] = { 0 };
  for (int c = 0; c < CHAINS; c++)
    {
      vrg_rng rng;
      vrg_rng_init (&rng, 1, 0, (uint32_t) c);
      vrg_lattice_random (lattice, &rng);
      double sum[2] = { 0 };
      for (int t = -100; t < TIMES; t++)
        {
          for (int i = 0; i < INTERVAL; i++)
            vrg_local_sweep (local, MPI_COMM_SELF, lattice, &rng, (uint64_t) ((t + 100) * INTERVAL + i));
          for (int64_t i = 0; i < SITES && t >= 0; i++)
            {
              int64_t site = (t * SITES + i) * 17 % sites, row = site / lattice->columns, x = site % lattice->columns;
              int spin = vrg_lattice_get (lattice, row, x);
              double f = local_exponent (h, local_field (lattice, row / height, row % height, x));
              sum[0] += exp (-2 * spin * f);
              sum[1] += spin - tanh (f);
            }
        }
      for (int a = 0; a < 2; a++)
        mean_add (&means[a], sum[a] / (TIMES * SITES));
    }
  check (mean_error (&means[0]) < 0.005, "%s, %lld x %lld in %dD, K = %g %g %g %g: identities of the local field",
         names[heat_bath], (long long) lattice->rows, (long long) lattice->columns, dimension, h->nn, h->nnn,
         h->plaquette, h->field);
  check_mean (&means[0], 1, "<exp (-2 s f)>");
  check_mean (&means[1], 0, "<s - tanh f>");
  vrg_local_free (local);
  vrg_lattice_free (lattice);
}

/* Nearest neighbours alone: the torus and the ring */

static void
test_torus (int dimension, const int64_t *size, double nn, bool heat_bath)
{
  enum
  {
    TIMES = 2000,
    INTERVAL = 5
  };
  const vrg_hamiltonian h = { nn, 0, 0, 0 };
  vrg_lattice *lattice = vrg_lattice_new_size (dimension, size, 0, dimension == 1 ? 1 : size[0]);
  vrg_local *local = vrg_local_new (lattice, &h, heat_bath);
  double sites = (double) (lattice->rows * lattice->columns), energy, specific_heat;
  if (dimension == 1)
    vrg_exact_ring (size[0], nn, NULL, &energy, &specific_heat);
  else
    vrg_exact_torus (size[0], size[1], nn, NULL, &energy, &specific_heat);
  mean means[2] = { 0 };
  for (int c = 0; c < CHAINS; c++)
    {
      vrg_rng rng;
      vrg_rng_init (&rng, 1, 0, (uint32_t) c);
      vrg_lattice_random (lattice, &rng);
      double sum = 0, variance = 0;
      for (int t = -200; t < TIMES; t++)
        {
          for (int i = 0; i < INTERVAL; i++)
            vrg_local_sweep (local, MPI_COMM_SELF, lattice, &rng, (uint64_t) ((t + 200) * INTERVAL + i));
          double e = -(double) local_sums_of (lattice).nn / sites, deviation = e - energy;
          sum += t < 0 ? 0 : e;
          variance += t < 0 ? 0 : deviation * deviation; /* about the exact mean: no bias */
        }
      mean_add (&means[0], sum / TIMES);
      mean_add (&means[1], nn * nn * sites * variance / TIMES);
    }
  check (mean_error (&means[0]) < 0.005 * fabs (energy), "%s, %lld x %lld in %dD, K = %g", names[heat_bath],
         (long long) lattice->rows, (long long) lattice->columns, dimension, nn);
  check_mean (&means[0], energy, "energy");
  check_mean (&means[1], specific_heat, "specific heat");
  vrg_local_free (local);
  vrg_lattice_free (lattice);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  static const int64_t square[] = { 4, 4 }, oblong[] = { 4, 6 }, ring[] = { 8 };
  test_both (2, square, &(vrg_hamiltonian){ 0.22, 0.09, -0.07, 0.05 });
  test_both (2, square, &(vrg_hamiltonian){ -0.15, 0.12, 0.2, -0.1 });
  test_both (2, oblong, &(vrg_hamiltonian){ 0.2, 0.07, 0.05, -0.04 });
  test_both (1, ring, &(vrg_hamiltonian){ 0.5, 0, 0, 0.15 });
  for (int heat_bath = 0; heat_bath < 2; heat_bath++)
    {
      test_identities (3, (const int64_t[]){ 4, 6, 8 }, &(vrg_hamiltonian){ 0.15, 0, 0, 0.08 }, heat_bath);
      test_identities (2, (const int64_t[]){ 8, 70 }, &(vrg_hamiltonian){ 0.2, 0.06, 0.05, 0.03 }, heat_bath);
      test_torus (2, (const int64_t[]){ 8, 12 }, 0.38, heat_bath);
      test_torus (1, (const int64_t[]){ 34 }, 0.8, heat_bath);
    }
  return check_end ();
}
