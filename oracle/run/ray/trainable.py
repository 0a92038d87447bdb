"""What a worker process of a Tune run does: make its worker once, then train one pack of jobs after another."""

import platform
import time
from collections.abc import Callable, Sequence
from typing import Any

from oracle.error import InputError, SweepError
from oracle.run.idle import idle_wait
from oracle.run.ready_queue import Job
from oracle.run.worker_factory import CellRunner


def worker_trainable() -> type:
    """Return the class trainable. It is made in a function, since ray may be imported only once its environment is set."""
    import ray
    from ray import tune

    class WorkerTrainable(tune.Trainable):
        """A trial is a worker process, a step a pack of jobs; the driver assigns the next before it asks for the next step.

        The first result says where the worker is reached, and how many lanes it has. Each later one says which cells have
        ended, or for how many seconds the worker has been idle, or, as ``fatal``, why no training can go on.
        """

        def setup(self, config: dict[str, Any], make_worker: Callable[[Any], CellRunner], dataset: Any) -> None:
            self.fatal: Exception | None = None
            try:
                self.worker = make_worker(dataset)
            except Exception as error:
                kind = "" if isinstance(error, InputError) else f"{type(error).__name__}: "
                self.fatal = SweepError(f"a worker on {platform.node()} can't begin: {kind}{error}")
            self.reset_config(config)

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            """Use the same process for another trial."""
            self.introduced = self.last = False
            self.assign([])
            return True

        def assign(self, jobs: Sequence[Job], last: bool = False) -> None:
            """Set what the next step trains; last: it is the last step, and trains nothing."""
            self.jobs, self.last, self.idle_since = jobs, last, time.monotonic()

        def step(self) -> dict[str, Any]:
            """Train what is assigned, or wait a moment; return the result that the driver's searcher gets."""
            if self.fatal is not None:
                return {"done": True, "fatal": self.fatal}
            if self.last:
                return {"done": True}
            if not self.introduced:
                self.introduced = True
                return {"worker": ray.get_runtime_context().current_actor, "lanes": self.worker.lanes}
            if not self.jobs:
                idle = time.monotonic() - self.idle_since
                time.sleep(idle_wait(idle))
                return {"idle": idle}
            return self._train(self.jobs)

        def _train(self, jobs: Sequence[Job]) -> dict[str, Any]:
            self.assign([])
            try:
                self.worker.run(*jobs)
            except (InputError, OSError) as error:  # a damaged record; a run folder that can't be written
                return {"done": True, "fatal": error}
            self.idle_since = time.monotonic()
            return {"cells": [job.cell.id for job in jobs]}

    return WorkerTrainable
