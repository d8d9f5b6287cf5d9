/* SPDX-License-Identifier: GPL-3.0-or-later
 * The file system, agreed over ranks: failures are VRG_FILE with the path in vrg_error_text(). */
#ifndef VRG_FILES_FILE_H
#define VRG_FILES_FILE_H

#include <mpi.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/** Rename `from` to `to` and sync the directory / remove / does it exist.  Rank 0 acts, all agree.  Collective. */
int vrg_file_rename (MPI_Comm comm, const char *from, const char *to);
int vrg_file_remove (MPI_Comm comm, const char *path); /* a missing file is fine */
bool vrg_file_exists (MPI_Comm comm, const char *path);

/** mkdir -p, and check that it can be written.  Collective. */
int vrg_directory_make (MPI_Comm comm, const char *path);

/** fsync a file or a directory / the directory that holds a path; false leaves errno.  Local. */
bool vrg_file_sync (const char *path);
bool vrg_file_sync_directory (const char *path);

/** Make a new, empty file of the user's umask, open for reading and writing, in place of what has that name: a link is
 *  replaced, not followed.  A descriptor, or -1 with errno.  Local. */
int vrg_file_new (const char *path);

/** The same as a stream; NULL with errno. */
FILE *vrg_file_new_stream (const char *path);

/** A file that is there, for reading; NULL with errno, also where it is no regular file: a pipe is not waited for.  Local. */
FILE *vrg_file_old_stream (const char *path);

/** Flush a file that is being written; 0, or why that or an earlier write failed, an errno.  After a failure the file is no
 *  good: bytes may have been added.  Local. */
int vrg_file_flush (FILE *stream);

/** End of writing a stream: sync, close, rename `temporary` to `path`; after a failure (code, or one of these) remove it.
 *  Returns code, or VRG_FILE.  Local. */
int vrg_file_finish (FILE *stream, int code, const char *temporary, const char *path);

/** Reserve the bytes [from, to) of a file on its disk; the file grows to `to`.  Returns an errno, 0: done, or a file
 *  system that cannot reserve.  Local. */
int vrg_file_reserve (const char *path, int64_t from, int64_t to);

/** Read exactly `bytes` at `offset`; false on an error, or at the end of the file with errno = 0.  Local. */
bool vrg_file_read_bytes (int descriptor, void *data, int64_t bytes, int64_t offset);

/** Write exactly `bytes` at `offset`; false leaves errno.  Local. */
bool vrg_file_write_bytes (int descriptor, const void *data, int64_t bytes, int64_t offset);

#endif
