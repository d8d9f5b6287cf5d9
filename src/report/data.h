/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a run directory holds, read for the report. */
#ifndef VRG_REPORT_DATA_H
#define VRG_REPORT_DATA_H

#include <stdbool.h>

#include "base/param.h"
#include "files/model.h"
#include "files/table.h"
#include "flow/variational.h"
#include "parallel/grid.h"
#include "report/blocks.h"
#include "report/learnt.h"
#include "train/spectrum.h"

#define VRG_REPORT_WARNINGS 32
#define VRG_REPORT_PROVENANCE 48
#define VRG_REPORT_FILES 3

/** samples.h5, model.h5, flow.h5. */
extern const char *const vrg_report_files[VRG_REPORT_FILES];

/** What is missing is NULL.  Tables, keys, input, provenance and warnings are on rank 0 alone. */
typedef struct
{
  const char *directory; /* the caller's */
  vrg_table_data *sample, *operators, *train, *couplings, *exponents;
  vrg_table_data *eigenvalues, *fit, *derivatives, *surface, *matching;    /* of the flow */
  vrg_table_data *rbm_flow, *rbm_stationary, *mapping;                     /* of a model in the flow */
  vrg_table_data *fields, *interactions, *model_samples, *reconstructions; /* of the analysis of a model */
  vrg_stack *stack;
  vrg_report_learnt *learnt;
  int
    kadanoff_points; /* fixed points of Kadanoff's recursion, from neighbours and from pairs (report/flow-diagram.h) */
  vrg_variational_point kadanoff[2];
  int spectra; /* layers in spectrum.h5 */
  vrg_spectrum **spectrum;
  char *keys[VRG_REPORT_FILES]; /* lines of the file's fingerprint that no later file has; NULL without the file */
  bool input_good;              /* they make an input: */
  vrg_input input;
  int n_provenance; /* of the files: file, attribute, value */
  struct
  {
    const char *file, *name;
    char *value;
  } provenance[VRG_REPORT_PROVENANCE];
  vrg_report_blocks *blocks; /* on rank 0 */
  int n_warnings;
  struct
  {
    char text[256];
    const char *advice; /* what to do */
  } warning[VRG_REPORT_WARNINGS];
} vrg_report_data;

/** Read DIRECTORY.  A file that is there but cannot be read, or that was made from another one than the one there,
 *  becomes a warning; VRG_FILE if there is no table at all.  Clear it in any case.  Collective. */
int vrg_report_data_read (const vrg_grid *grid, const char *directory, vrg_report_data *data);

/** Local. */
void vrg_report_data_clear (vrg_report_data *data);

/** Remember a warning for the page, and what to do (a constant; warnings of the same advice are shown together); one too
 *  many is dropped.  Local. */
void vrg_report_warn (vrg_report_data *data, const char *advice, const char *format, ...)
  __attribute__ ((format (printf, 3, 4)));

/** A cell by the name of its column: nan or "" where there is no such column.  Local. */
double vrg_cell (const vrg_table_data *table, int row, const char *column);
const char *vrg_cell_text (const vrg_table_data *table, int row, const char *column);

/** (value - exact) / error of a row; nan if one of them is missing.  Local. */
double vrg_cell_pull (const vrg_table_data *table, int row, const char *value, const char *error, const char *exact);

/** Largest number in a column, -1 if there is none (NULL table too); of levels, layers, steps and numbers of operators, of
 *  those that an input can have.  Local. */
int vrg_column_max (const vrg_table_data *table, const char *column);

/** Distinct texts of a column in order of appearance, at most VRG_DISTINCT; returns how many (NULL table: 0).  Local. */
#define VRG_DISTINCT 64
int vrg_distinct (const vrg_table_data *table, const char *column, const char *names[VRG_DISTINCT]);

/** Dimension of the lattice, scale factor: 2 where the input is not known.  Local. */
int vrg_dimension_of (const vrg_report_data *data);
int vrg_scale_of (const vrg_report_data *data);

/** The critical nn of the model that was sampled, with nn alone in two and three dimensions; nan if it is not known.
 *  Local. */
double vrg_critical_of (const vrg_report_data *data);

/** The number in the table's column nn that is nearest to it (nan if there is none; without a critical nn the largest),
 *  and whether it is the critical coupling to the accuracy that matters in a report.  Local. */
double vrg_nearest_critical (const vrg_report_data *data, const vrg_table_data *table);
bool vrg_is_critical (const vrg_report_data *data, double nn);

/** Exponent y_t or y_h of the Ising model: exact in two dimensions, in three that of the conformal bootstrap (Kos,
 *  Poland, Simmons-Duffin and Vichi, J. High Energy Phys. 08 (2016) 036); nan in one.  Local. */
double vrg_exponent_of (const vrg_report_data *data, bool odd);

#endif
