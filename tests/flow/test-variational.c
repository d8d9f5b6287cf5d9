/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * Variational renormalization: the recursion against enumeration, couplings against sums over a lattice, fixed points,
 * exponents, flows and bounds against published and independently computed numbers; Migdal-Kadanoff and decimation. */
#include <stdlib.h>
#include <string.h>

#include "flow/migdal.h"
#include "flow/variational.h"
#include "lattice/exact.h"

#include "tests/check.h"

/** A potential of no particular values. */
static void
some_potential (const vrg_cube *cube, double *v)
{
  for (int c = 0; c < cube->classes; c++)
    v[c] = sin (1.7 * c + 0.4);
}

/* ---------------------------------------------------------------- the cube */

static void
classes (void)
{
  static const int even[] = { 0, 2, 4, 14 }, odd[] = { 0, 1, 2, 8 };
  for (int d = 1; d <= 3; d++)
    {
      vrg_cube cube;
      int states = 0;
      double v[VRG_CUBE_CLASSES], k[VRG_CUBE_CLASSES], again[VRG_CUBE_CLASSES], worst = 0;
      vrg_cube_init (&cube, d);
      for (int c = 0; c < cube.classes; c++)
        states += cube.size[c];
      check (cube.classes == even[d] && cube.odd == odd[d] && states == cube.states,
             "d = %d: %d even and %d odd classes hold all configurations", d, even[d], odd[d]);
      some_potential (&cube, v);
      vrg_cube_couplings (&cube, v, k);
      vrg_cube_potential (&cube, k, again);
      for (int c = 0; c < cube.classes; c++)
        worst = fmax (worst, fabs (again[c] - v[c]));
      check_abs (worst, 0, 1e-14, "  potential to couplings and back");
    }
}

/** The sum over cubes of V is the sum over images, each once, of couplings: 5^d sites, so that nothing wraps. */
static void
convention (void)
{
  enum
  {
    L = 5
  };
  for (int d = 1; d <= 3; d++)
    {
      vrg_cube cube;
      double k[VRG_CUBE_CLASSES] = { 0, 0.31, -0.17, 0.11, 0.07 }, v[VRG_CUBE_CLASSES], by_cubes = 0, by_images = 0;
      int spin[L * L * L], n = 1;
      vrg_cube_init (&cube, d);
      for (int a = cube.classes; a < VRG_CUBE_CLASSES; a++)
        k[a] = 0;
      vrg_cube_potential (&cube, k, v);
      for (int j = 0; j < d; j++)
        n *= L;
      unsigned random = 12345;
      for (int i = 0; i < n; i++)
        spin[i] = (random = random * 1664525 + 1013904223) >> 31 ? 1 : -1;
      for (int i = 0; i < n; i++)
        {
          const int x[3] = { i % L, i / L % L, i / L / L };
#define SPIN(a, b, c) spin[((x[0] + (a) + L) % L + L * ((x[1] + (b) + L) % L) + L * L * ((x[2] + (c) + L) % L)) % n]
          int state = 0;
          for (int corner = 0; corner < cube.corners; corner++)
            state |= (SPIN (corner & 1, corner >> 1 & 1, corner >> 2) < 0) << corner;
          by_cubes += v[cube.class_of[state]];
          /* in fewer dimensions the other coordinates stay 0 */
          const int s = spin[i];
          by_images += k[1] * s * SPIN (1, 0, 0);
          if (d >= 2)
            by_images += k[1] * s * SPIN (0, 1, 0) + k[2] * s * (SPIN (1, 1, 0) + SPIN (1, -1, 0))
                         + k[3] * s * SPIN (1, 0, 0) * SPIN (0, 1, 0) * SPIN (1, 1, 0);
          if (d == 3)
            by_images
              += k[1] * s * SPIN (0, 0, 1)
                 + k[2] * s * (SPIN (1, 0, 1) + SPIN (1, 0, -1) + SPIN (0, 1, 1) + SPIN (0, 1, -1))
                 + k[3] * s * SPIN (0, 0, 1) * (SPIN (1, 0, 0) * SPIN (1, 0, 1) + SPIN (0, 1, 0) * SPIN (0, 1, 1))
                 + k[4] * s * (SPIN (1, 1, 1) + SPIN (1, 1, -1) + SPIN (1, -1, 1) + SPIN (1, -1, -1));
#undef SPIN
        }
      check (fabs (by_cubes - by_images) < 1e-11, "d = %d: sum of V over cubes = sum of couplings over images", d);
    }
}

/** R of a state of block spins, summed as the equation is written. */
static double
enumerated (const vrg_cube *cube, double p, const double *v, double field, int mu)
{
  double sum = 0;
  for (int state = 0; state < cube->states; state++)
    {
      double x = cube->corners * v[cube->class_of[state]];
      int total = 0;
      for (int i = 0; i < cube->corners; i++)
        {
          const int s = state >> i & 1 ? -1 : 1;
          total += s;
          x += p * s * (mu >> i & 1 ? -1 : 1);
        }
      sum += exp (x + field * total - log (2 * cosh (p * total)));
    }
  return log (sum);
}

static void
recursion (void)
{
  const double p = 0.6, step = 1e-5;
  for (int d = 1; d <= 3; d++)
    {
      vrg_cube cube;
      double v[VRG_CUBE_CLASSES], next[VRG_CUBE_CLASSES], matrix[VRG_CUBE_CLASSES * VRG_CUBE_CLASSES],
        odd[VRG_CUBE_ODD * VRG_CUBE_ODD], slope[VRG_CUBE_CLASSES], value = 0, in_p = 0, in_v = 0, in_field = 0;
      vrg_cube_init (&cube, d);
      some_potential (&cube, v);
      vrg_variational_step (&cube, p, v, next, matrix, odd, slope);
      for (int mu = 0; mu < cube.states; mu++)
        {
          const int c = cube.class_of[mu];
          value = fmax (value, fabs (next[c] - enumerated (&cube, p, v, 0, mu)));
          in_p = fmax (in_p, fabs (slope[c]
                                   - (enumerated (&cube, p + step, v, 0, mu) - enumerated (&cube, p - step, v, 0, mu))
                                       / (2 * step)));
        }
      for (int b = 0; b < cube.classes; b++)
        for (int c = 0; c < cube.classes; c++)
          {
            double up[VRG_CUBE_CLASSES], down[VRG_CUBE_CLASSES];
            memcpy (up, v, sizeof up);
            memcpy (down, v, sizeof down);
            up[b] += step;
            down[b] -= step;
            const int mu = cube.representative[c];
            const double difference = enumerated (&cube, p, up, 0, mu) - enumerated (&cube, p, down, 0, mu);
            in_v = fmax (in_v, fabs (matrix[c * cube.classes + b] - difference / (2 * step)));
          }
      /* V + h M / n: the odd matrix on M / n */
      for (int i = 0; i < cube.odd; i++)
        {
          const int mu = cube.representative[cube.odd_class[i]];
          double response = 0;
          for (int j = 0; j < cube.odd; j++)
            response += odd[i * cube.odd + j] * cube.magnetisation[cube.representative[cube.odd_class[j]]];
          const double difference = enumerated (&cube, p, v, step, mu) - enumerated (&cube, p, v, -step, mu);
          in_field = fmax (in_field, fabs (response / cube.corners - difference / (2 * step)));
        }
      check (value < 1e-13, "d = %d: R(V) as enumerated", d);
      check_abs (in_p, 0, 1e-8, "  dR/dp by differences");
      check_abs (in_v, 0, 1e-8, "  dR/dV by differences");
      check_abs (in_field, 0, 1e-8, "  odd perturbations by differences");
    }
}

/* ---------------------------------------------------------------- fixed points */

static void
plane_of_pairs (void)
{
  vrg_cube cube;
  vrg_variational_point point;
  vrg_cube_init (&cube, 2);
  check (vrg_variational_fixed_point (&cube, VRG_POINT_PAIRS, &point), "d = 2: fixed point of |M| alone");
  check_abs (point.p, 0.7659830352, 1e-10, "  p");
  check_abs (point.v[0], 0, 0, "  V of |M| = 4");
  check_abs (point.v[1], -0.8245697748, 1e-10, "  V of |M| = 2");
  check_abs (point.v[2], -1.117733054, 1e-9, "  V of |M| = 0, neighbours alike");
  check_abs (point.v[3], -1.117733054, 1e-9, "  V of |M| = 0, diagonal ones alike");
  check_abs (point.k[1], 2 * 0.1397166, 1e-7, "  nn: two squares share a bond");
  check_abs (point.k[2], 0.1397166, 1e-7, "  nnn");
  check_abs (point.k[3], -0.0068650, 1e-7, "  plaquette");
  check_abs (point.y_t, 1.00087893, 1e-8, "  y_t");
  check_abs (point.y_h, 1.87531581, 1e-8, "  y_h");
  check_abs (point.delta, 15.040526, 1e-6, "  delta");
  check_abs (point.eta, 0.24936838, 1e-8, "  eta");
  check_abs (point.alpha, 0.001756, 1e-6, "  alpha");
  check_abs (point.y_even[0], 2, 1e-12, "  the constant");
  check_abs (point.y_even[2], 0.20332, 1e-5, "  exponent of nn against nnn");
  check_abs (point.y_even[3], -0.98391, 1e-5, "  last even exponent");
  check_abs (point.y_odd[1], -0.06167, 1e-5, "  second odd exponent");
  double p;
  vrg_variational_best (&cube, point.v, &p);
  check_abs (p, point.p, 1e-9, "  its p gives the least bound there");
}

static void
plane_of_neighbours (void)
{
  vrg_cube cube;
  vrg_variational_point point;
  vrg_cube_init (&cube, 2);
  check (vrg_variational_fixed_point (&cube, VRG_POINT_NEIGHBOURS, &point), "d = 2: fixed point of nn starts");
  check_abs (point.p, 0.7609885417, 1e-10, "  p");
  check_abs (point.y_t, 1.0175351, 1e-7, "  y_t");
  check_abs (point.critical, 0.483647, 1e-6, "  critical start");
  check (point.v[2] - point.v[3] > 0.1, "  V is no function of |M|");
  double p;
  vrg_variational_best (&cube, point.v, &p);
  check_abs (p, point.p, 1e-9, "  its p gives the least bound there");
  /* from a little above and below the flow goes to order and disorder, and close by the fixed point on its way */
  for (int side = -1; side <= 1; side += 2)
    {
      const double k[VRG_CUBE_CLASSES] = { 0, point.critical + side * 1e-7 };
      vrg_variational_level flow[41];
      double least = INFINITY;
      vrg_variational_flow (&cube, k, VRG_P_GIVEN, point.p, 40, flow);
      for (int level = 0; level <= 40; level++)
        least = fmin (least, hypot (flow[level].k[1] - point.k[1], flow[level].k[2] - point.k[2]));
      check (least < 0.01 && side * (flow[40].k[1] - 0.3) > 0, "  start %s critical: %.4f from it, then to %sorder",
             side < 0 ? "below" : "above", least, side < 0 ? "dis" : "");
    }
}

/** What the recursion gives; y_t = 1.587 and y_h = 2.482 are the true ones. */
static void
space (void)
{
  vrg_cube cube;
  vrg_variational_point point, other;
  vrg_cube_init (&cube, 3);
  check (vrg_variational_fixed_point (&cube, VRG_POINT_PAIRS, &point), "d = 3: fixed point of |M| alone");
  check_abs (point.p, 0.403436119, 1e-9, "  p");
  check_abs (point.y_t, 1.58983090, 1e-8, "  y_t");
  check_abs (point.y_h, 2.46463627, 1e-8, "  y_h");
  double worst = 0;
  for (int a = 0; a < cube.classes; a++)
    for (int b = 0; b < cube.classes; b++)
      if (abs (cube.magnetisation[cube.representative[a]]) == abs (cube.magnetisation[cube.representative[b]]))
        worst = fmax (worst, fabs (point.v[a] - point.v[b]));
  check_abs (worst, 0, 1e-10, "  V is a function of |M|");
  check_abs (point.k[1] / point.k[2], 2, 1e-9, "  an edge lies in 4 cubes, a diagonal in 2");
  check (point.y_even[2] < 0, "  nothing but the temperature is relevant");
  check (vrg_variational_fixed_point (&cube, VRG_POINT_NEIGHBOURS, &other) && fabs (other.p - point.p) < 1e-9,
         "  nn starts end there too");
  check_abs (other.critical, 0.2392362, 1e-7, "  critical start");
}

/** One dimension: every flow ends in disorder; at low temperature the coupling halves. */
static void
line (void)
{
  vrg_cube cube;
  vrg_variational_point point;
  double next[2];
  vrg_cube_init (&cube, 1);
  check (!vrg_variational_fixed_point (&cube, VRG_POINT_PAIRS, &point), "d = 1: no fixed point at finite couplings");
  for (int i = 0; i < 2; i++)
    {
      const double k[VRG_CUBE_CLASSES] = { 0, i ? 8 : 6 };
      vrg_variational_level flow[13];
      vrg_variational_flow (&cube, k, VRG_P_LEVEL, 0, 12, flow);
      next[i] = flow[1].k[1];
      check (flow[12].k[1] < 1e-9, "  a flow from nn = %g ends at 0", k[1]);
    }
  check_abs ((next[1] - next[0]) / 2, 0.5, 1e-4, "  dK'/dK = 1/2 at low temperature");
}

/* ---------------------------------------------------------------- bounds */

static const struct
{
  double nn, exact, kadanoff, p, migdal;
} table[] = { { 0.2, 0.734530812, 0.746446468, 0.36312, 0.776665804 },
              { 0.4, 0.879363821, 0.901025008, 0.59676, 1.054067099 },
              { VRG_CRITICAL_2D, 0.929695398, 0.947942972, 0.65536, 1.128535698 },
              { 0.6, 1.210132388, 1.213812189, 0.91820, 1.435278661 } };

static void
bounds (void)
{
  vrg_cube cube;
  vrg_cube_init (&cube, 2);
  for (size_t i = 0; i < sizeof table / sizeof *table; i++)
    {
      const double k[VRG_CUBE_CLASSES] = { 0, table[i].nn };
      double v[VRG_CUBE_CLASSES], p;
      char text[80];
      vrg_cube_potential (&cube, k, v);
      const double f = vrg_variational_best (&cube, v, &p);
      snprintf (text, sizeof text, "d = 2, K = %.4f: one-hypercube bound on ln Z per site", table[i].nn);
      check_abs (f, table[i].kadanoff, 1e-8, text);
      check_abs (p, table[i].p, 6e-6, "  its p");
      check_abs (vrg_exact_plane (table[i].nn), table[i].exact, 1e-9, "  exact");
      check_abs (vrg_migdal_bound (2, 2, table[i].nn), table[i].migdal, 1e-8, "  Migdal-Kadanoff, b = 2");
      check_abs (vrg_variational_bound (&cube, v, p), f, 1e-14, "  at constant p");
      check (vrg_variational_bound (&cube, v, p + 1e-4) > f && vrg_variational_bound (&cube, v, p - 1e-4) > f,
             "  p beside it are worse");

      static const vrg_variational_p choices[] = { VRG_P_GIVEN, VRG_P_BEST, VRG_P_LEVEL };
      vrg_variational_level flow[3][6];
      double worst = 0;
      for (int c = 0; c < 3; c++)
        {
          vrg_variational_flow (&cube, k, choices[c], p, 5, flow[c]);
          for (int level = 0; level <= 5; level++)
            worst = fmax (worst,
                          fabs (flow[c][level].constant + flow[c][level].bound * pow (4, -level) - flow[c][0].bound));
        }
      check_abs (worst, 0, 1e-14, "  every level of a flow carries the bound");
      check_abs (flow[0][0].bound, f, 1e-13, "  the flow's bound, p given");
      check_abs (flow[1][0].bound, f, 1e-13, "  best constant p");
      check (flow[2][0].bound < f && flow[2][0].bound > table[i].exact,
             "  better with a p for each level, still above");
    }
  for (int d = 1; d <= 3; d += 2)
    for (double nn = 0.05; nn < 2; nn *= 3)
      {
        const double k[VRG_CUBE_CLASSES] = { 0, nn };
        double v[VRG_CUBE_CLASSES];
        vrg_cube_init (&cube, d);
        vrg_cube_potential (&cube, k, v);
        const double f = vrg_variational_best (&cube, v, NULL);
        /* d = 3: more than independent chains, and than aligned spins */
        check (f > log (2 * cosh (nn)) && f > d * nn, "d = %d, K = %.2f: the bound %.4f is one", d, nn, f);
      }
}

/* ---------------------------------------------------------------- Migdal-Kadanoff */

static void
migdal (void)
{
  double k, eigenvalue, y, slope;
  check (vrg_migdal_fixed_point (2, 2, &k, &eigenvalue, &y), "Migdal-Kadanoff, d = 2, b = 2");
  check_abs (k, 0.30468893, 1e-8, "  K*");
  check_abs (eigenvalue, 1.678574, 1e-6, "  eigenvalue");
  check_abs (y, 0.747236, 1e-6, "  y_t");
  check_abs (tanh (k), pow (tanh (2 * k), 2), 1e-14, "  tanh K = tanh (2K)^2");
  check (vrg_migdal_fixed_point (2, 3, &k, &eigenvalue, &y), "d = 2, b = 3");
  check_abs (k, 0.24060591, 1e-8, "  K*");
  check_abs (eigenvalue, 2.25, 1e-12, "  eigenvalue 9/4");
  check (!vrg_migdal_fixed_point (1, 2, &k, &eigenvalue, &y), "d = 1: none");
  double worst = 0, fixed = 0, difference = 0;
  for (int d = 1; d <= 3; d++)
    for (int b = 2; b <= 9; b++)
      {
        for (double start = 0.01; start < 1; start += 0.07)
          {
            const double next = vrg_migdal_step (d, b, start, &slope), h = 1e-6;
            worst = fmax (worst, fabs (tanh (next) - pow (tanh (pow (b, d - 1) * start), b)));
            const double by
              = (vrg_migdal_step (d, b, start + h, NULL) - vrg_migdal_step (d, b, start - h, NULL)) / 2 / h;
            difference = fmax (difference, fabs (by / slope - 1));
          }
        if (vrg_migdal_fixed_point (d, b, &k, &eigenvalue, &y))
          fixed = fmax (fixed, fabs (vrg_migdal_step (d, b, k, NULL) / k - 1));
      }
  check_abs (worst, 0, 1e-14, "tanh K' = tanh (b^(d-1) K)^b, d = 1 to 3, b = 2 to 9");
  check_abs (difference, 0, 1e-6, "  dK'/dK by differences");
  check_abs (fixed, 0, 1e-13, "  fixed points");
  check_abs (vrg_migdal_step (2, 2, 400, &slope), 800 - log (2) / 2, 1e-12, "  at low temperature without overflow");
  check_abs (slope, 2, 1e-12, "  with slope b^(d-1)");
  check_rel (vrg_migdal_step (1, 3, 1e-6, NULL), 1e-18, 1e-10, "  at high temperature without loss");
  check_abs (vrg_migdal_bound (2, 2, 500), 1000 + log (2) / 3, 1e-10, "  the bound there");
}

/** Decimation of the chain is exact, whatever the scale factor. */
static void
decimation (void)
{
  double worst = 0, kept = 0, coupling = 0;
  for (int b = 2; b <= 6; b++)
    for (double start = 0.05; start < 6; start *= 2)
      {
        double k[5], lnz[5], constant[5];
        vrg_migdal_flow (1, b, start, 4, k, lnz, constant);
        for (int level = 0; level <= 4; level++)
          {
            worst = fmax (worst, fabs (lnz[level] - log (2 * cosh (k[level]))));
            kept = fmax (kept, fabs (constant[level] + lnz[level] * pow (b, -level) - lnz[0]));
            coupling = fmax (coupling, fabs (tanh (k[level]) - pow (tanh (start), pow (b, level))));
          }
      }
  check_abs (worst, 0, 1e-14, "decimation: ln Z per site is ln 2cosh K at every level");
  check_abs (kept, 0, 1e-14, "  and is carried by the flow");
  check_abs (coupling, 0, 1e-13, "  tanh K(n) = tanh (K)^(b^n)");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  classes ();
  convention ();
  recursion ();
  plane_of_pairs ();
  plane_of_neighbours ();
  space ();
  line ();
  bounds ();
  migdal ();
  decimation ();
  return check_end ();
}
