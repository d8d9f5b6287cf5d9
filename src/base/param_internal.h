/* SPDX-License-Identifier: GPL-3.0-or-later
 * The parameter table's rows, shared by param.c (reading), param-check.c (keys together) and param-print.c (writing). */
#ifndef VRG_BASE_PARAM_INTERNAL_H
#define VRG_BASE_PARAM_INTERNAL_H

#include <stddef.h>

#include "base/param.h"

#define VRG_PARAM_VALUE 4096 /* characters of a value with its continuation lines */
#define VRG_PARAM_PATH 160   /* of a path, so that it fits in a line */

typedef enum
{
  VRG_KIND_INT,      /* int64_t; a name, where there are any, stands for 0 */
  VRG_KIND_REAL,     /* double */
  VRG_KIND_COUPLING, /* double or `critical` */
  VRG_KIND_BOOL,     /* bool */
  VRG_KIND_NAME,     /* int, index into names */
  VRG_KIND_OPERATOR, /* vrg_pattern; reading keeps the name, vrg_param_check finds the sites */
  VRG_KIND_PATH      /* char[VRG_PATH_LENGTH] */
} vrg_param_kind;

typedef struct
{
  const char *section, *key;
  vrg_param_kind kind;
  size_t offset;            /* of the value or the values in vrg_input */
  size_t count;             /* of the int that counts them; 0: exactly one value */
  int limit;                /* at most so many values */
  const char *const *names; /* NULL-terminated */
  double low, high;         /* both allowed */
  const char *fallback;     /* as one would write it; "": found from other keys */
  const char *unit;
  int stages; /* mask of vrg_stage: whose result it determines */
  const char *help;
} vrg_param_row;

extern const vrg_param_row vrg_param_table[];
extern const int vrg_param_rows;

/** What is known of a key while an input is read. */
typedef struct
{
  char *raw; /* text of the value, NULL if not given */
  int line;  /* of the file; 0: not given; -1: --set */
  bool good; /* the value is in the input */
} vrg_param_state;

typedef struct vrg_param_parser vrg_param_parser;

/** A complaint about row i, at the line that gave it.  Local. */
void vrg_param_complain (vrg_param_parser *parser, int i, const char *format, ...)
  __attribute__ ((format (printf, 3, 4)));

/** Is `name` near enough to `word` to be suggested, and nearer than *best edits (which then becomes its distance)?  Local. */
bool vrg_param_nearer (const char *word, const char *name, int *best);

/** Row of "section.key", which must exist. */
int vrg_param_find (const char *name);

/** Checks of keys against each other, and defaults that follow from other keys.  Only keys that are good are looked at. */
void vrg_param_check (vrg_param_parser *parser, const vrg_param_state *state, vrg_input *input);

#endif
