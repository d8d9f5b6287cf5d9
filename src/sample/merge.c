/* SPDX-License-Identifier: GPL-3.0-or-later
 * Labels of clusters that reach across strips, by a binary tree. */
#include "sample/merge.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "parallel/traffic.h"

enum
{
  UP,
  DOWN,
  HEADER = 3, /* words before the rest of the data: clusters, runs of either edge */
  MOST_STEPS = 31
};

/** Pointers into data whose first words say how much there is of each kind. */
static vrg_merge_strip
open_strip (uint64_t *data, int64_t words)
{
  vrg_merge_strip strip = { .words = words, .clusters = (int64_t) data[0], .data = data };
  uint64_t *next = data + HEADER;
  strip.label = (int64_t *) next;
  next += strip.clusters;
  strip.bonds = next;
  next += words;
  for (int e = 0; e < 2; e++)
    {
      strip.runs[e] = (int64_t) data[1 + e];
      strip.starts[e] = next;
      next += words;
      strip.slot[e] = (int32_t *) (void *) next;
      next += (strip.runs[e] + 1) / 2;
    }
  strip.length = next - data;
  return strip;
}

vrg_merge_strip
vrg_merge_strip_new (int64_t words, int64_t clusters, const int64_t runs[2])
{
  const int64_t length = HEADER + clusters + 3 * words + (runs[0] + 1) / 2 + (runs[1] + 1) / 2;
  uint64_t *data = vrg_new (length, sizeof *data, "edge labels");
  data[0] = (uint64_t) clusters;
  data[1] = (uint64_t) runs[0];
  data[2] = (uint64_t) runs[1];
  return open_strip (data, words);
}

void
vrg_merge_strip_clear (vrg_merge_strip *strip)
{
  vrg_free (strip->data);
  strip->data = NULL;
}

static int32_t
root_of (int32_t *parent, int32_t i)
{
  while (parent[i] != i)
    i = parent[i] = parent[parent[i]];
  return i;
}

/** Unite the clusters of two edges of the same layers' sites by the bonds between them. */
static void
unite_edges (int32_t *parent, int64_t words, const uint64_t *bonds, const uint64_t *starts_a, const int32_t *slot_a,
             const uint64_t *starts_b, const int32_t *slot_b, int32_t offset_b)
{
  for (int64_t w = 0; w < words; w++)
    {
      for (uint64_t bits = bonds[w]; bits; bits &= bits - 1)
        {
          const uint64_t mask = bits ^ (bits - 1); /* up to the lowest bit */
          const int32_t a = root_of (parent, slot_a[__builtin_popcountll (starts_a[w] & mask) - 1]);
          const int32_t b = root_of (parent, offset_b + slot_b[__builtin_popcountll (starts_b[w] & mask) - 1]);
          parent[a > b ? a : b] = a > b ? b : a;
        }
      slot_a += __builtin_popcountll (starts_a[w]);
      slot_b += __builtin_popcountll (starts_b[w]);
    }
}

/** Give every root the least label of its cluster. */
static void
least_labels (int32_t *parent, int64_t *label, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    {
      const int32_t root = root_of (parent, (int32_t) i);
      label[root] = label[i] < label[root] ? label[i] : label[root];
    }
}

/** What a step of the tree remembers for the way down. */
typedef struct
{
  int partner;        /* rank that the lower strip came from */
  int64_t upper, all; /* clusters of the upper strip, and of both */
  int32_t *parent;    /* [all]; a root keeps ~n if it is cluster n of the joined strip */
  int64_t *label;     /* [all] */
} step;

/** Join strip b below strip a; both are cleared. */
static vrg_merge_strip
join (vrg_merge_strip *a, vrg_merge_strip *b, step *s)
{
  s->upper = a->clusters;
  s->all = a->clusters + b->clusters;
  VRG_ASSERT (s->all < INT32_MAX);
  s->parent = vrg_new (s->all, sizeof *s->parent, "edge labels");
  s->label = vrg_new (s->all, sizeof *s->label, "edge labels");
  memcpy (s->label, a->label, (size_t) a->clusters * sizeof *s->label);
  memcpy (s->label + a->clusters, b->label, (size_t) b->clusters * sizeof *s->label);
  int32_t *parent = s->parent, offset[2] = { 0, (int32_t) a->clusters };
  for (int64_t i = 0; i < s->all; i++)
    parent[i] = (int32_t) i;
  unite_edges (parent, a->words, b->bonds, a->starts[1], a->slot[1], b->starts[0], b->slot[0], offset[1]);
  least_labels (parent, s->label, s->all);

  /* Clusters of the outer edges get numbers in the order in which they are met. */
  const vrg_merge_strip *outer[2] = { a, b };
  int64_t clusters = 0, runs[2] = { a->runs[0], b->runs[1] };
  int32_t *slots = vrg_new (runs[0] + runs[1], sizeof *slots, "edge labels"), *slot = slots;
  int64_t *label = vrg_new (runs[0] + runs[1], sizeof *label, "edge labels");
  for (int e = 0; e < 2; e++)
    for (int64_t i = 0; i < runs[e]; i++)
      {
        int32_t r = outer[e]->slot[e][i] + offset[e];
        while (parent[r] >= 0 && parent[r] != r)
          r = parent[r];
        if (parent[r] >= 0)
          {
            label[clusters] = s->label[r];
            parent[r] = ~(int32_t) clusters++;
          }
        *slot++ = ~parent[r];
      }

  vrg_merge_strip joined = vrg_merge_strip_new (a->words, clusters, runs);
  memcpy (joined.label, label, (size_t) clusters * sizeof *label);
  memcpy (joined.bonds, a->bonds, (size_t) a->words * sizeof *a->bonds);
  slot = slots;
  for (int e = 0; e < 2; e++)
    {
      memcpy (joined.starts[e], outer[e]->starts[e], (size_t) a->words * sizeof *a->bonds);
      memcpy (joined.slot[e], slot, (size_t) runs[e] * sizeof *slot);
      slot += runs[e];
    }
  vrg_free (slots);
  vrg_free (label);
  vrg_merge_strip_clear (a);
  vrg_merge_strip_clear (b);
  return joined;
}

/** Final labels of both strips from those of the joined one, which are freed. */
static int64_t *
split (step *s, int64_t *joined)
{
  int32_t *parent = s->parent;
  for (int64_t i = 0; i < s->all; i++)
    {
      int32_t r = (int32_t) i;
      while (parent[r] >= 0 && parent[r] != r)
        r = parent[r];
      s->label[i] = parent[r] < 0 ? joined[~parent[r]] : s->label[r];
    }
  vrg_free (parent);
  vrg_free (joined);
  return s->label;
}

/** Join the edges of the whole. */
static int64_t *
close_torus (const vrg_merge_strip *whole)
{
  const int64_t n = whole->clusters;
  int32_t *parent = vrg_new (n, sizeof *parent, "edge labels");
  int64_t *label = vrg_new (n, sizeof *label, "edge labels");
  memcpy (label, whole->label, (size_t) n * sizeof *label);
  for (int64_t i = 0; i < n; i++)
    parent[i] = (int32_t) i;
  unite_edges (parent, whole->words, whole->bonds, whole->starts[1], whole->slot[1], whole->starts[0], whole->slot[0],
               0);
  least_labels (parent, label, n);
  for (int64_t i = 0; i < n; i++)
    label[i] = label[root_of (parent, (int32_t) i)];
  vrg_free (parent);
  return label;
}

static void
send_words (MPI_Comm comm, const void *data, int64_t n, int to, int tag)
{
  VRG_ASSERT (n <= INT32_MAX);
  VRG_MPI (MPI_Send (data, (int) n, MPI_UINT64_T, to, tag, comm));
  vrg_traffic_count (1, n * (int64_t) sizeof (uint64_t));
}

static vrg_merge_strip
receive_strip (MPI_Comm comm, int from, int64_t words)
{
  MPI_Status status;
  int n;
  VRG_MPI (MPI_Probe (from, UP, comm, &status));
  VRG_MPI (MPI_Get_count (&status, MPI_UINT64_T, &n));
  uint64_t *data = vrg_new (n, sizeof *data, "edge labels");
  VRG_MPI (MPI_Recv (data, n, MPI_UINT64_T, from, UP, comm, MPI_STATUS_IGNORE));
  return open_strip (data, words);
}

int64_t *
vrg_merge_labels (MPI_Comm strip_comm, vrg_merge_strip *strip)
{
  int rank, size, steps = 0;
  VRG_MPI (MPI_Comm_rank (strip_comm, &rank));
  VRG_MPI (MPI_Comm_size (strip_comm, &size));
  step done[MOST_STEPS];
  int64_t *label = NULL;

  for (int distance = 1; distance < size && !label; distance *= 2)
    if (rank & distance)
      {
        send_words (strip_comm, strip->data, strip->length, rank - distance, UP);
        label = vrg_new (strip->clusters, sizeof *label, "edge labels");
        VRG_MPI (
          MPI_Recv (label, (int) strip->clusters, MPI_INT64_T, rank - distance, DOWN, strip_comm, MPI_STATUS_IGNORE));
      }
    else if (rank + distance < size)
      {
        vrg_merge_strip below = receive_strip (strip_comm, rank + distance, strip->words);
        done[steps].partner = rank + distance;
        *strip = join (strip, &below, &done[steps++]);
      }
  if (!label)
    label = close_torus (strip);
  vrg_merge_strip_clear (strip);

  while (steps-- > 0)
    {
      const step *s = &done[steps];
      label = split (&done[steps], label);
      send_words (strip_comm, label + s->upper, s->all - s->upper, s->partner, DOWN);
    }
  return label;
}
