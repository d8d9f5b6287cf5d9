/* SPDX-License-Identifier: GPL-3.0-or-later
 * A rank's share of the Markov chains, and the measurements it has not yet written. */
#include "sample/chains.h"

#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "lattice/halo.h"
#include "lattice/observe.h"
#include "sample/cluster.h"
#include "sample/metropolis.h"

#define BUFFER_BYTES (INT64_C (32) << 20)

int
vrg_chains_grid (int ranks, const vrg_input *input, int *strips, char why[256])
{
  const int64_t rows = input->size[0], columns = input->size[1];
  const bool cluster = input->algorithm == VRG_CLUSTER;
  const int status = vrg_grid_choose (ranks, rows, input->chains, (int) input->strips,
                                      cluster ? vrg_cluster_strips (rows, columns) : 1, strips, why);
  return status == VRG_OK && cluster ? vrg_cluster_check (rows, columns, *strips) : status;
}

vrg_chains *
vrg_chains_new (const vrg_grid *grid, const vrg_input *input, int64_t times)
{
  vrg_chains *chains = vrg_new (1, sizeof *chains, "chains");
  int64_t row0, row1, rows = input->size[0], columns = input->size[1];
  chains->grid = grid;
  chains->input = input;
  vrg_grid_span (input->chains, grid->groups, grid->group, &chains->chain0, &chains->chain1);
  chains->n = chains->chain1 - chains->chain0;
  vrg_grid_span (rows, grid->strips, grid->strip, &row0, &row1);
  chains->shape = vrg_lattice_new (rows, columns, row0, row1);
  chains->strip_words = (row1 - row0) * chains->shape->words;
  chains->lattices = vrg_new (chains->n, sizeof *chains->lattices, "chains");
  for (int64_t c = 0; c < chains->n; c++)
    chains->lattices[c] = c > 0 ? vrg_lattice_new (rows, columns, row0, row1) : chains->shape;

  /* From the largest share, the first, so that all ranks write at the same time. */
  int64_t first, most;
  vrg_grid_span (input->chains, grid->groups, 0, &first, &most);
  vrg_grid_span (rows, grid->strips, 0, &row0, &row1);
  int64_t bytes = most * (row1 * chains->shape->words + 2) * (int64_t) sizeof (uint64_t);
  int64_t capacity = bytes < BUFFER_BYTES ? BUFFER_BYTES / bytes : 1;
  chains->capacity = capacity < times ? capacity : times;

  int64_t n = chains->capacity * chains->n;
  chains->spins = vrg_new (n * chains->strip_words, sizeof *chains->spins, "sample buffer");
  chains->bonds = vrg_new (n, sizeof *chains->bonds, "sample buffer");
  chains->magnetisation = vrg_new (n, sizeof *chains->magnetisation, "sample buffer");
  return chains;
}

void
vrg_chains_free (vrg_chains *chains)
{
  if (chains)
    {
      vrg_chains_end (chains);
      for (int64_t c = 1; c < chains->n; c++)
        vrg_lattice_free (chains->lattices[c]);
      vrg_lattice_free (chains->shape);
      vrg_free (chains->lattices);
      vrg_free (chains->spins);
      vrg_free (chains->bonds);
      vrg_free (chains->magnetisation);
    }
  vrg_free (chains);
}

void
vrg_chains_begin (vrg_chains *chains, int ensemble)
{
  double nn = chains->input->nn[ensemble];
  chains->ensemble = ensemble;
  if (chains->input->algorithm == VRG_CLUSTER)
    chains->cluster = vrg_cluster_new (chains->shape, nn);
  else
    chains->metropolis = vrg_metropolis_new (chains->shape, nn);
}

void
vrg_chains_end (vrg_chains *chains)
{
  vrg_cluster_free (chains->cluster);
  vrg_metropolis_free (chains->metropolis);
  chains->cluster = NULL;
  chains->metropolis = NULL;
}

void
vrg_chains_sweep (vrg_chains *chains, int64_t done, int64_t n)
{
  MPI_Comm comm = chains->grid->strip_comm;
  for (int64_t c = 0; c < chains->n; c++)
    {
      vrg_lattice *lattice = chains->lattices[c];
      vrg_rng rng;
      vrg_rng_init (&rng, (uint64_t) chains->input->seed, (uint32_t) chains->ensemble, (uint32_t) (chains->chain0 + c));
      if (done == 0)
        vrg_lattice_random (lattice, &rng);
      for (int64_t t = done + 1; t <= done + n; t++)
        if (chains->cluster)
          vrg_cluster_sweep (chains->cluster, comm, lattice, &rng, (uint64_t) t);
        else
          vrg_metropolis_sweep (chains->metropolis, comm, lattice, &rng, (uint64_t) t);
    }
}

void
vrg_chains_measure (vrg_chains *chains)
{
  VRG_ASSERT (chains->times < chains->capacity);
  for (int64_t c = 0; c < chains->n; c++)
    {
      int64_t at = chains->times * chains->n + c;
      vrg_halo_exchange (chains->grid->strip_comm, chains->lattices[c]);
      vrg_observe (chains->lattices[c], &chains->bonds[at], &chains->magnetisation[at]);
      vrg_lattice_pack (chains->lattices[c], chains->spins + at * chains->strip_words);
    }
  chains->times++;
}

int
vrg_chains_flush (vrg_chains *chains, vrg_samples *samples)
{
  const vrg_grid *grid = chains->grid;
  int64_t end = chains->time + chains->times;
  bool mine = grid->strip == 0; /* one strip writes what is summed over all */
  vrg_sum_int64 (grid->strip_comm, chains->bonds, chains->times * chains->n);
  vrg_sum_int64 (grid->strip_comm, chains->magnetisation, chains->times * chains->n);
  int status = vrg_samples_write (samples, chains->ensemble, chains->time, end, chains->chain0, chains->chain1,
                                  chains->shape->row0, chains->shape->row1, chains->spins, mine ? chains->bonds : NULL,
                                  mine ? chains->magnetisation : NULL);
  chains->time = end;
  chains->times = 0;
  return status;
}

void
vrg_chains_pack (const vrg_chains *chains, uint64_t *packed)
{
  for (int64_t c = 0; c < chains->n; c++)
    vrg_lattice_pack (chains->lattices[c], packed + c * chains->strip_words);
}

void
vrg_chains_unpack (vrg_chains *chains, const uint64_t *packed)
{
  for (int64_t c = 0; c < chains->n; c++)
    vrg_lattice_unpack (chains->lattices[c], packed + c * chains->strip_words);
}
