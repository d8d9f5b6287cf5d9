/* SPDX-License-Identifier: GPL-3.0-or-later
 * Images of operators and their sums by XOR and popcount. */
#include "lattice/operators.h"

#include <immintrin.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/simd.h"
#include "lattice/operators_internal.h"

typedef vrg_bands_vector vector;

#define ALWAYS static inline __attribute__ ((always_inline))

/* Images */

static int
compare_sites (const void *a, const void *b)
{
  const int *p = a, *q = b;
  for (int d = 0; d < VRG_MAX_DIMENSION; d++)
    if (p[d] != q[d])
      return p[d] < q[d] ? -1 : 1;
  return 0;
}

/** Moved so that the least offset of each dimension is 0; sites in order. */
static void
normalise (int sites, int offset[VRG_PATTERN_SITES][VRG_MAX_DIMENSION])
{
  for (int d = 0; d < VRG_MAX_DIMENSION; d++)
    {
      int least = offset[0][d];
      for (int p = 1; p < sites; p++)
        least = offset[p][d] < least ? offset[p][d] : least;
      for (int p = 0; p < sites; p++)
        offset[p][d] -= least;
    }
  qsort (offset, (size_t) sites, sizeof offset[0], compare_sites);
}

void
vrg_operator_init (vrg_operator *op, int dimension, const vrg_pattern *pattern)
{
  static const int orders[][VRG_MAX_DIMENSION]
    = { { 0, 1, 2 }, { 1, 0, 2 }, { 0, 2, 1 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 } };
  static const int n_orders[VRG_MAX_DIMENSION] = { 1, 2, 6 };
  VRG_ASSERT (dimension >= 1 && dimension <= VRG_MAX_DIMENSION && pattern->sites >= 1
              && pattern->sites <= VRG_PATTERN_SITES);
  memset (op, 0, sizeof *op);
  memcpy (op->name, pattern->name, sizeof op->name);
  op->sites = pattern->sites;
  for (int order = 0; order < n_orders[dimension - 1]; order++)
    for (int signs = 0; signs < 1 << dimension; signs++)
      {
        int image[VRG_PATTERN_SITES][VRG_MAX_DIMENSION] = { 0 };
        for (int p = 0; p < op->sites; p++)
          for (int d = 0; d < dimension; d++)
            image[p][d] = (signs >> d & 1 ? -1 : 1) * pattern->offset[p][orders[order][d]];
        normalise (op->sites, image);
        bool known = false;
        for (int i = 0; i < op->images; i++)
          known = known || !memcmp (op->offset[i], image, sizeof image);
        if (!known)
          memcpy (op->offset[op->images++], image, sizeof image);
      }
}

void
vrg_operators_catalogue (int dimension, bool odd, int n, vrg_operator *ops, const vrg_operator **pointers)
{
  const vrg_pattern *patterns;
  const int count = vrg_catalogue (dimension, odd, &patterns);
  VRG_ASSERT (n <= count);
  for (int a = 0; a < n; a++)
    {
      vrg_operator_init (&ops[a], dimension, &patterns[a]);
      pointers[a] = &ops[a];
    }
}

/* Products of spins */

void
vrg_products_locate (const vrg_bands *bands, int n, vrg_product *products)
{
  for (int i = 0; i < n; i++)
    for (int q = 0; q < products[i].factors; q++)
      products[i].at[q] = vrg_bands_at (bands, products[i].site[q]);
}

/** A product of two factors: b is `layers` on from a. */
typedef struct
{
  int a, b, layers;
} pair;

static int
compare_pairs (const void *p, const void *q)
{
  return memcmp (p, q, sizeof (pair));
}

static pair
pair_of (vrg_bands_site p, vrg_bands_site q)
{
  const bool swap = p.array > q.array || (p.array == q.array && p.layer > q.layer);
  return swap ? (pair){ q.array, p.array, p.layer - q.layer } : (pair){ p.array, q.array, q.layer - p.layer };
}

/** The pair that occurs in most products; returns in how many. */
static int
commonest (int n, const vrg_product *products, pair *list, pair *best)
{
  size_t m = 0;
  int most = 0;
  for (int i = 0; i < n; i++)
    for (int p = 0; p < products[i].factors; p++)
      for (int q = 0; q < p; q++)
        list[m++] = pair_of (products[i].site[p], products[i].site[q]);
  qsort (list, m, sizeof *list, compare_pairs);
  for (size_t i = 0, run = 0; i < m; i++)
    {
      run = i > 0 && !compare_pairs (&list[i], &list[i - 1]) ? run + 1 : 1;
      if ((int) run > most)
        {
          most = (int) run;
          *best = list[i];
        }
    }
  return most;
}

/** Put `array` in place of a pair; false if the product has none. */
static bool
put_pair (vrg_product *p, const pair *wanted, int array)
{
  for (int i = 0; i < p->factors; i++)
    for (int j = 0; j < i; j++)
      {
        const vrg_bands_site one = p->site[i], two = p->site[j];
        const pair found = pair_of (one, two);
        if (compare_pairs (&found, wanted))
          continue;
        p->site[j] = (vrg_bands_site){ array, one.layer < two.layer ? one.layer : two.layer };
        p->site[i] = p->site[--p->factors];
        return true;
      }
  return false;
}

#define PAIRS_MOST 64

/** Arrays of their own for pairs that several products share, and then for products of more than two factors: no product
 *  has more than two in the end.  shared: how the arrays from `arrays` on are made of earlier ones, up to PAIRS_MOST + n.
 *  Offsets of layers are >= 0.  Returns their number. */
static int
share (int arrays, int n, vrg_product *products, vrg_product *shared)
{
  int made = 0;
  pair *list = vrg_new ((int64_t) n * VRG_PATTERN_SITES * (VRG_PATTERN_SITES - 1) / 2, sizeof *list, "pairs"), best;
  while (made < PAIRS_MOST && commonest (n, products, list, &best) > 1)
    {
      const int back = best.layers < 0 ? best.layers : 0; /* the earlier factor is at the array's layer 0 */
      shared[made] = (vrg_product){ .factors = 2, .site = { { best.a, -back }, { best.b, best.layers - back } } };
      for (int i = 0; i < n; i++)
        while (put_pair (&products[i], &best, arrays + made))
          ;
      made++;
    }
  for (int i = 0; i < n; i++)
    if (products[i].factors > 2)
      {
        shared[made] = products[i];
        products[i] = (vrg_product){ .factors = 1, .site = { { arrays + made, 0 } } };
        made++;
      }
  vrg_free (list);
  return made;
}

/** XOR of two arrays into a third; places are words from the bands' bits.  behind: layers by which the result is shorter
 *  than the copies. */
typedef struct
{
  uint32_t one, two, to;
  int32_t behind;
} step;

/** The set bits of the XOR of two arrays are to be added to a counter.  This and the next ones, `together` in all, have the
 *  same first array. */
typedef struct
{
  uint32_t one, two, to, together;
} tally;

#define TOGETHER_MOST 4

/** Put products that have a factor in common together. */
static void
gather_products (int n, tally *t)
{
  for (int first = 0, next; first < n; first = next)
    {
      int uses[2] = { 0 };
      for (int k = first; k < n; k++)
        for (int side = 0; side < 2; side++)
          {
            const uint32_t factor = side ? t[first].two : t[first].one;
            uses[side] += t[k].one == factor || t[k].two == factor;
          }
      const uint32_t common = uses[1] > uses[0] ? t[first].two : t[first].one;
      next = first;
      for (int k = first; k < n && next < first + TOGETHER_MOST; k++)
        if (t[k].one == common || t[k].two == common)
          {
            const tally found = t[k];
            t[k] = t[next];
            t[next++] = (tally){ common, found.one == common ? found.two : found.one, found.to, 1 };
          }
      t[first].together = (uint32_t) (next - first);
    }
}

/* Lattices of one word */

#define WORD_SITES 15 /* translations that two vectors hold; one more is empty */

/** A whole lattice of at most 64 sites in one word, its translations in two vectors: rows go round by shifts of the word,
 *  columns by shifts under masks.  Eight operators at a time have a lane each, those with most images first, so that sums
 *  need no horizontal additions.  index: for each eight operators, image and site, which translation each lane takes. */
typedef struct
{
  uint64_t shift[4][WORD_SITES + 1]; /* rows right and left, columns right and left */
  uint64_t mask[2][WORD_SITES + 1];  /* of columns right and left */
  uint64_t all;
  int sites;
  struct
  {
    int images, sites;
  } * most; /* of each eight operators */
  int *order;
  uint8_t (*index)[VRG_BANDS_VECTOR];
} word_plan;

/** Which translation moves by an offset; added if new; WORD_SITES if there are too many. */
static int
word_site (word_plan *w, const vrg_bands *b, const int *offset)
{
  const int columns = (int) b->columns, rows = (int) b->layers, row = b->dimension == 1 ? 0 : offset[0] % rows,
            column = offset[b->dimension - 1] % columns;
  const uint64_t down = (uint64_t) (row * columns), right = (uint64_t) column;
  int i = 0;
  while (i < w->sites && !(w->shift[0][i] == down && w->shift[2][i] == right))
    i++;
  if (i < w->sites || i == WORD_SITES)
    return i;
  w->shift[0][i] = down;
  w->shift[1][i] = (uint64_t) (rows * columns) - down;
  w->shift[2][i] = right;
  w->shift[3][i] = (uint64_t) columns - right;
  for (int bit = 0; bit < rows * columns; bit++)
    w->mask[bit % columns < columns - column ? 0 : 1][i] |= UINT64_C (1) << bit;
  return w->sites++;
}

static void
word_plan_free (word_plan *w)
{
  if (w == NULL)
    return;
  vrg_free (w->most);
  vrg_free (w->order);
  vrg_free (w->index);
  vrg_free (w);
}

/** NULL if the lattice or its translations are too many. */
static word_plan *
word_plan_new (const vrg_bands *b, int n, const vrg_operator *ops)
{
  if (b->dimension > 2 || b->layers * b->columns > 64)
    return NULL;
  const int lanes = VRG_BANDS_VECTOR, eights = (n + lanes - 1) / lanes;
  word_plan *w = vrg_new (1, sizeof *w, "operators");
  w->all = vrg_row_last_mask (b->layers * b->columns);
  w->most = vrg_new (eights, sizeof *w->most, "operators");
  w->order = vrg_new (n, sizeof *w->order, "operators");
  for (int a = 0, place; a < n; a++)
    {
      for (place = a; place > 0 && ops[w->order[place - 1]].images < ops[a].images; place--)
        w->order[place] = w->order[place - 1];
      w->order[place] = a;
    }
  int rows = 0;
  for (int k = 0; k < eights; k++)
    {
      for (int a = k * lanes; a < n && a < (k + 1) * lanes; a++)
        {
          const vrg_operator *op = &ops[w->order[a]];
          w->most[k].images = op->images > w->most[k].images ? op->images : w->most[k].images;
          w->most[k].sites = op->sites > w->most[k].sites ? op->sites : w->most[k].sites;
        }
      rows += w->most[k].images * w->most[k].sites;
    }
  w->index = vrg_new (rows, sizeof *w->index, "products");
  memset (w->index, WORD_SITES, (size_t) rows * sizeof *w->index);
  bool fit = true;
  for (int k = 0, row = 0; k < eights; row += w->most[k].images * w->most[k].sites, k++)
    for (int a = k * lanes; a < n && a < (k + 1) * lanes; a++)
      for (int i = 0; i < ops[w->order[a]].images; i++)
        for (int q = 0; q < ops[w->order[a]].sites; q++)
          {
            const int site = word_site (w, b, ops[w->order[a]].offset[i][q]);
            w->index[row + i * w->most[k].sites + q][a % lanes] = (uint8_t) site;
            fit = fit && site < WORD_SITES;
          }
  if (fit)
    return w;
  word_plan_free (w);
  return NULL;
}

/* Plan */

struct vrg_operators
{
  int dimension, n;
  int64_t size[VRG_MAX_DIMENSION], sites;
  vrg_operator *ops;
  vrg_bands bands;
  int n_shared, n_products;
  step *shared;                     /* of shared products, in order */
  tally *products;                  /* to: counter */
  int64_t *total;                   /* number of each operator's products, negative for odd ones */
  int64_t (*set)[VRG_BANDS_VECTOR]; /* set bits of each operator's products, in shares */
  word_plan *word;                  /* if there is one */
  vrg_counting *counting;
};

vrg_operators *
vrg_operators_new (int dimension, const int64_t *size, int n, const vrg_operator *const *ops)
{
  vrg_operators *o = vrg_new (1, sizeof *o, "operators");
  o->dimension = dimension;
  o->n = n;
  o->sites = 1;
  for (int d = 0; d < dimension; d++)
    o->sites *= o->size[d] = size[d];
  o->ops = vrg_new (n, sizeof *o->ops, "operators");
  o->set = vrg_new (n, sizeof *o->set, "set bits");
  o->total = vrg_new (n, sizeof *o->total, "operators");
  int most = 0;
  for (int a = 0; a < n; a++)
    {
      o->ops[a] = *ops[a];
      o->total[a] = (ops[a]->sites % 2 ? -1 : 1) * o->sites * ops[a]->images;
      o->n_products += ops[a]->images;
      most = ops[a]->images > most ? ops[a]->images : most;
    }
  vrg_product *products = vrg_new (o->n_products, sizeof *products, "products");
  vrg_product *shared = vrg_new (PAIRS_MOST + o->n_products, sizeof *shared, "shared products");
  o->products = vrg_new (o->n_products, sizeof *o->products, "products");
  vrg_bands_init (&o->bands, dimension, size);
  o->word = word_plan_new (&o->bands, n, o->ops);
  for (int i = 0, k = 0; i < most; i++)
    for (int a = 0; a < n; a++)
      if (i < ops[a]->images)
        {
          products[k].factors = ops[a]->sites;
          for (int q = 0; q < ops[a]->sites; q++)
            products[k].site[q] = vrg_bands_need (&o->bands, ops[a]->offset[i][q]);
          o->products[k++].to = (uint32_t) a;
        }
  const int copies = o->bands.copies, made = share (copies, o->n_products, products, shared);
  vrg_bands_allocate (&o->bands, made + 1);
  const int64_t span = o->bands.span;
  VRG_ASSERT ((copies + made + 1) * span <= UINT32_MAX);
  for (int i = 0; i < made; i++)
    o->n_shared += shared[i].factors - 1;
  o->shared = vrg_new (o->n_shared, sizeof *o->shared, "shared products");
  vrg_products_locate (&o->bands, made, shared);
  vrg_products_locate (&o->bands, o->n_products, products);
  for (int i = 0, k = 0; i < made; i++)
    {
      const uint32_t to = (uint32_t) ((copies + i) * span);
      int behind = 0;
      for (int q = 0; q < shared[i].factors; q++)
        behind = shared[i].site[q].layer > behind ? shared[i].site[q].layer : behind;
      for (int q = 1; q < shared[i].factors; q++)
        o->shared[k++] = (step){ q > 1 ? to : (uint32_t) shared[i].at[0], (uint32_t) shared[i].at[q], to, behind };
    }
  for (int k = 0; k < o->n_products; k++) /* what is one factor has an empty array as the other */
    {
      o->products[k].one = (uint32_t) products[k].at[0];
      o->products[k].two = (uint32_t) (products[k].factors > 1 ? products[k].at[1] : (copies + made) * span);
    }
  gather_products (o->n_products, o->products);
  vrg_free (shared);
  vrg_free (products);
  return o;
}

void
vrg_operators_free (vrg_operators *o)
{
  if (o == NULL)
    return;
  vrg_counting_free (o->counting);
  word_plan_free (o->word);
  vrg_bands_clear (&o->bands);
  vrg_free (o->ops);
  vrg_free (o->shared);
  vrg_free (o->products);
  vrg_free (o->set);
  vrg_free (o->total);
  vrg_free (o);
}

/* Sums */

/** The shared products, for the layers that others may reach. */
ALWAYS void
share_body (const vrg_operators *o, int64_t layers)
{
  uint64_t *const bits = o->bands.bits;
  const step *const shared = o->shared;
  const int64_t unit = o->bands.unit, high = o->bands.high;
  const int n = o->n_shared;
  for (int k = 0; k < n; k++)
    {
      const uint64_t *one = bits + shared[k].one, *two = bits + shared[k].two;
      uint64_t *to = bits + shared[k].to;
      const int64_t words = (layers + high - shared[k].behind) * unit;
      for (int64_t w = 0; w < words; w += VRG_BANDS_VECTOR)
        *(vector *) (to + w) = *(const vector *) (one + w) ^ *(const vector *) (two + w);
    }
}

/** Add the set bits of the products of one band. */
ALWAYS void
sums_body (const vrg_operators *o, int64_t layers)
{
  const uint64_t *const bits = o->bands.bits;
  const tally *const products = o->products;
  int64_t (*const set)[VRG_BANDS_VECTOR] = o->set;
  const int64_t words = layers * o->bands.unit;
  const int n = o->n_products;
  share_body (o, layers);
  for (int k = 0; k < n; k++)
    {
      const uint64_t *one = bits + products[k].one, *two = bits + products[k].two;
      int64_t sum = 0;
      for (int64_t w = 0; w < words; w++)
        sum += __builtin_popcountll (one[w] ^ two[w]);
      set[products[k].to][0] += sum;
    }
}

static void
sums_portable (const vrg_operators *o, int64_t layers)
{
  sums_body (o, layers);
}

__attribute__ ((target ("avx2,popcnt"))) static void
sums_avx2 (const vrg_operators *o, int64_t layers)
{
  sums_body (o, layers);
}

#define TARGET_POPCNT __attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,popcnt")))

/** n products with a common factor: `whole` words and those of the next 8 that are in `rest`. */
TARGET_POPCNT ALWAYS void
tally_products (int n, const tally *products, const uint64_t *bits, int64_t whole, __mmask8 rest,
                int64_t (*set)[VRG_BANDS_VECTOR])
{
  const uint64_t *one = bits + products->one, *two[TOGETHER_MOST];
  __m512i sum[TOGETHER_MOST];
  for (int i = 0; i < n; i++)
    {
      two[i] = bits + products[i].two;
      sum[i] = _mm512_setzero_si512 ();
    }
  for (int64_t w = 0; w < whole; w += VRG_BANDS_VECTOR)
    {
      const __m512i common = _mm512_loadu_si512 (one + w);
      for (int i = 0; i < n; i++)
        {
          const __m512i x = _mm512_xor_si512 (common, _mm512_loadu_si512 (two[i] + w));
          sum[i] = _mm512_add_epi64 (sum[i], _mm512_popcnt_epi64 (x));
        }
    }
  if (rest)
    for (int i = 0; i < n; i++)
      {
        const __m512i x = _mm512_xor_si512 (_mm512_maskz_loadu_epi64 (rest, one + whole),
                                            _mm512_maskz_loadu_epi64 (rest, two[i] + whole));
        sum[i] = _mm512_add_epi64 (sum[i], _mm512_popcnt_epi64 (x));
      }
  for (int i = 0; i < n; i++)
    {
      int64_t *to = set[products[i].to];
      _mm512_store_si512 (to, _mm512_add_epi64 (_mm512_load_si512 (to), sum[i]));
    }
}

TARGET_POPCNT static void
sums_avx512 (const vrg_operators *o, int64_t layers)
{
  if (layers * o->bands.unit <= 2)
    {
      sums_avx2 (o, layers);
      return;
    }
  const uint64_t *const bits = o->bands.bits;
  const tally *const products = o->products;
  int64_t (*const set)[VRG_BANDS_VECTOR] = o->set;
  const int n = o->n_products;
  const int64_t words = layers * o->bands.unit, whole = words / VRG_BANDS_VECTOR * VRG_BANDS_VECTOR;
  const __mmask8 rest = (__mmask8) ((1 << (words - whole)) - 1);
  share_body (o, layers);
  for (int k = 0; k < n; k += (int) products[k].together)
    if (products[k].together == 4)
      tally_products (4, products + k, bits, whole, rest, set);
    else if (products[k].together == 3)
      tally_products (3, products + k, bits, whole, rest, set);
    else if (products[k].together == 2)
      tally_products (2, products + k, bits, whole, rest, set);
    else
      tally_products (1, products + k, bits, whole, rest, set);
}

/** Sums on a lattice of one word. */
TARGET_POPCNT static void
sums_word (const vrg_operators *o, const vrg_lattice *lattice, int64_t *restrict sums)
{
  const word_plan *const w = o->word;
  uint64_t bits = 0;
  for (int64_t y = 0; y < lattice->rows; y++)
    bits |= lattice->spins[y * lattice->stride] << (y * lattice->columns);
  const __m512i x = _mm512_set1_epi64 ((long long) bits), all = _mm512_set1_epi64 ((long long) w->all);
  __m512i site[2];
  for (int h = 0; h < 2; h++)
    {
#define AT(table) _mm512_loadu_si512 ((table) + 8 * h)
      const __m512i y = _mm512_or_si512 (_mm512_srlv_epi64 (x, AT (w->shift[0])),
                                         _mm512_and_si512 (_mm512_sllv_epi64 (x, AT (w->shift[1])), all));
      site[h] = _mm512_or_si512 (_mm512_and_si512 (_mm512_srlv_epi64 (y, AT (w->shift[2])), AT (w->mask[0])),
                                 _mm512_and_si512 (_mm512_sllv_epi64 (y, AT (w->shift[3])), AT (w->mask[1])));
#undef AT
    }
  const uint8_t (*index)[VRG_BANDS_VECTOR] = (const uint8_t (*)[VRG_BANDS_VECTOR]) w->index;
  for (int a = 0, k = 0; a < o->n; a += VRG_BANDS_VECTOR, k++)
    {
      int64_t set[VRG_BANDS_VECTOR];
      __m512i sum = _mm512_setzero_si512 ();
      for (int i = 0; i < w->most[k].images; i++)
        {
          __m512i product = _mm512_setzero_si512 ();
          for (int q = 0; q < w->most[k].sites; q++, index++)
            {
              const __m512i which = _mm512_cvtepu8_epi64 (_mm_loadu_si64 (index));
              product = _mm512_xor_si512 (product, _mm512_permutex2var_epi64 (site[0], which, site[1]));
            }
          sum = _mm512_add_epi64 (sum, _mm512_popcnt_epi64 (product));
        }
      _mm512_storeu_si512 (set, sum);
      for (int i = 0; i < VRG_BANDS_VECTOR && a + i < o->n; i++)
        {
          const int to = w->order[a + i];
          sums[to] = o->total[to] + (o->total[to] > 0 ? -2 : 2) * set[i];
        }
    }
}

/** A set bit is an odd number of + spins: product -1 of an even, +1 of an odd number of sites.  Unused bits are 0. */
ALWAYS void
add_up_body (const vrg_operators *o, int64_t *restrict sums)
{
  const int64_t (*const set)[VRG_BANDS_VECTOR] = (const int64_t (*)[VRG_BANDS_VECTOR]) o->set;
  const int64_t *const products = o->total;
  const int n = o->n;
  for (int a = 0; a < n; a++)
    {
      int64_t sum = 0;
      for (int i = 0; i < VRG_BANDS_VECTOR; i++)
        sum += set[a][i];
      sums[a] = products[a] > 0 ? products[a] - 2 * sum : products[a] + 2 * sum;
    }
}

VRG_PATHS (add_up, (const vrg_operators *o, int64_t *sums), (o, sums))

void
vrg_operators_sums (vrg_operators *o, const vrg_lattice *lattice, int64_t *sums)
{
  static void (*const paths[]) (const vrg_operators *, int64_t) = { sums_portable, sums_avx2, sums_avx512 };
  const vrg_simd_path path = vrg_simd ();
  if (path == VRG_SIMD_AVX512 && o->word != NULL)
    {
      sums_word (o, lattice, sums);
      return;
    }
  memset (o->set, 0, (size_t) o->n * sizeof *o->set);
  for (int64_t first = 0; first < o->bands.depth; first += o->bands.most)
    {
      const int64_t rest = o->bands.depth - first, layers = rest < o->bands.most ? rest : o->bands.most;
      vrg_bands_fill (&o->bands, lattice, first, layers);
      paths[path](o, layers);
    }
  add_up (o, sums);
}

void
vrg_operators_count (vrg_operators *o, const vrg_lattice *lattice, int64_t *counts)
{
  if (o->counting == NULL)
    o->counting = vrg_counting_new (o->dimension, o->size, o->n, o->ops);
  vrg_counting_add (o->counting, lattice, counts);
}

/* One lattice only */

static vrg_operators *
plan_for (const vrg_lattice *lattice, int n, const vrg_operator *const *ops)
{
  const int64_t sizes[VRG_MAX_DIMENSION] = { lattice->rows / lattice->plane, lattice->plane, lattice->columns };
  const int64_t flat[2] = { lattice->rows, lattice->columns };
  return vrg_operators_new (lattice->dimension, lattice->dimension == 3 ? sizes : flat + 2 - lattice->dimension, n,
                            ops);
}

void
vrg_operators_sum (const vrg_lattice *lattice, int n, const vrg_operator *const *ops, int64_t *sums)
{
  vrg_operators *o = plan_for (lattice, n, ops);
  vrg_operators_sums (o, lattice, sums);
  vrg_operators_free (o);
}

void
vrg_operators_environments (const vrg_lattice *lattice, int n, const vrg_operator *const *ops, int64_t *counts)
{
  vrg_operators *o = plan_for (lattice, n, ops);
  vrg_operators_count (o, lattice, counts);
  vrg_operators_free (o);
}
