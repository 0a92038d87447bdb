"""Train the missing trainings on Ray: one Tune run feeds what is ready to workers that stay."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from oracle.experiment.compute import Compute
from oracle.run.progress import Progress
from oracle.run.ray.cluster import connected
from oracle.run.ray.object_store import put_in_object_store
from oracle.run.ray.private_actor_manager import patch_actor_manager
from oracle.run.ray.resources import max_workers
from oracle.run.ray.trainable import worker_trainable
from oracle.run.ready_queue import ReadyQueue
from oracle.run.scratch import scratch_folder
from oracle.run.worker_factory import CellRunner
from oracle.study.store import Store


def train_on_ray(
    queue: ReadyQueue,
    make_worker: Callable[[Any], CellRunner],
    dataset: Any,
    compute: Compute,
    store: Store,
    progress: Progress,
    address: str | None = None,
) -> None:
    """Train until nothing is ready any more, or in order (running trainings end, no other begins) until that can't be done.

    Args:
        queue: The trainings to do.
        make_worker: Makes what trains, of the data, once in every worker process; it is pickled.
        dataset: The data; it goes to each node once.
        compute: What a training needs, and how many run at once.
        store: Gets the failures of trainings whose workers are lost.
        progress: Shows every training that has ended.
        address: Of a running cluster (HOST:PORT or auto); None: a private Ray is started here, and ends with the run.

    Raises:
        OSError: The run folder can't be written.
        InputError: The cluster won't have this driver, or a record is damaged.
        SweepError: A worker can't begin.
    """
    with connected(compute, address):
        from ray import tune

        from oracle.run.ray.lost_workers import LostWorkerCallback, NoWorkerBegins, StopWhenStuck
        from oracle.run.ray.searcher import ReadyQueueSearcher

        patch_actor_manager()
        searcher = ReadyQueueSearcher(queue, store, progress, lambda: max_workers(compute))
        trainable = tune.with_parameters(
            worker_trainable(), make_worker=make_worker, dataset=put_in_object_store(dataset)
        )
        with scratch_folder() as scratch, _ended_by_signals(searcher), suppress(NoWorkerBegins):
            tune.Tuner(
                tune.with_resources(trainable, {"cpu": compute.cpus_per_trial, "gpu": compute.gpus_per_trial}),
                tune_config=tune.TuneConfig(search_alg=searcher, num_samples=-1, reuse_actors=True),
                run_config=tune.RunConfig(
                    verbose=0,
                    storage_path=str(scratch),
                    callbacks=[LostWorkerCallback(searcher)],
                    stop=StopWhenStuck(searcher),
                    failure_config=tune.FailureConfig(max_failures=-1),  # the searcher knows when to give up
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                ),
            ).fit()
        if searcher.error is not None:
            raise searcher.error


@contextmanager
def _ended_by_signals(searcher: Any) -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the run, in order even where the exception is lost (in a destructor of Ray's, say)."""

    def end(*_: Any) -> None:
        searcher.error = searcher.error or KeyboardInterrupt()
        raise KeyboardInterrupt

    before = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
