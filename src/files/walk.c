/* SPDX-License-Identifier: GPL-3.0-or-later
 * Walking HDF5 files, in a process of its own. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* pipe2, environ */
#endif
#include "files/walk.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/terminal.h"
#include "files/h5_internal.h"

#define SECONDS 20                 /* of processor time; a file of ours takes a part of one */
#define MEMORY (INT64_C (1) << 30) /* bytes more than the process has at its beginning */
#define OBJECTS (1 << 20)          /* links and attributes in a file: flow.h5 has 550 for each coupling and rule */
#define WORDS 512                  /* of what is wrong */
#define GOOD "good"

/* --- the walk --- */

typedef struct
{
  hid_t file;
  int64_t size, things;
  char wrong[WORDS];
} walk;

__attribute__ ((format (printf, 3, 4))) static bool
note (walk *w, bool good, const char *format, ...)
{
  if (good || w->wrong[0] != '\0')
    return good;
  va_list list;
  va_start (list, format);
  vsnprintf (w->wrong, sizeof w->wrong, format, list);
  va_end (list);
  return false;
}

static bool
plain_name (const char *name)
{
  const size_t length = strlen (name);
  for (const char *p = name; *p; p += vrg_utf8_length (p))
    if (vrg_utf8_length (p) == 0 || vrg_is_control (p))
      return false;
  return length > 0 && length < sizeof ((vrg_h5_item *) NULL)->name - 1;
}

/** One more link or attribute. */
static bool
count (walk *w, const char *name)
{
  return note (w, plain_name (name), "has an object or attribute of an impossible name")
         && note (w, ++w->things <= OBJECTS, "has more than %d objects and attributes", OBJECTS);
}

/** A number or a text of fixed length, and it can be read. */
static herr_t
walk_attribute (hid_t object, const char *name, const H5A_info_t *info, void *data)
{
  walk *w = data;
  (void) info;
  if (!count (w, name))
    return -1;
  hid_t attribute = H5Aopen (object, name, H5P_DEFAULT), type = attribute >= 0 ? H5Aget_type (attribute) : -1;
  hid_t space = attribute >= 0 ? H5Aget_space (attribute) : -1;
  const H5T_class_t class = type >= 0 ? H5Tget_class (type) : H5T_NO_CLASS;
  const size_t size = type >= 0 ? H5Tget_size (type) : 0;
  bool good = space >= 0 && H5Sget_simple_extent_npoints (space) == 1 && size > 0;
  good = good
         && (class == H5T_STRING ? H5Tis_variable_str (type) == 0 && size <= 65536
                                 : (class == H5T_INTEGER || class == H5T_FLOAT) && size <= 8);
  if (note (w, good, "attribute %s is neither a number nor a short text", name))
    {
      char *value = vrg_new ((int64_t) size, 1, "an attribute");
      good = note (w, H5Aread (attribute, type, value) >= 0, "attribute %s cannot be read", name);
      vrg_free (value);
    }
  vrg_h5_close_id (space);
  vrg_h5_close_id (type);
  vrg_h5_close_id (attribute);
  return good ? 0 : -1;
}

/** A group, or a dataset of our kinds, with sound attributes. */
static bool
walk_object (walk *w, const char *name)
{
  hid_t object = H5Oopen (w->file, name, H5P_DEFAULT);
  const H5I_type_t kind = object >= 0 ? H5Iget_type (object) : H5I_BADID;
  bool good = note (w, kind == H5I_GROUP || kind == H5I_DATASET, "%s is neither a group nor a dataset", name);
  if (kind == H5I_DATASET)
    {
      vrg_h5_item item = { 0 };
      const char *wrong = vrg_h5_examine (object, w->size, &item);
      good = note (w, wrong == NULL, "dataset %s %s", name, wrong != NULL ? wrong : "");
    }
  hsize_t from = 0;
  good = good && H5Aiterate2 (object, H5_INDEX_NAME, H5_ITER_INC, &from, walk_attribute, w) >= 0;
  if (!good)
    {
      char inner[WORDS];
      snprintf (inner, sizeof inner, "%s", w->wrong);
      if (strstr (inner, name) == NULL || inner[0] == '\0') /* an attribute's fault: say whose */
        snprintf (w->wrong, sizeof w->wrong, "%.200s: %.250s", name,
                  inner[0] != '\0' ? inner : "has attributes that cannot be read");
    }
  vrg_h5_close_id (object);
  return good;
}

static herr_t
walk_link (hid_t group, const char *name, const H5L_info_t *info, void *data)
{
  walk *w = data;
  char path[300];
  (void) group;
  if (!count (w, name))
    return -1;
  snprintf (path, sizeof path, "/%s", name);
  if (!note (w, info->type == H5L_TYPE_HARD, "%s is a link to something else, which is not followed", path))
    return -1;
  return walk_object (w, path) ? 0 : -1;
}

/** Not under MPI; a lock is not needed, and some file systems have none. */
static hid_t
open_plainly (const char *path)
{
  hid_t access = H5Pcreate (H5P_FILE_ACCESS), file = -1;
#if H5_VERSION_GE(1, 12, 1) || (H5_VERSION_GE(1, 10, 7) && !H5_VERSION_GE(1, 11, 0))
  if (access >= 0)
    H5Pset_file_locking (access, false, true);
#endif
  if (access >= 0)
    file = H5Fopen (path, H5F_ACC_RDONLY, access);
  vrg_h5_close_id (access);
  return file;
}

/** What is wrong with a file, "" if nothing. */
static void
walk_file (const char *path, char wrong[WORDS])
{
  struct stat status;
  walk w = { .file = -1 };
  if (H5open () < 0 || H5Eset_auto2 (H5E_DEFAULT, NULL, NULL) < 0)
    note (&w, false, "cannot be read: HDF5 does not start");
  else if (stat (path, &status) != 0)
    note (&w, false, "cannot be looked at: %s", strerror (errno));
  else
    {
      w.size = (int64_t) status.st_size;
      w.file = open_plainly (path);
      if (note (&w, w.file >= 0, "is damaged or truncated") && walk_object (&w, "/"))
        note (&w, H5Lvisit (w.file, H5_INDEX_NAME, H5_ITER_INC, walk_link, &w) >= 0, "has damaged groups");
      if (w.file >= 0 && w.wrong[0] != '\0' && H5Aexists (w.file, "format") == 0)
        snprintf (w.wrong, WORDS, "an HDF5 file, but none of vrg's (it has no attribute `format`)");
      if (w.file >= 0)
        note (&w, H5Fclose (w.file) >= 0, "is damaged: it cannot be closed");
    }
  H5Eclear2 (H5E_DEFAULT);
  memcpy (wrong, w.wrong, WORDS);
}

/* --- the process that walks --- */

static void
limit (unsigned what, rlim_t soft, rlim_t hard)
{
  struct rlimit now;
  if (getrlimit (what, &now) != 0)
    return;
  now.rlim_cur = now.rlim_cur < soft ? now.rlim_cur : soft;
  now.rlim_max = now.rlim_max < hard ? now.rlim_max : hard;
  setrlimit (what, &now);
}

void
vrg_walk_main (const char *path)
{
  char wrong[WORDS];
  long pages = 0;
  prctl (PR_SET_PDEATHSIG, SIGKILL);
  FILE *file = fopen ("/proc/self/statm", "r");
  if (file != NULL && fscanf (file, "%ld", &pages) == 1)
    {
      const rlim_t bytes = (rlim_t) pages * (rlim_t) sysconf (_SC_PAGESIZE) + (rlim_t) MEMORY;
      limit (RLIMIT_AS, bytes, bytes);
    }
  if (file != NULL)
    fclose (file);
  limit (RLIMIT_CPU, SECONDS, 2 * SECONDS);
  limit (RLIMIT_CORE, 0, 0);
  walk_file (path, wrong);
  printf ("%s", wrong[0] != '\0' ? wrong : GOOD);
  fflush (stdout);
  vrg_fail_now (wrong[0] != '\0' ? VRG_FILE : VRG_OK,
                NULL); /* no clearing up: the file may have damaged this process */
}

/* --- the process that wants to know --- */

static const char *walker;

void
vrg_walk_use (const char *program)
{
  walker = program;
}

/** The environment without what would make the child a rank of ours, and without threads.  Free it. */
static char **
child_environment (void)
{
  static const char *const less[] = { "OMPI_", "PMIX_", "PMI_", "OPENBLAS_NUM_THREADS=", "HDF5_USE_FILE_LOCKING=" };
  static char threads[] = "OPENBLAS_NUM_THREADS=1", locking[] = "HDF5_USE_FILE_LOCKING=FALSE";
  int64_t n = 0, kept = 0;
  while (environ[n] != NULL)
    n++;
  char **list = vrg_new (n + 3, sizeof *list, "an environment");
  for (int64_t i = 0; i < n; i++)
    {
      bool keep = true;
      for (size_t k = 0; k < sizeof less / sizeof *less; k++)
        keep = keep && strncmp (environ[i], less[k], strlen (less[k])) != 0;
      if (keep)
        list[kept++] = environ[i];
    }
  list[kept++] = threads;
  list[kept] = locking;
  return list;
}

/** Start the child with its standard output in a pipe; 0, or an errno. */
static int
start (const char *path, const int ends[2], pid_t *child)
{
  char option[] = VRG_WALK_OPTION, *own = vrg_new ((int64_t) strlen (path) + 1, 1, "file name"),
       *program = vrg_new ((int64_t) strlen (walker) + 1, 1, "file name"), **environment = child_environment ();
  memcpy (own, path, strlen (path) + 1);
  memcpy (program, walker, strlen (walker) + 1);
  char *const arguments[] = { program, option, own, NULL };
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attributes;
  sigset_t none, all;
  sigemptyset (&none);
  sigfillset (&all);
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2 (&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen (&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_init (&attributes);
  posix_spawnattr_setflags (&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setsigmask (&attributes, &none);
  posix_spawnattr_setsigdefault (&attributes, &all);
  const int failed = posix_spawn (child, walker, &actions, &attributes, arguments, environment);
  posix_spawnattr_destroy (&attributes);
  posix_spawn_file_actions_destroy (&actions);
  vrg_free (environment);
  vrg_free (program);
  vrg_free (own);
  return failed;
}

/** What asking has brought. */
typedef enum
{
  NOTHING, /* the child could not be started, or somebody else has ended it */
  KILLED,  /* by somebody else, or for want of memory */
  ANSWER
} outcome;

/** Let the child walk. */
static outcome
ask (const char *path, char wrong[WORDS])
{
  int ends[2], status = 0;
  pid_t child;
  size_t length = 0;
  if (pipe2 (ends, O_CLOEXEC) != 0)
    return NOTHING;
  const int failed = start (path, ends, &child);
  close (ends[1]);
  for (ssize_t n = 1; failed == 0 && n != 0 && length < WORDS - 1;)
    {
      n = read (ends[0], wrong + length, WORDS - 1 - length);
      if (n < 0 && errno != EINTR)
        break;
      length += n > 0 ? (size_t) n : 0;
    }
  wrong[length] = '\0';
  close (ends[0]);
  if (failed != 0)
    return NOTHING;
  pid_t ended;
  while ((ended = waitpid (child, &status, 0)) < 0 && errno == EINTR)
    ;
  if (strcmp (wrong, GOOD) == 0)
    wrong[0] = '\0';
  else if (wrong[0] == '\0')
    {
      /* signals that a damaged file does not raise; exit code 127: libraries were not found */
      const int by = ended == child && WIFSIGNALED (status) ? WTERMSIG (status) : 0;
      if (by == SIGKILL)
        return KILLED;
      if (by == SIGTERM || by == SIGINT || by == SIGHUP || by == SIGQUIT || by == SIGUSR1 || by == SIGUSR2
          || (ended == child && WIFEXITED (status) && WEXITSTATUS (status) == 127))
        return NOTHING;
      snprintf (wrong, WORDS, "is damaged: the HDF5 library cannot read it (%s)",
                by == SIGXCPU ? "it does not come to an end"
                : by != 0     ? strsignal (by)
                              : "it ends without a word");
    }
  return ANSWER;
}

/* --- what is known already --- */

#define KNOWN 64

/** Files as they were when they were walked, and what was wrong with them. */
static struct
{
  dev_t device;
  ino_t inode;
  off_t size;
  struct timespec changed;
  char wrong[WORDS];
} known[KNOWN];
static int next_known;

/** What is known of a file as it is now, or NULL. */
static const char *
recall (const struct stat *status)
{
  for (int i = 0; i < KNOWN; i++)
    if (known[i].device == status->st_dev && known[i].inode == status->st_ino && known[i].size == status->st_size
        && known[i].changed.tv_sec == status->st_mtim.tv_sec && known[i].changed.tv_nsec == status->st_mtim.tv_nsec)
      return known[i].wrong;
  return NULL;
}

static void
remember (const struct stat *status, const char *wrong)
{
  int i = 0;
  while (i < KNOWN && (known[i].device != status->st_dev || known[i].inode != status->st_ino))
    i++;
  if (i == KNOWN)
    i = next_known++ % KNOWN;
  known[i].device = status->st_dev;
  known[i].inode = status->st_ino;
  known[i].size = status->st_size;
  known[i].changed = status->st_mtim;
  snprintf (known[i].wrong, WORDS, "%s", wrong);
}

void
vrg_walk_trust (const char *path)
{
  struct stat status;
  if (stat (path, &status) == 0)
    remember (&status, "");
}

int
vrg_walk (const char *path)
{
  char wrong[WORDS] = "";
  struct stat status;
  if (stat (path, &status) != 0)
    return vrg_error (VRG_FILE, "%s: cannot be looked at: %s", path, strerror (errno));
  const char *before = recall (&status);
  if (before != NULL)
    snprintf (wrong, sizeof wrong, "%s", before);
  else
    {
      outcome o = walker != NULL ? ask (path, wrong) : NOTHING;
      if (o == KILLED)
        o = ask (path, wrong);
      if (o == KILLED)
        return vrg_error (VRG_FILE, "%s: cannot be looked at: the process that does is killed; is memory short?", path);
      if (o == NOTHING)
        walk_file (path, wrong);
      remember (&status, wrong);
    }
  return wrong[0] == '\0' ? VRG_OK : vrg_error (VRG_FILE, "%s: %s", path, wrong);
}
