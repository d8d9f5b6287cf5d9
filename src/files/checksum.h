/* SPDX-License-Identifier: GPL-3.0-or-later
 * The sum that guards what files hold; doc/formats.md defines it.  It is additive: whoever has some of the words sums
 * those, in any order, and the sums are added modulo 2^64. */
#ifndef VRG_FILES_CHECKSUM_H
#define VRG_FILES_CHECKSUM_H

#include <stdint.h>

/** Sum of hash64 (i, word i) over n words, the first of which is number `first`.  The same on every SIMD path.  Local. */
uint64_t vrg_checksum (const uint64_t *words, int64_t n, int64_t first);

#endif
