/* SPDX-License-Identifier: GPL-3.0-or-later
 * What the kernels send is what the model says: messages of every rank, and bytes but for those of cluster edges, exactly;
 * bytes of cluster edges, which depend on the configuration, within 8 % at the critical point.
 * ranks: 1 2 3 4 */
#include "base/math.h"
#include "bench/model.h"
#include "check.h"
#include "lattice/exact.h"
#include "lattice/halo.h"
#include "parallel/grid.h"
#include "sample/cluster.h"
#include "sample/local.h"
#include "sample/metropolis.h"

static vrg_lattice *
strip_of (int dimension, int64_t side, int64_t band, vrg_rng *rng)
{
  const int64_t size[] = { side, side, side };
  int64_t first, last;
  vrg_grid_share (side, band, check_size_, check_rank_, &first, &last);
  vrg_lattice *lattice = vrg_lattice_new_size (dimension, size, first, last);
  vrg_rng_init (rng, 1, 0, 0);
  vrg_lattice_random (lattice, rng);
  return lattice;
}

static void
check_traffic (const char *text, vrg_traffic sent, vrg_traffic model, int sweeps)
{
  bool good = sent.messages == sweeps * model.messages && sent.bytes == sweeps * model.bytes && sent.collectives == 0;
  check (good, "%s: %lld messages and %lld bytes a sweep", text, (long long) model.messages, (long long) model.bytes);
  if (!good)
    printf ("# rank %d: %lld messages, %lld bytes, %lld collectives in %d sweeps\n", check_rank_,
            (long long) sent.messages, (long long) sent.bytes, (long long) sent.collectives, sweeps);
}

static void
test_metropolis (int64_t side)
{
  enum
  {
    SWEEPS = 5
  };
  char text[64];
  vrg_rng rng;
  vrg_lattice *lattice = strip_of (2, side, vrg_metropolis_band (side), &rng);
  vrg_metropolis *metropolis = vrg_metropolis_new (lattice, VRG_CRITICAL_2D, false);
  uint64_t *colours = vrg_new (vrg_metropolis_words (metropolis), sizeof *colours, "spins");
  vrg_metropolis_load (metropolis, lattice, colours);
  vrg_traffic_reset ();
  for (uint64_t t = 1; t <= SWEEPS; t++)
    vrg_metropolis_sweep (metropolis, MPI_COMM_WORLD, colours, &rng, t);
  snprintf (text, sizeof text, "metropolis L=%lld", (long long) side);
  check_traffic (text, vrg_traffic_read (), vrg_model_metropolis_traffic (side, check_size_), SWEEPS);
  vrg_free (colours);
  vrg_metropolis_free (metropolis);
  vrg_lattice_free (lattice);
}

static void
test_local (int dimension, int64_t side)
{
  enum
  {
    SWEEPS = 5
  };
  char text[64];
  vrg_rng rng;
  const vrg_hamiltonian h = { .nn = 0.2, .field = 0.01 };
  vrg_lattice *lattice = strip_of (dimension, side, 1, &rng);
  vrg_local *local = vrg_local_new (lattice, &h, false);
  vrg_traffic_reset ();
  for (uint64_t t = 1; t <= SWEEPS; t++)
    vrg_local_sweep (local, MPI_COMM_WORLD, lattice, &rng, t);
  snprintf (text, sizeof text, "local L=%lld d=%d", (long long) side, dimension);
  check_traffic (text, vrg_traffic_read (), vrg_model_local_traffic (dimension, side, check_size_), SWEEPS);
  vrg_local_free (local);
  vrg_lattice_free (lattice);
}

static void
test_cluster (int dimension, int64_t side, double nn)
{
  enum
  {
    THERMALIZATION = 60,
    SWEEPS = 20
  };
  vrg_rng rng;
  const vrg_hamiltonian h = { .nn = nn };
  vrg_lattice *lattice = strip_of (dimension, side, 1, &rng);
  vrg_cluster *cluster = vrg_cluster_new (lattice, &h);
  for (uint64_t t = 1; t <= THERMALIZATION + SWEEPS; t++)
    {
      if (t == THERMALIZATION + 1)
        vrg_traffic_reset ();
      vrg_cluster_sweep (cluster, MPI_COMM_WORLD, lattice, &rng, t);
    }
  const vrg_traffic sent = vrg_traffic_read (),
                    model = vrg_model_cluster_traffic (dimension, side, check_size_, check_rank_);
  const double ratio = model.bytes > 0 ? (double) sent.bytes / SWEEPS / (double) model.bytes : 1;
  check (sent.messages == SWEEPS * model.messages && sent.collectives == 0,
         "cluster L=%lld d=%d: %lld messages a sweep", (long long) side, dimension, (long long) model.messages);
  check (fabs (ratio - 1) < 0.08, "cluster L=%lld d=%d: %lld bytes a sweep, %.3f times the model", (long long) side,
         dimension, (long long) sent.bytes / SWEEPS, ratio);
  if (fabs (ratio - 1) >= 0.08 || sent.messages != SWEEPS * model.messages)
    printf ("# rank %d: %lld messages, %lld bytes, %.3f times the model\n", check_rank_, (long long) sent.messages,
            (long long) sent.bytes, ratio);
  vrg_cluster_free (cluster);
  vrg_lattice_free (lattice);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_metropolis (64);
  test_metropolis (1024);
  test_metropolis (100);
  test_local (2, 96);
  test_local (3, 20);
  test_cluster (2, 512, VRG_CRITICAL_2D);
  test_cluster (3, 48, 0.221654626);
  return check_end ();
}
