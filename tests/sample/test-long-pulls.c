/* SPDX-License-Identifier: GPL-3.0-or-later
 * Every kernel against Kaufman's energy and specific heat: L = 12, 20, 64, K = 0.3, critical, 0.5, seeds 1..100.  900
 * pulls have standard deviation 1 within 0.024 and a mean of 0 within 0.033, so a check fails by chance with a
 * probability of about 1e-4.
 * ranks: 1 */
#include "check.h"
#include "pulls.h"

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  for (int kernel = 0; kernel < PULLS_KERNELS; kernel++)
    pulls_kernel_checks ((pulls_kernel) kernel, 3, 100, 16, 0.1);
  return check_end ();
}
