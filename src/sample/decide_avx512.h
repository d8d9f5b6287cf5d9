/* SPDX-License-Identifier: GPL-3.0-or-later
 * The pieces of sample/decide for AVX-512 with VAES, to be fused with what a kernel does with its spins: what belongs
 * to a vector stays in registers.  For a group of n vectors a kernel calls
 *   vrg_decide512_enter; per vector v: vrg_decide512_next, vrg_decide512_dense, vrg_decide512_merge and a store of what
 *   is known; vrg_decide512_leave;
 * and after the last group vrg_decide512_flush.  Groups wait a while: what their layers have decided is XORed to the
 * vectors' targets a few groups later.
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

#ifdef __clang__
#define VRG_UNROLL _Pragma ("clang loop unroll(full)")
#else
#define VRG_UNROLL _Pragma ("GCC unroll 32")
#endif

#define VRG_DECIDE_ALL_PLANES 19 /* of the layers together */
#define VRG_DECIDE_STRETCH 14    /* G holds for 2^14 vectors, an aligned stretch of them */

/** Planes of the layers one after the other: layer and digit, as VRG_DECIDE_PLANES has them. */
static const struct
{
  int layer, digit;
} vrg_decide512_plane[VRG_DECIDE_ALL_PLANES]
  = { { 0, 4 }, { 0, 5 }, { 0, 6 }, { 0, 7 }, { 0, 8 }, { 0, 9 }, { 0, 10 }, { 0, 11 }, { 0, 12 }, { 1, 4 },
      { 1, 5 }, { 1, 6 }, { 1, 7 }, { 1, 8 }, { 1, 9 }, { 2, 4 }, { 2, 5 },  { 2, 6 },  { 2, 7 } };

/** What is kept of a group until it is finished. */
typedef struct
{
  __m512i undecided[VRG_DECIDE_GROUP], one[VRG_DECIDE_GROUP], two[VRG_DECIDE_GROUP]; /* after the dense planes */
  __m512i left[VRG_DECIDE_LAYERS + 1]; /* undecided in the layers; without a place */
  __m512i of_one[VRG_DECIDE_LAYERS], of_two[VRG_DECIDE_LAYERS], accept[VRG_DECIDE_LAYERS]; /* of the layers */
  uint32_t words;                     /* bit 8 m + i: word i of left[m] is not 0 */
  uint64_t *target[VRG_DECIDE_GROUP]; /* 8 words each that accepted lanes are XORed to; the kernel sets them */
  uint64_t vector;
  int n;
} vrg_decide512_group;

#define VRG_DECIDE_WAITING 8 /* groups finished together; so the single lanes are followed without mispredictions */

/** A vrg_decide and its random numbers made ready. */
typedef struct
{
  __m512i key[8], first;                                         /* round keys; counters of vector 0 */
  __m512i dense[VRG_DECIDE_DENSE], layer[VRG_DECIDE_ALL_PLANES]; /* G */
  uint64_t stretch;                                              /* for vectors v with v >> 14 = stretch */
  uint64_t uniform[2][VRG_DECIDE_DIGITS][8];                     /* digits where thresholds do not depend on the lane */
  const uint64_t (*digit)[VRG_DECIDE_DIGITS][8];                 /* of the classes */
  bool low; /* for all lanes, class 0 below 2^-4 and class 1 below 2^-2 */
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
  __m512i undecided[VRG_DECIDE_LAYERS], one[VRG_DECIDE_LAYERS], two[VRG_DECIDE_LAYERS];
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

/** A round, 3 to 7, of n planes on their way. */
VRG_AVX512_INLINE void
vrg_decide512_round (const __m512i key[8], int round, int n, __m512i *random)
{
  VRG_UNROLL
  for (int p = 0; p < n; p++)
    random[p] = round < 7 ? _mm512_aesenc_epi128 (random[p], key[round]) : _mm512_aesenclast_epi128 (random[p], key[7]);
}

/** Start n planes: what the third round begins with. */
VRG_AVX512_INLINE void
vrg_decide512_begin (__m512i start, const __m512i *planes, int n, __m512i *random)
{
  VRG_UNROLL
  for (int p = 0; p < n; p++)
    random[p] = _mm512_xor_si512 (start, planes[p]);
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
  c->digit = decide->lanes ? decide->lanes->digit : (const uint64_t (*)[VRG_DECIDE_DIGITS][8]) c->uniform;
  c->low = !decide->lanes && decide->classes == 2 && !(decide->threshold[0] >> 28 | decide->threshold[1] >> 30);
  VRG_ASSERT (decide->lanes || decide->classes < 3);
  for (int k = 0; k < decide->classes && !decide->lanes; k++)
    for (int p = 0; p < VRG_DECIDE_KNOWN; p++)
      _mm512_storeu_si512 (c->uniform[k][p], _mm512_set1_epi64 (-(long long) (decide->threshold[k] >> (31 - p) & 1)));
}

VRG_AVX512 __attribute__ ((noinline, unused)) static void
vrg_decide512_new_stretch (vrg_decide512 *c, uint64_t vector)
{
  __m512i none = vrg_decide512_two_rounds (c->key, c->first, vector, 0);
  for (uint32_t p = 0; p < VRG_DECIDE_DENSE; p++)
    c->dense[p] = _mm512_xor_si512 (none, vrg_decide512_two_rounds (c->key, c->first, vector, p));
  for (int i = 0; i < VRG_DECIDE_ALL_PLANES; i++)
    c->layer[i] = _mm512_xor_si512 (none, vrg_decide512_two_rounds (c->key, c->first, vector,
                                                                    (uint32_t) (32 * (vrg_decide512_plane[i].layer + 1)
                                                                                + vrg_decide512_plane[i].digit)));
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
  VRG_UNROLL
  for (int i = 0; i < 8; i++)
    merged->key[i] = c->key[i];
  VRG_UNROLL
  for (int m = 0; m < VRG_DECIDE_LAYERS; m++)
    merged->undecided[m] = merged->one[m] = merged->two[m] = zero;
  merged->over = zero;
  __m512i counter = _mm512_add_epi64 (c->first, _mm512_maskz_set1_epi64 (0x55, (long long) (4 * vector)));
#pragma GCC unroll 8
  for (int v = 0; v < n; v++)
    {
      __m512i state = _mm512_xor_si512 (counter, merged->key[0]);
      c->start[v] = _mm512_aesenc_epi128 (_mm512_aesenc_epi128 (state, merged->key[1]), merged->key[2]);
      counter = _mm512_add_epi64 (counter, _mm512_maskz_set1_epi64 (0x55, 4));
    }
  c->start[n] = c->start[0];
  vrg_decide512_begin (c->start[0], c->dense, VRG_DECIDE_DENSE, merged->random);
  VRG_UNROLL
  for (int round = 3; round <= 7; round++)
    vrg_decide512_round (merged->key, round, VRG_DECIDE_DENSE, merged->random);
  return group;
}

/** The threshold's digit p in every lane; classes is a compile-time constant of the caller. */
VRG_AVX512_INLINE __m512i
vrg_decide512_digit (const vrg_decide512 *c, int classes, int p, __m512i one, __m512i two)
{
  __m512i digit = _mm512_loadu_si512 (c->digit[0][p]);
  if (classes > 1)
    digit
      = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), one, _mm512_loadu_si512 (c->digit[1][p]), digit);
  if (classes > 2)
    digit
      = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), two, _mm512_loadu_si512 (c->digit[2][p]), digit);
  return digit;
}

/** Compare a plane.  accept of an undecided lane is the threshold's last digit: right if the lane is decided next. */
VRG_AVX512_INLINE void
vrg_decide512_compare (__m512i digit, __m512i random, __m512i *undecided, __m512i *accept)
{
  __m512i u = *undecided;
  *accept = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), u, digit, *accept);
  *undecided = VRG_TERNARY (VRG_T_A & ~(VRG_T_B ^ VRG_T_C) & 255, u, digit, random);
}

/** Take the planes of vector v of n and start those of the next one, or the layers' first ones.  Their rounds are spread
 *  over what is done with vector v: one here, two in vrg_decide512_dense and two in vrg_decide512_merge. */
VRG_AVX512_INLINE void
vrg_decide512_next (const vrg_decide512 *c, vrg_decide512_merged *merged, int v, int n, __m512i *random)
{
  VRG_UNROLL
  for (int p = 0; p < VRG_DECIDE_DENSE; p++)
    random[p] = merged->random[p];
  vrg_decide512_begin (c->start[v + 1], v + 1 < n ? c->dense : c->layer, VRG_DECIDE_DENSE, merged->random);
  vrg_decide512_round (merged->key, 3, VRG_DECIDE_DENSE, merged->random);
}

/** Compare a vector's own planes.  accept: lanes accepted so far, none of them undecided.  coin as in
 *  sample/decide.h where the decide has coins. */
VRG_AVX512_INLINE void
vrg_decide512_dense (const vrg_decide512 *c, vrg_decide512_merged *merged, const __m512i *random, int classes,
                     bool coins, __m512i one, __m512i two, __m512i coin, __m512i *undecided, __m512i *accept)
{
  __m512i u = *undecided, open, a;
  vrg_decide512_round (merged->key, 4, VRG_DECIDE_DENSE, merged->random);
  if (coins)
    {
      *accept = VRG_TERNARY (VRG_T_A | (VRG_T_B & ~VRG_T_C), *accept, _mm512_and_si512 (u, coin), random[0]);
      u = _mm512_andnot_si512 (coin, u);
    }
  if (classes == 2 && c->low)
    {
      /* Random digits of 1 decide against in the first two planes, and in all four in class 0. */
      __m512i third = _mm512_and_si512 (one, _mm512_loadu_si512 (c->digit[1][2])),
              fourth = _mm512_and_si512 (one, _mm512_loadu_si512 (c->digit[1][3]));
      open = VRG_TERNARY (VRG_T_A & ~(VRG_T_B | VRG_T_C) & 255, u, random[0], random[1]);
      u = VRG_TERNARY (VRG_T_A & ~(VRG_T_B ^ VRG_T_C) & 255, open, third, random[2]);
      a = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), u, fourth, third);
      u = VRG_TERNARY (VRG_T_A & ~(VRG_T_B ^ VRG_T_C) & 255, u, fourth, random[3]);
    }
  else
    {
      open = u;
      a = vrg_decide512_digit (c, classes, 0, one, two);
      u = VRG_TERNARY (VRG_T_A & ~(VRG_T_B ^ VRG_T_C) & 255, u, a, random[0]);
      VRG_UNROLL
      for (int p = 1; p < VRG_DECIDE_DENSE; p++)
        vrg_decide512_compare (vrg_decide512_digit (c, classes, p, one, two), random[p], &u, &a);
    }
  vrg_decide512_round (merged->key, 5, VRG_DECIDE_DENSE, merged->random);
  a = VRG_TERNARY (VRG_T_A & VRG_T_B & ~VRG_T_C, a, open, u);
  *undecided = u;
  *accept = _mm512_or_si512 (*accept, a);
}

/** Vector v's undecided lanes take their places. */
VRG_AVX512_INLINE void
vrg_decide512_merge (vrg_decide512_merged *merged, vrg_decide512_group *group, int classes, int v, __m512i undecided,
                     __m512i one, __m512i two)
{
  __m512i *taken = merged->undecided;
  vrg_decide512_round (merged->key, 6, VRG_DECIDE_DENSE, merged->random);
  merged->over = VRG_TERNARY (VRG_T_A | (VRG_T_B & VRG_T_C), merged->over, undecided, taken[VRG_DECIDE_LAYERS - 1]);
  VRG_UNROLL
  for (int m = VRG_DECIDE_LAYERS - 1; m >= 0; m--)
    {
      /* The class of a lane not taken yet does not matter. */
      if (classes > 1)
        merged->one[m] = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), taken[m], merged->one[m], one);
      if (classes > 2)
        merged->two[m] = VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), taken[m], merged->two[m], two);
      if (m == 1)
        vrg_decide512_round (merged->key, 7, VRG_DECIDE_DENSE, merged->random);
      taken[m] = m ? VRG_TERNARY (VRG_T_C | (VRG_T_A & VRG_T_B), undecided, taken[m - 1], taken[m])
                   : _mm512_or_si512 (taken[m], undecided);
    }
  group->undecided[v] = undecided;
  if (classes > 1)
    group->one[v] = one;
  if (classes > 2)
    group->two[v] = two;
}

/** Whether a lane is accepted, from digit p on, by the single block of this index and draw. */
VRG_AVX512_INLINE uint64_t
vrg_decide512_single (const vrg_decide512 *c, uint64_t vector, int lane, int layer, int class, int p)
{
  const vrg_decide *d = c->decide;
  uint32_t threshold = d->lanes ? d->lanes->threshold[class][lane] : d->threshold[class];
  __m128i v = _mm_add_epi64 (_mm512_castsi512_si128 (c->first),
                             _mm_set_epi64x (VRG_DECIDE_SINGLE + layer, (long long) (512 * vector) + lane));
  v = _mm_xor_si128 (v, _mm512_castsi512_si128 (c->key[0]));
  VRG_UNROLL
  for (int round = 1; round < 7; round++)
    v = _mm_aesenc_si128 (v, _mm512_castsi512_si128 (c->key[round]));
  v = _mm_aesenclast_si128 (v, _mm512_castsi512_si128 (c->key[7]));
  return (uint32_t) _mm_cvtsi128_si32 (v) << p < threshold << p;
}

VRG_AVX512_INLINE int
vrg_decide512_class (int classes, const __m512i *one, const __m512i *two, int word, int bit)
{
  int class = classes > 1 ? ((const uint64_t *) one)[word] >> bit & 1 : 0;
  return classes > 2 && ((const uint64_t *) two)[word] >> bit & 1 ? 2 : class;
}

/** Words of `left` that are not 0, of all groups that wait: 32 * group + 8 * layer + word.  In one list, so that its end
 *  is foreseen wrongly once only. */
VRG_AVX512_INLINE int
vrg_decide512_list (const vrg_decide512 *c, uint32_t which, uint8_t *list)
{
  const __m256i places = _mm256_set_epi8 (31, 30, 29, 28, 27, 26, 25, 24, 23, 22, 21, 20, 19, 18, 17, 16, 15, 14, 13,
                                          12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  int n = 0;
  for (int k = 0; k < c->groups; k++)
    {
      const __mmask32 words = c->group[k].words & which;
      _mm256_storeu_si256 (
        (__m256i *) (list + n),
        _mm256_maskz_compress_epi8 (words, _mm256_add_epi8 (places, _mm256_set1_epi8 ((char) (32 * k)))));
      n += __builtin_popcount (words);
    }
  return n;
}

/** Follow the lanes left of the groups that wait, and XOR what has been accepted in the layers to the targets, which
 *  must have been written. */
VRG_AVX512 __attribute__ ((noinline, unused)) static void
vrg_decide512_flush (vrg_decide512 *c)
{
  static const int planes[VRG_DECIDE_LAYERS] = { VRG_DECIDE_PLANES };
  /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): vrg_decide512_init comes first on this path */
  const int classes = c->decide->classes;
  const uint32_t in_layers = (1u << 8 * VRG_DECIDE_LAYERS) - 1;
  uint8_t list[32 * VRG_DECIDE_WAITING + 32];
  int n = vrg_decide512_list (c, in_layers, list);
  for (int e = 0; e < n; e++)
    {
      vrg_decide512_group *group = &c->group[list[e] / 32];
      const int m = list[e] / 8 % 4, word = list[e] % 8;
      uint64_t accept = 0, lanes = ((const uint64_t *) group->left)[list[e] % 32];
      do
        {
          const int bit = __builtin_ctzll (lanes);
          const int class = vrg_decide512_class (classes, &group->of_one[m], &group->of_two[m], word, bit);
          accept |= vrg_decide512_single (c, group->vector, 64 * word + bit, m, class, VRG_DECIDE_DENSE + planes[m])
                    << bit;
          lanes &= lanes - 1;
        }
      while (lanes);
      ((uint64_t *) &group->accept[m])[word] |= accept;
    }
  n = vrg_decide512_list (c, ~in_layers, list);
  for (int e = 0; e < n; e++)
    {
      vrg_decide512_group *group = &c->group[list[e] / 32];
      const int word = list[e] % 8;
      uint64_t lanes = ((const uint64_t *) group->left)[list[e] % 32];
      do
        {
          const int bit = __builtin_ctzll (lanes);
          uint32_t vectors = 0;
          VRG_UNROLL
          for (int v = 0; v < VRG_DECIDE_GROUP; v++)
            vectors |= (uint32_t) (((const uint64_t *) &group->undecided[v])[word] >> bit & 1) << v;
          vectors &= (1u << group->n) - 1;                   /* the others are old */
          for (int m = vrg_decide_layers (group->n); m; m--) /* those served by layers */
            vectors &= vectors - 1;
          do
            {
              const int v = __builtin_ctz (vectors);
              const int class = vrg_decide512_class (classes, &group->one[v], &group->two[v], word, bit);
              group->target[v][word] ^= vrg_decide512_single (c, group->vector + (uint64_t) v, 64 * word + bit,
                                                              VRG_DECIDE_LAYERS, class, VRG_DECIDE_DENSE)
                                        << bit;
              vectors &= vectors - 1;
            }
          while (vectors);
          lanes &= lanes - 1;
        }
      while (lanes);
    }
  for (int k = 0; k < c->groups; k++)
    {
      const vrg_decide512_group *group = &c->group[k];
      /* A lane's layers in the order they have served: the one that comes next is always in accept[0]. */
      __m512i accept[VRG_DECIDE_LAYERS] = { group->accept[0], group->accept[1], group->accept[2] };
      for (int v = 0; v < group->n; v++)
        {
          const __m512i mine = group->undecided[v];
          _mm512_storeu_si512 (group->target[v], VRG_TERNARY (VRG_T_A ^ (VRG_T_B & VRG_T_C),
                                                              _mm512_loadu_si512 (group->target[v]), mine, accept[0]));
          VRG_UNROLL
          for (int m = 0; m < VRG_DECIDE_LAYERS; m++)
            accept[m] = m + 1 < VRG_DECIDE_LAYERS ? VRG_TERNARY ((VRG_T_A & VRG_T_B) | (~VRG_T_A & VRG_T_C & 255), mine,
                                                                 accept[m + 1], accept[m])
                                                  : _mm512_andnot_si512 (mine, accept[m]);
        }
    }
  c->groups = 0;
}

/** The planes of the layers.  The group waits to be finished. */
VRG_AVX512_INLINE void
vrg_decide512_leave (vrg_decide512 *c, int classes, int n, vrg_decide512_merged *merged)
{
  const __m512i start = c->start[n], zero = _mm512_setzero_si512 ();
  const int layers = vrg_decide_layers (n);
  vrg_decide512_group *group = &c->group[c->groups];
  uint32_t words = 0;
  __m512i over = merged->over, random[4], accept[VRG_DECIDE_LAYERS] = { zero, zero, zero };
  VRG_UNROLL
  for (int m = 1; m < VRG_DECIDE_LAYERS; m++)
    if (m >= layers)
      {
        /* No such layer: its lanes have no place. */
        over = _mm512_or_si512 (over, merged->undecided[m]);
        merged->undecided[m] = zero;
      }
  VRG_UNROLL
  for (int i = 0; i < VRG_DECIDE_ALL_PLANES; i++)
    {
      const int m = vrg_decide512_plane[i].layer, p = vrg_decide512_plane[i].digit;
      const int first = i + 4 - i % 4, more = VRG_DECIDE_ALL_PLANES - first < 4 ? VRG_DECIDE_ALL_PLANES - first : 4;
      if (m >= layers)
        break;
      if (i % 4 == 0)
        {
          VRG_UNROLL
          for (int k = 0; k < 4; k++)
            random[k] = merged->random[k];
          if (more > 0)
            {
              vrg_decide512_begin (start, c->layer + first, more, merged->random);
              vrg_decide512_round (merged->key, 3, more, merged->random);
            }
        }
      vrg_decide512_compare (vrg_decide512_digit (c, classes, p, merged->one[m], merged->two[m]), random[i % 4],
                             &merged->undecided[m], &accept[m]);
      if (more > 0)
        vrg_decide512_round (merged->key, 4 + i % 4, more, merged->random);
    }
  VRG_UNROLL
  for (int m = 0; m < VRG_DECIDE_LAYERS; m++)
    {
      __m512i u = merged->undecided[m];
      group->left[m] = u;
      words |= (uint32_t) _mm512_test_epi64_mask (u, u) << 8 * m;
      group->accept[m] = _mm512_andnot_si512 (u, accept[m]);
      if (classes > 1)
        group->of_one[m] = merged->one[m];
      if (classes > 2)
        group->of_two[m] = merged->two[m];
    }
  group->left[VRG_DECIDE_LAYERS] = over;
  group->words = words | (uint32_t) _mm512_test_epi64_mask (over, over) << 8 * VRG_DECIDE_LAYERS;
  if (++c->groups == VRG_DECIDE_WAITING)
    vrg_decide512_flush (c);
}

#endif
