/* SPDX-License-Identifier: GPL-3.0-or-later
 * The count of calls of MPI. */
#include "base/life.h"

#include <stddef.h>

static _Atomic uint64_t own;
_Atomic uint64_t *vrg_life = &own;

void
vrg_life_move (_Atomic uint64_t *place)
{
  if (place == NULL)
    place = &own;
  if (place != vrg_life)
    atomic_store (place, atomic_load (vrg_life));
  vrg_life = place;
}
