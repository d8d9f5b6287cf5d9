# SPDX-License-Identifier: GPL-3.0-or-later
# Helpers of the tests that compare whole runs, to be sourced after lib.sh.

# small_input MODEL: an input with every stage, several chains, a remainder and two couplings.
small_input() {
  cat <<END
[run]
seed = 3
[lattice]
size = 64
[couplings]
nn = 0.42 critical
[sample]
chains = 3
thermalization = 20
interval = 2
configurations = 200
[train]
model = $1
hidden = $([ "$1" = dense ] && echo 10 || echo 1)
filter = 4
stride = 2
biases = $([ "$1" = dense ] && echo yes || echo no)
steps = 2
batch = 20
epochs = 3
analysis = no
[flow]
rules = majority decimation $([ "$1" = convolution ] && echo learnt)
levels = 3
blocks = 12
END
}

# same DIR DIR FILE...: every dataset and attribute but the provenance has the same bits; tables but for comments.
same() {
  local a=$1 b=$2 file
  shift 2
  for file in "$@"; do
    case $file in
    *.h5) h5diff --exclude-path /provenance "$a/$file" "$b/$file" || return 1 ;;
    *) diff <(grep -v '^#' "$a/$file") <(grep -v '^#' "$b/$file") || return 1 ;;
    esac
  done
}

# descendants PID: it and all processes below it.
descendants() {
  local child
  echo "$1"
  for child in $(pgrep -P "$1"); do descendants "$child"; done
}

# gone PID...: wait until none of them runs; ranks outlive mpirun for a moment.
gone() {
  local pid tries
  for pid in "$@"; do
    for tries in $(seq 100); do
      [ -d /proc/"$pid" ] && ! grep -q '^State:.*Z' /proc/"$pid"/status 2>/dev/null || break
      sleep 0.05
    done
  done
}

# stack_input: two dense layers on a lattice small enough to look into them in a moment.
stack_input() {
  small_input dense | sed 's/^size.*/size = 16/; s/^hidden.*/hidden = 36 9/; s/^analysis.*/analysis = yes/; s/^levels.*/levels = 2/'
}

# what is seen in a model; spectrum.h5 has the same numbers, but not the same bits
analysis="learnt.h5 fields.tsv interactions.tsv model-samples.tsv reconstructions.tsv"
results="samples.h5 sample.tsv operators.tsv model.h5 train.tsv flow.h5 couplings.tsv exponents.tsv eigenvalues.tsv fit.tsv
derivatives.tsv surface.tsv rbm-flow.h5 rbm-flow.tsv rbm-stationary.tsv mapping.tsv"
