/* SPDX-License-Identifier: GPL-3.0-or-later
 * Counted memory: a header before each block remembers its size. */
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define ALIGNMENT 64
#define MAGIC UINT64_C (0x5652474d454d4f52)

/** What lies in the 64 bytes before a block. */
typedef struct
{
  uint64_t magic;
  void *start; /* what calloc gave */
  int64_t bytes;
} header;

static int64_t now, peak, blocks, started;

/** Count what a block holds more now than before. */
static void
count (header *own, int64_t bytes)
{
  now += bytes - own->bytes;
  own->bytes = bytes;
  if (now > peak)
    peak = now;
}

void *
vrg_new_room (int64_t n, size_t size, const char *what)
{
  if (n == 0 || size == 0)
    return NULL;
  if (n < 0 || (uint64_t) n > (INT64_MAX - 2 * ALIGNMENT) / size)
    vrg_fail_one (VRG_INTERNAL, "%lld elements of %zu bytes for %s are more than can be counted", (long long) n, size,
                  what);
  const int64_t bytes = n * (int64_t) size;
  char *start = calloc (1, (size_t) bytes + 2 * ALIGNMENT); /* large blocks: zero pages that come as they are used */
  if (start == NULL)
    vrg_fail_one (VRG_INTERNAL, "out of memory: %.1f MiB wanted for %s, %.1f MiB held; more ranks need less each",
                  (double) bytes / 1048576, what, (double) now / 1048576);
  const uintptr_t first = ((uintptr_t) start + 2 * ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  char *block = start + (first - (uintptr_t) start);
  header *own = (header *) (void *) (block - sizeof (header));
  *own = (header){ MAGIC, start, 0 };
  blocks++;
  return block;
}

void *
vrg_new (int64_t n, size_t size, const char *what)
{
  void *block = vrg_new_room (n, size, what);
  if (block != NULL)
    count ((header *) (void *) ((char *) block - sizeof (header)), n * (int64_t) size);
  return block;
}

void
vrg_memory_use (void *pointer, int64_t bytes)
{
  header *own = (header *) (void *) ((char *) pointer - sizeof (header));
  VRG_ASSERT (own->magic == MAGIC);
  if (bytes > own->bytes)
    count (own, bytes);
}

void
vrg_free (void *pointer)
{
  if (pointer == NULL)
    return;
  header *own = (header *) (void *) ((char *) pointer - sizeof (header));
  if (own->magic != MAGIC)
    vrg_fail_one (VRG_INTERNAL, "a block of memory is freed that is not ours, is freed already, or was overrun");
  own->magic = 0;
  now -= own->bytes;
  blocks--;
  free (own->start);
}

int64_t
vrg_memory_now (void)
{
  return now;
}

int64_t
vrg_memory_peak (void)
{
  return peak;
}

void
vrg_memory_restart (void)
{
  peak = now;
}

int64_t
vrg_memory_blocks (void)
{
  return blocks;
}

/** A line of /proc/self/status in bytes; 0 if it is not there. */
static int64_t
status_bytes (const char *name)
{
  FILE *file = fopen ("/proc/self/status", "r");
  char line[256];
  long long kib = 0;
  while (file != NULL && fgets (line, sizeof line, file) != NULL)
    if (strncmp (line, name, strlen (name)) == 0 && sscanf (line + strlen (name), ": %lld kB", &kib) == 1)
      break;
  if (file != NULL)
    fclose (file);
  return kib * 1024;
}

void
vrg_memory_start (void)
{
  started = status_bytes ("VmRSS");
}

int64_t
vrg_memory_resident (int64_t *start)
{
  const int64_t most = status_bytes ("VmHWM");
  *start = started;
  return most > started ? most - started : 0;
}
