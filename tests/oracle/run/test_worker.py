"""What a worker does when a training, the disk or the process fails: nothing finished is lost, nothing recorded done again."""

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace

import pytest
import torch
from experiments import write
from trained import train

from oracle.cli.main import main
from oracle.experiment.load import load
from oracle.plan.trajectories import Trajectories
from oracle.run import checkpoint, worker
from oracle.run.ready_queue import Job
from oracle.run.worker import TRIES, Worker
from oracle.study.ballast import Ballast
from oracle.study.states import read_checkpoint, write_checkpoint
from oracle.study.store import Store
from oracle.study.study import new_study


@pytest.fixture
def study(tiny, tmp_path):
    return new_study(load(tiny, []), tmp_path / "run")


@pytest.fixture
def made(study):
    return Worker(study.experiment, study.dataset, study.data.digest, study.store)


@pytest.fixture
def job(study):
    return Job(next(Trajectories.of(study).steps()).cell, None, keeps_state=True)


def events(store):
    return [entry["event"] for entry in store.attempts()]


def files(store):
    return sorted(str(path.relative_to(store.folder)) for path in store.folder.rglob("*") if path.is_file())


def fails(times, error, monkeypatch):
    """The first trainings raise."""
    real, count = worker.run_lanes, []

    def run_lanes(*arguments):
        count.append(1)
        if len(count) <= times:
            raise error
        return real(*arguments)

    monkeypatch.setattr(worker, "run_lanes", run_lanes)


def test_a_training_that_fails_once_is_tried_again(made, job, monkeypatch):
    fails(1, RuntimeError("a busy disk"), monkeypatch)
    made.run(job)
    assert events(made.store) == ["started", "failed", "started", "recorded"]
    assert made.store.failure(job.cell.id) is None
    assert made.store.record(job.cell.id) is not None


def test_a_training_that_always_fails_is_failed_with_its_reason(made, job, monkeypatch):
    fails(99, RuntimeError("a bad\nlayer"), monkeypatch)
    made.run(job)
    assert events(made.store) == ["started", "failed"] * TRIES
    assert made.store.failure(job.cell.id) == "RuntimeError: a bad layer"
    assert made.store.record(job.cell.id) is None


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "compute.gpus_per_trial: 0"),
        (MemoryError(), "compute.workers"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 8 bytes"), "compute.workers"),
    ],
)
def test_a_training_out_of_memory_names_the_fix(made, job, monkeypatch, error, fix):
    fails(99, error, monkeypatch)
    made.run(job)
    reason = made.store.failure(job.cell.id)
    assert reason.startswith(type(error).__name__)
    assert fix in reason
    assert "run --retry-failed" in reason


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("No such file: '/home/ada/data/train/1.png'", "No such file: '1.png'"),
        ("a/b and 1/2 and https://example.org/a/b stay", "a/b and 1/2 and https://example.org/a/b stay"),
        ("in /opt/venv/lib/x.py, line 3", "in x.py, line 3"),
    ],
)
def test_a_reason_holds_no_folder_of_the_machine(made, job, monkeypatch, text, kept):
    fails(99, ValueError(text), monkeypatch)
    made.run(job)
    assert made.store.failure(job.cell.id) == f"ValueError: {kept}"


def test_a_device_that_is_lost_is_no_fault_of_the_cell(made, job, monkeypatch):
    fails(99, torch.AcceleratorError("CUDA error: unspecified launch failure"), monkeypatch)
    with pytest.raises(torch.AcceleratorError):
        made.run(job)
    assert made.store.failure(job.cell.id) is None


def test_a_cell_that_another_recorded_meanwhile_is_not_trained(made, job, monkeypatch):
    made.run(job)
    made.run(job)
    assert events(made.store) == ["started", "recorded", "skipped"]
    made.store.drop_state(job.cell.id)
    made.run(replace(job, keeps_state=False))
    assert events(made.store)[-1] == "skipped"
    made.run(job)  # its state is wanted again, and gone
    assert events(made.store)[-2:] == ["started", "had a record already"]
    assert made.store.has_state(job.cell.id)


# -- a full disk


def full(*_):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_on_a_full_disk_no_training_begins(made, job, monkeypatch):
    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(OSError, match="No space left"):
        made.run(job)
    assert files(made.store) == []


def test_where_the_disk_fills_up_during_a_training_it_is_recorded_in_the_room_held_back(made, job, monkeypatch):
    """As if others had taken all there was: nothing can be written until the ballast is given up."""
    sync = os.fsync

    def no_room_beside_the_ballast(file):
        if list(made.store.folder.glob(".ballast*")):
            full()
        sync(file)

    real = worker.run_lanes

    def run_lanes(*arguments):
        result = real(*arguments)
        monkeypatch.setattr(os, "fsync", no_room_beside_the_ballast)
        return result

    monkeypatch.setattr(worker, "run_lanes", run_lanes)
    made.run(job)
    assert made.store.record(job.cell.id) is not None
    assert made.store.has_state(job.cell.id)
    assert not [name for name in files(made.store) if name.endswith(".tmp")]


def test_the_ballast_grows_with_the_states(tmp_path):
    ballast = Ballast(tmp_path)
    ballast.hold(1000)
    ballast.hold(10)
    (held,) = tmp_path.iterdir()
    assert held.stat().st_size == 1000
    ballast.hold(5000)
    assert held.stat().st_size == 5000
    held.unlink()  # a starting driver sweeps up
    ballast.hold(10)
    assert held.stat().st_size == 10
    ballast.release()
    assert not held.exists()


def test_a_full_disk_ends_the_run_in_one_line_and_costs_nothing_recorded(tiny, tmp_path, capsys):
    """A real full disk, where this machine lets one be made."""
    small = tmp_path / "small"
    small.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=440k", "tmpfs", str(small)]
    if sys.platform != "linux" or os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("no small file system can be mounted here")
    out = small / "run"
    try:
        assert main(["run", str(tiny), "--out", str(out), "--local"]) == 1
        line = capsys.readouterr().err
        assert "No space left on device" in line
        assert line.count("\n") == 1
        done = {path.name: path.read_bytes() for path in (out / "records").iterdir()}
        assert 1 <= len(done) < 38
        assert not list(out.rglob("*.tmp"))
        subprocess.run(["mount", "-o", "remount,size=9m", str(small)], check=True)
        assert train(tiny, out)
        assert done.items() <= {path.name: path.read_bytes() for path in (out / "records").iterdir()}.items()
        recorded = [entry["cell"] for entry in Store(out).attempts() if entry["event"] == "recorded"]
        assert len(recorded) == len(set(recorded)) == 38
    finally:
        subprocess.run(["umount", str(small)], check=True)


# -- a training cut off

CUT = """
import os, signal, sys
from pathlib import Path
from oracle.experiment.load import load
from oracle.run import checkpoint
from oracle.study.study import new_study
from oracle.plan.trajectories import Trajectories
from oracle.run.ready_queue import Job
from oracle.run.worker import Worker

checkpoint.SECONDS = checkpoint.SHARE = 0
write = checkpoint.write_checkpoint

def killed_after_two_epochs(store, cell_id, held):
    write(store, cell_id, held)
    if len(held["position"]["curve"]) == 2:
        os.kill(os.getpid(), signal.SIGKILL)

checkpoint.write_checkpoint = killed_after_two_epochs
study = new_study(load(Path(sys.argv[1]), []), Path(sys.argv[2]))
worker = Worker(study.experiment, study.dataset, study.data.digest, study.store)
worker.run(Job(next(Trajectories.of(study).steps()).cell, None, keeps_state=True))
"""


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A run folder in which a training was killed after its second epoch of three."""
    home = tmp_path_factory.mktemp("killed")
    process = subprocess.run([sys.executable, "-c", CUT, str(write(home)), str(home / "run")], timeout=60)
    assert process.returncode == -signal.SIGKILL
    return home / "run"


@pytest.fixture
def cut_off(killed, study, job):
    """A copy of it; the job is the killed training's."""
    shutil.copytree(killed, study.store.folder)
    assert len(read_checkpoint(study.store, job.cell.id)["position"]["curve"]) == 2
    return study.store


def numbers(record):
    return replace(record, seconds=None)


def test_a_killed_training_goes_on_from_its_last_epoch_and_gives_the_same(cut_off, study, made, job, tmp_path):
    made.run(job)
    assert [entry.get("epoch") for entry in cut_off.attempts() if entry["event"] == "resumed"] == [2]
    undisturbed = Worker(study.experiment, study.dataset, study.data.digest, Store(tmp_path / "undisturbed"))
    undisturbed.run(job)
    assert numbers(cut_off.whole_record(job.cell.id)) == numbers(undisturbed.store.whole_record(job.cell.id))
    assert not list((cut_off.folder / "checkpoints").iterdir())


@pytest.mark.parametrize(
    "spoil",
    [
        lambda held: {**held, "environment": {"device": "another"}},
        lambda held: {**held, "cell": "another"},
        lambda held: {"position": held["position"]},
        lambda held: {**held, "position": {}},
    ],
    ids=["another environment", "another cell", "an old version", "no position"],
)
def test_a_checkpoint_that_does_not_belong_here_starts_the_training_over(cut_off, made, job, spoil):
    write_checkpoint(cut_off, job.cell.id, spoil(read_checkpoint(cut_off, job.cell.id)))
    made.run(job)
    assert "resumed" not in events(cut_off)
    assert cut_off.record(job.cell.id) is not None


def test_the_last_try_goes_without_the_checkpoint(cut_off, made, job):
    held = read_checkpoint(cut_off, job.cell.id)
    held["position"]["weights"] = {"nothing": torch.zeros(1)}
    write_checkpoint(cut_off, job.cell.id, held)
    made.run(job)
    own = [entry["event"] for entry in sorted(cut_off.attempts(), key=lambda entry: entry["at"])][
        1:
    ]  # the killed one's is first
    assert own == [*["started", "resumed", "failed"] * (TRIES - 1), "started", "recorded"]


def test_a_checkpoint_is_due_after_some_seconds_and_costs_a_small_share(made, job, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(checkpoint.time, "monotonic", lambda: clock[0])

    def slow(store, cell_id, held):
        clock[0] += 7

    class TrainingState:
        def to_plain(self):
            return {}

    monkeypatch.setattr(checkpoint, "write_checkpoint", slow)
    made = checkpoint.EpochCheckpoint(made.store, job.cell.id, {})
    clock[0] = 9.9
    assert not made.is_due()
    clock[0] = 10
    assert made.is_due()
    made.save(TrainingState())
    clock[0] = 17 + 7 * 20 - 0.1
    assert not made.is_due()
    clock[0] += 0.2
    assert made.is_due()
    assert made.seconds == pytest.approx(157.1)


def test_a_training_goes_on_where_its_checkpoint_finds_no_room(made, job, monkeypatch):
    monkeypatch.setattr(checkpoint, "SECONDS", 0)
    monkeypatch.setattr(checkpoint, "write_checkpoint", full)
    made.run(job)
    assert events(made.store) == ["started", "recorded"]
    assert json.loads((made.store.folder / "records" / f"{job.cell.id}.json").read_text())["outcome"]["steps"] == 51
