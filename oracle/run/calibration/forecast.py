"""How long a sweep will take: its very order, played with trainings that take a known time and no computer."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from oracle.plan.trajectories import Trajectories
from oracle.run.ray.trainable import LONGEST_WAIT, SHORTEST_WAIT
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.study.cell import Cell
from oracle.study.record import Record
from oracle.study.store import Store
from oracle.study.study import Study
from silo.outcome import Outcome


@dataclass(frozen=True)
class Forecast:
    """trainings: how many are missing; busy: seconds that they take together; wall: until the last one ends."""

    trainings: int
    busy: float
    wall: float


class SimulatedRecords:
    """A run folder as it will be: what it holds, and trainings that are played. Writes nothing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._records: dict[str, Record] = {}
        self._states: set[str] = set()

    def record(self, cell_id: str) -> Record | None:
        """The record of a cell that is finished, or was played."""
        return self._records.get(cell_id) or self._store.record(cell_id)

    def failure(self, cell_id: str) -> str | None:
        """Why a cell's training failed, or None; none that is played does."""
        return self._store.failure(cell_id)

    def has_state(self, cell_id: str) -> bool:
        """Whether the state that this cell left is there then."""
        return cell_id in self._states or self._store.has_state(cell_id)

    def drop_state(self, cell_id: str) -> None:
        """Let it be needed no more."""
        self._states.discard(cell_id)

    def played(self, cell: Cell) -> None:
        """The cell is trained, and leaves a mask of its own. The lowest max_lr is best: seldom SILO's, so few chains meet."""
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


def forecast(study: Study, seconds: float, begins: Sequence[float]) -> Forecast:
    """Play what the study misses: each training takes so many seconds, on workers that begin at these times.

    Nothing diverges in it, and of values to choose among the lowest wins.
    """
    store = SimulatedRecords(study.store)
    frontier = ReadyQueue(Trajectories(study.experiment, study.data.digest, store))
    order, trainings, wall, busy = count(), 0, 0.0, 0
    # when a worker asks for a job, whose turn it is among those that ask then, what it has finished, since when it is idle
    asks: list[tuple[float, int, Job | None, float]] = [(at, next(order), None, at) for at in begins]
    heapq.heapify(asks)
    while asks:
        now, _, job, idle_since = heapq.heappop(asks)
        if job is not None:
            store.played(job.cell)
            frontier.finished(job)
            trainings, busy, wall, idle_since = trainings + 1, busy - 1, now, now
        if jobs := frontier.next():
            busy += 1
            heapq.heappush(asks, (now + seconds, next(order), jobs[0], now))
        elif busy:  # it looks again, ever more rarely: as a real worker does
            wait = min(max(now - idle_since, SHORTEST_WAIT), LONGEST_WAIT)
            heapq.heappush(asks, (now + wait, next(order), None, idle_since))
    return Forecast(trainings, trainings * seconds, wall)
