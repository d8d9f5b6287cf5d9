/* SPDX-License-Identifier: GPL-3.0-or-later
 * The file system: exist, rename, remove, sync, make directories. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* fallocate */
#endif
#include "files/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/lock.h"
#include "parallel/grid.h"

#define LARGEST_PIECE (INT64_C (1) << 30) /* of one system call */

bool
vrg_file_read_bytes (int descriptor, void *data, int64_t bytes, int64_t offset)
{
  while (bytes > 0)
    {
      errno = 0;
      ssize_t n = pread (descriptor, data, (size_t) (bytes < LARGEST_PIECE ? bytes : LARGEST_PIECE), offset);
      if (n <= 0 && errno != EINTR)
        return false;
      if (n > 0)
        {
          data = (char *) data + n;
          bytes -= n;
          offset += n;
        }
    }
  return true;
}

bool
vrg_file_write_bytes (int descriptor, const void *data, int64_t bytes, int64_t offset)
{
  while (bytes > 0)
    {
      ssize_t n = pwrite (descriptor, data, (size_t) (bytes < LARGEST_PIECE ? bytes : LARGEST_PIECE), offset);
      if (n < 0 && errno != EINTR)
        return false;
      if (n > 0)
        {
          data = (const char *) data + n;
          bytes -= n;
          offset += n;
        }
    }
  return true;
}

int
vrg_file_new (const char *path)
{
  struct stat status;
  if (lstat (path, &status) == 0 && (S_ISREG (status.st_mode) || S_ISLNK (status.st_mode)) && unlink (path) != 0)
    return -1;
  return open (path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

FILE *
vrg_file_new_stream (const char *path)
{
  const int descriptor = vrg_file_new (path);
  FILE *stream = descriptor >= 0 ? fdopen (descriptor, "w") : NULL;
  if (descriptor >= 0 && stream == NULL)
    close (descriptor);
  return stream;
}

FILE *
vrg_file_old_stream (const char *path)
{
  struct stat status;
  const int descriptor = open (path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  const bool good = descriptor >= 0 && fstat (descriptor, &status) == 0 && S_ISREG (status.st_mode);
  FILE *stream = good ? fdopen (descriptor, "r") : NULL;
  if (descriptor >= 0 && stream == NULL)
    {
      close (descriptor);
      errno = EINVAL;
    }
  return stream;
}

/** Why an earlier write to a stream failed, as what is left of it may well fit: a block more is tried, in a file to be removed. */
static int
reason (FILE *stream)
{
  static const char block[65536];
  for (int tries = 0; tries < 2; tries++) /* the first may be written in part */
    if (write (fileno (stream), block, sizeof block) < 0)
      return errno;
  return EIO;
}

int
vrg_file_flush (FILE *stream)
{
  return ferror (stream) ? reason (stream) : fflush (stream) != 0 ? errno : 0;
}

int
vrg_file_finish (FILE *stream, int code, const char *temporary, const char *path)
{
  const int failed = code == VRG_OK ? vrg_file_flush (stream) : 0;
  if (code == VRG_OK && (failed || fsync (fileno (stream)) != 0))
    code = vrg_error (VRG_FILE, "%s: cannot be written: %s", temporary, strerror (failed ? failed : errno));
  if (fclose (stream) != 0 && code == VRG_OK)
    code = vrg_error (VRG_FILE, "%s: cannot be written: %s", temporary, strerror (errno));
  if (code == VRG_OK)
    code = vrg_file_rename (MPI_COMM_SELF, temporary, path);
  if (code != VRG_OK)
    unlink (temporary);
  return code;
}

/* not posix_fallocate: where a file system cannot reserve, that writes every block */
int
vrg_file_reserve (const char *path, int64_t from, int64_t to)
{
  int descriptor = open (path, O_RDWR | O_CLOEXEC);
  if (descriptor < 0)
    return errno;
  int failed;
  do
    failed = fallocate (descriptor, 0, from, to - from) != 0 ? errno : 0;
  while (failed == EINTR);
  close (descriptor);
  return failed == EOPNOTSUPP || failed == ENOSYS ? 0 : failed;
}

bool
vrg_file_sync (const char *path)
{
  int descriptor = open (path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0)
    return false;
  bool good = fsync (descriptor) == 0;
  int saved = errno;
  close (descriptor);
  errno = saved;
  return good;
}

/** Some file systems (SMB, FUSE) have nothing to sync in a directory, and say so. */
static bool
sync_directory (const char *directory)
{
  return vrg_file_sync (directory) || errno == EINVAL || errno == EBADF || errno == ENOTSUP;
}

bool
vrg_file_sync_directory (const char *path)
{
  const char *slash = strrchr (path, '/');
  if (slash == NULL)
    return sync_directory (".");
  char *directory = vrg_new (slash - path + 2, 1, "directory name");
  memcpy (directory, path, slash == path ? 1 : (size_t) (slash - path));
  bool good = sync_directory (directory);
  vrg_free (directory);
  return good;
}

int
vrg_file_rename (MPI_Comm comm, const char *from, const char *to)
{
  int rank, code = VRG_OK;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  if (rank == 0)
    code = vrg_lock_check ();
  if (rank == 0 && code == VRG_OK && (rename (from, to) != 0 || !vrg_file_sync_directory (to)))
    code = vrg_error (VRG_FILE, "%s: cannot be renamed to %s: %s", from, to, strerror (errno));
  return vrg_agree (comm, code);
}

int
vrg_file_remove (MPI_Comm comm, const char *path)
{
  int rank, code = VRG_OK;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  if (rank == 0)
    code = vrg_lock_check ();
  if (rank == 0 && code == VRG_OK && unlink (path) != 0 && errno != ENOENT)
    code = vrg_error (VRG_FILE, "%s: cannot be removed: %s", path, strerror (errno));
  return vrg_agree (comm, code);
}

bool
vrg_file_exists (MPI_Comm comm, const char *path)
{
  int rank;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  bool found = rank == 0 && access (path, F_OK) == 0;
  VRG_MPI (MPI_Bcast (&found, 1, MPI_C_BOOL, 0, comm));
  return found;
}

/** mkdir -p on one rank. */
static int
make_directory (const char *path)
{
  char part[4096];
  int code = VRG_OK;
  size_t length = strlen (path);
  if (length == 0 || length >= sizeof part)
    return vrg_error (VRG_FILE, "'%.60s': %s; choose another --out", path,
                      length == 0 ? "a directory without a name" : "the name of the directory is too long");
  for (size_t i = 1; i <= length && code == VRG_OK; i++)
    if (path[i] == '/' || path[i] == '\0')
      {
        memcpy (part, path, i);
        part[i] = '\0';
        if (mkdir (part, 0777) != 0 && errno != EEXIST)
          code = vrg_error (VRG_FILE, "%s: directory cannot be made: %s; choose another --out", part, strerror (errno));
      }
  struct stat status;
  if (code == VRG_OK && (stat (path, &status) != 0 || !S_ISDIR (status.st_mode)))
    code = vrg_error (VRG_FILE, "%s: is not a directory; choose another --out", path);
  if (code == VRG_OK && access (path, R_OK | W_OK | X_OK) != 0)
    code = vrg_error (VRG_FILE, "%s: directory cannot be written: %s; choose another --out", path, strerror (errno));
  return code;
}

int
vrg_directory_make (MPI_Comm comm, const char *path)
{
  int rank;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  return vrg_agree (comm, rank == 0 ? make_directory (path) : VRG_OK);
}
