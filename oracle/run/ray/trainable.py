"""What a worker process of a Tune run does: begin once, then train one cell after another."""

import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from oracle.error import InputError, SweepError
from oracle.experiment.import_path import code_of
from oracle.experiment.load import validate
from oracle.experiment.spec import Experiment
from oracle.run.ready_queue import Job
from oracle.run.worker import Worker
from oracle.study.store import Store
from silo.data.images import Dataset

SHORTEST_WAIT, LONGEST_WAIT = 0.05, 2.0  # seconds between two questions of a worker that has nothing to train


class CellRunner(Protocol):
    """Whatever trains jobs and records what came of them; lanes: how many at once, at most."""

    lanes: int

    def run(self, *jobs: Job) -> None: ...


@dataclass(frozen=True)
class WorkerFactory:
    """What a worker needs to begin, wherever it is: the driver's experiment, code, run folder, sweep and working folder."""

    experiment: dict[str, Any]
    code: dict[str, str]
    data_digest: str
    folder: Path
    sweep: str
    here: Path

    @classmethod
    def of(cls, experiment: Experiment, data_digest: str, store: Store) -> "WorkerFactory":
        """For a sweep that this process drives."""
        spec, code = experiment.model_dump(mode="json"), code_of(experiment)
        return cls(spec, code, data_digest, store.folder.resolve(), store.sweep, Path.cwd())

    def __call__(self, dataset: Dataset) -> Worker:
        """Raises InputError where this node isn't as the driver's: without its folders, its code or its device."""
        for folder, what in ((self.folder, "run folder"), (self.here, "working folder")):
            if not folder.is_dir():
                raise InputError(f"has no {folder}: the {what} must lie on a file system that all nodes share")
        os.chdir(self.here)  # relative paths, and modules that the experiment imports, count from there
        experiment = validate(self.experiment, "the driver's experiment")
        if code_of(experiment) != self.code:
            raise InputError(f"the code of {', '.join(self.code)} isn't that which the run was started with")
        return Worker(experiment, dataset, self.data_digest, Store(self.folder, self.sweep))


def cell_training() -> type:
    """The class trainable; a function, since ray is imported only when a sweep starts."""
    import ray
    from ray import tune

    class CellTraining(tune.Trainable):
        """A trial is a worker process, a step a pack of cells; the driver assigns the next before it asks for the next step.

        A result tells which cells have ended, or how long this worker has been idle, or, as halt, why no training can go on.
        The first one tells where it is to be reached, and how many lanes it has.
        """

        def setup(self, config: dict[str, Any], begin: Callable[[Any], CellRunner], dataset: Any) -> None:
            self.halt: Exception | None = None
            try:
                self.worker = begin(dataset)
            except Exception as error:
                kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
                self.halt = SweepError(f"a worker on {platform.node()} can't begin: {kind}{error}")
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            """The same process for another trial."""
            self.introduced = self.over = False
            self.assign([])
            return True

        def assign(self, jobs: Sequence[Job], over: bool = False) -> None:
            """What the next step trains; over: nothing, and it will be the last."""
            self.jobs, self.over, self.idle_since = jobs, over, time.monotonic()

        def step(self) -> dict[str, Any]:
            if self.halt is not None or self.over:
                return {"done": True, **({"halt": self.halt} if self.halt else {})}
            if not self.introduced:
                self.introduced = True
                return {"worker": ray.get_runtime_context().current_actor, "lanes": self.worker.lanes}
            if not self.jobs:
                idle = time.monotonic() - self.idle_since
                time.sleep(min(max(idle, SHORTEST_WAIT), LONGEST_WAIT))
                return {"idle": idle}
            return self._train(self.jobs)

        def _train(self, jobs: Sequence[Job]) -> dict[str, Any]:
            self.assign([])
            try:
                self.worker.run(*jobs)
            except (InputError, OSError) as error:  # a damaged record; a run folder that can't be written
                return {"done": True, "halt": error}
            self.idle_since = time.monotonic()
            return {"cells": [job.cell.id for job in jobs]}

    return CellTraining
