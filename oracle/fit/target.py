"""What a curve of max_lr is to run through: the Oracle's optimal intervals; and how well it does."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from silo.schedule import Schedule


@dataclass(frozen=True)
class Target:
    """What one informative cycle asks for: max_lr from low to high; 0 or infinite: there is no such end."""

    cycle: int
    low: float
    high: float

    def margin(self, max_lr: float) -> float:
        """Distance to the nearer end in decades (log10); negative: outside by so much."""
        below = math.log10(max_lr / self.low) if self.low > 0 else math.inf
        above = math.log10(self.high / max_lr) if self.high < math.inf else math.inf
        return min(below, above)


def targets(comparison: pd.DataFrame) -> list[Target]:
    """Return the intervals of the informative cycles; one that is open on both sides (a search may stop so) is no target.

    An open end is where what was tried ends: of what lies beyond nothing is known, and no curve is to be fitted there.

    Args:
        comparison: as ``oracle.analysis.comparison.comparison_table`` makes it.
    """
    rows = comparison[comparison.informative.astype(bool) & ~(comparison.open_low & comparison.open_high)]
    return [Target(row.cycle, row.low, row.high) for row in rows.itertuples()]


@dataclass(frozen=True)
class Fitness:
    """How a curve runs through targets; the fitter one has more cycles inside, then the greater least margin in these, then
    it misses the others by less.

    Attributes:
        margins: distance to the nearer end of each target, in decades (log10); negative: outside by so much.
    """

    margins: tuple[float, ...]

    @classmethod
    def of(cls, schedule: Schedule, targets: Sequence[Target]) -> "Fitness":
        """The fitness of a schedule that reaches the targets' cycles."""
        return cls(tuple(target.margin(schedule.max_lr(target.cycle)) for target in targets))

    @property
    def inside(self) -> int:
        """In how many cycles the curve is inside, ends included."""
        return sum(margin >= 0 for margin in self.margins)

    @property
    def least_margin(self) -> float:
        """The least of the cycles inside, in decades; 0 where none is."""
        return min((margin for margin in self.margins if margin >= 0), default=0.0)

    @property
    def missed_by(self) -> float:
        """Decades, summed over the cycles outside."""
        return -sum(margin for margin in self.margins if margin < 0)

    @property
    def order(self) -> tuple[float, ...]:
        """What orders curves: the greater, the fitter."""
        return self.inside, self.least_margin, -self.missed_by

    @property
    def rank(self) -> float:
        """One number that orders nearly so: with as many cycles inside, a smaller miss may outweigh a greater margin, since a
        search needs a slope. Its whole part counts the cycles inside.
        """
        return self.inside + 0.5 / (1 + self.missed_by) + 0.45 * math.tanh(self.least_margin)


def best_constant(targets: Sequence[Target]) -> tuple[float, int]:
    """Return the max_lr that is inside in the most cycles (the middle of where that is so, on a log axis), and in how many."""
    ends = sorted({end for target in targets for end in (target.low, target.high) if 0 < end < math.inf})
    counts = [sum(target.margin(end) >= 0 for target in targets) for end in ends]
    most = max(counts, default=0)
    first = counts.index(most)
    last = first
    while last + 1 < len(ends) and counts[last + 1] == most:
        last += 1
    return math.sqrt(ends[first] * ends[last]), most
