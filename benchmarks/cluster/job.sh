#!/usr/bin/env bash
# A sweep as a job of a running Ray cluster (its dashboard answers at RAY_API_SERVER_ADDRESS, or 127.0.0.1:8265).
#   benchmarks/cluster/job.sh RUN_FOLDER FILE [more options of silo-oracle run]
# FILE, and what it imports, are in the folder that you are in: it goes along, but for what .gitignore names. RUN_FOLDER is on
# the cluster's shared file system; what a job writes elsewhere is on one node and goes with it. Needs `ray[default]` in .venv.
set -euo pipefail

if (($# < 2)) || [[ $1 != /* ]]; then
  echo "job.sh: RUN_FOLDER FILE [options] are needed, and the run folder's absolute path on the cluster" >&2
  exit 2
fi
folder=$1 file=$2
shift 2

export RAY_AUTH_MODE=token # the cluster's token is in ~/.ray/auth_token, or where RAY_AUTH_TOKEN_PATH says
exec .venv/bin/ray job submit --working-dir . -- silo-oracle run "$file" --out "$folder" "$@" --address auto
