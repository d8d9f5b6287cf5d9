/* SPDX-License-Identifier: GPL-3.0-or-later
 * Sums of ln 2cosh: |x| adds up as an integer, and ln (1 + exp (-2 |x|)) as the logarithm of a product. */
#include "train/ln2cosh.h"

#include <string.h>

#include "base/math.h"
#include "base/simd.h"

#define ALWAYS static inline __attribute__ ((always_inline))
#define WIDTH 8   /* numbers worked on together on every path, of which there are as many partial products */
#define BLOCK 960 /* factors between 1 and 2 whose product is a double */
#define FARTHEST (350 << VRG_FIXED_BITS) /* exp (-2 |x|) is as good as 0 */

typedef int32_t words __attribute__ ((vector_size (4 * WIDTH), aligned (4), may_alias));
typedef double reals __attribute__ ((vector_size (8 * WIDTH), may_alias));
typedef int64_t bits __attribute__ ((vector_size (8 * WIDTH), may_alias));

/** sum += |x|, an exact integer; product *= 1 + exp (-2 scale |x|), for WIDTH fields at a time. */
ALWAYS void
sum_ln2cosh_body (const int32_t *x, int64_t n, double scale, double sum[WIDTH], double product[WIDTH])
{
  static const double inverse[]
    = { 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
        1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      1.0 / 2,     1.0 };
  const double to_power = -2.88539008177792681472 * scale / VRG_FIXED_ONE; /* of 2; log2 e = 1.44... */
  const double shift = 0x1.8p52; /* a number this large keeps no fraction, and the integer in its lowest bits */
  reals s, p;
  memcpy (&s, sum, sizeof s);
  memcpy (&p, product, sizeof p);
  for (int64_t i = 0; i < n; i += WIDTH)
    {
      const words field = *(const words *) (x + i), sign = field >> 31, size = (field ^ sign) - sign;
      const words far = size > FARTHEST, near = (size & ~far) | (FARTHEST & far);
      const reals power = __builtin_convertvector(near, reals) * to_power, whole = power + shift;
      const reals r = (power - (whole - shift)) * 0.69314718055994530942;
      reals e = r * inverse[0] + inverse[1];
      for (size_t k = 2; k < sizeof inverse / sizeof *inverse; k++)
        e = e * r + inverse[k];
      e = e * r + 1.0;
      p *= (reals) ((bits) e + ((bits) whole << 52)) + 1.0;
      s += __builtin_convertvector(size, reals);
    }
  memcpy (sum, &s, sizeof s);
  memcpy (product, &p, sizeof p);
}
VRG_PATHS (sum_ln2cosh, (const int32_t *x, int64_t n, double scale, double sum[WIDTH], double product[WIDTH]),
           (x, n, scale, sum, product))

double
vrg_sum_ln2cosh (const int32_t *x, int64_t n, double scale)
{
  int64_t size = 0;
  double logs = 0;
  for (int64_t first = 0; first < n; first += BLOCK)
    {
      const int64_t all = n - first < BLOCK ? n - first : BLOCK, rest = all % WIDTH;
      double sum[WIDTH] = { 0 }, product[WIDTH], total = 1;
      for (int k = 0; k < WIDTH; k++)
        product[k] = 1;
      sum_ln2cosh (x + first, all - rest, scale, sum, product);
      if (rest)
        {
          int32_t last[WIDTH] = { 0 }; /* a factor of exactly 2 where there is no field */
          memcpy (last, x + first + all - rest, (size_t) rest * sizeof *last);
          sum_ln2cosh (last, WIDTH, scale, sum, product);
          total /= 1 << (WIDTH - rest);
        }
      for (int k = 0; k < WIDTH; k++)
        {
          size += (int64_t) sum[k];
          total *= product[k];
        }
      logs += vrg_log (total);
    }
  return scale * ((double) size / VRG_FIXED_ONE) + logs;
}
