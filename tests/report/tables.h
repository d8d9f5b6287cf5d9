/* SPDX-License-Identifier: GPL-3.0-or-later
 * Tables of the flow, made up, for tests of the report. */
#ifndef VRG_TESTS_REPORT_TABLES_H
#define VRG_TESTS_REPORT_TABLES_H

#include "files/table.h"
#include "lattice/exact.h"
#include "tests/report/pages.h"

static void
write_couplings (void)
{
  static const char *const operators[] = { "nn", "nnn", "plaquette", "third", "knight", "diamond", "square2" };
  static const char *const rules[] = { "majority", "decimation", "learnt" };
  /* by rule and level at criticality, nn and nnn; below and above drift away from it */
  const double k[3][5][2]
    = { { { 0.4407, 0 }, { 0.3556, 0.0802 }, { 0.3375, 0.0934 }, { 0.3330, 0.0966 }, { 0.331, 0.098 } },
        { { 0.4407, 0 }, { 0.2867, 0.1015 }, { 0.2412, 0.1093 }, { 0.221, 0.112 }, { 0.205, 0.114 } },
        { { 0.4407, 0 }, { 0.3721, 0.0602 }, { 0.3602, 0.0713 }, { 0.3571, 0.0741 }, { 0.356, 0.075 } } };
  const double nn[] = { 0.42, VRG_CRITICAL_2D, 0.46 };
  vrg_table *t = vrg_table_new (directory, "couplings.tsv", "nn rule level operators operator value error", "vrg test");
  for (int i = 0; i < 3; i++)
    for (int rule = 0; rule < 3; rule++)
      for (int level = 0; level <= 4; level++)
        for (int a = 0; a < 7; a++)
          {
            double error = 0.0004 * pow (2, level) * (1 + 0.2 * a), drift = (nn[i] - VRG_CRITICAL_2D) * pow (2, level);
            double value = a < 2 ? k[rule][level][a] + drift * (a == 0 ? 0.8 : 0.25)
                                 : (level ? -0.02 * cos (a) * (1 - pow (0.4, level)) : 0);
            vrg_table_double (t, nn[i]);
            vrg_table_text (t, rules[rule]);
            vrg_table_int (t, level);
            vrg_table_int (t, 7);
            vrg_table_text (t, operators[a]);
            vrg_table_double (t, level == 0 ? (a == 0 ? nn[i] : 0) + error * noise (a + 3 * i) : value);
            vrg_table_double (t, error);
          }
  check (vrg_table_close (t, NULL) == VRG_OK, "couplings.tsv is written");
}

static void
write_exponents (void)
{
  /* L = 64, majority rule: levels 1 to 4 with 1, 2, 3, 4, 7 even and 1 to 4 odd operators */
  const int even[] = { 1, 2, 3, 4, 7 };
  const double y_t[4][5] = { { 0.9116, 0.9669, 0.9689, 0.9692, 0.9691 },
                             { 0.9635, 1.0000, 1.0014, 1.0017, 1.0005 },
                             { 0.9577, 0.9986, 1.0001, 0.9996, 0.9970 },
                             { 0.9409, 0.9947, 0.9965, 0.9919, 0.9853 } };
  const double y_h[4] = { 1.8809, 1.8760, 1.8745, 1.8738 }, error[4] = { 0.0011, 0.0011, 0.0012, 0.0021 };
  static const char *const rules[] = { "majority", "learnt", "decimation" };
  const double shift_t[] = { 0, 0.012, -0.13 }, shift_h[] = { 0, 0.006, 0.09 };
  vrg_table *t = vrg_table_new (directory, "exponents.tsv", "nn rule level sector operators y error exact", "vrg test");
  for (int rule = 0; rule < 3; rule++)
    for (int level = 1; level <= 4; level++)
      for (int sector = 0; sector < 2; sector++)
        for (int i = 0; i < 5 - sector; i++)
          {
            vrg_table_double (t, VRG_CRITICAL_2D);
            vrg_table_text (t, rules[rule]);
            vrg_table_int (t, level);
            vrg_table_text (t, sector ? "odd" : "even");
            vrg_table_int (t, sector ? i + 1 : even[i]);
            vrg_table_double (
              t, (sector ? y_h[level - 1] - 0.003 * (3 - i) + shift_h[rule] : y_t[level - 1][i] + shift_t[rule]));
            vrg_table_double (t, error[level - 1] * (sector ? 0.1 : 1) * (1 + rule));
            vrg_table_double (t, sector ? 1.875 : 1);
          }
  check (vrg_table_close (t, NULL) == VRG_OK, "exponents.tsv is written");
}

#endif
