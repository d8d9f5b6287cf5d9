/* SPDX-License-Identifier: GPL-3.0-or-later
 * Small good files of each kind, made by the code itself, and everything that reads such a file. */
#ifndef VRG_TESTS_FUZZ_GOOD_H
#define VRG_TESTS_FUZZ_GOOD_H

#include "edits.h"

#include <signal.h>
#include <sys/resource.h>

#include "files/checkpoint.h"
#include "files/info.h"
#include "files/model.h"
#include "files/samples.h"

typedef enum
{
  GOOD_SAMPLES,
  GOOD_MODEL,
  GOOD_CHECKPOINT,
  GOOD_KINDS
} good_kind;

static const char *const good_name[GOOD_KINDS] = { "samples.h5", "model.h5", "checkpoint-fuzz.0.h5" };
static const char *const good_print = "sample.seed = 1\n";
static edits_file good_file[GOOD_KINDS];
static vrg_grid *good_grid;
static int64_t good_blocks;

static inline void
good_make_samples (void)
{
  static vrg_input input;
  uint64_t spins[4 * 4] = { 5, 6, 7 };
  vrg_observation observations[4] = { { .bonds = 3 } };
  vrg_samples *samples;
  input = (vrg_input){ .seed = 5, .dimension = 2, .n_size = 2, .size = { 4, 4 }, .n_nn = 2, .nn = { 0.25, 0.1 } };
  input.chains = 2;
  input.interval = 1;
  input.configurations = 4;
  if (vrg_samples_begin (good_grid, scratch_directory, &input, &samples) != VRG_OK)
    abort ();
  for (int e = 0; e < 2; e++)
    if (vrg_samples_write (samples, e, 0, 2, 0, 2, 0, 4, spins, observations) != VRG_OK)
      abort ();
  if (vrg_samples_finish (samples) != VRG_OK)
    abort ();
}

static inline void
good_make_model (void)
{
  vrg_stack *stack = vrg_new (1, sizeof *stack, "a stack");
  stack->layers = 2;
  stack->n_nn = 1;
  stack->nn[0] = 0.4;
  for (int l = 0; l < 2; l++)
    {
      vrg_model *m = stack->layer[l] = vrg_new (1, sizeof *m, "a model");
      *m = (vrg_model){ .type = VRG_MODEL_CONVOLUTION, .rows = l ? 4 : 8, .columns = l ? 4 : 8, .hidden = 1 };
      m->filter = m->stride = 2;
      m->visible1 = 1;
      vrg_model_allocate (m);
    }
  if (vrg_model_write (good_grid, scratch_directory, good_print, stack) != VRG_OK)
    abort ();
  vrg_stack_free (stack);
}

static uint64_t good_spins[24];
static double good_weights[5];

static inline void
good_arrays (vrg_h5_array arrays[2])
{
  arrays[0] = (vrg_h5_array){
    .name = "/lattice/spins", .type = VRG_U64, .rank = 2, .dims = { 6, 4 }, .count = { 6, 4 }, .data = good_spins
  };
  arrays[1] = (vrg_h5_array){ .name = "/weights",
                              .help = "weights",
                              .type = VRG_F64,
                              .rank = 1,
                              .dims = { 5 },
                              .replicated = true,
                              .data = good_weights };
}

static inline void
good_make_checkpoint (void)
{
  vrg_h5_array arrays[2];
  good_arrays (arrays);
  if (vrg_checkpoint_write (good_grid, scratch_directory, "fuzz", good_print, 7, 9, 2, arrays) != VRG_OK)
    abort ();
}

/** Everything that reads such a file, and `info` on it. */
static inline void
good_read (good_kind kind, const char *path)
{
  char *fingerprint = NULL, difference[256];
  vrg_samples *samples = NULL;
  vrg_stack *stack = NULL;
  vrg_h5_array arrays[2];
  int64_t step, bonds[64], magnetisation[64];
  uint64_t spins[256];
  vrg_work work;
  const ssize_t before
    = H5Fget_obj_count ((hid_t) H5F_OBJ_ALL, H5F_OBJ_ALL); /* HDF5 keeps a file that could not be flushed */
  if (kind == GOOD_SAMPLES && vrg_samples_open (MPI_COMM_WORLD, path, &samples) == VRG_OK)
    {
      const vrg_samples_info *info = vrg_samples_get_info (samples);
      vrg_samples_find (samples, 0.1);
      if (info->samples <= 64)
        vrg_samples_read_series (samples, info->ensembles - 1, bonds, magnetisation);
      if (info->words * info->rows <= 256)
        vrg_samples_read_range (samples, 0, info->samples - 1, info->samples, 0, info->rows, spins);
      vrg_observation *all = vrg_new (info->samples, sizeof *all, "observations");
      vrg_samples_read_observations (samples, 0, all);
      vrg_free (all);
      vrg_samples_close (samples);
    }
  if (kind == GOOD_MODEL && vrg_model_read (good_grid, path, &stack, &fingerprint) == VRG_OK)
    vrg_stack_free (stack);
  vrg_free (fingerprint);
  if (kind == GOOD_CHECKPOINT)
    {
      good_arrays (arrays);
      vrg_checkpoint_read (good_grid, scratch_directory, "fuzz", good_print, &step, 2, arrays);
      unlink (scratch_path ("checkpoint-fuzz.0.h5.damaged"));
    }
  else
    vrg_work_look (MPI_COMM_WORLD, scratch_directory, kind == GOOD_SAMPLES ? VRG_STAGE_SAMPLE : VRG_STAGE_TRAIN,
                   good_print, &work, difference);
  vrg_info_print (good_grid, path);
  if (vrg_memory_blocks () != good_blocks || H5Fget_obj_count ((hid_t) H5F_OBJ_ALL, H5F_OBJ_ALL) > before)
    {
      fprintf (stderr, "%lld blocks of memory and %lld objects of HDF5 are left\n",
               (long long) (vrg_memory_blocks () - good_blocks),
               (long long) (H5Fget_obj_count ((hid_t) H5F_OBJ_ALL, H5F_OBJ_ALL) - before));
      abort ();
    }
}

/** Once.  Files end where a fuzzer's should: HDF5 makes them as large as a dataset says. */
static inline void
good_begin (void)
{
  void (*const make[GOOD_KINDS]) (void) = { good_make_samples, good_make_model, good_make_checkpoint };
  const struct rlimit limit = { 64 << 20, 64 << 20 };
  H5dont_atexit (); /* it may crash over files that could not be closed */
  fuzz_begin ();
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &limit);
  setenv ("HDF5_PLUGIN_PRELOAD", "::", 1);
  good_grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  good_blocks = vrg_memory_blocks ();
  for (int kind = 0; kind < GOOD_KINDS; kind++)
    {
      make[kind]();
      const char *path = scratch_path (good_name[kind]);
      vrg_h5 *file;
      edits_take (&good_file[kind], path);
      if (vrg_h5_open (MPI_COMM_WORLD, path, VRG_H5_READ, &file) != VRG_OK || vrg_h5_verify (file) != VRG_OK
          || vrg_h5_close (file) != VRG_OK)
        {
          fprintf (stderr, "a good file is refused: %s\n", vrg_error_text ());
          abort ();
        }
      good_read ((good_kind) kind, path);
      unlink (path);
    }
}

/** An input of a target that edits through the library. */
static inline int
good_input (good_kind kind, const uint8_t *data, size_t size)
{
  fuzz_bytes bytes = { data, size };
  const char *path = scratch_path (good_name[kind]);
  edits_good = &good_file[kind];
  edits_structure (path, &bytes);
  good_read ((good_kind) kind, path);
  unlink (path);
  return 0;
}

#endif
