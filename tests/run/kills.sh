# SPDX-License-Identifier: GPL-3.0-or-later
# Stages killed at random instants, a checkpoint being written most of the time; to be sourced after lib.sh.
#   prepare flow             # undisturbed: whole-flow, what it begins with: before-flow, and its time
#   kills flow rank 30       # killed so many times, continued on other ranks each time until it ends: the same bits
. "$srcdir/tests/run/stages.sh"
. "$srcdir/tests/run/faults.sh"

# few MODEL: some dozens of steps, since a checkpoint follows each
few() {
  small_input $1 | sed 's/^size.*/size = 16/; s/^nn.*/nn = 0.42 critical/; s/^thermalization.*/thermalization = 5/
    s/^configurations.*/configurations = 40/; s/^levels.*/levels = 2/; s/^blocks.*/blocks = 8/; s/^hidden = 10/hidden = 36 9/'
}

# stage_input STAGE
stage_input() {
  case $1 in
  cluster) few convolution ;;
  rows) few convolution | sed 's/^chains.*/algorithm = metropolis\nchains = 3/' ;;
  chains) few convolution | sed 's/^size.*/size = 8/; s/^chains.*/algorithm = metropolis\npacking = chains\nchains = 40/; s/^configurations.*/configurations = 900/' ;;
  tempering) few convolution | sed 's/^size.*/size = 8/; s/^chains.*/algorithm = tempering\nchains = 40/; s/^configurations.*/configurations = 900/' ;;
  dense) few dense | sed 's/^analysis.*/analysis = yes/; s/^epochs.*/epochs = 6/' ;;
  convolution) few convolution | sed 's/^epochs.*/epochs = 6/' ;;
  flow | report) few convolution ;;
  esac
}

# stage_command STAGE: the command that is killed.
stage_command() {
  case $1 in
  dense | convolution) echo train $1.ini --out broken --verbose --set checkpoint.interval=0 ;;
  flow) echo flow flow.ini --out broken --verbose --set checkpoint.interval=0 ;;
  report) echo report broken ;;
  *) echo sample $1.ini --out broken --verbose --set checkpoint.interval=0 ;;
  esac
}

# stage_files STAGE: what is compared.
stage_files() {
  case $1 in
  dense) echo model.h5 train.tsv $analysis ;;
  convolution) echo model.h5 train.tsv ;;
  flow) echo flow.h5 couplings.tsv exponents.tsv eigenvalues.tsv fit.tsv derivatives.tsv surface.tsv rbm-flow.h5 rbm-flow.tsv mapping.tsv ;;
  report) (cd whole-report && find report.html figures -type f) ;;
  *) echo samples.h5 sample.tsv operators.tsv ;;
  esac
}

declare -A seconds
# prepare STAGE
prepare() {
  local begin
  rm -rf broken
  stage_input $1 >$1.ini
  case $1 in
  dense | convolution) launch 2 sample $1.ini --out broken ;;
  flow) launch 2 sample $1.ini --out broken && launch 2 train $1.ini --out broken ;;
  report) launch 2 run $1.ini --out broken ;;
  esac >prepare.log 2>&1
  mkdir -p broken && rm -rf broken/figures broken/report.html && cp -rp broken before-$1
  begin=$(date +%s.%N)
  run 2 $(stage_command $1)
  seconds[$1]=$(awk -v a=$begin -v b="$(date +%s.%N)" 'BEGIN { print b - a }')
  ended "$1: undisturbed in ${seconds[$1]} s" 0
  mv broken whole-$1
}

# kept: the last run took up the checkpoint that was the last to be told of before, or a later one, if it came to that stage; `told` is
# the last one now (stage and step), '' to begin with.
kept() {
  local lost before=$told
  ! grep -q 'resumed from' stderr || resumed=$((resumed + 1))
  lost=$(awk -v stage="${told% *}" -v step="${told#* }" '
    $1 != "vrg:" { next }
    $3 " " $4 == "resumed from" { seen[$2] = 1; if ($2 == stage && $NF + 0 < step + 0) print }
    $3 " " $4 == "checkpoint at" { if ($2 == stage && !seen[$2]++) print }' stderr)
  told=$(sed -n 's/^vrg: \([a-z]*:\) checkpoint at step \([0-9]*\) of .*/\1 \2/p' stderr | tail -n 1 | grep . || echo "$told")
  [ -z "$lost" ] || echo "# lost after ${before:-nothing}: $lost"
  [ -z "$lost" ]
}

# only_of LOCK PID...: there is a lock, and all that hold it are among these.
only_of() {
  local lock=$1 holder
  shift
  [ -s "$lock" ] || return 1
  for holder in $(awk '$1 ~ /\/pid:/ { print $2 }' "$lock"); do
    [[ " $* " == *" $holder "* ]] || return 1
  done
}

struck_all=0 inside_all=0
# kills STAGE WHOM TIMES
kills() {
  local stage=$1 whom=$2 times=$3 struck=0 inside=0 waited=0 ends=0 turn=0 wrong=0 resumed=0 np old= left= told
  while [ $struck -lt $times ] && [ $wrong = 0 ] && [ $hangs = 0 ]; do
    rm -rf broken && cp -rp before-$stage broken
    told=
    while :; do
      turn=$((turn + 1))
      np=$((1 + RANDOM % 4))
      [ $np != 1 ] || [ $whom = mpirun ] || np=0
      [ -z "$left" ] || ! runs $left || waited=$((waited + 1))
      begin $np $(stage_command $stage)
      if [ $struck -lt $times ]; then
        instant ${seconds[$stage]}
        if strike $whom; then
          settle
          struck=$((struck + 1))
          [ -z "$(find broken -newer begun '(' -name 'checkpoint-*.tmp' -o -name 'report.html.tmp' ')')" ] || inside=$((inside + 1))
          kept || wrong=1
          [ $wrong$hangs = 00 ] || break
          old="$old $left"
          continue
        fi
      fi
      left=
      settle
      kept || wrong=1
      ends=$((ends + 1))
      wait_end 60 0 $old # ranks without mpirun that waited for the lock may get it now
      only_of broken/lock $old && rm -f broken/lock
      if [ $status != 0 ] || ! same whole-$stage broken $(stage_files $stage) >same.log 2>&1; then
        wrong=1
        { echo "exit code $status on $np ranks, after $struck kills"; tail -n 5 stderr; ls -l broken; head -5 same.log; } | sed 's/^/# /'
      elif ls broken/checkpoint-* broken/*.tmp broken/*.part broken/lock broken/figures/*.tmp 2>/dev/null | sed 's/^/# left: /' | grep .; then
        wrong=1
      fi
      break
    done
  done
  wait_end 60 0 $old || hangs=$((hangs + 1))
  check "$stage: kill -9 of $whom, $struck times ($inside while writing, $resumed resumed, $waited with ranks still there): the same bits $ends times" \
    test $wrong$hangs = 00 -a $struck = $times -a \( $stage = report -o $resumed -gt 0 -o $times -lt 10 \)
  row "$stage: kill -9 of $whom" $struck "$([ $wrong$hangs = 00 ] && echo "same bits; in a write $inside, resumed $resumed, ranks still there $waited" || echo "WRONG")"
  [ $stage = report ] || struck_all=$((struck_all + struck)) inside_all=$((inside_all + inside))
}
