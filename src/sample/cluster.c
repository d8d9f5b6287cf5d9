/* SPDX-License-Identifier: GPL-3.0-or-later
 * Swendsen-Wang cluster updates of a lattice cut into strips. */
#include "sample/cluster.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "parallel/traffic.h"
#include "sample/bonds.h"
#include "sample/merge.h"
#include "sample/runs.h"

/* The label of a cluster at a strip's edge: strip, head and whether that turns it, which is the order of sites.  The ghost
 * comes before all and does not turn. */
#define GHOST INT64_C (-2)

#define EDGE_BYTES 80 /* a site of an edge, to merge strips, about */
#define CHUNK 512     /* words of rows taken at a time, so that their bonds stay in the cache */

struct vrg_cluster
{
  uint64_t bond, ghost; /* thresholds of an active bond and of one to the ghost */
  uint64_t against;     /* all ones where K < 0: a bond of unequal spins is the satisfied one */
  uint64_t opposed;     /* all ones where h < 0: spins -1 are aligned */
  int64_t chunk;        /* rows taken at a time */
  /* bonds of a chunk of rows; row 0 of `down` is the last row of the chunk before */
  uint64_t *right, *down, *slow, *random;
  vrg_runs runs;
};

/** One sweep of one strip. */
typedef struct
{
  vrg_cluster *cluster;
  const vrg_lattice *lattice;
  const vrg_rng *rng;
  uint64_t sweep;
} update;

int
vrg_cluster_strips (int dimension, const int64_t *size)
{
  int64_t rows, columns, plane;
  vrg_lattice_flat (dimension, size, &rows, &columns, &plane);
  const int64_t layers = rows / plane, highest = VRG_RUNS_MOST_SITES / plane / columns;
  if (plane * columns > VRG_RUNS_MOST_SITES / 3)
    return 0; /* labels of the runs of two layers and one to come */
  const int64_t needed = highest > 0 ? (layers + highest - 1) / highest : 0;
  return needed == 1 || (needed <= layers / 2 && needed <= INT32_MAX) ? (int) needed : 0;
}

int
vrg_cluster_check (int dimension, const int64_t *size, int strips)
{
  const int needed = vrg_cluster_strips (dimension, size);
  if (strips >= needed && needed > 0)
    return VRG_OK;
  if (needed == 0)
    return vrg_error (VRG_USAGE,
                      "cluster updates hold at most 2^31 - 128 sites in a strip, and a strip has two layers at "
                      "least: the sides are too long; use [sample] algorithm = metropolis");
  return vrg_error (
    VRG_USAGE,
    "cluster updates hold at most 2^31 - 128 sites in a strip: this lattice needs at least %d strips, so "
    "as many ranks (it has %d): start more, or use [sample] algorithm = metropolis",
    needed, strips);
}

double
vrg_cluster_bytes (int dimension, const int64_t *size, int strips, double nn)
{
  int64_t flat, columns, plane;
  vrg_lattice_flat (dimension, size, &flat, &columns, &plane);
  const int64_t rows = (flat / plane + strips - 1) / strips * plane;
  /* of a hot start, where most sites start a run (no bond to the left) and most runs are heads (no bond of theirs up) */
  const double free = 1 - (1 - vrg_exp (-2 * fabs (nn))) / 2,
               up = dimension > 2   ? free * free
                    : dimension > 1 ? free
                                    : 1,
               heads = free * free * up / (1 - (1 - free) * up), row = (double) columns * free;
  const double bits = (dimension + 1) * (double) rows * (double) ((columns + 511) / 512 * 64),
               parents = (double) rows * ((double) columns * heads * 4 + row * 33 / 32 / 8),
               labels = (double) (dimension > 1 ? 2 * plane + 1 + 8 * (dimension - 1) : 1) * row * 4 * 9 / 8,
               edges = strips > 1 ? EDGE_BYTES * (double) (plane * columns) : 0;
  return bits + parents + labels + edges;
}

vrg_cluster *
vrg_cluster_new (const vrg_lattice *shape, const vrg_hamiltonian *h)
{
  const int64_t height = shape->row1 - shape->row0, chunk = shape->stride < CHUNK ? CHUNK / shape->stride : 1,
                words = chunk * shape->stride;
  VRG_ASSERT (height * shape->columns <= VRG_RUNS_MOST_SITES && h->nnn == 0 && h->plaquette == 0);
  vrg_cluster *cluster = vrg_new (1, sizeof *cluster, "cluster");
  cluster->bond = vrg_rng_threshold (1 - vrg_exp (-2 * fabs (h->nn)));
  cluster->ghost = vrg_rng_threshold (1 - vrg_exp (-2 * fabs (h->field)));
  cluster->against = h->nn < 0 ? ~UINT64_C (0) : 0;
  cluster->opposed = h->field < 0 ? ~UINT64_C (0) : 0;
  cluster->chunk = chunk;
  cluster->right = vrg_new (words, sizeof (uint64_t), "bonds");
  cluster->down = vrg_new (words + shape->stride, sizeof (uint64_t), "bonds");
  cluster->slow = vrg_new (words, sizeof (uint64_t), "bonds");
  cluster->random = vrg_new (words + 6, sizeof (uint64_t), "random planes");
  vrg_runs_init (&cluster->runs, shape, chunk);
  return cluster;
}

void
vrg_cluster_free (vrg_cluster *cluster)
{
  if (cluster)
    {
      vrg_free (cluster->right);
      vrg_free (cluster->down);
      vrg_free (cluster->slow);
      vrg_free (cluster->random);
      vrg_runs_clear (&cluster->runs);
    }
  vrg_free (cluster);
}

/** Bonds between layers; in a layer of three dimensions rows have bonds DOWN. */
static vrg_rng_purpose
slow_purpose (const vrg_lattice *lattice)
{
  return lattice->dimension == 3 ? VRG_RNG_BOND_DEEP : VRG_RNG_BOND_DOWN;
}

/** Row that the bonds of row y lead to: the next layer's, or for `down` in three dimensions the next of the layer.  A strip
 *  that is the whole lattice goes on with its own first layer. */
static const uint64_t *
next_row (const vrg_lattice *lattice, vrg_rng_purpose purpose, int64_t y)
{
  const int64_t plane = lattice->plane, height = lattice->row1 - lattice->row0;
  if (purpose == slow_purpose (lattice))
    return vrg_lattice_row (lattice, height == lattice->rows && y + plane >= height ? y + plane - height : y + plane);
  return vrg_lattice_row (lattice, y % plane == plane - 1 ? y - plane + 1 : y + 1);
}

/** Active bonds of n rows from row y (y < 0: the halo above), bond x of the row in bit x. */
static void
draw_bonds (const update *u, vrg_rng_purpose purpose, int64_t y, int64_t n, uint64_t *active)
{
  vrg_cluster *cluster = u->cluster;
  const vrg_lattice *lattice = u->lattice;
  const int64_t words = lattice->words, stride = lattice->stride, last = (lattice->columns - 1) % 64;
  const uint64_t against = cluster->against;
  for (int64_t k = 0; k < n; k++)
    {
      const uint64_t *row = vrg_lattice_row (lattice, y + k);
      uint64_t *satisfied = active + k * stride;
      if (purpose == VRG_RNG_GHOST)
        for (int64_t w = 0; w < words; w++)
          satisfied[w] = row[w] ^ cluster->opposed;
      else if (purpose == VRG_RNG_BOND_RIGHT)
        {
          for (int64_t w = 0; w < words - 1; w++)
            satisfied[w] = ~(row[w] ^ (row[w] >> 1 | row[w + 1] << 63) ^ against);
          satisfied[words - 1] = ~(row[words - 1] ^ (row[words - 1] >> 1 | (row[0] & 1) << last) ^ against);
        }
      else
        {
          const uint64_t *next = next_row (lattice, purpose, y + k);
          for (int64_t w = 0; w < words; w++)
            satisfied[w] = ~(row[w] ^ next[w] ^ against);
        }
      satisfied[words - 1] &= vrg_row_last_mask (lattice->columns);
    }
  const uint64_t threshold = purpose == VRG_RNG_GHOST ? cluster->ghost : cluster->bond;
  const vrg_bonds bonds = { u->rng, purpose, u->sweep, threshold };
  vrg_bonds_keep (&bonds, (lattice->row0 + y + lattice->rows) % lattice->rows, n, words, stride, active);
}

/** Rows of the chunk that starts at row y, which ends at `end` at the latest. */
static int64_t
chunk_rows (const vrg_cluster *cluster, int64_t y, int64_t end)
{
  return y + cluster->chunk < end ? cluster->chunk : end - y;
}

/** Clusters of the strip by itself.  Needs no halo. */
static void
label_strip (const update *u)
{
  vrg_cluster *cluster = u->cluster;
  vrg_runs *runs = &cluster->runs;
  const int64_t height = runs->rows, columns = runs->columns, stride = runs->stride, plane = runs->plane;
  const vrg_rng_purpose slow = slow_purpose (u->lattice);
  for (int64_t y0 = 0, n; y0 < height; y0 += n)
    {
      n = chunk_rows (cluster, y0, height);
      draw_bonds (u, VRG_RNG_BOND_RIGHT, y0, n, cluster->right);
      for (int64_t k = 0; k < n; k++)
        vrg_runs_add (runs, y0 + k, cluster->right + k * stride);
    }
  vrg_runs_ready (runs);

  uint64_t *down = cluster->down;
  for (int64_t y0 = 0, n; y0 < height; y0 += n)
    {
      n = chunk_rows (cluster, y0, y0 < plane ? plane : height);
      if (y0 >= plane)
        draw_bonds (u, slow, y0 - plane, n, cluster->slow);
      if (plane > 1)
        draw_bonds (u, VRG_RNG_BOND_DOWN, y0, n, down + stride);
      if (cluster->ghost)
        draw_bonds (u, VRG_RNG_GHOST, y0, n, cluster->right);
      for (int64_t k = 0; k < n; k++)
        {
          const int64_t y = y0 + k;
          const vrg_runs_above above[] = { { y >= plane ? cluster->slow + k * stride : NULL, y - plane },
                                           { y % plane > 0 ? down + k * stride : NULL, y - 1 } };
          vrg_runs_label (runs, y, above);
          if (plane > 1 && y % plane == plane - 1)
            vrg_runs_join (runs, y, y - plane + 1, down + (k + 1) * stride);
          if (cluster->ghost)
            vrg_runs_stay (runs, y, cluster->right + k * stride);
        }
      if (plane > 1)
        memcpy (down, down + n * stride, (size_t) stride * sizeof *down);

      const int64_t site = (u->lattice->row0 + y0) * columns, first = site / 128,
                    end = (site + n * columns + 127) / 128;
      vrg_rng_fill (u->rng, VRG_RNG_FLIP, (uint64_t) first, end - first, u->sweep, 0, cluster->random);
      vrg_runs_draw (runs, y0, n, cluster->random, 128 * first - u->lattice->row0 * columns);
    }
}

/** The last layer of a strip that is the whole lattice meets the first. */
static void
close_strip (const update *u)
{
  vrg_cluster *cluster = u->cluster;
  const int64_t height = cluster->runs.rows, stride = cluster->runs.stride, plane = u->lattice->plane;
  for (int64_t y0 = height - plane, n; y0 < height; y0 += n)
    {
      n = chunk_rows (cluster, y0, height);
      draw_bonds (u, slow_purpose (u->lattice), y0, n, cluster->slow);
      for (int64_t k = 0; k < n; k++)
        vrg_runs_join (&cluster->runs, y0 + k, y0 + k + plane - height, cluster->slow + k * stride);
    }
}

/** Copy n rows of `stride` words to rows of `words` words. */
static void
pack_rows (uint64_t *out, const uint64_t *in, int64_t n, int64_t words, int64_t stride)
{
  for (int64_t k = 0; k < n; k++)
    memcpy (out + k * words, in + k * stride, (size_t) words * sizeof *out);
}

/** Agree with the other strips on the names of the clusters at the edges; then these stay or turn as their names say. */
static void
merge_strips (const update *u, MPI_Comm strip_comm)
{
  vrg_cluster *cluster = u->cluster;
  vrg_runs *runs = &cluster->runs;
  const int64_t words = runs->words, stride = runs->stride, plane = u->lattice->plane;
  const int64_t row[2] = { 0, runs->rows - plane };
  int64_t number[2], most = 0;
  for (int e = 0; e < 2; e++)
    most += number[e] = runs->run[row[e] + plane] - runs->run[row[e]];

  int32_t *slots = vrg_new (most, sizeof *slots, "edge labels"), *slot = slots;
  int32_t *roots = vrg_new (most, sizeof *roots, "edge labels"), clusters = 0, *parent = runs->parent;
  for (int e = 0; e < 2; e++)
    for (int64_t y = row[e]; y < row[e] + plane; y++)
      for (int64_t i = 0; i < runs->run[y + 1] - runs->run[y]; i++)
        {
          /* A root that has a slot holds ~slot. */
          const int32_t head = vrg_runs_row (runs, y)[i];
          int32_t r = head;
          while (parent[r] >= 0 && parent[r] != r)
            r = parent[r];
          if (parent[r] >= 0)
            {
              roots[clusters] = r;
              parent[r] = ~clusters++;
            }
          else if (r != head)
            parent[head] = r;
          *slot++ = ~parent[r];
        }

  vrg_merge_strip strip = vrg_merge_strip_new (plane * words, clusters, number);
  int rank;
  VRG_MPI (MPI_Comm_rank (strip_comm, &rank));
  for (int32_t i = 0; i < clusters; i++)
    strip.label[i] = roots[i] == VRG_RUNS_STAY
                       ? GHOST
                       : (int64_t) rank << 33 | (int64_t) roots[i] << 1 | vrg_runs_turns (runs, roots[i]);
  slot = slots;
  for (int e = 0; e < 2; e++)
    {
      memcpy (strip.slot[e], slot, (size_t) number[e] * sizeof *slot);
      slot += number[e];
      pack_rows (strip.starts[e], runs->starts + row[e] * stride, plane, words, stride);
    }
  for (int64_t y0 = 0, n; y0 < plane; y0 += n)
    {
      n = chunk_rows (cluster, y0, plane);
      draw_bonds (u, slow_purpose (u->lattice), y0 - plane, n, cluster->slow);
      pack_rows (strip.bonds + y0 * words, cluster->slow, n, words, stride);
    }

  int64_t *label = vrg_merge_labels (strip_comm, &strip);
  for (int32_t i = 0; i < clusters; i++)
    parent[roots[i]] = label[i] & 1 ? VRG_RUNS_TURN : VRG_RUNS_STAY;
  vrg_free (label);
  vrg_free (slots);
  vrg_free (roots);
}

static void
flip (const update *u, vrg_lattice *lattice)
{
  vrg_cluster *cluster = u->cluster;
  const int64_t height = cluster->runs.rows;
  for (int64_t y0 = 0, n; y0 < height; y0 += n)
    {
      n = chunk_rows (cluster, y0, height);
      vrg_runs_flip (&cluster->runs, y0, n, cluster->against, lattice);
    }
}

/** Send the last layer down and receive the halo above. */
static void
start_halo (MPI_Comm strip_comm, vrg_lattice *lattice, MPI_Request requests[2])
{
  int rank, size;
  VRG_MPI (MPI_Comm_rank (strip_comm, &rank));
  VRG_MPI (MPI_Comm_size (strip_comm, &size));
  const int64_t plane = lattice->plane, n = (plane - 1) * lattice->stride + lattice->words;
  VRG_ASSERT (n <= INT32_MAX);
  VRG_MPI (MPI_Irecv (vrg_lattice_row (lattice, -plane), (int) n, MPI_UINT64_T, (rank + size - 1) % size, 0, strip_comm,
                      &requests[0]));
  VRG_MPI (MPI_Isend (vrg_lattice_row (lattice, lattice->row1 - lattice->row0 - plane), (int) n, MPI_UINT64_T,
                      (rank + 1) % size, 0, strip_comm, &requests[1]));
  vrg_traffic_count (1, n * (int64_t) sizeof (uint64_t));
}

void
vrg_cluster_sweep (vrg_cluster *cluster, MPI_Comm strip_comm, vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep)
{
  const bool whole = lattice->row1 - lattice->row0 == lattice->rows;
  const update u = { cluster, lattice, rng, sweep };
  MPI_Request requests[2];
  if (!whole)
    start_halo (strip_comm, lattice, requests);
  label_strip (&u);
  if (!whole)
    {
      VRG_MPI (MPI_Waitall (2, requests, MPI_STATUSES_IGNORE));
      merge_strips (&u, strip_comm);
    }
  else if (lattice->dimension > 1)
    close_strip (&u);
  flip (&u, lattice);
}
