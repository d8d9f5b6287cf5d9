/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1 2 3 4
 * Training gives the same bits, model and table, on one rank, on all, in every number of strips, on every SIMD path, and
 * when it is stopped after every update and started again, by turns on all ranks and on one; sizes are odd and nothing
 * divides anything. */
#include "train/layer.h"

#include "base/simd.h"
#include "tests/train/data.h"

#define SAMPLE(n) "[couplings]\nnn = critical 0.5\n[sample]\nchains = 1\nconfigurations = " n "\n"
#define ONE "coupling = critical\n"

static const struct
{
  const char *name, *text;
  int updates; /* all layers */
} cases[] = {
  { "dense stack",
    "[lattice]\nsize = 9 7\n" SAMPLE ("60") "[train]\nmodel = dense\n" ONE
                                            "hidden = 5 70 3 2\nbiases = yes\nsteps = 2\nbatch = 11\nepochs = "
                                            "2\nlikelihood = 1\nais_chains = 6\nais_steps = 5\n"
                                            "learning_rate = 0.01\nl1 = 0.001\nanalysis = no\n[flow]\nlevels = 0\n",
    32 },
  { "persistent, centred, averaged, two ensembles, permuted",
    "[lattice]\nsize = 5 66\n" SAMPLE (
      "50") "[train]\nmodel = dense\ncoupling = critical 0.5\npermute = yes\n"
            "held_out = 0.2\nhidden = 35 4\nbiases = yes\nsteps = 1\nbatch = 33\nmethod = pcd\nchains = 66\ncentering "
            "= yes\n"
            "average = 0.6\nepochs = 3\nlearning_rate = 0.02\nfinal_rate = 0.001\nlikelihood = 0\nais_chains = 5\n"
            "ais_steps = 4\nanalysis = no\n[flow]\nlevels = 0\n",
    12 },
  { "momentum, none held out, one epoch's patience",
    "[lattice]\nsize = 6 5\n" SAMPLE (
      "40") "[train]\nmodel = dense\n" ONE
            "held_out = 0\nhidden = 4 2\nbatch = 9\noptimiser = sgd\nmomentum = 0.9\nl2 = 0.01\nlearning_rate = 1\n"
            "epochs = 8\npatience = 1\nanalysis = no\n[flow]\nlevels = 0\n",
    0 },
  { "convolution",
    "[lattice]\nsize = 9 18\n" SAMPLE (
      "40") "[train]\nmodel = convolution\n" ONE
            "hidden = 1 2\nfilter = 4\nstride = 3\nbiases = yes\nsteps = 1\nbatch = 7\nepochs = 2\ncentering = yes\n"
            "method = pcd\nchains = 14\naverage = 0.5\noptimiser = sgd\nmomentum = 0.5\nlearning_rate = "
            "0.001\nais_chains = 5\n"
            "ais_steps = 4\nanalysis = no\n[flow]\nlevels = 0\n",
    20 },
  { "ring",
    "[lattice]\ndimension = 1\nsize = 70\n[couplings]\nnn = 0.4\n[sample]\nchains = 1\nconfigurations = 40\n"
    "[train]\nmodel = dense\nhidden = 6 3\nbatch = 5\nepochs = 1\nanalysis = no\nlikelihood = 0\n",
    14 },
};

static void
try_case (size_t k)
{
  const char *name = cases[k].name;
  vrg_input input = data_input (cases[k].text);
  int64_t rows, columns, plane;
  vrg_lattice_flat ((int) input.dimension, input.size, &rows, &columns, &plane);
  const int64_t words = (columns + 63) / 64, n = input.n_nn * input.configurations * rows * words;
  uint64_t *spins = vrg_new (n, sizeof *spins, "spins");
  for (int64_t i = 0; i < n; i++) /* bands, so that there is something to learn */
    spins[i] = (i % 5 < 2 ? UINT64_C (0x1b3d6f1a2c4d5e6f) * (uint64_t) (i + 1) : ~(uint64_t) i)
               & ((i + 1) % words || columns % 64 == 0 ? ~UINT64_C (0) : (UINT64_C (1) << columns % 64) - 1);
  const bool cut = input.model == VRG_MODEL_DENSE && input.dimension == 2;
  vrg_stack *reference = NULL;
  vrg_table_data *table = NULL;
  const vrg_simd_path best = vrg_simd ();
  for (int variant = 0; variant < 4 + check_size_; variant++)
    {
      /* 0: one rank; 1: one rank, no SIMD; 2: all ranks, always stopped; 3: two ranks; 4...: all ranks in strips */
      const int ranks = variant < 2 ? 1 : variant == 3 ? 2 : check_size_, strips = variant > 3 ? variant - 3 : 1;
      if (ranks > check_size_ || check_size_ % strips != 0 || (strips > 1 && (!cut || 2 * strips > rows)))
        continue;
      int stops = 0;
      const char *directory = data_directory ();
      input.strips = variant == 2 && cut && check_size_ == 2 ? 2 : strips;
      data_write (directory, &input, spins);
      vrg_simd_set (variant == 1 ? VRG_SIMD_PORTABLE : best);
      const int status = data_train (ranks, &input, directory, variant == 2 ? &stops : NULL);
      vrg_simd_set (best);
      check (status == VRG_OK, "%s, %d ranks, %d strips: done%s%s", name, ranks, strips, status ? ": " : "",
             status ? vrg_error_text () : "");
      vrg_stack *stack = status == VRG_OK ? data_model (directory) : NULL;
      vrg_table_data *found = status == VRG_OK ? data_table (directory) : NULL;
      int updates = 0, epochs = 0;
      bool moved = true;
      for (int l = 0; stack && l < stack->layers; l++)
        {
          const vrg_model *m = stack->layer[l];
          updates += (int) m->updates;
          epochs += (int) m->epochs;
          double size = 0;
          for (int64_t i = 0; i < vrg_model_weights (m); i++)
            size = fmax (size, fabs (m->weights[i]));
          moved = moved && (!input.biases || m->hidden_bias[0] != 0) && size > 0.01;
        }
      check (!stack || (moved && stack->layers == input.n_hidden && found->rows == epochs), "%s: trained", name);
      if (cases[k].updates > 0)
        check (!stack || updates == cases[k].updates, "%s: %d updates", name, updates);
      else
        check (!stack || epochs < input.epochs * input.n_hidden, "%s: ended early, after %d epochs", name, epochs);
      if (variant == 0)
        {
          reference = stack;
          table = found;
        }
      else
        {
          check (data_same (reference, stack), "%s, %d ranks, %d strips, variant %d: the same model", name, ranks,
                 strips, variant);
          check (data_same_table (table, found), "and the same table");
          vrg_stack_free (stack);
          vrg_table_free (found);
        }
      if (variant == 2)
        check (check_rank_ != 0 || stops == updates - input.n_hidden,
               "%s: stopped after every update but the last ones", name);
      data_remove (directory);
    }
  vrg_stack_free (reference);
  vrg_table_free (table);
  vrg_free (spins);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
    try_case (k);
  return check_end ();
}
