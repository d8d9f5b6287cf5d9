/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a sweep sends, and how long it takes. */
#include "bench/model.h"

#include <math.h>

/* Of the sites of a layer of a critical lattice in two and in three dimensions: the part where runs start, which is
 * 1 - (1 - exp (-2 K)) (1 + <s s'>) / 2, and clusters on the two edges of a strip, in the sites of one edge.  The latter is
 * measured (vrg bench traffic): 0.61 to 0.65, and 0.93 to 0.96. */
static const double runs_part[] = { 0.5, 0.762 }, clusters_part[] = { 0.63, 0.945 };

static int64_t
words_of (int64_t sites)
{
  return (sites + 63) / 64;
}

vrg_traffic
vrg_model_metropolis_traffic (int64_t columns, int strips)
{
  if (strips == 1)
    return (vrg_traffic){ 0 };
  int64_t row = 8 * words_of (columns / 2);
  return (vrg_traffic){ .messages = 4, .bytes = 4 * row };
}

/** Words of a layer's sites as they are stored, rows of whole words. */
static int64_t
layer_words (int dimension, int64_t columns)
{
  return dimension == 3 ? columns * words_of (columns) : words_of (columns);
}

/** Bytes of the halo: a layer as the lattice holds it, rows of whole vectors but for the last. */
static int64_t
bytes_halo (int dimension, int64_t columns)
{
  int64_t words = words_of (columns), stride = (words + 7) / 8 * 8;
  return 8 * (dimension == 3 ? (columns - 1) * stride + words : words);
}

vrg_traffic
vrg_model_local_traffic (int dimension, int64_t columns, int strips)
{
  if (strips == 1)
    return (vrg_traffic){ 0 };
  return (vrg_traffic){ .messages = 4, .bytes = 4 * bytes_halo (dimension, columns) };
}

static double
layer_sites (int dimension, int64_t columns)
{
  return dimension == 3 ? (double) columns * (double) columns : (double) columns;
}

/** Bytes of a message up the tree (sample/merge.h), and down. */
static double
bytes_up (int dimension, int64_t columns)
{
  double edge = layer_sites (dimension, columns);
  return 24 + 24 * (double) layer_words (dimension, columns)
         + 8 * edge * (runs_part[dimension == 3] + clusters_part[dimension == 3]);
}

static double
bytes_down (int dimension, int64_t columns)
{
  return 8 * layer_sites (dimension, columns) * clusters_part[dimension == 3];
}

vrg_traffic
vrg_model_cluster_traffic (int dimension, int64_t columns, int strips, int strip)
{
  vrg_traffic t = { 0 };
  if (strips == 1)
    return t;
  double bytes = (double) bytes_halo (dimension, columns);
  t.messages = 1;
  int distance = 1;
  for (; distance < strips && !(strip & distance); distance *= 2)
    if (strip + distance < strips)
      {
        t.messages++;
        bytes += bytes_down (dimension, columns);
      }
  if (strip > 0)
    {
      t.messages++;
      bytes += bytes_up (dimension, columns);
    }
  t.bytes = llrint (bytes);
  return t;
}

vrg_traffic
vrg_model_cluster_busiest (int dimension, int64_t columns, int strips)
{
  vrg_traffic most = { 0 };
  for (int strip = 0; strip < strips; strip++)
    {
      vrg_traffic t = vrg_model_cluster_traffic (dimension, columns, strips, strip);
      most.messages = t.messages > most.messages ? t.messages : most.messages;
      most.bytes = t.bytes > most.bytes ? t.bytes : most.bytes;
    }
  return most;
}

double
vrg_model_metropolis_seconds (const vrg_model_machine *machine, int64_t layers, int64_t columns, int strips)
{
  double rows = (double) ((layers + strips - 1) / strips), row = (double) columns / 2 * machine->metropolis;
  if (strips == 1)
    return 2 * rows * row;
  double exchange
    = machine->latency + (double) vrg_model_metropolis_traffic (columns, strips).bytes / 2 / machine->bandwidth;
  return 2 * (fmax (fmax (rows - 2, 0) * row, exchange) + fmin (rows, 2) * row);
}

double
vrg_model_cluster_seconds (const vrg_model_machine *machine, int dimension, int64_t layers, int64_t columns, int strips)
{
  double rows = (double) ((layers + strips - 1) / strips), edge = layer_sites (dimension, columns);
  double seconds = rows * edge * machine->cluster;
  if (strips == 1)
    return seconds;
  seconds = fmax (seconds, machine->latency + (double) bytes_halo (dimension, columns) / machine->bandwidth)
            + edge * machine->edge;
  for (int distance = 1; distance < strips; distance *= 2)
    seconds += 2 * machine->latency
               + (bytes_up (dimension, columns) + bytes_down (dimension, columns)) / machine->bandwidth
               + edge * machine->join;
  return seconds;
}
