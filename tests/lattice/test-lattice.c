/* SPDX-License-Identifier: GPL-3.0-or-later
 * Packed rows: access, shifts, files' layout, the hot start.
 * ranks: 1 */
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lattice/lattice.h"

static const int64_t widths[] = { 4, 5, 7, 63, 64, 65, 70, 127, 128, 129, 192, 200, 511, 512, 513, 1000 };
#define WIDTHS (int) (sizeof widths / sizeof *widths)

static bool
shift_is_right (int64_t columns, int64_t shift, const vrg_rng *rng)
{
  int64_t words = (columns + 63) / 64;
  uint64_t in[18], out[18];
  vrg_rng_fill (rng, VRG_RNG_TEST, 0, 9, (uint64_t) columns, 0, in);
  in[words - 1] &= vrg_row_last_mask (columns);
  memset (out, 0xff, sizeof out);
  vrg_row_shift (out, in, columns, shift);
  bool good = (out[words - 1] & ~vrg_row_last_mask (columns)) == 0;
  for (int64_t x = 0; x < columns; x++)
    {
      int64_t from = (((x + shift) % columns) + columns) % columns;
      good = good && (out[x / 64] >> (x % 64) & 1) == (in[from / 64] >> (from % 64) & 1);
    }
  return good && out[words] == ~UINT64_C (0); /* no word too many */
}

static void
test_shift (void)
{
  vrg_rng rng;
  vrg_rng_init (&rng, 1, 0, 0);
  bool good = true;
  for (int i = 0; i < WIDTHS; i++)
    for (int64_t shift = -widths[i] - 1; shift <= widths[i] + 1; shift++)
      good = good && shift_is_right (widths[i], shift, &rng);
  check (good, "rows shift by any distance, periodically");
}

static void
test_access (void)
{
  bool all_down = true, set = true, packed_right = true, padding = true;
  for (int i = 0; i < WIDTHS; i++)
    {
      int64_t columns = widths[i], rows = 9, row0 = 2, row1 = 7;
      vrg_lattice *a = vrg_lattice_new (rows, columns, row0, row1), *b = vrg_lattice_new (rows, columns, row0, row1);
      for (int64_t y = -1; y <= row1 - row0; y++)
        for (int64_t x = 0; x < columns; x++)
          all_down = all_down && vrg_lattice_get (a, y, x) == -1;
      for (int64_t y = 0; y < row1 - row0; y++)
        for (int64_t x = 0; x < columns; x++)
          vrg_lattice_set (a, y, x, (x * x + y) % 3 ? 1 : -1);
      for (int64_t y = 0; y < row1 - row0; y++)
        for (int64_t x = 0; x < columns; x++)
          set = set && vrg_lattice_get (a, y, x) == ((x * x + y) % 3 ? 1 : -1);

      uint64_t *packed = vrg_new ((row1 - row0) * a->words, sizeof *packed, "packed rows");
      vrg_lattice_pack (a, packed);
      vrg_lattice_unpack (b, packed);
      for (int64_t y = 0; y < row1 - row0; y++)
        {
          packed_right = packed_right
                         && !memcmp (vrg_lattice_row (a, y), vrg_lattice_row (b, y), (size_t) a->stride * 8)
                         && !memcmp (vrg_lattice_row (a, y), packed + y * a->words, (size_t) a->words * 8);
          padding = padding && (packed[(y + 1) * a->words - 1] & ~vrg_row_last_mask (columns)) == 0;
          packed[(y + 1) * a->words - 1] |= ~vrg_row_last_mask (columns);
        }
      vrg_lattice_unpack (b, packed);
      for (int64_t y = 0; y < row1 - row0; y++)
        padding = padding && !memcmp (vrg_lattice_row (a, y), vrg_lattice_row (b, y), (size_t) a->stride * 8);
      vrg_free (packed);
      vrg_lattice_free (a);
      vrg_lattice_free (b);
    }
  check (all_down, "a new lattice is all -1");
  check (set, "spins read as they were set");
  check (packed_right, "rows are packed and unpacked");
  check (padding, "unused bits of packed rows are 0, and made so");
}

static void
test_random (void)
{
  bool same = true, padding = true;
  int64_t up = 0, sites = 0;
  vrg_rng rng;
  vrg_rng_init (&rng, 3, 1, 4);
  for (int i = 0; i < WIDTHS; i++)
    {
      int64_t columns = widths[i], rows = 40, row0 = 13, row1 = 31;
      vrg_lattice *whole = vrg_lattice_new (rows, columns, 0, rows),
                  *part = vrg_lattice_new (rows, columns, row0, row1);
      vrg_lattice_random (whole, &rng);
      vrg_lattice_random (part, &rng);
      for (int64_t y = row0; y < row1; y++)
        same
          = same && !memcmp (vrg_lattice_row (whole, y), vrg_lattice_row (part, y - row0), (size_t) whole->stride * 8);
      for (int64_t y = 0; y < rows; y++)
        {
          const uint64_t *row = vrg_lattice_row (whole, y);
          padding = padding && (row[whole->words - 1] & ~vrg_row_last_mask (columns)) == 0;
          for (int64_t w = 0; w < whole->stride; w++)
            {
              up += __builtin_popcountll (row[w]);
              padding = padding && (w < whole->words || row[w] == 0);
            }
        }
      sites += rows * columns;
      vrg_lattice_free (whole);
      vrg_lattice_free (part);
    }
  check (same, "a hot start does not depend on the strip");
  check (padding, "a hot start leaves unused bits 0");
  /* false-alarm rate 6e-7, but the seed is fixed */
  check (fabs (2.0 * (double) up - (double) sites) < 5 * sqrt ((double) sites), "a hot start has no magnetisation");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  test_shift ();
  test_access ();
  test_random ();
  return check_end ();
}
