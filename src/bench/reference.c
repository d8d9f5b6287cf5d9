/* SPDX-License-Identifier: GPL-3.0-or-later
 * Plain implementations that rates are compared with. */
#include "bench/reference.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/memory.h"
#include "base/rng.h"

/** A function compiled for this processor's instructions, as -march=native would, chosen when it is called: what is distributed is
 *  compiled for any x86-64. */
#define NATIVE(name, call, type, variable)                                                                             \
  static uint64_t name##_any (type *variable) { return call; }                                                         \
  __attribute__ ((target ("avx2,bmi,bmi2,lzcnt,popcnt,fma"))) static uint64_t name##_v3 (type *variable)               \
  {                                                                                                                    \
    return call;                                                                                                       \
  }                                                                                                                    \
  __attribute__ ((target ("avx512f,avx512bw,avx512cd,avx512dq,avx512vl,bmi,bmi2,lzcnt,popcnt,fma"))) static uint64_t   \
    name##_v4 (type *variable)                                                                                         \
  {                                                                                                                    \
    return call;                                                                                                       \
  }                                                                                                                    \
  static uint64_t name (type *variable)                                                                                \
  {                                                                                                                    \
    bool v3 = __builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("bmi2");                                      \
    bool v4 = v3 && __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512vl")                         \
              && __builtin_cpu_supports ("avx512dq");                                                                  \
    return v4 ? name##_v4 (variable) : v3 ? name##_v3 (variable) : name##_any (variable);                              \
  }

void
vrg_xoshiro_init (vrg_xoshiro *rng, uint64_t seed)
{
  for (int i = 0; i < 4; i++) /* splitmix64 */
    {
      uint64_t z = seed += UINT64_C (0x9e3779b97f4a7c15);
      z = (z ^ z >> 30) * UINT64_C (0xbf58476d1ce4e5b9);
      z = (z ^ z >> 27) * UINT64_C (0x94d049bb133111eb);
      rng->state[i] = z ^ z >> 31;
    }
}

/* ---- Metropolis ---- */

void
vrg_reference_metropolis_init (vrg_reference_metropolis *m, const vrg_lattice *lattice, double nn)
{
  int64_t side = lattice->columns, half = side / 2, rows = lattice->rows;
  *m = (vrg_reference_metropolis){ .side = side, .rows = rows };
  for (int colour = 0; colour < 2; colour++)
    {
      m->spin[colour] = vrg_new (rows * half, 1, "spins of the reference");
      for (int64_t y = 0; y < rows; y++)
        for (int64_t i = 0; i < half; i++)
          m->spin[colour][y * half + i] = (int8_t) vrg_lattice_get (lattice, y, 2 * i + ((y + y / side + colour) & 1));
    }
  for (int i = 0; i < 13; i++)
    m->threshold[i] = vrg_rng_threshold (fmin (1, exp (-2 * nn * (i - 6))));
  vrg_xoshiro_init (&m->rng, 1);
}

void
vrg_reference_metropolis_clear (vrg_reference_metropolis *m)
{
  vrg_free (m->spin[0]);
  vrg_free (m->spin[1]);
}

/** A sweep; `deep` in three dimensions. */
static inline __attribute__ ((always_inline)) uint64_t
metropolis_body (vrg_reference_metropolis *m, bool deep)
{
  const int64_t side = m->side, half = side / 2, rows = m->rows, plane = side * half, all = rows * half;
  vrg_xoshiro rng = m->rng;
  uint64_t flips = 0;
  for (int colour = 0; colour < 2; colour++)
    for (int64_t row = 0; row < rows; row++)
      {
        const int64_t y = row % side, at = row * half, parity = (y + row / side + colour) & 1;
        const int8_t *other = m->spin[1 - colour], *here = other + at;
        const int8_t *up = here + (y == 0 ? plane - half : -half), *down = here + (y == side - 1 ? half - plane : half);
        /* NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): it takes `all`, which is positive, for 0 */
        const int8_t *front = other + (at - plane + all) % all, *back = other + (at + plane) % all;
        int8_t *own = m->spin[colour] + at;
        /* the second neighbour in the row: to the right in odd places, to the left in even ones */
        const int64_t step = parity ? 1 : -1, edge = step > 0 ? half - 1 : 0, beyond = half - 1 - edge;
        for (int64_t i = 0; i < half; i += 2)
          {
            uint64_t random = vrg_xoshiro_next (&rng);
            for (int64_t j = i; j < i + 2; j++, random >>= 32)
              {
                int sum = up[j] + down[j] + here[j] + here[j == edge ? beyond : j + step];
                if (deep)
                  sum += front[j] + back[j];
                int flip = (random & UINT32_MAX) < m->threshold[own[j] * sum + 6];
                own[j] = (int8_t) (own[j] * (1 - 2 * flip));
                flips += (uint64_t) flip;
              }
          }
      }
  m->rng = rng;
  return flips;
}

NATIVE (metropolis_flat, metropolis_body (m, false), vrg_reference_metropolis, m)
NATIVE (metropolis_deep, metropolis_body (m, true), vrg_reference_metropolis, m)

uint64_t
vrg_reference_metropolis_sweep (vrg_reference_metropolis *m)
{
  return m->rows == m->side ? metropolis_flat (m) : metropolis_deep (m);
}

/* ---- any couplings ---- */

void
vrg_reference_local_init (vrg_reference_local *m, const vrg_lattice *lattice, double nn, double nnn, double plaquette,
                          double field)
{
  int64_t side = lattice->columns;
  m->side = side;
  m->spin = vrg_new (side * side, 1, "spins of the reference");
  for (int64_t y = 0; y < side; y++)
    for (int64_t x = 0; x < side; x++)
      m->spin[y * side + x] = (int8_t) vrg_lattice_get (lattice, y, x);
  for (int a = 0; a < 9; a++)
    for (int b = 0; b < 9; b++)
      for (int c = 0; c < 9; c++)
        for (int up = 0; up < 2; up++)
          m->threshold[up][a][b][c] = vrg_rng_threshold (
            fmin (1, exp (-2 * (2 * up - 1) * (nn * (a - 4) + nnn * (b - 4) + plaquette * (c - 4) + field))));
  vrg_xoshiro_init (&m->rng, 4);
}

void
vrg_reference_local_clear (vrg_reference_local *m)
{
  vrg_free (m->spin);
}

static inline __attribute__ ((always_inline)) uint64_t
local_body (vrg_reference_local *m)
{
  const int64_t side = m->side;
  vrg_xoshiro rng = m->rng;
  uint64_t flips = 0;
  for (int colour = 0; colour < 4; colour++) /* diagonal neighbours differ as well */
    for (int64_t y = colour / 2; y < side; y += 2)
      {
        const int8_t *up = m->spin + (y == 0 ? side - 1 : y - 1) * side,
                     *down = m->spin + (y == side - 1 ? 0 : y + 1) * side;
        int8_t *own = m->spin + y * side;
        for (int64_t x = colour % 2; x < side; x += 2)
          {
            int64_t l = x == 0 ? side - 1 : x - 1, r = x == side - 1 ? 0 : x + 1;
            int nn = up[x] + down[x] + own[l] + own[r], nnn = up[l] + up[r] + down[l] + down[r];
            int squares = up[x] * (up[l] * own[l] + up[r] * own[r]) + down[x] * (down[l] * own[l] + down[r] * own[r]);
            int flip = (vrg_xoshiro_next (&rng) >> 32) < m->threshold[own[x] > 0][nn + 4][nnn + 4][squares + 4];
            own[x] = (int8_t) (own[x] * (1 - 2 * flip));
            flips += (uint64_t) flip;
          }
      }
  m->rng = rng;
  return flips;
}

NATIVE (local_native, local_body (m), vrg_reference_local, m)

uint64_t
vrg_reference_local_sweep (vrg_reference_local *m)
{
  return local_native (m);
}

/* ---- Swendsen-Wang ---- */

void
vrg_reference_cluster_init (vrg_reference_cluster *c, const vrg_lattice *lattice, double nn)
{
  int64_t side = lattice->columns, rows = lattice->rows;
  c->side = side;
  c->rows = rows;
  c->spin = vrg_new (side * rows, 1, "spins of the reference");
  c->sign = vrg_new (side * rows, 1, "flips of the reference");
  c->parent = vrg_new (side * rows, sizeof *c->parent, "labels of the reference");
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < side; x++)
      c->spin[y * side + x] = (int8_t) vrg_lattice_get (lattice, y, x);
  c->threshold = vrg_rng_threshold (1 - exp (-2 * nn));
  vrg_xoshiro_init (&c->rng, 2);
}

void
vrg_reference_cluster_clear (vrg_reference_cluster *c)
{
  vrg_free (c->spin);
  vrg_free (c->sign);
  vrg_free (c->parent);
}

static inline int32_t
find (int32_t *parent, int32_t i)
{
  while (parent[i] != i)
    i = parent[i] = parent[parent[i]];
  return i;
}

static inline void
join (int32_t *parent, int32_t i, int32_t j)
{
  i = find (parent, i);
  j = find (parent, j);
  if (i < j)
    parent[j] = i;
  else
    parent[i] = j;
}

static inline __attribute__ ((always_inline)) uint64_t
cluster_body (vrg_reference_cluster *c)
{
  const int64_t side = c->side, rows = c->rows, plane = side * side, sites = side * rows;
  const bool deep = rows != side;
  vrg_xoshiro rng = c->rng;
  uint64_t clusters = 0;
  for (int64_t i = 0; i < sites; i++)
    c->parent[i] = (int32_t) i;
  for (int64_t row = 0; row < rows; row++)
    for (int64_t x = 0; x < side; x++)
      {
        int64_t i = row * side + x, right = x == side - 1 ? i - side + 1 : i + 1;
        int64_t down = row % side == side - 1 ? i + side - plane : i + side;
        uint64_t random = vrg_xoshiro_next (&rng);
        if (c->spin[i] == c->spin[right] && (random & UINT32_MAX) < c->threshold)
          join (c->parent, (int32_t) i, (int32_t) right);
        if (c->spin[i] == c->spin[down] && random >> 32 < c->threshold)
          join (c->parent, (int32_t) i, (int32_t) down);
        if (deep)
          {
            int64_t back = i + plane < sites ? i + plane : i + plane - sites;
            if (c->spin[i] == c->spin[back] && vrg_xoshiro_next (&rng) >> 32 < c->threshold)
              join (c->parent, (int32_t) i, (int32_t) back);
          }
      }
  for (int64_t i = 0; i < sites; i++)
    {
      int32_t root = find (c->parent, (int32_t) i);
      if (root == i) /* the smallest index of its cluster, so this comes before it is needed */
        {
          c->sign[i] = vrg_xoshiro_next (&rng) >> 63 ? 1 : -1;
          clusters++;
        }
      c->spin[i] = (int8_t) (c->spin[i] * c->sign[root]);
    }
  c->rng = rng;
  return clusters;
}

NATIVE (cluster_native, cluster_body (c), vrg_reference_cluster, c)

uint64_t
vrg_reference_cluster_sweep (vrg_reference_cluster *c)
{
  return cluster_native (c);
}

/* ---- energy and magnetisation ---- */

void
vrg_reference_observe (int64_t side, const int8_t *spin, int64_t *bonds, int64_t *magnetisation)
{
  int64_t s = 0, m = 0;
  for (int64_t y = 0; y < side; y++)
    {
      const int8_t *own = spin + y * side, *down = spin + (y == side - 1 ? 0 : y + 1) * side;
      for (int64_t x = 0; x < side; x++)
        {
          s += own[x] * (own[x == side - 1 ? 0 : x + 1] + down[x]);
          m += own[x];
        }
    }
  *bonds = s;
  *magnetisation = m;
}

/* ---- operators ---- */

void
vrg_reference_operators (int64_t side, const int8_t *spin, int n, const vrg_operator *const *operators, int64_t *sums)
{
  for (int a = 0; a < n; a++)
    {
      const vrg_operator *o = operators[a];
      sums[a] = 0;
      for (int64_t y = 0; y < side; y++)
        for (int64_t x = 0; x < side; x++)
          for (int image = 0; image < o->images; image++)
            {
              int product = 1;
              for (int i = 0; i < o->sites; i++)
                product *= spin[((y + o->offset[image][i][0]) & (side - 1)) * side
                                + ((x + o->offset[image][i][1]) & (side - 1))];
              sums[a] += product;
            }
    }
}

void
vrg_reference_environments (int64_t side, const int8_t *spin, int n, const vrg_operator *const *operators,
                            int64_t *counts)
{
  for (int64_t y = 0; y < side; y++)
    for (int64_t x = 0; x < side; x++)
      {
        int64_t number = 0, digit = 1;
        for (int a = 0; a < n; a++)
          {
            const vrg_operator *o = operators[a];
            int positive = 0;
            for (int image = 0; image < o->images; image++)
              for (int own = 0; own < o->sites; own++) /* the image moved so that this factor is at (y, x) */
                {
                  int product = 1;
                  for (int i = 0; i < o->sites; i++)
                    product *= spin[((y + o->offset[image][i][0] - o->offset[image][own][0]) & (side - 1)) * side
                                    + ((x + o->offset[image][i][1] - o->offset[image][own][1]) & (side - 1))];
                  positive += product > 0;
                }
            number += positive * digit;
            digit *= o->images * o->sites + 1;
          }
        counts[number]++;
      }
}

/* ---- convolution ---- */

void
vrg_reference_convolution_init (vrg_reference_convolution *c, int side, int filter, int stride, int steps)
{
  int hidden = (side / stride) * (side / stride), taps = filter * filter;
  *c = (vrg_reference_convolution){ .side = side, .filter = filter, .stride = stride, .steps = steps };
  c->wrap = vrg_new (side + 2 * filter, sizeof *c->wrap, "the reference");
  for (int i = 0; i < side + 2 * filter; i++)
    c->wrap[i] = (i - filter + side) % side;
  c->weight = vrg_new (4 * taps, sizeof *c->weight, "weights of the reference");
  c->moment1 = c->weight + taps;
  c->moment2 = c->weight + 2 * taps;
  c->gradient = c->weight + 3 * taps;
  c->visible = vrg_new (side * side, sizeof *c->visible, "units of the reference");
  c->hidden = vrg_new (hidden, sizeof *c->hidden, "units of the reference");
  c->mean = vrg_new (hidden, sizeof *c->mean, "units of the reference");
  vrg_xoshiro_init (&c->rng, 3);
  for (int i = 0; i < taps; i++)
    c->weight[i] = 0.01f * ((float) (vrg_xoshiro_next (&c->rng) >> 40) * 0x1p-23f - 1);
}

void
vrg_reference_convolution_clear (vrg_reference_convolution *c)
{
  vrg_free (c->wrap);
  vrg_free (c->weight);
  vrg_free (c->visible);
  vrg_free (c->hidden);
  vrg_free (c->mean);
}

static float
draw (vrg_xoshiro *rng, float field)
{
  float u = (float) (vrg_xoshiro_next (rng) >> 40) * 0x1p-24f;
  return u * (1 + expf (-2 * field)) < 1 ? 1 : -1;
}

/** Hidden means and units from the visible ones; the gradient of this phase too, if sign is not 0. */
static void
hidden_phase (vrg_reference_convolution *c, float sign)
{
  const int across = c->side / c->stride, before = c->filter - (c->filter - c->stride) / 2;
  for (int y = 0; y < across; y++)
    for (int x = 0; x < across; x++)
      {
        float field = 0;
        for (int dy = 0; dy < c->filter; dy++)
          for (int dx = 0; dx < c->filter; dx++)
            field
              += c->weight[dy * c->filter + dx]
                 * c->visible[c->wrap[y * c->stride + dy + before] * c->side + c->wrap[x * c->stride + dx + before]];
        c->mean[y * across + x] = tanhf (field);
        c->hidden[y * across + x] = draw (&c->rng, field);
        float weight = sign * c->mean[y * across + x];
        for (int dy = 0; dy < c->filter && weight != 0; dy++)
          for (int dx = 0; dx < c->filter; dx++)
            c->gradient[dy * c->filter + dx]
              += weight
                 * c->visible[c->wrap[y * c->stride + dy + before] * c->side + c->wrap[x * c->stride + dx + before]];
      }
}

static void
visible_phase (vrg_reference_convolution *c)
{
  const int across = c->side / c->stride, before = c->filter - (c->filter - c->stride) / 2;
  memset (c->visible, 0, (size_t) (c->side * c->side) * sizeof *c->visible);
  for (int y = 0; y < across; y++)
    for (int x = 0; x < across; x++)
      for (int dy = 0; dy < c->filter; dy++)
        for (int dx = 0; dx < c->filter; dx++)
          c->visible[c->wrap[y * c->stride + dy + before] * c->side + c->wrap[x * c->stride + dx + before]]
            += c->weight[dy * c->filter + dx] * c->hidden[y * across + x];
  for (int i = 0; i < c->side * c->side; i++)
    c->visible[i] = draw (&c->rng, c->visible[i]);
}

void
vrg_reference_convolution_update (vrg_reference_convolution *c, int n, const int8_t *spins, float learning_rate)
{
  const int taps = c->filter * c->filter;
  memset (c->gradient, 0, (size_t) taps * sizeof *c->gradient);
  for (int s = 0; s < n; s++)
    {
      for (int i = 0; i < c->side * c->side; i++)
        c->visible[i] = spins[s * c->side * c->side + i];
      hidden_phase (c, 1);
      for (int step = 1; step <= c->steps; step++)
        {
          visible_phase (c);
          hidden_phase (c, step == c->steps ? -1.0f : 0.0f);
        }
    }
  c->updates++;
  float t = (float) c->updates, scale1 = 1 / (1 - powf (0.9f, t)), scale2 = 1 / (1 - powf (0.999f, t));
  for (int i = 0; i < taps; i++)
    {
      float g = c->gradient[i] / (float) n;
      c->moment1[i] = 0.9f * c->moment1[i] + 0.1f * g;
      c->moment2[i] = 0.999f * c->moment2[i] + 0.001f * g * g;
      c->weight[i] += learning_rate * scale1 * c->moment1[i] / (sqrtf (scale2 * c->moment2[i]) + 1e-8f);
    }
}
