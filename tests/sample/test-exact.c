/* SPDX-License-Identifier: GPL-3.0-or-later
 * Energy and specific heat against Kaufman's torus.  Seeds are fixed; for fresh ones the false-alarm rate is 6e-5 for
 * each check at 4 errors, 6e-7 at 5.
 * ranks: 1 */
#include "check.h"
#include "exact.h"

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const double kc = VRG_CRITICAL_2D;
  const chain_run runs[] = {
    { VRG_CLUSTER, 8, 8, kc, 1, 8, 100, 2, 10000 },      { VRG_CLUSTER, 16, 16, kc, 1, 8, 200, 3, 5000 },
    { VRG_CLUSTER, 32, 32, kc, 1, 8, 300, 4, 3000 },     { VRG_CLUSTER, 32, 32, 0.4, 1, 8, 300, 4, 3000 },
    { VRG_METROPOLIS, 8, 8, kc, 1, 8, 1000, 10, 10000 }, { VRG_METROPOLIS, 16, 16, kc, 1, 8, 4000, 20, 10000 },
  };
  for (int i = 0; i < (int) (sizeof runs / sizeof *runs); i++)
    exact_check (&runs[i], 4, 0.005);

  /* odd, rectangular, not a multiple of 64, narrower than a word, wider than a vector */
  const chain_run odd[] = {
    { VRG_CLUSTER, 5, 7, kc, 1, 8, 100, 2, 10000 },         { VRG_CLUSTER, 9, 13, kc, 1, 8, 100, 2, 10000 },
    { VRG_CLUSTER, 66, 10, kc, 1, 8, 200, 3, 2000 },        { VRG_CLUSTER, 12, 70, kc, 1, 8, 200, 3, 2000 },
    { VRG_CLUSTER, 130, 6, kc, 1, 8, 200, 3, 2000 },        { VRG_CLUSTER, 7, 129, kc, 1, 8, 200, 3, 2000 },
    { VRG_CLUSTER, 5, 600, 0.35, 1, 8, 200, 3, 1000 },      { VRG_METROPOLIS, 66, 10, 0.4, 1, 8, 2000, 10, 2000 },
    { VRG_METROPOLIS, 12, 70, 0.4, 1, 8, 2000, 10, 2000 },  { VRG_METROPOLIS, 130, 6, 0.4, 1, 8, 2000, 10, 2000 },
    { VRG_METROPOLIS, 6, 600, 0.35, 1, 8, 1000, 10, 1000 },
  };
  for (int i = 0; i < (int) (sizeof odd / sizeof *odd); i++)
    exact_check (&odd[i], 5, 0.005);
  return check_end ();
}
