"""The jobs that are ready: trainings without a record whose start state exists."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count

from oracle.plan.steps import Blocked, Pending, ReleaseState, Request, Role, Skipped, Step
from oracle.plan.trajectories import Trajectories
from oracle.study.cell import Cell


@dataclass(frozen=True)
class Job:
    """A cell to train.

    Attributes:
        cell: which training it is.
        parent_id: the cell that left its start state; None at cycle 0.
        keeps_state: whether the state that it leaves is to be kept.
        purpose: what it is trained for, in words.
    """

    cell: Cell
    parent_id: str | None
    keeps_state: bool
    purpose: str = ""


class ReadyQueue:
    """Walks the trajectories as records come in; cells of a trajectory go first, since later cycles wait for them."""

    def __init__(self, trajectories: Trajectories) -> None:
        self._records = trajectories.records
        self._follow = trajectories.experiment.oracle.follow
        self._requests: dict[str, Request] = {}
        self._claims: Counter[str] = Counter()  # trajectories that may yet go on from the state that a cell leaves
        self._ready: list[tuple[tuple[bool, int, int], str]] = []
        # cells that wait for the state of the cell that is the key
        self._stateless: dict[str, list[str]] = defaultdict(list)
        # trajectories that wait for the cell that is the key
        self._pending: dict[str, list[Iterator[Step]]] = defaultdict(list)
        self._alone: set[str] = set()
        self._order = count()
        self._walk(trajectories.all())

    @property
    def ready(self) -> int:
        """How many jobs could start now."""
        return len(self._ready)

    @property
    def more_to_come(self) -> bool:
        """Whether others may be ready once those that are under way have finished."""
        return bool(self._pending or self._stateless)

    def next(self, at_most: int = 1) -> list[Job]:
        """Take ready jobs that can be trained side by side: of one seed and cycle, whichever policy's.

        Where there are none, wait for a running one; if none is running, all is done.
        """
        if not self._ready:
            return []
        first = self._first(at_most)
        pack = [first, *self._beside(first, at_most - 1)]
        return [self._job(cell_id) for cell_id in pack]

    def _first(self, at_most: int) -> str:
        """Take the most urgent job whose pack is at least half full; where there is none the most urgent one.

        Baselines reach a cycle at different times: one that is ahead waits while others fill packs, and goes on beside those
        that were behind, instead of alone.
        """
        if at_most == 1:  # the most urgent of 10,000 takes microseconds, what follows milliseconds
            return heapq.heappop(self._ready)[1]
        sizes = Counter(
            _batches(self._requests[cell_id].cell) for _, cell_id in self._ready if cell_id not in self._alone
        )

        def order(entry: tuple[tuple[bool, int, int], str]) -> tuple[bool, tuple[tuple[bool, int, int], str]]:
            size = 1 if entry[1] in self._alone else sizes[_batches(self._requests[entry[1]].cell)]
            return 2 * size < at_most, entry

        first = min(self._ready, key=order)
        self._ready.remove(first)
        heapq.heapify(self._ready)
        return first[1]

    def _beside(self, first: str, at_most: int) -> list[str]:
        """Take others that can be trained beside a cell. One whose worker was lost is trained alone: it may be the cause."""
        if at_most < 1 or first in self._alone:
            return []
        batches = _batches(self._requests[first].cell)
        matching = [
            entry
            for entry in self._ready
            if entry[1] not in self._alone and _batches(self._requests[entry[1]].cell) == batches
        ]
        taken = {cell_id for _, cell_id in heapq.nsmallest(at_most, matching)}
        self._ready = [entry for entry in self._ready if entry[1] not in taken]
        heapq.heapify(self._ready)
        return sorted(taken, key=lambda cell_id: self._requests[cell_id].cell.max_lr)

    def _job(self, cell_id: str) -> Job:
        request = self._requests[cell_id]
        needs_state = self._claims[cell_id] > 0 or cell_id in self._stateless
        return Job(request.cell, request.parent and request.parent.id, needs_state, request.purpose)

    def give_back(self, job: Job, alone: bool = False) -> None:
        """Make a job that wasn't finished ready again; alone: from now on it is trained beside no other."""
        if alone:
            self.train_alone([job.cell.id])
        self._push(job.cell.id)

    def train_alone(self, cell_ids: Iterable[str]) -> None:
        """From now on train each of these cells beside no other."""
        self._alone.update(cell_ids)

    def finished(self, *jobs: Job) -> None:
        """Go on after jobs were recorded, or failed, or were given up."""
        for job in jobs:
            for waiting in self._stateless.pop(job.cell.id, []):
                if self._records.has_state(job.cell.id):
                    self._push(waiting)
        for job in jobs:
            self._walk(self._pending.pop(job.cell.id, []))

    def _walk(self, trajectories: list[Iterator[Step]]) -> None:
        """Walk each as far as it goes."""
        for trajectory in trajectories:
            for step in trajectory:
                if isinstance(step, Pending):
                    self._pending[step.cell.id].append(trajectory)
                    break
                self._take_in(step)

    def _take_in(self, step: Request | ReleaseState | Blocked | Skipped) -> None:
        if isinstance(step, ReleaseState):
            for cell in step.cells:
                self._claims[cell.id] -= 1
                if self._claims[cell.id] == 0:
                    self._records.drop_state(cell.id)
        elif isinstance(step, Request):
            cell_id = step.cell.id
            self._claims[cell_id] += step.keeps_state(self._follow)
            if cell_id not in self._requests:
                self._requests[cell_id] = step
                if self._records.record(cell_id) is None and self._records.failure(cell_id) is None:
                    self._push(cell_id)

    def _push(self, cell_id: str) -> None:
        request = self._requests[cell_id]
        parent = request.parent
        if parent is None or self._records.has_state(parent.id):
            urgent = bool(request.roles & {Role.CHAIN, Role.POLICY}) or cell_id in self._stateless
            heapq.heappush(self._ready, ((not urgent, request.cell.cycle, next(self._order)), cell_id))
            return
        # The parent is recorded but its state is gone (a former loser's, or its file was lost): train it once more,
        # just to have the state; its record stands.
        first = parent.id not in self._stateless
        self._stateless[parent.id].append(cell_id)
        if first:
            self._push(parent.id)


def _batches(cell: Cell) -> tuple[int, int]:
    """What cells of a study share that can be trained side by side: they see the same batches.

    A policy's trainings differ from the others' in shape and restart alone.
    """
    return cell.seed, cell.cycle
