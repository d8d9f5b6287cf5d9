/* SPDX-License-Identifier: GPL-3.0-or-later
 * The kernels of product.c, written once in portable vectors of WIDTH numbers and included there for each path, with
 *   WIDTH   numbers a vector register holds, a divisor of VRG_LANES,
 *   TARGET  the attribute that lets the compiler use such registers,
 *   NAME    of a function on this path.
 * WIDTH changes the order of integer sums and so nothing. */
#define VECTOR NAME (vector)
#define NATURALS NAME (naturals)
#define INLINE static inline __attribute__ ((always_inline))
#define AT(pointer) (*(VECTOR *) (pointer))
#define IN(pointer) (*(const VECTOR *) (pointer))

typedef int32_t VECTOR __attribute__ ((vector_size (4 * WIDTH), aligned (4), may_alias));
typedef uint32_t NATURALS __attribute__ ((vector_size (4 * WIDTH), aligned (4), may_alias));

TARGET INLINE int64_t
NAME (lanes_sum) (const VECTOR *v)
{
  int64_t sum = 0;
  for (int k = 0; k < WIDTH; k++)
    sum += (*v)[k];
  return sum;
}

/** fields of m samples (m a constant after inlining), so that a row of weights is loaded once for all of them. */
TARGET INLINE void
NAME (dense_hidden_some) (const int m, int64_t visible, int64_t pitch, const int32_t *weights, const int32_t *base,
                          const int32_t *v, int32_t *fields)
{
  for (int64_t j = 0; j < pitch; j += WIDTH)
    {
      VECTOR sum[4] = { { 0 } };
      for (int64_t i = 0; i < visible; i++)
        {
          const VECTOR w = IN (weights + i * pitch + j);
          for (int s = 0; s < m; s++)
            sum[s] += w & v[s * visible + i];
        }
      for (int s = 0; s < m; s++)
        AT (fields + s * pitch + j) = IN (base + j) + sum[s] + sum[s];
    }
}

TARGET static void
NAME (dense_hidden) (int64_t n, int64_t visible, int64_t pitch, const int32_t *weights, const int32_t *base,
                     const int32_t *v, int32_t *fields)
{
  int64_t s = 0;
  for (; s + 4 <= n; s += 4)
    NAME (dense_hidden_some) (4, visible, pitch, weights, base, v + s * visible, fields + s * pitch);
  for (; s < n; s++)
    NAME (dense_hidden_some) (1, visible, pitch, weights, base, v + s * visible, fields + s * pitch);
}

TARGET INLINE void
NAME (dense_visible_some) (const int m, int64_t visible, int64_t pitch, const int32_t *weights, const int32_t *base,
                           const int32_t *h, int32_t *fields)
{
  for (int64_t i = 0; i < visible; i++)
    {
      VECTOR sum[4] = { { 0 } };
      for (int64_t j = 0; j < pitch; j += WIDTH)
        {
          const VECTOR w = IN (weights + i * pitch + j);
          for (int s = 0; s < m; s++)
            sum[s] += w & IN (h + s * pitch + j);
        }
      for (int s = 0; s < m; s++)
        fields[s * visible + i] = (int32_t) (base[i] + 2 * NAME (lanes_sum) (&sum[s]));
    }
}

TARGET static void
NAME (dense_visible) (int64_t n, int64_t visible, int64_t pitch, const int32_t *weights, const int32_t *base,
                      const int32_t *h, int32_t *fields)
{
  int64_t s = 0;
  for (; s + 4 <= n; s += 4)
    NAME (dense_visible_some) (4, visible, pitch, weights, base, h + s * pitch, fields + s * visible);
  for (; s < n; s++)
    NAME (dense_visible_some) (1, visible, pitch, weights, base, h + s * pitch, fields + s * visible);
}

TARGET INLINE void
NAME (dense_gradient_some) (const int m, int64_t n, int64_t visible, int64_t hidden, int64_t pitch, const int32_t *v,
                            const int32_t *means, int sign, const int32_t *total, int64_t *sums)
{
  for (int64_t j = 0; j < pitch; j += WIDTH)
    {
      VECTOR sum[4] = { { 0 } };
      for (int64_t s = 0; s < n; s++)
        {
          const VECTOR mean = IN (means + s * pitch + j);
          for (int i = 0; i < m; i++)
            sum[i] += mean & v[s * visible + i];
        }
      const int64_t last = j + WIDTH < hidden ? WIDTH : hidden - j;
      for (int i = 0; i < m; i++)
        for (int64_t k = 0; k < last; k++)
          sums[i * hidden + j + k] += sign * (2 * (int64_t) sum[i][k] - total[j + k]);
    }
}

TARGET static void
NAME (dense_gradient) (int64_t n, int64_t visible, int64_t hidden, int64_t pitch, const int32_t *v,
                       const int32_t *means, int sign, int32_t *total, int64_t *sums)
{
  for (int64_t j = 0; j < pitch; j += WIDTH)
    {
      VECTOR sum = { 0 };
      for (int64_t s = 0; s < n; s++)
        sum += IN (means + s * pitch + j);
      AT (total + j) = sum;
    }
  int64_t i = 0;
  for (; i + 4 <= visible; i += 4)
    NAME (dense_gradient_some) (4, n, visible, hidden, pitch, v + i, means, sign, total, sums + i * hidden);
  for (; i < visible; i++)
    NAME (dense_gradient_some) (1, n, visible, hidden, pitch, v + i, means, sign, total, sums + i * hidden);
}

/** m rows of one filter's fields, WIDTH columns. */
TARGET INLINE void
NAME (convolution_hidden_some) (const int m, const vrg_convolution *c, const int32_t *weights, int32_t base,
                                const int32_t *v, int32_t *fields)
{
  VECTOR sum[4] = { { 0 } };
  for (int p = 0; p < c->phases; p++)
    for (int t = c->first[p]; t < c->first[p + 1]; t++)
      {
        const int32_t *at = v + p * c->plane + c->shift[t];
        for (int y = 0; y < m; y++)
          sum[y] += IN (at + y * c->width) & weights[t];
      }
  for (int y = 0; y < m; y++)
    AT (fields + y * c->pitch) = base + sum[y] + sum[y];
}

TARGET static void
NAME (convolution_hidden) (const vrg_convolution *c, const int32_t *weights, const int32_t *base, const int32_t *v,
                           int32_t *fields)
{
  for (int f = 0; f < c->filters; f++)
    for (int64_t x = 0; x < c->pitch; x += WIDTH)
      {
        const int32_t *w = weights + f * c->taps, *from = v + c->rim * c->width + c->rim + x;
        int32_t *to = fields + f * c->rows * c->pitch + x;
        int64_t y = 0;
        for (; y + 4 <= c->rows; y += 4)
          NAME (convolution_hidden_some) (4, c, w, base[f], from + y * c->width, to + y * c->pitch);
        for (; y < c->rows; y++)
          NAME (convolution_hidden_some) (1, c, w, base[f], from + y * c->width, to + y * c->pitch);
      }
}

/** m rows of one phase's fields: what a hidden unit sees at a shift is seen from there at the opposite one. */
TARGET INLINE void
NAME (convolution_visible_some) (const int m, const vrg_convolution *c, int p, const int32_t *weights, int32_t base,
                                 const int32_t *h, int32_t *fields)
{
  VECTOR sum[4] = { { 0 } };
  for (int f = 0; f < c->filters; f++)
    for (int t = c->first[p]; t < c->first[p + 1]; t++)
      {
        const int32_t *at = h + f * c->plane - c->shift[t];
        for (int y = 0; y < m; y++)
          sum[y] += IN (at + y * c->width) & weights[f * c->taps + t];
      }
  for (int y = 0; y < m; y++)
    AT (fields + y * c->pitch) = base + sum[y] + sum[y];
}

TARGET static void
NAME (convolution_visible) (const vrg_convolution *c, const int32_t *weights, const int32_t *base, const int32_t *h,
                            int32_t *fields)
{
  for (int p = 0; p < c->phases; p++)
    for (int64_t x = 0; x < c->pitch; x += WIDTH)
      {
        const int32_t *from = h + c->rim * c->width + c->rim + x;
        int32_t *to = fields + p * c->rows * c->pitch + x;
        int64_t y = 0;
        for (; y + 4 <= c->rows; y += 4)
          NAME (convolution_visible_some) (4, c, p, weights, base[p], from + y * c->width, to + y * c->pitch);
        for (; y < c->rows; y++)
          NAME (convolution_visible_some) (1, c, p, weights, base[p], from + y * c->width, to + y * c->pitch);
      }
}

/** Sum over a filter's units of mean & mask, mask = ~0 without v.  A lane takes 1024 means before it is emptied. */
TARGET INLINE int64_t
NAME (convolution_sum) (const vrg_convolution *c, const int32_t *v, const int32_t *means)
{
  int64_t sum = 0;
  for (int64_t x = 0; x < c->pitch; x += WIDTH)
    for (int64_t y0 = 0; y0 < c->rows; y0 += 1024)
      {
        const int64_t y1 = y0 + 1024 < c->rows ? y0 + 1024 : c->rows;
        VECTOR lanes = { 0 };
        if (v)
          for (int64_t y = y0; y < y1; y++)
            lanes += IN (means + y * c->pitch + x) & IN (v + y * c->width + x);
        else
          for (int64_t y = y0; y < y1; y++)
            lanes += IN (means + y * c->pitch + x);
        sum += NAME (lanes_sum) (&lanes);
      }
  return sum;
}

TARGET static void
NAME (convolution_gradient) (const vrg_convolution *c, const int32_t *v, const int32_t *means, int sign, int64_t *total,
                             int64_t *sums)
{
  for (int f = 0; f < c->filters; f++)
    {
      const int32_t *mean = means + f * c->rows * c->pitch;
      const int64_t all = NAME (convolution_sum) (c, 0, mean);
      total[f] += sign * all;
      for (int p = 0; p < c->phases; p++)
        for (int t = c->first[p]; t < c->first[p + 1]; t++)
          {
            const int32_t *at = v + p * c->plane + c->rim * c->width + c->rim + c->shift[t];
            sums[f * c->taps + c->place[t]] += sign * (2 * NAME (convolution_sum) (c, at, mean) - all);
          }
    }
}

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

TARGET INLINE void
NAME (sample_some) (const uint32_t *table, const int32_t *fields, const void *random, int32_t *units)
{
  const VECTOR field = IN (fields);
  const NATURALS sign = (NATURALS) (field >> 31);
  NATURALS up;
  NAME (upper) (table, &field, &up);
  AT (units) = (VECTOR) (*(const NATURALS *) random < (up ^ sign) - sign);
}

TARGET static void
NAME (sample) (int64_t n, const int32_t *fields, const void *random, int32_t *units)
{
  const uint32_t *table = vrg_probability_table ();
  int64_t i = 0;
  for (; i + WIDTH <= n; i += WIDTH)
    NAME (sample_some) (table, fields + i, (const char *) random + 4 * i, units + i);
  if (i < n)
    {
      int32_t rest[3][WIDTH] = { { 0 } };
      memcpy (rest[0], fields + i, 4 * (size_t) (n - i));
      memcpy (rest[1], (const char *) random + 4 * i, 4 * (size_t) (n - i));
      NAME (sample_some) (table, rest[0], rest[1], rest[2]);
      memcpy (units + i, rest[2], 4 * (size_t) (n - i));
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
#undef INLINE
#undef AT
#undef IN
#undef WIDTH
#undef TARGET
#undef NAME
