/* SPDX-License-Identifier: GPL-3.0-or-later
 * samples.h5: written collectively through HDF5, each flush opening and closing the file; read by pread, every rank on
 * its own, since the datasets are contiguous and HDF5 tells where they begin. */
#include "files/samples.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/checksum.h"
#include "files/h5_internal.h"
#include "files/samples_internal.h"

#define FORMAT "vrg-samples"
#define FORMAT_VERSION 2
#define LARGEST_COUNT (INT64_C (1) << 48)

/** A dataset of an ensemble as the file has it. */
static vrg_h5_array
dataset (const vrg_samples_info *info, int ensemble, int set, char name[64])
{
  snprintf (name, 64, "/ensemble-%03d/%s", ensemble, set == VRG_SAMPLES_SPINS ? "spins" : vrg_samples_series[set].name);
  vrg_h5_array array = { .name = name, .dims = { info->samples } };
  if (set == VRG_SAMPLES_SPINS)
    {
      array.help = "bit x % 64 of word x / 64 is column x, 1 = spin +1; sample = time * chains + chain";
      array.axes = "sample row word";
      array.type = VRG_U64;
      array.rank = 3;
      array.dims[1] = info->rows;
      array.dims[2] = info->words;
      return array;
    }
  array.help = vrg_samples_series[set].help;
  array.axes = vrg_samples_series[set].axes;
  array.type = VRG_I64;
  array.rank = vrg_samples_series[set].width > 1 ? 2 : 1;
  array.dims[1] = vrg_samples_series[set].width;
  return array;
}

/* --- the head --- */

#define NUMBERS 13
#define COUPLINGS 3

/** Numbers of the head, in one place for writing and reading. */
static void
numbers (vrg_samples_info *info, int64_t *ensembles, vrg_h5_number list[NUMBERS])
{
  const vrg_h5_number all[NUMBERS] = { { "dimension", &info->dimension, 1, VRG_MAX_DIMENSION },
                                       { "size_0", &info->size[0], 1, LARGEST_COUNT },
                                       { "size_1", &info->size[1], 1, LARGEST_COUNT },
                                       { "size_2", &info->size[2], 1, LARGEST_COUNT },
                                       { "rows", &info->rows, 1, LARGEST_COUNT },
                                       { "columns", &info->columns, 1, LARGEST_COUNT },
                                       { "words", &info->words, 1, LARGEST_COUNT },
                                       { "samples", &info->samples, 1, LARGEST_COUNT },
                                       { "chains", &info->chains, 1, LARGEST_COUNT },
                                       { "interval", &info->interval, 0, INT64_MAX },
                                       { "thermalization", &info->thermalization, 0, INT64_MAX },
                                       { "seed", &info->seed, INT64_MIN, INT64_MAX },
                                       { "ensembles", ensembles, 1, VRG_MAX_COUPLINGS } };
  memcpy (list, all, sizeof all);
}

/** Couplings that all ensembles share. */
static void
shared_couplings (vrg_samples_info *info, const char *names[COUPLINGS], double *values[COUPLINGS])
{
  names[0] = "nnn", values[0] = &info->nnn;
  names[1] = "plaquette", values[1] = &info->plaquette;
  names[2] = "field", values[2] = &info->field;
}

/** Rows and columns of the packed lattice from its sides. */
static void
flatten (const vrg_samples_info *info, int64_t *rows, int64_t *columns)
{
  const int last = (int) info->dimension - 1;
  *columns = info->size[last];
  *rows = last == 0 ? 1 : last == 1 ? info->size[0] : info->size[0] * info->size[1];
}

static void
group_name (char name[32], int ensemble)
{
  snprintf (name, 32, "/ensemble-%03d", ensemble);
}

static int
put_head (vrg_h5 *file, vrg_samples *samples)
{
  vrg_samples_info *info = &samples->info;
  vrg_h5_number list[NUMBERS];
  int64_t ensembles = info->ensembles;
  numbers (info, &ensembles, list);
  int code = vrg_h5_put_head (file, FORMAT, FORMAT_VERSION, samples->fingerprint);
  if (code == VRG_OK)
    code = vrg_h5_put_text (file, "/", "algorithm", vrg_param_algorithm_names[info->algorithm]);
  if (code == VRG_OK)
    code = vrg_h5_put_numbers (file, "/", NUMBERS, list);
  const char *names[COUPLINGS];
  double *values[COUPLINGS];
  shared_couplings (info, names, values);
  for (int i = 0; i < COUPLINGS && code == VRG_OK; i++)
    code = vrg_h5_put_double (file, "/", names[i], *values[i]);
  for (int e = 0; e < info->ensembles && code == VRG_OK; e++)
    {
      char group[32];
      group_name (group, e);
      code = vrg_h5_put_double (file, group, "nn", info->nn[e]);
    }
  return code;
}

static int
get_algorithm (vrg_h5 *file, int *algorithm)
{
  char *name = NULL;
  int code = vrg_h5_get_text (file, "/", "algorithm", &name);
  if (code != VRG_OK)
    return code;
  *algorithm = 0;
  while (vrg_param_algorithm_names[*algorithm] != NULL && strcmp (vrg_param_algorithm_names[*algorithm], name) != 0)
    ++*algorithm;
  code = vrg_h5_agree (file, vrg_param_algorithm_names[*algorithm] != NULL, "unknown algorithm '%.40s'", name);
  vrg_free (name);
  return code;
}

/** Read the head and check its numbers, each and together. */
static int
get_head (vrg_h5 *file, vrg_samples *samples)
{
  vrg_samples_info *info = &samples->info;
  vrg_h5_number list[NUMBERS];
  int64_t ensembles = 0;
  numbers (info, &ensembles, list);
  int code = vrg_h5_get_head (file, FORMAT, FORMAT_VERSION, &samples->fingerprint);
  if (code == VRG_OK)
    code = vrg_h5_get_numbers (file, "/", NUMBERS, list);
  const char *names[COUPLINGS];
  double *values[COUPLINGS];
  shared_couplings (info, names, values);
  for (int i = 0; i < COUPLINGS && code == VRG_OK; i++)
    code = vrg_h5_get_double (file, "/", names[i], values[i]);
  if (code == VRG_OK)
    {
      /* what one number may be, the product of two may not */
      bool good = info->size[0] <= LARGEST_COUNT / info->size[1];
      int64_t rows = 0, columns = 0;
      if (good)
        flatten (info, &rows, &columns);
      good = good && info->rows == rows && info->columns == columns;
      good = good && (info->dimension > 1 || info->size[1] == 1) && (info->dimension > 2 || info->size[2] == 1);
      code = vrg_h5_agree (file, good && info->words == (info->columns + 63) / 64,
                           "its sides and its numbers of rows, columns and words do not fit: the file is damaged");
    }
  if (code == VRG_OK)
    code = get_algorithm (file, &info->algorithm);
  for (int e = 0; e < ensembles && code == VRG_OK; e++)
    {
      char group[32];
      group_name (group, e);
      code = vrg_h5_get_double (file, group, "nn", &info->nn[e]);
    }
  info->ensembles = (int) ensembles;
  return code;
}

/** Check every dataset against the head and the size of the file; note where it begins. */
static int
check_datasets (vrg_h5 *file, vrg_samples *samples)
{
  int code = VRG_OK;
  for (int e = 0; e < samples->info.ensembles; e++)
    for (int set = 0; set < vrg_samples_sets (&samples->info) && code == VRG_OK; set++)
      {
        char name[64];
        vrg_h5_array array = dataset (&samples->info, e, set, name);
        code = vrg_h5_place (file, &array, &samples->offset[e][set]);
      }
  return code;
}

static vrg_samples *
new_samples (MPI_Comm comm)
{
  vrg_samples *samples = vrg_new (1, sizeof *samples, "samples file");
  samples->comm = comm;
  samples->descriptor = -1;
  return samples;
}

void
vrg_samples_close (vrg_samples *samples)
{
  if (samples == NULL)
    return;
  if (samples->descriptor >= 0)
    close (samples->descriptor);
  vrg_free (samples->fingerprint);
  vrg_free (samples);
}

/* --- writing --- */

/** Is there room for the file?  Rank 0 looks. */
static int
check_space (vrg_samples *samples, const char *directory)
{
  const vrg_samples_info *info = &samples->info;
  /* the data, and something for heads and checksums */
  double bytes = (double) info->rows * (double) info->words * 8;
  for (int set = VRG_SAMPLES_BONDS; set < vrg_samples_sets (info); set++)
    bytes += (double) vrg_samples_series[set].width * 8;
  double need = (double) info->ensembles * (double) info->samples * bytes;
  need = need * 1.001 + 1e5;
  double gib = 1024.0 * 1024 * 1024;
  struct statvfs disk;
  int rank, code = VRG_OK;
  VRG_MPI (MPI_Comm_rank (samples->comm, &rank));
  if (rank == 0 && statvfs (directory, &disk) != 0)
    code = vrg_error (VRG_FILE, "%s: cannot be looked at: %s", directory, strerror (errno));
  else if (rank == 0 && (double) disk.f_bavail * (double) disk.f_frsize < need)
    code
      = vrg_error (VRG_FILE,
                   "%s: the samples need %.3g GiB and only %.3g GiB are free on that disk: make room, choose another "
                   "--out or fewer configurations",
                   directory, need / gib, (double) disk.f_bavail * (double) disk.f_frsize / gib);
  return vrg_agree (samples->comm, code);
}

/** Make the whole file under a temporary name, then call it .part: a .part is always complete in its structure. */
static int
create_part (vrg_samples *samples)
{
  char temporary[VRG_PATH_LENGTH + 4];
  snprintf (temporary, sizeof temporary, "%s.tmp", samples->path);
  vrg_h5 *file;
  int code = vrg_h5_open (samples->comm, temporary, VRG_H5_CREATE, &file);
  if (code != VRG_OK)
    return code;
  code = put_head (file, samples);
  for (int e = 0; e < samples->info.ensembles; e++)
    for (int set = 0; set < vrg_samples_sets (&samples->info) && code == VRG_OK; set++)
      {
        char name[64];
        vrg_h5_array array = dataset (&samples->info, e, set, name);
        code = vrg_h5_create (file, &array);
      }
  if (code == VRG_OK)
    {
      vrg_h5_content content;
      code = vrg_h5_prepare_seal (file, &content);
      vrg_h5_content_clear (&content);
    }
  int closed = vrg_h5_close (file);
  if (code == VRG_OK)
    code = closed;
  if (code == VRG_OK)
    code = vrg_file_rename (samples->comm, temporary, samples->path);
  if (code != VRG_OK)
    vrg_file_remove (samples->comm, temporary);
  return code;
}

/** The head of a file against that which its fingerprint promises. */
static int
check_info (const char *path, vrg_samples_info found, vrg_samples_info wanted)
{
  vrg_h5_number have[NUMBERS], want[NUMBERS];
  int64_t ensembles[2] = { found.ensembles, wanted.ensembles };
  const char *names[COUPLINGS];
  double *are[COUPLINGS], *ought[COUPLINGS];
  numbers (&found, &ensembles[0], have);
  numbers (&wanted, &ensembles[1], want);
  shared_couplings (&found, names, are);
  shared_couplings (&wanted, names, ought);
  const char *which = NULL;
  for (int i = NUMBERS - 1; i >= 0; i--)
    which = *have[i].value != *want[i].value ? have[i].name : which;
  for (int i = 0; i < COUPLINGS && which == NULL; i++)
    which = memcmp (are[i], ought[i], sizeof *are[i]) != 0 ? names[i] : NULL;
  if (which == NULL && memcmp (found.nn, wanted.nn, (size_t) found.ensembles * sizeof *found.nn) != 0)
    which = "nn";
  if (which == NULL && found.algorithm != wanted.algorithm)
    which = "algorithm";
  return which == NULL ? VRG_OK
                       : vrg_error (VRG_FILE,
                                    "%s: its attribute %s is not that of the input, though its fingerprint is: it was "
                                    "changed; sample again with --fresh, or take another --out",
                                    path, which);
}

/** Is an existing .part the one that would be made now? */
static int
check_part (const vrg_samples *samples)
{
  vrg_samples *old = new_samples (samples->comm);
  vrg_h5 *file;
  int code = vrg_h5_open (samples->comm, samples->path, VRG_H5_READ, &file);
  if (code == VRG_OK)
    code = get_head (file, old);
  if (code == VRG_OK)
    code = check_datasets (file, old);
  vrg_h5_close (file);
  if (code != VRG_OK)
    {
      char text[1024];
      snprintf (text, sizeof text, "%s", vrg_error_text ());
      vrg_error (code, "%s; use --fresh to begin anew (the old work is kept aside)", text);
    }
  else if (strcmp (old->fingerprint, samples->fingerprint) != 0)
    {
      char difference[256];
      vrg_param_difference (old->fingerprint, samples->fingerprint, difference, sizeof difference);
      code
        = vrg_error (VRG_FILE, "%s: is of other parameters: %s; use --fresh to begin anew (the old work is kept aside)",
                     samples->path, difference);
    }
  else
    code = check_info (samples->path, old->info, samples->info);
  vrg_samples_close (old);
  return code;
}

/** The head of a file of this input. */
static vrg_samples_info
info_of (const vrg_input *input)
{
  vrg_samples_info info = { .dimension = input->dimension,
                            .samples = input->configurations,
                            .chains = input->chains,
                            .interval = input->interval,
                            .thermalization = input->thermalization,
                            .seed = input->seed,
                            .algorithm = input->algorithm,
                            .ensembles = input->n_nn,
                            .nnn = input->nnn,
                            .plaquette = input->plaquette,
                            .field = input->field };
  for (int d = 0; d < VRG_MAX_DIMENSION; d++)
    info.size[d] = d < input->dimension ? input->size[d] : 1;
  flatten (&info, &info.rows, &info.columns);
  info.words = (info.columns + 63) / 64;
  memcpy (info.nn, input->nn, sizeof info.nn);
  return info;
}

int
vrg_samples_begin (const vrg_grid *grid, const char *directory, const vrg_input *input, vrg_samples **result)
{
  *result = NULL;
  vrg_samples *samples = new_samples (grid->file);
  samples->info = info_of (input);
  samples->fingerprint = vrg_param_fingerprint (input, VRG_STAGE_SAMPLE);
  snprintf (samples->final, sizeof samples->final, "%s/samples.h5", directory);
  snprintf (samples->path, sizeof samples->path, "%s/samples.h5.part", directory);

  samples->reopened = vrg_file_exists (grid->file, samples->path);
  samples->counted = !samples->reopened;
  int code;
  if (samples->reopened)
    code = check_part (samples);
  else
    {
      code = check_space (samples, directory);
      if (code == VRG_OK)
        code = create_part (samples);
    }
  if (code == VRG_OK)
    *result = samples;
  else
    vrg_samples_close (samples);
  return code;
}

bool
vrg_samples_reopened (const vrg_samples *samples)
{
  return samples->reopened;
}

/** Where an array [t][c], [t][c][row][word] or [t][c][number] of a rank lies in a dataset of `rank` dimensions. */
typedef struct
{
  int64_t chains, t0, c0, row0;
  int rank;
} placement;

/** Samples t * chains + c: runs of neighbouring chains, one run a time. */
static herr_t
select_runs (hid_t space, const int64_t *start, const int64_t *count, const void *context)
{
  const placement *at = context;
  hsize_t first[3] = { (hsize_t) ((at->t0 + start[0]) * at->chains + at->c0 + start[1]) };
  hsize_t stride[3] = { (hsize_t) at->chains, 1, 1 }, runs[3] = { (hsize_t) count[0], 1, 1 };
  hsize_t block[3] = { (hsize_t) count[1] };
  for (int d = 1; d < at->rank; d++)
    {
      first[d] = (hsize_t) (start[d + 1] + (d == 1 ? at->row0 : 0));
      block[d] = (hsize_t) count[d + 1];
    }
  return H5Sselect_hyperslab (space, H5S_SELECT_SET, first, stride, runs, block);
}

/** Write one dataset: the times that every chain has, then what the last, partial time has. */
static int
write_dataset (vrg_h5 *file, const vrg_samples *samples, int ensemble, int set, const int64_t t[2], const int64_t c[2],
               const int64_t rows[2], const void *data)
{
  const vrg_samples_info *info = &samples->info;
  char name[64];
  vrg_h5_array array = dataset (info, ensemble, set, name);
  int64_t whole = info->samples / info->chains, rest = info->samples % info->chains;
  int64_t end = t[1] < whole ? t[1] : whole;
  int64_t times = data != NULL && end > t[0] ? end - t[0] : 0;
  bool partial = data != NULL && t[0] <= whole && t[1] > whole;
  int64_t chains = c[1] - c[0], last = (c[1] < rest ? c[1] : rest) - c[0];
  int64_t count[4] = { times, chains, set == VRG_SAMPLES_SPINS ? rows[1] - rows[0] : array.dims[1], array.dims[2] };
  placement at = { info->chains, t[0], c[0], set == VRG_SAMPLES_SPINS ? rows[0] : 0, array.rank };
  int64_t item = (array.rank > 1 ? count[2] : 1) * (array.rank > 2 ? count[3] : 1); /* 8-byte words of a sample */

  int code = vrg_h5_move (file, name, array.type, VRG_H5_TO_FILE, array.rank + 1, count, (void *) (intptr_t) data,
                          select_runs, &at);
  if (code != VRG_OK)
    return code;
  const uint64_t *after = partial ? (const uint64_t *) data + times * chains * item : NULL;
  count[0] = partial && last > 0;
  count[1] = last;
  at.t0 = whole;
  return vrg_h5_move (file, name, array.type, VRG_H5_TO_FILE, array.rank + 1, count, (void *) (intptr_t) after,
                      select_runs, &at);
}

/** Add what this rank writes of a dataset: data of times t, chains c, words [word0, word1) of a sample's `words`.  Local. */
static void
count (vrg_samples *samples, uint64_t *sum, const int64_t t[2], const int64_t c[2], int64_t word0, int64_t word1,
       int64_t words, const uint64_t *data)
{
  for (int64_t time = t[0]; time < t[1]; time++)
    for (int64_t chain = c[0]; chain < c[1]; chain++, data += word1 - word0)
      {
        const int64_t s = time * samples->info.chains + chain;
        if (s < samples->info.samples)
          *sum += vrg_checksum (data, word1 - word0, s * words + word0);
      }
}

int
vrg_samples_write (vrg_samples *samples, int ensemble, int64_t t0, int64_t t1, int64_t c0, int64_t c1, int64_t row0,
                   int64_t row1, const uint64_t *spins, const vrg_observation *observations)
{
  const int64_t t[2] = { t0, t1 }, c[2] = { c0, c1 }, rows[2] = { row0, row1 }, n = (t1 - t0) * (c1 - c0);
  VRG_ASSERT (c1 <= samples->info.chains && row1 <= samples->info.rows && ensemble < samples->info.ensembles);
  vrg_h5 *file;
  int code = vrg_h5_open (samples->comm, samples->path, VRG_H5_MODIFY, &file);
  if (code != VRG_OK)
    return code;
  int64_t *numbers = observations ? vrg_new (n * VRG_EVEN_OPERATORS, sizeof *numbers, "series") : NULL;
  for (int set = 0; set < vrg_samples_sets (&samples->info) && code == VRG_OK; set++)
    {
      if (set != VRG_SAMPLES_SPINS && observations)
        vrg_samples_move_series (set, n, (vrg_observation *) (intptr_t) observations, numbers, true);
      const void *data = set == VRG_SAMPLES_SPINS ? (const void *) spins : numbers;
      const int64_t words = samples->info.words, width = vrg_samples_series[set].width;
      code = write_dataset (file, samples, ensemble, set, t, c, rows, data);
      if (data != NULL && set == VRG_SAMPLES_SPINS)
        count (samples, &samples->sums[ensemble][set], t, c, row0 * words, row1 * words, samples->info.rows * words,
               data);
      else if (data != NULL)
        count (samples, &samples->sums[ensemble][set], t, c, 0, width, width, data);
    }
  vrg_free (numbers);
  int closed = vrg_h5_close (file);
  return code != VRG_OK ? code : closed;
}

int
vrg_samples_datasets (const vrg_samples *samples)
{
  return vrg_samples_sets (&samples->info);
}

void
vrg_samples_get_sums (const vrg_samples *samples, uint64_t *sums)
{
  const int sets = vrg_samples_sets (&samples->info), n = samples->info.ensembles * sets;
  for (int i = 0; i < n; i++)
    sums[i] = samples->sums[i / sets][i % sets];
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, sums, n, MPI_UINT64_T, MPI_SUM, samples->comm));
}

void
vrg_samples_set_sums (vrg_samples *samples, const uint64_t *sums)
{
  const int sets = vrg_samples_sets (&samples->info), n = samples->info.ensembles * sets;
  int rank;
  VRG_MPI (MPI_Comm_rank (samples->comm, &rank));
  samples->counted = sums != NULL;
  for (int i = 0; i < n; i++)
    samples->sums[i / sets][i % sets] = sums != NULL && rank == 0 ? sums[i] : 0;
}

void
vrg_samples_clear_sums (vrg_samples *samples)
{
  samples->counted = true;
  memset (samples->sums, 0, sizeof samples->sums);
}

/** Seal, where what was written is known by comparison with that. */
static int
seal (vrg_h5 *file, const vrg_samples *samples)
{
  const int sets = vrg_samples_sets (&samples->info), n = samples->info.ensembles * sets;
  char (*names)[64] = vrg_new (n, sizeof *names, "names of datasets");
  uint64_t *sums = vrg_new (n, sizeof *sums, "checksums");
  vrg_h5_expected *expected = vrg_new (n, sizeof *expected, "checksums");
  vrg_samples_get_sums (samples, sums);
  for (int i = 0; i < n; i++)
    {
      dataset (&samples->info, i / sets, i % sets, names[i]);
      expected[i] = (vrg_h5_expected){ names[i], sums[i] };
    }
  int code = vrg_h5_seal_expected (file, samples->counted ? n : 0, expected);
  vrg_free (expected);
  vrg_free (sums);
  vrg_free (names);
  return code;
}

int
vrg_samples_finish (vrg_samples *samples)
{
  vrg_h5 *file;
  int code = vrg_h5_open (samples->comm, samples->path, VRG_H5_MODIFY, &file);
  if (code == VRG_OK)
    {
      code = seal (file, samples);
      int closed = vrg_h5_close (file);
      if (code == VRG_OK)
        code = closed;
    }
  if (code == VRG_OK)
    code = vrg_file_rename (samples->comm, samples->path, samples->final);
  vrg_samples_close (samples);
  return code;
}

/* --- reading --- */

int
vrg_samples_open (MPI_Comm comm, const char *path, vrg_samples **result)
{
  *result = NULL;
  vrg_samples *samples = new_samples (comm);
  vrg_h5 *file;
  int code = vrg_h5_open (comm, path, VRG_H5_READ, &file);
  if (code == VRG_OK)
    {
      code = get_head (file, samples);
      if (code == VRG_OK)
        code = check_datasets (file, samples);
      if (code == VRG_OK)
        code = vrg_h5_verify (file);
      vrg_h5_close (file);
    }
  if (code == VRG_OK)
    {
      snprintf (samples->path, sizeof samples->path, "%s", path);
      samples->descriptor = open (path, O_RDONLY | O_CLOEXEC);
      code
        = samples->descriptor >= 0 ? VRG_OK : vrg_error (VRG_FILE, "%s: cannot be opened: %s", path, strerror (errno));
      code = vrg_agree (comm, code);
    }
  if (code == VRG_OK)
    *result = samples;
  else
    vrg_samples_close (samples);
  return code;
}

const vrg_samples_info *
vrg_samples_get_info (const vrg_samples *samples)
{
  return &samples->info;
}

int
vrg_samples_check (const vrg_samples *samples, const vrg_input *input)
{
  return check_info (samples->path, samples->info, info_of (input));
}

const char *
vrg_samples_get_fingerprint (const vrg_samples *samples)
{
  return samples->fingerprint;
}

int
vrg_samples_find (const vrg_samples *samples, double nn)
{
  for (int e = 0; e < samples->info.ensembles; e++)
    if (memcmp (&samples->info.nn[e], &nn, sizeof nn) == 0)
      return e;
  return -1;
}
