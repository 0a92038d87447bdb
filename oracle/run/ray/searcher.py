"""The Tune Searcher that feeds ready cells to warm workers, and hears of every cell that ends."""

import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ray.actor import ActorHandle
from ray.tune.search import Searcher

from oracle.error import SweepError
from oracle.run.failure import reason_of_loss
from oracle.run.progress import Progress
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.study.store import Store

LOSSES = 3  # of the worker that trains a cell: so often it is tried again
FALSE_STARTS = 10  # workers that are lost, one after the other, before they have begun
LONGEST_IDLE = 60.0  # seconds until a worker that waits for cells gives its place in the cluster back
SECONDS_BETWEEN_LOOKS = 1.0  # at the cluster's nodes, which come and go


class ReadyCells(Searcher):
    """Suggests a trial for every worker that is wanted, and assigns it ready cells, as many at once as it has lanes.

    A trial a cell would cost the driver 20 ms and 50 kB each. And where one ends while the worker of another is starting,
    Tune gives that other the free worker and ends the starting one: with short trainings a cluster would never fill.

    slots  tells how many workers there is room for now
    error  what has ended the sweep early: running cells end, no other begins. Tune would wrap what its callbacks raise
    stuck  whether no worker can begin at all, however often Tune tries
    """

    def __init__(self, frontier: ReadyQueue, store: Store, progress: Progress, slots: Callable[[], int]) -> None:
        super().__init__()
        self._frontier, self._store, self._progress = frontier, store, progress
        self._slots = _remembered(slots, SECONDS_BETWEEN_LOOKS)
        self._jobs: dict[str, list[Job]] = {}  # by trial: what its worker trains; nothing: it is idle, or not there yet
        self._workers: dict[str, ActorHandle] = {}
        self._lanes: dict[str, int] = {}
        self._losses: Counter[str] = Counter()
        self._false_starts = 0
        self.error: BaseException | None = None
        self.stuck = False

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """A trial, where there are more ready cells than workers to train them, and room for another worker."""
        idle = sum(not jobs for jobs in self._jobs.values())
        if self.error is not None or not (self._frontier.ready or idle < len(self._jobs)):
            return Searcher.FINISHED
        if self._frontier.ready <= idle or len(self._jobs) >= max(1, self._guarded(self._slots) or 0):
            return None
        self._jobs[trial_id] = []
        return {}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """A worker has begun, has finished a cell, or is idle."""
        self._guarded(self._heard, trial_id, result)
        self._guarded(self._assign, trial_id, result.get("idle", 0.0))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """A worker has nothing more to do, or can't go on; of an error on_trial_given_up tells."""
        if not error:
            self._guarded(self._heard, trial_id, result)
            self._gone(trial_id)

    def on_worker_lost(self, trial_id: str, told: str) -> None:
        """A trial's worker is gone; Tune starts another for it. told: what Ray says of it."""
        self._guarded(self._lost, trial_id, told)

    def on_trial_given_up(self, trial_id: str) -> None:
        """A trial's worker is gone, and Tune starts no other for it (a warm one was lost between two trials)."""
        self._guarded(self._gone, trial_id)

    def _guarded(self, do: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return do(*arguments)
        except Exception as error:
            self.error = self.error or error

    def _heard(self, trial_id: str, result: dict[str, Any]) -> None:
        if "halt" in result:
            raise result["halt"]
        if "worker" in result:
            self._workers[trial_id], self._lanes[trial_id], self._false_starts = result["worker"], result["lanes"], 0
        jobs = self._jobs[trial_id]
        if jobs and result.get("cells") == [job.cell.id for job in jobs]:
            self._jobs[trial_id] = []
            self._finished(*jobs)

    def _finished(self, *jobs: Job) -> None:
        self._frontier.finished(*jobs)
        for job in jobs:
            self._progress.finished(job.cell)

    def _assign(self, trial_id: str, idle: float) -> None:
        if self._jobs[trial_id]:
            return
        jobs = [] if self.error is not None else self._frontier.next(self._share(trial_id))
        if jobs:
            self._jobs[trial_id] = jobs
            self._workers[trial_id].assign.remote(jobs)
        elif self.error is not None or not self._frontier.more_to_come or idle > LONGEST_IDLE:
            self._workers[trial_id].assign.remote([], over=True)

    def _share(self, trial_id: str) -> int:
        """As many cells at once as the worker has lanes, and as leaves work for the others."""
        return min(self._lanes[trial_id], math.ceil(self._frontier.ready / max(1, self._slots())))

    def _lost(self, trial_id: str, told: str) -> None:
        self._false_starts += self._workers.pop(trial_id, None) is None
        jobs, self._jobs[trial_id] = self._jobs[trial_id], []
        if "in its creation task" in told or "runtime environment" in told or self._false_starts == FALSE_STARTS:
            self.stuck = True
            raise SweepError(f"a worker can't begin: {reason_of_loss(told)}")
        for job in jobs:
            if len(jobs) > 1:  # any of them may be the cause
                self._frontier.give_back(job, alone=True)
            else:
                self._lost_alone(job, told)

    def _lost_alone(self, job: Job, told: str) -> None:
        cell_id = job.cell.id
        self._losses[cell_id] += 1
        if self._losses[cell_id] <= LOSSES:
            self._frontier.give_back(job)  # to whichever worker asks next: this trial's may find no room any more
            return
        reason = f"its worker was lost {self._losses[cell_id]} times, the last time {reason_of_loss(told)}"
        self._store.log_attempt(cell=cell_id, event="failed", reason=reason)
        self._store.write_failure(cell_id, reason)
        self._finished(job)

    def _gone(self, trial_id: str) -> None:
        self._workers.pop(trial_id, None)
        for job in self._jobs.pop(trial_id):
            self._frontier.give_back(job)

    def save(self, checkpoint_path: str) -> None:
        """Nothing to save: what is done is what the run folder holds."""

    def restore(self, checkpoint_path: str) -> None:
        """Nothing to restore."""

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its searcher; the frontier and the display stay here


def _remembered(look: Callable[[], int], seconds: float) -> Callable[[], int]:
    """What a look told, for some seconds."""
    seen, at = 0, float("-inf")

    def remembered() -> int:
        nonlocal seen, at
        if time.monotonic() - at >= seconds:
            seen, at = look(), time.monotonic()
        return seen

    return remembered
