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
  int current;      /* row of the last key, -1 if it is none */
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

/* ---------------------------------------------------------------- suggestions */

/** Edits (insert, delete, replace, swap neighbours) from a to b, letter case apart. */
static int
distance (const char *a, const char *b)
{
  enum
  {
    MOST = 64
  };
  int rows[3][MOST + 1];
  const int na = (int) strnlen (a, MOST), nb = (int) strnlen (b, MOST);
  for (int j = 0; j <= nb; j++)
    rows[0][j] = j;
  for (int i = 1; i <= na; i++)
    {
      int *now = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
      now[0] = i;
      for (int j = 1; j <= nb; j++)
        {
          const int ca = tolower ((unsigned char) a[i - 1]), cb = tolower ((unsigned char) b[j - 1]);
          int best = last[j - 1] + (ca != cb);
          best = last[j] + 1 < best ? last[j] + 1 : best;
          best = now[j - 1] + 1 < best ? now[j - 1] + 1 : best;
          if (i > 1 && j > 1 && ca == tolower ((unsigned char) b[j - 2]) && cb == tolower ((unsigned char) a[i - 2])
              && before[j - 2] + 1 < best)
            best = before[j - 2] + 1;
          now[j] = best;
        }
    }
  return rows[na % 3][nb];
}

/** Is `name` near enough to `word`, and nearer than *best? */
static bool
nearer (const char *word, const char *name, int *best)
{
  const int edits = distance (word, name);
  if (edits > ((int) strlen (word) + 2) / 3 || edits >= *best)
    return false;
  *best = edits;
  return true;
}

const char *
vrg_param_nearest (const char *word, const char *const *names)
{
  const char *found = NULL;
  for (int best = 99; *names != NULL; names++)
    if (nearer (word, *names, &best))
      found = *names;
  return found;
}

static void
complain_key (vrg_param_parser *parser, int line, const char *section, const char *key, bool section_known)
{
  int best = 99, found = -1;
  for (int pass = 0; pass < 2; pass++) /* the own section first: others must be nearer */
    for (int i = 0; i < vrg_param_rows; i++)
      if ((strcmp (vrg_param_table[i].section, section) != 0) == pass && nearer (key, vrg_param_table[i].key, &best))
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
    if (nearer (section, vrg_param_table[i].section, &best))
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
          parser->known = section_exists (line + 1);
          if (!parser->known)
            complain_section (parser, line + 1);
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
  if (i < 0)
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

/** One --set. */
static void
override (vrg_param_parser *parser, const char *text)
{
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
            ((double *) place)[k] = VRG_CRITICAL_NN;
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
  vrg_param_check (&parser, parser.state, input);

  const int code = parser.n_complaints ? tell (&parser) : VRG_OK;
  for (int i = 0; i < vrg_param_rows; i++)
    vrg_free (parser.state[i].raw);
  vrg_free (parser.state);
  vrg_free (parser.complaints);
  return code;
}
