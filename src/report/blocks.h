/* SPDX-License-Identifier: GPL-3.0-or-later
 * Configurations and their block spins, as pictures. */
#ifndef VRG_REPORT_BLOCKS_H
#define VRG_REPORT_BLOCKS_H

#include <stdbool.h>
#include <stdio.h>

#include "base/param.h"
#include "parallel/grid.h"

#define VRG_BLOCKS_PICTURES 3
#define VRG_BLOCKS_RULES 3
#define VRG_BLOCKS_LEVELS 6 /* the sampled one among them */

/** Plain data that owns its spins.  A picture's spins[rule][level] are rows x columns of that level, 1: up; level 0 is
 *  the same for all rules. */
typedef struct
{
  int pictures, n_rules, levels, dimension, scale;
  int rules[VRG_BLOCKS_RULES]; /* vrg_rule */
  double nn[VRG_BLOCKS_PICTURES];
  int64_t sample[VRG_BLOCKS_PICTURES]; /* number in its ensemble */
  int64_t side[2], shown[2];           /* rows, columns of the lattice (of a plane), and of what is shown of it */
  unsigned char *spins[VRG_BLOCKS_PICTURES][VRG_BLOCKS_RULES][VRG_BLOCKS_LEVELS];
} vrg_report_blocks;

/** The last configurations of DIRECTORY/samples.h5 at the lowest, the most critical and the highest coupling (one coupling:
 *  the last two), blocked as the flow blocks them, learnt rules by DIRECTORY/model.h5 (left out where it is not of this
 *  input).  In three dimensions the first plane.  `input` is read on rank 0, and may be NULL elsewhere.  VRG_OK with *blocks = NULL where there is nothing to show: one dimension, or a
 *  lattice of more than 2^26 sites.  VRG_FILE if samples.h5 cannot be read.  *blocks on rank 0 alone.  Collective. */
int vrg_report_blocks_read (const vrg_grid *grid, const char *directory, const vrg_input *input,
                            vrg_report_blocks **blocks);

/** Local; NULL is fine. */
void vrg_report_blocks_free (vrg_report_blocks *blocks);

/** Size of the picture in pixels; its caption, in `size` bytes.  Local. */
void vrg_report_blocks_size (const vrg_report_blocks *blocks, int *width, int *height);
void vrg_report_blocks_caption (const vrg_report_blocks *blocks, char *caption, int size);

/** The picture's script: a row for each configuration and rule, a column for each level.  Local. */
bool vrg_report_blocks_script (FILE *script, const vrg_report_blocks *blocks);

#endif
