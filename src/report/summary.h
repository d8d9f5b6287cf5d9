/* SPDX-License-Identifier: GPL-3.0-or-later
 * The page's head: what was run, whether it can be believed, and what is to be looked at. */
#ifndef VRG_REPORT_SUMMARY_H
#define VRG_REPORT_SUMMARY_H

#include <stdio.h>

#include "report/data.h"

#define VRG_FINDINGS 24
#define VRG_EXPONENT_LIMIT 0.03 /* what truncation and a small lattice may cost an exponent with all operators */

typedef enum
{
  VRG_AGREES,
  VRG_NEARLY, /* more than errors allow, less than what is systematic */
  VRG_DIFFERS,
  VRG_UNCERTAIN
} vrg_verdict;

/** What the numbers say.  Plain data. */
typedef struct
{
  int n;
  struct
  {
    char what[160], found[64], expected[64], deviation[64], percent[32];
    vrg_verdict verdict;
  } row[VRG_FINDINGS];
  int compared, beyond_two; /* numbers with an exact value to errors, those off by more than two */
  double largest;           /* the largest such deviation */
  int chains, short_chains; /* ensembles with a time of correlation, those not long enough or not thermalised */
  double least_independent, least_thermalization; /* configurations; in times of correlation */
  double most_thermal;                            /* first tenth of a series against its second half, in errors */
} vrg_findings_all;

/** Compare the numbers with what is known, and warn of what is not as it should be.  Local. */
void vrg_summary_judge (vrg_report_data *data, vrg_findings_all *all);

/** Independent configurations of a row of sample.tsv; nan if it is not known.  Local. */
double vrg_summary_independent (const vrg_report_data *data, int row);

/** Its thermalization in times of correlation.  Local. */
double vrg_summary_thermalization (const vrg_report_data *data, int row);

/** A line on what was simulated: "Ising model on a 32 × 32 torus".  Local. */
void vrg_summary_title (const vrg_report_data *data, char *text, int size);

/** The section.  Local. */
void vrg_summary_section (FILE *page, const vrg_report_data *data, const vrg_findings_all *all);

#endif
