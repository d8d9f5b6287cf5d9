/* SPDX-License-Identifier: GPL-3.0-or-later
 * Jackknife and autocorrelation. */
#include "base/statistics.h"

#include <gsl/gsl_fft_halfcomplex.h>
#include <gsl/gsl_fft_real.h>
#include <math.h>

#include "base/error.h"
#include "base/memory.h"

#define WINDOW 6.0 /* the sum of correlations stops at WINDOW tau */
#define FEWEST_TIMES 10

static int64_t
smaller (int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/** Part `part` of `parts` of n begins here; sizes differ by at most one, the larger first. */
static int64_t
begin (int64_t n, int parts, int part)
{
  return n / parts * part + smaller (part, n % parts);
}

/** At most `wanted` parts of n, as equal as can be: all of the same length but, if need be, some shorter by one. */
static int
parts_of (int64_t n, int64_t wanted)
{
  if (wanted < 1)
    wanted = 1;
  const int64_t length = (n + wanted - 1) / wanted;
  return (int) ((n + length - 1) / length);
}

/** Chains that have a sample, and times that all of them have. */
static int64_t
used_chains (const vrg_blocks *blocks)
{
  return smaller (blocks->chains, blocks->samples);
}

static int64_t
full_times (const vrg_blocks *blocks)
{
  return blocks->samples / used_chains (blocks);
}

void
vrg_blocks_init (vrg_blocks *blocks, int64_t samples, int64_t chains, int wanted)
{
  VRG_ASSERT (samples > 0 && chains > 0);
  *blocks = (vrg_blocks){ samples, chains, (samples + chains - 1) / chains, 1, 1, 1 };
  if (wanted < 2)
    wanted = 2;
  blocks->over_chain = parts_of (used_chains (blocks), wanted);
  blocks->over_time = parts_of (full_times (blocks), (wanted + blocks->over_chain / 2) / blocks->over_chain);
  if (blocks->times < FEWEST_TIMES && blocks->over_chain > 1)
    blocks->over_time = 1; /* nobody could tell how dependent its parts were */
  blocks->n = blocks->over_chain * blocks->over_time;
}

void
vrg_blocks_range (const vrg_blocks *blocks, int b, int64_t t[2], int64_t c[2])
{
  const int of_time = b / blocks->over_chain, of_chain = b % blocks->over_chain;
  const int64_t chains = used_chains (blocks), full = full_times (blocks);
  c[0] = begin (chains, blocks->over_chain, of_chain);
  c[1] = begin (chains, blocks->over_chain, of_chain + 1);
  t[0] = begin (full, blocks->over_time, of_time);
  /* a last time that only some chains have goes to the last block in time: no block is empty */
  t[1] = of_time + 1 < blocks->over_time ? begin (full, blocks->over_time, of_time + 1) : blocks->times;
}

int
vrg_blocks_find (const vrg_blocks *blocks, int64_t sample)
{
  VRG_ASSERT (sample >= 0 && sample < blocks->samples);
  const int64_t time = sample / blocks->chains, chain = sample % blocks->chains;
  int of_time = 0, of_chain = 0;
  while (of_chain + 1 < blocks->over_chain && chain >= begin (used_chains (blocks), blocks->over_chain, of_chain + 1))
    of_chain++;
  while (of_time + 1 < blocks->over_time && time >= begin (full_times (blocks), blocks->over_time, of_time + 1))
    of_time++;
  return of_time * blocks->over_chain + of_chain;
}

int64_t
vrg_blocks_samples (const vrg_blocks *blocks, const int64_t t[2], const int64_t c[2])
{
  const int64_t full = smaller (t[1], full_times (blocks));
  int64_t count = (full - t[0]) * (c[1] - c[0]);
  if (t[1] > full)
    {
      const int64_t last = blocks->samples - full * used_chains (blocks); /* chains that have the last time */
      count += last > c[0] ? smaller (last, c[1]) - c[0] : 0;
    }
  return count;
}

int64_t
vrg_blocks_count (const vrg_blocks *blocks, int b)
{
  int64_t t[2], c[2];
  vrg_blocks_range (blocks, b, t, c);
  return vrg_blocks_samples (blocks, t, c);
}

void
vrg_jackknife (int n, int m, const double *full, const double *loo, double *value, double *error)
{
  for (int i = 0; i < m; i++)
    {
      double mean = 0, squares = 0;
      for (int b = 0; b < n; b++)
        mean += loo[(int64_t) b * m + i];
      mean /= n;
      for (int b = 0; b < n; b++)
        {
          const double d = loo[(int64_t) b * m + i] - mean;
          squares += d * d;
        }
      if (value != NULL)
        value[i] = n > 1 ? n * full[i] - (n - 1) * mean : full[i];
      error[i] = n > 1 ? sqrt ((n - 1) * squares / n) : NAN;
    }
}

/** correlation[t], t < times: mean of the products of deviations t apart, over all chains.  By Fourier transform of
 *  each chain, padded with zeros. */
static void
correlate (const double *series, int64_t samples, int64_t chains, int64_t times, double mean, double *correlation)
{
  size_t length = 1;
  while (length < 2 * (size_t) times)
    length *= 2;
  double *power = vrg_new ((int64_t) length, sizeof *power, "autocorrelation");
  double *work = vrg_new ((int64_t) length, sizeof *work, "autocorrelation");
  for (int64_t c = 0; c < smaller (chains, samples); c++)
    {
      for (int64_t t = 0; t < (int64_t) length; t++)
        work[t] = t * chains + c < samples && t < times ? series[t * chains + c] - mean : 0;
      VRG_GSL (gsl_fft_real_radix2_transform (work, 1, length));
      /* work[k], work[length - k] are the real and the imaginary part of frequency k */
      power[0] += work[0] * work[0];
      power[length / 2] += work[length / 2] * work[length / 2];
      for (size_t k = 1; k < length / 2; k++)
        power[k] += work[k] * work[k] + work[length - k] * work[length - k];
    }
  VRG_GSL (gsl_fft_halfcomplex_radix2_inverse (power, 1, length));
  for (int64_t t = 0; t < times; t++)
    {
      /* pairs t apart: all samples but the first t times */
      const int64_t pairs = samples - t * chains;
      correlation[t] = pairs > 0 ? power[t] / (double) pairs : 0;
    }
  vrg_free (power);
  vrg_free (work);
}

double
vrg_tau_int (const double *series, int64_t samples, int64_t chains, double *error)
{
  const int64_t times = (samples + chains - 1) / chains;
  if (error != NULL)
    *error = NAN;
  if (times < FEWEST_TIMES)
    return NAN;
  double mean = 0, spread = 0;
  for (int64_t s = 0; s < samples; s++)
    mean += series[s];
  mean /= (double) samples;
  for (int64_t s = 0; s < samples; s++)
    spread = fmax (spread, fabs (series[s] - mean));
  if (error != NULL)
    *error = 0;
  if (spread <= 1e-12 * fabs (mean))
    return 0.5;

  double *correlation = vrg_new (times, sizeof *correlation, "autocorrelation");
  correlate (series, samples, chains, times, mean, correlation);
  double tau = 0.5;
  int64_t window = 0;
  while (window + 1 < times && (double) window < WINDOW * fmax (tau, 0.5))
    tau += correlation[++window] / correlation[0];
  vrg_free (correlation);
  /* the mean was estimated too, which lowers every correlation: Wolff, Comput. Phys. Commun. 156, 143 (2004), eq. 49;
   * error: Madras and Sokal, J. Stat. Phys. 50, 109 (1988) */
  const double cut = (double) (2 * window + 1) / (double) samples;
  tau *= 1 + cut;
  if (error != NULL)
    *error = fabs (tau) * sqrt (2 * cut);
  return tau;
}

double
vrg_block_factor (double tau, double length)
{
  if (!(tau > 0.5))
    return tau != tau ? NAN : 1;
  const double rho = (2 * tau - 1) / (2 * tau + 1);
  return 1 / sqrt (1 - 2 * rho * (1 - pow (rho, length)) / (length * (1 - rho * rho)));
}

double
vrg_blocks_factor (const vrg_blocks *blocks, double tau)
{
  return blocks->over_time == 1 ? 1 : vrg_block_factor (tau, (double) blocks->times / blocks->over_time);
}
