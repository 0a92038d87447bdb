"""What a worker process of a Tune run does, without its process."""

import pytest
from synthetic import DATA_INFO, Worker, experiment, recorded

from oracle.error import InputError, SweepError
from oracle.plan.trajectories import Trajectories
from oracle.run.idle import LONGEST_WAIT, SHORTEST_WAIT
from oracle.run.ray.environment import PRIVATE_RAY, set_environment
from oracle.run.ray.trainable import worker_trainable
from oracle.run.ready_queue import ReadyQueue
from oracle.study.store import Store

set_environment(PRIVATE_RAY)  # ray reads it when it is imported, and other tests start it in this process


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "run")


def made(make_worker):
    """A worker as Tune makes it; what Ray would have it introduce itself by is left out."""
    worker = object.__new__(worker_trainable())
    worker.setup({}, make_worker, "images")
    worker.introduced = True
    return worker


def test_a_worker_that_cannot_begin_says_why():
    def make_worker(images):
        raise InputError(f"has no {images}")

    result = made(make_worker).step()
    assert result["done"]
    assert isinstance(result["fatal"], SweepError)
    assert str(result["fatal"]).endswith("can't begin: has no images")


def test_a_worker_trains_what_it_is_assigned_and_waits_for_more(monkeypatch, store):
    naps = []
    monkeypatch.setattr("oracle.run.ray.trainable.time.sleep", naps.append)
    queue = ReadyQueue(Trajectories(experiment(), DATA_INFO, store))
    worker = made(lambda images: Worker(store))
    assert worker.step()["idle"] < 1
    worker.assign(jobs := queue.next())
    (job,) = jobs
    assert worker.step() == {"cells": [job.cell.id]}
    assert recorded(store) == {job.cell.id}
    worker.idle_since -= 100
    assert worker.step()["idle"] > 100
    assert naps == [SHORTEST_WAIT, LONGEST_WAIT]
    worker.assign([], last=True)
    assert worker.step() == {"done": True}
    assert worker.reset_config({})  # the same process for another trial
    assert not worker.last


def test_a_worker_whose_run_folder_cannot_be_written_says_so(store):
    class Full:
        def run(self, job):
            raise OSError(28, "No space left on device")

    worker = made(lambda images: Full())
    worker.assign(["a job"])
    result = worker.step()
    assert result["done"]
    assert result["fatal"].errno == 28
