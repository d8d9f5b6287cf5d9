/* SPDX-License-Identifier: GPL-3.0-or-later
 * What this rank has sent: messages and bytes, counted where they are sent. */
#ifndef VRG_PARALLEL_TRAFFIC_H
#define VRG_PARALLEL_TRAFFIC_H

#include <stdint.h>

/** Messages between two ranks by their sender, with the bytes of their data; collective calls that take part in a
 *  sampling or training step, each once, with the bytes that this rank contributes.  Copies within a rank count nothing. */
typedef struct
{
  int64_t messages, bytes;
  int64_t collectives, collective_bytes;
} vrg_traffic;

/** Add messages sent by this rank, `bytes` in all.  Local. */
void vrg_traffic_count (int64_t messages, int64_t bytes);

/** Add one collective call to which this rank contributes `bytes`.  Local. */
void vrg_traffic_collective (int64_t bytes);

/** What has been counted since the last reset, or since the start.  Local. */
vrg_traffic vrg_traffic_read (void);
void vrg_traffic_reset (void);

#endif
