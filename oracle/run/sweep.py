"""Train the missing cells: on Ray Tune, or one after another in this process."""

import signal
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from oracle.experiment.compute import Compute
from oracle.run.progress import Progress
from oracle.run.ray.cluster import connected, slots
from oracle.run.ray.placement import placed
from oracle.run.ray.trainable import CellRunner, cell_training
from oracle.run.ready_queue import ReadyQueue
from oracle.study.store import Store


def sweep_here(frontier: ReadyQueue, worker: CellRunner, progress: Progress) -> None:
    """Train in this process, without Ray: for debugging, and where Ray can't be had. The records are the same.

    Raises what the worker raises: OSError where the run folder can't be written.
    """
    while jobs := frontier.next(worker.lanes):
        worker.run(*jobs)
        frontier.finished(*jobs)
        for job in jobs:
            progress.finished(job.cell)


def sweep_on_ray(
    frontier: ReadyQueue,
    begin: Callable[[Any], CellRunner],
    dataset: Any,
    compute: Compute,
    store: Store,
    progress: Progress,
    address: str | None = None,
) -> None:
    """Train on Ray, one started here or the cluster at an address: one Tune run feeds ready cells to workers that stay.

    begin  makes what trains, of the data set, once in every worker process; it is pickled

    Ends when no cell is ready any more, or in order (running cells end, no other begins) where that can't be reached. Raises
    then what is the matter: OSError where the run folder can't be written; InputError where the cluster won't have this driver,
    a worker can't begin, or a record is damaged.
    """
    with connected(compute, address):
        from ray import tune

        from oracle.run.ray.callbacks import Losses, WhereStuck
        from oracle.run.ray.searcher import ReadyCells

        searcher = ReadyCells(frontier, store, progress, lambda: slots(compute))
        trainable = tune.with_parameters(cell_training(), begin=begin, dataset=placed(dataset))
        with tempfile.TemporaryDirectory(prefix="silo-oracle-") as scratch, _ended_by_signals(searcher):
            tune.Tuner(
                tune.with_resources(trainable, {"cpu": compute.cpus_per_trial, "gpu": compute.gpus_per_trial}),
                tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1, reuse_actors=True),
                run_config=tune.RunConfig(
                    verbose=0,
                    storage_path=scratch,
                    callbacks=[Losses(searcher)],
                    stop=WhereStuck(searcher),
                    failure_config=tune.FailureConfig(max_failures=-1),  # the searcher knows when a cell is given up
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                ),
            ).fit()
        if searcher.error is not None:
            raise searcher.error


@contextmanager
def _ended_by_signals(searcher: Any) -> Iterator[None]:
    """Ctrl-C and SIGTERM end the sweep, also where the exception is lost (in a destructor of Ray's, say): in order, then."""

    def end(*signalled: Any) -> None:
        searcher.error = searcher.error or KeyboardInterrupt()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
