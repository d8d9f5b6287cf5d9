/* SPDX-License-Identifier: GPL-3.0-or-later
 * Is this process in a call of MPI, and does it come back?  Counted by VRG_MPI, read by the thread of parallel/watch. */
#ifndef VRG_BASE_LIFE_H
#define VRG_BASE_LIFE_H

#include <stdatomic.h>
#include <stdint.h>

/** Where the calls are counted: odd while the main thread is in one.  Never NULL. */
extern _Atomic uint64_t *vrg_life;

/** Count into *place from now on, on from what was counted; NULL: into a place of its own.  By the main thread, not
 *  inside a call.  Local. */
void vrg_life_move (_Atomic uint64_t *place);

/** A call of MPI begins, has come back.  By the main thread, the only one that writes: two plain moves on x86. */
static inline void
vrg_life_enter (void)
{
  atomic_store_explicit (vrg_life, atomic_load_explicit (vrg_life, memory_order_relaxed) | 1, memory_order_relaxed);
}

static inline void
vrg_life_leave (void)
{
  const uint64_t n = atomic_load_explicit (vrg_life, memory_order_relaxed);
  atomic_store_explicit (vrg_life, (n | 1) + 1, memory_order_relaxed);
}

#endif
