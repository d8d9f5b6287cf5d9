/* SPDX-License-Identifier: GPL-3.0-or-later
 * Is an HDF5 file sound enough to be opened?  libhdf5 may crash or loop on damaged metadata, and follows links to other
 * files.  So before this process opens a file for reading, a short-lived process walks it: every object, attribute and
 * shape, none of the bulk data.  Whatever happens there is a message here. */
#ifndef VRG_FILES_WALK_H
#define VRG_FILES_WALK_H

/** First argument of a process that walks: PROGRAM --walk-hdf5 FILE, PROGRAM being vrg-walk (src/walk-main.c) or vrg. */
#define VRG_WALK_OPTION "--walk-hdf5"

/** The whole life of such a process, to be called before MPI_Init: walks the file under limits of time and memory, prints
 *  "good" or what is wrong, ends it with the exit code.  Local. */
void vrg_walk_main (const char *path) __attribute__ ((noreturn));

/** From now on files are walked by this program (not copied); NULL: by this process itself, for tests.  Local. */
void vrg_walk_use (const char *program);

/** Walk a regular file, unless that has been done to it as it is now.  VRG_OK, or VRG_FILE with what is wrong.  Local. */
int vrg_walk (const char *path);

/** This process has just written the file: it need not be walked as it is now.  Local. */
void vrg_walk_trust (const char *path);

#endif
