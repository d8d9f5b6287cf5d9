/* SPDX-License-Identifier: GPL-3.0-or-later
 * Sums of hashed words. */
#include "files/checksum.h"

#include "base/simd.h"

__attribute__ ((always_inline)) static inline void
sum_words_body (const uint64_t *words, int64_t n, uint64_t first, uint64_t *result)
{
  const uint64_t golden = UINT64_C (0x9e3779b97f4a7c15);
  const uint64_t begin = (first + 1) * golden;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < (uint64_t) n; i++)
    {
      uint64_t z = words[i] + (begin + i * golden);
      z = (z ^ (z >> 30)) * UINT64_C (0xbf58476d1ce4e5b9);
      z = (z ^ (z >> 27)) * UINT64_C (0x94d049bb133111eb);
      sum += z ^ (z >> 31);
    }
  *result = sum;
}

VRG_PATHS (sum_words, (const uint64_t *words, int64_t n, uint64_t first, uint64_t *result), (words, n, first, result))

uint64_t
vrg_checksum (const uint64_t *words, int64_t n, int64_t first)
{
  uint64_t sum;
  sum_words (words, n, (uint64_t) first, &sum);
  return sum;
}
