/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow stage on sampled files of one, two and three dimensions, by scale 2 and 3 and several rules: couplings of the sampled
 * lattice are those put in, a decimated chain's are exact, the answer is the same on one rank, on all, and when stopped after
 * every round, and what does not fit together is refused.
 * ranks: 1 2 3 4
 * The statistical checks use 5 sigma and one fixed seed: 40 couplings and 2 exponents, false alarms below 1e-4. */
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
#include "tests/files/change.h"

static const char plane[] = "[run]\nseed = 5\noutput = unused\n[lattice]\nsize = 32\n[couplings]\nnn = 0.3 critical\n"
                            "[sample]\nchains = 4\nthermalization = 100\ninterval = 4\nconfigurations = 2002\n"
                            "[train]\nmodel = convolution\ncoupling = critical\nhidden = 1\nfilter = 4\nstride = 2\n"
                            "[flow]\nrules = majority learnt\nscale = 2\nlevels = 4\nblocks = 50\n";

static const char cube[] = "[run]\nseed = 6\n[lattice]\ndimension = 3\nsize = 8 12 8\n[couplings]\nnn = 0.2\n"
                           "[sample]\nchains = 6\nthermalization = 50\ninterval = 2\nconfigurations = 603\n"
                           "[flow]\nrules = weighted majority\nlevels = 2\nfitted = nn nnn plaquette\nblocks = 12\n";

static const char chain[] = "[run]\nseed = 7\n[lattice]\ndimension = 1\nsize = 1080\n[couplings]\nnn = 0.9 1.2\n"
                            "[sample]\nchains = 5\nthermalization = 50\ninterval = 2\nconfigurations = 1000\n"
                            "[flow]\nrules = decimation\nscale = 3\nlevels = 9\nblocks = 20\n";

static const char threes[] = "[run]\nseed = 8\n[lattice]\nsize = 27 45\n[couplings]\nnn = 0.4\n"
                             "[sample]\nchains = 8\nthermalization = 50\ninterval = 2\nconfigurations = 800\n"
                             "[flow]\nrules = majority\nscale = 3\nlevels = 2\nfitted = nn\nblocks = 16\n";

static char directory[64];

/* Every directory has its own flow but the one samples.h5. */
static const char *
place (const char *name)
{
  static char path[192];
  snprintf (path, sizeof path, "%s/%s", directory, name);
  return path;
}

static void
share_file (const char *name, const char *target)
{
  char from[192];
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
  char first[192];
  snprintf (first, sizeof first, "%s", place (one));
  bool same = vrg_table_read (first, &a) == VRG_OK && vrg_table_read (place (other), &b) == VRG_OK && a->rows == b->rows
              && a->columns == b->columns && a->rows > 0;
  for (int i = 0; same && i < a->rows * a->columns; i++)
    same = strcmp (a->cell[i], b->cell[i]) == 0;
  vrg_table_free (a);
  vrg_table_free (b);
  return same;
}

/* Level-0 couplings: nn as put in, the others 0; 5 errors. */
static void
check_level_0 (const char *file, const char *rule, double largest_error)
{
  vrg_table_data *t = NULL;
  check (vrg_table_read (place (file), &t) == VRG_OK, "%s is there", file);
  for (int row = 0; row < t->rows; row++)
    {
      const char *name = t->cell[row * 7 + 4];
      const double nn = vrg_table_number (t, row, 0), value = vrg_table_number (t, row, 5),
                   error = vrg_table_number (t, row, 6);
      if (vrg_table_number (t, row, 2) == 0 && strcmp (t->cell[row * 7 + 1], rule) == 0)
        check (error > 0 && error < largest_error && fabs (value - (strcmp (name, "nn") == 0 ? nn : 0)) < 5 * error,
               "level 0 at nn=%.4f: %s %.5f(%.5f)", nn, name, value, error);
    }
  vrg_table_free (t);
}

static void
check_plane (void)
{
  vrg_table_data *t = NULL;
  check (vrg_table_read (place ("plane/couplings.tsv"), &t) == VRG_OK && t->rows == 2 * 2 * 5 * 7,
         "couplings.tsv is whole");
  vrg_table_free (t);
  check_level_0 ("plane/couplings.tsv", "majority", 0.01);
  check (vrg_table_read (place ("plane/exponents.tsv"), &t) == VRG_OK && t->rows == 2 * 2 * 4 * (7 + 4),
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

/* A decimated chain: tanh K' = tanh (K)^3 and nothing but nn; 1080 sites allow three levels. */
static void
check_chain (void)
{
  vrg_table_data *t = NULL;
  check (vrg_table_read (place ("chain/couplings.tsv"), &t) == VRG_OK && t->rows == 2 * 4 * 4, "three levels of nine");
  for (int row = 0; row < t->rows; row++)
    {
      const char *name = t->cell[row * 7 + 4];
      const double value = vrg_table_number (t, row, 5), error = vrg_table_number (t, row, 6),
                   level = vrg_table_number (t, row, 2),
                   exact
                   = strcmp (name, "nn") == 0 ? atanh (pow (tanh (vrg_table_number (t, row, 0)), pow (3, level))) : 0;
      check (error > 0 && error < 0.02 && fabs (value - exact) < 5 * error,
             "chain, level %.0f: %s %.5f(%.5f), exact %.5f", level, name, value, error, exact);
    }
  vrg_table_free (t);
}

/* A fit of the level-0 couplings explains all that there is: gains beyond nn and the deviance are 0. */
static void
check_cube (void)
{
  vrg_table_data *t = NULL;
  check (vrg_table_read (place ("cube/fit.tsv"), &t) == VRG_OK && t->rows == 2 * 3 * 3, "fit.tsv is whole");
  for (int row = 0; row < t->rows; row++)
    if (vrg_table_number (t, row, 2) == 0)
      {
        const int operators = (int) vrg_table_number (t, row, 3);
        const double gain = vrg_table_number (t, row, 6), gain_error = vrg_table_number (t, row, 7),
                     deviance = vrg_table_number (t, row, 8), deviance_error = vrg_table_number (t, row, 9);
        check (operators == 1 ? gain > 100 * gain_error : fabs (gain) < 5 * gain_error,
               "gain with %d operators: %.2g(%.2g)", operators, gain, gain_error);
        check (fabs (deviance) < 5 * deviance_error && deviance_error < 1e-4 && vrg_table_number (t, row, 10) == 1,
               "deviance %.2g(%.2g), inside", deviance, deviance_error);
      }
  vrg_table_free (t);
  check_level_0 ("cube/couplings.tsv", "majority", 0.01);
}

static void
check_threes (void)
{
  check_level_0 ("threes/couplings.tsv", "majority", 0.01);
}

/* Sample into a folder unless its samples are there, and follow on all ranks, on one, and with stops. */
static void
check_stage (const char *name, const vrg_input *input, bool learnt, void (*check_tables) (void))
{
  static const char *const kinds[] = { "one", "stops" };
  static const char *const tables[] = { "couplings.tsv", "exponents.tsv", "fit.tsv", "eigenvalues.tsv" };
  char one[64], stopped[64], target[128];
  vrg_stop stop, hurry;
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1000);
  vrg_directory_make (MPI_COMM_WORLD, place (name));
  int status = vrg_sample (MPI_COMM_WORLD, input, place (name), &stop);
  check (status == VRG_OK, "%s: samples: %s", name, status == VRG_OK ? "written" : vrg_error_text ());
  if (learnt)
    write_model (input, place (name), input->size[0]);
  snprintf (one, sizeof one, "%s-one", name);
  snprintf (stopped, sizeof stopped, "%s-stops", name);
  for (int i = 0; i < 2; i++)
    {
      char from[96];
      snprintf (target, sizeof target, "%s-%s", name, kinds[i]);
      vrg_directory_make (MPI_COMM_WORLD, place (target));
      snprintf (from, sizeof from, "%s/samples.h5", name);
      snprintf (target, sizeof target, "%s-%s/samples.h5", name, kinds[i]);
      share_file (from, target);
      snprintf (from, sizeof from, "%s/model.h5", name);
      snprintf (target, sizeof target, "%s-%s/model.h5", name, kinds[i]);
      if (learnt)
        share_file (from, target);
    }
  status = vrg_flow (MPI_COMM_WORLD, input, place (name), &stop);
  check (status == VRG_OK, "%s: flow on all ranks: %s", name, status == VRG_OK ? "done" : vrg_error_text ());
  check_tables ();
  check (vrg_flow (MPI_COMM_WORLD, input, place (name), &stop) == VRG_OK, "a finished flow is finished");

  if (check_rank_ == 0)
    {
      vrg_stop alone;
      vrg_stop_init (&alone, MPI_COMM_SELF, 0, 1000);
      status = vrg_flow (MPI_COMM_SELF, input, place (one), &alone);
    }
  check (status == VRG_OK, "%s: flow on one rank", name);
  /* stopped after the first round three times, then later and later */
  int stops = 0;
  for (double seconds = 1e-9; (status = vrg_flow (MPI_COMM_WORLD, input, place (stopped),
                                                  (vrg_stop_init (&hurry, MPI_COMM_WORLD, seconds, 1000), &hurry)))
                              == VRG_STOPPED;
       seconds = stops < 4       ? 1e-9
                 : seconds < 0.1 ? 0.1
                                 : 2 * seconds)
    stops++;
  check (status == VRG_OK && stops >= 3, "%s: flow stopped again and again: %s", name,
         status == VRG_OK ? "done" : vrg_error_text ());
  snprintf (target, sizeof target, "%s/checkpoint-flow.0.h5", stopped);
  check (!vrg_file_exists (MPI_COMM_WORLD, place (target)), "no checkpoint is left");
  for (int i = 0; i < 2; i++)
    for (size_t f = 0; f < sizeof tables / sizeof tables[0]; f++)
      {
        char first[96], other[96];
        snprintf (first, sizeof first, "%s/%s", name, tables[f]);
        snprintf (other, sizeof other, "%s-%s/%s", name, kinds[i], tables[f]);
        check (same_table (first, other), "the same rows in %s", other);
      }
}

static void
check_parse (const char *text, int n, const char *const *set, vrg_input *input)
{
  const int status = vrg_param_parse ("test", text, n, set, input);
  check (status == VRG_OK, "an input: %s", status == VRG_OK ? "good" : vrg_error_text ());
}

/* A checkpoint whose numbers no run can have come to; uses the samples of `threes`. */
static void
check_forged (const vrg_input *input)
{
  const char *checkpoint = "forged-stop/checkpoint-flow.0.h5";
  const struct
  {
    const char *name;
    vrg_h5_type type;
    int64_t at, value;
  } changes[] = { { "/done", VRG_U8, 0, 2 },
                  { "/done", VRG_U8, -1, 1 }, /* the second pass before the first one is done */
                  { "/histogram", VRG_I64, 0, -1 },
                  { "/histogram", VRG_I64, 1, INT64_MAX } };
  vrg_stop stop;
  vrg_directory_make (MPI_COMM_WORLD, place ("forged-stop"));
  share_file ("threes/samples.h5", "forged-stop/samples.h5");
  vrg_stop_init (&stop, MPI_COMM_WORLD, 1e-9, 1000);
  check (vrg_flow (MPI_COMM_WORLD, input, place ("forged-stop"), &stop) == VRG_STOPPED, "a flow is stopped");
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1000);
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
    {
      const int64_t was
        = change_data (place (checkpoint), changes[i].name, changes[i].type, changes[i].at, changes[i].value);
      check (vrg_flow (MPI_COMM_WORLD, input, place ("forged-stop"), &stop) == VRG_FILE
               && strstr (vrg_error_text (), "out of range") != NULL,
             "%s[%lld] = %lld is refused", changes[i].name, (long long) changes[i].at, (long long) changes[i].value);
      change_data (place (checkpoint), changes[i].name, changes[i].type, changes[i].at, was);
    }
  check (vrg_flow (MPI_COMM_WORLD, input, place ("forged-stop"), &stop) == VRG_OK, "as it was, it goes on");
}

/* What does not fit together; uses the samples of `plane`. */
static void
check_refusals (const vrg_input *input)
{
  static const char *const interval[] = { "sample.interval=5" }, *const field[] = { "couplings.field=0.1" },
                           *const smaller[] = { "lattice.size=16", "sample.configurations=200" },
                           *const many[] = { "flow.fitted=nn nnn plaquette third fourth tetrahedron rectangle" };
  vrg_input *other = vrg_new (1, sizeof *other, "an input");
  vrg_stop stop;
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1000);
  vrg_directory_make (MPI_COMM_WORLD, place ("wrong"));
  check (vrg_flow (MPI_COMM_WORLD, input, place ("wrong"), &stop) == VRG_FILE, "no samples: %s", vrg_error_text ());
  check_parse (cube, 1, many, other);
  check (vrg_flow_check (other) == VRG_USAGE && strstr (vrg_error_text (), "first 6") != NULL, "%s", vrg_error_text ());
  check (vrg_flow (MPI_COMM_WORLD, other, place ("wrong"), &stop) == VRG_USAGE, "the stage says the same");
  check_parse (chain, 1, field, other);
  check (vrg_flow_check (other) == VRG_USAGE, "%s", vrg_error_text ());

  share_file ("plane/samples.h5", "wrong/samples.h5");
  check_parse (plane, 1, interval, other);
  check (vrg_flow (MPI_COMM_WORLD, other, place ("wrong"), &stop) == VRG_FILE, "other samples: %s", vrg_error_text ());
  check (vrg_flow (MPI_COMM_WORLD, input, place ("wrong"), &stop) == VRG_FILE, "no model: %s", vrg_error_text ());
  write_model (input, place ("wrong"), 64);
  check (vrg_flow (MPI_COMM_WORLD, input, place ("wrong"), &stop) == VRG_FILE, "other lattice: %s", vrg_error_text ());
  write_model (other, place ("wrong"), 32);
  check (vrg_flow (MPI_COMM_WORLD, input, place ("wrong"), &stop) == VRG_FILE, "other model: %s", vrg_error_text ());
  check (!vrg_file_exists (MPI_COMM_WORLD, place ("wrong/flow.h5.tmp")), "nothing partial is left");

  /* samples of a smaller lattice that say they are of this input */
  char *fingerprint = vrg_param_fingerprint (input, VRG_STAGE_SAMPLE);
  vrg_directory_make (MPI_COMM_WORLD, place ("forged"));
  check_parse (plane, 2, smaller, other);
  check (vrg_sample (MPI_COMM_WORLD, other, place ("forged"), &stop) == VRG_OK, "samples of a smaller lattice");
  change_attribute (place ("forged/samples.h5"), "fingerprint", 0, fingerprint);
  write_model (input, place ("forged"), 32);
  check (vrg_flow (MPI_COMM_WORLD, input, place ("forged"), &stop) == VRG_FILE
           && strstr (vrg_error_text (), "attribute size_0") != NULL,
         "are refused: %s", vrg_error_text ());
  vrg_free (fingerprint);
  vrg_free (other);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_input *input = vrg_new (1, sizeof *input, "an input");
  strcpy (directory, "/tmp/vrg-test-flow-XXXXXX");
  if (check_rank_ == 0 && mkdtemp (directory) == NULL)
    vrg_fail_one (VRG_FILE, "cannot make a directory in /tmp");
  MPI_Bcast (directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);

  check_parse (plane, 0, NULL, input);
  check_stage ("plane", input, true, check_plane);
  check_refusals (input);
  check_parse (cube, 0, NULL, input);
  check_stage ("cube", input, false, check_cube);
  check_parse (chain, 0, NULL, input);
  check_stage ("chain", input, false, check_chain);
  check_parse (threes, 0, NULL, input);
  check_stage ("threes", input, false, check_threes);
  check_forged (input);
  vrg_free (input);

  MPI_Barrier (MPI_COMM_WORLD);
  char command[128];
  snprintf (command, sizeof command, "rm -rf '%s'", directory);
  if (check_rank_ == 0 && system (command) != 0)
    vrg_fail_one (VRG_FILE, "cannot remove %s", directory);
  return check_end ();
}
