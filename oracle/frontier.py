"""The jobs that are ready: cells without a record whose start state exists."""

import heapq
from collections import defaultdict
from itertools import count

from oracle.chain import Blocked, Chains, Losers, Waiting, Wanted
from oracle.worker import Job


class Frontier:
    """Walks the chains as records come in; SILO's own cells go first, since later cycles wait for them."""

    def __init__(self, chains: Chains) -> None:
        self._store = chains.store
        self._follow = chains.experiment.oracle.follow
        self._chains = chains.all()
        self._wanted: dict[str, Wanted] = {}
        self._ready: list[tuple[tuple[int, int, int], Job]] = []
        self._waiting: dict[str, list[Job]] = defaultdict(list)  # for the state of the cell that is the key
        self._order = count()
        self._poll()

    def next(self) -> Job | None:
        """A ready job, or None: wait for a running one, or, if none is running, done."""
        return heapq.heappop(self._ready)[1] if self._ready else None

    def finished(self, job: Job) -> None:
        """Call after a job was recorded, or failed, or was given up."""
        for waiting in self._waiting.pop(job.cell.id, []):
            if self._store.has_state(job.cell.id):
                self._push(waiting)
        if job.keeps_state:  # other cells decide nothing
            self._poll()

    def _poll(self) -> None:
        for chain in list(self._chains):
            for step in chain:
                if isinstance(step, Waiting):
                    break
                self._take(step)
            else:
                self._chains.remove(chain)

    def _take(self, step: Wanted | Losers | Blocked) -> None:
        if isinstance(step, Losers):
            for cell in step.cells:
                self._store.drop_state(cell.id)
        elif isinstance(step, Wanted) and step.cell.id not in self._wanted:
            self._wanted[step.cell.id] = step
            if self._store.record(step.cell.id) is None and self._store.failure(step.cell.id) is None:
                self._push(self._job(step, step.keeps_state(self._follow)))

    def _job(self, wanted: Wanted, keeps_state: bool) -> Job:
        return Job(wanted.cell, wanted.parent and wanted.parent.id, keeps_state)

    def _push(self, job: Job) -> None:
        if job.parent_id is None or self._store.has_state(job.parent_id):
            urgent = self._wanted[job.cell.id].chain or job.cell.id in self._waiting
            heapq.heappush(self._ready, ((not urgent, job.cell.cycle, next(self._order)), job))
            return
        # The parent is recorded but its state is gone (a former loser's, or its file was lost): train it once more,
        # just to have the state; its record stands.
        first = job.parent_id not in self._waiting
        self._waiting[job.parent_id].append(job)
        if first:
            self._push(self._job(self._wanted[job.parent_id], keeps_state=True))
