/* SPDX-License-Identifier: GPL-3.0-or-later
 * As test-exact, larger and longer.  False-alarm rate for fresh seeds 6e-5 a check.
 * ranks: 1 */
#include "check.h"
#include "exact.h"

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  const double kc = VRG_CRITICAL_2D;
  const chain_run runs[] = {
    { VRG_CLUSTER, 32, 32, kc, 2, 8, 500, 5, 20000 },
    { VRG_CLUSTER, 64, 64, kc, 2, 8, 500, 5, 15000 },
    { VRG_METROPOLIS, 16, 16, kc, 2, 8, 10000, 20, 100000 },
    { VRG_METROPOLIS, 32, 32, 0.4, 2, 8, 10000, 20, 20000 },
  };
  for (int i = 0; i < (int) (sizeof runs / sizeof *runs); i++)
    exact_check (&runs[i], 4, 0.002);
  return check_end ();
}
