"""A package of one's own for every part of an experiment, and the experiment that is made of it."""

import sys

import experiments

# A package of one's own: a part of it in a module each, as one would write it.
PACKAGE = {
    "__init__.py": "from own.nets import perceptron\n",
    "nets.py": """
from torch import nn


def perceptron(channels, size, classes, width: int = 16, dropout: float = 0, depth=1, **unused):
    if width % 2:
        raise ValueError(f"width: {width}: an even number is allowed")
    widths = [channels * size * size, *[width] * depth]
    layers = [layer for a, b in zip(widths, widths[1:]) for layer in (nn.Linear(a, b), nn.ReLU(), nn.Dropout(dropout))]
    return nn.Sequential(nn.Flatten(), *layers, nn.Linear(widths[-1], classes))


class Net(nn.Module):
    def __init__(self, channels: int, size: int, classes: int, *, hidden: "list[int] | None" = None) -> None:
        super().__init__()
        self.hidden, self.body = hidden, perceptron(channels, size, classes, *(hidden or ()))

    def forward(self, x):
        return self.body(x)


def keep(model):
    pass
""",
    "sets.py": """
import torch
from sklearn.datasets import load_digits

from silo.data.images import Dataset, Images


def parity(images: int = 1797):
    pixels, labels = (torch.from_numpy(array[:images]) for array in load_digits(return_X_y=True))
    return Dataset(Images(pixels.view(-1, 1, 8, 8).to(torch.uint8), labels % 2), None, ("even", "odd"))
""",
    "criteria.py": """
def relative(layer):
    return layer.final.abs() / layer.final.abs().mean()
""",
    "rules.py": """
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from silo.data.split import Pooled
from silo.duration import Duration
from silo.restart import Rewind


@dataclass(frozen=True)
class Triangle:
    peak: float = 0.5
    until: Duration = Duration("1ep")
    feet: list[float] = field(default_factory=lambda: [0.0, 0.25])

    def __post_init__(self):
        if not 0 < self.peak < 1:
            raise ValueError(f"peak must be above 0 and below 1, got {self.peak}")

    def factor(self, t, steps_per_epoch, epochs):
        done = t / (steps_per_epoch * epochs)
        return max(*self.feet, min(done / self.peak, (1 - done) / (1 - self.peak)))


class Again(Rewind):
    pass


class Halves(Pooled):
    def __init__(self, where: Path = Path("x"), by: Literal["half", "third"] = "half", table: dict = {"a": [1]}):
        super().__init__(0.25, 0.25)
        self.given = (where, by, table)


class Rising:
    def __init__(self, start: float, step: float):
        self.start, self.step = start, step

    def max_lr(self, cycle):
        return self.start + cycle * self.step
""",
}
OWN = {
    "data": {"source": "own.sets:parity", "images": 300, "split": "own.rules:Halves"},
    "model": {"name": "own.nets:perceptron", "width": 8, "init": "own.nets:keep"},
    "train.shape": {"kind": "own.rules:Triangle", "peak": 0.25},
    "prune.criterion": "own.criteria:relative",
    "prune.restart": "own.rules:Again",
    "oracle.grid": [0.03, 0.3],
    "policies": {"baselines": {"rising": {"max_lr": {"kind": "own.rules:Rising", "start": 0.05, "step": 0.05}}}},
}
CODE = ["own.criteria", "own.nets", "own.rules"]  # what the trainings depend on; of the data, the digest tells


def own_experiment(changes=None):
    """The experiment all of whose parts are one's own."""
    return experiments.experiment(OWN | (changes or {}))


def forget():
    """Make this process import the package anew, as the next one would."""
    for name in [name for name in sys.modules if name.partition(".")[0] in ("own", "bad", "broken")]:
        del sys.modules[name]
