/* SPDX-License-Identifier: GPL-3.0-or-later
 * Blocks, jackknife, autocorrelation times.  Fixed seeds; 5 sigma bounds: false alarms below 1e-5 were the
 * seeds changed.  ranks: 1 */
#include <stdint.h>

#include "base/rng.h"
#include "base/statistics.h"
#include "tests/check.h"

static vrg_rng rng;
static uint64_t drawn;

static double
uniform (void)
{
  uint64_t out[2];
  vrg_rng_block (&rng, VRG_RNG_TEST, drawn++, 0, 0, out);
  return ((double) (out[0] >> 11) + 0.5) * 0x1p-53;
}

static double
normal (void)
{
  const double u = uniform (), v = uniform ();
  return sqrt (-2 * log (u)) * cos (2 * M_PI * v);
}

/** Every sample is in exactly one block, and found there, counts are right, no block is empty, sizes are alike. */
static bool
partition (int64_t samples, int64_t chains, int wanted)
{
  vrg_blocks blocks;
  vrg_blocks_init (&blocks, samples, chains, wanted);
  int *seen = vrg_new (samples, sizeof *seen, "samples");
  int64_t fewest = INT64_MAX, most = 0;
  bool good = blocks.n == blocks.over_chain * blocks.over_time && blocks.n >= (samples > 1 ? 2 : 1);
  for (int b = 0; b < blocks.n; b++)
    {
      int64_t t[2], c[2], count = 0;
      vrg_blocks_range (&blocks, b, t, c);
      good = good && t[0] >= 0 && t[0] < t[1] && t[1] <= blocks.times && c[0] >= 0 && c[0] < c[1] && c[1] <= chains;
      for (int64_t i = t[0]; i < t[1]; i++)
        for (int64_t k = c[0]; k < c[1]; k++)
          if (i * chains + k < samples)
            {
              seen[i * chains + k]++;
              good = good && vrg_blocks_find (&blocks, i * chains + k) == b;
              count++;
            }
      good = good && count > 0 && count == vrg_blocks_count (&blocks, b);
      fewest = count < fewest ? count : fewest;
      most = count > most ? count : most;
    }
  for (int64_t s = 0; s < samples; s++)
    good = good && seen[s] == 1;
  vrg_free (seen);
  /* spans differ by one time and one chain, and the last time by as many samples as there are chains */
  if (most > 6 * fewest)
    good = false;
  if (!good)
    printf ("# %lld samples, %lld chains, %d wanted: %d x %d blocks of %lld to %lld\n", (long long) samples,
            (long long) chains, wanted, blocks.over_chain, blocks.over_time, (long long) fewest, (long long) most);
  return good;
}

static void
test_blocks (void)
{
  bool good = true;
  for (int64_t samples = 1; samples <= 60; samples++)
    for (int64_t chains = 1; chains <= 20; chains++)
      for (int wanted = 1; wanted <= 25; wanted++)
        good = good && partition (samples, chains, wanted);
  check (good, "every partition of up to 60 samples covers each sample once");
  const int64_t many[] = { 99, 100, 101, 1000, 4097, 10007 };
  for (int i = 0; i < 6; i++)
    for (int64_t chains = 1; chains <= 128; chains = 3 * chains / 2 + 1)
      for (int wanted = 2; wanted <= 200; wanted = 2 * wanted + 1)
        good = good && partition (many[i], chains, wanted);
  check (good, "and of more");

  vrg_blocks blocks;
  vrg_blocks_init (&blocks, 10000, 8, 100);
  check (blocks.over_chain == 8 && blocks.n >= 90 && blocks.n <= 110, "about as many as wanted: %d of 100", blocks.n);
  vrg_blocks_init (&blocks, 10000, 1000, 100);
  check (blocks.over_time == 1 && blocks.n == 100, "many chains are not cut in time");
}

static void
test_jackknife (void)
{
  /* a mean: no bias, the textbook error */
  double x[10], loo[20], full[2] = { 0, 0 }, value[2], error[2], squares = 0;
  for (int b = 0; b < 10; b++)
    full[0] += x[b] = b * b - 3 * b;
  for (int b = 0; b < 10; b++)
    {
      loo[2 * b] = (full[0] - x[b]) / 9;
      squares += (x[b] - full[0] / 10) * (x[b] - full[0] / 10);
    }
  full[0] /= 10;
  /* the variance with 1/n: the jackknife turns it into the one with 1/(n - 1) */
  full[1] = squares / 10;
  for (int b = 0; b < 10; b++)
    {
      double mean = 0, own = 0;
      for (int k = 0; k < 10; k++)
        mean += k == b ? 0 : x[k] / 9;
      for (int k = 0; k < 10; k++)
        own += k == b ? 0 : (x[k] - mean) * (x[k] - mean) / 9;
      loo[2 * b + 1] = own;
    }
  vrg_jackknife (10, 2, full, loo, value, error);
  check_rel (value[0], full[0], 1e-13, "a mean has no bias");
  check_rel (error[0], sqrt (squares / 90), 1e-13, "the error of a mean");
  check_rel (value[1], squares / 9, 1e-13, "the bias of a variance is taken away");
  vrg_jackknife (10, 2, full, loo, NULL, error);
  check_rel (error[0], sqrt (squares / 90), 1e-13, "the value may be left out");
  loo[3] = NAN;
  vrg_jackknife (10, 2, full, loo, value, error);
  check (isnan (value[1]) && isnan (error[1]) && !isnan (value[0]), "nan stays with its quantity");
  vrg_jackknife (1, 1, full, loo, value, error);
  check (value[0] == full[0] && isnan (error[0]), "one block: no error");
}

/** AR(1) of correlation a: tau_int = (1 + a) / (1 - a) / 2. */
static void
test_tau (double a, int64_t samples, int64_t chains)
{
  double *series = vrg_new (samples, sizeof *series, "a series"), error;
  for (int64_t s = 0; s < samples; s++)
    series[s] = 5 + (s < chains ? normal () / sqrt (1 - a * a) : a * (series[s - chains] - 5) + normal ());
  const double exact = 0.5 * (1 + a) / (1 - a), tau = vrg_tau_int (series, samples, chains, &error);
  check (fabs (tau - exact) < 5 * error && error < 0.2 * exact, "a = %g, %lld chains: tau %.4f(%.4f), exact %.4f", a,
         (long long) chains, tau, error, exact);
  vrg_free (series);
}

static void
test_tau_edges (void)
{
  double series[64], error;
  for (int i = 0; i < 64; i++)
    series[i] = 0.1;
  check_rel (vrg_tau_int (series, 64, 2, &error), 0.5, 0, "a constant series");
  check (isnan (vrg_tau_int (series, 18, 2, &error)) && isnan (error), "fewer than 10 times");
  check (!isnan (vrg_tau_int (series, 20, 2, NULL)), "10 times");

  /* against the sum written out */
  for (int i = 0; i < 64; i++)
    series[i] = sin (i * 0.3) + 0.4 * cos (i * i);
  const int samples = 61, chains = 3, times = 21;
  double mean = 0, correlation[21], tau = 0.5;
  for (int s = 0; s < samples; s++)
    mean += series[s] / samples;
  for (int t = 0; t < times; t++)
    {
      correlation[t] = 0;
      for (int s = 0; s + t * chains < samples; s++)
        correlation[t] += (series[s] - mean) * (series[s + t * chains] - mean);
      correlation[t] /= samples - t * chains;
    }
  int window = 0;
  while (window + 1 < times && window < 6 * fmax (tau, 0.5))
    tau += correlation[++window] / correlation[0];
  check_rel (vrg_tau_int (series, samples, chains, NULL), tau * (1 + (2 * window + 1.0) / samples), 1e-12,
             "the transform sums what it should");

  check_rel (vrg_block_factor (0.5, 10), 1, 0, "independent samples: no factor");
  check (isnan (vrg_block_factor (NAN, 10)), "unknown tau: unknown factor");
  check_rel (vrg_block_factor (10, 1e9), 1, 1e-7, "long blocks: no factor");
  check (vrg_block_factor (5, 20) > vrg_block_factor (5, 40) && vrg_block_factor (5, 20) > 1.1,
         "short blocks: a factor");
  check_rel (vrg_block_factor (5, 1), sqrt (10), 1e-14, "blocks of one sample: sqrt (2 tau)");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_rng_init (&rng, 20260101, 0, 0);
  test_blocks ();
  test_jackknife ();
  test_tau (0, 100000, 1);
  test_tau (0, 100003, 8);
  test_tau (0.9, 200000, 1);
  test_tau (0.9, 200001, 16);
  test_tau (0.98, 400000, 4);
  test_tau (-0.3, 100000, 2);
  test_tau_edges ();
  return check_end ();
}
