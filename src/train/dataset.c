/* SPDX-License-Identifier: GPL-3.0-or-later
 * The samples of one ensemble as minibatches. */
#include "train/dataset.h"

#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"

/** This rank's share of an ensemble.  Collective. */
static int
read_share (const vrg_grid *grid, vrg_samples *file, int ensemble, int64_t batch, int64_t row0, int64_t row1,
            vrg_dataset **result)
{
  const vrg_samples_info *info = vrg_samples_get_info (file);
  VRG_ASSERT (info->samples >= batch); /* the input says so, and the file is of this input */
  vrg_dataset *d = vrg_new (1, sizeof *d, "a dataset");
  *d = (vrg_dataset){ .samples = info->samples,
                      .batch = batch,
                      .updates = info->samples / batch,
                      .row0 = row0,
                      .row1 = row1,
                      .words = info->words };
  vrg_grid_span (batch, grid->groups, grid->group, &d->position0, &d->position1);
  d->sample0 = vrg_dataset_stratum (d, d->position0);
  d->sample1 = vrg_dataset_stratum (d, d->position1);
  const int64_t n = d->sample1 - d->sample0;
  d->spins = vrg_new (n * (row1 - row0) * d->words, sizeof (uint64_t), "configurations");
  d->order = vrg_new (n, sizeof (int64_t), "the order of configurations");
  int code = VRG_OK;
  if (n > 0)
    code = vrg_samples_read_range (file, ensemble, d->sample0, d->sample1, row0, row1, d->spins);
  code = vrg_agree (grid->world, code);
  if (code != VRG_OK)
    {
      vrg_dataset_free (d);
      return code;
    }
  *result = d;
  return VRG_OK;
}

int
vrg_dataset_open (const vrg_grid *grid, const vrg_input *input, const char *directory, int64_t row0, int64_t row1,
                  vrg_dataset **dataset)
{
  char path[VRG_PATH_LENGTH + 32], difference[256];
  vrg_samples *file = NULL;
  snprintf (path, sizeof path, "%s/samples.h5", directory);
  int status = vrg_samples_open (grid->file, path, &file);
  if (status != VRG_OK)
    return status;
  const vrg_samples_info *info = vrg_samples_get_info (file);
  const int ensemble = vrg_samples_find (file, input->coupling);
  char *wanted = vrg_param_fingerprint (input, VRG_STAGE_SAMPLE);
  vrg_param_difference (vrg_samples_get_fingerprint (file), wanted, difference, sizeof difference);
  vrg_free (wanted);
  if (info->rows != input->size[0] || info->columns != input->size[1])
    status
      = vrg_error (VRG_FILE, "%s: the lattice is %lld x %lld, the input's %lld x %lld", path, (long long) info->rows,
                   (long long) info->columns, (long long) input->size[0], (long long) input->size[1]);
  else if (ensemble < 0)
    status = vrg_error (VRG_FILE, "%s: has no ensemble at nn = %.17g ([train] coupling)", path, input->coupling);
  else if (difference[0])
    status = vrg_error (VRG_FILE, "%s: of another input: %s; sample again, or use another directory", path, difference);
  else
    status = read_share (grid, file, ensemble, input->batch, row0, row1, dataset);
  vrg_samples_close (file);
  return status;
}

void
vrg_dataset_free (vrg_dataset *d)
{
  if (!d)
    return;
  vrg_free (d->spins);
  vrg_free (d->order);
  vrg_free (d);
}

void
vrg_dataset_shuffle (vrg_dataset *d, const vrg_rng *rng, int64_t epoch)
{
  for (int64_t p = d->position0; p < d->position1; p++)
    {
      const int64_t first = vrg_dataset_stratum (d, p), n = vrg_dataset_stratum (d, p + 1) - first;
      int64_t *order = d->order + (first - d->sample0);
      for (int64_t i = 0; i < n; i++)
        {
          uint64_t random[2];
          vrg_rng_block (rng, VRG_RNG_BATCH, (uint64_t) (first + i), (uint64_t) epoch, 0, random);
          const int64_t j = (int64_t) vrg_rng_below (random[0], (uint64_t) i + 1);
          order[i] = order[j];
          order[j] = first + i;
        }
    }
}

void
vrg_dataset_batch (const vrg_dataset *d, int64_t update, const uint64_t **samples)
{
  for (int64_t p = d->position0; p < d->position1; p++)
    {
      const int64_t place = vrg_dataset_stratum (d, p) - d->sample0 + update;
      samples[p - d->position0] = vrg_dataset_sample (d, d->order[place]);
    }
}
