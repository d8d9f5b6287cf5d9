/* SPDX-License-Identifier: GPL-3.0-or-later
 * Counted memory.  A clean run ends with vrg_memory_blocks() == 0. */
#ifndef VRG_BASE_MEMORY_H
#define VRG_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/** n elements of `size` bytes, zeroed, 64-byte aligned; NULL for n = 0.  Running out, or n * size overflowing, ends
 *  the run by vrg_fail_one and says how much was wanted for what (`what`: a few words).  Local. */
void *vrg_new (int64_t n, size_t size, const char *what);

/** Free what vrg_new gave; NULL is fine.  Local. */
void vrg_free (void *pointer);

/** Bytes held now, the most ever held, and blocks held now, on this rank. */
int64_t vrg_memory_now (void);
int64_t vrg_memory_peak (void);
int64_t vrg_memory_blocks (void);

#endif
