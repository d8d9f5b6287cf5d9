/* SPDX-License-Identifier: GPL-3.0-or-later
 * The recursion, bounds of ln Z, flows, and fixed points by Newton's method. */
#include "flow/variational.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_multiroots.h>
#include <gsl/gsl_roots.h>
#include <gsl/gsl_sort.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/error.h"
#include "base/math.h"
#include "base/memory.h"

#define NEGLIGIBLE 1e-18 /* weight of a level in ln Z per site */
#define LARGEST_P 20     /* searched for the best */
#define STRONG 10        /* a coupling deep in the ordered phase */
#define LARGEST_M 8      /* corners of a cube */

/* ---------------------------------------------------------------- one step */

/** Weights of sigma given the block spins mu of a state, normalised; returns V'(mu). */
static double
weigh (const vrg_cube *cube, double p, const double *v, int mu, double *weight)
{
  double tie[LARGEST_M + 1], largest = -INFINITY, sum = 0;
  for (int m = 0; m <= cube->corners; m += 2)
    tie[m] = vrg_ln2cosh (p * m);
  for (int s = 0; s < cube->states; s++)
    {
      const int m = cube->magnetisation[s], along = cube->magnetisation[s ^ mu];
      weight[s] = cube->corners * v[cube->class_of[s]] + p * along - tie[m < 0 ? -m : m];
      largest = fmax (largest, weight[s]);
    }
  for (int s = 0; s < cube->states; s++)
    sum += weight[s] = exp (weight[s] - largest);
  for (int s = 0; s < cube->states; s++)
    weight[s] /= sum;
  return largest + log (sum);
}

/** Mean of d/dp of the exponent. */
static double
slope_in_p (const vrg_cube *cube, double p, int mu, const double *weight)
{
  double sum = 0, tie[LARGEST_M + 1];
  for (int m = 0; m <= cube->corners; m += 2)
    tie[m] = m * tanh (p * m);
  for (int s = 0; s < cube->states; s++)
    {
      const int m = cube->magnetisation[s];
      sum += weight[s] * (cube->magnetisation[s ^ mu] - tie[m < 0 ? -m : m]);
    }
  return sum;
}

void
vrg_variational_step (const vrg_cube *cube, double p, const double *v, double *next, double *matrix, double *odd,
                      double *slope)
{
  double weight[VRG_CUBE_STATES], result[VRG_CUBE_CLASSES];
  int row = 0;
  if (matrix != NULL)
    memset (matrix, 0, (size_t) (cube->classes * cube->classes) * sizeof *matrix);
  if (odd != NULL)
    memset (odd, 0, (size_t) (cube->odd * cube->odd) * sizeof *odd);
  for (int c = 0; c < cube->classes; c++)
    {
      const int mu = cube->representative[c];
      result[c] = weigh (cube, p, v, mu, weight);
      if (slope != NULL)
        slope[c] = slope_in_p (cube, p, mu, weight);
      for (int s = 0; s < cube->states && matrix != NULL; s++)
        matrix[c * cube->classes + cube->class_of[s]] += cube->corners * weight[s];
      if (odd == NULL || row == cube->odd || cube->odd_class[row] != c)
        continue;
      for (int s = 0; s < cube->states; s++)
        for (int j = 0; j < cube->odd; j++)
          if (cube->odd_class[j] == cube->class_of[s])
            odd[row * cube->odd + j] += cube->corners * weight[s] * cube->sign[s];
      row++;
    }
  if (next != NULL)
    memcpy (next, result, (size_t) cube->classes * sizeof *next);
}

/* ---------------------------------------------------------------- bounds */

/** f(V) and its derivative in p, at constant p. */
static double
bound_and_slope (const vrg_cube *cube, const double *start, double p, double *slope)
{
  double v[VRG_CUBE_CLASSES], t[VRG_CUBE_CLASSES] = { 0 }, weight[VRG_CUBE_STATES], f = 0, df = 0, share = 1;
  memcpy (v, start, (size_t) cube->classes * sizeof *v);
  while (share > NEGLIGIBLE)
    {
      double next[VRG_CUBE_CLASSES] = { 0 }, tangent[VRG_CUBE_CLASSES] = { 0 };
      share /= cube->corners;
      for (int c = 0; c < cube->classes; c++)
        {
          const int mu = cube->representative[c];
          next[c] = weigh (cube, p, v, mu, weight);
          tangent[c] = slope_in_p (cube, p, mu, weight);
          for (int s = 0; s < cube->states; s++)
            tangent[c] += cube->corners * weight[s] * t[cube->class_of[s]];
        }
      f += share * next[0];
      df += share * tangent[0];
      for (int c = 0; c < cube->classes; c++)
        {
          v[c] = next[c] - next[0];
          t[c] = tangent[c] - tangent[0];
        }
    }
  if (slope != NULL)
    *slope = df;
  return f;
}

double
vrg_variational_bound (const vrg_cube *cube, const double *v, double p)
{
  return bound_and_slope (cube, v, p, NULL);
}

typedef struct
{
  const vrg_cube *cube;
  const double *v;
} bound_of;

static double
slope_of_bound (double p, void *data)
{
  const bound_of *of = data;
  double slope;
  bound_and_slope (of->cube, of->v, p, &slope);
  return slope;
}

/** The root of a function between two points of opposite sign. */
static double
root (double (*function) (double, void *), void *data, double low, double high)
{
  gsl_function f = { .function = function, .params = data };
  gsl_root_fsolver *solver = gsl_root_fsolver_alloc (gsl_root_fsolver_brent);
  if (solver == NULL)
    vrg_fail_one (VRG_INTERNAL, "no memory for a root");
  VRG_GSL (gsl_root_fsolver_set (solver, &f, low, high));
  for (int i = 0; i < 200; i++)
    {
      VRG_GSL (gsl_root_fsolver_iterate (solver));
      low = gsl_root_fsolver_x_lower (solver);
      high = gsl_root_fsolver_x_upper (solver);
      if (gsl_root_test_interval (low, high, 0, 1e-15) == GSL_SUCCESS)
        break;
    }
  const double x = gsl_root_fsolver_root (solver);
  gsl_root_fsolver_free (solver);
  return x;
}

double
vrg_variational_best (const vrg_cube *cube, const double *v, double *p)
{
  /* the least on a grid, then where the slope vanishes beside it; f is even in p */
  const double step = 0.1;
  double least = HUGE_VAL, at = 0;
  for (double x = 0; x <= at + 2 && x < LARGEST_P; x += step)
    {
      const double f = bound_and_slope (cube, v, x, NULL);
      if (f < least - 1e-14 * fabs (f)) /* deep in the ordered phase it is flat: the smallest p */
        {
          least = f;
          at = x;
        }
    }
  bound_of of = { cube, v };
  const double low = fmax (at - step, step / 1024), high = at + step;
  if (slope_of_bound (low, &of) < 0 && slope_of_bound (high, &of) > 0)
    at = root (slope_of_bound, &of, low, high);
  if (p != NULL)
    *p = at;
  return bound_and_slope (cube, v, at, NULL);
}

/* ---------------------------------------------------------------- flows */

void
vrg_variational_flow (const vrg_cube *cube, const double *k, vrg_variational_p choice, double p, int levels,
                      vrg_variational_level *flow)
{
  const int n = levels + 1 + (int) ceil (-log (NEGLIGIBLE) / log (cube->corners));
  double v[VRG_CUBE_CLASSES], constant = 0, share = 1;
  vrg_variational_level *all = vrg_new (n + 1, sizeof *all, "levels of a flow");
  vrg_cube_potential (cube, k, v);
  for (int level = 0; level <= n; level++)
    {
      vrg_variational_level *at = &all[level];
      vrg_cube_couplings (cube, v, at->k);
      if (level == 0)
        memcpy (at->k, k, (size_t) cube->classes * sizeof *k);
      constant += share * at->k[0];
      for (int c = 0; c < cube->classes; c++)
        at->v[c] = v[c] - at->k[0];
      at->bound = at->k[0]; /* for now the constant split off here */
      at->k[0] = 0;
      at->constant = constant;
      if (choice == VRG_P_LEVEL || (choice == VRG_P_BEST && level == 0))
        vrg_variational_best (cube, at->v, &p);
      at->p = p;
      vrg_variational_step (cube, p, at->v, v, NULL, NULL, NULL);
      share /= cube->corners;
    }
  double bound = 0;
  for (int level = n; level >= 0; level--)
    {
      const double split = all[level].bound;
      all[level].bound = bound;
      bound = (bound + split) / cube->corners;
    }
  memcpy (flow, all, (size_t) (levels + 1) * sizeof *flow);
  vrg_free (all);
}

/* ---------------------------------------------------------------- fixed points */

/** Nearest neighbours, or all pairs of a cube alike. */
static void
start_potential (const vrg_cube *cube, vrg_variational_start start, double nn, double *v)
{
  double k[VRG_CUBE_CLASSES] = { 0 };
  for (int a = 1; a < cube->classes; a++)
    if (a == 1 || (start == VRG_POINT_PAIRS && __builtin_popcount ((unsigned) cube->operator[a]) == 2))
      k[a] = nn * cube->shared[a] / cube->shared[1];
  vrg_cube_potential (cube, k, v);
}

/** R without the constant, in place; how far v moved. */
static double
move (const vrg_cube *cube, double p, double *v)
{
  double next[VRG_CUBE_CLASSES], moved = 0;
  vrg_variational_step (cube, p, v, next, NULL, NULL, NULL);
  for (int c = 0; c < cube->classes; c++)
    {
      moved = fmax (moved, fabs (next[c] - next[0] - v[c]));
      v[c] = next[c] - next[0];
    }
  return moved;
}

/** Where flows at constant p end: V of one spin against the rest, in the disordered and in the ordered phase. */
typedef struct
{
  double disorder, order;
} sinks;

/** Where the flow from v + t direction ends; near one of the ends it stops early, if they are known. */
static double
sink (const vrg_cube *cube, double p, const double *start, double t, const double *direction, const sinks *ends)
{
  double v[VRG_CUBE_CLASSES], moved = INFINITY;
  VRG_ASSERT (cube->classes > 1);
  for (int c = 0; c < cube->classes; c++)
    v[c] = start[c] + t * direction[c];
  for (int c = cube->classes - 1; c >= 0; c--)
    v[c] -= v[0];
  for (int level = 0; level < 1000 && moved > 1e-9; level++)
    {
      moved = move (cube, p, v);
      const double near = ends == NULL ? 0 : fmin (fabs (v[1] - ends->disorder), fabs (v[1] - ends->order));
      if (ends != NULL && moved < 1e-3 && near < 0.1 * (ends->disorder - ends->order))
        break;
    }
  return v[1];
}

/** The t from which v + t direction flows to neither phase, found between two that do; NaN if they end alike. */
static double
critical (const vrg_cube *cube, double p, const double *v, double high, double low, const double *direction,
          const sinks *ends)
{
  double t[2] = { high, low };
  for (int i = 0; i < 2; i++)
    {
      const double end = sink (cube, p, v, t[i], direction, ends);
      if ((fabs (end - ends->order) < fabs (end - ends->disorder)) != (i == 1))
        return NAN;
    }
  for (int i = 0; i < 100 && low - high > 4e-16 * (fabs (low) + fabs (high)); i++)
    {
      const double middle = (high + low) / 2, end = sink (cube, p, v, middle, direction, ends);
      if (fabs (end - ends->order) < fabs (end - ends->disorder))
        low = middle;
      else
        high = middle;
    }
  return (high + low) / 2;
}

/** False if there is no phase transition at this p. */
static bool
find_sinks (const vrg_cube *cube, double p, const double *direction, sinks *ends)
{
  const double zero[VRG_CUBE_CLASSES] = { 0 };
  ends->disorder = sink (cube, p, zero, 0, direction, NULL);
  ends->order = sink (cube, p, zero, STRONG, direction, NULL);
  return ends->order < 0 && ends->disorder - ends->order > 1e-3;
}

/** The nn that is critical at constant p, NaN if none is. */
static double
critical_start (const vrg_cube *cube, vrg_variational_start start, double p)
{
  const double zero[VRG_CUBE_CLASSES] = { 0 };
  double direction[VRG_CUBE_CLASSES];
  sinks ends;
  start_potential (cube, start, 1, direction);
  return find_sinks (cube, p, direction, &ends) ? critical (cube, p, zero, 0, STRONG, direction, &ends) : NAN;
}

/** The left eigenvector of the eigenvalue n, its sum 1: the gradient of f at a fixed point. */
static bool
gradient_of_bound (const vrg_cube *cube, const double *matrix, double *l)
{
  const size_t m = (size_t) cube->classes;
  double transposed[VRG_CUBE_CLASSES * VRG_CUBE_CLASSES];
  size_t order[VRG_CUBE_CLASSES];
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < m; j++)
      transposed[i * m + j] = i + 1 == m ? 1 : matrix[j * m + i] - (i == j ? cube->corners : 0);
  for (size_t i = 0; i < m; i++)
    l[i] = i + 1 == m;
  gsl_matrix_view view = gsl_matrix_view_array (transposed, m, m);
  gsl_vector_view x = gsl_vector_view_array (l, m);
  gsl_permutation permutation = { .size = m, .data = order };
  int sign;
  return gsl_linalg_LU_decomp (&view.matrix, &permutation, &sign) == GSL_SUCCESS
         && gsl_linalg_LU_svx (&view.matrix, &permutation, &x.vector) == GSL_SUCCESS;
}

/** What vanishes at the fixed point: R(V) - V, constant included, and l dR/dp; x holds V and p. */
static int
residual (const gsl_vector *x, void *data, gsl_vector *f)
{
  const vrg_cube *cube = data;
  const int m = cube->classes;
  double v[VRG_CUBE_CLASSES] = { 0 }, next[VRG_CUBE_CLASSES], matrix[VRG_CUBE_CLASSES * VRG_CUBE_CLASSES],
         slope[VRG_CUBE_CLASSES], l[VRG_CUBE_CLASSES], stationary = 0;
  for (int c = 0; c < m; c++)
    v[c] = gsl_vector_get (x, (size_t) c);
  vrg_variational_step (cube, gsl_vector_get (x, (size_t) m), v, next, matrix, NULL, slope);
  if (!gradient_of_bound (cube, matrix, l))
    return GSL_ESING;
  for (int c = 0; c < m; c++)
    {
      gsl_vector_set (f, (size_t) c, next[c] - v[c]);
      stationary += l[c] * slope[c];
    }
  gsl_vector_set (f, (size_t) m, stationary);
  return GSL_SUCCESS;
}

/** Newton's method from v and p, in place. */
static bool
solve (const vrg_cube *cube, double *v, double *p)
{
  const size_t m = (size_t) cube->classes;
  gsl_multiroot_function function = { .f = residual, .n = m + 1, .params = (void *) cube };
  gsl_multiroot_fsolver *solver = gsl_multiroot_fsolver_alloc (gsl_multiroot_fsolver_hybrids, m + 1);
  gsl_vector *x = gsl_vector_alloc (m + 1);
  if (solver == NULL || x == NULL)
    vrg_fail_one (VRG_INTERNAL, "no memory for a fixed point");
  for (size_t c = 0; c < m; c++)
    gsl_vector_set (x, c, v[c]);
  gsl_vector_set (x, m, *p);
  bool good = gsl_multiroot_fsolver_set (solver, &function, x) == GSL_SUCCESS;
  double error = INFINITY;
  for (int i = 0; i < 200 && good; i++)
    {
      const int status = gsl_multiroot_fsolver_iterate (solver);
      double now = 0;
      for (size_t c = 0; c <= m; c++)
        now = fmax (now, fabs (gsl_vector_get (solver->f, c)));
      if (now < error) /* as far as rounding lets it come */
        {
          error = now;
          for (size_t c = 0; c < m; c++)
            v[c] = gsl_vector_get (solver->x, c) - gsl_vector_get (solver->x, 0);
          *p = gsl_vector_get (solver->x, m);
        }
      if (status != GSL_SUCCESS)
        break;
    }
  gsl_vector_free (x);
  gsl_multiroot_fsolver_free (solver);
  return error < 1e-11;
}

/** Exponents by falling value of a matrix, which is destroyed; NaN for eigenvalues that are not positive. */
static void
exponents (int n, double *matrix, double *y)
{
  gsl_matrix_view view = gsl_matrix_view_array (matrix, (size_t) n, (size_t) n);
  gsl_vector_complex *value = gsl_vector_complex_alloc ((size_t) n);
  gsl_eigen_nonsymm_workspace *work = gsl_eigen_nonsymm_alloc ((size_t) n);
  if (value == NULL || work == NULL)
    vrg_fail_one (VRG_INTERNAL, "no memory for eigenvalues");
  VRG_GSL (gsl_eigen_nonsymm (&view.matrix, value, work));
  for (int i = 0; i < n; i++)
    {
      const gsl_complex z = gsl_vector_complex_get (value, (size_t) i);
      y[i] = -(GSL_IMAG (z) == 0 && GSL_REAL (z) > 1e-12 ? log2 (GSL_REAL (z)) : -INFINITY);
    }
  gsl_sort (y, 1, (size_t) n);
  for (int i = 0; i < n; i++)
    y[i] = isinf (y[i]) ? NAN : -y[i];
  gsl_eigen_nonsymm_free (work);
  gsl_vector_complex_free (value);
}

/** Where the critical flow at constant p ends, and l dR/dp there; false if there is no transition or no end is found.
 *  The flow is led back to the critical surface as it goes. */
static bool
approach (const vrg_cube *cube, vrg_variational_start start, double p, double *v, double *stationary)
{
  double matrix[VRG_CUBE_CLASSES * VRG_CUBE_CLASSES], slope[VRG_CUBE_CLASSES], l[VRG_CUBE_CLASSES],
    direction[VRG_CUBE_CLASSES], moved = INFINITY, t = STRONG / 2.0, width = t;
  sinks ends;
  start_potential (cube, start, 1, direction);
  if (!find_sinks (cube, p, direction, &ends))
    return false;
  memset (v, 0, (size_t) cube->classes * sizeof *v);
  for (int round = 0; round < 20 && moved > 1e-4; round++)
    {
      t = critical (cube, p, v, t - width, t + width, direction, &ends);
      if (isnan (t))
        return false;
      for (int c = 0; c < cube->classes; c++)
        v[c] += t * direction[c];
      for (int level = 0; level < 8; level++)
        moved = move (cube, p, v);
      t = 0;
      width = 0.01;
    }
  vrg_variational_step (cube, p, v, NULL, matrix, NULL, slope);
  if (!(moved < 1e-2) || !gradient_of_bound (cube, matrix, l))
    return false;
  *stationary = 0;
  for (int c = 0; c < cube->classes; c++)
    *stationary += l[c] * slope[c];
  return true;
}

/** Between which p the critical flows end where p is stationary: f falls with p before, rises after. */
static bool
bracket (const vrg_cube *cube, vrg_variational_start start, double *v, double *p)
{
  double before = NAN;
  for (int i = 1; i < 100; i++)
    {
      double end[VRG_CUBE_CLASSES] = { 0 }, now;
      if (!approach (cube, start, 0.02 * i, end, &now))
        now = NAN;
      if (now >= 0 && before < 0)
        {
          const double share = before / (before - now);
          for (int c = 0; c < cube->classes; c++)
            v[c] += share * (end[c] - v[c]);
          *p = 0.02 * (i - 1 + share);
          return true;
        }
      memcpy (v, end, sizeof end);
      before = now;
    }
  return false;
}

bool
vrg_variational_fixed_point (const vrg_cube *cube, vrg_variational_start start, vrg_variational_point *point)
{
  double matrix[VRG_CUBE_CLASSES * VRG_CUBE_CLASSES], odd[VRG_CUBE_ODD * VRG_CUBE_ODD];
  const int d = cube->dimension;
  gsl_error_handler_t *handler = gsl_set_error_handler_off ();
  *point = (vrg_variational_point){ .even = cube->classes, .odd = cube->odd };
  const bool found = bracket (cube, start, point->v, &point->p) && solve (cube, point->v, &point->p);
  gsl_set_error_handler (handler);
  if (!found)
    return false;
  vrg_cube_couplings (cube, point->v, point->k);
  point->k[0] = 0;
  point->critical = critical_start (cube, start, point->p);
  vrg_variational_step (cube, point->p, point->v, NULL, matrix, odd, NULL);
  exponents (point->even, matrix, point->y_even);
  exponents (point->odd, odd, point->y_odd);
  point->y_t = point->y_even[1];
  point->y_h = point->y_odd[0];
  point->delta = point->y_h / (d - point->y_h);
  point->eta = d + 2 - 2 * point->y_h;
  point->alpha = 2 - d / point->y_t;
  return true;
}
