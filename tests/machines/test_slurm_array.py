"""benchmarks/cluster/array.sh, executed: a job a seed with what Slurm tells each, merged into the records of one run."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from experiments import write

sys.path.insert(0, str(Path(__file__).parents[1] / "oracle"))
from run_folder import records

from oracle.cli.main import main

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "cluster" / "array.sh"
pytestmark = pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
CHANGES = {"prune.cycles": 2, "policies.baselines": {"fixed": {"max_lr": 0.05, "shape": "cosine"}}}


def job(folder, seed, *more):
    """The array's job of one seed."""
    command = folder / "silo-oracle"
    command.write_text(f'#!/usr/bin/env bash\nexec {sys.executable} -m oracle.cli "$@"\n')
    command.chmod(0o755)
    variables = {"SLURM_ARRAY_TASK_ID": seed, "SILO_ORACLE": str(command), "PYTHONPATH": str(ROOT)}
    environment = {**os.environ, **{name: value for name, value in variables.items() if value}}
    command = ["bash", str(SCRIPT), str(folder / "tiny.yaml"), str(folder / "run"), *more]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_seeds_in_jobs_of_their_own_are_one_study_in_the_end(tmp_path, capsys):
    file = write(tmp_path, CHANGES)
    for seed in ("0", "1"):
        done = job(tmp_path, seed, "--set", "oracle.tolerance=1.0")
        assert done.returncode == 0, done.stderr
    assert main(["merge", str(tmp_path / "run-0"), str(tmp_path / "run-1")]) == 0
    whole = ["--local", "--set", "oracle.seeds=[0, 1]"]
    capsys.readouterr()
    assert main(["run", str(file), "--out", str(tmp_path / "run-0"), *whole]) == 0
    assert "nothing to train" in capsys.readouterr().out
    assert main(["run", str(file), "--out", str(tmp_path / "single"), *whole]) == 0
    assert records(tmp_path / "run-0") == records(tmp_path / "single")


def test_outside_an_array_it_says_how_it_is_submitted(tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_ARRAY_TASK_ID", raising=False)
    write(tmp_path, CHANGES)
    done = job(tmp_path, "")
    assert done.returncode != 0 and "--array=FIRST-LAST" in done.stderr
