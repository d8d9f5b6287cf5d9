/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of operator sums and local environments on the lattice. */
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
  LEVELS = 5, /* 64, 32, 16, 8, 4 */
  EVEN = VRG_EVEN_OPERATORS,
  MOST = 32
};

/** A critical configuration, its decimated ones, and operators on them. */
typedef struct
{
  vrg_bench_sample sample;
  int levels, even, n;
  vrg_operator operators[MOST];
  const vrg_operator *pointers[MOST];
  struct
  {
    int64_t side;
    vrg_lattice *lattice;
    int8_t *spin;
    vrg_operators *plan;
    int64_t sums[MOST];
  } level[LEVELS];
  int64_t environments;
  int64_t *counts;
} operator_state;

/** The first `even` and `odd` operators on so many levels. */
static operator_state *
operators_begin (const vrg_bench_run *run, int even, int odd, int levels)
{
  operator_state *s = vrg_new (1, sizeof *s, "a benchmark");
  vrg_bench_sample_begin (&s->sample, run, false, 2, SIDE, SIDE, 50);
  s->levels = levels;
  s->even = even;
  s->n = even + odd;
  vrg_operators_catalogue (2, false, even, s->operators, s->pointers);
  vrg_operators_catalogue (2, true, odd, s->operators + even, s->pointers + even);
  for (int l = 0; l < levels; l++)
    {
      const int step = 1 << l;
      const int64_t side = SIDE / step;
      s->level[l].side = side;
      s->level[l].lattice = vrg_lattice_new (side, side, 0, side);
      s->level[l].spin = vrg_new (side * side, 1, "spins of the reference");
      s->level[l].plan = vrg_operators_new (2, (const int64_t[]){ side, side }, s->n, s->pointers);
      for (int64_t y = 0; y < side; y++)
        for (int64_t x = 0; x < side; x++)
          {
            const int spin = vrg_lattice_get (s->sample.lattice, step * y, step * x);
            vrg_lattice_set (s->level[l].lattice, y, x, spin);
            s->level[l].spin[y * side + x] = (int8_t) spin;
          }
    }
  return s;
}

static void
operators_end (operator_state *s)
{
  for (int l = 0; l < s->levels; l++)
    {
      vrg_lattice_free (s->level[l].lattice);
      vrg_free (s->level[l].spin);
      vrg_operators_free (s->level[l].plan);
    }
  vrg_bench_sample_end (&s->sample);
  vrg_free (s->counts);
  vrg_free (s);
}

static uint64_t
correlations_work (void *state)
{
  operator_state *s = state;
  uint64_t all = 0;
  for (int l = 0; l < s->levels; l++)
    {
      s->level[l].lattice->spins[0] ^= 1; /* a new configuration each time */
      vrg_operators_sums (s->level[l].plan, s->level[l].lattice, s->level[l].sums);
      all += (uint64_t) (s->level[l].sums[0] + s->level[l].sums[s->n - 1]);
    }
  return all;
}

static uint64_t
correlations_plain (void *state)
{
  operator_state *s = state;
  uint64_t all = 0;
  for (int l = 0; l < s->levels; l++)
    {
      s->level[l].spin[0] = (int8_t) -s->level[l].spin[0];
      vrg_reference_operators (s->level[l].side, s->level[l].spin, s->n, s->pointers, s->level[l].sums);
      all += (uint64_t) (s->level[l].sums[0] + s->level[l].sums[s->n - 1]);
    }
  return all;
}

static int
correlations (const vrg_bench_run *run, const char *of, int even, int odd, int levels)
{
  int64_t sums[LEVELS][MOST];
  operator_state *s = operators_begin (run, even, odd, levels);
  bool same = true;
  correlations_plain (s);
  for (int l = 0; l < levels; l++)
    memcpy (sums[l], s->level[l].sums, sizeof sums[l]);
  correlations_work (s);
  for (int l = 0; l < levels; l++)
    same = same && memcmp (sums[l], s->level[l].sums, (size_t) s->n * sizeof sums[l][0]) == 0;
  vrg_bench_rows (run, "correlations", of, VRG_SIMD_PORTABLE, correlations_work, s, correlations_plain, s,
                  SIDE * SIDE / VRG_BENCH_NS, "ns/site", "scalar", VRG_BENCH_LESS, NULL);
  operators_end (s);
  return same ? VRG_OK : vrg_error (VRG_INTERNAL, "correlations: the kernel and the reference disagree");
}

int
vrg_bench_correlations (const vrg_bench_run *run)
{
  int status = correlations (run, "L=64 7+4 operators", EVEN, 4, 1);
  if (status == VRG_OK)
    status = correlations (run, "L=64 13+8 operators", 13, 8, 1);
  if (status == VRG_OK) /* all levels, for each site of the first one */
    status = correlations (run, "L=64 to 4 13+8 operators", 13, 8, LEVELS);
  return status;
}

static uint64_t
environments_work (void *state)
{
  operator_state *s = state;
  vrg_operators_count (s->level[0].plan, s->level[0].lattice, s->counts);
  return (uint64_t) s->counts[s->environments - 1];
}

static uint64_t
environments_plain (void *state)
{
  operator_state *s = state;
  vrg_reference_environments (SIDE, s->level[0].spin, s->n, s->pointers, s->counts);
  return (uint64_t) s->counts[s->environments - 1];
}

int
vrg_bench_environments (const vrg_bench_run *run)
{
  int reach[MOST];
  operator_state *s = operators_begin (run, EVEN, 0, 1);
  s->environments = vrg_operators_reach (2, (const int64_t[]){ SIDE, SIDE }, s->n, s->pointers, reach);
  s->counts = vrg_new (s->environments, sizeof *s->counts, "local environments");
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
  vrg_operator operators[EVEN];
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
  vrg_operators_catalogue (2, false, EVEN, s.operators, s.even);
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
