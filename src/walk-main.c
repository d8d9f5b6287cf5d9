/* SPDX-License-Identifier: GPL-3.0-or-later
 * vrg-walk --walk-hdf5 FILE: the process that looks at an HDF5 file before vrg opens it (files/walk.h).
 *
 * libhdf5 reads beyond its buffers in some damaged files (1.10: an attribute whose datatype is said to be longer than it
 * is), and whether that is noticed depends on what lies there.  Here it is noticed: blocks of memory of some size end at a
 * page that cannot be touched, and none is used twice. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <hdf5.h>

#include "base/error.h"
#include "files/walk.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)

#define PAGE ((size_t) 4096)
#define ROOM ((size_t) 1 << 40)  /* bytes of addresses */
#define GAP ((size_t) 256 << 10) /* behind a block: two lengths of 16 bits may point so far, and no further */
#define MOST ((size_t) 1 << 30)  /* bytes in use */
#define BLOCKS ((size_t) 16384)  /* in use; further ones are libc's, as a process may have but 65530 mappings */
#define SMALL ((size_t) 128)     /* bytes of a block: half of the mappings are for larger ones */
#define UNIT ((size_t) 16)       /* no smaller block is guarded: a short name, by the million */

extern void *__libc_malloc (size_t);
extern void *__libc_calloc (size_t, size_t);
extern void *__libc_realloc (void *, size_t);
extern void __libc_free (void *);

static char *room; /* NULL: blocks are libc's */
static size_t given, used, blocks;

/** Before each block. */
typedef struct
{
  size_t bytes, length; /* of the block; of its pages */
} header;

static void
guard (void)
{
  void *memory = mmap (NULL, ROOM, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  room = memory != MAP_FAILED ? memory : NULL;
}

static bool
is_guarded (const void *block)
{
  return room != NULL && (const char *) block >= room && (const char *) block < room + ROOM;
}

static bool
is_to_be_guarded (size_t bytes)
{
  return room != NULL && bytes >= UNIT && blocks < (bytes < SMALL ? BLOCKS / 2 : BLOCKS);
}

static header *
header_of (void *block)
{
  return (header *) block - 1;
}

/** A zeroed block; NULL where there is no more. */
static void *
take (size_t bytes)
{
  const size_t whole = (bytes + UNIT - 1) / UNIT * UNIT, length = (whole + sizeof (header) + PAGE - 1) / PAGE * PAGE;
  if (bytes > MOST || length > MOST - used || given + length + GAP > ROOM
      || mprotect (room + given, length, PROT_READ | PROT_WRITE) != 0)
    {
      errno = ENOMEM;
      return NULL;
    }
  char *block = room + given + length - whole;
  given += length + GAP;
  used += length;
  blocks++;
  *header_of (block) = (header){ bytes, length };
  return block;
}

void *
malloc (size_t bytes)
{
  return is_to_be_guarded (bytes) ? take (bytes) : __libc_malloc (bytes);
}

void *
calloc (size_t n, size_t size)
{
  size_t bytes;
  if (__builtin_mul_overflow (n, size, &bytes) || !is_to_be_guarded (bytes))
    return __libc_calloc (n, size);
  return take (bytes);
}

void
free (void *block)
{
  if (!is_guarded (block))
    {
      __libc_free (block);
      return;
    }
  const header h = *header_of (block);
  char *end = (char *) block + (h.bytes + UNIT - 1) / UNIT * UNIT;
  used -= h.length;
  blocks--;
  /* where that fails the pages stay, unused */
  (void) mmap (end - h.length, h.length, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

void *
realloc (void *block, size_t bytes)
{
  if (!is_guarded (block))
    return __libc_realloc (block, bytes);
  void *other = malloc (bytes);
  if (other != NULL)
    {
      const size_t before = header_of (block)->bytes;
      memcpy (other, block, before < bytes ? before : bytes);
      free (block);
    }
  return other;
}

#else

static void
guard (void)
{
}

#endif

int
main (int argc, char **argv)
{
  if (argc != 3 || strcmp (argv[1], VRG_WALK_OPTION) != 0)
    {
      fprintf (stderr, "usage: vrg-walk " VRG_WALK_OPTION " FILE\n");
      return VRG_USAGE;
    }
  if (H5open () >= 0)
    H5set_free_list_limits (-1, -1, -1, -1, 0, 0); /* pieces of the file are given back, not kept for the next */
  guard ();
  vrg_walk_main (argv[2]);
}
