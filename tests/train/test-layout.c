/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1 2 3 4
 * Training gives the same bits, model and table, on one rank, on all, in every number of strips, on every SIMD path, and
 * when it is stopped after every update and started again; sizes are odd and nothing divides anything. */
#include "train/layer.h"

#include "base/simd.h"
#include "tests/train/data.h"

static const char *const inputs[] = {
  "[lattice]\nsize = 9 7\n[couplings]\nnn = critical\n[sample]\nchains = 1\nconfigurations = 103\n"
  "[train]\nmodel = dense\nhidden = 5\nbiases = yes\nsteps = 2\nbatch = 11\nepochs = 2\noptimiser = adam\n"
  "learning_rate = 0.01\nl1 = 0.001\n[flow]\nrules = decimation\nlevels = 0\n",
  "[lattice]\nsize = 12 15\n[couplings]\nnn = critical\n[sample]\nchains = 1\nconfigurations = 50\n"
  "[train]\nmodel = convolution\nfilter = 4\nstride = 3\nbiases = yes\nsteps = 1\nbatch = 7\nepochs = 2\n"
  "optimiser = sgd\nmomentum = 0.5\nlearning_rate = 0.001\n[flow]\nrules = decimation\nscale = 3\nlevels = 1\n",
};

static void
try_input (const char *text)
{
  vrg_input input = data_input (text);
  const int64_t words = (input.size[1] + 63) / 64, n = input.configurations * input.size[0] * words;
  uint64_t *spins = vrg_new (n, sizeof *spins, "spins");
  for (int64_t i = 0; i < n; i++) /* bands, so that there is something to learn */
    spins[i] = (i % 5 < 2 ? UINT64_C (0x1b3d6f1a2c4d5e6f) * (uint64_t) (i + 1) : ~(uint64_t) i)
               & ((UINT64_C (1) << input.size[1]) - 1);
  const bool dense = input.model == VRG_MODEL_DENSE;
  const char *name = dense ? "dense" : "convolution";
  vrg_model *reference = NULL;
  vrg_table_data *table = NULL;
  const vrg_simd_path best = vrg_simd ();
  for (int variant = 0; variant < 4 + check_size_; variant++)
    {
      /* 0: one rank; 1: one rank, no SIMD; 2: all ranks, always stopped; 3: two ranks; 4...: all ranks in strips */
      const int ranks = variant < 2 ? 1 : variant == 3 ? 2 : check_size_, strips = variant > 3 ? variant - 3 : 1;
      if (ranks > check_size_ || check_size_ % strips != 0 || (strips > 1 && !dense))
        continue;
      int stops = 0;
      const char *directory = data_directory ();
      input.strips = strips;
      data_write (directory, &input, spins);
      vrg_simd_set (variant == 1 ? VRG_SIMD_PORTABLE : best);
      const int status = data_train (ranks, &input, directory, variant == 2 ? &stops : NULL);
      vrg_simd_set (best);
      check (status == VRG_OK, "%s, %d ranks, %d strips: done%s%s", name, ranks, strips, status ? ": " : "",
             status ? vrg_error_text () : "");
      vrg_model *model = data_model (directory);
      vrg_table_data *rows = data_table (directory);
      if (variant == 0)
        {
          reference = model;
          table = rows;
          const bool moved
            = !model || (model->updates > 0 && model->hidden_bias[0] != 0 && fabs (model->weights[0]) > 1e-3);
          check (moved && (!rows || rows->rows == input.epochs), "%s: trained", name);
        }
      else
        {
          check (data_same (reference, model), "%s, %d ranks, %d strips, variant %d: the same model", name, ranks,
                 strips, variant);
          check (data_same_table (table, rows), "and the same table");
          vrg_model_free (model);
          vrg_table_free (rows);
        }
      if (variant == 2)
        check (check_rank_ != 0 || stops == reference->updates - 1, "%s: stopped after every update", name);
      data_remove (directory);
    }
  vrg_model_free (reference);
  vrg_table_free (table);
  vrg_free (spins);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  for (size_t k = 0; k < sizeof inputs / sizeof *inputs; k++)
    try_input (inputs[k]);
  return check_end ();
}
