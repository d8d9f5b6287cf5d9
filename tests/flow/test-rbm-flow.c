/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow v -> h -> v: machines whose map of couplings is known, the thermometers against the exact solution, the same
 * bits on one rank, on all, and through stops, and files that do not belong together.
 * ranks: 1 2 3 4
 * The statistical checks use 5 sigma and one fixed seed: about 100 couplings, false alarms below 1e-4. */
#include <string.h>

#include "files/model.h"
#include "files/table.h"
#include "flow/rbm-flow.h"
#include "flow/rbm-result.h"
#include "flow/thermometer.h"
#include "lattice/exact.h"
#include "sample/sample.h"
#include "tests/check.h"
#include "tests/files/change.h"
#include "tests/files/scratch.h"

#define RING                                                                                                           \
  "[lattice]\ndimension = 1\nsize = 30\n[couplings]\nnn = 0.7 0.2 0.4\n[sample]\nchains = 20\n"                        \
  "thermalization = 50\ninterval = 2\nconfigurations = 3000\n[train]\ncoupling = 0.4\nhidden = 1\n"                    \
  "model = convolution\nfilter = 2\nstride = 1\n[flow]\nrules = decimation\nrbm_steps = 4\n"                           \
  "rbm_configurations = 2010\n"
#define SQUARE                                                                                                         \
  "[lattice]\nsize = 6\n[couplings]\nnn = 0.2 0.4 3\n[sample]\nchains = 10\nthermalization = 50\n"                     \
  "configurations = 700\n[train]\nmodel = dense\ncoupling = 0.2 0.4 3\nhidden = 20\n[flow]\n"                          \
  "rules = majority\nrbm_steps = 3\nrbm_configurations = 5000\n"

static vrg_input
input_of (const char *text)
{
  vrg_input input;
  if (vrg_param_parse ("test", text, 0, NULL, &input) != VRG_OK)
    vrg_fail_one (VRG_USAGE, "%s", vrg_error_text ());
  return input;
}

static void
directory_of (const char *name)
{
  vrg_directory_make (MPI_COMM_WORLD, scratch_path (name));
}

/** Samples of the input in a new directory. */
static void
sample (const vrg_input *input, const char *name)
{
  vrg_stop stop;
  directory_of (name);
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1000);
  const int status = vrg_sample (MPI_COMM_WORLD, input, scratch_path (name), &stop);
  check (status == VRG_OK, "samples of %s: %s", name, status == VRG_OK ? "written" : vrg_error_text ());
}

/** A model of the input: weights [n], the same filter or the same dense layer for all; no biases. */
static void
write_model (const vrg_input *trained, const char *name, int64_t rows, int64_t columns, const double *weights)
{
  double zero[64] = { 0 };
  const bool dense = trained->model == VRG_MODEL_DENSE;
  char *fingerprint = vrg_param_fingerprint (trained, VRG_STAGE_TRAIN);
  vrg_model model = { .type = trained->model,
                      .rows = rows,
                      .columns = columns,
                      .hidden = trained->hidden[0],
                      .filter = dense ? 0 : trained->filter,
                      .stride = dense ? 0 : trained->stride,
                      .visible1 = rows * columns,
                      .visible_bias = zero,
                      .hidden_bias = zero };
  model.weights = vrg_new (vrg_model_weights (&model), sizeof *model.weights, "weights");
  memcpy (model.weights, weights, (size_t) vrg_model_weights (&model) * sizeof *weights);
  const vrg_stack stack = { .layers = 1, .layer = { &model }, .n_nn = 1, .nn = { trained->coupling[0] } };
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  check (vrg_model_write (grid, scratch_path (name), fingerprint, &stack) == VRG_OK, "a model is written to %s", name);
  vrg_grid_free (grid);
  vrg_free (model.weights);
  vrg_free (fingerprint);
}

/** The flow of files in `from`, written to `to`.  stops: stop at every poll, and count how often; or, from -1,
 *  once. */
static int
flow (MPI_Comm comm, const vrg_input *input, const char *from, const char *to, int *stops)
{
  vrg_grid *grid = vrg_grid_new (comm, 1);
  char path[1024];
  char *fingerprint = vrg_param_fingerprint (input, VRG_STAGE_FLOW);
  vrg_samples *samples = NULL;
  vrg_stop stop;
  snprintf (path, sizeof path, "%s/samples.h5", scratch_path (from));
  int status = vrg_samples_open (grid->file, path, &samples);
  double seconds = 1e-9;
  for (bool again = status == VRG_OK; again;)
    {
      vrg_stop_init (&stop, comm, stops ? seconds : 0, stops ? 0 : 1000);
      status = vrg_rbm_flow (grid, input, samples, scratch_path (to), fingerprint, &stop);
      again = status == VRG_STOPPED && stops && ++*stops > 0;
      if (again)
        seconds = *stops < 3 ? 1e-9 : seconds < 0.01 ? 0.01 : 1.5 * seconds;
    }
  vrg_samples_close (samples);
  vrg_free (fingerprint);
  vrg_grid_free (grid);
  return status;
}

static vrg_table_data *
table (const char *name)
{
  vrg_table_data *t = NULL;
  if (vrg_table_read (scratch_path (name), &t) != VRG_OK)
    vrg_fail_one (VRG_FILE, "%s", vrg_error_text ());
  return t;
}

static double
number (const vrg_table_data *t, int row, const char *column)
{
  return vrg_table_number (t, row, vrg_table_column (t, column));
}

/** Row of a quantity by its source and step in rbm-stationary.tsv, -1 for none; *n: how many. */
static int
row_of (const vrg_table_data *t, const char *quantity, const char *source, int step, int *n)
{
  int found = -1;
  *n = 0;
  for (int row = 0; row < t->rows; row++)
    if (strcmp (t->cell[row * t->columns], quantity) == 0 && strcmp (t->cell[row * t->columns + 1], source) == 0
        && (int) number (t, row, "step") == step)
      {
        found = row;
        ++*n;
      }
  return found;
}

/** The filter (w, w) with w = arccosh (exp 2K) / 2 is the Ising ring of coupling K: it stays there, others go there. */
static void
check_ring (const vrg_input *input)
{
  const double w = acosh (exp (2 * 0.4)) / 2, weights[] = { w, w };
  static const char *const source[] = { "pseudo_likelihood", "energy" }, *const coupling[][2]
                                                                         = { { "coupling", "change" },
                                                                             { "energy_coupling", "energy_change" } };
  write_model (input, "ring", 1, 30, weights);
  const int status = flow (MPI_COMM_WORLD, input, "ring", "ring", NULL);
  check (status == VRG_OK, "the flow of the exact ring: %s", status == VRG_OK ? "done" : vrg_error_text ());
  vrg_table_data *t = table ("ring/rbm-flow.tsv");
  check (t->rows == 3 * 5, "rbm-flow.tsv is whole");
  for (int row = 0; row < t->rows; row++)
    for (int by = 0; by < 2; by++)
      {
        char error[64];
        const double nn = number (t, row, "nn"), k = number (t, row, coupling[by][0]);
        snprintf (error, sizeof error, "%s_err", coupling[by][0]);
        const double k_error = number (t, row, error), change = number (t, row, coupling[by][1]);
        snprintf (error, sizeof error, "%s_err", coupling[by][1]);
        const double change_error = number (t, row, error);
        const int step = (int) number (t, row, "step");
        if (step == 0)
          check (k_error > 0 && k_error < 0.02 && fabs (k - nn) < 5 * k_error && isnan (change),
                 "%s: sampled at %.2f: %.4f(%.4f)", source[by], nn, k, k_error);
        else if (nn == 0.4)
          check (fabs (k - nn) < 5 * k_error && fabs (change) < 5 * change_error, "%s: step %d: stays at %.4f(%.4f)",
                 source[by], step, k, k_error);
        else if (step == 1)
          check (change * (0.4 - nn) > 0 && fabs (change) > 5 * change_error,
                 "%s: from %.2f towards 0.4: by %.4f(%.4f)", source[by], nn, change, change_error);
      }
  for (int row = 0; row < t->rows; row++)
    if (number (t, row, "step") == 0)
      {
        const double nn = number (t, row, "nn"), xi = number (t, row, "correlation"), x = tanh (nn);
        const double two = (x * x + pow (x, 28)) / (1 + pow (x, 30)),
                     three = (x * x * x + pow (x, 27)) / (1 + pow (x, 30));
        check (fabs (number (t, row, "two_point_2") - two) < 5 * number (t, row, "two_point_2_err")
                 && fabs (number (t, row, "two_point_3") - three) < 5 * number (t, row, "two_point_3_err")
                 && (nn < 0.4 || xi > 0),
               "two-point function at %.2f: %.4f %.4f, exact %.4f %.4f", nn, number (t, row, "two_point_2"),
               number (t, row, "two_point_3"), two, three);
      }
  vrg_table_free (t);
  t = table ("ring/rbm-stationary.tsv");
  for (int by = 0; by < 2; by++)
    {
      int n;
      const int row = row_of (t, "fixed_point_attractive", source[by], 1, &n);
      const double value = row < 0 ? NAN : number (t, row, "value"), error = row < 0 ? NAN : number (t, row, "error");
      /* linear interpolation over a wide scan: 0.4 itself is a point of it */
      check (n == 1 && error < 0.05 && fabs (value - 0.4) < 5 * error + 0.02, "%s: fixed point %.4f(%.4f)", source[by],
             value, error);
    }
  vrg_table_free (t);
}

/** Without weights nothing is left of the samples after a step. */
static void
check_nothing (const vrg_input *input)
{
  const double weights[2] = { 0 };
  directory_of ("nothing");
  write_model (input, "nothing", 1, 30, weights);
  check (flow (MPI_COMM_WORLD, input, "ring", "nothing", NULL) == VRG_OK, "the flow of a model without weights");
  vrg_table_data *t = table ("nothing/rbm-flow.tsv");
  for (int row = 0; row < t->rows; row++)
    if (number (t, row, "step") > 0)
      {
        const double k = number (t, row, "coupling"), error = number (t, row, "coupling_err");
        check (
          fabs (k) < 5 * error && error < 0.01 && fabs (number (t, row, "energy")) < 5 * number (t, row, "energy_err")
            && fabs (number (t, row, "energy_coupling")) < 5 * number (t, row, "energy_coupling_err"),
          "from %.2f, step %d: coupling %.4f(%.4f)", number (t, row, "nn"), (int) number (t, row, "step"), k, error);
      }
  vrg_table_free (t);
}

static void
check_thermometers (void)
{
  static const int64_t sizes[][3] = { { 8, 8, 1 }, { 4, 6, 1 }, { 16, 1, 1 }, { 5, 5, 1 } };
  static const int dimension[] = { 2, 2, 1, 2 };
  for (int i = 0; i < 4; i++)
    for (double nn = 1e-4; nn < 1.2; nn *= 3)
      {
        double energy, slope, above, below;
        const char *reason = NULL;
        if (dimension[i] == 1)
          vrg_exact_ring (sizes[i][0], nn, NULL, &energy, NULL);
        else
          vrg_exact_torus (sizes[i][0], sizes[i][1], nn, NULL, &energy, NULL);
        const double k = vrg_thermometer_energy (dimension[i], sizes[i], energy, &slope, &reason), d = -1e-7 * energy;
        above = vrg_thermometer_energy (dimension[i], sizes[i], energy + d, &below, &reason);
        check (reason == NULL && fabs (k - nn) < 1e-7 * nn && slope < 0 && fabs ((above - k) / d / slope - 1) < 1e-2,
               "%dx%d at %.3g: energy to coupling", (int) sizes[i][0], (int) sizes[i][1], nn);
      }
  double slope;
  const char *reason = NULL;
  check_rel (vrg_thermometer_energy (2, sizes[0], 1.49158910744, &slope, &reason), -VRG_CRITICAL_2D, 1e-9,
             "a positive energy on even sides");
  static const struct
  {
    int dimension, size;
    double energy;
  } impossible[] = { { 2, 3, 0.5 }, { 2, 0, -2 }, { 3, 0, -1 } };
  for (int i = 0; i < 3; i++)
    {
      const int64_t *size = sizes[impossible[i].size];
      reason = NULL;
      const double k = vrg_thermometer_energy (impossible[i].dimension, size, impossible[i].energy, &slope, &reason);
      check (isnan (k) && isnan (slope) && reason, "energy %g: %s", impossible[i].energy, reason);
    }
  check_abs (vrg_thermometer_maximum (2, sizes[0]), 0.42337368, 5e-8, "specific-heat maximum of 8x8");
  const int64_t large[] = { 16, 16, 1 }, ring[] = { 1000, 1, 1 };
  check_abs (vrg_thermometer_maximum (2, large), 0.43149824, 5e-8, "specific-heat maximum of 16x16");
  const double k = vrg_thermometer_maximum (1, ring);
  check_rel (k * tanh (k), 1, 1e-7, "specific-heat maximum of a ring");
}

/** Fixed points of given maps: errors scaled so that they can be had by hand. */
static void
check_fixed (void)
{
  vrg_samples_info info = { .ensembles = 4, .nn = { 0.5, 0.1, 0.3, 0.2 } };
  vrg_rbm_result *r = vrg_rbm_result_new (&info, 1, 100);
  vrg_rbm_fixed fixed[4];
  static const double change[] = { 0.4, -0.2, -0.1, -0.3 }; /* -0.2 -0.3 -0.1 +0.4 by coupling */
  for (int e = 0; e < 4; e++)
    {
      r->value[VRG_RBM_CHANGE][2 * e + 1] = change[e];
      r->error[VRG_RBM_CHANGE][2 * e + 1] = 0.01;
    }
  int n = vrg_rbm_result_fixed (r, VRG_RBM_CHANGE, 1, fixed);
  check (n == 1 && !fixed[0].attractive && fixed[0].points == 2, "one repulsive fixed point");
  check_rel (fixed[0].nn, 0.3 + 0.2 * 0.1 / 0.5, 1e-12, "by linear interpolation");
  check_rel (fixed[0].error, 0.2 / 0.25 * hypot (0.4 * 0.01, 0.1 * 0.01), 1e-12, "its error");
  r->error[VRG_RBM_CHANGE][2 * 2 + 1] = 0.05; /* not significant: one of three points of a line */
  n = vrg_rbm_result_fixed (r, VRG_RBM_CHANGE, 1, fixed);
  check (n == 1 && fixed[0].points == 3 && fixed[0].nn > 0.2 && fixed[0].nn < 0.5, "by a line at %.4f", fixed[0].nn);
  r->value[VRG_RBM_CHANGE][1] = -0.4;
  check (vrg_rbm_result_fixed (r, VRG_RBM_CHANGE, 1, fixed) == 0, "no fixed point");
  vrg_rbm_result_free (r);
}

static bool
same_table (const char *one, const char *other)
{
  vrg_table_data *a = table (one), *b = table (other);
  bool same = a->rows == b->rows && a->columns == b->columns && a->rows > 0;
  for (int i = 0; same && i < a->rows * a->columns; i++)
    same = strcmp (a->cell[i], b->cell[i]) == 0;
  vrg_table_free (a);
  vrg_table_free (b);
  return same;
}

/** The arrays of two files: the same bits. */
static bool
same_file (const vrg_samples_info *info, int steps, const char *one, const char *other)
{
  vrg_rbm_result *r[2];
  const char *const names[] = { one, other };
  bool same = true;
  for (int i = 0; i < 2; i++)
    {
      vrg_h5 *file;
      vrg_h5_array arrays[VRG_RBM_ARRAYS];
      r[i] = vrg_rbm_result_new (info, steps, 1);
      vrg_rbm_result_arrays (r[i], arrays);
      same = vrg_h5_open (MPI_COMM_SELF, scratch_path (names[i]), VRG_H5_READ, &file) == VRG_OK
             && vrg_h5_verify (file) == VRG_OK && same;
      for (int k = 0; k < VRG_RBM_ARRAYS && same; k++)
        same = vrg_h5_read (file, &arrays[k]) == VRG_OK;
      vrg_h5_close (file);
    }
  same = same
         && memcmp (r[0]->estimates, r[1]->estimates,
                    2 * VRG_RBM_QUANTITIES * (size_t) (info->ensembles * (steps + 1)) * sizeof (double))
              == 0;
  vrg_rbm_result_free (r[0]);
  vrg_rbm_result_free (r[1]);
  return same;
}

static void
check_ranks (const vrg_input *input)
{
  double weights[20 * 36];
  static const char *const folders[] = { "one", "stops", "again" };
  for (int i = 0; i < 20 * 36; i++)
    weights[i] = 0.2 * sin (1 + 1.7 * i) + (i / 36 == i % 20 ? 0.8 : 0);
  sample (input, "all");
  write_model (input, "all", 6, 6, weights);
  for (int i = 0; i < 3; i++)
    {
      directory_of (folders[i]);
      write_model (input, folders[i], 6, 6, weights);
    }
  int status = flow (MPI_COMM_WORLD, input, "all", "all", NULL), stops = 0;
  check (status == VRG_OK, "the flow on all ranks: %s", status == VRG_OK ? "done" : vrg_error_text ());
  if (check_rank_ == 0)
    status = flow (MPI_COMM_SELF, input, "all", "one", NULL);
  check (status == VRG_OK, "on one rank");
  status = flow (MPI_COMM_WORLD, input, "all", "stops", &stops);
  check (status == VRG_OK && stops >= 2, "with %s stops", stops >= 2 ? "2 or more" : "too few");
  check (!vrg_file_exists (MPI_COMM_WORLD, scratch_path ("stops/checkpoint-rbm.0.h5"))
           && !vrg_file_exists (MPI_COMM_WORLD, scratch_path ("stops/checkpoint-rbm.1.h5")),
         "no checkpoint is left");
  const vrg_samples_info info = { .ensembles = 3 };
  for (int i = 0; i < 2; i++)
    {
      char name[64];
      snprintf (name, sizeof name, "%s/rbm-flow.tsv", folders[i]);
      bool same = same_table ("all/rbm-flow.tsv", name);
      snprintf (name, sizeof name, "%s/rbm-stationary.tsv", folders[i]);
      same = same && same_table ("all/rbm-stationary.tsv", name);
      snprintf (name, sizeof name, "%s/rbm-flow.h5", folders[i]);
      check (same && same_file (&info, 3, "all/rbm-flow.h5", name), "the same bits: %s", folders[i]);
    }
  vrg_table_data *t = table ("all/rbm-flow.tsv");
  bool ordered = true;
  for (int row = 0; row < t->rows; row++)
    if (number (t, row, "nn") == 3 && number (t, row, "step") == 0)
      ordered = number (t, row, "energy") == -2 && isnan (number (t, row, "coupling"))
                && isnan (number (t, row, "energy_coupling"));
  check (ordered && number (t, 0, "configurations") == 700, "ordered samples have no coupling");
  vrg_table_free (t);
  MPI_Barrier (MPI_COMM_WORLD);
  if (check_rank_ == 0)
    unlink (scratch_path ("all/rbm-flow.tsv"));
  MPI_Barrier (MPI_COMM_WORLD);
  check (flow (MPI_COMM_WORLD, input, "all", "all", NULL) == VRG_OK
           && !vrg_file_exists (MPI_COMM_WORLD, scratch_path ("all/rbm-flow.tsv")),
         "a finished flow is finished");
}

static void
check_refused (const vrg_input *input, const vrg_input *other)
{
  double weights[20 * 36] = { 0 };
  vrg_input none = *input;
  directory_of ("wrong");
  check (flow (MPI_COMM_WORLD, input, "all", "wrong", NULL) == VRG_FILE, "no model: %s", vrg_error_text ());
  write_model (other, "wrong", 1, 30, weights);
  check (flow (MPI_COMM_WORLD, input, "all", "wrong", NULL) == VRG_FILE, "another lattice: %s", vrg_error_text ());
  none.learning_rate *= 2;
  write_model (&none, "wrong", 6, 6, weights);
  check (flow (MPI_COMM_WORLD, input, "all", "wrong", NULL) == VRG_FILE, "another model: %s", vrg_error_text ());
  weights[3] = 2000;
  write_model (input, "wrong", 6, 6, weights);
  check (flow (MPI_COMM_WORLD, input, "all", "wrong", NULL) == VRG_FILE, "a diverged model: %s", vrg_error_text ());
  weights[3] = NAN;
  write_model (input, "wrong", 6, 6, weights);
  check (flow (MPI_COMM_WORLD, input, "all", "wrong", NULL) == VRG_FILE, "not numbers: %s", vrg_error_text ());
  none = *input;
  none.rbm_steps = 0;
  check (flow (MPI_COMM_WORLD, &none, "all", "wrong", NULL) == VRG_OK
           && !vrg_file_exists (MPI_COMM_WORLD, scratch_path ("wrong/rbm-flow.h5"))
           && !vrg_file_exists (MPI_COMM_WORLD, scratch_path ("wrong/rbm-flow.tsv")),
         "no steps, no flow");
}

/** A checkpoint that no run can have come to. */
static void
check_forged (const vrg_input *input)
{
  const char *path = "forged/checkpoint-rbm.0.h5";
  const double weights[20 * 36] = { 0 };
  int once = -1;
  directory_of ("forged");
  write_model (input, "forged", 6, 6, weights);
  check (flow (MPI_COMM_WORLD, input, "all", "forged", &once) == VRG_STOPPED, "stopped");
  change_data (scratch_path (path), "/sums", VRG_I64, -1, -1);
  check (flow (MPI_COMM_WORLD, input, "all", "forged", NULL) == VRG_FILE && strstr (vrg_error_text (), "out of range"),
         "a histogram below zero is refused");
  change_data (scratch_path (path), "/sums", VRG_I64, -1, 0);
  change_attribute (scratch_path (path), "step", INT64_C (1) << 40, NULL);
  check (flow (MPI_COMM_WORLD, input, "all", "forged", NULL) == VRG_FILE && strstr (vrg_error_text (), "out of range"),
         "a step beyond the last is refused");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  scratch_begin ();
  const vrg_input ring = input_of (RING), square = input_of (SQUARE);
  check_thermometers ();
  check_fixed ();
  sample (&ring, "ring");
  check_ring (&ring);
  check_nothing (&ring);
  check_ranks (&square);
  check_refused (&square, &ring);
  check_forged (&square);
  scratch_end ();
  return check_end ();
}
