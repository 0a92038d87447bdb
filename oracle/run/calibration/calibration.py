"""Calibration: some seconds of the study's own trainings, shortened, on this machine: how long a whole one will take here."""

import io
import time
from dataclasses import asdict, dataclass, fields
from statistics import fmean

from rich.console import Console

from oracle.error import SweepError
from oracle.experiment.spec import Experiment
from oracle.plan.snapshot import Snapshot
from oracle.plan.trajectories import Trajectories
from oracle.run.calibration.costs import Costs
from oracle.run.calibration.forecast import PackTime
from oracle.run.calibration.shortened_worker import BEGAN, MEASURED, SHORTENED, ShortenedWorkerFactory, entries_of
from oracle.run.local import train_here
from oracle.run.problem import device
from oracle.run.progress import Progress
from oracle.run.ray.resources import check_this_machine, has_ray
from oracle.run.ray.sweep import train_on_ray
from oracle.run.ready_queue import Job, ReadyQueue
from oracle.run.scratch import scratch_folder
from oracle.run.worker_factory import WorkerFactory
from oracle.study.data_info import DataInfo
from oracle.study.environment import current_environment
from oracle.study.store import Event, Store
from oracle.study.study import Study

MEASURING_SECONDS = 3.0  # that all workers measure side by side; where a step takes longer, as few steps as it needs
SHORTENED_SECONDS = 1.5  # of shortened trainings afterwards
# The share of epochs after which test is evaluated, where the epoch is chosen on validation: whenever that has risen, and at
# the end. 46% in results/digits-mlp, 73% in results/cifar10-policies.
TESTED_SHARE = 0.6
BUSY_SHARE = 0.9  # share of a core below which others are at work there


@dataclass(frozen=True)
class MeasuredSpeed(Costs):
    """Seconds, each a mean over as many workers as the run would have, side by side.

    Attributes:
        shortest_training: Time of a training with one step and at most one image to evaluate, until the next one begins.
        worker_starts: Time from the start of Ray until a worker trains, for each worker, rising.
        shutdown: Time from the last record until Ray is gone.
        device: What was measured.
        lanes: How many trainings a worker takes side by side; each has its share of all times above.
        lone_step: Time of a step of a training beside no other; None where that is ``step``.
    """

    shortest_training: float
    worker_starts: tuple[float, ...]
    shutdown: float
    device: str
    lanes: int = 1
    lone_step: float | None = None

    def training_seconds(self, experiment: Experiment, data: DataInfo, tested_share: float = TESTED_SHARE) -> float:
        """Return the seconds of one whole training.

        Args:
            experiment: Whose training it is.
            data: The sizes of its data.
            tested_share: Share of the epochs, 0 to 1, after which test is evaluated.
        """
        epochs = experiment.train.epochs
        steps_per_epoch = experiment.recipe.steps_per_epoch(data.training_images)
        validated, tested = epochs, max(1, tested_share * epochs)
        if experiment.train.choose == "test-best":  # as released: before and after every epoch
            validated = tested = epochs + 1
        images = validated * data.validation_images + tested * data.test_images
        return (
            self.shortest_training
            + (epochs * steps_per_epoch - 1) * self.step
            + (epochs - 1) * self.epoch
            + (steps_per_epoch - 1) * self.gradient
            + images * self.image
        )

    def pack_time(self, experiment: Experiment, data: DataInfo, tested_share: float = TESTED_SHARE) -> PackTime:
        """Return the time of whole trainings side by side; the arguments are those of :meth:`training_seconds`."""
        share = self.training_seconds(experiment, data, tested_share)
        lone_step = self.step if self.lone_step is None else self.lone_step
        steps = experiment.train.epochs * experiment.recipe.steps_per_epoch(data.training_images)
        return PackTime(share + (steps - 1) * max(0.0, lone_step - self.step), share, self.lanes)


class TimeLimitedQueue(ReadyQueue):
    """A queue that closes some seconds after the first training has ended: from then on it is empty."""

    _closes_at = float("inf")

    @property
    def ready(self) -> int:
        """How many jobs could start now."""
        return 0 if self._is_closed else super().ready

    @property
    def more_to_come(self) -> bool:
        """Whether others may be ready once those that are under way have finished."""
        return not self._is_closed and super().more_to_come

    def next(self, at_most: int = 1) -> list[Job]:
        """Return ready jobs that can be trained side by side."""
        return [] if self._is_closed else super().next(at_most)

    def finished(self, *jobs: Job) -> None:
        """Take in that jobs have ended; the first ones set the time when the queue closes."""
        self._closes_at = min(self._closes_at, time.monotonic() + SHORTENED_SECONDS)
        super().finished(*jobs)

    @property
    def _is_closed(self) -> bool:
        return time.monotonic() > self._closes_at


def calibrate(study: Study) -> MeasuredSpeed | None:
    """Measure on a private Ray with the run's own workers, in a temporary folder; None where no training is missing.

    Where there is no Ray, one worker in this process is measured: what `run --local` takes.

    Args:
        study: Its data must be loaded.

    Raises:
        FieldError: This machine lacks what a training needs.
        SweepError: No training could be measured.
    """
    experiment, digest = study.experiment, study.data.digest
    with_ray = has_ray()
    room = check_this_machine(experiment.compute)
    if Snapshot.take(study).counts().missing == 0:
        return None
    with scratch_folder() as folder:
        store = Store(folder)
        trajectories = Trajectories(experiment, study.data, store)
        queue = TimeLimitedQueue(trajectories)
        workers = min(experiment.compute.workers or room, queue.ready) if with_ray else 1
        make_worker = ShortenedWorkerFactory(
            WorkerFactory.of(experiment, digest, store),
            trajectories.training,
            experiment.oracle.seeds[0],
            workers,
            MEASURING_SECONDS,
        )
        started = time.time()
        with Progress(Console(file=io.StringIO()), trajectories, queue.ready, 0) as progress:
            if with_ray:
                train_on_ray(queue, make_worker, study.dataset, experiment.compute, store, progress)
            else:
                train_here(queue, lambda: make_worker(study.dataset), progress, store)
        ended = time.time()
        began, measured, shortened = (entries_of(store, event) for event in (BEGAN, MEASURED, SHORTENED))
        failures = [entry["reason"] for entry in entries_of(store, Event.FAILED)]
    if failures or not shortened:
        raise SweepError(f"no training could be measured: {failures[0] if failures else 'every worker was lost'}")
    costs = Costs(**{field.name: fmean(one[field.name] for one in measured) for field in fields(Costs)})
    return MeasuredSpeed(
        **asdict(costs),
        shortest_training=fmean(entry["seconds"] for entry in shortened),
        worker_starts=tuple(sorted(entry["at"] - started for entry in began)),
        shutdown=ended - max(entry["at"] for entry in shortened),
        device=current_environment(device(experiment))["device"],
        lanes=min(one["lanes"] for one in measured),
        lone_step=fmean(lone) if (lone := [one["lone_step"] for one in measured if one["lone_step"]]) else None,
    )
