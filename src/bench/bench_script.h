/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reference programs in Python, run as child processes.  Local. */
#ifndef VRG_BENCH_BENCH_SCRIPT_H
#define VRG_BENCH_BENCH_SCRIPT_H

#include <stdbool.h>

typedef struct
{
  double rate;    /* per second */
  char name[128]; /* "rbm_numpy.py (numpy 1.24.2, OpenBLAS Cooperlake)" */
} vrg_script_result;

/** Run SCRIPT ARGUMENTS with the interpreter named by VRG_PYTHON, else python3 of the path, else /usr/bin/python3:
 *  the first with which it prints a line "rate description". The script is looked for in VRG_DATA, in the program's
 *  installed data, and in the sources beside the program. False if it cannot be found or run (a module is missing):
 *  why says what happened and what to do. */
bool vrg_script_run (const char *script, const char *arguments, vrg_script_result *result, char why[512]);

#endif
