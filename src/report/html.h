/* SPDX-License-Identifier: GPL-3.0-or-later
 * The few forms of HTML the report needs.  Pages are well-formed XML as well; links go no further than the run's
 * directory, and there is one script, which sorts tables. */
#ifndef VRG_REPORT_HTML_H
#define VRG_REPORT_HTML_H

#include <stdbool.h>
#include <stdio.h>

/** All functions are local, and leave errors in the stream for whoever closes it. */

/** Everything up to <body>, with the style; and the end, with the script. */
void vrg_html_begin (FILE *page, const char *title);
void vrg_html_end (FILE *page);

/** Text with & < > " ' escaped; bytes that are not UTF-8 and control characters become '?'. */
void vrg_html_text (FILE *page, const char *text);

/** The same with mathematics between dollars: $y_t = 1$, $b^{n y_t}$; single letters are italic, _ and ^ take one
 *  character or braces, a hyphen is a minus.  With an odd number of dollars: plain text. */
void vrg_html_rich (FILE *page, const char *text);

/** <tag>text</tag>, the text formatted and escaped; rich: formatted and with mathematics. */
void vrg_html_element (FILE *page, const char *tag, const char *format, ...) __attribute__ ((format (printf, 3, 4)));
void vrg_html_rich_element (FILE *page, const char *tag, const char *format, ...)
  __attribute__ ((format (printf, 3, 4)));

/** A file as <img> with its bytes inline, base64; false if it cannot be read.  width, height: its proportions. */
bool vrg_html_svg (FILE *page, const char *path, const char *alternative, int width, int height);

/** value(error) rounded to the error: 0.9691(11), 12.3(1.4), to one or two digits of it (two up to 35, as the Particle
 *  Data Group rounds), -0.4(2.0)e-7 where that is shorter; four digits without an error; "-" for a value that is not a
 *  number. */
void vrg_html_value (char text[64], double value, double error);

/** An exact value beside such a one: a digit more than the rounded value has; eight digits without an error. */
void vrg_html_exact (char text[64], double exact, double error);

/** A table with its caption (rich), which sorts; `name`: its id.  `file`: what it is taken from, linked, or NULL.  More rows
 *  than VRG_LONG_TABLE are shown in a box that scrolls. */
#define VRG_LONG_TABLE 24
void vrg_html_table_begin (FILE *page, const char *name, int rows, const char *caption, const char *file);
void vrg_html_table_end (FILE *page);

/** Column heads (rich) from one string, separated by |; the body of the table begins. */
void vrg_html_heads (FILE *page, const char *names);

/** A number as text with a minus that is one, and powers of ten. */
void vrg_html_number (FILE *page, const char *text);

/** A cell with a name of a table: blanks for its underscores. */
void vrg_html_name_cell (FILE *page, const char *name);

/** Cells: such a text; value(error); a deviation in errors (marked if it is above the limit); an exact value. */
#define VRG_PULL_LIMIT 4.0 /* standard deviations that pass for agreement */
void vrg_html_number_cell (FILE *page, const char *text);
void vrg_html_value_cell (FILE *page, double value, double error);
void vrg_html_pull_cell (FILE *page, double pull);
void vrg_html_exact_cell (FILE *page, double exact, double error);

#endif
