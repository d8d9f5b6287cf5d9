/* SPDX-License-Identifier: GPL-3.0-or-later
 * Several finished runs read together: two-lattice matching, exponents over sizes, the spread over seeds. */
#ifndef VRG_FLOW_COMBINE_H
#define VRG_FLOW_COMBINE_H

#include <mpi.h>

/** Read flow.h5 of n directories and write matching.tsv, exponents-by-size.tsv, extrapolation.tsv and seeds.tsv into
 *  `out`, which is made if need be; tables of that kind there are replaced, other files of these names are not.
 *  VRG_USAGE for fewer than two runs, runs that share configurations, do not fit together or have nothing to be combined,
 *  VRG_FILE for a missing or damaged flow.h5, with a message.  Collective. */
int vrg_combine (MPI_Comm world, int n, const char *const *directories, const char *out);

#endif
