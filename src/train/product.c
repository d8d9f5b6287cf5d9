/* SPDX-License-Identifier: GPL-3.0-or-later
 * Products of fixed-point weights with units: the kernels of product_body.h for each path, and the choice. */
#include "train/product.h"

#include <string.h>

#include "base/math.h"
#include "base/simd.h"

#define WIDTH 16
#define TARGET __attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl")))
#define NAME(name) name##_avx512
#include "train/product_body.h"

#define WIDTH 8
#define TARGET __attribute__ ((target ("avx2")))
#define NAME(name) name##_avx2
#include "train/product_body.h"

#define WIDTH 4
#define TARGET
#define NAME(name) name##_portable
#include "train/product_body.h"

#define PATHS(name, declaration, arguments)                                                                            \
  void vrg_product_##name declaration                                                                                  \
  {                                                                                                                    \
    switch (vrg_simd ())                                                                                               \
      {                                                                                                                \
      case VRG_SIMD_AVX512:                                                                                            \
        name##_avx512 arguments;                                                                                       \
        return;                                                                                                        \
      case VRG_SIMD_AVX2:                                                                                              \
        name##_avx2 arguments;                                                                                         \
        return;                                                                                                        \
      default:                                                                                                         \
        name##_portable arguments;                                                                                     \
      }                                                                                                                \
  }

PATHS (dense_hidden,
       (int64_t n, int64_t visible, int64_t pitch, const int32_t *weights, const int32_t *base, const int32_t *v,
        int32_t *fields),
       (n, visible, pitch, weights, base, v, fields))
PATHS (dense_visible,
       (int64_t n, int64_t visible, int64_t pitch, const int32_t *weights, const int32_t *base, const int32_t *h,
        int32_t *fields),
       (n, visible, pitch, weights, base, h, fields))
PATHS (dense_gradient,
       (int64_t n, int64_t visible, int64_t hidden, int64_t pitch, const int32_t *v, const int32_t *means, int sign,
        int32_t *total, int64_t *sums),
       (n, visible, hidden, pitch, v, means, sign, total, sums))
PATHS (convolution_hidden,
       (const vrg_convolution *c, const int32_t *weights, const int32_t *base, const int32_t *v, int32_t *fields),
       (c, weights, base, v, fields))
PATHS (convolution_visible,
       (const vrg_convolution *c, const int32_t *weights, const int32_t *base, const int32_t *h, int32_t *fields),
       (c, weights, base, h, fields))
PATHS (convolution_gradient,
       (const vrg_convolution *c, const int32_t *v, const int32_t *means, int sign, int64_t *total, int64_t *sums),
       (c, v, means, sign, total, sums))
PATHS (sample, (int64_t n, const int32_t *fields, const void *random, int32_t *units), (n, fields, random, units))
PATHS (mean, (int64_t n, const int32_t *fields, int32_t *means), (n, fields, means))
