/* SPDX-License-Identifier: GPL-3.0-or-later
 * Reading samples.h5 once it is open: by pread, every rank on its own. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/samples_internal.h"

#define PIECE 4096 /* samples whose series are read at once */

const vrg_samples_serie vrg_samples_series[VRG_SAMPLES_SETS] = {
  [VRG_SAMPLES_BONDS]
  = { "bonds", "S_nn = sum over bonds of s s' (1)", "sample", offsetof (vrg_observation, bonds), 1 },
  [VRG_SAMPLES_MAGNETISATION]
  = { "magnetisation", "sum over sites of s (1)", "sample", offsetof (vrg_observation, magnetisation), 1 },
  [VRG_SAMPLES_FOURIER]
  = { "fourier", "sum over sites of s round (2^24 cos, sin (2 pi r / R)), r = 0..R-1 along the first side (1)",
      "sample part", offsetof (vrg_observation, fourier), 2 },
  [VRG_SAMPLES_EVEN] = { "even", "S of nn nnn plaquette third knight diamond square2, sums over all images (1)",
                         "sample operator", offsetof (vrg_observation, even), VRG_EVEN_OPERATORS },
};

int
vrg_samples_sets (const vrg_samples_info *info)
{
  return info->dimension == 2 ? VRG_SAMPLES_SETS : VRG_SAMPLES_EVEN;
}

void
vrg_samples_move_series (int set, int64_t n, vrg_observation *observations, int64_t *numbers, bool out)
{
  const int64_t width = vrg_samples_series[set].width;
  for (int64_t i = 0; i < n; i++)
    {
      char *inside = (char *) &observations[i] + vrg_samples_series[set].offset;
      memcpy (out ? (char *) (numbers + i * width) : inside, out ? inside : (char *) (numbers + i * width),
              (size_t) width * sizeof *numbers);
    }
}

static int
read_at (const vrg_samples *samples, void *data, int64_t bytes, int64_t offset)
{
  VRG_ASSERT (samples->descriptor >= 0);
  if (vrg_file_read_bytes (samples->descriptor, data, bytes, offset))
    return VRG_OK;
  return vrg_error (VRG_FILE, "%s: cannot be read: %s", samples->path,
                    errno != 0 ? strerror (errno) : "it is truncated");
}

int
vrg_samples_read_range (vrg_samples *samples, int ensemble, int64_t s0, int64_t s1, int64_t row0, int64_t row1,
                        uint64_t *spins)
{
  const vrg_samples_info *info = &samples->info;
  VRG_ASSERT (ensemble >= 0 && ensemble < info->ensembles && s0 >= 0 && s1 <= info->samples);
  VRG_ASSERT (row0 >= 0 && row1 <= info->rows);
  if (s1 <= s0 || row1 <= row0)
    return VRG_OK;
  int64_t line = info->words * 8, sample = info->rows * line, part = (row1 - row0) * line;
  int64_t offset = samples->offset[ensemble][VRG_SAMPLES_SPINS] + row0 * line;
  int code = VRG_OK;
  if (part == sample)
    code = read_at (samples, spins, (s1 - s0) * sample, offset + s0 * sample);
  else
    for (int64_t s = s0; s < s1 && code == VRG_OK; s++)
      code = read_at (samples, spins + (s - s0) * (part / 8), part, offset + s * sample);
  if (code == VRG_OK && info->columns % 64 != 0) /* unused bits are 0, whatever a file may hold */
    for (int64_t i = 0; i < (s1 - s0) * (row1 - row0); i++)
      spins[(i + 1) * info->words - 1] &= (UINT64_C (1) << info->columns % 64) - 1;
  return code;
}

int
vrg_samples_read (vrg_samples *samples, int ensemble, int64_t t0, int64_t t1, int64_t c0, int64_t c1, int64_t row0,
                  int64_t row1, uint64_t *spins)
{
  const vrg_samples_info *info = &samples->info;
  int64_t step = (c1 - c0) * (row1 - row0) * info->words;
  int code = VRG_OK;
  if (c0 == 0 && c1 == info->chains)
    {
      int64_t s1 = t1 <= info->samples / info->chains ? t1 * info->chains : info->samples;
      return vrg_samples_read_range (samples, ensemble, t0 * info->chains, s1, row0, row1, spins);
    }
  for (int64_t t = t0; t < t1 && code == VRG_OK; t++)
    {
      int64_t s0 = t * info->chains + c0, s1 = t * info->chains + c1;
      if (s0 < info->samples)
        code = vrg_samples_read_range (samples, ensemble, s0, s1 < info->samples ? s1 : info->samples, row0, row1,
                                       spins + (t - t0) * step);
    }
  return code;
}

int
vrg_samples_read_series (vrg_samples *samples, int ensemble, int64_t *bonds, int64_t *magnetisation)
{
  int rank, code = VRG_OK;
  int64_t bytes = samples->info.samples * 8;
  VRG_MPI (MPI_Comm_rank (samples->comm, &rank));
  if (rank == 0)
    code = read_at (samples, bonds, bytes, samples->offset[ensemble][VRG_SAMPLES_BONDS]);
  if (rank == 0 && code == VRG_OK)
    code = read_at (samples, magnetisation, bytes, samples->offset[ensemble][VRG_SAMPLES_MAGNETISATION]);
  code = vrg_agree (samples->comm, code);
  if (code == VRG_OK)
    {
      vrg_broadcast (samples->comm, bonds, bytes);
      vrg_broadcast (samples->comm, magnetisation, bytes);
    }
  return code;
}

int
vrg_samples_read_observations (vrg_samples *samples, int ensemble, vrg_observation *observations)
{
  const vrg_samples_info *info = &samples->info;
  int rank, code = VRG_OK;
  VRG_MPI (MPI_Comm_rank (samples->comm, &rank));
  if (rank == 0)
    {
      int64_t *numbers = vrg_new (PIECE * VRG_EVEN_OPERATORS, sizeof *numbers, "series");
      memset (observations, 0, (size_t) info->samples * sizeof *observations);
      for (int set = VRG_SAMPLES_BONDS; set < vrg_samples_sets (info); set++)
        for (int64_t s = 0; s < info->samples && code == VRG_OK; s += PIECE)
          {
            const int64_t n = info->samples - s < PIECE ? info->samples - s : PIECE,
                          size = vrg_samples_series[set].width * 8;
            code = read_at (samples, numbers, n * size, samples->offset[ensemble][set] + s * size);
            vrg_samples_move_series (set, n, observations + s, numbers, false);
          }
      vrg_free (numbers);
    }
  return vrg_agree (samples->comm, code);
}
