"""What a worker does in a calibration: the study's own trainings, cut to one step, and a few seconds of clocked ones before."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch

from oracle.run.ray.trainable import WorkerFactory
from oracle.run.ready_queue import Job
from oracle.run.worker import Worker
from oracle.study.store import Store
from silo.criterion import Criterion, LayerInputs
from silo.cycle import Problem
from silo.data.split import Split
from silo.engine import train
from silo.evaluation import gradients
from silo.mask import Mask
from silo.randomness import Purpose, generator, seeded
from silo.restart import Restart, Weights
from silo.shape import Shape

SECONDS = (
    3.0  # of clocked training in every worker, all side by side; where a step takes longer, as few steps as it needs
)
ROUND = 0.2  # seconds that each kind of clocked training is sized to
EPOCHS = 9  # of the one that tells what an epoch costs beside its steps
PATIENCE = 60.0  # seconds that a worker waits for the others to begin


@dataclass(frozen=True)
class AsWhole:
    """A shape as it is over the whole training, however few steps and epochs the cut one has."""

    shape: Shape
    steps_per_epoch: int
    epochs: int

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """The whole training's factor at iteration t (from 1); after its last, from the first on."""
        return self.shape.factor((t - 1) % (self.steps_per_epoch * self.epochs) + 1, self.steps_per_epoch, self.epochs)


@dataclass(frozen=True)
class Early:
    """A restart that remembers after the first iteration what it would remember at all."""

    restart: Restart
    steps_per_epoch: int

    def initialization_cycle(self, cycle: int) -> int:
        """As the restart says."""
        return self.restart.initialization_cycle(cycle)

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """1, or None."""
        return None if self.restart.remember_at(cycle, self.steps_per_epoch) is None else 1

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """As the restart says."""
        return self.restart.carry(start, remembered, final)


def cut_split(split: Split, batch_size: int, batches: int, images: int) -> Split:
    """The split with so many full training batches (images come again where there are too few), so many images to validate
    on, and one to test on.
    """
    order = torch.arange(batches * batch_size) % len(split.train)
    return replace(split, train=split.train[order], validation=split.validation[:images], test=split.test[:1])


def cut(problem: Problem, whole: Split) -> Problem:
    """The problem with one step, one image to validate and one to test on: what a training costs beside those."""
    steps, small = problem.recipe.steps_per_epoch(len(whole.train)), cut_split(whole, problem.recipe.batch_size, 1, 1)
    recipe = replace(problem.recipe, epochs=1, shape=AsWhole(problem.recipe.shape, steps, problem.recipe.epochs))
    return replace(problem, data=lambda seed: small, recipe=recipe, restart=Early(problem.restart, steps))


def measured(problem: Problem, seed: int, seconds: float) -> dict[str, float]:
    """Seconds of a training step, of an epoch beside its steps and images, of evaluating an image, and of a batch of the
    gradient that the criterion asks for (0: it doesn't); share: of this time that the process had a core, on a CPU.

    By differences between trainings that have more of one and the same of the rest, taken in turn for so many seconds, each at
    least once: so what a training costs once is in none of them.
    """
    whole, recipe = problem.data(seed), problem.recipe
    steps = recipe.steps_per_epoch(len(whole.train))
    shape = AsWhole(recipe.shape, steps, recipe.epochs)
    with seeded(seed, Purpose.CALIBRATION):
        model = problem.build()
    dense = Mask.dense(problem.pruning.prunable(model))
    some = {
        name: torch.rand(layer.shape, generator=generator(seed, Purpose.CALIBRATION))
        for name, layer in dense.layers.items()
    }
    mask = dense.prune(some, problem.pruning.rate, problem.pruning.scope)

    def training(epochs: int, batches: int, images: int) -> Callable[[], Any]:
        data, one = cut_split(whole, recipe.batch_size, batches, images), replace(recipe, epochs=epochs, shape=shape)
        # at a rate of 0 no training diverges, and all cost the same
        return lambda: train(model, data, one, 0.0, mask, seed=seed, cycle=0)

    least = training(1, 1, 1)
    least()  # the first one ever takes longer
    fits = max(1, math.floor(ROUND / clocked(least)))  # the least one has a step and some more
    more, epochs = min(1 + fits, max(2, steps * recipe.epochs)), 1 + min(EPOCHS - 1, fits)
    images = min(1 + fits * recipe.batch_size, len(whole.validation))
    kinds = {"least": least, "steps": training(1, more, 1), "epochs": training(epochs, 1, 1)}
    if images > 1:
        kinds["images"] = training(1, 1, images)
    if asks_gradient(problem.pruning.criterion):
        some_batches = cut_split(whole, recipe.batch_size, more, 1)
        kinds["gradient"] = lambda: gradients(model, some_batches, recipe.batch_size)
    spent, rounds, until = dict.fromkeys(kinds, 0.0), 0, time.monotonic() + seconds
    computed = time.process_time()
    while rounds == 0 or time.monotonic() < until:
        rounds += 1
        for name, run in kinds.items():
            spent[name] += clocked(run)
    share = 1.0 if whole.mean.is_cuda else (time.process_time() - computed) / sum(spent.values())
    each = {name: total / rounds for name, total in spent.items()}
    step = max(0.0, (each["steps"] - each["least"]) / (more - 1))
    return {
        "step": step,
        "epoch": max(0.0, (each["epochs"] - each["least"]) / (epochs - 1) - step),
        "image": max(0.0, (each.get("images", 0.0) - each["least"]) / max(1, images - 1)),
        "gradient": each.get("gradient", 0.0) / more,
        "share": min(1.0, share),
    }


def clocked(run: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def asks_gradient(criterion: Criterion) -> bool:
    """Whether a criterion calls for the gradient."""
    asked = []

    def gradient() -> torch.Tensor:
        asked.append(True)
        return torch.ones(2, 2)

    criterion(LayerInputs(torch.ones(2, 2), torch.zeros(2, 2), generator(0, Purpose.CALIBRATION), gradient))
    return bool(asked)


class CutWorker:
    """CellRunner every cell cut to one step, as a worker trains it whole; before its first one it measures, together with the
    others. What it tells stands in the store's log of attempts.
    """

    def __init__(self, worker: Worker, training: str, seed: int, workers: int, seconds: float) -> None:
        self.worker, self.store, self.workers, self.seconds = worker, worker.store, workers, seconds
        self.whole, self.seed = worker.problems[training], seed
        split = self.whole.data(seed)
        worker.problems = {name: cut(problem, split) for name, problem in worker.problems.items()}
        self.lanes = worker.lanes
        self.ended: float | None = None

    def run(self, *jobs: Job) -> None:
        """Train them, cut; the time since the last ones ended is what they cost."""
        if self.ended is None:
            self.store.log_attempt(event="here")
            self._wait_for_the_others()
            self.store.log_attempt(event="measured", **measured(self.whole, self.seed, self.seconds))
            self.ended = time.perf_counter()
        self.worker.run(*jobs)
        began, self.ended = self.ended, time.perf_counter()
        self.store.log_attempt(event="cut", seconds=(self.ended - began) / len(jobs))

    def _wait_for_the_others(self) -> None:
        until = time.monotonic() + PATIENCE
        while len(told(self.store, "here")) < self.workers and time.monotonic() < until:
            time.sleep(0.02)


@dataclass(frozen=True)
class CutWorkerFactory:
    """Begins such a worker wherever a worker of the sweep would begin.

    training, seed  what is measured;  workers  how many wait for each other;  seconds  for so long
    """

    beginning: WorkerFactory
    training: str
    seed: int
    workers: int
    seconds: float

    def __call__(self, dataset: Any) -> CutWorker:
        """Raises InputError as the beginning does."""
        return CutWorker(self.beginning(dataset), self.training, self.seed, self.workers, self.seconds)


def told(store: Store, event: str) -> list[dict[str, Any]]:
    """What the workers have logged of one kind."""
    return [entry for entry in store.attempts() if entry.get("event") == event]
