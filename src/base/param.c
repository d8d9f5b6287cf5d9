/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reading inputs by the parameter table. */
#include "base/param.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/param_internal.h"

#define MAX_LINE 190       /* of an input file; inih's buffer holds 200 */
#define MAX_COMPLAINTS 100 /* told in one go */
#define COMPLAINT_LENGTH 512
#define OWN "operator " /* sections of operators the input defines */

typedef struct
{
  int line; /* as in vrg_param_state */
  char text[COMPLAINT_LENGTH];
} complaint;

struct vrg_param_parser
{
  const char *name; /* of the file */
  const char *next; /* unread text */
  int line;         /* the last one read */
  bool continued;   /* it ended in a backslash */
  bool continues;   /* the line before it did */
  bool known;       /* it is in a section that exists */
  vrg_pattern *own; /* of the [operator NAME] section it is in, NULL in others */
  int own_line[VRG_MAX_OWN],
    own_dimension[VRG_MAX_OWN]; /* where their sites stand (0: nowhere yet), numbers of a site */
  int current;                  /* row of the last key, -1 if it is none */
  vrg_param_state *state;
  vrg_input *input;
  complaint *complaints;
  int n_complaints;
};

/* ---------------------------------------------------------------- complaints */

__attribute__ ((format (printf, 3, 0))) static void
complain (vrg_param_parser *parser, int line, const char *format, va_list list)
{
  if (parser->n_complaints < MAX_COMPLAINTS)
    {
      complaint *own = &parser->complaints[parser->n_complaints];
      own->line = line;
      vsnprintf (own->text, sizeof own->text, format, list);
    }
  parser->n_complaints++;
}

/** About the line just read, or about a --set (line -1). */
__attribute__ ((format (printf, 3, 4))) static void
complain_at (vrg_param_parser *parser, int line, const char *format, ...)
{
  va_list list;
  va_start (list, format);
  complain (parser, line, format, list);
  va_end (list);
}

void
vrg_param_complain (vrg_param_parser *parser, int i, const char *format, ...)
{
  char longer[COMPLAINT_LENGTH];
  snprintf (longer, sizeof longer, "[%s] %s: %s", vrg_param_table[i].section, vrg_param_table[i].key, format);
  va_list list;
  va_start (list, format);
  complain (parser, parser->state[i].line, longer, list);
  va_end (list);
}

/** All complaints in the order of lines: the file's, those about no line, those about --set. */
static int
tell (const vrg_param_parser *parser)
{
  const int n = parser->n_complaints < MAX_COMPLAINTS ? parser->n_complaints : MAX_COMPLAINTS;
  const int room = n * (COMPLAINT_LENGTH + VRG_PATH_LENGTH) + 64;
  char *text = vrg_new (room, 1, "complaints");
  int used = 0;
  for (int pass = 0; pass < 3; pass++)
    for (int line = pass ? 1 - pass : 1; line <= (pass ? 1 - pass : parser->line); line++)
      for (int i = 0; i < n; i++)
        if (parser->complaints[i].line == line)
          {
            char place[VRG_PATH_LENGTH];
            if (line > 0)
              snprintf (place, sizeof place, "%s:%d", parser->name, line);
            else
              snprintf (place, sizeof place, "%s", line == 0 ? parser->name : "--set");
            used += snprintf (text + used, (size_t) (room - used), "%s%s: %s", used ? "\n" : "", place,
                              parser->complaints[i].text);
          }
  if (parser->n_complaints > n)
    snprintf (text + used, (size_t) (room - used), "\n%s: and %d more", parser->name, parser->n_complaints - n);
  vrg_error (VRG_USAGE, "%s", text);
  vrg_free (text);
  return VRG_USAGE;
}

/* ---------------------------------------------------------------- unknown names */

static void
complain_key (vrg_param_parser *parser, int line, const char *section, const char *key, bool section_known)
{
  int best = 99, found = -1;
  for (int pass = 0; pass < 2; pass++) /* the own section first: others must be nearer */
    for (int i = 0; i < vrg_param_rows; i++)
      if ((strcmp (vrg_param_table[i].section, section) != 0) == pass
          && vrg_param_nearer (key, vrg_param_table[i].key, &best))
        found = i;
  char name[160];
  if (*section)
    snprintf (name, sizeof name, "[%.60s] %.60s: %s", section, key, section_known ? "unknown key" : "unknown section");
  else
    snprintf (name, sizeof name, "%.60s: a key before the first [section]", key);
  if (found < 0)
    complain_at (parser, line, "%s (see `vrg params`)", name);
  else if (!strcmp (vrg_param_table[found].section, section))
    complain_at (parser, line, "%s (did you mean %s?)", name, vrg_param_table[found].key);
  else
    complain_at (parser, line, "%s (did you mean [%s] %s?)", name, vrg_param_table[found].section,
                 vrg_param_table[found].key);
}

static bool
section_exists (const char *section)
{
  for (int i = 0; i < vrg_param_rows; i++)
    if (!strcmp (section, vrg_param_table[i].section))
      return true;
  return false;
}

static void
complain_section (vrg_param_parser *parser, const char *section)
{
  int best = 99, found = -1;
  for (int i = 0; i < vrg_param_rows; i++)
    if (vrg_param_nearer (section, vrg_param_table[i].section, &best))
      found = i;
  if (found < 0)
    complain_at (parser, parser->line, "[%.60s]: unknown section (see `vrg params`)", section);
  else
    complain_at (parser, parser->line, "[%.60s]: unknown section (did you mean [%s]?)", section,
                 vrg_param_table[found].section);
}

/* ---------------------------------------------------------------- lines */

static bool
blank (char c)
{
  return isspace ((unsigned char) c) != 0;
}

/** Cut blanks at both ends, and comments: # or ; at the start or after a blank.  Returns the new start. */
static char *
trim (char *text)
{
  while (blank (*text))
    text++;
  for (char *p = text; *p; p++)
    if ((*p == '#' || *p == ';') && (p == text || blank (p[-1])))
      *p = 0;
  char *end = text + strlen (text);
  while (end > text && blank (end[-1]))
    *--end = 0;
  return text;
}

/** A section [operator NAME] begins. */
static bool
begin_own (vrg_param_parser *parser, const char *name)
{
  vrg_input *input = parser->input;
  name += strspn (name, " ");
  if (*name == 0 || strlen (name) >= VRG_PATTERN_NAME
      || name[strspn (name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")])
    complain_at (parser, parser->line, "[operator %.40s]: a name has 1 to %d letters, digits, - and _", name,
                 VRG_PATTERN_NAME - 1);
  else if (input->n_own == VRG_MAX_OWN)
    complain_at (parser, parser->line, "[operator %s]: more than %d operators", name, VRG_MAX_OWN);
  else
    {
      for (int i = 0; i < input->n_own; i++)
        if (!strcmp (input->own[i].name, name))
          {
            complain_at (parser, parser->line, "[operator %s]: given already", name);
            return false;
          }
      parser->own = &input->own[input->n_own++];
      snprintf (parser->own->name, sizeof parser->own->name, "%s", name);
      return true;
    }
  return false;
}

/** `sites = 0,0 1,0 ...` of the operator that is being read.  The dimension is checked later: it may stand below. */
static void
take_own (vrg_param_parser *parser, const char *key, const char *value)
{
  vrg_pattern *own = parser->own;
  const int index = (int) (own - parser->input->own);
  if (strcmp (key, "sites") != 0)
    {
      complain_at (parser, parser->line, "[operator %s] %.60s: unknown key (an operator has `sites`)", own->name, key);
      return;
    }
  if (parser->own_line[index])
    {
      complain_at (parser, parser->line, "[operator %s] sites: given already in line %d", own->name,
                   parser->own_line[index]);
      return;
    }
  parser->own_line[index] = parser->line;
  if (parser->continued)
    complain_at (parser, parser->line, "[operator %s] sites: stand on one line", own->name);
  char copy[VRG_PARAM_VALUE], *rest;
  snprintf (copy, sizeof copy, "%s", value);
  for (char *word = strtok_r (copy, " \t", &rest); word != NULL; word = strtok_r (NULL, " \t", &rest))
    {
      char *p = word;
      int d = 0, *offset = own->sites < VRG_PATTERN_SITES ? own->offset[own->sites] : NULL;
      bool good = true;
      for (; good && *p && d < VRG_MAX_DIMENSION; d++)
        {
          char *end;
          const long number = strtol (p, &end, 10);
          good = end != p && (*end == ',' || *end == 0) && labs (number) <= VRG_PATTERN_REACH;
          if (good && offset != NULL)
            offset[d] = (int) number;
          p = *end == ',' ? end + 1 : end;
        }
      if (!good || *p || p[-1] == ',')
        complain_at (
          parser, parser->line,
          "[operator %s] sites: `%.40s` is not a site: whole numbers of %d to %d, one for each dimension, with "
          "commas and no blanks between",
          own->name, word, -VRG_PATTERN_REACH, VRG_PATTERN_REACH);
      else if (offset == NULL)
        {
          complain_at (parser, parser->line, "[operator %s] sites: more than %d", own->name, VRG_PATTERN_SITES);
          return;
        }
      else if (own->sites++ == 0)
        parser->own_dimension[index] = d;
      else if (d != parser->own_dimension[index])
        complain_at (parser, parser->line, "[operator %s] sites: `%.40s` has %d number%s, the first site %d", own->name,
                     word, d, d == 1 ? "" : "s", parser->own_dimension[index]);
    }
}

/** Complain about a line that inih would pass over or misread; false if it should not see it. */
static bool
check_line (vrg_param_parser *parser, char *line)
{
  if (line[0] == '[')
    {
      char *end = strchr (line, ']');
      parser->known = false;
      if (end == NULL)
        complain_at (parser, parser->line, "%.60s: a section without its closing ]", line);
      else if (end[1] != 0)
        complain_at (parser, parser->line, "%.60s: nothing may follow a [section] on its line", line);
      else
        {
          *end = 0;
          parser->own = NULL;
          if (!strncmp (line + 1, OWN, sizeof OWN - 1))
            parser->known = begin_own (parser, line + sizeof OWN);
          else
            {
              parser->known = section_exists (line + 1);
              if (!parser->known)
                complain_section (parser, line + 1);
            }
          *end = ']';
        }
      return end != NULL;
    }
  if (strpbrk (line, "=:") == NULL || line[0] == '=' || line[0] == ':')
    {
      complain_at (parser, parser->line, "%.60s: neither [section] nor key = value", line);
      return false;
    }
  return true;
}

/** inih's reader: one line of the text, without comments and leading blanks; an indented line is a continuation to
 *  inih, to a user it is one only after a line that ends in a backslash. */
static char *
read_line (char *buffer, int size, void *stream)
{
  vrg_param_parser *parser = stream;
  if (*parser->next == 0)
    return NULL;
  const size_t length = strcspn (parser->next, "\n");
  const char *line = parser->next;
  parser->next += length + (line[length] == '\n');
  parser->line++;
  parser->continues = parser->continued;
  parser->continued = false;

  char copy[4 * MAX_LINE];
  snprintf (copy, sizeof copy, "%.*s", (int) (length < sizeof copy ? length : sizeof copy - 1), line);
  char *text = trim (copy);
  if (length >= sizeof copy || (int) strlen (text) > MAX_LINE || (int) strlen (text) > size - 3)
    {
      complain_at (parser, parser->line, "%.40s...: longer than %d characters; end a line with \\ to continue it", text,
                   MAX_LINE);
      text = copy;
      *text = 0;
    }
  const size_t end = strlen (text);
  if (end > 0 && text[end - 1] == '\\')
    {
      parser->continued = true;
      text[end - 1] = 0;
      text = trim (text);
    }
  if (!parser->continues && *text && !check_line (parser, text))
    {
      parser->current = -1; /* also for what continues it */
      *text = 0;
    }
  if (parser->continues && parser->current < 0)
    *text = 0;
  snprintf (buffer, (size_t) size, "%s%s\n", parser->continues ? " " : "", text);
  return buffer;
}

/* ---------------------------------------------------------------- keys */

static int
find_key (const char *section, const char *key)
{
  for (int i = 0; i < vrg_param_rows; i++)
    if (!strcmp (vrg_param_table[i].section, section) && !strcmp (vrg_param_table[i].key, key))
      return i;
  return -1;
}

static void
keep_raw (vrg_param_parser *parser, int i, int line, const char *value)
{
  vrg_param_state *state = &parser->state[i];
  if (state->raw == NULL)
    state->raw = vrg_new (VRG_PARAM_VALUE, 1, "a parameter's text");
  snprintf (state->raw, VRG_PARAM_VALUE, "%s", value);
  state->line = line;
}

/** inih's handler. */
static int
take (void *user, const char *section, const char *key, const char *value)
{
  vrg_param_parser *parser = user;
  if (parser->continues)
    {
      char *raw = parser->current < 0 ? NULL : parser->state[parser->current].raw;
      const size_t used = raw ? strlen (raw) : 0;
      if (raw && used + strlen (value) + 2 > VRG_PARAM_VALUE)
        vrg_param_complain (parser, parser->current, "a list of more than %d characters", VRG_PARAM_VALUE);
      else if (raw)
        snprintf (raw + used, VRG_PARAM_VALUE - used, " %s", value);
      return 1;
    }
  const int i = parser->current = find_key (section, key);
  if (parser->own != NULL)
    take_own (parser, key, value);
  else if (i < 0)
    {
      if (parser->known || !*section)
        complain_key (parser, parser->line, section, key, true);
    }
  else if (parser->state[i].raw != NULL)
    {
      complain_at (parser, parser->line, "[%s] %s: given already in line %d", section, key, parser->state[i].line);
      parser->current = -1;
    }
  else
    keep_raw (parser, i, parser->line, value);
  return 1;
}

/** --set "operator NAME.sites=...", whose operator may be new. */
static void
override_own (vrg_param_parser *parser, const char *text)
{
  char name[64] = "", key[64] = "";
  int used = 0;
  vrg_input *input = parser->input;
  const int line = parser->line;
  if (sscanf (text, OWN " %63[^.= ].%63[^= ] =%n", name, key, &used) != 2 || used == 0)
    {
      complain_at (parser, -1, "`%.60s` is not operator NAME.sites=...", text);
      return;
    }
  parser->line = -1; /* complaints are about --set */
  parser->own = NULL;
  for (int i = 0; i < input->n_own; i++)
    if (!strcmp (input->own[i].name, name))
      {
        parser->own = &input->own[i];
        parser->own->sites = parser->own_line[i] = 0;
        memset (parser->own->offset, 0, sizeof parser->own->offset);
      }
  if (parser->own != NULL || begin_own (parser, name))
    take_own (parser, key, text + used);
  parser->line = line;
}

/** One --set. */
static void
override (vrg_param_parser *parser, const char *text)
{
  if (!strncmp (text, OWN, sizeof OWN - 1))
    {
      override_own (parser, text);
      return;
    }
  char section[64] = "", key[64] = "";
  int used = 0;
  if (sscanf (text, " %63[^.= ].%63[^= ] =%n", section, key, &used) != 2 || used == 0)
    {
      complain_at (parser, -1, "`%.60s` is not section.key=value", text);
      return;
    }
  const int i = find_key (section, key);
  if (i < 0)
    {
      complain_key (parser, -1, section, key, section_exists (section));
      return;
    }
  if (parser->state[i].line < 0)
    {
      vrg_param_complain (parser, i, "is set twice");
      return;
    }
  char value[VRG_PARAM_VALUE];
  if (snprintf (value, sizeof value, "%s", text + used) >= (int) sizeof value)
    complain_at (parser, -1, "[%s] %s: a value of more than %d characters", section, key, VRG_PARAM_VALUE);
  const char *start = value;
  while (blank (*start))
    start++;
  keep_raw (parser, i, -1, start);
}

/* ---------------------------------------------------------------- values */

static bool
in_range (vrg_param_parser *parser, int i, const char *word, double value)
{
  const vrg_param_row *row = &vrg_param_table[i];
  if (value >= row->low && value <= row->high)
    return true;
  vrg_param_complain (parser, i, "%.60s is outside %.15g to %.15g%s%s", word, row->low, row->high,
                      *row->unit ? " " : "", row->unit);
  return false;
}

static bool
not_a (vrg_param_parser *parser, int i, const char *word, const char *what)
{
  vrg_param_complain (parser, i, "`%.60s` is not %s%s", word, what,
                      strchr (word, ',') ? " (blanks, not commas, between the entries of a list)" : "");
  return false;
}

/** Value number k of row i. */
static bool
convert (vrg_param_parser *parser, int i, int k, const char *word)
{
  const vrg_param_row *row = &vrg_param_table[i];
  void *place = (char *) parser->input + row->offset;
  char *end;
  errno = 0;
  switch (row->kind)
    {
    case VRG_KIND_INT:
      {
        if (row->names != NULL && !strcmp (word, row->names[0]))
          {
            ((int64_t *) place)[k] = 0;
            return true;
          }
        const long long value = strtoll (word, &end, 10);
        if (*end)
          return not_a (parser, i, word, row->names ? "a whole number or auto" : "a whole number");
        ((int64_t *) place)[k] = value;
        return in_range (parser, i, word, errno ? (double) value * 2 : (double) value);
      }
    case VRG_KIND_REAL:
    case VRG_KIND_COUPLING:
      {
        if (row->kind == VRG_KIND_COUPLING && !strcmp (word, "critical"))
          {
            ((double *) place)[k] = VRG_CRITICAL_2D;
            return true;
          }
        const double value = strtod (word, &end);
        /* strtod knows hexadecimal, inf and nan */
        if (*end || word[strspn (word, "0123456789+-.eE")])
          return not_a (parser, i, word, row->kind == VRG_KIND_COUPLING ? "a number or critical" : "a number");
        ((double *) place)[k] = value;
        return in_range (parser, i, word, value);
      }
    case VRG_KIND_BOOL:
      {
        static const char *const words[] = { "no", "yes", "false", "true", "off", "on", "0", "1", NULL };
        for (int w = 0; words[w] != NULL; w++)
          if (!strcmp (word, words[w]))
            {
              ((bool *) place)[k] = w % 2;
              return true;
            }
        return not_a (parser, i, word, "yes or no");
      }
    case VRG_KIND_NAME:
      {
        char all[256] = "";
        for (int n = 0; row->names[n] != NULL; n++)
          {
            if (!strcmp (word, row->names[n]))
              {
                for (int other = 0; other < k; other++)
                  if (((int *) place)[other] == n)
                    {
                      vrg_param_complain (parser, i, "%s is given twice", word);
                      return false;
                    }
                ((int *) place)[k] = n;
                return true;
              }
            const size_t used = strlen (all);
            snprintf (all + used, sizeof all - used, "%s%s", n ? ", " : "", row->names[n]);
          }
        const char *near = vrg_param_nearest (word, row->names);
        if (near != NULL)
          vrg_param_complain (parser, i, "`%.60s` is not one of %s (did you mean %s?)", word, all, near);
        else
          vrg_param_complain (parser, i, "`%.60s` is not one of %s", word, all);
        return false;
      }
    case VRG_KIND_OPERATOR:
      {
        vrg_pattern *pattern = (vrg_pattern *) place + k;
        if (snprintf (pattern->name, sizeof pattern->name, "%s", word) >= (int) sizeof pattern->name)
          return not_a (parser, i, word, "the name of an operator");
        return true;
      }
    case VRG_KIND_PATH:
      return true; /* not by words */
    }
  return false;
}

/** A path is the whole value, one that the file of vrg_param_print can hold. */
static bool
convert_path (vrg_param_parser *parser, int i, const char *raw)
{
  const size_t length = strlen (raw);
  bool plain = length > 0 && raw[length - 1] != '\\' && !blank (raw[length - 1]) && raw[0] != '#' && raw[0] != ';';
  for (const char *p = raw; *p; p++)
    if (iscntrl ((unsigned char) *p) || ((*p == '#' || *p == ';') && p > raw && blank (p[-1])))
      plain = false;
  if (!plain)
    vrg_param_complain (parser, i, "a path with comment marks, control characters or a backslash at its end");
  else if (length > VRG_PARAM_PATH)
    vrg_param_complain (parser, i, "a path of %zu characters, at most %d here; --out takes a longer one", length,
                        VRG_PARAM_PATH);
  else
    snprintf ((char *) parser->input + vrg_param_table[i].offset, VRG_PATH_LENGTH, "%s", raw);
  return plain && length <= VRG_PARAM_PATH;
}

/** The text of row i into the input. */
static void
set_values (vrg_param_parser *parser, int i, const char *text)
{
  const vrg_param_row *row = &vrg_param_table[i];
  char copy[VRG_PARAM_VALUE];
  snprintf (copy, sizeof copy, "%s", text);
  int n = 0;
  bool good = true;
  if (row->kind == VRG_KIND_PATH && *text)
    {
      good = convert_path (parser, i, text);
      n = 1;
    }
  else
    for (char *rest, *word = strtok_r (copy, " \t\r\n\v\f", &rest); word != NULL;
         word = strtok_r (NULL, " \t\r\n\v\f", &rest), n++)
      if (n < row->limit && !convert (parser, i, n, word))
        good = false;
  if (n == 0)
    vrg_param_complain (parser, i, "has no value");
  else if (n > row->limit)
    vrg_param_complain (parser, i, row->limit == 1 ? "%d values, but it takes one" : "%d values, at most %d", n,
                        row->limit);
  parser->state[i].good = good && n > 0 && n <= row->limit;
  if (row->count)
    *(int *) (void *) ((char *) parser->input + row->count) = n < row->limit ? n : row->limit;
}

/** The operators the input defines: complete, of its dimension, no site twice, no name of the catalogue. */
static void
check_own (vrg_param_parser *parser)
{
  const vrg_input *input = parser->input;
  const bool known = parser->state[find_key ("lattice", "dimension")].good;
  for (int i = 0; i < input->n_own; i++)
    {
      const vrg_pattern *own = &input->own[i];
      const int line = parser->own_line[i];
      if (own->sites == 0)
        complain_at (parser, line, "[operator %s]: has no sites; write for instance sites = 0,0 1,0", own->name);
      else if (known && parser->own_dimension[i] != (int) input->dimension)
        complain_at (parser, line, "[operator %s] sites: %d numbers a site on a lattice of %d dimension%s", own->name,
                     parser->own_dimension[i], (int) input->dimension, input->dimension == 1 ? "" : "s");
      else if (known && vrg_catalogue_find ((int) input->dimension, own->name) != NULL)
        complain_at (parser, line, "[operator %s]: is in the catalogue; choose another name", own->name);
      for (int k = 0; k < own->sites; k++)
        for (int l = 0; l < k; l++)
          if (!memcmp (own->offset[k], own->offset[l], sizeof own->offset[k]))
            complain_at (parser, line, "[operator %s] sites: number %d is number %d again", own->name, k + 1, l + 1);
    }
}

int
vrg_param_parse (const char *name, const char *text, int n_set, const char *const *set, vrg_input *input)
{
  memset (input, 0, sizeof *input);
  vrg_param_parser parser = { .name = name, .next = text, .current = -1, .input = input };
  parser.state = vrg_new (vrg_param_rows, sizeof *parser.state, "parameters");
  parser.complaints = vrg_new (MAX_COMPLAINTS, sizeof *parser.complaints, "complaints");
  if (!strncmp (text, "\xef\xbb\xbf", 3))
    parser.next += 3; /* the mark some editors begin a file with */

  if (ini_parse_stream (read_line, &parser, take, &parser) != 0 && parser.n_complaints == 0)
    complain_at (&parser, 0, "cannot be parsed");
  for (int i = 0; i < n_set; i++)
    override (&parser, set[i]);
  for (int i = 0; i < vrg_param_rows; i++)
    if (parser.state[i].raw != NULL)
      set_values (&parser, i, parser.state[i].raw);
    else if (*vrg_param_table[i].fallback)
      set_values (&parser, i, vrg_param_table[i].fallback);
  check_own (&parser);
  vrg_param_check (&parser, parser.state, input);

  const int code = parser.n_complaints ? tell (&parser) : VRG_OK;
  for (int i = 0; i < vrg_param_rows; i++)
    vrg_free (parser.state[i].raw);
  vrg_free (parser.state);
  vrg_free (parser.complaints);
  return code;
}
