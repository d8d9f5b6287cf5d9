/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * The report of the flow: all its tables made up, in two dimensions; and which of them may be missing.
 * With a directory as argument, the example report is left there to be looked at. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw */
#endif
#include "files/table.h"
#include "lattice/exact.h"
#include "parallel/grid.h"
#include "report/report.h"
#include "tests/report/pages.h"
#include "tests/report/tables.h"

/** The tables about the flow that are about the same exponents and couplings: eigenvalues, fits, derivatives, surface,
 *  matching. */
static void
write_details (void)
{
  static const char *const rules[] = { "majority", "learnt", "decimation" }, *const names[]
                                                                             = { "nn", "nnn", "plaquette" };
  vrg_table *t = vrg_table_new (
    directory, "eigenvalues.tsv",
    "nn rule level sector operators index real real_error imaginary imaginary_error y y_error", "vrg test");
  for (int rule = 0; rule < 3; rule++)
    for (int level = 1; level <= 4; level++)
      for (int sector = 0; sector < 2; sector++)
        for (int i = 0; i < 7 - 3 * sector; i++)
          {
            const bool pair = !sector && (i == 3 || i == 4); /* conjugates */
            const double real = i == 0 ? (sector ? 3.668 : 2.0) : 0.9 / (i + 1), imaginary = i == 3 ? 0.125 : -0.125;
            vrg_table_double (t, VRG_CRITICAL_2D);
            vrg_table_text (t, rules[rule]);
            vrg_table_int (t, level);
            vrg_table_text (t, sector ? "odd" : "even");
            vrg_table_int (t, 7 - 3 * sector);
            vrg_table_int (t, i);
            vrg_table_double (t, real);
            vrg_table_double (t, 0.0021);
            vrg_table_double (t, pair ? imaginary : 0);
            vrg_table_double (t, pair ? 0.013 : 0);
            vrg_table_double (t, pair ? (double) NAN : log2 (real));
            vrg_table_double (t, pair ? (double) NAN : 0.0021 / real / M_LN2);
          }
  check (vrg_table_close (t, NULL) == VRG_OK, "eigenvalues.tsv is written");
  t = vrg_table_new (
    directory, "fit.tsv",
    "nn rule level operators pseudo_likelihood pseudo_likelihood_err gain gain_err deviance deviance_err "
    "inside",
    "vrg test");
  for (int rule = 0; rule < 3; rule++)
    for (int level = 0; level <= 4; level++)
      for (int m = 1; m <= 7; m++)
        {
          vrg_table_double (t, VRG_CRITICAL_2D);
          vrg_table_text (t, rules[rule]);
          vrg_table_int (t, level);
          vrg_table_int (t, m);
          vrg_table_double (t, -0.3456 + 0.001 * m);
          vrg_table_double (t, 0.0003);
          vrg_table_double (t, level ? 0.01 / m : 0);
          vrg_table_double (t, 1e-4);
          vrg_table_double (t, level ? 2e-4 / m : 0);
          vrg_table_double (t, 1e-5);
          vrg_table_int (t, !(rule == 1 && level == 4 && m == 7));
        }
  check (vrg_table_close (t, NULL) == VRG_OK, "fit.tsv is written");
  vrg_table *u = vrg_table_new (directory, "surface.tsv", "nn rule level operator normal error", "vrg test");
  t = vrg_table_new (directory, "derivatives.tsv", "nn rule level operator derivative error", "vrg test");
  for (int rule = 0; rule < 3; rule++)
    for (int level = 1; level <= 4; level++)
      for (int a = 0; a < 3; a++)
        {
          const double right[] = { 0.55, 0.21, -0.04 }, normal[] = { 1, M_SQRT2, 0.87 };
          for (int i = 0; i < 2; i++)
            {
              vrg_table_double (i ? t : u, VRG_CRITICAL_2D);
              vrg_table_text (i ? t : u, rules[rule]);
              vrg_table_int (i ? t : u, level);
              vrg_table_text (i ? t : u, names[a]);
            }
          vrg_table_double (t, (right[a] + 0.1 * rule) * pow (2, level) * (1 - 0.4 * pow (0.4, level)));
          vrg_table_double (t, 0.002 * pow (3, level));
          vrg_table_double (u, a ? normal[a] - 0.05 * pow (0.3, level) + 0.01 * rule : 1);
          vrg_table_double (u, a ? 0.002 * pow (2, level) : 0);
        }
  check (vrg_table_close (t, NULL) == VRG_OK && vrg_table_close (u, NULL) == VRG_OK,
         "derivatives.tsv and surface.tsv are written");
  t = vrg_table_new (directory, "matching.tsv", "size small level operator nn_estimate error", "vrg test");
  for (int pair = 0; pair < 2; pair++)
    for (int level = 1; level <= 4 - pair; level++)
      for (int a = 0; a < 3; a++)
        {
          vrg_table_text (t, pair ? "32" : "64");
          vrg_table_text (t, pair ? "16" : "32");
          vrg_table_int (t, level);
          vrg_table_text (t, names[a]);
          vrg_table_double (t, VRG_CRITICAL_2D * (1 + 0.03 * pow (0.2, level))
                                 + 0.0001 * noise (a + 9 * level + 50 * pair));
          vrg_table_double (t, 0.0001 * level);
        }
  check (vrg_table_close (t, NULL) == VRG_OK, "matching.tsv is written");
}

/** The flow of a machine with a stationary point at 0.43, and a table of what it is checked for. */
static void
write_machine (void)
{
  vrg_table *t = vrg_table_new (directory, "rbm-flow.tsv",
                                "nn step configurations energy energy_err abs_m abs_m_err coupling coupling_err "
                                "energy_coupling energy_coupling_err correlation correlation_err",
                                "vrg test");
  for (int start = 0; start < 9; start++)
    {
      const double nn = start == 4 ? VRG_CRITICAL_2D : 0.2 + 0.05 * start;
      double k = nn;
      for (int step = 0; step <= 10; step++, k += 0.3 * (0.43 - k))
        {
          vrg_table_double (t, nn);
          vrg_table_int (t, step);
          vrg_table_int (t, 1000);
          for (int i = 0; i < 5; i++)
            {
              vrg_table_double (t, i == 0   ? -3.2 * k
                                   : i == 1 ? k
                                   : i == 4 ? 0.2
                                            : k + 0.001 * noise (step + 20 * start + i));
              vrg_table_double (t, 0.0021);
            }
        }
    }
  check (vrg_table_close (t, NULL) == VRG_OK, "rbm-flow.tsv is written");
  t = vrg_table_new (directory, "rbm-stationary.tsv", "quantity source step points value error", "vrg test");
  for (int row = 0; row < 4; row++)
    {
      vrg_table_text (t, row < 2 ? "fixed_point_attractive" : "specific_heat_maximum");
      vrg_table_text (t, row < 2 ? "pseudo_likelihood" : row == 2 ? "exact" : "scan");
      vrg_table_int (t, row < 2 ? row + 1 : 0);
      vrg_table_int (t, 3);
      vrg_table_double (t, row < 2 ? 0.43 + 0.001 * row : 0.4384);
      vrg_table_double (t, row == 2 ? 0 : 0.0012);
    }
  check (vrg_table_close (t, NULL) == VRG_OK, "rbm-stationary.tsv is written");
  t = vrg_table_new (directory, "mapping.tsv", "layer quantity method value error", "vrg test");
  vrg_table_int (t, 1);
  vrg_table_text (t, "kl_per_site");
  vrg_table_text (t, "exact");
  vrg_table_double (t, 0.01234);
  vrg_table_double (t, 0.0005);
  check (vrg_table_close (t, NULL) == VRG_OK, "mapping.tsv is written");
}

static const char *const flow_figures[]
  = { "flow",           "flow-plaquette", "couplings", "derivatives", "exponents-even", "exponents-odd",
      "operators-even", "operators-odd",  "matching",  "rbm-flow",    "rbm-map" };

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  const bool keep = begin_directory (argc, argv);
  write_couplings ();
  write_exponents ();
  write_details ();
  write_machine ();
  check (vrg_report (grid, directory) == VRG_OK, "all of the flow: reported");
  check_figures (true, sizeof flow_figures / sizeof *flow_figures, flow_figures);
  check_page ("all of the flow", 20,
              (const char *const[]){ "<a href=\"#machine\">Machine</a>",
                                     "<a href=\"figures/flow.pdf\">PDF</a>",
                                     "<a href=\"figures/rbm-map.svg\">SVG</a>",
                                     "<a href=\"figures/matching.gp\">data</a>",
                                     "<a href=\"fit.tsv\">",
                                     "<a href=\"eigenvalues.tsv\">",
                                     "<a href=\"surface.tsv\">",
                                     "<a href=\"derivatives.tsv\">",
                                     "<a href=\"rbm-flow.tsv\">",
                                     "<a href=\"mapping.tsv\">",
                                     "1 of 15 fits are not inside",
                                     ">no</td>",
                                     "0.2250(21) + 0.125(13) i",
                                     "0.1800(21) − 0.125(13) i",
                                     "−0.33860(30)",
                                     "<td>specific heat maximum</td>",
                                     "<td>kl per site</td>",
                                     "0.00143(10)",
                                     "1.410(8)",
                                     "√2" },
              2, (const char *const[]){ "#flow-plaquette", "nan(" });
  char *flow = read_text ("figures/flow.gp");
  check (strstr (flow, "title 'critical surface, majority'") && strstr (flow, "title 'Kadanoff, variational'")
           && strstr (flow, "title 'Migdal-Kadanoff'") && strstr (flow, "title 'deepest level from K_c'"),
         "the flow diagram has what it is compared with");
  vrg_free (flow);

  static const char *const tables[] = { "eigenvalues.tsv", "fit.tsv",      "derivatives.tsv",    "surface.tsv",
                                        "matching.tsv",    "rbm-flow.tsv", "rbm-stationary.tsv", "mapping.tsv" };
  for (size_t i = 0; i < sizeof tables / sizeof *tables && !keep; i++)
    {
      char path[1024];
      snprintf (path, sizeof path, "%s/%s", directory, tables[i]);
      check (unlink (path) == 0, "%s is removed", tables[i]);
    }
  if (!keep)
    {
      check (vrg_report (grid, directory) == VRG_OK, "a flow of an older version: reported");
      check_page ("a flow of an older version", 1, (const char *const[]){ "figures/flow.pdf" }, 5,
                  (const char *const[]){ "id=\"machine\"", "fit.tsv", "eigenvalues.tsv", "rbm-map", "surface.tsv" });
    }
  end_directory (keep);
  vrg_grid_free (grid);
  return check_end ();
}
