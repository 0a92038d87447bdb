"""The Oracle's best max_lr of a cycle, and its optimal interval, from mean accuracies over a grid."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

SLACK = 1e-9  # points of accuracy: means of the same counts may differ in the last bit


@dataclass(frozen=True)
class Interval:
    """The contiguous run of grid values around the best whose accuracy is within the tolerance of the best's.

    best       the grid value with the highest mean accuracy (of a tied plateau: its middle)
    low, high  the lowest and highest grid value inside
    edge_low, edge_high  the first grid value outside on either side; None where the interval touches the end of the
               grid: it is open there, the grid was too narrow to conclude
    """

    best: float
    accuracy: float
    low: float
    high: float
    edge_low: float | None
    edge_high: float | None

    @property
    def open_low(self) -> bool:
        """True where lower values might be inside, too."""
        return self.edge_low is None

    @property
    def open_high(self) -> bool:
        """True where higher values might be inside, too."""
        return self.edge_high is None

    @property
    def decades(self) -> float:
        """The width, log10(high / low)."""
        return math.log10(self.high / self.low)

    def position(self, max_lr: float) -> str:
        """Where a value lies: "inside"; "at edge" (between the last value inside and the first outside); "outside";
        "beyond grid" where it lies past an open end, about which the grid says nothing.
        """
        if self.low <= max_lr <= self.high:
            return "inside"
        edge = self.edge_low if max_lr < self.low else self.edge_high
        if edge is None:
            return "beyond grid"
        between = edge < max_lr if max_lr < self.low else max_lr < edge
        return "at edge" if between else "outside"


def find_interval(values: Sequence[float], accuracies: Sequence[float | None], tolerance: float) -> Interval | None:
    """Return the interval over a rising grid; None as an accuracy means that the value can't win (it diverged) and bounds the
    interval. Returns None where no value has an accuracy.
    """
    known = [a for a in accuracies if a is not None]
    if not known:
        return None
    top = max(known)
    at = _middle_of_longest_run([a is not None and a >= top - SLACK for a in accuracies])

    def inside(i: int) -> bool:
        return 0 <= i < len(values) and accuracies[i] is not None and accuracies[i] >= top - tolerance - SLACK

    low = high = at
    while inside(low - 1):
        low -= 1
    while inside(high + 1):
        high += 1
    return Interval(
        best=values[at],
        accuracy=accuracies[at],
        low=values[low],
        high=values[high],
        edge_low=values[low - 1] if low > 0 else None,
        edge_high=values[high + 1] if high + 1 < len(values) else None,
    )


def _middle_of_longest_run(flags: Sequence[bool]) -> int:
    """Index of the middle (the lower of two) of the longest run of True; the first of equally long ones."""
    runs, start = [], None
    for i, flag in enumerate([*flags, False]):
        if flag and start is None:
            start = i
        elif not flag and start is not None:
            runs.append((start - i, start, i - 1))
            start = None
    _, first, last = min(runs)
    return (first + last) // 2
