/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 2
 * Training on the 4x4 lattice at the critical point, samples drawn from the enumerated law: the pseudo-likelihood rises to
 * that of the law itself; and what a user can get wrong. */
#include "files/model.h"

#include "base/math.h"
#include "base/rng.h"
#include "tests/train/data.h"

#define INPUT(seed, size, batch, rate, epochs)                                                                         \
  "[run]\nseed = " seed "\n[lattice]\nsize = " size "\n[couplings]\nnn = critical\n[sample]\nchains = 1\n"             \
  "configurations = 2000\n[train]\nmodel = dense\nhidden = 24\nsteps = 5\nbatch = " batch "\noptimiser = adam\n"       \
  "learning_rate = " rate "\nepochs = " epochs "\n[flow]\nrules = decimation\nlevels = 1\n"
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
  double first = 0, last = 0, early = 1, late = 0;
  bool filled = true;
  if (table)
    {
      first = cell (table, 0, "pseudo_likelihood");
      last = cell (table, table->rows - 1, "pseudo_likelihood");
      early = cell (table, 0, "reconstruction_error");
      late = cell (table, table->rows - 1, "reconstruction_error");
      filled = table->rows == 60 && cell (table, 59, "updates") == 2400 && isnan (cell (table, 59, "log_likelihood"))
               && cell (table, 59, "weight_norm") > 1;
      printf ("# pseudo-likelihood %.4f -> %.4f, law %.4f; reconstruction error %.4f -> %.4f\n", first, last, law,
              early, late);
    }
  MPI_Bcast (&first, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  MPI_Bcast (&last, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
  check (last > first, "the pseudo-likelihood rises");
  check_abs (last, law, 0.02, "and comes to that of the law");
  check (late < early, "the reconstruction error falls");
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

static void
untrained (const uint64_t *spins)
{
  const vrg_input input = data_input (GOOD ("0"));
  const char *directory = data_directory ();
  data_write (directory, &input, spins);
  check (data_train (check_size_, &input, directory, NULL) == VRG_OK, "no epochs: %s", vrg_error_text ());
  vrg_model *model = data_model (directory);
  double square = 0;
  if (model)
    for (int64_t i = 0; i < data_weights (model); i++)
      square += model->weights[i] * model->weights[i] / (double) data_weights (model);
  check (!model || (model->updates == 0 && fabs (sqrt (square) / 0.01 - 1) < 0.2), "no epochs: small random weights");
  vrg_model_free (model);
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
  refuse ("diverged", INPUT ("3", "4", "50", "10", "2"), INPUT ("3", "4", "50", "10", "2"), spins, VRG_USAGE,
          "diverged in epoch 2");
  refuse ("no samples", NULL, GOOD ("2"), spins, VRG_FILE, "samples.h5");
  refuse ("another seed", GOOD ("2"), INPUT ("4", "4", "50", "0.005", "2"), spins, VRG_FILE, "seed");
  refuse ("another lattice", GOOD ("2"), INPUT ("3", "8", "50", "0.005", "2"), spins, VRG_FILE, "the lattice is 4 x 4");
  vrg_free (spins);
  return check_end ();
}
