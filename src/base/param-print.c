/* SPDX-License-Identifier: GPL-3.0-or-later
 * Writing inputs and fingerprints by the parameter table. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/param_internal.h"

#define PRINT_WIDTH 90 /* longer lists are continued */
#define OWN "operator "

/** A text that grows, of fixed room. */
typedef struct
{
  char *data;
  int used, room;
} text_buffer;

/** Returns the characters appended. */
__attribute__ ((format (printf, 2, 3))) static int
append (text_buffer *buffer, const char *format, ...)
{
  va_list list;
  va_start (list, format);
  const int n = vsnprintf (buffer->data + buffer->used, (size_t) (buffer->room - buffer->used), format, list);
  va_end (list);
  buffer->used += n;
  VRG_ASSERT (buffer->used < buffer->room);
  return n;
}

static text_buffer
new_buffer (void)
{
  const int room = 32768; /* the longest complete input takes a third of it */
  return (text_buffer){ vrg_new (room, 1, "an input's text"), 0, room };
}

/** Value k of a row.  short_: the fewest digits that give the same number, and `critical`; otherwise 17 digits. */
static void
value_text (const vrg_param_row *row, const vrg_input *input, int k, bool short_, char text[VRG_PATH_LENGTH])
{
  const void *place = (const char *) input + row->offset;
  switch (row->kind)
    {
    case VRG_KIND_INT:
      if (row->names != NULL && ((const int64_t *) place)[k] == 0)
        snprintf (text, VRG_PATH_LENGTH, "%s", row->names[0]);
      else
        snprintf (text, VRG_PATH_LENGTH, "%lld", (long long) ((const int64_t *) place)[k]);
      break;
    case VRG_KIND_REAL:
    case VRG_KIND_COUPLING:
      {
        const double value = ((const double *) place)[k];
        if (short_ && row->kind == VRG_KIND_COUPLING && value == VRG_CRITICAL_2D)
          snprintf (text, VRG_PATH_LENGTH, "critical");
        else
          for (int digits = short_ ? 1 : 17; digits <= 17; digits++)
            {
              snprintf (text, VRG_PATH_LENGTH, "%.*g", digits, value);
              if (strtod (text, NULL) == value)
                break;
            }
        break;
      }
    case VRG_KIND_BOOL:
      snprintf (text, VRG_PATH_LENGTH, "%s", ((const bool *) place)[k] ? "yes" : "no");
      break;
    case VRG_KIND_NAME:
      snprintf (text, VRG_PATH_LENGTH, "%s", row->names[((const int *) place)[k]]);
      break;
    case VRG_KIND_OPERATOR:
      snprintf (text, VRG_PATH_LENGTH, "%s", ((const vrg_pattern *) place)[k].name);
      break;
    case VRG_KIND_PATH:
      snprintf (text, VRG_PATH_LENGTH, "%s", (const char *) place);
      break;
    }
}

static int
value_count (const vrg_param_row *row, const vrg_input *input)
{
  return row->count ? *(const int *) (const void *) ((const char *) input + row->count) : 1;
}

/** " 0,0 1,0": the sites of an operator. */
static void
append_sites (text_buffer *buffer, const vrg_input *input, const vrg_pattern *pattern)
{
  for (int k = 0; k < pattern->sites; k++)
    for (int d = 0; d < input->dimension; d++)
      append (buffer, "%c%d", d ? ',' : ' ', pattern->offset[k][d]);
}

char *
vrg_param_fingerprint (const vrg_input *input, vrg_stage stage)
{
  int mask = VRG_STAGE_SAMPLE | (int) stage;
  if (stage == VRG_STAGE_FLOW && vrg_input_flow_needs_model (input))
    mask |= VRG_STAGE_TRAIN;
  text_buffer buffer = new_buffer ();
  for (int i = 0; i < vrg_param_rows; i++)
    {
      const vrg_param_row *row = &vrg_param_table[i];
      if (!(row->stages & mask))
        continue;
      append (&buffer, "%s.%s =", row->section, row->key);
      for (int k = 0; k < value_count (row, input); k++)
        {
          char text[VRG_PATH_LENGTH];
          value_text (row, input, k, false, text);
          append (&buffer, " %s", text);
        }
      append (&buffer, "\n");
    }
  for (int i = 0; stage == VRG_STAGE_FLOW && i < input->n_own; i++)
    {
      append (&buffer, OWN "%s.sites =", input->own[i].name);
      append_sites (&buffer, input, &input->own[i]);
      append (&buffer, "\n");
    }
  return buffer.data;
}

/** Split "section.key = value" of the line at p; false at the end of the text. */
static bool
next_entry (const char **p, char section[64], char key[64], const char **value, int *length)
{
  int used = 0;
  if (sscanf (*p, "%63[^.].%63[^ ] = %n", section, key, &used) != 2 || used == 0)
    return false;
  *value = *p + used;
  *length = (int) strcspn (*value, "\n");
  *p = *value + *length;
  *p += **p == '\n';
  return true;
}

/** The value of section.key in a fingerprint; false if it has none. */
static bool
find_entry (const char *fingerprint, const char *section, const char *key, const char **value, int *length)
{
  char own_section[64], own_key[64];
  for (const char *p = fingerprint; next_entry (&p, own_section, own_key, value, length);)
    if (!strcmp (section, own_section) && !strcmp (key, own_key))
      return true;
  return false;
}

/** A value for people: numbers in the fewest digits. */
static void
shorten (const char *value, int length, char text[100])
{
  char copy[VRG_PARAM_VALUE], *rest;
  snprintf (copy, sizeof copy, "%.*s", length, value);
  int used = 0;
  for (char *word = strtok_r (copy, " ", &rest); word != NULL && used < 80; word = strtok_r (NULL, " ", &rest))
    {
      char *end;
      const double number = strtod (word, &end);
      used += *end ? snprintf (text + used, (size_t) (100 - used), "%s%.15s", used ? " " : "", word)
                   : snprintf (text + used, (size_t) (100 - used), "%s%.15g", used ? " " : "", number);
    }
  if (used >= 80)
    snprintf (text + 80, 20, " ...");
}

void
vrg_param_difference (const char *old, const char *new_, char *text, int size)
{
  char section[64], key[64], was[100] = "nothing", is[100] = "nothing";
  const char *value, *other;
  int length, other_length;
  snprintf (text, (size_t) size, "%s", "");
  for (const char *p = new_; next_entry (&p, section, key, &value, &length);)
    {
      const bool both = find_entry (old, section, key, &other, &other_length);
      if (both && length == other_length && !memcmp (value, other, (size_t) length))
        continue;
      shorten (value, length, is);
      if (both)
        shorten (other, other_length, was);
      snprintf (text, (size_t) size, "[%s] %s was %s, is %s", section, key, was, is);
      return;
    }
  for (const char *p = old; next_entry (&p, section, key, &value, &length);)
    if (!find_entry (new_, section, key, &other, &other_length))
      {
        shorten (value, length, was);
        snprintf (text, (size_t) size, "[%s] %s was %s, is nothing", section, key, was);
        return;
      }
  if (strcmp (old, new_) != 0)
    snprintf (text, (size_t) size, "written in another way");
}

char *
vrg_param_print (const vrg_input *input)
{
  text_buffer buffer = new_buffer ();
  for (int i = 0; i < vrg_param_rows; i++)
    {
      const vrg_param_row *row = &vrg_param_table[i];
      if (i == 0 || strcmp (row->section, row[-1].section) != 0)
        append (&buffer, "%s[%s]\n", i ? "\n" : "", row->section);
      if (value_count (row, input) == 0)
        continue;
      char text[VRG_PATH_LENGTH];
      value_text (row, input, 0, true, text);
      if (row->kind == VRG_KIND_PATH && (!*text || strlen (text) > VRG_PARAM_PATH))
        continue; /* given on the command line */
      int column = append (&buffer, "%s = %s", row->key, text);
      for (int k = 1; k < value_count (row, input); k++)
        {
          value_text (row, input, k, true, text);
          if (column + (int) strlen (text) > PRINT_WIDTH)
            {
              append (&buffer, " \\\n ");
              column = 0;
            }
          column += append (&buffer, " %s", text);
        }
      append (&buffer, "\n");
    }
  for (int i = 0; i < input->n_own; i++)
    {
      append (&buffer, "\n[" OWN "%s]\nsites =", input->own[i].name);
      append_sites (&buffer, input, &input->own[i]);
      append (&buffer, "\n");
    }
  return buffer.data;
}
