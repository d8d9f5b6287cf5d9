/* SPDX-License-Identifier: GPL-3.0-or-later
 * Singular values, principal components and what they have to do with each other. */
#include "train/spectrum.h"

#include <math.h>
#include <stdlib.h>

#include "base/error.h"
#include "base/log.h"
#include "base/memory.h"

#define SQUARINGS 3     /* Gram matrices, one of the rest of the other */
#define TRUSTED 1e-3    /* singular values this much below the largest are taken from the next */
#define DETERMINED 1e-4 /* vectors of smaller singular values are not kept */

static int64_t
least (int64_t a, int64_t b)
{
  return a < b ? a : b;
}

/** The first of the largest components, within 1e-6, becomes positive; false if it was already. */
static bool
turn (int64_t n, double *v)
{
  double largest = 0;
  for (int64_t i = 0; i < n; i++)
    largest = fmax (largest, fabs (v[i]));
  int64_t first = 0;
  while (first < n - 1 && fabs (v[first]) < (1 - 1e-6) * largest)
    first++;
  if (v[first] >= 0)
    return false;
  for (int64_t i = 0; i < n; i++)
    v[i] = -v[i];
  return true;
}

static void
reverse (int64_t n, int64_t length, double *rows)
{
  for (int64_t i = 0; i < n / 2; i++)
    for (int64_t k = 0; k < length; k++)
      {
        double *a = rows + i * length + k, *b = rows + (n - 1 - i) * length + k, swap = *a;
        *a = *b;
        *b = swap;
      }
}

/** Principal components of the data.  Collective over grid->world. */
static int
principal (const vrg_grid *grid, const vrg_scalapack *scalapack, const vrg_spectrum_layer *layer, vrg_spectrum *s)
{
  const int64_t n = layer->visible;
  vrg_matrix *covariance = vrg_spectrum_covariance (grid, scalapack, layer), *vectors = NULL;
  if (!covariance)
    return VRG_USAGE;
  vrg_spectrum_shape (s);
  s->principal_values = vrg_new (n, sizeof (double), "principal values");
  s->principal_vectors = vrg_new (s->components * n, sizeof (double), "principal components");
  vectors = vrg_matrix_new (scalapack, n, n, covariance->block, "principal components");
  int code = vectors ? vrg_matrix_diagonalise (covariance, s->principal_values, vectors) : VRG_USAGE;
  if (code == VRG_OK)
    {
      vrg_matrix_get (vectors, n - s->components, n, s->principal_vectors);
      reverse (n, 1, s->principal_values);
      reverse (s->components, n, s->principal_vectors);
      for (int64_t k = 0; k < s->components; k++)
        turn (n, s->principal_vectors + k * n);
    }
  vrg_matrix_free (vectors);
  vrg_matrix_free (covariance);
  return code;
}

/** Leading vectors of both sides from eigenvectors (ascending) of a a^T; a: the smaller side's rows.  Collective. */
static int
leading_vectors (const vrg_scalapack *scalapack, const vrg_matrix *a, const vrg_matrix *eigenvectors,
                 const double *squares, vrg_spectrum *s)
{
  const int64_t n = a->rows, m = a->columns, k = s->leading;
  const bool by_hidden = s->hidden == n;
  double *small = by_hidden ? s->hidden_vectors : s->visible_vectors,
         *large = by_hidden ? s->visible_vectors : s->hidden_vectors;
  vrg_matrix *others = vrg_matrix_new (scalapack, m, k, a->block, "singular vectors");
  if (!others)
    return VRG_USAGE;
  vrg_matrix_right (a, eigenvectors, n - k, others);
  vrg_matrix_get (eigenvectors, n - k, n, small);
  vrg_matrix_get (others, 0, k, large);
  vrg_matrix_free (others);
  reverse (k, n, small);
  reverse (k, m, large);
  for (int64_t i = 0; i < k; i++)
    {
      const bool determined = squares[n - 1 - i] > DETERMINED * DETERMINED * squares[n - 1];
      double norm = 0;
      for (int64_t j = 0; j < m; j++)
        norm += large[i * m + j] * large[i * m + j];
      norm = sqrt (norm);
      for (int64_t j = 0; j < m; j++)
        large[i * m + j] = determined ? large[i * m + j] / norm : 0;
      for (int64_t j = 0; j < n && !determined; j++)
        small[i * n + j] = 0;
      double *visible = s->visible_vectors + i * s->visible, *hidden = s->hidden_vectors + i * s->hidden;
      if (turn (s->visible, visible))
        for (int64_t j = 0; j < s->hidden; j++)
          hidden[j] = -hidden[j];
    }
  return VRG_OK;
}

static int
descending (const void *a, const void *b)
{
  const double x = *(const double *) a, y = *(const double *) b;
  return (x < y) - (x > y);
}

/** Singular values of `a`, which is freed, largest first as they are found; see spectrum.h.  Collective. */
static int
squarings (const vrg_scalapack *scalapack, vrg_matrix *a, vrg_spectrum *s)
{
  double *squares = vrg_new (a->rows, sizeof *squares, "squares of singular values");
  int64_t found = 0;
  int code = VRG_OK;
  for (int pass = 1; code == VRG_OK && found < s->values; pass++)
    {
      VRG_ASSERT (a != NULL);
      const int n = a->rows;
      vrg_matrix *gram = vrg_matrix_new (scalapack, n, n, a->block, "a Gram matrix"),
                 *vectors = gram ? vrg_matrix_new (scalapack, n, n, a->block, "singular vectors") : NULL, *rest = NULL;
      if (!vectors)
        code = VRG_USAGE;
      else
        {
          vrg_matrix_gram (a, gram);
          code = vrg_matrix_diagonalise (gram, squares, vectors);
        }
      if (code == VRG_OK && pass == 1)
        code = leading_vectors (scalapack, a, vectors, squares, s);
      if (code == VRG_OK)
        {
          int left = n; /* eigenvalues not taken yet */
          while (left > 0 && (pass == SQUARINGS || squares[left - 1] >= TRUSTED * TRUSTED * squares[n - 1]))
            s->singular_values[found++] = sqrt (fmax (squares[--left], 0));
          if (left > 0 && squares[n - 1] <= 0) /* nothing but zeros */
            found += left;
          else if (left > 0)
            {
              rest = vrg_matrix_new (scalapack, left, a->columns, a->block, "the rest of the weights");
              if (rest != NULL)
                vrg_matrix_left (vectors, 0, a, rest);
              else
                code = VRG_USAGE;
            }
        }
      vrg_matrix_free (vectors);
      vrg_matrix_free (gram);
      vrg_matrix_free (a);
      a = rest;
    }
  vrg_matrix_free (a);
  vrg_free (squares);
  qsort (s->singular_values, (size_t) s->values, sizeof *s->singular_values, descending);
  return code;
}

/** Standard deviation of all weights.  Collective over grid->world. */
static int
deviation (const vrg_grid *grid, const vrg_spectrum_layer *layer, double *result)
{
  const int64_t n = layer->hidden * (layer->visible1 - layer->visible0);
  double sums[3] = { 0, 0, (double) n };
  for (int64_t i = 0; i < n; i++)
    {
      sums[0] += layer->weights[i];
      sums[1] += layer->weights[i] * layer->weights[i];
    }
  VRG_MPI (MPI_Allreduce (MPI_IN_PLACE, sums, 3, MPI_DOUBLE, MPI_SUM, grid->strip_comm));
  VRG_MPI (MPI_Bcast (sums, 3, MPI_DOUBLE, 0, grid->world)); /* so that counts over the edge are one answer */
  const double mean = sums[0] / sums[2], variance = sums[1] / sums[2] - mean * mean;
  *result = sqrt (fmax (variance, 0));
  if (isfinite (sums[1]))
    return VRG_OK;
  return vrg_error (VRG_INTERNAL, "singular values of weights that are not finite numbers");
}

/** Collective over grid->world. */
static int
singular (const vrg_grid *grid, const vrg_scalapack *scalapack, const vrg_spectrum_layer *layer, vrg_spectrum *s)
{
  const int64_t own = layer->visible1 - layer->visible0;
  const bool by_hidden = layer->hidden <= layer->visible;
  int64_t hidden0, hidden1; /* the groups hold the same: each hands out its share */
  vrg_grid_span (layer->hidden, grid->groups, grid->group, &hidden0, &hidden1);
  const double *mine = own > 0 ? layer->weights + hidden0 * own : NULL;
  vrg_matrix *a = vrg_matrix_new (scalapack, s->values, by_hidden ? layer->visible : layer->hidden,
                                  vrg_matrix_block (scalapack, s->values), "the weights");
  if (!a)
    return VRG_USAGE;
  if (by_hidden)
    vrg_matrix_put (a, &(vrg_rectangle){ hidden0, hidden1, layer->visible0, layer->visible1, own, 1, mine });
  else
    vrg_matrix_put (a, &(vrg_rectangle){ layer->visible0, layer->visible1, hidden0, hidden1, 1, own, mine });
  return squarings (scalapack, a, s);
}

void
vrg_spectrum_shape (vrg_spectrum *s)
{
  s->values = least (s->hidden, s->visible);
  s->leading = least (s->values, VRG_SPECTRUM_LEADING);
  s->components = s->samples > 0 ? least (s->visible, VRG_SPECTRUM_LEADING) : 0;
}

static vrg_spectrum *
spectrum_new (int64_t hidden, int64_t visible)
{
  vrg_spectrum *s = vrg_new (1, sizeof *s, "a spectrum");
  s->hidden = hidden;
  s->visible = visible;
  vrg_spectrum_shape (s);
  s->singular_values = vrg_new (s->values, sizeof (double), "singular values");
  s->visible_vectors = vrg_new (s->leading * visible, sizeof (double), "singular vectors");
  s->hidden_vectors = vrg_new (s->leading * hidden, sizeof (double), "singular vectors");
  return s;
}

static void
compare (vrg_spectrum *s)
{
  s->overlaps = vrg_new (s->leading * s->components, sizeof (double), "overlaps");
  for (int64_t i = 0; i < s->leading; i++)
    for (int64_t j = 0; j < s->components; j++)
      {
        double sum = 0;
        for (int64_t k = 0; k < s->visible; k++)
          sum += s->visible_vectors[i * s->visible + k] * s->principal_vectors[j * s->visible + k];
        s->overlaps[i * s->components + j] = fabs (sum);
      }
}

int
vrg_spectrum_compute (const vrg_grid *grid, const vrg_scalapack *scalapack, const vrg_spectrum_layer *layer,
                      vrg_spectrum **result)
{
  VRG_ASSERT (layer->hidden > 0 && layer->visible > 0);
  *result = NULL;
  vrg_spectrum *s = spectrum_new (layer->hidden, layer->visible);
  s->deviation_start = layer->spread;
  int code = deviation (grid, layer, &s->deviation);
  if (code == VRG_OK)
    code = singular (grid, scalapack, layer, s);
  const double sides = sqrt ((double) s->visible) + sqrt ((double) s->hidden);
  s->edge_start = s->deviation_start * sides;
  s->edge = s->deviation * sides;
  for (int64_t k = 0; k < s->values; k++)
    {
      s->above_start += s->singular_values[k] > s->edge_start;
      s->above += s->singular_values[k] > s->edge;
    }
  if (code == VRG_OK)
    {
      s->samples = layer->samples;
      vrg_sum_int64 (grid->group_comm, &s->samples, 1);
    }
  if (code == VRG_OK && s->samples > 0 && s->visible > VRG_SPECTRUM_UNITS)
    {
      vrg_info ("spectrum: no principal components of %lld units (at most %d)", (long long) s->visible,
                VRG_SPECTRUM_UNITS);
      s->samples = 0;
    }
  if (code == VRG_OK && s->samples > 0)
    code = principal (grid, scalapack, layer, s);
  if (code == VRG_OK && s->samples > 0)
    compare (s);
  if (code == VRG_OK)
    *result = s;
  else
    vrg_spectrum_free (s);
  return code;
}

void
vrg_spectrum_free (vrg_spectrum *s)
{
  if (!s)
    return;
  vrg_free (s->singular_values);
  vrg_free (s->visible_vectors);
  vrg_free (s->hidden_vectors);
  vrg_free (s->principal_values);
  vrg_free (s->principal_vectors);
  vrg_free (s->overlaps);
  vrg_free (s);
}
