/* SPDX-License-Identifier: GPL-3.0-or-later
 * Configurations and their block spins, as pictures. */
#include "report/blocks.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/h5.h"
#include "flow/learnt.h"
#include "report/gnuplot.h"

#define LARGEST (INT64_C (1) << 26) /* sites of a lattice that is read for a picture */
#define WINDOW 128                  /* sites a side of what is shown of a larger lattice */
#define PANEL 128                   /* pixels */
#define GAP 10
#define LEFT 116 /* room for labels */
#define TOP 40

static double
critical_of (const vrg_input *input)
{
  return input->dimension == 2 ? VRG_CRITICAL_2D : VRG_CRITICAL_3D;
}

/** Which ensembles and samples. */
static void
choose (const vrg_input *input, vrg_report_blocks *b, int ensemble[VRG_BLOCKS_PICTURES])
{
  int low = 0, high = 0, near = 0;
  for (int k = 1; k < input->n_nn; k++)
    {
      const double critical = critical_of (input);
      low = input->nn[k] < input->nn[low] ? k : low;
      high = input->nn[k] > input->nn[high] ? k : high;
      near = fabs (input->nn[k] - critical) < fabs (input->nn[near] - critical) ? k : near;
    }
  const int all[VRG_BLOCKS_PICTURES] = { low, near, high };
  for (int i = 0; i < VRG_BLOCKS_PICTURES; i++)
    if (i == 0 || all[i] != all[i - 1])
      ensemble[b->pictures++] = all[i];
  if (b->pictures == 1 && input->configurations > 1)
    ensemble[b->pictures++] = all[0];
  for (int i = 0; i < b->pictures; i++)
    {
      b->nn[i] = input->nn[ensemble[i]];
      b->sample[i] = input->configurations - 1 - (i > 0 && ensemble[i] == ensemble[i - 1]);
    }
}

/** The input that is blocked: its first rules, without those that have no filter. */
static void
trim_rules (vrg_input *input, bool learnt)
{
  int n = 0;
  for (int i = 0; i < input->n_rules; i++)
    {
      const bool needs = input->rules[i] == VRG_LEARNT || input->rules[i] == VRG_LEARNT_SIGN;
      if (n < VRG_BLOCKS_RULES && (learnt || !needs))
        input->rules[n++] = input->rules[i];
    }
  input->n_rules = n;
}

/** The part of a blocked sample that is shown; the first plane in three dimensions. */
static unsigned char *
cut (const vrg_lattice *lattice, int64_t rows, int64_t columns)
{
  unsigned char *spins = vrg_new (rows * columns, 1, "a picture of block spins");
  for (int64_t y = 0; y < rows; y++)
    for (int64_t x = 0; x < columns; x++)
      spins[y * columns + x] = vrg_lattice_get (lattice, y, x) > 0;
  return spins;
}

/** Collective; every rank reads, rank 0 keeps. */
static int
read_all (const vrg_grid *grid, const char *directory, const vrg_input *input, vrg_levels *levels,
          const int ensemble[VRG_BLOCKS_PICTURES], vrg_report_blocks *b)
{
  char path[VRG_PATH_LENGTH], name[64];
  vrg_h5 *file = NULL;
  snprintf (path, sizeof path, "%s/samples.h5", directory);
  int code = vrg_h5_open (grid->file, path, VRG_H5_READ, &file);
  if (code != VRG_OK)
    return code;
  const vrg_lattice *sampled = levels->lattice[0];
  const int64_t words = (sampled->columns + 63) / 64;
  uint64_t *packed = vrg_new (sampled->rows * words, sizeof *packed, "a configuration");
  for (int i = 0; i < b->pictures && code == VRG_OK; i++)
    {
      snprintf (name, sizeof name, "/ensemble-%03d/spins", ensemble[i]);
      const vrg_h5_array array = { .name = name,
                                   .type = VRG_U64,
                                   .rank = 3,
                                   .dims = { input->configurations, sampled->rows, words },
                                   .first = { b->sample[i] },
                                   .count = { 1, sampled->rows, words },
                                   .data = packed };
      code = vrg_h5_read (file, &array);
      if (code != VRG_OK || grid->rank != 0)
        continue;
      vrg_rng rng;
      vrg_rng_init (&rng, (uint64_t) input->seed, (uint32_t) ensemble[i], 0);
      vrg_levels_fill (levels, packed, &rng, b->sample[i]);
      for (int r = 0; r < b->n_rules; r++)
        for (int level = 0, side = 1; level < b->levels; level++, side *= b->scale)
          b->spins[i][r][level]
            = cut (levels->lattice[vrg_levels_index (levels, r, level)], b->shown[0] / side, b->shown[1] / side);
    }
  vrg_free (packed);
  vrg_h5_close (file);
  return code;
}

int
vrg_report_blocks_read (const vrg_grid *grid, const char *directory, const vrg_input *given, vrg_report_blocks **blocks)
{
  vrg_input *input = vrg_new (1, sizeof *input, "the input");
  vrg_filters filters = { 0 };
  int ensemble[VRG_BLOCKS_PICTURES] = { 0 };
  int64_t sites = 1;
  *blocks = NULL;
  if (grid->rank == 0 && given != NULL)
    *input = *given;
  vrg_broadcast (grid->world, input, sizeof *input);
  for (int d = 0; d < input->dimension; d++)
    sites = sites <= LARGEST ? sites * input->size[d] : sites;
  bool learnt = vrg_input_has_rule (input, VRG_LEARNT) || vrg_input_has_rule (input, VRG_LEARNT_SIGN);
  if (input->dimension < 2 || sites > LARGEST || vrg_input_depth (input) < 1)
    input->n_rules = 0;
  if (input->n_rules > 0 && learnt)
    {
      vrg_samples_info info = { .columns = input->size[input->dimension - 1] };
      info.rows = sites / info.columns;
      learnt = vrg_filters_init (grid, directory, input, &info, &filters) == VRG_OK;
    }
  trim_rules (input, learnt);
  int code = VRG_OK;
  if (input->n_rules > 0)
    {
      vrg_report_blocks *b = vrg_new (1, sizeof *b, "pictures of block spins");
      if (!learnt) /* the weighted rule's */
        {
          vrg_filters_free (&filters);
          code = vrg_filters_init (grid, directory, input, NULL, &filters);
        }
      *b = (vrg_report_blocks){ .dimension = (int) input->dimension, .scale = (int) input->scale };
      b->n_rules = input->n_rules;
      memcpy (b->rules, input->rules, sizeof (int) * (size_t) input->n_rules);
      b->levels = 1 + (int) vrg_input_depth (input);
      b->levels = b->levels < VRG_BLOCKS_LEVELS ? b->levels : VRG_BLOCKS_LEVELS;
      const int64_t block = (int64_t) (pow (b->scale, b->levels - 1) + 0.5);
      for (int i = 0; i < 2; i++)
        {
          b->side[i] = b->shown[i] = input->size[input->dimension - 2 + i];
          if (b->shown[i] > WINDOW && block <= WINDOW)
            b->shown[i] = WINDOW - WINDOW % block;
        }
      choose (input, b, ensemble);
      vrg_levels *levels = vrg_levels_new (input, &filters);
      code = code == VRG_OK ? read_all (grid, directory, input, levels, ensemble, b) : code;
      vrg_levels_free (levels);
      if (code == VRG_OK && grid->rank == 0)
        *blocks = b;
      else
        vrg_report_blocks_free (b);
    }
  vrg_filters_free (&filters);
  vrg_free (input);
  return code;
}

void
vrg_report_blocks_free (vrg_report_blocks *b)
{
  for (int i = 0; b != NULL && i < VRG_BLOCKS_PICTURES; i++)
    for (int r = 0; r < VRG_BLOCKS_RULES; r++)
      for (int level = 0; level < VRG_BLOCKS_LEVELS; level++)
        vrg_free (b->spins[i][r][level]);
  vrg_free (b);
}

/** Pixels of a panel, those of one wider than high: less high. */
static int
panel_height (const vrg_report_blocks *b)
{
  return (int) (PANEL * fmin (2, (double) b->shown[0] / (double) b->shown[1]));
}

void
vrg_report_blocks_size (const vrg_report_blocks *b, int *width, int *height)
{
  *width = LEFT + b->levels * (PANEL + GAP);
  *height = TOP + b->pictures * b->n_rules * (panel_height (b) + GAP);
}

void
vrg_report_blocks_caption (const vrg_report_blocks *b, char *caption, int size)
{
  char cut[128] = "";
  if (b->shown[0] < b->side[0] || b->shown[1] < b->side[1])
    snprintf (cut, sizeof cut, ", cut to the corner of %lld × %lld of %lld × %lld sites and the blocks in it",
              (long long) b->shown[0], (long long) b->shown[1], (long long) b->side[0], (long long) b->side[1]);
  snprintf (caption, (size_t) size,
            "%s of samples.h5 at each coupling, level 0, and the block spins that each rule makes of it, scale "
            "%d; blue: spin up. Every level is drawn to the same size%s%s. Compare: below the critical coupling the "
            "pictures lose their structure from level to level, above it they become uniform, at it they go on "
            "looking alike.",
            b->pictures > 1 && b->nn[0] == b->nn[1] ? "The last configurations" : "The last configuration", b->scale,
            b->dimension == 3 ? ", of the cube its first plane" : "", cut);
}

bool
vrg_report_blocks_script (FILE *script, const vrg_report_blocks *b)
{
  int width, height, block = 0;
  vrg_report_blocks_size (b, &width, &height);
  const int high = panel_height (b);
  for (int i = 0; i < b->pictures; i++)
    for (int r = 0; r < b->n_rules; r++)
      for (int level = 0, side = 1; level < b->levels; level++, side *= b->scale)
        {
          const int64_t rows = b->shown[0] / side, columns = b->shown[1] / side;
          const unsigned char *spins = b->spins[i][r][level];
          fprintf (script, "$d%d << END\n", block++);
          for (int64_t y = 0; y < rows; y++)
            for (int64_t x = 0; x < columns; x++)
              fprintf (script, "%d%c", spins[y * columns + x], x + 1 < columns ? ' ' : '\n');
          fputs ("END\n", script);
        }
  fprintf (script,
           "unset grid\nunset key\nset border 0\nunset tics\nunset colorbox\nset cbrange [0:1]\n"
           "set palette defined (0 '#ffffff', 1 '#1b4f86')\n"
           "set lmargin at screen 0\nset rmargin at screen 1\nset tmargin at screen 1\nset bmargin at screen 0\n"
           "set xrange [0:%d]\nset yrange [%d:0]\n",
           width, height);
  for (int level = 0, side = 1; level < b->levels; level++, side *= b->scale)
    fprintf (script, "set label 'level %d: %lld × %lld' at %d,%d center font ',12'\n", level,
             (long long) (b->side[0] / side), (long long) (b->side[1] / side), LEFT + level * (PANEL + GAP) + PANEL / 2,
             TOP - 14);
  for (int i = 0; i < b->pictures * b->n_rules; i++)
    {
      const int top = TOP + i * (high + GAP), middle = top + high / 2, picture = i / b->n_rules;
      fprintf (script,
               "set label 'K = %.6g' at %d,%d right font ',13'\nset label '%s' at %d,%d right font ',12' noenhanced\n",
               b->nn[picture], LEFT - 8, middle - 8, vrg_gnuplot_word (vrg_param_rule_names[b->rules[i % b->n_rules]]),
               LEFT - 8, middle + 10);
      for (int level = 0; level < b->levels; level++)
        {
          const int left = LEFT + level * (PANEL + GAP);
          fprintf (script,
                   "set object %d rectangle from %d,%d to %d,%d front fillstyle empty border linecolor '#777777' "
                   "linewidth 0.6\n",
                   i * b->levels + level + 1, left, top, left + PANEL, top + high);
        }
    }
  fputs ("plot", script);
  for (int k = 0; k < block; k++)
    {
      const int level = k % b->levels, row = k / b->levels;
      int64_t side = 1;
      for (int n = 0; n < level; n++)
        side *= b->scale;
      const double dx = PANEL / floor ((double) b->shown[1] / (double) side),
                   dy = high / floor ((double) b->shown[0] / (double) side);
      fprintf (script, "%s $d%d matrix using (%.6g+%.8g*$1):(%.6g+%.8g*$2):3 with image", k ? ", \\\n " : "", k,
               LEFT + level * (PANEL + GAP) + dx / 2, dx, TOP + row * (high + GAP) + dy / 2, dy);
    }
  fputs ("\n", script);
  return block > 0;
}
