/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 2
 * Training on the 4x4 lattice at the critical point, samples drawn from the enumerated law: the pseudo-likelihood rises to
 * that of the law itself; and what a user can get wrong. */
#include <sys/stat.h>

#include "files/checkpoint.h"
#include "files/model.h"

#include "base/math.h"
#include "base/rng.h"
#include "tests/files/change.h"
#include "tests/train/data.h"

#define INPUT(seed, size, batch, rate, epochs)                                                                         \
  "[run]\nseed = " seed "\n[lattice]\nsize = " size "\n[couplings]\nnn = critical\n[sample]\nchains = 1\n"             \
  "configurations = 2000\n[train]\nmodel = dense\nhidden = 24\nsteps = 5\nbatch = " batch "\noptimiser = adam\n"       \
  "learning_rate = " rate "\nepochs = " epochs                                                                         \
  "\nlikelihood = 20\nanalysis = no\n[flow]\nrules = decimation\nlevels = 1\n"
#define GOOD(epochs) INPUT ("3", "4", "50", "0.005", epochs)

enum
{
  SAMPLES = 2000,
  STATES = 1 << 16
};

/** Samples of the law, [sample][row]; returns the law's own mean of ln P (s_i | rest) on them. */
static double
draw (double nn, uint64_t *spins)
{
  double *cumulated = vrg_new (STATES, sizeof *cumulated, "the law"), z = 0, mean = 0;
  for (int v = 0; v < STATES; v++)
    {
      int bonds = 0;
      for (int i = 0; i < 16; i++)
        bonds += ((v >> i & 1) == (v >> (i + 4) % 16 & 1)) + ((v >> i & 1) == (v >> (i / 4 * 4 + (i + 1) % 4) & 1));
      cumulated[v] = z += exp (2 * nn * (bonds - 32));
    }
  for (int s = 0; s < SAMPLES; s++)
    {
      const double u = (s + 0.5) / SAMPLES * z; /* evenly through the law, */
      int low = 0, high = STATES - 1;
      while (low < high)
        if (cumulated[(low + high) / 2] < u)
          low = (low + high) / 2 + 1;
        else
          high = (low + high) / 2;
      const int at = s % 50 * (SAMPLES / 50) + s / 50; /* spread over the file */
      for (int y = 0; y < 4; y++)
        spins[4 * at + y] = (uint64_t) low >> (4 * y) & 15;
      for (int i = 0; i < 16; i++)
        {
          const int row = i / 4 * 4;
          int x = 0;
          for (int k = 0; k < 4; k++)
            {
              const int at_k[4] = { (i + 4) % 16, (i + 12) % 16, row + (i + 1) % 4, row + (i + 3) % 4 };
              x += (low >> at_k[k] & 1) == (low >> i & 1) ? 1 : -1;
            }
          mean -= log1p (exp (-2 * nn * x)) / (16.0 * SAMPLES);
        }
    }
  vrg_free (cumulated);
  return mean;
}

static double
cell (const vrg_table_data *table, int row, const char *column)
{
  return vrg_table_number (table, row, vrg_table_column (table, column));
}

static void
learns (const uint64_t *spins, double law)
{
  const vrg_input input = data_input (GOOD ("60"));
  const char *directory = data_directory ();
  data_write (directory, &input, spins);
  check (data_train (check_size_, &input, directory, NULL) == VRG_OK, "trained: %s", vrg_error_text ());
  vrg_table_data *table = data_table (directory);
  double first = 0, last = 0, early = 1, late = 0, divergence[2] = { 1, 0 }, spread = 0;
  bool filled = true;
  if (table)
    {
      first = cell (table, 0, "pseudo_likelihood");
      last = cell (table, table->rows - 1, "pseudo_likelihood");
      early = cell (table, 0, "reconstruction_error");
      late = cell (table, table->rows - 1, "reconstruction_error");
      filled = table->rows == 60 && cell (table, 59, "updates") == 2160 && isnan (cell (table, 58, "log_likelihood"))
               && cell (table, 59, "weight_norm") > 1 && cell (table, 59, "learning_rate") == 0.005;
      divergence[0] = cell (table, 19, "kl_per_site");
      divergence[1] = cell (table, 59, "kl_per_site");
      spread = cell (table, 59, "trace_spread");
      printf ("# pseudo-likelihood %.4f -> %.4f, law %.4f; reconstruction error %.4f -> %.4f; divergence %.4f -> %.4f "
              "per site, trace spread %.4f\n",
              first, last, law, early, late, divergence[0], divergence[1], spread);
    }
  MPI_Bcast (&first, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  MPI_Bcast (&last, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  check (last > first, "the pseudo-likelihood rises");
  check_abs (last, law, 0.02, "and comes to that of the law");
  check (late < early, "the reconstruction error falls");
  check (!table || (divergence[1] < divergence[0] && divergence[1] > 0 && divergence[1] < 0.05 && spread > 0),
         "the divergence from the exact law falls");
  check (filled, "the table has a row for every epoch");
  check (data_train (check_size_, &input, directory, NULL) == VRG_OK, "finished work is left alone");
  vrg_table_free (table);
  data_remove (directory);
}

/** Expect a status and words in the message of rank 0. */
static void
refuse (const char *what, const char *written, const char *text, const uint64_t *spins, int code, const char *words)
{
  const char *directory = data_directory ();
  const vrg_input input = data_input (text);
  if (written)
    {
      const vrg_input other = data_input (written);
      data_write (directory, &other, spins);
    }
  const int status = data_train (check_size_, &input, directory, NULL);
  check (status == code && strstr (vrg_error_text (), words), "%s: %d, %s", what, status, vrg_error_text ());
  char path[128];
  snprintf (path, sizeof path, "%s/model.h5", directory);
  check (access (path, F_OK) != 0, "and no model");
  data_remove (directory);
}

/** Fewer samples than the input's, which say they are all of them. */
static void
forged (const uint64_t *spins)
{
  const char *directory = data_directory ();
  const vrg_input input = data_input (GOOD ("2"));
  vrg_input fewer = input;
  char path[128], *fingerprint = vrg_param_fingerprint (&input, VRG_STAGE_SAMPLE);
  fewer.configurations = 1900;
  data_write (directory, &fewer, spins);
  snprintf (path, sizeof path, "%s/samples.h5", directory);
  change_attribute (path, "fingerprint", 0, fingerprint);
  const int status = data_train (check_size_, &input, directory, NULL);
  check (status == VRG_FILE && strstr (vrg_error_text (), "attribute samples"), "are refused: %d, %s", status,
         vrg_error_text ());
  vrg_free (fingerprint);
  data_remove (directory);
}

/** A checkpoint whose counters no run can have come to. */
static void
forged_checkpoint (const uint64_t *spins)
{
  /* FINISHED, UPDATES (36 an epoch), WRONG, ROWS, DIVERGED; epochs and updates of the finished layer */
  static const int64_t changes[][2]
    = { { 0, -1 },        { 0, 2 },         { 0, 3 },         { 1, -1 }, { 1, 73 }, { 1, INT64_MAX },
        { 1, INT64_MIN }, { 1, 36 * 2000 }, { 2, INT64_MIN }, { 3, 0 },  { 3, 4 },  { 3, -1 },
        { 4, 2 },         { 5, 3 },         { 5, -1 },        { 6, 71 }, { 6, -72 } };
  const vrg_input input
    = data_input ("[lattice]\nsize = 4\n[sample]\nchains = 1\nconfigurations = 2000\n[train]\nmodel = dense\n"
                  "hidden = 6 3\nepochs = 2\nanalysis = no\n[flow]\nlevels = 1\n");
  const char *directory = data_directory ();
  char path[128];
  data_write (directory, &input, spins);
  snprintf (path, sizeof path, "%s/checkpoint-train.0.h5", directory);
  int status = VRG_STOPPED;
  for (int64_t finished = 0, updates = 0; status == VRG_STOPPED && (finished < 1 || updates < 2);)
    {
      vrg_stop stop;
      vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 0);
      stop.deadline = 0;
      status = vrg_train (MPI_COMM_WORLD, &input, directory, &stop);
      finished = change_data (path, "/counters", VRG_I64, 0, 0);
      updates = change_data (path, "/counters", VRG_I64, 1, 0);
      change_data (path, "/counters", VRG_I64, 0, finished);
      change_data (path, "/counters", VRG_I64, 1, updates);
    }
  snprintf (path, sizeof path, "%s/checkpoint-train.1.h5", directory);
  vrg_file_remove (MPI_COMM_WORLD, path);
  snprintf (path, sizeof path, "%s/checkpoint-train.0.h5", directory);
  check (status == VRG_STOPPED, "stopped in the second layer");
  vrg_log_init (false, VRG_LOG_WARNING); /* it warns */
  for (size_t i = 0; i < sizeof changes / sizeof *changes; i++)
    {
      const int64_t was = change_data (path, "/counters", VRG_I64, changes[i][0], changes[i][1]);
      status = data_train (check_size_, &input, directory, NULL);
      check (status == VRG_FILE && strstr (vrg_error_text (), "out of range"), "counter %d = %lld is refused",
             (int) changes[i][0], (long long) changes[i][1]);
      change_data (path, "/counters", VRG_I64, changes[i][0], was);
    }
  const int64_t updates = change_data (path, "/counters", VRG_I64, 1, 72),
                rows = change_data (path, "/counters", VRG_I64, 3, 4);
  check (data_train (check_size_, &input, directory, NULL) == VRG_FILE && strstr (vrg_error_text (), "out of range"),
         "a layer at its end is refused: it would not end");
  change_data (path, "/counters", VRG_I64, 1, updates);
  change_data (path, "/counters", VRG_I64, 3, rows);
  vrg_log_init (check_rank_ == 0, VRG_LOG_WARNING);
  check (data_train (check_size_, &input, directory, NULL) == VRG_OK, "as it was, it goes on: %s", vrg_error_text ());
  data_remove (directory);
}

/** What a checkpoint holds of the first layer's weights. */
static int
look (vrg_h5 *file, void *context, int *n, const vrg_h5_array **arrays)
{
  (void) file;
  *n = 1;
  *arrays = context;
  return VRG_OK;
}

/** The last good parameters are kept, and nothing goes on from them. */
static void
diverges (const uint64_t *spins)
{
  const char *text = INPUT ("3", "4", "50", "10", "9"), *directory = data_directory ();
  const vrg_input input = data_input (text);
  data_write (directory, &input, spins);
  check (data_train (check_size_, &input, directory, NULL) == VRG_USAGE
           && strstr (vrg_error_text (), "diverged in layer 1, epoch 2, update")
           && strstr (vrg_error_text (), "learning_rate, which is 10.")
           && strstr (vrg_error_text (), "The parameters after epoch 1 are kept"),
         "diverged: %s", vrg_error_text ());
  double weights[24 * 16] = { 0 }, largest = 0;
  char *fingerprint = vrg_param_fingerprint (&input, VRG_STAGE_TRAIN);
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  vrg_h5_array array = {
    .name = "/layer-1/weights", .type = VRG_F64, .rank = 2, .dims = { 24, 16 }, .replicated = true, .data = weights
  };
  int64_t step = -1;
  check (vrg_checkpoint_read_planned (grid, directory, "train", fingerprint, &step, look, &array) == VRG_OK && step > 0,
         "a checkpoint is kept");
  for (int i = 0; i < 24 * 16; i++)
    largest = fmax (largest, fabs (weights[i]));
  check (largest > 1 && largest < 1023, "with good weights, up to %g", largest);
  check (data_train (check_size_, &input, directory, NULL) == VRG_USAGE
           && strstr (vrg_error_text (), "diverged in layer 1, epoch 2"),
         "again: the same answer");
  vrg_grid_free (grid);
  vrg_free (fingerprint);
  data_remove (directory);
}

static void
untrained (const uint64_t *spins)
{
  const vrg_input input = data_input (GOOD ("0"));
  const char *directory = data_directory ();
  data_write (directory, &input, spins);
  check (data_train (check_size_, &input, directory, NULL) == VRG_OK, "no epochs: %s", vrg_error_text ());
  vrg_stack *stack = data_model (directory);
  double square = 0;
  if (stack)
    for (int64_t i = 0, n = vrg_model_weights (stack->layer[0]); i < n; i++)
      square += stack->layer[0]->weights[i] * stack->layer[0]->weights[i] / (double) n;
  check (!stack || (stack->layer[0]->updates == 0 && fabs (sqrt (square) / 0.01 - 1) < 0.2),
         "no epochs: small random weights");
  vrg_stack_free (stack);
  data_remove (directory);
}

/** A run that fails while it looks into the finished model: the next one does not train it again. */
static void
examined (const uint64_t *spins)
{
  const vrg_input input
    = data_input ("[lattice]\nsize = 4\n[sample]\nchains = 1\nconfigurations = 2000\n[train]\nmodel = dense\n"
                  "hidden = 6 3\nepochs = 2\n[flow]\nlevels = 1\n");
  const char *directory = data_directory (), *const files[] = { "learnt.h5", "spectrum.h5", "fields.tsv" };
  char path[128], checkpoint[128];
  data_write (directory, &input, spins);
  snprintf (path, sizeof path, "%s/learnt.h5", directory);
  snprintf (checkpoint, sizeof checkpoint, "%s/checkpoint-train.0.h5", directory);
  if (check_rank_ == 0)
    mkdir (path, 0777); /* in its way */
  MPI_Barrier (MPI_COMM_WORLD);
  check (data_train (check_size_, &input, directory, NULL) == VRG_FILE, "no way: %s", vrg_error_text ());
  snprintf (path, sizeof path, "%s/model.h5", directory);
  check (access (path, F_OK) != 0 && access (checkpoint, F_OK) == 0, "no model yet, but a checkpoint");
  snprintf (path, sizeof path, "%s/learnt.h5", directory);
  MPI_Barrier (MPI_COMM_WORLD);
  if (check_rank_ == 0)
    rmdir (path);
  check (data_train (check_size_, &input, directory, NULL) == VRG_OK, "on: %s", vrg_error_text ());
  for (size_t k = 0; k < sizeof files / sizeof *files; k++)
    {
      snprintf (path, sizeof path, "%s/%s", directory, files[k]);
      check (access (path, F_OK) == 0, "%s is there", files[k]);
    }
  vrg_stack *stack = data_model (directory);
  vrg_table_data *table = data_table (directory);
  check (!stack || (stack->layers == 2 && stack->layer[1]->updates == 72 && table->rows == 4), "and the whole model");
  vrg_stack_free (stack);
  vrg_table_free (table);
  data_remove (directory);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  uint64_t *spins = vrg_new (SAMPLES * 4, sizeof *spins, "spins");
  const double law = draw (0.440686793509771513, spins);
  learns (spins, law);
  untrained (spins);
  diverges (spins);
  examined (spins);
  refuse ("no samples", NULL, GOOD ("2"), spins, VRG_FILE, "samples.h5");
  refuse ("another seed", GOOD ("2"), INPUT ("4", "4", "50", "0.005", "2"), spins, VRG_FILE, "seed");
  refuse ("another lattice", GOOD ("2"), INPUT ("3", "8", "50", "0.005", "2"), spins, VRG_FILE, "the lattice is 4 x 4");
  forged (spins);
  forged_checkpoint (spins);
  vrg_free (spins);
  return check_end ();
}
