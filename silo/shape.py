"""The learning rate within one pruning cycle, as a pure factor of max_lr: lr(t) = max_lr * factor(t).

t counts the iterations of the cycle from 1. Epochs count from 0: epoch e holds the iterations
e * steps_per_epoch + 1 to (e + 1) * steps_per_epoch. T = steps_per_epoch * epochs is the cycle's last iteration.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from silo.duration import Duration, duration
from silo.number import is_finite, plain


class Shape(Protocol):
    """Anything that has a factor of max_lr for every iteration of a cycle."""

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """The factor of max_lr at one iteration.

        Args:
            t: The iteration within the cycle, from 1 to steps_per_epoch * epochs.
            steps_per_epoch: Iterations of one epoch, at least 1.
            epochs: Epochs of the cycle, at least 1.

        Returns:
            A share of max_lr, from 0 to 1.
        """
        ...


@dataclass(frozen=True)
class WarmupStep:
    """Linear warm-up, then a factor that is stepped at given epochs: the shape of both released recipes.

    With W the warm-up, and a drop's place d, counted in iterations::

        factor(t) = drops[d]      for the last drop with d < t, if there is one
        factor(t) = min(1, t / W) before the first drop (1 without a warm-up)

    The first drop ends the warm-up even where it has not reached 1: it is cut off. So in the released ResNet-20 recipe, with
    563 steps an epoch, the factor is 0.70375 at t = 14075, the warm-up's last step, and 0.1 from t = 14076 on:

    >>> resnet20 = WarmupStep("20000it", {"25ep": 0.1, "32ep": 0.01})
    >>> [resnet20.factor(t, steps_per_epoch=563, epochs=50) for t in (1, 14075, 14076, 28150)]
    [5e-05, 0.70375, 0.1, 0.01]

    Source: SILO's released code; its VGG-19 recipe is ``WarmupStep("10000it", {"14ep": 1, "80ep": 0.1, "120ep": 0.01})``.

    By shares of the cycle it is SLR, which compresses the dense network's steps into a cycle of any length, after a warm-up
    over its first tenth (Le and Hua 2021, arXiv 2105.03193; the warm-up: Zimmer, Spiegel and Pokutta, arXiv 2111.00843):

    >>> slr = WarmupStep("10%", {"50%": 0.1, "75%": 0.01})
    >>> [slr.factor(t, steps_per_epoch=10, epochs=4) for t in (1, 4, 20, 21, 31)]
    [0.25, 1.0, 1.0, 0.1, 0.01]

    Args:
        warmup: How long the factor rises to 1; ``0it`` for no warm-up.
        drops: The factor of max_lr, in [0, 1], from a place in the cycle on: absolute, not cumulated, in rising order, all at
            whole epochs (``8ep``) or all at shares of the cycle (``50%``).

    Raises:
        ValueError: For any other value.
    """

    warmup: Duration
    drops: dict[Duration, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "warmup", duration("warmup", self.warmup))
        if not isinstance(self.drops, Mapping):
            raise ValueError(f'drops must be a mapping such as {{"8ep": 0.1}}, got {self.drops!r}')
        places = [duration("drops", place) for place in self.drops]
        for place, factor in zip(places, self.drops.values(), strict=True):
            if place.unit == "it":
                raise ValueError(f"drops must be at whole epochs, such as 25ep, or at shares such as 50%, got {place}")
            if not 0 <= float(factor) <= 1:
                raise ValueError(f"drops must hold factors of max_lr in [0, 1], got {factor} at {place}")
        if len({place.unit for place in places}) > 1:
            raise ValueError(f"drops must be all at epochs or all at shares of the cycle, got {', '.join(places)}")
        counts = [place.count for place in places]
        if counts != sorted(set(counts)):
            raise ValueError(f"drops must be in rising order, each place once, got {', '.join(places)}")
        factors = map(float, self.drops.values())
        object.__setattr__(self, "drops", dict(zip(places, factors, strict=True)))

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """The factor at iteration t (from 1)."""
        for place, factor in reversed(self.drops.items()):
            if t > place.iterations(steps_per_epoch, epochs):
                return factor
        warmup = self.warmup.iterations(steps_per_epoch, epochs)
        return t / warmup if t < warmup else 1.0


@dataclass(frozen=True)
class Constant:
    """factor(t) = 1: max_lr at every iteration.

    >>> Constant().factor(t=1, steps_per_epoch=563, epochs=50)
    1.0
    """

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """Always 1."""
        return 1.0


@dataclass(frozen=True)
class Linear:
    """A straight line down from 1 towards 0, after a linear warm-up::

        factor(t) = t / W                      for t <= W,  W the warm-up in iterations
        factor(t) = (T - t + 1) / (T - P + 1)  from the peak P = max(W, 1) on

    It is 1 at the peak, and would be 0 at T + 1, after the last iteration:

    >>> [Linear("20%").factor(t, steps_per_epoch=10, epochs=1) for t in (1, 2, 3, 10)]
    [0.5, 1.0, 0.8888888888888888, 0.1111111111111111]

    Source: with a warm-up of 10% it is LLR (Zimmer, Spiegel and Pokutta, arXiv 2111.00843), which stands at 0 at T.

    Args:
        warmup: How long the factor rises to 1; by default not at all.

    Raises:
        ValueError: Where it is no duration.
    """

    warmup: Duration = Duration("0it")

    def __post_init__(self) -> None:
        object.__setattr__(self, "warmup", duration("warmup", self.warmup))

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """The factor at iteration t (from 1)."""
        warmup, last = self.warmup.iterations(steps_per_epoch, epochs), steps_per_epoch * epochs
        return t / warmup if t <= warmup else (last - t + 1) / (last - max(warmup, 1) + 1)


@dataclass(frozen=True)
class Cosine:
    """Half a cosine down from 1 towards 0, after a linear warm-up, by default none::

        factor(t) = t / W                                        for t <= W,  W the warm-up in iterations
        factor(t) = (1 + cos(pi * (t - P) / (T - P + 1))) / 2    from the peak P = max(W, 1) on

    Without a warm-up it is 1 at t = 1, 1/2 at t = T/2 + 1, and would be 0 at T + 1, after the last iteration:

    >>> [round(Cosine().factor(t, steps_per_epoch=10, epochs=10), 6) for t in (1, 51, 100)]
    [1.0, 0.5, 0.000247]

    Source: SGDR without a restart (Loshchilov and Hutter 2017, arXiv 1608.03983, equation 5, eta_min = 0). With a warm-up of
    10% it is CLR (Le and Hua 2021, arXiv 2105.03193, as Zimmer, Spiegel and Pokutta have it, arXiv 2111.00843).

    Args:
        warmup: How long the factor rises to 1; by default not at all.

    Raises:
        ValueError: Where it is no duration.
    """

    warmup: Duration = Duration("0it")

    def __post_init__(self) -> None:
        object.__setattr__(self, "warmup", duration("warmup", self.warmup))

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """The factor at iteration t (from 1)."""
        warmup, last = self.warmup.iterations(steps_per_epoch, epochs), steps_per_epoch * epochs
        if t <= warmup:
            return t / warmup
        peak = max(warmup, 1)
        return (1 + math.cos(math.pi * (t - peak) / (last - peak + 1))) / 2


@dataclass(frozen=True)
class Cyclical:
    """A triangle wave between ``low`` and 1, up for half a period and down for the other::

        factor(t) = low + (1 - low) * (1 - |2 * phase - 1|),  phase = t / P mod 1,  P the period in iterations

    It is 1 in the middle of a period and ``low`` at its end:

    >>> [Cyclical("4it").factor(t, steps_per_epoch=10, epochs=10) for t in (1, 2, 3, 4, 5)]
    [0.5, 1.0, 0.5, 0.0, 0.5]

    Source: the "triangular" policy of cyclical learning rates (Smith 2017, arXiv 1506.01186, section 3).

    Args:
        period: Length of one triangle, at least 2 iterations.
        low: The factor at the feet, in [0, 1).

    Raises:
        ValueError: For any other value.
    """

    period: Duration
    low: float = 0.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "period", duration("period", self.period))
        if self.period.count == 0 or self.period == "1it":
            raise ValueError(f"period must be at least 1ep, 2it or 1%, got {self.period}")
        if not (is_finite(self.low) and 0 <= self.low < 1):
            raise ValueError(f"low must be in [0, 1), got {self.low}")
        object.__setattr__(self, "low", plain(self.low))

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """The factor at iteration t (from 1).

        Raises:
            ValueError: Where the period is shorter than two iterations, since then every factor would be ``low``.
        """
        period = self.period.iterations(steps_per_epoch, epochs)
        if period < 2:
            raise ValueError(f"period must be at least 2 iterations, got {self.period}, which is {period} here")
        phase = t / period % 1
        return self.low + (1 - self.low) * (1 - abs(2 * phase - 1))


@dataclass(frozen=True)
class Ramp:
    """A geometric rise from ``low`` to 1 over the whole cycle: the learning rate range test's shape::

        factor(t) = low**(1 - t/T),  T the iterations of the cycle

    It would be ``low`` at t = 0, before the first iteration, and is 1 at the last:

    >>> [round(Ramp(low=0.01).factor(t, steps_per_epoch=2, epochs=2), 4) for t in (1, 2, 3, 4)]
    [0.0316, 0.1, 0.3162, 1.0]

    Source: Smith 2017, arXiv 1506.01186, section 3.3, where it rises linearly; geometrically it spends as long on each decade.

    Args:
        low: The factor before the first iteration, in (0, 1).

    Raises:
        ValueError: For any other value.
    """

    low: float

    def __post_init__(self) -> None:
        if not (is_finite(self.low) and 0 < self.low < 1):
            raise ValueError(f"low must be in (0, 1), got {self.low!r}")
        object.__setattr__(self, "low", plain(self.low))

    def factor(self, t: int, steps_per_epoch: int, epochs: int) -> float:
        """low**(1 - t/T), T the iterations of the cycle."""
        return self.low ** (1 - t / (steps_per_epoch * epochs))


SHAPES = {
    "warmup-step": WarmupStep,
    "constant": Constant,
    "linear": Linear,
    "cosine": Cosine,
    "cyclical": Cyclical,
    "ramp": Ramp,
}
