"""A private Ray on a machine that pretends to have 4 GPUs: a worker each, shares of one, packs that shrink; no GPU is used."""

import os
from collections import Counter, defaultdict
from contextlib import nullcontext
from pathlib import Path

import pytest
import torch
from ray_settings import SETTINGS
from synthetic import DATA_INFO, Worker, experiment, recorded
from test_on_ray import IMPORTED, Seen

from oracle.error import SweepError
from oracle.experiment.compute import Compute
from oracle.plan.trajectories import Trajectories
from oracle.run.ray import sweep as ray_sweep
from oracle.run.ray.cluster import connected
from oracle.run.ray.resources import check_resources
from oracle.run.ready_queue import ReadyQueue
from oracle.study.store import Store

GPUS, LANES = 4, 16
GRID = tuple(round(0.1 * value, 1) for value in range(1, 13))  # SILO's value is one of them


class OnItsGpu(Worker):
    """A worker that says which GPUs Ray gave it, and takes its time."""

    def run(self, *jobs):
        self.store.log_attempt(
            event="pack", cells=len(jobs), worker=os.getpid(), gpus=os.environ.get("CUDA_VISIBLE_DEVICES")
        )
        super().run(*jobs)


class Make:
    def __init__(self, folder):
        self.folder = folder

    def __call__(self, dataset):
        return OnItsGpu(Store(self.folder), lanes=LANES)


class SeesNoGpu:
    """Makes a worker on a node whose driver is missing, say."""

    def __call__(self, dataset):
        raise RuntimeError("compute.gpus_per_trial must be 0 where no CUDA GPU is visible, got 1")


@pytest.fixture(scope="module", autouse=True)
def one_ray():
    with pytest.MonkeyPatch.context() as patched:
        for name, value in SETTINGS.items():
            patched.setenv(name, value)
        patched.setenv("PYTHONPATH", IMPORTED, prepend=os.pathsep)
        patched.setattr(torch.cuda, "device_count", lambda: GPUS)
        with connected(compute(1), None):
            patched.setattr(ray_sweep, "connected", lambda compute, address: nullcontext())
            yield


def compute(gpus, workers=None):
    return Compute(gpus_per_trial=gpus, cpus_per_trial=0.05, workers=workers)


def swept(folder, compute, seeds):
    """What the workers logged of their packs: each worker's GPUs, and the packs' sizes."""
    spec, store = experiment(grid=GRID, seeds=seeds, cycles=2), Store(folder)
    queue = ReadyQueue(Trajectories(spec, DATA_INFO, store))
    ready = queue.ready
    ray_sweep.train_on_ray(queue, Make(Path(folder)), None, compute, store, Seen())
    packs, gpus = [entry for entry in store.attempts() if entry["event"] == "pack"], defaultdict(set)
    for pack in packs:
        gpus[pack["worker"]].add(pack["gpus"])
    assert sum(pack["cells"] for pack in packs) == len(recorded(store)) == seeds * 2 * len(GRID)
    return ready, gpus, [pack["cells"] for pack in packs]


def test_each_worker_has_a_gpu_of_its_own_and_packs_leave_work_for_all(tmp_path):
    assert check_resources(compute(1), None) == GPUS
    ready, gpus, sizes = swept(tmp_path, compute(1), seeds=1)
    assert all(len(own) == 1 for own in gpus.values())
    assert Counter(gpu for own in gpus.values() for gpu in own).most_common(1)[0][1] == 1
    assert {gpu for own in gpus.values() for gpu in own} <= set(map(str, range(GPUS)))
    assert max(sizes) <= -(-2 * ready // GPUS) < len(GRID)  # of at most 12 that are ready 4 workers get 6 at once


def test_shares_of_a_gpu_are_shares_of_one(tmp_path):
    assert check_resources(compute(0.25), None) == 4 * GPUS
    _, gpus, _ = swept(tmp_path, compute(0.25, workers=2), seeds=1)
    assert {gpu for own in gpus.values() for gpu in own} <= set(map(str, range(GPUS)))
    assert all(len(own) == 1 and "," not in next(iter(own)) for own in gpus.values())


def test_a_worker_that_sees_no_gpu_is_one_line_and_the_others_needn_t_start(tmp_path):
    spec, store = experiment(), Store(tmp_path)
    queue = ReadyQueue(Trajectories(spec, DATA_INFO, store))
    with pytest.raises(SweepError, match=r"can't begin: .*gpus_per_trial must be 0"):
        ray_sweep.train_on_ray(queue, SeesNoGpu(), None, compute(1), store, Seen())
    assert recorded(store) == set() and not (tmp_path / "failed").exists()
