/* SPDX-License-Identifier: GPL-3.0-or-later
 * ARS-7 by table look-up, AES-NI and VAES. */
#include "base/rng.h"

#include <immintrin.h>
#include <stdbool.h>
#include <string.h>

#include "base/simd.h"

/* One AES round of a column is the XOR of one entry of each table (SubBytes, ShiftRows and MixColumns at once). */
static uint8_t sbox[256];
static uint32_t table[4][256];
static bool have_tables;

/** Multiplication by x in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1. */
static uint8_t
times_x (uint8_t a)
{
  return (uint8_t) (a << 1 ^ (a & 0x80 ? 0x1b : 0));
}

static void
make_tables (void)
{
  uint8_t power[256], inverse[256] = { 0 }, a = 1;
  for (int i = 0; i < 255; i++, a = (uint8_t) (a ^ times_x (a))) /* 3 generates the multiplicative group */
    power[i] = a;
  for (int i = 0; i < 255; i++)
    inverse[power[i]] = power[(255 - i) % 255];
  for (int i = 0; i < 256; i++)
    {
      unsigned q = inverse[i], s = q;
      for (int turn = 1; turn < 5; turn++)
        s ^= (q << turn | q >> (8 - turn)) & 0xff;
      sbox[i] = (uint8_t) (s ^ 0x63);
      uint32_t b1 = sbox[i], b2 = times_x (sbox[i]), b3 = b1 ^ b2;
      uint32_t column = b2 | b1 << 8 | b1 << 16 | b3 << 24;
      for (int k = 0; k < 4; k++)
        table[k][i] = column << 8 * k | (k ? column >> (32 - 8 * k) : 0);
    }
  have_tables = true;
}

void
vrg_rng_portable (const vrg_rng *rng, const uint64_t counter[2], uint64_t out[2])
{
  if (!have_tables)
    make_tables ();
  uint64_t low = counter[0] ^ rng->key[0][0], high = counter[1] ^ rng->key[0][1];
  uint32_t s[4] = { (uint32_t) low, (uint32_t) (low >> 32), (uint32_t) high, (uint32_t) (high >> 32) }, t[4];
  for (int round = 1; round < 8; round++)
    {
      for (int c = 0; c < 4; c++)
        {
          uint8_t b[4];
          for (int k = 0; k < 4; k++)
            b[k] = (uint8_t) (s[(c + k) % 4] >> 8 * k);
          if (round < 7)
            t[c] = table[0][b[0]] ^ table[1][b[1]] ^ table[2][b[2]] ^ table[3][b[3]];
          else /* the last round has no MixColumns */
            t[c] = sbox[b[0]] | (uint32_t) sbox[b[1]] << 8 | (uint32_t) sbox[b[2]] << 16 | (uint32_t) sbox[b[3]] << 24;
        }
      for (int c = 0; c < 4; c++)
        s[c] = t[c] ^ (uint32_t) (rng->key[round][c / 2] >> 32 * (c % 2));
    }
  out[0] = s[0] | (uint64_t) s[1] << 32;
  out[1] = s[2] | (uint64_t) s[3] << 32;
}

void
vrg_rng_init (vrg_rng *rng, uint64_t seed, uint32_t ensemble, uint32_t chain)
{
  uint64_t key[2] = { seed, (uint64_t) ensemble << 32 | chain };
  for (int round = 0; round < 8; round++)
    {
      memcpy (rng->key[round], key, sizeof key);
      key[0] += UINT64_C (0x9E3779B97F4A7C15); /* golden ratio - 1 */
      key[1] += UINT64_C (0xBB67AE8584CAA73B); /* sqrt 3 - 1 */
    }
}

static void
fill_portable (const vrg_rng *rng, uint64_t low, uint64_t high, int64_t n, uint64_t *out)
{
  for (int64_t i = 0; i < n; i++)
    vrg_rng_portable (rng, (const uint64_t[2]){ low + (uint64_t) i, high }, out + 2 * i);
}

__attribute__ ((target ("aes,avx2"))) static inline __m128i
aes_block (const vrg_rng *rng, __m128i v)
{
  const __m128i *key = (const __m128i *) rng->key;
  v = _mm_xor_si128 (v, _mm_loadu_si128 (key));
  for (int round = 1; round < 7; round++)
    v = _mm_aesenc_si128 (v, _mm_loadu_si128 (key + round));
  return _mm_aesenclast_si128 (v, _mm_loadu_si128 (key + 7));
}

#define AES_WIDTH 4 /* independent blocks in flight hide the latency of a round */

__attribute__ ((target ("aes,avx2"))) static void
fill_aes (const vrg_rng *rng, uint64_t low, uint64_t high, int64_t n, uint64_t *out)
{
  int64_t i = 0;
  for (; i + AES_WIDTH <= n; i += AES_WIDTH)
    {
      const __m128i *key = (const __m128i *) rng->key;
      __m128i v[AES_WIDTH], k = _mm_loadu_si128 (key);
      for (int j = 0; j < AES_WIDTH; j++)
        v[j] = _mm_xor_si128 (_mm_set_epi64x ((int64_t) high, (int64_t) (low + (uint64_t) (i + j))), k);
      for (int round = 1; round < 7; round++)
        {
          k = _mm_loadu_si128 (key + round);
          for (int j = 0; j < AES_WIDTH; j++)
            v[j] = _mm_aesenc_si128 (v[j], k);
        }
      k = _mm_loadu_si128 (key + 7);
      for (int j = 0; j < AES_WIDTH; j++)
        _mm_storeu_si128 ((__m128i *) (out + 2 * (i + j)), _mm_aesenclast_si128 (v[j], k));
    }
  for (; i < n; i++)
    _mm_storeu_si128 ((__m128i *) (out + 2 * i),
                      aes_block (rng, _mm_set_epi64x ((int64_t) high, (int64_t) (low + (uint64_t) i))));
}

#define VAES_WIDTH 4 /* vectors of four blocks */

__attribute__ ((target ("vaes,avx512f,aes,avx2"))) static void
fill_vaes (const vrg_rng *rng, uint64_t low, uint64_t high, int64_t n, uint64_t *out)
{
  const int64_t h = (int64_t) high;
  const __m512i first = _mm512_set_epi64 (h, 3, h, 2, h, 1, h, 0);
  const __m128i *key = (const __m128i *) rng->key;
  int64_t i = 0;
  for (; i + 4 * VAES_WIDTH <= n; i += 4 * VAES_WIDTH)
    {
      __m512i v[VAES_WIDTH], k = _mm512_broadcast_i32x4 (_mm_loadu_si128 (key));
      for (int j = 0; j < VAES_WIDTH; j++)
        {
          const int64_t c = (int64_t) low + i + 4 * j;
          v[j] = _mm512_xor_si512 (_mm512_add_epi64 (first, _mm512_set_epi64 (0, c, 0, c, 0, c, 0, c)), k);
        }
      for (int round = 1; round < 7; round++)
        {
          k = _mm512_broadcast_i32x4 (_mm_loadu_si128 (key + round));
          for (int j = 0; j < VAES_WIDTH; j++)
            v[j] = _mm512_aesenc_epi128 (v[j], k);
        }
      k = _mm512_broadcast_i32x4 (_mm_loadu_si128 (key + 7));
      for (int j = 0; j < VAES_WIDTH; j++)
        _mm512_storeu_si512 (out + 2 * (i + 4 * j), _mm512_aesenclast_epi128 (v[j], k));
    }
  fill_aes (rng, low + (uint64_t) i, high, n - i, out + 2 * i);
}

void
vrg_rng_fill (const vrg_rng *rng, vrg_rng_purpose purpose, uint64_t index, int64_t n, uint64_t step, uint32_t draw,
              uint64_t *out)
{
  const uint64_t low = (uint64_t) purpose << 56 | index, high = step << 16 | draw;
  switch (vrg_simd ())
    {
    case VRG_SIMD_AVX512:
      fill_vaes (rng, low, high, n, out);
      break;
    case VRG_SIMD_AVX2:
      fill_aes (rng, low, high, n, out);
      break;
    default:
      fill_portable (rng, low, high, n, out);
    }
}

void
vrg_rng_block (const vrg_rng *rng, vrg_rng_purpose purpose, uint64_t index, uint64_t step, uint32_t draw,
               uint64_t out[2])
{
  const uint64_t low = (uint64_t) purpose << 56 | index, high = step << 16 | draw;
  if (vrg_simd () == VRG_SIMD_PORTABLE)
    fill_portable (rng, low, high, 1, out);
  else
    fill_aes (rng, low, high, 1, out);
}

uint64_t
vrg_rng_threshold (double p)
{
  const double scaled = p * 4294967296.0 + 0.5;
  return scaled >= 4294967296.0 ? UINT64_C (1) << 32 : scaled > 0 ? (uint64_t) scaled : 0;
}
