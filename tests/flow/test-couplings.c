/* SPDX-License-Identifier: GPL-3.0-or-later
 * The pseudo-likelihood: derivatives against finite differences, the maximum, and what has no maximum.
 * ranks: 1 */
#include <stdlib.h>

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
  return check_end ();
}
