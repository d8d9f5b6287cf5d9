/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bernoulli bits by comparing random bit-planes with the binary digits of a threshold. */
#include "sample/planes.h"

#include "base/simd.h"

/* Planes drawn for all lanes; after them the few undecided ones are followed singly. */
#define DENSE 12
#define DIGITS 32

int64_t
vrg_planes_rows (const vrg_lattice *lattice)
{
  int64_t rows = 512 / lattice->stride;
  return rows > 0 ? rows : 1;
}

/** One digit: all ones or zeros for either threshold.  Returns what is left undecided, ored together. */
static inline __attribute__ ((always_inline)) uint64_t
digit_body (int64_t n, uint64_t digit0, uint64_t digit1, const uint64_t *random, const uint64_t *select,
            uint64_t *undecided, uint64_t *accept)
{
  uint64_t left = 0, change = digit0 ^ digit1;
  for (int64_t i = 0; i < n; i++)
    {
      uint64_t digit = digit0 ^ (select[i] & change), differ = digit ^ random[i];
      accept[i] |= undecided[i] & differ & digit;
      undecided[i] &= ~differ;
      left |= undecided[i];
    }
  return left;
}

typedef uint64_t digit_function (int64_t n, uint64_t digit0, uint64_t digit1, const uint64_t *random,
                                 const uint64_t *select, uint64_t *undecided, uint64_t *accept);

static uint64_t
digit_portable (int64_t n, uint64_t digit0, uint64_t digit1, const uint64_t *random, const uint64_t *select,
                uint64_t *undecided, uint64_t *accept)
{
  return digit_body (n, digit0, digit1, random, select, undecided, accept);
}

__attribute__ ((target ("avx2"))) static uint64_t
digit_avx2 (int64_t n, uint64_t digit0, uint64_t digit1, const uint64_t *random, const uint64_t *select,
            uint64_t *undecided, uint64_t *accept)
{
  return digit_body (n, digit0, digit1, random, select, undecided, accept);
}

__attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl"))) static uint64_t
digit_avx512 (int64_t n, uint64_t digit0, uint64_t digit1, const uint64_t *random, const uint64_t *select,
              uint64_t *undecided, uint64_t *accept)
{
  return digit_body (n, digit0, digit1, random, select, undecided, accept);
}

/** Digit p of a threshold as a mask, p = 0 the most significant. */
static uint64_t
digit_mask (uint64_t threshold, int p)
{
  return -(threshold >> (DIGITS - 1 - p) & 1);
}

void
vrg_planes_below (const vrg_planes *planes, const vrg_rng *rng, uint64_t index, int64_t n, const uint64_t *select,
                  uint64_t *undecided, uint64_t *accept, uint64_t *random)
{
  digit_function *const paths[] = { digit_portable, digit_avx2, digit_avx512 }, *digit = paths[vrg_simd ()];
  const uint64_t *t = planes->threshold;

  /* A threshold of 2^32 accepts without a draw: a first digit of 1 before a random digit of 0. */
  if (t[0] >> DIGITS || t[1] >> DIGITS)
    for (int64_t i = 0; i < n; i++)
      {
        uint64_t sure = undecided[i] & ((-(t[0] >> DIGITS) & ~select[i]) | (-(t[1] >> DIGITS) & select[i]));
        accept[i] |= sure;
        undecided[i] &= ~sure;
      }

  for (int p = 0; p < DENSE; p++)
    {
      vrg_rng_fill (rng, planes->purpose, index, n / 2, planes->step, planes->draw + (uint32_t) p, random);
      if (!digit (n, digit_mask (t[0], p), digit_mask (t[1], p), random, select, undecided, accept))
        return;
    }

  for (int64_t i = 0; i < n; i += 2)
    for (int p = DENSE; p < DIGITS && (undecided[i] | undecided[i + 1]); p++)
      {
        uint64_t block[2];
        vrg_rng_block (rng, planes->purpose, index + (uint64_t) i / 2, planes->step, planes->draw + (uint32_t) p,
                       block);
        digit_portable (2, digit_mask (t[0], p), digit_mask (t[1], p), block, select + i, undecided + i, accept + i);
      }
}
