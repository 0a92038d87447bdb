"""A worker that can't go on, and the signal that ends a batch job, on a real Ray. Killed nodes: tests/test_chaos.py."""

import os
import signal
from pathlib import Path

import pytest
import torch
from synthetic import DATA, Worker, experiment, recorded

from oracle.plan.trajectories import Trajectories
from oracle.run.ray.sweep import train_on_ray
from oracle.run.ready_queue import ReadyQueue
from oracle.study.store import Store

HERE = Path(__file__).parent
IMPORTED = f"{HERE}{os.pathsep}{HERE.parent}"  # by the workers: this module and synthetic


class Full:
    """A worker whose disk is full after some cells."""

    def __init__(self, folder, cells):
        self.worker, self.left, self.lanes = Worker(Store(folder)), cells, 1

    def run(self, *jobs):
        if self.left == 0:
            raise OSError(28, "No space left on device", "record")
        self.left -= 1
        self.worker.run(*jobs)


class MakeFull:
    def __init__(self, folder, cells):
        self.folder, self.cells = folder, cells

    def __call__(self, images):
        assert images.tolist() == [[1, 4], [2, 5], [3, 6]]
        return Full(self.folder, self.cells)


class Seen:
    """Stands for the display: how a sweep's driver would take the end of a batch job."""

    handler = None

    def finished(self, cell):
        self.handler = signal.getsignal(signal.SIGTERM)


def test_a_full_disk_ends_the_run_and_is_reported_as_it_is(tmp_path, monkeypatch):
    """After one try: no cell is trained again and again."""
    monkeypatch.setenv("PYTHONPATH", IMPORTED, prepend=os.pathsep)
    synthetic, store = experiment(), Store(tmp_path)
    compute = synthetic.compute.model_copy(update={"workers": 1})
    queue = ReadyQueue(Trajectories(synthetic, DATA, store))
    before, seen = signal.getsignal(signal.SIGTERM), Seen()
    with pytest.raises(OSError, match="No space left on device") as raised:
        train_on_ray(queue, MakeFull(tmp_path, 4), torch.tensor([[1, 2, 3], [4, 5, 6]]).t(), compute, store, seen)
    assert raised.value.errno == 28
    assert len(recorded(store)) == 4
    assert not (tmp_path / "failed").exists()
    with pytest.raises(KeyboardInterrupt):  # as Ctrl-C
        seen.handler(signal.SIGTERM, None)
    assert signal.getsignal(signal.SIGTERM) is before
