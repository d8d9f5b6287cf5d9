/* SPDX-License-Identifier: GPL-3.0-or-later
 * Checkpoints of the sample stage. */
#include "sample/saved.h"

#include "base/error.h"
#include "base/memory.h"
#include "files/checkpoint.h"

/** What a checkpoint holds: the spins of all chains, and sums of what is in the samples file; the step says everything
 *  else. */
typedef struct
{
  vrg_h5_array arrays[2];
  uint64_t *spins, *sums;
} state;

static void
state_init (state *c, const vrg_chains *chains, const vrg_samples *samples)
{
  const vrg_lattice *shape = chains->shape;
  const int sets = vrg_samples_datasets (samples);
  c->spins = vrg_new (chains->ensembles * chains->n * chains->strip_words, sizeof *c->spins, "checkpoint");
  c->sums = vrg_new (chains->input->n_nn * sets, sizeof *c->sums, "checkpoint");
  c->arrays[0] = (vrg_h5_array){
    .name = "/spins",
    .help = "bit x % 64 of word x / 64: column x, 1 = spin +1 (1)",
    .axes = "ensemble chain row word",
    .type = VRG_U64,
    .rank = 4,
    .dims = { chains->ensembles, chains->input->chains, shape->rows, shape->words },
    .first = { 0, chains->chain0, shape->row0, 0 },
    .count = { chains->ensembles, chains->n, shape->row1 - shape->row0, shape->words },
    .data = c->spins,
  };
  c->arrays[1] = (vrg_h5_array){
    .name = "/sums",
    .help = "sum of hash64 over what was written to each dataset of samples.h5.part",
    .axes = "ensemble dataset",
    .type = VRG_U64,
    .rank = 2,
    .dims = { chains->input->n_nn, sets },
    .replicated = true,
    .data = c->sums,
  };
}

int
vrg_saved_write (const vrg_chains *chains, const vrg_samples *samples, const char *directory, const char *fingerprint,
                 int64_t step, int64_t total)
{
  state c;
  state_init (&c, chains, samples);
  vrg_chains_pack (chains, c.spins);
  vrg_samples_get_sums (samples, c.sums);
  int status = vrg_checkpoint_write (chains->grid, directory, VRG_SAVED_STAGE, fingerprint, step, total, 2, c.arrays);
  vrg_free (c.spins);
  vrg_free (c.sums);
  return status;
}

/** What it takes to read one. */
typedef struct
{
  const vrg_chains *chains;
  const vrg_samples *samples;
  state state;
  bool sums;
} reading;

/** Is it a step at which chains are saved?  Loops count on it. */
static bool
step_good (const vrg_chains *chains, int64_t step)
{
  const vrg_input *input = chains->input;
  const int64_t times = (input->configurations + input->chains - 1) / input->chains,
                sweeps = input->thermalization + times * input->interval, done = step % sweeps;
  return step >= 0 && step <= sweeps * chains->runs
         && (done < input->thermalization || (done - input->thermalization) % input->interval == 0);
}

/** Memory comes when there is a checkpoint.  Those of older versions have no sums. */
static int
plan (vrg_h5 *file, void *context, int *n, const vrg_h5_array **arrays)
{
  reading *r = context;
  int64_t step;
  int status = vrg_h5_get_int (file, "/", "step", &step);
  if (status == VRG_OK && !step_good (r->chains, step))
    status
      = vrg_error (VRG_FILE, "a checkpoint of " VRG_SAVED_STAGE " is at step %lld, where none is made: it is damaged",
                   (long long) step);
  if (status != VRG_OK)
    return status;
  if (r->state.sums == NULL)
    state_init (&r->state, r->chains, r->samples);
  r->sums = vrg_h5_exists (file, r->state.arrays[1].name);
  *n = r->sums ? 2 : 1;
  *arrays = r->state.arrays;
  return VRG_OK;
}

int
vrg_saved_read (const vrg_chains *chains, vrg_samples *samples, const char *directory, const char *fingerprint,
                int64_t *step, uint64_t **spins)
{
  reading r = { .chains = chains, .samples = samples };
  int status = vrg_checkpoint_read_planned (chains->grid, directory, VRG_SAVED_STAGE, fingerprint, step, plan, &r);
  if (status == VRG_OK && *step > 0 && vrg_samples_reopened (samples))
    vrg_samples_set_sums (samples, r.sums ? r.state.sums : NULL);
  else if (status == VRG_OK)
    vrg_samples_clear_sums (samples);
  *spins = r.state.spins;
  vrg_free (r.state.sums);
  return status;
}
