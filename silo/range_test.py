"""The learning rate range test: a training at a rising rate, which chooses the max_lr of a pruning cycle."""

from collections.abc import Sequence
from dataclasses import dataclass

from silo.number import is_finite, plain
from silo.shape import Ramp

DIGITS = 4  # significant ones of a chosen max_lr: the last ones of a power differ between machines


@dataclass(frozen=True)
class RangeTest:
    """Train a copy of a cycle's start network while the rate rises from ``low`` to ``high``; take the rate of the lowest loss.

    With E the epochs of the test, which is as long as a cycle, and e those up to the one whose mean training loss is the
    lowest, that one included (the first of equals; 0 where none was finished)::

        lr(t)  = high * (low/high)**(1 - t/T)      in the test, T its iterations
        max_lr = high * (low/high)**(1 - e/E)      rounded to 4 significant digits

    A test that diverged chooses among the epochs before. It is made for starts that are not yet trained (new weights, or an
    early rewind): one that is trained has its lowest loss at the lowest rates.

    >>> RangeTest(low=0.01, high=10).max_lr([2.3, 2.1, 1.4, 1.9, 2.4, 2.4], epochs=6)
    0.3162

    Source: Smith 2017, arXiv 1506.01186, section 3.3, who lets the rate rise linearly and reads max_lr off the plot of
    accuracy, where it stops rising. That it rises geometrically, the loss, and that each cycle has its own test are ours.

    Args:
        low: The rate before the first iteration, above 0.
        high: The rate of the last iteration, above ``low``.

    Raises:
        ValueError: For any other values.
    """

    low: float
    high: float

    def __post_init__(self) -> None:
        for name, value in (("low", self.low), ("high", self.high)):
            if not (is_finite(value) and value > 0):
                raise ValueError(f"{name} must be a finite number above 0, got {value!r}")
            object.__setattr__(self, name, plain(value))
        if self.low >= self.high:
            raise ValueError(f"low must be below high ({self.high!r}), got {self.low!r}")

    @property
    def shape(self) -> Ramp:
        """The test's shape; its max_lr is ``high``."""
        return Ramp(self.low / self.high)

    def max_lr(self, losses: Sequence[float], epochs: int) -> float:
        """The max_lr that a test chooses, from ``low`` to ``high``.

        Args:
            losses: The mean training loss of each epoch that was finished, finite; fewer than ``epochs`` where it diverged.
            epochs: Epochs of the test, at least 1.
        """
        done = 1 + min(range(len(losses)), key=losses.__getitem__) if losses else 0  # min: the first of equals
        return float(f"{self.high * (self.low / self.high) ** (1 - done / epochs):.{DIGITS}g}")
