/* SPDX-License-Identifier: GPL-3.0-or-later
 * The commands that compute a table without an input: `vrg exact` and `vrg variational`. */
#ifndef VRG_REPORT_TABLES_H
#define VRG_REPORT_TABLES_H

/** Options as they stand on the command line; NULL: not given. */
typedef struct
{
  const char *size, *nn, *nnn, *plaquette, *dimension, *method, *fixed_point, *scale, *levels, *p, *bounds;
} vrg_table_options;

/** Print the table on rank 0's standard output; VRG_USAGE with a message, and nothing printed, for options that make no
 *  sense.  Every rank comes to the same result without communication.  Local. */
int vrg_table_exact (int rank, const vrg_table_options *options);
int vrg_table_variational (int rank, const vrg_table_options *options);

#endif
