/* SPDX-License-Identifier: GPL-3.0-or-later
 * learnt.h5, read for the report: receptive fields to be drawn, and configurations. */
#ifndef VRG_REPORT_LEARNT_H
#define VRG_REPORT_LEARNT_H

#include "base/param.h"
#include "parallel/grid.h"

#define VRG_REPORT_FIELDS 36 /* drawn of a layer */

/** The live units with the largest effective fields. */
typedef struct
{
  int64_t units, live;                                           /* of the layer */
  int64_t rows, columns;                                         /* of a field */
  int shown;                                                     /* at most VRG_REPORT_FIELDS */
  int64_t unit[VRG_REPORT_FIELDS], centre[VRG_REPORT_FIELDS][2]; /* centre: a row and a column of the field */
  double *map;                                                   /* [shown][rows][columns] */
} vrg_report_fields;

/** Open; the same on every rank.  Configurations: [n][rows][words], a bit a spin. */
typedef struct
{
  int layers;
  int64_t rows, columns, words; /* of the lattice */
  vrg_report_fields fields[VRG_MAX_LAYERS];
  int64_t rebuilds, samples;
  uint64_t *original;                                        /* [rebuilds] data */
  uint64_t *rebuild[VRG_MAX_LAYERS], *drawn[VRG_MAX_LAYERS]; /* [rebuilds], [samples] */
} vrg_report_learnt;

/** Read PATH; VRG_FILE if it is damaged, or does not belong to `fingerprint` (NULL: whatever it belongs to).  Collective
 *  over grid. */
int vrg_report_learnt_read (const vrg_grid *grid, const char *path, const char *fingerprint,
                            vrg_report_learnt **learnt);

/** Local; NULL is fine. */
void vrg_report_learnt_free (vrg_report_learnt *learnt);

#endif
