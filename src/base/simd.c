/* SPDX-License-Identifier: GPL-3.0-or-later
 * Choice of the vector path. */
#include "base/simd.h"

#include <cpuid.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = { "portable", "avx2", "avx512" };
static int chosen = -1;

static vrg_simd_path
best (void)
{
  unsigned a, b, c = 0, d;
  __builtin_cpu_init ();
  if (!(__builtin_cpu_supports ("avx2") && __builtin_cpu_supports ("bmi") && __builtin_cpu_supports ("bmi2")
        && __builtin_cpu_supports ("popcnt") && __builtin_cpu_supports ("aes") && __builtin_cpu_supports ("pclmul")))
    return VRG_SIMD_PORTABLE;
  /* leaf 7, ecx bit 9: VAES, which older compilers do not know by name */
  bool vaes = __get_cpuid_count (7, 0, &a, &b, &c, &d) && (c >> 9 & 1);
  if (vaes && __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
      && __builtin_cpu_supports ("avx512dq") && __builtin_cpu_supports ("avx512vl")
      && __builtin_cpu_supports ("avx512vpopcntdq") && __builtin_cpu_supports ("avx512vbmi2")
      && __builtin_cpu_supports ("avx512vbmi") && __builtin_cpu_supports ("avx512bitalg"))
    return VRG_SIMD_AVX512;
  return VRG_SIMD_AVX2;
}

/** The path named in the environment, or -1. */
static int
wanted (void)
{
  const char *value = getenv ("VRG_SIMD");
  for (int i = 0; value && i < 3; i++)
    if (!strcmp (value, names[i]))
      return i;
  return -1;
}

vrg_simd_path
vrg_simd (void)
{
  if (chosen < 0)
    vrg_simd_set (wanted () < 0 ? VRG_SIMD_AVX512 : (vrg_simd_path) wanted ());
  return (vrg_simd_path) chosen;
}

vrg_simd_path
vrg_simd_set (vrg_simd_path path)
{
  vrg_simd_path limit = best ();
  chosen = (int) (path < limit ? path : limit);
  return (vrg_simd_path) chosen;
}

const char *
vrg_simd_name (vrg_simd_path path)
{
  return names[path];
}

bool
vrg_simd_environment_is_good (void)
{
  return !getenv ("VRG_SIMD") || wanted () >= 0;
}
