/* SPDX-License-Identifier: GPL-3.0-or-later
 * A run's directory, one file of which is edited: what training goes on from, what flow takes, what the report, `combine`,
 * `export` and `status` read.  The first byte chooses the file. */
#include "edits.h"

#include <signal.h>
#include <sys/resource.h>

#include "files/export.h"
#include "files/lock.h"
#include "files/status.h"
#include "flow/finished.h"
#include "flow/flow.h"
#include "report/report.h"
#include "sample/sample.h"
#include "train/train.h"

/** Files that are edited, and the directory: `work` has a stage to do, `done` is finished. */
static const struct
{
  const char *path;
  bool text;
} kinds[] = {
  { "work/checkpoint-train.0.h5", false },
  { "work/samples.h5", false },
  { "done/samples.h5", false },
  { "done/model.h5", false },
  { "done/flow.h5", false },
  { "done/sample.tsv", true },
  { "done/train.tsv", true },
  { "done/couplings.tsv", true },
  { "done/exponents.tsv", true },
  { "done/lock", true },
};
#define KINDS (sizeof kinds / sizeof *kinds)

static edits_file good[KINDS];
static vrg_grid *grid;
static vrg_input input;

static void
run_stages (const char *directory)
{
  vrg_stop stop;
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1e6);
  if (vrg_train (MPI_COMM_WORLD, &input, scratch_path (directory), &stop) == VRG_OK)
    vrg_flow (MPI_COMM_WORLD, &input, scratch_path (directory), &stop);
}

/** Take the bytes of a file as good ones. */
static void
take_bytes (edits_file *file, const char *path)
{
  FILE *stream = fopen (path, "rb");
  if (stream == NULL)
    abort ();
  file->size = fread (file->bytes, 1, sizeof file->bytes, stream);
  fclose (stream);
}

/** What a run leaves in `done` (of a ring: the report would look for fixed points of a square, for seconds); in `work` the samples, and a checkpoint in the second layer. */
static void
make_good (void)
{
  char lock[512 + 256];
  const char *text
    = "[lattice]\ndimension = 1\nsize = 16\n[couplings]\nnn = 0.4 0.5\n[sample]\nchains = 2\nthermalization = 2\n"
      "interval = 1\nconfigurations = 16\n[train]\nmodel = dense\nhidden = 4 3\ncoupling = 0.4\nsteps = 1\n"
      "batch = 4\nepochs = 2\nanalysis = no\n[flow]\nrules = majority\nlevels = 1\neven = nn nnn\n"
      "odd = spin\nfitted = nn\nblocks = 2\nrbm_steps = 0\n";
  vrg_stop stop;
  vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 1e6);
  mkdir (scratch_path ("done"), 0700);
  mkdir (scratch_path ("work"), 0700);
  if (vrg_param_parse ("fuzz.ini", text, 0, NULL, &input) != VRG_OK
      || vrg_sample (MPI_COMM_WORLD, &input, scratch_path ("done"), &stop) != VRG_OK)
    {
      fprintf (stderr, "no good run: %s\n", vrg_error_text ());
      abort ();
    }
  run_stages ("done");
  take_bytes (&good[1], scratch_path ("done/samples.h5"));
  edits_put (scratch_path (kinds[1].path), good[1].bytes, good[1].size);
  for (int i = 0; i < 6; i++) /* of 6 updates a layer, or a few */
    {
      vrg_stop_init (&stop, MPI_COMM_WORLD, 0, 0);
      stop.deadline = 0;
      const int status = vrg_train (MPI_COMM_WORLD, &input, scratch_path ("work"), &stop);
      if (status != VRG_STOPPED)
        {
          fprintf (stderr, "no checkpoint after %d updates: %d, %s\n", i, status, vrg_error_text ());
          abort ();
        }
      rename (scratch_path ("work/checkpoint-train.1.h5"), scratch_path ("work/checkpoint-train.0.h5"));
    }
  memset (lock, '\n', sizeof lock);
  snprintf (lock, sizeof lock, "vrg lock 1\ntoken %016llx\nbeat %010u\nranks 1\nsince 1\npart 1 2 3 sweeps\nwhat x\n",
            1ULL, 1u);
  lock[strlen (lock)] = '\n';
  snprintf (lock + 512, 256, "host/pid:[1] 1 1");
  memset (lock + 512 + 16, ' ', 239);
  edits_put (scratch_path ("done/lock"), (const uint8_t *) lock, sizeof lock);
}

/** Change a text: bytes, pieces of it, numbers. */
static void
edit_text (const char *path, fuzz_bytes *b)
{
  static uint8_t text[2 * EDITS_LARGEST];
  size_t size = edits_good->size;
  memcpy (text, edits_good->bytes, size);
  while (b->size > 0 && size > 0 && size < EDITS_LARGEST)
    {
      const unsigned what = fuzz_byte (b) % 4;
      const size_t at = (size_t) (fuzz_byte (b) << 8 | fuzz_byte (b)) % size;
      char piece[64] = "";
      size_t gone = 0;
      if (what == 0)
        gone = fuzz_byte (b) % 32;
      else if (what == 1)
        for (unsigned n = 0, most = fuzz_byte (b) % 8; n < most; n++)
          piece[n] = (char) (fuzz_byte (b) | (b->size % 2 == 0));
      else /* a cell, or a word */
        {
          snprintf (piece, sizeof piece, what == 2 ? "%lld" : "%lld.5e%d", (long long) fuzz_number (b),
                    (int) (fuzz_byte (b) % 64) - 16);
          while (at + gone < size && text[at + gone] != '\t' && text[at + gone] != '\n' && text[at + gone] != ' ')
            gone++;
        }
      gone = at + gone < size ? gone : size - at;
      memmove (text + at + strlen (piece), text + at + gone, size - at - gone);
      memcpy (text + at, piece, strlen (piece));
      size = size - gone + strlen (piece);
    }
  edits_put (path, text, size);
}

/** All that reads such a directory. */
static void
read_done (size_t kind, unsigned object)
{
  vrg_finished run;
  vrg_lock_view view;
  vrg_status_row rows[VRG_STATUS_STAGES];
  const char *directory = scratch_path ("done");
  vrg_report (grid, directory);
  vrg_finished_read (grid, directory, &run);
  vrg_finished_clear (&run);
  vrg_lock_look (directory, &view);
  vrg_status_look (directory, rows);
  if (kinds[kind].text)
    return;
  const char *path = scratch_path (kinds[kind].path);
  vrg_export what = { .path = path };
  vrg_export_file (MPI_COMM_WORLD, &what);
  what.object = good[kind].object[object % (unsigned) good[kind].n].name;
  vrg_export_file (MPI_COMM_WORLD, &what);
  what.xdmf = scratch_path ("lattice.xdmf");
  vrg_export_file (MPI_COMM_WORLD, &what);
}

int
LLVMFuzzerInitialize (int *argc, char ***argv)
{
  const struct rlimit limit = { 64 << 20, 64 << 20 };
  (void) argc;
  (void) argv;
  H5dont_atexit ();
  fuzz_begin ();
  signal (SIGXFSZ, SIG_IGN);
  setrlimit (RLIMIT_FSIZE, &limit);
  setenv ("HDF5_PLUGIN_PRELOAD", "::", 1);
  grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  make_good ();
  setenv ("PATH", "", 1); /* no gnuplot: its scripts are written all the same */
  for (size_t kind = 0; kind < KINDS; kind++)
    if (kinds[kind].text)
      take_bytes (&good[kind], scratch_path (kinds[kind].path));
    else
      edits_take (&good[kind], scratch_path (kinds[kind].path));
  return 0;
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  fuzz_bytes bytes = { data, size };
  const size_t kind = fuzz_byte (&bytes) % KINDS;
  const unsigned object = fuzz_byte (&bytes);
  const char *path = scratch_path (kinds[kind].path);
  const int64_t blocks = vrg_memory_blocks ();
  const ssize_t before = H5Fget_obj_count ((hid_t) H5F_OBJ_ALL, H5F_OBJ_ALL);
  edits_good = &good[kind];
  if (kinds[kind].text)
    edit_text (path, &bytes);
  else
    edits_structure (path, &bytes);
  if (strncmp (kinds[kind].path, "work", 4) == 0)
    {
      run_stages ("work");
      scratch_remove (scratch_path ("work"));
      mkdir (scratch_path ("work"), 0700);
      for (size_t k = 0; k < 2; k++)
        edits_put (scratch_path (kinds[k].path), good[k].bytes, good[k].size);
    }
  else
    read_done (kind, object);
  edits_put (scratch_path (kinds[kind].path), good[kind].bytes, good[kind].size);
  if (vrg_memory_blocks () != blocks || H5Fget_obj_count ((hid_t) H5F_OBJ_ALL, H5F_OBJ_ALL) > before)
    {
      fprintf (stderr, "%lld blocks of memory and %lld objects of HDF5 are left\n",
               (long long) (vrg_memory_blocks () - blocks),
               (long long) (H5Fget_obj_count ((hid_t) H5F_OBJ_ALL, H5F_OBJ_ALL) - before));
      abort ();
    }
  return 0;
}
