/* SPDX-License-Identifier: GPL-3.0-or-later
 * Finished runs that are read together: those that differ in the seed alone form a group. */
#ifndef VRG_FLOW_GROUP_H
#define VRG_FLOW_GROUP_H

#include <stdbool.h>

#include "flow/finished.h"

/** Owns the array; the runs are the caller's. */
typedef struct
{
  int n;
  const vrg_finished **run;
} vrg_group;

/** Do the runs fit together: dimension, scale, other couplings, operators; and are they independent?  VRG_USAGE with what
 *  differs if not.  Local. */
int vrg_groups_check (int runs, const vrg_finished *run);

/** Put the runs into groups, in the order of their first ones; returns how many.  Local. */
int vrg_groups_new (int runs, const vrg_finished *run, vrg_group **groups);
void vrg_groups_free (int n, vrg_group *groups);

/** Index of a rule (vrg_rule), of a coupling; -1 if the group has none of it. */
int vrg_group_rule (const vrg_group *group, int rule);
int vrg_group_nn (const vrg_group *group, double nn);

/** Have both this rule, with the same parameters: weights, or [train] for the learnt rules? */
bool vrg_groups_share (const vrg_group *a, const vrg_group *b, int rule);

/** What a run of the group has of a coupling, rule and sector that are there. */
const vrg_finished_sector *vrg_group_sector (const vrg_group *group, int run, double nn, int rule, int sector);

#endif
