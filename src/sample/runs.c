/* SPDX-License-Identifier: GPL-3.0-or-later
 * Clusters of a strip by runs of sites. */
#include "sample/runs.h"

#include <immintrin.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/simd.h"

#define MARGIN 64 /* whole vectors are written behind the end */
#define INLINE static inline __attribute__ ((always_inline))
#define AVX2 __attribute__ ((target ("avx2,bmi,bmi2,popcnt,pclmul,lzcnt")))
#define AVX512                                                                                                         \
  __attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx512vbmi2,avx512bitalg,avx512vpopcntdq,"    \
                          "avx2,bmi,bmi2,popcnt,pclmul,lzcnt")))

void
vrg_runs_init (vrg_runs *runs, const vrg_lattice *shape, int64_t chunk)
{
  const int64_t rows = shape->row1 - shape->row0, words = rows * shape->stride;
  *runs = (vrg_runs){ .rows = rows,
                      .columns = shape->columns,
                      .words = shape->words,
                      .stride = shape->stride,
                      .plane = shape->plane,
                      .above = shape->dimension - 1,
                      .gap = (chunk * shape->columns + 2 * MARGIN) / MARGIN * MARGIN };
  runs->starts = vrg_new (words, sizeof (uint64_t), "runs");
  for (int k = 0; k < runs->above; k++)
    runs->firsts[k] = vrg_new (words, sizeof (uint64_t), "runs");
  runs->heads = vrg_new (rows * (shape->stride + 2), sizeof (uint64_t), "runs");
  runs->run = vrg_new (rows + 1, sizeof (int32_t), "runs");
  runs->head = vrg_new (rows + 1, sizeof (int32_t), "runs");
  runs->wraps = vrg_new (rows, 1, "runs");
  runs->turns = vrg_new (shape->stride + 2, sizeof (uint64_t), "runs");
}

static void
free_labels (vrg_runs *runs)
{
  vrg_free (runs->label);
  for (int i = 0; i < 4; i++)
    vrg_free (runs->pair[i]);
}

void
vrg_runs_clear (vrg_runs *runs)
{
  vrg_free (runs->starts);
  for (int k = 0; k < runs->above; k++)
    vrg_free (runs->firsts[k]);
  vrg_free (runs->heads);
  vrg_free (runs->run);
  vrg_free (runs->head);
  vrg_free (runs->wraps);
  vrg_free (runs->turns);
  vrg_free (runs->flip);
  vrg_free (runs->own);
  free_labels (runs);
}

INLINE void
add_body (vrg_runs *runs, int64_t row, const uint64_t *right)
{
  uint64_t *starts = runs->starts + row * runs->stride, joined = 0;
  const int64_t words = runs->words, last = words - 1;
  int32_t n = 0;
  for (int64_t w = 0; w < words; w++)
    {
      starts[w] = ~(right[w] << 1 | joined);
      if (w == last)
        starts[w] &= vrg_row_last_mask (runs->columns);
      joined = right[w] >> 63;
      n += __builtin_popcountll (starts[w]);
    }
  runs->wraps[row] = (uint8_t) (right[last] >> ((runs->columns - 1) % 64) & 1);
  runs->run[row + 1] = runs->run[row] + n;
}

static void
add_portable (vrg_runs *runs, int64_t row, const uint64_t *right)
{
  add_body (runs, row, right);
}

AVX2 static void
add_avx2 (vrg_runs *runs, int64_t row, const uint64_t *right)
{
  add_body (runs, row, right);
}

void
vrg_runs_add (vrg_runs *runs, int64_t row, const uint64_t *right)
{
  (vrg_simd () == VRG_SIMD_PORTABLE ? add_portable : add_avx2) (runs, row, right);
}

void
vrg_runs_ready (vrg_runs *runs)
{
  int64_t longest = 0;
  for (int64_t y = 0; y < runs->rows; y++)
    if (runs->run[y + 1] - runs->run[y] > longest)
      longest = runs->run[y + 1] - runs->run[y];
  if (longest > runs->pitch)
    {
      const int64_t more = longest + longest / 8 + MARGIN, rows = 2 * runs->plane + 1;
      free_labels (runs);
      runs->pitch = ((more < runs->columns ? more : runs->columns) + MARGIN - 1) / MARGIN * MARGIN;
      VRG_ASSERT (runs->pitch * rows + MARGIN <= INT32_MAX);
      runs->label = vrg_new (runs->pitch * (runs->above ? rows : 1) + MARGIN, sizeof (int32_t), "labels of runs");
      /* Two rows of n runs touch at fewer than 2 n places. */
      for (int i = 0; i < 4 && runs->above; i++)
        runs->pair[i] = vrg_new (2 * runs->above * runs->pitch + MARGIN, sizeof (int32_t), "labels of runs");
    }
  const int64_t heads = VRG_RUNS_BEGIN + runs->run[runs->rows];
  if (heads > runs->capacity)
    {
      /* There may be as many heads as runs.  The old labels are of no use, so nothing is copied; a little more than is
       * needed, since the next sweep's number will differ by little. */
      const int64_t most = VRG_RUNS_BEGIN + runs->rows * runs->columns, more = heads + heads / 32;
      vrg_free (runs->flip);
      vrg_free (runs->own);
      runs->capacity = more < most ? more : most;
      runs->flip
        = vrg_new_room (runs->gap + (runs->capacity + MARGIN) * (int64_t) sizeof (int32_t), 1, "cluster labels");
      runs->own = vrg_new (runs->capacity / 64 + 3, sizeof *runs->own, "cluster labels");
      runs->parent = (int32_t *) (void *) (runs->flip + runs->gap);
    }
  runs->parent[VRG_RUNS_STAY] = VRG_RUNS_STAY;
  runs->parent[VRG_RUNS_TURN] = VRG_RUNS_TURN;
  runs->head[0] = VRG_RUNS_BEGIN;
  runs->own[0] = 0;
}

/** Join the clusters of two heads; the smaller root stays.  Rem's algorithm: both paths are climbed together and spliced
 *  on the way (Patwary, Blair, Manne, SEA 2010). */
INLINE void
unite (int32_t *parent, int32_t u, int32_t v)
{
  int32_t a = parent[u], b = parent[v];
  while (a != b)
    {
      const bool swap = a > b;
      const int32_t low = swap ? b : a, high = swap ? a : b, from = swap ? u : v, other = swap ? v : u;
      parent[from] = low;
      if (high == from)
        return;
      u = high;
      v = other;
      a = parent[u];
      b = low;
    }
}

/** a + b + *carry; leaves the carry out. */
INLINE uint64_t
add_carry (uint64_t a, uint64_t b, uint64_t *carry)
{
  const uint64_t s = a + b, t = s + *carry;
  *carry = (uint64_t) (s < a) | (uint64_t) (t < s);
  return t;
}

/** Bonds to another row without those that the next bond to the left makes superfluous: no run of either row starts
 *  between the two.  Such a bond is where a carry arrives that every bond sends out to the right and that sites which
 *  start no run pass on. */
INLINE uint64_t
needed_bonds (uint64_t bonds, uint64_t starts, uint64_t other, uint64_t *carry)
{
  const uint64_t pass = ~(starts | other), a = bonds | pass, sum = add_carry (a, bonds, carry);
  return bonds & ~(pass & (sum ^ a ^ bonds));
}

/** The first bond of every run: a carry starts with the run and is passed on until there is a bond.  *none: starts of runs
 *  at which it arrives from a run without a bond. */
INLINE uint64_t
first_bonds (uint64_t bonds, uint64_t starts, uint64_t *carry, uint64_t *none)
{
  const uint64_t b = starts & ~bonds, sum = add_carry (~bonds, b, carry), arrives = sum ^ ~bonds ^ b;
  *none = arrives & starts;
  return bonds & (starts | arrives);
}

/** 64 bits from bit `at` on. */
INLINE uint64_t
get_bits (const uint64_t *words, int64_t at)
{
  return words[at / 64] >> (at % 64) | words[at / 64 + 1] << 1 << (63 - at % 64);
}

/** Write bits at bit `at`, behind which there is nothing yet. */
INLINE void
put_bits (uint64_t *words, int64_t at, uint64_t bits)
{
  words[at / 64] |= bits << (at % 64);
  words[at / 64 + 1] = bits >> 1 >> (63 - at % 64);
}

/* Operations on the bits of a word, whose portable forms define what the instructions do. */

/** The bits at the places that are set in mask, side by side. */
static inline uint64_t
extract_portable (uint64_t bits, uint64_t mask)
{
  uint64_t out = 0;
  for (int k = 0; mask; mask &= mask - 1, k++)
    out |= (bits >> __builtin_ctzll (mask) & 1) << k;
  return out;
}

/** Its inverse: the low bits go to the places that are set in mask. */
static inline uint64_t
deposit_portable (uint64_t bits, uint64_t mask)
{
  uint64_t out = 0;
  for (; mask; mask &= mask - 1, bits >>= 1)
    out |= (mask & -mask) & -(bits & 1);
  return out;
}

/** Bit x: the parity of bits 0 .. x. */
static inline uint64_t
parity_portable (uint64_t bits)
{
  for (int shift = 1; shift < 64; shift *= 2)
    bits ^= bits << shift;
  return bits;
}

/** 64 bits as as many bytes, 0 or 1, and back. */
static inline void
to_bytes_portable (uint64_t bits, uint8_t *bytes)
{
  for (int i = 0; i < 64; i++)
    bytes[i] = (uint8_t) (bits >> i & 1);
}

static inline uint64_t
to_bits_portable (const uint8_t *bytes)
{
  uint64_t bits = 0;
  for (int i = 0; i < 64; i++)
    bits |= (uint64_t) bytes[i] << i;
  return bits;
}

AVX2 static inline uint64_t
extract_avx2 (uint64_t bits, uint64_t mask)
{
  return _pext_u64 (bits, mask);
}

AVX2 static inline uint64_t
deposit_avx2 (uint64_t bits, uint64_t mask)
{
  return _pdep_u64 (bits, mask);
}

AVX2 static inline uint64_t
parity_avx2 (uint64_t bits)
{
  const __m128i product = _mm_clmulepi64_si128 (_mm_cvtsi64_si128 ((int64_t) bits), _mm_set1_epi8 (-1), 0);
  return (uint64_t) _mm_cvtsi128_si64 (product);
}

AVX2 static inline void
to_bytes_avx2 (uint64_t bits, uint8_t *bytes)
{
  for (int i = 0; i < 8; i++)
    {
      const uint64_t eight = _pdep_u64 (bits >> 8 * i, UINT64_C (0x0101010101010101));
      memcpy (bytes + 8 * i, &eight, sizeof eight);
    }
}

AVX2 static inline uint64_t
to_bits_avx2 (const uint8_t *bytes)
{
  const __m256i low = _mm256_loadu_si256 ((const __m256i *) bytes),
                high = _mm256_loadu_si256 ((const __m256i *) (bytes + 32));
  return (uint32_t) _mm256_movemask_epi8 (_mm256_slli_epi16 (low, 7))
         | (uint64_t) (uint32_t) _mm256_movemask_epi8 (_mm256_slli_epi16 (high, 7)) << 32;
}

AVX512 static inline void
to_bytes_avx512 (uint64_t bits, uint8_t *bytes)
{
  _mm512_storeu_si512 (bytes, _mm512_maskz_set1_epi8 (bits, 1));
}

AVX512 static inline uint64_t
to_bits_avx512 (const uint8_t *bytes)
{
  const __m512i v = _mm512_loadu_si512 (bytes);
  return (uint64_t) _mm512_test_epi8_mask (v, v);
}

/** Bits of a word up to and with bit x. */
INLINE uint64_t
up_to (int x)
{
  return ~UINT64_C (0) >> (63 - x);
}

/** Runs of two rows at the set bits of `bits`, to the end of a list of n; returns its new length.  a, b: where the rows'
 *  runs start; a0, b0: the run that the word's first site is in if none starts there. */
INLINE int64_t
put_pairs (uint64_t bits, uint64_t a, int32_t a0, uint64_t b, int32_t b0, int32_t *la, int32_t *lb, int64_t n)
{
  for (; bits; bits &= bits - 1, n++)
    {
      const uint64_t mask = up_to (__builtin_ctzll (bits));
      la[n] = a0 + __builtin_popcountll (a & mask);
      lb[n] = b0 + __builtin_popcountll (b & mask);
    }
  return n;
}

static inline int64_t
put_portable (uint64_t bits, uint64_t a, int32_t a0, uint64_t b, int32_t b0, int32_t *la, int32_t *lb, int64_t n,
              int most)
{
  (void) most;
  return put_pairs (bits, a, a0, b, b0, la, lb, n);
}

AVX2 static inline int64_t
put_avx2 (uint64_t bits, uint64_t a, int32_t a0, uint64_t b, int32_t b0, int32_t *la, int32_t *lb, int64_t n, int most)
{
  (void) most;
  return put_pairs (bits, a, a0, b, b0, la, lb, n);
}

/** Byte x: how many of bits 0 .. x are set, for all bits of a word at once: those of lower bytes, and those of its own
 *  byte. */
AVX512 static inline __m512i
counts (uint64_t bits)
{
  const __m512i byte = _mm512_set_epi64 (0x0707070707070707, 0x0606060606060606, 0x0505050505050505, 0x0404040404040404,
                                         0x0303030303030303, 0x0202020202020202, 0x0101010101010101, 0),
                mask = _mm512_set1_epi64 ((int64_t) UINT64_C (0xff7f3f1f0f070301));
  const uint64_t each = (uint64_t) _mm_cvtsi128_si64 (_mm_popcnt_epi8 (_mm_cvtsi64_si128 ((int64_t) bits)));
  const __m512i lower = _mm512_set1_epi64 ((int64_t) (each * UINT64_C (0x0101010101010100)));
  const __m512i own = _mm512_and_si512 (_mm512_shuffle_epi8 (_mm512_set1_epi64 ((int64_t) bits), byte), mask);
  return _mm512_add_epi8 (_mm512_popcnt_epi8 (own), _mm512_shuffle_epi8 (lower, byte));
}

AVX512 static inline void
put_sixteen (int32_t *out, __m128i bytes, __m512i add)
{
  _mm512_storeu_si512 (out, _mm512_add_epi32 (_mm512_cvtepu8_epi32 (bytes), add));
}

/** most: rarely are there more bits than that. */
AVX512 static inline int64_t
put_avx512 (uint64_t bits, uint64_t a, int32_t a0, uint64_t b, int32_t b0, int32_t *la, int32_t *lb, int64_t n,
            int most)
{
  const __m512i ca = _mm512_maskz_compress_epi8 (bits, counts (a)), cb = _mm512_maskz_compress_epi8 (bits, counts (b)),
                sa = _mm512_set1_epi32 (a0), sb = _mm512_set1_epi32 (b0);
  const int more = __builtin_popcountll (bits);
  la += n;
  lb += n;
  put_sixteen (la, _mm512_castsi512_si128 (ca), sa);
  put_sixteen (lb, _mm512_castsi512_si128 (cb), sb);
  if (most > 16 || __builtin_expect (more > 16, 0))
    {
      put_sixteen (la + 16, _mm512_extracti32x4_epi32 (ca, 1), sa);
      put_sixteen (lb + 16, _mm512_extracti32x4_epi32 (cb, 1), sb);
    }
  if (__builtin_expect (more > 32, 0))
    {
      put_sixteen (la + 32, _mm512_extracti32x4_epi32 (ca, 2), sa);
      put_sixteen (lb + 32, _mm512_extracti32x4_epi32 (cb, 2), sb);
      put_sixteen (la + 48, _mm512_extracti32x4_epi32 (ca, 3), sa);
      put_sixteen (lb + 48, _mm512_extracti32x4_epi32 (cb, 3), sb);
    }
  return n + more;
}

typedef int64_t put_function (uint64_t bits, uint64_t a, int32_t a0, uint64_t b, int32_t b0, int32_t *la, int32_t *lb,
                              int64_t n, int most);

typedef uint64_t two_words (uint64_t bits, uint64_t mask);
typedef uint64_t one_word (uint64_t bits);
typedef void to_bytes_function (uint64_t bits, uint8_t *bytes);
typedef uint64_t to_bits_function (const uint8_t *bytes);

/** Labels of n runs of a row: heads, of which bit i of heads[] says whether run i - 1 is one, get the numbers from `next`
 *  on, other runs anything. */
typedef void number_function (const uint64_t *heads, int64_t n, int32_t next, int32_t *label);

static inline void
number_heads (const uint64_t *heads, int64_t n, int32_t next, int32_t *label)
{
  for (int64_t i = 0; i < n; i += 64)
    {
      uint64_t bits = get_bits (heads, i + 1);
      for (int j = 0; j < 64; j++, bits >>= 1)
        {
          label[i + j] = next;
          next += (int32_t) (bits & 1);
        }
    }
}

AVX512 static inline void
number_heads_avx512 (const uint64_t *heads, int64_t n, int32_t next, int32_t *label)
{
  const __m512i order = _mm512_set_epi32 (15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  for (int64_t i = 0; i < n; i += 64)
    {
      const uint64_t bits = get_bits (heads, i + 1);
      for (int j = 0; j < 64; j += 16)
        {
          const __mmask16 mask = (__mmask16) (bits >> j);
          const __m512i number = _mm512_add_epi32 (_mm512_maskz_expand_epi32 (mask, order), _mm512_set1_epi32 (next));
          _mm512_storeu_si512 (label + i + j, number);
          next += __builtin_popcount (mask);
        }
    }
}

/** A row above in the course of labelling. */
typedef struct
{
  const uint64_t *bonds, *starts;
  uint64_t *firsts;
  int32_t last; /* place in `label` of the last run that starts before this word */
  uint64_t carry;
} scan;

INLINE void
label_body (vrg_runs *runs, int64_t row, const vrg_runs_above *above, put_function *put, two_words *extract,
            number_function *number)
{
  const int64_t stride = runs->stride, words = runs->words, n = runs->run[row + 1] - runs->run[row];
  const uint64_t *starts = runs->starts + row * stride;
  uint64_t *heads = runs->heads + row * (stride + 2), open = 0;
  int32_t *own = vrg_runs_row (runs, row), *label = runs->label, last = (int32_t) (own - label) - 1;
  scan up[VRG_RUNS_ABOVE];
  int ups = 0;
  for (int k = 0; k < runs->above; k++)
    if (above[k].bonds)
      up[ups++] = (scan){ above[k].bonds, runs->starts + above[k].row * stride, runs->firsts[k] + row * stride,
                          (int32_t) (vrg_runs_row (runs, above[k].row) - label) - 1, 0 };

  int64_t at = 0, firsts = 0, later = 0;
  heads[0] = 0;
  for (int64_t w = 0; w < words; w++)
    {
      uint64_t bonds[VRG_RUNS_ABOVE], all = 0, none;
      for (int k = 0; k < ups; k++)
        all |= bonds[k] = needed_bonds (up[k].bonds[w], starts[w], up[k].starts[w], &up[k].carry);
      uint64_t first = first_bonds (all, starts[w], &open, &none);
      put_bits (heads, at, extract (none, starts[w]));
      at += __builtin_popcountll (starts[w]);
      for (int k = 0; k < ups; k++)
        {
          const uint64_t mine = first & bonds[k], s = up[k].starts[w];
          first &= ~mine;
          up[k].firsts[w] = mine;
          firsts = put (mine, starts[w], last, s, up[k].last, runs->pair[0], runs->pair[1], firsts, 32);
          later = put (bonds[k] & ~mine, starts[w], last, s, up[k].last, runs->pair[2], runs->pair[3], later, 16);
          up[k].last += __builtin_popcountll (s);
        }
      last += __builtin_popcountll (starts[w]);
    }
  put_bits (heads, at, open);

  const int32_t begin = runs->head[row], end = begin + (int32_t) (n - firsts);
  runs->head[row + 1] = end;
  if (row + 1 == runs->rows)
    vrg_memory_use (runs->flip, runs->gap + (int64_t) (end + MARGIN) * (int64_t) sizeof (int32_t));
  int32_t *parent = runs->parent;
  for (int32_t i = begin; i < end; i++)
    parent[i] = i;
  number (heads, n, begin, own);
  for (int64_t i = 0; i < firsts; i++)
    label[runs->pair[0][i]] = label[runs->pair[1][i]];

  /* Pairs that are joined already are left out first, without branches that cannot be foreseen. */
  int32_t *lower = runs->pair[0], *upper = runs->pair[1], *high = runs->pair[2], *low = runs->pair[3];
  int64_t left = 0;
  for (int64_t i = 0; i < later; i++)
    {
      const int32_t a = label[high[i]], b = label[low[i]], pa = parent[a], pb = parent[b];
      lower[left] = a;
      upper[left] = b;
      high[left] = pa > pb ? pa : pb;
      low[left] = pa > pb ? pb : pa;
      left += pa != pb;
    }
  /* Nearly always the larger parent is a root.  It was read before any store, so that loads need not wait for stores whose
   * place is not known yet. */
  for (int64_t i = 0; i < left; i++)
    if (parent[high[i]] == high[i])
      parent[high[i]] = low[i];
    else
      unite (parent, lower[i], upper[i]);
  if (runs->wraps[row])
    unite (parent, own[0], own[n - 1]);
}

typedef void label_function (vrg_runs *runs, int64_t row, const vrg_runs_above *above);

static void
label_portable (vrg_runs *runs, int64_t row, const vrg_runs_above *above)
{
  label_body (runs, row, above, put_portable, extract_portable, number_heads);
}

AVX2 static void
label_avx2 (vrg_runs *runs, int64_t row, const vrg_runs_above *above)
{
  label_body (runs, row, above, put_avx2, extract_avx2, number_heads);
}

AVX512 static void
label_avx512 (vrg_runs *runs, int64_t row, const vrg_runs_above *above)
{
  label_body (runs, row, above, put_avx512, extract_avx2, number_heads_avx512);
}

void
vrg_runs_label (vrg_runs *runs, int64_t row, const vrg_runs_above above[VRG_RUNS_ABOVE])
{
  label_function *const paths[] = { label_portable, label_avx2, label_avx512 };
  paths[vrg_simd ()](runs, row, above);
}

void
vrg_runs_join (vrg_runs *runs, int64_t a, int64_t b, const uint64_t *bonds)
{
  const uint64_t *sa = runs->starts + a * runs->stride, *sb = runs->starts + b * runs->stride;
  const int32_t *la = vrg_runs_row (runs, a) - 1, *lb = vrg_runs_row (runs, b) - 1;
  uint64_t carry = 0;
  for (int64_t w = 0; w < runs->words; w++)
    {
      for (uint64_t bits = needed_bonds (bonds[w], sa[w], sb[w], &carry); bits; bits &= bits - 1)
        {
          const uint64_t mask = up_to (__builtin_ctzll (bits));
          unite (runs->parent, la[__builtin_popcountll (sa[w] & mask)], lb[__builtin_popcountll (sb[w] & mask)]);
        }
      la += __builtin_popcountll (sa[w]);
      lb += __builtin_popcountll (sb[w]);
    }
}

void
vrg_runs_stay (vrg_runs *runs, int64_t row, const uint64_t *bonds)
{
  const uint64_t *starts = runs->starts + row * runs->stride;
  const int32_t *label = vrg_runs_row (runs, row) - 1;
  uint64_t carry = 0, none;
  for (int64_t w = 0; w < runs->words; w++)
    {
      for (uint64_t bits = first_bonds (bonds[w], starts[w], &carry, &none); bits; bits &= bits - 1)
        unite (runs->parent, label[__builtin_popcountll (starts[w] & up_to (__builtin_ctzll (bits)))], VRG_RUNS_STAY);
      label += __builtin_popcountll (starts[w]);
    }
}

INLINE uint64_t
low_bits (int n)
{
  return n < 64 ? (UINT64_C (1) << n) - 1 : ~UINT64_C (0);
}

INLINE void
draw_body (vrg_runs *runs, int64_t row, int64_t n, const uint64_t *random, int64_t offset, two_words *extract)
{
  int64_t id = runs->head[row];
  for (int64_t y = row; y < row + n; y++)
    {
      const uint64_t *starts = runs->starts + y * runs->stride, *heads = runs->heads + y * (runs->stride + 2);
      int64_t at = 1;
      for (int64_t w = 0; w < runs->words; w++)
        {
          const int here = __builtin_popcountll (starts[w]);
          const uint64_t head = get_bits (heads, at) & low_bits (here);
          const uint64_t bits = extract (get_bits (random, y * runs->columns + 64 * w - offset), starts[w]);
          put_bits (runs->own, id, extract (bits, head));
          id += __builtin_popcountll (head);
          at += here;
        }
    }
}

static void
draw_portable (vrg_runs *runs, int64_t row, int64_t n, const uint64_t *random, int64_t offset)
{
  draw_body (runs, row, n, random, offset, extract_portable);
}

AVX2 static void
draw_avx2 (vrg_runs *runs, int64_t row, int64_t n, const uint64_t *random, int64_t offset)
{
  draw_body (runs, row, n, random, offset, extract_avx2);
}

void
vrg_runs_draw (vrg_runs *runs, int64_t row, int64_t n, const uint64_t *random, int64_t offset)
{
  (vrg_simd () == VRG_SIMD_PORTABLE ? draw_portable : draw_avx2) (runs, row, n, random, offset);
}

INLINE void
flip_body (vrg_runs *runs, int64_t row, int64_t n, uint64_t against, vrg_lattice *lattice, two_words *extract,
           two_words *deposit, one_word *parity, to_bytes_function *to_bytes, to_bits_function *to_bits)
{
  const int64_t stride = runs->stride, words = runs->words;
  const int32_t *parent = runs->parent;
  uint8_t *flip = runs->flip;
  if (row == 0)
    {
      flip[VRG_RUNS_STAY] = 0;
      flip[VRG_RUNS_TURN] = 1;
    }

  /* Roots come first, so a parent always has its final bit. */
  const int32_t begin = runs->head[row], end = runs->head[row + n];
  for (int32_t i = begin; i < end; i += 64)
    to_bytes (get_bits (runs->own, i), flip + i);
  for (int32_t i = begin; i < end; i++)
    flip[i] = flip[parent[i]];

  for (int64_t y = row; y < row + n; y++)
    {
      const uint64_t *starts = runs->starts + y * stride, *heads = runs->heads + y * (stride + 2);
      uint64_t *spins = vrg_lattice_row (lattice, y), *turns = runs->turns, before = 0;
      int32_t id = runs->head[y];
      int64_t at = 0, head_at = 1;

      /* A run that is no head turned if its first bond is not satisfied any more by the row above, which is done. */
      turns[0] = 0;
      for (int64_t w = 0; w < words && runs->above; w++)
        {
          uint64_t first = runs->firsts[0][y * stride + w];
          uint64_t turned = (vrg_lattice_row (lattice, y - runs->plane)[w] ^ spins[w] ^ against) & first;
          if (runs->above > 1)
            {
              const uint64_t second = runs->firsts[1][y * stride + w];
              turned |= (vrg_lattice_row (lattice, y - 1)[w] ^ spins[w] ^ against) & second;
              first |= second;
            }
          put_bits (turns, at, extract (turned, first));
          at += __builtin_popcountll (first);
        }

      at = 0;
      for (int64_t w = 0; w < words; w++)
        {
          const int here = __builtin_popcountll (starts[w]);
          const uint64_t all = low_bits (here), head = get_bits (heads, head_at) & all;
          const uint64_t bits = deposit (to_bits (flip + id), head) | deposit (get_bits (turns, at), ~head & all);
          const uint64_t turned = parity (deposit (bits ^ (bits << 1 | before), starts[w])) ^ -before;
          spins[w] ^= turned;
          before = turned >> 63;
          id += __builtin_popcountll (head);
          at += here - __builtin_popcountll (head);
          head_at += here;
        }
      spins[words - 1] &= vrg_row_last_mask (runs->columns);
    }
}

static void
flip_portable (vrg_runs *runs, int64_t row, int64_t n, uint64_t against, vrg_lattice *lattice)
{
  flip_body (runs, row, n, against, lattice, extract_portable, deposit_portable, parity_portable, to_bytes_portable,
             to_bits_portable);
}

AVX2 static void
flip_avx2 (vrg_runs *runs, int64_t row, int64_t n, uint64_t against, vrg_lattice *lattice)
{
  flip_body (runs, row, n, against, lattice, extract_avx2, deposit_avx2, parity_avx2, to_bytes_avx2, to_bits_avx2);
}

AVX512 static void
flip_avx512 (vrg_runs *runs, int64_t row, int64_t n, uint64_t against, vrg_lattice *lattice)
{
  flip_body (runs, row, n, against, lattice, extract_avx2, deposit_avx2, parity_avx2, to_bytes_avx512, to_bits_avx512);
}

typedef void flip_function (vrg_runs *runs, int64_t row, int64_t n, uint64_t against, vrg_lattice *lattice);

void
vrg_runs_flip (vrg_runs *runs, int64_t row, int64_t n, uint64_t against, vrg_lattice *lattice)
{
  flip_function *const paths[] = { flip_portable, flip_avx2, flip_avx512 };
  paths[vrg_simd ()](runs, row, n, against, lattice);
}
