/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of the samplers. */
#include "bench/bench_sample.h"

#include <stdio.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/param.h"
#include "bench/reference.h"
#include "lattice/exact.h"
#include "sample/decide.h"
#include "sample/hamiltonian.h"
#include "sample/local.h"
#include "sample/multispin.h"

double
vrg_bench_critical (int dimension)
{
  return dimension == 2 ? VRG_CRITICAL_2D : VRG_CRITICAL_3D;
}

void
vrg_bench_sample_begin (vrg_bench_sample *s, const vrg_bench_run *run, bool strips, int dimension, int64_t layers,
                        int64_t side, int sweeps)
{
  const int64_t size[] = { layers, side, side };
  const vrg_hamiltonian critical = { .nn = vrg_bench_critical (dimension) };
  int64_t first = 0, last = layers;
  *s = (vrg_bench_sample){ .comm = strips ? run->grid->world : MPI_COMM_SELF };
  if (strips)
    vrg_grid_share (layers, dimension == 2 ? vrg_metropolis_band (side) : 1, run->grid->size, run->grid->rank, &first,
                    &last);
  s->lattice = vrg_lattice_new_size (dimension, size, first, last);
  vrg_rng_init (&s->rng, 1, 0, strips ? 0 : (uint32_t) run->grid->rank);
  vrg_lattice_random (s->lattice, &s->rng);
  if (sweeps > 0)
    s->cluster = vrg_cluster_new (s->lattice, &critical);
  while (sweeps-- > 0)
    vrg_cluster_sweep (s->cluster, s->comm, s->lattice, &s->rng, ++s->sweep);
}

void
vrg_bench_sample_metropolis (vrg_bench_sample *s, double nn, bool heat_bath)
{
  vrg_metropolis_free (s->metropolis);
  vrg_free (s->colours);
  s->metropolis = vrg_metropolis_new (s->lattice, nn, heat_bath);
  s->colours = vrg_new (vrg_metropolis_words (s->metropolis), sizeof *s->colours, "spins");
  vrg_metropolis_load (s->metropolis, s->lattice, s->colours);
}

void
vrg_bench_sample_end (vrg_bench_sample *s)
{
  vrg_metropolis_free (s->metropolis);
  vrg_free (s->colours);
  vrg_cluster_free (s->cluster);
  vrg_lattice_free (s->lattice);
}

uint64_t
vrg_bench_cluster_work (void *state)
{
  vrg_bench_sample *s = state;
  vrg_cluster_sweep (s->cluster, s->comm, s->lattice, &s->rng, ++s->sweep);
  return s->lattice->spins[0];
}

uint64_t
vrg_bench_metropolis_work (void *state)
{
  vrg_bench_sample *s = state;
  vrg_metropolis_sweep (s->metropolis, s->comm, s->colours, &s->rng, ++s->sweep);
  return s->colours[0];
}

/* ---- one large lattice ---- */

static uint64_t
metropolis_plain (void *state)
{
  return vrg_reference_metropolis_sweep (state);
}

/** Whether the machine has so many bytes free.  Collective, one answer. */
static bool
have_memory (const vrg_bench_run *run, double bytes)
{
  double free_bytes = (double) sysconf (_SC_AVPHYS_PAGES) * (double) sysconf (_SC_PAGESIZE);
  int enough = free_bytes > bytes;
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &enough, 1, MPI_INT, MPI_LAND, run->grid->world));
  return enough;
}

/** The rate that this core's AES rounds alone allow: seven a plane, of which the avx512 path shares two among the planes of
 *  a vector (sample/decide_avx512.h). */
static void
metropolis_floor (const vrg_bench_run *run, const char *of, double rate)
{
  static const int layers[VRG_DECIDE_LAYERS] = { VRG_DECIDE_PLANES };
  double planes = VRG_DECIDE_GROUP * VRG_DECIDE_DENSE; /* of a group */
  for (int m = 0; m < VRG_DECIDE_LAYERS; m++)
    planes += layers[m];
  vrg_simd_path path = vrg_simd ();
  vrg_bench_limits limits = vrg_bench_machine (run, path);
  double rounds = path == VRG_SIMD_AVX512 ? 5 * planes / VRG_DECIDE_GROUP + 2 : 4 * 7 * planes / VRG_DECIDE_GROUP;
  if (path != VRG_SIMD_PORTABLE) /* rounds are those of 512 sites */
    vrg_bench_put (run, "metropolis-floor", of, path, run->grid->size, rate, "flips/ns", "AES rounds alone",
                   limits.aes / rounds * 512, VRG_BENCH_MORE);
}

/** Rows of one side: Metropolis, and the heat bath at L = 4096. */
static void
metropolis_side (const vrg_bench_run *run, int64_t side)
{
  enum
  {
    LARGE
    = 16384, /* whose reference would take bytes where the kernel takes bits: the reference's rate is that of 4096 */
    PLAIN = 4096
  };
  char of[48];
  vrg_bench_sample s, small;
  vrg_reference_metropolis plain;
  const bool large = side >= LARGE;
  const vrg_simd_path lowest = side == PLAIN ? VRG_SIMD_PORTABLE : vrg_simd ();
  double sites = (double) side * (double) side, rates[2] = { 0 };
  vrg_bench_sample_begin (&s, run, false, 2, side, side, large ? 0 : 50);
  vrg_bench_sample_metropolis (&s, VRG_CRITICAL_2D, false);
  for (int i = 0; i < 20 && large; i++)
    vrg_bench_metropolis_work (&s);
  if (large)
    vrg_bench_sample_begin (&small, run, false, 2, PLAIN, PLAIN, 10);
  vrg_reference_metropolis_init (&plain, large ? small.lattice : s.lattice, VRG_CRITICAL_2D);
  if (large)
    vrg_bench_sample_end (&small);

  /* the reference's calls are not those of the kernel where the lattices differ */
  double relative = large ? sites / ((double) PLAIN * PLAIN) : 1;
  vrg_bench_item items[5] = { { metropolis_plain, &plain, vrg_simd (), VRG_BENCH_EACH, 0, 0 } };
  int n = 1;
  for (int path = (int) vrg_simd (); path >= (int) lowest; path--)
    items[n++] = (vrg_bench_item){ vrg_bench_metropolis_work, &s, (vrg_simd_path) path, VRG_BENCH_EACH, 0, 0 };
  vrg_bench_measure (run, n, items);
  rates[1] = items[0].rate / relative * sites / VRG_BENCH_NS;
  snprintf (of, sizeof of, "L=%lld", (long long) side);
  for (int i = n - 1; i >= 1; i--)
    {
      rates[0] = items[i].rate * sites / VRG_BENCH_NS;
      vrg_bench_put (run, "metropolis", of, items[i].path, run->grid->size, rates[0], "flips/ns",
                     large ? "scalar at L=4096" : "scalar", rates[1], VRG_BENCH_MORE);
    }
  if (side == PLAIN)
    {
      metropolis_floor (run, of, rates[0]);
      vrg_bench_sample_metropolis (&s, VRG_CRITICAL_2D, true);
      vrg_bench_rows (run, "metropolis", "L=4096 heat bath", vrg_simd (), vrg_bench_metropolis_work, &s,
                      metropolis_plain, &plain, sites / VRG_BENCH_NS, "flips/ns", "scalar", VRG_BENCH_MORE, NULL);
    }
  vrg_reference_metropolis_clear (&plain);
  vrg_bench_sample_end (&s);
}

int
vrg_bench_metropolis (const vrg_bench_run *run)
{
  const int64_t sides[] = { 64, 256, 512, 1024, 1100, 1500, 3000, 4096, 65536 };
  for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
    {
      /* spins twice, as a lattice and split by colour */
      double bytes = (double) sides[i] * (double) sides[i] / 4 * run->grid->size;
      if (have_memory (run, 1.5 * bytes))
        metropolis_side (run, sides[i]);
      else
        vrg_info ("metropolis L=%lld: too little memory is free", (long long) sides[i]);
    }
  return VRG_OK;
}

/* ---- many small lattices ---- */

typedef struct
{
  vrg_multispin *multispin;
  uint64_t sweep;
} chains_state;

static uint64_t
chains_work (void *state)
{
  chains_state *s = state;
  vrg_multispin_sweep (s->multispin, ++s->sweep);
  return s->sweep;
}

static int
chains_size (const vrg_bench_run *run, int dimension, int64_t side)
{
  enum
  {
    CHAINS = 512
  };
  char text[256], of[32];
  vrg_input *input = vrg_new (1, sizeof *input, "an input");
  snprintf (text, sizeof text,
            "[lattice]\ndimension = %d\nsize = %lld\n[couplings]\nnn = critical\n"
            "[sample]\nalgorithm = metropolis\npacking = chains\nchains = %d\nconfigurations = 1024\n",
            dimension, (long long) side, CHAINS);
  int code = vrg_param_parse ("bench", text, 0, NULL, input);
  if (code == VRG_OK)
    {
      chains_state s = { .multispin = vrg_multispin_new (input, 0, CHAINS) };
      vrg_bench_sample one;
      vrg_reference_metropolis plain;
      vrg_bench_sample_begin (&one, run, false, dimension, side, side, 50);
      vrg_reference_metropolis_init (&plain, one.lattice, vrg_bench_critical (dimension));
      vrg_bench_sample_end (&one);
      vrg_multispin_start (s.multispin);
      for (int i = 0; i < 200; i++)
        chains_work (&s);

      /* a call of the reference sweeps one lattice, of the kernel all */
      double sites = dimension == 2 ? (double) (side * side) : (double) (side * side * side);
      const int best = (int) vrg_simd ();
      vrg_bench_item items[4] = { { metropolis_plain, &plain, vrg_simd (), VRG_BENCH_EACH, 0, 0 } };
      for (int i = 0; i <= best; i++)
        items[i + 1] = (vrg_bench_item){ chains_work, &s, (vrg_simd_path) (best - i), VRG_BENCH_EACH, 0, 0 };
      vrg_bench_measure (run, best + 2, items);
      snprintf (of, sizeof of, "L=%lld d=%d chains=%d", (long long) side, dimension, CHAINS);
      for (int i = 1; i < best + 2; i++)
        vrg_bench_put (run, "metropolis-chains", of, items[i].path, run->grid->size,
                       items[i].rate * sites * CHAINS / VRG_BENCH_NS, "flips/ns", "scalar",
                       items[0].rate * sites / VRG_BENCH_NS, VRG_BENCH_MORE);
      vrg_reference_metropolis_clear (&plain);
      vrg_multispin_free (s.multispin);
    }
  vrg_free (input);
  return code;
}

int
vrg_bench_chains (const vrg_bench_run *run)
{
  int code = chains_size (run, 2, 40);
  return code == VRG_OK ? chains_size (run, 3, 16) : code;
}

/* ---- any couplings ---- */

typedef struct
{
  vrg_bench_sample sample;
  vrg_local *local;
} local_state;

static uint64_t
local_work (void *state)
{
  local_state *s = state;
  vrg_bench_sample *sample = &s->sample;
  vrg_local_sweep (s->local, sample->comm, sample->lattice, &sample->rng, ++sample->sweep);
  return sample->lattice->spins[0];
}

static uint64_t
local_plain (void *state)
{
  return vrg_reference_local_sweep (state);
}

int
vrg_bench_local (const vrg_bench_run *run)
{
  enum
  {
    LOCAL_SIDE = 1024
  };
  const vrg_hamiltonian h = { 0.3, 0.1, 0.05, 0.01 };
  local_state s;
  vrg_reference_local *plain = vrg_new (1, sizeof *plain, "the reference");
  vrg_bench_sample_begin (&s.sample, run, false, 2, LOCAL_SIDE, LOCAL_SIDE, 0);
  s.local = vrg_local_new (s.sample.lattice, &h, false);
  for (int i = 0; i < 50; i++)
    local_work (&s);
  vrg_reference_local_init (plain, s.sample.lattice, h.nn, h.nnn, h.plaquette, h.field);
  vrg_bench_rows (run, "local", "L=1024 nn nnn plaquette field", VRG_SIMD_PORTABLE, local_work, &s, local_plain, plain,
                  (double) LOCAL_SIDE * LOCAL_SIDE / VRG_BENCH_NS, "flips/ns", "scalar", VRG_BENCH_MORE, NULL);
  vrg_reference_local_clear (plain);
  vrg_free (plain);
  vrg_local_free (s.local);
  vrg_bench_sample_end (&s.sample);
  return VRG_OK;
}

/* ---- clusters ---- */

static uint64_t
cluster_plain (void *state)
{
  return vrg_reference_cluster_sweep (state);
}

int
vrg_bench_cluster (const vrg_bench_run *run)
{
  static const struct
  {
    int dimension;
    int64_t side;
    const char *of;
  } cases[] = { { 2, 1024, "L=1024" }, { 2, 4096, "L=4096" }, { 3, 128, "L=128 d=3" } };
  for (int i = 0; i < 3; i++)
    {
      int64_t side = cases[i].side;
      vrg_bench_sample s;
      vrg_reference_cluster plain;
      vrg_bench_sample_begin (&s, run, false, cases[i].dimension, side, side, 100);
      vrg_reference_cluster_init (&plain, s.lattice, vrg_bench_critical (cases[i].dimension));
      double sites = (double) s.lattice->rows * (double) side;
      vrg_bench_rows (run, "cluster", cases[i].of, i == 1 ? VRG_SIMD_PORTABLE : vrg_simd (), vrg_bench_cluster_work, &s,
                      cluster_plain, &plain, sites / VRG_BENCH_NS, "ns/site", "scalar", VRG_BENCH_LESS, NULL);
      vrg_reference_cluster_clear (&plain);
      vrg_bench_sample_end (&s);
    }
  return VRG_OK;
}
