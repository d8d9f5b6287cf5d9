/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow stage on sampled files: level-0 couplings are those put in, the answer is the same on one rank, on all, and
 * when stopped after every round, and files that do not belong together are refused.
 * ranks: 1 2 3 4
 * The statistical checks use 5 sigma and one fixed seed: 14 couplings and 2 exponents, false alarms below 1e-4. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/param.h"
#include "base/progress.h"
#include "files/checkpoint.h"
#include "files/model.h"
#include "files/table.h"
#include "flow/flow.h"
#include "lattice/exact.h"
#include "sample/sample.h"
#include "tests/check.h"

static const char text[] = "[run]\nseed = 5\noutput = unused\n[lattice]\nsize = 32\n[couplings]\nnn = 0.3 critical\n"
                           "[sample]\nchains = 4\nthermalization = 100\ninterval = 4\nconfigurations = 2002\n"
                           "[train]\nmodel = convolution\ncoupling = critical\nhidden = 1\nfilter = 4\nstride = 2\n"
                           "[flow]\nrules = majority learnt\nscale = 2\nlevels = 4\nblocks = 50\n";

static char directory[64];

/* Every directory has its own flow but the one samples.h5. */
static const char *
place (const char *name)
{
  static char path[128];
  snprintf (path, sizeof path, "%s/%s", directory, name);
  return path;
}

static void
share_file (const char *name, const char *target)
{
  char from[128];
  if (check_rank_ == 0)
    {
      snprintf (from, sizeof from, "%s", place (name));
      if (symlink (from, place (target)) != 0)
        vrg_fail_one (VRG_FILE, "cannot link %s", from);
    }
  MPI_Barrier (MPI_COMM_WORLD);
}

static void
write_model (const vrg_input *input, const char *where, int64_t rows)
{
  double weights[16], zero[1] = { 0 };
  for (int i = 0; i < 16; i++)
    weights[i] = i / 4 % 3 != 0 && i % 4 % 3 != 0 ? -0.8 : -0.1; /* mostly the block's own sites, of the wrong sign */
  char *fingerprint = vrg_param_fingerprint (input, VRG_STAGE_TRAIN);
  vrg_model model = { .type = VRG_MODEL_CONVOLUTION,
                      .rows = rows,
                      .columns = rows,
                      .hidden = 1,
                      .filter = 4,
                      .stride = 2,
                      .weights = weights,
                      .visible_bias = zero,
                      .hidden_bias = zero };
  const vrg_stack stack = { .layers = 1, .layer = { &model }, .n_nn = 1, .nn = { VRG_CRITICAL_2D } };
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  int status = vrg_model_write (grid, where, fingerprint, &stack);
  check (status == VRG_OK, "a model is written");
  vrg_grid_free (grid);
  vrg_free (fingerprint);
}

/* Two files have the same rows; comment lines differ. */
static bool
same_table (const char *one, const char *other)
{
  vrg_table_data *a = NULL, *b = NULL;
  char first[128];
  snprintf (first, sizeof first, "%s", place (one));
  bool same = vrg_table_read (first, &a) == VRG_OK && vrg_table_read (place (other), &b) == VRG_OK && a->rows == b->rows
              && a->columns == b->columns && a->rows > 0;
  for (int i = 0; same && i < a->rows * a->columns; i++)
    same = strcmp (a->cell[i], b->cell[i]) == 0;
  vrg_table_free (a);
  vrg_table_free (b);
  return same;
}

static void
check_tables (void)
{
  vrg_table_data *t = NULL;
  check (vrg_table_read (place ("all/couplings.tsv"), &t) == VRG_OK && t->rows == 2 * 2 * 5 * 7,
         "couplings.tsv is whole");
  for (int row = 0; row < t->rows; row++)
    {
      const char *name = t->cell[row * 7 + 4];
      double nn = vrg_table_number (t, row, 0), value = vrg_table_number (t, row, 5),
             error = vrg_table_number (t, row, 6);
      if (vrg_table_number (t, row, 2) == 0 && strcmp (t->cell[row * 7 + 1], "majority") == 0)
        check (error > 0 && error < 0.01 && fabs (value - (strcmp (name, "nn") == 0 ? nn : 0)) < 5 * error,
               "level 0 at nn=%.4f: %s %.5f(%.5f)", nn, name, value, error);
    }
  vrg_table_free (t);
  check (vrg_table_read (place ("all/exponents.tsv"), &t) == VRG_OK && t->rows == 2 * 2 * 4 * (7 + 4),
         "exponents.tsv is whole");
  for (int row = 0; row < t->rows; row++)
    {
      double y = vrg_table_number (t, row, 5), error = vrg_table_number (t, row, 6),
             exact = vrg_table_number (t, row, 7);
      if (!isnan (exact) && vrg_table_number (t, row, 2) == 2 && strcmp (t->cell[row * 8 + 1], "majority") == 0
          && (vrg_table_number (t, row, 4) == (exact < 1.5 ? 7 : 4)) && (exact < 1.5 || t->cell[row * 8 + 3][0] == 'o'))
        check (error > 0 && error < 0.05 && fabs (y - exact) < 5 * error + 0.005, "level 2, %s: y %.4f(%.4f)",
               t->cell[row * 8 + 3], y, error);
    }
  vrg_table_free (t);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_input input, other;
  vrg_stop stop, hurry;
  static const char *const set[] = { "sample.interval=5" };
  static const char *const folders[] = { "all", "one", "stops", "wrong" };
  check (vrg_param_parse ("test", text, 0, NULL, &input) == VRG_OK, "the input is good");
  vrg_param_parse ("test", text, 1, set, &other);
  strcpy (directory, "/tmp/vrg-test-flow-XXXXXX");
  if (check_rank_ == 0 && mkdtemp (directory) == NULL)
    vrg_fail_one (VRG_FILE, "cannot make a directory in /tmp");
  MPI_Bcast (directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);
  for (int i = 0; i < 4; i++)
    vrg_directory_make (MPI_COMM_WORLD, place (folders[i]));
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1000);

  check (vrg_flow (MPI_COMM_WORLD, &input, place ("all"), &stop) == VRG_FILE, "no samples: %s", vrg_error_text ());
  int status = vrg_sample (MPI_COMM_WORLD, &input, directory, &stop);
  check (status == VRG_OK, "samples: %s", status == VRG_OK ? "written" : vrg_error_text ());
  for (int i = 0; i < 4; i++)
    {
      char target[32];
      snprintf (target, sizeof target, "%s/samples.h5", folders[i]);
      share_file ("samples.h5", target);
    }
  check (vrg_flow (MPI_COMM_WORLD, &other, place ("wrong"), &stop) == VRG_FILE, "other samples: %s", vrg_error_text ());
  check (vrg_flow (MPI_COMM_WORLD, &input, place ("wrong"), &stop) == VRG_FILE, "no model: %s", vrg_error_text ());
  write_model (&input, place ("wrong"), 64);
  check (vrg_flow (MPI_COMM_WORLD, &input, place ("wrong"), &stop) == VRG_FILE, "other lattice: %s", vrg_error_text ());
  write_model (&other, place ("wrong"), 32);
  check (vrg_flow (MPI_COMM_WORLD, &input, place ("wrong"), &stop) == VRG_FILE, "other model: %s", vrg_error_text ());
  check (!vrg_file_exists (MPI_COMM_WORLD, place ("wrong/flow.h5.tmp")), "nothing partial is left");

  write_model (&input, directory, 32);
  share_file ("model.h5", "all/model.h5");
  share_file ("model.h5", "one/model.h5");
  share_file ("model.h5", "stops/model.h5");
  status = vrg_flow (MPI_COMM_WORLD, &input, place ("all"), &stop);
  check (status == VRG_OK, "flow on all ranks: %s", status == VRG_OK ? "done" : vrg_error_text ());
  check_tables ();
  check (vrg_flow (MPI_COMM_WORLD, &input, place ("all"), &stop) == VRG_OK, "a finished flow is finished");

  if (check_rank_ == 0)
    {
      vrg_stop alone;
      vrg_stop_init (&alone, MPI_COMM_SELF, 0, 1000);
      status = vrg_flow (MPI_COMM_SELF, &input, place ("one"), &alone);
    }
  check (status == VRG_OK, "flow on one rank");
  /* stopped after the first round three times, then later and later */
  int stops = 0;
  for (double seconds = 1e-9; (status = vrg_flow (MPI_COMM_WORLD, &input, place ("stops"),
                                                  (vrg_stop_init (&hurry, MPI_COMM_WORLD, seconds, 1000), &hurry)))
                              == VRG_STOPPED;
       seconds = stops < 4       ? 1e-9
                 : seconds < 0.1 ? 0.1
                                 : 2 * seconds)
    stops++;
  check (status == VRG_OK && stops >= 3, "flow stopped again and again: %s",
         status == VRG_OK ? "done" : vrg_error_text ());
  check (!vrg_file_exists (MPI_COMM_WORLD, place ("stops/checkpoint-flow.0.h5")), "no checkpoint is left");
  check (same_table ("all/couplings.tsv", "one/couplings.tsv"), "the same couplings on one rank");
  check (same_table ("all/exponents.tsv", "one/exponents.tsv"), "the same exponents on one rank");
  check (same_table ("all/couplings.tsv", "stops/couplings.tsv"), "the same couplings after stops");
  check (same_table ("all/exponents.tsv", "stops/exponents.tsv"), "the same exponents after stops");

  MPI_Barrier (MPI_COMM_WORLD);
  char command[128];
  snprintf (command, sizeof command, "rm -rf '%s'", directory);
  if (check_rank_ == 0 && system (command) != 0)
    vrg_fail_one (VRG_FILE, "cannot remove %s", directory);
  return check_end ();
}
