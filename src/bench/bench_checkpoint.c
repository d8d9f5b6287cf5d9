/* SPDX-License-Identifier: GPL-3.0-or-later
 * A checkpoint until it is verified, synced and renamed, against a plain write of the same bytes until it is synced and
 * renamed; in the current directory. */
#include <errno.h>
#include <fcntl.h>
#include <gsl/gsl_sort_double.h>
#include <gsl/gsl_statistics_double.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/rng.h"
#include "bench/bench_internal.h"
#include "files/checkpoint.h"
#include "files/checksum.h"

enum
{
  MIB = 1 << 20,
  TURNS = 7,
  WORDS = MIB / 8
};

/* ---- sums in memory ---- */

typedef struct
{
  uint64_t *words, *copy;
} memory;

static uint64_t
sum_work (void *state)
{
  const memory *m = state;
  return vrg_checksum (m->words, WORDS, 0);
}

static uint64_t
compare_work (void *state)
{
  const memory *m = state;
  return (uint64_t) memcmp (m->words, m->copy, MIB);
}

static void
sums (const vrg_bench_run *run, uint64_t *words)
{
  memory m = { words, vrg_new (WORDS, sizeof *words, "bench") };
  memcpy (m.copy, words, MIB);
  vrg_bench_rows (run, "checkpoint", "checksum of 1 MiB", VRG_SIMD_PORTABLE, sum_work, &m, compare_work, &m,
                  MIB / VRG_BENCH_NS, "GB/s", "memcmp", VRG_BENCH_MORE, NULL);
  vrg_free (m.copy);
}

/* ---- files ---- */

typedef struct
{
  const vrg_grid *grid;
  char directory[VRG_PATH_LENGTH];
  vrg_h5_array array;
  int64_t step;
} disk;

static int
plain (disk *d)
{
  const int64_t bytes = d->array.count[0] * MIB;
  char temporary[VRG_PATH_LENGTH + 16], path[VRG_PATH_LENGTH + 16];
  snprintf (temporary, sizeof temporary, "%s/plain.tmp", d->directory);
  snprintf (path, sizeof path, "%s/plain", d->directory);
  if (d->grid->rank == 0)
    unlink (temporary);
  VRG_MPI (MPI_Barrier (d->grid->world));
  const int descriptor = open (temporary, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  int code = VRG_OK;
  if (descriptor < 0 || !vrg_file_write_bytes (descriptor, d->array.data, bytes, d->array.first[0] * MIB)
      || fsync (descriptor) != 0)
    code = vrg_error (VRG_FILE, "%s: cannot be written: %s", temporary, strerror (errno));
  if (descriptor >= 0)
    close (descriptor);
  const int agreed = vrg_agree (d->grid->world, code);
  return agreed == VRG_OK ? vrg_file_rename (d->grid->world, temporary, path) : agreed;
}

static int
checkpoint (disk *d)
{
  d->step++;
  return vrg_checkpoint_write (d->grid, d->directory, "bench", "none", d->step, d->step, 1, &d->array);
}

/** Medians of both, by turns.  GB/s. */
static int
measure (disk *d, int64_t mib, double rates[2])
{
  double seconds[2][TURNS];
  int code = VRG_OK;
  for (int turn = -1; turn < TURNS && code == VRG_OK; turn++) /* the first one is not counted */
    for (int kind = 0; kind < 2 && code == VRG_OK; kind++)
      {
        VRG_MPI (MPI_Barrier (d->grid->world));
        const double begin = vrg_clock ();
        code = kind == 0 ? plain (d) : checkpoint (d);
        if (turn >= 0)
          seconds[kind][turn] = vrg_clock () - begin;
        if (turn >= 0)
          vrg_debug ("%s of %lld MiB: %.3f s", kind == 0 ? "plain write" : "checkpoint", (long long) mib,
                     seconds[kind][turn]);
      }
  for (int kind = 0; kind < 2 && code == VRG_OK; kind++)
    {
      gsl_sort (seconds[kind], 1, TURNS);
      rates[kind] = (double) mib * MIB / 1e9 / gsl_stats_median_from_sorted_data (seconds[kind], 1, TURNS);
    }
  return code;
}

static int
files (const vrg_bench_run *run, disk *d, int64_t mib)
{
  double rates[2];
  char of[32];
  d->array.dims[0] = mib;
  vrg_grid_span (mib, d->grid->size, d->grid->rank, &d->array.first[0], &d->array.first[1]);
  d->array.count[0] = d->array.first[1] - d->array.first[0];
  d->array.first[1] = 0;
  const int code = measure (d, mib, rates);
  snprintf (of, sizeof of, "%lld MiB", (long long) mib);
  if (code == VRG_OK)
    vrg_bench_put (run, "checkpoint", of, vrg_simd (), d->grid->size, rates[1], "GB/s", "write, fsync, rename",
                   rates[0], VRG_BENCH_MORE);
  return code;
}

/** A directory of our own, where there is room for three files of the largest case.  Collective. */
static int
begin (disk *d, int64_t mib)
{
  struct statvfs room;
  int code = VRG_OK;
  if (d->grid->rank == 0)
    {
      snprintf (d->directory, sizeof d->directory, "vrg-bench-XXXXXX");
      if (mkdtemp (d->directory) == NULL)
        code = vrg_error (VRG_FILE, "a directory for the bench cannot be made here: %s", strerror (errno));
      else if (statvfs (d->directory, &room) != 0
               || (double) room.f_bavail * (double) room.f_frsize < 3.1 * MIB * (double) mib)
        {
          rmdir (d->directory);
          code = vrg_error (VRG_FILE, "the bench of checkpoints needs %.3g GiB of free space here",
                            3.1 * (double) mib / 1024);
        }
    }
  vrg_broadcast (d->grid->world, d->directory, sizeof d->directory);
  return vrg_agree (d->grid->world, code);
}

static void
end (disk *d)
{
  char path[VRG_PATH_LENGTH + 16];
  vrg_checkpoint_remove (d->grid, d->directory, "bench");
  snprintf (path, sizeof path, "%s/plain", d->directory);
  vrg_file_remove (d->grid->world, path);
  snprintf (path, sizeof path, "%s/plain.tmp", d->directory);
  vrg_file_remove (d->grid->world, path);
  if (d->grid->rank == 0)
    rmdir (d->directory);
}

int
vrg_bench_checkpoint (const vrg_bench_run *run)
{
  static const int64_t cases[] = { 1, 64, 512, 1024 }; /* 512: a lattice of 65536^2 */
  enum
  {
    CASES = sizeof cases / sizeof *cases
  };
  disk d = { .grid = run->grid };
  int code = begin (&d, cases[CASES - 1]);
  if (code != VRG_OK)
    return code;
  const int64_t share = (cases[CASES - 1] + run->grid->size - 1) / run->grid->size;
  d.array = (vrg_h5_array){ .name = "/spins",
                            .type = VRG_U64,
                            .rank = 2,
                            .dims = { 0, WORDS },
                            .count = { 0, WORDS },
                            .data = vrg_new (share * WORDS, sizeof (uint64_t), "bench") };
  uint64_t *words = d.array.data;
  for (int64_t i = 0; i < share * WORDS; i++)
    words[i] = (uint64_t) i * UINT64_C (0x9e3779b97f4a7c15) ^ (uint64_t) run->grid->rank;
  sums (run, words);
  for (int i = 0; i < CASES && code == VRG_OK; i++)
    code = files (run, &d, cases[i]);
  end (&d);
  vrg_free (words);
  return code;
}
