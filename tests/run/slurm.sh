# SPDX-License-Identifier: GPL-3.0-or-later
# A private Slurm of pretended nodes on this machine, to be sourced after lib.sh: loopback only, no root, systemd or cgroups.
#   slurm_up NODES CPUS   # starts it below $work/slurm, or skips the test; it is stopped when the test ends
PATH=$PATH:/usr/sbin # the daemons
need slurmctld slurmd munged sbatch srun scontrol scancel squeue sinfo h5diff pgrep
[ -n "$MPIRUN" ] || { echo "1..0 # SKIP no mpirun"; exit 0; }
slurm=$work/slurm

slurm_up() {
  local try
  trap 'slurm_down; cd / && rm -rf "$work"' EXIT
  for try in 1 2 3; do # another one may have the port
    if slurm_start $1 $2; then
      srun --mpi=list 2>&1 | grep -q pmix && return
      echo "1..0 # SKIP srun has no pmix"
      exit 0
    fi
    slurm_down
  done
  tail -n 1 $slurm/log/*.log | sed 's/^/# /'
  result 1 "Slurm, which is installed, starts"
  finish
  exit 1
}

slurm_start() {
  local nodes=$1 cpus=$2 port=$((20000 + RANDOM % 10000)) user i
  user=$(id -un)
  shared=/dev/shm/vrg-slurm.$port
  rm -rf $slurm && mkdir -p $slurm/{state,log,run,spool,tmp}
  for i in $(seq $nodes); do mkdir -p $slurm/spool/n$i $slurm/tmp/n$i $shared/n$i; done
  chmod 755 $work $slurm $slurm/run
  (umask 077 && head -c 128 /dev/urandom >$slurm/munge.key)
  munged --force --key-file=$slurm/munge.key --socket=$slurm/run/munge.sock --pid-file=$slurm/run/munged.pid \
    --log-file=$slurm/log/munged.log --seed-file=$slurm/munge.seed 2>/dev/null || return
  # the nodes are one host: Open MPI's files in shared memory must not meet
  cat >$slurm/prolog <<END
#!/bin/sh
echo "export OMPI_MCA_btl_vader_backing_directory=$shared/\$SLURMD_NODENAME"
echo "export OMPI_MCA_osc_sm_backing_directory=$shared/\$SLURMD_NODENAME"
END
  chmod 755 $slurm/prolog
  cat >$slurm/slurm.conf <<END
ClusterName=vrg
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort=$port
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=$user
SlurmdUser=$user
AuthType=auth/munge
CredType=cred/munge
# a requeued job waits a second longer than its credential lives, two minutes unless told
AuthInfo=socket=$slurm/run/munge.sock,cred_expire=5
StateSaveLocation=$slurm/state
SlurmdSpoolDir=$slurm/spool/%n
TmpFS=$slurm/tmp/%n
SlurmctldPidFile=$slurm/run/slurmctld.pid
SlurmdPidFile=$slurm/run/slurmd-%n.pid
SlurmctldLogFile=$slurm/log/slurmctld.log
SlurmdLogFile=$slurm/log/slurmd-%n.log
TaskProlog=$slurm/prolog
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=1
SlurmdParameters=config_overrides
KillWait=5
# ended jobs are asked about much later
MinJobAge=86400
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1
$(for i in $(seq $nodes); do
    echo "NodeName=n$i NodeHostname=localhost NodeAddr=127.0.0.1 Port=$((port + i)) CPUs=$cpus"
  done)
PartitionName=main Nodes=n[1-$nodes] Default=YES MaxTime=INFINITE
END
  export SLURM_CONF=$slurm/slurm.conf
  slurmctld -c || return
  for i in $(seq $nodes); do slurmd -N n$i || return; done
  until_true 30 nodes_idle $nodes
}

nodes_idle() {
  [ "$(sinfo -h -t idle -o %D 2>/dev/null)" = $1 ]
}

# Ends what slurm_start started, by the numbers that it left.
slurm_down() {
  local file pids=
  [ -d $slurm/run ] || return 0
  if [ -s $slurm/run/slurmctld.pid ]; then
    scancel -u "$(id -un)" 2>/dev/null
    until_true 30 no_jobs
  fi
  for file in $slurm/run/slurmd-*.pid $slurm/run/slurmctld.pid $slurm/run/munged.pid; do
    [ ! -s $file ] || pids="$pids $(cat $file)"
  done
  [ -z "$pids" ] || kill $pids 2>/dev/null
  gone $pids
  rm -rf "${shared:?}" $slurm/run
}

no_jobs() {
  [ -z "$(squeue -h 2>/dev/null)" ]
}

# until_true SECONDS COMMAND...: wait until it succeeds; fails after this time.
until_true() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ $SECONDS -lt $end ] || return 1
    sleep 0.1
  done
}

# state JOB: PENDING RUNNING COMPLETING COMPLETED FAILED CANCELLED TIMEOUT NODE_FAIL
state() {
  scontrol -o show job $1 | sed -n 's/.* JobState=\([A-Z_]*\) .*/\1/p'
}

job_ended() {
  case $(state $1) in COMPLETED | FAILED | CANCELLED | TIMEOUT | NODE_FAIL | OUT_OF_MEMORY) return 0 ;; *) return 1 ;; esac
}

# ends TEXT JOB STATE: wait for the job's end, and compare its state.
ends() {
  until_true ${VRG_TEST_SECONDS:-200} job_ended $2
  check "$1" test "$(state $2)" = $3
  [ "$(state $2)" = $3 ] || { scontrol -o show job $2; tail -n 20 ./*-$2.log; } 2>/dev/null | sed 's/^/# /'
}

# has FILE PATTERN [TIMES]: the file has so many lines that match, or more
has() {
  [ "$(cat "$1" 2>/dev/null | grep -c -e "$2")" -ge ${3:-1} ]
}
# has_run JOB STAGE [TIMES]: the job writes, or wrote, checkpoints of the stage
has_run() {
  has vrg-$1.log "vrg: $2: checkpoint at step" ${3:-1}
}

# stop JOB: what Slurm does before the time limit (--signal=B:USR1).
stop() {
  scancel --batch --signal=USR1 $1
}
