/* SPDX-License-Identifier: GPL-3.0-or-later
 * The thread that watches the other ranks. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "parallel/watch.h"

#include <fcntl.h>
#include <math.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/life.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/progress.h"
#include "base/terminal.h"
#include "parallel/grid.h"

#define LIMIT 20 /* beats in a time-out */
#define FIRST 5  /* beats before the log tells */
#define GRACE 4  /* beats for which the others leave it to one to say why the job ends */
#define LATE 3   /* beats: a thread that wakes so late did not run and knows nothing */
#define PATH 4096

/** A rank, in memory that the ranks of its node share. */
typedef struct
{
  _Alignas(64) _Atomic uint64_t calls; /* of its main thread: odd inside one */
  _Atomic uint64_t beats;              /* of its watching thread */
  long process;
  int rank;
} sign;

/** A node, in the file. */
typedef struct
{
  uint64_t beats, calls;  /* calls: sum over its ranks */
  int32_t waiting, first; /* every rank in MPI; the lowest rank */
  char host[40];
} record;

/** What a watcher remembers of a rank or a node. */
typedef struct
{
  uint64_t beats, calls;
  int missed, quiet; /* own beats since either last changed */
} seen;

struct vrg_watch
{
  MPI_Comm comm, node_comm;
  double period; /* seconds between two beats */
  char path[PATH], host[40];
  sign *signs; /* [ranks] of this node */
  seen *rank_memory;
  int ranks, rank; /* of this node, and which is this one */
  record *records; /* [nodes]; NULL where no file is used */
  seen *node_memory;
  int nodes, node; /* 0, 0 likewise */
  bool dumb;       /* there are other nodes that nothing is known of */
  int told;        /* beats of quiet at which a rank that computes was last told of */
  pthread_t thread;
  int pipe[2]; /* ends it */
};

/* ---------------------------------------------------------------- words */

/** "0-2 5": the ranks of this node that `chosen` is true of. */
static void
list_ranks (const vrg_watch *w, bool (*chosen) (const vrg_watch *, int), char text[200])
{
  size_t n = 0;
  text[0] = 0;
  for (int i = 0; i < w->ranks && n < 160; i++)
    {
      if (!chosen (w, i))
        continue;
      int last = i;
      while (last + 1 < w->ranks && chosen (w, last + 1) && w->signs[last + 1].rank == w->signs[last].rank + 1)
        last++;
      n += (size_t) snprintf (text + n, 200 - n, last > i ? "%s%d-%d" : "%s%d", n > 0 ? " " : "", w->signs[i].rank,
                              w->signs[last].rank);
      i = last;
    }
}

static bool
is_silent (const vrg_watch *w, int i)
{
  return w->rank_memory[i].missed >= FIRST;
}

static bool
is_waiting (const vrg_watch *w, int i)
{
  return !is_silent (w, i) && w->rank_memory[i].quiet >= FIRST - 2;
}

static bool
is_working (const vrg_watch *w, int i)
{
  return !is_silent (w, i) && w->rank_memory[i].calls % 2 == 0 && w->rank_memory[i].quiet >= FIRST;
}

static const char *
duration (const vrg_watch *w, int beats, char text[32])
{
  const double seconds = beats * w->period;
  snprintf (text, 32, seconds < 120 ? "%.3g s" : "%.3g min", seconds < 120 ? seconds : seconds / 60);
  return text;
}

/** One line, in one write: the main thread may print as well. */
static void
say (const char *text)
{
  fprintf (stderr, "vrg: %s\n", text);
}

/** Who does not answer, and who waits. */
static void
describe_silence (const vrg_watch *w, int beats, char text[800])
{
  char silent[200], waiting[200], time[32];
  int n = 0, one = 0;
  list_ranks (w, is_silent, silent);
  list_ranks (w, is_waiting, waiting);
  for (int i = 0; i < w->ranks; i++)
    if (is_silent (w, i))
      {
        n++;
        one = i;
      }
  duration (w, beats, time);
  if (n == 1)
    snprintf (text, 800, "rank %s (process %ld on %s) has not answered for %s", silent, w->signs[one].process, w->host,
              time);
  else if (n > 1)
    snprintf (text, 800, "ranks %s (on %s) have not answered for %s", silent, w->host, time);
  else
    for (int i = 0; i < w->nodes; i++)
      if (w->node_memory[i].missed >= FIRST)
        {
          snprintf (text, 800, "the node %s (rank %d and others, if any) has not answered for %s", w->records[i].host,
                    w->records[i].first, time);
          break;
        }
  const size_t used = strlen (text);
  if (waiting[0])
    snprintf (text + used, 800 - used, "; rank%s %s%s%s wait%s for others", strpbrk (waiting, " -") ? "s" : "", waiting,
              w->nodes > 0 ? " on " : "", w->nodes > 0 ? w->host : "", strpbrk (waiting, " -") ? "" : "s");
}

static void
end_job (const char *why)
{
  char text[1024];
  snprintf (text, sizeof text,
            "vrg: error: %s: the job ends; the same command without --fresh goes on from the last checkpoint "
            "([parallel] timeout)",
            why);
  vrg_fail_now (VRG_INTERNAL, text);
}

/* ---------------------------------------------------------------- one beat */

static void
observe (seen *m, uint64_t beats, uint64_t calls)
{
  m->missed = beats != m->beats ? 0 : m->missed + 1;
  m->quiet = calls != m->calls ? 0 : m->quiet + 1;
  m->beats = beats;
  m->calls = calls;
}

/** The rank of this node that writes and speaks for it: its first that answers. */
static bool
leads (const vrg_watch *w)
{
  for (int i = 0; i < w->rank; i++)
    if (!is_silent (w, i))
      return false;
  return true;
}

/** Does this node speak for the job? */
static bool
node_leads (const vrg_watch *w)
{
  for (int i = 0; i < w->node; i++)
    if (w->node_memory[i].missed < FIRST)
      return false;
  return true;
}

/** This node into the file. */
static bool
write_record (vrg_watch *w)
{
  record *own = &w->records[w->node];
  own->beats++;
  own->calls = 0;
  own->waiting = 1;
  for (int i = 0; i < w->ranks; i++)
    {
      const uint64_t calls = atomic_load (&w->signs[i].calls);
      own->calls += calls;
      own->waiting = own->waiting && calls % 2 == 1;
    }
  const int file = open (w->path, O_WRONLY | O_CREAT | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (file < 0)
    return false;
  const bool good = pwrite (file, own, sizeof *own, (off_t) sizeof *own * w->node) == sizeof *own;
  return close (file) == 0 && good;
}

/** All nodes from the file; opened anew, so that a network file system asks its server. */
static void
observe_nodes (vrg_watch *w)
{
  const record own = w->records[w->node];
  const ssize_t bytes = (ssize_t) sizeof own * w->nodes;
  const int file = open (w->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
  const bool good = file >= 0 && pread (file, w->records, (size_t) bytes, 0) == bytes;
  if (file >= 0)
    close (file);
  if (w->records[w->node].beats < own.beats || !good)
    w->records[w->node] = own;
  for (int i = 0; i < w->nodes; i++)
    {
      w->records[i].host[sizeof own.host - 1] = 0;
      vrg_plain_text (w->records[i].host, "");
      observe (&w->node_memory[i], w->records[i].beats, w->records[i].calls);
      if (!good) /* the file says nothing of anybody */
        w->node_memory[i].missed = w->node_memory[i].quiet = 0;
    }
}

static void
forgive (seen *m, int n)
{
  for (int i = 0; i < n; i++)
    m[i].missed = m[i].quiet = 0;
}

/** A rank or node that does not beat.  speaks: for this node; first: for the job. */
static void
judge_silence (const vrg_watch *w, bool speaks, bool first)
{
  int most = 0, limit = LIMIT + GRACE;
  bool tell = false;
  char text[800];
  for (int i = 0; i < w->ranks; i++)
    {
      most = w->rank_memory[i].missed > most ? w->rank_memory[i].missed : most;
      tell = tell || (w->rank_memory[i].missed == FIRST && speaks);
    }
  if (most > 0 && speaks)
    limit = LIMIT;
  for (int i = 0; i < w->nodes; i++)
    {
      most = w->node_memory[i].missed > most ? w->node_memory[i].missed : most;
      tell = tell || (w->node_memory[i].missed == FIRST && first);
    }
  if (first)
    limit = LIMIT;
  if (!tell && most < limit)
    return;
  describe_silence (w, most, text);
  if (tell)
    say (text);
  if (most >= limit)
    end_job (text);
}

/** No call of MPI has begun or come back for long: because all are in one, or because somebody is at work outside. */
static void
judge_quiet (vrg_watch *w, bool speaks, bool first)
{
  int least = w->rank_memory[0].quiet;
  bool all_wait = true;
  char text[800], list[200], time[32];
  for (int i = 0; i < w->ranks; i++)
    {
      least = w->rank_memory[i].quiet < least ? w->rank_memory[i].quiet : least;
      all_wait = all_wait && w->rank_memory[i].calls % 2 == 1 && w->rank_memory[i].missed < FIRST;
    }
  for (int i = 0; i < w->nodes; i++)
    {
      least = w->node_memory[i].quiet < least ? w->node_memory[i].quiet : least;
      all_wait = all_wait && w->records[i].waiting && w->node_memory[i].missed < FIRST;
    }
  if (least == 0)
    w->told = 0;
  duration (w, least, time);
  if (all_wait && !w->dumb && least >= FIRST)
    {
      list_ranks (w, is_waiting, list);
      snprintf (text, sizeof text, "all ranks have waited for each other for %s (%s: ranks %s)", time, w->host, list);
      if (least == FIRST && first)
        say (text);
      if (least >= (first ? LIMIT : LIMIT + GRACE))
        end_job (text);
    }
  list_ranks (w, is_working, list);
  if (!all_wait && least >= LIMIT && least >= 2 * w->told && speaks && list[0])
    {
      snprintf (text, sizeof text, "rank%s %s (on %s): computing or at a file for %s, without a word to the others",
                strpbrk (list, " -") ? "s" : "", list, w->host, time);
      say (text);
      w->told = least;
    }
}

static void
beat (vrg_watch *w, bool late)
{
  atomic_fetch_add (&w->signs[w->rank].beats, 1);
  for (int i = 0; i < w->ranks; i++)
    observe (&w->rank_memory[i], atomic_load (&w->signs[i].beats), atomic_load (&w->signs[i].calls));
  const bool speaks = leads (w);
  if (w->nodes > 0)
    {
      if (speaks)
        write_record (w);
      observe_nodes (w);
    }
  if (late)
    {
      forgive (w->rank_memory, w->ranks);
      forgive (w->node_memory, w->nodes);
    }
  const bool first = speaks && node_leads (w);
  judge_silence (w, speaks, first);
  judge_quiet (w, speaks, first);
}

/** Beats until something is written into the pipe.  The time-out of poll is relative: no other clock matters. */
static void *
watching (void *argument)
{
  vrg_watch *w = argument;
  struct pollfd end = { .fd = w->pipe[0], .events = POLLIN };
  double last = vrg_clock ();
  for (;;)
    {
      const double left = last + w->period - vrg_clock ();
      if (poll (&end, 1, left > 0 ? (int) fmin (1e3 * left + 1, 1e6) : 0) > 0)
        return NULL;
      const double now = vrg_clock ();
      if (now - last < w->period)
        continue;
      beat (w, now - last > LATE * w->period);
      last = now;
    }
}

/* ---------------------------------------------------------------- beginning and end */

/** Memory that the ranks of node_comm share, or one's own alone. */
static sign *
share_memory (MPI_Comm comm, int ranks, int rank, bool *shared)
{
  char name[64];
  const size_t bytes = (size_t) ranks * sizeof (sign);
  int file = -1;
  if (rank == 0)
    {
      snprintf (name, sizeof name, "/vrg-%ld-%llx", (long) getpid (), (unsigned long long) (1e9 * vrg_clock ()));
      file = shm_open (name, O_RDWR | O_CREAT | O_EXCL, 0600);
      if (file >= 0 && posix_fallocate (file, 0, (off_t) bytes) != 0)
        {
          close (file);
          file = -1;
        }
    }
  vrg_broadcast (comm, name, sizeof name);
  if (rank > 0)
    file = shm_open (name, O_RDWR, 0);
  void *memory = file < 0 ? MAP_FAILED : mmap (NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  int good = memory != MAP_FAILED;
  if (file >= 0)
    close (file);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, comm));
  if (rank == 0)
    shm_unlink (name);
  *shared = good;
  if (good)
    return memory;
  if (memory != MAP_FAILED)
    munmap (memory, bytes);
  memory = mmap (NULL, sizeof (sign), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED)
    vrg_fail_one (VRG_INTERNAL, "out of memory");
  return memory;
}

/** The ranks of this node. */
static void
find_node (vrg_watch *w, int rank)
{
  const char *given = getenv ("VRG_WATCH_NODE");
  int pretended = given != NULL ? atoi (given) : 0;
  bool shared;
  vrg_broadcast (w->comm, &pretended, sizeof pretended);
  if (pretended > 0)
    VRG_MPI (MPI_Comm_split (w->comm, rank / pretended, rank, &w->node_comm));
  else
    VRG_MPI (MPI_Comm_split_type (w->comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, &w->node_comm));
  VRG_MPI (MPI_Comm_size (w->node_comm, &w->ranks));
  VRG_MPI (MPI_Comm_rank (w->node_comm, &w->rank));
  w->signs = share_memory (w->node_comm, w->ranks, w->rank, &shared);
  if (!shared)
    {
      w->ranks = 1;
      w->rank = 0;
    }
  w->rank_memory = vrg_new (w->ranks, sizeof *w->rank_memory, "the watch");
  w->signs[w->rank].process = (long) getpid ();
  w->signs[w->rank].rank = rank;
  gethostname (w->host, sizeof w->host - 1);
}

/** The other nodes, and the file in which they meet. */
static void
find_nodes (vrg_watch *w, int rank)
{
  int number = w->rank == 0, before = 0;
  VRG_MPI (MPI_Exscan (&number, &before, 1, MPI_INT, MPI_SUM, w->comm));
  VRG_MPI (MPI_Allreduce (&number, &w->nodes, 1, MPI_INT, MPI_SUM, w->comm));
  w->node = rank == 0 ? 0 : before;
  if (w->ranks > 1) /* the number of its first rank */
    VRG_MPI (MPI_Bcast (&w->node, 1, MPI_INT, 0, w->node_comm));
  if (rank == 0)
    unlink (w->path); /* of a run that was killed */
  if (w->nodes == 1)
    {
      w->nodes = 0;
      return;
    }
  w->records = vrg_new (w->nodes, sizeof *w->records, "the watch");
  w->node_memory = vrg_new (w->nodes, sizeof *w->node_memory, "the watch");
  w->records[w->node].first = w->signs[0].rank;
  memcpy (w->records[w->node].host, w->host, sizeof w->host);
  VRG_MPI (MPI_Barrier (w->comm));
  int good = w->rank > 0 || write_record (w);
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, w->comm));
  if (good)
    return;
  vrg_info ("%s: cannot be written; nodes do not watch each other", w->path);
  vrg_free (w->records);
  vrg_free (w->node_memory);
  w->records = NULL;
  w->node_memory = NULL;
  w->nodes = w->node = 0;
  w->dumb = true;
}

/** The thread takes no signals: they are for the main one. */
static bool
start (vrg_watch *w)
{
  sigset_t all, old;
  if (pipe2 (w->pipe, O_CLOEXEC) != 0)
    return false;
  sigfillset (&all);
  pthread_sigmask (SIG_SETMASK, &all, &old);
  const bool good = pthread_create (&w->thread, NULL, watching, w) == 0;
  pthread_sigmask (SIG_SETMASK, &old, NULL);
  if (!good)
    {
      close (w->pipe[0]);
      close (w->pipe[1]);
    }
  return good;
}

/** End the thread, if there is one, and give back what it saw. */
static void
clear (vrg_watch *w, bool started)
{
  if (started)
    {
      if (write (w->pipe[1], "", 1) != 1)
        vrg_fail_one (VRG_INTERNAL, "the watching thread cannot be ended");
      pthread_join (w->thread, NULL);
      close (w->pipe[0]);
      close (w->pipe[1]);
    }
  vrg_life_move (NULL);
  VRG_MPI (MPI_Barrier (w->comm)); /* nobody writes any more */
  int rank;
  VRG_MPI (MPI_Comm_rank (w->comm, &rank));
  if (rank == 0)
    unlink (w->path);
  VRG_MPI (MPI_Comm_free (&w->node_comm));
  VRG_MPI (MPI_Comm_free (&w->comm));
  munmap (w->signs, (size_t) w->ranks * sizeof (sign));
  vrg_free (w->rank_memory);
  vrg_free (w->records);
  vrg_free (w->node_memory);
  vrg_free (w);
}

vrg_watch *
vrg_watch_begin (MPI_Comm comm, const char *directory, double seconds)
{
  int rank, size;
  VRG_MPI (MPI_Comm_rank (comm, &rank));
  VRG_MPI (MPI_Comm_size (comm, &size));
  if (rank == 0)
    seconds = vrg_clock_setting ("VRG_WATCH_SECONDS", seconds);
  vrg_broadcast (comm, &seconds, sizeof seconds);
  if (size == 1 || seconds <= 0)
    return NULL;
  vrg_watch *w = vrg_new (1, sizeof *w, "the watch");
  w->period = seconds / LIMIT;
  snprintf (w->path, sizeof w->path, "%s/watch", directory);
  VRG_MPI (MPI_Comm_dup (comm, &w->comm));
  find_node (w, rank);
  find_nodes (w, rank);
  VRG_MPI (MPI_Barrier (w->comm)); /* everybody's number is there */
  vrg_life_move (&w->signs[w->rank].calls);
  const bool started = start (w);
  int good = started;
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, &good, 1, MPI_INT, MPI_MIN, w->comm));
  if (good)
    return w;
  vrg_info ("no thread can be started: ranks do not watch each other");
  clear (w, started);
  return NULL;
}

void
vrg_watch_end (vrg_watch *watch)
{
  if (watch == NULL)
    return;
  VRG_MPI (MPI_Barrier (watch->comm)); /* a thread that ends is not one that does not answer */
  clear (watch, true);
}
