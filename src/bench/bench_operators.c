/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of operator sums on the lattice. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "bench/bench_internal.h"
#include "bench/bench_sample.h"
#include "bench/reference.h"
#include "lattice/observe.h"
#include "lattice/operators.h"

enum
{
  SIDE = 64,
  EVEN = VRG_EVEN_OPERATORS,
  ODD = 4
};

typedef struct
{
  vrg_bench_sample sample;
  int8_t spin[SIDE * SIDE];
  const vrg_operator *operators[EVEN + ODD];
  int64_t sums[EVEN + ODD], environments;
  int64_t *counts;
} operator_state;

static operator_state *
operators_begin (const vrg_bench_run *run)
{
  operator_state *s = vrg_new (1, sizeof *s, "a benchmark");
  vrg_bench_sample_begin (&s->sample, run, false, 2, SIDE, SIDE, 50);
  for (int64_t y = 0; y < SIDE; y++)
    for (int64_t x = 0; x < SIDE; x++)
      s->spin[y * SIDE + x] = (int8_t) vrg_lattice_get (s->sample.lattice, y, x);
  for (int a = 0; a < EVEN; a++)
    s->operators[a] = vrg_operator_even (a);
  for (int a = 0; a < ODD; a++)
    s->operators[EVEN + a] = vrg_operator_odd (a);
  int reach[EVEN];
  s->environments = vrg_operators_reach (SIDE, SIDE, EVEN, s->operators, reach);
  s->counts = vrg_new (s->environments, sizeof *s->counts, "local environments");
  return s;
}

static void
operators_end (operator_state *s)
{
  vrg_bench_sample_end (&s->sample);
  vrg_free (s->counts);
  vrg_free (s);
}

static uint64_t
correlations_work (void *state)
{
  operator_state *s = state;
  s->sample.lattice->spins[0] ^= 1; /* a new configuration each time */
  vrg_operators_sum (s->sample.lattice, EVEN + ODD, s->operators, s->sums);
  return (uint64_t) (s->sums[0] + s->sums[EVEN + ODD - 1]);
}

static uint64_t
correlations_plain (void *state)
{
  operator_state *s = state;
  s->spin[0] = (int8_t) -s->spin[0];
  vrg_reference_operators (SIDE, s->spin, EVEN + ODD, s->operators, s->sums);
  return (uint64_t) (s->sums[0] + s->sums[EVEN + ODD - 1]);
}

int
vrg_bench_correlations (const vrg_bench_run *run)
{
  int64_t sums[EVEN + ODD];
  operator_state *s = operators_begin (run);
  correlations_plain (s);
  memcpy (sums, s->sums, sizeof sums);
  correlations_work (s);
  bool same = memcmp (sums, s->sums, sizeof sums) == 0;
  vrg_bench_rows (run, "correlations", "L=64 7+4 operators", vrg_simd (), correlations_work, s, correlations_plain, s,
                  SIDE * SIDE / VRG_BENCH_NS, "ns/site", "scalar", VRG_BENCH_LESS, NULL);
  operators_end (s);
  return same ? VRG_OK : vrg_error (VRG_INTERNAL, "correlations: the kernel and the reference disagree");
}

static uint64_t
environments_work (void *state)
{
  operator_state *s = state;
  vrg_operators_environments (s->sample.lattice, EVEN, s->operators, s->counts);
  return (uint64_t) s->counts[s->environments - 1];
}

static uint64_t
environments_plain (void *state)
{
  operator_state *s = state;
  vrg_reference_environments (SIDE, s->spin, EVEN, s->operators, s->counts);
  return (uint64_t) s->counts[s->environments - 1];
}

int
vrg_bench_environments (const vrg_bench_run *run)
{
  operator_state *s = operators_begin (run);
  int64_t *plain = vrg_new (s->environments, sizeof *plain, "local environments");
  environments_plain (s);
  memcpy (plain, s->counts, (size_t) s->environments * sizeof *plain);
  memset (s->counts, 0, (size_t) s->environments * sizeof *plain);
  environments_work (s);
  bool same = memcmp (plain, s->counts, (size_t) s->environments * sizeof *plain) == 0;
  vrg_bench_rows (run, "environments", "L=64 7 operators", vrg_simd (), environments_work, s, environments_plain, s,
                  SIDE * SIDE / VRG_BENCH_NS, "ns/site", "scalar", VRG_BENCH_LESS, NULL);
  vrg_free (plain);
  operators_end (s);
  return same ? VRG_OK : vrg_error (VRG_INTERNAL, "environments: the kernel and the reference disagree");
}

/* ---- energy and magnetisation ---- */

typedef struct
{
  vrg_bench_sample sample;
  vrg_observation observed;
  int64_t side, bonds, magnetisation, sums[EVEN];
  const vrg_operator *even[EVEN];
  int8_t *spin;
} observe_state;

static uint64_t
observe_work (void *state)
{
  observe_state *s = state;
  vrg_observe_bonds (MPI_COMM_SELF, s->sample.lattice, &s->observed);
  return (uint64_t) s->observed.bonds;
}

static uint64_t
observe_all_work (void *state)
{
  observe_state *s = state;
  vrg_observe (MPI_COMM_SELF, s->sample.lattice, &s->observed);
  return (uint64_t) s->observed.even[EVEN - 1];
}

static uint64_t
observe_plain (void *state)
{
  observe_state *s = state;
  vrg_reference_observe (s->side, s->spin, &s->bonds, &s->magnetisation);
  return (uint64_t) s->bonds;
}

static uint64_t
observe_all_plain (void *state)
{
  observe_state *s = state;
  vrg_reference_operators (s->side, s->spin, EVEN, s->even, s->sums);
  return (uint64_t) s->sums[EVEN - 1];
}

int
vrg_bench_observables (const vrg_bench_run *run)
{
  enum
  {
    LARGE = 4096
  };
  observe_state s = { .side = LARGE };
  vrg_bench_sample_begin (&s.sample, run, false, 2, LARGE, LARGE, 20);
  s.spin = vrg_new (LARGE * LARGE, 1, "spins of the reference");
  for (int64_t y = 0; y < LARGE; y++)
    for (int64_t x = 0; x < LARGE; x++)
      s.spin[y * LARGE + x] = (int8_t) vrg_lattice_get (s.sample.lattice, y, x);
  for (int a = 0; a < EVEN; a++)
    s.even[a] = vrg_operator_even (a);
  const double scale = (double) LARGE * LARGE / VRG_BENCH_NS;
  vrg_bench_rows (run, "observables", "L=4096 energy magnetisation", VRG_SIMD_PORTABLE, observe_work, &s, observe_plain,
                  &s, scale, "ns/site", "scalar", VRG_BENCH_LESS, NULL);
  vrg_bench_rows (run, "observables", "L=4096 7 operators", VRG_SIMD_PORTABLE, observe_all_work, &s, observe_all_plain,
                  &s, scale, "ns/site", "scalar", VRG_BENCH_LESS, NULL);
  bool same = s.bonds == s.observed.bonds && s.magnetisation == s.observed.magnetisation
              && memcmp (s.sums, s.observed.even, sizeof s.sums) == 0;
  vrg_free (s.spin);
  vrg_bench_sample_end (&s.sample);
  return same ? VRG_OK : vrg_error (VRG_INTERNAL, "observables: the kernel and the reference disagree");
}
