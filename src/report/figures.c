/* SPDX-License-Identifier: GPL-3.0-or-later
 * Pictures by gnuplot.  Names from tables enter the scripts through vrg_gnuplot_word() alone, numbers as numbers. */
#include "report/figures.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/progress.h"
#include "report/flow-figures.h"
#include "report/gnuplot.h"
#include "report/html.h"
#include "report/thermal.h"
#include "report/training-figures.h"

#define BROAD 640 /* pixels: wider pictures take the whole width of the page */

static bool
write_script (FILE *script, vrg_figure_index index, const vrg_report_data *data)
{
  switch (index)
    {
    case VRG_FIGURE_ENERGY:
    case VRG_FIGURE_SPECIFIC_HEAT:
      return vrg_thermal_exact (script, data, index == VRG_FIGURE_SPECIFIC_HEAT);
    case VRG_FIGURE_MAGNETISATION:
      return vrg_thermal_value (script, data, "abs_m", "abs_m_err", "⟨|m|⟩");
    case VRG_FIGURE_SUSCEPTIBILITY:
      return vrg_thermal_value (script, data, "susceptibility", "susceptibility_err", "χ = N (⟨m^2⟩ - ⟨|m|⟩^2)");
    case VRG_FIGURE_BINDER:
      return vrg_thermal_value (script, data, "binder", "binder_err", "U_4 = 1 - ⟨m^4⟩ / (3⟨m^2⟩^2)");
    case VRG_FIGURE_XI:
      return vrg_thermal_value (script, data, "xi", "xi_err", "ξ (lattice constants)");
    case VRG_FIGURE_BLOCKS:
      return data->blocks != NULL && vrg_report_blocks_script (script, data->blocks);
    default:
      return index < VRG_FIGURE_FLOW ? vrg_training_script (script, data, (int) index)
                                     : vrg_flow_script (script, data, (int) index);
    }
}

void
vrg_figure_set (vrg_figure *figure, const char *name, const char *title, const char *caption)
{
  memset (figure, 0, sizeof *figure);
  snprintf (figure->name, sizeof figure->name, "%s", name);
  snprintf (figure->title, sizeof figure->title, "%s", title);
  snprintf (figure->caption, sizeof figure->caption, "%s", caption);
  figure->width = VRG_FIGURE_WIDTH;
  figure->height = VRG_FIGURE_HEIGHT;
}

static void
put_figure (FILE *page, const vrg_report_data *data, const vrg_figure *f)
{
  char path[VRG_PATH_LENGTH];
  snprintf (path, sizeof path, "%s/figures/%s.svg", data->directory, f->name);
  fprintf (page, "<figure%s id=\"figure-%s\"><div class=\"picture\" style=\"max-width:%dpx\">",
           f->width > BROAD ? f->spins ? " class=\"broad spins\"" : " class=\"broad\"" : "", f->name, f->width);
  vrg_html_svg (page, path, f->title, f->width, f->height);
  fprintf (page, "</div><figcaption><b>Figure %d. ", f->number);
  vrg_html_text (page, f->title);
  fputs (".</b> ", page);
  vrg_html_rich (page, f->caption);
  fprintf (page, " <a href=\"figures/%s.svg\">SVG</a>", f->name);
  if (f->pdf)
    fprintf (page, " <a href=\"figures/%s.pdf\">PDF</a>", f->name);
  fprintf (page, " <a href=\"figures/%s.gp\">data</a></figcaption></figure>\n", f->name);
}

void
vrg_figures_show (FILE *page, const vrg_report_data *data, vrg_figure *all, int n, const int *which)
{
  int number = 0;
  for (int i = 0; i < VRG_FIGURES; i++)
    number = all[i].number > number ? all[i].number : number;
  const int before = number;
  for (int i = 0; i < n; i++)
    {
      vrg_figure *f = &all[which[i]];
      if (!f->drawn)
        continue;
      if (number == before)
        fputs ("<div class=\"figures\">\n", page);
      f->number = ++number;
      put_figure (page, data, f);
    }
  if (number > before)
    fputs ("</div>\n", page);
}

static void
describe (vrg_figure figures[VRG_FIGURES], const vrg_report_data *data)
{
  vrg_figure_set (&figures[VRG_FIGURE_ENERGY], "energy", "Energy per spin",
                  "Energy $-S/N$ against the coupling $K$. Where the exact solution for this size is known it is the "
                  "line, and below are the "
                  "deviations in units of the error bar, of which about 95 % should lie in the shaded band.");
  vrg_figure_set (
    &figures[VRG_FIGURE_SPECIFIC_HEAT], "specific-heat", "Specific heat per spin",
    "$K^2 var(S)/N$ against the coupling $K$, with the exact one and deviations from it where it is known.");
  vrg_figure_set (
    &figures[VRG_FIGURE_MAGNETISATION], "magnetisation", "Magnetisation per spin",
    "$⟨|m|⟩$ against the coupling $K$. Above the critical temperature it is of the order $1/√N$, not zero.");
  vrg_figure_set (
    &figures[VRG_FIGURE_SUSCEPTIBILITY], "susceptibility", "Susceptibility",
    "$N (⟨m^2⟩ - ⟨|m|⟩^2)$ against the coupling $K$: it peaks near the critical point, the more so the larger the "
    "lattice.");
  vrg_figure_set (
    &figures[VRG_FIGURE_BINDER], "binder", "Binder's ratio",
    "$U_4 = 1 - ⟨m^4⟩/(3⟨m^2⟩^2)$ against the coupling $K$: 0 in the disordered, 2/3 in the ordered phase; curves of "
    "different sizes cross near the critical point, in two dimensions for a square torus at 0.6107.");
  vrg_figure_set (
    &figures[VRG_FIGURE_XI], "correlation-length", "Correlation length",
    "Second-moment correlation length $ξ$ along the first side, against the coupling $K$. Meaningful where it is well "
    "below the side; in the ordered phase without a field it measures the order instead.");
  vrg_figure *blocks = &figures[VRG_FIGURE_BLOCKS];
  vrg_figure_set (blocks, "blocks", "Configurations and their block spins", "");
  blocks->spins = true;
  if (data->blocks != NULL)
    {
      vrg_report_blocks_size (data->blocks, &blocks->width, &blocks->height);
      vrg_report_blocks_caption (data->blocks, blocks->caption, sizeof blocks->caption);
    }
  vrg_training_describe (figures, data);
  vrg_flow_describe (figures, data);
}

/** Is DIR/figures/NAME.ENDING there?  Removes it if wanted. */
static bool
has_file (const vrg_report_data *data, const vrg_figure *figure, const char *ending, bool remove_it)
{
  char path[VRG_PATH_LENGTH];
  snprintf (path, sizeof path, "%s/figures/%s.%s", data->directory, figure->name, ending);
  return remove_it ? unlink (path) == 0 : access (path, R_OK) == 0;
}

/** What gnuplot can do, as far as it is known. */
typedef struct
{
  bool starts, pdf;
} abilities;

static void
draw (vrg_report_data *data, vrg_figure *figure, abilities *gnuplot)
{
  const int code = vrg_gnuplot_run (data->directory, figure->name);
  figure->drawn = code == 0;
  figure->pdf = figure->drawn && has_file (data, figure, "pdf", false);
  if (code > 0)
    {
      gnuplot->starts = false;
      vrg_warn ("gnuplot cannot be started (%s): no pictures.  Install it (Debian: gnuplot-nox) and run "
                "`vrg report %s`",
                strerror (code), data->directory);
      vrg_report_warn (data, "Install gnuplot (Debian: gnuplot-nox) and run `vrg report` again.",
                       "gnuplot could not be started: this page has tables only.");
    }
  else if (code < 0)
    {
      vrg_warn ("gnuplot failed on %s/figures/%s.gp; see %s/figures/%s.log", data->directory, figure->name,
                data->directory, figure->name);
      vrg_report_warn (data, "This picture is left out; the log says what gnuplot did not like.",
                       "gnuplot failed on figures/%s.gp: see figures/%s.log.", figure->name, figure->name);
    }
  else if (!figure->pdf && gnuplot->pdf)
    {
      gnuplot->pdf = false;
      vrg_warn ("gnuplot has no terminal pdfcairo: pictures as SVG only.  Install one that has it (Debian: "
                "gnuplot-nox) and run `vrg report %s`",
                data->directory);
      vrg_report_warn (data, "Install a gnuplot that has it (Debian: gnuplot-nox) and run `vrg report` again.",
                       "gnuplot has no terminal pdfcairo: there are no PDF files of the pictures.");
    }
}

/** Script and picture, if there is anything to draw. */
static int
draw_one (vrg_report_data *data, vrg_figure_index index, vrg_figure *figure, abilities *gnuplot)
{
  char path[VRG_PATH_LENGTH];
  has_file (data, figure, "svg", true); /* one of an earlier run */
  has_file (data, figure, "pdf", true);
  snprintf (path, sizeof path, "%s/figures/%s.gp", data->directory, figure->name);
  FILE *script = vrg_gnuplot_open (data->directory, figure->name, figure->title, figure->width, figure->height);
  if (script == NULL)
    return vrg_error (VRG_FILE, "%s: cannot be written: %s", path, strerror (errno));
  figure->written = write_script (script, index, data);
  const int failed = vrg_gnuplot_close (script, figure->name);
  if (failed || !figure->written)
    unlink (path);
  if (failed)
    return vrg_error (VRG_FILE, "%s: cannot be written: %s", path, strerror (failed));
  if (figure->written && gnuplot->starts)
    draw (data, figure, gnuplot);
  return VRG_OK;
}

int
vrg_figures_draw (vrg_report_data *data, vrg_figure figures[VRG_FIGURES])
{
  char path[VRG_PATH_LENGTH];
  abilities gnuplot = { true, true };
  describe (figures, data);
  snprintf (path, sizeof path, "%s/figures", data->directory);
  struct stat status;
  if (mkdir (path, 0777) != 0 && errno != EEXIST)
    return vrg_error (VRG_FILE, "%s: cannot be made: %s", path, strerror (errno));
  if (lstat (path, &status) != 0 || !S_ISDIR (status.st_mode)) /* a link may lead to files of others */
    return vrg_error (VRG_FILE, "%s: is not a directory: move it away", path);
  vrg_progress progress;
  vrg_progress_begin_brief (&progress, "drawing figures", "figures", VRG_FIGURES);
  int code = VRG_OK, drawn = 0;
  while (drawn < VRG_FIGURES && code == VRG_OK)
    {
      vrg_progress_update (&progress, drawn);
      code = draw_one (data, (vrg_figure_index) drawn, &figures[drawn], &gnuplot);
      drawn += code == VRG_OK;
    }
  vrg_progress_end (&progress, drawn);
  return code;
}
