/* SPDX-License-Identifier: GPL-3.0-or-later
 * Local environments by bit-sliced counters. */
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/simd.h"
#include "lattice/operators_internal.h"

typedef vrg_bands_vector vector;

#define ALWAYS static inline __attribute__ ((always_inline))

#define MAX_TERMS (VRG_OPERATOR_IMAGES * VRG_PATTERN_SITES)
#define MAX_BITS 9    /* of a counter up to MAX_TERMS */
#define MAX_PLANES 64 /* of all counters: at most 2 log2 (VRG_ENVIRONMENTS_MOST) are needed */

/** One product through a site: all sites, relative to it. */
typedef struct
{
  int sites;
  int offset[VRG_PATTERN_SITES][VRG_MAX_DIMENSION];
} term;

/** The products through a site that contain it an odd number of times, each once. */
static int
list_terms (int dimension, const int64_t *size, const vrg_operator *op, term *terms)
{
  int n = 0;
  for (int i = 0; i < op->images; i++)
    for (int p = 0; p < op->sites; p++)
      {
        const int *here = op->offset[i][p];
        int earlier = 0, times = 0;
        term new_term = { .sites = 1 };
        for (int q = 0; q < op->sites; q++)
          {
            const int *there = op->offset[i][q];
            bool same = true;
            for (int d = 0; d < dimension; d++)
              same = same && (there[d] - here[d]) % size[d] == 0;
            if (same)
              {
                times++;
                earlier += q < p;
              }
            else
              {
                for (int d = 0; d < dimension; d++)
                  new_term.offset[new_term.sites][d] = there[d] - here[d];
                new_term.sites++;
              }
          }
        if (earlier == 0 && times % 2 == 1)
          terms[n++] = new_term;
      }
  return n;
}

int64_t
vrg_operators_reach (int dimension, const int64_t *size, int n, const vrg_operator *const *ops, int *reach)
{
  int64_t environments = 1;
  term *terms = vrg_new (MAX_TERMS, sizeof *terms, "products through a site");
  for (int a = 0; a < n; a++)
    {
      reach[a] = list_terms (dimension, size, ops[a], terms);
      if (environments > 0)
        environments *= reach[a] + 1;
      if (environments > VRG_ENVIRONMENTS_MOST)
        environments = -1;
    }
  vrg_free (terms);
  return environments;
}

typedef struct
{
  int bits;  /* of the counter */
  int first; /* of its terms */
} counter;

struct vrg_counting
{
  int n;
  vrg_bands bands;
  int groups;        /* of 8 counters' bits */
  counter *counters; /* n + 1 */
  vrg_product *terms;
  uint64_t *planes;
  uint32_t (*key)[256]; /* [groups]: what a byte of the counters adds to the environment */
};

vrg_counting *
vrg_counting_new (int dimension, const int64_t *size, int n, const vrg_operator *ops)
{
  vrg_counting *c = vrg_new (1, sizeof *c, "environments");
  term *terms = vrg_new (MAX_TERMS, sizeof *terms, "products through a site");
  uint32_t weight[MAX_PLANES] = { 0 };
  int64_t environments = 1;
  int planes = 0, total = 0;
  for (int a = 0; a < n; a++)
    total += ops[a].images * ops[a].sites;
  c->n = n;
  c->counters = vrg_new (n + 1, sizeof *c->counters, "counters");
  c->terms = vrg_new (total, sizeof *c->terms, "products");
  vrg_bands_init (&c->bands, dimension, size);
  for (int a = 0; a < n; a++)
    {
      VRG_ASSERT (ops[a].sites % 2 == 0);
      counter *here = &c->counters[a];
      const int reach = list_terms (dimension, size, &ops[a], terms);
      for (int i = 0; i < reach; i++)
        {
          vrg_product *p = &c->terms[here->first + i];
          p->factors = terms[i].sites;
          for (int q = 0; q < p->factors; q++)
            p->site[q] = vrg_bands_need (&c->bands, terms[i].offset[q]);
        }
      c->counters[a + 1].first = here->first + reach;
      while (reach >> here->bits)
        {
          VRG_ASSERT (planes < MAX_PLANES);
          weight[planes++] = (uint32_t) (environments << here->bits++);
        }
      environments *= reach + 1;
      VRG_ASSERT (environments <= VRG_ENVIRONMENTS_MOST);
    }
  vrg_free (terms);
  vrg_bands_allocate (&c->bands, 0);
  vrg_products_locate (&c->bands, c->counters[n].first, c->terms);
  c->groups = (planes + 7) / 8;
  c->key = vrg_new (c->groups, sizeof *c->key, "environments");
  for (int g = 0; g < c->groups; g++)
    for (int byte = 1; byte < 256; byte++)
      c->key[g][byte] = c->key[g][byte & (byte - 1)] + weight[8 * g + __builtin_ctz ((unsigned) byte)];
  c->planes = vrg_new (8 * c->groups * c->bands.span, sizeof *c->planes, "bit planes");
  return c;
}

void
vrg_counting_free (vrg_counting *c)
{
  if (c == NULL)
    return;
  vrg_bands_clear (&c->bands);
  vrg_free (c->counters);
  vrg_free (c->terms);
  vrg_free (c->planes);
  vrg_free (c->key);
  vrg_free (c);
}

/** planes[bits][span] as binary counters: how many of the n terms are +1. */
ALWAYS void
count_terms (const vrg_counting *c, int n, const vrg_product *terms, int bits, int64_t words, uint64_t *planes)
{
  for (int64_t w = 0; w < words; w += VRG_BANDS_VECTOR)
    {
      vector plane[MAX_BITS] = { { 0 } };
      for (int i = 0; i < n; i++)
        {
          vector carry = ~*(const vector *) (c->bands.bits + terms[i].at[0] + w);
          for (int q = 1; q < terms[i].factors; q++)
            carry ^= *(const vector *) (c->bands.bits + terms[i].at[q] + w);
          for (int k = 0; k < bits; k++)
            {
              const vector both = plane[k] & carry;
              plane[k] ^= carry;
              carry = both;
            }
        }
      for (int k = 0; k < bits; k++)
        *(vector *) (planes + k * c->bands.span + w) = plane[k];
    }
}

/** 8 planes: bit i of plane j of word w becomes bit j of byte i / 8 of plane i % 8: the 8 bits of a site make a byte. */
ALWAYS void
gather_bytes (int64_t span, int64_t words, uint64_t *planes)
{
  static const uint64_t masks[3] = { 0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f };
  for (int stage = 0; stage < 3; stage++)
    for (int j = 0; j < 8; j++)
      if ((j >> stage & 1) == 0)
        for (int64_t w = 0; w < words; w += VRG_BANDS_VECTOR)
          {
            vector *a = (vector *) (planes + j * span + w), *b = (vector *) (planes + (j + (1 << stage)) * span + w);
            const uint64_t shift = UINT64_C (1) << stage;
            const vector t = (*a >> shift ^ *b) & masks[stage];
            *b ^= t;
            *a ^= t << shift;
          }
}

ALWAYS void
fill_planes_body (const vrg_counting *c, int64_t words)
{
  uint64_t *planes = c->planes;
  for (int a = 0; a < c->n; a++)
    {
      const int first = c->counters[a].first, bits = c->counters[a].bits, terms = c->counters[a + 1].first - first;
      const vrg_product *p = c->terms + first;
      if (bits == 3)
        count_terms (c, terms, p, 3, words, planes);
      else if (bits == 4)
        count_terms (c, terms, p, 4, words, planes);
      else if (bits == 5)
        count_terms (c, terms, p, 5, words, planes);
      else
        count_terms (c, terms, p, bits, words, planes);
      planes += bits * c->bands.span;
    }
  for (; planes < c->planes + 8 * c->groups * c->bands.span; planes += c->bands.span)
    memset (planes, 0, (size_t) words * sizeof *planes);
  for (int g = 0; g < c->groups; g++)
    gather_bytes (c->bands.span, words, c->planes + 8 * g * c->bands.span);
}

VRG_PATHS (fill_planes, (const vrg_counting *c, int64_t words), (c, words))

/** Count the environments of the first `bits` sites of word w. */
ALWAYS void
count_word (const vrg_counting *c, int groups, int64_t w, int bits, int64_t *counts)
{
  for (int j = 0; j < 8; j++)
    {
      uint64_t bytes[MAX_PLANES / 8];
      for (int g = 0; g < groups; g++)
        bytes[g] = c->planes[(8 * g + j) * c->bands.span + w];
      for (int site = j; site < bits; site += 8)
        {
          uint32_t key = 0;
          for (int g = 0; g < groups; g++)
            {
              key += c->key[g][bytes[g] & 255];
              bytes[g] >>= 8;
            }
          counts[key]++;
        }
    }
}

ALWAYS void
count_words (const vrg_counting *c, int groups, int64_t words, int64_t *counts)
{
  const vrg_bands *b = &c->bands;
  const int last = b->words == 1 ? b->fields * (int) b->columns : (int) (b->columns - 64 * (b->words - 1));
  for (int64_t w = 0; w < words; w += b->stride)
    for (int lane = 0; lane < b->lanes; lane++)
      count_word (c, groups, w + lane, (w / b->stride + 1) % b->words == 0 ? last : 64, counts);
}

void
vrg_counting_add (const vrg_counting *c, const vrg_lattice *lattice, int64_t *counts)
{
  for (int64_t first = 0; first < c->bands.depth; first += c->bands.most)
    {
      const int64_t rest = c->bands.depth - first, layers = rest < c->bands.most ? rest : c->bands.most,
                    words = layers * c->bands.unit;
      vrg_bands_fill (&c->bands, lattice, first, layers);
      fill_planes (c, words);
      if (c->groups == 2)
        count_words (c, 2, words, counts);
      else if (c->groups == 3)
        count_words (c, 3, words, counts);
      else
        count_words (c, c->groups, words, counts);
    }
}
