"""Train the missing cells: on Ray Tune, or one after another in this process."""

import tempfile
from pathlib import Path
from typing import Any

from oracle.spec.experiment import Experiment
from oracle.spec.import_path import code_of
from oracle.spec.load import validate
from oracle.sweep.cluster import connected, workers_at_once
from oracle.sweep.frontier import Frontier
from oracle.sweep.progress import Progress
from oracle.sweep.store import Store
from oracle.sweep.worker import Job, Worker

WORKER_DEATHS = 3  # a trial whose worker process died is tried again so many times


def sweep_here(
    frontier: Frontier, experiment: Experiment, data_digest: str, store: Store, progress: Progress
) -> list[str]:
    """Train in this process, without Ray: for debugging, and where Ray can't be had. The records are the same.

    Returns no errors: a training's own error is recorded.
    """
    worker = Worker(experiment, data_digest, store)
    while (job := frontier.next()) is not None:
        worker.run(job)
        frontier.finished(job)
        progress.finished(job.cell)
    return []


def sweep_on_ray(
    frontier: Frontier,
    experiment: Experiment,
    data_digest: str,
    store: Store,
    progress: Progress,
    address: str | None = None,
) -> list[str]:
    """Train on Ray, one started here or the cluster at an address: one Tune run feeds ready cells to workers that stay.

    Returns the errors of trials that were given up (their worker died again and again). Raises InputError where the
    cluster won't have this driver.
    """
    compute = experiment.compute
    spec = experiment.model_dump(mode="json")
    resources = {"cpu": compute.cpus_per_trial, "gpu": compute.gpus_per_trial}
    with connected(compute, address):
        from ray import tune

        with tempfile.TemporaryDirectory(prefix="silo-oracle-") as scratch:
            study = {"spec": spec, "code": code_of(experiment), "digest": data_digest}
            study |= {"folder": store.folder.resolve(), "sweep": store.sweep}
            trainable = tune.with_parameters(_trainable(), **study)
            results = tune.Tuner(
                tune.with_resources(trainable, resources),
                tune_config=tune.TuneConfig(
                    search_alg=_searcher(frontier, progress),
                    num_samples=-1,
                    reuse_actors=True,
                    max_concurrent_trials=workers_at_once(compute),
                    metric="recorded",
                    mode="max",
                ),
                run_config=tune.RunConfig(
                    verbose=0,
                    storage_path=scratch,
                    failure_config=tune.FailureConfig(max_failures=WORKER_DEATHS),
                    checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False),
                ),
            ).fit()
            return [str(error).strip().splitlines()[-1] for error in results.errors]


def _trainable() -> type:
    from ray import tune

    class CellTraining(tune.Trainable):
        """A Tune trial trains one cell; its worker process goes on to the next with data and code in place."""

        def setup(
            self,
            config: dict[str, Any],
            spec: dict[str, Any],
            code: dict[str, str],
            digest: str,
            folder: Path,
            sweep: str,
        ) -> None:
            self.job = config["job"]
            experiment = validate(spec, "the driver's experiment")
            if code_of(experiment) != code:
                raise RuntimeError(f"the code of {', '.join(code)} has changed since the run was started")
            self.worker = Worker(experiment, digest, Store(folder, sweep))

        def reset_config(self, new_config: dict[str, Any]) -> bool:
            self.job = new_config["job"]
            return True

        def step(self) -> dict[str, Any]:
            self.worker.run(self.job)
            return {"recorded": 1, "done": True}

    return CellTraining


def _searcher(frontier: Frontier, progress: Progress) -> Any:
    from ray.tune.search import Searcher

    class ReadyCells(Searcher):
        """Suggests ready cells; Tune's own grid search can't wait for a start state."""

        def __init__(self, frontier: Frontier, progress: Progress) -> None:
            super().__init__(metric="recorded", mode="max")
            self.frontier, self.progress = frontier, progress
            self.running: dict[str, Job] = {}

        def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
            job = self.frontier.next()
            if job is None:
                return None if self.running else Searcher.FINISHED
            self.running[trial_id] = job
            return {"job": job}

        def on_trial_complete(self, trial_id: str, result: dict | None = None, error: bool = False) -> None:
            job = self.running.pop(trial_id)
            self.frontier.finished(job)
            self.progress.finished(job.cell)

        def save(self, checkpoint_path: str) -> None:
            """Nothing to save: what is done is what the run folder holds."""

        def restore(self, checkpoint_path: str) -> None:
            """Nothing to restore."""

        def __getstate__(self) -> dict[str, Any]:
            return {}  # Tune pickles its searcher; the frontier and the display stay here

    return ReadyCells(frontier, progress)
