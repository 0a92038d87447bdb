"""Training in this process where the device is lost: one line, and the next run doesn't run into the same cell again."""

import pytest
import torch
from run_folder import records

from oracle.cli.main import main
from oracle.run import run as run_module
from oracle.run import worker
from oracle.run.worker import Worker
from oracle.study.store import Store
from silo.graph import GraphStepper

LOST = (
    "CUDA error: unspecified launch failure\nCUDA kernel errors might be asynchronously reported at some other API call"
)
BAD = 0.3  # the max_lr that loses the device, whenever it is trained
SMALL = ["prune.cycles=1", "oracle.seeds=1"]


@pytest.fixture
def tried(monkeypatch):
    """How many were side by side at each try, until the one that is BAD loses the device."""
    real, sizes = worker.run_lanes, []

    def run_lanes(problem, seed, cycle, candidates, stepper):
        sizes.append(len(candidates))
        if any(candidate.max_lr == BAD for candidate in candidates):
            raise torch.AcceleratorError(LOST)
        return real(problem, seed, cycle, candidates, stepper)

    monkeypatch.setattr(worker, "run_lanes", run_lanes)
    return sizes


def here():
    """Records steps in this process, as CUDA graphs do on a GPU."""
    return lambda steps: lambda: [step() for step in steps]


def run(file, folder, *more):
    changes = [word for change in SMALL for word in ("--set", change)]
    return main(["run", str(file), "--local", "--out", str(folder), *changes, *more])


def one_line(capsys):
    line = capsys.readouterr().err
    assert line.startswith("silo-oracle: the device was lost: CUDA error: unspecified launch failure; ")
    assert line.count("\n") == 1 and "run again" in line
    return line


def failures(folder):
    return [Store(folder).failure(path.stem) for path in (folder / "failed").glob("*")]


def test_a_lost_device_is_one_line_and_its_training_is_passed_over_next_time(tiny, tmp_path, capsys, tried):
    out = tmp_path / "run"
    assert run(tiny, out) == 1
    assert f"max_lr {BAD:g} counts as failed" in one_line(capsys)
    (reason,) = failures(out)
    assert reason == (
        "the device was lost: CUDA error: unspecified launch failure; `run --retry-failed` tries it again"
    )
    assert run(tiny, out) == 1  # it counts as failed, and the others are trained
    assert "failed" in capsys.readouterr().out
    assert len(records(out)) == 5 and len(failures(out)) == 1


def test_of_several_side_by_side_each_is_trained_by_itself_next_time(tiny, tmp_path, capsys, tried, monkeypatch):
    def packs(*arguments):
        made = Worker(*arguments)
        made.stepper, made.lanes = GraphStepper(16, here), 16
        return made

    monkeypatch.setattr(run_module, "Worker", packs)
    out = tmp_path / "run"
    assert run(tiny, out) == 1
    assert "of 6 trainings side by side each is trained by itself next time" in one_line(capsys)
    assert failures(out) == [] and tried == [6]
    assert run(tiny, out) == 1  # the one that did it is found
    assert f"max_lr {BAD:g} counts as failed" in one_line(capsys)
    assert set(tried[1:]) == {1}
    assert run(tiny, out) == 1
    assert len(records(out)) == 5 and len(failures(out)) == 1


@pytest.mark.parametrize("error", [torch.AcceleratorError(LOST), torch.OutOfMemoryError("CUDA out of memory.\nmore")])
def test_a_device_that_can_t_be_begun_on_is_one_line(tiny, tmp_path, capsys, monkeypatch, error):
    def broken(*arguments):
        raise error

    monkeypatch.setattr(run_module, "Worker", broken)
    assert run(tiny, tmp_path / "run") == 1
    line = capsys.readouterr().err
    assert line.count("\n") == 1 and "a worker can't begin: " in line and type(error).__name__ in line
