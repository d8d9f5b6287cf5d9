/* SPDX-License-Identifier: GPL-3.0-or-later
 * Estimates from series of which everything is known: formulas on a few numbers, the correlation length of an exactly
 * sampled ring, and the comparison of a series' beginning with its second half.
 * ranks: 1 */
#include <string.h>

#include "check.h"
#include "lattice/observe.h"
#include "sample/estimates.h"

/** Uniform in (0, 1): xorshift64*. */
static double
uniform (uint64_t *state)
{
  *state ^= *state >> 12;
  *state ^= *state << 25;
  *state ^= *state >> 27;
  return ((double) (*state * UINT64_C (2685821657736338717) >> 11) + 0.5) / 9007199254740992.0;
}

static double
normal (uint64_t *state)
{
  const double u = uniform (state);
  return sqrt (-2 * log (u)) * cos (2 * 3.14159265358979323846 * uniform (state));
}

static vrg_samples_info
info_of (int dimension, int64_t a, int64_t b, int64_t samples, int64_t chains)
{
  vrg_samples_info info = { .dimension = dimension, .size = { a, b, 1 }, .samples = samples, .chains = chains };
  info.rows = dimension == 1 ? 1 : a;
  info.columns = dimension == 1 ? a : b;
  info.ensembles = 1;
  info.nn[0] = 0.5;
  return info;
}

static void
test_formulas (void)
{
  enum
  {
    N = 40
  };
  vrg_samples_info info = info_of (2, 8, 6, N, 1);
  vrg_observation o[N];
  double sites = 48, m = 0, abs_m = 0, m2 = 0, even[VRG_EVEN_OPERATORS] = { 0 };
  for (int i = 0; i < N; i++)
    {
      const int64_t sum = (i * 7 % 13 - 4) * 4;
      o[i] = (vrg_observation){ .bonds = i * 5 % 11, .magnetisation = sum, .fourier = { 3 << 24, -(2 << 24) } };
      m += (double) sum / N;
      abs_m += fabs ((double) sum) / N;
      m2 += (double) (sum * sum) / N;
      for (int a = 0; a < VRG_EVEN_OPERATORS; a++)
        {
          o[i].even[a] = (a + 2) * i % 9 - a;
          even[a] += (double) o[i].even[a] / (N * sites);
        }
    }
  vrg_estimates e;
  vrg_estimates_observed (&info, 0, o, &e);
  /* 40 blocks of one sample: a variance's jackknife estimate is the sum of squares over n - 1 */
  check_rel (e.m2.value, m2 / (sites * sites), 1e-12, "m^2");
  check_rel (e.susceptibility.value, (m2 - abs_m * abs_m) / sites * N / (N - 1), 1e-12, "susceptibility");
  const double wave = 13 / sites, side = 2 * sin (3.14159265358979323846 / 8);
  check_rel (e.xi.value, sqrt (m2 / sites / wave - 1) / side, 2e-2, "correlation length, but for the bias");
  for (int a = 0; a < VRG_EVEN_OPERATORS; a++)
    check_rel (e.operators[a].value, even[a], 1e-12, "an operator per site");
  info.field = 0.1;
  vrg_estimates_observed (&info, 0, o, &e);
  check_rel (e.xi.value, sqrt ((m2 - m * m) / sites / wave - 1) / side, 2e-2, "with a field, without <m>");
  for (int i = 0; i < N; i++)
    o[i].fourier[0] = INT64_C (100) << 24;
  vrg_estimates_observed (&info, 0, o, &e);
  check (isnan (e.xi.value), "no correlation length where fluctuations grow with the momentum");

  vrg_estimates few;
  info.samples = 1;
  vrg_estimates_observed (&info, 0, o, &few);
  check (isnan (few.energy.value) && isnan (few.xi.error) && isnan (few.thermal) && isnan (few.operators[6].value),
         "nothing is claimed of one sample");
}

/** Rings of L sites drawn exactly: spin by spin from the transfer matrix, accepted by the last bond.  There xi is
 *  sqrt (t) / (1 - t) with t = tanh nn, but for t^L. */
static void
test_ring (int64_t L, double t)
{
  enum
  {
    N = 6000
  };
  vrg_lattice *lattice = vrg_lattice_new_size (1, (const int64_t[]){ L }, 0, 1);
  vrg_observation *o = vrg_new (N, sizeof *o, "series");
  uint64_t state = 1;
  for (int i = 0; i < N; i++)
    {
      int first, spin;
      do
        {
          first = spin = uniform (&state) < 0.5 ? 1 : -1;
          for (int x = 0; x < L; x++)
            {
              vrg_lattice_set (lattice, 0, x, spin);
              if (x + 1 < L && uniform (&state) > (1 + t) / 2)
                spin = -spin;
            }
        }
      while (spin != first && uniform (&state) > (1 - t) / (1 + t));
      vrg_observe (MPI_COMM_SELF, lattice, &o[i]);
    }
  const vrg_samples_info info = info_of (1, L, 1, N, 100);
  vrg_estimates e;
  vrg_estimates_observed (&info, 0, o, &e);
  check (e.xi.error < 0.1 * e.xi.value && fabs (e.xi.value - sqrt (t) / (1 - t)) < 5 * e.xi.error,
         "t = %.2f: correlation length %.3f +- %.3f of a ring, exact %.3f (5 errors: false-alarm rate 6e-7)", t,
         e.xi.value, e.xi.error, sqrt (t) / (1 - t));
  check (fabs (e.energy.value + t) < 5 * e.energy.error, "its energy");
  const double fluctuation = (1 + t) / (1 - t); /* N <m^2> */
  check (fabs ((double) L * e.m2.value - fluctuation) < 5 * (double) L * e.m2.error, "its fluctuations of m");
  vrg_free (o);
  vrg_lattice_free (lattice);
}

/** Series with autocorrelation time tau whose beginning is off by `shift` deviations, fading over a twentieth. */
static double
thermal (uint64_t seed, int64_t times, int64_t chains, double tau, double shift)
{
  const double rho = (2 * tau - 1) / (2 * tau + 1);
  const vrg_samples_info info = info_of (2, 64, 64, times * chains, chains);
  vrg_observation *o = vrg_new (times * chains, sizeof *o, "series");
  uint64_t state = seed * UINT64_C (0x9e3779b97f4a7c15);
  for (int64_t c = 0; c < chains; c++)
    {
      double x = normal (&state);
      for (int64_t t = 0; t < times; t++)
        {
          const double off = shift * exp (-20.0 * (double) t / (double) times);
          o[t * chains + c].bonds = (int64_t) (1e4 * (x + off));
          o[t * chains + c].magnetisation = 7;
          x = rho * x + sqrt (1 - rho * rho) * normal (&state);
        }
    }
  vrg_estimates e;
  vrg_estimates_observed (&info, 0, o, &e);
  vrg_free (o);
  return e.thermal;
}

/** z of series in equilibrium is about normal: over the seeds 1..300 its mean square is 1 within 4 of its own errors
 *  (0.08), and none passes 4.5 (false-alarm rate of fresh seeds about 1e-3); a beginning off by 2 deviations is seen. */
static void
test_thermal (int64_t times, int64_t chains, double tau)
{
  enum
  {
    SEEDS = 300
  };
  double squares = 0, largest = 0;
  int seen = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++)
    {
      const double z = thermal (seed, times, chains, tau, 0);
      squares += z * z / SEEDS;
      largest = fmax (largest, z);
      seen += thermal (seed, times, chains, tau, 2) > 4;
    }
  check (squares > 0.68 && squares < 1.32 && largest < 4.5,
         "%lld times of %lld chains, tau = %g: mean z^2 is %.2f, largest z %.1f", (long long) times, (long long) chains,
         tau, squares, largest);
  check (seen > 0.95 * SEEDS, "a hot beginning is seen in %d of %d", seen, SEEDS);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_formulas ();
  test_ring (24, 0.5);
  test_ring (120, 0.9);
  test_thermal (2000, 8, 3);
  test_thermal (400, 32, 1);
  check (isnan (thermal (1, 9, 4, 1, 2)) && isnan (thermal (1, 38, 1, 1, 2)), "too short to tell");
  return check_end ();
}
