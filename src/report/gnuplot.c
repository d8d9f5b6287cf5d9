/* SPDX-License-Identifier: GPL-3.0-or-later
 * What all scripts for gnuplot have in common. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* posix_spawn_file_actions_addchdir_np */
#endif
#include "report/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/param.h"
#include "files/file.h"

#define LARGEST (1 << 26) /* bytes of a picture */
#define DOTS 100.0        /* of an SVG to the inch of a PDF */

const char *const vrg_gnuplot_colours[VRG_GNUPLOT_COLOURS]
  = { "#0072b2", "#d55e00", "#009e73", "#aa4499", "#b8860b", "#3a9bd9", "#222222", "#8c564b" };

const char *
vrg_gnuplot_word (const char *name)
{
  static char ring[4][32];
  static int next;
  char *text = ring[next++ % 4];
  int n = 0;
  for (; name[n] && n < 31; n++)
    text[n] = strchr ("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-", name[n]) ? name[n] : ' ';
  text[n] = '\0';
  return text;
}

vrg_gnuplot_style
vrg_gnuplot_curve (int i)
{
  static const int points[] = { 7, 4, 9, 12, 5, 6, 11, 8, 13, 10, 3, 2, 1 }, dashes[] = { 1, 2, 4, 3, 5 };
  return (vrg_gnuplot_style){ vrg_gnuplot_colours[i % VRG_GNUPLOT_COLOURS], points[i % 13], dashes[i % 5] };
}

vrg_gnuplot_style
vrg_gnuplot_rule (const char *rule)
{
  int i = 0;
  while (vrg_param_rule_names[i] != NULL && strcmp (rule, vrg_param_rule_names[i]) != 0)
    i++;
  const vrg_gnuplot_style styles[]
    = { { "#0072b2", 7, 1 }, { "#009e73", 9, 4 }, { "#d55e00", 5, 2 }, { "#aa4499", 4, 3 }, { "#b8860b", 13, 5 } };
  return i < 5 ? styles[i] : (vrg_gnuplot_style){ "#222222", 3, 1 };
}

FILE *
vrg_gnuplot_open (const char *directory, const char *name, const char *title, int width, int height)
{
  char path[VRG_PATH_LENGTH];
  snprintf (path, sizeof path, "%s/figures/%s.gp", directory, name);
  FILE *script = vrg_file_new_stream (path);
  if (script != NULL)
    fprintf (script,
             "# %s.  Draw again, as SVG and PDF: gnuplot %s.gp\n"
             "if (!exists('pdf')) { pdf = 0 }\n"
             "if (pdf) {\n"
             "  set terminal pdfcairo enhanced color size %.2fin,%.2fin font 'Helvetica,15' fontscale %g\n"
             "  set output '%s.pdf'\n"
             "} else {\n"
             "  set terminal svg size %d,%d dynamic enhanced font 'Helvetica,Arial,sans-serif,15' background 'white'\n"
             "  set output '%s.svg'\n"
             "}\n"
             "set encoding utf8\n"
             "set datafile missing 'NaN'\n"
             "set border 3 linewidth 1 linecolor '#444444'\n"
             "set tics nomirror out scale 0.6 textcolor '#222222'\n"
             "set grid linewidth 0.6 linetype 1 linecolor '#e3e3e3'\n"
             "set bars 0.6\n"
             "set pointintervalbox 0.01\n" /* no white discs under points with error bars */
             "set key outside right top vertical Left reverse noenhanced samplen 2 spacing 1.25 font ',13'\n",
             title, name, width / DOTS, height / DOTS, 72 / DOTS, name, width, height, name);
  return script;
}

int
vrg_gnuplot_close (FILE *script, const char *name)
{
  fprintf (script,
           "unset output\n"
           "if (!pdf && strstrt(GPVAL_TERMINALS, ' pdfcairo ') > 0) { pdf = 1; reset; load '%s.gp' }\n",
           name);
  const int failed = vrg_file_flush (script);
  return fclose (script) != 0 && !failed ? errno : failed;
}

void
vrg_gnuplot_range (FILE *script, const char *axis, double low, double high)
{
  double air = high > low ? 0.06 * (high - low) : 0.05 * (fabs (high) + 0.1);
  fprintf (script, "set %srange [%.8g:%.8g]\n", axis, low - air, high + air);
}

void
vrg_range_widen (vrg_range *range, double y, double error)
{
  error = error > 0 && error < 0.1 ? error : 0;
  range->low = fmin (range->low, y - error);
  range->high = fmax (range->high, y + error);
}

double
vrg_finite (double x)
{
  return isfinite (x) ? x : 0;
}

/** Images in a picture (gnuplot puts them in as PNG) are to be shown with sharp pixels. */
static void
sharpen (const char *path)
{
  static const char before[] = "preserveAspectRatio='none'",
                    more[] = " style='image-rendering:optimizeSpeed;image-rendering:pixelated'";
  FILE *file = vrg_file_old_stream (path);
  if (file == NULL)
    return;
  char *text = vrg_new (LARGEST, 1, "a picture");
  const size_t n = fread (text, 1, LARGEST - 1, file);
  fclose (file);
  text[n] = '\0';
  if (n < LARGEST - 1 && strstr (text, before) != NULL && (file = vrg_file_new_stream (path)) != NULL)
    {
      const char *rest = text;
      for (const char *found; (found = strstr (rest, before)) != NULL; rest = found + strlen (before))
        fprintf (file, "%.*s%s%s", (int) (found - rest), rest, before, more);
      fputs (rest, file);
      fclose (file);
    }
  vrg_free (text);
}

int
vrg_gnuplot_run (const char *directory, const char *name)
{
  char folder[VRG_PATH_LENGTH], script[64], log[64], path[VRG_PATH_LENGTH + 64];
  snprintf (folder, sizeof folder, "%s/figures", directory);
  snprintf (script, sizeof script, "%s.gp", name);
  snprintf (log, sizeof log, "%s.log", name);
  char program[] = "gnuplot", settings[] = "-d";
  char *const arguments[] = { program, settings, script, NULL };
  posix_spawn_file_actions_t actions;
  pid_t child;
  int status = 0;
  snprintf (path, sizeof path, "%s/%s", folder, log);
  unlink (path);
  posix_spawn_file_actions_init (&actions);
  posix_spawn_file_actions_addchdir_np (&actions, folder);
  posix_spawn_file_actions_addopen (&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen (&actions, STDOUT_FILENO, log, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0666);
  posix_spawn_file_actions_adddup2 (&actions, STDOUT_FILENO, STDERR_FILENO);
  int code = posix_spawnp (&child, program, &actions, NULL, arguments, environ);
  posix_spawn_file_actions_destroy (&actions);
  if (code == 0)
    {
      while (waitpid (child, &status, 0) < 0 && errno == EINTR)
        ;
      code = WIFEXITED (status) && WEXITSTATUS (status) == 0     ? 0
             : WIFEXITED (status) && WEXITSTATUS (status) == 127 ? ENOENT
                                                                 : -1;
    }
  if (code == 0)
    {
      snprintf (path, sizeof path, "%s/%s.svg", folder, name);
      sharpen (path);
    }
  if (code != -1)
    {
      snprintf (path, sizeof path, "%s/%s", folder, log);
      unlink (path);
    }
  return code;
}
