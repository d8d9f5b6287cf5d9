# SPDX-License-Identifier: GPL-3.0-or-later
# Files of a run damaged: cut short, bits turned, empty, missing, of another run; to be sourced after lib.sh.
#   checkpoints cluster 20   # the newest one of this stage damaged in so many places of each kind, then both
#   finals 20                # samples.h5, model.h5, flow.h5 and the rest, likewise
. "$srcdir/tests/run/kills.sh"
need h5dump truncate

size_of() {
  stat -c %s "$1"
}

# turn_bit FILE BYTE BIT
turn_bit() {
  local value
  value=$(od -An -tu1 -j "$2" -N 1 "$1")
  printf "$(printf '\\%03o' $((value ^ (1 << $3))))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# step_of FILE: of a checkpoint; -1 if there is none.
step_of() {
  h5dump -a /step "$1" | awk '/\(0\):/ { step = $2 } END { print step == "" ? -1 : step }'
}

# logged_step NAME: of the last checkpoint-STAGE of that name in the log of what was begun; -1 if there is none.
logged_step() {
  sed -n "s/.*checkpoint at step \([0-9]*\) .*$1.*/\1/p" "$log" | tail -1 | grep . || echo -1
}

# somewhere LENGTH: a random number below it.
somewhere() {
  echo $(((RANDOM * 32768 + RANDOM) % $1))
}

# data_of FILE: `offset size name` of its datasets, the largest first, but for the checksums themselves.
data_of() {
  h5dump -p -H "$1" | awk '/DATASET/ { split($0, part, "\""); name = part[2] }
    /SIZE [0-9]+$/ { size = $2 } /OFFSET/ { if (size > 0 && name !~ /seal/) print $2, size, name; size = 0 }' | sort -k 2 -nr
}

# two_generations STAGE: stopped-STAGE, with two checkpoints; newest is the name of the newer one.
two_generations() {
  local tries=0 many=3
  case $1 in cluster | rows | chains | tempering) many=14 ;; esac # some samples are written
  until [ "$(ls -d stopped-$1/checkpoint-*.[01].h5 2>/dev/null | wc -l)" -ge 2 ] || [ $tries -gt 20 ]; do
    rm -rf stopped-$1 broken && cp -rp before-$1 broken
    begin 2 $(stage_command $1)
    until [ "$(grep -c 'checkpoint at step' "$log")" -ge $((many + tries % 2)) ] || ! runs $pid; do sleep 0.01; done
    strike ranks USR1
    left=
    settle
    newest=$(sed -n 's/.*checkpoint at step .* in broken.//p' stderr | tail -1)
    mv broken stopped-$1
    tries=$((tries + 1))
  done
  case $newest in *.0.h5) older=${newest/.0.h5/.1.h5} ;; *) older=${newest/.1.h5/.0.h5} ;; esac
  check "$1: stopped with two checkpoints, the newest $newest" test -s stopped-$1/$newest -a -s stopped-$1/$older
}

# goes_on STAGE TEXT passed|intact|either: what stands in broken is continued to the right bits, from the older checkpoint.
goes_on() {
  local stage=$1 text=$2 from=$older
  run $((1 + RANDOM % 3)) $(stage_command $stage) --verbose
  [ $3 != intact ] || from=$newest
  tried=$((tried + 1))
  if [ $status = 0 ] && same whole-$stage broken $(stage_files $stage) >same.log 2>&1; then
    if grep -q "resumed from broken/$from" stderr && { [ $3 = intact ] || grep -q "passed over a checkpoint: broken/$newest: " stderr; }; then
      [ $from != $older ] || passed=$((passed + 1))
      return 0
    fi
    [ $3 = either ] && grep -q "resumed from broken/$newest" stderr && return 0
  fi
  echo "# $stage: $text: exit code $status"
  tail -n 4 stderr | sed 's/^/# /'
  wrong=$((wrong + 1))
}

# checkpoints STAGE PLACES
checkpoints() {
  local stage=$1 n i length offset size name tried passed wrong tries=0 ours files
  two_generations $stage
  again() { rm -rf broken && cp -rp stopped-$stage broken; }
  length=$(size_of stopped-$stage/$newest)

  tried=0 passed=0 wrong=0
  for n in 0 1 100 $((length / 2)) $((length - 1)) $(for i in $(seq $2); do somewhere $length; done); do
    again
    truncate -s $n broken/$newest
    goes_on $stage "cut to $n bytes" passed
  done
  check "  cut short to $tried lengths: the previous one is used" test $wrong = 0
  row "$stage: newest checkpoint cut short or empty" $tried "$([ $wrong = 0 ] && echo "previous one used, reason logged, same bits" || echo WRONG)"

  tried=0 passed=0 wrong=0
  while read -r offset size name; do
    again
    n=$((offset + $(somewhere $size)))
    turn_bit broken/$newest $n $((RANDOM % 8))
    goes_on $stage "bit in byte $n ($name)" passed
    grep -q "passed over a checkpoint: broken/$newest: dataset .*$name" stderr || { echo "# $name is not named"; wrong=$((wrong + 1)); }
  done < <(data_of stopped-$stage/$newest)
  check "  a bit turned in each of $tried datasets: named, and the previous one is used" test $wrong = 0
  row "$stage: a bit of a checkpoint's dataset turned" $tried "$([ $wrong = 0 ] && echo "dataset named, previous one used, same bits" || echo WRONG)"

  tried=0 passed=0 wrong=0
  for i in $(seq $2); do
    again
    n=$(somewhere $length)
    turn_bit broken/$newest $n $((RANDOM % 8))
    goes_on $stage "bit in byte $n" either
  done
  check "  a bit turned in $tried random places: the previous one is used ($passed), or no harm is done" test $wrong = 0
  row "$stage: a bit of the newest checkpoint turned anywhere" $tried "$([ $wrong = 0 ] && echo "same bits: previous one used $passed, place without meaning $((tried - passed))" || echo WRONG)"

  tried=0 passed=0 wrong=0
  again
  rm broken/$newest
  run 2 $(stage_command $stage) --verbose
  ended "  newest missing" 0 "resumed from broken/$older"
  check "    same bits" same whole-$stage broken $(stage_files $stage)

  # another run, of ten times the steps, so that there is time to catch it
  sed 's/^seed.*/seed = 4/; s/^\(configurations\|epochs\) = [0-9]*/&0/' $stage.ini >other.ini
  rm -rf broken && cp -rp before-$stage broken && mv $stage.ini own.ini && mv other.ini $stage.ini
  [ $stage != flow ] || launch 2 run flow.ini --out broken --fresh --time 0:05:00 >other.log 2>&1
  case $stage in
  dense | convolution) launch 2 sample $stage.ini --out broken --fresh && rm -f broken/model.h5 ;;
  flow) rm -rf broken/flow.h5 broken/rbm-flow.h5 ;;
  esac >other.log 2>&1
  rm -rf before-other && mv broken before-other
  ours=$(step_of stopped-$stage/$newest) files=${newest%.?.h5}
  rm -f earlier.h5 later.h5
  until [ -s later.h5 ] || [ $tries -gt 20 ]; do # one of an early step, one of a later step than ours
    rm -rf broken && cp -rp before-other broken
    begin 2 $(stage_command $stage)
    until [ -s broken/$files.0.h5 ] || ! runs $pid; do sleep 0.01; done
    cp broken/$files.0.h5 earlier.h5
    until [ "$(logged_step $files)" -gt $ours ] || ! runs $pid; do sleep 0.01; done
    strike all
    left=
    settle
    for name in broken/$files.[01].h5; do
      [ "$(step_of $name)" -le $ours ] || cp $name later.h5
    done
    tries=$((tries + 1))
  done
  mv own.ini $stage.ini
  check "  checkpoints of another run, at steps $(step_of earlier.h5) and $(step_of later.h5), before and after $ours" \
    test "$(step_of earlier.h5)" -lt $ours -a "$(step_of later.h5)" -gt $ours
  for name in earlier later; do
    again
    cp $name.h5 broken/$newest
    run 2 $(stage_command $stage) --verbose
    ended "  the $name one in the newest one's place" 0 "resumed from broken/$older"
    check "    same bits" same whole-$stage broken $(stage_files $stage)
    # the older one of ours is asked first if its step is the larger one
    [ $name = earlier ] || check "    the reason is told" said "passed over a checkpoint: broken/$newest: is of other parameters: "
    again
    cp $name.h5 broken/$newest
    cp $name.h5 broken/$older
    run 2 $(stage_command $stage)
    # what train and flow of other parameters left gives way, in a directory whose samples are ours
    [ $status = 0 ] && [ -s broken/old-1/$newest ] && same whole-$stage broken $(stage_files $stage) >same.log 2>&1 && status=2
    check "  two of it: refused, or kept aside" test $status = 2 -o $status = 3
  done
  row "$stage: a checkpoint of another run" 4 "previous one used; both: refused, or kept aside"

  again
  turn_bit broken/$newest $((length / 3)) 1
  truncate -s $((length / 2)) broken/$newest
  truncate -s $((length / 3)) broken/$older
  run 2 $(stage_command $stage)
  ended "  both bad" 3 "error: .*no good checkpoint.*$newest.*" "$older" "fresh"
  check "    says so once" test "$(grep -c 'vrg: error' stderr)" = 1
  row "$stage: both checkpoints bad" 1 "exit code 3, both named"
}

# unfinished STAGE PLACES: a bit of samples.h5.part turned after it was written: told of when it is sealed; before: written over.
unfinished() {
  local stage=$1 i n offset size name tried=0 wrong=0 found=0
  while read -r offset size name; do
    for i in $(seq $2); do
      rm -rf broken && cp -rp stopped-$stage broken
      n=$((offset + $(somewhere $size)))
      turn_bit broken/samples.h5.part $n $((RANDOM % 8))
      run $((1 + RANDOM % 3)) $(stage_command $stage)
      tried=$((tried + 1))
      [ $status = 0 ] && same whole-$stage broken $(stage_files $stage) >same.log 2>&1 && continue
      found=$((found + 1))
      [ $status = 3 ] && [ ! -e broken/samples.h5 ] && grep -q "vrg: error: .*samples.h5.part: .*$name" stderr && continue
      wrong=$((wrong + 1))
      { echo "byte $n of samples.h5.part ($name): exit code $status" && tail -n 3 stderr; } | sed 's/^/# /'
    done
  done < <(data_of stopped-$stage/samples.h5.part | head -8)
  check "  a bit of samples.h5.part turned in $tried places: named ($found), or written over" test $wrong = 0
  row "$stage: a bit of the unfinished samples turned" $tried "$([ $wrong = 0 ] && echo "exit code 3, dataset named $found; written over $((tried - found))" || echo WRONG)"
}

# reported WHAT: the page is as it was, for it has nothing of the file, or WHAT is left out and named in the log and on the page.
reported() {
  [ $status = 0 ] || return 1
  cmp -s broken/report.html page.html || { grep -q "vrg: warning: report: broken/$1" stderr && grep -q "broken/$1" broken/report.html; }
}

# finals PLACES: files that are finished, of a whole run in `good`; a bit of each dataset, or of one of each name (flow.h5 has a thousand).
finals() {
  local file command offset size name n i tried wrong harmless
  rm -rf broken && cp -rp good broken
  run 1 report broken
  cp broken/report.html page.html
  run 2 run flow.ini --out other --set run.seed=4
  run 1 combine good other --out sound
  ended "two runs combined" 0
  while IFS='|' read -r file command; do
    [ -s good/$file ] || continue
    tried=0 wrong=0
    while read -r offset size name; do
      rm -rf broken combined && cp -rp good broken
      case $command in
      train*) rm broken/model.h5 broken/flow.h5 ;;
      flow*) rm broken/flow.h5 ;;
      esac
      n=$((offset + $(somewhere $size)))
      turn_bit broken/$file $n $((RANDOM % 8))
      run $((1 + RANDOM % 3)) $command
      tried=$((tried + 1))
      case $command in
      report*) reported "$file: .*$name.* block" && continue ;;
      *) [ $status = 3 ] && [ "$(grep -c 'vrg: error' stderr)" = 1 ] && grep -q "vrg: error: broken/$file: .*$name.* block" stderr && continue ;;
      esac
      wrong=$((wrong + 1))
      { echo "$command with byte $n of $file ($name): exit code $status" && tail -n 3 stderr; } | sed 's/^/# /'
    done < <(data_of good/$file | shuf --random-source=<(yes $RANDOM) | awk -v file=$file 'file != "flow.h5" || !seen[$3]++')
    check "$command: a bit turned in $tried datasets of $file: named, with the block" test $wrong = 0
    row "$file: a bit of a dataset turned: $command" $tried "$([ $wrong = 0 ] && echo "dataset and block named" || echo WRONG)"

    tried=0 wrong=0 harmless=0
    for i in $(seq $1); do
      rm -rf broken combined && cp -rp good broken
      case $command in
      train*) rm broken/model.h5 broken/flow.h5 ;;
      flow*) rm broken/flow.h5 ;;
      esac
      n=$(somewhere $(size_of good/$file))
      if [ $((i % 3)) = 0 ]; then truncate -s $n broken/$file; else turn_bit broken/$file $n $((RANDOM % 8)); fi
      run $((1 + RANDOM % 3)) $command
      tried=$((tried + 1))
      if [ $status = 0 ]; then
        harmless=$((harmless + 1))
        case $command in
        train*) same good broken model.h5 train.tsv ;;
        flow*) same good broken flow.h5 couplings.tsv exponents.tsv ;;
        report*) reported "$file" ;;
        combine*) same sound combined couplings.tsv exponents.tsv ;;
        esac >same.log 2>&1 && continue
      fi
      [ $status = 3 ] && grep -q "vrg: error: .*$file" stderr && continue
      wrong=$((wrong + 1))
      { echo "$command with $file $([ $((i % 3)) = 0 ] && echo cut to || echo changed at) $n: exit code $status" && tail -n 3 stderr; } | sed 's/^/# /'
    done
    check "$command: $file cut or a bit turned in $tried places: exit code 3, or no harm done ($harmless)" test $wrong = 0
    row "$file: cut short, a bit turned anywhere: $command" $tried "$([ $wrong = 0 ] && echo "exit code 3, or a place without meaning ($harmless)" || echo WRONG)"
  done <<END
samples.h5|info broken/samples.h5
samples.h5|train flow.ini --out broken
samples.h5|flow flow.ini --out broken
model.h5|info broken/model.h5
model.h5|flow flow.ini --out broken
flow.h5|info broken/flow.h5
flow.h5|report broken
flow.h5|combine broken other --out combined
rbm-flow.h5|info broken
rbm-flow.h5|report broken
learnt.h5|info broken
learnt.h5|report broken
END
}
