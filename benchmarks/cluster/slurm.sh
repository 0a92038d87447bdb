#!/usr/bin/env bash
# A sweep on a Slurm allocation: Ray on all of its nodes, the driver beside the head, and nothing left behind.
#   sbatch [sbatch options] benchmarks/cluster/slurm.sh benchmarks/digits-mlp.yaml [more options of silo-oracle run]
# Submit it in the folder that holds .venv, on a file system that all nodes share; see README.md beside this file.
#
# One Ray a node, with all that the job was given there. At its time limit the job is told two minutes early, and only this
# shell is. After a fault it may start anew, and goes on where it was. A node's death ends its own trainings alone.
#SBATCH --job-name=silo-oracle
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@120
#SBATCH --requeue
#SBATCH --no-kill
#SBATCH --open-mode=append
set -euo pipefail

JOINING=300 # seconds that nodes have to join; the sweep starts without those that haven't

cd "$SLURM_SUBMIT_DIR"
bin=$PWD/.venv/bin
if [[ ! -x $bin/silo-oracle ]]; then
  echo "slurm.sh: $bin/silo-oracle: not there; submit in the folder where \`make install\` made .venv" >&2
  exit 2
fi

export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$HOME/.silo-oracle-$SLURM_JOB_ID.token"
export RAY_USAGE_STATS_ENABLED=0
export RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=0 # when Ray is stopped here, the driver has ended: nothing is left to drain

# In a step on a node: its Ray, until it is told to stop. $1: where Ray is; $2: an empty folder there for what it writes, or ""
# for a new one, closed to others (Ray opens what it makes in it to everybody); then more options of `ray start`. Other jobs
# may have a Ray on the same node: so free ports throughout, and neither `ray stop` nor `ray symmetric-run`, which end them all.
ray_node() {
  local bin=$1 folder=${2:-$(mktemp -d /tmp/ray.XXXXXX)} ray
  shift 2
  ulimit -n "$(ulimit -Hn)"
  "$bin/ray" start --block --temp-dir="$folder/ray" --num-cpus="$SLURM_CPUS_ON_NODE" --num-gpus="${SLURM_GPUS_ON_NODE:-0}" \
    --min-worker-port=0 --max-worker-port=0 --dashboard-agent-listen-port=0 "$@" >"$folder/start.log" 2>&1 &
  ray=$!
  trap 'kill -TERM "$ray"' TERM
  if wait "$ray" || [[ $? -ne 143 ]]; then # it ended by itself
    cat "$folder/start.log" >&2
  fi
  wait "$ray" || true
  rm -rf "$folder"
}

# Starts a node's Ray, in a step of its own: a node that dies takes its step along, no other. $1: the node; then $2 of above.
start_on() {
  local node=$1
  shift
  srun --overlap --export=ALL --nodes=1 --ntasks=1 --nodelist="$node" --cpu-bind=none \
    bash -c "$(declare -f ray_node); ray_node \"\$@\"" ray_node "$bin" "$@" &
  steps+=($!)
}

# Tells processes of this shell to end, and waits until they have.
end() {
  kill -TERM "$@" 2>/dev/null || true
  wait "$@" || true
}

stop() {
  local code=$?
  trap - EXIT
  trap '' TERM
  rm -f "$RAY_AUTH_TOKEN_PATH"
  [[ -z $driver ]] || end "$driver" # in order, as by Ctrl-C
  ((${#steps[@]} < 2)) || end "${steps[@]:1}"
  ((${#steps[@]} < 1)) || end "${steps[0]}" # the head last: a node without it would look for it
  rm -rf "$head_folder"
  exit "$code"
}

driver=
steps=()
head_folder=$(mktemp -d /tmp/ray.XXXXXX) # this shell runs on the head's node and reads the address there
trap stop EXIT
trap 'exit 143' TERM

(umask 077 && "$bin/python" -c 'import secrets; print(secrets.token_hex(32))' >"$RAY_AUTH_TOKEN_PATH")

head=$SLURMD_NODENAME nodes=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
start_on "$head" "$head_folder" --head --port=0 --include-dashboard=False
until [[ -s $head_folder/ray/ray_current_cluster ]]; do # Ray writes it once the head is up
  kill -0 "${steps[0]}" 2>/dev/null || exit 1 # the head failed; its output says why
  sleep 0.2
done
address=$(<"$head_folder/ray/ray_current_cluster")
for node in $nodes; do
  if [[ $node != "$head" ]]; then
    start_on "$node" "" --address="$address"
  fi
done

"$bin/python" - "$address" "$SLURM_JOB_NUM_NODES" "$JOINING" <<'PYTHON' &
import sys, time
from ray._raylet import GcsClient  # ray.init would start idle workers

address, nodes, seconds = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
client, end = GcsClient(address=address), time.monotonic() + seconds
while True:
    joined = sum(node.state == node.ALIVE for node in client.get_all_node_info(timeout=30).values())
    if joined >= nodes or time.monotonic() > end:
        break
    time.sleep(0.2)
print(f"Ray at {address}: {joined} of {nodes} nodes", file=sys.stderr)
PYTHON
driver=$!
wait "$driver"

"$bin/silo-oracle" run "$@" --address "$address" &
driver=$!
wait "$driver"
