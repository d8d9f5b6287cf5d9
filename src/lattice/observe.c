/* SPDX-License-Identifier: GPL-3.0-or-later
 * Measurements by XOR and popcount on the packed rows.
 *
 * Rows are taken in bands that stay in the second-level cache: as many rows and words of them as fit, as they are and
 * shifted by one and two columns, with the rows below that bonds and operators reach.  The partners of a whole band are
 * then contiguous arrays, whatever the lattice's width. */
#include "lattice/observe.h"

#include <limits.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/simd.h"
#include "parallel/traffic.h"

#define ALWAYS static inline __attribute__ ((always_inline))
#define BAND 2560 /* words: 8 rows of 256 and the 2 below */
#define WIDTH 256 /* words of a row in a band, at most */

/* --- the wave of the smallest momentum --- */

#define LEVELS 8
#define WAVE_BITS 30

/* Powers of exp (2 pi i / length) by the digits of the exponent in base 64, times 2^30; and for a row of single sites
 * what a byte of a word adds, times 2^24.  Made anew when the length changes. */
static struct
{
  int64_t length;
  int64_t power[LEVELS][64][2];
  int64_t byte_length;
  int32_t byte[8][256][2];
  int64_t all[2]; /* what a word of 64 spins +1 adds */
} wave;

/** cos and sin of 2 pi k / n, 0 <= k < n, times 2^30, by symmetry and Taylor's series: the same on every processor. */
static void
turn (int64_t k, int64_t n, int64_t out[2])
{
  const int octant = (int) (8 * k / n), quarter = (octant + 1) / 2 % 4;
  const int64_t rest = 8 * k - octant * n, part = octant % 2 ? n - rest : rest;
  const double x = 0.78539816339744830962 * ((double) part / (double) n), z = x * x;
  double c = 0, s = 0;
  for (int i = 18; i >= 2; i -= 2)
    {
      c = (1 - c) * z / (i * (i - 1));
      s = (1 - s) * z / (i * (i + 1));
    }
  const int64_t cosine = (int64_t) ((1 - c) * (1 << WAVE_BITS) + 0.5);
  const int64_t sine = (octant % 2 ? -1 : 1) * (int64_t) (x * (1 - s) * (1 << WAVE_BITS) + 0.5);
  const int64_t turned[4][2] = { { cosine, sine }, { -sine, cosine }, { -cosine, -sine }, { sine, -cosine } };
  out[0] = turned[quarter][0];
  out[1] = turned[quarter][1];
}

static void
wave_prepare (int64_t length)
{
  if (wave.length == length)
    return;
  wave.length = length;
  int64_t step = 1;
  for (int level = 0; level < LEVELS && step < length; level++, step *= 64)
    for (int64_t digit = 0; digit < 64 && digit * step < length; digit++)
      turn (digit * step, length, wave.power[level][digit]);
}

/** 2^24 (cos, sin) at layer k. */
ALWAYS void
wave_at (int64_t k, int64_t out[2])
{
  int64_t c = wave.power[0][k & 63][0], s = wave.power[0][k & 63][1];
  const int64_t half = INT64_C (1) << (WAVE_BITS - 1);
  for (int level = 1; (k >>= 6) > 0; level++)
    {
      const int64_t *power = wave.power[level][k & 63], c0 = c;
      c = (c0 * power[0] - s * power[1] + half) >> WAVE_BITS;
      s = (c0 * power[1] + s * power[0] + half) >> WAVE_BITS;
    }
  out[0] = (c + 32) >> (WAVE_BITS - 24);
  out[1] = (s + 32) >> (WAVE_BITS - 24);
}

/** Add a layer, or a part of it, with this magnetisation. */
ALWAYS void
wave_row (int64_t layer, int64_t magnetisation, int64_t fourier[2])
{
  int64_t at[2];
  wave_at (layer, at);
  fourier[0] += at[0] * magnetisation;
  fourier[1] += at[1] * magnetisation;
}

/** wave.byte for a row of `length` sites, of which a word holds 64. */
static void
wave_prepare_bytes (int64_t length)
{
  wave_prepare (length);
  if (wave.byte_length == length)
    return;
  wave.byte_length = length;
  for (int i = 0; i < 8; i++)
    for (int value = 0; value < 256; value++)
      for (int part = 0; part < 2; part++)
        {
          int64_t sum = 0, at[2];
          for (int bit = 0; bit < 8 && 8 * i + bit < length; bit++)
            {
              wave_at (8 * i + bit, at);
              sum += value >> bit & 1 ? at[part] : 0;
            }
          wave.byte[i][value][part] = (int32_t) sum;
        }
  for (int part = 0; part < 2; part++)
    {
      wave.all[part] = 0;
      for (int i = 0; i < 8; i++)
        wave.all[part] += wave.byte[i][255][part];
    }
}

/** Add the single sites of word w of a row; `bits` of it are in use. */
static void
wave_word (uint64_t word, int64_t w, int bits, int64_t fourier[2])
{
  int64_t sum[2] = { -wave.all[0], -wave.all[1] }, at[2];
  for (int i = 0; i < 8; i++)
    for (int part = 0; part < 2; part++)
      sum[part] += 2 * (int64_t) wave.byte[i][word >> 8 * i & 255][part];
  for (int bit = bits; bit < 64; bit++) /* sites that are not there, taken for -1 */
    for (int part = 0; part < 2; part++)
      sum[part] += wave.byte[bit / 8][1 << bit % 8][part];
  wave_at (64 * w, at);
  fourier[0] += (at[0] * sum[0] - at[1] * sum[1]) >> 24;
  fourier[1] += (at[0] * sum[1] + at[1] * sum[0]) >> 24;
}

/* --- bands --- */

/** The lattice with the rows of the next strip: in two dimensions as if they followed, in three a plane. */
typedef struct
{
  const vrg_lattice *lattice;
  int64_t height;
  const uint64_t *below;
} strip;

struct band
{
  uint64_t here[BAND], right[BAND], right2[BAND]; /* shifted by 0, 1, 2 columns */
};

ALWAYS int64_t
popcount (uint64_t x, bool native)
{
  if (native)
    return __builtin_popcountll (x);
  x -= x >> 1 & 0x5555555555555555;
  x = (x & 0x3333333333333333) + (x >> 2 & 0x3333333333333333);
  x = (x + (x >> 4)) & 0x0f0f0f0f0f0f0f0f;
  x += x >> 8;
  x += x >> 16;
  return (int64_t) ((x + (x >> 32)) & 127);
}

/** Row y counted from row0; the next strip's after the own ones. */
ALWAYS const uint64_t *
row_at (const strip *s, int64_t y)
{
  return y < s->height ? vrg_lattice_row (s->lattice, y) : s->below + (y - s->height) * s->lattice->stride;
}

/** Lay out words [w0, w0 + width) of a row as they are and shifted; bits that are not used are 0.  The words may be read
 *  one too far.  Returns the spins +1. */
ALWAYS int64_t
lay_row (const vrg_lattice *lattice, const uint64_t *in, int64_t w0, int64_t width, bool two, bool native,
         uint64_t *restrict here, uint64_t *restrict right, uint64_t *restrict right2)
{
  const uint64_t *from = in + w0;
  int64_t plus = 0;
  for (int64_t w = 0; w < width; w++)
    {
      plus += popcount (from[w], native);
      here[w] = from[w];
      right[w] = from[w] >> 1 | from[w + 1] << 63;
      if (two)
        right2[w] = from[w] >> 2 | from[w + 1] << 62;
    }

  /* The last word goes on with the row's beginning, and so does the last but one if the last is short. */
  const int64_t end = lattice->words - 1, at = end - w0;
  if (at > width)
    return plus;
  const int bits = (int) ((lattice->columns - 1) % 64) + 1;
  const uint64_t mask = vrg_row_last_mask (lattice->columns);
  const uint64_t last = bits < 64 ? in[end] | in[0] << bits : in[end], next = bits < 64 ? in[0] >> (64 - bits) : in[0];
  if (at < width)
    {
      right[at] = (last >> 1 | next << 63) & mask;
      if (two)
        right2[at] = (last >> 2 | next << 62) & mask;
    }
  if (at > 0 && two)
    right2[at - 1] = in[end - 1] >> 2 | last << 62;
  return plus;
}

/** The same for rows of one word, without a loop. */
ALWAYS int64_t
lay_word (int64_t columns, uint64_t in, bool two, bool native, uint64_t *here, uint64_t *right, uint64_t *right2)
{
  const uint64_t mask = vrg_row_last_mask (columns);
  *here = in;
  *right = (in >> 1 | in << (columns - 1)) & mask;
  if (two)
    *right2 = (in >> 2 | in << (columns - 2)) & mask;
  return popcount (in, native);
}

/* NOLINTBEGIN(clang-analyzer-core.UndefinedBinaryOperatorResult): the rows that a band has are laid before they are counted */

/** Unequal nearest neighbours: to the right and in up to two other arrays. */
ALWAYS int64_t
count_bonds (int64_t n, const uint64_t *here, const uint64_t *right, const uint64_t *down, const uint64_t *next,
             bool native)
{
  int64_t count = 0;
  if (next)
    for (int64_t w = 0; w < n; w++)
      count += popcount (here[w] ^ right[w], native) + popcount (here[w] ^ down[w], native)
               + popcount (here[w] ^ next[w], native);
  else if (down)
    for (int64_t w = 0; w < n; w++)
      count += popcount (here[w] ^ right[w], native) + popcount (here[w] ^ down[w], native);
  else
    for (int64_t w = 0; w < n; w++)
      count += popcount (here[w] ^ right[w], native);
  return count;
}

/** Products of the operators in two dimensions that are -1; letters are rows, numbers columns. */
ALWAYS void
count_even (const struct band *band, int64_t n, int64_t width, int64_t odd[VRG_EVEN_OPERATORS], bool native)
{
  const uint64_t *a0 = band->here, *a1 = band->right, *a2 = band->right2;
  const uint64_t *b0 = a0 + width, *b1 = a1 + width, *b2 = a2 + width;
  const uint64_t *c0 = b0 + width, *c1 = b1 + width, *c2 = b2 + width;
  int64_t nn = 0, nnn = 0, plaquette = 0, third = 0, knight = 0, diamond = 0, square2 = 0;
#define COUNT(x) popcount (x, native)
  for (int64_t w = 0; w < n; w++)
    {
      nn += COUNT (a0[w] ^ a1[w]) + COUNT (a0[w] ^ b0[w]);
      nnn += COUNT (a0[w] ^ b1[w]) + COUNT (a1[w] ^ b0[w]);
      plaquette += COUNT (a0[w] ^ a1[w] ^ b0[w] ^ b1[w]);
      third += COUNT (a0[w] ^ a2[w]) + COUNT (a0[w] ^ c0[w]);
      knight += COUNT (a0[w] ^ b2[w]) + COUNT (a0[w] ^ c1[w]) + COUNT (a2[w] ^ b0[w]) + COUNT (a1[w] ^ c0[w]);
      diamond += COUNT (a1[w] ^ b0[w] ^ b2[w] ^ c1[w]);
      square2 += COUNT (a0[w] ^ c2[w]) + COUNT (a2[w] ^ c0[w]);
    }
#undef COUNT
  const int64_t sums[] = { nn, nnn, plaquette, third, knight, diamond, square2 };
  for (int i = 0; i < VRG_EVEN_OPERATORS; i++)
    odd[i] += sums[i];
}
/* NOLINTEND(clang-analyzer-core.UndefinedBinaryOperatorResult) */

/** odd[] counts products of -1 (odd[0] alone without `even`), plus the spins +1. */
ALWAYS void
observe_body (const strip *s, bool even, bool native, int64_t odd[VRG_EVEN_OPERATORS], int64_t *plus,
              int64_t fourier[2])
{
  const vrg_lattice *lattice = s->lattice;
  const int64_t words = lattice->words, plane = lattice->plane;
  const int dimension = lattice->dimension, reach = dimension == 1 ? 0 : even ? 2 : 1;
  const int64_t parts = (words + WIDTH - 1) / WIDTH, wide = (words + parts - 1) / parts;
  const int64_t sheet = dimension == 3 ? plane : s->height; /* rows that are one below the other */
  struct band band;

  for (int64_t first = 0; first < s->height; first += sheet)
    for (int64_t w0 = 0; w0 < words; w0 += wide)
      {
        const int64_t width = words - w0 < wide ? words - w0 : wide, most = BAND / width - reach;
        const int64_t sites = (w0 + width == words ? lattice->columns : 64 * (w0 + width)) - 64 * w0;
        int64_t layer = 0;
        for (int64_t y0 = 0; y0 < sheet; y0 += most)
          {
            const int64_t n = sheet - y0 < most ? sheet - y0 : most;
            for (int64_t y = 0; y < n + reach; y++)
              {
                const bool round = dimension == 3 && y0 + y == plane;
                const uint64_t *row = row_at (s, first + (round ? 0 : y0 + y));
                uint64_t *here = band.here + y * width, *right = band.right + y * width;
                uint64_t *right2 = band.right2 + y * width;
                const int64_t up = words == 1 ? lay_word (lattice->columns, *row, even, native, here, right, right2)
                                              : lay_row (lattice, row, w0, width, even, native, here, right, right2);
                if (y >= n)
                  continue;
                *plus += up;
                if (dimension == 1)
                  for (int64_t w = 0; w < width; w++)
                    wave_word (here[w], w0 + w, sites - 64 * w < 64 ? (int) (sites - 64 * w) : 64, fourier);
                else if (dimension == 2)
                  wave_row (lattice->row0 + y0 + y, 2 * up - sites, fourier);
                else
                  {
                    const uint64_t *next = row_at (s, first + plane + y0 + y) + w0;
                    for (int64_t w = 0; w < width; w++)
                      right2[w] = next[w];
                    layer += 2 * up - sites;
                  }
              }
            if (even)
              count_even (&band, n * width, width, odd, native);
            else
              odd[0] += count_bonds (n * width, band.here, band.right, reach > 0 ? band.here + width : NULL,
                                     dimension == 3 ? band.right2 : NULL, native);
          }
        if (dimension == 3)
          wave_row ((lattice->row0 + first) / plane, layer, fourier);
      }
}

typedef void (*observe_path) (const strip *, bool, int64_t *, int64_t *, int64_t *);

static void
observe_portable (const strip *s, bool even, int64_t *odd, int64_t *plus, int64_t *fourier)
{
  observe_body (s, even, false, odd, plus, fourier);
}

__attribute__ ((target ("avx2,popcnt"))) static void
observe_avx2 (const strip *s, bool even, int64_t *odd, int64_t *plus, int64_t *fourier)
{
  observe_body (s, even, true, odd, plus, fourier);
}

__attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl,avx512vpopcntdq,popcnt"))) static void
observe_avx512 (const strip *s, bool even, int64_t *odd, int64_t *plus, int64_t *fourier)
{
  observe_body (s, even, true, odd, plus, fourier);
}

/** The first n rows of the next strip, to be freed.  Collective. */
static uint64_t *
fetch (MPI_Comm strip_comm, const vrg_lattice *lattice, int64_t n)
{
  int rank, size;
  VRG_MPI (MPI_Comm_rank (strip_comm, &rank));
  VRG_MPI (MPI_Comm_size (strip_comm, &size));
  VRG_ASSERT (n <= lattice->row1 - lattice->row0 && n * lattice->stride < INT_MAX);
  const int count = (int) (n * lattice->stride), above = (rank + size - 1) % size, below = (rank + 1) % size;
  uint64_t *rows = vrg_new (count + 1, sizeof *rows, "rows below");
  vrg_traffic_count (1, count * (int64_t) sizeof *rows);
  VRG_MPI (MPI_Sendrecv (vrg_lattice_row (lattice, 0), count, MPI_UINT64_T, above, 0, rows, count, MPI_UINT64_T, below,
                         0, strip_comm, MPI_STATUS_IGNORE));
  return rows;
}

static void
observe (MPI_Comm strip_comm, const vrg_lattice *lattice, bool even, vrg_observation *observation)
{
  static const observe_path paths[] = { observe_portable, observe_avx2, observe_avx512 };
  static const int images[VRG_EVEN_OPERATORS] = { 2, 2, 1, 2, 4, 1, 2 };
  const int dimension = lattice->dimension;
  const int64_t height = lattice->row1 - lattice->row0, sites = height * lattice->columns;
  uint64_t *rows = NULL;
  if (dimension > 1 && height < lattice->rows)
    rows = fetch (strip_comm, lattice, dimension == 3 ? lattice->plane : even ? 2 : 1);
  const strip s = { lattice, height, rows ? rows : vrg_lattice_row (lattice, 0) };
  if (dimension == 1)
    wave_prepare_bytes (lattice->columns);
  else
    wave_prepare (lattice->rows / lattice->plane);

  int64_t odd[VRG_EVEN_OPERATORS] = { 0 }, plus = 0;
  memset (observation, 0, sizeof *observation);
  paths[vrg_simd ()](&s, even, odd, &plus, observation->fourier);
  observation->bonds = dimension * sites - 2 * odd[0];
  observation->magnetisation = 2 * plus - sites;
  for (int i = 0; i < VRG_EVEN_OPERATORS && even; i++)
    observation->even[i] = images[i] * sites - 2 * odd[i];
  vrg_free (rows);
}

void
vrg_observe (MPI_Comm strip_comm, const vrg_lattice *lattice, vrg_observation *observation)
{
  observe (strip_comm, lattice, lattice->dimension == 2, observation);
}

void
vrg_observe_bonds (MPI_Comm strip_comm, const vrg_lattice *lattice, vrg_observation *observation)
{
  observe (strip_comm, lattice, false, observation);
}
