/* SPDX-License-Identifier: GPL-3.0-or-later
 * Scripts of the pictures of thermal averages. */
#include "report/thermal.h"

#include <math.h>

#include "lattice/exact.h"

#define FINE 300 /* points of an exact curve */

static const char blue[] = "#0072b2", grey[] = "#555555";

/** The block $data: nn, value, error, deviation from the exact value in errors; and the range of nn with some air.
 *  False: no points. */
static bool
put_data (FILE *script, const vrg_table_data *t, const char *value, const char *error, const char *exact,
          double range[2], double *pull)
{
  double low = INFINITY, high = -INFINITY;
  fputs ("$data << END\n# nn value error (value-exact)/error\n", script);
  for (int row = 0; row < t->rows; row++)
    {
      double nn = vrg_cell (t, row, "nn"), y = vrg_cell (t, row, value), sigma = vrg_cell (t, row, error);
      double p = exact ? vrg_cell_pull (t, row, value, error, exact) : (double) NAN;
      if (!isfinite (nn) || !isfinite (y))
        continue;
      fprintf (script, "%.10g %.10g %.10g %.10g\n", nn, y, isfinite (sigma) ? sigma : 0, p);
      low = fmin (low, nn);
      high = fmax (high, nn);
      if (isfinite (p))
        *pull = fmax (*pull, fabs (p));
    }
  fputs ("END\n", script);
  double air = high > low ? 0.06 * (high - low) : 0.03 * high;
  range[0] = low - air;
  range[1] = high + air;
  return low <= high;
}

/** The exact curve into the block $exact.  False: it is not known. */
static bool
put_exact (FILE *script, const vrg_report_data *data, const double range[2], bool heat)
{
  const int dimension = data->input_good ? (int) data->input.dimension : 2;
  long long a = 0, b = 0;
  int n = sscanf (vrg_cell_text (data->sample, 0, "size"), "%lldx%lld", &a, &b);
  if (n < 1 || a < 1 || (n == 2 && b < 1) || dimension > 2
      || !isfinite (vrg_cell (data->sample, 0, heat ? "exact_specific_heat" : "exact_energy")))
    return false;
  fputs ("$exact << END\n", script);
  for (int i = 0; i <= FINE; i++)
    {
      double nn = range[0] + (range[1] - range[0]) * i / FINE, energy = NAN, specific_heat = NAN;
      if (nn > 0 && dimension == 1)
        vrg_exact_ring (a, nn, NULL, &energy, &specific_heat);
      else if (nn > 0)
        vrg_exact_torus (a, n == 2 ? b : a, nn, NULL, &energy, &specific_heat);
      fprintf (script, "%.10g %.10g\n", nn, heat ? specific_heat : energy);
    }
  fputs ("END\n", script);
  return true;
}

/** Mark the critical coupling if it is known and in sight. */
static void
put_critical (FILE *script, const vrg_report_data *data, const double range[2])
{
  const double critical = vrg_critical_of (data);
  if (range[0] < critical && critical < range[1])
    fprintf (script,
             "set arrow 1 from %.10g,graph 0 to %.10g,graph 1 nohead dashtype 3 linewidth 1.2 linecolor '%s'\n"
             "set label 1 'K_c' at %.10g,graph 0.06 offset 0.5 textcolor '%s' font ',13'\n",
             critical, critical, grey, critical, grey);
}

static void
put_plain (FILE *script, const char *label)
{
  fprintf (script,
           "set xlabel 'coupling K (J / k_BT)'\nset ylabel '%s' offset 0.5\nunset key\n"
           "plot $data using 1:2:3 with yerrorbars pointtype 7 pointsize 0.55 linewidth 1.5 linecolor '%s'\n",
           label, blue);
}

bool
vrg_thermal_value (FILE *script, const vrg_report_data *data, const char *value, const char *error, const char *label)
{
  double range[2], pull = 0;
  if (data->sample == NULL || data->sample->rows < 2
      || !put_data (script, data->sample, value, error, NULL, range, &pull))
    return false; /* one point makes no picture */
  fprintf (script, "set xrange [%.10g:%.10g]\n", range[0], range[1]);
  put_critical (script, data, range);
  put_plain (script, label);
  return true;
}

bool
vrg_thermal_exact (FILE *script, const vrg_report_data *data, bool heat)
{
  const char *value = heat ? "specific_heat" : "energy", *error = heat ? "specific_heat_err" : "energy_err";
  const char *exact = heat ? "exact_specific_heat" : "exact_energy";
  const char *label = heat ? "specific heat (k_B)" : "energy per spin (J)";
  double range[2], pull = 3;
  if (data->sample == NULL || !put_data (script, data->sample, value, error, exact, range, &pull))
    return false;
  fprintf (script, "set xrange [%.10g:%.10g]\n", range[0], range[1]);
  if (!put_exact (script, data, range, heat))
    {
      put_critical (script, data, range);
      put_plain (script, label);
      return true;
    }
  fprintf (script,
           "set multiplot\n"
           "set lmargin at screen 0.17\nset rmargin at screen 0.97\n"
           "set tmargin at screen 0.91\nset bmargin at screen 0.44\n"
           "set key at screen 0.97,0.96 right center horizontal\n"
           "set format x ''\nset ylabel '%s' offset 0.5\n",
           label);
  put_critical (script, data, range);
  fprintf (
    script,
    "plot $exact with lines linewidth 2 linecolor '%s' title 'exact, this size', \\\n"
    "  $data using 1:2:3 with yerrorbars pointtype 7 pointsize 0.55 linewidth 1.5 linecolor '%s' title 'measured'\n"
    "unset label 1\nset tmargin at screen 0.40\nset bmargin at screen 0.185\nset format x '%%g'\n"
    "set xlabel 'coupling K (J / k_BT)'\nset ylabel 'dev. / error' offset 0.5\n"
    "set yrange [%.3g:%.3g]\nset ytics %g\nunset key\n"
    "set object 1 rectangle from graph 0,first -2 to graph 1,first 2 behind fillcolor '#e9edf2' fillstyle solid "
    "noborder\n"
    "plot 0 with lines linecolor '#777777' linewidth 1, \\\n"
    "  $data using 1:4 with impulses linewidth 2 linecolor '%s', \\\n"
    "  $data using 1:4 with points pointtype 7 pointsize 0.55 linecolor '%s'\n"
    "unset multiplot\n",
    grey, blue, -pull * 1.15, pull * 1.15, pull > 8 ? ceil (pull / 4) : 2, blue, blue);
  return true;
}
