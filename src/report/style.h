/* SPDX-License-Identifier: GPL-3.0-or-later
 * How the report looks, and the script that sorts its tables. */
#ifndef VRG_REPORT_STYLE_H
#define VRG_REPORT_STYLE_H

/** CSS: light, dark, narrow screens, A4; no fonts or images from elsewhere. */
extern const char vrg_style_sheet[];

/** JavaScript without < and &, so that the page stays XML.  Every table of class `sort` gets a button in each head: a
 *  press sorts rows upwards, the next one downwards; numbers as numbers, what is missing last.  Without it the tables
 *  read as they are. */
extern const char vrg_style_script[];

#endif
