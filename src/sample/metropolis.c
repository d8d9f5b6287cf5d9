/* SPDX-License-Identifier: GPL-3.0-or-later
 * Metropolis checkerboard updates on bit-packed rows. */
#include "sample/metropolis.h"

#include <math.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"
#include "base/simd.h"
#include "lattice/halo.h"
#include "sample/planes.h"

struct vrg_metropolis
{
  uint64_t threshold[2]; /* for 0 and 1 unsatisfied bonds */
  uint64_t against;      /* all ones where K < 0: a bond of equal spins is the unsatisfied one */
  int64_t rows;          /* per chunk */
  uint64_t *undecided, *select, *accept, *random;
};

vrg_metropolis *
vrg_metropolis_new (const vrg_lattice *shape, double nn)
{
  VRG_ASSERT (shape->rows % 2 == 0 && shape->columns % 2 == 0);
  vrg_metropolis *metropolis = vrg_new (1, sizeof *metropolis, "Metropolis");
  metropolis->threshold[0] = vrg_rng_threshold (vrg_exp (-8 * fabs (nn)));
  metropolis->threshold[1] = vrg_rng_threshold (vrg_exp (-4 * fabs (nn)));
  metropolis->against = nn < 0 ? ~UINT64_C (0) : 0;
  metropolis->rows = vrg_planes_rows (shape);
  int64_t words = metropolis->rows * shape->stride;
  metropolis->undecided = vrg_new (words, sizeof (uint64_t), "Metropolis buffer");
  metropolis->select = vrg_new (words, sizeof (uint64_t), "Metropolis buffer");
  metropolis->accept = vrg_new (words, sizeof (uint64_t), "Metropolis buffer");
  metropolis->random = vrg_new (words, sizeof (uint64_t), "Metropolis buffer");
  return metropolis;
}

void
vrg_metropolis_free (vrg_metropolis *metropolis)
{
  if (metropolis)
    {
      vrg_free (metropolis->undecided);
      vrg_free (metropolis->select);
      vrg_free (metropolis->accept);
      vrg_free (metropolis->random);
    }
  vrg_free (metropolis);
}

/** One row: sites of `colour` with two or more unsatisfied bonds flip, the others are undecided, `select` marks those
 *  with one. */
static inline __attribute__ ((always_inline)) void
row_body (const uint64_t *row, const uint64_t *above, const uint64_t *below, int64_t words, int64_t columns,
          uint64_t colour, uint64_t against, uint64_t *undecided, uint64_t *select, uint64_t *accept)
{
#define VOTE(w, left, right, sites)                                                                                    \
  do                                                                                                                   \
    {                                                                                                                  \
      uint64_t s_ = row[w] ^ against, a_ = s_ ^ above[w], b_ = s_ ^ below[w], c_ = s_ ^ (left), d_ = s_ ^ (right);     \
      uint64_t two_ = (a_ & b_) | (c_ & d_) | ((a_ | b_) & (c_ | d_));                                                 \
      accept[w] = two_ & (sites);                                                                                      \
      undecided[w] = ~two_ & (sites);                                                                                  \
      select[w] = a_ | b_ | c_ | d_;                                                                                   \
    }                                                                                                                  \
  while (0)

  int64_t n = words - 1, last = (columns - 1) % 64;
  uint64_t wrap_left = row[n] >> last, wrap_right = row[0] << last;
  uint64_t end = vrg_row_last_mask (columns) & colour;
  if (n == 0)
    VOTE (0, row[0] << 1 | wrap_left, row[0] >> 1 | wrap_right, end);
  else
    {
      VOTE (0, row[0] << 1 | wrap_left, row[0] >> 1 | row[1] << 63, colour);
      for (int64_t w = 1; w < n; w++)
        VOTE (w, row[w] << 1 | row[w - 1] >> 63, row[w] >> 1 | row[w + 1] << 63, colour);
      VOTE (n, row[n] << 1 | row[n - 1] >> 63, row[n] >> 1 | wrap_right, end);
    }
#undef VOTE
}

typedef void row_function (const uint64_t *row, const uint64_t *above, const uint64_t *below, int64_t words,
                           int64_t columns, uint64_t colour, uint64_t against, uint64_t *undecided, uint64_t *select,
                           uint64_t *accept);

static void
row_portable (const uint64_t *row, const uint64_t *above, const uint64_t *below, int64_t words, int64_t columns,
              uint64_t colour, uint64_t against, uint64_t *undecided, uint64_t *select, uint64_t *accept)
{
  row_body (row, above, below, words, columns, colour, against, undecided, select, accept);
}

__attribute__ ((target ("avx2"))) static void
row_avx2 (const uint64_t *row, const uint64_t *above, const uint64_t *below, int64_t words, int64_t columns,
          uint64_t colour, uint64_t against, uint64_t *undecided, uint64_t *select, uint64_t *accept)
{
  row_body (row, above, below, words, columns, colour, against, undecided, select, accept);
}

__attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl"))) static void
row_avx512 (const uint64_t *row, const uint64_t *above, const uint64_t *below, int64_t words, int64_t columns,
            uint64_t colour, uint64_t against, uint64_t *undecided, uint64_t *select, uint64_t *accept)
{
  row_body (row, above, below, words, columns, colour, against, undecided, select, accept);
}

/** Sites with row + column = colour modulo 2. */
static void
update_colour (vrg_metropolis *m, vrg_lattice *lattice, const vrg_rng *rng, uint64_t sweep, uint32_t colour)
{
  row_function *const paths[] = { row_portable, row_avx2, row_avx512 }, *vote = paths[vrg_simd ()];
  vrg_planes planes = { VRG_RNG_METROPOLIS, sweep, colour * 64, { m->threshold[0], m->threshold[1] } };
  int64_t height = lattice->row1 - lattice->row0, words = lattice->words, stride = lattice->stride;
  for (int64_t y0 = 0; y0 < height; y0 += m->rows)
    {
      int64_t y1 = y0 + m->rows < height ? y0 + m->rows : height;
      for (int64_t y = y0; y < y1; y++)
        {
          uint64_t sites = UINT64_C (0x5555555555555555) << (lattice->row0 + y + colour) % 2;
          int64_t at = (y - y0) * stride;
          vote (vrg_lattice_row (lattice, y), vrg_lattice_row (lattice, y - 1), vrg_lattice_row (lattice, y + 1), words,
                lattice->columns, sites, m->against, m->undecided + at, m->select + at, m->accept + at);
        }
      vrg_planes_below (&planes, rng, (uint64_t) ((lattice->row0 + y0) * stride) / 2, (y1 - y0) * stride, m->select,
                        m->undecided, m->accept, m->random);
      for (int64_t y = y0; y < y1; y++)
        {
          uint64_t *row = vrg_lattice_row (lattice, y), *accept = m->accept + (y - y0) * stride;
          for (int64_t w = 0; w < words; w++)
            row[w] ^= accept[w];
        }
    }
}

void
vrg_metropolis_sweep (vrg_metropolis *metropolis, MPI_Comm strip_comm, vrg_lattice *lattice, const vrg_rng *rng,
                      uint64_t sweep)
{
  for (uint32_t colour = 0; colour < 2; colour++)
    {
      vrg_halo_exchange (strip_comm, lattice);
      update_colour (metropolis, lattice, rng, sweep, colour);
    }
}
