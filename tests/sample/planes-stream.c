/* SPDX-License-Identifier: GPL-3.0-or-later
 * The random bit-planes of the Metropolis kernel of a 4096 x 4096 lattice on standard output, raw, sweep after sweep in the order in
 * which they are drawn (see sample/decide.h), until nobody reads any more.  Argument: the seed, 1 if there is none.
 * For batteries of tests of random numbers; not a test itself. */
#include <stdio.h>
#include <stdlib.h>

#include "base/rng.h"
#include "sample/decide.h"

enum
{
  SIDE = 4096,
  VECTORS = SIDE * SIDE / 2 / 512, /* of a colour */
  WORDS = 8                        /* of a plane of a vector */
};

static const int layers[VRG_DECIDE_LAYERS] = { VRG_DECIDE_PLANES };

int
main (int argc, char **argv)
{
  static uint64_t out[VRG_DECIDE_GROUP * WORDS * (VRG_DECIDE_DENSE + VRG_DECIDE_LAYERS * VRG_DECIDE_DIGITS)];
  vrg_rng rng;
  vrg_rng_init (&rng, argc > 1 ? strtoull (argv[1], NULL, 10) : 1, 0, 0);
  for (uint64_t sweep = 1;; sweep++)
    for (uint32_t colour = 0; colour < 2; colour++)
      for (uint64_t v = 0; v < VECTORS; v += VRG_DECIDE_GROUP)
        {
          const uint32_t draw = 256 * colour;
          size_t n = 0;
          for (uint32_t p = 0; p < VRG_DECIDE_DENSE; p++, n += VRG_DECIDE_GROUP * WORDS)
            vrg_rng_fill (&rng, VRG_RNG_METROPOLIS, 4 * v, 4 * VRG_DECIDE_GROUP, sweep, draw + p, out + n);
          for (uint32_t m = 0; m < VRG_DECIDE_LAYERS; m++)
            for (uint32_t p = 0; p < (uint32_t) layers[m]; p++, n += WORDS)
              vrg_rng_fill (&rng, VRG_RNG_METROPOLIS, 4 * v, 4, sweep, draw + 32 * (m + 1) + VRG_DECIDE_DENSE + p,
                            out + n);
          if (fwrite (out, sizeof *out, n, stdout) != n)
            return 0;
        }
}
