/* SPDX-License-Identifier: GPL-3.0-or-later
 * What tests of the report share: the run directory, its files, well-formed pages. */
#ifndef VRG_TESTS_REPORT_PAGES_H
#define VRG_TESTS_REPORT_PAGES_H

#include <ftw.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"
#include "tests/check.h"

static char directory[512];

/** The whole file, to free with vrg_free; "" if it is not there. */
static char *
read_text (const char *name)
{
  enum
  {
    LARGEST = 1 << 24
  };
  char path[1024], *text = vrg_new (LARGEST, 1, "a file");
  snprintf (path, sizeof path, "%s/%s", directory, name);
  FILE *file = fopen (path, "r");
  if (file != NULL)
    {
      text[fread (text, 1, LARGEST - 1, file)] = '\0';
      fclose (file);
    }
  return text;
}

static bool
is_there (const char *name)
{
  char path[1024];
  snprintf (path, sizeof path, "%s/%s", directory, name);
  return access (path, R_OK) == 0;
}

static int
remove_entry (const char *path, const struct stat *status, int kind, struct FTW *where)
{
  (void) status, (void) kind, (void) where;
  return remove (path);
}

/** Elements are closed in order, attributes quoted, no stray < or &: enough of XML for pages made by a program. */
static bool
is_well_formed (const char *text)
{
  char stack[64][32];
  int depth = 0, elements = 0;
  for (const char *c = text; *c; c++)
    {
      if (*c == '&' && strncmp (c, "&amp;", 5) != 0 && strncmp (c, "&lt;", 4) != 0 && strncmp (c, "&gt;", 4) != 0
          && strncmp (c, "&quot;", 6) != 0 && strncmp (c, "&#", 2) != 0)
        return false;
      if (*c != '<')
        continue;
      bool closing = c[1] == '/', declaration = c[1] == '!' || c[1] == '?';
      const char *name = c + 1 + closing;
      if (strncmp (c, "<!--", 4) == 0)
        {
          c = strstr (c, "-->");
          if (c == NULL)
            return false;
          c += 2;
          continue;
        }
      bool quoted = false, single = false;
      for (c++; *c && (quoted || single || *c != '>'); c++)
        {
          quoted ^= *c == '"' && !single;
          single ^= *c == '\'' && !quoted;
          if (*c == '<')
            return false;
        }
      if (*c == '\0')
        return false;
      size_t n = strcspn (name, " \t\n/>");
      if (declaration || c[-1] == '/')
        continue;
      elements++;
      if (!closing)
        {
          if (depth == 64 || n > 31)
            return false;
          memcpy (stack[depth], name, n);
          stack[depth++][n] = '\0';
        }
      else if (depth == 0 || strlen (stack[--depth]) != n || strncmp (stack[depth], name, n) != 0)
        return false;
      const bool style = !closing && n == 5 && strncmp (name, "style", 5) == 0,
                 code = !closing && n == 6 && strncmp (name, "script", 6) == 0;
      if (style || code) /* text without markup */
        {
          c = strstr (c, style ? "</style>" : "</script>");
          if (c == NULL)
            return false;
          c--;
        }
    }
  return depth == 0 && elements > 0;
}

/** A small reproducible scatter, about a standard normal. */
static double
noise (int i)
{
  return 2.2 * sin (12.9898 * i + 1) * cos (4.1 * i);
}

/** The pictures there are: figures/NAME.svg, or only scripts. */
static void
check_figures (bool drawn, size_t n, const char *const *names)
{
  for (size_t i = 0; i < n; i++)
    {
      char svg[64], pdf[64], script[64], log[64];
      snprintf (pdf, sizeof pdf, "figures/%s.pdf", names[i]);
      snprintf (svg, sizeof svg, "figures/%s.svg", names[i]);
      snprintf (script, sizeof script, "figures/%s.gp", names[i]);
      snprintf (log, sizeof log, "figures/%s.log", names[i]);
      check (is_there (script) && !is_there (log) && is_there (svg) == drawn && is_there (pdf) == drawn, "%s: script%s",
             names[i], drawn ? " and pictures" : " only");
      if (!drawn)
        continue;
      char *text = read_text (svg);
      check (is_well_formed (text) && strstr (text, "<path") != NULL, "%s is XML with something drawn", svg);
      vrg_free (text);
    }
}

static void
check_page (const char *what, int n, const char *const *has, int m, const char *const *has_not)
{
  char *page = read_text ("report.html");
  check (is_well_formed (page), "%s: the page is well-formed", what);
  check (!is_there ("report.html.tmp"), "%s: nothing temporary is left", what);
  for (int i = 0; i < n; i++)
    check (strstr (page, has[i]) != NULL, "%s: the page has '%s'", what, has[i]);
  for (int i = 0; i < m; i++)
    check (strstr (page, has_not[i]) == NULL, "%s: the page has no '%s'", what, has_not[i]);
  vrg_free (page);
}

/** The run directory: the program's argument, which is kept, or one of its own.  True: kept. */
static bool
begin_directory (int argc, char **argv)
{
  const bool keep = argc > 1;
  snprintf (directory, sizeof directory, "%s", keep ? argv[1] : "/tmp/vrg-report-XXXXXX");
  if (keep ? mkdir (directory, 0777) != 0 && !is_there (".") : mkdtemp (directory) == NULL)
    vrg_fail_one (VRG_FILE, "%s: cannot be made", directory);
  return keep;
}

static void
end_directory (bool keep)
{
  if (!keep)
    check (nftw (directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0, "the directory is removed");
}

#endif
