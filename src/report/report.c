/* SPDX-License-Identifier: GPL-3.0-or-later
 * DIR/report.html: summary first, then pictures and tables, then what it was made from. */
#include "report/report.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/h5.h"
#include "report/data.h"
#include "report/figures.h"
#include "report/flow-diagram.h"
#include "report/flow.h"
#include "report/html.h"
#include "report/summary.h"
#include "report/training.h"

/** operators.tsv: a row for each coupling, a column for each operator. */
static void
operators_table (FILE *page, const vrg_table_data *t)
{
  int columns = 0;
  while (columns < t->rows && strcmp (vrg_cell_text (t, columns, "nn"), vrg_cell_text (t, 0, "nn")) == 0)
    columns++;
  if (columns == 0 || t->rows % columns != 0)
    return;
  vrg_html_table_begin (page, "operators", t->rows / columns,
                        "Even operators per spin, every image of a product counted once: nn goes up to the dimension, "
                        "in two dimensions knight to 4, plaquette and diamond to 1.",
                        "operators.tsv");
  fputs ("<thead><tr>", page);
  vrg_html_rich_element (page, "th scope=\"col\"", "$K$");
  for (int c = 0; c < columns; c++)
    vrg_html_element (page, "th scope=\"col\"", "%s", vrg_cell_text (t, c, "operator"));
  fputs ("</tr></thead><tbody>\n", page);
  for (int row = 0; row < t->rows; row++)
    {
      if (row % columns == 0)
        {
          fputs ("<tr>", page);
          vrg_html_element (page, "td", "%.6g", vrg_cell (t, row, "nn"));
        }
      vrg_html_value_cell (page, vrg_cell (t, row, "value"), vrg_cell (t, row, "error"));
      if (row % columns == columns - 1)
        fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
}

/** Energy and specific heat, with exact values if any is known. */
static void
exact_table (FILE *page, const vrg_table_data *t)
{
  static const char *const columns[][3]
    = { { "energy", "energy_err", "exact_energy" }, { "specific_heat", "specific_heat_err", "exact_specific_heat" } };
  bool known = false;
  for (int row = 0; row < t->rows; row++)
    known = known || isfinite (vrg_cell (t, row, "exact_energy"));
  vrg_html_table_begin (page, "exact", t->rows,
                        known ? "Energy $-S/N$ and specific heat $K^2 var(S)/N$ per spin, $S$ the sum over bonds, with "
                                "the exact values for this size, and deviations from them in errors."
                              : "Energy $-S/N$ and specific heat $K^2 var(S)/N$ per spin, $S$ the sum over bonds.",
                        "sample.tsv");
  vrg_html_heads (page, known ? "$K$|size|energy|exact|dev. / err.|specific heat|exact|dev. / err."
                              : "$K$|size|energy|specific heat");
  for (int row = 0; row < t->rows; row++)
    {
      fputs ("<tr>", page);
      vrg_html_element (page, "td", "%.6g", vrg_cell (t, row, "nn"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "size"));
      for (int c = 0; c < 2; c++)
        {
          const double error = vrg_cell (t, row, columns[c][1]);
          vrg_html_value_cell (page, vrg_cell (t, row, columns[c][0]), error);
          if (!known)
            continue;
          vrg_html_exact_cell (page, vrg_cell (t, row, columns[c][2]), error);
          vrg_html_pull_cell (page, vrg_cell_pull (t, row, columns[c][0], columns[c][1], columns[c][2]));
        }
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
}

static void
order_table (FILE *page, const vrg_table_data *t)
{
  vrg_html_table_begin (
    page, "order", t->rows,
    "Order: magnetisation per spin $m$, Binder's ratio $U_4 = 1 - ⟨m^4⟩/(3⟨m^2⟩^2)$, susceptibility "
    "$χ = N (⟨m^2⟩ - ⟨|m|⟩^2)$ and second-moment correlation length $ξ$ in lattice constants.",
    "sample.tsv");
  vrg_html_heads (page, "$K$|abs $m$|$⟨m^2⟩$|$U_4$|$χ$|$ξ$");
  static const char *const columns[][2] = { { "abs_m", "abs_m_err" },
                                            { "m2", "m2_err" },
                                            { "binder", "binder_err" },
                                            { "susceptibility", "susceptibility_err" },
                                            { "xi", "xi_err" } };
  for (int row = 0; row < t->rows; row++)
    {
      fputs ("<tr>", page);
      vrg_html_element (page, "td", "%.6g", vrg_cell (t, row, "nn"));
      for (int c = 0; c < 5; c++)
        vrg_html_value_cell (page, vrg_cell (t, row, columns[c][0]), vrg_cell (t, row, columns[c][1]));
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
}

static void
chains_table (FILE *page, const vrg_report_data *data)
{
  const vrg_table_data *t = data->sample;
  char text[64];
  vrg_html_table_begin (page, "chains", t->rows,
                        "Chains: integrated autocorrelation times $τ$ in sweeps (half an interval: none seen), "
                        "thermalization in units of the larger one, configurations that are independent in effect, and "
                        "by how many standard errors the first tenth of the series differs from its second half.",
                        "sample.tsv");
  vrg_html_heads (page,
                  "$K$|configurations|$τ$ of energy|$τ$ of $m^2$|thermalization / $τ$|independent|beginning / err.");
  for (int row = 0; row < t->rows; row++)
    {
      fputs ("<tr>", page);
      vrg_html_element (page, "td", "%.6g", vrg_cell (t, row, "nn"));
      vrg_html_element (page, "td", "%s", vrg_cell_text (t, row, "configurations"));
      const double plain[] = { vrg_cell (t, row, "tau_int_energy"), vrg_cell (t, row, "tau_int_m2"),
                               vrg_summary_thermalization (data, row) };
      for (int c = 0; c < 3; c++)
        {
          snprintf (text, sizeof text, isfinite (plain[c]) ? "%.3g" : "-", plain[c]);
          vrg_html_number_cell (page, text);
        }
      const double independent = vrg_summary_independent (data, row);
      snprintf (text, sizeof text, isfinite (independent) ? "%.0f" : "-", independent);
      vrg_html_number_cell (page, text);
      vrg_html_pull_cell (page, vrg_cell (t, row, "thermal"));
      fputs ("</tr>\n", page);
    }
  vrg_html_table_end (page);
}

static void
sample_section (FILE *page, const vrg_report_data *data, vrg_figure *all)
{
  const vrg_table_data *t = data->sample;
  if (t == NULL && data->blocks == NULL)
    return;
  fputs ("<h2 id=\"sampling\">Sampling</h2>\n", page);
  vrg_figures_show (page, data, all, 1, (const int[]){ VRG_FIGURE_BLOCKS });
  vrg_figures_show (page, data, all, 6,
                    (const int[]){ VRG_FIGURE_ENERGY, VRG_FIGURE_SPECIFIC_HEAT, VRG_FIGURE_MAGNETISATION,
                                   VRG_FIGURE_SUSCEPTIBILITY, VRG_FIGURE_BINDER, VRG_FIGURE_XI });
  if (t == NULL)
    return;
  exact_table (page, t);
  order_table (page, t);
  chains_table (page, data);
  if (data->operators != NULL)
    operators_table (page, data->operators);
}

static bool
has_input (const vrg_report_data *data)
{
  for (int f = 0; f < VRG_REPORT_FILES; f++)
    if (data->keys[f] != NULL && *data->keys[f])
      return true;
  return false;
}

/** Files of a finished run: names that begin a checkpoint come and go. */
static int
is_listed (const struct dirent *entry)
{
  static const char *const endings[] = { ".h5", ".tsv", ".ini", ".xdmf" };
  const char *end = strrchr (entry->d_name, '.');
  bool good = false;
  for (size_t i = 0; i < sizeof endings / sizeof *endings && end != NULL; i++)
    good = good || strcmp (end, endings[i]) == 0;
  return good && *entry->d_name != '.' && strncmp (entry->d_name, "checkpoint", 10) != 0
         && strspn (entry->d_name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
              == strlen (entry->d_name);
}

static int
by_name (const struct dirent **a, const struct dirent **b)
{
  return strcmp ((*a)->d_name, (*b)->d_name);
}

/** Links to what is there, in the order of names. */
static void
files_list (FILE *page, const vrg_report_data *data)
{
  struct dirent **entry = NULL;
  const int n = scandir (data->directory, &entry, is_listed, by_name);
  if (n > 0)
    {
      fputs ("<p class=\"faint\">", page);
      for (int i = 0; i < n; i++)
        {
          fprintf (page, "%s<a href=\"%s\">%s</a>", i ? ", " : "Files of this run: ", entry[i]->d_name,
                   entry[i]->d_name);
          free (entry[i]);
        }
      fputs (". What is in them: <code>vrg info</code> with this directory.</p>\n", page);
    }
  free (entry);
}

static void
provenance_section (FILE *page, const vrg_report_data *data)
{
  fputs ("<h2 id=\"provenance\">Files and provenance</h2>\n", page);
  files_list (page, data);
  vrg_html_element (page, "p", "Report by vrg %s, commit %s, from %s.", vrg_version (), vrg_commit (), data->directory);
  if (data->n_provenance > 0)
    {
      fputs ("<div class=\"left\">", page);
      vrg_html_table_begin (page, "provenance", data->n_provenance, "What the files say of how they were made.", NULL);
      vrg_html_heads (page, "file|what|value");
      for (int i = 0; i < data->n_provenance; i++)
        {
          fputs ("<tr>", page);
          vrg_html_element (page, "td", "%s", data->provenance[i].file);
          vrg_html_element (page, "td", "%s", data->provenance[i].name);
          vrg_html_element (page, "td", "%s", data->provenance[i].value);
          fputs ("</tr>\n", page);
        }
      vrg_html_table_end (page);
      fputs ("</div>\n", page);
    }
  if (!has_input (data))
    return;
  fputs ("<h2 id=\"input\">Input</h2>\n", page);
  for (int f = VRG_REPORT_FILES - 1; f >= 0; f--)
    if (data->keys[f] != NULL && *data->keys[f])
      {
        vrg_html_element (page, "p", "What %s was made with:", vrg_report_files[f]);
        fputs ("<pre>", page);
        vrg_html_text (page, data->keys[f]);
        fputs ("</pre>\n", page);
      }
}

/** Everything, into an open page. */
static void
put_page (FILE *page, const vrg_report_data *data, vrg_figure *all, const vrg_findings_all *found)
{
  char title[128], head[192];
  vrg_summary_title (data, title, sizeof title);
  snprintf (head, sizeof head, "%s: VRG report", title);
  vrg_html_begin (page, head);
  fputs ("<header>\n", page);
  vrg_html_element (page, "p class=\"kicker\"", "VRG report · %s", data->directory);
  vrg_html_element (page, "h1", "%s", title);
  fputs ("<nav aria-label=\"Sections\"><a href=\"#summary\">Summary</a>", page);
  fputs (data->sample || data->blocks ? "<a href=\"#sampling\">Sampling</a>" : "", page);
  fputs (vrg_training_any (data) ? "<a href=\"#training\">Training</a>" : "", page);
  vrg_flow_links (page, data);
  fputs ("<a href=\"#provenance\">Files</a>", page);
  fputs (has_input (data) ? "<a href=\"#input\">Input</a>" : "", page);
  fputs ("</nav>\n</header>\n<main>\n", page);
  vrg_summary_section (page, data, found);
  sample_section (page, data, all);
  vrg_training_section (page, data, all);
  vrg_flow_sections (page, data, all);
  provenance_section (page, data);
  fputs ("</main>\n", page);
  vrg_html_end (page);
}

static int
write_page (vrg_report_data *data, vrg_figure *all)
{
  char path[VRG_PATH_LENGTH], temporary[VRG_PATH_LENGTH];
  vrg_findings_all found;
  vrg_summary_judge (data, &found);
  snprintf (path, sizeof path, "%s/report.html", data->directory);
  snprintf (temporary, sizeof temporary, "%s/report.html.tmp", data->directory);
  FILE *page = vrg_file_new_stream (temporary);
  if (page == NULL)
    return vrg_error (VRG_FILE, "%s: cannot be written: %s", temporary, strerror (errno));
  put_page (page, data, all, &found);
  const int code = vrg_file_finish (page, VRG_OK, temporary, path);
  if (code == VRG_OK)
    vrg_info ("report: %s", path);
  return code;
}

int
vrg_report (const vrg_grid *grid, const char *directory)
{
  vrg_report_data data;
  vrg_figure all[VRG_FIGURES];
  int code = vrg_report_data_read (grid, directory, &data);
  if (code == VRG_OK && grid->rank == 0)
    {
      vrg_flow_diagram_prepare (&data);
      code = vrg_figures_draw (&data, all);
      if (code == VRG_OK)
        code = write_page (&data, all);
    }
  vrg_report_data_clear (&data);
  return vrg_agree (grid->world, code);
}
