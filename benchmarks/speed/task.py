"""What is trained, the same for every way of training it."""

from dataclasses import dataclass

import torch
from torch import nn

from silo.data.augment import Augment
from silo.data.split import Split
from silo.engine import train_lanes
from silo.lane import Start
from silo.mask import Mask, prunable_weights
from silo.model import MODELS
from silo.outcome import Outcome
from silo.randomness import Purpose, seeded
from silo.recipe import Recipe
from silo.shape import Constant

BATCH, MOMENTUM, WEIGHT_DECAY = 64, 0.9, 5e-4  # the released recipes'
LR = 0.03
PRUNED = 0.5  # of all weights


@dataclass(frozen=True)
class Task:
    """One cycle's training of a network (a name in silo.model) that is half pruned, at one learning rate."""

    network: str
    data: Split
    epochs: int = 1
    augment: Augment = Augment()

    def start(self) -> tuple[nn.Module, Mask]:
        """The network with its pruned weights at 0, and their mask."""
        images = self.data.train
        with seeded(0, Purpose.INITIALIZATION):
            model = MODELS[self.network](images.channels, images.size, 10)
        weights = prunable_weights(model, norm=True, first=True, head=True)
        mask = Mask.dense(weights).prune({name: w.abs() for name, w in weights.items()}, PRUNED, "global")
        with torch.no_grad():
            for name, weight in weights.items():
                weight *= mask.layers[name]
        return model, mask


def start_of(task: Task) -> Start:
    """What one lane of the suite's engine begins with."""
    return Start(*task.start(), LR)


def recipe_of(task: Task) -> Recipe:
    """How the suite's engine trains it."""
    return Recipe(task.epochs, BATCH, MOMENTUM, WEIGHT_DECAY, Constant(), task.augment)


def train_ours(task: Task) -> Outcome:
    """Train in the suite's own way, as a worker of a sweep does."""
    return train_lanes([start_of(task)], task.data, recipe_of(task), seed=0, cycle=0)[0].outcome
