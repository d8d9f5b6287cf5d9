/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1 2 3 4
 * The lock of a run directory: taken and released; refused while a live process holds it; taken over at once from dead
 * ones whose process numbers are used again; a lock that another run has taken over is noticed. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* syscall */
#endif
#include "files/lock.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/error.h"
#include "files/file.h"
#include "files/h5.h"
#include "tests/check.h"

static char directory[64], path[96];

/* systems of other sorts */
static bool poor, hides; /* file systems without locks, that do not sync directories; processes of others are hidden */
#define NOBODY 4194305   /* larger than any process number */

int
flock (int descriptor, int operation)
{
  errno = ENOSYS;
  return poor ? -1 : (int) syscall (SYS_flock, descriptor, operation);
}

int
fsync (int descriptor)
{
  struct stat status;
  if (!poor || fstat (descriptor, &status) != 0 || !S_ISDIR (status.st_mode))
    return (int) syscall (SYS_fsync, descriptor);
  errno = EINVAL;
  return -1;
}

int
kill (pid_t process, int number)
{
  if (!hides || process != NOBODY)
    return (int) syscall (SYS_kill, process, number);
  errno = EPERM;
  return -1;
}

/** Of the lock file, -1 without one; collective. */
static int64_t
size_of (void)
{
  int64_t size = -1;
  FILE *file = check_rank_ == 0 ? fopen (path, "r") : NULL;
  if (file != NULL)
    {
      fseek (file, 0, SEEK_END);
      size = ftell (file);
      fclose (file);
    }
  MPI_Bcast (&size, 1, MPI_INT64_T, 0, MPI_COMM_WORLD);
  return size;
}

/** Replace what stands at a byte by a text; the first rank alone. */
static void
put (const char *before, const char *text)
{
  MPI_Barrier (MPI_COMM_WORLD);
  if (check_rank_ == 0)
    {
      char *all = calloc (1, 65536);
      FILE *file = fopen (path, "r+");
      const size_t n = fread (all, 1, 65535, file);
      for (char *p = all; (p = strstr (p, before)) != NULL; p++)
        memcpy (p + strlen (before), text, strlen (text));
      rewind (file);
      fwrite (all, 1, n, file);
      fclose (file);
      free (all);
    }
  MPI_Barrier (MPI_COMM_WORLD);
}

/** The start of these processes changed in the lock: their numbers belong to others now. */
static void
put_starts (void)
{
  for (int r = 0; r < check_size_; r++)
    {
      char number[32];
      long each = (long) getpid ();
      MPI_Bcast (&each, 1, MPI_LONG, r, MPI_COMM_WORLD);
      snprintf (number, sizeof number, " %ld ", each);
      put (number, "0");
    }
}

/** A lock file as this program leaves it when it dies, made by hand from one that was held. */
static void
keep_copy (bool restore)
{
  char command[256];
  MPI_Barrier (MPI_COMM_WORLD);
  snprintf (command, sizeof command, restore ? "cp %s.copy %s" : "cp %s %s.copy", path, path);
  if (check_rank_ == 0 && system (command) != 0)
    vrg_fail_one (VRG_FILE, "cp");
  MPI_Barrier (MPI_COMM_WORLD);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  setenv ("VRG_LOCK_SECONDS", "0.3", 1);
  strcpy (directory, "lock-XXXXXX");
  if (check_rank_ == 0 && !mkdtemp (directory))
    vrg_fail_one (VRG_FILE, "cannot make %s", directory);
  MPI_Bcast (directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);
  snprintf (path, sizeof path, "%s/lock", directory);

  vrg_lock *lock = NULL, *other = NULL;
  check (vrg_lock_check () == VRG_OK, "no lock, no objection");
  check (vrg_lock_take (MPI_COMM_WORLD, directory, &lock) == VRG_OK, "a free directory");
  check (size_of () == 512 + 256 * check_size_, "a line for every rank");
  check (vrg_lock_check () == VRG_OK, "it is ours");
  check (vrg_lock_take (MPI_COMM_WORLD, directory, &other) == VRG_FILE && other == NULL
           && (check_rank_ > 0 || strstr (vrg_error_text (), "another run works in this directory") != NULL),
         "a living process is respected");
  keep_copy (false);
  vrg_lock_release (lock);
  check (size_of () == -1, "released");

  keep_copy (true);
  put ("] ", "4194305 ");
  hides = true;
  check (vrg_lock_take (MPI_COMM_WORLD, directory, &lock) == VRG_FILE, "processes that are hidden may live");
  hides = false;
  check (vrg_lock_take (MPI_COMM_WORLD, directory, &lock) == VRG_OK, "those that are not there are dead");
  vrg_lock_release (lock);

  keep_copy (true);
  put_starts ();
  poor = true;
  check (vrg_lock_take (MPI_COMM_WORLD, directory, &lock) == VRG_OK && vrg_lock_check () == VRG_OK,
         "taken over where files cannot be locked");
  char copy[112], moved[112];
  snprintf (copy, sizeof copy, "%s.copy", path);
  snprintf (moved, sizeof moved, "%s.moved", path);
  check (vrg_file_rename (MPI_COMM_WORLD, copy, moved) == VRG_OK
           && vrg_file_rename (MPI_COMM_WORLD, moved, copy) == VRG_OK,
         "renamed where directories cannot be synced");
  vrg_lock_release (lock);
  poor = false;

  keep_copy (true);
  put_starts ();
  check (vrg_lock_take (MPI_COMM_WORLD, directory, &lock) == VRG_OK, "process numbers used again: taken over at once");
  check (size_of () == 512 + 256 * check_size_, "a line for every rank");
  put ("token ", "00000000000000ff");
  check (vrg_lock_check () == (check_rank_ == 0 ? VRG_FILE : VRG_OK),
         "rank 0 notices a lock taken over by another run");
  static const char theirs[] = "VRG_LOCK_TEST";
  char file[64];
  snprintf (file, sizeof file, "%s/file.h5", directory);
  FILE *stream = check_rank_ == 0 ? fopen (file, "w") : NULL;
  if (stream != NULL)
    {
      fputs (theirs, stream);
      fclose (stream);
    }
  MPI_Barrier (MPI_COMM_WORLD);
  vrg_h5 *h5;
  check (vrg_h5_open (MPI_COMM_WORLD, file, VRG_H5_CREATE, &h5) == VRG_FILE
           && vrg_h5_open (MPI_COMM_WORLD, file, VRG_H5_MODIFY, &h5) == VRG_FILE
           && strstr (vrg_error_text (), "is not this run's any more") != NULL
           && vrg_file_remove (MPI_COMM_WORLD, file) == VRG_FILE && vrg_file_exists (MPI_COMM_WORLD, file),
         "and the other run's files are not touched: %s", vrg_error_text ());
  vrg_lock_release (lock);
  check (size_of () > 0, "whose lock stays");

  keep_copy (true);
  if (check_rank_ == 0)
    check_rank_ = truncate (path, 100);
  MPI_Barrier (MPI_COMM_WORLD);
  check (vrg_lock_take (MPI_COMM_WORLD, directory, &lock) == VRG_FILE,
         "half a lock is respected: it may be being written");

  if (check_rank_ == 0)
    {
      unlink (copy);
      unlink (path);
      unlink (file);
      rmdir (directory);
    }
  return check_end ();
}
