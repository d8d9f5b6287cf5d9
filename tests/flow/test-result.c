/* SPDX-License-Identifier: GPL-3.0-or-later
 * What flow.h5 and the tables say of stability matrices, by the identities they must obey, from a sampled 16x16 lattice
 * blocked to 2x2, where operators coincide; and numbers that are known.
 * ranks: 1 2 3 4
 * The statistical checks use 5 sigma and one fixed seed: 3 numbers, false alarms below 1e-5. */
#include <complex.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/param.h"
#include "files/h5.h"
#include "files/table.h"
#include "flow/flow.h"
#include "lattice/exact.h"
#include "sample/sample.h"
#include "tests/check.h"

#define SIDE 16
#define LEVELS 4 /* with level 0 */
#define EVEN 7
#define MOST_BLOCKS 64

static const char text[] = "[run]\nseed = 1\noutput = unused\n[lattice]\nsize = 16\n[couplings]\nnn = critical\n"
                           "[sample]\nchains = 4\nthermalization = 100\ninterval = 4\nconfigurations = 8000\n"
                           "[train]\nmodel = none\n[flow]\nrules = majority\nscale = 2\nlevels = 3\nblocks = 40\n"
                           "even = nn nnn plaquette third knight diamond square2\nodd = spin corner\n";

static vrg_h5 *file;

static double complex
number (double real, double imaginary)
{
  return real + I * imaginary;
}

/* Dataset /ensemble-000/majority/NAME of `rank` axes; to be freed. */
static void *
get (const char *name, vrg_h5_type type, int rank, int64_t second, int64_t third)
{
  char path[128];
  snprintf (path, sizeof path, "/ensemble-000/majority/%s", name);
  vrg_h5_array array
    = { .name = path, .type = type, .rank = rank, .dims = { LEVELS, second, third }, .replicated = true };
  int64_t count = LEVELS * second * (rank > 2 ? third : 1);
  array.data = vrg_new (count, type == VRG_U8 ? 1 : sizeof (double), "dataset");
  if (vrg_h5_read (file, &array) != VRG_OK)
    check (false, "%s is there: %s", name, vrg_error_text ());
  return array.data;
}

static double *
get_list (const char *name)
{
  return get (name, VRG_F64, 2, EVEN, 0);
}

static double *
get_matrix (const char *name)
{
  return get (name, VRG_F64, 3, EVEN, EVEN);
}

/* left T = value left, T right = value right, left . right = 1, in complex numbers; |left| = 1. */
static void
check_vectors (const uint8_t *used)
{
  double *t = get_matrix ("even/stability"), *parts[6], worst = 0;
  static const char *const names[]
    = { "even/eigenvalue", "even/eigenvalue_imaginary", "even/left", "even/left_imaginary",
        "even/right",      "even/right_imaginary" };
  for (int i = 0; i < 6; i++)
    parts[i] = i < 2 ? get_list (names[i]) : get_matrix (names[i]);
  for (int level = 1; level < LEVELS; level++)
    {
      int count = 0;
      double before = INFINITY;
      for (int a = 0; a < EVEN; a++)
        count += used[level * EVEN + a];
      for (int i = 0; i < count; i++)
        {
          int at = level * EVEN + i;
          double complex value = number (parts[0][at], parts[1][at]), product = 0;
          double length = 0;
          check (cabs (value) <= before * (1 + 1e-12), "level %d: eigenvalue %d is %.4f %+.4fi", level, i + 1,
                 creal (value), cimag (value));
          before = cabs (value);
          for (int a = 0; a < EVEN; a++)
            {
              double complex from_left = 0, from_right = 0;
              if (!used[level * EVEN + a])
                continue;
              for (int b = 0; b < EVEN; b++)
                if (used[level * EVEN + b])
                  {
                    from_left
                      += number (parts[2][at * EVEN + b], parts[3][at * EVEN + b]) * t[(level * EVEN + b) * EVEN + a];
                    from_right
                      += number (parts[4][at * EVEN + b], parts[5][at * EVEN + b]) * t[(level * EVEN + a) * EVEN + b];
                  }
              double complex left = number (parts[2][at * EVEN + a], parts[3][at * EVEN + a]),
                             right = number (parts[4][at * EVEN + a], parts[5][at * EVEN + a]);
              worst = fmax (worst, cabs (from_left - value * left));
              worst = fmax (worst, cabs (from_right - value * right) / (1 + cabs (right)));
              product += left * right;
              length += creal (left * conj (left));
            }
          worst = fmax (worst, fmax (cabs (product - 1), fabs (length - 1)));
        }
    }
  check_abs (worst, 0, 1e-9, "eigenvectors are those of T, of length 1, left . right = 1");
  for (int i = 0; i < 6; i++)
    vrg_free (parts[i]);
  vrg_free (t);
}

static void
check_response (const uint8_t *used)
{
  double *t = get_matrix ("even/stability"), *response = get_matrix ("even/response"),
         *derivative = get_list ("even/derivative"), *normal = get_list ("even/normal"),
         *normal_error = get_list ("even/normal_error"), *slope = get_list ("even/mean_derivative"),
         *slope_error = get_list ("even/mean_derivative_error");
  double identity = 0, first = 0, column = 0, heat;
  for (int a = 0; a < EVEN; a++)
    for (int b = 0; b < EVEN; b++)
      {
        identity = fmax (identity, fabs (response[a * EVEN + b] - (a == b)));
        if (used[EVEN + a] && used[EVEN + b])
          first = fmax (first, fabs (response[(EVEN + a) * EVEN + b] - t[(EVEN + a) * EVEN + b]));
      }
  for (int level = 0; level < LEVELS; level++)
    for (int a = 0; a < EVEN; a++)
      if (used[level * EVEN + a])
        column = fmax (column, fabs (derivative[level * EVEN + a] - response[(level * EVEN + a) * EVEN]));
  check_abs (identity, 0, 1e-9, "level 0: dK/dK is 1");
  check_abs (first, 0, 1e-12, "level 1: dK/dK is T");
  check_abs (column, 0, 0, "the derivatives are its first column");
  for (int level = 1; level < LEVELS; level++)
    check (normal[level * EVEN] == 1, "level %d: the normal is relative to nn", level);
  /* exactly the ratio of the singular parts, d ln |d| with d the distance from the critical coupling, of <s s'> on a
     diagonal, (2/pi) E (1/sinh (2K)^2), and on a bond */
  check (fabs (normal[2 * EVEN + 1] - sqrt (2)) < 5 * normal_error[2 * EVEN + 1] && normal_error[2 * EVEN + 1] < 0.02,
         "level 2: normal of nnn %.4f(%.4f), expected %.4f", normal[2 * EVEN + 1], normal_error[2 * EVEN + 1],
         sqrt (2));
  vrg_exact_torus (SIDE, SIDE, VRG_CRITICAL_2D, NULL, NULL, &heat);
  heat /= VRG_CRITICAL_2D * VRG_CRITICAL_2D;
  check (fabs (slope[0] - heat) < 5 * slope_error[0] && slope_error[0] < 0.05 * heat,
         "level 0: d <nn> / d nn is %.4f(%.4f), exact %.4f", slope[0], slope_error[0], heat);
  vrg_free (slope_error);
  vrg_free (slope);
  vrg_free (normal_error);
  vrg_free (normal);
  vrg_free (derivative);
  vrg_free (response);
  vrg_free (t);
}

/* The covariance of y over levels, and the leading eigenvalue in both tables. */
static void
check_exponents (const char *directory)
{
  double *covariance = get ("even/y_covariance", VRG_F64, 2, LEVELS, 0), *error = get_list ("even/y_error"),
         *y = get_list ("even/y");
  for (int level = 1; level < LEVELS; level++)
    {
      double variance = covariance[level * LEVELS + level], sigma = error[level * EVEN + EVEN - 1];
      check (fabs (variance - sigma * sigma) < 1e-9 * variance, "level %d: variance and error of y agree", level);
      for (int other = 1; other < LEVELS; other++)
        check (fabs (covariance[level * LEVELS + other])
                 <= sqrt (variance * covariance[other * LEVELS + other]) * (1 + 1e-12),
               "levels %d and %d: a correlation", level, other);
    }
  check (fabs (y[2 * EVEN + 6] - 1) < 5 * error[2 * EVEN + 6] + 0.02 && error[2 * EVEN + 6] < 0.02,
         "level 2: y_t %.4f(%.4f)", y[2 * EVEN + 6], error[2 * EVEN + 6]);
  char path[128];
  vrg_table_data *t = NULL;
  snprintf (path, sizeof path, "%s/eigenvalues.tsv", directory);
  bool same = vrg_table_read (path, &t) == VRG_OK && t->rows > 0;
  for (int row = 0; row < t->rows && same; row++)
    if (vrg_table_number (t, row, 5) == 1 && !strcmp (t->cell[row * t->columns + 3], "even"))
      same = fabs (vrg_table_number (t, row, vrg_table_column (t, "y"))
                   - y[(int) vrg_table_number (t, row, 2) * EVEN + EVEN - 1])
             < 1e-8;
  check (same, "the first eigenvalue gives the exponent with all operators");
  vrg_table_free (t);
  vrg_free (y);
  vrg_free (error);
  vrg_free (covariance);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  char directory[64] = "/tmp/vrg-test-XXXXXX", path[96];
  if (check_rank_ == 0 && mkdtemp (directory) == NULL)
    vrg_fail_one (VRG_FILE, "no temporary directory");
  MPI_Bcast (directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);
  vrg_input input;
  check (vrg_param_parse ("test", text, 0, NULL, &input) == VRG_OK, "the input is right");
  vrg_stop stop;
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1000);
  check (vrg_sample (MPI_COMM_WORLD, &input, directory, &stop) == VRG_OK, "sampling");
  check (vrg_flow (MPI_COMM_WORLD, &input, directory, &stop) == VRG_OK, "flow");
  snprintf (path, sizeof path, "%s/flow.h5", directory);
  check (vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_READ, &file) == VRG_OK && vrg_h5_verify (file) == VRG_OK
           && vrg_h5_get_head (file, "vrg-flow", 2, NULL) == VRG_OK,
         "flow.h5 is whole, format 2");
  uint8_t *used = get ("even/used", VRG_U8, 2, EVEN, 0);
  bool good = true;
  for (int a = 0; a < EVEN; a++)
    good = good && used[a] && used[EVEN + a] && used[3 * EVEN + a] == (a < 3);
  check (good, "on 2x2 nn, nnn and plaquette are used, on larger lattices all");
  check_vectors (used);
  check_response (used);
  check_exponents (directory);
  vrg_free (used);
  vrg_h5_close (file);
  snprintf (path, sizeof path, "rm -rf '%s'", directory);
  MPI_Barrier (MPI_COMM_WORLD);
  check (check_rank_ != 0 || system (path) == 0, "the directory is removed");
  return check_end ();
}
