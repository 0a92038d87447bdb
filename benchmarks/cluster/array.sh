#!/usr/bin/env bash
#SBATCH --job-name=silo-oracle
#SBATCH --signal=B:TERM@120
# A Slurm array: a job a seed, each by itself in its own run folder, without Ray; then they are merged.
#   sbatch --array=10-13 --gpus=1 --time=24:00:00 benchmarks/cluster/array.sh FILE RUN [options of run ...]
#   .venv/bin/silo-oracle merge RUN-10 RUN-11 RUN-12 RUN-13
#   .venv/bin/silo-oracle run FILE --local --out RUN-10 --set 'oracle.seeds=[10, 11, 12, 13]'
# A job that its time limit ended goes on when it is submitted again. Needs the installation on a shared file system, and is
# submitted from the repository's root. SILO_ORACLE names another silo-oracle than .venv's.
set -euo pipefail
file=${1:?FILE, the experiment} run=${2:?RUN, the run folders without -SEED}
shift 2
seed=${SLURM_ARRAY_TASK_ID:?submit it with --array=FIRST-LAST, the seeds}
export OMP_NUM_THREADS=1 # a training on a CPU has one core; on a GPU it needs no more
exec "${SILO_ORACLE:-.venv/bin/silo-oracle}" run "$file" --local --out "$run-$seed" --set "oracle.seeds=[$seed]" "$@"
