/* SPDX-License-Identifier: GPL-3.0-or-later
 * Couplings inferred from sampled configurations are those put in, and their errors honest: ten couplings from 0.2 to 0.6
 * within 4 errors, and pulls (value - input) / error over the seeds 1..200 with a standard deviation of 0.8 to 1.25 (that is 4
 * and 5 of its own errors from 1) and a mean within 4 of its errors, at the critical point and with three couplings.  The gain of
 * operators that the weight does not have and the deviance of the fit scatter about 0.
 * ranks: 1
 * False-alarm rate of fresh seeds: 40 couplings and 12 sets of pulls, about 4e-3 in all. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/fit.h"
#include "sample/sample.h"
#include "tests/check.h"

#define SEEDS 200
#define MOST 4

static char directory[64];

/* Sample, measure the sampled lattice, and give the fits of every ensemble to a function. */
static void
infer (const char *text, int seed, void (*use) (const vrg_input *, int, const vrg_fits *, void *), void *context)
{
  char set[32], path[128];
  const char *const sets[1] = { set };
  vrg_input *input = vrg_new (1, sizeof *input, "an input");
  vrg_stop stop;
  vrg_samples *samples;
  snprintf (set, sizeof set, "run.seed=%d", seed);
  snprintf (path, sizeof path, "%s/samples.h5", directory);
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1000);
  if (vrg_param_parse ("test", text, 1, sets, input) != VRG_OK
      || vrg_sample (MPI_COMM_WORLD, input, directory, &stop) != VRG_OK)
    vrg_fail_one (VRG_INTERNAL, "%s", vrg_error_text ());
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  if (vrg_samples_open (grid->file, path, &samples) != VRG_OK)
    vrg_fail_one (VRG_INTERNAL, "%s", vrg_error_text ());
  const vrg_filters none = { 0 };
  vrg_measure *measure = vrg_measure_new (input, vrg_samples_get_info (samples), &none);
  if (vrg_measure_run (measure, grid, samples, directory, "test", &stop) != VRG_OK)
    vrg_fail_one (VRG_INTERNAL, "%s", vrg_error_text ());
  for (int e = 0; e < input->n_nn; e++)
    {
      vrg_fits *fits = vrg_fits_new (measure, e, 0, 1);
      use (input, e, fits, context);
      vrg_fits_free (fits);
    }
  vrg_measure_free (measure);
  vrg_samples_close (samples);
  vrg_grid_free (grid);
  unlink (path);
  vrg_free (input);
}

/* What was put in, of a fitted operator. */
static double
truth (const vrg_input *input, int ensemble, int a)
{
  const char *name = input->fitted[a].name;
  return strcmp (name, "nn") == 0          ? input->nn[ensemble]
         : strcmp (name, "nnn") == 0       ? input->nnn
         : strcmp (name, "plaquette") == 0 ? input->plaquette
                                           : 0;
}

static void
check_values (const vrg_input *input, int ensemble, const vrg_fits *f, void *context)
{
  (void) context;
  for (int a = 0; a < f->n; a++)
    check (f->error[a] > 0 && f->error[a] < 0.02 && fabs (f->value[a] - truth (input, ensemble, a)) < 4 * f->error[a],
           "%s at nn = %.3f: %s %.5f(%.5f)", vrg_param_algorithm_names[input->algorithm], input->nn[ensemble],
           input->fitted[a].name, f->value[a], f->error[a]);
  const int last = f->n - 1;
  check (f->inside[last] == 1 && fabs (f->deviance[last]) < 4 * f->deviance_error[last], "inside, deviance %.2g(%.2g)",
         f->deviance[last], f->deviance_error[last]);
}

/* Deep in the ordered phase: no number where there is none, and a reason. */
static void
check_ordered (const vrg_input *input, int ensemble, const vrg_fits *f, void *context)
{
  (void) context;
  const int last = f->n - 1;
  const double nn = input->nn[ensemble];
  check (f->inside[last] == (nn < 1) && isfinite (f->value[0]) == (nn < 1),
         "nn = %.1f: %.3f(%.3f), state %.0f, %.0f spins disagree with their fields", nn, f->value[0], f->error[0],
         f->state[last], f->against[last]);
  check (nn < 1 || (f->state[last] == VRG_FIT_NO_MAXIMUM && f->inside[last] == 0 && isnan (f->deviance[last])),
         "its goodness is %.1g", f->deviance[last]);
}

/* Pulls of the couplings; sums of the gains and of the deviance. */
typedef struct
{
  int n, operators;
  double sum[MOST], squares[MOST];
  double gain, gain_squares, gain_error, deviance, deviance_squares, deviance_error;
} pulls;

static void
add_pulls (const vrg_input *input, int ensemble, const vrg_fits *f, void *context)
{
  pulls *p = context;
  const int last = f->n - 1;
  p->n++;
  p->operators = f->n;
  for (int a = 0; a < f->n; a++)
    {
      const double pull = (f->value[a] - truth (input, ensemble, a)) / f->error[a];
      p->sum[a] += pull;
      p->squares[a] += pull * pull;
    }
  p->gain += f->gain[last];
  p->gain_squares += f->gain[last] * f->gain[last];
  p->gain_error += f->gain_error[last];
  p->deviance += f->deviance[last];
  p->deviance_squares += f->deviance[last] * f->deviance[last];
  p->deviance_error += f->deviance_error[last];
}

static void
check_about_0 (const char *text, const char *what, const pulls *p, double sum, double squares, double errors)
{
  const double mean = sum / p->n, deviation = sqrt (squares / p->n - mean * mean), error = deviation / sqrt (p->n);
  check (fabs (mean) < 4 * error && errors / p->n > 0.5 * deviation && errors / p->n < 3 * deviation,
         "%s: %s %.2g(%.2g), spread %.2g, mean error %.2g", text, what, mean, error, deviation, errors / p->n);
}

static void
check_pulls (const char *text, const char *input)
{
  pulls p = { 0 };
  for (int seed = 1; seed <= SEEDS; seed++)
    infer (input, seed, add_pulls, &p);
  for (int a = 0; a < p.operators; a++)
    {
      const double mean = p.sum[a] / p.n, deviation = sqrt (p.squares[a] / p.n - mean * mean);
      check (deviation > 0.8 && deviation < 1.25 && fabs (mean) < 4 * deviation / sqrt (p.n),
             "%s, operator %d: %d pulls have standard deviation %.3f, mean %.3f", text, a + 1, p.n, deviation, mean);
    }
  check_about_0 (text, "gain of the last", &p, p.gain, p.gain_squares, p.gain_error);
  check_about_0 (text, "deviance", &p, p.deviance, p.deviance_squares, p.deviance_error);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_log_init (false, VRG_LOG_WARNING); /* short chains, which it would warn of every time */
  strcpy (directory, "/tmp/vrg-test-pulls-XXXXXX");
  if (mkdtemp (directory) == NULL)
    vrg_fail_one (VRG_FILE, "cannot make a directory in /tmp");
  infer ("[lattice]\nsize = 32\n[couplings]\nnn = 0.2 0.244 0.289 0.333 0.378 0.422 0.467 0.511 0.556 0.6\n"
         "[sample]\nchains = 20\nthermalization = 50\ninterval = 2\nconfigurations = 4000\n"
         "[flow]\nlevels = 0\nfitted = nn nnn plaquette\nblocks = 40\n",
         1, check_values, NULL);
  infer ("[lattice]\nsize = 24\n[couplings]\nnn = 0.2 0.3\nnnn = 0.1\nplaquette = 0.05\n"
         "[sample]\nalgorithm = heatbath\nchains = 20\nthermalization = 200\ninterval = 5\nconfigurations = 1000\n"
         "[flow]\nlevels = 0\nfitted = nn nnn plaquette third\nblocks = 40\n",
         1, check_values, NULL);
  infer ("[lattice]\nsize = 32\n[couplings]\nnn = 0.6 1.2 3\n"
         "[sample]\nchains = 10\nthermalization = 50\ninterval = 2\nconfigurations = 1000\n"
         "[flow]\nlevels = 0\nfitted = nn nnn plaquette\nblocks = 20\n",
         1, check_ordered, NULL);
  check_pulls ("critical", "[lattice]\nsize = 16\n[couplings]\nnn = critical\n"
                           "[sample]\nchains = 20\nthermalization = 30\ninterval = 2\nconfigurations = 300\n"
                           "[flow]\nlevels = 0\nfitted = nn nnn plaquette\nblocks = 20\n");
  check_pulls ("three couplings", "[lattice]\nsize = 16\n[couplings]\nnn = 0.2\nnnn = 0.1\nplaquette = 0.05\n"
                                  "[sample]\nalgorithm = heatbath\nchains = 20\nthermalization = 30\ninterval = 5\n"
                                  "configurations = 200\n"
                                  "[flow]\nlevels = 0\nfitted = nn nnn plaquette third\nblocks = 20\n");
  rmdir (directory);
  return check_end ();
}
