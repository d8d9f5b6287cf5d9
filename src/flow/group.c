/* SPDX-License-Identifier: GPL-3.0-or-later
 * Which runs fit together, and which rules and couplings they share. */
#include "flow/group.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"

#define SAME 1e-12 /* couplings that differ by less are the same */

/** Lines of a fingerprint without those that begin with `first`; to be freed. */
static char *
without_lines (const char *fingerprint, const char *first)
{
  char *text = vrg_new ((int64_t) strlen (fingerprint) + 1, 1, "parameters of a run"), *end = text;
  for (const char *line = fingerprint; *line;)
    {
      size_t length = strcspn (line, "\n");
      length += line[length] == '\n';
      if (strncmp (line, first, strlen (first)) != 0)
        {
          memcpy (end, line, length);
          end += length;
        }
      line += length;
    }
  return text;
}

/** Are the lines that begin with `first` the same? */
static bool
same_lines (const char *a, const char *b, const char *first)
{
  const size_t n = strlen (first);
  for (int turn = 0; turn < 2; turn++)
    for (const char *line = turn ? b : a; *line; line += strcspn (line, "\n"), line += *line == '\n')
      {
        const size_t length = strcspn (line, "\n") + 1;
        bool found = strncmp (line, first, n) != 0;
        for (const char *other = turn ? a : b; *other && !found;
             other += strcspn (other, "\n"), other += *other == '\n')
          found = strncmp (line, other, length) == 0;
        if (!found)
          return false;
      }
  return true;
}

/** Are these the same operators?  Otherwise a message. */
static int
check_operators (const vrg_finished *a, const vrg_finished *b, const char *parity, int n_a, const vrg_pattern *of_a,
                 int n_b, const vrg_pattern *of_b)
{
  for (int i = 0; i < n_a || i < n_b; i++)
    {
      const char *name_a = i < n_a ? of_a[i].name : "nothing", *name_b = i < n_b ? of_b[i].name : "nothing";
      if (strcmp (name_a, name_b) != 0)
        return vrg_error (VRG_USAGE, "combine: other operators: [flow] %s number %d is %s in %s, %s in %s", parity,
                          i + 1, name_a, a->directory, name_b, b->directory);
      if (memcmp (&of_a[i], &of_b[i], sizeof of_a[i]) != 0)
        return vrg_error (VRG_USAGE, "combine: operator %s has other sites in %s than in %s", name_a, a->directory,
                          b->directory);
    }
  return VRG_OK;
}

/** Can two runs be read together, and are they independent? */
static int
check_two (const vrg_finished *a, const vrg_finished *b)
{
  const vrg_input *x = &a->input, *y = &b->input;
  const struct
  {
    const char *key;
    double a, b;
  } numbers[] = { { "[lattice] dimension", (double) x->dimension, (double) y->dimension },
                  { "[flow] scale", (double) x->scale, (double) y->scale },
                  { "[couplings] nnn", x->nnn, y->nnn },
                  { "[couplings] plaquette", x->plaquette, y->plaquette } };
  for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
    if (numbers[i].a != numbers[i].b)
      return vrg_error (VRG_USAGE, "combine: %s does not fit: %.10g in %s, %.10g in %s", numbers[i].key, numbers[i].a,
                        a->directory, numbers[i].b, b->directory);
  int code = check_operators (a, b, "even", x->n_even, x->even, y->n_even, y->even);
  if (code == VRG_OK)
    code = check_operators (a, b, "odd", x->n_odd, x->odd, y->n_odd, y->odd);
  if (code != VRG_OK)
    return code;
  char *of_a = vrg_param_fingerprint (x, VRG_STAGE_SAMPLE), *of_b = vrg_param_fingerprint (y, VRG_STAGE_SAMPLE);
  char *chains_a = without_lines (of_a, "sample.configurations"),
       *chains_b = without_lines (of_b, "sample.configurations");
  if (strcmp (chains_a, chains_b) == 0)
    code = vrg_error (VRG_USAGE,
                      "combine: %s and %s have the same configurations (the same [run] seed and [sample]): "
                      "they are one run, or not independent",
                      a->directory, b->directory);
  vrg_free (chains_a);
  vrg_free (chains_b);
  vrg_free (of_a);
  vrg_free (of_b);
  return code;
}

int
vrg_groups_check (int runs, const vrg_finished *run)
{
  int code = VRG_OK;
  for (int i = 0; i < runs && code == VRG_OK; i++)
    for (int j = 0; j < i && code == VRG_OK; j++)
      code = check_two (&run[j], &run[i]);
  return code;
}

int
vrg_groups_new (int runs, const vrg_finished *run, vrg_group **groups)
{
  char **key = vrg_new (runs, sizeof *key, "parameters of runs");
  int *leader = vrg_new (runs, sizeof *leader, "runs"), n = 0;
  vrg_group *group = *groups = vrg_new (runs, sizeof *group, "runs");
  for (int r = 0; r < runs; r++)
    {
      key[r] = without_lines (run[r].fingerprint, "run.seed =");
      int g = 0;
      while (g < n && strcmp (key[leader[g]], key[r]) != 0)
        g++;
      if (g == n)
        {
          leader[n++] = r;
          group[g].run = vrg_new (runs, sizeof *group[g].run, "runs");
        }
      group[g].run[group[g].n++] = &run[r];
    }
  for (int r = 0; r < runs; r++)
    vrg_free (key[r]);
  vrg_free (leader);
  vrg_free (key);
  return n;
}

void
vrg_groups_free (int n, vrg_group *groups)
{
  for (int g = 0; g < n; g++)
    vrg_free (groups[g].run);
  vrg_free (groups);
}

int
vrg_group_rule (const vrg_group *group, int rule)
{
  const vrg_input *in = &group->run[0]->input;
  for (int r = 0; r < in->n_rules; r++)
    if (in->rules[r] == rule)
      return r;
  return -1;
}

int
vrg_group_nn (const vrg_group *group, double nn)
{
  const vrg_input *in = &group->run[0]->input;
  for (int e = 0; e < in->n_nn; e++)
    if (fabs (in->nn[e] - nn) < SAME)
      return e;
  return -1;
}

bool
vrg_groups_share (const vrg_group *a, const vrg_group *b, int rule)
{
  const vrg_finished *x = a->run[0], *y = b->run[0];
  if (vrg_group_rule (a, rule) < 0 || vrg_group_rule (b, rule) < 0)
    return false;
  if (rule == VRG_WEIGHTED)
    return same_lines (x->fingerprint, y->fingerprint, "flow.weights");
  return (rule != VRG_LEARNT && rule != VRG_LEARNT_SIGN) || same_lines (x->fingerprint, y->fingerprint, "train.");
}

const vrg_finished_sector *
vrg_group_sector (const vrg_group *group, int run, double nn, int rule, int sector)
{
  const vrg_finished *r = group->run[run];
  return &r->sector[vrg_group_nn (group, nn) * r->input.n_rules + vrg_group_rule (group, rule)][sector];
}
