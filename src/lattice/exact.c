/* SPDX-License-Identifier: GPL-3.0-or-later
 * Kaufman's torus by automatic differentiation, the ring, and Onsager's integral. */
#include "lattice/exact.h"

#include <gsl/gsl_integration.h>
#include <math.h>
#include <stddef.h>

#include "base/error.h"

/** A function of K with its first two derivatives. */
typedef struct
{
  double value, first, second;
} jet;

/** ln 2cosh u (sign = 1) or ln 2sinh u, u > 0 (sign = -1), without overflow. */
static jet
log_2cosh (jet u, int sign)
{
  const double small = exp (-2 * fabs (u.value)), denominator = 1 + sign * small;
  const double slope = (u.value < 0 ? -1 : 1) * (1 - sign * small) / denominator;
  const double bend = sign * 4 * small / (denominator * denominator);
  return (jet){ fabs (u.value) + log1p (sign * small), slope * u.first, bend * u.first * u.first + slope * u.second };
}

/** m/2 g_l for l != 0; cosh g_l = s + 1/s - cos (pi l / n) with s = sinh 2K. */
static jet
half_gamma (double nn, int64_t l, int64_t n, double m)
{
  const double s = sinh (2 * nn), s1 = 2 * cosh (2 * nn), s2 = 4 * s,
               angle = sin (M_PI * (double) l / (2.0 * (double) n));
  const double d = (s - 1) * (s - 1) / s + 2 * angle * angle; /* cosh g - 1, without cancellation */
  const double c1 = s1 * (1 - 1 / (s * s)), c2 = s2 * (1 - 1 / (s * s)) + 2 * s1 * s1 / (s * s * s);
  const double sinh_g = sqrt (d * (d + 2)), g1 = c1 / sinh_g;
  return (jet){ m * asinh (sqrt (d / 2)), m / 2 * g1, m / 2 * (c2 - (1 + d) * g1 * g1) / sinh_g };
}

static void
add (jet *sum, jet term)
{
  sum->value += term.value;
  sum->first += term.first;
  sum->second += term.second;
}

void
vrg_exact_torus (int64_t rows, int64_t columns, double nn, double *lnz, double *energy, double *specific_heat)
{
  /* fewer factors, of the longer side's power */
  const int64_t n = rows < columns ? rows : columns;
  const double m = (double) (rows < columns ? columns : rows), sites = (double) rows * (double) columns;
  const double s = sinh (2 * nn), c = cosh (2 * nn);
  jet z[4] = { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } }; /* ln of Z1..Z4, Z4 without its factor r = 0 */
  for (int64_t r = 0; r < n; r++)
    {
      const jet odd = half_gamma (nn, 2 * r + 1, n, m);
      add (&z[0], log_2cosh (odd, 1));
      add (&z[1], log_2cosh (odd, -1));
      if (r > 0)
        {
          const jet even = half_gamma (nn, 2 * r, n, m);
          add (&z[2], log_2cosh (even, 1));
          add (&z[3], log_2cosh (even, -1));
        }
    }
  /* g_0 = 2K + ln tanh K changes sign at the critical point, and Z4 with it: keep 2 sinh as it is, scaled */
  const jet u = { m / 2 * (2 * nn + log (tanh (nn))), m / 2 * (2 + 2 / s), -m / 2 * 4 * c / (s * s) };
  const double size = fabs (u.value), small = exp (-2 * size), sinh_u = (u.value < 0 ? -1 : 1) * (1 - small),
               cosh_u = 1 + small;
  const jet factor = { sinh_u, cosh_u * u.first, sinh_u * u.first * u.first + cosh_u * u.second };
  add (&z[2], log_2cosh (u, 1));
  z[3].value += size;

  double top = z[0].value;
  for (int i = 1; i < 4; i++)
    top = fmax (top, z[i].value);
  jet sum = { 0, 0, 0 };
  for (int i = 0; i < 4; i++)
    {
      const double weight = exp (z[i].value - top), a1 = z[i].first - z[0].first, a2 = z[i].second + a1 * a1;
      const jet f = i < 3 ? (jet){ 1, 0, 0 } : factor;
      sum.value += weight * f.value;
      sum.first += weight * (f.first + f.value * a1);
      sum.second += weight * (f.second + 2 * f.first * a1 + f.value * a2);
    }
  const double first = sum.first / sum.value, second = sum.second / sum.value - first * first;
  if (lnz)
    *lnz = top + log (sum.value) - M_LN2 + sites / 2 * log (2 * s);
  if (energy)
    *energy = -(z[0].first + first) / sites - c / s;
  if (specific_heat)
    *specific_heat = fmax (0, nn * nn * (second / sites - 2 / (s * s)));
}

void
vrg_exact_ring (int64_t length, double nn, double *lnz, double *energy, double *specific_heat)
{
  /* Z = (2 cosh K)^n (1 + t^n), t = tanh K */
  const double n = (double) length, t = tanh (nn), slope = 1 - t * t, z = 1 + pow (t, n);
  if (lnz)
    *lnz = n * (fabs (nn) + log1p (exp (-2 * fabs (nn)))) + log (z);
  if (energy)
    *energy = -(t + pow (t, n - 1)) / z;
  if (specific_heat)
    *specific_heat = nn * nn * slope * (1 - pow (t, 2 * n - 2) + (n - 1) * pow (t, n - 2) * slope) / (z * z);
}

/** ln (1 + sqrt (1 - k^2 sin^2 phi)) / 2, data: 1 - k^2. */
static double
onsager (double phi, void *data)
{
  const double complement = *(const double *) data, s = sin (phi), c = cos (phi);
  return log1p (sqrt (c * c + complement * s * s)) - M_LN2;
}

double
vrg_exact_plane (double nn)
{
  /* k = 2 sinh 2K / cosh^2 2K; with t = tanh 2K: 1 - k^2 = (2 t^2 - 1)^2 */
  const double t = tanh (2 * nn);
  double complement = (2 * t * t - 1) * (2 * t * t - 1), integral, error;
  gsl_function f = { .function = onsager, .params = &complement };
  gsl_integration_workspace *work = gsl_integration_workspace_alloc (1000);
  if (work == NULL)
    vrg_fail_one (VRG_INTERNAL, "no memory for an integral");
  VRG_GSL (gsl_integration_qags (&f, 0, M_PI / 2, 1e-13, 1e-13, 1000, work, &integral, &error));
  gsl_integration_workspace_free (work);
  return 2 * nn + log1p (exp (-4 * nn)) + integral / M_PI;
}
