/* SPDX-License-Identifier: GPL-3.0-or-later
 * What this rank has sent. */
#include "parallel/traffic.h"

static vrg_traffic sent;

void
vrg_traffic_count (int64_t messages, int64_t bytes)
{
  sent.messages += messages;
  sent.bytes += bytes;
}

void
vrg_traffic_collective (int64_t bytes)
{
  sent.collectives++;
  sent.collective_bytes += bytes;
}

vrg_traffic
vrg_traffic_read (void)
{
  return sent;
}

void
vrg_traffic_reset (void)
{
  sent = (vrg_traffic){ 0 };
}
