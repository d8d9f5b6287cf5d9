/* SPDX-License-Identifier: GPL-3.0-or-later
 * What writing and reading samples.h5 share. */
#ifndef VRG_FILES_SAMPLES_INTERNAL_H
#define VRG_FILES_SAMPLES_INTERNAL_H

#include "files/h5.h"
#include "files/samples.h"

/** Datasets of an ensemble. */
enum
{
  VRG_SAMPLES_SPINS,
  VRG_SAMPLES_BONDS,
  VRG_SAMPLES_MAGNETISATION,
  VRG_SAMPLES_FOURIER,
  VRG_SAMPLES_EVEN,
  VRG_SAMPLES_SETS
};

struct vrg_samples
{
  vrg_samples_info info;
  char *fingerprint;
  MPI_Comm comm;
  char path[VRG_PATH_LENGTH], final[VRG_PATH_LENGTH]; /* .part and final name while it is written */
  bool reopened;
  int descriptor;                                      /* for reading; -1 while it is written */
  int64_t offset[VRG_MAX_COUPLINGS][VRG_SAMPLES_SETS]; /* of each dataset in the file */
  bool counted;                                        /* all that was written is in the sums */
  uint64_t sums[VRG_MAX_COUPLINGS][VRG_SAMPLES_SETS];  /* of what was written, over the ranks together */
};

/** The series: where its numbers stand in an observation and how many they are. */
typedef struct
{
  const char *name, *help, *axes;
  size_t offset;
  int64_t width;
} vrg_samples_serie;
extern const vrg_samples_serie vrg_samples_series[VRG_SAMPLES_SETS];

/** Datasets of an ensemble. */
int vrg_samples_sets (const vrg_samples_info *info);

/** Copy the numbers of a series out of n observations, or into them.  Local. */
void vrg_samples_move_series (int set, int64_t n, vrg_observation *observations, int64_t *numbers, bool out);

#endif
