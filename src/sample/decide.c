/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bernoulli bits: the definition on arrays of words.  The fused form is decide_avx512.h. */
#include "sample/decide.h"

#include "base/error.h"
#include "base/simd.h"
#include "sample/decide_avx512.h"

static const int layer_planes[VRG_DECIDE_LAYERS] = { VRG_DECIDE_PLANES };

void
vrg_decide_lanes_set (vrg_decide_lanes *lanes, int class, int lane, uint32_t threshold)
{
  uint64_t bit = UINT64_C (1) << lane % 64;
  for (int p = 0; p < VRG_DECIDE_DIGITS; p++)
    {
      uint64_t *word = &lanes->digit[class][p][lane / 64];
      *word = threshold >> (VRG_DECIDE_DIGITS - 1 - p) & 1 ? *word | bit : *word & ~bit;
    }
  lanes->threshold[class][lane] = threshold;
}

/** Half a vector; the compiler makes of it what the path has. */
typedef uint64_t half __attribute__ ((vector_size (32), may_alias));

static inline __attribute__ ((always_inline)) bool
any (const half *lanes)
{
  half both = lanes[0] | lanes[1];
  return both[0] | both[1] | both[2] | both[3];
}

/** Digit p of a class's thresholds. */
static inline __attribute__ ((always_inline)) void
get_digit (const vrg_decide *d, int class, int p, half digit[2])
{
  for (int h = 0; h < 2; h++)
    if (d->lanes)
      digit[h] = ((const half *) d->lanes->digit[class][p])[h];
    else
      digit[h] = (half){ 0 } - (d->threshold[class] >> (31 - p) & 1);
}

/** One plane of n vectors: a random digit below the threshold's accepts, one above rejects, an equal one leaves
 *  undecided. */
static inline __attribute__ ((always_inline)) void
compare (const vrg_decide *d, int p, int n, const half *random, const half *one, const half *two, half *undecided,
         half *accept)
{
  half zero[2], to_one[2] = { { 0 } }, to_two[2] = { { 0 } };
  get_digit (d, 0, p, zero);
  if (d->classes > 1)
    get_digit (d, 1, p, to_one);
  if (d->classes > 2)
    get_digit (d, 2, p, to_two);
  for (int h = 0; h < 2; h++)
    {
      to_one[h] ^= zero[h];
      to_two[h] ^= zero[h];
    }
  for (int v = 0; v < 2 * n; v++)
    {
      half wanted = zero[v % 2], open = undecided[v];
      if (d->classes > 1)
        wanted ^= one[v] & to_one[v % 2];
      if (d->classes > 2)
        wanted ^= two[v] & to_two[v % 2];
      accept[v] |= open & wanted & ~random[v];
      undecided[v] = open & ~(wanted ^ random[v]);
    }
}

/** Lanes of one word followed from digit p on, by the blocks of a layer; returns those accepted. */
static uint64_t
single (const vrg_decide *d, const vrg_rng *rng, uint64_t vector, int word, int layer, int p, uint64_t lanes,
        uint64_t one, uint64_t two)
{
  uint64_t accept = 0;
  for (; lanes; lanes &= lanes - 1)
    {
      uint64_t block[2], bit = lanes & -lanes;
      int lane = 64 * word + __builtin_ctzll (lanes),
          class = d->classes > 2 && two & bit ? 2 : d->classes > 1 && one & bit;
      uint32_t threshold = d->lanes ? d->lanes->threshold[class][lane] : d->threshold[class];
      vrg_rng_block (rng, d->purpose, 512 * vector + (uint64_t) lane, d->step,
                     d->draw + (uint32_t) (VRG_DECIDE_SINGLE + layer), block);
      if ((uint32_t) block[0] << p < threshold << p)
        accept |= bit;
    }
  return accept;
}

static inline __attribute__ ((always_inline)) void
below_body (const vrg_decide *d, const vrg_rng *rng, uint64_t vector, int n, vrg_decide_group *g)
{
  const int layers = vrg_decide_layers (n);
  half random[2 * VRG_DECIDE_GROUP], *undecided = (half *) g->undecided, *accept = (half *) g->accept;
  const half *one = (const half *) g->select[0], *two = (const half *) g->select[1], *coin = (const half *) g->coin;
  for (int p = 0; p < VRG_DECIDE_DENSE; p++)
    {
      vrg_rng_fill (rng, d->purpose, 4 * vector, 4 * n, d->step, d->draw + (uint32_t) p, (uint64_t *) random);
      for (int v = 0; v < 2 * n && p == 0 && d->coin; v++)
        {
          accept[v] |= undecided[v] & coin[v] & ~random[v];
          undecided[v] &= ~coin[v];
        }
      compare (d, p, n, random, one, two, undecided, accept);
    }

  /* place[m]: lanes of every vector served by layer m; those of the last one find no place. */
  half place[VRG_DECIDE_LAYERS + 1][2 * VRG_DECIDE_GROUP], left[VRG_DECIDE_LAYERS + 1][2] = { { { 0 } } };
  half of_one[VRG_DECIDE_LAYERS][2] = { { { 0 } } }, of_two[VRG_DECIDE_LAYERS][2] = { { { 0 } } };
  for (int v = 0; v < 2 * n; v++)
    {
      half rest = undecided[v];
      for (int m = 0; m < layers; m++)
        {
          half mine = rest & ~left[m][v % 2];
          rest &= left[m][v % 2];
          left[m][v % 2] |= mine;
          if (d->classes > 1)
            of_one[m][v % 2] |= mine & one[v];
          if (d->classes > 2)
            of_two[m][v % 2] |= mine & two[v];
          place[m][v] = mine;
        }
      place[layers][v] = rest;
      left[layers][v % 2] |= rest;
      undecided[v] = (half){ 0 };
    }
  for (int m = 0; m < layers; m++)
    {
      half accepted[2] = { { 0 } }, drawn[VRG_DECIDE_DIGITS][2];
      for (int p = VRG_DECIDE_DENSE; p < VRG_DECIDE_DENSE + layer_planes[m]; p++)
        vrg_rng_fill (rng, d->purpose, 4 * vector, 4, d->step, d->draw + (uint32_t) (32 * (m + 1) + p),
                      (uint64_t *) drawn[p]);
      for (int p = VRG_DECIDE_DENSE; p < VRG_DECIDE_DENSE + layer_planes[m]; p++)
        compare (d, p, 1, drawn[p], of_one[m], of_two[m], left[m], accepted);
      for (int i = 0; i < 8 && any (left[m]); i++)
        ((uint64_t *) accepted)[i]
          |= single (d, rng, vector, i, m, VRG_DECIDE_DENSE + layer_planes[m], ((uint64_t *) left[m])[i],
                     ((uint64_t *) of_one[m])[i], ((uint64_t *) of_two[m])[i]);
      for (int v = 0; v < 2 * n; v++)
        accept[v] |= place[m][v] & accepted[v % 2];
    }
  for (int v = 0; v < n && any (left[layers]); v++)
    for (int i = 0; i < 8; i++)
      g->accept[v][i] |= single (d, rng, vector + (uint64_t) v, i, VRG_DECIDE_LAYERS, VRG_DECIDE_DENSE,
                                 ((uint64_t *) place[layers])[8 * v + i], g->select[0][v][i], g->select[1][v][i]);
}

static void
below_portable (const vrg_decide *decide, const vrg_rng *rng, uint64_t vector, int n, vrg_decide_group *group)
{
  below_body (decide, rng, vector, n, group);
}

__attribute__ ((target ("avx2"))) static void
below_avx2 (const vrg_decide *decide, const vrg_rng *rng, uint64_t vector, int n, vrg_decide_group *group)
{
  below_body (decide, rng, vector, n, group);
}

VRG_AVX512_INLINE void
below_512 (vrg_decide512 *c, int classes, uint64_t vector, int n, vrg_decide_group *g)
{
  vrg_decide512_merged merged;
  const __m512i zero = _mm512_setzero_si512 ();
  vrg_decide512_group *group = vrg_decide512_enter (c, vector, n, &merged);
  for (int v = 0; v < n; v++)
    {
      __m512i u = _mm512_load_si512 (g->undecided[v]), a = _mm512_load_si512 (g->accept[v]),
              one = classes > 1 ? _mm512_load_si512 (g->select[0][v]) : zero,
              two = classes > 2 ? _mm512_load_si512 (g->select[1][v]) : zero, random[VRG_DECIDE_DENSE],
              coin = c->decide->coin ? _mm512_load_si512 (g->coin[v]) : zero, fresh = zero;
      vrg_decide512_next (c, &merged, v, n, random);
      vrg_decide512_dense (c, &merged, random, classes, c->decide->coin, one, two, coin, &u, &fresh);
      vrg_decide512_merge (&merged, group, classes, v, u, one, two);
      _mm512_store_si512 (g->accept[v], _mm512_or_si512 (a, fresh));
      _mm512_store_si512 (g->undecided[v], zero);
      group->target[v] = g->accept[v];
    }
  vrg_decide512_leave (c, classes, n, &merged);
  vrg_decide512_flush (c);
}

VRG_AVX512 static void
below_avx512 (const vrg_decide *decide, const vrg_rng *rng, uint64_t vector, int n, vrg_decide_group *group)
{
  vrg_decide512 c;
  vrg_decide512_init (&c, decide, rng);
  below_512 (&c, decide->classes, vector, n, group);
}

void
vrg_decide_below (const vrg_decide *decide, const vrg_rng *rng, uint64_t vector, int n, vrg_decide_group *group)
{
  VRG_ASSERT (n >= 0 && n <= VRG_DECIDE_GROUP && decide->classes >= 1 && decide->classes <= VRG_DECIDE_CLASSES);
  bool fused = !(!decide->lanes && decide->classes == 3) && n > 0
               && vector >> VRG_DECIDE_STRETCH == (vector + (uint64_t) n - 1) >> VRG_DECIDE_STRETCH;
  if (vrg_simd () == VRG_SIMD_PORTABLE)
    below_portable (decide, rng, vector, n, group);
  else if (vrg_simd () == VRG_SIMD_AVX512 && fused)
    below_avx512 (decide, rng, vector, n, group);
  else
    below_avx2 (decide, rng, vector, n, group);
}
