# SPDX-License-Identifier: GPL-3.0-or-later
# Helpers of the command-level tests, to be sourced: TAP, a directory of one's own, and vrg on any number of ranks.
#   . "$srcdir/tests/run/lib.sh"
#   run 2 sample in.ini --out d     # status, $work/stdout, $work/stderr
#   ended "it works" 0 'done'       # exit code 0, and the log has a line with this pattern
#   check "a file is there" test -s d/samples.h5
#   finish
# VRG, MPIRUN and srcdir come from the Makefile; by hand: VRG=$PWD/vrg bash tests/run/cli.test
set -u
srcdir=${srcdir:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
VRG=${VRG:-$srcdir/vrg} MPIRUN=${MPIRUN-mpirun}
. "$srcdir/tests/env.sh"
[ -x "$VRG" ] || { echo "Bail out! no program $VRG"; exit 99; }
number=0 status=0
work=$(mktemp -d "${TMPDIR:-/tmp}/vrg-test.XXXXXX") || exit 99
trap 'cd / && rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM
cd "$work" || exit 99

# result CODE TEXT: a line of TAP; passes when CODE is 0.
result() {
  number=$((number + 1))
  if [ "$1" = 0 ]; then echo "ok $number - $2"; else echo "not ok $number - $2"; fi
}

# check TEXT COMMAND...: passes when the command succeeds.
check() {
  local text=$1 code=0
  shift
  "$@" >"$work/check.log" 2>&1 || code=$?
  result $code "$text"
  if [ $code != 0 ]; then
    echo "# $* (exit code $code)"
    head -20 "$work/check.log" | sed 's/^/# /'
  fi
}

# fails COMMAND...: turns success round.
fails() {
  if "$@"; then return 1; else return 0; fi
}

# launch RANKS ARGUMENT...: vrg in place of this (sub)shell's next command; one rank runs without mpirun, which puts its own
# directory before all others in PATH.
launch() {
  local ranks=$1
  shift
  if [ "$ranks" = 1 ] && [ -z "${VRG_TEST_SINGLETON_OFF:-}" ]; then
    timeout "${VRG_TEST_SECONDS:-240}" "$VRG" "$@"
  else
    MPIEXEC_TIMEOUT=${VRG_TEST_SECONDS:-240} timeout -k 5 $((${VRG_TEST_SECONDS:-240} + 10)) $MPIRUN -np "$ranks" env PATH="$PATH" "$VRG" "$@"
  fi
}

# run RANKS ARGUMENT...: sets status; what is printed is in $work/stdout and $work/stderr.
run() {
  status=0
  launch "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$?
}

# said PATTERN: the log of the last run has a line that matches (a basic regular expression).
said() {
  grep -q -e "$1" "$work/stderr"
}

# ended TEXT CODE [PATTERN...]: the last run ended with this exit code, and its log matches every pattern.
ended() {
  local text=$1 code=$2 missing= pattern
  shift 2
  for pattern in "$@"; do
    said "$pattern" || missing="$missing
# not said: $pattern"
  done
  if [ "$status" = "$code" ] && [ -z "$missing" ]; then
    result 0 "$text"
  else
    result 1 "$text"
    echo "# exit code $status, expected $code$missing"
    head -20 "$work/stderr" | sed 's/^/# /'
  fi
}

# need PROGRAM...: skip the whole test when one of them is missing.
need() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null 2>&1 || { echo "1..0 # SKIP no $program"; exit 0; }
  done
}

# finish: the plan; last line of a test.
finish() {
  echo "1..$number"
}
