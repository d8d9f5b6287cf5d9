/* SPDX-License-Identifier: GPL-3.0-or-later
 * Labels merged over the tree against minima passed from neighbour to neighbour until nothing changes.
 * ranks: 1 2 3 4 5 8 */
#include <string.h>

#include "base/rng.h"
#include "check.h"
#include "sample/merge.h"

#define WORDS 5
#define SITES (64 * WORDS)

static bool
bit (const uint64_t *words, int64_t i)
{
  return words[i / 64] >> (i % 64) & 1;
}

/** The strip of rank `rank`, random: edges of runs, clusters anywhere on them, bonds to the strip above.  `dense` of 256
 *  sites carry bonds. */
static vrg_merge_strip
random_strip (uint64_t seed, int rank, int64_t clusters, uint64_t dense)
{
  vrg_rng rng;
  vrg_rng_init (&rng, seed, 0, (uint32_t) rank);
  uint64_t random[2][2 * SITES], starts[2][WORDS] = { { 0 } };
  int64_t runs[2] = { 0, 0 };
  for (int e = 0; e < 2; e++)
    {
      vrg_rng_fill (&rng, VRG_RNG_TEST, 0, SITES, (uint64_t) e, 0, random[e]);
      for (int64_t i = 0; i < SITES; i++)
        if (i == 0 || random[e][i] & 1)
          {
            starts[e][i / 64] |= UINT64_C (1) << (i % 64);
            runs[e]++;
          }
    }
  vrg_merge_strip strip = vrg_merge_strip_new (WORDS, clusters, runs);
  for (int e = 0; e < 2; e++)
    {
      memcpy (strip.starts[e], starts[e], sizeof starts[e]);
      for (int64_t i = 0; i < runs[e]; i++)
        strip.slot[e][i] = (int32_t) vrg_rng_below (random[e][i + SITES], (uint64_t) clusters);
    }
  for (int64_t i = 0; i < SITES; i++)
    strip.bonds[i / 64] |= (uint64_t) ((random[0][i] >> 8 & 255) < dense) << (i % 64);
  for (int64_t i = 0; i < clusters; i++)
    strip.label[i] = i == clusters / 3 && rank % 2 ? -1 : (int64_t) (random[1][i] >> 20);
  return strip;
}

/** Cluster at a site of an edge. */
static int32_t
cluster_at (const vrg_merge_strip *strip, int edge, int64_t site)
{
  int64_t run = -1;
  for (int64_t i = 0; i <= site; i++)
    run += bit (strip->starts[edge], i);
  return strip->slot[edge][run];
}

static void
test_merge (uint64_t seed, int64_t clusters, uint64_t dense)
{
  bool good = true;
  for (int strips = 2; strips <= check_size_; strips++)
    {
      MPI_Comm comm;
      MPI_Comm_split (MPI_COMM_WORLD, check_rank_ < strips ? 0 : MPI_UNDEFINED, check_rank_, &comm);
      if (comm == MPI_COMM_NULL)
        continue;
      vrg_merge_strip all[16];
      for (int s = 0; s < strips; s++)
        all[s] = random_strip (seed, s, clusters, dense);
      for (bool changed = true; changed;)
        {
          changed = false;
          for (int s = 0; s < strips; s++)
            for (int64_t i = 0; i < SITES; i++)
              if (bit (all[s].bonds, i))
                {
                  const vrg_merge_strip *above = &all[(s + strips - 1) % strips];
                  int64_t *a = &above->label[cluster_at (above, 1, i)], *b = &all[s].label[cluster_at (&all[s], 0, i)];
                  changed = changed || *a != *b;
                  *a = *b = *a < *b ? *a : *b;
                }
        }
      vrg_merge_strip mine = random_strip (seed, check_rank_, clusters, dense);
      int64_t *label = vrg_merge_labels (comm, &mine);
      good = good && !memcmp (label, all[check_rank_].label, (size_t) clusters * sizeof *label);
      vrg_free (label);
      for (int s = 0; s < strips; s++)
        vrg_merge_strip_clear (&all[s]);
      MPI_Comm_free (&comm);
    }
  check (good, "seed %d, %d clusters a strip, bonds at %d of 256 sites: least labels, on any number of strips",
         (int) seed, (int) clusters, (int) dense);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  static const int64_t clusters[] = { 1, 7, 60, 300 };
  static const uint64_t dense[] = { 0, 2, 20, 128, 256 };
  for (uint64_t seed = 1; seed <= 3; seed++)
    for (int c = 0; c < 4; c++)
      for (int d = 0; d < 5; d++)
        test_merge (seed, clusters[c], dense[d]);
  return check_end ();
}
