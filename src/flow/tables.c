/* SPDX-License-Identifier: GPL-3.0-or-later
 * Rows of the flow stage's tables. */
#include "flow/tables.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "files/table.h"
#include "lattice/exact.h"

static const char *const sector_names[VRG_SECTORS] = { "even", "odd" };

/* The first cells of every row. */
static void
begin_row (vrg_table *table, const vrg_result *r, int level)
{
  vrg_table_double (table, r->measure->info->nn[r->ensemble]);
  vrg_table_text (table, vrg_result_rule (r));
  vrg_table_int (table, level);
}

static void
put_value (vrg_table *table, double value, double error)
{
  vrg_table_double (table, value);
  vrg_table_double (table, error);
}

static void
put_couplings (vrg_table *table, const vrg_result *r)
{
  const vrg_fits *f = r->fits;
  for (int level = 0; f != NULL && level < r->levels; level++)
    for (int a = 0; a < f->n; a++)
      {
        begin_row (table, r, level);
        vrg_table_int (table, vrg_fits_used (f, level));
        vrg_table_text (table, r->measure->input->fitted[a].name);
        put_value (table, f->value[level * f->n + a], f->error[level * f->n + a]);
      }
}

static void
put_exponents (vrg_table *table, const vrg_result *r)
{
  static const double exact[VRG_SECTORS] = { 1, 1.875 };
  const vrg_measure *m = r->measure;
  bool critical = m->input->dimension == 2 && fabs (m->info->nn[r->ensemble] - VRG_CRITICAL_2D) < 1e-12
                  && m->info->nnn == 0 && m->info->plaquette == 0;
  for (int level = 1; level < r->levels; level++)
    for (int s = 0; s < VRG_SECTORS; s++)
      for (int a = 0; a < m->n[s]; a++)
        {
          const vrg_estimate *y = &r->sector[s][VRG_Y];
          begin_row (table, r, level);
          vrg_table_text (table, sector_names[s]);
          vrg_table_int (table, a + 1);
          put_value (table, y->value[level * m->n[s] + a], y->error[level * m->n[s] + a]);
          vrg_table_double (table, critical ? exact[s] : (double) NAN);
        }
}

static void
put_eigenvalues (vrg_table *table, const vrg_result *r)
{
  static const vrg_quantity columns[] = { VRG_EIGENVALUE, VRG_EIGENVALUE_IMAGINARY, VRG_EIGENVALUE_Y };
  for (int level = 1; level < r->levels; level++)
    for (int s = 0; s < VRG_SECTORS; s++)
      {
        int n = r->measure->n[s], used = 0;
        for (int a = 0; a < n; a++)
          used += r->used[s][level * n + a];
        for (int i = 0; i < used; i++)
          {
            begin_row (table, r, level);
            vrg_table_text (table, sector_names[s]);
            vrg_table_int (table, used);
            vrg_table_int (table, i + 1);
            for (size_t c = 0; c < sizeof columns / sizeof columns[0]; c++)
              put_value (table, r->sector[s][columns[c]].value[level * n + i],
                         r->sector[s][columns[c]].error[level * n + i]);
          }
      }
}

static void
put_fit (vrg_table *table, const vrg_result *r)
{
  const vrg_fits *f = r->fits;
  for (int level = 0; f != NULL && level < r->levels; level++)
    for (int m = 0; m < f->n; m++)
      {
        int i = level * f->n + m;
        begin_row (table, r, level);
        vrg_table_int (table, m + 1);
        put_value (table, f->likelihood[i], f->likelihood_error[i]);
        put_value (table, f->gain[i], f->gain_error[i]);
        put_value (table, f->deviance[i], f->deviance_error[i]);
        vrg_table_int (table, f->inside[i] == 1);
      }
}

/* Of a quantity of the even operators. */
static void
put_even (vrg_table *table, const vrg_result *r, vrg_quantity quantity)
{
  int n = r->measure->n[VRG_EVEN];
  const vrg_estimate *e = &r->sector[VRG_EVEN][quantity];
  for (int level = 1; level < r->levels; level++)
    for (int a = 0; a < n; a++)
      {
        begin_row (table, r, level);
        vrg_table_text (table, r->measure->input->even[a].name);
        put_value (table, e->value[level * n + a], e->error[level * n + a]);
      }
}

static void
put_derivatives (vrg_table *table, const vrg_result *r)
{
  put_even (table, r, VRG_DERIVATIVE);
}

static void
put_surface (vrg_table *table, const vrg_result *r)
{
  put_even (table, r, VRG_NORMAL);
}

static const struct
{
  const char *name, *columns;
  void (*put) (vrg_table *table, const vrg_result *result);
} kinds[] = {
  { "couplings.tsv", "nn rule level operators operator value error", put_couplings },
  { "exponents.tsv", "nn rule level sector operators y error exact", put_exponents },
  { "eigenvalues.tsv", "nn rule level sector operators index real real_error imaginary imaginary_error y y_error",
    put_eigenvalues },
  { "fit.tsv",
    "nn rule level operators pseudo_likelihood pseudo_likelihood_err gain gain_err deviance deviance_err inside",
    put_fit },
  { "derivatives.tsv", "nn rule level operator derivative error", put_derivatives },
  { "surface.tsv", "nn rule level operator normal error", put_surface },
};

enum
{
  KINDS = sizeof kinds / sizeof kinds[0]
};

struct vrg_flow_tables
{
  vrg_table *table[KINDS];
};

vrg_flow_tables *
vrg_flow_tables_new (const char *directory, const char *comment)
{
  vrg_flow_tables *t = vrg_new (1, sizeof *t, "tables");
  for (int i = 0; i < KINDS; i++)
    t->table[i] = vrg_table_new (directory, kinds[i].name, kinds[i].columns, comment);
  return t;
}

void
vrg_flow_tables_add (vrg_flow_tables *tables, const vrg_result *result)
{
  for (int i = 0; i < KINDS; i++)
    kinds[i].put (tables->table[i], result);
}

int
vrg_flow_tables_close (vrg_flow_tables *tables, int code)
{
  if (tables == NULL)
    return code;
  for (int i = 0; i < KINDS; i++)
    if (code == VRG_OK)
      code = vrg_table_close (tables->table[i], NULL);
    else
      vrg_table_discard (tables->table[i]);
  vrg_free (tables);
  return code;
}
