"""What the driver of a run gives its worker processes, so that each can make a worker like the driver's own."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from oracle.error import InputError
from oracle.experiment.import_path import code_of
from oracle.experiment.load import validate
from oracle.experiment.spec import Experiment
from oracle.run.ready_queue import Job
from oracle.run.worker import Worker
from oracle.study.store import Store
from silo.data.images import Dataset


class CellRunner(Protocol):
    """Whatever trains jobs and records the result of each.

    Attributes:
        lanes: The most jobs that it takes at once.
    """

    lanes: int

    def run(self, *jobs: Job) -> None:
        """Train these jobs, all of one seed and cycle, and record each."""


@dataclass(frozen=True)
class WorkerFactory:
    """Makes a worker in another process or on another node; it is pickled on the way there.

    Attributes:
        experiment: The experiment as its JSON.
        code: Digests of the user's modules that the experiment imports, by module.
        data_digest: Digest of the data set.
        run_folder: Where records go; every node must see it.
        sweep: Id of this run, for the log of attempts.
        working_folder: The driver's working folder; every node must see it.
    """

    experiment: dict[str, Any]
    code: dict[str, str]
    data_digest: str
    run_folder: Path
    sweep: str
    working_folder: Path

    @classmethod
    def of(cls, experiment: Experiment, data_digest: str, store: Store) -> "WorkerFactory":
        """Return the factory for a run that this process drives."""
        spec, code = experiment.model_dump(mode="json"), code_of(experiment)
        return cls(spec, code, data_digest, store.folder.resolve(), store.sweep, Path.cwd())

    def __call__(self, dataset: Dataset) -> Worker:
        """Make the worker in this process, whose working folder becomes the driver's.

        Raises:
            InputError: This node isn't like the driver's: a folder is missing, the code is another, or there is no such device.
        """
        for folder, kind in ((self.run_folder, "run folder"), (self.working_folder, "working folder")):
            if not folder.is_dir():
                raise InputError(
                    f"the {kind} must be on a file system that all nodes share, got {folder}: it is missing here"
                )
        # relative paths count from there, and so do modules that the experiment imports
        os.chdir(self.working_folder)
        experiment = validate(self.experiment, "the driver's experiment")
        if code_of(experiment) != self.code:
            raise InputError(f"the code of {', '.join(self.code)} must be what the run was started with, got another")
        return Worker(experiment, dataset, self.data_digest, Store(self.run_folder, self.sweep))
