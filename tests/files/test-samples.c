/* SPDX-License-Identifier: GPL-3.0-or-later
 * samples.h5: every sample in its place whoever wrote it, resume, partial last time, damage.
 * ranks: 1 2 3 4 */
#include "check.h"

#include "files/h5.h"
#include "files/h5_internal.h"
#include "files/samples.h"
#include "scratch.h"

#define ROWS 12
#define COLUMNS 70
#define WORDS 2

static vrg_input
make_input (int64_t chains, int64_t configurations)
{
  vrg_input input;
  memset (&input, 0, sizeof input);
  input.seed = 5;
  input.dimension = 2;
  input.n_size = 2;
  input.size[0] = ROWS;
  input.size[1] = COLUMNS;
  input.n_nn = 2;
  input.nn[0] = 0.25;
  input.nn[1] = 0.1;
  input.nnn = 0.125;
  input.plaquette = -0.5;
  input.chains = chains;
  input.interval = 5;
  input.thermalization = 100;
  input.configurations = configurations;
  return input;
}

/** What is written; of bits that no column uses, reading makes 0. */
static uint64_t
written_at (int e, int64_t s, int64_t row, int64_t word)
{
  return (uint64_t) (((e * 1000 + s) * ROWS + row) * WORDS + word + 1) * UINT64_C (0x9e3779b97f4a7c15);
}

static uint64_t
word_at (int e, int64_t s, int64_t row, int64_t word)
{
  return written_at (e, s, row, word) & (word == WORDS - 1 ? (UINT64_C (1) << COLUMNS % 64) - 1 : UINT64_MAX);
}

static vrg_observation
observation_at (int e, int64_t s)
{
  vrg_observation o = { e * 1000 - s, e * 1000 + s * s, { s, -e }, { 0 } };
  for (int i = 0; i < VRG_EVEN_OPERATORS; i++)
    o.even[i] = 7 * s + i - e;
  return o;
}

/** Write times [t0, t1) of this rank's share of the chains and rows. */
static int
write_times (vrg_samples *samples, const vrg_grid *grid, int e, int64_t t0, int64_t t1)
{
  const vrg_samples_info *info = vrg_samples_get_info (samples);
  int64_t c0, c1, row0, row1;
  vrg_grid_span (info->chains, grid->groups, grid->group, &c0, &c1);
  vrg_grid_span (ROWS, grid->strips, grid->strip, &row0, &row1);
  int64_t n = (t1 - t0) * (c1 - c0);
  uint64_t *spins = vrg_new (n * (row1 - row0) * WORDS, 8, "test"), *at = spins;
  vrg_observation *observations = vrg_new (n, sizeof *observations, "test");
  for (int64_t t = t0; t < t1; t++)
    for (int64_t c = c0; c < c1; c++)
      {
        int64_t s = t * info->chains + c, i = (t - t0) * (c1 - c0) + c - c0;
        observations[i] = observation_at (e, s);
        for (int64_t row = row0; row < row1; row++)
          for (int64_t word = 0; word < WORDS; word++)
            *at++ = written_at (e, s, row, word);
      }
  bool speaks = grid->strip == 0;
  int code = vrg_samples_write (samples, e, t0, t1, c0, c1, row0, row1, spins, speaks ? observations : NULL);
  vrg_free (observations);
  vrg_free (spins);
  return code;
}

/** Read a box of samples and compare; what is after the last sample must stay as it was. */
static bool
box (vrg_samples *samples, int e, int64_t t0, int64_t t1, int64_t c0, int64_t c1, int64_t row0, int64_t row1)
{
  const vrg_samples_info *info = vrg_samples_get_info (samples);
  int64_t n = (t1 - t0) * (c1 - c0) * (row1 - row0) * WORDS;
  uint64_t *spins = vrg_new (n, 8, "test"), *at = spins;
  bool good = vrg_samples_read (samples, e, t0, t1, c0, c1, row0, row1, spins) == VRG_OK;
  for (int64_t t = t0; t < t1; t++)
    for (int64_t c = c0; c < c1; c++)
      for (int64_t row = row0; row < row1; row++)
        for (int64_t word = 0; word < WORDS; word++, at++)
          good
            = good && *at == (t * info->chains + c < info->samples ? word_at (e, t * info->chains + c, row, word) : 0);
  vrg_free (spins);
  return good;
}

static void
read_all (const char *path, int64_t chains, int64_t configurations)
{
  vrg_samples *samples;
  int code = vrg_samples_open (MPI_COMM_WORLD, path, &samples);
  check (code == VRG_OK, "opened: %s", code == VRG_OK ? "" : vrg_error_text ());
  if (code != VRG_OK)
    return;
  const vrg_samples_info *info = vrg_samples_get_info (samples);
  check (info->dimension == 2 && info->size[0] == ROWS && info->size[1] == COLUMNS && info->size[2] == 1
           && info->nnn == 0.125 && info->plaquette == -0.5 && info->field == 0 && info->rows == ROWS
           && info->columns == COLUMNS && info->words == WORDS && info->samples == configurations
           && info->chains == chains && info->interval == 5 && info->thermalization == 100 && info->seed == 5
           && info->ensembles == 2 && info->nn[0] == 0.25 && info->nn[1] == 0.1,
         "what it says of itself");
  check (vrg_samples_find (samples, 0.1) == 1 && vrg_samples_find (samples, 0.25) == 0
           && vrg_samples_find (samples, 0.2) == -1,
         "an ensemble by its coupling");
  int64_t times = (configurations + chains - 1) / chains;
  bool good = true;
  for (int e = 0; e < 2; e++)
    {
      good = box (samples, e, 0, times, 0, chains, 0, ROWS) && box (samples, e, 0, times, 0, chains, 3, 7) && good;
      good = box (samples, e, 0, times, 0, 1, 0, ROWS) && box (samples, e, 1, times, chains / 2, chains, 5, 6) && good;
    }
  check (good, "every sample is in its place");
  uint64_t spins[3 * 2 * WORDS];
  good = vrg_samples_read_range (samples, 1, 4, 7, 2, 4, spins) == VRG_OK;
  for (int i = 0; i < 3 * 2 * WORDS; i++)
    good = good && spins[i] == word_at (1, 4 + i / (2 * WORDS), 2 + i / WORDS % 2, i % WORDS);
  check (good, "a range of samples");
  int64_t *bonds = vrg_new (configurations, 8, "test"), *sums = vrg_new (configurations, 8, "test");
  for (int e = 0; e < 2; e++)
    {
      good = vrg_samples_read_series (samples, e, bonds, sums) == VRG_OK && good;
      for (int64_t s = 0; s < configurations; s++)
        good = good && bonds[s] == e * 1000 - s && sums[s] == e * 1000 + s * s;
    }
  check (good, "the series");
  vrg_observation *observations = vrg_new (configurations, sizeof *observations, "test");
  for (int e = 0; e < 2; e++)
    {
      good = vrg_samples_read_observations (samples, e, observations) == VRG_OK && good;
      for (int64_t s = 0; s < configurations && check_rank_ == 0; s++)
        {
          const vrg_observation expected = observation_at (e, s);
          good = good && memcmp (&observations[s], &expected, sizeof expected) == 0;
        }
    }
  check (good, "all series");
  vrg_free (observations);
  vrg_free (bonds);
  vrg_free (sums);
  vrg_samples_close (samples);
}

/** Write in three runs, with different grids, as a stopped and resumed run does. */
static void
round_trip (int strips, int64_t chains, int64_t configurations)
{
  vrg_input input = make_input (chains, configurations);
  vrg_samples *samples;
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, strips), *other = vrg_grid_new (MPI_COMM_WORLD, check_size_ / strips);
  int64_t times = (configurations + chains - 1) / chains, some = times / 3;
  uint64_t sums[10] = { 0 };
  vrg_file_remove (MPI_COMM_WORLD, scratch_path ("samples.h5"));
  int code = vrg_samples_begin (grid, scratch_directory, &input, &samples);
  check (code == VRG_OK && !vrg_samples_reopened (samples), "begin: %s", code == VRG_OK ? "" : vrg_error_text ());
  code = write_times (samples, grid, 0, 0, some);
  vrg_samples_get_sums (samples, sums);
  vrg_samples_close (samples);
  check (code == VRG_OK && scratch_size (scratch_path ("samples.h5.part")) > 0
           && scratch_size (scratch_path ("samples.h5")) < 0,
         "a first part is written");

  code = vrg_samples_begin (other, scratch_directory, &input, &samples);
  check (code == VRG_OK && vrg_samples_reopened (samples), "begin again, on another grid");
  vrg_samples_set_sums (samples, sums);
  code = write_times (samples, other, 0, some, times);
  if (code == VRG_OK)
    code = write_times (samples, other, 1, 0, some);
  vrg_samples_get_sums (samples, sums);
  if (code == VRG_OK) /* lost, and written again */
    code = write_times (samples, other, 1, some, some + 1);
  vrg_samples_close (samples);
  check (code == VRG_OK, "a second part");

  vrg_h5_set_piece (100); /* so that even these few bytes go in pieces */
  code = vrg_samples_begin (grid, scratch_directory, &input, &samples);
  vrg_samples_set_sums (samples, sums);
  if (code == VRG_OK)
    code = write_times (samples, grid, 1, some, times);
  vrg_h5_set_piece (0);
  if (code == VRG_OK)
    code = vrg_samples_finish (samples);
  check (code == VRG_OK && scratch_size (scratch_path ("samples.h5.part")) < 0, "the rest; finished");
  vrg_grid_free (grid);
  vrg_grid_free (other);
  read_all (scratch_path ("samples.h5"), chains, configurations);
}

/** A bit of each dataset in turn changes between writing and sealing. */
static void
damaged_part (void)
{
  static const char *const names[] = { "spins", "bonds", "magnetisation", "fourier", "even" };
  vrg_input input = make_input (3, 20);
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  for (int i = 0; i < 11; i++)
    {
      vrg_samples *samples;
      char name[64];
      snprintf (name, sizeof name, "/ensemble-%03d/%s", i / 5, names[i % 5]);
      int code = vrg_samples_begin (grid, scratch_directory, &input, &samples);
      for (int e = 0; e < 2 && code == VRG_OK; e++)
        code = write_times (samples, grid, e, 0, 7);
      vrg_h5 *file;
      vrg_h5_content content;
      vrg_h5_open (grid->file, scratch_path ("samples.h5.part"), VRG_H5_READ, &file);
      vrg_h5_look (file, &content);
      int64_t place = 0;
      for (int64_t k = 0; k < content.n; k++)
        if (strcmp (content.items[k].name, name) == 0)
          place = content.items[k].offset + content.items[k].bytes - 3;
      vrg_h5_content_clear (&content);
      vrg_h5_close (file);
      if (i < 10)
        scratch_flip (scratch_path ("samples.h5.part"), place);
      if (i == 10) /* as a run that goes on from an older checkpoint */
        vrg_samples_set_sums (samples, NULL);
      code = vrg_samples_finish (samples);
      if (i < 10)
        check (code == VRG_FILE && strstr (vrg_error_text (), name) != NULL
                 && scratch_size (scratch_path ("samples.h5")) < 0,
               "damaged before it is sealed: %s", vrg_error_text ());
      else
        check (code == VRG_OK, "what is not known is not compared");
      vrg_file_remove (MPI_COMM_WORLD, scratch_path (i < 10 ? "samples.h5.part" : "samples.h5"));
    }
  vrg_grid_free (grid);
}

static void
refused (const char *path, const char *reason)
{
  vrg_samples *samples;
  int code = vrg_samples_open (MPI_COMM_WORLD, path, &samples);
  check (code == VRG_FILE && samples == NULL && strstr (vrg_error_text (), reason) != NULL, "refused: %s",
         check_rank_ == 0 ? vrg_error_text () : "");
  if (code == VRG_OK)
    vrg_samples_close (samples);
}

/** Change an attribute of the finished file, and put it back. */
static void
with_attribute (const char *path, const char *name, int64_t value, const char *reason)
{
  vrg_h5 *file;
  int64_t old = 0;
  vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_MODIFY, &file);
  vrg_h5_get_int (file, "/", name, &old);
  vrg_h5_put_int (file, "/", name, value);
  vrg_h5_close (file);
  refused (path, reason);
  vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_MODIFY, &file);
  vrg_h5_put_int (file, "/", name, old);
  vrg_h5_close (file);
}

static void
damage (void)
{
  const char *path = scratch_path ("samples.h5");
  refused (scratch_path ("none.h5"), "No such file");
  with_attribute (path, "format_version", 1, "format version 1");
  with_attribute (path, "rows", 0, "impossible");
  with_attribute (path, "rows", ROWS + 1, "do not fit");
  with_attribute (path, "samples", INT64_MAX, "impossible");
  with_attribute (path, "samples", INT64_C (1) << 47, "expected is");
  with_attribute (path, "columns", 1000, "do not fit");
  with_attribute (path, "ensembles", 3, "missing");
  with_attribute (path, "ensembles", 1 << 30, "impossible");
  with_attribute (path, "seed", 6, "attribute is damaged");

  vrg_h5 *file;
  vrg_h5_content content;
  int64_t offset = 0;
  vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_READ, &file);
  vrg_h5_look (file, &content);
  for (int64_t i = 0; i < content.n; i++)
    if (strcmp (content.items[i].name, "/ensemble-001/spins") == 0)
      offset = content.items[i].offset;
  vrg_h5_content_clear (&content);
  vrg_h5_close (file);
  scratch_flip (path, offset + 100);
  refused (path, "/ensemble-001/spins is damaged");
  scratch_flip (path, offset + 100);
  scratch_truncate (path, scratch_size (path) - 8);
  refused (path, "truncated");
  scratch_truncate (path, 0);
  refused (path, "is empty");
}

/** One and three dimensions: other shapes, no even operators. */
static void
other_dimensions (int64_t dimension)
{
  vrg_input input = make_input (2, 3);
  input.dimension = input.n_size = (int) dimension;
  input.size[0] = dimension == 1 ? COLUMNS : 3;
  input.size[1] = 4;
  input.size[2] = COLUMNS;
  vrg_samples *samples;
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  const int64_t rows = dimension == 1 ? 1 : 12, mine = check_rank_ == 0;
  uint64_t *spins = vrg_new (4 * rows * WORDS, 8, "test"), *read = vrg_new (3 * rows * WORDS, 8, "test");
  vrg_observation written[4] = { 0 }, series[3];
  for (int64_t i = 0; i < 4 * rows * WORDS; i++)
    spins[i] = word_at (1, i / WORDS, 0, i % WORDS);
  for (int64_t s = 0; s < 4; s++)
    written[s] = observation_at (0, s);
  vrg_file_remove (MPI_COMM_WORLD, scratch_path ("samples.h5"));
  int code = vrg_samples_begin (grid, scratch_directory, &input, &samples);
  for (int e = 0; e < 2 && code == VRG_OK; e++)
    code = vrg_samples_write (samples, e, 0, 2 * mine, 0, 2 * mine, 0, rows * mine, spins, mine ? written : NULL);
  if (code == VRG_OK)
    code = vrg_samples_finish (samples);
  check (code == VRG_OK, "%d dimension(s): written", (int) dimension);
  code = vrg_samples_open (MPI_COMM_WORLD, scratch_path ("samples.h5"), &samples);
  check (code == VRG_OK, "opened: %s", code == VRG_OK ? "" : vrg_error_text ());
  if (code == VRG_OK)
    {
      const vrg_samples_info *info = vrg_samples_get_info (samples);
      bool good = info->dimension == dimension && info->rows == rows && info->columns == COLUMNS
                  && info->size[0] == input.size[0] && info->size[1] == (dimension == 1 ? 1 : 4)
                  && info->size[2] == (dimension == 1 ? 1 : COLUMNS);
      check (good, "its shape");
      good = vrg_samples_read_range (samples, 1, 0, 3, 0, rows, read) == VRG_OK
             && memcmp (read, spins, (size_t) (3 * rows * WORDS) * 8) == 0;
      check (good, "its spins");
      good = vrg_samples_read_observations (samples, 1, series) == VRG_OK;
      for (int s = 0; s < 3 && mine; s++)
        good = good && series[s].bonds == written[s].bonds && series[s].fourier[0] == written[s].fourier[0]
               && series[s].fourier[1] == written[s].fourier[1] && series[s].even[6] == 0;
      check (good, "its series");
      vrg_samples_close (samples);
      with_attribute (scratch_path ("samples.h5"), "dimension", 2, "do not fit");
      with_attribute (scratch_path ("samples.h5"), "size_0", INT64_C (1) << 47, "do not fit");
    }
  vrg_free (read);
  vrg_free (spins);
  vrg_grid_free (grid);
}

static void
other_work (void)
{
  vrg_input input = make_input (3, 20);
  vrg_samples *samples;
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  vrg_samples_begin (grid, scratch_directory, &input, &samples);
  vrg_samples_close (samples);
  input.interval = 6;
  int code = vrg_samples_begin (grid, scratch_directory, &input, &samples);
  check (code == VRG_FILE && strstr (vrg_error_text (), "interval") != NULL
           && strstr (vrg_error_text (), "--fresh") != NULL,
         "a .part of other parameters: %s", check_rank_ == 0 ? vrg_error_text () : "");
  input.interval = 5;
  for (int64_t interval = 6; interval >= 5; interval--)
    {
      vrg_h5 *file;
      check (vrg_h5_open (grid->file, scratch_path ("samples.h5.part"), VRG_H5_MODIFY, &file) == VRG_OK
               && vrg_h5_put_int (file, "/", "interval", interval) == VRG_OK && vrg_h5_close (file) == VRG_OK,
             "interval = %d in the .part", (int) interval);
      code = vrg_samples_begin (grid, scratch_directory, &input, &samples);
      check (interval == 5 ? code == VRG_OK
                           : code == VRG_FILE && strstr (vrg_error_text (), "its attribute interval is not") != NULL,
             "its head is compared with the input");
    }
  vrg_samples_close (samples);
  scratch_truncate (scratch_path ("samples.h5.part"), 3000);
  code = vrg_samples_begin (grid, scratch_directory, &input, &samples);
  check (code == VRG_FILE && strstr (vrg_error_text (), "--fresh") != NULL, "a .part that is cut short");
  vrg_file_remove (MPI_COMM_WORLD, scratch_path ("samples.h5.part"));
  input.configurations = INT64_C (1) << 40;
  code = vrg_samples_begin (grid, scratch_directory, &input, &samples);
  check (code == VRG_FILE && strstr (vrg_error_text (), "free on that disk") != NULL
           && scratch_size (scratch_path ("samples.h5.part")) < 0,
         "more than the disk holds: %s", check_rank_ == 0 ? vrg_error_text () : "");
  input.configurations = 20;
  code = vrg_samples_begin (grid, scratch_path ("none"), &input, &samples);
  check (code == VRG_FILE, "a directory that is missing");
  vrg_grid_free (grid);
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  scratch_begin ();
  damaged_part ();
  for (int strips = 1; strips <= check_size_; strips++)
    if (check_size_ % strips == 0)
      {
        round_trip (strips, 5, 48); /* the last time has three chains */
        round_trip (strips, 1, 9);
      }
  round_trip (1, 4, 40);
  round_trip (1, 20, 13); /* fewer samples than chains */
  other_dimensions (1);
  other_dimensions (3);
  round_trip (1, 20, 13);
  damage ();
  other_work ();
  scratch_end ();
  return check_end ();
}
