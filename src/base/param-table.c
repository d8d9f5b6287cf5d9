/* SPDX-License-Identifier: GPL-3.0-or-later
 * The parameter table itself, and `vrg params`. */
#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/param_internal.h"

const char *const vrg_param_algorithm_names[] = { "cluster", "metropolis", "heatbath", "tempering", NULL };
const char *const vrg_param_packing_names[] = { "rows", "chains", NULL };
const char *const vrg_param_model_names[] = { "none", "dense", "convolution", NULL };
const char *const vrg_param_method_names[] = { "cd", "pcd", NULL };
const char *const vrg_param_optimiser_names[] = { "sgd", "adam", NULL };
const char *const vrg_param_rule_names[] = { "majority", "decimation", "learnt", "learnt-sign", "weighted", NULL };
static const char *const auto_names[] = { "auto", NULL };

#define ONE(member) offsetof (vrg_input, member), 0, 1
#define MANY(member, counter, limit) offsetof (vrg_input, member), offsetof (vrg_input, counter), limit
#define SAMPLE VRG_STAGE_SAMPLE
#define TRAIN VRG_STAGE_TRAIN
#define FLOW VRG_STAGE_FLOW

/* clang-format off */
/* section, key, kind, place, names, lowest, highest, default, unit, stages, help; a row is two to four lines */
const vrg_param_row vrg_param_table[] = {
  {"run", "seed", VRG_KIND_INT, ONE (seed), NULL, 0, 1e18, "1", "", SAMPLE,
   "Seed of every random number. The same input and seed give the same results on any number of ranks."},
  {"run", "output", VRG_KIND_PATH, ONE (output), NULL, 0, 0, "", "", 0,
   "Directory for everything the run writes; --out overrides it. Default: the input file's name without .ini (NAME.out "
   "if it has none), in the directory vrg is started in."},

  {"lattice", "dimension", VRG_KIND_INT, ONE (dimension), NULL, 1, VRG_MAX_DIMENSION, "2", "", SAMPLE,
   "Dimension of the hypercubic lattice. Training is for one and two dimensions."},
  {"lattice", "size", VRG_KIND_INT, MANY (size, n_size, VRG_MAX_DIMENSION), NULL, 4, 1048576, "32", "sites", SAMPLE,
   "Side lengths of the periodic lattice: one number for all, or one for each dimension, slowest first (rows, columns). "
   "Every algorithm but cluster needs even sides."},

  {"couplings", "nn", VRG_KIND_COUPLING, MANY (nn, n_nn, VRG_MAX_COUPLINGS), NULL, 1e-4, 10, "critical", "J/kT", SAMPLE,
   "Nearest-neighbour coupling K of the weight exp(K sum s s'), each bond once; `critical` is ln(1 + sqrt 2)/2 = "
   "0.440687 on the square lattice and 0.221654626 on the cubic one. A list is a scan: one ensemble each."},
  {"couplings", "nnn", VRG_KIND_REAL, ONE (nnn), NULL, -10, 10, "0", "J/kT", SAMPLE,
   "Coupling of next-nearest neighbours (along diagonals), each pair once; two dimensions, metropolis or heatbath."},
  {"couplings", "plaquette", VRG_KIND_REAL, ONE (plaquette), NULL, -10, 10, "0", "J/kT", SAMPLE,
   "Coupling of the four spins of a unit square, each square once; two dimensions, metropolis or heatbath."},
  {"couplings", "field", VRG_KIND_REAL, ONE (field), NULL, -10, 10, "0", "h/kT", SAMPLE,
   "Field h of the weight exp(h sum s). Every algorithm in rows; cluster grows a ghost spin for it."},

  {"sample", "algorithm", VRG_KIND_NAME, ONE (algorithm), vrg_param_algorithm_names, 0, 0, "cluster", "", SAMPLE,
   "cluster: Swendsen-Wang, one sweep updates every cluster of the lattice. metropolis: checkerboard, one sweep tries "
   "every spin once. heatbath: the same with every spin redrawn given its neighbours. tempering: metropolis for the whole "
   "list of nn at once; after each sweep neighbouring couplings may swap their configurations."},
  {"sample", "packing", VRG_KIND_NAME, ONE (packing), vrg_param_packing_names, 0, 0, "rows", "", SAMPLE,
   "What shares a machine word. rows: sites of a row. chains: the same site of up to 512 chains and couplings, fast for "
   "many small lattices; metropolis or heatbath with nn alone. Tempering always packs chains."},
  {"sample", "chains", VRG_KIND_INT, ONE (chains), NULL, 1, 1e6, "8", "chains", SAMPLE,
   "Independent Markov chains for each coupling, all from random starts; ranks share them before they cut lattices."},
  {"sample", "thermalization", VRG_KIND_INT, ONE (thermalization), NULL, 0, 1e12, "500", "sweeps", SAMPLE,
   "Sweeps of each chain before the first measurement."},
  {"sample", "interval", VRG_KIND_INT, ONE (interval), NULL, 1, 1e9, "5", "sweeps", SAMPLE,
   "Sweeps between stored configurations of a chain."},
  {"sample", "configurations", VRG_KIND_INT, ONE (configurations), NULL, 1, 1e12, "10000", "configurations", SAMPLE,
   "Configurations stored for each coupling, over all chains; a remainder goes to the first chains."},

  {"train", "model", VRG_KIND_NAME, ONE (model), vrg_param_model_names, 0, 0, "none", "", TRAIN,
   "Restricted Boltzmann machine of +-1 units to train on the samples. dense: every hidden unit sees the whole "
   "lattice. "
   "convolution: filters moved over the periodic lattice. none: the train stage is left out."},
  {"train", "coupling", VRG_KIND_COUPLING, MANY (coupling, n_coupling, VRG_MAX_COUPLINGS), NULL, 1e-4, 10, "", "J/kT",
   TRAIN,
   "The ensembles to train on, as one training set: some of [couplings] nn. Default: `critical` if it is among them, else "
   "the first."},
  {"train", "permute", VRG_KIND_BOOL, ONE (permute), NULL, 0, 0, "no", "", TRAIN,
   "Permute the spins of each configuration by a permutation of its own before training: a control, which keeps the "
   "magnetisation and destroys locality."},
  {"train", "held_out", VRG_KIND_REAL, ONE (held_out), NULL, 0, 0.9, "0.1", "", TRAIN,
   "Share of each ensemble, its last configurations, that is not trained on: pseudo-likelihood, likelihood and divergence "
   "are taken there. 0: taken on the training set."},
  {"train", "hidden", VRG_KIND_INT, MANY (hidden, n_hidden, VRG_MAX_LAYERS), NULL, 1, 1e6, "", "units", TRAIN,
   "Hidden units of a dense model (default 64), filters of a convolution (default 1; the learnt rule wants 1). A list is a "
   "stack: each layer is trained on the hidden units of the one before, drawn given the configurations."},
  {"train", "filter", VRG_KIND_INT, ONE (filter), NULL, 1, 64, "8", "sites", TRAIN,
   "Side of the square filter of a convolution, centred on its block; it may wrap around the lattice."},
  {"train", "stride", VRG_KIND_INT, ONE (stride), NULL, 1, 64, "2", "sites", TRAIN,
   "Distance between neighbouring places of the filter; it must divide the sides. The learnt rule has [flow] scale = "
   "stride."},
  {"train", "biases", VRG_KIND_BOOL, ONE (biases), NULL, 0, 0, "no", "", TRAIN,
   "Train the biases of visible and hidden units too; without them the model has the symmetry s -> -s."},
  {"train", "symmetric", VRG_KIND_BOOL, ONE (symmetric), NULL, 0, 0, "no", "", TRAIN,
   "Tie the weights of a convolution's filters by the point group of the lattice: the eight rotations and reflections of the "
   "square, the reflection of the line."},
  {"train", "method", VRG_KIND_NAME, ONE (method), vrg_param_method_names, 0, 0, "cd", "", TRAIN,
   "cd: contrastive divergence, chains start from the data at each update. pcd: persistent chains, which go on from the "
   "update before."},
  {"train", "chains", VRG_KIND_INT, ONE (persistent), NULL, 1, 1e6, "", "chains", TRAIN,
   "Persistent chains of pcd, a multiple of batch. Default: batch."},
  {"train", "steps", VRG_KIND_INT, ONE (steps), NULL, 1, 1000, "1", "Gibbs steps", TRAIN,
   "The k of CD-k: hidden and visible units are redrawn this many times per update."},
  {"train", "batch", VRG_KIND_INT, ONE (batch), NULL, 1, 1e6, "50", "configurations", TRAIN,
   "Configurations of one update. The result does not depend on how ranks share them."},
  {"train", "epochs", VRG_KIND_INT, ONE (epochs), NULL, 0, 1e6, "100", "epochs", TRAIN,
   "Passes over the training set, for each layer. 0 leaves the random initial weights."},
  {"train", "optimiser", VRG_KIND_NAME, ONE (optimiser), vrg_param_optimiser_names, 0, 0, "adam", "", TRAIN,
   "sgd: gradient ascent with momentum. adam: Adam with beta = 0.9, 0.999."},
  {"train", "learning_rate", VRG_KIND_REAL, ONE (learning_rate), NULL, 1e-9, 10, "0.001", "", TRAIN,
   "Step along the gradient, for +-1 units (one sixteenth of the rate usual for 0/1 units)."},
  {"train", "final_rate", VRG_KIND_REAL, ONE (final_rate), NULL, 1e-9, 10, "", "", TRAIN,
   "Step of the last update of a layer; the rate falls (or grows) geometrically from learning_rate to it. Default: "
   "learning_rate."},
  {"train", "momentum", VRG_KIND_REAL, ONE (momentum), NULL, 0, 0.9999, "0.5", "", TRAIN,
   "Share of the last step that sgd keeps; adam ignores it."},
  {"train", "l1", VRG_KIND_REAL, ONE (l1), NULL, 0, 10, "0", "", TRAIN,
   "Penalty l1 sum |W|, which makes weights sparse and local (four times the value usual for 0/1 units)."},
  {"train", "l2", VRG_KIND_REAL, ONE (l2), NULL, 0, 10, "0", "", TRAIN,
   "Penalty l2 sum W^2 / 2, which keeps weights small."},
  {"train", "centering", VRG_KIND_BOOL, ONE (centering), NULL, 0, 0, "no", "", TRAIN,
   "Gradient of centred units, with running means of the data as offsets, so that results depend little on the batch; "
   "needs biases."},
  {"train", "average", VRG_KIND_REAL, ONE (average), NULL, 0, 1, "0", "", TRAIN,
   "Last share of a layer's updates over which its parameters are averaged for the model: persistent chains swing around "
   "the best ones. 0: the last parameters."},
  {"train", "patience", VRG_KIND_INT, ONE (patience), NULL, 0, 1e6, "0", "epochs", TRAIN,
   "Go on to the next layer when the pseudo-likelihood has not grown for so many epochs. 0: never early."},
  {"train", "likelihood", VRG_KIND_INT, ONE (likelihood), NULL, 0, 1e6, "10", "epochs", TRAIN,
   "Epochs between estimates of ln Z, and with it of the log-likelihood and the divergence from the exact Ising law; also "
   "after the last. 0: after the last only. Exact where a layer has 24 units or fewer on one side, otherwise by annealing."},
  {"train", "ais_chains", VRG_KIND_INT, ONE (ais_chains), NULL, 2, 1e6, "128", "chains", TRAIN,
   "Chains of annealed importance sampling."},
  {"train", "ais_steps", VRG_KIND_INT, ONE (ais_steps), NULL, 1, 1e7, "1000", "Gibbs steps", TRAIN,
   "Steps of annealed importance sampling from independent units to the model."},
  {"train", "analysis", VRG_KIND_BOOL, ONE (analysis), NULL, 0, 0, "yes", "", TRAIN,
   "Look into the trained model: receptive fields, spectrum, couplings, samples of the model, reconstructions."},

  {"flow", "rules", VRG_KIND_NAME, MANY (rules, n_rules, VRG_MAX_RULES), vrg_param_rule_names, 0, 0, "majority", "",
   FLOW,
   "Block rules. majority: sign of the block's sum, ties by a fair coin. decimation: one site of each block. "
   "learnt: drawn from the trained convolution, level n by the filter of layer n (of the last one above it). "
   "learnt-sign: the sign of the same field. weighted: drawn with a field of `weights`."},
  {"flow", "scale", VRG_KIND_INT, ONE (scale), NULL, 2, 8, "2", "sites", FLOW, "Side b of a block."},
  {"flow", "levels", VRG_KIND_INT, ONE (levels), NULL, 0, 16, "", "levels", FLOW,
   "Times the lattice is blocked; it ends early, and says so, where scale no longer divides the sides or would leave less than "
   "2. Default: 3, or fewer where sides of 4 would not remain. 0: only the couplings of the sampled lattice."},
  {"flow", "weights", VRG_KIND_REAL, MANY (weights, n_weights, 2), NULL, -10, 10, "1 0.25", "", FLOW,
   "The weighted rule: P(block spin) is proportional to exp(block spin x), x = w1 (sum of the block's spins) + w2 (sum of those "
   "a bond away from the block)."},
  {"flow", "even", VRG_KIND_OPERATOR, MANY (even, n_even, VRG_MAX_OPERATORS), NULL, 0, 0, "", "", FLOW,
   "Even operators, in the order in which they are added: names of the catalogue (doc/physics.md has their sites), or of an "
   "[operator NAME] section. Default: the first 7 of the catalogue."},
  {"flow", "odd", VRG_KIND_OPERATOR, MANY (odd, n_odd, VRG_MAX_OPERATORS), NULL, 0, 0, "", "", FLOW,
   "Odd operators, in the order in which they are added. Default: the first 4 of the catalogue."},
  {"flow", "fitted", VRG_KIND_OPERATOR, MANY (fitted, n_fitted, VRG_MAX_OPERATORS), NULL, 0, 0, "", "", FLOW,
   "Operators, some of `even`, whose couplings are fitted at each level. Default: the first of `even`, 7 of them in "
   "two dimensions, 4 in three."},
  {"flow", "blocks", VRG_KIND_INT, ONE (blocks), NULL, 2, 10000, "100", "blocks", FLOW,
   "About so many jackknife blocks, split over chains and then over time, for the error bars."},
  {"flow", "rbm_steps", VRG_KIND_INT, ONE (rbm_steps), NULL, 0, 1000, "", "steps", FLOW,
   "Steps of the flow v -> h -> v of configurations through the first layer of the trained model. Default: 10 where a model is "
   "trained, else 0."},
  {"flow", "rbm_configurations", VRG_KIND_INT, ONE (rbm_configurations), NULL, 2, 1e12, "2000", "configurations", FLOW,
   "Configurations of each coupling, its first ones, that the flow v -> h -> v starts from; all if there are fewer."},

  {"parallel", "strips", VRG_KIND_INT, ONE (strips), auto_names, 1, 1e6, "auto", "strips", 0,
   "Strips each lattice is cut into, one rank each; must divide the ranks and be at most half the rows. The results do "
   "not depend on it."},
  {"parallel", "timeout", VRG_KIND_REAL, ONE (timeout_minutes), NULL, 0, 10080, "30", "minutes", 0,
   "End the job when a rank has not answered for so long, or when all ranks wait for each other: the log says which, and the "
   "same command goes on from the last checkpoint. A rank that computes for long answers. 0: never."},

  {"checkpoint", "interval", VRG_KIND_REAL, ONE (interval_minutes), NULL, 0, 10080, "10", "minutes", 0,
   "Shortest time between checkpoints, and the most work a killed run repeats unless `share` makes it longer. 0: as often as "
   "possible, whatever the share (for tests)."},
  {"checkpoint", "share", VRG_KIND_REAL, ONE (share), NULL, 0.001, 1, "0.05", "", 0,
   "The most of the time that checkpoints may take: where one takes longer than this share of the interval (its time is measured), "
   "the next one comes later. 1: always after the interval."},
};
/* clang-format on */
const int vrg_param_rows = (int) (sizeof vrg_param_table / sizeof vrg_param_table[0]);

const char *
vrg_stage_name (vrg_stage stage)
{
  return stage == VRG_STAGE_SAMPLE ? "sample" : stage == VRG_STAGE_TRAIN ? "train" : "flow";
}

int
vrg_param_find (const char *name)
{
  const char *dot = strchr (name, '.');
  for (int i = 0; i < vrg_param_rows; i++)
    if (!strncmp (vrg_param_table[i].section, name, (size_t) (dot - name))
        && vrg_param_table[i].section[dot - name] == 0 && !strcmp (vrg_param_table[i].key, dot + 1))
      return i;
  vrg_fail_one (VRG_INTERNAL, "no parameter %s", name);
}

/** Words of `text` in lines of at most 100 columns, `indent` blanks before each. */
static void
print_wrapped (FILE *stream, int indent, const char *text)
{
  int column = 0;
  for (const char *word = text; *word;)
    {
      const int length = (int) strcspn (word, " ");
      if (column > 0 && column + 1 + length > 100)
        {
          fputc ('\n', stream);
          column = 0;
        }
      column += fprintf (stream, "%*s%.*s", column > 0 ? 1 : indent, "", length, word);
      word += length;
      word += *word == ' ';
    }
  fputc ('\n', stream);
}

static void
print_type (FILE *stream, const vrg_param_row *row)
{
  static const char *const kinds[]
    = { "whole number", "number", "number or `critical`", "yes or no", "name", "name of an operator", "path" };
  fprintf (stream, "%s", kinds[row->kind]);
  if (row->kind == VRG_KIND_INT && row->names != NULL)
    fprintf (stream, " or `%s`", row->names[0]);
  if (row->count)
    fprintf (stream, "; a list of up to %d", row->limit);
}

/** " a b c"; nothing where any word will do. */
static void
print_names (FILE *stream, const vrg_param_row *row)
{
  for (int k = 0; row->kind == VRG_KIND_NAME && row->names[k] != NULL; k++)
    fprintf (stream, " %s", row->names[k]);
}

static bool
has_range (const vrg_param_row *row)
{
  return row->kind == VRG_KIND_INT || row->kind == VRG_KIND_REAL || row->kind == VRG_KIND_COUPLING;
}

static void
print_range (FILE *stream, const vrg_param_row *row)
{
  fprintf (stream, "%.15g to %.15g%s%s", row->low, row->high, *row->unit ? " " : "", row->unit);
}

static const char *
decides (const vrg_param_row *row)
{
  return row->stages == VRG_STAGE_SAMPLE  ? "sample, and so train and flow"
         : row->stages == VRG_STAGE_TRAIN ? "train, and flow where it uses the model"
         : row->stages == VRG_STAGE_FLOW  ? "flow"
                                          : "no result";
}

void
vrg_param_describe (FILE *stream)
{
  for (int i = 0; i < vrg_param_rows; i++)
    {
      const vrg_param_row *row = &vrg_param_table[i];
      if (i == 0 || strcmp (row->section, row[-1].section) != 0)
        fprintf (stream, "%s[%s]\n", i == 0 ? "" : "\n", row->section);
      fprintf (stream, "  %s\n      type     ", row->key);
      print_type (stream, row);
      if (row->kind == VRG_KIND_NAME)
        {
          fprintf (stream, "\n      one of  ");
          print_names (stream, row);
        }
      if (has_range (row))
        {
          fprintf (stream, "\n      range    ");
          print_range (stream, row);
        }
      fprintf (stream, "\n      default  %s\n", *row->fallback ? row->fallback : "see below");
      fprintf (stream, "      decides  %s\n", decides (row));
      print_wrapped (stream, 6, row->help);
    }
}

void
vrg_param_list (FILE *stream)
{
  for (int i = 0; i < vrg_param_rows; i++)
    {
      const vrg_param_row *row = &vrg_param_table[i];
      fprintf (stream, "key\t%s\t%s\t", row->section, row->key);
      print_type (stream, row);
      fputc ('\t', stream);
      print_names (stream, row);
      fputc ('\t', stream);
      if (has_range (row))
        print_range (stream, row);
      fprintf (stream, "\t%s\t%s\t%s\n", row->fallback, decides (row), row->help);
    }
}
