/* SPDX-License-Identifier: GPL-3.0-or-later
 * The process that walks a file before it is opened: what its end says, and what it does not.
 * ranks: 1 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include "check.h"

#include <hdf5.h>
#include <signal.h>
#include <time.h>

#include "files/h5.h"
#include "files/walk.h"
#include "scratch.h"

static int
make (const char *path)
{
  vrg_h5 *file;
  int64_t data[3] = { 1, 2, 3 };
  const vrg_h5_array array
    = { .name = "/a", .type = VRG_I64, .rank = 1, .dims = { 3 }, .replicated = true, .data = data };
  int code = vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_CREATE, &file);
  if (code == VRG_OK)
    code = vrg_h5_put (file, &array);
  if (code == VRG_OK)
    code = vrg_h5_put_text (file, "/", "format", "test");
  return code == VRG_OK ? vrg_h5_commit (file, code, path) : code;
}

/** Let it be changed, so that it is not known. */
static void
touch (const char *path, int seconds)
{
  const struct timespec times[2] = { { seconds, 0 }, { seconds, 0 } };
  utimensat (AT_FDCWD, path, times, 0);
}

/** A walker that does this. */
static const char *
script (const char *name, const char *what)
{
  const char *path = scratch_path (name);
  FILE *file = fopen (path, "w");
  if (file == NULL)
    MPI_Abort (MPI_COMM_WORLD, 1);
  fprintf (file, "#!/bin/sh\n[ \"$1\" = --walk-hdf5 ] || exit 1\necho x >>%s\n%s\n", scratch_path ("calls"), what);
  fclose (file);
  chmod (path, 0700);
  return path;
}

static int
calls (void)
{
  return (int) scratch_size (scratch_path ("calls")) / 2;
}

/** Attributes and groups by the thousand. */
static int
fill (const char *path, int n)
{
  hid_t file = H5Fcreate (path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), space = H5Screate (H5S_SCALAR), group = -1;
  int failed = file < 0;
  for (int i = 0; i < n; i++)
    {
      char name[32];
      snprintf (name, sizeof name, "%d", i);
      if (i % 100 == 0)
        group = H5Gcreate2 (file, name, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
      failed |= H5Aclose (H5Acreate2 (group, name, H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT)) < 0;
      if (i % 100 == 99)
        failed |= H5Gclose (group) < 0;
    }
  H5Sclose (space);
  return failed || H5Fclose (file) < 0 ? VRG_FILE : VRG_OK;
}

/* of libhdf5 */
uint32_t H5_checksum_metadata (const void *data, size_t length, uint32_t initial);

/** The datatype of the root's attribute `format` is said to be 8 KiB long, and the checksum is right. */
static void
lengthen (const char *path)
{
  static uint8_t bytes[65536];
  const uint16_t length = 8192;
  FILE *file = fopen (path, "r+b");
  const size_t size = file != NULL ? fread (bytes, 1, sizeof bytes, file) : 0;
  const uint8_t *name = size > 0 ? memmem (bytes, size, "format", 7) : NULL;
  size_t at = name != NULL ? (size_t) (name - bytes) : 0, begin = at;
  while (begin > 0 && memcmp (bytes + begin, "OHDR", 4) != 0)
    begin--;
  const unsigned flags = bytes[begin + 5];
  size_t data = begin + 6 + (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0), chunk = 0;
  memcpy (&chunk, bytes + data, (size_t) 1 << (flags & 3));
  const size_t end = data + ((size_t) 1 << (flags & 3)) + chunk;
  check (begin > 0 && at < end && end + 4 < size, "an object header with the attribute");
  memcpy (bytes + at - 5, &length, sizeof length);
  const uint32_t sum = H5_checksum_metadata (bytes + begin, end - begin, 0);
  memcpy (bytes + end, &sum, sizeof sum);
  rewind (file);
  check (fwrite (bytes, 1, size, file) == size && fclose (file) == 0, "lengthened");
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  scratch_begin ();
  char good[1024], bad[1024];
  int when = 1000;
  snprintf (good, sizeof good, "%s", scratch_path ("good.h5"));
  snprintf (bad, sizeof bad, "%s", scratch_path ("bad.h5"));
  check (make (good) == VRG_OK, "a good file");

  static const struct
  {
    const char *name, *what;
    int code;
    const char *says;
  } ends[] = {
    { "good", "printf good", VRG_OK, "" },
    { "bad", "printf 'dataset /a is odd'; exit 3", VRG_FILE, "good.h5: dataset /a is odd" },
    { "falls", "kill -SEGV $$", VRG_FILE, "good.h5: is damaged: the HDF5 library cannot read it" },
    { "aborts", "kill -ABRT $$", VRG_FILE, "cannot read it" },
    { "loops", "ulimit -S -t 1; while :; do :; done", VRG_FILE, "does not come to an end" },
    { "is silent", "exit 1", VRG_FILE, "cannot read it" },
    { "is ended by others", "kill -TERM $$", VRG_OK, "" },
    { "lacks its libraries", "exit 127", VRG_OK, "" },
    { "gets no signals of ours", "kill -USR1 $$; sleep 1; exit 1", VRG_OK, "" },
    { "is no rank", "env | grep -q -e ^OMPI_ -e ^PMIX_ && exit 1; printf good", VRG_OK, "" },
  };
  setenv ("OMPI_COMM_WORLD_RANK", "0", 1);
  signal (SIGUSR1, SIG_IGN);
  for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
    {
      vrg_error (VRG_FILE, "%s", "");
      vrg_walk_use (script ("walker", ends[i].what));
      touch (good, when++);
      const int before = calls (), code = vrg_walk (good);
      check (code == ends[i].code && strstr (vrg_error_text (), ends[i].says) != NULL && calls () == before + 1,
             "a walker that %s: %s", ends[i].name, vrg_error_text ());
    }
  vrg_walk_use (script ("walker", "kill -KILL $$"));
  touch (good, when++);
  int before = calls ();
  check (vrg_walk (good) == VRG_FILE && calls () == before + 2, "one that is killed is asked twice: %s",
         vrg_error_text ());
  vrg_walk_use (script ("walker", "printf good"));
  touch (good, when++);
  before = calls ();
  check (vrg_walk (good) == VRG_OK && vrg_walk (good) == VRG_OK && calls () == before + 1, "a file is walked once");
  touch (good, when++);
  vrg_walk_trust (good);
  check (vrg_walk (good) == VRG_OK && calls () == before + 1, "one that is trusted is not");
  touch (good, when++);
  check (vrg_walk (good) == VRG_OK && calls () == before + 2, "one that has changed is walked again");
  vrg_walk_use (script ("walker", "trap '' PIPE; head -c 100000 /dev/zero; exit 3"));
  touch (good, when++);
  check (vrg_walk (good) == VRG_FILE, "one that talks too much");
  signal (SIGCHLD, SIG_IGN);
  vrg_walk_use (script ("walker", "printf good"));
  touch (good, when++);
  check (vrg_walk (good) == VRG_OK, "where nobody waits for children");
  signal (SIGCHLD, SIG_DFL);

  vrg_walk_use ("/nonexistent/vrg");
  touch (good, when++);
  check (vrg_walk (good) == VRG_OK, "a walker that cannot be started: this process walks");
  vrg_walk_use (NULL);
  touch (good, when++);
  check (vrg_walk (good) == VRG_OK, "no walker: this process walks");
  hid_t file = H5Fcreate (bad, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  H5Lcreate_external (good, "/a", file, "a", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose (file);
  vrg_h5 *h5;
  check (vrg_h5_open (MPI_COMM_WORLD, bad, VRG_H5_READ, &h5) == VRG_FILE
           && strstr (vrg_error_text (), "bad.h5: an HDF5 file, but none of vrg's") != NULL,
         "another program's file: %s", vrg_error_text ());
  file = H5Fopen (bad, H5F_ACC_RDWR, H5P_DEFAULT);
  hid_t space = H5Screate (H5S_SCALAR);
  H5Aclose (H5Acreate2 (file, "format", H5T_NATIVE_INT, space, H5P_DEFAULT, H5P_DEFAULT));
  H5Sclose (space);
  H5Fclose (file);
  touch (bad, when++);
  check (vrg_h5_open (MPI_COMM_WORLD, bad, VRG_H5_READ, &h5) == VRG_FILE
           && strstr (vrg_error_text (), "bad.h5: /a is a link to something else") != NULL,
         "a link to another file: %s", vrg_error_text ());

  /* the real one: this test runs in the build directory */
  vrg_walk_use ("./vrg-walk");
  check (access ("vrg-walk", X_OK) == 0 && fill (bad, 70000) == VRG_OK, "a file of 70000 attributes, and vrg-walk");
  touch (bad, when++);
  check (vrg_walk (bad) == VRG_OK, "more blocks of memory than can be guarded");
  lengthen (good);
  touch (good, when++);
  check (vrg_walk (good) == VRG_FILE
#ifndef __SANITIZE_ADDRESS__
           && strstr (vrg_error_text (), "the HDF5 library cannot read it") != NULL
#endif
         ,
         "an attribute that reaches beyond what is in memory: %s", vrg_error_text ());

  scratch_end ();
  return check_end ();
}
