/* SPDX-License-Identifier: GPL-3.0-or-later
 * Failures: what ends a run and with which exit code.  The policy is doc/errors.md. */
#ifndef VRG_BASE_ERROR_H
#define VRG_BASE_ERROR_H

#include <mpi.h>

#include "base/life.h"

/** Exit codes of every command, and what functions return for things a user can mend. */
enum
{
  VRG_OK = 0,
  VRG_INTERNAL = 1, /* our bug, or a library that failed */
  VRG_USAGE = 2,    /* command line or input */
  VRG_FILE = 3,     /* a file that is missing, damaged, of another run, or cannot be written */
  VRG_STOPPED = 75  /* stopped early with a good checkpoint; run the same command again */
};

/** Remember the communicator that failures abort.  Local; call once, after MPI_Init. */
void vrg_error_init (MPI_Comm comm);

/** Remember a message for the user and return `code` (never VRG_OK); a later call replaces it.  What would steer a terminal
 *  becomes '?', here as in everything that is printed.  Local.
 *  Use: return vrg_error (VRG_FILE, "%s: not an HDF5 file", path); */
int vrg_error (int code, const char *format, ...) __attribute__ ((format (printf, 2, 3)));
#ifdef __clang_analyzer__ /* so that it knows what the function returns */
#define vrg_error(code, ...) ((vrg_error) (code, __VA_ARGS__), (code))
#endif

/** The message last remembered on this rank ("" if none).  Owned by the module. */
const char *vrg_error_text (void);

/** Every rank gets here with the same failure: rank 0 prints once, all finalise MPI and exit.  Collective. */
void vrg_fail_all (int code, const char *format, ...) __attribute__ ((noreturn, format (printf, 2, 3)));

/** One rank knows: print with its rank, MPI_Abort.  Local. */
void vrg_fail_one (int code, const char *format, ...) __attribute__ ((noreturn, format (printf, 2, 3)));

/** A thread beside the main one knows, which may be inside MPI: print `text` (may be NULL) and a newline, end this process at
 *  once, and with it the job: mpirun ends the other ranks, so does srun --kill-on-bad-exit.  Nothing is cleared up.  Local. */
void vrg_fail_now (int code, const char *text) __attribute__ ((noreturn));

/** MPI_Finalize and exit; the only normal way out.  Collective. */
void vrg_exit (int code) __attribute__ ((noreturn));

/** Check an MPI call's status; every call of MPI goes through this, and is counted. */
#define VRG_MPI(call)                                                                                                  \
  do                                                                                                                   \
    {                                                                                                                  \
      vrg_life_enter ();                                                                                               \
      int vrg_mpi_ = (call);                                                                                           \
      vrg_life_leave ();                                                                                               \
      if (vrg_mpi_ != MPI_SUCCESS)                                                                                     \
        vrg_fail_one (VRG_INTERNAL, "%s:%d: %s returned MPI error %d", __FILE__, __LINE__, #call, vrg_mpi_);           \
    }                                                                                                                  \
  while (0)

/** Check a GSL status. */
#define VRG_GSL(call)                                                                                                  \
  do                                                                                                                   \
    {                                                                                                                  \
      int vrg_gsl_ = (call);                                                                                           \
      if (vrg_gsl_ != 0)                                                                                               \
        vrg_fail_one (VRG_INTERNAL, "%s:%d: %s returned GSL error %d", __FILE__, __LINE__, #call, vrg_gsl_);           \
    }                                                                                                                  \
  while (0)

/** Our own bug; on unless NDEBUG. */
#ifdef NDEBUG
#define VRG_ASSERT(condition) ((void) 0)
#else
#define VRG_ASSERT(condition)                                                                                          \
  do                                                                                                                   \
    if (!(condition))                                                                                                  \
      vrg_fail_one (VRG_INTERNAL, "%s:%d: assertion failed: %s", __FILE__, __LINE__, #condition);                      \
  while (0)
#endif

#endif
