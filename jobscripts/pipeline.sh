#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# pipeline.sh INPUT [VRG ARGUMENTS...]: three jobs of their own sizes, each started when the one before is done:
#   SAMPLE="--nodes=16" TRAIN="--nodes=1" FLOW="--nodes=4 --time=1:00:00" jobscripts/pipeline.sh input/mcrg-64.ini --out here
# SAMPLE, TRAIN and FLOW are options of sbatch.  Each job requeues itself (vrg.sbatch); the next one waits until it has really ended.
# --fresh is for the first job alone: the others go on with its work.
set -eu
: "${1:?usage: pipeline.sh INPUT [VRG ARGUMENTS...]}"
job=$(dirname "$0")/vrg.sbatch

# submit OPTIONS STAGE ARGUMENTS...: prints the number of the job
submit() {
  local options
  read -r -a options <<<"$1"
  sbatch --parsable ${options[@]+"${options[@]}"} "${after[@]}" --job-name="vrg-$2" "$job" "${@:2}" | cut -d ';' -f 1
}
after=(--kill-on-invalid-dep=yes)
sample=$(submit "${SAMPLE:-}" sample "$@")
for argument; do
  shift
  [ "$argument" = --fresh ] || set -- "$@" "$argument"
done
after=(--kill-on-invalid-dep=yes --dependency="afterok:$sample")
train=$(submit "${TRAIN:-}" train "$@")
after=(--kill-on-invalid-dep=yes --dependency="afterok:$train")
flow=$(submit "${FLOW:-}" run "$@") # what is left of the run: the flow and the report
echo "sample $sample, train $train, flow $flow"
