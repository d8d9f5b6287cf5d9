/* SPDX-License-Identifier: GPL-3.0-or-later
 * `vrg info`: what a file or a run directory holds, in words, with checksums verified. */
#ifndef VRG_FILES_INFO_H
#define VRG_FILES_INFO_H

#include "parallel/grid.h"

/** Print to standard output on rank 0.  VRG_OK, or VRG_FILE if something is missing or damaged.  Collective. */
int vrg_info_print (const vrg_grid *grid, const char *path);

#endif
