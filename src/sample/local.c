/* SPDX-License-Identifier: GPL-3.0-or-later
 * Local updates by a table of thresholds, on rows laid out as one byte a spin.
 *
 * The bytes of a row's even and odd columns are kept apart: the neighbours of the sites of one column parity are then
 * whole arrays, shifted by at most one byte.  The environment of a site, that is its own spin and the sums that its
 * local field is made of, is a byte as well; the threshold follows from it. */
#include "sample/local.h"

#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/simd.h"
#include "lattice/halo.h"

#define INLINE static inline __attribute__ ((always_inline))
#define VECTOR 64    /* bytes that loops run in; a margin before and after the spins of a row holds what comes round */
#define NUMBERS 2048 /* random numbers drawn at a time, at least: they stay in the first-level cache */

/** For i from 0 to n * size - 1, n times `size` of them, so that compilers make whole vectors. */
#define EACH(i, size, n)                                                                                               \
  for (int64_t i##_ = 0; i##_ < (n) * (size); i##_ += size)                                                            \
    for (int64_t i = i##_; i < i##_ + size; i++)

/* The rows that a row's sites depend on.  FRONT and BACK are those of the neighbouring planes. */
enum
{
  OWN,
  ABOVE,
  BELOW,
  FRONT,
  BACK,
  ROWS
};

struct vrg_local
{
  int dimension;
  bool corners;            /* there is a coupling that reaches the diagonal neighbours */
  int64_t half;            /* sites of a row in one sublattice */
  int64_t blocks;          /* of random numbers for them; also bytes of a packed row in use */
  int64_t pairs;           /* of rows whose random numbers are drawn at a time */
  int64_t vectors;         /* VECTOR sites each, that hold them */
  uint64_t threshold[256]; /* by environment */
  uint64_t spread[256];    /* eight spins as bytes: even columns in the low half, odd ones in the high half */
  uint8_t *spins[ROWS][2]; /* of even and odd columns, 0 or 1 */
  uint8_t *environment;
  uint32_t *random[2]; /* for even and odd columns */
  uint8_t *bytes;      /* memory of the spins and environments */
};

/** Probability that a spin flips whose flip changes the logarithm of the weight by -x. */
static double
flip_probability (double x, bool heat_bath, int dimension)
{
  if (heat_bath)
    return 1 / (1 + vrg_exp (x));
  if (x == 0 && dimension == 1)
    return 0.5;
  return x > 0 ? vrg_exp (-x) : 1;
}

/** The environment is 2 (sum of the neighbours' bits) + own bit, or with corners
 *  2 (5 (5 (sum of nn) + sum of nnn) + number of plaquettes whose other three spins have product 1) + own bit. */
static void
fill_thresholds (vrg_local *local, const vrg_hamiltonian *h, bool heat_bath)
{
  const int neighbours = 2 * local->dimension, sums = local->corners ? 5 : 1;
  for (int i = 0; i < 2 * (neighbours + 1) * sums * sums; i++)
    {
      const int spin = 2 * (i % 2) - 1, sum = i / 2;
      double field = h->nn * (2 * (sum / (sums * sums)) - neighbours) + h->field;
      if (local->corners)
        field += h->nnn * (2 * (sum / sums % sums) - 4) + h->plaquette * (2 * (sum % sums) - 4);
      local->threshold[i] = vrg_rng_threshold (flip_probability (2 * spin * field, heat_bath, local->dimension));
    }
}

vrg_local *
vrg_local_new (const vrg_lattice *shape, const vrg_hamiltonian *h, bool heat_bath)
{
  const int64_t layers = shape->rows / shape->plane;
  VRG_ASSERT (shape->columns % 2 == 0);
  VRG_ASSERT (shape->dimension == 1 || layers % 2 == 0);
  VRG_ASSERT (shape->dimension < 3 || shape->plane % 2 == 0);
  VRG_ASSERT (shape->dimension == 2 || (h->nnn == 0 && h->plaquette == 0));
  vrg_local *local = vrg_new (1, sizeof *local, "local updates");
  local->dimension = shape->dimension;
  local->corners = h->nnn != 0 || h->plaquette != 0;
  local->half = shape->columns / 2;
  local->blocks = (local->half + 3) / 4;
  local->pairs = (NUMBERS / 4 + local->blocks - 1) / local->blocks;
  fill_thresholds (local, h, heat_bath);
  for (int byte = 0; byte < 256; byte++)
    for (int bit = 0; bit < 8; bit++)
      local->spread[byte] |= (uint64_t) (byte >> bit & 1) << (bit % 2 * 32 + bit / 2 * 8);

  local->vectors = (local->half + VECTOR - 1) / VECTOR;
  const int64_t width = (local->vectors + 2) * VECTOR;
  local->bytes = vrg_new ((2 * ROWS + 1) * width, 1, "spins as bytes");
  for (int i = 0; i < 2 * ROWS; i++)
    local->spins[i / 2][i % 2] = local->bytes + i * width + VECTOR;
  local->environment = local->bytes + 2 * ROWS * width;
  for (int odd = 0; odd < 2; odd++)
    local->random[odd] = vrg_new (local->pairs * local->blocks, 16, "random numbers");
  return local;
}

void
vrg_local_free (vrg_local *local)
{
  if (local)
    {
      vrg_free (local->bytes);
      vrg_free (local->random[0]);
      vrg_free (local->random[1]);
    }
  vrg_free (local);
}

/** Row y of the strip as bytes.  The odd column before the first and the even one after the last are those that come
 *  round. */
INLINE void
unpack_row (const vrg_local *local, const vrg_lattice *lattice, int64_t y, int row)
{
  const uint8_t *bits = (const uint8_t *) vrg_lattice_row (lattice, y);
  const uint64_t *restrict spread = local->spread;
  const int64_t half = local->half, bytes = local->blocks;
  uint8_t *restrict even = local->spins[row][0], *restrict odd = local->spins[row][1];
  for (int64_t i = 0; i < bytes; i++)
    {
      const uint64_t eight = spread[bits[i]];
      memcpy (even + 4 * i, &(uint32_t){ (uint32_t) eight }, 4);
      memcpy (odd + 4 * i, &(uint32_t){ (uint32_t) (eight >> 32) }, 4);
    }
  even[half] = even[0];
  odd[-1] = odd[half - 1];
}

/** Row y of the strip and those beside it as bytes. */
INLINE void
unpack_neighbourhood (const vrg_local *local, const vrg_lattice *lattice, int64_t y)
{
  const int64_t plane = lattice->plane, first = y - y % plane;
  unpack_row (local, lattice, y, OWN);
  if (local->dimension == 2)
    {
      unpack_row (local, lattice, y - 1, ABOVE);
      unpack_row (local, lattice, y + 1, BELOW);
    }
  else if (local->dimension == 3)
    {
      unpack_row (local, lattice, first + (y + plane - 1) % plane, ABOVE);
      unpack_row (local, lattice, first + (y + 1) % plane, BELOW);
      unpack_row (local, lattice, y - plane, FRONT);
      unpack_row (local, lattice, y + plane, BACK);
    }
}

/** The bytes of row y as bits again. */
INLINE void
pack_row (const vrg_local *local, const vrg_lattice *lattice, int64_t y)
{
  const uint8_t *even = local->spins[OWN][0], *odd = local->spins[OWN][1];
  uint8_t *bits = (uint8_t *) vrg_lattice_row (lattice, y);
  for (int64_t i = 0; i < local->blocks; i++)
    {
      uint32_t e, o;
      memcpy (&e, even + 4 * i, 4);
      memcpy (&o, odd + 4 * i, 4);
      e |= o << 1; /* columns 2 j and 2 j + 1 in bits 0 and 1 of byte j */
      bits[i] = (uint8_t) (e | e >> 6 | e >> 12 | e >> 18);
    }
}

/** Even (odd = 0) or odd columns of the row. */
INLINE void
update_columns (const vrg_local *local, int odd, const uint32_t *random)
{
  /* Columns x - 1 and x + 1 of an even x = 2 j are the odd columns number j - 1 and j, those of an odd x = 2 j + 1 the
   * even ones number j and j + 1. */
  const int64_t n = local->vectors, half = local->half;
  const uint64_t *restrict threshold = local->threshold;
  uint8_t *restrict spin = local->spins[OWN][odd], *restrict environment = local->environment;
  const uint8_t *left = local->spins[OWN][!odd] - !odd, *right = left + 1;
  const uint8_t *above = local->spins[ABOVE][odd], *below = local->spins[BELOW][odd];
  if (local->corners)
    {
      const uint8_t *above_left = local->spins[ABOVE][!odd] - !odd, *above_right = above_left + 1;
      const uint8_t *below_left = local->spins[BELOW][!odd] - !odd, *below_right = below_left + 1;
      EACH (j, VECTOR, n)
      {
        const int nn = left[j] + right[j] + above[j] + below[j];
        const int nnn = above_left[j] + above_right[j] + below_left[j] + below_right[j];
        const int plaquettes = (above[j] ^ left[j] ^ above_left[j]) + (above[j] ^ right[j] ^ above_right[j])
                               + (below[j] ^ left[j] ^ below_left[j]) + (below[j] ^ right[j] ^ below_right[j]);
        environment[j] = (uint8_t) (50 * nn + 10 * nnn + 2 * plaquettes + spin[j]);
      }
    }
  else if (local->dimension == 1)
    {
      EACH (j, VECTOR, n) { environment[j] = (uint8_t) (2 * (left[j] + right[j]) + spin[j]); }
    }
  else if (local->dimension == 2)
    {
      EACH (j, VECTOR, n) { environment[j] = (uint8_t) (2 * (left[j] + right[j] + above[j] + below[j]) + spin[j]); }
    }
  else
    {
      const uint8_t *front = local->spins[FRONT][odd], *back = local->spins[BACK][odd];
      EACH (j, VECTOR, n)
      {
        environment[j] = (uint8_t) (2 * (left[j] + right[j] + above[j] + below[j] + front[j] + back[j]) + spin[j]);
      }
    }
  for (int64_t j = 0; j < half; j++)
    spin[j] ^= random[j] < threshold[environment[j]];
}

/** Row y of the strip: its even columns, then its odd ones. */
INLINE void
update_row_body (const vrg_local *local, const vrg_lattice *lattice, int64_t y, const uint32_t *even,
                 const uint32_t *odd)
{
  uint8_t *const *own = local->spins[OWN];
  unpack_neighbourhood (local, lattice, y);
  update_columns (local, 0, even);
  own[0][local->half] = own[0][0];
  update_columns (local, 1, odd);
  own[0][local->half] = 0; /* padding again */
  pack_row (local, lattice, y);
}

VRG_PATHS (update_row,
           (const vrg_local *local, const vrg_lattice *lattice, int64_t y, const uint32_t *even, const uint32_t *odd),
           (local, lattice, y, even, odd))

/** The rows of one parity: one of rows 2 k and 2 k + 1 for each k. */
static void
update_rows (vrg_local *local, vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep, int parity)
{
  const int64_t half_plane = (lattice->dimension == 3 ? lattice->plane : lattice->rows + 1) / 2;
  const int64_t end = (lattice->row1 + 1) / 2;
  for (int64_t k0 = lattice->row0 / 2; k0 < end; k0 += local->pairs)
    {
      const int64_t k1 = k0 + local->pairs < end ? k0 + local->pairs : end;
      for (int odd = 0; odd < 2; odd++)
        vrg_rng_fill (rng, VRG_RNG_LOCAL, (uint64_t) (k0 * local->blocks), (k1 - k0) * local->blocks, sweep,
                      (uint32_t) (2 * parity + odd), (uint64_t *) local->random[odd]);
      for (int64_t k = k0; k < k1; k++)
        {
          const int64_t row = 2 * k + (k / half_plane + parity) % 2, at = 4 * (k - k0) * local->blocks;
          if (lattice->row0 <= row && row < lattice->row1)
            update_row (local, lattice, row - lattice->row0, local->random[0] + at, local->random[1] + at);
        }
    }
}

void
vrg_local_sweep (vrg_local *local, MPI_Comm strip_comm, vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep)
{
  for (int parity = 0; parity < 2; parity++)
    {
      if (local->dimension > 1)
        vrg_halo_exchange (strip_comm, lattice);
      update_rows (local, lattice, rng, sweep, parity);
    }
}
