/* SPDX-License-Identifier: GPL-3.0-or-later
 * A strip of a periodic lattice of spins, one bit a spin. */
#include "lattice/lattice.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"

void
vrg_lattice_flat (int dimension, const int64_t *size, int64_t *rows, int64_t *columns, int64_t *plane)
{
  *rows = dimension == 1 ? 1 : dimension == 2 ? size[0] : size[0] * size[1];
  *columns = size[dimension - 1];
  *plane = dimension == 3 ? size[1] : 1;
}

vrg_lattice *
vrg_lattice_new_size (int dimension, const int64_t *size, int64_t layer0, int64_t layer1)
{
  vrg_lattice *lattice = vrg_new (1, sizeof *lattice, "lattice");
  lattice->dimension = dimension;
  vrg_lattice_flat (dimension, size, &lattice->rows, &lattice->columns, &lattice->plane);
  const int64_t plane = lattice->plane, height = (layer1 - layer0) * plane;
  VRG_ASSERT (0 <= layer0 && layer0 < layer1 && layer1 * plane <= lattice->rows && lattice->columns > 0);
  lattice->row0 = layer0 * plane;
  lattice->row1 = layer1 * plane;
  lattice->words = (lattice->columns + 63) / 64;
  lattice->stride = (lattice->words + 7) / 8 * 8;
  lattice->storage = vrg_new ((height + 2 * plane) * lattice->stride, sizeof *lattice->storage, "spins");
  lattice->spins = lattice->storage + plane * lattice->stride;
  return lattice;
}

vrg_lattice *
vrg_lattice_new (int64_t rows, int64_t columns, int64_t row0, int64_t row1)
{
  return vrg_lattice_new_size (2, (const int64_t[]){ rows, columns }, row0, row1);
}

void
vrg_lattice_free (vrg_lattice *lattice)
{
  if (lattice)
    vrg_free (lattice->storage);
  vrg_free (lattice);
}

void
vrg_lattice_set (vrg_lattice *lattice, int64_t y, int64_t x, int spin)
{
  uint64_t *word = vrg_lattice_row (lattice, y) + x / 64, bit = UINT64_C (1) << (x % 64);
  *word = spin > 0 ? *word | bit : *word & ~bit;
}

void
vrg_lattice_random (vrg_lattice *lattice, const vrg_rng *rng)
{
  int64_t words = lattice->words;
  for (int64_t y = 0; y < lattice->row1 - lattice->row0; y++)
    {
      /* A row of an odd number of words fills one word of its padding as well. */
      uint64_t *row = vrg_lattice_row (lattice, y), index = (uint64_t) ((lattice->row0 + y) * words);
      vrg_rng_fill (rng, VRG_RNG_START, index, (words + 1) / 2, 0, 0, row);
      row[words - 1] &= vrg_row_last_mask (lattice->columns);
      if (words % 2)
        row[words] = 0;
    }
}

void
vrg_lattice_pack (const vrg_lattice *lattice, uint64_t *packed)
{
  for (int64_t y = 0; y < lattice->row1 - lattice->row0; y++)
    memcpy (packed + y * lattice->words, vrg_lattice_row (lattice, y), (size_t) lattice->words * sizeof *packed);
}

void
vrg_lattice_unpack (vrg_lattice *lattice, const uint64_t *packed)
{
  const uint64_t mask = vrg_row_last_mask (lattice->columns); /* a file may hold anything */
  if (lattice->words == 1)                                    /* no call for each word */
    for (int64_t y = 0; y < lattice->row1 - lattice->row0; y++)
      *vrg_lattice_row (lattice, y) = packed[y] & mask;
  else
    for (int64_t y = 0; y < lattice->row1 - lattice->row0; y++)
      {
        uint64_t *row = vrg_lattice_row (lattice, y);
        memcpy (row, packed + y * lattice->words, (size_t) lattice->words * sizeof *packed);
        row[lattice->words - 1] &= mask;
      }
}

void
vrg_row_shift (uint64_t *out, const uint64_t *in, int64_t columns, int64_t shift)
{
  int64_t words = (columns + 63) / 64;
  shift = ((shift % columns) + columns) % columns;

  /* What moves down.  Two shifts in place of one of 64 - r, which would be undefined for r = 0. */
  int64_t q = shift / 64;
  int r = (int) (shift % 64);
  for (int64_t w = 0; w + q + 1 < words; w++)
    out[w] = in[w + q] >> r | in[w + q + 1] << 1 << (63 - r);
  out[words - 1 - q] = in[words - 1] >> r;
  for (int64_t w = words - q; w < words; w++)
    out[w] = 0;

  /* What comes round. */
  q = (columns - shift) / 64;
  r = (int) ((columns - shift) % 64);
  if (q < words)
    out[q] |= in[0] << r;
  for (int64_t w = q + 1; w < words; w++)
    out[w] |= in[w - q] << r | in[w - q - 1] >> 1 >> (63 - r);
  out[words - 1] &= vrg_row_last_mask (columns);
}
