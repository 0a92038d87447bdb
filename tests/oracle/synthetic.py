"""A study whose trainings take no time: what a cell gives is a function of its fields.

The worker keeps to a real worker's order: start state read, state written, record written.
"""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import experiments
import torch
from experiments import UNTRAINED
from made import made_data, made_record

from oracle.plan.snapshot import Snapshot
from oracle.plan.trajectories import Trajectories
from oracle.run.ready_queue import ReadyQueue
from oracle.study.cell import DENSE
from oracle.study.states import read_state, write_state
from oracle.study.store import Store
from silo.mask import Mask
from silo.state import State

DATA = "a data set"
DATA_INFO = made_data(digest=DATA)
GRID = (0.1, 0.2, 0.4, 0.8)
OFF_GRID, ON_GRID = 0.3, 0.2
WEIGHTS = {"weight": torch.empty(64)}


def experiment(
    follow="silo",
    silo=OFF_GRID,
    grid=GRID,
    seeds=2,
    cycles=3,
    baselines=None,
    over="dense",
    search_grid=None,
    search="exhaustive",
    epochs=1,
):
    """SILO's max_lr is the same in every cycle: its delay is longer than they are."""
    return experiments.experiment(
        UNTRAINED
        | {
            "prune.criterion": "random",
            "prune.cycles": cycles,
            "train.epochs": epochs,
            "silo": {"epsilon": silo, "delta": 0.0, "beta": 5.0, "delay": 99},
            "oracle": {"grid": list(grid), "seeds": seeds, "follow": follow, "search": search},
            "policies": {"search": {"over": over, "grid": search_grid}, "baselines": baselines or {}},
        }
    )


TRAINING = experiment().training_digest(DATA)


def accuracy(cell):
    """Best at 0.4 in cycle 0, at 0.2 in cycle 1, at 0.4 again; seed 0 alone would rather have 0.8 and 0.4."""
    best = 0.2 if cell.cycle == 1 else 0.4
    return 90 - 10 * abs(cell.max_lr - best) + (7 * cell.max_lr if cell.seed == 0 else 0)


def leaves(cell):
    """A state of its own for every cell."""
    bits = int(cell.id[:16], 16)
    return State(Mask({"weight": torch.tensor([bool(bits >> i & 1) for i in range(64)])}))


@contextmanager
def fresh_store():
    """An empty store for an example of a property, where the folders of tests lie; gone afterwards."""
    with tempfile.TemporaryDirectory(dir=os.environ.get("PYTEST_DEBUG_TEMPROOT")) as folder:
        yield Store(Path(folder))


def snapshot(spec, store):
    """The study by what is recorded now."""
    return Snapshot.walk(Trajectories(spec, DATA_INFO, store), DATA_INFO, "test")


def counts(spec, store):
    """How many of its trainings are how far."""
    return snapshot(spec, store).counts()


class Worker:
    """Gives each cell's accuracy; None stands for a training that diverged, a text for the reason why it failed."""

    def __init__(self, store, gives=accuracy, leaves=leaves, lanes=1, losses=lambda cell: ()):
        self.store, self.gives, self.leaves, self.lanes, self.losses = store, gives, leaves, lanes, losses
        self.trained = []

    def run(self, *jobs):
        for job in jobs:
            self._run(job)

    def _run(self, job):
        cell, given = job.cell, self.gives(job.cell)
        if job.parent_id is None:
            assert cell.start == DENSE
        else:  # raises where this is not the state that the cell is to start from
            read_state(self.store, job.parent_id, cell.start, WEIGHTS)
        self.trained.append(job)
        if isinstance(given, str):
            self.store.write_failure(cell.id, given)
            return
        state = None if given is None else self.leaves(cell)
        if state and job.keeps_state:
            write_state(self.store, cell.id, state)
        self.store.write_record(made_record(cell, given, state and state.digest(), losses=self.losses(cell)))


def sweep(spec, store, pick=lambda count: 0, workers=1, **changes):
    """Run a queue dry with several jobs in flight, of which ``pick`` says which ends next; returns the jobs."""
    worker = Worker(store, **changes)
    queue, running = ReadyQueue(Trajectories(spec, DATA_INFO, store)), []
    while True:
        while len(running) < workers and (jobs := queue.next()):
            (job,) = jobs
            assert job.parent_id is None or store.has_state(job.parent_id), "offered before its start state is there"
            running.append(job)
        if not running:
            return worker.trained
        job = running.pop(pick(len(running)))
        worker.run(job)
        queue.finished(job)
        assert len(worker.trained) < 200, "the same cells are trained over and over"


def ids(jobs):
    return [job.cell.id for job in jobs]


def recorded(store):
    return {path.stem for path in (store.folder / "records").glob("*.json")}


def states(store):
    return {path.stem for path in (store.folder / "states").glob("*.pt")}
