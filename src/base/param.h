/* SPDX-License-Identifier: GPL-3.0-or-later
 * The parameter table: one row a key, from which parsing, checks, `vrg params`, the record in files and the comparison
 * on resume all follow. */
#ifndef VRG_BASE_PARAM_H
#define VRG_BASE_PARAM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/catalogue.h"

#define VRG_CRITICAL_2D 0.440686793509771513 /* nn alone: ln (1 + sqrt 2) / 2 on the square lattice */
#define VRG_CRITICAL_3D 0.221654626 /* cubic lattice, (5) in the last digit: Ferrenberg, Xu and Landau (2018) */
#define VRG_MAX_COUPLINGS 64
#define VRG_MAX_LAYERS 8
#define VRG_MAX_OPERATORS 32
#define VRG_MAX_OWN 16 /* operators an input defines */
#define VRG_MAX_RULES 8
#define VRG_PATH_LENGTH 1024

typedef enum
{
  VRG_CLUSTER,
  VRG_METROPOLIS,
  VRG_HEATBATH,
  VRG_TEMPERING
} vrg_algorithm;
typedef enum
{
  VRG_PACKING_ROWS,
  VRG_PACKING_CHAINS
} vrg_packing;
typedef enum
{
  VRG_MODEL_NONE,
  VRG_MODEL_DENSE,
  VRG_MODEL_CONVOLUTION
} vrg_model_type;
typedef enum
{
  VRG_CD,
  VRG_PCD
} vrg_method;
typedef enum
{
  VRG_SGD,
  VRG_ADAM
} vrg_optimiser;
typedef enum
{
  VRG_MAJORITY,
  VRG_DECIMATION,
  VRG_LEARNT,
  VRG_LEARNT_SIGN,
  VRG_WEIGHTED
} vrg_rule;

/** All parameters of a run, checked and complete: defaults filled in, `critical` resolved.  Plain data. */
typedef struct
{
  /* [run] */
  int64_t seed;
  char output[VRG_PATH_LENGTH];
  /* [lattice] */
  int64_t dimension;
  int n_size;
  int64_t size
    [VRG_MAX_DIMENSION]; /* after parsing always `dimension` entries; slowest first: size[0] rows, size[1] columns in 2D */
  /* [couplings] */
  int n_nn;
  double nn[VRG_MAX_COUPLINGS]; /* in input order */
  double nnn, plaquette, field; /* the same for every ensemble */
  /* [sample] */
  int algorithm; /* vrg_algorithm */
  int packing;   /* vrg_packing; tempering always packs chains */
  int64_t chains, thermalization, interval, configurations;
  /* [train] */
  int model;                          /* vrg_model_type */
  int n_coupling;                     /* the ensembles to train on */
  double coupling[VRG_MAX_COUPLINGS]; /* each one of nn (bitwise) */
  bool permute;                       /* spins of each configuration by a permutation of its own */
  double held_out;                    /* share of each ensemble */
  int n_hidden;
  int64_t hidden[VRG_MAX_LAYERS];
  int64_t filter, stride;
  bool symmetric, biases;
  int method;         /* vrg_method */
  int64_t persistent; /* chains of pcd, a multiple of batch */
  int64_t steps, batch, epochs;
  int optimiser; /* vrg_optimiser */
  double learning_rate, final_rate, momentum, l1, l2;
  bool centering;
  double average;     /* last share of the updates over which weights are averaged */
  int64_t patience;   /* epochs; 0: never stop early */
  int64_t likelihood; /* epochs between estimates of ln Z; 0: at the end of a layer alone */
  int64_t ais_chains, ais_steps;
  bool analysis;
  /* [flow] */
  int n_rules;
  int rules[VRG_MAX_RULES]; /* vrg_rule */
  int64_t scale, levels;    /* levels as wanted: vrg_input_depth says how many the sides allow */
  int n_weights;
  double weights[2]; /* of the weighted rule: a site of the block, a site next to it */
  int n_even, n_odd, n_fitted;
  vrg_pattern even[VRG_MAX_OPERATORS], odd[VRG_MAX_OPERATORS]; /* complete */
  vrg_pattern fitted[VRG_MAX_OPERATORS];                       /* whose couplings are fitted: some of even */
  int64_t blocks;
  int64_t rbm_steps, rbm_configurations; /* of the flow v -> h -> v; 0 steps: none */
  int n_own;
  vrg_pattern own[VRG_MAX_OWN]; /* [operator NAME] sections */
  /* [parallel] */
  int64_t strips;         /* 0 = auto */
  double timeout_minutes; /* 0: a rank that hangs is waited for */
  /* [checkpoint] */
  double interval_minutes, share; /* share: the most of the time that checkpoints may take */
} vrg_input;

/** Configurations of each ensemble that are not trained on: its last ones; at least one if any share is. */
static inline int64_t
vrg_input_held_out (const vrg_input *input)
{
  const int64_t n = (int64_t) (input->held_out * (double) input->configurations);
  return n > 0 || input->held_out <= 0 || input->configurations < 2 ? n : 1;
}

/** Levels that the sides allow, of those wanted: each is divisible by scale and leaves 2 or more.  Local. */
int64_t vrg_input_depth (const vrg_input *input);

/** Units on either side of layer l (from 0) of the machine, and its weights.  Local. */
void vrg_input_layer (const vrg_input *input, int l, double *visible, double *hidden, double *weights);

/** Is the rule among the input's? */
bool vrg_input_has_rule (const vrg_input *input, vrg_rule rule);

/** Does the flow stage read model.h5: for a learnt rule or the flow v -> h -> v?  Local. */
bool vrg_input_flow_needs_model (const vrg_input *input);

/** Stages; a key's mask says which stage's result it determines. */
typedef enum
{
  VRG_STAGE_SAMPLE = 1,
  VRG_STAGE_TRAIN = 2,
  VRG_STAGE_FLOW = 4
} vrg_stage;

/** "sample", "train", "flow". */
const char *vrg_stage_name (vrg_stage stage);

/** Names in the order of the enums, NULL-terminated. */
extern const char *const vrg_param_algorithm_names[],
  *const vrg_param_packing_names[], *const vrg_param_model_names[], *const vrg_param_method_names[],
                                                                      *const vrg_param_optimiser_names[],
                                                                        *const vrg_param_rule_names[];

/** Parse the text of an input file and then `n_set` overrides "section.key=value", fill in defaults, check each key and
 *  the keys together.  Local and deterministic: every rank calls it with the same text.
 *  name: for messages ("input.ini").  VRG_OK, or VRG_USAGE with ALL complaints, one a line, in vrg_error_text():
 *  "file:line: [section] key: reason (did you mean ...?)". */
int vrg_param_parse (const char *name, const char *text, int n_set, const char *const *set, vrg_input *input);

/** The keys that determine a stage's result, its own and its upstream stages', one "section.key = value" a line, in table
 *  order, doubles in 17 digits: equal strings mean equal work.  Excludes output, strips and checkpoint.  Caller frees
 *  with vrg_free.  Local. */
char *vrg_param_fingerprint (const vrg_input *input, vrg_stage stage);

/** First difference of two fingerprints in words: "[sample] interval was 5, is 10"; "" if equal.  Local. */
void vrg_param_difference (const char *old, const char *new_, char *text, int size);

/** The complete input as an INI text that parses to the same input.  Caller frees with vrg_free.  Local. */
char *vrg_param_print (const vrg_input *input);

/** `vrg params`: every key with type, default, range, unit, stage and help.  Local. */
void vrg_param_describe (FILE *stream);

/** The same for programs: a line a key, "key", section, key, type, names, range, default, what it decides, help; tabs
 *  between them.  Local. */
void vrg_param_list (FILE *stream);

/** The name nearest to a misspelt word, NULL if none is near.  names: NULL-terminated.  Local. */
const char *vrg_param_nearest (const char *word, const char *const *names);

#endif
