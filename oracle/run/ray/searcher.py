"""The Tune Searcher that feeds ready jobs to warm workers, and hears of every job that ends."""

import math
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from ray.actor import ActorHandle
from ray.tune.search import Searcher

from oracle.error import SweepError
from oracle.run.failure_reason import reason_of_loss
from oracle.run.progress import Progress
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.study.store import Event, Store

MAX_RETRIES = 3  # of a training whose worker was lost while it trained nothing else
MAX_FAILED_STARTS = 10  # workers that are lost, one after the other, before they have begun
MAX_IDLE_SECONDS = 60.0  # until a worker that waits for jobs gives its place in the cluster back
CAPACITY_SECONDS = 1.0  # between two looks at the cluster's nodes, which come and go


class ReadyQueueSearcher(Searcher):
    """Suggests a trial for every worker that is wanted, and assigns it ready jobs, as many at once as it has lanes.

    A trial a training would cost the driver 20 ms and 50 kB each. And where one ends while the worker of another is starting,
    Tune gives that other the free worker and ends the starting one: with short trainings a cluster would never fill.

    Attributes:
        error: What has ended the run early: running trainings end, no other begins. Tune would wrap what its callbacks raise.
        stuck: Whether no worker can begin at all, however often Tune tries.
    """

    def __init__(self, queue: ReadyQueue, store: Store, progress: Progress, max_workers: Callable[[], int]) -> None:
        super().__init__()
        self._queue, self._store, self._progress = queue, store, progress
        self._max_workers = _cached(max_workers, CAPACITY_SECONDS)
        self._jobs: dict[str, list[Job]] = {}  # by trial: what its worker trains; nothing: it is idle, or hasn't begun
        self._workers: dict[str, ActorHandle] = {}
        self._lanes: dict[str, int] = {}
        self._losses: Counter[str] = Counter()
        self._failed_starts = 0
        self.error: BaseException | None = None
        self.stuck = False

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Suggest a trial where there are more ready jobs than workers to train them, and room for another worker."""
        idle = sum(not jobs for jobs in self._jobs.values())
        if self.error is not None or not (self._queue.ready or idle < len(self._jobs)):
            return Searcher.FINISHED
        if self._queue.ready <= idle or len(self._jobs) >= max(1, self._call_safely(self._max_workers) or 0):
            return None
        self._jobs[trial_id] = []
        return {}

    def on_trial_result(self, trial_id: str, result: dict[str, Any]) -> None:
        """Take in that a worker has begun, has finished its jobs, or is idle; assign it the next."""
        self._call_safely(self._handle_result, trial_id, result)
        self._call_safely(self._assign, trial_id, result.get("idle", 0.0))

    def on_trial_complete(self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False) -> None:
        """Take in that a worker has nothing more to do, or can't go on; after an error Tune calls on_trial_given_up."""
        if not error:
            self._call_safely(self._handle_result, trial_id, result)
            self._remove_worker(trial_id)

    def on_worker_lost(self, trial_id: str, message: str) -> None:
        """Take in that a trial's worker is gone; Tune starts another for it. message: Ray's, of the cause."""
        self._call_safely(self._handle_loss, trial_id, message)

    def on_trial_given_up(self, trial_id: str) -> None:
        """Take in that a trial's worker is gone, and Tune starts no other (a warm one was lost between two trials)."""
        self._call_safely(self._remove_worker, trial_id)

    def _call_safely(self, do: Callable[..., Any], *arguments: Any) -> Any:
        """Call it; keep what it raises as the error that ends the run."""
        try:
            return do(*arguments)
        except Exception as error:
            self.error = self.error or error

    def _handle_result(self, trial_id: str, result: dict[str, Any]) -> None:
        if "fatal" in result:
            # where none has begun nothing is under way: the others needn't start, only to say the same
            self.stuck = self.stuck or not self._workers
            raise result["fatal"]
        if "worker" in result:
            self._workers[trial_id], self._lanes[trial_id] = result["worker"], result["lanes"]
            self._failed_starts = 0
        jobs = self._jobs[trial_id]
        if jobs and result.get("cells") == [job.cell.id for job in jobs]:
            self._jobs[trial_id] = []
            self._finished(*jobs)

    def _finished(self, *jobs: Job) -> None:
        self._queue.finished(*jobs)
        for job in jobs:
            self._progress.finished(job.cell, job.purpose)

    def _assign(self, trial_id: str, idle: float) -> None:
        if self._jobs[trial_id]:
            return
        jobs = self._queue.next(self._share(trial_id)) if self.error is None else []
        if jobs:
            self._jobs[trial_id] = jobs
            self._workers[trial_id].assign.remote(jobs)
        elif self.error is not None or not self._queue.more_to_come or idle > MAX_IDLE_SECONDS:
            self._workers[trial_id].assign.remote([], last=True)

    def _share(self, trial_id: str) -> int:
        """Return how many jobs a worker gets: as many as it has lanes, and as leaves work for the others."""
        return min(self._lanes[trial_id], math.ceil(self._queue.ready / max(1, self._max_workers())))

    def _handle_loss(self, trial_id: str, message: str) -> None:
        if self._workers.pop(trial_id, None) is None:
            self._failed_starts += 1
        jobs, self._jobs[trial_id] = self._jobs[trial_id], []
        never_begins = "in its creation task" in message or "runtime environment" in message
        if never_begins or self._failed_starts == MAX_FAILED_STARTS:
            self.stuck = True
            raise SweepError(f"a worker can't begin: {reason_of_loss(message)}")
        if len(jobs) == 1:
            self._retry_or_fail(jobs[0], message)
        else:  # any of them may be the cause
            for job in jobs:
                self._queue.give_back(job, alone=True)

    def _retry_or_fail(self, job: Job, message: str) -> None:
        cell_id = job.cell.id
        self._losses[cell_id] += 1
        if self._losses[cell_id] <= MAX_RETRIES:
            self._queue.give_back(job)  # to whichever worker is free next: this trial's may find no room any more
            return
        reason = f"its worker was lost {self._losses[cell_id]} times, the last time {reason_of_loss(message)}"
        self._store.log_attempt(cell=cell_id, event=Event.FAILED, reason=reason)
        self._store.write_failure(cell_id, reason)
        self._finished(job)

    def _remove_worker(self, trial_id: str) -> None:
        self._workers.pop(trial_id, None)
        for job in self._jobs.pop(trial_id):
            self._queue.give_back(job)

    def save(self, checkpoint_path: str) -> None:
        """Save nothing: what is done is what the run folder holds."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune pickles its searcher; the queue and the display stay here


def _cached(function: Callable[[], int], seconds: float) -> Callable[[], int]:
    """Return a function that calls another at most once in so many seconds, and returns its last result meanwhile."""
    result, called_at = 0, float("-inf")

    def cached() -> int:
        nonlocal result, called_at
        if time.monotonic() - called_at >= seconds:
            result, called_at = function(), time.monotonic()
        return result

    return cached
