/* SPDX-License-Identifier: GPL-3.0-or-later
 * What all fuzz targets share.  A target is a program of libFuzzer (tests/check-fuzz), or with replay.c one that takes the
 * files of its corpus once. */
#ifndef VRG_TESTS_FUZZ_FUZZ_H
#define VRG_TESTS_FUZZ_FUZZ_H

#include <hdf5.h>
#include <math.h>
#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/scratch.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);
int LLVMFuzzerInitialize (int *argc, char ***argv);

/** Once: MPI alone, silence, a directory in memory. */
static inline void
fuzz_begin (void)
{
  if (access ("/dev/shm", W_OK) == 0)
    setenv ("TMPDIR", "/dev/shm", 1);
  setenv ("OMPI_MCA_opal_signal", "", 1); /* the fuzzer wants to see them */
  MPI_Init (NULL, NULL);
  vrg_error_init (MPI_COMM_WORLD);
  vrg_log_init (false, VRG_LOG_WARNING);
  scratch_begin ();
  atexit (scratch_end_alone);
  if (freopen ("/dev/null", "w", stdout) == NULL)
    abort ();
}

/** After each input: nothing of ours is left behind. */
static inline void
fuzz_check (void)
{
  if (vrg_memory_blocks () != 0 || H5Fget_obj_count ((hid_t) H5F_OBJ_ALL, H5F_OBJ_ALL) > 0)
    {
      fprintf (stderr, "%lld blocks of memory and %lld objects of HDF5 are left\n", (long long) vrg_memory_blocks (),
               (long long) H5Fget_obj_count ((hid_t) H5F_OBJ_ALL, H5F_OBJ_ALL));
      abort ();
    }
}

/** The bytes that steer, one number after the other; zeros after the last. */
typedef struct
{
  const uint8_t *data;
  size_t size;
} fuzz_bytes;

static inline unsigned
fuzz_byte (fuzz_bytes *b)
{
  if (b->size == 0)
    return 0;
  b->size--;
  return *b->data++;
}

/** A number worth trying, or any. */
static inline int64_t
fuzz_number (fuzz_bytes *b)
{
  static const int64_t worth[] = { 0,
                                   1,
                                   -1,
                                   2,
                                   3,
                                   7,
                                   8,
                                   63,
                                   64,
                                   65,
                                   127,
                                   255,
                                   256,
                                   1000,
                                   65535,
                                   65536,
                                   INT32_MAX,
                                   INT32_MIN,
                                   1LL << 31,
                                   1LL << 32,
                                   1LL << 40,
                                   1LL << 47,
                                   1LL << 48,
                                   (1LL << 48) + 1,
                                   1LL << 61,
                                   1LL << 62,
                                   INT64_MAX,
                                   INT64_MIN,
                                   INT64_MAX - 1 };
  const unsigned which = fuzz_byte (b);
  if (which < sizeof worth / sizeof *worth)
    return worth[which];
  uint64_t value = 0;
  for (unsigned i = 0; i < which % 9; i++)
    value = value << 8 | fuzz_byte (b);
  return (int64_t) value;
}

#endif
