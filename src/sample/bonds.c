/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bits kept with a given probability, by comparing random bit-planes with the binary digits of a threshold. */
#include "sample/bonds.h"

#include <immintrin.h>
#include <string.h>

#include "base/simd.h"

/* Planes drawn for all bits; after them the few undecided ones are followed in pairs of words. */
#define DENSE 12
#define DIGITS 32
#define PIECE 64 /* words at a time */

/** Digit p of a threshold as a mask, p = 0 the most significant. */
static inline uint64_t
digit_mask (uint64_t threshold, int p)
{
  return -(threshold >> (DIGITS - 1 - p) & 1);
}

/** One digit for n words.  Returns what is left undecided, ored together. */
static uint64_t
decide (int64_t n, uint64_t digit, const uint64_t *random, uint64_t *undecided, uint64_t *kept)
{
  uint64_t left = 0;
  for (int64_t i = 0; i < n; i++)
    {
      const uint64_t differ = digit ^ random[i];
      kept[i] |= undecided[i] & differ & digit;
      undecided[i] &= ~differ;
      left |= undecided[i];
    }
  return left;
}

/** The definition, for n <= PIECE words, n even, from block `index` on. */
static void
keep_piece (const vrg_bonds *b, uint64_t index, int64_t n, uint64_t *bits)
{
  uint64_t random[PIECE], kept[PIECE] = { 0 }, left = 1;
  for (int p = 0; p < DENSE && left; p++)
    {
      vrg_rng_fill (b->rng, b->purpose, index, n / 2, b->step, (uint32_t) p, random);
      left = decide (n, digit_mask (b->threshold, p), random, bits, kept);
    }
  for (int64_t i = 0; i < n && left; i += 2)
    for (int p = DENSE; p < DIGITS && (bits[i] | bits[i + 1]); p++)
      {
        uint64_t block[2];
        vrg_rng_block (b->rng, b->purpose, index + (uint64_t) i / 2, b->step, (uint32_t) p, block);
        decide (2, digit_mask (b->threshold, p), block, bits + i, kept + i);
      }
  memcpy (bits, kept, (size_t) n * sizeof *bits);
}

#define WIDTH 4 /* planes in flight hide the latency of an AES round */

/** Four blocks a vector, from wherever in the rows they are. */
__attribute__ ((target ("vaes,avx512f,avx512dq,aes,avx2"))) static void
keep_avx512 (const vrg_bonds *b, int64_t row, int64_t n, int64_t words, int64_t stride, uint64_t *bits)
{
  const __m128i *key = (const __m128i *) b->rng->key;
  const int64_t pairs = (words + 1) / 2, blocks = n * pairs;
  const uint64_t first = ((uint64_t) b->purpose << 56) + (uint64_t) (row * stride / 2);
  __m512i k[8], digits[DIGITS];
  for (int i = 0; i < 8; i++)
    k[i] = _mm512_broadcast_i32x4 (_mm_loadu_si128 (key + i));
  for (int p = 0; p < DIGITS; p++)
    digits[p] = _mm512_set1_epi64 ((int64_t) digit_mask (b->threshold, p));

  int64_t pair = 0, start = 0; /* of the next block: its place in its row, and the row's first word */
  for (int64_t done = 0; done < blocks; done += 4)
    {
      __m128i *place[4], none = _mm_setzero_si128 ();
      uint64_t low[4];
      for (int i = 0; i < 4; i++)
        {
          const int64_t word = start + 2 * pair;
          place[i] = done + i < blocks ? (__m128i *) (void *) (bits + word) : &none;
          low[i] = first + (uint64_t) word / 2;
          const int64_t wrap = ++pair == pairs;
          pair = wrap ? 0 : pair;
          start += wrap ? stride : 0;
        }
      __m512i undecided = _mm512_castsi128_si512 (_mm_loadu_si128 (place[0]));
      undecided = _mm512_inserti64x2 (undecided, _mm_loadu_si128 (place[1]), 1);
      undecided = _mm512_inserti64x2 (undecided, _mm_loadu_si128 (place[2]), 2);
      undecided = _mm512_inserti64x2 (undecided, _mm_loadu_si128 (place[3]), 3);
      __m512i kept = _mm512_setzero_si512 ();
      const __m512i counter
        = _mm512_set_epi64 (0, (int64_t) low[3], 0, (int64_t) low[2], 0, (int64_t) low[1], 0, (int64_t) low[0]);
      for (int p = 0; p < DIGITS && _mm512_test_epi64_mask (undecided, undecided); p += WIDTH)
        {
          __m512i v[WIDTH];
          for (int j = 0; j < WIDTH; j++)
            {
              const __m512i high = _mm512_maskz_set1_epi64 (0xaa, (int64_t) (b->step << 16 | (uint32_t) (p + j)));
              v[j] = _mm512_xor_si512 (_mm512_or_si512 (counter, high), k[0]);
            }
          for (int round = 1; round < 7; round++)
            for (int j = 0; j < WIDTH; j++)
              v[j] = _mm512_aesenc_epi128 (v[j], k[round]);
          for (int j = 0; j < WIDTH; j++)
            {
              const __m512i random = _mm512_aesenclast_epi128 (v[j], k[7]), digit = digits[p + j];
              const __m512i differ = _mm512_and_si512 (undecided, _mm512_xor_si512 (digit, random));
              kept = _mm512_or_si512 (kept, _mm512_and_si512 (differ, digit));
              undecided = _mm512_xor_si512 (undecided, differ);
            }
        }
      _mm_storeu_si128 (place[0], _mm512_castsi512_si128 (kept));
      _mm_storeu_si128 (place[1], _mm512_extracti64x2_epi64 (kept, 1));
      _mm_storeu_si128 (place[2], _mm512_extracti64x2_epi64 (kept, 2));
      _mm_storeu_si128 (place[3], _mm512_extracti64x2_epi64 (kept, 3));
    }
}

void
vrg_bonds_keep (const vrg_bonds *bonds, int64_t row, int64_t n, int64_t words, int64_t stride, uint64_t *bits)
{
  /* A threshold of 2^32 keeps without a draw. */
  if (bonds->threshold >> DIGITS)
    return;
  if (vrg_simd () == VRG_SIMD_AVX512)
    {
      keep_avx512 (bonds, row, n, words, stride, bits);
      return;
    }
  const int64_t even = (words + 1) / 2 * 2;
  for (int64_t y = 0; y < n; y++)
    for (int64_t w = 0; w < even; w += PIECE)
      keep_piece (bonds, (uint64_t) ((row + y) * stride + w) / 2, w + PIECE < even ? PIECE : even - w,
                  bits + y * stride + w);
}
