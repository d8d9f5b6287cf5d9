/* SPDX-License-Identifier: GPL-3.0-or-later
 * The sample stage through its files: what a run leaves is what the kernels give, on any ranks and strips, and after a
 * stop at every step.
 * ranks: 1 2 3 4 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/progress.h"
#include "chain.h"
#include "check.h"
#include "files/change.h"
#include "files/checkpoint.h"
#include "files/samples.h"
#include "files/table.h"
#include "lattice/exact.h"
#include "sample/sample.h"

static char directory[64];

static vrg_input
input_of (const char *algorithm, int strips)
{
  char text[512];
  vrg_input input;
  snprintf (
    text, sizeof text,
    "[run]\nseed = 5\n[lattice]\nsize = 12 70\n[couplings]\nnn = 0.4 0.3\n[sample]\nalgorithm = %s\nchains = 3\n"
    "thermalization = 2\ninterval = 2\nconfigurations = 20\n[train]\nmodel = none\ncoupling = 0.4\n"
    "[flow]\nrules = majority\nlevels = 1\n",
    algorithm);
  int status = vrg_param_parse ("test.ini", text, 0, NULL, &input);
  if (status != VRG_OK)
    vrg_fail_all (status, "%s", vrg_error_text ());
  input.strips = strips; /* 0 = auto */
  return input;
}

static void
remove_files (void)
{
  const char *const names[] = { "samples.h5",    "samples.h5.part",        "sample.tsv",
                                "operators.tsv", "checkpoint-sample.0.h5", "checkpoint-sample.1.h5" };
  for (int i = 0; i < (int) (sizeof names / sizeof *names); i++)
    {
      char path[128];
      snprintf (path, sizeof path, "%s/%s", directory, names[i]);
      vrg_file_remove (MPI_COMM_WORLD, path);
    }
}

static bool
exists (const char *name)
{
  char path[128];
  snprintf (path, sizeof path, "%s/%s", directory, name);
  return vrg_file_exists (MPI_COMM_WORLD, path);
}

/** One call of the stage; limit < 0: stop at the first step. */
static int
stage (const vrg_input *input, double limit)
{
  vrg_stop stop;
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1e9);
  if (limit < 0)
    stop.deadline = 0;
  int status = vrg_sample (MPI_COMM_WORLD, input, directory, &stop);
  if (status != VRG_OK && status != VRG_STOPPED && check_rank_ == 0)
    printf ("# %s\n", vrg_error_text ());
  return status;
}

/** Does samples.h5 hold what the kernels give on one rank? */
static bool
file_is_right (const vrg_input *input)
{
  char path[128];
  vrg_samples *samples;
  snprintf (path, sizeof path, "%s/samples.h5", directory);
  if (vrg_samples_open (MPI_COMM_WORLD, path, &samples) != VRG_OK)
    return false;
  int64_t rows = input->size[0], columns = input->size[1], n = input->configurations, chains = input->chains;
  int64_t times = (n + chains - 1) / chains, size = times * chains;
  vrg_lattice *lattice = vrg_lattice_new (rows, columns, 0, rows);
  int64_t words = rows * lattice->words;
  int64_t *series = vrg_new (4 * size, sizeof *series, "series");
  uint64_t *spins = vrg_new (n * words, sizeof *spins, "spins"), *packed = vrg_new (words, sizeof *packed, "spins");
  bool good = true;
  for (int e = 0; e < input->n_nn; e++)
    {
      vrg_cluster *cluster = vrg_cluster_new (lattice, &(vrg_hamiltonian){ .nn = input->nn[e] });
      vrg_metropolis *metropolis = vrg_metropolis_new (lattice, input->nn[e], input->algorithm == VRG_HEATBATH);
      uint64_t *state = vrg_new (vrg_metropolis_words (metropolis), sizeof *state, "spins");
      good = vrg_samples_read_series (samples, e, series, series + size) == VRG_OK && good;
      good = vrg_samples_read_range (samples, e, 0, n, 0, rows, spins) == VRG_OK && good;
      for (int64_t c = 0; c < chains; c++)
        {
          vrg_rng rng;
          vrg_rng_init (&rng, (uint64_t) input->seed, (uint32_t) e, (uint32_t) c);
          vrg_lattice_random (lattice, &rng);
          vrg_metropolis_load (metropolis, lattice, state);
          for (int64_t t = 1; t <= input->thermalization + times * input->interval; t++)
            {
              if (input->algorithm == VRG_CLUSTER)
                vrg_cluster_sweep (cluster, MPI_COMM_SELF, lattice, &rng, (uint64_t) t);
              else
                {
                  vrg_metropolis_sweep (metropolis, MPI_COMM_SELF, state, &rng, (uint64_t) t);
                  vrg_metropolis_store (metropolis, state, lattice);
                }
              int64_t measured = t - input->thermalization, s = (measured / input->interval - 1) * chains + c;
              if (measured > 0 && measured % input->interval == 0 && s < n)
                {
                  vrg_observation o;
                  vrg_observe (MPI_COMM_SELF, lattice, &o);
                  vrg_lattice_pack (lattice, packed);
                  good = good && o.bonds == series[s] && o.magnetisation == series[size + s]
                         && !memcmp (packed, spins + s * words, (size_t) words * sizeof *packed);
                }
            }
        }
      vrg_cluster_free (cluster);
      vrg_metropolis_free (metropolis);
      vrg_free (state);
    }
  vrg_free (packed);
  vrg_free (spins);
  vrg_free (series);
  vrg_lattice_free (lattice);
  vrg_samples_close (samples);
  return good;
}

static void
test_run (const char *algorithm, int strips)
{
  vrg_input input = input_of (algorithm, strips);
  check (stage (&input, 0) == VRG_OK && file_is_right (&input), "%s, %d strip(s): the file holds what the kernels give",
         algorithm, strips);
  check (exists ("sample.tsv") && !exists ("samples.h5.part") && !exists ("checkpoint-sample.0.h5")
           && !exists ("checkpoint-sample.1.h5"),
         "a table, and nothing unfinished is left");
  remove_files ();
}

/** Stopped at every step, continued on other strips. */
static void
test_stops (const char *algorithm)
{
  int calls = 0, status = VRG_STOPPED;
  vrg_input inputs[] = { input_of (algorithm, 1), input_of (algorithm, check_size_) };
  for (; status == VRG_STOPPED && calls < 7; calls++)
    status = stage (&inputs[calls % 2], calls < 6 ? -1 : 0);
  check (status == VRG_OK && file_is_right (&inputs[0]), "%s: stopped %d times and continued on other strips, the same",
         algorithm, calls - 1);
  remove_files ();

  if (inputs[0].algorithm == VRG_METROPOLIS)
    return;
  for (calls = 0, status = VRG_STOPPED; status == VRG_STOPPED && calls < 200; calls++)
    status = stage (&inputs[calls % 2], -1);
  /* 2 steps of thermalization and 7 times for each coupling; a call for each, and the one that finds all done */
  check (status == VRG_OK && calls == 2 * 9 + 1 && file_is_right (&inputs[0]),
         "%s: stopped at each of %d steps, the same", algorithm, calls - 1);
  remove_files ();
}

static void
test_table (void)
{
  vrg_input input = input_of ("cluster", 0);
  input.configurations = 3000;
  input.thermalization = 50;
  check (stage (&input, 0) == VRG_OK, "a run for its table");
  char path[128];
  snprintf (path, sizeof path, "%s/sample.tsv", directory);
  vrg_table_data *table;
  int status = vrg_table_read (path, &table);
  check (status == VRG_OK && table->rows == 2 && table->columns == 23, "two rows of 23 columns");
  for (int row = 0; row < 2 && status == VRG_OK; row++)
    {
      double energy, specific_heat;
      vrg_exact_torus (12, 70, input.nn[row], NULL, &energy, &specific_heat);
#define NUMBER(column) vrg_table_number (table, row, vrg_table_column (table, column))
      check_rel (NUMBER ("nn"), input.nn[row], 1e-9, "nn");
      check_rel (NUMBER ("exact_energy"), energy, 1e-8, "exact energy");
      check_rel (NUMBER ("exact_specific_heat"), specific_heat, 1e-8, "exact specific heat");
      check_abs (NUMBER ("energy"), energy, 5 * NUMBER ("energy_err"), "energy, 5 errors (false-alarm rate 6e-7)");
      check_abs (NUMBER ("specific_heat"), specific_heat, 5 * NUMBER ("specific_heat_err"), "specific heat, 5 errors");
      check (NUMBER ("xi") > 0.5 && NUMBER ("xi") < 12 && NUMBER ("xi_err") < 0.1 * NUMBER ("xi"),
             "correlation length");
      check (NUMBER ("susceptibility") > 0 && NUMBER ("thermal") < 4, "susceptibility, and in equilibrium");
      check (NUMBER ("tau_int_energy") > 0.5 && NUMBER ("tau_int_energy") < 5, "tau in sweeps");
      check (!strcmp (table->cell[row * 23 + vrg_table_column (table, "size")], "12x70"), "size");
    }
  if (status == VRG_OK)
    vrg_table_free (table);

  snprintf (path, sizeof path, "%s/operators.tsv", directory);
  vrg_table_data *operators;
  bool good = vrg_table_read (path, &operators) == VRG_OK && operators->rows == 14;
  for (int row = 0; row < 2 && good; row++)
    {
      double energy;
      vrg_exact_torus (12, 70, input.nn[row], NULL, &energy, NULL);
      good = !strcmp (operators->cell[7 * row * 5 + 2], "nn")
             && fabs (vrg_table_number (operators, 7 * row, 3) + energy) < 5 * vrg_table_number (operators, 7 * row, 4);
    }
  check (good, "seven operators for each coupling, the first is the energy");
  if (good)
    vrg_table_free (operators);
  snprintf (path, sizeof path, "%s/sample.tsv", directory);

  /* killed after the rename: the samples are complete, the table is made up for */
  vrg_file_remove (MPI_COMM_WORLD, path);
  check (stage (&input, 0) == VRG_OK && exists ("sample.tsv"), "a finished stage makes up for its table");

  /* and not from samples whose head is no longer the input's */
  vrg_file_remove (MPI_COMM_WORLD, path);
  snprintf (path, sizeof path, "%s/samples.h5", directory);
  change_attribute (path, "chains", input.chains + 1, NULL);
  vrg_log_init (false, VRG_LOG_WARNING);
  check (stage (&input, 0) == VRG_FILE && strstr (vrg_error_text (), "attribute chains"), "is refused: %s",
         vrg_error_text ());
  vrg_log_init (check_rank_ == 0, VRG_LOG_WARNING);
  remove_files ();
}

/** A checkpoint of a step at which there is none. */
static void
test_forged (void)
{
  static const int64_t steps[] = { 3, 16 + 3, 2 * 16 + 2, INT64_MAX };
  vrg_input input = input_of ("cluster", 0);
  char path[128];
  snprintf (path, sizeof path, "%s/checkpoint-sample.0.h5", directory);
  check (stage (&input, -1) == VRG_STOPPED, "stopped");
  vrg_log_init (false, VRG_LOG_WARNING); /* it warns */
  for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
    {
      change_attribute (path, "step", steps[i], NULL);
      check (stage (&input, 0) == VRG_FILE && strstr (vrg_error_text (), "where none is made"), "step %lld is refused",
             (long long) steps[i]);
    }
  change_attribute (path, "step", 1, NULL);
  check (stage (&input, 0) == VRG_OK && file_is_right (&input), "as it was, it goes on");
  vrg_log_init (check_rank_ == 0, VRG_LOG_WARNING);
  remove_files ();
}

static void
test_lost_part (void)
{
  vrg_input input = input_of ("cluster", 0);
  int status = VRG_STOPPED;
  for (int i = 0; i < 5; i++)
    status = stage (&input, -1);
  check (status == VRG_STOPPED && exists ("samples.h5.part"), "stopped with samples");
  char path[128];
  snprintf (path, sizeof path, "%s/samples.h5.part", directory);
  vrg_file_remove (MPI_COMM_WORLD, path);
  vrg_log_init (false, VRG_LOG_WARNING); /* it warns */
  check (stage (&input, 0) == VRG_OK && file_is_right (&input), "a checkpoint without its samples starts again");
  vrg_log_init (check_rank_ == 0, VRG_LOG_WARNING);
  remove_files ();
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  snprintf (directory, sizeof directory, "test-sample-XXXXXX");
  if (check_rank_ == 0 && !mkdtemp (directory))
    vrg_fail_one (VRG_FILE, "%s cannot be made", directory);
  vrg_broadcast (MPI_COMM_WORLD, directory, sizeof directory);

  test_run ("cluster", 0);
  test_run ("cluster", 1);
  test_run ("cluster", check_size_);
  test_run ("metropolis", 1);
  test_run ("metropolis", check_size_);
  test_stops ("cluster");
  test_stops ("metropolis");
  test_table ();
  test_forged ();
  test_lost_part ();

  MPI_Barrier (MPI_COMM_WORLD);
  if (check_rank_ == 0)
    rmdir (directory);
  return check_end ();
}
