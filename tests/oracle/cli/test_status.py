"""status: what a run does right now, seen from outside, without disturbing it."""

import fcntl
import json
import time

import pytest
from made import made_record

from oracle.cli.status import status_text
from oracle.experiment.load import load
from oracle.plan.snapshot import Snapshot
from oracle.study.lock import activity
from oracle.study.store import Store
from oracle.study.study import claimed, new_study, open_study

TOTAL = 38  # of the tiny experiment, once its chains have come to their end


def numbers(status):
    """done, diverged, failed, running, missing over all cycles; the sum of the cycles' lines."""
    lines = [line.split() for line in status.splitlines()[1:]]
    cycles = [list(map(int, line[1:])) for line in lines if line[0].isdigit()]
    (total,) = [list(map(int, line[1:])) for line in lines if line[0] == "all"]
    assert [sum(column) for column in zip(*cycles, strict=True)] == total
    return total


def tree(folder):
    return {
        path: (path.stat().st_mtime_ns, path.read_bytes() if path.is_file() else None)
        for path in [folder, *folder.rglob("*")]
    }


@pytest.fixture
def study(tiny, tmp_path):
    """Claimed once, with nothing recorded."""
    study = new_study(load(tiny, []), tmp_path / "run", "tiny.yaml")
    with claimed(study):
        pass
    return study


def cells(study):
    return [training.cell for training in Snapshot.take(study).trainings]


def record(study, cell, seconds=2.0, diverged=False):
    accuracy, environment = None if diverged else 90.0, {"device": "none"}
    leaves = None if diverged else f"left by {cell.id}"
    made = made_record(cell, accuracy, leaves, seconds=seconds, environment=environment)
    study.store.write_record(made)
    study.store.log_attempt(cell=cell.id, event="recorded")


def status(study):
    return status_text(open_study(study.store.folder))


def test_a_study_that_has_not_begun(study):
    said = status(study)
    assert numbers(said) == [0, 0, 0, 0, TOTAL]
    assert f"recorded: 0 of at most {TOTAL} trainings" in said  # later cycles aren't known yet
    assert "no run is at work; the last run or merge ended 20" in said
    assert "time left: known after the first training" in said


def test_only_what_this_sweep_began_and_did_not_end_is_running(study):
    first, second, third, fourth, fifth, *_ = cells(study)
    store = Store(study.store.folder, "an earlier sweep, cut off")
    store.log_attempt(cell=fifth.id, event="started")
    with claimed(study):
        for cell in (first, second, third, fourth):
            study.store.log_attempt(cell=cell.id, event="started")
        record(study, first)
        study.store.log_attempt(cell=second.id, event="failed", reason="ValueError: no")
        study.store.log_attempt(cell=second.id, event="started")  # tried again
        study.store.write_failure(third.id, "ValueError: no")  # by a worker that was lost before it could log it
        study.store.log_attempt(cell=fourth.id, event="resumed", epoch=2)
        said = status(study)
        assert numbers(said)[:4] == [1, 0, 1, 2]
        assert "it trains 2 now" in said
        assert "by the pace of this run" in said
    said = status(study)
    assert numbers(said)[:4] == [1, 0, 1, 0]
    assert "divided by the workers (a training took 2.00 s)" in said


def test_the_pace_is_that_of_this_sweep(study, monkeypatch):
    """Ten seconds a record, whatever the trainings took and other sweeps did."""
    clock = [1e9]
    monkeypatch.setattr(time, "time", lambda: clock[0])
    first, second, third, fourth, *_ = cells(study)
    record(study, first)
    with claimed(study):
        clock[0] += 1000  # the workers start
        for cell in (second, third):
            study.store.log_attempt(cell=cell.id, event="started")
            clock[0] += 10
            record(study, cell, seconds=99)
        study.store.log_attempt(cell=fourth.id, event="started")
        assert activity(study.store).pace == pytest.approx(10)
        assert activity(study.store).began == 1e9
        left = 10 * (numbers(status(study))[3] + numbers(status(study))[4])
        assert f"time left: at most {round(left / 60)} min, by the pace" in status(study)


def test_reasons_of_failures_are_told_once_and_not_all(study):
    failing = cells(study)
    assert len(failing) == 12
    for number, cell in enumerate(failing):
        study.store.write_failure(cell.id, f"ValueError: {max(0, number - 4)}")
    said = status(study)
    rates = sorted({cell.max_lr for cell in failing})
    first, sixth = [cell.max_lr for cell in failing[:5]], failing[5]
    where = f"max_lr {min(first):.4g} to {max(first):.4g}; cycle 0; seed 0"
    assert f"failed: 5 trainings ({where}): ValueError: 0\n" in said and len(rates) == 6
    assert f"failed: 1 training (max_lr {sixth.max_lr:.4g}; cycle 0; seed {sixth.seed}): ValueError: 1\n" in said
    assert said.count("ValueError") == 5 + 2  # the two blocked chains say why, too
    assert "failed: 3 other reasons" in said
    assert "is blocked from cycle 1 on" in said


def test_the_total_is_exact_once_no_chain_waits(study):
    for _ in range(3):
        for cell in cells(study):
            record(study, cell, diverged=cell.max_lr == 1e6)
    said = status(study)
    assert numbers(said) == [32, 6, 0, 0, 0]
    assert f"recorded: {TOTAL} of {TOTAL} trainings" in said
    assert "time left" not in said


@pytest.mark.parametrize("lock", [None, "", "{", "[1]", '{"sweep": "x"}'])
def test_a_folder_without_a_lock_that_can_be_read(study, lock):
    """Copied from a medium that has none, or at the moment when a driver writes it."""
    path = study.store.folder / "lock"
    path.unlink()
    if lock is not None:
        path.write_text(lock)
    before = tree(study.store.folder)
    assert "no run is at work" in status(study)
    with path.open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert "a run is at work; it trains 0 now" in status(study)
    if lock is None:
        path.unlink()
    assert tree(study.store.folder).keys() == before.keys()


def test_nothing_is_written_where_nothing_can_be(study):
    record(study, cells(study)[0])
    for path in [study.store.folder, *study.store.folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    before = tree(study.store.folder)
    assert numbers(status(study))[0] == 1
    assert tree(study.store.folder) == before


def test_a_driver_can_start_while_status_looks(study, monkeypatch):
    """status holds the lock for a moment, shared; a driver that comes just then waits it out."""
    flock, looks = fcntl.flock, []

    def look_first(handle, how):
        if how & fcntl.LOCK_EX and not looks:
            looks.append((study.store.folder / "lock").open())
            flock(looks[0], fcntl.LOCK_SH)
            try:
                return flock(handle, how)
            finally:
                looks[0].close()
        return flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", look_first)
    with claimed(study):
        assert activity(study.store).at_work
    assert looks
    assert not activity(study.store).at_work
    assert not activity(study.store).cut_off
    assert json.loads((study.store.folder / "lock").read_text()).keys() == {"sweep", "at", "ended"}
