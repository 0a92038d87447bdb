"""The cells of the overhead benchmark: as many as it says, each ready at once, with records that a report can be made from."""

import importlib.util
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packages import needs

from oracle.analysis.results import analyze
from oracle.plan.snapshot import Snapshot
from oracle.plan.trajectories import Trajectories
from oracle.run.ready_queue import ReadyQueue
from oracle.study.store import Store
from oracle.study.study import Study

FILE = Path(__file__).parents[1] / "benchmarks" / "overhead.py"


@pytest.fixture(scope="module")
def overhead():
    spec = importlib.util.spec_from_file_location("overhead", FILE)
    module = sys.modules["overhead"] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("cells", [100, 1000])
def test_so_many_cells_are_ready_at_once(overhead, tmp_path, cells):
    assert ReadyQueue(Trajectories(overhead.independent(cells, 2), overhead.DATA, Store(tmp_path))).ready == cells


def test_a_cell_sleeps_and_leaves_what_a_training_leaves(overhead, tmp_path, monkeypatch):
    slept, store = [], Store(tmp_path)
    monkeypatch.setattr(overhead.time, "sleep", slept.append)
    study = Study(overhead.independent(20, 1), overhead.DATA, store, "overhead")
    worker, queue = overhead.Sleepers(tmp_path, 0.05)(None), ReadyQueue(Trajectories.of(study))
    while jobs := queue.next():
        worker.run(*jobs)
        queue.finished(*jobs)
    assert slept == [0.05] * 20
    cells = analyze(Snapshot.take(study)).cells
    assert (cells.status == "done").sum() == 20


def test_a_driver_hands_every_training_out_to_pretended_workers(tmp_path, monkeypatch):
    needs("ray")
    from benchmarks import driver

    monkeypatch.setattr(driver, "WORKERS", (3, 30))
    monkeypatch.setattr(driver, "ProcessPoolExecutor", lambda *_, **__: ThreadPoolExecutor(1))  # sooner than processes
    driver.main(["--cells", "100", "--to", str(tmp_path)])
    rows = (tmp_path / "driver.csv").read_text().splitlines()
    assert [row.split(",")[:2] for row in rows[1:]] == [["3", "100"], ["30", "100"]]
    assert "assigned_per_s" in (tmp_path / "driver.md").read_text()
