/* SPDX-License-Identifier: GPL-3.0-or-later
 * The couplings that configurations are sampled with: weight exp (nn S_nn + nnn S_nnn + plaquette S_p + field S_1), every
 * S the sum over the lattice of its images, each once. */
#ifndef VRG_SAMPLE_HAMILTONIAN_H
#define VRG_SAMPLE_HAMILTONIAN_H

#include "base/param.h"

/** Plain data; nnn and plaquette are 0 but in two dimensions. */
typedef struct
{
  double nn, nnn, plaquette, field;
} vrg_hamiltonian;

/** Of an ensemble.  Local. */
static inline vrg_hamiltonian
vrg_hamiltonian_of (const vrg_input *input, int ensemble)
{
  return (vrg_hamiltonian){ input->nn[ensemble], input->nnn, input->plaquette, input->field };
}

#endif
