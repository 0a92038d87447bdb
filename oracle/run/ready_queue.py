"""The jobs that are ready: cells without a record whose start state exists."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import count

from oracle.plan.steps import Blocked, Pending, ReleaseState, Request, Skipped, Step
from oracle.plan.trajectories import Trajectories
from oracle.run.worker import Job
from oracle.study.cell import Cell


def _group(cell: Cell) -> tuple[str, int, int]:
    """What cells share that are trained side by side: they see the same batches."""
    return cell.training, cell.seed, cell.cycle


class ReadyQueue:
    """Walks the chains as records come in; cells of a chain go first, since later cycles wait for them."""

    def __init__(self, chains: Trajectories) -> None:
        self._store = chains.store
        self._follow = chains.experiment.oracle.follow
        self._wanted: dict[str, Request] = {}
        self._claims: Counter[str] = Counter()  # chains that may yet go on from the state that a cell leaves
        self._ready: list[tuple[tuple[bool, int, int], str]] = []
        self._stateless: dict[str, list[str]] = defaultdict(
            list
        )  # cells that wait for the state of the cell that is the key
        self._chains: dict[str, list[Iterator[Step]]] = defaultdict(
            list
        )  # those that wait for the cell that is the key
        self._alone: set[str] = set()
        self._order = count()
        self._walk(chains.all())

    @property
    def ready(self) -> int:
        """How many jobs could start now."""
        return len(self._ready)

    @property
    def more_to_come(self) -> bool:
        """Whether others may be ready once those that are under way have finished."""
        return bool(self._chains or self._stateless)

    def next(self, at_most: int = 1) -> list[Job]:
        """Ready jobs that can be trained side by side: of one training, seed and cycle.

        Where it gives none, wait for a running one; if none is running, all is done.
        """
        if not self._ready:
            return []
        first = heapq.heappop(self._ready)[1]
        pack = [first, *self._beside(first, at_most - 1)]
        return [self._job(cell_id) for cell_id in pack]

    def _beside(self, first: str, at_most: int) -> list[str]:
        """Takes others that can be trained beside a cell. One whose worker was lost is trained alone: it may be the cause."""
        if at_most < 1 or first in self._alone:
            return []
        beside = _group(self._wanted[first].cell)
        found = [
            entry
            for entry in self._ready
            if entry[1] not in self._alone and _group(self._wanted[entry[1]].cell) == beside
        ]
        taken = {cell_id for _, cell_id in heapq.nsmallest(at_most, found)}
        self._ready = [entry for entry in self._ready if entry[1] not in taken]
        heapq.heapify(self._ready)
        return sorted(taken, key=lambda cell_id: self._wanted[cell_id].cell.max_lr)

    def _job(self, cell_id: str) -> Job:
        wanted = self._wanted[cell_id]
        needs_state = self._claims[cell_id] > 0 or cell_id in self._stateless
        return Job(wanted.cell, wanted.parent and wanted.parent.id, needs_state)

    def give_back(self, job: Job, alone: bool = False) -> None:
        """A job that wasn't finished is ready again; alone: from now on it is trained beside no other."""
        if alone:
            self._alone.add(job.cell.id)
        self._push(job.cell.id)

    def finished(self, *jobs: Job) -> None:
        """Call after jobs were recorded, or failed, or were given up."""
        for job in jobs:
            for waiting in self._stateless.pop(job.cell.id, []):
                if self._store.has_state(job.cell.id):
                    self._push(waiting)
        for job in jobs:
            self._walk(self._chains.pop(job.cell.id, []))

    def _walk(self, chains: list[Iterator[Step]]) -> None:
        """Each as far as it goes."""
        for chain in chains:
            for step in chain:
                if isinstance(step, Pending):
                    self._chains[step.cell.id].append(chain)
                    break
                self._take_in(step)

    def _take_in(self, step: Request | ReleaseState | Blocked | Skipped) -> None:
        if isinstance(step, ReleaseState):
            for cell in step.cells:
                self._claims[cell.id] -= 1
                if self._claims[cell.id] == 0:
                    self._store.drop_state(cell.id)
        elif isinstance(step, Request):
            cell_id = step.cell.id
            self._claims[cell_id] += step.keeps_state(self._follow)
            if cell_id not in self._wanted:
                self._wanted[cell_id] = step
                if self._store.record(cell_id) is None and self._store.failure(cell_id) is None:
                    self._push(cell_id)

    def _push(self, cell_id: str) -> None:
        wanted = self._wanted[cell_id]
        parent = wanted.parent
        if parent is None or self._store.has_state(parent.id):
            urgent = bool(wanted.chain or wanted.policy or cell_id in self._stateless)
            heapq.heappush(self._ready, ((not urgent, wanted.cell.cycle, next(self._order)), cell_id))
            return
        # The parent is recorded but its state is gone (a former loser's, or its file was lost): train it once more,
        # just to have the state; its record stands.
        first = parent.id not in self._stateless
        self._stateless[parent.id].append(cell_id)
        if first:
            self._push(parent.id)
