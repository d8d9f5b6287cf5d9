/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1
 * The report of a made-up run directory: files, well-formed pages, the right numbers, and what is said without them.
 * With a directory as argument, the example report is left there to be looked at. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* nftw */
#endif

#include "base/progress.h"
#include "files/h5.h"
#include "files/model.h"
#include "files/table.h"
#include "lattice/exact.h"
#include "parallel/grid.h"
#include "report/html.h"
#include "report/report.h"
#include "tests/check.h"
#include "tests/report/pages.h"
#include "tests/report/tables.h"
#include "train/findings.h"
#include "train/spectrum.h"

static void
write_text (const char *name, const char *text)
{
  char path[1024];
  snprintf (path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen (path, "w");
  if (file == NULL || fputs (text, file) < 0 || fclose (file) != 0)
    vrg_fail_one (VRG_FILE, "%s: cannot be written", path);
}

static void
write_sample (bool wrong)
{
  const double nn[] = { 0.42, VRG_CRITICAL_2D, 0.46 }, tau[] = { 4.1, 5.3, 3.2 };
  vrg_table *t = vrg_table_new (directory, "sample.tsv",
                                "nn size chains configurations energy energy_err specific_heat specific_heat_err abs_m "
                                "abs_m_err m2 m2_err binder binder_err tau_int_energy tau_int_m2 exact_energy "
                                "exact_specific_heat susceptibility susceptibility_err xi xi_err thermal",
                                "vrg test");
  for (int i = 0; i < 3; i++)
    {
      double energy, heat;
      vrg_exact_torus (64, 64, nn[i], NULL, &energy, &heat);
      vrg_table_double (t, nn[i]);
      vrg_table_text (t, "64");
      vrg_table_int (t, 8);
      vrg_table_int (t, 100000);
      vrg_table_double (t, energy + 0.00021 * noise (i) + (wrong ? 0.002 : 0));
      vrg_table_double (t, 0.00021);
      vrg_table_double (t, heat + 0.009 * noise (i + 10));
      vrg_table_double (t, 0.009);
      vrg_table_double (t, 0.35 + 0.25 * i);
      vrg_table_double (t, 0.0011);
      vrg_table_double (t, i == 1 ? 0.3859 : 0.15 + 0.3 * i);
      vrg_table_double (t, 0.0005);
      vrg_table_double (t, i == 1 ? 0.6107 : 0.3 + 0.18 * i);
      vrg_table_double (t, 0.0002);
      vrg_table_double (t, tau[i]);
      vrg_table_double (t, tau[i] * 1.1);
      vrg_table_double (t, energy);
      vrg_table_double (t, heat);
      vrg_table_double (t, i == 1 ? 95.0 : 12.0);
      vrg_table_double (t, 0.7);
      vrg_table_double (t, 11 + 40 * i);
      vrg_table_double (t, 0.3);
      vrg_table_double (t, wrong ? 7.5 : 1.1);
    }
  check (vrg_table_close (t, NULL) == VRG_OK, "sample.tsv is written");
  t = vrg_table_new (directory, "operators.tsv", "nn size operator value error", "vrg test");
  for (int i = 0; i < 6; i++)
    {
      vrg_table_double (t, nn[i / 2]);
      vrg_table_text (t, "64");
      vrg_table_text (t, i % 2 ? "nnn" : "nn");
      vrg_table_double (t, 1.1 + 0.1234 * i);
      vrg_table_double (t, 0.0025);
    }
  check (vrg_table_close (t, NULL) == VRG_OK, "operators.tsv is written");
}

static void
write_train (void)
{
  vrg_table *t = vrg_table_new (directory, "train.tsv",
                                "layer epoch updates reconstruction_error pseudo_likelihood log_likelihood "
                                "log_likelihood_err kl_per_site kl_per_site_err weight_norm",
                                "vrg test");
  for (int epoch = 1; epoch <= 40; epoch++)
    {
      vrg_table_int (t, 1);
      vrg_table_int (t, epoch);
      vrg_table_int (t, 200 * epoch);
      vrg_table_double (t, 0.19 + 0.25 * exp (-epoch / 6.0) + 0.001 * noise (epoch));
      vrg_table_double (t, -0.42 - 0.25 * exp (-epoch / 5.0));
      for (int i = 0; i < 4; i++)
        vrg_table_double (t, NAN);
      vrg_table_double (t, 2 + 0.02 * epoch);
    }
  check (vrg_table_close (t, NULL) == VRG_OK, "train.tsv is written");
}

static void
write_model (const vrg_grid *grid, const char *fingerprint)
{
  double weights[64], visible_bias = 0, hidden_bias = 0;
  for (int y = 0; y < 8; y++)
    for (int x = 0; x < 8; x++)
      {
        double r2 = (y - 3.5) * (y - 3.5) + (x - 3.5) * (x - 3.5);
        weights[8 * y + x]
          = 0.62 * exp (-r2 / 3.2) - 0.04 * exp (-(r2 - 9) * (r2 - 9) / 40) + 0.004 * noise (8 * y + x);
      }
  vrg_model model = { .type = VRG_MODEL_CONVOLUTION,
                      .rows = 64,
                      .columns = 64,
                      .hidden = 1,
                      .filter = 8,
                      .stride = 2,
                      .epochs = 40,
                      .updates = 8000,
                      .weights = weights,
                      .visible_bias = &visible_bias,
                      .hidden_bias = &hidden_bias };
  vrg_stack stack = { .layers = 1, .layer = { &model }, .n_nn = 1, .nn = { VRG_CRITICAL_2D } };
  check (vrg_model_write (grid, directory, fingerprint, &stack) == VRG_OK, "model.h5 is written");
}

#define SAMPLE_KEYS                                                                                                    \
  "run.seed = 20260101\nlattice.size = 64 64\ncouplings.nn = 0.42 critical 0.46\nsample.algorithm = cluster\n"         \
  "sample.chains = 8\nsample.thermalization = 500\nsample.configurations = 100000\n"
#define TRAIN_KEYS                                                                                                     \
  "train.model = convolution\ntrain.coupling = critical\ntrain.filter = 8\ntrain.stride = 2\ntrain.steps = 3\n"        \
  "train.epochs = 40\n"
#define FLOW_KEYS "flow.rules = majority decimation\nflow.scale = 2\nflow.levels = 4\n"

/** A flow.h5 with nothing but a fingerprint. */
static void
write_flow (const vrg_grid *grid, const char *fingerprint)
{
  char path[1024];
  vrg_h5 *file = NULL;
  snprintf (path, sizeof path, "%s/flow.h5", directory);
  int code = vrg_h5_open (grid->file, path, VRG_H5_CREATE, &file);
  if (code == VRG_OK)
    code = vrg_h5_put_head (file, "vrg-flow", 1, fingerprint);
  check (code == VRG_OK && vrg_h5_close (file) == VRG_OK, "flow.h5 is written");
}

/* ---- a stack: 16 x 16 sites, 40 and 4 hidden units ---- */

enum
{
  SIDE = 16,
  WORDS = SIDE,
  SAMPLES = 50
};

#define STACK_KEYS                                                                                                     \
  "run.seed = 3\nlattice.size = 16 16\ncouplings.nn = 0.42\nsample.configurations = 1000\ntrain.model = dense\n"       \
  "train.coupling = 0.42\ntrain.hidden = 40 4\ntrain.epochs = 20\n"

/** Blobs around places of the lattice; the second layer joins ten units each. */
static vrg_stack *
stack_new (void)
{
  const int64_t hidden[] = { 40, 4 };
  vrg_stack *stack = vrg_new (1, sizeof *stack, "a stack");
  stack->layers = 2;
  stack->n_nn = 1;
  stack->nn[0] = 0.42;
  for (int l = 0; l < 2; l++)
    {
      const int64_t columns = l ? hidden[0] : SIDE;
      vrg_model *m = stack->layer[l] = vrg_new (1, sizeof *m, "a model");
      *m = (vrg_model){ .type = VRG_MODEL_DENSE,
                        .rows = l ? 1 : SIDE,
                        .columns = columns,
                        .hidden = hidden[l],
                        .visible1 = (l ? 1 : SIDE) * columns,
                        .epochs = 20,
                        .updates = 100 };
      vrg_model_allocate (m);
      for (int64_t j = 0; j < m->hidden; j++)
        for (int64_t i = 0; i < m->visible1; i++)
          {
            const double y = remainder ((double) (i / SIDE - 5 * j), SIDE),
                         x = remainder ((double) (i % SIDE - 3 * j), SIDE);
            const double blob = 0.5 * exp (-(x * x + y * y) / 4) * (j % 2 ? -1 : 1),
                         join = i % m->hidden == j ? 0.7 : 0.01;
            m->weights[j * m->visible1 + i]
              = (j == 7 ? 1e-4 : 1) * (l ? join : blob) + 1e-5 * noise ((int) (i + 99 * j));
          }
    }
  return stack;
}

/** Files of its analysis, with numbers made up where chains would be needed. */
static void
write_findings (const vrg_grid *grid, const vrg_stack *stack, const char *fingerprint)
{
  vrg_findings f = { .stack = stack, .row1 = SIDE, .words = 1, .pictures = 3, .rebuilds = 4, .rebuilt = 512 };
  vrg_input input = { .n_coupling = 1, .coupling = { 0.42 } };
  uint64_t spins[4 * WORDS];
  for (int i = 0; i < 4 * WORDS; i++)
    spins[i] = (UINT64_C (0x9e3779b97f4a7c15) * (uint64_t) (i + 1)) >> 48;
  f.input = &input;
  f.original = spins;
  f.observed = 3;
  for (int l = 0; l < 2; l++)
    {
      f.fields[l] = l ? vrg_fields_above (grid, f.fields[0], stack->layer[1]) : vrg_fields_new (grid, stack->layer[0]);
      f.interactions[l] = l ? NULL : vrg_interactions_new (grid, stack->layer[0], f.fields[0]);
      f.thermal[l] = l ? 7.5 : 0.8;
      f.overlap[l] = 0.61 - 0.2 * l;
      f.overlap_error[l] = 0.004;
      f.drawn[l] = f.rebuild[l] = spins;
      f.model[l][0] = (vrg_observed){ "energy", 0, -1.0123 + 0.1 * l, 0.0021 };
      f.model[l][1] = (vrg_observed){ "two_point_row", 1, 0.5 - 0.1 * l, 0.01 };
      f.model[l][2] = (vrg_observed){ "two_point_column", 1, 0.51 - 0.1 * l, 0.01 };
    }
  f.data[0] = (vrg_observed){ "energy", 0, -1.2345, 0.0031 };
  f.data[1] = f.data[2] = (vrg_observed){ "two_point_row", 1, 0.6, 0.01 };
  check (vrg_findings_write (grid, &f, directory, fingerprint) == VRG_OK, "the analysis is written");
  f.original = f.drawn[0] = f.drawn[1] = f.rebuild[0] = f.rebuild[1] = NULL; /* not its own */
  vrg_findings_clear (&f);
}

static void
write_spectrum (const vrg_grid *grid, const vrg_stack *stack, const char *fingerprint)
{
  uint64_t bits[SAMPLES * WORDS];
  for (int i = 0; i < SAMPLES * WORDS; i++)
    bits[i] = (UINT64_C (0xd1342543de82ef95) * (uint64_t) (i + 1)) >> 48;
  vrg_spectrum_layer layer[2];
  for (int l = 0; l < 2; l++)
    {
      const vrg_model *m = stack->layer[l];
      layer[l] = (vrg_spectrum_layer){ .hidden = m->hidden,
                                       .visible = m->visible1,
                                       .visible1 = m->visible1,
                                       .weights = m->weights,
                                       .spread = 0.01,
                                       .samples = l ? 0 : SAMPLES,
                                       .bits = bits,
                                       .rows = m->rows,
                                       .columns = m->columns,
                                       .words = 1 };
    }
  check (vrg_spectrum_write (grid, directory, fingerprint, 2, layer) == VRG_OK, "spectrum.h5 is written");
}

/** train.tsv of two layers, the first with a divergence that ends at `last`. */
static void
write_curves (double last)
{
  vrg_table *t = vrg_table_new (directory, "train.tsv",
                                "layer epoch updates reconstruction_error pseudo_likelihood log_likelihood "
                                "log_likelihood_err kl_per_site kl_per_site_err weight_norm trace_spread learning_rate",
                                "vrg test");
  for (int layer = 1; layer <= 2; layer++)
    for (int epoch = 1; epoch <= 20; epoch++)
      {
        const bool estimate = layer == 1 && epoch % 5 == 0;
        vrg_table_int (t, layer);
        vrg_table_int (t, epoch);
        vrg_table_int (t, 5 * epoch);
        vrg_table_double (t, 0.2 + 0.2 * exp (-epoch / 6.0));
        vrg_table_double (t, -0.4 - 0.2 * exp (-epoch / 5.0));
        vrg_table_double (t, estimate ? -140.0 : (double) NAN);
        vrg_table_double (t, estimate ? 1.5 : (double) NAN);
        vrg_table_double (t, !estimate ? (double) NAN : epoch == 20 ? last : 0.2 - 0.005 * epoch);
        vrg_table_double (t, estimate ? 0.0012 : (double) NAN);
        vrg_table_double (t, 2 + 0.02 * epoch);
        vrg_table_double (t, NAN);
        vrg_table_double (t, 0.01);
      }
  check (vrg_table_close (t, NULL) == VRG_OK, "train.tsv is written");
}

/** One byte in the middle of a file is another. */
static void
damage (const char *name)
{
  char path[1024];
  snprintf (path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen (path, "r+");
  if (file == NULL || fseek (file, 0, SEEK_END) != 0)
    vrg_fail_one (VRG_FILE, "%s: cannot be opened", path);
  const long middle = ftell (file) / 2;
  fseek (file, middle, SEEK_SET);
  const int c = fgetc (file);
  fseek (file, middle, SEEK_SET);
  fputc (c ^ 1, file);
  check (fclose (file) == 0, "%s is damaged", name);
}

static void
check_values (void)
{
  const struct
  {
    double value, error;
    const char *text;
  } rows[] = { { 0.96911, 0.0011, "0.9691(11)" },
               { 0.96694, 0.00092, "0.9669(9)" },
               { 1.00052, 0.00098, "1.0005(10)" },
               { 12.34, 1.42, "12.3(1.4)" },
               { -123.4, 12, "-123(12)" },
               { 5.5, 0, "5.5" },
               { NAN, 1, "-" },
               { -0.00001, 0.01, "0.000(10)" },
               { 1.8745, 0.00021, "1.87450(21)" },
               { 4, 40, "4(40)" },
               { -4.1e-8, 2e-7, "-0.4(2.0)e-7" },
               { 0.00012, 0.00031, "0.00012(31)" },
               { 12345.678, 0, "12345.7" } };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    {
      char text[64];
      vrg_html_value (text, rows[i].value, rows[i].error);
      check (strcmp (text, rows[i].text) == 0, "%g +- %g is %s (%s)", rows[i].value, rows[i].error, rows[i].text, text);
    }
}

/** What a form of the page's text becomes. */
static void
check_text (void (*put) (FILE *page, const char *text), const char *text, const char *expected)
{
  char *found = NULL;
  size_t size = 0;
  FILE *page = open_memstream (&found, &size);
  if (page == NULL)
    vrg_fail_one (VRG_INTERNAL, "no stream");
  put (page, text);
  fclose (page);
  check (strcmp (found, expected) == 0, "%s is %s (%s)", text, expected, found);
  free (found);
}

static void
check_texts (void)
{
  check_text (vrg_html_rich, "$y_t$ & $b^{n y_t}$",
              "<i>y</i><sub><i>t</i></sub> &amp; <i>b</i><sup><i>n</i> <i>y</i><sub><i>t</i></sub></sup>");
  check_text (vrg_html_rich, "$K_{nn} - 1$ of $1, a_b - c", "$K_{nn} - 1$ of $1, a_b - c");
  check_text (vrg_html_rich, "$K_{nn} - <1$", "<i>K</i><sub>nn</sub> − &lt;1");
  check_text (vrg_html_rich, "$a^", "$a^");
  check_text (vrg_html_rich, "$a^{b$ $c_$", "<i>a</i><sup></sup> <i>c</i>_");
  check_text (vrg_html_number, "-0.4(2.0)e-7", "−0.4(2.0) × 10<sup>−7</sup>");
  check_text (vrg_html_number, "+1.2", "+1.2");
  check_text (vrg_html_number, "-", "–");
  check_text (vrg_html_number, "never", "never");
  check_text (vrg_html_number, "1<b>", "1&lt;b&gt;");
  check_text (vrg_html_number, "1e5<b>", "1e5&lt;b&gt;");
  check_text (vrg_html_number, "1<i>e5", "1&lt;i&gt;e5");
}

static const char *const all_figures[]
  = { "energy",   "specific-heat", "magnetisation", "susceptibility", "binder",         "correlation-length",
      "training", "filter",        "flow",          "couplings",      "exponents-even", "exponents-odd" };
static const char *const stack_figures[]
  = { "training",   "radii",        "fields-1",  "fields-2", "spectrum-1",     "overlap-1",
      "spectrum-2", "interactions", "two-point", "samples",  "reconstructions" };

/** The report of a stack, in a directory of its own within the other. */
static void
check_stack (const vrg_grid *grid)
{
  char outside[512];
  memcpy (outside, directory, sizeof outside);
  snprintf (directory, sizeof directory, "%.500s/stack", outside);
  if (mkdir (directory, 0777) != 0 && !is_there ("."))
    vrg_fail_one (VRG_FILE, "%s: cannot be made", directory);
  vrg_stack *stack = stack_new ();
  write_curves (0.0831);
  check (vrg_model_write (grid, directory, STACK_KEYS, stack) == VRG_OK, "model.h5 is written");
  check (vrg_report (grid, directory) == VRG_OK, "a stack without its analysis: reported");
  check_page ("a stack without its analysis", 4,
              (const char *const[]){ "Left out: Sizes of the receptive fields (fields.tsv is missing",
                                     "Receptive fields (learnt.h5 is missing",
                                     "Singular values (spectrum.h5 is missing",
                                     "0.0831(12) nats per site, where 0 is perfect" },
              2, (const char *const[]){ "Median rms radius of live", "doubtful" });
  write_findings (grid, stack, STACK_KEYS);
  write_spectrum (grid, stack, STACK_KEYS);
  write_curves (-0.0084);
  check (vrg_report (grid, directory) == VRG_OK, "a stack: reported");
  check_figures (true, sizeof stack_figures / sizeof *stack_figures, stack_figures);
  check (!is_there ("figures/filter.gp") && !is_there ("figures/overlap-2.gp") && !is_there ("figures/fields-3.gp"),
         "what there is nothing of is not drawn");
  check_page (
    "a stack", 7,
    (const char *const[]){ "ln Z is doubtful: the KL divergence of layer 1 at epoch 20 is 7.0 standard errors below 0",
                           "Samples of 2 layers: chains started from the data and from random units differ by 7.5",
                           "(39 of 40 live; without structure it is 6.56), layer 2: ", "−1.0123(21)", "−1.2345(31)",
                           "0.610(4)", "weight norm at least 5 % of the layer&#39;s largest" },
    5,
    (const char *const[]){ "Samples of 1 layer:", "Left out", "learnt.h5 is missing", "another model",
                           "is not of the model.h5" });
  char *script = read_text ("figures/interactions.gp");
  check (strstr (script, "K = 0.42") != NULL, "the coupling of the samples is among those of the weights");
  vrg_free (script);

  vrg_log_init (false, VRG_LOG_WARNING);
  write_findings (grid, stack, SAMPLE_KEYS);
  damage ("spectrum.h5");
  check (vrg_report (grid, directory) == VRG_OK, "a stranger's analysis and a damaged file: reported");
  check_page ("a stranger's analysis and a damaged file", 2,
              (const char *const[]){ "learnt.h5 is not of the model.h5 here", "spectrum.h5" }, 1,
              (const char *const[]){ "alt=\"Receptive fields" });
  check (!is_there ("figures/fields-1.svg") && !is_there ("figures/spectrum-1.svg"), "nothing is drawn of them");
  write_findings (grid, stack, STACK_KEYS);
  damage ("learnt.h5");
  check (vrg_report (grid, directory) == VRG_OK && !is_there ("figures/fields-1.svg"), "a damaged analysis: reported");
  vrg_log_init (true, VRG_LOG_WARNING);
  vrg_stack_free (stack);
  memcpy (directory, outside, sizeof outside);
}

/** A script that cannot be written ends the report, and the work that was told of. */
static void
check_cannot_draw (const vrg_grid *grid)
{
  char path[1024];
  vrg_progress_state state;
  snprintf (path, sizeof path, "%s/figures/binder.gp", directory);
  check (unlink (path) == 0 && mkdir (path, 0777) == 0, "a directory in place of a script");
  check (vrg_report (grid, directory) == VRG_FILE && strstr (vrg_error_text (), "binder.gp: cannot be written") != NULL,
         "is a file error");
  vrg_progress_now (&state);
  check (*state.what == 0 && *state.inner == 0, "and nothing is going on any more");
  check (rmdir (path) == 0, "it is removed");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  const bool keep = begin_directory (argc, argv);
  char *path = getenv ("PATH"), *kept_path = vrg_new (path ? (int64_t) strlen (path) + 1 : 1, 1, "PATH");
  strcpy (kept_path, path ? path : "");

  check_values ();
  check_texts ();
  check (vrg_report (grid, "/nowhere/at/all") == VRG_FILE && strstr (vrg_error_text (), "/nowhere/at/all") != NULL,
         "a missing directory is a file error that names it");
  check (vrg_report (grid, directory) == VRG_FILE && !is_there ("report.html") && !is_there ("figures"),
         "an empty directory is a file error and stays empty");

  write_exponents ();
  check (vrg_report (grid, directory) == VRG_OK, "exponents alone: reported");
  check_page ("exponents alone", 3, (const char *const[]){ "sample.tsv is missing", "0.9691(11)", "decimation has no" },
              2, (const char *const[]){ "id=\"sampling\"", "id=\"input\"" });

  write_sample (true);
  write_train ();
  write_couplings ();
  write_model (grid, SAMPLE_KEYS "sample.interval = 5\n" TRAIN_KEYS "<script>alert(1)</script> & co\n");
  write_text ("input.ini", "[run]\nseed = 4711\n"); /* the user's, of no meaning here */
  vrg_log_init (false, VRG_LOG_WARNING);
  setenv ("PATH", "/nowhere", 1);
  check (vrg_report (grid, directory) == VRG_OK, "without gnuplot: reported");
  setenv ("PATH", kept_path, 1);
  vrg_log_init (true, VRG_LOG_WARNING);
  check_figures (false, sizeof all_figures / sizeof *all_figures, all_figures);
  check_page ("without gnuplot", 6,
              (const char *const[]){ "differs from the second half by 7.5 standard errors",
                                     "gnuplot could not be started", "standard deviations from the exact value",
                                     "class=\"bad\">differs", "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co",
                                     "make no input" },
              2, (const char *const[]){ "<img", "4711" });

  vrg_log_init (false, VRG_LOG_WARNING);
  write_model (grid, SAMPLE_KEYS "sample.interval = 5\n" TRAIN_KEYS);
  write_flow (grid, SAMPLE_KEYS "sample.interval = 4\n" FLOW_KEYS);
  check (vrg_report (grid, directory) == VRG_OK, "files that do not belong together: reported");
  vrg_log_init (true, VRG_LOG_WARNING);
  check_page (
    "files that do not belong together", 1,
    (const char *const[]){ "flow.h5 was made from another model.h5 than the one here: [sample] interval was 4, is 5" },
    0, NULL);

  write_flow (grid, SAMPLE_KEYS "sample.interval = 5\n" FLOW_KEYS);
  write_sample (false);
  check (vrg_report (grid, directory) == VRG_OK, "everything: reported");
  check_figures (true, sizeof all_figures / sizeof *all_figures, all_figures);
  check_page ("everything", 14,
              (const char *const[]){ "1.2234(25)", "51.00(30)",
                                     "What flow.h5 was made with:", "What model.h5 was made with:", "40 epochs of CD-3",
                                     "majority and decimation, scale 2", "data:image/svg+xml;base64,", "64 × 64",
                                     "0.3859(5)", "1.0005(11)", "1.87600(11)", "class=\"good\">agrees",
                                     "id=\"training\"", "provenance" },
              6,
              (const char *const[]){ "<script>alert", "standard errors:", "http://localhost",
                                     "is missing:", "gnuplot could not", "another model" });

  check_cannot_draw (grid);
  check_stack (grid);
  end_directory (keep);
  vrg_free (kept_path);
  vrg_grid_free (grid);
  return check_end ();
}
