/* SPDX-License-Identifier: GPL-3.0-or-later
 * Probabilities and means for product.c, written once in portable vectors of WIDTH numbers and included there for each
 * path, with
 *   WIDTH   numbers a vector register holds, a divisor of VRG_LANES,
 *   TARGET  the attribute that lets the compiler use such registers,
 *   NAME    of a function on this path. */
#define VECTOR NAME (vector)
#define NATURALS NAME (naturals)
#define AT(pointer) (*(VECTOR *) (pointer))
#define IN(pointer) (*(const VECTOR *) (pointer))

typedef int32_t VECTOR __attribute__ ((vector_size (4 * WIDTH), aligned (4), may_alias));
typedef uint32_t NATURALS __attribute__ ((vector_size (4 * WIDTH), aligned (4), may_alias));

/** WIDTH of vrg_probability, as base/math.c interpolates it, in 32-bit arithmetic: the difference of two rows is
 *  taken in a high and a low part of 12 bits.  Of a field's size: at least 1/2. */
TARGET INLINE void
NAME (upper) (const uint32_t *table, const VECTOR *field, NATURALS *up)
{
  const int bits = VRG_FIXED_BITS - 8;
  const NATURALS size = (NATURALS) ((*field ^ (*field >> 31)) - (*field >> 31));
  const NATURALS beyond = (NATURALS) (size >= (uint32_t) VRG_PROBABILITY_ROWS << bits);
  const NATURALS row = ~beyond & (size >> bits), part = size & ((1u << bits) - 1);
  NATURALS low, step;
  for (int k = 0; k < WIDTH; k++)
    {
      low[k] = table[row[k]];
      step[k] = table[row[k] + 1];
    }
  step -= low;
  *up = beyond | (low + (step >> bits) * part + ((step & ((1u << bits) - 1)) * part >> bits));
}

TARGET static void
NAME (draw_some) (int64_t units, int64_t pitch, const int32_t *fields, const void *random, int32_t *planes)
{
  const uint32_t *table = vrg_probability_table ();
  for (int64_t u = 0; u < units; u += VRG_GROUP, planes += pitch)
    for (int lane = 0; lane < VRG_LANES; lane += WIDTH)
      {
        NATURALS index = { 0 };
        for (int k = 0; k < VRG_GROUP && u + k < units; k++)
          {
            const VECTOR field = IN (fields + (u + k) * pitch + lane);
            const NATURALS sign = (NATURALS) (field >> 31);
            const NATURALS number = *(const NATURALS *) ((const int32_t *) random + (u + k) * VRG_LANES + lane);
            NATURALS up;
            NAME (upper) (table, &field, &up);
            index |= (NATURALS) (number < (up ^ sign) - sign) >> 31 << k;
          }
        AT (planes + lane) = (VECTOR) index;
      }
}

TARGET static void
NAME (draw) (const vrg_numbers *numbers, int64_t units, int64_t pitch, const int32_t *fields, int32_t *planes)
{
  uint64_t random[DRAWN * VRG_LANES / 2];
  for (int64_t u = 0; u < units; u += DRAWN)
    {
      const int64_t n = units - u < DRAWN ? units - u : DRAWN, blocks = VRG_LANES / 4;
      vrg_rng_fill (numbers->rng, numbers->purpose, (uint64_t) (numbers->index + u * blocks), n * blocks,
                    (uint64_t) numbers->step, numbers->draw, random);
      NAME (draw_some) (n, pitch, fields + u * pitch, random, planes + u / VRG_GROUP * pitch);
    }
}

TARGET static void
NAME (mean) (int64_t n, const int32_t *fields, int32_t *means)
{
  const uint32_t *table = vrg_probability_table ();
  for (int64_t i = 0; i < n; i += WIDTH)
    {
      const VECTOR field = IN (fields + i), sign = field >> 31;
      NATURALS up;
      NAME (upper) (table, &field, &up);
      const VECTOR mean = (VECTOR) ((up - UINT32_C (0x80000000)) >> (31 - VRG_FIXED_BITS));
      AT (means + i) = (mean ^ sign) - sign;
    }
}

#undef VECTOR
#undef NATURALS
#undef AT
#undef IN
#undef WIDTH
#undef TARGET
#undef NAME
