"""The learning rate within one pruning cycle, as a pure factor of max_lr: lr(t) = max_lr * factor(t).

t counts the iterations of the cycle from 1. Epochs count from 0: epoch e holds the iterations
e * steps_per_epoch + 1 to (e + 1) * steps_per_epoch.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol

from silo.duration import Duration


class Shape(Protocol):
    """A factor of max_lr for every iteration of a cycle."""

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float: ...


@dataclass(frozen=True)
class WarmupStep:
    """Linear warm-up, then a factor that is stepped at given epochs: the shape of both released recipes.

    warmup  t / warmup until it reaches 1 (0it: none), in iterations or epochs
    drops   epoch -> the factor of max_lr from that epoch on, absolute (not cumulated), in rising order.
            The first drop ends the warm-up even where it has not reached 1 ("cut off").

    Released ResNet-20 (563 steps an epoch): warmup 20000it, drops {25ep: 0.1, 32ep: 0.01}; the factor is
    0.70375 at t = 14075, the last step of the warm-up, and 0.1 at t = 14076.
    Released VGG-19: warmup 10000it, drops {14ep: 1, 80ep: 0.1, 120ep: 0.01}.
    """

    warmup: Duration
    drops: dict[Duration, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "warmup", Duration(self.warmup))
        drops = {Duration(at): float(factor) for at, factor in self.drops.items()}
        for at, factor in drops.items():
            if at.unit != "ep":
                raise ValueError(f"drops: {at}: whole epochs are allowed, such as 25ep")
            if not 0 <= factor <= 1:
                raise ValueError(f"drops: {at}: {factor}: a factor of max_lr from 0 to 1 is allowed")
        epochs = [Duration(at).count for at in self.drops]
        if epochs != sorted(set(epochs)):
            raise ValueError(f"drops: {', '.join(drops)}: rising epochs are allowed, each once")
        object.__setattr__(self, "drops", drops)

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """The factor at iteration t (from 1)."""
        epoch = (t - 1) // steps_per_epoch
        for at, factor in reversed(self.drops.items()):
            if epoch >= at.count:
                return factor
        warmup = self.warmup.iterations(steps_per_epoch)
        return t / warmup if t < warmup else 1.0


@dataclass(frozen=True)
class Constant:
    """max_lr at every iteration."""

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """Always 1."""
        return 1.0


@dataclass(frozen=True)
class Cosine:
    """Half a cosine from 1 at t = 1 down towards 0 after the last iteration (Loshchilov and Hutter 2017, no restart)."""

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """(1 + cos(pi (t-1) / T)) / 2, T the iterations of the cycle."""
        return (1 + math.cos(math.pi * (t - 1) / (steps_per_epoch * epochs))) / 2


@dataclass(frozen=True)
class Cyclical:
    """A triangle wave between ``low`` and 1 (Smith 2017, "triangular"): up for half a period, down for the other.

    period  of one triangle, at least 2 iterations
    low     the factor at the feet, from 0 up to (not including) 1
    """

    period: Duration
    low: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "period", Duration(self.period))
        if self.period.count == 0 or self.period == "1it":
            raise ValueError(f"period: {self.period}: at least 1ep or 2it is allowed")
        if not 0 <= self.low < 1:
            raise ValueError(f"low: {self.low}: a factor of max_lr from 0 up to (not including) 1 is allowed")

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """1 in the middle of a period, ``low`` at its end."""
        period = self.period.iterations(steps_per_epoch)
        if period < 2:
            raise ValueError(f"period: {self.period}: one iteration long here; at least two are allowed")
        phase = t / period % 1
        return self.low + (1 - self.low) * (1 - abs(2 * phase - 1))


SHAPES = {"warmup-step": WarmupStep, "constant": Constant, "cosine": Cosine, "cyclical": Cyclical}
