/* SPDX-License-Identifier: GPL-3.0-or-later
 * Elementary functions from arithmetic alone, and the table of probabilities. */
#include "base/math.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"

/* ln 2 in two parts: the product of the first with any exponent is exact. */
static const double ln2_high = 0x1.62e42feep-1, ln2_low = 0x1.a39ef35793c76p-33;

static double
from_bits (uint64_t bits)
{
  double x;
  memcpy (&x, &bits, sizeof x);
  return x;
}

static uint64_t
to_bits (double x)
{
  uint64_t bits;
  memcpy (&bits, &x, sizeof bits);
  return bits;
}

/** 2^k for -1022 <= k <= 1023. */
static double
power_of_two (int k)
{
  return from_bits ((uint64_t) (k + 1023) << 52);
}

/** exp (r) - 1 - r for |r| below 0.35: the Taylor series to the 14th power. */
static double
exp_tail (double r)
{
  double sum = 0, inverse = 1.0 / 87178291200.0; /* 1/14! */
  for (int n = 14; n >= 2; n--)
    {
      sum = sum * r + inverse;
      inverse *= n;
    }
  return sum * r * r;
}

double
vrg_exp (double x)
{
  if (x != x)
    return x;
  if (x > 709.79)
    return 1.0 / 0.0;
  if (x < -745.2)
    return 0;
  const int k = (int) (x * 1.44269504088896340736 + (x < 0 ? -0.5 : 0.5));
  const double high = x - k * ln2_high, low = k * ln2_low, r = high - low;
  const double value = 1 + (r + (exp_tail (r) + ((high - r) - low)));
  if (k > 1023)
    return value * power_of_two (k - 1) * 2;
  return k < -1022 ? value * power_of_two (k + 100) * power_of_two (-100) : value * power_of_two (k);
}

double
vrg_log (double x)
{
  if (x != x || x == 1.0 / 0.0)
    return x;
  if (x <= 0)
    return x == 0 ? -1.0 / 0.0 : 0.0 / 0.0;
  int k = 0;
  if (x < 0x1p-1022) /* subnormal */
    {
      x *= 0x1p54;
      k = -54;
    }
  uint64_t bits = to_bits (x);
  k += (int) (bits >> 52) - 1023;
  double m = from_bits ((bits & 0xfffffffffffff) | UINT64_C (1023) << 52);
  if (m > 1.41421356237309504880)
    {
      m *= 0.5;
      k++;
    }
  /* ln (1 + f) = 2 artanh s = f - f^2/2 + s (f^2/2 + tail), s = f / (2 + f) */
  const double f = m - 1, s = f / (2 + f), z = s * s, half = 0.5 * f * f;
  double tail = 0;
  for (int n = 25; n >= 3; n -= 2)
    tail = tail * z + 2.0 / n;
  tail *= z;
  return k * ln2_high - ((half - (s * (half + tail) + k * ln2_low)) - f);
}

double
vrg_tanh (double x)
{
  const double a = x < 0 ? -x : x;
  double t;
  if (a < 0.35)
    {
      const double u = a + exp_tail (a), e = u * (u + 2); /* exp (a) - 1 and exp (2a) - 1 */
      t = e / (e + 2);
    }
  else
    t = a > 22 ? 1 : 1 - 2 / (vrg_exp (2 * a) + 1);
  return x < 0 ? -t : x != x ? x : t;
}

double
vrg_ln2cosh (double x)
{
  const double a = x < 0 ? -x : x;
  return a + vrg_log (1 + vrg_exp (-2 * a));
}

int32_t
vrg_fixed (double x)
{
  VRG_ASSERT (x < 2047 && x > -2047);
  return (int32_t) (x * VRG_FIXED_ONE + (x < 0 ? -0.5 : 0.5));
}

const uint32_t *
vrg_probability_table (void)
{
  static uint32_t table[VRG_PROBABILITY_ROWS + 1];
  if (!table[0])
    for (int i = VRG_PROBABILITY_ROWS; i >= 0; i--)
      {
        const double p = 4294967296.0 / (1 + vrg_exp (-i / 128.0)) + 0.5;
        table[i] = p < 4294967295.0 ? (uint32_t) p : UINT32_MAX;
      }
  return table;
}

/** The table interpolated at a field >= 0. */
static uint32_t
upper (int64_t field)
{
  const uint32_t *table = vrg_probability_table ();
  const int64_t row = field >> (VRG_FIXED_BITS - 8), part = field & ((1 << (VRG_FIXED_BITS - 8)) - 1);
  if (row >= VRG_PROBABILITY_ROWS)
    return UINT32_MAX;
  return (uint32_t) (table[row] + (((int64_t) table[row + 1] - table[row]) * part >> (VRG_FIXED_BITS - 8)));
}

uint32_t
vrg_probability (int32_t field)
{
  return field < 0 ? (uint32_t) -upper (-(int64_t) field) : upper (field);
}

int32_t
vrg_mean (int32_t field)
{
  const int64_t size = field < 0 ? -(int64_t) field : field;
  const int32_t mean = (int32_t) ((upper (size) - UINT32_C (0x80000000)) >> (31 - VRG_FIXED_BITS));
  return field < 0 ? -mean : mean;
}

double
vrg_log_sum (const double *logs, int64_t n)
{
  double top = logs[0], sum = 0;
  for (int64_t i = 1; i < n; i++)
    top = logs[i] > top ? logs[i] : top;
  for (int64_t i = 0; i < n; i++)
    sum += vrg_exp (logs[i] - top);
  return top + vrg_log (sum);
}
