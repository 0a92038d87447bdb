"""On a GPU: a whole `run --local` in packs has the records of one lane at a time; with SILO_DRY=1 on a CPU."""

import os

import pytest
import torch
from experiments import write
from run_folder import records

from oracle.cli.main import main

DRY = bool(os.environ.get("SILO_DRY"))
pytestmark = pytest.mark.skipif(not (DRY or torch.cuda.is_available()), reason="no CUDA GPU is visible here")
CHANGES = {
    "model": {"name": "small-cnn", "width": 8},
    "prune.restart": "rewind",
    "oracle.grid": {"low": 0.01, "high": 1.0, "points": 4},
    "policies.baselines": {"lr-rewinding": {"restart": "keep"}, "cosine": {"shape": "cosine"}},
}


def swept(file, folder, lanes):
    """The records of a run, without what may differ; all steps were captured."""
    more = [f"--set=compute.gpus_per_trial={0 if DRY else 1}", f"--set=compute.lanes={lanes}"]
    assert main(["run", str(file), "--local", "--out", str(folder), *more]) == 0
    found = records(folder)
    for record in found.values():
        stepping = record.pop("stepping", "")
        assert DRY or stepping.startswith("a CUDA graph"), stepping
        record.pop("checksum", None), record.pop("seconds", None)
    return found


@pytest.mark.parametrize("lanes", ["auto", 2])
def test_a_run_in_packs_has_the_records_of_one_lane_at_a_time(tmp_path, lanes):
    file = write(tmp_path, CHANGES)
    assert swept(file, tmp_path / "packs", lanes) == swept(file, tmp_path / "single", 1)
