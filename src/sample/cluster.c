/* SPDX-License-Identifier: GPL-3.0-or-later
 * Swendsen-Wang cluster updates of a lattice cut into strips. */
#include "sample/cluster.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "lattice/halo.h"
#include "sample/planes.h"

/* Sites of a strip are numbered from 0 in int32.  parent[i] <= i, equal for a root; a negative entry ~n is a root that
 * has been given the number n: a slot in label[] while strips are merged, the flip bit afterwards. */
struct vrg_cluster
{
  uint64_t threshold[2]; /* of an active bond; the two are equal */
  uint64_t against;      /* all ones where K < 0: a bond of unequal spins is the satisfied one */
  int64_t rows;          /* per chunk */
  int64_t columns, words, stride;
  int32_t *parent;
  /* bonds of a chunk of rows; row 0 is the last row of the chunk before, for `random` it is not used */
  uint64_t *right, *down, *satisfied, *random;
  uint64_t *from_above; /* bonds between the halo row above and row 0 */
  uint64_t *none;       /* a row without bonds */
  /* merging: slots of the clusters at either edge, their labels and roots */
  int32_t *slot[2], *root;
  int64_t *label, *sent[2], *received[2];
};

int
vrg_cluster_strips (int64_t rows, int64_t columns)
{
  int64_t highest = INT32_MAX / columns, needed = highest > 0 ? (rows + highest - 1) / highest : 0;
  return needed == 1 || needed <= rows / 2 ? (int) needed : 0;
}

int
vrg_cluster_check (int64_t rows, int64_t columns, int strips)
{
  int needed = vrg_cluster_strips (rows, columns);
  if (strips >= needed && needed > 0)
    return VRG_OK;
  if (needed == 0)
    return vrg_error (VRG_USAGE,
                      "cluster updates hold at most 2^31 - 1 sites in a strip of two rows: %lld columns are "
                      "too many",
                      (long long) columns);
  return vrg_error (VRG_USAGE,
                    "cluster updates hold at most 2^31 - 1 sites in a strip: a lattice of %lld x %lld needs at "
                    "least %lld strips, so as many ranks (it has %d)",
                    (long long) rows, (long long) columns, (long long) needed, strips);
}

vrg_cluster *
vrg_cluster_new (const vrg_lattice *shape, double nn)
{
  int64_t height = shape->row1 - shape->row0, columns = shape->columns;
  VRG_ASSERT (height * columns <= INT32_MAX);
  vrg_cluster *cluster = vrg_new (1, sizeof *cluster, "cluster");
  cluster->threshold[0] = cluster->threshold[1] = vrg_rng_threshold (1 - vrg_exp (-2 * fabs (nn)));
  cluster->against = nn < 0 ? ~UINT64_C (0) : 0;
  cluster->rows = vrg_planes_rows (shape);
  cluster->columns = columns;
  cluster->words = shape->words;
  cluster->stride = shape->stride;
  cluster->parent = vrg_new (height * columns, sizeof (int32_t), "cluster labels");

  int64_t words = (cluster->rows + 1) * shape->stride;
  cluster->right = vrg_new (words, sizeof (uint64_t), "bonds");
  cluster->down = vrg_new (words, sizeof (uint64_t), "bonds");
  cluster->satisfied = vrg_new (words, sizeof (uint64_t), "bonds");
  cluster->random = vrg_new (words + 4, sizeof (uint64_t), "random planes");
  cluster->from_above = vrg_new (shape->stride, sizeof (uint64_t), "bonds");
  cluster->none = vrg_new (shape->stride, sizeof (uint64_t), "bonds");

  if (height < shape->rows)
    {
      for (int edge = 0; edge < 2; edge++)
        {
          cluster->slot[edge] = vrg_new (columns, sizeof (int32_t), "edge labels");
          cluster->sent[edge] = vrg_new (columns, sizeof (int64_t), "edge labels");
          cluster->received[edge] = vrg_new (columns, sizeof (int64_t), "edge labels");
        }
      cluster->root = vrg_new (2 * columns, sizeof (int32_t), "edge labels");
      cluster->label = vrg_new (2 * columns, sizeof (int64_t), "edge labels");
    }
  return cluster;
}

void
vrg_cluster_free (vrg_cluster *cluster)
{
  if (cluster)
    {
      vrg_free (cluster->parent);
      vrg_free (cluster->right);
      vrg_free (cluster->down);
      vrg_free (cluster->satisfied);
      vrg_free (cluster->random);
      vrg_free (cluster->from_above);
      vrg_free (cluster->none);
      for (int edge = 0; edge < 2; edge++)
        {
          vrg_free (cluster->slot[edge]);
          vrg_free (cluster->sent[edge]);
          vrg_free (cluster->received[edge]);
        }
      vrg_free (cluster->root);
      vrg_free (cluster->label);
    }
  vrg_free (cluster);
}

/** Active bonds of n rows from row y (y = -1: the halo row) to the right or down, bond x of the row in bit x. */
static void
draw_bonds (vrg_cluster *cluster, const vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep,
            vrg_rng_purpose purpose, int64_t y, int64_t n, uint64_t *active)
{
  int64_t words = cluster->words, stride = cluster->stride, last = (cluster->columns - 1) % 64;
  uint64_t against = cluster->against;
  memset (active, 0, (size_t) (n * stride) * sizeof *active);
  for (int64_t k = 0; k < n; k++)
    {
      const uint64_t *row = vrg_lattice_row (lattice, y + k), *below = vrg_lattice_row (lattice, y + k + 1);
      uint64_t *satisfied = cluster->satisfied + k * stride;
      if (purpose == VRG_RNG_BOND_DOWN)
        for (int64_t w = 0; w < words; w++)
          satisfied[w] = ~(row[w] ^ below[w] ^ against);
      else
        {
          for (int64_t w = 0; w < words - 1; w++)
            satisfied[w] = ~(row[w] ^ (row[w] >> 1 | row[w + 1] << 63) ^ against);
          satisfied[words - 1] = ~(row[words - 1] ^ (row[words - 1] >> 1 | (row[0] & 1) << last) ^ against);
        }
      satisfied[words - 1] &= vrg_row_last_mask (cluster->columns);
    }
  vrg_planes planes = { purpose, sweep, 0, { cluster->threshold[0], cluster->threshold[1] } };
  int64_t row = (lattice->row0 + y + lattice->rows) % lattice->rows;
  /* The thresholds are equal, so it does not matter what selects between them. */
  vrg_planes_below (&planes, rng, (uint64_t) (row * stride) / 2, n * stride, cluster->random, cluster->satisfied,
                    active, cluster->random);
}

/** Join the clusters of two sites; the smaller root stays.  Rem's algorithm: both paths are climbed together and
 *  spliced on the way (Patwary, Blair, Manne, SEA 2010). */
static inline void
unite (int32_t *parent, int32_t u, int32_t v)
{
  while (parent[u] != parent[v])
    {
      if (parent[u] < parent[v])
        {
          int32_t t = u;
          u = v;
          v = t;
        }
      int32_t up = parent[u];
      parent[u] = parent[v];
      if (up == u)
        return;
      u = up;
    }
}

/** Sites of row y: each joined to the first of its run of bonds, and the row's end to its beginning. */
static void
join_right (vrg_cluster *cluster, int64_t y, const uint64_t *right)
{
  int64_t columns = cluster->columns;
  int32_t *parent = cluster->parent, site = (int32_t) (y * columns), start = site;
  for (int64_t w = 0; w < cluster->words; w++)
    {
      uint64_t bits = right[w];
      int n = columns - 64 * w < 64 ? (int) (columns - 64 * w) : 64;
      for (int k = 0; k < n; k++, site++, bits >>= 1)
        {
          parent[site] = start;
          start = bits & 1 ? start : site + 1;
        }
    }
  if (right[(columns - 1) / 64] >> ((columns - 1) % 64) & 1)
    unite (parent, (int32_t) (y * columns), site - 1);
}

/** Bonds from row `upper` down to row `lower`.  One whose left neighbour is active and closes a plaquette with bonds of
 *  both rows joins nothing new. */
static void
join_down (vrg_cluster *cluster, int64_t upper, int64_t lower, const uint64_t *down, const uint64_t *right_upper,
           const uint64_t *right_lower)
{
  int64_t columns = cluster->columns;
  uint64_t carry = 0;
  for (int64_t w = 0; w < cluster->words; w++)
    {
      uint64_t closed = down[w] & right_upper[w] & right_lower[w];
      int32_t u = (int32_t) (upper * columns + 64 * w), l = (int32_t) (lower * columns + 64 * w);
      for (uint64_t bits = down[w] & ~(closed << 1 | carry); bits; bits &= bits - 1)
        unite (cluster->parent, u + __builtin_ctzll (bits), l + __builtin_ctzll (bits));
      carry = closed >> 63;
    }
}

/** Clusters of the strip by itself; returns the down bonds of its last row. */
static const uint64_t *
label_strip (vrg_cluster *cluster, const vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep)
{
  int64_t height = lattice->row1 - lattice->row0, stride = cluster->stride, n = 0;
  uint64_t *right = cluster->right, *down = cluster->down;
  for (int64_t y0 = 0; y0 < height; y0 += n)
    {
      if (y0 > 0)
        {
          memcpy (right, right + n * stride, (size_t) stride * sizeof *right);
          memcpy (down, down + n * stride, (size_t) stride * sizeof *down);
        }
      n = y0 + cluster->rows < height ? cluster->rows : height - y0;
      draw_bonds (cluster, lattice, rng, sweep, VRG_RNG_BOND_RIGHT, y0, n, right + stride);
      draw_bonds (cluster, lattice, rng, sweep, VRG_RNG_BOND_DOWN, y0, n, down + stride);
      for (int64_t y = y0; y < y0 + n; y++)
        {
          const uint64_t *r = right + (y - y0) * stride, *d = down + (y - y0) * stride;
          join_right (cluster, y, r + stride);
          if (y > 0)
            join_down (cluster, y - 1, y, d, r, r + stride);
        }
    }
  return down + n * stride;
}

/** Slot of the cluster at a site of the edge; a new one, labelled with its root's global index, if it has none. */
static int32_t
edge_slot (vrg_cluster *cluster, const vrg_lattice *lattice, int32_t site, int32_t *slots)
{
  int32_t *parent = cluster->parent, r = site;
  while (parent[r] >= 0 && parent[r] != r)
    r = parent[r];
  if (parent[r] == r)
    {
      cluster->root[*slots] = r;
      cluster->label[*slots] = lattice->row0 * cluster->columns + r;
      parent[r] = ~(*slots)++;
    }
  if (site != r)
    parent[site] = r;
  return ~parent[r];
}

/** Lower labels to those received across active bonds; true if one changed. */
static int
lower_labels (int64_t columns, const uint64_t *bonds, const int64_t *received, const int32_t *slot, int64_t *label)
{
  int changed = 0;
  for (int64_t x = 0; x < columns; x++)
    if (bonds[x / 64] >> (x % 64) & 1 && received[x] < label[slot[x]])
      {
        label[slot[x]] = received[x];
        changed = 1;
      }
  return changed;
}

/** Agree with the other strips on the names of clusters that reach an edge, then put their flip bits in their roots. */
static void
merge_strips (vrg_cluster *cluster, MPI_Comm strip_comm, const vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep,
              const uint64_t *below)
{
  int64_t columns = cluster->columns, height = lattice->row1 - lattice->row0, *label = cluster->label;
  int32_t slots = 0, **slot = cluster->slot;
  draw_bonds (cluster, lattice, rng, sweep, VRG_RNG_BOND_DOWN, -1, 1, cluster->from_above);
  for (int edge = 0; edge < 2; edge++)
    for (int64_t x = 0; x < columns; x++)
      slot[edge][x] = edge_slot (cluster, lattice, (int32_t) (edge * (height - 1) * columns + x), &slots);

  for (int changed = 1; changed;)
    {
      for (int edge = 0; edge < 2; edge++)
        for (int64_t x = 0; x < columns; x++)
          cluster->sent[edge][x] = label[slot[edge][x]];
      vrg_halo_swap (strip_comm, cluster->sent[0], cluster->sent[1], cluster->received[0], cluster->received[1],
                     columns * (int64_t) sizeof *label);
      changed = lower_labels (columns, cluster->from_above, cluster->received[0], slot[0], label)
                | lower_labels (columns, below, cluster->received[1], slot[1], label);
      VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &changed, 1, MPI_INT, MPI_MAX, strip_comm));
    }

  for (int32_t i = 0; i < slots; i++)
    {
      uint64_t block[2], name = (uint64_t) label[i];
      vrg_rng_block (rng, VRG_RNG_FLIP, name / 128, sweep, 0, block);
      cluster->parent[cluster->root[i]] = ~(int32_t) (block[name % 128 / 64] >> (name % 64) & 1);
    }
}

/** Give every site the flip bit of its root.  Roots come first, so a site's parent always has its bit already. */
static void
flip (vrg_cluster *cluster, vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep)
{
  int64_t height = lattice->row1 - lattice->row0, columns = cluster->columns;
  int32_t *parent = cluster->parent, site = 0;
  for (int64_t y0 = 0, n; y0 < height; y0 += n)
    {
      n = y0 + cluster->rows < height ? cluster->rows : height - y0;
      uint64_t global = (uint64_t) ((lattice->row0 + y0) * columns), first = global / 128,
               end = (global + (uint64_t) (n * columns) + 127) / 128;
      vrg_rng_fill (rng, VRG_RNG_FLIP, first, (int64_t) (end - first), sweep, 0, cluster->random);
      uint64_t bit = global - 128 * first; /* of `random`, for the site at hand */
      for (int64_t y = y0; y < y0 + n; y++)
        for (int64_t w = 0; w < cluster->words; w++)
          {
            uint64_t flips = 0;
            int sites = columns - 64 * w < 64 ? (int) (columns - 64 * w) : 64;
            for (int k = 0; k < sites; k++, site++, bit++)
              {
                int32_t own = ~(int32_t) (cluster->random[bit / 64] >> (bit % 64) & 1), p = parent[site];
                int32_t above = parent[p < 0 ? site : p];
                int32_t result = above < 0 ? above : own;
                parent[site] = result;
                flips |= (uint64_t) (~result & 1) << k;
              }
            vrg_lattice_row (lattice, y)[w] ^= flips;
          }
    }
}

void
vrg_cluster_sweep (vrg_cluster *cluster, MPI_Comm strip_comm, vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep)
{
  int64_t height = lattice->row1 - lattice->row0;
  vrg_halo_exchange (strip_comm, lattice);
  const uint64_t *below = label_strip (cluster, lattice, rng, sweep);
  if (height == lattice->rows)
    join_down (cluster, height - 1, 0, below, cluster->none, cluster->none);
  else
    merge_strips (cluster, strip_comm, lattice, rng, sweep, below);
  flip (cluster, lattice, rng, sweep);
}
