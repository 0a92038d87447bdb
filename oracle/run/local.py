"""Train the missing trainings one after another in this process, without Ray."""

from oracle.run.progress import Progress
from oracle.run.ready_queue import ReadyQueue
from oracle.run.worker_factory import CellRunner


def train_here(queue: ReadyQueue, worker: CellRunner, progress: Progress) -> None:
    """Train all that becomes ready, in this process: for debugging, and where Ray can't be had. The records are the same.

    Args:
        queue: The trainings to do; it is empty afterwards.
        worker: Trains and records up to ``worker.lanes`` of them at once.
        progress: Shows every training that has ended.

    Raises:
        OSError: The run folder can't be written.
        InputError: A record or a start state is damaged.
    """
    while jobs := queue.next(worker.lanes):
        worker.run(*jobs)
        queue.finished(*jobs)
        for job in jobs:
            progress.finished(job.cell)
