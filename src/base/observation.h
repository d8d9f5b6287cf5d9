/* SPDX-License-Identifier: GPL-3.0-or-later
 * What is measured of one configuration. */
#ifndef VRG_BASE_OBSERVATION_H
#define VRG_BASE_OBSERVATION_H

#include <stdint.h>

#define VRG_EVEN_OPERATORS 7
#define VRG_FOURIER_ONE (INT64_C (1) << 24)

/** Integers only, so that the shares of strips add up exactly: VRG_OBSERVED of them, to be summed as an array.  Plain
 *  data. */
typedef struct
{
  int64_t bonds;         /* S_nn, the sum of s s' over the bonds */
  int64_t magnetisation; /* sum of s */
  int64_t fourier[2];    /* sum of s round (2^24 cos, sin (2 pi r / R)), layer r of the R of the slowest dimension */
  int64_t even[VRG_EVEN_OPERATORS]; /* S_a in the catalogue's order; two dimensions only, else 0 */
} vrg_observation;

#define VRG_OBSERVED ((int64_t) (sizeof (vrg_observation) / sizeof (int64_t)))

#endif
