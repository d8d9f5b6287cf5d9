/* SPDX-License-Identifier: GPL-3.0-or-later
 * The plan of a run. */
#include "report/plan.h"

#include <math.h>
#include <stdio.h>

#include "base/error.h"
#include "flow/flow.h"
#include "parallel/grid.h"
#include "sample/chains.h"
#include "sample/estimates.h"
#include "train/trainer.h"

static const char *
bytes_text (double bytes, char text[32])
{
  static const char *const units[] = { "bytes", "KiB", "MiB", "GiB", "TiB", "PiB" };
  int u = 0;
  for (; bytes >= 1000 && u < 5; u++)
    bytes /= 1024;
  snprintf (text, 32, "%.3g %s", bytes, units[u]);
  return text;
}

/** 64 or 64 x 128. */
static const char *
size_text (const vrg_input *input, char text[96])
{
  int n = 0;
  for (int d = 0; d < input->n_size; d++)
    n += snprintf (text + n, (size_t) (96 - n), "%s%lld", d ? " x " : "", (long long) input->size[d]);
  return text;
}

static void
plan_sample (int ranks, int strips, const char *why, const vrg_input *input)
{
  static const char *const kernels[]
    = { "clusters in strips", "512 sites of a lattice at a time", "site by site", "512 chains at a time" };
  char memory[32], file[32], size[96];
  int64_t rows, columns, plane;
  vrg_lattice_flat ((int) input->dimension, input->size, &rows, &columns, &plane);
  const int64_t words = (columns + 63) / 64, times = (input->configurations + input->chains - 1) / input->chains;
  const double sweeps = (double) input->thermalization + (double) times * (double) input->interval;
  printf ("sample: %s on %s, %d coupling%s, %lld chain%s of %.0f sweeps each (%s)\n"
          "  ranks    %s\n"
          "  work     %.3g site updates\n"
          "  memory   %s on the busiest rank\n"
          "  file     samples.h5, %s\n%s",
          vrg_param_algorithm_names[input->algorithm], size_text (input, size), input->n_nn,
          input->n_nn == 1 ? "" : "s", (long long) input->chains, input->chains == 1 ? "" : "s", sweeps,
          kernels[vrg_chains_kernel (input)], why,
          sweeps * (double) input->chains * input->n_nn * (double) rows * (double) columns,
          bytes_text (fmax (vrg_chains_bytes (ranks, input, strips, times), vrg_estimates_bytes (input)), memory),
          bytes_text ((double) input->n_nn * (double) input->configurations
                        * ((double) rows * (double) words * 8 + (double) sizeof (vrg_observation)),
                      file),
          vrg_chains_traps (input)
            ? "  beware   one hot start in 1800 is trapped for ever on 4 x 4; use heatbath or cluster\n"
            : "");
}

static void
plan_train (int ranks, int strips, const vrg_input *input)
{
  if (input->model == VRG_MODEL_NONE)
    {
      printf ("train: nothing to do ([train] model = none)\n");
      return;
    }
  const bool dense = input->model == VRG_MODEL_DENSE, persistent = input->method == VRG_PCD;
  const int groups = ranks / strips;
  const double kept = (double) (input->configurations - vrg_input_held_out (input)) * input->n_coupling,
               updates = (double) input->epochs * floor (kept / (double) input->batch), batch = (double) input->batch,
               chains = persistent ? (double) input->persistent : batch, steps = (double) input->steps;
  double most = 0, all = 0, work = 0;
  char memory[32], file[32], size[96];
  printf ("train: %s on %s, %s", vrg_param_model_names[input->model], size_text (input, size), persistent ? "P" : "");
  printf ("CD-%lld, at nn =", (long long) input->steps);
  for (int i = 0; i < input->n_coupling; i++)
    printf (" %.10g", input->coupling[i]);
  printf ("\n");
  for (int l = 0; l < input->n_hidden; l++)
    {
      double visible, hidden, weights;
      vrg_input_layer (input, l, &visible, &hidden, &weights);
      const double filters = (double) input->hidden[l], links = dense ? weights : weights * hidden / filters;
      printf ("  layer %d  %.0f visible and %.0f hidden units, %.0f weights, %.0f updates of %lld configurations%s\n",
              l + 1, visible, hidden, weights, updates, (long long) input->batch,
              input->patience > 0 ? " at most" : "");
      all += weights + visible + filters;
      most = fmax (most, vrg_trainer_bytes (ranks, input, strips, l));
      work += updates * links * (persistent ? 3 * batch + chains * (2 * steps + 2) : batch * (2 * steps + 3));
    }
  printf ("  ranks    batches over %d group%s, visible units in %d strip%s\n"
          "  work     %.3g multiply-adds, and estimates of the likelihood%s\n"
          "  memory   about %s on a rank\n"
          "  file     model.h5, %s\n",
          groups, groups == 1 ? "" : "s", strips, strips == 1 ? "" : "s", work,
          input->patience > 0 ? "; less where a layer ends early" : "", bytes_text (most, memory),
          bytes_text (all * 8, file));
}

static void
plan_flow (int ranks, const vrg_input *input)
{
  const int64_t depth = vrg_input_depth (input);
  int64_t side[VRG_MAX_DIMENSION];
  double sites = 0, done = 0;
  char memory[32];
  if (!vrg_flow_can (input))
    {
      printf ("flow: left out (not with a field)\n");
      return;
    }
  printf ("flow: ");
  for (int r = 0; r < input->n_rules; r++)
    printf ("%s%s", r ? ", " : "", vrg_param_rule_names[input->rules[r]]);
  for (int64_t level = 0; level <= depth; level++)
    {
      sites = 1;
      printf (level > 0 ? " -> " : " on ");
      for (int d = 0; d < input->dimension; d++)
        {
          side[d] = level > 0 ? side[d] / input->scale : input->size[d];
          sites *= (double) side[d];
          printf ("%s%lld", d ? " x " : "", (long long) side[d]);
        }
      done += sites * (level > 0 ? input->n_rules : 1);
    }
  printf ("; %d even and %d odd operators, couplings of %d\n", input->n_even, input->n_odd, input->n_fitted);
  if (depth < input->levels)
    printf ("  beware   %lld of the %lld levels wanted: then blocks of side %lld no longer divide the sides, or leave "
            "less than 2\n",
            (long long) depth, (long long) input->levels, (long long) input->scale);
  printf ("  work     operators on %.3g sites\n"
          "  memory   about %s on a rank\n",
          done * input->n_nn * (double) input->configurations, bytes_text (vrg_flow_bytes (ranks, input), memory));
}

int
vrg_plan_print (int rank, int ranks, const vrg_input *input)
{
  int strips, train_strips;
  char why[256];
  int code = vrg_chains_grid (ranks, input, &strips, why);
  if (code == VRG_OK)
    code = vrg_trainer_strips (ranks, input, &train_strips);
  if (code == VRG_OK && vrg_flow_can (input))
    code = vrg_flow_check (input);
  if (code == VRG_OK && rank == 0)
    {
      plan_sample (ranks, strips, why, input);
      plan_train (ranks, train_strips, input);
      plan_flow (ranks, input);
    }
  return code;
}
