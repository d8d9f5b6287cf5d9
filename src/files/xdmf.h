/* SPDX-License-Identifier: GPL-3.0-or-later
 * Configurations for ParaView and VisIt: XDMF describes arrays, but not bits; so the chosen configurations go, a byte a
 * spin, to a file of their own. */
#ifndef VRG_FILES_XDMF_H
#define VRG_FILES_XDMF_H

#include "files/export.h"

/** Write `rows` of the packed spins of `item` as signed bytes to NAME.raw, and what they are to NAME.xdmf (`path`): cells of a
 *  lattice of unit spacing, a time step for each configuration, its number in `item` the time.  One configuration is in
 *  memory at a time.  VRG_USAGE for a path that is not of this form, VRG_FILE.  Local: of a file opened by one rank. */
int vrg_xdmf_write (vrg_h5 *file, const vrg_h5_item *item, const vrg_export_lattice *lattice,
                    const vrg_export_rows *rows, const char *path);

#endif
