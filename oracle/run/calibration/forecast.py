"""How long a run will take: its very order, simulated with trainings that take a known time and no computer."""

import heapq
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from oracle.plan.trajectories import Trajectories
from oracle.run.idle import idle_wait
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.study.record import Record
from oracle.study.store import Store
from oracle.study.study import Study
from silo.outcome import Outcome


@dataclass(frozen=True)
class PackTime:
    """How long trainings take side by side: that of more is taken to rise by equal steps, as two numbers of them are known.

    Attributes:
        alone: Seconds of a training beside no other.
        share: Of ``lanes`` side by side the seconds of all, divided by ``lanes``.
        lanes: How many that was.
    """

    alone: float
    share: float
    lanes: int

    @classmethod
    def in_turn(cls, seconds: float) -> "PackTime":
        """The time of trainings that gain nothing side by side."""
        return cls(seconds, seconds, 1)

    def seconds(self, count: int) -> float:
        """The seconds of so many, at least 1, side by side."""
        if self.lanes == 1:
            return count * self.alone
        return self.alone + (self.lanes * self.share - self.alone) * (count - 1) / (self.lanes - 1)


@dataclass(frozen=True)
class Waves:
    """A study on any number of devices.

    Attributes:
        longest_chain: How many of the missing trainings wait for each other: no number of devices is faster.
        trainings: How many are missing.
        state_bytes: What states that next cycles start from take of the disk, at most.
    """

    longest_chain: int
    trainings: int
    state_bytes: int


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
    """A run folder as it will be: what it holds, and trainings that are simulated. Writes nothing.

    Args:
        store: The run folder.
        state_bytes: What a state takes, by the training's digest.

    Attributes:
        peak: The most bytes that simulated states took at a time.
    """

    def __init__(self, store: Store, state_bytes: Mapping[str, int] | None = None) -> None:
        self._store, self._state_bytes = store, state_bytes or {}
        self._records: dict[str, Record] = {}
        self._states: dict[str, int] = {}
        self._held = self.peak = 0

    def record(self, cell_id: str) -> Record | None:
        """Return the record of a training that is finished, or was simulated."""
        return self._records.get(cell_id) or self._store.record(cell_id)

    def whole_record(self, cell_id: str) -> Record | None:
        """Return it with its curve; one that was simulated has none."""
        return self._records.get(cell_id) or self._store.whole_record(cell_id)

    def failure(self, cell_id: str) -> str | None:
        """Return why a training failed, or None; none that is simulated fails."""
        return self._store.failure(cell_id)

    def has_state(self, cell_id: str) -> bool:
        """Return whether the state that a training left is there."""
        return cell_id in self._states or self._store.has_state(cell_id)

    def drop_state(self, cell_id: str) -> None:
        """Forget a state that is needed no more."""
        self._held -= self._states.pop(cell_id, 0)

    def simulate(self, job: Job) -> None:
        """Add the record of a training, and its state where that is kept.

        The lowest max_lr is best: seldom SILO's, so that few trajectories meet. Each leaves a mask of its own.
        """
        cell = job.cell
        if job.keeps_state:
            self.drop_state(cell.id)
            self._states[cell.id] = self._state_bytes.get(cell.training, 0)
            self._held += self._states[cell.id]
            self.peak = max(self.peak, self._held)
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


def forecast(study: Study, time: PackTime, worker_starts: Sequence[float], lanes: int = 1) -> Forecast:
    """Simulate what the study misses; nothing diverges, and of values to choose among the lowest wins.

    Args:
        study: Its run folder is only read.
        time: Of trainings side by side.
        worker_starts: When each worker begins, in seconds.
        lanes: How many trainings a worker takes side by side, at most.
    """
    records = SimulatedRecords(study.store)
    queue = ReadyQueue(Trajectories(study.experiment, study.data, records))
    order, trainings, wall, busy, busy_seconds = count(), 0, 0.0, 0, 0.0
    # when a worker is free, its turn among those that are free then, what it has finished, since when it is idle
    free: list[tuple[float, int, list[Job], float]] = [(at, next(order), [], at) for at in worker_starts]
    heapq.heapify(free)
    while free:
        now, _, jobs, idle_since = heapq.heappop(free)
        if jobs:
            for job in jobs:
                records.simulate(job)
            queue.finished(*jobs)
            trainings, busy, wall, idle_since = trainings + len(jobs), busy - 1, now, now
        if jobs := queue.next(min(lanes, math.ceil(queue.ready / len(worker_starts)))):
            seconds = time.seconds(len(jobs))
            busy, busy_seconds = busy + 1, busy_seconds + seconds
            heapq.heappush(free, (now + seconds, next(order), jobs, now))
        elif busy:  # it looks again, ever more rarely: as a real worker does
            heapq.heappush(free, (now + idle_wait(now - idle_since), next(order), [], idle_since))
    return Forecast(trainings, busy_seconds, wall)


def waves(study: Study, state_bytes: Mapping[str, int] | None = None) -> Waves:
    """Simulate what the study misses where there is a device for whatever is ready.

    Args:
        study: Its run folder is only read.
        state_bytes: What a state takes of the disk, by the training's digest.
    """
    records = SimulatedRecords(study.store, state_bytes)
    queue, chain, trainings = ReadyQueue(Trajectories(study.experiment, study.data, records)), 0, 0
    while queue.ready:
        chain += 1
        jobs = [job for _ in range(queue.ready) for job in queue.next()]
        trainings += len(jobs)
        for job in jobs:
            records.simulate(job)
        queue.finished(*jobs)
    return Waves(chain, trainings, records.peak)
