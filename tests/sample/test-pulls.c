/* SPDX-License-Identifier: GPL-3.0-or-later
 * Error bars are honest, and kernels exact.  Pulls of single and of few chains at L = 8 over the seeds 1..200 have a
 * standard deviation of 0.8 to 1.25, which is 4 and 5 of its own errors (0.05) from 1, and a mean within 4 of its errors.
 * Then every kernel at L = 12, K = 0.3, critical, 0.5, seeds 1..100: a standard deviation within 0.17 of 1, 4 of its
 * errors (test-long-pulls has more sizes and narrower limits).  False-alarm rate of fresh seeds about 1e-4 a check.
 * With VRG_TEST_SEEDS = n there are 2 n and n seeds, and the limits are as many errors away (check-valgrind: 10).
 * ranks: 1 */
#include <stdlib.h>

#include "check.h"
#include "pulls.h"

static int seeds = 100;
static double wider; /* limits than with 100 seeds */

static void
test_few (const char *text, pulls_run run)
{
  pulls_sums sums = { 0 };
  for (run.seed = 1; run.seed <= 2 * (uint64_t) seeds; run.seed++)
    pulls_lattices (&run, &sums);
  pulls_check (text, &sums, 1 - 0.2 * wider, 1 + 0.25 * wider, 4);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  if (getenv ("VRG_TEST_SEEDS") != NULL)
    seeds = atoi (getenv ("VRG_TEST_SEEDS"));
  wider = sqrt (100. / seeds);
  test_few ("cluster, 8 chains", (pulls_run){ PULLS_CLUSTER, 8, VRG_CRITICAL_2D, 0, 8, 50, 2, 500 });
  test_few ("cluster, 1 chain", (pulls_run){ PULLS_CLUSTER, 8, VRG_CRITICAL_2D, 0, 1, 50, 1, 4000 });
  test_few ("metropolis, 4 chains", (pulls_run){ PULLS_METROPOLIS, 8, VRG_CRITICAL_2D, 0, 4, 500, 10, 1000 });
  for (int kernel = 0; kernel < PULLS_KERNELS; kernel++)
    pulls_kernel_checks ((pulls_kernel) kernel, 1, seeds, 12, 0.17 * wider);
  return check_end ();
}
