"""What a worker does in a calibration: it measures for some seconds, then trains the study's own trainings, shortened."""

import time
from dataclasses import asdict, dataclass
from typing import Any

import torch

from oracle.run.calibration.costs import measure_costs
from oracle.run.calibration.shortened import shorten
from oracle.run.ready_queue import Job
from oracle.run.worker import Worker
from oracle.run.worker_factory import WorkerFactory
from oracle.study.store import Store
from silo.graph import CaptureError, GraphStepper
from silo.lane import Stepper

MAX_WAIT = 60.0  # seconds that a worker waits for the others to begin

# Events in the store's log of attempts: a worker has begun; its costs; the seconds of a shortened training.
BEGAN, MEASURED, SHORTENED = "began", "measured", "shortened"


class ShortenedWorker:
    """Trains every job shortened to one step, as a worker trains it whole; before its first it measures, beside the others.

    What it finds is in the store's log of attempts.
    """

    def __init__(self, worker: Worker, training: str, seed: int, workers: int, seconds: float) -> None:
        self.worker, self.store, self.workers, self.seconds = worker, worker.store, workers, seconds
        self.problem, self.seed = worker.problems[training], seed
        whole = self.problem.data(seed)
        worker.problems = {name: shorten(problem, whole) for name, problem in worker.problems.items()}
        self.lanes = worker.lanes
        self.last_ended: float | None = None

    def run(self, *jobs: Job) -> None:
        """Train the jobs, shortened; what they cost is the time since the last ones ended."""
        if self.last_ended is None:
            self.store.log_attempt(event=BEGAN)
            self._wait_for_the_others()
            self._measure()
            self.last_ended = time.perf_counter()
        self.worker.run(*jobs)
        before, self.last_ended = self.last_ended, time.perf_counter()
        self.store.log_attempt(event=SHORTENED, seconds=(self.last_ended - before) / len(jobs))

    def _measure(self) -> None:
        """Measure what the run's own steps cost; where they can't be captured or memory is short, as the run then steps."""
        while True:
            stepper = self.worker.stepper
            try:
                lone_step = self._lone_step(stepper)
                costs = measure_costs(self.problem, self.seed, self.seconds, stepper)
            except (CaptureError, torch.OutOfMemoryError) as error:
                if stepper.at_once == 1 and not isinstance(error, CaptureError):
                    raise
                error.__traceback__ = error.__context__ = error.__cause__ = None  # its frames hold the lanes' memory
                self.worker.fall_back(error)
            else:
                self.lanes = self.worker.lanes
                self.store.log_attempt(event=MEASURED, lanes=stepper.at_once, lone_step=lone_step, **asdict(costs))
                return

    def _lone_step(self, stepper: Stepper) -> float | None:
        """Measure a step of a training beside no other; None where there is never another."""
        if not isinstance(stepper, GraphStepper) or stepper.at_once == 1:
            return None
        step = measure_costs(self.problem, self.seed, self.seconds, stepper.anew(1)).step
        torch.cuda.empty_cache()  # its graphs' memory is needed for those of all lanes
        return step

    def _wait_for_the_others(self) -> None:
        until = time.monotonic() + MAX_WAIT
        while len(entries_of(self.store, BEGAN)) < self.workers and time.monotonic() < until:
            time.sleep(0.02)


@dataclass(frozen=True)
class ShortenedWorkerFactory:
    """Makes such a worker wherever a worker of the run would be made.

    Attributes:
        make_worker: The factory of the run's own workers.
        training: Digest of the training that is measured.
        seed: Whose split is measured.
        workers: How many wait for each other before they measure.
        seconds: For so long each measures.
    """

    make_worker: WorkerFactory
    training: str
    seed: int
    workers: int
    seconds: float

    def __call__(self, dataset: Any) -> ShortenedWorker:
        """Make the worker. Raises InputError as the run's own factory does."""
        return ShortenedWorker(self.make_worker(dataset), self.training, self.seed, self.workers, self.seconds)


def entries_of(store: Store, event: str) -> list[dict[str, Any]]:
    """Return what the workers have logged of one event."""
    return [entry for entry in store.attempts() if entry.get("event") == event]
