/* SPDX-License-Identifier: GPL-3.0-or-later
 * Couplings from weights by quadrature.
 *
 * The trapezoidal rule with spacing h sums F's differences periodically continued by 2 pi / h in the unit's field. 
 * They vanish as exp (-2 |x|) away from 0, so that h = 2 pi / (A + 16) is enough where the field stays below A: the
 * sum of |W| and |b|, or eight standard deviations, beyond which random units have 3e-14 of their weight. */
#include "train/interactions.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/simd.h"

#define NODES 8 /* worked on together */
#define VECTOR 8
#define LAST 20.0   /* 1 / (t sinh (pi t / 2)) is 2e-15 there */
#define MARGIN 16.0 /* exp (-32) is 1e-14 */
#define DEVIATIONS 8.0
#define ONE 281474976710656.0     /* 2^48 */
#define SMALL INT64_C (400)       /* sites of a lattice of which all distances are wanted */
#define MOST INT64_C (80000000)   /* units * sites * distances */
#define BLOCK (INT64_C (1) << 21) /* numbers gathered at a time */
#define PI 3.14159265358979323846
#define ALWAYS static inline __attribute__ ((always_inline))

/** Groups of four sites, (row, column) of each. */
static const struct
{
  const char *name;
  int64_t row, column;
  int8_t site[4][2];
} fours[] = { { "line", 0, 3, { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 0, 3 } } },
              { "line", 3, 0, { { 0, 0 }, { 1, 0 }, { 2, 0 }, { 3, 0 } } },
              { "plaquette", 1, 1, { { 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 } } },
              { "zigzag", 1, 2, { { 0, 0 }, { 0, 1 }, { 1, 1 }, { 1, 2 } } },
              { "tee", 1, 2, { { 0, 0 }, { 0, 1 }, { 0, 2 }, { 1, 1 } } },
              { "diamond", 2, 2, { { 0, 1 }, { 1, 0 }, { 1, 2 }, { 2, 1 } } },
              { "square2", 2, 2, { { 0, 0 }, { 0, 2 }, { 2, 0 }, { 2, 2 } } } };
#define FOURS ((int) (sizeof fours / sizeof *fours))

/** How the sites that a unit sees are laid out: a plane of rows x columns in a rim that pairs reach into, which repeats
 *  the plane where that is the whole torus and is 0 elsewhere. */
typedef struct
{
  int64_t lattice[2], side[2], origin[2], period[2]; /* couplings repeat after a period */
  int64_t width, rim, pitch, size; /* whole vectors of a row; numbers of a row and of a plane with the rim */
  int groups;                      /* of every order: sums [groups][period[0]][period[1]] */
} plane;

static int64_t
wrap (int64_t x, int64_t length)
{
  return (x % length + length) % length;
}

/** Is a distance equal to one of the first n groups', in either direction. */
static bool
known (const vrg_interaction *item, int n, const int64_t lattice[2], int64_t y, int64_t x)
{
  for (int i = 0; i < n; i++)
    for (int sign = -1; sign <= 1; sign += 2)
      if (item[i].order == 2 && wrap (sign * item[i].row - y, lattice[0]) == 0
          && wrap (sign * item[i].column - x, lattice[1]) == 0)
        return true;
  return false;
}

static bool
distinct (int shape, const int64_t lattice[2])
{
  for (int a = 0; a < 4; a++)
    for (int b = 0; b < a; b++)
      if (wrap (fours[shape].site[a][0] - fours[shape].site[b][0], lattice[0]) == 0
          && wrap (fours[shape].site[a][1] - fours[shape].site[b][1], lattice[1]) == 0)
        return false;
  return true;
}

/** The list of groups: the site, pairs by distance, groups of four. */
static int
list (const int64_t lattice[2], int64_t reach, vrg_interaction *item)
{
  const int64_t sites = lattice[0] * lattice[1];
  const int64_t most[2]
    = { reach < lattice[0] / 2 ? reach : lattice[0] / 2, reach < lattice[1] / 2 ? reach : lattice[1] / 2 };
  int n = 0;
  item[n++] = (vrg_interaction){ .order = 1, .shape = "site", .groups = sites };
  for (int64_t square = 1; square <= reach * reach; square++)
    for (int64_t y = 0; y <= most[0] && y * y <= square; y++)
      for (int64_t x = y > 0 ? -most[1] : 1; x <= most[1]; x++)
        if (y * y + x * x == square && !known (item, n, lattice, y, x))
          {
            const bool twice = wrap (2 * y, lattice[0]) == 0 && wrap (2 * x, lattice[1]) == 0;
            item[n++] = (vrg_interaction){ 2, "pair", y, x, 0, 0, 0, 0, twice ? sites / 2 : sites };
          }
  for (int i = 0; i < FOURS; i++)
    if (distinct (i, lattice))
      item[n++] = (vrg_interaction){ 4, fours[i].name, fours[i].row, fours[i].column, 0, 0, 0, 0, sites };
  return n;
}

/** Lay a field out with its rim. */
static void
lay (const plane *p, const vrg_fields *f, const double *map, double *out)
{
  const bool round[2] = { p->side[0] == p->lattice[0], p->side[1] == p->lattice[1] };
  memset (out, 0, (size_t) p->size * sizeof *out);
  for (int64_t y = 0; y < f->rows; y++)
    for (int64_t x = 0; x < f->columns; x++)
      {
        const int64_t y0 = round[0] ? wrap (f->origin[0] + y, p->lattice[0]) : y;
        const int64_t x0 = round[1] ? wrap (f->origin[1] + x, p->lattice[1]) : x;
        for (int64_t ty = round[0] ? y0 - (y0 + p->rim) / p->side[0] * p->side[0] : y0; ty < p->side[0] + p->rim;
             ty += round[0] ? p->side[0] : p->size)
          for (int64_t tx = round[1] ? x0 - (x0 + p->rim) / p->side[1] * p->side[1] : x0; tx < p->side[1] + p->rim;
               tx += round[1] ? p->side[1] : p->size)
            out[(ty + p->rim) * p->pitch + tx + p->rim] = map[y * f->columns + x];
      }
}

typedef double vector __attribute__ ((vector_size (64), aligned (8)));
#define LOAD(x) (*(const vector *) (x))

/** out [side[0]][width] += over NODES of weighted [.] times the product of n - 1 shifted tangents; planes of `size`. */
ALWAYS void
add_body (const plane *p, int n, const int64_t *shift, const double *weighted, const double *tangent, double *out)
{
  const int64_t size = p->size;
  for (int64_t y = 0; y < p->side[0]; y++)
    for (int64_t x = 0; x < p->width; x += VECTOR)
      {
        const int64_t at = (y + p->rim) * p->pitch + p->rim + x;
        const double *a = weighted + at + shift[0], *b = tangent + at + shift[1];
        const double *c = tangent + at + shift[2], *d = tangent + at + shift[3];
        vector *o = (vector *) (out + y * p->width + x), sum = *o;
        if (n == 2)
          for (int m = 0; m < NODES; m++)
            sum += LOAD (a + m * size) * LOAD (b + m * size);
        else
          for (int m = 0; m < NODES; m++)
            sum += LOAD (a + m * size) * LOAD (b + m * size) * (LOAD (c + m * size) * LOAD (d + m * size));
        *o = sum;
      }
}
VRG_PATHS (add,
           (const plane *p, int n, const int64_t *shift, const double *weighted, const double *tangent, double *out),
           (p, n, shift, weighted, tangent, out))

/** cosine, sine: of t W; step: of h W, to go on to the next node. */
ALWAYS void
turn_body (int64_t n, double *restrict cosine, double *restrict sine, const double *restrict step_cosine,
           const double *restrict step_sine)
{
  for (int64_t i = 0; i < n; i++)
    {
      const double c = cosine[i] * step_cosine[i] - sine[i] * step_sine[i];
      sine[i] = sine[i] * step_cosine[i] + cosine[i] * step_sine[i];
      cosine[i] = c;
    }
}
VRG_PATHS (turn, (int64_t n, double *cosine, double *sine, const double *step_cosine, const double *step_sine),
           (n, cosine, sine, step_cosine, step_sine))

/** Room for one unit's integrals. */
typedef struct
{
  double *weights, *cosine, *sine, *step_cosine, *step_sine; /* [size] */
  double *tangent, *even, *odd; /* [NODES][size] tan (t W); times what it is integrated with, for k even and k = 1 */
  double *share;                /* [groups][side[0]][width] */
} scratch;

/** Product over the plane; the rim stays out of it. */
static double
product (const plane *p, const double *cosine)
{
  double result = 1;
  for (int64_t y = 0; y < p->side[0]; y++)
    for (int64_t x = 0; x < p->side[1]; x++)
      result *= cosine[(y + p->rim) * p->pitch + p->rim + x];
  return result;
}

/** The shares of a unit with bias b in all groups. */
static void
integrate (const plane *p, const vrg_interaction *item, double bias, scratch *s)
{
  const int64_t sites = p->side[0] * p->width;
  double sum = 0, square = 0;
  for (int64_t y = 0; y < p->side[0]; y++)
    for (int64_t x = 0; x < p->side[1]; x++)
      {
        const double w = s->weights[(y + p->rim) * p->pitch + p->rim + x];
        sum += fabs (w);
        square += w * w;
      }
  memset (s->share, 0, (size_t) (p->groups * sites) * sizeof *s->share);
  if (sum == 0)
    return;
  const double h = 2 * PI / (fabs (bias) + fmin (sum, DEVIATIONS * sqrt (square)) + MARGIN);
  const int64_t nodes = (int64_t) (LAST / h) + 1;
  for (int64_t i = 0; i < p->size; i++)
    {
      s->step_cosine[i] = cos (h * s->weights[i]);
      s->step_sine[i] = sin (h * s->weights[i]);
      s->cosine[i] = 1;
      s->sine[i] = 0;
    }
  for (int64_t first = 0; first < nodes; first += NODES)
    {
      for (int m = 0; m < NODES; m++)
        {
          double *tangent = s->tangent + m * p->size, *even = s->even + m * p->size, *odd = s->odd + m * p->size;
          const double t = (double) (first + m) * h;
          if (first + m == 0) /* half the limit t -> 0, tan (t W) being t W */
            for (int64_t i = 0; i < p->size; i++)
              {
                tangent[i] = s->weights[i];
                even[i] = h / PI * s->weights[i];
                odd[i] = bias * even[i];
              }
          else
            {
              turn (p->size, s->cosine, s->sine, s->step_cosine, s->step_sine);
              const double weight = first + m < nodes ? h * product (p, s->cosine) / (t * sinh (PI / 2 * t)) : 0;
              const double c = weight * cos (t * bias), d = weight * sin (t * bias);
              for (int64_t i = 0; i < p->size; i++)
                {
                  tangent[i] = s->sine[i] / (s->cosine[i] != 0 ? s->cosine[i] : 1e-30);
                  even[i] = c * tangent[i];
                  odd[i] = d * tangent[i];
                }
            }
        }
      for (int g = 0; g < p->groups; g++)
        {
          double *share = s->share + g * sites;
          if (item[g].order == 1)
            for (int m = 0; m < NODES; m++)
              for (int64_t i = 0; i < sites; i++)
                share[i] += s->odd[m * p->size + (i / p->width + p->rim) * p->pitch + p->rim + i % p->width];
          else if (item[g].order == 2)
            add (p, 2, (const int64_t[4]){ 0, item[g].row * p->pitch + item[g].column }, s->even, s->tangent, share);
        }
      if (first == 0) /* the limit of four tangents is 0 */
        memset (s->tangent, 0, (size_t) p->size * sizeof *s->tangent);
      for (int g = 0; g < p->groups; g++)
        if (item[g].order == 4)
          {
            int shape = 0;
            int64_t shift[4];
            while (fours[shape].name != item[g].shape || fours[shape].row != item[g].row)
              shape++;
            for (int i = 0; i < 4; i++)
              shift[i] = fours[shape].site[i][0] * p->pitch + fours[shape].site[i][1];
            add (p, 4, shift, s->even, s->tangent, s->share + g * sites);
          }
    }
}

/** Add the shares to the sums, site by site modulo the period. */
static void
collect (const plane *p, const vrg_interaction *item, const double *share, int64_t *sums)
{
  for (int g = 0; g < p->groups; g++)
    for (int64_t y = 0; y < p->side[0]; y++)
      for (int64_t x = 0; x < p->side[1]; x++)
        {
          const double value = (item[g].order == 4 ? -ONE : ONE) * share[(g * p->side[0] + y) * p->width + x];
          sums[(g * p->period[0] + wrap (p->origin[0] + y, p->period[0])) * p->period[1]
               + wrap (p->origin[1] + x, p->period[1])]
            += (int64_t) (value + (value < 0 ? -0.5 : 0.5));
        }
}

/** Mean and scatter of what the sums say; visible_bias [period[0]][period[1]] goes to single sites. */
static void
conclude (const plane *p, const int64_t *sums, const double *visible_bias, vrg_interaction *item)
{
  const int64_t n = p->period[0] * p->period[1];
  for (int g = 0; g < p->groups; g++)
    {
      double mean = 0, square = 0;
      for (int pass = 0; pass < 2; pass++)
        for (int64_t i = 0; i < n; i++)
          {
            const double j = (double) sums[g * n + i] / ONE + (item[g].order == 1 ? visible_bias[i] : 0);
            item[g].largest = fmax (item[g].largest, fabs (j));
            if (pass == 0)
              mean += j / (double) n;
            else
              square += (j - mean) * (j - mean);
          }
      item[g].coupling = mean;
      item[g].spread = sqrt (square / (double) n);
      const double different = (double) (n < item[g].groups ? n : item[g].groups);
      item[g].error = different > 1 ? item[g].spread / sqrt (different - 1) : 0;
    }
}

/** The visible biases of a whole period, on every rank. */
static double *
biases (const vrg_grid *grid, const vrg_model *model, const plane *p)
{
  const int64_t n = p->period[0] * p->period[1];
  double *a = vrg_new (n, sizeof *a, "couplings");
  if (model->type == VRG_MODEL_CONVOLUTION)
    for (int64_t i = 0; i < n; i++)
      a[i] = model->visible_bias[0];
  else
    {
      memcpy (a + model->visible0, model->visible_bias, (size_t) (model->visible1 - model->visible0) * sizeof *a);
      if (grid->strips > 1)
        vrg_sum_double (grid->strip_comm, a, n);
    }
  return a;
}

/** Sums over this rank's units, then over all. */
static void
add_units (const vrg_grid *grid, const vrg_model *model, const vrg_fields *fields, const plane *p,
           const vrg_interaction *item, int64_t *sums)
{
  const int64_t sites = p->side[0] * p->width, map = fields->rows * fields->columns;
  const int64_t block = BLOCK / map < 1 ? 1 : BLOCK / map < fields->units ? BLOCK / map : fields->units;
  double *maps = vrg_new (block * map, sizeof *maps, "couplings");
  double *room = vrg_new ((5 + 3 * NODES) * p->size, sizeof *room, "couplings");
  double *all[8];
  for (int i = 0; i < 8; i++)
    all[i] = room + (i < 5 ? i : 5 + (i - 5) * NODES) * p->size;
  scratch s = { all[0], all[1], all[2], all[3], all[4], all[5], all[6], all[7], NULL };
  s.share = vrg_new (p->groups * sites, sizeof *s.share, "couplings");
  for (int64_t first = 0; first < fields->units; first += block)
    {
      const int64_t n = fields->units - first < block ? fields->units - first : block;
      vrg_fields_get (grid, fields, first, n, maps);
      for (int64_t j = 0; j < n; j++)
        if ((first + j) % grid->size == grid->rank)
          {
            lay (p, fields, maps + j * map, s.weights);
            integrate (p, item, model->hidden_bias[first + j], &s);
            collect (p, item, s.share, sums);
          }
    }
  vrg_sum_int64 (grid->world, sums, p->groups * p->period[0] * p->period[1]);
  vrg_free (s.share);
  vrg_free (room);
  vrg_free (maps);
}

/** How far pairs may be apart. */
static int64_t
reach_of (const vrg_fields *f, const plane *p)
{
  if (f->lattice[0] * f->lattice[1] <= SMALL)
    return (int64_t) ceil (hypot ((double) (f->lattice[0] / 2), (double) (f->lattice[1] / 2)));
  int64_t reach = VRG_INTERACTIONS_REACH;
  while (reach > 3 && f->units * p->side[0] * p->side[1] > MOST / (2 * reach * reach))
    reach--;
  return reach;
}

vrg_interactions *
vrg_interactions_new (const vrg_grid *grid, const vrg_model *model, const vrg_fields *fields)
{
  const bool dense = model->type == VRG_MODEL_DENSE;
  const int64_t extent[2] = { fields->rows, fields->columns };
  plane p = { .rim = 3 };
  for (int axis = 0; axis < 2; axis++)
    {
      p.lattice[axis] = fields->lattice[axis];
      const bool round = 2 * extent[axis] > p.lattice[axis]; /* pairs could be joined around the torus */
      p.side[axis] = round ? p.lattice[axis] : extent[axis];
      p.origin[axis] = round ? 0 : fields->origin[axis];
      p.period[axis] = dense ? p.lattice[axis] : axis == 0 && model->rows == 1 ? 1 : model->stride;
    }
  const int64_t reach = reach_of (fields, &p);
  p.rim = reach > 3 ? reach : 3;
  p.width = (p.side[1] + VECTOR - 1) / VECTOR * VECTOR;
  p.pitch = p.width + 2 * p.rim;
  p.size = (p.side[0] + 2 * p.rim) * p.pitch;
  vrg_interactions *result = vrg_new (1, sizeof *result, "couplings");
  result->item = vrg_new (2 * (reach + 1) * (2 * reach + 1) + FOURS + 1, sizeof *result->item, "couplings");
  result->n = p.groups = list (p.lattice, reach, result->item);

  int64_t *sums = vrg_new (p.groups * p.period[0] * p.period[1], sizeof *sums, "couplings");
  double *visible_bias = biases (grid, model, &p);
  add_units (grid, model, fields, &p, result->item, sums);
  conclude (&p, sums, visible_bias, result->item);
  vrg_free (visible_bias);
  vrg_free (sums);
  return result;
}

void
vrg_interactions_free (vrg_interactions *interactions)
{
  if (interactions == NULL)
    return;
  vrg_free (interactions->item);
  vrg_free (interactions);
}
