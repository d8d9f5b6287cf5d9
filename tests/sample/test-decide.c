/* SPDX-License-Identifier: GPL-3.0-or-later
 * Bernoulli bits: every vector path against the definition, lane by lane; frequencies; independence of merged lanes.  Seeds
 * are fixed; for a fresh seed the false-alarm rate of each check of 4 sigma is 6e-5.
 * ranks: 1 */
#include <stdlib.h>
#include <string.h>

#include "base/simd.h"
#include "check.h"
#include "sample/decide.h"

static vrg_rng words_rng;
static uint64_t words_used;

/** 512 bits that are 1 with probability 2^-rare (or 1 - 2^rare). */
static void
random_vector (uint64_t vector[8], int rare)
{
  for (int i = 0; i < 8; i++)
    vector[i] = rare < 0 ? 0 : ~UINT64_C (0);
  for (int k = 0; k < abs (rare); k++)
    for (int i = 0; i < 8; i++)
      {
        uint64_t block[2];
        vrg_rng_block (&words_rng, VRG_RNG_TEST, words_used++, 0, 0, block);
        vector[i] = rare < 0 ? vector[i] | block[0] : vector[i] & block[0];
      }
}

static bool
bit (const uint64_t vector[8], int lane)
{
  return vector[lane / 64] >> lane % 64 & 1;
}

/** The draw layout of the header, one lane after the other. */
static bool
lane_accepted (const vrg_decide *d, const vrg_rng *rng, uint64_t vector0, int n, const vrg_decide_group *g, int v,
               int lane)
{
  const int planes[] = { VRG_DECIDE_PLANES };
  uint32_t threshold[VRG_DECIDE_GROUP], u[VRG_DECIDE_GROUP];
  const int layers = vrg_decide_layers (n);
  int serving = 0;
  for (int w = 0; w <= v; w++)
    {
      bool open = bit (g->undecided[w], lane), decided = false;
      int class = d->classes > 2 && bit (g->select[1][w], lane) ? 2 : d->classes > 1 && bit (g->select[0][w], lane);
      threshold[w] = d->lanes ? d->lanes->threshold[class][lane] : d->threshold[class];
      u[w] = 0;
      for (int p = 0; open && p < VRG_DECIDE_DIGITS; p++)
        {
          uint64_t block[2], number = vector0 + (uint64_t) w;
          uint32_t digit = threshold[w] >> (31 - p) & 1, random;
          bool single = p >= VRG_DECIDE_DENSE && (serving >= layers || p >= VRG_DECIDE_DENSE + planes[serving]);
          if (single)
            {
              const bool placed = serving < layers;
              vrg_rng_block (rng, d->purpose, 512 * (placed ? vector0 : number) + (uint64_t) lane, d->step,
                             d->draw + 128 + (uint32_t) (placed ? serving : VRG_DECIDE_LAYERS), block);
              random = (uint32_t) block[0] >> (31 - p) & 1;
            }
          else
            {
              uint64_t index = 4 * (p < VRG_DECIDE_DENSE ? number : vector0) + (uint64_t) lane / 128;
              uint32_t draw = (uint32_t) (p < VRG_DECIDE_DENSE ? p : 32 * (serving + 1) + p);
              vrg_rng_block (rng, d->purpose, index, d->step, d->draw + draw, block);
              random = block[lane / 64 % 2] >> lane % 64 & 1;
            }
          if (p == 0 && d->coin && bit (g->coin[w], lane))
            {
              if (w == v)
                return !random;
              decided = true;
              break;
            }
          u[w] |= random << (31 - p);
          if (random != digit)
            {
              if (w == v)
                return random < digit;
              if (p < VRG_DECIDE_DENSE)
                decided = true;
              break;
            }
        }
      serving += open && !decided; /* went beyond its own planes */
    }
  return false;
}

static const uint32_t thresholds[][3] = { { 126432098, 736899889, 3000000000 },
                                          { 0, 0, 0 },
                                          { 0, 4294967295, 1 },
                                          { 4294967295, 4294967295, 4294967295 },
                                          { 0x80000000, 0x40000000, 0x7fffffff },
                                          { 1, 0xf0f0f0f0, 7 },
                                          { 0x12345678, 0x0fffffff, 0xaaaaaaaa } };
#define THRESHOLDS (int) (sizeof thresholds / sizeof *thresholds)

static void
test_paths (bool per_lane)
{
  static vrg_decide_lanes lanes;
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  for (int t = 0; t < THRESHOLDS; t++)
    {
      bool good = true, same = true, used = true;
      for (int n = 1; n <= VRG_DECIDE_GROUP; n++)
        for (int classes = 1; classes <= 3; classes++)
          for (int trial = 0; trial < 4; trial++)
            {
              uint64_t vector
                = trial == 3 ? (UINT64_C (1) << 40) - 3 : (UINT64_C (1) << 14) * (uint64_t) trial + (uint64_t) t;
              vrg_decide d
                = { VRG_RNG_TEST, 77 + (uint64_t) n, 256, classes, trial % 2, { 0 }, per_lane ? &lanes : NULL };
              memcpy (d.threshold, thresholds[t], sizeof d.threshold);
              for (int c = 0; c < 3; c++)
                for (int l = 0; l < 512; l++)
                  vrg_decide_lanes_set (&lanes, c, l, thresholds[t][c] ^ (l % 5 ? 0 : (uint32_t) (l * c) << 22));
              vrg_decide_group start, result[3];
              memset (&start, 0, sizeof start);
              for (int v = 0; v < n; v++)
                {
                  uint64_t class[8], other[8];
                  random_vector (start.undecided[v], trial == 2 ? 1 : -3);
                  random_vector (class, 1);
                  random_vector (other, 1);
                  random_vector (start.coin[v], 2);
                  random_vector (start.accept[v], 1);
                  for (int i = 0; i < 8; i++)
                    {
                      start.select[0][v][i] = class[i];
                      start.select[1][v][i] = other[i] & ~class[i];
                      start.accept[v][i] &= ~start.undecided[v][i];
                    }
                }
              for (int path = 0; path < 3; path++)
                {
                  vrg_simd_path limit = vrg_simd ();
                  vrg_simd_set ((vrg_simd_path) path);
                  result[path] = start;
                  vrg_decide_below (&d, &rng, vector, n, &result[path]);
                  vrg_simd_set (limit);
                  same = same && !memcmp (result[path].accept, result[0].accept, sizeof start.accept);
                }
              for (int v = 0; v < n && t % 3 == 0 && n != 5; v++)
                for (int l = 0; l < 512; l++)
                  good = good
                         && bit (result[0].accept[v], l)
                              == (bit (start.accept[v], l) || lane_accepted (&d, &rng, vector, n, &start, v, l));
            }
      check (good && same && used, "thresholds %08x %08x %08x %s: as defined, on every path", thresholds[t][0],
             thresholds[t][1], thresholds[t][2], per_lane ? "lane by lane" : "for all lanes");
    }
}

/** Frequencies per class, and pairs of accepted lanes of two vectors of a group at the same lane and the next. */
static void
test_statistics (void)
{
  enum
  {
    GROUPS = 4000,
    N = VRG_DECIDE_GROUP
  };
  const double sites = 512.0 * GROUPS;
  vrg_rng rng;
  vrg_rng_init (&rng, 2, 0, 0);
  vrg_decide d = { VRG_RNG_TEST, 5, 0, 2, true, { 126432098, 736899889 }, NULL };
  double p[3] = { d.threshold[0] / 4294967296.0, d.threshold[1] / 4294967296.0, 0.5 };
  /* Lanes l: class 0 for l % 4 < 2, class 1 for 2, a coin for 3. */
  int64_t count[N][3] = { { 0 } }, pair[N][N][2][3] = { { { { 0 } } } };
  const uint64_t of[3] = { 0x3333333333333333, 0x4444444444444444, 0x8888888888888888 };
  for (uint64_t k = 0; k < GROUPS; k++)
    {
      vrg_decide_group g;
      memset (&g, 0, sizeof g);
      memset (g.undecided, 0xff, sizeof g.undecided);
      memset (g.select[0], 0x44, sizeof g.select[0]);
      memset (g.coin, 0x88, sizeof g.coin);
      vrg_decide_below (&d, &rng, 8 * k, N, &g);
      for (int v = 0; v < N; v++)
        for (int i = 0; i < 8; i++)
          for (int c = 0; c < 3; c++)
            {
              uint64_t a = g.accept[v][i] & of[c];
              count[v][c] += __builtin_popcountll (a);
              for (int w = 0; w < v; w++)
                {
                  pair[v][w][0][c] += __builtin_popcountll (a & g.accept[w][i]);
                  pair[v][w][1][c] += __builtin_popcountll (a & (g.accept[w][i] << 4 | g.accept[w][i] >> 60));
                }
            }
    }
  double worst[3] = { 0 }, far[3] = { 0 };
  for (int c = 0; c < 3; c++)
    {
      double n = sites * (c == 0 ? 0.5 : 0.25);
      for (int v = 0; v < N; v++)
        {
          worst[c] = fmax (worst[c], fabs ((double) count[v][c] - n * p[c]) / sqrt (n * p[c] * (1 - p[c])));
          for (int w = 0; w < v; w++)
            for (int s = 0; s < 2; s++)
              {
                /* covariance of two Bernoulli bits from their counts */
                double cov = (double) pair[v][w][s][c] / n - (double) count[v][c] / n * (double) count[w][c] / n;
                far[c] = fmax (far[c], fabs (cov) * sqrt (n) / (p[c] * (1 - p[c])));
              }
        }
      /* The largest of 8 and of 56 deviates. */
      check (worst[c] < 4, "class %d: frequency of acceptance is %.9f (worst vector: %.2f sigma)", c, p[c], worst[c]);
      check (far[c] < 4, "class %d: vectors of a group are not correlated (worst pair: %.2f sigma)", c, far[c]);
    }
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_rng_init (&words_rng, 3, 0, 0);
  test_paths (false);
  test_paths (true);
  test_statistics ();
  return check_end ();
}
