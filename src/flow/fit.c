/* SPDX-License-Identifier: GPL-3.0-or-later
 * Nested fits with jackknife errors, from the slopes of blocks. */
#include "flow/fit.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "flow/couplings.h"

#define FEWEST_AGAINST 10 /* effective disagreeing spins for every operator */
#define LOOSEST                                                                                                        \
  0.5 /* largest error of a field's part that is due to one operator: beyond, no error is that of a normal
                             distribution */

/* Slopes of the blocks of one level, and what they are divided by. */
typedef struct
{
  int n, blocks;
  int64_t size;      /* doubles of a block */
  double *block;     /* [block][size] */
  double *all;       /* [size] */
  double *sites;     /* [block] */
  double total;      /* sites of all */
  double *saturated; /* [block]: likelihood of the observed shares */
  double saturated_all, excess;
} level_slopes;

static level_slopes
level_slopes_new (const vrg_measure *m, int ensemble, int lattice)
{
  const vrg_lattice *l = m->levels->lattice[lattice];
  const int n = m->n_fitted, blocks = m->blocks.n;
  const int64_t size = vrg_couplings_slopes_size (n);
  level_slopes s = { .n = n, .blocks = blocks, .size = size };
  s.block = vrg_new (blocks * size, sizeof *s.block, "slopes");
  s.all = vrg_new (size, sizeof *s.all, "slopes");
  s.sites = vrg_new (blocks, sizeof *s.sites, "slopes");
  s.saturated = vrg_new (blocks, sizeof *s.saturated, "slopes");
  for (int b = 0; b < blocks; b++)
    {
      for (int part = 0; part < m->parts; part++)
        {
          const double *unit = vrg_measure_slope (m, ensemble, (int64_t) b * m->parts + part, lattice);
          for (int64_t i = 0; i < size; i++)
            s.block[b * size + i] += unit[i];
          s.saturated[b] += unit[size];
          s.excess += unit[size + 1];
        }
      for (int64_t i = 0; i < size; i++)
        s.all[i] += s.block[b * size + i];
      s.saturated_all += s.saturated[b];
      s.sites[b] = (double) vrg_blocks_count (&m->blocks, b) * (double) (l->rows * l->columns);
      s.total += s.sites[b];
    }
  return s;
}

static void
level_slopes_clear (level_slopes *s)
{
  vrg_free (s->block);
  vrg_free (s->all);
  vrg_free (s->sites);
  vrg_free (s->saturated);
}

/* Couplings rest[block][m] and likelihoods per site of the fit with m operators, each block left out in turn.  k: of
 * the fit of all, NaN where not used. */
static void
leave_out (const level_slopes *s, int m, const double *k, double *rest, double *likelihood)
{
  const vrg_slope all = vrg_couplings_slope_at (s->all, m);
  double gradient[VRG_MAX_OPERATORS], step[VRG_MAX_OPERATORS];
  double *hessian = vrg_new (m * m, sizeof *hessian, "Hessian");
  bool used[VRG_MAX_OPERATORS];
  for (int a = 0; a < m; a++)
    used[a] = !isnan (k[a]);
  for (int b = 0; b < s->blocks; b++)
    {
      const vrg_slope block = vrg_couplings_slope_at (s->block + b * s->size, m);
      for (int a = 0; a < m; a++)
        gradient[a] = all.gradient[a] - block.gradient[a];
      for (int i = 0; i < m * m; i++)
        hessian[i] = all.hessian[i] - block.hessian[i];
      const bool good = vrg_couplings_newton (m, used, gradient, hessian, step);
      double sum = *all.likelihood - *block.likelihood;
      for (int a = 0; a < m; a++)
        {
          sum += gradient[a] * step[a] / 2;
          rest[b * m + a] = good ? k[a] + step[a] : (double) NAN;
        }
      likelihood[b] = good ? sum / (s->total - s->sites[b]) : (double) NAN;
    }
  vrg_free (hessian);
}

/* Of independent spins with the relative variance that the number over the blocks has. */
static double
effective_against (const level_slopes *s, int m, double factor)
{
  const double all = *vrg_couplings_slope_at (s->all, m).against;
  double squares = 0;
  for (int b = 0; b < s->blocks; b++)
    {
      const double d = *vrg_couplings_slope_at (s->block + b * s->size, m).against - all * s->sites[b] / s->total;
      squares += d * d * factor * factor;
    }
  return s->blocks > 1 && squares > all ? all * all / squares : all;
}

static vrg_fit_state
judge (int m, const int *reach, const double *k, const double *error, double against)
{
  int count = 0;
  for (int a = 0; a < m; a++)
    count += !isnan (k[a]);
  if (count == 0)
    return VRG_FIT_NO_MAXIMUM;
  if (against < FEWEST_AGAINST * count)
    return VRG_FIT_FEW;
  for (int a = 0; a < m; a++)
    if (!isnan (k[a]) && !(error[a] * reach[a] < LOOSEST))
      return VRG_FIT_LOOSE;
  return VRG_FIT_INSIDE;
}

/* Errors of m quantities, and their values where they are to be corrected for bias. */
static void
jackknife (int blocks, int m, const double *full, const double *rest, double factor, double *value, double *error)
{
  vrg_jackknife (blocks, m, full, rest, value, error);
  for (int i = 0; i < m; i++)
    error[i] *= factor;
}

static void
warn (const vrg_measure *m, int ensemble, int rule, int level, vrg_fit_state state)
{
  static const char *const why[] = {
    [VRG_FIT_NO_MAXIMUM] = "no finite couplings: spins never disagree with their fields (an ordered lattice), or never "
                           "agree, or nothing varies",
    [VRG_FIT_FEW]
    = "too few spins disagree with their fields (an ordered lattice, or too few configurations): couplings are "
      "about to diverge, their errors mean little",
    [VRG_FIT_LOOSE] = "couplings are so uncertain, or rest on so few blocks, that their errors mean little",
  };
  char place[128];
  vrg_measure_place (m, ensemble, rule, level, place);
  if (state != VRG_FIT_INSIDE)
    vrg_warn ("flow: %s: %s", place, why[state]);
}

/* One level. */
static void
fit_level (vrg_fits *f, const vrg_measure *measure, int ensemble, int rule, int level, double factor)
{
  const int n = f->n, blocks = f->blocks, lattice = vrg_levels_index (measure->levels, rule, level);
  const double *nested = vrg_measure_couplings (measure, ensemble, lattice);
  level_slopes s = level_slopes_new (measure, ensemble, lattice);
  /* [quantity][block], quantities of n fits each, [0] with all blocks */
  double *rest = f->rest + (int64_t) level * blocks * n, *likelihood = vrg_new (blocks, sizeof *likelihood, "fits"),
         *before = vrg_new (blocks, sizeof *before, "fits"), *loo = vrg_new (3 * blocks, sizeof *loo, "fits"),
         *couplings = vrg_new ((int64_t) blocks * n, sizeof *couplings, "fits");
  double last = -M_LN2;
  vrg_fit_state state = VRG_FIT_NO_MAXIMUM;
  for (int b = 0; b < blocks; b++)
    before[b] = -M_LN2;
  for (int m = 1; m <= n; m++)
    {
      const double *k = nested + (m - 1) * n;
      const int64_t at = (int64_t) level * n + m - 1;
      double *value = f->nested + at * n, *error = f->nested_error + at * n;
      const double now = *vrg_couplings_slope_at (s.all, m).likelihood / s.total;
      leave_out (&s, m, k, couplings, likelihood);
      for (int a = 0; a < n; a++)
        value[a] = error[a] = NAN;
      memcpy (value, k, (size_t) m * sizeof *k);
      jackknife (blocks, m, k, couplings, factor, NULL, error);
      f->against[at] = effective_against (&s, m, factor);
      state = judge (m, measure->reach[lattice], k, error, f->against[at]);
      f->state[at] = state;
      f->inside[at] = state == VRG_FIT_INSIDE;

      const bool good = state != VRG_FIT_NO_MAXIMUM;
      const double full[3] = { good ? now : (double) NAN, good ? now - last : (double) NAN,
                               good ? s.saturated_all / s.total - now : (double) NAN };
      double values[3], errors[3];
      for (int b = 0; b < blocks; b++)
        {
          loo[3 * b] = likelihood[b];
          loo[3 * b + 1] = likelihood[b] - before[b];
          loo[3 * b + 2] = (s.saturated_all - s.saturated[b]) / (s.total - s.sites[b]) - likelihood[b];
        }
      jackknife (blocks, 3, full, loo, factor, values, errors);
      /* where the truth is 0, as chi squared scatters: its mean is what was taken away for bias */
      if (!isnan (errors[1]))
        errors[1] = fmax (errors[1], M_SQRT2 * fabs (full[1] - values[1]));
      if (!isnan (errors[2]))
        errors[2] = fmax (errors[2], sqrt (s.excess) / s.total);
      f->likelihood[at] = values[0];
      f->likelihood_error[at] = errors[0];
      f->gain[at] = good && isnan (k[m - 1]) ? 0 : values[1];
      f->gain_error[at] = good && isnan (k[m - 1]) ? 0 : errors[1];
      f->deviance[at] = values[2] - s.excess / s.total;
      f->deviance_error[at] = errors[2];
      last = full[0];
      memcpy (before, likelihood, (size_t) blocks * sizeof *before);
    }
  memcpy (rest, couplings, (size_t) blocks * (size_t) n * sizeof *rest);
  memcpy (f->value + level * n, f->nested + ((int64_t) level * n + n - 1) * n, (size_t) n * sizeof (double));
  memcpy (f->error + level * n, f->nested_error + ((int64_t) level * n + n - 1) * n, (size_t) n * sizeof (double));
  warn (measure, ensemble, rule, level, state);
  vrg_free (couplings);
  vrg_free (loo);
  vrg_free (before);
  vrg_free (likelihood);
  level_slopes_clear (&s);
}

/* Of the fit with all operators, from its leave-one-out values. */
static void
covariance_level (vrg_fits *f, int level, double factor)
{
  const int n = f->n, blocks = f->blocks;
  const double *k = f->rest + (int64_t) level * blocks * n;
  for (int a = 0; a < n; a++)
    for (int c = 0; c < n; c++)
      {
        double mean_a = 0, mean_c = 0, sum = 0;
        for (int b = 0; b < blocks; b++)
          {
            mean_a += k[b * n + a] / blocks;
            mean_c += k[b * n + c] / blocks;
          }
        for (int b = 0; b < blocks; b++)
          sum += (k[b * n + a] - mean_a) * (k[b * n + c] - mean_c);
        f->covariance[((int64_t) level * n + a) * n + c]
          = blocks < 2 ? (double) NAN : sum * (blocks - 1) / blocks * factor * factor;
      }
}

vrg_fits *
vrg_fits_new (const vrg_measure *measure, int ensemble, int rule, double factor)
{
  const int n = measure->n_fitted, levels = measure->levels->depth + 1, blocks = measure->blocks.n;
  const int64_t rows = (int64_t) levels * n;
  if (n == 0)
    return NULL;
  vrg_fits *f = vrg_new (1, sizeof *f, "fits");
  *f = (vrg_fits){ .levels = levels, .n = n, .blocks = blocks };
  double **const by_operator[] = { &f->value,   &f->error,      &f->likelihood, &f->likelihood_error,
                                   &f->gain,    &f->gain_error, &f->deviance,   &f->deviance_error,
                                   &f->against, &f->state,      &f->inside };
  double **const by_pair[] = { &f->covariance, &f->nested, &f->nested_error };
  for (size_t i = 0; i < sizeof by_operator / sizeof by_operator[0]; i++)
    *by_operator[i] = vrg_new (rows, sizeof (double), "fits");
  for (size_t i = 0; i < sizeof by_pair / sizeof by_pair[0]; i++)
    *by_pair[i] = vrg_new (rows * n, sizeof (double), "fits");
  f->rest = vrg_new (rows * blocks, sizeof *f->rest, "fits");
  for (int level = 0; level < levels; level++)
    {
      fit_level (f, measure, ensemble, rule, level, factor);
      covariance_level (f, level, factor);
    }
  return f;
}

void
vrg_fits_free (vrg_fits *f)
{
  if (f == NULL)
    return;
  double *const arrays[] = { f->value,        f->error,          f->covariance,       f->rest,  f->nested,
                             f->nested_error, f->likelihood,     f->likelihood_error, f->gain,  f->gain_error,
                             f->deviance,     f->deviance_error, f->against,          f->state, f->inside };
  for (size_t i = 0; i < sizeof arrays / sizeof arrays[0]; i++)
    vrg_free (arrays[i]);
  vrg_free (f);
}

int
vrg_fits_used (const vrg_fits *f, int level)
{
  int used = 0;
  for (int a = 0; a < f->n; a++)
    used += !isnan (f->value[level * f->n + a]);
  return used;
}
