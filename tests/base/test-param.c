/* SPDX-License-Identifier: GPL-3.0-or-later
 * Inputs: defaults, every complaint, what is printed parses to the same.  ranks: 1 */
#include <stdlib.h>
#include <string.h>

#include "base/param.h"
#include "tests/check.h"

static vrg_input input;

static int
parse (const char *text)
{
  return vrg_param_parse ("in.ini", text, 0, NULL, &input);
}

/** The text is refused, with this among the complaints. */
static void
refused (const char *text, const char *complaint)
{
  const int code = parse (text);
  const bool good = code == VRG_USAGE && strstr (vrg_error_text (), complaint) != NULL;
  check (good, "refused: %s", complaint);
  if (!good)
    printf ("# code %d: %s\n", code, code ? vrg_error_text () : "accepted");
}

static void
accepted (const char *text, const char *what)
{
  const int code = parse (text);
  check (code == VRG_OK, "accepted: %s", what);
  if (code != VRG_OK)
    printf ("# %s\n", vrg_error_text ());
}

static void
test_defaults (void)
{
  accepted ("", "an empty input");
  check (input.seed == 1 && input.dimension == 2 && input.n_size == 2 && input.size[0] == 32 && input.size[1] == 32,
         "default lattice");
  check (input.n_nn == 1 && input.nn[0] == 0.440686793509771513 && input.n_coupling == 1
           && input.coupling[0] == input.nn[0],
         "default coupling");
  check (input.algorithm == VRG_CLUSTER && input.chains == 8 && input.model == VRG_MODEL_NONE && input.levels == 3
           && input.n_even == 7 && input.n_odd == 4 && input.strips == 0 && input.interval_minutes == 10
           && input.share == 0.05 && input.timeout_minutes == 30,
         "other defaults");
  check (input.hidden[0] == 64 && input.optimiser == VRG_ADAM && input.learning_rate == 0.001
           && input.final_rate == 0.001 && input.persistent == 50 && input.held_out == 0.1
           && vrg_input_held_out (&input) == 1000,
         "default training");
  accepted ("[train]\nmodel = convolution\n", "convolution");
  check (input.n_hidden == 1 && input.hidden[0] == 1 && input.filter == 8 && input.stride == 2,
         "one filter by default");
  accepted ("[lattice]\nsize = 7\n", "an odd lattice");
  check (input.levels == 0, "an odd lattice has no levels");
  accepted ("[lattice]\nsize = 16\n", "a small lattice");
  check (input.levels == 2, "default levels leave 4 x 4");
  accepted ("[lattice]\nsize = 45\n[flow]\nscale = 3\nlevels = 7\n", "more levels than the sides allow");
  check (input.levels == 7 && vrg_input_depth (&input) == 2, "45 is blocked by 3 twice");
  accepted ("[lattice]\ndimension = 3\nsize = 8 16 32\n[flow]\nlevels = 7\n", "three different sides");
  check (vrg_input_depth (&input) == 2 && input.n_fitted == 4, "the shortest side decides; four couplings in 3D");
  accepted ("[couplings]\nnn = 0.42 critical 0.46\n", "a scan");
  check (input.n_nn == 3 && input.n_coupling == 1 && input.nn[1] == input.coupling[0] && input.nn[2] == 0.46,
         "train on the critical one");
  accepted ("[couplings]\nnn = 0.42 0.46\n", "a scan without the critical coupling");
  check (input.n_coupling == 1 && input.coupling[0] == 0.42, "train on the first one");
  accepted ("[couplings]\nnn = 0.42 critical 0.46\n[train]\ncoupling = 0.46 critical\nlearning_rate = 0.01\n",
            "several ensembles");
  check (input.n_coupling == 2 && input.coupling[0] == 0.46 && input.coupling[1] == input.nn[1]
           && input.final_rate == 0.01,
         "train on both, in this order, at one rate");
  accepted ("[train]\nmodel = dense\nhidden = 40 20 10\nmethod = pcd\nbatch = 20\nchains = 60\nbiases = yes\n"
            "centering = yes\naverage = 0.5\npatience = 3\npermute = yes\nheld_out = 0\n",
            "a stack");
  check (input.n_hidden == 3 && input.persistent == 60 && vrg_input_held_out (&input) == 0, "with its chains");
  accepted ("[lattice]\ndimension = 1\nsize = 16\n[couplings]\nnn = 0.4\n[train]\nmodel = convolution\n"
            "hidden = 1 1\nfilter = 2\n",
            "a stack of convolutions in one dimension");
}

static void
test_lines (void)
{
  refused ("\xef\xbb\xbf# comment\r\n  [run]  # comment\r\n\tseed = 5 ;6\r\n   seed2 = 1\r\n",
           "in.ini:4: [run] seed2: unknown key (did you mean seed?)");
}

static void
test_accepted (void)
{
  accepted (
    "\xef\xbb\xbf# comment\r\n  [run]  # comment\r\n\tseed = 5 ;6\r\n\n   output: a/b#c \n[sample]\n  chains = 3 # x\n",
    "mark, carriage returns, indentation, comments, colons");
  check (input.seed == 5 && input.chains == 3 && !strcmp (input.output, "a/b#c"), "and understood");
  accepted ("[couplings]\nnn = 0.1 0.2 \\\n 0.3 \\ # comment\n  0.4\n[sample]\nchains = 2",
            "continued lines, no last newline");
  check (input.n_nn == 4 && input.nn[3] == 0.4 && input.chains == 2, "all four entries");
  accepted ("[lattice]\nsize = 64 128\n", "a rectangle");
  check (input.size[0] == 64 && input.size[1] == 128, "rows and columns");
  accepted ("[lattice]\ndimension = 3\nsize = 8\n", "three dimensions");
  check (input.n_size == 3 && input.size[2] == 8 && input.nn[0] == 0.221654626, "a cube, at its critical coupling");
  accepted ("[lattice]\ndimension = 1\nsize = 100\n[couplings]\nnn = 0.5\nfield = 0.1\n", "one dimension with a field");
  accepted ("[couplings]\nnn = 0.4\nnnn = 0.1\nplaquette = -0.05\nfield = 0.01\n[sample]\nalgorithm = heatbath\n",
            "all couplings");
  check (input.nnn == 0.1 && input.plaquette == -0.05 && input.field == 0.01 && input.packing == VRG_PACKING_ROWS,
         "and understood");
  accepted ("[couplings]\nnn = 0.4 0.42\n[sample]\nalgorithm = tempering\n", "tempering");
  check (input.packing == VRG_PACKING_CHAINS, "tempering packs chains");
  accepted ("[sample]\nchains = 3\n[lattice]\nsize = 8\n[sample]\ninterval = 2\n", "a section in two pieces");
  accepted ("[train]\nmodel = convolution\n[flow]\nrules = majority learnt\n", "the learnt rule");
  accepted (
    "[train]\nbiases = yes\nl2 = 1e-3\n[parallel]\nstrips = 4\ntimeout = 0\n[checkpoint]\ninterval = 0.5\nshare = 1\n",
    "the rest");
  check (input.biases && input.l2 == 1e-3 && input.strips == 4 && input.interval_minutes == 0.5 && input.share == 1
           && input.timeout_minutes == 0,
         "and understood");
}

static void
test_refused (void)
{
  refused ("[sample]\nalgoritm = cluster\n", "in.ini:2: [sample] algoritm: unknown key (did you mean algorithm?)");
  refused ("[sample]\nrules = majority\n", "in.ini:2: [sample] rules: unknown key (did you mean [flow] rules?)");
  refused ("[sample]\nxyzzy = 1\n", "in.ini:2: [sample] xyzzy: unknown key (see `vrg params`)");
  refused ("[sampel]\nchains = 1\n", "in.ini:1: [sampel]: unknown section (did you mean [sample]?)");
  refused ("seed = 1\n", "in.ini:1: seed: a key before the first [section] (did you mean [run] seed?)");
  refused ("[run]\nseed = 1\nseed = 1\n", "in.ini:3: [run] seed: given already in line 2");
  refused ("[run\n", "in.ini:1: [run: a section without its closing ]");
  refused ("[lattice] size = 8\n", "nothing may follow a [section]");
  refused ("[run]\nseed\n", "in.ini:2: seed: neither [section] nor key = value");
  refused ("[run]\nseed =\n", "in.ini:2: [run] seed: has no value");
  refused ("[run]\nseed = -1\n", "[run] seed: -1 is outside 0 to 1e+18");
  refused ("[run]\nseed = 99999999999999999999\n", "is outside");
  refused ("[run]\nseed = 1.0\n", "`1.0` is not a whole number");
  refused ("[run]\nseed = 1 2\n", "2 values, but it takes one");
  refused ("[lattice]\nsize = 3\n", "[lattice] size: 3 is outside 4 to 1048576 sites");
  refused ("[lattice]\nsize = 8 8 8\n", "3 lengths for 2 dimensions");
  refused ("[lattice]\nsize = 8 8 8 8\n", "4 values, at most 3");
  refused ("[lattice]\ndimension = 4\n", "[lattice] dimension: 4 is outside 1 to 3");
  refused ("[lattice]\ndimension = 3\nsize = 8 8\n", "2 lengths for 3 dimensions");
  refused ("[lattice]\ndimension = 3\n[train]\nmodel = dense\n",
           "[train] model: training is for one and two dimensions");
  refused ("[lattice]\ndimension = 1\n", "[couplings] nn: one dimension has no critical coupling");
  refused ("[lattice]\ndimension = 3\n[couplings]\nnn = 0.2\nnnn = 0.1\n[sample]\nalgorithm = metropolis\n",
           "in.ini:5: [couplings] nnn: is for two dimensions, not 3");
  refused ("[couplings]\nnn = 0.3\nplaquette = 0.1\n",
           "in.ini:3: [couplings] plaquette: cluster updates are exact for");
  refused ("[couplings]\nfield = 0.1\n", "[couplings] nn: critical is the critical coupling of nn alone");
  refused ("[sample]\npacking = chains\n", "[sample] packing: cluster updates cannot pack chains");
  refused ("[sample]\nalgorithm = tempering\n", "[couplings] nn: tempering needs two couplings or more");
  refused ("[couplings]\nnn = 0.3 0.4\nfield = 0.1\n[sample]\nalgorithm = tempering\n",
           "[couplings] field: is not for packed chains (tempering)");
  refused ("[lattice]\nsize = 8 9\n[sample]\nalgorithm = heatbath\n", "heatbath needs even sides");
  refused ("[couplings]\nnn = 0.4, 0.5\n", "`0.4,` is not a number or critical (blanks, not commas");
  refused ("[couplings]\nnn = nan\n", "`nan` is not a number");
  refused ("[couplings]\nnn = 0x1p-1\n", "is not a number");
  refused ("[couplings]\nnn = 0\n", "[couplings] nn: 0 is outside 0.0001 to 10 J/kT");
  refused ("[couplings]\nnn = 0.4 0.5 0.40\n", "[couplings] nn: 0.4 is given twice");
  refused ("[sample]\nalgorithm = metropolis\n[lattice]\nsize = 8 9\n",
           "in.ini:2: [sample] algorithm: metropolis needs even");
  refused ("[sample]\nalgorithm = wolff\n", "`wolff` is not one of cluster, metropolis");
  refused ("[sample]\nalgorithm = Cluster\n", "(did you mean cluster?)");
  refused ("[sample]\nconfigurations = 4\n", "4 is less than one for each of the 8 chains");
  refused ("[sample]\nconfigurations = 1000000000000\ninterval = 100000\n", "longer than 2^48 sweeps");
  refused (
    "[train]\nmodel = dense\nbatch = 9001\n",
    "[train] batch: 9001 is more than the 9000 configurations to train on: 10000 for each of 1 coupling, 1000 of "
    "them held out");
  refused ("[couplings]\nnn = 0.4 0.5\n[train]\nmodel = dense\ncoupling = 0.4 0.5\nheld_out = 0\nbatch = 20001\n",
           "20001 is more than the 20000 configurations to train on");
  refused ("[train]\nmodel = convolution\nstride = 3\n", "in.ini:3: [train] stride: 3 does not divide the side 32");
  refused ("[train]\nmodel = convolution\nhidden = 1 1\n[lattice]\nsize = 10\n",
           "[train] stride: 2 does not divide the side 5 that layer 2 stands on");
  refused ("[train]\nmodel = convolution\nhidden = 2 1\n",
           "[train] hidden: layer 1 has 2 filters, and a convolution can stand on one only");
  refused ("[train]\nmodel = dense\nhidden = 0\n", "[train] hidden: 0 is outside 1 to 1000000");
  refused ("[train]\nmethod = pcd\nchains = 70\n", "in.ini:3: [train] chains: 70 is not a multiple of batch, 50");
  refused ("[train]\nmodel = dense\ncentering = yes\n", "in.ini:3: [train] centering: needs biases = yes");
  refused ("[train]\nmodel = dense\nsymmetric = yes\n", "[train] symmetric: is for the filters of a convolution");
  refused ("[couplings]\nnn = 0.4 0.5\n[train]\ncoupling = 0.4 0.5 0.4\n", "[train] coupling: 0.4 is given twice");
  refused ("[train]\nhidden = 1 1 1 1 1 1 1 1 1\n", "9 values, at most 8");
  refused ("[train]\ncoupling = 0.3\n", "0.3 is not one of [couplings] nn");
  refused ("[train]\nbiases = maybe\n", "`maybe` is not yes or no");
  refused ("[flow]\nrules = learnt\n", "in.ini:2: [flow] rules: the learnt rule needs [train] model = convolution");
  refused ("[flow]\nrules = learnt\n[train]\nmodel = convolution\nhidden = 2\n", "needs one filter in each layer");
  refused ("[flow]\nrules = learnt\n[train]\nmodel = convolution\nstride = 4\n", "needs [train] stride = [flow] scale");
  refused ("[flow]\nrules = majority majority\n", "majority is given twice");
  refused ("[flow]\nrules = learnt-sign\n", "the learnt-sign rule needs [train] model = convolution");
  refused ("[flow]\nweights = 1\n", "[flow] weights: two numbers");
  refused ("[flow]\nscale = 3\nlevels = 1\n", "in.ini:2: [flow] scale: 3 does not divide the side 32");
  refused ("[lattice]\nsize = 7\n[flow]\nlevels = 1\n", "in.ini:4: [flow] levels: 2 does not divide the side 7");
  refused ("[flow]\neven = nn squar2\n",
           "in.ini:2: [flow] even: no operator `squar2` in 2 dimensions (did you mean square2?)");
  refused ("[flow]\neven = nn corner\n",
           "[flow] even: corner is odd, a product of 3 spins; it belongs into [flow] odd");
  refused ("[flow]\nodd = spin nn\n", "[flow] odd: nn is even, a product of 2 spins; it belongs into [flow] even");
  refused ("[flow]\neven = nn nnn nn\n", "[flow] even: nn is given twice");
  refused ("[flow]\neven = nn\nfitted = nnn\n", "[flow] fitted: nnn is not one of [flow] even");
  refused ("[flow]\nrbm_steps = 5\n", "[flow] rbm_steps: needs a trained model");
  refused ("[flow]\neven = qwerty\n", "no operator `qwerty` in 2 dimensions; define it: [operator qwerty] sites = ...");
  refused ("[operator mine]\nsites = 0,0 0,1 0,0\n", "in.ini:2: [operator mine] sites: number 3 is number 1 again");
  refused ("[operator mine]\nsites = 0,0 1\n", "`1` has 1 number, the first site 2");
  refused ("[operator mine]\nsites = 0,0 1,x\n", "in.ini:2: [operator mine] sites: `1,x` is not a site");
  refused ("[operator mine]\nsites = 0,0 1,9\n", "`1,9` is not a site: whole numbers of -8 to 8");
  refused ("[operator mine]\nsites = 0,0,0 1,0,0\n", "[operator mine] sites: 3 numbers a site on a lattice of 2 dim");
  refused ("[operator mine]\n[operator mine]\n", "in.ini:2: [operator mine]: given already");
  refused ("[operator mine]\n", "[operator mine]: has no sites");
  refused ("[operator mine]\nsides = 0,0\n", "in.ini:2: [operator mine] sides: unknown key");
  refused ("[operator nn]\nsites = 0,0 0,1\n", "[operator nn]: is in the catalogue");
  refused ("[operator two words]\nsites = 0,0 0,1\n", "a name has 1 to 23 letters, digits, - and _");
  refused ("[operator mine]\nsites = 0,0 \\\n 0,1\n", "[operator mine] sites: stand on one line");
  refused ("[operator mine]\nsites = 0,0 0,1 0,2 0,3 0,4 0,5 0,6 0,7 0,8\n", "[operator mine] sites: more than 8");
  refused ("[parallel]\nstrips = 0\n", "[parallel] strips: 0 is outside 1 to 1000000 strips");
  refused ("[checkpoint]\nshare = 0\n", "[checkpoint] share: 0 is outside 0.001 to 1");
  refused ("[checkpoint]\ninterval = -1\n", "-1 is outside 0 to 10080 minutes");

  char text[2000];
  int used = snprintf (text, sizeof text, "[couplings]\nnn =");
  for (int i = 0; i < 65; i++)
    used += snprintf (text + used, sizeof text - (size_t) used, " 0.%d", 100 + i);
  snprintf (text + used, sizeof text - (size_t) used, "\n[run]\nseed = 7 8\n");
  refused (text, "in.ini:2: nn = 0.100");
  refused (text, "in.ini:4: [run] seed: 2 values");

  used = snprintf (text, sizeof text, "[couplings]\nnn =");
  for (int i = 0; i < 65; i++)
    used += snprintf (text + used, sizeof text - (size_t) used, " 0.%d%s", 100 + i, i % 20 == 19 ? "\\\n" : "");
  refused (text, "65 values, at most 64");

  /* all in one go, in the order of lines */
  check (parse ("[run]\nsede = 1\n[sample]\nchains = 0\n[lattice]\nsize = x\n") == VRG_USAGE, "three mistakes");
  const char *first = strstr (vrg_error_text (), "in.ini:2:"), *second = strstr (vrg_error_text (), "in.ini:4:"),
             *third = strstr (vrg_error_text (), "in.ini:6:");
  check (first && second && third && first < second && second < third, "all told, in order");

  char *junk = vrg_new (100001, 1, "junk");
  for (int i = 0; i < 100000; i++)
    junk[i] = i % 7 == 6 ? '\n' : (char) ('!' + i % 90);
  check (parse (junk) == VRG_USAGE && strstr (vrg_error_text (), " more") != NULL,
         "junk: the first hundred, and how many more");
  for (int i = 0; i < 100000; i++)
    junk[i] = 'a';
  check (parse (junk) == VRG_USAGE, "a line of 100000 characters");
  vrg_free (junk);
}

static void
test_set (void)
{
  const char *const good[] = { "sample.chains=3", "couplings.nn = 0.1 critical", "run.output=a b" };
  check (vrg_param_parse ("in.ini", "[sample]\nchains = 0\n", 3, good, &input) == VRG_OK && input.chains == 3
           && input.n_nn == 2 && !strcmp (input.output, "a b"),
         "--set overrides");
  const char *const bad[] = { "chains=3",        "sample.chain=3",  "sampel.chains=3", "lattice.size=",
                              "sample.chains=1", "sample.chains=2", "train.batch=x" };
  check (vrg_param_parse ("in.ini", "", 7, bad, &input) == VRG_USAGE, "seven bad --set");
  const char *const complaints[] = { "--set: `chains=3` is not section.key=value",
                                     "--set: [sample] chain: unknown key (did you mean chains?)",
                                     "--set: [sampel] chains: unknown section (did you mean [sample] chains?)",
                                     "--set: [lattice] size: has no value",
                                     "--set: [sample] chains: is set twice",
                                     "--set: [train] batch: `x` is not a whole number" };
  for (int i = 0; i < 6; i++)
    check (strstr (vrg_error_text (), complaints[i]) != NULL, "%s", complaints[i]);
}

static void
test_print (void)
{
  char *text = NULL;
  accepted (
    "[run]\nseed = 1000000000000000000\noutput = some where/else\n[lattice]\nsize = 48 64\n[couplings]\nnn = "
    "0.1 critical "
    "0.3333333333333333\n[train]\nmodel = convolution\nl1 = 1e-7\nbiases = yes\n[flow]\nrules = learnt "
    "decimation\neven = nnn nn mine\n[operator mine]\nsites = 0,0 -1,0 0,1 3,-2\n[checkpoint]\ninterval = 0.25\n",
    "an input of many keys");
  const vrg_input before = input;
  text = vrg_param_print (&input);
  check (parse (text) == VRG_OK && !memcmp (&before, &input, sizeof input), "printed and parsed: the same");
  vrg_free (text);

  accepted ("", "defaults");
  input.n_nn = VRG_MAX_COUPLINGS;
  for (int i = 0; i < input.n_nn; i++)
    input.nn[i] = (i + 1) / 7.1;
  input.n_coupling = 2;
  input.coupling[0] = input.nn[5];
  input.coupling[1] = input.nn[2];
  const vrg_input many = input;
  text = vrg_param_print (&input);
  check (parse (text) == VRG_OK && !memcmp (&many, &input, sizeof input), "64 couplings: printed and parsed, the same");
  vrg_free (text);
}

/** The difference between the defaults and another input, for a stage. */
static void
difference (const char *old, const char *new_, vrg_stage stage, const char *expected)
{
  char text[256];
  parse (old);
  char *first = vrg_param_fingerprint (&input, stage);
  parse (new_);
  char *second = vrg_param_fingerprint (&input, stage);
  vrg_param_difference (first, second, text, sizeof text);
  check (!strcmp (text, expected) && (*text == 0) == !strcmp (first, second), "%s: difference `%s`",
         vrg_stage_name (stage), expected);
  if (strcmp (text, expected) != 0)
    printf ("# `%s`\n", text);
  vrg_free (first);
  vrg_free (second);
}

static void
test_fingerprint (void)
{
  const char *const other = "[sample]\ninterval = 10\n";
  difference ("", "", VRG_STAGE_FLOW, "");
  for (int s = 1; s <= 4; s *= 2)
    difference ("", other, (vrg_stage) s, "[sample] interval was 5, is 10");
  difference ("", "[run]\noutput = x\n[parallel]\nstrips = 2\ntimeout = 1\n[checkpoint]\ninterval = 1\nshare = 1\n",
              VRG_STAGE_FLOW, "");
  difference ("", "[flow]\nblocks = 50\n[train]\nsteps = 2\n", VRG_STAGE_SAMPLE, "");
  difference ("", "[flow]\nblocks = 50\n[train]\nsteps = 2\n", VRG_STAGE_TRAIN, "[train] steps was 1, is 2");
  difference ("", "[flow]\nblocks = 50\n[train]\nsteps = 2\n", VRG_STAGE_FLOW, "[flow] blocks was 100, is 50");
  difference ("[train]\nmodel = convolution\n[flow]\nrules = learnt\n",
              "[train]\nmodel = convolution\nsteps = 3\n[flow]\nrules = learnt\n", VRG_STAGE_FLOW,
              "[train] steps was 1, is 3");
  difference ("", "[couplings]\nnn = 0.1 0.2\n", VRG_STAGE_SAMPLE, "[couplings] nn was 0.440686793509772, is 0.1 0.2");
  difference ("[operator mine]\nsites = 0,0 0,1\n", "[operator mine]\nsites = 0,0 0,2\n", VRG_STAGE_FLOW,
              "[operator mine] sites was 0,0 0,1, is 0,0 0,2");
  difference ("", "[train]\nmodel = dense\n", VRG_STAGE_FLOW, "[train] model was nothing, is dense");
  char text[256];
  vrg_param_difference ("a.b = 1\n", "a.b = 1\na.c = 2\n", text, sizeof text);
  check (!strcmp (text, "[a] c was nothing, is 2"), "a key that is new");
  vrg_param_difference ("a.b = 1\na.c = 2\n", "a.b = 1\n", text, sizeof text);
  check (!strcmp (text, "[a] c was 2, is nothing"), "a key that is gone");
  vrg_param_difference ("junk", "a.b = 1\n", text, sizeof text);
  check (*text != 0, "a fingerprint that is none");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_defaults ();
  test_lines ();
  test_accepted ();
  test_refused ();
  test_set ();
  test_print ();
  test_fingerprint ();

  char *description = NULL;
  size_t length = 0;
  FILE *stream = open_memstream (&description, &length);
  vrg_param_describe (stream);
  fclose (stream);
  check (length > 2000 && strstr (description, "learning_rate") != NULL, "the table is described");
  free (description);
  return check_end ();
}
