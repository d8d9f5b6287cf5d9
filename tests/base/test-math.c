/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * Elementary functions against the C library, and the fixed-point table. */
#include "base/math.h"

#include "tests/check.h"

static void
functions (void)
{
  double e = 0, l = 0, t = 0, c = 0;
  for (int i = -1000000; i <= 1000000; i++)
    {
      const double x = i * 7.0e-4, y = exp (x / 2) * 1.37, z = x / 20 + 1e-9;
      e = fmax (e, fabs (vrg_exp (x) / exp (x) - 1));
      l = fmax (l, fabs (vrg_log (y) / log (y) - 1));
      t = fmax (t, fabs (vrg_tanh (z) / tanh (z) - 1));
      c = fmax (c, fabs (vrg_ln2cosh (z) - (fabs (z) + log1p (exp (-2 * fabs (z))))));
    }
  check (e < 4e-16, "exp: relative error %.1e", e);
  check (l < 4e-16, "log: relative error %.1e", l);
  check (t < 1e-15, "tanh: relative error %.1e", t);
  check (c < 1e-14, "ln 2cosh: error %.1e", c);
  check (vrg_exp (-800) == 0 && isinf (vrg_exp (800)) && isinf (vrg_log (0)) && isnan (vrg_log (-1))
           && isnan (vrg_exp (NAN)) && isnan (vrg_tanh (NAN)) && vrg_tanh (-100) == -1,
         "limits");
  check_rel (vrg_exp (-740), exp (-740), 1e-2, "a subnormal exp");
  check_rel (vrg_log (1e-310), log (1e-310), 1e-15, "log of a subnormal");
}

static void
fixed_point (void)
{
  double p_error = 0, m_error = 0;
  bool odd = true, rising = true;
  for (int32_t f = 0; f < 14 << VRG_FIXED_BITS; f += 997)
    {
      const double x = (double) f / VRG_FIXED_ONE;
      p_error = fmax (p_error, fabs (vrg_probability (f) / 4294967296.0 - 1 / (1 + exp (-2 * x))));
      m_error = fmax (m_error, fabs ((double) vrg_mean (f) / VRG_FIXED_ONE - tanh (x)));
      odd &= vrg_mean (-f) == -vrg_mean (f) && vrg_probability (f) + vrg_probability (-f) == 0;
      rising &= vrg_probability (f + 997) >= vrg_probability (f);
    }
  check (p_error < 3e-6, "probability: error %.1e", p_error);
  check (m_error < 7e-6, "mean: error %.1e", m_error);
  check (odd, "mean is odd, probabilities add to one");
  check (rising, "the probability never falls");
  check (vrg_probability (INT32_MIN) == 1 && vrg_probability (INT32_MAX) == UINT32_MAX, "the ends of the range");
  check (vrg_fixed (0.5) == VRG_FIXED_ONE / 2 && vrg_fixed (-1.5 / VRG_FIXED_ONE) == -2
           && vrg_fixed (1.4 / VRG_FIXED_ONE) == 1,
         "rounding is to nearest, ties away from zero");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  functions ();
  fixed_point ();
  return check_end ();
}
