"""How long a run will take: its very order, simulated with trainings that take a known time and no computer."""

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from oracle.plan.trajectories import Trajectories
from oracle.run.idle import idle_wait
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.study.cell import Cell
from oracle.study.record import Record
from oracle.study.store import Store
from oracle.study.study import Study
from silo.outcome import Outcome


@dataclass(frozen=True)
class Forecast:
    """How long the missing trainings of a study take.

    Attributes:
        trainings: How many are missing.
        busy_seconds: What they take together.
        wall_seconds: Until the last one ends.
    """

    trainings: int
    busy_seconds: float
    wall_seconds: float


class SimulatedRecords:
    """A run folder as it will be: what it holds, and trainings that are simulated. Writes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._records: dict[str, Record] = {}
        self._states: set[str] = set()

    def record(self, cell_id: str) -> Record | None:
        """Return the record of a training that is finished, or was simulated."""
        return self._records.get(cell_id) or self._store.record(cell_id)

    def failure(self, cell_id: str) -> str | None:
        """Return why a training failed, or None; none that is simulated fails."""
        return self._store.failure(cell_id)

    def has_state(self, cell_id: str) -> bool:
        """Return whether the state that a training left is there."""
        return cell_id in self._states or self._store.has_state(cell_id)

    def drop_state(self, cell_id: str) -> None:
        """Forget a state that is needed no more."""
        self._states.discard(cell_id)

    def simulate(self, cell: Cell) -> None:
        """Add the record and the state of a training.

        The lowest max_lr is best: seldom SILO's, so that few trajectories meet. Each leaves a mask of its own.
        """
        self._states.add(cell.id)
        if self.record(cell.id) is None:
            accuracies = dict.fromkeys(("validation", "test", "final_validation", "final_test"), -cell.max_lr)
            outcome = Outcome(diverged=False, chosen_epoch=1, steps=0, curve=(), **accuracies)
            self._records[cell.id] = Record(
                id=cell.id,
                cell=cell,
                outcome=outcome,
                alive=1,
                prunable=1,
                layers=(),
                leaves=f"after {cell.id}",
                environment={},
                stepping=None,
                seconds=0.0,
            )


def forecast(study: Study, seconds: float, worker_starts: Sequence[float], lanes: int = 1) -> Forecast:
    """Simulate what the study misses; nothing diverges, and of values to choose among the lowest wins.

    Args:
        study: Its run folder is only read.
        seconds: Of each training; of those that are side by side, its share.
        worker_starts: When each worker begins, in seconds.
        lanes: How many trainings a worker takes side by side, at most.
    """
    records = SimulatedRecords(study.store)
    queue = ReadyQueue(Trajectories(study.experiment, study.data, records))
    order, trainings, wall, busy = count(), 0, 0.0, 0
    # when a worker is free, its turn among those that are free then, what it has finished, since when it is idle
    free: list[tuple[float, int, list[Job], float]] = [(at, next(order), [], at) for at in worker_starts]
    heapq.heapify(free)
    while free:
        now, _, jobs, idle_since = heapq.heappop(free)
        if jobs:
            for job in jobs:
                records.simulate(job.cell)
            queue.finished(*jobs)
            trainings, busy, wall, idle_since = trainings + len(jobs), busy - 1, now, now
        if jobs := queue.next(min(lanes, math.ceil(queue.ready / len(worker_starts)))):
            busy += 1
            heapq.heappush(free, (now + seconds * len(jobs), next(order), jobs, now))
        elif busy:  # it looks again, ever more rarely: as a real worker does
            heapq.heappush(free, (now + idle_wait(now - idle_since), next(order), [], idle_since))
    return Forecast(trainings, trainings * seconds, wall)


def longest_chain(study: Study) -> int:
    """Return how many of the missing trainings wait for each other, one after another: no number of workers is faster."""
    records = SimulatedRecords(study.store)
    queue, waves = ReadyQueue(Trajectories(study.experiment, study.data, records)), 0
    while queue.ready:
        waves += 1
        jobs = [job for _ in range(queue.ready) for job in queue.next()]
        for job in jobs:
            records.simulate(job.cell)
        queue.finished(*jobs)
    return waves
