/* SPDX-License-Identifier: GPL-3.0-or-later
 * For tests: series of whole lattices straight from the kernels, without files. */
#ifndef VRG_TESTS_SAMPLE_CHAIN_H
#define VRG_TESTS_SAMPLE_CHAIN_H

#include "base/memory.h"
#include "base/param.h"
#include "lattice/observe.h"
#include "sample/cluster.h"
#include "sample/metropolis.h"

typedef struct
{
  vrg_algorithm algorithm;
  int64_t rows, columns;
  double nn;
  uint64_t seed;
  int64_t chains, thermalization, interval, times;
} chain_run;

/** bonds, magnetisation [times][chains]. */
static inline void
chain_sample (const chain_run *run, int64_t *bonds, int64_t *magnetisation)
{
  vrg_lattice *lattice = vrg_lattice_new (run->rows, run->columns, 0, run->rows);
  vrg_cluster *cluster
    = run->algorithm == VRG_CLUSTER ? vrg_cluster_new (lattice, &(vrg_hamiltonian){ .nn = run->nn }) : NULL;
  vrg_metropolis *local = cluster ? NULL : vrg_metropolis_new (lattice, run->nn, run->algorithm == VRG_HEATBATH);
  uint64_t *state = local ? vrg_new (vrg_metropolis_words (local), sizeof *state, "spins") : NULL;
  for (int64_t c = 0; c < run->chains; c++)
    {
      vrg_rng rng;
      vrg_rng_init (&rng, run->seed, 0, (uint32_t) c);
      vrg_lattice_random (lattice, &rng);
      if (local)
        vrg_metropolis_load (local, lattice, state);
      for (int64_t t = 1; t <= run->thermalization + run->times * run->interval; t++)
        {
          if (cluster)
            vrg_cluster_sweep (cluster, MPI_COMM_SELF, lattice, &rng, (uint64_t) t);
          else
            vrg_metropolis_sweep (local, MPI_COMM_SELF, state, &rng, (uint64_t) t);
          int64_t measured = t - run->thermalization;
          if (measured > 0 && measured % run->interval == 0)
            {
              int64_t at = (measured / run->interval - 1) * run->chains + c;
              vrg_observation observation;
              if (local)
                vrg_metropolis_store (local, state, lattice);
              vrg_observe_bonds (MPI_COMM_SELF, lattice, &observation);
              bonds[at] = observation.bonds;
              magnetisation[at] = observation.magnetisation;
            }
        }
    }
  vrg_cluster_free (cluster);
  vrg_metropolis_free (local);
  vrg_free (state);
  vrg_lattice_free (lattice);
}

#endif
