/* SPDX-License-Identifier: GPL-3.0-or-later
 * The flow of configurations v -> h -> v through a trained RBM: what it does to energy, magnetisation and correlations,
 * and to the coupling that they have.  The couplings are read off the configurations themselves (flow/thermometer.h).
 * Repeated steps are the machine's own Gibbs sampler, so what the flow comes to rest in is the machine's law, whatever
 * it started from: a fixed point of the machine, and of a renormalization only as far as that law is an Ising law.  Two
 * thermometers that disagree say that it is not.
 * Sources: Iso, Shiba and Yokoo, Phys. Rev. E 97, 053304 (2018); Funai and Giataganas, Phys. Rev. Research 2, 033415
 * (2020). */
#ifndef VRG_FLOW_RBM_FLOW_H
#define VRG_FLOW_RBM_FLOW_H

#include "base/param.h"
#include "files/model.h"
#include "files/samples.h"
#include "parallel/grid.h"
#include "parallel/stop.h"

/** For every coupling the first [flow] rbm_configurations configurations, [flow] rbm_steps steps through the first
 *  layer of DIRECTORY/model.h5.  Random numbers by (ensemble, step, number of the configuration): the same bits on any
 *  number of ranks.  Writes rbm-flow.tsv, rbm-stationary.tsv and, last, rbm-flow.h5; where a rbm-flow.h5 of this
 *  fingerprint is there, or the input asks for no steps, nothing is done.  Checkpoints (checkpoint-rbm.*.h5) hold whole
 *  ensembles. VRG_FILE: no model, or one of other parameters or of another lattice; VRG_STOPPED after an agreed stop. 
 *  grid: of one strip.  Collective. */
int vrg_rbm_flow (const vrg_grid *grid, const vrg_input *input, vrg_samples *samples, const char *directory,
                  const char *fingerprint, vrg_stop *stop);

/** Read DIRECTORY/model.h5, which must be trained with this input on the samples' lattice; VRG_FILE says what does not
 *  fit.  Collective. */
int vrg_rbm_flow_model (const vrg_grid *grid, const vrg_input *input, const vrg_samples_info *info,
                        const char *directory, vrg_stack **stack);

#endif
