/* SPDX-License-Identifier: GPL-3.0-or-later
 * Counted memory.  A clean run ends with vrg_memory_blocks() == 0. */
#ifndef VRG_BASE_MEMORY_H
#define VRG_BASE_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/** n elements of `size` bytes, zeroed, 64-byte aligned; NULL for n = 0.  Running out, or n * size overflowing, ends
 *  the run by vrg_fail_one and says how much was wanted for what (`what`: a few words).  Local. */
void *vrg_new (int64_t n, size_t size, const char *what);

/** The same, of 32 MiB and more without memory behind it until it is written to.  It is counted as far as vrg_memory_use says
 *  that it was: its first `bytes` bytes.  Local. */
void *vrg_new_room (int64_t n, size_t size, const char *what);
void vrg_memory_use (void *pointer, int64_t bytes);

/** Free what vrg_new gave; NULL is fine.  Local. */
void vrg_free (void *pointer);

/** Bytes held now, the most held since the start or vrg_memory_restart, and blocks held now, on this rank. */
int64_t vrg_memory_now (void);
int64_t vrg_memory_peak (void);
int64_t vrg_memory_blocks (void);
void vrg_memory_restart (void);

/** The most bytes of this process that were ever resident, as the system counts them, beyond what was resident when
 *  vrg_memory_start was called: after MPI and HDF5 were started.  0 where the system does not tell.  *start: that. */
void vrg_memory_start (void);
int64_t vrg_memory_resident (int64_t *start);

#endif
