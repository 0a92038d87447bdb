"""The cells of the overhead benchmark: as many as it says, each ready at once, with records that a report can be made from."""

import importlib.util
import sys
from pathlib import Path

import pytest

from oracle.analysis.results import find
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
    data = {"digest": overhead.DATA, "chance": 10.0, "training_images": 100, "validation_images": 50, "test_images": 50}
    study = Study(overhead.independent(20, 1), data, store, "overhead")
    worker, frontier = overhead.Sleepers(tmp_path, 0.05)(None), ReadyQueue(study.chains)
    while jobs := frontier.next():
        worker.run(*jobs)
        frontier.finished(*jobs)
    assert slept == [0.05] * 20
    assert (find(study).cells.status == "done").sum() == 20
