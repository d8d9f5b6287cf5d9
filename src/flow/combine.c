/* SPDX-License-Identifier: GPL-3.0-or-later
 * Several finished runs read together.
 *
 * 1. Read them; see that they fit together.
 * 2. Put those together that differ in the seed alone: a group.
 * 3. Match groups of sizes L and L / b.
 * 4. Extrapolate the exponents of groups of several sizes; the spread in groups of several seeds.
 * 5. Write the tables. */
#include "flow/combine.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/file.h"
#include "files/h5.h"
#include "files/table.h"
#include "flow/extrapolation.h"
#include "flow/group.h"
#include "flow/matching.h"
#include "lattice/exact.h"
#include "lattice/operators.h"

#define SAME 1e-12 /* couplings that differ by less are the same */
#define FAR 0.2    /* part of the way to full order that a mean goes in a step, beyond which it is not linear */
#define ALL_CELL "all"

enum
{
  MATCHING,
  SIZES,
  EXTRAPOLATION,
  SEEDS,
  KINDS
};

static const struct
{
  const char *name, *columns, *comment;
} kinds[KINDS] = {
  { "matching.tsv", "size small rule level operator nn estimate error exact change best",
    "nn at which <S_a> of level n on `size` equals <S_a> of level n - 1 on `small`, by a linear step from nn;\n"
    "error: by the jackknife of both runs, which are independent\n"
    "level 1 is off by about 1 %, level 2 by 0.1 %: the means come to the fixed point at level 3\n"
    "operator all: the first three by generalised least squares, the error enlarged where they disagree\n"
    "change: of a mean in the step, as part of its distance from full order; doubtful above 0.2\n"
    "best: 1 if no other nn of the runs is nearer to the estimate\n"
    "learnt rules: each run has its own filter; how they differ is not in the error" },
  { "exponents-by-size.tsv", "nn rule sector operators size level side seeds y error exact",
    "side: of the level's lattice, the shortest one\n"
    "seeds: runs that differ in the seed alone, averaged; their spread is in the error" },
  { "extrapolation.tsv", "nn rule sector operators sizes points terms y error systematic chi2 exact",
    "y + A b^(-p level) + B side^(-q) by least squares over all levels and sizes with sides of 4 or more,\n"
    "averaged over p and q from 1/2 to 4, which are not known; terms: 1 to 3, as many as the points bear\n"
    "error: statistics, powers, and scatter beyond them\n"
    "systematic: the largest change when the lowest level, the smallest size, the shortest side or the last\n"
    "operator is left out; it has noise of its own, and says nothing of operators that were not measured\n"
    "of meaning at a critical nn alone" },
  { "seeds.tsv", "size nn rule level sector operators seeds y statistical spread error exact",
    "means over runs that differ in the seed alone; statistical: error from the configurations\n"
    "spread: standard deviation over the seeds\n"
    "error: the larger of statistical and spread / sqrt (seeds), which is known to 1 in sqrt (2 seeds - 2)" },
};

static const char *const sector_names[VRG_SECTORS] = { "even", "odd" };

typedef struct
{
  int groups;
  vrg_group *group;
  vrg_table *table[KINDS];
  int pairs, sets, spreads; /* what was found to be combined */
} combining;

/** All runs of a group have one size. */
static void
size_text (const vrg_group *group, char text[VRG_SIZE_TEXT])
{
  vrg_size_text (group->run[0]->input.dimension, group->run[0]->input.size, text);
}

/** The critical nn, where it is known. */
static double
critical_nn (const vrg_input *in)
{
  if (in->nnn != 0 || in->plaquette != 0 || in->dimension == 1)
    return NAN;
  return in->dimension == 2 ? VRG_CRITICAL_2D : VRG_CRITICAL_3D;
}

static double
exact_exponent (const vrg_input *in, double nn, int sector)
{
  static const double exact[VRG_SECTORS] = { 1, 1.875 };
  return in->dimension == 2 && fabs (nn - critical_nn (in)) < SAME ? exact[sector] : (double) NAN;
}

/* ---------------------------------------------------------------- matching */

/** A pair of groups at one nn, rule and level. */
typedef struct
{
  int n;
  double *largest, *estimate, *change, *covariance;
  double all, all_error, all_change;
} matched;

/** Is no other common nn nearer to the estimate? */
static bool
is_best (const vrg_group *large, const vrg_group *small, double nn, double estimate)
{
  const vrg_input *in = &large->run[0]->input;
  bool best = isfinite (estimate);
  for (int e = 0; e < in->n_nn; e++)
    best = best && !(vrg_group_nn (small, in->nn[e]) >= 0 && fabs (in->nn[e] - estimate) < fabs (nn - estimate));
  return best;
}

static void
match_level (const vrg_group *large, const vrg_group *small, double nn, int rule, int level, matched *m)
{
  const int runs = large->n + small->n;
  vrg_matching_run *run = vrg_new (runs, sizeof *run, "runs to match");
  int fewest = large->run[0]->blocks;
  for (int i = 0; i < runs; i++)
    {
      const vrg_group *g = i < large->n ? large : small;
      const int r = i < large->n ? i : i - large->n, l = i < large->n ? level : level - 1;
      const vrg_finished_sector *s = vrg_group_sector (g, r, nn, rule, VRG_EVEN);
      const int blocks = g->run[r]->blocks, n = s->n;
      run[i] = (vrg_matching_run){ .blocks = blocks,
                                   .factor = g->run[r]->factor[vrg_group_nn (g, nn)],
                                   .mean = s->mean + l * n,
                                   .mean_rest = s->mean_rest + l * blocks * n,
                                   .slope = s->slope + l * n,
                                   .slope_rest = s->slope_rest + l * blocks * n };
      fewest = blocks < fewest ? blocks : fewest;
    }
  vrg_matching (m->n, nn, large->n, small->n, run, m->largest, m->estimate, m->covariance, m->change);
  vrg_free (run);
  m->all_change = 0;
  for (int a = 0; a < m->n && a < VRG_MATCHING_COMBINED; a++)
    if (m->change[a] > m->all_change)
      m->all_change = m->change[a];
  if (vrg_matching_combine (m->n, m->estimate, m->covariance, fewest, &m->all, &m->all_error) == 0)
    m->all_change = NAN;
}

/** Rows of all levels; how many of the best ones step too far. */
static int
match_rule (combining *c, const vrg_group *large, const vrg_group *small, double nn, int rule)
{
  const vrg_input *in = &large->run[0]->input;
  const double exact = critical_nn (in);
  vrg_table *table = c->table[MATCHING];
  char size[VRG_SIZE_TEXT], half[VRG_SIZE_TEXT];
  size_text (large, size);
  size_text (small, half);
  matched m = { .n = in->n_even };
  m.largest = vrg_new (m.n, sizeof (double), "matching");
  m.estimate = vrg_new (m.n, sizeof (double), "matching");
  m.change = vrg_new (m.n, sizeof (double), "matching");
  m.covariance = vrg_new (m.n * m.n, sizeof (double), "matching");
  for (int a = 0; a < m.n; a++)
    {
      vrg_operator images;
      vrg_operator_init (&images, (int) in->dimension, &in->even[a]);
      m.largest[a] = images.images;
    }
  int doubtful = 0;
  for (int level = 1; level < large->run[0]->levels && level <= small->run[0]->levels; level++)
    {
      match_level (large, small, nn, rule, level, &m);
      for (int a = 0; a <= m.n; a++)
        {
          const double estimate = a < m.n ? m.estimate[a] : m.all, change = a < m.n ? m.change[a] : m.all_change;
          const bool best = is_best (large, small, nn, estimate);
          vrg_table_text (table, size);
          vrg_table_text (table, half);
          vrg_table_text (table, vrg_param_rule_names[rule]);
          vrg_table_int (table, level);
          vrg_table_text (table, a < m.n ? in->even[a].name : ALL_CELL);
          vrg_table_double (table, nn);
          vrg_table_double (table, estimate);
          vrg_table_double (table, a < m.n ? sqrt (m.covariance[a * m.n + a]) : m.all_error);
          vrg_table_double (table, exact);
          vrg_table_double (table, change);
          vrg_table_int (table, best);
          doubtful += best && change > FAR;
        }
      if (is_best (large, small, nn, m.all))
        vrg_info ("combine: matching %s with %s, %s level %d: critical nn %.6f +- %.6f%s%s", size, half,
                  vrg_param_rule_names[rule], level, m.all, m.all_error,
                  level < 3 ? ", not yet at the fixed point" : "", m.all_change > FAR ? ", doubtful" : "");
    }
  vrg_free (m.largest);
  vrg_free (m.estimate);
  vrg_free (m.change);
  vrg_free (m.covariance);
  return doubtful;
}

/** Every rule and common coupling of two groups, if their sizes match. */
static void
match_groups (combining *c, const vrg_group *large, const vrg_group *small)
{
  const vrg_input *x = &large->run[0]->input, *y = &small->run[0]->input;
  for (int d = 0; d < x->dimension; d++)
    if (x->size[d] != y->size[d] * y->scale)
      return;
  bool has_nn = false;
  for (int a = 0; a < x->n_even; a++)
    has_nn = has_nn || strcmp (x->even[a].name, "nn") == 0;
  for (int r = 0; r < x->n_rules; r++)
    {
      const int rule = x->rules[r];
      int matched_nn = 0;
      for (int e = 0; e < x->n_nn && vrg_groups_share (large, small, rule); e++)
        if (vrg_group_nn (small, x->nn[e]) >= 0)
          {
            if (!has_nn)
              {
                vrg_warn ("combine: no matching of %s with %s: nn is not among the even operators",
                          large->run[0]->directory, small->run[0]->directory);
                return;
              }
            const int doubtful = match_rule (c, large, small, x->nn[e], rule);
            if (doubtful > 0)
              vrg_warn ("combine: matching from nn=%.6g, rule %s: %d estimate%s so far from it that a linear step is "
                        "doubtful (column change above %.1f): sample nearer to them",
                        x->nn[e], vrg_param_rule_names[rule], doubtful, doubtful == 1 ? " is" : "s are", FAR);
            matched_nn++;
          }
      if (matched_nn > 0 && (rule == VRG_LEARNT || rule == VRG_LEARNT_SIGN))
        vrg_warn ("combine: matching, rule %s: each run has its own filter; how they differ is not in the errors",
                  vrg_param_rule_names[rule]);
      c->pairs += matched_nn;
    }
}

/* ---------------------------------------------------------------- exponents */

/** y by level of a group with the first `operators`: mean over its seeds. */
typedef struct
{
  int levels; /* with level 0, which has none */
  double *y, *statistical, *spread, *error;
  double *covariance; /* [level][level], with the whole error on its diagonal */
} exponents;

static void
exponents_init (exponents *x, const vrg_group *g, double nn, int rule, int sector, int operators)
{
  const int levels = g->run[0]->levels;
  double *square = vrg_new (levels, sizeof *square, "exponents"), *mean = vrg_new (levels, sizeof *mean, "exponents");
  x->levels = levels;
  x->y = vrg_new (levels, sizeof (double), "exponents");
  x->statistical = vrg_new (levels, sizeof (double), "exponents");
  x->spread = vrg_new (levels, sizeof (double), "exponents");
  x->error = vrg_new (levels, sizeof (double), "exponents");
  x->covariance = vrg_new (levels * levels, sizeof (double), "exponents");
  for (int r = 0; r < g->n; r++)
    {
      const vrg_finished_sector *s = vrg_group_sector (g, r, nn, rule, sector);
      const int blocks = g->run[r]->blocks, n = s->n, k = operators - 1;
      const double factor = g->run[r]->factor[vrg_group_nn (g, nn)],
                   weight = blocks > 1 ? factor * factor * (blocks - 1) / blocks / (g->n * g->n) : (double) NAN;
      for (int i = 0; i < levels; i++)
        {
          x->y[i] += s->y[i * n + k] / g->n;
          mean[i] = 0;
          for (int b = 0; b < blocks; b++)
            mean[i] += s->y_rest[(i * blocks + b) * n + k] / blocks;
        }
      for (int i = 0; i < levels; i++)
        for (int j = 0; j < levels; j++)
          for (int b = 0; b < blocks; b++)
            x->covariance[i * levels + j] += weight * (s->y_rest[(i * blocks + b) * n + k] - mean[i])
                                             * (s->y_rest[(j * blocks + b) * n + k] - mean[j]);
    }
  for (int i = 0; i < levels; i++)
    {
      for (int r = 0; r < g->n; r++)
        {
          const vrg_finished_sector *s = vrg_group_sector (g, r, nn, rule, sector);
          const double d = s->y[i * s->n + operators - 1] - x->y[i];
          square[i] += d * d;
        }
      x->statistical[i] = sqrt (x->covariance[i * levels + i]);
      x->spread[i] = g->n > 1 ? sqrt (square[i] / (g->n - 1)) : (double) NAN;
      x->error[i] = g->n > 1 && isfinite (x->spread[i]) ? fmax (x->statistical[i], x->spread[i] / sqrt (g->n))
                                                        : x->statistical[i];
    }
  for (int i = 0; i < levels; i++)
    for (int j = 0; j < levels; j++)
      x->covariance[i * levels + j] *= x->error[i] / x->statistical[i] * (x->error[j] / x->statistical[j]);
  vrg_free (mean);
  vrg_free (square);
}

static void
exponents_clear (exponents *x)
{
  vrg_free (x->y);
  vrg_free (x->statistical);
  vrg_free (x->spread);
  vrg_free (x->error);
  vrg_free (x->covariance);
}

/** Rows of a group of several seeds. */
static void
put_seeds (combining *c, const vrg_group *g, double nn, int rule, int sector, int operators, const exponents *x)
{
  vrg_table *table = c->table[SEEDS];
  char size[VRG_SIZE_TEXT];
  size_text (g, size);
  for (int level = 1; level < x->levels; level++)
    {
      vrg_table_text (table, size);
      vrg_table_double (table, nn);
      vrg_table_text (table, vrg_param_rule_names[rule]);
      vrg_table_int (table, level);
      vrg_table_text (table, sector_names[sector]);
      vrg_table_int (table, operators);
      vrg_table_int (table, g->n);
      vrg_table_double (table, x->y[level]);
      vrg_table_double (table, x->statistical[level]);
      vrg_table_double (table, x->spread[level]);
      vrg_table_double (table, x->error[level]);
      vrg_table_double (table, exact_exponent (&g->run[0]->input, nn, sector));
      if (operators == vrg_group_sector (g, 0, nn, rule, sector)->n)
        vrg_info (
          "combine: %d seeds at %s, nn=%.6g, %s level %d: %s %.5f +- %.5f (configurations alone %.5f), spread %.5f",
          g->n, size, nn, vrg_param_rule_names[rule], level, sector == VRG_EVEN ? "y_t" : "y_h", x->y[level],
          x->error[level], x->statistical[level], x->spread[level]);
    }
}

/** Groups with this rule and coupling. */
typedef struct
{
  int n;
  const vrg_group **group;
  bool sizes; /* of several sizes */
} family;

static void
put_sizes (combining *c, const family *set, double nn, int rule, int sector, int operators, const exponents *x)
{
  vrg_table *table = c->table[SIZES];
  for (int i = 0; i < set->n; i++)
    for (int level = 1; level < x[i].levels; level++)
      {
        const vrg_finished *run = set->group[i]->run[0];
        char size[VRG_SIZE_TEXT];
        size_text (set->group[i], size);
        vrg_table_double (table, nn);
        vrg_table_text (table, vrg_param_rule_names[rule]);
        vrg_table_text (table, sector_names[sector]);
        vrg_table_int (table, operators);
        vrg_table_text (table, size);
        vrg_table_int (table, level);
        vrg_table_int (table, vrg_finished_side (run, level));
        vrg_table_int (table, set->group[i]->n);
        vrg_table_double (table, x[i].y[level]);
        vrg_table_double (table, x[i].error[level]);
        vrg_table_double (table, exact_exponent (&run->input, nn, sector));
      }
}

/** The fit to all levels and sizes; before: with one operator fewer, NaN without. */
static double
put_extrapolation (combining *c, const family *set, double nn, int rule, int sector, int operators, const exponents *x,
                   double before)
{
  const vrg_input *in = &set->group[0]->run[0]->input;
  char sizes[256] = "";
  int points = 0, first = 0, length = 0;
  for (int i = 0; i < set->n; i++)
    points += x[i].levels - 1;
  vrg_extrapolation_point *point = vrg_new (points, sizeof *point, "points of a fit");
  double *covariance = vrg_new ((int64_t) points * points, sizeof *covariance, "covariance of exponents");
  for (int i = 0; i < set->n; first += x[i++].levels - 1)
    {
      const vrg_finished *run = set->group[i]->run[0];
      char size[VRG_SIZE_TEXT];
      size_text (set->group[i], size);
      if (length < (int) sizeof sizes - 1)
        length += snprintf (sizes + length, sizeof sizes - (size_t) length, "%s%s", i > 0 ? "," : "", size);
      for (int level = 1; level < x[i].levels; level++)
        {
          point[first + level - 1] = (vrg_extrapolation_point){ .level = level,
                                                                .size = vrg_finished_side (run, 0),
                                                                .side = vrg_finished_side (run, level),
                                                                .y = x[i].y[level] };
          for (int other = 1; other < x[i].levels; other++)
            covariance[(first + level - 1) * points + first + other - 1] = x[i].covariance[level * x[i].levels + other];
        }
    }
  vrg_extrapolation result;
  vrg_extrapolate (points, point, covariance, (double) in->scale, &result);
  vrg_free (covariance);
  vrg_free (point);
  if (operators == 1)
    result.systematic = NAN;
  else if (isfinite (before))
    result.systematic = fmax (isnan (result.systematic) ? 0 : result.systematic, fabs (result.value - before));
  vrg_table *table = c->table[EXTRAPOLATION];
  vrg_table_double (table, nn);
  vrg_table_text (table, vrg_param_rule_names[rule]);
  vrg_table_text (table, sector_names[sector]);
  vrg_table_int (table, operators);
  vrg_table_text (table, sizes);
  vrg_table_int (table, result.points);
  vrg_table_int (table, result.terms);
  vrg_table_double (table, result.value);
  vrg_table_double (table, result.error);
  vrg_table_double (table, result.systematic);
  vrg_table_double (table, result.chi2);
  vrg_table_double (table, exact_exponent (in, nn, sector));
  if (operators == (sector == VRG_EVEN ? in->n_even : in->n_odd) && !(fabs (nn - critical_nn (in)) > SAME))
    vrg_info ("combine: sizes %s, nn=%.6g, %s: %s extrapolates to %.5f +- %.5f +- %.5f (systematic)", sizes, nn,
              vrg_param_rule_names[rule], sector == VRG_EVEN ? "y_t" : "y_h", result.value, result.error,
              result.systematic);
  return result.value;
}

/** All exponents at one coupling of one rule. */
static void
combine_exponents (combining *c, const family *set, double nn, int rule)
{
  exponents *x = vrg_new (set->n, sizeof *x, "exponents");
  for (int s = 0; s < VRG_SECTORS; s++)
    {
      double before = NAN;
      for (int k = 1; k <= vrg_group_sector (set->group[0], 0, nn, rule, s)->n; k++)
        {
          for (int i = 0; i < set->n; i++)
            {
              exponents_init (&x[i], set->group[i], nn, rule, s, k);
              if (set->group[i]->n > 1)
                put_seeds (c, set->group[i], nn, rule, s, k, &x[i]);
            }
          put_sizes (c, set, nn, rule, s, k, x);
          if (set->sizes)
            before = put_extrapolation (c, set, nn, rule, s, k, x, before);
          for (int i = 0; i < set->n; i++)
            exponents_clear (&x[i]);
        }
    }
  vrg_free (x);
  c->sets += set->sizes;
  for (int i = 0; i < set->n; i++)
    c->spreads += set->group[i]->n > 1;
}

/** All groups that have this rule, with the parameters that group `leader` has, and this coupling; none if an earlier
 *  group leads them. */
static void
combine_set (combining *c, int leader, int rule, double nn)
{
  family set = { .group = vrg_new (c->groups, sizeof *set.group, "runs") };
  bool leads = true;
  for (int g = 0; g < c->groups && leads; g++)
    if (vrg_groups_share (&c->group[leader], &c->group[g], rule) && vrg_group_nn (&c->group[g], nn) >= 0)
      {
        leads = g >= leader;
        set.group[set.n++] = &c->group[g];
        set.sizes
          = set.sizes || vrg_finished_side (c->group[g].run[0], 0) != vrg_finished_side (c->group[leader].run[0], 0);
      }
  if (leads)
    combine_exponents (c, &set, nn, rule);
  vrg_free (set.group);
}

/* ---------------------------------------------------------------- tables */

/** May the table be written: is there nothing of this name, or a table of this command? */
static int
check_place (const char *out, const char *name)
{
  char path[2 * VRG_PATH_LENGTH], line[128] = "";
  snprintf (path, sizeof path, "%s/%s", out, name);
  FILE *file = vrg_file_old_stream (path);
  if (file == NULL && errno == ENOENT)
    return VRG_OK;
  const bool own = file != NULL && fgets (line, sizeof line, file) != NULL && strncmp (line, "# vrg ", 6) == 0
                   && strstr (line, " combine, ") != NULL;
  if (file != NULL)
    fclose (file);
  return own ? VRG_OK
             : vrg_error (VRG_USAGE, "%s is not a table of `vrg combine`: choose another directory with --out", path);
}

static void
begin_tables (combining *c, const char *out)
{
  char comment[2048], date[32];
  time_t now = time (NULL);
  strftime (date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime (&now));
  for (int i = 0; i < KINDS; i++)
    {
      snprintf (comment, sizeof comment, "vrg %s (%s) combine, %s\n%s", vrg_version (), vrg_commit (), date,
                kinds[i].comment);
      c->table[i] = vrg_table_new (out, kinds[i].name, kinds[i].columns, comment);
    }
}

/** Steps 2 to 4, on rank 0. */
static int
combine (combining *c, const char *out)
{
  begin_tables (c, out);
  for (int a = 0; a < c->groups; a++)
    for (int b = 0; b < c->groups; b++)
      match_groups (c, &c->group[a], &c->group[b]);
  for (int g = 0; g < c->groups; g++)
    {
      const vrg_input *in = &c->group[g].run[0]->input;
      for (int r = 0; r < in->n_rules; r++)
        for (int e = 0; e < in->n_nn; e++)
          combine_set (c, g, in->rules[r], in->nn[e]);
    }
  if (c->pairs + c->sets + c->spreads == 0)
    return vrg_error (VRG_USAGE,
                      "combine: nothing to combine: no two of the runs have different sizes, or differ in the "
                      "seed alone, with a rule and a coupling nn in common");
  return VRG_OK;
}

/** Step 5, on rank 0: all of them, or none. */
static int
end_tables (combining *c, int code)
{
  for (int i = 0; i < KINDS; i++)
    if (c->table[i] != NULL && code == VRG_OK)
      code = vrg_table_close (c->table[i], NULL);
    else
      vrg_table_discard (c->table[i]);
  return code;
}

int
vrg_combine (MPI_Comm world, int n, const char *const *directories, const char *out)
{
  if (n < 2)
    return vrg_error (VRG_USAGE, "combine: %s: name the directories of two finished runs or more",
                      n == 1 ? "one run alone" : "no runs");
  for (int i = 0; i < n; i++)
    for (int j = 0; j < i; j++)
      if (strcmp (directories[i], directories[j]) == 0)
        return vrg_error (VRG_USAGE, "combine: %s is named twice", directories[i]);
  vrg_grid *grid = vrg_grid_new (world, 1);
  vrg_finished *run = vrg_new (n, sizeof *run, "runs");
  combining c = { .groups = 0 };
  int code = VRG_OK;
  for (int i = 0; i < n && code == VRG_OK; i++)
    code = vrg_agree (grid->world, vrg_finished_read (grid, directories[i], &run[i]));
  if (code == VRG_OK)
    code = vrg_groups_check (n, run);
  if (code == VRG_OK)
    code = vrg_directory_make (grid->world, out);
  if (code == VRG_OK && grid->rank == 0)
    {
      for (int i = 0; i < KINDS && code == VRG_OK; i++)
        code = check_place (out, kinds[i].name);
      c.groups = vrg_groups_new (n, run, &c.group);
      if (code == VRG_OK)
        code = end_tables (&c, combine (&c, out));
    }
  code = vrg_agree (grid->world, code);
  vrg_groups_free (c.groups, c.group);
  for (int i = 0; i < n; i++)
    vrg_finished_clear (&run[i]);
  vrg_free (run);
  vrg_grid_free (grid);
  return code;
}
