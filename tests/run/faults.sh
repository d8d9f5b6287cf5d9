# SPDX-License-Identifier: GPL-3.0-or-later
# Helpers of the tests that kill runs, to be sourced after lib.sh and stages.sh.
#   begin 3 sample in.ini --out broken   # vrg on 3 ranks in the background: pid, log
#   instant 1.7                          # waits a random part of 1.7 s, or less where the run ends before
#   strike mpirun                        # kill -9: all, rank (one), mpirun (whose ranks are left to themselves)
#   settle                               # waits for its end: status; a run that does not end is told of
# Random numbers are bash's, from VRG_TEST_SEED.  What killed runs leave in /dev/shm and of mpirun goes when the test ends.
need h5diff pgrep awk
[ -n "$MPIRUN" ] || { echo "1..0 # SKIP no mpirun"; exit 0; }
RANDOM=${VRG_TEST_SEED:-20261123}
shared=$(mktemp -d /dev/shm/vrg-test.XXXXXX 2>/dev/null) || shared=$work/shared
trap 'cd / && rm -rf "$work" "$shared"' EXIT
mkdir -p "$shared" "$work/mpirun"
export OMPI_MCA_btl_vader_backing_directory=$shared OMPI_MCA_osc_sm_backing_directory=$shared OMPI_MCA_orte_tmpdir_base=$work/mpirun
hangs=0 mpirun_hangs=0 left=
exec 3>&2 2>/dev/null # bash tells of every process that is killed

# begin RANKS ARGUMENT...: 0 ranks are one without mpirun.
begin() {
  local ranks=$1
  shift
  log=$work/now.log
  : >"$work/begun"
  : >"$log" # not that of the run before
  if [ "$ranks" = 0 ]; then
    "$VRG" "$@" --verbose >"$log" 2>&1 </dev/null &
  else
    $MPIRUN -np "$ranks" "$VRG" "$@" --verbose >"$log" 2>&1 </dev/null &
  fi
  pid=$!
  alone=$((ranks == 0))
}

# runs PID...: one of them is neither gone nor a zombie.
runs() {
  local one
  for one in "$@"; do
    [ -d /proc/"$one" ] && ! grep -q '^State:.*[ZX]' /proc/"$one"/status 2>/dev/null && return 0
  done
  return 1
}

# ranks: their process numbers.
ranks() {
  if [ $alone = 1 ]; then echo $pid; else pgrep -P $pid; fi
}

# wait_end SECONDS PID...: until none of them runs; fails after so many seconds.
wait_end() {
  local tries=$(($1 * 50))
  shift
  while runs "$@"; do
    [ $((tries -= 1)) -gt 0 ] || return 1
    sleep 0.02
  done
}

# instant SECONDS: a random part of it.
instant() {
  timeout "$(awk -v t="$1" -v r=$RANDOM 'BEGIN { printf "%.3f", t * r / 32768 + 0.001 }')" tail -s 0.02 --pid=$pid -f /dev/null
  until [ -n "$(ranks)" ] || ! runs $pid; do sleep 0.01; done
}

# strike WHOM [SIGNAL]: fails if there is nobody any more.
strike() {
  local all
  all=($(ranks))
  runs $pid || return 1
  left=
  case $1 in
  all) kill -"${2:-KILL}" $(descendants $pid) 2>/dev/null ;;
  rank) kill -"${2:-KILL}" ${all[RANDOM % (${#all[@]} + (${#all[@]} == 0))]:-$pid} 2>/dev/null ;;
  ranks) kill -"${2:-KILL}" "${all[@]}" 2>/dev/null ;;
  mpirun) left=${all[*]} && kill -"${2:-KILL}" $pid 2>/dev/null ;;
  esac
}

# settle [SECONDS]: the end of the command that was begun: status, stderr.  Ranks left without mpirun are not waited for.
settle() {
  local stuck all=$pid
  [ -n "$left" ] || all=$(descendants $pid)
  status=0
  if ! wait_end ${1:-120} $all; then
    # Open MPI's mpirun sometimes hangs in its own end (PMIx 4 waits for its own mutex) when a rank was killed
    if [ $alone = 0 ] && ! runs $(echo $all | cut -s -d ' ' -f 2-); then
      mpirun_hangs=$((mpirun_hangs + 1))
    else
      hangs=$((hangs + 1))
      echo "# does not end: $all; $(tail -n 1 "$log")"
      for stuck in $all; do
        command -v gdb >/dev/null && timeout 20 gdb -p $stuck -batch -ex bt 2>/dev/null | grep '^#' | head -20 | sed "s/^/# $stuck /"
      done
    fi
    kill -KILL $all
  fi
  { wait $pid || status=$?; } 2>/dev/null
  cp "$log" stderr
}

# A table for the end: row FAULT TIMES OUTCOME.
rows=
row() {
  rows=$rows$(printf '%-58s %6s  %s' "$1" "$2" "$3")$'\n'
}
print_rows() {
  printf '# %-58s %6s  %s\n' fault times outcome
  printf '%s' "$rows" | sed 's/^/# /'
  [ $mpirun_hangs = 0 ] || echo "# mpirun itself did not end after its ranks had, and was killed: $mpirun_hangs times"
}
