/* SPDX-License-Identifier: GPL-3.0-or-later
 * The few forms of HTML the report needs. */
#include "report/html.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/terminal.h"
#include "files/file.h"
#include "report/style.h"

/** The character at `c`, escaped; its length. */
static size_t
put_character (FILE *page, const unsigned char *c)
{
  const int n = vrg_utf8_length ((const char *) c);
  const bool control = vrg_is_control ((const char *) c) && *c != '\n' && *c != '\t';
  if (*c == '\r' && c[1] == '\n')
    ;
  else if (n == 0 || control)
    fputc ('?', page);
  else if (*c == '&')
    fputs ("&amp;", page);
  else if (*c == '<')
    fputs ("&lt;", page);
  else if (*c == '>')
    fputs ("&gt;", page);
  else if (*c == '"')
    fputs ("&quot;", page);
  else if (*c == '\'')
    fputs ("&#39;", page);
  else
    fwrite (c, 1, (size_t) n, page);
  return n > 0 ? (size_t) n : 1;
}

void
vrg_html_text (FILE *page, const char *text)
{
  while (*text)
    text += put_character (page, (const unsigned char *) text);
}

static bool
is_letter (char c)
{
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/** What stands between dollars or braces, up to `end`. */
static void
put_math (FILE *page, const char *text, const char *end)
{
  while (text < end)
    {
      if ((*text == '_' || *text == '^') && text + 1 < end)
        {
          const char *tag = *text++ == '_' ? "sub" : "sup";
          const bool braces = *text == '{';
          const char *last = text + 1;
          for (int depth = 1; braces && last < end && depth > 0; last++)
            depth += (*last == '{') - (*last == '}');
          fprintf (page, "<%s>", tag);
          put_math (page, text + braces, braces ? last - 1 : last);
          fprintf (page, "</%s>", tag);
          text = last;
        }
      else if (is_letter (*text))
        {
          const char *word = text;
          while (text < end && is_letter (*text))
            text++;
          fprintf (page, text - word == 1 ? "<i>%.*s</i>" : "%.*s", (int) (text - word), word);
        }
      else if (*text == '-')
        {
          fputs ("−", page);
          text++;
        }
      else
        text += put_character (page, (const unsigned char *) text);
    }
}

void
vrg_html_rich (FILE *page, const char *text)
{
  int dollars = 0;
  for (const char *c = text; *c; c++)
    dollars += *c == '$';
  while (*text)
    if (*text == '$' && dollars % 2 == 0)
      {
        const char *end = strchr (text + 1, '$');
        put_math (page, text + 1, end);
        text = end + 1;
      }
    else
      text += put_character (page, (const unsigned char *) text);
}

void
vrg_html_element (FILE *page, const char *tag, const char *format, ...)
{
  char text[1024];
  va_list list;
  va_start (list, format);
  vsnprintf (text, sizeof text, format, list);
  va_end (list);
  fprintf (page, "<%s>", tag);
  vrg_html_text (page, text);
  fprintf (page, "</%.*s>\n", (int) strcspn (tag, " "), tag);
}

void
vrg_html_rich_element (FILE *page, const char *tag, const char *format, ...)
{
  char text[2048];
  va_list list;
  va_start (list, format);
  vsnprintf (text, sizeof text, format, list);
  va_end (list);
  fprintf (page, "<%s>", tag);
  vrg_html_rich (page, text);
  fprintf (page, "</%.*s>\n", (int) strcspn (tag, " "), tag);
}

void
vrg_html_begin (FILE *page, const char *title)
{
  fputs ("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
         "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n",
         page);
  vrg_html_element (page, "title", "%s", title);
  fprintf (page, "<style>\n%s</style>\n</head>\n<body>\n", vrg_style_sheet);
}

void
vrg_html_end (FILE *page)
{
  fprintf (page, "<script>\n%s</script>\n</body>\n</html>\n", vrg_style_script);
}

bool
vrg_html_svg (FILE *page, const char *path, const char *alternative, int width, int height)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  FILE *file = vrg_file_old_stream (path);
  if (file == NULL)
    return false;
  fprintf (page, "<img width=\"%d\" height=\"%d\" alt=\"", width, height);
  vrg_html_text (page, alternative);
  fputs ("\" src=\"data:image/svg+xml;base64,", page);
  unsigned char in[3];
  for (size_t n; (n = fread (in, 1, 3, file)) > 0;)
    {
      uint32_t word = (uint32_t) in[0] << 16 | (n > 1 ? (uint32_t) in[1] << 8 : 0) | (n > 2 ? (uint32_t) in[2] : 0);
      char out[4] = { digits[word >> 18 & 63], digits[word >> 12 & 63], n > 1 ? digits[word >> 6 & 63] : '=',
                      n > 2 ? digits[word & 63] : '=' };
      fwrite (out, 1, 4, page);
    }
  fputs ("\"/>\n", page);
  bool good = !ferror (file);
  fclose (file);
  return good;
}

/** Digits behind the point to which an error rounds. */
static int
decimals_of (double error)
{
  const int power = (int) floor (log10 (error));
  const int decimals = error * pow (10, -power) < 3.55 ? 1 - power : -power; /* from 1 to below 10 */
  return decimals > 0 ? decimals : 0;
}

static bool
is_error (double error)
{
  return error > 0 && error <= 1e12 && error >= 1e-30;
}

void
vrg_html_value (char text[64], double value, double error)
{
  if (!isfinite (value))
    snprintf (text, 64, "-");
  else if (!is_error (error) || fabs (value) > 1e12)
    snprintf (text, 64, fabs (value) < 1e4 ? "%.4g" : "%.6g", value);
  else if (fmax (error, fabs (value)) < 1e-3 && decimals_of (error) > 5)
    {
      const int power = (int) floor (log10 (fmax (error, fabs (value))));
      vrg_html_value (text, value * pow (10, -power), error * pow (10, -power));
      const size_t used = strlen (text);
      snprintf (text + used, 64 - used, "e%d", power);
    }
  else
    {
      const int decimals = decimals_of (error);
      const double scaled = round (error * pow (10, decimals));
      double rounded = round (value * pow (10, decimals)) * pow (10, -decimals);
      if (rounded == 0)
        rounded = 0; /* no "-0" */
      if (decimals > 0 && error >= 1)
        snprintf (text, 64, "%.*f(%.*f)", decimals, rounded, decimals, error);
      else
        snprintf (text, 64, "%.*f(%.0f)", decimals, rounded, scaled);
    }
}

void
vrg_html_exact (char text[64], double exact, double error)
{
  char digits[64];
  snprintf (text, 64, "%.8g", exact);
  if (!isfinite (exact))
    snprintf (text, 64, "-");
  else if (is_error (error) && strchr (text, 'e') == NULL)
    {
      snprintf (digits, sizeof digits, "%.*f", decimals_of (error) + 1, exact);
      if (strlen (digits) < strlen (text)) /* fewer digits, not more zeros */
        memcpy (text, digits, sizeof digits);
    }
}

void
vrg_html_table_begin (FILE *page, const char *name, int rows, const char *caption, const char *file)
{
  fprintf (page, "<p class=\"caption\" id=\"table-%s\">", name);
  vrg_html_rich (page, caption);
  if (file != NULL)
    fprintf (page, " <a href=\"%s\">%s</a>", file, file);
  fprintf (page,
           "</p>\n<div class=\"wide%s\" id=\"%s-wide\" role=\"region\" tabindex=\"0\" aria-labelledby=\"table-%s\">"
           "<table class=\"sort\" aria-labelledby=\"table-%s\">\n",
           rows > VRG_LONG_TABLE ? " long" : "", name, name, name);
}

void
vrg_html_table_end (FILE *page)
{
  fputs ("</tbody></table></div>\n", page);
}

void
vrg_html_heads (FILE *page, const char *names)
{
  char text[512], *rest;
  snprintf (text, sizeof text, "%s", names);
  fputs ("<thead><tr>", page);
  for (char *name = strtok_r (text, "|", &rest); name != NULL; name = strtok_r (NULL, "|", &rest))
    vrg_html_rich_element (page, "th scope=\"col\"", "%s", name);
  fputs ("</tr></thead><tbody>\n", page);
}

void
vrg_html_number (FILE *page, const char *text)
{
  if (strcmp (text, "-") == 0 || strcmp (text, "nan") == 0)
    {
      fputs ("–", page);
      return;
    }
  char *end;
  const size_t n
    = strspn (text, "+-.()0123456789"); /* with an error in brackets; before an exponent, if there is one */
  const char *power = text[n] == 'e' ? text + n + 1 : NULL;
  const long exponent = power ? strtol (power, &end, 10) : 0;
  strtod (text, &end);
  if (end == text || (power ? power[strspn (power, "+-0123456789")] != '\0' || exponent == 0 : text[n] != '\0'))
    {
      vrg_html_text (page, text); /* not a number */
      return;
    }
  fprintf (page, "%s%.*s", *text == '-' ? "−" : "", (int) n - (*text == '-'), text + (*text == '-'));
  if (power != NULL)
    fprintf (page, " × 10<sup>%s%ld</sup>", exponent < 0 ? "−" : "", labs (exponent));
}

void
vrg_html_name_cell (FILE *page, const char *name)
{
  char text[128];
  snprintf (text, sizeof text, "%s", name);
  for (char *c = text; *c; c++)
    *c = *c == '_' ? ' ' : *c;
  vrg_html_element (page, "td", "%s", text);
}

void
vrg_html_number_cell (FILE *page, const char *text)
{
  fputs ("<td>", page);
  vrg_html_number (page, text);
  fputs ("</td>\n", page);
}

void
vrg_html_value_cell (FILE *page, double value, double error)
{
  char text[64];
  vrg_html_value (text, value, error);
  vrg_html_number_cell (page, text);
}

void
vrg_html_pull_cell (FILE *page, double pull)
{
  char text[64];
  snprintf (text, sizeof text, isfinite (pull) ? "%+.1f" : "-", pull);
  fputs (fabs (pull) > VRG_PULL_LIMIT ? "<td class=\"bad\">" : "<td>", page);
  vrg_html_number (page, text);
  fputs ("</td>\n", page);
}

void
vrg_html_exact_cell (FILE *page, double exact, double error)
{
  char text[64];
  vrg_html_exact (text, exact, error);
  vrg_html_number_cell (page, text);
}
