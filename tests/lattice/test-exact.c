/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * Kaufman's torus against published figures, enumeration and finite differences; rings against enumeration. */
#include "lattice/exact.h"

#include "tests/check.h"

static void
published (void)
{
  static const struct
  {
    double nn;
    int64_t size;
    double lnz, energy, specific_heat;
  } rows[] = { { VRG_CRITICAL_2D, 4, 0.97011971617221, -1.56562378764, 0.7832668259 },
               { VRG_CRITICAL_2D, 8, 0.93971532482921, -1.49158910744, 1.14555924 },
               { VRG_CRITICAL_2D, 16, 0.93219631498099, -1.45306485281, 1.498704959 },
               { VRG_CRITICAL_2D, 32, 0.93032039018412, -1.43365846615, 1.84676759 },
               { VRG_CRITICAL_2D, 64, 0.92985163169429, -1.42393838983, 2.192211393 },
               { 0.2, 8, 0.73453355347482, -0.428368058944, 0.09791417 },
               { 0.4, 32, 0.87937334742494, -1.10729166098, 0.88581250 },
               { 0.408, 40, 0.88839535841881, -1.15182115077, 0.9946704747 } };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    {
      double lnz, energy, specific_heat;
      const double n = (double) (rows[i].size * rows[i].size);
      char text[80];
      vrg_exact_torus (rows[i].size, rows[i].size, rows[i].nn, &lnz, &energy, &specific_heat);
      snprintf (text, sizeof text, "K = %.4f, L = %d: ln Z", rows[i].nn, (int) rows[i].size);
      check_rel (lnz / n, rows[i].lnz, 2e-14, text);
      check_rel (energy, rows[i].energy, 1e-11, "  energy");
      check_abs (specific_heat, rows[i].specific_heat, 5e-9, "  specific heat, as far as printed");
    }
}

/** 3 x 4 by enumeration, every bond once. */
static void
enumerated (void)
{
  enum
  {
    ROWS = 3,
    COLUMNS = 4,
    N = ROWS * COLUMNS
  };
  const double nn = 0.37;
  double z = 0, s1 = 0, s2 = 0, lnz, energy, specific_heat;
  for (int state = 0; state < 1 << N; state++)
    {
      int bonds = 0;
      for (int i = 0; i < N; i++)
        {
          const int right = i / COLUMNS * COLUMNS + (i + 1) % COLUMNS, down = (i + COLUMNS) % N;
          bonds += (1 - 2 * ((state >> i ^ state >> right) & 1)) + (1 - 2 * ((state >> i ^ state >> down) & 1));
        }
      const double weight = exp (nn * bonds);
      z += weight;
      s1 += weight * bonds;
      s2 += weight * bonds * bonds;
    }
  vrg_exact_torus (ROWS, COLUMNS, nn, &lnz, &energy, &specific_heat);
  check_rel (lnz, log (z), 1e-14, "3 x 4 enumerated: ln Z");
  check_rel (energy, -s1 / z / N, 1e-13, "  energy");
  check_rel (specific_heat, nn * nn * (s2 / z - s1 / z * s1 / z) / N, 1e-12, "  specific heat");
}

static void
rings (void)
{
  static const struct
  {
    int length;
    double nn;
  } cases[] = { { 2, 0.6 }, { 5, 0.3 }, { 8, 0.9 }, { 8, -0.7 }, { 12, 0 } };
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
    {
      const int n = cases[c].length;
      const double nn = cases[c].nn;
      double z = 0, s1 = 0, s2 = 0, lnz, energy, specific_heat;
      for (int state = 0; state < 1 << n; state++)
        {
          int bonds = 0;
          for (int i = 0; i < n; i++)
            bonds += 1 - 2 * ((state >> i ^ state >> (i + 1) % n) & 1);
          const double weight = exp (nn * bonds);
          z += weight;
          s1 += weight * bonds;
          s2 += weight * bonds * bonds;
        }
      char text[80];
      vrg_exact_ring (n, nn, &lnz, &energy, &specific_heat);
      snprintf (text, sizeof text, "ring of %d enumerated, K = %g: ln Z", n, nn);
      check_rel (lnz, log (z), 1e-14, text);
      check_abs (energy, -s1 / z / n, 1e-14, "  energy");
      check_abs (specific_heat, nn * nn * (s2 / z - s1 / z * s1 / z) / n, 1e-13, "  specific heat");
    }
  double lnz, energy, specific_heat;
  vrg_exact_ring (INT64_C (1) << 40, 1.5, &lnz, &energy, &specific_heat);
  check_rel (lnz / ldexp (1, 40), log (2 * cosh (1.5)), 1e-14, "a long ring: ln Z / N = ln 2 cosh K");
  check_rel (energy, -tanh (1.5), 1e-14, "  energy -tanh K");
  check_rel (specific_heat, pow (1.5 / cosh (1.5), 2), 1e-12, "  specific heat (K / cosh K)^2");
}

static void
limits (void)
{
  double a, b, energy, below, above, middle;
  vrg_exact_torus (5, 8, 0.44, &a, NULL, NULL);
  vrg_exact_torus (8, 5, 0.44, &b, NULL, NULL);
  check_rel (a, b, 1e-14, "rows and columns may be exchanged");
  vrg_exact_torus (65536, 65536, VRG_CRITICAL_2D, &a, &energy, NULL);
  check_rel (a / 65536 / 65536, 0.92969539834161, 1e-9, "infinite lattice at criticality: ln Z / N");
  check_rel (energy, -M_SQRT2, 1e-5, "  energy");
  vrg_exact_torus (32, 32, VRG_CRITICAL_2D - 1e-7, NULL, &below, NULL);
  vrg_exact_torus (32, 32, VRG_CRITICAL_2D, NULL, &middle, NULL);
  vrg_exact_torus (32, 32, VRG_CRITICAL_2D + 1e-7, NULL, &above, NULL);
  check_rel (below + above, 2 * middle, 1e-11, "smooth where a factor changes sign");
}

/** The infinite lattice: published at the critical point; elsewhere large tori are as good. */
static void
plane (void)
{
  check_rel (vrg_exact_plane (VRG_CRITICAL_2D), 0.92969539834161, 1e-13,
             "infinite lattice at the critical point: ln Z");
  for (double nn = 0.02; nn < 2; nn *= 2.5)
    if (fabs (nn - VRG_CRITICAL_2D) > 0.1)
      {
        /* below the transition temperature two phases share the torus: ln 2 */
        const double n = 256.0 * 256.0;
        double lnz;
        char text[80];
        vrg_exact_torus (256, 256, nn, &lnz, NULL, NULL);
        snprintf (text, sizeof text, "  K = %.4f: as a torus of 256", nn);
        check_rel (vrg_exact_plane (nn), (nn > VRG_CRITICAL_2D ? lnz - M_LN2 : lnz) / n, 1e-13, text);
      }
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  published ();
  enumerated ();
  rings ();
  plane ();
  limits ();
  return check_end ();
}
