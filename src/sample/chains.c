/* SPDX-License-Identifier: GPL-3.0-or-later
 * A rank's share of the Markov chains, and the measurements it has not yet written. */
#include "sample/chains.h"

#include <stdbool.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "lattice/halo.h"
#include "sample/cluster.h"
#include "sample/hamiltonian.h"
#include "sample/local.h"
#include "sample/metropolis.h"
#include "sample/multispin.h"

#define BUFFER_BYTES (INT64_C (32) << 20)
#define THIN_PLANES 4 /* planes a strip below which a cut costs more than it gains */

/** One of the four is used. */
struct vrg_chains_state
{
  vrg_cluster *cluster;
  vrg_local *local;
  vrg_lattice **lattices; /* [chain], of the two above; the first is `shape` */
  vrg_metropolis *metropolis;
  uint64_t **colours; /* [chain], its lattices split by colour */
  vrg_multispin *multispin;
};

vrg_kernel
vrg_chains_kernel (const vrg_input *input)
{
  if (input->algorithm == VRG_CLUSTER)
    return VRG_KERNEL_CLUSTER;
  if (input->packing == VRG_PACKING_CHAINS)
    return VRG_KERNEL_MULTISPIN;
  bool plain = input->dimension == 2 && input->nnn == 0 && input->plaquette == 0 && input->field == 0;
  return plain ? VRG_KERNEL_METROPOLIS : VRG_KERNEL_LOCAL;
}

bool
vrg_chains_traps (const vrg_input *input)
{
  return (input->algorithm == VRG_METROPOLIS || input->algorithm == VRG_TEMPERING) && input->dimension == 2
         && input->size[0] == 4 && input->size[1] == 4 && input->nnn == 0 && input->plaquette == 0 && input->field == 0;
}

/** How lattices and chains may be shared among ranks. */
static vrg_grid_load
load_of (const vrg_input *input)
{
  vrg_grid_load load = {
    .layers = input->dimension == 1 ? 1 : input->size[0],
    .chains = input->chains,
    .thin = input->dimension == 3 ? THIN_PLANES : 0,
    .layer = input->dimension == 3 ? "plane" : "row",
  };
  switch (vrg_chains_kernel (input))
    {
    case VRG_KERNEL_CLUSTER:
      load.least = vrg_cluster_strips ((int) input->dimension, input->size);
      break;
    case VRG_KERNEL_METROPOLIS:
      load.band = vrg_metropolis_band (input->size[1]);
      break;
    case VRG_KERNEL_MULTISPIN:
      load.band = load.layers;
      load.unit = vrg_multispin_unit (input->n_nn);
      break;
    case VRG_KERNEL_LOCAL:
      break;
    }
  return load;
}

int
vrg_chains_grid (int ranks, const vrg_input *input, int *strips, char why[256])
{
  const vrg_grid_load load = load_of (input);
  const int status = vrg_grid_choose (ranks, &load, (int) input->strips, strips, why);
  return status == VRG_OK && vrg_chains_kernel (input) == VRG_KERNEL_CLUSTER
           ? vrg_cluster_check ((int) input->dimension, input->size, *strips)
           : status;
}

/** Layers of a strip. */
static void
layers_of (const vrg_input *input, int strips, int strip, int64_t *first, int64_t *last)
{
  const vrg_grid_load load = load_of (input);
  vrg_grid_share (load.layers, load.band, strips, strip, first, last);
}

/** Rows of the largest strip and chains of the largest share: those of rank 0. */
static void
largest_share (const vrg_input *input, int groups, int strips, int64_t *rows, int64_t *chains)
{
  const vrg_grid_load load = load_of (input);
  int64_t first, last, flat, columns, plane;
  vrg_lattice_flat ((int) input->dimension, input->size, &flat, &columns, &plane);
  layers_of (input, strips, 0, &first, &last);
  *rows = last * plane;
  vrg_grid_share (input->chains, load.unit, groups, 0, &first, chains);
}

/** Bytes of one measurement of the largest share, of all ensembles of a run. */
static int64_t
slot_bytes (const vrg_input *input, int groups, int strips)
{
  int64_t rows, chains, words = (input->size[input->dimension - 1] + 63) / 64;
  largest_share (input, groups, strips, &rows, &chains);
  return (vrg_chains_kernel (input) == VRG_KERNEL_MULTISPIN ? input->n_nn : 1) * chains
         * (rows * words * (int64_t) sizeof (uint64_t) + (int64_t) sizeof (vrg_observation));
}

/** Times that the buffer holds; of the largest share, so that all ranks write at the same time. */
static int64_t
capacity_of (const vrg_input *input, int groups, int strips, int64_t times)
{
  const int64_t bytes = slot_bytes (input, groups, strips), capacity = bytes < BUFFER_BYTES ? BUFFER_BYTES / bytes : 1;
  return capacity < times ? capacity : times;
}

double
vrg_chains_bytes (int ranks, const vrg_input *input, int strips, int64_t times)
{
  const int groups = ranks / strips;
  int64_t rows, chains, flat, columns, plane;
  vrg_lattice_flat ((int) input->dimension, input->size, &flat, &columns, &plane);
  largest_share (input, groups, strips, &rows, &chains);
  const double stride = (double) ((columns + 511) / 512 * 64), lattice = (double) (rows + 2 * plane) * stride,
               slot = (double) slot_bytes (input, groups, strips);
  double held = slot * (double) capacity_of (input, groups, strips, times) + slot; /* and one to save */
  switch (vrg_chains_kernel (input))
    {
    case VRG_KERNEL_CLUSTER:
      {
        double lowest = input->nn[0];
        for (int e = 1; e < input->n_nn; e++)
          lowest = input->nn[e] < lowest ? input->nn[e] : lowest;
        return held + (double) chains * lattice
               + vrg_cluster_bytes ((int) input->dimension, input->size, strips, lowest);
      }
    case VRG_KERNEL_LOCAL:
      return held + (double) chains * lattice;
    case VRG_KERNEL_METROPOLIS:
      return held + lattice + (double) chains * (double) (rows + 2) * (double) ((columns + 127) / 128 * 16);
    case VRG_KERNEL_MULTISPIN:
      return held + lattice + (input->n_nn > 1 ? slot : 0) + (double) vrg_multispin_bytes (input, 0, chains);
    }
  return held;
}

vrg_chains *
vrg_chains_new (const vrg_grid *grid, const vrg_input *input, int64_t times)
{
  vrg_chains *chains = vrg_new (1, sizeof *chains, "chains");
  vrg_chains_state *state = vrg_new (1, sizeof *state, "chains");
  const vrg_grid_load load = load_of (input);
  int64_t first, last;
  chains->grid = grid;
  chains->input = input;
  chains->kernel = vrg_chains_kernel (input);
  chains->state = state;
  if (vrg_chains_traps (input))
    vrg_warn ("on 4 x 4 one hot start in 1800 is trapped for ever by Metropolis updates: use heatbath or cluster");
  const bool together = chains->kernel == VRG_KERNEL_MULTISPIN;
  chains->ensembles = together ? input->n_nn : 1;
  chains->runs = together ? 1 : input->n_nn;
  vrg_grid_share (input->chains, load.unit, grid->groups, grid->group, &chains->chain0, &chains->chain1);
  chains->n = chains->chain1 - chains->chain0;
  layers_of (input, grid->strips, grid->strip, &first, &last);
  chains->shape = vrg_lattice_new_size ((int) input->dimension, input->size, first, last);
  chains->strip_words = (chains->shape->row1 - chains->shape->row0) * chains->shape->words;
  if (chains->kernel == VRG_KERNEL_CLUSTER || chains->kernel == VRG_KERNEL_LOCAL)
    {
      state->lattices = vrg_new (chains->n, sizeof *state->lattices, "chains");
      for (int64_t c = 0; c < chains->n; c++)
        state->lattices[c]
          = c > 0 ? vrg_lattice_new_size ((int) input->dimension, input->size, first, last) : chains->shape;
    }

  chains->capacity = capacity_of (input, grid->groups, grid->strips, times);

  int64_t n = chains->ensembles * chains->n;
  chains->spins = vrg_new (chains->capacity * n * chains->strip_words, sizeof *chains->spins, "sample buffer");
  chains->observed = vrg_new (chains->capacity * n, sizeof *chains->observed, "sample buffer");
  if (chains->ensembles > 1)
    chains->packed = vrg_new (n * chains->strip_words, sizeof *chains->packed, "packed chains");
  return chains;
}

void
vrg_chains_free (vrg_chains *chains)
{
  if (chains)
    {
      vrg_chains_end (chains);
      for (int64_t c = 1; chains->state->lattices && c < chains->n; c++)
        vrg_lattice_free (chains->state->lattices[c]);
      vrg_free (chains->state->lattices);
      vrg_free (chains->state);
      vrg_lattice_free (chains->shape);
      vrg_free (chains->spins);
      vrg_free (chains->packed);
      vrg_free (chains->observed);
    }
  vrg_free (chains);
}

/** The inverse of vrg_chains_pack. */
static void
unpack (vrg_chains *chains, const uint64_t *packed)
{
  const vrg_chains_state *state = chains->state;
  if (state->multispin)
    vrg_multispin_unpack (state->multispin, packed);
  else
    for (int64_t c = 0; c < chains->n; c++)
      {
        vrg_lattice_unpack (state->lattices ? state->lattices[c] : chains->shape, packed + c * chains->strip_words);
        if (state->metropolis)
          vrg_metropolis_load (state->metropolis, chains->shape, state->colours[c]);
      }
}

void
vrg_chains_begin (vrg_chains *chains, int run, const uint64_t *packed)
{
  vrg_chains_state *state = chains->state;
  const vrg_hamiltonian h = vrg_hamiltonian_of (chains->input, run);
  const bool heat_bath = chains->input->algorithm == VRG_HEATBATH;
  chains->run = run;
  switch (chains->kernel)
    {
    case VRG_KERNEL_CLUSTER:
      state->cluster = vrg_cluster_new (chains->shape, &h);
      break;
    case VRG_KERNEL_LOCAL:
      state->local = vrg_local_new (chains->shape, &h, heat_bath);
      break;
    case VRG_KERNEL_METROPOLIS:
      state->metropolis = vrg_metropolis_new (chains->shape, h.nn, heat_bath);
      state->colours = vrg_new (chains->n, sizeof *state->colours, "chains");
      for (int64_t c = 0; c < chains->n; c++)
        state->colours[c] = vrg_new (vrg_metropolis_words (state->metropolis), sizeof (uint64_t), "spins");
      break;
    case VRG_KERNEL_MULTISPIN:
      if (chains->n > 0)
        state->multispin = vrg_multispin_new (chains->input, chains->chain0, chains->chain1);
      break;
    }
  if (packed)
    unpack (chains, packed);
}

/** Which couplings swapped how often, on the first rank that holds chains. */
static void
tell_swaps (const vrg_chains *chains)
{
  int64_t attempts, accepted;
  double least = 2, most = -1;
  for (int pair = 0; pair + 1 < chains->input->n_nn; pair++)
    {
      vrg_multispin_swaps (chains->state->multispin, pair, &attempts, &accepted);
      double rate = attempts > 0 ? (double) accepted / (double) attempts : 0;
      least = rate < least ? rate : least;
      most = rate > most ? rate : most;
    }
  vrg_info ("tempering: since this start neighbouring couplings swapped in %.3g to %.3g of the attempts%s", least, most,
            least < 0.1 ? "; more couplings between would mix better" : "");
}

void
vrg_chains_end (vrg_chains *chains)
{
  vrg_chains_state *state = chains->state;
  if (state->multispin && chains->input->algorithm == VRG_TEMPERING)
    tell_swaps (chains);
  vrg_cluster_free (state->cluster);
  vrg_local_free (state->local);
  vrg_metropolis_free (state->metropolis);
  for (int64_t c = 0; state->colours && c < chains->n; c++)
    vrg_free (state->colours[c]);
  vrg_free (state->colours);
  vrg_multispin_free (state->multispin);
  state->cluster = NULL;
  state->local = NULL;
  state->metropolis = NULL;
  state->colours = NULL;
  state->multispin = NULL;
}

void
vrg_chains_sweep (vrg_chains *chains, int64_t done, int64_t n)
{
  MPI_Comm comm = chains->grid->strip_comm;
  vrg_chains_state *state = chains->state;
  if (state->multispin)
    {
      if (done == 0)
        vrg_multispin_start (state->multispin);
      for (int64_t t = done + 1; t <= done + n; t++)
        vrg_multispin_sweep (state->multispin, (uint64_t) t);
      return;
    }
  for (int64_t c = 0; c < chains->n; c++)
    {
      vrg_lattice *lattice = state->lattices ? state->lattices[c] : chains->shape;
      vrg_rng rng;
      vrg_rng_init (&rng, (uint64_t) chains->input->seed, (uint32_t) chains->run, (uint32_t) (chains->chain0 + c));
      if (done == 0)
        {
          vrg_lattice_random (lattice, &rng);
          if (state->metropolis)
            vrg_metropolis_load (state->metropolis, lattice, state->colours[c]);
        }
      for (int64_t t = done + 1; t <= done + n; t++)
        if (state->cluster)
          vrg_cluster_sweep (state->cluster, comm, lattice, &rng, (uint64_t) t);
        else if (state->local)
          vrg_local_sweep (state->local, comm, lattice, &rng, (uint64_t) t);
        else
          vrg_metropolis_sweep (state->metropolis, comm, state->colours[c], &rng, (uint64_t) t);
    }
}

void
vrg_chains_measure (vrg_chains *chains)
{
  VRG_ASSERT (chains->times < chains->capacity);
  const int64_t words = chains->strip_words, slot = chains->n * words;
  uint64_t *packed = chains->ensembles > 1 ? chains->packed : chains->spins + chains->times * slot;
  vrg_chains_pack (chains, packed);
  for (int e = 0; e < chains->ensembles; e++)
    {
      const int64_t at = e * chains->capacity + chains->times;
      if (chains->ensembles > 1 && slot > 0)
        memcpy (chains->spins + at * slot, packed + e * slot, (size_t) slot * sizeof *packed);
      for (int64_t c = 0; c < chains->n; c++)
        {
          vrg_lattice *lattice = chains->state->lattices ? chains->state->lattices[c] : chains->shape;
          if (!chains->state->lattices)
            vrg_lattice_unpack (lattice, packed + e * slot + c * words);
          vrg_observe (chains->grid->strip_comm, lattice, &chains->observed[at * chains->n + c]);
        }
    }
  chains->times++;
}

int
vrg_chains_flush (vrg_chains *chains, vrg_samples *samples)
{
  const vrg_grid *grid = chains->grid;
  const int64_t end = chains->time + chains->times;
  const bool mine = grid->strip == 0; /* one strip writes what is summed over all */
  int status = VRG_OK;
  for (int e = 0; e < chains->ensembles && status == VRG_OK; e++)
    {
      const int64_t at = e * chains->capacity * chains->n;
      vrg_sum_int64 (grid->strip_comm, (int64_t *) (chains->observed + at), chains->times * chains->n * VRG_OBSERVED);
      status = vrg_samples_write (samples, chains->run + e, chains->time, end, chains->chain0, chains->chain1,
                                  chains->shape->row0, chains->shape->row1, chains->spins + at * chains->strip_words,
                                  mine ? chains->observed + at : NULL);
    }
  chains->time = end;
  chains->times = 0;
  return status;
}

void
vrg_chains_pack (const vrg_chains *chains, uint64_t *packed)
{
  const vrg_chains_state *state = chains->state;
  if (state->multispin)
    vrg_multispin_pack (state->multispin, packed);
  else
    for (int64_t c = 0; c < chains->n; c++)
      {
        const vrg_lattice *lattice = state->lattices ? state->lattices[c] : chains->shape;
        if (state->metropolis)
          vrg_metropolis_store (state->metropolis, state->colours[c], chains->shape);
        vrg_lattice_pack (lattice, packed + c * chains->strip_words);
      }
}

void
vrg_chains_tell (const vrg_chains *chains, const vrg_input *input, int run, const char *verb, char text[80])
{
  int n = snprintf (text, 80, "%s ", verb);
  if (chains->ensembles > 1)
    snprintf (text + n, 80 - (size_t) n, "%d couplings", chains->ensembles);
  else
    n += snprintf (text + n, 80 - (size_t) n, "nn=%.6g", input->nn[run]);
  if (chains->ensembles == 1 && chains->runs > 1)
    snprintf (text + n, 80 - (size_t) n, " (%d of %d)", run + 1, chains->runs);
}
