/* SPDX-License-Identifier: GPL-3.0-or-later
 * The few forms of HTML the report needs. */
#include "report/html.h"

#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

static const char style[]
  = ":root{color-scheme:light dark;--ink:#1c2430;--paper:#fff;--faint:#5d6878;--line:#d5dae1;--card:#f5f7f9;"
    "--good:#17693a;--bad:#a3330b}\n"
    "@media(prefers-color-scheme:dark){:root{--ink:#e4e8ee;--paper:#14181e;--faint:#9aa5b5;--line:#343c48;"
    "--card:#1c222a;--good:#6fd39a;--bad:#ff9d76}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;padding:1.5rem 1rem 4rem;max-width:72rem;background:var(--paper);color:var(--ink);"
    "font:1rem/1.55 system-ui,-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif}\n"
    "h1{font-size:1.7rem;line-height:1.2;margin:0 0 .2rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1.25rem;margin:2.6rem 0 .6rem;padding-top:.6rem;border-top:1px solid var(--line)}\n"
    "h3{font-size:1rem;margin:1.4rem 0 .4rem}\n"
    "p{margin:.5rem 0;max-width:46rem}\n"
    ".faint{color:var(--faint);font-size:.875rem}\n"
    "nav{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;margin:.8rem 0}\n"
    "a{color:inherit}\n"
    ".good{color:var(--good);font-weight:600}.bad{color:var(--bad);font-weight:600}\n"
    ".warnings{border-left:4px solid var(--bad);background:var(--card);padding:.4rem 1rem;margin:1rem 0}\n"
    ".warnings ul{margin:.3rem 0;padding-left:1.2rem}\n"
    ".wide{overflow-x:auto;margin:.8rem 0}\n"
    "table{border-collapse:collapse;font-size:.875rem;font-variant-numeric:tabular-nums}\n"
    "th,td{padding:.28rem .55rem;text-align:right;white-space:nowrap;border-bottom:1px solid var(--line)}\n"
    "th{color:var(--faint);font-weight:600}\n"
    "th:first-child,td:first-child,.left th,.left td{text-align:left}\n"
    ".left td{white-space:normal;overflow-wrap:anywhere}\n"
    ".figures{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,26rem),1fr));gap:1.2rem}\n"
    "figure{margin:.6rem 0;min-width:0}\n"
    "figure img{display:block;width:100%;height:auto;background:#fff;border:1px solid var(--line);border-radius:6px}\n"
    "figcaption{font-size:.875rem;color:var(--faint);margin-top:.4rem}\n"
    "pre{background:var(--card);border:1px solid var(--line);border-radius:6px;padding:.8rem 1rem;overflow-x:auto;"
    "font-size:.82rem;line-height:1.45}\n"
    "summary{cursor:pointer;margin:.6rem 0}\n"
    "@media print{:root{color-scheme:light;--ink:#000;--paper:#fff;--faint:#444;--line:#bbb;--card:#fff;--good:#000;"
    "--bad:#000}body{max-width:none;padding:0;font-size:10pt}nav{display:none}figure,tr{break-inside:avoid}"
    "h2,h3{break-after:avoid}.wide{overflow:visible}table{font-size:7pt}pre{white-space:pre-wrap}}\n";

/** Length of the UTF-8 sequence at `text`, 0 if it is none. */
static int
utf8_length (const unsigned char *text)
{
  int n = text[0] < 0x80                      ? 1
          : text[0] >= 0xc2 && text[0] < 0xe0 ? 2
          : text[0] >= 0xe0 && text[0] < 0xf0 ? 3
          : text[0] >= 0xf0 && text[0] < 0xf5 ? 4
                                              : 0;
  for (int i = 1; i < n; i++)
    if ((text[i] & 0xc0) != 0x80)
      return 0;
  bool overlong = (text[0] == 0xe0 && text[1] < 0xa0) || (text[0] == 0xf0 && text[1] < 0x90);
  bool outside = (text[0] == 0xed && text[1] >= 0xa0) || (text[0] == 0xf4 && text[1] >= 0x90)
                 || (text[0] == 0xef && text[1] == 0xbf && text[2] >= 0xbe);
  return overlong || outside ? 0 : n;
}

void
vrg_html_text (FILE *page, const char *text)
{
  const unsigned char *c = (const unsigned char *) text;
  while (*c)
    {
      int n = utf8_length (c);
      bool control = *c == 0x7f || (*c < 0x20 && *c != '\n' && *c != '\t');
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
      c += n > 0 ? n : 1;
    }
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
vrg_html_begin (FILE *page, const char *title)
{
  fputs ("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" lang=\"en\">\n<head>\n"
         "<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n",
         page);
  vrg_html_element (page, "title", "%s", title);
  fprintf (page, "<style>\n%s</style>\n</head>\n<body>\n", style);
}

void
vrg_html_end (FILE *page)
{
  fputs ("</body>\n</html>\n", page);
}

bool
vrg_html_svg (FILE *page, const char *path, const char *alternative)
{
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  FILE *file = fopen (path, "rb");
  if (file == NULL)
    return false;
  fputs ("<img alt=\"", page);
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

void
vrg_html_value (char text[64], double value, double error)
{
  if (!isfinite (value))
    snprintf (text, 64, "-");
  else if (!(error > 0) || !isfinite (error) || fabs (value) > 1e12 || error > 1e12 || error < 1e-12)
    snprintf (text, 64, "%.6g", value);
  else
    {
      int power = (int) floor (log10 (error));
      double leading = error * pow (10, -power); /* 1 <= leading < 10 */
      int decimals = leading < 3.55 ? 1 - power : -power;
      if (decimals < 0)
        decimals = 0;
      double scaled = round (error * pow (10, decimals));
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
vrg_html_table_begin (FILE *page, int rows, const char *what)
{
  if (rows > VRG_LONG_TABLE)
    {
      fputs ("<details>", page);
      vrg_html_element (page, "summary", "%s: %d rows", what, rows);
    }
  fputs ("<div class=\"wide\"><table>\n", page);
}

void
vrg_html_table_end (FILE *page, int rows)
{
  fputs ("</tbody></table></div>\n", page);
  if (rows > VRG_LONG_TABLE)
    fputs ("</details>\n", page);
}

void
vrg_html_heads (FILE *page, const char *names)
{
  char text[512];
  snprintf (text, sizeof text, "%s", names);
  fputs ("<thead><tr>", page);
  for (char *name = strtok (text, "|"); name != NULL; name = strtok (NULL, "|"))
    vrg_html_element (page, "th", "%s", name);
  fputs ("</tr></thead><tbody>\n", page);
}

void
vrg_html_value_cell (FILE *page, double value, double error)
{
  char text[64];
  vrg_html_value (text, value, error);
  vrg_html_element (page, "td", "%s", text);
}

void
vrg_html_pull_cell (FILE *page, double pull)
{
  vrg_html_element (page, fabs (pull) > VRG_PULL_LIMIT ? "td class=\"bad\"" : "td", isfinite (pull) ? "%+.1f" : "-",
                    pull);
}

void
vrg_html_exact_cell (FILE *page, double exact)
{
  vrg_html_element (page, "td", isfinite (exact) ? "%.7g" : "-", exact);
}
