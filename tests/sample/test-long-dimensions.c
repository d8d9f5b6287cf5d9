/* SPDX-License-Identifier: GPL-3.0-or-later
 * Energy and Binder's ratio between algorithms, where there is no exact value: three dimensions at the critical
 * coupling, and with a field, which clusters take as a ghost spin.  Errors are those of independent chains.  Any two
 * algorithms agree within 4 combined errors.  Seed 1 is fixed; for a fresh seed each comparison fails with a probability
 * of 1e-4.
 * ranks: 1 */
#include "base/param.h"
#include "check.h"
#include "lattice/observe.h"
#include "sample/cluster.h"
#include "sample/local.h"
#include "sample/multispin.h"

#define CHAINS 64
#define MAX_CHAINS 512 /* of a multispin group */
#define CRITICAL 0.2216546

/** Means of one chain. */
typedef struct
{
  double energy, m, m2, m4;
} chain_means;

typedef struct
{
  const char *name;
  double energy, energy_error, m, m_error, binder, binder_error;
} result;

static void
chain_add (chain_means *chain, int64_t bonds, int64_t magnetisation, double sites, int64_t times)
{
  const double m = (double) magnetisation / sites;
  chain->energy -= (double) bonds / sites / (double) times;
  chain->m += m / (double) times;
  chain->m2 += m * m / (double) times;
  chain->m4 += m * m * m * m / (double) times;
}

/** Means over n chains, errors by the jackknife over them. */
static result
result_of (const char *name, int n, const chain_means *chains)
{
  result r = { .name = name };
  chain_means sum = { 0, 0, 0, 0 };
  for (int c = 0; c < n; c++)
    sum = (chain_means){ sum.energy + chains[c].energy, sum.m + chains[c].m, sum.m2 + chains[c].m2,
                         sum.m4 + chains[c].m4 };
  r.energy = sum.energy / n;
  r.m = sum.m / n;
  r.binder = 1 - sum.m4 * n / (3 * sum.m2 * sum.m2);
  double energy = 0, m = 0, binder = 0;
  for (int c = 0; c < n; c++)
    {
      const double m2 = sum.m2 - chains[c].m2, m4 = sum.m4 - chains[c].m4;
      energy += pow ((sum.energy - chains[c].energy) / (n - 1) - r.energy, 2);
      m += pow ((sum.m - chains[c].m) / (n - 1) - r.m, 2);
      binder += pow (1 - m4 * (n - 1) / (3 * m2 * m2) - r.binder, 2);
    }
  r.energy_error = sqrt (energy * (n - 1) / n);
  r.m_error = sqrt (m * (n - 1) / n);
  r.binder_error = sqrt (binder * (n - 1) / n);
  return r;
}

typedef enum
{
  CLUSTER,
  METROPOLIS,
  HEAT_BATH
} method;

/** `times` measurements of each chain, `interval` sweeps apart. */
static result
run_rows (method how, int dimension, const int64_t *size, const vrg_hamiltonian *h, int64_t thermalization,
          int64_t times, int64_t interval)
{
  static const char *const names[] = { "cluster", "metropolis", "heat bath" };
  vrg_lattice *lattice = vrg_lattice_new_size (dimension, size, 0, dimension == 1 ? 1 : size[0]);
  vrg_cluster *cluster = how == CLUSTER ? vrg_cluster_new (lattice, h) : NULL;
  vrg_local *local = how == CLUSTER ? NULL : vrg_local_new (lattice, h, how == HEAT_BATH);
  chain_means chains[CHAINS] = { { 0, 0, 0, 0 } };
  const double sites = (double) (lattice->rows * lattice->columns);
  for (int c = 0; c < CHAINS; c++)
    {
      vrg_rng rng;
      vrg_rng_init (&rng, 1, 0, (uint32_t) c);
      vrg_lattice_random (lattice, &rng);
      for (int64_t t = 1; t <= thermalization + times * interval; t++)
        {
          if (cluster)
            vrg_cluster_sweep (cluster, MPI_COMM_SELF, lattice, &rng, (uint64_t) t);
          else
            vrg_local_sweep (local, MPI_COMM_SELF, lattice, &rng, (uint64_t) t);
          if (t > thermalization && (t - thermalization) % interval == 0)
            {
              vrg_observation seen;
              vrg_observe_bonds (MPI_COMM_SELF, lattice, &seen);
              chain_add (&chains[c], seen.bonds, seen.magnetisation, sites, times);
            }
        }
    }
  vrg_cluster_free (cluster);
  vrg_local_free (local);
  vrg_lattice_free (lattice);
  return result_of (names[how], CHAINS, chains);
}

/** The same of chains packed in vectors. */
static result
run_multispin (bool heat_bath, int dimension, const int64_t *size, double nn, int64_t thermalization, int64_t times,
               int64_t interval)
{
  static chain_means chains[MAX_CHAINS];
  const int n = (int) vrg_multispin_unit (1);
  vrg_input input = { .seed = 1,
                      .dimension = dimension,
                      .n_size = dimension,
                      .n_nn = 1,
                      .nn = { nn },
                      .algorithm = heat_bath ? VRG_HEATBATH : VRG_METROPOLIS,
                      .packing = VRG_PACKING_CHAINS,
                      .chains = n };
  double sites = 1;
  for (int d = 0; d < dimension; d++)
    {
      input.size[d] = size[d];
      sites *= (double) size[d];
    }
  for (int c = 0; c < n; c++)
    chains[c] = (chain_means){ 0, 0, 0, 0 };
  vrg_multispin *multispin = vrg_multispin_new (&input, 0, n);
  vrg_multispin_start (multispin);
  for (int64_t t = 1; t <= thermalization + times * interval; t++)
    {
      int64_t bonds[MAX_CHAINS], magnetisation[MAX_CHAINS];
      vrg_multispin_sweep (multispin, (uint64_t) t);
      if (t > thermalization && (t - thermalization) % interval == 0)
        {
          vrg_multispin_observe (multispin, bonds, magnetisation);
          for (int c = 0; c < n; c++)
            chain_add (&chains[c], bonds[c], magnetisation[c], sites, times);
        }
    }
  vrg_multispin_free (multispin);
  return result_of (heat_bath ? "packed heat bath" : "packed metropolis", n, chains);
}

static void
compare (const char *what, int n, const result *r, bool field)
{
  for (int i = 0; i < n; i++)
    printf ("# %s, %-17s energy %.5f +- %.5f, m %.5f +- %.5f, Binder %.5f +- %.5f\n", what, r[i].name, r[i].energy,
            r[i].energy_error, r[i].m, r[i].m_error, r[i].binder, r[i].binder_error);
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++)
      {
        const double energy = (r[i].energy - r[j].energy) / hypot (r[i].energy_error, r[j].energy_error);
        const double binder = (r[i].binder - r[j].binder) / hypot (r[i].binder_error, r[j].binder_error);
        const double m = (r[i].m - r[j].m) / hypot (r[i].m_error, r[j].m_error);
        check (fabs (energy) <= 4 && fabs (binder) <= 4 && (!field || fabs (m) <= 4),
               "%s, %s against %s: energy, Binder's ratio and m differ by %.1f, %.1f and %.1f errors", what, r[i].name,
               r[j].name, energy, binder, m);
      }
}

static void
test_critical (int64_t side, int64_t thermalization, int64_t times, int64_t interval)
{
  const int64_t size[] = { side, side, side };
  const vrg_hamiltonian h = { CRITICAL, 0, 0, 0 };
  const result r[] = {
    run_rows (CLUSTER, 3, size, &h, 300, 4000, 1),
    run_rows (METROPOLIS, 3, size, &h, thermalization, times, interval),
    run_rows (HEAT_BATH, 3, size, &h, thermalization, times, interval),
    run_multispin (false, 3, size, CRITICAL, thermalization, times, interval),
    run_multispin (true, 3, size, CRITICAL, thermalization, times, interval),
  };
  char what[40];
  snprintf (what, sizeof what, "L = %d in 3D", (int) side);
  compare (what, 5, r, false);
  for (int i = 0; i < 5; i++)
    check (r[i].energy_error < 0.002 * fabs (r[i].energy) && r[i].binder_error < 0.01, "%s, %s: errors mean something",
           what, r[i].name);
}

static void
test_field (const char *what, int dimension, const int64_t *size, const vrg_hamiltonian *h)
{
  const result r[] = {
    run_rows (CLUSTER, dimension, size, h, 300, 3000, 1),
    run_rows (METROPOLIS, dimension, size, h, 1000, 3000, 4),
    run_rows (HEAT_BATH, dimension, size, h, 1000, 3000, 4),
  };
  compare (what, 3, r, true);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_critical (8, 1000, 4000, 4);
  test_critical (16, 3000, 4000, 8);
  test_field ("6 x 8 x 10 with a field", 3, (const int64_t[]){ 6, 8, 10 }, &(vrg_hamiltonian){ 0.2, 0, 0, 0.01 });
  test_field ("cube of 8 against a field", 3, (const int64_t[]){ 8, 8, 8 }, &(vrg_hamiltonian){ 0.18, 0, 0, -0.05 });
  test_field ("12 x 20 with a field", 2, (const int64_t[]){ 12, 20 }, &(vrg_hamiltonian){ 0.4, 0, 0, 0.01 });
  test_field ("ring of 66 with a field", 1, (const int64_t[]){ 66 }, &(vrg_hamiltonian){ 0.9, 0, 0, 0.05 });
  return check_end ();
}
