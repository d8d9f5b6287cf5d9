/* SPDX-License-Identifier: GPL-3.0-or-later
 * A directory for one test, and damage to the files in it. */
#ifndef VRG_TESTS_FILES_SCRATCH_H
#define VRG_TESTS_FILES_SCRATCH_H

#include <dirent.h>
#include <fcntl.h>
#include <mpi.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char scratch_directory[512];

/** Collective. */
static inline void
scratch_begin (void)
{
  int rank;
  MPI_Comm_rank (MPI_COMM_WORLD, &rank);
  const char *top = getenv ("TMPDIR") != NULL ? getenv ("TMPDIR") : "/tmp";
  snprintf (scratch_directory, sizeof scratch_directory, "%s/vrg-test-XXXXXX", top);
  if (rank == 0 && mkdtemp (scratch_directory) == NULL)
    MPI_Abort (MPI_COMM_WORLD, 1);
  MPI_Bcast (scratch_directory, sizeof scratch_directory, MPI_CHAR, 0, MPI_COMM_WORLD);
}

static inline void
scratch_remove (const char *path)
{
  DIR *directory = opendir (path);
  for (struct dirent *entry; directory != NULL && (entry = readdir (directory)) != NULL;)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      {
        char inner[2048];
        if (snprintf (inner, sizeof inner, "%s/%s", path, entry->d_name) < (int) sizeof inner && unlink (inner) != 0)
          scratch_remove (inner);
      }
  if (directory != NULL)
    closedir (directory);
  rmdir (path);
}

/** Collective. */
static inline void
scratch_end (void)
{
  int rank;
  MPI_Barrier (MPI_COMM_WORLD);
  MPI_Comm_rank (MPI_COMM_WORLD, &rank);
  if (rank == 0)
    scratch_remove (scratch_directory);
}

/** Where MPI is not asked any more. */
static inline void
scratch_end_alone (void)
{
  scratch_remove (scratch_directory);
}

/** DIRECTORY/name, in one of a few buffers in turn. */
static inline const char *
scratch_path (const char *name)
{
  static char paths[8][1024];
  static int next;
  next = (next + 1) % 8;
  snprintf (paths[next], sizeof paths[next], "%s/%s", scratch_directory, name);
  return paths[next];
}

/** Change one bit of the byte at `offset`.  Rank 0 does it, all wait. */
static inline void
scratch_flip (const char *path, int64_t offset)
{
  int rank;
  MPI_Comm_rank (MPI_COMM_WORLD, &rank);
  MPI_Barrier (MPI_COMM_WORLD);
  if (rank == 0)
    {
      unsigned char byte = 0;
      int descriptor = open (path, O_RDWR);
      if (descriptor < 0 || pread (descriptor, &byte, 1, offset) != 1)
        MPI_Abort (MPI_COMM_WORLD, 1);
      byte ^= 0x10;
      if (pwrite (descriptor, &byte, 1, offset) != 1)
        MPI_Abort (MPI_COMM_WORLD, 1);
      close (descriptor);
    }
  MPI_Barrier (MPI_COMM_WORLD);
}

/** Size of a file (-1: none), the same on all ranks. */
static inline int64_t
scratch_size (const char *path)
{
  struct stat status;
  int64_t size = stat (path, &status) == 0 ? (int64_t) status.st_size : -1;
  MPI_Bcast (&size, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
  return size;
}

/** Cut or lengthen a file, or make an empty one.  Rank 0 does it, all wait. */
static inline void
scratch_truncate (const char *path, int64_t size)
{
  int rank;
  MPI_Comm_rank (MPI_COMM_WORLD, &rank);
  MPI_Barrier (MPI_COMM_WORLD);
  if (rank == 0)
    {
      int descriptor = open (path, O_RDWR | O_CREAT, 0666);
      if (descriptor < 0 || ftruncate (descriptor, size) != 0)
        MPI_Abort (MPI_COMM_WORLD, 1);
      close (descriptor);
    }
  MPI_Barrier (MPI_COMM_WORLD);
}

#endif
