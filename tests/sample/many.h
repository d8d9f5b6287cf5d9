/* SPDX-License-Identifier: GPL-3.0-or-later
 * For tests of many chains in a vector: small lattices by enumeration, and means with errors from independent chains. */
#ifndef VRG_TESTS_SAMPLE_MANY_H
#define VRG_TESTS_SAMPLE_MANY_H

#include <string.h>

#include "base/memory.h"
#include "base/param.h"
#include "check.h"
#include "lattice/exact.h"
#include "sample/multispin.h"

#define MANY_SITES 16 /* at most, by enumeration */

static inline int64_t
many_sites (const vrg_input *input)
{
  int64_t sites = 1;
  for (int64_t d = 0; d < input->dimension; d++)
    sites *= input->size[d];
  return sites;
}

/** S_nn of spins given as a function of the flat site number, slowest dimension first. */
static inline int64_t
many_bonds (const vrg_input *input, int spin (const void *spins, int64_t site), const void *spins)
{
  int64_t sum = 0;
  for (int64_t i = 0; i < many_sites (input); i++)
    for (int64_t d = input->dimension - 1, step = 1; d >= 0; step *= input->size[d--])
      {
        const int64_t x = i / step % input->size[d],
                      next = i + (x + 1 < input->size[d] ? 1 : 1 - input->size[d]) * step;
        sum += spin (spins, i) * spin (spins, next);
      }
  return sum;
}

static inline int
many_bit (const void *spins, int64_t site)
{
  return *(const uint64_t *) spins >> site & 1 ? 1 : -1;
}

/** States with (bonds - S_nn) / 2 = 0, 1, ... unlike bonds, count[bonds + 1]. */
static inline void
many_enumerate (const vrg_input *input, int64_t *count)
{
  const int64_t sites = many_sites (input), bonds = sites * input->dimension;
  memset (count, 0, (size_t) (bonds + 1) * sizeof *count);
  for (uint64_t state = 0; state < UINT64_C (1) << sites; state++)
    count[(bonds - many_bonds (input, many_bit, &state)) / 2]++;
}

/** Probabilities of the numbers of unlike bonds at a coupling. */
static inline void
many_probability (const vrg_input *input, const int64_t *count, double nn, double *probability)
{
  const int64_t bonds = many_sites (input) * input->dimension;
  double z = 0;
  for (int64_t u = 0; u <= bonds; u++)
    z += probability[u] = (double) count[u] * exp (nn * (double) (bonds - 2 * u));
  for (int64_t u = 0; u <= bonds; u++)
    probability[u] /= z;
}

/** energy = -<S>/N and specific heat K^2 var (S)/N: by enumeration, or in two dimensions from Kaufman; a lattice of even
 *  sides has the same S at -K but for its sign. */
static inline void
many_exact (const vrg_input *input, double nn, double *energy, double *specific_heat)
{
  const int64_t sites = many_sites (input), bonds = sites * input->dimension;
  if (input->dimension == 2)
    {
      vrg_exact_torus (input->size[0], input->size[1], fabs (nn), NULL, energy, specific_heat);
      *energy *= nn < 0 ? -1 : 1;
      return;
    }
  int64_t count[3 * MANY_SITES + 1];
  double probability[3 * MANY_SITES + 1], sum = 0, square = 0;
  many_enumerate (input, count);
  many_probability (input, count, nn, probability);
  for (int64_t u = 0; u <= bonds; u++)
    {
      const double s = (double) (bonds - 2 * u);
      sum += probability[u] * s;
      square += probability[u] * s * s;
    }
  *energy = -sum / (double) sites;
  *specific_heat = nn * nn * (square - sum * sum) / (double) sites;
}

/** Of one coupling, with errors by a jackknife over chains. */
typedef struct
{
  double energy, energy_error, specific_heat, specific_heat_error;
} many_estimate;

static inline void
many_jackknife (double nn, int64_t sites, int64_t chains, const double *mean, const double *square, many_estimate *e)
{
  double sum[2] = { 0 }, error[2] = { 0 }, of[2] = { 0 };
  for (int64_t c = 0; c < chains; c++)
    {
      sum[0] += mean[c];
      sum[1] += square[c];
    }
  for (int64_t c = -1; c < chains; c++) /* -1: all chains */
    {
      const double n = (double) (c < 0 ? chains : chains - 1), m = (sum[0] - (c < 0 ? 0 : mean[c])) / n,
                   s = (sum[1] - (c < 0 ? 0 : square[c])) / n;
      const double value[2] = { -m / (double) sites, nn * nn * (s - m * m) / (double) sites };
      for (int k = 0; k < 2; k++)
        if (c < 0)
          of[k] = value[k];
        else
          error[k] += (value[k] - of[k]) * (value[k] - of[k]);
    }
  e->energy = of[0];
  e->energy_error = sqrt (error[0] * (double) (chains - 1) / (double) chains);
  e->specific_heat = of[1];
  e->specific_heat_error = sqrt (error[1] * (double) (chains - 1) / (double) chains);
}

/** estimate[n_nn] of a run in input order. */
static inline void
many_run (const vrg_input *input, many_estimate *estimate)
{
  const int64_t chains = input->chains, n = input->n_nn * chains;
  vrg_multispin *m = vrg_multispin_new (input, 0, chains);
  double *mean = vrg_new (n, sizeof *mean, "means"), *square = vrg_new (n, sizeof *square, "means");
  int64_t *bonds = vrg_new (n, sizeof *bonds, "bonds");
  vrg_multispin_start (m);
  const int64_t times = input->configurations / chains;
  for (int64_t t = 1; t <= input->thermalization + times * input->interval; t++)
    {
      vrg_multispin_sweep (m, (uint64_t) t);
      if (t <= input->thermalization || (t - input->thermalization) % input->interval)
        continue;
      vrg_multispin_observe (m, bonds, NULL);
      for (int64_t i = 0; i < n; i++)
        {
          mean[i] += (double) bonds[i] / (double) times;
          square[i] += (double) (bonds[i] * bonds[i]) / (double) times;
        }
    }
  for (int e = 0; e < input->n_nn; e++)
    many_jackknife (input->nn[e], many_sites (input), chains, mean + e * chains, square + e * chains, &estimate[e]);
  vrg_free (mean);
  vrg_free (square);
  vrg_free (bonds);
  vrg_multispin_free (m);
}

/** A run against the exact values. */
static inline void
many_check_exact (const vrg_input *input, double errors)
{
  many_estimate estimate[VRG_MAX_COUPLINGS];
  many_run (input, estimate);
  for (int e = 0; e < input->n_nn; e++)
    {
      const many_estimate *x = &estimate[e];
      double energy, specific_heat;
      many_exact (input, input->nn[e], &energy, &specific_heat);
      check (fabs (x->energy - energy) <= errors * x->energy_error
               && fabs (x->specific_heat - specific_heat) <= errors * x->specific_heat_error && x->energy_error < 0.01
               && x->specific_heat_error < 0.05 * specific_heat + 0.001,
             "%s d = %d, %lld sites, K = %.4f: energy %.5f, %.1f errors from exact; specific heat %.5f, %.1f errors",
             vrg_param_algorithm_names[input->algorithm], (int) input->dimension, (long long) many_sites (input),
             input->nn[e], x->energy, (x->energy - energy) / x->energy_error, x->specific_heat,
             (x->specific_heat - specific_heat) / x->specific_heat_error);
    }
}

/** Words of the packed spins of n chains. */
static inline int64_t
many_words (const vrg_input *input, int64_t n)
{
  const int64_t columns = input->size[input->dimension - 1];
  return input->n_nn * n * (many_sites (input) / columns) * ((columns + 63) / 64);
}

/** Spins of chains [chain0, chain1) after some sweeps from the start, or on from `from` after `done` sweeps.  The caller
 *  frees. */
static inline uint64_t *
many_spins (const vrg_input *input, int64_t chain0, int64_t chain1, uint64_t done, uint64_t sweeps,
            const uint64_t *from)
{
  vrg_multispin *m = vrg_multispin_new (input, chain0, chain1);
  uint64_t *packed = vrg_new (many_words (input, chain1 - chain0), sizeof *packed, "spins");
  if (from)
    vrg_multispin_unpack (m, from);
  else
    vrg_multispin_start (m);
  for (uint64_t t = done + 1; t <= done + sweeps; t++)
    vrg_multispin_sweep (m, t);
  vrg_multispin_pack (m, packed);
  vrg_multispin_free (m);
  return packed;
}

#endif
