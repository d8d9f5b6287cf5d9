/* SPDX-License-Identifier: GPL-3.0-or-later
 * Patterns of sites that define operators: an operator is the sum over the lattice of the product of spins at a pattern
 * and at all its images under translations and the point group.  The catalogue holds the usual ones, by dimension;
 * inputs add their own ([operator NAME]). */
#ifndef VRG_BASE_CATALOGUE_H
#define VRG_BASE_CATALOGUE_H

#include <stdbool.h>

#define VRG_MAX_DIMENSION 3
#define VRG_PATTERN_SITES 8 /* at most in a pattern */
#define VRG_PATTERN_REACH 8 /* largest offset, either way */
#define VRG_PATTERN_NAME 24 /* characters of a name, with the ending 0 */

/** One image: offset[site][d], slowest dimension first (row, column in two dimensions); an even number of sites makes
 *  an even operator.  Plain data; numbers beyond the sites and the dimension are 0. */
typedef struct
{
  char name[VRG_PATTERN_NAME];
  int sites;
  int offset[VRG_PATTERN_SITES][VRG_MAX_DIMENSION];
} vrg_pattern;

/** The catalogue of a dimension (1 to 3) and parity in its order; returns how many.  patterns: not owned.  Local. */
int vrg_catalogue (int dimension, bool odd, const vrg_pattern **patterns);

/** The pattern of this name, of either parity; NULL if the dimension's catalogue has none.  Local. */
const vrg_pattern *vrg_catalogue_find (int dimension, const char *name);

#endif
