/* SPDX-License-Identifier: GPL-3.0-or-later
 * Metropolis and heat bath of the sites of a colour, eight at a time in all 512 chains.
 *
 * With u of the 2 d bonds of a site unsatisfied, Metropolis flips it if u >= d, and with exp (-4 |K| (d - u)) otherwise.
 * In one dimension u = d flips with 1/2: flipped always, every kink would go its way at one site a colour, and the
 * number of kinks that go right less those that go left would never change.
 * Heat bath turns a site to the side that fewer of its neighbours pull to, f < d of them, with
 * 1 / (1 + exp (4 |K| (d - f))), and by a fair coin if f = d. */
#include "base/error.h"
#include "sample/decide_avx512.h"
#include "sample/multispin_internal.h"

#define INLINE static inline __attribute__ ((always_inline))

/** Sum of three bits. */
#define ADD(low, high, a, b, c)                                                                                        \
  const vrg_lanes low##_ = (a) ^ (b), low = low##_ ^ (c), high = ((a) & (b)) | (low##_ & (c))

/** Unsatisfied bonds u of a site: sure u >= d, over u > d; odd, and two: u = 2 or 2 d - 2 in three dimensions, so that
 *  they mark the classes min (u, 2 d - u) = 1 and 2 where u != d. */
INLINE void
count (int dimension, const vrg_lanes *spins, const vrg_lanes *spin, const uint32_t *neighbour, uint64_t against,
       vrg_lanes *sure, vrg_lanes *over, vrg_lanes *odd, vrg_lanes *two)
{
  const vrg_lanes s = *spin ^ against;
  const vrg_lanes a = s ^ spins[neighbour[0]], b = s ^ spins[neighbour[1]];
  if (dimension == 1)
    {
      *sure = a | b;
      *over = a & b;
      return;
    }
  const vrg_lanes c = s ^ spins[neighbour[2]], d = s ^ spins[neighbour[3]];
  if (dimension == 2)
    {
      *sure = (a & b) | (c & d) | ((a | b) & (c | d));
      *over = (a & b & (c | d)) | (c & d & (a | b));
      *odd = a ^ b ^ c ^ d;
      return;
    }
  const vrg_lanes e = s ^ spins[neighbour[4]], f = s ^ spins[neighbour[5]];
  ADD (low0, high0, a, b, c);
  ADD (low1, high1, d, e, f);
  const vrg_lanes carry = low0 & low1;
  ADD (twos, fours, high0, high1, carry);
  *odd = low0 ^ low1;
  *over = fours;
  *sure = fours | (*odd & twos);
  *two = ~*odd & (twos ^ fours);
}

/** The sites of a colour. */
typedef struct
{
  const vrg_lanes *lattice;
  vrg_lanes *own;            /* of this colour, n */
  const uint32_t *neighbour; /* [n][2 * dimension], in lattice */
  int64_t n;
  uint64_t vector, against; /* vector: global number of own[0] */
  const vrg_decide *decide;
  const vrg_rng *rng;
} sites;

INLINE int
group_size (const sites *s, int64_t first)
{
  return s->n - first < VRG_DECIDE_GROUP ? (int) (s->n - first) : VRG_DECIDE_GROUP;
}

/** Whether ties are for a coin. */
INLINE bool
has_coins (int dimension, bool heat_bath)
{
  return heat_bath || dimension == 1;
}

/** What does not depend on chance: lanes to decide, those of them for a coin, their classes; lanes accepted already;
 *  of heat bath, lanes to flip besides, which acceptance takes back. */
INLINE void
prepare (const sites *s, int64_t i, int dimension, bool heat_bath, vrg_lanes *undecided, vrg_lanes *coin,
         vrg_lanes *odd, vrg_lanes *two, vrg_lanes *accept, vrg_lanes *flip)
{
  vrg_lanes sure, over, none = { 0 };
  *odd = *two = none;
  count (dimension, s->lattice, &s->own[i], s->neighbour + i * 2 * dimension, s->against, &sure, &over, odd, two);
  *coin = sure & ~over;
  if (heat_bath)
    {
      *undecided = ~none;
      *accept = none;
      *flip = over;
    }
  else
    {
      *accept = has_coins (dimension, false) ? over : sure;
      *undecided = ~*accept;
    }
}

INLINE void
finish (vrg_lanes *spin, const vrg_lanes *accept, const vrg_lanes *flip)
{
  *spin ^= *accept;
  if (flip)
    *spin ^= *flip;
}

INLINE void
update_body (const sites *s, int dimension, bool heat_bath)
{
  vrg_decide_group g;
  vrg_lanes flip[VRG_DECIDE_GROUP];
  for (int64_t i = 0; i < s->n; i += VRG_DECIDE_GROUP)
    {
      const int n = group_size (s, i);
      for (int v = 0; v < n; v++)
        prepare (s, i + v, dimension, heat_bath, (vrg_lanes *) g.undecided[v], (vrg_lanes *) g.coin[v],
                 (vrg_lanes *) g.select[0][v], (vrg_lanes *) g.select[1][v], (vrg_lanes *) g.accept[v], &flip[v]);
      vrg_decide_below (s->decide, s->rng, s->vector + (uint64_t) i, n, &g);
      for (int v = 0; v < n; v++)
        finish (&s->own[i + v], (vrg_lanes *) g.accept[v], heat_bath ? &flip[v] : NULL);
    }
}

/** The same for a group, decided in registers. */
VRG_AVX512_INLINE void
group_fused (const sites *s, vrg_decide512 *c, int64_t i, int n, int dimension, bool heat_bath)
{
  vrg_decide512_merged merged;
  vrg_decide512_group *group = vrg_decide512_enter (c, s->vector + (uint64_t) i, n, &merged);
#pragma GCC unroll 8
  for (int v = 0; v < n; v++)
    {
      vrg_lanes undecided, coin, odd, two, accept, flip, *spin = &s->own[i + v];
      __m512i random[VRG_DECIDE_DENSE];
      vrg_decide512_next (c, &merged, v, n, random);
      prepare (s, i + v, dimension, heat_bath, &undecided, &coin, &odd, &two, &accept, &flip);
      vrg_decide512_dense (c, &merged, random, dimension, has_coins (dimension, heat_bath), (__m512i) odd,
                           (__m512i) two, (__m512i) coin, (__m512i *) &undecided, (__m512i *) &accept);
      vrg_decide512_merge (&merged, group, dimension, v, (__m512i) undecided, (__m512i) odd, (__m512i) two);
      finish (spin, &accept, heat_bath ? &flip : NULL);
      group->target[v] = (uint64_t *) spin;
    }
  vrg_decide512_leave (c, dimension, n, &merged);
}

/** Groups begin at multiples of eight, so none crosses the end of a stretch. */
VRG_AVX512_INLINE void
update_fused_body (const sites *s, int dimension, bool heat_bath)
{
  vrg_decide512 c;
  int64_t i = 0;
  vrg_decide512_init (&c, s->decide, s->rng);
  for (; i + VRG_DECIDE_GROUP <= s->n; i += VRG_DECIDE_GROUP)
    group_fused (s, &c, i, VRG_DECIDE_GROUP, dimension, heat_bath);
  if (i < s->n)
    group_fused (s, &c, i, (int) (s->n - i), dimension, heat_bath);
  vrg_decide512_flush (&c);
}

/** Everything that is the same for all sites known when compiled. */
#define KIND(dimension, heat_bath) (2 * (dimension) + (heat_bath))
#define CASE(update, dimension, heat_bath)                                                                             \
  case KIND (dimension, heat_bath):                                                                                    \
    update (s, dimension, heat_bath);                                                                                  \
    break
#define UPDATE(update)                                                                                                 \
  switch (kind)                                                                                                        \
    {                                                                                                                  \
      CASE (update, 1, false);                                                                                         \
      CASE (update, 1, true);                                                                                          \
      CASE (update, 2, false);                                                                                         \
      CASE (update, 2, true);                                                                                          \
      CASE (update, 3, false);                                                                                         \
      CASE (update, 3, true);                                                                                          \
    }

static void
update_portable (const sites *s, int kind){ UPDATE (update_body) }

VRG_TARGET_AVX2 static void update_avx2 (const sites *s, int kind){ UPDATE (update_body) }

VRG_AVX512 static void update_avx512 (const sites *s, int kind)
{
  UPDATE (update_fused_body)
}

void
vrg_multispin_update (const vrg_multispin *m, int64_t group, const vrg_rng *rng, uint64_t sweep, int colour)
{
  /* One coupling: one threshold a class, which is faster; three classes are always by lane. */
  const bool per_lane = m->n_nn > 1 || m->dimension > 2;
  vrg_decide decide = { .purpose = VRG_RNG_CHAINS,
                        .step = sweep,
                        .draw = 256 * (uint32_t) colour,
                        .classes = m->dimension,
                        .coin = has_coins (m->dimension, m->heat_bath),
                        .lanes = per_lane ? m->thresholds : NULL };
  for (int u = 0; u < m->dimension; u++)
    decide.threshold[u] = m->thresholds->threshold[u][0];
  const int kind = KIND (m->dimension, m->heat_bath);
  vrg_lanes *lattice = m->spins + group * m->sites;
  const int64_t first = colour * m->half;
  const uint64_t whole_groups = (uint64_t) (m->half + VRG_DECIDE_GROUP - 1) / VRG_DECIDE_GROUP * VRG_DECIDE_GROUP;
  const sites s = { .lattice = lattice,
                    .own = lattice + first,
                    .neighbour = m->neighbour + first * 2 * m->dimension,
                    .n = m->half,
                    .vector = (uint64_t) colour * whole_groups,
                    .against = m->against,
                    .decide = &decide,
                    .rng = rng };
  if (vrg_simd () == VRG_SIMD_AVX512)
    update_avx512 (&s, kind);
  else if (vrg_simd () == VRG_SIMD_AVX2)
    update_avx2 (&s, kind);
  else
    update_portable (&s, kind);
}
