/* SPDX-License-Identifier: GPL-3.0-or-later
 * OpenBLAS, loaded at run time. */
#include "bench/bench_blas.h"

#include <dlfcn.h>
#include <stdio.h>

bool
vrg_blas_open (vrg_blas *blas)
{
  *blas = (vrg_blas){ .name = "none" };
  blas->library = dlopen ("libopenblas.so.0", RTLD_NOW | RTLD_LOCAL);
  if (blas->library == NULL)
    blas->library = dlopen ("libopenblas.so", RTLD_NOW | RTLD_LOCAL);
  if (blas->library == NULL)
    return false;
  char *(*core) (void);
  void (*threads) (int);
  /* POSIX: a function's address as a pointer to data */
  *(void **) &blas->sgemm = dlsym (blas->library, "sgemm_");
  *(void **) &core = dlsym (blas->library, "openblas_get_corename");
  *(void **) &threads = dlsym (blas->library, "openblas_set_num_threads");
  if (blas->sgemm == NULL || core == NULL || threads == NULL)
    {
      vrg_blas_close (blas);
      return false;
    }
  threads (1);
  snprintf (blas->name, sizeof blas->name, "sgemm OpenBLAS %s", core ());
  return true;
}

void
vrg_blas_close (vrg_blas *blas)
{
  if (blas->library != NULL)
    dlclose (blas->library);
  *blas = (vrg_blas){ .name = "none" };
}

void
vrg_blas_product (const vrg_blas *blas, int m, int n, int k, const float *a, bool a_transposed, const float *b,
                  bool b_transposed, float *c)
{
  /* Fortran's columns are C's rows: C^T = B^T A^T */
  const float one = 1, zero = 0;
  blas->sgemm (b_transposed ? "T" : "N", a_transposed ? "T" : "N", &n, &m, &k, &one, b, b_transposed ? &k : &n, a,
               a_transposed ? &m : &k, &zero, c, &n);
}
