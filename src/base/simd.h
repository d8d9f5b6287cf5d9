/* SPDX-License-Identifier: GPL-3.0-or-later
 * Which vector instructions to use.  Every path gives the same bits; VRG_SIMD=portable|avx2|avx512 in the
 * environment lowers the choice. */
#ifndef VRG_BASE_SIMD_H
#define VRG_BASE_SIMD_H

#include <stdbool.h>

typedef enum
{
  VRG_SIMD_PORTABLE,
  VRG_SIMD_AVX2,  /* AVX2, AES-NI, PCLMUL, BMI, LZCNT, POPCNT */
  VRG_SIMD_AVX512 /* AVX-512 F BW DQ VL, VAES, VPOPCNTDQ, VBMI2 as well */
} vrg_simd_path;

/** The best path this processor has and the environment allows; chosen at the first call.  Local. */
vrg_simd_path vrg_simd (void);

/** Force a path (tests, bench); a path the processor lacks is lowered to what it has.  Returns what is in force. */
vrg_simd_path vrg_simd_set (vrg_simd_path path);

/** "portable", "avx2", "avx512". */
const char *vrg_simd_name (vrg_simd_path path);

/** True unless VRG_SIMD has a value that is none of the names. */
bool vrg_simd_environment_is_good (void);

#define VRG_TARGET_AVX2 __attribute__ ((target ("avx2")))
#define VRG_TARGET_AVX512 __attribute__ ((target ("avx512f,avx512bw,avx512dq,avx512vl")))

/** static void name parameters, from an always_inline name_body, compiled for each path and chosen at run time. */
#define VRG_PATHS(name, parameters, arguments)                                                                         \
  static void name##_portable parameters { name##_body arguments; }                                                    \
  VRG_TARGET_AVX2 static void name##_avx2 parameters { name##_body arguments; }                                        \
  VRG_TARGET_AVX512 static void name##_avx512 parameters { name##_body arguments; }                                    \
  static void name parameters                                                                                          \
  {                                                                                                                    \
    if (vrg_simd () == VRG_SIMD_AVX512)                                                                                \
      name##_avx512 arguments;                                                                                         \
    else if (vrg_simd () == VRG_SIMD_AVX2)                                                                             \
      name##_avx2 arguments;                                                                                           \
    else                                                                                                               \
      name##_portable arguments;                                                                                       \
  }

#endif
