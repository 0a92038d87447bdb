"""Calibration: a few seconds of the study's own trainings, cut short, on this machine: what a whole one will take here."""

import io
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from rich.console import Console

from oracle.error import SweepError
from oracle.experiment.spec import Experiment
from oracle.plan.snapshot import Snapshot
from oracle.plan.trajectories import Trajectories
from oracle.run.calibration.cut import CutWorkerFactory, told
from oracle.run.problem import device
from oracle.run.progress import Progress
from oracle.run.ray.cluster import check
from oracle.run.ray.trainable import WorkerFactory
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.run.sweep import sweep_on_ray
from oracle.study.data_info import DataInfo
from oracle.study.environment import current_environment
from oracle.study.store import Store
from oracle.study.study import Study

CLOCKED = 3.0  # seconds that all workers measure side by side; where a step takes longer, as few steps as it needs
CUT = 1.5  # seconds of trainings cut to one step, once they have
# The share of epochs after which test is looked at, where the epoch is chosen on validation: whenever that has risen, and
# at the end. 46% in results/quickstart, 73% in results/cifar10-policies.
TESTED = 0.6

MEASURED = ("step", "epoch", "image", "gradient", "share")
BUSY = 0.9  # share of a core under which others are at work there


@dataclass(frozen=True)
class Speed:
    """Seconds, each measured in as many workers as the sweep would have, side by side.

    step, epoch, image, gradient  see oracle.run.calibration.cut.measured; share, too: of the time, no seconds
    cell    of a cell with one step and no more than one image anywhere: with all that its worker does until the next one
    begins  from the start of Ray until a worker trains, for each
    ends    from the last record until Ray is gone
    device  what was measured
    """

    step: float
    epoch: float
    image: float
    gradient: float
    share: float
    cell: float
    begins: tuple[float, ...]
    ends: float
    device: str

    def training(self, experiment: Experiment, data: DataInfo, tested: float = TESTED) -> float:
        """Seconds of one whole cell; data: its data's sizes; tested: the share of epochs after which test is looked at."""
        epochs = experiment.train.epochs
        per_epoch = experiment.recipe.steps_per_epoch(data.training_images)
        looks = epochs, max(1, tested * epochs)
        if experiment.train.choose == "test-best":  # as released: before and after every epoch
            looks = epochs + 1, epochs + 1
        images = looks[0] * data.validation_images + looks[1] * data.test_images
        more = (epochs * per_epoch - 1) * self.step + (epochs - 1) * self.epoch + (per_epoch - 1) * self.gradient
        return self.cell + more + images * self.image


class Moment(ReadyQueue):
    """A frontier that closes some seconds after the first cell has ended."""

    _until = float("inf")

    @property
    def ready(self) -> int:
        """How many jobs could start now; none any more once it is closed."""
        return 0 if self._closed else super().ready

    @property
    def more_to_come(self) -> bool:
        """Nothing, once it is closed."""
        return not self._closed and super().more_to_come

    def next(self, at_most: int = 1) -> list[Job]:
        """Ready jobs; none, too, once it is closed."""
        return [] if self._closed else super().next(at_most)

    def finished(self, *jobs: Job) -> None:
        """As ever; the first one sets the time."""
        self._until = min(self._until, time.monotonic() + CUT)
        super().finished(*jobs)

    @property
    def _closed(self) -> bool:
        return time.monotonic() > self._until


def calibrate(study: Study) -> Speed | None:
    """Measure on a private Ray with the sweep's own workers, in a temporary folder; None where no training is missing. The
    study's data must be loaded.

    Raises FieldError where this machine lacks what a training asks for, SweepError where no training could be measured.
    """
    experiment, digest = study.experiment, study.data.digest
    room = check(experiment.compute, None)
    if Snapshot.take(study).counts().missing == 0:
        return None
    with tempfile.TemporaryDirectory(prefix="silo-oracle-") as folder:
        store = Store(Path(folder))
        chains = Trajectories(experiment, digest, store)
        frontier = Moment(chains)
        workers = min(experiment.compute.workers or room, frontier.ready)
        beginning = WorkerFactory.of(experiment, digest, store)
        begin = CutWorkerFactory(beginning, chains.training, experiment.oracle.seeds[0], workers, CLOCKED)
        began = time.time()
        with Progress(Console(file=io.StringIO()), store, chains.training, frontier.ready, 0) as progress:
            sweep_on_ray(frontier, begin, study.dataset, experiment.compute, store, progress)
        ended = time.time()
        here, measured, cells = (told(store, event) for event in ("here", "measured", "cut"))
        failures = [entry["reason"] for entry in told(store, "failed")]
    if failures or not cells:
        raise SweepError(f"no training could be measured: {failures[0] if failures else 'every worker was lost'}")
    return Speed(
        **{name: fmean(one[name] for one in measured) for name in MEASURED},
        cell=fmean(entry["seconds"] for entry in cells),
        begins=tuple(sorted(entry["at"] - began for entry in here)),
        ends=ended - max(entry["at"] for entry in cells),
        device=current_environment(device(experiment))["device"],
    )
