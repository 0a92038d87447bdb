"""Run what a study misses."""

from rich.console import Console

from oracle.experiment.search import SearchKind
from oracle.plain_text import one_line
from oracle.plan.snapshot import Snapshot
from oracle.plan.trajectories import Trajectories
from oracle.run.local import train_here
from oracle.run.optional import require
from oracle.run.problem import device
from oracle.run.progress import Progress
from oracle.run.ray.resources import check_resources, idle_gpus, require_ray
from oracle.run.ray.sweep import train_on_ray
from oracle.run.ready_queue import ReadyQueue
from oracle.run.trial import check_training
from oracle.run.worker import Worker
from oracle.run.worker_factory import WorkerFactory
from oracle.study.environment import current_environment, difference
from oracle.study.study import Study, claimed


def run_study(study: Study, console: Console, local: bool, retry_failed: bool, address: str | None = None) -> bool:
    """Train every missing training, in this process (local), on a private Ray, or on the one at an address.

    Args:
        study: opened with its data.
        console: where progress is shown.
        local: train in this process, one after another.
        retry_failed: try trainings again that failed with an error.
        address: of a running Ray cluster, HOST:PORT or "auto"; None: a private Ray.

    Returns:
        Whether none failed and none is missing then.

    Raises:
        InputError: before anything is written, where this machine, or the cluster, lacks what the experiment requests, a
            record is damaged, or the network, tried on a batch, fails.
    """
    _check_resources(study, console, local, address)
    missing = Snapshot.take(study).counts().missing  # a damaged record is refused before anything is written
    if not local and (missing or retry_failed):
        require_ray()
    check_training(study)
    with claimed(study):
        if retry_failed:
            study.store.forget_failures()
        before = Snapshot.take(study)
        counts = before.counts()
        if counts.missing == 0:
            again = f", {counts.failed} failed; --retry-failed tries them again" if counts.failed else ""
            message = f"nothing to train: {counts.recorded} of {counts.total} trainings are recorded{again}"
            console.print(message, highlight=False, soft_wrap=True)
            return counts.failed == 0
        if study.left_out:
            console.print(f"data: {one_line(study.left_out)}", highlight=False, markup=False, soft_wrap=True)
        most = "at most " if counts.at_most else ""
        console.print(f"training {most}{counts.missing} of {counts.total} trainings", highlight=False, soft_wrap=True)
        # what GPUs the nodes of a cluster have shows in their records: the report at the end says so
        if (address is None or not study.experiment.compute.gpus_per_trial) and (
            other := difference(current_environment(device(study.experiment)), before.records)
        ):
            message = f"this machine's environment differs from that of the records there: {other}"
            console.print(one_line(message), highlight=False, markup=False, soft_wrap=True)
        trajectories = Trajectories.of(study)
        with Progress(console, trajectories, counts.total, counts.recorded) as progress:
            _train(study, ReadyQueue(trajectories), progress, local, address)
        # now the total is exact: where trajectories came to the same cells, it is smaller than before
        after = Snapshot.take(study).counts()
        console.print(f"{after.recorded} of {after.total} trainings are recorded", highlight=False, soft_wrap=True)
        return after.failed == after.missing == 0


def _check_resources(study: Study, console: Console, local: bool, address: str | None) -> None:
    if study.experiment.oracle.search.kind is SearchKind.ADAPTIVE:
        require("optuna", "optuna", "where oracle.search is adaptive")
    if local:
        device(study.experiment)
    elif check_resources(study.experiment.compute, address) == 0:
        console.print(
            "no node of the cluster has room for a training: waiting for one that has", highlight=False, soft_wrap=True
        )
    elif address is None and (line := idle_gpus(study.experiment.compute)):
        console.print(line, highlight=False, soft_wrap=True)


def _train(study: Study, queue: ReadyQueue, progress: Progress, local: bool, address: str | None) -> None:
    experiment, store = study.experiment, study.store
    if local:
        train_here(queue, lambda: Worker(experiment, study.dataset, study.data.digest, store), progress, store)
    else:
        factory = WorkerFactory.of(experiment, study.data.digest, store)
        train_on_ray(queue, factory, study.dataset, experiment.compute, store, progress, address)
