/* SPDX-License-Identifier: GPL-3.0-or-later
 * Swaps of configurations between the lanes of a set, which keep their couplings. */
#include "sample/tempering.h"

#include "base/math.h"
#include "sample/multispin_internal.h"

/** Configurations A and B of couplings K_a and K_b have weight exp (K_a S_A + K_b S_B) now and exp (K_a S_B + K_b S_A)
 *  when swapped; the ratio is exp ((K_a - K_b) (S_B - S_A)).  In the numbers U of bonds with unlike spins,
 *  S = bonds - 2 U, that is exp (2 (K_a - K_b) (U_A - U_B)). */
static bool
accept (double ka, double kb, int64_t ua, int64_t ub, uint32_t random)
{
  const double x = 2 * (ka - kb) * (double) (ua - ub);
  return x >= 0 || random < vrg_rng_threshold (vrg_exp (x));
}

/** Lanes of `mask` change places with the next higher ones. */
static inline __attribute__ ((always_inline)) void
exchange_body (vrg_lanes *spins, int64_t sites, const vrg_lanes *mask)
{
  for (int64_t i = 0; i < sites; i++)
    {
      const vrg_lanes v = spins[i], differ = (v ^ v >> 1) & *mask;
      spins[i] = v ^ differ ^ differ << 1;
    }
}
VRG_PATHS (exchange, (vrg_lanes * spins, int64_t sites, const vrg_lanes *mask), (spins, sites, mask))

void
vrg_tempering_swap (vrg_multispin *multispin, int64_t group, const vrg_rng *rng, uint64_t sweep)
{
  vrg_multispin *m = multispin;
  int64_t unsatisfied[VRG_LANES];
  uint64_t random[VRG_LANES / 2]; /* 32 bits a lane */
  vrg_lanes mask = { 0 };
  bool any = false;
  vrg_multispin_unsatisfied (m, group, unsatisfied);
  vrg_rng_fill (rng, VRG_RNG_SWAP, 0, VRG_LANES / 4, sweep, 0, random);
  for (int64_t set = 0; set < vrg_multispin_sets (m, group); set++)
    for (int a = (int) (sweep % 2); a + 1 < m->n_nn; a += 2)
      {
        const int lane = vrg_multispin_lane (m, set, a);
        const bool swap = accept (m->nn[a], m->nn[a + 1], unsatisfied[lane], unsatisfied[lane + 1],
                                  (uint32_t) (random[lane / 2] >> lane % 2 * 32));
        m->tried[a]++;
        m->swapped[a] += swap;
        mask[lane / 64] |= (uint64_t) swap << lane % 64;
        any |= swap;
      }
  if (any)
    exchange (m->spins + group * m->sites, m->sites, &mask);
}

void
vrg_multispin_swaps (const vrg_multispin *multispin, int pair, int64_t *attempts, int64_t *accepted)
{
  *attempts = multispin->tried[pair];
  *accepted = multispin->swapped[pair];
}
