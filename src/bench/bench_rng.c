/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rates of random numbers, and what this core could do at most. */
#include <immintrin.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/rng.h"
#include "bench/bench_internal.h"
#include "bench/reference.h"

enum
{
  BLOCKS = 2048,
  CHAINS = 12,  /* as many as EACH: independent, so that they hide the latency */
  TURNS = 20000 /* operations a chain and call */
};

/* ---- limits ---- */

/* CHAINS registers, TURNS times; the empty assembler statement keeps every operation where it is. */
#define EACH(X) X (0) X (1) X (2) X (3) X (4) X (5) X (6) X (7) X (8) X (9) X (10) X (11)
#define KEEP(j) __asm__("" : "+v"(v##j));
#define SUM(j) sum ^= (uint64_t) v##j[0];
#define LOOP(BEGIN, TURN)                                                                                              \
  EACH (BEGIN)                                                                                                         \
  for (int i = 0; i < TURNS; i++)                                                                                      \
    {                                                                                                                  \
      EACH (TURN)                                                                                                      \
    }                                                                                                                  \
  uint64_t sum = 0;                                                                                                    \
  EACH (SUM)                                                                                                           \
  return sum

__attribute__ ((target ("vaes,avx512f"))) static uint64_t
aes_512 (void *state)
{
  const __m512i key = _mm512_set1_epi64 (*(const int64_t *) state);
#define BEGIN(j) __m512i v##j = _mm512_set1_epi64 (j);
#define TURN(j)                                                                                                        \
  v##j = _mm512_aesenc_epi128 (v##j, key);                                                                             \
  KEEP (j)
  LOOP (BEGIN, TURN);
#undef BEGIN
#undef TURN
}

__attribute__ ((target ("aes,avx2"))) static uint64_t
aes_128 (void *state)
{
  const __m128i key = _mm_set1_epi64x (*(const int64_t *) state);
#define BEGIN(j) __m128i v##j = _mm_set1_epi64x (j);
#define TURN(j)                                                                                                        \
  v##j = _mm_aesenc_si128 (v##j, key);                                                                                 \
  KEEP (j)
  LOOP (BEGIN, TURN);
#undef BEGIN
#undef TURN
}

__attribute__ ((target ("avx512f"))) static uint64_t
logic_512 (void *state)
{
  const __m512i a = _mm512_set1_epi64 (*(const int64_t *) state), b = _mm512_set1_epi64 (3);
#define BEGIN(j) __m512i v##j = _mm512_set1_epi64 (j);
#define TURN(j)                                                                                                        \
  v##j = _mm512_ternarylogic_epi64 (v##j, a, b, 0xe8);                                                                 \
  KEEP (j)
  LOOP (BEGIN, TURN);
#undef BEGIN
#undef TURN
}

__attribute__ ((target ("avx2"))) static uint64_t
logic_256 (void *state)
{
  const __m256i a = _mm256_set1_epi64x (*(const int64_t *) state);
#define BEGIN(j) __m256i v##j = _mm256_set1_epi64x (j);
#define TURN(j)                                                                                                        \
  v##j = _mm256_xor_si256 (v##j, a);                                                                                   \
  KEEP (j)
  LOOP (BEGIN, TURN);
#undef BEGIN
#undef TURN
}

/** One chain of additions, a cycle each. */
static uint64_t
additions (void *state)
{
  uint64_t a = *(const uint64_t *) state, v = 0;
  for (int i = 0; i < CHAINS * TURNS; i++)
    {
      v += a;
      __asm__("" : "+r"(v));
    }
  return v;
}

vrg_bench_limits
vrg_bench_machine (const vrg_bench_run *run, vrg_simd_path path)
{
  int64_t seed = 1;
  bool wide = path == VRG_SIMD_AVX512;
  vrg_bench_item items[] = { { additions, &seed, path, VRG_BENCH_EACH, 0, 0 },
                             { wide ? aes_512 : aes_128, &seed, path, VRG_BENCH_EACH, 0, 0 },
                             { wide ? logic_512 : logic_256, &seed, path, VRG_BENCH_EACH, 0, 0 } };
  vrg_bench_measure (run, path == VRG_SIMD_PORTABLE ? 1 : 3, items);
  const double scale = (double) CHAINS * TURNS / VRG_BENCH_NS;
  return (
    vrg_bench_limits){ .clock = items[0].rate * scale, .aes = items[1].rate * scale, .logic = items[2].rate * scale };
}

/* ---- random numbers ---- */

typedef struct
{
  vrg_rng rng;
  vrg_xoshiro plain;
  uint64_t step, out[2 * BLOCKS];
} rng_state;

static uint64_t
rng_work (void *state)
{
  rng_state *s = state;
  vrg_rng_fill (&s->rng, VRG_RNG_TEST, 0, BLOCKS, s->step++, 0, s->out);
  return s->out[s->step % (2 * BLOCKS)];
}

static uint64_t
rng_plain (void *state)
{
  rng_state *s = state;
  for (int i = 0; i < 2 * BLOCKS; i++)
    s->out[i] = vrg_xoshiro_next (&s->plain);
  return s->out[s->step++ % (2 * BLOCKS)];
}

int
vrg_bench_rng (const vrg_bench_run *run)
{
  rng_state *s = vrg_new (1, sizeof *s, "a benchmark");
  vrg_rng_init (&s->rng, 1, 0, (uint32_t) run->grid->rank);
  vrg_xoshiro_init (&s->plain, 1);
  vrg_bench_rows (run, "rng", "128-bit blocks", VRG_SIMD_PORTABLE, rng_work, s, rng_plain, s, BLOCKS / VRG_BENCH_NS,
                  "blocks/ns", "xoshiro256**", VRG_BENCH_MORE, NULL);
  for (int path = (int) vrg_simd (); path > VRG_SIMD_PORTABLE; path--)
    {
      bool wide = path == VRG_SIMD_AVX512;
      vrg_bench_limits limits = vrg_bench_machine (run, (vrg_simd_path) path);
      vrg_bench_put (run, "rng", wide ? "512-bit AES rounds" : "128-bit AES rounds", (vrg_simd_path) path,
                     run->grid->size, limits.aes, "rounds/ns", "clock in GHz", limits.clock, VRG_BENCH_MORE);
      vrg_bench_put (run, "rng", wide ? "512-bit logic" : "256-bit logic", (vrg_simd_path) path, run->grid->size,
                     limits.logic, "operations/ns", "clock in GHz", limits.clock, VRG_BENCH_MORE);
    }
  vrg_free (s);
  return VRG_OK;
}
