/* SPDX-License-Identifier: GPL-3.0-or-later
 * Geometry of convolutions: which units act through which weights on which fields.  Weights of a filter's row that see the
 * same phase are neighbours in the hidden lattice; four of them make a table. */
#include <stdlib.h>

#include "base/math.h"
#include "base/memory.h"
#include "train/convolution_kernels.h"

/** Weights of one row of a filter that see one column phase. */
typedef struct
{
  int64_t n, first, shift; /* dx = first + stride k, 0 <= k < n, sees the phase's column x + shift + k */
  int64_t tables, before;  /* of theirs, and of the phases before */
} run;

static void
make_runs (const vrg_shape *s, run *runs)
{
  for (int64_t p = 0; p < s->stride; p++)
    {
      run *r = runs + p;
      r->first = vrg_modulo (p + s->left, s->stride);
      r->n = r->first < s->filter ? (s->filter - r->first + s->stride - 1) / s->stride : 0;
      r->shift = vrg_floor_divide (r->first - s->left, s->stride);
      r->tables = (r->n + VRG_SCAN_BITS - 1) / VRG_SCAN_BITS;
      r->before = p ? r[-1].before + r[-1].tables : 0;
    }
}

/** Rows of fields see rows of units shifted by least <= shift <= most. */
static void
begin (vrg_scan *scan, const vrg_shape *s, int64_t windows, int64_t planes, int64_t tables, int64_t least, int64_t most)
{
  *scan = (vrg_scan){ .rows = s->rows, .columns = s->columns, .pitch = s->pitch, .planes = (int) planes };
  scan->top = least < 0 ? -least : 0;
  scan->bottom = most > 0 ? most : 0;
  scan->size = (scan->top + scan->rows + scan->bottom) * scan->columns + 2 * VRG_SCAN_LANES;
  scan->plane = vrg_new (windows, sizeof *scan->plane, "a filter");
  scan->start = vrg_new (windows, sizeof *scan->start, "a filter");
  scan->first = vrg_new (planes + 1, sizeof *scan->first, "a filter");
  scan->window = vrg_new (tables, sizeof *scan->window, "a filter");
  scan->shift = vrg_new (tables, sizeof *scan->shift, "a filter");
  scan->table = vrg_new (tables, sizeof *scan->table, "a filter");
  scan->tap = vrg_new (tables, sizeof *scan->tap, "a filter");
}

static void
add_window (vrg_scan *scan, int64_t plane, int64_t start)
{
  scan->plane[scan->windows] = (int) plane;
  scan->start[scan->windows++] = (int) start;
}

/** Table number *t, of a window seen from `shift` rows before; bit k is weight first + step k, 0 <= k < n. */
static void
add_table (vrg_scan *scan, int *t, int64_t window, int64_t shift, int64_t first, int64_t step, int64_t n)
{
  scan->window[*t] = (int) window;
  scan->shift[*t] = shift * scan->columns;
  for (int64_t k = 0; k < VRG_SCAN_BITS; k++)
    scan->tap[*t][k] = (int32_t) (k < n ? first + step * k : -1);
  ++*t;
}

void
vrg_scan_init (const vrg_shape *s, vrg_scan *hidden, vrg_scan *visible)
{
  const int64_t least = vrg_floor_divide (-s->top, s->stride_rows);
  const int64_t most = vrg_floor_divide (s->filter_rows - 1 - s->top, s->stride_rows);
  run *runs = vrg_new (s->stride, sizeof *runs, "a filter");
  make_runs (s, runs);
  const int64_t row = runs[s->stride - 1].before + runs[s->stride - 1].tables; /* tables of a filter's row */
  int t = 0;

  /* tables of a window follow each other, which the gradient makes use of */
  begin (hidden, s, s->stride_rows * row, s->filters, s->filters * s->filter_rows * row, least, most);
  for (int64_t p = 0; p < s->phases; p++)
    for (int64_t g = 0; g < runs[p % s->stride].tables; g++)
      add_window (hidden, p, runs[p % s->stride].shift + VRG_SCAN_BITS * g);
  for (int64_t f = 0; f < s->filters; f++)
    {
      for (int64_t p = 0; p < s->phases; p++)
        for (int64_t g = 0; g < runs[p % s->stride].tables; g++)
          for (int64_t dy = vrg_modulo (p / s->stride + s->top, s->stride_rows); dy < s->filter_rows;
               dy += s->stride_rows)
            {
              const run *r = runs + p % s->stride;
              add_table (hidden, &t, p / s->stride * row + r->before + g,
                         vrg_floor_divide (dy - s->top, s->stride_rows),
                         (f * s->filter_rows + dy) * s->filter + r->first + s->stride * VRG_SCAN_BITS * g, s->stride,
                         r->n - VRG_SCAN_BITS * g);
            }
      hidden->first[f + 1] = t;
    }

  /* what a hidden unit sees at a shift is seen from there at the opposite one */
  begin (visible, s, s->filters * row, s->phases, s->filters * s->filter_rows * row, -most, -least);
  for (int64_t f = 0; f < s->filters; f++)
    for (const run *r = runs; r < runs + s->stride; r++)
      for (int64_t g = 0; g < r->tables; g++)
        add_window (visible, f, VRG_SCAN_BITS * g - (r->shift + r->n - 1));
  t = 0;
  for (int64_t p = 0; p < s->phases; p++)
    {
      const run *r = runs + p % s->stride;
      for (int64_t f = 0; f < s->filters; f++)
        for (int64_t g = 0; g < r->tables; g++)
          for (int64_t dy = vrg_modulo (p / s->stride + s->top, s->stride_rows); dy < s->filter_rows;
               dy += s->stride_rows)
            add_table (visible, &t, f * row + r->before + g, -vrg_floor_divide (dy - s->top, s->stride_rows),
                       (f * s->filter_rows + dy) * s->filter + r->first + s->stride * (r->n - 1 - VRG_SCAN_BITS * g),
                       -s->stride, r->n - VRG_SCAN_BITS * g);
      visible->first[p + 1] = t;
    }
  vrg_free (runs);
}

void
vrg_scan_clear (vrg_scan *scan)
{
  vrg_free (scan->plane);
  vrg_free (scan->start);
  vrg_free (scan->first);
  vrg_free (scan->window);
  vrg_free (scan->shift);
  vrg_free (scan->table);
  vrg_free (scan->tap);
}

bool
vrg_scan_round (vrg_scan *scan, int plane, const int32_t *weights, int32_t bias)
{
  int64_t size = abs (bias);
  for (int t = scan->first[plane]; t < scan->first[plane + 1]; t++)
    {
      int32_t sum = 0, w[VRG_SCAN_BITS];
      for (int k = 0; k < VRG_SCAN_BITS; k++)
        {
          w[k] = scan->tap[t][k] < 0 ? 0 : weights[scan->tap[t][k]];
          size += abs (w[k]);
          if (size >= (int64_t) VRG_LAYER_BOUND * VRG_FIXED_ONE)
            return false;
          sum -= w[k];
        }
      scan->table[t][0] = sum;
      for (int i = 1; i < 1 << VRG_SCAN_BITS; i++)
        scan->table[t][i] = scan->table[t][i & (i - 1)] + 2 * w[__builtin_ctz ((unsigned) i)];
    }
  return true;
}

int64_t
vrg_shape_image (const vrg_shape *s, int64_t weight)
{
  const int64_t n = s->filter, size = s->filter_rows * n, dy = weight % size / n, dx = weight % n;
  const int64_t y[2] = { dy, s->filter_rows - 1 - dy }, x[2] = { dx, n - 1 - dx };
  int64_t first = weight % size;
  for (int i = 0; i < 4; i++)
    {
      const int64_t here = y[i / 2] * n + x[i % 2], turned = x[i % 2] * n + y[i / 2];
      if (here < first)
        first = here;
      if (s->filter_rows > 1 && turned < first)
        first = turned;
    }
  return weight - weight % size + first;
}
