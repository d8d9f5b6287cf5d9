/* SPDX-License-Identifier: GPL-3.0-or-later
 * Exact values, and the renormalization groups that need no configurations, as tables. */
#include "report/tables.h"

#include <ctype.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"
#include "files/h5.h"
#include "flow/migdal.h"
#include "flow/variational.h"
#include "lattice/exact.h"

/* ---------------------------------------------------------------- reading options */

/** A number from low to high; `text` may be NULL: then value stays. */
static int
read_number (const char *option, const char *text, double low, double high, double *value)
{
  char *end;
  if (text == NULL)
    return VRG_OK;
  const double number = strtod (text, &end);
  if (end == text || *end || !(number >= low && number <= high))
    return vrg_error (VRG_USAGE, "%s: `%.60s` is not a number of %g to %g", option, text, low, high);
  *value = number;
  return VRG_OK;
}

static int
read_integer (const char *option, const char *text, int low, int high, int *value)
{
  double number = *value;
  const int code = read_number (option, text, low, high, &number);
  if (code == VRG_OK && number != floor (number))
    return vrg_error (VRG_USAGE, "%s: `%.60s` is not an integer", option, text);
  *value = (int) number;
  return code;
}

/** Which of the words; `text` may be NULL: then value stays. */
static int
read_word (const char *option, const char *text, const char *const *words, int *value)
{
  char all[256] = "";
  if (text == NULL)
    return VRG_OK;
  for (int i = 0; words[i] != NULL; i++)
    {
      if (!strcmp (text, words[i]))
        {
          *value = i;
          return VRG_OK;
        }
      const size_t used = strlen (all);
      snprintf (all + used, sizeof all - used, "%s%s", i ? ", " : "", words[i]);
    }
  return vrg_error (VRG_USAGE, "%s: `%.60s` is none of %s", option, text, all);
}

/** A coupling in front of *text, which moves on: a number of 0.0001 to 10, or critical. */
static int
read_coupling (int dimension, const char **text, double *nn)
{
  static const char critical[] = "critical";
  const size_t length = strcspn (*text, " ,");
  const char *word = *text;
  char *end;
  *text += length;
  if (length == strlen (critical) && !strncmp (word, critical, length) && dimension > 1)
    {
      *nn = dimension == 2 ? VRG_CRITICAL_2D : VRG_CRITICAL_3D;
      return VRG_OK;
    }
  *nn = strtod (word, &end);
  if (end != *text || length == 0 || !(*nn >= 1e-4 && *nn <= 10))
    return vrg_error (VRG_USAGE, "--nn: `%.*s` is %s a coupling of 0.0001 to 10", length < 60 ? (int) length : 60, word,
                      dimension > 1 ? "neither critical nor" : "not");
  return VRG_OK;
}

/** The only coupling. */
static int
read_nn (int dimension, const char *text, double *nn)
{
  const int code = read_coupling (dimension, &text, nn);
  return code == VRG_OK && *text ? vrg_error (VRG_USAGE, "--nn: more than one coupling") : code;
}

/* ---------------------------------------------------------------- vrg exact */

int
vrg_table_exact (int rank, const vrg_table_options *options)
{
  if (options->size == NULL || options->nn == NULL)
    return vrg_error (VRG_USAGE, "exact: --size and --nn are needed");
  char *end;
  long long rows = strtoll (options->size, &end, 10), columns = rows;
  if (end != options->size && *end == 'x')
    {
      const char *second = end + 1;
      columns = strtoll (second, &end, 10);
      if (end == second)
        end = (char *) "x";
    }
  if (end == options->size || *end || rows < 2 || rows > 1048576 || columns < 2 || columns > 1048576)
    return vrg_error (VRG_USAGE, "--size: `%.60s` is neither L nor LxM with sides of 2 to 1048576", options->size);
  double nn;
  const int code = read_nn (2, options->nn, &nn);
  if (code == VRG_OK && rank == 0)
    {
      double lnz, energy, specific_heat;
      vrg_exact_torus (rows, columns, nn, &lnz, &energy, &specific_heat);
      printf ("# vrg %s exact, Kaufman's torus; lnz of the whole torus\nsize\tnn\tlnz\tenergy\tspecific_heat\n%lld",
              vrg_version (), rows);
      if (columns != rows)
        printf ("x%lld", columns);
      printf ("\t%.15g\t%.15g\t%.12g\t%.12g\n", nn, lnz, energy, specific_heat);
    }
  return code;
}

/* ---------------------------------------------------------------- vrg variational */

typedef enum
{
  KADANOFF,
  MIGDAL,
  DECIMATION
} method;
static const char *const methods[] = { "kadanoff", "migdal-kadanoff", "decimation", NULL };
static const char *const method_names[]
  = { "Kadanoff's lower-bound recursion (lower bound of the free energy; one hypercube)", "Migdal-Kadanoff recursion",
      "decimation" };

/** The options understood. */
typedef struct
{
  int dimension, method, start, scale, levels;
  double nn, nnn, plaquette, p;
  vrg_variational_p choice;
} request;

static void
row (const char *quantity, double value)
{
  printf ("%s\t%.12g\n", quantity, value);
}

static void
print_point (const vrg_cube *cube, const vrg_variational_point *point)
{
  char name[32];
  const int unlike = cube->dimension == 1 ? 0 : cube->classes;
  row ("p", point->p);
  for (int c = 0; c < unlike; c++)
    {
      /* one row for classes of the same |M| and value */
      const int m = cube->magnetisation[cube->representative[c]];
      int first = c, last = c, different = 0;
      while (first > 0 && cube->magnetisation[cube->representative[first - 1]] == m)
        first--;
      while (last + 1 < cube->classes && cube->magnetisation[cube->representative[last + 1]] == m)
        last++;
      for (int other = first; other <= last; other++)
        different += fabs (point->v[other] - point->v[first]) > 1e-9;
      if (!different && c > first)
        continue;
      if (different)
        snprintf (name, sizeof name, "V_%d.%d", m, c - first + 1);
      else
        snprintf (name, sizeof name, "V_%d", m);
      row (name, point->v[c]);
    }
  for (int a = 1; a < cube->classes; a++)
    if (cube->name[a] != NULL)
      row (cube->name[a], point->k[a]);
  row ("nn_critical", point->critical);
  row ("y_t", point->y_t);
  row ("y_h", point->y_h);
  row ("nu", 1 / point->y_t);
  row ("alpha", point->alpha);
  row ("delta", point->delta);
  row ("eta", point->eta);
  for (int i = 2; i < point->even; i++)
    {
      snprintf (name, sizeof name, "y_even_%d", i);
      row (name, point->y_even[i]);
    }
  for (int i = 1; i < point->odd; i++)
    {
      snprintf (name, sizeof name, "y_odd_%d", i + 1);
      row (name, point->y_odd[i]);
    }
}

static void
print_kadanoff (const request *r)
{
  vrg_cube cube;
  vrg_variational_point point;
  vrg_cube_init (&cube, r->dimension);
  const bool found = vrg_variational_fixed_point (&cube, (vrg_variational_start) r->start, &point);
  if (!found)
    {
      vrg_info ("no fixed point at finite couplings: every flow ends at nn = 0");
      point = (vrg_variational_point){
        .p = NAN, .critical = NAN, .y_t = NAN, .y_h = NAN, .delta = NAN, .eta = NAN, .alpha = NAN
      };
      for (int a = 0; a < VRG_CUBE_CLASSES; a++)
        point.v[a] = point.k[a] = NAN;
    }
  printf ("# fixed point with stationary p, %s; V_M of a cube by |M|%s; couplings per lattice\n"
          "# nn_critical: the start that flows there at this p, %s; y_even_1 is y_t, y_odd_1 is y_h\nquantity\tvalue\n",
          r->start == VRG_POINT_PAIRS ? "V a function of |M| alone" : "from nearest-neighbour couplings",
          r->start == VRG_POINT_PAIRS ? "" : " (neighbours alike first)",
          r->start == VRG_POINT_PAIRS ? "nn of equal pairs in a cube" : "nn alone");
  print_point (&cube, &point);
}

static void
print_migdal (const request *r)
{
  double nn = NAN, eigenvalue = NAN, y_t = NAN;
  if (!vrg_migdal_fixed_point (r->dimension, r->scale, &nn, &eigenvalue, &y_t))
    vrg_info ("no fixed point at finite couplings: every flow ends at nn = 0");
  printf ("quantity\tvalue\n");
  row ("nn", nn);
  row ("eigenvalue", eigenvalue);
  row ("y_t", y_t);
  row ("nu", 1 / y_t);
}

static void
print_kadanoff_flow (const request *r)
{
  vrg_cube cube;
  double k[VRG_CUBE_CLASSES] = { 0 };
  vrg_variational_level *flow = vrg_new (r->levels + 1, sizeof *flow, "levels of a flow");
  vrg_cube_init (&cube, r->dimension);
  k[1] = r->nn;
  if (r->dimension > 1)
    {
      k[2] = r->nnn;
      k[3] = r->plaquette;
    }
  vrg_variational_flow (&cube, k, r->choice, r->p, r->levels, flow);
  printf ("# p %s; lnz_bound >= ln Z per site of the level's lattice; constant + lnz_bound / %d^level bounds that of "
          "level 0\nlevel\tp\tnn\tnnn\tplaquette\tthird\tconstant\tlnz_bound\n",
          r->choice == VRG_P_LEVEL  ? "best at each level"
          : r->choice == VRG_P_BEST ? "constant, of the least bound"
                                    : "as given",
          cube.corners);
  for (int level = 0; level <= r->levels; level++)
    {
      printf ("%d\t%.12g", level, flow[level].p);
      for (int a = 1; a <= 4; a++)
        {
          const double value = a < cube.classes && cube.name[a] != NULL ? flow[level].k[a] : NAN;
          printf ("\t%.12g", fabs (value) < 1e-15 ? 0 : value); /* rounding of sums over configurations */
        }
      printf ("\t%.12g\t%.12g\n", flow[level].constant, flow[level].bound);
    }
  vrg_free (flow);
}

static void
print_migdal_flow (const request *r)
{
  const int n = r->levels + 1;
  double *k = vrg_new (3 * n, sizeof *k, "levels of a flow"), *bound = k + n, *constant = bound + n;
  const char *lnz = r->dimension == 1 ? "lnz" : "lnz_bound";
  vrg_migdal_flow (r->dimension, r->scale, r->nn, r->levels, k, bound, constant);
  printf ("# %s %s ln Z per site of the level's lattice; constant + %s / %.0f^level %s that of level 0\n"
          "level\tnn\tconstant\t%s\n",
          lnz, r->dimension == 1 ? "is" : ">=", lnz, pow (r->scale, r->dimension), r->dimension == 1 ? "is" : "bounds",
          lnz);
  for (int level = 0; level < n; level++)
    printf ("%d\t%.12g\t%.12g\t%.12g\n", level, k[level], constant[level], bound[level]);
  vrg_free (k);
}

static int
print_bounds (const request *r, const char *list, bool print)
{
  vrg_cube cube;
  vrg_cube_init (&cube, r->dimension);
  if (print)
    printf ("# ln Z per site of the infinite lattice and upper bounds; kadanoff: one hypercube, best constant p; "
            "migdal_kadanoff: scale %d\nnn\texact\tkadanoff\tp\tmigdal_kadanoff\n",
            r->scale);
  if (!list[strspn (list, " ,")])
    return vrg_error (VRG_USAGE, "--nn: no coupling");
  while (*(list += strspn (list, " ,")))
    {
      double k[VRG_CUBE_CLASSES] = { 0 }, v[VRG_CUBE_CLASSES], p;
      const int code = read_coupling (r->dimension, &list, &k[1]);
      if (code != VRG_OK)
        return code;
      if (!print)
        continue;
      vrg_cube_potential (&cube, k, v);
      const double kadanoff = vrg_variational_best (&cube, v, &p);
      printf ("%.15g\t%.12g\t%.12g\t%.9g\t%.12g\n", k[1],
              r->dimension == 1   ? log (2 * cosh (k[1]))
              : r->dimension == 2 ? vrg_exact_plane (k[1])
                                  : NAN,
              kadanoff, p, vrg_migdal_bound (r->dimension, r->scale, k[1]));
    }
  return VRG_OK;
}

/** Options that belong to another table than the one asked for. */
static int
misplaced (const vrg_table_options *o, int chosen)
{
  const bool flow = o->nn != NULL && o->bounds == NULL;
  const struct
  {
    const char *given, *name;
    bool fits;
    const char *where;
  } rules[] = {
    { o->levels, "--levels", flow, "of a flow, from --nn" },
    { o->p, "--p", flow && chosen == KADANOFF, "of a flow, from --nn, by the method kadanoff" },
    { o->nnn, "--nnn", flow && chosen == KADANOFF, "of a flow, beside --nn, by the method kadanoff" },
    { o->plaquette, "--plaquette", flow && chosen == KADANOFF, "of a flow, beside --nn, by the method kadanoff" },
    { o->fixed_point, "--fixed-point", o->nn == NULL && o->bounds == NULL && chosen == KADANOFF,
      "of the method kadanoff, without --nn" },
    { o->method, "--method", o->bounds == NULL, "not for --bounds, which has all of them" },
    { o->scale, "--scale", o->bounds != NULL || chosen != KADANOFF,
      "of the methods migdal-kadanoff and decimation; kadanoff has 2" },
  };
  for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
    if (rules[i].given != NULL && !rules[i].fits)
      return vrg_error (VRG_USAGE, "variational: %s is %s", rules[i].name, rules[i].where);
  return VRG_OK;
}

static int
read_request (const vrg_table_options *o, request *r)
{
  static const char *const starts[] = { "pairs", "neighbours", NULL }, *const choices[] = { "constant", "level", NULL };
  int code, choice = 1;
  *r = (request){ .method = KADANOFF, .scale = 2, .levels = 10, .choice = VRG_P_LEVEL };
  if (o->dimension == NULL)
    return vrg_error (VRG_USAGE, "variational: --dimension is needed");
  if ((code = read_integer ("--dimension", o->dimension, 1, 3, &r->dimension)) != VRG_OK
      || (code = read_word ("--method", o->method, methods, &r->method)) != VRG_OK
      || (code = misplaced (o, r->method)) != VRG_OK
      || (code = read_word ("--fixed-point", o->fixed_point, starts, &r->start)) != VRG_OK
      || (code = read_integer ("--scale", o->scale, 2, 100, &r->scale)) != VRG_OK
      || (code = read_integer ("--levels", o->levels, 0, 100, &r->levels)) != VRG_OK
      || (code = read_number ("--nnn", o->nnn, -10, 10, &r->nnn)) != VRG_OK
      || (code = read_number ("--plaquette", o->plaquette, -10, 10, &r->plaquette)) != VRG_OK)
    return code;
  if (r->method == DECIMATION && r->dimension > 1)
    return vrg_error (VRG_USAGE, "--method: decimation is closed in one dimension only; migdal-kadanoff goes beyond");
  if (r->dimension == 1 && (o->nnn != NULL || o->plaquette != NULL))
    return vrg_error (VRG_USAGE, "variational: one dimension has nn alone");
  if (o->p != NULL && (isdigit ((unsigned char) *o->p) || strchr ("+-.", *o->p)))
    {
      r->choice = VRG_P_GIVEN;
      return read_number ("--p", o->p, 0, 20, &r->p);
    }
  code = read_word ("--p", o->p, choices, &choice);
  r->choice = choice == 0 ? VRG_P_BEST : VRG_P_LEVEL;
  return code;
}

int
vrg_table_variational (int rank, const vrg_table_options *options)
{
  static const char *const usual[] = { NULL, "0.2 0.4 0.6 1", "0.2 0.4 critical 0.6", "0.1 0.2 critical 0.3" };
  request r;
  int code = read_request (options, &r);
  const char *list = code == VRG_OK && options->nn == NULL ? usual[r.dimension] : options->nn;
  if (code == VRG_OK && options->bounds != NULL)
    code = print_bounds (&r, list, false);
  else if (code == VRG_OK && options->nn != NULL)
    code = read_nn (r.dimension, options->nn, &r.nn);
  if (code != VRG_OK || rank != 0)
    return code;
  printf ("# vrg %s variational, dimension %d", vrg_version (), r.dimension);
  if (options->bounds == NULL)
    printf (", %s, scale %d", method_names[r.method], r.scale);
  putchar ('\n');
  if (options->bounds != NULL)
    return print_bounds (&r, list, true);
  (options->nn == NULL    ? r.method == KADANOFF ? print_kadanoff : print_migdal
   : r.method == KADANOFF ? print_kadanoff_flow
                          : print_migdal_flow) (&r);
  return VRG_OK;
}
