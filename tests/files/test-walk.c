/* SPDX-License-Identifier: GPL-3.0-or-later
 * The process that walks a file before it is opened: what its end says, and what it does not.
 * ranks: 1 */
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
    { "is killed by others", "kill -KILL $$", VRG_OK, "" },
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
  vrg_walk_use (script ("walker", "printf good"));
  touch (good, when++);
  int before = calls ();
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

  scratch_end ();
  return check_end ();
}
