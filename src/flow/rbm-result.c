/* SPDX-License-Identifier: GPL-3.0-or-later
 * Estimates along the flow of an RBM: fixed points, tables and rbm-flow.h5. */
#include "flow/rbm-result.h"

#include <gsl/gsl_fit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/table.h"
#include "flow/thermometer.h"
#include "lattice/exact.h"

#define FORMAT "vrg-rbm-flow"
#define FORMAT_VERSION 1
#define SIGNIFICANT 3.0 /* errors by which a change differs from zero */

static const struct
{
  const char *name, *error, *help, *error_help;
} quantities[VRG_RBM_QUANTITIES] = {
  [VRG_RBM_ENERGY] = { "/energy", "/energy_error", "-<S_nn> / N (1)", "standard deviation of energy (1)" },
  [VRG_RBM_ABS_M] = { "/abs_m", "/abs_m_error", "<|m|> (1)", "standard deviation of abs_m (1)" },
  [VRG_RBM_COUPLING] = { "/coupling", "/coupling_error", "nearest-neighbour coupling by pseudo-likelihood (1)",
                         "standard deviation of coupling (1)" },
  [VRG_RBM_ENERGY_COUPLING]
  = { "/energy_coupling", "/energy_coupling_error", "coupling of the exact lattice that has this energy (1)",
      "standard deviation of energy_coupling (1)" },
  [VRG_RBM_CORRELATION] = { "/correlation", "/correlation_error", "second-moment correlation length (sites)",
                            "standard deviation of correlation (sites)" },
  [VRG_RBM_CHANGE]
  = { "/change", "/change_error", "coupling less that of the step before (1)", "standard deviation of change (1)" },
  [VRG_RBM_ENERGY_CHANGE]
  = { "/energy_change", "/energy_change_error", "energy_coupling less that of the step before (1)",
      "standard deviation of energy_change (1)" },
  [VRG_RBM_TWO_POINT_2] = { "/two_point_2", "/two_point_2_error", "<s s'> of sites 2 apart along an axis (1)",
                            "standard deviation of two_point_2 (1)" },
  [VRG_RBM_TWO_POINT_3] = { "/two_point_3", "/two_point_3_error", "<s s'> of sites 3 apart along an axis (1)",
                            "standard deviation of two_point_3 (1)" },
  [VRG_RBM_ENERGY_VARIANCE]
  = { "/energy_variance", "/energy_variance_error", "var (S_nn) / N (1)", "standard deviation of energy_variance (1)" },
};

vrg_rbm_result *
vrg_rbm_result_new (const vrg_samples_info *info, int steps, int64_t configurations)
{
  vrg_rbm_result *r = vrg_new (1, sizeof *r, "the flow of an RBM");
  const int64_t n = (int64_t) info->ensembles * (steps + 1);
  r->ensembles = info->ensembles;
  r->steps = steps;
  r->configurations = configurations;
  r->nn = vrg_new (info->ensembles, sizeof *r->nn, "couplings");
  for (int e = 0; e < info->ensembles; e++)
    r->nn[e] = info->nn[e];
  r->estimates = vrg_new (2 * VRG_RBM_QUANTITIES * n, sizeof *r->estimates, "the flow of an RBM");
  for (int64_t i = 0; i < 2 * VRG_RBM_QUANTITIES * n; i++)
    r->estimates[i] = (double) NAN;
  for (int q = 0; q < VRG_RBM_QUANTITIES; q++)
    {
      r->value[q] = r->estimates + 2 * q * n;
      r->error[q] = r->value[q] + n;
    }
  return r;
}

void
vrg_rbm_result_free (vrg_rbm_result *r)
{
  if (r == NULL)
    return;
  vrg_free (r->estimates);
  vrg_free (r->nn);
  vrg_free (r);
}

void
vrg_rbm_result_arrays (const vrg_rbm_result *r, vrg_h5_array arrays[VRG_RBM_ARRAYS])
{
  *arrays++ = (vrg_h5_array){ .name = "/nn",
                              .help = "coupling that the configurations were sampled at (1)",
                              .axes = "ensemble",
                              .type = VRG_F64,
                              .rank = 1,
                              .dims = { r->ensembles },
                              .replicated = true,
                              .data = r->nn };
  for (int q = 0; q < VRG_RBM_QUANTITIES; q++)
    for (int error = 0; error < 2; error++)
      *arrays++ = (vrg_h5_array){ .name = error ? quantities[q].error : quantities[q].name,
                                  .help = error ? quantities[q].error_help : quantities[q].help,
                                  .axes = "ensemble step",
                                  .type = VRG_F64,
                                  .rank = 2,
                                  .dims = { r->ensembles, r->steps + 1 },
                                  .replicated = true,
                                  .data = error ? r->error[q] : r->value[q] };
}

/* ---------------------------------------------------------------- where the flow rests */

typedef struct
{
  double nn, nn_error, change, error;
} point;

static int
by_coupling (const void *a, const void *b)
{
  const point *p = a, *q = b;
  return (p->nn > q->nn) - (p->nn < q->nn);
}

static bool
significant (const point *p)
{
  return fabs (p->change) > SIGNIFICANT * p->error;
}

/** The root of the line through n points.  The first and last have changes of different sign. */
static vrg_rbm_fixed
root (const point *p, int n, int step)
{
  vrg_rbm_fixed fixed = { step, p[0].change > 0, n, (double) NAN, (double) NAN };
  double *x = vrg_new (3 * n, sizeof *x, "a line"), *weight = x + n, *y = weight + n;
  double at_zero, slope, c00, c01, c11, chi2;
  for (int i = 0; i < n; i++)
    {
      x[i] = p[i].nn;
      y[i] = p[i].change;
      weight[i] = 1 / (p[i].error * p[i].error + p[i].nn_error * p[i].nn_error); /* the slope is about -1 at most */
    }
  VRG_GSL (gsl_fit_wlinear (x, 1, weight, 1, y, 1, (size_t) n, &at_zero, &slope, &c00, &c01, &c11, &chi2));
  fixed.nn = -at_zero / slope;
  fixed.error = sqrt (fmax (0, c00 + 2 * fixed.nn * c01 + fixed.nn * fixed.nn * c11)) / fabs (slope);
  vrg_free (x);
  return fixed;
}

int
vrg_rbm_result_fixed (const vrg_rbm_result *r, vrg_rbm_quantity change, int step, vrg_rbm_fixed *fixed)
{
  const vrg_rbm_quantity coupling = change == VRG_RBM_CHANGE ? VRG_RBM_COUPLING : VRG_RBM_ENERGY_COUPLING;
  point *p = vrg_new (r->ensembles, sizeof *p, "changes of couplings");
  int n = 0, count = 0, last = -1;
  for (int e = 0; e < r->ensembles; e++)
    {
      const int at = e * (r->steps + 1) + step;
      const bool first = step == 1;
      const point one = { first ? r->nn[e] : r->value[coupling][at - 1], first ? 0 : r->error[coupling][at - 1],
                          r->value[change][at], r->error[change][at] };
      if (isfinite (one.nn) && isfinite (one.change) && one.error > 0)
        p[n++] = one;
    }
  qsort (p, (size_t) n, sizeof *p, by_coupling);
  for (int i = 0; i < n; i++)
    if (significant (&p[i]))
      {
        if (last >= 0 && p[i].change * p[last].change < 0)
          fixed[count++] = root (p + last, i - last + 1, step);
        last = i;
      }
  vrg_free (p);
  return count;
}

/** Vertex of the parabola through three points. */
static double
vertex (const double *x, const double *y)
{
  const double a = (y[1] - y[0]) / (x[1] - x[0]), b = (y[2] - y[1]) / (x[2] - x[1]), c = (b - a) / (x[2] - x[0]);
  return (x[0] + x[1]) / 2 - a / (2 * c);
}

/** Maximum of the sampled specific heat over the scan: that of the parabola through the largest and its neighbours. 
 *  NaN where the largest is the first or the last. */
static double
scan_maximum (const vrg_rbm_result *r, double *error)
{
  point *p = vrg_new (r->ensembles, sizeof *p, "specific heats");
  int n = 0, best = 0;
  double found = (double) NAN, squares = 0;
  *error = (double) NAN;
  for (int e = 0; e < r->ensembles; e++)
    {
      const int at = e * (r->steps + 1);
      const double nn = r->nn[e], factor = nn * nn;
      if (isfinite (r->value[VRG_RBM_ENERGY_VARIANCE][at]))
        p[n++] = (point){ nn, 0, factor * r->value[VRG_RBM_ENERGY_VARIANCE][at],
                          factor * r->error[VRG_RBM_ENERGY_VARIANCE][at] };
    }
  qsort (p, (size_t) n, sizeof *p, by_coupling);
  for (int i = 0; i < n; i++)
    best = p[i].change > p[best].change ? i : best;
  if (best > 0 && best < n - 1)
    {
      double x[3], y[3];
      for (int i = 0; i < 3; i++)
        {
          x[i] = p[best - 1 + i].nn;
          y[i] = p[best - 1 + i].change;
        }
      found = vertex (x, y);
      for (int i = 0; i < 3; i++)
        {
          double up[3] = { y[0], y[1], y[2] }, down[3] = { y[0], y[1], y[2] };
          up[i] += 1e-3 * p[best - 1 + i].error;
          down[i] -= 1e-3 * p[best - 1 + i].error;
          const double moved = (vertex (x, up) - vertex (x, down)) / 2e-3;
          squares += moved * moved;
        }
      *error = sqrt (squares);
    }
  vrg_free (p);
  return found;
}

/* ---------------------------------------------------------------- tables */

static void
put_row (vrg_table *t, const char *quantity, const char *source, int step, int points, double value, double error)
{
  vrg_table_text (t, quantity);
  vrg_table_text (t, source);
  vrg_table_int (t, step);
  vrg_table_int (t, points);
  vrg_table_double (t, value);
  vrg_table_double (t, error);
}

/** The couplings after the last step: their mean over the scan with its error, and how far they scatter. */
static void
put_end (vrg_table *t, const vrg_rbm_result *r, vrg_rbm_quantity coupling, const char *source)
{
  int n = 0;
  double mean = 0, squares = 0;
  for (int e = 0; e < r->ensembles; e++)
    {
      const double k = r->value[coupling][e * (r->steps + 1) + r->steps];
      if (!isfinite (k))
        continue;
      n++;
      squares += (k - mean) * (k - mean) * (n - 1) / n;
      mean += (k - mean) / n;
    }
  const double spread = n > 1 ? sqrt (squares / (n - 1)) : (double) NAN;
  put_row (t, "end_mean", source, r->steps, n, n > 0 ? mean : (double) NAN, n > 0 ? spread / sqrt (n) : (double) NAN);
  put_row (t, "end_spread", source, r->steps, n, spread, n > 1 ? spread / sqrt (2.0 * (n - 1)) : (double) NAN);
}

static void
put_stationary (vrg_table *t, const vrg_rbm_result *r, const vrg_samples_info *info)
{
  static const vrg_rbm_quantity change[] = { VRG_RBM_CHANGE, VRG_RBM_ENERGY_CHANGE },
                                coupling[] = { VRG_RBM_COUPLING, VRG_RBM_ENERGY_COUPLING };
  static const char *const source[] = { "pseudo_likelihood", "energy" };
  const int dimension = (int) info->dimension;
  const bool ising = info->nnn == 0 && info->plaquette == 0 && info->field == 0;
  vrg_rbm_fixed *fixed = vrg_new (r->ensembles, sizeof *fixed, "fixed points");
  for (int by = 0; by < 2; by++)
    {
      for (int step = 1; step <= r->steps; step++)
        {
          const int n = vrg_rbm_result_fixed (r, change[by], step, fixed);
          for (int i = 0; i < n; i++)
            {
              put_row (t, fixed[i].attractive ? "fixed_point_attractive" : "fixed_point_repulsive", source[by], step,
                       fixed[i].points, fixed[i].nn, fixed[i].error);
              if (step == 1)
                vrg_info ("rbm-flow: the map of couplings (%s) has %s fixed point at %.5f(%.5f)", source[by],
                          fixed[i].attractive ? "an attractive" : "a repulsive", fixed[i].nn, fixed[i].error);
            }
        }
      put_end (t, r, coupling[by], source[by]);
    }
  vrg_free (fixed);
  double error;
  const double scan = scan_maximum (r, &error);
  if (ising && dimension < 3)
    put_row (t, "specific_heat_maximum", "exact", 0, 0, vrg_thermometer_maximum (dimension, info->size), 0);
  put_row (t, "specific_heat_maximum", "scan", 0, isfinite (scan) ? 3 : 0, scan, error);
  if (ising && dimension == 2)
    put_row (t, "critical", "exact", 0, 0, VRG_CRITICAL_2D, 0);
}

static void
put_steps (vrg_table *t, const vrg_rbm_result *r)
{
  for (int e = 0; e < r->ensembles; e++)
    for (int step = 0; step <= r->steps; step++)
      {
        vrg_table_double (t, r->nn[e]);
        vrg_table_int (t, step);
        vrg_table_int (t, r->configurations);
        for (int q = 0; q < VRG_RBM_QUANTITIES; q++)
          {
            vrg_table_double (t, r->value[q][e * (r->steps + 1) + step]);
            vrg_table_double (t, r->error[q][e * (r->steps + 1) + step]);
          }
      }
}

/** Rank 0 alone. */
static int
write_tables (const vrg_grid *grid, const vrg_rbm_result *r, const vrg_samples_info *info, const char *directory)
{
  char comment[256], date[32];
  time_t now = time (NULL);
  strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
  snprintf (comment, sizeof comment, "vrg %s (%s) flow, ranks %d, %s", vrg_version (), vrg_commit (), grid->size, date);
  vrg_table *t = vrg_table_new (directory, "rbm-flow.tsv",
                                "nn step configurations energy energy_err abs_m abs_m_err coupling coupling_err "
                                "energy_coupling energy_coupling_err correlation correlation_err change change_err "
                                "energy_change energy_change_err two_point_2 two_point_2_err two_point_3 "
                                "two_point_3_err energy_variance energy_variance_err",
                                comment);
  put_steps (t, r);
  const int status = vrg_table_close (t, NULL);
  if (status != VRG_OK)
    return status;
  t = vrg_table_new (directory, "rbm-stationary.tsv", "quantity source step points value error", comment);
  put_stationary (t, r, info);
  return vrg_table_close (t, NULL);
}

int
vrg_rbm_result_write (const vrg_grid *grid, const vrg_rbm_result *r, const vrg_samples_info *info,
                      const char *directory, const char *fingerprint)
{
  char path[VRG_PATH_LENGTH + 16], temporary[VRG_PATH_LENGTH + 24];
  vrg_h5_array arrays[VRG_RBM_ARRAYS];
  vrg_h5 *file;
  int status = vrg_agree (grid->world, grid->rank == 0 ? write_tables (grid, r, info, directory) : VRG_OK);
  if (status != VRG_OK)
    return status;
  snprintf (path, sizeof path, "%s/rbm-flow.h5", directory);
  snprintf (temporary, sizeof temporary, "%s.tmp", path);
  status = vrg_h5_open (grid->file, temporary, VRG_H5_CREATE, &file);
  if (status != VRG_OK)
    return status;
  status = vrg_h5_put_head (file, FORMAT, FORMAT_VERSION, fingerprint);
  if (status == VRG_OK)
    status = vrg_h5_put_int (file, "/", "configurations", r->configurations);
  if (status == VRG_OK)
    status = vrg_h5_put_int (file, "/", "steps", r->steps);
  vrg_rbm_result_arrays (r, arrays);
  for (int i = 0; i < VRG_RBM_ARRAYS && status == VRG_OK; i++)
    status = vrg_h5_put (file, &arrays[i]);
  return vrg_h5_commit (file, status, path);
}
