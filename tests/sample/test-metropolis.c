/* SPDX-License-Identifier: GPL-3.0-or-later
 * Metropolis and heat bath in two dimensions: sweeps against their definition site by site, the same bits on every
 * path and any strips, and the exact law.  Seeds are fixed; for fresh ones the false-alarm rate is 1e-4 of
 * each chi-square and 6e-5 of each check of 4 errors.
 * ranks: 1 2 3 4 */
#include <gsl/gsl_cdf.h>
#include <stdlib.h>
#include <string.h>

#include "base/math.h"
#include "base/simd.h"
#include "check.h"
#include "lattice/exact.h"
#include "lattice/observe.h"
#include "sample/decide.h"
#include "sample/metropolis.h"

#define SWEEPS 5

/** A sweep of a whole lattice, site by site but for the random bits. */
static void
define (vrg_lattice *lattice, double nn, bool heat_bath, const vrg_rng *rng, uint64_t sweep)
{
  const int64_t rows = lattice->rows, columns = lattice->columns, words = (columns / 2 + 63) / 64;
  const int merged = vrg_metropolis_band (columns);
  const int64_t band = (merged > 1 ? merged : 8) * words; /* in words */
  uint64_t threshold[2];
  for (int k = 0; k < 2; k++)
    threshold[k] = vrg_rng_threshold (heat_bath ? 1 / (1 + vrg_exp ((k ? 4 : 8) * fabs (nn)))
                                                : vrg_exp (-(k ? 4 : 8) * fabs (nn)));
  for (uint32_t colour = 0; colour < 2; colour++)
    for (int64_t w0 = 0; w0 < rows * words; w0 += band)
      {
        int64_t end = w0 + band < rows * words ? w0 + band : rows * words, vectors = (end - w0 + 7) / 8;
        int64_t groups = merged > 1 ? (vectors + 7) / 8 : vectors;
        for (int64_t k = 0; k < groups; k++)
          {
            int64_t v0 = w0 / 8 + vectors * k / groups, v1 = w0 / 8 + vectors * (k + 1) / groups;
            vrg_decide d = { VRG_RNG_METROPOLIS,
                             sweep,
                             256 * colour,
                             2,
                             heat_bath,
                             { (uint32_t) threshold[0], (uint32_t) threshold[1] },
                             NULL };
            vrg_decide_group g;
            uint64_t *undecided = g.undecided[0], *select = g.select[0][0], *coin = g.coin[0], *accepted = g.accept[0];
            for (int fill = 1; fill >= 0; fill--) /* first what is known, then what comes of it */
              {
                if (fill)
                  memset (&g, 0, sizeof g);
                else
                  vrg_decide_below (&d, rng, (uint64_t) v0, (int) (v1 - v0), &g);
                for (int64_t w = 8 * v0; w < 8 * v1 && w < end; w++)
                  for (int64_t i = 0, y = w / words; i < 64 && 64 * (w % words) + i < columns / 2; i++)
                    {
                      int64_t x = 2 * (64 * (w % words) + i) + ((y + colour) & 1), at = w - 8 * v0;
                      int spin = vrg_lattice_get (lattice, y, x);
                      int sum = vrg_lattice_get (lattice, (y + 1) % rows, x)
                                + vrg_lattice_get (lattice, (y + rows - 1) % rows, x)
                                + vrg_lattice_get (lattice, y, (x + 1) % columns)
                                + vrg_lattice_get (lattice, y, (x + columns - 1) % columns);
                      uint64_t bit = UINT64_C (1) << i;
                      int field = nn < 0 ? -sum : sum, majority = field < 0 ? -1 : 1;
                      bool one = abs (field) == 2, open = heat_bath || spin * field > 0;
                      bool sure = open && threshold[one] >> 32;
                      if (fill)
                        {
                          undecided[at] |= open && !sure ? bit : 0;
                          select[at] |= one ? bit : 0;
                          coin[at] |= field == 0 ? bit : 0;
                          continue;
                        }
                      bool accept = sure || !open || accepted[at] & bit;
                      if (!heat_bath)
                        vrg_lattice_set (lattice, y, x, accept ? -spin : spin);
                      else if (field)
                        vrg_lattice_set (lattice, y, x, accept ? -majority : majority);
                      else
                        {
                          /* the majority of the rows above, below and this one's same bit, turned by the coin */
                          int same = vrg_lattice_get (
                            lattice, y, (y + colour) & 1 ? (x + columns - 1) % columns : (x + 1) % columns);
                          int three = vrg_lattice_get (lattice, (y + 1) % rows, x)
                                      + vrg_lattice_get (lattice, (y + rows - 1) % rows, x) + same;
                          int start = ((three > 0) != (nn < 0)) ? 1 : -1;
                          vrg_lattice_set (lattice, y, x, accept ? -start : start);
                        }
                    }
              }
          }
      }
}

/** Rows row0..row1-1 of a lattice as its strip. */
static bool
rows_equal (const vrg_lattice *strip, const vrg_lattice *whole)
{
  for (int64_t y = strip->row0; y < strip->row1; y++)
    if (memcmp (vrg_lattice_row (strip, y - strip->row0), vrg_lattice_row (whole, y),
                (size_t) strip->words * sizeof (uint64_t)))
      return false;
  return true;
}

static void
test_size (int64_t rows, int64_t columns, double nn, bool heat_bath)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 5, 1, 2);
  vrg_lattice *whole = vrg_lattice_new (rows, columns, 0, rows);
  vrg_lattice_random (whole, &rng);
  for (uint64_t t = 1; t <= SWEEPS; t++)
    define (whole, nn, heat_bath, &rng, t);

  bool good = true;
  const int64_t band = vrg_metropolis_band (columns), bands = (rows + band - 1) / band;
  const vrg_simd_path limit = vrg_simd ();
  for (int strips = 1; strips <= check_size_ && strips <= bands; strips++)
    {
      MPI_Comm comm;
      bool mine = check_rank_ < strips;
      MPI_Comm_split (MPI_COMM_WORLD, mine ? 0 : MPI_UNDEFINED, check_rank_, &comm);
      for (int path = 0; mine && path <= (int) limit; path++)
        {
          vrg_simd_set ((vrg_simd_path) path);
          int64_t row0 = bands * check_rank_ / strips * band, row1 = bands * (check_rank_ + 1) / strips * band;
          vrg_lattice *strip = vrg_lattice_new (rows, columns, row0, row1 < rows ? row1 : rows);
          vrg_lattice_random (strip, &rng);
          vrg_metropolis *m = vrg_metropolis_new (strip, nn, heat_bath);
          uint64_t *state = vrg_new (vrg_metropolis_words (m), sizeof *state, "spins");
          vrg_metropolis_load (m, strip, state);
          for (uint64_t t = 1; t <= SWEEPS; t++)
            {
              vrg_metropolis_sweep (m, comm, state, &rng, t);
              if (t == 2) /* a restart in between */
                {
                  vrg_metropolis_store (m, state, strip);
                  memset (state, 0x5a, (size_t) vrg_metropolis_words (m) * sizeof *state);
                  vrg_metropolis_load (m, strip, state);
                }
            }
          vrg_metropolis_store (m, state, strip);
          good = good && rows_equal (strip, whole);
          vrg_free (state);
          vrg_metropolis_free (m);
          vrg_lattice_free (strip);
        }
      vrg_simd_set (limit);
      if (mine)
        MPI_Comm_free (&comm);
    }
  check (good, "%s %lld x %lld, K = %.3f: as defined, on any strips and path", heat_bath ? "heat bath" : "metropolis",
         (long long) rows, (long long) columns, nn);
  vrg_lattice_free (whole);
}

/** Energies and magnetisations of the 4 x 4 lattice against enumeration, many chains of few samples.  Sweeps of
 *  checkerboard Metropolis leave states that flip for ever at a full tie (doc/physics.md), so it starts from the ordered one. */
static void
test_histogram (bool heat_bath)
{
  enum
  {
    CHAINS = 400,
    TIMES = 100,
    INTERVAL = 25,
    LEVELS = 17,
    BINS = LEVELS * LEVELS
  };
  double weight[BINS] = { 0 }, z = 0, chi2 = 0, rest = 0;
  int64_t count[BINS] = { 0 }, seen = 0;
  int bins = 0;
  for (uint32_t s = 0; s < 1u << 16; s++)
    {
      /* bonds to the right in rows of four, and down */
      uint32_t right = (s & 0x7777) << 1 | (s >> 3 & 0x1111), down = s << 4 | s >> 12;
      int level = 32 - __builtin_popcount ((s ^ right) & 0xffff) - __builtin_popcount ((s ^ down) & 0xffff);
      double w = vrg_exp (VRG_CRITICAL_2D * (2 * level - 64));
      weight[level / 2 * LEVELS + __builtin_popcount (s)] += w;
      z += w;
    }
  vrg_lattice *lattice = vrg_lattice_new (4, 4, 0, 4);
  vrg_metropolis *m = vrg_metropolis_new (lattice, VRG_CRITICAL_2D, heat_bath);
  uint64_t *state = vrg_new (vrg_metropolis_words (m), sizeof *state, "spins");
  for (int c = 0; c < CHAINS; c++)
    {
      vrg_rng rng;
      vrg_rng_init (&rng, 1 + (uint64_t) c, 0, 0);
      vrg_lattice_random (lattice, &rng);
      for (int64_t y = 0; y < 4 && !heat_bath; y++)
        for (int64_t x = 0; x < 4; x++)
          vrg_lattice_set (lattice, y, x, c % 2 ? 1 : -1);
      vrg_metropolis_load (m, lattice, state);
      for (uint64_t t = 1; t <= (TIMES + 4) * INTERVAL; t++)
        {
          vrg_metropolis_sweep (m, MPI_COMM_SELF, state, &rng, t);
          if (t % INTERVAL || t <= 4 * INTERVAL)
            continue;
          vrg_metropolis_store (m, state, lattice);
          int up = 0, satisfied = 0;
          for (int64_t y = 0; y < 4; y++)
            for (int64_t x = 0; x < 4; x++)
              {
                int spin = vrg_lattice_get (lattice, y, x);
                up += spin > 0;
                satisfied += spin == vrg_lattice_get (lattice, (y + 1) % 4, x);
                satisfied += spin == vrg_lattice_get (lattice, y, (x + 1) % 4);
              }
          count[satisfied / 2 * LEVELS + up]++;
        }
    }
  for (int b = 0; b < BINS; b++)
    {
      double expected = CHAINS * TIMES * weight[b] / z;
      if (expected >= 10)
        {
          chi2 += ((double) count[b] - expected) * ((double) count[b] - expected) / expected;
          bins++;
        }
      else
        {
          rest += expected;
          seen += count[b];
        }
    }
  chi2 += ((double) seen - rest) * ((double) seen - rest) / rest;
  double p = gsl_cdf_chisq_Q (chi2, bins);
  check (p > 1e-4, "%s 4 x 4: energy and magnetisation, chi-square %.1f in %d bins, p = %.3g",
         heat_bath ? "heat bath" : "metropolis", chi2, bins + 1, p);
  vrg_free (state);
  vrg_metropolis_free (m);
  vrg_lattice_free (lattice);
}

/** A large lattice away from the critical point: its energy within 4 errors of the exact one. */
static void
test_energy (bool heat_bath)
{
  enum
  {
    L = 1024,
    TIMES = 64,
    INTERVAL = 10,
    THERMALIZATION = 400,
    BLOCKS = 16
  };
  const double nn = 0.4;
  double mean = 0, block[BLOCKS] = { 0 }, variance = 0, exact;
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  vrg_lattice *lattice = vrg_lattice_new (L, L, 0, L);
  vrg_metropolis *m = vrg_metropolis_new (lattice, nn, heat_bath);
  uint64_t *state = vrg_new (vrg_metropolis_words (m), sizeof *state, "spins");
  vrg_lattice_random (lattice, &rng);
  vrg_metropolis_load (m, lattice, state);
  for (int t = 1; t <= THERMALIZATION + TIMES * INTERVAL; t++)
    {
      vrg_metropolis_sweep (m, MPI_COMM_SELF, state, &rng, (uint64_t) t);
      int k = (t - THERMALIZATION) / INTERVAL - 1;
      if (t <= THERMALIZATION || (t - THERMALIZATION) % INTERVAL)
        continue;
      vrg_observation o = { 0 };
      vrg_metropolis_store (m, state, lattice);
      vrg_observe_bonds (MPI_COMM_SELF, lattice, &o);
      block[k * BLOCKS / TIMES] -= (double) o.bonds / ((double) L * L) * BLOCKS / TIMES;
    }
  for (int b = 0; b < BLOCKS; b++)
    mean += block[b] / BLOCKS;
  for (int b = 0; b < BLOCKS; b++)
    variance += (block[b] - mean) * (block[b] - mean) / (BLOCKS - 1);
  double error = sqrt (variance / BLOCKS);
  vrg_exact_torus (L, L, nn, NULL, &exact, NULL);
  check (fabs (mean - exact) <= 4 * error && error < 4e-4, "%s L = 1024, K = 0.4: energy %.6f +- %.6f, exact %.6f",
         heat_bath ? "heat bath" : "metropolis", mean, error, exact);
  vrg_free (state);
  vrg_metropolis_free (m);
  vrg_lattice_free (lattice);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  static const int64_t sizes[][2]
    = { { 4, 4 },    { 6, 10 },    { 8, 4 },     { 64, 64 },   { 130, 70 },  { 12, 514 },  { 26, 128 }, { 20, 130 },
        { 20, 450 }, { 66, 1100 }, { 24, 1024 }, { 20, 2050 }, { 36, 1408 }, { 34, 3072 }, { 8, 4096 } };
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int heat_bath = 0; heat_bath < 2; heat_bath++)
      test_size (sizes[i][0], sizes[i][1], VRG_CRITICAL_2D, heat_bath);
  const double couplings[] = { -0.3, 1.2, 0.1, 0, 20 };
  for (int k = 0; k < 5; k++)
    for (int heat_bath = 0; heat_bath < 2; heat_bath++)
      {
        test_size (10, 66, couplings[k], heat_bath);
        test_size (18, 1024, couplings[k], heat_bath);
      }
  if (check_size_ == 1)
    for (int heat_bath = 0; heat_bath < 2; heat_bath++)
      {
        test_histogram (heat_bath);
        test_energy (heat_bath);
      }
  return check_end ();
}
