"""How one cycle is trained."""

import math
from dataclasses import dataclass

from silo.data.augment import Augment
from silo.precision import PRECISIONS
from silo.shape import Shape

CHOICES = ("validation", "test-best")


@dataclass(frozen=True)
class Recipe:
    """How one cycle is trained: SGD on cross entropy, a fresh optimizer each cycle, the last partial batch kept.

    epochs, batch_size  at least 1;  momentum  from 0, under 1;  weight_decay  at least 0
    shape               of the learning rate within the cycle;  augment  of the training images
    choose              the state that is reported: "validation", the first with the best validation accuracy after an epoch;
                        or, as the released code does, "test-best", the first with the best test accuracy before an epoch
    precision           of the network's arithmetic, in training and evaluation: see silo.precision
    """

    epochs: int
    batch_size: int
    momentum: float
    weight_decay: float
    shape: Shape
    augment: Augment = Augment()
    choose: str = "validation"
    precision: str = "fp32"

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 1:
            raise ValueError(f"epochs, batch_size: {self.epochs}, {self.batch_size}: at least 1 is allowed")
        for field, allowed in (("choose", CHOICES), ("precision", PRECISIONS)):
            if getattr(self, field) not in allowed:
                raise ValueError(f"{field}: {getattr(self, field)}: {' or '.join(allowed)} is allowed")

    def steps_per_epoch(self, images: int) -> int:
        """Iterations over so many training images."""
        return math.ceil(images / self.batch_size)
