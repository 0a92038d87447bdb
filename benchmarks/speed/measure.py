"""Ratios measured side by side: pairs of two ways of doing one thing, their median, and how sure it is."""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scipy.stats import binom

Pair = tuple[float, float]
PAIRS = 15  # many short ones: what else the machine does falls on both sides of most of them


@dataclass(frozen=True)
class Row:
    """One line of the table.

    Attributes:
        part: The part of the benchmark.
        what: What it compares.
        unit: The unit of ours and other.
        ours: Median of our side.
        other: Median of the other side.
        ratio: Median over the pairs of ours / other.
        low: Lower bound of the ratio, with high, at 95% confidence.
        high: Upper bound of the ratio.
        goal: ">= 1.5" or "<= 1.05", which the whole interval shall keep; empty where none was set.
        pairs: How many pairs were measured.
    """

    part: str
    what: str
    unit: str
    ours: float
    other: float
    ratio: float
    low: float
    high: float
    goal: str
    pairs: int

    @classmethod
    def of(cls, part: str, what: str, unit: str, pairs: Sequence[Pair], goal: str = "") -> "Row":
        """The row of these pairs (ours, other)."""
        ours, others = (statistics.median(side) for side in zip(*pairs, strict=True))
        ratios = sorted(one / other for one, other in pairs)
        low, high = median_bounds(ratios)
        numbers = [float(f"{value:.4g}") for value in (ours, others, statistics.median(ratios), low, high)]
        return cls(part, what, unit, *numbers, goal, len(pairs))


def median_bounds(values: Sequence[float]) -> tuple[float, float]:
    """Two of the values that hold the median of their distribution, whatever that is, with a confidence of 95%.

    Of n sorted values the k-th from each end, k the largest with P(Binomial(n, 1/2) < k) <= 2.5%. With fewer than 6 values
    there is none, and the lowest and the highest hold it less surely.
    """
    ordered = sorted(values)
    rank = max(1, int(binom.ppf(0.025, len(ordered), 0.5)))
    return ordered[rank - 1], ordered[-rank]


def interleaved(ours: Callable[[], object], other: Callable[[], object], pairs: int) -> list[Pair]:
    """Time both in turns, in seconds, after one turn that doesn't count; every second pair the other one goes first."""
    found = []
    for turn in range(pairs + 1):
        if turn % 2:
            a, b = seconds(ours), seconds(other)
        else:
            b, a = seconds(other), seconds(ours)
        found.append((a, b))
    return found[1:]


def seconds(do: Callable[[], object]) -> float:
    """How many seconds it takes."""
    began = time.perf_counter()
    do()
    return time.perf_counter() - began
