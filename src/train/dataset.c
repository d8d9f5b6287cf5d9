/* SPDX-License-Identifier: GPL-3.0-or-later
 * What a layer is trained on. */
#include "train/dataset.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "lattice/lattice.h"

#define READ_AT_ONCE (INT64_C (1) << 17) /* words */

void
vrg_bits_take (uint64_t *to, const uint64_t *from, int64_t first, int64_t n)
{
  const int shift = (int) (first % 64);
  const int64_t last = first + n - 1;
  for (int64_t k = 0; k < (n + 63) / 64; k++)
    {
      const int64_t at = first / 64 + k;
      to[k] = from[at] >> shift;
      if (shift && at < last / 64)
        to[k] |= from[at + 1] << (64 - shift);
    }
  if (n % 64)
    to[n / 64] &= (UINT64_C (1) << n % 64) - 1;
}

void
vrg_bits_put (uint64_t *to, int64_t first, const uint64_t *from, int64_t n)
{
  for (int64_t i = 0; i < n; i++)
    to[(first + i) / 64] |= (from[i / 64] >> i % 64 & 1) << (first + i) % 64;
}

/* ---------------------------------------------------------------- reading */

/** What is needed while samples are read. */
typedef struct
{
  const vrg_input *input;
  const vrg_rng *rng;
  vrg_samples *file;
  int ensemble[VRG_MAX_COUPLINGS]; /* of the file */
  int64_t row0, row1, words;       /* this rank's rows */
  uint8_t *old, *new_;             /* the spins of a lattice, for permuting */
  uint64_t *random;
} reader;

/** Sample `number`, a whole lattice, with its spins permuted; this rank's rows to `to`. */
static void
permute (const reader *r, int64_t number, int64_t rows, int64_t columns, const uint64_t *from, uint64_t *to)
{
  const int64_t sites = rows * columns;
  for (int64_t i = 0; i < sites; i++)
    r->old[i] = (uint8_t) (from[i / columns * r->words + i % columns / 64] >> i % columns % 64 & 1);
  vrg_rng_fill (r->rng, VRG_RNG_PERMUTE, (uint64_t) (number * sites), sites, 0, 0, r->random);
  for (int64_t i = 0; i < sites; i++)
    {
      const int64_t j = (int64_t) vrg_rng_below (r->random[2 * i], (uint64_t) i + 1);
      r->new_[i] = r->new_[j];
      r->new_[j] = r->old[i];
    }
  memset (to, 0, (size_t) ((r->row1 - r->row0) * r->words) * sizeof *to);
  for (int64_t i = r->row0 * columns; i < r->row1 * columns; i++)
    to[(i / columns - r->row0) * r->words + i % columns / 64] |= (uint64_t) r->new_[i] << i % columns % 64;
}

/** Numbers [from, to), which count from sample `first` of each ensemble, into spins [to - from][words of a rank]; `base`:
 *  number of the first of all, for permuting.  Local. */
static int
read_numbers (reader *r, int64_t first, int64_t base, int64_t from, int64_t to, uint64_t *spins)
{
  const vrg_samples_info *info = vrg_samples_get_info (r->file);
  const int ensembles = r->input->n_coupling;
  const int64_t row0 = r->input->permute ? 0 : r->row0, row1 = r->input->permute ? info->rows : r->row1;
  const int64_t size = (row1 - row0) * r->words, own = (r->row1 - r->row0) * r->words;
  const int64_t at_once = size < READ_AT_ONCE ? READ_AT_ONCE / (size > 0 ? size : 1) : 1;
  uint64_t *buffer = vrg_new (at_once * size, sizeof *buffer, "configurations being read");
  int code = VRG_OK;
  for (int e = 0; e < ensembles && code == VRG_OK && size > 0; e++)
    {
      /* number = index * ensembles + e */
      const int64_t index0 = (from - e + ensembles - 1) / ensembles, index1 = (to - e + ensembles - 1) / ensembles;
      for (int64_t index = index0; index < index1 && code == VRG_OK; index += at_once)
        {
          const int64_t end = index + at_once < index1 ? index + at_once : index1;
          code = vrg_samples_read_range (r->file, r->ensemble[e], first + index, first + end, row0, row1, buffer);
          for (int64_t i = index; i < end && code == VRG_OK; i++)
            {
              const int64_t number = i * ensembles + e;
              const uint64_t *sample = buffer + (i - index) * size;
              uint64_t *place = spins + (number - from) * own;
              if (r->input->permute)
                permute (r, base + number, info->rows, info->columns, sample, place);
              else
                memcpy (place, sample, (size_t) size * sizeof *place);
            }
        }
    }
  vrg_free (buffer);
  return code;
}

/** The samples to judge by. */
static void
gather_tests (vrg_dataset *d)
{
  const bool any = d->held > 0;
  const int64_t train = d->sample1 - d->sample0;
  d->test_total = any ? d->held : d->samples;
  for (int64_t i = 0; i < d->tests; i++)
    {
      d->test[i] = d->spins + ((any ? train : 0) + i) * d->words;
      d->test_number[i] = (any ? d->held0 : d->sample0) + i;
    }
}

/** This rank's share of all ensembles.  Collective. */
static int
read_share (const vrg_grid *grid, reader *r, vrg_dataset **result)
{
  const vrg_input *input = r->input;
  const vrg_samples_info *info = vrg_samples_get_info (r->file);
  const int64_t held = vrg_input_held_out (input), kept = info->samples - held;
  vrg_dataset *d = vrg_new (1, sizeof *d, "a dataset");
  *d = (vrg_dataset){ .samples = kept * input->n_coupling, .held = held * input->n_coupling, .batch = input->batch };
  d->updates = d->samples / d->batch;
  const bool full = input->model == VRG_MODEL_DENSE && d->batch >= (int64_t) VRG_LAYER_LANES * grid->groups;
  vrg_grid_share (d->batch, full ? VRG_LAYER_LANES : 1, grid->groups, grid->group, &d->position0, &d->position1);
  d->sample0 = vrg_dataset_stratum (d, d->position0);
  d->sample1 = vrg_dataset_stratum (d, d->position1);
  vrg_grid_span (d->held, grid->groups, grid->group, &d->held0, &d->held1);
  const int64_t train = d->sample1 - d->sample0, test = d->held1 - d->held0;
  const int64_t sites = input->permute ? info->rows * info->columns : 0;
  d->words = (r->row1 - r->row0) * r->words;
  d->spins = vrg_new ((train + test) * d->words, sizeof (uint64_t), "configurations");
  d->order = vrg_new (train, sizeof (int64_t), "the order of configurations");
  d->tests = d->held > 0 ? test : train;
  d->test = vrg_new (d->tests, sizeof *d->test, "the order of configurations");
  d->test_number = vrg_new (d->tests, sizeof (int64_t), "the order of configurations");
  r->old = vrg_new (sites, 1, "a permutation");
  r->new_ = vrg_new (sites, 1, "a permutation");
  r->random = vrg_new (2 * sites, sizeof (uint64_t), "a permutation");
  int code = read_numbers (r, 0, 0, d->sample0, d->sample1, d->spins);
  if (code == VRG_OK)
    code = read_numbers (r, kept, d->samples, d->held0, d->held1, d->spins + train * d->words);
  code = vrg_agree (grid->world, code);
  vrg_free (r->old);
  vrg_free (r->new_);
  vrg_free (r->random);
  gather_tests (d);
  if (code == VRG_OK)
    *result = d;
  else
    vrg_dataset_free (d);
  return code;
}

/** Is the file of this input, and large enough?  Same on every rank. */
static int
check (const char *path, reader *r)
{
  const vrg_input *input = r->input;
  const vrg_samples_info *info = vrg_samples_get_info (r->file);
  char difference[256];
  int64_t rows, columns, plane;
  vrg_lattice_flat ((int) input->dimension, input->size, &rows, &columns, &plane);
  char *wanted = vrg_param_fingerprint (input, VRG_STAGE_SAMPLE);
  vrg_param_difference (vrg_samples_get_fingerprint (r->file), wanted, difference, sizeof difference);
  vrg_free (wanted);
  if (info->dimension != input->dimension || info->rows != rows || info->columns != columns)
    return vrg_error (
      VRG_FILE,
      "%s: the lattice is %lld x %lld, the input's %lld x %lld: take the input it was made with, or another --out",
      path, (long long) info->rows, (long long) info->columns, (long long) rows, (long long) columns);
  for (int e = 0; e < input->n_coupling; e++)
    {
      r->ensemble[e] = vrg_samples_find (r->file, input->coupling[e]);
      if (r->ensemble[e] < 0)
        return vrg_error (
          VRG_FILE, "%s: has no ensemble at nn = %.15g, which [train] coupling asks for: take one of [couplings] nn",
          path, input->coupling[e]);
    }
  if (difference[0])
    return vrg_error (VRG_FILE, "%s: of another input: %s; sample again with --fresh, or take another --out", path,
                      difference);
  const int status = vrg_samples_check (r->file, input);
  if (status != VRG_OK)
    return status;
  const int64_t kept = info->samples - vrg_input_held_out (input);
  if (kept * input->n_coupling < input->batch)
    return vrg_error (VRG_USAGE,
                      "%s: %lld configurations to train on are fewer than a batch of %lld: lower [train] batch", path,
                      (long long) (kept * input->n_coupling), (long long) input->batch);
  return VRG_OK;
}

int
vrg_dataset_open (const vrg_grid *grid, const vrg_input *input, const char *directory, const vrg_rng *rng,
                  vrg_dataset **dataset)
{
  char path[VRG_PATH_LENGTH + 32];
  reader r = { .input = input, .rng = rng };
  snprintf (path, sizeof path, "%s/samples.h5", directory);
  int status = vrg_samples_open (grid->file, path, &r.file);
  if (status != VRG_OK)
    return status;
  const vrg_samples_info *info = vrg_samples_get_info (r.file);
  const bool dense = input->model == VRG_MODEL_DENSE;
  r.words = info->words;
  vrg_grid_span (info->rows, dense ? grid->strips : 1, dense ? grid->strip : 0, &r.row0, &r.row1);
  status = check (path, &r);
  if (status == VRG_OK)
    status = read_share (grid, &r, dataset);
  vrg_samples_close (r.file);
  return status;
}

void
vrg_dataset_free (vrg_dataset *d)
{
  if (!d)
    return;
  vrg_free (d->spins);
  vrg_free (d->order);
  vrg_free (d->test);
  vrg_free (d->test_number);
  vrg_free (d);
}

/* ---------------------------------------------------------------- the next layer's data */

void
vrg_dataset_climb (vrg_dataset *d, const vrg_grid *grid, const vrg_layer *layer, const vrg_rng *rng)
{
  enum
  {
    LANES = 256
  };
  const vrg_model *model = layer->model;
  const bool dense = model->type == VRG_MODEL_DENSE;
  const vrg_layer_size size = vrg_layer_sizes (layer, LANES);
  int64_t unit0 = 0, unit1 = model->hidden;
  if (dense)
    vrg_grid_span (model->hidden, grid->strips, grid->strip, &unit0, &unit1);
  const int64_t all
    = dense ? (model->hidden + 63) / 64 : vrg_model_hidden_rows (model) * ((model->columns / model->stride + 63) / 64),
    own = dense ? (unit1 - unit0 + 63) / 64 : all, train = d->sample1 - d->sample0, n = train + d->held1 - d->held0;
  uint64_t *spins = vrg_new (n * own, sizeof *spins, "hidden units as data"),
           *row = vrg_new (all, sizeof *row, "hidden units as data");
  int32_t *v = vrg_new (size.visible, sizeof *v, "units"), *h = vrg_new (size.hidden, sizeof *h, "units"),
          *fields = vrg_new (size.hidden_fields, sizeof *fields, "fields");
  const uint64_t *samples[LANES];
  for (int64_t k = 0; k < n;)
    {
      /* whole vectors but for the first and the last of a kind */
      const bool held = k >= train;
      const int64_t number = held ? d->samples + d->held0 + (k - train) : d->sample0 + k, left = (held ? n : train) - k;
      const int64_t room = LANES - number % VRG_LAYER_LANES;
      const vrg_piece piece = vrg_piece_of (number, left < room ? left : room);
      for (int64_t s = 0; s < piece.n; s++)
        samples[s] = d->spins + (k + s) * d->words;
      vrg_layer_unpack (layer, piece, samples, v);
      vrg_layer_hidden_fields (layer, piece, v, fields);
      vrg_layer_hidden_sample (layer, rng, piece, 0, 0, fields, h);
      for (int64_t s = 0; s < piece.n; s++)
        {
          vrg_layer_pack_hidden (layer, piece, h, s, row);
          if (dense)
            vrg_bits_take (spins + (k + s) * own, row, unit0, unit1 - unit0);
          else
            memcpy (spins + (k + s) * own, row, (size_t) own * sizeof *row);
        }
      k += piece.n;
    }
  vrg_free (d->spins);
  d->spins = spins;
  d->words = own;
  gather_tests (d);
  vrg_free (row);
  vrg_free (v);
  vrg_free (h);
  vrg_free (fields);
}

/* ---------------------------------------------------------------- minibatches */

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
      samples[p - d->position0] = d->spins + (d->order[place] - d->sample0) * d->words;
    }
}
