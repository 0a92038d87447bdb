"""Train the missing trainings one after another in this process, without Ray."""

from collections.abc import Callable, Sequence

import torch

from oracle.error import SweepError
from oracle.run.progress import Progress
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.run.worker_factory import CellRunner
from oracle.study.store import Event, Store


def train_here(queue: ReadyQueue, make_worker: Callable[[], CellRunner], progress: Progress, store: Store) -> None:
    """Train all that becomes ready, in this process: for debugging, and where Ray can't be had. The records are the same.

    A training that lost the device is recorded as failed, so that the next run goes on with the others; of several side by side
    it isn't known which one did, so that the next run trains each by itself.

    Args:
        queue: The trainings to do; it is empty afterwards.
        make_worker: Makes what trains and records up to its ``lanes`` of them at once.
        progress: Shows every training that has ended.
        store: Gets the failure of a training that lost the device.

    Raises:
        OSError: The run folder can't be written.
        InputError: A record or a start state is damaged.
        SweepError: The device is lost, or too small for the data.
    """
    try:
        worker = make_worker()
    except (torch.AcceleratorError, torch.OutOfMemoryError) as error:
        raise SweepError(f"a worker can't begin: {type(error).__name__}: {_first_line(error)}") from error
    queue.train_alone(entry["cell"] for entry in store.attempts() if entry.get("device_lost"))
    while jobs := queue.next(worker.lanes):
        try:
            worker.run(*jobs)
        except torch.AcceleratorError as error:
            raise SweepError(_record_loss(jobs, error, store)) from error
        queue.finished(*jobs)
        for job in jobs:
            progress.finished(job.cell, job.purpose)


def _record_loss(jobs: Sequence[Job], error: torch.AcceleratorError, store: Store) -> str:
    """Record that these jobs lost the device; returns what to say of it."""
    missing = [job.cell for job in jobs if store.record(job.cell.id) is None]
    reason = f"the device was lost: {_first_line(error)}"
    for cell in missing:
        store.log_attempt(cell=cell.id, event=Event.FAILED, reason=reason, device_lost=True)
    if len(missing) != 1:
        return f"{reason}; of {len(missing)} trainings side by side each is trained by itself next time"
    (cell,) = missing
    store.write_failure(cell.id, f"{reason}; `run --retry-failed` tries it again")
    return f"{reason}; the training of cycle {cell.cycle}, seed {cell.seed}, max_lr {cell.max_lr:g} counts as failed"


def _first_line(error: BaseException) -> str:
    """The error's text without torch's advice on debugging."""
    return next(iter(str(error).strip().splitlines()), "no reason")
