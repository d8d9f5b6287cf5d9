/* SPDX-License-Identifier: GPL-3.0-or-later
 * The tables of the flow stage, one row of every table for each ensemble, rule, level and what it lists. */
#ifndef VRG_FLOW_TABLES_H
#define VRG_FLOW_TABLES_H

#include "flow/result.h"

/** All of them, in memory until they are closed. */
typedef struct vrg_flow_tables vrg_flow_tables;

/** Start them in DIRECTORY; comment: for their heads.  Local (rank 0 only calls these). */
vrg_flow_tables *vrg_flow_tables_new (const char *directory, const char *comment);

/** Append the rows of one ensemble and rule.  Local. */
void vrg_flow_tables_add (vrg_flow_tables *tables, const vrg_result *result);

/** Write all of them, or none where code is not VRG_OK, and free; NULL is fine.  Returns code or the first failure. */
int vrg_flow_tables_close (vrg_flow_tables *tables, int code);

#endif
