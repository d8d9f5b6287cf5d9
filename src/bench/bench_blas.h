/* SPDX-License-Identifier: GPL-3.0-or-later
 * OpenBLAS as a reference, loaded at run time so that nothing depends on it.  All local. */
#ifndef VRG_BENCH_BENCH_BLAS_H
#define VRG_BENCH_BENCH_BLAS_H

#include <stdbool.h>

/** sgemm of one thread; closed by vrg_blas_close. */
typedef struct
{
  void *library;
  void (*sgemm) (const char *transa, const char *transb, const int *m, const int *n, const int *k, const float *alpha,
                 const float *a, const int *lda, const float *b, const int *ldb, const float *beta, float *c,
                 const int *ldc);
  char name[64]; /* "sgemm OpenBLAS Cooperlake" */
} vrg_blas;

/** False if OpenBLAS is not there; name = "none" then. */
bool vrg_blas_open (vrg_blas *blas);
void vrg_blas_close (vrg_blas *blas);

/** Row-major C [m][n] = A B, A [m][k] or its transpose in memory, B [k][n] or its transpose in memory. */
void vrg_blas_product (const vrg_blas *blas, int m, int n, int k, const float *a, bool a_transposed, const float *b,
                       bool b_transposed, float *c);

#endif
