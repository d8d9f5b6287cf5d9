/* SPDX-License-Identifier: GPL-3.0-or-later
 * The pieces of sample/decide for AVX-512 with VAES, to be fused with what a kernel does with its spins: what belongs
 * to a vector stays in registers.  For a group of n vectors a kernel calls
 *   vrg_decide512_enter; per vector v: vrg_decide512_next, vrg_decide512_dense, vrg_decide512_merge and a store of what
 *   is known; vrg_decide512_layers; per vector: vrg_decide512_collect; vrg_decide512_leave;
 * and after the last group vrg_decide512_flush, which XORs the lanes followed singly to the vectors' targets.
 * vrg_decide512_next works out the planes of vector v + 1 while those of v are used: so the rounds have time.
 *
 * Two of the seven rounds of a plane are shared.  The bytes of a counter that hold the draw's low byte and the index's
 * two low bytes meet in no column before the third round, so the state after two rounds is F(index) ^ G(draw), where G
 * depends on the index by its bits 16 and up only: F is worked out once per vector, G once per 2^16 blocks. */
#ifndef VRG_SAMPLE_DECIDE_AVX512_H
#define VRG_SAMPLE_DECIDE_AVX512_H

#include <immintrin.h>

#include "base/error.h"
#include "sample/decide.h"

#define VRG_AVX512                                                                                                     \
  __attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi2,vaes,aes,avx2,bmi,bmi2,popcnt")))
#define VRG_AVX512_INLINE VRG_AVX512 __attribute__ ((always_inline)) static inline

#define VRG_DECIDE_STRETCH 14 /* G holds for 2^14 vectors, an aligned stretch of them */

/** What is known of a group's vectors for the lanes followed singly. */
typedef struct
{
  __m512i place[VRG_DECIDE_LAYERS + 1][VRG_DECIDE_GROUP]; /* lanes in a layer; the last one: in none */
  __m512i one[VRG_DECIDE_GROUP], two[VRG_DECIDE_GROUP];
  __m512i left[VRG_DECIDE_LAYERS + 1]; /* undecided in the layers; lanes without a place */
  uint32_t words;                      /* bit 8 m + i: word i of left[m] is not 0 */
  uint64_t *target[VRG_DECIDE_GROUP];  /* 8 words each that accepted lanes are XORed to; the kernel sets them */
  uint64_t vector;
  int n;
} vrg_decide512_group;

#define VRG_DECIDE_WAITING 4 /* groups with lanes to be followed singly; so the work is done without mispredictions */

/** A vrg_decide and its random numbers made ready. */
typedef struct
{
  __m512i key[8], first;                                                        /* round keys; counters of vector 0 */
  __m512i dense[VRG_DECIDE_DENSE], layer[VRG_DECIDE_LAYERS][VRG_DECIDE_DIGITS]; /* G */
  uint64_t stretch; /* for vectors v with v >> 14 = stretch */
  /* Uniform thresholds: digits of the two classes, 0 to 3 = d0 + 2 d1, and whether they differ from those before
     (from 0 where a vector or a layer starts). */
  uint8_t kind[VRG_DECIDE_DIGITS], turn[VRG_DECIDE_DIGITS];
  const vrg_decide *decide;
  vrg_decide512_group group[VRG_DECIDE_WAITING];
  __m512i start[VRG_DECIDE_GROUP + 1]; /* F of the group's vectors, then of its layers */
  int groups;                          /* waiting */
} vrg_decide512;

/** A group in registers: the keys, and what its vectors have left undecided, merged, with their classes. */
typedef struct
{
  __m512i key[8];
  __m512i random[VRG_DECIDE_DENSE]; /* of vector v, then of v + 1 */
  __m512i undecided[VRG_DECIDE_LAYERS], one[VRG_DECIDE_LAYERS], two[VRG_DECIDE_LAYERS], accept[VRG_DECIDE_LAYERS];
  __m512i over; /* lanes with more undecided vectors than layers */
} vrg_decide512_merged;

/** f (a, b, c) by the truth table of 0xf0, 0xcc, 0xaa. */
#define VRG_TERNARY(f, a, b, c) _mm512_ternarylogic_epi64 (a, b, c, f)
#define VRG_T_A 0xf0
#define VRG_T_B 0xcc
#define VRG_T_C 0xaa

VRG_AVX512_INLINE __m512i
vrg_decide512_two_rounds (const __m512i key[8], __m512i first, uint64_t vector, uint32_t draw)
{
  __m512i v = _mm512_add_epi64 (first, _mm512_maskz_set1_epi64 (0x55, (long long) (4 * vector)));
  v = _mm512_xor_si512 (v, key[0]);
  if (draw)
    v = _mm512_xor_si512 (v, _mm512_maskz_set1_epi64 (0xaa, draw));
  return _mm512_aesenc_epi128 (_mm512_aesenc_epi128 (v, key[1]), key[2]);
}

/** The five rounds left, of n planes at a time. */
VRG_AVX512_INLINE void
vrg_decide512_five_rounds (const __m512i key[8], __m512i start, const __m512i *planes, int n, __m512i *random)
{
#pragma GCC unroll 8
  for (int p = 0; p < n; p++)
    random[p] = _mm512_xor_si512 (start, planes[p]);
#pragma GCC unroll 4
  for (int round = 3; round < 7; round++)
#pragma GCC unroll 8
    for (int p = 0; p < n; p++)
      random[p] = _mm512_aesenc_epi128 (random[p], key[round]);
#pragma GCC unroll 8
  for (int p = 0; p < n; p++)
    random[p] = _mm512_aesenclast_epi128 (random[p], key[7]);
}

/** Local.  decide must outlive c. */
VRG_AVX512 static inline void
vrg_decide512_init (vrg_decide512 *c, const vrg_decide *decide, const vrg_rng *rng)
{
  VRG_ASSERT (decide->draw % 256 == 0);
  for (int round = 0; round < 8; round++)
    c->key[round] = _mm512_broadcast_i32x4 (_mm_loadu_si128 ((const __m128i *) rng->key[round]));
  const long long low = (long long) ((uint64_t) decide->purpose << 56),
                  high = (long long) (decide->step << 16 | decide->draw);
  c->first = _mm512_set_epi64 (high, low + 3, high, low + 2, high, low + 1, high, low);
  c->stretch = ~UINT64_C (0);
  c->decide = decide;
  c->groups = 0;
  int before = 0;
  for (int p = 0; p < VRG_DECIDE_DIGITS; p++)
    {
      uint32_t zero = decide->threshold[0] >> (31 - p) & 1;
      uint32_t one = decide->classes > 1 ? decide->threshold[1] >> (31 - p) & 1 : zero;
      c->kind[p] = (uint8_t) (zero + 2 * one);
      c->turn[p] = c->kind[p] != (p == VRG_DECIDE_DENSE ? 0 : before);
      before = c->kind[p];
    }
}

VRG_AVX512 __attribute__ ((noinline, unused)) static void
vrg_decide512_new_stretch (vrg_decide512 *c, uint64_t vector)
{
  static const int planes[VRG_DECIDE_LAYERS] = { VRG_DECIDE_PLANES };
  __m512i none = vrg_decide512_two_rounds (c->key, c->first, vector, 0);
  for (uint32_t p = 0; p < VRG_DECIDE_DENSE; p++)
    c->dense[p] = _mm512_xor_si512 (none, vrg_decide512_two_rounds (c->key, c->first, vector, p));
  for (uint32_t m = 0; m < VRG_DECIDE_LAYERS; m++)
    for (uint32_t p = VRG_DECIDE_DENSE; p < VRG_DECIDE_DENSE + (uint32_t) planes[m]; p++)
      c->layer[m][p] = _mm512_xor_si512 (none, vrg_decide512_two_rounds (c->key, c->first, vector, 32 * (m + 1) + p));
  c->stretch = vector >> VRG_DECIDE_STRETCH;
}

/** Start a group of n vectors that does not cross the end of a stretch; the group's place to remember things. */
VRG_AVX512_INLINE vrg_decide512_group *
vrg_decide512_enter (vrg_decide512 *c, uint64_t vector, int n, vrg_decide512_merged *merged)
{
  if (vector >> VRG_DECIDE_STRETCH != c->stretch)
    vrg_decide512_new_stretch (c, vector);
  vrg_decide512_group *group = &c->group[c->groups];
  group->vector = vector;
  group->n = n;
  __m512i zero = _mm512_setzero_si512 ();
#pragma GCC unroll 8
  for (int i = 0; i < 8; i++)
    merged->key[i] = c->key[i];
#pragma GCC unroll 3
  for (int m = 0; m < VRG_DECIDE_LAYERS; m++)
    merged->undecided[m] = merged->one[m] = merged->two[m] = merged->accept[m] = zero;
  merged->over = zero;
  for (int v = 0; v < n; v++)
    c->start[v] = vrg_decide512_two_rounds (merged->key, c->first, vector + (uint64_t) v, 0);
  c->start[n] = c->start[0];
  vrg_decide512_five_rounds (merged->key, c->start[0], c->dense, VRG_DECIDE_DENSE, merged->random);
  return group;
}

/** The threshold's digit p lane by lane; classes and lanes are compile-time constants of the caller. */
VRG_AVX512_INLINE __m512i
vrg_decide512_digit (const vrg_decide512 *c, int classes, int p, __m512i one, __m512i two)
{
  const vrg_decide_lanes *lanes = c->decide->lanes;
  __m512i digit = _mm512_load_si512 (lanes->digit[0][p]);
  if (classes > 1)
    digit = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), one, _mm512_load_si512 (lanes->digit[1][p]),
                         digit);
  if (classes > 2)
    digit = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), two, _mm512_load_si512 (lanes->digit[2][p]),
                         digit);
  return digit;
}

/** Compare plane p.  accept of an undecided lane is the threshold's last digit: right if the lane is decided next. */
VRG_AVX512_INLINE void
vrg_decide512_compare (const vrg_decide512 *c, bool per_lane, int classes, int p, __m512i random, __m512i one,
                       __m512i two, __m512i *undecided, __m512i *accept)
{
  __m512i u = *undecided, a = *accept;
  if (per_lane)
    {
      __m512i digit = vrg_decide512_digit (c, classes, p, one, two);
      *accept = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), u, digit, a);
      *undecided = VRG_TERNARY (VRG_T_A & ~(VRG_T_B ^ VRG_T_C) & 255, u, digit, random);
      return;
    }
  switch (c->kind[p])
    {
    case 0:
      if (c->turn[p])
        *accept = _mm512_andnot_si512 (u, a);
      *undecided = _mm512_andnot_si512 (random, u);
      break;
    case 1:
      if (c->turn[p])
        *accept = VRG_TERNARY ((VRG_T_A & ~VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), u, one, a);
      *undecided = VRG_TERNARY (VRG_T_A & (VRG_T_B ^ VRG_T_C), u, one, random);
      break;
    case 2:
      if (c->turn[p])
        *accept = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), u, one, a);
      *undecided = VRG_TERNARY (VRG_T_A & ~(VRG_T_B ^ VRG_T_C) & 255, u, one, random);
      break;
    default:
      if (c->turn[p])
        *accept = _mm512_or_si512 (u, a);
      *undecided = _mm512_and_si512 (u, random);
    }
}

/** Take the planes of vector v of n and start those of the next one, or the layers' first ones. */
VRG_AVX512_INLINE void
vrg_decide512_next (const vrg_decide512 *c, vrg_decide512_merged *merged, int v, int n, __m512i *random)
{
#pragma GCC unroll 8
  for (int p = 0; p < VRG_DECIDE_DENSE; p++)
    random[p] = merged->random[p];
  vrg_decide512_five_rounds (merged->key, c->start[v + 1], v + 1 < n ? c->dense : &c->layer[0][VRG_DECIDE_DENSE],
                             VRG_DECIDE_DENSE, merged->random);
}

/** Compare a vector's own planes.  accept: lanes accepted so far, none of them undecided.  coin as in
 *  sample/decide.h where the decide has coins. */
VRG_AVX512_INLINE void
vrg_decide512_dense (const vrg_decide512 *c, const __m512i *random, bool per_lane, int classes, bool coins, __m512i one,
                     __m512i two, __m512i coin, __m512i *undecided, __m512i *accept)
{
  __m512i u = *undecided, a = *accept, heads;
  if (coins)
    {
      heads = VRG_TERNARY (VRG_T_A & VRG_T_B & ~VRG_T_C, u, coin, random[0]);
      u = _mm512_andnot_si512 (coin, u);
    }
#pragma GCC unroll 8
  for (int p = 0; p < VRG_DECIDE_DENSE; p++)
    vrg_decide512_compare (c, per_lane, classes, p, random[p], one, two, &u, &a);
  if (per_lane || c->kind[VRG_DECIDE_DENSE - 1])
    a = _mm512_andnot_si512 (u, a);
  *undecided = u;
  *accept = coins ? _mm512_or_si512 (a, heads) : a;
}

/** Vector v's undecided lanes find their places. */
VRG_AVX512_INLINE void
vrg_decide512_merge (vrg_decide512_merged *merged, vrg_decide512_group *group, int classes, int v, __m512i undecided,
                     __m512i one, __m512i two)
{
#pragma GCC unroll 3
  for (int m = 0; m < VRG_DECIDE_LAYERS; m++)
    {
      __m512i place = _mm512_andnot_si512 (merged->undecided[m], undecided),
              rest = _mm512_and_si512 (merged->undecided[m], undecided);
      merged->undecided[m] = _mm512_or_si512 (merged->undecided[m], undecided);
      if (classes > 1)
        merged->one[m] = VRG_TERNARY (VRG_T_A | (VRG_T_B & VRG_T_C), merged->one[m], place, one);
      if (classes > 2)
        merged->two[m] = VRG_TERNARY (VRG_T_A | (VRG_T_B & VRG_T_C), merged->two[m], place, two);
      group->place[m][v] = place;
      undecided = rest;
    }
  group->place[VRG_DECIDE_LAYERS][v] = undecided;
  merged->over = _mm512_or_si512 (merged->over, undecided);
  if (classes > 1)
    group->one[v] = one;
  if (classes > 2)
    group->two[v] = two;
}

/** The planes of the layers; n vectors from `vector` on. */
VRG_AVX512_INLINE void
vrg_decide512_layers (const vrg_decide512 *c, bool per_lane, int classes, int n, vrg_decide512_merged *merged)
{
  static const int planes[VRG_DECIDE_LAYERS] = { VRG_DECIDE_PLANES };
  const __m512i start = c->start[n];
  __m512i random[4], first[VRG_DECIDE_DENSE];
#pragma GCC unroll 8
  for (int p = 0; p < VRG_DECIDE_DENSE; p++)
    first[p] = merged->random[p];
#pragma GCC unroll 3
  for (int m = 0; m < VRG_DECIDE_LAYERS; m++)
    {
      if (m >= n)
        break;
      __m512i u = merged->undecided[m], a = _mm512_setzero_si512 ();
#pragma GCC unroll 16
      for (int k = 0; k < planes[m]; k++)
        {
          const int p = VRG_DECIDE_DENSE + k;
          const bool known = m == 0 && k < VRG_DECIDE_DENSE;
          if (!known && k % 4 == 0)
            vrg_decide512_five_rounds (merged->key, start, c->layer[m] + p, planes[m] - k < 4 ? planes[m] - k : 4,
                                       random);
          vrg_decide512_compare (c, per_lane, classes, p, known ? first[k] : random[k % 4], merged->one[m],
                                 merged->two[m], &u, &a);
        }
      merged->undecided[m] = u;
      merged->accept[m] = _mm512_andnot_si512 (u, a);
    }
}

/** XOR what the layers have accepted for vector v to its spins (or what they stand for). */
VRG_AVX512_INLINE __m512i
vrg_decide512_collect (const vrg_decide512_merged *merged, const vrg_decide512_group *group, int v, __m512i spins)
{
#pragma GCC unroll 3
  for (int m = 0; m < VRG_DECIDE_LAYERS; m++)
    spins = VRG_TERNARY (VRG_T_A ^ (VRG_T_B & VRG_T_C), spins, group->place[m][v], merged->accept[m]);
  return spins;
}

/** Whether lane l of a vector, undecided so far, is accepted, from digit p on. */
VRG_AVX512_INLINE bool
vrg_decide512_single (const vrg_decide512 *c, uint64_t vector, int lane, int class, int p)
{
  const vrg_decide *d = c->decide;
  uint32_t threshold = d->lanes ? d->lanes->threshold[class][lane] : d->threshold[class];
  __m128i v
    = _mm_add_epi64 (_mm512_castsi512_si128 (c->first), _mm_set_epi64x (128, (long long) (512 * vector) + lane));
  v = _mm_xor_si128 (v, _mm512_castsi512_si128 (c->key[0]));
#pragma GCC unroll 8
  for (int round = 1; round < 7; round++)
    v = _mm_aesenc_si128 (v, _mm512_castsi512_si128 (c->key[round]));
  v = _mm_aesenclast_si128 (v, _mm512_castsi512_si128 (c->key[7]));
  return (uint32_t) _mm_cvtsi128_si32 (v) << p < threshold << p;
}

/** Follow the lanes that wait; the vectors they belong to must have been written. */
VRG_AVX512 __attribute__ ((noinline, unused)) static void
vrg_decide512_flush (vrg_decide512 *c)
{
  static const int planes[VRG_DECIDE_LAYERS + 1] = { VRG_DECIDE_PLANES };
  const int classes = c->decide->classes;
  const __m256i places = _mm256_set_epi8 (31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13,
                                          12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  /* Which words: 32 * group + 8 * layer + word.  One list, so that its end is foreseen wrongly once only. */
  uint8_t list[32 * VRG_DECIDE_WAITING + 32];
  int n = 0;
  for (int k = 0; k < c->groups; k++)
    {
      const __mmask32 words = c->group[k].words;
      _mm256_storeu_si256 (
        (__m256i *) (list + n),
        _mm256_maskz_compress_epi8 (words, _mm256_add_epi8 (places, _mm256_set1_epi8 ((char) (32 * k)))));
      n += __builtin_popcount (words);
    }
  for (int e = 0; e < n; e++)
    {
      const vrg_decide512_group *group = &c->group[list[e] / 32];
      const int m = list[e] / 8 % 4, word = list[e] % 8, p = VRG_DECIDE_DENSE + planes[m];
      /* This word of the places of all vectors; those beyond the n of the group are old. */
      const __m512i mine = _mm512_i64gather_epi64 (_mm512_set_epi64 (56, 48, 40, 32, 24, 16, 8, 0),
                                                   (const long long *) group->place[m] + word, 8);
      for (uint64_t lanes = ((const uint64_t *) group->left)[list[e] % 32]; lanes; lanes &= lanes - 1)
        {
          const int bit = __builtin_ctzll (lanes), lane = 64 * word + bit;
          uint32_t vectors
            = _mm512_test_epi64_mask (mine, _mm512_set1_epi64 ((long long) (lanes & -lanes))) & ((1u << group->n) - 1);
          for (; vectors; vectors &= vectors - 1)
            {
              const int v = __builtin_ctz (vectors);
              int class = classes > 1 ? ((const uint64_t *) &group->one[v])[word] >> bit & 1 : 0;
              if (classes > 2 && ((const uint64_t *) &group->two[v])[word] >> bit & 1)
                class = 2;
              group->target[v][word]
                ^= (uint64_t) vrg_decide512_single (c, group->vector + (uint64_t) v, lane, class, p) << bit;
            }
        }
    }
  c->groups = 0;
}

/** Leave a group: the lanes still undecided wait to be followed singly. */
VRG_AVX512_INLINE void
vrg_decide512_leave (vrg_decide512 *c, const vrg_decide512_merged *merged)
{
  vrg_decide512_group *group = &c->group[c->groups];
  uint32_t words = 0;
#pragma GCC unroll 4
  for (int m = 0; m <= VRG_DECIDE_LAYERS; m++)
    {
      __m512i left = m < VRG_DECIDE_LAYERS ? merged->undecided[m] : merged->over;
      group->left[m] = left;
      words |= (uint32_t) _mm512_test_epi64_mask (left, left) << 8 * m;
    }
  group->words = words;
  if (++c->groups == VRG_DECIDE_WAITING)
    vrg_decide512_flush (c);
}

#endif
