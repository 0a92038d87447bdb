"""Train one cell and make its record durable: the same in a Ray worker and in this process."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import torch

from oracle.spec.experiment import Experiment
from oracle.sweep.cell import Cell
from oracle.sweep.environment import environment
from oracle.sweep.failure import reason_of
from oracle.sweep.problem import device, load_dataset, problems
from oracle.sweep.store import Store
from silo.trajectory import CycleResult, State, run_cycle


@dataclass(frozen=True)
class Job:
    """A cell to train, the cell that left its start state (None at cycle 0), and whether its own state is to be kept."""

    cell: Cell
    parent_id: str | None
    keeps_state: bool


class Worker:
    """Holds the data between cells. Raises FieldError where this machine lacks the data or the device."""

    def __init__(self, experiment: Experiment, data_digest: str, store: Store) -> None:
        self.store = store
        self.compute = experiment.compute
        self.device = device(experiment)
        dataset = load_dataset(experiment)
        if dataset.digest() != data_digest:
            raise RuntimeError("the data on this machine differs from the data that the run was started with")
        self.problems = problems(experiment, dataset, self.device)

    def run(self, job: Job) -> None:
        """Train, and record what came of it; an error in the training becomes a recorded failure with its reason."""
        cell, started = job.cell, time.monotonic()
        self.store.log_attempt(cell=cell.id, event="started")
        try:
            result = run_cycle(self.problems[cell.training], cell.seed, cell.cycle, cell.max_lr, self._start(job))
        except Exception as error:
            reason = reason_of(error, self.compute)
            self.store.log_attempt(cell=cell.id, event="failed", reason=reason)
            self.store.write_failure(cell.id, reason)
            return
        if job.keeps_state and result.leaves is not None:
            self.store.write_state(cell.id, result.leaves)
        first = self.store.write_record(self._record(cell, result, time.monotonic() - started))
        self.store.log_attempt(cell=cell.id, event="recorded" if first else "had a record already")

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
