/* SPDX-License-Identifier: GPL-3.0-or-later
 * Layout and filling of shifted copies. */
#include "lattice/bands.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/simd.h"

#define ALWAYS static inline __attribute__ ((always_inline))
#define BAND_WORDS 256 /* of an array: some ten of them stay in the first-level cache */

static int64_t
up (int64_t n)
{
  return (n + VRG_BANDS_VECTOR - 1) / VRG_BANDS_VECTOR * VRG_BANDS_VECTOR;
}

/** Largest divisor of n that is at most `most`. */
static int
divisor (int64_t n, int64_t most)
{
  int64_t d = most < n ? most : n;
  while (n % d)
    d--;
  return (int) d;
}

void
vrg_bands_init (vrg_bands *bands, int dimension, const int64_t *size)
{
  int64_t rows;
  memset (bands, 0, sizeof *bands);
  bands->dimension = dimension;
  vrg_lattice_flat (dimension, size, &rows, &bands->columns, &bands->plane);
  bands->layers = rows / bands->plane;
  bands->words = (bands->columns + 63) / 64;
  bands->fields = bands->columns <= 32 ? divisor (bands->layers, 64 / bands->columns) : 1;
  /* Where layers are no whole vectors, a vector takes 8 layers, if that does not leave too much of it empty. */
  const int64_t layer = bands->plane * bands->words, packed = bands->layers / bands->fields;
  const int lanes = divisor (packed, VRG_BANDS_VECTOR);
  const bool across = lanes > 1 && layer % VRG_BANDS_VECTOR != 0
                      && packed / lanes * layer <= 2 * (up (packed * layer) / VRG_BANDS_VECTOR);
  bands->lanes = across ? lanes : 1;
  bands->stride = across ? VRG_BANDS_VECTOR : 1;
  bands->depth = packed / bands->lanes;
  bands->unit = layer * bands->stride;
  memset (bands->index, -1, sizeof bands->index);
  vrg_bands_need (bands, (const int[VRG_MAX_DIMENSION]){ 0 });
}

vrg_bands_site
vrg_bands_need (vrg_bands *bands, const int offset[VRG_MAX_DIMENSION])
{
  const int layer = bands->dimension == 1 ? 0 : offset[0], row = bands->dimension == 3 ? offset[1] : 0,
            column = offset[bands->dimension - 1];
  VRG_ASSERT (bands->bits == NULL && row >= -VRG_BANDS_REACH && row <= VRG_BANDS_REACH && column >= -VRG_BANDS_REACH
              && column <= VRG_BANDS_REACH);
  int *index = &bands->index[row + VRG_BANDS_REACH][column + VRG_BANDS_REACH];
  if (*index < 0)
    {
      if (row != 0) /* rows are moved from the copy that has its columns shifted */
        vrg_bands_need (bands, (const int[VRG_MAX_DIMENSION]){ 0, 0, column });
      *index = bands->copies;
      bands->shift[bands->copies][0] = row;
      bands->shift[bands->copies++][1] = column;
    }
  bands->low = layer < bands->low ? layer : bands->low;
  bands->high = layer > bands->high ? layer : bands->high;
  return (vrg_bands_site){ *index, layer };
}

void
vrg_bands_allocate (vrg_bands *bands, int extra)
{
  const int64_t around = bands->high - bands->low, fit = BAND_WORDS / bands->unit;
  bands->most = fit > 2 * around ? fit : 2 * around;
  bands->most = bands->most < 1 ? 1 : bands->most > bands->depth ? bands->depth : bands->most;
  bands->span = up ((bands->most + around) * bands->unit) + VRG_BANDS_VECTOR; /* whole vectors from any place */
  bands->bits = vrg_new ((bands->copies + extra) * bands->span, sizeof *bands->bits, "shifted rows");
  bands->row = vrg_new (bands->words, sizeof *bands->row, "a row");
  bands->masks = vrg_new (bands->copies, sizeof *bands->masks, "masks");
  for (int i = 0; i < bands->copies && bands->words == 1; i++)
    {
      const int columns = (int) bands->columns, shift = ((bands->shift[i][1] % columns) + columns) % columns;
      bands->masks[i].shift = shift;
      for (int bit = 0; bit < bands->fields * columns; bit++)
        *(bit % columns < columns - shift ? &bands->masks[i].down : &bands->masks[i].round) |= UINT64_C (1) << bit;
    }
}

void
vrg_bands_clear (vrg_bands *bands)
{
  vrg_free (bands->bits);
  vrg_free (bands->row);
  vrg_free (bands->masks);
}

/** Put n rows of one block into words `stride` apart, or beside what the words hold. */
ALWAYS void
pack_rows (const vrg_bands *b, int64_t n, const uint64_t *restrict in, int64_t in_stride, int field,
           uint64_t *restrict out)
{
  const int64_t stride = b->stride;
  const int shift = field * (int) b->columns;
  if (b->words > 1)
    for (int64_t y = 0; y < n; y++, in += in_stride, out += b->words * stride)
      for (int64_t w = 0; w < b->words; w++)
        out[w * stride] = in[w];
  else if (field == 0)
    for (int64_t y = 0; y < n; y++)
      out[y * stride] = in[y * in_stride];
  else
    for (int64_t y = 0; y < n; y++)
      out[y * stride] |= in[y * in_stride] << shift;
}

/** Pack all layers, rows of one word, into array 0 from its layer `to` on. */
ALWAYS void
pack_words (const vrg_bands *b, const vrg_lattice *lattice, int64_t to)
{
  const int64_t field = b->depth * b->plane * lattice->stride, rows = b->depth * b->plane;
  const int fields = b->fields, columns = (int) b->columns;
  for (int lane = 0; lane < b->lanes; lane++)
    {
      const uint64_t *in = lattice->spins + lane * fields * field;
      uint64_t *out = b->bits + to * b->unit + lane;
      for (int64_t y = 0; y < rows; y++, in += lattice->stride, out += b->stride)
        {
          uint64_t word = in[0];
          for (int f = 1; f < fields; f++)
            word |= in[f * field] << (f * columns);
          *out = word;
        }
    }
}

/** Pack n packed layers from the first on into array 0, as its layer `to` and so on. */
ALWAYS void
pack (const vrg_bands *b, const vrg_lattice *lattice, int64_t first, int64_t to, int64_t n)
{
  for (int lane = 0; lane < b->lanes; lane++)
    for (int field = 0; field < b->fields; field++)
      {
        int64_t row = (first + (lane * b->fields + field) * b->depth) * b->plane;
        while (row < 0)
          row += lattice->rows;
        while (row >= lattice->rows)
          row -= lattice->rows;
        uint64_t *out = b->bits + to * b->unit + lane;
        for (int64_t left = n * b->plane; left > 0; row = 0)
          {
            const int64_t rows = left < lattice->rows - row ? left : lattice->rows - row;
            pack_rows (b, rows, lattice->spins + row * lattice->stride, lattice->stride, field, out);
            out += rows * b->words * b->stride;
            left -= rows;
          }
      }
}

/** Shift the columns of rows of one word: n words of packed rows. */
ALWAYS void
shift_word (const vrg_bands *b, int64_t n, int copy)
{
  const uint64_t down = b->masks[copy].down, round = b->masks[copy].round;
  const uint64_t s = (uint64_t) b->masks[copy].shift, r = ((uint64_t) b->columns - s) % 64;
  uint64_t *out = b->bits + copy * b->span;
  for (int64_t w = 0; w < n; w += VRG_BANDS_VECTOR)
    {
      const vrg_bands_vector in = *(const vrg_bands_vector *) (b->bits + w);
      *(vrg_bands_vector *) (out + w) = (in >> s & down) | (in << r & round);
    }
}

/** Shift the columns of rows of several whole words, |shift| < 64. */
ALWAYS void
shift_words (const vrg_bands *b, int64_t rows, int shift, uint64_t *restrict out)
{
  const uint64_t *restrict in = b->bits;
  const int64_t stride = b->stride, last = (b->words - 1) * stride;
  for (int64_t y = 0; y < rows; y++, in += last + stride, out += last + stride)
    if (shift > 0)
      {
        for (int64_t w = 0; w < last; w++)
          out[w] = in[w] >> shift | in[w + stride] << (64 - shift);
        for (int64_t lane = 0; lane < stride; lane++)
          out[last + lane] = in[last + lane] >> shift | in[lane] << (64 - shift);
      }
    else
      {
        for (int64_t w = 0; w < last; w++)
          out[w + stride] = in[w + stride] << -shift | in[w] >> (64 + shift);
        for (int64_t lane = 0; lane < stride; lane++)
          out[lane] = in[lane] << -shift | in[last + lane] >> (64 + shift);
      }
}

/** Shift the columns of any rows. */
ALWAYS void
shift_rows (const vrg_bands *b, const vrg_lattice *lattice, int64_t first, int64_t n, int shift, uint64_t *out)
{
  for (int64_t l = 0; l < n; l++)
    for (int lane = 0; lane < b->lanes; lane++)
      for (int64_t y = 0; y < b->plane; y++)
        {
          int64_t layer = (first + l + lane * b->depth) % b->layers;
          layer += layer < 0 ? b->layers : 0;
          vrg_row_shift (b->row, vrg_lattice_row (lattice, layer * b->plane + y), b->columns, shift);
          for (int64_t w = 0; w < b->words; w++)
            out[l * b->unit + (y * b->words + w) * b->stride + lane] = b->row[w];
        }
}

/** Move the rows of layers round. */
ALWAYS void
move_rows (const vrg_bands *b, int64_t n, int by, const uint64_t *restrict in, uint64_t *restrict out)
{
  const int64_t row_words = b->words * b->stride, start = ((by % b->plane) + b->plane) % b->plane * row_words;
  for (int64_t l = 0; l < n; l++, in += b->unit, out += b->unit)
    {
      memcpy (out, in + start, (size_t) (b->unit - start) * sizeof *out);
      memcpy (out + b->unit - start, in, (size_t) start * sizeof *out);
    }
}

/** Packed layers beyond the blocks from those in them, if all are there: the blocks move up by one, or down.  Rows of one
 *  word. */
ALWAYS void
go_round (const vrg_bands *b, int64_t n)
{
  const int move = (int) b->columns, turn = move * (b->fields - 1);
  const uint64_t low = vrg_row_last_mask (b->columns), all = b->masks[0].down;
  for (int64_t l = b->depth - b->low; l < n; l++)
    for (int64_t y = 0; y < b->unit; y += b->stride)
      {
        uint64_t *out = b->bits + l * b->unit + y;
        const uint64_t *in = out - b->depth * b->unit;
        for (int lane = 0; lane < b->lanes; lane++)
          out[lane] = (b->fields > 1 ? in[lane] >> move : 0) | (in[lane + 1 < b->lanes ? lane + 1 : 0] & low) << turn;
      }
  for (int64_t l = -b->low - 1; l >= 0; l--)
    for (int64_t y = 0; y < b->unit; y += b->stride)
      {
        uint64_t *out = b->bits + l * b->unit + y;
        const uint64_t *in = out + b->depth * b->unit;
        for (int lane = 0; lane < b->lanes; lane++)
          out[lane] = (b->fields > 1 ? in[lane] << move & all : 0) | in[lane > 0 ? lane - 1 : b->lanes - 1] >> turn;
      }
}

ALWAYS void
fill_body (const vrg_bands *b, const vrg_lattice *lattice, int64_t first, int64_t n)
{
  if (b->words == 1 && b->most == b->depth)
    {
      pack_words (b, lattice, -b->low);
      go_round (b, n);
    }
  else
    pack (b, lattice, first, 0, n);
  for (int i = 1; i < b->copies; i++)
    {
      const int row = b->shift[i][0], column = b->shift[i][1];
      uint64_t *out = b->bits + i * b->span;
      if (row != 0)
        move_rows (b, n, row, b->bits + b->index[VRG_BANDS_REACH][column + VRG_BANDS_REACH] * b->span, out);
      else if (b->words == 1)
        shift_word (b, n * b->unit, i);
      else if (b->columns % 64 == 0)
        shift_words (b, n * b->plane, column, out);
      else
        shift_rows (b, lattice, first, n, column, out);
    }
}

VRG_PATHS (fill, (const vrg_bands *b, const vrg_lattice *lattice, int64_t first, int64_t n), (b, lattice, first, n))

void
vrg_bands_fill (const vrg_bands *bands, const vrg_lattice *lattice, int64_t first, int64_t layers)
{
  VRG_ASSERT (lattice->dimension == bands->dimension && lattice->columns == bands->columns
              && lattice->plane == bands->plane && lattice->rows == bands->layers * bands->plane
              && lattice->row1 - lattice->row0 == lattice->rows && layers <= bands->most);
  fill (bands, lattice, first + bands->low, layers + bands->high - bands->low);
}
