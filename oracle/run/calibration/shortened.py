"""A study's training problem shortened to few steps and images, so that what a training costs beside those can be measured."""

from dataclasses import dataclass, replace

import torch

from silo.cycle import Problem
from silo.data.split import Split
from silo.restart import Restart, Weights
from silo.shape import Shape


@dataclass(frozen=True)
class WholeShape:
    """The shape of a whole training, for one that has fewer steps and epochs.

    Attributes:
        shape: The whole training's shape.
        steps_per_epoch: The whole training's.
        epochs: How many the whole training has.
    """

    shape: Shape
    steps_per_epoch: int
    epochs: int

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """Return the whole training's factor at iteration t (from 1); after its last iteration, from the first on again."""
        return self.shape.factor((t - 1) % (self.steps_per_epoch * self.epochs) + 1, self.steps_per_epoch, self.epochs)


@dataclass(frozen=True)
class EarlyRestart:
    """A restart that remembers weights after the first iteration, where it would remember any at all.

    Attributes:
        restart: The study's.
        steps_per_epoch: The whole training's.
    """

    restart: Restart
    steps_per_epoch: int

    def initialization_cycle(self, cycle: int) -> int:
        """Return what the study's restart returns."""
        return self.restart.initialization_cycle(cycle)

    def remember_at(self, cycle: int, steps_per_epoch: int) -> int | None:
        """Return 1, or None where the study's restart remembers nothing at this cycle."""
        return None if self.restart.remember_at(cycle, self.steps_per_epoch) is None else 1

    def carry(self, start: Weights | None, remembered: Weights | None, final: Weights) -> Weights | None:
        """Return what the study's restart returns."""
        return self.restart.carry(start, remembered, final)


def shorten_split(split: Split, batch_size: int, batches: int, images: int) -> Split:
    """Return a split of ``batches`` full training batches, ``images`` images to validate on, and one to test on.

    Training images come again where there are too few.
    """
    order = torch.arange(batches * batch_size) % len(split.train)
    return replace(split, train=split.train[order], validation=split.validation[:images], test=split.test[:1])


def shorten(problem: Problem, whole: Split) -> Problem:
    """Return the problem with one step, and one image each to validate and to test on; whole: its split of one seed."""
    steps_per_epoch = problem.recipe.steps_per_epoch(len(whole.train))
    split = shorten_split(whole, problem.recipe.batch_size, 1, 1)
    shape = WholeShape(problem.recipe.shape, steps_per_epoch, problem.recipe.epochs)
    return replace(
        problem,
        data=lambda seed: split,
        recipe=replace(problem.recipe, epochs=1, shape=shape),
        restart=EarlyRestart(problem.restart, steps_per_epoch),
    )
