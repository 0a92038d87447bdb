"""Run what a study misses."""

from rich.console import Console

from oracle.plan.counts import tally
from oracle.run.local import train_here
from oracle.run.problem import device
from oracle.run.progress import Progress
from oracle.run.ray.resources import check_resources
from oracle.run.ray.sweep import train_on_ray
from oracle.run.ready_queue import ReadyQueue
from oracle.run.worker import Worker
from oracle.run.worker_factory import WorkerFactory
from oracle.study.environment import difference, environment
from oracle.study.study import Study, claimed


def run_study(study: Study, console: Console, local: bool, retry_failed: bool, address: str | None = None) -> bool:
    """Train every missing cell, in this process (local), on a private Ray, or on the one at an address.

    True where none failed and none is missing then. Raises InputError, before anything is written, where this machine, or the
    cluster, lacks what the experiment asks, or a record is damaged.
    """
    gpus = study.experiment.compute.gpus_per_trial
    if local:
        device(study.experiment)
    elif check_resources(study.experiment.compute, address) == 0:
        console.print("no node of the cluster has room for a training: waiting for one that has", highlight=False)
    tally(study.chains)  # reads the records: a damaged one is told before anything is written
    with claimed(study):
        if retry_failed:
            study.store.forget_failures()
        before = tally(study.chains)
        if before.count("missing") == 0:
            failed = before.count("failed")
            again = f", {failed} failed; --retry-failed tries them again" * (failed > 0)
            told = f"nothing to train: {before.recorded} of {before.total} cells are recorded{again}"
            console.print(told, highlight=False)
            return failed == 0
        most = "at most " * before.at_most
        console.print(f"training {most}{before.count('missing')} of {before.total} cells", highlight=False)
        # what GPUs the nodes of a cluster have shows in their records: the report at the end tells
        if (address is None or not gpus) and (
            other := difference(environment(device(study.experiment)), before.records)
        ):
            told = f"this machine's environment differs from that of the records there: {other}"
            console.print(told, highlight=False)
        frontier = ReadyQueue(study.chains)
        with Progress(console, study.chains, before.total, before.recorded) as progress:
            experiment, digest, store = study.experiment, study.data["digest"], study.store
            if local:
                train_here(frontier, Worker(experiment, study.dataset, digest, store), progress)
            else:
                make_worker = WorkerFactory.of(experiment, digest, store)
                train_on_ray(frontier, make_worker, study.dataset, experiment.compute, store, progress, address)
        # now the total is exact: where chains came to the same cells, it is smaller than before
        after = tally(study.chains)
        console.print(f"{after.recorded} of {after.total} cells are recorded", highlight=False)
        return after.count("failed", "missing") == 0
