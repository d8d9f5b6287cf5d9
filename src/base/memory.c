/* SPDX-License-Identifier: GPL-3.0-or-later
 * Counted memory: a header before each block remembers its size. */
#include "base/memory.h"

#include <stdlib.h>

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

static int64_t now, peak, blocks;

void *
vrg_new (int64_t n, size_t size, const char *what)
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
  *own = (header){ MAGIC, start, bytes };
  now += bytes;
  if (now > peak)
    peak = now;
  blocks++;
  return block;
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

int64_t
vrg_memory_blocks (void)
{
  return blocks;
}
