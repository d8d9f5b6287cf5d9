/* SPDX-License-Identifier: GPL-3.0-or-later
 * Scripts of the pictures of a trained stack. */
#include "report/training-figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "report/gnuplot.h"
#include "train/fields.h"

#define WINDOW 96        /* sites a side, of a field or a configuration on a larger lattice */
#define CONFIGURATIONS 6 /* shown side by side */
#define PIXELS 4096      /* larger pictures are images in the SVG */
#define FILTERS 8        /* drawn with their blocks */

static const char grey[] = "#777777";

static const char *
colour (int i)
{
  return vrg_gnuplot_colours[i % VRG_GNUPLOT_COLOURS];
}

/* ---- curves ---- */

#define PANELS 3

/** About four ticks on such a range, at round numbers. */
static double
tic_of (double range)
{
  const double rough = range > 0 ? range / 4 : 1, power = pow (10, floor (log10 (rough))), digit = rough / power;
  return power * (digit < 1.5 ? 1 : digit < 3.5 ? 2 : digit < 7.5 ? 5 : 10);
}

/** One above the other: reconstruction error, pseudo-likelihood and divergence, each if there is any. */
static bool
curves_script (FILE *script, const vrg_table_data *t)
{
  static const char *const columns[PANELS] = { "reconstruction_error", "pseudo_likelihood", "kl_per_site" };
  static const char *const labels[PANELS] = { "reconstruction error", "pseudo-likelihood (nat)", "KL per site (nat)" };
  const int layers = vrg_column_max (t, "layer"), last = vrg_column_max (t, "epoch");
  double low = INFINITY, high = 0, from[PANELS] = { INFINITY, INFINITY, 0 }, to[PANELS] = { -INFINITY, -INFINITY, 0 };
  int any[PANELS] = { 0 }, panels = 0;
  if (layers < 1 || layers > VRG_MAX_LAYERS || last < 0)
    return false;
  fputs ("$data << END\n# layer epoch reconstruction_error pseudo_likelihood kl_per_site kl_per_site_err\n", script);
  for (int row = 0; row < t->rows; row++)
    {
      fprintf (script, "%g %g", vrg_cell (t, row, "layer"), vrg_cell (t, row, "epoch"));
      for (int i = 0; i < PANELS; i++)
        {
          const double y = vrg_cell (t, row, columns[i]);
          fprintf (script, " %.10g", y);
          any[i] += isfinite (y);
          from[i] = fmin (from[i], y); /* nan is passed over */
          to[i] = fmax (to[i], y);
          if (i == 2 && isfinite (y))
            {
              low = fmin (low, y);
              high = fmax (high, y);
            }
        }
      const double error = vrg_cell (t, row, "kl_per_site_err");
      fprintf (script, " %.10g\n", isfinite (error) ? error : 0);
    }
  for (int i = 0; i < PANELS; i++)
    panels += any[i] > 0;
  fprintf (script,
           "END\nset multiplot\nset lmargin at screen 0.17\nset rmargin at screen 0.97\nset xrange [%g:%g]\n"
           "set key at screen 0.97,0.975 right center horizontal\n",
           last > 0 ? 0 : -0.5, last > 0 ? last * 1.02 : 0.5);
  for (int i = 0, panel = 0; i < PANELS; i++)
    {
      if (!any[i])
        continue;
      const double height = 0.84 / panels, top = 0.95 - height * panel++;
      fprintf (script, "set tmargin at screen %.4f\nset bmargin at screen %.4f\nset ylabel '%s' offset 0.5\n", top,
               top - height + 0.03, labels[i]);
      fputs (panel == panels ? "set xlabel 'epoch'\nset format x '%g'\n" : "set format x ''\n", script);
      fprintf (script, "set ytics %g\n", tic_of (to[i] - from[i]));
      if (i == 2 && low > 0 && high > 20 * low)
        fputs ("set logscale y\nset ytics autofreq\n", script);
      else if (i == 2)
        fprintf (script, "set yrange [%.8g:%.8g]\nset xzeroaxis linewidth 1.2 linecolor '%s'\n",
                 fmin (0, low) - 0.05 * high, 1.1 * high, grey);
      for (int layer = 1; layer <= layers; layer++)
        {
          fprintf (script, "%s $data using ($1==%d?$2:NaN):%d with linespoints ", layer > 1 ? ", \\\n  " : "plot",
                   layer, 3 + i);
          const vrg_gnuplot_style s = vrg_gnuplot_curve (layer - 1);
          fprintf (script, "pointtype %d dashtype %d pointsize %g linewidth 1.8 linecolor '%s' ", s.point, s.dash,
                   i == 2 ? 0.5 : 0.3, s.colour);
          if (layers > 1 && panel == 1)
            fprintf (script, "title 'layer %d'", layer);
          else
            fputs ("notitle", script);
          if (i == 2)
            fprintf (script,
                     ", \\\n   $data using ($1==%d?$2:NaN):5:6 with yerrorbars pointtype %d pointsize 0.5 "
                     "linewidth 1.4 linecolor '%s' notitle",
                     layer, s.point, s.colour);
        }
      fputs ("\n", script);
    }
  fputs ("unset multiplot\n", script);
  return panels > 0;
}

/* ---- the learnt filter ---- */

static bool
filter_script (FILE *script, const vrg_model *model)
{
  int64_t size = model->filter, shown = model->hidden < FILTERS ? model->hidden : FILTERS,
          across = shown < 4 ? shown : 4;
  double largest = 0;
  if (model->type != VRG_MODEL_CONVOLUTION || model->rows == 1 || size < 1 || shown < 1)
    return false;
  fputs ("$data << END\n# column row weight\n", script);
  for (int64_t f = 0; f < shown; f++)
    {
      const double *weights = model->weights + f * size * size;
      double sum = 0;
      for (int64_t i = 0; i < size * size; i++)
        sum += weights[i];
      for (int64_t i = 0; i < size * size; i++)
        {
          double w = sum < 0 ? -weights[i] : weights[i]; /* the sign is arbitrary: positive sum, as the flow takes it */
          fprintf (script, "%lld %lld %.10g\n", (long long) (f % across * (size + 1) + i % size),
                   (long long) (f / across * (size + 1) + i / size), w);
          largest = fmax (largest, fabs (w));
        }
    }
  if (!(largest > 0))
    largest = 1;
  fprintf (script,
           "END\nset palette defined (-1 '#08306b', -0.5 '#4f94c6', 0 '#ffffff', 0.5 '#f4a259', 1 '#a63603')\n"
           "set cbrange [%.6g:%.6g]\nset cblabel 'weight'\nset colorbox\nunset grid\nunset key\nset border 0\n"
           "set xrange [-0.5:%lld.5]\nset yrange [%lld.5:-0.5]\nset size ratio -1\nset tics scale 0\n"
           "set xlabel 'column of the filter'\nset ylabel 'row of the filter'\nset xtics 1\nset ytics 1\n",
           -largest, largest, (long long) (across * (size + 1) - 2),
           (long long) ((shown + across - 1) / across * (size + 1) - 2));
  if (shown > 1)
    fputs ("unset xtics\nunset ytics\n", script);
  /* the block that the hidden unit stands for */
  for (int64_t f = 0; f < shown; f++)
    {
      double corner = (double) (size - model->stride) / 2 - 0.5, x = (double) (f % across * (size + 1)) + corner,
             y = (double) (f / across * (size + 1)) + corner;
      fprintf (script,
               "set object %lld rectangle from %g,%g to %g,%g front fillstyle empty border linecolor 'black' linewidth "
               "2\n",
               (long long) f + 1, x, y, x + (double) model->stride, y + (double) model->stride);
    }
  fputs ("plot $data using 1:2:3 with image pixels", script);
  if (shown == 1 && size <= 10) /* numbers, so that the sign shows without colours too */
    fprintf (script,
             ", \\\n  $data using 1:2:(abs($3)>%.6g?'':abs($3)<0.005?'0':sprintf('%%.2f',$3)) with labels font ',11' "
             "textcolor 'black'"
             ", \\\n  $data using 1:2:(abs($3)>%.6g?sprintf('%%.2f',$3):'') with labels font ',11' textcolor 'white'\n",
             0.6 * largest, 0.6 * largest);
  else
    fputs (", \\\n  $data using ($3<0?$1:NaN):2 with points pointtype 7 pointsize 0.2 linecolor 'black'\n", script);
  return true;
}

/* ---- images ---- */

/** A picture of numbers, 0 between what is drawn. */
typedef struct
{
  int64_t rows, columns;
  double *value; /* [rows][columns] */
  int frames;
} canvas;

static canvas
canvas_new (int64_t rows, int64_t columns)
{
  return (canvas){ .rows = rows, .columns = columns, .value = vrg_new (rows * columns, sizeof (double), "a picture") };
}

static void
put_frame (FILE *script, canvas *c, int64_t row, int64_t column, int64_t rows, int64_t columns)
{
  fprintf (script,
           "set object %d rectangle from %.1f,%.1f to %.1f,%.1f front fillstyle empty border linecolor '%s' linewidth "
           "0.6\n",
           ++c->frames, (double) column - 0.5, (double) row - 0.5, (double) (column + columns) - 0.5,
           (double) (row + rows) - 0.5, grey);
}

/** The numbers, ranges without ticks, and the plot; frees the canvas. */
static void
put_canvas (FILE *script, canvas *c, bool square)
{
  fputs ("$data << END\n", script);
  for (int64_t y = 0; y < c->rows; y++)
    for (int64_t x = 0; x < c->columns; x++)
      fprintf (script, "%.3g%c", c->value[y * c->columns + x], x + 1 < c->columns ? ' ' : '\n');
  fprintf (script,
           "END\nunset grid\nunset key\nset border 0\n"
           "set xrange [-0.5:%.1f]\nset yrange [%.1f:-0.5]\n%splot $data matrix with image%s\n",
           (double) c->columns - 0.5, (double) c->rows - 0.5, square ? "set size ratio -1\n" : "",
           c->rows * c->columns <= PIXELS ? " pixels" : "");
  vrg_free (c->value);
}

/** Receptive fields of a layer: maps on a square grid; of a ring, a line each. */
static bool
fields_script (FILE *script, const vrg_report_fields *f)
{
  const int64_t rows = f->rows < WINDOW ? f->rows : WINDOW, columns = f->columns < WINDOW ? f->columns : WINDOW;
  const bool ring = f->rows == 1;
  const int64_t gap = ring ? 0 : 1 + rows / 32;
  int across = 1;
  while (!ring && across * across < f->shown)
    across++;
  if (f->shown == 0)
    return false;
  const int64_t down = (f->shown + across - 1) / across;
  canvas c = canvas_new (down * (rows + gap) - gap, across * (columns + gap) - gap);
  for (int i = 0; i < f->shown; i++)
    {
      const double *map = f->map + i * f->rows * f->columns;
      const int64_t top = i / across * (rows + gap), left = i % across * (columns + gap);
      /* a window around the centre where the whole is too large */
      const int64_t y0 = rows < f->rows ? f->centre[i][0] - rows / 2 + f->rows : 0,
                    x0 = columns < f->columns ? f->centre[i][1] - columns / 2 + f->columns : 0;
      double sum = 0, largest = 0;
      for (int64_t k = 0; k < f->rows * f->columns; k++)
        {
          sum += map[k];
          largest = fmax (largest, fabs (map[k]));
        }
      const double scale = largest > 0 && isfinite (sum) ? (sum < 0 ? -1 : 1) / largest : 0;
      for (int64_t y = 0; y < rows && scale != 0; y++)
        for (int64_t x = 0; x < columns; x++)
          c.value[(top + y) * c.columns + left + x]
            = scale * map[(y0 + y) % f->rows * f->columns + (x0 + x) % f->columns];
      if (!ring)
        put_frame (script, &c, top, left, rows, columns);
    }
  fputs ("set tics scale 0\n"
         "set palette defined (-1 '#08306b', -0.5 '#4f94c6', 0 '#ffffff', 0.5 '#f4a259', 1 '#a63603')\n"
         "set cbrange [-1:1]\nset cblabel 'weight / largest of the field'\nset colorbox\n"
         "set lmargin 1\nset tmargin 1\nset bmargin 1\n",
         script);
  if (ring)
    fputs ("set lmargin 7\nset bmargin 4\nset xlabel 'site'\nset ylabel 'place of the unit'\n", script);
  else
    fputs ("unset xtics\nunset ytics\n", script);
  put_canvas (script, &c, !ring);
  return true;
}

/** Configurations above what the models make of them, or without them; of a ring, one is a line. */
static bool
configurations_script (FILE *script, const vrg_report_learnt *l, int64_t number, uint64_t *const *below)
{
  const bool ring = l->rows == 1;
  const int64_t rows = l->rows < WINDOW ? l->rows : WINDOW, columns = l->columns < WINDOW ? l->columns : WINDOW;
  int64_t n = number < l->rebuilds ? number : l->rebuilds;
  n = ring || n < CONFIGURATIONS ? n : CONFIGURATIONS;
  if (n < 1)
    return false;
  const int64_t high = ring ? n : rows, gap = ring ? 1 : rows / 16 + 1,
                wide = ring ? columns : n * (columns + gap) - gap;
  canvas c = canvas_new ((l->layers + 1) * (high + gap) - gap, wide);
  fputs ("set tics scale 0\nunset xtics\nset ytics (", script);
  for (int d = 0; d <= l->layers; d++)
    {
      const uint64_t *spins = d == 0 ? l->original : below[d - 1];
      const int64_t top = d * (high + gap);
      const double middle = (double) top + (double) (high - 1) / 2;
      if (d == 0)
        fprintf (script, "'data' %.1f", middle);
      else
        fprintf (script, ", '%d layer%s' %.1f", d, d > 1 ? "s" : "", middle);
      for (int64_t i = 0; i < n; i++)
        for (int64_t y = 0; y < rows; y++)
          for (int64_t x = 0; x < columns; x++)
            {
              const bool up = spins[(i * l->rows + y) * l->words + x / 64] >> (x % 64) & 1;
              c.value[(top + (ring ? i : y)) * wide + (ring ? 0 : i * (columns + gap)) + x] = up ? 1 : -1;
            }
    }
  fputs (")\n", script);
  for (int d = 0; d <= l->layers; d++)
    for (int64_t i = 0; i < (ring ? 1 : n); i++)
      put_frame (script, &c, d * (high + gap), i * (columns + gap), high, columns);
  fputs ("set palette defined (-1 '#ffffff', 0 '#ffffff', 1 '#1b4f86')\nset cbrange [-1:1]\nunset colorbox\n"
         "set rmargin 1\nset tmargin 1\nset bmargin 1\n",
         script);
  put_canvas (script, &c, !ring);
  return true;
}

/* ---- radii ---- */

static int
compare (const void *a, const void *b)
{
  const double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

double
vrg_training_radius (const vrg_table_data *t, int layer, int *live, int *units)
{
  double *radii = vrg_new (t->rows, sizeof *radii, "radii");
  *live = *units = 0;
  for (int row = 0; row < t->rows; row++)
    {
      const double radius = vrg_cell (t, row, "rms_radius");
      if (vrg_cell (t, row, "layer") != layer)
        continue;
      ++*units;
      if (vrg_cell (t, row, "live") == 1 && isfinite (radius))
        radii[(*live)++] = radius;
    }
  qsort (radii, (size_t) *live, sizeof *radii, compare);
  const double median = *live > 0 ? (radii[(*live - 1) / 2] + radii[*live / 2]) / 2 : (double) NAN;
  vrg_free (radii);
  return median;
}

double
vrg_training_structureless (const vrg_report_learnt *learnt, int layer)
{
  if (learnt == NULL || layer > learnt->layers)
    return NAN;
  const vrg_report_fields *f = &learnt->fields[layer - 1];
  return vrg_fields_structureless (
    &(vrg_fields){ .lattice = { learnt->rows, learnt->columns }, .rows = f->rows, .columns = f->columns });
}

static bool
radii_script (FILE *script, const vrg_report_data *data)
{
  const vrg_table_data *t = data->fields;
  const int layers = vrg_column_max (t, "layer");
  double high = 0;
  int points = 0;
  if (layers < 1 || layers > VRG_MAX_LAYERS)
    return false;
  fputs ("$data << END\n# layer, spread out for the eye; rms_radius of live units\n", script);
  for (int row = 0; row < t->rows; row++)
    {
      const double radius = vrg_cell (t, row, "rms_radius"), aside = fmod (0.618034 * row, 1) - 0.5;
      if (vrg_cell (t, row, "live") != 1 || !isfinite (radius))
        continue;
      fprintf (script, "%.4f %.8g\n", vrg_cell (t, row, "layer") + 0.5 * aside, radius);
      high = fmax (high, radius);
      points++;
    }
  fputs ("END\n$without << END\n# layer - 0.5, radius without structure, length of the line\n", script);
  for (int layer = 1; layer <= layers; layer++)
    {
      const double without = vrg_training_structureless (data->learnt, layer);
      fprintf (script, "%.4f %.8g 1\n", layer - 0.5, without);
      high = fmax (high, without); /* nan is passed over */
    }
  fputs ("END\n$median << END\n# layer - 0.35, median, length of the line\n", script);
  for (int layer = 1; layer <= layers; layer++)
    {
      int live, units;
      const double median = vrg_training_radius (t, layer, &live, &units);
      if (live > 0)
        fprintf (script, "%.4f %.8g 0.7\n", layer - 0.35, median);
    }
  fprintf (script,
           "END\nset xrange [0.5:%d.5]\nset yrange [0:%.6g]\nset xtics 1\nset xlabel 'layer'\n"
           "set ylabel 'rms radius (lattice constants)' offset 0.5\n"
           "set tmargin at screen 0.85\nset key at screen 0.97,0.925 right center horizontal\nplot ",
           layers, 1.08 * high);
  if (data->learnt != NULL)
    fprintf (script,
             "$without using 1:2:3:(0) with vectors nohead dashtype 2 linewidth 1.6 linecolor '%s' title 'without "
             "structure', \\\n  ",
             grey);
  fprintf (script,
           "$data using 1:2 with points pointtype 7 pointsize 0.35 linecolor '%s' title 'a live unit', \\\n"
           "  $median using 1:2:3:(0) with vectors nohead linewidth 3 linecolor '%s' title 'median'\n",
           colour (0), colour (1));
  return points > 2;
}

/* ---- spectra ---- */

static bool
spectrum_script (FILE *script, const vrg_spectrum *s)
{
  const bool principal = s->samples > 0;
  if (s->values < 1)
    return false;
  fputs ("$singular << END\n# number, singular value of the weights\n", script);
  double high = fmax (s->edge, s->edge_start);
  for (int64_t i = 0; i < s->values; i++)
    {
      fprintf (script, "%lld %.8g\n", (long long) i + 1, s->singular_values[i]);
      high = fmax (high, s->singular_values[i]);
    }
  fputs ("END\n$principal << END\n# number, principal value of the data\n", script);
  for (int64_t i = 0; i < s->visible && principal; i++)
    if (s->principal_values[i] > 1e-9 * s->principal_values[0])
      fprintf (script, "%lld %.8g\n", (long long) i + 1, s->principal_values[i]);
  fprintf (script,
           "END\nset multiplot\nset tmargin at screen 0.82\nset bmargin at screen 0.195\n"
           "set lmargin at screen 0.15\nset rmargin at screen %g\nset xlabel 'number'\n"
           "set ylabel 'singular value' offset 0.5\nset yrange [0:%.6g]\nset xrange [0:%.8g]\n"
           "set key at screen 0.15,0.91 left center vertical\n"
           "plot %.8g with lines linewidth 1.6 linecolor '%s' title 'edge of random weights as large as these', \\\n"
           "  %.8g with lines dashtype 2 linewidth 1.6 linecolor '%s' title 'edge of the weights at the start', \\\n"
           "  $singular using 1:2 with points pointtype 7 pointsize 0.4 linecolor '%s' notitle\n",
           principal ? 0.48 : 0.96, 1.06 * high, (double) s->values + 1, s->edge, colour (1), s->edge_start, grey,
           colour (0));
  if (principal)
    fprintf (script,
             "set lmargin at screen 0.66\nset rmargin at screen 0.97\nset autoscale\nset logscale xy\n"
             "set format y '10^{%%T}'\nset xrange [0.8:%.8g]\nset ylabel 'principal value' offset 0.5\n"
             "plot $principal using 1:2 with points pointtype 7 pointsize 0.4 linecolor '%s' notitle\n",
             1.2 * (double) s->visible, colour (2));
  fputs ("unset multiplot\n", script);
  return true;
}

static bool
overlap_script (FILE *script, const vrg_spectrum *s)
{
  if (s->leading < 1 || s->components < 1 || s->samples < 1)
    return false;
  fputs ("$data << END\n# principal component, singular vector, overlap\n", script);
  for (int64_t i = 0; i < s->leading; i++)
    for (int64_t k = 0; k < s->components; k++)
      fprintf (script, "%lld %lld %.6g\n", (long long) k + 1, (long long) i + 1, s->overlaps[i * s->components + k]);
  fprintf (script,
           "END\nset palette defined (0 '#ffffff', 0.5 '#f4a259', 1 '#a63603')\nset cbrange [0:1]\n"
           "set cblabel '|overlap|'\nset colorbox\nunset grid\nunset key\nset tics scale 0\nset size ratio -1\n"
           "set xrange [0.5:%lld.5]\nset yrange [%lld.5:0.5]\nset xtics 1,%d\nset ytics 1,%d\n"
           "set xlabel 'principal component of the data'\nset ylabel 'singular vector of the weights'\n"
           "plot $data using 1:2:3 with image pixels\n",
           (long long) s->components, (long long) s->leading, s->components > 12 ? 3 : 1, s->leading > 12 ? 3 : 1);
  return true;
}

/* ---- couplings from the weights ---- */

static bool
interactions_script (FILE *script, const vrg_table_data *t)
{
  const int layers = vrg_column_max (t, "layer");
  int points[VRG_MAX_LAYERS] = { 0 }, all = 0;
  double exact = NAN, far = 1;
  if (layers < 1 || layers > VRG_MAX_LAYERS)
    return false;
  fputs ("$data << END\n# distance coupling spread, one block a layer\n", script);
  for (int layer = 1; layer <= layers; layer++)
    {
      for (int row = 0; row < t->rows; row++)
        {
          const double y = vrg_cell (t, row, "coupling"), spread = vrg_cell (t, row, "spread"),
                       distance = hypot (vrg_cell (t, row, "distance_row"), vrg_cell (t, row, "distance_column"));
          if (vrg_cell (t, row, "layer") != layer || vrg_cell (t, row, "order") != 2 || !isfinite (y)
              || !isfinite (distance))
            continue;
          if (distance == 1 && layer == 1)
            exact = fmax (exact, vrg_cell (t, row, "exact"));
          fprintf (script, "%.8g %.8g %.8g\n", distance, y, isfinite (spread) ? spread : 0);
          far = fmax (far, distance);
          points[layer - 1]++;
          all++;
        }
      if (points[layer - 1] > 0)
        fputs ("\n\n", script);
    }
  fprintf (script,
           "END\nset xrange [0:%.6g]\nset xlabel 'distance of the pair (lattice constants)'\n"
           "set ylabel 'coupling' offset 0.5\nset tmargin at screen 0.90\n"
           "set key at screen 0.97,0.955 right center horizontal\nplot 0 with lines linecolor '%s' notitle",
           far + 0.5, grey);
  if (isfinite (exact))
    fprintf (script, ", \\\n  %.8g with lines dashtype 2 linewidth 1.6 linecolor '%s' title 'K = %.6g of the samples'",
             exact, colour (6), exact);
  for (int layer = 1, block = 0; layer <= layers; layer++)
    if (points[layer - 1] > 0)
      fprintf (script,
               ", \\\n  $data index %d using 1:2:3 with yerrorbars pointtype %d pointsize 0.5 linewidth 1.2 linecolor "
               "'%s' title 'layer %d'",
               block++, vrg_gnuplot_curve (layer - 1).point, colour (layer - 1), layer);
  fputs ("\n", script);
  return all > 0;
}

/* ---- two-point function ---- */

static bool
two_point_script (FILE *script, const vrg_table_data *t)
{
  static const char *const axes[] = { "two_point_row", "two_point_column" };
  const int layers = vrg_column_max (t, "layers");
  int points = 0, exact = 0, n[2] = { 0 };
  if (layers < 1 || layers > VRG_MAX_LAYERS)
    return false;
  fputs ("$data << END\n# distance value error data data_error exact, one block a depth and axis\n", script);
  for (int depth = 1; depth <= layers; depth++)
    for (int axis = 0; axis < 2; axis++)
      {
        fputs ("0 1 0 1 0 1\n", script);
        for (int row = 0; row < t->rows; row++)
          {
            if (vrg_cell (t, row, "layers") != depth || strcmp (vrg_cell_text (t, row, "quantity"), axes[axis]) != 0)
              continue;
            const double e = vrg_cell (t, row, "error"), de = vrg_cell (t, row, "data_error");
            fprintf (script, "%g %.8g %.8g %.8g %.8g %.8g\n", vrg_cell (t, row, "distance"), vrg_cell (t, row, "value"),
                     isfinite (e) ? e : 0, vrg_cell (t, row, "data"), isfinite (de) ? de : 0,
                     vrg_cell (t, row, "exact"));
            points++;
            n[axis]++;
            exact += isfinite (vrg_cell (t, row, "exact"));
          }
        fputs ("\n\n", script);
      }
  const int first = n[0] > 0 ? 0 : 1, last = n[1] > 0 ? 1 : 0;
  fputs (
    "END\nset xlabel 'distance (lattice constants)'\nset ylabel 'two-point function' offset 0.5\n"
    "set xrange [-0.3:*]\nset key at graph 0.98,0.98 right top vertical\nplot 0 with lines linecolor '#999999' notitle",
    script);
  for (int axis = first; axis <= last; axis++)
    {
      const bool named = axis == last;
      if (exact > 0)
        fprintf (script,
                 ", \\\n  $data index %d using 1:($1>0?$6:NaN) with points pointtype 2 pointsize 1.1 linewidth 1.6 "
                 "linecolor '%s' %s",
                 axis, colour (6), named ? "title 'exact'" : "notitle");
      for (int depth = 0; depth <= layers; depth++)
        {
          const int shapes[] = { 6, 4, 8, 12, 10 }; /* open; the next is the full one */
          fprintf (script,
                   ", \\\n  $data index %d using 1:%s with yerrorlines pointtype %d pointsize 0.55 linewidth 1.4 "
                   "linecolor '%s' ",
                   2 * (depth > 0 ? depth - 1 : 0) + axis, depth ? "2:3" : "4:5", shapes[depth % 5] + axis,
                   depth ? colour (depth - 1) : "#222222");
          if (!named)
            fputs ("notitle", script);
          else if (depth == 0)
            fputs ("title 'data'", script);
          else
            fprintf (script, "title 'model of %d layer%s'", depth, depth > 1 ? "s" : "");
        }
    }
  fputs ("\n", script);
  return points > 0;
}

/* ---- all of them ---- */

void
vrg_training_describe (vrg_figure figures[VRG_FIGURES], const vrg_report_data *data)
{
  const vrg_report_learnt *learnt = data->learnt;
  char name[32], title[64];
  vrg_figure_set (
    &figures[VRG_FIGURE_TRAINING], "training", "Training",
    "Reconstruction error (one Gibbs step), pseudo-likelihood (nats) and, where $ln Z$ was estimated, the "
    "divergence from the exact law (nats), by epoch. They should have levelled off; only the divergence "
    "says how good the model is: 0 would be perfect.");
  figures[VRG_FIGURE_TRAINING].height = 640;
  vrg_figure_set (&figures[VRG_FIGURE_FILTER], "filter", "Learnt filter",
                  "Weights of the learnt block rule (overall sign chosen for a positive sum): orange positive, blue "
                  "negative, framed: the block that the hidden spin stands for. The majority rule would be equal "
                  "weights inside the frame and none outside.");
  figures[VRG_FIGURE_FILTER].width = 560;
  vrg_figure_set (&figures[VRG_FIGURE_RADII], "radii", "Size of the receptive fields",
                  "Root mean square distance from the centre of a field, with its squares as weights. Blocks that grow "
                  "from layer to layer are what Mehta and Schwab compare with renormalization; a field near the dashed "
                  "line has no size of its own.");
  vrg_figure_set (&figures[VRG_FIGURE_INTERACTIONS], "interactions", "Couplings that the weights stand for",
                  "Pair couplings among the visible units of a layer, with the hidden ones summed out, against their "
                  "distance; bars: standard deviation over translations. A perfect first layer has the coupling of the "
                  "samples between nearest neighbours and none beyond.");
  vrg_figure_set (
    &figures[VRG_FIGURE_TWO_POINT], "two-point", "Two-point function",
    "$⟨s s'⟩$ of the samples trained on and of samples of the models, of spins so many columns (filled symbols) or "
    "rows (open symbols) apart: perfect models lie on the data.");
  vrg_figure_set (
    &figures[VRG_FIGURE_RECONSTRUCTIONS], "reconstructions", "Reconstructions",
    "Configurations of the data, blue: spin up, and beneath what is drawn of them through the layers and back.");
  vrg_figure_set (
    &figures[VRG_FIGURE_SAMPLES], "samples", "Samples of the models",
    "Configurations of the data, blue: spin up, and beneath some of the models: they should look alike, but do not "
    "belong together.");
  if (learnt != NULL && learnt->rows > 1)
    for (int i = VRG_FIGURE_RECONSTRUCTIONS; i <= VRG_FIGURE_SAMPLES; i++)
      {
        figures[i].width = 760;
        figures[i].spins = true;
        figures[i].height
          = 40 + (int) (112 * (learnt->layers + 1) * fmin (2, (double) learnt->rows / (double) learnt->columns));
      }
  for (int k = 0; k < VRG_MAX_LAYERS; k++)
    {
      vrg_figure *f = &figures[VRG_FIGURE_FIELDS + k];
      snprintf (name, sizeof name, "fields-%d", k + 1);
      snprintf (title, sizeof title, "Receptive fields of layer %d", k + 1);
      vrg_figure_set (f, name, title, "");
      const int64_t live = learnt != NULL && k < learnt->layers ? learnt->fields[k].live : 0;
      snprintf (f->caption, sizeof f->caption,
                "%s of the %lld live %s, on the lattice%s, the one with the largest norm first; each in units of its "
                "largest weight, its sign chosen for a positive sum: orange positive, blue negative.",
                learnt != NULL && k < learnt->layers && learnt->fields[k].shown < live ? "Those with the largest norms"
                                                                                       : "All",
                (long long) live,
                data->stack != NULL && data->stack->layer[0]->type == VRG_MODEL_CONVOLUTION ? "filters" : "units",
                k > 0 ? ", through the layers below: $r_l = W_l r_{l-1}$" : "");
      f->height = 520;
      snprintf (name, sizeof name, "spectrum-%d", k + 1);
      snprintf (title, sizeof title, "Singular values of layer %d", k + 1);
      vrg_figure_set (
        &figures[VRG_FIGURE_SPECTRUM + k], name, title,
        "Singular values of the weights against the largest that independent random weights would have (Marchenko "
        "and Pastur), as large as these or as at the start: weights with values above it have structure. "
        "Beside them the principal values of the units' covariance in the data.");
      snprintf (name, sizeof name, "overlap-%d", k + 1);
      snprintf (title, sizeof title, "Singular vectors and principal components of layer %d", k + 1);
      vrg_figure_set (
        &figures[VRG_FIGURE_OVERLAP + k], name, title,
        "Modulus of the cosine of the leading right singular vectors of the weights and the principal components of "
        "the data: near the diagonal where training follows the components one by one; nearly equal "
        "principal values mix freely.");
    }
}

/** A convolution in two dimensions, whose filters are drawn with their blocks. */
static bool
has_filter (const vrg_report_data *data)
{
  return data->stack != NULL && data->stack->layer[0]->type == VRG_MODEL_CONVOLUTION && data->stack->layer[0]->rows > 1;
}

bool
vrg_training_script (FILE *script, const vrg_report_data *data, int index)
{
  const vrg_report_learnt *learnt = data->learnt;
  switch (index)
    {
    case VRG_FIGURE_TRAINING:
      return data->train != NULL && curves_script (script, data->train);
    case VRG_FIGURE_FILTER:
      return data->stack != NULL && filter_script (script, data->stack->layer[0]);
    case VRG_FIGURE_RADII:
      return data->fields != NULL && radii_script (script, data);
    case VRG_FIGURE_INTERACTIONS:
      return data->interactions != NULL && interactions_script (script, data->interactions);
    case VRG_FIGURE_TWO_POINT:
      return data->model_samples != NULL && two_point_script (script, data->model_samples);
    case VRG_FIGURE_RECONSTRUCTIONS:
      return learnt != NULL && configurations_script (script, learnt, learnt->rebuilds, learnt->rebuild);
    case VRG_FIGURE_SAMPLES:
      return learnt != NULL && configurations_script (script, learnt, learnt->samples, learnt->drawn);
    default:
      break;
    }
  if (index >= VRG_FIGURE_OVERLAP && index < VRG_FIGURE_OVERLAP + VRG_MAX_LAYERS)
    return index - VRG_FIGURE_OVERLAP < data->spectra
           && overlap_script (script, data->spectrum[index - VRG_FIGURE_OVERLAP]);
  if (index >= VRG_FIGURE_SPECTRUM && index < VRG_FIGURE_SPECTRUM + VRG_MAX_LAYERS)
    return index - VRG_FIGURE_SPECTRUM < data->spectra
           && spectrum_script (script, data->spectrum[index - VRG_FIGURE_SPECTRUM]);
  if (index == VRG_FIGURE_FIELDS && has_filter (data) && data->stack->layer[0]->hidden <= FILTERS)
    return false; /* the same picture */
  return index >= VRG_FIGURE_FIELDS && learnt != NULL && index - VRG_FIGURE_FIELDS < learnt->layers
         && fields_script (script, &learnt->fields[index - VRG_FIGURE_FIELDS]);
}
