/* SPDX-License-Identifier: GPL-3.0-or-later
 * Checkpoints of the sample stage: the spins of all chains, and sums of what is in the samples file so far. */
#ifndef VRG_SAMPLE_SAVED_H
#define VRG_SAMPLE_SAVED_H

#include "sample/chains.h"

#define VRG_SAVED_STAGE "sample"

/** Write the next generation, after vrg_chains_flush.  Collective over the chains' grid. */
int vrg_saved_write (const vrg_chains *chains, const vrg_samples *samples, const char *directory,
                     const char *fingerprint, int64_t step, int64_t total);

/** Read the newest good one: *step, -1 if there is none, and the spins as vrg_chains_begin takes them, to be freed with vrg_free.
 *  The sums go to a samples file that was found and goes on.  Collective. */
int vrg_saved_read (const vrg_chains *chains, vrg_samples *samples, const char *directory, const char *fingerprint,
                    int64_t *step, uint64_t **spins);

#endif
