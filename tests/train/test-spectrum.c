/* SPDX-License-Identifier: GPL-3.0-or-later
 * ranks: 1 2 3 4
 * Singular values and vectors against GSL for every shape, principal components against a double loop, the
 * Marchenko-Pastur edge on random matrices, and spectrum.h5 the same to 1e-10 in every number of strips. */
#include "train/spectrum.h"

#include <gsl/gsl_eigen.h>
#include <gsl/gsl_linalg.h>
#include <gsl/gsl_sort_vector.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/rng.h"
#include "base/simd.h"
#include "files/h5.h"
#include "tests/check.h"

static vrg_rng random_key;

/** Uniform in [-1, 1). */
static double
uniform (int64_t i, int64_t draw)
{
  uint64_t random[2];
  vrg_rng_block (&random_key, VRG_RNG_WEIGHT, (uint64_t) i, (uint64_t) draw, 0, random);
  return (double) (int64_t) random[0] * 0x1p-63;
}

/** A whole layer on every rank: weights [hidden][visible], samples as bytes [samples][visible]. */
typedef struct
{
  int64_t hidden, visible, samples;
  int64_t columns; /* visible units in a row of the lattice */
  double *weights;
  unsigned char *spins;
} whole;

/** A sum of `rank` dyads of strengths 1, ratio, ratio^2 ..., plus noise. */
static whole
whole_new (int64_t hidden, int64_t visible, int64_t columns, int64_t samples, int rank, double ratio, double noise)
{
  whole w = { hidden,
              visible,
              samples,
              columns,
              vrg_new (hidden * visible, sizeof (double), "a test"),
              vrg_new (samples * visible, 1, "a test") };
  double strength = 1;
  for (int k = 0; k < rank; k++, strength *= ratio)
    for (int64_t j = 0; j < hidden; j++)
      for (int64_t i = 0; i < visible; i++)
        w.weights[j * visible + i] += strength * uniform (j, 2 * k) * uniform (i, 2 * k + 1);
  for (int64_t j = 0; j < hidden * visible; j++)
    w.weights[j] += noise * uniform (j, 100);
  /* every third unit follows its neighbour, so that there is something to find, and unit 0 never changes */
  for (int64_t s = 0; s < samples; s++)
    for (int64_t i = 0; i < visible; i++)
      w.spins[s * visible + i] = i == 0                                     ? 1
                                 : i % 3 == 2 && uniform (s, 300 + i) < 0.6 ? w.spins[s * visible + i - 1]
                                                                            : uniform (s * visible + i, 200) > 0.1;
  return w;
}

static void
whole_clear (whole *w)
{
  vrg_free (w->weights);
  vrg_free (w->spins);
}

/** This rank's share: lattice rows over strips, samples over groups. */
static vrg_spectrum_layer
share (const vrg_grid *grid, const whole *w, bool everywhere)
{
  int64_t row0, row1, sample0, sample1;
  vrg_grid_span (w->visible / w->columns, everywhere ? 1 : grid->strips, everywhere ? 0 : grid->strip, &row0, &row1);
  vrg_grid_span (w->samples, grid->groups, grid->group, &sample0, &sample1);
  vrg_spectrum_layer l = { .hidden = w->hidden,
                           .visible = w->visible,
                           .visible0 = row0 * w->columns,
                           .visible1 = row1 * w->columns,
                           .spread = 0.01,
                           .samples = sample1 - sample0,
                           .rows = row1 - row0,
                           .columns = w->columns,
                           .words = (w->columns + 63) / 64 };
  const int64_t own = l.visible1 - l.visible0;
  double *weights = vrg_new (l.hidden * own, sizeof *weights, "a test");
  for (int64_t j = 0; j < l.hidden; j++)
    for (int64_t i = 0; i < own; i++)
      weights[j * own + i] = w->weights[j * l.visible + l.visible0 + i];
  uint64_t *bits = vrg_new (l.samples * l.rows * l.words, sizeof *bits, "a test");
  for (int64_t s = 0; s < l.samples; s++)
    for (int64_t i = 0; i < own; i++)
      bits[(s * l.rows + i / l.columns) * l.words + i % l.columns / 64]
        |= (uint64_t) w->spins[(sample0 + s) * l.visible + l.visible0 + i] << (i % l.columns % 64);
  l.weights = weights;
  l.bits = bits;
  return l;
}

static void
share_clear (vrg_spectrum_layer *l)
{
  vrg_free ((void *) l->weights);
  vrg_free ((void *) l->bits);
}

/** Against GSL: singular values to 1e-12 of the largest; vectors satisfy W v = s u and W^T u = s v. */
static void
check_singular (const whole *w, const vrg_spectrum *s, const char *text)
{
  const bool tall = w->hidden >= w->visible;
  const size_t m = (size_t) (tall ? w->hidden : w->visible), n = (size_t) (tall ? w->visible : w->hidden);
  gsl_matrix *a = gsl_matrix_alloc (m, n), *v = gsl_matrix_alloc (n, n);
  gsl_vector *values = gsl_vector_alloc (n), *work = gsl_vector_alloc (n);
  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < n; j++)
      gsl_matrix_set (a, i, j, w->weights[tall ? i * n + j : j * m + i]);
  VRG_GSL (gsl_linalg_SV_decomp (a, v, values, work));
  double worst = 0, largest = gsl_vector_get (values, 0), vectors = 0;
  for (size_t k = 0; k < n; k++)
    worst = fmax (worst, fabs (s->singular_values[k] - gsl_vector_get (values, k)));
  check (worst <= 1e-12 * largest, "%s: singular values, largest error %.1e", text, largest > 0 ? worst / largest : 0);
  for (int64_t k = 0; k < s->leading; k++)
    {
      const double *u = s->hidden_vectors + k * s->hidden, *x = s->visible_vectors + k * s->visible;
      if (s->singular_values[k] <= 1.001e-4 * largest)
        continue;
      double norm = 0, most = 0;
      for (int64_t i = 0; i < w->visible; i++)
        {
          double sum = -s->singular_values[k] * x[i];
          for (int64_t j = 0; j < w->hidden; j++)
            sum += w->weights[j * w->visible + i] * u[j];
          vectors = fmax (vectors, fabs (sum));
          norm += x[i] * x[i];
          most = fabs (x[i]) > fabs (most) ? x[i] : most;
        }
      for (int64_t j = 0; j < w->hidden; j++)
        {
          double sum = -s->singular_values[k] * u[j];
          for (int64_t i = 0; i < w->visible; i++)
            sum += w->weights[j * w->visible + i] * x[i];
          vectors = fmax (vectors, fabs (sum));
        }
      vectors = fmax (vectors, fabs (norm - 1) + (most < 0));
    }
  check (vectors <= 1e-10 * fmax (largest, 1), "%s: singular vectors, error %.1e", text, vectors);
  gsl_vector_free (work);
  gsl_vector_free (values);
  gsl_matrix_free (v);
  gsl_matrix_free (a);
}

/** Exactly <s s'> - <s><s'>, rounded once. */
static double
covariance (const whole *w, int64_t i, int64_t j)
{
  int64_t pair = 0, first = 0, second = 0;
  for (int64_t s = 0; s < w->samples; s++)
    {
      const int x = 2 * w->spins[s * w->visible + i] - 1, y = 2 * w->spins[s * w->visible + j] - 1;
      pair += x * y;
      first += x;
      second += y;
    }
  return (double) (w->samples * pair - first * second) / ((double) w->samples * (double) w->samples);
}

static void
check_components (const vrg_grid *grid, const vrg_scalapack *scalapack, const whole *w, const vrg_spectrum_layer *l,
                  const vrg_spectrum *s, const char *text)
{
  const int64_t n = w->visible;
  double *all = vrg_new (n * n, sizeof *all, "a test");
  vrg_matrix *matrix = vrg_spectrum_covariance (grid, scalapack, l);
  vrg_matrix_get (matrix, 0, n, all);
  vrg_matrix_free (matrix);
  gsl_matrix *exact = gsl_matrix_alloc ((size_t) n, (size_t) n);
  bool same = true;
  for (int64_t i = 0; i < n; i++)
    for (int64_t j = 0; j < n; j++)
      {
        const double value = covariance (w, i, j);
        same = same && all[i * n + j] == value;
        gsl_matrix_set (exact, (size_t) i, (size_t) j, value);
      }
  check (same && s->samples == w->samples, "%s: the covariance to the bit", text);
  double worst = 0;
  for (int64_t k = 0; k < s->components; k++)
    for (int64_t i = 0; i < n; i++)
      {
        double sum = -s->principal_values[k] * s->principal_vectors[k * n + i];
        for (int64_t j = 0; j < n; j++)
          sum += all[i * n + j] * s->principal_vectors[k * n + j];
        worst = fmax (worst, fabs (sum));
      }
  check_abs (worst, 0, 1e-12, "its eigenvectors");
  gsl_vector *values = gsl_vector_alloc ((size_t) n);
  gsl_eigen_symm_workspace *work = gsl_eigen_symm_alloc ((size_t) n);
  VRG_GSL (gsl_eigen_symm (exact, values, work));
  gsl_sort_vector (values);
  for (int64_t k = 0; k < n; k++)
    worst = fmax (worst, fabs (s->principal_values[k] - gsl_vector_get (values, (size_t) (n - 1 - k))));
  check_abs (worst, 0, 1e-12, "its eigenvalues");
  gsl_eigen_symm_free (work);
  gsl_vector_free (values);
  gsl_matrix_free (exact);
  worst = 0;
  for (int64_t i = 0; i < s->leading; i++)
    for (int64_t j = 0; j < s->components; j++)
      {
        double sum = 0;
        for (int64_t k = 0; k < n; k++)
          sum += s->visible_vectors[i * n + k] * s->principal_vectors[j * n + k];
        worst = fmax (worst, fabs (fabs (sum) - s->overlaps[i * s->components + j]));
      }
  check_abs (worst, 0, 1e-14, "overlaps");
  vrg_free (all);
}

static bool
close_by (int64_t n, const double *a, const double *b, double tolerance)
{
  for (int64_t i = 0; i < n; i++)
    if (!(fabs (a[i] - b[i]) <= tolerance))
      return false;
  return true;
}

/** Everything that has one value.  `apart`: the values are far from each other, so the vectors are compared too. */
static bool
same_spectrum (const vrg_spectrum *a, const vrg_spectrum *b, bool apart)
{
  const double norm = a->singular_values[0];
  return a->hidden == b->hidden && a->visible == b->visible && a->samples == b->samples && a->values == b->values
         && a->leading == b->leading && a->components == b->components && a->above == b->above
         && a->above_start == b->above_start && fabs (a->edge - b->edge) <= 1e-14 * a->edge
         && a->edge_start == b->edge_start && close_by (a->values, a->singular_values, b->singular_values, 1e-10 * norm)
         && (!a->samples || close_by (a->visible, a->principal_values, b->principal_values, 1e-10))
         && (!apart
             || (close_by (a->leading * a->visible, a->visible_vectors, b->visible_vectors, 1e-8)
                 && close_by (a->leading * a->hidden, a->hidden_vectors, b->hidden_vectors, 1e-8)));
}

/** One layer in every number of strips against GSL and against one strip. */
static void
test_layer (const whole *w, bool apart, const char *text)
{
  vrg_spectrum *first = NULL;
  for (int strips = 1; strips <= check_size_; strips++)
    {
      if (check_size_ % strips != 0)
        continue;
      vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, strips);
      vrg_scalapack *scalapack = vrg_scalapack_new (grid->world);
      for (int everywhere = 0; everywhere <= (strips > 1); everywhere++)
        {
          vrg_spectrum_layer l = share (grid, w, everywhere);
          vrg_spectrum *s;
          const vrg_simd_path best = vrg_simd ();
          if (everywhere)
            vrg_simd_set (VRG_SIMD_PORTABLE);
          check (vrg_spectrum_compute (grid, scalapack, &l, &s) == VRG_OK, "%s in %d strips%s", text, strips,
                 everywhere ? ", every one with all" : "");
          vrg_simd_set (best);
          if (!first)
            {
              check_singular (w, s, text);
              if (w->samples > 0)
                check_components (grid, scalapack, w, &l, s, text);
              first = s;
            }
          else
            {
              check (same_spectrum (first, s, apart), "%s in %d strips: the same", text, strips);
              vrg_spectrum_free (s);
            }
          share_clear (&l);
        }
      vrg_scalapack_free (scalapack);
      vrg_grid_free (grid);
    }
  vrg_spectrum_free (first);
}

/** Largest singular value of noise at the edge; of noise with a strong dyad, one more above. */
static void
test_edge (void)
{
  vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, 1);
  vrg_scalapack *scalapack = vrg_scalapack_new (grid->world);
  for (int wide = 0; wide < 2; wide++)
    for (int dyads = 0; dyads < 2; dyads++)
      {
        whole w = whole_new (wide ? 100 : 400, wide ? 400 : 100, 10, 0, dyads, 1, 3);
        vrg_spectrum_layer l = share (grid, &w, false);
        vrg_spectrum *s;
        l.spread = sqrt (3); /* of 3 times a uniform number in [-1, 1) */
        check (vrg_spectrum_compute (grid, scalapack, &l, &s) == VRG_OK && s->components == 0, "a random matrix");
        if (dyads == 0)
          {
            check_rel (s->edge_start, sqrt (3) * 30, 1e-14, "the edge");
            check_rel (s->edge, s->edge_start, 0.02, "the edge from the weights");
            /* fluctuations of Tracy and Widom: 0.6 % of the edge here */
            check_rel (s->singular_values[0], s->edge, 0.04, "noise ends at the edge");
            check (s->above <= 2, "and %lld of 100 values pass it", (long long) s->above);
          }
        else /* a dyad of norm about 1/3 sqrt (400 100) = 67 */
          check (s->singular_values[0] > 1.2 * s->edge_start && s->singular_values[1] < 1.04 * s->edge_start
                   && s->above_start >= 1,
                 "a mode above the edge: %.4g, then %.4g, edge %.4g", s->singular_values[0], s->singular_values[1],
                 s->edge_start);
        vrg_spectrum_free (s);
        share_clear (&l);
        whole_clear (&w);
      }
  vrg_scalapack_free (scalapack);
  vrg_grid_free (grid);
}

static void
test_file (void)
{
  char directory[] = "spectrum-XXXXXX", path[64], temporary[80];
  if (check_rank_ == 0 && !mkdtemp (directory))
    vrg_fail_one (VRG_FILE, "cannot make a directory");
  MPI_Bcast (directory, sizeof directory, MPI_CHAR, 0, MPI_COMM_WORLD);
  snprintf (path, sizeof path, "%s/spectrum.h5", directory);
  snprintf (temporary, sizeof temporary, "%s.tmp", path);
  whole w[2] = { whole_new (20, 72, 9, 150, 20, 0.7, 0), whole_new (7, 20, 5, 0, 7, 0.7, 0) };
  vrg_spectrum **first = NULL;
  for (int strips = 1; strips <= check_size_; strips++)
    {
      if (check_size_ % strips != 0)
        continue;
      vrg_grid *grid = vrg_grid_new (MPI_COMM_WORLD, strips);
      vrg_spectrum_layer l[2] = { share (grid, &w[0], false), share (grid, &w[1], false) };
      check (vrg_spectrum_write (grid, directory, "some input", 2, l) == VRG_OK, "spectrum.h5 from %d strips", strips);
      int layers;
      vrg_spectrum **read;
      char *fingerprint = NULL;
      const bool good = vrg_spectrum_read (grid->file, path, &layers, &read, &fingerprint) == VRG_OK;
      check (good && layers == 2 && strcmp (fingerprint, "some input") == 0 && access (temporary, F_OK) != 0,
             "it can be read");
      vrg_free (fingerprint);
      if (first)
        check (same_spectrum (first[0], read[0], true) && same_spectrum (first[1], read[1], true),
               "and holds the same as that of one strip");
      else
        check (read[0]->samples == 150 && read[1]->samples == 0 && !read[1]->overlaps, "and has what was given");
      vrg_h5 *file;
      int64_t rows = 0, columns = 0;
      check (vrg_h5_open (grid->file, path, VRG_H5_READ, &file) == VRG_OK
               && vrg_h5_get_int (file, "/provenance", "process_rows", &rows) == VRG_OK
               && vrg_h5_get_int (file, "/provenance", "process_columns", &columns) == VRG_OK
               && vrg_h5_close (file) == VRG_OK && rows == (check_size_ == 4 ? 2 : 1)
               && columns == (check_size_ == 4 ? 2 : check_size_),
             "it says that %d ranks were %d x %d", check_size_, (int) rows, (int) columns);
      if (first)
        {
          vrg_spectrum_free (read[0]);
          vrg_spectrum_free (read[1]);
          vrg_free (read);
        }
      else
        first = read;
      /* a weight that is not a number; what was there stays */
      ((double *) l[1].weights)[0] = NAN;
      check (vrg_spectrum_write (grid, directory, "some input", 2, l) == VRG_INTERNAL
               && strstr (vrg_error_text (), "finite") && access (path, F_OK) == 0 && access (temporary, F_OK) != 0,
             "weights that are not finite are refused");
      share_clear (&l[0]);
      share_clear (&l[1]);
      vrg_grid_free (grid);
    }
  vrg_spectrum_free (first[0]);
  vrg_spectrum_free (first[1]);
  vrg_free (first);
  whole_clear (&w[0]);
  whole_clear (&w[1]);
  if (check_rank_ == 0)
    {
      unlink (path);
      rmdir (directory);
    }
}

int
main (int argc, char **argv)
{
  check_begin (&argc, &argv);
  vrg_rng_init (&random_key, 1, 0, 0);
  static const struct
  {
    int64_t hidden, visible, columns, samples;
    int rank;
    double ratio, noise;
    bool apart;
    const char *text;
  } layers[] = {
    { 12, 35, 5, 100, 12, 0.6, 0, true, "fewer hidden units" },
    { 41, 24, 3, 129, 24, 0.8, 0, false, "more hidden units" },
    { 70, 130, 65, 64, 0, 1, 1, false, "rows of more than a word" },
    { 9, 4, 1, 70, 4, 0.5, 0, true, "strips of a column" },
    { 3, 3, 1, 5, 3, 0.5, 0, true, "strips of a column, or none" },
    { 5, 1, 1, 9, 1, 1, 0, true, "one visible unit" },
    { 1, 30, 6, 40, 1, 1, 0, true, "one hidden unit" },
    { 1, 1, 1, 2, 1, 1, 0, true, "one of each" },
    { 30, 45, 5, 1, 4, 0.5, 0, false, "rank 4, one sample" },
    { 33, 60, 10, 0, 33, 0.2, 0, false, "values over 23 decades, no data" },
    { 20, 48, 12, 0, 2, 1e-3, 1e-9, false, "noise of 1e-9" },
    { 20, 10, 5, 20, 0, 1, 0, true, "no weights" },
  };
  for (size_t k = 0; k < sizeof layers / sizeof *layers; k++)
    {
      whole w = whole_new (layers[k].hidden, layers[k].visible, layers[k].columns, layers[k].samples, layers[k].rank,
                           layers[k].ratio, layers[k].noise);
      test_layer (&w, layers[k].apart, layers[k].text);
      whole_clear (&w);
    }
  test_edge ();
  test_file ();
  return check_end ();
}
