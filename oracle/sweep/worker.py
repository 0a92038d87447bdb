"""Train one cell and make its record durable: the same in a Ray worker and in this process."""

from dataclasses import asdict, dataclass
from typing import Any

import torch

from oracle.spec.experiment import Experiment
from oracle.store.ballast import ROOM, Ballast
from oracle.store.checkpoint import EpochCheckpoint
from oracle.store.environment import environment
from oracle.store.store import Store
from oracle.sweep.cell import Cell
from oracle.sweep.failure import reason_of
from oracle.sweep.problem import device, problems
from silo.data.images import Dataset
from silo.trajectory import CycleResult, State, run_cycle

TRIES = 3  # of a training that raises an error: a busy file system or a full GPU may be another's fault


@dataclass(frozen=True)
class Job:
    """A cell to train, the cell that left its start state (None at cycle 0), and whether its own state is to be kept."""

    cell: Cell
    parent_id: str | None
    keeps_state: bool


class Worker:
    """Holds the data (whose digest is known) between cells. Raises FieldError where this machine lacks the device."""

    def __init__(self, experiment: Experiment, dataset: Dataset, data_digest: str, store: Store) -> None:
        self.store = store
        self.compute = experiment.compute
        self.device = device(experiment)
        self.ballast = Ballast(store.folder)
        self._largest_state = 0
        self.problems = problems(experiment, dataset, data_digest, self.device)

    def run(self, job: Job) -> None:
        """Train, and record what came of it; a training that raises an error again and again becomes a recorded failure.

        A cell that another worker recorded meanwhile isn't trained. Raises OSError where the run folder can't be written (if it
        can be known, before the training), torch.AcceleratorError where this process can't use its device any more.
        """
        cell = job.cell
        if self.store.record(cell.id) is not None and (self.store.has_state(cell.id) or not job.keeps_state):
            self.store.log_attempt(cell=cell.id, event="skipped")
            return
        self.ballast.hold(self._largest_state + ROOM)
        for tried in range(1, TRIES + 1):
            self.store.log_attempt(cell=cell.id, event="started")
            reason = self._try(job)
            if reason is None:
                return
            self.store.log_attempt(cell=cell.id, event="failed", reason=reason)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            if tried == TRIES - 1:  # the last try goes without what may be the cause
                self.store.drop_checkpoint(cell.id)
        self.store.write_failure(cell.id, reason)

    def _try(self, job: Job) -> str | None:
        """Train and record; why it failed, or None."""
        cell = job.cell
        checkpoint = EpochCheckpoint(self.store, cell.id, environment(self.device))
        try:
            problem, start = self.problems[cell.training], self._start(job)
            result = run_cycle(problem, cell.seed, cell.cycle, cell.max_lr, start, checkpoint)
        except torch.AcceleratorError:
            raise
        except Exception as error:
            return reason_of(error, self.compute)
        self.ballast.spent_on(lambda: self._write(job, result, checkpoint.seconds))
        return None

    def _write(self, job: Job, result: CycleResult, seconds: float) -> None:
        if job.keeps_state and result.leaves is not None:
            size = self.store.write_state(job.cell.id, result.leaves)
            self._largest_state = max(self._largest_state, size)
        first = self.store.write_record(self._record(job.cell, result, seconds))
        self.store.log_attempt(cell=job.cell.id, event="recorded" if first else "had a record already")

    def _start(self, job: Job) -> State:
        if job.parent_id is None:
            return State()
        problem = self.problems[job.cell.training]
        with torch.device("meta"):  # names and shapes are all that's needed
            prunable = problem.pruning.prunable(problem.build())
        return self.store.state(job.parent_id, job.cell.start, prunable)

    def _record(self, cell: Cell, result: CycleResult, seconds: float) -> dict[str, Any]:
        return {
            "id": cell.id,
            "cell": {
                "training": cell.training,
                "seed": cell.seed,
                "cycle": cell.cycle,
                "max_lr": cell.max_lr,
                "start": cell.start,
            },
            "outcome": asdict(result.outcome),
            "alive": result.alive,
            "prunable": result.prunable,
            "layers": [
                [name, *counts] for name, counts in result.layers.items()
            ],  # a list: the network's order is kept
            "leaves": result.leaves and result.leaves.digest(),
            "environment": environment(self.device),
            "seconds": round(seconds, 4),
        }
