/* SPDX-License-Identifier: GPL-3.0-or-later
 * The pseudo-likelihood: derivatives against finite differences, the maximum, what has no maximum, nested fits, and that
 * the goodness of a right fit scatters about 0 also where most environments hold few sites.
 * ranks: 1
 * The statistical checks allow 4 standard errors: false alarms below 1e-4 each. */
#include <stdlib.h>
#include <string.h>

#include "flow/couplings.h"
#include "tests/check.h"

#define N 3

static const int reach[N] = { 4, 4, 8 };
static double weight[5 * 5 * 9];

static void
check_derivatives (void)
{
  double k[N] = { 0.3, -0.1, 0.05 }, gradient[N], hessian[N * N], other[N], unused[N * N];
  vrg_couplings_slope (N, reach, weight, k, gradient, hessian);
  double worst = 0, worst_second = 0;
  for (int a = 0; a < N; a++)
    {
      double up[N] = { k[0], k[1], k[2] }, down[N] = { k[0], k[1], k[2] }, h = 1e-5, gradient_up[N];
      up[a] += h;
      down[a] -= h;
      double f_up = vrg_couplings_slope (N, reach, weight, up, gradient_up, unused);
      double f_down = vrg_couplings_slope (N, reach, weight, down, other, unused);
      worst = fmax (worst, fabs ((f_up - f_down) / (2 * h) / gradient[a] - 1));
      for (int b = 0; b < N; b++)
        worst_second = fmax (worst_second, fabs ((other[b] - gradient_up[b]) / (2 * h) / hessian[a * N + b] - 1));
    }
  check_abs (worst, 0, 1e-6, "gradient of the pseudo-likelihood");
  check_abs (worst_second, 0, 1e-6, "its Hessian");
}

static void
check_maximum (void)
{
  double k[N], gradient[N], hessian[N * N], best, doubled[5 * 5 * 9];
  bool used[N];
  check (vrg_couplings_fit (N, reach, weight, k, used) && used[0] && used[1] && used[2], "a maximum is found");
  best = vrg_couplings_slope (N, reach, weight, k, gradient, hessian);
  check (fabs (gradient[0]) + fabs (gradient[1]) + fabs (gradient[2]) < 1e-9 * fabs (best),
         "the gradient vanishes there");
  for (int e = 0; e < 5 * 5 * 9; e++)
    doubled[e] = 1024 * weight[e];
  double same[N];
  vrg_couplings_fit (N, reach, doubled, same, used);
  check (same[0] == k[0] && same[1] == k[1] && same[2] == k[2], "the normalisation does not matter");
  double off[N] = { k[0] + 1e-4, k[1] - 1e-4, k[2] + 1e-4 };
  vrg_couplings_slope (N, reach, weight, off, gradient, hessian);
  check (vrg_couplings_step (N, used, gradient, hessian, off), "a Newton step");
  check_abs (fmax (fabs (off[0] - k[0]), fabs (off[2] - k[2])), 0, 1e-6, "leads back to the maximum");
}

static void
check_dropping (void)
{
  /* the second operator is twice the first, the third never counts */
  static const int reaches[N] = { 4, 8, 0 };
  double weights[5 * 9] = { 0 }, k[N];
  bool used[N];
  for (int i = 0; i <= 4; i++)
    weights[i + 5 * 2 * i] = (double[]){ 1, 3, 6, 9, 30 }[i];
  check (vrg_couplings_fit (N, reaches, weights, k, used), "a fit with dependent operators");
  check (used[0] && !used[1] && !used[2] && isfinite (k[0]) && isnan (k[1]) && isnan (k[2]), "they are dropped");

  double ordered[5] = { 0, 0, 0, 0, 100 };
  check (!vrg_couplings_fit (1, reaches, ordered, k, used) && isnan (k[0]), "all spins equal: no finite coupling");
  double disordered[5] = { 1, 2, 5, 2, 1 };
  check (vrg_couplings_fit (1, reaches, disordered, k, used), "free spins can be fitted");
  check_abs (k[0], 0, 1e-12, "free spins: coupling 0");
}

static void
check_nested (void)
{
  double nested[N * N], k[N], copy[5 * 5 * 9], marginal[5 * 5] = { 0 };
  bool used[N];
  memcpy (copy, weight, sizeof weight);
  vrg_couplings_nested (N, reach, copy, nested);
  vrg_couplings_fit (N, reach, weight, k, used);
  check (memcmp (k, nested + 2 * N, sizeof k) == 0, "the last of nested fits is the fit");
  for (int e = 0; e < 5 * 5 * 9; e++)
    marginal[e % 25] += weight[e];
  vrg_couplings_fit (2, reach, marginal, k, used);
  check (fabs (k[0] - nested[N]) + fabs (k[1] - nested[N + 1]) < 1e-9 && isnan (nested[N + 2]),
         "the one before is that of the first two");

  double slopes[64], gradient[N], hessian[N * N];
  memcpy (copy, weight, sizeof weight);
  vrg_couplings_slopes (N, reach, copy, nested, slopes);
  check (vrg_couplings_slopes_size (N) == 6 + 6 + 14, "size of nested slopes");
  for (int m = 1; m <= N; m++)
    {
      const vrg_slope at = vrg_couplings_slope_at (slopes, m);
      memcpy (copy, weight, sizeof weight);
      for (int last = N; last > m; last--)
        vrg_couplings_marginal (last, reach, copy);
      const double likelihood = vrg_couplings_slope (m, reach, copy, nested + (m - 1) * N, gradient, hessian);
      bool same = likelihood == *at.likelihood && *at.against > 0;
      for (int i = 0; i < m; i++)
        same = same && at.gradient[i] == gradient[i] && at.hessian[m * i] == hessian[m * i];
      check (same, "slopes of the fit with %d", m);
    }
}

/* Sites with random environments whose spins follow the couplings; units of samples, runs enough to see a bias. */
static void
check_goodness (const char *text, int sites, double scale, bool wrong)
{
  enum
  {
    UNITS = 20,
    RUNS = 400,
    ENVIRONMENTS = 5 * 5 * 9
  };
  double truth[N] = { 0.35 * scale, 0.1 * scale, -0.04 * scale }, sum = 0, squares = 0;
  for (int run = 0; run < RUNS; run++)
    {
      int64_t counts[UNITS][ENVIRONMENTS] = { { 0 } }, all[ENVIRONMENTS] = { 0 };
      double allowance[ENVIRONMENTS], weights[ENVIRONMENTS], gradient[N], hessian[N * N], value = 0, excess;
      for (int u = 0; u < UNITS; u++)
        for (int i = 0; i < sites; i++)
          {
            int k[N], x[N];
            double h = wrong ? 0.3 : 0;
            for (int a = 0; a < N; a++)
              {
                k[a] = 0;
                for (int j = 0; j < reach[a]; j++)
                  k[a] += rand () % 3 > 0;
                x[a] = 2 * k[a] - reach[a];
                h += truth[a] * x[a];
              }
            const bool plus = rand () < RAND_MAX / (1 + exp (-2 * h));
            if (!plus)
              for (int a = 0; a < N; a++)
                k[a] = reach[a] - k[a];
            counts[u][k[0] + 5 * (k[1] + 5 * k[2])]++;
          }
      for (int u = 0; u < UNITS; u++)
        for (int e = 0; e < ENVIRONMENTS; e++)
          all[e] += counts[u][e];
      vrg_couplings_allowance (N, reach, all, truth, allowance);
      for (int u = 0; u < UNITS; u++)
        {
          for (int e = 0; e < ENVIRONMENTS; e++)
            weights[e] = (double) counts[u][e];
          value += vrg_couplings_saturated (N, reach, all, counts[u], allowance, truth, &excess)
                   - vrg_couplings_slope (N, reach, weights, truth, gradient, hessian) - excess;
        }
      sum += value / RUNS;
      squares += value * value / RUNS;
    }
  const double error = sqrt ((squares - sum * sum) / RUNS);
  check (wrong ? sum > 4 * error : fabs (sum) < 4 * error, "%s: deviance %.2f(%.2f) nats", text, sum, error);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  srand (4);
  for (int c = 0; c <= 8; c++)
    for (int b = 0; b <= 4; b++)
      for (int a = 0; a <= 4; a++)
        weight[a + 5 * (b + 5 * c)] = (rand () % 100) * exp (0.5 * a + 0.2 * b - 0.1 * c);
  check_derivatives ();
  check_maximum ();
  check_dropping ();
  check_nested ();
  check_goodness ("many sites in each environment", 1000, 1, false);
  check_goodness ("few", 100, 1, false);
  check_goodness ("few that rarely disagree", 100, 3, false);
  check_goodness ("a field that the fit does not know", 1000, 1, true);
  return check_end ();
}
