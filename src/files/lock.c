/* SPDX-License-Identifier: GPL-3.0-or-later
 * The lock of a run directory: made, waited for, taken over, kept alive. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "files/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/param.h"
#include "base/terminal.h"
#include "files/file.h"
#include "files/live.h"
#include "parallel/grid.h"

#define HEAD "vrg lock 1\ntoken %016llx\nbeat %010u\nranks %d\n"
#define HEAD_BYTES 512              /* the rest are lines of OWNER bytes */
#define OWNER 256                   /* "host pid start" of a rank */
#define LONGEST (INT64_C (1) << 24) /* bytes of a lock file that is believed */
#define BEAT_SECONDS 10             /* at first more often */
#define STALE_SECONDS 120
#define WAIT_SECONDS 20
#define SETTLE_SECONDS 2

struct vrg_lock
{
  MPI_Comm comm;
  int rank;
  char path[VRG_PATH_LENGTH + 8];
  /* rank 0: */
  int descriptor;
  unsigned long long token;
  unsigned beat;
  vrg_live live;
  bool beating, end;
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t wake;
};

static vrg_lock *held; /* rank 0's, for vrg_lock_check */

/** What a lock file says. */
typedef struct
{
  unsigned long long token;
  unsigned beat;
  int ranks;
  char *owners; /* [ranks][OWNER] */
} content;

static void
sleep_a_little (void)
{
  nanosleep (&(struct timespec){ .tv_nsec = 100000000 }, NULL);
}

#define HIDDEN ULLONG_MAX

/** When a process started, in clock ticks since the system did; 0 if it is not there or a zombie; or HIDDEN. */
static unsigned long long
started (long pid)
{
  char path[64], text[1024];
  snprintf (path, sizeof path, "/proc/%ld/stat", pid);
  FILE *file = fopen (path, "r");
  if (file == NULL) /* another user's may be hidden (hidepid): it lives if it may not be signalled */
    return kill ((pid_t) pid, 0) != 0 && errno == EPERM ? HIDDEN : 0;
  const size_t n = fread (text, 1, sizeof text - 1, file);
  fclose (file);
  text[n] = 0;
  const char *p = strrchr (text, ')'); /* the name before it may hold anything */
  char state = 0;
  unsigned long long start = 0;
  if (p == NULL
      || sscanf (p + 1, " %c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu", &state,
                 &start)
           != 2
      || state == 'Z' || state == 'X')
    return 0;
  return start;
}

/** Host and process-number space: process numbers compare within one only. */
static void
this_host (char name[160])
{
  char host[80] = "", space[64] = "";
  gethostname (host, sizeof host - 1);
  if (readlink ("/proc/self/ns/pid", space, sizeof space - 1) < 0)
    space[0] = 0;
  for (char *p = host; *p; p++)
    if (*p == ' ')
      *p = '_';
  vrg_plain_text (host, "");
  snprintf (name, 160, "%s/%s", *host ? host : "unknown", space);
}

/** False if there is no whole, believable lock in the file. */
static bool
read_content (int descriptor, content *c)
{
  char head[HEAD_BYTES + 1] = "";
  struct stat status;
  int ranks;
  c->owners = NULL;
  if (fstat (descriptor, &status) != 0 || status.st_size < HEAD_BYTES || status.st_size > LONGEST
      || !vrg_file_read_bytes (descriptor, head, HEAD_BYTES, 0) || sscanf (head, HEAD, &c->token, &c->beat, &ranks) != 3
      || ranks < 1 || status.st_size != HEAD_BYTES + (int64_t) ranks * OWNER)
    return false;
  c->ranks = ranks;
  c->owners = vrg_new (ranks, OWNER, "a lock's owners");
  const bool good = vrg_file_read_bytes (descriptor, c->owners, (int64_t) ranks * OWNER, HEAD_BYTES);
  for (int r = 0; r < ranks; r++)
    {
      char *owner = c->owners + (int64_t) r * OWNER;
      owner[OWNER - 1] = 0;
      vrg_plain_text (owner, "");
    }
  return good;
}

static bool
write_head (vrg_lock *lock, int ranks)
{
  char head[HEAD_BYTES];
  const int n = snprintf (head, sizeof head, HEAD, lock->token, lock->beat, ranks);
  vrg_live_print (&lock->live, head + n, sizeof head - (size_t) n);
  const size_t used = strlen (head);
  memset (head + used, '\n', sizeof head - used);
  return vrg_file_write_bytes (lock->descriptor, head, sizeof head, 0);
}

/** Every rank's line in the open file. */
static bool
write_content (vrg_lock *lock, int ranks, const char *owners)
{
  return ftruncate (lock->descriptor, HEAD_BYTES + (int64_t) ranks * OWNER) == 0
         && vrg_file_write_bytes (lock->descriptor, owners, (int64_t) ranks * OWNER, HEAD_BYTES)
         && write_head (lock, ranks) && fsync (lock->descriptor) == 0;
}

/** Does the path still lead to our lock? */
static bool
still_ours (const vrg_lock *lock)
{
  struct stat own, there;
  content c = { 0 };
  const bool ours = fstat (lock->descriptor, &own) == 0 && stat (lock->path, &there) == 0 && own.st_ino == there.st_ino
                    && own.st_dev == there.st_dev && read_content (lock->descriptor, &c) && c.token == lock->token;
  vrg_free (c.owners);
  return ours;
}

/** Token in the head alone: the thread allocates nothing. */
static bool
token_ours (const vrg_lock *lock, int *ranks)
{
  char head[HEAD_BYTES + 1] = "";
  unsigned long long token;
  unsigned beat;
  return vrg_file_read_bytes (lock->descriptor, head, HEAD_BYTES, 0) && sscanf (head, HEAD, &token, &beat, ranks) == 3
         && token == lock->token;
}

static void *
keep_alive (void *argument)
{
  vrg_lock *lock = argument;
  time_t pause = 1;
  pthread_mutex_lock (&lock->mutex);
  while (!lock->end)
    {
      struct timespec t;
      clock_gettime (CLOCK_MONOTONIC, &t);
      t.tv_sec += pause;
      pause = 2 * pause < BEAT_SECONDS ? 2 * pause : BEAT_SECONDS;
      int ranks;
      if (pthread_cond_timedwait (&lock->wake, &lock->mutex, &t) == ETIMEDOUT && !lock->end
          && token_ours (lock, &ranks))
        {
          lock->beat++;
          write_head (lock, ranks); /* a full disk does not matter: the bytes are there */
        }
    }
  pthread_mutex_unlock (&lock->mutex);
  return NULL;
}

/** The thread takes no signals: they are for the main one. */
static void
start_beating (vrg_lock *lock)
{
  sigset_t all, old;
  pthread_condattr_t attributes;
  pthread_condattr_init (&attributes);
  pthread_condattr_setclock (&attributes, CLOCK_MONOTONIC);
  pthread_cond_init (&lock->wake, &attributes);
  pthread_condattr_destroy (&attributes);
  pthread_mutex_init (&lock->mutex, NULL);
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &old);
  lock->beating = pthread_create (&lock->thread, NULL, keep_alive, lock) == 0;
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  if (!lock->beating)
    vrg_warn (
      "%s: no thread can be started, so the lock has no heartbeat: start nothing in this directory from another "
      "host",
      lock->path);
}

/** Ranks of a lock that live on this host; *elsewhere: how many are on others. */
static int
living (const content *c, int *elsewhere)
{
  char here[160];
  int n = 0;
  *elsewhere = 0;
  this_host (here);
  for (int r = 0; r < c->ranks; r++)
    {
      char host[160];
      long pid;
      unsigned long long start;
      if (sscanf (c->owners + (int64_t) r * OWNER, "%159s %ld %llu", host, &pid, &start) != 3)
        continue;
      const unsigned long long now = strcmp (host, here) == 0 ? started (pid) : 0;
      if (strcmp (host, here) != 0)
        (*elsewhere)++;
      else
        n += now != 0 && (now == start || now == HIDDEN);
    }
  return n;
}

/** Make the file; 0, or an errno. */
static int
make (vrg_lock *lock, int ranks, const char *owners)
{
  lock->descriptor = open (lock->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (lock->descriptor < 0)
    return errno;
  flock (lock->descriptor, LOCK_EX); /* until it is written nobody takes it for stale */
  errno = 0;
  const bool good = write_content (lock, ranks, owners);
  const int code = good ? 0 : errno ? errno : EIO;
  flock (lock->descriptor, LOCK_UN);
  if (!good)
    {
      unlink (lock->path);
      close (lock->descriptor);
    }
  return code;
}

/** Take over a stale lock that still has this token (or none) and heartbeat: true if it is ours now. */
static bool
take_over (vrg_lock *lock, bool whole, const content *stale, int ranks, const char *owners)
{
  struct stat own, there;
  lock->descriptor = open (lock->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (lock->descriptor < 0)
    return false;
  content now = { 0 };
  const bool exclusive = flock (lock->descriptor, LOCK_EX | LOCK_NB) == 0;
  bool good = exclusive || errno == ENOSYS || errno == EOPNOTSUPP || errno == ENOLCK;
  good = good && fstat (lock->descriptor, &own) == 0 && stat (lock->path, &there) == 0 && own.st_ino == there.st_ino
         && own.st_dev == there.st_dev && read_content (lock->descriptor, &now) == whole
         && (!whole || (now.token == stale->token && now.beat == stale->beat)) && write_content (lock, ranks, owners);
  vrg_free (now.owners);
  if (good && exclusive)
    flock (lock->descriptor, LOCK_UN);
  else if (good) /* a file system without such locks: of several that write it now, the last one has it */
    {
      nanosleep (&(struct timespec){ .tv_sec = SETTLE_SECONDS }, NULL);
      good = still_ours (lock);
    }
  if (!good)
    close (lock->descriptor);
  return good;
}

/** Rank 0: until the lock is ours, or somebody else's for good. */
static int
acquire (vrg_lock *lock, const char *directory, int ranks, const char *owners)
{
  const double patience = vrg_clock_setting ("VRG_LOCK_SECONDS", WAIT_SECONDS), begin = vrg_clock ();
  double changed = begin;
  content last = { 0 };
  bool last_whole = false, told = false;
  for (;;)
    {
      const int failed = make (lock, ranks, owners);
      if (failed == 0)
        return VRG_OK;
      if (failed != EEXIST)
        return vrg_error (VRG_FILE, "%s: cannot be written: %s", lock->path, strerror (failed));
      const int descriptor = open (lock->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
      if (descriptor < 0 && errno == ENOENT)
        continue;
      if (descriptor < 0)
        return vrg_error (VRG_FILE, "%s: cannot be read: %s", lock->path, strerror (errno));
      content c = { 0 };
      const bool whole = read_content (descriptor, &c);
      close (descriptor);
      if (whole != last_whole || (whole && (c.token != last.token || c.beat != last.beat)))
        {
          changed = vrg_clock ();
          last_whole = whole;
          last.token = c.token;
          last.beat = c.beat;
        }
      int elsewhere = 0;
      const int alive = whole ? living (&c, &elsewhere) : 0;
      const double still = vrg_clock () - changed, waited = vrg_clock () - begin;
      const bool stale = whole && alive == 0 && (elsewhere == 0 || still > STALE_SECONDS);
      char owner[OWNER] = "somebody";
      if (whole)
        sscanf (c.owners, "%159s", owner);
      owner[strcspn (owner, "/")] = 0;
      bool ours = false;
      if (stale || (!whole && still > STALE_SECONDS))
        ours = take_over (lock, whole, &c, ranks, owners);
      vrg_free (c.owners);
      if (ours)
        {
          vrg_info ("%s: of a run that has ended without removing it (%s); taken over", lock->path, owner);
          return VRG_OK;
        }
      /* a dead host's heartbeat is watched until it counts as stale */
      const bool hope = alive == 0 && still > BEAT_SECONDS + 5 && waited < STALE_SECONDS + 60;
      if (waited > patience && !hope)
        return vrg_error (VRG_FILE,
                          "%s: another run works in this directory, on %s; wait for it, or end it, or take another "
                          "--out (%s)",
                          directory, owner, lock->path);
      if (!told && waited > 1)
        {
          vrg_info ("%s: waiting for another run in this directory, on %s, to end", lock->path, owner);
          told = true;
        }
      sleep_a_little ();
    }
}

int
vrg_lock_take (MPI_Comm comm, const char *directory, vrg_lock **result)
{
  int ranks;
  char owner[OWNER] = "", host[160];
  vrg_lock *lock = vrg_new (1, sizeof *lock, "a lock");
  *lock = (vrg_lock){ .comm = comm, .descriptor = -1 };
  VRG_MPI (MPI_Comm_rank (comm, &lock->rank));
  VRG_MPI (MPI_Comm_size (comm, &ranks));
  snprintf (lock->path, sizeof lock->path, "%s/lock", directory);
  this_host (host);
  memset (owner, ' ', sizeof owner);
  const int n = snprintf (owner, sizeof owner, "%s %ld %llu", host, (long) getpid (), started ((long) getpid ()));
  owner[n] = ' ';
  owner[OWNER - 1] = '\n';
  char *owners = lock->rank == 0 ? vrg_new (ranks, OWNER, "a lock's owners") : NULL;
  VRG_MPI (MPI_Gather (owner, OWNER, MPI_CHAR, owners, OWNER, MPI_CHAR, 0, comm));
  int code = VRG_OK;
  if (lock->rank == 0)
    {
      struct timespec t;
      clock_gettime (CLOCK_REALTIME, &t);
      lock->token
        = ((unsigned long long) t.tv_sec << 32) ^ ((unsigned long long) t.tv_nsec << 12) ^ (unsigned) getpid ();
      vrg_live_init (&lock->live);
      code = acquire (lock, directory, ranks, owners);
      if (code == VRG_OK)
        {
          held = lock;
          start_beating (lock);
        }
    }
  vrg_free (owners);
  code = vrg_agree (comm, code);
  if (code != VRG_OK)
    {
      vrg_free (lock);
      lock = NULL;
    }
  *result = lock;
  return code;
}

void
vrg_lock_release (vrg_lock *lock)
{
  if (lock == NULL)
    return;
  VRG_MPI (MPI_Barrier (lock->comm)); /* nobody writes any more */
  if (lock->rank == 0)
    {
      if (lock->beating)
        {
          pthread_mutex_lock (&lock->mutex);
          lock->end = true;
          pthread_cond_signal (&lock->wake);
          pthread_mutex_unlock (&lock->mutex);
          pthread_join (lock->thread, NULL);
        }
      pthread_cond_destroy (&lock->wake);
      pthread_mutex_destroy (&lock->mutex);
      if (still_ours (lock))
        unlink (lock->path);
      close (lock->descriptor);
      held = NULL;
    }
  vrg_free (lock);
}

void
vrg_lock_look (const char *directory, vrg_lock_view *view)
{
  char path[VRG_PATH_LENGTH + 8], head[HEAD_BYTES + 1] = "";
  content c = { 0 };
  struct stat status;
  memset (view, 0, sizeof *view);
  snprintf (path, sizeof path, "%s/lock", directory);
  const int descriptor = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (descriptor < 0)
    return;
  const bool whole = read_content (descriptor, &c) && vrg_file_read_bytes (descriptor, head, HEAD_BYTES, 0)
                     && fstat (descriptor, &status) == 0;
  view->state = VRG_HOLDER_UNKNOWN;
  if (whole)
    {
      int elsewhere;
      const int alive = living (&c, &elsewhere);
      view->age = fmax (0, difftime (time (NULL), status.st_mtime));
      view->state = alive > 0                                      ? VRG_HOLDER_ALIVE
                    : elsewhere == 0                               ? VRG_HOLDER_DEAD
                    : view->age > STALE_SECONDS + 2 * BEAT_SECONDS ? VRG_HOLDER_SILENT
                                                                   : VRG_HOLDER_ALIVE;
      view->ranks = c.ranks;
      sscanf (c.owners, "%79s", view->host);
      view->host[strcspn (view->host, "/")] = 0;
      vrg_live_parse (head, &view->live);
    }
  vrg_free (c.owners);
  close (descriptor);
}

int
vrg_lock_check (void)
{
  if (held == NULL || still_ours (held))
    return VRG_OK;
  return vrg_error (
    VRG_FILE,
    "%s is not this run's any more: another run has taken this one for dead and works in the directory; "
    "nothing more is written",
    held->path);
}
