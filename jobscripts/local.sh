#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# local.sh INPUT [RANKS [VRG ARGUMENTS...]]: a run on this machine without Slurm, in the background of a session if you like:
#   nohup jobscripts/local.sh input/mcrg-64.ini 2 --out mcrg-64 >mcrg-64.log 2>&1 &
# SIGUSR1 or SIGTERM to this script makes every rank write a checkpoint and stop with status 75; the same command, without --fresh,
# goes on from there, on any number of ranks.
set -u
input=${1:?usage: local.sh INPUT [RANKS [VRG ARGUMENTS...]]}
ranks=${2:-$(nproc)}
if [ "$(id -u)" = 0 ]; then # a container: mpirun refuses root unless told twice
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi

mpirun -np "$ranks" "${VRG:-vrg}" run "$input" "${@:3}" &
job=$!
trap 'kill -USR1 $job' USR1 TERM # mpirun hands USR1 to the ranks; TERM would kill them at once
wait $job
status=$?
while kill -0 $job 2>/dev/null; do # wait returned because of the signal: the ranks are writing
  wait $job
  status=$?
done
[ $status = 75 ] && echo "local.sh: stopped with a good checkpoint; the same command (without --fresh) continues" >&2
exit $status
