/* SPDX-License-Identifier: GPL-3.0-or-later
 * The few forms of HTML the report needs.  Pages are well-formed XML as well, without scripts; links go no further than the run's
 * directory. */
#ifndef VRG_REPORT_HTML_H
#define VRG_REPORT_HTML_H

#include <stdbool.h>
#include <stdio.h>

/** All functions are local, and leave errors in the stream for whoever closes it. */

/** Everything up to <body>, with the style; and the end. */
void vrg_html_begin (FILE *page, const char *title);
void vrg_html_end (FILE *page);

/** Text with & < > " ' escaped; bytes that are not UTF-8 and control characters become '?'. */
void vrg_html_text (FILE *page, const char *text);

/** <tag>text</tag>, the text formatted and escaped. */
void vrg_html_element (FILE *page, const char *tag, const char *format, ...) __attribute__ ((format (printf, 3, 4)));

/** A file as <img> with its bytes inline, base64; false if it cannot be read. */
bool vrg_html_svg (FILE *page, const char *path, const char *alternative);

/** value(error) rounded to the error: 0.9691(11), 12.3(1.4), to one or two digits of it (two up to 35, as the Particle
 *  Data Group rounds); six digits without an error; "-" for a value that is not a number. */
void vrg_html_value (char text[64], double value, double error);

/** A table of so many rows, folded if they are more than VRG_LONG_TABLE; `what`: its name then. */
#define VRG_LONG_TABLE 24
void vrg_html_table_begin (FILE *page, int rows, const char *what);
void vrg_html_table_end (FILE *page, int rows);

/** Column heads from one string, separated by |; the body of the table begins. */
void vrg_html_heads (FILE *page, const char *names);

/** Cells: value(error), a deviation in errors (marked if it is above the limit), an exact value. */
#define VRG_PULL_LIMIT 4.0 /* standard deviations that pass for agreement */
void vrg_html_value_cell (FILE *page, double value, double error);
void vrg_html_pull_cell (FILE *page, double pull);
void vrg_html_exact_cell (FILE *page, double exact);

#endif
