/* SPDX-License-Identifier: GPL-3.0-or-later
 * One run at a time in a directory: the file DIRECTORY/lock.
 *
 * It is made with O_EXCL and says who holds it: a token, a number that a thread of rank 0 counts up every few seconds (the
 * heartbeat), what the run does now, and host, process and its start for every rank.  A lock is stale at once when its ranks were all on this
 * host and none of them lives; otherwise when the heartbeat has not changed for two minutes of the waiter's own clock, which
 * nobody can set back.  A stale lock is taken over in place under flock.  Ranks that outlive a killed mpirun are waited for. */
#ifndef VRG_FILES_LOCK_H
#define VRG_FILES_LOCK_H

#include <mpi.h>

#include "files/live.h"

typedef struct vrg_lock vrg_lock;

/** Take the lock of a directory that can be written.  VRG_FILE, with who holds it, if that is a run that lives: it is waited
 *  for some seconds (VRG_LOCK_SECONDS in the environment: other seconds).  A process holds one lock at most.  Collective. */
int vrg_lock_take (MPI_Comm comm, const char *directory, vrg_lock **lock);

/** Remove the file, if it is still ours.  Collective; NULL is fine. */
void vrg_lock_release (vrg_lock *lock);

/** Is the lock that this process took (if it took one) still its own?  Asked on rank 0 before a file gets its final name:
 *  VRG_FILE if another run has taken over, which believed this one dead.  Local. */
int vrg_lock_check (void);

/** What a lock file tells of its run. */
typedef struct
{
  enum
  {
    VRG_HOLDER_NONE,    /* there is no lock */
    VRG_HOLDER_ALIVE,   /* a rank lives on this host, or all are on others and the heartbeat is young */
    VRG_HOLDER_DEAD,    /* all ranks were on this host, and none lives */
    VRG_HOLDER_SILENT,  /* ranks on other hosts, no heartbeat for minutes: it would be taken over */
    VRG_HOLDER_UNKNOWN, /* the file cannot be read, or is being made just now */
  } state;
  int ranks;
  char host[80]; /* of rank 0 */
  double age;    /* seconds since the last heartbeat, by the file's time */
  vrg_live live;
} vrg_lock_view;

/** Look at the lock of a directory; nothing is written, locked or waited for.  Local. */
void vrg_lock_look (const char *directory, vrg_lock_view *view);

#endif
